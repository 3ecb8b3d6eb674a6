"""A run goes on bit for bit: after a save, a kill, a Ctrl-C, a full disk. And what a checkpoint refuses."""

import errno
import json
import os
import re
import resource
import shutil
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
        ("dcgan-faces-64", {}, 3, 6),
        ("mlp-fashion", {}, 0, 6),  # saved before the first step
    ],
)
def test_saved_and_loaded_it_ends_where_it_would_have(
    key, changes, stop, until, small, pictures, go, assert_same, tmp_path
):
    recipe = small(key, **changes)
    images = pictures(recipe, 70)
    whole = go(GAN(recipe, seed=5), images, until)

    begun = go(GAN(recipe, seed=5), images, stop)
    path = checkpoint.save(begun, tmp_path / CHECKPOINT)
    torch.rand(7)  # the global stream has moved on by the time someone loads
    loaded = checkpoint.load(path, recipe)
    assert_same(loaded, begun)
    for name in ("G", "D", "average"):
        strides = [[t.stride() for t in getattr(g, name).state_dict().values()] for g in (begun, loaded)]
        assert strides[0] == strides[1], name
    assert_same(go(loaded, images, until), whole)


def test_saving_disturbs_nothing_and_writes_the_same_bytes(small, pictures, go, assert_same, tmp_path):
    recipe = small("dcgan-fashion")
    images, gan = pictures(recipe, 70), GAN(recipe)
    for until in (3, 4, 5, 9):  # stopped four times
        path = checkpoint.save(go(gan, images, until), tmp_path / CHECKPOINT)
        assert_same(gan, go(GAN(recipe), images, until))
        gan = checkpoint.load(path, recipe)
        assert checkpoint.save(gan, tmp_path / "again").read_bytes() == path.read_bytes()


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
    os.utime(temporary, (0, 0))  # long ago
    resumed, whole = trained(folder, 18), trained(tmp_path / "whole", 18)
    assert (resumed.folder / CHECKPOINT).read_bytes() == (whole.folder / CHECKPOINT).read_bytes()
    assert [s for s, _ in resumed.frames] == [s for s, _ in whole.frames] == [0, 5, 10, 15, 18]
    assert left_over(folder) == []


def test_ctrl_c_keeps_the_run_and_says_how_to_go_on(process, tmp_path, capsys):
    command = ["train", "dcgan-fashion", "--profile", "ci", "--seed", "4", "--quiet"]
    command += ["--set", "draw_every=5", "--set", "batch=16"]
    folder = tmp_path / "run"
    running = process("-m", "gan_course", *command, "--images", "6000000", "--out", folder)
    deadline = time.monotonic() + 120
    while not (folder / "frames" / "step_0000010.png").exists():
        assert running.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)
    running.send_signal(signal.SIGINT)
    said, errors = running.communicate(timeout=60)
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
        telemetry = step(gan, real)
        if gan.step == 7:
            os.kill(os.getpid(), signal.SIGINT)
        return telemetry

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


def refuse(monkeypatch, name: str, fault: int, calls) -> list[int]:
    """Let a function of `os` fail at some calls, counted from 1; returns the list of those that failed."""
    real, failed, n = getattr(os, name), [], 0

    def sometimes(*arguments, **options):
        nonlocal n
        n += 1
        if n in calls:
            failed.append(n)
            raise OSError(fault, os.strerror(fault))
        return real(*arguments, **options)

    monkeypatch.setattr(os, name, sometimes)
    return failed


@pytest.mark.parametrize(
    ("name", "fault", "calls", "said"),
    [
        ("chmod", errno.EPERM, range(1, 10**6), 0),  # a mounted drive without mode bits
        ("fsync", errno.EINVAL, range(1, 10**6), 0),  # a file system that cannot be flushed
        ("fsync", errno.EIO, [8], 0),
        ("replace", errno.ENOTCONN, [6], 0),  # a network drive, away for a moment
        ("replace", errno.ENOTCONN, range(6, 11), 1),  # for longer: one file is given up, the next one gets through
        ("replace", errno.ESTALE, range(7, 16), 3),
        ("replace", errno.ENOSPC, [7, 8], 2),  # a full disk is not waited for
    ],
)
def test_a_fault_of_the_disk_is_no_reason_to_lose_a_run(name, fault, calls, said, tiny, tmp_path, monkeypatch, capsys):
    expected = whole(tiny(tmp_path / "undisturbed"), 4)
    monkeypatch.setattr(files, "WAITS", (0.0, 0.0))
    failed = refuse(monkeypatch, name, fault, calls)
    assert whole(tiny(tmp_path / "run"), 4) == expected
    assert len(failed) >= min(1, len(calls))
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == said and all(line.endswith("; training goes on and tries again later") for line in lines)


