"""Shorter numbers: weights stay float32, results stay close, float16's steps are scaled, left out, resumed."""

import pytest
import torch

from gan_course import checkpoint, precision, runs, training
from gan_course.errors import CourseError
from gan_course.gan import GAN
from gan_course.recipes import PRECISIONS


@pytest.mark.parametrize("short", ["bfloat16", "float16"])
def test_layers_compute_short_and_everything_else_stays_long(short, small):
    gan = GAN(small("dcgan-faces-64", precision=short))
    types = []
    for layer in gan.D.modules():
        if isinstance(layer, (torch.nn.Linear, torch.nn.Conv2d)):
            layer.register_forward_hook(lambda _, __, out: types.append(out.dtype))
    logits = training.logits_of(gan, training.generate(gan, 4))
    assert types and set(types) == {PRECISIONS[short]}
    assert logits.dtype == torch.float32
    logits.mean().backward()
    assert {p.dtype for p in gan.D.parameters()} == {p.grad.dtype for p in gan.D.parameters()} == {torch.float32}
    types.clear()
    images = gan.average(gan.latents(4))  # which draws, and computes in full
    assert images.dtype == gan.D(images).dtype == torch.float32
    assert set(types) == {torch.float32}


@pytest.mark.parametrize("short", ["bfloat16", "float16"])
def test_it_learns_about_the_same(short, small, pictures, go):
    long = small("quick-digits")
    images = pictures(long, 64)
    one, other = (go(GAN(r), images, 20).history for r in (long, long.but(precision=short)))
    for column in ("loss_d", "loss_g", "d_real"):
        assert other.mean(column, last=5) == pytest.approx(one.mean(column, last=5), rel=0.2)


def test_float16_scales_leaves_out_and_goes_on_bit_for_bit(small, pictures, go, tmp_path, assert_same):
    recipe = small("mlp-fashion", precision="float16", g_every=1)
    images = pictures(recipe, 40)
    checkpoint.save(go(GAN(recipe), images, 5), tmp_path / "half.safetensors")
    gan = go(GAN(recipe), images, 12)
    halves = go(checkpoint.load(tmp_path / "half.safetensors", recipe), images, 12)
    assert_same(gan, halves)
    assert gan.scaler.state_dict() == halves.scaler.state_dict()
    assert (scale := gan.scaler.get_scale()) > 1

    gan.descend(gan.D(torch.ones(16, 1, 28, 28)).mean() / 4, gan.D, gan.opt_d)
    last = list(gan.D.parameters())[-1]  # the logit's bias: its gradient is 1/4, whatever the weights
    assert last.grad.item() == pytest.approx(0.25, rel=1e-3)
    before = [p.clone() for p in gan.D.parameters()]
    gan.descend(gan.D(torch.zeros(2, 1, 28, 28)).sum() * float("inf"), gan.D, gan.opt_d)
    assert all(torch.equal(a, b) for a, b in zip(before, gan.D.parameters(), strict=True))
    assert gan.scaler.get_scale() == scale / 2


@pytest.mark.parametrize("faster, chosen", [(2.0, "bfloat16"), (1.0, "float32"), (0.2, "float32")])
def test_auto_takes_what_was_measured_and_stays_with_it(faster, chosen, monkeypatch, small, noise_set, tmp_path):
    recipe = small("mlp-fashion", precision="auto")
    monkeypatch.setattr(precision, "speedup", lambda *_: faster)
    run = runs.train(recipe, noise_set(recipe), tmp_path / "run", images=64, progress=False)
    assert run.recipe.precision == run.restore().recipe.precision == chosen
    monkeypatch.setattr(precision, "speedup", lambda *_: 1 / faster)  # another machine goes on
    run = runs.train(recipe, noise_set(recipe), tmp_path / "run", images=128, resume=True, progress=False)
    assert (run.recipe.precision, run.card["images"]) == (chosen, 128)
    other = "float32" if chosen == "bfloat16" else "bfloat16"
    with pytest.raises(CourseError, match=f"precision '{chosen}' there, '{other}' here"):
        recipe = recipe.but(precision=other)
        runs.train(recipe, noise_set(recipe), tmp_path / "run", images=192, resume=True, progress=False)


@pytest.mark.parametrize("faster", [2.5, 0.25])
def test_pace_is_measured_in_turns_and_without_a_trace(faster, monkeypatch, small):
    def seconds(work, times, device):
        work()
        calls.append(times)
        return times * (0.005 if len(calls) % 2 else 0.005 / faster)

    state, calls = torch.get_rng_state(), []
    monkeypatch.setattr(precision, "_seconds", seconds)
    assert precision.speedup(small("mlp-fashion"), torch.device("cpu"), "bfloat16") == pytest.approx(faster)
    once = 4 + 2 * precision.ROUNDS
    assert len(calls) == (2 * once if faster > 1 else once)  # where a product is slow, the networks are not tried
    assert torch.equal(torch.get_rng_state(), state)


def test_a_slow_type_is_allowed_and_said(monkeypatch, small, capsys):
    monkeypatch.setattr(precision, "speedup", lambda *_: 0.25)
    assert GAN(small("mlp-fashion", precision="bfloat16")).recipe.precision == "bfloat16"
    assert "bfloat16 runs at 0.2 times the pace of float32" in capsys.readouterr().err


@pytest.mark.parametrize("capability, short", [((7, 5), "float16"), ((8, 0), "bfloat16"), ((9, 0), "bfloat16")])
def test_a_t4_emulates_bfloat16(capability, short, monkeypatch):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    assert precision.short_type(torch.device("cuda")) == short
