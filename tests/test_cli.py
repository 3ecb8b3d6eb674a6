"""The command line: every command does its work, and bad input gets one line and status 2."""

import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from gan_course import files, recipes, runs
from gan_course.__main__ import main

pytestmark = pytest.mark.usefixtures("own_machine")
TINY = ["--profile", "ci", "--quiet", "--set", "batch=16"]


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
    """The folder of a run trained by the command line in a process of its own."""
    folder = tmp_path_factory.mktemp("cli") / "run"
    env = {k: v for k, v in os.environ.items() if not k.startswith("GAN_COURSE")}
    env.update(GAN_COURSE_OFFLINE="1", OMP_NUM_THREADS="1")
    command = [sys.executable, "-m", "gan_course", "train", "dcgan-mnist", "--out", folder, "--seed", "3"]
    command += ["--images", "960", "--profile", "ci", "--set", "batch=16", "--set", "draw_every=20"]
    done = subprocess.run(command, env=env, cwd=folder.parent, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder, done


# --- what it does ----------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["recipes", "data", "train", "sample", "publish", "doctor"])
def test_every_commands_help_ends_with_an_example(command, cli):
    status, out, err = cli(command, "--help")
    assert (status, err) == (0, "")
    assert f"example: python -m gan_course {command}" in " ".join(out.split())
    assert command in cli("--help")[1]


def test_recipes(cli):
    assert cli("recipes") == (0, recipes.table() + "\n", "")


def test_data(cli, tmp_path):
    status, out, err = cli("data")
    assert (status, err) == (0, "")
    assert "mnist: MNIST" in out and "fashion-mnist: " in out
    status, out, _ = cli("data", "mnist", "--path", tmp_path / "nowhere")
    assert "does not exist" in out and "6,000 training and 1,000 test images that come with the course" in out


def test_training_in_a_process_of_its_own(a_run):
    folder, done = a_run
    assert "6,000 of the 60,000 training images of MNIST" in done.stdout  # it says which images it used
    assert "step     60  Loss_D: " in done.stdout
    assert (
        f"finished: 960 images in {runs.Run(folder).card['seconds']:.0f} s, kept in {folder}" in done.stdout
    )
    assert "dcgan-mnist: 100%" in done.stderr and " images/s]" in done.stderr  # the bar
    assert "Traceback" not in done.stderr
    run = runs.Run(folder)
    assert run.recipe == recipes.get("dcgan-mnist").but(width=0.25, batch=16, draw_every=20)
    assert [step for step, _ in run.frames] == [0, 20, 40, 60]
    assert run.card["seed"] == 3


def test_samples_as_a_grid(a_run, cli, tmp_path):
    folder, _ = a_run
    status, out, err = cli("sample", folder, "--n", 9, "--out", tmp_path / "new" / "grid.png")
    assert (status, err) == (0, "")
    assert "9 images in" in out and "G's moving average with its running BatchNorm statistics, seed 0" in out
    with Image.open(tmp_path / "new" / "grid.png") as picture:
        assert picture.size == (2 * (3 * 30 + 2), 2 * (3 * 30 + 2))
        pixels = np.asarray(picture)
    cli("sample", folder, "--n", 9, "--out", tmp_path / "again.png")
    cli("sample", folder, "--n", 9, "--seed", 1, "--out", tmp_path / "other.png")
    assert np.array_equal(pixels, np.asarray(Image.open(tmp_path / "again.png")))
    assert not np.array_equal(pixels, np.asarray(Image.open(tmp_path / "other.png")))


def test_samples_as_an_archive(a_run, cli, tmp_path):
    folder, _ = a_run
    assert cli("sample", folder, "--n", 5, "--out", tmp_path / "samples.npz")[0] == 0
    with np.load(tmp_path / "samples.npz", allow_pickle=False) as archive:
        assert archive.files == ["images"]
        assert archive["images"].shape == (5, 1, 28, 28) and archive["images"].dtype == np.uint8
        assert archive["images"].std() > 0


def test_train_go_on_and_nothing_to_do(cli, tmp_path):
    command = ["train", "dcgan-fashion", *TINY, "--out", "here"]
    status, out, err = cli(*command, "--images", "32")
    assert (status, err) == (0, "") and "finished: 32 images" in out
    status, out, _ = cli(*command, "--images", "64", "--resume")
    assert status == 0 and "finished: 64 images" in out
    status, out, _ = cli(*command, "--images", "64", "--resume")
    assert status == 0 and "nothing to do: it has seen 64 images" in out and "--images asks for more" in out


def test_the_default_folder_and_fields_that_are_set(cli, tmp_path):
    sets = [
        "betas=0.0,0.9",
        "fresh_noise=false",
        "lr_d=1e-3",
        "objective=least-squares",
        "average_half_life=99",
    ]
    status, _, err = cli(
        *("train", "dcgan-fashion", *TINY, "--images", 16, "--seed", 7),
        *(part for text in sets for part in ("--set", text)),
    )
    assert (status, err) == (0, "")
    run = runs.Run(tmp_path / "runs" / "dcgan-fashion-seed7")
    assert run.recipe == recipes.get("dcgan-fashion").but(
        width=0.25,
        batch=16,
        betas=(0.0, 0.9),
        fresh_noise=False,
        lr_d=1e-3,
        objective="least-squares",
        average_half_life=99,
    )


def test_publish_and_sample_by_name(a_run, cli, tmp_path, monkeypatch):
    assets = tmp_path / "assets"
    (assets / "runs").mkdir(parents=True)
    monkeypatch.setattr(files, "assets_dir", lambda: assets)
    status, out, err = cli("publish", a_run[0], "digits")
    assert (status, err) == (0, "") and str(assets / "runs" / "digits") in out and " MB" in out
    assert cli("sample", "digits", "--n", 4, "--out", "grid.png")[0] == 0
    assert "digits" in cli("sample", "numbers", "--out", "grid.png")[2]  # the known names are told
    for name in ("", "..", "a/b", "../b", "/tmp/b"):
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
    monkeypatch.setenv("GAN_COURSE_PROFILE", "laptop")
    status, out, _ = cli("doctor")
    assert status == 1
    assert (
        "✗ profile        unknown profile 'laptop': GAN_COURSE_PROFILE is one of ci, cpu, colab, full" in out
    )
    assert "to mend before the lessons run" in out


# --- bad input -------------------------------------------------------------------------------------


def train(*arguments) -> list[str]:
    return ["train", "mlp-fashion", *TINY, "--images", "160", "--out", "run", *arguments]


def setting(text: str) -> list[str]:
    return train("--set", text)


BAD = [
    # what is typed, what the one line says
    ([], "required: COMMAND"),
    (["trian"], "invalid choice: 'trian'"),
    (["train"], "required: recipe"),
    (["train", "mlp-fashion", "--image", "x"], "argument --images: invalid int value: 'x'"),
    (["train", "mlp"], "unknown recipe 'mlp': there are mlp-fashion, dcgan-fashion,"),
    (
        ["train", "dcgan-faces-64", "--data", "nowhere"],
        "nowhere does not exist: a folder of pictures or a zip",
    ),
    (setting("data=cats"), "unknown image set 'cats': there are mnist, fashion-mnist, faces"),
    (
        ["train", "mlp-fashion", "--profile", "laptop"],
        "unknown profile 'laptop': GAN_COURSE_PROFILE is one of ci, cpu",
    ),
    (train("--images", "0"), "--images 0: at least 1 works"),
    (train("--images", "-5"), "--images -5: at least 1 works"),
    (train("--images", "15"), "15 images to see are less than one batch of 16: ask for more"),
    (train("--seed", "-1"), "argument --seed: '-1' is no seed, a whole number from 0 to 2^32 - 1 is one"),
    (train("--seed", str(2**70)), "is no seed"),
    (train("--seed", "two"), "'two' is no seed"),
    (setting("batch=0"), "batch 0: BatchNorm needs at least 2 images, 64 or 128 work well"),
    (setting("batch=1"), "batch 1: BatchNorm needs at least 2 images"),
    (setting("batch=-64"), "batch -64: BatchNorm needs at least 2 images"),
    (setting("batch=many"), "--set 'batch=many': batch is like 64, 'many' is not"),
    (setting("batch=16.5"), "batch is like 64, '16.5' is not"),
    (setting("batch=7000"), "6000 images do not fill a batch of 7000"),
    ([*setting("batch=7000"), "--images", "99999"], "6000 images do not fill a batch of 7000"),
    (setting("batch"), "--set 'batch': write FIELD=VALUE, for example batch=128"),
    (setting("batchsize=4"), "a recipe has no field 'batchsize': there are key, network, data,"),
    (setting("lr_g=-2e-4"), "they cannot be negative, 2e-4 works"),
    (setting("lr_d=-1"), "they cannot be negative"),
    (setting("lr_g=nan"), "lr_g nan: it takes a finite number"),
    (setting("lr_d=inf"), "lr_d inf: it takes a finite number"),
    (setting("betas=0.5"), "betas is like (0.5, 0.999), '0.5' is not"),
    (setting("betas=0.5,1.0"), "both lie in [0, 1), (0.5, 0.999) works"),
    (setting("fresh_noise=maybe"), "fresh_noise is like True, 'maybe' is not"),
    (
        setting("objective=hinge"),
        "unknown objective 'hinge': there are minimax, non-saturating, least-squares",
    ),
    (setting("network=stylegan"), "unknown network 'stylegan': there are mlp,"),
    (
        setting("network=dcgan-faces"),
        "network 'dcgan-faces' does not make 28 px images: it makes 64 or 96 or 128 px",
    ),
    (setting("size=7"), "at least 8 px"),
    (setting("size=32"), "fashion-mnist has 28 pixels a side, not 32"),
    (setting("channels=2"), "2 image channels: the course has 1 (grey) and 3 (RGB)"),
    (setting("width=0"), "width 0.0: a factor between 1/16 and 4 works"),
    (setting("real_label=2"), "0 ≤ fake < real ≤ 1"),
    (setting("data=cifar"), "image set 'cifar'"),
    (train("--data", "missing"), "missing does not exist"),
    (train("--data", "empty"), "empty is empty"),
    (train("--data", "file"), "file is no folder"),
    (train("--out", "file"), "cannot write file/frames/step_0000000.png (Not a directory): choose a folder"),
    (train("--out", "file/run"), "choose a folder you may write to"),
    (["data", "cifar"], "unknown image set 'cifar': there are mnist, fashion-mnist, faces"),
    (["sample", "nothing", "--out", "grid.png"], "nothing holds no run (no run.json): train one with"),
    (["sample", "file", "--out", "grid.png"], "file holds no run"),
    (
        ["sample", "nothing", "--out", "grid.jpg"],
        "a name ending in .png makes a grid, one in .npz the images",
    ),
    (["sample", "nothing", "--out", "grid"], "a name ending in .png makes a grid"),
    (["sample", "nothing"], "required: --out"),
    (["sample", "nothing", "--n", "10001", "--out", "g.png"], "at most 10,000, or take --out samples.npz"),
    (["publish", "nothing", "name"], "nothing holds no run"),
]


@pytest.mark.parametrize(("arguments", "said"), BAD, ids=[" ".join(a)[:60] or "nothing" for a, _ in BAD])
def test_bad_input_is_one_line_and_status_2(arguments, said, cli, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("in the way")
    before = sorted(tmp_path.rglob("*"))
    status, _, err = cli(*arguments)
    assert status == 2
    assert err.startswith("gan_course: ") and err.endswith("\n") and err.count("\n") == 1
    assert said in err
    assert sorted(tmp_path.rglob("*")) == before  # nothing was begun that has to be cleared away


def test_the_profile_of_the_environment_is_checked(cli, monkeypatch):
    monkeypatch.setenv("GAN_COURSE_PROFILE", "huge")
    status, _, err = cli("train", "mlp-fashion")
    assert status == 2 and "unknown profile 'huge'" in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--n", "0"], "number of images 0: a whole number from 1 works"),
        (["--n", "-3"], "number of images -3: a whole number from 1 works"),
        (["--n", "four"], "argument --n: invalid int value: 'four'"),
        (["--n", str(10**12)], "out of memory: less at a time works"),
        (["--seed", "-1"], "'-1' is no seed"),
        (["--out", "file/samples.npz"], "choose a folder you may write to"),
    ],
)
def test_samples_that_cannot_be_had(arguments, said, a_run, cli, tmp_path):
    (tmp_path / "file").write_text("in the way")
    status, _, err = cli("sample", a_run[0], "--out", "samples.npz", *arguments)
    assert status == 2 and err.count("\n") == 1
    assert re.search(said, err)
    assert [p.name for p in tmp_path.rglob("*")] == ["file"]


