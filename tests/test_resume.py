"""A run goes on bit for bit: after a save, a kill, a Ctrl-C, a full disk. And what a checkpoint refuses."""

import errno
import json
import os
import re
import resource
import signal
import time

import numpy as np
import pytest
import safetensors.torch
import torch

from gan_course import checkpoint, data, files, recipes, runs, training
from gan_course.__main__ import main
from gan_course.errors import CourseError
from gan_course.gan import GAN

pytestmark = pytest.mark.usefixtures("own_machine")
CHECKPOINT = "checkpoint.safetensors"


def left_over(folder) -> list[str]:
    return [path.name for path in folder.rglob("*.tmp")]


# --- bit for bit -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "changes", "stop", "until"),
    [
        ("mlp-fashion", {"g_every": 3}, 50, 58),  # in the middle of an epoch of 4 batches; G rests, norms are due
        ("mlp-fashion", {}, 48, 53),  # the end of an epoch
        ("dcgan-fashion", {}, 7, 12),  # G has its turn every second step; channels_last, dropout of whole maps
        ("dcgan-fashion", {"g_every": 1, "fresh_noise": False}, 9, 17),  # over an update of the average
        ("dcgan-mnist", {"batch": 4}, 21, 30),  # least squares, Adam's other betas
        ("dcgan-faces-64", {}, 0, 6),  # saved before the first step
        ("quick-faces", {"network": "style", "init": "he"}, 9, 17),  # noise and mixed styles
    ],
)
def test_saving_and_loading_disturb_nothing(key, changes, stop, until, small, pictures, go, assert_same, tmp_path):
    recipe = small(key, **changes)
    images = pictures(recipe, 70)
    whole = go(GAN(recipe, seed=5), images, until)

    begun = go(GAN(recipe, seed=5), images, stop)
    path = checkpoint.save(begun, tmp_path / CHECKPOINT)
    torch.rand(7)  # the global stream has moved on by the time someone loads
    loaded = checkpoint.load(path, recipe)
    assert checkpoint.save(loaded, tmp_path / "again").read_bytes() == path.read_bytes()
    assert_same(go(loaded, images, until), whole)
    assert_same(go(begun, images, until), whole)


# --- real processes --------------------------------------------------------------------------------

RECIPE = {"width": 0.125, "batch": 16, "draw_every": 5}
DRIVER = f"""
import os, sys, time
from gan_course import checkpoint, data, recipes, runs

def flush_for_ever(handle):
    name = os.readlink(f"/proc/self/fd/{{handle}}")
    if "checkpoint" in name and os.path.exists(f"{{sys.argv[1]}}/frames/step_0000015.png"):
        print(name, flush=True)  # and the file is all there, but for its name
        time.sleep(1000)

os.fsync = flush_for_ever
recipe = recipes.get("mlp-fashion").but(**{RECIPE})
runs.train(recipe, data.load("fashion-mnist"), sys.argv[1], images=10**9, seed=3, save_every=0, progress=False)
"""


@pytest.mark.skipif(not os.path.exists("/proc/self/fd"), reason="the process finds its file's name in /proc")
def test_killed_in_the_middle_of_writing_a_checkpoint(process, tmp_path):
    folder = tmp_path / "run"
    running = process("-c", DRIVER, folder)
    temporary = running.stdout.readline().strip()
    running.send_signal(signal.SIGKILL)
    assert running.wait() == -signal.SIGKILL, running.stderr.read()
    assert [os.path.basename(temporary)] == left_over(folder)

    def trained(folder, steps: int) -> runs.Run:
        recipe, images = recipes.get("mlp-fashion").but(**RECIPE), data.load("fashion-mnist")
        return runs.train(recipe, images, folder, images=16 * steps, seed=3, resume=True, progress=False)

    assert runs.Run(folder).restore().step == 10  # the checkpoint is whole all the same
    trained(folder, 12)
    assert [os.path.basename(temporary)] == left_over(folder)  # which may be another job's
    os.utime(temporary, (0, 0))  # but not when it is so old
    resumed, whole = trained(folder, 18), trained(tmp_path / "whole", 18)
    assert (resumed.folder / CHECKPOINT).read_bytes() == (whole.folder / CHECKPOINT).read_bytes()
    assert [s for s, _ in whole.frames] == [0, 5, 10, 15, 18]
    assert left_over(folder) == []


def test_ctrl_c_keeps_the_run_and_says_how_to_go_on(process, tmp_path, capsys):
    command = ["train", "dcgan-fashion", "--profile", "ci", "--seed", "4", "--quiet"]
    command += ["--set", "draw_every=5", "--set", "batch=16", "--set", "precision=float32"]
    folder = tmp_path / "run"
    running = process("-m", "gan_course", *command, "--images", "6000000", "--out", folder)
    deadline = time.monotonic() + 600
    while not (folder / "frames" / "step_0000010.png").exists():
        assert running.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)
    running.send_signal(signal.SIGINT)
    said, errors = running.communicate(timeout=900)
    assert (running.returncode, errors) == (130, "")
    step = runs.Run(folder).restore().step
    assert 10 <= step == runs.Run(folder).card["step"]
    assert f"interrupted after {16 * step:,} images" in said and "--resume goes on" in said

    total = ["--images", str(16 * (step + 8))]
    assert main([*command, *total, "--out", str(folder), "--resume"]) == 0
    assert "finished" in capsys.readouterr().out
    assert main([*command, *total, "--out", str(tmp_path / "whole")]) == 0
    assert (folder / CHECKPOINT).read_bytes() == (tmp_path / "whole" / CHECKPOINT).read_bytes()


