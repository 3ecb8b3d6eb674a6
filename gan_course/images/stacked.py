"""Stacked MNIST: three digits as the three channels of one picture, 1,000 kinds of pictures to be counted."""

import torch

from gan_course.images.image_set import ImageSet

NAME = "stacked-mnist"
DIGITS = 3


def stack(digits: ImageSet, seed: int = 0) -> ImageSet:
    """As many pictures as there are digits: each channel is the whole set in another random order.

    Metz et al. 2017 (arXiv:1611.02163, section 3.3.1). A picture's class is the number that its digits
    spell, red first.

    Args:
        digits: grey pictures of the classes 0 to 9.
    """
    dice = torch.Generator().manual_seed(seed)
    orders = [torch.randperm(len(digits), generator=dice) for _ in range(DIGITS)]
    images = torch.cat([digits.images.cpu()[order] for order in orders], 1)
    labels = sum(10**place * digits.labels.cpu()[order] for place, order in zip((2, 1, 0), orders, strict=True))
    classes = tuple(f"{number:03d}" for number in range(10**DIGITS))
    source = f"{len(images):,} stacks of three digits. {digits.source}"
    return ImageSet(NAME, digits.split, images, labels, classes, source)
