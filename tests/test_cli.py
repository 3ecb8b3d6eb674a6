"""The command line: every command does its work, and bad input gets one line and status 2."""

import io
import os
import pwd
import re
import shlex
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image

from gan_course import data, files, recipes, runs
from gan_course.__main__ import main

pytestmark = pytest.mark.usefixtures("own_machine")
TINY = ["--profile", "ci", "--set", "batch=16", "--set", "precision=float32"]  # which one pays, each processor decides


@pytest.fixture
def cli(capsys):
    """cli(*arguments) -> (exit status, stdout, stderr), in this process."""

    def run(*arguments) -> tuple[int, str, str]:
        capsys.readouterr()
        try:
            status = main([str(each) for each in arguments])
        except SystemExit as left:
            status = left.code
        said = capsys.readouterr()
        return status, said.out, said.err

    return run


@pytest.fixture(scope="session")
def a_run(tmp_path_factory):
    """The folder of a run trained by the command line in a process of its own, on a terminal of the Windows kind."""
    folder = tmp_path_factory.mktemp("cli") / "run"
    env = {k: v for k, v in os.environ.items() if not k.startswith("GAN_COURSE")}
    env.update(GAN_COURSE_OFFLINE="1", OMP_NUM_THREADS="1", PYTHONIOENCODING="cp1252")
    command = [sys.executable, "-m", "gan_course", "train", "dcgan-mnist", *TINY, "--out", folder, "--seed", "3"]
    command += ["--images", "640", "--set", "draw_every=20"]
    done = subprocess.run(command, env=env, cwd=folder.parent, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder, done


# --- what it does ----------------------------------------------------------------------------------


def test_recipes_data_and_help(cli, tmp_path):
    for command in ("recipes", "data", "train", "sample", "score", "publish", "doctor"):
        status, out, err = cli(command, "--help")
        assert (status, err) == (0, "")
        assert f"example: python -m gan_course {command}" in " ".join(out.split())
    assert cli("recipes") == (0, recipes.table() + "\n", "")
    status, out, err = cli("data")
    assert (status, err) == (0, "")
    assert all(f"\n{name}:" in f"\n{out}" for name in ("mnist", "fashion-mnist", "celeba"))


def test_help_does_not_wait_for_torch(process):
    out, err = (running := process("-X", "importtime", "-m", "gan_course", "train", "--help")).communicate(timeout=900)
    assert running.returncode == 0 and "example:" in out
    imported = [line.rpartition("|")[2].strip() for line in err.splitlines()]
    assert "argparse" in imported and "torch" not in imported


def test_training_in_a_process_of_its_own(a_run):
    folder, done = a_run
    assert "6,000 of the 60,000 training images" in done.stdout  # it says which images it used
    assert "step     40  Loss_D: " in done.stdout
    assert f"finished: 640 images in {runs.Run(folder).card['seconds']:.0f} s, kept in {folder}" in done.stdout
    assert "dcgan-mnist: 100%" in done.stderr and "640/640" in done.stderr and " images/s]" in done.stderr
    run = runs.Run(folder)
    assert run.recipe == recipes.get("dcgan-mnist").but(width=0.25, batch=16, draw_every=20)
    assert [step for step, _ in run.frames] == [0, 20, 40] and run.card["seed"] == 3


def test_samples(a_run, cli, tmp_path):
    folder, _ = a_run
    status, out, err = cli("sample", folder, "--n", 9, "--out", "new/grid.png")
    assert (status, err) == (0, "")
    assert "9 images in" in out and "G's moving average with its running BatchNorm statistics, seed 0" in out
    cli("sample", folder, "--n", 9, "--out", "again.png")
    cli("sample", folder, "--n", 9, "--seed", 1, "--out", "other.png")
    grid, again, other = (np.asarray(Image.open(name)) for name in ("new/grid.png", "again.png", "other.png"))
    assert grid.shape == (2 * (3 * 30 + 2), 2 * (3 * 30 + 2))
    assert np.array_equal(grid, again) and not np.array_equal(grid, other)
    assert cli("sample", folder, "--n", 5, "--out", "samples.npz")[0] == 0
    with np.load("samples.npz", allow_pickle=False) as archive:
        assert archive.files == ["images"] and archive["images"].dtype == np.uint8
        assert archive["images"].shape == (5, 1, 28, 28) and archive["images"].std() > 0


def test_score(a_run, cli):
    status, out, err = cli("score", "mlp-fashion", "--n", "500")
    assert status == 0 and "Traceback" not in err
    lines = out.splitlines()
    assert lines[0].startswith("mlp-fashion: 500 pictures against 500 unseen ones of fashion-mnist")
    assert "6,000 of the 60,000 training images" in lines[1] and "1,000 of the 10,000 test images" in lines[2]
    assert "Fréchet distance, judge 1" in out and lines[-1].startswith("missing: Trouser")
    cli("sample", a_run[0], "--n", 500, "--out", "noise.npz")  # of a generator that has hardly learned
    status, out, _ = cli("score", "noise.npz", "--n", "500", "--against", "mnist")
    assert status == 0 and "less varied than real ones" in out.splitlines()[-1]


def test_train_go_on_and_nothing_to_do(cli, tmp_path):
    sets = ["betas=0.0,0.9", "fresh_noise=false", "lr_d=1e-3", "objective=least-squares", "average_half_life=99"]
    command = ["train", "dcgan-fashion", *TINY, "--quiet", "--seed", 7]
    command += [part for text in sets for part in ("--set", text)]
    status, out, err = cli(*command, "--images", "32")
    assert (status, err) == (0, "") and "finished: 32 images" in out
    assert "finished: 64 images" in cli(*command, "--images", "64", "--resume")[1]
    status, out, _ = cli(*command, "--images", "64", "--resume")
    assert status == 0 and "nothing to do: it has seen 64 images" in out and "--images asks for more" in out
    run = runs.Run(tmp_path / "runs" / "dcgan-fashion-seed7")
    changes = {"betas": (0.0, 0.9), "fresh_noise": False, "lr_d": 1e-3, "average_half_life": 99}
    assert run.recipe == recipes.get("dcgan-fashion").but(width=0.25, batch=16, objective="least-squares", **changes)


def test_publish_and_sample_by_name(a_run, cli, tmp_path, monkeypatch):
    assets = tmp_path / "assets"
    (assets / "runs").mkdir(parents=True)
    monkeypatch.setattr(files, "assets_dir", lambda: assets)
    status, out, err = cli("publish", a_run[0], "digits")
    assert (status, err) == (0, "") and str(assets / "runs" / "digits") in out and " MB" in out
    assert cli("sample", "digits", "--n", 4, "--out", "grid.png")[0] == 0
    assert "digits" in cli("sample", "numbers", "--out", "grid.png")[2]  # the known names are told
    for name in ("", "..", "a/b"):
        status, _, err = cli("publish", a_run[0], name)
        assert status == 2 and "a plain name without slashes works" in err
    assert [p.name for p in (assets / "runs").iterdir()] == ["digits"]


def test_doctor(cli, monkeypatch):
    status, out, _ = cli("doctor")
    assert status == 0, out
    assert "ready: `make lab` opens the first lesson" in out
    assert all(line.startswith("✓ ") for line in out.splitlines()[:-1])
    for name in ("python", "packages", "device", "profile", "mnist", "fashion-mnist", "disk", "runs"):
        assert f"✓ {name} " in out

    def no_kernels(*sizes, **options):
        raise RuntimeError("CUDA error: no kernel image is available\nfor execution on the device\n")

    monkeypatch.setattr(torch, "randn", no_kernels)
    monkeypatch.setenv("GAN_COURSE_PROFILE", "laptop")
    status, out, _ = cli("doctor")
    assert "✗ device         this PyTorch was not built for this GPU: install a build for it" in out
    assert status == 1 and "to mend before the lessons run" in out
    assert "✗ profile        unknown profile 'laptop': GAN_COURSE_PROFILE is one of ci, cpu, colab, full" in out


# --- terminals, homes ------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["ascii", "cp437", "cp1252"])
def test_any_terminal_can_be_written_to(encoding, monkeypatch):
    """What Windows gives a pipe, and what a machine without a locale has; with a bar, and a folder in Chinese."""
    train = ["train", "quick-digits", *TINY, "--out", "跑"]
    for arguments, status in (
        (["doctor"], 0),
        (["recipes"], 0),
        (["data"], 0),
        ([*train, "--images", "64"], 0),
        (train, 2),  # which holds a run
    ):
        for name in ("stdout", "stderr"):
            monkeypatch.setattr(sys, name, io.TextIOWrapper(io.BytesIO(), encoding))
        assert main(arguments) == status
        assert (sys.stderr if status else sys.stdout).buffer.getvalue().decode(encoding).endswith("\n")


@pytest.mark.parametrize(("ending", "status"), [("2>&1 | head -1", 141), ("| true", 141), (">&- 2>&-", 0)])
def test_a_reader_who_goes_away_costs_no_run(ending, status, tmp_path):
    command = shlex.join([sys.executable, "-m", "gan_course", "train", "quick-digits", *TINY, "--images", "64"])
    script = f"set -o pipefail; {command} --out run {ending}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=900)
    assert done.returncode == status and "Error" not in done.stderr
    assert done.stdout.count("\n") == ("head" in ending)
    assert runs.Run(tmp_path / "run").restore().step == 4


def test_paths_begin_at_home_where_there_is_one(cli, tmp_path, monkeypatch):
    home = tmp_path / "home"
    monkeypatch.setenv("HOME", str(home))
    assert cli("train", "quick-digits", *TINY, "--images", "32", "--out=~/runs/first")[0] == 0
    assert cli("sample", "~/runs/first", "--n", 4, "--out=~/grid.png")[0] == 0
    assert (home / "runs" / "first" / "run.json").exists() and (home / "grid.png").exists()

    def unknown(uid):
        raise KeyError(f"getpwuid(): uid not found: {uid}")

    monkeypatch.setattr(pwd, "getpwuid", unknown)  # as in a container with an arbitrary user
    monkeypatch.delenv("GAN_COURSE_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "")  # which means not set
    assert files.cache_dir() == home / ".cache" / "gan-course"
    monkeypatch.delenv("HOME")
    assert cli("doctor")[0] == cli("data")[0] == 0
    status, _, err = cli("sample", "~/run", "--out", "a.png")
    assert status == 2 and "there is no such home, write the folder in full" in err


# --- bad input -------------------------------------------------------------------------------------


def train(*arguments) -> list[str]:
    return ["train", "mlp-fashion", *TINY, "--quiet", "--images", "160", "--out", "run", *arguments]


def setting(text: str) -> list[str]:
    return train("--set", text)


BAD = [
    # what is typed, what the one line says
    ([], "required: COMMAND"),
    (["train", "mlp"], "unknown recipe 'mlp': there are mlp-fashion, dcgan-fashion,"),
    (train("--profile", "laptop"), "unknown profile 'laptop': GAN_COURSE_PROFILE is one of ci, cpu"),
    (train("--images", "0"), "--images 0: at least 1 works"),
    (train("--seed", "-1"), "argument --seed: '-1' is no seed"),
    (setting("batch=many"), "--set 'batch=many': batch is like 64, 'many' is not"),
    (setting("batch"), "--set 'batch': write FIELD=VALUE, for example batch=128"),
    (setting("batchsize=4"), "a recipe has no field 'batchsize': there are key, network, data,"),
    (setting("betas=0.5"), "betas is like (0.5, 0.999), '0.5' is not"),
    (setting("fresh_noise=maybe"), "fresh_noise is like True, 'maybe' is not"),
    (train("--data", "missing"), "missing does not exist"),
    (train("--out", " "), "the --out ' ' names nothing"),
    (train("--out", "file"), "cannot write file/frames/step_0000000.png (Not a directory): choose a folder"),
    (["data", "cifar"], "unknown image set 'cifar': there are mnist, fashion-mnist, stacked-mnist, faces"),
    (["sample", "nothing", "--out", "grid.jpg"], "a name ending in .png makes a grid, one in .npz the images"),
    (["sample", "nothing", "--n", "10001", "--out", "g.png"], "at most 10,000, or take --out samples.npz"),
    (["sample", "mlp-fashion", "--n", str(10**15), "--out", "g.npz"], "out of memory: less at a time works"),
    (["sample", "mlp-fashion", "--out", "file/g.npz"], "choose a folder you may write to"),
    (["score", "nothing"], "nothing holds no run (no run.json): train one with"),
    (["score", "nothing.npz", "--against", "mnist"], "there is no nothing.npz: `python -m gan_course sample` makes"),
    (["score", "mlp-fashion", "--n", "20"], "number of pictures 20: a whole number from 500 works"),
    (["score", "mlp-fashion", "--against", "cifar"], "no judge of 'cifar' comes with the course: there are those of"),
    (["score", "mlp-fashion", "--n", "500", "--against", "drawn-faces"], "this judge knows pictures in colour"),
    (["publish", "nothing", "name"], "nothing holds no run (no run.json): train one with"),
]


@pytest.mark.parametrize(("arguments", "said"), BAD, ids=[" ".join(a)[:60] or "nothing" for a, _ in BAD])
def test_bad_input_is_one_line_and_status_2(arguments, said, cli, tmp_path):
    (tmp_path / "file").write_text("in the way")
    status, _, err = cli(*arguments)
    assert status == 2
    assert err.startswith("gan_course: ") and err.endswith("\n") and err.count("\n") == 1
    assert said in err
    assert [p.name for p in tmp_path.rglob("*")] == ["file"]  # nothing was begun that has to be cleared away


def test_a_run_is_neither_lost_nor_mistaken(a_run, cli, tmp_path):
    """Everything one can get wrong with a folder that holds a run, and the run is as it was."""
    folder, _ = a_run
    before = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    right = ["train", "dcgan-mnist", *TINY, "--set", "draw_every=20", "--out", folder, "--images", "1600"]
    again = [*right, "--resume", "--seed", "3"]
    for arguments, said in (
        ([*right, "--seed", "3"], "already holds a run: resume it, or choose another folder"),
        ([*right, "--resume"], "was trained with seed 3, not 0: use the same, or a new folder"),
        ([*again, "--set", "lr_d=0.1"], "is of another recipe (lr_d 1e-05 there, 0.1 here)"),
        ([*again, "--profile", "cpu"], "is of another recipe (width 0.25 there, 1.0 here)"),
    ):
        status, _, err = cli(*arguments)
        assert status == 2 and said in err and err.count("\n") == 1
    assert {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()} == before

    shutil.copytree(folder, "run")
    with open("run/checkpoint.safetensors", "r+b") as file:
        file.truncate(5_000)
    again[again.index(folder)] = "run"
    for arguments in (["sample", "run", "--out", "grid.png"], again):
        status, _, err = cli(*arguments)
        assert status == 2 and err.count("\n") == 1
        assert "run/checkpoint.safetensors is damaged or incomplete" in err


def test_divergence_is_one_line_too(cli, tmp_path):
    status, _, err = cli(*setting("lr_d=1e18"), "--set", "lr_g=1e18", "--set", "objective=least-squares")
    assert status == 2 and err.count("\n") == 1
    assert re.search(r"at step \d+: lower the learning rates \(1e\+18 for G", err)
    assert runs.Run(tmp_path / "run").restore().step == 0


def test_ctrl_c_and_missing_assets_before_anything_began(cli, monkeypatch, tmp_path):
    monkeypatch.setattr(files, "assets_dir", lambda: tmp_path / "assets")
    status, _, err = cli(*train())
    assert status == 2 and err.count("\n") == 1 and "install the course again" in err

    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(data, "load", interrupted)
    assert cli(*train()) == (130, "", "gan_course: stopped; what was saved before is kept\n")
