"""Many images as one: the grid that every run draws of its fixed latents."""

import io
import math

import numpy as np
import torch
from PIL import Image

from gan_course import data
from gan_course.errors import CourseError, whole


def tile(
    images: torch.Tensor, columns: int | None = None, padding: int = 2, scale: int | None = None
) -> np.ndarray:
    """Images side by side in one array.

    Args:
        images: uint8 [N, C, H, W], or float in [-1, 1] of the same shape; C is 1 or 3.
        columns: images a row; the square root of N by default.
        padding: white pixels between the images.
        scale: whole-number enlargement without smoothing; by default what makes 28 px easy to see.

    Returns:
        uint8 [height, width, 3].
    """
    if images.ndim != 4 or images.shape[1] not in (1, 3) or not len(images):
        raise CourseError(f"a grid takes images [N, 1 or 3, H, W]; these have shape {list(images.shape)}")
    if images.dtype != torch.uint8:
        images = data.to_uint8(images)
    columns = math.ceil(math.sqrt(len(images))) if columns is None else whole(columns, "columns", 1)
    scale = (2 if images.shape[-1] <= 48 else 1) if scale is None else whole(scale, "scale", 1)
    n, p, (height, width) = len(images), whole(padding, "padding"), images.shape[-2:]
    columns = min(columns, n)
    rows = math.ceil(n / columns)
    # torchvision's make_grid does the same, and importing torchvision takes as long as importing torch.
    cells = torch.full((rows * columns, 3, p + height, p + width), 255, dtype=torch.uint8)
    cells[:n, :, p:, p:] = images.cpu()
    grid = cells.unflatten(0, (rows, columns)).permute(0, 3, 1, 4, 2).reshape(rows * (p + height), -1, 3)
    grid = torch.nn.functional.pad(grid, (0, 0, 0, p, 0, p), value=255)
    return grid.repeat_interleave(scale, 0).repeat_interleave(scale, 1).numpy()


def encode_png(array: np.ndarray, quick: bool = False) -> bytes:
    """PNG bytes of a uint8 array [H, W, 3]; pictures without colour are stored grey.

    Args:
        quick: for pictures that are shown once: a little larger, several times as fast.
    """
    image = Image.fromarray(array)
    if array.ndim == 3 and (array[..., :1] == array).all():
        image = image.convert("L")
    buffer = io.BytesIO()
    image.save(buffer, "PNG", **({"compress_level": 1} if quick else {"optimize": True}))
    return buffer.getvalue()
