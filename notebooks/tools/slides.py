"""Slides of a recorded lesson, for a room: a page of the site that `make pages` writes, with the site's widgets.

A lesson's source says what is shown. A cell whose first line carries `slide="A claim"`, as in

    # %% slide="With a busier D, the non-saturating objective loses modes more often"

becomes a slide: the claim, and below it what carries it. Of a code cell that is its pictures, or what it printed, or
the code itself; of a Markdown cell its formulas, tables or code. A *Predict* question in the text before is shown
first, and the claim waits behind a key. The exercises' cards and "What to remember" are slides of themselves. All
other text is in the speaker's notes.
"""

import html
import re
from collections.abc import Callable
from itertools import pairwise

ROWS, COLUMNS = 14, 88  # of printed text that a slide can hold
WIDE, HIGH = 1200, 440  # pixels of a slide of 1280 by 720 for it, of which a rem is 28
PREDICT = re.compile(r"\*Predict\b")
TABLE = re.compile(r"(?:^\|[^\n]*(?:\n|\Z))+", re.MULTILINE)
FORMULA = re.compile(r"\$\$.+?\$\$", re.DOTALL)
POINTS = re.compile(r"(?:^- [^\n]*(?:\n|\Z))+", re.MULTILINE)
FOLDED = re.compile(r"<details>.*?</details>", re.DOTALL)
BADGE = re.compile(r"^\[!\[.*$", re.MULTILINE)  # leads to Colab, and is a picture from the network
UNSAID = re.compile(
    r"^## (?:Ask yourself|Check yourself|Where to read on)\n.*?(?=^## |\Z)", re.DOTALL | re.MULTILINE
)
REMEMBER = re.compile(r"## What to remember\n+((?:(?:-|\d+\.) [^\n]*\n?)+)")
CARD = re.compile(r"^### (Exercise \d+\.\d+ .*)\n+(Difficulty .+)", re.MULTILINE)
MARKS = re.compile(r"^ *# (?:end )?solution\n?|^# NBVAL_CHECK_OUTPUT\n", re.MULTILINE)
BLANK = "\n\n"


def deck(claims: list[str], notebook, page: Callable, shown: Callable, code: Callable) -> list[str]:
    """The slides of a recorded lesson, as HTML.

    Args:
        claims: a claim or "" for each cell.
        page: makes HTML of Markdown.
        shown: makes HTML of an output, from the number of its cell, its own in the cell, and itself.
        code: makes HTML of Python.
    """
    slides: list[tuple[str, str, list[str]]] = []  # question, what answers it, notes
    question, opening = "", []  # text under a heading is said with the slide that follows it

    def add(heading: str, below: str, *notes: str, asked: str = "") -> None:
        slides.append(
            (
                asked,
                page(heading) + (f'<div class="below">{below}</div>' if below else ""),
                [*opening, *notes],
            )
        )
        opening.clear()

    for number, (claim, cell) in enumerate(zip(claims, notebook.cells, strict=True), 1):
        if cell.cell_type == "code":
            pictures = [(k, output) for k, output in enumerate(cell.outputs, 1) if "data" in output]
            printed = "".join(output.text for output in cell.outputs if output.output_type == "stream")
            lines = [line for line in printed.rstrip().splitlines() if "%|" not in line]  # no progress
            if claim:
                below = "".join(shown(number, k, output) for k, output in pictures)
                below = below or (lines and _printed(lines)) or code(MARKS.sub("", cell.source))
                add(f"## {claim}", below, asked=question)
                question = ""
            elif cell.outputs:
                question = ""  # answered, off the slides
            if lines and slides and (pictures or not claim):
                (opening or slides[-1][2]).append(_fenced(lines))
            continue
        said = UNSAID.sub("", BADGE.sub("", cell.source)).strip()
        plain = FOLDED.sub("", said)
        if number == 1:
            title, told, rest = plain.split("\n\n", 2)
            add(title, page(told), rest)
            continue
        if remember := REMEMBER.match(plain):
            add("## What to remember", page(remember[1]))
            continue
        before, *headed = re.split(r"^(?=##)", plain, flags=re.MULTILINE)
        cards = [piece for piece in headed if CARD.match(piece)]
        texts = [piece for piece in headed if not CARD.match(piece)]
        if claim:
            stands = TABLE.findall(plain) or FORMULA.findall(plain) or POINTS.findall(plain)
            add(f"## {claim}", page("\n\n".join(stands)), before, *texts, asked=question)
            question = ""
        else:
            (opening or slides[-1][2]).append(before)
            opening += texts
        for card in cards:
            name, about = CARD.match(card).groups()
            add(f"## {name}", page(about), card)
        for paragraph, after in pairwise([*said.split("\n\n"), ""]):
            if PREDICT.search(paragraph) and not after.startswith(
                "<details>"
            ):  # its answer would be in the fold
                question = re.sub(r"^(?:\d+\.|\([^)]+\)) ", "", paragraph)
    slides[-1][2].extend(opening)
    made = []
    for asked, told, notes in slides:
        asked = f'<div class="asked">{page(asked)}</div>' if asked else ""
        aside = f'<aside class="notes">{page(BLANK.join(notes))}</aside>'
        made.append(f'<section class="slide">{asked}<div class="told">{told}</div>{aside}</section>')
    return made


def _printed(lines: list[str]) -> str:
    """As many lines as a slide holds, in the largest type that they fit in."""
    rows, held = 0, []
    for line in lines:
        rows += -(-len(line) // COLUMNS) or 1
        if rows > ROWS:
            held.append("…")
            break
        held.append(line)
    size = min(WIDE / (0.565 * max(map(len, held))), HIGH / (1.35 * rows), 44)
    return f'<pre style="font-size: {max(size, 24.2) / 28:.3f}rem" tabindex="0">{html.escape(chr(10).join(held))}</pre>'


def _fenced(lines: list[str]) -> str:
    return "```\n" + "\n".join(lines) + "\n```"
