"""Between two latents, or four."""

from pathlib import Path

import torch
from torch import Tensor

from gan_course import latent, runs, show
from gan_course.errors import CourseError
from gan_course.widgets.panel import Panel, choice, encoded, number, player, slider

STEPS = 60  # from one end to the other
WALKS = {"slerp: along the arc": latent.slerp, "lerp: straight": latent.lerp}


class Interpolator(Panel):
    """The way between anchors: two on a line, or four at the corners of a square.

    The anchors stay in sight; between them is the picture of the point where the sliders stand.

    Args:
        run: a run, its folder, or the name of a published one.
        anchors: 2 or 4.
        seeds: of the anchors, at least as many.
    """

    def __init__(self, run: str | Path | runs.Run, *, anchors: int = 2, seeds=(0, 1, 2, 3)):
        if anchors not in (2, 4) or len(seeds) < anchors:
            raise CourseError(
                f"{anchors} anchors and {len(seeds)} seeds: 2 or 4 anchors work, each with a seed"
            )
        self.run = runs.find(run)
        self.generator = self.run.generator()
        self.seeds = [number(f"anchor {i}", seed, width="10em") for i, seed in enumerate(seeds[:anchors], 1)]
        # From the middle: in a corner, the picture would be that of an anchor.
        self.across, self.down = (slider(label, STEPS // 2, 0, STEPS, 1) for label in ("across", "down"))
        self.walk = choice("walk", list(WALKS), next(iter(WALKS)))
        self.play, _ = player(self.across, interval=100)
        self.redraw_on(*self.seeds, self.across, self.down, self.walk)
        moving = (self.play, self.across, *([self.down] if anchors == 4 else []))
        super().__init__(moving, (self.walk, *self.seeds))

    def live(self) -> dict:
        return {
            "widget": "interpolator",
            "run": self.run.folder.name,
            "seeds": [seed.value for seed in self.seeds],
        }

    def anchors(self) -> Tensor:
        """[2 or 4, latent_dim]."""
        return torch.cat([latent.of(self.generator, 1, seed.value) for seed in self.seeds])

    def point(self) -> Tensor:
        """Where the sliders stand, [latent_dim]."""
        walk, ends = WALKS[self.walk.value], self.anchors()
        across, down = (torch.tensor([control.value / STEPS]) for control in (self.across, self.down))
        if len(ends) == 4:
            ends = torch.cat([walk(ends[0], ends[2], down), walk(ends[1], ends[3], down)])
        return walk(ends[0], ends[1], across)[0]

    @torch.no_grad()
    def render(self) -> show.Picture:
        anchors, z = self.anchors(), self.point()
        *ends, here = self.generator(torch.cat([anchors, z[None]]))
        blank = torch.ones_like(here)
        if len(ends) == 2:
            shown = [ends[0], here, ends[1]]
        else:
            shown = [ends[0], blank, ends[1], blank, here, blank, ends[2], blank, ends[3]]
        place = f"{self.across.value / STEPS:.0%} across"
        if len(ends) == 4:
            place += f", {self.down.value / STEPS:.0%} down"
        return show.Picture(
            encoded(torch.stack(shown), columns=3, side=160),
            f"In the middle the picture {place} between {len(ends)} anchors by {self.walk.value.split(':')[0]}; "
            f"the norm of its latent is {z.norm():.1f}, the anchors' are "
            f"{', '.join(f'{norm:.1f}' for norm in anchors.norm(dim=1).tolist())}.",
        )
