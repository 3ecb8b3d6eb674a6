"""The step and the loop: who moves when, what is measured, and that a plain loop gives the same bits."""

import copy
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from gan_course import data, losses, recipes, training
from gan_course.errors import CourseError
from gan_course.gan import GAN
from gan_course.history import COLUMNS, History


def go(gan: GAN, images: torch.Tensor, until: int, **options) -> GAN:
    """Train to a step."""
    for _ in training.train(gan, images, until, progress=False, **options):
        pass
    return gan


def weights(network) -> dict[str, torch.Tensor]:
    return {name: t.clone() for name, t in network.state_dict().items()}


def same(network, before: dict[str, torch.Tensor], only_parameters: bool = False) -> bool:
    names = dict(network.named_parameters()) if only_parameters else before
    return all(torch.equal(network.state_dict()[name], before[name]) for name in names)


# --- one step --------------------------------------------------------------------------------------


class Spied:
    """Replaces an optimiser's step: notes what every network looked like just before it and after it."""

    def __init__(self, gan: GAN, optimiser: str):
        self.gan, self.step_, self.seen = gan, getattr(gan, optimiser).step, []
        getattr(gan, optimiser).step = self

    def __call__(self):
        look = {}
        for name in ("G", "D"):
            parameters = list(getattr(self.gan, name).parameters())
            look[f"{name} gradients"] = [None if p.grad is None else p.grad.clone() for p in parameters]
            look[name] = [p.detach().clone() for p in parameters]
        self.step_()
        look["G after"] = [p.detach().clone() for p in self.gan.G.parameters()]
        look["D after"] = [p.detach().clone() for p in self.gan.D.parameters()]
        self.seen.append(look)


def alike(a, b) -> bool:
    return all(
        (x is None) == (y is None) and (x is None or torch.equal(x, y)) for x, y in zip(a, b, strict=True)
    )


@pytest.mark.parametrize("key", ["mlp-fashion", "dcgan-fashion", "dcgan-faces-64"])
def test_each_step_moves_one_network_and_leaves_no_gradient_in_the_other(key, small, pictures):
    recipe = small(key)
    gan = GAN(recipe)
    d_steps, g_steps = Spied(gan, "opt_d"), Spied(gan, "opt_g")
    go(gan, pictures(recipe, 32), 4)
    assert len(d_steps.seen) == 4
    assert len(g_steps.seen) == 4 // recipe.g_every

    first = d_steps.seen[0]
    assert all(g is None for g in first["G gradients"])  # nothing reaches G through the detached images
    assert any(g.abs().max() > 0 for g in first["D gradients"])
    for look in d_steps.seen:
        assert alike(look["G"], look["G after"])
        assert not alike(look["D"], look["D after"])
    for d_look, g_look in zip(d_steps.seen[:: recipe.g_every], g_steps.seen, strict=True):
        assert alike(g_look["D"], g_look["D after"])
        assert alike(g_look["D gradients"], d_look["D gradients"])  # D's own, untouched by G's backward
        assert not alike(g_look["G"], g_look["G after"])
    later = d_steps.seen[recipe.g_every]
    assert alike(later["G gradients"], g_steps.seen[0]["G gradients"])  # nor does D's later step add to G's


def test_the_networks_are_left_as_they_were_found(small, pictures):
    recipe = small("dcgan-fashion")
    gan = go(GAN(recipe), pictures(recipe, 32), 3)
    assert all(p.requires_grad for network in (gan.G, gan.D) for p in network.parameters())
    assert gan.G.training and gan.D.training and not gan.average.training


@pytest.mark.parametrize("g_every", [1, 2, 3])
def test_g_moves_every_so_often(g_every, small, pictures):
    recipe = small("mlp-fashion", g_every=g_every)
    gan = GAN(recipe)
    moved = []
    images = data.to_signed(pictures(recipe, 16))
    for gan.step in range(7):
        before = weights(gan.G)
        telemetry = training.train_step(gan, images)
        moved.append(not same(gan.G, before, only_parameters=True))
        assert ("loss_g" in telemetry) == moved[-1]
    assert moved == [step % g_every == 0 for step in range(7)]


