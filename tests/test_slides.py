"""Slides and pages for a lecture: whole, offline, with words for every picture."""

import re

import nbformat
import pytest

import build
import page
import pages
import slides
from gan_course.errors import CourseError


def deck(*cells):
    """Slides of (kind, text, claim, what it printed)."""
    made = nbformat.v4.new_notebook()
    for kind, source, _, *printed in cells:
        new = nbformat.v4.new_markdown_cell if kind == "text" else nbformat.v4.new_code_cell
        made.cells.append(new(source))
        if printed:
            made.cells[-1].outputs = [nbformat.v4.new_output("stream", name="stdout", text=printed[0])]
    site = pages.Site.__new__(pages.Site)
    writer = pages.Text([])
    return slides.deck([cell[2] for cell in cells], made, writer.page, site._output, pages._code)


TITLE = ("text", "# 01 · Title\n\n> After it you can.\n\nThe rest.", "")


def parts(slide):
    """The question, what is shown, and the notes of a slide, as text."""
    found = [
        re.search(rf'class="{name}">(.*?)(?=<div class="told|<aside|</section>)', slide, re.DOTALL)
        for name in ("asked", "told", "notes")
    ]
    return [re.sub(r"<[^>]+>", "", one[1]).strip() if one else "" for one in found]


def test_a_claim_makes_a_slide_and_other_text_is_said():
    title, first, exercise, second = deck(
        TITLE,
        ("text", "Of the title.\n\n## One\n\nWords.", ""),
        ("text", "| a |\n|---|\n| 7 |\n", "A table shows it"),
        ("code", "print(1)", "", "1\n"),
        ("text", "### Exercise 1.2 · Count\nDifficulty ● · why it matters: it counts.\n\nThe task.", ""),
        ("code", "print(2)", "So it is two", "2\n"),
        ("text", "Said after it.\n\n<details><summary>Why?</summary>the answer</details>", ""),
        ("text", "## Where to read on\n\nA book.", ""),
    )
    assert parts(title)[1].split("\n")[0] == "01 · Title" and parts(title)[2].endswith("Of the title.")
    assert (
        "A table shows it" in parts(first)[1] and "7" in parts(first)[1] and "Words." not in parts(first)[1]
    )
    assert "Words." in parts(first)[2] and parts(first)[2].endswith("1")
    assert "Exercise 1.2 · Count" in parts(exercise)[1] and "it counts" in parts(exercise)[1]
    assert "The task." not in parts(exercise)[1] and "The task." in parts(exercise)[2]
    assert parts(second)[1].split() == ["So", "it", "is", "two", "2"] and "Said after it." in parts(second)[2]
    assert not any("the answer" in one or "A book" in one for one in (title, first, second))


def test_a_question_waits_for_the_claim_that_answers_it():
    card = "### Exercise 1.1 · One\nDifficulty ● · why it matters: so."
    folded = "**Predict** before you read on: why?\n\n<details><summary>Answer</summary>so</details>"
    *_, first, second = deck(
        TITLE,
        ("text", "Words.\n\nG rests. **Predict:** what now?", ""),
        ("text", card, ""),
        ("code", "x = 1", ""),
        ("code", "print(2)", "It is two", "2\n"),
        ("text", folded, ""),
        ("code", "print(3)", "It is three", "3\n"),
    )
    assert parts(first)[0] == "G rests. Predict: what now?" and parts(second)[0] == ""


def test_what_to_remember_is_a_slide():
    last = deck(TITLE, ("text", "## What to remember\n\n- This.\n\n## Glossary\n\nNot this.", ""))[-1]
    assert "This." in parts(last)[1] and "Not this" not in last


def test_what_is_printed_is_as_large_as_it_fits_and_cut_where_it_does_not():
    small, large = (
        deck(TITLE, ("code", "f()", "So", text))[1]
        for text in ("12 %|##\n" + "long " * 40 + "\nx\n" * 40, "7\n")
    )
    sizes = [float(re.search(r"font-size: ([\d.]+)rem", one)[1]) for one in (small, large)]
    assert sizes[0] < sizes[1] and 28 * sizes[0] >= 24 and parts(small)[1].endswith("…") and "%|" not in small


@pytest.mark.parametrize("path", build.sources(build.HOME), ids=lambda path: path.stem)
def test_claims_stand_on_cells_that_have_something_to_show(path):
    recorded = nbformat.read(path.with_suffix(".ipynb"), as_version=4)
    claimed = [
        (c, r) for c, r in zip(build.read(path).cells, recorded.cells, strict=True) if "slide" in c.metadata
    ]
    assert len(claimed) >= 6
    for cell, run in claimed:
        shows = cell.cell_type == "code" or any(
            pattern.search(cell.source) for pattern in (slides.TABLE, slides.FORMULA, slides.POINTS)
        )
        assert shows and "slide" not in run.metadata, cell.metadata["slide"]


def test_what_npm_cannot_do_is_said_and_what_is_there_is_not_fetched_again(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CourseError, match="install npm"):
        pages.vendor(tmp_path / "vendor", pages.KATEX)
    npm = tmp_path / "npm"
    npm.write_text("#!/bin/sh\necho 'npm error network' >&2\nexit 1\n")
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(CourseError, match=r"npm could not fetch katex \(npm error network\)"):
        pages.vendor(tmp_path / "vendor", pages.KATEX)
    (tmp_path / "vendor" / "katex" / "dist").mkdir(parents=True)
    pages.vendor(tmp_path / "vendor", pages.KATEX)


# A run as a page.


def test_a_run_becomes_one_page(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert page.main(["quick-digits", "--no-browser"]) == 0
    text = (tmp_path / "quick-digits.html").read_text(encoding="utf-8")
    assert "opens in any browser, without a network" in capsys.readouterr().out
    assert 'ganCourse.receive("runs/quick-digits-replay"' in text and "Nothing is trained yet" in text
    assert re.search(r'<img alt="Left: what the generator makes[^"]+" src="data:image/', text)
    assert not re.findall(r'(?:src|href)="(?!data:)', text) and text.count("</script>") == 1


@pytest.mark.parametrize(
    "arguments, said",
    [(["nothing"], "holds no run"), (["quick-digits", "--out", "x.png"], "a name ending in .html")],
)
def test_what_cannot_be_presented(arguments, said, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert page.main([*arguments, "--no-browser"]) == 2
    assert said in capsys.readouterr().err and list(tmp_path.iterdir()) == []
