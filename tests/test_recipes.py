"""The table of experiments: every row as its source states it, and values that cannot work."""

import dataclasses
import json
import math
import re

import pytest

from gan_course import profiles, recipes
from gan_course.errors import CourseError
from gan_course.recipes import RECIPES, Recipe

# The settings as the sources print them. Everything a row does not name is in COMMON.
COMMON = {
    "channels": 1,
    "size": 28,
    "batch": 64,
    "lr_g": 2e-4,
    "lr_d": 2e-4,
    "betas": (0.5, 0.999),
    "latent_dim": 100,
    "width": 1.0,
}
REPORT = {
    "data": "fashion-mnist",
    "objective": "non-saturating",
    "epochs": 50,
    "real_label": 0.9,
    "fake_label": 0.1,
    "g_every": 2,
    "fresh_noise": True,
}
FACES = {
    "network": "dcgan-faces",
    "data": "faces",
    "channels": 3,
    "objective": "non-saturating",
    "batch": 128,
    "real_label": 1.0,
    "fake_label": 0.0,
    "g_every": 1,
    "fresh_noise": False,
    "draw_every": 500,
}
ROWS = {
    "mlp-fashion": {**REPORT, "network": "mlp", "init": "xavier"},
    "dcgan-fashion": {**REPORT, "network": "dcgan-fashion", "init": "dcgan"},
    "convgan-fashion": {**REPORT, "network": "convgan-fashion", "init": "dcgan"},
    "dcgan-mnist": {
        "network": "dcgan-mnist",
        "data": "mnist",
        "objective": "least-squares",
        "batch": 4,
        "lr_g": 1e-4,
        "lr_d": 1e-5,
        "betas": (0.9, 0.999),
        "epochs": 20,
        "init": "pytorch",
        "real_label": 1.0,
        "fake_label": 0.0,
        "g_every": 1,
        "fresh_noise": False,
    },
    "dcgan-faces-64": {**FACES, "size": 64, "epochs": 5, "init": "dcgan"},
    "dcgan-faces-96": {**FACES, "size": 96, "init": "dcgan-96"},
    "dcgan-faces-128": {**FACES, "size": 128, "init": "dcgan", "real_label": 0.9, "fake_label": 0.1},
}


@pytest.mark.parametrize("key", sorted(ROWS))
def test_a_row_says_what_its_source_says(key):
    recipe = recipes.get(key)
    expected = {"key": key, **COMMON, **ROWS[key]}
    assert {name: getattr(recipe, name) for name in expected} == expected


def test_every_row_of_the_sources_is_there_and_stands_under_its_own_name():
    assert set(ROWS) <= set(RECIPES)
    assert all(key == recipe.key for key, recipe in RECIPES.items())


def test_unknown_recipe_is_answered_with_the_known_ones():
    with pytest.raises(CourseError, match="'mlp'") as caught:
        recipes.get("mlp")
    assert all(key in str(caught.value) for key in RECIPES)


def test_the_printed_table_lists_all():
    header, *lines = recipes.table().splitlines()
    assert [line.split()[0] for line in lines] == list(RECIPES)
    row = next(line for line in lines if line.startswith("dcgan-mnist"))
    for cell in ("mnist", "1×28×28", "least-squares", "0.0001 / 1e-05", "1 / 0", " 4 ", " 20 "):
        assert cell in row
    faces = next(line for line in lines if line.startswith("dcgan-faces-64"))
    assert "3,576,704" in faces and "2,765,568" in faces  # as the tutorial's networks count, too
    for line in lines:  # aligned: every row has its objective under the header's
        assert line[header.index("objective") - 1] == " "


# --- changed recipes -------------------------------------------------------------------------------


def test_but_changes_a_copy():
    recipe = recipes.get("mlp-fashion")
    changed = recipe.but(batch=32, betas=(0.0, 0.9))
    assert (changed.batch, changed.betas) == (32, (0.0, 0.9))
    assert dataclasses.replace(changed, batch=64, betas=(0.5, 0.999)) == recipe
    assert recipe.batch == 64
    with pytest.raises(dataclasses.FrozenInstanceError):
        recipe.batch = 32


def test_at_a_profile():
    recipe = recipes.get("mlp-fashion").but(width=0.5)
    assert recipe.at(profiles.get("ci")) == recipe.but(width=0.5 * 0.25)
    assert recipe.at(profiles.get("full")) == recipe
    for each in RECIPES.values():
        each.at(profiles.get("ci")).build()  # every one of them still has networks


