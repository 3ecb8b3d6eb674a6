"""A device that runs out of memory or disappears: one line, and the run is kept."""

import textwrap
import weakref

import pytest
import torch

from gan_course import device_errors, recipes, runs
from gan_course.data import ImageSet
from gan_course.errors import CourseError


def test_out_of_memory_names_a_batch_that_fits(process, tmp_path):
    """A real process that may take 300 MB more than it has when training begins."""
    script = tmp_path / "train.py"
    script.write_text(
        textwrap.dedent("""
        import resource, sys
        import psutil, torch
        from gan_course import data, recipes, runs
        from gan_course.errors import CourseError

        torch.set_num_threads(1)
        images = torch.randint(0, 256, (32_768, 1, 28, 28), dtype=torch.uint8)
        some = data.ImageSet("fashion-mnist", "train", images, torch.zeros(32_768), (), "noise")
        recipe = recipes.get("mlp-fashion").but(batch=int(sys.argv[1]), width=1 / 8)
        runs.train(recipe.but(batch=2), some, sys.argv[2] + "-warm", images=4, progress=False)  # libraries are loaded
        most = psutil.Process().memory_info().vms + 300_000_000
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
        try:
            runs.train(recipe, some, sys.argv[2], images=32_768, progress=False)
        except CourseError as error:
            print(error)
        """)
    )
    out, err = process(script, 32_768, tmp_path / "run").communicate(timeout=120)
    assert "out of memory on cpu with batches of 32768: a batch of " in out, out + err
    fits = int(out.split("a batch of ")[1].split()[0])
    assert 1_000 < fits < 32_768 and f"--set batch={fits}" in out
    assert runs.Run(tmp_path / "run").card["step"] == 0  # it was kept as it was
    out, err = process(script, fits, tmp_path / "smaller").communicate(timeout=120)
    assert out == "" and runs.Run(tmp_path / "smaller").card["images"] == 32_768, out + err


def test_where_nothing_fits_it_says_so(monkeypatch, small):
    monkeypatch.setattr(device_errors, "_fits", lambda recipe, device: False)
    with (
        pytest.raises(
            CourseError, match="out of memory on cpu with batches of 16: not even a batch of 2 fits"
        ),
        device_errors.explained(small("mlp-fashion"), torch.device("cpu")),
    ):
        raise MemoryError


def test_the_largest_batch_is_found_by_halving(monkeypatch):
    tried = []
    monkeypatch.setattr(
        device_errors, "_fits", lambda recipe, _: tried.append(recipe.batch) or recipe.batch <= 30
    )
    assert device_errors.largest_batch(recipes.get("dcgan-faces-64"), torch.device("cpu")) == 16
    assert tried == [64, 32, 16]


def test_a_gpu_that_is_gone_leaves_the_run(monkeypatch, small, pictures, tmp_path):
    recipe = small("mlp-fashion")
    images = pictures(recipe, 40)
    some = ImageSet("mnist", "train", images, torch.zeros(40, dtype=torch.int64), (), "noise")
    before = runs.train(recipe, some, tmp_path / "run", images=160, progress=False)

    def gone(gan, real):
        raise torch.AcceleratorError(
            "CUDA error: unspecified launch failure\nCUDA kernel errors might be late"
        )

    monkeypatch.setattr("gan_course.training.train_step", gone)
    with pytest.raises(CourseError, match=r"GPU no longer answers \(CUDA error: unspecified launch failure"):
        runs.train(recipe, some, tmp_path / "run", images=320, resume=True, progress=False)
    assert runs.Run(tmp_path / "run").card["images"] == before.card["images"] == 160
    monkeypatch.undo()
    again = runs.train(recipe, some, tmp_path / "run", images=320, resume=True, progress=False)
    assert again.card["images"] == 320


@pytest.mark.parametrize("said", ["sizes do not match", "CUDA error: device-side assert triggered"])
def test_other_errors_pass_as_they_are(said, small):
    with (
        pytest.raises(RuntimeError, match=said),
        device_errors.explained(small("mlp-fashion"), torch.device("cpu")),
    ):
        raise RuntimeError(said)


def test_the_step_that_was_too_large_is_let_go(small, monkeypatch):
    held = []
    monkeypatch.setattr(device_errors, "largest_batch", lambda *_: held.append(reference() is None) or 2)

    def too_large():
        nonlocal reference
        large = torch.zeros(1_000)
        reference = weakref.ref(large)
        raise torch.OutOfMemoryError("CUDA out of memory")

    reference = None
    with (
        pytest.raises(CourseError, match="a batch of 2 fits"),
        device_errors.explained(small("mlp-fashion"), torch.device("cpu")),
    ):
        too_large()
    assert held == [True]