def test_a_run_is_neither_lost_nor_mistaken(a_run, cli, tmp_path):
    """Everything one can get wrong with a folder that holds a run, and the run is as it was."""
    folder, _ = a_run
    before = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    right = ["train", "dcgan-mnist", *TINY, "--set", "draw_every=20", "--out", folder, "--images", "1600"]
    for arguments, said in (
        ([*right, "--seed", "3"], "already holds a run: resume it, or choose another folder"),
        ([*right, "--resume"], "was trained with seed 3, not 0: use the same, or a new folder"),
        (
            [*right, "--resume", "--seed", "3", "--set", "lr_d=0.1"],
            "is of another recipe (lr_d 1e-05 there, 0.1 here)",
        ),
        (
            [*right, "--resume", "--seed", "3", "--profile", "cpu"],
            "is of another recipe (width 0.25 there, 1.0 here)",
        ),
        (
            [*right, "--resume", "--seed", "3", "--set", "data=fashion-mnist"],
            "is of another recipe (data 'mnist'",
        ),
    ):
        status, _, err = cli(*arguments)
        assert status == 2 and said in err and err.count("\n") == 1
    assert {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()} == before


@pytest.mark.parametrize("keep", [0, 50, 5_000])
def test_a_damaged_run(keep, a_run, cli, tmp_path):
    for path in a_run[0].rglob("*"):
        if path.is_file():
            copy = tmp_path / "run" / path.relative_to(a_run[0])
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    checkpoint = tmp_path / "run" / "checkpoint.safetensors"
    checkpoint.write_bytes(checkpoint.read_bytes()[:keep])
    again = [
        "train",
        "dcgan-mnist",
        *TINY,
        "--set",
        "draw_every=20",
        "--out",
        "run",
        "--seed",
        "3",
        "--resume",
    ]
    for arguments in (["sample", "run", "--out", "grid.png"], again, ["publish", "run", "name"]):
        status, _, err = cli(*arguments)
        assert status == 2 and err.count("\n") == 1
        assert "run/checkpoint.safetensors is damaged or incomplete" in err
    assert checkpoint.stat().st_size == keep
    assert not (tmp_path / "grid.png").exists()
    (tmp_path / "run" / "run.json").write_text(json.dumps({"recipe": 1}))
    status, _, err = cli("sample", "run", "--out", "grid.png")
    assert status == 2 and "run.json is damaged" in err and err.count("\n") == 1


