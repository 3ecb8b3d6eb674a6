"""A run on disk: trained into a folder, resumed, opened again, published with the course.

A run's folder holds `run.json` (its card), `checkpoint.safetensors` (everything to go on) and
`frames/` (the fixed latents, drawn on a schedule). A published run in `assets/runs/NAME` holds the
same card, the averaged generator in 8 bits, the frames as one animated picture, a thinned history and,
of a small generator, snapshots along its training: enough to sample from and to replay, small enough to ship.
"""

import json
import platform
import signal
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import numpy as np
import torch
from PIL import Image

import gan_course
from gan_course import checkpoint, devices, files, snapshots, training
from gan_course.data import ImageSet
from gan_course.errors import CourseError, whole
from gan_course.gan import GAN
from gan_course.history import COLUMNS, History
from gan_course.keeping import CARD, CHECKPOINT, Keeper
from gan_course.networks import Generator
from gan_course.ranks import ALONE, Ranks
from gan_course.recipes import Recipe

SAVE_EVERY_SECONDS = 60.0
PUBLISHED_FORMAT = 2
FRAME_MS = 150  # of a published run's animation
VERSIONS = {
    "gan_course": gan_course.__version__,
    "torch": torch.__version__,
    "python": platform.python_version(),
}
FACTS = ("recipe", "seed", "data", "device", "versions", "date", "goal", "step", "images", "seconds")


def train(
    recipe: Recipe,
    image_set: ImageSet,
    folder: str | Path,
    *,
    images: int | None = None,
    seed: int = 0,
    resume: bool = False,
    device: torch.device | str = "cpu",
    progress: bool = True,
    save_every: float = SAVE_EVERY_SECONDS,
    on_report=lambda gan: None,
    ranks: Ranks = ALONE,
) -> "Run":
    """Train a recipe into a folder, or go on with what it holds.

    Ctrl-C finishes the step, writes the checkpoint and leaves; a second one stops at once.

    Args:
        images: real images to have seen at the end; the recipe's epochs over the set by default.
        resume: go on from the folder's checkpoint; where it has none, start.
        save_every: seconds between two checkpoints.
        on_report: called with the run every `training.REPORT_EVERY` steps, after every drawing and at
            the end; never where the run had seen as many images before.
        ranks: the processes that train this run together; all call this with the same arguments.

    Raises:
        CourseError: the images do not fit the recipe, or a batch the device's memory; the folder holds a run
            and `resume` is False; its checkpoint is damaged or of another recipe, seed or data; training
            diverged; there is no room on the disk.
    """
    folder, device = files.user_path(folder, "run's folder"), torch.device(device)
    goal, data = _steps(recipe, image_set, images, ranks), _identity(image_set)
    ranks.same({"recipe": recipe.as_dict(), "seed": str(seed), "goal": goal, "data": data, **VERSIONS})
    with devices.explained(f"training {recipe.key} in batches of {recipe.batch}"):
        gan, card = _open_or_start(recipe, data, folder, seed, resume, device, ranks)
        keeper = Keeper(folder, gan, card, goal, save_every)
        keeper.begin()
        if gan.step < goal:
            with stop_on_interrupt() as interrupted:
                # Alone, an interruption is heeded after any step; several ranks agree on it at the next report.
                stop = interrupted if ranks.size == 1 else lambda: False
                for _ in training.train(
                    gan, image_set.images, goal, labels=image_set.labels, progress=progress, stop=stop
                ):
                    keeper.look()
                    on_report(gan)
                    if ranks.any(interrupted()):
                        break
                keeper.save()
        keeper.note()
        ranks.any(False)  # no rank returns before the first has written all
    return Run(folder)