@pytest.mark.parametrize(("fresh_noise", "draws"), [(True, 2), (False, 1)])
def test_g_reuses_its_images_or_draws_new_ones(fresh_noise, draws, small, pictures):
    recipe = small("mlp-fashion", fresh_noise=fresh_noise)
    gan = GAN(recipe)
    noise = torch.Generator()
    noise.set_state(gan.noise.get_state())
    training.train_step(gan, data.to_signed(pictures(recipe, 16)))
    for _ in range(draws):
        torch.randn(16, 100, generator=noise)
    assert torch.equal(noise.get_state(), gan.noise.get_state())


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
        ("dcgan-faces-64", {}, 5),
    ],
)
def test_a_plain_loop_gives_the_same_bits(key, changes, steps, small, pictures):
    recipe = small(key, **changes)
    images = pictures(recipe, 70)  # 4 batches of 16 and 6 left over: several epochs
    trained = go(GAN(recipe, seed=7), images, steps)
    with torch.random.fork_rng():
        plain = plain_loop(recipe, images, steps, seed=7)
    for name in ("G", "D"):
        one, other = weights(getattr(trained, name)), weights(getattr(plain, name))
        assert [n for n in one if not torch.equal(one[n], other[n])] == []
        assert not same(getattr(trained, name), weights(getattr(GAN(recipe, seed=7), name)))  # and it moved


# --- data order ------------------------------------------------------------------------------------


