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


def draw_on_its_device(G, n, seed):
    device = next(G.parameters()).device
    with torch.no_grad():
        return G(torch.randn(n, 100, generator=torch.Generator(device).manual_seed(seed), device=device))


def draw_the_same(G, n, seed):
    with torch.no_grad():
        return torch.cat([G(torch.randn(1, 100, generator=torch.Generator().manual_seed(seed))) for _ in range(n)])


def walk(a, b, steps):
    share = torch.linspace(0, 1, steps)[:, None]
    return (1 - share) * a + share * b


def at(*shares):
    return lambda a, b, n: torch.stack([a + (b - a) * t for t in shares])


def nearest(pictures, images, scaled=lambda x: x.float() / 127.5 - 1, power=2.0, pick=lambda table: table.argmin(1)):
    return pick(torch.cdist(pictures.flatten(1), scaled(images).flatten(1), power))


def nearest_one_by_one(pictures, images):
    images = images.double() / 127.5 - 1
    return [min(range(len(images)), key=lambda k: (images[k] - one).square().mean().item()) for one in pictures]


def nearest_by_products(pictures, images):
    p, r = pictures.flatten(1).numpy(), images.flatten(1).numpy() / 127.5 - 1
    return ((p**2).sum(1)[:, None] - 2 * p @ r.T + (r**2).sum(1)).argmin(1)


