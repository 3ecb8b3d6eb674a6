"""Networks and first weights: sizes, shapes and counts as on paper, errors that name what works."""

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations, spectral_norm, weight_norm

from gan_course import checkpoint, networks, recipes, sampling
from gan_course.errors import CourseError
from gan_course.gan import GAN
from gan_course.networks import Up, as_map

PAIRS = [("mlp", 28), ("mlp", 64)]
PAIRS += [(f"dcgan-{kind}", 28) for kind in ("fashion", "mnist", "quick")] + [("convgan-fashion", 28)]
PAIRS += [("dcgan-faces", size) for size in (64, 96, 128)]


def build(family, size, channels=1, width=1 / 8, seed=0, scheme="pytorch"):
    """A pair with weights that are the same at every call."""
    pair = networks.build(family, channels=channels, size=size, width=width)
    for network in pair:
        networks.initialise(network, scheme, torch.Generator().manual_seed(seed))
    return pair


# --- shapes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("family", "size"), PAIRS)
def test_forward_and_backward_through_both(family, size, channels):
    G, D = build(family, size, channels)
    images = G(torch.randn(4, 100, generator=torch.Generator().manual_seed(1)))
    assert images.shape == (4, channels, size, size)
    assert images.std() > 0 and images.abs().max() <= 1
    logits = D(images)
    assert logits.shape == (4,)
    logits.square().sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in [*G.parameters(), *D.parameters()])
    assert next(G.parameters()).grad.abs().max() > 0  # at the very first layer of G, all the way through D


def passage(layers: nn.Sequential, inputs: torch.Tensor) -> str:
    """What leaves each weighted layer, as "512x4x4 256x7x7 …"."""
    seen = []
    for layer in layers.modules():
        if isinstance(layer, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)):
            layer.register_forward_hook(lambda _, __, out: seen.append("x".join(map(str, out.shape[1:]))))
    layers(inputs)
    return " ".join(seen)


SHORT = {
    nn.Linear: "L",
    nn.Conv2d: "C",
    nn.ConvTranspose2d: "T",
    nn.BatchNorm1d: "B",
    nn.BatchNorm2d: "B",
    nn.ReLU: "r",
    nn.LeakyReLU: "k",
    nn.Dropout: "d",
    nn.Dropout2d: "D",
    nn.Tanh: "t",
    nn.AdaptiveAvgPool2d: "a",
}
FACES_64 = "512x4x4 256x8x8 128x16x16 64x32x32 3x64x64", "64x32x32 128x16x16 256x8x8 512x4x4 1x1x1"
ON_PAPER = {  # what leaves the weighted layers of G and of D, and all their layers in order
    "mlp-fashion": ("256 512 1024 784", "1024 512 256 1", "LBkd LBkd LBkd L t", "Lkd Lkd Lkd L"),
    "dcgan-fashion": (
        "512x4x4 256x7x7 128x14x14 64x28x28 1x28x28",
        "64x14x14 128x7x7 256x3x3 1x1x1",
        "TBr TBr TBr TBr C t",
        "CkD CBkD CBkD C",
    ),
    "dcgan-mnist": (f"{256 * 7 * 7} 128x7x7 64x14x14 1x28x28", "64x13x13 128x6x6 1", "LrB TrB TrB T t", "CkD CkD B L"),
    "dcgan-faces-64": (*FACES_64, "TBr TBr TBr TBr T t", "Ck CBk CBk CBk C"),
    "dcgan-faces-96": (FACES_64[0].replace("64x64", "96x96"), FACES_64[1], "TBr TBr TBr TBr T t", "Ck CBk CBk CBk C"),
    "dcgan-faces-128": (
        "1024x4x4 512x8x8 256x16x16 128x32x32 64x64x64 3x128x128",
        "64x64x64 128x32x32 256x16x16 512x8x8 1024x4x4 2048x2x2 1x1x1",
        "TBr TBr TBr TBr TBr T t",
        "Ck CBk CBk CBk CBk CBk a C",
    ),
}
ON_PAPER["convgan-fashion"] = ON_PAPER["dcgan-fashion"]
ON_PAPER["quick-clothes"] = (  # at a quarter of the width, and D without Dropout
    "128x4x4 64x7x7 32x14x14 16x28x28 1x28x28",
    "16x14x14 32x7x7 64x3x3 1x1x1",
    "TBr TBr TBr TBr C t",
    "Ck CBk CBk C",
)


