"""Checks for lesson 01: the optimal D, the value function, gradients by hand, spirals, modes, steps of D, JS."""

import copy
import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gan_course import losses, toy
from gan_course.checks import InFloat64, NotYet, compare, flat, inputs, passed, run, shown, word


def exercise_1(optimal_discriminator: Callable[[Tensor, Tensor], Tensor]) -> None:
    """`optimal_discriminator(p, q)` is D* at points with these densities, and 0.5 where both are 0."""
    p = torch.tensor([0.3, 0.1, 0.0, 0.5, 0.2, 0.0])
    q = torch.tensor([0.1, 0.3, 0.4, 0.0, 0.2, 0.0])
    right = torch.tensor([0.75, 0.25, 0.0, 1.0, 0.5, 0.5])
    bare, lonely = ((p / (p + q)).double(), "where neither has mass you compute 0 / 0 and get NaN; return 0.5 there")

    def at_nothing(value: float) -> Tensor:
        return torch.cat([right[:-1], torch.tensor([value])])

    compare(
        "1.1",
        run("1.1", optimal_discriminator, p, q),
        right,
        (bare, f"{lonely} (torch.where)"),
        (1 - bare, f"flipped: yours is q / (p + q), and D rises with p; and {lonely}"),
        (1 - right, "flipped: yours is q / (p + q); D answers 1 for real, so it rises with p"),
        *(
            (odds.nan_to_num(n, posinf=math.inf), "p / q is the odds, between 0 and infinity; divide by p + q")
            for odds in [p / q]
            for n in (math.nan, 0.5)
        ),
        (torch.sigmoid(right), "sigmoid twice: p / (p + q) is a probability already"),
        *(
            (torch.log(p / q).nan_to_num(n, posinf=math.inf, neginf=-math.inf), "that is D's logit; its sigmoid is D*")
            for n in (math.nan, 0.5)
        ),
        *((at_nothing(n), f"where p = q = 0 this exercise asks for 0.5; yours says {n:g}") for n in (0.0, 1.0)),
        *(
            (torch.where(alone, 0.5, right), "0.5 is for places where *neither* has mass; where one has, D* is 0 or 1")
            for alone in (p == 0, q == 0, (p == 0) | (q == 0))
        ),
        otherwise=lambda v: f"at p = 0.3, q = 0.1 D* is 0.75, yours says {v[0]:.3f}: solve a / y = b / (1 - y) for y",
    )
    compare(
        "1.1",
        run("1.1", optimal_discriminator, torch.tensor([3e-30]), torch.tensor([1e-30])),
        torch.tensor([0.75]),
        otherwise=lambda v: (
            f"at p = 3e-30, q = 1e-30 D* is 0.75 as anywhere, yours says {v[0]:.3f}: no epsilon and "
            "no threshold, 0.5 only where both are 0"
        ),
    )
    passed("Right: p / (p + q), and a coin where nobody has mass.")


