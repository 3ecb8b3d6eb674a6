"""Checks for lesson 00: scaling, sampling, walking between two latents, counting steps."""

from collections.abc import Callable

import torch
from torch import Tensor

from gan_course import data
from gan_course.checks import NotYet, passed, run
from gan_course.networks import build


def exercise_1(to_signed: Callable[[Tensor], Tensor]) -> None:
    """`to_signed(images)` maps uint8 0 … 255 to float32 -1 … 1."""
    pixels = torch.tensor([[0, 51], [204, 255]], dtype=torch.uint8)
    given = run("0.1", to_signed, pixels)
    if not isinstance(given, Tensor) or given.shape != pixels.shape:
        raise NotYet("to_signed gets a tensor and returns one of the same shape")
    if not given.is_floating_point():
        raise NotYet(f"the result is {given.dtype}, which has no room for fractions: images.float() first")
    right = data.to_signed(pixels)
    if torch.allclose(given.float(), right, atol=1e-4):
        passed("Right: 0 becomes -1, 255 becomes 1.")
        return
    if torch.allclose(given.float(), pixels / 255, atol=1e-4):
        raise NotYet("that is 0 … 1; tanh reaches down to -1, so stretch by 2 and shift by 1")
    if torch.allclose(given.float(), pixels.float() - 127.5, atol=1):
        raise NotYet("that is -127.5 … 127.5: shifted, not divided yet")
    if given.float().sub(right).abs().max() < 0.02:
        raise NotYet(
            f"255 becomes {given.max().item():.4f}: divide by 127.5, half of 255, so that it is exactly 1"
        )
    raise NotYet(
        f"0, 51, 204, 255 become {[round(v, 2) for v in given.flatten().tolist()]}; -1, -0.6, 0.6, 1 is right"
    )


def exercise_2(draw: Callable[..., Tensor]) -> None:
    """`draw(G, n, seed)` makes n images; the same seed gives the same images."""
    G = _tiny_generator()
    first, again, other = (run("0.2", draw, G, 6, seed) for seed in (1, 1, 2))
    if not isinstance(first, Tensor) or first.shape != (6, 1, 28, 28):
        shape = tuple(first.shape) if isinstance(first, Tensor) else type(first).__name__
        raise NotYet(f"6 images of 28 × 28 have the shape (6, 1, 28, 28); yours is {shape}")
    if first.requires_grad:
        raise NotYet("the images still carry a graph: draw under torch.no_grad()")
    if not torch.equal(first, again):
        raise NotYet(
            "seed 1 gave other images the second time: make a torch.Generator, seed it, hand it to randn"
        )
    if torch.equal(first, other):
        raise NotYet("seeds 1 and 2 give the same images: does the seed reach manual_seed?")
    z = torch.randn(6, 100, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        if torch.equal(first, G(z)):
            passed("Right: as many images as asked for, and the seed decides which.")
            return
        if torch.equal(first, G(torch.rand(6, 100, generator=torch.Generator().manual_seed(1)))):
            raise NotYet(
                "rand is uniform between 0 and 1; this generator was trained on normal numbers: randn"
            )
    raise NotYet("these are not the images of G for torch.randn(n, 100, generator=…) seeded with `seed`")


def exercise_3(walk: Callable[..., Tensor]) -> None:
    """`walk(a, b, steps)` are latents on the straight line from a to b, both ends included."""
    a, b = torch.tensor([0.0, 2.0]), torch.tensor([4.0, 0.0])
    given = run("0.3", walk, a, b, 5)
    if not isinstance(given, Tensor) or given.shape != (5, 2):
        shape = tuple(given.shape) if isinstance(given, Tensor) else type(given).__name__
        raise NotYet(f"5 latents of 2 numbers have the shape (5, 2), steps first; yours is {shape}")
    right = torch.stack([a + (b - a) * t for t in torch.linspace(0, 1, 5)])
    if torch.allclose(given, right, atol=1e-5):
        passed("Right: it starts at a, ends at b and takes even steps.")
        return
    if torch.allclose(given, right.flip(0), atol=1e-5):
        raise NotYet("the walk goes from b to a: at the first step the weight of b is 0")
    if not torch.allclose(given[-1], b):
        raise NotYet("the last latent is not b: torch.linspace(0, 1, steps) includes both ends")
    raise NotYet(
        "both ends are right, the steps between are not even: latent k is a + (b - a) · k/(steps - 1)"
    )


def exercise_4(steps_for: Callable[..., int]) -> None:
    """`steps_for(images, batch, epochs)` is how many steps a run takes when incomplete batches are left out."""
    for arguments in ((60_000, 64, 1), (60_000, 64, 50), (6_000, 64, 3), (202_599, 128, 5)):
        given = run("0.4", steps_for, *arguments)
        images, batch, epochs = arguments
        right = images // batch * epochs
        if given == right:
            continue
        said = f"{images:,} images, batch {batch}, {epochs} epochs: {given!r} steps"
        if given == -(-images // batch) * epochs:
            raise NotYet(
                f"{said} count an incomplete batch at the end of every epoch; this loop leaves it out"
            )
        if given == images * epochs // batch:
            raise NotYet(
                f"{said} would be right if one epoch ran on into the next; round down within each epoch"
            )
        if isinstance(given, float):
            raise NotYet(f"{said}: steps are whole numbers, // divides and rounds down")
        raise NotYet(f"{said}, and {right:,} is right: whole batches in an epoch, times epochs")
    passed("Right: whole batches in an epoch, times the epochs.")


def _tiny_generator():
    G, _ = build("mlp", channels=1, size=28, width=1 / 8)
    return G.eval()
