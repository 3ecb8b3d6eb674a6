"""A run as one looks at it: its grid, its losses, D's verdicts; live while it trains, or replayed.

Live training and the replay of a recorded run share one picture, `training`.
"""

import time

import numpy as np
from matplotlib.ticker import EngFormatter, MaxNLocator

from gan_course.gan import GAN
from gan_course.history import History
from gan_course.mosaic import tile
from gan_course.runs import Run
from gan_course.show import BLUE, GREY, RED, Picture, animation, figure, new_figure


def curves(history: History, alt: str | None = None) -> Picture:
    """Both losses, and what D says of real and generated images, over the real images seen."""
    fig, axes = new_figure(10, 3.6, ncols=2)
    _draw_curves(axes, history)
    return figure(fig, alt or _words(history))


def training(
    frame: np.ndarray, history: History, images: int, goal: int | None = None, dpi: int = 72
) -> Picture:
    """How a run stands: its fixed latents drawn, its losses, its verdicts.

    Live training and the replay of a recorded run show this same picture.

    Args:
        frame: uint8 [H, W, 3], see `mosaic.tile`.
        images: real images seen.
        goal: images at the end of the run; fixes the horizontal axis, so that an animation stands still.
    """
    fig, axes = new_figure(12, 4.2, ncols=3, width_ratios=(1, 1, 1))
    axes[0].imshow(frame, interpolation="none")
    axes[0].set_axis_off()
    axes[0].set_title(f"after {images:,} images")
    _draw_curves(axes[1:], history, goal)
    return figure(
        fig,
        f"Left: what the generator makes of its fixed latents after {images:,} images. " + _words(history),
        dpi,
    )


def _draw_curves(axes, history: History, goal: int | None = None) -> None:
    losses_axis, scores_axis = axes
    for axis, columns in (
        (losses_axis, (("loss_d", "D", BLUE), ("loss_g", "G", RED))),
        (scores_axis, (("d_real", "D(x)", BLUE), ("d_fake", "D(G(z))", RED))),
    ):
        for column, label, colour in columns:
            seen, values = history.measured(column)
            axis.plot(seen, values, color=colour, alpha=0.15, linewidth=0.8)
            axis.plot(*_smoothed(seen, values), color=colour, label=label)
        axis.set_xlabel("real images seen")
        axis.legend(loc="lower right" if axis is scores_axis else "upper right", ncols=2, frameon=False)
        axis.set_xlim(0, goal)
        axis.xaxis.set_major_locator(MaxNLocator(4))
        axis.xaxis.set_major_formatter(EngFormatter(sep=""))
    losses_axis.set_title("losses")
    scores_axis.set_title("mean score of real and generated")
    scores_axis.set_ylim(0, 1)
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
    return (
        f"Curves so far: at the end D's loss is {history.mean('loss_d'):.2f}, "
        f"G's loss {history.mean('loss_g'):.2f}, D(x) {history.mean('d_real'):.2f} "
        f"and D(G(z)) {history.mean('d_fake'):.2f}."
    )


def replay(run: Run, frames: int = 18, ms: int = 350) -> Picture:
    """A recorded run as an animation: its grid growing while its curves are drawn."""
    drawn, history = run.frames, run.history
    chosen = np.linspace(0, len(drawn) - 1, min(frames, len(drawn))).round().astype(int)
    pictures = [standing(run, *drawn[i], history, dpi=36) for i in chosen]
    alt = f"The run {run.folder.name} from noise to {run.card['images']:,} images. {_words(history)}"
    return animation(pictures, alt, ms=ms, quality=70)


def standing(run: Run, step: int, frame: np.ndarray, history: History, dpi: int = 72) -> Picture:
    """How a recorded run stood when a frame was drawn.

    Args:
        step, frame: one of the run's `frames`.
        history: the run's; reading it takes a moment, so it is handed in.
    """
    images = step * run.recipe.batch * run.card.get("ranks", 1)
    return training(frame, History(history.rows[history["step"] < step]), images, run.card["images"], dpi)


class Live:
    """One picture in a notebook that is replaced while something runs. Outside a notebook it does nothing."""

    def __init__(self):
        self._handle = None

    def show(self, picture: Picture) -> None:
        """Display the picture, or put it in the place of the one before."""
        from IPython import get_ipython
        from IPython.display import display

        if get_ipython() is None:
            return
        if self._handle is None:
            self._handle = display(picture, display_id=True)
        else:
            self._handle.update(picture)


class LiveTraining(Live):
    """A run watched while it trains: call `update` at every report.

    Attributes:
        drawings: the grid of every update, for `animation`.
    """

    def __init__(self, goal: int | None = None, seconds: float = 2.0):
        super().__init__()
        self.goal, self.seconds = goal, seconds
        self.drawings: list[np.ndarray] = []
        self._last = -seconds

    def update(self, gan: GAN) -> None:
        """Draw how the run stands, at most once every few seconds, so that watching costs little."""
        done = self.goal is not None and gan.images >= self.goal
        if time.monotonic() - self._last < self.seconds and not done:
            return
        frame = tile(gan.draw())
        self.drawings.append(frame)
        self.show(training(frame, gan.history, gan.images, self.goal))
        self._last = time.monotonic()

    def animation(self, alt: str, frames: int = 20, ms: int = 250) -> Picture:
        """What was shown, as an animation of at most `frames` drawings."""
        chosen = np.linspace(0, len(self.drawings) - 1, min(frames, len(self.drawings))).round().astype(int)
        return animation([self.drawings[i] for i in chosen], alt, ms=ms, quality=60)
