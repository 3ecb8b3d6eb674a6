"""Checks for lesson 08: classes, signals without normalisation, styles, changes on the way to D."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gan_course import networks, style
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
            (right / d, "⟨ , ⟩ is a sum over the features, no mean"),
            (psi + (V[y] * phi).sum(), "that sums over the pictures, too; each has a number of its own: dim 1"),
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


# --- 8.3: variance without normalisation -------------------------------------------------------------


def exercise_3(grown: Callable[[int, float], float]) -> None:
    """`grown(blocks, share)`: the variance after residual blocks, from 1."""
    for blocks, share in ((4, 0.5), (3, 1.0), (1, 1.0), (5, 0.0)):
        compare(
            "8.3",
            run("8.3", grown, blocks, share),
            (1 + share) ** blocks,
            (1 + share * blocks, "each block's branch is `share` of what comes in, and that has grown already"),
            (share**blocks, "x itself goes on beside its branch: 1 + share"),
            ((1 + share**0.5) ** (2 * blocks), "variances of independent numbers add up, not standard deviations"),
            ((1 + share) ** (blocks / 2), "that is the standard deviation; the variance is wanted"),
            ((1 + share) ** (2 * blocks), "that squares it once too often: share is one of variances already"),
            ((1 + share) ** (blocks + 1), "that is one block too many"),
            ((1 + share) ** (blocks - 1), "that is one block too few"),
            ((1 + share) ** blocks - 1, "that is what the blocks have added; 1 was there before"),
            (2.0**blocks, "a branch adds `share` of the variance, not all of it"),
            said=f"grown({blocks}, {share:g})",
            wanted="it is one number",
            otherwise=f"{(1 + share) ** blocks:g} is right: every block adds to the variance it is given",
        )
    passed("Right: every block multiplies the variance by 1 + share. Whoever normalises nothing needs a small share.")


# --- 8.4: modulation by hand -------------------------------------------------------------------------


def exercise_4(styled: Callable[[Tensor, Tensor, Tensor], Tensor]) -> None:
    """`styled(x, weight, styles)`: a convolution modulated and demodulated, each image with weights of its own."""
    dice = torch.Generator().manual_seed(84)
    x, weight = torch.randn(2, 3, 5, 6, generator=dice), torch.randn(4, 3, 3, 3, generator=dice)
    styles = torch.rand(2, 3, generator=dice) * 2 + 0.2
    own = style.modulate(weight, styles)

    def convolved(weights: Tensor) -> Tensor:
        return torch.cat([F.conv2d(x[i : i + 1], weights[i], padding=1) for i in range(len(x))])

    def over(*axes: int) -> Tensor:
        return convolved(own * (own.square().sum(axes, keepdim=True) + 1e-8).rsqrt())

    right = convolved(style.demodulate(own))
    compare(
        "8.4",
        run("8.4", styled, x, weight, styles),
        right,
        (convolved(own), "demodulation is missing: divide each output channel's weights by their length"),
        (convolved(style.demodulate(weight.expand(2, -1, -1, -1, -1))), "the styles do nothing there"),
        (over(3, 4), "a length is over input channels and pixels of the kernel, not over the kernel alone"),
        (over(2), "a length is over input channels and the kernel's pixels, not over the channels alone"),
        (over(1, 2, 3, 4), "each output channel has its own length; you divide by that of all of them"),
        (over(1, 3, 4), "you sum over the output channels; a length is over the *input* channels and the kernel"),
        (convolved(own / own.square().sum((2, 3, 4), keepdim=True)), "the root is missing: a length, not its square"),
        (convolved(own * own.square().sum((2, 3, 4), keepdim=True).sqrt()), "divide by the length, do not multiply"),
        (convolved(own / own.square().mean((2, 3, 4), keepdim=True).sqrt()), "the sum of squares, not the mean"),
        (convolved(own / own.abs().sum((2, 3, 4), keepdim=True)), "a length is the root of the sum of squares"),
        (convolved(own / own.flatten(2).std(2)[:, :, None, None, None]), "no mean is taken off: it is no spread"),
        (
            convolved(style.modulate(style.demodulate(weight[None])[0], styles)),
            "modulate first: the length is that of the weights times the style",
        ),
        (
            convolved(style.demodulate(weight * styles[:, None, None, None])),
            "the style falls on the kernel's columns there; [:, None, None] brings it to the input channels",
        ),
        (convolved(style.demodulate(own.flip(0))), "each image is convolved with weights of its own style"),
        (
            convolved(style.demodulate(style.modulate(weight, styles[:1].expand(2, -1)))),
            "all images get the first one's style there",
        ),
        (convolved(style.demodulate(style.modulate(weight, 1 + styles))), "multiply by the style, no more"),
        (
            F.conv2d(x, weight, padding=1) / weight.flatten(1).norm(dim=1)[:, None, None],
            "the styles do nothing there: they multiply the input channels",
        ),
        said="styled(x [2, 3, 5, 6], weight [4, 3, 3, 3], styles [2, 3])",
        wanted="it has the shape (2, 4, 5, 6): 4 output channels, and a padding of 1 keeps height and width",
        otherwise="weights times styles over the input channels; each output channel over its length; convolve",
        tolerance=1e-4,
    )
    passed("Right. The package does the same with one convolution: it scales the channels before and after.")


# --- 8.5: mixing -------------------------------------------------------------------------------------


def _small() -> style.StyleGenerator:
    """A generator that takes milliseconds, whose every layer shows."""
    G, _ = networks.build("style", channels=3, size=64, latent_dim=8, width=1 / 16)
    networks.initialise(G, "he", torch.Generator().manual_seed(85))
    return G.eval().requires_grad_(False)


UNPAIRED = (0, 2), (1, 2), (1, 3)  # which repetitions do not make a table of all pairs in order


def exercise_5(mixed: Callable[[nn.Module, Tensor, Tensor, int], Tensor]) -> None:
    """`mixed(G, coarse, fine, first)`: the first layers styled by one latent, the rest by another, all pairs."""
    G, dice = _small(), torch.Generator().manual_seed(85)
    coarse, fine = torch.randn(2, 8, generator=dice), torch.randn(3, 8, generator=dice)

    def table(a: Tensor, b: Tensor, first: int) -> Tensor:
        """A row for each of a, a column for each of b: a styles the first layers."""
        a, b = a.repeat_interleave(len(b), 0), b.repeat(len(a), 1)
        return G.synthesis(style.mix(a, b, range(first, G.layers), G.layers))

    a, b = G.mapping(coarse), G.mapping(fine)
    shape = (2, 3, 3, 64, 64)
    halves = G.synthesis((a[:, None] + b[None]).flatten(0, 1) / 2)
    many = a.repeat_interleave(3, 0), a.repeat(3, 1), b.repeat_interleave(2, 0), b.repeat(2, 1)
    for first in (3, 5):
        right = table(a, b, first)
        through_z = G.synthesis(style.mix(*_pairs(coarse, fine), range(first, G.layers), G.layers))
        unpaired = [G.synthesis(style.mix(many[i], many[j], range(first, G.layers), G.layers)) for i, j in UNPAIRED]
        compare(
            "8.5",
            run("8.5", mixed, G, coarse, fine, first),
            right.view(shape),
            (table(a, b, G.layers - first).view(shape), "count the layers from the coarse end: the list begins there"),
            (table(a, b, first + 1).view(shape), "that is one coarse layer too many: the first `first` of them"),
            (table(a, b, first - 1).view(shape), "that is one coarse layer too few: the first `first` of them"),
            (
                table(b, a, first).view(3, 2, *shape[2:]).transpose(0, 1),
                "`coarse` styles the first layers and `fine` the others; yours are exchanged",
            ),
            (G.synthesis(a)[:, None].expand(shape), "the fine styles do nothing there"),
            (G.synthesis(b).expand(shape), "the coarse styles do nothing there"),
            (through_z.view(shape), "layers take styles w, not z: pass both through G.mapping"),
            (halves.view(shape), "that is a mean of the styles; each layer is to get one or the other, whole"),
            (
                right.view(shape)[:, [1, 2, 0]],
                "the columns follow the latents in `fine`, in their order",
            ),
            *(
                (pairs.view(shape), "those are not all pairs, row by row: repeat_interleave `coarse`, repeat `fine`")
                for pairs in unpaired
            ),
            said=f"mixed(G, coarse [2, 8], fine [3, 8], {first})",
            wanted="it has the shape (2, 3, 3, 64, 64): a row for each coarse latent, a column for each fine one",
            otherwise=f"picture [i, j]: coarse i styles the layers 0 to {first - 1}, fine j those from {first} on",
            tolerance=1e-4,
        )
    passed("Right: each layer follows the style it is given.")


def _pairs(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    return a.repeat_interleave(len(b), 0), b.repeat(len(a), 1)


# --- 8.6: truncation ---------------------------------------------------------------------------------


def exercise_6(truncated: Callable[[nn.Module, Tensor, Tensor, float], Tensor]) -> None:
    """`truncated(G, z, many, psi)`: images whose styles are drawn towards the mean style of many latents."""
    G, dice = _small(), torch.Generator().manual_seed(86)
    z, many = torch.randn(3, 8, generator=dice), torch.randn(50, 8, generator=dice)
    w, mean = G.mapping(z), G.mapping(many).mean(0)
    for psi in (0.3, 1.4):
        compare(
            "8.6",
            run("8.6", truncated, G, z, many, psi),
            G.synthesis(style.truncate(w, mean, psi)),
            (G.synthesis(style.truncate(w, mean, 1 - psi)), "psi 1 leaves the styles, psi 0 makes them all the mean"),
            (
                G.synthesis(style.truncate(w, G.mapping(many.mean(0, True))[0], psi)),
                "the mean of the styles of `many`, not the style of their mean",
            ),
            (G.synthesis(style.truncate(w, w.mean(0), psi)), "the mean is over `many`, not over the few in z"),
            (G(psi * z), "that shortens z, and of z only the direction counts: nothing happens"),
            (G(many.mean(0) + psi * (z - many.mean(0))), "truncate the styles w = G.mapping(z), not z"),
            (G.synthesis(psi * w), "that draws them towards 0; towards the mean style is wanted"),
            (G.synthesis(w), "psi does nothing there" if psi < 1 else "a psi above 1 is not capped: it pushes away"),
            (G(mean + psi * (w - mean)), "those are styles already, and G(…) maps them once more: G.synthesis"),
            (G.synthesis(mean + w * psi), "the distance from the mean is scaled: mean + psi · (w − mean)"),
            (G.synthesis(mean.expand_as(w)), "that is the mean style for all: psi says how far to go towards it"),
            (G.synthesis(mean + (w - mean).clamp(-psi, psi)), "each distance is scaled by psi, not cut off there"),
            said=f"truncated(G, z [3, 8], many [50, 8], {psi})",
            wanted="it has the shape (3, 3, 64, 64): an image for each z",
            otherwise="mean + psi · (w − mean) for the styles w of z and the mean style of `many`",
            tolerance=1e-4,
        )
    passed("Right: the pictures of a generator nearer to its mean style.")


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
    if any(weight.grad is not None or not weight.requires_grad for weight in (G.weight, D.weight)):
        raise NotYet("losses: it returns the two losses with their graphs; no backward() and no freezing in it")
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
        looks[of].append(seen)
    if len(looks["real"]) != 1:
        raise NotYet("losses: D looks once at T(real) and twice at T(G(z)), in its own step and in G's")
    with torch.enable_grad():
        (logits_real,), fakes = ([(D.weight * seen).sum((1, 2, 3)).double() for seen in of] for of in looks.values())
        d_losses = tuple(F.softplus(-logits_real).mean() + F.softplus(x).mean() for x in fakes)
    slopes = [torch.autograd.grad(loss, D.weight, retain_graph=True)[0] for loss in d_losses]
    g_losses = tuple(F.softplus(-x).mean() for x in reversed(fakes))
    (wanted_d, _), (wanted_g, _), (logits_fake, logits_g) = d_losses, g_losses, fakes
    compare(
        "8.7",
        d_loss,
        d_losses,
        (F.softplus(logits_real).mean() + F.softplus(-logits_fake).mean(), "real is 1 and generated 0"),
        (wanted_d / 2, "the two parts are added, not averaged"),
        (wanted_d * len(real), "each part is the mean over its batch, not the sum"),
        (wanted_g, "that is G's; D's loss comes first, then G's"),
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
    learned = torch.autograd.grad(d_loss, D.weight, retain_graph=True, allow_unused=True)[0]
    if learned is None or not any(torch.allclose(learned, slope, atol=1e-4) for slope in slopes):
        raise NotYet("losses: D's loss does not teach D all that it says: detach the fakes before T, not D's logits")
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
