"""Type a number, and a generator writes it."""

from pathlib import Path

import torch
from torch import Tensor

from gan_course import latent, networks, runs, show
from gan_course.errors import CourseError
from gan_course.widgets.panel import Panel, button, choice, encoded, number, text

DIGITS = "0123456789"
MOST = 24  # characters
HANDS = {"one hand: the same z for all": False, "many hands: a z for each": True}


class Writer(Panel):
    """A field to type in, and the number written by a generator that can be asked for digits.

    What is no digit leaves a gap.

    Args:
        run: a run with ten classes, the digits in order; its folder, or the name of a published one.
        typed: what stands in the field at first.
    """

    def __init__(self, run: str | Path | runs.Run = "conditional-digits", typed: str = "0123456789", *, seed: int = 0):
        self.run = runs.find(run)
        self.generator = self.run.generator()
        if self.generator.classes != len(DIGITS):
            raise CourseError(f"{self.run.folder.name} cannot be asked for ten digits: conditional-digits can")
        self.typed = text("number", typed)
        self.hands = choice("written by", list(HANDS), list(HANDS)[1], "24em")
        self.seed = number("seed", seed)
        self.again = button("write again", self._again, "9em")
        self.redraw_on(self.typed, self.hands, self.seed)
        super().__init__((self.typed, self.again), (self.hands, self.seed))

    def live(self) -> dict:
        controls = {"typed": self.typed.value, "hands": self.hands.value, "seed": self.seed.value}
        return {"widget": "writer", "run": self.run.folder.name, **controls}

    def latents(self) -> Tensor:
        """What the digits in the field are made of, in their order, [digits, latent_dim]."""
        labels = torch.tensor([DIGITS.index(c) for c in self.typed.value if c in DIGITS])
        many = HANDS[self.hands.value]
        size = self.generator.latent_dim - len(DIGITS)
        z = latent.draw(MOST, size, self.seed.value)[: len(labels)] if many else latent.draw(1, size, self.seed.value)
        return networks.with_class(z.expand(len(labels), -1), labels, len(DIGITS))

    @torch.no_grad()
    def render(self) -> show.Picture:
        typed = self.typed.value
        if len(typed) > MOST or not any(c in DIGITS for c in typed):
            raise CourseError(f"{len(typed)} characters: type digits, at least one and at most {MOST}")
        written = iter(self.generator(self.latents()))
        gap = torch.ones(1, self.run.recipe.size, self.run.recipe.size)
        images = torch.stack([next(written) if c in DIGITS else gap for c in typed])
        hand = "each digit from a latent of its own" if HANDS[self.hands.value] else "all digits from one latent"
        return show.Picture(
            encoded(images, columns=len(typed) if len(typed) <= 12 else (len(typed) + 1) // 2, side=56),
            f"The number {typed} as {self.run.folder.name} writes it, {hand}, seed {self.seed.value}.",
        )

    def _again(self) -> None:
        self.seed.value += 1
