"""Train a two-dimensional GAN by hand, and see what D believes."""

import math

import ipywidgets as widgets
import numpy as np
import torch
from matplotlib.colors import BoundaryNorm, LinearSegmentedColormap

from gan_course import losses, mosaic, show, toy
from gan_course.widgets.by_hand import ByHand
from gan_course.widgets.panel import choice, number

CELLS, EXTENT = 64, 3.0  # D's belief is computed at CELLS x CELLS points from -EXTENT to EXTENT


class Plane:
    """The first copy of a two-dimensional ToyGAN: D's belief as colour, real and generated points on top.

    One figure is kept and its contents replaced, which is what makes a frame cheap.
    """

    def __init__(self, gan: toy.ToyGAN, points: int = 500, dpi: int = 100):
        self.gan, self.points = gan, points
        axis = torch.linspace(-EXTENT, EXTENT, CELLS)
        self._grid = torch.cartesian_prod(axis, axis)
        self._figure, axes = show.new_figure(6.4, 5.4)
        self._figure.set_dpi(dpi)
        pale = LinearSegmentedColormap.from_list("belief", ["#EDA583", "#FFFFFF", "#86BCE0"])
        edges = np.linspace(0, 1, 11)
        self._field = axes.imshow(
            np.full((CELLS, CELLS), 0.5),
            extent=(-EXTENT, EXTENT, -EXTENT, EXTENT),
            origin="lower",
            cmap=pale,
            norm=BoundaryNorm(edges, pale.N),
            interpolation="bilinear",
            interpolation_stage="data",
        )
        real = gan.target.sample(points, torch.Generator().manual_seed(0))
        axes.scatter(*real.T, s=12, color=show.REAL, linewidths=0, alpha=0.55, label="real")
        self._fakes = axes.scatter(
            [], [], s=16, color=show.FAKE, edgecolors="white", linewidths=0.4, label="generated"
        )
        axes.set(xlim=(-EXTENT, EXTENT), ylim=(-EXTENT, EXTENT), xlabel="$x_1$", ylabel="$x_2$")
        axes.grid(False)
        axes.legend(loc="upper right", frameon=True, framealpha=0.9, markerscale=2, handletextpad=0.2)
        self._title = axes.set_title(" ")
        self._figure.colorbar(self._field, ax=axes, ticks=edges[::2], label="D's belief that a point is real")
        self._figure.canvas.draw()
        self._figure.set_layout_engine("none")  # laid out once; solving it again would double a frame's time

    def frame(self, title: str = "") -> np.ndarray:
        """The picture now, uint8 [H, W, 3]."""
        belief = self.gan.belief(self._grid)[0].reshape(CELLS, CELLS)
        self._field.set_data(belief.T.numpy())
        self._fakes.set_offsets(self.gan.samples(self.points)[0].numpy())
        self._title.set_text(title)
        self._figure.canvas.draw()
        return np.asarray(self._figure.canvas.buffer_rgba())[..., :3].copy()


def describe(gan: toy.ToyGAN) -> str:
    """The state of a ToyGAN's first copy in a sentence."""
    covered = toy.coverage(gan.samples()[0], gan.target)
    both = zip("DG", gan.losses()[0], strict=True)
    losses_now = [f", {name}'s loss {loss:.2f}" for name, loss in both if not math.isnan(loss)]
    return (
        f"Steps made: D {gan.d_steps}, G {gan.g_steps}. {covered.modes} of {len(gan.target.sigmas)} modes "
        f"covered, {covered.quality:.0%} of the samples near a mode{''.join(losses_now)}."
    )


class StepByStep(ByHand):
    """Train a two-dimensional ToyGAN by hand: step D, step G, both, play, start again."""

    def __init__(self, gan: toy.ToyGAN):
        self.gan, self.plane = gan, Plane(gan)
        self.one_d, self.one_g = gan.step_d, gan.step_g
        # The front end moves `value` on and waits for the kernel: playing needs no thread here.
        self.play = widgets.Play(value=0, min=0, max=1_000_000, interval=120)
        self.play.observe(self._tick, names="value")
        objectives = [("non-saturating", losses.g_non_saturating), ("saturating", losses.g_saturating)]
        if gan.g_objective not in [loss for _, loss in objectives]:
            objectives.append((getattr(gan.g_objective, "__name__", "its own"), gan.g_objective))
        self.objective = choice("G's objective", objectives, gan.g_objective)
        self.objective.observe(lambda new: setattr(gan, "g_objective", new["new"]), names="value")
        self.seed = number("seed", gan.seeds[0], "7em")
        super().__init__(1, self.play, self.objective, self.seed)

    def render(self) -> show.Picture:
        frame = self.plane.frame(f"steps made: D {self.gan.d_steps}, G {self.gan.g_steps}")
        key = "Real points blue, generated ones orange, D's belief as the colour behind them."
        return show.Picture(mosaic.encode_png(frame, quick=True), f"{describe(self.gan)} {key}")

    def live(self) -> dict | None:
        gan, target = self.gan, self.gan.target
        a_round, left_over = divmod(gan.d_steps, gan.g_steps) if gan.g_steps else (1, gan.d_steps)
        if left_over or self.objective.label not in ("non-saturating", "saturating"):
            return None  # a page repeats whole rounds of one of the two objectives
        return {
            "widget": "plane",
            "target": {name: getattr(target, name).tolist() for name in ("centres", "sigmas", "weights")},
            **{name: getattr(gan, name) for name in ("hidden", "batch", "rate")},
            "seed": gan.seeds[0],
            "rounds": gan.g_steps,
            "d_steps": a_round,
            "objective": self.objective.label,
        }

    def restart(self) -> None:
        self.gan.reset([self.seed.value])

    def _tick(self, change) -> None:
        if change["new"] > change["old"]:  # the stop button sets the value back to 0
            self.train(rounds=5)
