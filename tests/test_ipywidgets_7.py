"""The widgets' tests again with ipywidgets 7.7.1, which is what Colab has, in a folder of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
VERSION = "7.7.1"
FOLDER = ROOT / "build" / f"ipywidgets-{VERSION}"  # fetched once, without its dependencies


@pytest.fixture(scope="module")
def environment():
    install = ["install", "--quiet", "--no-deps", "--target", str(FOLDER)]
    install += [f"ipywidgets=={VERSION}", "ipython_genutils"]
    for command in ([sys.executable, "-m", "pip"], ["uv", "pip"]):
        if (FOLDER / "ipywidgets").is_dir():
            break
        try:
            subprocess.run([*command, *install], check=True, capture_output=True, timeout=900)
        except (subprocess.SubprocessError, FileNotFoundError):
            continue
    else:
        if not (FOLDER / "ipywidgets").is_dir():
            pytest.skip(f"ipywidgets {VERSION} could not be fetched: is there a network?")
    path = os.pathsep.join(filter(None, [str(FOLDER), os.environ.get("PYTHONPATH")]))
    return {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}


def test_the_widgets_work_as_on_colab(environment):
    found = [sys.executable, "-c", "import ipywidgets; print(ipywidgets.__version__)"]
    assert subprocess.run(found, env=environment, capture_output=True, text=True).stdout.strip() == VERSION
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "ignore"]
    command += [str(ROOT / "tests" / name) for name in ("test_widgets.py", "test_latent_widgets.py", "test_ward.py")]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout[-3000:]
