"""Slides and pages for a lecture: whole, offline, with words for every picture."""

import re

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


def shown(part):
    """What stands on the slides, without the speaker's notes."""
    return re.sub(r"<aside.*?</aside>", "", part, flags=re.DOTALL)


def test_headings_begin_sections_and_text_goes_to_the_notes():
    deck = slides.deck(
        notebook(
            ("text", "# Title\n\n> After it you can."),
            ("text", "## One\n\nFirst words.\n\nThe rest."),
            ("text", "More to say: $$a = b$$\n\n<details><summary>Why?</summary>the answer</details>"),
            ("text", "## Two\n\nHere."),
        ),
        "A lesson",
    )
    title, one, two = re.findall(r"<section><section>.*?</section></section>", deck, re.DOTALL)
    assert "After it you can" in title and "Here." in two
    assert "First words." in shown(one) and "The rest." not in shown(one) and "$$a = b$$" in shown(one)
    assert "The rest." in one and "More to say" in one and "the answer" not in deck


def test_tags_overrule():
    cells = [("text", "## A\n\nb"), ("text", "Shown whole.", ["slide"]), ("text", "gone", ["skip"])]
    cells += [("code", "x = 1", ["slide"]), ("code", "y = 2")]
    deck = slides.deck(notebook(*cells), "A lesson")
    assert "Shown whole." in shown(deck) and "gone" not in deck
    code = re.sub(r"<[^>]+>", "", shown(deck))
    assert "x = 1" in code and "y = 2" not in code


@pytest.mark.parametrize("path", build.sources(build.HOME), ids=lambda path: path.stem)
def test_every_lesson_makes_slides_that_need_no_network(path):
    recorded = nbformat.read(path.with_suffix(".ipynb"), as_version=4)
    page = slides.deck(recorded, path.stem)
    assert page.count("<section>") > 20
    for tag in re.findall(r"<(?:img|script|link)\b[^>]*>", page):
        source = re.search(r'(?:src|href)="([^"]*)', tag)
        assert source is None or source[1].startswith(("data:", "vendor/")), tag[:200]
        assert not tag.startswith("<img") or re.search(r'alt="[^"]+"', tag), tag[:100]


def test_what_npm_cannot_do_is_said_and_what_is_there_is_not_fetched_again(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CourseError, match="install npm"):
        slides.vendor(tmp_path / "vendor")
    npm = tmp_path / "npm"
    npm.write_text("#!/bin/sh\necho 'npm error network' >&2\nexit 1\n")
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(CourseError, match=r"npm could not fetch reveal.js \(npm error network\)"):
        slides.vendor(tmp_path / "vendor")
    for name in slides.VENDORED:
        (tmp_path / "vendor" / name / "dist").mkdir(parents=True)
    slides.vendor(tmp_path / "vendor")


# A run as a page.


@pytest.fixture
def few_frames(monkeypatch):
    """The first three drawings of every run: a page draws the curves of each."""
    frames = runs.Run.frames.fget
    monkeypatch.setattr(runs.Run, "frames", property(lambda run: frames(run)[:3]))


def test_a_run_becomes_one_page(few_frames, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert page.main(["quick-digits", "--no-browser"]) == 0
    text = (tmp_path / "quick-digits.html").read_text(encoding="utf-8")
    assert "opens in any browser, without a network" in capsys.readouterr().out
    assert text.count("Curves so far") == 2 and 'max="2"' in text and "Nothing is trained yet" in text
    assert not re.findall(r'(?:src|href)="http', text)


@pytest.mark.parametrize(
    "arguments, said",
    [(["nothing"], "holds no run"), (["quick-digits", "--out", "x.png"], "a name ending in .html")],
)
def test_what_cannot_be_presented(arguments, said, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert page.main([*arguments, "--no-browser"]) == 2
    assert said in capsys.readouterr().err and list(tmp_path.iterdir()) == []
