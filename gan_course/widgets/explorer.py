"""Move latents along dimensions and directions, and see what changes."""

import itertools
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from gan_course import files, latent, runs, show
from gan_course.errors import CourseError
from gan_course.widgets.panel import Panel, button, choice, encoded, number, slider

REACH = 4.0  # standard deviations to either side
SEFA = 6  # directions found in the weights that are offered


class Explorer(Panel):
    """Several latents, and sliders that move all of them alike.

    What a direction means shows only on several pictures: a single one cannot tell it from chance.
    """

    def __init__(
        self,
        run: str | Path | runs.Run,
        directions: Mapping[str, Tensor] | None = None,
        *,
        start=(0, 1, "found 1"),
        pictures: int = 12,
        seed: int = 0,
    ):
        """
        Args:
            run: a run, its folder, or the name of a published one.
            directions: name -> [latent_dim], offered beside the dimensions and the directions found in the weights.
            start: what the sliders move at first: numbers of dimensions or names of directions, at most six.
            pictures: how many latents are shown, 1 to 36.
        """
        self.run = runs.find(run)
        self.generator = self.run.generator()
        self.size = self.run.recipe.latent_dim
        _, found = latent.sefa(self.generator, SEFA)
        self.directions = {f"found {i}": v for i, v in enumerate(found, 1)} | dict(directions or {})
        names = [*self.directions, *(f"dimension {i}" for i in range(self.size))]
        start = [self._name(one) for one in start]
        if not 1 <= pictures <= 36 or not 1 <= len(start) <= 6:
            raise CourseError(
                f"{pictures} pictures and {len(start)} sliders: 1 to 36 pictures and 1 to 6 sliders fit"
            )
        self.pictures = pictures
        self.along = [choice("along", names, name, "14em") for name in start]
        self.by = [slider(f"by ({i})", 0.0, -REACH, REACH, 0.1) for i in range(1, len(start) + 1)]
        self.seed = number("seed", seed)
        self.randomise = button(
            "other latents", lambda: setattr(self.seed, "value", self.seed.value + 1), "9em"
        )
        self.reset = button("reset", self._reset)
        self.keep = button("save picture", self._save, "9em")
        for control in (*self.along, *self.by, self.seed):
            control.observe(lambda _: self.refresh(), names="value")
        rows = [tuple(pair) for pair in zip(self.along, self.by, strict=True)]
        super().__init__(*rows, (self.seed, self.randomise, self.reset, self.keep))

    def latents(self) -> Tensor:
        """What is shown now, [pictures, latent_dim]."""
        z = latent.draw(self.pictures, self.size, self.seed.value)
        for along, by in zip(self.along, self.by, strict=True):
            z = z + by.value * self._direction(along.value)
        return z

    @torch.no_grad()
    def render(self) -> show.Picture:
        images = self.generator(self.latents())
        png = encoded(images, min(self.pictures, 6), side=84 if self.pictures > 1 else 256)
        moved = ", ".join(
            f"{along.value} by {by.value:+.1f}"
            for along, by in zip(self.along, self.by, strict=True)
            if by.value
        )
        return show.Picture(
            png,
            f"{self.pictures} pictures of {self.run.folder.name}, latents of seed {self.seed.value}, "
            f"{'moved along ' + moved if moved else 'where they were drawn'}.",
        )

    def _name(self, one: int | str) -> str:
        if isinstance(one, int):
            latent.check_dimension(one, self.size)
            return f"dimension {one}"
        if one not in self.directions:
            raise CourseError(
                f"no direction {one!r}: there are {', '.join(self.directions)}, and dimensions by number"
            )
        return one

    def _direction(self, name: str) -> Tensor:
        if name in self.directions:
            direction = self.directions[name]
            return direction / direction.norm()
        return torch.eye(self.size)[int(name.removeprefix("dimension "))]

    def _reset(self) -> None:
        for by in self.by:
            by.value = 0.0

    def _save(self) -> None:
        self.draw()
        stem = f"{self.run.folder.name}-seed{self.seed.value}"
        path = next(p for p in map(Path, _numbered(stem)) if not p.is_file())
        try:
            files.write_atomically(path, self.picture.still)
            self.say(f"saved as {path}")
        except CourseError as error:
            self.say(str(error), alert=True)


def _numbered(stem: str):
    """File names that begin alike: an earlier picture is never written over."""
    yield f"{stem}.png"
    yield from (f"{stem}-{i}.png" for i in itertools.count(2))
