"""What `python -m gan_course bench` measures and prints."""

import itertools
import os
import platform
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import torch
from torch.utils.data import Dataset
from torch.utils.flop_counter import FlopCounterMode

from gan_course import data, devices, runs, training
from gan_course.bench import ladder, limit, measure
from gan_course.errors import CourseError
from gan_course.feed import Feed
from gan_course.gan import GAN
from gan_course.precision import PRECISIONS
from gan_course.recipes import Recipe
from gan_course.recorded import Recorded
from gan_course.terminal import aligned, bar

try:
    import resource
except ImportError:  # Windows
    resource = None

# Processes that load pictures for the published loops on a GPU, as in the DCGAN tutorial. On a CPU they would share
# its cores with whatever runs after them, so there the loop reads its pictures itself, in its own turn.
WORKERS = 2


@dataclass(frozen=True)
class Line:
    """One contender: images/s and its ratio to the first, medians and spreads over the rounds."""

    name: str
    rate: float
    ratio: float
    lowest: float
    highest: float
    share: float  # of the rate of matrix products; convolutions can pass 1, for products with padding are counted


@dataclass(frozen=True)
class Bench:
    """One comparison and the evidence for it.

    Attributes:
        recipe: the first contender's, as plain values.
        title: recipe, batch and images.
        gflop: of one image's share of a training step, GFLOP.
        limit: GFLOP/s of large matrix products of the recipe's type in the same process.
        evidence: device, versions, rounds.
        memory: peak of all contenders together, MB: of the process on a CPU, of the device's allocations on a GPU.
    """

    recipe: dict
    title: str
    gflop: float
    limit: float
    memory: float
    evidence: dict = field(default_factory=dict)
    lines: tuple[Line, ...] = ()

    def table(self) -> str:
        """As aligned text."""
        head = ", ".join(f"{key} {value}" for key, value in self.evidence.items())
        rows = [("loop", "images/s", "ratio", "spread", "of matmul")]
        rows += [
            (
                line.name,
                f"{line.rate:,.0f}",
                f"{line.ratio:.2f}",
                f"{line.lowest:.2f} to {line.highest:.2f}",
                f"{line.share:.0%}",
            )
            for line in self.lines
        ]
        about = (
            f"{self.gflop:.3f} GFLOP an image; large {self.recipe['precision']} matrix products: {self.limit:,.0f} "
            f"GFLOP/s; peak memory of all together {self.memory:,.0f} MB"
        )
        return f"{self.title}\n{head}\n{about}\n{aligned(rows, numbers=True)}"


PACKAGE, BARE, RECORDED = "the package", "bare steps", "recorded steps"
Contender = tuple[Recipe, ladder.Tricks | str]  # of the ways above, or a rung of the ladder


def contenders(recipe: Recipe, device: torch.device, everything: bool = False) -> dict[str, Contender]:
    """Who runs against whom: the published loop, the package's; with `everything` all rungs between them.

    Beside the package's loop runs its step alone, on batches made beforehand: the difference is what data,
    telemetry and progress cost. A recipe in batches of 4 also runs in batches of 128, both ways. A GPU also
    runs in its short type, and with recorded steps.
    """
    published = ladder.Tricks()
    found: dict[str, Contender] = {"as published": (recipe, published)}
    if everything:
        found = {name: (recipe, tricks) for name, tricks in ladder.rungs(recipe).items()}
    found[PACKAGE] = (recipe, PACKAGE)
    found["its step alone"] = (recipe, BARE)
    if device.type == "cuda":
        short = recipe.but(precision=limit.short_type(device))
        found[f"the package, {short.precision}"] = (short, PACKAGE)
        found["the package, recorded"] = (recipe, RECORDED)
        if short.precision == "bfloat16":
            found["the package, bfloat16, recorded"] = (short, RECORDED)
    if recipe.batch < 32:
        large = recipe.but(batch=128)
        found["as published, batch 128"] = (large, published)
        found["the package, batch 128"] = (large, PACKAGE)
    return found