@pytest.mark.parametrize("key", sorted(RECIPES))
def test_there_and_back_through_json(key):
    recipe = recipes.get(key).but(lr_g=1 / 3, betas=(0.1, 0.2))
    back = Recipe.from_dict(json.loads(json.dumps(recipe.as_dict())))
    assert back == recipe
    assert type(back.betas) is tuple


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda values: values.pop("betas"), "betas"),
        (lambda values: values.pop("network"), "network"),
        (lambda values: values.update(warp=9), "warp"),
        (lambda values: values.update(betas=None), "no recipe of this version"),
        (lambda values: values.update(batch="64"), "batch '64'"),
        (lambda values: values.update(lr_g=math.inf), "lr_g inf"),
    ],
)
def test_values_of_another_version_are_refused(spoil, said):
    values = recipes.get("mlp-fashion").as_dict()
    spoil(values)
    with pytest.raises(CourseError, match=re.escape(said)):
        Recipe.from_dict(values)


NAN = float("nan")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"batchsize": 64}, "has no field 'batchsize': there are key, network,"),
        ({"network": "mpl"}, "there are mlp,"),
        ({"objective": "bce"}, "there are minimax, non-saturating, least-squares"),
        ({"init": "he"}, "there are pytorch, xavier, dcgan, dcgan-96"),
        ({"size": 4}, "at least 8 px"),
        ({"network": "dcgan-fashion", "size": 64}, "it makes 28 px"),
        ({"channels": 4}, "1 (grey) and 3 (RGB)"),
        ({"latent_dim": 0}, "at least 8 px and 1 dimension"),
        ({"width": 0.01}, "between 1/16 and 4"),
        ({"width": NAN}, "width nan: it takes a finite number"),
        ({"batch": 0}, "at least 2 images"),
        ({"batch": 1}, "at least 2 images"),
        ({"batch": -64}, "at least 2 images"),
        ({"batch": 64.0}, "batch 64.0: it takes a whole number"),
        ({"batch": "64"}, "batch '64': it takes a whole number"),
        ({"batch": True}, "batch True: it takes a whole number"),
        ({"lr_g": -2e-4}, "cannot be negative, 2e-4 works"),
        ({"lr_d": -1.0}, "cannot be negative"),
        ({"lr_g": NAN}, "lr_g nan: it takes a finite number"),
        ({"lr_d": math.inf}, "lr_d inf: it takes a finite number"),
        ({"lr_g": "2e-4"}, "lr_g '2e-4': it takes a finite number"),
        ({"lr_d": None}, "lr_d None: it takes a finite number"),
        ({"betas": (0.5, 1.0)}, "both lie in [0, 1)"),
        ({"betas": (-0.1, 0.9)}, "both lie in [0, 1)"),
        ({"betas": (0.5,)}, "a pair of finite numbers"),
        ({"betas": 0.5}, "a pair of finite numbers"),
        ({"betas": (NAN, 0.999)}, "a pair of finite numbers"),
        ({"real_label": 1.1}, "0 ≤ fake < real ≤ 1"),
        ({"fake_label": -0.1}, "0 ≤ fake < real ≤ 1"),
        ({"real_label": 0.1, "fake_label": 0.9}, "0 ≤ fake < real ≤ 1"),
        ({"real_label": NAN}, "real_label nan"),
        ({"epochs": 0}, "epochs 0: at least 1"),
        ({"epochs": 1.5}, "epochs 1.5: it takes a whole number"),
        ({"g_every": 0}, "g_every 0: at least 1"),
        ({"draw_every": 0}, "draw_every 0: at least 1"),
        ({"average_half_life": 0}, "average_half_life 0: at least 1"),
        ({"fresh_noise": 1}, "fresh_noise 1: it takes True or False"),
        ({"key": 7}, "key 7: it takes a text"),
    ],
)
def test_values_that_cannot_work_say_what_does(changes, said):
    with pytest.raises(CourseError, match=re.escape(said)) as caught:
        recipes.get("mlp-fashion").but(**changes)
    assert "\n" not in str(caught.value)


def test_values_at_the_edge_work():
    recipes.get("mlp-fashion").but(batch=2, lr_g=0, lr_d=0.0, betas=(0, 0), real_label=1, fake_label=0)
