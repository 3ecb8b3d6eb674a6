"""The ward: look at a recorded run, commit to a diagnosis, and be told."""

import base64
import html
from collections.abc import Callable

import numpy as np
from matplotlib.ticker import EngFormatter, MaxNLocator

from gan_course import show, ward
from gan_course.mosaic import encode_png
from gan_course.ward import Case, Recorded
from gan_course.widgets.panel import Panel, button, choice, slider

UNDECIDED = "choose"
CURVES = (  # title, (column, colour, label) ...
    ("losses", ("loss_d", show.BLUE, "D"), ("loss_g", show.RED, "G")),
    ("mean score", ("d_real", show.BLUE, "D(x)"), ("d_fake", show.RED, "D(G(z))")),
    ("D is right", ("right", show.GREEN, "share of images")),
)


class Ward(Panel):
    """Recorded runs one after the other: curves and pictures over time, a diagnosis to choose, then the truth.

    A diagnosis that is committed to stays. The truth comes with its reason and with the cured run of the same seed;
    the score counts the cases that were decided.

    Args:
        seed: decides the order of the cases; a class with one seed has one order.
        opinion: case -> a word of somebody else's, such as of a program that reads the curves alone; shown with the
            truth.
    """

    def __init__(self, seed: int = 0, opinion: Callable[[Case], str] | None = None):
        self.cases, self.seed, self.opinion = ward.load(seed), int(seed), opinion
        self.place, self.answers = 0, {}  # of the case shown; key of a case -> diagnosis
        times = len(self.case.run.grids)
        self.time = slider("time", times - 1, 0, times - 1, 1)
        self.diagnosis = choice("diagnosis", [UNDECIDED, *ward.DIAGNOSES], UNDECIDED, "60em")
        self.commit = button("commit", self._commit, style="info")
        self.next = button("next case", self._next, "8em")
        self._chart = None
        self.redraw_on(self.time)
        super().__init__((self.time,), (self.diagnosis,), (self.commit, self.next))

    @property
    def case(self) -> Case:
        """The case that is shown."""
        return self.cases[self.place]

    @property
    def score(self) -> tuple[int, int]:
        """(right diagnoses, decided cases)."""
        truth = {case.key: case.diagnosis for case in self.cases}
        return sum(truth[key] == answer for key, answer in self.answers.items()), len(self.answers)

    def render(self) -> show.Picture:
        decided, time = self.case.key in self.answers, self.time.value
        if self._chart is None or self._chart_of != (self.place, decided):
            runs = {f"case {self.place + 1}: {self.case.told}": self.case.run}
            if decided and self.case.cured:
                runs["cured, the same seed"] = self.case.cured
            self._chart, self._chart_of = Chart(runs), (self.place, decided)
        return show.Picture(self._chart.at(time), self._told(self.case, time, decided), width=self._chart.width)

    def live(self) -> dict | None:
        return None if self.opinion else {"widget": "ward", "seed": self.seed}

    def still(self) -> show.Picture:
        return Listed(show.figure(self._chart.figure, self.picture.alt), self.cases)

    def _commit(self) -> None:
        if self.case.key in self.answers:
            self.say("You have committed to a diagnosis here: on to the next case.", alert=True)
            return
        if self.diagnosis.value == UNDECIDED:
            self.say("Choose a diagnosis first: it is worth more before you know.", alert=True)
            return
        self.answers[self.case.key] = self.diagnosis.value
        self._show_answer()
        self.draw()

    def _next(self) -> None:
        self.place = (self.place + 1) % len(self.cases)
        self._show_answer()
        self.time.value = self.time.max
        self.draw()

    def _show_answer(self) -> None:
        """What was committed to stays chosen. The button stays enabled: disabled, it would lose the keyboard."""
        answer = self.answers.get(self.case.key)
        self.diagnosis.value = answer or UNDECIDED
        self.diagnosis.disabled = answer is not None

    def _told(self, case: Case, time: int, decided: bool) -> str:
        words = [f"Case {self.place + 1} of {len(self.cases)}: {case.told}."]
        if decided:
            answer = self.answers[case.key]
            right, of = self.score
            verdict = "Right:" if answer == case.diagnosis else f"You said {answer}; it is"
            words.append(f"{verdict} {case.diagnosis}. {case.reason} What was done: {case.changed}.")
            if case.cured:
                words.append(f"Cured by: {case.cure}. The cured run: {_described(case.cured, time)}")
            if self.opinion:
                words.append(f"By its telemetry alone: {self.opinion(case)}.")
            words.append(f"Score: {right} of {of}.")
        return " ".join([*words, _described(case.run, time)])  # what was just decided comes first


