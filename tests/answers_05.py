"""Answers to the exercises of lesson 05: right ones, and wrong ones with what each is told."""

import functools

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


def undivided(a, b, t):
    return textbook(a, b, t) * torch.arccos(a @ b / (a.norm() * b.norm())).sin()


def by_weights(z, has):
    weight = torch.where(has, 1 / has.sum(), -1 / (~has).sum())
    return (weight[:, None] * z).sum(0)


def by_eigh(A):
    values, vectors = torch.linalg.eigh(A.T @ A)
    return values.flip(0), vectors.flip(1).T


def by_svd(A):
    _, s, rows = torch.linalg.svd(A.double(), full_matrices=False)
    return [s**2, -rows]


def eigh(values=lambda values: values, rows=lambda rows: rows):
    return lambda A: (values(by_eigh(A)[0]), rows(by_eigh(A)[1]))


def by_adam(G, picture, steps=200, start=torch.zeros, others=lambda G: [], back=lambda z: z.detach()[0]):
    with torch.enable_grad():
        z = start(1, G.latent_dim).requires_grad_()
        adam = torch.optim.Adam([z, *others(G)], lr=0.1)
        for _ in range(steps):
            adam.zero_grad()
            (G(z) - picture).square().mean().backward()
            adam.step()
    return back(z)


def by_lbfgs(G, picture):
    z = torch.zeros(1, G.latent_dim, requires_grad=True)
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


def without_gradients(G, picture):
    z = torch.zeros(1, 10)
    (G.requires_grad_(False)(z) - picture).square().mean().backward()


RIGHT = {
    1: [latent.traverse, by_rows, lambda z, d, v: by_rows(z, d, v).double(), lambda *a: by_rows(*a).bfloat16()],
    2: [
        latent.slerp,
        textbook,
        lambda a, b, t: latent.slerp(a.double(), b.double(), t.double()).numpy(),
        lambda *a: textbook(*a).half(),
    ],
    3: [latent.attribute_direction, by_weights, lambda z, has: latent.attribute_direction(z.double(), has).numpy()],
    4: [by_eigh, by_svd, lambda A: by_eigh(A.double()), lambda A: [part.numpy() for part in by_eigh(A)]],
    5: [by_adam, by_lbfgs, search(back=lambda z: z.detach()[0].double().numpy())],
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
    ],
    2: [
        (latent.lerp, "the *angle* grows evenly"),
        (lambda a, b, t: latent.slerp(a / a.norm(), b / b.norm(), t), "have norm 1"),
        (lambda a, b, t: latent.slerp(b, a, t), "begins at b"),
        (lambda a, b, t: latent.slerp(a, 2 * b, t), "does not begin at a and end at b"),
        (scaled_line, "hurries in its middle"),
        (undivided, "divide by sin"),
        (lambda a, b, t: latent.slerp(a, b, t**2), "the angle to a should be"),
        (functools.partial(textbook, straight=0), "take the straight line"),
        (functools.partial(textbook, clamp=False), "above 1, where arccos is NaN"),
        (lambda a, b, t: textbook(a, b, t, clamp=(a == b).all()), "below -1, where arccos is NaN"),
        (lambda a, b, t: latent.slerp(a, b, t)[0], "points of 100 numbers, (4, 100)"),
    ],
    3: [
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
        (lambda A: by_eigh(A)[0], "two things"),
        (lambda A: torch.linalg.eig(A.T @ A), "complex"),
        (lambda A: by_eigh(A @ A.T), "AᵀA is [20, 20]"),
        (eigh(rows=lambda r: r[:5]), "20 rows of 20 numbers"),
    ],
    5: [
        (search(others=lambda G: list(G.parameters())), "give the optimiser z alone"),
        (lambda G, picture: torch.zeros(10), "never asks G"),
        (search(steps=1), "are there enough steps"),
        (search(steps=15), "more steps"),
        (search(start=torch.ones), "does not start from z = 0"),
        (search(back=lambda z: z[0]), "detached"),
        (search(back=lambda z: z.detach()), "without the batch's dimension"),
        (search(back=lambda z: z.detach()[0, :5]), "(10,) is wanted"),
        (search(back=lambda z: z.detach()[0] * float("nan")), "NaN"),
        (without_gradients, "torch.enable_grad()"),
    ],
}
