"""CelebA's forty attributes a picture, from the list that comes with the pictures.

Two forms go round. CelebA's own `list_attr_celeba.txt` has the number of pictures in its first line, the
names of the attributes in its second, and then one line a picture: file name, then 1 or -1 for each
attribute. Kaggle's `list_attr_celeba.csv` has a heading line and commas.
"""

import zipfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import torch

from gan_course.errors import CourseError
from gan_course.photos.album import shown

FILES = ("list_attr_celeba.txt", "list_attr_celeba.csv")
MOST_BYTES = 200_000_000  # the published list has 27 MB
_VALUES = {"1": True, "-1": False, "0": False}


def attributes(place: str | Path, names: Sequence[str]) -> tuple[tuple[str, ...], torch.Tensor] | None:
    """What is true of each picture, or None where no list lies with the pictures.

    The list is looked for in the folder or zip of the pictures, beside it, and one folder further up.
    Its rows are matched by file name, whatever folder and ending the picture has.

    Args:
        place: the folder or zip.
        names: the pictures, as in `Decoded.names`.

    Returns:
        the attributes' names and bool [N, attributes], row i for `names[i]`.

    Raises:
        CourseError: there is a list, but it is damaged or lacks a picture.
    """
    found = _find(Path(place).expanduser())
    if found is None:
        return None
    where, text = found
    heading, lines = _parts(where, text)
    rows = {}
    for number, line in lines:
        name, *values = line.replace(",", " ").split() or [""]
        try:
            rows[_stem(name)] = [_VALUES[value] for value in values]
        except KeyError as error:
            raise _damaged(where, f"line {number} holds {shown(error.args[0])[:40]!r}") from None
        if len(values) != len(heading):
            raise _damaged(where, f"line {number} has {len(values)} values for {len(heading)} attributes")
    if len({_stem(name) for name in names}) < len(names):
        raise CourseError(f"{shown(where)} goes by file names, and several pictures here have the same one")
    try:
        chosen = [rows[_stem(name)] for name in names]
    except KeyError:
        lacking = [name for name in names if _stem(name) not in rows]
        raise CourseError(
            f"{shown(where)} lacks {len(lacking):,} of the {len(names):,} pictures, among them "
            f"{shown(lacking[0])}: the list must be the one that came with the pictures"
        ) from None
    return heading, torch.tensor(chosen, dtype=torch.bool).view(len(names), len(heading))


def _find(place: Path) -> tuple[str, str] | None:
    """(where it lies, its text)"""
    folders = [place, place.parent, place.parent.parent] if place.is_dir() else [place.parent]
    try:
        if place.is_file():
            with zipfile.ZipFile(place) as archive:
                for member in archive.infolist():
                    if PurePosixPath(member.filename).name in FILES and member.file_size <= MOST_BYTES:
                        with archive.open(member) as file:
                            text = file.read(member.file_size).decode(errors="replace")
                        return f"{place}/{member.filename}", text
        for path in (folder / name for folder in folders for name in FILES):
            if path.is_file() and path.stat().st_size <= MOST_BYTES:
                return str(path), path.read_text(encoding="utf-8", errors="replace")
    except Exception as error:  # zipfile, zlib and the file system each have their own
        raise CourseError(
            f"the list of attributes with {shown(place)} cannot be read ({error}): copy it once more"
        ) from error
    return None


def _parts(where: str, text: str) -> tuple[tuple[str, ...], list[tuple[int, str]]]:
    """The attributes' names, and the numbered lines of the pictures."""
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    if lines and "," in lines[0][1]:
        heading, lines = lines[0][1].split(",")[1:], lines[1:]
    elif len(lines) > 1 and lines[0][1].strip().isdecimal():
        count, heading, lines = int(lines[0][1]), lines[1][1].split(), lines[2:]
        if count != len(lines):
            raise _damaged(where, f"it promises {count:,} pictures and has {len(lines):,}")
    else:
        raise _damaged(where, "neither a number of pictures nor a heading stands in its first line")
    return tuple(name.strip() for name in heading), lines


def _stem(name: str) -> str:
    return PurePosixPath(name).stem


def _damaged(where: str, why: str) -> CourseError:
    return CourseError(f"{shown(where)} is damaged ({why}): copy the published list once more")
