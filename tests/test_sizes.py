"""Sizes on paper against PyTorch's layers."""

import numpy as np
import pytest
import torch
from torch import nn

from gan_course import networks, sizes
from gan_course.errors import CourseError

CASES = [
    (n, k, s, p) for n in (1, 4, 7, 9) for k in (1, 3, 4, 5) for s in (1, 2, 3) for p in (0, 1, 2) if p < k
]


@pytest.mark.parametrize("transposed", [False, True], ids=["conv", "transposed"])
def test_sizes_and_connections_are_pytorchs(transposed):
    function = sizes.transposed if transposed else sizes.conv
    kind = nn.ConvTranspose1d if transposed else nn.Conv1d
    compared = 0
    for n, k, s, p in CASES:
        try:
            size = function(n, k, s, p)
        except CourseError:
            with pytest.raises(RuntimeError):
                kind(1, 1, k, s, p)(torch.zeros(1, 1, n))
            continue
        layer = kind(1, 1, k, s, p, bias=False)
        nn.init.ones_(layer.weight)
        with torch.no_grad():
            through = layer(torch.eye(n)[:, None])[:, 0].T  # column j: what input j alone gives
        assert through.shape == (size, n)
        assert torch.equal(sizes.reaches(n, k, s, p, transposed=transposed), through > 0)
        compared += 1
    assert compared > 80


def test_overlaps_by_hand():
    assert sizes.overlaps(4, 4, 2, 1).tolist() == [1, 2, 2, 2, 2, 2, 2, 1]
    assert sizes.overlaps(*np.array([3, 3, 2])).tolist() == [1, 1, 2, 1, 2, 1, 1]


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: sizes.conv(2, 5), "at most 2"),
        (lambda: sizes.conv(4, 3, 0), "stride 0: a whole number from 1"),
        (lambda: sizes.conv(28 / 2, 3), "size 14.0: a whole number"),
        (lambda: sizes.transposed(1, 2, 1, 1), "cuts away"),
        (lambda: sizes.transposed(0, 4), "size 0: a whole number from 1"),
    ],
)
def test_sizes_that_cannot_be(call, words):
    with pytest.raises(CourseError, match=words):
        call()


def test_a_trace_names_every_layer_and_leaves_the_network_alone():
    G, _ = networks.build("dcgan-fashion", channels=1, size=28, width=1 / 16)
    G.train()
    before = {k: v.clone() for k, v in G.state_dict().items()}
    rows = sizes.trace(G, torch.randn(2, 100))
    assert [shape[-1] for name, shape in rows if name.startswith("Conv")] == [4, 7, 14, 28, 28]
    assert rows[1][0] == "ConvTranspose2d k4 s1 p0" and rows[-1] == ("Tanh", (1, 28, 28))
    assert G.training and all(torch.equal(before[k], v) for k, v in G.state_dict().items())
    assert not any(layer._forward_hooks for layer in G.modules())
