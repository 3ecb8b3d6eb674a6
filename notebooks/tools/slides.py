"""Slides of every lesson, for a room: python notebooks/slides.py, or `make slides`.

A recorded lesson becomes a reveal.js deck in build/slides. Its `##` headings begin the sections; below each stand
a slide for every picture and every formula. The running text is not lost: it is in the speaker's notes (key S). A
cell's tags overrule this: `slide` shows a cell whole, `notes` puts it among the notes (of a code cell what it prints:
its pictures stay), `skip` leaves it out. What a lecture has no use for is left out everywhere: the minutes, the
profile, the ticks of the checks, the questions and the reading at the end.

The decks need no network: reveal.js and KaTeX are fetched once with npm into build/slides/vendor.
"""

import argparse
import base64
import html
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import nbformat
from nbconvert.filters import markdown2html
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

import build
import exports
from gan_course.errors import CourseError
from gan_course.files import write_atomically

VENDORED = {
    "reveal.js": "5",
    "katex": "0.16",
}  # npm packages and the versions that the page below is written for
LINES = 14  # of printed text that a slide can hold
FORMULA = re.compile(r"\$\$.+?\$\$", re.DOTALL)
BADGE = re.compile(r"^\[!\[.*$", re.MULTILINE)  # leads to Colab, and is a picture from the network
UNSAID = re.compile(r"## (Ask yourself|Check yourself|Where to read on)")
TICK = re.compile(r"✓ |profile ")  # how such an output begins
FOLDED = re.compile(r"<details>.*?</details>", re.DOTALL)

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="stylesheet" href="vendor/reveal.js/dist/reset.css">
<link rel="stylesheet" href="vendor/reveal.js/dist/reveal.css">
<link rel="stylesheet" href="vendor/reveal.js/dist/theme/white.css">
<link rel="stylesheet" href="vendor/katex/dist/katex.min.css">
<style>
:root {{ --r-main-font: system-ui, sans-serif; --r-heading-font: system-ui, sans-serif; --r-main-font-size: 30px;
  --r-heading1-size: 2em; --r-heading2-size: 1.4em; --r-heading3-size: 1.1em; --r-heading-text-transform: none; }}
