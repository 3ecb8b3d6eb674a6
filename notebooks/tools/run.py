"""Run the lessons from beginning to end and leave what they show in a folder.

    python notebooks/tools/run.py                              every lesson, at this machine's profile
    python notebooks/tools/run.py --lesson 02 --profile cpu    one lesson
    python notebooks/tools/run.py --record                     also commit-ready, into notebooks/

Each lesson is built afresh from its source and runs in a kernel of its own. A failing cell ends its
lesson, not the course. Ctrl-C stops the running cell as a notebook's stop button does and keeps what
is there; a second Ctrl-C ends the kernel.
"""

import argparse
import asyncio
import contextlib
import os
import platform
import re
import shutil
import signal
import sys
import textwrap
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
from tqdm import tqdm

import build
import exports
import front_page
import recording
from gan_course import devices, profiles
from gan_course.errors import CourseError
from gan_course.files import user_path
from gan_course.terminal import command


@dataclass
class Outcome:
    """How a lesson went."""

    slug: str
    seconds: float
    showed: str
    problem: str = ""
    interrupted: bool = False

    @property
    def state(self) -> str:
        """In words."""
        return "stopped" if self.interrupted else self.problem or "done"


def choose(folder: Path, wanted: list[str]) -> list[Path]:
    """The sources of the lessons asked for by number or name; of all without any.

    Raises:
        CourseError: there is no such lesson.
    """
    paths = build.sources(folder)
    if not paths:
        raise CourseError(f"no lessons in {folder}: a lesson is a file named NN_slug.py")
    chosen = []
    for name in wanted:
        stem = name.removesuffix(".py").removesuffix(".ipynb")
        found = [p for p in paths if stem == p.stem or stem.zfill(2) == p.stem[:2]]
        if not found:
            raise CourseError(f"no lesson {name!r}: there are {', '.join(p.stem for p in paths)}")
        chosen += found
    return chosen or paths


def execute(notebook, folder: Path, environment: dict, title: str) -> tuple[str, bool]:
    """Run a notebook's cells in a new kernel, in place.

    Returns:
        What went wrong, in words ("" if nothing did), and whether it was interrupted.
    """
    client = NotebookClient(
        notebook,
        kernel_name="python3",
        record_timing=False,
        store_widget_state=False,
        extra_arguments=["--log-level=ERROR"],
    )
    interrupted = False

    async def run() -> str:
        nonlocal interrupted
        async with client.async_setup_kernel(env=environment, cwd=str(folder)):

            def stop() -> None:
                nonlocal interrupted
                end = client.km.shutdown_kernel(now=True) if interrupted else client.km.interrupt_kernel()
                interrupted = True
                pending.append(asyncio.ensure_future(end))

            pending: list[asyncio.Future] = []
            asyncio.get_running_loop().add_signal_handler(signal.SIGINT, stop)
            total = sum(cell.cell_type == "code" for cell in notebook.cells)
            with tqdm(total=total, desc=title, unit="cell", leave=False, disable=None) as bar:
                for index, cell in enumerate(notebook.cells):
                    if interrupted:
                        break
                    try:
                        await client.async_execute_cell(cell, index)
                    except CellExecutionError as error:
                        return "" if interrupted else _explain(error, index + 1, len(notebook.cells))
                    except DeadKernelError:
                        return "" if interrupted else f"cell {index + 1}: the kernel died; out of memory?"
                    bar.update(cell.cell_type == "code")
        return ""

    client.reset_execution_trackers()
    problem = asyncio.run(run())
    return problem, interrupted


def _explain(error: CellExecutionError, number: int, total: int) -> str:
    lines = recording.ANSI.sub("", error.traceback).strip().splitlines()
    last = textwrap.indent("\n".join(lines[-6:]), "    ")
    return f"cell {number} of {total} failed: {error.ename}\n{last}"


