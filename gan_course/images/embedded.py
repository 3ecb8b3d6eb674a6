"""The images that come with the course: 6,000 for training and 1,000 for testing of each set.

They are real images, the first 600 (100) of each class in the published order, kept bit for bit as one
lossless WebP picture a split. Image number i has class i % 10, so a row of the picture holds 100 images,
each column is one class, and the labels need no second file. `notebooks/tools/embed.py` makes them.
"""

import hashlib

import numpy as np
from PIL import Image

from gan_course import files
from gan_course.errors import CourseError

CLASSES, SIDE, COLUMNS = 10, 28, 100

# sha256 of the pixels, image after image: what was embedded is what is read.
SHA256 = {
    "mnist-train": "50197ff3c2559e7159db09223e9dd5b1fd233b248ef1ccdfa1ecf0048ac5558e",
    "mnist-test": "501ea962d3888c85dbe46f44fe52d6cdbac808d88b775be13f3b2bb762b5b0a6",
    "fashion-mnist-train": "ecff6f3f8a00e00743b2896130eee5ed77338fe7f58fc769132708b77d5c92b9",
    "fashion-mnist-test": "e9f89eb06e8c2328785b00abd588a8528d881d7f062acd7b17be736dfe20f1f5",
}


def read(name: str, split: str) -> tuple[np.ndarray, np.ndarray]:
    """Images uint8 [N, 28, 28] and labels int64 [N] of the embedded part of a set.

    Raises:
        CourseError: the file is missing or damaged.
    """
    path = files.assets_dir() / "data" / f"{name}-{split}.webp"
    try:
        with Image.open(path) as picture:
            images = tiles(np.asarray(picture)[..., 0])
    except (OSError, ValueError, SyntaxError) as error:
        raise CourseError(f"cannot read the embedded images {path} ({error}): install the course again") from error
    if hashlib.sha256(images).hexdigest() != SHA256[f"{name}-{split}"]:
        raise CourseError(f"the embedded images {path} are damaged: install the course again")
    return images, np.arange(len(images)) % CLASSES


def tiles(picture: np.ndarray) -> np.ndarray:
    """Images [N, 28, 28] of a picture [28 * N / 100, 2800] that holds them in rows of 100."""
    rows = picture.reshape(-1, SIDE, COLUMNS, SIDE).swapaxes(1, 2)
    return np.ascontiguousarray(rows.reshape(-1, SIDE, SIDE))
