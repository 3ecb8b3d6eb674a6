"""Answers to the exercises of lesson 01: right ones, and wrong ones with what each is told."""

import math

import numpy as np
import torch
import torch.nn.functional as F

from gan_course import losses

# 1.1 to 1.3


def best(p, q):
    return torch.where(p + q > 0, p / (p + q), 0.5)


def best_in_numpy(p, q):
    p, q = p.numpy(), q.numpy()
    with np.errstate(invalid="ignore"):
        return np.nan_to_num(p / (p + q), nan=0.5)


def value(real, fake):
    return F.logsigmoid(real).mean() + F.logsigmoid(-fake).mean()


def by_log(real, fake, wide=lambda x: x, epsilon=0.0):
    real, fake = wide(real).sigmoid(), wide(fake).sigmoid()
    return torch.log(real + epsilon).mean() + torch.log(1 - fake + epsilon).mean()


def gradient(logits):
    return -torch.sigmoid(-logits) / len(logits)


def gradient_by_autograd(logits):
    logits = logits.clone().requires_grad_()
    return torch.autograd.grad(losses.g_non_saturating(logits), logits)[0]


# 1.4


def halves(rate, penalty):
    return np.array([[1, 0], [-rate / 2, 1 - rate * penalty]]), np.array([[1, rate / 2], [0, 1]])


def matrix(rate, penalty):
    d, g = halves(rate, penalty)
    return g @ d


def matrix_by_hand(rate, penalty):
    a, b = rate / 2, 1 - rate * penalty
    return torch.tensor([[1 - a * a, a * b], [-a, b]], dtype=torch.float64)


def verdict(matrix, largest=lambda values: values.abs().max().item(), close=1e-9):
    size = largest(torch.linalg.eigvals(matrix))
    return "circles" if abs(size - 1) <= close else "diverges" if size > 1 else "converges"


def verdict_in_numpy(matrix):
    size = np.abs(np.linalg.eigvals(matrix.numpy())).max()
    return np.array(["converges", "circles", "diverges"])[1 + int(np.sign(round(size - 1, 9)))]


def verdict_by_powers(matrix):
    size = torch.linalg.matrix_power(matrix, 4_000_000).norm()
    return "diverges" if not size < 1e3 else "converges" if size < 1e-3 else "circles"  # inf - inf is NaN


# 1.5


def near(samples, centres, radius):
    return torch.cdist(samples, centres) <= radius


def modes(samples, centres, sigma):
    return int((near(samples, centres, 3 * sigma).float().mean(0) >= 0.01).sum())


def modes_by_squares(samples, centres, sigma):
    within = (samples[:, None] - centres[None]).square().sum(-1) <= (3 * sigma) ** 2
    return (within.sum(0) >= 0.01 * len(samples)).sum()


def modes_in_a_loop(samples, centres, sigma):
    samples = samples.double()
    return sum(((samples - c).norm(dim=1) <= 3 * sigma).double().mean().item() >= 0.01 for c in centres)


def nearest_only(samples, centres, sigma):
    nearest = torch.cdist(samples, centres).argmin(1)
    return int((torch.bincount(nearest, minlength=8) >= 0.01 * len(samples)).sum())


def by_coordinates(samples, centres, sigma):
    within = ((samples[:, None] - centres[None]).abs() <= 3 * sigma).all(-1)
    return int((within.float().mean(0) >= 0.01).sum())


def by_sums_of_coordinates(samples, centres, sigma):
    within = torch.cdist(samples, centres, p=1) <= 3 * sigma
    return int((within.float().mean(0) >= 0.01).sum())


def share_of_near(samples, centres, sigma):
    count = near(samples, centres, 3 * sigma).sum(0)
    return int((count >= 0.01 * count.sum()).sum())


def share_above(share, radius=lambda sigma: 3 * sigma):
    return lambda s, c, sigma: int((near(s, c, radius(sigma)).float().mean(0) > share).sum())


