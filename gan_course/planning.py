"""How long a run will take on this machine, from a few seconds of it."""

import statistics
import time
from dataclasses import dataclass

import psutil
import torch

from gan_course import training
from gan_course.bench.report import PACKAGE, Bench
from gan_course.errors import CourseError
from gan_course.gan import GAN
from gan_course.recipes import Recipe

SECONDS = 10.0  # of measurement
WARM = 3  # steps that are not counted: the first ones allocate memory and choose algorithms


@dataclass(frozen=True)
class Plan:
    """What a run will take on the machine it was measured on.

    Attributes:
        images: real images it will see.
        rate: images/s.
        lowest, highest: images/s over parts of the measurement.
        memory: bytes: the peak of the device's allocations on a GPU, all of this process on a CPU.
    """

    images: int
    rate: float
    lowest: float
    highest: float
    memory: int

    def text(self) -> str:
        """One line for people."""
        return (
            f"{self.images:,} images at {self.rate:,.0f} images/s ({self.lowest:,.0f} to {self.highest:,.0f} while "
            f"measuring): {duration(self.images / self.rate)}, {self.memory / 1e9:.1f} GB of memory"
        )


def plan(
    recipe: Recipe,
    sample: torch.Tensor,
    images: int,
    device: torch.device | str = "cpu",
    seconds: float = SECONDS,
) -> Plan:
    """Train for some seconds, throw the result away, and say how long all of it would take.

    Args:
        sample: some training images, uint8 [N, C, H, W].
        images: real images that the run is to see.

    Raises:
        CourseError: nothing to plan, or the images do not fit the recipe.
    """
    if images < recipe.batch:
        raise CourseError(f"{images} images are less than one batch of {recipe.batch}: ask for more")
    device = torch.device(device)
    gan, sample = GAN(recipe, 0, device), sample.to(device)
    rates, steps, begin = [], WARM, time.perf_counter()
    while time.perf_counter() - begin < seconds or len(rates) < 3:
        began, seen = time.perf_counter(), gan.images
        for _ in training.train(gan, sample, gan.step + steps, progress=False):
            pass  # a report reads the telemetry, so the device has finished
        rate = (gan.images - seen) / (time.perf_counter() - began)
        if gan.step > WARM:
            rates.append(rate)
        steps = max(1, round(seconds / 8 * rate / recipe.batch))  # eight groups
    cuda = device.type == "cuda"
    memory = torch.cuda.max_memory_allocated(device) if cuda else psutil.Process().memory_info().rss
    return Plan(images, statistics.harmonic_mean(rates), min(rates), max(rates), memory)


def recorded(recipe: Recipe, images: int, benches: list[Bench]) -> list[str]:
    """What the devices in the record would need, a line each; none for a recipe that was never measured so."""
    lines = []
    for bench in benches:
        rates = [line.rate for line in bench.lines if line.name == PACKAGE]
        if Recipe.from_dict(bench.recipe) == recipe and rates:
            where = ", ".join(bench.evidence[key] for key in ("device", "cpu") if key in bench.evidence)
            lines.append(
                f"on record, {where} ({bench.evidence['date']}): "
                f"{rates[0]:,.0f} images/s, {duration(images / rates[0])}"
            )
    return lines


def duration(seconds: float) -> str:
    """In words, to two figures or so: `50 s`, `7 min`, `3.4 h`, `2.1 days`."""
    for unit, size, most in (("s", 1, 100), ("min", 60, 6000), ("h", 3600, 172_800)):
        if seconds < most:
            value = seconds / size
            return f"{value:.1f} {unit}" if value < 10 and unit == "h" else f"{value:.0f} {unit}"
    return f"{seconds / 86400:.1f} days"