def nearest_in_bytes(pictures, images):
    pictures = (pictures + 1) * 127.5
    return (pictures[:, None] - images).square().mean(dim=(2, 3, 4)).topk(1, largest=False).indices[:, 0]


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
        draw_on_its_device,
        lambda G, n, seed: G(torch.from_numpy(np.random.default_rng(seed).standard_normal((n, 100), "f4"))).detach(),
        draw(after=lambda images: images.double().numpy()),
    ],
    3: [
        walk,
        lambda a, b, n: torch.stack([a + (b - a) * k / (n - 1) for k in range(n)]),
        lambda a, b, n: a + (b - a) * torch.from_numpy(np.linspace(0, 1, n))[:, None],
        lambda a, b, n: [a.lerp(b, k / (n - 1)).tolist() for k in range(n)],
    ],
    4: [lambda n, b, e: n // b * e, lambda n, b, e: sum(int((n - n % b) / b) for _ in range(e))],
    5: [nearest, nearest_one_by_one, nearest_by_products, nearest_in_bytes],
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
        (lambda x: (x / 127.5 - 1).int(), "no room for fractions"),
        (lambda x: x.float() / 255 - 0.5, "half of 255"),
        (lambda x: 2 * x / 255 - 1, "overflowed"),
        (lambda x: (x.float() - x.float().mean()) / x.float().std(), "pictures at hand"),
        (lambda x: (x / 255 - 0.1307) / 0.3081, "MNIST's mean 0"),
        (lambda x: torch.tanh(x.float()), "is right"),
        (lambda x: x.float() * 2 - 1, "is right"),
        (lambda x: x.to(torch.int8) / 127, "is right"),
        (lambda x: x.float() // 127.5 - 1, "is right"),
        (lambda x: x.float().flatten() / 127.5 - 1, "shape (2, 2); yours has (4,)"),
        (lambda x: x.float() / 100, "is right"),
    ],
    2: [
        (draw(torch.rand), "uniform"),
        (draw(seeded=False), "does the seed reach"),
        (draw(grad=True), "no_grad"),
        (lambda G, n, seed: G(torch.randn(n, 100)).detach(), "other images the second time"),
        (lambda G, n, seed: torch.manual_seed(seed) and G(torch.randn(n, 100)).detach(), "everybody else's"),
        (lambda G, n, seed: G(torch.randn(n, 100, device="meta")), "on the device of what you are given"),
        (draw_the_same, "one and the same"),
        (draw(after=lambda images: (images + 1) * 127.5), "from 0 to 255"),
        (
            draw(lambda n, m, generator: torch.randn(n, m, 1, 1, generator=generator)),
            "stopped with RuntimeError",
        ),
        (draw(after=lambda images: images.flatten(1)), "yours has (6, 784)"),
        (draw(before=lambda G: G.train()), "in training mode"),
        (lambda G, n, seed: draw()(G, 1, seed), "shape (6, 1, 28, 28); yours has (1, 1, 28, 28)"),
        (draw(after=lambda images: (images + 1) / 2), "from 0 to 1"),
        (draw(after=lambda images: images / 2), "not the images of G"),
        (draw(lambda n, m, generator: torch.randn(n, m, generator=generator).abs()), "not the images of G"),
        (draw(lambda n, m, generator: torch.randn(n, m, generator=torch.Generator())), "does the seed reach"),
        (lambda G, n, seed: draw()(G, n, n), "does the seed reach"),
    ],
    3: [
        (lambda a, b, n: walk(b, a, n), "from b to a"),
        (at(0, 0.2, 0.4, 0.6, 0.8), "the last latent is not b"),
        (at(0.2, 0.4, 0.6, 0.8, 1), "the first latent is not a"),
        (lambda a, b, n: walk(a, b, n).T, "steps come first"),
        (lambda a, b, n: walk(a, b, n) - a, "start at a"),
        (lambda a, b, n: a + torch.linspace(0, 1, n)[:, None] * b, "you add all of b"),
        (lambda a, b, n: torch.linspace(0, 1, n) * b, "stopped with RuntimeError"),
        (at(0, 0.1, 0.5, 0.9, 1), "not even"),
        (at(1 / 6, 2 / 6, 3 / 6, 4 / 6, 5 / 6), "the first is not a"),
        (lambda a, b, n: torch.stack([a + (b - a) * (k // (n - 1)) for k in range(n)]), "not even"),
        (lambda a, b, n: torch.linspace(0, 1, n)[:, None] * (a + b), "the first is not a"),
        (lambda a, b, n: walk(a, b, n + 1), "shape (5, 2); yours has (6, 2)"),
        (lambda a, b, n: walk(a, b.mul_(1.0).add_(1.0), n), "changed a tensor"),
    ],
    4: [
        (lambda n, b, e: -(-n // b) * e, "incomplete batch"),
        (lambda n, b, e: n * e // b, "does not run on into the next"),
        (lambda n, b, e: n / b * e, "a whole number is wanted"),
        (lambda n, b, e: round(n / b) * e, "incomplete batch"),
        (lambda n, b, e: (n - n % b) * e, "those are pictures"),
        (lambda n, b, e: n // b, "times epochs"),
        (lambda n, b, e: n // b // e, "another pass"),
        (lambda n, b, e: n * e, "those are pictures"),
        (lambda n, b, e: n // b * e + 2, "is right"),
        (lambda n, b, e: (n // b - 1) * e, "is right"),
        (lambda n, b, e: (n // b + 1) * e, "leaves it out"),
        (lambda n, b, e: f"{n // b * e:,}", "numbers are wanted"),
        (lambda n, b, e: torch.tensor([n // b * e]), "one whole number is wanted"),
    ],
    5: [
        (lambda p, x: nearest(p, x, lambda x: x.float()), "one scale"),
        (lambda p, x: nearest(p, x, lambda x: x / 255), "one scale"),
        (lambda p, x: nearest(p, x, pick=lambda table: table.argmax(1)), "the farthest"),
        (lambda p, x: nearest(p, x, pick=lambda table: table.argmin(0)), "the other axis"),
        (lambda p, x: nearest(p, x, pick=torch.argmin), "without a dim"),
        (lambda p, x: nearest(p, x, pick=lambda table: table.min(1).values), "those are the distances"),
        (lambda p, x: nearest(p, x, pick=lambda table: table.min(1)), "yours has (2, 4)"),
        (lambda p, x: nearest(p, x, power=1.0), "absolute differences"),
        (lambda p, x: x[nearest(p, x)], "their indices"),
        (lambda p, x: nearest(p, x).float(), "whole numbers"),
        (
            lambda p, x: (p.flatten(1).mean(1)[:, None] - x.float().flatten(1).mean(1) / 127.5 + 1).abs().argmin(1),
            "bright",
        ),
        (lambda p, x: (p[:, None] - x / 127.5 + 1).mean((2, 3, 4)).argmin(1), "cancel"),
        (lambda p, x: (p.flatten(1) @ (x / 127.5 - 1).flatten(1).T).argmax(1), "largest product"),
        (lambda p, x: (p - x / 127.5 + 1).square().mean((1, 2, 3)), "stopped with RuntimeError"),
        (lambda p, x: torch.arange(4), "yours says 0, 1, 2, 3"),
        (lambda p, x: nearest(p, x, pick=lambda table: table.topk(1, largest=False).indices), "yours has (4, 1)"),
        (lambda p, x: nearest(p, x, pick=lambda table: table.argsort(1)[:, 1]), "yours says"),
        (lambda p, x: nearest((p + 1) / 2, x), "one set on a scale from 0"),
    ],
}