@pytest.mark.parametrize("key", sorted(ON_PAPER))
def test_layers_and_sizes_in_the_sources_order(key):
    recipe, (*sizes, layers_g, layers_d) = recipes.get(key), ON_PAPER[key]
    with torch.device("meta"):
        G, D = recipe.build()
        inputs = torch.empty(2, 100), torch.empty(2, recipe.channels, recipe.size, recipe.size)
        assert [passage(network.layers, x) for network, x in zip((G, D), inputs, strict=True)] == sizes
    for network, expected in ((G, layers_g), (D, layers_d)):
        assert "".join(SHORT.get(type(layer), "") for layer in network.modules()) == expected.replace(" ", "")
    # The slopes, rates and biases of the sources.
    for layer in [*G.modules(), *D.modules()]:
        if isinstance(layer, nn.LeakyReLU):
            assert layer.negative_slope == (0.01 if key == "dcgan-mnist" else 0.2)
        if isinstance(layer, (nn.Dropout, nn.Dropout2d)):
            assert layer.p == (0.5 if key == "dcgan-mnist" else 0.3)
        if isinstance(layer, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)):
            assert (layer.bias is not None) == (key in ("mlp-fashion", "dcgan-mnist"))


def test_the_printed_report_makes_32_px_and_d_then_answers_four_times():
    """The defect that the package mends: k4 s2 p1 throughout, as printed, and its consequence."""
    n = 8
    printed = nn.Sequential(
        as_map(100),
        Up(100, 8 * n, stride=1, padding=0),  # 4 x 4
        Up(8 * n, 4 * n),  # (4 - 1) * 2 - 2 + 4 = 8, where the report says 7
        Up(4 * n, 2 * n),  # 16, where it says 14
        Up(2 * n, n),  # 32, where it says 28
        nn.Conv2d(n, 1, 3, 1, 1, bias=False),
    )
    images = printed(torch.randn(2, 100))
    assert images.shape == (2, 1, 32, 32)
    _, D = build("dcgan-fashion", 28)
    assert D.layers(images).shape == (2, 1, 2, 2)  # four scores an image: BCELoss against [N, 1] stops here
    torch.testing.assert_close(D.eval()(images), D.layers(images).mean((1, 2, 3)))  # A.3: their mean


# --- counts ----------------------------------------------------------------------------------------


def chain(kernel: int, *channels: int, bias: int = 0) -> int:
    """Layers in a row, each k*k*in*out weights, two numbers a channel for its BatchNorm and perhaps a bias."""
    pairs = zip(channels, channels[1:], strict=False)
    return sum(kernel * kernel * a * b + (2 + bias) * b for a, b in pairs)


COUNTS = {  # of G and of D, a term for the layers with BatchNorm and one for each without
    "mlp-fashion": (
        chain(1, 100, 256, 512, 1024, bias=1) + (1024 * 784 + 784),
        (784 * 1024 + 1024) + (1024 * 512 + 512) + (512 * 256 + 256) + (256 * 1 + 1),
    ),
    "dcgan-fashion": (
        chain(4, 100, 512) + chain(3, 512, 256) + chain(4, 256, 128, 64) + 64 * 1 * 3 * 3,
        1 * 64 * 4 * 4 + chain(4, 64, 128, 256) + 256 * 1 * 3 * 3,
    ),
    "dcgan-mnist": (
        chain(1, 100, 256 * 7 * 7, bias=1) + chain(3, 256, 128, bias=1) + chain(4, 128, 64, bias=1) + (64 * 4 * 4 + 1),
        (1 * 64 * 3 * 3 + 64) + chain(3, 64, 128, bias=1) + (128 * 6 * 6 * 1 + 1),
    ),
    "dcgan-faces-64": (
        chain(4, 100, 512, 256, 128, 64) + 64 * 3 * 4 * 4,
        3 * 64 * 4 * 4 + chain(4, 64, 128, 256, 512) + 512 * 1 * 4 * 4,
    ),
    "dcgan-faces-96": (
        chain(4, 100, 512, 256, 128, 64) + 64 * 3 * 5 * 5,
        3 * 64 * 5 * 5 + chain(4, 64, 128, 256, 512) + 512 * 1 * 4 * 4,
    ),
    "dcgan-faces-128": (
        chain(4, 100, 1024, 512, 256, 128, 64) + 64 * 3 * 4 * 4,
        3 * 64 * 4 * 4 + chain(4, 64, 128, 256, 512, 1024, 2048) + 2048 * 1,
    ),
}
COUNTS["convgan-fashion"] = COUNTS["dcgan-fashion"]


