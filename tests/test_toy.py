"""Toy problems: densities that are densities, copies that do not touch, halves of a step, the Dirac-GAN."""

import math

import numpy as np
import pytest
import torch

from gan_course import losses, toy
from gan_course.errors import CourseError


def weights(network):
    return [parameter.detach().clone() for parameter in network.parameters()]


def same(a, b):
    return all(torch.equal(x, y) for x, y in zip(a, b, strict=True))


@pytest.fixture
def gan():
    return toy.ToyGAN(toy.eight_gaussians(), seeds=[3], hidden=16, batch=32)


# Densities.


def test_a_density_on_a_line_integrates_to_one_and_has_the_mean_of_its_samples():
    p = toy.on_a_line([-2.0, 1.0], [0.5, 0.8], [1, 3])
    x = torch.linspace(-12, 12, 4001, dtype=torch.float64)[:, None]
    assert torch.trapezoid(p.density(x), x[:, 0]).item() == pytest.approx(1, abs=1e-6)
    assert torch.trapezoid(p.density(x) * x[:, 0], x[:, 0]).item() == pytest.approx(-2 / 4 + 1 * 3 / 4, abs=1e-6)
    assert torch.allclose(p.shifted(2.0).density(x + 2), p.density(x))
    assert p.sample(20000, torch.Generator().manual_seed(0)).mean().item() == pytest.approx(0.25, abs=0.05)
    far = torch.tensor([[60.0]], dtype=torch.float64)  # where the density rounds to zero
    normal = toy.on_a_line([0.0], [1.0], [1.0])
    assert normal.log_density(far).item() == pytest.approx(-1800 - 0.5 * math.log(2 * math.pi))


def test_a_density_in_the_plane_integrates_to_one():
    axis = torch.linspace(-3, 3, 301, dtype=torch.float64)
    density = toy.eight_gaussians().density(torch.cartesian_prod(axis, axis)).reshape(301, 301)
    assert torch.trapezoid(torch.trapezoid(density, axis), axis).item() == pytest.approx(1, abs=1e-5)


# Training.


def test_a_stack_is_the_mlp_that_torch_would_build():
    stack = toy.Stack([1], 2, 8, 3)
    by_torch = torch.nn.Sequential(torch.nn.Linear(2, 8), torch.nn.ReLU(), torch.nn.Linear(8, 3))
    for layer, w, b in zip((by_torch[0], by_torch[2]), stack.weights, stack.biases, strict=True):
        layer.weight.data, layer.bias.data = w[0].T.detach(), b[0, 0].detach()
    x = torch.randn(10, 2)
    assert torch.allclose(stack(x)[0], by_torch(x), atol=1e-6)


def test_all_randomness_comes_from_the_seeds_and_looking_uses_none():
    state = torch.get_rng_state()
    a, b = (toy.ToyGAN(toy.eight_gaussians(), seeds=seeds, hidden=8, batch=16) for seeds in ([4], np.array([4])))
    a.train(3)
    assert torch.equal(torch.get_rng_state(), state)
    torch.rand(5)
    b.train(np.int64(2))
    b.samples(), b.belief(torch.zeros(1, 2)), b.losses()
    b.train(1)
    assert same(weights(a.G), weights(b.G)) and same(weights(a.D), weights(b.D))


@pytest.mark.parametrize("who", ["D", "G"])
def test_a_step_moves_one_network_alone(gan, who):
    moving, resting = (gan.D, gan.G) if who == "D" else (gan.G, gan.D)
    before, at_rest = weights(moving), weights(resting)
    gan.step_d() if who == "D" else gan.step_g()
    assert not same(before, weights(moving)) and same(at_rest, weights(resting))
    assert all(p.grad is None for p in resting.parameters()), "gradients reached the network that rests"
    assert all(p.requires_grad for p in resting.parameters()), "it must be able to learn again"
    assert (gan.d_steps, gan.g_steps) == ((1, 0) if who == "D" else (0, 1))


