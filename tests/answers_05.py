"""Answers to the exercises of lesson 05: right ones, and wrong ones with what each is told."""

import functools

import numpy as np
import torch

from gan_course import latent


def by_rows(z, dimension, values):
    return torch.stack([torch.cat([z[:dimension], v[None], z[dimension + 1 :]]) for v in values])


def moved(z, dimension, values, change):
    path = z.repeat(len(values), 1)
    path[:, dimension] = change(path[:, dimension], values)
    return path


def in_place(z, dimension, values):
    z[dimension] = values[-1]
    return latent.traverse(z, dimension, values)


def textbook(a, b, t, clamp=True, straight=1e-3):
    """Shoemake's formula on the vectors themselves."""
    cosine = a @ b / (a.norm() * b.norm())
    angle = torch.arccos(cosine.clamp(-1, 1) if clamp else cosine)
    if angle < straight:
        return torch.lerp(a, b, t[:, None])
    t = t[:, None]
    return (torch.sin((1 - t) * angle) * a + torch.sin(t * angle) * b) / torch.sin(angle)


def scaled_line(a, b, t):
    line = latent.lerp(a, b, t)
    return line / line.norm(dim=1, keepdim=True) * torch.lerp(a.norm(), b.norm(), t)[:, None]


def by_angle(a, b, t, angle):
    return (torch.sin((1 - t) * angle)[:, None] * a + torch.sin(t * angle)[:, None] * b) / torch.sin(angle)


def undivided(a, b, t):
    return textbook(a, b, t) * torch.arccos(a @ b / (a.norm() * b.norm())).sin()


def by_turning(a, b, t):
    """In the plane of a and b, from a towards its right angle."""
    length, end = a.norm(), b * a.norm() / b.norm()
    angle = 2 * torch.asin(((a - end).norm() / (2 * length)).clamp(max=1))
    if angle < 1e-3 or angle > 3.14:
        return torch.stack([a + s * (b - a) for s in t])
    up = end - (end @ a) / (a @ a) * a
    up = up * length / up.norm()
    norms = 1 + t * (b.norm() / length - 1)
    points = zip(norms, t, strict=True)
    return torch.stack([n * (torch.cos(s * angle) * a + torch.sin(s * angle) * up) for n, s in points])


def by_weights(z, has):
    weight = torch.where(has, 1 / has.sum(), -1 / (~has).sum())
    return (weight[:, None] * z).sum(0)


def by_eigh(A):
    values, vectors = torch.linalg.eigh(A.T @ A)
    return values.flip(0), vectors.flip(1).T


def by_eig(A):
    values, vectors = torch.linalg.eig(A.T @ A)
    order = values.real.argsort(descending=True)
    return values.real[order], vectors.real[:, order].T


def by_numpy(A):
    values, vectors = np.linalg.eigh(A.numpy().T @ A.numpy())
    return values[::-1], vectors[:, ::-1].T


def by_svd(A):
    _, s, rows = torch.linalg.svd(A.double(), full_matrices=False)
    return [s**2, -rows]


def eigh(values=lambda values: values, rows=lambda rows: rows):
    return lambda A: (values(by_eigh(A)[0]), rows(by_eigh(A)[1]))


def by_adam(
    G,
    picture,
    start,
    steps=200,
    rate=0.1,
    begin=lambda start: start[None].clone(),
    others=lambda G: [],
    loss=None,
    back=lambda z: z.detach()[0],
):
    with torch.enable_grad():
        z = begin(start).requires_grad_()
        adam = torch.optim.Adam([z, *others(G)], lr=rate)
        for _ in range(steps):
            adam.zero_grad()
            (loss or torch.nn.functional.mse_loss)(G(z), picture[None]).backward()
            adam.step()
    return back(z)


