"""Short numbers where they pay: whether the layers compute in bfloat16 or float16 is decided by measuring.

Some processors multiply bfloat16 at several times the pace of float32 (AMX, AVX-512 BF16), others emulate it, slower
than float32; GPUs have units for it from compute capability 8.0 on, and older ones for float16.
"""

import statistics
import time
from collections.abc import Callable

import torch

from gan_course.ranks import ALONE, Ranks
from gan_course.recipes import PRECISIONS, Recipe
from gan_course.terminal import say

PAYS = 1.1  # times float32's pace that a short type must reach to be chosen
MOST = 8  # images at a time on a processor, so that measuring takes a fraction of a second
SIDE = 256  # of the matrices of a first look: where their product is slow, nothing else need be tried
ROUNDS = 5  # at most
TURN = 0.02  # seconds of passes that are timed together, at least
LIMIT = 0.4  # seconds for all rounds of large networks, of which there is one at least


def settle(recipe: Recipe, device: torch.device, ranks: Ranks = ALONE) -> Recipe:
    """The recipe with a precision that is no longer `auto`: the device's short type where it pays, else float32.

    A short type that was asked for by name stays, with a line where float32 would be faster.
    """
    wanted = short_type(device) if recipe.precision == "auto" else recipe.precision
    if wanted == "float32":
        return recipe.but(precision="float32")
    faster = speedup(recipe, device, wanted)
    if recipe.precision == "auto":
        return recipe.but(precision=wanted if ranks.any(faster >= PAYS) else "float32")  # all ranks alike
    if faster < 1 / PAYS and ranks.first:
        say(f"{wanted} runs at {faster:.1f} times the pace of float32 on this device; precision float32 is faster")
    return recipe


def short_type(device: torch.device) -> str:
    """The type shorter than float32 that a device may be fast in; float32 where there is none."""
    if device.type == "cuda":
        return "bfloat16" if torch.cuda.get_device_capability(device) >= (8, 0) else "float16"
    return "bfloat16" if device.type == "cpu" else "float32"


def speedup(recipe: Recipe, device: torch.device, precision: str) -> float:
    """Pace of a recipe's two networks in a short type over their pace in float32.

    Measured on a matrix product first, then on one pass forward through G and D and back, which is what a training
    step consists of. The two types take turns, so that a busy machine slows both.
    """
    dtype = PRECISIONS[precision]
    products = [_product(device, kind) for kind in (torch.float32, dtype)]
    first = _compare(*products, device)
    if first < 1:
        return first
    return _compare(*_passes(recipe, device, dtype), device)


def _product(device: torch.device, dtype: torch.dtype) -> Callable[[], None]:
    a = torch.zeros(SIDE, SIDE, device=device, dtype=dtype)
    return lambda: a @ a


def _passes(recipe: Recipe, device: torch.device, dtype: torch.dtype) -> list[Callable[[], None]]:
    """One pass through both networks and back, in float32 and in a short type."""
    n = recipe.batch if device.type == "cuda" else min(recipe.batch, MOST)
    G, D = (network.to(device, memory_format=torch.channels_last) for network in recipe.build())
    z = torch.zeros(n, recipe.latent_dim + recipe.classes, device=device)
    labels = [torch.zeros(n, dtype=torch.int64, device=device)] if recipe.classes else []

    def one(short: bool) -> None:
        with torch.random.fork_rng([device] if device.type == "cuda" else []):  # Dropout draws from the global one
            with torch.autocast(device.type, dtype, enabled=short):
                logits = D(G(z), *labels)
            logits.float().mean().backward()

    return [lambda: one(False), lambda: one(True)]


def _compare(one: Callable[[], None], other: Callable[[], None], device: torch.device) -> float:
    """How many times faster the other is: the median over turns, after one each to warm up."""
    seconds = [_seconds(work, 1, device) for work in (one, other, one, other)]
    times = max(1, int(TURN / max(seconds[2:])))
    rounds = min(ROUNDS, max(1, int(LIMIT / (times * sum(seconds[2:])))))
    turns = [[_seconds(work, times, device) for work in (one, other)] for _ in range(rounds)]
    return statistics.median(a / b for a, b in turns)


def _seconds(work: Callable[[], None], times: int, device: torch.device) -> float:
    began = time.perf_counter()
    for _ in range(times):
        work()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - began
