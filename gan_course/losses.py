"""Adversarial objectives: pure functions of the discriminator's logits.

A logit l stands for the probability D = sigmoid(l) that an image is real. Working on logits keeps
log D finite where sigmoid would round to 0 or 1: log sigmoid(l) = -softplus(-l).
Every loss is a mean over the batch, to be minimised.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from gan_course.errors import CourseError


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


@dataclass(frozen=True)
class Objective:
    """A pair of losses, and how to read D's output as a score that is 1 for "real" and 0 for "fake"."""

    d_loss: Callable[..., Tensor]
    g_loss: Callable[[Tensor], Tensor]
    score: Callable[[Tensor], Tensor]


OBJECTIVES = {
    "minimax": Objective(d_bce, g_saturating, torch.sigmoid),
    "non-saturating": Objective(d_bce, g_non_saturating, torch.sigmoid),
    "least-squares": Objective(d_least_squares, g_least_squares, lambda logits: logits),
}


def get(name: str) -> Objective:
    """The objective of that name.

    Raises:
        CourseError: there is no such objective.
    """
    if name not in OBJECTIVES:
        raise CourseError(f"unknown objective {name!r}: there are {', '.join(OBJECTIVES)}")
    return OBJECTIVES[name]
