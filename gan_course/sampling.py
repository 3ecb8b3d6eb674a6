"""New images from a trained generator."""

import contextlib
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import nn

from gan_course import data, devices, files
from gan_course.errors import whole

CHUNK = 256  # images a forward pass, so that memory does not grow with n


@torch.no_grad()
def sample(generator: nn.Module, n: int, seed: int = 0) -> torch.Tensor:
    """n new images from a generator, with its running BatchNorm statistics and without dropout.

    The generator itself stays as it is, in whichever mode it was.

    Returns:
        uint8 [n, C, H, W] on the CPU.

    Raises:
        CourseError: fewer than 1, or more than the memory holds.
    """
    n, device = whole(n, "number of images", 1), next(generator.parameters()).device
    draw = torch.Generator(device).manual_seed(whole(seed, "seed"))
    images = None
    with evaluating(generator), devices.explained(f"sampling {n:,} images"):
        for begin in range(0, n, CHUNK):
            z = torch.randn(min(CHUNK, n - begin), generator.latent_dim, generator=draw, device=device)
            part = data.to_uint8(generator(z)).cpu()
            if images is None:
                images = torch.empty(n, *part.shape[1:], dtype=torch.uint8)
            images[begin : begin + CHUNK] = part
    return images


@contextlib.contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """A block in which a network evaluates; afterwards each of its layers is in the mode it was in before."""
    modes = {layer: layer.training for layer in network.modules()}
    network.eval()
    try:
        yield
    finally:
        for layer, mode in modes.items():
            layer.training = mode


def write_npz(path: str | Path, images: torch.Tensor) -> Path:
    """Images as a NumPy archive with the one key `images`, uint8 [N, C, H, W]."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, images=images.numpy())
    return files.write_atomically(path, buffer.getvalue())
