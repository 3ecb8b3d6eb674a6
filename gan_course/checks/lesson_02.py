"""Checks for lesson 02: counting, labels, sampling, and the training loop itself.

Networks are put where the lesson's are, on the GPU if there is one.
"""

import contextlib
import functools
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from gan_course import data, devices, losses, training
from gan_course.checks import (
    Calls,
    InFloat64,
    NotYet,
    compare,
    distance,
    flat,
    inputs,
    passed,
    read,
    run,
    shown,
)
from gan_course.gan import GAN
from gan_course.recipes import RECIPES

SMALL = RECIPES["mlp-fashion"].but(width=1 / 16, batch=16)
STEPS = 8


def exercise_1(mlp_parameters: Callable[[Sequence[int]], int]) -> None:
    """`mlp_parameters([n0, n1, …])` counts the weights and biases of fully connected layers of these widths."""
    for sizes in ([784, 1024, 512, 256, 1], [3, 2], [1, 1, 1]):
        pairs = list(zip(sizes, sizes[1:], strict=False))
        given, right = run("2.1", mlp_parameters, list(sizes)), sum(a * b + b for a, b in pairs)
        compare(
            "2.1",
            given,
            right,
            (right - sum(sizes[1:]), "that leaves out the biases: a layer adds one number to each of its outputs"),
            (right + sizes[0], "that gives the input a bias too; only what a layer puts out has one"),
            (right - sum(sizes[1:]) + sum(sizes[:-1]), "a bias belongs to each *output* of a layer, not to each input"),
            (right - sum(sizes[1:]) + len(pairs), "a layer has a bias for each of its outputs, not one in all"),
            (sum(a * b + b for a, b in pairs[:-1]), "the last layer is missing"),
            (sum(a * b + b for a, b in pairs[1:]), "the first layer is missing"),
            otherwise=f"{right} is right: a layer from a to b has a·b weights and b biases",
            said=f"mlp_parameters({sizes}) is {shown(given)}",
        )
    passed("Right: a·b weights and b biases for every layer, 1,460,225 in the discriminator.")


def exercise_2(best_d: Callable[..., Tensor]) -> None:
    """`best_d(p, q, real_label, fake_label)` is the score of the best discriminator where the densities are p and q."""
    p = torch.tensor([0.5, 0.3, 0.2, 0.0, 0.1], dtype=torch.float64)
    q = torch.tensor([0.0, 0.3, 0.1, 0.6, 0.4], dtype=torch.float64)

    def score(real: float, fake: float) -> Tensor:
        return (real * p + fake * q) / (p + q)

    for real, fake in ((0.8, 0.3), (1.0, 0.0), (0.9, 0.1), (0.9, 0.0)):
        right = score(real, fake)
        upside_down = "upside down: D answers 1 for real, so its score must rise with p, not with q"
        compare(
            "2.2",
            run("2.2", best_d, p, q, real, fake),
            right,
            (1 - right, upside_down),
            (score(fake, real), upside_down),
            (score(1, 0), f"p/(p+q) is the answer for labels 1 and 0; here they are {real} and {fake}"),
            *(
                (score(a, b), f"{a} and {b} are written into your formula; here the labels are {real} and {fake}")
                for a, b in ((0.9, 0.1), (0.9, 0.0))
            ),
            (real * p + fake * q, "not divided by p + q yet: a score lies between the two labels"),
            (score(real, 0), "the fake label is missing: fake_label·q belongs above the line, too"),
            ((real * p + fake * q) / 2, "divided by 2; the two numerators add up to p + q"),
            (right / 2, "half of it: the two parts are added, not averaged"),
            (score(real, 1 - fake), "the fake label counts as it is, not 1 - fake_label"),
            (right.logit(), "that is D's logit; its score is wanted"),
            (score(real, -fake), "the two terms above the line are added: D is drawn to both labels"),
            (
                real * p / (real * p + fake * q),
                "below the line stand the two numerators of the equation, and they add up to p + q",
            ),
            otherwise=lambda v, real=real, fake=fake, right=right: (
                f"with labels {real} and {fake}, p = {p[2]:.1f} and q = {q[2]:.1f} the best score is {right[2]:.4f}, "
                f"yours is {v[2]:.4f}: set the derivative of the two cross-entropies with respect to D to 0"
            ),
        )
    passed("Right: (real_label·p + fake_label·q) / (p + q), which stays between the two labels.")


