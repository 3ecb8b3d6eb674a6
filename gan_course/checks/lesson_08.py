"""Checks for lesson 08: variance without normalisation, modulation by hand, mixing, truncation."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gan_course import networks, style
from gan_course.checks import compare, passed, run

# --- 8.3: variance without normalisation -------------------------------------------------------------


def exercise_3(grown: Callable[[int, float], float]) -> None:
    """`grown(blocks, share)`: the variance after residual blocks, from 1."""
    for blocks, share in ((3, 1.0), (1, 1.0), (8, 0.5), (5, 0.0)):
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


def exercise_5(mixed: Callable[[nn.Module, Tensor, Tensor, int], Tensor]) -> None:
    """`mixed(G, coarse, fine, first)`: the first layers styled by one latent, the rest by another, all pairs."""
    G, dice, first = _small(), torch.Generator().manual_seed(85), 3
    coarse, fine = torch.randn(2, 8, generator=dice), torch.randn(3, 8, generator=dice)

    def table(a: Tensor, b: Tensor, first: int) -> Tensor:
        """A row for each of a, a column for each of b: a styles the first layers."""
        a, b = a.repeat_interleave(len(b), 0), b.repeat(len(a), 1)
        return G.synthesis(style.mix(a, b, range(first, G.layers), G.layers))

    a, b = G.mapping(coarse), G.mapping(fine)
    shape = (2, 3, 3, 64, 64)
    right = table(a, b, first)
    through_z = G.synthesis(style.mix(*_pairs(coarse, fine), range(first, G.layers), G.layers))
    halves = G.synthesis((a[:, None] + b[None]).flatten(0, 1) / 2)
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
        said="mixed(G, coarse [2, 8], fine [3, 8], 3)",
        wanted="it has the shape (2, 3, 3, 64, 64): a row for each coarse latent, a column for each fine one",
        otherwise="picture [i, j] has the style of coarse i in layers 0 to 2 and that of fine j from layer 3 on",
        tolerance=1e-4,
    )
    passed("Right: each layer follows the style it is given.")


def _pairs(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    return a.repeat_interleave(len(b), 0), b.repeat(len(a), 1)


# --- 8.6: truncation ---------------------------------------------------------------------------------


def exercise_6(truncated: Callable[[nn.Module, Tensor, Tensor, float], Tensor]) -> None:
    """`truncated(G, z, many, psi)`: images whose styles are drawn towards the mean style of many latents."""
    G, dice, psi = _small(), torch.Generator().manual_seed(86), 0.3
    z, many = torch.randn(3, 8, generator=dice), torch.randn(50, 8, generator=dice)
    w, mean = G.mapping(z), G.mapping(many).mean(0)
    compare(
        "8.6",
        run("8.6", truncated, G, z, many, psi),
        G.synthesis(style.truncate(w, mean, psi)),
        (G.synthesis(style.truncate(w, mean, 1 - psi)), "psi 1 leaves the styles, psi 0 makes all of them the mean"),
        (G.synthesis(style.truncate(w, G.mapping(many.mean(0, True))[0], psi)), "the mean of the styles of `many`, not "
         "the style of their mean"),
        (G.synthesis(style.truncate(w, w.mean(0), psi)), "the mean is over `many`, not over the few in z"),
        (G(psi * z), "that shortens z, and of z only the direction counts: nothing happens"),
        (G(many.mean(0) + psi * (z - many.mean(0))), "truncate the styles w = G.mapping(z), not z"),
        (G.synthesis(psi * w), "that draws them towards 0; towards the mean style is wanted"),
        (G.synthesis(w), "psi does nothing there"),
        (G.synthesis(mean + w * psi), "the distance from the mean is scaled: mean + psi · (w − mean)"),
        (G.synthesis(mean.expand_as(w)), "that is the mean style for all: psi says how far to go towards it"),
        (G.synthesis(mean + (w - mean).clamp(-psi, psi)), "each distance is scaled by psi, not cut off there"),
        said="truncated(G, z [3, 8], many [50, 8], 0.3)",
        wanted="it has the shape (3, 3, 64, 64): an image for each z",
        otherwise="mean + psi · (w − mean) for the styles w of z and the mean style of `many`",
        tolerance=1e-4,
    )
    passed("Right: the pictures of a generator nearer to its mean style.")
