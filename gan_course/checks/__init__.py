"""Checks for the exercises, a module a lesson. Each says what is wrong in the words of the exercise.

All of them call what a student wrote through `run` and judge numbers by `compare`, in float64: a right answer
may come in any floating-point type, on any device and by any operations.
"""

import contextlib
import copy
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from gan_course import sampling, sizes
from gan_course.errors import CourseError

STUB = re.compile(r"Exercise( \d+\.\d+)?: your code goes here")  # what an unsolved exercise raises


class NotYet(CourseError):
    """An exercise is not right yet. A notebook shows the message alone, one line, without a traceback."""

    def __init__(self, message: str):
        super().__init__(re.sub(r"\s*\n\s*", " ", message.strip()))

    def _render_traceback_(self) -> list[str]:
        return [f"✗ {self}"]


def passed(message: str) -> None:
    """Say that an exercise is right."""
    print(f"✓ {message}")


def run(exercise: str, function, *arguments):
    """Call what a student wrote, and put the commonest misfortunes into words.

    Raises:
        NotYet: the stub is still there, the call failed, or it overwrote a tensor that it was given; says how.
    """
    if function is ...:
        raise NotYet(f"exercise {exercise} still waits for your code")
    lent = [(given, given.clone()) for given in arguments if isinstance(given, Tensor)]
    try:
        result = function(*arguments)
    except Exception as error:
        if isinstance(error, NotImplementedError) and (stub := STUB.fullmatch(str(error))):  # perhaps an earlier one's
            raise NotYet(f"exercise{stub[1] or f' {exercise}'} still waits for your code") from None
        said = f"exercise {exercise}: your code stopped with {type(error).__name__}: {error}"
        if isinstance(error, RuntimeError) and "device" in str(error):
            said += (
                "; put what you make, a torch.Generator too, on the device of what you are given, such as "
                "next(G.parameters()).device"
            )
        elif "modified by an inplace operation" in str(error):
            said += (
                "; weights moved between a loss and its backward(): step() comes after the backward() of every loss "
                "that was made before it, so add the losses and make one step"
            )
        raise NotYet(said) from error
    if result is ...:
        raise NotYet(f"exercise {exercise} still returns `...`: put your code there")
    if any(not torch.equal(given, before) for given, before in lent):
        raise NotYet(f"exercise {exercise}: your function changed a tensor that it was given; work on a copy")
    return result


def compare(
    exercise: str,
    given,
    right,
    *wrong: tuple,
    otherwise: str | Callable[[Tensor], str],
    said: str = "",
    wanted: str = "",
    tolerance: float = 1e-5,
    mean: bool = False,
) -> Tensor:
    """Refuse an answer that is not right, in the words of the wrong answer that it is nearest to.

    Args:
        given: what a student returned: a tensor, an array, a number or a list of them.
        right: the right answer, or a tuple of several; a whole number has to be met exactly.
        wrong: pairs (wrong answer, what to say to it). One that equals the right answer here is passed over.
        otherwise: what to say to any other answer, or what makes it of the answer in float64.
        said: what begins every refusal, such as the call that was tried.
        wanted: what to say to another shape; by default the right one.
        tolerance: how far off right is, in parts of the answer's largest number; more where the type of the
            answer rounds more.
        mean: let the mean of the differences count, not the largest.

    Returns:
        the answer, float64 on the CPU.

    Raises:
        NotYet: it is not right.
    """
    whole = isinstance(right, int)
    rights = [_numbers(one)[0] for one in (right if isinstance(right, tuple) else (right,))]
    values, eps = read(exercise, given, said)
    tolerance = 0 if whole else max(tolerance, 8 * eps)
    known = [(one, "") for one in rights]
    for answer, words in wrong:
        answer = _numbers(answer)[0]
        if min(distance(answer, one) for one in rights) > (0 if whole else 1e-6):
            known.append((answer, words))
    far = [distance(values, answer, mean) for answer, _ in known]
    nearest = far.index(min(far))
    if far[nearest] <= tolerance:
        words = known[nearest][1]
        if not words:
            return values
    elif values.shape != rights[0].shape:
        right = "one whole number is wanted" if whole else f"the result has the shape {tuple(rights[0].shape)}"
        raise NotYet(f"{said or f'exercise {exercise}'}: {wanted or right}; yours has {tuple(values.shape)}")
    elif whole and values != values.round():
        words = "a whole number is wanted: // divides and rounds down"
    else:
        words = otherwise if isinstance(otherwise, str) else otherwise(values)
    raise NotYet(f"{said}: {words}" if said else words)


def distance(a: Tensor, b: Tensor, mean: bool = False) -> float:
    """The largest difference (or the mean one) in parts of b's largest number; equal NaN and infinities count as 0."""
    if a.shape != b.shape:
        return math.inf
    same = (a == b) | (a.isnan() & b.isnan())
    off = (a - b).abs().masked_fill(same, 0.0).nan_to_num(nan=math.inf)
    scale = b[b.isfinite()].abs().max().item() if b.isfinite().any() else 1.0
    return (off.mean() if mean else off.max()).item() / (scale or 1.0)


def read(exercise: str, given, said: str) -> tuple[Tensor, float]:
    """An answer in float64 on the CPU, and the relative rounding of the type that it came in.

    Raises:
        NotYet: it holds no numbers.
    """
    if given is None and not said:
        raise NotYet(f"exercise {exercise}: your function returns nothing; is the `return` missing?")
    try:
        return _numbers(given)
    except (TypeError, ValueError, RuntimeError, OverflowError):
        words = f"numbers are wanted; yours is {type(given).__name__}"
    if isinstance(given, Iterator):
        words += ", which only promises them: return a tensor, or a tuple(…) of it"
    if getattr(given, "dtype", None) in (torch.complex64, torch.complex128, np.complex64, np.complex128):
        words = "your numbers are complex; real ones are wanted"
    raise NotYet(f"{said}: {words}" if said else f"exercise {exercise}: {words}")


