"""Checks for lesson 07: Fréchet distance, its limit, inception score, kernel distance, precision, lies, an interval,
a verdict."""

import functools
import math
from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from gan_course import data, judge, metrics, studies
from gan_course.checks import NotYet, compare, passed, read, run, shown, word
from gan_course.data import ImageSet
from gan_course.scoring import Measured

# --- 7.1: Fréchet distance ---------------------------------------------------------------------------


def exercise_1(frechet_distance: Callable[[Tensor, Tensor], float]) -> None:
    """`frechet_distance(real, fake)`: of features [N, d] and [M, d], covariances over N - 1."""
    dice = torch.Generator().manual_seed(71)
    mix = torch.tensor([[1.0, 0.8, 0.0], [0.0, 0.6, 0.5], [0.0, 0.0, 1.5]])
    turn = torch.tensor([[0.3, -1.0, 0.2], [0.9, 0.4, 0.0], [0.0, 0.7, -0.6]])
    a = torch.randn(9, 3, generator=dice) @ mix
    b = torch.randn(12, 3, generator=dice) @ turn + torch.tensor([1.0, -0.5, 0.25])
    wide = torch.randn(4, 6, generator=dice), torch.randn(5, 6, generator=dice) + 0.5
    shifted = a, a + torch.tensor([1.0, 2.0, -2.0])
    for (real, fake), about in (
        ((a, b), "9 and 12 rows of 3 features"),
        (shifted, "a cloud and the same one moved by (1, 2, -2)"),
        (wide, "4 and 5 rows of 6 features, so that the covariances have no inverse"),
    ):
        right = metrics.frechet_distance(real, fake)
        found = run("7.1", frechet_distance, real, fake)
        said = f"frechet_distance of {about}"
        otherwise = f"{right:.4f} is right: |m1 - m2|² + tr C1 + tr C2 - 2 tr (C1 C2)^½"
        if not math.isfinite(read("7.1", found, said)[0].sum()):
            raise NotYet(
                f"{said}: yours is {shown(found)}; rounding makes some eigenvalues negative: .clamp_min(0), then sqrt"
            )
        compare(
            "7.1", found, right, *_wrong_distance(real, fake), said=said, otherwise=otherwise, tolerance=2e-3
        )
    passed("Right, also where the covariances have no inverse.")


