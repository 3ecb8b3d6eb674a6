"""Checks for lesson 04: what a crop keeps, a line of telemetry, a rule, operations, a head for 96 pixels."""

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from gan_course.checks import NotYet, compare, passed, run, shown, word


def exercise_1(kept: Callable[[int, int], tuple[float, float, float, float]]) -> None:
    """`kept(width, height)`: left, top, right, bottom of the middle square, in original pixels."""
    for width, height in ((178, 218), (218, 178), (64, 64), (101, 64), (64, 101)):
        given = run("4.1", kept, width, height)
        side, longer = min(width, height), max(width, height)
        left, top = (width - side) / 2, (height - side) / 2
        right = (left, top, left + side, top + side)
        short = (
            (left, top, left + side - 1, top + side - 1),
            f"a square {side} wide from 0 ends at {side}, not before",
        )
        compare(
            "4.1",
            given,
            torch.tensor(right, dtype=torch.float64),
            ((0, 0, width, height), "that is the whole picture; CenterCrop keeps a square"),
            *(
                (square, "those are pixels after Resize; say it in pixels of the original")
                for square in ((0, 7, 64, 71), (7, 0, 71, 64))
            ),
            ((0, 0, side, side), "that square begins at the top left corner; CenterCrop keeps the middle"),
            ((2 * left, 2 * top, width, height), "that square ends at the bottom right corner; the middle is kept"),
            (
                (top, left, top + side, left + side),
                "width and height are exchanged; left and right are along the width",
            ),
            ((left, top, side, side), "right and bottom are places, not sizes: left + side and top + side"),
            (
                ((width - longer) / 2, (height - longer) / 2, (width + longer) / 2, (height + longer) / 2),
                f"the *shorter* side becomes 64, so the square is {side} pixels wide",
            ),
            ((0, 0, longer, longer), f"the *shorter* side becomes 64, so the square is {side} pixels wide"),
            *([short] if side == 64 else []),  # in a larger picture rounding may be as much
            otherwise=f"{right} is right: the shorter side's square, in the middle",
            said=f"kept({width}, {height}) is {shown(given)}",
            wanted="four numbers are wanted, left, top, right, bottom",
            tolerance=(side / 128 + 0.01) / max(right),  # half a pixel of the small picture
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
    answers = [run("4.2", read_line, line) for line, _ in LINES]
    for (line, expected), given in zip(LINES, answers, strict=True):
        said = f"for {line!r} you return {shown(given)}"
        if given is None and any(answer is not None for answer in answers):
            raise NotYet(f"{said}: there is telemetry in it; white space may be a tab or many blanks")
        if given is None:
            raise NotYet(
                rf"{said}: there is telemetry in it. In a regular expression brackets that are meant are \( and "
                r"\), and white space, a tab or many blanks, is \s+; and is there a `return`?"
            )
        if isinstance(given, str) or isinstance(given, (tuple, list)) and any(isinstance(v, str) for v in given):
            raise NotYet(f"{said}: those are texts; make floats of them")

        def otherwise(values: Tensor, expected=expected) -> str:
            if sorted(values.tolist()) == sorted(expected):
                return f"the right numbers in another order than {expected}"
            if any(math.isclose(values[1], cut) for cut in (expected[1] % 10, int(expected[1]))):
                return f"Loss_G is {expected[1]}; a number may have two digits before its point"
            return f"{expected} is right"

        compare(
            "4.2",
            given,
            torch.tensor(expected, dtype=torch.float64),
            otherwise=otherwise,
            said=said,
            wanted="five numbers are wanted; D(G(z)) has two, around a slash",
        )
    for line in OTHERS:
        try:
            given = run("4.2", read_line, line)
        except NotYet as refusal:
            raise NotYet(
                f"{line!r} holds no telemetry: None is wanted there, and what searched for numbers has found nothing. "
                f"{refusal}"
            ) from None
        if given is not None:
            raise NotYet(f"{line!r} holds no telemetry: None is wanted, not {shown(given)}")
    passed("Right: both formats, and None for the rest.")


def exercise_3(glance: Callable[[np.ndarray, np.ndarray], str]) -> None:
    """`glance(d_real, d_fake)`: a verdict by the means over the last 20 lines."""
    skewed = np.array(([1 / 3] * 3 + [-1.0]) * 5)  # mean 0, median 1/3, the last value -1

    def lines(real: float, fake: float, spread: float = 0.06, n: int = 60, turn: int = 1) -> np.ndarray:
        """n lines (n a multiple of 4) with these means, as uneven as a run's: [2, n]."""
        noise = turn * spread * np.tile(skewed, n)[:n]
        return np.stack([real + noise, fake - noise])

    def then(*parts: np.ndarray) -> np.ndarray:
        return np.concatenate(parts, axis=1)

    means = "take means"
    twenty, nineteen = lines(0.5, 0.5), lines(0.96, 0.04, 0.0, 20)
    nineteen[:, 0] = 0.7, 0.3
    one_line = lines(0.75, 0.2)
    one_line[:, -1] = 1.0, 0.0
    wide, loose = 0.3, "both conditions have to hold"
    for case, right, about, reason in (
        (lines(0.75, 0.2), "contest", "a healthy run, D(x) near 0.75 and D(G(z)) near 0.2", ""),
        (lines(0.75, 0.2, wide), "contest", "a healthy run that jumps up and down", means),
        (lines(0.98, 0.02), "D has won", "D(x) near 0.98 and D(G(z)) near 0.02", means),
        (lines(0.965, 0.035, 0.1), "D has won", "D(x) near 0.965, D(G(z)) near 0.035, with jumps", means),
        (lines(0.94, 0.06, 0.18), "contest", "D(x) of mean 0.94 whose median is 1", means),
        (lines(0.957, 0.043, 0.04, turn=-1), "D has won", "D(x) of mean 0.957 whose median is 0.944", means),
        (lines(0.51, 0.5), "D cannot tell", "both near 0.5", "they differ by less than 0.1"),
        (lines(0.6, 0.48), "contest", "D(x) near 0.6, D(G(z)) near 0.48", "they differ by more than 0.1"),
        (lines(0.55, 0.5, wide), "D cannot tell", "D(x) of mean 0.55 and D(G(z)) of mean 0.5 that jump", means),
        (lines(0.6, 0.48, wide, turn=-1), "contest", "D(x) of mean 0.6 and D(G(z)) of mean 0.48 that jump", means),
        (
            lines(0.46, 0.52),
            "D cannot tell",
            "D(x) near 0.46, below D(G(z)) near 0.52",
            "a difference has no sign here",
        ),
        (
            lines(0.3, 0.7),
            "contest",
            "D(x) near 0.3, far *below* D(G(z)) near 0.7",
            "take the absolute value of the difference",
        ),
        (lines(0.98, 0.3, 0.02), "contest", "D sure of real pictures only", loose),
        (lines(0.85, 0.02, 0.02), "contest", "D sure of generated pictures only", loose),
        (lines(0.93, 0.03, 0.03), "contest", "D(x) near 0.93, D(G(z)) near 0.03", "0.93 is not above 0.95"),
        (lines(0.97, 0.07, 0.03), "contest", "D(x) near 0.97, D(G(z)) near 0.07", "0.07 is not below 0.05"),
        (lines(0.7, 0.62), "D cannot tell", "D(x) near 0.7, D(G(z)) near 0.62", "they differ by less than 0.1"),
        (
            then(lines(0.98, 0.02), lines(0.7, 0.3, n=20)),
            "contest",
            "a run that D led at first and no longer does",
            "look at the last 20 lines",
        ),
        (then(lines(0.7, 0.3), lines(0.98, 0.02, n=20)), "D has won", "a run that D has won in its last 20 lines", ""),
        (one_line, "contest", "a healthy run whose very last line is extreme", means),
        (
            then(lines(0.8, 0.2, n=48), lines(0.98, 0.02, n=12)),
            "contest",
            "a run whose last 12 lines differ from those before",
            "take the last 20",
        ),
        (
            then(twenty, lines(0.955, 0.045, 0.0, 20)),
            "D has won",
            "a run that D has won 20 lines ago",
            "[-20:] are 20 lines",
        ),
        (then(twenty, nineteen), "contest", "a run that D has all but won 19 lines ago", "[-20:] are 20 lines"),
    ):
        given = run("4.3", glance, *case.copy())
        word(given, right, ("D has won", "D cannot tell", "contest"), about, reason)
    passed("Right: means over the last 20 lines, three verdicts.")


def exercise_4(operations: Callable[[int, int, int, int], int]) -> None:
    """`operations(channels_in, channels_out, kernel, size_in)` of a transposed convolution, one picture."""
    for c_in, c_out, k, n in ((64, 3, 5, 32), (512, 256, 4, 4), (100, 512, 4, 1)):
        given, right = run("4.4", operations, c_in, c_out, k, n), 2 * n * n * c_in * c_out * k * k
        square = "pictures and kernels have two dimensions, so both sizes count squared"
        compare(
            "4.4",
            given,
            right,
            (right // 2, "a multiplication and an addition are two operations"),
            *((right // part, square) for part in (n, k, n * k)),
            (right * 4, "every *input* pixel writes one window; count those, not the outputs"),
            *((right // n**2 // part, f"that is for one pixel; there are {n} × {n} of them") for part in (1, 2)),
            (right // k**2, "each product is one with a whole window: times kernel²"),
            (right // c_in, "every input channel writes windows of its own: times channels in"),
            (right // c_out, "each output channel has a window of its own: times channels out"),
            (
                right // c_in // c_out * (c_in + c_out),
                "each input channel meets each output channel: multiply, do not add",
            ),
            (2 * c_in * c_out * k * k + c_out, "those are about the weights; operations grow with the pixels, too"),
            otherwise=f"{right} is right: pixels in × channels in × channels out × kernel², twice",
            said=f"operations({c_in}, {c_out}, {k}, {n}) is {shown(given)}",
        )
    passed("Right: operations grow with pixels and with both channel counts.")


@torch.no_grad()
def exercise_5(flat_head: Callable[[], nn.Module]) -> None:
    """`flat_head()`: a module [N, 64, 32, 32] -> [N, 3, 96, 96], flat inside where its input is flat."""
    head = run("4.5", flat_head)
    if not isinstance(head, nn.Module):
        raise NotYet(f"flat_head() returns {shown(head)}: return the module")
    kind = next((p.dtype for p in head.parameters()), torch.float32)
    given = run("4.5", head, torch.randn(2, 64, 32, 32, dtype=kind, generator=torch.Generator().manual_seed(0)))
    if not isinstance(given, Tensor) or given.shape != (2, 3, 96, 96):
        what = tuple(given.shape) if isinstance(given, Tensor) else type(given).__name__
        raise NotYet(f"pictures (2, 64, 32, 32) become {what}, not (2, 3, 96, 96)")
    if not list(head.parameters()):
        raise NotYet("your head has nothing to learn: let a convolution bring 64 channels down to 3")
    head.double()  # so that rounding makes no pattern
    dice = torch.Generator().manual_seed(1)
    for weight in head.parameters():  # a pattern that equal first weights hide shows
        weight.copy_(torch.randn(weight.shape, dtype=weight.dtype, generator=dice))
    given = run("4.5", head, torch.randn(2, 64, 32, 32, dtype=torch.float64, generator=dice)).double()
    if given.abs().max() <= 1 or given.min() >= 0:
        raise NotYet("leave the activation out: the course adds the Tanh")
    if given.reshape(2, 3, 32, 3, 32, 3).std(dim=(3, 5)).max() < 1e-6 * given.abs().max():
        raise NotYet(
            "the shape is right, and each input pixel becomes a block of 3 × 3 equal ones: enlarge *first*, "
            "and convolve with a kernel that reaches neighbours, at 96 × 96"
        )
    flat = torch.rand(1, 64, 1, 1, dtype=torch.float64, generator=dice).expand(1, 64, 32, 32)
    flat = run("4.5", head, flat.clone()).double()[:, :, 15:-15, 15:-15]
    if flat.std(dim=(2, 3)).max() < 1e-4 * flat.abs().max():
        return passed("Right: 96 × 96, and flat where its input is flat, whatever the weights.")
    strides = [layer for layer in head.modules() if isinstance(layer, nn.ConvTranspose2d)]
    why = "a flat input comes out with a pattern"
    if strides and all(layer.kernel_size[0] % layer.stride[0] == 0 for layer in strides):
        why += ": the counts are even, but a stride above 1 gives every place weights of its own"
    elif strides:
        why += ": the stride does not divide the kernel, and it gives every place weights of its own"
    raise NotYet(f"the shape is right, but {why}; enlarge first and convolve after")
