"""Everything a run consists of, in one object that can be saved and restored."""

import contextlib
import copy
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from gan_course import data, losses, precision, stabilisers
from gan_course.errors import whole
from gan_course.history import History
from gan_course.networks import initialise, with_class
from gan_course.ranks import ALONE, Ranks
from gan_course.recipes import PRECISIONS, Recipe

FIXED_LATENTS = 64  # as many as the tutorial draws


class GAN:
    """Networks, optimisers, G's moving average, random streams and telemetry of one run.

    Attributes:
        recipe: what is trained; its precision is settled, see `precision.settle`.
        ranks: the processes that train it together.
        G, D: the networks, in training mode.
        average: moving average of G, BatchNorm's statistics included; evaluation uses this one.
        opt_g, opt_d: their Adam optimisers.
        objective, d_loss: the recipe's losses; `d_loss(real_logits, fake_logits)` has its labels already.
        penalty: (D, real, fake, generator) -> cost, or None.
        scaler: keeps float16's gradients in range; without effect in other types.
        order, noise: generators of the data order (on the CPU, so that it is the same everywhere) and
            of the latents (on the device).
        global_rng: states of the global generators (CPU, then GPU), which Dropout draws from; see `own_randomness`.
        fixed_latents: [64, G's latent_dim], drawn on a schedule to watch G grow; where the recipe has classes, in
            their order.
        labels: the classes of the step's images, int64 [batch], real and generated alike; None without classes.
        step: steps done. images: real images seen.
        history: one row of telemetry a step.
    """

    def __init__(
        self,
        recipe: Recipe,
        seed: int = 0,
        device: torch.device | str = "cpu",
        networks: tuple[nn.Module, nn.Module] | None = None,
        ranks: Ranks = ALONE,
    ):
        """
        Args:
            seed: 0 to 2^32 - 1.
            networks: (G, D) of your own in place of the recipe's, for its images and latents: z [N, latent_dim] ->
                images [N, C, H, W] -> logits, one an image. Their first weights are drawn anew by the recipe's scheme.
                A checkpoint fits only the same pair.
            ranks: the processes that train this run together; each has latents of its own.

        Raises:
            CourseError: an impossible seed; a pair of your own lacks what the objective or the penalty asks of D.
        """
        seed = whole(seed, "seed", 0, 2**32 - 1)
        self.seed, self.device, self.ranks = seed, torch.device(device), ranks
        self.recipe = recipe = precision.settle(recipe, self.device, ranks)
        self.objective = losses.get(recipe.objective)
        labels = (recipe.real_label, recipe.fake_label) if self.objective.smooths else ()
        self.d_loss = lambda real_logits, fake_logits: self.objective.d_loss(real_logits, fake_logits, *labels)
        self.penalty = losses.PENALTIES.get(recipe.penalty)
        weights = torch.Generator().manual_seed(4 * seed)
        self.G, self.D = networks or recipe.build()
        stabilisers.check(self.D, recipe)
        self.G.latent_dim, self.G.classes = recipe.latent_dim + recipe.classes, recipe.classes  # who samples asks
        for network in (self.G, self.D):
            # Plain memory first: a pair that was trained before is filled in the same order as a new one.
            network.to("cpu", memory_format=torch.contiguous_format)
            initialise(network, recipe.init, weights)
            network.to(self.device).train()
            for tensor in (*network.parameters(), *network.buffers()):
                if tensor.dim() == 4:
                    tensor.data = tensor.data.to(memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.G).requires_grad_(False).eval()
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=recipe.precision == "float16")
        self.opt_g = torch.optim.Adam(self.G.parameters(), recipe.lr_g, recipe.betas, fused=True)
        self.opt_d = torch.optim.Adam(self.D.parameters(), recipe.lr_d, recipe.betas, fused=True)
        self.order = torch.Generator().manual_seed(4 * seed + 1)
        own = ranks.rank << 40  # far from every other seed
        self.noise = torch.Generator(self.device).manual_seed(4 * seed + 2)
        self.labels = None
        if recipe.classes:
            self.labels = torch.arange(FIXED_LATENTS, device=self.device) * recipe.classes // FIXED_LATENTS
        self.fixed_latents = self.latents(FIXED_LATENTS)  # the same on every rank
        if ranks.rank:
            self.noise.manual_seed(4 * seed + 2 + own)
        self.global_rng = [
            torch.Generator(device).manual_seed(4 * seed + 3 + own).get_state()
            for device in ("cpu", *_cuda_devices(self.device))
        ]
        self.epoch_order = self.order.get_state()  # the data order's state when the epoch began
        self.step = self.images = 0
        self.history = History()

    @property
    def batch(self) -> int:
        """Real images that a step sees, over all ranks."""
        return self.recipe.batch * self.ranks.size

    def descend(self, loss: Tensor, network: nn.Module, optimiser: torch.optim.Optimizer) -> None:
        """One step of an optimiser down a loss: gradients, averaged over the ranks, then the weights.

        In float16 the loss is scaled up first, so that small gradients do not round to zero, and a step with
        infinite gradients is left out; in other types the scaler does nothing.
        """
        optimiser.zero_grad()
        self.scaler.scale(loss).backward()
        self.agree(network)
        self.scaler.unscale_(optimiser)
        self.scaler.step(optimiser)
        self.scaler.update()

    def agree(self, network: nn.Module) -> None:
        """Average a network's gradients over the ranks, and BatchNorm's running statistics of both networks.

        Each rank normalises with its own part of the batch; only the statistics that sampling uses later are
        averaged, so that all ranks hold one and the same run after every step.
        """
        if self.ranks.size > 1:
            gradients = [p.grad for p in network.parameters() if p.grad is not None]
            both = (*self.G.buffers(), *self.D.buffers())
            # `.data`: G's images may wait for their backward pass, which in training mode does not use these.
            self.ranks.mean_(gradients + [b.data for b in both if b.is_floating_point()])

    def autocast(self):
        """A block in which layers compute in the recipe's precision where that is safe; weights stay float32.

        Mixed precision as PyTorch chooses it, layer by layer (Micikevicius et al. 2018, arXiv:1710.03740).
        """
        if self.recipe.precision == "float32":
            return contextlib.nullcontext()
        return torch.autocast(self.device.type, PRECISIONS[self.recipe.precision])

    def latents(self, n: int) -> Tensor:
        """The next n latent vectors, N(0, 1), [n, latent_dim]; where there are `labels`, n of them, with those."""
        z = torch.randn(n, self.recipe.latent_dim, generator=self.noise, device=self.device)
        return z if self.labels is None else with_class(z, self.labels, self.recipe.classes)

    @property
    def critic(self) -> Callable[[Tensor], Tensor]:
        """D as this step asks it, images -> logits: where there are `labels`, "real, and of this class?"."""
        return self.D if self.labels is None else partial(self.D, labels=self.labels)

    @contextlib.contextmanager
    def own_randomness(self):
        """Run a block on this run's own global random stream and put the caller's back afterwards.

        Dropout takes no generator of its own, so the global one is lent to it: whatever else a
        notebook draws in between changes nothing here, and the other way round.
        """
        with torch.random.fork_rng(_cuda_devices(self.device)):
            _set_global_state(self.global_rng, self.device)
            try:
                yield
            finally:
                self.global_rng = _global_state(self.device)

    @torch.no_grad()
    def draw(self) -> Tensor:
        """What the averaged generator makes of the fixed latents, with its running BatchNorm statistics.

        Returns:
            uint8 [64, C, H, W] on the CPU.
        """
        return data.to_uint8(self.average(self.fixed_latents)).cpu()


def _cuda_devices(device: torch.device) -> list[torch.device]:
    return [device] if device.type == "cuda" else []


def _global_state(device: torch.device) -> list[Tensor]:
    states = [torch.get_rng_state()]
    return states + [torch.cuda.get_rng_state(device)] if device.type == "cuda" else states


def _set_global_state(states: list[Tensor], device: torch.device) -> None:
    torch.set_rng_state(states[0])
    if device.type == "cuda":
        torch.cuda.set_rng_state(states[1], device)
