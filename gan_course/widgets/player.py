"""A run, replayed at lecture speed."""

from pathlib import Path

from gan_course import runs, show, watch
from gan_course.errors import CourseError
from gan_course.widgets.panel import Panel, button, player, slider


class Player(Panel):
    """Grid, losses, D(x) and D(G(z)) of a run, from its first drawing to its last.

    Args:
        run: a run, its folder, or the name of a published one.
    """

    def __init__(self, run: str | Path | runs.Run):
        self.run = runs.find(run)
        self.frames, self.history = self.run.frames, self.run.history
        if not self.frames:
            raise CourseError(f"{self.run.folder} has no drawings to replay")
        self._drawings: dict[int, show.Picture] = {}  # each takes a tenth of a second to draw
        self.time = slider("time", 0, 0, len(self.frames) - 1, 1)
        self.play, self.speed = player(self.time)
        self.back = button("step back", lambda: self._by(-1), "7em")
        self.forth = button("step on", lambda: self._by(1), "7em")
        self.redraw_on(self.time)
        super().__init__((self.play, self.back, self.forth, self.speed, self.time))

    def live(self) -> dict:
        return {"widget": "player", "run": self.run.folder.name}

    def render(self) -> show.Picture:
        return self.drawing(self.time.value)

    def still(self) -> show.Picture:
        """The end of the run: its beginning, where playing starts, is noise beside empty axes."""
        return self.drawing(len(self.frames) - 1)

    def drawing(self, i: int) -> show.Picture:
        """How the run stood at its i-th drawing."""
        if i not in self._drawings:
            self._drawings[i] = watch.drawing(self.run, *self.frames[i], self.history)
        return self._drawings[i]

    def _by(self, steps: int) -> None:
        self.time.value = min(max(self.time.value + steps, 0), self.time.max)
