"""Make a small, shippable copy of a run: what sampling, replaying and looking back need, and its card."""

import io
from pathlib import Path

import numpy as np
from PIL import Image

from gan_course import checkpoint, files, snapshots
from gan_course.errors import CourseError
from gan_course.keeping import write_card
from gan_course.runs import FRAME_MS, PUBLISHED_FORMAT, Run

ROWS = 1000  # of the history are kept
FRAMES = 24  # of the drawings


def publish(run: Run, folder: str | Path, with_snapshots: bool = False) -> Run:
    """Write a published copy of a run.

    The averaged generator is stored as a snapshot is (`snapshots.pack`): its pictures differ from the run's own
    by rounding.

    Args:
        with_snapshots: whether the copies of the generator along its training come along, each about as large as
            the generator itself.

    Returns:
        the copy, opened.

    Raises:
        CourseError: the run is unfinished or damaged, or has no frames; the folder cannot be written to.
    """
    folder = files.user_path(folder, "folder to publish into")
    drawn = run.frames
    if run.card["step"] < run.card["goal"]:
        raise CourseError(
            f"{run.folder} stands at step {run.card['step']} of {run.card['goal']}: resume it to its end first"
        )
    if not drawn:
        raise CourseError(f"{run.folder} has no frames to replay: train it with this version of the course")
    G = run.generator()
    tensors = snapshots.pack(G.state_dict()) | {"fixed_latents": run.fixed_latents}
    checkpoint.write(folder / "generator.safetensors", {"format": PUBLISHED_FORMAT}, tensors)

    buffer = io.BytesIO()
    rows = run.history.rows
    np.save(buffer, rows[_spread(len(rows), ROWS)].astype(np.float32))
    files.write_atomically(folder / "history.npy", buffer.getvalue())

    frames = [drawn[i] for i in _spread(len(drawn), FRAMES)]
    first, *others = [Image.fromarray(frame) for _, frame in frames]
    buffer = io.BytesIO()
    first.save(
        buffer, "WEBP", save_all=True, append_images=others, duration=FRAME_MS, loop=0, quality=70, method=6
    )
    files.write_atomically(folder / "frames.webp", buffer.getvalue())

    snapshots.forget(folder, after=-1)  # an older copy's
    for step in run.snapshots if with_snapshots else ():
        snapshots.copy(run.folder, folder, step)

    card = {**run.card, "frames": [step for step, _ in frames]}
    write_card(folder, card)
    return Run(folder)


def _spread(n: int, most: int) -> np.ndarray:
    """At most `most` indices below n: all of them, or evenly spread from the first to the last."""
    return np.unique(np.linspace(0, n - 1, min(n, most)).round().astype(int))
