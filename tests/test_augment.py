"""Changes of what D sees: what each does to a picture, and where in a step they stand."""

import pytest
import torch

from gan_course import augment, training
from gan_course.errors import CourseError
from gan_course.gan import GAN


def dice(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def images():
    return torch.rand(40, 3, 16, 24, generator=dice(9)) + 0.5  # nowhere 0


def test_translation_moves_whole_pictures_and_fills_with_zeros(images):
    moved, found = augment.translation(images, dice()), set()
    for before, after in zip(images, moved, strict=True):
        rows, columns = after.abs().sum((0, 2)).nonzero()[:, 0], after.abs().sum((0, 1)).nonzero()[:, 0]
        matches = [
            (dy, dx)
            for dy in range(-2, 3)
            for dx in range(-3, 4)
            if torch.equal(
                after[:, max(0, dy) : 16 + min(0, dy), max(0, dx) : 24 + min(0, dx)],
                before[:, max(0, -dy) : 16 - max(0, dy), max(0, -dx) : 24 - max(0, dx)],
            )
        ]
        assert len(matches) == 1
        (dy, dx) = matches[0]
        assert len(rows) == 16 - abs(dy) and len(columns) == 24 - abs(dx)
        found.add((dy, dx))
    assert {dy for dy, _ in found} == set(range(-2, 3)) and {dx for _, dx in found} == set(range(-3, 4))


def test_cutout_empties_a_square_of_half_the_side(images):
    cut = augment.cutout(images, dice())
    gone = (cut == 0).all(1)
    assert torch.equal(cut, images.masked_fill(gone[:, None], 0.0))
    assert gone.flatten(1).sum(1).max() == 8 * 12
    for one in gone:
        rows, columns = one.any(1).nonzero()[:, 0], one.any(0).nonzero()[:, 0]
        assert one.sum() == len(rows) * len(columns) > 0
        assert len(rows) == rows[-1] - rows[0] + 1 and 4 <= len(rows) <= 8 and 6 <= len(columns) <= 12


def test_colour_keeps_its_limits(images):
    changed = augment.colour(images, dice())
    shift = changed.mean((1, 2, 3)) - images.mean((1, 2, 3))
    assert shift.abs().max() <= 0.5 and shift.std() > 0.2
    grey, before = changed.mean(1), images.mean(1)
    contrast = (grey.flatten(1).std(1) / before.flatten(1).std(1)).sort().values
    assert 0.5 <= contrast[0] < 0.7 and 1.3 < contrast[-1] <= 1.5
    colours = ((changed - grey[:, None]).std((1, 2, 3)) / (images - before[:, None]).std((1, 2, 3))).sort().values
    assert colours[0] < 0.3 and 1.7 < colours[-1] < 3.0


@pytest.mark.parametrize("name", augment.CHANGES)
def test_every_picture_is_changed_anew_and_the_gradient_comes_back(images, name):
    change = augment.CHANGES[name]
    same = images[:1].expand(8, -1, -1, -1).clone().requires_grad_()
    changed = change(same, dice())
    assert len({one.detach().numpy().tobytes() for one in changed}) > 4
    assert torch.equal(changed, change(same, dice())) and not torch.equal(changed, change(same, dice(1)))
    changed.sum().backward()
    assert (same.grad != 0).float().mean() > 0.5
    if name != "colour":
        assert torch.equal(same.grad.sum((1, 2, 3)), (changed != 0).flatten(1).sum(1).float())


def test_the_names():
    assert torch.equal(augment.changed(torch.ones(2, 1, 8, 8), "none", dice()), torch.ones(2, 1, 8, 8))
    with pytest.raises(CourseError, match="augment 'mirror': there are colour, translation, cutout, several with"):
        augment.check("colour,mirror")


def test_d_never_sees_a_picture_as_it_is(small, pictures):
    """Neither a real nor a generated one, in its own step and in G's."""
    recipe = small("quick-digits", augment="cutout")
    gan, seen = GAN(recipe), []
    gan.D.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    real = next(training.real_batches(gan, pictures(recipe, 16)))
    training.train_step(gan, real)
    assert len(seen) == 3
    assert all((images == 0).flatten(1).sum(1).min() >= 7 * 7 for images in seen)
