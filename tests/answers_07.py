"""Answers to the exercises of lesson 07: right ones, and wrong ones with what each is told."""

import functools
import math

import numpy as np
import torch

from gan_course import judge, metrics
from gan_course.checks import lesson_07 as lesson
from gan_course.scoring import Measured

# 7.1


def moments(x, by_n=False):
    c = x - x.mean(0)
    return x.mean(0), c.T @ c / (len(x) - (not by_n))


def by_eigenvalues(c1, c2):
    return torch.linalg.eigvals(c1 @ c2).real.clamp(min=0).sqrt().sum()


def frechet(real, fake, overlap=by_eigenvalues, gap=lambda d: d.square().sum(), spread=None, by_n=False):
    (m1, c1), (m2, c2) = moments(real.double(), by_n), moments(fake.double(), by_n)
    rest = c1.trace() + c2.trace() - 2 * overlap(c1, c2) if spread is None else spread(c1, c2)
    return gap(m1 - m2) + rest


def frechet_in_numpy(real, fake):
    real, fake = real.numpy().astype(float), fake.numpy().astype(float)
    c1, c2 = np.cov(real, rowvar=False), np.cov(fake, rowvar=False)
    values, vectors = np.linalg.eigh(c1)
    root = (vectors * np.sqrt(values.clip(0))) @ vectors.T
    trace = np.sqrt(np.linalg.eigvalsh(root @ c2 @ root).clip(0)).sum()
    return ((real.mean(0) - fake.mean(0)) ** 2).sum() + np.trace(c1 + c2) - 2 * trace


def frechet_in_float32(real, fake):
    c1, c2 = real.T.cov(), fake.T.cov()
    overlap = torch.linalg.eigvals(c1 @ c2).real.clamp_min(0).sqrt().sum()
    return (real.mean(0) - fake.mean(0)).square().sum() + (c1 + c2).trace() - 2 * overlap


def fd(**how):
    return functools.partial(frechet, **how)


# 7.2


def line(x, y):
    x, y = torch.as_tensor(x).double(), torch.as_tensor(y).double()
    slope, height = np.polyfit(x.numpy(), y.numpy(), 1)
    return height, slope


def by_lstsq(sizes, distances):
    columns = torch.stack([torch.ones_like(sizes), 1 / sizes], 1)
    return torch.linalg.lstsq(columns, distances[:, None]).solution[0, 0]


# 7.3


def kernel(x, y, power=3, scale=True, one=1):
    return (x @ y.T / (x.shape[1] if scale else 1) + one) ** power


def mmd(real, fake, k=kernel, diagonal=False, across=2, count=lambda n: n * (n - 1)):
    def within(x):
        values = k(x, x)
        return values.mean() if diagonal else (values.sum() - values.diagonal().sum()) / count(len(x))

    return within(real) + within(fake) - across * k(real, fake).mean()


def mmd_with_mask(real, fake):
    def off(x):
        return kernel(x, x)[~torch.eye(len(x), dtype=torch.bool)].mean()

    return off(real.double()) + off(fake.double()) - 2 * kernel(real.double(), fake.double()).mean()


def kd(**how):
    return functools.partial(mmd, **how)


def with_kernel(**how):
    return kd(k=functools.partial(kernel, **how))


# 7.4


def score(chances):
    marginal = chances.mean(0, keepdim=True)
    return (torch.xlogy(chances, chances) - torch.xlogy(chances, marginal)).sum(1).mean().exp()


def score_by_entropies(chances):
    of_mean = torch.special.entr(chances.double().mean(0)).sum()
    return float(torch.exp(of_mean - torch.special.entr(chances.double()).sum(1).mean()))


def naive(chances):
    return (chances * (chances.log() - chances.mean(0).log())).sum(1).mean().exp()


def divergences(take, p_of=lambda p: p.mean(0)):
    return lambda p: take(torch.xlogy(p, p) - torch.xlogy(p, p_of(p)))


