"""The lessons as committed: built from their sources, recorded whole, shaped alike, checked by nbval."""

import json
import re
import subprocess
import sys

import nbformat
import pytest

import build
import recording

LESSONS = build.sources(build.HOME)
CARD = re.compile(
    r"### Exercise (?P<lesson>\d+)\.(?P<number>\d+) · (?P<title>\S.*)\n\n?"
    r"Difficulty (?P<dots>●{1,5}○{0,4}) · (?P<minutes>\d+) minutes? · why it matters: \S.*"
)
YEAR = re.compile(r"\b(?:19|20)\d\d\b")


each = pytest.mark.parametrize("slug", [path.stem for path in LESSONS])


def source(slug):
    return build.read(build.HOME / f"{slug}.py")


def committed(slug, room="."):
    return nbformat.read(build.HOME / room / f"{slug}.ipynb", as_version=4)


def code(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def prose(notebook):
    return "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def section(text, heading):
    """The text under a heading, up to the next heading of its rank or above."""
    found = re.search(rf"^(#+) {heading}[^\n]*\n(.*?)(?=^#{{1,2}} |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"no section {heading!r}"
    return found[2]


def items(text):
    return re.findall(r"^(?:[-*]|\d+\.) (.+(?:\n[ \t]+\S.*)*)", text, re.MULTILINE)


def test_lessons_are_numbered_without_gaps():
    assert LESSONS and [path.stem[:2] for path in LESSONS] == [f"{n:02d}" for n in range(len(LESSONS))]


def test_what_is_committed_is_what_the_sources_build(capsys):
    assert build.main(["--check"]) == 0, capsys.readouterr().err


# The recorded run.


@each
def test_every_cell_was_run_and_stamped(slug):
    notebook = committed(slug)
    missing = [cell.source.split("\n")[0] for cell in code(notebook) if cell.execution_count is None]
    assert not missing, "changed since the recorded run: make record"
    stamp = notebook.metadata["gan_course"]
    assert set(stamp) >= {"profile", "device", "torch", "python", "course", "minutes"}
    assert stamp["profile"] != "ci", "pictures of the smallest profile are not worth showing"


@each
def test_outputs_are_clean_and_every_picture_has_words(slug):
    notebook = committed(slug)
    assert (build.HOME / f"{slug}.ipynb").stat().st_size <= recording.LIMIT
    for cell in code(notebook):
        for output in cell.outputs:
            assert output.get("name") != "stderr" and recording.WIDGET not in output.get("data", {})
            assert output.output_type != "error" or "raises-exception" in cell.metadata.get("tags", [])
            assert recording.without_alt(output) is None
    assert "![](" not in prose(notebook)
    assert all(re.search(r'alt="[^"]+"', tag) for tag in re.findall(r"<img [^>]*>", prose(notebook)))


@each
def test_three_to_six_outputs_are_compared(slug):
    marked = [cell for cell in code(committed(slug)) if "NBVAL_CHECK_OUTPUT" in cell.source]
    assert 3 <= len(marked) <= 6
    for cell in marked:
        assert cell.source.startswith("# NBVAL_CHECK_OUTPUT\n")
        assert cell.execution_count and cell.outputs  # nbval skips a cell without a count in silence


# The shape of a lesson.


@each
def test_opening_and_setup(slug):
    lesson = source(slug)
    opening = "\n".join(cell.source for cell in lesson.cells[:4])
    assert "{{badge}}" in opening and "After this lesson" in opening and len(items(opening)) >= 3
    (setup,) = [cell.source for cell in lesson.cells if "setup" in cell.metadata.get("tags", [])]
    assert setup == next(cell.source for cell in lesson.cells if cell.cell_type == "code")
    assert setup == next(cell.source for cell in source(LESSONS[0].stem).cells if cell.cell_type == "code")
    assert "{{repository}}@v{{version}}" in setup and '"--no-deps"' in setup, "Colab keeps its own packages"


@each
def test_exercises_have_cards_and_checks(slug):
    cells = committed(slug).cells
    cards = {}
    for index, cell in enumerate(cells):
        for line in re.findall(r"^### Exercise.*", cell.source, re.MULTILINE):
            card = CARD.search(cell.source)
            assert card, f"{line}: its card is not `### Exercise N.K · title`, `Difficulty ●●○○○ · 10 minutes · …`"
            assert len(card["dots"]) == 5 and int(card["lesson"]) == int(slug[:2])
            cards[int(card["number"])] = index
    assert list(cards) == list(range(1, len(cards) + 1)) and len(cards) >= 4
    bounds = [*cards.values(), len(cells)]
    for (number, begin), end in zip(cards.items(), bounds[1:], strict=True):
        texts = [cell.source for cell in cells[begin:end] if cell.cell_type == "code"]
        assert any("# solution" in text for text in texts), f"exercise {number} has no solution"
        call = rf"\blesson_{slug[:2]}\.exercise_{number}\("
        assert any(re.search(call, text) for text in texts), f"exercise {number} has no check cell"


@each
def test_ending(slug):
    text = prose(committed(slug))
    assert len(items(section(text, "What to remember"))) == 5
    answers = re.findall(r"<details>\s*<summary>.+?</summary>(.+?)</details>", text, re.DOTALL)
    assert len(answers) >= 3 and all(answer.strip() for answer in answers)
    references = items(section(text, "Where to read on"))
    assert len(references) >= 2 and all(YEAR.search(reference) for reference in references)


@each
def test_one_cell_says_what_the_lesson_showed(slug):
    (cell,) = [cell for cell in code(committed(slug)) if "showed" in cell.metadata.get("tags", [])]
    (output,) = cell.outputs
    assert output.name == "stdout" and 1 <= len(output.text.strip().splitlines()) <= 4


@each
def test_no_shortcuts_for_ci_and_no_bare_plots(slug):
    text = "\n".join(cell.source for cell in code(committed(slug)))
    assert not re.search(r"\bif\b.*(?:\bCI\b|['\"]ci['\"]|GAN_COURSE_PROFILE)", text)
    assert "plt.show" not in text and ".savefig" not in text


# The exercise notebooks.


@each
def test_exercises_hold_no_solution_and_no_output(slug):
    lesson, exercises = source(slug), committed(slug, "exercises")
    text = "\n".join(cell.source for cell in code(exercises))
    for cell in lesson.cells:
        for region in re.findall(r"# solution\n(.*?)# end solution", cell.source, re.DOTALL):
            assert region.rstrip() not in text
    assert "# solution" not in text and text.count("# Your code here.") >= 4
    for cell in code(exercises):
        assert cell.outputs == [] and cell.execution_count is None


@each
def test_exercises_are_python(slug):
    for cell in code(committed(slug, "exercises")):
        compile(re.sub(r"^[%!].*", "pass", cell.source, flags=re.MULTILINE), slug, "exec")


@pytest.mark.parametrize("output, status", [("42\n", 0), ("41\n", 1)])
def test_nbval_compares_outputs_as_make_test_runs_it(tmp_path, output, status):
    (line,) = [line for line in (build.HOME.parent / "Makefile").read_text().splitlines() if "-m pytest" in line]
    options = re.findall(r"--nbval\S+", line)
    cell = nbformat.v4.new_code_cell("# NBVAL_CHECK_OUTPUT\nprint(6 * 7)", execution_count=1)
    cell.outputs = [nbformat.v4.new_output("stream", text=output)]
    notebook = nbformat.v4.new_notebook(cells=[cell], metadata=build.METADATA)
    (tmp_path / "00_x.ipynb").write_text(json.dumps(notebook))
    command = [sys.executable, "-m", "pytest", *options, "-p", "no:cacheprovider", "--rootdir", tmp_path]
    done = subprocess.run([*command, tmp_path / "00_x.ipynb"], cwd=tmp_path, capture_output=True, timeout=900)
    assert done.returncode == status and line.endswith("tests $(LESSONS)")
