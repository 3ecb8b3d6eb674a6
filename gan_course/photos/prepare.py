"""Many pictures -> one uint8 array in a file: decoded once, memory-mapped ever after.

The array lies in the cache, in a folder of its own for each source and size; nothing is written beside the
pictures. A changed source is decoded anew, and its old array is removed once the new one is whole.
"""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch

from gan_course import files
from gan_course.errors import CourseError
from gan_course.photos.album import Album, gather, shown
from gan_course.photos.journal import complete

SIZES = range(16, 513)


@dataclass(frozen=True, eq=False)
class Decoded:
    """The pictures of one source at one size.

    Attributes:
        images: uint8 [N, 3, size, size], memory-mapped: a page is read from the disk when it is used, and
            the system may drop it again. Changes stay in this process.
        names: of the N pictures, relative to the source, sorted.
        skipped: (name, why) of the others.
        place: the folder or zip they came from.
    """

    images: torch.Tensor = field(repr=False)
    names: tuple[str, ...] = field(repr=False)
    skipped: tuple[tuple[str, str], ...]
    place: Path

    def account(self) -> str:
        """In words, without a full stop: how many pictures there are, and which were skipped."""
        return f"{len(self.names):,} pictures from {shown(self.place)}" + _named(self.skipped)


def prepare(source: str | Path | Album, size: int, *, progress: bool = True) -> Decoded:
    """Decode the pictures of a folder or zip to squares of `size` pixels, or find them decoded.

    Args:
        source: a folder (with its subfolders) or a zip of pictures, or what `gather` made of one.
        size: side of the squares in pixels, 16 to 512.
        progress: whether a bar shows how many are done and the time left.

    Raises:
        CourseError: the source cannot be read or has no usable picture; the cache has no room or may not
            be written to.
    """
    check(size)
    album = source if isinstance(source, Album) else gather(source)
    key = hashlib.sha256(os.fsencode(album.place)).hexdigest()[:16]
    folder = files.cache_dir() / "decoded" / f"{key}-{size}"
    work = complete(album, size, folder, progress)
    if not work.rows:
        raise CourseError(
            f"no usable picture in {shown(album.place)}{_named(work.skipped)}: whole .jpg or .png files work"
        )
    skipped = tuple((name, why) for name, why in work.skipped)
    gone = {name for name, _ in skipped}
    names = tuple(name for name in album.names if name not in gone)
    flat = torch.from_file(str(work.pixels), shared=False, size=work.rows * work.row, dtype=torch.uint8)
    return Decoded(flat.view(-1, 3, size, size), names, skipped, album.place)


def check(size: int) -> None:
    """Whether pictures can be decoded to that size.

    Raises:
        CourseError: they cannot.
    """
    if not isinstance(size, int) or size not in SIZES:
        raise CourseError(f"pictures of {size!r} pixels: {SIZES[0]} to {SIZES[-1]} work")


def _named(skipped: Sequence[Sequence[str]], most: int = 5) -> str:
    """', N skipped: …' with the first few by name; '' where there are none."""
    if not skipped:
        return ""
    first = "; ".join(f"{shown(name)} {why}" for name, why in skipped[:most])
    rest = f"; and {len(skipped) - most:,} more" if len(skipped) > most else ""
    return f", {len(skipped):,} skipped ({first}{rest})"
