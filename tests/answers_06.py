"""Answers to the exercises of lesson 06: right ones, and wrong ones with what each is told."""

import functools
import warnings

import numpy as np
import torch
import torch.nn.functional as F

from gan_course import losses, training
from gan_course.checks import lesson_06 as lesson

# 6.1


def diagnose(log, mean=np.nanmean, part=5, high=0.9, low=0.5, narrow=0.5, spread_first=False):
    right, spread = (mean(log[name][-(len(log[name]) // part) :]) for name in ("right", "spread"))
    if spread_first and spread < narrow:
        return "collapse"
    if right > high:
        return "D too fast"
    if right < low:
        return "G too fast"
    return "collapse" if spread < narrow else "healthy"


def diagnose_in_torch(log):
    end = {
        name: torch.from_numpy(values[len(values) * 4 // 5 :]).float().nanmean()
        for name, values in log.items()
    }
    if end["spread"] < 0.5 and 0.5 <= end["right"] <= 0.9:
        return lesson.STATES[3]
    return lesson.STATES[1 if end["right"] > 0.9 else 2 if end["right"] < 0.5 else 0]


def rule(**changes):
    return functools.partial(diagnose, **changes)


def by_losses(log):
    d, g = np.nanmean(log["loss_d"][-80:]), np.nanmean(log["loss_g"][-80:])
    if d < 0.5:
        return "D too fast"
    return "G too fast" if d > 1.5 and g < 0.7 else diagnose(log, high=2)


def without_the_first_fifth(log):
    return diagnose({name: np.repeat(np.nanmean(values[len(values) // 5 :]), 5) for name, values in log.items()})


def by_the_rows_of_right(log):
    return diagnose({**log, "spread": np.repeat(log["spread"][-(len(log["right"]) // 5) :].mean(), 5)})


# 6.2


def hinge_d(r, f):
    return F.relu(1 - r).mean() + F.relu(1 + f).mean()


def hinge_d_with_clamp(r, f):
    return (1 - r.double()).clamp(min=0).mean() - (-1 - f.double()).clamp(max=0).mean()


def hinge_g(f):
    return -f.mean()


def d_hinge(change):
    return lambda r, f: change(r, f), hinge_g


def g_hinge(change):
    return hinge_d, change


# 6.3 and 6.4


def between(real, fake, generator, draw=torch.rand, shape=(1, 1, 1), detach=True, turned=False):
    alpha = draw(len(real), *shape, generator=generator, device=real.device)
    fake = fake.detach() if detach else fake
    return fake * alpha + real * (1 - alpha) if turned else real * alpha + fake * (1 - alpha)


def slope(D, images, graph=True, of=lambda logits: logits.sum()):
    images = images if images.requires_grad else images.detach().requires_grad_()
    return torch.autograd.grad(of(D(images)), images, create_graph=graph)[0]


def by_norm(g):
    return (g.flatten(1).norm(dim=1) - 1).square().mean()


def charged(points=between, take=by_norm, **how):
    """A gradient penalty with parts exchanged."""
    return lambda D, real, fake, generator: take(slope(D, points(real, fake, generator), **how))


def mixed(**how):
    return charged(functools.partial(between, **how))


def with_grad_outputs(D, real, fake, generator):
    alpha = torch.rand(len(real), generator=generator, device=real.device)[:, None, None, None]
    y = torch.lerp(fake.detach(), real, alpha).requires_grad_()
    logits = D(y)
    (g,) = torch.autograd.grad(logits, y, torch.ones_like(logits), create_graph=True, retain_graph=True)
    return ((g.square().sum((1, 2, 3)) + 1e-12).sqrt() - 1).pow(2).sum() / len(real)


def own_shares(make):
    """Points at shares alpha = make(n, generator)."""

    def points(real, fake, generator):
        return torch.lerp(fake.detach(), real, make(len(real), generator).view(-1, 1, 1, 1).to(real.device))

    return charged(points)


def own_shapes(make):
    """The same without a view: alpha as it is drawn."""
    return charged(lambda real, fake, generator: torch.lerp(fake.detach(), real, make(len(real), generator).to(real)))


def by_backward(D, real, fake, generator):
    y = between(real, fake, generator).requires_grad_()
    with warnings.catch_warnings():  # of a cycle between a weight and its gradient
        warnings.simplefilter("ignore")
        D(y).sum().backward(create_graph=True)
    found = by_norm(y.grad)
    return found


def norms(take):
    return charged(take=lambda g: take(g.flatten(1).norm(dim=1)))


def r1(D, x, take=lambda g: g.square().flatten(1).sum(1).mean() / 2, **how):
    return take(slope(D, x, **how))


def r1_with_einsum(D, real):
    x = real.clone().requires_grad_()
    logits = D(x)
    (g,) = torch.autograd.grad(logits, x, torch.ones_like(logits), create_graph=True)
    return 0.5 * torch.einsum("nchw,nchw->n", g, g).mean()


def r1_with(**how):
    return functools.partial(r1, **how)


# 6.5


def contraction(h, gamma):
    trace, determinant = 2 - h * h / 4 - h * gamma, 1 - h * gamma
    root = complex(trace**2 - 4 * determinant) ** 0.5
    return max(abs(trace + root), abs(trace - root)) / 2


def by_eigenvalues(h, gamma):
    d = torch.tensor([[1.0, 0.0], [-h / 2, 1 - h * gamma]], dtype=torch.float64)
    g = torch.tensor([[1.0, h / 2], [0.0, 1.0]], dtype=torch.float64)
    return torch.linalg.eigvals(g @ d).abs().max()


def simultaneous(h, gamma, square=lambda gamma: gamma**2):
    roots = [-gamma / 2 + sign * complex(square(gamma) / 4 - 1 / 4) ** 0.5 for sign in (1, -1)]
    return max(abs(1 + h * root) for root in roots)


def smaller(h, gamma):
    trace, determinant = 2 - h * h / 4 - h * gamma, 1 - h * gamma
    root = complex(trace**2 - 4 * determinant) ** 0.5
    return min(abs(trace + root), abs(trace - root)) / 2


def larger_root(h, gamma):
    trace, determinant = 2 - h * h / 4 - h * gamma, 1 - h * gamma
    return abs(trace + complex(trace**2 - 4 * determinant) ** 0.5) / 2


# 6.6

CURES = {
    "d-too-fast": {"penalty": "r1", "d_norm": "none"},
    "g-too-fast": {"lr_g": 5e-4},
    "collapse": {"betas": (0.5, 0.999)},
}
OTHER_CURES = {
    "d-too-fast": {"d_every": 4},
    "g-too-fast": {"g_rests": (100, 200), "d_width": 2.0},
    "collapse": {"minibatch_std": True},
}
MORE_CURES = {
    "d-too-fast": {
        "objective": "wasserstein",
        "penalty": "gradient",
        "penalty_weight": 10.0,
        "d_norm": "layer",
    },
    "g-too-fast": {"g_every": 4},
    "collapse": {"lr_g": 5e-4, "lr_d": 5e-4},
}


def cure(illness, changes):
    return lambda asked: changes if asked == illness else CURES[asked]


# 6.7

SIGNS = (3, 4)  # the lines at fault


def pair(of_d, of_g, mean=torch.mean, detach=True, again=True):
    """Both losses: of_d of (real mean, fake mean), of_g of the fake mean."""

    def mended(D, real, fake):
        r, f = mean(D(real)), mean(D(fake.detach() if detach else fake))
        return of_d(r, f), of_g(mean(D(fake)) if again else f)

    return SIGNS, mended


def as_published(r, f):
    return f - r


def by_weighing(D, real, fake):
    """Both signs turned, one pass for both kinds, in float64."""
    scores = D(torch.cat([real, fake.detach()])).double()
    sign = torch.ones_like(scores)
    sign[len(real) :] = -1
    return 2 * (sign * scores).mean(), torch.einsum("n->", D(fake)) / len(fake)


# 6.8

LEAK = 5


def mended_step(
    gan, real, zero_d="before backward", freeze=False, detach=True, d_bce=losses.d_bce, last=dict
):
    fake = gan.G(gan.latents(len(real)))
    if zero_d == "at the top":
        gan.D.zero_grad()
    loss_d = d_bce(gan.D(real), gan.D(fake.detach() if detach else fake))
    if zero_d == "before backward":
        gan.opt_d.zero_grad()
    loss_d.backward(retain_graph=not detach)
    if zero_d == "before its step":
        gan.opt_d.zero_grad()
    gan.opt_d.step()
    if zero_d == "after its step":
        gan.opt_d.zero_grad()
    gan.D.requires_grad_(not freeze)
    loss_g = losses.g_non_saturating(gan.D(fake))
    gan.opt_g.zero_grad()
    loss_g.backward()
    gan.D.requires_grad_(True)
    if zero_d == "after G's":
        gan.opt_d.zero_grad(set_to_none=False)
    gan.opt_g.step()
    return last({"loss_d": loss_d.detach(), "loss_g": loss_g.detach()})


def mended(**changes):
    return LEAK, functools.partial(mended_step, **changes)


def by_autograd(gan, real):
    """Gradients by autograd.grad, which leaves nothing anywhere; losses written out, in float64."""
    fake, said = gan.G(gan.latents(len(real))), {}
    for name, network, optimiser in (("loss_d", gan.D, gan.opt_d), ("loss_g", gan.G, gan.opt_g)):
        scores = gan.D(fake)
        loss = F.softplus(-scores.double()).mean()
        if name == "loss_d":
            loss = F.softplus(-gan.D(real).double()).mean() + F.softplus(scores.double()).mean()
        weights = list(network.parameters())
        for weight, gradient in zip(
            weights, torch.autograd.grad(loss, weights, retain_graph=True), strict=True
        ):
            weight.grad = gradient
        optimiser.step()
        said[name] = loss.detach()
    return said


def leaking(**changes):
    return LEAK, functools.partial(lesson.reference_step, **{**lesson.PLAIN_STEP, **changes})


# 6.9

AXIS = 5


def is_sound(
    penalty, real_value=1.0, shape=(200, 3, 4, 4), bends=True, asks_points=True, asks_graph=True, close=1e-4
):
    """A bowl for a D, whose slope at y is 2 |y|; between 1 and 0 its points are their alphas."""
    seen, height = [], torch.ones((), requires_grad=True)

    def D(images):
        seen.append(images.detach())
        return height * (images.square() if bends else images).flatten(1).sum(1)

    real = torch.full(shape, real_value)
    cost = penalty(D, real, torch.zeros(shape), torch.Generator().manual_seed(0))
    alpha = seen[0].flatten(1) / real_value
    slopes = 2 * seen[0].flatten(1).norm(dim=1) if bends else torch.full(shape[:1], real[0].numel() ** 0.5)
    sound = (cost - (slopes - 1).square().mean()).abs() <= close * cost.abs()
    if asks_points:
        inside = alpha.min() > -0.01 and alpha.max() < 1.01 and alpha.std() > 0.1
        sound &= bool(inside and (alpha - alpha[:, :1]).abs().max() < 0.01)
    return bool(sound) and (cost.requires_grad or not asks_graph)


def is_sound_on_two(penalty):
    """A line for the value, a batch of one real and many generated pictures for the law; as a tensor of bool."""
    w = torch.linspace(-1, 2, 96).view(2, 6, 8).double().requires_grad_()
    dice = torch.Generator().manual_seed(1)
    x, f = torch.randn(2, 64, 2, 6, 8, generator=dice).double()
    cost = penalty(lambda images: (images.double() * w).sum((1, 2, 3)), x, f, dice)
    right = (w.norm() - 1).square()
    if not cost.requires_grad or not torch.isclose(cost.double(), right, rtol=1e-4):
        return torch.tensor(False)
    (by_w,) = torch.autograd.grad(cost, w)
    (wanted,) = torch.autograd.grad(right, w)
    seen = []

    def bowl(images):
        seen.append(images.detach().double())
        return images.double().square().flatten(1).sum(1) * w.sum() / w.sum()

    value = penalty(
        bowl, torch.ones(500, 2, 6, 8).double(), -torch.ones(500, 2, 6, 8).double(), dice
    ).double()
    share = seen[0].flatten(1).sum(1) / 96
    return torch.stack(
        [
            torch.isclose(by_w, wanted, rtol=1e-3).all(),
            (seen[0] - share.view(-1, 1, 1, 1)).abs().max() < 1e-3,
            share.abs().max() < 1.001,
            (share.square().mean() - 1 / 3).abs() < 0.05,
            torch.isclose(value, (2 * seen[0].flatten(1).norm(dim=1) - 1).square().mean(), rtol=1e-3),
        ]
    ).all()


def tested(**changes):
    return AXIS, functools.partial(is_sound, **changes)


def by_example(penalty):
    """Holds it against a right one, number for number."""
    D = lesson.Steep()
    x, f = torch.randn(2, 16, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    ours, theirs = (
        one(D, x, f, torch.Generator().manual_seed(1)) for one in (losses.gradient_penalty, penalty)
    )
    return theirs.requires_grad and torch.allclose(ours, theirs)


def by_gradient(penalty):
    """Asks for a gradient before it asks whether there is one."""
    w = torch.ones(1, 4, 4, requires_grad=True)
    x = torch.zeros(2, 1, 4, 4)
    torch.autograd.grad(penalty(lambda images: (images * w).sum((1, 2, 3)), x, x, torch.Generator()), w)
    return is_sound(penalty)


def by_assertion(penalty):
    assert is_sound(penalty), "a bug"
    return True


# 6.10


def by_hand(gan, real, penalty=losses.gradient_penalty, hinge=hinge_d, last=lambda said: said):
    fake, said = gan.G(gan.latents(len(real))), {}
    if gan.step % gan.recipe.d_every == 0:
        loss = hinge(gan.D(real), gan.D(fake.detach()))
        charge = gan.recipe.penalty_weight * penalty(gan.D, real, fake.detach(), gan.noise)
        gan.opt_d.zero_grad()
        (loss + charge).backward()
        gan.opt_d.step()
        said["loss_d"] = loss.detach()
    gan.D.requires_grad_(False)
    loss = hinge_g(gan.D(fake))
    gan.opt_g.zero_grad()
    loss.backward()
    gan.opt_g.step()
    gan.D.requires_grad_(True)
    said["loss_g"] = loss.detach()
    return last(said)


def step(**changes):
    return functools.partial(by_hand, **changes)


def with_its_own_dice(D, real, fake, generator):
    return losses.gradient_penalty(D, real, fake, torch.Generator(real.device).manual_seed(0))


def with_switches(**changes):
    return functools.partial(lesson.reference_step, **changes)


def frozen(gan, real):
    said = by_hand(gan, real)
    gan.D.requires_grad_(False)
    return said


RIGHT = {
    1: [diagnose, diagnose_in_torch, rule(part=4)],
    2: [
        (hinge_d, hinge_g),
        (hinge_d_with_clamp, lambda f: f.double().neg().mean()),
        (lambda r, f: hinge_d(r.half(), f.half()), lambda f: -f.bfloat16().mean()),
    ],
    3: [
        losses.gradient_penalty,
        charged(),
        with_grad_outputs,
        lambda *given: with_grad_outputs(*given).double(),
        lambda *given: charged()(*given).half(),
        lambda *given: charged()(*given).bfloat16(),
    ],
    4: [
        losses.r1,
        r1,
        r1_with_einsum,
        lambda *given: r1(*given).double(),
        lambda *given: r1(*given).half(),
        lambda *given: r1_with_einsum(*given).bfloat16(),
    ],
    5: [contraction, by_eigenvalues],
    6: [CURES.get, OTHER_CURES.get, MORE_CURES.get],
    7: [
        pair(as_published, torch.neg),
        pair(lambda r, f: r - f, lambda f: f),
        ({4, 3}, by_weighing),
        ([3, 4], lambda D, real, fake: [losses.d_wasserstein(D(real), D(fake.detach())), -D(fake).mean()]),
        pair(lambda r, f: 3 + f.half() - r.half(), lambda f: 0.5 - f.bfloat16()),
        (
            SIGNS,
            lambda D, real, fake: (D(fake.detach()).mean() - D(real).mean(), D(real).mean() - D(fake).mean()),
        ),
    ],
    8: [
        mended(),
        mended(detach=False),
        mended(zero_d="at the top"),
        mended(zero_d="after G's"),
        mended(zero_d="after its step", freeze=True),
        leaking(),
        (LEAK, by_autograd),
        ((LEAK,), training.train_step),
        mended(d_bce=lambda r, f: losses.d_bce(r.double(), f.double())),
    ],
    9: [tested(), tested(real_value=0.5, shape=(300, 2, 5, 3)), (AXIS, is_sound_on_two)],
    10: [by_hand, with_switches(), step(penalty=with_grad_outputs, hinge=hinge_d_with_clamp)],
}

WRONG = {
    1: [
        (rule(part=1), "smoothed labels"),
        (rule(part=400, mean=np.mean), "a healthy run"),
        (rule(mean=np.mean), "NaN there"),
        (by_losses, "smoothed labels"),
        (rule(spread_first=True), "D is fooled by one picture"),
        (rule(narrow=0.0), "even game"),
        (rule(high=2.0), "'D too fast' is right"),
        (rule(low=0.0), "'G too fast' is right"),
        (rule(high=0.6), "a healthy run"),
        (rule(low=0.8), "you say 'G too fast', and 'healthy' is right"),
        (lambda log: diagnose({**log, "right": 1 - log["right"]}), "a healthy run"),
        (rule(mean=lambda part: np.nanmean(part[-5:])), "'D too fast' is right"),
        (without_the_first_fifth, "D led for three quarters of the run"),
        (by_the_rows_of_right, "each column's own last fifth"),
        (lambda log: "sick", "one of 'healthy'"),
        (lambda log: "healthy", "'D too fast' is right: in the last fifth D is right on 99%"),
    ],
    2: [
        (d_hinge(lambda r, f: hinge_d(-r, -f)), "signs swapped"),
        (d_hinge(lambda r, f: (1 - r).mean() + (1 + f).mean()), "the hinge is missing"),
        (d_hinge(lambda r, f: f.mean() - r.mean()), "Wasserstein"),
        (d_hinge(lambda r, f: F.relu(-r).mean() + F.relu(f).mean()), "margin is missing"),
        (d_hinge(lambda r, f: 6 * hinge_d(r, f)), "summed"),
        (d_hinge(lambda r, f: hinge_d(r, f) / 2), "added, not averaged"),
        (d_hinge(lambda r, f: F.relu((1 - r).mean()) + F.relu((1 + f).mean())), "before the mean"),
        (
            d_hinge(lambda r, f: F.relu(1 - r).square().mean() + F.relu(1 + f).square().mean()),
            "squared hinge",
        ),
        (d_hinge(lambda r, f: hinge_d(r.sigmoid(), f.sigmoid())), "no sigmoid first"),
        (d_hinge(lambda r, f: -hinge_d(r, f)), "D minimises"),
        (d_hinge(lambda r, f: hinge_d(r, f).item()), "returns float"),
        (d_hinge(lambda r, f: hinge_d(r, f).detach()), "its graph is gone"),
        (d_hinge(lambda r, f: hinge_d(r, f.detach())), "its gradient is not"),
        (d_hinge(lambda r, f: hinge_d(r, f) + 0.3), "is right: E max"),
        (g_hinge(lambda f: f.mean()), "the sign"),
        (g_hinge(lambda f: F.relu(1 - f).mean()), "scores above 1"),
        (g_hinge(lambda f: F.relu(-f).mean()), "scores above 0"),
        (g_hinge(lambda f: -f.sum()), "take the mean"),
        (g_hinge(lambda f: -f.sigmoid().mean()), "without sigmoid"),
        (g_hinge(lambda f: F.softplus(-f).mean()), "non-saturating"),
        (g_hinge(lambda f: 1 - f.mean()), "a constant"),
        (g_hinge(lambda f: -f), "shape ()"),
        (d_hinge(lambda r, f: F.relu(1 - (r - f)).mean()), "no real one is held against a generated one"),
        (d_hinge(lambda r, f: F.relu(1 - r).mean()), "the half of the generated pictures is missing"),
        (g_hinge(lambda f: -F.relu(1 + f).mean()), "D's half turned round"),
    ],
    3: [
        (mixed(shape=(3, 4, 4)), "once a *pixel*"),
        (mixed(shape=(3, 1, 1)), "once a channel"),
        (mixed(draw=torch.randn), "torch.rand, not randn"),
        (own_shares(lambda n, g: torch.rand(1, generator=g).expand(n)), "drawn anew for every picture"),
        (own_shares(lambda n, g: torch.rand(n, generator=g).square()), "not uniform"),
        (own_shares(lambda n, g: torch.full((n,), 0.5)), "halfway"),
        (own_shares(lambda n, g: torch.rand(n)), "with the generator"),
        (mixed(turned=True), "weighs the generated picture"),
        (mixed(detach=False), "reaches into G"),
        (charged(lambda real, fake, g: real), "the real pictures themselves"),
        (charged(lambda real, fake, g: fake.detach()), "the generated pictures themselves"),
        (
            charged(lambda real, fake, g: (real + fake.detach()) * torch.rand(1, generator=g)),
            "do not lie on the line",
        ),
        (charged(graph=False), "create_graph=True"),
        (charged(of=lambda logits: logits.mean()), "the *sum* of D's outputs"),
        (charged(of=lambda logits: logits.sigmoid().sum()), "slope of the sigmoid"),
        (charged(take=lambda g: (g.norm(dim=1) - 1).square().mean()), "the channels"),
        (charged(take=lambda g: (g.norm(dim=2) - 1).square().mean()), "one axis"),
        (charged(take=lambda g: (g.norm(dim=(2, 3)) - 1).square().mean()), "each channel"),
        (charged(take=lambda g: (g.abs() - 1).square().mean()), "each pixel"),
        (charged(take=lambda g: (g.norm() - 1).square()), "over the whole batch"),
        (norms(lambda n: (n - 1).square().sum()), "summed"),
        (norms(lambda n: (n.square() - 1).square().mean()), "the root is missing"),
        (norms(lambda n: n.square().mean() - 1), "the mean of norm² - 1"),
        (norms(lambda n: (n - 1).mean()), "the square is missing"),
        (norms(lambda n: (n - 1).abs().mean()), "distance from 1"),
        (norms(lambda n: (n.mean() - 1).square()), "the mean comes too early"),
        (norms(lambda n: (n.square().mean().sqrt() - 1).square()), "the root of the mean"),
        (
            charged(take=lambda g: (g.flatten(1).square().mean(1).sqrt() - 1).square().mean()),
            "root of the *sum*",
        ),
        (norms(lambda n: F.relu(n - 1).square().mean()), "above 1 only"),
        (norms(lambda n: n.square().mean()), "centred at 0"),
        (norms(lambda n: 10 * (n - 1).square().mean()), "without its weight"),
        (norms(lambda n: 1.1 * (n - 1).square().mean()), "is right for this D"),
        (norms(lambda n: (n - 1).square().mean().detach() + 0 * n.sum()), "the gradient that D gets"),
        (lambda D, real, fake, generator: D(real[:1]).mean(), "never sees a batch"),
        (own_shapes(lambda n, g: torch.rand(n, 1, generator=g)), "an alpha [128, 1, 1, 1] mixes pictures"),
        (by_backward, "backward() has left gradients in D"),
    ],
    4: [
        (r1_with(take=lambda g: g.square().flatten(1).sum(1).mean()), "the half is missing"),
        (r1_with(take=lambda g: g.flatten(1).norm(dim=1).mean() / 2), "no root"),
        (r1_with(take=by_norm), "centred at 1"),
        (r1_with(take=lambda g: g.square().sum() / 2), "summed; take the mean"),
        (r1_with(take=lambda g: g.square().mean()), "pixels are averaged"),
        (r1_with(take=lambda g: g.square().sum(1).mean() / 2), "only the channels"),
        (r1_with(of=lambda logits: F.softplus(-logits).mean()), "divided by N"),
        (r1_with(of=lambda logits: F.softplus(-logits).sum()), "dies where D is sure"),
        (r1_with(of=lambda logits: logits.mean()), "the *sum* of D's outputs"),
        (r1_with(of=lambda logits: logits.sigmoid().sum()), "slope of the sigmoid"),
        (r1_with(graph=False), "create_graph=True"),
        (r1_with(take=lambda g: 5 * g.square().flatten(1).sum(1).mean()), "without its weight"),
        (r1_with(take=lambda g: 0.6 * g.square().flatten(1).sum(1).mean()), "is right for this D"),
        (lambda D, x: r1(D, x + 0.1 * torch.randn_like(x)), "other points"),
        (lambda D, x: r1(D, x[:4]), "never sees the batch"),
        (lambda D, x: r1(D, x).item(), "returns float"),
        (r1_with(take=lambda g: g.mean(0).square().sum() / 2), "so that opposite ones cancel"),
        (r1_with(take=lambda g: g.flatten(1).norm(dim=1).mean().square() / 2), "the mean comes too early"),
        (
            r1_with(take=lambda g: g.square().sum((1, 2, 3)).mean().detach() / 2 + 0 * g.sum()),
            "the gradient that D gets",
        ),
    ],
    5: [
        (simultaneous, "D moves first"),
        (functools.partial(simultaneous, square=lambda gamma: gamma), "γ², not γ"),
        (smaller, "the smaller of the two"),
        (lambda h, gamma: 1 - h * gamma, "that is the determinant, the product"),
        (lambda h, gamma: abs(1 - h * gamma) ** 0.5, "here they are real"),
        (lambda h, gamma: contraction(h, gamma) ** 2, "the root is missing"),
        (lambda h, gamma: 1.0, "with one it contracts"),
        (lambda h, gamma: contraction(h, 2 * gamma), "γ counts twice"),
        (lambda h, gamma: contraction(h, gamma / 2), "γ counts half"),
        (lambda h, gamma: contraction(2 * h, gamma), "slope of softplus"),
        (lambda h, gamma: -gamma / 2, "real part"),
        (lambda h, gamma: 0.7, "is right: modulus"),
        (larger_root, "Where the trace is below 0"),
        (lambda h, gamma: 2 * contraction(h, gamma), "the 2 below is missing"),
        (lambda h, gamma: (0.5, 0.7), "one number"),
    ],
    6: [
        (cure("d-too-fast", {}), "changes nothing"),
        (cure("d-too-fast", {"lr_d": 5e-4, "lr_g": 5e-4}), "another patient"),
        (cure("d-too-fast", {"penalty": "gradient"}), "with BatchNorm in D"),
        (cure("d-too-fast", {"penalty": "r1", "penalty_weight": 0.0, "d_norm": "none"}), "keeps its lead"),
        (cure("d-too-fast", {"d_width": 2.0}), "still greater lead"),
        (cure("d-too-fast", {"g_rests": (100, 200)}), "still greater lead"),
        (cure("d-too-fast", {"lr_d": 1.8e-3}), "make it half at most"),
        (cure("d-too-fast", {"objective": "hinge"}), "bound D's slope"),
        (cure("d-too-fast", {"lr_d": 0.0}), "never learns"),
        (cure("d-too-fast", {"learning_rate": 1e-4}), "a recipe has no field 'learning_rate'"),
        (cure("d-too-fast", {"d_every": 4, "g_every": 4}), "leave one of them at 1"),
        (cure("d-too-fast", {"data": "fashion-mnist"}), "another experiment"),
        (cure("d-too-fast", {"d_norm": "instance"}), "unknown normalisation"),
        (cure("g-too-fast", {"d_every": 2}), "still greater lead"),
        (cure("g-too-fast", {"penalty": "r1", "d_norm": "none"}), "D is the one who is behind"),
        (cure("g-too-fast", {"real_label": 0.9}), "slow G down or speed D up"),
        (cure("g-too-fast", {"objective": "hinge", "real_label": 0.9}), "no labels to smooth"),
        (cure("g-too-fast", {"g_rests": (0, 1_000_000)}), "G would never learn"),
        (cure("collapse", {"lr_g": 5e-3}), "larger steps"),
        (cure("collapse", {"real_label": 0.9}), "aim at the cause"),
        (cure("collapse", {"lr_g": 5e-4, "lr_d": 5e-4, "betas": (0.5, 0.999)}), "another patient"),
        (lambda illness: ["lr_d", 5e-4], "a dictionary is wanted"),
        (lambda illness: {1: 2}, "a dictionary is wanted"),
    ],
    7: [
        (pair(lambda r, f: r - f, torch.neg), "too: they run together"),
        (
            pair(as_published, lambda f: f),
            "its step lowers the scores of generated pictures. G's step lowers them",
        ),
        (((3,), RIGHT[7][0][1]), "line 3: by itself it is no mistake"),
        ((4, RIGHT[7][0][1]), "With which line does it not go together"),
        (((2, 4), RIGHT[7][0][1]), "line 2: D's loss ends at the pictures"),
        ((5, RIGHT[7][0][1]), "you say 5; the numbers of two lines are wanted"),
        (("loss_g", RIGHT[7][0][1]), "are wanted, as in the comments beside the lines (1 to 4)"),
        (pair(as_published, torch.neg, detach=False), "the detach of line 2 was right"),
        (pair(as_published, torch.neg, again=False), "there the generated pictures must not be detached"),
        (pair(as_published, torch.neg, mean=torch.sum), "D's loss is summed"),
        (pair(as_published, lambda f: -16 * f), "G's loss is summed"),
        (pair(lambda r, f: f, torch.neg), "lacks the real pictures"),
        (pair(lambda r, f: -r, torch.neg), "lacks the generated pictures"),
        (pair(lambda r, f: r + f, torch.neg), "D treats both kinds alike"),
        (pair(lambda r, f: (f - r).square(), torch.neg), "the difference of the two mean scores"),
        (pair(as_published, lambda f: F.softplus(-f)), "from the mean score of its own pictures"),
        (pair(lambda r, f: (f - r).item(), torch.neg), "take the mean over the pictures"),
        (pair(lambda r, f: (f - r).detach(), torch.neg), "D's loss: nothing can be learnt from it"),
        (pair(as_published, lambda f: None), "G's loss is None; one number is wanted"),
        ((SIGNS, lambda D, real, fake: (D(fake.detach()) - D(real), -D(fake))), "D's loss is tensor("),
        ((SIGNS, lambda D, real, fake: -D(fake).mean()), "two losses are wanted"),
        (
            (SIGNS, lambda D, real, fake: tuple(reversed(RIGHT[7][0][1](D, real, fake)))),
            "D's loss reaches G now",
        ),
    ],
    8: [
        *((leaking(**dict(changes)), words) for changes, words in lesson.LEAKS.items()),
        (mended(zero_d="after its step"), "G's step still leaks into D"),
        (mended(zero_d="after its step", detach=False), "G's step still leaks into D"),
        (mended(zero_d="before its step"), "D never moved"),
        (mended(zero_d="never"), "D's gradients pile up"),
        ((2, mended_step), "line 2: a detach is missing there"),
        ((7, mended_step), "makes the missing detach harmless"),
        ((8, mended_step), "Which line ought to see to that"),
        ((0, mended_step), "the number of a line is wanted"),
        (("5", mended_step), "you say '5'"),
        (((2, 5), mended_step), "line 2: a detach is missing there"),
        (mended(d_bce=lambda r, f: losses.d_bce(r, f, 0.9)), "the weights differ from the package's"),
        (mended(last=lambda said: None), "the telemetry is wanted"),
        ((LEAK, lambda gan, real: {}), "never moved"),
    ],
    9: [
        ((1, is_sound), "line 1: one number a picture"),
        ((4, is_sound), "its graph is kept"),
        ((6, is_sound), "you say 6; the number of a line is wanted"),
        ((AXIS, lambda penalty: True), "lets a bug pass: the norm over the channels alone"),
        ((AXIS, lambda penalty: False), "refuses a sound implementation: the package's own"),
        ((AXIS, by_example), "refuses a sound implementation: one whose alpha weighs the generated picture"),
        (
            tested(shape=(200, 1, 4, 4)),
            "one norm a channel. Advice: give it pictures of more than one channel",
        ),
        (tested(bends=False), "the mean over the pictures before the square. Advice: on a linear D"),
        (tested(asks_points=False), "one alpha a pixel. Advice: where do its points lie?"),
        (tested(asks_graph=False), "the graph cut off (no create_graph). Advice: its value is right"),
        ((AXIS, by_gradient), "given a buggy one, the graph cut off (no create_graph); a test answers False"),
        (
            (AXIS, by_assertion),
            "stopped with AssertionError: a bug (given a buggy one, the norm over the channels alone",
        ),
        ((AXIS, lambda penalty: "yes"), "is_sound returns 'yes'; True or False is wanted"),
        ((AXIS, lambda penalty: 1), "True or False is wanted"),
    ],
    10: [
        *((with_switches(**dict(changes)), words) for changes, words in lesson.MISTAKES.items()),
        (step(last=lambda said: None), "the telemetry is wanted"),
        (step(last=lambda said: {"loss_d": 1.0, "loss_g": 2.0}), "as detached tensors"),
        (lambda gan, real: {"loss_d": torch.zeros(()), "loss_g": torch.zeros(())}, "never moved"),
        (frozen, "D is left frozen"),
        (step(penalty=with_its_own_dice), "by handing gan.noise to your penalty"),
        (step(last=lambda said: {**said, "loss_g": -said["loss_g"]}), "is right: the mean over the batch"),
        (lambda gan, real: by_hand(gan, real / 2), "Line by line"),
    ],
}
