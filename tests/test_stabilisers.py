"""What steadies D: another normalisation, a look at the batch, penalties, noise; and the step that uses them."""

import numpy as np
import pytest
import torch
from torch import nn

from gan_course import checkpoint, losses, recipes, training
from gan_course.errors import CourseError
from gan_course.gan import GAN
from gan_course.stabilisers import MinibatchStd

CONVOLUTIONAL = ("dcgan-fashion", "dcgan-mnist", "dcgan-faces-64")


def layers_of(network: nn.Module, kind: type) -> list[nn.Module]:
    return [module for module in network.modules() if isinstance(module, kind)]


@pytest.mark.parametrize("key", CONVOLUTIONAL)
def test_another_normalisation_stands_where_batchnorm_did(key, small):
    recipe = small(key)
    places = len(layers_of(recipe.build()[1], nn.BatchNorm2d))
    found = {}
    for norm in ("layer", "spectral", "none"):
        D = GAN(recipe.but(d_norm=norm)).D
        assert not layers_of(D, nn.BatchNorm2d)
        found[norm] = D
    assert len(layers_of(found["layer"], nn.GroupNorm)) == places
    for norm in ("spectral", "none"):  # what BatchNorm's shift did, a bias does
        assert all(layer.bias is not None for layer in layers_of(found[norm], nn.Conv2d)[1:-1])
    with pytest.raises(CourseError, match="unknown normalisation 'instance'"):
        recipe.but(d_norm="instance")


def test_one_images_verdict_is_its_own_without_batchnorm(small):
    recipe = small("dcgan-fashion", network="dcgan-quick")
    images = torch.randn(8, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    for norm, alone in (("batch", False), ("layer", True), ("spectral", True), ("none", True)):
        D = GAN(recipe.but(d_norm=norm)).D.eval().requires_grad_(False)  # spectral norm's estimate stands still
        if norm == "batch":
            D.train()
        together, apart = D(images), torch.cat([D(half) for half in images.split(4)])
        assert torch.allclose(together, apart, atol=1e-5) == alone, norm


def test_spectral_norm_bounds_every_layer(small, pictures, go):
    """The largest singular value of each layer's weights is 1, as far as its estimate has come."""
    recipe = small("quick-digits", d_norm="spectral")
    D = go(GAN(recipe), pictures(recipe, 64), 20).D.eval()
    for layer in layers_of(D, nn.Conv2d):
        largest = torch.linalg.matrix_norm(layer.weight.detach().flatten(1), 2)
        assert 0.9 < largest < 1.1


@pytest.mark.parametrize("key", ["mlp-fashion", *CONVOLUTIONAL])
def test_minibatch_std_sees_a_collapse(key, small):
    recipe = small(key, minibatch_std=True)
    D = GAN(recipe).D.eval()
    shape = recipe.channels, recipe.size, recipe.size
    varied = torch.randn(6, *shape, generator=torch.Generator().manual_seed(1))
    stat = D.layers[-1][0]
    same = varied[:1].expand(6, *shape)
    one_image, many = (stat(D.layers[:-1](images)).flatten(1)[:, -1] for images in (same, varied))
    assert (one_image == one_image[0]).all() and (one_image < 2e-4).all() and (many > 3 * one_image).all()
    assert D(varied).shape == (6,)


def test_minibatch_std_by_hand():
    maps = torch.tensor([[0.0, 1.0], [2.0, 1.0]]).view(2, 2, 1, 1).expand(2, 2, 3, 3)  # deviations 1 and 0
    added = MinibatchStd()(maps)
    assert added.shape == (2, 3, 3, 3) and torch.allclose(added[:, 2], torch.tensor(0.5), atol=1e-4)


# --- penalties in the step -------------------------------------------------------------------------


def test_batchnorm_in_d_is_refused_with_the_reason(small):
    recipe = small("quick-digits", penalty="r1")
    with pytest.raises(CourseError, match="penalty 'r1' with BatchNorm in D.*on the others; set d_norm to layer"):
        GAN(recipe)
    own = nn.Sequential(nn.Conv2d(1, 4, 4, 2, 1), nn.BatchNorm2d(4), nn.Conv2d(4, 1, 14), nn.Flatten(0))
    with pytest.raises(CourseError, match="BatchNorm in D"):
        GAN(recipe.but(d_norm="none"), networks=(recipe.build()[0], own))
    GAN(small("mlp-fashion", penalty="r1"))  # its D never had any
    with pytest.raises(CourseError, match="give your D a method features"):
        GAN(recipe.but(penalty="none", objective="feature-matching"), networks=(recipe.build()[0], own[:1]))


def test_a_penalty_counts_as_often_as_it_is_left_out(small, pictures):
    recipe = small("quick-digits", d_norm="none", penalty="r1", penalty_weight=3.0, penalty_every=4)
    gan = GAN(recipe)
    real = pictures(recipe, 16).float() / 127.5 - 1
    cost = losses.r1(gan.D, real).item()
    paid = []
    for gan.step in range(9):
        paid.append(torch.as_tensor(training.penalty(gan, real, real)).item())
    expected = [12 * cost if step in (0, 4, 8) else 0.0 for step in range(9)]
    assert paid == pytest.approx(expected)


def test_ds_step_goes_down_loss_and_penalty_together(small, pictures):
    """The gradient that Adam gets is that of both, by hand."""
    recipe = small("quick-digits", d_norm="none", penalty="r1+r2", penalty_weight=2.0)
    gan, by_hand = GAN(recipe), GAN(recipe)
    real = pictures(recipe, 16).float() / 127.5 - 1
    training.step_d(gan, real)
    with torch.no_grad():
        fake = training.generate(by_hand, 16)
    D = by_hand.D
    loss = losses.d_bce(D(real), D(fake))
    for images in (real, fake):
        images = images.clone().requires_grad_()
        (slope,) = torch.autograd.grad(D(images).sum(), images, create_graph=True)
        loss = loss + 2.0 * slope.square().sum((1, 2, 3)).mean() / 2
    loss.backward()
    for ours, theirs in zip(gan.D.parameters(), D.parameters(), strict=True):
        assert torch.allclose(ours.grad, theirs.grad, rtol=1e-3, atol=1e-6)


def test_a_penalty_is_exact_in_short_numbers_too(small, pictures):
    """Mixed precision ends before D's slope is differentiated once more."""
    changes = {"d_norm": "layer", "penalty": "gradient", "penalty_weight": 10.0}
    gans = [GAN(small("quick-digits", precision=short, **changes)) for short in ("float32", "bfloat16")]
    real = pictures(gans[0].recipe, 16).float() / 127.5 - 1
    costs = [training.penalty(gan, real, -real) for gan in gans]
    assert torch.equal(*(cost.detach() for cost in costs))
    for cost in costs:
        cost.backward()
    both = zip(*(gan.D.parameters() for gan in gans), strict=True)
    assert all(a.grad is b.grad is None or torch.equal(a.grad, b.grad) for a, b in both)


def test_noise_reaches_what_d_sees_and_g_does_not_make(small, pictures):
    recipe = small("quick-digits", image_noise=0.5)
    gan = GAN(recipe, networks=(recipe.build()[0], nn.Sequential(nn.Flatten(), nn.Linear(784, 1))))
    seen = []
    gan.D.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0].detach()))
    real = pictures(recipe, 64).float() / 127.5 - 1
    fake, _ = training.step_d(gan, real)
    for images, shown in zip((real, fake), seen, strict=True):
        noise = shown - images
        assert abs(noise.mean()) < 0.02 and abs(noise.std() - 0.5) < 0.02


