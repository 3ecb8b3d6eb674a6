"""Checks for lesson 05: one dimension, an arc, an attribute's direction, a matrix's directions, the way back."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from gan_course import latent
from gan_course.checks import NotYet, compare, inputs, passed, read, run
from gan_course.networks import Generator


def exercise_1(traverse: Callable[[Tensor, int, Tensor], Tensor]) -> None:
    """`traverse(z, dimension, values)`: copies of z in which one dimension takes the values."""
    z, values = latent.draw(1, 100, seed=1)[0], torch.linspace(-2, 2, 5)

    def taking(numbers: Tensor, dimension: int = 21) -> Tensor:
        return latent.traverse(z, dimension, numbers)

    right = taking(values)
    compare(
        "5.1",
        run("5.1", traverse, z, 21, values),
        right,
        (right.T, "one copy a row; yours has one a column"),
        (taking(z[21] + values), "dimension 21 is moved *by* the values; it should *take* them"),
        (taking(z[21] * values), "dimension 21 is multiplied with the values; it should *take* them"),
        *((taking(values, d), f"dimension {d} took the values of 21: they are counted from 0") for d in (20, 22)),
        (taking(values.flip(0)), "the values come in the opposite order"),
        (z.expand(5, -1), "nothing changed: dimension 21 of copy k should be values[k]"),
        (values[:, None].expand(-1, 100), "all dimensions took the values; all but one stay as they are in z"),
        otherwise=lambda v: (
            "another dimension than 21 changed; all but one stay as they are in z"
            if torch.allclose(v[:, 21], values.double(), atol=0.02)
            else f"dimension 21 is {[round(x, 3) for x in v[:, 21].tolist()]}, not {values.tolist()}"
        ),
        wanted="five values make five copies of 100 numbers, (5, 100)",
    )
    passed("Right: five copies, one dimension changed.")


def exercise_2(slerp: Callable[[Tensor, Tensor, Tensor], Tensor]) -> None:
    """`slerp(a, b, t)`: points on the arc from a to b."""
    a, b = latent.draw(2, 100, seed=2)

    def classic(a: Tensor, b: Tensor, t: Tensor) -> Tensor:
        """The formula of the exercise, whose norms differ a little from those of `latent.slerp`."""
        angle = torch.arccos(a @ b / (a.norm() * b.norm()))
        return (torch.sin((1 - t) * angle) * a + torch.sin(t * angle) * b) / torch.sin(angle)

    for t in (torch.tensor([0.0, 0.25, 0.5, 1.0]), torch.tensor([0.7])):
        column, line = t[:, None], latent.lerp(a, b, t)
        norms = torch.lerp(a.norm(), b.norm(), column)
        angle = torch.arccos(a @ b / (a.norm() * b.norm()))
        backwards = "your path begins at b: t = 0 is a, so sin((1 - t) ω) belongs to a"
        compare(
            "5.2",
            run("5.2", slerp, a, b, t),
            (latent.slerp(a, b, t), classic(a, b, column)),
            (line, "that is the straight line; on the arc the *angle* grows evenly"),
            (latent.slerp(b, a, t), backwards),
            (classic(b, a, column), backwards),
            (
                latent.slerp(a / a.norm(), b / b.norm(), t),
                "your points have norm 1: go from the norm of a to that of b",
            ),
            (
                line / line.norm(dim=1, keepdim=True) * norms,
                "the norms are right and the angles are not even: you scaled the straight line, which hurries in its "
                "middle",
            ),
            (classic(a, b, column) * torch.sin(angle), "divide by sin ω: without it the path is too short at its ends"),
            otherwise=lambda v, t=t: _of_path(v, a, b, t),
            wanted=f"{len(t)} shares make {len(t)} points of 100 numbers, ({len(t)}, 100)",
            tolerance=1e-3,
        )
    ends = torch.tensor([0.0, 0.5, 1.0])
    axis, ones = torch.zeros(100), torch.zeros(100)
    # Whole numbers, so that nothing but the root is rounded: the cosine of `axis` with itself is 1 and that of `ones`
    # just above it, whatever the processor.
    axis[0], ones[:18] = 10, 1
    for u, v, name, about in (
        (axis, axis, "itself", "where sin ω is 0, take the straight line"),
        (ones, ones, "itself", "rounding puts the cosine above 1, where arccos is NaN: clamp it to [-1, 1]"),
        (ones, -ones, "its opposite", "rounding puts the cosine below -1, where arccos is NaN: clamp it to [-1, 1]"),
    ):
        found, eps = read("5.2", run("5.2", slerp, u.clone(), v.clone(), ends), "")
        if not found.isfinite().all():
            raise NotYet(f"from a latent to {name} your path is {found[~found.isfinite()][0].item()}: {about}")
        checked = [0, 1, 2] if name == "itself" else [0, 2]  # many arcs lead to the opposite
        compare(
            "5.2",
            found[checked],
            latent.lerp(u, v, ends)[checked],
            otherwise=f"from a latent to {name} your path does not begin and end at the two: {about}",
            tolerance=max(1e-3, 8 * eps),
        )
    passed("Right: the angle grows evenly, and the norm stays what draws have.")


def _of_path(points: Tensor, a: Tensor, b: Tensor, t: Tensor) -> str:
    """What to say of a path that is none of the known ones."""
    bad = points[~points.isfinite()]
    if len(bad):
        return f"your path is {bad[0].item()} in places: is ω the arccos of a cosine, a·b / (|a| |b|)?"
    for share, point, end in ((t[0], points[0], a), (t[-1], points[-1], b)):
        if share == (end is b) and (point - end).norm() > 0.01 * end.norm():
            return "your path does not begin at a and end at b"
    shares, norms = (", ".join(f"{x:.3g}" for x in row.tolist()) for row in (t, points.norm(dim=1)))
    return f"for t = {shares} your norms are {norms}; and the angle to a should be that part of the whole angle"


def exercise_3(direction: Callable[[Tensor, Tensor], Tensor]) -> None:
    """`direction(z, has)`: from the mean latent without an attribute to the mean with it."""
    z = latent.draw(200, 100, seed=4)
    has = z[:, 7] > 0.5
    yes, no, right = z[has].mean(0), z[~has].mean(0), latent.attribute_direction(z, has)
    compare(
        "5.3",
        run("5.3", direction, z, has),
        right,
        (-right, "that points away from the attribute: mean with it *minus* mean without it"),
        (yes, "that is the mean of those with it; subtract the mean of those without"),
        (no, "that is the mean of those without it; subtract it from the mean of those with it"),
        (yes - z.mean(0), "you subtract the mean of all; take the mean of those *without* the attribute"),
        (yes + no, "the two means are added: subtract the one without"),
        (z[has].sum(0) - z[~has].sum(0), "those are sums; the two groups differ in size, so take means"),
        (
            (z[has].sum(0) - z[~has].sum(0)) / len(z),
            "both sums are divided by the number of all; a mean divides by the number of its own group",
        ),
        (right / right.norm(), "that is the direction at length 1; its length says how far it is: leave it as it is"),
        (right / 2, "half of it: a difference of two means, not divided again"),
        otherwise="that is not the difference of the two means; which rows does each mean take?",
        wanted="a latent, (100,): mean over the rows, dimension 0",
        tolerance=1e-4,
    )
    passed("Right: the difference of two means points from without to with.")


def exercise_4(stretched: Callable[[Tensor], tuple[Tensor, Tensor]]) -> None:
    """`stretched(A)`: eigenvalues and unit directions of AᵀA, the largest first."""
    A = torch.randn(300, 20, generator=torch.Generator().manual_seed(5))
    found = run("5.4", stretched, A)
    if not (isinstance(found, (tuple, list)) and len(found) == 2):
        raise NotYet("return two things: the eigenvalues and the directions")
    if any(isinstance(part, Tensor) and part.is_complex() for part in found):
        raise NotYet("your numbers are complex, as `eig` returns them; AᵀA is symmetric, so take `eigh`: all are real")
    right, rows = torch.linalg.eigh(A.double().T @ A.double())
    right, rows = right.flip(0), rows.flip(1).T
    compare(
        "5.4",
        found[0],
        right,
        (right.flip(0), "the smallest comes first; `eigh` counts upwards, turn both results around"),
        (right.sqrt(), "those are the singular values of A; eigenvalues of AᵀA are their squares"),
        (right.sqrt().flip(0), "those are singular values, the smallest first; squares, the largest first, are asked"),
        (right / len(A), "those are of AᵀA / n; do not divide"),
        (right / right.sum(), "those are shares of the sum; the eigenvalues themselves are asked for"),
        (right.square(), "those are squared; are they eigenvalues of AᵀA already?"),
        otherwise=lambda v: f"the largest one of AᵀA is {right[0]:.1f} here, yours is {v[0]:.1f}",
        said="the eigenvalues",
        wanted="AᵀA is [20, 20] and has 20",
        tolerance=1e-3,
    )
    directions, eps = read("5.4", found[1], "the directions")
    if directions.shape != (20, 20):
        raise NotYet(f"the directions: 20 rows of 20 numbers are wanted; yours have {tuple(directions.shape)}")

    def same(found: Tensor) -> bool:
        alike = (found @ rows.T).abs()  # an eigenvector has no sign
        return bool((alike - torch.eye(20, dtype=torch.float64)).abs().max() < max(0.01, 20 * eps))

    if same(directions):
        passed("Right: the directions that A stretches most, in order.")
        return
    if same(directions.T):
        raise NotYet("the eigenvectors are the *columns* of what `eigh` returns; a direction should be a row")
    if same(directions.flip(0)):
        raise NotYet("the eigenvalues are turned around and the directions are not; they belong together")
    if same(directions.T.flip(0)) or same(directions.flip(0, 1)) or same(directions.flip(1)):
        raise NotYet("turn around the order of the eigenvectors, not that of their numbers")
    if same(nn.functional.normalize(directions)):
        raise NotYet("the directions point the right way and are not of length 1")
    raise NotYet("the eigenvalues are right, the directions are not their eigenvectors")


class _Toy(Generator):
    """A linear generator of 6 × 6 pictures, so that the nearest latent is known exactly."""

    def __init__(self):
        super().__init__(nn.Sequential(nn.Linear(10, 36, bias=False), nn.Unflatten(1, (1, 6, 6))), 10)
        weight = torch.randn(36, 10, generator=torch.Generator().manual_seed(6))
        self.layers[0].weight.data = torch.linalg.qr(weight)[0]
        self.eval()


def exercise_5(invert: Callable[[Generator, Tensor], Tensor]) -> None:
    """`invert(G, picture)`: a latent [latent_dim] whose picture is near the given one, [C, H, W] in [-1, 1]."""
    G = _Toy()
    with torch.no_grad():
        picture = G(latent.draw(1, 10, seed=7))[0]
    weights = [p.detach().clone() for p in G.parameters()]
    with inputs(G) as tried:
        try:
            given = run("5.5", invert, G, picture)
        except NotYet as refusal:
            if "does not require grad" in str(refusal):
                raise NotYet(
                    f"{refusal}; gradients are switched off in this notebook, so loop under torch.enable_grad(), "
                    "and give z requires_grad=True"
                ) from None
            raise
    if any(not torch.equal(a, b) for a, b in zip(weights, G.parameters(), strict=True)):
        raise NotYet("your search changed the generator's weights: give the optimiser z alone")
    z, _ = read("5.5", given, "")
    if z.shape == (1, 10):
        raise NotYet("your z is [1, 10]: return it without the batch's dimension, z[0]")
    if z.shape != (10,):
        raise NotYet(f"your z has the shape {tuple(z.shape)}, (10,) is wanted: [latent_dim]")
    if getattr(given, "requires_grad", False):
        raise NotYet("the z you return still carries its graph: return it detached")
    if not tried:
        raise NotYet("your search never asks G for a picture: compare G(z) with the picture in every step")
    if tried[0].any():
        raise NotYet("your search does not start from z = 0: torch.zeros(1, G.latent_dim)")
    if not z.isfinite().all():
        raise NotYet("your z became NaN or infinite: a smaller rate, 0.1 for Adam")
    with torch.no_grad():
        pictures = G.double()(torch.stack([z, torch.zeros_like(z)]))
    error, none = ((made - picture).square().mean().item() for made in pictures)
    if error > 0.5 * none:
        raise NotYet(
            f"the mean square error is {error:.4f}, that of z = 0 is {none:.4f}: is z the leaf that is optimised, are "
            "its gradients set to zero in every step, and are there enough steps?"
        )
    if error > 0.01 * none:
        raise NotYet(
            f"it goes down, to {error:.4f} where less than {0.01 * none:.4f} is possible: more steps or a larger rate"
        )
    passed("Right: z moves, G stays, and the pictures meet.")
