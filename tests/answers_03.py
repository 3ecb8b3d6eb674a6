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


# 3.6


def up(a, b, k=4, s=2, p=1):
    return nn.ConvTranspose2d(a, b, k, s, p, bias=False), nn.BatchNorm2d(b), nn.ReLU()


def down(a, b, k=4, s=2, p=1):
    return nn.Conv2d(a, b, k, s, p, bias=False), nn.BatchNorm2d(b), nn.LeakyReLU(0.2)


def generator(*middle, first=(32, 3, 1, 0), last=(8, 1, 4, 2, 1), end=nn.Tanh, begin=True):
    middle = middle or (*up(32, 16), *up(16, 16), *up(16, 8))
    begin = nn.Unflatten(1, (100, 1, 1)) if begin else nn.Identity()
    return nn.Sequential(begin, *up(100, *first), *middle, nn.ConvTranspose2d(*last), end())


def discriminator(*middle, first=(1, 8, 4, 2, 1), last=(32, 1, 3, 1, 0), end=None):
    middle = middle or (*down(8, 16), *down(16, 16), *down(16, 32))
    return nn.Sequential(nn.Conv2d(*first), nn.LeakyReLU(0.2), *middle, nn.Conv2d(*last), end or nn.Flatten(0))


class Enlarging(nn.Module):
    """A generator without transposed convolutions."""

    def __init__(self):
        super().__init__()
        self.start, self.used = nn.Linear(100, 16 * 12 * 12), nn.Conv2d(16, 1, 3, 1, 1)

    def forward(self, z):
        x = self.start(z).relu().view(-1, 16, 12, 12)
        return self.used(F.interpolate(x, scale_factor=4)).tanh()


class Forgetful(Enlarging):
    def __init__(self):
        super().__init__()
        self.forgotten = nn.Conv2d(16, 16, 3, 1, 1)


class Spoiling(nn.Module):
    """A discriminator that overwrites what its backward pass needs."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 1, 48)

    def forward(self, x):
        y = self.conv(x).sigmoid()
        return y.mul_(3).sub(1).flatten()


def with_pooling():
    conv = nn.Conv2d(8, 16, 3, 1, 1), nn.ReLU(), nn.MaxPool2d(2)
    return discriminator(*conv, *down(16, 16), *down(16, 32))


def pair(G=generator, D=discriminator):
    return lambda: (G(), D())


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
    6: [
        pair(),
        lambda: [Enlarging().double().float(), with_pooling()],
        pair(
            lambda: generator(*up(16, 16), *up(16, 8), first=(16, 6, 1, 0)),
            lambda: discriminator(*down(8, 16), *down(16, 32), last=(32, 1, 6, 1, 0)),
        ),
        pair(D=lambda: nn.Sequential(discriminator(end=nn.Flatten()), nn.Linear(1, 1), nn.Flatten(0))),
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
        ((lambda n, k, s, p: n // s, transposed), "some layers only"),
        ((conv, conv), "the convolution's size"),
        ((conv, lambda n, k, s, p: n * s - 2 * p + k), "n - 1 gaps"),
        ((conv, lambda n, k, s, p: (n - 1) * s + 2 * p + k), "takes away"),
        ((conv, lambda n, k, s, p: (n - 1) * s - p + k), "both sides"),
        ((conv, lambda n, k, s, p: (n - 1) * s + k), "padding is missing"),
        ((conv, lambda n, k, s, p: (n - 1) * s - 2 * p + 1), "whole window"),
        ((conv, lambda n, k, s, p: 2 * n), "last input's window"),
        ((conv, lambda n, k, s, p: n * s), "some layers only"),
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
        (lambda network: [nn.init.normal_(p, 0.0, 0.02) for p in network.parameters()], "multiplies every signal by 0"),
        (lambda network: [nn.init.normal_(n.weight, 0, 0.02) for n in (network[0], network[2][0])], "spread 0.0"),
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
    6: [
        (lambda: generator(), "return two networks"),
        (lambda: (discriminator(), generator()), "G stopped with"),
        (pair(lambda: generator(first=(32, 4, 1, 0))), "[8, 1, 64, 64], not [8, 1, 48, 48]. Its sizes: 1 → 4 → 8 → 16"),
        (pair(lambda: generator(last=(8, 3, 4, 2, 1))), "[8, 3, 48, 48], not"),
        (pair(lambda: generator(begin=False)), "nn.Unflatten(1, (100, 1, 1))"),
        (pair(lambda: generator(end=nn.Identity)), "end in nn.Tanh()"),
        (pair(lambda: generator(end=nn.Sigmoid)), "no sigmoid"),
        (pair(lambda: generator(*up(16, 8, 1, 1, 0), first=(16, 10, 1, 0), last=(8, 1, 3, 5, 0))), "a gap"),
        (pair(lambda: nn.Sequential(nn.Linear(100, 48**2), nn.Unflatten(1, (1, 48, 48)))), "no convolution"),
        (pair(lambda: generator(*up(2000, 16), *up(16, 16), *up(16, 8), first=(2000, 3, 1, 0))), "more than 1,000,000"),
        (pair(D=lambda: discriminator(end=nn.Flatten())), "nn.Flatten(0) at the end"),
        (pair(D=lambda: discriminator(end=nn.Identity())), "nn.Flatten(0) at the end"),
        (pair(D=lambda: discriminator(last=(32, 1, 2, 1, 0))), "D of 8 pictures is (32,), not one logit each"),
        (pair(D=lambda: discriminator(last=(32, 1, 4, 1, 0))), "D stopped on pictures"),
        (pair(D=lambda: discriminator(end=nn.Sequential(nn.Sigmoid(), nn.Flatten(0)))), "D ends in a sigmoid"),
        (
            pair(D=lambda: discriminator(*down(8, 16), *down(16, 32), first=(1, 8, 3, 2, 0), last=(32, 1, 5, 1, 0))),
            "D never reads row 47",
        ),
        (pair(Forgetful), "got no gradient"),
        (pair(D=lambda: nn.Sequential(nn.LazyConv2d(1, 48), nn.Flatten(0))), "lazy layers"),
        (pair(D=Spoiling), "D's gradient"),
        (lambda: (generator, discriminator), "return two networks"),
    ],
}
