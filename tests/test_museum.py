"""The museum: each planted bug is what its label says, by hand where that can be; its mend is the course's own run."""

import re

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from gan_course import losses, museum, studies, training
from gan_course.errors import CourseError
from gan_course.gan import GAN
from gan_course.museum import EXHIBITS
from gan_course.study_table import STUDIES, Study

TINY = {"width": 1 / 16, "batch": 8}
close = torch.testing.assert_close
REAL, FAKE = torch.randn(2, 6, 3, 4, 4, generator=torch.Generator().manual_seed(0))
L = torch.linspace(-6, 6, 25)


def fresh(key: str, planted: bool = True) -> tuple[GAN, museum.Step | None]:
    """A tiny GAN of an exhibit's recipe, and its step, with the bug or without."""
    gan = GAN(EXHIBITS[key].recipe.but(**TINY), seed=3)
    return gan, EXHIBITS[key].found(gan) if planted else None


@pytest.fixture
def trained(go, pictures):
    """trained(key, steps, planted): such a GAN after some steps."""

    def train(key: str, steps: int = 3, planted: bool = True) -> GAN:
        gan, step = fresh(key, planted)
        return go(gan, pictures(gan.recipe, 24), steps, step=step)

    return train


def flat(tensors) -> Tensor:
    return torch.cat([tensor.detach().flatten() for tensor in tensors])


def gradients(network: nn.Module) -> Tensor:
    return flat(p.grad for p in network.parameters())


def batch(gan: GAN) -> Tensor:
    """Real images for it, [8, 1, 28, 28]."""
    return torch.rand(gan.recipe.batch, 1, 28, 28, generator=torch.Generator().manual_seed(1)) * 2 - 1


# --- the table -------------------------------------------------------------------------------------


def test_every_exhibit_has_its_label_and_a_source_that_can_be_looked_up():
    assert len(EXHIBITS) >= 12
    for key, exhibit in EXHIBITS.items():
        assert museum.get(key) is exhibit and exhibit.key == key
        assert exhibit.title and exhibit.told.endswith(".")
        assert re.search(r"\w/\w", exhibit.source)  # a repository
        assert re.search(r"#\d+|\b[0-9a-f]{7}\b", exhibit.source)  # a thread or a commit
    with pytest.raises(CourseError, match="unknown exhibit 'sign': there are normal_alpha, alpha_a_pixel"):
        museum.get("sign")


@pytest.mark.parametrize("setting", museum.SETTINGS)
def test_every_exhibit_trains_and_its_bug_stays_in_its_run(setting, trained, assert_same):
    keys = [key for key, exhibit in EXHIBITS.items() if exhibit.setting == setting]
    before = trained(keys[0], planted=False)
    for key in keys:
        gan = trained(key)
        assert gan.step == 3
        for column in ("loss_d", "loss_g", "d_real", "d_fake", "right_real", "right_fake"):
            assert np.isfinite(gan.history[column]).any(), (key, column)
    assert_same(trained(keys[0], planted=False), before)  # a run begun afterwards knows nothing of it


def test_each_hangs_in_one_study_beside_its_mend():
    hung = [(study, arm) for study in STUDIES.values() for arm in study.bugs]
    assert sorted(study.bugs[arm] for study, arm in hung) == sorted(EXHIBITS)
    for study, arm in hung:
        assert study.recipe_of(arm) == EXHIBITS[study.bugs[arm]].recipe == study.recipe_of("mended")
        assert next(iter(study.arms)) == "mended" and "mended" not in study.bugs


def test_a_study_with_a_bug_that_cannot_be_planted():
    with pytest.raises(CourseError, match="unknown exhibit 'woodworm'"):
        Study("x", "?", "quick-digits", {"a": {}}, images=1, bugs={"a": "woodworm"})
    with pytest.raises(CourseError, match="study 'x' has no arm 'b' for the bug 'large_eps'"):
        Study("x", "?", "quick-digits", {"a": {}}, images=1, bugs={"b": "large_eps"})


