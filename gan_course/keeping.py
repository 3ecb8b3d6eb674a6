"""A run's folder while it trains: what is written into it, when, and what happens when that fails.

The card `run.json` says what the run is and how far it is, `checkpoint.safetensors` holds everything to go on,
`frames/` the fixed latents drawn on a schedule, `snapshots/` G along its training.
"""

import json
import time
from pathlib import Path

from gan_course import checkpoint, files, mosaic, snapshots, terminal
from gan_course.errors import CourseError
from gan_course.gan import GAN

CHECKPOINT, CARD = "checkpoint.safetensors", "run.json"


class Keeper:
    """Writes a run into its folder while it trains. Rank 0 writes; all ranks call alike.

    Attributes:
        card: what `run.json` holds.
    """

    def __init__(self, folder: Path, gan: GAN, card: dict, goal: int, save_every: float):
        """
        Args:
            card: as it is in the folder, or a new one; its `seconds` are those of training so far.
            goal: the step at which the run ends.
            save_every: seconds between two checkpoints.
        """
        self.folder, self.gan, self.card = folder, gan, card
        self.goal, self.save_every = goal, save_every
        self._before, self._began, self._saved = card["seconds"], time.monotonic(), time.monotonic()
        self._snapshots_due = [step for step in snapshots.due(goal) if step > gan.step]

    def begin(self) -> None:
        """What stands before the first step of a new run.

        Raises:
            CourseError: the folder cannot be written to.
        """
        if self.gan.ranks.first:
            snapshots.forget(self.folder, after=self.gan.step)  # of a killed process, or another beginning
        if self.gan.step == 0:
            self._draw()
            self.note()  # first, so that no checkpoint ever stands without its card
            self.save()
            if self.gan.ranks.first:
                snapshots.save(self.gan, self.folder)

    def look(self) -> None:
        """Write what is due after a report. A fault of the disk is said, and the run goes on."""
        step = self.gan.step
        if step % self.gan.recipe.draw_every == 0 or step == self.goal:
            self._try(self._draw)
        if self._snapshots_due and step >= self._snapshots_due[0]:
            self._snapshots_due = [due for due in self._snapshots_due if due > step]
            if self.gan.ranks.first:
                self._try(lambda: snapshots.save(self.gan, self.folder))
        overdue = time.monotonic() - self._saved >= self.save_every
        if self.gan.ranks.any(self.gan.ranks.first and overdue):
            self._try(self.save)
            self._saved = time.monotonic()

    def save(self) -> None:
        """Write checkpoint and card.

        Raises:
            CourseError: the disk is full or the folder cannot be written to; the old ones are untouched.
        """
        checkpoint.save(self.gan, self.folder / CHECKPOINT)
        self.note()

    def note(self) -> None:
        """Write the card as things stand."""
        seconds = round(self._before + time.monotonic() - self._began, 1)
        self.card.update(goal=self.goal, step=self.gan.step, images=self.gan.images, seconds=seconds)
        if self.gan.ranks.first:
            write_card(self.folder, self.card)

    def _draw(self) -> None:
        if self.gan.ranks.first:
            picture = mosaic.encode_png(mosaic.tile(self.gan.draw()))
            files.write_atomically(self.folder / "frames" / f"step_{self.gan.step:07d}.png", picture)

    def _try(self, write) -> None:
        try:
            write()
        except CourseError as error:
            terminal.say(f"{error}; training goes on and tries again later")


def write_card(folder: Path, card: dict) -> None:
    """Write a run's card into its folder."""
    files.write_atomically(folder / CARD, (json.dumps(card, indent=1) + "\n").encode())
