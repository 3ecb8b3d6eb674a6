"""A run goes on bit for bit: after a save, a kill, a Ctrl-C, a full disk. And what a checkpoint refuses."""

import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
import safetensors
import safetensors.torch
import torch

from gan_course import checkpoint, data, files, recipes, runs, training
from gan_course.__main__ import main
from gan_course.errors import CourseError
from gan_course.gan import GAN

pytestmark = pytest.mark.usefixtures("own_machine")
CHECKPOINT = "checkpoint.safetensors"


def go(gan: GAN, images: torch.Tensor, until: int) -> GAN:
    for _ in training.train(gan, images, until, progress=False):
        pass
    return gan


def left_over(folder) -> list[str]:
    return [path.name for path in folder.rglob("*.tmp")]


# --- bit for bit -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "changes", "stop", "until"),
    [
        ("mlp-fashion", {}, 50, 100),  # dropout; 50 is in the middle of an epoch of 4 batches
        (
            "dcgan-fashion",
            {"g_every": 1, "fresh_noise": False},
            50,
            100,
        ),  # channels_last, dropout of whole maps
        ("mlp-fashion", {}, 48, 60),  # the end of an epoch
        ("mlp-fashion", {"g_every": 3}, 50, 101),  # G rests at 50, where gradient norms are due
        ("dcgan-fashion", {}, 7, 12),  # G has its turn every second step, and 7 is odd
        ("dcgan-mnist", {"batch": 4}, 21, 40),  # least squares, Adam's other betas
        ("dcgan-faces-64", {}, 3, 6),
        ("mlp-fashion", {}, 0, 6),  # saved before the first step
        ("mlp-fashion", {}, 1, 6),
    ],
)
def test_saved_and_loaded_it_ends_where_it_would_have(
    key, changes, stop, until, small, pictures, assert_same, tmp_path
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


def test_saving_disturbs_nothing_and_writes_the_same_bytes(small, pictures, assert_same, tmp_path):
    recipe = small("dcgan-fashion")
    images = pictures(recipe, 70)
    gan = GAN(recipe)
    for _ in training.train(gan, images, 6, report_every=2, progress=False):
        checkpoint.save(gan, tmp_path / CHECKPOINT)
    assert_same(gan, go(GAN(recipe), images, 6))
    again = checkpoint.save(checkpoint.load(tmp_path / CHECKPOINT, recipe), tmp_path / "again.safetensors")
    assert again.read_bytes() == (tmp_path / CHECKPOINT).read_bytes()


def test_stopped_four_times(small, pictures, assert_same, tmp_path):
    recipe = small("mlp-fashion")
    images = pictures(recipe, 70)
    gan = GAN(recipe)
    for until in (3, 4, 5, 9, 20):
        checkpoint.save(go(gan, images, until), tmp_path / CHECKPOINT)
        gan = checkpoint.load(tmp_path / CHECKPOINT, recipe)
    assert_same(gan, go(GAN(recipe), images, 20))


# --- real processes --------------------------------------------------------------------------------

RECIPE = {"width": 0.5, "batch": 16, "draw_every": 5}
DRIVER = f"""
import sys
from gan_course import data, recipes, runs
recipe = recipes.get("mlp-fashion").but(**{RECIPE})
runs.train(recipe, data.load("fashion-mnist"), sys.argv[1], images=10**9, seed=3, resume=True, save_every=0)
"""


def trained(folder, steps: int) -> runs.Run:
    """The driver's run, here and up to a step."""
    recipe = recipes.get("mlp-fashion").but(**RECIPE)
    images = data.load("fashion-mnist")
    return runs.train(recipe, images, folder, images=16 * steps, seed=3, resume=True, progress=False)


def steps_of(folder) -> int:
    with safetensors.safe_open(folder / CHECKPOINT, "pt") as file:
        return json.loads(file.metadata()["gan_course"])["step"]


def test_killed_in_the_middle_of_writing_a_checkpoint(process, tmp_path):
    folder = tmp_path / "run"
    for attempt in range(
        1, 6
    ):  # the file can be whole in the instant between our look and the kill: once more
        running = process("-c", DRIVER, folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        mark = folder / "frames" / f"step_{10 * attempt:07d}.png"
        while not (mark.exists() and any(folder.glob(f".{CHECKPOINT}.*.tmp"))):
            assert running.poll() is None and time.monotonic() < deadline
        running.send_signal(signal.SIGKILL)
        assert running.wait() == -signal.SIGKILL
        if left_over(folder):
            break
    assert any(name.startswith(f".{CHECKPOINT}") for name in left_over(folder))
    step = steps_of(folder)  # the checkpoint is whole all the same
    assert step >= 5

    until = step + 7
    resumed, whole = trained(folder, until), trained(tmp_path / "whole", until)
    assert (resumed.folder / CHECKPOINT).read_bytes() == (whole.folder / CHECKPOINT).read_bytes()
    assert left_over(folder) == []
    assert [s for s, _ in resumed.frames] == [s for s, _ in whole.frames]


def test_ctrl_c_keeps_the_run_and_says_how_to_go_on(process, tmp_path, capsys):
    command = ["train", "dcgan-fashion", "--profile", "ci", "--seed", "4", "--quiet"]
    command += ["--set", "draw_every=5", "--set", "batch=16"]
    folder = tmp_path / "run"
    running = process("-m", "gan_course", *command, "--images", "6000000", "--out", folder)
    deadline = time.monotonic() + 60
    while not (folder / "frames" / "step_0000010.png").exists():
        assert running.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)
    running.send_signal(signal.SIGINT)
    said, errors = running.communicate(timeout=30)
    assert running.returncode == 130
    assert "interrupted after" in said and "--resume goes on" in said
    assert errors == ""
    step = steps_of(folder)
    assert 10 <= step == runs.Run(folder).card["step"]
    assert f"{16 * step:,} images" in said

    total = ["--images", str(16 * (step + 8))]
    assert main([*command, *total, "--out", str(folder), "--resume"]) == 0
    assert "finished" in capsys.readouterr().out
    assert main([*command, *total, "--out", str(tmp_path / "whole")]) == 0
    assert (folder / CHECKPOINT).read_bytes() == (tmp_path / "whole" / CHECKPOINT).read_bytes()


def test_ctrl_c_waits_for_the_step_alone(tmp_path, monkeypatch, small, pictures):
    """Not for the next report: with large networks, 50 steps can be minutes."""
    recipe, step = small("mlp-fashion"), training.train_step
    images = data.ImageSet("mnist", "train", pictures(recipe, 40), torch.zeros(40), (), "random")

    def interrupted_at_7(gan, real):
        telemetry = step(gan, real)
        if gan.step == 7:
            os.kill(os.getpid(), signal.SIGINT)
        return telemetry

    monkeypatch.setattr(training, "train_step", interrupted_at_7)
    run = runs.train(recipe, images, tmp_path / "run", images=16 * 40, progress=False)
    assert run.card["step"] == run.load().step == len(run.history) == 8


def test_the_second_ctrl_c_stops_at_once():
    with pytest.raises(KeyboardInterrupt), runs.stop_on_interrupt() as interrupted:
        assert not interrupted()
        os.kill(os.getpid(), signal.SIGINT)
        assert interrupted()
        os.kill(os.getpid(), signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):  # and afterwards Python's own handler is back
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(1)


# --- no room ---------------------------------------------------------------------------------------

TINY = ["train", "dcgan-fashion", "--profile", "ci", "--quiet", "--set", "batch=16", "--out", "run"]


def refuse_the_room(where, capsys, process_with=None) -> None:
    """A run of 20 steps in the folder `where` that cannot be written further than it is."""
    before = {path: path.read_bytes() for path in where.rglob("*") if path.is_file()}
    command = [*TINY, "--images", "320", "--resume"]
    if process_with:
        done = subprocess.run([*process_with, "-m", "gan_course", *command], capture_output=True, text=True)
        status, errors = done.returncode, done.stderr
    else:
        capsys.readouterr()
        status, errors = main(command), capsys.readouterr().err
    assert status == 2
    assert re.fullmatch(
        r"gan_course: no room for \d\.\d MB at run/checkpoint.safetensors: free some disk space or choose "
        r"another folder; what was there before is untouched\n",
        errors,
    )
    assert left_over(where) == []
    assert all(path.read_bytes() == content for path, content in before.items())


def test_a_full_disk_leaves_the_old_checkpoint(tmp_path, capsys):
    assert main([*TINY, "--images", "160"]) == 0
    size = (tmp_path / "run" / CHECKPOINT).stat().st_size
    half = ["bash", "-c", f'ulimit -f {size // 2048}; exec "$@"', "bash", sys.executable]  # in KiB
    refuse_the_room(tmp_path, capsys, process_with=half)
    assert main([*TINY, "--images", "320", "--resume"]) == 0  # there is room again
    assert steps_of(tmp_path / "run") == 20


def test_no_room_from_the_start(tmp_path, capsys):
    """Nothing is left that a second try, with room, would stumble over."""
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (40_960, unlimited[1]))
    try:
        refuse_the_room(tmp_path, capsys)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
    assert not (tmp_path / "run" / CHECKPOINT).exists()
    assert main([*TINY, "--images", "160"]) == 0


