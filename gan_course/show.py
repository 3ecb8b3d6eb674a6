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
from matplotlib.text import Text
from PIL import Image, ImageChops, ImageStat

from gan_course import files
from gan_course.errors import CourseError
from gan_course.mosaic import encode_png, tile

BLUE, ORANGE, GREEN, PINK = "#0072B2", "#E69F00", "#009E73", "#CC79A7"
SKY, RED, GREY = "#56B4E9", "#D55E00", "#6B6B6B"
REAL, FAKE = BLUE, RED  # the same two colours for real and generated throughout the course

DPI = 72  # dots an inch, so that a point of text is a CSS pixel
STYLE = {
    "font.size": 13,
    "axes.titlesize": 14,
    "figure.titlesize": 14,
    "figure.labelsize": 13,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.25,
    "lines.linewidth": 2.0,
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
}
matplotlib.rcParams.update(STYLE)  # for all that a lesson, or a student, adds to a figure later

LARGE = 50_000  # bytes of PNG, above which something smaller is looked for
JPEG_QUALITY = 85


class Picture:
    """A still picture, or an animation with a still for places that cannot move, and what it shows in words.

    Attributes:
        still: the still picture, PNG or JPEG.
        mime: which of the two.
        alt: what a person who cannot see it needs to know; never empty.
        webp: the animation, or None.
        shown: of a figure `width`, in CSS pixels (it is drawn at twice that for sharp screens), and `type`, the size of
            its smallest letters at that width.
    """

    def __init__(self, still: bytes, alt: str, webp: bytes | None = None, **shown):
        if not alt.strip():
            raise CourseError("a picture needs alternative text: say in a sentence what it shows")
        self.still, self.alt, self.webp = still, " ".join(alt.split()), webp
        self.mime = "image/jpeg" if still.startswith(b"\xff\xd8") else "image/png"
        self.shown = shown

    def _repr_mimebundle_(self, include=None, exclude=None):
        data = {self.mime: base64.b64encode(self.still).decode(), "text/plain": self.alt}
        metadata = {self.mime: {"alt": self.alt, **self.shown}}
        if self.webp:
            source = base64.b64encode(self.webp).decode()
            alt = html.escape(self.alt, quote=True)
            data["text/html"] = f'<img alt="{alt}" src="data:image/webp;base64,{source}">'
        return data, metadata

    def save(self, path: str | Path) -> Path:
        """Write the picture; a name ending in `.webp` gets the animation, any other the still."""
        return files.write_atomically(
            path, self.webp if str(path).endswith(".webp") and self.webp else self.still
        )


def _compressed(png: bytes) -> bytes:
    """The PNG itself; a large one in 256 colours where that shows it (curves), else as JPEG if half as big (faces)."""
    if len(png) <= LARGE:
        return png
    picture, buffer = Image.open(io.BytesIO(png)).convert("RGB"), io.BytesIO()
    few = picture.quantize(256, dither=Image.Dither.NONE)
    if max(ImageStat.Stat(ImageChops.difference(picture, few.convert("RGB"))).mean) < 0.5:  # grey levels
        few.save(buffer, "PNG", optimize=True)
        return min(png, buffer.getvalue(), key=len)
    picture.save(buffer, "JPEG", quality=JPEG_QUALITY, subsampling=0)
    return buffer.getvalue() if len(buffer.getvalue()) < len(png) / 2 else png


def new_figure(width: float = 9.0, height: float = 3.6, **subplots):
    """A matplotlib figure and its axes, as `plt.subplots` returns them; nothing stays open or is shown twice.

    At this size or a smaller one its letters can be read from the back row (24 pixels of a slide of 1280 by 720).
    """
    figure = Figure(figsize=(width, height))
    FigureCanvasAgg(figure)
    return figure, figure.subplots(**subplots)


def figure(fig: Figure, alt: str, dpi: int = DPI) -> Picture:
    """A matplotlib figure as a Picture, drawn at twice `dpi` and displayed at its natural size."""
    buffer = io.BytesIO()
    fig.savefig(buffer, format="png", dpi=2 * dpi)
    letters = min(text.get_fontsize() for text in fig.findobj(Text) if text.get_text()) * dpi / DPI
    return Picture(_compressed(buffer.getvalue()), alt, width=int(fig.get_figwidth() * dpi), type=letters)


def grid(images: torch.Tensor, alt: str, columns: int | None = None, scale: int | None = None) -> Picture:
    """A grid of images (see `mosaic.tile`) as a Picture."""
    return Picture(_compressed(encode_png(tile(images, columns, scale=scale))), alt)


def beside(blocks: dict[str, torch.Tensor], alt: str, columns: int = 6) -> Picture:
    """Grids of images side by side under their titles, for comparing them; a pixel stays a pixel.

    Args:
        blocks: title -> images uint8 [N, C, H, W].
        columns: images in a row of each grid.
    """
    grids = [tile(images, columns) for images in blocks.values()]
    gap = 24  # pixels between the grids
    width = sum(grid.shape[1] for grid in grids) + gap * (len(grids) - 1)
    fits = min(grid.shape[1] / (0.56 * len(title)) for title, grid in zip(blocks, grids, strict=True))
    letters = max(14.0, min(fits, width / 50))  # a wide picture is shown small
    head = round(2.4 * letters)  # above the grids, for the titles
    height = max(grid.shape[0] for grid in grids) + head
    fig = Figure(figsize=(width / DPI, height / DPI), layout="none")
    FigureCanvasAgg(fig)
    left = 0
    for title, grid in zip(blocks, grids, strict=True):
        h, w = grid.shape[:2]
        axis = fig.add_axes((left / width, 1 - (head + h) / height, w / width, h / height))
        axis.imshow(grid, interpolation="none", aspect="auto")
        axis.set_axis_off()
        fig.text(left / width, 1 - 0.7 * head / height, title, fontsize=letters)
        left += w + gap
    buffer = io.BytesIO()
    fig.savefig(buffer, format="png", dpi=DPI)
    return Picture(_compressed(buffer.getvalue()), alt)


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
    return Picture(_compressed(last.getvalue()), alt, webp=buffer.getvalue())


def _as_image(frame) -> Image.Image:
    if isinstance(frame, Picture):
        return Image.open(io.BytesIO(frame.still)).convert("RGB")
    return Image.fromarray(frame).convert("RGB")
