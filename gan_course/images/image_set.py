"""The one type that every set of pictures comes in."""

from dataclasses import dataclass, field

import torch

from gan_course.errors import CourseError


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Pictures of one size, decoded.

    Attributes:
        name: `mnist`, `fashion-mnist`, `celeba` (CelebA, or photographs in its place) or `drawn-faces`.
        split: `train` or `test`; `all` for photographs, which are not split.
        images: uint8 [N, C, H, W], 0 to 255. Photographs on the CPU are memory-mapped: a page is read from the
            disk when it is used, and changes stay in this process.
        labels: int64 [N] on the same device, indices into `classes`.
        classes: the class names.
        source: one sentence: how many images these are, where they were found and what was left out.
        attribute_names: what is known about each picture; () where nothing is.
        attributes: bool [N, len(attribute_names)] on the CPU; None where nothing is known.
        names: file names of photographs, relative to where they were found; () for other sets.
    """

    name: str
    split: str
    images: torch.Tensor = field(repr=False)
    labels: torch.Tensor = field(repr=False)
    classes: tuple[str, ...]
    source: str
    attribute_names: tuple[str, ...] = field(default=(), repr=False)
    attributes: torch.Tensor | None = field(default=None, repr=False)
    names: tuple[str, ...] = field(default=(), repr=False)

    def __len__(self) -> int:
        return len(self.images)

    def having(self, attribute: str) -> torch.Tensor:
        """Which of the pictures have an attribute, bool [N] on the CPU.

        Raises:
            CourseError: the set has no such attribute, or none at all.
        """
        if self.attributes is None or attribute not in self.attribute_names:
            known = f"it is one of {', '.join(self.attribute_names)}" if self.attribute_names else "it has none"
            raise CourseError(f"{self.name} knows no attribute {attribute!r}: {known}")
        return self.attributes[:, self.attribute_names.index(attribute)]