def compare(
    recipe: Recipe,
    images: torch.Tensor,
    against: dict[str, Contender],
    *,
    rounds: int,
    seconds: float,
    device: torch.device,
) -> Bench:
    """Measure some loops against the first of them.

    Args:
        against: as `contenders` makes them.

    Raises:
        CourseError: fewer than one round, or no time for it.
    """
    if rounds < 1 or seconds <= 0:
        raise CourseError(f"{rounds} rounds of {seconds:g} s measure nothing: 5 rounds of 2 s do")
    pictures = ladder.photographs(images) if recipe.channels == 3 else None
    runners = {name: _runner(*who, images, pictures, device) for name, who in against.items()}
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    types = {PRECISIONS[own.precision] for own, _ in against.values()}
    best = {dtype: limit.matmul_rate(device, dtype) for dtype in types}
    with bar(total=rounds, desc=recipe.key, unit=" rounds", leave=False) as done:
        speeds = measure.alternate(runners, rounds, seconds, on_round=done.update)
    for dtype in types:  # shared machines have slow minutes
        best[dtype] = max(best[dtype], limit.matmul_rate(device, dtype))
    flops = {
        own: flops_per_image(own, images, device) for own in {recipe, *(own for own, _ in against.values())}
    }
    lines = tuple(
        Line(
            name,
            s.rate,
            s.ratio,
            min(s.ratios),
            max(s.ratios),
            s.rate * flops[own] / best[PRECISIONS[own.precision]],
        )
        for name, s in speeds.items()
        for own in (against[name][0],)
    )
    return Bench(
        recipe=recipe.as_dict(),
        title=f"{recipe.key} on {len(images):,} images of {recipe.channels}×{recipe.size}×{recipe.size}",
        gflop=flops[recipe] / 1e9,
        limit=best[PRECISIONS[recipe.precision]] / 1e9,
        memory=_peak(device) / 1e6,
        evidence=evidence(device) | {"rounds": f"{rounds} of {seconds:g} s"},
        lines=lines,
    )


def evidence(device: torch.device) -> dict:
    """What somebody needs to know to believe a number, and to measure it again."""
    return {
        "date": date.today().isoformat(),
        "device": devices.name(device),
        **({"cpu": cpu} if (cpu := processor()) else {}),
        "cores": os.cpu_count(),
        **runs.VERSIONS,
    }


def processor() -> str:
    """The CPU's name; empty where the system does not tell."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "")


def flops_per_image(recipe: Recipe, images: torch.Tensor, device: torch.device) -> float:
    """Floating-point operations of a training step over its images, backward passes included.

    Averaged over G's schedule: where G moves every second time, over two steps.
    """
    gan = GAN(recipe, 0, device)
    real = data.to_signed(images[: recipe.batch].to(device))
    with FlopCounterMode(display=False) as counter:
        for _ in range(recipe.g_every):
            training.train_step(gan, real)
            gan.step += 1
    return counter.get_total_flops() / (recipe.batch * recipe.g_every)


def _runner(
    recipe: Recipe,
    way: ladder.Tricks | str,
    images: torch.Tensor,
    pictures: Dataset | None,
    device: torch.device,
) -> Callable[[int], int]:
    """A function that trains some steps in one of the ways, waits for the device and returns the images seen."""
    if isinstance(way, ladder.Tricks):
        workers = WORKERS if device.type == "cuda" else 0
        run = ladder.Loop(recipe, images, way, device=device, workers=workers, pictures=pictures).run
    else:
        gan = GAN(recipe, 0, device)
        run = _steps_alone(gan, images) if way == BARE else _loop(gan, images, recorded=way == RECORDED)

    def measured(steps: int) -> int:
        run(steps)
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        return steps * recipe.batch

    return measured


def _loop(gan: GAN, images: torch.Tensor, recorded: bool) -> Callable[[int], None]:
    feed = Feed(images, gan.device)
    step = Recorded(gan, training.train_step, training.NORMS_EVERY) if recorded else None

    def run(steps: int) -> None:
        for _ in training.train(gan, feed, gan.step + steps, progress=False, step=step):
            pass

    return run


def _steps_alone(gan: GAN, images: torch.Tensor) -> Callable[[int], None]:
    some = images[: 8 * gan.recipe.batch].to(gan.device)
    batches = itertools.cycle(data.to_signed(some).split(gan.recipe.batch)[: len(some) // gan.recipe.batch])

    def run(steps: int) -> None:
        for real in itertools.islice(batches, steps):
            training.train_step(gan, real)
            gan.step += 1

    return run


def _peak(device: torch.device) -> float:
    """Bytes; NaN where nobody tells."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    if resource is None:
        return float("nan")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak * (1 if platform.system() == "Darwin" else 1024)
