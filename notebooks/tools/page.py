"""A run as one web page that plays it: for a lecture without a kernel, a network or a GPU.

    python notebooks/tools/page.py quick-digits           a published run, or the folder of one of your own
    python notebooks/tools/page.py runs/mine --out mine.html --no-browser
"""

import argparse
import base64
import html
import json
import sys
import webbrowser
from pathlib import Path

from gan_course import files, runs
from gan_course.errors import CourseError
from gan_course.runs import Run
from gan_course.terminal import command
from gan_course.widgets.player import Player

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ font: 18px/1.4 system-ui, sans-serif; margin: 1.5rem auto; max-width: 1200px; padding: 0 1rem; }}
img {{ width: 100%; }}
.controls {{ display: flex; gap: .8rem; align-items: center; flex-wrap: wrap; }}
button, select {{ font: inherit; padding: .3rem .8rem; }}
input {{ flex: 1; min-width: 12rem; }}
p {{ color: #444; }}
</style>
<h1>{title}</h1>
<div class="controls">
  <button id="play" aria-keyshortcuts="Space">play</button>
  <button id="back" aria-keyshortcuts="ArrowLeft">step back</button>
  <button id="forth" aria-keyshortcuts="ArrowRight">step on</button>
  <label>speed <select id="speed"><option value="1000">slow</option><option value="400" selected>normal</option>
    <option value="150">fast</option></select></label>
  <label for="time">time</label><input id="time" type="range" min="0" max="{last}" value="0">
</div>
<img id="picture" alt="">
<p id="words" role="status"></p>
<p>{about} Space plays and pauses, the arrow keys step.</p>
<script>
const drawings = {drawings};
const [play, back, forth, speed, time, picture, words] =
  ["play", "back", "forth", "speed", "time", "picture", "words"].map(id => document.getElementById(id));
let timer = null;
function show(i) {{
  time.value = Math.min(Math.max(i, 0), drawings.length - 1);
  const [kind, data, alt] = drawings[time.value];
  picture.src = `data:${{kind}};base64,${{data}}`;
  picture.alt = words.textContent = alt;
}}
function stop() {{ clearInterval(timer); timer = null; play.textContent = "play"; }}
function start() {{
  if (+time.value === drawings.length - 1) show(0);
  timer = setInterval(() => +time.value < drawings.length - 1 ? show(+time.value + 1) : stop(), +speed.value);
  play.textContent = "pause";
}}
const toggle = () => timer === null ? start() : stop();
play.onclick = toggle;
back.onclick = () => show(+time.value - 1);
forth.onclick = () => show(+time.value + 1);
time.oninput = () => show(+time.value);
speed.onchange = () => {{ if (timer !== null) {{ stop(); start(); }} }};
document.addEventListener("keydown", event => {{
  if (event.target.matches("select, input")) return;
  if (event.key === " " && !event.target.matches("button")) {{ event.preventDefault(); toggle(); }}
  if (event.key === "ArrowLeft") show(+time.value - 1);
  if (event.key === "ArrowRight") show(+time.value + 1);
}});
show(0);
</script>
</html>
"""


def page(run: Run) -> str:
    """The run in a player, everything inside one file.

    Raises:
        CourseError: the run has no drawings, or is damaged.
    """
    player, drawings = Player(run), []
    for i in range(len(player.frames)):
        picture = player.drawing(i)
        drawings.append((picture.mime, base64.b64encode(picture.still).decode(), picture.alt))
    card = run.card
    about = (
        f"{card['images']:,} images of {card['data']['name']}, {card['seconds'] / 60:.1f} min on {card['device']}, "
        f"seed {card['seed']}."
    )
    return PAGE.format(
        title=html.escape(f"{run.folder.name}: from noise to pictures"),
        last=len(drawings) - 1,
        about=html.escape(about),
        drawings=json.dumps(drawings).replace("</", "<\\/"),
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