def exercise_3(d_loss: Callable[..., Tensor]) -> None:
    """`d_loss(G, D, real, z)` is D's loss with labels 0.9 and 0.1; D learns from both halves, and G from neither."""
    gan = GAN(SMALL, seed=3, device=devices.default())
    G, D = gan.G, gan.D
    for layer in (*G.modules(), *D.modules()):
        if isinstance(layer, nn.Dropout):
            layer.p = 0.0  # so that in training mode, too, the loss has one value
    real = torch.rand(16, 1, 28, 28, generator=torch.Generator().manual_seed(0)).to(gan.device) * 2 - 1
    z = gan.latents(16)
    with torch.enable_grad():
        # G's images as in the answer, with this batch's statistics, and once with the running ones.
        real_logits, fake_logits, still = D(real), D(G(z).detach()), D(G.eval()(z).detach())
        G.train()
        try:
            with inputs(G) as latents:
                loss = _run("2.3", d_loss, G, D, real, z)
        except NotYet as refusal:
            if "backward" in str(refusal) or "does not require grad" in str(refusal):
                raise NotYet(f"d_loss only computes the loss; backward() comes later. {refusal}") from None
            raise
        if any(not torch.equal(given, z) for given in latents):
            raise NotYet("G is given other latents than z: d_loss(G, D, real, z) draws none of its own")
        if any(p.grad is not None for p in (*G.parameters(), *D.parameters())):
            raise NotYet("d_loss only computes the loss: no backward() and no step inside, the caller does both")
        for name, network in (("G", G), ("D", D)):
            if not network.training:
                raise NotYet(f"{name} is left in evaluation mode; d_loss is part of a training step: no eval() here")
            if not all(p.requires_grad for p in network.parameters()):
                raise NotYet(f"{name} is left frozen, and would learn nothing after that: detach() is enough")
        if isinstance(loss, Tensor) and loss.ndim == 0 and not loss.requires_grad:
            lost = "nothing to learn from: the loss has no gradient; detach G's images, not D's verdict"
        else:
            lost = ""

        def bce(a: float, b: float, r: Tensor = real_logits, f: Tensor = fake_logits) -> Tensor:
            return losses.d_bce(r, f, a, b)

        right = bce(0.9, 0.1)
        compare(
            "2.3",
            loss,
            right,
            (bce(0.1, 0.9), "the labels are swapped: real images aim at 0.9, generated ones at 0.1"),
            (bce(1.0, 0.0), "the labels are 1 and 0; this lesson smooths them to 0.9 and 0.1"),
            (bce(0.9, 0.0), "the generated images' label is 0; this lesson smooths both, to 0.9 and 0.1"),
            (bce(1.0, 0.1), "the real images' label is 1; this lesson smooths both, to 0.9 and 0.1"),
            (bce(0.9, 0.9), "both halves aim at 0.9; generated images aim at 0.1"),
            (
                bce(0.9, 0.1, real_logits.sigmoid(), fake_logits.sigmoid()),
                "sigmoid twice: D returns logits, and binary_cross_entropy_with_logits applies the sigmoid itself",
            ),
            (right / 2, "the two parts are averaged; add them, so that a blind D has the loss 2 log 2"),
            (right * len(real), "summed over the batch; each part is a mean over its batch"),
            (bce(0.9, 0.1, f=still), "G made its images in evaluation mode; leave it in training mode here"),
            (losses.bce(real_logits, 0.9), "the generated part is missing: real part plus generated part"),
            (losses.bce(fake_logits, 0.1), "the real part is missing: real part plus generated part"),
            (-right, "the sign: D minimises the cross-entropy as it is"),
            otherwise=lambda v: (
                f"the loss is {v.item():.4f} and should be {right.item():.4f}: real part plus "
                "generated part, each a mean"
            ),
        )
        if lost or not isinstance(loss, Tensor):
            raise NotYet(lost or "a plain number has no gradient: return the tensor, without .item() or float()")
        run("2.3", loss.backward)
    if any(p.grad is not None for p in G.parameters()):
        raise NotYet("gradients arrived in G: D's step must not reach it, so detach the generated images")
    parameters = list(D.parameters())

    def gradient(loss: Tensor) -> Tensor:
        return flat(torch.autograd.grad(loss, parameters, retain_graph=True))

    compare(
        "2.3",
        flat(torch.zeros_like(p) if p.grad is None else p.grad for p in parameters),
        gradient(right),
        (
            gradient(losses.bce(real_logits, 0.9)),
            "D learns nothing from generated images: D(G(z)).detach() cuts its verdict off, as no_grad around D does; "
            "detach the images, D(G(z).detach())",
        ),
        (
            gradient(losses.bce(fake_logits, 0.1)),
            "D learns nothing from real images: D(real) stands under detach or no_grad",
        ),
        tolerance=1e-3,
        otherwise="the loss is right, and its gradient for D is not: does part of D's pass stand under no_grad?",
    )
    passed("Right: both parts, smoothed labels, D learns from both, and G got no gradient.")


