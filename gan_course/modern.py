"""The blocks of networks without BatchNorm: residual branches, and sizes changed along straight lines.

After Huang et al. 2024 (arXiv:2501.05441, section 3): every stage first changes size and channels, then adds residual
branches; nothing is normalised, so that first weights have to keep the signal's size. Theirs are grouped convolutions
between two of 1 x 1; here, at a few channels, a branch is two plain ones of 3 x 3.
"""

from torch import Tensor, nn


class Residual(nn.Module):
    """x + a branch of two 3 x 3 convolutions; [N, C, H, W] stays so.

    The branch begins as 0 (its second convolution's `gain`), so that an untrained network passes on what it is given
    whatever its depth, and the first convolution's weights shrink with the number of branches: Zhang et al. 2019
    (arXiv:1901.09321, "Fixup"), for branches of two. Scheme `he` in `networks.SCHEMES` reads the gains.

    Args:
        branches: residual branches in the whole network.
    """

    def __init__(self, channels: int, branches: int):
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.activation = nn.LeakyReLU(0.2, inplace=True)
        self.second = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.first.gain, self.second.gain = (2 / branches) ** 0.5, 0.0

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(self.activation(self.first(x)))


def stage(channels: int, branches: int, deep: int = 1) -> list[nn.Module]:
    """`deep` residual branches one after the other."""
    return [Residual(channels, branches) for _ in range(deep)]


def pointwise(channels_in: int, channels_out: int) -> nn.Conv2d:
    """1 x 1 convolution: other channels, the same picture."""
    layer = nn.Conv2d(channels_in, channels_out, 1, bias=False)
    layer.gain = 1.0  # no activation follows that would halve the signal
    return layer


def larger(channels_in: int, channels_out: int) -> list[nn.Module]:
    """Other channels, then twice the height and width: the new pixels lie on straight lines between the old."""
    return [pointwise(channels_in, channels_out), nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)]


def smaller(channels_in: int, channels_out: int) -> list[nn.Module]:
    """Half the height and width (bilinear: each pixel the mean of four), then other channels."""
    return [nn.AvgPool2d(2), pointwise(channels_in, channels_out)]
