"""The images that come with the course: 6,000 for training and 1,000 for testing of each set.

They are real images, the first 600 (100) of each class in the published order, kept bit for bit as one
lossless WebP picture a split. Image number i has class i % 10, so a row of the picture holds 100 images,
each column is one class, and the labels need no second file. `python -m gan_course.embedded` makes them.
"""

import argparse
import hashlib
import io
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from gan_course import files
from gan_course.errors import CourseError

CLASSES, SIDE, COLUMNS = 10, 28, 100
PER_CLASS = {"train": 600, "test": 100}

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
            images = _tiles(np.asarray(picture)[..., 0])
    except (OSError, ValueError, SyntaxError) as error:
        raise CourseError(
            f"cannot read the embedded images {path} ({error}): install the course again"
        ) from error
    if hashlib.sha256(images).hexdigest() != SHA256[f"{name}-{split}"]:
        raise CourseError(f"the embedded images {path} are damaged: install the course again")
    return images, np.arange(len(images)) % CLASSES


def choose(labels: np.ndarray, per_class: int) -> np.ndarray:
    """Indices int64 [10 * per_class] of the first `per_class` images of each class, classes in turn.

    Args:
        labels: int64 [N], classes 0 to 9.
    """
    return np.stack([np.flatnonzero(labels == c)[:per_class] for c in range(CLASSES)], axis=1).reshape(-1)


def encode(images: np.ndarray) -> bytes:
    """The lossless WebP picture of images uint8 [N, 28, 28], N a multiple of 100."""
    rows = images.reshape(-1, COLUMNS, SIDE, SIDE).swapaxes(1, 2)
    buffer = io.BytesIO()
    grey = Image.fromarray(rows.reshape(-1, COLUMNS * SIDE))
    grey.convert("RGB").save(buffer, "WEBP", lossless=True, quality=100, method=6)
    return buffer.getvalue()


def _tiles(picture: np.ndarray) -> np.ndarray:
    """Images [N, 28, 28] of a picture [28 * N / 100, 2800]: what `encode` laid side by side."""
    rows = picture.reshape(-1, SIDE, COLUMNS, SIDE).swapaxes(1, 2)
    return np.ascontiguousarray(rows.reshape(-1, SIDE, SIDE))


def make(whole: Path, into: Path) -> None:
    """Write the four pictures to the folder `into`, from the whole sets in the folder `whole`."""
    from gan_course import data  # data reads this module; only the maker needs the whole sets

    for name in data.SETS:
        for split, per_class in PER_CLASS.items():
            image_set = data.load(name, split, path=whole)
            chosen = choose(image_set.labels.numpy(), per_class)
            images = image_set.images[chosen, 0].numpy()
            path = files.write_atomically(into / f"{name}-{split}.webp", encode(images))
            print(f"{path}: {len(images):,} images, {path.stat().st_size:,} bytes")
            print(f"    sha256 of the pixels {hashlib.sha256(images).hexdigest()}")


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m gan_course.embedded",
        description="Make the embedded images from the whole sets (about a minute).",
        epilog="example: python -m gan_course.embedded ~/data",
    )
    parser.add_argument("whole", type=Path, help="folder with MNIST/raw and FashionMNIST/raw")
    parser.add_argument("--into", type=Path, help="folder to write to (default: the course's assets/data)")
    arguments = parser.parse_args()
    try:
        make(arguments.whole, arguments.into or files.assets_dir() / "data")
    except CourseError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
