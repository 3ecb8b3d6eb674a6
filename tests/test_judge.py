"""The judge: what it learns from the embedded digits, and what it says of bad images."""

import numpy as np
import pytest
import torch

from gan_course import data, judge
from gan_course.data import ImageSet
from gan_course.errors import CourseError


@pytest.fixture(scope="module")
def digits() -> ImageSet:
    return data.load("mnist")


@pytest.fixture(scope="module")
def trained(digits) -> judge.Judge:
    return judge.train(digits, epochs=2)


def test_it_knows_digits_it_has_not_seen(trained):
    test = data.load("mnist", split="test")
    assert judge.accuracy(trained, test) > 0.93
    said = judge.verdict(trained, test.images)
    assert said.confidence.mean() > 0.85 and said.balance > 0.98 and said.shares.min() > 0.05


def test_it_is_less_sure_of_noise_and_sees_what_is_missing(trained, digits):
    noise = torch.randint(0, 256, (500, 1, 28, 28), dtype=torch.uint8, generator=torch.manual_seed(0))
    real = judge.verdict(trained, digits.images[:500])
    assert judge.verdict(trained, noise).sure < real.sure
    ones = judge.verdict(trained, digits.images[digits.labels == 1])
    assert ones.shares[1] > 0.9 and ones.balance < 0.3


def test_balance_by_hand():
    for shares, balance in (([0.25] * 4, 1), ([1.0, 0.0, 0.0, 0.0], 1 / 4), ([0.5, 0.5, 0.0, 0.0], 2 / 4)):
        assert judge.Verdict(torch.empty(0), torch.empty(0), torch.tensor(shares)).balance == pytest.approx(balance)


def test_a_seed_gives_a_judge_and_leaves_the_global_stream(digits):
    few = ImageSet("mnist", "train", digits.images[:512], digits.labels[:512], digits.classes, "")
    state = torch.get_rng_state()
    one, again, other = (judge.train(few, np.int64(1), seed) for seed in (1, np.int64(1), 2))
    assert torch.equal(state, torch.get_rng_state())
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), again.parameters(), strict=True))
    assert not torch.equal(one[0].weight, other[0].weight)


def test_what_it_cannot_learn_from(digits):
    few = ImageSet("mnist", "train", digits.images[:64], digits.labels[:64], digits.classes, "")
    with pytest.raises(CourseError, match="64 images: at least a batch of 128 works"):
        judge.train(few)