def run_lesson(path: Path, chosen: profiles.Profile, out: Path, record: bool) -> Outcome:
    """Execute one lesson and write what it left; with `record`, into its committed notebook too."""
    lesson, course = build.read(path), front_page.Course.read(path.parent)
    notebook = build.compile_lesson(lesson, course)
    start = time.monotonic()
    environment = os.environ | {"GAN_COURSE_PROFILE": chosen.name, "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
    if data := os.environ.get("GAN_COURSE_DATA"):  # typed here, while the kernel runs in the lessons' folder
        environment["GAN_COURSE_DATA"] = str(user_path(data).absolute())
    problem, interrupted = execute(notebook, path.parent, environment, path.stem)
    outcome = Outcome(path.stem, time.monotonic() - start, _showed(notebook), problem, interrupted)
    recording.tidy(notebook)
    exports.write(notebook, out, path.stem, f"{lesson.number} · {lesson.title}")
    if record and not problem and not interrupted:
        stamp = {
            "course": course.version,
            "device": devices.name(devices.default()),
            "minutes": round(outcome.seconds / 60, 1),
            "profile": chosen.name,
            "python": platform.python_version(),
            "torch": torch.__version__,
        }
        if seed := re.search(r"^SEED\s*=\s*(\d+)", "\n".join(c.source for c in lesson.cells), re.MULTILINE):
            stamp["seed"] = int(seed[1])
        try:
            recording.record(notebook, path.with_suffix(".ipynb"), stamp)
        except CourseError as error:
            outcome.problem = f"not recorded: {error}"
    return outcome


def _showed(notebook) -> str:
    cells = [c for c in notebook.cells if "showed" in c.metadata.get("tags", [])]
    texts = (o.text for c in cells for o in c.outputs if o.get("name") == "stdout")
    return " ".join("".join(texts).split())


def table(outcomes: list[Outcome]) -> str:
    """Lesson, minutes and what it showed, as wide as the terminal."""
    first = max(len("lesson"), *(len(o.slug) for o in outcomes))
    width = max(first + 42, shutil.get_terminal_size((120, 24)).columns)
    rows = [f"{'lesson':<{first}}  minutes  what it showed"]
    for o in outcomes:
        said = o.showed if o.state == "done" and o.showed else o.state.split("\n")[0]
        begin = f"{o.slug:<{first}}  {o.seconds / 60:>7.1f}  "
        rows.append(textwrap.fill(said, width, initial_indent=begin, subsequent_indent=" " * len(begin)))
    return "\n".join(rows)


def run(options: argparse.Namespace) -> int:
    """Run the lessons asked for; returns the exit status."""
    paths = choose(options.lessons.resolve(), options.lesson)
    chosen = profiles.get(options.profile) if options.profile else profiles.current()
    out = user_path(options.out, "folder for the lessons")
    print(f"{len(paths)} lesson{'s' * (len(paths) > 1)} at profile {chosen.name}: {chosen.about}", flush=True)
    outcomes = []
    with contextlib.suppress(KeyboardInterrupt):
        for path in paths:
            outcomes.append(run_lesson(path, chosen, out, options.record))
            print(f"{path.stem}: {outcomes[-1].state} ({outcomes[-1].seconds:.0f} s)", flush=True)
            if outcomes[-1].interrupted:
                break
    if outcomes:
        print(f"\n{table(outcomes)}\n")
        print(f"Look at {out}/{outcomes[0].slug}.html; the pictures are in {out}/figures/")
    if len(outcomes) < len(paths) or any(o.interrupted for o in outcomes):
        return 130
    return 1 if any(o.problem for o in outcomes) else 0


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(description="Run the course's lessons; leave notebooks, pages and pictures.")
    parser.add_argument(
        "--lesson", nargs="*", action="extend", default=[], metavar="NN", help="by number (default: all)"
    )
    parser.add_argument("--profile", help=f"{', '.join(profiles.PROFILES)} (default: by machine)")
    parser.add_argument("--out", default="build", help="folder for them (default: build)")
    parser.add_argument("--record", action="store_true", help="also write them into the lessons' notebooks")
    parser.add_argument("--lessons", type=Path, default=build.HOME, metavar="FOLDER", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    return command("run", lambda: run(options))


if __name__ == "__main__":
    sys.exit(main())
