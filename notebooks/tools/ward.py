"""Record the ward of lesson 06, gan_course/assets/ward (about 45 runs of 15 s of a core; goes on where it stopped):

    python notebooks/tools/ward.py FOLDER [CASE ...]

FOLDER holds MNIST/raw and FashionMNIST/raw. With names of cases only those are trained and printed, and nothing is
written to the assets.
"""

import argparse
import dataclasses
import hashlib
import io
import json
import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from PIL import Image

import build
from gan_course import data, files, judge, losses, metrics, museum, recipes, sampling, terminal, training, ward
from gan_course.errors import CourseError
from gan_course.gan import GAN
from gan_course.recipes import Recipe

IMAGES = 16_000
CURVE, TIMES = 60, 12  # points of a curve; grids of a run
SAMPLES = 2_000  # pictures that the numbers at the end rest on
QUALITY = 60  # of WebP
KEPT = build.HOME.parent / "build" / "ward"  # every run that was trained
SETS = {"digits": "mnist", "clothes": "fashion-mnist"}
COMMON = {"precision": "bfloat16"}
SPELLED = {
    "minimax": "saturating loss",
    "least-squares": "least squares",
    "hinge": "hinge",
    "wasserstein": "Wasserstein",
}


@dataclass(frozen=True)
class Plan:
    """A run to record: recipe changes, seed, and the bug planted in it."""

    data: str
    seed: int
    changes: dict = field(default_factory=dict)
    bug: str = ""
    images: int = IMAGES

    @property
    def recipe(self) -> Recipe:
        return recipes.get(f"quick-{self.data}").but(**{**COMMON, **self.changes})

    @property
    def told(self) -> str:
        """What may be known of it beforehand."""
        recipe = self.recipe
        labels = f", labels {recipe.real_label:g} and {recipe.fake_label:g}" if recipe.real_label < 1 else ""
        return f"{self.data}, {SPELLED.get(recipe.objective, f'{recipe.objective} loss')}{labels}"

    @property
    def name(self) -> str:
        """Its file's: tells two runs apart, and a run from what a changed table would train."""
        content = json.dumps([self.recipe.as_dict(), self.bug, self.images], sort_keys=True)
        return f"{self.data}-{self.seed}-{hashlib.sha256(content.encode()).hexdigest()[:8]}"


@dataclass(frozen=True)
class Patient:
    """A case to record: what is wrong with it, and why; how it is cured: recipe changes of the cured run."""

    plan: Plan
    diagnosis: str
    changed: str
    reason: str
    cure: str = ""
    cured: Plan | None = None


# --- bugs that are not in the museum -----------------------------------------------------------------


def half_range(gan: GAN):
    """Real images in [0, 1], where G's tanh makes [-1, 1]: a ToTensor without its Normalize."""
    return lambda gan, real: training.train_step(gan, (real + 1) / 2)


def on_its_side(gan: GAN):
    """Rows and columns exchanged on loading."""
    return lambda gan, real: training.train_step(gan, real.transpose(2, 3).contiguous())


def still_g(gan: GAN):
    """G's optimiser was handed the parameters of another copy of G."""
    gan.opt_g = torch.optim.Adam([torch.zeros(1, requires_grad=True)], gan.recipe.lr_g)


def helpful_g(gan: GAN):
    """G's label is "fake": it helps D."""
    gan.objective = dataclasses.replace(gan.objective, g_loss=lambda fake_logits: losses.bce(fake_logits, 0.0))


OWN_BUGS = {bug.__name__: bug for bug in (half_range, on_its_side, still_g, helpful_g)}


def plant(gan: GAN, bug: str):
    """Plant a bug in a fresh GAN; the step to train with, or None for the usual one."""
    if not bug:
        return None
    return OWN_BUGS[bug](gan) if bug in OWN_BUGS else museum.get(bug).found(gan)


def digits(seed: int, bug: str = "", images: int = IMAGES, **changes) -> Plan:
    return Plan("digits", seed, changes, bug, images)


def clothes(seed: int, bug: str = "", images: int = IMAGES, **changes) -> Plan:
    return Plan("clothes", seed, changes, bug, images)