def test_a_disk_that_stays_away_ends_a_run_with_the_old_checkpoint_kept(tiny, tmp_path, monkeypatch, capsys):
    before = whole(tiny(tmp_path / "run", 2), 2)
    monkeypatch.setattr(files, "WAITS", (0.0, 0.0))
    with monkeypatch.context() as patch:
        refuse(patch, "replace", errno.ENOTCONN, range(1, 10**6))
        with pytest.raises(CourseError, match=r"cannot write .* \(.*not connected\): choose a folder"):
            tiny(tmp_path / "run", 4)
    assert (tmp_path / "run" / CHECKPOINT).read_bytes() == before
    assert whole(tiny(tmp_path / "run", 4), 4) == whole(tiny(tmp_path / "undisturbed", 4), 4)


TINY = ["train", "dcgan-fashion", "--profile", "ci", "--quiet", "--set", "batch=16", "--out", "run"]


def test_a_full_disk(tmp_path, capsys):
    """From the start and later; nothing is left that a second try, with room, would stumble over."""

    def train_without_room(limit: int) -> None:
        before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
        capsys.readouterr()
        unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, unlimited[1]))
        try:
            assert main([*TINY, "--images", "320", "--resume"]) == 2
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
        said = r"gan_course: no room for \d\.\d MB at run/checkpoint.safetensors: free some disk space or choose "
        assert re.fullmatch(said + r"another folder; what was there before is untouched\n", capsys.readouterr().err)
        assert left_over(tmp_path) == []
        assert all(path.read_bytes() == content for path, content in before.items() if path.suffix != ".json")

    train_without_room(40_960)
    assert not (tmp_path / "run" / CHECKPOINT).exists()
    assert main([*TINY, "--images", "160", "--resume"]) == 0
    train_without_room((tmp_path / "run" / CHECKPOINT).stat().st_size // 2)
    assert runs.Run(tmp_path / "run").restore().step == 10
    assert main([*TINY, "--images", "320", "--resume"]) == 0
    assert runs.Run(tmp_path / "run").restore().step == 20


def test_a_file_is_the_old_one_or_the_new_one_whoever_else_writes_it(tmp_path, monkeypatch):
    """Also another job in the same folder: neither takes the other's temporary file away, but for abandoned ones."""
    path, flush, seen = tmp_path / CHECKPOINT, os.fsync, []

    def flush_and_look(handle):
        flush(handle)
        seen.append(path.read_bytes() if path.exists() else None)
        if len(seen) == 2:
            files.write_atomically(path, b"of the other job")

    monkeypatch.setattr(os, "fsync", flush_and_look)
    files.write_atomically(path, b"old")
    mine, abandoned = (tmp_path / f".{CHECKPOINT}.{name}.tmp" for name in ("fresh", "abandoned"))
    for file in (mine, abandoned):
        file.write_bytes(b"")
    os.utime(abandoned, (0, 0))
    files.write_atomically(path, b"new")
    assert seen == [None, b"old", b"old"] and path.read_bytes() == b"new"
    assert left_over(tmp_path) == [mine.name]


def test_two_jobs_in_one_folder(small, noise_set, tmp_path):
    """Another job goes on with the run, past the first and to the end, while the first one trains."""
    recipe, jobs = small("mlp-fashion", width=1 / 16, draw_every=1), []

    def job(on_report=lambda gan: None, steps=6) -> runs.Run:
        options = {"images": 16 * steps, "resume": True, "progress": False, "save_every": 0}
        return runs.train(recipe, noise_set(recipe), tmp_path / "run", on_report=on_report, **options)

    def the_others(gan):
        if gan.step in (2, 4):
            jobs.append(job(steps=gan.step + 2))

    expected = whole(job(the_others), 6)
    assert len(jobs) == 2 and jobs[0].card["step"] == 4
    shutil.rmtree(tmp_path / "run")
    assert whole(job(), 6) == expected


def test_a_checkpoint_never_stands_without_its_card(tmp_path, monkeypatch, tiny):
    """Whatever file a process is killed at, the folder can be resumed: here it is killed before each one."""
    expected, write = whole(tiny(tmp_path / "undisturbed", 2), 2), files.write_atomically

    class Killed(BaseException):
        pass

    survived, killed = -1, True
    while killed:
        survived, written, folder = survived + 1, [], tmp_path / str(survived + 1)

        def write_or_die(path, content):
            if len(written) >= survived:  # noqa: B023 (called in this turn alone)
                raise Killed
            written.append(path)  # noqa: B023
            return write(path, content)

        monkeypatch.setattr(files, "write_atomically", write_or_die)
        try:
            tiny(folder, 2)
            killed = False
        except Killed:
            pass
        monkeypatch.setattr(files, "write_atomically", write)
        run = tiny(folder, 2)
        assert whole(run, 2) == expected
        assert [step for step, _ in run.frames] == run.snapshots == [0, 1, 2]
    assert survived > 8


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
    cuts = [content[:keep] for keep in (0, 1, 7, 8, 9, 3_000, len(content) // 2, -1)]
    others = [noise, content[:8] + noise[8:], content + b"more", b"\x80\x04\x95 a pickle, never opened"]
    for damaged in (*cuts, *others, content[:200] + bytes(2_000) + content[2_200:]):
        path.write_bytes(damaged)
        refused(path, recipe, "is damaged or incomplete .*: take another copy, or train anew")
        assert path.read_bytes() == damaged
    path.unlink()
    path.mkdir()
    refused(path, recipe, "there is no")


def rewritten(content: bytes, header=lambda header: None, tensors=lambda tensors: None) -> bytes:
    """The checkpoint with something changed, whole as a file."""
    held = safetensors.torch.load(content)
    length = int.from_bytes(content[:8], "little")
    said = json.loads(json.loads(content[8 : 8 + length])["__metadata__"]["gan_course"])
    header(said)
    tensors(held)
    return safetensors.torch.save(held, {"gan_course": json.dumps(said)})


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (lambda h: h.update(format=3), "is of format 3, this version of the course reads 2: train anew, or use the"),
        (lambda h: h.clear(), "is of format unknown"),
        (lambda h: h.pop("recipe"), r"not a run's checkpoint \('recipe'\): train anew in another folder"),
        (lambda h: h["recipe"].pop("betas"), "not a run's checkpoint .*betas"),
        (lambda h: h["recipe"].update(attention=True), "not a run's checkpoint .*attention"),
        (lambda h: h.pop("step"), "not a run's checkpoint .*step"),
        (lambda h: h.update(device="cuda"), "was trained on cuda and goes on only there, not on cpu"),
        (lambda h: h.update(ranks=2), "was trained by 2 ranks and goes on only so, not with 1"),
    ],
)
def test_headers_of_another_kind(header, said, saved, tmp_path):
    recipe, content = saved
    (tmp_path / CHECKPOINT).write_bytes(rewritten(content, header=header))
    refused(tmp_path / CHECKPOINT, recipe, said)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("G.layers.1.0.weight", "was not saved from the recipe's networks .'{}' differs.: hand over `networks`"),
        ("average.layers.1.1.running_var", "was not saved from the recipe's networks .'{}' differs"),
        ("opt_d.layers.0.0.weight.exp_avg", "was not saved from the recipe's networks .'{}' differs"),
        ("history", "lacks '{}' in the right shape: it is of another version; start anew"),
        ("random.noise", "lacks '{}' in the right shape"),
        ("random.global.0", "lacks '{}' in the right shape"),
        ("fixed_latents", "lacks '{}' in the right shape"),
    ],
)
def test_tensors_that_are_missing_or_of_another_shape(name, said, saved, tmp_path):
    recipe, content = saved
    for spoil in (lambda tensors: tensors.pop(name), lambda t: t.update({name: t[name].flatten()[:-1].clone()})):
        (tmp_path / CHECKPOINT).write_bytes(rewritten(content, tensors=spoil))
        refused(tmp_path / CHECKPOINT, recipe, said.format(re.escape(name)))


