"""The table of experiments: every row as its source states it, and values that cannot work."""

import json
import math
import re

import numpy as np
import pytest
import torch

from gan_course import profiles, recipes
from gan_course.errors import CourseError
from gan_course.recipes import RECIPES, Recipe

# The settings as the sources print them. Everything a row does not name is in COMMON.
COMMON = {"channels": 1, "size": 28, "batch": 64, "lr_g": 2e-4, "lr_d": 2e-4, "betas": (0.5, 0.999)}
COMMON |= {"latent_dim": 100, "width": 1.0, "objective": "non-saturating", "init": "dcgan"}
HARD = {"real_label": 1.0, "fake_label": 0.0, "g_every": 1, "fresh_noise": False}
SMOOTH = {"real_label": 0.9, "fake_label": 0.1}
REPORT = {"data": "fashion-mnist", "epochs": 50, **SMOOTH, "g_every": 2, "fresh_noise": True}
FACES = {"network": "dcgan-faces", "data": "faces", "channels": 3, "batch": 128, "draw_every": 500, **HARD}
MNIST = {"network": "dcgan-mnist", "data": "mnist", "objective": "least-squares", "batch": 4, **HARD}
ROWS = {
    "mlp-fashion": {**REPORT, "network": "mlp", "init": "xavier"},
    "dcgan-fashion": {**REPORT, "network": "dcgan-fashion"},
    "convgan-fashion": {**REPORT, "network": "convgan-fashion"},
    "dcgan-mnist": {**MNIST, "lr_g": 1e-4, "lr_d": 1e-5, "betas": (0.9, 0.999), "epochs": 20, "init": "pytorch"},
    "dcgan-faces-64": {**FACES, "size": 64, "epochs": 5},
    "dcgan-faces-96": {**FACES, "size": 96, "init": "dcgan-96"},
    "dcgan-faces-128": {**FACES, "size": 128, **SMOOTH},
}


@pytest.mark.parametrize("key", sorted(ROWS))
def test_a_row_says_what_its_source_says(key):
    expected = {"key": key, **COMMON, **ROWS[key]}
    assert {name: getattr(recipes.get(key), name) for name in expected} == expected


def test_the_printed_table_lists_all_under_their_names():
    header, *lines = recipes.table().splitlines()
    assert [line.split()[0] for line in lines] == list(RECIPES) == [r.key for r in RECIPES.values()]
    row = next(line for line in lines if line.startswith("dcgan-faces-64"))
    for cell in ("faces", "3×64×64", "non-saturating", "3,576,704", "2,765,568"):  # as the tutorial's networks count
        assert cell in row
    assert {line[header.index("objective") - 1] for line in lines} == {" "}  # aligned under the header
    with pytest.raises(CourseError, match="'mlp': there are " + ", ".join(RECIPES)):
        recipes.get("mlp")


# --- changed recipes -------------------------------------------------------------------------------


def test_but_changes_a_copy_and_a_profile_the_width():
    recipe = recipes.get("mlp-fashion")
    changed = recipe.but(batch=32, betas=(0.0, 0.9))
    assert (changed.batch, changed.betas, recipe.batch) == (32, (0.0, 0.9), 64)
    assert changed.but(width=0.5).at(profiles.get("ci")) == changed.but(width=0.5 * 0.25)
    assert recipe.at(profiles.get("full")) == recipe


def test_there_and_back_through_json():
    """Also where NumPy's numbers or a tensor's were given, which JSON does not know."""
    recipe = recipes.get("mlp-fashion")
    changes = {"batch": np.int64(32), "lr_g": np.float32(0.25), "lr_d": torch.tensor(0.5), "epochs": torch.tensor(3)}
    given = recipe.but(betas=np.array([0.0, 0.5]), fresh_noise=np.bool_(False), **changes)
    assert given == recipe.but(batch=32, lr_g=0.25, lr_d=0.5, epochs=3, betas=(0.0, 0.5), fresh_noise=False)
    back = Recipe.from_dict(json.loads(json.dumps(given.as_dict())))
    assert back == given and type(back.betas) is tuple


