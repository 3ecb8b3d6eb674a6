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
    seen_by_g = (-logits, logits) if objective.compares else (logits,)
    if not objective.on_features:
        for slopes in (*gradient(objective.d_loss, logits, -logits), *gradient(objective.g_loss, *seen_by_g)):
            assert slopes.isfinite().all()
    by_hand = {
        "minimax": -max(logit, 0),
        "non-saturating": max(-logit, 0),
        "least-squares": (logit - 1) ** 2,
        "hinge": -logit,
        "wasserstein": -logit,
        "relativistic": max(-2 * logit, 0),
    }
    if name in by_hand:
        assert objective.g_loss(*seen_by_g).item() == pytest.approx(by_hand[name])


def test_objectives_by_name():
    assert losses.get("minimax").g_loss is losses.g_saturating
    assert losses.get("non-saturating").g_loss is losses.g_non_saturating
    with pytest.raises(CourseError, match="'bce'.*minimax, non-saturating, least-squares, hinge"):
        losses.get("bce")


def test_scores_without_labels():
    close(losses.d_hinge(L, L), ((1 - L).clamp(min=0) + (1 + L).clamp(min=0)).mean())
    close(gradient(losses.d_hinge, L, L), (-(L < 1).double(), (L > -1).double()))
    score = losses.get("hinge").score
    assert score(torch.tensor([-1.0, 0.0, 1.0])).tolist() == [0, 0.5, 1]
    close(losses.d_wasserstein(L.repeat(3), L + 2), torch.tensor(2.0, dtype=torch.float64))
    close(gradient(losses.d_wasserstein, L, L), (-torch.ones_like(L), torch.ones_like(L)))
    close(*gradient(losses.g_raise_score, L), -torch.ones_like(L))


def test_the_relativistic_pair():
    fake = L.flip(0) / 2
    above = torch.sigmoid(L - fake)  # the probability that D gives the real image of a pair
    close(losses.d_relativistic(L, fake), -above.log().mean())
    close(gradient(losses.d_relativistic, L, fake), (above - 1, 1 - above))
    close(losses.g_relativistic(L, fake), -(1 - above).log().mean())
    close(losses.d_relativistic(L + 7, fake + 7), losses.d_relativistic(L, fake))  # only differences count


def test_feature_matching_compares_means():
    real, fake = torch.tensor([[0.0, 0.0], [2.0, 4.0]]), torch.tensor([[4.0, 2.0]])
    assert losses.g_feature_matching(real, fake).item() == 9  # (1, 2) against (4, 2)
    assert losses.g_feature_matching(real, real.flip(0)).item() == 0


# --- penalties -------------------------------------------------------------------------------------

REAL, FAKE = torch.randn(2, 6, 1, 4, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def norms(images: Tensor) -> Tensor:
    return images.flatten(1).norm(dim=1)


def test_penalties_of_a_linear_d():
    """D(x) = <w, x> + b has the slope w everywhere, so every penalty is known, and its gradient by w."""
    w = torch.linspace(-1, 2, 16, dtype=torch.float64).view(1, 4, 4).requires_grad_()

    def D(images):
        return (images * w).sum((1, 2, 3)) + 5

    length = w.detach().norm()
    for cost, value, by_w in (
        (losses.r1(D, REAL), length**2 / 2, w.detach()),
        (losses.r2(D, FAKE), length**2 / 2, w.detach()),
        (losses.gradient_penalty(D, REAL, FAKE), (length - 1) ** 2, 2 * (length - 1) * w.detach() / length),
        (losses.gradient_penalty(D, REAL, FAKE, centre=0.0), length**2, 2 * w.detach()),
        (losses.PENALTIES["r1+r2"](D, REAL, FAKE, None), length**2, 2 * w.detach()),
    ):
        close(cost.detach(), value)
        close(torch.autograd.grad(cost, w)[0], by_w)


def test_penalties_of_a_quadratic_d():
    """D(x) = a/2 |x|^2 has the slope a x: another one for each image, and growing with a."""
    a = torch.tensor(1.5, dtype=torch.float64, requires_grad=True)

    def D(images):
        return a / 2 * images.square().sum((1, 2, 3))

    cost = losses.r1(D, REAL)
    close(cost.detach(), (1.5 * norms(REAL)).square().mean() / 2)
    close(torch.autograd.grad(cost, a)[0], 1.5 * norms(REAL).square().mean())
    cost = losses.r2(D, FAKE)
    close(cost.detach(), (1.5 * norms(FAKE)).square().mean() / 2)
    cost = losses.gradient_penalty(D, REAL, REAL)  # between an image and itself there is one point
    close(cost.detach(), (1.5 * norms(REAL) - 1).square().mean())
    close(torch.autograd.grad(cost, a)[0], (2 * (1.5 * norms(REAL) - 1) * norms(REAL)).mean())


def test_a_point_is_drawn_uniformly_on_the_line_of_each_pair():
    seen = []

    def D(images):
        seen.append(images)
        return images.square().sum((1, 2, 3))

    real, fake = torch.ones(4_000, 1, 2, 2), torch.zeros(4_000, 1, 2, 2)
    losses.gradient_penalty(D, real, fake, torch.Generator().manual_seed(0))
    points = seen[0].flatten(1)
    assert (points == points[:, :1]).all()  # one a picture, not one a pixel
    alpha = points[:, 0]
    assert 0 <= alpha.min() < 0.01 and 0.99 < alpha.max() <= 1
    assert abs(alpha.mean() - 0.5) < 0.02 and abs(alpha.std() - 12**-0.5) < 0.01
    again = [losses.gradient_penalty(D, REAL, FAKE, torch.Generator().manual_seed(3)) for _ in range(2)]
    assert torch.equal(*again)


def test_a_flat_d_gives_numbers():
    """A norm has no gradient at 0; written as a square root it gives NaN there."""
    w = torch.zeros(1, 4, 4, dtype=torch.float64, requires_grad=True)
    cost = losses.gradient_penalty(lambda images: (images * w).sum((1, 2, 3)), REAL, FAKE)
    assert cost.item() == 1 and torch.autograd.grad(cost, w)[0].isfinite().all()
