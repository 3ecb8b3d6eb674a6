"""The checks of lesson 04: two ways to be right, and what each mistake is told."""

import re

import numpy as np
import pytest
from answers import stub, told
from torch import nn

from gan_course.checks import lesson_04


@pytest.mark.parametrize("exercise", [1, 2, 3, 4, 5])
def test_a_stub_is_told_that_it_waits(exercise):
    assert "still waits" in told(getattr(lesson_04, f"exercise_{exercise}"), stub)


# --- 4.1 -------------------------------------------------------------------------------------------


def kept(width, height):
    side = min(width, height)
    left, top = (width - side) / 2, (height - side) / 2
    return left, top, left + side, top + side


def kept_by_resizing(width, height):
    scale = min(width, height) / 64
    left, top = round((width / scale - 64) / 2), round((height / scale - 64) / 2)
    return np.array([left, top, left + 64, top + 64]) * scale


@pytest.mark.parametrize("answer", [kept, kept_by_resizing])
def test_kept_right(answer, capsys):
    lesson_04.exercise_1(answer)
    assert capsys.readouterr().out.startswith("✓")


@pytest.mark.parametrize(
    "wrong, words",
    [
        (lambda w, h: (0, 0, w, h), "keeps a square"),
        (lambda w, h: (0, 7, 64, 71), "pixels of the original"),
        (lambda w, h: (0, 0, min(w, h), min(w, h)), "keeps the middle"),
        (lambda w, h: np.array(kept(w, h))[[1, 0, 3, 2]], "exchanged"),
        (lambda w, h: (0, 0, max(w, h), max(w, h)), "shorter"),
        (lambda w, h: min(w, h), "four numbers"),
        (lambda w, h: (5, 5, 50, 50), "in the middle"),
    ],
)
def test_kept_wrong(wrong, words):
    assert words in told(lesson_04.exercise_1, wrong)


# --- 4.2 -------------------------------------------------------------------------------------------


def by_search(line):
    found = re.findall(r"(?::|/)\s+([\d.]+)", line)
    return [float(text) for text in found] if len(found) == 5 else None


def by_splitting(line):
    words = line.split()
    if "Loss_D:" not in words:
        return None
    place = words.index("Loss_D:")
    return tuple(float(words[place + i]) for i in (1, 3, 5, 7, 9))


@pytest.mark.parametrize("answer", [by_search, by_splitting])
def test_read_line_right(answer, capsys):
    lesson_04.exercise_2(answer)
    assert capsys.readouterr().out.startswith("✓")


@pytest.mark.parametrize(
    "wrong, words",
    [
        (lambda line: None, "there is telemetry in it"),
        (lambda line: by_search(line) or (0.0,) * 5, "None is wanted"),
        (lambda line: [str(x) for x in by_search(line) or ()], "those are texts"),
        (lambda line: (by_search(line) or [0])[:4], "4 numbers instead of 5"),
        (lambda line: (by_search(line) or [0] * 5)[::-1], "another order"),
        (lambda line: [x % 10 for x in by_search(line) or [0] * 5], "two digits"),
        (lambda line: 5, "five numbers"),
        (lambda line: [float(x) for x in re.findall(r"\d+\.\d+", line)] or None, "holds no telemetry"),
        (lambda line: (1, 2, 3, 4, 5), "is right"),
    ],
)
def test_read_line_wrong(wrong, words):
    assert words in told(lesson_04.exercise_2, wrong)


# --- 4.3 -------------------------------------------------------------------------------------------


def glance(d_real, d_fake, last=20, absolute=abs, mean=np.mean):
    real, fake = mean(d_real[-last:]), mean(d_fake[-last:])
    if real > 0.95 and fake < 0.05:
        return "D has won"
    return "D cannot tell" if absolute(real - fake) < 0.1 else "contest"


def glance_by_sums(d_real, d_fake):
    real, fake = sum(d_real[-20:]) / 20, sum(d_fake[-20:]) / 20
    if -0.1 < real - fake < 0.1:
        return "D cannot tell"
    return "contest" if real <= 0.95 or fake >= 0.05 else "D has won"


@pytest.mark.parametrize("answer", [glance, glance_by_sums])
def test_glance_right(answer, capsys):
    lesson_04.exercise_3(answer)
    assert capsys.readouterr().out.startswith("✓")


