"""Every generator and discriminator of the course, so that the text shows layers and sizes; their first weights.

A generator maps latent vectors z [N, latent_dim] to images [N, C, H, W] in [-1, 1]; a discriminator
maps such images to one logit each, [N]. Where a class is asked for, z carries it (`with_class`), and the
discriminator is told it: `D(images, labels)`. `width` scales the channels of every hidden layer, so that
the same architecture can run small; 1.0 is the printed size.

In the comments, "256 x 7 x 7" is what leaves the line above at width 1. "k4 s2 p1" is a kernel of 4,
a stride of 2 and a padding of 1. `Up` and `Down` are the two blocks nearly all of them are made of.
"""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import is_parametrized

from gan_course.errors import CourseError
from gan_course.modern import larger, smaller, stage
from gan_course.style import StyleGenerator

LATENT_DIM = 100


class Up(nn.Sequential):
    """Transposed convolution, BatchNorm, ReLU: k4 s2 p1 doubles the height and width."""

    def __init__(
        self, channels_in: int, channels_out: int, kernel: int = 4, stride: int = 2, padding: int = 1
    ):
        super().__init__(
            nn.ConvTranspose2d(channels_in, channels_out, kernel, stride, padding, bias=False),
            nn.BatchNorm2d(channels_out),
            nn.ReLU(inplace=True),
        )


class Down(nn.Sequential):
    """Convolution, BatchNorm, leaky ReLU: k4 s2 p1 halves the height and width, rounding down.

    The first layer of a discriminator goes without BatchNorm, so that it sees the images as they are.
    """

    def __init__(self, channels_in: int, channels_out: int, norm: bool = True, dropout: float = 0.0):
        super().__init__(
            nn.Conv2d(channels_in, channels_out, 4, 2, 1, bias=False),
            *([nn.BatchNorm2d(channels_out)] if norm else []),
            nn.LeakyReLU(0.2, inplace=True),
            *([nn.Dropout2d(dropout)] if dropout else []),
        )


class Generator(nn.Module):
    """Base of all generators: `layers` takes [N, latent_dim] to [N, C, H, W].

    Attributes:
        latent_dim: numbers in a latent vector. classes: how many of them, the last, say which class is asked for.
    """

    classes = 0

    def __init__(self, layers: nn.Sequential, latent_dim: int):
        super().__init__()
        self.layers = layers
        self.latent_dim = latent_dim

    def forward(self, z: Tensor) -> Tensor:
        return self.layers(z)


class Discriminator(nn.Module):
    """Base of all discriminators: `layers` ends in [N, 1] or a map [N, 1, h, w] of logits.

    A map of several logits is averaged to one an image; for one logit the mean changes nothing.
    """

    def __init__(self, layers: nn.Sequential):
        super().__init__()
        self.layers = layers

    def features(self, images: Tensor) -> Tensor:
        """What the last layer decides from, [N, numbers]."""
        return self.layers[:-1](images).flatten(1)

    def forward(self, images: Tensor) -> Tensor:
        return self.layers(images).flatten(1).mean(1)


def as_map(latent_dim: int) -> nn.Module:
    """[N, latent_dim] -> [N, latent_dim, 1, 1], the input a convolutional generator starts from."""
    return nn.Unflatten(1, (latent_dim, 1, 1))


# --- fully connected -------------------------------------------------------------------------------


def mlp_generator(channels: int, size: int, latent_dim: int, width: float) -> Generator:
    a, b, c = (round(n * width) for n in (256, 512, 1024))
    pixels = channels * size * size

    def hidden(n_in, n_out):
        return nn.Linear(n_in, n_out), nn.BatchNorm1d(n_out), nn.LeakyReLU(0.2), nn.Dropout(0.3)

    return Generator(
        nn.Sequential(
            *hidden(latent_dim, a),
            *hidden(a, b),
            *hidden(b, c),
            nn.Linear(c, pixels),
            nn.Tanh(),
            nn.Unflatten(1, (channels, size, size)),
        ),
        latent_dim,
    )


def mlp_discriminator(channels: int, size: int, width: float) -> Discriminator:
    a, b, c = (round(n * width) for n in (1024, 512, 256))

    def hidden(n_in, n_out):
        return nn.Linear(n_in, n_out), nn.LeakyReLU(0.2), nn.Dropout(0.3)

    return Discriminator(
        nn.Sequential(
            nn.Flatten(),
            *hidden(channels * size * size, a),
            *hidden(a, b),
            *hidden(b, c),
            nn.Linear(c, 1),
        )
    )


