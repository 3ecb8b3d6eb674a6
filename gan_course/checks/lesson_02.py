"""Checks for lesson 02: counting, labels, sampling, and the training loop itself."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from gan_course import data, losses, training
from gan_course.checks import NotYet, passed, run
from gan_course.gan import GAN
from gan_course.networks import Generator, count_parameters
from gan_course.recipes import RECIPES

SMALL = RECIPES["mlp-fashion"].but(width=1 / 8, batch=16)
STEPS = 12


def exercise_1(mlp_parameters: Callable[[Sequence[int]], int]) -> None:
    """`mlp_parameters([n0, n1, …])` counts the weights and biases of fully connected layers of these widths."""
    for sizes in ([3, 2], [784, 1024, 512, 256, 1], [1, 1, 1]):
        given = run("2.1", mlp_parameters, sizes)
        right = sum(a * b + b for a, b in zip(sizes, sizes[1:], strict=False))
        if given == right:
            continue
        if given == right - sum(sizes[1:]):
            raise NotYet(
                f"{sizes}: {given} leaves out the biases: a layer adds one number to each of its outputs"
            )
        if given == right + sizes[0]:
            raise NotYet(f"{sizes}: {given} gives the input a bias too; only what a layer puts out has one")
        raise NotYet(
            f"{sizes}: {given!r}, and {right} is right: a layer from a to b has a·b weights and b biases"
        )
    passed("Right: a·b weights and b biases for every layer, 1,460,225 in the discriminator.")


def exercise_2(best_d: Callable[..., Tensor]) -> None:
    """`best_d(p, q, real_label, fake_label)` is the score of the best discriminator where the densities are p and q."""
    p = torch.tensor([0.5, 0.3, 0.2, 0.0, 0.1], dtype=torch.float64)
    q = torch.tensor([0.0, 0.3, 0.1, 0.6, 0.4], dtype=torch.float64)
    for real, fake in ((1.0, 0.0), (0.9, 0.1), (0.9, 0.0)):
        given = run("2.2", best_d, p, q, real, fake)
        right = (real * p + fake * q) / (p + q)
        if not isinstance(given, Tensor) or given.shape != p.shape:
            raise NotYet(
                "best_d gets two tensors of densities and returns one score for each place, in the same shape"
            )
        if torch.allclose(given, right):
            continue
        if torch.allclose(given, 1 - right) or torch.allclose(given, (real * q + fake * p) / (p + q)):
            raise NotYet("upside down: D answers 1 for real, so its score must rise with p, not with q")
        if torch.allclose(given, p / (p + q)):
            raise NotYet(f"p/(p+q) is the answer for labels 1 and 0; here they are {real} and {fake}")
        if torch.allclose(given, real * p + fake * q):
            raise NotYet("not divided by p + q yet: a score lies between the two labels")
        raise NotYet(
            f"with labels {real} and {fake}, p = {p[1]:.1f} and q = {q[1]:.1f} the best score is {right[1]:.2f}, "
            f"yours is {given[1]:.2f}: set the derivative of the two cross-entropies with respect to D to 0"
        )
    passed("Right: (real_label·p + fake_label·q) / (p + q), which stays between the two labels.")


def exercise_3(d_loss: Callable[..., Tensor]) -> None:
    """`d_loss(G, D, real, z)` is D's loss with labels 0.9 and 0.1, and its backward pass leaves G alone."""
    gan = GAN(SMALL, seed=3)
    gan.G.eval(), gan.D.eval()  # without dropout, the loss has one value
    # Always the same pictures: on some, two of the losses below come out alike.
    real, z = torch.rand(16, 1, 28, 28, generator=torch.Generator().manual_seed(0)) * 2 - 1, gan.latents(16)
    loss = run("2.3", d_loss, gan.G, gan.D, real, z)
    with torch.no_grad():
        real_logits, fake_logits = gan.D(real), gan.D(gan.G(z))
        wrong = {
            losses.d_bce(
                fake_logits, real_logits, 0.9, 0.1
            ): "the labels are swapped: real images aim at 0.9, generated ones at 0.1",
            losses.d_bce(
                real_logits, fake_logits
            ): "the labels are 1 and 0; this lesson smooths them to 0.9 and 0.1",
            losses.d_bce(
                real_logits.sigmoid(), fake_logits.sigmoid(), 0.9, 0.1
            ): "sigmoid twice: D returns logits "
            "and binary_cross_entropy_with_logits applies the sigmoid itself",
            losses.d_bce(real_logits, fake_logits, 0.9, 0.1)
            / 2: "the two parts are averaged; add them, so that a blind D has the loss 2 log 2",
        }
        right = losses.d_bce(real_logits, fake_logits, 0.9, 0.1)
    if not isinstance(loss, Tensor) or loss.ndim:
        raise NotYet("d_loss returns one number: a tensor without dimensions that backward() can start from")
    for value, message in wrong.items():
        if torch.allclose(loss, value, rtol=1e-4):
            raise NotYet(message)
    if not torch.allclose(loss, right, rtol=1e-4):
        raise NotYet(
            f"the loss is {loss.item():.4f} and should be {right.item():.4f}: real part plus generated part"
        )
    if not loss.requires_grad:
        raise NotYet("nothing to learn from: the loss has no gradient; detach G's images, not D's verdict")
    loss.backward()
    if any(p.grad is not None for p in gan.G.parameters()):
        raise NotYet("gradients arrived in G: D's step must not reach it, so detach the generated images")
    if any(p.grad is None for p in gan.D.parameters()):
        raise NotYet("some of D's weights got no gradient: send both batches through D without torch.no_grad")
    passed("Right: both parts, smoothed labels, and G got no gradient.")


