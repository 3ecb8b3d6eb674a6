"""Train a GAN on pictures by hand: a step of D, a step of G."""

import copy

import torch
from torch import Tensor, nn

from gan_course import show, training
from gan_course.data import to_signed
from gan_course.gan import GAN
from gan_course.recipes import Recipe
from gan_course.widgets.by_hand import ByHand
from gan_course.widgets.panel import encoded, number

SHOWN = 24  # of the fixed latents


class PictureSteps(ByHand):
    """D learns alone, G learns alone, or both in turn; what G draws, and D's mean verdicts beneath.

    Args:
        recipe: a small one: a step should take less than a tenth of a second.
        images: uint8 [N, C, H, W] of the recipe's shape.
    """

    def __init__(self, recipe: Recipe, images: Tensor, *, seed: int = 0):
        training.check_images(recipe, images)
        self.recipe, self.images = recipe, images
        self.seed = number("seed", seed)
        self.seed.observe(lambda _: self._reset(), names="value")
        self.restart()
        super().__init__(10, self.seed)

    @torch.no_grad()
    def render(self) -> show.Picture:
        G, D = _as_in_training(self.gan.G), _as_in_training(self.gan.D)
        fake = G(self.gan.fixed_latents[:SHOWN])
        score = self.gan.objective.score
        on_fake, on_real = score(D(fake)), score(D(to_signed(self.images[:SHOWN])))
        return show.Picture(
            encoded(fake, columns=8),
            f"{SHOWN} pictures by G. Steps made: D {self.d_made}, G {self.g_made}. D gives real pictures "
            f"{on_real.mean():.2f} on average, these {on_fake.mean():.2f}.",
        )

    def restart(self) -> None:
        self.gan = GAN(self.recipe, self.seed.value)
        self.batches = training.index_batches(self.gan, len(self.images))
        self.d_made = self.g_made = 0

    def one_d(self) -> None:
        with self.gan.own_randomness():
            training.step_d(self.gan, to_signed(self.images[next(self.batches)]))
        self.d_made += 1

    def one_g(self) -> None:
        with self.gan.own_randomness():
            training.step_g(self.gan, self.gan.G(self.gan.latents(self.recipe.batch)))
        self.g_made += 1


def _as_in_training(network: nn.Module) -> nn.Module:
    """A copy that normalises with its batch, as in training, and leaves nothing out.

    So a step of D leaves G's pictures as they were; with running statistics, which D's steps move, it would not.
    """
    twin = copy.deepcopy(network).train()
    for layer in twin.modules():
        if isinstance(layer, (nn.Dropout, nn.Dropout2d)):
            layer.eval()
    return twin
