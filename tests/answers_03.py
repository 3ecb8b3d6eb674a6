"""Answers to the exercises of lesson 03: right ones, and wrong ones with what each is told."""

import math

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F


def conv(n, k, s, p):
    return (n + 2 * p - k) // s + 1


def transposed(n, k, s, p):
    return (n - 1) * s - 2 * p + k


def by_convolving(kernel, n, stride, padding):
    return F.conv1d(torch.eye(n)[:, None], kernel[None, None], stride=stride, padding=padding)[:, 0].T


def by_placing(kernel, n, stride, padding, shift=0, keep=lambda place, n: 0 <= place < n, rows=conv):
    matrix = torch.zeros(rows(n, len(kernel), stride, padding), n, dtype=torch.float64)
    for i in range(len(matrix)):
        for j, value in enumerate(kernel):
            place = i * stride - padding + j + shift * padding
            if keep(place, n):
                matrix[i, place] = value
    return matrix


MENDED = [(4, 1, 0), (3, 2, 1), (4, 2, 1), (4, 2, 1)]


def applied(kinds=(nn.Conv2d, nn.ConvTranspose2d), mean=0.0, std=0.02, norm=1.0, bias=True, draw=nn.init.normal_):
    """A student's initialise with some of its numbers or classes changed."""

    def init(layer):
        if isinstance(layer, kinds):
            draw(layer.weight, mean, std)
        elif isinstance(layer, nn.BatchNorm2d):
            nn.init.normal_(layer.weight, norm, 0.02)
            if bias:
                nn.init.zeros_(layer.bias)

    return lambda network: network.apply(init)


def by_name(network):
    with torch.no_grad():
        for layer in network.modules():
            name = type(layer).__name__
            if "Conv" in name:
                layer.weight.normal_().mul_(0.02)
            if "BatchNorm" in name:
                layer.weight.normal_().mul_(0.02).add_(1)
                layer.bias.zero_()


def uniform(weight, mean, std):
    nn.init.uniform_(weight, mean - std * 3**0.5, mean + std * 3**0.5)


def by_adding(n, kernel, stride, step=1):
    counts = torch.zeros(transposed(n, kernel, stride, 0), dtype=torch.int64)
    for j in range(n):
        counts[j * stride : j * stride + kernel] += step
    return counts


RIGHT = {
    1: [
        (conv, transposed),
        (lambda n, k, s, p: len(range(-p, n + p - k + 1, s)), lambda n, k, s, p: n * s - s + k - p - p),
        (lambda *a: np.int64(conv(*a)), lambda *a: torch.tensor(transposed(*a))),
        (lambda n, k, s, p: math.floor((n + 2 * p - k) / s) + 1.0, transposed),
    ],
    2: [by_convolving, by_placing, lambda *a: by_placing(*a).int(), lambda *a: by_convolving(*a).half()],
    3: [
        lambda: MENDED,
        lambda: ((4, 1, 0), (5, 2, 2), (6, 2, 2), (4, 2, 1)),
        lambda: np.array(MENDED),
        lambda: torch.tensor(MENDED),
    ],
    4: [applied(), by_name, lambda network: [applied()(layer) for layer in network]],
    5: [
        by_adding,
        lambda n, k, s: F.conv_transpose1d(torch.ones(1, 1, n), torch.ones(1, 1, k), stride=s)[0, 0],
        lambda n, k, s: by_adding(n, k, s).tolist(),
        lambda n, k, s: by_adding(n, k, s).numpy(),
    ],
}

