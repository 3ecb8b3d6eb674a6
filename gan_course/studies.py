"""Studies: one comparison over several seeds, kept as one line of JSON a run, so that a sentence can rest on it.

A study's file holds the runs that ended. `run` trains those that it lacks; `summary` prints medians, ranges, and
differences to the first arm seed by seed. The files that lessons read lie in `assets/studies/`.
"""

import json
import multiprocessing
import os
import signal
import threading
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from gan_course import devices, files, judge, metrics, museum, runs, sampling, terminal, training
from gan_course.data import ImageSet
from gan_course.errors import CourseError, whole
from gan_course.gan import GAN
from gan_course.history import COLUMNS, MEASURED, History
from gan_course.images import stacked
from gan_course.recipes import Recipe
from gan_course.study_table import STUDIES, Study

SAMPLES = 5_000  # generated pictures a run is measured by
STACKS = 26_000  # of stacked digits, as the papers take
NEIGHBOURS = 2_000  # pictures a side whose neighbourhoods are compared
CURVE = 40  # points kept of each column of telemetry
RARE = 1 / 4  # of its share among real pictures: a class that is seen more seldom is missing
# Student's t, 97.5 %, by the number of seeds; for a number between two of them the smaller one's, which promises less.
QUANTILES = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776, 6: 2.571, 7: 2.447, 8: 2.365, 9: 2.306, 10: 2.262, 20: 2.093}
ENDLESS = 10**9  # steps, where seconds end the run


@dataclass(frozen=True)
class Result:
    """One run of a study, one line of its file.

    Attributes:
        study, arm, seed: which run.
        recipe: what was trained, complete.
        measured: name -> number, see `measure`; of a run that diverged, nothing but `diverged`.
        curve: column of telemetry -> its means over up to 40 equal stretches; None where nothing was measured.
        evidence: date, processor, versions, data, images seen, seconds of computing.
    """

    study: str
    arm: str
    seed: int
    recipe: dict
    measured: dict[str, float]
    curve: dict[str, list]
    evidence: dict


def get(name: str) -> Study:
    """The study of that name.

    Raises:
        CourseError: there is no such study.
    """
    if name not in STUDIES:
        raise CourseError(f"unknown study {name!r}: there are {', '.join(STUDIES)}")
    return STUDIES[name]


def published(study: Study) -> Path:
    """The study's file among the course's assets, whether it is there or not."""
    return files.assets_dir() / "studies" / f"{study.key}.jsonl"


def run(
    study: Study,
    path: str | Path,
    train_set: ImageSet,
    test_set: ImageSet,
    *,
    seeds: int = 5,
    workers: int = 1,
    progress: bool = True,
) -> list[Result]:
    """Train the runs of a study that its file lacks, and append a line for each as it ends.

    Interrupted, it keeps what has ended. A run computes with one thread, so that several at once disturb each other
    little and their bits do not depend on how many there are.

    Args:
        path: the study's file; made where there is none.
        train_set, test_set: what G learns from, and what it is measured against.
        seeds: each arm is trained from the seeds 0 to seeds - 1.
        workers: runs at the same time, each in a process of its own.

    Raises:
        CourseError: the file cannot be read or written, or holds runs of another recipe or on other data.
    """
    path, seeds, workers = files.user_path(path, "study's file"), whole(seeds, "seeds", 1), whole(workers, "workers", 1)
    data = {"name": train_set.name, "images": len(train_set), "measured_against": len(test_set)}
    done = read(study, path)
    for result in done:
        if (there := result.evidence["data"]) != data:
            raise CourseError(f"the runs in {path} are of the data {there}, not {data}: use the same, or another file")
    ended = {(result.arm, result.seed) for result in done}
    jobs = [(arm, seed) for seed in range(seeds) for arm in study.arms if (arm, seed) not in ended]
    if not jobs:
        return done
    shared = study, train_set, test_set, data
    processes = ProcessPoolExecutor(
        min(workers, len(jobs)), multiprocessing.get_context("spawn"), initializer=_begin, initargs=shared
    )
    bar = terminal.bar(total=len(jobs), desc=study.key, unit=" runs", disable=not progress, mininterval=0.5)
    with processes, bar:
        try:
            for job in as_completed([processes.submit(_one, arm, seed) for arm, seed in jobs]):
                _append(path, result := job.result())
                done.append(result)
                bar.update()
        except BaseException:
            for child in multiprocessing.active_children():
                child.terminate()  # what ended is kept; nobody waits for the rest
            raise
    return done


def read(study: Study, path: str | Path) -> list[Result]:
    """The runs that a study's file holds, in its order; none where there is no file.

    A last line that was cut off while it was written is left out, with a word.

    Raises:
        CourseError: a line is damaged, of another study, or of a recipe that the study no longer has.
    """
    path = files.user_path(path, "study's file")
    try:
        *lines, rest = path.read_text(encoding="utf-8").split("\n")
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        raise CourseError(f"the study's file {path} cannot be read ({error}): name another one") from None
    if rest:
        terminal.say(f"the last line of {path} was cut off while it was written: that run is made again")
    return [_parse(study, line, f"line {number} of {path}") for number, line in enumerate(lines, 1)]