class Run:
    """A run's folder, opened for reading.

    Attributes:
        folder: where it lies.
        card: what is known of it: recipe, seed, data source, device, versions, images, seconds.
        recipe: its recipe.
    """

    def __init__(self, folder: str | Path):
        self.folder = files.user_path(folder, "run's folder")
        try:
            self.card = json.loads((self.folder / CARD).read_text(encoding="utf-8"))
            self.recipe = Recipe.from_dict(self.card["recipe"])
            lacking = [name for name in FACTS if name not in self.card]
            if lacking or (self.is_published and "frames" not in self.card):
                raise CourseError(f"it lacks {', '.join(lacking or ['frames'])}")
        except (FileNotFoundError, NotADirectoryError):
            raise CourseError(
                f"{self.folder} holds no run (no run.json): train one with "
                f"`python -m gan_course train`, or name a published one: {', '.join(published()) or 'none yet'}"
            ) from None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CourseError(
                f"the card {self.folder / CARD} is damaged ({error}): train anew"
            ) from None

    @property
    def is_published(self) -> bool:
        return (self.folder / "generator.safetensors").is_file()

    def restore(self, device: torch.device | str = "cpu") -> GAN:
        """The run's whole state, to go on with; published runs keep only what sampling needs."""
        if self.is_published:
            raise CourseError(f"{self.folder} is a published run: it can be sampled, not trained on")
        return checkpoint.load(self.folder / CHECKPOINT, self.recipe, device)

    def generator(self, device: torch.device | str = "cpu", step: int | None = None) -> Generator:
        """The averaged generator with its running BatchNorm statistics, in evaluation mode.

        Args:
            step: of one of its `snapshots`; by default as it is at the end.
        """
        if step is None:
            tensors = self._tensors()
            prefix = "" if self.is_published else "average."
            weights = {name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)}
            weights.pop("fixed_latents", None)
        else:
            weights = snapshots.weights(self.folder, step)
        G, _ = self.recipe.build()
        try:
            G.load_state_dict(weights)
        except RuntimeError:
            raise CourseError(
                f"{self.folder} holds weights of another network than its card says: take another copy, or train anew"
            ) from None
        return G.to(device, memory_format=torch.channels_last).requires_grad_(False).eval()

    @property
    def snapshots(self) -> list[int]:
        """The steps after which a copy of the generator was kept; `generator(step=...)` is that copy."""
        return [step for step in snapshots.steps(self.folder) if step <= self.card["step"]]

    @property
    def fixed_latents(self) -> torch.Tensor:
        """The latents its frames were drawn from, float32 [64, latent_dim]."""
        return self._tensors()["fixed_latents"]

    def _tensors(self) -> dict[str, torch.Tensor]:
        """Every tensor of its safetensors file, on the CPU, wherever it was trained."""
        if self.is_published:
            packed = checkpoint.read(self.folder / "generator.safetensors", PUBLISHED_FORMAT)[1]
            return snapshots.unpack(packed)
        return checkpoint.read(self.folder / CHECKPOINT, checkpoint.FORMAT)[1]

    @property
    def history(self) -> History:
        """The telemetry, thinned where the run is a published one."""
        if self.is_published:
            try:
                rows = np.load(self.folder / "history.npy", allow_pickle=False)
            except (OSError, ValueError, EOFError) as error:
                raise CourseError(
                    f"the history of {self.folder} is damaged ({error}): take another copy"
                ) from None
            return History(rows.astype(np.float64).reshape(-1, len(COLUMNS)))
        return History(self._tensors()["history"].numpy())

    @property
    def frames(self) -> list[tuple[int, np.ndarray]]:
        """The drawings of the fixed latents: (step, uint8 [H, W, 3]), in order."""
        try:
            if self.is_published:
                steps = self.card["frames"]
                return list(zip(steps, _animation(self.folder / "frames.webp", len(steps)), strict=True))
            paths = sorted((self.folder / "frames").glob("step_*.png"))
            kept = [(int(path.stem.split("_")[1]), path) for path in paths]
            return [(s, np.asarray(Image.open(p).convert("RGB"))) for s, p in kept if s <= self.card["step"]]
        except (OSError, ValueError, EOFError) as error:
            raise CourseError(
                f"the frames of {self.folder} are damaged ({error}): take another copy"
            ) from None


