"""How long a run would take, measured on a small one."""

import pytest
import torch

from gan_course import planning
from gan_course.__main__ import main
from gan_course.errors import CourseError


def test_a_plan_agrees_with_itself(small, pictures):
    recipe = small("mlp-fashion")
    found = planning.plan(recipe, pictures(recipe, 40), images=32_000, seconds=0.3)
    assert found.lowest <= found.rate <= found.highest and found.memory > 10**8
    line = found.text()
    assert line.startswith("32,000 images at ") and planning.duration(32_000 / found.rate) in line


def test_nothing_of_it_stays(small, pictures):
    recipe = small("quick-digits")
    before = torch.get_rng_state()
    planning.plan(recipe, pictures(recipe, 40), images=100, seconds=0.05)
    assert torch.equal(torch.get_rng_state(), before)


def test_drawn_faces_are_planned_for_the_whole_set(monkeypatch, own_machine, capsys):
    asked = []
    honest = planning.plan

    def short(recipe, sample, images, device):
        asked.append(images)
        return honest(recipe, sample, images, device, seconds=0.01)

    monkeypatch.setattr(planning, "plan", short)
    assert main(["plan", "dcgan-faces-64", "--set", "width=0.0625", "--set", "batch=4"]) == 0
    assert asked == [5 * 20_000] and "100,000 images at " in capsys.readouterr().out


@pytest.mark.parametrize(
    "seconds, words",
    [(0.4, "0 s"), (99, "99 s"), (100, "2 min"), (5_940, "99 min"), (6_000, "1.7 h"), (172_800, "2.0 days")],
)
def test_durations_in_words(seconds, words):
    assert planning.duration(seconds) == words


def test_less_than_a_batch_is_no_run(small, pictures):
    recipe = small("mlp-fashion")
    with pytest.raises(CourseError, match="3 images are less than one batch of 16"):
        planning.plan(recipe, pictures(recipe, 40), images=3)
