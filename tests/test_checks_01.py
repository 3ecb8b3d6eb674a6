"""The checks of lesson 01: two ways to be right, and what each mistake is told."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from answers import stub, told

from gan_course import losses, toy
from gan_course.checks import lesson_01


def said(capsys) -> str:
    return capsys.readouterr().out


@pytest.mark.parametrize("exercise", [1, 2, 3, 4, 5, 6])
@pytest.mark.parametrize("left_open", [stub, ...])
def test_a_stub_is_told_that_it_waits(exercise, left_open):
    answers = (left_open, left_open) if exercise == 4 else (left_open,)
    assert f"exercise 1.{exercise} still waits" in told(getattr(lesson_01, f"exercise_{exercise}"), *answers)


@pytest.mark.parametrize("exercise", [1, 2, 3, 4])
def test_a_forgotten_return_is_named(exercise):
    answers = (lambda *_: None,) * (2 if exercise == 4 else 1)
    assert "returns nothing" in told(getattr(lesson_01, f"exercise_{exercise}"), *answers)


def test_a_wrong_shape_is_named():
    assert "shape (5,); yours has ()" in told(lesson_01.exercise_3, lambda logits: logits.mean())


# 1.1 The best discriminator.


def by_numpy(p, q):
    p, q = p.numpy(), q.numpy()
    with np.errstate(invalid="ignore"):
        return np.nan_to_num(p / (p + q), nan=0.5)


@pytest.mark.parametrize("right", [lambda p, q: torch.where(p + q > 0, p / (p + q), 0.5), by_numpy])
def test_optimal_d_right(right, capsys):
    lesson_01.exercise_1(right)
    assert said(capsys).startswith("✓")


@pytest.mark.parametrize(
    "wrong, words",
    [
        (lambda p, q: torch.where(p + q > 0, q / (p + q), 0.5), "flipped"),
        (lambda p, q: p / (p + q), "0 / 0"),
        (lambda p, q: p / (p + q + 1e-12), "asks for 0.5"),
        (lambda p, q: p / q, "odds"),
        (lambda p, q: torch.sigmoid(torch.where(p + q > 0, p / (p + q), 0.5)), "sigmoid twice"),
        (lambda p, q: p - q, "0.75"),
    ],
)
def test_optimal_d_wrong(wrong, words):
    assert words in told(lesson_01.exercise_1, wrong)


# 1.2 V from logits.


def by_cross_entropy(real, fake):
    return -losses.d_bce(real, fake)


@pytest.mark.parametrize(
    "right", [lambda r, f: F.logsigmoid(r).mean() + F.logsigmoid(-f).mean(), by_cross_entropy]
)
def test_value_right(right, capsys):
    lesson_01.exercise_2(right)
    assert said(capsys).startswith("✓")


def naive(real, fake):
    return torch.log(torch.sigmoid(real)).mean() + torch.log(1 - torch.sigmoid(fake)).mean()


def with_epsilon(real, fake):
    return torch.log(torch.sigmoid(real) + 1e-8).mean() + torch.log(1 - torch.sigmoid(fake) + 1e-8).mean()


@pytest.mark.parametrize(
    "wrong, words",
    [
        (losses.d_bce, "the sign"),
        (lambda r, f: F.logsigmoid(r).sum() + F.logsigmoid(-f).sum(), "sums where means"),
        (lambda r, f: torch.cat([F.logsigmoid(r), F.logsigmoid(-f)]).mean(), "one mean over both"),
        (lambda r, f: by_cross_entropy(r.sigmoid(), f.sigmoid()), "sigmoid twice"),
        (lambda r, f: by_cross_entropy(f, r), "swapped"),
        (lambda r, f: F.logsigmoid(r).mean() + F.logsigmoid(f).mean(), "believing fakes"),
        (lambda r, f: by_cross_entropy(r, f) / 2, "half of V"),
        (naive, "log(0)"),
        (with_epsilon, "epsilon"),
        (lambda r, f: r.mean(), "yours 0.5"),
    ],
)
def test_value_wrong(wrong, words):
    assert words in told(lesson_01.exercise_2, wrong)


# 1.3 The non-saturating gradient.


def by_autograd(logits):
    logits = logits.requires_grad_()
    return torch.autograd.grad(losses.g_non_saturating(logits), logits)[0]


@pytest.mark.parametrize("right", [lambda logits: -(1 - torch.sigmoid(logits)) / len(logits), by_autograd])
def test_gradient_right(right, capsys):
    lesson_01.exercise_3(right)
    assert said(capsys).startswith("✓")


@pytest.mark.parametrize(
    "wrong, words",
    [
        (lambda x: torch.sigmoid(x) - 1, "mean over the batch"),
        (lambda x: (1 - torch.sigmoid(x)) / len(x), "the sign"),
        (lambda x: 1 - torch.sigmoid(x), "two things"),
        (lambda x: -torch.sigmoid(x) / len(x), "saturating gradient, -D: it"),
        (lambda x: -torch.sigmoid(x), "without the 1/N"),
        (lambda x: -1 / torch.sigmoid(x) / len(x), "chain rule"),
        (lambda x: -torch.sigmoid(x) * torch.sigmoid(-x) / len(x), "sigmoid's own derivative"),
        (torch.zeros_like, "-0.100"),
    ],
)
def test_gradient_wrong(wrong, words):
    assert words in told(lesson_01.exercise_3, wrong)


# 1.4 Spirals.


def halves(rate, penalty):
    return np.array([[1, 0], [-rate / 2, 1 - rate * penalty]]), np.array([[1, rate / 2], [0, 1]])


def by_product(rate, penalty):
    d, g = halves(rate, penalty)
    return g @ d


def by_hand(rate, penalty):
    a, b = rate / 2, 1 - rate * penalty
    return torch.tensor([[1 - a * a, a * b], [-a, b]])


def by_eigenvalues(matrix):
    largest = np.abs(np.linalg.eigvals(matrix.numpy())).max()
    return "circles" if abs(largest - 1) < 1e-9 else "diverges" if largest > 1 else "converges"


def by_powers(matrix):
    size = torch.linalg.matrix_power(matrix, 600).norm()
    return "diverges" if size > 1e3 else "converges" if size < 1e-3 else "circles"


@pytest.mark.parametrize("matrix, verdict", [(by_product, by_eigenvalues), (by_hand, by_powers)])
def test_spirals_right(matrix, verdict, capsys):
    lesson_01.exercise_4(matrix, verdict)
    assert said(capsys).startswith("✓")


@pytest.mark.parametrize(
    "wrong, words",
    [
        (lambda h, c: sum(halves(h, c)) - np.eye(2), "simultaneous"),
        (lambda h, c: halves(h, c)[0] @ halves(h, c)[1], "the order"),
        (lambda h, c: by_product(2 * h, c / 2), "factor 1/2"),
        (lambda h, c: by_product(h, 0.0), "penalty is missing"),
        (lambda h, c: by_product(h, c)[::-1, ::-1].copy(), "exchanged"),
        (lambda h, c: by_product(h, c).T, "transposed"),
        (lambda h, c: np.array([[1, -h / 2], [0, 1]]) @ [[1, 0], [h / 2, 1 - h * c]], "the signs"),
        (lambda h, c: np.array([[0, h / 2], [0, 0]]) @ halves(h, c)[0], "identity"),
        (lambda h, c: np.eye(2), "0.84"),
    ],
)
def test_update_matrix_wrong(wrong, words):
    assert words in told(lesson_01.exercise_4, wrong, by_eigenvalues)


def by_real_part(matrix):
    largest = torch.linalg.eigvals(matrix).real.max().item()
    return "circles" if abs(largest - 1) < 1e-9 else "diverges" if largest > 1 else "converges"


def without_tolerance(matrix):
    largest = torch.linalg.eigvals(matrix).abs().max().item() + 1e-15
    return "circles" if largest == 1 else "diverges" if largest > 1 else "converges"


@pytest.mark.parametrize(
    "wrong, words", [(by_real_part, "modulus 1.03"), (without_tolerance, "allow about 1e-9")]
)
def test_verdict_wrong(wrong, words):
    assert words in told(lesson_01.exercise_4, by_product, wrong)


# 1.5 Modes.


def by_broadcasting(samples, centres, sigma):
    near = (samples[:, None] - centres[None]).square().sum(-1) <= (3 * sigma) ** 2
    return (near.sum(0) >= 0.01 * len(samples)).sum()


def by_loop(samples, centres, sigma):
    return sum(((samples - c).norm(dim=1) <= 3 * sigma).float().mean().item() >= 0.01 for c in centres)


@pytest.mark.parametrize("right", [by_broadcasting, by_loop])
def test_modes_right(right, capsys):
    lesson_01.exercise_5(right)
    assert said(capsys).startswith("✓")


def near(samples, centres, radius):
    return torch.cdist(samples, centres) <= radius


def nearest_only(samples, centres, sigma):
    nearest = torch.cdist(samples, centres).argmin(1)
    return int((torch.bincount(nearest, minlength=8) >= 0.01 * len(samples)).sum())


def share_of_near(samples, centres, sigma):
    count = near(samples, centres, 3 * sigma).sum(0)
    return int((count >= 0.01 * count.sum()).sum())


@pytest.mark.parametrize(
    "wrong, words",
    [
        (lambda s, c, sigma: int(near(s, c, 3 * sigma).any(0).sum()), "lucky sample"),
        (lambda s, c, sigma: int((near(s, c, 3 * sigma).float().mean(1) >= 0.01).sum()), "two modes hold"),
        (nearest_only, "nearest is not near"),
        (lambda s, c, sigma: int((near(s, c, sigma).float().mean(0) >= 0.01).sum()), "within 3 sigma"),
        (lambda s, c, sigma: int((near(s, c, (3 * sigma) ** 2).float().mean(0) >= 0.01).sum()), "square"),
        (share_of_near, "not of the near ones"),
        (lambda s, c, sigma: near(s, c, 3 * sigma), "one whole number"),
    ],
)
def test_modes_wrong(wrong, words):
    assert words in told(lesson_01.exercise_5, wrong)


# 1.6 One step of D.


def a_step(loss=losses.d_bce, detach=True, zero=True, step=True):
    """A student's step of D with one thing changed."""

    def step_d(G, D, optimiser, real, z):
        fake = G(z).detach() if detach else G(z)
        if zero:
            optimiser.zero_grad()
        loss(D(real), D(fake)).backward()
        if step:
            optimiser.step()

    return step_d


