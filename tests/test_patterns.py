"""How much of a picture's power is in fine patterns."""

import pytest
import torch

from gan_course import patterns
from gan_course.errors import CourseError


def stripes(period: int) -> torch.Tensor:
    lines = (torch.arange(96) % period == 0).to(torch.uint8) * 200
    return lines.expand(1, 1, 96, 96).contiguous()


@pytest.mark.parametrize("period", [2, 3, 4])
def test_stripes_are_all_pattern_of_their_own_period(period):
    for image in (stripes(period), stripes(period).mT.contiguous()):
        assert patterns.periodic_power(image, period) == pytest.approx(1, abs=1e-6)
    assert patterns.periodic_power(stripes(period), 2 if period == 3 else 3) < 1e-6


def test_noise_has_its_even_share_and_a_flat_picture_none():
    seed = torch.Generator().manual_seed(0)
    noise = torch.randint(0, 256, (50, 3, 96, 96), dtype=torch.uint8, generator=seed)
    assert patterns.periodic_power(noise, 3) == pytest.approx(4 / 96, rel=0.05)
    assert patterns.periodic_power(torch.full((2, 1, 12, 12), 7, dtype=torch.uint8), 3) == 0


@pytest.mark.parametrize("period, words", [(5, "must divide both sides"), (1, "a whole number from 2 works")])
def test_a_period_that_does_not_fit_is_refused(period, words):
    with pytest.raises(CourseError, match=words):
        patterns.periodic_power(stripes(3), period)
