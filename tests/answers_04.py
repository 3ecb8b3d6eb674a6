"""Answers to the exercises of lesson 04: right ones, and wrong ones with what each is told."""

import re

import numpy as np
import torch
from torch import nn


def kept(width, height, by=min, whole=lambda x: x):
    side = by(width, height)
    left, top = whole((width - side) / 2), whole((height - side) / 2)
    return left, top, left + side, top + side


def kept_by_resizing(width, height):
    scale = min(width, height) / 64
    left, top = round((width / scale - 64) / 2), round((height / scale - 64) / 2)
    return np.array([left, top, left + 64, top + 64]) * scale


FIELDS = r"Loss_D:\s*([\d.]+)\s+Loss_G:\s*([\d.]+)\s+D\(x\):\s*([\d.]+)\s+D\(G\(z\)\):\s*([\d.]+)\s*/\s*([\d.]+)"


def by_search(line, pattern=FIELDS, kind=float):
    found = re.search(pattern, line)
    return tuple(kind(text) for text in found.groups()) if found else None


def by_splitting(line):
    words = line.split()
    if "Loss_D:" not in words:
        return None
    place = words.index("Loss_D:")
    return [np.float32(words[place + i]) for i in (1, 3, 5, 7, 9)]


def read(after=lambda values: values, **changes):
    return lambda line: None if (values := by_search(line, **changes)) is None else after(values)


def glance(d_real, d_fake, last=20, absolute=abs, mean=np.mean, high=0.95, low=0.05, gap=0.1, both=all):
    real, fake = mean(d_real[-last:]), mean(d_fake[-last:])
    if both([real > high, fake < low]):
        return "D has won"
    return "D cannot tell" if absolute(real - fake) < gap else "contest"


def rule(**changes):
    return lambda d_real, d_fake: glance(d_real, d_fake, **changes)


def glance_by_sums(d_real, d_fake):
    real, fake = torch.tensor(d_real)[-20:].sum() / 20, torch.tensor(d_fake)[-20:].sum() / 20
    if -0.1 < real - fake < 0.1:
        return "D cannot tell"
    return np.str_("contest" if real <= 0.95 or fake >= 0.05 else "D has won")


def operations(c_in, c_out, k, n):
    return 2 * n**2 * c_in * c_out * k**2


def equal_weights():
    head = nn.ConvTranspose2d(64, 3, 6, 3, 2, output_padding=1, bias=False)
    nn.init.constant_(head.weight, 0.01)
    return head


def head(*layers, enlarged=True):
    return lambda: nn.Sequential(*([nn.Upsample(scale_factor=3)] if enlarged else []), *layers)


RIGHT = {
    1: [kept, kept_by_resizing, lambda w, h: kept(w, h, whole=int), lambda w, h: torch.tensor(kept(w, h)).half()],
    2: [by_search, by_splitting, read(np.array), read(torch.tensor)],
    3: [glance, glance_by_sums],
    4: [operations, lambda c, d, k, n: sum(2 * k * k * d * c for _ in range(n * n)), lambda *a: float(operations(*a))],
    5: [
        head(nn.Conv2d(64, 3, 3, 1, 1)),
        head(nn.Conv2d(64, 3, 5, 1, 2).double()),
        lambda: nn.Sequential(nn.Conv2d(64, 3, 1), nn.Upsample(size=96, mode="bilinear")),
        lambda: nn.Sequential(nn.UpsamplingNearest2d(scale_factor=3), nn.ConvTranspose2d(64, 3, 3, 1, 1)),
        lambda: nn.Sequential(nn.Upsample(scale_factor=3), nn.LazyConv2d(3, 3, 1, 1)),
    ],
}

