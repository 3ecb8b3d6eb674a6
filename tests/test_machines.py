"""Other people's machines: their terminals, homes, disks and numbers. Each test is a fault that somebody met."""

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from gan_course import checkpoint, data, devices, doctor, files, recipes, runs, sampling
from gan_course.__main__ import main
from gan_course.errors import CourseError
from gan_course.gan import GAN

SMALL = recipes.get("quick-digits").but(width=1 / 8, draw_every=5)
TRAIN = ["train", "quick-digits", "--profile", "ci", "--images", "320", "--out"]

pytestmark = pytest.mark.usefixtures("own_machine")


def shell(line: str, **environment) -> subprocess.CompletedProcess:
    command = line.replace("COURSE", f"{sys.executable} -m gan_course")
    environment = {**os.environ, **environment}
    return subprocess.run(command, shell=True, capture_output=True, text=True, errors="replace", env=environment)


# --- terminals -------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_what_an_encoding_cannot_say_is_replaced(encoding):
    """With the progress bar's blocks, the doctor's marks and a folder's name."""
    done = shell("COURSE doctor && COURSE recipes && COURSE " + " ".join(TRAIN) + " 跑", PYTHONIOENCODING=encoding)
    assert done.returncode == 0 and "Traceback" not in done.stderr
    assert Path("跑/run.json").exists()


@pytest.mark.parametrize("pipe", ["| head -1", "2>&1 | head -c 20"], ids=["stdout", "stderr"])
def test_a_reader_that_goes_away_ends_no_run(pipe):
    done = shell("COURSE " + " ".join(TRAIN) + f" run {pipe} >/dev/null", PYTHONUNBUFFERED="1")
    assert "Traceback" not in done.stderr and "Exception ignored" not in done.stderr
    card = runs.Run("run").card
    assert card["step"] == card["goal"]


# --- homes and paths -------------------------------------------------------------------------------


def test_a_machine_without_a_home(monkeypatch, capsys):
    for name in ("HOME", "XDG_CACHE_HOME", "GAN_COURSE_CACHE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", lambda: (_ for _ in ()).throw(RuntimeError("no home")))
    assert files.cache_dir().is_absolute()
    assert main(["data", "mnist"]) == 0
    with pytest.raises(CourseError, match="there is no such home"):
        files.user_path("~nobody-of-that-name/x")


def test_an_empty_cache_variable_is_none(monkeypatch):
    monkeypatch.delenv("GAN_COURSE_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    assert files.cache_dir() == Path.home() / ".cache" / "gan-course"


def test_a_tilde_is_the_home_for_writing_too(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert main([*TRAIN, "~/runs/first", "--quiet"]) == 0
    assert main(["sample", "~/runs/first", "--n", "4", "--out", "~/grid.png"]) == 0
    assert {p.name for p in (tmp_path / "home").iterdir()} == {"runs", "grid.png"}
    assert not Path("~").exists()


@pytest.mark.parametrize(
    "arguments",
    [[*TRAIN, ""], [*TRAIN, "run", "--data", ""], ["sample", "quick-digits", "--out", ""], ["sample", "", "--out", "x.png"]],
)
def test_an_empty_path_names_nothing(arguments, capsys, tmp_path):
    assert main(arguments) == 2
    assert "names nothing" in capsys.readouterr().err and list(tmp_path.iterdir()) == []


# --- disks -----------------------------------------------------------------------------------------


def train(folder="run", images=800, **options):
    return runs.train(SMALL, data.load("mnist"), folder, images=images, progress=False, **options)


@pytest.mark.parametrize("call", ["chmod", "fsync"])
def test_a_disk_that_refuses_a_nicety(call, monkeypatch):
    monkeypatch.setattr(os, call, lambda *_, **__: (_ for _ in ()).throw(PermissionError(1, "not permitted")))
    assert train(images=320).card["step"] == 10


@pytest.mark.parametrize("faults", [1, 5])
def test_a_drive_that_is_away_for_a_moment(faults, monkeypatch, capsys):
    """Waited for, or told: the run goes on, and ends whole."""
    monkeypatch.setattr(files, "WAITS", (0.0, 0.0))
    calls, real = iter(range(10**6)), os.replace

    def replace(a, b):
        if 5 <= next(calls) < 5 + faults:
            raise OSError(107, "Transport endpoint is not connected", str(b))
        return real(a, b)

    monkeypatch.setattr(os, "replace", replace)
    card = train().card
    assert card["step"] == card["goal"] == 25
    assert ("training goes on" in capsys.readouterr().err) == (faults > 3)
    assert not list(Path("run").rglob("*.tmp"))


def test_two_jobs_in_one_folder(process):
    script = (
        "import sys, time\nfrom gan_course import data, recipes, runs\nfrom gan_course.errors import CourseError\n"
        "recipe = recipes.get('quick-digits').but(width=1 / 8, batch=4, draw_every=1)\ndigits = data.load('mnist')\n"
        "time.sleep(max(0, float(sys.argv[1]) - time.time()))\n"
        "try: runs.train(recipe, digits, 'run', images=160, resume=True, progress=False, save_every=0.0)\n"
        "except CourseError as error: print(error)\n"
    )
    start = time.time() + 6
    jobs = [process("-c", script, start) for _ in range(2)]
    for job in jobs:
        said, errors = job.communicate(timeout=120)
        assert "No such file" not in said and "Traceback" not in errors
    assert runs.Run("run").restore().step == 40


def test_only_abandoned_temporary_files_are_swept(tmp_path):
    fresh, old = tmp_path / ".x.1.tmp", tmp_path / ".x.2.tmp"
    for path in (fresh, old):
        path.write_bytes(b"")
    os.utime(old, (0, 0))
    files.write_atomically(tmp_path / "x", b"content")
    assert fresh.exists() and not old.exists() and (tmp_path / "x").read_bytes() == b"content"


# --- devices ---------------------------------------------------------------------------------------


def test_a_gpu_without_kernels_is_explained_by_the_doctor(monkeypatch, capsys):
    def refuse(*_, **__):
        raise RuntimeError("CUDA error: no kernel image is available for execution on the device")

    monkeypatch.setattr(torch, "randn", refuse)
    assert doctor.report() == 1
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("✗")]
    assert "was not built for this GPU" in line and "CUDA_VISIBLE_DEVICES=" in line


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (RuntimeError("CUDA out of memory. Tried to allocate 20 MiB"), "training x: out of memory: less at a time"),
        (MemoryError(), "out of memory"),
        (RuntimeError("CUDA error: unspecified launch failure"), "the GPU no longer answers"),
    ],
)
def test_a_device_in_trouble_is_one_line(error, said):
    with pytest.raises(CourseError, match=said), devices.explained("training x"):
        raise error
    with pytest.raises(RuntimeError, match="shapes"), devices.explained("training x"):
        raise RuntimeError("shapes cannot be multiplied")  # the program's own fault stays what it is


