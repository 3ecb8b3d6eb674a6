"""The museum: bugs that public GAN code really had, each in a few lines of the course's own, to be run beside its mend.

An exhibit's function plants its bug in a fresh GAN. The line at fault says what it should have been; where a `step` is
returned, that takes the place of `training.train_step`. Without the bug, the same GAN is the mended form. One exhibit,
`leak_into_g`, was made for the course: the neighbour of a harmless one.

    gan = GAN(museum.get("one_axis").recipe, seed=0)
    step = museum.get("one_axis").found(gan)
    for _ in training.train(gan, images, until=1_000, step=step):
        ...

Networks, data and rates are the course's, not those of the repositories: what a bug costs here is measured here.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gan_course import losses, recipes, training
from gan_course.errors import CourseError
from gan_course.gan import GAN
from gan_course.recipes import Recipe

Step = Callable[[GAN, Tensor], dict[str, Tensor]]

WIDTH = 0.125  # of the recipes, so that many runs fit into an hour
SETTINGS: dict[str, tuple[str, dict]] = {  # name: recipe, and what is changed in it
    "plain": ("quick-digits", {}),
    "fresh-noise": ("quick-digits", {"fresh_noise": True}),
    "hinge": ("quick-digits", {"objective": "hinge"}),
    "relativistic": ("quick-digits", {"objective": "relativistic"}),
    # Beside a mended run that learns nothing no bug does harm, so weights were tried first, one seed each, Fréchet
    # distance in a judge's features. R1 after 48,000 images: 43 with weight 10, 86 without. With layer norm in D it
    # brought nothing: after 24,000 images 88 without it, 84 and 97 with weights 0.1 and 1.
    "r1": ("quick-digits", {"d_norm": "none", "penalty": "r1", "penalty_weight": 10.0}),
    # After 24,000 images: 30 with weight 1, 98 with the paper's 10 and twice the rate for D.
    "wasserstein": (
        "quick-digits",
        {
            "objective": "wasserstein",
            "d_norm": "layer",
            "penalty": "gradient",
            "penalty_weight": 1.0,
            "betas": (0.0, 0.9),
        },
    ),
}


@dataclass(frozen=True)
class Exhibit:
    """One bug.

    Attributes:
        key: its name in the table.
        title: the mistake in a few words.
        source: repository; issue, pull request or commit; year.
        told: what was said of it there.
        setting: what it is planted in, a key of `SETTINGS`.
        found: plants it in a fresh GAN of that recipe, and returns the step to train with, or None for the usual one.
    """

    key: str
    title: str
    source: str
    told: str
    setting: str
    found: Callable[[GAN], Step | None]

    @property
    def recipe(self) -> Recipe:
        """What both are trained by, the bug and its mend."""
        key, changes = SETTINGS[self.setting]
        return recipes.get(key).but(width=WIDTH, **changes)


EXHIBITS: dict[str, Exhibit] = {}


def get(key: str) -> Exhibit:
    """The exhibit of that name.

    Raises:
        CourseError: there is no such exhibit.
    """
    if key not in EXHIBITS:
        raise CourseError(f"unknown exhibit {key!r}: there are {', '.join(EXHIBITS)}")
    return EXHIBITS[key]


def _exhibit(setting: str, title: str, source: str, told: str):
    """The function below plants a bug: into the table with it, under its own name."""

    def hang(found):
        EXHIBITS[found.__name__] = Exhibit(found.__name__, title, source, told, setting, found)
        return found

    return hang


def _penalty(*label: str):
    """The function below is a penalty with a bug, as in `losses.PENALTIES`; it takes the place of the GAN's own."""

    def hang(penalty):
        def found(gan):
            gan.penalty = penalty

        found.__name__ = penalty.__name__
        _exhibit(*label)(found)
        return penalty

    return hang


# --- penalties on D's slope --------------------------------------------------------------------------


@_penalty(
    "wasserstein",
    "The random point between two images comes from a normal distribution",
    "keras-team/keras-io, issues #143 (2020), #415 and #624 (2021), mended in pull request #1463 (2023)",
    "One reader found that it does not work well; the example's author expected little difference in quality.",
)
def normal_alpha(D, real, fake, generator):
    alpha = torch.randn(len(real), 1, 1, 1, generator=generator, device=real.device)  # mended: torch.rand
    return (losses.slopes(D, fake.lerp(real, alpha)).norm(dim=1) - 1).square().mean()


@_penalty(
    "wasserstein",
    "One random number a pixel, where one an image is meant",
    "eriklindernoren/PyTorch-GAN, issue #5 (2018); hwalsuklee/tensorflow-generative-model-collections, #33 (2019)",
    "Mended in one on the day it was reported (d2977bc); in the other a reader saw better pictures after the mend.",
)
def alpha_a_pixel(D, real, fake, generator):
    alpha = torch.rand(real.shape, generator=generator, device=real.device)  # mended: len(real), 1, 1, 1
    return (losses.slopes(D, fake.lerp(real, alpha)).norm(dim=1) - 1).square().mean()


