"""Toy problems whose truth is known: densities on a line and in the plane, a small GAN, the Dirac-GAN.

Networks come as a `Stack`: several independent copies of one small MLP side by side, a seed each. At this
size a step costs Python as much as arithmetic, so copies are cheap together; and a GPU would only wait.
"""

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from gan_course import losses
from gan_course.errors import CourseError, whole


@dataclass(frozen=True)
class Mixture:
    """A mixture of round Gaussians: a distribution that can be both sampled and evaluated.

    Attributes:
        centres: [K, dim].
        sigmas: standard deviation of each component, [K].
        weights: probability of each component, [K]; they sum to 1.
    """

    centres: Tensor
    sigmas: Tensor
    weights: Tensor

    def log_density(self, x: Tensor) -> Tensor:
        """log p(x) for points [..., dim], in float64 when x is: [...]. Finite wherever x is."""
        centres, sigmas, weights = (t.to(x.dtype) for t in (self.centres, self.sigmas, self.weights))
        squared = (x.unsqueeze(-2) - centres).square().sum(-1) / sigmas.square()
        normaliser = centres.shape[-1] * (sigmas.log() + 0.5 * math.log(2 * math.pi))
        return torch.logsumexp(weights.log() - normaliser - 0.5 * squared, dim=-1)

    def density(self, x: Tensor) -> Tensor:
        """p(x) for points [..., dim]: [...], at least 0."""
        return self.log_density(x).exp()

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """n independent points, [n, dim]."""
        component = torch.multinomial(self.weights, n, replacement=True, generator=generator)
        noise = torch.randn(n, self.centres.shape[1], generator=generator)
        return self.centres[component] + self.sigmas[component, None] * noise

    def shifted(self, by: float) -> "Mixture":
        """The same mixture moved by `by` along every axis."""
        return Mixture(self.centres + by, self.sigmas, self.weights)


def on_a_line(centres: Sequence[float], sigmas: Sequence[float], weights: Sequence[float]) -> Mixture:
    """A mixture in one dimension, from as many centres as sigmas and weights; the weights are scaled to sum to 1."""
    c, s, w = (torch.tensor(values, dtype=torch.float32) for values in (centres, sigmas, weights))
    return Mixture(c[:, None], s, w / w.sum())


def eight_gaussians(radius: float = 2.0, sigma: float = 0.1) -> Mixture:
    """Eight equal Gaussians on a circle, the usual test of mode coverage (Metz et al. 2017, section 3.1)."""
    angle = torch.arange(8) * (math.pi / 4)
    centres = radius * torch.stack([angle.cos(), angle.sin()], dim=1)
    return Mixture(centres, torch.full((8,), sigma), torch.full((8,), 1 / 8))


def _seeds(seeds: Sequence[int]) -> tuple[int, ...]:
    return tuple(whole(seed, "seed", most=2**61) for seed in seeds)


class Stack(nn.Module):
    """Independent multilayer perceptrons of one shape: copy i sees x[i] alone and draws its weights from seeds[i].

    ReLU between layers, PyTorch's default initialisation of Linear. Input [copies, N, sizes[0]], or
    [N, sizes[0]] to show every copy the same points; output [copies, N, sizes[-1]], without the last
    axis where sizes[-1] is 1 (so a stack of discriminators returns logits [copies, N]).
    """

    def __init__(self, seeds: Sequence[int], *sizes: int, salt: int = 0):
        super().__init__()  # `salt` keeps two stacks of the same seeds from starting alike
        generators = [torch.Generator().manual_seed(3 * seed + salt) for seed in _seeds(seeds)]
        self.copies = len(generators)
        self.weights, self.biases = nn.ParameterList(), nn.ParameterList()
        for fan_in, fan_out in itertools.pairwise(sizes):
            bound = fan_in**-0.5
            for parameters, rows in ((self.weights, fan_in), (self.biases, 1)):
                drawn = [torch.empty(rows, fan_out).uniform_(-bound, bound, generator=g) for g in generators]
                parameters.append(nn.Parameter(torch.stack(drawn)))

    def forward(self, x: Tensor) -> Tensor:
        x = x.expand(self.copies, *x.shape[-2:])
        for i, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            x = torch.baddbmm(bias, x if i == 0 else torch.relu(x), weight)
        return x.squeeze(-1) if x.shape[-1] == 1 else x


