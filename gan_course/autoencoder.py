"""A GAN's discriminator at work in another model: an autoencoder of drawn faces, with and without a patch critic.

An autoencoder squeezes a picture into a few numbers and paints it again from them. Where the numbers do not say what
was there, the least error in pixels is the mean of all that could have been: blur. A critic that judges patches
(Isola et al. 2017, arXiv:1611.07004, section 3.2) does not let blur pass. That is the middle of VQGAN (Esser et al.
2021, arXiv:2012.09841), without its codebook and its loss in a classifier's features.
"""

import json
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_course import data, files, judge, metrics, networks, studies, terminal
from gan_course.losses import d_hinge, g_raise_score

CODE = 4  # channels of the code, an eighth of the picture's side
CRITIC = 0.01  # weight of the critic's verdict beside the mean squared difference of the pixels, where there is one
KEPT = "textures.json"  # among the assets: what `notebooks/tools/textures.py` measured


def normalised(channels_in: int, channels_out: int) -> list[nn.Module]:
    """3 x 3 convolution, BatchNorm, ReLU: other channels, the same size."""
    return [
        nn.Conv2d(channels_in, channels_out, 3, 1, 1, bias=False),
        nn.BatchNorm2d(channels_out),
        nn.ReLU(inplace=True),
    ]


class Autoencoder(nn.Module):
    """Pictures [N, 3, S, S] in [-1, 1] -> code [N, 4, S/8, S/8] -> pictures: 48 numbers become one.

    It enlarges and convolves: the grid that transposed convolutions leave (lesson 04) would be taken for sharpness.

    Args:
        width: channels of the first layer.
    """

    def __init__(self, width: int = 16):
        super().__init__()
        n, Down = width, networks.Down
        self.encoder = nn.Sequential(
            Down(3, n, norm=False),  # S/2
            Down(n, 2 * n),  # S/4
            Down(2 * n, 4 * n),  # S/8
            nn.Conv2d(4 * n, CODE, 1),
        )
        self.decoder = nn.Sequential(
            *normalised(CODE, 4 * n),
            nn.Upsample(scale_factor=2),
            *normalised(4 * n, 2 * n),  # S/4
            nn.Upsample(scale_factor=2),
            *normalised(2 * n, n),  # S/2
            nn.Upsample(scale_factor=2),
            nn.Conv2d(n, 3, 3, 1, 1),
            nn.Tanh(),
        )

    def forward(self, images: Tensor) -> Tensor:
        return self.decoder(self.encoder(images))


def patch_critic(width: int = 16) -> networks.Discriminator:
    """A discriminator whose every logit sees a patch of 22 × 22 pixels only; a picture's is their mean."""
    n, Down = width, networks.Down
    return networks.Discriminator(
        nn.Sequential(Down(3, n, norm=False), Down(n, 2 * n), nn.Conv2d(2 * n, 1, 4, 1, 1))
    )


@dataclass(frozen=True)
class Rebuilt:
    """An autoencoder in numbers, on pictures it has not learned from.

    Attributes:
        error: root of the mean squared difference of the pixels, in grey levels of 255.
        sharpness: `studies.sharpness` of the pictures painted again over that of the originals.
        distance: Fréchet distance between both in the judge's features.
    """

    error: float
    sharpness: float
    distance: float


@torch.enable_grad()
def train(
    faces: Tensor, weight: float, *, images: int, seed: int = 0, width: int = 16, batch: int = 16, progress: bool = True
) -> Autoencoder:
    """An autoencoder that has learned from faces, uint8 [N, 3, S, S] on any device; in evaluation mode.

    Args:
        weight: of the critic's verdict beside the mean squared difference of the pixels; 0: no critic.
        images: how many it sees.
    """
    device, dice = faces.device, torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        painter, critic = Autoencoder(width), patch_critic(width)
    networks.initialise(painter, "pytorch", dice)
    networks.initialise(critic, "pytorch", dice)
    painter.to(device), critic.to(device)
    adams = [torch.optim.Adam(network.parameters(), 1e-3, (0.5, 0.99)) for network in (painter, critic)]
    # To a rate of 0 at the end: what noise the last steps would leave in the pictures is no texture.
    slowing = [torch.optim.lr_scheduler.CosineAnnealingLR(adam, max(1, images // batch)) for adam in adams]
    for _ in terminal.bar(iterable=range(images // batch), desc="autoencoder", unit=" steps", disable=not progress):
        real = data.to_signed(faces[torch.randint(len(faces), (batch,), generator=dice).to(device)])
        again = painter(real)
        loss = F.mse_loss(again, real)
        if weight:
            step(adams[1], d_hinge(critic.layers(real), critic.layers(again.detach())))
            loss = loss + weight * g_raise_score(critic.layers(again))  # every patch counts by itself
        step(adams[0], loss)
        for schedule in slowing[: 2 if weight else 1]:
            schedule.step()
    return painter.eval()


def step(adam: torch.optim.Optimizer, loss: Tensor) -> None:
    """One step of an optimiser down a loss."""
    adam.zero_grad()
    loss.backward()
    adam.step()


@torch.no_grad()
def again(painter: Autoencoder, faces: Tensor) -> Tensor:
    """Faces squeezed and painted again, uint8 on their device."""
    return torch.cat([data.to_uint8(painter(data.to_signed(some))) for some in faces.split(250)])


def measure(painter: Autoencoder, unseen: Tensor) -> Rebuilt:
    """How an autoencoder paints drawn faces that it has not learned from, uint8 [N, 3, S, S]."""
    painted = again(painter, unseen)
    expert = judge.load("drawn-faces", unseen.device)
    before, after = (judge.look(expert, images)[0] for images in (unseen, painted))
    return Rebuilt(
        error=(painted.float() - unseen.float()).square().mean().sqrt().item(),
        sharpness=(studies.sharpness(painted) / studies.sharpness(unseen)).item(),
        distance=metrics.frechet_distance(before, after),
    )


def kept() -> dict:
    """What was measured at length: `runs`, a list of weight, seed and the numbers of `Rebuilt`, and how it was made."""
    return json.loads((files.assets_dir() / "studies" / KEPT).read_text(encoding="utf-8"))
