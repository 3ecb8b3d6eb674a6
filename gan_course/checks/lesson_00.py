"""Checks for lesson 00: scaling, sampling, walking between two latents, counting steps, nearest neighbours."""

from collections.abc import Callable

import torch
from torch import Tensor

from gan_course import devices
from gan_course.checks import NotYet, compare, distance, inputs, passed, read, run, shown
from gan_course.networks import build


def exercise_1(to_signed: Callable[[Tensor], Tensor]) -> None:
    """`to_signed(images)` maps uint8 0 … 255 to -1 … 1."""
    overflow = "that overflowed: uint8 ends at 255, so 2 · 204 becomes 152 and 0 - 1 becomes 255; images.float() first"
    brightest = "your range comes from the pictures at hand; 0 and 255 are the ends, whatever a batch holds"
    for pixels in ([[0, 51], [204, 255]], [[26, 51], [102, 204]]):  # the second has no black and no white
        pixels = torch.tensor(pixels, dtype=torch.uint8)
        given = run("0.1", to_signed, pixels)
        if isinstance(given, Tensor) and not (given.is_floating_point() or given.is_complex()):
            raise NotYet(f"the result is {given.dtype}, which has no room for fractions: images.float() first")
        x = pixels.double()
        compare(
            "0.1",
            given,
            x / 127.5 - 1,
            (x / 255, "that is 0 … 1; tanh reaches down to -1, so stretch by 2 and shift by 1"),
            (x / 127.5, "that is 0 … 2: stretched, not shifted yet; subtract 1"),
            (x - 127.5, "that is -127.5 … 127.5: shifted, not divided yet"),
            (x / 255 - 0.5, "that is -0.5 … 0.5: divide by 127.5, half of 255"),
            (1 - x / 127.5, "black and white are exchanged: 0 becomes -1, 255 becomes 1"),
            *((x / n - 1, "255 must become exactly 1: divide by 127.5, half of 255") for n in (127, 128)),
            *((pixels * 2 / n - 1, overflow) for n in (255, 256)),
            *(((pixels - n) / m, overflow) for n in (127, 128) for m in (127, 127.5, 128)),
            (2 * x / x.max() - 1, brightest),
            (2 * (x - x.min()) / (x.max() - x.min()) - 1, brightest),
            *(((x - x.mean()) / x.std(correction=n), brightest) for n in (0, 1)),
            (
                (x / 255 - 0.1307) / 0.3081,
                "that is MNIST's mean 0 and spread 1, from -0.42 to 2.8; G's tanh ends at 1",
            ),
            otherwise=lambda v, x=x: f"{_list(x)} become {_list(v)}; {_list(x / 127.5 - 1)} is right",
        )
    passed("Right: 0 becomes -1, 255 becomes 1.")