@_penalty(
    "wasserstein",
    "The norm over the channels alone, where it should be over the whole image",
    "caogang/wgan-gp, issues #25 and #27, mended for CIFAR-10 in ae47a18 (2017)",
    "The authors' own line, right there, because their images are flat; one reader met penalties of 10,000.",
)
def one_axis(D, real, fake, generator):
    alpha = torch.rand(len(real), 1, 1, 1, generator=generator, device=real.device)
    slopes = losses.slopes(D, fake.lerp(real, alpha)).view(real.shape)
    return (slopes.norm(dim=1) - 1).square().mean()  # mended: slopes.flatten(1).norm(dim=1)


@_penalty(
    "wasserstein",
    "The mean over the batch taken before the square",
    "wiseodd/generative-models, issue #31, mended in eacf31a (2017)",
    "The reader who found it added that it still works well; the maintainer called it a typo.",
)
def mean_first(D, real, fake, generator):
    alpha = torch.rand(len(real), 1, 1, 1, generator=generator, device=real.device)
    return (losses.slopes(D, fake.lerp(real, alpha)).norm(dim=1).mean() - 1).square()  # mended: .square().mean()


@_penalty(
    "wasserstein",
    "A square root that may meet a 0, where it has no derivative",
    "keras-team/keras-io, issues #624 (2021) and #910 (2022), mended in pull request #2364 (2026)",
    "Reported for the NaN that it can end in, and reported again; in the end a small number went under the root.",
)
def bare_root(D, real, fake, generator):
    alpha = torch.rand(len(real), 1, 1, 1, generator=generator, device=real.device)
    squares = losses.slopes(D, fake.lerp(real, alpha)).square().sum(1)
    return (squares.sqrt() - 1).square().mean()  # mended: (squares + 1e-12).sqrt(), or norm(dim=1) of the slopes


@_penalty(
    "r1",
    "R1 on the slope of D's loss, where the slope of its score is meant",
    "rosinality/style-based-gan-pytorch, issue #34, mended in bc4bd85 (2019)",
    "Mended on the day it was reported.",
)
def r1_of_the_loss(D, real, fake, generator):
    real = real.detach().requires_grad_()
    loss = F.softplus(-D(real)).mean()
    (by_pixel,) = torch.autograd.grad(loss, real, create_graph=True)  # mended: D(real).sum() for loss
    return by_pixel.flatten(1).square().sum(1).mean() / 2


# --- objectives --------------------------------------------------------------------------------------


@_exhibit(
    "wasserstein",
    "The sign of G's loss turned round, D's left as it was",
    "Zeleni9/pytorch-wgan, issue #51 (2024), pull request #53, commit 2e7851d (2025)",
    "It came in as a mend: the old line was held to train G in the wrong direction.",
)
def one_sign(gan: GAN) -> None:
    gan.objective = replace(gan.objective, g_loss=lambda fake_logits: fake_logits.mean())  # mended: -fake_logits.mean()


@_exhibit(
    "hinge",
    "The hinge in G's loss, too, where only D's has one",
    "zurutech/ashpy, issue #23, mended in pull request #24, commit 632dedc (2019)",
    "Mended three days after it was reported.",
)
def hinge_for_g(gan: GAN) -> None:
    gan.objective = replace(gan.objective, g_loss=lambda fake_logits: -F.relu(fake_logits).mean())  # mended: no relu


@_exhibit(
    "relativistic",
    "G's relativistic loss is computed, then overwritten by another",
    "eriklindernoren/PyTorch-GAN, issue #52 (2019), pull request #210 (2024), since commit 9372efe (2019)",
    "Reported in 2019, confirmed by a second reader months later.",
)
def overwritten_loss(gan: GAN) -> None:
    def g_loss(real_logits, fake_logits):
        loss = losses.g_relativistic(real_logits, fake_logits)
        loss = losses.g_non_saturating(fake_logits)  # mended: without this line
        return loss

    gan.objective = replace(gan.objective, g_loss=g_loss)


# --- the step ----------------------------------------------------------------------------------------