def test_ctrl_c_waits_for_the_step_alone(tmp_path, monkeypatch, small, noise_set):
    """Not for the next report: with large networks, 50 steps can be minutes."""
    recipe, step = small("mlp-fashion"), training.train_step

    def interrupted_at_7(gan, real):
        if gan.step == 7:
            os.kill(os.getpid(), signal.SIGINT)
        return step(gan, real)

    monkeypatch.setattr(training, "train_step", interrupted_at_7)
    run = runs.train(recipe, noise_set(recipe), tmp_path / "run", images=16 * 40, progress=False)
    assert run.card["step"] == run.restore().step == len(run.history) == 8


def test_the_second_ctrl_c_stops_at_once():
    with pytest.raises(KeyboardInterrupt), runs.stop_on_interrupt() as interrupted:
        assert not interrupted()
        os.kill(os.getpid(), signal.SIGINT)
        assert interrupted()
        os.kill(os.getpid(), signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):  # and afterwards Python's own handler is back
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(1)


# --- file systems ----------------------------------------------------------------------------------


@pytest.fixture
def tiny(small, noise_set):
    """tiny(folder, steps=…): a run of a few steps that writes all it has at every one, or goes on there."""
    recipe = small("mlp-fashion", width=1 / 16, draw_every=1)

    def train(folder, steps: int = 4) -> runs.Run:
        options = {"resume": True, "progress": False, "save_every": 0}
        return runs.train(recipe, noise_set(recipe), folder, images=16 * steps, **options)

    return train


def whole(run: runs.Run, steps: int) -> bytes:
    """The checkpoint of a run that has all it should have."""
    assert {k: run.card[k] for k in ("step", "images", "goal")} == {"step": steps, "images": 16 * steps, "goal": steps}
    assert run.restore().step == len(run.history) == steps
    assert left_over(run.folder) == []
    return (run.folder / CHECKPOINT).read_bytes()


def refuse(monkeypatch, name: str, fault: int, calls=range(1, 10**6)) -> list[int]:
    """Let a function of `os` fail at some calls, counted from 1; returns the list of all calls."""
    real, made = getattr(os, name), []

    def sometimes(*arguments, **options):
        made.append(len(made) + 1)
        if made[-1] in calls:
            raise OSError(fault, os.strerror(fault))
        return real(*arguments, **options)

    monkeypatch.setattr(os, name, sometimes)
    monkeypatch.setattr(files, "WAITS", (0.0, 0.0))
    return made


@pytest.mark.parametrize(
    ("name", "fault", "calls", "said"),
    [
        ("chmod", errno.EPERM, range(1, 10**6), 0),  # a mounted drive without mode bits
        ("fsync", errno.EINVAL, range(1, 10**6), 0),  # a file system that cannot be flushed
        ("fsync", errno.EIO, [8], 0),
        ("replace", errno.ENOTCONN, [6], 0),  # a network drive, away for a moment
        ("replace", errno.ENOTCONN, range(6, 11), 1),  # for longer: one file is given up, the next one gets through
        ("replace", errno.ENOSPC, [7, 8], 2),  # a full disk is not waited for
    ],
)
def test_a_fault_of_the_disk_is_no_reason_to_lose_a_run(name, fault, calls, said, tiny, tmp_path, monkeypatch, capsys):
    expected = whole(tiny(tmp_path / "undisturbed"), 4)
    made = refuse(monkeypatch, name, fault, calls)
    assert whole(tiny(tmp_path / "run"), 4) == expected
    assert len(made) >= calls[0]
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == said and all(line.endswith("; training goes on and tries again later") for line in lines)


def test_a_disk_that_stays_away_ends_a_run_with_the_old_checkpoint_kept(tiny, tmp_path, monkeypatch):
    before = whole(tiny(tmp_path / "run", 2), 2)
    refuse(monkeypatch, "replace", errno.ENOTCONN)
    with pytest.raises(CourseError, match=r"cannot write .* \(.*not connected\): choose a folder"):
        tiny(tmp_path / "run", 4)
    assert (tmp_path / "run" / CHECKPOINT).read_bytes() == before