class ToyGAN:
    """A GAN of two small MLPs in the plane, with the two halves of its training step apart.

    Attributes:
        target: the distribution to imitate; dim is 2 for what draws it.
        G, D: stacks of copies, one a seed; z [copies, N, 2] -> x [copies, N, dim] -> logits [copies, N].
        d_steps, g_steps: how many of each have been made.
    """

    def __init__(
        self,
        target: Mixture,
        g_loss: Callable[[Tensor], Tensor] = losses.g_non_saturating,
        seeds: Sequence[int] = (0,),
        *,
        hidden: int = 64,
        batch: int = 128,
        rate: float = 2e-3,
    ):
        if not len(seeds) or not rate > 0:
            raise CourseError(f"{len(seeds)} seeds, rate {rate}: a seed or more and a rate above 0 work")
        self.target, self.g_objective = target, g_loss
        self.hidden, self.batch, self.rate = whole(hidden, "hidden", 1), whole(batch, "batch", 1), float(rate)
        self.reset(seeds)

    def reset(self, seeds: Sequence[int] | None = None) -> None:
        """Start afresh, from the same seeds or from others."""
        self.seeds = _seeds(self.seeds if seeds is None else seeds)
        dim, h = self.target.centres.shape[1], self.hidden
        self.G, self.D = Stack(self.seeds, 2, h, h, dim), Stack(self.seeds, dim, h, h, 1, salt=1)
        self._g_adam, self._d_adam = (
            torch.optim.Adam(net.parameters(), lr=self.rate, betas=(0.5, 0.999), fused=True)
            for net in (self.G, self.D)
        )
        self._generators = [torch.Generator().manual_seed(3 * seed + 2) for seed in self.seeds]
        nothing = torch.full((len(self.seeds), 1), math.nan)
        self._d_logits, self._g_logits = [nothing, nothing], [nothing]
        self.d_steps = self.g_steps = 0

    def losses(self) -> list[tuple[float, float]]:
        """(D's, G's) loss at their last steps, a pair for each copy; NaN before the first."""

        def each(loss, logits):
            return [loss(*one).item() for one in zip(*logits, strict=True)]

        pair = each(losses.d_bce, self._d_logits), each(self.g_objective, self._g_logits)
        return list(zip(*pair, strict=True))

    def latent(self, n: int) -> Tensor:
        """Fresh latents z from a standard normal, [copies, n, 2]."""
        return torch.stack([torch.randn(n, 2, generator=g) for g in self._generators])

    def real(self, n: int) -> Tensor:
        """Fresh points of the target, [copies, n, dim]."""
        return torch.stack([self.target.sample(n, g) for g in self._generators])

    def step_d(self) -> None:
        """One step of D on a fresh batch; G stays as it is."""
        with torch.no_grad():  # G is only sampled here: no gradient can reach it
            fake = self.G(self.latent(self.batch))
        # Without BatchNorm one pass over both halves is the same algorithm as two, and faster.
        logits = self.D(torch.cat([self.real(self.batch), fake], dim=1)).chunk(2, dim=1)
        self._descend(self._d_adam, losses.d_bce(*logits))
        self._d_logits = [half.detach() for half in logits]
        self.d_steps += 1

    def step_g(self) -> None:
        """One step of G against D as it stands; D stays as it is."""
        self.D.requires_grad_(False)
        logits = self.D(self.G(self.latent(self.batch)))
        self._descend(self._g_adam, self.g_objective(logits))
        self.D.requires_grad_(True)
        self._g_logits = [logits.detach()]
        self.g_steps += 1

    def _descend(self, adam: torch.optim.Adam, loss: Tensor) -> None:
        adam.zero_grad()
        # The mean over all copies, times their number: each copy gets the gradient of its own batch mean.
        (len(self.seeds) * loss).backward()
        adam.step()

    def train(self, g_steps: int, d_steps: int = 1) -> None:
        """`g_steps` rounds, each of `d_steps` steps of D and then one of G."""
        for _ in range(g_steps):
            for _ in range(d_steps):
                self.step_d()
            self.step_g()

    @torch.no_grad()
    def samples(self, n: int = 2000) -> Tensor:
        """Generated points, [copies, n, dim], from the same latents at every call; training is untouched."""
        return self.G(torch.randn(n, 2, generator=torch.Generator().manual_seed(12345)))

    @torch.no_grad()
    def belief(self, x: Tensor) -> Tensor:
        """sigmoid of D's logits at points [N, dim]: [copies, N] in [0, 1]."""
        return torch.sigmoid(self.D(x))