def _wrong_distance(real: Tensor, fake: Tensor):
    real, fake = real.double(), fake.double()
    gap = real.mean(0) - fake.mean(0)
    c1, c2 = real.T.cov(), fake.T.cov()
    overlap = _overlap(c1, c2)
    right = gap.square().sum() + c1.trace() + c2.trace() - 2 * overlap
    yield right.clamp_min(0).sqrt(), "no root at the end: the squared distance is wanted"
    yield gap.norm() + c1.trace() + c2.trace() - 2 * overlap, "the distance of the means is squared"
    yield gap.abs().sum() + c1.trace() + c2.trace() - 2 * overlap, "|m1 - m2|² is the sum of squares"
    yield right - gap.square().sum(), "the means are missing"
    yield gap.square().sum(), "the covariances are missing"
    yield right + overlap, "the factor 2 of the last term is missing"
    yield right + 4 * overlap, "the last term is taken away, not added"
    elementwise = (c1 @ c2).diagonal().clamp_min(0).sqrt().sum()
    yield (
        right + 2 * overlap - 2 * elementwise,
        "the root of a matrix is not the root of its entries: the trace of (C1 C2)^½ is the sum of the roots of the "
        "eigenvalues of C1 C2",
    )
    yield (
        right + 2 * overlap - 2 * (c1.diagonal() * c2.diagonal()).sqrt().sum(),
        "that takes the features one by one, as if none were correlated: C1 and C2 are whole matrices",
    )
    yield (
        right + 2 * overlap - 2 * (c1 @ c2).trace().clamp_min(0).sqrt(),
        "the root of the trace is not the trace of the root",
    )
    yield right + 2 * overlap - 2 * (c1 @ c2).trace(), "the root of C1 C2 is missing"
    for other, words in (
        (torch.linalg.eigvals(c1 * c2).real.clamp_min(0).sqrt().sum(), "c1 * c2 goes entry by entry; c1 @ c2 is meant"),
        (
            torch.linalg.eigvalsh(c1 @ c2).clamp_min(0).sqrt().sum(),
            "eigvalsh and eigh read half of a matrix and take it for symmetric, which C1 C2 is not: eigvals",
        ),
        (torch.linalg.svdvals(c1 @ c2).sqrt().sum(), "the singular values of C1 C2 are not its eigenvalues"),
        (
            (torch.linalg.eigvalsh(c1) * torch.linalg.eigvalsh(c2)).clamp_min(0).sqrt().sum(),
            "the eigenvalues of C1 C2 are no products of those of C1 and of C2 where their axes differ",
        ),
        ((_root(c1) @ _root(c2)).trace(), "where the axes differ, the root of C1 C2 is not the product of two roots"),
    ):
        yield right + 2 * overlap - 2 * other, words
    n, m = len(real), len(fake)
    p1, p2 = c1 * (n - 1) / n, c2 * (m - 1) / m
    by_n = gap.square().sum() + p1.trace() + p2.trace() - 2 * _overlap(p1, p2)
    yield by_n, "your covariances are divided by N; here by N - 1, as torch.cov does"
    apart = gap.square().sum() + (c1 - c2).square().sum()
    yield apart, "that compares the covariances entry by entry; the formula has traces and a root"
    yield (
        right * 0 + (c1.trace() + c2.trace() - 2 * overlap) + gap.square().mean(),
        "|m1 - m2|² is a sum, no mean",
    )


def _overlap(c1: Tensor, c2: Tensor) -> Tensor:
    return torch.linalg.eigvals(c1 @ c2).real.clamp_min(0).sqrt().sum()


def _root(c: Tensor) -> Tensor:
    values, vectors = torch.linalg.eigh(c)
    return vectors * values.clamp_min(0).sqrt() @ vectors.T


# --- 7.2: endlessly many pictures --------------------------------------------------------------------


def exercise_2(at_infinity: Callable[[Tensor, Tensor], float]) -> None:
    """`at_infinity(sizes, distances)`: where a least-squares line over 1/N meets 1/N = 0."""
    sizes = torch.tensor([200.0, 500.0, 1000.0, 4000.0])
    for distances in (3.0 + 800 / sizes, torch.tensor([9.2, 5.1, 4.6, 3.3])):
        found = run("7.2", at_infinity, sizes, distances)
        right, slope = _line(1 / sizes, distances)
        rows = [f"{n:.0f}: {d:.2f}" for n, d in zip(sizes.tolist(), distances.tolist(), strict=True)]
        two = torch.tensor([0, -1])
        wrong = [
            (slope, "that is the slope of the line over 1/N; its height at 1/N = 0 is wanted"),
            (
                _line(sizes, distances)[0],
                "your line lies over N and meets N = 0, no pictures at all; take 1/N",
            ),
            (_line(sizes.log(), distances)[0], "your line lies over log N; the bias falls as 1/N"),
            (_line(sizes.rsqrt(), distances)[0], "the bias falls as 1/N, not as 1/√N"),
            (distances[-1], "that is the distance at the largest N, its bias included"),
            (distances.min(), "that is the smallest distance, its bias included"),
            (distances.mean(), "that is the mean of the distances"),
            (_line(1 / sizes[two], distances[two])[0], "your line goes through two points; all four count"),
            (
                _line(1 / sizes[-2:], distances[-2:])[0],
                "your line goes through the last two points; all four count",
            ),
            (
                (distances / sizes).sum() / (1 / sizes.square()).sum(),
                "your line is forced through 0; its height at 1/N = 0 is what is asked for",
            ),
            (2 * distances.mean() - right, "from (x̄, ȳ) down to x = 0: ȳ minus the slope times x̄"),
            (
                _line(1 / sizes[:2], distances[:2])[0],
                "your line goes through the first two points; all four count",
            ),
        ]
        otherwise = f"{right:.3f} is right: the least-squares line of the distance over 1/N, at 0"
        said = f"at_infinity of distances by N ({', '.join(rows)})"
        compare("7.2", found, right, *wrong, said=said, otherwise=otherwise, tolerance=1e-3)
    passed("Right: the height of the line where 1/N is 0.")


