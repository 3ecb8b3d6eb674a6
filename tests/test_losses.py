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
    close(losses.d_bce(L, L.flip(0)), -(P.log().mean() + (1 - P.flip(0)).log().mean()))  # -V(D, G)
    assert losses.d_bce(torch.zeros(4), torch.zeros(4)).item() == pytest.approx(math.log(4))  # D = 1/2
    real = -(0.9 * P.log() + 0.1 * (1 - P).log()).mean()
    fake = -(0.2 * P.log() + 0.8 * (1 - P).log()).mean()
    close(losses.d_bce(L, L, real_label=0.9, fake_label=0.2), real + fake)
    close(losses.g_saturating(L), (1 - P).log().mean())
    close(losses.g_non_saturating(L), -P.log().mean())
    close(losses.d_least_squares(L, L), ((L - 1) ** 2).mean() + (L**2).mean())
    smoothed = ((L - 0.9) ** 2).mean() + ((L - 0.1) ** 2).mean()
    close(losses.d_least_squares(L, L, real_label=0.9, fake_label=0.1), smoothed)
    close(losses.g_least_squares(L), ((L - 1) ** 2).mean())


def test_a_loss_is_a_mean_over_each_batch():
    close(losses.d_bce(L.repeat(3), L), losses.d_bce(L, L))
    close(losses.d_least_squares(L.repeat(3), L), losses.d_least_squares(L, L))
    for loss in (losses.g_saturating, losses.g_non_saturating, losses.g_least_squares):
        close(loss(L.repeat(3)), loss(L))


def test_gradients():
    for loss, real, fake in ((losses.d_bce, P - 1, P), (losses.d_least_squares, 2 * (L - 1), 2 * L)):
        close(gradient(loss, L, L), (real, fake))
    close(*gradient(losses.g_saturating, L), -P)
    close(*gradient(losses.g_non_saturating, L), P - 1)
    close(*gradient(losses.g_least_squares, L), 2 * (L - 1))


def test_where_d_is_sure_of_a_fake_only_one_gradient_lives():
    """The reason for the non-saturating objective: at D(G(z)) = 4.5e-5 its gradient is still 1."""
    sure = torch.full((8,), -10.0)
    (dying,), (strong,) = gradient(losses.g_saturating, sure), gradient(losses.g_non_saturating, sure)
    assert (dying < 0).all() and dying.abs().max() < 5e-5
    assert (strong < 0).all() and strong.abs().min() > 0.9999


@pytest.mark.parametrize(("real_label", "fake_label"), [(1.0, 0.0), (0.9, 0.1), (0.9, 0.0)])
@pytest.mark.parametrize("p", [0.1, 0.5, 0.8])
def test_the_best_d(p, real_label, fake_label):
    """Where real images have the share p, D's best score is a p + b (1 - p) for labels a and b."""
    best = real_label * p + fake_label * (1 - p)
    for objective, logit in (("non-saturating", math.log(best / (1 - best))), ("least-squares", best)):
        at = torch.tensor([logit], dtype=torch.float64)
        labels = {"real_label": real_label, "fake_label": fake_label}
        real, fake = gradient(losses.get(objective).d_loss, at, at, **labels)
        assert (p * real + (1 - p) * fake).item() == pytest.approx(0, abs=1e-12)
        assert losses.get(objective).score(at).item() == pytest.approx(best)


@pytest.mark.parametrize("logit", [-1000.0, -100.0, 100.0, 1000.0])
@pytest.mark.parametrize("name", sorted(losses.OBJECTIVES))
def test_finite_far_out(name, logit):
    """log(sigmoid(-1000)) is minus infinity in floating point; on logits everything stays a number."""
    objective, logits = losses.get(name), torch.full((4,), logit)
    assert objective.d_loss(logits, -logits).isfinite() and objective.g_loss(logits).isfinite()
    for slopes in (*gradient(objective.d_loss, logits, -logits), *gradient(objective.g_loss, logits)):
        assert slopes.isfinite().all()
    if name != "least-squares":
        assert objective.d_loss(logits, -logits).item() == pytest.approx(max(0, -2 * logit))
    one_sided = {"minimax": -max(logit, 0), "non-saturating": max(-logit, 0)}
    assert objective.g_loss(logits).item() == pytest.approx(one_sided.get(name, (logit - 1) ** 2))


def test_the_table_of_objectives():
    assert {name: (o.d_loss, o.g_loss) for name, o in losses.OBJECTIVES.items()} == {
        "minimax": (losses.d_bce, losses.g_saturating),
        "non-saturating": (losses.d_bce, losses.g_non_saturating),
        "least-squares": (losses.d_least_squares, losses.g_least_squares),
    }
    with pytest.raises(CourseError, match="'hinge'.*minimax, non-saturating, least-squares"):
        losses.get("hinge")
