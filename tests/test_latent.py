"""Walks, directions and inversion, against what can be computed by hand."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from gan_course import latent, networks
from gan_course.data import to_uint8
from gan_course.errors import CourseError
from gan_course.networks import Generator


def linear(weight):
    """A generator of 3 × 4 pictures that is a matrix, [12, latent_dim]."""
    layers = nn.Sequential(nn.Linear(weight.shape[1], 12, bias=False), nn.Unflatten(1, (1, 3, 4)))
    layers[0].weight.data = weight
    return Generator(layers, weight.shape[1]).requires_grad_(False).eval()


@pytest.fixture
def z():
    return latent.draw(4, 100, seed=1)


def test_traversing_changes_one_dimension(z):
    for dimension, values in ((21, [-1.0, 5.0]), (np.int64(21), np.array([-1, 5]))):
        path = latent.traverse(z[0], dimension, values)
        assert path[:, 21].tolist() == [-1, 5] and (path != z[0]).sum() == 2
    for dimension in (-1, 100, 2.0):
        with pytest.raises(CourseError, match=f"dimension {dimension}: a whole number from 0 to 99 works"):
            latent.traverse(z[0], dimension, torch.zeros(2))


# Walks.


def test_the_arc_has_even_angles_and_the_line_does_not(z):
    a, b = z[:2] / z[:2].norm(dim=1, keepdim=True)
    t = torch.linspace(0, 1, 5)
    for walk, even in ((latent.slerp, True), (latent.lerp, False)):
        path = walk(a, b, t)
        assert torch.allclose(path[0], a, atol=1e-6) and torch.allclose(path[-1], b, atol=1e-6)
        unit = path / path.norm(dim=1, keepdim=True)
        angles = (unit[1:] * unit[:-1]).sum(1).arccos()
        assert (angles.max() - angles.min() < 1e-3) == even
    norms = latent.slerp(a, 3 * b, t).norm(dim=1)
    assert norms.tolist() == pytest.approx([1, 1.5, 2, 2.5, 3], rel=1e-5)
    assert latent.lerp(a, b, t).norm(dim=1)[2] < 0.8


@pytest.mark.parametrize("factor", [1.0, 2.0, 0.0, -1.0])
def test_between_two_on_one_line_the_way_is_straight(factor, z):
    path = latent.slerp(z[0], factor * z[0], np.linspace(0, 1, 3))
    assert torch.allclose(path, latent.lerp(z[0], factor * z[0], np.linspace(0, 1, 3)), atol=1e-5)


@pytest.mark.parametrize("angle", [1e-6, 9.99e-4, 1.001e-3, 1.0, math.pi - 2e-3])
def test_an_arc_goes_over_into_a_straight_way_without_a_step(angle):
    a, b, wanted = (torch.tensor([math.cos(x), math.sin(x)]) for x in (0, angle, angle / 2))
    assert torch.allclose(latent.slerp(a, b, 0.5)[0], wanted, atol=1e-5 if angle < 3.1 else 1e-3)


def test_a_circle_comes_home(z):
    ring = latent.circle(z[0], z[1], 12)
    assert torch.allclose(ring[0], z[0]) and torch.allclose(ring[6], -z[0], atol=1e-4)
    steps = (ring - ring.roll(1, 0)).norm(dim=1)
    assert steps.max() - steps.min() < 1e-3 and torch.linalg.matrix_rank(ring) == 2
    with pytest.raises(CourseError, match="lie on one line"):
        latent.circle(z[0], -2 * z[0], 12)


def test_a_square_has_its_corners(z):
    field = latent.square(z, 5).view(5, 5, 100)
    assert torch.allclose(field[::4, ::4].reshape(4, 100), z, atol=1e-5)


# Directions.


def test_sefa_finds_what_a_matrix_stretches():
    weight = torch.zeros(12, 4)
    weight[5, 2], weight[0, 3], weight[1, 0] = 3.0, -2.0, 1.0
    values, directions = latent.sefa(linear(weight), 3)
    assert values.tolist() == pytest.approx([9, 4, 1])
    assert torch.allclose(directions.abs(), torch.eye(4)[[2, 3, 0]])
    with pytest.raises(CourseError, match="no linear layer and no transposed convolution"):
        latent.sefa(nn.Sequential(nn.Conv2d(4, 4, 1)))


@pytest.mark.parametrize("family, channels, size", [("dcgan-mnist", 1, 28), ("dcgan-faces", 3, 64)])
def test_sefa_stretches_what_the_first_layer_does(family, channels, size):
    G, _ = networks.build(family, channels=channels, size=size, width=1 / 8)
    values, directions = latent.sefa(G, 100)
    head = nn.Sequential(*list(G.layers)[: 2 if family == "dcgan-faces" else 1])
    if isinstance(head[-1], nn.Sequential):  # a block: its transposed convolution alone
        head[-1] = head[-1][0]
    with torch.no_grad():
        outputs = (head(directions) - head(torch.zeros(1, 100))).flatten(1)
    assert torch.allclose(outputs.square().sum(1), values, rtol=1e-2, atol=1e-5)
    assert torch.allclose(directions @ directions.T, torch.eye(100), atol=1e-4)


def test_an_attributes_direction_is_a_difference_of_means(z):
    has = torch.tensor([True, False, True, True])
    assert torch.allclose(latent.attribute_direction(z, has), z[[0, 2, 3]].mean(0) - z[1])
    with pytest.raises(CourseError, match="0 of 4 pictures have the attribute"):
        latent.attribute_direction(z, torch.zeros(4))


def test_influence_of_a_linear_generator_is_its_columns():
    weight = torch.zeros(12, 3)
    weight[:, 1], weight[0, 2] = 0.1, 0.3
    found = latent.influence(linear(weight), n=4, reach=2.0)
    assert found.tolist() == pytest.approx([0, 0.1 * 4 * 127.5, 0.3 / 12 * 4 * 127.5], rel=1e-4)


# Inversion.


def test_inversion_finds_what_there_is():
    weight = torch.linalg.qr(torch.randn(12, 6, generator=torch.Generator().manual_seed(0)))[0] / 2
    G = linear(weight)
    picture = to_uint8(G(latent.draw(1, 6, seed=3) / 3)[0])
    with torch.no_grad():  # as in a notebook that only looks at pictures
        found = latent.invert(G, picture, steps=np.int64(200), starts=3, pull=0, progress=False)
    assert found.error < 1  # rounding to grey levels remains
    assert found.picture.shape == picture.shape and found.starts.shape == (3,)
    assert found.z.shape == (6,) and not found.z.requires_grad


def test_the_pull_keeps_z_short():
    G = linear(torch.eye(12, 6) * 0.01)  # it would take a z of length 100 and more
    bright = torch.full((1, 3, 4), 250, dtype=torch.uint8)
    far, near = (latent.invert(G, bright, steps=100, pull=pull, progress=False).z.norm() for pull in (0, 1.0))
    assert near < 1 < far


@pytest.mark.parametrize("picture", [torch.zeros(1, 28, 28, dtype=torch.uint8), torch.zeros(1, 3, 4)])
def test_inversion_of_other_pictures_is_refused(picture):
    with pytest.raises(CourseError, match=r"uint8 pictures \[1, 3, 4\]; this one is"):
        latent.invert(linear(torch.eye(12, 4)), picture, progress=False)