def test_a_study_plants_the_bug_and_leaves_the_mended_arm_alone(monkeypatch, noise_set, go, assert_same):
    recipe, changes = museum.SETTINGS["plain"]
    arms, bugs = {"mended": {}, "a": {}, "b": {}}, {"a": "leak_into_d", "b": "large_eps"}  # a step, and layers
    study = Study("tiny", "?", recipe, arms, images=32, common={**changes, **TINY}, bugs=bugs)
    images, kept = noise_set(study.recipe_of("mended")), []
    monkeypatch.setattr(studies, "measure", lambda gan, test_set: kept.append(gan) or {})
    monkeypatch.setattr(studies, "_shared", (study, images, images, {}))
    for arm in arms:
        studies._one(arm, seed=2)
        gan = GAN(study.recipe_of(arm), seed=2)
        step = EXHIBITS[bugs[arm]].found(gan) if arm in bugs else None
        assert_same(kept[-1], go(gan, images.images, 4, step=step))
    for planted in kept[1:]:
        assert not torch.equal(flat(planted.D.parameters()), flat(kept[0].D.parameters()))


# --- penalties -------------------------------------------------------------------------------------


def linear(w: Tensor):
    """D(x) = <w, x>: its slope is w everywhere."""
    return lambda images: (images * w).sum((1, 2, 3))


def points(penalty) -> Tensor:
    """Where a penalty looks at D's slope between 1 and 0: its alphas, [2000, 3 * 4 * 4]."""
    seen = []

    def D(images):
        seen.append(images.detach())
        return images.square().sum((1, 2, 3))

    real = torch.ones(2_000, 3, 4, 4)
    penalty(D, real, torch.zeros_like(real), torch.Generator().manual_seed(0))
    return seen[0].flatten(1)


def test_normal_alpha_mostly_leaves_the_segment():
    alpha = points(museum.normal_alpha)
    assert (alpha == alpha[:, :1]).all()
    assert abs(alpha[:, 0].mean()) < 0.1 and abs(alpha[:, 0].std() - 1) < 0.1
    assert 0.6 < ((alpha[:, 0] < 0) | (alpha[:, 0] > 1)).float().mean() < 0.72  # 1/2 and 0.16


def test_alpha_a_pixel_leaves_the_segment_and_stays_near_its_middle():
    alpha = points(museum.alpha_a_pixel)
    assert alpha.min() >= 0 and alpha.max() <= 1
    assert abs(alpha.std() - 12**-0.5) < 0.01  # uniform
    assert abs(alpha.mean(1).std() - (12 * 48) ** -0.5) < 0.01  # an image's mean: 48 draws
    assert (alpha.std(1) > 0.1).all()


def test_one_axis_asks_each_pixel_for_the_slope_that_the_image_should_have():
    w = torch.linspace(-1, 2, 48).view(3, 4, 4)
    by_pixel = w.square().sum(0).sqrt()  # [4, 4]
    close(museum.one_axis(linear(w), REAL, FAKE, None), (by_pixel - 1).square().mean())
    one_a_pixel = linear(torch.ones(1, 28, 28))
    grey = torch.zeros(2, 1, 28, 28)
    assert museum.one_axis(one_a_pixel, grey, grey, None).item() == 0  # content, with a slope of 28
    close(losses.gradient_penalty(one_a_pixel, grey, grey), torch.tensor(27.0**2))


def test_mean_first_misses_the_spread_of_the_slopes():
    def D(images):
        return images.square().sum((1, 2, 3)) / 2

    slopes = REAL.flatten(1).norm(dim=1)
    missed = losses.gradient_penalty(D, REAL, REAL) - museum.mean_first(D, REAL, REAL, None)
    close(missed, slopes.var(unbiased=False), rtol=1e-3, atol=1e-4)


def test_bare_root_is_right_until_d_is_flat():
    w = torch.linspace(-1, 2, 48).view(3, 4, 4).requires_grad_()
    for penalty in (museum.bare_root, losses.gradient_penalty):
        close(penalty(linear(w), REAL, FAKE, None).detach(), (w.detach().norm() - 1).square())
    flat_w = torch.zeros(3, 4, 4, requires_grad=True)
    cost = museum.bare_root(linear(flat_w), REAL, FAKE, None)
    assert cost.item() == 1 and torch.autograd.grad(cost, flat_w)[0].isnan().all()


