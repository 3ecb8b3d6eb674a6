"""Drawn faces: the same number is the same face, attributes are in the pixels, small is large from afar."""

import copy
import itertools
import os

import pytest
import torch
from torch.nn.functional import avg_pool2d

from gan_course import data, portraits
from gan_course.errors import CourseError
from gan_course.portraits import painter, traits


@pytest.fixture(scope="module")
def many():
    return portraits.draw(1000, 32)


@pytest.fixture(scope="module")
def sitters():
    """sitters(**changes): the same 64 sitters at 64 px, as floats 0 to 1, with some traits changed."""
    block, _ = traits.draw(3, 0)

    def paint(**changes):
        t = copy.copy(block)
        for name, value in changes.items():
            setattr(t, name, torch.full_like(getattr(t, name), value))
        return painter.paint(64, t).float() / 255

    return paint


# The same number is the same face.


def test_it_is_an_image_set():
    drawn = portraits.draw(70, 33, seed=2)
    assert isinstance(drawn, data.ImageSet) and (drawn.name, drawn.split) == ("drawn-faces", "train")
    assert drawn.images.shape == (70, 3, 33, 33) and drawn.images.dtype == torch.uint8 and len(drawn) == 70
    assert drawn.labels.dtype == torch.int64 and drawn.labels.tolist() == [0] * 70
    assert drawn.classes == ("face",) and drawn.attribute_names == portraits.ATTRIBUTES
    assert drawn.attributes.shape == (70, len(portraits.ATTRIBUTES)) and drawn.attributes.dtype == torch.bool
    assert "70 drawn faces" in drawn.source and "not photographs" in drawn.source


def test_a_face_depends_neither_on_its_company_nor_on_the_global_generator(many):
    torch.manual_seed(5)
    before = torch.get_rng_state()
    for first, n in ((0, 1), (60, 10), (64, 64), (990, 10)):
        drawn = portraits.draw(n, 32, first=first)
        assert torch.equal(drawn.images, many.images[first : first + n])
        assert torch.equal(drawn.attributes, many.attributes[first : first + n])
    assert torch.equal(torch.get_rng_state(), before)


def test_another_process_draws_the_same(process, tmp_path):
    path = tmp_path / "faces.bin"
    code = f"from gan_course import portraits; portraits.draw(70, 40).images.numpy().tofile({str(path)!r})"
    child = process("-c", code, cwd=os.getcwd())
    _, error = child.communicate(timeout=900)
    assert child.returncode == 0, error
    assert path.read_bytes() == portraits.draw(70, 40).images.numpy().tobytes()


def test_another_seed_is_another_set(many):
    other = portraits.draw(64, 32, seed=1)
    assert not (other.images == many.images[:64]).flatten(1).all(1).any()


def test_a_small_picture_is_the_large_one_seen_from_afar(many):
    drawn = portraits.draw(64, 64)
    assert torch.equal(drawn.attributes, many.attributes[:64])
    small, large = drawn.images.float(), avg_pool2d(portraits.draw(64, 128).images.float(), 2)
    error, stranger = (small - large).abs(), (small - large.roll(1, 0)).abs().mean()
    assert error.mean() < 2.5 and error.mean() < stranger / 15
    assert error.mean((1, 2, 3)).max() < 6


# Attributes are what the pixels show.


def test_every_attribute_is_neither_rare_nor_universal(many):
    for name in portraits.ATTRIBUTES:
        assert 0.05 < many.having(name).float().mean() < 0.95, name


def test_attributes_without_a_common_cause_are_independent(many):
    names = "Smiling Eyeglasses Wearing_Hat Pale_Skin No_Beard Young Black_Hair Wearing_Earrings"
    for one, other in itertools.combinations(names.split(), 2):
        if {one, other} == {"Young", "Black_Hair"}:
            continue  # age turns hair grey
        pair = torch.stack([many.having(one), many.having(other)]).float()
        assert abs(torch.corrcoef(pair)[0, 1]) < 0.15, (one, other)


def test_what_excludes_each_other_does_not_meet(many):
    for name in ("Bangs", "Long_Hair", "Wearing_Hat"):
        assert not (many.having("Bald") & many.having(name)).any()
    assert not (many.having("Black_Hair") & many.having("Blond_Hair")).any()
    assert not (many.having("Sunglasses") & ~many.having("Eyeglasses")).any()


def test_hair_and_skin_are_as_light_as_their_names(many):
    crown = many.images[:, :, 5:9, 13:19].float().mean((1, 2, 3))
    bare = ~many.having("Wearing_Hat")
    black, blond, gray = (crown[many.having(f"{name}_Hair") & bare].mean() for name in ("Black", "Blond", "Gray"))
    assert black + 10 < min(blond, gray)
    cheeks, pale = many.images[:, :, 17:20, 13:19].float().mean((1, 2, 3)), many.having("Pale_Skin")
    assert cheeks[pale].mean() > cheeks[~pale].mean() + 40


CHANGES = {  # trait -> two settings of it, rows in which the picture changes, rows in which it may not
    "dark glasses": (
        {"glasses": True, "shade": 1.0, "hat": False}, {"glasses": False, "hat": False}, slice(31, 36), slice(50, 64),
    ),
    "hat": ({"hat": True}, {"hat": False}, slice(4, 20), slice(48, 64)),
    "smile": ({"smile": 1.0}, {"smile": -0.5}, slice(42, 54), slice(0, 24)),
    "open mouth": (
        {"open": 0.12, "bearded": False}, {"open": 0.0, "bearded": False}, slice(42, 54), slice(0, 36),
    ),
}  # fmt: skip


@pytest.mark.parametrize("trait", CHANGES)
def test_a_trait_shows_where_it_belongs_alone(sitters, trait):
    one, other, here, elsewhere = CHANGES[trait]
    change = (sitters(**one) - sitters(**other)).abs().mean((0, 1))[:, 20:44]
    assert change[here].max() > 0.08 and change[here].mean() > 10 * change[elsewhere].mean()


def test_the_light_falls_from_where_the_traits_say(sitters):
    plain = {"bald": True, "rim": 0.0, "bearded": False, "turn": 0.0, "x": 0.0, "tilt": 0.0, "glasses": False}
    plain |= {"hat": False, "bun": 0.0, "hard": 1.0}
    left, right = sitters(light_x=-1.0, **plain), sitters(light_x=1.0, **plain)
    change = (left - right).mean(1)[:, 24:52]
    assert (change[:, :, 18:30].mean((1, 2)) > 0.02).all()
    assert (change[:, :, 34:46].mean((1, 2)) < -0.02).all()


# Faces worth learning.


def test_no_two_faces_are_equal_and_every_pixel_varies(many):
    assert len(torch.unique(many.images.flatten(1), dim=0)) == len(many)
    assert many.images.float().std(0).min() > 25
    assert len(torch.unique(many.attributes, dim=0)) > 500


def test_what_cannot_be_drawn_is_one_line():
    for arguments, words in (((1, 31), "32 to 128"), ((1.5, 64), "from 1 works"), ((1, 64, -1), "from 0 works")):
        with pytest.raises(CourseError, match=words):
            portraits.draw(*arguments)
