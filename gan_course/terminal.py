"""What appears in a terminal: progress, tables, and how a command ends."""

import contextlib
import os
import sys
from collections.abc import Callable, Sequence

from tqdm import tqdm

from gan_course.errors import CourseError


def bar(**options) -> tqdm:
    """tqdm's bar with its own options, on the terminal's stderr, or in a notebook on stdout.

    A notebook paints stderr red, and a recorded lesson keeps none of it.
    """
    return tqdm(file=_stream(), **options)


def say(text: str) -> None:
    """Print a line above whatever bar is shown."""
    tqdm.write(text, file=_stream())


def _stream() -> "Lasting":
    return Lasting(sys.stdout if _in_notebook() else sys.stderr)


class Lasting:
    """A stream whose reader may go away (`| head`) or never was there (None): long work goes on without it."""

    def __init__(self, stream):
        self._stream = stream

    def __getattr__(self, name):
        return getattr(self._stream, name)

    def write(self, text: str) -> None:
        if self._stream is not None:
            with contextlib.suppress(BrokenPipeError):
                self._stream.write(text)

    def flush(self) -> None:
        if self._stream is not None:
            with contextlib.suppress(BrokenPipeError):
                self._stream.flush()


def _in_notebook() -> bool:
    """Whether a Jupyter kernel runs this process; where none does, IPython need not even be installed."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return hasattr(shell, "kernel")


def aligned(rows: Sequence[Sequence[str]], numbers: bool = False) -> str:
    """Rows of cells under each other, two blanks between the columns.

    Args:
        numbers: every column but the first is aligned to the right.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if numbers and i else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def command(name: str, work: Callable[[], int | None]) -> int:
    """Do a command's work and return its exit status.

    0 done; 1 found wanting; 2 bad input, said in one line; 130 stopped by Ctrl-C; 141 nobody reads on.
    What the terminal's encoding cannot say is printed as `?`.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        status = work() or 0
    except CourseError as error:
        print(f"{name}: {error}", file=Lasting(sys.stderr))
        status = 2
    except KeyboardInterrupt:
        print(f"{name}: stopped; what was saved before is kept", file=Lasting(sys.stderr))
        status = 130
    except BrokenPipeError:
        status = 141
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except BrokenPipeError:
            with contextlib.suppress(OSError, ValueError):  # so that Python's own last flush is quiet, too
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
            status = status or (141 if stream is sys.stdout else 0)
    return status
