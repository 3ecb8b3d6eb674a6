"""A generator steered layer by layer: z becomes a style w, and w scales the channels of every convolution.

Karras et al. 2019 (arXiv:1812.04948) and 2020 (arXiv:1912.04958), small: mapping network, constant start, modulated
convolutions with demodulation, noise, and to-RGB skips.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

MAPPING = 4  # layers from z to w; the papers have 8
MIXED = 0.5  # share of training batches whose fine layers follow another z than the coarse ones; the papers' is 0.9

# --- one modulated convolution ---------------------------------------------------------------------


def modulate(weight: Tensor, style: Tensor) -> Tensor:
    """A convolution's weights for each image: input channel i is multiplied by style i.

    Karras et al. 2020, equation 1.

    Args:
        weight: [out, in, k, k]. style: [N, in].

    Returns:
        [N, out, in, k, k].
    """
    return weight * style[:, None, :, None, None]


def demodulate(weights: Tensor) -> Tensor:
    """Each output channel's weights divided by their own length, [N, out, in, k, k] as before.

    So a style cannot make a layer's output larger, only differently mixed: from independent inputs of variance 1
    come outputs of variance 1. Karras et al. 2020, equation 3.
    """
    return weights * (weights.square().sum((2, 3, 4), keepdim=True) + 1e-8).rsqrt()


def modulated_conv(
    x: Tensor, weight: Tensor, style: Tensor, demodulated: bool = True, gain: float = 1.0
) -> Tensor:
    """What `modulate`, `demodulate` and a convolution with each image's own weights give, at the price of one.

    A convolution is linear: scaling its input channels is scaling its weights, and the length of an output channel's
    weights can be divided out afterwards.

    Args:
        x: [N, in, H, W]. weight: [out, in, k, k], k odd. style: [N, in].
        gain: factor on what is demodulated.

    Returns:
        [N, out, H, W].
    """
    x = F.conv2d(x * style.to(x.dtype)[:, :, None, None], weight, padding=weight.shape[-1] // 2)
    if demodulated:
        lengths = style.float().square() @ weight.square().sum((2, 3)).T  # squared, [N, out]
        x = x * (gain * (lengths + 1e-8).rsqrt()).to(x.dtype)[:, :, None, None]
    return x


# --- layers ----------------------------------------------------------------------------------------


class Slow(nn.Linear):
    """A linear layer whose weights are kept a hundred times as large and used at a hundredth.

    Adam's steps have a length of their own, so that it moves this layer a hundred times as slowly (Karras et al. 2019,
    appendix C, for the mapping). Without it the faces are far too much alike: of one seed each, after 104,000 images
    recall was 0.01 and the Fréchet distance 11.1; with it, after 107,000, they are 0.29 and 4.8.
    """

    gain = 100 * 2**0.5

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, 0.01 * self.weight, 0.01 * self.bias)


class Modulated(nn.Module):
    """A modulated convolution whose style is an affine function of w, 1 on average at first."""

    def __init__(self, w_dim: int, channels_in: int, channels_out: int, kernel: int, demodulated: bool):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(channels_out, channels_in, kernel, kernel))
        self.style = nn.Linear(w_dim, channels_in)
        self.style.gain = 1.0
        self.demodulated = demodulated

    def reset_parameters(self) -> None:
        gain = 1.0 if self.demodulated else 0.25  # pictures of several sizes are added up and should begin grey
        nn.init.normal_(self.weight, 0.0, gain * self.weight[0].numel() ** -0.5)

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        # Leaky ReLU, which follows, leaves about half of the variance: hence the root of 2.
        return modulated_conv(x, self.weight, 1 + self.style(w), self.demodulated, gain=2**0.5)


class Noise(nn.Module):
    """Adds one random picture to all channels, at a strength that it learns: 0 at first, and slowly (a tenth).

    It is drawn anew for every image while G trains, from the global generator (`GAN.own_randomness`); in evaluation
    mode it is one and the same picture always, so that a latent vector has one image.
    """

    def __init__(self, size: int):
        super().__init__()
        self.strength = nn.Parameter(torch.empty(()))
        always = torch.randn(1, 1, size, size, generator=torch.Generator().manual_seed(size), device="cpu")
        self.register_buffer("always", always, persistent=False)

    def reset_parameters(self) -> None:
        nn.init.zeros_(self.strength)

    def forward(self, x: Tensor) -> Tensor:
        n, _, height, width = x.shape
        noise = torch.randn(n, 1, height, width, device=x.device) if self.training else self.always
        return x + (0.1 * self.strength * noise).to(x.dtype)


class StyledConv(nn.Module):
    """Modulated 3 x 3 convolution, bias, twice the size where `up`, noise, leaky ReLU."""

    def __init__(self, w_dim: int, channels_in: int, channels_out: int, size: int, up: bool = False):
        super().__init__()
        self.up = up
        self.conv = Modulated(w_dim, channels_in, channels_out, 3, demodulated=True)
        self.noise = Noise(size)
        self.bias = nn.Parameter(torch.empty(channels_out))

    def reset_parameters(self) -> None:
        nn.init.zeros_(self.bias)

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        x = self.conv(x, w)
        x = x + self.bias.to(x.dtype)[:, None, None]
        return F.leaky_relu(self.noise(twice(x) if self.up else x), 0.2)


def twice(x: Tensor) -> Tensor:
    """Twice the height and width, bilinear."""
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


# --- the generator ---------------------------------------------------------------------------------


class StyleGenerator(nn.Module):
    """z [N, latent_dim] -> w [N, latent_dim] -> images [N, C, size, size], about in [-1, 1].

    No tanh holds them there, as in the papers. DCGAN's D cannot either: twice the picture is twice what leaves its
    first convolution, which has no bias, and BatchNorm or layer norm divides it out again. Contrast ran away in trials
    with them, and stayed with a D that has biases and neither, and pays R1.

    Attributes:
        layers: convolutions that take a style each: one at 4 px, two at every larger size.
    """

    def __init__(self, channels: int, size: int, latent_dim: int, width: float):
        super().__init__()
        n = round(32 * width)
        at = {s: n * min(8, size // s) for s in (4, 8, 16, 32, 64, 128) if s <= size}  # 64 px: 256, 256, 128, 64, 32
        self.latent_dim = latent_dim
        self.to_w = nn.Sequential(
            *(layer for _ in range(MAPPING) for layer in (Slow(latent_dim, latent_dim), nn.LeakyReLU(0.2)))
        )
        self.start = nn.Parameter(torch.empty(1, at[4], 4, 4))
        sizes = [4, *(s for s in at if s > 4 for _ in range(2))]
        self.convs, self.to_rgb, before = nn.ModuleList(), nn.ModuleList(), 4
        for s in sizes:
            self.convs.append(StyledConv(latent_dim, at[before], at[s], s, up=s > before))
            before = s
        for s in at:
            self.to_rgb.append(Modulated(latent_dim, at[s], channels, 1, demodulated=False))
        self.colour = nn.Parameter(torch.empty(channels, 1, 1))
        self.layers = len(self.convs)

    def reset_parameters(self) -> None:
        nn.init.normal_(self.start)
        nn.init.zeros_(self.colour)

    def mapping(self, z: Tensor) -> Tensor:
        """Latents z [N, latent_dim], of which only the direction counts, to styles w [N, latent_dim]."""
        return self.to_w(z * (z.square().mean(1, keepdim=True) + 1e-8).rsqrt())

    def synthesis(self, w: Tensor | Sequence[Tensor]) -> Tensor:
        """Images of styles: w [N, latent_dim] for all layers, or one such w for each layer, coarsest first."""
        ws = [w] * self.layers if isinstance(w, Tensor) else list(w)
        x, image = self.start.expand(len(ws[0]), -1, -1, -1), self.colour
        for i, conv in enumerate(self.convs):
            x = conv(x, ws[i])
            if i % 2 == 0:  # the last layer of its size
                shown = self.to_rgb[i // 2](x, ws[i])
                image = shown + (twice(image) if i else image)
        return image

    def forward(self, z: Tensor) -> Tensor:
        w = self.mapping(z)
        if self.training and torch.rand(()) < MIXED:
            other, first = self.mapping(torch.randn_like(z)), int(torch.randint(1, self.layers, ()))
            return self.synthesis(mix(w, other, range(first, self.layers), self.layers))
        return self.synthesis(w)


# --- styles in use ---------------------------------------------------------------------------------


def mix(w: Tensor, other: Tensor, taken: Sequence[int], layers: int) -> list[Tensor]:
    """Styles for each layer: the other's where its number is among `taken`, else w."""
    return [other if i in taken else w for i in range(layers)]


@torch.no_grad()
def mean_w(G: StyleGenerator, n: int = 10_000, seed: int = 0) -> Tensor:
    """The mean style over n latents, [latent_dim]."""
    device = next(G.parameters()).device
    dice = torch.Generator().manual_seed(seed)
    return G.mapping(torch.randn(n, G.latent_dim, generator=dice).to(device)).mean(0)


def truncate(w: Tensor, mean: Tensor, psi: float) -> Tensor:
    """Styles drawn towards the mean one: psi 1 leaves them, 0 makes all of them the mean.

    Karras et al. 2019, appendix B ("truncation trick").
    """
    return mean + psi * (w - mean)