class Listed(show.Picture):
    """A picture above a folded list of the cases and their truth, for places where nothing can be pressed."""

    def __init__(self, picture: show.Picture, cases: list[Case]):
        super().__init__(picture.still, picture.alt, **picture.shown)
        self.cases = cases

    def _repr_mimebundle_(self, include=None, exclude=None):
        data, metadata = super()._repr_mimebundle_()
        source = base64.b64encode(self.still).decode()
        entries = "".join(
            f"<li>{html.escape(f'{case.told}: ')}<b>{case.diagnosis}</b>. {html.escape(_truth(case))}</li>"
            for case in self.cases
        )
        alt, title = html.escape(self.alt, quote=True), f"All {len(self.cases)} cases and what is wrong with them"
        data["text/html"] = (
            f'<img alt="{alt}" width="{self.shown["width"]}" src="data:{self.mime};base64,{source}">'
            f"<details><summary>{title}</summary><ol>{entries}</ol></details>"
        )
        return data, metadata


def _truth(case: Case) -> str:
    """A case's reason, what was done, and the cure, in a line."""
    cure = f" Cured by: {case.cure}." if case.cure else ""
    return f"{case.reason} What was done: {case.changed}.{cure}"


class Chart:
    """Grid and curves of runs, one below the other. Only what moves with time is drawn anew: the rest takes a second.

    Args:
        runs: title -> run.
    """

    def __init__(self, runs: dict[str, Recorded]):
        layout = {"nrows": len(runs), "ncols": 4, "squeeze": False, "gridspec_kw": {"width_ratios": [1.15, 1, 1, 1]}}
        self.figure, axes = show.new_figure(12.5, 3.5 * len(runs), **layout)
        self.figure.set_dpi(2 * show.DPI)  # as `show.figure` draws, twice its size on the page
        self.width = int(self.figure.get_figwidth() * show.DPI)
        rows = zip(axes, runs.items(), strict=True)
        self._moving = [(run, *_draw_run(row, title, run)) for row, (title, run) in rows]
        self.figure.canvas.draw()
        self._fixed = self.figure.canvas.copy_from_bbox(self.figure.bbox)

    def at(self, time: int) -> bytes:
        """PNG of the chart at one of the times of its grids."""
        canvas = self.figure.canvas
        canvas.restore_region(self._fixed)
        for run, grid, markers in self._moving:
            grid.set_data(run.grids[time])
            for marker in markers:
                marker.set_xdata([run.seen(time)] * 2)
            for artist in (grid, *markers):
                artist.axes.draw_artist(artist)
        return encode_png(np.asarray(canvas.buffer_rgba())[..., :3], quick=True)


def _draw_run(axes, title: str, run: Recorded):
    """One row of a chart; what moves in it: (grid, markers of the time)."""
    grid = axes[0].imshow(run.grids[-1], cmap="gray", vmin=0, vmax=255, interpolation="none", animated=True)
    axes[0].set_title(title, fontsize=12)
    axes[0].set_axis_off()
    for axis, (name, *columns) in zip(axes[1:], CURVES, strict=True):
        for column, colour, label in columns:
            axis.plot(run.images, run.curves[column], color=colour, label=label)
        axis.set_title(name)
        axis.set_xlim(0, run.images[-1])
        axis.xaxis.set_major_locator(MaxNLocator(3))
        axis.xaxis.set_major_formatter(EngFormatter(sep=""))
        axis.set_xlabel("real images seen", fontsize=12)
        if len(columns) > 1:
            axis.legend(fontsize=11, frameon=False)
    losses, scores, right = axes[1:]
    if np.nanmin([run.curves[column] for column in ("loss_d", "loss_g")]) >= 0:
        losses.set_ylim(0, max(2.0, losses.get_ylim()[1]))
    both = [run.curves[column] for column in ("d_real", "d_fake")]
    if np.nanmin(both) >= 0 and np.nanmax(both) <= 1:
        scores.set_ylim(-0.03, 1.03)
    right.set_ylim(-0.03, 1.03)
    right.axhline(0.5, color=show.GREY, linewidth=1, linestyle=":")
    return grid, [axis.axvline(run.images[-1], color=show.GREY, linewidth=1, animated=True) for axis in axes[1:]]


def _described(run: Recorded, time: int) -> str:
    """How a run stands at a time, in numbers."""
    now = (time + 1) * len(run.images) // len(run.grids)
    means = {column: np.nanmean(values[max(0, now - 5) : now]) for column, values in run.curves.items()}
    return (
        f"After {run.seen(time):,} of {run.images[-1]:,} images D's loss is {means['loss_d']:.2f}, G's "
        f"{means['loss_g']:.2f}, D(x) {means['d_real']:.2f}, D(G(z)) {means['d_fake']:.2f}; D is right on "
        f"{means['right']:.0%}. The pictures differ from each other {run.spread[time]:.2f} times as much as real ones."
    )
