"""How much of a picture's power is in fine patterns."""

import pytest
import torch

from gan_course import patterns
from gan_course.errors import CourseError


def stripes(period: int, down: bool = False) -> torch.Tensor:
    lines = (torch.arange(96) % period == 0).to(torch.uint8) * 200
    image = lines[:, None].expand(96, 96) if down else lines[None].expand(96, 96)
    return image[None, None].contiguous()


@pytest.mark.parametrize("down", [False, True])
@pytest.mark.parametrize("period", [2, 3, 4])
def test_stripes_are_all_pattern(period, down):
    assert patterns.periodic_power(stripes(period, down), period) == pytest.approx(1, abs=1e-6)


def test_stripes_of_another_period_are_not_counted():
    assert patterns.periodic_power(stripes(3), 2) < 1e-6
    assert patterns.periodic_power(stripes(2), 3) < 1e-6


def test_noise_has_its_even_share():
    noise = torch.randint(
        0, 256, (50, 3, 96, 96), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
    )
    assert patterns.periodic_power(noise, 3) == pytest.approx(4 / 96, rel=0.05)
    assert patterns.periodic_power(noise, 2) == pytest.approx(2 / 96, rel=0.08)


def test_a_flat_picture_has_none():
    assert patterns.periodic_power(torch.full((2, 1, 12, 12), 7, dtype=torch.uint8), 3) == 0


def test_a_period_that_does_not_fit_is_refused():
    with pytest.raises(CourseError, match="period 5 in pictures of 96 × 96: it must divide both sides"):
        patterns.periodic_power(stripes(3), 5)
    with pytest.raises(CourseError, match="period 1: a whole number from 2 works"):
        patterns.periodic_power(stripes(3), 1)
