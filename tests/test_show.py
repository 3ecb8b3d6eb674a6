"""Pictures for a notebook: words always, the smaller encoding, exact pixels; curves that stay on the axis."""

import base64
import io
import warnings
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from gan_course import show, watch
from gan_course.errors import CourseError
from gan_course.history import COLUMNS, History


def opened(picture: show.Picture) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(picture.still)).convert("RGB")).astype(int)


def test_a_picture_needs_words():
    with pytest.raises(CourseError, match="needs alternative text"):
        show.grid(torch.zeros(4, 1, 28, 28, dtype=torch.uint8), "  ")


def test_small_and_grey_pictures_are_exact():
    digits = torch.randint(0, 256, (4, 1, 28, 28), dtype=torch.uint8)
    picture = show.grid(digits, "noise", columns=np.int64(2), scale=np.int64(1))
    assert picture.mime == "image/png"
    assert np.array_equal(opened(picture)[2:30, 2:30, 0], digits[0, 0].numpy())
    with pytest.raises(CourseError, match="columns 0: a whole number from 1 works"):
        show.grid(digits, "noise", columns=0)


def test_large_photographs_become_a_jpeg_that_looks_the_same():
    coarse = torch.rand(24, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    smooth = torch.nn.functional.interpolate(coarse, size=128, mode="bicubic").mul(255).clamp(0, 255).byte()
    picture = show.grid(smooth, "24 coloured clouds", columns=8)
    assert picture.mime == "image/jpeg" and len(picture.still) < smooth.numel() / 8
    first = opened(picture)[2:130, 2:130]
    assert np.abs(first - smooth[0].permute(1, 2, 0).numpy()).mean() < 4
    data, metadata = picture._repr_mimebundle_()
    assert base64.b64decode(data["image/jpeg"]) == picture.still
    assert metadata["image/jpeg"]["alt"] == "24 coloured clouds"


def test_beside_keeps_every_pixel_and_the_order():
    def block(grey, n):
        return torch.full((n, 1, 28, 28), grey, dtype=torch.uint8)

    picture = show.beside({"dark": block(40, 9), "bright": block(200, 4)}, "two blocks", columns=3)
    left, right = np.array_split(opened(picture), 2, axis=1)
    for pixels, grey, n in ((left, 40, 9), (right, 200, 4)):
        assert (pixels[34:] == grey).all(axis=2).sum() == n * 56 * 56  # at twice the size, below the title
        assert pixels[:34].min() < 60


def test_an_animation_moves_and_has_its_last_frame_as_still(tmp_path):
    frames = [np.full((20, 20, 3), value, np.uint8) for value in (0, 120, 250)]
    picture = show.animation(frames, "from black to white", ms=np.int64(100))
    with Image.open(picture.save(tmp_path / "moving.webp")) as moving:
        assert moving.n_frames == 3
    assert opened(picture).min() == 250
    with pytest.raises(CourseError, match="at least one frame"):
        show.animation([], "nothing")


# How a run stands.


def history(n=40, **columns) -> History:
    rows = np.full((n, len(COLUMNS)), np.nan)
    rows[:, :2] = np.arange(n)[:, None] * (1, 4)
    for name, values in columns.items():
        rows[:, list(COLUMNS).index(name)] = values
    return History(rows)


@pytest.fixture
def axes(monkeypatch):
    """The axes (losses, scores) of the figure drawn last."""
    drawn = SimpleNamespace()

    def keep(fig, *arguments):
        picture = show.figure(fig, *arguments)
        drawn.losses, drawn.scores = fig.axes[-2:]
        return picture

    monkeypatch.setattr(watch, "figure", keep)
    return drawn


def test_probabilities_fill_the_axis_and_other_scores_widen_it(axes):
    watch.curves(history(d_real=0.7, d_fake=0.1))
    assert axes.scores.get_ylim() == (0, 1)
    watch.curves(history(d_real=np.linspace(0.2, 1.3, 40), d_fake=-0.4))  # least squares: any number
    low, high = axes.scores.get_ylim()
    assert -0.6 < low <= -0.4 and 1.3 <= high < 1.5
    watch.standing(np.zeros((8, 8, 3), np.uint8), history(d_real=0.7), 160, goal=40)
    assert axes.scores.get_xlim() == (0, 156), "a run that goes on beyond its goal stays on the axis"


def test_no_number_breaks_a_picture(axes):
    wild = np.ones(40)
    wild[10:16] = np.nan, np.inf, -np.inf, 1e308, -1e308, 3e38
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        said = watch.curves(history(loss_d=wild, d_real=wild)).alt
        assert "G's loss not measured" in said
        assert np.isfinite([axes.losses.get_ylim(), axes.scores.get_ylim()]).all()
        assert "D's loss is nan" in watch.curves(history(loss_d=[np.inf, -np.inf] * 20)).alt
        assert "D's loss is 2," in watch.curves(history(1, loss_d=2.0)).alt
        assert watch.curves(History()).alt == "Nothing is trained yet."


def test_live_training_draws_now_and_then_and_at_the_end():
    gan = SimpleNamespace(images=0, history=History(), draw=lambda: torch.zeros(4, 1, 8, 8))
    live = watch.LiveTraining(goal=30, seconds=1e9)
    for gan.images in (10, 20, 30):
        live.update(gan)
    assert len(live.drawings) == 2  # the first report and the goal
    assert live.animation("it trains").webp
