"""Objectives against their closed forms, their derivatives worked out by hand, and their extremes."""

import math

import pytest
import torch
from torch import Tensor

from gan_course import losses
from gan_course.errors import CourseError

L = torch.linspace(-6, 6, 25, dtype=torch.float64)
P = torch.sigmoid(L)


def gradient(loss, *logits: Tensor, **labels) -> tuple[Tensor, ...]:
    """d loss / d logit, times the batch size: what a single image feels."""
    logits = [each.clone().requires_grad_() for each in logits]
    return tuple(len(g) * g for g in torch.autograd.grad(loss(*logits, **labels), logits))


# --- closed forms ----------------------------------------------------------------------------------


def test_d_bce_is_the_minimax_value_with_its_sign_turned():
    value = (P.log()).mean() + (1 - P.flip(0)).log().mean()  # E log D(x) + E log(1 - D(G(z)))
    torch.testing.assert_close(losses.d_bce(L, L.flip(0)), -value)
    zeros = torch.zeros(4)
    assert losses.d_bce(zeros, zeros).item() == pytest.approx(math.log(4))  # D = 1/2: V = -log 4


def test_smoothed_labels_weigh_both_answers():
    real = -(0.9 * P.log() + 0.1 * (1 - P).log()).mean()
    fake = -(0.2 * P.log() + 0.8 * (1 - P).log()).mean()
    torch.testing.assert_close(losses.d_bce(L, L, real_label=0.9, fake_label=0.2), real + fake)


def test_generators_side():
    torch.testing.assert_close(losses.g_saturating(L), (1 - P).log().mean())
    torch.testing.assert_close(losses.g_non_saturating(L), -P.log().mean())


def test_least_squares():
    torch.testing.assert_close(losses.d_least_squares(L, L), ((L - 1) ** 2).mean() + (L**2).mean())
    expected = ((L - 0.9) ** 2).mean() + ((L - 0.1) ** 2).mean()
    torch.testing.assert_close(losses.d_least_squares(L, L, real_label=0.9, fake_label=0.1), expected)
    torch.testing.assert_close(losses.g_least_squares(L), ((L - 1) ** 2).mean())
    assert losses.d_least_squares(torch.ones(3), torch.zeros(3)) == 0
    assert losses.g_least_squares(torch.ones(3)) == 0


def test_a_loss_is_a_mean_over_each_batch():
    one = losses.d_bce(L, L)
    torch.testing.assert_close(losses.d_bce(L.repeat(3), L), one)
    torch.testing.assert_close(losses.g_non_saturating(L.repeat(3)), losses.g_non_saturating(L))


# --- derivatives -----------------------------------------------------------------------------------


def test_gradients_of_d():
    real, fake = gradient(losses.d_bce, L, L)
    torch.testing.assert_close(real, P - 1)
    torch.testing.assert_close(fake, P)
    real, fake = gradient(losses.d_least_squares, L, L)
    torch.testing.assert_close(real, 2 * (L - 1))
    torch.testing.assert_close(fake, 2 * L)


def test_gradients_of_g():
    torch.testing.assert_close(*gradient(losses.g_saturating, L), -P)
    torch.testing.assert_close(*gradient(losses.g_non_saturating, L), P - 1)
    torch.testing.assert_close(*gradient(losses.g_least_squares, L), 2 * (L - 1))


def test_where_d_is_sure_of_a_fake_only_one_gradient_lives():
    """The reason for the non-saturating objective: at D(G(z)) = 4.5e-5 its gradient is still 1."""
    sure = torch.full((8,), -10.0)
    (dying,), (strong,) = gradient(losses.g_saturating, sure), gradient(losses.g_non_saturating, sure)
    assert dying.abs().max() < 5e-5
    assert strong.abs().min() > 0.9999
    # Both push the logit up, and they agree where D cannot tell.
    assert (dying < 0).all() and (strong < 0).all()
    zero = torch.zeros(1)
    torch.testing.assert_close(
        gradient(losses.g_saturating, zero)[0], gradient(losses.g_non_saturating, zero)[0]
    )


@pytest.mark.parametrize(("real_label", "fake_label"), [(1.0, 0.0), (0.9, 0.1), (0.9, 0.0)])
@pytest.mark.parametrize("p", [0.1, 0.5, 0.8])
def test_the_best_d_under_smoothed_labels(p, real_label, fake_label):
    """Where real images have the share p, D's best score is a p + b (1 - p) for labels a and b."""
    best = real_label * p + fake_label * (1 - p)

    def loss(score: float) -> Tensor:
        logit = torch.tensor([math.log(score / (1 - score))], dtype=torch.float64, requires_grad=True)
        real = losses.bce(logit, real_label)
        fake = losses.bce(logit, fake_label)
        return p * real + (1 - p) * fake

    least = loss(best).item()
    assert least < loss(best + 0.01).item()
    assert least < loss(best - 0.01).item()


def test_the_best_d_under_least_squares_is_the_share_of_real():
    p = 0.3
    logit = torch.tensor([p], dtype=torch.float64, requires_grad=True)
    weighted = p * (logit - 1).square().mean() + (1 - p) * logit.square().mean()
    (slope,) = torch.autograd.grad(weighted, logit)
    assert slope.item() == pytest.approx(0, abs=1e-12)
    real, fake = gradient(losses.d_least_squares, logit.detach(), logit.detach())
    assert (p * real + (1 - p) * fake).item() == pytest.approx(0, abs=1e-12)


# --- extremes --------------------------------------------------------------------------------------


@pytest.mark.parametrize("logit", [-1000.0, -100.0, 100.0, 1000.0])
@pytest.mark.parametrize("name", sorted(losses.OBJECTIVES))
def test_finite_far_out(name, logit):
    """log(sigmoid(-1000)) is minus infinity in floating point; on logits everything stays a number."""
    objective = losses.get(name)
    logits = torch.full((4,), logit)
    assert objective.d_loss(logits, -logits).isfinite()
    assert objective.g_loss(logits).isfinite()
    for slopes in (*gradient(objective.d_loss, logits, -logits), *gradient(objective.g_loss, logits)):
        assert slopes.isfinite().all()
    if logit <= -200 and name != "least-squares":
        assert torch.sigmoid(logits).log().isinf().all()  # the form it replaces
        assert objective.d_loss(logits, -logits).item() == pytest.approx(-2 * logit)


def test_far_out_values():
    assert losses.g_saturating(torch.tensor([1000.0])).item() == -1000
    assert losses.g_saturating(torch.tensor([-1000.0])).item() == 0
    assert losses.g_non_saturating(torch.tensor([1000.0])).item() == 0
    assert losses.g_non_saturating(torch.tensor([-1000.0])).item() == 1000


# --- the table -------------------------------------------------------------------------------------


def test_the_table_of_objectives():
    table = {name: (o.d_loss, o.g_loss) for name, o in losses.OBJECTIVES.items()}
    assert table == {
        "minimax": (losses.d_bce, losses.g_saturating),
        "non-saturating": (losses.d_bce, losses.g_non_saturating),
        "least-squares": (losses.d_least_squares, losses.g_least_squares),
    }
    logits = torch.tensor([-2.0, 0.0, 0.25])
    for name in ("minimax", "non-saturating"):
        torch.testing.assert_close(losses.get(name).score(logits), 1 / (1 + (-logits).exp()))
    assert torch.equal(losses.get("least-squares").score(logits), logits)  # trained towards 1 and 0 itself


def test_unknown_objective():
    with pytest.raises(CourseError, match="'hinge'.*minimax, non-saturating, least-squares"):
        losses.get("hinge")
