"""Checks for lesson 08: the class behind z, the projection, changes on the way to D."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from gan_course import networks
from gan_course.checks import NotYet, compare, passed, run

# --- 8.1: the class behind z -------------------------------------------------------------------------


def exercise_1(
    asked: Callable[[Tensor, Tensor, int], Tensor], embedding: Callable[[Tensor, int], Tensor]
) -> None:
    """`asked(z, labels, classes)` [N, d + classes]; `embedding(weight, classes)` [classes, outputs], of a first layer
    with weights [outputs, d + classes]."""
    dice = torch.Generator().manual_seed(81)
    z, labels, classes = torch.randn(4, 3, generator=dice), torch.tensor([2, 0, 2, 1]), 5
    right, hot = networks.with_class(z, labels, classes), F.one_hot(labels, classes).to(z)
    said = f"asked(z [4, 3], {labels.tolist()}, {classes})"
    compare(
        "8.1",
        run("8.1", asked, z, labels, classes),
        right,
        (torch.cat([hot, z], 1), "z comes first, the class behind it"),
        (torch.cat([z, labels[:, None].to(z)], 1), "the class is one number there, and 2 is not twice 1: one-hot"),
        (torch.cat([z, F.one_hot(labels).to(z)], 1), "the width must not depend on which classes come up: use classes"),
        (torch.cat([z, F.one_hot(labels + 1, 6)[:, :5].to(z)], 1), "classes count from 0"),
        (torch.cat([z, 1 - hot], 1), "1 stands at the class asked for, 0 everywhere else"),
        (hot, "z is missing"),
        (torch.cat([z, hot.flip(0)], 1), "each row asks for its own class"),
        said=said,
        wanted="it has the shape (4, 8): a row for each z, z's numbers and one for each class",
        otherwise=f"its first row is {[round(x, 2) for x in right[0].tolist()]}: z, then 0, 0, 1, 0, 0",
    )
    weight = torch.randn(6, 8, generator=dice)
    _table(run("8.1", embedding, weight, classes), weight, classes)
    rest = torch.randn(5, 7, generator=dice)
    _table(run("8.1", embedding, rest, 2), rest, 2)
    passed("Right. The first layer of [z, class] is the first layer of z, plus one learned vector for each class.")


def _table(found, weight: Tensor, classes: int) -> None:
    compare(
        "8.1",
        found,
        weight[:, -classes:].T,
        (weight[:, -classes:], "a row for each class is wanted, so transpose"),
        (weight[:, :classes].T, "the class stands *behind* z: its weights are the last columns"),
        (weight[:, -classes:].T.flip(0), "class 0 comes first"),
        (weight[-classes:], "the weights are [outputs, inputs]: the class's are columns, not rows"),
        (weight[:, :-classes].T, "those are z's columns"),
        said=f"embedding(weight {list(weight.shape)}, {classes})",
        wanted=f"it has the shape ({classes}, {len(weight)}): for each class what it adds to the {len(weight)} outputs",
        otherwise="a class's one-hot row, multiplied by the weights, picks one of their last columns",
    )


# --- 8.2: the projection -----------------------------------------------------------------------------


def exercise_2(projection: Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]) -> None:
    """`projection(phi, labels, w, V)`: logits [N] of features [N, d], psi(phi) = phi · w, embeddings V [classes, d]."""
    dice = torch.Generator().manual_seed(82)
    for n, d, labels in ((5, 3, [1, 1, 3, 0, 2]), (4, 4, [3, 0, 0, 2])):
        phi, w, V = (torch.randn(*shape, generator=dice) for shape in ((n, d), (d,), (4, d)))
        y = torch.tensor(labels)
        found = run("8.2", projection, phi, y, w, V)
        said = f"projection of {n} pictures with {d} features, classes {labels}"
        psi, right = phi @ w, phi @ w + (V[y] * phi).sum(1)
        compare(
            "8.2",
            found,
            right,
            (psi, "the class plays no part yet: ⟨V[y], φ⟩ is missing"),
            (right - psi, "ψ is missing: it asks whether the picture is real at all"),
            (psi + (V[y] * phi).mean(1), "⟨ , ⟩ is a sum over the features, no mean"),
            *([(psi + (V[y] * phi).sum(0), "the sum runs over the features, dim 1")] if n == d else []),
            (psi + (V[y.flip(0)] * phi).sum(1), "each picture with its own class"),
            (psi + (phi @ V.T).max(1).values, "the class asked for counts, not the one that fits best"),
            (psi + (phi @ V.T).sum(1), "one class counts, the one asked for, not the sum over all"),
            (psi + (phi @ V.T).log_softmax(1).gather(1, y[:, None])[:, 0], "no softmax: classes need not compete"),
            (psi + V[y].sum(1), "the embedding is multiplied by φ, feature by feature, before the sum"),
            (psi * (V[y] * phi).sum(1), "ψ is added"),
            (torch.sigmoid(right), "logits are wanted: no sigmoid"),
            (psi[:, None] + phi @ V.T, "one logit a picture: of the columns, the one of its class"),
            (psi[:, None] + phi @ V[y].T, "every picture is asked every other one's class there; its own is wanted"),
            (psi[:, None] + V[y] * phi, "the sum over the features is missing"),
            ((V[y] * phi).sum(0), "the sum runs over the features, dim 1"),
            said=said,
            wanted=f"one logit a picture is wanted, ({n},)",
            otherwise=f"{[round(x, 3) for x in right.tolist()]} is right: φ · w + ⟨V[y], φ⟩",
            tolerance=1e-4,
        )
    learned = [x.clone().requires_grad_() for x in (phi, w, V)]
    with torch.enable_grad():
        found = run("8.2", projection, learned[0], y, *learned[1:])
        _carries_gradients(found, y, learned)
    passed("Right: one number for \"real?\", one for \"and of this class?\", and both learn.")


def _carries_gradients(logits, labels: Tensor, learned: list[Tensor]) -> None:
    """Whether logits can teach φ, w and V.

    Raises:
        NotYet: some of them are cut off.
    """
    phi, w, V = learned
    if not (isinstance(logits, Tensor) and logits.requires_grad):
        raise NotYet("projection: right numbers without a graph, from which nothing learns: no .detach()")
    grads = torch.autograd.grad(logits.sum(), learned, allow_unused=True)
    names = "phi: G would learn nothing", "w: ψ would stay as it began", "V: no class would ever be learned"
    for name, grad in zip(names, grads, strict=True):
        if grad is None:
            raise NotYet(f"projection: no gradient comes back to {name}; no .detach(), no .data on the way")
    by_hand = w.detach() + V.detach()[labels]
    if not torch.allclose(grads[0], by_hand, atol=1e-4):
        raise NotYet("projection: a part of the gradient to phi is cut off; no .detach() on the way")


# --- 8.7: changes on the way to D --------------------------------------------------------------------


class _Toy(torch.nn.Module):
    """G: z [N, 1, 2, 2] -> images of the same shape. D: their weighted sums."""

    def __init__(self, weights: list[float]):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.tensor(weights).view(1, 1, 2, 2))


class _G(_Toy):
    def forward(self, z: Tensor) -> Tensor:
        return torch.tanh(self.weight * z)


class _D(_Toy):
    def __init__(self, weights: list[float]):
        super().__init__(weights)
        self.seen: list[Tensor] = []

    def forward(self, images: Tensor) -> Tensor:
        self.seen.append(images.detach().clone())
        return (self.weight * images).sum((1, 2, 3))


def exercise_7(losses: Callable) -> None:
    """`losses(G, D, T, real, z)` -> (D's loss, G's loss), with every picture changed by T on its way to D."""
    dice = torch.Generator().manual_seed(87)
    real, z = (torch.randn(6, 1, 2, 2, generator=dice) for _ in range(2))
    G, D = _G([0.5, -1.0, 1.5, 0.7]), _D([1.0, -0.6, 0.3, 0.9])
    calls = []

    def T(images: Tensor) -> Tensor:  # differs from call to call, as chance does
        changed = 0.5 * images.flip(3) + 0.1 * (len(calls) + 1)
        calls.append((images.detach(), changed.detach()))
        return changed

    with torch.enable_grad():
        found = run("8.7", losses, G, D, T, real, z)
    if not isinstance(found, (tuple, list)) or len(found) != 2:
        raise NotYet("losses(G, D, T, real, z): two numbers are wanted, D's loss and G's")
    d_loss, g_loss = found
    if not all(isinstance(loss, Tensor) and loss.numel() == 1 for loss in found):
        raise NotYet("losses(G, D, T, real, z): two tensors of one number are wanted, D's loss and G's")
    if not all(loss.requires_grad for loss in found):
        raise NotYet("losses(G, D, T, real, z): a loss comes without a graph, so nothing can learn from it")
    fake = G(z).detach()
    if not calls:
        raise NotYet("losses: T is never called: every picture is changed on its way to D")
    if any(_same(seen, real) for seen in D.seen):
        raise NotYet("losses: D sees real pictures unchanged, so it knows changed ones for fakes: T(real), too")
    if any(_same(seen, fake) for seen in D.seen):
        raise NotYet(
            "losses: D sees generated pictures unchanged in one of the steps: T in D's step *and* in G's, or D and G "
            "learn of different pictures (changed real ones alone teach G to make changed ones)"
        )
    if len(D.seen) != 3:
        raise NotYet(f"losses: D looks {len(D.seen)} times; three are wanted: at T(real), at T(fake), and again for G")
    looks = {"real": [], "generated": []}
    for seen in D.seen:
        before = next((given for given, changed in calls if _same(seen, changed)), None)
        if before is None or not (_same(before, real) or _same(before, fake)):
            raise NotYet("losses: D sees something that is neither T(real) nor T(G(z)): T once, nothing else")
        of = "real" if _same(before, real) else "generated"
        looks[of].append((D.weight.detach() * seen).sum((1, 2, 3)).double())
    if len(looks["real"]) != 1:
        raise NotYet("losses: D looks once at T(real) and twice at T(G(z)), in its own step and in G's")
    (logits_real,), fakes = looks.values()
    d_losses = tuple(F.softplus(-logits_real).mean() + F.softplus(x).mean() for x in fakes)
    g_losses = tuple(F.softplus(-x).mean() for x in reversed(fakes))
    (wanted_d, _), (wanted_g, _), (logits_fake, logits_g) = d_losses, g_losses, fakes
    compare(
        "8.7",
        d_loss,
        d_losses,
        (F.softplus(logits_real).mean() + F.softplus(-logits_fake).mean(), "real is 1 and generated 0"),
        (wanted_d / 2, "the two parts are added, not averaged"),
        (F.softplus(-logits_real).mean(), "the generated pictures are missing"),
        (F.softplus(logits_fake).mean(), "the real pictures are missing"),
        (
            F.softplus(-torch.sigmoid(logits_real)).mean() + F.softplus(torch.sigmoid(logits_fake)).mean(),
            "the sigmoid comes twice: D returns logits, and so does binary_cross_entropy_with_logits take them",
        ),
        said="D's loss",
        otherwise=f"{wanted_d.item():.4f} is right: BCE of T(real) with 1 plus BCE of T(G(z)) with 0",
        tolerance=1e-4,
    )
    compare(
        "8.7",
        g_loss,
        g_losses,
        (F.softplus(logits_g).mean(), "G wants its pictures called real: label 1"),
        (-F.softplus(logits_g).mean(), "the non-saturating loss is wanted: BCE with label 1"),
        said="G's loss",
        otherwise=f"{wanted_g.item():.4f} is right: BCE of D(T(G(z))) with 1",
        tolerance=1e-4,
    )
    if torch.autograd.grad(d_loss, G.weight, retain_graph=True, allow_unused=True)[0] is not None:
        raise NotYet("losses: D's loss reaches back into G: detach the fakes in D's step")
    back = torch.autograd.grad(g_loss, G.weight, retain_graph=True, allow_unused=True)[0]
    if back is None:
        raise NotYet(
            "losses: G's loss does not reach G: T's gradient is needed in G's step, so no detach and no no_grad there"
        )
    passed("Right: D never sees a picture as it is, and G's gradient comes back through T.")


def _same(a: Tensor, b: Tensor) -> bool:
    return a.shape == b.shape and torch.allclose(a, b, atol=1e-6)
