"""The checks of lesson 02: two ways to be right, and what each mistake is told."""

import pytest
import torch
import torch.nn.functional as F
from answers import stub, told

from gan_course import data, losses
from gan_course.checks import lesson_02


@pytest.mark.parametrize("exercise", [1, 2, 3, 4, 5])
def test_a_stub_is_told_that_it_waits(exercise):
    assert "still waits" in told(getattr(lesson_02, f"exercise_{exercise}"), stub)


def count_in_torch(widths):
    layers = [torch.nn.Linear(a, b, device="meta") for a, b in zip(widths, widths[1:], strict=False)]
    return sum(p.numel() for layer in layers for p in layer.parameters())


@pytest.mark.parametrize(
    "right", [lambda w: sum((a + 1) * b for a, b in zip(w, w[1:], strict=False)), count_in_torch]
)
def test_counting_right(right, capsys):
    lesson_02.exercise_1(right)
    assert capsys.readouterr().out.startswith("✓")


@pytest.mark.parametrize(
    "wrong, words",
    [
        (lambda w: sum(a * b for a, b in zip(w, w[1:], strict=False)), "leaves out the biases"),
        (lambda w: sum(a * b for a, b in zip(w, w[1:], strict=False)) + sum(w), "gives the input a bias"),
        (lambda w: sum(w), "a·b weights"),
    ],
)
def test_counting_wrong(wrong, words):
    assert words in told(lesson_02.exercise_1, wrong)


@pytest.mark.parametrize(
    "right",
    [lambda p, q, a, b: (a * p + b * q) / (p + q), lambda p, q, a, b: b + (a - b) * p / (p + q)],
)
def test_best_d_right(right, capsys):
    lesson_02.exercise_2(right)
    assert capsys.readouterr().out.startswith("✓")


@pytest.mark.parametrize(
    "wrong, words",
    [
        (lambda p, q, a, b: (a * q + b * p) / (p + q), "upside down"),
        (lambda p, q, a, b: a * p + b * q, "not divided"),
        (lambda p, q, a, b: (a * p + b * q).sum(), "one score for each place"),
        (lambda p, q, a, b: (a * p) / (p + q), "set the derivative"),
    ],
)
def test_best_d_wrong(wrong, words):
    assert words in told(lesson_02.exercise_2, wrong)


def test_best_d_with_plain_labels_only():
    assert "here they are 0.9" in told(lesson_02.exercise_2, lambda p, q, a, b: p / (p + q))


def bce(logits, label):
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, label))


def loss_with_softplus(G, D, real, z):
    with torch.no_grad():
        fake = G(z)
    r, f = D(real), D(fake)
    return (0.9 * F.softplus(-r) + 0.1 * F.softplus(r)).mean() + (
        0.1 * F.softplus(-f) + 0.9 * F.softplus(f)
    ).mean()


@pytest.mark.parametrize(
    "right", [lambda G, D, real, z: bce(D(real), 0.9) + bce(D(G(z).detach()), 0.1), loss_with_softplus]
)
def test_d_loss_right(right, capsys):
    lesson_02.exercise_3(right)
    assert capsys.readouterr().out.startswith("✓")


@pytest.mark.parametrize(
    "wrong, words",
    [
        (lambda G, D, real, z: bce(D(real), 0.9) + bce(D(G(z)), 0.1), "detach the generated"),
        (lambda G, D, real, z: bce(D(real), 0.1) + bce(D(G(z).detach()), 0.9), "swapped"),
        (lambda G, D, real, z: bce(D(real), 1.0) + bce(D(G(z).detach()), 0.0), "labels are 1 and 0"),
        (
            lambda G, D, real, z: bce(D(real).sigmoid(), 0.9) + bce(D(G(z).detach()).sigmoid(), 0.1),
            "sigmoid twice",
        ),
        (lambda G, D, real, z: (bce(D(real), 0.9) + bce(D(G(z).detach()), 0.1)) / 2, "averaged"),
        (lambda G, D, real, z: bce(D(real), 0.9), "real part plus generated part"),
        (lambda G, D, real, z: (bce(D(real), 0.9) + bce(D(G(z)), 0.1)).detach(), "no gradient"),
        (lambda G, D, real, z: D(real), "one number"),
    ],
)
def test_d_loss_wrong(wrong, words):
    assert words in told(lesson_02.exercise_3, wrong)