# --- numbers ---------------------------------------------------------------------------------------


def test_numbers_of_numpy_and_of_tensors():
    run = train(images=np.int64(320), seed=torch.tensor(3))
    assert run.card["seed"] == 3 and run.card["step"] == 10
    recipe = SMALL.but(batch=np.int64(16), lr_g=np.float32(1e-4), betas=np.array([0.5, 0.9]))
    assert type(recipe.batch) is int and recipe.betas == (0.5, 0.9)
    assert len(sampling.sample(GAN(recipe, np.int32(1)).average, np.int64(3), np.uint8(2))) == 3


@pytest.mark.parametrize("options", [{"images": 1e3}, {"images": True}, {"seed": 1.5}, {"seed": -1}])
def test_what_is_no_whole_number_writes_nothing(options, tmp_path):
    with pytest.raises(CourseError, match="a whole number from 0"):
        train(**options)
    assert not (tmp_path / "run").exists()


# --- networks of one's own -------------------------------------------------------------------------


def pair():
    G = nn.Sequential(nn.Linear(100, 64, bias=False), nn.GroupNorm(4, 64), nn.ReLU(), nn.Linear(64, 784), nn.Tanh())
    norm = nn.utils.parametrizations.spectral_norm
    D = nn.Sequential(nn.Flatten(), norm(nn.Linear(784, 32)), nn.BatchNorm1d(32, affine=False), nn.Linear(32, 1))
    return nn.Sequential(G, nn.Unflatten(1, (1, 28, 28))), D


@pytest.mark.parametrize("scheme", ["pytorch", "xavier", "dcgan"])
def test_the_same_seed_gives_the_same_first_weights_whatever_happened_before(scheme):
    weights = []
    for noise in (1, 2):
        torch.manual_seed(noise)
        gan = GAN(SMALL.but(init=scheme), 7, networks=pair())
        weights.append([*gan.G.state_dict().values(), *gan.D.state_dict().values()])
    assert all(torch.equal(a, b) for a, b in zip(*weights, strict=True))


def test_ones_own_pair_is_saved_loaded_and_sampled(tmp_path):
    path = checkpoint.save(GAN(SMALL, 0, networks=pair()), tmp_path / "own.safetensors")
    gan = checkpoint.load(path, SMALL, networks=pair())
    assert sampling.sample(gan.average, 4).shape == (4, 1, 28, 28)
    with pytest.raises(CourseError, match="not saved from the recipe's networks .* hand over `networks`"):
        checkpoint.load(path, SMALL)


def test_sampling_a_network_in_training_changes_nothing_in_it():
    G = GAN(SMALL).G
    before = {name: value.clone() for name, value in G.state_dict().items()}
    assert len(sampling.sample(G, sampling.CHUNK + 1)) == sampling.CHUNK + 1  # the last chunk is one image
    assert G.training and all(torch.equal(value, before[name]) for name, value in G.state_dict().items())
