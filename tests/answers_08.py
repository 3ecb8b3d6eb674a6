"""Answers to the exercises of lesson 08: right ones, and wrong ones with what each is told."""

import numpy as np
import torch
import torch.nn.functional as F

from gan_course import style

# 8.1


def asked(z, labels, classes):
    return torch.cat([z, F.one_hot(labels, classes).to(z)], 1)


def asked_by_rows(z, labels, classes):
    return torch.stack([torch.cat([row, torch.eye(classes)[y].to(row)]) for row, y in zip(z, labels, strict=True)])


def table(weight, classes):
    return weight[:, -classes:].T


def table_by_asking(weight, classes):
    d = weight.shape[1] - classes
    return torch.cat([torch.zeros(classes, d), torch.eye(classes)], 1) @ weight.T


# 8.2


def projection(phi, labels, w, V):
    return phi @ w + (V[labels] * phi).sum(1)


def projection_by_gather(phi, labels, w, V):
    return (phi * w).sum(1) + (phi @ V.T).gather(1, labels[:, None]).squeeze(1)


def projection_as_one_layer(phi, labels, w, V):
    return torch.einsum("nd,nd->n", phi.double(), (w + V[labels]).double())


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


def demodulated_first(x, weight, styles):
    weight = weight / weight.flatten(1).norm(dim=1)[:, None, None, None]
    return by_groups(x, weight, styles, axes=())


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


def paired(coarse, fine):
    """Both repeated by rows, by columns, or each in the other's way."""

    def answer(G, a, b, first):
        a, b = coarse(G.mapping(a), len(b)), fine(G.mapping(b), len(a))
        made = G.synthesis([a] * first + [b] * (G.layers - first))
        return made.view(2, 3, *made.shape[1:])

    return answer


def each(x, n):
    return x.repeat_interleave(n, 0)


def over(x, n):
    return x.repeat(n, 1)


# 8.6


def towards(G, z, many, psi, of=lambda G, many: G.mapping(many).mean(0), psi_of=lambda psi: psi):
    w, mean = G.mapping(z), of(G, many)
    return G.synthesis(mean.lerp(w, psi_of(psi)))


def cut(**how):
    return lambda *given: towards(*given, **how)


# 8.7


def bce(logits, label):
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, label))


def through(T, x):
    return T(x)


def losses(G, D, T, real, z, d_sees=through, g_sees=through, of_real=through, labels=(1.0, 0.0)):
    fake = G(z)
    d = bce(D(of_real(T, real)), labels[0]) + bce(D(d_sees(T, fake.detach())), labels[1])
    return d, bce(D(g_sees(T, fake)), labels[0])


def losses_other_order(G, D, T, real, z):
    fake = G(z)
    g = F.softplus(-D(T(fake))).mean()
    d = F.softplus(D(T(fake.detach()))).mean() + F.softplus(-D(T(real))).mean()
    return [d, g]


def losses_changed_once(G, D, T, real, z):
    changed = T(G(z))
    return bce(D(T(real)), 1.0) + bce(D(changed.detach()), 0.0), bce(D(changed), 1.0)


def losses_of_real_verdicts_cut_off(G, D, T, real, z):
    fake = G(z)
    return bce(D(T(real)).detach(), 1.0) + bce(D(T(fake.detach())), 0.0), bce(D(T(fake)), 1.0)


def losses_that_learn(G, D, T, real, z):
    d, g = losses(G, D, T, real, z)
    d.backward()
    return d, g


def losses_that_freeze(G, D, T, real, z):
    d, _ = losses(G, D, T, real, z)
    D.requires_grad_(False)
    return d, losses(G, D, T, real, z)[1]


def but(**how):
    return lambda G, D, T, real, z: losses(G, D, T, real, z, **how)


def plain(T, x):
    return x


def without_gradient(T, x):
    return T(x.detach()).detach()


RIGHT = {
    1: [(asked, table), (asked_by_rows, table_by_asking), (lambda *a: asked(*a).double(), lambda w, k: w.T[-k:])],
    2: [projection, projection_by_gather, projection_as_one_layer],
    3: [lambda blocks, share: (1 + share) ** blocks, in_a_loop, lambda b, s: np.exp(b * np.log1p(s))],
    4: [in_double, by_groups, style.modulated_conv],
    5: [all_at_once, each_pair],
    6: [cut(), lambda G, z, many, psi: G.synthesis(psi * G.mapping(z) + (1 - psi) * G.mapping(many).mean(0))],
    7: [losses, losses_other_order, losses_changed_once],
}