WRONG = {
    1: [
        (lambda w, h: (0, 0, w, h), "keeps a square"),
        (lambda w, h: (0, 7, 64, 71), "pixels of the original"),
        (lambda w, h: (0, 0, min(w, h), min(w, h)), "keeps the middle"),
        (lambda w, h: (w - min(w, h), h - min(w, h), w, h), "bottom right corner"),
        (lambda w, h: np.array(kept(w, h))[[1, 0, 3, 2]], "exchanged"),
        (lambda w, h: kept(w, h)[:2] + (min(w, h), min(w, h)), "places, not sizes"),
        (lambda w, h: kept(w, h, by=max), "the *shorter* side"),
        (lambda w, h: (0, 0, max(w, h), max(w, h)), "the *shorter* side"),
        (lambda w, h: np.subtract(kept(w, h), (0, 0, 1, 1)), "ends at 64, not before"),
        (lambda w, h: min(w, h), "four numbers"),
        (lambda w, h: (5, 5, 50, 50), "in the middle"),
    ],
    2: [
        (lambda line: None, "is there a `return`"),
        (read(pattern=FIELDS.replace(r"\(", "(").replace(r"\)", ")")), r"\( and \)"),
        (read(pattern=FIELDS.replace(r"\s+", "  ")), "white space may be a tab"),
        (lambda line: tuple(map(float, re.search(FIELDS, line).groups())), "None is wanted there"),
        (lambda line: by_search(line) or (0.0,) * 5, "None is wanted, not (0.0"),
        (read(kind=str), "those are texts"),
        (read(lambda values: values[:4]), "D(G(z)) has two"),
        (read(lambda values: values[::-1]), "another order"),
        (read(lambda values: [x % 10 for x in values]), "two digits"),
        (lambda line: 5, "five numbers"),
        (lambda line: [float(x) for x in re.findall(r"\d+\.\d+", line)] or None, "holds no telemetry"),
        (lambda line: (float(x) for x in line), "generator"),
        (lambda line: (1, 2, 3, 4, 5), "is right"),
    ],
    3: [
        (rule(last=0), "last 20 lines"),
        (rule(last=10), "take the last 20"),
        (rule(last=21), "20 lines"),
        (rule(mean=np.median), "take means"),
        (rule(mean=lambda x: x[-1]), "take means"),
        (rule(high=0.9), "0.93 is not above 0.95"),
        (rule(low=0.1), "0.07 is not below 0.05"),
        (rule(gap=0.15), "differ by more than 0.1"),
        (rule(gap=0.05), "D cannot tell"),
        (rule(both=any), "both conditions"),
        (rule(absolute=lambda x: x if x > 0 else 1), "no sign"),
        (rule(absolute=lambda x: x), "absolute value"),
        (lambda r, f: glance(f, r), "near 0.98"),
        (lambda r, f: "won", "one of 'D has won'"),
    ],
    4: [
        (lambda *a: operations(*a) // 2, "two operations"),
        (lambda *a: operations(*a) // a[3], "squared"),
        (lambda *a: operations(*a) // a[2], "both sizes count squared"),
        (lambda *a: operations(*a) * 4, "every *input* pixel"),
        (lambda *a: operations(*a) // a[3] ** 2, "for one pixel"),
        (lambda *a: operations(*a) // a[0], "times channels in"),
        (lambda *a: operations(*a) // a[1], "times channels out"),
        (lambda c, d, k, n: 2 * n * n * (c + d) * k * k, "multiply"),
        (lambda *a: 7, "is right"),
    ],
    5: [
        (lambda: nn.ConvTranspose2d(64, 3, 5, 3, 1), "does not divide the kernel"),
        (lambda: nn.ConvTranspose2d(64, 3, 3, 3), "the counts are even, but"),
        (equal_weights, "the counts are even, but"),
        (head(nn.Conv2d(64, 27, 3, 1, 1), nn.PixelShuffle(3), enlarged=False), "comes out with a pattern"),
        (head(nn.Conv2d(64, 3, 1)), "3 × 3 equal ones"),
        (lambda: nn.Sequential(nn.Conv2d(64, 3, 3, 1, 1), nn.Upsample(scale_factor=3)), "3 × 3 equal ones"),
        (lambda: nn.ConvTranspose2d(64, 3, 4, 2, 1), "become (2, 3, 64, 64)"),
        (lambda: nn.ConvTranspose2d(3, 64, 3, 3), "stopped with RuntimeError"),
        (head(nn.Conv2d(64, 3, 3, 1, 1), nn.Tanh()), "activation"),
        (lambda: nn.ConvTranspose2d, "return the module"),
        (nn.Module, "missing the required"),
        (lambda: nn.Sequential(nn.Upsample(scale_factor=3, mode="trilinear")), "NotImplementedError"),
    ],
}
