"""How fast the course's loop is, beside the loop that everybody writes first (`ladder`).

    python notebooks/tools/bench.py                               the three recipes of the README's table
    python notebooks/tools/bench.py mlp-fashion --ladder          the way from one loop to the other
    python notebooks/tools/bench.py mlp-fashion --ladder --keep   kept in assets/benchmarks.json
    python notebooks/tools/bench.py --race                        the time to the same quality (`race`)

All loops run in one process, turn by turn; what is told are medians and the spread of the ratios.
"""

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from datetime import date
from itertools import cycle, islice
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.data import Dataset
from torch.utils.flop_counter import FlopCounterMode

import front_page
import ladder
import race
from gan_course import data, devices, files, profiles, recipes, runs, training
from gan_course.errors import CourseError
from gan_course.gan import GAN
from gan_course.recipes import Recipe
from gan_course.terminal import aligned, bar, command

PACKAGE, ALONE = "the package", "its step alone"
# Processes that load pictures for the textbook loop on a GPU, as in the DCGAN tutorial. On a CPU they would share
# its cores with whatever runs after them, so there the loop reads its pictures itself, in its own turn.
WORKERS = 2
BUSY = 0.85  # of the cores' time; a process that multiplies large matrices and gets less shares them with others
SIDE = 2048  # of the square matrices whose products are measured on a CPU; four times that on a GPU

Contender = tuple[Recipe, str | frozenset[str]]  # a recipe, trained by PACKAGE, ALONE or a rung of the ladder


def contenders(recipe: Recipe, every_rung: bool = False, precision: str | None = None) -> dict[str, Contender]:
    """Who runs against whom: the textbook loop, all rungs above it if asked for, the package's loop.

    Beside the package's loop runs its step alone, on batches made beforehand: the difference is what data,
    telemetry and progress cost. A recipe in batches of less than 32 also runs in batches of 128, both ways.
    """
    rungs = ladder.rungs(recipe) if every_rung else {ladder.TEXTBOOK: frozenset()}
    found: dict[str, Contender] = {name: (recipe, changes) for name, changes in rungs.items()}
    found |= {PACKAGE: (recipe, PACKAGE), ALONE: (recipe, ALONE)}
    if precision:
        found[f"{PACKAGE}, {precision}"] = (recipe.but(precision=precision), PACKAGE)
    if recipe.batch < 32:
        large = recipe.but(batch=128)
        found[f"{ladder.TEXTBOOK}, batch 128"] = (large, frozenset())
        found[f"{PACKAGE}, batch 128"] = (large, PACKAGE)
    return found


def compare(
    images: Tensor, against: Mapping[str, Contender], *, rounds: int, seconds: float, device: torch.device
) -> dict:
    """Measure some loops against the first of them.

    Args:
        images: uint8 [N, C, H, W].
        against: as `contenders` makes them.
        rounds: turns of each. seconds: of one turn, about.

    Returns:
        what `keep` keeps: `recipe`, the first contender's; `title`; `gflop`, GFLOP of one image's share of a
        training step; `limit`, GFLOP/s of large matrix products in the same process; `free`, the share of its cores
        that the process got, before or after, whichever is less; `evidence`; and `lines`, each
        of a loop's `name`, `rate` (median, images/s), `ratio` to the first loop (median over the rounds, `lowest`
        and `highest`) and `share` of the rate of matrix products in the same type. Convolutions can pass 1 there,
        for products with padding are counted.

    Raises:
        CourseError: fewer than one round, or no time for it.
    """
    if rounds < 1 or not seconds > 0:
        raise CourseError(f"{rounds} rounds of {seconds:g} s measure nothing: 5 rounds of 2 s do")
    recipe = next(iter(against.values()))[0]
    pictures = ladder.photographs(images) if recipe.channels == 3 else None
    runners = {name: _runner(*who, images, pictures, device) for name, who in against.items()}
    types = {own.precision for own, _ in against.values()}
    before = {name: matmul_rate(device, name) for name in types}
    with bar(total=rounds, desc=recipe.key, unit=" rounds", leave=False) as done:
        rates = in_turns(runners, rounds, seconds, on_round=done.update)
    after = {name: matmul_rate(device, name) for name in types}  # minutes differ
    limits = {name: max(before[name][0], after[name][0]) for name in types}
    free = min(share for measured in (before, after) for _, share in measured.values())
    first, lines = rates[next(iter(against))], []
    for name, (own, _) in against.items():
        ratios = [mine / base for mine, base in zip(rates[name], first, strict=True)]
        rate = statistics.median(rates[name])
        lines.append({"name": name, "rate": rate, "ratio": statistics.median(ratios)})
        lines[-1] |= {"lowest": min(ratios), "highest": max(ratios)}
        lines[-1] |= {"share": rate * flops_per_image(own, images, device) / limits[own.precision]}
    return {
        "recipe": recipe.as_dict(),
        "title": f"{recipe.key} on {len(images):,} images of {recipe.channels}×{recipe.size}×{recipe.size}",
        "gflop": flops_per_image(recipe, images, device) / 1e9,
        "limit": limits[recipe.precision] / 1e9,
        "free": free,
        "evidence": evidence(device) | {"rounds": f"{rounds} of {seconds:g} s"},
        "lines": lines,
    }