WRONG = {
    1: [
        ((lambda n, k, s, p: (n + 2 * p - k) / s + 1, transposed), "whole number"),
        ((lambda n, k, s, p: (n + 2 * p - k) // s, transposed), "first position"),
        ((lambda n, k, s, p: (n + p - k) // s + 1, transposed), "both sides"),
        ((lambda n, k, s, p: (n - k) // s + 1, transposed), "padding is missing"),
        ((lambda n, k, s, p: math.ceil((n + 2 * p - k) / s) + 1, transposed), "rounds up"),
        ((lambda n, k, s, p: round((n + 2 * p - k) / s) + 1, transposed), "conv_size(6, 3, 2, 0) is 3: that rounds"),
        ((transposed, conv), "*transposed* convolution"),
        ((lambda n, k, s, p: n, transposed), "where the window can begin"),
        ((conv, lambda n, k, s, p: n * s - 2 * p + k), "n - 1 gaps"),
        ((conv, lambda n, k, s, p: (n - 1) * s + 2 * p + k), "takes away"),
        ((conv, lambda n, k, s, p: (n - 1) * s - p + k), "both sides"),
        ((conv, lambda n, k, s, p: (n - 1) * s + k), "padding is missing"),
        ((conv, lambda n, k, s, p: (n - 1) * s - 2 * p + 1), "whole window"),
        ((conv, lambda n, k, s, p: 2 * n), "last input's window"),
    ],
    2: [
        (lambda *a: by_placing(*a).T, "transposed"),
        (lambda kernel, *a: by_placing(kernel.flip(0), *a), "backwards"),
        (lambda *a: by_placing(*a, shift=1), "forgets the padding"),
        (lambda *a: by_placing(*a, keep=lambda place, n: place < n), "Python's last column"),
        (lambda kernel, n, s, p: by_placing(kernel, n, 1, p), "stride 2 rows move on by 2"),
        (lambda kernel, n, s, p: by_placing(kernel, n + 2 * p, s, 0), "no columns of its own"),
        (lambda *a: by_placing(*a)[:2], "8 inputs and 4 outputs make a matrix (4, 8)"),
        (lambda *a: 2 * by_placing(*a), "is right"),
        (lambda *a: by_placing(*a).numpy(), "return a torch tensor"),
        (lambda *a: 3, "yours has ()"),
    ],
    3: [
        (lambda: [(4, 1, 0)] + 3 * [(4, 2, 1)], "layer 2, k4 s2 p1, makes 8 of 4; the table asks for 7"),
        (lambda: [(4, 1, 0), (1, 2, 0), (4, 2, 1), (4, 2, 1)], "leaves gaps"),
        (lambda: [(4, 1, 0), (3, 2, 9), (4, 2, 1), (4, 2, 1)], "layer 2, k3 s2 p9: padding 9 cuts away"),
        (lambda: [(4, 0, 0)] + MENDED[1:], "layer 1"),
        (lambda: [(4, 1.5, 0)] + MENDED[1:], "four triples"),
        (lambda: MENDED[:3], "four triples"),
        (lambda: (1 / 0 for _ in MENDED), "four triples"),
        (lambda: "k3", "four triples"),
    ],
    4: [
        (lambda network: applied, "ever called"),
        (lambda network: [by_name(layer) for layer in list(network)[:2]], "layers inside layers"),
        (applied(kinds=nn.Conv2d), "no Conv2d"),
        (applied(std=0.02**0.5), "not the variance"),
        (applied(mean=0.01), "mean 0.01"),
        (applied(std=0.0), "spread 0.0000"),
        (applied(draw=uniform), "not normal"),
        (applied(norm=0.0), "multiplies every signal by 0"),
        (applied(norm=math.nan), "BatchNorm's weights have mean nan"),
        (applied(bias=False), "biases start at 0"),
    ],
    5: [
        (lambda n, k, s: torch.full((transposed(n, k, s, 0),), k / s), "do not divide"),
        (lambda n, k, s: by_adding(n, k, s).clamp(max=1), "+="),
        (lambda n, k, s: torch.full((n,), k), "count the inputs of each output"),
        (lambda n, k, s: by_adding(n, k - 1, s), "*inclusive*"),
        (lambda n, k, s: by_adding(n, k, s)[1:], "a row of 10 outputs, as transposed_size says; yours has (9,)"),
        (lambda n, k, s: by_adding(n, k, s, 2), "is right"),
        (lambda n, k, s: by_adding(n, k, s).bool(), "+="),
    ],
}