# 1.6


def a_step(loss=losses.d_bce, detach=True, zero=True, step=True, after=lambda G, D: None):
    """A student's step of D with one thing changed."""

    def step_d(G, D, optimiser, real, z):
        fake = G(z).detach() if detach else G(z)
        if zero:
            optimiser.zero_grad()
        loss(D(real), D(fake)).backward()
        if step:
            optimiser.step()
        after(G, D)

    return step_d


def step_by_labels(G, D, optimiser, real, z):
    with torch.no_grad():
        fake = G(z)
    logits = D(torch.cat([real, fake], dim=1))
    labels = torch.cat([torch.ones(real.shape[:-1]), torch.zeros(fake.shape[:-1])], dim=1)
    optimiser.zero_grad(set_to_none=False)
    (2 * F.binary_cross_entropy_with_logits(logits, labels)).backward()
    optimiser.step()


def step_while_g_is_frozen(G, D, optimiser, real, z):
    G.requires_grad_(False)
    a_step(detach=False, after=lambda G, D: G.requires_grad_(True))(G, D, optimiser, real, z)


def trains_g_too(G, D, optimiser, real, z):
    losses.d_bce(D(real), D(G(z))).backward()
    torch.optim.SGD([*G.parameters(), *D.parameters()], lr=0.1).step()


def steps_between(G, D, optimiser, real, z):
    """A step for each half, both losses made beforehand."""
    for loss in [F.softplus(-D(real)).mean(), F.softplus(D(G(z).detach())).mean()]:
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()


# 1.7


def ruler(
    finish=lambda v: (v + math.log(4)) / 2,
    train=None,
    steps=lambda n: n,
    n=5000,
    fixed=False,
    judged=value,
    fresh=True,
):
    """A student's measurement with one thing changed."""

    def measure_js(G, D, optimiser, draw_real, draw_z, wanted):
        real, z = draw_real(256), draw_z(256)
        for k in range(steps(wanted)):
            if k and not fixed:
                real, z = draw_real(256), draw_z(256)
            (train or a_step())(G, D, optimiser, real, z)
        if fresh:
            real, z = draw_real(n), draw_z(n)
        with torch.no_grad():
            return finish(judged(D(real), D(G(z))))

    return measure_js


def ruler_by_means(G, D, optimiser, draw_real, draw_z, steps):
    for _ in range(steps):
        step_by_labels(G, D, optimiser, draw_real(200), draw_z(200))
    values = [by_log(D(draw_real(1000)), D(G(draw_z(1000))), torch.Tensor.double).item() for _ in range(10)]
    return np.float32(np.mean(values) / 2 + math.log(2))


def moves_g_while_it_measures(G, D, optimiser, draw_real, draw_z, steps):
    for parameter in G.parameters():
        parameter.data.add_(0.1)
    return ruler()(G, D, optimiser, draw_real, draw_z, steps)


RIGHT = {
    1: [best, best_in_numpy, lambda p, q: [0.5 if a + b == 0 else a / (a + b) for a, b in zip(p, q, strict=True)]],
    2: [value, lambda r, f: -losses.d_bce(r, f), lambda r, f: -F.softplus(-r.double()).mean() - F.softplus(f).mean()],
    3: [gradient, lambda x: (torch.sigmoid(x.double()) - 1) / x.numel(), lambda x: -1 / (1 + x.exp()) / len(x)],
    4: [
        (matrix, verdict),
        (matrix_by_hand, verdict_in_numpy),
        (matrix, verdict_by_powers),
        (lambda h, c: torch.from_numpy(matrix(h, c)).float(), verdict),  # with a word about its rounding
    ],
    5: [modes, modes_by_squares, modes_in_a_loop],
    6: [a_step(), step_by_labels, step_while_g_is_frozen, a_step(lambda r, f: losses.d_bce(r, f) / 2)],
    7: [
        ruler(),
        ruler(lambda v: float(v) / 2 + math.log(2)),
        ruler(train=step_while_g_is_frozen),
        ruler_by_means,
    ],
}