def find(name: "str | Path | Run") -> Run:
    """A run by its folder, or a published one by its name; one that is open already is returned as it is.

    Raises:
        CourseError: there is no such run.
    """
    if isinstance(name, Run):
        return name
    if str(name) in published() and not Path(name, CARD).exists():
        return Run(files.assets_dir() / "runs" / str(name))
    return Run(name)


def published() -> list[str]:
    """Names of the runs that come with the course."""
    return sorted(card.parent.name for card in (files.assets_dir() / "runs").glob("*/run.json"))


@contextmanager
def stop_on_interrupt():
    """Turn the first Ctrl-C of a block into a request that the block can ask for; the second acts as usual.

    A step of GAN training moves two networks: interrupted between them, the run could not be
    resumed bit for bit. Outside the main thread, where Python handles no signals, nothing changes.
    """
    requested = False

    def ask(signum, frame):
        nonlocal requested
        requested = True
        signal.signal(signal.SIGINT, before)

    try:
        before = signal.signal(signal.SIGINT, ask)
    except ValueError:  # not the main thread
        yield lambda: False
        return
    try:
        yield lambda: requested
    finally:
        signal.signal(signal.SIGINT, before)


def _steps(recipe: Recipe, image_set: ImageSet, images: int | None, ranks: Ranks) -> int:
    """How many steps a run takes, once it is certain that it can be trained."""
    training.check_images(recipe, image_set.images, ranks.size)
    training.check_labels(recipe, image_set.images, image_set.labels)
    batch = recipe.batch * ranks.size
    total = recipe.epochs * len(image_set) if images is None else whole(images, "images to see")
    if total < batch:
        raise CourseError(f"{total} images to see are less than one batch of {batch}: ask for more")
    return total // batch


def _identity(image_set: ImageSet) -> dict:
    return {
        "name": image_set.name,
        "split": image_set.split,
        "images": len(image_set),
        "pixel_sum": int(image_set.images.sum(dtype=torch.int64)),  # tells two sets of one size apart
    }


def _open_or_start(
    recipe: Recipe, data: dict, folder: Path, seed: int, resume: bool, device: torch.device, ranks: Ranks
) -> tuple[GAN, dict]:
    """The run in the folder, or a new one, and its card."""
    if not ranks.any(ranks.first and (folder / CHECKPOINT).exists()):  # rank 0 says so for all
        gan = GAN(recipe, seed, device, ranks=ranks)
        card = {"recipe": gan.recipe.as_dict(), "seed": gan.seed, "data": data, "device": devices.name(device)}
        today = date.today().isoformat()
        return gan, {**card, "ranks": ranks.size, "versions": VERSIONS, "date": today, "seconds": 0.0}
    if not resume:
        raise CourseError(f"{folder} already holds a run: resume it, or choose another folder")
    card = Run(folder).card
    gan = checkpoint.load(folder / CHECKPOINT, recipe, device, ranks=ranks)
    for what, there, here in (("seed", gan.seed, seed), ("data", card["data"], data)):
        if there != here:
            raise CourseError(
                f"{folder} was trained with {what} {there}, not {here}: use the same, or a new folder"
            )
    return gan, card


def _animation(path: Path, n: int) -> list[np.ndarray]:
    """The n pictures of an animated WebP. Its encoder keeps pictures that look alike as one that lasts longer."""
    pictures = []
    with Image.open(path) as animation:
        for i in range(animation.n_frames):
            animation.seek(i)
            picture = np.asarray(animation.convert("RGB"))
            lasts = n if animation.n_frames == 1 else round(animation.info["duration"] / FRAME_MS)
            pictures += [picture] * lasts
    return pictures
