"""Drawn faces as a set to train on.

Every face is drawn from continuous traits (`traits`: pose, light, skin, features, hair, dress), and its
attributes are thresholds on the same traits (`traits.RULES`). These are paintings of nobody: no photograph
went into them.
"""

import torch

from gan_course.errors import whole
from gan_course.images.image_set import ImageSet
from gan_course.portraits import painter, traits
from gan_course.terminal import bar

NAME = "drawn-faces"
DRAWN = 20_000  # as many as stand in for photographs
ATTRIBUTES: tuple[str, ...] = tuple(traits.RULES)


def draw(
    n: int = DRAWN, size: int = 64, seed: int = 0, *, first: int = 0, progress: bool = False
) -> ImageSet:
    """Draw the faces `first` to `first + n - 1` of a seed; nothing is read from disk or network.

    Face number i of a seed is the same whatever `n` and `first` are, to the bit on one machine. At another
    size it is the same face drawn finer or coarser.

    Args:
        n: how many, 1 or more.
        size: pixels a side, 32 to 128.
        seed: 0 or more.
        first: the number of the first face, 0 or more.
        progress: whether to show a progress bar when drawing takes more than a second.

    Returns:
        images uint8 [n, 3, size, size], labels 0, and the `ATTRIBUTES` of each face, bool [n, attributes].

    Raises:
        CourseError: one of them is outside its range.
    """
    n, size = whole(n, "number of drawn faces", 1), whole(size, "pixels a side of drawn faces", 32, 128)
    seed, first = whole(seed, "seed"), whole(first, "first face")
    images = torch.empty(n, 3, size, size, dtype=torch.uint8)
    attributes = torch.empty(n, len(ATTRIBUTES), dtype=torch.bool)
    with bar(total=n, desc="drawing faces", unit=" faces", delay=1, disable=not progress) as drawn:
        # Whole blocks, always cut at the same numbers: what a face looks like never depends on its company.
        for block in range(first // traits.BLOCK, (first + n - 1) // traits.BLOCK + 1):
            start = block * traits.BLOCK
            low, high = max(start, first), min(start + traits.BLOCK, first + n)
            here, there = slice(low - first, high - first), slice(low - start, high - start)
            sitters, facts = traits.draw(seed, block)
            images[here] = painter.paint(size, sitters)[there]
            attributes[here] = torch.from_numpy(facts[there])
            drawn.update(high - low)
    source = f"{n:,} drawn faces of {size}×{size} pixels (seed {seed}): paintings of nobody, not photographs."
    labels = torch.zeros(n, dtype=torch.int64)
    return ImageSet(NAME, "train", images, labels, ("face",), source, ATTRIBUTES, attributes)
