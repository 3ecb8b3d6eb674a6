"""Steady under load: fewer threads while other programs keep the processor's cores busy.

After every operation PyTorch's threads wait for one another, spinning. Where another program holds a core, all wait
for the thread that lost it: beside one busy program, two threads on two cores have been seen at a hundredth of their
pace, and one thread alone at half of it.
"""

import os
import time

import torch

WINDOW = 0.4  # seconds of training between two looks
BUSY = 0.85  # spinning threads use all their time; below this share of it, others have taken the cores
BETTER = 1.05  # pace that another number of threads must bring
PATIENCE = (5.0, 60.0)  # seconds until all threads are tried again: at first, and at most


class Threads:
    """Watches the pace of a loop on the processor, and gives up threads that cost more than they bring.

    The number of threads decides how sums are rounded, so a run repeats bit for bit only where it stays the same:
    it is left alone under `torch.use_deterministic_algorithms(True)`, and wherever OMP_WAIT_POLICY says how to wait.

        with Threads(device) as threads:
            for images in batches:
                ...
                threads.look(len(images))

    Attributes:
        all: what PyTorch was set to, and is set to again at the end.
    """

    def __init__(self, device: torch.device, clock=time.perf_counter, used=time.process_time):
        """
        Args:
            clock, used: seconds that have passed, and seconds of processor time that this process has used.
        """
        self.all, self._clock, self._used = torch.get_num_threads(), clock, used
        self._watching = (
            device.type == "cpu"
            and self.all > 1
            and not os.environ.get("OMP_WAIT_POLICY")
            and not torch.are_deterministic_algorithms_enabled()
        )
        self._before = None  # (threads, pace) that a trial has to beat
        self._patience, self._retry = PATIENCE[0], 0.0
        self._begin()
        self.resume()

    def __enter__(self) -> "Threads":
        return self

    def __exit__(self, *_) -> None:
        torch.set_num_threads(self.all)

    def _begin(self) -> None:
        self._images, self._passed, self._spent = 0, 0.0, 0.0

    def resume(self) -> None:
        """Leave out of the count what happened since the last step."""
        self._now, self._use = self._clock(), self._used()

    def look(self, images: int) -> None:
        """Called after every step; changes the number of threads where that pays.

        Args:
            images: how many the step has seen.
        """
        if not self._watching:
            return
        before, use = self._now, self._use
        self.resume()
        self._images += images
        self._passed += self._now - before
        self._spent += self._use - use
        if self._passed < WINDOW:
            return
        threads, pace = torch.get_num_threads(), self._images / self._passed
        cores = self._spent / self._passed  # that this process had
        if self._before is not None:  # this was a trial
            (others, to_beat), self._before = self._before, None
            if pace < BETTER * to_beat:
                torch.set_num_threads(others)
            elif threads == self.all:
                self._patience = PATIENCE[0]
            self._retry = self._now + self._patience
            self._patience = min(2 * self._patience, PATIENCE[1])
        elif self._now > self._retry and threads < self.all:
            self._try(self.all, pace)
        elif self._now > self._retry and cores < BUSY * threads:
            self._try(max(1, min(threads - 1, int(cores))), pace)
        self._begin()

    def _try(self, threads: int, to_beat: float) -> None:
        self._before = torch.get_num_threads(), to_beat
        torch.set_num_threads(threads)