def _run(exercise: str, function: Callable, *arguments):
    """As `run`, with a word on the commonest misfortune with D's output."""
    try:
        return run(exercise, function, *arguments)
    except NotYet as refusal:
        if "between 0 and 1" in str(refusal):
            logits = "D returns logits, any numbers: binary_cross_entropy_with_logits takes them"
            raise NotYet(f"{logits}; BCELoss and binary_cross_entropy want probabilities. {refusal}") from None
        raise


def exercise_4(train_by_hand: Callable[..., None]) -> None:
    """`train_by_hand(G, D, opt_g, opt_d, batches, latents)` is the lesson's loop, equal to the package's to the bit.

    Where rounding alone tells it apart, by other operations in the same order, it is right, too: in float64 the
    same mathematics agrees to about 1e-12, and every mistake shows.
    """

    def student(*arguments):
        with torch.enable_grad():
            _run("2.4", train_by_hand, *arguments)

    package = _small()
    for _ in training.train(package, _images(), STEPS, progress=False):
        pass
    given, start = _by_hand(student), _small()
    for name, network in (("G", given.G), ("D", given.D)):
        if not network.training:
            raise NotYet(f"{name} is left in evaluation mode: while it trains, dropout and BatchNorm are at work")
        if not all(p.requires_grad for p in network.parameters()):
            raise NotYet(f"{name} is left frozen: requires_grad_(True) again after the step that froze it")
    moved = {name: not _same(getattr(given, name), getattr(start, name)) for name in ("G", "D")}
    if not any(moved.values()):
        raise NotYet(
            "nothing was learnt: the weights are as they were; call backward() and then both optimisers' step(), with "
            "no zero_grad() between"
        )
    if not moved["G"]:
        raise NotYet("G never moved: every second batch its loss wants backward() and opt_g.step()")
    if not moved["D"]:
        raise NotYet("D never moved: its loss wants backward() and opt_d.step() for every batch")
    if given.drew_itself:
        raise NotYet("you draw latents of your own (torch.randn?): use the `latents` that your function is given")
    if odd := [n for n in given.asked if n != SMALL.batch]:
        raise NotYet(f"you ask for {shown(odd[0])} latents where a batch has {SMALL.batch}: latents(len(real))")
    if len(given.asked) < STEPS:
        raise NotYet(f"latents are drawn {len(given.asked)} times for {STEPS} batches: fresh ones for every batch")
    sleeping = ""
    if given.reached_g > (STEPS + 1) // 2:
        sleeping = (
            " One thing: D's backward pass runs through G, too, for gradients that are then zeroed. Without detach() "
            "it costs time, and a zero_grad() in another place would let it leak."
        )
    if _same(given.G, package.G) and _same(given.D, package.D):
        count = len(_weights(package))
        passed(f"Right: after {STEPS} steps all {count:,} weights equal the package's, bit for bit.{sleeping}")
        return
    generic = (
        "the weights differ from the package's. Compare line by line: latents(n) for D's images first; real pass, then "
        "generated pass; zero_grad, backward, step; and on batches 0, 2, 4, … fresh latents and G's own step"
    )
    try:
        twice = _weights(_by_hand(student, double=True))
    except NotYet as refusal:
        raise NotYet(f"{generic}. (The check tried your loop in float64, too. {refusal})") from None
    origin, right, *wrong = _references()
    named = zip(wrong, MISTAKES.values(), strict=True)
    otherwise = _of_story(given.story) or generic
    compare("2.4", twice - origin, right, *named, otherwise=otherwise, tolerance=1e-6)
    passed(
        f"Right: the package's mathematics by other operations. After {STEPS} steps rounding alone tells the weights "
        f"apart; in float64 both loops agree.{sleeping}"
    )


