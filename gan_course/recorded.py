"""Steps that a GPU repeats by itself, from a recording, without waiting for Python."""

from collections.abc import Callable

import torch
from torch import Tensor

from gan_course.errors import CourseError
from gan_course.gan import GAN

WARM = 11  # steps before a recording: PyTorch asks for some, so that libraries have chosen their algorithms


class Recorded:
    """A training step as a recording of its kernels (a CUDA graph).

    Small networks leave a GPU waiting for Python, which starts hundreds of kernels a step; a graph starts them
    all at once. The first steps run plainly, and so does every step after which somebody will look at the
    gradients, because a graph keeps its own.
    """

    def __init__(self, gan: GAN, step: Callable[[GAN, Tensor], dict[str, Tensor]], plain_every: int):
        """
        Args:
            step: `training.train_step`.
            plain_every: every so many steps, one is run plainly.

        Raises:
            CourseError: this run cannot be recorded.
        """
        if gan.device.type != "cuda":
            raise CourseError("steps can be recorded on a CUDA GPU only: leave --graphs out")
        if gan.ranks.size > 1 or gan.recipe.precision == "float16":
            raise CourseError(
                "neither several processes nor float16's loss scaling can be recorded: leave --graphs out"
            )
        self.step, self.plain_every, self.warm_at = step, plain_every, gan.step + WARM
        for optimiser in (gan.opt_g, gan.opt_d):
            for group in optimiser.param_groups:
                group["capturable"] = True
        self.graphs: dict[bool, tuple[torch.cuda.CUDAGraph, dict[str, Tensor]]] = {}  # by whether G moves
        self.real: Tensor | None = None

    def __call__(self, gan: GAN, real: Tensor) -> dict[str, Tensor]:
        """What `train_step` does and returns."""
        if gan.step < self.warm_at or gan.step % self.plain_every == 0:
            return self.step(gan, real)
        if self.real is None:
            self.real = real.clone()
        self.real.copy_(real)
        g_moves = gan.step % gan.recipe.g_every == 0
        if g_moves not in self.graphs:
            self.graphs[g_moves] = self._record(gan)
        graph, telemetry = self.graphs[g_moves]
        graph.replay()
        return {name: value.clone() for name, value in telemetry.items()}

    def _record(self, gan: GAN) -> tuple[torch.cuda.CUDAGraph, dict[str, Tensor]]:
        graph = torch.cuda.CUDAGraph()
        graph.register_generator_state(gan.noise)  # each replay draws the next latents
        torch.cuda.synchronize(gan.device)
        with torch.cuda.graph(graph):
            telemetry = self.step(gan, self.real)
        return graph, telemetry