def _line(x: Tensor, y: Tensor) -> tuple[float, float]:
    """Least-squares line: its height at 0, and its slope."""
    x, y = x.double(), y.double()
    slope = ((x - x.mean()) * (y - y.mean())).sum() / (x - x.mean()).square().sum()
    return (y.mean() - slope * x.mean()).item(), slope.item()


# --- 7.3: kernel distance ----------------------------------------------------------------------------


def exercise_3(kernel_distance: Callable[[Tensor, Tensor], float]) -> None:
    """`kernel_distance(real, fake)`: unbiased squared maximum mean discrepancy under (x·y/d + 1)³."""
    dice = torch.Generator().manual_seed(73)
    a, b = torch.randn(5, 4, generator=dice), 1.3 * torch.randn(7, 4, generator=dice) + 1.2
    for fake, about in ((b, "7 others"), (torch.cat([a, -a]), "the same 5 rows and their mirror images")):
        right = metrics.kernel_distance(a, fake)
        found = run("7.3", kernel_distance, a, fake)
        otherwise = f"{right:.4f} is right: mean k(real, real') + mean k(fake, fake') - 2 mean k(real, fake)"
        said = f"kernel_distance of 5 rows of 4 features and {about}"
        wrong = [*_wrong_kernel(a, fake)]
        if right < 0:
            wrong.append((0.0, "an estimate without bias may fall below 0: leave it there"))
        compare("7.3", found, right, *wrong, said=said, otherwise=otherwise, tolerance=1e-3)
    passed("Right: without bias, so that it may fall below 0.")


def _wrong_kernel(a: Tensor, b: Tensor):
    def kernel(x: Tensor, y: Tensor, power: int = 3, scale: bool = True, one: float = 1.0) -> Tensor:
        x, y = x.double(), y.double()
        return (x @ y.T / (x.shape[1] if scale else 1) + one) ** power

    def distance(of=kernel, diagonal: bool = False, across: float = 2.0) -> Tensor:
        def within(x: Tensor) -> Tensor:
            k, n = of(x, x), len(x)
            return k.mean() if diagonal else (k.sum() - k.trace()) / (n * (n - 1))

        return within(a) + within(b) - across * of(a, b).mean()

    def over_all(x: Tensor) -> Tensor:
        k = kernel(x, x)
        return (k.sum() - k.trace()) / len(x) ** 2

    yield (
        distance(diagonal=True),
        "each picture is paired with itself: leave the diagonals out (that is the bias)",
    )
    yield (
        over_all(a) + over_all(b) - 2 * kernel(a, b).mean(),
        "the diagonals are left out of the sums and still counted: divide by N (N - 1)",
    )
    def half(x: Tensor) -> Tensor:
        return kernel(x, x).triu(1).sum() / (len(x) * (len(x) - 1))

    yield (
        half(a) + half(b) - 2 * kernel(a, b).mean(),
        "above the diagonal stands every pair once: N (N - 1) / 2 of them",
    )
    yield distance(functools.partial(kernel, scale=False)), "x·y is divided by d, the number of features"
    yield distance(functools.partial(kernel, power=2)), "the kernel has the power 3"
    yield distance(functools.partial(kernel, one=0.0)), "the kernel adds 1 before the power"
    yield (
        distance(functools.partial(kernel, power=1)),
        "the kernel has the power 3; without it only means count",
    )
    yield distance(across=1.0), "the mean across both sets is taken away twice"
    yield distance(across=-2.0), "the mean across both sets is taken away, not added"
    yield -distance(), "the sign: sets that differ have a positive distance"
    yield distance().abs().sqrt(), "no root at the end"
    yield distance(across=0.0), "the pairs across both sets are missing"
    yield -2 * kernel(a, b).mean(), "the pairs within each set are missing"