@dataclass(frozen=True)
class Coverage:
    """`modes` [...] is how many components are covered, `quality` [...] the share of samples near some component."""

    modes: Tensor
    quality: Tensor


def coverage(samples: Tensor, target: Mixture, radius: float = 3.0, least: float = 0.01) -> Coverage:
    """Count modes: one is covered when at least `least` of the samples lie within `radius` sigmas of its centre.

    Args:
        samples: [..., N, dim]. A sample near two centres counts for the nearer one.
    """
    distance = (samples.unsqueeze(-2) - target.centres).norm(dim=-1)  # [..., N, K]
    nearest, component = distance.min(dim=-1)
    near = nearest <= radius * target.sigmas[component]
    one_hot = nn.functional.one_hot(component, len(target.sigmas)) * near.unsqueeze(-1)
    shares = one_hot.float().mean(dim=-2)  # of all samples, not of the near ones
    return Coverage((shares >= least).sum(-1), near.float().mean(-1))


def dirac_gradients(theta: float, psi: float, penalty: float = 0.0) -> tuple[float, float]:
    """Gradients of both players' losses in the Dirac-GAN (Mescheder et al. 2018, section 2, with f = minimax).

    Real data sit at 0, the fake at theta, and D's logit at x is psi x. D minimises
    softplus(psi theta) + penalty / 2 psi^2 (R1; the constant log 2 left out), G minimises -softplus(psi theta).

    Returns (d L_G / d theta, d L_D / d psi).
    """
    slope = 0.5 + 0.5 * math.tanh(psi * theta / 2)  # the sigmoid, without overflow far out on a spiral
    return -psi * slope, theta * slope + penalty * psi


def dirac_run(rate: float, steps: int, alternating: bool, penalty: float = 0.0, start=(1.0, 0.0)) -> Tensor:
    """Gradient descent by both players: (theta, psi) after 0, 1, … steps, float64 [steps + 1, 2].

    `alternating`: D moves first and G answers the new D; otherwise both use the old point.
    """
    theta, psi = start
    path = [(theta, psi)]
    for _ in range(steps):
        by_theta, by_psi = dirac_gradients(theta, psi, penalty)
        psi -= rate * by_psi
        if alternating:
            by_theta, _ = dirac_gradients(theta, psi, penalty)
        theta -= rate * by_theta
        path.append((theta, psi))
    return torch.tensor(path, dtype=torch.float64)


def dirac_matrix(rate: float, alternating: bool, penalty: float = 0.0) -> Tensor:
    """The same step linearised at (0, 0): float64 [2, 2], for the column (theta, psi)."""
    d = torch.tensor([[1, 0], [-rate / 2, 1 - rate * penalty]], dtype=torch.float64)
    g = torch.tensor([[1, rate / 2], [0, 1]], dtype=torch.float64)
    return g @ d if alternating else g + d - torch.eye(2, dtype=torch.float64)
