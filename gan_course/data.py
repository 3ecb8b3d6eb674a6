"""Image sets: found, verified, decoded once, held as one uint8 tensor on the training device.

`load` looks in this order and says in `ImageSet.source` which it used:

1. the folder given as `path`,
2. the folder in the environment variable `GAN_COURSE_DATA`,
3. the cache (`files.cache_dir`),
4. the set's published mirrors, downloaded into the cache,
5. the embedded subset that comes with the course.

A folder that was named (1, 2) must hold the set: nothing else is taken silently in its place. At profile
`ci` steps 3 and 4 are left out, so that a check reads the same images on every machine.
`GAN_COURSE_OFFLINE=1` leaves out step 4.
"""

import gzip
import os
from dataclasses import dataclass, field
from pathlib import Path

import torch

from gan_course import download as net
from gan_course import embedded, files, profiles
from gan_course.catalogue import SETS, SPLITS, Entry
from gan_course.errors import CourseError


@dataclass(frozen=True, eq=False)
class ImageSet:
    """One split of a set, decoded.

    Attributes:
        name: `mnist` or `fashion-mnist`.
        split: `train` or `test`.
        images: uint8 [N, C, H, W], 0 to 255; here C = 1 and H = W = 28.
        labels: int64 [N] on the same device, indices into `classes`.
        classes: the class names.
        source: one sentence: how many images these are and where they were found.
    """

    name: str
    split: str
    images: torch.Tensor = field(repr=False)
    labels: torch.Tensor = field(repr=False)
    classes: tuple[str, ...]
    source: str

    def __len__(self) -> int:
        return len(self.images)


def load(
    name: str,
    split: str = "train",
    *,
    path: str | Path | None = None,
    device: str | torch.device = "cpu",
    download: bool = True,
) -> ImageSet:
    """Find one split of a set, verify it and put it on `device`.

    Args:
        name: a key of `SETS`: `mnist` or `fashion-mnist`.
        split: `train` or `test`.
        path: a folder in torchvision's layout (PATH/MNIST/raw/train-images-idx3-ubyte, or the same
            with .gz), or that MNIST or raw folder itself.
        device: where the tensors are put.
        download: whether a set that is not on this machine may be fetched.

    Raises:
        CourseError: no such set or split; the folder named holds no such set, or a file in it is
            truncated, damaged or unreadable; the cache has no room.
    """
    entry = get(name)
    if split not in SPLITS:
        raise CourseError(f"unknown split {split!r}: it is one of {', '.join(SPLITS)}")
    if path is not None:
        return _whole(entry, split, path, "the folder given as path", device)
    if named := os.environ.get("GAN_COURSE_DATA"):
        return _whole(entry, split, named, "the folder in GAN_COURSE_DATA", device)
    if profiles.current().name == "ci":
        return _subset(entry, split, "profile ci reads no other", device)

    cache, damaged = files.cache_dir(), ""
    if _raw_folder(entry, cache) is not None:
        try:
            return _whole(entry, split, cache, "the cache", device)
        except CourseError:  # the cache is ours to mend: what is missing or damaged is fetched once more
            damaged = "the copy in the cache is incomplete or damaged and "
    if not download or offline():
        return _subset(entry, split, damaged + "downloading is switched off", device)
    try:
        fetch(name)
    except net.NoDownload as error:
        return _subset(entry, split, f"{damaged}the download did not work: {error}", device)
    return _whole(entry, split, cache, "the cache, freshly downloaded", device)


def to_signed(images: torch.Tensor) -> torch.Tensor:
    """uint8 images 0 to 255 of any shape -> float32 in [-1, 1], the range of a generator's tanh.

    Raises:
        CourseError: the images are not uint8, so probably scaled already.
    """
    if images.dtype != torch.uint8:
        raise CourseError(
            f"to_signed takes uint8 images (0 to 255), not {images.dtype}: are they scaled already?"
        )
    return images.float().div_(127.5).sub_(1.0)


def to_uint8(images: torch.Tensor) -> torch.Tensor:
    """Floating-point images in [-1, 1] of any shape -> uint8, rounded; values outside are clamped.

    Raises:
        CourseError: the images are not floating-point numbers.
    """
    if not images.is_floating_point():
        raise CourseError(f"to_uint8 takes floating-point images in [-1, 1], not {images.dtype}")
    return images.float().add(1.0).mul_(127.5).round_().clamp_(0, 255).to(torch.uint8)


def get(name: str) -> Entry:
    """The registry's entry for a set.

    Raises:
        CourseError: there is no such set.
    """
    if name not in SETS:
        raise CourseError(f"unknown data set {name!r}: it is one of {', '.join(SETS)}")
    return SETS[name]


