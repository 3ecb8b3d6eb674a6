"""The ward: recorded runs, healthy and ill, to be diagnosed by their curves and pictures.

`notebooks/tools/ward.py` records them; they lie in `assets/ward/`, and `widgets.ward` shows them.
"""

import json
import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from gan_course import files
from gan_course.errors import CourseError, whole

DIAGNOSES = ("healthy", "D too fast", "G too fast", "collapse", "a bug in the code")
COLUMNS = ("loss_d", "loss_g", "d_real", "d_fake", "right")  # as in `history.COLUMNS`; right: mean of its two shares
ACROSS = 5  # pictures in a row of a grid, and rows
SIDE = 28 * ACROSS  # of a grid, pixels


@dataclass(frozen=True, eq=False)
class Recorded:
    """A run, thinned.

    Attributes:
        images: real images seen at the end of each stretch, int [stretches].
        curves: column -> its mean over each stretch, float [stretches]; NaN where nothing was measured.
        grids: 25 pictures by the averaged G at equal distances up to the end, uint8 [times, 140, 140].
        spread: of the watched pictures at those times: how much they differ from each other, in parts of what
            real ones do, [times].
        measured: name -> number at the end of the run: `distance` (Fréchet, in the judge's features), `kinds` of things
            that the judge sees, 1 to 10, `spread`, and `right`, the share on which D is right in the last fifth.
    """

    images: np.ndarray
    curves: dict[str, np.ndarray]
    grids: np.ndarray
    spread: np.ndarray
    measured: dict[str, float]

    def seen(self, time: int) -> int:
        """Real images seen when a grid was drawn."""
        return int(self.images[-1]) * (time + 1) // len(self.grids)


@dataclass(frozen=True, eq=False)
class Case:
    """One patient.

    Attributes:
        key: its name.
        told: what anybody may know beforehand: data and loss.
        diagnosis: the truth, one of `DIAGNOSES`.
        reason: what shows it, and why it is so.
        changed: what was done to the run.
        cure: what was done to the cured one; empty where nothing is to be cured.
        run: how it went.
        cured: the cured run of the same seed, or None.
    """

    key: str
    told: str
    diagnosis: str
    reason: str
    changed: str
    cure: str
    run: Recorded
    cured: Recorded | None


def folder() -> Path:
    """Where the cases lie."""
    return files.assets_dir() / "ward"


def load(seed: int = 0) -> list[Case]:
    """All cases, in an order that the seed decides, on every machine the same.

    Raises:
        CourseError: they are missing or damaged.
    """
    seed, where = whole(seed, "seed"), folder()
    try:
        content = json.loads((where / "cases.json").read_text(encoding="utf-8"))
        runs = {name: _recorded(where / f"{name}.webp", run) for name, run in content["runs"].items()}
        cases = [_case(values, runs) for values in content["cases"]]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CourseError(f"the ward in {where} is missing or damaged ({error}): take another copy of it") from None
    return sorted(cases, key=lambda case: random.Random(f"{seed} {case.key}").random())


def _case(values: dict, runs: dict[str, Recorded]) -> Case:
    cured = values["cured"]
    case = Case(**{**values, "run": runs[values["run"]], "cured": runs[cured] if cured else None})
    if case.diagnosis not in DIAGNOSES or (case.cured is None) != (case.diagnosis == "healthy"):
        raise ValueError(f"case {case.key}: {case.diagnosis!r}, {'not ' if cured is None else ''}cured")
    return case


def _recorded(path: Path, run: dict) -> Recorded:
    with Image.open(path) as strip:
        grids = np.asarray(strip.convert("L"))
    images, spread = np.array(run["images"]), np.array(run["spread"], dtype=float)
    curves = {column: np.array(run["curves"][column], dtype=float) for column in COLUMNS}
    times = grids.shape[1] // SIDE
    lengths = {len(images), *map(len, curves.values())}
    if grids.shape != (SIDE, times * SIDE) or len(spread) != times or len(lengths) > 1:
        raise ValueError(f"{path.name} and its curves do not fit together")
    return Recorded(images, curves, grids.reshape(SIDE, times, SIDE).swapaxes(0, 1), spread, run["measured"])