@pytest.mark.parametrize("planted", [True, False])
def test_one_step_of_bare_root_from_a_flat_d_ends_the_run(planted):
    gan, _ = fresh("bare_root", planted)
    nn.init.zeros_(gan.D.layers[-1].weight)
    training.train_step(gan, batch(gan))
    assert flat(gan.D.parameters()).isnan().any() == planted


def test_r1_of_the_loss_is_weaker_by_the_square_of_the_batch():
    w = torch.linspace(-1, 2, 48).view(3, 4, 4)
    n = len(REAL)
    for score, factor in ((0.0, 4 * n**2), (3.0, (n * (1 + np.exp(3))) ** 2)):

        def D(images, score=score):
            return linear(w)(images - images.detach()) + score  # the same score everywhere

        right, found = losses.r1(D, REAL), museum.r1_of_the_loss(D, REAL, FAKE, None)
        close(right / found, torch.tensor(factor, dtype=torch.float32), rtol=1e-3, atol=0)


# --- objectives ------------------------------------------------------------------------------------


def slope(loss, logits: Tensor) -> Tensor:
    logits = logits.clone().requires_grad_()
    return torch.autograd.grad(loss(logits), logits)[0]


def test_one_sign_lets_d_and_g_push_the_same_way():
    gan, _ = fresh("one_sign")
    mended = losses.get("wasserstein")
    close(slope(gan.objective.g_loss, L), -slope(mended.g_loss, L))
    assert (slope(gan.objective.g_loss, L) * slope(lambda fake: gan.d_loss(L, fake), L) > 0).all()
    assert (slope(mended.g_loss, L) * slope(lambda fake: mended.d_loss(L, fake), L) < 0).all()


def test_hinge_for_g_is_silent_where_d_is_right():
    gan, _ = fresh("hinge_for_g")
    by_logit, mended = slope(gan.objective.g_loss, L), slope(losses.get("hinge").g_loss, L)
    assert (by_logit[L < 0] == 0).all() and torch.equal(by_logit[L > 0], mended[L > 0]) and (mended < 0).all()


def test_overwritten_loss_compares_nothing():
    gan, _ = fresh("overwritten_loss")
    g_loss = gan.objective.g_loss
    close(g_loss(L, L.flip(0)), losses.g_non_saturating(L))
    assert torch.equal(g_loss(L, L), g_loss(L + 5, L))
    close(gan.d_loss(L + 5, L), losses.d_relativistic(L + 5, L))  # D compares as before


# --- the step --------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", [museum.step_by_hand, museum.get("no_detach").found(None)])
def test_the_step_by_hand_is_the_courses_own_and_so_it_is_without_detach(step, go, pictures, trained):
    mended = trained("no_detach", 4, planted=False)
    gan, _ = fresh("no_detach", planted=False)
    go(gan, pictures(gan.recipe, 24), 4, step=step)
    for name in ("G", "D"):
        for ours, theirs in zip(*(getattr(g, name).state_dict().values() for g in (gan, mended)), strict=True):
            assert torch.equal(ours, theirs)
    for column in ("loss_d", "loss_g", "d_real", "right_fake"):
        assert gan.history[column].tolist() == mended.history[column].tolist()


def next_latents(gan: GAN) -> Tensor:
    state = gan.noise.get_state()
    z = gan.latents(gan.recipe.batch)
    gan.noise.set_state(state)
    return z


def test_leak_into_d_adds_what_gs_loss_left():
    gan, step = fresh("leak_into_d")
    real, D = batch(gan), gan.D
    used = []
    gan.opt_d.register_step_pre_hook(lambda *_: used.append(gradients(D)))
    step(gan, real)
    left = gradients(D)
    right = torch.autograd.grad(gan.d_loss(D(real), D(gan.G(next_latents(gan)).detach())), list(D.parameters()))
    step(gan, real)
    close(used[1], left + flat(right), rtol=1e-3, atol=1e-5)
    assert left.norm() > 0.01 * used[1].norm()


