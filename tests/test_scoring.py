"""Scores: what stands out of pictures whose fault is known, and archives of pictures, right and wrong."""

import json
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from gan_course import data, judge, scoring
from gan_course.data import ImageSet
from gan_course.errors import CourseError

N = 500


@pytest.fixture(scope="module")
def sets() -> tuple[ImageSet, ImageSet, ImageSet]:
    """Embedded digits: 4,000 to learn from, 1,000 unseen, and 2,000 that a perfect generator could have made."""
    whole = data.load("mnist", download=False)
    parts = slice(4_000), slice(4_000, 6_000)
    learned, made = (replace(whole, images=whole.images[part], labels=whole.labels[part]) for part in parts)
    return learned, data.load("mnist", split="test", download=False), made


@pytest.fixture(scope="module")
def of(sets):
    """of(pictures): their score."""
    learned, unseen, _ = sets
    return lambda images: scoring.compare(images, learned, unseen, judge.load("mnist"), name="some", n=N)


def test_real_pictures_have_no_fault(of, sets):
    score = of(sets[2].images)
    assert score.words == "nothing stands out" and score.n == N
    for name, number in score.numbers.items():
        assert number.low <= number.value <= number.high, name
    for name in ("precision", "recall", "density", "coverage", "classification_accuracy"):
        assert score.numbers[name].value == pytest.approx(score.numbers[name].floor, abs=0.12), name
    assert score.numbers["memorisation"].value < 0.05
    assert score.numbers["inception_score"].value > 8


def test_what_is_missing_and_what_is_unlike_anything(of, sets):
    made = sets[2]
    without = of(made.images[(made.labels != 1) & (made.labels != 7)])
    assert without.missing == ["1", "7"] and without.words.startswith("missing: 1, 7")
    whole, less = (score.numbers["frechet_distance"] for score in (of(made.images), without))
    assert less.low > whole.high > whole.floor > 0
    upside_down = of(made.images.flip(2)).words
    assert "are near no real one" in upside_down and "less varied than real ones" in upside_down


def test_copies_of_the_training_set_pass_for_real_but_are_noticed(of, sets):
    """With an eighth of each pixel's range as noise, which a careless eye would miss."""
    copies = sets[0].images[:N].int() + torch.randint(-8, 9, (N, 1, 28, 28), generator=torch.manual_seed(0))
    score = of(copies.clamp(0, 255).byte())
    assert score.numbers["frechet_distance"].value < 2 * score.numbers["frechet_distance"].floor
    assert score.numbers["memorisation"].value > 0.8 and score.words.startswith("repeats training pictures (")


def test_a_score_in_plain_values_and_as_a_table(of, sets):
    score = of(sets[2].images)
    plain = json.loads(json.dumps(score.as_dict()))
    assert plain["version"] == judge.VERSION and plain["words"] == score.words
    assert plain["numbers"]["recall"]["value"] == score.numbers["recall"].value
    assert sum(mine for mine, _ in plain["shares"].values()) == pytest.approx(1)
    lines = score.table().splitlines()
    assert len(lines) == 1 + len(score.numbers) and len({line.index("  ", 34) > 0 for line in lines}) == 1
    assert lines[1].startswith("Fréchet distance, judge 1")


def test_too_few(sets):
    learned, unseen, made = sets
    with pytest.raises(CourseError, match="499 pictures to compare: at least 500 work"):
        scoring.compare(made.images[:499], learned, unseen, judge.load("mnist"))


# --- archives ----------------------------------------------------------------------------------------


def test_archives_of_pictures(tmp_path):
    grey = np.random.default_rng(0).integers(0, 256, (5, 1, 28, 28), dtype=np.uint8)
    for images, name in (
        (grey, "images"),
        (grey[:, 0], "images"),
        (grey, "arr_0"),
        (grey / np.float64(127.5) - 1, "images"),
        (grey.astype(np.float32) / 255, "images"),
    ):
        np.savez(tmp_path / "a.npz", **{name: images})
        assert torch.equal(scoring.read_npz(tmp_path / "a.npz"), torch.from_numpy(grey))
    np.savez(tmp_path / "a.npz", images=grey, labels=np.arange(5))
    assert scoring.read_npz(str(tmp_path / "a.npz")).shape == grey.shape


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"images": np.zeros((5, 28, 28, 3), np.uint8)}, r"holds uint8 \[5, 28, 28, 3\]: pictures are uint8"),
        ({"images": np.zeros(5, np.uint8)}, r"holds uint8 \[5\]: pictures are"),
        ({"images": np.zeros((0, 1, 28, 28), np.uint8)}, r"holds uint8 \[0, 1, 28, 28\]"),
        ({"images": np.full((5, 1, 28, 28), 255.0)}, "from 255 to 255: uint8, or floats from -1 to 1, work"),
        ({"images": np.full((5, 1, 28, 28), np.nan)}, "from nan to nan"),
        ({"images": np.zeros((5, 1, 28, 28), np.int64)}, "holds int64"),
        ({"images": np.array(["a", None], dtype=object)}, "is no archive of pictures"),
        ({"a": np.zeros(3), "b": np.zeros(3)}, "holds a, b: one array `images` works"),
        ({}, "holds nothing: one array `images` works"),
    ],
)
def test_wrong_archives_get_one_line(arrays, said, tmp_path):
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(CourseError, match=said) as error:
        scoring.read_npz(tmp_path / "a.npz")
    assert "\n" not in str(error.value)


def test_what_is_no_archive(tmp_path):
    for content in (b"", b"PK\x03\x04 broken", b"text", b"\x93NUMPY\x01\x00v\x00"):
        (tmp_path / "a.npz").write_bytes(content)
        with pytest.raises(CourseError, match="a.npz is no archive of pictures"):
            scoring.read_npz(tmp_path / "a.npz")
    with pytest.raises(CourseError, match="does not say which real pictures it should resemble: against drawn"):
        np.savez(tmp_path / "a.npz", np.zeros((5, 28, 28), np.uint8))
        scoring.score(tmp_path / "a.npz")


def test_inceptions_distance_says_what_it_lacks(monkeypatch):
    monkeypatch.setitem(sys.modules, "torchmetrics", None)
    pictures = torch.zeros(2, 1, 28, 28, dtype=torch.uint8)
    with pytest.raises(CourseError, match="needs two more packages: pip install torchmetrics torch-fidelity"):
        scoring.inception_distance(pictures, pictures)
