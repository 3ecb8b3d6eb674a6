"""The course as pages that need no Python and no network: python notebooks/tools/pages.py, or `make pages`.

Every recorded lesson becomes a page in build/pages, its formulas typeset, its pictures beside it; so do each lesson's
exercises, the glossary and the instructors' notes. Where an output was a widget's, `site/live.js` brings it to life:
the weights of published runs come along, and a worker computes their pictures (`site/gan.js`).

The pages work from a folder as from any server. KaTeX, which npm fetches once, typesets when they are built.
"""

import argparse
import base64
import html
import io
import json
import posixpath
import re
import shutil
import string
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

import nbformat
import numpy as np
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from PIL import Image
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

import build
import exports
import front_page
import operations
import slides
from gan_course import files, latent, runs, style, ward, watch, widgets
from gan_course.errors import CourseError
from gan_course.history import History
from gan_course.terminal import command

SITE = Path(__file__).resolve().parent / "site"
KATEX = {"katex": "0.16"}
BADGE = re.compile(r"\[!\[([^\]]*)\]\([^)]*\)\]\(([^)]*)\)")  # a picture from the network, around a link
STRIP = 16_383  # pixels that a WebP can be wide
FRONT = {"run": "style-faces-64", "start": ("found 1", "found 2", "found 3"), "pictures": 6}
TYPESET = """
const katex = require(process.argv[1]);
const made = JSON.parse(require("fs").readFileSync(0, "utf8")).map(([tex, displayMode]) =>
  katex.renderToString(tex, {displayMode, throwOnError: false, strict: "ignore"}));
process.stdout.write(JSON.stringify(made));
"""


# --- text ------------------------------------------------------------------------------------------


class Text(IPythonRenderer):
    """Markdown to HTML; formulas are collected and leave a mark, headings are kept for the list of sections."""

    def __init__(self, formulas: list):
        super().__init__(escape=False, exclude_anchor_links=True)
        self.formulas, self.headings = formulas, []

    def heading(self, text: str, level: int, **attributes) -> str:
        name = re.sub(r"\W+", "-", re.sub(r"<[^>]+>|\x02\d+\x03", "", text)).strip("-").lower()
        while name in [known for _, known, _ in self.headings]:
            name += "-again"
        self.headings.append((level, name, text))
        return f'<h{level} id="{name}">{text}</h{level}>\n'

    def block_math(self, body: str) -> str:
        return self._mark(body, True)

    def inline_math(self, body: str) -> str:
        return self._mark(body, False)

    def latex_environment(self, name: str, body: str) -> str:
        return self._mark(rf"\begin{{{name}}}{body}\end{{{name}}}", True)

    def _mark(self, tex: str, display: bool) -> str:
        self.formulas.append((tex.strip(), display))
        return f"\x02{len(self.formulas) - 1}\x03"

    def page(self, source: str) -> str:
        """The HTML of a piece of Markdown."""
        made = MarkdownWithMath(renderer=self).render(BADGE.sub(r"[\1](\2)", source))
        made = made.replace("<table>", '<div class="table" tabindex="0"><table>').replace(
            "</table>", "</table></div>"
        )
        made = re.sub(r"(?<=<td>)[^<]+", lambda cell: cell[0].replace(" %", "\u00a0%"), made)
        return made.replace("<pre>", '<pre tabindex="0">').replace(
            '<div class="highlight">', '<div class="code">'
        )


def typeset(formulas: list[tuple[str, bool]], katex: Path) -> list[str]:
    """The HTML of formulas (TeX, whether it stands by itself), by KaTeX in Node.js, which npm comes with.

    Raises:
        CourseError: there is no node, or it failed.
    """
    if shutil.which("node") is None:
        raise CourseError("pages need Node.js to typeset formulas: install npm (Debian: apt install npm)")
    asked = json.dumps(formulas)
    done = subprocess.run(
        ["node", "-e", TYPESET, str(katex / "dist" / "katex.js")], input=asked, capture_output=True, text=True
    )
    if done.returncode:
        raise CourseError(f"KaTeX failed: {done.stderr.strip()[-300:]}")
    display = 'class="katex-display"'  # may be scrolled, so the keyboard has to reach it
    return [made.replace(display, f'{display} tabindex="0"') for made in json.loads(done.stdout)]