# 7.5


def reach(x, k):
    return torch.cdist(x, x).topk(k + 1, largest=False).values[:, k]


def precision(real, fake, k, r=reach, share=lambda inside: inside.any(1).double().mean(), far=torch.cdist):
    return share(far(fake, real) <= r(real, k))


def precision_in_loops(real, fake, k):
    hit = 0
    radii = [sorted((a - b).norm().item() for b in real)[k] for a in real]
    for f in fake:
        hit += any((f - a).norm().item() <= radius for a, radius in zip(real, radii, strict=True))
    return hit / len(fake)


def by_balls(**how):
    return functools.partial(precision, **how)


# 7.6


def pictures_of_noise(train, n):
    dice = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (n, 1, 28, 28), generator=dice, dtype=torch.uint8)


def lie(metric, train, n):
    images = train.images.cpu()
    if metric == "precision":
        trousers = images[train.labels.cpu() == 1].float()
        usual = (trousers - trousers.mean(0)).flatten(1).norm(dim=1).argmin()
        return trousers[usual].to(torch.uint8).expand(n, -1, -1, -1).clone()
    if metric == "inception score":
        sure = judge.look(judge.load("fashion-mnist"), images[:2_000])[1].softmax(1)
        return images[sure.argmax(0)].repeat(n // 10, 1, 1, 1)
    if metric == "recall":
        return torch.cat([images[: n // 2], pictures_of_noise(train, n - n // 2)])
    return images[:n] if metric == "Fréchet distance" else pictures_of_noise(train, n)


def other_lie(metric, train, n):
    """The same ideas, by other pictures."""
    images = train.images.cpu()
    if metric == "precision":
        return images[train.labels.cpu() == 5][:1].repeat(n, 1, 1, 1)
    if metric == "Fréchet distance":
        return images[-2 * n :][:n]
    if metric == "memorisation":
        return (torch.arange(28 * 28).view(1, 1, 28, 28) * torch.arange(1, n + 1).view(n, 1, 1, 1) % 256).to(
            torch.uint8
        )
    return lie(metric, train, n)


def but(metric, pictures):
    """The right lies, with other ones for one metric."""
    return lambda which, train, n: pictures(train, n) if which == metric else lie(which, train, n)


def overwritten(train, n):
    """Half rubbish, written into the training set itself."""
    images = train.images[:n]
    images[n // 2 :] = pictures_of_noise(train, n - n // 2)
    return images


def some(train, n):
    return train.images[:n]


# 7.7


def interval(first, second, spread=lambda d: d.std(), t=None, root=math.sqrt):
    d = first.double() - second.double()
    half = (lesson.QUANTILES[len(d)] if t is None else t) * spread(d) / root(len(d))
    return d.mean() - half, d.mean() + half


def interval_in_numpy(first, second):
    d = first.double().numpy() - second.double().numpy()
    half = lesson.QUANTILES[len(d)] * d.std(ddof=1) / np.sqrt(len(d))
    return np.array([d.mean() - half, d.mean() + half])


def ends(**how):
    return functools.partial(interval, **how)


def unpaired(a, b):
    half = lesson.QUANTILES[len(a)] * ((a.var() + b.var()) / len(a)).sqrt()
    return (a - b).mean() - half, (a - b).mean() + half


# 7.8


def verdict(first, second, larger, floor=True, decide=lambda a: (a.low, a.high)):
    def ends(one):
        low, high = decide(one)
        if not floor:
            return low, high
        return (min(low, one.floor), min(high, one.floor)) if larger else (max(low, one.floor), max(high, one.floor))

    (a, b), (c, d) = ends(first), ends(second)
    if a > d:
        return "first" if larger else "second"
    if c > b:
        return "second" if larger else "first"
    return "cannot tell"


def verdict_by_signs(first, second, larger):
    """More is made better by a change of sign."""
    sign = 1 if larger else -1
    spans = [sorted(min(sign * end, sign * one.floor) for end in (one.low, one.high)) for one in (first, second)]
    if spans[0][0] > spans[1][1]:
        return lesson.VERDICTS[0]
    return lesson.VERDICTS[1 if spans[1][0] > spans[0][1] else 2]


def judged(**how):
    return functools.partial(verdict, **how)


RIGHT = {
    1: [metrics.frechet_distance, frechet, frechet_in_numpy, frechet_in_float32],
    2: [lambda n, d: line(1 / n, d)[0], by_lstsq, lambda n, d: float(by_lstsq(n.double(), d.double()))],
    3: [metrics.kernel_distance, mmd, mmd_with_mask],
    4: [score, score_by_entropies, metrics.inception_score],
    5: [precision, precision_in_loops, lambda *given: metrics.precision(*given).mean()],
    6: [lie, other_lie],
    7: [interval, interval_in_numpy, lambda a, b: [float(end) for end in interval(a, b)]],
    8: [verdict, verdict_by_signs],
}

WRONG = {
    1: [
        (lambda a, b: frechet(a, b).sqrt(), "no root at the end"),
        (fd(gap=lambda d: d.norm()), "the distance of the means is squared"),
        (fd(gap=lambda d: d.abs().sum()), "sum of squares"),
        (fd(gap=lambda d: 0), "the means are missing"),
        (fd(spread=lambda a, b: 0), "the covariances are missing"),
        (fd(overlap=lambda a, b: by_eigenvalues(a, b) / 2), "the factor 2"),
        (fd(overlap=lambda a, b: -by_eigenvalues(a, b)), "taken away, not added"),
        (fd(overlap=lambda a, b: (a @ b).clamp(min=0).sqrt().trace()), "the root of its entries"),
        (fd(overlap=lambda a, b: (a.diagonal() * b.diagonal()).sqrt().sum()), "one by one"),
        (fd(overlap=lambda a, b: (a @ b).trace().clamp(min=0).sqrt()), "not the trace of the root"),
        (fd(overlap=lambda a, b: (a @ b).trace()), "the root of C1 C2 is missing"),
        (fd(by_n=True), "by N - 1"),
        (fd(spread=lambda a, b: (a - b).square().sum()), "entry by entry"),
        (fd(gap=lambda d: d.square().mean()), "a sum, no mean"),
        (fd(overlap=lambda a, b: by_eigenvalues(torch.eye(len(a)).double(), a * b)), "goes entry by entry"),
        (fd(overlap=lambda a, b: torch.linalg.eigvals(a @ b).real.sqrt().sum()), ".clamp_min(0), then sqrt"),
        (lambda a, b: frechet(a, b) + 1, "is right: |m1 - m2|²"),
    ],
    2: [
        (lambda n, d: line(1 / n, d)[1], "that is the slope"),
        (lambda n, d: line(n, d)[0], "take 1/N"),
        (lambda n, d: line(n.log(), d)[0], "log N"),
        (lambda n, d: line(n.rsqrt(), d)[0], "not as 1/√N"),
        (lambda n, d: d[-1], "at the largest N"),
        (lambda n, d: d.mean(), "the mean of the distances"),
        (lambda n, d: line(1 / n[[0, -1]], d[[0, -1]])[0], "two points; all four"),
        (lambda n, d: line(1 / n[-2:], d[-2:])[0], "last two points"),
        (lambda n, d: (d / n).sum() / (1 / n**2).sum(), "forced through 0"),
        (lambda n, d: 2 * d.mean() - line(1 / n, d)[0], "minus the slope times"),
        (lambda n, d: line(1 / n, d)[0] + 0.5, "is right: the least-squares line"),
    ],
    3: [
        (kd(diagonal=True), "paired with itself"),
        (kd(count=lambda n: n * n), "divide by N (N - 1)"),
        (with_kernel(scale=False), "divided by d"),
        (with_kernel(power=2), "the power 3"),
        (with_kernel(one=0), "adds 1"),
        (with_kernel(power=1), "only means count"),
        (kd(across=1), "taken away twice"),
        (kd(across=-2), "not added"),
        (lambda a, b: -mmd(a, b), "the sign"),
        (lambda a, b: mmd(a, b).sqrt(), "no root"),
        (kd(across=0), "across both sets are missing"),
        (lambda a, b: -2 * kernel(a, b).mean(), "within each set"),
        (lambda a, b: mmd(a, b).clamp(min=0), "may fall below 0: leave it there"),
        (kd(count=lambda n: 2 * n * (n - 1)), "every pair once"),
        (lambda a, b: 2 * mmd(a, b), "is right: mean k(real, real')"),
    ],
    4: [
        (naive, "0 · log 0"),
        (lambda p: score(p).log(), "exp is missing"),
        (lambda p: 1 / score(p), "the sign"),
        (divergences(lambda kl: kl.sum().exp()), "take their mean"),
        (divergences(lambda kl: kl.mean().exp()), "the sum over the classes"),
        (divergences(lambda kl: kl.sum(1).exp().mean()), "before exp"),
        (lambda p: (p.mean(0) * (p.mean(0) / p.clamp(min=1e-12)).log()).sum(1).mean().exp(), "turned around"),
        (lambda p: score(p) ** (1 / math.log(2)), "natural logarithms"),
        (lambda p: 2 ** score(p).log(), "not with a power of 2"),
        (
            divergences(lambda kl: kl.sum(1).mean().exp(), lambda p: torch.full_like(p[0], 1 / p.shape[1])),
            "not 1 / classes",
        ),
        (
            divergences(
                lambda kl: kl.sum(1).mean().exp(),
                lambda p: torch.bincount(p.argmax(1), minlength=p.shape[1]) / len(p),
            ),
            "classes that are named",
        ),
        (lambda p: torch.special.entr(p.mean(0)).sum().exp(), "counts classes only"),
        (lambda p: (-torch.special.entr(p).sum(1).mean()).exp(), "p(y) is missing"),
        (lambda p: score(p.softmax(1)), "no softmax"),
        (divergences(lambda kl: kl.sum(1).mean().exp(), lambda p: p.sum(0)), "not their sum"),
        (lambda p: score(p) + 1, "is right: exp of the mean"),
    ],
    5: [
        (by_balls(r=lambda x, k: reach(x, k - 1)), "its own nearest"),
        (by_balls(r=lambda x, k: reach(x, k + 1)), "after the k-th"),
        (lambda a, b, k: precision(b, a, k), "that is recall"),
        (lambda a, b, k: (torch.cdist(b, a) <= reach(b, k)[:, None]).any(1).float().mean(), "not a fake's"),
        (
            lambda a, b, k: (
                (torch.cdist(b, a).min(1).values <= reach(a, k)[torch.cdist(b, a).argmin(1)]).float().mean()
            ),
            "not only of the nearest",
        ),
        (by_balls(r=lambda x, k: reach(x, k).mean()), "not their mean"),
        (by_balls(share=lambda inside: inside.double().mean()), "share of *pairs*"),
        (lambda a, b, k: (torch.cdist(b, a) <= reach(a, k)).sum(1).double().mean() / k, "that is density"),
        (by_balls(share=lambda inside: 1 - inside.any(1).double().mean()), "*out* of reach"),
        (by_balls(far=lambda a, b: torch.cdist(a, b).square()), "squared distance"),
        (by_balls(r=lambda x, k: reach(x, k).square()), "with a squared one"),
        (by_balls(share=lambda inside: inside.any(1).double()), "one number is wanted"),
        (by_balls(share=lambda inside: inside.all(1).double().mean()), "any, not all"),
        (lambda a, b, k: precision(a, b, 3), "yours is 3 whatever it is"),
        (lambda a, b, k: 0.123, "is right: the share"),
    ],
    6: [
        (but("precision", some), "wanted: more than 0.98"),
        (but("precision", lambda train, n: pictures_of_noise(train, n)), "precision is 0"),
        (but("inception score", some), "too good for a lie"),
        (
            but("inception score", lambda train, n: some(train, 1).repeat(n, 1, 1, 1)),
            "wanted: more than real ones",
        ),
        (but("recall", some), "too good for a lie"),
        (but("recall", pictures_of_noise), "at least 95 %"),
        (but("recall", overwritten), "lie('recall', …) overwrites train.images; work on a copy"),
        (but("Fréchet distance", pictures_of_noise), "at most 1.5 times"),
        (
            but("Fréchet distance", lambda train, n: some(train, 10).repeat(n // 10, 1, 1, 1)),
            "at most 1.5 times",
        ),
        (but("memorisation", some), "wanted: at most 0.02"),
        (but("memorisation", lambda train, n: some(train, n).float()), "a tensor uint8"),
        (lambda metric, train, n: torch.arange(n), "a tensor uint8"),
        (lambda metric, train, n: some(train, n - 1), "yours is torch.uint8 [499"),
    ],
    7: [
        (lambda a, b: interval(b, a), "the sign"),
        (lambda a, b: interval(a, b)[::-1], "the lower end comes first"),
        (unpaired, "forgets the pairs"),
        (ends(t=1.96), "1.96 is for many seeds"),
        (ends(root=lambda n: 1), "where *one* seed falls"),
        (ends(root=lambda n: n), "not by n"),
        (ends(spread=lambda d: d.std(correction=0)), "n - 1 below"),
        (ends(t=1), "the factor t is missing"),
        (ends(root=lambda n: math.sqrt(2 * n)), "not √(2n)"),
        (ends(t=2.776), "yours is for 5"),
        (lambda a, b: interval((a - b).abs(), 0 * a), "no abs"),
        (lambda a, b: interval(a, b, spread=lambda d: a.std()), "not of one column"),
        (lambda a, b: interval(a, b, spread=lambda d: a.std() + b.std()), "no sum of two"),
        (ends(spread=lambda d: d.var()), "not the variance"),
        (lambda a, b: ((a - b).min(), (a - b).max()), "the range"),
        (lambda a, b: (a - b).mean(), "two numbers are wanted"),
        (lambda a, b: tuple(end - (a - b).mean() for end in interval(a, b)), "the middle is missing"),
        (ends(root=lambda n: math.sqrt(n - 1)), "√n stands below it"),
        (lambda a, b: (interval(a, b)[0], (a - b).mean())[::-1], "is right: mean ±"),
        (lambda a, b: (0.1, 0.2), "is right: mean ± t s / √n"),
    ],
    8: [
        (judged(floor=False), "the comparison 'both beyond the floor': you say 'first', and 'cannot tell' is right"),
        (judged(decide=lambda a: (a.value, a.value)), "'one value larger, the intervals overlap'"),
        (lambda a, b, larger: verdict(a, b, True), "'apart, less is better'"),
        (lambda a, b, larger: verdict(b, a, larger), "'apart, more is better': you say 'second', and 'first' is right"),
        (lambda a, b, larger: verdict(a, b, not larger), "'apart, more is better'"),
        (
            lambda a, b, larger: (
                "cannot tell" if a.low <= b.value <= a.high else judged(decide=lambda x: 2 * (x.value,))(a, b, larger)
            ),
            "'one value larger, the intervals overlap'",
        ),
        (lambda a, b, larger: "cannot tell", "and 'first' is right: intervals 0.78 to 0.84 and 0.33 to 0.39"),
        (
            lambda a, b, larger: "cannot tell" if max(a.high, b.high) > a.floor else verdict(a, b, larger),
            "'apart, less is better'",
        ),
        (lambda a, b, larger: "mlp", "the answer is one of 'first', 'second', 'cannot tell'"),
        (lambda a, b, larger: verdict(Measured(*[0.0] * 4), b, larger), "'apart, more is better'"),
    ],
}