@pytest.mark.parametrize("key", sorted(COUNTS))
def test_parameter_counts_by_hand(key):
    with torch.device("meta"):
        counted = tuple(networks.count_parameters(network) for network in recipes.get(key).build())
    assert counted == COUNTS[key]


# --- modes and scores ------------------------------------------------------------------------------


@pytest.mark.parametrize(("family", "size"), PAIRS)
def test_the_score_is_a_logit_and_evaluation_switches_dropout_off(family, size):
    """In the MNIST notes F.dropout2d keeps its default and stays on in eval mode."""
    _, D = build(family, size)
    images = torch.rand(4, 1, size, size, generator=torch.Generator().manual_seed(1))
    if any(isinstance(m, (nn.Dropout, nn.Dropout2d)) for m in D.modules()):
        assert not torch.equal(D(images), D(images))
    before = D.eval()(images)
    assert torch.equal(D(images), before)
    torch.testing.assert_close(D(images[:1]), before[:1])  # every image is judged for itself
    last = [m for m in D.modules() if isinstance(m, (nn.Linear, nn.Conv2d))][-1]
    with torch.no_grad():
        for parameter in last.parameters():
            parameter.mul_(4)
    torch.testing.assert_close(D(images), 4 * before)  # nothing bends it after the last layer


# --- first weights ---------------------------------------------------------------------------------


def layers_of(network, *kinds):
    return [layer for layer in network.modules() if isinstance(layer, kinds)]


@pytest.mark.parametrize(("scheme", "mean"), [("dcgan", 0.0), ("dcgan-96", 0.01)])
def test_dcgan_weights(scheme, mean):
    def assert_drawn(values, mean):
        """From a normal distribution of that mean and standard deviation 0.02, to five standard errors."""
        n = values.numel()
        assert abs(values.mean() - mean) < 5 * 0.02 / n**0.5
        assert abs(values.std() - 0.02) < 5 * 0.02 / (2 * n) ** 0.5

    for network, middle in zip(build("dcgan-faces", 96, 3, 0.5, scheme=scheme), (mean, 0.0), strict=True):
        for layer in layers_of(network, nn.Conv2d, nn.ConvTranspose2d):
            assert_drawn(layer.weight, middle)
        norms = layers_of(network, nn.BatchNorm2d)
        assert_drawn(torch.cat([layer.weight for layer in norms]), 1.0)
        assert all((layer.bias == 0).all() for layer in norms)


def test_he_weights_keep_the_signals_size():
    first, second = nn.Linear(200, 300), nn.Conv2d(40, 50, 3)
    second.gain = 0.5
    for layer, std in ((first, (2 / 200) ** 0.5), (second, 0.5 / 360**0.5)):
        networks.initialise(layer, "he", torch.Generator().manual_seed(0))
        assert layer.weight.std().item() == pytest.approx(std, rel=0.05)
        assert (layer.bias == 0).all()


def test_xavier_weights():
    G, D = build("mlp", 28, width=1, scheme="xavier")
    for layer in layers_of(G, nn.Linear) + layers_of(D, nn.Linear):
        bound = (6 / (layer.in_features + layer.out_features)) ** 0.5  # a uniform of variance 2 / (in + out)
        assert layer.weight.abs().max() <= bound
        assert layer.weight.var().item() == pytest.approx(bound**2 / 3, rel=0.25)  # 256 in the smallest
        assert (layer.bias == 0).all()
    assert all((layer.weight == 1).all() for layer in layers_of(G, nn.BatchNorm1d))


@pytest.mark.parametrize("layer", [nn.Linear(30, 20), nn.Conv2d(3, 8, 5), nn.ConvTranspose2d(8, 3, 4, bias=False)])
def test_pytorchs_own_weights(layer):
    """The scheme draws what PyTorch's reset_parameters draws, from a generator instead of the global one."""
    networks.initialise(layer, "pytorch", torch.Generator().manual_seed(3))
    drawn = [p.clone() for p in layer.parameters()]
    with torch.random.fork_rng():
        torch.manual_seed(3)
        layer.reset_parameters()
    assert alike(drawn, layer.parameters())


def states(*networks):
    return [t.clone() for network in networks for t in network.state_dict().values()]


def alike(a, b) -> bool:
    return all(torch.equal(x, y) for x, y in zip(a, b, strict=True))


