"""Drawn faces: a set of portraits that anyone may copy, for where CelebA cannot be had.

Every face is drawn from continuous traits (`portrait.traits`: pose, light, skin, features, hair, dress), and
its attributes are thresholds on the same traits (`portrait.traits.RULES`). These are paintings of nobody: no
photograph went into them.
"""

from dataclasses import dataclass, field

import torch

from gan_course import data
from gan_course.errors import CourseError
from gan_course.portrait import painter, traits
from gan_course.terminal import bar

NAME = "drawn-faces"
DRAWN = 20_000  # as many as stand in for photographs
ATTRIBUTES: tuple[str, ...] = tuple(traits.RULES)
SMALLEST, LARGEST = 32, 128


@dataclass(frozen=True, eq=False)
class Faces:
    """Portraits, and what is true of each.

    Attributes:
        images: uint8 [N, 3, size, size], 0 to 255.
        attributes: bool [N, len(ATTRIBUTES)], in the order of `ATTRIBUTES`.
    """

    images: torch.Tensor = field(repr=False)
    attributes: torch.Tensor = field(repr=False)

    def __len__(self) -> int:
        return len(self.images)


@dataclass(frozen=True, eq=False)
class FaceSet(data.ImageSet):
    """Drawn faces as an image set to train on: one class, and the attributes of each face.

    Attributes:
        attributes: bool [N, len(ATTRIBUTES)], in the order of `ATTRIBUTES`.
    """

    attributes: torch.Tensor = field(repr=False)


def draw(n: int, size: int = 64, seed: int = 0, *, first: int = 0) -> Faces:
    """Draw the faces `first` to `first + n - 1` of a seed.

    Face number i of a seed is the same whatever `n` and `first` are, to the bit on one machine. At another
    size it is the same face drawn finer or coarser.

    Args:
        n: how many, 1 or more.
        size: pixels a side, 32 to 128.
        seed: 0 or more.
        first: the number of the first face, 0 or more.

    Raises:
        CourseError: one of them is outside its range.
    """
    return _draw(n, size, seed, first, progress=False)


def load(n: int = DRAWN, size: int = 64, seed: int = 0, progress: bool = True) -> FaceSet:
    """The first `n` faces of a seed as an image set, with labels 0; nothing is read from disk or network.

    Args:
        n, size, seed: as for `draw`.
        progress: whether to show a progress bar when drawing takes more than a second.

    Raises:
        CourseError: n, size or seed is outside its range.
    """
    faces = _draw(n, size, seed, 0, progress)
    source = f"{n:,} drawn faces of {size}×{size} pixels (seed {seed}): paintings of nobody, not photographs."
    labels = torch.zeros(n, dtype=torch.int64)
    return FaceSet(NAME, "train", faces.images, labels, ("face",), source, faces.attributes)


def having(faces: Faces | FaceSet, attribute: str) -> torch.Tensor:
    """Which of the faces have an attribute, bool [N].

    Raises:
        CourseError: there is no such attribute.
    """
    if attribute not in ATTRIBUTES:
        raise CourseError(f"unknown attribute {attribute!r}: it is one of {', '.join(ATTRIBUTES)}")
    return faces.attributes[:, ATTRIBUTES.index(attribute)]


def _draw(n: int, size: int, seed: int, first: int, progress: bool) -> Faces:
    if not SMALLEST <= size <= LARGEST:
        raise CourseError(f"faces are drawn at {SMALLEST} to {LARGEST} pixels a side, not {size}")
    if n < 1:
        raise CourseError(f"{n} faces cannot be drawn: n is 1 or more")
    if seed < 0 or first < 0:
        raise CourseError(f"seed and first are 0 or more, not {seed} and {first}")
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
    return Faces(images, attributes)