def exercise_2(value: Callable[[Tensor, Tensor], Tensor]) -> None:
    """`value(real_logits, fake_logits)` estimates V(D, G) = E log D(x) + E log(1 - D(G(z))), at any logit."""

    def v(r: Tensor, f: Tensor) -> Tensor:
        return F.logsigmoid(r).mean() + F.logsigmoid(-f).mean()

    real, fake = torch.tensor([2.0, -1.0, 0.5]), torch.tensor([-3.0, 0.0, 1.0, -1.0])
    logs, right = (F.logsigmoid(real), F.logsigmoid(-fake)), v(real, fake)
    compare(
        "1.2",
        run("1.2", value, real, fake),
        right,
        (-right, "the sign: that is D's loss. V itself is never positive, and D maximises it"),
        (logs[0].sum() + logs[1].sum(), "sums where means are asked: an expectation is a mean"),
        (torch.cat(logs).mean(), "one mean over both batches; V adds two expectations, so add two means"),
        (v(real.sigmoid(), fake.sigmoid()), "sigmoid twice: logsigmoid takes the logits as they are"),
        (v(fake, real), "the batches are swapped: log D belongs to the real logits"),
        (v(real, -fake), "the second term is log(1 - D) = logsigmoid(-l); yours rewards believing fakes"),
        (right / 2, "half of V: the two expectations are added, not averaged"),
        (logs[0].mean(), "the second expectation is missing: log(1 - D) of the fakes"),
        *(
            (v, "the logarithms are missing: V is made of log D and log(1 - D)")
            for v in (real.mean() - fake.mean(), real.sigmoid().mean() + 1 - fake.sigmoid().mean())
        ),
        (real.sigmoid().log().mean() + 1 - fake.sigmoid().log().mean(), "log(1 - D) is not 1 - log D"),
        (F.logsigmoid(real.mean()) + F.logsigmoid(-fake.mean()), "the mean comes last, of the logarithms"),
        (logs[0].mean() - logs[1].mean(), "both terms are added; the minus stands inside the second logarithm"),
        (v(real, fake - 1), "1 - D is not the sigmoid of 1 - l, but of -l"),
        otherwise=lambda g: f"for real 2, -1, 0.5 and fake -3, 0, 1, -1 V is {right:.4f}, yours {g:.4f}",
    )
    zero = torch.zeros(1)
    for logit in (200.0, 2000.0):  # in float64 sigmoid(-200) is not 0 yet
        for real, fake in ((torch.tensor([-logit, 0.0]), zero), (zero, torch.tensor([logit, 0.0]))):
            right = v(real, fake)
            compare(
                "1.2",
                run("1.2", value, real, fake),
                right,
                tolerance=1e-3,
                otherwise=lambda g, right=right, logit=logit: (
                    f"with a logit of {logit:g} V is {right:.1f}, yours {g:.1f}: a clamp or an epsilon hides how "
                    "wrong D is; F.logsigmoid needs neither"
                    if g.isfinite()
                    else f"with a logit of {logit:g} yours becomes {g.item()}: sigmoid rounds to 0 or 1, and log(0) "
                    "overflows; F.logsigmoid works on the logit"
                ),
            )
    passed("Right: two means of logsigmoid, finite at every logit.")


def exercise_3(gradient: Callable[[Tensor], Tensor]) -> None:
    """`gradient(fake_logits)` is the derivative of the mean non-saturating loss by each logit of the batch."""
    logits = torch.tensor([-6.0, -1.0, 0.0, 2.0, 5.0])
    try:
        with torch.inference_mode():  # where autograd finds nothing
            given = run("1.3", gradient, logits)
    except NotYet as refusal:
        if "does not require grad" in str(refusal):
            raise NotYet("this exercise is done by hand: derive the formula, without autograd") from None
        raise
    sure, n = torch.sigmoid(logits.double()), len(logits)
    right = -(1 - sure) / n
    compare(
        "1.3",
        given,
        right,
        (right * n, "the loss is a mean over the batch, so divide each logit's share by the batch size"),
        (-right, "the sign: a larger logit makes -log D smaller, so the derivative is negative"),
        (-right * n, "two things: the derivative is negative, and of a mean, so divide by the batch size"),
        (-sure / n, "that is the saturating gradient, -D: it is almost 0 where D is sure of a fake"),
        (-sure, "that is the saturating gradient, -D, and without the 1/N of the mean"),
        (-1 / sure / n, "you differentiated -log D by D; now the chain rule: times dD/dl = D (1 - D)"),
        (-sure * (1 - sure) / n, "that is the sigmoid's own derivative; multiply by 1/D, that of log D"),
        (F.softplus(-logits) / n, "that is the loss; its derivative by each logit is asked for"),
        (F.softplus(-logits), "that is the loss; its derivative by each logit is asked for"),
        (-(1 - logits) / n, "1 - D, not 1 - l: the sigmoid is missing"),
        (right.mean(), "the derivative by *each* logit is asked for, one number a logit, not their mean"),
        otherwise=lambda v: f"at the logit 0 in a batch of {n} it is {right[2]:.3f}, yours says {v[2]:.3f}",
    )
    passed("Right: -(1 - D) / N, strongest where D is sure of a fake.")


