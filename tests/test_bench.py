"""The benchmark: rungs that compute the same, turns that are fair, results that are kept, a race with an end."""

import time
from itertools import count
from types import SimpleNamespace

import pytest
import torch

import bench
import front_page
import ladder
import race
from gan_course import files, recipes
from gan_course.data import ImageSet
from gan_course.errors import CourseError
from gan_course.judge import Verdict

FACES = recipes.get("dcgan-faces-64").but(batch=8, width=1 / 16)
MLP = recipes.get("mlp-fashion").but(batch=4, width=1 / 16)
IMAGES = torch.randint(0, 256, (80, 3, 64, 64), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
DIGITS = torch.randint(0, 256, (256, 1, 28, 28), dtype=torch.uint8)
CPU = torch.device("cpu")


def trained(changes, recipe=FACES, images=IMAGES, steps=10):
    loop = ladder.Loop(recipe, images, changes)
    loop.run(steps)
    return loop


# Ten steps are one epoch here: DataLoader and index would shuffle the next one differently.
def test_every_rung_computes_the_same(monkeypatch):
    monkeypatch.setattr(ladder, "READ_EVERY", 5)
    textbook, *others = (trained(changes) for changes in ladder.rungs(FACES).values())
    for loop in others:
        assert loop.images == textbook.images == 80
        for mine, theirs in zip(loop.telemetry, textbook.telemetry, strict=True):
            assert mine == pytest.approx(theirs, abs=1e-3)


@pytest.mark.parametrize("changes", [frozenset(), frozenset({ladder.RESIDENT, ladder.READ_LATE})])
def test_g_rests_and_takes_fresh_noise_where_the_recipe_says_so(changes, monkeypatch):
    monkeypatch.setattr(ladder, "READ_EVERY", 4)
    loop = trained(changes, MLP, DIGITS[:16], steps=4)
    assert [len(row) for row in loop.telemetry] == [5, 3, 5, 3]


def test_turns_are_taken_in_both_orders():
    calls = []

    def runner(name):
        def run(steps):
            calls.append(name)
            time.sleep(0.005)
            return steps

        return run

    found = bench.in_turns({"a": runner("a"), "b": runner("b")}, rounds=2, seconds=0.02)
    assert calls[-4:] == ["a", "b", "b", "a"]
    assert len(found["a"]) == len(found["b"]) == 2


def test_a_comparison_says_how_it_was_measured():
    against = bench.contenders(recipes.get("dcgan-mnist").but(width=1 / 16))
    found = bench.compare(DIGITS, against, rounds=1, seconds=0.05, device=CPU)
    assert found["lines"][0]["ratio"] == 1.0
    for words in (*against, f"torch {torch.__version__}", "rounds 1 of 0.05 s", "GFLOP an image"):
        assert words in bench.table(found)
    assert 0 < found["free"] <= 1
    assert "busy" not in bench.table(found | {"free": 0.95})
    assert "busy: the process got 60% of its cores" in bench.table(found | {"free": 0.6})
    with pytest.raises(CourseError, match="0 rounds of 2 s measure nothing"):
        bench.compare(DIGITS, against, rounds=0, seconds=2, device=CPU)


def test_operations_are_counted_by_hand():
    """One step of an MLP: its matrices, forward and back."""
    recipe = MLP.but(g_every=1, fresh_noise=False)
    G, D = recipe.build()
    g, d = (sum(p.numel() for p in net.parameters() if p.dim() == 2) for net in (G, D))
    first_g, first_d = (next(p for p in net.parameters() if p.dim() == 2).numel() for net in (G, D))
    # G forward; D forward and back twice, without the gradient of its input; D's verdict on G's images forward and
    # back to its input; G back, without the gradient of z.
    products = g + 2 * (3 * d - first_d) + 2 * d + (2 * g - first_g)
    assert bench.flops_per_image(recipe, DIGITS, CPU) == 2 * products


def test_a_newer_result_takes_the_place_of_the_older(tmp_path, monkeypatch):
    for module in (files, front_page):
        monkeypatch.setattr(module, "assets_dir", lambda: tmp_path)
    assert front_page.results() == []
    result = {"recipe": recipes.get("mlp-fashion").as_dict(), "limit": 1.0, "free": 1.0, "evidence": {"device": "a"}}
    bench.keep(result)
    bench.keep({**result, "limit": 2.0})
    bench.keep({**result, "evidence": {"device": "b"}})
    assert [(b["limit"], b["evidence"]["device"]) for b in front_page.results()] == [(2.0, "a"), (1.0, "b")]
    with pytest.raises(CourseError, match="nothing is kept from a busy machine"):
        bench.keep({**result, "free": 0.6})
    (tmp_path / "benchmarks.json").write_text("[{]")
    with pytest.raises(CourseError, match="benchmarks.json is damaged"):
        bench.keep(result)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["mlp-fashion", "--keep", "--profile", "ci"], "at width 0.25 would tell nothing"),
        (["mlp"], "unknown recipe 'mlp'"),
        (["--race", "--seconds", "0"], "3 of 300 s tell something"),
    ],
)
def test_bad_input_is_one_line_and_status_2(own_machine, capsys, arguments, said):
    assert bench.main(arguments) == 2
    errors = capsys.readouterr().err
    assert said in errors and errors.count("\n") == 1


def test_a_race_is_won_where_the_quality_is_reached(pictures, monkeypatch):
    """Noise is not learned, so the verdicts are scripted: the textbook loop's, then the package's in turn."""
    sure = iter([0.3, 0.1, 0.4])

    def verdict(judge, images):
        n = len(images)
        return Verdict(torch.arange(n) % 10, torch.full((n,), next(sure)), torch.full((10,), 0.1))

    monkeypatch.setattr(race.judge, "verdict", verdict)
    monkeypatch.setattr(race, "time", SimpleNamespace(perf_counter=count().__next__))  # a second at every look
    monkeypatch.setattr(race, "SAMPLES", 100)
    monkeypatch.setattr(race, "EVERY", 2)
    images = ImageSet("mnist", "train", DIGITS, torch.arange(256) % 10, tuple("0123456789"), "noise")
    (words,) = race.run(images, 2, range(3, 4), CPU)
    assert words.startswith("seed 3: dcgan-mnist 0.300 after 2 s") and "quick-digits 0.400 after 2 s" in words
    assert f"({2 * 2 * recipes.get('quick-digits').batch:,} images)" in words