def test_leak_into_g_adds_what_ds_loss_left():
    gan, step = fresh("leak_into_g")
    real, G, D = batch(gan), gan.G, gan.D
    z, weights = next_latents(gan), list(G.parameters())
    left = flat(torch.autograd.grad(gan.d_loss(D(real), D(G(z))), weights))
    used, right = [], []

    def before_the_step(*_):  # D has moved, G has not yet
        used.append(gradients(G))
        right.append(flat(torch.autograd.grad(gan.objective.g_loss(D(G(z))), weights)))

    gan.opt_g.register_step_pre_hook(before_the_step)
    step(gan, real)
    close(used[0], left + right[0], rtol=1e-3, atol=1e-5)
    assert left.norm() > 0.01 * used[0].norm()


def test_two_noises_of_two_laws():
    gan, step = fresh("two_noises")
    seen = []
    gan.G.register_forward_pre_hook(lambda G, inputs: seen.append(inputs[0]))
    step(gan, batch(gan))
    for_d, for_g = seen
    assert for_d.min() >= 0 and for_d.max() <= 1
    assert abs(for_d.mean() - 0.5) < 0.05 and abs(for_d.var() - 1 / 12) < 0.02
    assert abs(for_g.mean()) < 0.2 and abs(for_g.std() - 1) < 0.2
    assert abs(gan.latents(50).mean()) < 0.1  # whoever samples gets the normal law


# --- layers and weights ----------------------------------------------------------------------------


def spread(G: nn.Module) -> float:
    """How much first pictures differ with z."""
    with torch.no_grad():
        return G(torch.randn(64, 100, generator=torch.Generator().manual_seed(0))).std(0).mean().item()


def norms(network: nn.Module) -> list[nn.BatchNorm2d]:
    return [layer for layer in network.modules() if isinstance(layer, nn.BatchNorm2d)]


def test_large_eps_shrinks_what_batchnorm_lets_through():
    gan, _ = fresh("large_eps")
    x = 0.1 * torch.randn(64, norms(gan.D)[0].num_features, 4, 4, generator=torch.Generator().manual_seed(0))
    plain = nn.BatchNorm2d(x.shape[1])
    for network in (gan.G, gan.D, gan.average):
        assert norms(network) and all(layer.eps == 0.8 for layer in norms(network))
    layer = nn.BatchNorm2d(x.shape[1], eps=norms(gan.D)[0].eps)
    close(layer(x).std() / plain(x).std(), torch.tensor((0.01 / 0.81) ** 0.5), rtol=0.05, atol=0)
    assert 0 < spread(gan.G) < spread(fresh("large_eps", planted=False)[0].G) / 4


def test_all_normal_draws_scales_around_0():
    gan, _ = fresh("all_normal")
    for network in (gan.G, gan.D):
        everything = flat(network.parameters())
        assert abs(everything.mean()) < 0.002 and abs(everything.std() - 0.02) < 0.002
    scales = flat(layer.weight for layer in norms(gan.G))
    assert scales.min() < 0 < scales.max() and scales.abs().max() < 0.1
    mended, _ = fresh("all_normal", planted=False)
    assert all((layer.weight > 0.8).all() and (layer.bias == 0).all() for layer in norms(mended.G))
    assert 0 < spread(gan.G) < spread(mended.G) / 4
    assert all(torch.equal(a, b) for a, b in zip(gan.G.parameters(), gan.average.parameters(), strict=True))


def test_bare_average_has_the_average_weights_and_the_first_statistics(trained):
    gan, mended = (trained("bare_average", 17, planted) for planted in (True, False))
    for name in ("G", "D"):  # training does not notice
        assert torch.equal(*(flat(getattr(g, name).parameters()) for g in (gan, mended)))
    assert not torch.equal(gan.draw(), mended.draw())
    first, _ = fresh("bare_average", planted=False)
    for name, buffer in first.average.named_buffers():
        mended.average.get_buffer(name).copy_(buffer)
    assert torch.equal(gan.draw(), mended.draw())
