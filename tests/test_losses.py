"""Objectives against their closed forms, their derivatives worked out by hand, and their extremes."""

import math

import pytest
import torch
from torch import Tensor

from gan_course import losses
from gan_course.errors import CourseError

L = torch.linspace(-6, 6, 25, dtype=torch.float64)
P = torch.sigmoid(L)
close = torch.testing.assert_close


def gradient(loss, *logits: Tensor, **labels) -> tuple[Tensor, ...]:
    """d loss / d logit, times the batch size: what a single image feels."""
    logits = [each.clone().requires_grad_() for each in logits]
    return tuple(len(g) * g for g in torch.autograd.grad(loss(*logits, **labels), logits))


def test_closed_forms():
    # The batches differ in size: each loss is the sum of a mean over each.
    real, fake = L.repeat(3), L
    close(losses.d_bce(real, fake), -(P.log().mean() + (1 - P).log().mean()))  # -V(D, G)
    smoothed = -(0.9 * P.log() + 0.1 * (1 - P).log()).mean() - (0.2 * P.log() + 0.8 * (1 - P).log()).mean()
    close(losses.d_bce(real, fake, real_label=0.9, fake_label=0.2), smoothed)
    close(losses.g_saturating(L), (1 - P).log().mean())
    close(losses.g_non_saturating(L), -P.log().mean())
    close(losses.d_least_squares(real, fake), ((L - 1) ** 2).mean() + (L**2).mean())
    smoothed = ((L - 0.9) ** 2).mean() + ((L - 0.1) ** 2).mean()
    close(losses.d_least_squares(real, fake, real_label=0.9, fake_label=0.1), smoothed)
    close(losses.g_least_squares(L), ((L - 1) ** 2).mean())


def test_gradients():
    for loss, real, fake in ((losses.d_bce, P - 1, P), (losses.d_least_squares, 2 * (L - 1), 2 * L)):
        close(gradient(loss, L, L), (real, fake))
    close(*gradient(losses.g_saturating, L), -P)  # dies where D is sure of a fake
    close(*gradient(losses.g_non_saturating, L), P - 1)  # lives there
    close(*gradient(losses.g_least_squares, L), 2 * (L - 1))


@pytest.mark.parametrize("p, real_label, fake_label", [(0.1, 1.0, 0.0), (0.5, 0.9, 0.1), (0.8, 0.9, 0.0)])
def test_the_best_d(p, real_label, fake_label):
    """Where real images have the share p, D's best score is a p + b (1 - p) for labels a and b."""
    best = real_label * p + fake_label * (1 - p)
    for objective, logit in (("non-saturating", math.log(best / (1 - best))), ("least-squares", best)):
        at = torch.tensor([logit], dtype=torch.float64)
        labels = {"real_label": real_label, "fake_label": fake_label}
        real, fake = gradient(losses.get(objective).d_loss, at, at, **labels)
        assert (p * real + (1 - p) * fake).item() == pytest.approx(0, abs=1e-12)
        assert losses.get(objective).score(at).item() == pytest.approx(best)


@pytest.mark.parametrize("logit", [-1000.0, 1000.0])
@pytest.mark.parametrize("name", losses.OBJECTIVES)
def test_finite_far_out(name, logit):
    """log(sigmoid(-1000)) is minus infinity in floating point; on logits everything stays a number."""
    objective, logits = losses.get(name), torch.full((4,), logit)
    assert objective.d_loss(logits, -logits).isfinite()
    for slopes in (*gradient(objective.d_loss, logits, -logits), *gradient(objective.g_loss, logits)):
        assert slopes.isfinite().all()
    one_sided = {"minimax": -max(logit, 0), "non-saturating": max(-logit, 0)}
    assert objective.g_loss(logits).item() == pytest.approx(one_sided.get(name, (logit - 1) ** 2))


def test_objectives_by_name():
    assert losses.get("minimax").g_loss is losses.g_saturating
    assert losses.get("non-saturating").g_loss is losses.g_non_saturating
    with pytest.raises(CourseError, match="'hinge'.*minimax, non-saturating, least-squares"):
        losses.get("hinge")
