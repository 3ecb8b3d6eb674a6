"""A run on disk: trained into a folder, resumed, opened again, published with the course.

A run's folder holds `run.json` (its card), `checkpoint.safetensors` (everything to go on) and
`frames/` (the fixed latents, drawn on a schedule). A published run in `assets/runs/NAME` holds the
same card, the averaged generator in half precision, the frames as one animated picture and a
thinned history: enough to sample from and to replay, small enough to ship.
"""

import json
import platform
import signal
import time
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import numpy as np
import torch
from PIL import Image

import gan_course
from gan_course import checkpoint, files, mosaic, training
from gan_course.data import ImageSet
from gan_course.errors import CourseError
from gan_course.gan import GAN
from gan_course.history import COLUMNS, History
from gan_course.networks import Generator
from gan_course.recipes import Recipe

SAVE_EVERY_SECONDS = 60.0
PUBLISHED_FORMAT = 1


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
) -> "Run":
    """Train a recipe into a folder, or go on with what it holds.

    Ctrl-C finishes the step, writes the checkpoint and leaves; a second one stops at once.

    Args:
        images: real images to have seen at the end; the recipe's epochs over the set by default.
        resume: go on from the folder's checkpoint; where it has none, start.
        save_every: seconds between two checkpoints.
        on_report: called with the run every `training.REPORT_EVERY` steps.

    Raises:
        CourseError: the folder holds a run and `resume` is False; its checkpoint is damaged or of
            another recipe, seed or data; training diverged; there is no room on the disk.
    """
    folder = Path(folder)
    total = recipe.epochs * len(image_set) if images is None else images
    if total < recipe.batch:
        raise CourseError(f"{total} images to see are less than one batch of {recipe.batch}: ask for more")
    until = total // recipe.batch
    gan, card = _open_or_start(recipe, image_set, folder, seed, resume, torch.device(device))
    card["goal"] = until
    before, began, saved = card["seconds"], time.monotonic(), time.monotonic()

    def save():
        card.update(step=gan.step, images=gan.images, seconds=round(before + time.monotonic() - began, 1))
        checkpoint.save(gan, folder / "checkpoint.safetensors")
        _write_card(folder, card)

    if gan.step == 0:
        _draw(gan, folder)
        save()
    with stop_on_interrupt() as interrupted:
        for _ in training.train(gan, image_set.images, until, progress=progress):
            if gan.step % recipe.draw_every == 0 or gan.step == until:
                _draw(gan, folder)
            on_report(gan)
            if interrupted():
                break
            if time.monotonic() - saved >= save_every:
                save()
                saved = time.monotonic()
        save()
    return Run(folder)


