"""Telemetry of a run: one row a step, read from the device once a report."""

import numpy as np
import torch
from torch import Tensor

from gan_course.ranks import ALONE, Ranks

COLUMNS = {
    "step": "step, counted from 0",
    "images": "real images seen before the step",
    "loss_d": "D's loss, real and generated part added",
    "loss_g": "G's loss",
    "d_real": "D(x): mean score of the real images",
    "d_fake": "D(G(z)) before D's update",
    "d_fake_after": "D(G(z)) after it, as G's step sees it",
    "right_real": "share of real images that D scores above 1/2",
    "right_fake": "share of generated images that D scores below 1/2",
    "grad_d": "norm of D's gradient over all its weights, measured every 50th step",
    "grad_g": "norm of G's gradient, likewise, where G moved in that step",
}
MEASURED = list(COLUMNS)[2:]


class History:
    """Rows of telemetry. `history["loss_d"]` is that column as float64 [rows]; NaN where nothing was measured."""

    def __init__(self, rows: np.ndarray | None = None):
        self.rows = np.empty((0, len(COLUMNS))) if rows is None else rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, column: str) -> np.ndarray:
        return self.rows[:, list(COLUMNS).index(column)]

    def extend(
        self, first_step: int, batch: int, telemetry: list[dict[str, Tensor]], ranks: Ranks = ALONE
    ) -> None:
        """Append the telemetry of consecutive steps, averaged over the ranks. Waits for the device, once."""
        if not telemetry:
            return
        missing = torch.full((), torch.nan, device=next(iter(telemetry[0].values())).device)
        values = torch.stack([row.get(column, missing) for row in telemetry for column in MEASURED])
        ranks.mean_([values])
        values = values.double().cpu().numpy().reshape(len(telemetry), len(MEASURED))
        steps = np.arange(first_step, first_step + len(telemetry))
        self.rows = np.concatenate([self.rows, np.column_stack([steps, steps * batch, values])])

    def measured(self, column: str) -> tuple[np.ndarray, np.ndarray]:
        """(images seen, value) where the column was measured, both float64 [m]."""
        values = self[column]
        there = ~np.isnan(values)
        return self["images"][there], values[there]

    def mean(self, column: str, last: int = 200) -> float:
        """Mean of the column over the last rows in which it was measured."""
        return float(self.measured(column)[1][-last:].mean())

    def line(self) -> str:
        """The latest values, in the words of the DCGAN tutorial's log."""
        if not len(self):
            return "no step yet"

        def latest(column):
            values = self.measured(column)[1]
            return f"{values[-1]:.4f}" if len(values) else "–"

        return (
            f"step {int(self['step'][-1]) + 1:>6}  Loss_D: {latest('loss_d')}  Loss_G: {latest('loss_g')}  "
            f"D(x): {latest('d_real')}  D(G(z)): {latest('d_fake')} / {latest('d_fake_after')}"
        )