# --- convolutional, 28 pixels ----------------------------------------------------------------------


def fashion_generator(channels: int, size: int, latent_dim: int, width: float) -> Generator:
    # The report prints k4 s2 p1 throughout, which gives 4, 8, 16, 32. Its stated 4, 7, 14, 28 needs
    # k3 s2 p1 in the second layer: (4 - 1) * 2 - 2 * 1 + 3 = 7.
    n = round(64 * width)
    return Generator(
        nn.Sequential(
            as_map(latent_dim),
            Up(latent_dim, 8 * n, kernel=4, stride=1, padding=0),  # 512 x 4 x 4
            Up(8 * n, 4 * n, kernel=3),  # 256 x 7 x 7
            Up(4 * n, 2 * n),  # 128 x 14 x 14
            Up(2 * n, n),  # 64 x 28 x 28
            nn.Conv2d(n, channels, 3, 1, 1, bias=False),  # 1 x 28 x 28
            nn.Tanh(),
        ),
        latent_dim,
    )


def fashion_discriminator(channels: int, size: int, width: float, dropout: float = 0.3) -> Discriminator:
    n = round(64 * width)
    return Discriminator(
        nn.Sequential(
            Down(channels, n, norm=False, dropout=dropout),  # 64 x 14 x 14
            Down(n, 2 * n, dropout=dropout),  # 128 x 7 x 7
            Down(2 * n, 4 * n, dropout=dropout),  # 256 x 3 x 3
            nn.Conv2d(4 * n, 1, 3, 1, 0, bias=False),  # 1 x 1 x 1
        )
    )


def mnist_generator(channels: int, size: int, latent_dim: int, width: float) -> Generator:
    # ReLU stands before BatchNorm and the biases stay, as in the notes this network comes from.
    n = round(64 * width)
    return Generator(
        nn.Sequential(
            nn.Linear(latent_dim, 4 * n * 7 * 7),
            nn.ReLU(),
            nn.BatchNorm1d(4 * n * 7 * 7),
            nn.Unflatten(1, (4 * n, 7, 7)),  # 256 x 7 x 7
            nn.ConvTranspose2d(4 * n, 2 * n, 3, 1, 1),  # 128 x 7 x 7
            nn.ReLU(),
            nn.BatchNorm2d(2 * n),
            nn.ConvTranspose2d(2 * n, n, 4, 2, 1),  # 64 x 14 x 14
            nn.ReLU(),
            nn.BatchNorm2d(n),
            nn.ConvTranspose2d(n, channels, 4, 2, 1),  # 1 x 28 x 28
            nn.Tanh(),
        ),
        latent_dim,
    )


def mnist_discriminator(channels: int, size: int, width: float) -> Discriminator:
    n = round(64 * width)
    return Discriminator(
        nn.Sequential(
            nn.Conv2d(channels, n, 3, 2, 0),  # 64 x 13 x 13
            nn.LeakyReLU(0.01),
            nn.Dropout2d(0.5),
            nn.Conv2d(n, 2 * n, 3, 2, 0),  # 128 x 6 x 6
            nn.LeakyReLU(0.01),
            nn.Dropout2d(0.5),  # a module, so that eval() switches it off; the notes' F.dropout2d never is
            nn.BatchNorm2d(2 * n),
            nn.Flatten(),
            nn.Linear(2 * n * 6 * 6, 1),
        )
    )


# --- convolutional, 64, 96 and 128 pixels ----------------------------------------------------------


def faces_generator(channels: int, size: int, latent_dim: int, width: float) -> Generator:
    n = round(64 * width)
    if size == 64:
        layers = (
            Up(latent_dim, 8 * n, stride=1, padding=0),  # 512 x 4 x 4
            Up(8 * n, 4 * n),  # 256 x 8 x 8
            Up(4 * n, 2 * n),  # 128 x 16 x 16
            Up(2 * n, n),  # 64 x 32 x 32
            nn.ConvTranspose2d(n, channels, 4, 2, 1, bias=False),  # 3 x 64 x 64
        )
    elif size == 96:
        layers = (
            Up(latent_dim, 8 * n, stride=1, padding=0),  # 512 x 4 x 4
            Up(8 * n, 4 * n),  # 256 x 8 x 8
            Up(4 * n, 2 * n),  # 128 x 16 x 16
            Up(2 * n, n),  # 64 x 32 x 32
            nn.ConvTranspose2d(n, channels, 5, 3, 1, bias=False),  # 3 x 96 x 96
        )
    else:
        layers = (
            Up(latent_dim, 16 * n, stride=1, padding=0),  # 1024 x 4 x 4
            Up(16 * n, 8 * n),  # 512 x 8 x 8
            Up(8 * n, 4 * n),  # 256 x 16 x 16
            Up(4 * n, 2 * n),  # 128 x 32 x 32
            Up(2 * n, n),  # 64 x 64 x 64
            nn.ConvTranspose2d(n, channels, 4, 2, 1, bias=False),  # 3 x 128 x 128
        )
    return Generator(nn.Sequential(as_map(latent_dim), *layers, nn.Tanh()), latent_dim)


