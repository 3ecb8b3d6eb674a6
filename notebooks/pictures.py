"""The README's pictures, made from the published runs.

    python notebooks/pictures.py

Two animations from noise to pictures, short and small enough for the front page.
"""

import io

import numpy as np
from PIL import Image

from gan_course import files, runs

FRAMES = 24
GAP = 24  # white pixels between two grids
MS, HOLD = 180, 2500  # a frame's time, and the last one's


def growth(name: str, frames: int = FRAMES) -> list[np.ndarray]:
    """A run's grid from its first drawing to its last, uint8 [H, W, 3] each.

    Early drawings change most, so they are taken more closely: evenly in the root of their number.
    """
    drawn = [frame for _, frame in runs.find(name).frames]
    chosen = (np.linspace(0, 1, frames) ** 2 * (len(drawn) - 1)).round().astype(int)
    return [drawn[i] for i in chosen]


def side_by_side(*rows: list[np.ndarray]) -> list[np.ndarray]:
    """Several runs of equal height as one."""
    gap = np.full((rows[0][0].shape[0], GAP, 3), 255, np.uint8)
    return [np.concatenate([left, gap, right], axis=1) for left, right in zip(*rows, strict=True)]


def gif(frames: list[np.ndarray], mode: str, colours: int) -> bytes:
    """An animation that loops, in few colours, because the front page is loaded often."""
    first, *others = [Image.fromarray(frame).convert(mode).quantize(colours) for frame in frames]
    buffer = io.BytesIO()
    durations = [MS] * len(others) + [HOLD]
    first.save(buffer, "GIF", save_all=True, append_images=others, duration=durations, loop=0, optimize=True)
    return buffer.getvalue()


def main() -> None:
    clothes_and_digits = side_by_side(growth("quick-digits"), growth("mlp-fashion"))
    half = [frame[: frame.shape[0] // 2] for frame in growth("dcgan-faces-64")]
    for name, content in (
        ("growth.gif", gif(clothes_and_digits, "L", 16)),
        ("faces.gif", gif(half, "RGB", 64)),
    ):
        files.write_atomically(files.assets_dir() / "pictures" / name, content)
        print(f"{name}: {len(content) / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
