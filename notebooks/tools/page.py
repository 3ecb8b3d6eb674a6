"""A run as one web page that plays it: for a lecture without a kernel, a network or a GPU.

python notebooks/tools/page.py quick-digits           a published run, or the folder of one of your own
python notebooks/tools/page.py runs/mine --out mine.html --no-browser
"""

import argparse
import base64
import html
import json
import string
import sys
import webbrowser
from pathlib import Path

import pages
from gan_course import files, runs
from gan_course.errors import CourseError
from gan_course.runs import Run
from gan_course.terminal import command
from gan_course.widgets.player import Player

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>$title</title>
<style>$style .alone { max-width: 75rem; margin: auto; padding: 0 1rem; }</style>
<main class="alone">
<h1>$title</h1>
<figure class="live" data-live="$live"><img alt="$alt" src="data:$mime;base64,$still"></figure>
<p>$about Space plays and pauses, the arrow keys step.</p>
</main>
<script>$script</script>
</html>
"""


def page(run: Run) -> str:
    """The run in the player of the course's pages, everything inside one file.

    Raises:
        CourseError: the run has no drawings, or is damaged.
    """
    card, name, last = run.card, run.folder.name, Player(run).still()
    about = (
        f"{card['images']:,} images of {card['data']['name']}, {card['seconds'] / 60:.1f} min on {card['device']}, "
        f"seed {card['seed']}."
    )
    script = pages.bundle() + pages.received(f"runs/{name}-replay", pages.replay(run))
    return string.Template(PAGE).substitute(
        title=html.escape(f"{name}: from noise to pictures"),
        style=(pages.SITE / "site.css").read_text(encoding="utf-8"),
        live=html.escape(json.dumps({"widget": "player", "run": name})),
        alt=html.escape(last.alt),
        mime=last.mime,
        still=base64.b64encode(last.still).decode(),
        about=html.escape(about),
        script=script.replace("</", "<\\/"),
    )


def write(run: Run, path: str | Path) -> Path:
    """Write the page.

    Raises:
        CourseError: as for `page`; the name is no web page's; the folder cannot be written to.
    """
    if Path(path).suffix != ".html":
        raise CourseError(f"{path}: a name ending in .html is a page that a browser opens")
    return files.write_atomically(path, page(run).encode())


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", metavar="RUN", help="a run's folder, or the name of a published run")
    parser.add_argument("--out", metavar="FILE", help="the page to write (default: RUN.html here)")
    parser.add_argument("--no-browser", action="store_true", help="write it and do not open it")
    options = parser.parse_args(arguments)

    def work() -> None:
        run = runs.find(options.run)
        out = f"{run.folder.name}.html" if options.out is None else files.user_path(options.out, "page")
        path = write(run, out).absolute()
        print(f"{path}: {path.stat().st_size / 1e6:.1f} MB, opens in any browser, without a network")
        if not options.no_browser:
            webbrowser.open(path.as_uri())

    return command("page", work)


if __name__ == "__main__":
    sys.exit(main())