def in_turns(
    runners: Mapping[str, Callable[[int], int]], rounds: int, seconds: float, on_round=lambda: None
) -> dict[str, list[float]]:
    """Let loops run by turns, in one order and then in the other.

    Args:
        runners: name -> function that does a number of steps, waits for the device and returns how many images
            that were.
        on_round: called after every round.

    Returns:
        name -> images/s, one a round.
    """
    steps = {name: _steps(run, seconds) for name, run in runners.items()}
    rates: dict[str, list[float]] = {name: [] for name in runners}
    for i in range(rounds):
        for name in runners if i % 2 == 0 else reversed(runners):
            begin = time.perf_counter()
            images = runners[name](steps[name])
            rates[name].append(images / (time.perf_counter() - begin))
        on_round()
    return rates


def _steps(run: Callable[[int], int], seconds: float) -> int:
    """How many steps take about that long; the first ones warm up caches and are not counted."""
    run(1)
    steps = 1
    while True:
        begin = time.perf_counter()
        run(steps)
        took = time.perf_counter() - begin
        if took > seconds / 4:
            return max(1, round(steps * seconds / took))
        steps *= 2


def _runner(
    recipe: Recipe, way: str | frozenset[str], images: Tensor, pictures: Dataset | None, device: torch.device
) -> Callable[[int], int]:
    """A function that trains some steps in one of the ways, waits for the device and returns the images seen."""
    if way == PACKAGE:
        gan, images = GAN(recipe, 0, device), images.to(device)

        def run(steps: int) -> None:
            for _ in training.train(gan, images, gan.step + steps, progress=False):
                pass

    elif way == ALONE:
        gan = GAN(recipe, 0, device)
        some = data.to_signed(images[: 8 * recipe.batch].to(device)).split(recipe.batch)
        batches = cycle(batch for batch in some if len(batch) == recipe.batch)

        def run(steps: int) -> None:
            for real in islice(batches, steps):
                training.train_step(gan, real)
                gan.step += 1

    else:
        workers = WORKERS if device.type == "cuda" else 0
        run = ladder.Loop(recipe, images, way, device=device, workers=workers, pictures=pictures).run

    def measured(steps: int) -> int:
        run(steps)
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        return steps * recipe.batch

    return measured


def matmul_rate(device: torch.device, precision: str, seconds: float = 0.5) -> tuple[float, float]:
    """Floating-point operations a second of large matrix products, the best of three measurements; and the share of
    its threads' time that this process got meanwhile, up to 1: less where others compute, 1 on a GPU."""
    side = SIDE if device.type == "cpu" else 4 * SIDE
    a, b = (torch.randn(side, side, device=device).to(getattr(torch, precision)) for _ in range(2))

    def products(n: int) -> int:
        for _ in range(n):
            a @ b
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        return n

    clock, used = time.perf_counter(), time.process_time()
    rate = 2 * side**3 * max(in_turns({"a @ b": products}, 3, seconds)["a @ b"])
    share = (time.process_time() - used) / (time.perf_counter() - clock) / torch.get_num_threads()
    return rate, min(1.0, share) if device.type == "cpu" else 1.0


def flops_per_image(recipe: Recipe, images: Tensor, device: torch.device) -> float:
    """Floating-point operations of a training step over its images, backward passes included.

    Averaged over G's schedule: where G moves every second time, over two steps.
    """
    gan = GAN(recipe, 0, device)
    real = data.to_signed(images[: recipe.batch].to(device))
    with FlopCounterMode(display=False) as counter:
        for _ in range(recipe.g_every):
            training.train_step(gan, real)
            gan.step += 1
    return counter.get_total_flops() / (recipe.batch * recipe.g_every)