def exercise_4(train_by_hand: Callable[..., None]) -> None:
    """`train_by_hand(G, D, opt_g, opt_d, batches, latents)` is the lesson's loop, equal to the package's to the bit."""
    images = torch.randint(
        0, 256, (SMALL.batch * STEPS, 1, 28, 28), generator=torch.Generator().manual_seed(0)
    )
    images = images.to(torch.uint8)
    package = GAN(SMALL, seed=4)
    for _ in training.train(package, images, STEPS, progress=False):
        pass
    given = _by_hand(lambda *arguments: run("2.4", train_by_hand, *arguments), images)
    if _equal(given, package):
        passed(f"Right: after {STEPS} steps all {_size(package):,} weights equal the package's, bit for bit.")
        return
    fresh = GAN(SMALL, seed=4)
    if _equal(given, fresh):
        raise NotYet(
            "nothing was learnt: the weights are as they were; call backward() and both optimisers' step()"
        )
    if _same(given.G, fresh.G):
        raise NotYet("G never moved: every second batch its loss wants backward() and opt_g.step()")
    if _same(given.D, fresh.D):
        raise NotYet("D never moved: its loss wants backward() and opt_d.step() for every batch")
    for message, changes in MISTAKES.items():
        if _equal(given, _by_hand(lambda *a, changes=changes: reference_loop(*a, **changes), images)):
            raise NotYet(message)
    raise NotYet(
        "the weights differ from the package's. Compare line by line: latents(n) for D's images first; real pass, then "
        "generated pass; zero_grad, backward, step; and on batches 0, 2, 4, … fresh latents and G's own step"
    )


def reference_loop(
    G,
    D,
    opt_g,
    opt_d,
    batches,
    latents,
    *,
    real_label: float = 0.9,
    fake_label: float = 0.1,
    g_label: float = 1.0,
    g_every: int = 2,
    first_g: int = 0,
    fresh_noise: bool = True,
    joined: bool = False,
    detach: bool = True,
    zero_d: bool = True,
    zero_g: str = "before backward",
    g_first: bool = False,
    twice: bool = False,
) -> None:
    """The loop of lesson 02, with a switch for each mistake that exercise 4 can name."""
    squash = torch.sigmoid if twice else (lambda logits: logits)

    def step_g(fake):
        loss = losses.bce(squash(D(fake)), g_label)
        if zero_g == "before backward":
            opt_g.zero_grad()
        loss.backward()
        opt_g.step()

    for i, real in enumerate(batches):
        if zero_g == "at the top":
            opt_g.zero_grad()
        g_moves = i % g_every == first_g
        if g_first and g_moves:
            step_g(G(latents(len(real))))
        fake = G(latents(len(real)))
        judged = fake.detach() if detach else fake
        if joined:
            real_logits, fake_logits = D(torch.cat([real, judged])).split(len(real))
        else:
            real_logits, fake_logits = D(real), D(judged)
        loss = losses.bce(squash(real_logits), real_label) + losses.bce(squash(fake_logits), fake_label)
        if zero_d:
            opt_d.zero_grad()
        loss.backward(retain_graph=not detach)
        opt_d.step()
        if g_moves and not g_first:
            step_g(G(latents(len(real))) if fresh_noise else fake)


