"""Checks for lesson 01: the optimal D, the value function, gradients by hand, spirals, modes, a step of D."""

import copy
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from gan_course import losses, toy
from gan_course.checks import NotYet, passed, run


def exercise_1(optimal_discriminator: Callable[[Tensor, Tensor], Tensor]) -> None:
    """`optimal_discriminator(p, q)` is D* at points with these densities, and 0.5 where both are 0."""
    p = torch.tensor([0.3, 0.1, 0.0, 0.5, 0.2, 0.0])
    q = torch.tensor([0.1, 0.3, 0.4, 0.0, 0.2, 0.0])
    given = _tensor("1.1", run("1.1", optimal_discriminator, p.clone(), q.clone()), p.shape)
    right = torch.tensor([0.75, 0.25, 0.0, 1.0, 0.5, 0.5])
    _compare(
        given[:-1],
        right[:-1],
        (1 - right[:-1], "flipped: yours is q / (p + q); D answers 1 for real, so it rises with p"),
        ((p / q)[:-1], "p / q is the odds, between 0 and infinity; a probability divides by p + q"),
        (torch.sigmoid(right[:-1]), "sigmoid twice: p / (p + q) is a probability already"),
        otherwise=f"at p = 0.3, q = 0.1 D* is 0.75, yours says {given[0]:.3f}: solve a / y = b / (1 - y) for y",
    )
    if given[-1].isnan():
        raise NotYet("where neither has mass you compute 0 / 0 and get NaN; return 0.5 there (torch.where)")
    if not torch.isclose(given[-1], right[-1]):
        raise NotYet(f"where p = q = 0 this exercise asks for 0.5; yours says {given[-1]:.2f}")
    passed("Right: p / (p + q), and a coin where nobody has mass.")


def exercise_2(value: Callable[[Tensor, Tensor], Tensor]) -> None:
    """`value(real_logits, fake_logits)` estimates V(D, G) = E log D(x) + E log(1 - D(G(z))), at any logit."""

    def v(r: Tensor, f: Tensor) -> Tensor:
        return F.logsigmoid(r).mean() + F.logsigmoid(-f).mean()

    real, fake = torch.tensor([2.0, -1.0, 0.5]), torch.tensor([-3.0, 0.0, 1.0, -1.0])
    given, right = _tensor("1.2", run("1.2", value, real, fake), ()), v(real, fake)
    logs = F.logsigmoid(real), F.logsigmoid(-fake)
    _compare(
        given,
        right,
        (-right, "the sign: that is D's loss. V itself is never positive, and D maximises it"),
        (logs[0].sum() + logs[1].sum(), "sums where means are asked: an expectation is a mean"),
        (torch.cat(logs).mean(), "one mean over both batches; V adds two expectations, so add two means"),
        (v(real.sigmoid(), fake.sigmoid()), "sigmoid twice: logsigmoid takes the logits as they are"),
        (v(fake, real), "the batches are swapped: log D belongs to the real logits"),
        (v(real, -fake), "the second term is log(1 - D) = logsigmoid(-l); yours rewards believing fakes"),
        (right / 2, "half of V: the two expectations are added, not averaged"),
        otherwise=f"for real 2, -1, 0.5 and fake -3, 0, 1, -1 V is {right:.4f}, yours {given:.4f}",
    )
    zero = torch.zeros(1)
    for real, fake in ((torch.tensor([-200.0, 0.0]), zero), (zero, torch.tensor([200.0, 0.0]))):
        given, right = _tensor("1.2", run("1.2", value, real, fake), ()), v(real, fake)
        if not given.isfinite():
            raise NotYet(
                f"with a logit of 200 yours becomes {given.item()}: sigmoid rounds to 0 or 1, and log(0) "
                "overflows; F.logsigmoid works on the logit"
            )
        if not torch.isclose(given, right, rtol=1e-3):
            raise NotYet(
                f"with a logit of 200 V is {right:.1f}, yours {given:.1f}: a clamp or an epsilon hides how "
                "wrong D is; F.logsigmoid needs neither"
            )
    passed("Right: two means of logsigmoid, finite at every logit.")


def exercise_3(gradient: Callable[[Tensor], Tensor]) -> None:
    """`gradient(fake_logits)` is the derivative of the mean non-saturating loss by each logit of the batch."""
    logits = torch.tensor([-6.0, -1.0, 0.0, 2.0, 5.0])
    given = _tensor("1.3", run("1.3", gradient, logits.clone()), logits.shape)
    sure, n = torch.sigmoid(logits), len(logits)
    right = -(1 - sure) / n
    _compare(
        given,
        right,
        (right * n, "the loss is a mean over the batch, so divide each logit's share by the batch size"),
        (-right, "the sign: a larger logit makes -log D smaller, so the derivative is negative"),
        (-right * n, "two things: the derivative is negative, and of a mean, so divide by the batch size"),
        (-sure / n, "that is the saturating gradient, -D: it is almost 0 where D is sure of a fake"),
        (-sure, "that is the saturating gradient, -D, and without the 1/N of the mean"),
        (-1 / sure / n, "you differentiated -log D by D; now the chain rule: times dD/dl = D (1 - D)"),
        (-sure * (1 - sure) / n, "that is the sigmoid's own derivative; multiply by 1/D, that of log D"),
        otherwise=f"at the logit 0 in a batch of {n} it is {right[2]:.3f}, yours says {given[2]:.3f}",
    )
    passed("Right: -(1 - D) / N, strongest where D is sure of a fake.")


