"""A folder or a zip of somebody's pictures: what is in it, read file by file and never unpacked."""

import hashlib
import os
import zipfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from gan_course import files
from gan_course.errors import CourseError

ENDINGS = (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm")
# What lies beside pictures and is never missed.
BESIDE = (".txt", ".csv", ".json", ".xml", ".md", ".html", ".db", ".ini")
WORKS = "a folder of pictures or a zip of them works"


class Skip(Exception):
    """This one picture cannot be used; the text says why and follows the picture's name."""


@dataclass(frozen=True, eq=False)
class Album:
    """The pictures of one folder or zip.

    Attributes:
        place: the folder or the zip, without links.
        names: relative names with slashes, sorted by code point; `read` takes them.
        refused: (name, why) of pictures that are not even read.
        others: how many files of other kinds lie there, by ending: an album of .heic is no empty one.
        fingerprint: sha256 of all names, sizes and times (a folder) or checksums (a zip): another one
            means that something was added, removed or replaced.
        read: name -> the file's bytes. May be called from several threads. Raises Skip where this file
            cannot be read, CourseError where the place has gone or does not answer.
    """

    place: Path
    names: tuple[str, ...] = field(repr=False)
    refused: tuple[tuple[str, str], ...]
    others: Counter
    fingerprint: str
    read: Callable[[str], bytes] = field(repr=False)


def gather(place: str | Path) -> Album:
    """The pictures in a folder, with its subfolders, or in a zip. Hidden files are left out.

    Raises:
        CourseError: there is no such place, it cannot be read, or no picture is in it.
    """
    place = files.user_path(place, "folder or zip of pictures")
    try:
        os.stat(place)
        album = (_folder if os.path.isdir(place) else _zip)(place.resolve())
    except OSError as error:
        gone = isinstance(error, FileNotFoundError | NotADirectoryError)
        why = "does not exist" if gone else f"cannot be read ({error.strerror or error})"
        raise CourseError(f"{shown(error.filename or place)} {why}: {WORKS}") from error
    if not album.names and not album.refused:
        held = f"{left_out(album.others)} and no picture" if album.others else "nothing"
        raise CourseError(f"{shown(place)} holds {held}: a folder or zip of .jpg or .png files works")
    return album


def shown(name: str | Path) -> str:
    """A name in any script as it may stand in one line: what cannot be printed is escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(name))


def left_out(others: Counter) -> str:
    """'41 other files (.heic, .mov)', the commonest endings first."""
    endings = ", ".join(map(shown, sorted(others, key=lambda ending: (-others[ending], ending))[:3]))
    return f"{others.total():,} other file{'s' * (others.total() > 1)} ({endings}{', …' * (len(others) > 3)})"


def _folder(place: Path) -> Album:
    found, refused, others = {}, {}, Counter()
    folders, seen = [""], set()  # below `place`, each with a slash at its end
    while folders:
        below = folders.pop()
        real = os.path.realpath(place / below)
        if real in seen:  # links that lead in a circle
            continue
        seen.add(real)
        try:
            with os.scandir(place / below) as entries:
                for entry in entries:
                    name = below + entry.name
                    if _hidden(entry.name):
                        continue
                    if entry.is_dir():
                        folders.append(f"{name}/")
                    elif not _is_picture(name):
                        _count(others, name)
                    elif entry.is_file() and os.access(entry.path, os.R_OK):
                        found[name] = entry.stat()
                    else:
                        refused[name] = "is no file that you may read"
        except PermissionError as error:
            if not below:
                raise
            refused[below] = f"cannot be read ({error.strerror})"
    names = tuple(sorted(found))
    digest = hashlib.sha256()
    for name in names:
        line = f"{name}\0{found[name].st_size}\0{found[name].st_mtime_ns}\n"
        digest.update(line.encode("utf-8", "surrogateescape"))

    def read(name: str) -> bytes:
        try:
            with open(place / name, "rb") as file:
                return file.read()
        except OSError as error:
            raise _unreliable(name, place, error) from error

    return Album(place, names, tuple(sorted(refused.items())), others, digest.hexdigest(), read)


def _zip(place: Path) -> Album:
    try:
        archive = zipfile.ZipFile(place)
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise CourseError(
            f"{shown(place)} is no whole zip ({shown(error)}): fetch or copy it once more; {WORKS}"
        ) from error
    # A zip that was mended can have the old list of checksums, so its own size and time count, too.
    digest = hashlib.sha256(f"{place.stat().st_size}\0{place.stat().st_mtime_ns}\n".encode())
    found, others = {}, Counter()
    for member in archive.infolist():
        name = member.filename.replace("\\", "/")  # some programs on Windows separate folders so
        if name.endswith("/") or any(map(_hidden, name.split("/"))):
            continue
        if _is_picture(name):
            digest.update(f"{name}\0{member.file_size}\0{member.CRC}\n".encode("utf-8", "surrogateescape"))
            found[name] = member  # of two with one name the later counts, as in any zip
        else:
            _count(others, name)

    def read(name: str) -> bytes:
        try:
            return archive.read(found[name])
        except Exception as error:
            # zipfile and each compression have their own errors; encryption is a RuntimeError
            if isinstance(error, OSError) and error.errno:  # bz2's own has no number
                raise _unreliable(name, place, error) from error
            raise Skip(f"cannot be unpacked ({shown(error)[:120] or type(error).__name__})") from error

    return Album(place, tuple(sorted(found)), (), others, digest.hexdigest(), read)


def _unreliable(name: str, place: Path, error: OSError) -> CourseError:
    """Not this picture's fault: skipping it would lose it for good."""
    return CourseError(
        f"{shown(name)} in {shown(place)} cannot be read just now ({error.strerror or error}): call again when the "
        "disk or network answers and the folder is at rest; what was finished is kept"
    )


def _is_picture(name: str) -> bool:
    return name.lower().endswith(ENDINGS)


def _count(others: Counter, name: str) -> None:
    ending = os.path.splitext(name)[1].lower()
    if ending not in BESIDE:
        others[ending or "no ending"] += 1


def _hidden(part: str) -> bool:
    """Whether a file or folder is none of the user's own: .DS_Store, .ipynb_checkpoints, ._000001.jpg, __MACOSX.

    A picture that iCloud keeps elsewhere is .NAME.icloud here, and is missed.
    """
    own = part in (".", "..") or part.endswith(".icloud")
    return part == "__MACOSX" or (part.startswith(".") and not own)
