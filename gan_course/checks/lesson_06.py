"""Checks for lesson 06: a sick log, hinge, gradient penalty, R1, a contraction, a prescription, three bugs of the
museum, a step of one's own."""

import contextlib
import copy
import functools
from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gan_course import devices, losses, toy, training
from gan_course.checks import InFloat64, NotYet, compare, distance, flat, inputs, passed, run, shown, word
from gan_course.errors import CourseError
from gan_course.gan import GAN
from gan_course.recipes import RECIPES, Recipe
from gan_course.study_table import ILLNESSES

STATES = ("healthy", "D too fast", "G too fast", "collapse")


# --- 6.1: a sick log ---------------------------------------------------------------------------------

# The state that a log shows, what is special about it, and its columns, (at the beginning, at the end): D's loss, G's
# loss, the share of pictures that D gets right, the spread of G's pictures (as among real ones: 1).
LOGS = (
    ("healthy", "a healthy run", (1.0, 0.97), (1.4, 1.56), (0.85, 0.79), (0.6, 0.9)),
    ("D too fast", "D is right all the time", (0.9, 0.07), (1.5, 5.5), (0.8, 0.99), (0.6, 0.8)),
    ("G too fast", "D is fooled", (1.3, 1.7), (1.0, 0.57), (0.7, 0.08), (0.7, 0.8)),
    ("collapse", "an even game over one picture", (1.1, 1.2), (1.2, 1.1), (0.8, 0.7), (0.7, 0.1)),
    ("healthy", "an easy beginning for D", (0.05, 1.1), (6.0, 1.2), (1.0, 0.72), (0.05, 0.9)),
    ("healthy", "both losses rise, D is right in 7 of 10", (0.8, 1.2), (0.8, 2.4), (0.8, 0.7), (0.7, 0.95)),
    (
        "D too fast",
        "smoothed labels keep D's loss above 0.65",
        (1.2, 0.68),
        (1.2, 2.2),
        (0.7, 0.98),
        (0.7, 0.7),
    ),
    ("G too fast", "D is fooled by one picture", (1.3, 1.6), (1.0, 0.6), (0.7, 0.15), (0.6, 0.1)),
    ("D too fast", "D has won, over one picture", (0.9, 0.2), (1.5, 3.6), (0.8, 0.97), (0.6, 0.3)),
    ("D too fast", "D rests in 3 steps of 4, NaN there", (0.9, 0.1), (1.5, 4.5), (0.8, 0.97), (0.6, 0.8)),
    ("healthy", "D led for three quarters of the run", (0.05, 1.0), (5.0, 1.4), (1.0, 0.75), (0.1, 0.9)),
)
SWING = (0.1, 0.3, 0.03, 0.02)


def exercise_1(diagnose: Callable[[dict[str, np.ndarray]], str]) -> None:
    """`diagnose(log)`: what a log's last fifth shows, one of `STATES`."""
    for number, (state, about, *columns) in enumerate(LOGS):
        log = _log(number, columns, rests="NaN" in about, late="three quarters" in about)
        found = run("6.1", diagnose, log)
        word(found, state, STATES, f"the log of {about!r}", _why(columns))
    passed(f"Right: {len(LOGS)} logs read, {sum(state == 'healthy' for state, *_ in LOGS)} of them healthy.")


def _why(columns) -> str:
    right, spread = columns[2][1], columns[3][1]
    return (
        f"in the last fifth D is right on {right:.0%}, and the spread is {spread:.2f} (means of each column's own last "
        "fifth; NaN left out)"
    )


