"""Answers to the exercises of lesson 02: right ones, and wrong ones with what each is told."""

import functools

import numpy as np
import torch
import torch.nn.functional as F

from gan_course import data
from gan_course.checks import lesson_02 as lesson
from gan_course.losses import bce

# 2.1 and 2.2


def weights(widths):
    return sum(a * b for a, b in zip(widths, widths[1:], strict=False))


def count(widths):
    return weights(widths) + sum(widths[1:])


def count_in_torch(widths):
    layers = [torch.nn.Linear(a, b, device="meta") for a, b in zip(widths, widths[1:], strict=False)]
    return sum(p.numel() for layer in layers for p in layer.parameters())


def score(p, q, a, b):
    return (a * p + b * q) / (p + q)


# 2.3


def d_loss(G, D, real, z, a=0.9, b=0.1, loss=bce):
    return loss(D(real), a) + loss(D(G(z).detach()), b)


def d_loss_with_softplus(G, D, real, z):
    with torch.no_grad():
        fake = G(z)
    r, f = D(real).double(), D(fake).double()
    real_part = (0.9 * F.softplus(-r) + 0.1 * F.softplus(r)).mean()
    return real_part + (0.1 * F.softplus(-f) + 0.9 * F.softplus(f)).mean()


def d_loss_with_backward(G, D, real, z):
    loss = d_loss(G, D, real, z)
    loss.backward()
    return loss


def d_loss_in_evaluation_mode(G, D, real, z):
    fake = G.eval()(z).detach()
    G.train()
    return bce(D(real), 0.9) + bce(D(fake), 0.1)


# 2.4


def loop(d_loss, g_loss, G, D, opt_g, opt_d, batches, latents):
    """A student's loop with losses (real_logits, fake_logits) -> D's and fake_logits -> G's."""
    for i, real in enumerate(batches):
        fake = G(latents(len(real))).detach()
        loss = d_loss(D(real), D(fake))
        opt_d.zero_grad(set_to_none=False)
        loss.backward()
        opt_d.step()
        if i % 2 == 0:
            loss = g_loss(D(G(latents(len(real)))))
            opt_g.zero_grad()
            loss.backward()
            opt_g.step()


def both(r, f):
    return bce(r, 0.9) + bce(f, 0.1)


def both_joined(r, f):
    labels = torch.cat([torch.full_like(r, 0.9), torch.full_like(f, 0.1)])
    return 2 * F.binary_cross_entropy_with_logits(torch.cat([r, f]), labels)


def both_on_probabilities(r, f):
    r, f = r.sigmoid(), f.sigmoid()
    return F.binary_cross_entropy(r, torch.full_like(r, 0.9)) + F.binary_cross_entropy(f, torch.full_like(f, 0.1))


def to_one(f):
    return bce(f, 1.0)


TO_THE_BIT = [lesson.reference_loop, functools.partial(loop, both, to_one)]
BY_OTHER_OPERATIONS = [
    functools.partial(loop, both, lambda f: -F.logsigmoid(f).mean()),
    functools.partial(loop, both, lambda f: F.softplus(-f.double()).mean()),
    functools.partial(loop, both_joined, to_one),
    functools.partial(loop, both_on_probabilities, to_one),
]


def with_switches(**changes):
    return functools.partial(lesson.reference_loop, **changes)


def before_backward(G, D, opt_g, opt_d, batches, latents):
    """Both steps come before their backward()."""
    for i, real in enumerate(batches):
        loss = both(D(real), D(G(latents(len(real))).detach()))
        opt_d.zero_grad()
        opt_d.step()
        loss.backward()
        if i % 2 == 0:
            loss = to_one(D(G(latents(len(real)))))
            opt_g.zero_grad()
            opt_g.step()
            loss.backward()


def all_of_g_after_d(G, D, opt_g, opt_d, batches, latents):
    for real in batches:
        fake = G(latents(len(real))).detach()
        descend(opt_d, both(D(real), D(fake)))
    for real in batches[::2]:
        descend(opt_g, to_one(D(G(latents(len(real))))))


