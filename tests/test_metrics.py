"""The metrics: against closed forms, against counts by hand, and against what known implementations give."""

import math

import numpy as np
import pytest
import torch

from gan_course import metrics
from gan_course.data import ImageSet
from gan_course.errors import CourseError

# What the known implementations give for the features of `reference`: SciPy 1.17.1 (scipy.linalg.sqrtm), torchmetrics
# 1.9.0, torch-fidelity 0.4.0, prdc 0.2. They stand here as numbers, so that no test needs those packages.
FRECHET = 1.4533036490771967  # SciPy; torchmetrics and torch-fidelity agree to 2e-15
KERNEL = 0.41312760936365756  # torchmetrics' poly_mmd; torch-fidelity agrees to 2e-15
INCEPTION = 1.965762305115306  # torch-fidelity, one split
PRDC = {  # k -> precision, recall, density, coverage by prdc; torch-fidelity has the first two for k = 3
    3: (0.5933333333333334, 0.995, 0.45777777777777773, 0.545),
    5: (0.6733333333333333, 1.0, 0.4133333333333334, 0.68),
}
BALLS = (metrics.precision, metrics.recall, metrics.density, metrics.coverage)


@pytest.fixture(scope="module")
def reference():
    """Real features [200, 8], generated ones [150, 8] and logits [100, 5], from a stream that NumPy keeps for ever."""
    stream = np.random.RandomState(7)
    real, fake, logits = stream.randn(200, 8), stream.randn(150, 8) * 1.3 + 0.2, stream.randn(100, 5) * 2
    return torch.from_numpy(real), torch.from_numpy(fake), torch.from_numpy(logits)


def with_moments(n: int, mean: torch.Tensor, covariance: torch.Tensor, seed: int = 0) -> torch.Tensor:
    """Features [n, d] whose sample mean and covariance are these to rounding."""
    x = torch.randn(n, len(mean), dtype=torch.float64, generator=torch.manual_seed(seed))
    x -= x.mean(0)
    whitened = torch.linalg.solve_triangular(torch.linalg.cholesky(torch.cov(x.T)), x.T, upper=False).T
    values, vectors = torch.linalg.eigh(covariance)
    return whitened @ (vectors * values.clamp_min(0).sqrt()).T + mean


def normal(n: int, d: int, seed: int, shift: float = 0.0) -> torch.Tensor:
    return torch.randn(n, d, generator=torch.manual_seed(seed)) + shift


# --- Fréchet -----------------------------------------------------------------------------------------


def test_frechet_distance_of_two_gaussians():
    """Commuting covariances: |m1 - m2|² + the squared differences of the standard deviations."""
    a = with_moments(50, torch.tensor([0.0, 1, 2]), torch.diag(torch.tensor([1.0, 4, 9])).double())
    b = with_moments(70, torch.tensor([1.0, 1, 0]), torch.diag(torch.tensor([4.0, 4, 1])).double(), seed=1)
    assert metrics.frechet_distance(a, b) == pytest.approx((1 + 0 + 4) + (1 + 0 + 4))
    # And two that do not commute, where the root of C1 C2 (2 x 2) has the trace sqrt(tr + 2 sqrt(det)).
    c1, c2 = torch.tensor([[2.0, 1], [1, 2]]).double(), torch.tensor([[1.0, 0], [0, 3]]).double()
    trace = math.sqrt((c1 @ c2).trace() + 2 * math.sqrt(torch.linalg.det(c1 @ c2)))
    a, b = (with_moments(40, torch.zeros(2), c, seed) for seed, c in enumerate((c1, c2)))
    assert metrics.frechet_distance(a, b) == pytest.approx(4 + 4 - 2 * trace)


def test_frechet_distance_is_symmetric_finite_and_zero_for_equal_sets():
    a, b = normal(20, 64, 0), normal(30, 64, 1, shift=0.5)  # fewer rows than columns
    a[:, :10] = b[:, 5:15] = 0  # and dead features
    assert metrics.frechet_distance(a, b) == pytest.approx(metrics.frechet_distance(b, a), rel=1e-9)
    assert math.isfinite(metrics.frechet_distance(a, b)) and metrics.frechet_distance(a, b) > 0
    assert metrics.frechet_distance(a, a) == pytest.approx(0, abs=1e-6)
    constant = torch.ones(10, 3)
    assert metrics.frechet_distance(constant, constant + 2) == pytest.approx(12)


