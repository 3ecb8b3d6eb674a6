"""Checks for lesson 05: a dimension, an arc, an attribute's direction, a matrix's directions, the way back, an edit."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from gan_course import latent
from gan_course.checks import NotYet, compare, inputs, passed, read, run
from gan_course.networks import Generator


def exercise_1(traverse: Callable[[Tensor, int, Tensor], Tensor]) -> None:
    """`traverse(z, dimension, values)`: copies of z in which one dimension takes the values."""
    z = latent.draw(1, 100, seed=1)[0]
    for dimension, values in ((21, torch.linspace(-2, 2, 5)), (4, torch.tensor([3.0, -1.0, 0.5]))):
        n = len(values)

        def taking(numbers: Tensor, which: int = dimension) -> Tensor:
            return latent.traverse(z, which, numbers)

        right = taking(values)
        compare(
            "5.1",
            run("5.1", traverse, z, dimension, values),
            right,
            (right.T, "one copy a row; yours has one a column"),
            (taking(z[dimension] + values), f"dimension {dimension} is moved *by* the values; it should *take* them"),
            (taking(z[dimension] * values), f"dimension {dimension} is multiplied with the values; it *takes* them"),
            *(
                (taking(values, other), f"dimension {other} took the values, not {dimension}: they are counted from 0")
                for other in (dimension - 1, dimension + 1)
            ),
            (taking(values, 21), "dimension 21 took the values whatever the argument `dimension` says"),
            (taking(values.flip(0)), "the values come in the opposite order"),
            (taking(values[:1].expand(n)), "all copies took the first value: copy k takes values[k]"),
            (taking(values[-1:].expand(n)), "all copies took the last value: copy k takes values[k]"),
            (latent.traverse(torch.zeros(100), dimension, values), "the other 99 are 0; they stay as they are in z"),
            (z.expand(n, -1), f"nothing changed: dimension {dimension} of copy k should be values[k]"),
            (values[:, None].expand(-1, 100), "all dimensions took the values; all but one stay as they are in z"),
            otherwise=lambda v, d=dimension, values=values: (
                f"another dimension than {d} changed; all but one stay as they are in z"
                if torch.allclose(v[:, d], values.double(), atol=0.02)
                else f"dimension {d} is {[round(x, 3) for x in v[:, d].tolist()]}, not {values.tolist()}"
            ),
            wanted=f"{n} values make {n} copies of 100 numbers, ({n}, 100)",
        )
    passed("Right: a copy for each value, one dimension changed.")


def exercise_2(slerp: Callable[[Tensor, Tensor, Tensor], Tensor]) -> None:
    """`slerp(a, b, t)`: points on the arc from a to b."""
    a, b = latent.draw(2, 100, seed=2)

    def classic(a: Tensor, b: Tensor, t: Tensor) -> Tensor:
        """The formula of the exercise, whose norms differ a little from those of `latent.slerp`."""
        return _weighted(a, b, t, torch.arccos(a @ b / (a.norm() * b.norm())))

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
            *(
                (_weighted(a, b, column, omega), words)
                for omega, words in (
                    (torch.cos(angle), "your ω is the cosine; the angle is its arccos"),
                    (torch.rad2deg(angle), "your ω is in degrees; torch.sin wants radians, as torch.arccos gives them"),
                    (torch.arccos((a @ b).clamp(-1, 1)), "the cosine is a·b / (|a| |b|); yours is a·b alone"),
                )
            ),
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
        if found.shape != (3, 100):
            raise NotYet(
                f"from a latent to {name} three shares make three points as well, (3, 100); yours has "
                f"{tuple(found.shape)}"
            )
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


def _weighted(a: Tensor, b: Tensor, t: Tensor, angle: Tensor) -> Tensor:
    return (torch.sin((1 - t) * angle) * a + torch.sin(t * angle) * b) / torch.sin(angle)


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
        (z[1] - z[0], "that is z[1] - z[0]: `has` as whole numbers picks rows 0 and 1; as bool it picks a group"),
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
    if any(np.iscomplexobj(part) or isinstance(part, Tensor) and part.is_complex() for part in found):
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
        (
            torch.linalg.eigvalsh((A - A.mean(0)).double().T @ (A - A.mean(0)).double()).flip(0),
            "those are of A without the mean of its rows, as for principal components; SeFa takes A as it is",
        ),
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

    @property
    def weight(self) -> Tensor:
        """Its columns have length 1 and are at right angles, so that pictures [n, 36] times it are latents [n, 10]."""
        return self.layers[0].weight.detach()


def exercise_5(invert: Callable[[Generator, Tensor, Tensor], Tensor]) -> None:
    """`invert(G, picture, start)`: a latent [latent_dim] whose picture is near the given one, [C, H, W] in [-1, 1]."""
    G, start = _Toy(), latent.draw(1, 10, seed=9)[0]
    with torch.no_grad():
        picture = G(latent.draw(1, 10, seed=7))[0]
    weight = G.weight.clone()
    with inputs(G) as tried:
        try:
            given = run("5.5", invert, G, picture, start)
        except NotYet as refusal:
            if tried and tried[0].ndim != 2:
                shape = list(tried[0].shape)
                raise NotYet(f"{refusal}; G takes z of shape [1, {G.latent_dim}], yours is {shape}") from None
            if "does not require grad" in str(refusal):
                raise NotYet(
                    f"{refusal}; gradients are switched off in this notebook, so loop under torch.enable_grad(), "
                    "and give z requires_grad=True"
                ) from None
            if "non-leaf" in str(refusal):
                raise NotYet(
                    f"{refusal}; requires_grad comes last: start[None].clone().requires_grad_()"
                ) from None
            raise
    if not torch.equal(weight, G.weight):
        raise NotYet("your search changed the generator's weights: give the optimiser z alone")
    z, _ = read("5.5", given, "")
    if z.shape == (1, 10):
        raise NotYet("your z is [1, 10]: return it without the batch's dimension, z[0]")
    if z.shape != (10,):
        raise NotYet(f"your z has the shape {tuple(z.shape)}, (10,) is wanted: [latent_dim]")
    if getattr(given, "requires_grad", False):
        raise NotYet("the z you return still carries its graph: return it detached")
    if tried and not any(torch.allclose(one[0].double(), start.double(), atol=1e-3) for one in tried):
        known = "at z = 0" if not tried[0].any() else "at another latent"
        raise NotYet(f"your search begins {known}, not at `start`: z = start[None].clone(), [1, latent_dim]")
    if not z.isfinite().all():
        raise NotYet("your z became NaN or infinite: a smaller rate, 0.1 for Adam")
    with torch.no_grad():
        pictures = G.double()(torch.stack([z, start.double()]))
    error, none = ((made - picture).square().mean().item() for made in pictures)
    if error > 0.5 * none:
        if not tried:
            raise NotYet("your search never asks G for a picture: compare G(z) with the picture in every step")
        if error > 1.1 * none:
            raise NotYet(
                f"the mean square error went *up*, from {none:.4f} at the start to {error:.4f}: make it small, without "
                "a minus before it, and take the difference of G(z) and the picture, both in -1 … 1"
            )
        raise NotYet(
            f"the mean square error is {error:.4f}, at the start it is {none:.4f}: is z the leaf that is optimised, "
            "are its gradients set to zero in every step, and are there enough steps?"
        )
    if error > 0.01 * none:
        raise NotYet(
            f"it goes down, to {error:.4f} where less than {0.01 * none:.4f} is possible: more steps or a larger rate"
        )
    passed("Right: z moves, G stays, and the pictures meet.")


def exercise_6(edit: Callable[..., Tensor]) -> None:
    """`edit(G, picture, latents, has, keep, turns)`: a picture, found and turned towards an attribute."""
    G = _Toy()
    weight, latents, turns = G.weight.clone(), latent.draw(400, 10, seed=8), torch.tensor([0.0, 0.1, 0.25, 0.5])
    with torch.no_grad():
        picture = G(latent.draw(1, 10, seed=7))[0]
    axes = torch.zeros(2, 10)
    axes[0, 2], axes[1, 2], axes[1, 5] = 1.0, 0.6, 0.8  # two attributes that often go together
    marks = [latents @ axis > 0.3 for axis in axes]

    def classifier(axis: Tensor) -> Callable[[Tensor], Tensor]:
        def asked(images: Tensor) -> Tensor:
            if not (isinstance(images, Tensor) and images.shape[1:] == (1, 6, 6)):
                raise ValueError("`has` and `keep` are asked about pictures [n, C, H, W], not latents: has(G(latents))")
            return images.detach().flatten(1).double() @ (weight @ axis).double() > 0.3

        return asked

    given = run("5.6", edit, G, picture, latents, *map(classifier, axes), turns)
    if not torch.equal(weight, G.weight):
        raise NotYet("your edit changed the generator's weights")
    values, eps = read("5.6", given, "")
    if values.shape == (4, 10):
        raise NotYet("those are latents; return the pictures that G makes of them")
    if values.shape != (4, 1, 6, 6):
        raise NotYet(f"four turns make four pictures, (4, 1, 6, 6); yours have {tuple(values.shape)}")
    if getattr(given, "dtype", None) in (torch.uint8, np.uint8):
        raise NotYet("return pictures as G makes them, from -1 to 1; yours are uint8")
    found = values.flatten(1) @ weight.double()
    z, truth, wanted, kept = (
        x.double()
        for x in (found[0], picture.flatten() @ weight, *(latent.attribute_direction(latents, has) for has in marks))
    )

    def without(d: Tensor, other: Tensor) -> Tensor:
        return d - (d @ other) / (other @ other) * other

    def towards(d: Tensor, length=None, z=z, walk=latent.slerp) -> Tensor:
        return walk(z, d / d.norm() * (z.norm() if length is None else length), turns)

    pure = without(wanted, kept)
    if not found.isfinite().all():
        raise NotYet("your pictures are NaN in places: did a mean go over no latents at all?")
    if (z - truth).square().sum() > 0.01 * truth.square().sum():
        if torch.cosine_similarity(z, pure, dim=0) > 0.99:
            raise NotYet("your path begins at the direction: t = 0 is the picture, so slerp goes *from* its latent")
        near = latents[(latents.double() - truth).square().sum(1).argmin()].double()
        known = "z = 0" if z.norm() < 0.01 else "another latent"
        known = "the nearest of `latents`, where the search begins" if (z - near).norm() < 0.01 else known
        raise NotYet(
            f"t = 0 should give the picture itself, as near as a search comes; yours is that of {known}. Find its "
            "latent with your `invert`"
        )
    still = "what changes `keep` is still in your direction; take the part at right angles to the direction of `keep`"
    compare(
        "5.6",
        found,
        towards(pure),
        (towards(wanted), still),
        (towards(-pure), "your path leads away from the attribute: from without to with"),
        (towards(without(kept, wanted)), "`has` and `keep` are exchanged"),
        (towards(kept), "you turn towards `keep`, which should stay; that is the part to take off"),
        (
            towards(wanted - kept),
            "the direction of `keep` is subtracted whole, and then it changes the other way: take off d·k / |k|² of it",
        ),
        (
            towards(wanted - (wanted @ kept) * kept),
            "the direction of `keep` has a length: divide by |k|², the part to take off is (d·k / |k|²) k",
        ),
        (towards(wanted - (wanted @ kept) / kept.norm() * kept), "divide by |k|², not |k|: the part is (d·k / |k|²) k"),
        *(
            (towards(pure, length), f"the path ends at a latent of length {length:.1f}: give the direction z's length")
            for length in (pure.norm(), 1.0)
        ),
        (towards(pure, walk=latent.lerp), "that is the straight line, which gets too short: turn along the arc, slerp"),
        (found[:1].expand(4, -1), "all pictures are the first: the turns change nothing"),
        otherwise=lambda v: _of_edit(v, pure, wanted),
        tolerance=max(2e-3, 16 * eps),
    )
    passed("Right: the picture is found, and turned towards the attribute at the length of its latent.")


def _of_edit(found: Tensor, pure: Tensor, wanted: Tensor) -> str:
    """What to say of edited latents [n, latent_dim] that are none of the known ones, the first being right."""
    steps = nn.functional.normalize(found[1:] - found[0])
    norms = ", ".join(f"{norm:.2f}" for norm in found.norm(dim=1).tolist())
    if (steps @ (pure / pure.norm()) > 0.99).all():
        return f"you add the direction, and the latents grow, {norms}: turn along the arc, slerp"
    if (steps @ (wanted / wanted.norm()) > 0.99).all():
        return f"you add the direction of `has`, `keep` still in it, and the latents grow, {norms}: turn, slerp"
    if ((found.norm(dim=1) / found[0].norm() - 1).abs() < 0.01).all():
        plane = torch.linalg.qr(torch.stack([found[0], pure], dim=1))[0]
        if (found - found @ plane @ plane.T).norm(dim=1).max() < 0.02 * found[0].norm():
            return "the plane is right, the places on the arc are not: slerp goes from z to d |z| / |d|, by `turns`"
        return "the lengths are right, and you turn towards another direction than d - (d·k / |k|²) k, at z's length"
    return f"your latents have lengths {norms}; all should have z's, and lie on the arc from z to d |z| / |d|"
