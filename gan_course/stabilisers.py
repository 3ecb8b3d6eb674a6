"""What a recipe may put into a discriminator to steady training: another normalisation, a look at the whole batch."""

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.utils.parametrizations import spectral_norm

from gan_course.errors import CourseError

NORMS = ("batch", "layer", "spectral", "none")


def check_norm(name: str) -> None:
    """Whether `renormalise` knows a normalisation.

    Raises:
        CourseError: it does not.
    """
    if name not in NORMS:
        raise CourseError(f"unknown normalisation {name!r} of D: there are {', '.join(NORMS)}")


def renormalise(D: nn.Module, norm: str) -> None:
    """Put another normalisation in the place of every BatchNorm of a discriminator made of `nn.Sequential`, in place.

    batch: as it is. layer: over all channels and pixels of one image (Ba et al. 2016), what Gulrajani et al. 2017
    recommend beside a gradient penalty. none: nothing. spectral: nothing there, and each layer's weights divided by
    their largest singular value, so that D's slope is bounded (Miyato et al. 2018, arXiv:1802.05957).
    A convolution that left its bias to BatchNorm gets one.
    """
    if norm == "batch":
        return
    for block in [module for module in D.modules() if isinstance(module, nn.Sequential)]:
        for before, i in zip([None, *block], range(len(block)), strict=False):
            if not isinstance(block[i], _BatchNorm):
                continue
            channels = block[i].num_features
            block[i] = nn.GroupNorm(1, channels) if norm == "layer" else nn.Identity()
            if norm != "layer" and getattr(before, "bias", 0) is None:
                before.bias = nn.Parameter(torch.zeros(channels))
    if norm == "spectral":
        with torch.random.fork_rng(devices=[]):  # it begins from a random vector; `networks.initialise` draws it anew
            for layer in [m for m in D.modules() if isinstance(m, (nn.Linear, nn.Conv2d))]:
                spectral_norm(layer)


class MinibatchStd(nn.Module):
    """One more channel, the same number everywhere: how much the batch's images differ, averaged over all features.

    A generator that makes one image again and again gives itself away. Karras et al. 2018 (arXiv:1710.10196),
    section 3. [N, C, ...] -> [N, C + 1, ...].
    """

    def forward(self, x: Tensor) -> Tensor:
        spread = (x.var(0, unbiased=False) + 1e-8).sqrt().mean()
        return torch.cat([x, spread.expand_as(x[:, :1])], 1)


def add_minibatch_std(D: nn.Module) -> None:
    """Let a discriminator's last layer see `MinibatchStd`, in place. Its weights are drawn anew.

    Args:
        D: its `layers` end in a Linear or a Conv2d.
    """
    last = D.layers[-1]
    with torch.random.fork_rng(devices=[]):
        if isinstance(last, nn.Linear):
            wider = nn.Linear(last.in_features + 1, 1)
        else:
            wider = nn.Conv2d(last.in_channels + 1, 1, last.kernel_size, last.stride, last.padding, bias=False)
    D.layers[-1] = nn.Sequential(MinibatchStd(), wider)


def check(D: nn.Module, recipe) -> None:
    """Whether a discriminator has what its recipe's penalty and objective ask of it.

    Raises:
        CourseError: a penalty, and BatchNorm in D; an objective on features, and D says nothing of features.
    """
    if recipe.penalty != "none" and any(isinstance(module, _BatchNorm) for module in D.modules()):
        raise CourseError(
            f"penalty {recipe.penalty!r} with BatchNorm in D: the penalty is on each picture's own slope, and "
            "BatchNorm makes D's verdict on one picture depend on the others; set d_norm to layer, spectral or none"
        )
    if recipe.objective == "feature-matching" and not hasattr(D, "features"):
        raise CourseError(
            "feature matching compares D's features: give your D a method features(images) -> [N, numbers], what its "
            "last layer decides from"
        )
