"""The autoencoder of lesson 08 and its patch critic."""

import json

import pytest
import torch
from torch import nn

from gan_course import autoencoder, data, files, portraits


@pytest.fixture(scope="module")
def faces():
    return portraits.draw(60, 64, progress=False)


def test_a_picture_becomes_a_48th(faces):
    painter = autoencoder.Autoencoder(width=4)
    code = painter.encoder(data.to_signed(faces.images[:2]))
    assert code.shape == (2, 4, 8, 8) and 48 * code[0].numel() == 3 * 64 * 64
    assert painter(data.to_signed(faces.images[:2])).shape == (2, 3, 64, 64)


def test_a_logit_of_the_critic_sees_a_patch_of_22_pixels():
    critic = autoencoder.patch_critic(width=4).eval()
    x = torch.randn(1, 3, 64, 64, requires_grad=True)
    logits = critic.layers(x)
    assert logits.shape == (1, 1, 15, 15)
    logits[0, 0, 7, 7].backward()
    rows, columns = (x.grad.abs().sum((0, 1)).sum(dim).nonzero()[:, 0] for dim in (1, 0))
    assert len(rows) == len(columns) == rows[-1] - rows[0] + 1 == 22


@pytest.mark.parametrize("weight", [0.0, 0.05])
def test_it_learns_and_the_seed_decides(weight):
    faces = portraits.draw(60, 32, progress=False).images

    def error(images, seed=0):
        painter = autoencoder.train(faces, weight, images=images, seed=seed, width=4, batch=4, progress=False)
        return (autoencoder.again(painter, faces).float() - faces.float()).square().mean().sqrt().item()

    first, begun = error(0), error(40)
    torch.rand(3)
    assert error(40) == begun and error(40, seed=1) != begun
    assert error(800) < 0.85 * first


class Perfect(nn.Module):
    def forward(self, images):
        return images


def test_who_paints_everything_as_it_was_makes_no_error(faces):
    found = autoencoder.measure(Perfect(), faces.images)
    assert found.error == 0 and found.sharpness == 1 and abs(found.distance) < 1e-3


def test_what_is_kept_has_both_arms_with_the_same_seeds():
    kept = autoencoder.kept()
    seeds = {w: [run["seed"] for run in kept["runs"] if run["weight"] == w] for w in (0.0, kept["weight"])}
    assert len(seeds[0.0]) >= 2 and seeds[0.0] == seeds[kept["weight"]] == sorted(set(seeds[0.0]))
    assert len(kept["runs"]) == 2 * len(seeds[0.0])
    assert "/" not in json.dumps(kept["versions"]) and (files.assets_dir() / "studies" / autoencoder.KEPT).exists()