def faces_discriminator(channels: int, size: int, width: float) -> Discriminator:
    n = round(64 * width)
    if size == 64:
        layers = (
            Down(channels, n, norm=False),  # 64 x 32 x 32
            Down(n, 2 * n),  # 128 x 16 x 16
            Down(2 * n, 4 * n),  # 256 x 8 x 8
            Down(4 * n, 8 * n),  # 512 x 4 x 4
            nn.Conv2d(8 * n, 1, 4, 1, 0, bias=False),  # 1 x 1 x 1
        )
    elif size == 96:
        layers = (
            nn.Conv2d(channels, n, 5, 3, 1, bias=False),  # 64 x 32 x 32
            nn.LeakyReLU(0.2, inplace=True),
            Down(n, 2 * n),  # 128 x 16 x 16
            Down(2 * n, 4 * n),  # 256 x 8 x 8
            Down(4 * n, 8 * n),  # 512 x 4 x 4
            nn.Conv2d(8 * n, 1, 4, 1, 0, bias=False),  # 1 x 1 x 1
        )
    else:
        layers = (
            Down(channels, n, norm=False),  # 64 x 64 x 64
            Down(n, 2 * n),  # 128 x 32 x 32
            Down(2 * n, 4 * n),  # 256 x 16 x 16
            Down(4 * n, 8 * n),  # 512 x 8 x 8
            Down(8 * n, 16 * n),  # 1024 x 4 x 4
            Down(16 * n, 32 * n),  # 2048 x 2 x 2
            nn.AdaptiveAvgPool2d(1),  # 2048 x 1 x 1
            nn.Conv2d(32 * n, 1, 1, bias=False),  # 1 x 1 x 1
        )
    return Discriminator(nn.Sequential(*layers))


# --- conditional -----------------------------------------------------------------------------------


def with_class(z: Tensor, labels: Tensor, classes: int) -> Tensor:
    """Latents [N, d] with the class asked for behind them, one-hot: [N, d + classes].

    Mirza and Osindero 2014 (arXiv:1411.1784). Of the first layer, which is linear, the weights for these last numbers
    are one vector a class: the class's embedding, added to what the layer makes of z.

    Args:
        labels: int64 [N], 0 to classes - 1.
    """
    return torch.cat([z, nn.functional.one_hot(labels, classes).to(z)], 1)


class Projection(Discriminator):
    """psi(phi(x)) + <embedding(y), phi(x)>: one logit that says "real, and of class y".

    Miyato and Koyama 2018 (arXiv:1802.05637), equation 3, of any discriminator: phi is all of its layers but the
    last, psi the last. Row y of the weights of `embedding` is the embedding of class y.
    """

    def __init__(self, D: Discriminator, classes: int):
        super().__init__(D.layers)
        self.embedding = nn.Linear(D.layers[-1].weight.numel(), classes, bias=False)

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        phi = self.layers[:-1](images)
        of_every_class = self.embedding(phi.flatten(1))  # [N, classes]
        return self.layers[-1](phi).flatten(1).mean(1) + of_every_class.gather(1, labels[:, None])[:, 0]


class Planes(Discriminator):
    """The class as further channels of the image, 1 all over the class's own and 0 over the others.

    The older way (Mirza and Osindero 2014, as convolutional networks do it).

    Args:
        D: a discriminator of images with `classes` channels more.
    """

    def __init__(self, D: Discriminator, classes: int):
        super().__init__(D.layers)
        self.classes = classes

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        planes = nn.functional.one_hot(labels, self.classes).to(images)[:, :, None, None]
        return super().forward(torch.cat([images, planes.expand(-1, -1, *images.shape[2:])], 1))


