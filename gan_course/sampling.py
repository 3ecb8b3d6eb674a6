"""New images from a trained generator."""

import io
from pathlib import Path

import numpy as np
import torch

from gan_course import data, files
from gan_course.errors import CourseError
from gan_course.memory import free_memory
from gan_course.networks import Generator

CHUNK = 256  # images a forward pass, so that memory does not grow with n


@torch.no_grad()
def sample(generator: Generator, n: int, seed: int = 0) -> torch.Tensor:
    """n new images from a generator, uint8 [n, C, H, W] on the CPU, with the statistics of its current mode.

    Raises:
        CourseError: fewer than 1, or more than the memory holds.
    """
    device = next(generator.parameters()).device
    draw = torch.Generator(device).manual_seed(seed)
    if n < 1:
        raise CourseError(f"{n} images: ask for at least 1")
    first = _batch(generator, min(n, CHUNK), draw)
    _check_fits(n, first[0].numel())
    images = torch.empty(n, *first.shape[1:], dtype=torch.uint8)
    images[: len(first)] = first
    for begin in range(len(first), n, CHUNK):
        images[begin : begin + CHUNK] = _batch(generator, min(CHUNK, n - begin), draw)
    return images


def _batch(generator: Generator, n: int, draw: torch.Generator) -> torch.Tensor:
    z = torch.randn(n, generator.latent_dim, generator=draw, device=draw.device)
    return data.to_uint8(generator(z)).cpu()


def _check_fits(n: int, bytes_each: int) -> None:
    free = free_memory()
    if n * bytes_each > 0.8 * free:
        raise CourseError(
            f"{n:,} images take {n * bytes_each / 1e9:.1f} GB and {free / 1e9:.1f} GB are free: "
            f"ask for at most {int(0.8 * free / bytes_each):,}"
        )


def write_npz(path: str | Path, images: torch.Tensor) -> Path:
    """Images as a NumPy archive with the one key `images`, uint8 [N, C, H, W]."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, images=images.numpy())
    return files.write_atomically(path, buffer.getvalue())
