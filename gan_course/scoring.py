"""What generated pictures are worth: the numbers of `metrics` with intervals and floors, what is missing, and words.

Everything is measured in the features of the judge of the real set (`judge.load`), against as many real pictures that
the generator did not learn from. The floor is what real pictures get: as many of the training set in place of the
generated ones; of memorisation, where those would be copies, what unseen pictures get.

An interval says how the number would move with other pictures of the same generator (recall, coverage and the
classification accuracy score are averages over the real ones, and theirs: with other real ones). It knows nothing of
another training of the same recipe: for that, train more seeds.
"""

import math
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from gan_course import data, devices, files, judge, metrics, portraits, runs, sampling, terminal
from gan_course.data import ImageSet
from gan_course.errors import CourseError, whole

LEAST = 500  # pictures; fewer say nothing in 128 features
RARE = 1 / 4  # of the real share: what is seen more seldom is missing
CLEARLY = 0.8  # of the floor: below it a number is worth a word
ANY, POSITIVE, SHARE = (-math.inf, math.inf), (0.0, math.inf), (0.0, 1.0)
# What is measured: how a table calls it, and between which limits it lies.
NUMBERS = {
    "frechet_distance": ("Fréchet distance, judge {version}", POSITIVE),
    "frechet_at_infinity": ("  for endlessly many pictures", ANY),
    "kernel_distance": ("kernel distance, judge {version}", ANY),
    "inception_score": ("inception score, judge {version}", POSITIVE),
    "precision": ("precision", SHARE),
    "recall": ("recall", SHARE),
    "density": ("density", POSITIVE),
    "coverage": ("coverage", SHARE),
    "memorisation": ("memorisation", SHARE),
    "classification_accuracy": ("classification accuracy score", SHARE),
    "inception_distance": ("Fréchet distance, Inception (FID)", POSITIVE),
}


@dataclass(frozen=True)
class Measured:
    """A number, its 95 % bootstrap interval (None where there is none), and what real pictures get."""

    value: float
    low: float | None
    high: float | None
    floor: float


@dataclass(frozen=True)
class Score:
    """Everything about one set of generated pictures.

    Attributes:
        pictures: what was scored.
        against: the real set whose judge looked.
        sources: sentences: which training and which unseen pictures stood for it.
        n: how many generated, unseen and (for the floor) training pictures were compared.
        numbers: by the names in `NUMBERS`.
        shares: of each class or attribute, the share of the generated and of the unseen pictures it is seen in.
        version: of the judge.
    """

    pictures: str
    against: str
    sources: tuple[str, ...] = field(repr=False)
    n: int
    numbers: dict[str, Measured]
    shares: dict[str, tuple[float, float]] = field(repr=False)
    version: int = judge.VERSION

    @property
    def missing(self) -> list[str]:
        """What the judge sees less than a quarter as often among the generated as among the real."""
        return [name for name, (fake, real) in self.shares.items() if fake < RARE * real]

    @property
    def words(self) -> str:
        """What stands out, in one line."""
        precision, recall, repeats = (self.numbers[n] for n in ("precision", "recall", "memorisation"))
        found = [f"missing: {', '.join(self.missing)}"] if self.missing else []
        if repeats.low > 2 * repeats.floor:
            found.append(f"repeats training pictures ({repeats.value:.0%})")
        if precision.high < CLEARLY * precision.floor:
            found.append(f"{1 - precision.value:.0%} are near no real one (of real ones {1 - precision.floor:.0%})")
        if recall.high < CLEARLY * recall.floor:
            found.append(f"less varied than real ones (recall {recall.value:.2f}, of real ones {recall.floor:.2f})")
        return "; ".join(found) or "nothing stands out"

    def as_dict(self) -> dict:
        """All of it in plain values, for a card."""
        return {**asdict(self), "missing": self.missing, "words": self.words}

    def table(self) -> str:
        """The numbers under each other."""
        rows = [("", "value", "95 % interval", "floor")]
        for name, number in self.numbers.items():
            between = "" if number.low is None else f"{number.low:.4g} to {number.high:.4g}"
            title = NUMBERS[name][0].format(version=self.version)
            rows.append((title, f"{number.value:.4g}", between, f"{number.floor:.4g}"))
        return terminal.aligned(rows, numbers=True)

    def __str__(self) -> str:
        return "\n".join(
            [
                f"{self.pictures}: {self.n:,} pictures against {self.n:,} unseen ones of {self.against}; "
                f"floor: {self.n:,} training pictures",
                *self.sources,
                self.table(),
                self.words,
            ]
        )


