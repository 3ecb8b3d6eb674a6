"""How far generated pictures are from real ones, by the usual numbers, each in a few lines.

All of them see pictures as features: float tensors [N, d], a row a picture, from any network (`judge.look`) or none
(the pixels, flattened). A number belongs to its features: compare only what was measured in the same ones. Real
pictures stand first, `real, fake`; both sets should be of one size, for most of these numbers depend on it.

A number that is an average over pictures comes as what is averaged, [N], so that one can see which pictures are meant
and bootstrap it: `precision(real, fake).mean()`. What compares all pairs works through them in blocks of rows.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from gan_course import judge
from gan_course.data import ImageSet
from gan_course.errors import CourseError, whole

BLOCK = 20_000_000  # pairs held at a time

# --- two clouds compared -----------------------------------------------------------------------------


def frechet_distance(real: Tensor, fake: Tensor) -> float:
    """|m1 - m2|² + tr(C1 + C2 - 2 (C1 C2)^½), m and C the means and covariances; 0 where both agree.

    Heusel et al. 2017 (arXiv:1706.08500), equation 6: the squared Fréchet distance of two normal distributions
    (Dowson and Landau 1982). The trace of the root is the sum of the singular values of C1^½ C2^½, which also
    exists where a covariance has no inverse, and does not depend on which set stands first.

    It is biased: two samples of N from one distribution are a distance of the order 1/N apart.

    Args:
        real, fake: features [N, d] and [M, d]; computed in float64 with covariances over N - 1.

    Raises:
        CourseError: no such features, other d, not finite, or fewer than two rows.
    """
    real, fake = _pair(real, fake, 2)
    (m1, c1), (m2, c2) = _moments(real), _moments(fake)
    overlap = torch.linalg.svdvals(_root(c1) @ _root(c2)).sum()
    return ((m1 - m2).square().sum() + c1.trace() + c2.trace() - 2 * overlap).item()


def _moments(features: Tensor) -> tuple[Tensor, Tensor]:
    features = features.double()
    mean = features.mean(0)
    centred = features - mean
    return mean, centred.T @ centred / (len(features) - 1)


def _root(covariance: Tensor) -> Tensor:
    """The symmetric square root; eigenvalues that rounding made negative count as 0."""
    values, vectors = torch.linalg.eigh(covariance)
    return vectors * values.clamp_min(0).sqrt() @ vectors.T


def frechet_at_infinity(real: Tensor, fake: Tensor, parts: tuple[int, ...] = (1, 2, 4), seed: int = 0) -> float:
    """The Fréchet distance that endlessly many pictures would have, from those at hand; noise can take it below 0.

    The bias falls as 1/N (Chong and Forsyth 2020, arXiv:1911.07023), so the distance at N, N/2 and N/4
    pictures lies on a line over 1/N, and where the line meets 0 no bias is left. The paper fixes the real pictures
    and takes random subsets of the generated; here both sets are cut, since both are samples, into disjoint parts,
    over which the distance is averaged.

    Args:
        real, fake: features [N, d] and [M, d]; the smallest parts should have several times d rows.
        parts: into how many parts the sets are cut, for each point on the line; two different ones at least.
        seed: decides the parts.
    """
    real, fake = _pair(real, fake, 2 * max(parts))
    dice = torch.Generator().manual_seed(whole(seed, "seed"))
    real, fake = (x[torch.randperm(len(x), generator=dice)] for x in (real, fake))
    pairs = [list(zip(real.tensor_split(k), fake.tensor_split(k), strict=True)) for k in parts]
    means = torch.tensor([sum(frechet_distance(a, b) for a, b in some) / len(some) for some in pairs])
    k = torch.tensor(parts, dtype=means.dtype)  # in proportion to 1/N
    slope = ((k - k.mean()) * (means - means.mean())).sum() / (k - k.mean()).square().sum()
    return (means.mean() - slope * k.mean()).item()


def kernel_distance(real: Tensor, fake: Tensor) -> float:
    """Squared maximum mean discrepancy under the kernel (x·y/d + 1)³, without bias, so that it can fall below 0.

    Bińkowski et al. 2018 (arXiv:1801.01401; "KID" in Inception's features); the estimator is Gretton et al. 2012,
    equation 3. Over all pairs at once, where others average over subsets of 1,000.
    """
    return kernel_terms(real, fake).mean().item()


def kernel_terms(real: Tensor, fake: Tensor) -> Tensor:
    """A number for each generated picture, float64 [M], whose mean is `kernel_distance`.

    Each is the distance plus twice what the picture adds to it: how much more it resembles the generated pictures
    than the real ones (the witness function, Gretton et al. 2012), less the average of that. The factor 2 is there
    because a picture stands on both sides of the pairs; so the mean of resampled terms varies as the distance does.
    """
    real, fake = _pair(real, fake, 2)
    among_real, among_fake, across = _likeness(real, real), _likeness(fake, fake), _likeness(fake, real)
    witness = among_fake - across
    return among_real.mean() + among_fake.mean() - 2 * across.mean() + 2 * (witness - witness.mean())


def _likeness(a: Tensor, b: Tensor) -> Tensor:
    """The mean kernel of each row of a with the rows of b, without itself where b is a, float64 [len(a)]."""
    found = []
    for first, rows in _blocks(a, b):
        kernel = (rows @ b.T / a.shape[1] + 1) ** 3
        if b is a:
            kernel[torch.arange(len(rows)), first + torch.arange(len(rows))] = 0
        found.append(kernel.sum(1, dtype=torch.float64) / (len(b) - (b is a)))
    return torch.cat(found)


def inception_score(chances: Tensor) -> float:
    """exp of the mean KL(p(y|x) ‖ p(y)), from 1 to the number of classes, each seen surely and as often.

    Salimans et al. 2016 (arXiv:1606.03498), section 4, over all pictures at once instead of in ten parts. Real
    pictures take no part in it.

    Args:
        chances: what a classifier gives each class, [N, classes], rows adding up to 1.
    """
    chances = chances.double()
    entropy = torch.special.entr
    return (entropy(chances.mean(0)).sum() - entropy(chances).sum(1).mean()).exp().item()


# --- fidelity and variety apart: balls around pictures -----------------------------------------------


def precision(real: Tensor, fake: Tensor, k: int = 3) -> Tensor:
    """Which generated pictures could be real: 1 in reach of a real one, else 0; float32 [M].

    A real picture reaches as far as its k-th nearest among the real. Kynkäänniemi et al. 2019 (arXiv:1904.06991),
    equations 1 and 2, with their k. One outlier among the real pictures reaches far: see `density`.
    """
    real, fake = _pair(real, fake, whole(k, "k", 1) + 1)
    return (_reached_by(fake, real, k) > 0).float()


def recall(real: Tensor, fake: Tensor, k: int = 3) -> Tensor:
    """Which real pictures could be generated: 1 in reach of a generated one, else 0; float32 [N].

    `precision` with the sets exchanged (Kynkäänniemi et al. 2019).
    """
    return precision(fake, real, k)


def density(real: Tensor, fake: Tensor, k: int = 5) -> Tensor:
    """In reach of how many real pictures each generated one is, over k; float32 [M], 0 or more, on average 1 for
    pictures from the real distribution.

    Naeem et al. 2020 (arXiv:2002.09797), with their k. An outlier's reach counts once, so that it cannot
    excuse everything; but whoever draws only the most usual picture exceeds 1.
    """
    real, fake = _pair(real, fake, whole(k, "k", 1) + 1)
    return _reached_by(fake, real, k) / k


def coverage(real: Tensor, fake: Tensor, k: int = 5) -> Tensor:
    """Which real pictures have a generated one in their reach, 1 or 0; float32 [N].

    Naeem et al. 2020. Two large samples of one size from one distribution have about 1 - 2^-k on average.
    """
    real, fake = _pair(real, fake, whole(k, "k", 1) + 1)
    return (nearest(real, fake, 1)[:, 0] <= _reach(real, k)).float()


def nearest(points: Tensor, others: Tensor, k: int) -> Tensor:
    """Distances from each point to the k nearest of the others, in rising order, [len(points), k].

    Where both are the same tensor, each point is its own nearest, at 0 but for rounding.
    """
    return torch.cat([torch.cdist(p, others).topk(k, largest=False)[0] for _, p in _blocks(points, others)])


def _reach(points: Tensor, k: int) -> Tensor:
    """From each point to its k-th nearest, itself not counted, [N]."""
    return nearest(points, points, k + 1)[:, k]


def _reached_by(points: Tensor, centres: Tensor, k: int) -> Tensor:
    """How many of the centres reach each point, float32 [len(points)]."""
    reach = _reach(centres, k)
    return torch.cat([(torch.cdist(p, centres) <= reach).sum(1).float() for _, p in _blocks(points, centres)])


def modes(seen: Tensor, kinds: int) -> tuple[int, float]:
    """How many of equally frequent kinds occur among pictures, and KL(their shares ‖ equal shares) in nats.

    Metz et al. 2017 (arXiv:1611.02163, section 3.3.1). N pictures drawn evenly have a KL of about (kinds - 1) / 2N.

    Args:
        seen: the kind of each picture, int64 [N], 0 to kinds - 1.
    """
    counts = torch.bincount(seen, minlength=kinds)
    shares = counts.double() / counts.sum()
    return int((counts > 0).sum()), (math.log(kinds) - torch.special.entr(shares).sum()).item()


def variety(images: Tensor) -> float:
    """How much of what differs among all pixels differs from picture to picture, from 0 (one picture again and again)
    to nearly 1; needs no real pictures. Digits and clothes have about 0.84, drawn faces 0.94.

    The root of the mean variance of a pixel over the pictures, by the variance over all pixels of all pictures, so
    that contrast plays no part. Noise is varied, too.

    Args:
        images: [N, ...] of any range, N at least 2.
    """
    pixels = images.flatten(1).double()
    return (pixels.var(0, correction=0).mean() / pixels.var(correction=0).clamp_min(1e-12)).sqrt().item()


# --- novelty, use ------------------------------------------------------------------------------------


def memorisation(train: Tensor, held_out: Tensor, fake: Tensor, k: int = 5) -> Tensor:
    """Which generated pictures repeat a training picture, 1 or 0; float32 [M], on average 0.01 where none was copied.

    A copy lies much nearer to one training picture than to the next ones. So a picture's number is its distance to
    the nearest training picture over that to the k-th nearest: a ratio, because in crowded regions, where blurred and
    usual pictures lie, everything is near (Carlini et al. 2023, arXiv:2301.13188, divide likewise). How small is
    suspicious? Real pictures that nobody could have learned from say so (the yardstick of Meehan et al. 2020,
    arXiv:2004.05675): a generated one repeats where its ratio is among their smallest hundredth.

    Pictures that are copied more than k - 1 times in the training set are not noticed, and copies that the features
    tell apart (mirrored ones, perhaps) neither.

    Args:
        train: features of all the training pictures, [T, d].
        held_out: of real pictures not trained on, [H, d]; 100 at least, so that there is a smallest hundredth.
    """
    train, fake = _pair(train, fake, whole(k, "k", 2))
    _, held_out = _pair(train, held_out, 100)
    expected, found = (_closeness(x, train, k) for x in (held_out, fake))
    return (found <= torch.quantile(expected, 0.01)).float()


def _closeness(points: Tensor, others: Tensor, k: int) -> Tensor:
    distances = nearest(points, others, k)
    return distances[:, 0] / distances[:, -1].clamp_min(torch.finfo(distances.dtype).tiny)


def classification_accuracy_score(fake: ImageSet, real: ImageSet, epochs: int = 4, seed: int = 0) -> Tensor:
    """Which real pictures a classifier sees rightly that has learned from generated ones alone, 0 to 1; float32 [N].

    Ravuri and Vinyals 2019 (arXiv:1905.10887), section 2. Their generators are conditional, which labels every
    picture; those of a generator that is not may be labelled by a judge. Of attributes: the share seen rightly.

    Args:
        fake: labelled generated pictures, as a set.
        real: real pictures of a test split, with the truth.
        epochs, seed: of the classifier, which is a `judge.Judge`.
    """
    of_attributes = real.attributes is not None
    student = judge.train(fake, epochs, seed, min(128, len(fake)), attributes=of_attributes)
    logits = judge.look(student, real.images)[1]
    if of_attributes:
        return ((logits > 0) == real.attributes).float().mean(1)
    return (logits.argmax(1) == real.labels.cpu()).float()


# --- how sure ----------------------------------------------------------------------------------------


def bootstrap(statistic: Callable[[Tensor], float], n: int, repeats: int = 100, seed: int = 0) -> float:
    """The standard deviation of a statistic over sets of n pictures drawn from n with replacement (Efron 1979).

    An interval is the value ± 1.96 of these. The quantiles of the resampled values will not do: a resampled set holds
    pictures twice, and a Fréchet distance comes out too large on every one of them.

    Args:
        statistic: of the chosen rows, int64 [n].
    """
    dice = torch.Generator().manual_seed(whole(seed, "seed"))
    draws = range(whole(repeats, "repeats", 2))
    values = [float(statistic(torch.randint(n, (n,), generator=dice))) for _ in draws]
    return torch.tensor(values, dtype=torch.float64).std().item()


def _pair(a: Tensor, b: Tensor, least: int) -> tuple[Tensor, Tensor]:
    """Two sets of features that can be compared, of at least so many rows each."""
    for x in (a, b):
        if x.ndim != 2 or not x.is_floating_point():
            raise CourseError(f"features are floats [N, d], not {x.dtype} {list(x.shape)}: flatten pictures, .float()")
        if len(x) < least:
            raise CourseError(f"{len(x)} rows of features: at least {least} work")
        if not x.isfinite().all():
            raise CourseError("some features are not finite: look at the pictures they come from")
    if a.shape[1] != b.shape[1]:
        raise CourseError(f"features of {a.shape[1]} and {b.shape[1]} columns: take both from one network")
    return a, b


def _blocks(a: Tensor, b: Tensor):
    """(number of its first row, some rows of a), so that their pairs with b fit."""
    rows = max(1, BLOCK // len(b))
    return zip(range(0, len(a), rows), a.split(rows), strict=True)
