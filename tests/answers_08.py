"""Answers to the exercises of lesson 08: right ones, and wrong ones with what each is told."""

import numpy as np
import torch
import torch.nn.functional as F

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


def but(**how):
    return lambda G, D, T, real, z: losses(G, D, T, real, z, **how)


def plain(T, x):
    return x


def without_gradient(T, x):
    return T(x.detach()).detach()


RIGHT = {
    1: [(asked, table), (asked_by_rows, table_by_asking), (lambda *a: asked(*a).double(), lambda w, k: w.T[-k:])],
    2: [projection, projection_by_gather, projection_as_one_layer],
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
    ],
}