def order_of(gan: GAN, n: int, epochs: int) -> list[list[int]]:
    """The indices each epoch shows, in their order."""
    batches, seen = training.index_batches(gan, n), []
    for _ in range(epochs):
        epoch = []
        for _ in range(n // gan.recipe.batch):
            indices = next(batches)
            assert len(indices) == gan.recipe.batch
            epoch += indices.tolist()
            gan.step += 1
        seen.append(epoch)
    return seen


def test_an_epoch_shows_every_image_once(small):
    epochs = order_of(GAN(small("mlp-fashion")), 64, 3)
    assert all(sorted(epoch) == list(range(64)) for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2]
    assert epochs[0] != sorted(epochs[0])


def test_an_incomplete_batch_is_left_out_and_its_images_come_later(small):
    epochs = order_of(GAN(small("mlp-fashion")), 70, 6)
    assert all(len(set(epoch)) == len(epoch) == 64 for epoch in epochs)
    assert set().union(*epochs) == set(range(70))


def test_the_order_follows_the_seed_and_goes_on_in_the_middle(small):
    recipe = small("mlp-fashion")
    whole = sum(order_of(GAN(recipe, seed=3), 70, 3), [])
    assert whole == sum(order_of(GAN(recipe, seed=3), 70, 3), [])
    assert whole != sum(order_of(GAN(recipe, seed=4), 70, 3), [])
    gan, seen = GAN(recipe, seed=3), []
    while gan.step < 12:  # a new iterator at every step, as after a pause
        seen += next(training.index_batches(gan, 70)).tolist()
        gan.step += 1
    assert seen == whole


def test_the_images_of_a_step_are_those_of_the_order_scaled(small, monkeypatch):
    recipe = small("mlp-fashion")
    images = torch.arange(40, dtype=torch.uint8)[:, None, None, None].expand(-1, 1, 28, 28).contiguous()
    shown, step = [], training.train_step

    def look(gan, real):
        assert real.dtype == torch.float32 and real.shape == (16, 1, 28, 28)
        shown.extend(((real[:, 0, 3, 5] + 1) * 127.5).round().int().tolist())
        return step(gan, real)

    monkeypatch.setattr(training, "train_step", look)
    go(GAN(recipe), images, 4)
    assert shown == sum(order_of(GAN(recipe), 40, 2), [])


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


def test_a_steps_telemetry_is_what_it_says(small, pictures):
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
    assert (second["step"], second["images"]) == (1, 16)
    assert {c for c, v in second.items() if math.isnan(v)} == {"loss_g", "d_fake_after", "grad_d", "grad_g"}


def test_norms_are_measured_on_schedule_and_only_where_g_moved(small, pictures):
    recipe = small("mlp-fashion", width=1 / 16, g_every=3)
    history = go(GAN(recipe), pictures(recipe, 32), 152).history
    assert np.flatnonzero(~np.isnan(history["grad_d"])).tolist() == [0, 50, 100, 150]
    assert np.flatnonzero(~np.isnan(history["grad_g"])).tolist() == [0, 150]  # at 50 and 100, G rested


def test_least_squares_scores_are_the_outputs_themselves(small, pictures):
    recipe = small("dcgan-mnist", batch=8)
    gan = GAN(recipe)
    real, fake = torch.tensor([0.4, 0.6, 1.2]), torch.tensor([-0.5, 0.7, 0.1])
    verdicts = training._verdicts(gan.objective, real, fake)
    values = {name: value.item() for name, value in verdicts.items()}
    assert values == pytest.approx(
        {"d_real": 2.2 / 3, "d_fake": 0.1, "right_real": 2 / 3, "right_fake": 2 / 3}
    )


def test_history_reads_like_the_tutorials_log(small, pictures):
    recipe = small("mlp-fashion")
    assert History().line() == "no step yet"
    gan = go(GAN(recipe), pictures(recipe, 32), 6)
    history = gan.history
    assert len(history) == 6
    assert history["images"].tolist() == [0, 16, 32, 48, 64, 80]
    seen, values = history.measured("loss_g")
    assert seen.tolist() == [0, 32, 64]
    assert history.mean("loss_g", last=2) == pytest.approx(values[1:].mean())
    assert history.line().split()[:4] == ["step", "6", "Loss_D:", f"{history['loss_d'][-1]:.4f}"]
    assert f"Loss_G: {values[-1]:.4f}" in history.line()  # the latest that was measured, one step before


# --- reports ---------------------------------------------------------------------------------------


def reports(gan, images, until, **options) -> list[int]:
    return [gan.step for _ in training.train(gan, images, until, progress=False, **options)]


def test_reports_come_on_schedule_at_drawings_and_at_the_end(small, pictures):
    recipe = small("mlp-fashion", width=1 / 16)
    images = pictures(recipe, 32)
    gan = GAN(recipe)
    assert reports(gan, images, 120) == [50, 100, 120]
    assert reports(gan, images, 160) == [150, 160]  # the schedule counts from the run's beginning
    assert reports(gan, images, 160) == []
    assert reports(gan, images, 100) == []
    assert reports(GAN(recipe), images, 7, report_every=3) == [3, 6, 7]
    assert reports(GAN(recipe.but(draw_every=30)), images, 70) == [30, 50, 60, 70]


def test_stopping_at_any_step_loses_nothing(small, pictures, assert_same):
    recipe = small("mlp-fashion")
    images = pictures(recipe, 70)
    gan = GAN(recipe)
    assert reports(gan, images, 60, stop=lambda: gan.step == 7) == [7]
    assert reports(gan, images, 60, stop=lambda: gan.step == 8) == [8]
    assert_same(go(gan, images, 20), go(GAN(recipe), images, 20))


@pytest.mark.parametrize("key", ["mlp-fashion", "dcgan-fashion"])
def test_how_often_one_looks_changes_nothing(key, small, pictures, assert_same):
    recipe = small(key)
    images = pictures(recipe, 70)
    one = go(GAN(recipe), images, 12)
    other = GAN(recipe)
    for _ in training.train(other, images, 12, report_every=5, progress=False):
        other.draw()
    assert_same(one, other)


# --- randomness ------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["mlp-fashion", "dcgan-fashion"])
def test_the_callers_randomness_and_the_runs_do_not_touch(key, small, pictures, assert_same):
    recipe = small(key)
    images = pictures(recipe, 70)
    torch.manual_seed(1)
    undisturbed = go(GAN(recipe), images, 9)

    torch.manual_seed(2)
    expected = [torch.rand(3) for _ in range(4)]
    torch.manual_seed(2)
    drawn = [torch.rand(3)]
    disturbed = GAN(recipe)
    for _ in training.train(disturbed, images, 9, report_every=3, progress=False):
        drawn.append(torch.rand(3))
    assert torch.equal(torch.stack(drawn), torch.stack(expected))
    assert_same(undisturbed, disturbed)


def test_an_error_inside_gives_the_callers_randomness_back(small):
    gan = GAN(small("mlp-fashion"))
    torch.manual_seed(5)
    before = torch.get_rng_state()
    with pytest.raises(RuntimeError, match="on purpose"), gan.own_randomness():
        torch.rand(3)
        raise RuntimeError("on purpose")
    assert torch.equal(torch.get_rng_state(), before)


def test_seeds_differ_in_everything(small, everything):
    one, other = (everything(GAN(small("mlp-fashion"), seed)) for seed in (0, 1))
    for name in ("order", "noise", "global.0", "latents", "G.layers.0.weight", "D.layers.1.weight"):
        assert one[name].tobytes() != other[name].tobytes(), name


# --- the average -----------------------------------------------------------------------------------


def test_half_of_the_average_is_renewed_every_half_life(small):
    gan = GAN(small("dcgan-fashion", average_half_life=16 * 80))
    gan.images = 10**9  # far beyond the ramp-up
    for tensor in gan.average.state_dict().values():
        tensor.zero_()
    for name, tensor in gan.G.state_dict().items():
        tensor.fill_(6 if name.endswith("num_batches_tracked") else 1.0)
    for updates, expected in ((10, 1 / 2), (10, 3 / 4), (20, 15 / 16)):  # 10 updates of 8 steps of 16 images
        for _ in range(updates):
            training.update_average(gan)
        for name, tensor in gan.average.state_dict().items():
            counter = name.endswith("num_batches_tracked")
            torch.testing.assert_close(tensor, torch.full_like(tensor, 6 if counter else expected))


def test_early_on_the_average_forgets_fast(small):
    """The half-life starts at 5 % of the images seen, so noise from the first steps does not linger."""
    gan = GAN(small("dcgan-fashion", average_half_life=10**6))
    first = gan.average.layers[1][0].weight.clone()
    with torch.no_grad():
        gan.G.layers[1][0].weight.zero_()
    gan.images = 8 * 16
    training.update_average(gan)
    torch.testing.assert_close(gan.average.layers[1][0].weight, first * 0.5 ** (1 / 0.05))


def test_the_average_is_updated_every_eighth_step_with_batchnorms_statistics(small, pictures):
    recipe = small("dcgan-fashion", average_half_life=100)
    images, gan = pictures(recipe, 70), GAN(recipe)
    mean = {name: t.clone().double() for name, t in gan.G.state_dict().items()}
    for _ in training.train(gan, images, 20, report_every=1, progress=False):
        if gan.step % 8 == 0:
            half_life = min(100, 0.05 * 16 * gan.step)
            keep = 0.5 ** (8 * 16 / half_life)
            mean = {name: keep * m + (1 - keep) * gan.G.state_dict()[name] for name, m in mean.items()}
        for name, tensor in gan.average.state_dict().items():
            if tensor.is_floating_point():
                torch.testing.assert_close(tensor.double(), mean[name], rtol=1e-4, atol=1e-6)
    buffers = [name for name in mean if name.endswith("running_mean")]
    assert buffers and all(gan.average.state_dict()[name].abs().max() > 0 for name in buffers)


def test_drawing_uses_the_average_and_moves_nothing(small, pictures, assert_same):
    recipe = small("dcgan-fashion")
    gan, twin = (go(GAN(recipe), pictures(recipe, 70), 10) for _ in range(2))
    drawn = gan.draw()
    assert drawn.shape == (64, 1, 28, 28) and drawn.dtype == torch.uint8
    assert torch.equal(drawn, gan.draw())
    assert_same(gan, twin)
    with torch.no_grad():
        expected = data.to_uint8(twin.average.eval()(twin.fixed_latents))
    assert torch.equal(drawn, expected)


# --- what goes wrong -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("network", "column", "rests"), [("D", "loss_d", False), ("G", "loss_d", False), ("D", "loss_d", True)]
)
def test_a_nan_stops_with_the_step_it_came_at(network, column, rests, small, pictures):
    recipe = small("mlp-fashion", g_every=2 if rests else 1)
    gan = go(GAN(recipe), pictures(recipe, 70), 7)
    with torch.no_grad():
        next(getattr(gan, network).parameters()).fill_(math.nan)
    with pytest.raises(training.Diverged) as caught:
        go(gan, pictures(recipe, 70), 30)
    said = str(caught.value)
    assert f"{column} is nan at step 7: lower the learning rates (0.0002 for G, 0.0002 for D)" in said
    assert "grad_d and grad_g" in said and "\n" not in said
    assert np.isfinite(gan.history["loss_d"][:7]).all()  # what was measured before is there to look at