def test_bias_falls_with_n_and_extrapolation_removes_it():
    """Two samples of one distribution: 0 is right. And of two that are 4 apart."""
    for shift, truth in ((0.0, 0.0), (0.5, 4.0)):
        sets = [(normal(2_000, 16, seed), normal(2_000, 16, seed + 100, shift)) for seed in range(4)]
        few, many = (
            np.mean([metrics.frechet_distance(a[:n], b[:n]) for a, b in sets]) - truth for n in (200, 2_000)
        )
        assert few > 2 * abs(many)
        endless = [metrics.frechet_at_infinity(a[:400], b[:400]) - truth for a, b in sets]
        plain = [metrics.frechet_distance(a[:400], b[:400]) - truth for a, b in sets]
        assert abs(np.mean(endless)) < 0.5 * abs(np.mean(plain))


# --- kernel, inception score -------------------------------------------------------------------------


def test_kernel_distance_by_hand():
    """Real features 0 and 1, generated 1 and 2, in one dimension: k(x, y) = (x y + 1)³."""
    real, fake = torch.tensor([[0.0], [1.0]]), torch.tensor([[1.0], [2.0]])
    among_real, among_fake, across = 1.0, 27.0, (1 + 1 + 8 + 27) / 4
    assert metrics.kernel_distance(real, fake) == pytest.approx(among_real + among_fake - 2 * across)


def test_kernel_distance_has_no_bias_and_blocks_change_nothing(monkeypatch):
    values = [metrics.kernel_distance(normal(50, 4, seed), normal(50, 4, seed + 500)) for seed in range(200)]
    assert abs(np.mean(values)) < 4 * np.std(values) / 200**0.5 and min(values) < 0
    a, b = normal(90, 4, 0), normal(70, 4, 1)
    whole = metrics.kernel_terms(a, b), *(of(a, b) for of in BALLS)
    monkeypatch.setattr(metrics, "BLOCK", 700)
    for one, other in zip(whole, (metrics.kernel_terms(a, b), *(of(a, b) for of in BALLS)), strict=True):
        torch.testing.assert_close(one, other)


def test_inception_score():
    assert metrics.inception_score(torch.eye(10).repeat(5, 1)) == pytest.approx(10)
    assert metrics.inception_score(torch.full((7, 10), 0.1)) == pytest.approx(1)
    assert metrics.inception_score(torch.eye(10)[[3] * 20]) == pytest.approx(1)  # one sure class alone
    assert metrics.inception_score(torch.eye(10)[[0, 1] * 8]) == pytest.approx(2)


# --- balls -------------------------------------------------------------------------------------------


def test_balls_counted_by_hand():
    """Real 0, 1, 3, 10 reach 1, 1, 2, 7 for k = 1; generated 2, 2.5, 30 reach 0.5, 0.5, 27.5."""
    real = torch.tensor([[0.0], [1.0], [3.0], [10.0]])
    fake = torch.tensor([[2.0], [2.5], [30.0]])
    # 2 lies within 1 (1), 2 (3); 2.5 within 3 alone; 30 in none, though 10 reaches to 17.
    assert metrics.precision(real, fake, 1).tolist() == [1, 1, 0]
    assert metrics.density(real, fake, 1).tolist() == [2, 1, 0]
    # 2 reaches 1.5 to 2.5, 2.5 reaches 2 to 3, 30 reaches down to 2.5: 3 (its edge counts) and 10.
    assert metrics.recall(real, fake, 1).tolist() == [0, 0, 1, 1]
    # 0 reaches to 1: nothing; 1 to 2: the first; 3 from 1 to 5; 10 from 3 to 17: nothing.
    assert metrics.coverage(real, fake, 1).tolist() == [0, 1, 1, 0]


def test_balls_of_one_distribution_and_of_two_far_apart():
    real, fake = normal(600, 4, 0), normal(600, 4, 1)
    precision, recall, density, coverage = (of(real, fake).mean().item() for of in BALLS)
    assert precision > 0.85 and recall > 0.85 and density == pytest.approx(1, abs=0.1)
    assert coverage == pytest.approx(1 - 2**-5, abs=0.03)
    assert [of(real, fake + 100).sum().item() for of in BALLS] == [0, 0, 0, 0]


# --- as others compute it ----------------------------------------------------------------------------


def test_the_known_implementations_give_the_same(reference):
    real, fake, logits = reference
    assert metrics.frechet_distance(real, fake) == pytest.approx(FRECHET, rel=1e-9)
    assert metrics.kernel_distance(real[:150], fake) == pytest.approx(KERNEL, rel=1e-9)
    assert metrics.inception_score(logits.softmax(1)) == pytest.approx(INCEPTION, rel=1e-9)
    for k, values in PRDC.items():
        assert [of(real, fake, k).mean().item() for of in BALLS] == pytest.approx(values, rel=1e-6)
    single = real.float(), fake.float()
    assert metrics.frechet_distance(*single) == pytest.approx(FRECHET, rel=1e-5)
    assert metrics.kernel_distance(real[:150].float(), fake.float()) == pytest.approx(KERNEL, rel=1e-5)