WORDS = ("converges", "circles", "diverges")


def exercise_4(update_matrix: Callable[[float, float], Tensor], verdict: Callable[[Tensor], str]) -> None:
    """`update_matrix(rate, penalty)` is one alternating step (D first) of (theta, psi) near the solution, and
    `verdict(matrix)` says "converges", "circles" or "diverges"."""
    rate, penalty = 0.8, 0.3

    def step(rate: float = rate, penalty: float = penalty, alternating: bool = True) -> Tensor:
        return toy.dirac_matrix(rate, alternating, penalty)

    right, at_once = step(), step(alternating=False)
    d, g = at_once.tril(), step(penalty=0.0, alternating=False).triu()  # the two half steps
    compare(
        "1.4",
        run("1.4", update_matrix, rate, penalty),
        right,
        (at_once, "that is the simultaneous step; here G answers the D that has moved: multiply two matrices"),
        (d @ g, "the order: D moves first, and what is done first stands on the right of the product"),
        (step(2 * rate, penalty / 2), "the factor 1/2 is missing: at the solution sigma is sigma(0) = 1/2"),
        (step(penalty=0.0), "the penalty is missing: it adds penalty * psi to D's gradient"),
        (step(penalty=penalty / 2), "the penalty / 2 * psi^2 has the derivative penalty * psi, without the 1/2"),
        (right.flip(0, 1), "theta and psi are exchanged: the first row and column belong to theta"),
        (right.T, "transposed: row i holds what the new coordinate i is made of"),
        (step(-rate, -penalty), "the signs: psi loses rate * theta / 2, and theta gains rate * psi / 2"),
        (step(penalty=-penalty), "the penalty's sign: descending it makes psi smaller, 1 - rate * penalty"),
        (step(penalty=penalty / rate), "the penalty's gradient is part of D's: the rate multiplies it, too"),
        ((g - torch.eye(2)) @ d, "the identity is missing in G's half: new value = old value + step"),
        otherwise=lambda v: (
            f"for rate 0.8 and penalty 0.3 the matrix is {_rows(right)}, yours {_rows(v)}: "
            "write D's half step and G's half step as matrices first"
        ),
    )

    def turn(angle: float, modulus: float) -> Tensor:
        c, s = modulus * math.cos(angle), modulus * math.sin(angle)
        return torch.tensor([[c, -s], [s, c]], dtype=torch.float64)

    def stretch(a: float, b: float, shear: float = 0.0) -> Tensor:
        return torch.tensor([[a, shear], [0, b]], dtype=torch.float64)

    larger = "the larger modulus decides, and it may belong to a negative number"
    loose = "its modulus differs from 1 by 1e-5: that is no rounding; allow about 1e-9"
    for matrix, right_word, reason in (
        (step(0.5, 0.0, False), "diverges", "its eigenvalues 1 ± 0.25i have real part 1 but modulus 1.03"),
        *(
            (turn(angle, 1 + off), "circles", "its complex eigenvalues have modulus 1 up to 1e-12: allow about 1e-9")
            for angle in (0.3, 1.1, 2.5)
            for off in (1e-12, -1e-12)
        ),
        (step(0.5, 0.0), "circles", "both eigenvalues have modulus 1, to rounding: allow about 1e-9"),
        (turn(1.1, 1 + 1e-5), "diverges", loose),
        (turn(1.1, 1 - 1e-5), "converges", loose),
        (step(4.2, 0.0), "diverges", larger),
        (stretch(0.5, -1.1), "diverges", larger),
        (stretch(-1.1, 0.5), "diverges", larger),
        (step(0.5, 0.2), "converges", "both moduli are below 1"),
        (step(0.2, 3.0, False), "converges", "both eigenvalues are real and below 1"),
        (stretch(0.5, 0.5, 10.0), "converges", "eigenvalues decide in the long run, not the size of the entries"),
    ):
        word(run("1.4", verdict, matrix.clone()), right_word, WORDS, f"verdict of {_rows(matrix)}", reason)
    try:
        together = run("1.4", verdict, run("1.4", update_matrix, 0.5, 0.0))
    except NotYet:
        together = "nothing"
    passed("Right: two half steps multiplied, and the largest modulus decides.")
    if together != "circles":
        print(
            f"  One after the other, verdict(update_matrix(0.5, 0.0)) says {together} where they circle: make the "
            "matrix a tensor of dtype=torch.float64; float32 rounds at 1e-7, coarser than 1e-9."
        )