# --- 7.4: inception score ----------------------------------------------------------------------------


def exercise_4(inception_score: Callable[[Tensor], float]) -> None:
    """`inception_score(chances)`: exp E KL(p(y|x) ‖ p(y)) of chances [N, classes]."""
    soft = torch.tensor(
        [[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.2, 0.5, 0.3], [0.6, 0.3, 0.1], [0.05, 0.9, 0.05]]
    )
    hard = torch.tensor([[1.0, 0, 0], [0, 1.0, 0], [0, 1.0, 0], [0.5, 0, 0.5]])
    for chances, about in (
        (soft, "5 pictures, 3 classes"),
        (hard, "4 pictures, some chances of which are 0"),
    ):
        right = metrics.inception_score(chances)
        found = run("7.4", inception_score, chances)
        otherwise = f"{right:.4f} is right: exp of the mean over pictures of Σ p(y|x) (log p(y|x) - log p(y))"
        if about.endswith("0") and not math.isfinite(read("7.4", found, about)[0].sum()):
            raise NotYet(
                f"inception_score of {about}: yours is {shown(found)}; 0 · log 0 counts as 0 here (torch.xlogy and "
                "torch.special.entr know)"
            )
        said = f"inception_score of {about}"
        compare("7.4", found, right, *_wrong_score(chances), said=said, otherwise=otherwise, tolerance=1e-3)
    passed("Right, also where a chance is 0.")


def _wrong_score(chances: Tensor):
    p, n = chances.double(), len(chances)
    tiny = p.clamp_min(1e-12)
    marginal = p.mean(0)
    kl = torch.xlogy(p, p) - p * marginal.log()
    yield kl.sum(1).mean(), "exp is missing"
    yield kl.sum(1).mean().neg().exp(), "the sign: KL is Σ p(y|x) (log p(y|x) - log p(y)), 0 or more"
    yield kl.sum().exp(), "the divergences are summed over the pictures; take their mean"
    yield kl.mean().exp(), "the mean is over the pictures, the sum over the classes"
    yield kl.sum(1).exp().mean(), "the mean comes before exp"
    yield (marginal * (marginal.log() - tiny.log())).sum(1).mean().exp(), "the divergence is turned around"
    yield (kl.sum(1).mean() / math.log(2)).exp(), "natural logarithms go with exp"
    yield 2 ** kl.sum(1).mean(), "natural logarithms go with exp, not with a power of 2"
    even = torch.xlogy(p, p).sum(1) + math.log(p.shape[1])
    yield even.mean().exp(), "p(y) is the mean of the chances over your pictures (dim 0), not 1 / classes"
    yield (
        (torch.xlogy(p, p) - torch.xlogy(p, p.sum(0))).sum(1).mean().exp(),
        "p(y) is the mean of the chances over your pictures, not their sum",
    )
    yield _score(p.softmax(1)), "the chances add up to 1 already: no softmax"
    named = torch.bincount(p.argmax(1), minlength=p.shape[1]).double() / n
    yield (
        (torch.xlogy(p, p) - torch.xlogy(p, named)).sum(1).mean().exp(),
        "p(y) is the mean of the chances, not the share of the classes that are named",
    )
    yield (
        torch.special.entr(marginal).sum().exp(),
        "that counts classes only; how sure each verdict is belongs to it",
    )
    yield (-torch.special.entr(p).sum(1).mean()).exp(), "p(y) is missing: log p(y|x) - log p(y)"


