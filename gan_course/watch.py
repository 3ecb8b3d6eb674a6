"""A run as one looks at it: its grid, its losses, D's verdicts; live while it trains, or replayed.

Live training and the replay of a run share one picture, `standing`.
"""

import time

import numpy as np
from matplotlib.ticker import EngFormatter, MaxNLocator

from gan_course.errors import whole
from gan_course.gan import GAN
from gan_course.history import History
from gan_course.mosaic import tile
from gan_course.runs import Run
from gan_course.show import BLUE, GREY, RED, Picture, animation, figure, new_figure

LARGEST = 1e30  # drawn; matplotlib cannot lay out an axis for the largest floats


def curves(history: History, alt: str | None = None) -> Picture:
    """Both losses, and what D says of real and generated images, over the real images seen."""
    fig, axes = new_figure(9, 3.7, ncols=2)
    _draw_curves(axes, history)
    return figure(fig, alt or _words(history))


def standing(
    frame: np.ndarray, history: History, images: int, goal: int | None = None, dpi: int = 72
) -> Picture:
    """How a run stands: its fixed latents drawn, its losses, its verdicts.

    Args:
        frame: uint8 [H, W, 3], see `mosaic.tile`.
        images: real images seen.
        goal: images at the end of the run; fixes the horizontal axis, so that an animation stands still.
    """
    fig, axes = new_figure(9, 3.7, ncols=3, width_ratios=(1.1, 1, 1))
    axes[0].imshow(frame, interpolation="none")
    axes[0].set_axis_off()
    axes[0].set_title(f"after {images:,} images")
    _draw_curves(axes[1:], history, goal)
    return figure(fig, stands(history, images), dpi)


def stands(history: History, images: int) -> str:
    """What `standing` shows, in words."""
    return f"Left: what the generator makes of its fixed latents after {images:,} images. {_words(history)}"


def _draw_curves(axes, history: History, goal: int | None = None) -> None:
    losses_axis, scores_axis = axes
    losses_axis.set_title("losses", pad=28)  # room for the legend, which would cover curves inside the axes
    scores_axis.set_title("mean scores", pad=28)
    lowest, highest, furthest = 0.0, 1.0, goal or 0
    for axis, column, label, colour in (
        (losses_axis, "loss_d", "D", BLUE),
        (losses_axis, "loss_g", "G", RED),
        (scores_axis, "d_real", "D(x)", BLUE),
        (scores_axis, "d_fake", "D(G(z))", RED),
    ):
        there = np.isfinite(history[column])
        images, values = history["images"][there], history[column][there].clip(-LARGEST, LARGEST)
        axis.plot(images, values, color=colour, alpha=0.15, linewidth=0.8)
        axis.plot(*_smoothed(images, values), color=colour, label=label)
        furthest = max([furthest, *images[-1:]])
        if axis is scores_axis:
            lowest, highest = min([lowest, *values]), max([highest, *values])
    for axis in axes:
        axis.set_xlim(0, furthest or None)
        axis.set_xlabel("real images seen")
        axis.legend(loc="lower center", bbox_to_anchor=(0.5, 1), borderaxespad=0.2, ncols=2, frameon=False)
        axis.xaxis.set_major_locator(MaxNLocator(4))
        axis.xaxis.set_major_formatter(EngFormatter(sep=""))
    # Probabilities fill the axis from 0 to 1; the scores of least squares are any numbers.
    margin = 0.05 * (highest - lowest)
    scores_axis.set_ylim(lowest - margin * (lowest < 0), highest + margin * (highest > 1))
    scores_axis.axhline(0.5, color=GREY, linewidth=1, linestyle=":")


def _smoothed(seen: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A running mean over a fiftieth of the rows."""
    if not len(values):  # before the first step
        return seen, values
    window = max(1, len(values) // 50)
    mean = np.convolve(values, np.ones(window) / window, mode="valid")
    return seen[len(seen) - len(mean) :], mean


def _words(history: History) -> str:
    if not len(history):
        return "Nothing is trained yet."

    def last(column):
        if not len(history.measured(column)[1]):
            return "not measured"
        with np.errstate(all="ignore"):  # of infinite values the mean is infinite, or none
            return f"{history.mean(column):.3g}"

    return (
        f"Curves so far: at the end D's loss is {last('loss_d')}, G's loss {last('loss_g')}, "
        f"D(x) {last('d_real')} and D(G(z)) {last('d_fake')}."
    )


def seen(run: Run, step: int) -> int:
    """How many real images a run had seen after a step."""
    return step * run.recipe.batch * run.card.get("ranks", 1)


def drawing(run: Run, step: int, frame: np.ndarray, history: History, dpi: int = 72) -> Picture:
    """How a run stood when one of its frames was drawn.

    Args:
        step, frame: one of the run's `frames`.
        history: the run's; reading it takes a moment, so it is handed in.
    """
    before = History(history.rows[history["step"] < step])
    return standing(frame, before, seen(run, step), run.card["images"], dpi)


def replay(run: Run, frames: int = 18, ms: int = 350) -> Picture:
    """A run as an animation of at most `frames` drawings: its grid growing while its curves are drawn."""
    history = run.history
    pictures = [drawing(run, *one, history, dpi=36) for one in _chosen(run.frames, frames)]
    alt = f"The run {run.folder.name} from noise to {run.card['images']:,} images. {_words(history)}"
    return animation(pictures, alt, ms=ms, quality=70)


class LiveTraining:
    """A run watched while it trains: call `update` at every report. Outside a notebook it shows nothing.

    Args:
        goal: images at the end of the run.
        seconds: the least time between two drawings, so that watching costs little.

    Attributes:
        drawings: the grid of every update, for `animation`.
    """

    def __init__(self, goal: int | None = None, seconds: float = 2.0):
        self.goal, self.seconds = goal, seconds
        self.drawings: list[np.ndarray] = []
        self._last = -seconds
        self._handle = None

    def update(self, gan: GAN) -> None:
        """Draw how the run stands, in the place of the drawing before; not more often than every few seconds."""
        done = self.goal is not None and gan.images >= self.goal
        if time.monotonic() - self._last < self.seconds and not done:
            return
        frame = tile(gan.draw())
        self.drawings.append(frame)
        self._show(standing(frame, gan.history, gan.images, self.goal))
        self._last = time.monotonic()

    def animation(self, alt: str, frames: int = 20, ms: int = 250) -> Picture:
        """What was shown, as an animation of at most `frames` drawings."""
        return animation(_chosen(self.drawings, frames), alt, ms=ms, quality=60)

    def _show(self, picture: Picture) -> None:
        from IPython import get_ipython
        from IPython.display import display

        if get_ipython() is None:
            return
        if self._handle is None:
            self._handle = display(picture, display_id=True)
        else:
            self._handle.update(picture)


def _chosen(drawings: list, most: int) -> list:
    """At most so many of them, evenly spread, always the last."""
    most = min(whole(most, "frames", 1), len(drawings))
    return [drawings[i] for i in np.linspace(len(drawings) - 1, 0, most).round().astype(int)[::-1]]
