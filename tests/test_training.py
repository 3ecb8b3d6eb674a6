"""The step and the loop: who moves when, what is measured, and that a plain loop gives the same bits."""

import copy
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from gan_course import data, recipes, training
from gan_course.errors import CourseError
from gan_course.gan import GAN
from gan_course.history import COLUMNS, History

# --- one step --------------------------------------------------------------------------------------


def copies(tensors) -> list[torch.Tensor | None]:
    return [None if t is None else t.detach().clone() for t in tensors]


def alike(a, b) -> bool:
    return all((x is None) == (y is None) and (x is None or torch.equal(x, y)) for x, y in zip(a, b, strict=True))


@pytest.mark.parametrize("reused", [True, False])
def test_each_step_moves_one_network_and_leaves_no_gradient_in_the_other(reused, small, pictures):
    """Whether G learns from the images that D has just judged or from new ones."""
    recipe = small("dcgan-fashion")
    gan, real = GAN(recipe), data.to_signed(pictures(recipe, 16))

    def state(network):
        return copies(network.parameters()), copies(p.grad for p in network.parameters())

    (g, _), (d, _) = state(gan.G), state(gan.D)
    fake, _ = training.step_d(gan, real, for_g=reused)
    after_g, g_gradients = state(gan.G)
    after_d, d_gradients = state(gan.D)
    assert alike(g, after_g) and not alike(d, after_d)
    assert all(gradient is None for gradient in g_gradients)  # nothing reaches G through the detached images
    training.step_g(gan, fake if reused else training.generate(gan, 16))
    moved_g, g_gradients = state(gan.G)
    still_d, still_d_gradients = state(gan.D)
    assert alike(after_d, still_d) and not alike(g, moved_g)
    assert alike(d_gradients, still_d_gradients)  # D's own, untouched by G's backward
    training.step_d(gan, real, for_g=reused)
    still_g, still_g_gradients = state(gan.G)
    assert alike(moved_g, still_g) and alike(g_gradients, still_g_gradients)  # nor does D's next step add to G's
    assert all(p.requires_grad for network in (gan.G, gan.D) for p in network.parameters())


@pytest.mark.parametrize("key", sorted(recipes.RECIPES))
def test_every_recipe_takes_the_smallest_batch_under_pytorchs_strictest_checks(key, small, pictures, go):
    """No value that a backward pass needs is changed in place, whatever is reused; no anomaly."""
    recipe = small(key, batch=2, width=1 / 16)
    with torch.autograd.set_detect_anomaly(True):
        for fresh_noise in (False, True):
            labels = torch.arange(5)  # looked at where the recipe has classes
            gan = go(GAN(recipe.but(fresh_noise=fresh_noise)), pictures(recipe, 5), 3, labels=labels)
            assert np.isfinite(gan.history["loss_d"]).all()


