"""The widgets that open a run, without a browser: controls, pictures, messages."""

import io
from unittest.mock import Mock

import numpy as np
import pytest
import torch
from PIL import Image

from gan_course import files, latent, runs, widgets
from gan_course.data import ImageSet
from gan_course.errors import CourseError


@pytest.fixture(scope="module")
def run(small, pictures, tmp_path_factory):
    """A short run of a small DCGAN, with drawings and snapshots."""
    recipe = small("quick-digits", batch=8, draw_every=25)
    some = ImageSet("mnist", "train", pictures(recipe, 64), torch.zeros(64, dtype=torch.int64), (), "noise")
    return runs.train(recipe, some, tmp_path_factory.mktemp("runs") / "short", images=1_600, progress=False)


def pixels(panel):
    return np.asarray(Image.open(io.BytesIO(panel._image.value)).convert("RGB"))


def message(panel):
    assert isinstance(panel, widgets.Message) and 'role="alert"' in panel._words.value
    return panel.why


# Explorer.


def test_a_slider_moves_all_latents_along_what_was_chosen(run):
    panel = widgets.latent_explorer(run, start=(4, "found 1"))
    before, z = pixels(panel), panel.latents()
    panel.by[0].value = 2.0
    moved = panel.latents() - z
    assert torch.allclose(moved[:, 4], torch.full((12,), 2.0)) and moved.abs().sum() == pytest.approx(24.0)
    assert (pixels(panel) != before).any() and "dimension 4 by +2.0" in panel.picture.alt
    panel.by[1].value = -1.5
    assert torch.allclose(panel.latents() - z - moved, -1.5 * latent.sefa(run.generator(), 1)[1], atol=1e-6)
    panel.reset.click()
    assert torch.equal(panel.latents(), z) and (pixels(panel) == before).all()


def test_buttons_walk_through_the_directions_and_around_their_ends(run):
    panel = widgets.latent_explorer(run, start=("found 1", 98))
    (_, before, after, _), (_, _, after_98, _) = (row.children for row in panel.box.children[:2])
    after.click()
    assert panel.along[0].value == "found 2"
    before.click(), before.click()
    assert panel.along[0].value == "dimension 99"
    after_98.click(), after_98.click()
    assert [along.value for along in panel.along] == ["dimension 99", "found 1"]
    panel.by[1].value = 1.0
    assert "moved along found 1 by +1.0" in panel.picture.alt


def test_a_direction_of_ones_own_gets_length_one(run):
    panel = widgets.latent_explorer(run, {"mine": np.full(100, 3.0)}, start=("mine",))
    z = panel.latents()
    panel.by[0].value = 2.0
    assert (panel.latents() - z).norm(dim=1).mean().item() == pytest.approx(2.0, rel=1e-5)


def test_other_latents_and_seeds(run):
    panel = widgets.latent_explorer(run)
    z = panel.latents()
    panel.randomise.click()
    assert panel.seed.value == 1 and not torch.equal(panel.latents(), z)
    panel.seed.value = 0
    assert torch.equal(panel.latents(), z)


