"""The runner of the lessons: real kernels, what is left in the output folder, what may be recorded."""

import html
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest

import recording
import run as runner
from gan_course.errors import CourseError

HEAD = '# %% [markdown]\n# # {0} · Lesson {0}\n#\n# > After it you can say "{0}".\n\n'
GOOD = (
    HEAD.format("00")
    + """
# %%
import os
import sys
import time

import numpy as np
from gan_course import profiles, show

print("progress", file=sys.stderr)
for step in range(3):
    print(f"\\rstep {step}", end="")
print()
print("in", os.path.basename(os.getcwd()))

# %%
show.animation([np.full((8, 8, 3), k, dtype=np.uint8) for k in (0, 200)], "a grey that gets lighter")

# %%
fig, axes = show.new_figure(3, 2)
show.figure(fig, 'empty "axes" & <no> line')

# %%
import ipywidgets
ipywidgets.IntSlider()

# %% tags=["showed"]
print(f"two pictures at {profiles.current().name}")
"""
)
BAD = (
    HEAD.format("01")
    + "# %%\nprint('before')\n\n# %%\ndef f():\n    return missing\n\n\nf()\n\n# %%\nprint('after')\n"
)
SLOW = HEAD.format("02") + (
    "# %%\nimport time\nfrom pathlib import Path\n\nPath('begun').touch()\ntry:\n    time.sleep(60)\n"
    "except KeyboardInterrupt:\n    print('kept')\n\n# %%\nprint('never')\n"
)


@pytest.fixture(scope="module")
def lessons(tmp_path_factory):
    folder = tmp_path_factory.mktemp("course") / "notebooks"
    folder.mkdir()
    for name, text in (("00_good", GOOD), ("01_bad", BAD), ("02_slow", SLOW)):
        (folder / f"{name}.py").write_text(text)
    return folder


def command(lessons, out, *arguments):
    program = Path(runner.__file__)
    return [sys.executable, program, "--lessons", lessons, "--profile", "ci", "--out", out, *arguments]


@pytest.fixture(scope="module")
def run(lessons, tmp_path_factory):
    """The good and the bad lesson, run and recorded by the real command: (output folder, process)."""
    out = tmp_path_factory.mktemp("out")
    arguments = command(lessons, out, "--record", "--lesson", "0", "01")
    return out, subprocess.run(arguments, capture_output=True, text=True, timeout=900)


def alts(path):
    return [html.unescape(words) for _, words in re.findall(r"<img [^>]*?\balt=(['\"])(.*?)\1", path.read_text())]


def test_a_failing_lesson_is_explained_and_the_others_go_on(run):
    folder, done = run
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "01_bad: cell 3 of 4 failed: NameError" in done.stdout
    assert "name 'missing' is not defined" in done.stdout
    lines = done.stdout.splitlines()
    assert any(line.startswith("00_good") and line.endswith("two pictures at ci") for line in lines)
    cells = nbformat.read(folder / "01_bad.ipynb", as_version=4).cells  # what was executed is left
    assert cells[1].outputs[0].text == "before\n" and cells[2].outputs[0].ename == "NameError"
    assert cells[3].outputs == []


def test_pictures_are_left_as_files_and_in_a_page_with_their_words(run):
    words = ["a grey that gets lighter", 'empty "axes" & <no> line']
    folder = run[0] / "figures" / "00_good"
    assert alts(run[0] / "00_good.html") == words and alts(folder / "index.html") == words
    assert (folder / "003-1.webp").read_bytes()[8:12] == b"WEBP"
    assert (folder / "004-1.png").read_bytes()[1:4] == b"PNG"


def test_only_the_good_lesson_is_recorded(run, lessons):
    assert not (lessons / "01_bad.ipynb").exists()
    cells, metadata = (nbformat.read(lessons / "00_good.ipynb", as_version=4)[part] for part in ("cells", "metadata"))
    assert cells[1].outputs == [stream("step 2\nin notebooks\n")]
    assert cells[4].outputs[0].data == {"text/plain": "(a widget: run this cell to use it)"}
    assert "widgets" not in metadata and metadata["gan_course"]["profile"] == "ci"
    assert set(metadata["gan_course"]) >= {"device", "torch", "python", "course", "minutes"}


