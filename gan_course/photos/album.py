"""A folder or a zip of somebody's pictures: what is in it, read file by file and never unpacked.

Names from a zip are only ever names here. No member is written anywhere, and one whose name leads out of
the archive is refused all the same, because such an archive is not what it says it is.
"""

import hashlib
import os
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from gan_course.errors import CourseError

ENDINGS = (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm")
MOST_BYTES = 64_000_000  # of one file; a larger one is no photograph at the sizes of this course


class Skip(Exception):
    """This one picture cannot be used; the text says why and follows the picture's name."""


@dataclass(frozen=True, eq=False)
class Album:
    """The pictures of one folder or zip.

    Attributes:
        place: the folder or the zip.
        names: relative names with slashes, sorted by code point; `read` takes them.
        refused: (name, why) of pictures that are not even read.
        fingerprint: sha256 of all names, sizes and times (a folder) or checksums (a zip): another one
            means that something was added, removed or replaced.
        read: name -> the file's bytes. May be called from several threads. Raises Skip where this file
            cannot be read, CourseError where it has gone and the rest cannot be trusted.
    """

    place: Path
    names: tuple[str, ...] = field(repr=False)
    refused: tuple[tuple[str, str], ...]
    fingerprint: str
    read: Callable[[str], bytes] = field(repr=False)


def gather(place: str | Path) -> Album:
    """The pictures in a folder, with its subfolders, or in a zip. Hidden files are left out.

    Raises:
        CourseError: there is no such place, it cannot be read, or no picture is in it.
    """
    place = Path(place)
    try:
        place = place.expanduser().resolve(strict=True)
        if place.is_dir():
            return _folder(place)
        if not place.is_file():  # a pipe would be waited on for ever
            raise CourseError(
                f"{shown(place)} is neither a folder nor a file: a folder or zip of pictures works"
            )
        return _zip(place)
    except (OSError, RuntimeError) as error:  # RuntimeError: links in a circle, a home that nobody has
        at = Path(getattr(error, "filename", None) or place)
        if isinstance(error, FileNotFoundError) and at == place:
            raise CourseError(
                f"{shown(place)} does not exist: a folder of pictures or a zip of them works"
            ) from None
        raise CourseError(
            f"{shown(at)} cannot be read ({getattr(error, 'strerror', None) or error}): a folder of "
            "pictures or a zip of them works"
        ) from error


def shown(name: str | Path) -> str:
    """A name in any script as it may stand in one line: what cannot be printed is escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(name))


def _folder(place: Path) -> Album:
    digest, found, others = hashlib.sha256(), [], 0
    folders = [""]  # below `place`, each with a slash at its end
    while folders:
        below = folders.pop()
        with os.scandir(place / below) as entries:
            for entry in entries:
                if _hidden(entry.name):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    folders.append(f"{below}{entry.name}/")
                elif _is_picture(entry.name) and entry.is_file():  # a pipe would be waited on for ever
                    found.append((below + entry.name, entry.stat()))
                else:
                    others += 1
    if not found:
        raise _none(place, others)
    found.sort(key=lambda pair: pair[0])
    for name, stat in found:
        line = f"{name}\0{stat.st_size}\0{stat.st_mtime_ns}\n"
        digest.update(line.encode("utf-8", "surrogateescape"))

    def read(name: str) -> bytes:
        try:
            with open(place / name, "rb") as file:
                content = file.read(MOST_BYTES + 1)
        except FileNotFoundError:
            raise CourseError(
                f"{shown(name)} has gone from {shown(place)} during the work: call again when the folder is "
                "at rest; what was finished is kept"
            ) from None
        except (PermissionError, IsADirectoryError) as error:
            raise Skip(f"cannot be read ({error.strerror})") from error
        except OSError as error:
            raise _unreliable(name, place, error) from error
        return _of_right_size(content, len(content))

    return Album(place, tuple(name for name, _ in found), (), digest.hexdigest(), read)


def _zip(place: Path) -> Album:
    try:
        archive = zipfile.ZipFile(place)
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise CourseError(
            f"{shown(place)} is not a whole zip ({_short(error)}): fetch or copy it once more, or name a folder"
        ) from error
    stat = place.stat()
    # A zip that was mended can have the old list of checksums, so its own size and time count, too.
    digest = hashlib.sha256(f"{stat.st_size}\0{stat.st_mtime_ns}\n".encode())
    found, refused, others = {}, {}, 0
    for member in archive.infolist():
        name = member.filename
        if member.is_dir() or not _is_picture(name) or any(map(_hidden, _parts(name))):
            others += not member.is_dir()
            continue
        digest.update(f"{name}\0{member.file_size}\0{member.CRC}\n".encode("utf-8", "surrogateescape"))
        found.pop(name, None)
        refused.pop(name, None)  # of two with one name the later counts, as in any zip
        if _leads_out(name):
            refused[name] = "has a name that leads out of the zip"
        elif member.flag_bits & 1:
            refused[name] = "is encrypted"
        elif member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            refused[name] = "is compressed in a way that is not read here"
        else:
            found[name] = member
    if not found and not refused:
        raise _none(place, others)

    def read(name: str) -> bytes:
        member = found[name]
        _of_right_size(b"", member.file_size)
        try:
            with archive.open(member) as file:
                return file.read(member.file_size)  # bounded: what a header claims may be a lie
        except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError) as error:
            raise Skip(f"is damaged in the zip ({_short(error)})") from error
        except OSError as error:
            raise _unreliable(name, place, error) from error

    return Album(place, tuple(sorted(found)), tuple(sorted(refused.items())), digest.hexdigest(), read)


def _unreliable(name: str, place: Path, error: OSError) -> CourseError:
    """Not this picture's fault: skipping it would lose it for good."""
    return CourseError(
        f"{shown(name)} in {shown(place)} cannot be read just now ({error.strerror or error}): call again when the "
        "disk or network answers; what was finished is kept"
    )


def _of_right_size(content: bytes, size: int) -> bytes:
    if size > MOST_BYTES:
        raise Skip(f"is larger than {MOST_BYTES / 1e6:.0f} MB")
    if size == 0:
        raise Skip("is empty")
    return content


def _is_picture(name: str) -> bool:
    return name.lower().endswith(ENDINGS)


def _hidden(part: str) -> bool:
    """Whether a file or folder is none of the user's own: .DS_Store, ._000001.jpg, __MACOSX."""
    return part == "__MACOSX" or (part.startswith(".") and part not in (".", ".."))


def _leads_out(name: str) -> bool:
    parts = _parts(name)
    return ".." in parts or parts[0] == "" or parts[0].endswith(":")


def _parts(name: str) -> list[str]:
    return name.replace("\\", "/").split("/")


def _none(place: Path, others: int) -> CourseError:
    held = f"{others:,} other files and no picture" if others else "nothing"
    return CourseError(f"{shown(place)} holds {held}: a folder or zip of .jpg or .png files works")


def _short(error: Exception) -> str:
    return shown(str(error))[:120] or type(error).__name__
