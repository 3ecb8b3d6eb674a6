"""Record the ward of lesson 06, assets/ward (37 runs, about 15 s of a core each; goes on where it stopped):

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
from datetime import date
from pathlib import Path

import numpy as np
import torch
from PIL import Image

import build
from gan_course import (
    data,
    devices,
    files,
    judge,
    losses,
    metrics,
    museum,
    recipes,
    sampling,
    terminal,
    training,
    ward,
)
from gan_course.errors import CourseError
from gan_course.gan import GAN
from gan_course.recipes import Recipe
from gan_course.runs import VERSIONS

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
        if recipe.real_label < 1:
            return f"{self.data}, labels {recipe.real_label:g} and {recipe.fake_label:g}"
        return f"{self.data}, {SPELLED.get(recipe.objective, f'{recipe.objective} loss')}"

    @property
    def name(self) -> str:
        """Its file's: tells two runs apart, and a run from what a changed table would train."""
        content = json.dumps([self.recipe.as_dict(), self.bug, self.images], sort_keys=True)
        return f"{self.data}-{self.seed}-{hashlib.sha256(content.encode()).hexdigest()[:8]}"


@dataclass(frozen=True)
class Patient:
    """A case to record: its run, and its truth in words; for an ill one, the cured run, and what cured it."""

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


