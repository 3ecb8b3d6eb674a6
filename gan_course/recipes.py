"""The table of experiments: which networks, on which images, with which objective, rates and schedule."""

import math
from dataclasses import asdict, dataclass, fields, replace
from typing import get_args

import torch

from gan_course import augment, losses, networks, stabilisers
from gan_course.errors import CourseError
from gan_course.profiles import Profile
from gan_course.terminal import aligned

PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


@dataclass(frozen=True)
class Recipe:
    """One experiment, complete: the same recipe, seed and data give the same run, on one kind of processor with one
    number of threads to the bit (`threads.Threads` says when that number changes).

    Attributes:
        key: its name in the table.
        network: family in `networks.FAMILIES`.
        data: name of the image set.
        channels, size: of the images; pixels.
        objective: name in `losses.OBJECTIVES`.
        batch: images in a mini-batch, at least 2, because BatchNorm needs a spread.
        lr_g, lr_d: Adam's learning rates.
        betas: Adam's moment decays, for both networks.
        epochs: passes over the training set in the source's own run.
        init: scheme in `networks.SCHEMES`.
        real_label, fake_label: D's targets; 0.9 and 0.1 smooth the labels.
        g_every: D's steps for one of G. d_every: G's steps for one of D.
        g_rests: (first, end) of the steps in which G is frozen and D alone trains.
        fresh_noise: G's step draws new latents instead of reusing the images D has just judged.
        image_noise: standard deviation of Gaussian noise on every image that D sees, real and generated alike (Sønderby
            et al. 2016, arXiv:1610.04490).
        augment: changes of every image that D sees, real and generated alike, in `augment.CHANGES` with commas between;
            a penalty is on the slope at images as they are.
        d_norm: what stands where the family's D has BatchNorm, in `stabilisers.NORMS`.
        minibatch_std: D also sees how much the images of a batch differ (Karras et al. 2018).
        penalty: on D's slope, name in `losses.PENALTIES`, or `none`.
        penalty_weight: its factor: lambda (10 in the paper) of `gradient`, gamma of `r1` and `r2`.
        penalty_every: steps between two of it; it counts that many times, so that its strength stays.
        latent_dim: random numbers in a latent vector z.
        classes: of the data, which G can be asked for, one-hot behind z; 0: it is not asked.
        told: how D is told the class, a key of `networks.TOLD`.
        width: factor on the hidden channels. d_width: a further one on D's.
        draw_every: steps between two drawings of the fixed latents.
        average_half_life: of G's moving average, in images.
        precision: `float32`, or the type the layers compute in where that is safe (mixed precision), `bfloat16` or
            `float16`; `auto` measures on the device whether a short type pays.
    """

    key: str
    network: str
    data: str
    channels: int = 1
    size: int = 28
    objective: str = "non-saturating"
    batch: int = 64
    lr_g: float = 2e-4
    lr_d: float = 2e-4
    betas: tuple[float, float] = (0.5, 0.999)
    epochs: int = 50
    init: str = "dcgan"
    real_label: float = 1.0
    fake_label: float = 0.0
    g_every: int = 1
    d_every: int = 1
    g_rests: tuple[int, int] = (0, 0)
    fresh_noise: bool = False
    image_noise: float = 0.0
    augment: str = "none"
    d_norm: str = "batch"
    minibatch_std: bool = False
    penalty: str = "none"
    penalty_weight: float = 1.0
    penalty_every: int = 1
    latent_dim: int = networks.LATENT_DIM
    classes: int = 0
    told: str = "projection"
    width: float = 1.0
    d_width: float = 1.0
    draw_every: int = 500
    average_half_life: int = 10_000
    precision: str = "float32"

    def __post_init__(self):
        for f in fields(self):
            value = _plain(getattr(self, f.name))
            if not _is(value, f.type):
                raise CourseError(f"{f.name} {value!r}: it takes {KINDS[f.type]}")
            object.__setattr__(self, f.name, value)
        objective = losses.get(self.objective)
        stabilisers.check_norm(self.d_norm)
        augment.check(self.augment)
        if self.penalty not in ("none", *losses.PENALTIES):
            raise CourseError(f"unknown penalty {self.penalty!r}: there are none, {', '.join(losses.PENALTIES)}")
        for width in (self.width, self.width * self.d_width):
            networks.check(self.network, self.channels, self.size, self.latent_dim, width)
        networks.check_scheme(self.init)
        if self.told not in networks.TOLD:
            raise CourseError(f"told {self.told!r}: D is told the class by one of {', '.join(networks.TOLD)}")
        if self.classes < 0 or self.classes == 1:
            raise CourseError(f"classes {self.classes}: 0 (none is asked for), or 2 and more")
        if self.classes and objective.on_features:
            raise CourseError(f"objective {self.objective!r} asks D for features, which know no class: take another")
        if self.precision not in (*PRECISIONS, "auto"):
            raise CourseError(f"unknown precision {self.precision!r}: there are {', '.join(PRECISIONS)} and auto")
        if self.batch < 2:
            raise CourseError(f"batch {self.batch}: BatchNorm needs at least 2 images, 64 or 128 work well")
        if self.lr_g < 0 or self.lr_d < 0:
            raise CourseError(
                f"learning rates {self.lr_g} and {self.lr_d}: they cannot be negative, 2e-4 works"
            )
        if not all(0 <= beta < 1 for beta in self.betas):
            raise CourseError(f"betas {self.betas}: both lie in [0, 1), (0.5, 0.999) works")
        if not (0 <= self.fake_label < self.real_label <= 1):
            raise CourseError(
                f"labels {self.real_label} (real) and {self.fake_label} (fake): 0 ≤ fake < real ≤ 1, try 0.9 and 0.1"
            )
        if not objective.smooths and (self.real_label, self.fake_label) != (1, 0):
            raise CourseError(f"objective {self.objective!r} has no labels to smooth: leave them at 1 and 0")
        for name in ("image_noise", "penalty_weight"):
            if getattr(self, name) < 0:
                raise CourseError(f"{name} {getattr(self, name)}: it cannot be negative, 0 switches it off")
        if not 0 <= self.g_rests[0] <= self.g_rests[1]:
            raise CourseError(f"g_rests {self.g_rests}: (first, end) of some steps, such as (500, 1000)")
        if self.g_every > 1 and self.d_every > 1:
            raise CourseError(f"g_every {self.g_every} and d_every {self.d_every}: leave one of them at 1")
        for name in ("epochs", "g_every", "d_every", "draw_every", "average_half_life", "penalty_every"):
            if getattr(self, name) < 1:
                raise CourseError(f"{name} {getattr(self, name)}: at least 1 works")

    def but(self, **changes) -> "Recipe":
        """This recipe with some fields changed.

        Raises:
            CourseError: no such field, or a value that cannot work.
        """
        known = [f.name for f in fields(self)]
        for name in changes:
            if name not in known:
                raise CourseError(f"a recipe has no field {name!r}: there are {', '.join(known)}")
        return replace(self, **changes)

    def at(self, profile: Profile) -> "Recipe":
        """This recipe at a profile's width."""
        return self if profile.width == 1.0 else self.but(width=self.width * profile.width)

    def build(self) -> tuple[networks.Generator, networks.Discriminator]:
        """Its two networks, before initialisation."""
        G, D = (
            networks.build(
                self.network,
                channels=self.channels,
                size=self.size,
                latent_dim=self.latent_dim,
                width=width,
                classes=self.classes,
                told=self.told,
            )[which]
            for which, width in enumerate((self.width, self.width * self.d_width))
        )
        if self.minibatch_std:
            stabilisers.add_minibatch_std(D)
        stabilisers.renormalise(D, self.d_norm)
        return G, D

    def g_moves(self, step):
        """Whether G learns at a step, counted from 0; for an array of steps, an array."""
        first, end = self.g_rests
        return (step % self.g_every == 0) & ((step < first) | (step >= end))

    def d_moves(self, step):
        """Whether D learns at a step, likewise."""
        return step % self.d_every == 0

    def as_dict(self) -> dict:
        """Plain values that JSON can hold; `from_dict` is the way back."""
        return asdict(self)

    @staticmethod
    def from_dict(values: dict) -> "Recipe":
        """The recipe whose `as_dict` this is.

        Raises:
            CourseError: a field is missing, unknown or of a value that cannot work.
        """
        try:
            return Recipe(**values)
        except (KeyError, TypeError) as error:
            raise CourseError(f"no recipe of this version of the course ({error})") from None


