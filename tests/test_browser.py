"""The lessons' widgets in JupyterLab and a real browser: drag, press keys, play, and look at the pictures.

Needs Chromium (Debian, Ubuntu: `apt-get install chromium`) and the package playwright, which drives it.
Screenshots stay in build/browser/.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import ipywidgets
import nbformat
import pytest

from gan_course import ward

ROOT = Path(__file__).resolve().parent.parent
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
playwright = pytest.importorskip(
    "playwright.sync_api", reason="playwright is not installed: pip install playwright"
)
pytestmark = [
    pytest.mark.skipif(
        CHROMIUM is None, reason="no Chromium on this machine: apt-get install chromium (Debian, Ubuntu)"
    ),
    # Colab brings a front end of its own for ipywidgets 7; pip puts the one for 8 beside it in JupyterLab.
    pytest.mark.skipif(
        int(ipywidgets.__version__.split(".")[0]) < 8, reason="JupyterLab 4 shows ipywidgets 8; this is older"
    ),
]
TOKEN = "for-this-test-only"
OPENED = ['latent_explorer("quick-digits", start=(0, 1, 2))', "ward_round()"]
OPENED += [f'{name}("quick-digits")' for name in ("interpolator", "training_player", "time_scrubber")]
# What JupyterLab itself complains about on a machine without a network.
NOISE = ("/lab/api/news", "/lab/api/update", "favicon", "ERR_INTERNET_DISCONNECTED", "ERR_NAME_NOT_RESOLVED")


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """JupyterLab as users run it, on a notebook with a widget a cell, at profile ci; its address."""
    folder = tmp_path_factory.mktemp("lab")
    cells = [nbformat.v4.new_code_cell(f"from gan_course import widgets\nwidgets.{opened}") for opened in OPENED]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# Widgets"), *cells])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, folder / "widgets.ipynb")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        **{name: value for name, value in os.environ.items() if name != "GAN_COURSE_DATA"},
        "GAN_COURSE_PROFILE": "ci",
        "OMP_NUM_THREADS": "1",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        **{f"JUPYTER_{name}_DIR": str(folder / name) for name in ("CONFIG", "DATA", "RUNTIME")},
        **{f"JUPYTERLAB_{name}_DIR": str(folder / name) for name in ("WORKSPACES", "SETTINGS")},
    }
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
    command += [f"--ServerApp.root_dir={folder}", f"--ServerApp.port={port}", "--ServerApp.port_retries=0"]
    command += ["--LabApp.expose_app_in_browser=True"]
    with open(folder / "server.log", "w") as log:
        server = subprocess.Popen(
            [*command, f"--IdentityProvider.token={TOKEN}"],
            env=environment,
            cwd=folder,
            stdout=log,
            stderr=log,
        )
    try:
        for _ in range(1200):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/api?token={TOKEN}", timeout=2)
                break
            except OSError:
                time.sleep(0.5)
        else:
            pytest.fail((folder / "server.log").read_text()[-3000:])
        yield f"http://127.0.0.1:{port}/lab/tree/widgets.ipynb?token={TOKEN}"
    finally:
        server.terminate()
        server.wait(20)


@pytest.fixture(scope="module")
def lesson(lab):
    """The notebook's page with all cells running, and what the console said."""
    playwright.expect.set_options(timeout=600_000)
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        page.set_default_timeout(600_000)
        page.complaints = []
        page.on(
            "console", lambda m: page.complaints.append(f"{m.text} {m.location}") if m.type == "error" else 0
        )
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.goto(lab)
        page.locator(".jp-RenderedMarkdown h1").first.wait_for()
        page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").first.wait_for()
        # The command behind Run, Run All Cells (the menus differ between JupyterLab's versions). JupyterLab drops it
        # without a word while its connection to the kernel settles, so ask until a cell runs.
        running = page.locator(".jp-InputPrompt").filter(has_text=re.compile(r"\[[*\d]"))
        for _ in range(12):
            page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells') }")
            try:
                running.first.wait_for(state="attached", timeout=10_000)
                break
            except playwright.TimeoutError:
                continue
        else:
            pytest.fail("no cell began to run within two minutes")
        yield page
        browser.close()


class Widget:
    """One of the widgets on the page, found by one of its buttons or labels."""

    def __init__(self, page, label):
        self.page = page
        self.box = page.locator(".jp-OutputArea-output .widget-vbox").filter(has_text=label).first
        self.box.wait_for()
        self.box.scroll_into_view_if_needed()
        self.image = self.box.locator("img.widget-image")
        self.words = self.box.locator("[role=status]")

    def picture(self):
        """The bytes that the page shows now."""
        return self.image.evaluate(
            "async img => Array.from(new Uint8Array(await (await fetch(img.src)).arrayBuffer()))"
        )

    def changes(self, act, words):
        """Do something, and wait until the page shows another picture, and says so."""
        before = self.picture()
        act()
        playwright.expect(self.words).to_contain_text(words)
        assert self.picture() != before