def _score(p: Tensor) -> Tensor:
    return (torch.xlogy(p, p) - torch.xlogy(p, p.mean(0))).sum(1).mean().exp()


# --- 7.5: precision ----------------------------------------------------------------------------------


def exercise_5(precision: Callable[[Tensor, Tensor, int], float]) -> None:
    """`precision(real, fake, k)`: the share of fakes within reach of any real picture."""
    dice = torch.Generator().manual_seed(75)
    real = torch.randn(14, 2, generator=dice) * torch.tensor([1.0, 2.0])
    fake = torch.randn(400, 2, generator=dice) * 1.8 + 0.5  # so many that few mistakes get the same share by chance
    for k in (3, 1):
        right = metrics.precision(real, fake, k).double().mean().item()
        found = run("7.5", precision, real, fake, k)
        said = f"precision of 14 real and 400 generated points, k = {k}"
        otherwise = f"{right:.3f} is right: the share of generated points in reach of at least one real one"
        wanted = "one number is wanted, the share of the generated pictures"
        wrong = _wrong_precision(real.double(), fake.double(), k)
        compare("7.5", found, right, *wrong, said=said, otherwise=otherwise, wanted=wanted, tolerance=1e-3)
    passed("Right: each real picture reaches as far as its k-th neighbour among the real.")


def _wrong_precision(real: Tensor, fake: Tensor, k: int):
    def reach(x: Tensor, k: int) -> Tensor:
        return torch.cdist(x, x).sort(1).values[:, k]

    far = torch.cdist(fake, real)

    def share(inside: Tensor) -> Tensor:
        return inside.any(1).double().mean()

    own = reach(real, k)
    yield (
        share(far <= reach(real, k - 1)),
        "a picture is its own nearest, at 0: that one does not count among its k",
    )
    yield share(far <= reach(real, k + 1)), "that is the neighbour after the k-th"
    back = torch.cdist(real, fake) <= reach(fake, k)
    yield (
        back.any(1).double().mean(),
        "that is recall: the reach is the *real* pictures', the share the generated ones'",
    )
    yield (
        share(torch.cdist(fake, real) <= reach(fake, k)[:, None]),
        "the reach is a real picture's own, not a fake's",
    )
    nearest = far.argmin(1)
    yield (
        (far.min(1).values <= own[nearest]).double().mean(),
        "being in reach of *any* real picture counts, not only of the nearest",
    )
    yield share(far <= own.mean()), "each real picture has its own reach, not their mean"
    yield (far <= own).double().mean(), "that is the share of *pairs* in reach"
    yield (
        (far <= own).double().sum(1).mean() / k,
        "that is density, which counts how many reach; any one is enough",
    )
    yield (
        (far <= own).any(0).double().mean(),
        "the share is of the generated pictures; you count the real ones",
    )
    yield (
        (far.min(0).values <= own).double().mean(),
        "that is coverage: the share of *real* pictures with a fake near",
    )
    yield (far <= own).all(1).double().mean(), "one real picture in reach is enough: any, not all"
    yield ((far <= own).sum(1) >= k).double().mean(), "one real picture in reach is enough; k is for the reach alone"
    yield share(far <= reach(real, 3)), "k is given: yours is 3 whatever it is"
    yield (
        share(far <= torch.cdist(real, fake).sort(1).values[:, k - 1]),
        "the reach is measured among the real pictures alone",
    )
    farthest = torch.cdist(real, real).sort(1, descending=True).values[:, k]
    yield share(far <= farthest), "the k-th *nearest* is wanted: largest=False"
    yield (far <= own).any(1).double().sum(), "a share is wanted: over the number of generated pictures"
    yield 100 * share(far <= own), "a share from 0 to 1 is wanted, not per cent"
    yield share(far.square() <= own), "a squared distance is compared with one that is not"
    yield share(far <= own.square()), "a distance is compared with a squared one"
    yield 1 - share(far <= own), "that is the share *out* of reach"
    mean = torch.cdist(real, real).sort(1).values[:, 1 : k + 1].mean(1)
    yield share(far <= mean), "the reach is the distance of the k-th neighbour, not the mean of the first k"


