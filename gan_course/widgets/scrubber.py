"""Latent space and training time, a slider each."""

from pathlib import Path

import torch

from gan_course import latent, runs, show
from gan_course.errors import CourseError
from gan_course.widgets.panel import Panel, encoded, number, play, slider, speed

STEPS = 40  # once around the circle


class Scrubber(Panel):
    """Twelve latents on a walk around a circle, drawn by the generator as it was at any time of its training."""

    def __init__(self, run: str | Path | runs.Run, *, pictures: int = 12, seed: int = 0):
        """
        Args:
            run: a run that has snapshots, its folder, or the name of a published one.

        Raises:
            CourseError: it has none, or they are damaged.
        """
        self.run = runs.find(run)
        self.steps = self.run.snapshots
        if not self.steps:
            raise CourseError(
                f"{self.run.folder} has no snapshots: a run trained with this version of the course keeps some"
            )
        self.pictures, self._generators = pictures, {}
        self.time = slider("training time", len(self.steps) - 1, 0, len(self.steps) - 1, 1)
        self.walk = slider("latent", 0, 0, STEPS, 1)
        self.seed = number("seed", seed)
        self.play = play(self.time, interval=400)
        self.speed = speed(self.play)
        for control in (self.time, self.walk, self.seed):
            control.observe(lambda _: self.refresh(), names="value")
        super().__init__((self.play, self.time, self.speed), (self.walk, self.seed))

    def generator(self, step: int):
        """The generator as it was after that step; each is read once."""
        if step not in self._generators:
            self._generators[step] = self.run.generator(step=step)
        return self._generators[step]

    @torch.no_grad()
    def render(self) -> show.Picture:
        step = self.steps[self.time.value]
        a, b = latent.draw(2 * self.pictures, self.run.recipe.latent_dim, self.seed.value).chunk(2)
        z = torch.stack(
            [latent.circle(p, q, STEPS)[self.walk.value % STEPS] for p, q in zip(a, b, strict=True)]
        )
        images = self.generator(step)(z)
        png = encoded(images, min(self.pictures, 6))
        seen = step * self.run.recipe.batch * self.run.card.get("ranks", 1)
        return show.Picture(
            png,
            f"{self.pictures} pictures of {self.run.folder.name} after {seen:,} images (step {step:,}), "
            f"{self.walk.value / STEPS:.0%} of the way around.",
        )
