"""Comparing speeds fairly: in one process, turn by turn, medians and the spread of the ratios."""

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Speed:
    """What was measured of one contender.

    Attributes:
        rates: images/s, one a round.
        ratios: the same over the first contender's rate of the same round.
    """

    rates: tuple[float, ...]
    ratios: tuple[float, ...]

    @property
    def rate(self) -> float:
        """The median rate, images/s."""
        return statistics.median(self.rates)

    @property
    def ratio(self) -> float:
        """The median ratio."""
        return statistics.median(self.ratios)


def alternate(
    contenders: Mapping[str, Callable[[int], int]], rounds: int, seconds: float, on_round=lambda: None
) -> dict[str, Speed]:
    """Let contenders run by turns, in one order and then in the other.

    Args:
        contenders: name -> function that does a number of steps, waits for the device and returns how many
            images that were.
        rounds: how often each runs, at least 1.
        seconds: about how long each runs a round.
        on_round: called after every round.
    """
    steps = {name: _steps(run, seconds) for name, run in contenders.items()}
    rates: dict[str, list[float]] = {name: [] for name in contenders}
    for i in range(rounds):
        for name in contenders if i % 2 == 0 else reversed(contenders):
            begin = time.perf_counter()
            images = contenders[name](steps[name])
            rates[name].append(images / (time.perf_counter() - begin))
        on_round()
    first = rates[next(iter(contenders))]
    return {
        name: Speed(tuple(own), tuple(mine / base for mine, base in zip(own, first, strict=True)))
        for name, own in rates.items()
    }


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