def _of_story(story: str) -> str:
    """What is wrong with the order of passes and steps, as `_Taught.story` tells them; "" if nothing is seen."""
    if "e" in story or "f" in story:
        return "a network is in evaluation mode for part of the loop: while they train, both stay in training mode"
    if story.rfind("D") < story.find("G"):
        return "G's steps come after all of D's; the two take turns, batch by batch"
    if story.find("G") < story.find("D"):
        return "G steps before D has: in every batch D comes first, and G answers the D that has moved"
    if story.startswith("d"):
        return "D judges the real batch before G has made its pictures; make the pictures first, and look again"
    return ""


def reference_loop(
    G,
    D,
    opt_g,
    opt_d,
    batches,
    latents,
    *,
    real_label: float = 0.9,
    fake_label: float = 0.1,
    g_label: float = 1.0,
    weight: float = 1.0,
    saturating: bool = False,
    g_every: int = 2,
    first_g: int = 0,
    for_g: str = "fresh latents",
    passes: str = "real first",
    detach: str = "images",
    zero_d: str = "before backward",
    zero_g: str = "before backward",
    g_first: bool = False,
    steps_d: int = 1,
    twice: bool = False,
) -> None:
    """The loop of lesson 02, with a switch for each mistake that exercise 4 can name."""
    squash = torch.sigmoid if twice else (lambda logits: logits)

    def step_g(fake):
        logits = squash(D(fake))
        loss = losses.g_saturating(logits) if saturating else losses.bce(logits, g_label)
        if zero_g == "before backward":
            opt_g.zero_grad()
        loss.backward()
        opt_g.step()

    def step_d(loss):
        if zero_d == "before backward":
            opt_d.zero_grad()
        loss.backward(retain_graph=detach == "nothing")
        opt_d.step()
        if zero_d == "after step":
            opt_d.zero_grad()

    for i, real in enumerate(batches):
        if zero_g == "at the top":
            opt_g.zero_grad()
        g_moves = i % g_every == first_g
        if g_first and g_moves:
            step_g(G(latents(len(real))))
        if passes == "real before pictures":
            real_logits = D(real)
        z = latents(len(real))
        fake = G(z)
        judged = fake if detach == "nothing" else fake.detach()
        if passes == "joined":
            real_logits, fake_logits = D(torch.cat([real, judged])).split(len(real))
        elif passes == "generated first":
            fake_logits, real_logits = D(judged), D(real)
        elif passes == "real before pictures":
            fake_logits = D(judged)
        else:
            real_logits, fake_logits = D(real), D(judged)
        if detach == "verdict":
            fake_logits = fake_logits.detach()
        real_part = weight * losses.bce(squash(real_logits), real_label)
        fake_part = weight * losses.bce(squash(fake_logits), fake_label)
        for part in (real_part, fake_part) if steps_d == 2 else (real_part + fake_part,):
            step_d(part)
        if g_moves and not g_first:
            step_g(fake if for_g == "same images" else G(z if for_g == "same latents" else latents(len(real))))


def _mistakes(*rows: tuple[str, dict]) -> dict[tuple, str]:
    return {tuple(changes.items()): words for words, changes in rows}