# --- the site --------------------------------------------------------------------------------------


class Site:
    """Pages and what lies beside them, written into a folder.

    Attributes:
        notes: what could not be done, in words.
    """

    def __init__(self, out: Path):
        self.out, self.course = out, front_page.Course.read(build.HOME)
        self.lessons = [build.read(path) for path in build.sources(build.HOME)]
        self.formulas, self.pages, self.notes = [], {}, []
        self._ready: dict[tuple, bool] = {}

    def write(self, katex: Path | None) -> None:
        """Everything.

        Args:
            katex: folder of the npm package that typesets formulas; None leaves them in TeX.
        """
        self._front()
        for lesson in self.lessons:
            self._lesson(lesson)
            self._exercises(lesson)
        text = "\n\n".join(cell.source for cell in self.lessons[0].cells if cell.cell_type == "markdown")
        self._text("glossary", "Glossary", f"# Glossary\n\n{_section(text, 'Glossary')}")
        notes = (build.HOME / "INSTRUCTORS.md").read_text(encoding="utf-8")
        self._text("instructors", "For instructors", notes, sections=True)
        made = (
            typeset(self.formulas, katex)
            if katex
            else [f"<code>{html.escape(tex)}</code>" for tex, _ in self.formulas]
        )
        found = []
        for name, page in self.pages.items():
            if not name.endswith(("_exercises", "_slides")):  # the lessons have the same words
                found += _passages(name, page)
            page = re.sub(r"\x02(\d+)\x03", lambda mark: made[int(mark[1])], page)
            files.write_atomically(self.out / f"{name}.html", page.encode())
        self._receive("search", found)
        files.write_atomically(self.out / "site.js", bundle().encode())
        style = (katex / "dist" / "katex.min.css").read_text(encoding="utf-8") if katex else ""
        style += (SITE / "site.css").read_text(encoding="utf-8") + _highlighting()
        files.write_atomically(self.out / "site.css", style.encode())
        for path in (katex / "dist" / "fonts").glob("*.woff2") if katex else ():
            files.write_atomically(self.out / "fonts" / path.name, path.read_bytes())

    # pages

    def _front(self) -> None:
        readme = (self.course.root / "README.md").read_text(encoding="utf-8")
        writer = Text(self.formulas)
        body = writer.page(readme.split("\n## ", 1)[0])
        body = re.sub(r'<img src="(assets/[^"]+\.webp)" alt="([^"]*)" ?/?>', self._growing, body)
        explorer = widgets.latent_explorer(**FRONT)
        live = explorer.live() and explorer.live() | {"runs": self._drawable()}
        data, metadata = explorer.still()._repr_mimebundle_()
        shown = self._shown("front", data, metadata | {"gan_course": live})
        entries = "".join(
            f'<li><a href="{one.slug}.html">{one.number} · {html.escape(one.title)}</a>'
            f"{writer.page(f'Afterwards you can {one.afterwards}')}"
            f'<a href="{one.slug}_exercises.html">exercises of lesson {one.number}</a>, '
            f'<a href="{one.slug}_slides.html">slides of lesson {one.number}</a></li>'
            for one in self.lessons
        )
        intro, growing = body.split("</p>", 1)
        body = f"""<div class="front">
{intro}</p>
<p>Move a slider: your browser computes new faces, by a network that this course trains.</p>
{shown}
{growing}
</div>
<h2 id="lessons">The lessons</h2>
<ol class="lessons">{entries}</ol>
<h2>On your own machine</h2>
{writer.page(_section(readme, "Two commands"))}"""
        self._add("index", "gan-course", body, root="")

    def _lesson(self, lesson) -> None:
        path = build.HOME / f"{lesson.slug}.ipynb"
        notebook, writer, parts = nbformat.read(path, as_version=4), Text(self.formulas), []
        for number, cell in enumerate(notebook.cells, 1):
            if cell.cell_type == "markdown":
                parts.append(writer.page(cell.source))
                continue
            code = _code(cell.source)
            if "setup" in cell.metadata.get("tags", []):
                code = f"<details><summary>Set-up; on Colab it installs the course</summary>{code}</details>"
            elif "# solution" in cell.source:
                code = f"<details><summary>A solution</summary>{code}</details>"
            parts.append(code)
            parts += [self._output(f"{lesson.slug}-{number}-{k}", o) for k, o in enumerate(cell.outputs, 1)]
        stamp = notebook.metadata.get("gan_course", {})
        self._deck(lesson, notebook)
        ran = f"Recorded at profile {stamp.get('profile')} on {stamp.get('device')} in {stamp.get('minutes')} minutes."
        more = (
            f'<p><a href="{lesson.slug}_exercises.html">The exercises by themselves</a>, '
            f'<a href="{lesson.slug}_slides.html">slides</a>. {html.escape(ran)}</p>'
        )
        title = f"{lesson.number} · {lesson.title}"
        self._add(lesson.slug, title, "\n".join([*parts, more]), writer.headings, self._turn(lesson))

    def _deck(self, lesson, notebook) -> None:
        made = slides.deck(
            [cell.metadata.get("slide", "") for cell in lesson.cells],
            notebook,
            Text(self.formulas).page,
            lambda number, k, output: self._output(f"{lesson.slug}-{number}-{k}", output),
            _code,
        )
        title = f"Slides of lesson {lesson.number} · {lesson.title}"
        self._add(f"{lesson.slug}_slides", title, "\n".join(made), [], self._turn(lesson, "_slides"))

    def _exercises(self, lesson) -> None:
        writer, title = Text(self.formulas), f"Exercises of lesson {lesson.number} · {lesson.title}"
        intro = (
            f"# {title}\n\nTo solve them, open [the lesson's exercise notebook]"
            f"({self.course.colab(lesson.slug, exercises=True)}) in Colab, or `notebooks/exercises` on your own "
            f"machine: the checks explain what is wrong. What they build on is in [the lesson]({lesson.slug}.ipynb)."
        )
        parts, number = [writer.page(intro)], None
        for cell in build.compile_lesson(lesson, self.course, exercises=True).cells:
            if cell.cell_type == "markdown":
                card = build.CARD.search(cell.source)
                number = card and card[1].split(".")[1]
                parts += [writer.page(cell.source[card.start() :])] if card else []
            elif number:
                parts.append(_code(cell.source))
                if f".exercise_{number}(" in cell.source:
                    number = None
        body = '<div class="sheet">\n' + re.sub(r"<(/?)h3\b", r"<\1h2", "\n".join(parts)) + "\n</div>"
        self._add(f"{lesson.slug}_exercises", title, body, [], self._turn(lesson, "_exercises"))

    def _text(self, name: str, title: str, source: str, sections: bool = False) -> None:
        writer = Text(self.formulas)
        body = writer.page(source)
        self._add(name, title, body, writer.headings if sections else [])

    def _add(
        self, name: str, title: str, body: str, headings=(), turn: str = "", root: str = "notebooks"
    ) -> None:
        entries = [
            (f"{one.slug}.html", one.number, f"Lesson {one.number}, {one.title}") for one in self.lessons
        ]
        entries += [("glossary.html", "Glossary", ""), ("instructors.html", "For instructors", "")]
        nav = "\n".join(
            f'<a href="{href}"'
            + (f' title="{html.escape(told, quote=True)}"' if told else "")
            + (' aria-current="page"' if href == f"{name}.html" else "")
            + f">{label}</a>"
            for href, label, told in entries
        )
        listed = "".join(f'<li><a href="#{i}">{text}</a></li>' for level, i, text in headings if level == 2)
        folded = f'<details class="sections"><summary>Sections</summary><ol>{listed}</ol></details>'
        sections = f'<nav aria-label="Sections">{folded}</nav>' if listed else ""
        repository, version = self.course.repository, self.course.version
        self.pages[name] = string.Template((SITE / "page.html").read_text(encoding="utf-8")).substitute(
            title=html.escape(title if name == "index" else f"{title} · gan-course"),
            nav=nav,
            sections=sections,
            main=re.sub(r'(<a [^>]*href=")([^"]+)"', lambda m: f'{m[1]}{self._address(m[2], root)}"', body),
            turn=turn,
            about=f'<a href="{repository}">gan-course {version}</a>. Text and pictures: CC BY 4.0; code: MIT.',
        )

    def _turn(self, lesson, ending: str = "") -> str:
        at = self.lessons.index(lesson)
        around = [("← ", at - 1), ("", at + 1)]
        return "".join(
            f'<a href="{self.lessons[i].slug}{ending}.html">{before}{self.lessons[i].number} · '
            f"{html.escape(self.lessons[i].title)}{'' if before else ' →'}</a>"
            if 0 <= i < len(self.lessons)
            else "<span></span>"
            for before, i in around
        )

    def _address(self, link: str, root: str) -> str:
        """Where a link of a file in the folder `root` of the repository leads from a page."""
        path, _, anchor = link.partition("#")
        if not path or re.match(r"[a-z]+:", link) or path.endswith(".html"):
            return link
        path, slugs = posixpath.normpath(posixpath.join(root, path)), [one.slug for one in self.lessons]
        found = re.fullmatch(r"notebooks/(exercises/)?(\w+)\.ipynb", path)
        if found and found[2] in slugs:
            return f"{found[2]}{'_exercises' if found[1] else ''}.html" + (f"#{anchor}" if anchor else "")
        if path in ("notebooks/INSTRUCTORS.md", "notebooks/exercises"):
            return "instructors.html" if path.endswith(".md") else "index.html#lessons"
        return f"{self.course.repository}/blob/v{self.course.version}/{path}"

    # pictures and outputs

    def _output(self, name: str, output) -> str:
        if output.output_type == "stream":
            return f'<pre class="printed" tabindex="0">{html.escape(output.text.rstrip())}</pre>'
        if output.output_type == "error":
            words = html.escape(f"{output.ename}: {output.evalue}")
            return f'<pre class="printed" tabindex="0">{words}</pre>'
        return self._shown(name, output.data, output.metadata)

    def _shown(self, name: str, data, metadata) -> str:
        """An output that is more than lines of text; a widget's in a figure that says what it is."""
        kind = next((kind for kind in exports.STILLS if kind in data), None)
        still = about = ""
        if kind:
            about = metadata.get(kind, {})
            still = self._file(name, kind.removeprefix("image/"), base64.b64decode(data[kind]))
        if "text/html" in data:

            def placed(found) -> str:
                moving = self._file(name, found[1], base64.b64decode(found[2]))
                alt = exports.ALT.search(found[0])
                return self._img(
                    moving, html.unescape(alt[1]) if alt else "", still=still if found[1] == "webp" else ""
                )

            body = exports.ANIMATION.sub(placed, data["text/html"])
        elif kind:
            body = self._img(still, about.get("alt", ""), about.get("width"), type=about.get("type"))
        else:
            return (
                f'<pre class="printed" tabindex="0">{html.escape(data.get("text/plain", "").rstrip())}</pre>'
            )
        live = metadata.get("gan_course")
        if live and self._can(live):
            told = html.escape(json.dumps(live, separators=(",", ":")), quote=True)
            return f'<figure class="live" data-live="{told}">{body}</figure>'
        return f"<figure>{body}</figure>"

    def _img(self, path: str, alt: str, width: int | None = None, still: str = "", type: float | None = None) -> str:
        with Image.open(self.out / path) as picture:
            w, h = picture.size
        width, height = (width, round(h * width / w)) if width else (w, h)
        words = html.escape(alt, quote=True)
        letters = f' data-type="{type:g}"' if type else ""  # pixels of its smallest letters at that width
        tag = f'<img src="{path}" alt="{words}" width="{width}" height="{height}"{letters} loading="lazy">'
        quiet = "(prefers-reduced-motion: reduce)"
        return f'<picture><source media="{quiet}" srcset="{still}">{tag}</picture>' if still else tag

    def _file(self, name: str, kind: str, content: bytes) -> str:
        path = f"pictures/{name}.{kind}"
        files.write_atomically(self.out / path, content)
        return path

    def _growing(self, found) -> str:
        """A moving picture of the README, with its last frame for those who want no motion."""
        path = self.course.root / found[1]
        moving = self._file(path.stem, "webp", path.read_bytes())
        with Image.open(path) as picture:
            picture.seek(picture.n_frames - 1)
            buffer = io.BytesIO()
            picture.convert("RGB").save(buffer, "JPEG", quality=85)
        return self._img(
            moving, html.unescape(found[2]), still=self._file(path.stem, "jpeg", buffer.getvalue())
        )

    # what live widgets need beside the pages

    def _can(self, live: dict) -> bool:
        """Whether a page can show a widget; what that needs has been written."""
        kind = live["widget"]
        wanted = {
            **dict.fromkeys(("explorer", "interpolator", "writer", "mixer"), [(self._weights, live.get("run"))]),
            "scrubber": [(self._weights, live.get("run")), (self._snapshots, live.get("run"))],
            "player": [(self._replay, live.get("run"))],
            "ward": [(self._ward, live.get("seed"))],
        }
        for work, what in wanted.get(kind, []):
            key = (work.__name__, what)
            if key not in self._ready:
                try:
                    work(what)
                    self._ready[key] = True
                except CourseError as error:
                    self.notes.append(f"{kind} of {what} stays a picture: {error}")
                    self._ready[key] = False
            if not self._ready[key]:
                return False
        return True

    def _drawable(self) -> list[str]:
        free = (name for name in runs.published() if not runs.find(name).recipe.classes)
        return [name for name in free if self._can({"widget": "explorer", "run": name})]

    def _receive(self, name: str, value) -> None:
        files.write_atomically(self.out / f"{name}.js", received(name, value).encode())

    def _published(self, name: str) -> runs.Run:
        if name not in runs.published():
            raise CourseError("no published run has that name")
        return runs.find(name)

    def _weights(self, name: str) -> None:
        run = self._published(name)
        G = run.generator()
        card = operations.described(G, G.latent_dim) | {
            "latent_dim": G.latent_dim,
            "directions": [[round(x, 4) for x in v.tolist()] for v in latent.sefa(G, 6)[1]],
            "snapshots": run.snapshots,
            "seen": [watch.seen(run, step) for step in run.snapshots],
        }
        if "styles" in card:
            card["mean"] = style.mean_w(G).tolist()
        self._receive(
            f"runs/{name}", {"card": card, "weights": _base64(run.folder / "generator.safetensors")}
        )

    def _snapshots(self, name: str) -> None:
        run = self._published(name)
        for step in run.snapshots:
            path = run.folder / "snapshots" / f"step_{step:07d}.safetensors"
            self._receive(f"runs/{name}-{step}", {"weights": _base64(path)})
        if not run.snapshots:
            raise CourseError("it has no snapshots")

    def _replay(self, name: str) -> None:
        self._receive(f"runs/{name}-replay", replay(self._published(name)))

    def _ward(self, seed: int) -> None:
        content = json.loads((ward.folder() / "cases.json").read_text(encoding="utf-8"))
        known = {case["key"]: case for case in content["cases"]}
        cases = [known[case.key] for case in ward.load(seed)]
        value = {"cases": cases, "runs": content["runs"], "diagnoses": ward.DIAGNOSES}
        self._receive(f"ward/ward-{seed}", value)
        for name in content["runs"]:
            files.write_atomically(
                self.out / f"ward/{name}.webp", (ward.folder() / f"{name}.webp").read_bytes()
            )