def _parse(study: Study, line: str, where: str) -> Result:
    try:
        result = Result(**json.loads(line))
        recipe = Recipe.from_dict(result.recipe)
    except (ValueError, TypeError, CourseError) as error:
        raise CourseError(f"{where} is damaged ({error}): remove that line") from None
    if result.study != study.key or result.arm not in study.arms:
        raise CourseError(f"{where} is of {result.study!r}, arm {result.arm!r}, which {study.key!r} lacks: remove it")
    now = study.recipe_of(result.arm).but(precision=recipe.precision)  # `auto` is settled on a device
    pairs = zip(recipe.as_dict().items(), now.as_dict().values(), strict=True)
    for name, was, is_now in ((name, a, b) for (name, a), b in pairs if a != b):
        raise CourseError(
            f"{where} was trained with {name} {was!r}, where the study has {is_now!r} now: take another file"
        )
    return replace(result, recipe=recipe.as_dict())


def _append(path: Path, result: Result) -> None:
    """One line more, all of it or nothing; what was cut off before goes."""
    whole_lines = path.read_bytes().rpartition(b"\n") if path.exists() else (b"", b"", b"")
    line = json.dumps(asdict(result)).encode()
    files.write_atomically(path, b"".join(whole_lines[:2]) + line + b"\n")


# --- one run ---------------------------------------------------------------------------------------

_shared: tuple = ()  # of a worker: what `_begin` was given


def _begin(*shared) -> None:
    global _shared
    _shared = shared
    torch.set_num_threads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    threading.Thread(target=_leave_with_parent, daemon=True).start()


def _leave_with_parent() -> None:
    """End this worker when its parent was killed: nobody would keep what it trains."""
    multiprocessing.parent_process().join()
    os._exit(1)


def _one(arm: str, seed: int) -> Result:
    """Train and measure one run, in a worker."""
    study, train_set, test_set, data = _shared
    gan, began = GAN(study.recipe_of(arm), seed), time.process_time()
    step = museum.get(study.bugs[arm]).found(gan) if arm in study.bugs else None
    until = study.images // gan.batch if study.images else ENDLESS
    over = (lambda: time.process_time() - began >= study.seconds) if study.seconds else (lambda: False)
    try:
        some = slice(study.of or None)
        images, labels = train_set.images[some], train_set.labels[some]
        for _ in training.train(gan, images, until, labels=labels, progress=False, stop=over, step=step):
            pass
        seconds = time.process_time() - began
        measured = {"diverged": 0.0, **measure(gan, test_set)}
        if study.of:
            measured["memorised"] = memorised(gan, images, test_set)
    except training.Diverged:
        seconds, measured = time.process_time() - began, {"diverged": 1.0}
    evidence = {
        "date": date.today().isoformat(),
        "processor": devices.processor(),
        "versions": runs.VERSIONS,
        "data": data,
        "images": gan.images,
        "seconds": round(seconds, 1),
    }
    return Result(study.key, arm, seed, gan.recipe.as_dict(), measured, thinned(gan), evidence)


