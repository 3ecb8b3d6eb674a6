"""Lesson 05 in JupyterLab and a real browser: drag, press keys, play, and look at the picture's bytes.

Needs Chromium (Debian, Ubuntu: `apt-get install chromium`) and the package playwright, which drives it. A
screenshot stays in build/browser/.
"""

import os
import shutil
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
playwright = pytest.importorskip(
    "playwright.sync_api", reason="playwright is not installed: pip install playwright"
)
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium on this machine: apt-get install chromium (Debian, Ubuntu)"
)
TOKEN = "for-this-test-only"
MOST_SECONDS_END_TO_END = 2.0  # a shared machine under test; the README and the notes give what is usual
# What JupyterLab itself complains about on a machine without a network.
NOISE = ("/lab/api/news", "/lab/api/update", "favicon", "ERR_INTERNET_DISCONNECTED", "ERR_NAME_NOT_RESOLVED")


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """JupyterLab as users run it, on a copy of lesson 05, at profile ci; its address."""
    folder = tmp_path_factory.mktemp("lab")
    shutil.copy(ROOT / "notebooks" / "05_latent_space.ipynb", folder)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        **os.environ,
        "GAN_COURSE_PROFILE": "ci",
        "OMP_NUM_THREADS": "1",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        **{f"JUPYTER_{name}_DIR": str(folder / name) for name in ("CONFIG", "DATA", "RUNTIME")},
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
    }
    environment.pop("GAN_COURSE_DATA", None)
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        "--no-browser",
        "--allow-root",
        f"--ServerApp.root_dir={folder}",
    ]
    command += [f"--ServerApp.port={port}", "--ServerApp.port_retries=0", f"--IdentityProvider.token={TOKEN}"]
    with open(folder / "server.log", "w") as log:
        server = subprocess.Popen(command, env=environment, cwd=folder, stdout=log, stderr=log)
    try:
        for _ in range(120):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/api?token={TOKEN}", timeout=2)
                break
            except OSError:
                time.sleep(0.5)
        else:
            pytest.fail((folder / "server.log").read_text()[-3000:])
        yield f"http://127.0.0.1:{port}/lab/tree/05_latent_space.ipynb?token={TOKEN}"
    finally:
        server.terminate()
        server.wait(20)


@pytest.fixture(scope="module")
def lesson(lab):
    """The lesson's page with all cells run, and what the console said."""
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        page.complaints = []
        page.on(
            "console",
            lambda m: page.complaints.append(f"{m.text} {m.location}") if m.type == "error" else None,
        )
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.goto(lab)
        page.locator(".jp-RenderedMarkdown h1").first.wait_for(timeout=60_000)
        page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").first.wait_for(timeout=60_000)
        page.began = time.perf_counter()
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_text("Run All Cells", exact=True).click()
        yield page
        browser.close()


class Widget:
    """One of the lesson's widgets on the page, found by one of its buttons or labels."""

    def __init__(self, page, label):
        self.page = page
        self.box = page.locator(".jp-OutputArea-output .widget-vbox").filter(has_text=label).first
        self.box.wait_for(timeout=120_000)
        self.box.scroll_into_view_if_needed()
        self.image = self.box.locator("img.widget-image")

    def picture(self):
        """The bytes that the page shows now."""
        return self.image.evaluate(
            "async img => Array.from(new Uint8Array(await (await fetch(img.src)).arrayBuffer()))"
        )

    def words(self):
        return self.box.locator("[role=status]").inner_text()

    def changes(self, act):
        """Seconds from an act to other bytes on the page."""
        before, began = self.image.get_attribute("src"), time.perf_counter()
        act()
        self.page.wait_for_function(
            "([img, before]) => img.src !== before && img.complete",
            arg=[self.image.element_handle(), before],
            polling=5,
            timeout=30_000,
        )
        return time.perf_counter() - began


def test_dragging_a_slider_moves_the_picture(lesson):
    explorer = Widget(lesson, "other latents")
    ready = time.perf_counter() - lesson.began
    print(f"first live widget after {ready:.1f} s")
    assert ready < 60
    before = explorer.picture()
    assert bytes(before[:4]) == b"\x89PNG"
    handle = explorer.box.locator(".noUi-handle").first
    place = handle.bounding_box()
    x, y = place["x"] + place["width"] / 2, place["y"] + place["height"] / 2
    lesson.mouse.move(x, y)
    lesson.mouse.down()
    explorer.changes(lambda: lesson.mouse.move(x + 60, y, steps=10))
    lesson.mouse.up()
    lesson.wait_for_timeout(500)
    assert explorer.picture() != before and "moved along dimension 0 by +" in explorer.words()


def test_keys_move_it_too_and_quickly(lesson):
    explorer = Widget(lesson, "other latents")
    handle = explorer.box.locator(".noUi-handle").nth(1)
    handle.focus()
    took = []
    for _ in range(15):
        took.append(explorer.changes(lambda: lesson.keyboard.press("ArrowRight")))
        lesson.wait_for_timeout(120)
    print(
        f"key to picture in the browser: median {1e3 * statistics.median(took):.0f} ms, most {1e3 * max(took):.0f} ms"
    )
    assert statistics.median(took) < MOST_SECONDS_END_TO_END
    assert "dimension 1 by +" in explorer.words()
    explorer.changes(lambda: explorer.box.get_by_role("button", name="reset").click())
    lesson.wait_for_timeout(300)
    assert "where they were drawn" in explorer.words()


def test_the_player_plays(lesson):
    player = Widget(lesson, "step on")
    before = player.picture()
    play = player.box.locator(".widget-play button").first
    player.changes(lambda: play.click())
    lesson.wait_for_timeout(1_000)
    assert player.picture() != before
    assert "Curves so far" in player.words()
    stopped = player.box.locator(".widget-play button").first
    stopped.click()


def test_time_can_be_scrubbed(lesson):
    scrubber = Widget(lesson, "training time")
    words = scrubber.words()
    scrubber.box.locator(".noUi-handle").first.focus()
    scrubber.changes(lambda: lesson.keyboard.press("ArrowLeft"))
    lesson.wait_for_timeout(300)
    assert scrubber.words() != words


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
    assert nameless == []


def test_nothing_went_wrong_on_the_page(lesson):
    lesson.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").first.wait_for(timeout=180_000)
    explorer = Widget(lesson, "other latents")
    folder = ROOT / "build" / "browser"
    folder.mkdir(parents=True, exist_ok=True)
    lesson.screenshot(path=folder / "lesson_05_explorer.png")
    Widget(lesson, "step on").box.screenshot(path=folder / "lesson_05_player.png")
    explorer.box.screenshot(path=folder / "lesson_05_widget.png")
    assert [c for c in lesson.complaints if not any(noise in c for noise in NOISE)] == []
    assert (
        lesson.locator(".jp-OutputArea-output[data-mime-type='application/vnd.jupyter.error']").count() == 0
    )