MISTAKES = {
    "G moves on every batch; here it moves on every second one: 0, 2, 4, …": {"g_every": 1},
    "G moves on batches 1, 3, 5, …; it should on 0, 2, 4, …": {"first_g": 1},
    "G's step reuses the images that D has just judged; this recipe draws fresh latents for it": {
        "fresh_noise": False
    },
    "the labels are swapped: D aims at 0.9 for real images and 0.1 for generated ones": {
        "real_label": 0.1,
        "fake_label": 0.9,
    },
    "D's labels are 1 and 0; this recipe smooths them to 0.9 and 0.1": {"real_label": 1.0, "fake_label": 0.0},
    "G aims at 0.9; the smoothing is for D, G aims at 1": {"g_label": 0.9},
    "G aims at D's label for generated images; it wants them taken for real, so it aims at 1": {
        "g_label": 0.1
    },
    "D's gradients pile up from batch to batch: opt_d.zero_grad() before its backward()": {"zero_d": False},
    "G's gradients pile up from step to step: opt_g.zero_grad() before its backward()": {"zero_g": "never"},
    "D's step leaks into G: without detach, D's backward leaves gradients in G that G's step then uses; detach the "
    "generated images, and zero G's gradients right before its own backward()": {
        "detach": False,
        "zero_g": "at the top",
    },
    "D's step leaks into G: without detach, D's backward leaves gradients in G, and nothing zeroes them": {
        "detach": False,
        "zero_g": "never",
    },
    "real and generated images go through D in one joined batch; send them apart": {"joined": True},
    "G moves before D; algorithm 1 trains D first": {"g_first": True},
    "sigmoid twice: D returns logits, and binary_cross_entropy_with_logits applies the sigmoid itself": {
        "twice": True
    },
}


def exercise_5(sample: Callable[..., Tensor]) -> None:
    """`sample(G, n, generator)` draws n images, uint8, in evaluation mode, and leaves G as it was."""
    gan = GAN(SMALL, seed=5)
    with torch.no_grad():
        for _ in range(3):
            gan.G(gan.latents(32))  # give BatchNorm statistics of its own
    before = {name: t.clone() for name, t in gan.G.state_dict().items()}
    first = run("2.5", sample, gan.G, 64, torch.Generator().manual_seed(1))
    if not gan.G.training:
        raise NotYet(
            "G is left in evaluation mode, and would go on training without dropout: G.train() again"
        )
    if any(not torch.equal(before[name], t) for name, t in gan.G.state_dict().items()):
        raise NotYet(
            "sampling moved BatchNorm's running statistics: call G.eval() before, it was in training mode"
        )
    if not isinstance(first, Tensor) or first.shape != (64, 1, 28, 28):
        shape = tuple(first.shape) if isinstance(first, Tensor) else type(first).__name__
        raise NotYet(f"64 images of 28 × 28 have the shape (64, 1, 28, 28); yours is {shape}")
    if first.requires_grad:
        raise NotYet("the images still carry a graph: sample under torch.no_grad()")
    if first.dtype != torch.uint8:
        raise NotYet(
            f"images are uint8, 0 to 255; these are {first.dtype}: data.to_uint8 converts from [-1, 1]"
        )
    right = _sampled(gan.G, 64)
    if not torch.equal(first, right):
        if torch.equal(first, run("2.5", sample, gan.G, 64, torch.Generator().manual_seed(2))):
            raise NotYet("two generators, the same images: draw z with the generator that was handed in")
        raise NotYet(
            "not the images that G makes of torch.randn(n, 100, generator=generator) in evaluation mode"
        )
    passed("Right: evaluation mode, no graph, pixels 0 to 255, and G goes on training as before.")


@torch.no_grad()
def _sampled(G: Generator, n: int) -> Tensor:
    G.eval()
    images = data.to_uint8(G(torch.randn(n, G.latent_dim, generator=torch.Generator().manual_seed(1))))
    G.train()
    return images


def _by_hand(loop: Callable[..., None], images: Tensor) -> GAN:
    """The small GAN after a loop has had it, with the package's data order, latents and dropout."""
    gan = GAN(SMALL, seed=4)
    order = training.index_batches(gan, len(images))
    batches = [data.to_signed(images[next(order)]) for _ in range(STEPS)]
    with gan.own_randomness():
        loop(gan.G, gan.D, gan.opt_g, gan.opt_d, batches, gan.latents)
    return gan


def _same(a, b) -> bool:
    return all(torch.equal(x, y) for x, y in zip(a.parameters(), b.parameters(), strict=True))


def _equal(a: GAN, b: GAN) -> bool:
    return _same(a.G, b.G) and _same(a.D, b.D)


def _size(gan: GAN) -> int:
    return count_parameters(gan.G) + count_parameters(gan.D)