WRONG = {
    1: [
        (lambda p, q: best(q, p), "flipped"),
        (lambda p, q: p / (p + q), "0 / 0"),
        (lambda p, q: q / (p + q), "and where neither has mass"),
        (lambda p, q: p / (p + q + 1e-12), "asks for 0.5"),
        (lambda p, q: (p + 1e-9) / (p + q + 2e-9), "no epsilon"),
        (lambda p, q: torch.where(p + q > 1e-3, p / (p + q), 0.5), "no threshold"),
        (lambda p, q: p / q, "odds"),
        (lambda p, q: torch.sigmoid(best(p, q)), "sigmoid twice"),
        (lambda p, q: torch.log(p / q), "D's logit"),
        (lambda p, q: p - q, "0.75"),
        (lambda p, q: torch.where(p > 0, p / (p + q), 0.5), "*neither* has mass"),
        (lambda p, q: torch.where((p > 0) & (q > 0), p / (p + q), 0.5), "*neither* has mass"),
        (lambda p, q: torch.nan_to_num(p / (p + q)), "asks for 0.5"),
        (lambda p, q: best(p, q.add_(0.0).mul_(2)), "changed a tensor"),
    ],
    2: [
        (losses.d_bce, "the sign"),
        (lambda r, f: F.logsigmoid(r).sum() + F.logsigmoid(-f).sum(), "sums where means"),
        (lambda r, f: torch.cat([F.logsigmoid(r), F.logsigmoid(-f)]).mean(), "one mean over both"),
        (lambda r, f: value(r.sigmoid(), f.sigmoid()), "sigmoid twice"),
        (lambda r, f: value(f, r), "swapped"),
        (lambda r, f: F.logsigmoid(r).mean() + F.logsigmoid(f).mean(), "believing fakes"),
        (lambda r, f: value(r, f) / 2, "half of V"),
        (lambda r, f: F.logsigmoid(r).mean(), "second expectation"),
        (lambda r, f: F.logsigmoid(r).mean() + 1 - F.logsigmoid(f).mean(), "is not 1 - log D"),
        (lambda r, f: F.logsigmoid(r.mean()) + F.logsigmoid(-f.mean()), "the mean comes last"),
        (lambda r, f: F.logsigmoid(r).mean() - F.logsigmoid(-f).mean(), "are added"),
        (lambda r, f: F.logsigmoid(r).mean() + F.logsigmoid(1 - f).mean(), "but of -l"),
        (by_log, "log(0)"),
        (lambda r, f: by_log(r, f, torch.Tensor.double), "log(0)"),
        (lambda r, f: by_log(r, f, epsilon=1e-8), "epsilon"),
        (lambda r, f: value(r.clamp(-50, 50), f.clamp(-50, 50)), "clamp"),
        (lambda r, f: r.mean(), "yours 0.5"),
        (lambda r, f: r.mean() - f.mean(), "logarithms are missing"),
        (lambda r, f: r.sigmoid().mean() + (1 - f.sigmoid()).mean(), "logarithms are missing"),
    ],
    3: [
        (lambda x: torch.sigmoid(x) - 1, "mean over the batch"),
        (lambda x: (1 - torch.sigmoid(x)) / len(x), "the sign"),
        (lambda x: 1 - torch.sigmoid(x), "two things"),
        (lambda x: -torch.sigmoid(x) / len(x), "saturating gradient, -D: it"),
        (lambda x: -torch.sigmoid(x), "without the 1/N"),
        (lambda x: -1 / torch.sigmoid(x) / len(x), "chain rule"),
        (lambda x: -torch.sigmoid(x) * torch.sigmoid(-x) / len(x), "sigmoid's own derivative"),
        (lambda x: gradient(x).mean(), "one number a logit"),
        (gradient_by_autograd, "by hand"),
        (torch.zeros_like, "-0.100"),
        (lambda x: -(1 - x) / len(x), "the sigmoid is missing"),
        (lambda x: -torch.softmax(x, 0), "-0.100"),
        (lambda x: (-torch.sigmoid(-x)).sum() / len(x), "shape (5,); yours has ()"),
        (lambda x: -F.logsigmoid(x) / len(x), "that is the loss"),
        (lambda x: -F.logsigmoid(x), "that is the loss"),
    ],
    4: [
        ((lambda h, c: sum(halves(h, c)) - np.eye(2), verdict), "simultaneous"),
        ((lambda h, c: halves(h, c)[0] @ halves(h, c)[1], verdict), "the order"),
        ((lambda h, c: matrix(2 * h, c / 2), verdict), "factor 1/2"),
        ((lambda h, c: matrix(h, 0.0), verdict), "penalty is missing"),
        ((lambda h, c: matrix(h, c / 2), verdict), "without the 1/2"),
        ((lambda h, c: matrix(h, -c), verdict), "the penalty's sign"),
        ((lambda h, c: matrix(h, c / h), verdict), "the rate multiplies it"),
        ((lambda h, c: matrix(h, c)[::-1, ::-1].copy(), verdict), "exchanged"),
        ((lambda h, c: matrix(h, c).T, verdict), "transposed"),
        ((lambda h, c: np.array([[1, -h / 2], [0, 1]]) @ [[1, 0], [h / 2, 1 - h * c]], verdict), "the signs"),
        ((lambda h, c: np.array([[0, h / 2], [0, 0]]) @ halves(h, c)[0], verdict), "identity"),
        ((lambda h, c: np.eye(2), verdict), "0.84"),
        ((matrix, lambda m: verdict(m, lambda v: v.real.abs().max().item())), "modulus 1.03"),
        ((matrix, lambda m: verdict(m, close=0)), "allow about 1e-9"),
        ((matrix, lambda m: verdict(m, close=1e-3)), "that is no rounding"),
        ((matrix, lambda m: verdict(m, lambda v: v.abs().min().item())), "larger modulus"),
        ((matrix, lambda m: verdict(m, lambda v: v.abs().prod().item())), "verdict of"),
        ((matrix, lambda m: verdict(m, lambda v: v.real.max().item())), "modulus 1.03"),
        ((matrix, lambda m: verdict(m + m.T - m.tril())), "modulus 1.03"),
        ((lambda h, c: np.array([[1 - h * c, h / 2], [0, 1]]) @ [[1, 0], [-h / 2, 1]], verdict), "half step"),
        ((matrix, lambda m: verdict(m, lambda v: torch.linalg.matrix_norm(m, 2).item())), "verdict of"),
        ((matrix, lambda m: verdict(m, close=-1)), "allow about 1e-9"),
        ((matrix, lambda m: "Diverges"), "one of 'converges', 'circles', 'diverges'"),
    ],
    5: [
        (lambda s, c, sigma: int(near(s, c, 3 * sigma).any(0).sum()), "lucky sample"),
        (lambda s, c, sigma: int((near(s, c, 3 * sigma).float().mean(1) >= 0.01).sum()), "two modes hold"),
        (nearest_only, "nearest is not near"),
        (share_above(0.0099, lambda sigma: sigma), "within 3 sigma"),
        (share_above(0.0099, lambda sigma: 3 * sigma**2), "the radius 3 sigma"),
        (share_above(0.0099, lambda sigma: (3 * sigma) ** 2), "squared on one side"),
        (share_above(0.0099, lambda sigma: 0.3), "use the one that is given"),
        (share_of_near, "not of the near ones"),
        (share_above(0.0099, lambda sigma: 4 * sigma), "3.5 sigma off"),
        (by_coordinates, "also where neither coordinate is"),
        (by_sums_of_coordinates, "add up to more"),
        (share_above(0.01), ">=, not >"),
        (share_above(0.02), "1 % is enough"),
        (share_above(0.125), "holds an eighth"),
        (lambda s, c, sigma: int((near(s, c, 3 * sigma).sum(0) >= 10).sum()), "a share, not a number"),
        (lambda s, c, sigma: near(s, c, 3 * sigma), "one whole number"),
        (lambda s, c, sigma: 8, "is the mean over the samples"),
    ],
    6: [
        (a_step(detach=False), "detach is missing"),
        (a_step(lambda r, f: losses.d_bce(r, f.detach())), "not D(G(z))"),
        (trains_g_too, "G's weights have changed"),
        (a_step(step=False), "has not moved"),
        (a_step(zero=False), "zero_grad"),
        (a_step(lambda r, f: losses.d_bce(f, r)), "flipped labels"),
        (a_step(lambda r, f: -losses.d_bce(r, f)), "uphill"),
        (a_step(lambda r, f: losses.d_bce(r.sigmoid(), f.sigmoid())), "sigmoid twice"),
        (a_step(lambda r, f: F.softplus(-r).sum() + F.softplus(f).sum()), "summed over the batch"),
        (a_step(lambda r, f: F.softplus(-r).mean()), "generated half of the loss is missing"),
        (a_step(lambda r, f: F.softplus(f).mean()), "real half of the loss is missing"),
        (a_step(lambda r, f: losses.bce(f, 1.0)), "that is G's loss"),
        (a_step(losses.d_least_squares), "not down the gradient"),
        (lambda G, D, optimiser, real, z: a_step()(G, D, optimiser, real, torch.randn_like(z)), "other latents"),
        (lambda G, D, optimiser, real, z: a_step()(G, D, optimiser, real, real), "other latents"),
        (a_step(after=lambda G, D: G.requires_grad_(False)), "G is left frozen"),
        (a_step(after=lambda G, D: G.eval()), "G is left in evaluation mode"),
        (a_step(after=lambda G, D: G.zero_grad()), "G's gradients are gone"),
        (lambda G, D, optimiser, real, z: D(torch.zeros(3, 7)), "your code stopped with RuntimeError"),
        (steps_between, "add the losses and make one step"),
        (a_step(lambda r, f: losses.d_bce(r, f, 0.9, 0.1)), "not down the gradient"),
        (lambda *given: [a_step()(*given) for _ in range(2)], "not down the gradient"),
    ],
    7: [
        (ruler(lambda v: v), "that is V"),
        (ruler(lambda v: v + math.log(4)), "that is 2 JS"),
        (ruler(lambda v: v / 2), "log 4 is missing"),
        (ruler(lambda v: (v - math.log(4)) / 2), "the sign of log 4"),
        (ruler(lambda v: v / 2 + math.log(4)), "divide both by 2"),
        (ruler(lambda v: (v + math.log(2)) / 2), "log 2 where log 4"),
        (ruler(lambda v: (v + math.log(4)) / 2 / math.log(2)), "in bits"),
        (ruler(lambda v: -(v + math.log(4)) / 2), "the sign: JS"),
        (ruler(lambda v: (math.log(4) - v) / 2), "the sign of V"),
        (ruler(lambda v: v + math.log(2)), "V is halved, too"),
        (ruler(train=lambda G, D, optimiser, real, z: a_step()(G, D, optimiser, z, real)), "real ones first"),
        (ruler(steps=lambda n: 0), "D made 0 steps"),
        (ruler(steps=lambda n: 100), "D made 100 steps"),
        (ruler(fixed=True), "fresh ones at each"),
        (ruler(fresh=False), "trained on"),
        (ruler(n=2), "too few"),
        (ruler(judged=lambda r, f: value(f, r)), "real ones first"),
        (moves_g_while_it_measures, "G has moved"),
    ],
}
