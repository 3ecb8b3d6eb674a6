"""A run that can be committed: outputs tidied, private things refused, the circumstances stamped in.

Jupyter stores more than the reader saw: every redraw of a progress bar, the state of widgets that no
longer exist, the paths of the machine. `tidy` is for every run; `record` is for the notebooks that
the repository carries.
"""

import os
import re
from html.parser import HTMLParser
from pathlib import Path

import build
from gan_course.errors import CourseError
from gan_course.files import write_atomically

WIDGET = "application/vnd.jupyter.widget-view+json"
LIMIT = 1.5e6  # bytes: GitHub shows notebooks of that size, and a clone stays quick
PRIVATE = (
    (re.compile(r"\b0x[0-9a-fA-F]{6,}\b"), "a memory address"),
    (
        re.compile(r"(?<![\w.:/-])/(?:home|root|Users|work|tmp|var|content)/\S*"),
        "a path of this machine",
    ),
    (re.compile(r"\b[A-Z]:\\\w+"), "a path of this machine"),
)
BAR = re.compile(r"(.+?): +\d+%\|")  # a progress bar of tqdm, which begins with its description
ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def tidy(notebook) -> None:
    """Keep what a reader saw at the end: the last state of a progress bar, a widget's still picture."""
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)  # start and end times of the cell
        if cell.cell_type == "code":
            cell.outputs = _merged(_still(output) for output in cell.outputs)


def _still(output):
    data = output.get("data", {})
    if data.pop(WIDGET, None) is not None:
        output.metadata.pop(WIDGET, None)
        if set(data) <= {"text/plain"}:  # the Python repr of a widget says nothing to a reader
            data["text/plain"] = "(a widget: run this cell to use it)"
    return output


def _merged(outputs) -> list:
    kept: list = []
    for output in outputs:
        previous = kept[-1] if kept else None
        is_stream = output.output_type == "stream"
        if is_stream and previous is not None and previous.get("name") == output.name:
            previous.text += output.text
        else:
            kept.append(output)
    finished: set[str] = set()  # bars that come again further down, where a picture stood in between
    for output in reversed(kept):
        if output.output_type == "stream":
            lines = [_last_state(line) for line in output.text.split("\n")]
            bars = {line: found[1] for line in lines if (found := BAR.match(line))}
            output.text = "\n".join(
                line for line in lines if bars.get(line) not in finished or "100%|" in line
            )
            finished.update(bars.values())
    return [o for o in kept if o.output_type != "stream" or o.text.strip()]


def _last_state(line: str) -> str:
    """What a terminal shows of a line whose carriage returns draw over it."""
    return next((part for part in reversed(line.split("\r")) if part.strip()), "")


def record(notebook, path: Path, stamp: dict) -> None:
    """Write a run as the notebook that the repository carries.

    Args:
        notebook: an executed, tidied notebook; it is changed.
        path: where it is committed.
        stamp: the circumstances, kept in the notebook's metadata under `gan_course`.

    Raises:
        CourseError: a picture has no alternative text, an output holds an address or a path, an
            error was not announced by the tag `raises-exception`, or the file would be too large.
    """
    notebook.metadata["gan_course"] = stamp
    for number, cell in enumerate(notebook.cells, 1):
        if cell.cell_type != "code":
            continue
        where = f"{path.name}, cell {number}"
        cell.outputs = [o for o in cell.outputs if o.get("name") != "stderr"]
        for output in cell.outputs:
            if output.output_type == "error":
                if "raises-exception" not in cell.metadata.get("tags", []):
                    raise CourseError(f"{where}: it failed with {output.ename}; mend it before recording")
                output.traceback = [f"{output.ename}: {output.evalue}"]  # the frames hold paths
            _without_private(output, where)
            missing = without_alt(output)
            if missing:
                raise CourseError(f"{where}: {missing} without alternative text; gan_course.show adds it")
    content = build.to_bytes(notebook)
    if len(content) > LIMIT:
        raise CourseError(
            f"{path.name} would be {len(content) / 1e6:.2f} MB of {LIMIT / 1e6} MB: fewer or smaller pictures"
        )
    write_atomically(path, content)


def _without_private(output, where: str) -> None:
    for holder, key in texts(output):
        # Some paths tell the reader something once they are written as on any machine.
        text = holder[key] if isinstance(holder[key], str) else "\n".join(holder[key])
        for name, path in _known_folders():
            text = re.sub(rf"{re.escape(path)}(?=[/\s'\"<,;:)]|$)", lambda _, name=name: name, text)
        visible = re.sub(r"base64,[A-Za-z0-9+/=\s]+", "", text)
        for pattern, what in PRIVATE:
            if found := pattern.search(visible):
                raise CourseError(f"{where}: it shows {what}, {found[0][:60]!r}; print something else")
        holder[key] = [text] if isinstance(holder[key], list) else text


def _known_folders() -> list[tuple[str, str]]:
    known = [("~", Path.home()), ("gan-course", build.HOME.parent)]
    if data := os.environ.get("GAN_COURSE_DATA"):
        known.append(("$GAN_COURSE_DATA", Path(data).expanduser().absolute()))
    return sorted(((name, str(path)) for name, path in known), key=lambda entry: -len(entry[1]))


def texts(output):
    """Places of an output that hold text, as (holder, key)."""
    if output.output_type == "stream":
        yield output, "text"
    elif output.output_type == "error":
        yield output, "evalue"
        yield output, "traceback"
    else:
        for key in output.data:
            if key.startswith("text/"):
                yield output.data, key


class _Images(HTMLParser):
    def __init__(self):
        super().__init__()
        self.bare = 0

    def handle_starttag(self, tag, attributes):
        if tag == "img" and not (dict(attributes).get("alt") or "").strip():
            self.bare += 1


def without_alt(output) -> str | None:
    """What picture of an output lacks alternative text, or None."""
    data, metadata = output.get("data", {}), output.get("metadata", {})
    for kind in data:
        if kind.startswith("image/") and not metadata.get(kind, {}).get("alt", "").strip():
            return f"an {kind} picture"
    page = data.get("text/html", "")
    parser = _Images()
    parser.feed(page if isinstance(page, str) else "".join(page))
    return "an <img>" if parser.bare else None
