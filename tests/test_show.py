"""Pictures for a notebook: words always, the smaller encoding, pixels that stay pixels."""

import base64
import io

import numpy as np
import pytest
import torch
from PIL import Image

from gan_course import portraits, show
from gan_course.errors import CourseError


def opened(picture: show.Picture) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(picture.still)).convert("RGB")).astype(int)


def test_a_picture_needs_words():
    with pytest.raises(CourseError, match="needs alternative text"):
        show.grid(torch.zeros(4, 1, 28, 28, dtype=torch.uint8), "  ")


def test_small_and_grey_pictures_are_exact():
    digits = torch.randint(0, 256, (4, 1, 28, 28), dtype=torch.uint8)
    picture = show.grid(digits, "noise", scale=1)
    assert picture.mime == "image/png"
    assert np.array_equal(opened(picture)[2:30, 2:30, 0], digits[0, 0].numpy())


def test_many_faces_become_a_jpeg_that_looks_the_same():
    faces = portraits.draw(48, 64).images
    picture = show.grid(faces, "48 drawn faces", columns=8)
    assert picture.mime == "image/jpeg" and len(picture.still) < 130_000
    first = opened(picture)[2:66, 2:66]
    assert np.abs(first - faces[0].permute(1, 2, 0).numpy()).mean() < 4
    data, metadata = picture._repr_mimebundle_()
    assert base64.b64decode(data["image/jpeg"]) == picture.still
    assert metadata["image/jpeg"]["alt"] == "48 drawn faces"


def test_beside_keeps_every_pixel_and_the_order():
    dark, bright = (
        torch.full((9, 1, 28, 28), 40, dtype=torch.uint8),
        torch.full((4, 1, 28, 28), 200, dtype=torch.uint8),
    )
    picture = show.beside({"dark": dark, "bright": bright}, "two blocks", columns=3)
    pixels = opened(picture)
    side = 3 * (28 + 2) * 2 + 4  # the width of one grid, at twice the size
    assert pixels.shape == (side + 34, 2 * side + 24, 3)
    assert (pixels[34:, :side] == 40).all(axis=2).sum() == 9 * 56 * 56
    assert (pixels[34:, side:] == 200).all(axis=2).sum() == 4 * 56 * 56
    assert pixels[:34].min() < 60  # the titles


def test_an_animation_moves_and_has_its_last_frame_as_still():
    frames = [np.full((20, 20, 3), value, np.uint8) for value in (0, 120, 250)]
    picture = show.animation(frames, "from black to white")
    with Image.open(io.BytesIO(picture.webp)) as moving:
        assert moving.n_frames == 3
    assert opened(picture).min() == 250
    with pytest.raises(CourseError, match="at least one frame"):
        show.animation([], "nothing")
