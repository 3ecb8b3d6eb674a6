"""CelebA: where it lies, how it is fetched, and its attributes; any folder or zip of pictures does in its place.

CelebA (Liu, Luo, Wang, Tang: Deep Learning Face Attributes in the Wild, 2015, arXiv:1411.7766) is 202,599
photographs of 178 × 218 pixels with forty attributes. It may be used for non-commercial research only and
no part of it may be passed on, so the course contains none of it and downloads it only when told to.

Its list of attributes goes round in two forms. `list_attr_celeba.txt` has the number of pictures in its first
line, the names of the attributes in its second, and then one line a picture: file name, then 1 or -1 for each
attribute. Kaggle's `list_attr_celeba.csv` has a heading line and commas.
"""

import contextlib
import csv
import zipfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import torch

from gan_course import files
from gan_course.errors import CourseError
from gan_course.images.album import gather, shown
from gan_course.images.image_set import ImageSet
from gan_course.images.photographs import prepare

NAME = "celeba"
TERMS = "CelebA: for non-commercial research only; no part of it may be passed on"
KAGGLE = "jessicali9530/celeba-dataset"
LISTS = ("list_attr_celeba.txt", "list_attr_celeba.csv")
# Where the pictures lie in a folder of data sets.
LAYOUTS = tuple(
    f"{folder}{pictures}"
    for folder in ("celeba/", "CelebA/", "")
    for pictures in ("img_align_celeba", "img_align_celeba.zip", "celeba-dataset.zip", "celeba.zip")
) + ("celeba/archive.zip",)  # as a browser saves Kaggle's
_VALUES = {"1": True, "-1": False, "0": False}


def load(place: Path, size: int, *, device: str | torch.device = "cpu", progress: bool = True) -> ImageSet:
    """All pictures of a folder or zip as squares: the shorter side resized to `size`, the middle cropped.

    The first call decodes them, with a bar; when interrupted, the next goes on where it stopped. Later calls map
    the decoded array into memory. Pictures that cannot be used are left out, and `source` names them.

    Raises:
        CourseError: there is no usable picture; the size is not from 16 to 512; the cache has no room.
    """
    album = gather(place)
    images, names, account = prepare(album, size, progress=progress)
    try:
        known = attributes(album.place, names)
        note = f"with {len(known[0])} attributes" if known else "without a list of attributes"
    except CourseError as error:
        known, note = None, f"without attributes, because {error}"
    labels = torch.zeros(len(images), dtype=torch.int64, device=device)
    source, (known_names, values) = f"{account}, {note}.", known or ((), None)
    return ImageSet(NAME, "all", images.to(device), labels, ("face",), source, known_names, values, names)


def inside(root: Path) -> Path | None:
    """The pictures in a folder of data sets; None where it is not laid out as one."""
    for place in (root / layout for layout in LAYOUTS):
        with contextlib.suppress(OSError):
            if place.is_file() or (place.is_dir() and any(place.iterdir())):
                return place
    return None


def kept() -> Path | None:
    """The pictures that `fetch` brought, or that lie in the cache as in a folder of data sets."""
    with contextlib.suppress(OSError):
        if place := inside(Path(_note().read_text(encoding="utf-8"))):
            return place
    return inside(files.cache_dir())


def fetch() -> Path:
    """Download CelebA from Kaggle by kagglehub, into its cache, unless it is there; return the folder.

    Raises:
        CourseError: kagglehub is not installed, or Kaggle did not deliver; says what to do instead.
    """
    instead = f"download kaggle.com/datasets/{KAGGLE} in a browser and let GAN_COURSE_CELEBA name the zip"
    try:
        import kagglehub

        folder = Path(kagglehub.dataset_download(KAGGLE))
    except ImportError:
        raise CourseError(f"fetching CelebA needs kagglehub: `pip install kagglehub`, or {instead}") from None
    except Exception as error:  # Kaggle's refusals, the network's and the disk's faults
        why = shown(" ".join(str(error).split()))[:200] or type(error).__name__
        raise CourseError(f"Kaggle did not deliver CelebA ({why}): try again later, or {instead}") from error
    if inside(folder) is None:
        raise CourseError(f"what Kaggle delivered in {folder} is not laid out as CelebA: {instead}")
    files.write_atomically(_note(), str(folder.absolute()).encode())
    return folder