def score(
    name: str | Path,
    against: str | None = None,
    n: int = 10_000,
    seed: int = 0,
    inception: bool = False,
    progress: bool = True,
) -> Score:
    """Score a run, or an archive of pictures.

    Args:
        name: a run's folder, a published run, or an .npz (see `read_npz`).
        against: `mnist`, `fashion-mnist` or `drawn-faces`; by default what the run was trained on.
        n: how many pictures; fewer where there are not as many generated, unseen or training pictures.
        seed: of the pictures drawn or chosen and of everything else random.
        inception: whether the published FID is measured, too; see `inception_distance`.

    Raises:
        CourseError: no such run, archive or judge; pictures that the judge cannot look at; fewer than `LEAST`.
    """
    n, seed = whole(n, "number of pictures", LEAST), whole(seed, "seed")
    expert = judge.load(against, devices.default()) if against else None
    fake, trained_on = pictures(name, n, seed)
    if not (against := against or trained_on):
        known = " or ".join(judge.shipped())
        raise CourseError(f"{name} does not say which real pictures it should resemble: against {known} works")
    expert = expert or judge.load(against, devices.default())
    judge.look(expert, fake[:1])  # tells whether it can, before real pictures are fetched or drawn
    train, unseen = real_pictures(against, fake.shape[-1], n, progress)
    return compare(fake, train, unseen, expert, name=str(name), n=n, seed=seed, inception=inception, progress=progress)


def compare(
    fake: Tensor,
    train: ImageSet,
    unseen: ImageSet,
    expert: judge.Judge,
    *,
    name: str = "generated",
    n: int | None = None,
    seed: int = 0,
    inception: bool = False,
    progress: bool = False,
) -> Score:
    """Score generated pictures, uint8 [N, C, H, W], against the real ones that a judge knows.

    Args:
        train, unseen: what the generator learned from, and what it did not.
        expert: from `judge.load`, or a judge of your own.
        n: at most how many are compared; by default as many as there are of each.

    Raises:
        CourseError: fewer than `LEAST`, or pictures that the judge cannot look at.
    """
    dice = torch.Generator().manual_seed(seed)
    n = min(len(fake), len(unseen), len(train), len(fake) if n is None else n)
    if n < LEAST:
        raise CourseError(f"{n} pictures to compare: at least {LEAST} work")
    fake, real, floor = fake[_some(fake, n, dice)], _part(unseen, n, dice), _part(train, n, dice)
    numbers = {}
    with terminal.bar(total=11, desc="scoring", unit=" steps", disable=not progress) as done:
        f, f_logits = judge.look(expert, fake)
        r, r_logits = judge.look(expert, real.images)
        t, t_logits = judge.look(expert, floor.images)
        everything = judge.look(expert, train.images)[0]
        done.update()

        def note(what: str, statistic: Callable, rows: Tensor, floor: float, repeats: int = 100) -> None:
            """Measure a statistic of rows, and resample them."""
            rows = rows.double()
            value = float(statistic(rows))
            spread = 1.96 * metrics.bootstrap(lambda some: statistic(rows[some]), len(rows), repeats, seed)
            least, most = NUMBERS[what][1]
            numbers[what] = Measured(value, max(value - spread, least), min(value + spread, most), floor)
            done.update()

        for of in (metrics.frechet_distance, metrics.frechet_at_infinity):
            note(of.__name__, lambda some, of=of: of(r, some), f, of(r, t), repeats=50)
        note("kernel_distance", torch.mean, metrics.kernel_terms(r, f), metrics.kernel_distance(r, t))
        if not expert.attributes:
            chances, of_floor = f_logits.softmax(1), t_logits.softmax(1)
            note("inception_score", metrics.inception_score, chances, metrics.inception_score(of_floor))
        for of in (metrics.precision, metrics.recall, metrics.density, metrics.coverage):
            note(of.__name__, torch.mean, of(r, f), of(r, t).double().mean().item())
        note("memorisation", torch.mean, metrics.memorisation(everything, r, f), 0.01)
        right, of_floor = (
            metrics.classification_accuracy_score(_labelled(images, logits, expert), real, seed=seed)
            for images, logits in ((fake, f_logits), (floor.images, t_logits))
        )
        note("classification_accuracy", torch.mean, right, of_floor.double().mean().item())
    if inception:
        fid, of_floor = (inception_distance(real.images, images) for images in (fake, floor.images))
        numbers["inception_distance"] = Measured(fid, None, None, of_floor)
    seen = zip(expert.names, judge.shares(expert, f_logits), judge.shares(expert, r_logits), strict=True)
    shares = {what: (a.item(), b.item()) for what, a, b in seen}
    return Score(name, unseen.name, (train.source, unseen.source), n, numbers, shares)


def _some(of: Tensor | ImageSet, n: int, dice: torch.Generator) -> Tensor:
    return torch.randperm(len(of), generator=dice)[:n]


def _part(of: ImageSet, n: int, dice: torch.Generator) -> ImageSet:
    """n pictures of a set, chosen at random."""
    rows = _some(of, n, dice)
    attributes = None if of.attributes is None else of.attributes[rows]
    return replace(of, images=of.images[rows], labels=of.labels[rows], attributes=attributes)


