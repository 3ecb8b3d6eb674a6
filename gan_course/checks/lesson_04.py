"""Checks for lesson 04: what a crop keeps, a line of telemetry, a rule, operations, a head, pictures of one's own."""

import copy
import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from gan_course import data, devices, patterns, sampling, training
from gan_course.checks import NotYet, compare, images_of, passed, road, run, shown, sides, word
from gan_course.gan import GAN
from gan_course.recipes import RECIPES


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
            ((left, top, left, top), "right and bottom are counted from the left and the top edge, as the others"),
            ((left, left + side, top, top + side), "another order is wanted: left, top, right, bottom"),
            (
                tuple(place / full for place, full in zip(right, (width, height) * 2, strict=True)),
                "those are parts of the width and height; pixels are wanted",
            ),
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
OTHERS = (
    "",
    "Starting Training Loop...",
    "D(x) should start close to 1",
    "0.5 0.5 0.5 0.999 0.0002",
    "Loss_G fell from 5.2 to 2.3 in 5 epochs, D(x) from 0.8 to 0.7",
)


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
                r"\), and white space, a tab or many blanks, is \s+; re.search looks anywhere in a line, re.match "
                "only at its beginning; and is there a `return`?"
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
        (
            lines(0.99, 0.06, 0.005),
            "contest",
            "D(x) near 0.99, D(G(z)) near 0.06",
            "0.06 is not below 0.05, however far apart the two are",
        ),
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
            (right // c_out * c_in, "channels in and channels out count once each"),
            (right / 1e6, "those are millions; the number itself is wanted"),
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


SIDE, MOST = 80, 40e6  # pixels; G's operations a picture


def exercise_6(
    prepare: Callable[[list[Tensor], int], Tensor],
    generator_80: Callable[[], nn.Module],
    verdict: Callable[[list[str]], str],
) -> None:
    """Squares of pictures of any shape, a generator of 80 × 80 without a grid, and a log's verdict."""
    _check_squares(prepare)
    about = _check_generator(generator_80)
    _check_verdict(verdict)
    passed(f"Right: squares from the middle; G {about}; and the log is read.")


def _check_squares(prepare: Callable[[list[Tensor], int], Tensor]) -> None:
    """`prepare(pictures, size)` against ramps, whose grey level says which place of the original it comes from."""
    shapes = (178, 218), (160, 96), (50, 70), (80, 80)  # width, height
    for size in (32, SIDE):
        pictures = [_ramps(width, height) for width, height in shapes]
        given = run("4.6", prepare, [picture.clone() for picture in pictures], size)
        if not isinstance(given, Tensor):
            raise NotYet(f"prepare returns {type(given).__name__}: one tensor is wanted; torch.cat or torch.stack")
        if given.dtype != torch.uint8:
            raise NotYet(f"prepare returns {given.dtype}: round, and .to(torch.uint8), for so a set is kept")

        def squares(box: Callable[[int, int, int], tuple], size: int = size) -> Tensor:
            return torch.stack([_square(w, h, box(w, h, min(w, h)), size) for w, h in shapes])

        right = squares(lambda w, h, side: ((w - side) / 2, (h - side) / 2, side, side))
        compare(
            "4.6",
            given,
            right,
            (squares(lambda w, h, side: (0, 0, w, h)), "those are whole pictures, squeezed: cut out the square first"),
            (squares(lambda w, h, side: (0, 0, side, side)), "the squares begin at the top left; keep the middle"),
            (squares(lambda w, h, side: (w - side, h - side, side, side)), "the squares end at the bottom right"),
            (
                squares(lambda w, h, side, n=size: ((w - n) / 2, (h - n) / 2, n, n)),
                f"those are the middle {size} pixels of each: shrink the whole square, do not cut {size} pixels out",
            ),
            (
                squares(lambda w, h, side: ((h - side) / 2, (w - side) / 2, side, side)),
                "width and height are exchanged: a picture is [3, height, width], and kept takes the width first",
            ),
            (right.transpose(2, 3), "rows and columns are exchanged: [N, 3, height, width] is wanted"),
            (right[:, [2, 1, 0]], "the channels are exchanged"),
            *(
                (small, "those are numbers from 0 to 1: whole numbers from 0 to 255 are wanted")
                for small in (right / 255, (right / 255).round())
            ),
            otherwise="those are other pixels than Resize and CenterCrop keep, or the rows of different pictures mixed",
            said=f"prepare of {len(shapes)} pictures, size {size}",
            wanted=f"[{len(shapes)}, 3, {size}, {size}] is wanted",
            tolerance=0.01,  # of 217 grey levels: the ways to shrink a picture differ by a pixel
            mean=True,
        )


def _ramps(width: int, height: int) -> Tensor:
    """A picture whose channels count columns, rows, and both: uint8 [3, height, width]."""
    row, column = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    return torch.stack([column, row, (column + row) // 2]).to(torch.uint8)


def _square(width: int, height: int, box: tuple, size: int) -> Tensor:
    """What a picture of `_ramps` becomes where the box (left, top, wide, high) is scaled to a square."""
    places = (torch.arange(size, dtype=torch.float64) + 0.5) / size
    left, top, wide, high = box
    column = (left + places * wide - 0.5).clamp(0, width - 1).expand(size, size)
    row = (top + places * high - 0.5).clamp(0, height - 1)[:, None].expand(size, size)
    return torch.stack([column, row, (column + row) / 2])


def _check_generator(generator_80: Callable[[], nn.Module]) -> str:
    """Whether G makes 80 × 80, can be trained, is cheap enough and starts without a grid; what to say of it."""
    made = run("4.6", generator_80)
    if not isinstance(made, nn.Module):
        raise NotYet(f"generator_80() returns {shown(made)}: return the network")
    if any(isinstance(p, nn.parameter.UninitializedParameter) for p in made.parameters()):
        raise NotYet("G has lazy layers: state their sizes")
    if not any(isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)) for layer in made.modules()):
        raise NotYet("G has no convolution: neighbouring pixels are strangers to it, as in lesson 02")
    judge = nn.Sequential(nn.Flatten(), nn.Linear(3 * SIDE * SIDE, 1), nn.Flatten(0))
    recipe = RECIPES["dcgan-faces-64"].but(network="mlp", size=SIDE, batch=8)
    gan = GAN(recipe, device=devices.default(), networks=(copy.deepcopy(made).float(), judge))
    G, z = gan.G, gan.fixed_latents
    with torch.no_grad(), gan.own_randomness():
        images = images_of(G, z, (3, SIDE, SIDE))
        with sampling.evaluating(G), FlopCounterMode(display=False) as counter:
            G(z[:2])
    operations = counter.get_total_flops() / 2
    if operations > MOST:
        raise NotYet(
            f"G takes {operations / 1e6:.0f} million operations a picture, more than {MOST / 1e6:.0f}: "
            "fewer channels where the picture is large. Your operations() says which layer is the dearest"
        )
    _check_grid(images, sides(G, z[:2]))
    with torch.enable_grad(), gan.own_randomness():
        real = torch.rand(8, 3, SIDE, SIDE, generator=gan.noise, device=gan.device) * 2 - 1
        run("4.6, a training step with your G", training.train_step, gan, real)
    idle = [key for key, p in G.named_parameters() if p.requires_grad and p.grad is None]
    if idle:
        raise NotYet(f"G's {idle[0]} got no gradient in a training step: does `forward` leave its layer out?")
    return f"{road(G, z[:2])} with {operations / 1e6:.0f} million operations a picture and no grid"


def _check_grid(images: Tensor, way: list[int]) -> None:
    """Whether the last enlargement on the way leaves no pattern of its own in untrained pictures."""
    before = next((side for side in reversed(way) if side < SIDE), SIDE // 2)
    if before < 5:
        raise NotYet(f"G goes from {before} × {before} to {SIDE} × {SIDE} in one layer: enlarge in several steps")
    if SIDE % before:
        return
    period, across = SIDE // before, images[..., 1:] == images[..., :-1]
    if across.double().mean() > 0.3:
        raise NotYet(
            f"G's pictures consist of blocks of {period} × {period} equal pixels: enlarge first, and convolve after"
        )
    power = patterns.periodic_power(data.to_uint8(images / images.abs().max()), period)
    if power > 0.1:  # flat heads stay below 0.03, noise has 0.03 at period 2, strided heads more than 0.15
        raise NotYet(
            f"{power:.0%} of the power of your untrained G's pictures repeats every {period} pixels: its last "
            f"enlargement, {before} to {SIDE}, has weights of their own for every place. Enlarge with nn.Upsample, "
            "and convolve after with stride 1"
        )


def _check_verdict(verdict: Callable[[list[str]], str]) -> None:
    """`verdict(lines)` on logs in both formats."""

    def lines(d_real: float, before: float, after: float, n: int = 20, first: int = 1) -> list[str]:
        scores = f"Loss_D: 1.0000  Loss_G: 0.0000  D(x): {d_real:.4f}  D(G(z)): {before:.4f} / {after:.4f}"
        return [
            f"step {50 * i:>6}  {scores}" if i % 2 else f"[0/5][{50 * i}/1583]\t{scores}"
            for i in range(first, first + n)
        ]

    def with_others(log: list[str]) -> list[str]:
        return ["Starting Training Loop...", *(text for line in log for text in (line, "saved a checkpoint"))]

    changed = lines(0.7, 0.3, 0.2) + lines(0.98, 0.02, 0.01, first=21)
    late = lines(0.8, 0.2, 0.1, n=10) + lines(0.98, 0.02, 0.01, n=10, first=11)
    for log, right, about, reason in (
        (lines(0.55, 0.5, 0.5), "D cannot tell", "a log with D(x) 0.55 and D(G(z)) 0.5", "not the losses count"),
        (
            lines(0.97, 0.2, 0.01),
            "contest",
            "a log with D(x) 0.97 and D(G(z)) 0.2 / 0.01",
            "the value *before* D's step counts, the fourth of the five",
        ),
        (changed, "D has won", "a log whose last 20 lines say 0.98 and 0.02", "the last 20 lines count"),
        (with_others(lines(0.75, 0.2, 0.1)), "contest", "a log with other lines between", ""),
        (with_others(changed), "D has won", "a log with other lines between, won at the end", ""),
        (
            with_others(late),
            "contest",
            "a log with other lines between, whose last 10 lines of telemetry differ from those before",
            "the last 20 lines *of telemetry* count: leave the others out first",
        ),
    ):
        try:
            given = run("4.6", verdict, list(log))
        except NotYet as refusal:
            none = "; read_line gives None for a line without telemetry: leave it out" if "between" in about else ""
            raise NotYet(f"{refusal} ({about}{none})" if "stopped with" in str(refusal) else str(refusal)) from None
        word(given, right, ("D has won", "D cannot tell", "contest"), about, reason)
