"""The runs that come with the course: each can be sampled and replayed, and is what its card says."""

import json
import re

import numpy as np
import pytest
import torch

import scores
from gan_course import data, files, mosaic, portraits, recipes, runs

NAMES = runs.published()
ROOM = files.assets_dir() / "runs"


def test_the_lessons_runs_are_there():
    lessons = {"mlp-fashion", "quick-digits", "dcgan-faces-64", "faces-96", "faces-128"}
    lessons |= {"quick-clothes", "quick-faces", "conditional-digits", "conditional-clothes", "style-faces-64"}
    assert lessons <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_the_fixed_latents_give_the_last_recorded_picture(name):
    run = runs.find(name)
    with torch.no_grad():
        now = mosaic.tile(data.to_uint8(run.generator()(run.fixed_latents)))
    assert run.frames[-1][0] == run.card["step"]
    last, before, first = (np.abs(coarse(now) - coarse(run.frames[i][1])).mean() for i in (-1, -2, 0))
    assert last < before < first and last < 3, "eight bits, and WebP at quality 75"


def coarse(picture):
    """The means of blocks of 4 x 4 pixels: WebP smooths grain away."""
    height, width = (side - side % 4 for side in picture.shape[:2])
    return picture[:height, :width].reshape(height // 4, 4, width // 4, 4, -1).mean((1, 3))


@pytest.mark.parametrize("name", NAMES)
def test_the_card_tells_how_to_repeat_it(name):
    run = runs.find(name)
    row = next(
        line for line in (ROOM / "README.md").read_text().splitlines() if line.startswith(f"| `{name}`")
    )
    table, own = recipes.get(run.recipe.key), run.recipe.as_dict()
    assert f"train {table.key} " in row and f"--seed {run.card['seed']}" in row
    assert set(re.findall(r"--set (\S+)", row)) == {
        f"{field}={own[field]}" for field, value in table.as_dict().items() if own[field] != value
    }
    if (
        run.card["images"] // run.recipe.batch
        != table.epochs * run.card["data"]["images"] // run.recipe.batch
    ):
        assert f"--images {run.card['images']}`" in row
    assert run.card["images"] == run.card["step"] * run.recipe.batch
    assert run.card["goal"] == run.card["step"], "a published run is a finished one"
    assert run.card["seconds"] > 0 and run.card["device"] and run.card["versions"]["torch"]
    whole = portraits.DRAWN if run.recipe.data == data.FACES else data.SETS[run.recipe.data].counts["train"]
    assert run.card["data"]["images"] == whole, "published runs have seen the whole set"
    steps = run.history["step"]
    assert steps[0] == 0 and steps[-1] == run.card["step"] - 1 and (np.diff(steps) > 0).all()
    assert np.isfinite(run.history["loss_d"]).all()
    text = json.dumps(run.card)
    assert not any(f"/{part}/" in text for part in ("home", "root", "tmp", "Users")) and "\\Users" not in text


@pytest.mark.parametrize("name", ["quick-digits", "quick-clothes", "quick-faces"])
def test_the_small_ones_can_be_followed_through_their_training(name):
    run = runs.find(name)
    assert len(run.snapshots) >= 10 and run.snapshots[0] == 0 and run.snapshots[-1] == run.card["step"]
    z = run.fixed_latents[:8]
    first, last, final = (run.generator(step=s)(z) for s in (0, run.snapshots[-1], None))
    assert (last - final).abs().mean() * 127.5 < 0.5  # the same weights, rounded twice
    assert (first - final).abs().mean() * 127.5 > 10


def test_the_table_of_scores_is_the_cards():
    text = (ROOM / "README.md").read_text(encoding="utf-8")
    assert text.split(scores.BEGIN)[1].split(scores.END)[0].strip() == scores.table()
    for name in NAMES:
        if found := runs.find(name).card.get("score"):
            value, low, high, floor = found["numbers"]["frechet_distance"]
            assert low <= value <= high and floor > 0
            assert f"| `{name}` | {found['n']:,} | {value:.2f} " in scores.table()