def by_label_tensors(G, D, optimiser, real, z):
    with torch.no_grad():
        fake = G(z)
    logits = D(torch.cat([real, fake], dim=1))
    labels = torch.cat([torch.ones(real.shape[:-1]), torch.zeros(fake.shape[:-1])], dim=1)
    optimiser.zero_grad()
    (2 * F.binary_cross_entropy_with_logits(logits, labels)).backward()
    optimiser.step()


def averaged(G, D, optimiser, real, z):
    a_step(lambda r, f: losses.d_bce(r, f) / 2)(G, D, optimiser, real, z)


@pytest.mark.parametrize("right", [a_step(), by_label_tensors, averaged])
def test_step_d_right(right, capsys):
    lesson_01.exercise_6(right)
    assert said(capsys).startswith("✓")


def trains_g_too(G, D, optimiser, real, z):
    losses.d_bce(D(real), D(G(z))).backward()
    torch.optim.SGD([*G.parameters(), *D.parameters()], lr=0.1).step()


@pytest.mark.parametrize(
    "wrong, words",
    [
        (a_step(detach=False), "detach is missing"),
        (trains_g_too, "G's weights have changed"),
        (a_step(step=False), "has not moved"),
        (a_step(zero=False), "zero_grad"),
        (a_step(lambda r, f: losses.d_bce(f, r)), "flipped labels"),
        (a_step(lambda r, f: -losses.d_bce(r, f)), "uphill"),
        (a_step(lambda r, f: losses.d_bce(r.sigmoid(), f.sigmoid())), "sigmoid twice"),
        (a_step(lambda r, f: F.softplus(-r).sum() + F.softplus(f).sum()), "summed over the batch"),
        (a_step(lambda r, f: F.softplus(-r).mean()), "generated half of the loss is missing"),
        (a_step(lambda r, f: F.softplus(f).mean()), "real half of the loss is missing"),
        (a_step(losses.d_least_squares), "not down the gradient"),
        (lambda G, D, optimiser, real, z: D(torch.zeros(3, 7)), "your code stopped with RuntimeError"),
    ],
)
def test_step_d_wrong(wrong, words):
    assert words in told(lesson_01.exercise_6, wrong)


def test_the_reference_of_the_spiral_check_is_the_real_game():
    path = toy.dirac_run(0.8, 12, True, 0.3, start=(1e-6, 1e-6))
    assert torch.allclose(path[1:].T, toy.dirac_matrix(0.8, True, 0.3) @ path[:-1].T, rtol=1e-5, atol=1e-14)
