"""Move latents along dimensions and directions, and see what changes."""

import itertools
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from gan_course import files, latent, runs, show
from gan_course.errors import CourseError, whole
from gan_course.widgets.panel import Panel, button, encoded, long_choice, number, slider

REACH = 4.0  # standard deviations to either side
SEFA = 6  # directions found in the weights that are offered


class Explorer(Panel):
    """Several latents, and sliders that move all of them alike along dimensions and directions.

    What a direction means shows only on several pictures: a single one cannot tell it from chance.

    Args:
        run: a run, its folder, or the name of a published one.
        directions: name -> [latent_dim], of any length but 0, offered beside the dimensions and the directions
            found in the weights.
        start: what the sliders move at first: numbers of dimensions or names of directions, at most six.
        pictures: how many latents are shown, 1 to 36.
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
        self.run = runs.find(run)
        self.generator = self.run.generator()
        self.size = self.generator.latent_dim
        self.pictures = whole(pictures, "pictures", 1, 36)
        _, found = latent.sefa(self.generator, SEFA)
        own = {name: self._direction_given(name, v) for name, v in (directions or {}).items()}
        self._own, self.directions = own, {f"found {i}": v for i, v in enumerate(found, 1)} | own
        self.directions |= {f"dimension {i}": v for i, v in enumerate(torch.eye(self.size))}
        names = [self._name(one) for one in start]
        if not 1 <= len(names) <= 6:
            raise CourseError(f"{len(names)} things to start with: 1 to 6 sliders fit")
        choices = [long_choice(f"along ({i})", list(self.directions), name, "15em") for i, name in enumerate(names, 1)]
        self.along = [along for along, *_ in choices]
        self.by = [slider(f"by ({i})", 0.0, -REACH, REACH, 0.1) for i in range(1, len(names) + 1)]
        self.seed = number("seed", seed)
        self.randomise = button("other latents", self._other_latents, "9em")
        self.reset = button("reset", self._reset)
        self.keep = button("save picture", self._save, "9em")
        self.redraw_on(*self.along, *self.by, self.seed)
        rows = [(*choice, by) for choice, by in zip(choices, self.by, strict=True)]
        super().__init__(*rows, (self.seed, self.randomise, self.reset, self.keep))

    def live(self) -> dict:
        return {
            "widget": "explorer",
            "run": self.run.folder.name,
            "start": [along.value for along in self.along],
            "pictures": self.pictures,
            "seed": self.seed.value,
            "directions": {name: [round(x, 4) for x in v.tolist()] for name, v in self._own.items()},
        }

    def latents(self) -> Tensor:
        """What is shown now, [pictures, latent_dim]."""
        z = latent.of(self.generator, self.pictures, self.seed.value)
        for along, by in zip(self.along, self.by, strict=True):
            z = z + by.value * self.directions[along.value]
        return z

    @torch.no_grad()
    def render(self) -> show.Picture:
        images = self.generator(self.latents())
        png = encoded(images, min(self.pictures, 6), side=84 if self.pictures > 1 else 256)
        pairs = zip(self.along, self.by, strict=True)
        moved = ", ".join(f"{along.value} by {by.value:+.1f}" for along, by in pairs if by.value)
        where = f"moved along {moved}" if moved else "where they were drawn"
        shown = f"{self.pictures} pictures of {self.run.folder.name}, latents of seed {self.seed.value}"
        return show.Picture(png, f"{shown}, {where}.")

    def _name(self, one: int | str) -> str:
        if not isinstance(one, str):
            return f"dimension {whole(one, 'dimension', 0, self.size - 1)}"
        if one not in self.directions:
            there = [name for name in self.directions if not name.startswith("dimension ")]
            raise CourseError(f"no direction {one!r}: there are {', '.join(there)}, and dimensions by number")
        return one

    def _direction_given(self, name: str, direction) -> Tensor:
        direction = torch.as_tensor(direction, dtype=torch.float32).detach().cpu()
        length = direction.norm()
        if direction.shape != (self.size,) or not (0 < length < torch.inf):
            raise CourseError(
                f"direction {name!r} of shape {list(direction.shape)} and length {length:.3g}: "
                f"{self.size} finite numbers that are not all 0 work"
            )
        return direction / length

    def _other_latents(self) -> None:
        self.seed.value += 1

    def _reset(self) -> None:
        for by in self.by:
            by.value = 0.0

    def _save(self) -> None:
        """Beside the notebook, and never over an earlier picture."""
        self.draw()
        stem = f"{self.run.folder.name}-seed{self.seed.value}"
        endings = itertools.chain([""], (f"-{i}" for i in itertools.count(2)))
        path = next(path for end in endings if not (path := Path(f"{stem}{end}.png")).exists())
        try:
            files.write_atomically(path, self.picture.still)
            self.say(f"saved as {path}")
        except CourseError as error:
            self.say(str(error), alert=True)
