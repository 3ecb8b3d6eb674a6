"""Computing in shorter numbers, where a GPU has units for them."""

import torch
from torch import Tensor, nn

from gan_course.errors import CourseError

PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def shorten(network: nn.Module, precision: str) -> None:
    """Let a network compute in a shorter type where that is safe; its weights and its results stay float32.

    Mixed precision as PyTorch's autocast chooses it, layer by layer (Micikevicius et al. 2018, arXiv:1710.03740).
    """
    if precision == "float32":
        return
    plain = network.forward

    def forward(x: Tensor) -> Tensor:
        with torch.autocast(x.device.type, PRECISIONS[precision]):
            return plain(x).float()

    network.forward = forward


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