@pytest.mark.parametrize(
    "changes",
    [
        {"objective": "hinge", "d_norm": "spectral"},
        {"objective": "wasserstein", "d_norm": "layer", "penalty": "gradient", "penalty_weight": 10.0},
        {"objective": "relativistic", "d_norm": "none", "penalty": "r1+r2", "penalty_every": 3},
        {"objective": "feature-matching", "minibatch_std": True},
        {"image_noise": 0.2, "g_rests": (2, 6)},
        {"d_every": 3, "d_width": 0.5},
    ],
    ids=lambda changes: next(iter(changes.values())),
)
def test_it_trains_and_goes_on_bit_for_bit(changes, small, pictures, go, assert_same, tmp_path):
    recipe = small("quick-digits", **changes)
    images = pictures(recipe, 70)
    whole = go(GAN(recipe, seed=5), images, 12)
    for column, moves in (("loss_d", recipe.d_moves), ("loss_g", recipe.g_moves)):
        assert np.isfinite(whole.history[column]).tolist() == [moves(step) for step in range(12)]
    begun = go(GAN(recipe, seed=5), images, 5)
    path = checkpoint.save(begun, tmp_path / "checkpoint.safetensors")
    assert_same(go(checkpoint.load(path, recipe), images, 12), whole)


def test_where_zero_means_nothing_the_middle_is_between_the_means(small):
    objective = losses.get("wasserstein")
    verdicts = training.verdicts(objective, torch.tensor([10.0, 12.0, 3.0]), torch.tensor([5.0, 6.0, 9.5]))
    assert verdicts["right_real"].item() == pytest.approx(2 / 3)  # the middle is (25 / 3 + 41 / 6) / 2 = 7.58
    assert verdicts["right_fake"].item() == pytest.approx(2 / 3)


def test_every_named_objective_and_penalty_is_in_the_recipes_message():
    with pytest.raises(CourseError) as caught:
        recipes.get("quick-digits").but(objective="bce")
    assert all(name in str(caught.value) for name in losses.OBJECTIVES)