def received(name: str, value) -> str:
    """The script that hands a page something that it asks for by a name."""
    return f"ganCourse.receive({json.dumps(name)}, {json.dumps(value, separators=(',', ':'))});\n"


def replay(run: runs.Run) -> dict:
    """What the player of a page shows of a run: its drawings as one strip, words for each, losses and scores."""
    history, scale = run.history, 2 if run.recipe.size <= 48 else 1  # as `mosaic.tile` enlarged them
    frames = [(step, frame[::scale, ::scale]) for step, frame in run.frames]
    most = STRIP // frames[0][1].shape[1]
    chosen = np.unique(np.linspace(0, len(frames) - 1, min(len(frames), most)).round().astype(int))
    frames = [frames[i] for i in chosen]
    strip, buffer = np.concatenate([frame for _, frame in frames], axis=1), io.BytesIO()
    Image.fromarray(strip).save(buffer, "WEBP", quality=80, method=4)
    strip = f"data:image/webp;base64,{base64.b64encode(buffer.getvalue()).decode()}"
    before = [int((history["step"] < step).sum()) for step, _ in frames]
    seen = [watch.seen(run, step) for step, _ in frames]
    words = [watch.stands(History(history.rows[:n]), images) for n, images in zip(before, seen, strict=True)]
    columns = ("images", "loss_d", "loss_g", "d_real", "d_fake")
    rows = {column: [float(f"{x:.4g}") for x in history[column]] for column in columns}
    goal = run.card["images"]
    return {"strip": strip, "words": words, "seen": seen, "before": before, "goal": goal, "rows": rows}