.reveal .slides {{ text-align: left; }}
.reveal img {{ width: 100%; height: 600px; object-fit: contain; margin: 0; display: block; }}
.reveal .anchor-link {{ display: none; }}
.reveal .katex-display {{ font-size: 0.9em; overflow: auto hidden; }}
.reveal table {{ font-size: 0.7em; }}
.reveal pre {{ font-size: 0.58em; width: 100%; box-shadow: none; background: #f6f6f6; padding: 0.6em; }}
{style}
</style>
</head>
<body>
<div class="reveal"><div class="slides">
{sections}
</div></div>
<script src="vendor/katex/dist/katex.min.js"></script>
<script src="vendor/katex/dist/contrib/auto-render.min.js"></script>
<script src="vendor/reveal.js/dist/reveal.js"></script>
<script src="vendor/reveal.js/plugin/notes/notes.js"></script>
<script>
const delimiters = [["$$", "$$", true], ["$", "$", false], ["\\\\(", "\\\\)", false], ["\\\\[", "\\\\]", true]]
  .map(([left, right, display]) => ({{left, right, display}}));
for (const note of document.querySelectorAll("aside.notes"))  // the speaker's window knows no style sheet of KaTeX
  renderMathInElement(note, {{delimiters, throwOnError: false, output: "mathml"}});
renderMathInElement(document.body, {{delimiters, throwOnError: false, ignoredClasses: ["notes"]}});
Reveal.initialize({{hash: true, slideNumber: "c/t", width: 1100, height: 760, transition: "none",
  plugins: [RevealNotes]}});
</script>
</body>
</html>
"""


def deck(notebook, title: str) -> str:
    """The slides of a recorded lesson as one page."""
    sections: list[list[str]] = []
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        if "skip" in tags or "setup" in tags:
            continue
        if cell.cell_type == "markdown":
            _add_text(sections, cell.source, tags)
        else:
            _add_outputs(sections, cell, tags)
    body = "\n".join(f"<section>{''.join(slides)}</section>" for slides in sections)
    style = HtmlFormatter(style="default").get_style_defs(".code")
    return PAGE.format(title=html.escape(title), sections=body, style=style)


def _add_text(sections: list[list[str]], source: str, tags: list[str]) -> None:
    # A cell may hold several headings: each piece is looked at by itself.
    for piece in re.split(r"^(?=##? )", source, flags=re.MULTILINE):
        piece = BADGE.sub("", FOLDED.sub("", piece)).strip()
        if not piece or UNSAID.match(piece):
            continue
        heading, _, rest = piece.partition("\n") if piece.startswith("#") else ("", "", piece)
        begins = re.match(r"##? ", heading) is not None
        if begins or not sections:
            sections.append([])
        if "notes" in tags and not begins:
            _append_note(sections, piece)
        elif "slide" in tags:
            sections[-1].append(_slide(markdown2html(piece)))
        elif begins:
            first, *others = re.split(r"\n\s*\n", rest.strip())
            shown = f"{heading}\n\n{first}" if len(first) < 400 else heading
            others = others if len(first) < 400 else [first, *others]
            sections[-1].append(_slide(markdown2html(shown), note="\n\n".join(others)))
            if heading.startswith("## "):  # the title's table is that of the minutes
                _add_formulas(sections, "\n\n".join(others))
        else:
            exercise = re.match(r"### (Exercise .+)", piece)
            if exercise:
                sections[-1].append(_slide(markdown2html(piece)))
            else:
                _append_note(sections, piece)
                _add_formulas(sections, piece)


def _add_formulas(sections: list[list[str]], text: str) -> None:
    for paragraph in re.split(r"\n\s*\n", text):
        if FORMULA.search(paragraph) or paragraph.lstrip().startswith("|"):  # a formula or a table
            sections[-1].append(_slide(markdown2html(paragraph)))


def _add_outputs(sections: list[list[str]], cell, tags: list[str]) -> None:
    if not sections:
        sections.append([])
    code = highlight(cell.source, PythonLexer(), HtmlFormatter(cssclass="code"))
    if "slide" in tags:
        sections[-1].append(_slide(code))
    for kind, content, alt in exports.pictures(cell):
        words, source = html.escape(alt, quote=True), base64.b64encode(content).decode()
        sections[-1].append(
            _slide(f'<figure><img alt="{words}" src="data:image/{kind};base64,{source}"></figure>', note=alt)
        )
    printed = "".join(o.text for o in cell.outputs if o.output_type == "stream" and o.name == "stdout")
    lines = printed.strip().splitlines()
    short = len(lines) <= LINES and "%|" not in printed
    if "notes" in tags and lines:
        _append_note(sections, f"```\n{printed.strip()}\n```")
    elif lines and not TICK.match(printed) and (short or {"showed", "slide"} & set(tags)):
        text = html.escape("\n".join(lines[:LINES]))
        sections[-1].append(_slide(f"<pre>{text}</pre>", note=f"```python\n{cell.source}\n```"))


def _slide(content: str, note: str = "") -> str:
    aside = f'<aside class="notes">{markdown2html(note)}</aside>' if note.strip() else ""
    return f"<section>{content}{aside}</section>"


def _append_note(sections: list[list[str]], text: str) -> None:
    """Text that is said and not shown: with the slide before it."""
    if not sections[-1]:
        sections[-1].append(_slide(""))
    last = sections[-1][-1].removesuffix("</section>")
    note = markdown2html(text)
    if last.endswith("</aside>"):
        sections[-1][-1] = last.removesuffix("</aside>") + note + "</aside></section>"
    else:
        sections[-1][-1] = f'{last}<aside class="notes">{note}</aside></section>'


def vendor(folder: Path, packages: dict[str, str] = VENDORED) -> None:
    """Put npm packages, name -> version, into a folder, unless they are there.

    Raises:
        CourseError: npm is missing, or it could not fetch them.
    """
    for name, version in packages.items():
        place = folder / name
        if place.is_dir():
            continue
        if shutil.which("npm") is None:
            raise CourseError(
                f"this needs {' and '.join(packages)}, which npm fetches: install npm (Debian: apt install npm)"
            )
        with tempfile.TemporaryDirectory() as there:
            done = subprocess.run(
                ["npm", "pack", "--silent", f"{name}@{version}"], cwd=there, capture_output=True, text=True
            )
            packed = list(Path(there).glob("*.tgz"))
            if done.returncode or not packed:
                reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
                raise CourseError(f"npm could not fetch {name} ({reason}): is there a network?")
            with tarfile.open(max(packed)) as archive:
                archive.extractall(there, filter="data")
            folder.mkdir(parents=True, exist_ok=True)
            shutil.move(str(Path(there) / "package"), str(place))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=build.HOME.parent / "build" / "slides")
    parsed = parser.parse_args(arguments)
    try:
        vendor(parsed.out / "vendor")
        links = []
        for source in build.sources(build.HOME):
            lesson = build.read(source)
            notebook = nbformat.read(build.HOME / f"{lesson.slug}.ipynb", as_version=4)
            page = deck(notebook, f"{lesson.number} · {lesson.title}")
            write_atomically(parsed.out / f"{lesson.slug}.html", page.encode())
            links.append(
                f'<li><a href="{lesson.slug}.html">{lesson.number} · {html.escape(lesson.title)}</a></li>'
            )
            print(f"{lesson.slug}: {page.count('<section>') - page.count('<section><section>')} slides")
        head = '<!doctype html><html lang="en"><meta charset="utf-8"><title>Slides</title>'
        write_atomically(parsed.out / "index.html", f"{head}<ul>{''.join(links)}</ul></html>".encode())
        print(f"open {parsed.out / 'index.html'}; key S shows the speaker's notes")
    except CourseError as error:
        print(f"slides: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
