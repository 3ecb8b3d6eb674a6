"""Shorter numbers: weights stay float32, results stay close, float16's steps are scaled, left out, resumed."""

import copy

import pytest
import torch

from gan_course import checkpoint, precision, recipes, training
from gan_course.errors import CourseError
from gan_course.gan import GAN


def go(gan, images, steps):
    for _ in training.train(gan, images, gan.step + steps, progress=False):
        pass
    return gan


@pytest.mark.parametrize("short", ["bfloat16", "float16"])
@pytest.mark.parametrize("key", ["mlp-fashion", "dcgan-faces-64"])
def test_layers_compute_short_and_everything_else_stays_long(key, short, small):
    gan = GAN(small(key, precision=short))
    types = []
    for layer in gan.D.modules():
        if isinstance(layer, (torch.nn.Linear, torch.nn.Conv2d)):
            layer.register_forward_hook(lambda _, __, out: types.append(out.dtype))
    logits = gan.D(gan.G(gan.latents(4)))
    assert types and set(types) == {precision.PRECISIONS[short]}
    assert logits.dtype == torch.float32
    logits.mean().backward()
    assert (
        {p.dtype for p in gan.D.parameters()} == {p.grad.dtype for p in gan.D.parameters()} == {torch.float32}
    )
    assert gan.average(gan.latents(4)).dtype == torch.float32  # G's average, which draws, computes in full


@pytest.mark.parametrize("short", ["bfloat16", "float16"])
def test_it_learns_about_the_same(short, small, pictures):
    long = small("quick-digits")
    images = pictures(long, 64)
    one, other = (go(GAN(r), images, 20).history for r in (long, long.but(precision=short)))
    for column in ("loss_d", "loss_g", "d_real"):
        assert other.mean(column, last=5) == pytest.approx(one.mean(column, last=5), rel=0.2)


def test_a_step_with_infinite_gradients_is_left_out(small, pictures):
    recipe = small("mlp-fashion", precision="float16", g_every=1)
    gan = GAN(recipe)
    go(gan, pictures(recipe, 32), 12)
    before, scale = [p.clone() for p in gan.D.parameters()], gan.scaler.get_scale()
    gan.descend(gan.D(torch.zeros(2, 1, 28, 28)).sum() * float("inf"), gan.D, gan.opt_d)
    assert all(torch.equal(a, b) for a, b in zip(before, gan.D.parameters(), strict=True))
    assert gan.scaler.get_scale() == scale / 2


def test_gradients_come_out_unscaled(small, pictures):
    recipe = small("mlp-fashion", precision="float16")
    gan = GAN(recipe)
    go(gan, pictures(recipe, 32), 12)  # the scale has found its size
    gan.descend(gan.D(torch.ones(16, 1, 28, 28)).mean() / 4, gan.D, gan.opt_d)
    last = list(gan.D.parameters())[-1]  # the logit's bias: its gradient is 1/4, whatever the weights
    assert gan.scaler.get_scale() > 1 and last.grad.item() == pytest.approx(0.25, rel=1e-3)


def test_float16_goes_on_bit_for_bit(small, pictures, tmp_path, assert_same):
    recipe = small("mlp-fashion", precision="float16")
    images = pictures(recipe, 40)
    whole = go(GAN(recipe), images, 12)
    checkpoint.save(go(GAN(recipe), images, 5), tmp_path / "half.safetensors")
    halves = go(checkpoint.load(tmp_path / "half.safetensors", recipe), images, 7)
    assert_same(whole, halves)
    assert whole.scaler.state_dict() == halves.scaler.state_dict()


def test_a_copy_computes_with_its_own_weights(small):
    gan = GAN(small("mlp-fashion", precision="bfloat16"))
    twin, z = copy.deepcopy(gan.G).eval(), torch.ones(2, 100)
    with torch.no_grad():
        for p in gan.G.parameters():
            p.zero_()
    assert twin(z).abs().max() > 0 and gan.G.eval()(z).abs().max() == 0


def test_an_unknown_precision_is_refused():
    with pytest.raises(CourseError, match="unknown precision 'fp8': there are float32, bfloat16, float16"):
        recipes.get("mlp-fashion").but(precision="fp8")


def test_a_t4_emulates_bfloat16(monkeypatch):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (7, 5))
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "Tesla T4")
    with pytest.raises(CourseError, match="Tesla T4 has no units for bfloat16: precision=float16"):
        precision.check("bfloat16", torch.device("cuda"))
    precision.check("float16", torch.device("cuda"))
