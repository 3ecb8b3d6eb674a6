"""Adversarial objectives, pure functions of the discriminator's logits; penalties, of D and images.

A logit l stands for the probability D = sigmoid(l) that an image is real. Working on logits keeps
log D finite where sigmoid would round to 0 or 1: log sigmoid(l) = -softplus(-l). Hinge, Wasserstein and
the relativistic pair read the same number as a plain score.
Every loss is a mean over the batch, to be minimised.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from gan_course.errors import CourseError

Critic = Callable[[Tensor], Tensor]  # images [N, C, H, W] -> logits [N]


def bce(logits: Tensor, label: float) -> Tensor:
    """Binary cross-entropy between sigmoid(logits) and one label in [0, 1] for the whole batch."""
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, label))


def d_bce(
    real_logits: Tensor, fake_logits: Tensor, real_label: float = 1.0, fake_label: float = 0.0
) -> Tensor:
    """The discriminator's side of the minimax game: -E log D(x) - E log(1 - D(G(z))).

    Goodfellow et al. 2014, algorithm 1 (with its sign turned, so that it is minimised). Labels
    other than 1 and 0 are label smoothing (Salimans et al. 2016, section 3.4).
    """
    return bce(real_logits, real_label) + bce(fake_logits, fake_label)


def g_saturating(fake_logits: Tensor) -> Tensor:
    """The generator's side of the minimax game: E log(1 - D(G(z))). Its gradient dies where D is sure.

    Goodfellow et al. 2014, equation 1.
    """
    return -F.softplus(fake_logits).mean()  # log(1 - sigmoid(l)) = -softplus(l)


def g_non_saturating(fake_logits: Tensor) -> Tensor:
    """The objective used in practice: -E log D(G(z)), strong where D is sure of a fake.

    Goodfellow et al. 2014, section 3.
    """
    return bce(fake_logits, 1.0)


def d_least_squares(
    real_logits: Tensor, fake_logits: Tensor, real_label: float = 1.0, fake_label: float = 0.0
) -> Tensor:
    """E (D(x) - 1)^2 + E D(G(z))^2, where D's output is a score without sigmoid.

    Mao et al. 2017, equation 9 with a = 0, b = 1, without its factor 1/2.
    """
    return (real_logits - real_label).square().mean() + (fake_logits - fake_label).square().mean()


def g_least_squares(fake_logits: Tensor) -> Tensor:
    """E (D(G(z)) - 1)^2. Mao et al. 2017, equation 9 with c = 1, without its factor 1/2."""
    return (fake_logits - 1.0).square().mean()


def d_hinge(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """E max(0, 1 - D(x)) + E max(0, 1 + D(G(z))): images on the right side of the margin no longer count.

    Lim and Ye 2017 (arXiv:1705.02894).
    """
    return F.relu(1 - real_logits).mean() + F.relu(1 + fake_logits).mean()


def d_wasserstein(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """E D(G(z)) - E D(x). Its negative estimates a distance only while D's slope is held to 1: see `gradient_penalty`.

    Arjovsky et al. 2017 (arXiv:1701.07875), equation 2.
    """
    return fake_logits.mean() - real_logits.mean()


def g_raise_score(fake_logits: Tensor) -> Tensor:
    """-E D(G(z)): G's side of hinge and of Wasserstein."""
    return -fake_logits.mean()


