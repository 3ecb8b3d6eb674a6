"""Metrics against truth: generators whose faults are set by hand, and which metric notices which fault.

A faulty generator here is a chooser among drawn faces (`portraits`), whose attributes are known exactly, or it spoils
their pixels. So what is wrong with its pictures is known, and a metric can be graded: it notices a fault if it stands
further than `SURE` standard deviations from what faultless sets of the same size get.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from gan_course import judge, metrics, portraits
from gan_course.errors import CourseError, whole

SURE = 3.0  # standard deviations
DROPPED, TOO_MANY = "Eyeglasses", "Wearing_Hat"


@dataclass(frozen=True, eq=False)
class Looked:
    """Pictures as a judge sees them.

    Attributes:
        features: float [N, d].
        seen: which attributes it sees in each, bool [N, attributes].
        true: which are there, likewise.
    """

    features: Tensor
    seen: Tensor
    true: Tensor

    def at(self, rows: Tensor) -> "Looked":
        """Some of them."""
        return Looked(self.features[rows], self.seen[rows], self.true[rows])


@dataclass(frozen=True, eq=False)
class World:
    """Faces to choose from.

    Attributes:
        train: what the generators could have copied.
        held_out: faces that they could not, against which they are measured.
        fresh: faces that a faultless generator might make.
        spoilt: (fault, strength) -> fresh faces with spoilt pixels.
    """

    train: Looked
    held_out: Looked
    fresh: Looked
    spoilt: dict[tuple[str, float], Looked]


# Each takes the world, a strength, how many pictures, and dice, and returns the generator's pictures as looked at.


def _some(n: int, of: int, dice: torch.Generator) -> Tensor:
    if n > of:
        raise CourseError(f"{n} pictures of {of}: make a larger world")
    return torch.randperm(of, generator=dice)[:n]


def faultless(world: World, strength: float, n: int, dice: torch.Generator) -> Looked:
    """Fresh faces."""
    return world.fresh.at(_some(n, len(world.fresh.features), dice))


def dropped(world: World, strength: float, n: int, dice: torch.Generator) -> Looked:
    """Of the faces with glasses a share is never made."""
    has = world.fresh.true[:, portraits.ATTRIBUTES.index(DROPPED)]
    kept = (~has | (torch.rand(len(has), generator=dice) >= strength)).nonzero()[:, 0]
    return world.fresh.at(kept[_some(n, len(kept), dice)])


def proportions(world: World, strength: float, n: int, dice: torch.Generator) -> Looked:
    """A share of the faces is drawn from those with hats alone."""
    hats = world.fresh.true[:, portraits.ATTRIBUTES.index(TOO_MANY)].nonzero()[:, 0]
    rows = _some(n, len(world.fresh.features), dice)
    forced = torch.rand(n, generator=dice) < strength
    return world.fresh.at(torch.where(forced, hats[torch.randint(len(hats), (n,), generator=dice)], rows))


def few(world: World, strength: float, n: int, dice: torch.Generator) -> Looked:
    """Only so many different faces, again and again."""
    of = len(world.fresh.features)
    known = _some(min(int(strength), of), of, dice)
    return world.fresh.at(known[torch.randint(len(known), (n,), generator=dice)])


def copied(world: World, strength: float, n: int, dice: torch.Generator) -> Looked:
    """A share of the pictures are training pictures."""
    new, copies = faultless(world, 0, n, dice), world.train.at(_some(n, len(world.train.features), dice))
    is_copy = torch.rand(n, generator=dice) < strength
    return Looked(
        *(
            torch.where(is_copy[:, None], b, a)
            for a, b in ((getattr(new, f), getattr(copies, f)) for f in ("features", "seen", "true"))
        )
    )


def _spoilt(fault: str) -> Callable[..., Looked]:
    def chosen(world: World, strength: float, n: int, dice: torch.Generator) -> Looked:
        pictures = world.spoilt[fault, strength]
        return pictures.at(_some(n, len(pictures.features), dice))

    return chosen


def blur(images: Tensor, strength: float) -> Tensor:
    """uint8 [N, C, H, W] under a Gaussian of that standard deviation, in pixels."""
    x = torch.arange(-8.0, 9.0)
    line = (-(x**2) / (2 * strength**2)).exp()
    c = images.shape[1]
    row = (line / line.sum()).view(1, 1, 1, -1).expand(c, -1, -1, -1)
    wide = F.pad(images.float(), (8, 8, 8, 8), mode="reflect")
    return F.conv2d(F.conv2d(wide, row, groups=c), row.mT, groups=c).round().to(torch.uint8)


def noise(images: Tensor, strength: float, seed: int = 0) -> Tensor:
    """uint8 pictures with Gaussian noise of that standard deviation, in grey levels."""
    dice = torch.Generator().manual_seed(seed)
    speckled = images + strength * torch.randn(images.shape, generator=dice)
    return speckled.round().clamp(0, 255).to(torch.uint8)


SPOILERS = {"blur": blur, "noise": noise}
# name -> how it is made, three strengths, and how a strength is called.
FAULTS: dict[str, tuple[Callable[..., Looked], tuple[float, float, float], str]] = {
    "glasses dropped": (dropped, (0.3, 0.6, 1.0), "{:.0%} of them"),
    "too many hats": (proportions, (0.1, 0.3, 0.6), "{:.0%} forced"),
    "few different faces": (few, (500, 100, 20), "{:.0f} faces"),
    "training pictures copied": (copied, (0.02, 0.1, 0.5), "{:.0%} copies"),
    "blur": (_spoilt("blur"), (0.5, 1.0, 2.0), "σ {:g} px"),
    "noise": (_spoilt("noise"), (4.0, 12.0, 36.0), "σ {:g} levels"),
}
WORSE = {  # which way each metric should go for a worse generator
    "Fréchet distance": 1,
    "kernel distance": 1,
    "precision": -1,
    "recall": -1,
    "density": -1,
    "coverage": -1,
    "memorisation": 1,
    "attribute shares": 1,
}


def world(expert: judge.Judge, n: int, seed: int = 0, progress: bool = False) -> World:
    """A world for sets of up to n faces: n training faces, n held out, 2 n fresh, and n spoilt of each kind.

    Args:
        expert: a judge of drawn faces, `judge.load("drawn-faces")`.
    """
    n = whole(n, "faces", 100)
    parts = (portraits.draw(k, 64, seed + i, progress=progress) for i, k in enumerate((n, n, 2 * n)))
    train, held_out, fresh = parts

    def looked(images: Tensor, true: Tensor) -> Looked:
        features, logits = judge.look(expert, images)
        return Looked(features, logits > 0, true)

    spoilt = {
        (fault, strength): looked(spoil(fresh.images[:n], strength), fresh.attributes[:n])
        for fault, spoil in SPOILERS.items()
        for strength in FAULTS[fault][1]
    }
    return World(*(looked(part.images, part.attributes) for part in (train, held_out, fresh)), spoilt)


def measure(world: World, fake: Looked, dice: torch.Generator) -> dict[str, float]:
    """Every metric in `WORSE` of one set against as many held-out faces.

    `attribute shares` is the largest difference, over the attributes, between the shares in which a judge sees them.
    """
    n = len(fake.features)
    real = world.held_out.at(_some(n, len(world.held_out.features), dice))
    r, f = real.features, fake.features
    return {
        "Fréchet distance": metrics.frechet_distance(r, f),
        "kernel distance": metrics.kernel_distance(r, f),
        "precision": metrics.precision(r, f).mean().item(),
        "recall": metrics.recall(r, f).mean().item(),
        "density": metrics.density(r, f).mean().item(),
        "coverage": metrics.coverage(r, f).mean().item(),
        "memorisation": metrics.memorisation(world.train.features, r, f).mean().item(),
        "attribute shares": (real.seen.float().mean(0) - fake.seen.float().mean(0)).abs().max().item(),
    }


def noticed(world: World, sizes: tuple[int, ...], repeats: int = 10, seed: int = 0) -> dict:
    """Which metric notices which fault, of which strength, from how many pictures.

    Each of `repeats` sets is measured against held-out faces of its own; 2 * `repeats` faultless sets say what a metric
    shows where nothing is wrong.

    Returns:
        fault -> metric -> [strength][size], each (how often it noticed and called the set worse, how often it noticed
        and called it *better* than faultless ones, mean value); and "faultless" -> metric -> [size], (mean, standard
        deviation).
    """
    dice = torch.Generator().manual_seed(whole(seed, "seed"))

    def values(make: Callable, strength: float, n: int, times: int) -> dict[str, Tensor]:
        sets = [measure(world, make(world, strength, n, dice), dice) for _ in range(times)]
        return {metric: torch.tensor([one[metric] for one in sets], dtype=torch.float64) for metric in WORSE}

    plain = [values(faultless, 0, n, 2 * repeats) for n in sizes]
    normal = {metric: [(v[metric].mean().item(), v[metric].std().item()) for v in plain] for metric in WORSE}
    table: dict = {"faultless": {metric: [list(pair) for pair in pairs] for metric, pairs in normal.items()}}
    for fault, (make, strengths, _) in FAULTS.items():
        rows = [[values(make, strength, n, repeats) for n in sizes] for strength in strengths]
        table[fault] = {
            metric: [[_graded(v[metric], *normal[metric][i], way) for i, v in enumerate(row)] for row in rows]
            for metric, way in WORSE.items()
        }
    return table


def _graded(values: Tensor, mean: float, spread: float, way: int) -> list[float]:
    off = way * (values - mean) / max(spread, 1e-12)
    return [(off > SURE).double().mean().item(), (off < -SURE).double().mean().item(), values.mean().item()]
