"""Which images a recipe's set name stands for."""

import io

import pytest
import torch
from PIL import Image

from gan_course import faces, recipes, sets
from gan_course.errors import CourseError

pytestmark = pytest.mark.usefixtures("own_machine")


def test_every_recipe_names_a_set_that_exists():
    assert {recipe.data for recipe in recipes.RECIPES.values()} <= set(sets.NAMES)


def test_drawn_faces_where_there_are_no_photographs():
    found = sets.load("faces", 32, drawn=70)
    assert found.name == "drawn-faces" and torch.equal(found.images, faces.draw(70, 32).images)


def test_the_photographs_of_a_folder_that_is_named(tmp_path):
    for i in range(3):
        picture = io.BytesIO()
        Image.new("RGB", (178, 218), (i, 90, 200)).save(picture, "PNG")
        (tmp_path / f"{i:06d}.png").write_bytes(picture.getvalue())
    found = sets.load("faces", 64, path=tmp_path)
    assert found.name == "celeba" and found.images.shape == (3, 3, 64, 64)


def test_a_folder_that_is_named_and_empty_is_no_reason_to_draw(tmp_path):
    with pytest.raises(CourseError, match="holds nothing"):
        sets.load("faces", 64, path=tmp_path)


def test_digits_and_an_unknown_name():
    assert sets.load("mnist").images.shape[1:] == (1, 28, 28)
    with pytest.raises(CourseError, match="unknown image set 'cats': there are mnist, fashion-mnist, faces"):
        sets.load("cats")
