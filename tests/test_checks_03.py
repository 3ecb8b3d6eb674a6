"""The checks of lesson 03: two ways to be right, and what each mistake is told."""

import math

import pytest
import torch
from answers import stub, told
from torch import nn
from torch.nn import functional as F

from gan_course.checks import lesson_03


@pytest.mark.parametrize("exercise", [1, 2, 3, 4, 5])
def test_a_stub_is_told_that_it_waits(exercise):
    answers = (stub, stub) if exercise == 1 else (stub,)
    assert "still waits" in told(getattr(lesson_03, f"exercise_{exercise}"), *answers)


# --- 3.1 -------------------------------------------------------------------------------------------


def conv(n, k, s, p):
    return (n + 2 * p - k) // s + 1


def transposed(n, k, s, p):
    return (n - 1) * s - 2 * p + k


@pytest.mark.parametrize(
    "answers",
    [
        (conv, transposed),
        (lambda n, k, s, p: len(range(-p, n + p - k + 1, s)), lambda n, k, s, p: n * s - s + k - p - p),
    ],
)
def test_sizes_right(answers, capsys):
    lesson_03.exercise_1(*answers)
    assert capsys.readouterr().out.startswith("✓")


@pytest.mark.parametrize(
    "wrong, words",
    [
        (lambda n, k, s, p: (n + 2 * p - k) / s + 1, "whole numbers"),
        (lambda n, k, s, p: (n + 2 * p - k) // s, "first position"),
        (lambda n, k, s, p: (n + p - k) // s + 1, "both sides"),
        (lambda n, k, s, p: math.ceil((n + 2 * p - k) / s) + 1, "rounds up"),
        (lambda n, k, s, p: n, "where the window can begin"),
    ],
)
def test_conv_size_wrong(wrong, words):
    assert words in told(lesson_03.exercise_1, wrong, transposed)


@pytest.mark.parametrize(
    "wrong, words",
    [
        (lambda n, k, s, p: n * s - 2 * p + k, "n - 1 gaps"),
        (lambda n, k, s, p: (n - 1) * s + 2 * p + k, "takes away"),
        (lambda n, k, s, p: (n - 1) * s - p + k, "both sides"),
        (lambda n, k, s, p: 2 * n, "last input's window"),
    ],
)
def test_transposed_size_wrong(wrong, words):
    assert words in told(lesson_03.exercise_1, conv, wrong)


# --- 3.2 -------------------------------------------------------------------------------------------


def by_convolving(kernel, n, stride, padding):
    return F.conv1d(torch.eye(n)[:, None], kernel[None, None], stride=stride, padding=padding)[:, 0].T


def by_placing(kernel, n, stride, padding):
    matrix = torch.zeros(conv(n, len(kernel), stride, padding), n)
    for i in range(len(matrix)):
        for j, value in enumerate(kernel):
            if 0 <= i * stride - padding + j < n:
                matrix[i, i * stride - padding + j] = value
    return matrix


@pytest.mark.parametrize("right", [by_convolving, by_placing])
def test_matrix_right(right, capsys):
    lesson_03.exercise_2(right)
    assert capsys.readouterr().out.startswith("✓")


@pytest.mark.parametrize(
    "wrong, words",
    [
        (lambda *a: by_placing(*a).T, "transposed"),
        (lambda kernel, *a: by_placing(kernel.flip(0), *a), "backwards"),
        (lambda kernel, n, s, p: by_placing(kernel, n, 1, p), "make a matrix"),
        (lambda *a: 2 * by_placing(*a), "is right"),
        (lambda *a: 3, "int"),
    ],
)
def test_matrix_wrong(wrong, words):
    assert words in told(lesson_03.exercise_2, wrong)


# --- 3.3 -------------------------------------------------------------------------------------------

MENDED = [(4, 1, 0), (3, 2, 1), (4, 2, 1), (4, 2, 1)]


@pytest.mark.parametrize("right", [MENDED, [(4, 1, 0), (5, 2, 2), (6, 2, 2), (4, 2, 1)]])
def test_mended_right(right, capsys):
    lesson_03.exercise_3(lambda: right)
    assert "(2, 8, 28, 28)" in capsys.readouterr().out


@pytest.mark.parametrize(
    "wrong, words",
    [
        ([(4, 1, 0)] + 3 * [(4, 2, 1)], "layer 2, k4 s2 p1, makes 8 of 4; the table asks for 7"),
        ([(4, 1, 0), (1, 2, 0), (4, 2, 1), (4, 2, 1)], "leaves gaps"),
        (MENDED[:3], "four triples"),
        ("k3", "four triples"),
    ],
)
def test_mended_wrong(wrong, words):
    assert words in told(lesson_03.exercise_3, lambda: wrong)


# --- 3.4 -------------------------------------------------------------------------------------------


def dcgan_init(layer):
    if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.normal_(layer.weight, 0.0, 0.02)
    elif isinstance(layer, nn.BatchNorm2d):
        nn.init.normal_(layer.weight, 1.0, 0.02)
        nn.init.zeros_(layer.bias)


def by_name(network):
    with torch.no_grad():
        for layer in network.modules():
            name = type(layer).__name__
            if "Conv" in name:
                layer.weight.normal_().mul_(0.02)
            if "BatchNorm" in name:
                layer.weight.normal_().mul_(0.02).add_(1)
                layer.bias.zero_()


@pytest.mark.parametrize("right", [lambda network: network.apply(dcgan_init), by_name])
def test_first_weights_right(right, capsys):
    lesson_03.exercise_4(right)
    assert capsys.readouterr().out.startswith("✓")


def applied(**changes):
    """dcgan_init with some of its numbers or classes changed."""
    kinds = changes.get("kinds", (nn.Conv2d, nn.ConvTranspose2d))

    def init(layer):
        if isinstance(layer, kinds):
            nn.init.normal_(layer.weight, changes.get("mean", 0.0), changes.get("std", 0.02))
        elif isinstance(layer, nn.BatchNorm2d):
            nn.init.normal_(layer.weight, changes.get("norm", 1.0), 0.02)
            if changes.get("bias", True):
                nn.init.zeros_(layer.bias)

    return lambda network: network.apply(init)


@pytest.mark.parametrize(
    "wrong, words",
    [
        (lambda network: dcgan_init, "ever called"),  # returned, never called
        (lambda network: [dcgan_init(layer) for layer in network], "layers inside layers"),
        (applied(kinds=nn.Conv2d), "no Conv2d"),
        (applied(std=0.02**0.5), "not the variance"),
        (applied(mean=0.01), "mean 0.01"),
        (applied(norm=0.0), "multiplies every signal by 0"),
        (applied(bias=False), "biases start at 0"),
    ],
)
def test_first_weights_wrong(wrong, words):
    assert words in told(lesson_03.exercise_4, wrong)


# --- 3.5 -------------------------------------------------------------------------------------------


def by_adding(n, kernel, stride):
    counts = torch.zeros(transposed(n, kernel, stride, 0), dtype=torch.int64)
    for j in range(n):
        counts[j * stride : j * stride + kernel] += 1
    return counts


def by_ones(n, kernel, stride):
    return F.conv_transpose1d(torch.ones(1, 1, n), torch.ones(1, 1, kernel), stride=stride)[0, 0]


@pytest.mark.parametrize("right", [by_adding, by_ones])
def test_overlaps_right(right, capsys):
    lesson_03.exercise_5(right)
    assert capsys.readouterr().out.startswith("✓")


@pytest.mark.parametrize(
    "wrong, words",
    [
        (lambda n, k, s: torch.full((transposed(n, k, s, 0),), k / s), "do not divide"),
        (lambda n, k, s: by_adding(n, k, s)[1:], "transposed_size says"),
        (lambda n, k, s: by_adding(n, k, s).flip(0) * 2, "is right"),
    ],
)
def test_overlaps_wrong(wrong, words):
    assert words in told(lesson_03.exercise_5, wrong)