class Run:
    """A run's folder, opened for reading.

    Attributes:
        folder: where it lies.
        card: what is known of it: recipe, seed, data source, device, versions, images, seconds.
        recipe: its recipe.
    """

    def __init__(self, folder: str | Path):
        self.folder = Path(folder)
        try:
            self.card = json.loads((self.folder / "run.json").read_text(encoding="utf-8"))
            self.recipe = Recipe.from_dict(self.card["recipe"])
        except FileNotFoundError:
            raise CourseError(
                f"{self.folder} holds no run (no run.json): train one with "
                f"`python -m gan_course train`, or name a published one: {', '.join(published()) or 'none yet'}"
            ) from None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CourseError(
                f"the card {self.folder / 'run.json'} is damaged ({error}): train anew"
            ) from None

    @property
    def is_published(self) -> bool:
        return (self.folder / "generator.safetensors").is_file()

    def load(self, device: torch.device | str = "cpu") -> GAN:
        """The run's whole state, to go on with; published runs keep only what sampling needs."""
        if self.is_published:
            raise CourseError(f"{self.folder} is a published run: it can be sampled, not trained on")
        return checkpoint.load(self.folder / "checkpoint.safetensors", self.recipe, device)

    def generator(self, device: torch.device | str = "cpu") -> Generator:
        """The averaged generator with its running BatchNorm statistics, in evaluation mode."""
        if not self.is_published:
            return self.load(device).average
        tensors = self._published_tensors()
        G, _ = self.recipe.build()
        try:
            G.load_state_dict({name: t for name, t in tensors.items() if name != "fixed_latents"})
        except RuntimeError:
            raise CourseError(f"{self.folder} holds weights of another network than its card says") from None
        return G.to(device, memory_format=torch.channels_last).requires_grad_(False).eval()

    @property
    def fixed_latents(self) -> torch.Tensor:
        """The latents its frames were drawn from, float32 [64, latent_dim]."""
        return self._published_tensors()["fixed_latents"] if self.is_published else self.load().fixed_latents

    def _published_tensors(self) -> dict[str, torch.Tensor]:
        return checkpoint.read(self.folder / "generator.safetensors", PUBLISHED_FORMAT)[1]

    @property
    def history(self) -> History:
        """The telemetry, thinned where the run is a published one."""
        if self.is_published:
            try:
                rows = np.load(self.folder / "history.npy", allow_pickle=False)
            except (OSError, ValueError) as error:
                raise CourseError(f"the history of {self.folder} is damaged ({error})") from None
            return History(rows.astype(np.float64).reshape(-1, len(COLUMNS)))
        _, tensors = checkpoint.read(self.folder / "checkpoint.safetensors", checkpoint.FORMAT)
        return History(tensors["history"].numpy())

    @property
    def frames(self) -> list[tuple[int, np.ndarray]]:
        """The drawings of the fixed latents: (step, uint8 [H, W, 3]), in order."""
        if self.is_published:
            with Image.open(self.folder / "frames.webp") as animation:
                frames = []
                for i, step in enumerate(self.card["frames"]):
                    animation.seek(i)
                    frames.append((step, np.asarray(animation.convert("RGB"))))
            return frames
        paths = sorted((self.folder / "frames").glob("step_*.png"))
        kept = [(int(path.stem.split("_")[1]), path) for path in paths]
        return [(s, np.asarray(Image.open(p).convert("RGB"))) for s, p in kept if s <= self.card["step"]]


def find(name: str | Path) -> Run:
    """A run by its folder, or a published one by its name.

    Raises:
        CourseError: there is no such run.
    """
    if not Path(name).exists() and str(name) in published():
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


def _open_or_start(
    recipe: Recipe, image_set: ImageSet, folder: Path, seed: int, resume: bool, device: torch.device
) -> tuple[GAN, dict]:
    data = {
        "name": image_set.name,
        "split": image_set.split,
        "images": len(image_set),
        "pixel_sum": int(image_set.images.sum(dtype=torch.int64)),  # tells two sets of one size apart
    }
    if (folder / "checkpoint.safetensors").exists():
        if not resume:
            raise CourseError(f"{folder} already holds a run: go on with --resume, or choose another folder")
        run = Run(folder)
        gan = checkpoint.load(folder / "checkpoint.safetensors", recipe, device)
        for what, there, here in (("seed", gan.seed, seed), ("data", run.card["data"], data)):
            if there != here:
                raise CourseError(
                    f"{folder} was trained with {what} {there}, not {here}: use the same, or a new folder"
                )
        return gan, run.card
    card = {
        "recipe": recipe.as_dict(),
        "seed": seed,
        "data": data,
        "device": device_name(device),
        "versions": {
            "gan_course": gan_course.__version__,
            "torch": torch.__version__,
            "python": platform.python_version(),
        },
        "date": date.today().isoformat(),
        "seconds": 0.0,
    }
    return GAN(recipe, seed, device), card


def device_name(device: torch.device) -> str:
    """The device in words, for evidence headers: the GPU's name, or how many CPU threads compute."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"CPU, {torch.get_num_threads()} threads"


def _draw(gan: GAN, folder: Path) -> None:
    picture = mosaic.encode_png(mosaic.tile(gan.draw()))
    files.write_atomically(folder / "frames" / f"step_{gan.step:07d}.png", picture)


def _write_card(folder: Path, card: dict) -> None:
    files.write_atomically(folder / "run.json", (json.dumps(card, indent=1) + "\n").encode())
