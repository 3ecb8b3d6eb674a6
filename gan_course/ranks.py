"""Several processes that train one run together: who they are, and the few things they tell each other.

Started by torchrun, each process (a *rank*) has its own slice of the data and its own latents, and the
gradients are averaged before every optimiser step, so that the weights stay the same everywhere (synchronous
data parallelism; Goyal et al. 2017, arXiv:1706.02677, section 3). Alone, every method does nothing.
"""

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

from gan_course.errors import CourseError

SECONDS = 50.0  # without an answer, another rank counts as gone
PATIENCE = 3600.0  # the same, while rank 0 downloads or decodes
T = TypeVar("T")


class Ranks:
    """The processes of one run.

    Attributes:
        rank: number of this one, 0 to size - 1. Rank 0 writes and prints.
        size: how many there are.
    """

    def __init__(self, rank: int = 0, size: int = 1):
        self.rank, self.size = rank, size

    @property
    def first(self) -> bool:
        """Whether this process is the one that writes and prints."""
        return self.rank == 0

    def mean_(self, tensors: list[Tensor]) -> None:
        """Replace each tensor by its mean over the ranks (NaN where any has one), all in one message."""
        if self.size == 1:
            return
        flat = torch.cat([t.flatten() for t in tensors])
        with _others():
            dist.all_reduce(flat)
        flat /= self.size
        for tensor, part in zip(tensors, flat.split([t.numel() for t in tensors]), strict=True):
            tensor.copy_(part.view_as(tensor))

    def gather(self, values: Tensor) -> list[Tensor]:
        """The tensor of every rank, in their order; all of one shape."""
        if self.size == 1:
            return [values]
        gpu = dist.get_backend() == "nccl"
        here = values.to(torch.device("cuda", torch.cuda.current_device()) if gpu else "cpu")
        found = [torch.empty_like(here) for _ in range(self.size)]
        with _others():
            dist.all_gather(found, here)
        return [tensor.to(values.device) for tensor in found]

    def any(self, flag: bool) -> bool:
        """Whether the flag is set on any rank."""
        return flag if self.size == 1 else any(bool(t) for t in self.gather(torch.tensor([flag])))

    def same(self, facts: dict) -> None:
        """Make sure that all ranks mean the same thing.

        Raises:
            CourseError: they do not.
        """
        digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).digest()
        first, *others = self.gather(torch.tensor(list(digest)))
        if not all(torch.equal(first, other) for other in others):
            raise CourseError("the processes were started with different settings, versions or data: start all alike")

    def in_turn(self, function: Callable[[], T]) -> T:
        """What a function returns, called by rank 0 first, so that what it downloads is there for the others."""
        if self.size == 1:
            return function()
        patient = dist.new_group(timeout=timedelta(seconds=PATIENCE))
        result = function() if self.first else None
        with _others():
            dist.barrier(patient)
        return result if self.first else function()


ALONE = Ranks()


@contextlib.contextmanager
def joined() -> Iterator[Ranks]:
    """The ranks torchrun started, connected for the length of a block; outside torchrun, one alone.

    Raises:
        CourseError: more ranks than GPUs; a rank did not come.
    """
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield ALONE
        return
    gpus = torch.cuda.device_count()
    if gpus:
        here = int(os.environ["LOCAL_WORLD_SIZE"])
        if here > gpus:
            raise CourseError(f"{here} processes and {gpus} GPUs: start at most {gpus} on this machine")
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    try:
        dist.init_process_group("nccl" if gpus else "gloo", timeout=timedelta(seconds=SECONDS))
    except (RuntimeError, ValueError) as error:
        raise CourseError(
            f"rank {os.environ['RANK']} of {size} met no others within {SECONDS:.0f} s ({_short(error)}): "
            "every machine runs the same torchrun command with a node rank of its own"
        ) from None
    try:
        yield Ranks(dist.get_rank(), size)
    finally:
        with contextlib.suppress(RuntimeError):
            dist.destroy_process_group()


@contextlib.contextmanager
def _others() -> Iterator[None]:
    """A message to all; a rank that does not answer ends the run."""
    try:
        yield
    except RuntimeError as error:
        raise CourseError(
            f"another rank has gone ({_short(error)}); the last checkpoint is kept, and resuming goes on from it"
        ) from None


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:120]
