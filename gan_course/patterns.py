"""How much of a picture is a fine regular pattern: checkerboards and stripes, seen as frequencies."""

import torch
from torch import Tensor

from gan_course import data
from gan_course.errors import CourseError, whole


def periodic_power(images: Tensor, period: int) -> float:
    """The part, 0 to 1, of the pictures' power that is in patterns that repeat every `period` pixels across or down.

    A transposed convolution of stride s that covers its outputs unevenly leaves a pattern of period s
    (Odena, Dumoulin and Olah 2016). Noise without any pattern has about 2 (period - 1) / size;
    natural pictures have much less.

    Args:
        images: uint8 [N, C, H, W], H and W multiples of the period.
        period: in pixels, 2 or more.

    Raises:
        CourseError: the period is less than 2, or does not divide the pictures' sides.
    """
    period = whole(period, "period", 2)
    height, width = images.shape[-2:]
    if height % period or width % period:
        raise CourseError(f"period {period} in pictures of {height} × {width}: it must divide both sides")
    total, there = 0.0, 0.0
    for part in images.split(500):
        x = data.to_signed(part.cpu())
        power = torch.fft.fft2(x - x.mean(dim=(-2, -1), keepdim=True)).abs().square().sum(dim=(0, 1))
        rows, columns = torch.zeros(height, dtype=torch.bool), torch.zeros(width, dtype=torch.bool)
        rows[height // period :: height // period] = True  # the frequency and its multiples
        columns[width // period :: width // period] = True
        total += power.sum().item()
        there += power[rows[:, None] | columns].sum().item()
    return there / max(total, 1e-9)
