"""What the two widgets that train by hand share: a step of D, a step of G, both in turn, start again."""

import ipywidgets as widgets
import torch

from gan_course.widgets.panel import Panel, button, choice


class ByHand(Panel):
    """Buttons that let D learn alone, G learn alone, or both in turn; below them a row of a widget's own controls.

    Subclasses have `one_d` and `one_g`, which make one step, and `restart`.
    """

    def __init__(self, presses: int, *controls: widgets.Widget):
        self.presses = choice("steps a press", [1, 10, 50], presses)
        self.d_steps = choice("D steps a round", [1, 5], 1)
        self.step_d = button("step D", lambda: self.train(d=self.presses.value), style="info")
        self.step_g = button("step G", lambda: self.train(g=self.presses.value), style="warning")
        self.both = button("both", lambda: self.train(rounds=self.presses.value))
        self.reset = button("reset", self._reset)
        super().__init__(
            (self.step_d, self.step_g, self.both, self.presses, self.d_steps), (*controls, self.reset)
        )

    def train(self, d: int = 0, g: int = 0, rounds: int = 0) -> None:
        """Make so many steps of D, then of G, then so many rounds of both, and draw."""
        a_round = [self.one_d] * self.d_steps.value + [self.one_g]
        try:
            with torch.enable_grad():  # a notebook may have switched gradients off
                for step in [self.one_d] * d + [self.one_g] * g + a_round * rounds:
                    step()
        finally:  # also where the stop button came in between
            self.refresh()

    def _reset(self) -> None:
        self.restart()
        self.refresh()