def test_rates_far_too_high_diverge_at_the_step_the_history_shows(small, pictures):
    recipe = small("dcgan-mnist", batch=8, lr_g=1e18, lr_d=1e18)
    gan = GAN(recipe)
    with pytest.raises(training.Diverged, match="at step") as caught:
        go(gan, pictures(recipe, 32), 200)
    bad = ~np.isfinite(gan.history["loss_d"]) | ~np.isfinite(gan.history["loss_g"])
    assert f"at step {np.flatnonzero(bad)[0]}: lower the learning rates (1e+18 for G" in str(caught.value)


def test_g_resting_is_no_divergence(small, pictures):
    recipe = small("mlp-fashion", g_every=2)
    assert np.isnan(go(GAN(recipe), pictures(recipe, 32), 4).history["loss_g"]).sum() == 2


@pytest.mark.parametrize(
    ("images", "said"),
    [
        (torch.zeros(32, 1, 32, 32, dtype=torch.uint8), r"uint8 images \[N, 1, 28, 28\].*\[32, 1, 32, 32\]"),
        (torch.zeros(32, 3, 28, 28, dtype=torch.uint8), r"these are uint8 \[32, 3, 28, 28\]"),
        (torch.zeros(32, 28, 28, dtype=torch.uint8), r"these are uint8 \[32, 28, 28\]"),
        (torch.zeros(32, 1, 28, 28), r"these are float32 \[32, 1, 28, 28\]"),
        (torch.zeros(15, 1, 28, 28, dtype=torch.uint8), "15 images do not fill a batch of 16: give more"),
        (torch.zeros(0, 1, 28, 28, dtype=torch.uint8), "0 images do not fill a batch of 16"),
    ],
)
def test_images_that_do_not_fit(images, said, small):
    gan = GAN(small("mlp-fashion"))
    with pytest.raises(CourseError, match=said):
        go(gan, images, 5)
    assert gan.step == 0 and len(gan.history) == 0


def test_a_bar_shows_speed_and_time_left(small, pictures, capfd):
    recipe = small("mlp-fashion", width=1 / 16)
    for _ in training.train(GAN(recipe), pictures(recipe, 32), 100):
        pass
    shown = "".join(capfd.readouterr())
    assert "mlp-fashion: 100%" in shown
    assert (
        "1.60k/1.60k" in shown and " images/s" in shown and "<" in shown
    )  # done of all, [elapsed<left, rate]
    go(GAN(recipe), pictures(recipe, 32), 10)
    assert "".join(capfd.readouterr()) == ""


def test_objectives_reach_the_step(small, pictures):
    """The same start under three objectives: G's first loss is each one's own, on the same logits' scale."""
    first = {}
    for name in losses.OBJECTIVES:
        recipe = small("dcgan-faces-64", objective=name, lr_d=0.0)
        first[name] = go(GAN(recipe), pictures(recipe, 16), 1).history["loss_g"][0]
    assert first["minimax"] < 0 < first["non-saturating"]
    assert first["non-saturating"] != first["least-squares"]
