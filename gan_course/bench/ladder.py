"""The loop everybody writes first, and what makes it fast, one trick at a time.

Without any trick this is the loop of PyTorch's DCGAN tutorial, of the MNIST notes and of the FashionMNIST report,
whichever recipe it is given: a DataLoader over pictures, Sigmoid and binary cross-entropy, a backward pass for the
real and one for the generated half, numbers fetched from the device in every iteration. Every trick leaves the
arithmetic as it is, so all rungs compute the same losses and scores up to rounding; a test holds them to it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset, RandomSampler
from torchvision.datasets import ImageFolder
from torchvision.transforms import CenterCrop, Compose, Normalize, Resize, ToTensor

from gan_course import data
from gan_course.gan import GAN
from gan_course.recipes import Recipe

READ_EVERY = 50  # steps, where telemetry is read late
CELEBA = 178, 218  # pixels of its photographs, width and height


@dataclass(frozen=True)
class Tricks:
    """What is switched on. The order of the fields is the order of the rungs.

    Attributes:
        resident: all images lie on the device as uint8; a batch is one indexing, scaled there.
        read_late: telemetry stays on the device and is read every `READ_EVERY` steps.
        logits: the loss takes D's logits and applies the sigmoid itself.
        frozen: D's weights want no gradients during G's step.
        channels_last: the channels of a pixel lie side by side in memory.
        fused: Adam updates all weights in one operation.
    """

    resident: bool = False
    read_late: bool = False
    logits: bool = False
    frozen: bool = False
    channels_last: bool = False
    fused: bool = False


NAMES = {
    "resident": "images on the device, as bytes",
    "read_late": "telemetry read every 50 steps",
    "logits": "losses on logits",
    "frozen": "D frozen in G's step",
    "channels_last": "channels last",
    "fused": "fused Adam",
}


def rungs(recipe: Recipe) -> dict[str, Tricks]:
    """Name -> tricks of each rung, from none to all; what changes nothing for this recipe is left out."""
    left_out = set()
    if recipe.objective == "least-squares":
        left_out.add("logits")  # it has no sigmoid anywhere
    if recipe.network == "mlp":
        left_out.add("channels_last")  # it has no channels
    found, tricks = {"as published": Tricks()}, Tricks()
    for name in (field.name for field in fields(Tricks) if field.name not in left_out):
        tricks = replace(tricks, **{name: True})
        found[NAMES[name]] = tricks
    return found


class Loop:
    """A training run that any of the tricks can be switched on for.

    Attributes:
        gan: the run; its networks and optimisers are those that are trained.
        images: real images seen.
    """

    def __init__(
        self,
        recipe: Recipe,
        images: Tensor,
        tricks: Tricks,
        seed: int = 0,
        device: torch.device | str = "cpu",
        workers: int = 0,
        pictures: Dataset | None = None,
    ):
        """
        Args:
            images: uint8 [N, C, H, W].
            pictures: the same for a DataLoader, where the images are not resident; by default `Pictures(images)`.
            workers: processes that load pictures, where the images are not resident.
        """
        self.recipe, self.tricks, self.gan = recipe, tricks, GAN(recipe, seed, device)
        self.device, self.images = self.gan.device, 0
        layout = torch.channels_last if tricks.channels_last else torch.contiguous_format
        for network in (self.gan.G, self.gan.D):
            network.to(memory_format=layout)
        adam = {"betas": recipe.betas, "fused": tricks.fused}
        self.opt_g = torch.optim.Adam(self.gan.G.parameters(), recipe.lr_g, **adam)
        self.opt_d = torch.optim.Adam(self.gan.D.parameters(), recipe.lr_d, **adam)
        self.telemetry: list[tuple[float, ...]] = []
        self._waiting: list[list[Tensor]] = []
        order = torch.Generator().manual_seed(seed)
        self._batches = (
            self._indexed(images, order)
            if tricks.resident
            else self._loaded(pictures or Pictures(images), order, workers)
        )

    def run(self, steps: int) -> None:
        """Train for a number of steps."""
        for _ in range(steps):
            self.step(next(self._batches))

    def _indexed(self, images: Tensor, order: torch.Generator) -> Iterator[Tensor]:
        images, batch = images.to(self.device), self.recipe.batch
        while True:
            permutation = torch.randperm(len(images), generator=order).to(self.device)
            for i in range(0, len(images) - batch + 1, batch):
                yield data.to_signed(images[permutation[i : i + batch]])

    def _loaded(self, pictures: Dataset, order: torch.Generator, workers: int) -> Iterator[Tensor]:
        loader = DataLoader(
            pictures,
            self.recipe.batch,
            sampler=RandomSampler(pictures, generator=order),
            num_workers=workers,
            drop_last=True,
            persistent_workers=workers > 0,
        )
        while True:
            for real, _ in loader:
                yield real.to(self.device)

    def loss(self, logits: Tensor, label: float) -> Tensor:
        """The recipe's loss against one label."""
        labels = torch.full_like(logits, label)
        if self.recipe.objective == "least-squares":
            return F.mse_loss(logits, labels)
        if self.tricks.logits:
            return F.binary_cross_entropy_with_logits(logits, labels)
        return F.binary_cross_entropy(torch.sigmoid(logits), labels)

    def step(self, real: Tensor) -> None:
        """One step of D and, where it is G's turn, one of G. `real` is [N, C, H, W] in [-1, 1]."""
        G, D, recipe = self.gan.G, self.gan.D, self.recipe
        if self.tricks.channels_last:
            real = real.contiguous(memory_format=torch.channels_last)
        self.opt_d.zero_grad()
        real_logits = D(real)
        loss_real = self.loss(real_logits, recipe.real_label)
        loss_real.backward()
        fake = G(self.gan.latents(len(real)))
        fake_logits = D(fake.detach())
        loss_fake = self.loss(fake_logits, recipe.fake_label)
        loss_fake.backward()
        self.opt_d.step()
        read = [loss_real + loss_fake, self._score(real_logits), self._score(fake_logits)]

        if self.gan.step % recipe.g_every == 0:
            D.requires_grad_(not self.tricks.frozen)
            if recipe.fresh_noise:
                fake = G(self.gan.latents(len(real)))
            fake_logits = D(fake)
            loss_g = self.loss(fake_logits, 1.0)
            self.opt_g.zero_grad()
            loss_g.backward()
            self.opt_g.step()
            D.requires_grad_(True)
            read += [loss_g, self._score(fake_logits)]
        self.gan.step += 1
        self.images += len(real)
        self._read(read)

    def _score(self, logits: Tensor) -> Tensor:
        return self.gan.objective.score(logits.detach()).mean()

    def _read(self, values: list[Tensor]) -> None:
        if not self.tricks.read_late:
            self.telemetry.append(tuple(value.item() for value in values))
            return
        self._waiting.append([value.detach() for value in values])
        if len(self._waiting) == READ_EVERY:
            numbers = iter(torch.stack([value for row in self._waiting for value in row]).tolist())
            self.telemetry += [tuple(islice(numbers, len(row))) for row in self._waiting]
            self._waiting.clear()