# --- networks of one's own -------------------------------------------------------------------------

OWN = {  # any layer of 4 channels to as many
    "BatchNorm, not affine": lambda: nn.BatchNorm2d(4, affine=False),
    "BatchNorm, no statistics": lambda: nn.BatchNorm2d(4, track_running_stats=False),
    "GroupNorm": lambda: nn.GroupNorm(2, 4),
    "LayerNorm": lambda: nn.LayerNorm((4, 6, 6)),
    "PReLU": lambda: nn.PReLU(4),
    "Conv1d": lambda: nn.Sequential(nn.Flatten(2), nn.Conv1d(4, 4, 3, padding=1), nn.Unflatten(2, (6, 6))),
    "spectral norm": lambda: parametrizations.spectral_norm(nn.Conv2d(4, 4, 3, padding=1)),
    "older spectral norm": lambda: spectral_norm(nn.ConvTranspose2d(4, 4, 3, padding=1)),
    "weight norm": lambda: parametrizations.weight_norm(nn.Conv2d(4, 4, 3, padding=1)),
    "older weight norm": lambda: weight_norm(nn.Conv2d(4, 4, 3, padding=1)),
}


def own_pair(layer: str):
    """A pair for 28 px, with that layer in both, Linear layers without bias, used once before."""
    G = nn.Sequential(nn.Linear(100, 144, bias=False), nn.Unflatten(1, (4, 6, 6)), OWN[layer](), nn.Flatten())
    G.extend([nn.Linear(144, 784), nn.Tanh(), nn.Unflatten(1, (1, 28, 28))])
    D = nn.Sequential(nn.Conv2d(1, 4, 8, 4), OWN[layer](), nn.Flatten(), nn.Linear(144, 1, bias=False))
    D(G(torch.randn(2, 100)))
    return G, D


@pytest.mark.filterwarnings("ignore:.*weight_norm. is deprecated:FutureWarning")
@pytest.mark.parametrize("layer", OWN)
def test_a_pair_of_ones_own(layer, small, pictures, go, tmp_path):
    """First weights by scheme and seed whatever happened before; trained, saved, loaded, sampled; trained again."""
    for scheme in networks.SCHEMES:
        recipe = small("quick-digits", batch=4, init=scheme)
        images, path, ends = pictures(recipe, 20), tmp_path / "own.safetensors", []
        for happened in (1, 2):
            torch.manual_seed(happened)
            gan = GAN(recipe, 3, networks=(pair := own_pair(layer)))
            assert not alike(states(gan.G), states(GAN(recipe, 4, networks=own_pair(layer)).G))
            checkpoint.save(go(gan, images, 2), path)
            ends.append(go(gan, images, 4))
        again = checkpoint.load(path, recipe, networks=own_pair(layer))
        ends.append(go(again, images, 4))
        ends = [states(gan.G, gan.D, gan.average) for gan in ends]  # before the pair itself is trained once more
        gan = go(GAN(recipe, 3, networks=pair), images, 4)  # as by the same cell a second time
        assert all(alike(end, states(gan.G, gan.D, gan.average)) for end in ends)
        assert sampling.sample(gan.average, 3).shape == (3, 1, 28, 28)


def test_a_scheme_reaches_the_weights_under_a_spectral_norm():
    G, D = own_pair("spectral norm")
    for network, norm in ((G, G[2]), (D, D[1])):
        networks.initialise(network, "dcgan", torch.Generator().manual_seed(0))
        assert norm.parametrizations.weight.original.std().item() == pytest.approx(0.02, rel=0.3)
        largest = torch.linalg.matrix_norm(norm.weight.flatten(1), 2)
        assert largest.item() == pytest.approx(1, rel=0.1)  # 15 steps of power iteration


def test_another_pair_than_the_saved_one_is_refused_with_what_would_work(small, tmp_path):
    recipe = small("quick-digits", batch=4)
    path = checkpoint.save(GAN(recipe, networks=own_pair("GroupNorm")), tmp_path / "own.safetensors")
    for pair, whose in ((None, "the recipe's networks"), (own_pair("weight norm"), "these networks")):
        said = rf"own.safetensors was not saved from {whose} \(.* differs\): hand over `networks` as they were"
        with pytest.raises(CourseError, match=said):
            checkpoint.load(path, recipe, networks=pair)
    assert checkpoint.load(path, recipe, networks=own_pair("GroupNorm")).step == 0