def exercise_2(draw: Callable[..., Tensor]) -> None:
    """`draw(G, n, seed)` makes n images; the same seed gives the same images."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        G = build("mlp", channels=1, size=28, width=1 / 8)[0].eval().to(devices.default())  # where the lesson's is
        before, everybody = [t.clone() for t in G.state_dict().values()], torch.get_rng_state()
        with inputs(G) as latents:
            first = run("0.2", draw, G, 6, 1)
            again, other = run("0.2", draw, G, 6, 1), run("0.2", draw, G, 6, 2)
        touched = not torch.equal(everybody, torch.get_rng_state())
    if G.training or any(not torch.equal(a, b) for a, b in zip(before, G.state_dict().values(), strict=True)):
        raise NotYet(
            "G comes in evaluation mode; in training mode (G.train()) it drops units at random, normalises with the "
            "batch at hand and changes: leave it as it is"
        )
    if isinstance(first, Tensor) and first.requires_grad:
        raise NotYet("the images still carry a graph: draw under torch.no_grad()")
    images, second, third = (read("0.2", made, "")[0] for made in (first, again, other))
    if images.shape == (6, 1, 28, 28):
        if distance(images, second) > 1e-3:
            raise NotYet("seed 1 gave other images the second time: make a torch.Generator, seed it, hand it to randn")
        if touched:
            raise NotYet(
                "torch.manual_seed sets the seed of all random numbers, everybody else's too: make a torch.Generator "
                "of your own, seed it, hand it to randn"
            )
        if distance(images, third) < 1e-3:
            raise NotYet("seeds 1 and 2 give the same images: does the seed reach manual_seed?")
        if distance(images[:1].expand_as(images), images) < 1e-3:
            raise NotYet("all images are one and the same: seed once, before any loop, and draw a latent for each")
    z, uniform = (
        make(6, 100, generator=torch.Generator().manual_seed(1)).to(devices.default())
        for make in (torch.randn, torch.rand)
    )
    own = torch.cat(latents).view(-1, 100)[:6] if latents else z
    if abs(own.mean()) > 0.2 or abs(own.std() - 1) > 0.2:  # no standard normal numbers
        own = z
    with torch.no_grad():
        compare(
            "0.2",
            first,
            (G(z), G(own)),
            *(
                (G(u), "rand is uniform; this generator was trained on normal numbers: randn")
                for u in (uniform, 2 * uniform - 1)
            ),
            *(
                ((made + 1) * top / 2, f"those are from 0 to {top}: return what G makes, from -1 to 1")
                for top in (1, 255)
                for made in (G(z), G(own))
            ),
            otherwise="these are not the images of G for torch.randn(n, 100, generator=…) seeded with `seed`",
        )
    passed("Right: as many images as asked for, and the seed decides which.")


def exercise_3(walk: Callable[..., Tensor]) -> None:
    """`walk(a, b, steps)` are latents on the straight line from a to b, both ends included."""
    a, b = torch.tensor([0.0, 2.0]), torch.tensor([4.0, 0.0])
    given = run("0.3", walk, a, b, 5)

    def line(*shares: float) -> Tensor:
        return torch.stack([a + (b - a) * t for t in shares])

    right = line(0, 0.25, 0.5, 0.75, 1)
    compare(
        "0.3",
        given,
        right,
        (right.T, "one latent a row: steps come first, [steps, len(a)]; yours is turned around"),
        (right.flip(0), "the walk goes from b to a: at the first step the weight of b is 0"),
        (
            line(0, 0.2, 0.4, 0.6, 0.8),
            "the last latent is not b: torch.linspace(0, 1, steps) includes both ends",
        ),
        (
            line(0.2, 0.4, 0.6, 0.8, 1),
            "the first latent is not a: torch.linspace(0, 1, steps) includes both ends",
        ),
        (right - a, "you forgot to start at a: latent k is a + (b - a) · k/(steps - 1)"),
        (
            right + a * torch.linspace(0, 1, 5)[:, None],
            "you add all of b to a: it is b - a that leads from a to b",
        ),
        otherwise=lambda v: (
            "latent k is a + (b - a) · k/(steps - 1): "
            + (
                "the first is not a"
                if distance(v[0], right[0].double()) > 1e-2
                else "the last latent is not b"
                if distance(v[-1], right[-1].double()) > 1e-2
                else "both ends are right, the steps between are not even"
            )
        ),
    )
    passed("Right: it starts at a, ends at b and takes even steps.")


def exercise_4(steps_for: Callable[..., int]) -> None:
    """`steps_for(images, batch, epochs)` is how many steps a run takes when incomplete batches are left out."""
    for images, batch, epochs in ((60_000, 64, 1), (60_000, 64, 50), (6_000, 64, 3), (202_599, 128, 5)):
        given, right = run("0.4", steps_for, images, batch, epochs), images // batch * epochs
        compare(
            "0.4",
            given,
            right,
            (-(-images // batch) * epochs, "an incomplete batch ends every epoch; this loop leaves it out"),
            (images * epochs // batch, "one epoch does not run on into the next; round down within each"),
            *((n * epochs, "those are pictures; a step uses a whole batch") for n in (images, images // batch * batch)),
            (images // batch, "that is one epoch: times epochs"),
            (images // batch // epochs, "every epoch is another pass over all pictures: times epochs"),
            otherwise=f"{right:,} is right: whole batches in an epoch, times epochs",
            said=f"{images:,} images, batch {batch}, {epochs} epoch{'s' * (epochs > 1)}: {shown(given)} steps",
        )
    passed("Right: whole batches in an epoch, times the epochs.")


def exercise_5(nearest: Callable[[Tensor, Tensor], Tensor]) -> None:
    """`nearest(pictures, images)` is, for each picture, the index of the image at the least mean square distance."""
    noise = torch.Generator().manual_seed(5)
    contrast = torch.tensor([5.0, 20, 40, 60, 80, 100, 120])[:, None, None, None]
    images = (contrast * torch.randn(7, 1, 28, 28, generator=noise) + 90 + contrast).clamp(0, 255).to(torch.uint8)
    real = images.double() / 127.5 - 1
    pictures = 0.4 * real[[5, 2, 6, 3]] + 0.1 * torch.randn(4, 1, 28, 28, generator=noise)
    given = run("0.5", nearest, pictures.float(), images)
    values, _ = read("0.5", given, "")
    p = pictures.flatten(1)

    def least(of: Tensor, power: float = 2.0) -> Tensor:
        return torch.cdist(p, of.flatten(1), power).argmin(1)

    table, r = torch.cdist(p, real.flatten(1)), real.flatten(1)
    scale = "both sets belong on one scale: to_signed takes the images to -1 … 1, where the pictures are"
    compare(
        "0.5",
        given,
        table.argmin(1),
        (least(images.double()), scale),
        (least(images.double() / 255), scale),
        (table.argmax(1), "those are the farthest: argmin, not argmax"),
        (
            table.argmin(0),
            "for each *picture* an image is wanted; you found for each image a picture: the other axis",
        ),
        (table.argmin(), "one index a picture is wanted; without a dim, argmin searches the whole table"),
        *(
            (t.min(1).values, "those are the distances; which image it is, argmin says")
            for t in (table, table.square())
        ),
        (images[table.argmin(1)], "those are the images themselves; their indices are wanted"),
        (least(real, 1.0), "that is the nearest by absolute differences; squares are asked for"),
        (
            (p.mean(1)[:, None] - r.mean(1)).abs().argmin(1),
            "you compare mean brightness; compare pixel with pixel",
        ),
        ((p[:, None] - r).mean(2).argmin(1), "differences of both signs cancel: square each before the mean"),
        (
            (p @ r.T).argmax(1),
            "those are nearest by the largest product or the smallest angle, which is not the least distance, or with "
            "one set on a scale from 0 to 1 and the other from -1 to 1",
        ),
        otherwise=lambda v: f"the nearest are images {_list(table.argmin(1))}; yours says {_list(v)}",
    )
    if "float" in str(getattr(given, "dtype", "")):
        raise NotYet("indices are whole numbers: leave them as argmin gives them")
    passed("Right: the least mean squared difference, both on one scale.")


def _list(values: Tensor) -> str:
    return ", ".join(f"{v:.3g}" for v in values.flatten().tolist())
