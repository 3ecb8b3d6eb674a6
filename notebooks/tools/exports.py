"""What a run leaves for people: the executed notebook, the same as a page, and its pictures as files."""

import base64
import copy
import html
import re
from pathlib import Path

from nbconvert import HTMLExporter

import build
from gan_course.files import write_atomically

STILLS = ("image/png", "image/jpeg")
ANIMATION = re.compile(r'<img [^>]*?src="data:image/(webp|gif|png);base64,([^"]+)"[^>]*>')
ALT = re.compile(r'alt="([^"]*)"')


def write(notebook, folder: Path, slug: str, title: str) -> list[Path]:
    """Write SLUG.ipynb, SLUG.html and figures/SLUG/* into a folder.

    Returns:
        The picture files, in the order of their cells.
    """
    write_atomically(folder / f"{slug}.ipynb", build.to_bytes(notebook))
    write_atomically(folder / f"{slug}.html", page(notebook, title).encode())
    return _figures(notebook, folder / "figures" / slug, title)


def page(notebook, title: str) -> str:
    """The notebook as one HTML page, its pictures inside and their alternative text with them."""
    notebook = copy.deepcopy(notebook)
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            kind = _still(data)
            if kind and "text/html" not in data:  # nbconvert would drop the alt text
                about = output.metadata.get(kind, {})
                width = f' width="{about["width"]}"' if "width" in about else ""
                alt = html.escape(about.get("alt", ""), quote=True)
                source = data.pop(kind).replace("\n", "")
                data["text/html"] = f'<img alt="{alt}"{width} src="data:{kind};base64,{source}">'
    body, _ = HTMLExporter().from_notebook_node(notebook, resources={"metadata": {"name": title}})
    return body


def _figures(notebook, folder: Path, title: str) -> list[Path]:
    for ending in ("png", "jpeg", "webp", "gif"):
        for old in folder.glob(f"*.{ending}"):
            old.unlink()
    files, entries = [], []
    for number, cell in enumerate(notebook.cells, 1):
        for k, (kind, content, alt) in enumerate(pictures(cell), 1):
            files.append(write_atomically(folder / f"{number:03d}-{k}.{kind}", content))
            text = html.escape(alt, quote=True)
            entries.append(
                f'<figure><img src="{files[-1].name}" alt="{text}">'
                f"<figcaption>cell {number}: {text}</figcaption></figure>"
            )
    if files:
        style = "<style>body{font-family:sans-serif;max-width:60rem;margin:auto}img{max-width:100%}</style>"
        name = html.escape(title)
        head = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{name}</title>{style}'
        text = "\n".join([head, f"<h1>{name}</h1>", *entries, "</html>\n"])
        write_atomically(folder / "index.html", text.encode())
    return files


def pictures(cell):
    """A cell's pictures as (file ending, bytes, alternative text); the moving one where there is one."""
    for output in cell.get("outputs", []):
        data = output.get("data", {})
        found = ANIMATION.findall(data.get("text/html", ""))
        if found:
            alts = [ALT.search(tag[0]) for tag in re.finditer(ANIMATION, data["text/html"])]
            for (kind, content), alt in zip(found, alts, strict=True):
                yield kind, base64.b64decode(content), html.unescape(alt[1]) if alt else ""
        elif kind := _still(data):
            alt = output.metadata.get(kind, {}).get("alt", "")
            yield kind.removeprefix("image/"), base64.b64decode(data[kind]), alt


def _still(data) -> str | None:
    """Which kind of still picture an output holds."""
    return next((kind for kind in STILLS if kind in data), None)
