"""G along its training: a dozen copies of its moving average, so that one can go back in time.

A snapshot holds weights in 8 bits with a scale for each row, as a published generator does: its pictures differ
from the exact ones by less than a grey level on average (tests measure it).
"""

import re
from pathlib import Path

import torch
from torch import Tensor

from gan_course import checkpoint, files
from gan_course.errors import CourseError
from gan_course.gan import GAN

COUNT = 12
FORMAT = 1
NAME = re.compile(r"step_(\d+)\.safetensors")


def due(until: int) -> list[int]:
    """The steps of a run of that length after which one is taken: its first and last, closer early on."""
    return sorted({round(until * (i / (COUNT - 1)) ** 2) for i in range(COUNT)})


def save(gan: GAN, folder: Path) -> Path:
    """Keep G's average as it is now, in a run's folder.

    Raises:
        CourseError: the disk is full or the folder cannot be written to.
    """
    return checkpoint.write(_path(folder, gan.step), {"format": FORMAT}, pack(gan.average.state_dict()))


def steps(folder: Path) -> list[int]:
    """The steps a run's folder holds snapshots of, in order."""
    found = (NAME.fullmatch(path.name) for path in (folder / "snapshots").glob("*.safetensors"))
    return sorted(int(match[1]) for match in found if match)


def forget(folder: Path, after: int) -> None:
    """Remove the snapshots of later steps."""
    for step in steps(folder):
        if step > after:
            _path(folder, step).unlink(missing_ok=True)  # another job in the folder may forget, too


def copy(folder: Path, other: Path, step: int) -> None:
    """Copy a snapshot from one run's folder to another."""
    files.write_atomically(_path(other, step), _path(folder, step).read_bytes())


def weights(folder: Path, step: int) -> dict[str, Tensor]:
    """The weights of a snapshot, by name, as float32.

    Raises:
        CourseError: there is none of that step, or it is damaged.
    """
    known = steps(folder)
    if step not in known:
        raise CourseError(
            f"{folder} has no snapshot of step {step}: there are {', '.join(map(str, known)) or 'none'}"
        )
    return unpack(checkpoint.read(_path(folder, step), FORMAT)[1])


def _path(folder: Path, step: int) -> Path:
    return folder / "snapshots" / f"step_{step:07d}.safetensors"


def pack(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Matrices and kernels as int8 with a scale for each row; biases, norms and counters as float16 or as they are."""
    packed = {}
    for name, tensor in state.items():
        tensor = tensor.detach().cpu().contiguous()
        if tensor.dim() < 2:
            packed[name] = tensor.half() if tensor.is_floating_point() else tensor
            continue
        scale = tensor.flatten(1).abs().amax(1).clamp_min(1e-12) / 127
        rows = tensor / scale.view(-1, *[1] * (tensor.dim() - 1))
        packed[name], packed[f"{name}.scale"] = rows.round().to(torch.int8).contiguous(), scale
    return packed


def unpack(packed: dict[str, Tensor]) -> dict[str, Tensor]:
    """The way back from `pack`."""
    state = {}
    for name, tensor in packed.items():
        if name.endswith(".scale"):
            continue
        scale = packed.get(f"{name}.scale")
        if scale is not None:
            tensor = tensor.float() * scale.view(-1, *[1] * (tensor.dim() - 1))
        state[name] = tensor.float() if tensor.is_floating_point() else tensor
    return state
