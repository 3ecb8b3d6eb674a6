"""Latent space and training time, a slider each."""

from pathlib import Path

import torch

from gan_course import latent, runs, show, watch
from gan_course.errors import CourseError, whole
from gan_course.widgets.panel import Panel, encoded, number, player, slider

STEPS = 40  # once around the circle


class Scrubber(Panel):
    """Latents on a walk around a circle, drawn by the generator as it was at any time of its training.

    Args:
        run: a run that has snapshots, its folder, or the name of a published one.
        pictures: how many latents are shown, 1 to 36.
    """

    def __init__(self, run: str | Path | runs.Run, *, pictures: int = 12, seed: int = 0):
        self.run = runs.find(run)
        self.steps = self.run.snapshots
        if not self.steps:
            raise CourseError(
                f"{self.run.folder} has no snapshots: a run trained with this version of the course keeps some"
            )
        self.pictures, self._generators = whole(pictures, "pictures", 1, 36), {}
        self.time = slider("training time", len(self.steps) - 1, 0, len(self.steps) - 1, 1)
        self.walk = slider("latent", 0, 0, STEPS, 1)
        self.seed = number("seed", seed)
        self.play, self.speed = player(self.time)
        self.redraw_on(self.time, self.walk, self.seed)
        super().__init__((self.play, self.time, self.speed), (self.walk, self.seed))

    def generator(self, step: int):
        """The generator as it was after that step; each is read once."""
        if step not in self._generators:
            self._generators[step] = self.run.generator(step=step)
        return self._generators[step]

    def live(self) -> dict:
        name, seed = self.run.folder.name, self.seed.value
        return {"widget": "scrubber", "run": name, "pictures": self.pictures, "seed": seed}

    @torch.no_grad()
    def render(self) -> show.Picture:
        step = self.steps[self.time.value]
        a, b = latent.of(self.generator(step), 2 * self.pictures, self.seed.value).chunk(2)
        place = self.walk.value % STEPS
        z = torch.stack([latent.circle(p, q, STEPS)[place] for p, q in zip(a, b, strict=True)])
        return show.Picture(
            encoded(self.generator(step)(z), min(self.pictures, 6)),
            f"{self.pictures} pictures of {self.run.folder.name} after {watch.seen(self.run, step):,} images "
            f"(step {step:,}), {self.walk.value / STEPS:.0%} of the way around.",
        )