MISTAKES = _mistakes(
    ("G moves on every batch; here it moves on every second one: 0, 2, 4, …", {"g_every": 1}),
    ("G moves on batches 1, 3, 5, …; it should on 0, 2, 4, …", {"first_g": 1}),
    (
        "labels 1 and 0, and G moves on every batch, on D's images: another recipe's loop; here the labels are 0.9 "
        "and 0.1, and G moves on every second batch, with fresh latents",
        {"real_label": 1.0, "fake_label": 0.0, "g_every": 1, "for_g": "same images"},
    ),
    (
        "G's step reuses the images that D has just judged; this recipe draws fresh latents for it",
        {"for_g": "same images"},
    ),
    ("G's step uses D's latents again; this recipe draws fresh latents for it", {"for_g": "same latents"}),
    (
        "the labels are swapped: D aims at 0.9 for real images and 0.1 for generated ones",
        {"real_label": 0.1, "fake_label": 0.9},
    ),
    ("D's labels are 1 and 0; this recipe smooths them to 0.9 and 0.1", {"real_label": 1.0, "fake_label": 0.0}),
    ("D's label for generated images is 0; this recipe smooths it, too, to 0.1", {"fake_label": 0.0}),
    ("D's label for real images is 1; this recipe smooths it, too, to 0.9", {"real_label": 1.0}),
    ("D's two parts are averaged; this loop adds them", {"weight": 0.5}),
    ("G aims at 0.9; the smoothing is for D, G aims at 1", {"g_label": 0.9}),
    ("G aims at D's label for generated images; it wants them taken for real, so it aims at 1", {"g_label": 0.1}),
    ("G aims at 0, which makes it easier to recognise; it wants its images taken for real: 1", {"g_label": 0.0}),
    ("G descends the saturating loss, log(1 - D); here it descends -log D, label 1", {"saturating": True}),
    ("D's gradients pile up from batch to batch: opt_d.zero_grad() before its backward()", {"zero_d": "never"}),
    ("G's gradients pile up from step to step: opt_g.zero_grad() before its backward()", {"zero_g": "never"}),
    (
        "all gradients pile up: there is no zero_grad() at all; each optimiser's belongs before its backward()",
        {"zero_d": "never", "zero_g": "never"},
    ),
    (
        "G's step leaks into D: its backward() leaves gradients in D, and opt_d.zero_grad() came before that, at the "
        "end of D's half; put it right before D's own backward()",
        {"zero_d": "after step"},
    ),
    (
        "D's step leaks into G: without detach, D's backward leaves gradients in G that G's step then uses; detach the "
        "generated images, and zero G's gradients right before its own backward()",
        {"detach": "nothing", "zero_g": "at the top"},
    ),
    (
        "D's step leaks into G: without detach, D's backward leaves gradients in G, and nothing zeroes them",
        {"detach": "nothing", "zero_g": "never"},
    ),
    (
        "D learns nothing from generated images: D(G(z)).detach() cuts its verdict off; detach the images, "
        "D(G(z).detach())",
        {"detach": "verdict"},
    ),
    ("real and generated images go through D in one joined batch; send them apart", {"passes": "joined"}),
    ("D sees the generated images first; show it the real batch first", {"passes": "generated first"}),
    (
        "D judges the real batch before G has made its pictures; make the pictures first, dropout draws in that order",
        {"passes": "real before pictures"},
    ),
    ("D makes two steps a batch, one for each part; add the parts and make one", {"steps_d": 2}),
    ("G moves before D; algorithm 1 trains D first", {"g_first": True}),
    (
        "sigmoid twice: D returns logits, and binary_cross_entropy_with_logits applies the sigmoid itself",
        {"twice": True},
    ),
)


class _Taught(GAN):
    """The small GAN, and what a loop did with it.

    Attributes:
        asked: how many latents were asked for, each time. drew_itself: whether others were drawn, too.
        reached_g: how many backward passes went through G.
        story: a letter for each pass through G (g, in evaluation mode f) and D (d, e) and each step (G, D).
    """

    asked: list[int]
    drew_itself: bool
    reached_g: int = 0
    story: str = ""


def _by_hand(loop: Callable[..., None], double: bool = False) -> _Taught:
    """The small GAN after a loop has had it, with the package's data order, latents and dropout."""
    gan = _small(_Taught)
    real = training.real_batches(gan, _images())
    batches = [next(real) for _ in range(STEPS)]
    if double:
        gan.G.double(), gan.D.double()
        batches = [batch.double() for batch in batches]
    gan.asked = []

    def latents(n):
        gan.asked.append(n)
        return gan.latents(n)

    def reached(gradient):
        gan.reached_g += 1

    def tells(of, letters):
        return lambda *_: setattr(gan, "story", gan.story + letters[of is not None and not of.training])

    hooks = [
        next(gan.G.parameters()).register_hook(reached),
        gan.G.register_forward_pre_hook(tells(gan.G, "gf")),
        gan.D.register_forward_pre_hook(tells(gan.D, "de")),
        gan.opt_g.register_step_post_hook(tells(None, "G")),
        gan.opt_d.register_step_post_hook(tells(None, "D")),
    ]
    with gan.own_randomness(), InFloat64() if double else contextlib.nullcontext(), Calls() as calls:
        loop(gan.G, gan.D, gan.opt_g, gan.opt_d, batches, latents)
    for hook in hooks:
        hook.remove()
    drawn = sum(calls.names[name] for name in ("randn", "randn_like", "rand", "rand_like", "normal", "normal_"))
    gan.drew_itself = drawn > len(gan.asked)
    return gan


