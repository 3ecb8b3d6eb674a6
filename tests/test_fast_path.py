"""The fast loop computes what the plain one computes: here with twice the digits, so that only rounding is left."""

import pytest
import torch
from torch import nn

import ladder
from gan_course import recipes, training
from gan_course.data import to_signed
from gan_course.gan import GAN

STEPS = 100
NAMES = ("loss_d", "d_real", "d_fake", "loss_g", "d_fake_after")  # as `ladder.Loop` keeps them


def in_double(gan: GAN) -> GAN:
    """The run with float64 weights and latents, without dropout, whose draws come in another order."""
    for network in (gan.G, gan.D):
        network.double()
        for layer in network.modules():
            if isinstance(layer, (nn.Dropout, nn.Dropout2d)):
                layer.p = 0.0
    latents = gan.latents
    gan.latents = lambda n: latents(n).double()
    return gan


@pytest.mark.parametrize("key", ["dcgan-faces-64", "dcgan-mnist", "mlp-fashion"])
def test_a_hundred_steps_differ_by_rounding_only(key, pictures):
    recipe = recipes.get(key).but(batch=4, width=1 / 16)
    images = pictures(recipe, 40)
    plain = ladder.Loop(recipe, images, seed=5)
    in_double(plain.gan)
    fast = in_double(GAN(recipe, seed=5))
    start = [p.clone() for p in fast.G.parameters()]
    for step in range(STEPS):
        real = to_signed(images[torch.arange(4 * step, 4 * step + 4) % 40]).double()
        telemetry = training.train_step(fast, real)
        fast.step += 1
        plain.step(real)
        mine = [telemetry[name].item() for name in NAMES if name in telemetry]
        assert mine == pytest.approx(plain.telemetry[-1], rel=1e-7, abs=1e-9)
    for network in ("G", "D"):
        one, other = getattr(plain.gan, network), getattr(fast, network)
        for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True):
            assert torch.allclose(a, b, rtol=1e-6, atol=1e-9)
    assert any((a - b).abs().max() > 1e-3 for a, b in zip(start, fast.G.parameters(), strict=True))
