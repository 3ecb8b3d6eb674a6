"""Train a GAN on pictures by hand: a step of D, a step of G."""

import copy

import torch
from torch import Tensor, nn

from gan_course import show, training
from gan_course.data import to_signed
from gan_course.gan import GAN
from gan_course.recipes import Recipe
from gan_course.widgets.panel import Panel, button, choice, encoded, number

SHOWN = 24  # of the fixed latents


class PictureSteps(Panel):
    """Buttons that let D learn alone, G learn alone, or both in turn; D's mean verdicts beneath."""

    def __init__(self, recipe: Recipe, images: Tensor, *, seed: int = 0):
        """
        Args:
            recipe: a small one: a step should take less than a tenth of a second.
            images: uint8 [N, C, H, W] of the recipe's shape.

        Raises:
            CourseError: the images do not fit the recipe.
        """
        training.check_images(recipe, images)
        self.recipe, self.images = recipe, images
        self.step_d = button("step D", lambda: self._press(d=self.presses.value), style="info")
        self.step_g = button("step G", lambda: self._press(g=self.presses.value), style="warning")
        self.both = button("both", lambda: self._rounds(self.presses.value))
        self.presses = choice("steps a press", [1, 10, 50], 10, "10em")
        self.seed = number("seed", seed)
        self.seed.observe(lambda _: self._reset(), names="value")
        self.reset = button("reset", self._reset)
        self._start()
        super().__init__((self.step_d, self.step_g, self.both, self.presses), (self.seed, self.reset))

    @torch.no_grad()
    def render(self) -> show.Picture:
        G, D = _as_in_training(self.gan.G), _as_in_training(self.gan.D)
        fake = G(self.gan.fixed_latents[:SHOWN])
        score = self.gan.objective.score
        on_fake, on_real = score(D(fake)), score(D(to_signed(self.images[:SHOWN])))
        return show.Picture(
            encoded(fake, columns=8),
            f"{SHOWN} pictures by G. Steps made: D {self.d_steps}, G {self.g_steps}. D gives real pictures "
            f"{on_real.mean():.2f} on average, these {on_fake.mean():.2f}.",
        )

    def _start(self) -> None:
        self.gan = GAN(self.recipe, self.seed.value)
        self.batches = training.index_batches(self.gan, len(self.images))
        self.d_steps = self.g_steps = 0

    def _reset(self) -> None:
        self._start()
        self.refresh()

    def _steps(self, d: int = 0, g: int = 0) -> None:
        with torch.enable_grad(), self.gan.own_randomness():  # a notebook may have switched gradients off
            for _ in range(d):
                training.step_d(self.gan, to_signed(self.images[next(self.batches)]))
            for _ in range(g):
                training.step_g(self.gan, self.gan.G(self.gan.latents(self.recipe.batch)))
        self.d_steps, self.g_steps = self.d_steps + d, self.g_steps + g

    def _press(self, d: int = 0, g: int = 0) -> None:
        self._steps(d, g)
        self.refresh()

    def _rounds(self, n: int) -> None:
        for _ in range(n):
            self._steps(d=1, g=1)
        self.refresh()


def _as_in_training(network: nn.Module) -> nn.Module:
    """A copy that normalises with its batch, as in training, and leaves nothing out.

    So a step of D leaves G's pictures as they were; with running statistics, which D's steps move, it would not.
    """
    twin = copy.deepcopy(network).train()
    for layer in twin.modules():
        if isinstance(layer, (nn.Dropout, nn.Dropout2d)):
            layer.eval()
    return twin