# --- 7.6: lies ---------------------------------------------------------------------------------------

LIES = ("precision", "inception score", "recall", "Fréchet distance", "memorisation")
N = 500  # pictures a lie


def exercise_6(lie: Callable[[str, ImageSet, int], Tensor]) -> None:
    """`lie(metric, train, n)`: n pictures, uint8 [n, 1, 28, 28], that beat a metric of `LIES` and deserve it not."""
    expert, train, real, told = *_clothes(), []
    for metric in LIES:
        lent = replace(train, images=train.images.clone())
        fake = run("7.6", lie, metric, lent, N)
        if not torch.equal(lent.images, train.images):
            raise NotYet(f"lie({metric!r}, …) overwrites train.images; work on a copy, train.images[:n].clone()")
        if not isinstance(fake, Tensor) or fake.dtype != torch.uint8 or list(fake.shape) != [N, 1, 28, 28]:
            kind = f"{fake.dtype} {list(fake.shape)}" if isinstance(fake, Tensor) else type(fake).__name__
            raise NotYet(
                f"lie({metric!r}, …): a tensor uint8 [{N}, 1, 28, 28] of pictures is wanted; yours is {kind}"
            )
        if fake.device.type == "meta":
            raise NotYet(f"lie({metric!r}, …): pictures are wanted; a tensor on the device 'meta' holds none")
        told.append(_believed(metric, _seen(expert, train, real, fake.cpu())))
    passed(f"Right: five metrics deceived. What gives each set away: {'; '.join(told)}.")


@functools.cache
def _clothes() -> tuple[judge.Judge, ImageSet, Tensor]:
    """A judge, clothes to lie with, and unseen ones."""
    sets = [data.load("fashion-mnist", split=split, download=False, progress=False) for split in data.SPLITS]
    return judge.load("fashion-mnist"), sets[0], sets[1].images[:N]


@functools.cache
def _honest() -> dict[str, float]:
    """What real pictures get: 500 training pictures against 500 unseen ones."""
    expert, train, real = _clothes()
    return {
        **_seen(expert, train, real, train.images[-N:]),
        "memorisation": 0.01,
    }  # they are the training pictures


def _seen(expert: judge.Judge, train: ImageSet, real: Tensor, fake: Tensor) -> dict[str, float]:
    r, f = judge.look(expert, real)[0], judge.look(expert, fake)
    if not hasattr(_seen, "train"):
        _seen.train = judge.look(expert, train.images)[0]
    return {
        "precision": metrics.precision(r, f[0]).mean().item(),
        "recall": metrics.recall(r, f[0]).mean().item(),
        "inception score": metrics.inception_score(f[1].softmax(1)),
        "Fréchet distance": metrics.frechet_distance(r, f[0]),
        "memorisation": metrics.memorisation(_seen.train, r, f[0]).mean().item(),
    }


