"""CelebA: found or, when asked for, fetched; decoded once; handed out as an image set.

CelebA (Liu, Luo, Wang, Tang: Deep Learning Face Attributes in the Wild, 2015, arXiv:1411.7766) is 202,599
photographs of 178 × 218 pixels with forty attributes. It may be used for non-commercial research only and
no part of it may be passed on, so the course contains none of it and downloads it only when told to.

`load` looks in this order, and any folder or zip of pictures does in its place:

1. `path`, then the folder or zip in GAN_COURSE_CELEBA: what is named must be there,
2. the folder in GAN_COURSE_DATA: celeba/img_align_celeba, as torchvision lays it out, or the zip,
3. the cache,
4. with `download=True`: Kaggle, Hugging Face, Google Drive by torchvision (`mirrors`).

At profile `ci` steps 3 and 4 are left out, as for the other sets.
"""

import os
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import torch

from gan_course import data, files, profiles
from gan_course.errors import CourseError
from gan_course.photos import mirrors
from gan_course.photos.album import Album, gather, shown
from gan_course.photos.attributes import attributes
from gan_course.photos.prepare import prepare

NAME = "celeba"
TERMS = "CelebA: for non-commercial research only; no part of it may be passed on"
# Where the pictures lie in a folder of data sets.
LAYOUTS = tuple(
    f"{folder}{pictures}"
    for folder in ("celeba/", "CelebA/", "")
    for pictures in ("img_align_celeba", "img_align_celeba.zip", "celeba-dataset.zip", "celeba.zip")
)
ADVICE = (
    "give a folder or zip of pictures as path or in GAN_COURSE_CELEBA, or fetch CelebA with "
    "`python -m gan_course data celeba --fetch` (for non-commercial research only)"
)


class _Absent(CourseError):
    """Nothing lies in one of the places."""


class NotFound(CourseError):
    """CelebA is nowhere on this machine, and could not or should not be fetched."""


@dataclass(frozen=True, eq=False)
class CelebA(data.ImageSet):
    """CelebA, or other pictures in its place; every label is 0.

    Attributes:
        images: uint8 [N, 3, size, size]; on the CPU they are memory-mapped.
        names: of the N pictures, relative to where they were found.
        attribute_names: () where no list of attributes lay with the pictures.
        attributes: bool [N, len(attribute_names)], on the CPU; None without a list.
    """

    names: tuple[str, ...] = field(repr=False)
    attribute_names: tuple[str, ...] = field(repr=False)
    attributes: torch.Tensor | None = field(repr=False)


def load(
    size: int = 64,
    *,
    path: str | Path | None = None,
    device: str | torch.device = "cpu",
    download: bool = False,
    progress: bool = True,
) -> CelebA:
    """All pictures of CelebA as squares of `size` pixels: the shorter side resized, the middle cropped.

    The first call decodes them, with a bar that shows the time left; when interrupted, the next goes on
    where it stopped. Later calls map the decoded array into memory. Damaged pictures are left out, and
    `source` names them.

    Args:
        size: pixels a side, 16 to 512.
        path: a folder or zip of pictures, or a folder that holds CelebA.
        device: where the images are put.
        download: whether CelebA may be fetched when it is not on this machine.
        progress: whether a bar is shown.

    Raises:
        NotFound: it is nowhere; the line says what was tried and why each failed.
        CourseError: the place named holds no usable picture, or the cache has no room.
    """
    album = find(path, download=download)
    decoded = prepare(album, size, progress=progress)
    try:
        known = attributes(decoded.place, decoded.names)
        note = f"with {len(known[0])} attributes" if known else "without a list of attributes"
    except CourseError as error:
        known, note = None, f"without attributes, because {error}"
    return CelebA(
        name=NAME,
        split="all",
        images=decoded.images.to(device),
        labels=torch.zeros(len(decoded.names), dtype=torch.int64, device=device),
        classes=("face",),
        source=f"{decoded.account()}, {note}.",
        names=decoded.names,
        attribute_names=known[0] if known else (),
        attributes=known[1] if known else None,
    )