def test_a_full_file_system(tmp_path, capsys, monkeypatch):
    """The same on a file system that is really full, in memory, for those who may mount one."""
    assert main([*TINY, "--images", "160"]) == 0
    disk = tmp_path / "disk"
    disk.mkdir()
    size = (tmp_path / "run" / CHECKPOINT).stat().st_size * 3 // 2 + 100_000
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(disk)]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting a file system takes a privilege that this process lacks")
    try:
        shutil.copytree(tmp_path / "run", disk / "run")
        monkeypatch.chdir(disk)
        refuse_the_room(disk, capsys)
    finally:
        monkeypatch.chdir(tmp_path)
        subprocess.run(["umount", str(disk)], check=True)


def test_a_reader_never_sees_half_a_file(tmp_path):
    """Whoever copies the file while it is written anew finds the old one or the new one."""
    path = tmp_path / CHECKPOINT
    contents = [bytes([i]) * (1_000_000 + i) for i in range(2)]
    files.write_atomically(path, contents[0])
    done = threading.Event()

    def write():
        for i in range(40):
            files.write_atomically(path, contents[i % 2])
        done.set()

    threading.Thread(target=write).start()
    seen = 0
    while not done.is_set():
        assert path.read_bytes() in contents
        seen += 1
    assert seen > 10