def exercise_5(count_modes: Callable[[Tensor, Tensor, float], int]) -> None:
    """`count_modes(samples, centres, sigma)`: centres with at least 1 % of all samples within 3 sigma."""
    generator = torch.Generator().manual_seed(5)
    ring = toy.eight_gaussians().centres

    def count(clouds, sigma: float, centres: Tensor = ring):
        """The answer for some clouds (mode, n, how many sigmas from the centre)."""
        points = []
        for mode, n, radius in clouds:
            angle = torch.rand(n, generator=generator) * math.tau
            points.append(centres[mode] + radius * sigma * torch.stack([angle.cos(), angle.sin()], dim=1))
        return run("1.5", count_modes, torch.cat(points), centres.clone(), sigma)

    few = ring[:5]
    for clouds, right, sigma, centres, reason in (
        (
            [(0, 500, 0.5), (3, 500, 0.5)],
            2,
            0.1,
            ring,
            "two modes hold all samples, well within 3 sigma; is the mean over the samples, the radius 3 sigma",
        ),
        ([(k, 250, 0.5) for k in range(8)], 8, 0.1, ring, "each of the eight modes holds an eighth of the samples"),
        ([(0, 950, 0.5), (1, 50, 0.5)], 2, 0.1, ring, "one mode holds 5 % of the samples; 1 % is enough"),
        ([(0, 985, 0.5), (1, 15, 0.5)], 2, 0.1, ring, "one mode holds 1.5 % of the samples; 1 % is enough"),
        ([(0, 995, 0.5), (1, 5, 0.5)], 1, 0.1, ring, "5 of 1,000 is not 1 %: one lucky sample covers no mode"),
        ([(0, 500, 0.5), (1, 500, 5)], 1, 0.1, ring, "500 samples lie 5 sigma off: nearest is not near, 3 sigma is"),
        (
            [(0, 500, 0.5), (1, 500, 2.5)],
            2,
            0.1,
            ring,
            "2.5 sigma is within 3 sigma; is the distance squared on one side only",
        ),
        (
            [(0, 500, 0.5), (1, 500, 3.5)],
            1,
            0.1,
            ring,
            "500 samples lie 3.5 sigma off: more than 3, also where neither coordinate is; take the straight distance",
        ),
        (
            [(0, 985, 0.5), (1, 15, 2.9)],
            2,
            0.1,
            ring,
            "2.9 sigma is within 3 sigma, also where both coordinates add up to more; take the straight distance",
        ),
        ([(0, 92, 0.5), (1, 8, 0.5), (2, 900, 6)], 1, 0.1, ring, "8 of 1,000: count 1 % of all, not of the near ones"),
        ([(0, 2985, 0.5), (1, 15, 0.5)], 1, 0.1, ring, "15 of 3,000 is not 1 %: a share, not a number, is asked for"),
        ([(0, 500, 2.5), (4, 500, 5)], 1, 0.15, ring, "here sigma is 0.15: use the one that is given"),
        ([(0, 500, 2.5), (4, 500, 2.5)], 2, 0.05, few, "five centres and sigma 0.05: use those that are given"),
    ):
        given = count(clouds, sigma, centres)
        asked = "? " if "; is the " in reason else ". "
        compare("1.5", given, right, otherwise=f"{reason}{asked}Covered there: {right}; yours says {shown(given)}")
    with InFloat64():  # there 10 / 1000 is 0.01 also for those who compare it with Python's 0.01
        compare(
            "1.5",
            count([(0, 990, 0.5), (1, 10, 0.5)], 0.1, ring.double()),
            2,
            otherwise='10 of 1,000 are 1 %, and "at least 1 %" counts them: >=, not >',
        )
    passed("Right: at least 1 % of all samples, within 3 sigma.")


