"""The README's pictures, made from the published runs.

    python notebooks/pictures.py

One animation of both runs from noise to pictures, short and small enough for the front page.
"""

import io
from pathlib import Path

import numpy as np
from PIL import Image

from gan_course import files, runs

NAMES = ("quick-digits", "mlp-fashion")
FRAMES = 24
GAP = 24  # white pixels between the two grids
GREYS = 16  # enough for small grey pictures, and a third of the bytes


def growth(names=NAMES, frames: int = FRAMES) -> list[Image.Image]:
    """Grids of several runs side by side, from their first drawing to their last.

    Early drawings change most, so they are taken more closely: evenly in the root of their number.
    """
    rows = []
    for name in names:
        drawn = [frame for _, frame in runs.find(name).frames]
        chosen = (np.linspace(0, 1, frames) ** 2 * (len(drawn) - 1)).round().astype(int)
        rows.append([drawn[i] for i in chosen])
    height = max(frame.shape[0] for row in rows for frame in row)
    gap = np.full((height, GAP, 3), 255, np.uint8)
    pictures = []
    for side_by_side in zip(*rows, strict=True):
        joined = [side_by_side[0]]
        for frame in side_by_side[1:]:
            joined += [gap, frame]
        pictures.append(Image.fromarray(np.concatenate(joined, axis=1)).convert("L").quantize(GREYS))
    return pictures


def main() -> None:
    first, *others = growth()
    buffer = io.BytesIO()
    durations = [180] * len(others) + [2500]
    first.save(buffer, "GIF", save_all=True, append_images=others, duration=durations, loop=0, optimize=True)
    path = files.write_atomically(files.assets_dir() / "pictures" / "growth.gif", buffer.getvalue())
    print(f"{Path(path).name}: {len(buffer.getvalue()) / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
