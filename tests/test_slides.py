"""Slides and pages for a lecture: whole, offline, with words for every picture."""

import re
import subprocess

import nbformat
import pytest

import build
import page
import slides
from gan_course import runs
from gan_course.errors import CourseError


def notebook(*cells):
    made = nbformat.v4.new_notebook()
    for kind, source, *more in cells:
        new = nbformat.v4.new_markdown_cell if kind == "text" else nbformat.v4.new_code_cell
        made.cells.append(new(source, metadata={"tags": more[0] if more else []}))
    return made


def sections(page):
    return re.findall(r"<section><section>.*?</section></section>", page, re.DOTALL)


def test_headings_begin_sections_and_text_goes_to_the_notes():
    page = slides.deck(
        notebook(
            ("text", "# Title\n\n> After it you can."),
            ("text", "## One\n\nFirst words.\n\nThe rest."),
            ("text", "More to say: $$a = b$$"),
            ("text", "## Two\n\nHere."),
        ),
        "A lesson",
    )
    title, one, two = sections(page)
    assert "After it you can" in title and "Here." in two
    shown = re.sub(r"<aside.*?</aside>", "", one, flags=re.DOTALL)
    assert "First words." in shown and "The rest." not in shown and "$$a = b$$" in shown
    assert "The rest." in one and "More to say" in one


def test_tags_overrule():
    cells = [("text", "## A\n\nb"), ("text", "Shown whole.", ["slide"]), ("text", "gone", ["skip"])]
    cells += [("code", "x = 1", ["slide"]), ("code", "y = 2"), ("text", "## C\n\nd", ["notes"])]
    page = slides.deck(notebook(*cells), "A lesson")
    shown = re.sub(r"<aside.*?</aside>", "", page, flags=re.DOTALL)
    assert "Shown whole." in shown and "gone" not in page and "setup" not in page
    code = re.sub(r"<[^>]+>", "", shown)
    assert "x = 1" in code and "y = 2" not in code


def test_answers_are_not_given_away():
    page = slides.deck(
        notebook(("text", "## Ask\n\nWhy?\n\n<details><summary>Q</summary>the answer</details>")), "L"
    )
    assert "the answer" not in page


@pytest.mark.parametrize("path", build.sources(build.HOME), ids=lambda path: path.stem)
def test_every_lesson_makes_slides_that_need_no_network(path):
    recorded = nbformat.read(path.with_suffix(".ipynb"), as_version=4)
    page = slides.deck(recorded, path.stem)
    assert page.count("<section>") > 20
    for tag in re.findall(r"<(?:img|script|link)\b[^>]*>", page):
        source = re.search(r'(?:src|href)="([^"]*)', tag)
        assert source is None or source[1].startswith(("data:", "vendor/")), tag[:200]
        assert not tag.startswith("<img") or re.search(r'alt="[^"]+"', tag), tag[:100]


def test_without_npm_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CourseError, match="install npm"):
        slides.vendor(tmp_path / "vendor")


def test_without_a_network_it_says_so(tmp_path, monkeypatch):
    npm = tmp_path / "npm"
    npm.write_text("#!/bin/sh\necho 'npm error network' >&2\nexit 1\n")
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(CourseError, match=r"npm could not fetch reveal.js \(npm error network\)"):
        slides.vendor(tmp_path / "vendor")


def test_what_is_there_is_not_fetched_again(tmp_path, monkeypatch):
    for name in slides.VENDORED:
        (tmp_path / name / "dist").mkdir(parents=True)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("it fetched"))
    slides.vendor(tmp_path)


# --- a run as a page -------------------------------------------------------------------------------


def test_a_run_becomes_one_page(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(runs.Run, "frames", property(lambda run: _frames(run)[:3]))
    assert page.main(["quick-digits", "--no-browser"]) == 0
    text = (tmp_path / "quick-digits.html").read_text(encoding="utf-8")
    assert "opens in any browser, without a network" in capsys.readouterr().out
    assert text.count("Curves so far") == 2 and 'max="2"' in text and "Nothing is trained yet" in text
    assert not re.findall(r'(?:src|href)="http', text)


_frames = runs.Run.frames.fget


@pytest.mark.parametrize(
    "arguments, said",
    [(["nothing"], "holds no run"), (["quick-digits", "--out", "x.png"], "a name ending in .html")],
)
def test_what_cannot_be_presented(arguments, said, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert page.main([*arguments, "--no-browser"]) == 2
    assert said in capsys.readouterr().err and list(tmp_path.iterdir()) == []


def test_a_page_is_text_and_not_markup(monkeypatch):
    run = runs.find("quick-digits")
    monkeypatch.setitem(run.card["data"], "name", "<script>alert(1)</script>")
    monkeypatch.setattr(runs.Run, "frames", property(lambda run: _frames(run)[:1]))
    assert "<script>alert" not in page.page(run)