def test_a_full_disk(tmp_path, capsys):
    """From the start and later; nothing is left that a second try, with room, would stumble over."""

    def train(images: int) -> int:
        command = ["train", "dcgan-fashion", "--profile", "ci", "--quiet", "--set", "batch=16", "--out", "run"]
        command += ["--set", "precision=float32"]
        return main([*command, "--images", str(images), "--resume"])

    def train_without_room(limit: int) -> None:
        capsys.readouterr()
        unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, unlimited[1]))
        try:
            assert train(320) == 2
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
        said = r"gan_course: no room for \d\.\d MB at run/checkpoint.safetensors: free some disk space .*\n"
        assert re.fullmatch(said, capsys.readouterr().err)
        assert left_over(tmp_path) == []

    checkpoint_ = tmp_path / "run" / CHECKPOINT
    train_without_room(40_960)
    assert not checkpoint_.exists()
    assert train(160) == 0
    before = checkpoint_.read_bytes()
    train_without_room(len(before) // 2)
    assert checkpoint_.read_bytes() == before
    assert train(320) == 0
    assert runs.Run(tmp_path / "run").restore().step == 20


def test_a_checkpoint_never_stands_without_its_card(tmp_path, monkeypatch, tiny):
    """Whatever file a process is killed at, the folder can be resumed: here it is killed before each one."""
    expected, write = whole(tiny(tmp_path / "undisturbed", 2), 2), files.write_atomically

    class Killed(BaseException):
        pass

    survives, killed = 0, True
    while killed:
        left, folder = list(range(survives)), tmp_path / str(survives)

        def write_or_die(path, content, left=left):
            if not left:
                raise Killed
            left.pop()
            return write(path, content)

        with monkeypatch.context() as patch:
            patch.setattr(files, "write_atomically", write_or_die)
            try:
                tiny(folder, 2)
                killed = False
            except Killed:
                survives += 1
        run = tiny(folder, 2)
        assert whole(run, 2) == expected
        assert [step for step, _ in run.frames] == run.snapshots == [0, 1, 2]
    assert survives > 8


# --- what a checkpoint refuses ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def saved(small, pictures, go, tmp_path_factory):
    """(recipe, bytes of its checkpoint after 5 steps)."""
    recipe = small("dcgan-fashion")
    path = tmp_path_factory.mktemp("saved") / CHECKPOINT
    return recipe, checkpoint.save(go(GAN(recipe), pictures(recipe, 40), 5), path).read_bytes()


def refused(path, recipe, said: str) -> None:
    with pytest.raises(CourseError, match=said) as caught:
        checkpoint.load(path, recipe)
    assert "\n" not in str(caught.value) and str(path) in str(caught.value)


def test_damaged_files(saved, tmp_path):
    recipe, content = saved
    path, noise = tmp_path / CHECKPOINT, np.random.default_rng(0).bytes(len(content))
    refused(path, recipe, "there is no .*: train a run first, or name its folder")
    cuts = [content[:keep] for keep in (0, 7, 3_000, len(content) // 2, -1)]
    others = [noise, content[:8] + noise[8:], content + b"more", content[:200] + bytes(2_000) + content[2_200:]]
    for damaged in (*cuts, *others):
        path.write_bytes(damaged)
        refused(path, recipe, "is damaged or incomplete .*: take another copy, or train anew")
        assert path.read_bytes() == damaged


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda header, tensors: header.update(format=3), "is of format 3, this version of the course reads 2"),
        (lambda header, tensors: header.clear(), "is of format unknown"),
        (lambda header, tensors: header.pop("recipe"), "not a run's checkpoint .*recipe"),
        (lambda header, tensors: header["recipe"].update(attention=True), "not a run's checkpoint .*attention"),
        (lambda header, tensors: header["recipe"].update(batch=8), r"another recipe \(batch 8 there, 16 here\)"),
        (lambda header, tensors: tensors.pop("G.layers.1.0.weight"), "not saved from the recipe's networks .'G.layers"),
        (lambda header, tensors: tensors.update(history=torch.zeros(5, 3)), "lacks 'history' in the right shape"),
        (lambda header, tensors: tensors.pop("random.noise"), "lacks 'random.noise' in the right shape"),
    ],
)
def test_checkpoints_of_another_kind(change, said, saved, tmp_path):
    """Whole as a file, but of another version, recipe or pair of networks."""
    recipe, content = saved
    length, tensors = int.from_bytes(content[:8], "little"), safetensors.torch.load(content)
    header = json.loads(json.loads(content[8 : 8 + length])["__metadata__"]["gan_course"])
    change(header, tensors)
    refused(checkpoint.write(tmp_path / CHECKPOINT, header, tensors), recipe, said)


def test_other_images(small, noise_set, tmp_path):
    recipe = small("mlp-fashion")

    def train(image_set):
        return runs.train(recipe, image_set, tmp_path / "run", images=16, resume=True, progress=False)

    train(noise_set(recipe))
    changed = noise_set(recipe)
    changed.images[7, 0, 3, 3] ^= 1
    for image_set, said in ((changed, "pixel_sum"), (noise_set(recipe, name="fashion-mnist"), "mnist.* not .*fashion")):
        with pytest.raises(CourseError, match=f"was trained with data .*{said}"):
            train(image_set)
