"""Answers to the exercises of lesson 08: right ones, and wrong ones with what each is told."""

import numpy as np
import torch
import torch.nn.functional as F

from gan_course import style
from gan_course.checks import lesson_08 as lesson

# 8.3


def in_a_loop(blocks, share):
    variance = torch.ones(())
    for _ in range(blocks):
        variance = variance + share * variance
    return variance


# 8.4


def by_groups(x, weight, styles, axes=(2, 3, 4), root=True, at=lambda s: s[:, None, :, None, None]):
    n, c, h, w = x.shape
    own = weight[None] * at(styles)
    if axes:
        length = own.square().sum(axes, keepdim=True)
        own = own / (length.sqrt() if root else length)
    out = F.conv2d(x.reshape(1, n * c, h, w), own.flatten(0, 1), padding=1, groups=n)
    return out.view(n, -1, h, w)


def conv(**how):
    return lambda x, weight, styles: by_groups(x, weight, styles, **how)


def in_double(x, weight, styles):
    x, weight, styles = x.double(), weight.double(), styles.double()
    made = [F.conv2d(x[i : i + 1], weight * styles[i][:, None, None], padding=1) for i in range(len(x))]
    lengths = torch.stack([(weight * s[:, None, None]).flatten(1).norm(dim=1) for s in styles])
    return torch.cat(made) / lengths[:, :, None, None]


# 8.5


def each_pair(G, coarse, fine, first, swapped=False, mapped=True, count=lambda G, first: first):
    rows = []
    for a in coarse:
        row = []
        for b in fine:
            one, other = (x[None] for x in ((b, a) if swapped else (a, b)))
            if mapped:
                one, other = G.mapping(one), G.mapping(other)
            cut = count(G, first)
            row.append(G.synthesis([one] * cut + [other] * (G.layers - cut))[0])
        rows.append(torch.stack(row))
    return torch.stack(rows)


def mixes(**how):
    return lambda *given: each_pair(*given, **how)


def all_at_once(G, coarse, fine, first):
    a = G.mapping(coarse).repeat_interleave(len(fine), 0)
    b = G.mapping(fine).repeat(len(coarse), 1)
    made = G.synthesis(style.mix(a, b, range(first, G.layers), G.layers))
    return made.view(len(coarse), len(fine), *made.shape[1:])


# 8.6


def towards(G, z, many, psi, of=lambda G, many: G.mapping(many).mean(0), psi_of=lambda psi: psi):
    w, mean = G.mapping(z), of(G, many)
    return G.synthesis(mean.lerp(w, psi_of(psi)))


def cut(**how):
    return lambda *given: towards(*given, **how)


RIGHT = {
    3: [lambda blocks, share: (1 + share) ** blocks, in_a_loop, lambda b, s: np.exp(b * np.log1p(s))],
    4: [in_double, by_groups, style.modulated_conv],
    5: [all_at_once, each_pair],
    6: [cut(), lambda G, z, many, psi: G.synthesis(psi * G.mapping(z) + (1 - psi) * G.mapping(many).mean(0))],
}
WRONG = {
    3: [
        (lambda b, s: 1 + b * s, "has grown already"),
        (lambda b, s: s**b, "goes on beside its branch"),
        (lambda b, s: (1 + s**0.5) ** (2 * b), "not standard deviations"),
        (lambda b, s: (1 + s) ** (b / 2), "that is the standard deviation"),
        (lambda b, s: (1 + s) ** (b + 1), "one block too many"),
    ],
    4: [
        (conv(axes=()), "demodulation is missing"),
        (conv(axes=(3, 4)), "not over the kernel alone"),
        (conv(axes=(2,)), "not over the channels alone"),
        (conv(axes=(1, 2, 3, 4)), "you divide by that of all of them"),
        (conv(root=False), "the root is missing"),
        (conv(at=lambda s: s[:1, None, :, None, None].expand(2, -1, -1, -1, -1)), "the first one's style"),
        (conv(at=lambda s: 1 + s[:, None, :, None, None]), "multiply by the style, no more"),
        (lambda x, weight, styles: F.conv2d(x, weight), "it has the shape (2, 4, 5, 6)"),
    ],
    5: [
        (mixes(swapped=True), "yours are exchanged"),
        (mixes(mapped=False), "layers take styles w, not z"),
        (mixes(count=lambda G, first: first + 1), "one coarse layer too many"),
        (mixes(count=lambda G, first: first - 1), "one coarse layer too few"),
        (mixes(count=lambda G, first: G.layers), "the fine styles do nothing"),
        (mixes(count=lambda G, first: 0), "the coarse styles do nothing"),
        (lambda *given: all_at_once(*given).transpose(0, 1), "it has the shape (2, 3, 3, 64, 64)"),
    ],
    6: [
        (cut(psi_of=lambda psi: 1 - psi), "psi 1 leaves the styles"),
        (cut(of=lambda G, many: G.mapping(many.mean(0, keepdim=True))[0]), "not the style of their mean"),
        (cut(of=lambda G, many: torch.zeros(many.shape[1])), "that draws them towards 0"),
        (lambda G, z, many, psi: G(psi * z), "of z only the direction counts"),
        (lambda G, z, many, psi: G(many.mean(0) + psi * (z - many.mean(0))), "truncate the styles"),
        (lambda G, z, many, psi: G.synthesis(G.mapping(many).mean(0).expand(3, -1)), "the mean style for all"),
    ],
}
assert lesson