# --- between two files -----------------------------------------------------------------------------


def test_a_checkpoint_never_stands_without_its_card(tmp_path, monkeypatch, small, pictures):
    """Whatever file a process is killed at, the folder can be resumed: here it is killed before each one."""
    recipe = small("mlp-fashion", draw_every=2, width=1 / 16)
    images = data.ImageSet("mnist", "train", pictures(recipe, 40), torch.zeros(40), (), "random")
    write = runs.files.write_atomically
    options = {"images": 16 * 4, "resume": True, "progress": False, "save_every": 0}
    whole = runs.train(recipe, images, tmp_path / "whole", **options)
    expected = (whole.folder / CHECKPOINT).read_bytes()

    class Killed(BaseException):
        pass

    for survived in range(30):
        folder, writes = tmp_path / str(survived), 0

        def write_or_die(path, content, survived=survived):
            nonlocal writes
            writes += 1
            if writes > survived:
                raise Killed
            return write(path, content)

        monkeypatch.setattr(runs.files, "write_atomically", write_or_die)
        try:
            runs.train(recipe, images, folder, **options)
        except Killed:
            killed = True
        else:
            killed = False
        monkeypatch.setattr(runs.files, "write_atomically", write)
        run = runs.train(recipe, images, folder, **options)
        assert (folder / CHECKPOINT).read_bytes() == expected
        assert {k: run.card[k] for k in ("step", "images", "goal")} == {"step": 4, "images": 64, "goal": 4}
        assert [step for step, _ in run.frames] == [0, 2, 4]
        if not killed:
            break
    assert survived > 8 and not killed


# --- what a checkpoint refuses ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def saved(small, pictures, tmp_path_factory):
    """(recipe, bytes of its checkpoint after 5 steps)."""
    recipe = small("dcgan-fashion")
    path = tmp_path_factory.mktemp("saved") / CHECKPOINT
    return recipe, checkpoint.save(go(GAN(recipe), pictures(recipe, 40), 5), path).read_bytes()


def refused(path, recipe, said: str, device="cpu") -> None:
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(CourseError, match=said) as caught:
        checkpoint.load(path, recipe, device)
    assert "\n" not in str(caught.value) and str(path) in str(caught.value)
    assert before == (path.read_bytes() if path.is_file() else None)


@pytest.mark.parametrize("keep", [0, 1, 7, 8, 9, 100, 3_000, 0.5, 0.99, -1])
def test_truncated(keep, saved, tmp_path):
    recipe, content = saved
    path = tmp_path / CHECKPOINT
    path.write_bytes(content[: int(keep * len(content)) if 0 < keep < 1 else keep])
    refused(path, recipe, "is damaged or incomplete .*: take another copy, or train anew")


