"""Answers to the exercises of lesson 04: right ones, and wrong ones with what each is told."""

import re

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torchvision.transforms import v2


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


# 4.6


def square_of(picture, size, box=kept, mode="bilinear"):
    left, top, right, bottom = (round(float(edge)) for edge in box(picture.shape[2], picture.shape[1]))
    smooth = {"antialias": True} if mode == "bilinear" else {}
    return F.interpolate(picture[None, :, top:bottom, left:right].float(), (size, size), mode=mode, **smooth)


def prepare(pictures, size, after=lambda x: x.round().to(torch.uint8), **changes):
    return after(torch.cat([square_of(picture, size, **changes) for picture in pictures]))


def preparing(**changes):
    return lambda pictures, size: prepare(pictures, size, **changes)


def by_torchvision(pictures, size):
    made = v2.Compose([v2.Resize(size), v2.CenterCrop(size)])
    return torch.stack([made(picture) for picture in pictures])


def up(a, b, k=4, s=2, p=1):
    return nn.ConvTranspose2d(a, b, k, s, p, bias=False), nn.BatchNorm2d(b), nn.ReLU()


TO_40 = (*up(100, 128, 5, 1, 0), *up(128, 64), *up(64, 32), *up(32, 16))


def ending(*end, way=TO_40, last=nn.Tanh):
    return lambda: nn.Sequential(nn.Unflatten(1, (100, 1, 1)), *way, *end, last())


FLAT = nn.Upsample(scale_factor=2), nn.Conv2d(16, 3, 3, 1, 1, bias=False)
generator = ending(*FLAT)


class Enlarging(nn.Module):
    """A generator without transposed convolutions, which enlarges in `forward`."""

    def __init__(self):
        super().__init__()
        self.start, self.used = nn.Linear(100, 16 * 20 * 20), nn.Conv2d(16, 3, 3, 1, 1)

    def forward(self, z):
        x = self.start(z).relu().view(-1, 16, 20, 20)
        return self.used(F.interpolate(x, scale_factor=4)).tanh()


class Forgetful(Enlarging):
    def __init__(self):
        super().__init__()
        self.forgotten = nn.Conv2d(16, 16, 3, 1, 1)


def verdict(lines, columns=(2, 3), rule=glance, keep=lambda values: values is not None):
    rows = np.array([values for line in lines if keep(values := by_search(line))])
    return rule(*rows[:, columns].T)


def reading(**changes):
    return lambda lines: verdict(lines, **changes)


def handing(prepare=prepare, generator=generator, verdict=verdict):
    return prepare, generator, verdict


def by_majority(d_real, d_fake):
    votes = [glance([real], [fake]) for real, fake in zip(d_real[-20:], d_fake[-20:], strict=True)]
    return max(votes, key=votes.count)


def by_their_gap(d_real, d_fake):
    far = np.mean(d_real[-20:] - d_fake[-20:]) > 0.91
    return "D has won" if far else glance(d_real, d_fake, high=2)


