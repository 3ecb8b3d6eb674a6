"""Train the judges that come with the course (minutes of one core):

    python notebooks/tools/judges.py FOLDER [SET ...]

FOLDER holds MNIST/raw and FashionMNIST/raw; faces are drawn. A new judge makes old numbers incomparable: raise
`judge.VERSION` first.
"""

import argparse
import sys
import time
from pathlib import Path

import torch

from gan_course import data, judge, portraits, terminal
from gan_course.data import ImageSet

HOW = {
    "mnist": {"epochs": 3},
    "fashion-mnist": {"epochs": 6},
    portraits.NAME: {"epochs": 4, "widths": (16, 32, 64), "attributes": True},
}
UNSEEN = 2_000  # drawn faces of another seed stand in for a test split


def make(name: str, whole: Path) -> str:
    """Train, scale and keep the judge of a set; what it is worth as it will be loaded, in a line."""
    train, test = sets(name, whole)
    began = time.perf_counter()
    made = judge.train(train, **HOW[name])
    spent = time.perf_counter() - began
    scale(made, train)
    judge.save(made, name)
    made = judge.load(name)
    right = judge.accuracy(made, test)
    if made.attributes:
        worth = (judge.look(made, test.images)[1] > 0) == test.attributes
        share = test.attributes.float().mean(0)
        each = zip(made.names, worth.float().mean(0), torch.maximum(share, 1 - share), strict=True)
        rows = [(attribute, f"{mine:.3f}", f"{common:.3f}") for attribute, mine, common in each]
        print(terminal.aligned([("attribute", "right", "commoner answer"), *rows]))
    size = judge.path(name).stat().st_size
    return f"{name}, judge {judge.VERSION}: right on {right:.2%} of unseen ones, {size:,} bytes, {spent:.0f} s"


def sets(name: str, whole: Path) -> tuple[ImageSet, ImageSet]:
    """The training images of a set, and unseen ones."""
    if name == portraits.NAME:
        return data.load(name), portraits.draw(UNSEEN, seed=1)
    return data.load(name, path=whole), data.load(name, split="test", path=whole)


@torch.no_grad()
def scale(made: judge.Judge, train: ImageSet) -> None:
    """Bring the features' root mean square over the training images to 1, and leave the logits as they are.

    A ReLU passes factors through, so that the layer before it can take the factor and the one after it its inverse.
    """
    factor = judge.look(made, train.images)[0].square().mean().sqrt()
    made[-3].weight /= factor
    made[-3].bias /= factor
    made[-1].weight *= factor


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("whole", type=Path, help="folder with MNIST/raw and FashionMNIST/raw")
    parser.add_argument("sets", nargs="*", metavar="SET", help=f"which of {', '.join(HOW)} (default: all)")
    given = parser.parse_args()

    def work() -> None:
        for name in given.sets or HOW:
            print(make(name, given.whole), flush=True)

    sys.exit(terminal.command("judges", work))
