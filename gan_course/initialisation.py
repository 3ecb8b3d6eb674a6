"""How a network's weights start. Called after `networks.build`, because a scheme never called does nothing."""

import torch
from torch import nn

from gan_course.errors import CourseError

CONVOLUTIONS = (nn.Conv2d, nn.ConvTranspose2d)
NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)


def initialise(network: nn.Module, scheme: str, generator: torch.Generator) -> None:
    """Draw the weights anew, in place.

    Schemes:
        pytorch: PyTorch's default for every layer.
        xavier: Linear weights uniform with variance 2 / (fan_in + fan_out), biases 0 (Glorot and Bengio 2010, eq. 16).
        dcgan: convolutions N(0, 0.02); BatchNorm scale N(1, 0.02), shift 0 (Radford et al. 2016, section 3).
        dcgan-96: as dcgan, but transposed convolutions N(0.01, 0.02), the source's unusual mean.

    Args:
        generator: source of the random numbers; the same state gives the same weights.

    Raises:
        CourseError: there is no such scheme.
    """
    if scheme not in SCHEMES:
        raise CourseError(f"unknown initialisation {scheme!r}: there are {', '.join(SCHEMES)}")
    for layer in network.modules():
        _pytorch(layer, generator)  # first, so that layers a scheme leaves alone follow `generator` too
        SCHEMES[scheme](layer, generator)


def _pytorch(layer: nn.Module, generator: torch.Generator) -> None:
    if isinstance(layer, (nn.Linear, *CONVOLUTIONS)):
        fan_in = layer.weight[0].numel()  # as torch counts it, for transposed convolutions too
        nn.init.kaiming_uniform_(layer.weight, a=5**0.5, generator=generator)
        if layer.bias is not None:
            nn.init.uniform_(layer.bias, -(fan_in**-0.5), fan_in**-0.5, generator=generator)
    elif isinstance(layer, NORMS):
        layer.reset_parameters()  # scale 1, shift 0, and no memory of the images seen


def _xavier(layer: nn.Module, generator: torch.Generator) -> None:
    if isinstance(layer, nn.Linear):
        nn.init.xavier_uniform_(layer.weight, generator=generator)
        nn.init.zeros_(layer.bias)


def _dcgan(layer: nn.Module, generator: torch.Generator, transposed_mean: float = 0.0) -> None:
    if isinstance(layer, CONVOLUTIONS):
        mean = transposed_mean if isinstance(layer, nn.ConvTranspose2d) else 0.0
        nn.init.normal_(layer.weight, mean, 0.02, generator=generator)
    elif isinstance(layer, NORMS):
        nn.init.normal_(layer.weight, 1.0, 0.02, generator=generator)
        nn.init.zeros_(layer.bias)


def _dcgan_96(layer: nn.Module, generator: torch.Generator) -> None:
    _dcgan(layer, generator, transposed_mean=0.01)


SCHEMES = {
    "pytorch": lambda layer, generator: None,
    "xavier": _xavier,
    "dcgan": _dcgan,
    "dcgan-96": _dcgan_96,
}
