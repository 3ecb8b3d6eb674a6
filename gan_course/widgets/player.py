"""A recorded run, replayed at lecture speed."""

from pathlib import Path

from gan_course import runs, show, watch
from gan_course.errors import CourseError
from gan_course.widgets.panel import Panel, button, play, slider, speed


class Player(Panel):
    """Grid, losses, D(x) and D(G(z)) of a run, from its first drawing to its last."""

    def __init__(self, run: str | Path | runs.Run):
        """
        Args:
            run: a run, its folder, or the name of a published one.

        Raises:
            CourseError: it has no drawings, or they are damaged.
        """
        self.run = runs.find(run)
        self.frames, self.history = self.run.frames, self.run.history
        if not self.frames:
            raise CourseError(f"{self.run.folder} has no drawings to replay")
        self._drawings: dict[int, show.Picture] = {}  # each takes a tenth of a second to draw
        last = len(self.frames) - 1
        self.time = slider("time", 0, 0, last, 1)
        self.play = play(self.time, interval=400)
        self.speed = speed(self.play)
        self.back = button("step back", lambda: self._by(-1), "7em")
        self.forth = button("step on", lambda: self._by(1), "7em")
        self.time.observe(lambda _: self.refresh(), names="value")
        super().__init__((self.play, self.back, self.forth, self.speed, self.time))

    def render(self) -> show.Picture:
        return self.drawing(self.time.value)

    def drawing(self, i: int) -> show.Picture:
        """How the run stood at its i-th drawing."""
        if i not in self._drawings:
            self._drawings[i] = watch.standing(self.run, *self.frames[i], self.history)
        return self._drawings[i]

    def _by(self, steps: int) -> None:
        self.time.value = min(max(self.time.value + steps, 0), self.time.max)
