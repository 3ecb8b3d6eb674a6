"""The loop everybody writes first, and what makes it fast, one change at a time.

Without any change this is the loop of PyTorch's DCGAN tutorial, of the MNIST notes and of the FashionMNIST report,
whichever recipe it is given: a DataLoader over pictures, Sigmoid and binary cross-entropy, a backward pass for the
real and one for the generated half, numbers fetched from the device in every iteration. Every change leaves the
arithmetic as it is, so all rungs compute the same losses and scores up to rounding; a test holds them to it.
"""

from collections.abc import Iterator
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

TEXTBOOK = "textbook loop"
RESIDENT, READ_LATE, LOGITS, FROZEN, CHANNELS_LAST, FUSED = CHANGES = (
    "images on the device, as bytes",  # a batch is one indexing, scaled there
    "telemetry read every 50 steps",  # it stays on the device until then
    "losses on logits",  # the loss applies the sigmoid itself
    "D frozen in G's step",  # its weights want no gradients there
    "channels last",  # the channels of a pixel lie side by side in memory
    "fused Adam",  # all weights in one operation
)
READ_EVERY = 50  # steps, where telemetry is read late
CELEBA = 178, 218  # pixels of its photographs, width and height


def rungs(recipe: Recipe) -> dict[str, frozenset[str]]:
    """Name -> changes of each rung, from none to all; what changes nothing for this recipe is left out."""
    without_effect = set()
    if recipe.objective == "least-squares":
        without_effect.add(LOGITS)  # it has no sigmoid anywhere
    if recipe.network == "mlp":
        without_effect.add(CHANNELS_LAST)  # it has no channels
    found = {TEXTBOOK: frozenset()}
    for change in CHANGES:
        if change not in without_effect:
            found[change] = list(found.values())[-1] | {change}
    return found


class Loop:
    """A training run that any of the changes can be made to.

    Attributes:
        gan: the run, for its networks, latents and recipe.
        images: real images seen.
        telemetry: a row a step: D's loss, its scores of real and generated images, then G's loss and score.
    """

    def __init__(
        self,
        recipe: Recipe,
        images: Tensor,
        changes: frozenset[str] = frozenset(),
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
        self.changes, self.gan, self.images = changes, GAN(recipe, seed, device), 0
        layout = torch.channels_last if CHANNELS_LAST in changes else torch.contiguous_format
        for network in (self.gan.G, self.gan.D):
            network.to(memory_format=layout)
        adam = {"betas": recipe.betas, "fused": FUSED in changes}
        self.opt_g = torch.optim.Adam(self.gan.G.parameters(), recipe.lr_g, **adam)
        self.opt_d = torch.optim.Adam(self.gan.D.parameters(), recipe.lr_d, **adam)
        self.telemetry: list[tuple[float, ...]] = []
        self._waiting: list[list[Tensor]] = []
        order = torch.Generator().manual_seed(seed)
        if RESIDENT in changes:
            self._batches = self._indexed(images, order)
        else:
            self._batches = self._loaded(pictures or Pictures(images), order, workers)

    def run(self, steps: int) -> None:
        """Train for a number of steps."""
        for _ in range(steps):
            self.step(next(self._batches))

    def _indexed(self, images: Tensor, order: torch.Generator) -> Iterator[Tensor]:
        images, batch = images.to(self.gan.device), self.gan.recipe.batch
        while True:
            permutation = torch.randperm(len(images), generator=order).to(images.device)
            for i in range(0, len(images) - batch + 1, batch):
                yield data.to_signed(images[permutation[i : i + batch]])

    def _loaded(self, pictures: Dataset, order: torch.Generator, workers: int) -> Iterator[Tensor]:
        loader = DataLoader(
            pictures,
            self.gan.recipe.batch,
            sampler=RandomSampler(pictures, generator=order),
            num_workers=workers,
            drop_last=True,
            persistent_workers=workers > 0,
        )
        while True:
            for real, _ in loader:
                yield real.to(self.gan.device)

    def loss(self, logits: Tensor, label: float) -> Tensor:
        """The recipe's loss against one label."""
        labels = torch.full_like(logits, label)
        if self.gan.recipe.objective == "least-squares":
            return F.mse_loss(logits, labels)
        if LOGITS in self.changes:
            return F.binary_cross_entropy_with_logits(logits, labels)
        return F.binary_cross_entropy(torch.sigmoid(logits), labels)

    def step(self, real: Tensor) -> None:
        """One step of D and, where it is G's turn, one of G. `real` is [N, C, H, W] in [-1, 1]."""
        G, D, recipe = self.gan.G, self.gan.D, self.gan.recipe
        if CHANNELS_LAST in self.changes:
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
            D.requires_grad_(FROZEN not in self.changes)
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
        if READ_LATE not in self.changes:
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
    size, half = images.shape[-1], (0.5, 0.5, 0.5)
    transform = Compose([Resize(size), CenterCrop(size), ToTensor(), Normalize(half, half)])
    found = ImageFolder(folder.name, transform)
    found.folder = folder  # removed with the set
    return found