def _small(kind: type[GAN] = GAN) -> GAN:
    return kind(SMALL, seed=4, device=devices.default())


def _images() -> Tensor:
    dice = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (SMALL.batch * STEPS, 1, 28, 28), generator=dice).to(torch.uint8)


def _same(a: nn.Module, b: nn.Module) -> bool:
    return all(torch.equal(x, y) for x, y in zip(a.parameters(), b.parameters(), strict=True))


def _weights(gan: GAN) -> Tensor:
    return flat((*gan.G.parameters(), *gan.D.parameters()))


@functools.cache
def _references() -> tuple[Tensor, ...]:
    """The first weights, and how far the right loop and each of MISTAKES carry them, in float64."""
    return _weights(_small()), *(_carried(changes) for changes in ((), *MISTAKES))


@functools.cache
def _carried(changes: tuple[tuple[str, object], ...]) -> Tensor:
    """How far the reference loop with these switches carries the first weights, in float64."""
    loop = functools.partial(reference_loop, **dict(changes))
    return _weights(_by_hand(loop, double=True)) - _weights(_small())


def exercise_5(sample: Callable[..., Tensor]) -> None:
    """`sample(G, n, generator)` draws n images, uint8, in evaluation mode, and leaves G as it was."""
    gan = GAN(SMALL, seed=5, device=devices.default())

    def dice(seed: int) -> torch.Generator:
        return torch.Generator(gan.device).manual_seed(seed)

    with torch.no_grad():
        for _ in range(3):
            gan.G(gan.latents(32))  # give BatchNorm statistics of its own
    before = {name: t.clone() for name, t in gan.G.state_dict().items()}
    graphs: list[bool] = []
    hook = gan.G.register_forward_hook(lambda _, __, made: graphs.append(made.requires_grad))
    with torch.enable_grad(), torch.random.fork_rng(devices=[]), inputs(gan.G) as latents, Calls() as calls:
        first = run("2.5", sample, gan.G, 64, dice(1))
    hook.remove()
    if not gan.G.training:
        raise NotYet("G is left in evaluation mode, and would go on training without dropout: G.train() again")
    if any(not torch.equal(before[name], t) for name, t in gan.G.state_dict().items()):
        raise NotYet("sampling moved BatchNorm's running statistics: call G.eval() before, it was in training mode")
    if (
        isinstance(first, Tensor)
        and first.requires_grad
        or any(graphs)
        and not (calls.names["detach"] or calls.names["detach_"])
    ):
        raise NotYet("G builds a graph that nobody needs: sample under torch.no_grad()")
    kind = str(getattr(first, "dtype", "")).removeprefix("torch.")
    if kind not in ("", "uint8"):
        raise NotYet(f"images are uint8, 0 to 255; these are {kind}: data.to_uint8 converts from [-1, 1]")
    z, uniform = (draw(64, 100, generator=dice(1), device=gan.device) for draw in (torch.randn, torch.rand))
    own = torch.cat(latents) if latents and all(given.shape[1:] == z.shape[1:] for given in latents) else z
    with torch.no_grad():
        gan.G.eval()
        made, of_own, other = gan.G(z), gan.G(own), gan.G(uniform)
        gan.G.train()
        unit = (made + 1) / 2
    if abs(own.mean()) > 0.2 or abs(own.std() - 1) > 0.2:  # no standard normal numbers
        of_own = made
    uncut = "the pixels are cut off, not rounded: .round() before .to(torch.uint8), or data.to_uint8"
    drawn = compare(
        "2.5",
        first,
        tuple(data.to_uint8(images) for images in (made, of_own)),
        ((unit * 255).to(torch.uint8), uncut),
        ((unit * 256).clamp(0, 255).to(torch.uint8), uncut),
        (unit.to(torch.uint8), "0 … 1 as uint8 is 0 or 1: multiply by 255 first, or use data.to_uint8"),
        (unit.round().to(torch.uint8), "0 … 1 as uint8 is 0 or 1: multiply by 255 first, or use data.to_uint8"),
        (made.mul(255).clamp(0, 255).round().to(torch.uint8), "G's images go from -1 to 1: data.to_uint8 knows"),
        ((made * 127.5).round().to(torch.uint8), "x · 127.5 is negative where x is, and uint8 is not: add 1 first"),
        (made.mul(255).to(torch.uint8), "G's images go from -1 to 1: data.to_uint8 knows"),
        (made.mul(128).add(128).clamp(0, 255).round().to(torch.uint8), "1 must become exactly 255: (x + 1) · 127.5"),
        (255 - data.to_uint8(made), "black and white are exchanged: -1 is black, 0"),
        (data.to_uint8(other), "rand is uniform; G was trained on normal numbers: randn"),
        mean=True,
        tolerance=1e-4,
        otherwise="not the images that G makes of torch.randn(n, 100, generator=generator) in evaluation mode",
    )
    with torch.random.fork_rng(devices=[]):
        other, few = (read("2.5", run("2.5", sample, gan.G, n, dice(2)), "")[0] for n in (64, 10))
    if len(few) != 10:
        raise NotYet(f"asked for 10 images, your function makes {len(few)}: n says how many")
    if distance(drawn, other, mean=True) < 1e-3:
        raise NotYet("two generators, the same images: draw z with the generator that was handed in")
    passed("Right: evaluation mode, pixels 0 to 255, and G goes on training as before.")