def vendor(folder: Path, packages: dict[str, str]) -> None:
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


def bundle() -> str:
    """The modules in `site` as one script: a page opened from a folder may import nothing, its worker neither."""
    modules = {
        name: (SITE / f"{name}.js").read_text(encoding="utf-8") for name in ("gan", "plane", "live", "deck")
    }
    plain = {
        name: re.sub(r"^import .*\n|^export ", "", text, flags=re.MULTILINE) for name, text in modules.items()
    }
    exported = re.findall(r"^export (?:class|function|const) (\w+)", modules["gan"], re.MULTILINE)
    names = re.search(r"^import (\{.*\}) from", modules["live"], re.MULTILINE)[1]
    beside = f"function SOURCE() {{\n{plain['gan']}{plain['plane']}return {{{', '.join(exported)}}};\n}}\n"
    return (
        f'(() => {{\n"use strict";\n{beside}const {names} = SOURCE();\n{plain["live"]}{plain["deck"]}}})();\n'
    )


def _section(text: str, heading: str) -> str:
    """The text under a heading of the second rank."""
    return re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)[1]


def _passages(name: str, page: str) -> list[list[str]]:
    """What can be searched for on a page, formulas left out: [address, title, heading, text] of each section."""
    title, main = (
        re.search(rf"<{tag}\b[^>]*>(.*?)</{tag}>", page, re.DOTALL)[1] for tag in ("title", "main")
    )
    found = []
    for part in re.split(r"(?=<h[1-4] id=)", main):
        words = html.unescape(" ".join(re.sub(r"<[^>]+>|\x02\d+\x03", " ", part).split()))
        heading = re.match(r'<h\d id="([^"]+)">(.*?)</h', part)
        if heading:
            plain = html.unescape(re.sub(r"<[^>]+>|\x02\d+\x03", "", heading[2]))
            found.append(
                [f"{name}.html#{heading[1]}", html.unescape(title).split(" · gan-course")[0], plain, words]
            )
    return found