WGAN = museum.SETTINGS["wasserstein"][1]
CASES = {
    "plain digits": Patient(digits(5), "healthy", "", ""),
    "plain clothes": Patient(clothes(5), "healthy", "", ""),
    "young digits": Patient(digits(6, images=3_072), "healthy", "", ""),
    "young clothes": Patient(clothes(6, images=3_072), "healthy", "", ""),
    "smoothed labels": Patient(digits(7, real_label=0.9, fake_label=0.1), "healthy", "", ""),
    "hinge": Patient(clothes(7, objective="hinge"), "healthy", "", ""),
    "least squares": Patient(clothes(8, objective="least-squares"), "healthy", "", ""),
    "saturating": Patient(digits(9, objective="minimax"), "healthy", "", ""),
    "bare d": Patient(digits(1, images=8_000, d_norm="none"), "collapse", "", "", "", digits(1, images=8_000)),
    "bare d, hinge": Patient(digits(4, images=8_000, d_norm="none", objective="hinge"), "collapse", "", "", "", digits(4, images=8_000, objective="hinge")),
    "d fast digits": Patient(digits(1, lr_d=2e-3, lr_g=1e-4), "D too fast", "", "", "", digits(1)),
    "g fast digits": Patient(digits(1, lr_g=2e-3, lr_d=1e-4), "G too fast", "", "", "", digits(1)),
    "d fast clothes": Patient(clothes(1, lr_d=2e-3, lr_g=5e-5), "D too fast", "", "", "", clothes(1)),
    "g fast clothes": Patient(clothes(1, lr_g=2e-3, lr_d=5e-5), "G too fast", "", "", "", clothes(1)),
    "helpful g": Patient(clothes(1, "helpful_g"), "a bug in the code", "", "", "", clothes(1)),
    "bare d, saturating": Patient(digits(2, images=8_000, d_norm="none", objective="minimax"), "collapse", "", "", "", digits(2, images=8_000, objective="minimax")),
    "bare d again": Patient(digits(3, images=8_000, d_norm="none"), "collapse", "", "", "", digits(3, images=8_000)),
    "half range": Patient(digits(2, "half_range"), "a bug in the code", "", "", "", digits(2)),
    "d often digits": Patient(digits(2, lr_d=2e-3, g_every=8), "D too fast", "", "", "", digits(2)),
    "g often digits": Patient(digits(2, d_every=8), "G too fast", "", "", "", digits(2)),
    "still g": Patient(digits(3, "still_g"), "a bug in the code", "", "", "", digits(3)),
    "on its side": Patient(clothes(2, "on_its_side"), "a bug in the code", "", "", "", clothes(2)),
    "g slow clothes": Patient(clothes(2, lr_g=2e-5), "D too fast", "", "", "", clothes(2)),
    "d slow clothes": Patient(clothes(2, lr_d=2e-5), "G too fast", "", "", "", clothes(2)),
    "one sign": Patient(digits(4, "one_sign", **WGAN), "a bug in the code", "", "", "", digits(4, **WGAN)),
    "wasserstein": Patient(clothes(4, **WGAN), "healthy", "", ""),
    "bare average": Patient(clothes(3, "bare_average"), "a bug in the code", "", "", "", clothes(3)),
    "g often clothes": Patient(clothes(3, d_every=4, lr_g=2e-3), "G too fast", "", "", "", clothes(3)),
    "leak into g": Patient(digits(2, "leak_into_g"), "a bug in the code", "", "", "", digits(2)),
    "d fast hinge": Patient(
        digits(3, lr_d=2e-3, lr_g=1e-4, objective="hinge"), "D too fast", "", "", "", digits(3, objective="hinge")
    ),
    "one axis": Patient(digits(4, "one_axis", **WGAN), "a bug in the code", "", "", "", digits(4, **WGAN)),
}


# --- a run ------------------------------------------------------------------------------------------


