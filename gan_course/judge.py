"""A classifier of real images that judges generated ones: how sure it is, and what it sees.

The idea is the inception score's (Salimans et al. 2016, section 4), with a small network trained on the
set itself. A good generator makes images that the judge calls with confidence (each image is clearly
something) and calls in the proportions of the real set (nothing is missing). The judge only knows its
classes: a sure verdict is no proof of a good picture, an unsure one is a sign of a bad one.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_course import data
from gan_course.data import ImageSet
from gan_course.errors import CourseError, whole


class Judge(nn.Sequential):
    """Images [N, C, H, W] in [-1, 1], H and W divisible by 4 -> one logit a class, [N, classes]."""

    def __init__(self, channels: int, size: int, classes: int):
        self.classes = classes
        super().__init__(
            nn.Conv2d(channels, 16, 5, 2, 2),
            nn.BatchNorm2d(16),
            nn.ReLU(),
            nn.Conv2d(16, 32, 5, 2, 2),
            nn.BatchNorm2d(32),
            nn.ReLU(),
            nn.Flatten(),
            nn.Dropout(0.3),
            nn.Linear(32 * (size // 4) ** 2, 128),
            nn.ReLU(),
            nn.Linear(128, classes),
        )


@dataclass(frozen=True, eq=False)
class Verdict:
    """What a judge says about a batch of images.

    Attributes:
        seen: the class it sees in each image, int64 [N].
        confidence: the probability it gives that class, float [N], from 1/classes to 1.
        shares: the share of the images it sees in each class, float [classes], adding up to 1.
    """

    seen: Tensor
    confidence: Tensor
    shares: Tensor

    @property
    def sure(self) -> float:
        """Share of the images whose class it gives at least 90 %."""
        return (self.confidence >= 0.9).float().mean().item()

    @property
    def balance(self) -> float:
        """Effective number of classes over all classes: exp(entropy of the shares) / classes, 1 if all are equal."""
        shares = self.shares[self.shares > 0]
        return (-(shares * shares.log()).sum()).exp().item() / len(self.shares)

    def line(self) -> str:
        """Confidence, sure share, balance and the rarest class, in one line."""
        return (
            f"confidence {self.confidence.mean():.3f}, {self.sure:.0%} sure, balance {self.balance:.2f}, "
            f"rarest class {self.shares.min():.1%}"
        )


def train(images: ImageSet, epochs: int = 2, seed: int = 0, batch: int = 128) -> Judge:
    """A judge trained on labelled real images, in evaluation mode, on their device.

    Args:
        images: the training split of a labelled set.
        epochs: passes over it; two give 98 to 99 % of MNIST's test images.
        seed: decides its first weights, the order of the images and its dropout.

    Raises:
        CourseError: no passes, or fewer images than a batch.
    """
    epochs, seed, batch = whole(epochs, "epochs", 1), whole(seed, "seed"), whole(batch, "batch", 1)
    if len(images) < batch:
        raise CourseError(f"{len(images)} images: at least a batch of {batch} works")
    device = images.images.device
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        judge = Judge(images.images.shape[1], images.images.shape[2], len(images.classes)).to(device).train()
        steps = len(images) // batch * epochs
        adam = torch.optim.Adam(judge.parameters(), 2e-3, fused=True)
        warm = torch.optim.lr_scheduler.OneCycleLR(adam, 5e-3, steps)
        for _ in range(epochs):
            for rows in torch.randperm(len(images)).split(batch)[: len(images) // batch]:
                rows = rows.to(device)
                loss = F.cross_entropy(judge(data.to_signed(images.images[rows])), images.labels[rows])
                adam.zero_grad()
                loss.backward()
                adam.step()
                warm.step()
    return judge.eval()


@torch.no_grad()
def verdict(judge: Judge, images: Tensor) -> Verdict:
    """Let a judge look at images, uint8 [N, C, H, W]."""
    device = next(judge.parameters()).device
    chances = torch.cat(
        [judge(data.to_signed(part.to(device))).softmax(1).cpu() for part in images.split(1_000)]
    )
    confidence, seen = chances.max(1)
    return Verdict(seen, confidence, torch.bincount(seen, minlength=judge.classes) / len(seen))


def accuracy(judge: Judge, images: ImageSet) -> float:
    """Share of a labelled set's images whose class the judge sees rightly."""
    return (verdict(judge, images.images).seen == images.labels.cpu()).float().mean().item()
