"""The Makefile's commands and its set-up, with small stand-ins for python3 and uv at the front of PATH."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def clone(tmp_path):
    """A folder with the Makefile, and a function that runs make there."""
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "bin").mkdir()
    for tool in ("sh", "make", "rm", "touch", "mkdir", "chmod", "cat", "env", "test", "echo", "dirname"):
        if found := shutil.which(tool):
            (tmp_path / "bin" / tool).symlink_to(found)

    def make(*arguments, **programs):
        for name, script in programs.items():
            program = tmp_path / "bin" / name
            program.write_text(f"#!/bin/sh\n{script}\n")
            program.chmod(0o755)
        environment = {"PATH": str(tmp_path / "bin"), "HOME": str(tmp_path)}
        done = subprocess.run(
            ["make", *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=900
        )
        return done.returncode, done.stdout + done.stderr

    return make


# A python3 that is new enough; `-m venv DIR` makes a python that logs what pip is asked to install.
VENV = (
    r'mkdir -p .venv/bin; printf "#!/bin/sh\necho \"\$@\" >> log\n" > .venv/bin/python; '
    "chmod +x .venv/bin/python"
)
PYTHON3 = f'case "$*" in *"-m venv"*) {VENV};; esac'


def test_make_lists_its_commands(clone):
    status, said = clone()
    assert status == 0
    for target in ("setup", "course", "test", "lab", "notebooks", "record"):
        assert f"make {target} " in said
        assert clone("--dry-run", target, "LESSONS=x")[0] == 0
    assert "run.py --lesson 02 --profile cpu" in clone("--dry-run", "course", "LESSON=02", "PROFILE=cpu")[1]


@pytest.mark.parametrize(
    "programs, words",
    [
        ({}, "install Python 3.10 or newer"),
        ({"python3": 'test "$1" = -V && echo "Python 3.8.1"; exit 1'}, "and python3 is Python 3.8.1"),
        ({"python3": 'case "$*" in *venv*) mkdir .venv; exit 1;; esac'}, "apt install python3-venv"),
        ({"python3": PYTHON3.replace(r"log\n", r"log\ncase \$* in *install*) exit 1;; esac\n")}, "did not finish"),
    ],
    ids=["no Python", "old Python", "no venv", "installation interrupted"],
)
def test_what_stops_the_set_up_is_said_and_nothing_is_taken_for_ready(clone, tmp_path, programs, words):
    status, said = clone("setup", **programs)
    assert status != 0 and words in said
    assert not (tmp_path / ".venv" / ".ready").exists()


def test_setup_with_pip_happens_once_and_again_when_pyproject_changes(clone, tmp_path):
    assert clone("setup", python3=PYTHON3)[0] == clone("setup")[0] == 0
    assert (tmp_path / "log").read_text().count("-m pip install") == 1
    later = (tmp_path / ".venv" / ".ready").stat().st_mtime + 5
    os.utime(tmp_path / "pyproject.toml", (later, later))
    assert clone("setup")[0] == 0
    assert (tmp_path / "log").read_text().count("--editable") == 2


def test_setup_prefers_uv(clone, tmp_path):
    status, said = clone("setup", python3="exit 0", uv=f'echo uv "$@" >> log; case "$1" in venv) {VENV};; esac')
    log = (tmp_path / "log").read_text()
    assert status == 0, said
    assert "uv pip install --quiet --python .venv/bin/python --editable .[dev]" in log and "-m pip" not in log