# --- memorisation, classification --------------------------------------------------------------------


def test_memorisation_counts_copies_and_not_what_is_merely_near():
    train, held_out, fresh = normal(3_000, 8, 0), normal(1_000, 8, 1), normal(1_000, 8, 2)
    assert metrics.memorisation(train, held_out, held_out).mean() == pytest.approx(0.01, abs=0.002)
    assert metrics.memorisation(train, held_out, fresh).mean() < 0.03
    assert metrics.memorisation(train, held_out, fresh * 0.3).mean() < 0.03  # in the crowded middle
    mixed = fresh.clone()
    mixed[:300] = train[:300] + 0.01 * normal(300, 8, 3)
    copies = metrics.memorisation(train, held_out, mixed)
    assert copies[:300].mean() > 0.97 and copies[300:].mean() < 0.03


def test_classification_accuracy_score_of_good_and_of_empty_pictures():
    """Dark and bright pictures to tell apart, learned from such, and from those with the labels of nobody."""
    dice = torch.Generator().manual_seed(0)
    labels = torch.arange(400) % 2
    images = torch.randint(0, 128, (400, 1, 28, 28), dtype=torch.uint8, generator=dice)
    images += 100 * labels.byte().view(-1, 1, 1, 1)
    real = ImageSet("two", "test", images, labels, ("dark", "bright"), "")
    guessed = torch.randint(0, 2, (400,), generator=dice)
    blind = ImageSet("two", "train", images, guessed, real.classes, "")
    assert metrics.classification_accuracy_score(real, real).mean() > 0.95
    assert 0.2 < metrics.classification_accuracy_score(blind, real).mean() < 0.8
    attributes = torch.stack([labels, 1 - labels], 1) > 0
    marked = ImageSet("two", "train", images, labels, ("face",), "", ("bright", "dark"), attributes)
    right = metrics.classification_accuracy_score(marked, marked)
    assert right.shape == (400,) and right.mean() > 0.95


# --- intervals, wrong input --------------------------------------------------------------------------


def test_bootstrap_gives_the_known_spread():
    x = normal(400, 1, 0)[:, 0]
    one, again, other = (metrics.bootstrap(lambda rows: x[rows].mean(), 400, seed=seed) for seed in (0, 0, 1))
    assert one == again != other
    assert one == pytest.approx(x.std() / 20, rel=0.25)


def test_the_kernel_terms_vary_as_the_distance_does():
    """Over fresh samples the distance varies by about what the bootstrap of one sample's terms says."""
    real = normal(300, 4, 0)
    values = [metrics.kernel_distance(real, normal(300, 4, seed, shift=0.3)) for seed in range(1, 61)]
    terms = metrics.kernel_terms(real, normal(300, 4, 99, shift=0.3))
    assert metrics.bootstrap(lambda rows: terms[rows].mean(), 300) == pytest.approx(np.std(values), rel=0.5)


@pytest.mark.parametrize("of", [metrics.frechet_distance, metrics.kernel_distance, *BALLS])
def test_wrong_features_get_one_line(of):
    a = normal(20, 4, 0)
    for b, said in (
        (normal(20, 5, 0), "features of 4 and 5 columns: take both from one network"),
        (torch.zeros(20, 1, 28, 28, dtype=torch.uint8), "features are floats [N, d], not torch.uint8"),
        (a[:1], "1 rows of features: at least"),
        (a * torch.nan, "some features are not finite"),
    ):
        with pytest.raises(CourseError) as error:
            of(a, b)
        assert said in str(error.value) or said.replace("4 and 5", "5 and 4") in str(error.value)


@pytest.mark.parametrize("pictures, share", [([[0, 1], [0, 1]], 0), ([[0, 0], [1, 1]], 1), ([[0, 1], [1, 1]], 2 / 3)])
def test_variety_is_what_differs_between_pictures(pictures, share):
    pictures = torch.tensor(pictures)
    assert metrics.variety(pictures) == pytest.approx(share**0.5)
    assert metrics.variety(100 * pictures.float() - 7) == pytest.approx(share**0.5)  # neither scale nor shift counts
    assert metrics.variety(torch.zeros(3, 1, 2, 2, dtype=torch.uint8)) == 0


def test_modes_are_counted_and_their_shares_compared_with_equal_ones():
    found, kl = metrics.modes(torch.tensor([0, 0, 0, 2]), 4)
    assert found == 2
    assert kl == pytest.approx(math.log(4) - (0.75 * math.log(4 / 3) + 0.25 * math.log(4)))
    assert metrics.modes(torch.arange(8), 8) == (8, pytest.approx(0.0, abs=1e-12))
