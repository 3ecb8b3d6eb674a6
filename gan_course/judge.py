"""A classifier of real images that judges generated ones: how sure it is, what it sees, in which features.

The idea is the inception score's (Salimans et al. 2016, section 4), with a small network trained on the
set itself. A good generator makes images that the judge calls with confidence (each image is clearly
something) and calls in the proportions of the real set (nothing is missing). The judge only knows its
classes: a sure verdict is no proof of a good picture, an unsure one is a sign of a bad one.

A lesson may train its own (`train`). For numbers that two people can compare, one of each set comes with the course
(`load`), with a version: a number in its features is "Fréchet distance, judge 1", never the published FID.
"""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_course import checkpoint, data, files, snapshots
from gan_course.data import ImageSet
from gan_course.errors import CourseError, whole

VERSION = 1  # of the judges that come with the course; another one makes numbers that cannot be compared
FORMAT = 1  # of their files
CHUNK = 1_000  # images a forward pass


class Judge(nn.Sequential):
    """Images [N, C, H, W] in [-1, 1] -> one logit a class (or an attribute), [N, classes].

    Args:
        widths: channels after each halving of the picture, whose sides they must divide by 2 so often.

    Attributes:
        names: what it sees, by output; () where nobody said.
        attributes: whether its outputs are attributes (each there or not) instead of classes (one of them).
    """

    def __init__(self, channels: int, size: int, classes: int, widths: tuple[int, ...] = (16, 32)):
        self.size, self.classes = size, classes
        self.names: tuple[str, ...] = ()
        self.attributes = False
        layers = []
        for before, after in zip((channels, *widths), widths, strict=False):
            layers += [nn.Conv2d(before, after, 5, 2, 2), nn.BatchNorm2d(after), nn.ReLU()]
        super().__init__(
            *layers,
            nn.Flatten(),
            nn.Dropout(0.3),
            nn.Linear(widths[-1] * (size // 2 ** len(widths)) ** 2, 128),
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


def train(
    images: ImageSet,
    epochs: int = 2,
    seed: int = 0,
    batch: int = 128,
    widths: tuple[int, ...] = (16, 32),
    attributes: bool = False,
) -> Judge:
    """A judge trained on labelled real images, in evaluation mode, on their device.

    Args:
        images: the training split of a labelled set.
        epochs: passes over it; two give 98 to 99 % of MNIST's test images.
        seed: decides its first weights, the order of the images and its dropout.
        widths: see `Judge`.
        attributes: whether it learns the set's attributes instead of its classes.

    Raises:
        CourseError: no passes, or fewer images than a batch.
    """
    epochs, seed, batch = whole(epochs, "epochs", 1), whole(seed, "seed"), whole(batch, "batch", 1)
    if len(images) < batch:
        raise CourseError(f"{len(images)} images: at least a batch of {batch} works")
    device = images.images.device
    names = images.attribute_names if attributes else images.classes
    truth = images.attributes.float().to(device) if attributes else images.labels
    objective = F.binary_cross_entropy_with_logits if attributes else F.cross_entropy
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        judge = Judge(images.images.shape[1], images.images.shape[2], len(names), widths).to(device).train()
        judge.names, judge.attributes = tuple(names), attributes
        steps = len(images) // batch * epochs
        adam = torch.optim.Adam(judge.parameters(), 2e-3, fused=True)
        warm = torch.optim.lr_scheduler.OneCycleLR(adam, 5e-3, steps)
        for _ in range(epochs):
            for rows in torch.randperm(len(images)).split(batch)[: len(images) // batch]:
                rows = rows.to(device)
                loss = objective(judge(data.to_signed(images.images[rows])), truth[rows])
                adam.zero_grad()
                loss.backward()
                adam.step()
                warm.step()
    return judge.eval()


@torch.no_grad()
def look(judge: Judge, images: Tensor) -> tuple[Tensor, Tensor]:
    """What a judge makes of images, uint8 [N, C, H, W], on the CPU: features [N, 128] and logits [N, classes].

    The features are what its last layer reads, 0 or more. Images of another size are scaled to the judge's.

    Raises:
        CourseError: it knows pictures of another number of channels.
    """
    first, device, found = judge[0], judge[0].weight.device, []
    if images.shape[1] != first.in_channels:
        colours = {1: "in grey", 3: "in colour"}[first.in_channels]
        raise CourseError(f"pictures of {images.shape[1]} channels: this judge knows pictures {colours}")
    for part in images.split(CHUNK):
        x = data.to_signed(part.to(device))
        if x.shape[2:] != (judge.size, judge.size):
            x = F.interpolate(x, (judge.size, judge.size), mode="bilinear", antialias=True)
        for layer in list(judge)[:-1]:
            x = layer(x)
        found.append((x.cpu(), judge[-1](x).cpu()))
    features, logits = zip(*found, strict=True)
    return torch.cat(features), torch.cat(logits)


def shares(judge: Judge, logits: Tensor) -> Tensor:
    """The share of pictures in which each class or attribute is seen, [classes], from a judge's logits of them."""
    if judge.attributes:
        return (logits > 0).float().mean(0)
    return torch.bincount(logits.argmax(1), minlength=judge.classes) / len(logits)


def verdict(judge: Judge, images: Tensor) -> Verdict:
    """Let a judge of classes look at images, uint8 [N, C, H, W]."""
    confidence, seen = look(judge, images)[1].softmax(1).max(1)
    return Verdict(seen, confidence, torch.bincount(seen, minlength=judge.classes) / len(seen))


def accuracy(judge: Judge, images: ImageSet) -> float:
    """Share of a labelled set's images whose class the judge sees rightly; of its attributes, where it sees those."""
    logits = look(judge, images.images)[1]
    if judge.attributes:
        return ((logits > 0) == images.attributes).float().mean().item()
    return (logits.argmax(1) == images.labels.cpu()).float().mean().item()


def load(name: str, device: str | torch.device = "cpu") -> Judge:
    """The judge of a set that comes with the course, version `VERSION`.

    Its features are scaled so that their root mean square over the training images is 1.

    Args:
        name: `mnist`, `fashion-mnist` or `drawn-faces`.

    Raises:
        CourseError: there is none of that set.
    """
    if name not in (known := shipped()):
        raise CourseError(f"no judge of {name!r} comes with the course: there are those of {', '.join(known)}")
    header, packed = checkpoint.read(path(name), FORMAT)
    judge = Judge(header["channels"], header["size"], len(header["names"]), tuple(header["widths"]))
    judge.names, judge.attributes = tuple(header["names"]), header["attributes"]
    judge.load_state_dict(snapshots.unpack(packed))
    return judge.to(device).requires_grad_(False).eval()


def shipped() -> list[str]:
    """The sets whose judge comes with the course."""
    end = f"-{VERSION}.safetensors"
    return sorted(path.name.removesuffix(end) for path in (files.assets_dir() / "judges").glob(f"*{end}"))


def save(judge: Judge, name: str) -> None:
    """Keep a judge among the course's assets, in 8 bits, as version `VERSION` of the judge of a set."""
    header = {
        "format": FORMAT,
        "names": judge.names,
        "attributes": judge.attributes,
        "channels": judge[0].in_channels,
        "size": judge.size,
        "widths": [layer.out_channels for layer in judge if isinstance(layer, nn.Conv2d)],
    }
    checkpoint.write(path(name), header, snapshots.pack(judge.state_dict()))


def path(name: str) -> Path:
    """Where the judge of a set lies among the assets."""
    return files.assets_dir() / "judges" / f"{name}-{VERSION}.safetensors"
