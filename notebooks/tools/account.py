"""Where the time of a training step goes, and how short it could be: a roofline, operation by operation.

    python notebooks/tools/account.py                          every recipe
    python notebooks/tools/account.py mlp-fashion dcgan-mnist  some
    python notebooks/tools/account.py --keep                   kept in assets/accounts.json

An operation cannot be shorter than its arithmetic at the pace of large matrix products, nor than one pass over the
bytes it reads and writes, which is measured too, at every size: small ones stay in the cache, and the smallest cost
what starting an operation costs. The sum over a step's operations is the step's limit (after Williams, Waterman and
Patterson 2009, who draw it as a roof).
"""

import argparse
import bisect
import json
import math
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

import bench
from gan_course import data, devices, files, recipes, training
from gan_course.errors import CourseError
from gan_course.gan import GAN
from gan_course.recipes import Recipe
from gan_course.terminal import aligned, command

PRODUCTS, PASSES, RANDOM, ADAM, AVERAGE, DATA = (
    "matrix products",
    "passes over activations",
    "random numbers",
    "Adam",
    "moving average",
    "data",
)
ALIAS = "convgan-fashion"  # the same networks as dcgan-fashion
BETWEEN = "between operations"  # Python, autograd, telemetry: what is left of the step's time
STEPS = training.AVERAGE_EVERY  # a multiple of every schedule in a step
ROUNDS, ENOUGH = 3, 30.0  # at most so many rounds of those steps, and no further one after so many seconds
SIZES = [2**k for k in range(4, 26)]  # numbers in one of the arrays of a measured pass


@dataclass
class Part:
    """What one kind of operation takes in `STEPS` steps.

    Attributes:
        count: operations. seconds: measured around each.
        needs: (operations of arithmetic, bytes read and written) of each.
    """

    count: int = 0
    seconds: float = 0.0
    needs: list[tuple[int, int]] = field(default_factory=list)


class Account(TorchDispatchMode):
    """Watches every operation that PyTorch starts: its kind, its time, its arithmetic, its bytes."""

    def __init__(self):
        super().__init__()
        self.parts: dict[str, Part] = {}
        self.within = None  # a kind that all operations belong to for the moment

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        begin = time.perf_counter()
        out = func(*args, **kwargs)
        seconds = time.perf_counter() - begin
        part = self.parts.setdefault(self.within or kind(func), Part())
        part.count += 1
        part.seconds += seconds
        count = flop_registry.get(func._overloadpacket)
        part.needs.append((count(*args, **kwargs, out_val=out) if count else 0, moved(func, args, kwargs, out)))
        return out


def kind(func) -> str:
    """Which kind an operation belongs to, by its name."""
    name = func._overloadpacket.__name__
    if func._overloadpacket in flop_registry:
        return PRODUCTS
    if "adam" in name:
        return ADAM
    return RANDOM if any(word in name for word in ("rand", "bernoulli", "normal")) else PASSES


def moved(func, args: tuple, kwargs: dict, out) -> int:
    """Bytes that an operation reads and writes at least, each argument and each new result once; views move none."""
    schema = func._schema
    fresh = [r.alias_info is None for r in schema.returns]
    # Adam declares its gradients as written, for float16's scaling alone.
    written = {a.name for a in schema.arguments if a.alias_info and a.alias_info.is_write and a.name != "grads"}
    if "empty" in schema.name or not (written or any(fresh)):
        return 0
    values = dict(zip((a.name for a in schema.arguments), args, strict=False)) | kwargs
    if schema.name == "aten::index":  # reads only what it takes
        values["self"] = out
    reads = [values.get(a.name) for a in schema.arguments if not a.is_out]
    writes = [values.get(name) for name in written]
    results = out if isinstance(out, (tuple, list)) else [out]
    writes += [value for value, is_new in zip(results, fresh, strict=False) if is_new]
    return sum(tensor.nbytes for tensor in tree_leaves([reads, writes]) if isinstance(tensor, torch.Tensor))


def steps(gan: GAN, images: torch.Tensor, account: Account | None = None) -> Callable[[], None]:
    """A function that does one step of training, its data and the moving average of G included."""
    batches, account = training.real_batches(gan, images), account or Account()

    def step() -> None:
        account.within = DATA
        real = next(batches)
        account.within = None
        training.train_step(gan, real)
        gan.step += 1
        gan.images += gan.batch
        if gan.step % training.AVERAGE_EVERY == 0:
            account.within = AVERAGE
            training.update_average(gan)

    return step


def watch(gan: GAN, images: torch.Tensor) -> dict[str, Part]:
    """The parts of the next `STEPS` steps."""
    account = Account()
    step = steps(gan, images, account)
    with account:
        for _ in range(STEPS):
            step()
    return account.parts


def passes(seconds: float = 0.02) -> tuple[list[int], list[float]]:
    """How long one pass over arrays takes that reads two and writes one: (bytes, seconds) by growing size."""
    found = []
    for n in SIZES:
        a, b, c = (torch.zeros(n) for _ in range(3))
        times = max(3, int(seconds / max(_timed(lambda a=a, b=b, c=c: torch.add(a, b, out=c), 3), 1e-7)))
        found.append(min(_timed(lambda a=a, b=b, c=c: torch.add(a, b, out=c), times) for _ in range(3)))
    return [12 * n for n in SIZES], found