def d_steps_last(G, D, opt_g, opt_d, batches, latents):
    """Both losses first, then both steps, as where nobody plays against anybody."""
    for i, real in enumerate(batches):
        opt_d.zero_grad()
        fake = G(latents(len(real))).detach()
        both(D(real), D(fake)).backward()
        if i % 2 == 0:
            descend(opt_g, to_one(D(G(latents(len(real))))))
        opt_d.step()


def then_judged_in_evaluation_mode(G, D, opt_g, opt_d, batches, latents):
    for i, real in enumerate(batches):
        fake = G(latents(len(real))).detach()
        descend(opt_d, both(D(real), D(fake)))
        if i % 2 == 0:
            loss = to_one(D.eval()(G(latents(len(real)))))
            D.train()
            descend(opt_g, loss)


def descend(optimiser, loss):
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()


def fed(batches=lambda given: given, latents=lambda given: given):
    """The right loop with other batches or latents."""

    def train(G, D, opt_g, opt_d, given, drawn):
        lesson.reference_loop(G, D, opt_g, opt_d, batches(given), latents(drawn))

    return train


def own_for_g(drawn):
    turn = iter(range(1000))  # D, G, D, D, G, D, …
    return lambda n: torch.randn(n, 100) if next(turn) % 3 == 1 else drawn(n)


def once(drawn):
    kept = []
    return lambda n: (kept or kept.append(drawn(n)) or kept)[0]


def then(what):
    def train(G, D, *rest):
        lesson.reference_loop(G, D, *rest)
        what(G, D)

    return train


# 2.5


def sample(G, n, generator, convert=data.to_uint8, make=torch.randn, grad=False, back=True):
    G.eval()
    with torch.set_grad_enabled(grad):
        images = convert(G(make(n, 100, generator=generator, device=next(G.parameters()).device)))
    G.train(back)
    return images


def sample_with_arithmetic(G, n, generator):
    z = torch.randn(n, 100, generator=generator, device=generator.device)
    images = ((G.eval()(z).detach() + 1) * 127.5).round().byte()
    G.train(True)
    return images


def sample_one_by_one(G, n, generator):
    return torch.cat([sample(G, 1, generator) for _ in range(n)]).numpy()


def sampled(**changes):
    return functools.partial(sample, **changes)


# 2.6


def any_recipe(*given, **wrong):
    """A student's loop with the four choices as arguments, some of them fixed to a wrong value."""
    *nets, real_label, fake_label, g_every, fresh = given
    switches = {"real_label": real_label, "fake_label": fake_label, "g_every": g_every}
    lesson.reference_loop(*nets, **{**switches, "for_g": "fresh latents" if fresh else "same images", **wrong})


def any_recipe_with_softplus(G, D, opt_g, opt_d, batches, latents, real_label, fake_label, g_every, fresh):
    def loss(logits, label):
        return (F.softplus(logits) - label * logits).mean()

    for step, real in enumerate(batches):
        fake = G(latents(len(real)))
        opt_d.zero_grad()
        loss(D(real), real_label).add(loss(D(fake.detach()), fake_label)).backward()
        opt_d.step()
        if not step % g_every:
            opt_g.zero_grad()
            loss(D(G(latents(len(real))) if fresh else fake), 1).backward()
            opt_g.step()


def with_fixed(**wrong):
    return functools.partial(any_recipe, **wrong)


RIGHT = {
    1: [count, count_in_torch, lambda w: int(np.dot(np.array(w[:-1]) + 1, w[1:]))],
    2: [score, lambda p, q, a, b: b + (a - b) * p / (p + q), lambda p, q, a, b: score(p.numpy(), q.numpy(), a, b)],
    3: [
        d_loss,
        d_loss_with_softplus,
        lambda *a: d_loss(*a, loss=lambda r, y: F.binary_cross_entropy(r.sigmoid(), torch.full_like(r, y))),
    ],
    4: TO_THE_BIT + BY_OTHER_OPERATIONS,
    5: [sample, sample_with_arithmetic, sample_one_by_one],
    6: [any_recipe, any_recipe_with_softplus],
}

