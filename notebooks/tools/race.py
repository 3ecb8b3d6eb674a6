"""How long the package takes to the quality that the MNIST notes' loop reaches: time counts, not images."""

import time
from collections.abc import Iterator
from dataclasses import replace

import torch

import ladder
from gan_course import judge, recipes, sampling, training
from gan_course.data import ImageSet
from gan_course.errors import CourseError
from gan_course.gan import GAN
from gan_course.terminal import bar

FIRST, SECOND = "dcgan-mnist", "quick-digits"
EVERY = 50  # steps between two judgements of the package's run
SAMPLES = 5_000  # images that are judged


def run(images: ImageSet, seconds: float, seeds: range, device: torch.device) -> Iterator[str]:
    """Train `FIRST` by the textbook loop for some time, then `SECOND` by the package's until it is as good.

    Good is what a judge is sure of times the balance of what it sees: one sure class alone is no good generator.
    Judging does not count as training. The textbook's generator is judged as its source samples it, by the weights
    of the last step, the package's by its moving average.

    Args:
        images: a labelled set, for both recipes; the judge is trained on it.

    Yields:
        the story of each seed's race, a line.

    Raises:
        CourseError: no time, or the second does not get there in that time either.
    """
    if not seconds > 0 or not seeds:
        raise CourseError(f"{len(seeds)} races of {seconds:g} s: 3 of 300 s tell something")
    images = replace(images, images=images.images.to(device), labels=images.labels.to(device))
    judged_by = judge.train(images)

    def quality(G: torch.nn.Module) -> float:
        verdict = judge.verdict(judged_by, sampling.sample(G, SAMPLES, seed=1))
        return verdict.confidence.mean().item() * verdict.balance

    for seed in seeds:
        loop = ladder.Loop(recipes.get(FIRST), images.images, seed=seed, device=device)
        began, spent = time.perf_counter(), 0.0
        with bar(total=round(seconds), desc=f"{FIRST}, {ladder.TEXTBOOK}", unit="s") as done:
            while spent < seconds:
                loop.run(10)
                now = time.perf_counter() - began
                done.update(int(now) - int(spent))
                spent = now
        goal = quality(loop.gan.G)
        gan, took, reached = GAN(recipes.get(SECOND), seed, device), 0.0, 0.0
        while reached < goal:
            if took > seconds:
                raise CourseError(f"{SECOND} has reached {reached:.3f} of {goal:.3f} in {took:.0f} s: take more time")
            began = time.perf_counter()
            for _ in training.train(gan, images.images, gan.step + EVERY, progress=False):
                pass
            took += time.perf_counter() - began
            reached = quality(gan.average)
        yield (
            f"seed {seed}: {FIRST} {goal:.3f} after {spent:.0f} s ({loop.images:,} images), "
            f"{SECOND} {reached:.3f} after {took:.0f} s ({gan.images:,} images): {spent / took:.1f} times faster"
        )