def _code(source: str) -> str:
    made = highlight(source, PythonLexer(), HtmlFormatter(cssclass="code"))
    return made.replace("<pre>", '<pre tabindex="0">', 1)


def _highlighting() -> str:
    light = HtmlFormatter(style="default").get_style_defs(".code")
    dark = HtmlFormatter(style="github-dark").get_style_defs(".code")
    plain = re.compile(
        r"^(?:pre|td|span)[^{]*\{[^}]*\}\n|^\.code(?: \.hll)? ?\{[^}]*\}(?: /\*.*\*/)?\n?", re.MULTILINE
    )
    light, dark = plain.sub("", light), plain.sub("", dark)
    return f"\n/* code */\n{light}\n@media screen and (prefers-color-scheme: dark) {{\n{dark}\n}}\n"


def _base64(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=build.HOME.parent / "build" / "pages")
    out = parser.parse_args(arguments).out

    def work() -> None:
        start = time.monotonic()
        katex = out.parent / "vendor" / "katex"
        vendor(katex.parent, KATEX)
        site = Site(out)
        site.write(katex)
        for note in site.notes:
            print(note)
        size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
        took = time.monotonic() - start
        print(f"{len(site.pages)} pages, {size / 1e6:.1f} MB, in {took:.0f} s: open {out}/index.html")

    return command("pages", work)


if __name__ == "__main__":
    sys.exit(main())