class Pictures(Dataset):
    """Images as Pillow pictures that are turned into tensors one by one, as torchvision's sets do it."""

    def __init__(self, images: Tensor):
        self.pixels = images.permute(0, 2, 3, 1).cpu().numpy()  # [N, H, W, C]
        half = (0.5,) * images.shape[1]
        self.transform = Compose([ToTensor(), Normalize(half, half)])

    def __len__(self) -> int:
        return len(self.pixels)

    def __getitem__(self, i: int) -> tuple[Tensor, int]:
        pixels = self.pixels[i]
        return self.transform(Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)), 0


def photographs(images: Tensor) -> Dataset:
    """Images as a folder of JPEG files of CelebA's size, read and scaled down by torchvision as in the tutorial.

    Args:
        images: uint8 [N, 3, size, size].
    """
    folder = TemporaryDirectory(prefix="gan-course-bench-")
    (Path(folder.name) / "all").mkdir()
    for i, pixels in enumerate(images.permute(0, 2, 3, 1).cpu().numpy()):
        picture = Image.fromarray(pixels).resize(CELEBA, Image.Resampling.BICUBIC)
        picture.save(Path(folder.name, "all", f"{i:06d}.jpg"), quality=95)
    size = images.shape[-1]
    half = (0.5, 0.5, 0.5)
    found = ImageFolder(
        folder.name, Compose([Resize(size), CenterCrop(size), ToTensor(), Normalize(half, half)])
    )
    found.folder = folder  # removed with the set
    return found
