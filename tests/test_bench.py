"""The benchmark: rungs that compute the same, turns that are fair, numbers that follow from each other."""

import pytest
import torch

from gan_course import recipes
from gan_course.bench import ladder, limit, measure, report
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
    against = report.contenders(recipe)
    assert list(against) == [
        "as published",
        "the package",
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
    assert limit.precision(torch.device("cpu")) == torch.float32