def test_values_of_another_version_are_refused():
    for changes, said in (({"warp": 9}, "warp"), ({"betas": None}, "betas None: it takes a pair")):
        with pytest.raises(CourseError, match=said):
            Recipe.from_dict({**recipes.get("mlp-fashion").as_dict(), **changes})
    values = recipes.get("mlp-fashion").as_dict()
    del values["network"]
    with pytest.raises(CourseError, match="network"):
        Recipe.from_dict(values)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"batchsize": 64}, "has no field 'batchsize': there are key, network,"),
        ({"network": "mpl"}, "there are mlp,"),
        ({"objective": "bce"}, "there are minimax, non-saturating, least-squares"),
        ({"init": "orthogonal"}, "there are pytorch, xavier, dcgan, dcgan-96"),
        ({"precision": "fp8"}, "unknown precision 'fp8': there are float32, bfloat16, float16 and auto"),
        ({"size": 4}, "at least 8 px"),
        ({"network": "dcgan-fashion", "size": 64}, "it makes 28 px"),
        ({"channels": 4}, "1 (grey) and 3 (RGB)"),
        ({"latent_dim": 0}, "at least 8 px and 1 dimension"),
        ({"width": 0.01}, "between 1/16 and 4"),
        ({"batch": 1}, "at least 2 images"),
        ({"batch": np.float64(64.0)}, "batch 64.0: it takes a whole number"),
        ({"batch": True}, "batch True: it takes a whole number"),
        ({"lr_g": -2e-4}, "cannot be negative, 2e-4 works"),
        ({"lr_d": math.nan}, "lr_d nan: it takes a finite number"),
        ({"lr_d": None}, "lr_d None: it takes a finite number"),
        ({"betas": (0.5, 1.0)}, "both lie in [0, 1)"),
        ({"betas": (0.5,)}, "a pair of finite numbers"),
        ({"real_label": 0.1, "fake_label": 0.9}, "0 ≤ fake < real ≤ 1"),
        ({"g_every": 0}, "g_every 0: at least 1"),
        ({"fresh_noise": 1}, "fresh_noise 1: it takes True or False"),
        ({"key": 7}, "key 7: it takes a text"),
        ({"objective": "hinge"}, "'hinge' has no labels to smooth: leave them at 1 and 0"),
        ({"penalty": "r3"}, "unknown penalty 'r3': there are none, gradient, r1, r2, r1+r2"),
        ({"penalty_weight": -1}, "penalty_weight -1: it cannot be negative"),
        ({"penalty_every": 0}, "penalty_every 0: at least 1"),
        ({"image_noise": -0.1}, "image_noise -0.1: it cannot be negative"),
        ({"d_norm": "instance"}, "'instance' of D: there are batch, layer, spectral, none"),
        ({"d_every": 2}, "g_every 2 and d_every 2: leave one of them at 1"),
        ({"d_width": 9}, "width 9.0: a factor between 1/16 and 4"),
        ({"g_rests": (500, 100)}, "(first, end) of some steps"),
        ({"g_rests": (0.5, 2)}, "a pair of whole numbers"),
    ],
)
def test_values_that_cannot_work_say_what_does(changes, said):
    with pytest.raises(CourseError, match=re.escape(said)) as caught:
        recipes.get("mlp-fashion").but(**changes)
    assert "\n" not in str(caught.value)


def test_values_at_the_edge_work():
    recipes.get("mlp-fashion").but(batch=2, lr_g=0, lr_d=0.0, betas=(0, 0), real_label=1, fake_label=0)


def test_g_rests_when_the_recipe_says_so():
    recipe = recipes.get("mlp-fashion").but(g_every=2, g_rests=(3, 7))
    assert [step for step in range(12) if recipe.g_moves(step)] == [0, 2, 8, 10]
    assert recipe.g_moves(np.arange(12)).nonzero()[0].tolist() == [0, 2, 8, 10]
    assert [step for step in range(7) if recipe.but(g_every=1, d_every=3).d_moves(step)] == [0, 3, 6]


def test_d_alone_is_made_wider():
    narrow, wide = (recipes.get("quick-digits").but(d_width=factor).build() for factor in (1, 2))
    assert str(wide[0]) == str(narrow[0])
    assert wide[1].layers[0][0].out_channels == 2 * narrow[1].layers[0][0].out_channels
