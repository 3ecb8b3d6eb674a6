"""Checks for lesson 04: what a crop keeps, a line of telemetry, a rule, operations, a head for 96 pixels."""

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from gan_course.checks import NotYet, passed, run


def exercise_1(kept: Callable[[int, int], tuple[float, float, float, float]]) -> None:
    """`kept(width, height)`: left, top, right, bottom of the middle square, in original pixels."""
    for width, height in ((178, 218), (218, 178), (64, 64), (101, 64)):
        given = run("4.1", kept, width, height)
        said = f"kept({width}, {height}) is {given!r}"
        try:
            left, top, right, bottom = (float(value) for value in given)
        except (TypeError, ValueError):
            raise NotYet(f"{said}: four numbers are wanted, left, top, right, bottom") from None
        side, square = min(width, height), np.array([left, top, right, bottom])
        right_one = np.array([width - side, height - side, width + side, height + side]) / 2

        def near(other, square=square) -> bool:
            return np.allclose(square, other, rtol=0, atol=1)

        if near(right_one):
            continue
        if near((0, 0, width, height)):
            raise NotYet(f"{said}: that is the whole picture; CenterCrop keeps a square")
        if near((0, 7, 64, 71)):
            raise NotYet(f"{said}: those are pixels after Resize; say it in pixels of the original")
        if near((0, 0, side, side)):
            raise NotYet(f"{said}: that square begins at the top left corner; CenterCrop keeps the middle")
        if near(right_one[[1, 0, 3, 2]]):
            raise NotYet(f"{said}: width and height are exchanged; left and right are along the width")
        if max(right - left, bottom - top) > side + 1:
            raise NotYet(f"{said}: the *shorter* side becomes 64, so the square is {side} pixels wide")
        raise NotYet(
            f"{said}; {tuple(right_one.tolist())} is right: the shorter side's square, in the middle"
        )
    passed("Right: the middle square of the shorter side.")


LINES = (
    (
        "[0/5][0/1583]\tLoss_D: 2.0937\tLoss_G: 5.2059\tD(x): 0.5704\tD(G(z)): 0.6680 / 0.0090",
        (2.0937, 5.2059, 0.5704, 0.6680, 0.0090),
    ),
    (
        "step     50  Loss_D: 0.3567  Loss_G: 12.2064  D(x): 0.9364  D(G(z)): 0.1409 / 0.0000",
        (0.3567, 12.2064, 0.9364, 0.1409, 0.0),
    ),
    (
        "[4/5][1100/1583]        Loss_D: 0.4430  Loss_G: 4.7469  D(x): 0.7306    D(G(z)): 0.0184 / 0.0202",
        (0.4430, 4.7469, 0.7306, 0.0184, 0.0202),
    ),
)
OTHERS = ("", "Starting Training Loop...", "D(x) should start close to 1", "0.5 0.5 0.5 0.999 0.0002")


def exercise_2(read_line: Callable[[str], tuple[float, ...] | None]) -> None:
    """`read_line(line)`: five floats, or None where the line holds no telemetry."""
    for line, expected in LINES:
        given = run("4.2", read_line, line)
        said = f"for {line!r} you return {given!r}"
        if given is None:
            raise NotYet(f"{said}: there is telemetry in it; white space may be a tab or many blanks")
        try:
            values = tuple(given)
        except TypeError:
            raise NotYet(f"{said}: five numbers are wanted") from None
        if any(isinstance(value, str) for value in values):
            raise NotYet(f"{said}: those are texts; make floats of them")
        if len(values) != 5:
            raise NotYet(f"{said}: {len(values)} numbers instead of 5; D(G(z)) has two, around a slash")
        if np.allclose(values, expected):
            continue
        if sorted(values) == sorted(expected):
            raise NotYet(f"{said}: the right numbers in another order than {expected}")
        if any(math.isclose(values[1], cut) for cut in (expected[1] % 10, int(expected[1]))):
            raise NotYet(f"{said}: Loss_G is {expected[1]}; a number may have two digits before its point")
        raise NotYet(f"{said}; {expected} is right")
    for line in OTHERS:
        if (given := run("4.2", read_line, line)) is not None:
            raise NotYet(f"{line!r} holds no telemetry: None is wanted, not {given!r}")
    passed("Right: both formats, and None for the rest.")


