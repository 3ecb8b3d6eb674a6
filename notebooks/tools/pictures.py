"""The README's pictures, made from the published runs and what `bench` kept.

    python notebooks/tools/pictures.py

Two animations from noise to pictures, short and small enough for the front page, and how fast the loops are.
"""

import sys

import numpy as np

import front_page
from gan_course import files, runs, show
from gan_course.terminal import command
from ladder import CHANGES

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


def moving(frames: list[np.ndarray]) -> bytes:
    """An animation that loops: a WebP, because a GIF's few colours would lay a pattern of dots over every face."""
    return show.animation(frames, "see the README", ms=MS, hold=HOLD).webp


def speed() -> bytes:
    """The rate over the textbook loop's, each recipe and rung, with the spread over the rounds."""
    ladders = [result for result in front_page.results() if len(result["lines"]) > 6]
    fig, axes = show.new_figure(11, 3.6, ncols=len(ladders), sharex=True, sharey=True)
    rungs = ["textbook loop", *CHANGES, "the package"]
    for axis, result in zip(axes, ladders, strict=True):
        for line in result["lines"]:
            if line["name"] not in rungs:
                continue
            place, colour = -rungs.index(line["name"]), show.RED if line["name"] == "the package" else show.BLUE
            axis.plot([line["lowest"], line["highest"]], [place, place], color=show.GREY, linewidth=3, alpha=0.4)
            axis.plot(line["ratio"], place, "o", color=colour, markersize=9)
        axis.set_title(f"{result['recipe']['key']}, batch {result['recipe']['batch']}", fontsize=12)
        axis.axvline(1, color=show.GREY, linewidth=1, linestyle=":")
    axes[0].set_yticks([-i for i in range(len(rungs))], rungs, fontsize=11)
    axes[len(axes) // 2].set_xlabel("times the rate of the textbook loop")
    return show.figure(fig, "see the README").still


def main() -> None:
    digits_and_clothes = side_by_side(growth("quick-digits"), growth("quick-clothes"))
    half = [frame[: frame.shape[0] // 2] for frame in growth("dcgan-faces-64")]
    for name, content in (
        ("growth.webp", moving(digits_and_clothes)),
        ("faces.webp", moving(half)),
        ("speed.png", speed()),
    ):
        files.write_atomically(files.assets_dir() / "pictures" / name, content)
        print(f"{name}: {len(content) / 1e6:.2f} MB")


if __name__ == "__main__":
    sys.exit(command("pictures", main))
