"""Computing in shorter numbers, where a GPU has units for them."""

from types import MethodType

import torch
from torch import Tensor, nn

from gan_course.errors import CourseError

PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def shorten(network: nn.Module, precision: str) -> None:
    """Let a network compute in a shorter type where that is safe; its weights and its results stay float32.

    Mixed precision as PyTorch's autocast chooses it, layer by layer (Micikevicius et al. 2018, arXiv:1710.03740).
    """
    if precision != "float32":
        network.precision = PRECISIONS[precision]
        network.forward = MethodType(
            _forward, network
        )  # a method, so that a copy of the network calls its own


def _forward(network: nn.Module, x: Tensor) -> Tensor:
    with torch.autocast(x.device.type, network.precision):
        return type(network).forward(network, x).float()


def check(precision: str, device: torch.device) -> None:
    """Whether a device computes in that type itself.

    A T4 claims bfloat16 and emulates it, slower than float32; real units came with compute capability 8.0.

    Raises:
        CourseError: it does not.
    """
    if (
        precision == "bfloat16"
        and device.type == "cuda"
        and torch.cuda.get_device_capability(device) < (8, 0)
    ):
        name = torch.cuda.get_device_name(device)
        raise CourseError(f"{name} has no units for bfloat16: precision=float16 is fast on it")
