"""The device that computes: which one, what it is called, and what it means when it fails."""

import contextlib
import platform
import traceback
from collections.abc import Iterator
from pathlib import Path

import torch

from gan_course.errors import CourseError

OUT_OF_MEMORY = ("out of memory", "can't allocate memory", "could not create a primitive", "ALLOC_FAILED")
LOST = ("unspecified launch failure", "no CUDA-capable device", "device is lost", "GPU is lost")
LOST += ("uncorrectable ECC error", "hardware stack error", "device(s) is/are busy or unavailable")
FOREIGN = ("no kernel image is available", "not compatible with the current PyTorch installation")


def default() -> torch.device:
    """Where tensors live by default: this process's CUDA GPU, else the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda", torch.cuda.current_device())
    return torch.device("cpu")


def name(device: torch.device) -> str:
    """The device in words, for evidence headers: the GPU's name, or how many CPU threads compute."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"CPU, {torch.get_num_threads()} threads"


def processor() -> str:
    """What kind of processor this machine has, as it calls itself."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return (names or [platform.processor()])[0]


def trouble(error: BaseException) -> str | None:
    """What an error says about the device itself, in one line with what would work; None where it says nothing."""
    said = " ".join(str(error).split())
    if isinstance(error, MemoryError) or any(words in said for words in OUT_OF_MEMORY):
        return (
            "out of memory: less at a time works (a smaller batch or width, fewer images), "
            "and so does closing other programs"
        )
    if any(words in said for words in FOREIGN):
        return (
            "this PyTorch was not built for this GPU: install a build for it (pytorch.org lists them), or set "
            "CUDA_VISIBLE_DEVICES= (empty) before Python starts, and the CPU computes"
        )
    if any(words in said for words in LOST):
        return f"the GPU no longer answers ({said[:100]}): restart Python; a run goes on from its last checkpoint"
    return None


@contextlib.contextmanager
def explained(doing: str) -> Iterator[None]:
    """Turn what PyTorch says about a device in trouble into one line for the user.

    Args:
        doing: what was going on, in words.

    Raises:
        CourseError: the device is out of memory, gone, or none that this PyTorch can use.
    """
    try:
        yield
        return
    except (RuntimeError, MemoryError) as error:
        if (words := trouble(error)) is None:
            raise
        traceback.clear_frames(error.__traceback__)  # they hold what was too large
    raise CourseError(f"{doing}: {words}")