def loop_backward_twice(G, D, opt_g, opt_d, batches, latents):
    """As the DCGAN tutorial does it: a backward pass for each part, their gradients added up."""
    for i, real in enumerate(batches):
        fake = G(latents(len(real))).detach()
        real_loss, fake_loss = losses.bce(D(real), 0.9), losses.bce(D(fake), 0.1)
        opt_d.zero_grad(set_to_none=False)
        (real_loss + fake_loss).backward()
        opt_d.step()
        if i % 2:
            continue
        loss_g = losses.g_non_saturating(D(G(latents(len(real)))))
        opt_g.zero_grad()
        loss_g.backward()
        opt_g.step()


@pytest.mark.parametrize("right", [lesson_02.reference_loop, loop_backward_twice])
def test_loop_right(right, capsys):
    lesson_02.exercise_4(right)
    assert "bit for bit" in capsys.readouterr().out


@pytest.mark.parametrize("message, changes", lesson_02.MISTAKES.items(), ids=range(len(lesson_02.MISTAKES)))
def test_loop_wrong(message, changes):
    """Each named mistake gets its own words, so no two of them end at the same weights."""
    assert told(lesson_02.exercise_4, lambda *a: lesson_02.reference_loop(*a, **changes)) == message


def test_loop_that_forgets_to_step():
    assert "nothing was learnt" in told(lesson_02.exercise_4, lambda *_: None)

    def only_d(G, D, opt_g, opt_d, batches, latents):
        lesson_02.reference_loop(G, D, opt_g, opt_d, batches, latents, g_every=10**6, first_g=-1)

    assert "G never moved" in told(lesson_02.exercise_4, only_d)


def test_loop_wrong_in_a_way_nobody_foresaw():
    def noisy(G, D, opt_g, opt_d, batches, latents):
        lesson_02.reference_loop(G, D, opt_g, opt_d, [0.5 * real for real in batches], latents)

    assert "line by line" in told(lesson_02.exercise_4, noisy)


def sample_right(G, n, generator):
    G.eval()
    with torch.no_grad():
        images = data.to_uint8(G(torch.randn(n, 100, generator=generator)))
    G.train()
    return images


def sample_with_arithmetic(G, n, generator):
    z = torch.randn(n, 100, generator=generator)
    images = ((G.eval()(z).detach() + 1) * 127.5).round().byte()
    G.train(True)
    return images


@pytest.mark.parametrize("right", [sample_right, sample_with_arithmetic])
def test_sampling_right(right, capsys):
    lesson_02.exercise_5(right)
    assert capsys.readouterr().out.startswith("✓")


def sample_in_training_mode(G, n, generator):
    with torch.no_grad():
        return data.to_uint8(G(torch.randn(n, 100, generator=generator)))


def sample_and_stay(G, n, generator):
    images = sample_right(G, n, generator)
    G.eval()
    return images


@pytest.mark.parametrize(
    "wrong, words",
    [
        (sample_in_training_mode, "running statistics"),
        (sample_and_stay, "left in evaluation mode"),
        (lambda G, n, g: sample_right(G, n, torch.Generator().manual_seed(9)), "handed in"),
        (lambda G, n, g: sample_right(G, n, g).float(), "uint8"),
        (lambda G, n, g: sample_right(G, n, g)[:1], "shape"),
    ],
)
def test_sampling_wrong(wrong, words):
    assert words in told(lesson_02.exercise_5, wrong)
