"""MNIST and FashionMNIST: what is known about them, and their four idx files in torchvision's layout, read.

An idx file (LeCun et al.) is a big-endian header, 4 bytes and 4 more for each dimension, then one byte a pixel
or a label. Both sets have the same file names and sizes; only the folders tell them apart.
"""

import gzip
import os
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch

from gan_course.errors import CourseError

SIDE = 28  # pixels, of both sets
CLOTHES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip
# split -> how its files are called, how a sentence calls it
SPLITS = {"train": ("train", "training"), "test": ("t10k", "test")}


@dataclass(frozen=True)
class Published:
    """What is known about a set before any file is opened.

    Attributes:
        name: what the course calls it.
        folder: its folder in torchvision's layout, which is also torchvision's class and what people call it.
        classes: the class names, by label.
        licence, authors: for the credits.
        counts: number of images of each split.
    """

    name: str
    folder: str
    classes: tuple[str, ...]
    licence: str
    authors: str
    counts: Mapping[str, int] = field(default_factory=lambda: {"train": 60_000, "test": 10_000})

    def raw(self, root: Path) -> Path | None:
        """Where its files lie: ROOT/MNIST/raw, ROOT/raw or ROOT itself; None where none of them lies there."""
        for raw in (root / self.folder / "raw", root / "raw", root):
            if any(os.path.exists(file) for split in SPLITS for file in self._files(raw, split)):
                return raw
        return None

    def read(self, raw: Path, split: str) -> tuple[torch.Tensor, torch.Tensor]:
        """Images uint8 [N, 1, 28, 28] and labels int64 [N] of a split, from the folder `raw`.

        Raises:
            CourseError: a file is missing, unreadable or damaged, or it is another set's.
        """
        for other in SETS.values():
            if other is not self and other.folder in (raw.name, raw.parent.name):
                raise CourseError(f"{raw} holds {other.folder}, not {self.folder}: name {self.folder}'s folder")
        count = self.counts[split]
        images, packed_images, labels, packed_labels = self._files(raw, split)
        pixels = _content(images, packed_images, (count, SIDE, SIDE))
        return pixels[:, None], _content(labels, packed_labels, (count,)).long()

    def _files(self, raw: Path, split: str) -> list[Path]:
        """The images and the labels of a split, each with its compressed twin."""
        stem = SPLITS[split][0]
        names = (f"{stem}-images-idx3-ubyte", f"{stem}-labels-idx1-ubyte")
        return [raw / f"{name}{end}" for name in names for end in ("", ".gz")]


def _content(plain: Path, packed: Path, shape: tuple[int, ...]) -> torch.Tensor:
    """uint8 of that shape, from an idx file or, where there is none, from the .gz beside it."""
    path = packed if os.path.exists(packed) and not os.path.exists(plain) else plain
    header = bytes([0, 0, 8, len(shape)]) + b"".join(size.to_bytes(4, "big") for size in shape)
    size = len(header) + torch.Size(shape).numel()
    try:
        with gzip.open(path) if path is packed else open(path, "rb") as file:
            content = bytearray(file.read(size + 1))  # one more than expected shows a file that is too long
    except FileNotFoundError:
        raise CourseError(f"there is no {plain}, nor {plain.name}.gz: copy the published file there") from None
    except (EOFError, zlib.error, OSError) as error:  # gzip's own are among them
        why = getattr(error, "strerror", None) or error
        raise CourseError(f"cannot read {path} ({why}): copy the published file there") from error
    if content[: len(header)] != header[: len(content)]:
        raise CourseError(
            f"{path} does not begin as the published file of {shape[0]:,} does: copy the published file there"
        )
    if len(content) != size:
        wrong = f"truncated ({len(content):,} of {size:,} bytes)" if len(content) < size else "too long"
        raise CourseError(f"{path} is {wrong}: copy the published file there")
    return torch.frombuffer(content, dtype=torch.uint8, offset=len(header)).view(shape)


SETS = {
    s.name: s
    for s in (
        Published(
            name="mnist",
            folder="MNIST",
            classes=tuple("0123456789"),
            licence="CC BY-SA 3.0",
            authors="Yann LeCun, Corinna Cortes, Christopher J. C. Burges",
        ),
        Published(
            name="fashion-mnist",
            folder="FashionMNIST",
            classes=CLOTHES,
            licence="MIT",
            authors="Han Xiao, Kashif Rasul, Roland Vollgraf (Zalando SE)",
        ),
    )
}
