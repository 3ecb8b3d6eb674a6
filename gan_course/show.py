"""Pictures for a notebook: figures, grids, animations. Each one carries its alternative text.

Everything here returns a `Picture`. As the last expression of a cell it displays itself; a screen
reader finds `alt`, a file gets the same bytes through `save`. Colours are Okabe and Ito's, which
readers with any common colour vision can tell apart; sizes suit the back row of a lecture hall.
"""

import base64
import html
import io
from pathlib import Path

import matplotlib
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from gan_course import files
from gan_course.errors import CourseError
from gan_course.mosaic import encode_png, tile

BLUE, ORANGE, GREEN, PINK, SKY, RED, GREY = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#CC79A7",
    "#56B4E9",
    "#D55E00",
    "#6B6B6B",
)
REAL, FAKE = BLUE, RED  # the same two colours for real and generated throughout the course

STYLE = {
    "font.size": 13,
    "axes.titlesize": 14,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.25,
    "lines.linewidth": 2.0,
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
}


class Picture:
    """A still PNG, or an animation with a still for places that cannot move, and what it shows in words.

    Attributes:
        png: the still picture.
        alt: what a person who cannot see it needs to know; never empty.
        webp: the animation, or None.
    """

    def __init__(self, png: bytes, alt: str, webp: bytes | None = None, width: int | None = None):
        if not alt.strip():
            raise CourseError("a picture needs alternative text: say in a sentence what it shows")
        self.png, self.alt, self.webp = png, " ".join(alt.split()), webp
        self.width = width  # CSS pixels; a figure is drawn at twice that for sharp screens

    def _repr_mimebundle_(self, include=None, exclude=None):
        data = {"image/png": base64.b64encode(self.png).decode(), "text/plain": self.alt}
        metadata = {"image/png": {"alt": self.alt}}
        if self.width:
            metadata["image/png"]["width"] = self.width
        if self.webp:
            source = base64.b64encode(self.webp).decode()
            alt = html.escape(self.alt, quote=True)
            data["text/html"] = f'<img alt="{alt}" src="data:image/webp;base64,{source}">'
        return data, metadata

    def save(self, path: str | Path) -> Path:
        """Write the picture; a name ending in `.webp` gets the animation, any other the still."""
        return files.write_atomically(
            path, self.webp if str(path).endswith(".webp") and self.webp else self.png
        )


def new_figure(width: float = 9.0, height: float = 3.6, **subplots):
    """A matplotlib figure in the course's style, and its axes, as `plt.subplots` returns them.

    It belongs to no global state: nothing stays open and nothing is shown twice.
    """
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(width, height))
        FigureCanvasAgg(figure)
        return figure, figure.subplots(**subplots)


def figure(fig: Figure, alt: str, dpi: int = 72) -> Picture:
    """A matplotlib figure as a Picture, drawn at twice `dpi` and displayed at its natural size."""
    buffer = io.BytesIO()
    with matplotlib.rc_context(STYLE):
        fig.savefig(buffer, format="png", dpi=2 * dpi)
    return Picture(buffer.getvalue(), alt, width=int(fig.get_figwidth() * dpi))


def grid(images: torch.Tensor, alt: str, columns: int | None = None, scale: int | None = None) -> Picture:
    """A grid of images (see `mosaic.tile`) as a Picture."""
    return Picture(encode_png(tile(images, columns, scale=scale)), alt)


def beside(blocks: dict[str, torch.Tensor], alt: str, columns: int = 6, size: float = 4.2) -> Picture:
    """Grids of images side by side under their titles, for comparing them.

    Args:
        blocks: title -> images uint8 [N, C, H, W].
        columns: images in a row of each grid.
        size: inches that each grid takes across.
    """
    height = max(-(-len(images) // columns) for images in blocks.values()) / columns * size + 0.5
    fig, axes = new_figure(size * len(blocks), height, ncols=len(blocks), squeeze=False)
    for axis, (title, images) in zip(axes[0], blocks.items(), strict=True):
        axis.imshow(tile(images, columns))
        axis.set_title(title)
        axis.set_axis_off()
    return figure(fig, alt)


def animation(frames, alt: str, ms: int = 150, hold: int = 1500, quality: int = 80) -> Picture:
    """Frames as an animated WebP that loops, with the last frame as the still.

    Args:
        frames: uint8 arrays [H, W, 3], all of one size, or Pictures (their stills).
        ms: milliseconds a frame; the last one stays `hold` milliseconds.
    """
    pictures = [_as_image(frame) for frame in frames]
    if not pictures:
        raise CourseError("an animation needs at least one frame")
    buffer = io.BytesIO()
    durations = [ms] * (len(pictures) - 1) + [hold]
    pictures[0].save(
        buffer, "WEBP", save_all=True, append_images=pictures[1:], duration=durations, loop=0, quality=quality
    )
    last = io.BytesIO()
    pictures[-1].save(last, "PNG", optimize=True)
    return Picture(last.getvalue(), alt, webp=buffer.getvalue())


def _as_image(frame) -> Image.Image:
    if isinstance(frame, Picture):
        return Image.open(io.BytesIO(frame.png)).convert("RGB")
    return Image.fromarray(frame).convert("RGB")
