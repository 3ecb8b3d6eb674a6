"""Changes of every picture on its way to D, so that a few training pictures do not get known by heart.

Zhao et al. 2020 (arXiv:2006.10738), DiffAugment: D never sees a picture as it is, neither a real nor a generated one,
in its own step and in G's. G must not learn the changes: D cannot tell them from those of the real pictures. They are
differentiable, so that G's gradient finds its way back through them. Each takes and returns images
[N, C, H, W] in [-1, 1], and draws anew for every picture.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from gan_course.errors import CourseError


def colour(images: Tensor, dice: torch.Generator) -> Tensor:
    """Another brightness (by up to 0.5), saturation (0 to 2 times) and contrast (0.5 to 1.5 times)."""
    brightness, saturation, contrast = torch.rand(3, len(images), 1, 1, 1, generator=dice, device=images.device)
    images = images + (brightness - 0.5)
    grey = images.mean(1, keepdim=True)
    images = grey + (images - grey) * (2 * saturation)
    mean = images.mean((1, 2, 3), keepdim=True)
    return mean + (images - mean) * (0.5 + contrast)


def translation(images: Tensor, dice: torch.Generator) -> Tensor:
    """Moved by up to an eighth of the side along both axes; what comes in from outside is 0, a middle grey."""
    n, _, height, width = images.shape
    reach = [round(side / 8) for side in (height, width)]
    rows, columns = (
        torch.randint(2 * r + 1, (n, 1), generator=dice, device=images.device)
        + torch.arange(side, device=images.device)
        for r, side in zip(reach, (height, width), strict=True)
    )
    padded = F.pad(images, (reach[1], reach[1], reach[0], reach[0]))
    which = torch.arange(n, device=images.device)[:, None, None]
    return padded[which, :, rows[:, :, None], columns[:, None, :]].movedim(-1, 1)


def cutout(images: Tensor, dice: torch.Generator) -> Tensor:
    """A square of half the side set to 0 at a random place, part of it perhaps outside."""
    n, _, height, width = images.shape

    def within(side: int) -> Tensor:
        """Which of the rows, or columns, the square covers, [n, side]."""
        middle = torch.randint(side + 1, (n, 1), generator=dice, device=images.device)
        return (torch.arange(side, device=images.device) + 0.5 - middle).abs() < side / 4

    return images.masked_fill((within(height)[:, :, None] & within(width)[:, None, :])[:, None], 0.0)


CHANGES: dict[str, Callable[[Tensor, torch.Generator], Tensor]] = {
    "colour": colour,
    "translation": translation,
    "cutout": cutout,
}


def check(names: str) -> None:
    """Whether `changed` knows every one of some changes, such as `colour,translation,cutout`; `none` are none.

    Raises:
        CourseError: it does not.
    """
    if names != "none" and (unknown := [name for name in names.split(",") if name not in CHANGES]):
        raise CourseError(f"augment {unknown[0]!r}: there are {', '.join(CHANGES)}, several with commas, and none")


def changed(images: Tensor, names: str, dice: torch.Generator) -> Tensor:
    """Images with the changes of those names, one after the other; as they are for `none`.

    Args:
        dice: a generator on the images' device.
    """
    for name in () if names == "none" else names.split(","):
        images = CHANGES[name](images, dice)
    return images