def fetch(name: str) -> Path:
    """Download what the cache lacks of a set, both splits, and return its raw folder.

    Files that are there and whole are left alone. The mirrors and the md5 sums are torchvision's.

    Raises:
        download.NoDownload: no mirror delivered; what had arrived is resumed the next time.
        CourseError: there is no room in the cache, or it cannot be written to.
    """
    entry = get(name)
    raw = files.cache_dir() / entry.folder / "raw"
    mirrors, md5 = entry.mirrors()
    for file in entry.sha256:
        try:
            entry.verified(raw / file)
            continue
        except CourseError:
            pass
        urls = [mirror + file + ".gz" for mirror in mirrors]
        try:
            packed = net.fetch(urls, raw / f"{file}.gz.part", md5[file + ".gz"])
            files.write_atomically(raw / file, gzip.decompress(packed))
        except net.NoDownload:
            raise
        except CourseError as error:
            advice = "GAN_COURSE_CACHE chooses another folder, GAN_COURSE_OFFLINE=1 takes the embedded images"
            raise CourseError(f"{error}; {advice}") from error
    return raw


def describe(name: str, path: str | Path | None = None) -> list[tuple[str, str]]:
    """(place, what was found there) for each place `load` looks in, in its order. Fetches nothing."""
    entry = get(name)
    named, cache = os.environ.get("GAN_COURSE_DATA"), files.cache_dir()
    left_out = " (not used at profile ci)" if profiles.current().name == "ci" else ""
    cached = _found(entry, cache) if _raw_folder(entry, cache) else f"nothing yet in {cache}"
    mirrors = "switched off by GAN_COURSE_OFFLINE" if offline() else ", ".join(entry.mirrors()[0])
    try:
        counts = [f"{len(embedded.read(name, split)[1]):,} {SPLITS[split][1]}" for split in SPLITS]
        subset = f"{' and '.join(counts)} images that come with the course"
    except CourseError as error:
        subset = str(error)
    return [
        *([] if path is None else [("path", _found(entry, path))]),
        ("GAN_COURSE_DATA", _found(entry, named) if named else "not set"),
        ("cache", cached + left_out),
        ("download", mirrors + left_out),
        ("embedded", subset),
    ]


def offline() -> bool:
    """Whether GAN_COURSE_OFFLINE forbids downloading (any value but 0)."""
    return os.environ.get("GAN_COURSE_OFFLINE", "0") not in ("", "0")


def _found(entry: Entry, folder: str | Path) -> str:
    try:
        for split in SPLITS:
            _whole(entry, split, folder, "it", "cpu")
    except CourseError as error:
        return str(error)
    counts = " and ".join(f"{entry.counts[split]:,} {noun}" for split, (_, noun) in SPLITS.items())
    return f"all {counts} images, verified, in {_raw_folder(entry, folder)}"


def _whole(entry: Entry, split: str, folder: str | Path, place: str, device: str | torch.device) -> ImageSet:
    """The whole split from a folder that must hold it."""
    raw = _raw_folder(entry, folder)
    if raw is None:
        wanted = Path(entry.folder, "raw", f"{SPLITS[split][0]}-images-idx3-ubyte")
        raise CourseError(
            f"no {entry.name} in {place}: {_state(Path(folder).expanduser())}; "
            f"{wanted} (or .gz) was looked for there, and a folder that holds it would work"
        )
    images, labels = entry.read(split, raw)
    source = f"All {len(images):,} {SPLITS[split][1]} images of {entry.title}, from {place}."
    return ImageSet(entry.name, split, images.to(device), labels.to(device), entry.classes, source)


def _subset(entry: Entry, split: str, reason: str, device: str | torch.device) -> ImageSet:
    """The embedded part of a split, and why it is not the whole."""
    pixels, labels = embedded.read(entry.name, split)
    network = "" if profiles.current().name == "ci" else " or load it once with a network"
    source = (
        f"{len(labels):,} of the {entry.counts[split]:,} {SPLITS[split][1]} images of {entry.title}, "
        f"the subset that comes with the course, because {reason}; for all of them, set GAN_COURSE_DATA to a "
        f"folder that holds the set{network}."
    )
    images = torch.from_numpy(pixels)[:, None].to(device)
    labels = torch.from_numpy(labels).to(device)
    return ImageSet(entry.name, split, images, labels, entry.classes, source)


def _raw_folder(entry: Entry, folder: str | Path) -> Path | None:
    """The folder of the idx files: below `folder`, or `folder` itself; None if there is none of them."""
    folder = Path(folder).expanduser()
    for raw in (folder / entry.folder / "raw", folder / "raw", folder):
        if any(os.path.exists(raw / f"{file}{end}") for file in entry.sha256 for end in ("", ".gz")):
            return raw
    return None


def _state(folder: Path) -> str:
    """In words, what is at `folder`."""
    try:
        held = sorted(os.listdir(folder))
    except FileNotFoundError:
        return f"{folder} does not exist"
    except OSError as error:
        return f"{folder} cannot be read ({error.strerror})"
    if not held:
        return f"{folder} is empty"
    return f"{folder} holds {', '.join(held[:4])}{' …' if len(held) > 4 else ''}"