def _log(number: int, columns, rests: bool, late: bool) -> dict[str, np.ndarray]:
    """A log of 400 steps, spread at every 20th, that moves from its beginning to its end in the first three fifths.

    Or late: it stays as it begins for seven tenths, and is at its end right before the last fifth.
    """
    dice, log = np.random.default_rng(number), {}
    names = ("loss_d", "loss_g", "right", "spread")
    for name, (begin, end), swing in zip(names, columns, SWING, strict=True):
        n = 20 if name == "spread" else 400
        values = np.interp(np.linspace(0, 1, n), [0.7 if late else 0, 0.78 if late else 0.6], [begin, end])
        values += swing * np.tile([1.0, -1.0], n // 2) * dice.uniform(0.5, 1, n // 2).repeat(2)
        log[name] = values.clip(0, 1 if name == "right" else None)
        if rests and name in ("loss_d", "right"):
            log[name][np.arange(n) % 4 > 0] = np.nan
    # The very last value deceives: a mean over the last fifth hardly notices it.
    log["right"][-1], log["spread"][-1] = (0.3, 0.9) if columns[2][1] > 0.5 else (0.95, 0.9)
    return log


# --- 6.2: hinge --------------------------------------------------------------------------------------


def exercise_2(hinge_d: Callable[[Tensor, Tensor], Tensor], hinge_g: Callable[[Tensor], Tensor]) -> None:
    """`hinge_d(real_logits, fake_logits)` and `hinge_g(fake_logits)`: both losses on logits [N]."""
    device = devices.default()
    real = torch.tensor([4.0, 0.5, -0.75, 2.5, 1.75, -0.5], device=device)
    fake = torch.tensor([-4.5, -0.5, 1.75, 0.25, -2.0, -1.5], device=device)
    relu = F.relu

    def d_wrong(r: Tensor, f: Tensor):
        yield relu(1 + r).mean() + relu(1 - f).mean(), "signs swapped: a real picture is safe from +1 *up*"
        yield (1 - r).mean() + (1 + f).mean(), "the hinge is missing: what is safe costs 0, never less"
        yield f.mean() - r.mean(), "that is the Wasserstein loss: the margin and the hinge are missing"
        yield relu(-r).mean() + relu(f).mean(), "the margin is missing: safe begins at 1 and at -1, not at 0"
        yield relu(1 - r).sum() + relu(1 + f).sum(), "the pictures are summed; take the mean of each half"
        yield (relu(1 - r).mean() + relu(1 + f).mean()) / 2, "the two halves are added, not averaged"
        yield relu(1 - r).mean(), "the half of the generated pictures is missing"
        yield relu(1 + f).mean(), "the half of the real pictures is missing"
        yield relu(1 - r + f).mean(), "each picture has its own margin; no real one is held against a generated one"
        yield (1 - r).abs().mean() + (1 + f).abs().mean(), "what is safe costs 0: max(0, …), no absolute value"
        yield relu((1 - r).mean()) + relu((1 + f).mean()), "the hinge is each picture's, before the mean"
        yield (
            (relu(1 - r) ** 2).mean() + (relu(1 + f) ** 2).mean(),
            "that is the squared hinge: no square here",
        )
        yield -relu(1 - r).mean() - relu(1 + f).mean(), "the sign: D minimises its loss"
        r, f = r.sigmoid(), f.sigmoid()
        yield relu(1 - r).mean() + relu(1 + f).mean(), "no sigmoid first: ±1 are margins of D's output itself"

    def g_wrong(f: Tensor):
        yield f.mean(), "the sign: G wants D's output for its pictures to rise, and a loss is minimised"
        for margin in (1, 0):
            yield relu(margin - f).mean(), f"G has no hinge: pictures that D scores above {margin} count, too"
        yield -f.sum(), "the pictures are summed; take the mean"
        yield -f.sigmoid().mean(), "without sigmoid: G raises D's output itself"
        yield F.softplus(-f).mean(), "that is the non-saturating loss; hinge's G has no logarithm"
        yield relu(1 + f).mean(), "that is D's half; G wants the opposite, and has no hinge"
        yield -relu(1 + f).mean(), "that is D's half turned round, which stops where D is sure; G has no hinge"
        yield F.softplus(f).mean(), "that is D's half of cross-entropy; hinge's G is -E D(G(z))"
        yield 1 - f.mean(), "a constant that does not belong there: -E D(G(z)) is all"

    formula = "E max(0, 1 - D(x)) + E max(0, 1 + D(G(z)))"
    _loss("hinge_d", hinge_d, losses.d_hinge, (real, fake), d_wrong, formula)
    _loss("hinge_g", hinge_g, losses.g_raise_score, (fake,), g_wrong, "-E D(G(z))")
    passed("Right: D stops where a picture is safe, G never does.")


def _loss(name: str, given: Callable, right: Callable, logits: tuple, wrong: Callable, formula: str):
    """Compare a loss and its gradient for logits."""
    lent = [part.clone().requires_grad_() for part in logits]
    with torch.enable_grad():
        found, expected = run("6.2", given, *lent), right(*lent)
        otherwise = f"{expected.item():.4f} is right: {formula}"
        said = f"{name} of logits {' and '.join(str(part.tolist()) for part in logits)}"
        compare("6.2", found, expected, *wrong(*lent), said=said, otherwise=otherwise)
        slope = torch.autograd.grad(_with_graph("6.2", found, name).double(), lent, allow_unused=True)
        wanted = torch.autograd.grad(expected, lent)
    for one, other in zip(slope, wanted, strict=True):
        if one is None or distance(one.cpu().double(), other.cpu().double()) > 0.02:
            raise NotYet(f"{name}: the value is right and its gradient is not; is a part of it detached?")


def _with_graph(exercise: str, found, name: str) -> Tensor:
    """What a student returned, if it can be differentiated.

    Raises:
        NotYet: it cannot.
    """
    if not isinstance(found, Tensor):
        kind = type(found).__name__
        raise NotYet(f"exercise {exercise}: {name} returns {kind}; a tensor with its graph is wanted")
    if not found.requires_grad:
        raise NotYet(
            f"exercise {exercise}: the number of {name} is right and nothing can be learnt from it: its graph is gone "
            "(.item(), .detach(), no_grad; for a penalty, create_graph=True in autograd.grad)"
        )
    return found


# --- 6.3 and 6.4: penalties --------------------------------------------------------------------------

SHAPE = (3, 4, 4)  # pictures small enough for everything to be quick, of three channels and 48 pixels


class Steep(nn.Module):
    """A small smooth D whose slope differs from picture to picture, from well below 1 to well above."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(48, 3), nn.Tanh(), nn.Linear(3, 1), nn.Flatten(0))
        dice = torch.Generator().manual_seed(63)
        for p in self.parameters():
            p.data = torch.randn(p.shape, generator=dice) * (0.45 if p.shape == (3, 48) else 0.7)

    def forward(self, images: Tensor) -> Tensor:
        return self.layers(images)


def exercise_3(gradient_penalty: Callable[..., Tensor]) -> None:
    """`gradient_penalty(D, real, fake, generator)`: E (||grad D(y)|| - 1)^2 at random points between pairs."""
    D = Steep().to(devices.default())
    shares = []
    for seed in range(8):
        found, y, real, fake, expected = _penalised(gradient_penalty, D, seed)
        shares.append(_shares(y, real, fake, expected))
        _worth("6.3", found, D, y, centre=1.0)
    _uniform(torch.cat(shares))
    passed("Right: one point a pair, the norm over all pixels, differentiable once more.")


def _penalised(penalty: Callable, D: nn.Module, seed: int):
    """A student's penalty on one batch: its value, its points, the batch, the shares it should have drawn."""
    device, n = devices.default(), 128
    dice = torch.Generator(device).manual_seed(seed)
    real, base = (torch.rand(2 * n, *SHAPE, generator=dice, device=device) * 2 - 1).chunk(2)
    scale = torch.ones((), device=device, requires_grad=True)  # stands for G's weights
    fake = base * scale
    state = dice.get_state()
    alpha = torch.rand(n, 1, 1, 1, generator=dice, device=device)
    dice.set_state(state)
    with torch.enable_grad(), torch.random.fork_rng(devices=[]), inputs(D) as seen:
        torch.manual_seed(seed)
        try:
            found = run("6.3", penalty, D, real, fake, dice)
        except NotYet as refusal:
            if "must match the size" not in str(refusal):
                raise
            raise NotYet(f"{refusal}; an alpha [{n}, 1, 1, 1] mixes pictures {list(real.shape)}") from refusal
    points = [x for x in seen if x.shape == real.shape]
    if not points:
        raise NotYet(
            f"D never sees a batch {list(real.shape)} between the real and the generated pictures; show it all of them "
            "in one pass"
        )
    if isinstance(found, Tensor) and found.requires_grad and found.numel() == 1:
        (leak,) = torch.autograd.grad(found.sum(), scale, retain_graph=True, allow_unused=True)
        if leak is not None and leak.abs() > 0:
            raise NotYet(
                "the penalty reaches into G: detach the generated pictures before you mix, D alone is charged"
            )
    drew = not torch.equal(dice.get_state(), state)
    return found, points[-1], real, fake.detach(), (alpha, drew)


def _shares(y: Tensor, real: Tensor, fake: Tensor, expected: tuple[Tensor, bool]) -> Tensor:
    """Each point's share of its real picture, [N]."""
    alpha, drew = expected
    for images, name in ((real, "the real pictures themselves"), (fake, "the generated pictures themselves")):
        if torch.allclose(y, images, atol=1e-5):
            raise NotYet(
                f"you charge D's slope at {name}; the points lie *between* a real and a generated one"
            )
    gap = real - fake
    share = ((y - fake) / gap).double()
    sure = gap.abs() > 0.1  # elsewhere the division says nothing
    first = ((y - fake) * gap).double().flatten(1).sum(1) / gap.double().square().flatten(1).sum(1)
    off = ((share - first.view(-1, 1, 1, 1)).abs() * sure).amax((1, 2, 3))
    if (off > 0.01).any():
        inner = share.where(sure, torch.nan)
        if ((inner - inner.nanmean((2, 3), keepdim=True)).nan_to_num().abs() < 0.01).all():
            raise NotYet("alpha is drawn once a channel; one a picture is wanted, of shape [N, 1, 1, 1]")
        if _within(share, sure):
            raise NotYet(
                "alpha is drawn once a *pixel*, so the points lie in a box, not on the line between two "
                "pictures; one a picture is wanted, of shape [N, 1, 1, 1]"
            )
        raise NotYet(
            "your points do not lie on the line from a generated to a real picture: "
            "alpha * real + (1 - alpha) * fake, with one alpha a picture"
        )
    if first.std() < 1e-4:
        what = "halfway" if abs(first.mean() - 0.5) < 1e-3 else "at the same share"
        raise NotYet(
            f"all your points lie {what} between their pictures: alpha is drawn anew for every picture"
        )
    if (first < -0.01).any() or (first > 1.01).any():
        raise NotYet(
            f"alpha goes from {first.min():.2f} to {first.max():.2f}: points outside the line; it is uniform "
            "in 0 … 1 (torch.rand, not randn)"
        )
    if torch.allclose(first, 1 - alpha.flatten().double(), atol=1e-3):
        raise NotYet(
            "your alpha weighs the generated picture: here alpha = 1 is the real one (exercise 6.10 counts on it)"
        )
    if not drew:
        raise NotYet("draw alpha with the generator that you are given: torch.rand(..., generator=generator)")
    return first


def _within(share: Tensor, sure: Tensor) -> bool:
    return bool(((share > -0.01) & (share < 1.01) | ~sure).all())


def _uniform(shares: Tensor) -> None:
    """Whether a thousand shares look uniform: the largest gap between their distribution and the diagonal."""
    ordered = shares.cpu().sort().values
    gap = (ordered - torch.linspace(0, 1, len(ordered), dtype=torch.float64)).abs().max().item()
    if gap > 0.1:
        raise NotYet(
            f"alpha is not uniform in 0 … 1 (half of yours lie below {ordered.median():.2f}): torch.rand as it is"
        )


def _worth(exercise: str, found, D: nn.Module, at: Tensor, centre: float) -> None:
    """Compare a penalty at known points, and its gradient for D's weights, with the right one."""
    name, twin = "gradient_penalty" if centre else "r1", copy.deepcopy(D).double()
    with torch.enable_grad():
        y = at.double().requires_grad_()
        logits = twin(y)

        def of(scores: Tensor) -> Tensor:
            return torch.autograd.grad(scores, y, create_graph=True)[0]

        g = of(logits.sum())
        n = g.flatten(1).norm(dim=1)
        right = (n - 1).square().mean() if centre else n.square().mean() / 2
        wrong = (_wrong_one_centred if centre else _wrong_r1)(g, n, of, logits)
        norm = "one norm" if centre else "half the mean of one squared norm"
        otherwise = f"{right.item():.4f} is right for this D and these points; flatten first, {norm} a picture"
        said = f"{name} of {len(at)} pictures"
        compare(exercise, found, right, *wrong, said=said, otherwise=otherwise, tolerance=1e-3)
        taught, wanted = (
            flat(torch.autograd.grad(cost, [*net.parameters()], materialize_grads=True)).cpu()
            for cost, net in ((_with_graph(exercise, found, name).sum(), D), (right, twin))
        )
    if distance(taught, wanted) > 0.05:
        raise NotYet(
            f"{name}: its value is right, and the gradient that D gets from it is not: the way from D's weights to the "
            "slope must stay whole (create_graph=True, no detach after it)"
        )
    if any(weight.grad is not None for weight in D.parameters()):
        raise NotYet(
            f"{name}: its value is right, and backward() has left gradients in D, where D's next step finds them; "
            "torch.autograd.grad returns the slope and leaves nothing"
        )


BY_N = "D(…).mean() divides every picture's slope by N: differentiate the *sum* of D's outputs"


def _wrong_one_centred(g: Tensor, n: Tensor, of: Callable, logits: Tensor):
    """Classic mistakes with the gradient penalty: (what they give, what to say)."""

    def around(norms):
        return (norms - 1).square()

    axis = "the norm runs over {} only; a picture's slope is one number, over *all* pixels: flatten(1) first"
    yield around(g.norm(dim=1)).mean(), axis.format("the channels")
    yield around(g.norm(dim=2)).mean(), axis.format("one axis")
    yield around(g.norm(dim=3)).mean(), axis.format("one axis")
    yield around(g.norm(dim=(2, 3))).mean(), axis.format("each channel")
    yield around(g.abs()).mean(), axis.format("each pixel")
    yield around(g.norm(dim=0)).mean(), axis.format("the pictures of the batch")
    yield (
        around(g.flatten(1).abs().sum(1)).mean(),
        "a norm is the root of the sum of squares; you add absolute values",
    )
    yield around(g.flatten(1).abs().amax(1)).mean(), "a norm is the root of the sum of squares, not the largest entry"
    yield around(g.norm()), "that is one norm over the whole batch; every picture has a slope of its own"
    yield around(n).sum(), "the pictures are summed; take the mean over them"
    yield around(n.square()).mean(), "the root is missing: (norm - 1)², not (norm² - 1)²"
    yield n.square().mean() - 1, "that is the mean of norm² - 1: square the difference, picture by picture"
    yield (n - 1).mean(), "the square is missing: slopes above and below 1 cancel"
    yield (n - 1).abs().mean(), "that is the distance from 1; it is squared"
    yield around(n.mean()), "the mean comes too early: square each picture's difference first"
    yield around(n.square().mean().sqrt()), "the root of the mean: each picture's norm first, the mean last"
    yield (
        around(n / g[0].numel() ** 0.5).mean(),
        "the norm is the root of the *sum* over the pixels, not of their mean",
    )
    yield F.relu(n - 1).square().mean(), "that charges slopes above 1 only; this penalty has two sides"
    yield n.square().mean(), "that is centred at 0; here a slope of 1 costs nothing"
    yield n.square().mean() / 2, "that is centred at 0, as R1; here a slope of 1 costs nothing"
    yield 10 * around(n).mean(), "without its weight: the 10 belongs into D's loss"
    sigmoid = of(logits.sigmoid().sum()).flatten(1).norm(dim=1)
    yield around(sigmoid).mean(), "that is the slope of the sigmoid; the penalty is on D's output itself"
    yield around(n / len(n)).mean(), BY_N


def _wrong_r1(g: Tensor, n: Tensor, of: Callable, logits: Tensor):
    """Classic mistakes with R1: (what they give, what to say)."""
    loss, squares = F.softplus(-logits), n.square()
    half, root = (
        "the half is missing: γ/2 is γ, outside, times 1/2, in here",
        "the square is missing: no root",
    )
    axis = "only the channels are summed; a picture's slope has all its pixels: flatten(1)"
    by_n = "you differentiate D's *loss*: it is divided by N and dies where D is sure; R1 takes D's output"
    yield squares.mean(), half
    yield 10 * squares.mean() / 2, "without its weight: γ belongs into D's loss"
    yield squares.mean() / 4, "the half counts twice"
    yield n.mean().square() / 2, "the mean comes too early: square each picture's slope first"
    yield (
        g.mean(0).square().sum() / 2,
        "the gradients are averaged before they are squared, so that opposite ones cancel; every picture has a slope",
    )
    for factor in (1 / 2, 1):
        yield factor * n.mean(), root
        yield factor * (n - 1).square().mean(), "that is centred at 1; R1 wants a slope of 0"
        yield factor * squares.sum(), "the pictures are summed; take the mean over them"
        yield (
            factor * g.square().mean(),
            "the pixels are averaged; they are summed, and the pictures averaged",
        )
        yield factor * g.square().sum(1).mean(), axis
        yield factor * squares.mean() / len(n) ** 2, BY_N
        for scores, words in (
            (loss.mean(), by_n),
            (loss.sum(), "you differentiate D's *loss*, which dies where D is sure; R1 takes D's output"),
            (logits.sigmoid().sum(), "that is the slope of the sigmoid; R1 is on D's output itself"),
        ):
            yield factor * of(scores).flatten(1).square().sum(1).mean(), words


def exercise_4(r1: Callable[[nn.Module, Tensor], Tensor]) -> None:
    """`r1(D, real)`: half the mean squared norm of D's slope at real pictures."""
    D, device = Steep().to(devices.default()), devices.default()
    for seed in (1, 2):
        real = (
            torch.rand(16, *SHAPE, generator=torch.Generator(device).manual_seed(seed), device=device) * 2 - 1
        )
        with torch.enable_grad(), torch.random.fork_rng(devices=[]), inputs(D) as seen:
            torch.manual_seed(seed)
            found = run("6.4", r1, D, real)
        points = [x for x in seen if x.shape == real.shape]
        if not points:
            raise NotYet("D never sees the batch of real pictures; show it all of them in one pass")
        if not torch.allclose(points[-1].float(), real, atol=1e-5):
            raise NotYet(
                "you look at other points than the real pictures: R1 is charged at the data themselves"
            )
        _worth("6.4", found, D, real, centre=0.0)
    passed("Right: the slope at the data, squared, and differentiable once more.")


# --- 6.5: the contraction ----------------------------------------------------------------------------


def exercise_5(contraction: Callable[[float, float], float]) -> None:
    """`contraction(rate, gamma)`: by what an alternating step near the solution multiplies the distance in the end."""
    for h, gamma in ((0.5, 1.6), (1.0, 0.3), (1.0, 0.0), (0.5, 1.0), (1.5, 0.4), (0.8, 0.1), (1.0, 1.5), (1.5, 1.5)):
        smaller, right = sorted(torch.linalg.eigvals(toy.dirac_matrix(h, True, gamma)).abs().tolist())
        at_once, misprint = (
            max(abs(1 + h * (-gamma / 2 + sign * complex(square / 4 - 1 / 4) ** 0.5)) for sign in (1, -1))
            for square in (gamma**2, gamma)
        )

        def other(rate: float, penalty: float) -> float:
            return torch.linalg.eigvals(toy.dirac_matrix(rate, True, penalty)).abs().max().item()

        compare(
            "6.5",
            run("6.5", contraction, h, gamma),
            right,
            (at_once, "that is the simultaneous step, I + hJ; here D moves first and G answers the new D"),
            (misprint, "under the root stands γ², not γ; and this is the simultaneous step"),
            (
                smaller,
                "that is the smaller of the two eigenvalues; the larger one is left in the end. Where the trace is "
                "below 0, that is the one with -√",
            ),
            (2 * right, "the 2 below is missing: (trace ± √…) / 2"),
            (1 - h * gamma, "that is the determinant, the product of the two; one of them is wanted"),
            (
                abs(1 - h * gamma) ** 0.5,
                "that holds while they are complex; here they are real: take the larger",
            ),
            (right**2, "that is the square of the modulus: the root is missing"),
            (1.0, "without a penalty the step circles; with one it contracts"),
            (-gamma / 2, "that is the real part of J's eigenvalue; a factor a step is wanted"),
            (other(h, 2 * gamma), "γ counts twice: the penalty is γ/2 ψ², its slope γψ"),
            (other(h, gamma / 2), "γ counts half: the penalty is γ/2 ψ², and its slope γψ has no half"),
            (
                other(2 * h, gamma),
                "the slope of softplus at 0 is 1/2: a step is h/2 times the other's coordinate",
            ),
            said=f"contraction({h}, {gamma})",
            otherwise=f"{right:.6f} is right: modulus of the larger solution of λ² - trace · λ + determinant = 0",
            wanted="one number is wanted",
            tolerance=1e-4,
        )
    passed("Right: circling pair or two real factors, the larger one is what remains.")


# --- 6.6: a prescription -----------------------------------------------------------------------------

TREATMENTS = (
    *(
        "objective",
        "lr_g",
        "lr_d",
        "betas",
        "real_label",
        "fake_label",
        "g_every",
        "d_every",
        "g_rests",
        "image_noise",
    ),
    *("d_norm", "minibatch_std", "penalty", "penalty_weight", "penalty_every", "d_width", "network"),
)
LONGEST = 5_000  # steps of a live run, at profile full


def exercise_6(prescribe: Callable[[str], dict]) -> None:
    """`prescribe(illness)`: changes of the sick recipe, for each of the three illnesses, one idea each."""
    for illness, provoked in ILLNESSES.items():
        changes = run("6.6", prescribe, illness)
        said = f"prescribe({illness!r})"
        if not isinstance(changes, dict) or not all(isinstance(name, str) for name in changes):
            raise NotYet(
                f"{said} is {shown(changes)}; a dictionary is wanted, field of the recipe -> new value"
            )
        said += f" is {shown(changes)}"
        sick = RECIPES["quick-digits"].but(**provoked, width=1 / 16)
        try:
            treated = sick.but(**changes)
            given = {name for name in changes if getattr(treated, name) != getattr(sick, name)}
            if others := sorted(given - set(TREATMENTS)):
                raise NotYet(f"{said}: {others[0]} makes it another experiment, not another treatment")
            GAN(treated)
        except NotYet:
            raise
        except CourseError as error:
            raise NotYet(f"{said}: the package refuses it: {error}") from None
        if not given:
            raise NotYet(f"{said}: that changes nothing; the patient is {provoked}")
        if treated.lr_g == 0 or treated.lr_d == 0:
            raise NotYet(f"{said}: with a rate of 0 a network never learns")
        if treated.g_rests[1] - treated.g_rests[0] >= LONGEST:
            raise NotYet(f"{said}: the longest of this lesson's runs has {LONGEST:,} steps, so G would never learn")
        if given >= set(provoked):
            raise NotYet(
                f"{said}: that undoes everything that made it ill, which is another patient; change one thing"
            )
        if illness == "collapse":
            _against_collapse(said, treated, sick)
        else:
            _against_imbalance(said, treated, sick, illness)
    passed("Right: three legal prescriptions, each aimed at its illness. Whether they help, runs will say.")


def _lead(recipe: Recipe) -> float:
    """How much faster D learns than G, in rates, steps and width."""
    d = recipe.lr_d / recipe.d_every * recipe.d_width
    return d / (recipe.lr_g / recipe.g_every)


def _bounded(recipe: Recipe) -> bool:
    """Whether something bounds D's slope."""
    return recipe.d_norm == "spectral" or (recipe.penalty != "none" and recipe.penalty_weight > 0)


def _against_imbalance(said: str, treated: Recipe, sick: Recipe, illness: str) -> None:
    fast, slow = ("D", "G") if illness == "d-too-fast" else ("G", "D")
    change = _lead(treated) / _lead(sick)
    falls = change if fast == "G" else 1 / change
    rests = treated.g_rests[1] > treated.g_rests[0]
    if falls < 0.99 or (fast == "D" and rests):
        raise NotYet(f"{said}: that gives {fast} a still greater lead, and {fast} is too fast already")
    if falls >= 2 or (fast == "D" and _bounded(treated)) or (fast == "G" and rests):
        return
    if falls > 1.01:
        raise NotYet(f"{said}: {fast}'s lead falls by a factor of {falls:.2g} only; make it half at most")
    if fast == "G" and _bounded(treated):
        raise NotYet(
            f"{said}: that holds D back, and D is the one who is behind. It may help all the same; the "
            "diagnosis does not suggest it"
        )
    bound = ", or bound D's slope (a penalty, spectral norm)" if fast == "D" else ""
    raise NotYet(f"{said}: {fast} keeps its lead; slow {fast} down or speed {slow} up{bound}")


def _against_collapse(said: str, treated: Recipe, sick: Recipe) -> None:
    slower = treated.lr_g <= sick.lr_g / 2 or treated.lr_d <= sick.lr_d / 2
    faster = treated.lr_g > sick.lr_g or treated.lr_d > sick.lr_d or treated.betas[0] > sick.betas[0]
    if faster:
        raise NotYet(f"{said}: larger steps, or steps that remember longer, are what made it ill")
    if not (slower or treated.betas[0] <= 0.5 or treated.minibatch_std or _bounded(treated)):
        raise NotYet(
            f"{said}: aim at the cause (both rates at 3e-3: halve one; Adam's first beta at 0.9: at most 0.5), let D "
            "see the whole batch (minibatch_std), or bound D's slope (a penalty, spectral norm)"
        )


# --- 6.7 to 6.9: three of the museum -----------------------------------------------------------------


def _at_fault(exercise: str, named, right: set[int], why: dict[int, str]) -> None:
    """Whether a student names the lines at fault, one number or several.

    Args:
        why: line -> what to say to whoever names it; where it is one of several at fault, to whoever names it alone.
    """
    if named is ... or callable(named):
        named = run(exercise, named)
    several = list(named) if isinstance(named, (list, set, tuple)) else [named]
    if not several or not all(isinstance(line, (int, float)) and line in why for line in several):
        wanted = "the numbers of two lines are" if len(right) == 2 else "the number of a line is"
        raise NotYet(
            f"you say {shown(named)}; {wanted} wanted, as in the comments beside the lines (1 to {len(why)})"
        )
    if (lines := set(several)) != right:
        line = int(min(lines - right or lines))
        raise NotYet(f"line {line}: {why[line]}")


SIGNS = {
    1: "it is a mean over real pictures, as it should be",
    2: "D's loss ends at the pictures: detach belongs there",
    3: "by itself it is no mistake: a D that is low for real pictures serves as well as one that is high. With which "
    "line does it not go together?",
    4: "by itself it is no mistake: it is right for a D that is high for real pictures. With which line does it not go "
    "together?",
}


def exercise_7(lines: tuple[int, int], mended_losses: Callable[..., tuple[Tensor, Tensor]]) -> None:
    """The two lines that contradict each other; `mended_losses(D, real, fake)`: D's loss and G's, in either sign.

    What counts is what each network learns, the gradients: a constant in a loss is nobody's business.
    """
    _at_fault("6.7", lines, {3, 4}, SIGNS)
    D, device = Steep().to(devices.default()), devices.default()
    weights = list(D.parameters())
    for seed in (1, 2):
        dice = torch.Generator(device).manual_seed(seed)
        real, fake = (torch.rand(32, *SHAPE, generator=dice, device=device) * 2 - 1).chunk(2)
        fake = (0.5 * fake).requires_grad_()  # on it hangs G
        with torch.enable_grad():
            found = run("6.7", mended_losses, D, real, fake)
            loss_d, loss_g = _two_losses(found)
            scores = D(real), D(fake)
            means = [part.mean() for part in scores]
            by_d = [flat(torch.autograd.grad(mean, weights, retain_graph=True)) for mean in means]
            by_fake = torch.autograd.grad(means[1], fake)[0].double()
            taught = _gradient(loss_d, weights)
            (leak,) = _gradient(loss_d, [fake])
            (pull,) = _gradient(loss_g, [fake])
        if leak is not None and leak.abs().max() > 0:
            raise NotYet("D's loss reaches G now: the detach of line 2 was right")
        if pull is None:
            raise NotYet("G learns nothing from its loss: there the generated pictures must not be detached")
        n, right = len(real), by_d[1] - by_d[0]
        taught = compare(
            "6.7",
            flat(torch.zeros_like(w) if g is None else g for g, w in zip(taught, weights, strict=True)),
            (right, -right),
            *(
                (sign * wrong, words)
                for sign in (1, -1)
                for wrong, words in (
                    (n * right, "D's loss is summed over the pictures; take the means"),
                    (by_d[0], "D's loss lacks the generated pictures"),
                    (by_d[1], "D's loss lacks the real pictures"),
                    (by_d[0] + by_d[1], "D treats both kinds alike: one half of its loss has the wrong sign"),
                )
            ),
            otherwise="D should learn from the difference of the two mean scores, and of nothing else",
            tolerance=0.02,
        )
        high = (taught @ right.cpu()).item() > 0
        learns = (
            "high for real pictures and low for generated ones"
            if high
            else "low for real, high for generated ones"
        )
        sign, does = (-1, "lowers") if high else (1, "raises")
        compare(
            "6.7",
            pull,
            sign * by_fake,
            (
                -sign * by_fake,
                f"D learns to be {learns}, so its step {does} the scores of generated pictures. G's step {does} them, "
                "too: they run together, where they should pull against each other",
            ),
            (sign * n * by_fake, "G's loss is summed over the pictures; take the mean"),
            otherwise="G should learn from the mean score of its own pictures, and from nothing else",
            tolerance=0.02,
        )
    passed(
        f"Right: D learns to be {learns}, and G pulls the other way. Both signs turned round would do as well."
    )


def _two_losses(found) -> tuple[Tensor, Tensor]:
    if not isinstance(found, (list, tuple)) or len(found) != 2:
        raise NotYet(f"mended_losses returns {shown(found)}; two losses are wanted, D's and G's")
    for name, loss in zip(("D's loss", "G's loss"), found, strict=True):
        if not isinstance(loss, Tensor) or loss.numel() != 1 or not loss.dtype.is_floating_point:
            raise NotYet(
                f"{name} is {shown(loss)}; one number is wanted, a tensor: take the mean over the pictures"
            )
        if not loss.requires_grad:
            raise NotYet(
                f"{name}: nothing can be learnt from it, its graph is gone (.item(), .detach(), no_grad)"
            )
    return found[0], found[1]


def _gradient(loss: Tensor, by: list[Tensor]) -> tuple[Tensor | None, ...]:
    return torch.autograd.grad(loss.double().sum(), by, retain_graph=True, allow_unused=True)


PLAIN = RECIPES["quick-digits"].but(width=1 / 16, batch=8, precision="float32")
LINES_OF_THE_STEP = {
    1: "the pictures of this step, for both networks, as the recipe has it",
    2: "a detach is missing there, so D's backward pass runs on through G, for nothing. But line 7 sets what it leaves "
    "in G to 0 in time: without the detach every weight comes out the same, bit for bit. Look on",
    3: "D's own backward pass; the graph is kept because line 8 goes through the same pictures once more",
    4: "D's optimiser moves D, by what its gradients hold. Do they hold the right thing?",
    5: "",
    6: "G's loss, of the new D. It must go through D to reach G",
    7: "it stands right before G's own backward pass, where it belongs; it makes the missing detach harmless",
    8: "it leaves gradients in D, as every step of G does; they have to be gone before D's next backward pass. Which "
    "line ought to see to that?",
    9: "G's optimiser moves G, right after G's own backward pass",
}


def exercise_8(line: int, mended_step: Callable[[GAN, Tensor], dict]) -> None:
    """The line that lets G's step leak into D; `mended_step(gan, real)`: one step of the plain recipe."""
    _at_fault("6.8", line, {5}, LINES_OF_THE_STEP)
    otherwise = (
        "the weights differ from the package's. Leave everything as it was but the place where D's gradients are set "
        "to 0: after G's backward pass and before D's next one"
    )
    to_the_bit = _as_the_package("6.8", mended_step, PLAIN, PLAIN_STEP, LEAKS, otherwise)
    how = "bit for bit" if to_the_bit else "in float64, by other operations"
    passed(
        f"Right: nothing of G's step is left when D learns; {STEPS} steps make the package's weights, {how}."
    )


LINES_OF_THE_PENALTY = {
    1: "one number a picture, uniform: as it should be",
    2: "on the line between two pictures, the generated one detached: as it should be",
    3: "D's outputs at the points: as it should be",
    4: "every picture's slope in one pass, and its graph is kept: as it should be",
    5: "",
}


def _a_penalty(
    shape: tuple[int, ...] = (1, 1, 1),
    draw: Callable = torch.rand,
    of_fake: bool = False,
    graph: bool = True,
    take: Callable[[Tensor], Tensor] = lambda g: (g.flatten(1).norm(dim=1) - 1).square().mean(),
) -> Callable:
    """A gradient penalty with parts exchanged."""

    def penalty(D, real, fake, generator):
        where = generator.device if generator else real.device
        alpha = draw(len(real), *(shape or real.shape[1:]), generator=generator, device=where).to(real)
        one, other = (fake, real) if of_fake else (real, fake)
        y = (alpha * one + (1 - alpha) * other).detach().requires_grad_()
        scores = D(y)
        (g,) = torch.autograd.grad(scores, y, torch.ones_like(scores), create_graph=graph)
        return take(g)

    return penalty


def _halves(*shape, generator, device) -> Tensor:
    return torch.full(shape, 0.5, device=device)


def _norm(g: Tensor) -> Tensor:
    return g.flatten(1).norm(dim=1)


POINTS = (
    "where do its points lie? Between real pictures of 1 and generated ones of 0, what D gets to see is alpha"
)
# name -> (an implementation, what a test that misjudges it should do instead); sound ones, then buggy ones.
SOUND = {
    "the package's own": (
        losses.gradient_penalty,
        "hold it against the formula, by a D whose slope you know",
    ),
    "one whose alpha weighs the generated picture": (
        _a_penalty(of_fake=True),
        "a uniform alpha has the same law both ways, so ask where the points lie, not which alpha drew them",
    ),
    "one with the square multiplied out": (
        _a_penalty(take=lambda g: (g.square().sum((1, 2, 3)) - 2 * _norm(g) + 1).mean()),
        "it differs from the others by rounding alone: compare with a tolerance",
    ),
}
BUGGY = {
    "the norm over the channels alone": (
        _a_penalty(take=lambda g: (g.norm(dim=1) - 1).square().mean()),
        "give it pictures of more than one pixel, and a D whose slope over all of them you know",
    ),
    "one norm a channel": (
        _a_penalty(take=lambda g: (g.norm(dim=(2, 3)) - 1).square().mean()),
        "give it pictures of more than one channel",
    ),
    "the mean over the pictures before the square": (
        _a_penalty(take=lambda g: (_norm(g).mean() - 1).square()),
        "on a linear D all pictures have the same slope, and nothing shows: take one whose slope varies",
    ),
    "the root left out": (
        _a_penalty(take=lambda g: (_norm(g).square() - 1).square().mean()),
        "a slope of 1 is its own square: take other slopes",
    ),
    "a sum over the pictures": (
        _a_penalty(take=lambda g: (_norm(g) - 1).square().sum()),
        "give it more than one picture, and hold the value against the mean",
    ),
    "one alpha a pixel": (
        _a_penalty(shape=()),
        POINTS,
    ),
    "a normal alpha": (
        _a_penalty(draw=torch.randn),
        POINTS,
    ),
    "an alpha that is always a half": (
        _a_penalty(draw=_halves),
        "its points lie on the line, all of them halfway: how far do they spread?",
    ),
    "the graph cut off (no create_graph)": (
        _a_penalty(graph=False),
        "its value is right, and D learns nothing from it: does it still require a gradient?",
    ),
}


def exercise_9(line: int, is_sound: Callable[[Callable], bool]) -> None:
    """The line of `found_penalty` at fault; `is_sound(penalty)`: True for a sound gradient penalty, False otherwise."""
    _at_fault("6.9", line, {5}, LINES_OF_THE_PENALTY)
    for right, implementations in ((True, SOUND), (False, BUGGY)):
        for name, (penalty, instead) in implementations.items():
            kind = "a sound implementation" if right else "a buggy one"
            try:
                with torch.enable_grad(), torch.random.fork_rng(devices=[]):
                    torch.manual_seed(0)
                    said = run("6.9", is_sound, penalty)
            except NotYet as refusal:
                if "stopped with" in str(refusal):
                    words = f"(given {kind}, {name}; a test answers False where it finds a bug, and does not stop)"
                    raise NotYet(f"{refusal} {words}") from refusal
                raise
            if isinstance(said, (np.ndarray, Tensor)) and said.ndim == 0:
                said = said.item() if said.dtype in (bool, torch.bool) else said
            if not isinstance(said, (bool, np.bool_)):
                raise NotYet(f"is_sound returns {shown(said)}; True or False is wanted")
            if said != right:
                verdict = "refuses a sound implementation" if right else "lets a bug pass"
                raise NotYet(f"your test {verdict}: {name}. Advice: {instead}")
    passed(f"Right: {len(SOUND)} sound implementations pass your test, and {len(BUGGY)} bugs do not.")


# --- 6.10: a step of one's own -----------------------------------------------------------------------

OWN = RECIPES["quick-digits"].but(
    width=1 / 16,
    batch=8,
    objective="hinge",
    penalty="gradient",
    penalty_weight=10.0,
    d_norm="layer",
    d_every=2,
)
STEPS = 6
LOUD = 30.0  # times D's first last layer


def exercise_10(own_step: Callable[[GAN, Tensor], dict]) -> None:
    """`own_step(gan, real)`: hinge, gradient penalty of weight 10, D moves at steps 0, d_every, 2 d_every, …"""
    otherwise = (
        "the weights differ from the package's. Line by line: G's pictures of gan.latents; where D moves, the real "
        "logits, then the generated ones, then the penalty (alpha from gan.noise), one step of D on their sum; then "
        "G's step on the same pictures"
    )
    if _as_the_package("6.10", own_step, OWN, {}, MISTAKES, otherwise):
        passed(f"Right: after {STEPS} steps every weight equals the package's, bit for bit.")
    else:
        passed(
            f"Right: the package's mathematics by other operations. After {STEPS} steps in float64 both agree."
        )


def _as_the_package(
    exercise: str, step: Callable, recipe: Recipe, switches: dict, mistakes: dict[tuple, str], otherwise: str
) -> bool:
    """Compare a step with the package's: whether some of them make the same weights to the bit.

    Args:
        switches: those of `reference_step` that make it do the same.
        mistakes: switches -> what to say to a step that does as it does with them, too.

    Raises:
        NotYet: the weights differ in float64, too, or the telemetry is not what a step returns.
    """
    new, (gan, said), (package, told) = (
        _new(recipe),
        _trained(exercise, step, recipe),
        _package(recipe),
    )
    for name in ("G", "D"):
        network = getattr(gan, name)
        if not all(p.requires_grad for p in network.parameters()):
            raise NotYet(f"{name} is left frozen: requires_grad_(True) again after the step that froze it")
        if torch.equal(_weights(new, name), _weights(gan, name)):
            raise NotYet(f"{name} never moved: loss, zero_grad, backward, step of its own optimiser")
    if to_the_bit := torch.equal(_weights(gan), _weights(package)):
        _telemetry(said, told, recipe)
        return to_the_bit
    if recipe.penalty != "none" and not torch.equal(gan.noise.get_state(), package.noise.get_state()):
        otherwise = (
            "the weights differ from the package's, and so does what was drawn from gan.noise: a batch of latents a "
            "step, and where D moves one alpha a picture, by handing gan.noise to your penalty"
        )
    twice = _weights(_trained(exercise, step, recipe, double=True)[0])
    right, *wrong = (_carried(tuple({**switches, **dict(more)}.items()), recipe) for more in ((), *mistakes))
    named = zip(wrong, mistakes.values(), strict=True)
    compare(exercise, twice - _weights(new), right, *named, otherwise=otherwise, tolerance=1e-6)
    _telemetry(said, told, recipe)
    return to_the_bit


def _new(recipe: Recipe) -> GAN:
    gan = GAN(recipe, seed=6, device=devices.default())
    if recipe.objective == "hinge":  # a new D scores all pictures between the margins, where no hinge can be seen
        last = [weight for weight in gan.D.parameters() if weight.ndim > 1][-1]
        last.data.mul_(LOUD)
    return gan


def _weights(gan: GAN, names: str = "GD") -> Tensor:
    return flat(p for name in names for p in getattr(gan, name).parameters()).cpu()


def _trained(exercise: str, step: Callable, recipe: Recipe, double: bool = False) -> tuple[GAN, list]:
    """A small run after a few of these steps, and what they returned; in float64 on request."""
    gan, said = _new(recipe), []
    if double:
        gan.G.double(), gan.D.double()
    dice = torch.Generator().manual_seed(7)
    batches = torch.randint(0, 256, (STEPS, recipe.batch, 1, 28, 28), generator=dice).to(gan.device)

    with torch.enable_grad(), gan.own_randomness(), InFloat64() if double else contextlib.nullcontext():
        for batch in batches:
            said.append(run(exercise, step, gan, batch.float() / 127.5 - 1))
            gan.step += 1
            gan.images += gan.batch
    return gan, said


@functools.cache
def _package(recipe: Recipe) -> tuple[GAN, list]:
    return _trained("6", training.train_step, recipe)


def _telemetry(said: list, told: list, recipe: Recipe) -> None:
    """Whether every step has told its losses, and the package's."""
    for i, (values, right) in enumerate(zip(said, told, strict=True)):
        wanted = ["loss_g"] + ["loss_d"] * recipe.d_moves(i)
        if not isinstance(values, dict) or not all(isinstance(values.get(name), Tensor) for name in wanted):
            raise NotYet(
                f"the weights are right. At step {i} your function returns {shown(values)}; the telemetry is wanted, a "
                f"dictionary with {' and '.join(wanted)} as detached tensors"
            )
        if any(values[name].requires_grad for name in wanted):
            raise NotYet(
                "the weights are right. The losses that you return still carry their graphs: detach them"
            )
        for name in wanted:
            value, own = float(right[name]), values[name].double()
            if own.numel() != 1 or not (own - value).abs() <= 0.05 * max(1.0, abs(value)):  # roundings grow
                raise NotYet(
                    f"the weights are right. At step {i} the {name} that you return is {shown(values[name])}, and "
                    f"{value:.3f} is right: the mean over the batch that was minimised, without the penalty"
                )


def reference_step(
    gan: GAN,
    real: Tensor,
    *,
    weight: float = 10.0,
    d_every: int = 2,
    first_d: int = 0,
    g_every: int = 1,
    penalty: Callable = losses.gradient_penalty,
    d_loss: Callable = losses.d_hinge,
    g_loss: Callable = losses.g_raise_score,
    detach: bool = True,
    zero_d: str = "before backward",
    zero_g: str = "before backward",
    steps_d: int = 1,
    for_g: str = "same images",
) -> dict[str, Tensor]:
    """The step of exercise 10, with a switch for each mistake that 8 and 10 can name."""
    said = {}
    if zero_g == "at the top":
        gan.opt_g.zero_grad()
    fake = gan.G(gan.latents(len(real)))
    if gan.step % d_every == first_d:
        judged = fake.detach() if detach else fake
        loss = d_loss(gan.D(real), gan.D(judged))
        said["loss_d"] = loss.detach()
        charge = weight * penalty(gan.D, real, fake.detach(), gan.noise) if weight else 0.0 * loss
        for part in (loss, charge) if steps_d == 2 else (loss + charge,):
            if zero_d == "before backward":
                gan.opt_d.zero_grad()
            part.backward(retain_graph=not detach)
            gan.opt_d.step()
        if zero_d == "after step":
            gan.opt_d.zero_grad()
    if gan.step % g_every == 0:
        loss = g_loss(gan.D(fake if for_g == "same images" else gan.G(gan.latents(len(real)))))
        if zero_g == "before backward":
            gan.opt_g.zero_grad()
        loss.backward()
        gan.opt_g.step()
        said["loss_g"] = loss.detach()
    return said


def _r1_instead(D, real, fake, generator):
    torch.rand(len(real), 1, 1, 1, generator=generator, device=real.device)
    return losses.r1(D, real)


MISTAKES = {
    tuple(changes.items()): words
    for words, changes in (
        ("the penalty is missing in D's loss", {"weight": 0.0}),
        ("the penalty counts once; its weight here is 10", {"weight": 1.0}),
        ("D moves at every step; with d_every = 2 it moves at steps 0, 2, 4, …", {"d_every": 1}),
        ("D moves at steps 1, 3, 5, …; it should at 0, 2, 4, …", {"first_d": 1}),
        ("D learns by cross-entropy; here it is hinge", {"d_loss": losses.d_bce}),
        ("D's loss has no hinge: pictures that are safe count, too", {"d_loss": losses.d_wasserstein}),
        (
            "G learns by cross-entropy; hinge's G raises D's output itself",
            {"g_loss": losses.g_non_saturating},
        ),
        (
            "D and G learn by cross-entropy; here it is hinge",
            {"d_loss": losses.d_bce, "g_loss": losses.g_non_saturating},
        ),
        ("G's sign: it wants D's output for its pictures to rise", {"g_loss": torch.mean}),
        (
            "D's step leaks into G: detach the generated pictures; G's zero_grad() right before its own backward()",
            {"detach": False, "zero_g": "at the top"},
        ),
        ("D's gradients pile up: opt_d.zero_grad() right before its backward()", {"zero_d": "never"}),
        (
            "G's step leaks into D: opt_d.zero_grad() belongs right before D's own backward()",
            {"zero_d": "after step"},
        ),
        ("G's gradients pile up: opt_g.zero_grad() right before its backward()", {"zero_g": "never"}),
        (
            "D makes two steps, one for the loss and one for the penalty; add them and make one",
            {"steps_d": 2},
        ),
        (
            "G's step draws new pictures; this recipe takes those that D has just judged",
            {"for_g": "new images"},
        ),
        ("your penalty is R1; here it is the gradient penalty of exercise 6.3", {"penalty": _r1_instead}),
    )
}
PLAIN_STEP = {"weight": 0.0, "d_every": 1, "d_loss": losses.d_bce, "g_loss": losses.g_non_saturating}
LEAKS = {
    tuple(changes.items()): words
    for words, changes in (
        (
            "G's step still leaks into D: what its backward pass leaves in D counts in D's next step. D's gradients "
            "have to be set to 0 after that pass and before D's own",
            {"zero_d": "after step"},
        ),
        (
            "now D's step leaks into G: without a detach G's zero_grad() has to stand after D's backward pass",
            {"detach": False, "zero_g": "at the top"},
        ),
        (
            "both leak into each other: each network's zero_grad() belongs right before its own backward pass",
            {"detach": False, "zero_g": "at the top", "zero_d": "after step"},
        ),
        ("D's gradients pile up: opt_d.zero_grad() is gone", {"zero_d": "never"}),
        ("G's gradients pile up: opt_g.zero_grad() is gone", {"zero_g": "never"}),
        ("G's gradients pile up, and D's step leaks into them", {"detach": False, "zero_g": "never"}),
        (
            "all gradients pile up: neither network's are ever set to 0",
            {"zero_d": "never", "zero_g": "never"},
        ),
        ("G's step draws new pictures; here it takes those that D has just judged", {"for_g": "new images"}),
        ("G's loss is the saturating one; line 6 was right", {"g_loss": losses.g_saturating}),
        ("G's sign: line 6 was right", {"g_loss": lambda fake: -losses.g_non_saturating(fake)}),
    )
}


@functools.cache
def _carried(changes: tuple[tuple[str, object], ...], recipe: Recipe) -> Tensor:
    """How far the reference step with these switches carries the first weights, in float64."""
    step = functools.partial(reference_step, **dict(changes))
    return _weights(_trained("", step, recipe, double=True)[0]) - _weights(_new(recipe))