def d_relativistic(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """E softplus(D(G(z)) - D(x)): D ranks each real image above the generated one beside it.

    The relativistic pair (Jolicoeur-Martineau 2018; Huang et al. 2024, arXiv:2501.05441, equation 2).
    """
    return F.softplus(fake_logits - real_logits).mean()


def g_relativistic(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """E softplus(D(x) - D(G(z))): G wants its images ranked above the real ones beside them."""
    return F.softplus(real_logits - fake_logits).mean()


def g_feature_matching(real_features: Tensor, fake_features: Tensor) -> Tensor:
    """||E f(x) - E f(G(z))||^2 for features [N, d] of D's last hidden layer.

    Salimans et al. 2016 (arXiv:1606.03498), section 3.1.
    """
    return (real_features.mean(0) - fake_features.mean(0)).square().sum()


@dataclass(frozen=True)
class Objective:
    """A pair of losses, and how to read D's output.

    Attributes:
        d_loss: (real_logits, fake_logits) -> loss; where it `smooths`, also (..., real_label, fake_label).
        g_loss: fake_logits -> loss; where it `compares`, (real_logits, fake_logits) -> loss.
        score: of logits: 1 for "real" and 0 for "fake" where there is a `middle`, else any number, more for "real".
        middle: the score between real and fake; None where only differences count.
        smooths: whether D has labels that can be smoothed.
        compares: whether G's loss sees the real images, too.
        on_features: whether G's loss takes D's features in place of its logits.
    """

    d_loss: Callable[..., Tensor]
    g_loss: Callable[..., Tensor]
    score: Callable[[Tensor], Tensor]
    middle: float | None = 0.5
    smooths: bool = False
    compares: bool = False
    on_features: bool = False


def _as_it_is(logits: Tensor) -> Tensor:
    return logits


OBJECTIVES = {
    "minimax": Objective(d_bce, g_saturating, torch.sigmoid, smooths=True),
    "non-saturating": Objective(d_bce, g_non_saturating, torch.sigmoid, smooths=True),
    "least-squares": Objective(d_least_squares, g_least_squares, _as_it_is, smooths=True),
    "hinge": Objective(d_hinge, g_raise_score, lambda logits: (logits + 1) / 2),  # its margins are -1 and 1
    "wasserstein": Objective(d_wasserstein, g_raise_score, _as_it_is, middle=None),
    "relativistic": Objective(d_relativistic, g_relativistic, _as_it_is, middle=None, compares=True),
    "feature-matching": Objective(
        d_bce, g_feature_matching, torch.sigmoid, smooths=True, compares=True, on_features=True
    ),
}


def get(name: str) -> Objective:
    """The objective of that name.

    Raises:
        CourseError: there is no such objective.
    """
    if name not in OBJECTIVES:
        raise CourseError(f"unknown objective {name!r}: there are {', '.join(OBJECTIVES)}")
    return OBJECTIVES[name]


# --- penalties on D's slope ------------------------------------------------------------------------


def gradient_penalty(
    D: Critic, real: Tensor, fake: Tensor, generator: torch.Generator | None = None, centre: float = 1.0
) -> Tensor:
    """E (||grad D(y)|| - 1)^2 at points y between a real and a generated image, one random point a pair.

    The norm is over all pixels of a picture. Gulrajani et al. 2017 (arXiv:1704.00028), equation 3; weighted by 10.

    Args:
        real, fake: images [N, C, H, W].
        generator: of the points; the global one by default.
        centre: the slope that costs nothing.
    """
    alpha = torch.rand(len(real), *[1] * (real.dim() - 1), generator=generator, device=real.device, dtype=real.dtype)
    return (slopes(D, torch.lerp(fake, real, alpha)).norm(dim=1) - centre).square().mean()


def r1(D: Critic, real: Tensor) -> Tensor:
    """1/2 E ||grad D(x)||^2 at real images. Mescheder et al. 2018 (arXiv:1801.04406), equation 9, without its gamma."""
    return slopes(D, real).square().sum(1).mean() / 2


def r2(D: Critic, fake: Tensor) -> Tensor:
    """1/2 E ||grad D(G(z))||^2 at generated images. Mescheder et al. 2018, equation 10, without its gamma."""
    return slopes(D, fake).square().sum(1).mean() / 2


def slopes(D: Critic, images: Tensor) -> Tensor:
    """The gradient of D's logit of each image by that image's own pixels, [N, pixels]; it can be differentiated again.

    One backward pass serves the whole batch, because no image's logit depends on another image: with
    BatchNorm in D that is untrue.
    """
    images = images.detach().requires_grad_()
    (by_pixel,) = torch.autograd.grad(D(images).sum(), images, create_graph=True)
    return by_pixel.flatten(1)


PENALTIES: dict[str, Callable[[Critic, Tensor, Tensor, torch.Generator], Tensor]] = {
    "gradient": gradient_penalty,
    "r1": lambda D, real, fake, generator: r1(D, real),
    "r2": lambda D, real, fake, generator: r2(D, fake),
    "r1+r2": lambda D, real, fake, generator: r1(D, real) + r2(D, fake),
}