def _believed(metric: str, seen: dict[str, float]) -> str:
    """What gives a lie away.

    Raises:
        NotYet: it is none, or no good one.
    """
    real, here = _honest(), f"lie({metric!r}, …)"
    value, floor = seen[metric], real[metric]
    beaten = {
        "precision": (value > max(floor, 0.98), "more than 0.98, and than real ones"),
        "inception score": (value > floor, "more than real ones"),
        "recall": (value > 0.95 * floor, "at least 95 % of that of real ones"),
        "Fréchet distance": (value < 1.5 * floor, "at most 1.5 times that of real ones"),
        "memorisation": (value <= 0.02, "at most 0.02"),
    }[metric]
    if not beaten[0]:
        raise NotYet(
            f"{here}: {metric} is {value:.3g} for yours and {floor:.3g} for real pictures; wanted: {beaten[1]}"
        )
    poor = {
        "precision": (
            seen["recall"] < 0.2,
            f"their recall is {seen['recall']:.2f}",
            "below 0.2: show hardly anything",
        ),
        "inception score": (
            seen["recall"] < 0.2,
            f"their recall is {seen['recall']:.2f}",
            "below 0.2: one picture a class is enough",
        ),
        "recall": (
            seen["precision"] < 0.7,
            f"their precision is {seen['precision']:.2f}",
            "below 0.7: many of them should look like no clothes",
        ),
        "Fréchet distance": (
            seen["memorisation"] > 0.5,
            f"the share that repeats training pictures is {seen['memorisation']:.2f}",
            "above 0.5: learn nothing, copy",
        ),
        "memorisation": (
            seen["Fréchet distance"] > 20 * real["Fréchet distance"],
            f"their Fréchet distance is {seen['Fréchet distance']:.0f}",
            f"above {20 * real['Fréchet distance']:.0f}, 20 times that of real ones: new, and no clothes",
        ),
    }[metric]
    if not poor[0]:
        raise NotYet(
            f"{here}: {metric} is beaten, and the pictures are too good for a lie: {poor[1]}; wanted: {poor[2]}"
        )
    return f"{metric} {value:.3g} (real ones {floor:.3g}), but {poor[1]}"


# --- 7.7: an interval --------------------------------------------------------------------------------

QUANTILES = studies.QUANTILES


def exercise_7(interval: Callable[[Tensor, Tensor], tuple[float, float]]) -> None:
    """`interval(first, second)`: the 95 % interval of the mean of first - second, seed by seed."""
    a = torch.tensor([9.0, 14.0, 8.0, 11.0, 20.0])
    for first, second in (
        (a, a - torch.tensor([1.5, 2.5, 0.5, 2.0, 3.0])),
        (a[:3], torch.tensor([12.0, 9.0, 10.0])),
    ):
        found = run("7.7", interval, first, second)
        x, y, n = first.double(), second.double(), len(first)
        d, t = x - y, QUANTILES[n]

        def around(middle, spread):
            return torch.stack([middle - spread, middle + spread])

        error = d.std() / math.sqrt(n)
        right = around(d.mean(), t * error)
        unpaired = ((x.var() + y.var()) / n).sqrt()
        wrong = [
            (-right.flip(0), "the sign: first - second"),
            (right.flip(0), "the lower end comes first"),
            (
                around(d.mean(), t * unpaired),
                "that forgets the pairs: take the differences seed by seed, then their spread",
            ),
            (around(d.mean(), 1.96 * error), "1.96 is for many seeds; QUANTILES has the factor for a few"),
            (
                around(d.mean(), t * d.std()),
                "that is where *one* seed falls; the mean's own spread is s / √n",
            ),
            (around(d.mean(), t * d.std() / n), "s is divided by √n, not by n"),
            (
                around(d.mean(), t * d.std(correction=0) / math.sqrt(n)),
                "s has n - 1 below, since the mean is estimated, too",
            ),
            (around(d.mean(), error), "the factor t is missing"),
            (around(d.mean(), t * d.std() / math.sqrt(2 * n)), "n is the number of pairs: √n, not √(2n)"),
            (around(d.mean(), t * x.std() / math.sqrt(n)), "s is the spread of the differences, not of one column"),
            (around(d.mean(), t * (x.std() + y.std()) / math.sqrt(n)), "s is the differences' spread, no sum of two"),
            (around(d.abs().mean(), t * d.abs().std() / math.sqrt(n)), "the differences keep their signs: no abs"),
            (around(d.mean(), QUANTILES[5] * error), "QUANTILES[n]: there are 3 seeds, and yours is for 5"),
            (around(d.median(), t * error), "the middle is the mean of the differences"),
            (around(d.mean() * 0, t * error), "the middle is missing: mean ± t s / √n"),
            (torch.stack([d.min(), d.max()]), "that is the range of the differences"),
            (around(d.mean(), t * d.var() / math.sqrt(n)), "s is the standard deviation, not the variance"),
            (
                around(d.mean(), QUANTILES.get(n - 1, 1.96) * error),
                "QUANTILES goes by the number of seeds, n, not by n - 1",
            ),
            (around(d.mean(), t * d.std() / math.sqrt(n - 1)), "s has its n - 1 already; √n stands below it"),
            (torch.stack([d.mean(), t * error]), "both ends are wanted, not the middle and half of the width"),
            (d.mean(), "two numbers are wanted, both ends"),
        ]
        ends = ", ".join(f"{end:.3f}" for end in right.tolist())
        said = f"interval({shown(first.tolist())}, {shown(second.tolist())})"
        wanted = "two numbers are wanted, the lower and the upper end"
        otherwise = f"({ends}) is right: mean ± t s / √n of the {n} differences"
        compare("7.7", found, right, *wrong, said=said, otherwise=otherwise, wanted=wanted, tolerance=1e-3)
    passed("Right: seeds in pairs, and a factor that knows how few they are.")