def exercise_4(update_matrix: Callable[[float, float], Tensor], verdict: Callable[[Tensor], str]) -> None:
    """`update_matrix(rate, penalty)` is one alternating step (D first) of (theta, psi) near the solution, and
    `verdict(matrix)` says "converges", "circles" or "diverges"."""
    rate, penalty = 0.8, 0.3
    given = _tensor("1.4", run("1.4", update_matrix, rate, penalty), (2, 2))

    def step(rate: float = rate, penalty: float = penalty, alternating: bool = True) -> Tensor:
        return toy.dirac_matrix(rate, alternating, penalty).float()

    right, at_once = step(), step(alternating=False)
    d, g = at_once.tril(), step(penalty=0.0, alternating=False).triu()  # the two half steps
    _compare(
        given,
        right,
        (
            at_once,
            "that is the simultaneous step; here G answers the D that has moved: multiply two matrices",
        ),
        (d @ g, "the order: D moves first, and what is done first stands on the right of the product"),
        (step(2 * rate, penalty / 2), "the factor 1/2 is missing: at the solution sigma is sigma(0) = 1/2"),
        (step(penalty=0.0), "the penalty is missing: it adds penalty * psi to D's gradient"),
        (right.flip(0, 1), "theta and psi are exchanged: the first row and column belong to theta"),
        (right.T, "transposed: row i holds what the new coordinate i is made of"),
        (step(-rate, -penalty), "the signs: psi loses rate * theta / 2, and theta gains rate * psi / 2"),
        ((g - torch.eye(2)) @ d, "the identity is missing in G's half: new value = old value + step"),
        otherwise=f"for rate 0.8 and penalty 0.3 the matrix is {_rows(right)}, yours {_rows(given)}: "
        "write D's half step and G's half step as matrices first",
    )
    for *setting, word, reason in (
        (0.5, False, 0.0, "diverges", "its eigenvalues 1 ± 0.25i have real part 1 but modulus 1.03"),
        (0.5, True, 0.0, "circles", "both eigenvalues have modulus 1, to rounding: allow about 1e-9"),
        (4.2, True, 0.0, "diverges", "the larger modulus decides, and it may belong to a negative number"),
        (0.5, True, 0.2, "converges", "both moduli are below 1"),
        (0.2, False, 3.0, "converges", "both eigenvalues are real and below 1"),
    ):
        matrix = toy.dirac_matrix(*setting)
        said = run("1.4", verdict, matrix)
        if said != word:
            raise NotYet(f"verdict of {_rows(matrix)} should be {word!r}, yours is {said!r}: {reason}")
    passed("Right: two half steps multiplied, and the largest modulus decides.")


def exercise_5(count_modes: Callable[[Tensor, Tensor, float], int]) -> None:
    """`count_modes(samples, centres, sigma)`: centres with at least 1 % of all samples within 3 sigma."""
    centres, sigma = toy.eight_gaussians().centres, 0.1
    generator = torch.Generator().manual_seed(5)

    def around(mode: int, n: int, radius: float) -> Tensor:  # n points, `radius` sigmas from a centre
        angle = torch.rand(n, generator=generator) * 6.283
        return centres[mode] + radius * sigma * torch.stack([angle.cos(), angle.sin()], dim=1)

    for clouds, right, reason in (
        (
            [(0, 500, 0.5), (3, 500, 0.5)],
            2,
            "two modes hold all samples; is the mean taken over the samples?",
        ),
        ([(k, 250, 0.5) for k in range(8)], 8, "each of the eight modes holds an eighth of the samples"),
        ([(0, 995, 0.5), (1, 5, 0.5)], 1, "5 of 1,000 is not 1 %: one lucky sample does not cover a mode"),
        (
            [(0, 500, 0.5), (1, 500, 5.0)],
            1,
            "500 samples lie 5 sigma off: nearest is not near, ask for 3 sigma",
        ),
        (
            [(0, 500, 0.5), (1, 500, 2.5)],
            2,
            "2.5 sigma is within 3 sigma; is the distance squared on one side?",
        ),
        ([(0, 92, 0.5), (1, 8, 0.5), (2, 900, 6.0)], 1, "8 of 1,000: count 1 % of all, not of the near ones"),
    ):
        given = run("1.5", count_modes, torch.cat([around(*cloud) for cloud in clouds]), centres, sigma)
        try:
            given = int(given)
        except (TypeError, ValueError, RuntimeError):
            raise NotYet(f"count_modes returns one whole number; yours is {type(given).__name__}") from None
        if given != right:
            raise NotYet(f"{reason}. Covered there: {right}; yours says {given}")
    passed("Right: at least 1 % of all samples, within 3 sigma.")