def test_seeds_trained_together_end_where_each_would_alone():
    together = toy.ToyGAN(toy.eight_gaussians(), seeds=[1, 2], hidden=16, batch=32)
    together.train(20, d_steps=2)
    for copy, seed in enumerate([1, 2]):
        alone = toy.ToyGAN(toy.eight_gaussians(), seeds=[seed], hidden=16, batch=32)
        alone.train(20, d_steps=2)
        assert torch.allclose(together.samples(50)[copy], alone.samples(50)[0], atol=1e-3)
        assert together.losses()[copy] == pytest.approx(alone.losses()[0], abs=1e-3)


def test_eight_gaussians_are_learnt():
    gan = toy.ToyGAN(toy.eight_gaussians(), seeds=[0])
    assert toy.coverage(gan.samples(), gan.target).modes == 0
    gan.train(700)
    assert toy.coverage(gan.samples(), gan.target).modes >= 4


@pytest.mark.parametrize("wrong", [{"seeds": []}, {"seeds": [1.5]}, {"batch": 0}, {"hidden": 0}, {"rate": -1.0}])
def test_settings_that_cannot_work_are_refused(wrong):
    with pytest.raises(CourseError, match=r"\bworks?$"):
        toy.ToyGAN(toy.eight_gaussians(), **wrong)


# Coverage.


def test_coverage_by_hand():
    target = toy.eight_gaussians(sigma=0.1)
    far = torch.zeros(50, 2)  # at radius 0, no mode near
    lucky = target.centres[1:2] + 0.2  # 0.28 away, within 3 sigma, but one of 200
    just_out = target.centres[2:3] + torch.tensor([[0.31, 0.0]])
    samples = torch.cat([far, target.centres[:1].repeat(148, 1), lucky, just_out])
    found = toy.coverage(samples, target)
    assert found.modes == 1 and found.quality.item() == pytest.approx(149 / 200)
    assert toy.coverage(samples, target, least=1 / 200).modes == 2
    assert toy.coverage(samples, target, radius=3.2, least=1 / 200).modes == 3


def test_coverage_of_many_runs_at_once():
    target = toy.eight_gaussians()
    good = target.sample(1000, torch.Generator().manual_seed(0))
    found = toy.coverage(torch.stack([good, torch.zeros(1000, 2)]), target)
    assert found.modes.tolist() == [8, 0]
    assert found.quality.tolist() == pytest.approx([1 - math.exp(-4.5), 0], abs=0.02)


# The Dirac-GAN.


def test_dirac_gradients_are_those_of_the_objectives():
    theta = torch.tensor(0.7, dtype=torch.float64, requires_grad=True)
    psi = torch.tensor(-1.3, dtype=torch.float64, requires_grad=True)
    x = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    real_logits, fake_logits = psi * x, (psi * theta)[None]
    (slope,) = torch.autograd.grad(real_logits.sum(), x, create_graph=True)
    d_loss = losses.d_bce(real_logits, fake_logits) + 0.4 / 2 * slope.square().mean()
    (by_psi,) = torch.autograd.grad(d_loss, psi, retain_graph=True)
    (by_theta,) = torch.autograd.grad(losses.g_saturating(fake_logits), theta)
    assert toy.dirac_gradients(0.7, -1.3, penalty=0.4) == pytest.approx((by_theta.item(), by_psi.item()))


@pytest.mark.parametrize("alternating, penalty", [(False, 0.0), (False, 0.3), (True, 0.0), (True, 0.3)])
def test_the_dirac_matrix_is_the_step_near_the_solution(alternating, penalty):
    path = toy.dirac_run(0.7, 8, alternating, penalty, start=(2e-6, 1e-6))
    matrix = toy.dirac_matrix(0.7, alternating, penalty)
    assert torch.allclose(path[1:], path[:-1] @ matrix.T, rtol=1e-4, atol=1e-13)


def test_what_theory_says_of_the_dirac_gan():
    def modulus(*setting):
        return torch.linalg.eigvals(toy.dirac_matrix(*setting)).abs().max().item()

    assert modulus(0.2, False) == pytest.approx(math.sqrt(1.01))
    assert modulus(3.9, True) == pytest.approx(1) and modulus(4.1, True) > 1.5
    assert modulus(0.2, False, 0.04) > 1 > modulus(0.2, False, 0.06)  # stable exactly when h < 4 penalty
    assert toy.dirac_run(5.0, 500, False).isfinite().all(), "also far out on a spiral"
