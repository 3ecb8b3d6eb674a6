"""Make the embedded images from the whole sets (about a minute):

    python notebooks/tools/embed.py FOLDER

FOLDER holds MNIST/raw and FashionMNIST/raw. `--into` names another folder than the course's assets/data.
"""

import argparse
import hashlib
import io
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from gan_course import data, files, terminal
from gan_course.images.embedded import CLASSES, COLUMNS, SIDE

PER_CLASS = {"train": 600, "test": 100}


def choose(labels: np.ndarray, per_class: int) -> np.ndarray:
    """Indices int64 [10 * per_class] of the first `per_class` images of each class, classes in turn."""
    return np.stack([np.flatnonzero(labels == c)[:per_class] for c in range(CLASSES)], axis=1).reshape(-1)


def encode(images: np.ndarray) -> bytes:
    """The lossless WebP picture of images uint8 [N, 28, 28], N a multiple of 100."""
    rows = images.reshape(-1, COLUMNS, SIDE, SIDE).swapaxes(1, 2)
    buffer = io.BytesIO()
    grey = Image.fromarray(rows.reshape(-1, COLUMNS * SIDE))
    grey.convert("RGB").save(buffer, "WEBP", lossless=True, quality=100, method=6)
    return buffer.getvalue()


def make(whole: Path, into: Path) -> None:
    """Write the four pictures to the folder `into`, from the whole sets in the folder `whole`."""
    for name in data.SETS:
        for split, per_class in PER_CLASS.items():
            image_set = data.load(name, split=split, path=whole)
            images = image_set.images[choose(image_set.labels.numpy(), per_class), 0].numpy()
            path = files.write_atomically(into / f"{name}-{split}.webp", encode(images))
            print(f"{path}: {len(images):,} images, {path.stat().st_size:,} bytes")
            print(f"    sha256 of the pixels {hashlib.sha256(images).hexdigest()}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("whole", type=Path, help="folder with MNIST/raw and FashionMNIST/raw")
    parser.add_argument("--into", type=Path, help="folder to write to (default: the course's assets/data)")
    given = parser.parse_args()
    sys.exit(terminal.command("embed", lambda: make(given.whole, given.into or files.assets_dir() / "data")))