WRONG = {
    1: [
        (weights, "leaves out the biases"),
        (lambda w: weights(w) + sum(w), "gives the input a bias"),
        (lambda w: weights(w) + sum(w[:-1]), "not to each input"),
        (lambda w: weights(w) + len(w) - 1, "not one in all"),
        (lambda w: count(w[:-1]), "the last layer"),
        (lambda w: count(w[1:]), "the first layer"),
        (lambda w: count(w) / 3, "whole number"),
        (lambda w: [count(w)], "one whole number is wanted"),
        (sum, "a·b weights"),
        (lambda w: count(w) + 2 * sum(w[1:-1]), "a·b weights"),
        (lambda w: sum((a + 1) * (b + 1) for a, b in zip(w, w[1:], strict=False)), "a·b weights"),
        (lambda w: sum(a * b + b for a, b in zip(w[::2], w[1::2], strict=False)), "a·b weights"),
    ],
    2: [
        (lambda p, q, a, b: score(q, p, a, b), "upside down"),
        (lambda p, q, a, b: a * p + b * q, "not divided"),
        (lambda p, q, a, b: score(p, q, a, b).sum(), "shape (5,); yours has ()"),
        (lambda p, q, a, b: score(p, q, a, 0), "fake label is missing"),
        (lambda p, q, a, b: p / (p + q), "here they are 0.8"),
        (lambda p, q, a, b: score(p, q, 0.9, 0.1), "are written into your formula"),
        (lambda p, q, a, b: p, "set the derivative"),
        (lambda p, q, a, b: a * p / (a * p + b * q), "the two numerators of the equation"),
        (lambda p, q, a, b: (a * p - b * q) / (p + q), "are added"),
        (lambda p, q, a, b: (a * p + b * q) / 2, "divided by 2"),
        (lambda p, q, a, b: score(p, q, a, b) / 2, "added, not averaged"),
        (lambda p, q, a, b: score(p, q, a, 1 - b), "not 1 - fake_label"),
        (lambda p, q, a, b: score(p, q, a, b).logit(), "D's logit"),
    ],
    3: [
        (lambda G, D, real, z: bce(D(real), 0.9) + bce(D(G(z)), 0.1), "detach the generated"),
        (lambda G, D, real, z: bce(D(real), 0.9) + bce(D(G(z)).detach(), 0.1), "D(G(z).detach())"),
        (lambda G, D, real, z: bce(D(real).detach(), 0.9) + bce(D(G(z).detach()), 0.1), "nothing from real images"),
        (d_loss_with_backward, "no backward() and no step inside"),
        (lambda G, D, real, z: d_loss(G, D, real, z, 0.1, 0.9), "swapped"),
        (lambda G, D, real, z: d_loss(G, D, real, z, 1.0, 0.0), "labels are 1 and 0"),
        (lambda G, D, real, z: d_loss(G, D, real, z, 0.9, 0.0), "images' label is 0"),
        (lambda G, D, real, z: d_loss(G, D, real, z, 0.9, 0.9), "both halves aim"),
        (lambda G, D, real, z: d_loss(G, D, real, z, loss=lambda r, a: bce(r.sigmoid(), a)), "sigmoid twice"),
        (lambda G, D, real, z: d_loss(G, D, real, z) / 2, "averaged"),
        (lambda G, D, real, z: d_loss(G, D, real, z) * len(real), "summed"),
        (lambda G, D, real, z: -d_loss(G, D, real, z), "the sign"),
        (lambda G, D, real, z: bce(D(real), 0.9), "generated part is missing"),
        (lambda G, D, real, z: bce(D(G(z).detach()), 0.1), "real part is missing"),
        (lambda G, D, real, z: d_loss(G, D, real, z).detach(), "no gradient"),
        (lambda G, D, real, z: d_loss(G, D, real, z).item(), "without .item()"),
        (d_loss_in_evaluation_mode, "G made its images in evaluation mode"),
        (lambda G, D, real, z: d_loss(G.eval(), D, real, z), "G is left in evaluation mode"),
        (lambda G, D, real, z: d_loss(G.requires_grad_(False), D, real, z), "G is left frozen"),
        (lambda G, D, real, z: D(real), "shape ()"),
        (lambda G, D, real, z: (bce(D(real), 0.9), bce(D(G(z).detach()), 0.1)), "shape (); yours has (2,)"),
        (lambda G, D, real, z: bce(D(real.detach()), 0.9) + bce(D(G(z.detach())), 0.1), "gradients arrived in G"),
        (lambda G, D, real, z: d_loss(G, D, real, z, loss=lambda r, a: (r - a).square().mean()), "should be"),
        (lambda G, D, real, z: d_loss(G, D, real, torch.randn_like(z)), "other latents than z"),
        (lambda G, D, real, z: F.binary_cross_entropy(D(real), torch.ones(16).to(real)), "D returns logits"),
    ],
    4: [
        *((with_switches(**dict(changes)), words) for changes, words in lesson.MISTAKES.items()),
        (functools.partial(loop, lambda r, f: both_joined(r, f) / 2, to_one), "two parts are averaged"),
        (all_of_g_after_d, "take turns, batch by batch"),
        (d_steps_last, "G steps before D has"),
        (functools.partial(loop, both, lambda f: -f.mean()), "line by line"),
        (then_judged_in_evaluation_mode, "in evaluation mode for part"),
        (lambda *_: None, "nothing was learnt"),
        (before_backward, "nothing was learnt"),
        (fed(latents=once), "latents are drawn 1 times"),
        (with_switches(g_every=10**6, first_g=-1), "G never moved"),
        (fed(latents=lambda drawn: lambda n: torch.randn(n, 100)), "latents of your own"),
        (fed(latents=own_for_g), "latents of your own"),
        (fed(latents=lambda drawn: lambda n: drawn(64)[:n]), "you ask for 64 latents"),
        (fed(batches=lambda given: [0.5 * real for real in given]), "line by line"),
        (then(lambda G, D: G.eval()), "G is left in evaluation mode"),
        (then(lambda G, D: D.requires_grad_(False)), "D is left frozen"),
    ],
    5: [
        (lambda G, n, g: data.to_uint8(G(torch.randn(n, 100, generator=g)).detach()), "running statistics"),
        (sampled(back=False), "left in evaluation mode"),
        (lambda G, n, g: sample(G, n, torch.Generator().manual_seed(1)), "handed in"),
        (lambda G, n, g: sample(G, n, g).float(), "these are float32"),
        (lambda G, n, g: sample(G, n, g)[:1], "shape (64, 1, 28, 28); yours has (1, 1, 28, 28)"),
        (sampled(grad=True), "under torch.no_grad()"),
        (sampled(convert=lambda x: ((x + 1) * 127.5).to(torch.uint8)), "cut off, not rounded"),
        (sampled(convert=lambda x: ((x + 1) / 2).to(torch.uint8)), "multiply by 255"),
        (sampled(convert=lambda x: (x * 255).clamp(0, 255).round().to(torch.uint8)), "from -1 to 1"),
        (sampled(convert=lambda x: (x * 127.5).round().to(torch.uint8)), "add 1 first"),
        (sampled(convert=lambda x: (128 * x + 128).clamp(0, 255).round().to(torch.uint8)), "exactly 255"),
        (sampled(convert=lambda x: (x * 127).to(torch.int8)), "these are int8"),
        (sampled(make=torch.rand), "rand is uniform"),
        (sampled(make=lambda n, m, generator, device: torch.randn(n, m, device=device)), "handed in"),
        (lambda G, n, g: 255 - sample(G, n, g), "black and white are exchanged"),
        (lambda G, n, g: sample(G, 64, g), "asked for 10 images"),
        (lambda G, n, g: sample(G, n, g).flatten(1), "shape (64, 1, 28, 28); yours has (64, 784)"),
    ],
    6: [
        (lambda *given: lesson.reference_loop(*given[:6]), "real_label is not used"),
        (with_fixed(fake_label=0.1), "fake_label is not used"),
        (with_fixed(g_every=2), "g_every is not used"),
        (with_fixed(for_g="fresh latents"), "the images that D has just judged"),
        (with_fixed(for_g="same latents"), "makes other images of D's latents"),
        (lambda *given: any_recipe(*given, g_label=given[6]), "G aims at real_label"),
        (lambda *given: any_recipe(*given, real_label=given[7], fake_label=given[6]), "labels are swapped"),
        (lambda *given: any_recipe(*given, first_g=given[8] - 1), "batches 0, g_every"),
        (with_fixed(first_g=-1), "G never moves"),
        (with_fixed(detach="verdict"), "change one choice at a time"),
        (lambda G, D, *rest: (any_recipe(G, D, *rest), G.requires_grad_(False))[0], "left frozen"),
    ],
}