def step_by_hand(
    gan: GAN, real: Tensor, *, detach: bool = True, early_d: bool = False, early_g: bool = False
) -> dict[str, Tensor]:
    """What `training.train_step` does with the plain recipe, with the lines in view that may go wrong.

    Args:
        detach: D's loss ends at the generated images; otherwise its gradient goes on into G.
        early_d, early_g: the network's gradients are set to zero before the other's backward pass instead of its own,
            so that what the other's loss leaves in them stays.
    """
    G, D, opt_g, opt_d = gan.G, gan.D, gan.opt_g, gan.opt_d
    fake = G(gan.latents(len(real)))
    if early_g:
        opt_g.zero_grad()
    if not early_d:
        opt_d.zero_grad()
    real_logits, fake_logits = D(real), D(fake.detach() if detach else fake)
    loss_d = gan.d_loss(real_logits, fake_logits)
    loss_d.backward(retain_graph=not detach)
    opt_d.step()

    if early_d:
        opt_d.zero_grad()
    if not early_g:
        opt_g.zero_grad()
    loss_g = gan.objective.g_loss(D(fake))
    loss_g.backward()
    opt_g.step()
    verdicts = training.verdicts(gan.objective, real_logits, fake_logits)
    return {"loss_d": loss_d.detach(), "loss_g": loss_g.detach(), **verdicts}


@_exhibit(
    "plain",
    "D's gradients are set to zero after its step only: what G's loss leaves in them counts in the next one",
    "Lightning-AI/pytorch-lightning, issues #557 and #591, mended in pull request #603 (2019)",
    "One reader lost two days to it and concluded that the training of GANs was broken there.",
)
def leak_into_d(gan: GAN) -> Step:
    return partial(step_by_hand, early_d=True)  # mended: step_by_hand


@_exhibit(
    "plain",
    "D's loss without detach, G's gradients set to zero before its own backward pass",
    "yunjey/pytorch-tutorial, issue #56 (2017); heykeetae/Self-Attention-GAN, issue #48 (2020), code at 8714a54",
    "No matter, the maintainer answered: D's optimiser moves D alone, and G's gradients are reset in time.",
)
def no_detach(gan: GAN) -> Step:
    return partial(step_by_hand, detach=False)  # mended: step_by_hand


@_exhibit(
    "plain",
    "D's loss without detach, G's gradients set to zero too early",
    "made for the course: what yunjey/pytorch-tutorial, issue #56 (2017), rests on, taken away",
    "The answer there rests on a reset in time; here it comes too early.",
)
def leak_into_g(gan: GAN) -> Step:
    return partial(step_by_hand, detach=False, early_g=True)  # mended: step_by_hand


@_exhibit(
    "fresh-noise",
    "D's step draws its latents uniformly from [0, 1), G's from a normal distribution",
    "Zeleni9/pytorch-wgan, issue #49, pull request #50 (2024), since 21f929b (2018), mended in 516b1fe",
    "The same line stands in two more files, where it is overwritten before anything uses it.",
)
def two_noises(gan: GAN) -> Step:
    normal = gan.latents

    def uniform(n):
        return torch.rand(n, gan.recipe.latent_dim, generator=gan.noise, device=gan.device)

    def step(gan, real):
        gan.latents = uniform  # mended: normal
        _, telemetry = training.step_d(gan, real)
        gan.latents = normal
        return telemetry | training.step_g(gan, training.generate(gan, len(real)))

    return step


# --- layers and weights ------------------------------------------------------------------------------


@_exhibit(
    "plain",
    "BatchNorm's second argument is eps, not momentum: 0.8 is added to every variance",
    "eriklindernoren/PyTorch-GAN, issue #116 (2020), since the first commit 11de060 (2018)",
    "A reader traced it to the Keras version of the same code, where 0.8 is the momentum.",
)
def large_eps(gan: GAN) -> None:
    for network in (gan.G, gan.D, gan.average):
        for layer in network.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.eps = 0.8  # as BatchNorm2d(channels, 0.8) makes it; mended: 1e-5, the default


@_exhibit(
    "plain",
    "Every parameter drawn from N(0, 0.02), BatchNorm's scales among them",
    "d2l-ai/d2l-en, dcgan.md at 018d25a; the question in pytorch/examples, issue #516 (2019)",
    "A reader who had tried both asked why 1 works better than the paper's 0: by experience only, was the answer.",
)
def all_normal(gan: GAN) -> None:
    dice = torch.Generator(gan.device).manual_seed(gan.seed)
    for network in (gan.G, gan.D):
        for parameter in network.parameters():
            nn.init.normal_(parameter, 0.0, 0.02, generator=dice)  # mended: BatchNorm's scales around 1, its shifts 0
    gan.average.load_state_dict(gan.G.state_dict())


@_exhibit(
    "plain",
    "G's moving average takes in the parameters and leaves BatchNorm's mean and variance as they began",
    "odegeasslbc/FastGAN-pytorch, issues #4 and #34 (2021)",
    "The author left eval() out, because the average copies parameters only.",
)
def bare_average(gan: GAN) -> None:
    for layer in gan.average.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.register_forward_pre_hook(lambda layer, _: layer.reset_running_stats())  # mended: average them, too
