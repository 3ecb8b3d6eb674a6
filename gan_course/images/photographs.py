"""Many pictures -> one uint8 array in a file: decoded once, by threads, memory-mapped ever after.

The array lies in the cache, in a folder of its own for each source and size; nothing is written beside the
pictures. Work may be cut off anywhere: a chunk of pixels reaches the disk before the journal counts it. Both
files are named after the fingerprint of the pictures, so a changed source never meets the pixels of the old
one. What a row holds is decided by the source alone, so two processes at once write the same bytes to the
same places and do each other no harm.
"""

import contextlib
import errno
import hashlib
import json
import os
import shutil
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from gan_course import files, terminal
from gan_course.errors import CourseError, whole
from gan_course.images.album import Album, Skip, left_out, shown
from gan_course.images.decode import decode

VERSION = 1  # of the pixels: raise it when `decode` gives others
CHUNK_BYTES = 16_000_000  # of pixels between two entries of the journal
SMALLEST, LARGEST = 16, 512


def prepare(album: Album, size: int, *, progress: bool = True) -> tuple[torch.Tensor, tuple[str, ...], str]:
    """Decode the pictures of an album to squares of `size` pixels, or find them decoded.

    Args:
        size: side of the squares in pixels, 16 to 512.
        progress: whether a bar shows how many are done and the time left.

    Returns:
        images uint8 [N, 3, size, size], memory-mapped, so that changes stay in this process; the names of those N
        pictures, as in the album; and in words how many there are and what was left out.

    Raises:
        CourseError: no picture is usable, or one went away; the cache has no room or may not be written to.
    """
    size = whole(size, "pixels a side of photographs", SMALLEST, LARGEST)
    key = hashlib.sha256(os.fsencode(album.place)).hexdigest()[:16]
    work = _Work(album, size, files.cache_dir() / "decoded" / f"{key}-{size}")
    try:
        if work.done < len(album.names):
            work.go_on(progress)
        skipped = [*album.refused, *work.skipped]
        if not work.rows:
            work.remove(others=False)
            raise CourseError(
                f"no usable picture in {shown(album.place)}{_named(skipped)}: whole .jpg or .png files work"
            )
        work.remove(others=True)
        flat = torch.from_file(str(work.pixels), shared=False, size=work.rows * work.row, dtype=torch.uint8)
    except (OSError, RuntimeError) as error:  # torch's own, where another process has removed the file
        raise CourseError(work.trouble(error)) from error
    gone = {name for name, _ in skipped}
    names = tuple(name for name in album.names if name not in gone)
    others = f", {left_out(album.others)} left out" if album.others else ""
    account = f"{len(names):,} pictures from {shown(album.place)}{_named(skipped)}{others}"
    return flat.view(-1, 3, size, size), names, account


class _Work:
    """The decoding of one album to one size, as far as its journal says.

    Attributes:
        done: how many of `album.names` are dealt with.
        rows: how many of those are in the file `pixels`, each uint8 [3, size, size], `row` bytes.
        skipped: (name, why) of the others.
    """

    def __init__(self, album: Album, size: int, folder: Path):
        self.album, self.size, self.row = album, size, 3 * size * size
        self.pixels = folder / f"v{VERSION}-{album.fingerprint[:24]}.pixels"
        self.journal = self.pixels.with_suffix(".json")
        self.done, self.rows, self.skipped = 0, 0, []
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):  # none, or not to be trusted
            entry = json.loads(self.journal.read_text(encoding="utf-8"))
            if self.pixels.stat().st_size >= entry["rows"] * self.row:
                self.done, self.rows, self.skipped = entry["done"], entry["rows"], entry["skipped"]

    def go_on(self, progress: bool) -> None:
        """Decode what is left.

        Raises:
            CourseError: a picture went away, or memory is short.
            OSError: the file cannot be written to.
        """
        names, step = self.album.names, max(1, CHUNK_BYTES // self.row)
        self.pixels.parent.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(self.pixels.parent).free < (len(names) - self.done) * self.row:
            raise OSError(errno.ENOSPC, "no room")
        self.pixels.touch()
        count = {"total": len(names), "initial": self.done, "unit": " pictures"}
        bar = terminal.bar(desc=f"decoding to {self.size} px", disable=not progress, **count)
        threads = ThreadPoolExecutor(min(8, os.cpu_count() or 1))
        try:
            with bar, _pillow_quiet(), open(self.pixels, "r+b") as file:
                for start in range(self.done, len(names), step):
                    chunk, good = names[start : start + step], []
                    for name, (pixels, why) in zip(chunk, threads.map(self._one, chunk), strict=True):
                        if why:
                            self.skipped.append((name, why))
                        else:
                            good.append(pixels)
                        bar.update()
                    self._keep(file, good, start + len(chunk))
        finally:
            threads.shutdown(cancel_futures=True)  # Ctrl-C: nobody waits for the rest

    def _one(self, name: str) -> tuple[np.ndarray | None, str]:
        """One picture's pixels, or why it has none."""
        try:
            return decode(self.album.read(name), self.size), ""
        except Skip as skip:
            return None, str(skip)
        except MemoryError:
            raise CourseError(
                f"not enough memory to decode {shown(name)}: close other programs and call again"
            ) from None

    def _keep(self, file, good: list[np.ndarray], done: int) -> None:
        file.seek(self.rows * self.row)
        file.write(b"".join(pixels.tobytes() for pixels in good))
        file.flush()
        os.fsync(file.fileno())
        self.done, self.rows = done, self.rows + len(good)
        entry = {"place": str(self.album.place), "done": done, "rows": self.rows, "skipped": self.skipped}
        files.write_atomically(self.journal, json.dumps(entry).encode())

    def remove(self, others: bool) -> None:
        """Remove this work's two files, or those of all other works in its folder."""
        for file in self.pixels.parent.glob("v*"):
            if (file.stem != self.pixels.stem) == others:
                with contextlib.suppress(OSError):
                    file.unlink()

    def trouble(self, error: Exception) -> str:
        """In one line, why the cache cannot hold the pictures."""
        why = getattr(error, "strerror", None) or " ".join(str(error).split())[:120]
        if getattr(error, "errno", None) in files.NO_ROOM:
            rest = (len(self.album.names) - self.done) * self.row
            free = shutil.disk_usage(self.pixels.parent).free
            why = f"no room: {rest / 1e6:,.0f} MB more are needed, {free / 1e6:,.0f} MB are free"
        return (
            f"cannot keep the decoded pictures in {self.pixels.parent} ({why}); what was finished is kept: make room "
            "and call again, or let GAN_COURSE_CACHE name a folder on another disk that you may write to"
        )


def _named(skipped: list, most: int = 5) -> str:
    """', N skipped: …' with the first few by name; '' where there are none."""
    if not skipped:
        return ""
    first = "; ".join(f"{shown(name)} {why}" for name, why in skipped[:most])
    rest = f"; and {len(skipped) - most:,} more" if len(skipped) > most else ""
    return f", {len(skipped):,} skipped ({first}{rest})"


@contextlib.contextmanager
def _pillow_quiet():
    """What Pillow warns of (large pictures, odd metadata) is decided here and would break the bar."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        yield