def test_another_recipe_is_named_by_its_fields(saved, tmp_path):
    recipe, content = saved
    path = tmp_path / CHECKPOINT
    path.write_bytes(content)
    refused(path, recipe.but(lr_d=1e-3), r"another recipe \(lr_d 0.0002 there, 0.001 here\): use that recipe")
    refused(path, recipe.but(batch=32, g_every=1), r"\(batch 16 there, 32 here, g_every 2 there, 1 here\)")
    assert checkpoint.load(path, recipe).step == 5


def test_another_seed_or_other_images(small, noise_set, tmp_path):
    recipe = small("mlp-fashion")

    def train(image_set, seed=0):
        return runs.train(recipe, image_set, tmp_path / "run", images=16, seed=seed, resume=True, progress=False)

    train(noise_set(recipe))
    before = (tmp_path / "run" / CHECKPOINT).read_bytes()
    changed = noise_set(recipe)
    changed.images[7, 0, 3, 3] ^= 1
    for arguments, said in (
        ((noise_set(recipe), 1), "was trained with seed 0, not 1: use the same, or a new folder"),
        ((changed,), "was trained with data .*pixel_sum"),
        ((noise_set(recipe, 39),), "was trained with data .*'images': 40.*'images': 39"),
        ((noise_set(recipe, name="fashion-mnist"),), "was trained with data .*mnist.*, not .*fashion-mnist"),
    ):
        with pytest.raises(CourseError, match=said):
            train(*arguments)
    assert (tmp_path / "run" / CHECKPOINT).read_bytes() == before
    train(noise_set(recipe), np.int64(0))
