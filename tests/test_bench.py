"""The benchmark: rungs that compute the same, turns that are fair, numbers that follow from each other."""

from dataclasses import replace

import pytest
import torch
from PIL import Image

from gan_course import files, planning, recipes
from gan_course.__main__ import main
from gan_course.bench import ladder, limit, measure, race, records, report
from gan_course.data import ImageSet
from gan_course.errors import CourseError

FACES = recipes.get("dcgan-faces-64").but(batch=8, width=1 / 16)
IMAGES = torch.randint(0, 256, (80, 3, 64, 64), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def published():
    return trained(ladder.Tricks())


def trained(tricks, recipe=FACES, images=IMAGES, steps=10):
    loop = ladder.Loop(recipe, images, tricks)
    loop.run(steps)
    return loop


# Ten steps are one epoch here: DataLoader and index would shuffle the next one differently.
@pytest.mark.parametrize("rung", list(ladder.rungs(FACES))[1:])
def test_every_rung_computes_the_same(rung, published, monkeypatch):
    monkeypatch.setattr(ladder, "READ_EVERY", 5)
    loop = trained(ladder.rungs(FACES)[rung])
    assert loop.images == published.images == 80
    for mine, theirs in zip(loop.telemetry, published.telemetry, strict=True):
        assert mine == pytest.approx(theirs, abs=1e-3)


def test_the_rungs_are_cumulative_and_fit_the_recipe():
    rungs = list(ladder.rungs(FACES).values())
    switched_on = [sum(vars(tricks).values()) for tricks in rungs]
    assert switched_on == list(range(len(rungs))) and len(rungs) == 7
    assert "channels last" not in ladder.rungs(recipes.get("mlp-fashion"))
    assert "losses on logits" not in ladder.rungs(recipes.get("dcgan-mnist"))


def test_g_rests_and_takes_fresh_noise_where_the_recipe_says_so():
    recipe = recipes.get("mlp-fashion").but(batch=4, width=1 / 16)
    digits = torch.randint(0, 256, (12, 1, 28, 28), dtype=torch.uint8)
    loop = trained(ladder.Tricks(), recipe, digits, steps=4)
    assert [len(row) for row in loop.telemetry] == [5, 3, 5, 3]


def test_late_reading_keeps_the_steps_in_which_g_rests(monkeypatch):
    monkeypatch.setattr(ladder, "READ_EVERY", 4)
    recipe = recipes.get("mlp-fashion").but(batch=4, width=1 / 16)
    digits = torch.randint(0, 256, (16, 1, 28, 28), dtype=torch.uint8)
    loop = trained(ladder.Tricks(resident=True, read_late=True), recipe, digits, steps=4)
    assert [len(row) for row in loop.telemetry] == [5, 3, 5, 3]


def test_turns_are_taken_in_both_orders_and_ratios_are_by_round():
    calls = []

    def contender(name, images):
        def run(steps):
            calls.append(name)
            for _ in range(steps):
                torch.randn(300, 300).mm(torch.randn(300, 300))
            return steps * images

        return run

    found = measure.alternate({"a": contender("a", 10), "b": contender("b", 10)}, rounds=2, seconds=0.02)
    assert calls[-4:] == ["a", "b", "b", "a"]
    assert found["a"].ratios == (1.0, 1.0) and len(found["b"].rates) == 2
    assert found["b"].ratios[0] == found["b"].rates[0] / found["a"].rates[0]


def test_a_comparison_says_how_it_was_measured():
    recipe = recipes.get("dcgan-mnist").but(width=1 / 16)
    digits = torch.randint(0, 256, (256, 1, 28, 28), dtype=torch.uint8)
    against = report.contenders(recipe, torch.device("cpu"))
    assert list(against) == [
        "as published",
        "the package",
        "its step alone",
        "as published, batch 128",
        "the package, batch 128",
    ]
    found = report.compare(recipe, digits, against, rounds=1, seconds=0.05, device=torch.device("cpu"))
    text = found.table()
    for words in (
        "torch " + torch.__version__,
        "rounds 1 of 0.05 s",
        "GFLOP an image",
        "the package, batch 128",
    ):
        assert words in text
    for line in found.lines:
        assert line.lowest <= line.ratio <= line.highest and 0 < line.share < 1.5
    with pytest.raises(CourseError, match="0 rounds of 2 s measure nothing"):
        report.compare(recipe, digits, against, rounds=0, seconds=2, device=torch.device("cpu"))


def test_operations_are_counted_by_hand():
    """One step of the least-squares DCGAN's smallest relative: an MLP's matrices, forward and back."""
    recipe = recipes.get("mlp-fashion").but(batch=4, width=1 / 16, g_every=1, fresh_noise=False)
    G, D = recipe.build()
    g, d = (sum(p.numel() for n, p in net.named_parameters() if p.dim() == 2) for net in (G, D))
    first = next(p for p in D.parameters() if p.dim() == 2)
    first_g = next(p for p in G.parameters() if p.dim() == 2)
    # G forward; D forward and back twice, without the gradient of its input; D's verdict on G's images forward and
    # back to its input; G back, without the gradient of z.
    products = g + 2 * (3 * d - first.numel()) + 2 * d + (2 * g - first_g.numel())
    digits = torch.randint(0, 256, (8, 1, 28, 28), dtype=torch.uint8)
    assert report.flops_per_image(recipe, digits, torch.device("cpu")) == 2 * products


def test_the_limit_is_a_rate_of_this_machine():
    assert 1e9 < limit.matmul_rate(torch.device("cpu"), seconds=0.05) < 1e14


def test_photographs_are_files_that_torchvision_reads():
    found = ladder.photographs(IMAGES[:6])
    picture, _ = found[0]
    assert len(found) == 6 and picture.shape == (3, 64, 64) and -1 <= picture.min() < picture.max() <= 1
    with Image.open(found.imgs[0][0]) as file:
        assert file.format == "JPEG" and file.size == (178, 218)


# --- the record ------------------------------------------------------------------------------------


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """An empty record, and a comparison to keep in it."""
    monkeypatch.setattr(files, "assets_dir", lambda: tmp_path)
    recipe = recipes.get("mlp-fashion")
    lines = tuple(
        report.Line(n, r, r / 100, r / 120, r / 90, 0.5)
        for n, r in (("as published", 100.0), ("the package", 250.0))
    )
    return report.Bench(
        recipe.as_dict(), "mlp-fashion", 0.02, 100.0, 900.0, {"device": "a", "date": "2026-01-01"}, lines
    )


def test_a_record_is_read_as_it_was_kept(kept):
    assert records.read() == []
    records.keep(kept)
    (found,) = records.read()
    assert found.lines == kept.lines and found.evidence == kept.evidence
    assert recipes.Recipe.from_dict(found.recipe) == recipes.get("mlp-fashion")


def test_a_newer_measurement_takes_the_place_of_the_older(kept):
    records.keep(kept)
    records.keep(replace(kept, limit=200.0))
    records.keep(replace(kept, evidence={"device": "b", "date": "2026-01-02"}))
    assert [(b.limit, b.evidence["device"]) for b in records.read()] == [(200.0, "a"), (100.0, "b")]


def test_a_damaged_record_says_so(kept, tmp_path):
    (tmp_path / "benchmarks.json").write_text("[{}]")
    with pytest.raises(CourseError, match="benchmarks.json is damaged"):
        records.keep(kept)


def test_a_plan_reads_the_record(kept):
    recipe = recipes.get("mlp-fashion")
    records.keep(kept)
    (line,) = planning.recorded(recipe, 25_000, records.read())
    assert line == "on record, a (2026-01-01): 250 images/s, 2 min"
    assert planning.recorded(recipe.but(batch=32), 25_000, [kept]) == []


def test_small_widths_are_not_kept(own_machine, capsys):
    assert main(["bench", "mlp-fashion", "--keep", "--profile", "ci"]) == 2
    assert "at width 0.25 would be no record" in capsys.readouterr().err


# --- the race --------------------------------------------------------------------------------------


def test_a_race_is_won_where_the_quality_is_reached(pictures, monkeypatch):
    honest, qualities = (
        race._judged,
        iter([0.3, 0.1, 0.4]),
    )  # the published loop's, then the package's in turn

    def judged(*arguments):
        found = honest(*arguments)
        assert 0 < found.confidence <= 1 and 0 < found.balance <= 1
        return replace(
            found, confidence=next(qualities), balance=1.0
        )  # noise is not learned: who wins is scripted

    monkeypatch.setattr(race, "_judged", judged)
    recipe = recipes.get("quick-digits").but(width=1 / 16, batch=8)
    images = pictures(recipe, 256)
    some = ImageSet("mnist", "train", images, torch.arange(256) % 10, tuple("0123456789"), "noise")
    (found,) = race.run(recipe.but(batch=4), recipe, some, seconds=2.0, seeds=range(3, 4))
    assert found.seed == 3 and found.published.seconds >= 2.0 and found.published.images % 4 == 0
    assert found.package.quality >= found.published.quality and found.package.images % (8 * race.EVERY) == 0
    assert (found.published.quality, found.package.quality) == (0.3, 0.4)
    assert found.package.images == 2 * 8 * race.EVERY
    cells = race.row(found)
    assert len(cells) == len(race.HEAD) and cells[0] == "3"


@pytest.mark.parametrize("seconds, seeds", [(0, 1), (5, 0)])
def test_a_race_without_time_or_seeds_is_none(seconds, seeds):
    with pytest.raises(CourseError, match="races of . s: 3 of 300 s tell something"):
        next(race.run(FACES, FACES, None, seconds=seconds, seeds=range(seeds)))