KINDS = {
    str: "a text",
    bool: "True or False",
    int: "a whole number",
    float: "a finite number",
    tuple[float, float]: "a pair of finite numbers, such as (0.5, 0.999)",
    tuple[int, int]: "a pair of whole numbers, such as (0, 1000)",
}


def _plain(value):
    """Numbers of NumPy or of a tensor as Python's own, lists and arrays as tuples."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    return tuple(map(_plain, value)) if isinstance(value, (list, tuple)) else value


def _is(value, kind) -> bool:
    """Whether a value is of one of the `KINDS`; NaN and infinity are no numbers to train with."""
    if kinds := get_args(kind):
        return isinstance(value, tuple) and len(value) == len(kinds) and all(map(_is, value, kinds))
    if kind is float:
        return _is(value, int) or (isinstance(value, float) and math.isfinite(value))
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))


REPORT = {"real_label": 0.9, "fake_label": 0.1, "g_every": 2, "fresh_noise": True, "epochs": 50}
# Tried on clothes, 140 to 150 s of one core, Fréchet distance in a judge's features: three seeds as here 47 to 57, two
# with Dropout in D 90 and 94; one seed each, a rate of 2e-4 for D 65, in place of BatchNorm in D spectral norm 134 and
# a gradient penalty (R1) 104.
QUICK = {"width": 0.25, "batch": 32, "lr_g": 5e-4, "lr_d": 5e-4}
FACES = {"data": "faces", "channels": 3, "batch": 128, "epochs": 5}

RECIPES = {
    recipe.key: recipe
    for recipe in (
        # FashionMNIST report, appendix A.1 and table 1.
        Recipe("mlp-fashion", "mlp", "fashion-mnist", init="xavier", **REPORT),
        # The same report, A.2, with the printed shape error mended. A.3, the "improved" one, is an alias: as printed
        # it differs in nothing but its name, so no lesson trains it.
        Recipe("dcgan-fashion", "dcgan-fashion", "fashion-mnist", **REPORT),
        Recipe("convgan-fashion", "convgan-fashion", "fashion-mnist", **REPORT),
        # MNIST notes: least squares, batches of 4, a very slow D.
        Recipe(
            "dcgan-mnist",
            "dcgan-mnist",
            "mnist",
            objective="least-squares",
            batch=4,
            lr_g=1e-4,
            lr_d=1e-5,
            betas=(0.9, 0.999),
            epochs=20,
            init="pytorch",
        ),
        # The DCGAN tutorial's protocol on faces, and its two larger relatives.
        Recipe("dcgan-faces-64", "dcgan-faces", size=64, **FACES),
        Recipe("dcgan-faces-96", "dcgan-faces", size=96, init="dcgan-96", **FACES),
        Recipe("dcgan-faces-128", "dcgan-faces", size=128, real_label=0.9, fake_label=0.1, **FACES),
        # The course's own, found by experiment; digits in about a minute on two cores (lesson 00).
        Recipe("quick-digits", "dcgan-quick", "mnist", epochs=10, **QUICK),
        Recipe("quick-clothes", "dcgan-quick", "fashion-mnist", epochs=20, **QUICK),
        # The same, asked for a class (lesson 08).
        Recipe("conditional-digits", "dcgan-quick", "mnist", epochs=10, classes=10, **QUICK),
        Recipe("conditional-clothes", "dcgan-quick", "fashion-mnist", epochs=20, classes=10, **QUICK),
        # Tried on drawn faces, 150 s of a core, three seeds (study quick-faces): half the rate for D, and minibatch
        # deviation with it, change the Fréchet distance by -1.3 [-11, +9] and -1.2 [-7, +4]: nothing to be told. In the
        # end D wins. One seed, with both: 6.6 after 325,000 images, 10.4 after 802,000; as here 7.1 after 163,000 and
        # 10.7 after 400,000.
        Recipe(
            "quick-faces",
            "dcgan-faces",
            "faces",
            channels=3,
            size=64,
            epochs=20,
            average_half_life=20_000,
            **{**QUICK, "lr_g": 4e-4, "lr_d": 4e-4},
        ),
        # Tried on drawn faces, 100 s of a core, one seed each, before the mapping was slow, by Fréchet distance:
        # as here 23.5; rates 1e-3 and 5e-4 36.8, with a tenth of the penalty and 1e-3 both 39.7; layer norm in D 1,737.
        Recipe(
            "style-faces",
            "style",
            "faces",
            channels=3,
            size=64,
            batch=32,
            lr_g=5e-4,
            lr_d=3e-4,
            betas=(0.0, 0.99),
            epochs=20,
            init="he",
            d_norm="none",
            minibatch_std=True,
            penalty="r1",
            penalty_weight=0.1,
            penalty_every=8,
            width=0.5,
            draw_every=250,
            average_half_life=20_000,
        ),
    )
}


def get(key: str) -> Recipe:
    """The recipe of that name.

    Raises:
        CourseError: there is no such recipe.
    """
    if key not in RECIPES:
        raise CourseError(f"unknown recipe {key!r}: there are {', '.join(RECIPES)}")
    return RECIPES[key]


def table() -> str:
    """The recipes as an aligned text table with the parameter counts of G and D."""
    rows = [
        ("recipe", "data", "px", "objective", "batch", "lr G / D", "labels", "epochs", "G params", "D params")
    ]
    for r in RECIPES.values():
        with torch.device("meta"):  # shapes without numbers: nothing is allocated
            G, D = r.build()
        rows.append(
            (
                r.key,
                r.data,
                f"{r.channels}×{r.size}×{r.size}",
                r.objective,
                str(r.batch),
                f"{r.lr_g:g} / {r.lr_d:g}",
                f"{r.real_label:g} / {r.fake_label:g}",
                str(r.epochs),
                f"{networks.count_parameters(G):,}",
                f"{networks.count_parameters(D):,}",
            )
        )
    return aligned(rows)
