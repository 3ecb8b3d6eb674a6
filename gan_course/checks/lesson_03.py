"""Checks for lesson 03: sizes, a convolution as a matrix, a mended network, first weights, overlaps."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_course import sizes
from gan_course.checks import NotYet, passed, run
from gan_course.errors import CourseError

# (input, kernel, stride, padding): the course's layers, and some in which rounding matters
LAYERS = (
    (4, 4, 1, 0),
    (28, 3, 2, 0),
    (13, 3, 2, 0),
    (28, 4, 2, 1),
    (14, 4, 2, 1),
    (7, 4, 2, 1),
    (96, 5, 3, 1),
)


def exercise_1(conv_size: Callable[..., int], transposed_size: Callable[..., int]) -> None:
    """Both size formulas: (n, kernel, stride, padding) -> output size."""
    for n, k, s, p in LAYERS:
        given, right = run("3.1", conv_size, n, k, s, p), sizes.conv(n, k, s, p)
        said = f"conv_size({n}, {k}, {s}, {p}) is {given!r}"
        if given == right:
            continue
        if isinstance(given, float):
            raise NotYet(f"{said}: sizes are whole numbers, and a window that does not fit is left out (//)")
        if given == (n + p - k) // s + 1:
            raise NotYet(f"{said}: the padding is added on both sides")
        if given == right - 1:
            raise NotYet(f"{said}: the window's first position counts, too (+ 1 after the division)")
        if given == -(-(n + 2 * p - k) // s) + 1:
            raise NotYet(f"{said}: that rounds up; a window that hangs over the edge is left out")
        raise NotYet(f"{said}; {right} is right. Count the places where the window can begin")
    for n, k, s, p in ((1, 4, 1, 0), (4, 4, 2, 1), (4, 3, 2, 1), (7, 4, 2, 1), (32, 5, 3, 1), (7, 3, 1, 1)):
        given, right = run("3.1", transposed_size, n, k, s, p), sizes.transposed(n, k, s, p)
        said = f"transposed_size({n}, {k}, {s}, {p}) is {given!r}"
        if given == right:
            continue
        if given == n * s - 2 * p + k:
            raise NotYet(f"{said}: n inputs have n - 1 gaps of one stride between them")
        if given == (n - 1) * s + 2 * p + k:
            raise NotYet(f"{said}: the padding of a transposed convolution takes away, it does not add")
        if given == (n - 1) * s - p + k:
            raise NotYet(f"{said}: the padding is cut off on both sides")
        raise NotYet(f"{said}; {right} is right. Where does the last input's window end?")
    passed("Right: both formulas, rounding included.")


def exercise_2(matrix_of: Callable[..., Tensor]) -> None:
    """`matrix_of(kernel, n, stride, padding)`: the convolution of n numbers as a matrix [outputs, n]."""
    for length, n, s, p in ((4, 8, 2, 1), (3, 7, 2, 1), (3, 5, 1, 0)):
        kernel = torch.arange(1.0, length + 1)
        given = run("3.2", matrix_of, kernel, n, s, p)
        unit = torch.eye(n)[:, None]  # n signals, each a single 1
        right = F.conv1d(unit, kernel[None, None], stride=s, padding=p)[:, 0].T
        if isinstance(given, np.ndarray):
            raise NotYet("you return a NumPy array: return a torch tensor, torch.from_numpy(...)")
        if not isinstance(given, Tensor) or given.shape != right.shape:
            shape = tuple(given.shape) if isinstance(given, Tensor) else type(given).__name__
            if shape == tuple(right.T.shape):
                raise NotYet(
                    f"your matrix is {shape}: transposed. It multiplies a signal from the left, C @ x"
                )
            raise NotYet(
                f"{n} inputs and {len(right)} outputs make a matrix {tuple(right.shape)}, not {shape}"
            )
        if torch.equal(given.float(), right):
            continue
        if torch.equal(
            given.float(), F.conv1d(unit, kernel.flip(0)[None, None], stride=s, padding=p)[:, 0].T
        ):
            raise NotYet("the kernel runs backwards: PyTorch's convolution does not flip it")
        raise NotYet(
            f"row 0 is {given[0].tolist()} for the kernel {kernel.tolist()} with padding {p}; "
            f"{right[0].tolist()} is right"
        )
    passed("Right: row i holds the kernel, moved on by i strides.")


def exercise_3(mend: Callable[[], list[tuple[int, int, int]]]) -> None:
    """`mend()`: (kernel, stride, padding) of the generator's four transposed convolutions, 1 -> 4 -> 7 -> 14 -> 28."""
    layers = run("3.3", mend)
    try:
        layers = [tuple(layer) for layer in layers]
        assert len(layers) == 4 and all(len(layer) == 3 for layer in layers)
        assert all(isinstance(value, int) for layer in layers for value in layer)
    except (TypeError, ValueError, AssertionError):
        raise NotYet("return four triples of whole numbers (kernel, stride, padding), one a layer") from None
    size, wanted = 1, (4, 7, 14, 28)
    for i, ((k, s, p), right) in enumerate(zip(layers, wanted, strict=True), 1):
        try:
            made = sizes.transposed(size, k, s, p)
        except CourseError as error:
            raise NotYet(f"layer {i}, k{k} s{s} p{p}: {error}") from None
        if made != right:
            raise NotYet(f"layer {i}, k{k} s{s} p{p}, makes {made} of {size}; the table asks for {right}")
        if s > 1 and k < s:
            raise NotYet(
                f"layer {i}: a kernel of {k} is smaller than the stride {s} and leaves gaps of zeros"
            )
        size = made
    channels = (100, 64, 32, 16, 8)
    network = nn.Sequential(
        *(
            nn.ConvTranspose2d(a, b, *layer)
            for a, b, layer in zip(channels, channels[1:], layers, strict=False)
        )
    )
    made = tuple(network(torch.zeros(2, 100, 1, 1)).shape)
    passed(f"Right: {' → '.join(map(str, (1, *wanted)))}, and PyTorch agrees: {made}.")


