"""Decoding that may be cut off anywhere: pixels in a file, and a journal of how far they go.

A chunk of pixels reaches the disk before the journal counts it, and what lies behind the last counted
picture is cut off when the work goes on. Both files are named after the fingerprint of the pictures, so a
changed folder never meets the pixels of the old one.
"""

import contextlib
import errno
import json
import os
import shutil
import threading
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image
from tqdm import tqdm

from gan_course import files, terminal
from gan_course.errors import CourseError
from gan_course.photos.album import Album, Skip, shown
from gan_course.photos.decode import decode

try:
    import fcntl
except ImportError:  # Windows: two processes at once then do the work twice, the later one in vain
    fcntl = None

VERSION = 1  # of the pixels: raise it when `decode` gives others
CHUNK_BYTES = 8_000_000  # of pixels between two entries of the journal
TASK = 64  # pictures that a thread takes at a time


def complete(album: Album, size: int, folder: Path, progress: bool) -> "Work":
    """The finished work in `folder`; what is missing is done first. Other processes wait meanwhile.

    Where no picture was usable, `rows` is 0 and nothing is left behind.

    Raises:
        CourseError: there is no room, the folder cannot be written to, or a picture went away.
    """
    work = Work(album, size, folder)
    if not work.finished():
        with _alone(folder):
            work.recall()  # another process may have finished it meanwhile
            if not work.finished():
                work.go_on(progress)
            work.remove(others=work.rows > 0)
    return work