def test_the_shape_of_a_verdict_does_not_matter(small, pictures, go):
    """[N], [N, 1] and [N, 1, 1, 1] are one logit an image."""
    recipe = small("quick-digits", batch=8)

    def trained(tail):
        D = nn.Sequential(nn.Conv2d(1, 8, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(8, 1, 14), tail)
        gan = go(GAN(recipe, networks=(recipe.build()[0], D)), pictures(recipe, 40), 6)
        return [*gan.G.parameters(), *gan.D.parameters()]

    assert alike(trained(nn.Flatten(0)), trained(nn.Identity()))
    assert alike(trained(nn.Flatten(0)), trained(nn.Flatten(1)))


# --- the plain loop --------------------------------------------------------------------------------


def plain_loop(recipe: recipes.Recipe, images: torch.Tensor, steps: int, seed: int) -> GAN:
    """The loop as a text-book writes it: D is never frozen, no gradient is switched off, no index drawn ahead.

    The networks start as the package starts them. Everything random is drawn from seeds written out here.
    """
    gan = GAN(recipe, seed)
    G, D = gan.G, gan.D
    opt_g = torch.optim.Adam(G.parameters(), lr=recipe.lr_g, betas=recipe.betas, fused=True)
    opt_d = torch.optim.Adam(D.parameters(), lr=recipe.lr_d, betas=recipe.betas, fused=True)
    order = torch.Generator().manual_seed(4 * seed + 1)
    noise = torch.Generator().manual_seed(4 * seed + 2)
    torch.randn(64, recipe.latent_dim, generator=noise)  # the fixed latents come first
    torch.manual_seed(4 * seed + 3)  # for dropout
    bce = F.binary_cross_entropy_with_logits

    def d_loss(real, fake):
        if recipe.objective == "least-squares":
            return ((real - 1) ** 2).mean() + (fake**2).mean()
        ones = torch.ones(recipe.batch)
        return bce(real, recipe.real_label * ones) + bce(fake, recipe.fake_label * ones)

    def g_loss(fake):
        if recipe.objective == "least-squares":
            return ((fake - 1) ** 2).mean()
        if recipe.objective == "minimax":
            return -F.softplus(fake).mean()  # the mean of log(1 - D(G(z)))
        return bce(fake, torch.ones(recipe.batch))

    step = 0
    while step < steps:
        permutation = torch.randperm(len(images), generator=order)
        for indices in permutation.split(recipe.batch):
            if len(indices) < recipe.batch or step == steps:
                break
            real = images[indices].float() / 127.5 - 1
            fake = G(torch.randn(recipe.batch, recipe.latent_dim, generator=noise))
            loss = d_loss(D(real), D(fake.detach()))
            opt_d.zero_grad()
            loss.backward()
            opt_d.step()
            if step % recipe.g_every == 0:
                if recipe.fresh_noise:
                    fake = G(torch.randn(recipe.batch, recipe.latent_dim, generator=noise))
                loss = g_loss(D(fake))
                opt_g.zero_grad()
                loss.backward()
                opt_g.step()
            step += 1
    return gan


@pytest.mark.parametrize(
    ("key", "changes", "steps"),
    [
        ("mlp-fashion", {}, 22),  # dropout, G rests, fresh noise
        ("dcgan-fashion", {}, 10),  # dropout of whole maps, channels_last
        ("dcgan-fashion", {"g_every": 1, "fresh_noise": False}, 10),  # G reuses D's images
        ("dcgan-mnist", {"batch": 4}, 22),  # least squares, biases, batches of 4
        ("dcgan-faces-64", {"g_every": 3}, 5),
        ("mlp-fashion", {"objective": "minimax"}, 5),
    ],
)
def test_a_plain_loop_gives_the_same_bits(key, changes, steps, small, pictures, go):
    recipe = small(key, **changes)
    images = pictures(recipe, 70)  # 4 batches of 16 and 6 left over: several epochs
    trained, start = go(GAN(recipe, seed=7), images, steps), GAN(recipe, seed=7)
    with torch.random.fork_rng():
        plain = plain_loop(recipe, images, steps, seed=7)
    for name in ("G", "D"):
        one, other, first = (getattr(gan, name).state_dict().values() for gan in (trained, plain, start))
        assert alike(one, other) and not alike(one, first)


# --- data order ------------------------------------------------------------------------------------


def order_of(gan: GAN, n: int, epochs: int) -> list[list[int]]:
    """The indices each epoch shows, in their order; a new iterator at every step, as after a pause."""
    seen = []
    for _ in range(epochs):
        seen.append([])
        for _ in range(n // gan.recipe.batch):
            seen[-1] += next(training.index_batches(gan, n)).tolist()
            gan.step += 1
    return seen


def test_an_epoch_shows_every_image_once_and_leaves_the_incomplete_batch_for_later(small):
    recipe = small("mlp-fashion")
    epochs = order_of(GAN(recipe), 64, 3)
    assert all(sorted(epoch) == list(range(64)) for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2] and epochs[0] != sorted(epochs[0])
    epochs = order_of(GAN(recipe), 70, 6)
    assert all(len(set(epoch)) == len(epoch) == 64 for epoch in epochs)
    assert set().union(*epochs) == set(range(70))
    assert epochs != order_of(GAN(recipe, seed=1), 70, 6)


# --- telemetry -------------------------------------------------------------------------------------


def by_hand(gan: GAN, images: torch.Tensor) -> dict[str, float]:
    """The first step's telemetry from a copy of the networks, without dropout in the recipe."""
    G, D = copy.deepcopy(gan.G), copy.deepcopy(gan.D)
    noise = torch.Generator()
    noise.set_state(gan.noise.get_state())
    order = torch.Generator().manual_seed(4 * gan.seed + 1)
    real = images[torch.randperm(len(images), generator=order)[: gan.recipe.batch]].float() / 127.5 - 1
    fake = G(torch.randn(gan.recipe.batch, 100, generator=noise))
    x, y = torch.sigmoid(D(real)), torch.sigmoid(D(fake))
    loss_d = -(0.9 * x.log() + 0.1 * (1 - x).log()).mean() - (0.1 * y.log() + 0.9 * (1 - y).log()).mean()
    d_gradients = torch.autograd.grad(loss_d, list(D.parameters()), retain_graph=True)
    with torch.no_grad():  # Adam's first step, whatever its betas: the rate times the sign of the gradient
        for p, g in zip(D.parameters(), d_gradients, strict=True):
            p -= gan.recipe.lr_d * g / (g.abs() + 1e-8)
    fake = G(torch.randn(gan.recipe.batch, 100, generator=noise))
    after = torch.sigmoid(D(fake))
    loss_g = -after.log().mean()
    g_gradients = torch.autograd.grad(loss_g, list(G.parameters()))
    expected = {
        "step": 0,
        "images": 0,
        "loss_d": loss_d,
        "loss_g": loss_g,
        "d_real": x.mean(),
        "d_fake": y.mean(),
        "d_fake_after": after.mean(),
        "right_real": (x > 0.5).float().mean(),
        "right_fake": (y < 0.5).float().mean(),
        "grad_d": math.sqrt(sum(g.square().sum().item() for g in d_gradients)),
        "grad_g": math.sqrt(sum(g.square().sum().item() for g in g_gradients)),
    }
    return {name: torch.as_tensor(value).item() for name, value in expected.items()}


def test_a_steps_telemetry_is_what_it_says(small, pictures, go):
    recipe = small(
        "dcgan-faces-64", real_label=0.9, fake_label=0.1, g_every=2, fresh_noise=True, lr_d=2e-3, width=1 / 4
    )
    images, gan = pictures(recipe, 40), GAN(recipe, seed=2)
    expected = by_hand(gan, images)
    go(gan, images, 2)
    assert list(COLUMNS) == list(expected)
    for column, value in expected.items():
        assert gan.history[column][0] == pytest.approx(value, rel=1e-3, abs=1e-6), column
    assert gan.history["d_fake"][0] != pytest.approx(gan.history["d_fake_after"][0], rel=1e-3)
    # G rested in the second step, and norms are taken every fiftieth.
    second = dict(zip(COLUMNS, gan.history.rows[1], strict=True))
    assert {c for c, v in second.items() if math.isnan(v)} == {"loss_g", "d_fake_after", "grad_d", "grad_g"}


def test_norms_are_measured_on_schedule_and_only_where_g_moved(small, pictures, go):
    recipe = small("mlp-fashion", width=1 / 16, g_every=3)
    history = go(GAN(recipe), pictures(recipe, 32), 152).history
    assert np.flatnonzero(~np.isnan(history["grad_d"])).tolist() == [0, 50, 100, 150]
    assert np.flatnonzero(~np.isnan(history["grad_g"])).tolist() == [0, 150]  # at 50 and 100, G rested


def test_history_reads_like_the_tutorials_log(small, pictures, go):
    recipe = small("mlp-fashion")
    assert History().line() == "no step yet"
    history = go(GAN(recipe), pictures(recipe, 32), 6).history
    assert history["step"].tolist() == list(range(6))
    assert history["images"].tolist() == [0, 16, 32, 48, 64, 80]
    seen, values = history.measured("loss_g")
    assert seen.tolist() == [0, 32, 64]
    assert history.mean("loss_g", last=2) == pytest.approx(values[1:].mean())
    assert history.line().split()[:4] == ["step", "6", "Loss_D:", f"{history['loss_d'][-1]:.4f}"]
    assert f"Loss_G: {values[-1]:.4f}" in history.line()  # the latest that was measured, one step before


# --- the loop --------------------------------------------------------------------------------------


def test_it_hands_the_run_back_on_schedule_at_drawings_and_at_the_end(small, pictures):
    recipe = small("mlp-fashion", width=1 / 16)
    images, gan = pictures(recipe, 32), GAN(recipe)

    def reports(gan, until, **options) -> list[int]:
        return [gan.step for _ in training.train(gan, images, until, progress=False, **options)]

    assert reports(gan, 120) == [50, 100, 120]
    assert reports(gan, 160) == [150, 160]  # the schedule counts from the run's beginning
    assert reports(gan, 160) == reports(gan, 100) == []
    assert reports(GAN(recipe), np.int64(7), report_every=torch.tensor(3)) == [3, 6, 7]
    assert reports(GAN(recipe.but(draw_every=30)), 70) == [30, 50, 60, 70]
    assert reports(gan, 200, stop=lambda: gan.step == 167) == [167]
    with pytest.raises(CourseError, match="report_every 0: a whole number from 1 works"):
        reports(gan, 300, report_every=0)
    assert gan.step == 167


def test_pauses_looks_and_the_callers_randomness_change_nothing(small, pictures, go, assert_same):
    recipe = small("dcgan-fashion")  # whose dropout draws from the global stream
    images = pictures(recipe, 70)
    torch.manual_seed(1)
    undisturbed = go(GAN(recipe), images, 20)
    torch.manual_seed(2)
    expected = torch.rand(5)
    torch.manual_seed(2)
    drawn, disturbed = [], GAN(recipe)
    go(disturbed, images, 60, stop=lambda: disturbed.step == 7)
    go(disturbed, images, 60, stop=lambda: disturbed.step == 8)
    for _ in training.train(disturbed, images, 20, report_every=3, progress=False):  # at 9, 12, 15, 18, 20
        drawn.append(torch.rand(1))
        disturbed.draw()
    assert torch.equal(torch.cat(drawn), expected)
    assert_same(undisturbed, disturbed)


def test_an_error_in_a_step_keeps_the_telemetry_before_it_and_gives_the_callers_randomness_back(small, pictures, go):
    """A notebook's stop button raises anywhere; the same cell again goes on, and no step lacks its row."""
    recipe = small("mlp-fashion", width=1 / 16)
    gan, images, stops = GAN(recipe), pictures(recipe, 32), [30, 68]

    def step(gan, real):
        if stops and gan.step == stops[0]:
            training.step_d(gan, real)  # half of a step
            raise KeyboardInterrupt
        return training.train_step(gan, real)

    before = torch.get_rng_state()
    while stops:
        with pytest.raises(KeyboardInterrupt):
            go(gan, images, 90, step=step)
        assert gan.step == len(gan.history) == stops.pop(0)
    assert torch.equal(torch.get_rng_state(), before)
    go(gan, images, 90, step=step)
    assert gan.history["step"].tolist() == list(range(90))
    assert np.isfinite(gan.history["loss_d"]).all()


# --- the average -----------------------------------------------------------------------------------


def test_the_average_is_updated_every_eighth_step_with_batchnorms_statistics(small, pictures):
    """Its half-life begins at 5 % of the images seen, so that noise from the first steps does not linger."""
    recipe = small("dcgan-fashion", average_half_life=15)
    images, gan = pictures(recipe, 70), GAN(recipe)
    mean = {name: t.clone().double() for name, t in gan.G.state_dict().items()}
    for _ in training.train(gan, images, 25, report_every=1, progress=False):
        if gan.step % 8 == 0:
            half_life = min(15, 0.05 * 16 * gan.step)  # 6.4, 12.8, then 15 images
            keep = 0.5 ** (8 * 16 / half_life)
            mean = {name: keep * m + (1 - keep) * gan.G.state_dict()[name] for name, m in mean.items()}
        for name, tensor in gan.average.state_dict().items():
            if tensor.is_floating_point():
                torch.testing.assert_close(tensor.double(), mean[name], rtol=1e-4, atol=1e-6)
    buffers = [name for name in mean if name.endswith("running_mean")]
    assert buffers and all(gan.average.state_dict()[name].abs().max() > 0 for name in buffers)


# --- what goes wrong -------------------------------------------------------------------------------


@pytest.mark.parametrize("network", ["G", "D"])
def test_a_nan_stops_with_the_step_it_came_at(network, small, pictures, go):
    recipe = small("mlp-fashion")
    gan = go(GAN(recipe), pictures(recipe, 70), 7)
    with torch.no_grad():
        next(getattr(gan, network).parameters()).fill_(math.nan)
    said = r"loss_d is nan at step 7: lower the learning rates \(0.0002 for G, 0.0002 for D\)"
    with pytest.raises(training.Diverged, match=said) as caught:
        go(gan, pictures(recipe, 70), 30)
    assert "\n" not in str(caught.value)
    assert np.isfinite(gan.history["loss_d"][:7]).all()  # what was measured before is there to look at


def test_images_already_scaled(small, go):
    gan = GAN(small("mlp-fashion"))
    with pytest.raises(CourseError, match=r"uint8 images \[N, 1, 28, 28\]; these are float32 \[32, 1, 28, 28\]"):
        go(gan, torch.zeros(32, 1, 28, 28), 5)
    assert gan.step == len(gan.history) == 0