def _numbers(given) -> tuple[Tensor, float]:
    if isinstance(given, (list, tuple)):
        values, eps = zip(*map(_numbers, given), strict=True)
        return torch.stack(values), max(eps)
    if isinstance(given, (np.ndarray, np.generic)):
        given = torch.from_numpy(np.array(given))
    if not isinstance(given, Tensor):
        if isinstance(given, (str, bytes, complex)):
            raise TypeError
        given = torch.tensor(float(given), dtype=torch.float64)
    if given.is_complex():
        raise TypeError
    eps = torch.finfo(given.dtype).eps if given.is_floating_point() else 0.0
    return given.detach().to_dense().cpu().double(), eps


def shown(value) -> str:
    """A value as Python writes it, on one line and not too long."""
    text = re.sub(r"\s*\n\s*", " ", repr(value))
    return text if len(text) <= 120 else text[:117] + "…"


def word(given, right: str, allowed: tuple[str, ...], about: str, reason: str = "") -> None:
    """Whether an answer is the right one of a few words.

    Raises:
        NotYet: it is another, or none of them.
    """
    if not isinstance(given, str) or given not in allowed:
        raise NotYet(f"{about}: you say {shown(given)}; the answer is one of {', '.join(map(repr, allowed))}")
    if given != right:
        raise NotYet(f"{about}: you say {given!r}, and {right!r} is right{reason and ': '}{reason}")


def flat(tensors) -> Tensor:
    """All numbers of some tensors in one row, float64."""
    return torch.cat([tensor.detach().double().flatten() for tensor in tensors])


@contextlib.contextmanager
def inputs(network: nn.Module):
    """Inside the block, a list of what the network has been called with."""
    seen: list[Tensor] = []
    hook = network.register_forward_pre_hook(lambda _, arguments: seen.append(arguments[0].data.clone()))
    try:
        yield seen
    finally:
        hook.remove()


def images_of(G: nn.Module, z: Tensor, shape: tuple[int, int, int]) -> Tensor:
    """What G makes of latents z [N, 100] in training mode.

    Raises:
        NotYet: not pictures of this shape (C, H, W) in -1 … 1, or a pixel is the same for every z.
    """
    try:
        images = G(z)
    except Exception as error:
        raise NotYet(
            f"G stopped with {type(error).__name__}: {error}. z comes as [N, 100]; nn.Unflatten(1, (100, 1, 1)) makes "
            "maps of 1 × 1 of it, which a convolution can take"
        ) from None
    wanted = [len(z), *shape]
    if not isinstance(images, Tensor) or list(images.shape) != wanted:
        given = list(images.shape) if isinstance(images, Tensor) else type(images).__name__
        raise NotYet(f"G of z {list(z.shape)} is {given}, not {wanted}. Its sizes: {road(G, z)}")
    loud = louder(G)(z)
    if loud.abs().max() > 1.001:
        raise NotYet("G's pixels can leave -1 … 1, where the real ones lie: end in nn.Tanh()")
    if loud.min() >= 0:
        raise NotYet("G's pixels lie between 0 and 1; the real ones go from -1 to 1: nn.Tanh(), no sigmoid")
    with torch.no_grad(), sampling.evaluating(G):
        still = (G(z).double().std(dim=0)[0] == 0).nonzero().tolist()
    if still:
        raise NotYet(f"G's pixel {tuple(still[0])} is the same for every z: a gap that no input writes to?")
    return images


def louder(network: nn.Module) -> nn.Module:
    """A copy with weights so large that only a last activation can bound what comes out."""
    twin = copy.deepcopy(network).train()
    with torch.no_grad():
        for weight in twin.parameters():
            weight.mul_(1e3)
    return twin


def road(network: nn.Module, x: Tensor) -> str:
    """The sides of the maps on the way through a network's layers, each change once."""
    return " → ".join(map(str, sides(network, x)))


def sides(network: nn.Module, x: Tensor) -> list[int]:
    """The same sides as numbers."""
    device = next(network.parameters()).device
    found = [shape[-1] for _, shape in sizes.trace(network, x.to(device)) if len(shape) == 3]
    return [side for i, side in enumerate(found) if not i or side != found[i - 1]]


class Calls(TorchFunctionMode):
    """A block that counts which of PyTorch's functions are called in it, by name."""

    def __init__(self):
        super().__init__()
        self.names = Counter()

    def __torch_function__(self, function, types, args=(), kwargs=None):
        self.names[getattr(function, "__name__", "")] += 1
        return function(*args, **(kwargs or {}))


class InFloat64(TorchFunctionMode):
    """A block that computes in float64, also where its code says float32: what differs then is no rounding."""

    def __enter__(self):
        self._default = torch.get_default_dtype()
        torch.set_default_dtype(torch.float64)
        return super().__enter__()

    def __exit__(self, *error):
        torch.set_default_dtype(self._default)
        return super().__exit__(*error)

    def __torch_function__(self, function, types, args=(), kwargs=None):
        def wider(value):
            return torch.float64 if value is torch.float32 else value

        function = Tensor.double if function is Tensor.float else function
        return function(*map(wider, args), **{k: wider(v) for k, v in (kwargs or {}).items()})
