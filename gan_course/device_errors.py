"""What to say when a device runs out of memory, or is gone."""

import contextlib
import traceback
from collections.abc import Iterator

import torch

from gan_course import data, training
from gan_course.errors import CourseError
from gan_course.gan import GAN
from gan_course.recipes import Recipe

LOST = (
    "unspecified launch failure",
    "no CUDA-capable device",
    "device is lost",
    "GPU is lost",
    "uncorrectable ECC error",
    "hardware stack error",
    "device(s) is/are busy or unavailable",
)


@contextlib.contextmanager
def explained(recipe: Recipe, device: torch.device) -> Iterator[None]:
    """Turn what PyTorch says in such a case into one line for the user.

    Raises:
        CourseError: out of memory, with a batch size that fits; or the GPU stopped answering.
    """
    try:
        yield
        return
    except (RuntimeError, MemoryError) as error:
        short_of_memory = out_of_memory(error)
        if not (short_of_memory or gpu_lost(error)):
            raise
        said = " ".join(str(error).split())[:100]
        traceback.clear_frames(error.__traceback__)  # they hold the step that was too large in memory
    # Outside the handler, so that little of that step is held while smaller ones are tried. The run itself is still
    # there beside them: what is found fits, and a little more might.
    if not short_of_memory:
        raise CourseError(
            f"the GPU no longer answers ({said}); the last checkpoint is kept: restart, and the same command "
            "with --resume goes on from it"
        )
    fits = largest_batch(recipe, device)
    advice = f"a batch of {fits} fits here: --set batch={fits}" if fits else "not even a batch of 2 fits here"
    raise CourseError(f"out of memory on {device.type} with batches of {recipe.batch}: {advice}")


def out_of_memory(error: Exception) -> bool:
    """Whether an error says that memory ran out, on a GPU or on the CPU."""
    # The CPU's allocator, oneDNN (its convolutions), the driver and cuBLAS have no type of their own for it.
    said = (
        "can't allocate memory",
        "could not create a primitive",
        "CUDA error: out of memory",
        "ALLOC_FAILED",
    )
    return isinstance(error, (MemoryError, torch.OutOfMemoryError)) or any(s in str(error) for s in said)


def gpu_lost(error: Exception) -> bool:
    """Whether an error says that the GPU is gone or was reset; other CUDA errors may be the program's own."""
    return any(words in str(error) for words in LOST)


def largest_batch(recipe: Recipe, device: torch.device) -> int:
    """The largest batch below the recipe's that trains a step, by halving; 0 if not even 2 does."""
    batch = recipe.batch // 2
    while batch >= 2:
        if _fits(recipe.but(batch=batch), device):
            return batch
        batch //= 2
    return 0


def _fits(recipe: Recipe, device: torch.device) -> bool:
    if device.type == "cuda":
        torch.cuda.empty_cache()
    try:
        gan = GAN(recipe, 0, device)
        shape = (recipe.batch, recipe.channels, recipe.size, recipe.size)
        with gan.own_randomness():
            for _ in range(2):  # the optimisers make their state in the first
                training.train_step(gan, data.to_signed(torch.zeros(shape, dtype=torch.uint8, device=device)))
    except (RuntimeError, MemoryError) as error:
        if not out_of_memory(error):
            raise
        return False
    return True