# --- 7.8: a verdict ----------------------------------------------------------------------------------

VERDICTS = ("first", "second", "cannot tell")
# What is special about a comparison; value, low, high of the first and of the second, the floor; whether more is
# better; the verdict.
COMPARISONS = (
    ("apart, more is better", (0.81, 0.78, 0.84), (0.36, 0.33, 0.39), 0.86, True, "first"),
    ("apart, less is better", (16.2, 15.1, 17.3), (1.3, 1.1, 1.5), 0.8, False, "second"),
    ("apart, less is better, the first ahead", (1.3, 1.1, 1.5), (2.2, 1.9, 2.5), 0.8, False, "first"),
    ("one value larger, the intervals overlap", (0.82, 0.78, 0.86), (0.77, 0.73, 0.81), 0.9, True, "cannot tell"),
    ("one interval inside the other", (3.0, 1.0, 5.0), (4.0, 3.8, 4.2), 0.5, False, "cannot tell"),
    ("the value of each in the other's interval", (2.0, 1.5, 2.5), (2.1, 1.6, 2.6), 0.5, False, "cannot tell"),
    ("both beyond the floor", (0.98, 0.97, 0.99), (0.92, 0.91, 0.93), 0.87, True, "cannot tell"),
    ("both beyond the floor, less is better", (0.0, 0.0, 0.0), (0.006, 0.005, 0.007), 0.01, False, "cannot tell"),
    ("one beyond the floor, one at it", (0.95, 0.94, 0.96), (0.86, 0.84, 0.88), 0.87, True, "cannot tell"),
    ("one beyond the floor, one short of it", (0.95, 0.94, 0.96), (0.6, 0.57, 0.63), 0.87, True, "first"),
    ("one beyond the floor, less is better", (0.3, 0.28, 0.32), (0.0, 0.0, 0.0), 0.01, False, "second"),
)


def exercise_8(verdict: Callable[[Measured, Measured, bool], str]) -> None:
    """`verdict(first, second, larger)`: which of two measured numbers is better, one of `VERDICTS`."""
    for about, first, second, floor, larger, right in COMPARISONS:
        a, b = (Measured(*numbers, floor) for numbers in (first, second))
        found = run("7.8", verdict, a, b, larger)
        rule = f"{'more' if larger else 'less'} is better, but no better than the floor, {floor:g}"
        ends = " and ".join(f"{one.low:g} to {one.high:g}" for one in (a, b))
        word(found, right, VERDICTS, f"the comparison {about!r}", f"intervals {ends}; {rule}")
    apart = sum(right != "cannot tell" for *_, right in COMPARISONS)
    passed(f"Right: {len(COMPARISONS)} comparisons, of which {apart} can be decided.")
