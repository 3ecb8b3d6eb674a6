"""Snapshots of G along a run: when they are taken, what eight bits cost, what is said where there are none."""

import shutil

import pytest
import safetensors.torch
import torch

from gan_course import publishing, runs, sampling, snapshots
from gan_course.errors import CourseError


@pytest.fixture(scope="module")
def run(small, noise_set, tmp_path_factory):
    """A run of 60 steps, trained in two parts; between them something left a snapshot behind."""
    recipe, folder = small("quick-digits", batch=8, draw_every=10), tmp_path_factory.mktemp("run") / "run"
    half = runs.train(recipe, noise_set(recipe), folder, images=240, progress=False)
    assert half.snapshots == [0, 10, 20, 30]  # taken when the loop reports
    stray = folder / "snapshots" / "step_0000035.safetensors"
    stray.write_bytes(b"of a process that was killed")
    run = runs.train(recipe, noise_set(recipe), folder, images=480, resume=True, progress=False)
    assert not stray.exists()
    return run


def test_they_are_due_more_often_at_first(run):
    steps = snapshots.due(1_000)
    gaps = [b - a for a, b in zip(steps, steps[1:], strict=False)]
    assert len(steps) == 12 and steps[0] == 0 and steps[-1] == 1_000 and gaps == sorted(gaps)
    assert snapshots.due(3) == [0, 1, 2, 3]
    assert run.snapshots == [0, 10, 20, 30, 40, 50, 60]  # going on keeps those before


def test_the_last_snapshot_is_the_generator_up_to_rounding(run, tmp_path):
    copy = publishing.publish(run, tmp_path / "copy", with_snapshots=True)
    assert copy.snapshots == run.snapshots
    z = torch.randn(16, 100, generator=torch.Generator().manual_seed(0))
    exact, first = run.generator()(z), run.generator(step=0)(z)
    for kept in (run.generator(step=60)(z), copy.generator(step=60)(z), copy.generator()(z)):
        assert (exact - kept).abs().mean() * 127.5 < 1.0  # grey levels
        assert (exact - first).abs().mean() > 5 * (exact - kept).abs().mean()
    assert torch.equal(*(sampling.sample(r.generator(step=0), 4) for r in (run, copy)))


def test_packing_keeps_every_row_to_a_half_step():
    weight = torch.randn(6, 4, 3, 3) * torch.logspace(-3, 2, 6).view(6, 1, 1, 1)
    state = {"w": weight, "b": torch.tensor([0.5, -2.0]), "n": torch.tensor(7), "z": torch.zeros(2, 3)}
    packed = snapshots.pack(state)
    assert packed["w"].dtype == torch.int8 and packed["b"].dtype == torch.float16
    back = snapshots.unpack(packed)
    assert back.keys() == state.keys()
    assert all(torch.equal(back[name], state[name]) for name in "bnz")
    most = weight.flatten(1).abs().amax(1) / 127 / 2
    assert ((back["w"] - weight).flatten(1).abs().amax(1) <= most * 1.001).all()


def test_snapshots_that_are_not_there_or_damaged(run, tmp_path):
    with pytest.raises(CourseError, match="has no snapshot of step 3: there are 0, 10, 20"):
        run.generator(step=3)
    shutil.copytree(run.folder, tmp_path / "run")
    path = tmp_path / "run" / "snapshots" / "step_0000000.safetensors"
    other = safetensors.torch.save({"x": torch.zeros(1)}, {"gan_course": '{"format": 1}'})
    for content, said in ((path.read_bytes()[:500], "damaged or incomplete"), (other, "weights of another network")):
        path.write_bytes(content)
        with pytest.raises(CourseError, match=said):
            runs.Run(tmp_path / "run").generator(step=0)