def test_the_picture_can_be_saved_and_never_over_another(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    panel = widgets.latent_explorer(run)
    panel.keep.click()
    first = panel.picture.still
    assert "saved as short-seed0.png" in panel._words.value
    panel.by[0].value = 1.0
    panel.keep.click()
    assert (tmp_path / "short-seed0.png").read_bytes() == first
    assert (tmp_path / "short-seed0-2.png").read_bytes() == panel.picture.still
    monkeypatch.setattr(files, "write_atomically", Mock(side_effect=CourseError("the disk is full")))
    panel.keep.click()
    assert 'role="alert"' in panel._words.value and "the disk is full" in panel._words.value


@pytest.mark.parametrize(
    "options, said",
    [
        ({"start": (100,)}, "dimension 100: a whole number from 0 to 99 works"),
        ({"start": ("smile",)}, "no direction 'smile': there are found 1, "),
        ({"start": ()}, "1 to 6 sliders"),
        ({"pictures": 0}, "pictures 0: a whole number from 1 to 36 works"),
        ({"directions": {"short": torch.ones(99)}}, "direction 'short' of shape [99]"),
        ({"directions": {"none": torch.zeros(100)}}, "not all 0"),
    ],
)
def test_what_an_explorer_cannot_show_it_says(run, options, said):
    assert said in message(widgets.latent_explorer(run, **options))


# Interpolator.


def test_two_anchors_and_the_way_between(run):
    panel = widgets.interpolator(run, seeds=(5, 6))
    a, b = panel.anchors()
    assert torch.allclose(panel.point(), latent.slerp(a, b, 0.5)[0]), "it begins in the middle"
    on_the_arc = panel.point().norm()
    panel.walk.value = "lerp: straight"
    assert panel.point().norm() < 0.85 * on_the_arc and "by lerp" in panel.picture.alt
    for place, anchor in ((0, a), (60, b)):
        panel.across.value = place
        assert torch.allclose(panel.point(), anchor, atol=1e-5)
    panel.play.value = 7
    assert panel.across.value == 7 and "12% across" in panel.picture.alt
    panel.seeds[0].value = 9
    assert not torch.equal(panel.anchors()[0], a)


def test_four_anchors_at_the_corners(run):
    panel = widgets.interpolator(run, anchors=4)
    assert "50% across, 50% down" in panel.picture.alt
    for anchor, (across, down) in zip(panel.anchors(), ((0, 0), (60, 0), (0, 60), (60, 60)), strict=True):
        panel.across.value, panel.down.value = across, down
        assert torch.allclose(panel.point(), anchor, atol=1e-4)


def test_anchors_that_do_not_work(run):
    assert "2 or 4 anchors work" in message(widgets.interpolator(run, anchors=3))
    assert "2 or 4 anchors work" in message(widgets.interpolator(run, anchors=4, seeds=(1, 2)))


# Scrubber.


def test_time_and_latent_have_a_slider_each(run):
    panel = widgets.time_scrubber(run)
    assert panel.time.value == len(run.snapshots) - 1 and "after 1,600 images (step 200)" in panel.picture.alt
    last = pixels(panel)
    panel.time.value = 0
    first = pixels(panel)
    panel.walk.value = 10
    around = pixels(panel)
    assert (last != first).any() and (first != around).any() and "step 0" in panel.picture.alt
    panel.walk.value = 40  # once around
    assert (pixels(panel) == first).all()


def test_missing_and_damaged_snapshots_are_said(run, monkeypatch):
    panel = widgets.time_scrubber(run)
    before = panel._image.value
    damaged = Mock(side_effect=CourseError("the snapshot is damaged or incomplete"))
    with monkeypatch.context() as patch:
        patch.setattr(runs.Run, "generator", damaged)
        panel.time.value = 0
    assert panel._image.value == before, "the picture stays"
    assert 'role="alert"' in panel._words.value and "damaged or incomplete" in panel._words.value
    panel.time.value = 1
    assert 'role="status"' in panel._words.value
    monkeypatch.setattr(runs.Run, "snapshots", [])
    assert "has no snapshots" in message(widgets.time_scrubber(run))


def test_a_run_that_is_none_says_so(tmp_path):
    names = "latent_explorer", "interpolator", "time_scrubber", "training_player"
    for panel in (getattr(widgets, name)(tmp_path / "nothing") for name in names):
        assert "holds no run" in message(panel)
        data, metadata = panel._repr_mimebundle_()
        assert "holds no run" in metadata["image/png"]["alt"] and widgets.VIEW in data


# Player.


def test_the_player_goes_through_the_drawings(run):
    panel = widgets.training_player(run)
    assert panel.time.max == len(run.frames) - 1 and "Nothing is trained yet" in panel.picture.alt
    panel.forth.click()
    assert panel.time.value == 1 and "Curves so far" in panel.picture.alt
    panel.play.value = panel.time.max
    panel.forth.click()
    assert panel.time.value == panel.time.max, "it stops at the end"
    panel.back.click()
    assert panel.time.value == panel.time.max - 1
    panel.speed.value = 150
    assert panel.play.interval == 150


def test_without_a_front_end_the_player_shows_the_end(run):
    data, _ = widgets.training_player(run)._repr_mimebundle_()
    assert "after 1,600 images" in data["text/plain"] and "Curves so far" in data["text/plain"]


# Writer.


@pytest.fixture(scope="module")
def asked(small, tmp_path_factory):
    """A run that learned ten grey levels by class."""
    recipe, labels = small("conditional-digits", draw_every=50), torch.arange(64) % 10
    images = (25 * labels).to(torch.uint8)[:, None, None, None].expand(-1, 1, 28, 28).contiguous()
    some = ImageSet("mnist", "train", images, labels, (), "grey levels")
    return runs.train(recipe, some, tmp_path_factory.mktemp("runs") / "asked", images=2_400, progress=False)


def test_what_is_typed_is_asked_for(asked):
    panel = widgets.number_writer(asked, "90 1")
    z = panel.latents()
    assert z[:, 100:].argmax(1).tolist() == [9, 0, 1] and z[:, 100:].sum() == 3
    assert "The number 90 1" in panel.picture.alt and pixels(panel).shape[1] == 4 * 56 + 5 * 4
    nine, zero = (pixels(panel)[4:-4, 4 + 60 * i : 60 + 60 * i] for i in range(2))
    gap = pixels(panel)[4:-4, 4 + 120 : 176]
    assert nine.mean() > zero.mean() and (gap == 255).all()
    panel.typed.value = "777"
    assert panel.latents()[:, 100:].argmax(1).tolist() == [7, 7, 7] and "777" in panel.picture.alt


def test_one_hand_or_many_and_again(asked):
    panel = widgets.number_writer(asked, "55")
    first, second = panel.latents()
    assert not torch.equal(first, second)
    panel.typed.value = "5"
    assert torch.equal(panel.latents()[0], first), "what stands already is not written anew"
    panel.typed.value = "25"
    panel.hands.value = "one hand: the same z for all"
    two, five = panel.latents()
    assert torch.equal(two[:100], five[:100]) and "from one latent" in panel.picture.alt
    panel.again.click()
    assert panel.seed.value == 1 and not torch.equal(panel.latents()[0], two)


def test_what_cannot_be_written_is_said(asked, run):
    panel = widgets.number_writer(asked, "1")
    before = panel._image.value
    for typed, said in (("", "0 characters"), ("abc", "at least one"), ("1" * 25, "25 characters")):
        panel.typed.value = typed
        assert panel._image.value == before and 'role="alert"' in panel._words.value and said in panel._words.value
    panel.typed.value = "2"
    assert 'role="status"' in panel._words.value
    assert "short cannot be asked for ten digits" in message(widgets.number_writer(run))


def test_the_other_widgets_open_a_run_with_classes(asked):
    for panel in (widgets.latent_explorer(asked), widgets.interpolator(asked), widgets.time_scrubber(asked)):
        assert "pictures of asked" in panel.picture.alt or "between 2 anchors" in panel.picture.alt


# Steps on pictures.


def test_d_and_g_learn_alone_or_in_turn(small, pictures):
    recipe = small("quick-digits", batch=8)
    panel = widgets.train_by_hand(recipe, pictures(recipe, 64))

    def weights():
        nets = panel.gan.G, panel.gan.D
        return [torch.cat([p.detach().flatten() for p in net.parameters()]) for net in nets]

    (g, d), before = weights(), pixels(panel)
    panel.step_d.click()
    assert torch.equal(weights()[0], g) and not torch.equal(weights()[1], d)
    assert (pixels(panel) == before).all() and "D 10, G 0" in panel.picture.alt
    panel.reset.click()
    panel.step_g.click()
    assert not torch.equal(weights()[0], g) and torch.equal(weights()[1], d)
    assert (pixels(panel) != before).any() and "D 0, G 10" in panel.picture.alt
    panel.presses.value = 1
    with torch.no_grad():  # as in a notebook that only looks at pictures
        panel.both.click()
    assert "D 1, G 11" in panel.picture.alt
    said = message(widgets.train_by_hand(recipe, pictures(small("dcgan-faces-64"), 32)))
    assert "[N, 1, 28, 28]" in said
