"""The compiler of the lessons: NN_slug.py becomes NN_slug.ipynb and exercises/NN_slug.ipynb.

    python notebooks/tools/build.py            build every lesson, and what README and CITATION.cff take from them
    python notebooks/tools/build.py --check    change nothing; exit status 1 at the first difference

A lesson is a jupytext percent file whose first cell is Markdown and reads

    # 02 · An MLP GAN on FashionMNIST

    > After it you can write the whole training loop of a GAN from memory.

`{{badge}}`, `{{repository}}` and `{{version}}` are filled in from pyproject.toml. Solutions stand between
`# solution` and `# end solution`; the exercise notebook gets stubs in their place, and the solution folded
under the exercise's card (see solutions.py).

The same sources give the same bytes: a cell's id is a hash of its lesson, its text and how often that
text came before. A rebuild keeps the recorded output of every cell whose text did not change.
"""

import argparse
import hashlib
import itertools
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import jupytext
import nbformat

import front_page
import solutions
from front_page import Course
from gan_course.errors import CourseError
from gan_course.files import write_atomically
from gan_course.terminal import command

HOME = Path(__file__).resolve().parents[1]  # the lessons' folder
HEADER = re.compile(r"# (\d\d) · (.+)\n\n((?:> .+(?:\n|$))+)")
AFTERWARDS = re.compile(r"After (?:it|this lesson) you can (.+)")
CARD = re.compile(r"^### Exercise (\d+\.\d+)", re.MULTILINE)
METADATA = {
    "accelerator": "GPU",
    "colab": {"provenance": [], "toc_visible": True},
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


@dataclass(frozen=True)
class Lesson:
    """One source: its cells, and what its first cell says about it."""

    slug: str
    number: str
    title: str
    afterwards: str
    cells: tuple


def sources(folder: Path) -> list[Path]:
    """The lessons' sources in a folder, in the order of their numbers."""
    return sorted(Path(folder).glob("[0-9][0-9]_*.py"))


def read(path: Path) -> Lesson:
    """Parse a lesson's source.

    Raises:
        CourseError: a solution region is not closed, or the first cell is not the header described above.
    """
    text = path.read_text(encoding="utf-8")
    solutions.check_regions(path.name, text)
    cells = tuple(jupytext.reads(text, fmt="py:percent").cells)
    first = cells[0] if cells else None
    header = HEADER.match(first.source) if first is not None and first.cell_type == "markdown" else None
    quote = header and AFTERWARDS.match(" ".join(line[2:] for line in header[3].splitlines()))
    if not header or not quote:
        raise CourseError(
            f"{path.name}: the first cell must be Markdown that reads `# {path.stem[:2]} · Title`, "
            "a blank line, then `> After it you can …`"
        )
    if header[1] != path.stem[:2]:
        raise CourseError(f"{path.name}: its title says lesson {header[1]}, its name says {path.stem[:2]}")
    return Lesson(path.stem, header[1], header[2].strip(), quote[1].strip(), cells)


def compile_lesson(lesson: Lesson, course: Course, exercises: bool = False) -> nbformat.NotebookNode:
    """The notebook of a lesson, or of its exercises, without outputs."""
    notebook = nbformat.v4.new_notebook(metadata=METADATA, nbformat_minor=5)
    seen: dict[str, int] = {}
    exercise = ""
    for place, cell in enumerate(lesson.cells, 1):
        seen[cell.source] = seen.get(cell.source, 0) + 1
        # Hashed before anything is filled in: a new release or a new address leaves the ids as they are.
        content = f"{lesson.slug}\0{cell.cell_type}\0{cell.source}\0{seen[cell.source]}"
        cell_id = hashlib.sha256(content.encode()).hexdigest()[:12]
        source = cell.source.removeprefix("# NBVAL_CHECK_OUTPUT\n") if exercises else cell.source
        if _is_card(cell):
            exercise = CARD.findall(source)[-1]
            own = itertools.takewhile(lambda c: not _is_card(c), lesson.cells[place:])
            solved = [c.source for c in own if c.cell_type == "code" and "# solution" in c.source]
            source += solutions.folded(solved) if exercises and solved else ""
        elif exercises and cell.cell_type == "code":
            source = solutions.stub(source, exercise)
        new = nbformat.v4.new_markdown_cell if cell.cell_type == "markdown" else nbformat.v4.new_code_cell
        ours = ("lines_to_", "slide")  # jupytext's, and what only slides.py reads, from the source
        metadata = {k: v for k, v in sorted(cell.metadata.items()) if not k.startswith(ours)}
        notebook.cells.append(new(course.fill(source, lesson.slug, exercises), id=cell_id, metadata=metadata))
    return notebook


def _is_card(cell) -> bool:
    return cell.cell_type == "markdown" and CARD.search(cell.source) is not None


def keep_outputs(notebook, recorded) -> list[int]:
    """Move outputs and the stamp from an earlier notebook to cells with the same text.

    Returns:
        The numbers (from 1) of the new notebook's code cells that are left without a recorded run.
    """

    def texts(nb):
        seen: dict[str, int] = {}
        for cell in nb.cells:
            seen[cell.source] = seen.get(cell.source, 0) + 1
            yield (cell.cell_type, cell.source, seen[cell.source]), cell

    earlier = dict(texts(recorded))
    lost = []
    for number, (key, cell) in enumerate(texts(notebook), 1):
        if cell.cell_type == "code":
            same = earlier.get(key)
            if same is not None and same.execution_count is not None:
                cell.outputs, cell.execution_count = same.outputs, same.execution_count
            else:
                lost.append(number)
    if "gan_course" in recorded.metadata:
        notebook.metadata["gan_course"] = recorded.metadata["gan_course"]
    return lost


def to_bytes(notebook) -> bytes:
    """A notebook as the bytes of its file; invalid notebooks raise."""
    nbformat.validate(notebook)
    return (nbformat.writes(notebook) + "\n").encode()


def differs(expected, found) -> str | None:
    """The first difference between two notebooks in words, outputs and the run's stamp aside."""
    for number, (a, b) in enumerate(itertools.zip_longest(expected.cells, found.cells), 1):
        if a is None or b is None:
            return f"cell {number} is {'not in the source' if a is None else 'missing'}"
        for part in ("cell_type", "source", "id", "metadata"):
            if a.get(part) != b.get(part):
                return f"cell {number} ({a.cell_type}) has another {part.replace('_', ' ')}"

    def about(nb):
        return nb.nbformat, nb.nbformat_minor, {k: v for k, v in nb.metadata.items() if k != "gan_course"}

    return None if about(expected) == about(found) else "the notebook's metadata differ"


def build(folder: Path, check: bool = False) -> list[str]:
    """Build, or check, everything that is generated from the lessons of a folder.

    Returns:
        With `check`, what is out of date; otherwise, what a rebuild could not settle.
    """
    course = Course.read(folder)
    lessons = [read(path) for path in sources(folder)]
    if not lessons:
        raise CourseError(f"no lessons in {folder}: a lesson is a file named NN_slug.py")
    problems = []
    for lesson in lessons:
        for exercises in (False, True):
            name = f"exercises/{lesson.slug}.ipynb" if exercises else f"{lesson.slug}.ipynb"
            notebook = compile_lesson(lesson, course, exercises)
            found = nbformat.read(folder / name, as_version=4) if (folder / name).exists() else None
            if check:
                difference = differs(notebook, found) if found is not None else "is missing"
                if difference:
                    problems.append(f"{name}: {difference}")
                continue
            if found is not None and not exercises:
                lost = keep_outputs(notebook, found)
                if lost:
                    print(f"{name}: no recorded run for cells {', '.join(map(str, lost))} (`make record`)")
            write_atomically(folder / name, to_bytes(notebook))
    known = {lesson.slug for lesson in lessons}
    for path in sorted([*folder.glob("[0-9]*.ipynb"), *folder.glob("exercises/*.ipynb")]):
        if path.stem not in known:
            problems.append(
                f"{path.relative_to(folder)}: has no source {path.stem}.py; remove it or restore the source"
            )
    return problems + front_page.rewrite(course, lessons, check)


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(description="Build the notebooks from the lessons' sources.")
    parser.add_argument("folder", nargs="?", type=Path, default=HOME, help="where the lessons are")
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 when something is out of date")
    options = parser.parse_args(arguments)

    def work() -> int:
        problems = build(options.folder.resolve(), options.check)
        for problem in problems:
            print(problem, file=sys.stderr)
        if problems and options.check:
            print("run `make notebooks` and look at what changed", file=sys.stderr)
        return 1 if problems else 0

    return command("build", work)


if __name__ == "__main__":
    sys.exit(main())