def _note() -> Path:
    return files.cache_dir() / "celeba.txt"  # holds the path of what was fetched


def attributes(place: Path, names: Sequence[str]) -> tuple[tuple[str, ...], torch.Tensor] | None:
    """What is true of each picture, or None where no list of these pictures lies with them.

    The list is looked for in the folder or zip of the pictures, beside it, and one folder further up.
    Its rows are matched by file name, whatever folder and ending the picture has.

    Returns:
        the attributes' names and bool [N, attributes], row i for `names[i]`.

    Raises:
        CourseError: there is a list, but it is damaged, lacks some of the pictures or does not tell them apart.
    """
    if (found := _find(place)) is None:
        return None
    where, text = found
    heading, lines = _rows(where, text)
    wanted, values = {_stem(name) for name in names}, {}
    for number, (name, *row) in lines:
        if _stem(name) not in wanted:
            continue
        if len(row) != len(heading) or not set(row) <= _VALUES.keys():
            raise CourseError(
                f"{shown(where)} is damaged (line {number} is no name and {len(heading)} values of 1 or -1): copy the "
                "published list once more"
            )
        values[_stem(name)] = [_VALUES[value] for value in row]
    if not values:  # a list of other pictures that lies nearby
        return None
    if len(wanted) < len(names):
        raise CourseError(f"{shown(where)} goes by file names, and several pictures here have the same one")
    if lacking := [name for name in names if _stem(name) not in values]:
        raise CourseError(
            f"{shown(where)} lacks {len(lacking):,} of the {len(names):,} pictures, among them "
            f"{shown(lacking[0])}: the list must be the one that came with the pictures"
        )
    chosen = torch.tensor([values[_stem(name)] for name in names], dtype=torch.bool)
    return heading, chosen.view(len(names), len(heading))


def _find(place: Path) -> tuple[str, str] | None:
    """(where it lies, its text)"""
    folders = [place, place.parent, place.parent.parent] if place.is_dir() else [place.parent]
    try:
        if not place.is_dir():
            with zipfile.ZipFile(place) as archive:
                for member in archive.namelist():
                    if member.replace("\\", "/").split("/")[-1] in LISTS:
                        return f"{place}/{member}", archive.read(member).decode("utf-8-sig", errors="replace")
        for path in (folder / name for folder in folders for name in LISTS):
            if path.is_file():
                return str(path), path.read_text(encoding="utf-8-sig", errors="replace")
    except Exception as error:  # zipfile, zlib and the file system each have their own
        raise CourseError(
            f"the list of attributes with {shown(place)} cannot be read ({shown(error)}): copy it once more"
        ) from error
    return None


def _rows(where: str, text: str) -> tuple[tuple[str, ...], list[tuple[int, list[str]]]]:
    """The attributes' names; and for each picture the number of its line, its name and its values."""
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    first = lines[0][1] if lines else ""
    if "," in first:
        rows = [(number, [cell.strip() for cell in next(csv.reader([line]))]) for number, line in lines]
        return tuple(rows[0][1][1:]), rows[1:]
    if len(lines) > 1 and first.strip().isdecimal():
        heading = tuple(lines[1][1].split())
        return heading, [(number, line.rsplit(maxsplit=len(heading))) for number, line in lines[2:]]
    raise CourseError(
        f"{shown(where)} is damaged (neither a number of pictures nor a heading stands in its first line): copy the "
        "published list once more"
    )


def _stem(name: str) -> str:
    return PurePosixPath(name.strip()).stem
