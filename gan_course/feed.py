"""Where the training images lie during a run, and how the next batch comes to the device.

Images that fit on the device are put there as bytes, once, and a batch is one indexing. A set that is larger
than the memory stays where it is, memory-mapped, and a thread gathers the next batch while this one trains.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import torch
from torch import Tensor

from gan_course import data
from gan_course.memory import free_memory

SHARE = 0.6  # of the free memory may be images; the rest is for the networks' activations


class Feed:
    """The images of a run, on their way to the device.

    Attributes:
        images: uint8 [N, C, H, W], on the device where they fit.
        resident: whether they do.
        about: in words, what was decided and why.
    """

    def __init__(self, images: Tensor, device: torch.device, free: int | None = None):
        """
        Args:
            free: bytes of the device's memory that may be used; measured by default.
        """
        free = free_memory(device) if free is None else free
        self.device = device
        # What lies on a CPU is used in place: a set that fits stays in the system's cache once it was read.
        self.resident = images.is_cuda or images.nbytes <= SHARE * free
        self.images = images.to(device) if self.resident else images
        size, room = f"{images.nbytes / 1e9:.1f} GB of images", f"{free / 1e9:.1f} GB free"
        self.about = (
            f"{size} on {device.type} ({room})"
            if self.resident
            else f"{size} stay where they are, gathered batch by batch ahead of training ({room} on {device.type})"
        )

    def batches(self, rows: Tensor) -> Iterator[Tensor]:
        """The batches of one stretch of training, in order.

        Args:
            rows: indices of the images, int64 [steps, batch], on the CPU.

        Yields:
            float32 [batch, C, H, W] in [-1, 1] on the device.
        """
        if self.resident:
            for indices in rows.to(self.device):
                yield data.to_signed(self.images[indices])
            return
        with ThreadPoolExecutor(1) as beside:
            waiting = beside.submit(self._gather, rows[0])
            for following in (*rows[1:], None):
                batch = waiting.result()
                if following is not None:
                    waiting = beside.submit(self._gather, following)
                yield data.to_signed(batch.to(self.device, non_blocking=True))

    def _gather(self, indices: Tensor) -> Tensor:
        batch = self.images[indices.to(self.images.device)]
        return batch.pin_memory() if self.device.type == "cuda" else batch
