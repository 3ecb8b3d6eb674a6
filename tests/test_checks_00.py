"""The checks of lesson 00: two ways to be right, and what each mistake is told."""

import pytest
import torch
from answers import stub, told

from gan_course.checks import lesson_00


@pytest.mark.parametrize("exercise", [1, 2, 3, 4])
def test_a_stub_is_told_that_it_waits(exercise):
    check = getattr(lesson_00, f"exercise_{exercise}")
    assert "still waits" in told(check, stub)
    assert "still waits" in told(check, ...)


def test_an_error_in_the_code_is_named():
    assert "ZeroDivisionError" in told(lesson_00.exercise_1, lambda images: 1 / 0)


@pytest.mark.parametrize("right", [lambda x: x.float() / 127.5 - 1, lambda x: (x.double() / 255 - 0.5) * 2])
def test_scaling_right(right, capsys):
    lesson_00.exercise_1(right)
    assert capsys.readouterr().out.startswith("✓")


@pytest.mark.parametrize(
    "wrong, words",
    [
        (lambda x: x.float() / 255, "0 … 1"),
        (lambda x: x.float() - 127.5, "not divided"),
        (lambda x: x.float() / 128 - 1, "divide by 127.5"),
        (lambda x: x, "no room for fractions"),
        (lambda x: x.float().flatten() / 127.5 - 1, "same shape"),
        (lambda x: 1 - x.float() / 127.5, "become"),
    ],
)
def test_scaling_wrong(wrong, words):
    assert words in told(lesson_00.exercise_1, wrong)


def draw_with(make_z=torch.randn, reseed=True, grad=False):
    def draw(G, n, seed):
        generator = torch.Generator().manual_seed(seed if reseed else 7)
        with torch.set_grad_enabled(grad):
            return G(make_z(n, 100, generator=generator))

    return draw


def draw_in_two_lines(G, n, seed):
    z = torch.empty(n, 100).normal_(generator=torch.Generator().manual_seed(seed))
    return G(z).detach()


@pytest.mark.parametrize("right", [draw_with(), draw_in_two_lines])
def test_drawing_right(right, capsys):
    lesson_00.exercise_2(right)
    assert capsys.readouterr().out.startswith("✓")


@pytest.mark.parametrize(
    "wrong, words",
    [
        (draw_with(torch.rand), "uniform"),
        (draw_with(reseed=False), "does the seed reach"),
        (draw_with(grad=True), "no_grad"),
        (lambda G, n, seed: G(torch.randn(n, 100)).detach(), "other images the second time"),
        (lambda G, n, seed: draw_with()(G, 1, seed), "shape"),
    ],
)
def test_drawing_wrong(wrong, words):
    assert words in told(lesson_00.exercise_2, wrong)


def walk_in_a_loop(a, b, steps):
    return torch.stack([a + (b - a) * k / (steps - 1) for k in range(steps)])


def walk_by_weights(a, b, steps):
    share = torch.linspace(0, 1, steps)[:, None]
    return (1 - share) * a + share * b


@pytest.mark.parametrize("right", [walk_in_a_loop, walk_by_weights])
def test_walking_right(right, capsys):
    lesson_00.exercise_3(right)
    assert capsys.readouterr().out.startswith("✓")


@pytest.mark.parametrize(
    "wrong, words",
    [
        (lambda a, b, n: walk_by_weights(b, a, n), "from b to a"),
        (lambda a, b, n: torch.stack([a + (b - a) * k / n for k in range(n)]), "not b"),
        (lambda a, b, n: walk_by_weights(a, b, n).T, "steps first"),
        (lambda a, b, n: a + (b - a) * (torch.linspace(0, 1, n) ** 2)[:, None], "not even"),
    ],
)
def test_walking_wrong(wrong, words):
    assert words in told(lesson_00.exercise_3, wrong)


@pytest.mark.parametrize(
    "right", [lambda n, b, e: n // b * e, lambda n, b, e: sum(int((n - n % b) / b) for _ in range(e))]
)
def test_steps_right(right, capsys):
    lesson_00.exercise_4(right)
    assert capsys.readouterr().out.startswith("✓")


@pytest.mark.parametrize(
    "wrong, words",
    [
        (lambda n, b, e: -(-n // b) * e, "incomplete batch"),
        (lambda n, b, e: n * e // b, "ran on into the next"),
        (lambda n, b, e: n / b * e, "whole numbers"),
        (lambda n, b, e: n // b, "times epochs"),
    ],
)
def test_steps_wrong(wrong, words):
    assert words in told(lesson_00.exercise_4, wrong)
