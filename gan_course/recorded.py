"""Steps that a GPU repeats by itself, from a recording, without waiting for Python."""

import warnings
from collections.abc import Callable

import torch
from torch import Tensor

from gan_course.errors import CourseError
from gan_course.gan import GAN
from gan_course.ranks import Ranks
from gan_course.recipes import Recipe

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
        check(gan.recipe, gan.device, gan.ranks)
        self.step, self.plain_every, self.warm_at = step, plain_every, gan.step + WARM
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
        for optimiser in (gan.opt_g, gan.opt_d):
            for group in optimiser.param_groups:
                group["capturable"] = True  # asked for while recording; fused Adam is so in any case
        with torch.cuda.device(gan.device), warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            warnings.simplefilter("ignore", FutureWarning)
            graph = torch.cuda.CUDAGraph()
            if hasattr(graph, "register_generator_state"):  # newer versions do this by themselves
                graph.register_generator_state(gan.noise)  # each replay draws the next latents
            torch.cuda.synchronize()
            # The thread that gathers batches may go on using the GPU meanwhile.
            with torch.cuda.graph(graph, capture_error_mode="thread_local"):
                telemetry = self.step(gan, self.real)
        return graph, telemetry


def check(recipe: Recipe, device: torch.device, ranks: Ranks) -> None:
    """Whether a run's steps can be recorded.

    Raises:
        CourseError: they cannot.
    """
    if device.type != "cuda":
        raise CourseError("steps can be recorded on a CUDA GPU only: leave --graphs out")
    if ranks.size > 1 or recipe.precision == "float16":
        raise CourseError(
            "neither several processes nor float16's loss scaling can be recorded: leave --graphs out"
        )