def test_dragging_a_slider_moves_the_picture(lesson):
    explorer = Widget(lesson, "other latents")
    assert bytes(explorer.picture()[:4]) == b"\x89PNG"
    place = explorer.box.locator(".noUi-handle").first.bounding_box()
    x, y = place["x"] + place["width"] / 2, place["y"] + place["height"] / 2
    lesson.mouse.move(x, y)
    lesson.mouse.down()
    explorer.changes(lambda: lesson.mouse.move(x + 60, y, steps=10), "moved along dimension 0 by +")
    lesson.mouse.up()


def test_keys_move_it_too(lesson):
    explorer = Widget(lesson, "other latents")
    explorer.box.locator(".noUi-handle").nth(1).focus()
    explorer.changes(lambda: lesson.keyboard.press("ArrowRight"), "dimension 1 by +0.1")
    explorer.changes(lambda: lesson.keyboard.press("ArrowRight"), "dimension 1 by +0.2")
    explorer.box.get_by_role("button", name="›").nth(1).focus()
    explorer.changes(lambda: lesson.keyboard.press("Enter"), "dimension 2 by +0.2")
    reset = explorer.box.get_by_role("button", name="reset")
    explorer.changes(reset.click, "where they were drawn")


def test_a_choice_is_made_by_keys(lesson):
    interpolator = Widget(lesson, "anchor 1")
    playwright.expect(interpolator.words).to_contain_text("by slerp")
    interpolator.box.get_by_role("button", name="slerp").focus()
    lesson.keyboard.press("Tab")
    interpolator.changes(lambda: lesson.keyboard.press("Enter"), "by lerp")


def test_the_player_plays(lesson):
    player = Widget(lesson, "step on")
    play = player.box.locator(".widget-play button").first
    player.changes(play.click, "Curves so far")
    play.click()  # it has become the button that stops


def test_time_can_be_scrubbed(lesson):
    scrubber = Widget(lesson, "training time")
    playwright.expect(scrubber.words).to_contain_text("after 600,000 images")
    scrubber.box.locator(".noUi-handle").first.focus()
    scrubber.changes(lambda: lesson.keyboard.press("Home"), "after 0 images")


def test_a_case_is_diagnosed_by_keys_alone(lesson):
    panel = Widget(lesson, "next case")
    playwright.expect(panel.words).to_contain_text("Case 1 of")
    panel.box.get_by_role("button", name="commit").focus()
    lesson.keyboard.press("Enter")
    playwright.expect(panel.box.locator("[role=alert]")).to_contain_text("Choose a diagnosis first")
    panel.box.get_by_role("button", name="choose").focus()
    for key in ("Tab", "Enter", *["Tab"] * len(ward.DIAGNOSES), "Enter"):  # the first diagnosis; on to "commit"
        lesson.keyboard.press(key)
    playwright.expect(panel.words).to_contain_text("of 1.")
    lesson.keyboard.press("Tab")
    panel.changes(lambda: lesson.keyboard.press("Enter"), "Case 2 of")
    panel.box.locator(".noUi-handle").first.focus()
    panel.changes(lambda: lesson.keyboard.press("Home"), f"After {ward.load()[1].run.seen(0):,} of")


def test_every_control_has_a_name(lesson):
    """For people who hear the page: no slider, list, field or button without a label.

    ipywidgets gives the three buttons of its Play no names; the slider beside it does the same by keys.
    """
    nameless = lesson.evaluate(
        """() => [...document.querySelectorAll('.widget-vbox button, .widget-vbox select, .widget-vbox input')]
            .filter(e => !e.closest('.widget-play') && !(e.textContent.trim() || e.title || e.getAttribute('aria-label')
                || e.closest('.jupyter-widgets')?.querySelector('label')?.textContent.trim()))
            .map(e => e.outerHTML.slice(0, 120))"""
    )
    assert lesson.locator(".widget-vbox input").count() > 0
    assert nameless == []


def test_nothing_went_wrong_on_the_page(lesson):
    lesson.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").first.wait_for()
    folder = ROOT / "build" / "browser"
    folder.mkdir(parents=True, exist_ok=True)
    for label, name in (("other latents", "explorer"), ("step on", "player"), ("next case", "ward")):
        Widget(lesson, label).box.screenshot(path=folder / f"lab_{name}.png")
    assert [c for c in lesson.complaints if not any(noise in c for noise in NOISE)] == []
    errors = lesson.locator(".jp-OutputArea-output[data-mime-type='application/vnd.jupyter.error']")
    assert errors.count() == 0