def exercise_3(glance: Callable[[np.ndarray, np.ndarray], str]) -> None:
    """`glance(d_real, d_fake)`: a verdict by the means over the last 20 lines."""
    dice = np.random.default_rng(0)

    def line(mean: float, n: int = 60) -> np.ndarray:
        return np.clip(mean + 0.01 * dice.standard_normal(n), 0, 1)

    early_win = np.concatenate([line(0.99), line(0.7, 20)]), np.concatenate([line(0.01), line(0.3, 20)])
    late_win = np.concatenate([line(0.7), line(0.99, 20)]), np.concatenate([line(0.3), line(0.01, 20)])
    halves = np.concatenate([line(0.8, 50), line(0.99, 10)]), np.concatenate([line(0.2, 50), line(0.01, 10)])
    one_line = line(0.75), line(0.2)
    one_line[0][-1], one_line[1][-1] = 1.0, 0.0
    cases = (
        ((line(0.75), line(0.2)), "contest", "a healthy run, D(x) near 0.75 and D(G(z)) near 0.2"),
        ((line(0.98), line(0.02)), "D has won", "D(x) near 0.98 and D(G(z)) near 0.02"),
        ((line(0.5), line(0.5)), "D cannot tell", "both near 0.5"),
        ((line(0.46), line(0.52)), "D cannot tell", "D(x) near 0.46, below D(G(z)) near 0.52"),
        ((line(0.98), line(0.3)), "contest", "D sure of real pictures only"),
        ((line(0.85), line(0.02)), "contest", "D sure of generated pictures only"),
        ((line(0.6), line(0.45)), "contest", "D(x) near 0.6, D(G(z)) near 0.45"),
        ((line(0.7), line(0.65)), "D cannot tell", "D(x) near 0.7, D(G(z)) near 0.65"),
        ((line(0.3), line(0.7)), "contest", "D(x) near 0.3, far *below* D(G(z)) near 0.7"),
        (early_win, "contest", "a run that D led at first and no longer does: look at the last 20 lines"),
        (late_win, "D has won", "a run that D has won in its last 20 lines"),
        (one_line, "contest", "a healthy run whose very last line is extreme: take means"),
        (halves, "contest", "a run whose last 10 lines differ from the 10 before: take the last 20"),
    )
    for (d_real, d_fake), right, about in cases:
        given = run("4.3", glance, d_real, d_fake)
        if given == right:
            continue
        if d_real.mean() < d_fake.mean():
            raise NotYet(
                f"{about}: you say {given!r}; a difference has no sign here, take its absolute value"
            )
        raise NotYet(f"{about}: you say {given!r}, the rule says {right!r}")
    passed("Right: means over the last 20 lines, three verdicts.")


def exercise_4(operations: Callable[[int, int, int, int], int]) -> None:
    """`operations(channels_in, channels_out, kernel, size_in)` of a transposed convolution, one picture."""
    for c_in, c_out, k, n in ((512, 256, 4, 4), (64, 3, 5, 32), (100, 512, 4, 1)):
        given, right = run("4.4", operations, c_in, c_out, k, n), 2 * n * n * c_in * c_out * k * k
        said = f"operations({c_in}, {c_out}, {k}, {n}) is {given!r}"
        if given == right:
            continue
        if given == right // 2:
            raise NotYet(f"{said}: a multiplication and an addition are two operations")
        if given == right // n or given == right // k:
            raise NotYet(f"{said}: pictures and kernels have two dimensions, so both sizes count squared")
        if given == right * 4:
            raise NotYet(f"{said}: every *input* pixel writes one window; count those, not the outputs")
        if given == 2 * c_in * c_out * k * k or given == c_in * c_out * k * k:
            raise NotYet(f"{said}: that is for one pixel; there are {n} × {n} of them")
        raise NotYet(f"{said}; {right} is right: pixels in × channels in × channels out × kernel², twice")
    passed("Right: operations grow with pixels and with both channel counts.")


@torch.no_grad()
def exercise_5(flat_head: Callable[[], nn.Module]) -> None:
    """`flat_head()`: a module [N, 64, 32, 32] -> [N, 3, 96, 96], flat inside where its input is flat."""
    head = run("4.5", flat_head)
    if not isinstance(head, nn.Module):
        raise NotYet(f"flat_head() returns a {type(head).__name__}: return the module")
    given = run("4.5", head, torch.randn(2, 64, 32, 32))
    shape = tuple(given.shape) if isinstance(given, Tensor) else type(given).__name__
    if shape != (2, 3, 96, 96):
        raise NotYet(
            f"64 channels at 32 × 32 become {shape[1:] if len(shape) == 4 else shape}, not (3, 96, 96)"
        )
    if any(isinstance(layer, (nn.Tanh, nn.Sigmoid)) for layer in head.modules()):
        raise NotYet("leave the activation out: the course adds the Tanh")
    if not list(head.parameters()):
        raise NotYet("your head has nothing to learn: let a convolution bring 64 channels down to 3")
    blocks = given.view(2, 3, 32, 3, 32, 3)
    if blocks.std(dim=(3, 5)).max() < 1e-6:
        raise NotYet(
            "the shape is right, and each input pixel becomes a block of 3 × 3 equal ones: enlarge *first*, "
            "and convolve with a kernel that reaches neighbours, at 96 × 96"
        )
    flat = head(torch.rand(1, 64, 1, 1).expand(1, 64, 32, 32))[:, :, 15:-15, 15:-15]
    if flat.std(dim=(2, 3)).max() < 1e-4 * flat.abs().max():
        return passed("Right: 96 × 96, and flat where its input is flat, whatever the weights.")
    strides = [layer for layer in head.modules() if isinstance(layer, nn.ConvTranspose2d)]
    why = "a flat input comes out with a pattern"
    if strides and all(layer.kernel_size[0] % layer.stride[0] == 0 for layer in strides):
        why += ": the counts are even, but a stride above 1 gives every place weights of its own"
    elif strides:
        why += ": the stride does not divide the kernel, and it gives every place weights of its own"
    raise NotYet(f"the shape is right, but {why}; enlarge first and convolve after")
