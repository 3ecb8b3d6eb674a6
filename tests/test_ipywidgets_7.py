"""The widgets' tests again with ipywidgets 7.7.1, which is what Colab has, in a folder of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
VERSION = "7.7.1"
FOLDER = ROOT / "build" / f"ipywidgets-{VERSION}"  # fetched once, without its dependencies
HERE = Path(__file__).resolve().parent


@pytest.fixture(scope="module")
def environment():
    if not (FOLDER / "ipywidgets").is_dir():
        wanted = [f"ipywidgets=={VERSION}", "ipython_genutils"]
        pip = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-deps",
            "--target",
            str(FOLDER),
            *wanted,
        ]
        uv = ["uv", "pip", "install", "--quiet", "--no-deps", "--target", str(FOLDER), *wanted]
        for command in (pip, uv):
            try:
                subprocess.run(command, check=True, capture_output=True, timeout=300)
                break
            except (subprocess.SubprocessError, FileNotFoundError):
                continue
        else:
            pytest.skip(f"ipywidgets {VERSION} could not be fetched: is there a network?")
    return {**os.environ, "PYTHONPATH": str(FOLDER), "OMP_NUM_THREADS": "1"}


def test_the_widgets_work_as_on_colab(environment):
    found = [sys.executable, "-c", "import ipywidgets; print(ipywidgets.__version__)"]
    assert subprocess.run(found, env=environment, capture_output=True, text=True).stdout.strip() == VERSION
    files = [str(HERE / name) for name in ("test_widgets.py", "test_latent_widgets.py")]
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-W",
        "ignore",
        "-k",
        "not quick and not memory",
        *files,
    ]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-3000:]