class Untold(Discriminator):
    """A discriminator that nobody tells the class: G has no reason to heed it."""

    def __init__(self, D: Discriminator, classes: int):
        super().__init__(D.layers)

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        return super().forward(images)


TOLD = {"projection": Projection, "planes": Planes, "not": Untold}


# --- without BatchNorm, residual -------------------------------------------------------------------


def modern_generator(channels: int, size: int, latent_dim: int, width: float) -> Generator:
    n = round(64 * width)
    if size == 28:
        layers = (
            nn.Linear(latent_dim, 4 * n * 7 * 7),
            nn.Unflatten(1, (4 * n, 7, 7)),
            *stage(4 * n, 3),  # 256 x 7 x 7
            *larger(4 * n, 2 * n),
            *stage(2 * n, 3),  # 128 x 14 x 14
            *larger(2 * n, n),
            *stage(n, 3),  # 64 x 28 x 28
        )
    else:
        layers = (
            nn.Linear(latent_dim, 8 * n * 4 * 4),
            nn.Unflatten(1, (8 * n, 4, 4)),
            *stage(8 * n, 4),  # 512 x 4 x 4
            *larger(8 * n, 4 * n),
            *stage(4 * n, 4),  # 256 x 8 x 8
            *larger(4 * n, 2 * n),
            *stage(2 * n, 4),  # 128 x 16 x 16
            *larger(2 * n, n),
            *stage(n, 4),  # 64 x 32 x 32
            *larger(n, n // 2),  # 32 x 64 x 64
        )
    last = n if size == 28 else n // 2
    return Generator(nn.Sequential(*layers, nn.Conv2d(last, channels, 3, 1, 1)), latent_dim)  # no tanh, as in the paper


def modern_discriminator(channels: int, size: int, width: float) -> Discriminator:
    n = round(64 * width)
    if size == 28:
        layers = (
            nn.Conv2d(channels, n, 3, 1, 1),
            *stage(n, 3),  # 64 x 28 x 28
            *smaller(n, 2 * n),
            *stage(2 * n, 3),  # 128 x 14 x 14
            *smaller(2 * n, 4 * n),
            *stage(4 * n, 3),  # 256 x 7 x 7
            nn.Conv2d(4 * n, 1, 7),
        )
    else:
        layers = (
            nn.Conv2d(channels, n // 2, 3, 1, 1),  # 32 x 64 x 64
            *smaller(n // 2, n),
            *stage(n, 4),  # 64 x 32 x 32
            *smaller(n, 2 * n),
            *stage(2 * n, 4),  # 128 x 16 x 16
            *smaller(2 * n, 4 * n),
            *stage(4 * n, 4),  # 256 x 8 x 8
            *smaller(4 * n, 8 * n),
            *stage(8 * n, 4),  # 512 x 4 x 4
            nn.Conv2d(8 * n, 1, 4),
        )
    return Discriminator(nn.Sequential(*layers))


# --- the table -------------------------------------------------------------------------------------

FAMILIES: dict[str, tuple[Callable, Callable, tuple[int, ...] | None]] = {
    # name: generator, discriminator, sizes in pixels (None: any)
    "mlp": (mlp_generator, mlp_discriminator, None),
    "dcgan-fashion": (fashion_generator, fashion_discriminator, (28,)),
    # The report's "improved" network is an alias: as printed it is dcgan-fashion, layer for layer, though its text
    # speaks of a deeper one. Its mean over D's output map changes nothing at 28 px, where the map is a single logit.
    "convgan-fashion": (fashion_generator, fashion_discriminator, (28,)),
    # A narrow D needs all of its channels: at a quarter of the width, Dropout left it hardly better than a coin.
    "dcgan-quick": (fashion_generator, partial(fashion_discriminator, dropout=0.0), (28,)),
    "dcgan-mnist": (mnist_generator, mnist_discriminator, (28,)),
    "dcgan-faces": (faces_generator, faces_discriminator, (64, 96, 128)),
    "modern": (modern_generator, modern_discriminator, (28, 64)),
    "style": (StyleGenerator, faces_discriminator, (64, 128)),
}


def build(
    family: str,
    *,
    channels: int,
    size: int,
    latent_dim: int = LATENT_DIM,
    width: float = 1.0,
    classes: int = 0,
    told: str = "projection",
) -> tuple[Generator, Discriminator]:
    """A generator and its discriminator; `initialise` gives them their first weights.

    Args:
        family: a key of `FAMILIES`.
        channels: 1 (grey) or 3 (RGB).
        size: height and width of the images in pixels.
        width: factor on the hidden channels.
        classes: that can be asked for, 0: none. told: how D is told the class, a key of `TOLD`.

    Raises:
        CourseError: see `check`.
    """
    check(family, channels, size, latent_dim, width)
    make_generator, make_discriminator, _ = FAMILIES[family]
    with torch.random.fork_rng(devices=[]):  # layers draw their first weights from the global generator
        G = make_generator(channels, size, latent_dim + classes, width)
        D = make_discriminator(channels + (classes if told == "planes" else 0), size, width)
        if not classes:
            return G, D
        G.classes = classes
        return G, TOLD[told](D, classes)


def check(family: str, channels: int, size: int, latent_dim: int, width: float) -> None:
    """Whether `build` can make these networks.

    Raises:
        CourseError: unknown family, or a size, channel count, latent dimension or width that it cannot make.
    """
    if family not in FAMILIES:
        raise CourseError(f"unknown network {family!r}: there are {', '.join(FAMILIES)}")
    sizes = FAMILIES[family][2]
    if channels not in (1, 3):
        raise CourseError(f"{channels} image channels: the course has 1 (grey) and 3 (RGB)")
    if sizes is not None and size not in sizes:
        works = " or ".join(map(str, sizes))
        raise CourseError(f"network {family!r} does not make {size} px images: it makes {works} px")
    if size < 8 or latent_dim < 1:
        raise CourseError(
            f"size {size} px, {latent_dim} latent dimensions: at least 8 px and 1 dimension work"
        )
    if not 1 / 16 <= width <= 4:
        raise CourseError(f"width {width}: a factor between 1/16 and 4 works, 1.0 is the printed size")


def count_parameters(network: nn.Module) -> int:
    """How many numbers an optimiser adjusts: weights and biases, BatchNorm's scale and shift included."""
    return sum(p.numel() for p in network.parameters() if p.requires_grad)


# --- first weights ---------------------------------------------------------------------------------

CONVOLUTIONS, TRANSPOSED = nn.modules.conv._ConvNd, nn.modules.conv._ConvTransposeNd
NORMS = nn.modules.batchnorm._NormBase


@torch.no_grad()
def initialise(network: nn.Module, scheme: str, generator: torch.Generator) -> None:
    """Draw the weights anew, in place. Called after `build`, because a scheme never called does nothing.

    Schemes:
        pytorch: PyTorch's default for every layer.
        xavier: Linear weights uniform with variance 2 / (fan_in + fan_out), biases 0 (Glorot and Bengio 2010, eq. 16).
        dcgan: convolutions N(0, 0.02), BatchNorm scale N(1, 0.02), biases, shifts 0 (Radford et al. 2016, section 3).
        dcgan-96: as dcgan, but transposed convolutions N(0.01, 0.02), the source's unusual mean.
        he: Linear and convolutions N(0, sqrt(2 / fan_in)), biases 0 (He et al. 2015, arXiv:1502.01852, equation 10);
            where a layer has a `gain`, that in place of the root of 2. BatchNorm keeps PyTorch's.

    Layers of other kinds draw their default weights from `generator`, too. Parameters of a network of your own
    that no layer's `reset_parameters` draws stay as they are.

    Args:
        network: on the CPU.
        generator: source of the random numbers; the same state gives the same weights.

    Raises:
        CourseError: there is no such scheme.
    """
    check_scheme(scheme)
    for layer in network.modules():
        _pytorch(layer, generator)  # first, so that layers a scheme leaves alone follow `generator` too
        SCHEMES[scheme](layer, generator)
        _settle_spectra(layer, generator)


def check_scheme(scheme: str) -> None:
    """Whether `initialise` knows a scheme.

    Raises:
        CourseError: it does not.
    """
    if scheme not in SCHEMES:
        raise CourseError(f"unknown initialisation {scheme!r}: there are {', '.join(SCHEMES)}")


def _pytorch(layer: nn.Module, generator: torch.Generator) -> None:
    if isinstance(layer, (nn.Linear, CONVOLUTIONS)):
        fan_in = layer.weight[0].numel()  # as torch counts it, for transposed convolutions too
        _draw(layer, "weight", nn.init.kaiming_uniform_, a=5**0.5, generator=generator)
        _draw(layer, "bias", nn.init.uniform_, -(fan_in**-0.5), fan_in**-0.5, generator=generator)
    elif reset := getattr(layer, "reset_parameters", getattr(layer, "_reset_parameters", None)):
        if isinstance(layer, NORMS):
            reset()  # scale 1, shift 0, no memory of the images seen: nothing is drawn
            return
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(torch.randint(2**62, (), generator=generator).item())
            reset()


def _xavier(layer: nn.Module, generator: torch.Generator) -> None:
    if isinstance(layer, nn.Linear):
        _draw(layer, "weight", nn.init.xavier_uniform_, generator=generator)
        _draw(layer, "bias", nn.init.zeros_)


def _dcgan(layer: nn.Module, generator: torch.Generator, transposed_mean: float = 0.0) -> None:
    if isinstance(layer, CONVOLUTIONS):
        mean = transposed_mean if isinstance(layer, TRANSPOSED) else 0.0
        _draw(layer, "weight", nn.init.normal_, mean, 0.02, generator=generator)
        _draw(layer, "bias", nn.init.zeros_)
    elif isinstance(layer, NORMS):
        _draw(layer, "weight", nn.init.normal_, 1.0, 0.02, generator=generator)
        _draw(layer, "bias", nn.init.zeros_)


def _dcgan_96(layer: nn.Module, generator: torch.Generator) -> None:
    _dcgan(layer, generator, transposed_mean=0.01)


def _he(layer: nn.Module, generator: torch.Generator) -> None:
    if isinstance(layer, (nn.Linear, CONVOLUTIONS)):
        gain = getattr(layer, "gain", 2**0.5)
        _draw(layer, "weight", nn.init.normal_, 0.0, gain * layer.weight[0].numel() ** -0.5, generator=generator)
        _draw(layer, "bias", nn.init.zeros_)


def _draw(layer: nn.Module, name: str, init: Callable, *arguments, **options) -> None:
    """Fill a layer's parameter, if it has one, by a function of `nn.init`; also one that is computed from others."""
    if (value := getattr(layer, name, None)) is None:
        return
    if is_parametrized(layer, name):
        setattr(layer, name, init(torch.empty_like(value), *arguments, **options))
    elif hook := _older_hook(layer, name, "_g"):  # weight norm: a length and a direction
        direction = init(getattr(layer, f"{name}_v"), *arguments, **options)
        getattr(layer, f"{name}_g").copy_(torch.norm_except_dim(direction, 2, hook.dim))
        setattr(layer, name, direction.detach())  # computed anew before use; until then a copy can be taken of it
    else:
        init(getattr(layer, f"{name}_orig", value), *arguments, **options)  # `_orig`: the older spectral norm's


def _settle_spectra(layer: nn.Module, generator: torch.Generator) -> None:
    """Begin anew what spectral norm remembers: its estimate of a weight's first singular vectors.

    Power iteration from a random vector (Miyato et al. 2018, arXiv:1802.05957, algorithm 1).
    """
    remembered = []
    for steps in getattr(layer, "parametrizations", {}).values():
        remembered += [(steps.original, step.dim, step._u, step._v) for step in steps if hasattr(step, "_u")]
    if hook := _older_hook(layer, "weight", "_u"):
        remembered.append((layer.weight_orig, hook.dim, layer.weight_u, layer.weight_v))
        layer.weight = layer.weight_orig.detach()  # computed anew before use; until then a copy can be taken of it
    for weight, dim, left, right in remembered:
        matrix = weight.movedim(dim, 0).flatten(1)
        u = torch.randn(len(matrix), generator=generator)
        for _ in range(15):  # as many as PyTorch's own begins with
            v = nn.functional.normalize(matrix.mT @ u, dim=0)
            u = nn.functional.normalize(matrix @ v, dim=0)
        left.copy_(u)
        right.copy_(v)


def _older_hook(layer: nn.Module, name: str, mark: str):
    """What `nn.utils.weight_norm` or `nn.utils.spectral_norm` hangs on a layer; None where there is none."""
    hooks = layer._forward_pre_hooks.values() if hasattr(layer, f"{name}{mark}") else ()
    return next((hook for hook in hooks if getattr(hook, "name", None) == name), None)


SCHEMES = {
    "pytorch": lambda layer, generator: None,
    "xavier": _xavier,
    "dcgan": _dcgan,
    "dcgan-96": _dcgan_96,
    "he": _he,
}
