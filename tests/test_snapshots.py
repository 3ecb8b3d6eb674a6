"""Snapshots of G along a run: when they are taken, what eight bits cost, what is said where there are none."""

import pytest
import safetensors.torch
import torch

from gan_course import data, publishing, runs, sampling, snapshots
from gan_course.data import ImageSet
from gan_course.errors import CourseError


@pytest.fixture(scope="module")
def run(small, pictures, tmp_path_factory):
    recipe = small("quick-digits", batch=8, draw_every=40)
    images = pictures(recipe, 64)
    some = ImageSet("mnist", "train", images, torch.zeros(64, dtype=torch.int64), (), "noise")
    return runs.train(recipe, some, tmp_path_factory.mktemp("run") / "run", images=1_600, progress=False)


def test_they_are_due_more_often_at_first():
    steps = snapshots.due(1_000)
    gaps = [b - a for a, b in zip(steps, steps[1:], strict=False)]
    assert len(steps) == 12 and steps[0] == 0 and steps[-1] == 1_000 and gaps == sorted(gaps)
    assert snapshots.due(3) == [0, 1, 2, 3]


def test_a_run_keeps_its_first_and_its_last(run):
    assert run.snapshots[0] == 0 and run.snapshots[-1] == run.card["step"] == 200
    assert len(run.snapshots) >= 4  # taken when the loop reports, so a short run has fewer


def test_the_last_snapshot_is_the_generator_up_to_rounding(run):
    z = torch.randn(16, 100, generator=torch.Generator().manual_seed(0))
    exact, kept, first = run.generator()(z), run.generator(step=200)(z), run.generator(step=0)(z)
    assert (exact - kept).abs().mean() * 127.5 < 1.0  # grey levels
    assert (exact - first).abs().mean() > 5 * (exact - kept).abs().mean()


def test_packing_keeps_every_row_to_a_half_step():
    weight = torch.randn(6, 4, 3, 3) * torch.logspace(-3, 2, 6).view(6, 1, 1, 1)
    state = {"w": weight, "b": torch.tensor([0.5, -2.0]), "n": torch.tensor(7)}
    packed = snapshots.pack(state)
    assert packed["w"].dtype == torch.int8 and packed["b"].dtype == torch.float16
    back = snapshots.unpack(packed)
    assert back.keys() == state.keys() and back["n"] == 7 and torch.equal(back["b"], state["b"])
    most = weight.flatten(1).abs().amax(1) / 127 / 2
    assert ((back["w"] - weight).flatten(1).abs().amax(1) <= most * 1.001).all()
    assert torch.equal(snapshots.unpack(snapshots.pack({"z": torch.zeros(2, 3)}))["z"], torch.zeros(2, 3))


def test_a_published_copy_has_them_too(run, tmp_path):
    copy = publishing.publish(run, tmp_path / "copy", with_snapshots=True)
    assert copy.snapshots == run.snapshots
    one, other = (sampling.sample(r.generator(step=0), 4) for r in (run, copy))
    assert torch.equal(one, other)
    difference = (
        sampling.sample(run.generator(), 4).float() - sampling.sample(copy.generator(), 4).float()
    ).abs()
    assert difference.mean() < 1.0
    assert torch.equal(copy.fixed_latents, run.fixed_latents)


def test_snapshots_that_are_not_there_or_damaged(run, tmp_path):
    with pytest.raises(CourseError, match="has no snapshot of step 3: there are 0, "):
        run.generator(step=3)
    copy = publishing.publish(run, tmp_path / "copy", with_snapshots=True)
    path = copy.folder / "snapshots" / "step_0000000.safetensors"
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(CourseError, match="damaged or incomplete"):
        copy.generator(step=0)
    path.write_bytes(safetensors.torch.save({"x": torch.zeros(1)}, {"gan_course": '{"format": 1}'}))
    with pytest.raises(CourseError, match="weights of another network than its card says"):
        copy.generator(step=0)


def test_those_of_a_process_that_was_killed_are_forgotten(small, pictures, tmp_path):
    recipe = small("quick-digits", batch=8, draw_every=40)
    some = ImageSet("mnist", "train", pictures(recipe, 64), torch.zeros(64, dtype=torch.int64), (), "noise")
    runs.train(recipe, some, tmp_path / "run", images=800, progress=False)
    stray = tmp_path / "run" / "snapshots" / "step_0000123.safetensors"
    stray.write_bytes(b"of another trajectory")
    run = runs.train(recipe, some, tmp_path / "run", images=1_600, resume=True, progress=False)
    assert 123 not in run.snapshots and not stray.exists() and run.snapshots[-1] == 200


def test_going_on_keeps_those_before(small, pictures, tmp_path):
    recipe = small("quick-digits", batch=8, draw_every=40)
    some = ImageSet("mnist", "train", pictures(recipe, 64), torch.zeros(64, dtype=torch.int64), (), "noise")
    first = runs.train(recipe, some, tmp_path / "run", images=800, progress=False).snapshots
    again = runs.train(recipe, some, tmp_path / "run", images=1_600, resume=True, progress=False).snapshots
    assert set(first) < set(again) and again[-1] == 200
    assert data.to_uint8(runs.Run(tmp_path / "run").generator(step=100)(torch.zeros(1, 100))).shape[1:] == (
        1,
        28,
        28,
    )