def test_divergence_is_one_line_too(cli, tmp_path):
    status, _, err = cli(
        *("train", "dcgan-mnist", *TINY, "--out", "run", "--images", 1600),
        *("--set", "lr_d=1e18", "--set", "lr_g=1e18"),
    )
    assert status == 2 and err.count("\n") == 1
    assert "at step" in err and "lower the learning rates (1e+18 for G" in err
    assert runs.Run(tmp_path / "run").restore().step == 0


def test_ctrl_c_before_anything_began(cli, monkeypatch):
    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("gan_course.data.load", interrupted)
    status, _, err = cli(*train())
    assert (status, err) == (130, "gan_course: stopped; what was saved before is kept\n")


def test_missing_assets_are_said_to_be_missing(cli, tmp_path, monkeypatch):
    monkeypatch.setattr(files, "assets_dir", lambda: tmp_path / "assets")
    status, _, err = cli(*train())
    assert status == 2 and err.count("\n") == 1
    assert "install the course again" in err


def test_in_a_process_of_its_own(process, tmp_path):
    for arguments, said in (
        (["train", "mlp-fashion", "--set", "batch=1"], "batch 1: BatchNorm needs at least 2 images"),
        (["frobnicate"], "invalid choice: 'frobnicate'"),
    ):
        running = process("-m", "gan_course", *arguments)
        out, err = running.communicate(timeout=60)
        assert (running.returncode, out) == (2, "")
        assert err.startswith("gan_course: ") and said in err and err.count("\n") == 1


def test_help_does_not_wait_for_torch(process):
    running = process("-X", "importtime", "-m", "gan_course", "train", "--help")
    out, err = running.communicate(timeout=60)
    assert running.returncode == 0 and "example:" in out
    imported = [line.rpartition("|")[2].strip() for line in err.splitlines()]
    assert "argparse" in imported and "torch" not in imported