class Work:
    """The decoding of one album to one size, as far as its journal says.

    Attributes:
        done: how many of `album.names` are dealt with.
        rows: how many of those are in the file, each uint8 [3, size, size].
        skipped: (name, why) of the others, and of those the album refused.
        pixels: the file.
    """

    def __init__(self, album: Album, size: int, folder: Path):
        self.album, self.size = album, size
        self.pixels = folder / f"v{VERSION}-{album.fingerprint[:24]}.pixels"
        self.row = 3 * size * size  # bytes
        self.journal = self.pixels.with_suffix(".json")
        self._stopped = threading.Event()
        self.recall()

    def recall(self) -> None:
        """Read the journal."""
        self.done, self.rows, self.skipped = 0, 0, list(self.album.refused)
        try:
            entry = json.loads(self.journal.read_text(encoding="utf-8"))
            if self.pixels.stat().st_size < entry["rows"] * self.row:
                return
            self.done, self.rows, self.skipped = entry["done"], entry["rows"], entry["skipped"]
        except (OSError, ValueError, KeyError, TypeError):
            pass  # nothing there, or nothing to be trusted: from the start

    def finished(self) -> bool:
        return self.done == len(self.album.names) and self.rows > 0

    def go_on(self, progress: bool) -> None:
        """Decode what is left.

        Raises:
            CourseError: there is no room, or a picture went away under the work.
        """
        names = self.album.names[self.done :]
        self._need_room(len(names) * self.row)
        step = max(1, CHUNK_BYTES // self.row)
        chunks = [names[i : i + step] for i in range(0, len(names), step)]
        threads = ThreadPoolExecutor(_cores())
        count = {"total": len(self.album.names), "initial": self.done, "unit": " pictures"}
        bar = terminal.bar(desc=f"decoding to {self.size} px", disable=not progress, **count)
        try:
            with bar, _pillow_quiet(), self._opened() as file:
                # The next chunk is decoded while this one is written.
                ahead = self._submit(threads, chunks[0], bar) if chunks else None
                for i in range(len(chunks)):
                    now, ahead = ahead, None
                    if i + 1 < len(chunks):
                        ahead = self._submit(threads, chunks[i + 1], bar)
                    self._keep(file, chunks[i], *now)
        finally:
            self._stopped.set()
            threads.shutdown(cancel_futures=True)

    def remove(self, others: bool) -> None:
        """Remove this work's two files, or those of all other works in its folder."""
        for file in self.pixels.parent.glob("v*"):
            if (file.stem != self.pixels.stem) == others:
                with contextlib.suppress(OSError):
                    file.unlink()

    def _submit(
        self, threads: ThreadPoolExecutor, names: Sequence[str], bar: tqdm
    ) -> tuple[np.ndarray, list[Future]]:
        pixels = np.empty((len(names), 3, self.size, self.size), np.uint8)

        def some(start: int) -> list[str | None]:
            wrong = []
            for i, name in enumerate(names[start : start + TASK]):
                if self._stopped.is_set():  # Ctrl-C: nobody waits for the rest
                    break
                wrong.append(self._one(name, pixels[start + i]))
            with _bar_lock:
                bar.update(len(wrong))
            return wrong

        return pixels, [threads.submit(some, start) for start in range(0, len(names), TASK)]

    def _one(self, name: str, pixels: np.ndarray) -> str | None:
        """Decode one picture into `pixels`; return why not, or None."""
        try:
            pixels[:] = decode(self.album.read(name), self.size)
        except Skip as skip:
            return str(skip)
        except MemoryError:
            raise CourseError(
                f"not enough memory to decode {shown(name)}: close other programs and call again; what was finished "
                "is kept"
            ) from None
        return None

    def _keep(self, file: BinaryIO, names: Sequence[str], pixels: np.ndarray, tasks: list[Future]) -> None:
        wrong = [why for task in tasks for why in task.result()]
        good = [i for i, why in enumerate(wrong) if why is None]
        try:
            left = memoryview(pixels.ravel() if len(good) == len(names) else pixels[good].ravel())
            while left:  # a disk that is nearly full takes a part and says so
                left = left[file.write(left) :]
            os.fsync(file.fileno())
        except OSError as error:
            raise self._cannot_write(error) from error
        self.skipped += [(name, why) for name, why in zip(names, wrong, strict=True) if why is not None]
        self.done, self.rows = self.done + len(names), self.rows + len(good)
        entry = {
            "place": str(self.album.place),
            "done": self.done,
            "rows": self.rows,
            "skipped": self.skipped,
        }
        files.write_atomically(self.journal, json.dumps(entry).encode())

    @contextlib.contextmanager
    def _opened(self) -> Iterator[BinaryIO]:
        """The pixels' file, cut to what the journal counts."""
        try:
            file = open(self.pixels, "ab", buffering=0)  # noqa: SIM115 - closed below, without flushing again
            file.truncate(self.rows * self.row)
        except OSError as error:
            raise self._cannot_write(error) from error
        with file:
            yield file

    def _need_room(self, needed: int) -> None:
        free, needed = shutil.disk_usage(self.pixels.parent).free, needed + CHUNK_BYTES
        if free < needed:
            raise CourseError(self._no_room(needed, free))

    def _cannot_write(self, error: OSError) -> CourseError:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            rest = (len(self.album.names) - self.done) * self.row
            return CourseError(
                f"{self._no_room(rest, shutil.disk_usage(self.pixels.parent).free)}; what was finished is kept"
            )
        return _not_writable(self.pixels.parent, error)

    def _no_room(self, needed: int, free: int) -> str:
        return (
            f"no room for the decoded pictures: {needed / 1e6:,.0f} MB are needed in {self.pixels.parent} and "
            f"{free / 1e6:,.0f} MB are free; make room, or let GAN_COURSE_CACHE name a folder on another disk"
        )


_bar_lock = threading.Lock()


def _cores() -> int:
    return min(8, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


@contextlib.contextmanager
def _pillow_quiet() -> Iterator[None]:
    """What Pillow warns of (large pictures, odd metadata) is decided here and would break the bar."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        yield


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Waits until no other process works in this folder."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = open(folder / "lock", "ab")  # noqa: SIM115 - its closing is what unlocks
    except OSError as error:
        raise _not_writable(folder, error) from error
    with file:
        if fcntl is not None:
            with contextlib.suppress(OSError):  # a file system without locks
                fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _not_writable(folder: Path, error: OSError) -> CourseError:
    return CourseError(
        f"cannot write in {folder} ({error.strerror}): let GAN_COURSE_CACHE name a folder that you may write to"
    )
