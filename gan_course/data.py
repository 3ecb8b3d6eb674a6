"""Image sets, by name: found, read, held as one uint8 tensor on the training device.

`load` looks in this order and says in `ImageSet.source` which it used:

1. the folder given as `path` (for photographs: a folder or zip of pictures),
2. for photographs, the folder or zip in GAN_COURSE_CELEBA,
3. the folder in the environment variable GAN_COURSE_DATA,
4. the cache (`files.cache_dir`),
5. the network: MNIST and FashionMNIST are downloaded into the cache; CelebA only by `fetch`,
6. the embedded subset that comes with the course; for `faces`, drawn ones.

A place that was named must hold the set: nothing else is taken silently in its stead (only photographs may be
missing from GAN_COURSE_DATA, which is a folder of several sets). At profile `ci` steps 4 and 5 are left out, so
that a check reads the same images on every machine. GAN_COURSE_OFFLINE=1 leaves out step 5.
"""

import os
from dataclasses import replace
from pathlib import Path

import torch

from gan_course import files, portraits, profiles
from gan_course.errors import CourseError, whole
from gan_course.images import celeba, embedded, stacked, torchvision_sets
from gan_course.images.album import gather, shown
from gan_course.images.idx import SETS, SIDE, SPLITS, Published
from gan_course.images.image_set import ImageSet

FACES = "faces"
NAMES = (*SETS, stacked.NAME, FACES, celeba.NAME, portraits.NAME)
TERMS = celeba.TERMS


def load(
    name: str,
    size: int | None = None,
    *,
    split: str = "train",
    path: str | Path | None = None,
    device: str | torch.device = "cpu",
    download: bool = True,
    count: int | None = None,
    seed: int = 0,
    progress: bool = True,
) -> ImageSet:
    """Find an image set and put it on `device`.

    Args:
        name: `mnist` or `fashion-mnist`; `faces`: photographs if they are on this machine or `path` names some,
            drawn ones otherwise; `celeba`: photographs only; `drawn-faces`; `stacked-mnist`: see `images.stacked`.
        size: pixels a side, for faces only: photographs 16 to 512, drawn ones 32 to 128, 64 by default.
        split: `train` or `test`; faces have no test split.
        path: for MNIST and FashionMNIST a folder in torchvision's layout (PATH/MNIST/raw/train-images-idx3-ubyte,
            or the same with .gz), or that MNIST or raw folder itself; for photographs a folder (with its
            subfolders) or zip of pictures, or a folder that holds CelebA.
        device: where images and labels are put.
        download: whether MNIST or FashionMNIST may be downloaded.
        count, seed: how many faces are drawn (20,000 by default), and which; the seed also shuffles stacks.
        progress: whether bars show what takes long.

    Raises:
        CourseError: no such set, size or split; the place named does not hold the set, or a file in it is damaged
            or unreadable; `celeba` is nowhere; the cache has no room.
    """
    _check(name)
    if split not in SPLITS:
        raise CourseError(f"unknown split {split!r}: it is one of {', '.join(SPLITS)}")
    if name == stacked.NAME:
        digits = load("mnist", size, split=split, path=path, download=download, progress=progress)
        made = stacked.stack(digits, seed)
        return replace(made, images=made.images.to(device), labels=made.labels.to(device))
    if name in SETS:
        if size is not None and whole(size, "pixels a side") != SIDE:
            raise CourseError(f"{name} has {SIDE} pixels a side, not {size}: {SIDE} works")
        images, labels, source = _published(SETS[name], split, path, download, progress)
        return ImageSet(name, split, images.to(device), labels.to(device), SETS[name].classes, source)
    if split != "train":
        raise CourseError(f"{name} have no {split} split: take the training split")
    size = 64 if size is None else size
    if name != portraits.NAME and (places := _places(name, path)):
        return celeba.load(places[0][1], size, device=device, progress=progress)
    if name == celeba.NAME:
        raise CourseError(
            "CelebA was not found: give a folder or zip of pictures as path or in GAN_COURSE_CELEBA, let "
            f"GAN_COURSE_DATA name a folder that holds {celeba.LAYOUTS[0]} or {celeba.LAYOUTS[1]}, or fetch CelebA "
            'once by `gan_course.data.fetch("celeba")` (for non-commercial research only)'
        )
    if path is not None:
        raise CourseError(f"{name} are drawn, not read from {path}: leave the path out, or ask for faces")
    drawn = portraits.draw(portraits.DRAWN if count is None else count, size, seed, progress=progress)
    return replace(drawn, images=drawn.images.to(device), labels=drawn.labels.to(device))


def fetch(name: str, *, progress: bool = True) -> Path:
    """Download a set into the cache, unless it is there and whole, and return its folder.

    Args:
        name: `mnist`, `fashion-mnist`, or `celeba` (for non-commercial research only), which kagglehub keeps in
            its own cache.

    Raises:
        CourseError: nothing of that name can be downloaded, or GAN_COURSE_OFFLINE forbids it; nobody delivered,
            what had arrived was damaged, or there is no room.
    """
    if name not in (*SETS, celeba.NAME):
        raise CourseError(f"{name!r} cannot be downloaded: {', '.join(SETS)} and {celeba.NAME} can")
    if offline():
        raise CourseError(f"{name} is not downloaded while GAN_COURSE_OFFLINE is set: unset it first")
    if name == celeba.NAME:
        return celeba.fetch()
    entry, cache = SETS[name], files.cache_dir()
    raw = cache / entry.folder / "raw"
    try:
        for split in SPLITS:
            entry.read(raw, split)
        return raw
    except CourseError:  # missing or damaged
        return torchvision_sets.fetch(entry, cache, progress)


