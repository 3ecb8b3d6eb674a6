"""New images from a trained generator."""

import contextlib
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import nn

from gan_course import data, devices, files, networks
from gan_course.errors import CourseError, whole

CHUNK = 256  # images a forward pass, so that memory does not grow with n


@torch.no_grad()
def sample(generator: nn.Module, n: int, seed: int = 0, labels: torch.Tensor | None = None) -> torch.Tensor:
    """n new images from a generator, with its running BatchNorm statistics and without dropout.

    The generator itself stays as it is, in whichever mode it was.

    Args:
        labels: the class that each is to have, int64 [n], of a generator that can be asked; by default any, by chance.

    Returns:
        uint8 [n, C, H, W] on the CPU.

    Raises:
        CourseError: fewer than 1, or more than the memory holds; labels that do not fit.
    """
    n, device = whole(n, "number of images", 1), next(generator.parameters()).device
    draw = torch.Generator(device).manual_seed(whole(seed, "seed"))
    check_asked(generator, n, labels)
    images = None
    with evaluating(generator), devices.explained(f"sampling {n:,} images"):
        for begin in range(0, n, CHUNK):
            asked = None if labels is None else labels[begin : begin + CHUNK].to(device)
            z = latents(generator, min(CHUNK, n - begin), draw, asked)
            part = data.to_uint8(generator(z)).cpu()
            if images is None:
                images = torch.empty(n, *part.shape[1:], dtype=torch.uint8)
            images[begin : begin + CHUNK] = part
    return images


def latents(generator: nn.Module, n: int, draw: torch.Generator, labels: torch.Tensor | None = None) -> torch.Tensor:
    """The next n latents of a generator, N(0, 1), [n, latent_dim], on the device of `draw`.

    Args:
        labels: the class that each asks for, int64 [n], of a generator that can be asked; by default any, by chance.
    """
    classes = getattr(generator, "classes", 0)
    z = torch.randn(n, generator.latent_dim - classes, generator=draw, device=draw.device)
    if not classes:
        return z
    if labels is None:
        labels = torch.randint(classes, (n,), generator=draw, device=draw.device)
    return networks.with_class(z, labels, classes)


def check_asked(generator: nn.Module, n: int, labels: torch.Tensor | None) -> None:
    """Whether a generator can be asked for n images of these classes.

    Raises:
        CourseError: it knows no classes, or others.
    """
    classes = getattr(generator, "classes", 0)
    if labels is None:
        return
    if not classes:
        raise CourseError("this generator cannot be asked for a class: conditional-digits and conditional-clothes can")
    if labels.shape != (n,) or labels.dtype != torch.int64 or not 0 <= labels.min() <= labels.max() < classes:
        raise CourseError(f"labels: int64 [{n}] from 0 to {classes - 1} work, one for each image")


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