def by_descent(G, picture, start, steps=200):
    """Without an optimiser, and the generator called past its hooks."""
    z = start[None].clone().requires_grad_()
    for _ in range(steps):
        with torch.enable_grad():
            loss = (G.forward(z) - picture).square().sum()
        z = (z - 0.1 * torch.autograd.grad(loss, z)[0]).detach().requires_grad_()
    return z.detach()[0]


def by_lbfgs(G, picture, start):
    z = start[None].clone().requires_grad_()
    optimiser = torch.optim.LBFGS([z], max_iter=50)

    def closure():
        optimiser.zero_grad()
        loss = (G(z) - picture).square().sum()
        loss.backward()
        return loss

    optimiser.step(closure)
    return z.detach()[0]


def search(**changes):
    return functools.partial(by_adam, **changes)


def never_zeroed(G, picture, start):
    with torch.enable_grad():
        z = start[None].clone().requires_grad_()
        sgd = torch.optim.SGD([z], lr=1.0)
        for _ in range(200):
            (G(z) - picture).square().mean().backward()
            sgd.step()
    return z.detach()[0]


def no_leaf(G, picture, start):
    with torch.enable_grad():
        z = start.requires_grad_()[None]
        torch.optim.Adam([z], lr=0.1)


def one_step(G, picture, start):
    """The gradient is computed once, outside the loop."""
    with torch.enable_grad():
        z = start[None].clone().requires_grad_()
        (G(z) - picture).square().mean().backward()
        torch.optim.SGD([z], lr=0.1).step()
    return z.detach()[0]


def without_gradients(G, picture, start):
    z = start[None]
    (G.requires_grad_(False)(z) - picture).square().mean().backward()


def summed(made, picture):
    return ((made - picture) ** 2).sum()


def past_the_length(z, d, t):
    """By the formula, on unit vectors."""
    return z.norm() * textbook(z / z.norm(), d / d.norm(), t)


def across(d, other):
    return d - (d @ other) / (other @ other) * other


def to_length(z, d, t):
    return latent.slerp(z, d * z.norm() / d.norm(), t)


def edit(find=by_adam, part=across, walk=to_length, shows=lambda G, z: G(z)):
    """An edit with parts to exchange."""

    def edited(G, picture, latents, has, keep, turns):
        d, other = (latent.attribute_direction(latents, asked(G(latents))) for asked in (has, keep))
        with torch.no_grad():
            z = find(G, picture, latents[0])
        with torch.no_grad():
            return shows(G, walk(z, part(d, other), turns))

    return edited


def edit_by_projection(G, picture, latents, has, keep, turns):
    """The same in float64, picture by picture, with a projection matrix and by cosine and sine."""
    with torch.no_grad():
        images = torch.cat([G(z[None]) for z in latents])
    z = by_lbfgs(G, picture, torch.zeros(10)).double()
    d, other = (by_weights(latents, asked(images)).double() for asked in (has, keep))
    unit = other / other.norm()
    d = (torch.eye(len(d)) - torch.outer(unit, unit)) @ d
    return torch.stack([G(x.float()[None])[0] for x in by_turning(z, d * z.norm() / d.norm(), turns.double())])


RIGHT = {
    1: [latent.traverse, by_rows, lambda z, d, v: by_rows(z, d, v).double(), lambda *a: by_rows(*a).bfloat16()],
    2: [
        latent.slerp,
        textbook,
        by_turning,
        lambda a, b, t: latent.slerp(a.double(), b.double(), t.double()).numpy(),
        lambda *a: textbook(*a).half(),
    ],
    3: [latent.attribute_direction, by_weights, lambda z, has: latent.attribute_direction(z.double(), has).numpy()],
    4: [
        by_eigh,
        by_svd,
        by_eig,
        lambda A: by_eig(A.double()),
        lambda A: by_numpy(A),
        lambda A: [part.half() for part in by_eigh(A.double())],
    ],
    5: [by_adam, by_lbfgs, by_descent, search(back=lambda z: z.detach()[0].double().numpy()), search(loss=summed)],
    6: [
        edit(),
        edit_by_projection,
        edit(find=by_lbfgs, part=lambda d, other: 7 * across(d, other).double().float(), walk=past_the_length),
        edit(shows=lambda G, z: G(z).double().numpy()),
    ],
}