def _labelled(images: Tensor, logits: Tensor, expert: judge.Judge) -> ImageSet:
    """Pictures with what a judge sees in them taken for the truth."""
    attributes = logits > 0 if expert.attributes else None
    return ImageSet("seen", "train", images, logits.argmax(1), expert.names, "", expert.names, attributes)


# --- the pictures ------------------------------------------------------------------------------------


def pictures(name: str | Path, n: int, seed: int = 0) -> tuple[Tensor, str | None]:
    """Generated pictures, uint8 [N, C, H, W], and the set that their generator learned from, where that is known.

    Args:
        name: a run's folder or a published run, which draws n; or an .npz, which may hold more or fewer.
    """
    if str(name).endswith(".npz"):
        return read_npz(name), None
    run = runs.find(name)
    return sampling.sample(run.generator(devices.default()), n, seed), run.card["data"]["name"]


def real_pictures(
    name: str, size: int, n: int, progress: bool = True, path: str | Path | None = None
) -> tuple[ImageSet, ImageSet]:
    """The training pictures of a set and n unseen ones or as many as there are.

    Args:
        path: the folder that holds the set; by default wherever `data.load` finds it.
        size: pixels a side, of drawn faces, which are drawn at 32 to 128: those that generators of the course are
            trained on, and others.
    """
    if name != portraits.NAME:
        return tuple(data.load(name, split=split, path=path, progress=progress) for split in data.SPLITS)
    size = max(32, min(size, 128))
    train = portraits.draw(portraits.DRAWN, size, progress=progress)
    return train, portraits.draw(n, size, seed=1, progress=progress)


def read_npz(path: str | Path) -> Tensor:
    """Pictures from a NumPy archive, uint8 [N, C, H, W].

    It holds one array, or one of the name `images`: [N, C, H, W] with 1 or 3 channels, or [N, H, W]; uint8, or floats
    from -1 to 1, or from 0 to 1 where none is negative.

    Raises:
        CourseError: no such archive, or other content.
    """
    path = files.user_path(path, "archive of pictures")
    try:
        with np.load(path, allow_pickle=False) as archive:
            names = list(archive)
            if "images" not in names and len(names) != 1:
                raise CourseError(f"{path} holds {', '.join(names) or 'nothing'}: one array `images` works")
            found = archive["images" if "images" in names else names[0]]
    except (FileNotFoundError, NotADirectoryError):
        raise CourseError(f"there is no {path}: `python -m gan_course sample` makes such an archive") from None
    except (OSError, ValueError, EOFError, TypeError, AttributeError, zipfile.BadZipFile, zlib.error) as error:
        if isinstance(error, CourseError):
            raise
        raise CourseError(f"{path} is no archive of pictures ({error}): np.savez(path, images=...) makes one") from None
    images = torch.from_numpy(found[:, None] if found.ndim == 3 else found) if found.dtype.kind in "uf" else None
    if images is None or images.ndim != 4 or images.shape[1] not in (1, 3) or 0 in images.shape:
        raise CourseError(
            f"{path} holds {found.dtype} {list(found.shape)}: pictures are uint8 or floats, [N, C, H, W] with 1 or 3 "
            "channels, or [N, H, W]"
        )
    if images.dtype == torch.uint8:
        return images
    low, high = images.min().item(), images.max().item()
    if not images.is_floating_point() or not (low >= -1.001 and high <= 1.001):  # nor is NaN
        raise CourseError(f"{path} holds {found.dtype} from {low:g} to {high:g}: uint8, or floats from -1 to 1, work")
    return data.to_uint8(images if low < 0 else images * 2 - 1)


def inception_distance(real: Tensor, fake: Tensor) -> float:
    """The Fréchet distance in Inception's features that papers call FID (Heusel et al. 2017), by torchmetrics.

    The network knows photographs in colour of 299 pixels; grey and small pictures are repeated and enlarged for it.

    Args:
        real, fake: uint8 [N, 1 or 3, H, W].

    Raises:
        CourseError: torchmetrics or torch-fidelity is not installed, or Inception's weights are not to be had.
    """
    try:
        from torchmetrics.image.fid import FrechetInceptionDistance

        fid = FrechetInceptionDistance().to(devices.default())
    except ModuleNotFoundError:
        raise CourseError(
            "FID in Inception's features needs two more packages: pip install torchmetrics torch-fidelity"
        ) from None
    except OSError as error:
        raise CourseError(
            f"Inception's weights (91 MB) could not be downloaded ({error}): try where there is a network; everything "
            "else is measured without"
        ) from None
    for images, are_real in ((real, True), (fake, False)):
        for part in images.split(100):
            fid.update(part.expand(-1, 3, -1, -1).to(fid.device), real=are_real)
    return fid.compute().item()
