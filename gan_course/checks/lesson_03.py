"""Checks for lesson 03: sizes, a convolution as a matrix, a mended network, first weights, overlaps, a pair."""

import copy
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_course import devices, networks, sampling, sizes, training
from gan_course.checks import NotYet, compare, images_of, louder, passed, road, run, shown
from gan_course.errors import CourseError, whole
from gan_course.gan import GAN
from gan_course.recipes import RECIPES

# (input, kernel, stride, padding): the course's layers, and some in which rounding matters
LAYERS = (
    (10, 4, 2, 0),
    (4, 4, 1, 0),
    (7, 3, 1, 1),
    (28, 3, 2, 0),
    (13, 3, 2, 0),
    (28, 4, 2, 1),
    (14, 4, 2, 1),
    (7, 4, 2, 1),
    (6, 3, 2, 0),
    (96, 5, 3, 1),
)


def exercise_1(conv_size: Callable[..., int], transposed_size: Callable[..., int]) -> None:
    """Both size formulas: (n, kernel, stride, padding) -> output size."""
    for n, k, s, p in LAYERS:
        given, right, room = run("3.1", conv_size, n, k, s, p), sizes.conv(n, k, s, p), n + 2 * p - k
        over = "a window that hangs over the edge is left out: round down, //"
        compare(
            "3.1",
            given,
            right,
            ((n + p - k) // s + 1, "the padding is added on both sides"),
            ((n - k) // s + 1, "the padding is missing: it makes the input longer, on both sides"),
            (right - 1, "the window's first position counts, too (+ 1 after the division)"),
            (-(-room // s) + 1, f"that rounds up; {over}"),
            (round(room / s) + 1, f"that rounds to the nearest; {over}"),
            ((room + 1) // s, "the + 1 stands after the division by the stride"),
            (sizes.transposed(n, k, s, p), "that is the size of the *transposed* convolution"),
            (n // s, "n // s is true of some layers only, such as k4 s2 p1 on an even size"),
            otherwise=f"{right} is right. Count the places where the window can begin",
            said=f"conv_size({n}, {k}, {s}, {p}) is {shown(given)}",
        )
    for n, k, s, p in ((5, 6, 3, 1), (1, 4, 1, 0), (32, 5, 3, 1), (4, 4, 2, 1), (4, 3, 2, 1), (7, 3, 1, 1)):
        given, right = run("3.1", transposed_size, n, k, s, p), sizes.transposed(n, k, s, p)
        compare(
            "3.1",
            given,
            right,
            (n * s - 2 * p + k, "n inputs have n - 1 gaps of one stride between them"),
            (right + 4 * p, "the padding of a transposed convolution takes away, it does not add"),
            (right + p, "the padding is cut off on both sides"),
            (right + 2 * p, "the padding is missing: it is cut off on both sides"),
            ((n - 1) * s - 2 * p + 1, "the last input still writes a whole window: + k"),
            (n * s, "n · s is true of some layers only, such as k4 s2 p1"),
            ((n + 2 * p - k) // s + 1, "that is the convolution's size"),
            otherwise=f"{right} is right. Where does the last input's window end?",
            said=f"transposed_size({n}, {k}, {s}, {p}) is {shown(given)}",
        )
    passed("Right: both formulas, rounding included.")


def exercise_2(matrix_of: Callable[..., Tensor]) -> None:
    """`matrix_of(kernel, n, stride, padding)`: the convolution of n numbers as a matrix [outputs, n]."""
    for length, n, s, p in ((4, 8, 2, 1), (3, 7, 2, 1), (3, 5, 1, 0)):
        kernel = torch.arange(1.0, length + 1)
        given = run("3.2", matrix_of, kernel, n, s, p)
        if isinstance(given, np.ndarray):
            raise NotYet("you return a NumPy array: return a torch tensor, torch.from_numpy(...)")

        def convolved(n: int, padding: int, kernel: Tensor = kernel, stride: int = s) -> Tensor:
            units = torch.eye(n)[:, None]  # n signals, each a single 1
            return F.conv1d(units, kernel[None, None], stride=stride, padding=padding)[:, 0].T

        right = convolved(n, p)
        padded = convolved(n + 2 * p, 0)  # with the padding's columns
        late, around = padded[:, :n], padded[:, p : p + n].clone()
        around[:, n - p :] += padded[:, :p]  # place -1 is Python's last
        compare(
            "3.2",
            given,
            right,
            (right.T, f"your matrix is {tuple(right.T.shape)}: transposed. It stands left of a signal, C @ x"),
            (convolved(n, p, kernel.flip(0)), "the kernel runs backwards: PyTorch's convolution does not flip it"),
            (late, "row i begins at column i·stride - padding; yours forgets the padding"),
            (around, "place -1 lies in the padding and is left out; as an index it is Python's last column"),
            (padded, f"the padding has no columns of its own: what falls there is left out, and {n} columns stay"),
            (convolved(n, p, stride=1), f"every place has a row in yours; with stride {s} rows move on by {s}"),
            otherwise=lambda v, kernel=kernel, p=p, right=right: (
                f"row 0 is {v[0].tolist()} for the kernel {kernel.tolist()} with padding {p}; "
                f"{right[0].tolist()} is right"
                if (v[0] - right[0]).any()
                else "row 0 is right, others are not: row i holds the kernel, moved on by i strides"
            ),
            wanted=f"{n} inputs and {len(right)} outputs make a matrix {tuple(right.shape)}",
        )
    passed("Right: row i holds the kernel, moved on by i strides.")


def exercise_3(mend: Callable[[], list[tuple[int, int, int]]]) -> None:
    """`mend()`: (kernel, stride, padding) of the generator's four transposed convolutions, 1 -> 4 -> 7 -> 14 -> 28."""
    try:
        given = [tuple(layer) for layer in run("3.3", mend)]
        layers = [tuple(whole(value, "") for value in layer) for layer in given]
        if [len(layer) for layer in layers] != [3, 3, 3, 3]:
            raise ValueError
    except NotYet:
        raise
    except Exception:  # whatever came back is no such list
        raise NotYet("return four triples of whole numbers (kernel, stride, padding), one a layer") from None
    size, wanted = 1, (4, 7, 14, 28)
    for i, ((k, s, p), right) in enumerate(zip(layers, wanted, strict=True), 1):
        try:
            made = sizes.transposed(size, k, s, p)
        except CourseError as error:
            raise NotYet(f"layer {i}, k{k} s{s} p{p}: {error}") from None
        if made != right:
            raise NotYet(f"layer {i}, k{k} s{s} p{p}, makes {made} of {size}; the table asks for {right}")
        if k < s:
            raise NotYet(f"layer {i}: a kernel of {k} is smaller than the stride {s} and leaves gaps of zeros")
        if p >= k:
            raise NotYet(f"layer {i}: a padding of {p} cuts off whole kernels of {k}: a padding below the kernel works")
        size = made
    channels = (100, 64, 32, 16, 8)
    pairs = zip(channels, channels[1:], layers, strict=False)
    network = nn.Sequential(*(nn.ConvTranspose2d(a, b, *layer) for a, b, layer in pairs))
    made = tuple(network(torch.zeros(2, 100, 1, 1)).shape)
    passed(f"Right: {' → '.join(map(str, (1, *wanted)))}, and PyTorch agrees: {made}.")


def exercise_4(initialise: Callable[[nn.Module], None]) -> None:
    """`initialise(network)` gives every layer DCGAN's first weights, in place."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        up, down = nn.ConvTranspose2d(64, 32, 4, bias=False), nn.Conv2d(32, 64, 4, bias=False)
        norms = [nn.BatchNorm2d(32), nn.BatchNorm2d(64)]
        network = nn.Sequential(up, norms[0], nn.Sequential(down, norms[1])).to(devices.default())
        for norm in norms:
            nn.init.constant_(norm.bias, 0.5)  # so that a bias nobody sets is seen
        before = {name: value.clone() for name, value in network.state_dict().items()}
        defaults = {up: up.weight.clone(), down: down.weight.clone()}
        run("3.4", initialise, network)
    network.to(devices.default())
    after = network.state_dict()
    if all(name in after and torch.equal(value, after[name]) for name, value in before.items()):
        raise NotYet("not one weight has changed: is the function ever called on the layers?")
    for name, layer in (("nn.ConvTranspose2d", up), ("the inner nn.Conv2d", down)):
        weight = layer.weight.detach().double()
        mean, std = weight.mean().item(), weight.std().item()
        if torch.equal(layer.weight, defaults[layer]):
            raise NotYet(
                f"{name} kept PyTorch's default: it needs a branch of its own "
                "(a ConvTranspose2d is no Conv2d), and layers inside layers need .apply or .modules()"
            )
        if abs(std - 0.02**0.5) < 0.02:
            raise NotYet(f"{name} has the spread {std:.3f}: 0.02 is the standard deviation, not the variance")
        if not (abs(mean) < 0.002 and abs(std - 0.02) < 0.001):
            raise NotYet(f"the weights of {name} have mean {mean:.4f} and spread {std:.4f}; 0 and 0.02 are right")
        if abs(weight.abs().mean().item() / std - 0.798) > 0.02:  # sqrt(2 / pi), a normal distribution's
            raise NotYet(f"the weights of {name} have the right spread and are not normal: nn.init.normal_")
    for norm in norms:
        weight = norm.weight.detach().double()
        mean, std = weight.mean().item(), weight.std().item()
        if abs(mean) < 0.1:
            raise NotYet("BatchNorm's weights are near 0, which multiplies every signal by 0: N(1, 0.02)")
        if not (abs(mean - 1) <= 0.02 and abs(std - 0.02) <= 0.01):
            raise NotYet(f"BatchNorm's weights have mean {mean:.3f} and spread {std:.3f}; 1 and 0.02 are right")
        if not (norm.bias == 0).all():
            raise NotYet("BatchNorm's biases start at 0: nn.init.zeros_(layer.bias)")
    passed("Right: convolutions N(0, 0.02), BatchNorm N(1, 0.02) with bias 0, inner layers included.")


def exercise_5(overlaps: Callable[..., Tensor]) -> None:
    """`overlaps(n, kernel, stride)`: how many inputs write to each output along one axis, padding 0."""
    for n, k, s in ((4, 4, 2), (4, 3, 2), (5, 5, 3), (3, 2, 2)):
        given, right = run("3.5", overlaps, n, k, s), sizes.overlaps(n, k, s)
        once = torch.ones(len(right))
        compare(
            "3.5",
            given,
            right,
            *(
                (once * share, "every output alike? The ends are reached by fewer inputs; count, do not divide")
                for share in (k / s, k // s, -(-k // s))
            ),
            (once, "each output is counted once; add 1 for *every* input whose window reaches it (+=)"),
            (torch.full((n,), k), "that is how many outputs an input writes to; count the inputs of each output"),
            (sizes.overlaps(n, k - 1, s), "the window ends at j·s + k - 1 *inclusive*: it is k wide"),
            otherwise=f"{right.tolist()} is right. Input j writes to outputs j·s … j·s + k - 1",
            said=f"overlaps({n}, {k}, {s}) is {shown(given)}",
            wanted=f"a row of {len(right)} outputs, as transposed_size says",
        )
    passed("Right: equal inside only where the stride divides the kernel.")


SIDE, MOST = 48, 1_000_000


def exercise_6(pair_48: Callable[[], tuple[nn.Module, nn.Module]]) -> None:
    """`pair_48()`: G makes grey pictures of 48 × 48 of z [N, 100], D gives each one logit; both can be trained."""
    made = run("3.6", pair_48)
    if not (isinstance(made, (tuple, list)) and len(made) == 2 and all(isinstance(n, nn.Module) for n in made)):
        raise NotYet("return two networks, G and D: `return G, D`")
    G, D = made
    for name, network in (("G", G), ("D", D)):
        if any(isinstance(p, nn.parameter.UninitializedParameter) for p in network.parameters()):
            raise NotYet(f"{name} has lazy layers, whose sizes nobody has worked out: state them; that is the exercise")
        if not any(isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)) for layer in network.modules()):
            raise NotYet(f"{name} has no convolution: neighbouring pixels are strangers to it, as in lesson 02")
        if (count := networks.count_parameters(network)) > MOST:
            raise NotYet(f"{name} has {count:,} weights, more than {MOST:,}: fewer channels train sooner")
    recipe = RECIPES["quick-digits"].but(network="mlp", size=SIDE, batch=8)
    gan = GAN(recipe, device=devices.default(), networks=copy.deepcopy((G, D)))
    with torch.enable_grad(), gan.own_randomness():
        images_of(gan.G, gan.latents(8), (1, SIDE, SIDE))
        _logits_of(gan.D, torch.randn(8, 1, SIDE, SIDE, generator=gan.noise, device=gan.device))
        real = torch.rand(8, 1, SIDE, SIDE, generator=gan.noise, device=gan.device) * 2 - 1
        run("3.6, a training step with your pair", training.train_step, gan, real)
    for name, network in (("G", gan.G), ("D", gan.D)):
        idle = [key for key, p in network.named_parameters() if p.requires_grad and p.grad is None]
        if idle:
            raise NotYet(f"{name}'s {idle[0]} got no gradient in a training step: does `forward` leave its layer out?")
    passed(
        f"Right: G {road(G, gan.fixed_latents[:2].cpu())}, D {road(D, torch.zeros(2, 1, SIDE, SIDE))}, "
        "D reads every pixel, and a training step moves both."
    )


def _logits_of(D: nn.Module, images: Tensor) -> None:
    """Whether D gives one logit a picture, and reads every row and column."""
    images = images.requires_grad_()
    try:
        logits = D(images)
    except Exception as error:
        raise NotYet(
            f"D stopped on pictures {list(images.shape)} with {type(error).__name__}: {error}. Follow the sizes"
        ) from None
    shape = tuple(logits.shape) if isinstance(logits, Tensor) else type(logits).__name__
    if shape != (len(images),):
        if isinstance(logits, Tensor) and logits.numel() == len(images):
            raise NotYet(f"D gives one logit a picture, in the shape {shape}; [N] is wanted: nn.Flatten(0) at the end")
        raise NotYet(f"D of 8 pictures is {shape}, not one logit each, (8,). Its sizes: {road(D, images.detach())}")
    loud = louder(D)(1e3 * images)
    if loud.min() >= 0 and loud.max() <= 1:
        raise NotYet("D ends in a sigmoid; logits are wanted, for the loss applies the sigmoid itself")

    def slope_of():
        with sampling.evaluating(D):
            return torch.autograd.grad(D(images).double().square().sum(), images)[0]

    slope = run("3.6, D's gradient with respect to its pictures", slope_of)
    for name, seen in (("row", slope.abs().sum((0, 1, 3))), ("column", slope.abs().sum((0, 1, 2)))):
        if len(unread := (seen == 0).nonzero().flatten().tolist()):
            raise NotYet(
                f"D never reads {name} {unread[0]}: what is left over at a layer's end is not used, and G may put "
                "anything there. Sizes that divide without a remainder, or a padding, mend it"
            )