def find(path: str | Path | None = None, *, download: bool = False) -> Album:
    """Where `load` takes the pictures from. Decodes nothing.

    Raises:
        NotFound, CourseError: as for `load`.
    """
    named = path if path is not None else os.environ.get("GAN_COURSE_CELEBA") or None
    if named is not None:
        return gather(_named(named))
    failures = []
    for title, seek in _places(download):
        try:
            return gather(seek())
        except (_Absent, NotFound) as error:
            failures.append(f"{title}: {error}")
    raise NotFound(f"CelebA was not found ({'; '.join(failures)}): {ADVICE}")


def fetch() -> Path:
    """Fetch CelebA into the cache, unless it is there, and return its zip.

    Raises:
        NotFound: no mirror delivered; the line says why for each.
    """
    folder, failures = files.cache_dir() / NAME, []
    if (kept := _in_cache(folder)) is not None:
        return kept
    for title, mirror in mirrors.MIRRORS.items():
        try:
            return mirror(folder)
        except CourseError as error:
            failures.append(f"{title}: {error}")
    raise NotFound(f"no mirror of CelebA delivered ({'; '.join(failures)})")


def describe(path: str | Path | None = None) -> list[tuple[str, str]]:
    """(place, what was found there) for each place `load` looks in, in its order. Fetches nothing."""

    def found(seek: Callable[[], Path]) -> str:
        try:
            album = gather(seek())
        except CourseError as error:
            return str(error)
        return f"{len(album.names):,} pictures in {shown(album.place)}"

    named = {"path": path, "GAN_COURSE_CELEBA": os.environ.get("GAN_COURSE_CELEBA")}
    places = [(title, partial(_named, place)) for title, place in named.items() if place]
    return [(title, found(seek)) for title, seek in [*places, *_places(download=False)]]


def _places(download: bool) -> Iterator[tuple[str, Callable[[], Path]]]:
    """What is tried where nothing was named: a title, and a function that gives the place or raises."""

    def in_data() -> Path:
        if not (root := os.environ.get("GAN_COURSE_DATA")):
            raise _Absent("not set")
        if (place := _inside(Path(root).expanduser())) is None:
            raise _Absent(f"there is no {LAYOUTS[0]} nor {LAYOUTS[1]} in {shown(root)}")
        return place

    def in_cache() -> Path:
        folder = files.cache_dir() / NAME
        if (place := _in_cache(folder)) is None:
            raise _Absent(f"nothing in {folder}")
        return place

    def refused(why: str) -> Callable[[], Path]:
        def refuse() -> Path:
            raise _Absent(why)

        return refuse

    yield "GAN_COURSE_DATA", in_data
    if profiles.current().name == "ci":
        yield "cache and download", refused("not used at profile ci")
        return
    yield "cache", in_cache
    if not download:
        yield "download", refused("not asked for")
    elif data.offline():
        yield "download", refused("switched off by GAN_COURSE_OFFLINE")
    else:
        yield "download", fetch


def _named(place: str | Path) -> Path:
    """The pictures in a folder or zip that somebody named."""
    try:
        place = Path(place).expanduser()
    except RuntimeError:  # a home that nobody has: `gather` will say so
        return Path(place)
    return _inside(place) or place


def _inside(root: Path) -> Path | None:
    """The pictures in a folder of data sets; None where it is not laid out as one."""
    for place in (root / layout for layout in LAYOUTS):
        try:
            if place.is_file() or (place.is_dir() and any(place.iterdir())):
                return place
        except OSError:
            continue
    return None


def _in_cache(folder: Path) -> Path | None:
    kept = (folder / name for name in mirrors.FILES)
    return next((file for file in kept if zipfile.is_zipfile(file)), None)  # others are fetched anew