def test_random_bytes_and_other_files(saved, tmp_path):
    recipe, content = saved
    path = tmp_path / CHECKPOINT
    refused(path, recipe, "there is no .*: train a run first, or name its folder")
    for damage in (
        np.random.default_rng(0).bytes(len(content)),
        content[:8] + np.random.default_rng(0).bytes(len(content) - 8),
        content[:200] + bytes(2_000) + content[2_200:],
        content + b"more",
        b"\x80\x04\x95 a pickle, never opened",
    ):
        path.write_bytes(damage)
        refused(path, recipe, "is damaged or incomplete")
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
        (lambda h: h.update(format=3), "is of format 3, this version of the course reads 2"),
        (lambda h: h.pop("format"), "is of format unknown"),
        (lambda h: h.clear(), "is of format unknown"),
        (lambda h: h.pop("recipe"), r"not a run's checkpoint \('recipe'\): train anew in another folder"),
        (lambda h: h["recipe"].pop("betas"), "not a run's checkpoint .*betas"),
        (lambda h: h["recipe"].update(attention=True), "not a run's checkpoint .*attention"),
        (lambda h: h.pop("step"), "not a run's checkpoint .*step"),
        (lambda h: h.update(device="cuda"), "was trained on cuda and goes on only there, not on cpu"),
    ],
)
def test_headers_of_another_kind(header, said, saved, tmp_path):
    recipe, content = saved
    path = tmp_path / CHECKPOINT
    path.write_bytes(rewritten(content, header=header))
    refused(path, recipe, said)


@pytest.mark.parametrize(
    "name",
    ["G.layers.1.0.weight", "average.layers.1.1.running_var", "opt_d.layers.0.0.weight.exp_avg", "history"]
    + ["random.order", "random.epoch_order", "random.noise", "random.global.0", "fixed_latents"],
)
def test_tensors_that_are_missing_or_of_another_shape(name, saved, tmp_path):
    recipe, content = saved
    path = tmp_path / CHECKPOINT
    said = f"lacks '{re.escape(name)}' in the right shape: it is of another version; start anew"
    path.write_bytes(rewritten(content, tensors=lambda tensors: tensors.pop(name)))
    refused(path, recipe, said)
    path.write_bytes(rewritten(content, tensors=lambda t: t.update({name: t[name].flatten()[:-1].clone()})))
    refused(path, recipe, said)


def test_another_recipe_is_named_by_its_fields(saved, tmp_path):
    recipe, content = saved
    path = tmp_path / CHECKPOINT
    path.write_bytes(content)
    refused(path, recipe.but(lr_d=1e-3), r"another recipe \(lr_d 0.0002 there, 0.001 here\): use that recipe")
    refused(path, recipe.but(batch=32, g_every=1), r"\(batch 16 there, 32 here, g_every 2 there, 1 here\)")
    refused(path, recipes.get("mlp-fashion"), r"network 'dcgan-fashion' there, 'mlp' here")
    assert checkpoint.load(path, recipe).step == 5


def test_a_version_that_can_no_longer_go_on(saved, tmp_path, monkeypatch):
    recipe, content = saved
    path = tmp_path / CHECKPOINT
    path.write_bytes(content)
    monkeypatch.setattr(checkpoint, "FORMAT", 3)
    refused(
        path, recipe, "is of format 2, this version of the course reads 3: train anew, or use the version"
    )


def test_another_seed_or_other_images(small, pictures, tmp_path):
    recipe = small("mlp-fashion")

    def train(images, seed=0, name="mnist"):
        image_set = data.ImageSet(name, "train", images, torch.zeros(len(images)), (), "random")
        return runs.train(
            recipe, image_set, tmp_path / "run", images=16, seed=seed, resume=True, progress=False
        )

    images = pictures(recipe, 40)
    train(images)
    before = (tmp_path / "run" / CHECKPOINT).read_bytes()
    changed = images.clone()
    changed[7, 0, 3, 3] ^= 1
    for arguments, said in (
        ((images, 1), "was trained with seed 0, not 1: use the same, or a new folder"),
        ((changed,), "was trained with data .*pixel_sum"),
        ((images[:39],), "was trained with data .*'images': 40.*'images': 39"),
        ((images, 0, "fashion-mnist"), "was trained with data .*mnist.*, not .*fashion-mnist"),
    ):
        with pytest.raises(CourseError, match=said):
            train(*arguments)
    assert (tmp_path / "run" / CHECKPOINT).read_bytes() == before
    train(images)