def by_differences(d_real, d_fake):
    close = np.mean(np.abs(d_real[-20:] - d_fake[-20:])) < 0.1
    return "D cannot tell" if close else glance(d_real, d_fake, gap=-1)


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
    6: [
        handing(),
        handing(by_torchvision, Enlarging),
        handing(
            preparing(mode="nearest", after=lambda x: x.to(torch.uint8)),
            ending(nn.Upsample(scale_factor=2, mode="bilinear"), nn.Conv2d(16, 3, 5, 1, 2).double()),
            lambda lines: glance_by_sums(*np.array([v for v in map(by_splitting, lines) if v])[:, 2:4].T.copy()),
        ),
        handing(generator=ending(nn.Conv2d(16, 3, 1), nn.Upsample(scale_factor=2, mode="bilinear"))),
        handing(
            generator=ending(
                nn.Upsample(scale_factor=5),
                nn.Conv2d(16, 3, 5, 1, 2),
                way=(*up(100, 64, 4, 1, 0), *up(64, 32), *up(32, 16)),
            )
        ),
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
        (lambda w, h: kept(w, h)[:2] * 2, "right and bottom are counted from"),
        (lambda w, h: np.array(kept(w, h))[[0, 2, 1, 3]], "another order"),
        (lambda w, h: np.array(kept(w, h)) / (w, h, w, h), "parts of the width"),
        (lambda w, h: min(w, h), "four numbers"),
        (lambda w, h: (5, 5, 50, 50), "in the middle"),
    ],
    2: [
        (lambda line: None, "is there a `return`"),
        (read(pattern=FIELDS.replace(r"\(", "(").replace(r"\)", ")")), r"\( and \)"),
        (read(pattern=FIELDS.replace(r"\s+", "  ")), "white space may be a tab"),
        (lambda line: by_search(line) if line.startswith("step") else None, "there is telemetry in it"),
        (read(kind=lambda text: int(float(text))), "two digits before its point"),
        (
            lambda line: [float(x) for x in re.findall(r"\d+\.?\d*", line)][-5:] if "Loss_G" in line else None,
            "'Loss_G fell from 5.2 to 2.3 in 5 epochs, D(x) from 0.8 to 0.7' holds no telemetry",
        ),
        (lambda line: tuple(map(float, re.search(FIELDS, line).groups())), "None is wanted there"),
        (lambda line: by_search(line) or (0.0,) * 5, "None is wanted, not (0.0"),
        (lambda line: (found := re.match(FIELDS, line)) and found.groups(), "re.match only at its beginning"),
        (lambda line: (values := by_search(line)) and (50.0, *values), "five numbers"),
        (lambda line: (values := by_search(line)) and values[:3] + values[:2:-1], "another order"),
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
        (rule(mean=np.max), "take means"),
        (by_majority, "take means"),
        (by_differences, "take means"),
        (lambda r, f: glance(r[:20], f[:20]), "last 20 lines"),
        (rule(high=0.9), "0.93 is not above 0.95"),
        (rule(low=0.1), "0.07 is not below 0.05"),
        (by_their_gap, "however far apart the two are"),
        (rule(mean=np.min), "take means"),
        (lambda r, f: glance(r[:-1], f[:-1]), "[-20:] are 20 lines"),
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
        (lambda c, d, k, n: operations(c, d, k, 2 * n), "every *input* pixel"),
        (lambda c, d, k, n: operations(c, d, k, n) + d * n * n, "is right"),
        (lambda c, d, k, n: 2 * (n ^ 2) * c * d * (k ^ 2), "is right"),
        (lambda c, d, k, n: 2 * n * c * d * k, "both sizes count squared"),
        (lambda *a: operations(*a) // a[3] ** 2, "for one pixel"),
        (lambda *a: operations(*a) // a[0], "times channels in"),
        (lambda *a: operations(*a) // a[1], "times channels out"),
        (lambda c, d, k, n: 2 * n * n * (c + d) * k * k, "multiply"),
        (lambda c, d, k, n: operations(c, c, k, n), "count once each"),
        (lambda *a: operations(*a) / 1e6, "millions"),
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
        (head(nn.Conv2d(64, 3, 3)), "become (2, 3, 94, 94)"),
        (lambda: nn.ConvTranspose2d(3, 64, 3, 3), "stopped with RuntimeError"),
        (head(nn.Conv2d(64, 3, 3, 1, 1), nn.Tanh()), "activation"),
        (lambda: nn.ConvTranspose2d, "return the module"),
        (nn.Module, "missing the required"),
        (lambda: nn.Sequential(nn.Upsample(scale_factor=3, mode="trilinear")), "NotImplementedError"),
        (head(nn.ConvTranspose2d(64, 64, 3, 3), nn.Conv2d(64, 3, 3, 1, 1), enlarged=False), "the counts are even, but"),
        (head(nn.Conv2d(64, 3, 3, 1, 3, dilation=3)), "3 × 3 equal ones"),
        (head(nn.Conv2d(64, 3, 3, 1, 1), nn.ReLU()), "activation"),
    ],
    6: [
        (handing(preparing(box=lambda w, h: (0, 0, w, h))), "squeezed"),
        (handing(preparing(box=lambda w, h: (0, 0, min(w, h), min(w, h)))), "begin at the top left"),
        (handing(preparing(box=lambda w, h: (w - min(w, h), h - min(w, h), w, h))), "end at the bottom right"),
        (handing(lambda pictures, size: torch.stack([v2.CenterCrop(size)(p) for p in pictures])), "do not cut"),
        (handing(lambda pictures, size: prepare([p.mT for p in pictures], size)), "rows and columns"),
        (handing(lambda pictures, size: prepare([p.flip(0) for p in pictures], size)), "channels are exchanged"),
        (handing(lambda pictures, size: prepare(pictures, size).flip(2)), "other pixels"),
        (handing(lambda pictures, size: prepare(pictures, 80)), "[4, 3, 32, 32] is wanted"),
        (handing(lambda pictures, size: prepare(pictures, size)[:1]), "[4, 3, 32, 32] is wanted; yours has (1, "),
        (handing(preparing(after=lambda x: x / 127.5 - 1)), "round, and .to(torch.uint8)"),
        (handing(preparing(after=lambda x: (x / 255).round().to(torch.uint8))), "0 to 1"),
        (handing(preparing(after=list)), "one tensor is wanted"),
        (handing(lambda pictures, size: torch.stack(pictures)), "stopped with RuntimeError"),
        (handing(generator=lambda: generator), "return the network"),
        (handing(generator=ending(nn.Upsample(scale_factor=2), nn.LazyConv2d(3, 3, 1, 1))), "lazy"),
        (handing(generator=lambda: nn.Sequential(nn.Linear(100, 19200), nn.Unflatten(1, (3, 80, 80)))), "no convol"),
        (handing(generator=ending(nn.Upsample(scale_factor=3), FLAT[1])), "[64, 3, 120, 120], not [64, 3, 80, 80]"),
        (handing(generator=ending(nn.Upsample(scale_factor=2), nn.Conv2d(16, 1, 3, 1, 1))), "[64, 1, 80, 80], not"),
        (handing(generator=lambda: nn.Sequential(*generator()[1:])), "nn.Unflatten(1, (100, 1, 1))"),
        (handing(generator=ending(*FLAT, last=nn.Identity)), "end in nn.Tanh()"),
        (handing(generator=ending(*FLAT, last=nn.Sigmoid)), "no sigmoid"),
        (handing(generator=ending(nn.ConvTranspose2d(16, 3, 4, 2, 1))), "repeats every 2 pixels: its last enl"),
        (handing(generator=ending(nn.ConvTranspose2d(16, 3, 6, 2, 2))), "repeats every 2 pixels"),
        (handing(generator=ending(nn.Conv2d(16, 12, 3, 1, 1), nn.PixelShuffle(2))), "repeats every 2 pixels"),
        (handing(generator=ending(*up(16, 16), nn.Conv2d(16, 3, 3, 1, 1))), "repeats every 2 pixels"),
        (handing(generator=ending(nn.Conv2d(16, 3, 3, 1, 1), nn.Upsample(scale_factor=2))), "blocks of 2 × 2"),
        (handing(generator=ending(way=[nn.ConvTranspose2d(100, 3, 80)])), "in one layer"),
        (
            handing(
                generator=ending(
                    nn.Upsample(scale_factor=2),
                    nn.Conv2d(64, 3, 5, 1, 2),
                    way=(*up(100, 128, 5, 1, 0), *up(128, 64), *up(64, 64), *up(64, 64)),
                )
            ),
            "fewer channels where the picture is large",
        ),
        (handing(generator=Forgetful), "got no gradient"),
        (handing(verdict=reading(columns=(0, 1))), "not the losses"),
        (handing(verdict=reading(columns=(2, 4))), "*before* D's step"),
        (handing(verdict=reading(columns=(3, 2))), "'D has won' is right"),
        (handing(verdict=reading(keep=lambda values: True)), "leave it out"),
        (handing(verdict=lambda lines: verdict(lines[-20:])), "*of telemetry*"),
        (handing(verdict=reading(rule=lambda r, f: glance(r, f, last=0))), "the last 20 lines count"),
        (handing(verdict=lambda lines: None), "one of 'D has won'"),
        (handing(verdict=lambda lines: glance(*by_search(lines[-1])[2:4])), "stopped with"),
    ],
}
