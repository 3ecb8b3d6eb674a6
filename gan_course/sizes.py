"""Sizes of convolutional layers on paper: which output a layer gives, and which input reaches it.

Convolutions and transposed convolutions are described along one axis by kernel k, stride s and padding p
(Dumoulin and Visin 2016, arXiv:1603.07285, relationships 6 and 14); height and width behave alike.
"""

import torch
from torch import Tensor, nn

from gan_course.errors import CourseError, whole


def conv(n: int, kernel: int, stride: int = 1, padding: int = 0) -> int:
    """Output size of a convolution: floor((n + 2p - k) / s) + 1.

    Raises:
        CourseError: the kernel does not fit, or a size makes no sense.
    """
    n, kernel, stride, padding = _whole(n, kernel, stride, padding)
    if n + 2 * padding < kernel:
        raise CourseError(
            f"a kernel of {kernel} does not fit into {n} pixels with padding {padding}: "
            f"a kernel of at most {n + 2 * padding} does"
        )
    return (n + 2 * padding - kernel) // stride + 1


def transposed(n: int, kernel: int, stride: int = 1, padding: int = 0) -> int:
    """Output size of a transposed convolution: (n - 1) s - 2p + k.

    Raises:
        CourseError: nothing is left, or a size makes no sense.
    """
    n, kernel, stride, padding = _whole(n, kernel, stride, padding)
    size = (n - 1) * stride - 2 * padding + kernel
    if size < 1:
        raise CourseError(f"padding {padding} cuts away all {size + 2 * padding} outputs: less works")
    return size


def reaches(n: int, kernel: int, stride: int = 1, padding: int = 0, *, transposed: bool) -> Tensor:
    """Which input a layer's output depends on: bool [outputs, n], one row an output.

    A convolution's output i reads inputs i s - p … i s - p + k - 1. A transposed convolution's input j
    writes to outputs j s - p … j s - p + k - 1: the same rule with the two sides exchanged.
    """
    outputs = (_transposed if transposed else conv)(n, kernel, stride, padding)
    wide, narrow = (outputs, n) if transposed else (n, outputs)
    start = torch.arange(narrow)[:, None] * stride - padding  # the window's first place on the wide side
    place = torch.arange(wide)[None]
    window = (start <= place) & (place < start + kernel)  # [narrow, wide]
    return window.T if transposed else window


def overlaps(n: int, kernel: int, stride: int = 1, padding: int = 0) -> Tensor:
    """How many inputs write to each output of a transposed convolution along one axis, int64 [outputs].

    Unequal numbers are what checkerboards are made of (Odena, Dumoulin and Olah 2016).
    """
    return reaches(n, kernel, stride, padding, transposed=True).sum(1)


@torch.no_grad()
def trace(network: nn.Module, x: Tensor) -> list[tuple[str, tuple[int, ...]]]:
    """(layer, shape of its output without the batch) for each layer that has no layers of its own.

    The network is run in evaluation mode and left as it was.
    """
    rows: list[tuple[str, tuple[int, ...]]] = []

    def note(layer, _, output):
        rows.append((_name(layer), tuple(output.shape[1:])))

    hooks = [layer.register_forward_hook(note) for layer in network.modules() if not list(layer.children())]
    modes = {layer: layer.training for layer in network.modules()}
    try:
        network.eval()(x)
    finally:
        for hook in hooks:
            hook.remove()
        for layer, mode in modes.items():
            layer.training = mode
    return rows


def _name(layer: nn.Module) -> str:
    if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
        return f"{type(layer).__name__} k{layer.kernel_size[0]} s{layer.stride[0]} p{layer.padding[0]}"
    return type(layer).__name__


def _whole(n: int, kernel: int, stride: int, padding: int) -> tuple[int, int, int, int]:
    at_least_1 = (("size", n), ("kernel", kernel), ("stride", stride))
    return (*(whole(value, name, 1) for name, value in at_least_1), whole(padding, "padding"))


_transposed = transposed  # `reaches` has a parameter of that name
