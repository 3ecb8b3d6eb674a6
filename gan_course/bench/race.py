"""How long a recipe takes to the quality that another reached: time counts, not images."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import torch

from gan_course import judge, sampling, training
from gan_course.bench import ladder
from gan_course.data import ImageSet
from gan_course.errors import CourseError
from gan_course.gan import GAN
from gan_course.judge import Judge
from gan_course.recipes import Recipe
from gan_course.terminal import bar

EVERY = 50  # steps between two judgements of the package's run
SAMPLES = 5_000  # images that are judged


@dataclass(frozen=True)
class Standing:
    """How good a generator is after some time of training.

    Attributes:
        seconds: of training, judging left out. images: real images seen.
        confidence, balance: of a judge about `SAMPLES` images; see `judge.Verdict`.
    """

    seconds: float
    images: int
    confidence: float
    balance: float

    @property
    def quality(self) -> float:
        """Confidence times balance: a generator that has collapsed to one sure class is no good one."""
        return self.confidence * self.balance


@dataclass(frozen=True)
class Race:
    """One seed's race: where the published loop stood in the end, and when the package stood there."""

    seed: int
    published: Standing
    package: Standing


def run(first: Recipe, second: Recipe, images: ImageSet, seconds: float, seeds: range) -> Iterator[Race]:
    """Train one recipe by the published loop for some time, then another by the package's to the same quality.

    Args:
        first, second: both for images like these.
        images: a labelled set; the judge is trained on it.

    Raises:
        CourseError: no time, or the second does not get there in that time either.
    """
    if seconds <= 0 or not seeds:
        raise CourseError(f"{len(seeds)} races of {seconds:g} s: 3 of 300 s tell something")
    judged_by = judge.train(images)
    for seed in seeds:
        goal = published(first, images.images, judged_by, seconds, seed)
        for standing in package(second, images.images, judged_by, seed):
            if standing.quality >= goal.quality:
                yield Race(seed, goal, standing)
                break
            if standing.seconds > seconds:
                raise CourseError(
                    f"{second.key} has not reached in {seconds:g} s what {first.key} reached: {standing} against {goal}"
                )


HEAD = ("seed", "published: s", "images", "confidence", "balance")
HEAD += ("package: s", "images", "confidence", "balance", "times faster")


def row(race: Race) -> tuple[str, ...]:
    """A race in cells under `HEAD`."""
    cells = [str(race.seed)]
    for s in (race.published, race.package):
        cells += [f"{s.seconds:.0f}", f"{s.images:,}", f"{s.confidence:.3f}", f"{s.balance:.2f}"]
    return (*cells, f"{race.published.seconds / race.package.seconds:.1f}")


def published(recipe: Recipe, images: torch.Tensor, judged_by: Judge, seconds: float, seed: int) -> Standing:
    """How far the published loop gets in that time.

    Its generator is judged as its source samples it: the weights of the last step.
    """
    loop = ladder.Loop(recipe, images, ladder.Tricks(), seed, images.device)
    began, spent = time.perf_counter(), 0.0
    with bar(total=round(seconds), desc=f"{recipe.key}, as published", unit="s") as done:
        while spent < seconds:
            loop.run(10)
            now = time.perf_counter() - began
            done.update(int(now) - int(spent))
            spent = now
    return _judged(loop.gan.G, judged_by, spent, loop.images)


def package(recipe: Recipe, images: torch.Tensor, judged_by: Judge, seed: int) -> Iterator[Standing]:
    """How the package's run of a recipe stands, every `EVERY` steps, without end."""
    gan, spent = GAN(recipe, seed, images.device), 0.0
    while True:
        began = time.perf_counter()
        for _ in training.train(gan, images, gan.step + EVERY, progress=False):
            pass
        spent += time.perf_counter() - began
        yield _judged(gan.average, judged_by, spent, gan.images)


def _judged(G: torch.nn.Module, judged_by: Judge, seconds: float, images: int) -> Standing:
    training_mode = G.training
    verdict = judge.verdict(judged_by, sampling.sample(G.eval(), SAMPLES, seed=1))
    G.train(training_mode)
    return Standing(seconds, images, verdict.confidence.mean().item(), verdict.balance)