def exercise_6(train: Callable[..., None]) -> None:
    """`train(G, D, opt_g, opt_d, batches, latents, real_label, fake_label, g_every, fresh)`: the loop of any recipe."""
    usual = (0.9, 0.1, 2, True)
    unused = (
        "real_label is not used: 0.9 is written into the loop",
        "fake_label is not used: 0.1 is written into the loop",
        "g_every is not used: G moves on every second batch, whatever it says",
        "with fresh=False G's step takes the images that D has just judged (not detached); yours draws others",
    )

    def switches(real_label: float, fake_label: float, g_every: int, fresh: bool) -> tuple:
        reuse = {} if fresh else {"for_g": "same images"}
        return tuple({"real_label": real_label, "fake_label": fake_label, "g_every": g_every, **reuse}.items())

    for setting in (usual, (1.0, 0.1, 2, True), (0.9, 0.0, 2, True), (0.9, 0.1, 1, True), (1.0, 0.0, 3, False)):

        def student(*arguments, setting=setting):
            with torch.enable_grad():
                _run("2.6", train, *arguments, *setting)

        said = "with real_label={}, fake_label={}, g_every={}, fresh={}".format(*setting)
        given = _by_hand(student, double=True)
        if not all(p.requires_grad for network in (given.G, given.D) for p in network.parameters()):
            raise NotYet(f"{said}: a network is left frozen: requires_grad_(True) again after the step that froze it")
        others = [(*setting[:i], usual[i], *setting[i + 1 :]) for i in range(4)]
        swapped = (setting[1], setting[0], *setting[2:])
        compare(
            "2.6",
            _weights(given) - _weights(_small()),
            _carried(switches(*setting)),
            *((_carried(switches(*other)), words) for other, words in zip(others, unused, strict=True)),
            (_carried(switches(*swapped)), "the labels are swapped: D aims at real_label for real images"),
            (
                _carried((*switches(*setting), ("g_label", setting[0]))),
                "G aims at real_label; smoothing is for D, G aims at 1",
            ),
            (
                _carried((*switches(*setting), ("first_g", setting[2] - 1))),
                "G moves on the last batch of every g_every; it should on batches 0, g_every, 2·g_every, …",
            ),
            (
                _carried((*switches(*setting), ("for_g", "same latents"))),
                "G's step makes other images of D's latents: fresh=True wants fresh latents, fresh=False the very "
                "images that D has judged",
            ),
            (
                _carried((*switches(*setting), ("first_g", -1))),
                "G never moves: its step wants opt_g.step(), and images that are not detached",
            ),
            said=said,
            otherwise="the weights differ from the package's: start from train_by_hand and change one choice at a time",
            tolerance=1e-6,
        )
    passed("Right: five recipes, and every weight as the package has it.")