WRONG = {
    1: [
        (in_place, "work on a copy"),
        (lambda z, d, v: moved(z, d, v, torch.add), "should *take* them"),
        (lambda z, d, v: moved(z, d, v, torch.mul), "multiplied"),
        (lambda z, d, v: latent.traverse(z, d - 1, v), "counted from 0"),
        (lambda z, d, v: latent.traverse(z, d, v.flip(0)), "opposite order"),
        (lambda z, d, v: latent.traverse(z, d, v / 2), "not [-2.0"),
        (lambda z, d, v: latent.traverse(z + 1, d, v), "another dimension"),
        (lambda z, d, v: z.repeat(5, 1), "nothing changed"),
        (lambda z, d, v: v[:, None].repeat(1, 100), "all dimensions took"),
        (lambda z, d, v: latent.traverse(z, d, v).T, "one a column"),
        (lambda z, d, v: latent.traverse(z, d, v)[0], "(5, 100); yours has (100,)"),
        (lambda z, d, v: latent.traverse(z, 21, v), "whatever the argument"),
        (lambda z, d, v: latent.traverse(z, d, v[:1].repeat(len(v))), "took the first value"),
        (lambda z, d, v: latent.traverse(z, d, v[-1:].repeat(len(v))), "took the last value"),
        (lambda z, d, v: latent.traverse(0 * z, d, v), "the other 99 are 0"),
        (lambda z, d, v: torch.cat([latent.traverse(z, d, v), z[None]]), "yours has (6, 100)"),
    ],
    2: [
        (latent.lerp, "the *angle* grows evenly"),
        (lambda a, b, t: latent.slerp(a, b, t * t * (3 - 2 * t)), "the angle to a should be"),
        (lambda a, b, t: latent.slerp(a, b, t / 2), "does not begin at a and end at b"),
        (lambda a, b, t: textbook(a, b, t, clamp=False).nan_to_num(), "begin and end at the two"),
        (lambda a, b, t: latent.slerp(a / a.norm(), b / b.norm(), t), "have norm 1"),
        (lambda a, b, t: latent.slerp(b, a, t), "begins at b"),
        (lambda a, b, t: latent.slerp(a, 2 * b, t), "does not begin at a and end at b"),
        (scaled_line, "hurries in its middle"),
        (undivided, "divide by sin"),
        (lambda a, b, t: latent.slerp(a, b, t**2), "the angle to a should be"),
        (functools.partial(textbook, straight=0), "take the straight line"),
        (functools.partial(textbook, clamp=False), "above 1, where arccos is NaN"),
        (lambda a, b, t: textbook(a, b, t, clamp=(a == b).all()), "below -1, where arccos is NaN"),
        (lambda a, b, t: by_angle(a, b, t, torch.arccos(a @ b / (a.norm() * b.norm()))), "take the straight line"),
        (lambda a, b, t: by_angle(a, b, t, a @ b / (a.norm() * b.norm())), "ω is the cosine"),
        (lambda a, b, t: by_angle(a, b, t, torch.rad2deg((a @ b / (a.norm() * b.norm())).arccos())), "degrees"),
        (lambda a, b, t: by_angle(a, b, t, torch.arccos(a @ b)), "is ω the arccos of a cosine"),
        (lambda a, b, t: by_angle(a, b, t, torch.arccos((a @ b).clamp(-1, 1))), "yours is a·b alone"),
        (lambda a, b, t: a if (a == b).all() else textbook(a, b, t), "three points as well, (3, 100)"),
        (lambda a, b, t: latent.slerp(a, b, t)[0], "points of 100 numbers, (4, 100)"),
        (lambda a, b, t: latent.slerp(a, b, t).T, "points of 100 numbers, (4, 100)"),
    ],
    3: [
        (lambda z, has: (z[has].mean(0) - z[~has].mean(0)) / z.std(0), "not the difference of the two means"),
        (lambda z, has: z[has][0] - z[~has][0], "not the difference of the two means"),
        (lambda z, has: (has[:, None] * z).mean(0) - (~has[:, None] * z).mean(0), "its own group"),
        (lambda z, has: z[~has].mean(0) - z[has].mean(0), "points away"),
        (lambda z, has: z[has].mean(0), "subtract the mean of those without"),
        (lambda z, has: z[~has].mean(0), "subtract it from"),
        (lambda z, has: z[has].mean(0) + z[~has].mean(0), "are added"),
        (lambda z, has: z[has].mean(0) - z.mean(0), "mean of all"),
        (lambda z, has: z[has].sum(0) - z[~has].sum(0), "those are sums"),
        (lambda z, has: (z[has].sum(0) - z[~has].sum(0)) / len(z), "its own group"),
        (lambda z, has: torch.nn.functional.normalize(by_weights(z, has), dim=0), "at length 1"),
        (lambda z, has: z[0], "not the difference"),
        (lambda z, has: z[has].mean() - z[~has].mean(), "dimension 0"),
        (lambda z, has: z[-has].mean(0), "`-` operator"),
        (lambda z, has: z[has.long()].mean(0) - z[1 - has.long()].mean(0), "not the difference"),
        (lambda z, has: z[int(True)] - z[int(False)], "picks rows 0 and 1"),
        (lambda z, has: (z[has].mean(0) - z[~has].mean(0)) / 2, "half of it"),
        (lambda z, has: z[has].mean(1), "mean over the rows"),
        (lambda z, has: z[has].median(0)[0] - z[~has].median(0)[0], "not the difference of the two means"),
    ],
    4: [
        (lambda A: tuple(torch.linalg.eigh(A.T @ A)), "counts upwards"),
        (eigh(values=torch.sqrt), "singular values"),
        (eigh(values=lambda v: v / 300), "do not divide"),
        (eigh(values=lambda v: v / v.sum()), "shares"),
        (eigh(values=lambda v: v**2), "squared"),
        (eigh(values=lambda v: v / 1.5), "the largest one of AᵀA"),
        (eigh(rows=lambda r: r.T), "*columns*"),
        (eigh(rows=lambda r: r.flip(0)), "belong together"),
        (eigh(rows=lambda r: r.flip(1)), "not that of their numbers"),
        (eigh(rows=lambda r: 2 * r), "not of length 1"),
        (eigh(rows=lambda r: torch.eye(20)), "not their eigenvectors"),
        (lambda A: by_eigh(A - A.mean(0)), "principal components"),
        (lambda A: np.linalg.eig((A.T @ A).numpy().astype(complex)), "complex"),
        (lambda A: (by_eigh(A)[0].flip(0), by_eigh(A)[1]), "counts upwards"),
        (lambda A: by_eigh(A)[0], "two things"),
        (lambda A: torch.linalg.eig(A.T @ A), "complex"),
        (lambda A: by_eigh(A @ A.T), "AᵀA is [20, 20]"),
        (eigh(rows=lambda r: r[:5]), "20 rows of 20 numbers"),
    ],
    5: [
        (search(others=lambda G: list(G.parameters())), "give the optimiser z alone"),
        (lambda G, picture, start: torch.zeros(10), "never asks G"),
        (lambda G, picture, start: start, "never asks G"),
        (search(begin=lambda start: start[None]), "work on a copy"),
        (search(steps=1), "are there enough steps"),
        (search(steps=15), "more steps"),
        (search(rate=1e-4), "are there enough steps"),
        (search(loss=lambda made, picture: -torch.nn.functional.mse_loss(made, picture)), "went *up*"),
        (never_zeroed, "set to zero in every step"),
        (one_step, "are there enough steps"),
        (no_leaf, "requires_grad comes last"),
        (search(begin=torch.clone), "G takes z of shape [1, 10]"),
        (search(begin=lambda start: 0 * start[None]), "begins at z = 0"),
        (search(begin=lambda start: torch.ones(1, 10)), "begins at another latent"),
        (search(back=lambda z: z[0]), "detached"),
        (search(back=lambda z: z.detach()), "without the batch's dimension"),
        (search(back=lambda z: z.detach()[0, :5]), "(10,) is wanted"),
        (search(back=lambda z: z.detach()[0] * float("nan")), "NaN"),
        (without_gradients, "torch.enable_grad()"),
    ],
    6: [
        (edit(find=lambda *given: torch.zeros(10)), "yours is that of z = 0"),
        (edit(find=lambda *given: latent.draw(1, 10, seed=3)[0]), "that of another latent"),
        (
            lambda G, picture, latents, *given: edit(
                find=lambda *_: latents[(G(latents) - picture).detach().square().sum((1, 2, 3)).argmin()]
            )(G, picture, latents, *given),
            "where the search begins",
        ),
        (edit(find=search(others=lambda G: list(G.parameters()))), "changed the generator's weights"),
        (edit(part=lambda d, other: d), "still in your direction"),
        (edit(part=lambda d, other: -across(d, other)), "away from the attribute"),
        (edit(part=lambda d, other: across(other, d)), "exchanged"),
        (edit(part=lambda d, other: other), "which should stay"),
        (edit(part=lambda d, other: d - across(d, other)), "that is the part to take off"),
        (edit(part=lambda d, other: d - other), "subtracted whole"),
        (edit(part=lambda d, other: d - (d @ other) * other), "divide by |k|²"),
        (edit(part=lambda d, other: d - (d @ other) / other.norm() * other), "not |k|"),
        (edit(walk=latent.slerp), "give the direction z's length"),
        (edit(walk=lambda z, d, t: latent.slerp(z, d / d.norm(), t)), "a latent of length 1.0"),
        (edit(walk=lambda z, d, t: latent.lerp(z, d * z.norm() / d.norm(), t)), "straight line"),
        (edit(walk=lambda z, d, t: z + t[:, None] * d), "you add the direction, and the latents grow"),
        (edit(part=lambda d, other: d, walk=lambda z, d, t: z + t[:, None] * d), "`keep` still in it"),
        (edit(walk=lambda z, d, t: to_length(z, d, 1 - t)[[3, 2, 1, 0]]), "yours is that of another latent"),
        (edit(walk=lambda z, d, t: latent.slerp(d * z.norm() / d.norm(), z, t)), "slerp goes *from* its latent"),
        (edit(walk=lambda z, d, t: to_length(z, d, t / 2)), "the places on the arc are not"),
        (edit(walk=lambda z, d, t: to_length(z, z + d, t)), "the places on the arc are not"),
        (edit(part=lambda d, other: d + other), "you turn towards another direction"),
        (edit(part=lambda d, other: d - d.norm() * other / other.norm()), "you turn towards another direction"),
        (edit(walk=lambda z, d, t: latent.slerp(z, 10 * d / d.norm(), t)), "lie on the arc from z"),
        (edit(walk=lambda z, d, t: z.repeat(4, 1)), "the turns change nothing"),
        (edit(walk=lambda z, d, t: to_length(z, d, t) * float("nan")), "NaN"),
        (edit(shows=lambda G, z: z), "those are latents"),
        (edit(shows=lambda G, z: G(z)[-1]), "yours have (1, 6, 6)"),
        (edit(shows=lambda G, z: (G(z) * 127.5 + 127.5).clamp(0, 255).to(torch.uint8)), "uint8"),
        (lambda G, picture, latents, has, *_: has(latents), "not latents: has(G(latents))"),
    ],
}
