"""The catalogue of image sets: who made them, what is in them, and their files read and verified.

Both sets come as four idx files (LeCun et al.): a big-endian header of 4 bytes and 4 more for each
dimension, then one byte a pixel or a label. Every file is compared with the published one by its
sha256 at every reading, so a set is either the published one to the bit or an error.
"""

import gzip
import hashlib
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch

from gan_course.errors import CourseError

SIDE = 28  # pixels, of both sets
# split -> how its files are called, how a sentence calls it
SPLITS = {"train": ("train", "training"), "test": ("t10k", "test")}


@dataclass(frozen=True)
class Entry:
    """What is known about one set before any file is opened.

    Attributes:
        name: what the course calls it.
        title: what people call it.
        folder: its folder in torchvision's layout, which is also torchvision's class.
        classes: the class names, by label.
        counts: number of images of each split.
        sha256: file name -> sha256 of the uncompressed file.
        licence, authors: for the credits.
        urls: mirrors, each ending in a slash; empty for torchvision's.
        md5: name of the .gz -> md5; empty for torchvision's.
    """

    name: str
    title: str
    folder: str
    classes: tuple[str, ...]
    counts: Mapping[str, int]
    sha256: Mapping[str, str]
    licence: str
    authors: str
    urls: Sequence[str] = ()
    md5: Mapping[str, str] = field(default_factory=dict)

    def mirrors(self) -> tuple[Sequence[str], Mapping[str, str]]:
        """Where the .gz files are published, and their md5 sums."""
        if self.urls:
            return self.urls, self.md5
        import torchvision.datasets  # costs a second, and only a download needs it

        publisher = getattr(torchvision.datasets, self.folder)
        return publisher.mirrors, dict(publisher.resources)

    def read(self, split: str, raw: Path) -> tuple[torch.Tensor, torch.Tensor]:
        """Images uint8 [N, 1, 28, 28] and labels int64 [N] of the files in the folder `raw`.

        Raises:
            CourseError: a file is missing, truncated, unreadable or not the published one.
        """
        stem = SPLITS[split][0]
        images = self.verified(raw / f"{stem}-images-idx3-ubyte")
        labels = self.verified(raw / f"{stem}-labels-idx1-ubyte")
        # The bytes are the published ones, so the header (4 bytes, 4 a dimension) is known.
        return (
            torch.frombuffer(images, dtype=torch.uint8, offset=16).view(-1, 1, SIDE, SIDE),
            torch.frombuffer(labels, dtype=torch.uint8, offset=8).long(),
        )

    def verified(self, file: Path) -> bytearray:
        """The uncompressed bytes of one raw file, or of the .gz beside it.

        Raises:
            CourseError: as for `read`.
        """
        stem, kind, *_ = file.name.split("-")
        count = next(n for split, n in self.counts.items() if SPLITS[split][0] == stem)
        size = 16 + count * SIDE**2 if kind == "images" else 8 + count
        packed = file.with_name(file.name + ".gz")
        path = packed if not _exists(file) and _exists(packed) else file
        content = _bytes(path, size + 1)  # one more than expected shows a file that is too long
        found = hashlib.sha256(content).hexdigest()
        if found == self.sha256[file.name]:
            return content
        wrong = self._what_is_wrong(content, size, found)
        raise CourseError(f"{path} {wrong}: put {self.name}'s own {file.name} there")

    def _what_is_wrong(self, content: bytearray, size: int, found: str) -> str:
        for other in SETS.values():
            for file, sha256 in other.sha256.items():
                if found == sha256:
                    return f"holds the {file} of {other.name}"
        if content[:2] == b"\x1f\x8b":
            return "is compressed, though its name does not end in .gz"
        if len(content) < size:
            return f"is truncated ({len(content):,} of {size:,} bytes)"
        if len(content) > size:
            return f"is longer than {size:,} bytes"
        return f"is damaged (its sha256 is {found[:12]}…)"


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a folder that may not be entered: the reading will say so
        return True


def _bytes(path: Path, most: int) -> bytearray:
    """At most `most` uncompressed bytes of a file, so that a strange .gz cannot fill the memory."""
    content = bytearray(most)
    try:
        with gzip.open(path) if path.suffix == ".gz" else open(path, "rb") as file:
            length = file.readinto(content)
    except FileNotFoundError:
        raise CourseError(f"there is no {path}, nor {path.name}.gz: copy the published file there") from None
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise CourseError(f"{path} is a damaged .gz ({error}): copy the published file again") from error
    except OSError as error:
        raise CourseError(
            f"cannot read {path} ({error.strerror or error}): it must be a file that you may read"
        ) from error
    del content[length:]
    return content


SETS = {
    s.name: s
    for s in (
        Entry(
            name="mnist",
            title="MNIST",
            folder="MNIST",
            classes=tuple("0123456789"),
            counts={"train": 60_000, "test": 10_000},
            sha256={
                "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
                "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
                "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
                "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
            },
            licence="CC BY-SA 3.0",
            authors="Yann LeCun, Corinna Cortes, Christopher J. C. Burges",
        ),
        Entry(
            name="fashion-mnist",
            title="FashionMNIST",
            folder="FashionMNIST",
            classes=(
                "T-shirt/top",
                "Trouser",
                "Pullover",
                "Dress",
                "Coat",
                "Sandal",
                "Shirt",
                "Sneaker",
                "Bag",
                "Ankle boot",
            ),
            counts={"train": 60_000, "test": 10_000},
            sha256={
                "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
                "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
                "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
                "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
            },
            licence="MIT",
            authors="Han Xiao, Kashif Rasul, Roland Vollgraf (Zalando SE)",
        ),
    )
}