def evidence(device: torch.device) -> dict:
    """What somebody needs to know to believe a number, and to measure it again."""
    cpu = devices.processor()
    about = {"date": date.today().isoformat(), "device": devices.name(device)} | ({"cpu": cpu} if cpu else {})
    return about | {"cores": os.cpu_count(), **runs.VERSIONS}


def table(result: dict) -> str:
    """A comparison as aligned text."""
    rows = [("loop", "images/s", "ratio", "spread", "of matmul")]
    for line in result["lines"]:
        spread = f"{line['lowest']:.2f} to {line['highest']:.2f}"
        rows.append((line["name"], f"{line['rate']:,.0f}", f"{line['ratio']:.2f}", spread, f"{line['share']:.0%}"))
    head = ", ".join(f"{key} {value}" for key, value in result["evidence"].items())
    about = f"{result['gflop']:.3f} GFLOP an image; large matrix products: {result['limit']:,.0f} GFLOP/s"
    if result["free"] < BUSY:
        about += f"\nThis machine is busy: the process got {result['free']:.0%} of its cores; measure again later."
    return f"{result['title']}\n{head}\n{about}\n{aligned(rows, numbers=True)}"


def check_quiet(free: float) -> None:
    """Whether a measurement may be kept.

    Raises:
        CourseError: the process got less than `BUSY` of its cores.
    """
    if free < BUSY:
        raise CourseError("nothing is kept from a busy machine: repeat the command when it is quiet")


def keep(result: dict) -> Path:
    """Add a comparison to `assets/benchmarks.json`, in place of an older one of the same recipe on the same device.

    Raises:
        CourseError: the machine was busy; the file is damaged or cannot be written.
    """
    check_quiet(result["free"])

    def key(kept: dict) -> tuple[str, ...]:
        evidence = kept["evidence"]
        return evidence["device"], evidence.get("cpu", ""), json.dumps(kept["recipe"], sort_keys=True)

    kept = [other for other in front_page.results() if key(other) != key(result)]
    content = json.dumps(sorted([*kept, result], key=key), indent=1)
    return files.write_atomically(files.assets_dir() / "benchmarks.json", content.encode() + b"\n")


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    three = ["dcgan-faces-64", "dcgan-mnist", "mlp-fashion"]
    parser.add_argument("recipes", nargs="*", metavar="RECIPE", default=three, help=f"default: {', '.join(three)}")
    parser.add_argument("--ladder", action="store_true", help="make one change after another")
    parser.add_argument("--precision", metavar="TYPE", help="also measure the package in bfloat16 or float16")
    parser.add_argument("--rounds", type=int, default=5, help="turns that each loop gets (default: 5)")
    parser.add_argument("--seconds", type=float, help="of one turn (default: 2); with --race, of the MNIST notes' "
                        "loop (default: 300)")  # fmt: skip
    parser.add_argument("--data", metavar="FOLDER", help="a folder to look in first")
    parser.add_argument("--profile", help=f"{', '.join(profiles.PROFILES)} (default: by machine)")
    parser.add_argument("--keep", action="store_true", help="keep the result among the course's assets")
    parser.add_argument("--race", action="store_true", help="measure the time to the same quality instead")
    parser.add_argument("--seeds", type=int, default=3, help="races to run (default: 3)")
    options = parser.parse_args(arguments)
    return command("bench", lambda: _race(options) if options.race else _bench(options))


def _bench(options: argparse.Namespace) -> None:
    device = devices.default()
    profile = profiles.get(options.profile) if options.profile else profiles.current()
    if options.keep and profile.width != 1:
        raise CourseError(f"--keep at width {profile.width:g} would tell nothing of the recipes: take --profile cpu")
    for recipe in [recipes.get(key).at(profile) for key in options.recipes]:
        images = data.load(recipe.data, recipe.size, path=options.data, count=2_000).images
        against = contenders(recipe, options.ladder, options.precision)
        seconds = 2.0 if options.seconds is None else options.seconds
        result = compare(images, against, rounds=options.rounds, seconds=seconds, device=device)
        print(table(result), end="\n\n", flush=True)
        if options.keep:
            print(f"kept in {keep(result)}")


def _race(options: argparse.Namespace) -> None:
    device = devices.default()
    image_set = data.load("mnist", path=options.data)
    print(image_set.source)
    print(", ".join(f"{key} {value}" for key, value in evidence(device).items()), flush=True)
    seconds = 300.0 if options.seconds is None else options.seconds
    for words in race.run(image_set, seconds, range(options.seeds), device):
        print(words, flush=True)


if __name__ == "__main__":
    sys.exit(main())
