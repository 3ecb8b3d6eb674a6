"""The image set a recipe trains on, by name: MNIST, FashionMNIST, or faces of the size the recipe asks for."""

from pathlib import Path

from gan_course import celeba, data, faces
from gan_course.errors import CourseError

FACES = "faces"
NAMES = (*data.SETS, FACES)


def load(
    name: str, size: int = 28, *, path: str | Path | None = None, drawn: int = faces.DRAWN
) -> data.ImageSet:
    """The training images of that name; `source` says which they are.

    `faces` are CelebA where it lies on this machine (`celeba.load` says where it looks; nothing is
    downloaded), else drawn ones. A folder that is named must hold pictures.

    Args:
        name: one of `NAMES`.
        size: pixels a side, for faces; MNIST and FashionMNIST have 28.
        drawn: how many faces to draw where there are no photographs.
        path: a folder to take them from, as for `data.load` and `celeba.load`.

    Raises:
        CourseError: no such set; the place named does not hold it; a file is damaged.
    """
    if name in data.SETS:
        return data.load(name, path=path)
    if name != FACES:
        raise CourseError(f"unknown image set {name!r}: there are {', '.join(NAMES)}")
    try:
        return celeba.load(size, path=path)
    except celeba.NotFound:
        return faces.load(drawn, size)