def exercise_6(step_d: Callable[..., object]) -> None:
    """`step_d(G, D, optimiser, real, z)` makes one step of D on -V and leaves G and its gradients alone."""
    G, D = toy.Stack([1], 2, 16, 2), toy.Stack([2], 2, 16, 1)
    generator = torch.Generator().manual_seed(6)
    real, z = torch.randn(1, 32, 2, generator=generator) + 2, torch.randn(1, 32, 2, generator=generator)
    start, before, rate = copy.deepcopy(D), copy.deepcopy(G.state_dict()), 0.1
    for parameter in D.parameters():
        parameter.grad = torch.full_like(parameter, 0.5)  # as if G's step had left its gradients here
    run("1.6", step_d, G, D, torch.optim.SGD(D.parameters(), lr=rate), real, z)

    def after(loss: Callable[[Tensor, Tensor], Tensor], stale: float = 0.0) -> Tensor:
        gradients = torch.autograd.grad(loss(start(real), start(G(z).detach())), list(start.parameters()))
        return _flat(start.parameters()) - rate * (_flat(gradients) + stale)

    if any(not torch.equal(before[name], tensor) for name, tensor in G.state_dict().items()):
        raise NotYet("G's weights have changed: this is D's step, its optimiser alone may move")
    if any(parameter.grad is not None for parameter in G.parameters()):
        raise NotYet("detach is missing: D's loss sent gradients into G, and G's next step would follow them")
    given = _flat(D.parameters())
    right = after(losses.d_bce)
    half = after(lambda r, f: losses.d_bce(r, f) / 2)  # the mean over both batches: the same direction
    _compare(
        given,
        half if torch.allclose(given, half, atol=1e-6) else right,
        (
            _flat(start.parameters()),
            "D has not moved: backward() finds the gradient, optimiser.step() uses it",
        ),
        (
            after(losses.d_bce, 0.5),
            "old gradients have been added in: optimiser.zero_grad() before backward()",
        ),
        (after(lambda r, f: losses.d_bce(f, r)), "flipped labels: real has the label 1, generated 0"),
        (
            after(lambda r, f: -losses.d_bce(r, f)),
            "uphill: an optimiser minimises, and D wants V large: use -V",
        ),
        (after(lambda r, f: losses.d_bce(r.sigmoid(), f.sigmoid())), "sigmoid twice: D returns logits"),
        (after(lambda r, f: r.numel() * losses.d_bce(r, f)), "summed over the batch; V is made of means"),
        (after(lambda r, f: losses.bce(r, 1.0)), "the generated half of the loss is missing"),
        (after(lambda r, f: losses.bce(f, 0.0)), "the real half of the loss is missing"),
        otherwise="D has moved, but not down the gradient of -V: compare your loss with losses.d_bce",
    )
    passed("Right: D moved, G and its gradients did not.")


def _compare(given: Tensor, right: Tensor, *wrong: tuple[Tensor, str], otherwise: str) -> None:
    """Nothing if `given` is right; else a refusal with the words of the wrong answer it equals, or `otherwise`."""
    if torch.allclose(given, right, atol=1e-6):
        return
    raise NotYet(
        next((words for answer, words in wrong if torch.allclose(given, answer, atol=1e-6)), otherwise)
    )


def _flat(tensors) -> Tensor:
    return torch.cat([tensor.detach().flatten() for tensor in tensors])


def _tensor(exercise: str, given, shape) -> Tensor:
    """What a student returned, as a float tensor of this shape; lists and arrays are welcome."""
    if given is None:
        raise NotYet(f"exercise {exercise}: your function returns nothing; is the `return` missing?")
    try:
        given = torch.as_tensor(given, dtype=torch.float32).detach()
    except (TypeError, ValueError, RuntimeError):
        raise NotYet(f"exercise {exercise}: a tensor is asked for; yours is {type(given).__name__}") from None
    if given.shape != torch.Size(shape):
        raise NotYet(
            f"exercise {exercise}: the result has the shape {tuple(shape)}; yours has {tuple(given.shape)}"
        )
    return given


def _rows(matrix: Tensor) -> str:
    return "[" + ", ".join("[" + ", ".join(f"{v:.3g}" for v in row) + "]" for row in matrix.tolist()) + "]"