WRONG = {
    1: [
        ((lambda z, y, k: torch.cat([F.one_hot(y, k).to(z), z], 1), table), "z comes first"),
        ((lambda z, y, k: torch.cat([z, y[:, None].to(z)], 1), table), "2 is not twice 1"),
        ((lambda z, y, k: torch.cat([z, F.one_hot(y).to(z)], 1), table), "use classes"),
        ((lambda z, y, k: torch.cat([z, torch.eye(k + 1)[y + 1][:, :k]], 1), table), "count from 0"),
        ((lambda z, y, k: torch.cat([z, 1.0 - torch.eye(k)[y]], 1), table), "1 stands at the class"),
        ((lambda z, y, k: F.one_hot(y, k), table), "z is missing"),
        ((lambda z, y, k: asked(z, y.flip(0), k), table), "its own class"),
        ((lambda z, y, k: 2 * asked(z, y, k), table), "its first row is"),
        ((lambda z, y, k: asked(z, y, k).T, table), "the shape (4, 8)"),
        ((asked, lambda w, k: w[:, -k:]), "so transpose"),
        ((asked, lambda w, k: w[:, :k].T), "the last columns"),
        ((asked, lambda w, k: w[:, -k:].T.flip(0)), "class 0 comes first"),
        ((asked, lambda w, k: w[:, :-k].T), "z's columns"),
        ((asked, lambda w, k: w[:, -k:].T + 1), "picks one of their last columns"),
    ],
    2: [
        (lambda phi, y, w, V: phi @ w, "⟨V[y], φ⟩ is missing"),
        (lambda phi, y, w, V: (V[y] * phi).sum(1), "ψ is missing"),
        (lambda phi, y, w, V: phi @ w + (V[y] * phi).mean(1), "no mean"),
        (lambda phi, y, w, V: (V[y] * phi).sum(0), "dim 1"),
        (lambda phi, y, w, V: phi @ w + (V[y] * phi).sum(), "a number of its own"),
        (lambda phi, y, w, V: ((w + V[y]) * phi).mean(1), "no mean"),
        (lambda phi, y, w, V: phi @ w + (V[y.flip(0)] * phi).sum(1), "its own class"),
        (lambda phi, y, w, V: phi @ w + (phi @ V.T).max(1).values, "fits best"),
        (lambda phi, y, w, V: phi @ w + (phi @ V.T).sum(1), "not the sum over all"),
        (
            lambda phi, y, w, V: phi @ w + (phi @ V.T).log_softmax(1).gather(1, y[:, None])[:, 0],
            "no softmax",
        ),
        (lambda phi, y, w, V: phi @ w + V[y].sum(1), "multiplied by φ"),
        (lambda phi, y, w, V: phi @ w * (V[y] * phi).sum(1), "ψ is added"),
        (lambda *given: projection(*given).sigmoid(), "no sigmoid"),
        (lambda phi, y, w, V: (phi @ w)[:, None] + phi @ V.T, "the one of its class"),
        (lambda phi, y, w, V: (phi @ w)[:, None] + phi @ V[y].T, "its own is wanted"),
        (lambda phi, y, w, V: (phi @ w)[:, None] + V[y] * phi, "the sum over the features"),
        (lambda phi, y, w, V: projection(phi.detach(), y, w, V), "phi: G would learn nothing"),
        (lambda phi, y, w, V: phi @ w + (V[y] * phi.detach()).sum(1), "a part of the gradient to phi"),
        (lambda phi, y, w, V: projection(phi, y, w, V.detach()), "V: no class"),
        (lambda phi, y, w, V: projection(phi, y, w.detach(), V), "w: ψ"),
        (lambda *given: projection(*given).detach().numpy(), "without a graph"),
        (lambda *given: 2 * projection(*given), "is right: φ · w"),
    ],
    3: [
        (lambda b, s: 1 + b * s, "has grown already"),
        (lambda b, s: s**b, "goes on beside its branch"),
        (lambda b, s: (1 + s**0.5) ** (2 * b), "not standard deviations"),
        (lambda b, s: (1 + s) ** (b / 2), "that is the standard deviation"),
        (lambda b, s: (1 + s) ** (b + 1), "one block too many"),
        (lambda b, s: (1 + s) ** (b - 1), "one block too few"),
        (lambda b, s: (1 + s) ** b - 1, "1 was there before"),
        (lambda b, s: int((1 + s) ** b), "every block adds"),
    ],
    4: [
        (conv(axes=()), "demodulation is missing"),
        (conv(axes=(3, 4)), "not over the kernel alone"),
        (conv(axes=(2,)), "not over the channels alone"),
        (conv(axes=(1, 2, 3, 4)), "you divide by that of all of them"),
        (conv(root=False), "the root is missing"),
        (conv(at=lambda s: s[:1, None, :, None, None].expand(2, -1, -1, -1, -1)), "the first one's style"),
        (conv(at=lambda s: 1 + s[:, None, :, None, None]), "multiply by the style, no more"),
        (demodulated_first, "modulate first"),
        (conv(at=lambda s: s[:, None, None, None]), "falls on the kernel's columns"),
        (lambda x, weight, styles: F.conv2d(x, weight), "it has the shape (2, 4, 5, 6)"),
    ],
    5: [
        (mixes(swapped=True), "yours are exchanged"),
        (mixes(mapped=False), "layers take styles w, not z"),
        (mixes(count=lambda G, first: first + 1), "one coarse layer too many"),
        (mixes(count=lambda G, first: first - 1), "one coarse layer too few"),
        (mixes(count=lambda G, first: G.layers), "the fine styles do nothing"),
        (mixes(count=lambda G, first: 0), "the coarse styles do nothing"),
        (mixes(count=lambda G, first: 3), "layers 0 to 4, fine j those from 5 on"),
        *((paired(*how), "those are not all pairs") for how in ((each, each), (over, each), (over, over))),
        (lambda *given: all_at_once(*given).transpose(0, 1), "it has the shape (2, 3, 3, 64, 64)"),
    ],
    6: [
        (cut(psi_of=lambda psi: 1 - psi), "psi 1 leaves the styles"),
        (cut(psi_of=lambda psi: min(psi, 1)), "is not capped"),
        (cut(of=lambda G, many: G.mapping(many.mean(0, keepdim=True))[0]), "not the style of their mean"),
        (cut(of=lambda G, many: torch.zeros(many.shape[1])), "that draws them towards 0"),
        (lambda G, z, many, psi: G(torch.lerp(G.mapping(many).mean(0), G.mapping(z), psi)), "styles already"),
        (lambda G, z, many, psi: G(psi * z), "of z only the direction counts"),
        (lambda G, z, many, psi: G(many.mean(0) + psi * (z - many.mean(0))), "truncate the styles"),
        (lambda G, z, many, psi: G.synthesis(G.mapping(many).mean(0).expand(3, -1)), "the mean style for all"),
    ],
    7: [
        (but(of_real=plain, d_sees=plain, g_sees=plain), "T is never called"),
        (but(of_real=plain), "real pictures unchanged"),
        (but(d_sees=plain, g_sees=plain), "generated pictures unchanged"),
        (but(d_sees=plain), "generated pictures unchanged"),
        (but(g_sees=plain), "generated pictures unchanged"),
        (but(of_real=lambda T, x: T(T(x))), "T once"),
        (but(labels=(0.0, 1.0)), "real is 1"),
        (lambda *given: (losses(*given)[0] / 2, losses(*given)[1]), "D looks 6 times"),
        (lambda *given: tuple(x / 2 for x in losses(*given)), "not averaged"),
        (lambda *given: (lambda d, g: (d, -g))(*losses(*given)), "BCE of D(T(G(z))) with 1"),
        (lambda *given: losses(*given)[::-1], "D's loss comes first"),
        (lambda *given: tuple(6 * x for x in losses(*given)), "not the sum"),
        (losses_of_real_verdicts_cut_off, "teach D"),
        (lambda *given: losses(*given)[0], "two numbers are wanted"),
        (lambda *given: tuple(x.item() for x in losses(*given)), "two tensors"),
        (lambda *given: tuple(x.detach() for x in losses(*given)), "without a graph"),
        (lambda G, D, T, real, z: losses(G, D, T, real, z, g_sees=without_gradient), "does not reach G"),
        (
            lambda G, D, T, real, z: (
                bce(D(T(real)), 1.0) + bce(D(T(fake := G(z))), 0.0),
                bce(D(T(fake)), 1.0),
            ),
            "detach the fakes",
        ),
        (lambda G, D, T, real, z: (bce(D(T(torch.cat([real, G(z)]))), 1.0), bce(D(T(G(z))), 1.0)), "D looks 2 times"),
        (lambda *given: np.zeros(2), "two numbers are wanted"),
        (losses_that_learn, "no backward() and no freezing"),
        (losses_that_freeze, "no backward() and no freezing"),
    ],
}
