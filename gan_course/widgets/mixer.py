"""Two styles in one picture, and styles drawn towards the mean one."""

from collections.abc import Mapping
from pathlib import Path

import torch

from gan_course import latent, runs, show, style
from gan_course.errors import CourseError
from gan_course.widgets.panel import Panel, encoded, number, slider


class Mixer(Panel):
    """Three faces: one that gives the coarse layers their style, the mixture, one that gives the fine layers theirs.

    Args:
        run: a run of a style-based generator, its folder, or the name of a published one.
        seeds: of the two.
        measured: psi -> (precision, recall), said beneath the picture where the slider stands at that psi.
    """

    def __init__(
        self,
        run: str | Path | runs.Run,
        seeds: tuple[int, int] = (0, 1),
        measured: Mapping[float, tuple[float, float]] | None = None,
    ):
        self.run, self.measured = runs.find(run), dict(measured or {})
        self.generator = self.run.generator()
        if not isinstance(self.generator, style.StyleGenerator):
            raise CourseError("this run's generator takes no styles: a run of the recipe style-faces works")
        self.mean = style.mean_w(self.generator)
        self.coarse, self.fine = (number(label, seed) for label, seed in zip(("coarse", "fine"), seeds, strict=True))
        layers = self.generator.layers
        self.first = slider("layers that follow the coarse one", layers // 2, 0, layers, 1)
        self.psi = slider("truncation ψ", 1.0, 0.0, 1.5, 0.05)
        self.redraw_on(self.coarse, self.fine, self.first, self.psi)
        super().__init__((self.coarse, self.fine), (self.first, self.psi))

    def live(self) -> dict:
        return {
            "widget": "mixer",
            "run": self.run.folder.name,
            "seeds": [self.coarse.value, self.fine.value],
            "first": self.first.value,
            "psi": self.psi.value,
            "measured": [[psi, *found] for psi, found in self.measured.items()],
        }

    @torch.no_grad()
    def render(self) -> show.Picture:
        G, psi, first = self.generator, self.psi.value, self.first.value
        z = torch.cat([latent.draw(1, G.latent_dim, control.value) for control in (self.coarse, self.fine)])
        one, other = style.truncate(G.mapping(z), self.mean, psi).split(1)
        mixture = G.synthesis(style.mix(one, other, range(first, G.layers), G.layers))
        words = f"In the middle {first} of {G.layers} layers follow the face at the left, the rest that at the right"
        words += f"; psi is {psi:.2f}."
        for known, (precision, recall) in self.measured.items():
            if abs(known - psi) < 0.001:
                words += f" Measured there: precision {precision:.2f}, recall {recall:.2f}."
        return show.Picture(encoded(torch.cat([G.synthesis(one), mixture, G.synthesis(other)]), 3, side=160), words)