BARE = {"images": 8_000, "d_norm": "none"}
CASES = {
    "plain digits": Patient(
        digits(5),
        "healthy",
        changed="nothing",
        reason="D is right on four of five images, both losses stay in a band, and the digits become clearer.",
    ),
    "plain clothes": Patient(
        clothes(5),
        "healthy",
        changed="nothing",
        reason="G's loss lies above D's all the time, and that is nothing bad: D is right on four of five images, and "
        "the clothes become clearer to the end.",
    ),
    "young digits": Patient(
        digits(6, images=3_072),
        "healthy",
        changed="nothing; it was stopped after 3,072 images",
        reason="It is merely young, as the horizontal axis says. The pictures are poor, and they differ more from each "
        "other at every look.",
    ),
    "young clothes": Patient(
        clothes(6, images=3_072),
        "healthy",
        changed="nothing; it was stopped after 3,072 images",
        reason="It is merely young, as the horizontal axis says. D leads, as at every beginning, and the pictures take "
        "shape.",
    ),
    "smoothed labels": Patient(
        digits(7, real_label=0.9, fake_label=0.1),
        "healthy",
        changed="D's labels were smoothed to 0.9 and 0.1",
        reason="With these labels D's loss cannot fall below 0.65, so 1.1 says little: D is right on four of five "
        "images, and the digits become clear.",
    ),
    "hinge": Patient(
        clothes(7, objective="hinge"),
        "healthy",
        changed="the loss is hinge",
        reason="Hinge has another scale, and its scores may leave 0 to 1. Who leads is told by the share on which D is "
        "right, 77 %, and the clothes become clearer.",
    ),
    "least squares": Patient(
        clothes(8, objective="least-squares"),
        "healthy",
        changed="the loss is least squares",
        reason="A D's loss of 0.25 is no victory: of squares, a D that says 1/2 to everything has a loss of 0.5. It is "
        "right on 85 % of the images, and the clothes become clearer.",
    ),
    "saturating": Patient(
        digits(9, objective="minimax"),
        "healthy",
        changed="the loss is the saturating one of the first paper",
        reason="G's loss is below 0 because log(1 - D(G(z))) is. D is right on three of four images, and the digits "
        "become clear.",
    ),
    "bare d": Patient(
        digits(1, **BARE),
        "collapse",
        changed="BatchNorm was taken out of D and nothing put in its place",
        reason="The game is even, and G makes nearly the same sign of every z: at one look this sign, at the next "
        "look that one, wherever D is weak at the moment.",
        cure="BatchNorm in D",
        cured=digits(1, images=8_000),
    ),
    "bare d, hinge": Patient(
        digits(4, **BARE, objective="hinge"),
        "collapse",
        changed="BatchNorm was taken out of D and nothing put in its place",
        reason="Neither side leads, and the pictures of one grid are nearly alike: stripes first, then one sign after "
        "another.",
        cure="BatchNorm in D",
        cured=digits(4, images=8_000, objective="hinge"),
    ),
    "bare d, saturating": Patient(
        digits(2, **BARE, objective="minimax"),
        "collapse",
        changed="BatchNorm was taken out of D and nothing put in its place",
        reason="D wins and loses in turn, and neither side stays ahead. The pictures of a grid grow alike: at the end "
        "all of them are one pattern of dots.",
        cure="BatchNorm in D",
        cured=digits(2, images=8_000, objective="minimax"),
    ),
    "bare d again": Patient(
        digits(3, **BARE),
        "collapse",
        changed="BatchNorm was taken out of D and nothing put in its place",
        reason="D is right on 70 %, as in many a good run, and each grid shows one sign 25 times. The next grid shows "
        "another one.",
        cure="BatchNorm in D",
        cured=digits(3, images=8_000),
    ),
    "d fast digits": Patient(
        digits(1, lr_d=2e-3, lr_g=1e-4),
        "D too fast",
        changed="D's rate was raised from 5e-4 to 2e-3, G's lowered to 1e-4",
        reason="D is right on more than nine of ten images to the end, G's loss stays around 3.6, and the digits "
        "remain shadows.",
        cure="both rates 5e-4",
        cured=digits(1),
    ),
    "d fast clothes": Patient(
        clothes(1, lr_d=2e-3, lr_g=5e-5),
        "D too fast",
        changed="D's rate was raised from 5e-4 to 2e-3, G's lowered to 5e-5",
        reason="D's loss goes to 0 and G's climbs to 6: D is right on every image, and G never gets beyond clouds.",
        cure="both rates 5e-4",
        cured=clothes(1),
    ),
    "d often digits": Patient(
        digits(2, lr_d=2e-3, g_every=8),
        "D too fast",
        changed="D learnt at every step with the rate 2e-3 in place of 5e-4, G at every 8th step",
        reason="D is right on nearly every image in the first half, and on 95 % at the end. G, which is asked seldom, "
        "draws clouds where digits should be.",
        cure="both learn at every step, with the rate 5e-4",
        cured=digits(2),
    ),
    "g slow clothes": Patient(
        clothes(2, lr_g=2e-5),
        "D too fast",
        changed="G's rate was lowered from 5e-4 to 2e-5; D's stayed",
        reason="D is right on nearly every image from the beginning, and G's loss is mostly above 3. At the end its "
        "clothes are no more than clouds.",
        cure="G's rate 5e-4",
        cured=clothes(2),
    ),
    "d fast hinge": Patient(
        digits(4, images=8_000, lr_d=2e-3, lr_g=1e-4, objective="hinge"),
        "D too fast",
        changed="D's rate was raised from 5e-4 to 2e-3, G's lowered to 1e-4",
        reason="D is right on 95 % of the images at the end, its hinge loss is 0.3, and G's digits remain shadows.",
        cure="both rates 5e-4",
        cured=digits(4, images=8_000, objective="hinge"),
    ),
    "g fast digits": Patient(
        digits(1, lr_g=2e-3, lr_d=1e-4),
        "G too fast",
        changed="G's rate was raised from 5e-4 to 2e-3, D's lowered to 1e-4",
        reason="D takes G's pictures for real more often than the real ones, and is right on 5 % at the end. G has no "
        "reason to draw digits: a pattern that D has not learnt yet will do.",
        cure="both rates 5e-4",
        cured=digits(1),
    ),
    "g fast clothes": Patient(
        clothes(1, lr_g=2e-3, lr_d=5e-5),
        "G too fast",
        changed="G's rate was raised from 5e-4 to 2e-3, D's lowered to 5e-5",
        reason="D gives G's pictures higher scores than the real ones from beginning to end. G's loss is small at "
        "once, and for that no clothes are needed: noise is enough.",
        cure="both rates 5e-4",
        cured=clothes(1),
    ),
    "g often digits": Patient(
        digits(2, d_every=8),
        "G too fast",
        changed="G learnt at every step, D at every 8th",
        reason="D gives G's pictures higher scores than the real ones and is right on a quarter of the images. Between "
        "two lessons of D there is time for G to find out what fools it, which is not a digit.",
        cure="both learn at every step",
        cured=digits(2),
    ),
    "d slow clothes": Patient(
        clothes(2, lr_d=2e-5),
        "G too fast",
        changed="D's rate was lowered from 5e-4 to 2e-5; G's stayed",
        reason="D says real to nearly everything, and to G's pictures even more than to clothes; it is right on half "
        "of the images only because half of them are real. G has won with noise.",
        cure="D's rate 5e-4",
        cured=clothes(2),
    ),
    "g often clothes": Patient(
        clothes(1, d_every=4, lr_g=2e-3),
        "G too fast",
        changed="G learnt at every step with four times the rate, D at every 4th step",
        reason="D gives G's pictures higher scores than the real ones and is right on 28 %. Its loss comes down "
        "towards 1.39, that of a D that knows nothing; it is no recovery, for the pictures are noise.",
        cure="both learn at every step, with the rate 5e-4",
        cured=clothes(1),
    ),
    "g a little fast": Patient(
        digits(3, images=8_000, lr_g=1e-3, lr_d=1e-4),
        "G too fast",
        changed="G's rate was raised from 5e-4 to 1e-3, D's lowered to 1e-4",
        reason="D gives G's pictures higher scores than the real ones and is right on a fifth of the images. Rates of "
        "ten to one are enough for that.",
        cure="both rates 5e-4",
        cured=digits(3, images=8_000),
    ),
    "helpful g": Patient(
        clothes(1, "helpful_g"),
        "a bug in the code",
        changed='G\'s loss used the label "fake" in place of "real"',
        reason="Both losses go to 0 together. They are opponents: where D wins, G's loss has to rise. This G helps D.",
        cure='the label "real" in G\'s loss',
        cured=clothes(1),
    ),
    "half range": Patient(
        digits(2, "half_range"),
        "a bug in the code",
        changed="the real images were left in [0, 1], where G's tanh makes [-1, 1]",
        reason="The log is a healthy one and the digits take shape, but the background never gets darker than grey: "
        "G imitates what D is shown, and D is shown nothing black.",
        cure="real images scaled to [-1, 1]",
        cured=digits(2),
    ),
    "still g": Patient(
        digits(3, "still_g"),
        "a bug in the code",
        changed="G's optimiser was given the parameters of something else",
        reason="The pictures do not change from the second look to the last. A G that is merely slow moves all the "
        "same, and with a loss of 9 it has every reason to.",
        cure="the optimiser has G's parameters",
        cured=digits(3),
    ),
    "on its side": Patient(
        clothes(2, "on_its_side"),
        "a bug in the code",
        changed="rows and columns of the real images were exchanged on loading",
        reason="The log is a healthy one and the pictures become clearer, but trousers and pullovers lie on their "
        "side. G imitates what it is shown.",
        cure="rows are rows",
        cured=clothes(2),
    ),
    "bare average": Patient(
        digits(3, "bare_average"),
        "a bug in the code",
        changed="the averaged G kept BatchNorm's first statistics (the museum's `bare_average`)",
        reason="The log is a healthy one: D is wrong on one image in five. No D could be fooled by empty grey squares: "
        "what it is shown cannot be what we are shown.",
        cure="the statistics are averaged, too",
        cured=digits(3),
    ),
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
        until, grids, spreads = plan.images // gan.batch, [], []
        torch.set_num_threads(1)
        step = plant(gan, plan.bug)
        for time in range(1, TIMES + 1):
            for _ in training.train(gan, images, until * time // TIMES, progress=False, step=step):
                pass
            pictures = gan.draw()
            spreads.append(spread(pictures) / real_spread)
            grids.append(pictures[: ward.ACROSS**2, 0])
        rows = {c: gan.history[c] for c in ("loss_d", "loss_g", "d_real", "d_fake", "images")}
        rows["right"] = (gan.history["right_real"] + gan.history["right_fake"]) / 2
        features, logits = judge.look(expert, made := sampling.sample(gan.average, SAMPLES, seed=plan.seed))
        measured = {
            "distance": metrics.frechet_distance(real_features, features),
            "kinds": torch.special.entr(judge.shares(expert, logits)).sum().exp().item(),
            "sure": logits.softmax(1).max(1).values.mean().item(),
            "spread": spread(made) / real_spread,
            "right": np.nanmean(rows["right"][-until // 5 :]).item(),
        }
        stretches = {c: np.array_split(values, min(CURVE, until // 4)) for c, values in rows.items()}
        return {
            **{c: np.array([mean(part) for part in stretches[c]]) for c in ward.COLUMNS},
            "images": np.array([part[-1] + gan.batch for part in stretches["images"]], dtype=int),
            "grids": torch.stack(grids).numpy(),
            "spread": np.array(spreads),
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
        "spread": rounded(kept["spread"]),
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
    evidence = {"date": date.today().isoformat(), "processor": devices.processor(), "versions": VERSIONS}
    content = {"evidence": evidence, "runs": runs, "cases": cases}
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    files.write_atomically(folder / "cases.json", text.encode() + b"\n")
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
    head = ("", "", "distance", "kinds", "sure", "spread", "right", "loss_d", "loss_g", "d_real", "d_fake")
    print(terminal.aligned([head, *rows]))
    if not given.cases:
        write(clinic)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("whole", type=Path, help="folder with MNIST/raw and FashionMNIST/raw")
    parser.add_argument("cases", nargs="*", metavar="CASE", help="some of them (default: all)")
    given = parser.parse_args()
    sys.exit(terminal.command("ward", lambda: main(given)))
