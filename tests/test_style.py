"""The style-based generator: its modulated convolution by definition, its layers, styles mixed and truncated."""

import pytest
import torch
import torch.nn.functional as F

from gan_course import networks, runs, sampling, snapshots, style, widgets
from gan_course.data import ImageSet
from gan_course.gan import GAN


def dice(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def G():
    """A generator with noise that shows, in evaluation mode."""
    G, _ = networks.build("style", channels=3, size=64, latent_dim=16, width=1 / 8)
    networks.initialise(G, "he", dice())
    with torch.no_grad():
        for conv in G.convs:
            conv.noise.strength.fill_(3.0)
    return G.eval().requires_grad_(False)


# --- modulation ------------------------------------------------------------------------------------


@pytest.mark.parametrize("demodulated", [True, False])
@pytest.mark.parametrize("kernel", [1, 3])
def test_one_convolution_does_what_each_images_own_weights_do(kernel, demodulated):
    x, weight = torch.randn(3, 4, 6, 5, generator=dice()), torch.randn(2, 4, kernel, kernel, generator=dice(1))
    styles = torch.randn(3, 4, generator=dice(2))
    own = style.modulate(weight, styles)
    assert own.shape == (3, 2, 4, kernel, kernel)
    torch.testing.assert_close(own[1, :, 2], weight[:, 2] * styles[1, 2])
    if demodulated:
        own = style.demodulate(own)
        torch.testing.assert_close(own.flatten(2).norm(dim=2), torch.ones(3, 2))
    expected = torch.cat([F.conv2d(x[i : i + 1], own[i], padding=kernel // 2) for i in range(3)])
    torch.testing.assert_close(style.modulated_conv(x, weight, styles, demodulated), expected)
    louder = style.modulated_conv(x, weight, 7 * styles, demodulated)
    torch.testing.assert_close(louder, expected if demodulated else 7 * expected, rtol=1e-4, atol=1e-4)


def test_short_numbers_stay_short():
    x, weight = torch.randn(2, 4, 6, 6, dtype=torch.bfloat16), torch.randn(3, 4, 3, 3)
    with torch.autocast("cpu", torch.bfloat16):
        assert style.modulated_conv(x, weight, torch.ones(2, 4)).dtype == torch.bfloat16


# --- the generator ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("size", "layers"), [(64, 9), (128, 11)])
@pytest.mark.parametrize("channels", [1, 3])
def test_images_of_their_size_and_a_gradient_to_every_weight(size, layers, channels):
    G, D = networks.build("style", channels=channels, size=size, latent_dim=8, width=1 / 16)
    networks.initialise(G, "he", dice())
    images = G(torch.randn(4, 8, generator=dice(1)))
    assert images.shape == (4, channels, size, size) and G.layers == layers
    D(images).sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in G.parameters())


def test_the_signal_keeps_its_size_from_layer_to_layer():
    G, _ = networks.build("style", channels=3, size=64, width=1)
    networks.initialise(G, "he", dice())
    seen = []
    for conv in G.convs:
        conv.register_forward_hook(lambda _, __, out: seen.append(out.square().mean().item()))
    with torch.no_grad():
        G.eval()(torch.randn(16, 100, generator=dice(1)))
    assert all(0.1 < square < 2 for square in seen)


def test_the_mapping_is_a_hundred_times_as_slow_and_keeps_the_variance():
    slow, plain = style.Slow(64, 64), torch.nn.Linear(64, 64)
    for layer in (slow, plain):
        networks.initialise(torch.nn.Sequential(layer), "he", dice(0))
    x = torch.randn(1_000, 64, generator=dice(1))
    torch.testing.assert_close(slow(x), plain(x), rtol=1e-4, atol=1e-4)
    begun = slow(x).detach(), plain(x).detach()
    for layer in (slow, plain):
        adam = torch.optim.Adam(layer.parameters(), 1e-3)
        layer(x).square().mean().backward()
        adam.step()
    moved = [(layer(x) - y).norm() for layer, y in zip((slow, plain), begun, strict=True)]
    assert (moved[1] / moved[0]).item() == pytest.approx(100, rel=0.05)


def test_only_the_direction_of_z_counts(G):
    z = torch.randn(3, 16, generator=dice(1))
    torch.testing.assert_close(G.mapping(z), G.mapping(5 * z), rtol=1e-4, atol=1e-5)
    assert torch.equal(G(z), G.synthesis(G.mapping(z)))


def test_noise_stands_still_in_evaluation_and_moves_in_training(G):
    z = torch.randn(2, 16, generator=dice(1))
    before = torch.get_rng_state()
    assert torch.equal(G(z), G(z)) and torch.equal(torch.get_rng_state(), before)
    again, _ = networks.build("style", channels=3, size=64, latent_dim=16, width=1 / 8)
    again.load_state_dict(G.state_dict())
    assert torch.equal(again.eval()(z), G(z))  # the same noise, though no file holds it
    assert not any("always" in name for name in G.state_dict())
    same = G.mapping(z[:1]).expand(2, -1)
    assert torch.equal(*G.synthesis(same))
    G.train()
    assert not torch.equal(*G.synthesis(same))


def test_a_published_copy_looks_the_same(G):
    copy, _ = networks.build("style", channels=3, size=64, latent_dim=16, width=1 / 8)
    copy.load_state_dict(snapshots.unpack(snapshots.pack(G.state_dict())))
    ours, theirs = (sampling.sample(network, 32).float() for network in (G, copy))
    assert (ours - theirs).abs().mean() < 2


def test_a_run_draws_its_noise_from_its_own_stream(small, pictures, go, assert_same):
    recipe = small("quick-faces", network="style", init="he", batch=4)
    images, ends = pictures(recipe, 20), []
    for happened in (1, 2):
        torch.manual_seed(happened)
        ends.append(go(GAN(recipe, 3), images, 6))
    assert_same(*ends)


# --- styles in use ---------------------------------------------------------------------------------


def test_each_layer_follows_its_own_style(G):
    w, other = G.mapping(torch.randn(2, 16, generator=dice(1))).split(1)
    image = G.synthesis(w)
    assert torch.equal(G.synthesis([w] * G.layers), image)
    assert torch.equal(G.synthesis(style.mix(w, other, range(G.layers), G.layers)), G.synthesis(other))
    for taken in range(G.layers):
        mixed = style.mix(w, other, [taken], G.layers)
        assert [chosen is other for chosen in mixed] == [i == taken for i in range(G.layers)]
        assert not torch.equal(G.synthesis(mixed), image)


def test_truncation_is_a_straight_line_to_the_mean_style(G):
    w, mean = G.mapping(torch.randn(5, 16, generator=dice(1))), style.mean_w(G, 500)
    torch.testing.assert_close(style.truncate(w, mean, 1.0), w)
    torch.testing.assert_close(style.truncate(w, mean, 0.0), mean.expand(5, -1))
    torch.testing.assert_close(style.truncate(w, mean, 0.5), (w + mean) / 2)
    torch.testing.assert_close(mean, G.mapping(torch.randn(500, 16, generator=dice(0))).mean(0))


# --- the widget ------------------------------------------------------------------------------------


def test_the_mixer_shows_what_its_sliders_say(small, pictures, tmp_path):
    recipe = small("style-faces", batch=4)
    faces = ImageSet("drawn-faces", "train", pictures(recipe, 8), torch.zeros(8, dtype=torch.int64), (), "noise")
    run = runs.train(recipe, faces, tmp_path / "run", images=8, progress=False)
    panel = widgets.style_mixer(run, measured={0.5: (0.9, 0.1), 1.0: (0.7, 0.4)})
    said, before = panel.picture.alt, panel._image.value
    assert "4 of 9 layers follow the face at the left" in said and "recall 0.40" in said
    panel.psi.value = 0.4
    assert "Measured" not in panel.picture.alt and panel._image.value != before
    panel.psi.value = 0.5
    assert "Measured there: precision 0.90" in panel.picture.alt
    panel.psi.value, panel.first.value = 1.0, 9
    left = panel._image.value
    panel.fine.value = panel.coarse.value
    assert panel.picture.alt != said and panel._image.value != left  # the right one is another now
    plain = runs.train(small("quick-faces", batch=4), faces, tmp_path / "plain", images=8, progress=False)
    assert "takes no styles" in widgets.style_mixer(plain).why


def test_dcgans_d_does_not_see_contrast_and_the_recipes_does(small):
    """Why no BatchNorm stands beside a generator without tanh."""
    faces = torch.rand(8, 3, 64, 64, generator=dice()) * 2 - 1
    for d_norm, blind in (("batch", True), ("none", False)):
        penalty = {} if d_norm == "none" else {"penalty": "none"}
        _, D = small("style-faces", d_norm=d_norm, minibatch_std=False, **penalty).build()
        networks.initialise(D, "pytorch", dice())
        assert torch.allclose(D(faces), D(2 * faces), rtol=1e-2, atol=1e-3) == blind