def describe(name: str, path: str | Path | None = None) -> list[tuple[str, str]]:
    """(place, what was found there) for each place that `load` would look in, in its order, and what it falls back on.

    Downloads and decodes nothing.

    Raises:
        CourseError: there is no such set.
    """
    _check(name)
    if name == stacked.NAME:
        return describe("mnist", path)
    places = [] if name == portraits.NAME else _places(name, path)
    found = [(title, _content(name, place)) for title, place in places]
    if name in SETS:
        return [*found, ("embedded", "a tenth of the images of each split comes with the course")]
    if name == celeba.NAME:
        return [*found, ("download", "only when it is asked for (--fetch)")]
    return [*found, ("drawn", f"{portraits.DRAWN:,} faces by default, paintings of nobody")]


def _content(name: str, place: Path) -> str:
    """How many images of a set a place holds, or why it holds none."""
    try:
        if name in SETS:
            return " ".join(_whole(SETS[name], split, place, str(place))[2] for split in SPLITS)
        album = gather(place)
        return f"{len(album.names):,} pictures in {shown(album.place)}"
    except CourseError as error:
        return str(error)


def to_signed(images: torch.Tensor) -> torch.Tensor:
    """uint8 images 0 to 255 of any shape -> float32 in [-1, 1], the range of a generator's tanh.

    Raises:
        CourseError: the images are not uint8, so probably scaled already.
    """
    if images.dtype != torch.uint8:
        raise CourseError(f"to_signed takes uint8 images (0 to 255), not {images.dtype}: are they scaled already?")
    return images.float().div_(127.5).sub_(1.0)


def to_uint8(images: torch.Tensor) -> torch.Tensor:
    """Floating-point images in [-1, 1] of any shape -> uint8, rounded; values outside are clamped.

    Raises:
        CourseError: the images are not floating-point numbers.
    """
    if not images.is_floating_point():
        raise CourseError(f"to_uint8 takes floating-point images in [-1, 1], not {images.dtype}")
    return images.float().add(1.0).mul_(127.5).round_().clamp_(0, 255).to(torch.uint8)


def offline() -> bool:
    """Whether GAN_COURSE_OFFLINE forbids downloading (any value but 0)."""
    return os.environ.get("GAN_COURSE_OFFLINE", "0") not in ("", "0")


def _check(name: str) -> None:
    if name not in NAMES:
        raise CourseError(f"unknown image set {name!r}: there are {', '.join(NAMES)}")


# Where a set is looked for.


def _places(name: str, path: str | Path | None) -> list[tuple[str, Path]]:
    """(title, place) in the order of `load`; the first counts."""
    entry = SETS.get(name)
    given = {"path": path, "GAN_COURSE_CELEBA": None if entry else os.environ.get("GAN_COURSE_CELEBA") or None}
    places = [(title, files.user_path(place, title)) for title, place in given.items() if place is not None]
    if not entry:
        places = [(title, celeba.inside(place) or place) for title, place in places]
    if root := os.environ.get("GAN_COURSE_DATA"):
        place = files.user_path(root, "folder in GAN_COURSE_DATA")
        places.append(("GAN_COURSE_DATA", place if entry else celeba.inside(place)))
    if profiles.current().name != "ci":
        cache = files.cache_dir()
        places.append(("cache", (cache if entry.raw(cache) else None) if entry else celeba.kept()))
    return [(title, place) for title, place in places if place]


# MNIST and FashionMNIST.


def _published(entry: Published, split: str, path, download: bool, progress: bool):
    """Images and labels of one split, and the sentence that says where they come from."""
    damaged = ""
    for title, place in _places(entry.name, path):
        if title != "cache":
            named = f"the folder {'in' if title.isupper() else 'given as'} {title}"
            return _whole(entry, split, place, named)
        try:
            return _whole(entry, split, place, "the cache")
        except CourseError:  # the cache is ours to mend: what is missing or damaged is fetched once more
            damaged = "the copy in the cache is incomplete or damaged and "
    if profiles.current().name == "ci":
        return _subset(entry, split, "profile ci reads no other")
    if not download or offline():
        return _subset(entry, split, f"{damaged}downloading is switched off")
    try:
        torchvision_sets.fetch(entry, files.cache_dir(), progress)
    except torchvision_sets.NoDownload as error:
        return _subset(entry, split, f"{damaged}the download did not work: {error}")
    return _whole(entry, split, files.cache_dir(), "the cache, freshly downloaded")


def _whole(entry: Published, split: str, folder: Path, place: str):
    """The whole split from a folder that must hold it."""
    raw = entry.raw(folder)
    if raw is None:
        there = "does not hold it" if os.path.isdir(folder) else "is no folder"
        raise CourseError(
            f"no {entry.name} in {place}: {folder} {there if os.path.exists(folder) else 'does not exist'}; "
            f"{entry.folder}/raw/{SPLITS[split][0]}-images-idx3-ubyte (or .gz) was looked for there"
        )
    images, labels = entry.read(raw, split)
    return images, labels, f"All {len(images):,} {SPLITS[split][1]} images of {entry.folder}, from {place}."


def _subset(entry: Published, split: str, reason: str):
    """The embedded part of a split, and why it is not the whole."""
    pixels, labels = embedded.read(entry.name, split)
    source = (
        f"{len(labels):,} of the {entry.counts[split]:,} {SPLITS[split][1]} images of {entry.folder}, the subset that "
        f"comes with the course, because {reason}; for all of them, set GAN_COURSE_DATA to a folder that holds the "
        f"set{'' if profiles.current().name == 'ci' else ' or load it once with a network'}."
    )
    return torch.from_numpy(pixels)[:, None], torch.from_numpy(labels), source
