"""Sizes on paper against PyTorch's layers."""

import numpy as np
import pytest
import torch
from torch import nn

from gan_course import networks, sizes
from gan_course.errors import CourseError


@pytest.mark.parametrize("function, layer", [(sizes.conv, nn.Conv1d), (sizes.transposed, nn.ConvTranspose1d)])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("n, kernel, padding", [(7, 3, 1), (9, 4, 0), (9, 4, 1), (4, 5, 2), (7, 1, 0), (1, 5, 2)])
def test_sizes_and_connections_are_pytorchs(function, layer, n, kernel, stride, padding):
    layer = layer(1, 1, kernel, stride, padding, bias=False)
    nn.init.ones_(layer.weight)
    with torch.no_grad():
        through = layer(torch.eye(n)[:, None])[:, 0].T  # column j: what input j alone gives
    assert through.shape == (function(n, kernel, stride, padding), n)
    transposed = function is sizes.transposed
    assert torch.equal(sizes.reaches(n, kernel, stride, padding, transposed=transposed), through > 0)


def test_overlaps_by_hand():
    assert sizes.overlaps(4, 4, 2, 1).tolist() == [1, 2, 2, 2, 2, 2, 2, 1]
    assert sizes.overlaps(*np.array([3, 3, 2])).tolist() == [1, 1, 2, 1, 2, 1, 1]


@pytest.mark.parametrize(
    "function, setting, words",
    [
        (sizes.conv, (2, 5), "at most 2"),
        (sizes.conv, (4, 3, 0), "stride 0: a whole number from 1"),
        (sizes.conv, (28 / 2, 3), "size 14.0: a whole number"),
        (sizes.transposed, (1, 2, 1, 1), "cuts away"),
    ],
)
def test_sizes_that_cannot_be(function, setting, words):
    with pytest.raises(CourseError, match=words):
        function(*setting)


def test_a_trace_names_every_layer_and_leaves_the_network_alone():
    G, _ = networks.build("dcgan-fashion", channels=1, size=28, width=1 / 16)
    G.train()
    before = {k: v.clone() for k, v in G.state_dict().items()}
    rows = sizes.trace(G, torch.randn(2, 100))
    assert [shape[-1] for name, shape in rows if name.startswith("Conv")] == [4, 7, 14, 28, 28]
    assert rows[1][0] == "ConvTranspose2d k4 s1 p0" and rows[-1] == ("Tanh", (1, 28, 28))
    assert G.training and all(torch.equal(before[k], v) for k, v in G.state_dict().items())