class Clinic:
    """The image sets and judges, each opened once, and the runs that were trained."""

    def __init__(self, whole: Path):
        self.whole, self._sets = whole, {}

    def opened(self, name: str):
        """(training images, features of real images, their spread, judge) of digits or clothes."""
        if name not in self._sets:
            train, test = (data.load(SETS[name], split=split, path=self.whole).images for split in ("train", "test"))
            expert = judge.load(SETS[name])
            self._sets[name] = train, judge.look(expert, test)[0], spread(test), expert
        return self._sets[name]

    def run(self, plan: Plan) -> dict:
        """The record of a run, trained unless it is kept already."""
        path = KEPT / f"{plan.name}.npz"
        if not path.exists():
            buffer = io.BytesIO()
            np.savez_compressed(buffer, **self._trained(plan))
            files.write_atomically(path, buffer.getvalue())
        with np.load(path, allow_pickle=False) as kept:
            return {**kept, "measured": json.loads(str(kept["measured"]))}

    def _trained(self, plan: Plan) -> dict:
        images, real_features, real_spread, expert = self.opened(plan.data)
        gan = GAN(plan.recipe, plan.seed)
        until, grids, variety = plan.images // gan.batch, [], []
        torch.set_num_threads(1)
        step = plant(gan, plan.bug)
        for time in range(1, TIMES + 1):
            for _ in training.train(gan, images, until * time // TIMES, progress=False, step=step):
                pass
            pictures = gan.draw()
            variety.append(spread(pictures) / real_spread)
            grids.append(pictures[: ward.ACROSS**2, 0])
        rows = {c: gan.history[c] for c in ("loss_d", "loss_g", "d_real", "d_fake", "images")}
        rows["right"] = (gan.history["right_real"] + gan.history["right_fake"]) / 2
        features, logits = judge.look(expert, made := sampling.sample(gan.average, SAMPLES, seed=plan.seed))
        measured = {
            "distance": metrics.frechet_distance(real_features, features),
            "kinds": torch.special.entr(judge.shares(expert, logits)).sum().exp().item(),
            "sure": logits.softmax(1).max(1).values.mean().item(),
            "variety": spread(made) / real_spread,
            "right": np.nanmean(rows["right"][-until // 5 :]).item(),
        }
        stretches = {c: np.array_split(values, min(CURVE, until // 4)) for c, values in rows.items()}
        return {
            **{c: np.array([mean(part) for part in stretches[c]]) for c in ward.COLUMNS},
            "images": np.array([part[-1] + gan.batch for part in stretches["images"]], dtype=int),
            "grids": torch.stack(grids).numpy(),
            "variety": np.array(variety),
            "measured": json.dumps(measured),
        }


def mean(values: np.ndarray) -> float:
    there = values[np.isfinite(values)]
    return there.mean().item() if len(there) else np.nan


def spread(images: torch.Tensor) -> float:
    """How much pictures differ from each other: the standard deviation of a pixel, averaged over the pixels."""
    return images.float().std(dim=0).mean().item()


# --- the asset ---------------------------------------------------------------------------------------


def packed(kept: dict) -> tuple[dict, bytes]:
    """A run for the asset: its numbers, and its grids as one strip in WebP."""
    numbers = {
        "images": kept["images"].tolist(),
        "curves": {column: rounded(kept[column]) for column in ward.COLUMNS},
        "variety": rounded(kept["variety"]),
        "measured": {name: float(f"{value:.4g}") for name, value in kept["measured"].items()},
    }
    n = ward.ACROSS
    grids = kept["grids"].reshape(TIMES, n, n, 28, 28).transpose(1, 3, 0, 2, 4)
    buffer = io.BytesIO()
    Image.fromarray(grids.reshape(ward.SIDE, TIMES * ward.SIDE)).save(buffer, "WEBP", quality=QUALITY, method=6)
    return numbers, buffer.getvalue()


def rounded(values: np.ndarray) -> list[float | None]:
    return [float(f"{value:.4g}") if np.isfinite(value) else None for value in values]


def write(clinic: Clinic) -> None:
    """All cases, and nothing else, into the assets."""
    folder, runs, cases = ward.folder(), {}, []
    for key, patient in CASES.items():
        for plan in filter(None, (patient.plan, patient.cured)):
            if plan.name not in runs:
                runs[plan.name], strip = packed(clinic.run(plan))
                files.write_atomically(folder / f"{plan.name}.webp", strip)
        cured = patient.cured.name if patient.cured else None
        words = {name: getattr(patient, name) for name in ("diagnosis", "reason", "changed", "cure")}
        cases.append({"key": key, "told": patient.plan.told, **words, "run": patient.plan.name, "cured": cured})
    for path in folder.glob("*.webp"):
        if path.stem not in runs:
            path.unlink()
    content = json.dumps({"runs": runs, "cases": cases}, ensure_ascii=False, separators=(",", ":"))
    files.write_atomically(folder / "cases.json", content.encode() + b"\n")
    size = sum(path.stat().st_size for path in folder.iterdir())
    print(f"{len(cases)} cases, {len(runs)} runs, {size / 1e6:.2f} MB in {folder}")


def row(name: str, kept: dict) -> tuple[str, ...]:
    last = (np.nanmean(kept[c][-CURVE // 5 :]) for c in ("loss_d", "loss_g", "d_real", "d_fake"))
    return name, *(f"{value:.3g}" for value in (*kept["measured"].values(), *last))


def main(given: argparse.Namespace) -> None:
    clinic, chosen, rows = Clinic(given.whole), given.cases or list(CASES), []
    for key in chosen:
        if key not in CASES:
            raise CourseError(f"no case {key!r}: there are {', '.join(CASES)}")
    for key in terminal.bar(iterable=chosen, desc="ward", unit=" cases"):
        patient = CASES[key]
        rows.append((patient.diagnosis, *row(key, clinic.run(patient.plan))))
        if patient.cured:
            rows.append(("", *row("  cured", clinic.run(patient.cured))))
        print(rows[-2:], flush=True)
    head = ("", "", "distance", "kinds", "sure", "variety", "right", "loss_d", "loss_g", "d_real", "d_fake")
    print(terminal.aligned([head, *rows]))
    if not given.cases:
        write(clinic)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("whole", type=Path, help="folder with MNIST/raw and FashionMNIST/raw")
    parser.add_argument("cases", nargs="*", metavar="CASE", help="some of them (default: all)")
    given = parser.parse_args()
    sys.exit(terminal.command("ward", lambda: main(given)))
