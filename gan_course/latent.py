"""Walks through a generator's latent space, directions in it, and the way back from a picture.

A latent vector z is [latent_dim]; several are [n, latent_dim]. Everything that draws takes a generator in
evaluation mode and computes without gradients, except `invert`.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from gan_course import data, sampling
from gan_course.errors import CourseError, whole
from gan_course.networks import Generator
from gan_course.terminal import bar

STRAIGHT = 1e-3  # an angle: on a shorter arc than that, arc and chord differ by less than float32 shows

# --- walks -----------------------------------------------------------------------------------------


def of(generator: Generator, n: int, seed: int) -> Tensor:
    """n latents of a generator, [n, latent_dim]: those of `draw`; where it can be asked for a class, for any."""
    dice = torch.Generator().manual_seed(whole(seed, "seed", most=2**63 - 1))
    return sampling.latents(generator, whole(n, "n"), dice)


def draw(n: int, latent_dim: int, seed: int) -> Tensor:
    """n latent vectors, N(0, 1), [n, latent_dim], the same for the same seed, 0 to 2**63 - 1."""
    dice = torch.Generator().manual_seed(whole(seed, "seed", most=2**63 - 1))
    return torch.randn(whole(n, "n"), latent_dim, generator=dice)


def traverse(z: Tensor, dimension: int, values: Tensor) -> Tensor:
    """Copies of z in which one dimension takes the values, [n, latent_dim].

    Raises:
        CourseError: z has no such dimension.
    """
    path = z.repeat(len(values), 1)
    path[:, whole(dimension, "dimension", 0, len(z) - 1)] = torch.as_tensor(values).to(path)
    return path


def lerp(a: Tensor, b: Tensor, t: Tensor) -> Tensor:
    """Points on the straight line from a (t = 0) to b (t = 1), [n, latent_dim].

    Half-way between two independent draws the norm is only about 0.71 of theirs: no draw is ever that short.
    """
    return torch.lerp(a, b, _column(t, a))


def slerp(a: Tensor, b: Tensor, t: Tensor) -> Tensor:
    """Points on the arc from a to b, [n, latent_dim]: the angle grows evenly, the norm goes from one to the other.

    Shoemake 1985; for latent spaces White 2016 (arXiv:1609.04468). Where the angle is less than `STRAIGHT` from
    0 or from pi (opposite vectors, between which no arc is the shortest), or a vector is 0, the way is straight.
    """
    norm_a, norm_b, t = a.norm(), b.norm(), _column(t, a)
    u, v = a / norm_a, b / norm_b
    angle = 2 * torch.atan2((u - v).norm(), (u + v).norm())  # exact also near 0 and pi, where arccos is not
    if min(angle, math.pi - angle) < STRAIGHT or not angle.isfinite():
        return torch.lerp(a, b, t)
    unit = (torch.sin((1 - t) * angle) * u + torch.sin(t * angle) * v) / angle.sin()
    return unit * torch.lerp(norm_a, norm_b, t)


def _column(t: Tensor, like: Tensor) -> Tensor:
    return torch.as_tensor(t).to(like).reshape(-1, 1)


def circle(a: Tensor, b: Tensor, n: int) -> Tensor:
    """n points once around the circle through a whose plane also holds b, [n, latent_dim]: a walk that comes home.

    Raises:
        CourseError: a and b lie on one line through 0, which is in no plane or in many.
    """
    away = b - a * (a @ b) / (a @ a)
    if not away.norm() > STRAIGHT * b.norm():
        raise CourseError("the two latents lie on one line through 0: any two others span a circle")
    away = away * a.norm() / away.norm()
    angles = torch.arange(n)[:, None] * (2 * math.pi / n)
    return a * angles.cos() + away * angles.sin()


def square(corners: Tensor, n: int) -> Tensor:
    """n × n points between four latents, row by row, [n * n, latent_dim].

    Args:
        corners: [4, latent_dim]: top left, top right, bottom left, bottom right.
    """
    t = torch.linspace(0, 1, n)
    left, right = slerp(corners[0], corners[2], t), slerp(corners[1], corners[3], t)
    return torch.cat([slerp(a, b, t) for a, b in zip(left, right, strict=True)])


# --- directions ------------------------------------------------------------------------------------


def sefa(generator: Generator, n: int = 10) -> tuple[Tensor, Tensor]:
    """The directions that a generator's first layer stretches most, found without looking at a picture.

    They are the eigenvectors of AᵀA for the first layer's weights A (Shen and Zhou 2021, arXiv:2007.06600,
    equation 5). For a transposed convolution, which meets z as one pixel, A is its kernel written as a matrix.

    Returns:
        (eigenvalues [n] from the largest on, unit directions [n, latent_dim]).

    Raises:
        CourseError: the generator has neither kind of layer.
    """
    first = next((m for m in generator.modules() if isinstance(m, nn.Linear | nn.ConvTranspose2d)), None)
    if first is None:
        raise CourseError("this generator has no linear layer and no transposed convolution to begin with")
    weight = first.weight.detach().cpu()
    A = weight if isinstance(first, nn.Linear) else weight.flatten(1).T  # [outputs, latent_dim]
    values, vectors = torch.linalg.eigh(A.T @ A)
    return values.flip(0)[:n], vectors.flip(1).T[:n].contiguous()


def attribute_direction(z: Tensor, has: Tensor) -> Tensor:
    """From the mean latent of pictures without an attribute to the mean of those with it, [latent_dim].

    Radford, Metz and Chintala 2016 (arXiv:1511.06434, section 6.3.2) with means over many instead of three.

    Args:
        z: [n, latent_dim]. has: bool [n].

    Raises:
        CourseError: all of them have it, or none.
    """
    has = has.bool()
    if has.all() or not has.any():
        raise CourseError(
            f"{int(has.sum())} of {len(has)} pictures have the attribute: a direction needs some with and some without"
        )
    return z[has].mean(0) - z[~has].mean(0)


@torch.no_grad()
def influence(generator: Generator, n: int = 32, seed: int = 0, reach: float = 2.0) -> Tensor:
    """How much each dimension changes the picture, [latent_dim], in grey levels of 255.

    The mean over pixels and n random latents of the difference between the pictures with that dimension at
    -reach and at +reach.
    """
    device, n = next(generator.parameters()).device, whole(n, "n", 1)
    z = of(generator, n, seed).to(device)
    found = torch.empty(generator.latent_dim)
    for dimension in range(generator.latent_dim):
        ends = z.repeat(2, 1)
        ends[:n, dimension], ends[n:, dimension] = -reach, reach
        low, high = generator(ends).chunk(2)
        found[dimension] = (high - low).abs().mean().item() * 127.5
    return found


# --- the way back ----------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Inversion:
    """The latent whose picture is nearest to a given one, as far as descent found it.

    Attributes:
        z: [latent_dim]. picture: what the generator makes of it, uint8 [C, H, W].
        error: root of the mean squared difference of the pixels, in grey levels of 255.
        starts: the final error of every start [starts].
    """

    z: Tensor
    picture: Tensor
    error: float
    starts: Tensor


@torch.enable_grad()  # a notebook may have switched gradients off
def invert(
    generator: Generator,
    picture: Tensor,
    *,
    steps: int = 300,
    starts: int = 8,
    seed: int = 0,
    pull: float = 1e-3,
    progress: bool = True,
) -> Inversion:
    """Look for the latent of a picture by gradient descent on z, from several starts at once.

    Args:
        picture: uint8 [C, H, W] of the generator's size.
        pull: weight of the mean square of z beside that of the pixel differences: shortens z. The default is weak;
            z can end outside the shell where draws lie.

    Raises:
        CourseError: the picture is of another type or size than the generator's.
    """
    device = next(generator.parameters()).device
    steps, starts = whole(steps, "steps", 1), whole(starts, "starts", 1)
    with torch.no_grad():
        shape = generator(torch.zeros(2, generator.latent_dim, device=device)).shape[1:]
    if picture.dtype != torch.uint8 or picture.shape != shape:
        raise CourseError(
            f"the generator makes uint8 pictures {list(shape)}; this one is "
            f"{str(picture.dtype).removeprefix('torch.')} {list(picture.shape)}"
        )
    wanted = data.to_signed(picture).to(device)
    z = of(generator, starts, seed).to(device).requires_grad_()
    adam = torch.optim.Adam([z], lr=0.1)
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(adam, steps)
    for _ in bar(iterable=range(steps), desc="inverting", unit=" steps", disable=not progress, leave=False):
        difference = (generator(z) - wanted).square().flatten(1).mean(1)
        (difference + pull * z.square().mean(1)).sum().backward()
        adam.step()
        adam.zero_grad()
        cosine.step()
    with torch.no_grad():
        made = generator(z)
        last = (made - wanted).square().flatten(1).mean(1).sqrt().cpu() * 127.5
    best = int(last.argmin())
    return Inversion(
        z=z[best].detach().cpu(),
        picture=data.to_uint8(made[best]).cpu(),
        error=last[best].item(),
        starts=last,
    )