def measure(gan: GAN, test_set: ImageSet) -> dict[str, float]:
    """A run in numbers: its pictures in the features of the set's judge, and its telemetry's last tenth.

    distance: Fréchet distance of 5,000 pictures of the average G to the test pictures. precision, recall: of 2,000 of
    each. missing: classes, or attributes, seen in less than a quarter of their real share. sharpness: over that of the
    test pictures. variety: see `metrics.variety`. aligned, where G is asked for classes: the share of its pictures that
    the judge calls by the class asked for. right: share of all images on which D is right; the others: means of
    the columns of telemetry. Of stacked digits: see `stacks`.
    """
    last = gan.history.rows[-max(1, len(gan.history) // 10) :]
    means = {column: _mean(last[:, i]) for i, column in enumerate(COLUMNS) if column in MEASURED}
    telemetry = {
        "right": (means["right_real"] + means["right_fake"]) / 2,
        **{column: mean for column, mean in means.items() if mean is not None},
    }
    if test_set.name == stacked.NAME:
        return {**stacks(sampling.sample(gan.average, STACKS, seed=gan.seed)), **telemetry}
    expert, asked = judge.load(test_set.name), None
    if classes := gan.recipe.classes:
        asked = torch.arange(SAMPLES) % classes
    images = sampling.sample(gan.average, SAMPLES, seed=gan.seed, labels=asked)
    real, seen = judge.look(expert, test_set.images)
    fake, named = judge.look(expert, images)
    expected, shares = (judge.shares(expert, logits) for logits in (seen, named))
    return {
        "distance": metrics.frechet_distance(real, fake),
        "precision": metrics.precision(real[:NEIGHBOURS], fake[:NEIGHBOURS]).mean().item(),
        "recall": metrics.recall(real[:NEIGHBOURS], fake[:NEIGHBOURS]).mean().item(),
        "sharpness": (sharpness(images) / sharpness(test_set.images)).item(),
        "missing": float((shares < RARE * expected).sum()),
        "variety": metrics.variety(images),
        **({"aligned": (named.argmax(1) == asked).float().mean().item()} if classes else {}),
        **telemetry,
    }


def stacks(images: Tensor) -> dict[str, float]:
    """Of stacked digits, uint8 [N, 3, H, W]: how many of the 1,000 numbers the judge of digits reads in them (`modes`),
    and how far their shares are from equal ones (`kl`, nats).
    """
    expert = judge.load("mnist")
    digits = torch.stack([judge.look(expert, channel)[1].argmax(1) for channel in images.split(1, 1)], 1)
    found, kl = metrics.modes(digits @ torch.tensor([100, 10, 1]), 1000)
    return {"modes": float(found), "kl": kl}


def memorised(gan: GAN, images: Tensor, test_set: ImageSet) -> float:
    """The share of a run's pictures that repeat one of its training images, by `metrics.memorisation`."""
    expert, made = judge.load(test_set.name), sampling.sample(gan.average, SAMPLES, seed=gan.seed)
    train, unseen, fake = (judge.look(expert, some)[0] for some in (images, test_set.images, made))
    return metrics.memorisation(train, unseen, fake).mean().item()


def sharpness(images: Tensor) -> Tensor:
    """The mean difference between neighbouring pixels, in grey levels, of pictures uint8 [N, C, H, W]; a number.

    Blur lowers it. Edges raise it, and so does speckle: it says "sharp" of noise.
    """
    x = images.float()
    return (x.diff(dim=2).abs().mean() + x.diff(dim=3).abs().mean()) / 2


def thinned(gan: GAN) -> dict[str, list]:
    """Telemetry as means over up to 40 equal stretches of the run, to four digits."""
    rows = gan.history.rows
    stretches = np.array_split(rows, min(CURVE, max(1, len(rows))))
    return {
        column: [_mean(stretch[:, i]) for stretch in stretches]
        for i, column in enumerate(COLUMNS)
        if column != "step"
    }


def history(result: Result) -> History:
    """A run's telemetry as its line keeps it, thinned."""
    batch = result.recipe["batch"]
    columns = {**result.curve, "step": [images / batch for images in result.curve["images"]]}
    return History(np.array([columns[name] for name in COLUMNS], dtype=float).T)


def _mean(values: np.ndarray) -> float | None:
    there = values[np.isfinite(values)]
    return float(f"{there.mean():.4g}") if len(there) else None


# --- what they say ---------------------------------------------------------------------------------


def by_arm(results: list[Result], name: str) -> dict[str, dict[int, float]]:
    """arm -> seed -> the number of that name, where it was measured."""
    table: dict[str, dict[int, float]] = {}
    for result in results:
        if name in result.measured:
            table.setdefault(result.arm, {})[result.seed] = result.measured[name]
    return table


def difference(one: dict[int, float], other: dict[int, float]) -> tuple[float, float, float]:
    """Mean of one - other over the seeds that both have, with its 95 % interval: (mean, low, high).

    Differences are taken seed by seed; the interval is Student's (1908). A bootstrap of so few promises too much: of
    five normal differences around 0 it leaves 0 out about once in seven times, of three once in four.

    Raises:
        CourseError: they have fewer than two seeds in common.
    """
    seeds = sorted(set(one) & set(other))
    if len(seeds) < 2:
        raise CourseError(f"a difference over {len(seeds)} common seeds says nothing: train at least 2")
    differences = np.array([one[seed] - other[seed] for seed in seeds])
    t = QUANTILES[max(n for n in QUANTILES if n <= len(seeds))]
    mean, half = differences.mean().item(), (t * differences.std(ddof=1) / len(seeds) ** 0.5).item()
    return mean, mean - half, mean + half


def summary(study: Study, results: list[Result], name: str = "distance") -> str:
    """A number by arm: seeds, median, range, and the difference to the first arm with its interval."""
    table = by_arm(results, name)
    first = next(iter(study.arms))
    other = first if len(first) < 12 else "the first"
    rows = [(f"{name} by arm", "seeds", "median", "from", "to", f"minus {other}", "95 % interval")]
    for arm in study.arms:
        numbers, spread, paired = table.get(arm, {}), ("–",) * 3, ("", "")
        if values := list(numbers.values()):
            spread = tuple(f"{value:.4g}" for value in (np.median(values), min(values), max(values)))
        if arm != first and len(numbers.keys() & table.get(first, {}).keys()) > 1:
            mean, low, high = difference(numbers, table[first])
            paired = f"{mean:+.3g}", f"{low:+.3g} to {high:+.3g}"
        rows.append((arm, str(len(values)), *spread, *paired))
    return terminal.aligned(rows, numbers=True)
