"""Answers to the exercises of lesson 00: right ones, and wrong ones with what each is told."""

import numpy as np
import torch


def draw(make=torch.randn, seeded=True, grad=False, after=lambda images: images, before=lambda G: None):
    """A student's function with one thing changed."""

    def draw(G, n, seed):
        generator = torch.Generator().manual_seed(seed if seeded else 7)
        before(G)
        with torch.set_grad_enabled(grad):
            return after(G(make(n, 100, generator=generator)))

    return draw


def draw_one_by_one(G, n, seed):
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        return torch.cat([G(torch.randn(1, 100, generator=generator)) for _ in range(n)])


def walk(a, b, steps):
    share = torch.linspace(0, 1, steps)[:, None]
    return (1 - share) * a + share * b


def at(*shares):
    return lambda a, b, n: torch.stack([a + (b - a) * t for t in shares])


RIGHT = {
    1: [
        lambda x: x.float() / 127.5 - 1,
        lambda x: (x.double() / 255 - 0.5) * 2,
        lambda x: (x / 255).sub(0.5).div(0.5),
        lambda x: x.half() / 127.5 - 1,
    ],
    2: [
        draw(),
        draw(lambda n, m, generator: torch.empty(n, m).normal_(generator=generator)),
        draw_one_by_one,
        draw(after=lambda images: images.double().numpy()),
    ],
    3: [
        walk,
        lambda a, b, n: torch.stack([a + (b - a) * k / (n - 1) for k in range(n)]),
        lambda a, b, n: a + (b - a) * torch.from_numpy(np.linspace(0, 1, n))[:, None],
        lambda a, b, n: [a.lerp(b, k / (n - 1)).tolist() for k in range(n)],
    ],
    4: [lambda n, b, e: n // b * e, lambda n, b, e: sum(int((n - n % b) / b) for _ in range(e))],
}

WRONG = {
    1: [
        (lambda x: x.float() / 255, "0 … 1"),
        (lambda x: x.float() / 127.5, "not shifted yet"),
        (lambda x: x.float() - 127.5, "not divided yet"),
        (lambda x: x.float() / 128 - 1, "divide by 127.5"),
        (lambda x: 1 - x.float() / 127.5, "exchanged"),
        (lambda x: (x - 127) / 127.5, "overflowed"),
        (lambda x: 2 * x.float() / x.max() - 1, "pictures at hand"),
        (lambda x: 2 * (x.float() - x.min()) / (x.max() - x.min()) - 1, "pictures at hand"),
        (lambda x: x, "no room for fractions"),
        (lambda x: x.float().flatten() / 127.5 - 1, "shape (2, 2); yours has (4,)"),
        (lambda x: x.float() / 100, "is right"),
    ],
    2: [
        (draw(torch.rand), "uniform"),
        (draw(seeded=False), "does the seed reach"),
        (draw(grad=True), "no_grad"),
        (lambda G, n, seed: G(torch.randn(n, 100)).detach(), "other images the second time"),
        (lambda G, n, seed: torch.manual_seed(seed) and G(torch.randn(n, 100)).detach(), "everybody else's"),
        (lambda G, n, seed: G(torch.randn(n, 100, device="meta")), "on the device of what"),
        (draw(before=lambda G: G.train()), "in training mode"),
        (lambda G, n, seed: draw()(G, 1, seed), "shape (6, 1, 28, 28); yours has (1, 1, 28, 28)"),
        (draw(after=lambda images: (images + 1) / 2), "from 0 to 1"),
        (draw(after=lambda images: images / 2), "not the images of G"),
    ],
    3: [
        (lambda a, b, n: walk(b, a, n), "from b to a"),
        (at(0, 0.2, 0.4, 0.6, 0.8), "the last latent is not b"),
        (at(0.2, 0.4, 0.6, 0.8, 1), "the first latent is not a"),
        (lambda a, b, n: walk(a, b, n).T, "steps come first"),
        (lambda a, b, n: walk(a, b, n) - a, "start at a"),
        (at(0, 0.1, 0.5, 0.9, 1), "not even"),
        (lambda a, b, n: walk(a, b, n + 1), "shape (5, 2); yours has (6, 2)"),
        (lambda a, b, n: walk(a, b.mul_(1.0).add_(1.0), n), "changed a tensor"),
    ],
    4: [
        (lambda n, b, e: -(-n // b) * e, "incomplete batch"),
        (lambda n, b, e: n * e // b, "does not run on into the next"),
        (lambda n, b, e: n / b * e, "a whole number is wanted"),
        (lambda n, b, e: n // b, "times epochs"),
        (lambda n, b, e: n // b // e, "another pass"),
        (lambda n, b, e: n * e, "those are pictures"),
        (lambda n, b, e: n // b * e + 2, "is right"),
        (lambda n, b, e: torch.tensor([n // b * e]), "one whole number is wanted"),
    ],
}
