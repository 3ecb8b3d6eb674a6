"""Residual networks without BatchNorm: what an untrained one passes on, and that nothing normalises."""

import pytest
import torch
from torch import nn

from gan_course import networks
from gan_course.modern import Residual, larger, smaller


def dice(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(("size", "stages"), [(28, 3), (64, 4)])
def test_shapes_and_depth(size, stages):
    G, D = networks.build("modern", channels=3, size=size, width=1 / 8)
    for network in (G, D):
        networks.initialise(network, "he", dice())
        assert len([m for m in network.modules() if isinstance(m, Residual)]) == stages
        assert not any(isinstance(m, nn.modules.batchnorm._NormBase | nn.Tanh) for m in network.modules())
    images = G(torch.randn(4, 100, generator=dice(1)))
    assert images.shape == (4, 3, size, size)
    logits = D(images)
    assert logits.shape == (4,)
    logits.sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in [*G.parameters(), *D.parameters()])
    assert next(G.parameters()).grad.abs().max() > 0


def test_an_untrained_branch_adds_nothing_and_can_learn():
    block, x = Residual(8, branches=3), torch.randn(2, 8, 5, 5, generator=dice())
    networks.initialise(block, "he", dice())
    assert torch.equal(block(x), x)
    assert block.first.weight.std().item() == pytest.approx((2 / 3 / 72) ** 0.5, rel=0.2)
    block(x).square().sum().backward()
    assert block.second.weight.grad.abs().max() > 0


def test_pictures_grow_and_shrink_along_straight_lines():
    ramp = torch.arange(8.0).expand(1, 1, 8, 8)
    up, down = larger(1, 1)[1], smaller(1, 1)[0]
    torch.testing.assert_close(up(ramp)[0, 0, 3, 1:-1], torch.arange(14) / 2 + 0.25)
    torch.testing.assert_close(down(ramp)[0, 0, 0], torch.arange(4) * 2 + 0.5)