@pytest.mark.parametrize(
    "wrong, words",
    [
        (lambda r, f: glance(r, f, last=0), "last 20 lines"),
        (lambda r, f: glance(r, f, last=1), "take means"),
        (lambda r, f: glance(r, f, absolute=lambda x: max(x, 0.2)), "both near 0.5"),
        (lambda r, f: glance(f, r), "near 0.98"),
        (lambda r, f: "contest", "you say 'contest'"),
        (lambda r, f: "D has won" if r[-20:].mean() > 0.95 else glance(r, f), "sure of real pictures only"),
        (lambda r, f: glance(r, f, absolute=lambda x: x if x > 0 else 1), "absolute value"),
        (lambda r, f: glance(r, f, absolute=lambda x: x), "absolute value"),
        (lambda r, f: glance(r, f, last=10), "take the last 20"),
        (lambda r, f: "D has won" if f[-20:].mean() < 0.05 else glance(r, f), "generated pictures only"),
        (lambda r, f: glance(r, f, absolute=lambda x: abs(x) / 3), "near 0.6"),
    ],
)
def test_glance_wrong(wrong, words):
    assert words in told(lesson_04.exercise_3, wrong)


# --- 4.4 -------------------------------------------------------------------------------------------


def operations(c_in, c_out, k, n):
    return 2 * n**2 * c_in * c_out * k**2


def operations_by_windows(c_in, c_out, k, n):
    window = k * k * c_out * 2
    return sum(window * c_in for _ in range(n * n))


@pytest.mark.parametrize("answer", [operations, operations_by_windows])
def test_operations_right(answer, capsys):
    lesson_04.exercise_4(answer)
    assert capsys.readouterr().out.startswith("✓")


@pytest.mark.parametrize(
    "wrong, words",
    [
        (lambda *a: operations(*a) // 2, "two operations"),
        (lambda *a: operations(*a) // a[3], "squared"),
        (lambda *a: operations(*a) // a[2], "squared"),
        (lambda *a: operations(*a) * 4, "every *input* pixel"),
        (lambda *a: operations(*a) // a[3] ** 2, "for one pixel"),
        (lambda *a: 7, "is right"),
    ],
)
def test_operations_wrong(wrong, words):
    assert words in told(lesson_04.exercise_4, wrong)


# --- 4.5 -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        lambda: nn.Sequential(nn.Upsample(scale_factor=3), nn.Conv2d(64, 3, 3, 1, 1)),
        lambda: nn.Sequential(nn.Conv2d(64, 3, 1), nn.Upsample(size=96, mode="bilinear")),
        lambda: nn.Sequential(nn.UpsamplingNearest2d(scale_factor=3), nn.ConvTranspose2d(64, 3, 3, 1, 1)),
    ],
)
def test_head_right(answer, capsys):
    lesson_04.exercise_5(answer)
    assert capsys.readouterr().out.startswith("✓")


@pytest.mark.parametrize(
    "wrong, words",
    [
        (lambda: nn.ConvTranspose2d(64, 3, 5, 3, 1), "does not divide the kernel"),
        (lambda: nn.ConvTranspose2d(64, 3, 3, 3), "the counts are even, but"),
        (lambda: nn.Sequential(nn.Conv2d(64, 27, 3, 1, 1), nn.PixelShuffle(3)), "comes out with a pattern"),
        (lambda: nn.Sequential(nn.Upsample(scale_factor=3), nn.Conv2d(64, 3, 1)), "3 × 3 equal ones"),
        (lambda: nn.Sequential(nn.Conv2d(64, 3, 3, 1, 1), nn.Upsample(scale_factor=3)), "3 × 3 equal ones"),
        (lambda: nn.ConvTranspose2d(64, 3, 4, 2, 1), "(3, 64, 64)"),
        (lambda: nn.ConvTranspose2d(64, 1, 3, 3), "(1, 96, 96)"),
        (lambda: nn.ConvTranspose2d(3, 64, 3, 3), "stopped with RuntimeError"),
        (lambda: nn.Sequential(nn.ConvTranspose2d(64, 3, 3, 3), nn.Tanh()), "activation"),
        (lambda: nn.ConvTranspose2d, "return the module"),
    ],
)
def test_head_wrong(wrong, words):
    assert words in told(lesson_04.exercise_5, wrong)