def _timed(work: Callable[[], object], times: int) -> float:
    """Seconds of one call, over several."""
    begin = time.perf_counter()
    for _ in range(times):
        work()
    return (time.perf_counter() - begin) / times


def pass_over(nbytes: int, curve: tuple[list[int], list[float]]) -> float:
    """Seconds of a pass over so many bytes, between the measured sizes by their logarithms."""
    if nbytes == 0:
        return 0.0
    sizes, times = curve
    i = min(max(bisect.bisect(sizes, nbytes), 1), len(sizes) - 1)
    share = max(0.0, math.log(nbytes / sizes[i - 1]) / math.log(sizes[i] / sizes[i - 1]))  # below the first: its time
    return times[i - 1] * (times[i] / times[i - 1]) ** share


def measure(recipe: Recipe, images: torch.Tensor) -> dict:
    """One recipe's account, on the CPU: of every part the shortest time in a few rounds, for others may be computing.

    Returns:
        `recipe`; `evidence` (with `free`, as the benchmark has it); `step`, ms of a step that nobody watches; `limit`,
        ms that it needs at least; `products` GFLOP/s and `bandwidth` GB/s of the largest measured; and `parts`: of
        each kind its `count` a step, `ms` and `limit`.
    """
    device = torch.device("cpu")
    rate, free = bench.matmul_rate(device, recipe.precision)
    curve = passes()
    gan = GAN(recipe, 0, device)
    step = steps(gan, images)
    step()  # warms up
    rounds, alone, began = [], [], time.perf_counter()
    while not rounds or (len(rounds) < ROUNDS and time.perf_counter() - began < ENOUGH):
        rounds.append(watch(gan, images))
        alone.append(_timed(step, STEPS))
    again, still_free = bench.matmul_rate(device, recipe.precision)
    rate, whole, lines = max(rate, again), 1e3 * min(alone), {}
    for name in (PRODUCTS, PASSES, RANDOM, ADAM, AVERAGE, DATA):
        parts = [watched.get(name, Part()) for watched in rounds]
        limit = sum(max(flops / rate, pass_over(nbytes, curve)) for flops, nbytes in parts[0].needs)
        lines[name] = {
            "count": parts[0].count / STEPS,
            "ms": 1e3 * min(part.seconds for part in parts) / STEPS,
            "limit": 1e3 * limit / STEPS,
        }
    rest = max(0.0, whole - sum(line["ms"] for line in lines.values()))
    lines[BETWEEN] = {"count": 0, "ms": rest, "limit": 0.0}
    return {
        "recipe": recipe.as_dict(),
        "evidence": bench.evidence(device) | {"free": round(min(free, still_free), 2)},
        "step": whole,
        "limit": sum(line["limit"] for line in lines.values()),
        "products": rate / 1e9,
        "bandwidth": curve[0][-1] / curve[1][-1] / 1e9,
        "parts": lines,
    }


def table(account: dict) -> str:
    """An account as aligned text."""
    recipe, step = account["recipe"], account["step"]
    rows = [("what", "operations", "ms a step", "at least", "share of the step")]
    for name, part in account["parts"].items():
        share = f"{part['ms'] / step:.0%}"
        rows.append((name, f"{part['count']:.0f}", f"{part['ms']:.2f}", f"{part['limit']:.2f}", share))
    rows.append(("a step", "", f"{step:.2f}", f"{account['limit']:.2f}", f"limit: {account['limit'] / step:.0%}"))
    head = ", ".join(f"{key} {value}" for key, value in account["evidence"].items())
    about = f"products {account['products']:,.0f} GFLOP/s, memory {account['bandwidth']:.1f} GB/s"
    title = f"{recipe['key']}, batch {recipe['batch']}, {recipe['precision']}"
    return f"{title}\n{head}\n{about}\n{aligned(rows, numbers=True)}"


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = f"default: all but {ALIAS} and the conditional ones"
    parser.add_argument("recipes", nargs="*", metavar="RECIPE", help=default)
    parser.add_argument("--data", metavar="FOLDER", help="a folder to look in first")
    parser.add_argument("--keep", action="store_true", help="keep the accounts among the course's assets")
    options = parser.parse_args(arguments)
    return command("account", lambda: _account(options))


def _account(options: argparse.Namespace) -> None:
    if devices.default().type != "cpu":
        raise CourseError("accounts are drawn on a CPU, where an operation is over when its call returns")
    accounts = []
    plain = [key for key, recipe in recipes.RECIPES.items() if key != ALIAS and not recipe.classes]
    for recipe in map(recipes.get, options.recipes or plain):
        images = data.load(recipe.data, recipe.size, path=options.data, count=2_000).images
        accounts.append(measure(recipe, images))
        print(table(accounts[-1]), end="\n\n", flush=True)
    if options.keep:
        bench.check_quiet(min(account["evidence"]["free"] for account in accounts))
        path = files.assets_dir() / "accounts.json"
        print(f"kept in {files.write_atomically(path, json.dumps(accounts, indent=1).encode() + bytes([10]))}")


if __name__ == "__main__":
    sys.exit(main())
