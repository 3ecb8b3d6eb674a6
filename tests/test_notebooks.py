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
SETUP = """\
import shutil
import subprocess
import sys

if "google.colab" in sys.modules:  # Colab has torch and the rest already: add the course, change nothing else
    course = "git+{{repository}}@v{{version}}"
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", course], check=True)
    if not shutil.which("nvidia-smi"):
        print("No GPU yet: Runtime → Change runtime type → T4 GPU, then run this cell again.")"""
CARD = re.compile(
    r"### Exercise (?P<lesson>\d+)\.(?P<number>\d+) · (?P<title>\S.*)\n\n?"
    r"Difficulty (?P<dots>●{1,5}○{0,4}) · (?P<minutes>\d+) minutes? · why it matters: \S.*"
)
YEAR, IDENTIFIER = (
    re.compile(r"\b(?:19|20)\d\d\b"),
    re.compile(r"ar[Xx]iv[:.]\S*\d{4}\.\d{4,5}|arxiv\.org/abs/"),
)


def each(function):
    """Run a test on every lesson, as (source, committed notebook)."""
    return pytest.mark.parametrize("slug", [path.stem for path in LESSONS])(function)


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
def test_outputs_are_clean(slug):
    notebook = committed(slug)
    assert "widgets" not in notebook.metadata
    assert (build.HOME / f"{slug}.ipynb").stat().st_size <= recording.LIMIT
    for cell in code(notebook):
        assert "execution" not in cell.metadata
        for output in cell.outputs:
            assert output.get("name") != "stderr"
            assert recording.WIDGET not in output.get("data", {})
            assert output.output_type != "error" or "raises-exception" in cell.metadata.get("tags", [])


@each
def test_every_picture_has_words(slug):
    notebook = committed(slug)
    outputs = [output for cell in code(notebook) for output in cell.outputs]
    assert any("image/png" in output.get("data", {}) for output in outputs)
    assert not [missing for output in outputs if (missing := recording.without_alt(output))]
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
def test_opening(slug):
    lesson = source(slug)
    first = lesson.cells[0].source
    opening = "\n".join(cell.source for cell in lesson.cells[:4])
    assert "{{badge}}" in opening and "After this lesson" in opening
    assert len(items(opening)) >= 3
    assert first.startswith(f"# {lesson.number} · ")
    assert "TODO" not in prose(committed(slug))


@each
def test_setup_cell_is_the_same_in_all(slug):
    tagged = [cell.source for cell in source(slug).cells if "setup" in cell.metadata.get("tags", [])]
    first = next(cell for cell in source(slug).cells if cell.cell_type == "code")
    assert tagged == [SETUP] and first.source == SETUP


@each
def test_exercises_have_cards_and_checks(slug):
    cells = committed(slug).cells
    cards = {}
    for index, cell in enumerate(cells):
        for line in re.findall(r"^### Exercise.*", cell.source, re.MULTILINE):
            card = CARD.search(cell.source)
            assert card, (
                f"{line}: its card is not `### Exercise N.K · title`, `Difficulty ●●○○○ · 10 minutes · …`"
            )
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
    assert any(IDENTIFIER.search(reference) for reference in references)


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


# nbval itself.


def nbval(folder, text):
    """Run nbval as `make test` does, on a notebook whose one compared cell has `text` as committed output."""
    cell = nbformat.v4.new_code_cell("# NBVAL_CHECK_OUTPUT\nprint(6 * 7)", execution_count=1)
    cell.outputs = [nbformat.v4.new_output("stream", text=text)]
    notebook = nbformat.v4.new_notebook(cells=[cell], metadata=build.METADATA)
    (folder / "00_x.ipynb").write_text(json.dumps(notebook))
    options = ["--nbval-lax", "--nbval-current-env", "-p", "no:cacheprovider", "--rootdir", folder]
    command = [sys.executable, "-m", "pytest", *options, folder / "00_x.ipynb"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)


def test_nbval_accepts_a_right_output_and_refuses_a_wrong_one(tmp_path):
    assert nbval(tmp_path, "42\n").returncode == 0
    wrong = nbval(tmp_path, "41\n")
    assert wrong.returncode == 1 and "1 failed" in wrong.stdout


def test_make_test_runs_every_lesson_and_no_exercise():
    makefile = (build.HOME.parent / "Makefile").read_text()
    assert "LESSONS := $(wildcard notebooks/[0-9]*.ipynb)" in makefile
    (line,) = [line for line in makefile.splitlines() if "-m pytest" in line]
    assert "--nbval-lax" in line and "--nbval-current-env" in line and line.endswith("tests $(LESSONS)")