def exercise_6(step_d: Callable[..., object]) -> None:
    """`step_d(G, D, optimiser, real, z)` makes one step of D on -V and leaves G and its gradients alone."""
    G, D = toy.Stack([1], 2, 16, 2), toy.Stack([2], 2, 16, 1)
    generator = torch.Generator().manual_seed(6)
    real, z = torch.randn(1, 32, 2, generator=generator) + 2, torch.randn(1, 32, 2, generator=generator)
    start, before, rate = copy.deepcopy(D), copy.deepcopy(G.state_dict()), 0.1
    for parameter in (*G.parameters(), *D.parameters()):
        parameter.grad = torch.full_like(parameter, 0.5)  # as if G's step had left its gradients here
    with inputs(G) as latents:
        run("1.6", step_d, G, D, torch.optim.SGD(D.parameters(), lr=rate), real, z)
    if any(not torch.equal(before[name], tensor) for name, tensor in G.state_dict().items()):
        raise NotYet("G's weights have changed: this is D's step, its optimiser alone may move")
    for name, network in (("G", G), ("D", D)):
        if not all(parameter.requires_grad for parameter in network.parameters()):
            raise NotYet(f"{name} is left frozen, and its next step would learn nothing: requires_grad_(True) again")
        if not network.training:
            raise NotYet(f"{name} is left in evaluation mode: leave it in the mode that it came in")
    if any(parameter.grad is None or not parameter.grad.any() for parameter in G.parameters()):
        raise NotYet("G's gradients are gone: leave them as they were; with detach there is nothing to clean up")
    if any((parameter.grad != 0.5).any() for parameter in G.parameters()):
        raise NotYet("detach is missing: D's loss sent gradients into G, and G's next step would follow them")
    if any(not torch.equal(latent, z) for latent in latents):
        raise NotYet("your fakes come from other latents than the z that is given: G(z)")
    with torch.no_grad():
        fake = G(z)

    def moved(loss: Callable[[Tensor, Tensor], Tensor], stale: float = 0.0) -> Tensor:
        with torch.enable_grad():
            gradients = torch.autograd.grad(loss(start(real), start(fake)), list(start.parameters()))
        return -rate * (flat(gradients) + stale)

    def half(r: Tensor, f: Tensor) -> Tensor:  # the mean over both batches: the same direction
        return losses.d_bce(r, f) / 2

    stale = "old gradients have been added in: optimiser.zero_grad() before backward()"
    compare(
        "1.6",
        flat(D.parameters()) - flat(start.parameters()),
        (moved(losses.d_bce), moved(half)),
        (0 * moved(losses.d_bce), "D has not moved: backward() finds the gradient, optimiser.step() uses it"),
        (0 * moved(losses.d_bce) - rate * 0.5, "D moved along old gradients: backward() comes before step()"),
        (moved(losses.d_bce, 0.5), stale),
        (moved(half, 0.5), stale),
        *(
            (moved(lambda r, f, loss=loss, turn=turn: turn(loss, r, f)), words)
            for loss in (losses.d_bce, half)
            for turn, words in (
                (lambda loss, r, f: loss(f, r), "flipped labels: real has the label 1, generated 0"),
                (lambda loss, r, f: -loss(r, f), "uphill: an optimiser minimises, and D wants V large: use -V"),
                (lambda loss, r, f: loss(r.sigmoid(), f.sigmoid()), "sigmoid twice: D returns logits"),
                (lambda loss, r, f: r.numel() * loss(r, f), "summed over the batch; V is made of means"),
            )
        ),
        (
            moved(lambda r, f: losses.bce(r, 1.0)),
            "the generated half of the loss is missing, or cut off from D: detach G(z), not D(G(z))",
        ),
        (moved(lambda r, f: losses.bce(f, 0.0)), "the real half of the loss is missing"),
        (moved(lambda r, f: losses.bce(f, 1.0)), "that is G's loss; D wants 1 for real points and 0 for fakes"),
        tolerance=1e-4,
        otherwise="D has moved, but not down the gradient of -V: compare your loss with losses.d_bce",
    )
    passed("Right: D moved, G and its gradients did not.")


