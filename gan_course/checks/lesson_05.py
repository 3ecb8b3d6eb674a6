"""Checks for lesson 05: one dimension, an arc, an attribute's direction, a matrix's directions, the way back."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from gan_course import latent
from gan_course.checks import NotYet, passed, run
from gan_course.networks import Generator


def exercise_1(traverse: Callable[[Tensor, int, Tensor], Tensor]) -> None:
    """`traverse(z, dimension, values)`: copies of z in which one dimension takes the values."""
    z = latent.draw(1, 100, seed=1)[0]
    values, before = torch.linspace(-2, 2, 5), z.clone()
    given = _tensor("5.1", run("5.1", traverse, z, 21, values), (5, 100))
    if not torch.equal(z, before):
        raise NotYet("your function changed the z that it was given; work on a copy")
    others = torch.arange(100) != 21
    if torch.allclose(given[:, 21], z[21] + values) and torch.equal(
        given[:, others], z[others].expand(5, -1)
    ):
        raise NotYet("dimension 21 is moved *by* the values; it should *take* them")
    if torch.allclose(given[:, 20], values):
        raise NotYet("dimension 20 took the values of 21: dimensions are counted from 0")
    if not torch.allclose(given[:, 21], values):
        raise NotYet(f"dimension 21 is {given[:, 21].tolist()}, not {values.tolist()}")
    if not torch.equal(given[:, others], z[others].expand(5, -1)):
        raise NotYet("another dimension than 21 changed; all but one stay as they are in z")
    if len({row.data_ptr() for row in given}) < 5:
        raise NotYet("your rows share their memory: `expand` makes views, `repeat` makes copies")
    passed("Right: five copies, one dimension changed.")


def exercise_2(slerp: Callable[[Tensor, Tensor, Tensor], Tensor]) -> None:
    """`slerp(a, b, t)`: points on the arc from a to b."""
    a, b = latent.draw(2, 100, seed=2)
    t = torch.tensor([0.0, 0.25, 0.5, 1.0])
    given = _tensor("5.2", run("5.2", slerp, a, b, t), (4, 100))
    right = latent.slerp(a, b, t)
    unit = a / a.norm(), b / b.norm()
    on_sphere = latent.slerp(*unit, t)
    if torch.allclose(given, latent.lerp(a, b, t), atol=1e-4):
        raise NotYet("that is the straight line; on the arc the *angle* grows evenly")
    if torch.allclose(given, on_sphere, atol=1e-3):
        raise NotYet("your points have norm 1: go from the norm of a to that of b")
    if torch.allclose(given.flip(0)[[0, 3]], torch.stack([a, b]), atol=1e-3) and not torch.allclose(
        given[0], a, atol=1e-3
    ):
        raise NotYet("your path begins at b: t = 0 is a")
    if not (torch.allclose(given[0], a, atol=1e-3) and torch.allclose(given[3], b, atol=1e-3)):
        raise NotYet("your path does not begin at a and end at b")
    straight = latent.lerp(a, b, t)
    if torch.allclose(
        given / given.norm(dim=1, keepdim=True), straight / straight.norm(dim=1, keepdim=True), atol=1e-4
    ):
        raise NotYet(
            "the norms are right and the angles are not even: you scaled the straight line, which hurries in its middle"
        )
    classic = (
        torch.sin((1 - t[:, None]) * _angle(a, b)) * a + torch.sin(t[:, None] * _angle(a, b)) * b
    ) / torch.sin(_angle(a, b))
    if not (torch.allclose(given, right, atol=1e-3) or torch.allclose(given, classic, atol=1e-3)):
        norms = ", ".join(f"{n:.2f}" for n in given.norm(dim=1).tolist())
        raise NotYet(
            f"the ends are right; in between the norms are {norms}, and the angle to a should be 0, 1/4, 1/2 and all "
            "of the angle between a and b"
        )
    near = torch.zeros(100)
    near[21] = 10.0  # its cosine with itself is 1 on every processor; that of a draw is 1 or just below
    same = _tensor("5.2", run("5.2", slerp, near, near, t), (4, 100))
    if not same.isfinite().all():
        raise NotYet(
            "from a latent to itself your path is NaN: where sin(angle) is 0, take the straight line"
        )
    passed("Right: the angle grows evenly, and the norm stays what draws have.")


def exercise_3(direction: Callable[[Tensor, Tensor], Tensor]) -> None:
    """`direction(z, has)`: from the mean latent without an attribute to the mean with it."""
    z = latent.draw(200, 100, seed=4)
    has = z[:, 7] > 0.5
    given = _tensor("5.3", run("5.3", direction, z, has), (100,))
    right = latent.attribute_direction(z, has)
    if torch.allclose(given, -right, atol=1e-5):
        raise NotYet("that points away from the attribute: mean with it *minus* mean without it")
    if torch.allclose(given, z[has].mean(0), atol=1e-5):
        raise NotYet("that is the mean of those with it; subtract the mean of those without")
    if torch.allclose(given, z[has].mean(0) - z.mean(0), atol=1e-5):
        raise NotYet("you subtract the mean of all; take the mean of those *without* the attribute")
    if torch.allclose(given, z[has].sum(0) - z[~has].sum(0), atol=1e-3):
        raise NotYet("those are sums; the two groups differ in size, so take means")
    if not torch.allclose(given / given.norm(), right / right.norm(), atol=1e-4):
        raise NotYet("that is not the difference of the two means; which rows does each mean take?")
    passed("Right: the difference of two means points from without to with.")


def exercise_4(stretched: Callable[[Tensor], tuple[Tensor, Tensor]]) -> None:
    """`stretched(A)`: eigenvalues and unit directions of AᵀA, the largest first."""
    A = torch.randn(300, 20, generator=torch.Generator().manual_seed(5))
    found = run("5.4", stretched, A)
    if not (isinstance(found, tuple) and len(found) == 2):
        raise NotYet("return two things: the eigenvalues and the directions")
    values = _tensor("5.4", found[0], (20,), "the eigenvalues")
    directions = _tensor("5.4", found[1], (20, 20), "the directions")
    right, rows = torch.linalg.eigh(A.T @ A)
    right, rows = right.flip(0), rows.flip(1).T

    def same(found: Tensor) -> bool:
        return bool(((found * rows).sum(1).abs() > 0.999).all())  # an eigenvector has no sign

    if torch.allclose(values.flip(0), right, rtol=1e-3):
        raise NotYet("the smallest eigenvalue comes first; `eigh` counts upwards, turn both results around")
    if torch.allclose(values, right.sqrt(), rtol=1e-3):
        raise NotYet("those are the singular values of A; eigenvalues of AᵀA are their squares")
    if not torch.allclose(values, right, rtol=1e-3):
        raise NotYet(f"the largest eigenvalue of AᵀA is {right[0]:.1f} here, yours is {values[0]:.1f}")
    if same(directions.T):
        raise NotYet("the eigenvectors are the *columns* of what `eigh` returns; a direction should be a row")
    if same(directions.flip(0)):
        raise NotYet("the eigenvalues are turned around and the directions are not; they belong together")
    if not same(directions):
        raise NotYet("the eigenvalues are right, the directions are not their eigenvectors")
    passed("Right: the directions that A stretches most, in order.")


class _Toy(Generator):
    """A linear generator of 6 × 6 pictures, so that the nearest latent is known exactly."""

    def __init__(self):
        super().__init__(nn.Sequential(nn.Linear(10, 36, bias=False), nn.Unflatten(1, (1, 6, 6))), 10)
        weight = torch.randn(36, 10, generator=torch.Generator().manual_seed(6))
        self.layers[0].weight.data = torch.linalg.qr(weight)[0]
        self.requires_grad_(False).eval()


def exercise_5(invert: Callable[[Generator, Tensor], Tensor]) -> None:
    """`invert(G, picture)`: a latent [latent_dim] whose picture is near the given one, [C, H, W] in [-1, 1]."""
    G = _Toy()
    wanted = latent.draw(1, 10, seed=7)
    picture = G(wanted)[0]
    weights = [p.clone() for p in G.parameters()]
    given = run("5.5", invert, G, picture)
    if isinstance(given, Tensor) and given.shape == (1, 10):
        given = given[0]
    given = _tensor("5.5", given, (10,))
    if any(not torch.equal(a, b) for a, b in zip(weights, G.parameters(), strict=True)):
        raise NotYet("your search changed the generator's weights: give the optimiser z alone")
    start = torch.zeros(1, 10)
    error, none = ((G(z) - picture).square().mean().item() for z in (given.detach()[None], start))
    if error > 0.5 * none:
        raise NotYet(
            f"the mean square error is {error:.4f}, that of z = 0 is {none:.4f}: is z the leaf that is optimised, are "
            "its gradients set to zero in every step, and are there enough steps?"
        )
    if error > 0.01 * none:
        raise NotYet(
            f"it goes down, to {error:.4f} where less than {0.01 * none:.4f} is possible: more steps or a larger rate"
        )
    if given.requires_grad:
        raise NotYet("the z you return still carries its graph: return it detached")
    passed("Right: z moves, G stays, and the pictures meet.")


def _angle(a: Tensor, b: Tensor) -> Tensor:
    return torch.arccos(a @ b / (a.norm() * b.norm()))


def _tensor(exercise: str, given, shape: tuple[int, ...], what: str = "your result") -> Tensor:
    if not isinstance(given, Tensor):
        raise NotYet(f"exercise {exercise}: {what} is a {type(given).__name__}, a tensor is wanted")
    if tuple(given.shape) != shape:
        raise NotYet(f"exercise {exercise}: {what} has the shape {tuple(given.shape)}, {shape} is wanted")
    return given