def exercise_4(initialise: Callable[[nn.Module], None]) -> None:
    """`initialise(network)` gives every layer DCGAN's first weights, in place."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        inner = nn.Sequential(nn.Conv2d(32, 64, 4, bias=False), nn.BatchNorm2d(64))
        network = nn.Sequential(nn.ConvTranspose2d(64, 32, 4, bias=False), nn.BatchNorm2d(32), inner)
        norms = [network[1], inner[1]]
        for norm in norms:
            nn.init.constant_(norm.bias, 0.5)  # so that a bias nobody sets is seen
        before = {name: value.clone() for name, value in network.state_dict().items()}
        run_(initialise, network)
        after = network.state_dict()
        if all(torch.equal(before[name], after[name]) for name in before):
            raise NotYet("not one weight has changed: is the function ever called on the layers?")
        for name, layer in (("nn.ConvTranspose2d", network[0]), ("the inner nn.Conv2d", inner[0])):
            mean, std = layer.weight.mean().item(), layer.weight.std().item()
            if abs(mean) < 0.002 and abs(std - 0.02) < 0.001:
                continue
            old = before["0.weight" if layer is network[0] else "2.0.weight"]
            if torch.equal(layer.weight, old):
                raise NotYet(
                    f"{name} kept PyTorch's default: it needs a branch of its own "
                    "(a ConvTranspose2d is no Conv2d), and layers inside layers need .apply or .modules()"
                )
            if abs(std - 0.02**0.5) < 0.02:
                raise NotYet(
                    f"{name} has the spread {std:.3f}: 0.02 is the standard deviation, not the variance"
                )
            raise NotYet(
                f"the weights of {name} have mean {mean:.4f} and spread {std:.4f}; 0 and 0.02 are right"
            )
        for norm in norms:
            mean, std = norm.weight.mean().item(), norm.weight.std().item()
            if abs(mean) < 0.1:
                raise NotYet("BatchNorm's weights are near 0, which multiplies every signal by 0: N(1, 0.02)")
            if abs(mean - 1) > 0.02 or abs(std - 0.02) > 0.01:
                raise NotYet(
                    f"BatchNorm's weights have mean {mean:.3f} and spread {std:.3f}; 1 and 0.02 are right"
                )
            if norm.bias.abs().max() > 0:
                raise NotYet("BatchNorm's biases start at 0: nn.init.zeros_(layer.bias)")
    passed("Right: convolutions N(0, 0.02), BatchNorm N(1, 0.02) with bias 0, inner layers included.")


def run_(initialise: Callable[[nn.Module], None], network: nn.Module) -> None:
    """Call a function that works in place; what it returns does not matter."""
    run("3.4", lambda: (initialise(network), True)[1])


def exercise_5(overlaps: Callable[..., Tensor]) -> None:
    """`overlaps(n, kernel, stride)`: how many inputs write to each output along one axis, padding 0."""
    for n, k, s in ((4, 4, 2), (4, 3, 2), (5, 5, 3), (3, 2, 2)):
        given, right = run("3.5", overlaps, n, k, s), sizes.overlaps(n, k, s).tolist()
        try:
            found = torch.as_tensor(given).flatten().double().round(decimals=3).tolist()
        except (TypeError, ValueError, RuntimeError):
            kind = type(given).__name__
            raise NotYet(f"overlaps({n}, {k}, {s}) is a {kind}: a count for each output is wanted") from None
        if found == right:
            continue
        said = f"overlaps({n}, {k}, {s}) is {found}"
        if len(found) != len(right):
            raise NotYet(f"{said}: {len(found)} outputs, and transposed_size says {len(right)}")
        if len(set(found)) == 1:
            raise NotYet(
                f"{said}: every output alike? The ends are reached by fewer inputs; count, do not divide"
            )
        raise NotYet(f"{said}; {right} is right. Input j writes to outputs j·s … j·s + k - 1")
    passed("Right: equal inside only where the stride divides the kernel.")
