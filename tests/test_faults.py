"""Generators with faults: each has its fault and no other, and the trial of the metrics grades rightly."""

import json

import pytest
import torch

from gan_course import faults, files, judge, portraits

DICE = torch.Generator


@pytest.fixture(scope="module")
def world():
    return faults.world(judge.load(portraits.NAME), 120)


def share(looked, name):
    return looked.true[:, portraits.ATTRIBUTES.index(name)].float().mean().item()


def test_glasses_are_dropped_and_hats_forced_by_as_much_as_is_said(world):
    none = faults.dropped(world, 1.0, 100, DICE().manual_seed(0))
    assert share(none, faults.DROPPED) == 0 and share(none, "Smiling") > 0.2
    all_hats = faults.proportions(world, 1.0, 100, DICE().manual_seed(0))
    assert share(all_hats, faults.TOO_MANY) == 1
    plain = faults.faultless(world, 0, 100, DICE().manual_seed(0))
    assert share(plain, faults.DROPPED) > 0 and share(plain, faults.TOO_MANY) < 0.5


def test_few_are_few_and_copies_are_training_faces(world):
    assert len(faults.few(world, 20, 100, DICE().manual_seed(0)).features.unique(dim=0)) <= 20
    half = faults.copied(world, 0.5, 100, DICE().manual_seed(0))
    same = (half.features[:, None] == world.train.features).all(2)
    copies, originals = same.nonzero().T
    assert 30 < len(copies.unique()) < 70
    assert torch.equal(half.true[copies], world.train.true[originals]), "the attributes go with the pictures"


def test_blur_flattens_and_noise_roughens():
    images = portraits.draw(4, 64, seed=5).images

    def rough(x):
        return x.float().diff(dim=3).abs().mean()

    assert rough(faults.blur(images, 2.0)) < rough(faults.blur(images, 0.5)) < rough(images)
    assert rough(faults.noise(images, 12.0)) > rough(images)
    even = torch.full((2, 3, 32, 32), 77, dtype=torch.uint8)
    assert torch.equal(faults.blur(even, 1.0), even), "blur moves light and makes none"


def test_the_trial_notices_what_must_be_noticed_and_nothing_in_faultless_sets(world):
    table = faults.noticed(world, (100, 120), repeats=3)
    assert table["training pictures copied"]["memorisation"][2][1][0] == 1.0
    assert table["noise"]["Fréchet distance"][2][1][0] == 1.0
    assert table["few different faces"]["recall"][2][1][0] == 1.0
    assert table["training pictures copied"]["precision"][2][1][0] < 1.0
    mean, spread = table["faultless"]["recall"][1]
    assert 0.5 < mean <= 1 and spread > 0


def test_better_and_worse_are_told_apart():
    assert faults._graded(torch.tensor([2.0, 9.0]), 2.0, 1.0, 1)[:2] == [0.5, 0.0]
    assert faults._graded(torch.tensor([2.0, 9.0]), 2.0, 1.0, -1)[:2] == [0.0, 0.5]


def test_the_kept_trial_is_of_these_faults_and_metrics():
    kept = json.loads((files.assets_dir() / "studies" / "faults.json").read_text())
    assert kept["judge"] == judge.VERSION
    assert kept["strengths"] == {fault: list(how[1]) for fault, how in faults.FAULTS.items()}
    assert list(kept["table"]) == ["faultless", *faults.FAULTS]
    for fault in faults.FAULTS:
        assert list(kept["table"][fault]) == list(faults.WORSE)
        for rows in kept["table"][fault].values():
            assert [len(row) for row in rows] == [len(kept["sizes"])] * 3