def test_interrupting_keeps_what_is_there(lessons, tmp_path, process):
    run = process(*command(lessons, tmp_path, "--lesson", "02")[1:])
    deadline = time.monotonic() + 600
    while not (lessons / "begun").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(0.5)
    run.send_signal(signal.SIGINT)
    said, _ = run.communicate(timeout=900)
    assert run.returncode == 130 and "02_slow: stopped" in said
    cells = nbformat.read(tmp_path / "02_slow.ipynb", as_version=4).cells
    assert cells[1].outputs[0].text == "kept\n" and cells[2].outputs == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--lesson", "9"], "no lesson '9': there are 00_good, 01_bad, 02_slow"),
        (["--profile", "huge"], "unknown profile 'huge'"),
    ],
)
def test_bad_input_is_one_line_and_status_2(lessons, tmp_path, capsys, arguments, words):
    assert runner.main(["--lessons", str(lessons), "--out", str(tmp_path / "out"), *arguments]) == 2
    said = capsys.readouterr().err
    assert words in said and said.count("\n") == 1 and not (tmp_path / "out").exists()


# Recording: what is refused, and what is cleaned.


def notebook(*outputs, tags=()):
    cell = nbformat.v4.new_code_cell("f()", id="a", execution_count=1, outputs=list(outputs))
    cell.metadata["tags"] = list(tags)
    return nbformat.v4.new_notebook(cells=[cell])


def stream(text, name="stdout"):
    return nbformat.v4.new_output("stream", name=name, text=text)


def shown(data, metadata=None):
    return nbformat.v4.new_output("display_data", data=data, metadata=metadata or {})


PNG, ALT = {"image/png": "AAAA"}, {"image/png": {"alt": "three digits"}}
ERROR = nbformat.v4.new_output("error", ename="ValueError", evalue="no", traceback=["File /tmp/x", "no"])


@pytest.mark.parametrize(
    ("output", "words"),
    [
        (shown(PNG), "picture without alternative text"),
        (shown(PNG, {"image/png": {"alt": " "}}), "picture without alternative text"),
        (shown({"text/html": "<p><img src='x.png'></p>"}), "<img> without alternative text"),
        (stream("<Picture object at 0x7f12ab34cd56>\n"), "a memory address"),
        (shown({"text/plain": "saved /tmp/abc/run"}), "a path of this machine"),
        (ERROR, "failed with ValueError"),
        (stream("x" * 1_600_000), "fewer or smaller pictures"),
    ],
    ids=["png", "blank-alt", "img", "address", "path", "error", "size"],
)
def test_what_is_not_recorded(tmp_path, output, words):
    with pytest.raises(CourseError, match=re.escape(words)):
        recording.record(notebook(output), tmp_path / "00_x.ipynb", {})
    assert list(tmp_path.iterdir()) == []


def recorded(path, *outputs, tags=()):
    nb = notebook(*outputs, tags=tags)
    recording.tidy(nb)
    recording.record(nb, path / "00_x.ipynb", {"profile": "cpu"})
    return nbformat.read(path / "00_x.ipynb", as_version=4).cells[0].outputs


def test_what_is_recorded_is_what_a_reader_saw_at_the_end(tmp_path):
    outputs = [stream("a\n"), stream("5 %\r10 %\rdone\r\n"), stream("bar", "stderr"), stream("\r")]
    assert recorded(tmp_path, *outputs) == [stream("a\ndone\n")]
    # A bar that goes on below a picture is kept once; a widget leaves its still picture.
    begun, done = stream("begin\ntrain:   1%|▏ | 1/80"), stream("train: 100%|██| 80/80\n")
    widget = shown(PNG | {recording.WIDGET: {"model_id": "1", "version_major": 2, "version_minor": 0}}, ALT)
    assert recorded(tmp_path, begun, widget, done) == [stream("begin"), shown(PNG, ALT), done]


def test_an_announced_error_keeps_its_message_without_its_frames(tmp_path):
    (output,) = recorded(tmp_path, ERROR, tags=["raises-exception"])
    assert output.traceback == ["ValueError: no"]


def test_known_folders_are_written_as_on_any_machine(tmp_path, monkeypatch):
    monkeypatch.setenv("GAN_COURSE_DATA", "/tmp/sets")
    (output,) = recorded(tmp_path, stream(f"from /tmp/sets/MNIST and {Path.home()}/.cache\n"))
    assert output.text == "from $GAN_COURSE_DATA/MNIST and ~/.cache\n"
    text = "1/2, https://example.org/home/x and 0x10\n"  # neither paths nor addresses of memory
    assert recorded(tmp_path, stream(text)) == [stream(text)]