def exercise_7(measure_js: Callable[..., float]) -> None:
    """`measure_js(G, D, optimiser, draw_real, draw_z, steps)` is JS(p, q) as a fresh D finds it."""
    p = toy.on_a_line([-2.5, 2.0], [0.5, 0.6], [0.4, 0.6])
    q = toy.on_a_line([0.0], [1.0], [1.0])
    line = torch.linspace(-12, 12, 4001, dtype=torch.float64)[:, None]
    logit = p.log_density(line) - q.log_density(line)
    v = torch.trapezoid(p.density(line) * F.logsigmoid(logit) + q.density(line) * F.logsigmoid(-logit), line[:, 0])
    js, nats = (v + math.log(4)) / 2, math.log(2)
    G, D, steps, generator = nn.Linear(1, 1), toy.Stack([7], 1, 32, 32, 1), 400, torch.Generator().manual_seed(7)
    with torch.no_grad():
        G.weight.fill_(1.0), G.bias.fill_(0.0)  # G(z) = z
    optimiser, made, sizes = torch.optim.Adam(D.parameters(), lr=1e-2), [], []
    optimiser.register_step_post_hook(lambda *_: made.append(len(sizes)))  # how often real points were drawn by then

    def draw_real(n: int) -> Tensor:
        sizes.append(n)
        return p.sample(n, generator)[None]

    def draw_z(n: int) -> Tensor:
        return torch.randn(1, n, 1, generator=generator)

    given = run("1.7", measure_js, G, D, optimiser, draw_real, draw_z, steps)
    if G.weight.item() != 1.0 or G.bias.item() != 0.0:
        raise NotYet("G has moved: it stands still while D measures; the optimiser holds D's weights alone")
    if len(made) != steps:
        raise NotYet(f"D made {len(made)} steps; `steps` says how many it has to make, here {steps}")
    if len(set(made)) < steps:
        raise NotYet("D saw the same points at several steps, and can learn them by heart: draw fresh ones at each")
    if made[-1] == len(sizes):
        raise NotYet("V is estimated on points that D was trained on: draw new ones for it")
    found = compare(
        "1.7",
        given,
        js,
        (v, "that is V; JS is (V + log 4) / 2"),
        (2 * js, "that is 2 JS: divide by 2"),
        (v / 2, "log 4 is missing: JS is (V + log 4) / 2"),
        ((v - math.log(4)) / 2, "the sign of log 4: V = 2 JS - log 4, solved for JS, is (V + log 4) / 2"),
        (v / 2 + math.log(4), "divide both by 2: JS is (V + log 4) / 2"),
        ((v + nats) / 2, "log 2 where log 4 belongs: JS is (V + log 4) / 2"),
        (js / nats, "that is in bits, by the logarithm to the base 2; here log is the natural one"),
        (-js, "the sign: JS is (V + log 4) / 2, from 0 to log 2"),
        ((math.log(4) - v) / 2, "the sign of V: it is never positive, and JS is (V + log 4) / 2"),
        (v + nats, "V is halved, too: JS is (V + log 4) / 2"),
        tolerance=0.08,
        otherwise=lambda g: (
            f"the true JS is {js:.3f} there, and yours says {g:.3f}: "
            + (
                f"{sizes[-1]} points are too few to estimate V, take some thousand"
                if sizes[-1] < 1000
                else "is V estimated from D's logits, real ones first?"
            )
        ),
    )
    passed(f"Right: a D that knows no density finds a JS of {found:.3f}; the integral says {js:.3f}.")


def _rows(matrix: Tensor) -> str:
    return "[" + ", ".join("[" + ", ".join(f"{v:.3g}" for v in row) + "]" for row in matrix.tolist()) + "]"
