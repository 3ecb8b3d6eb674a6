"""Files that are either whole or absent, paths as people give them, and the folder for downloads."""

import contextlib
import errno
import os
import tempfile
import time
from pathlib import Path

from gan_course.errors import CourseError

NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
# What does not pass by itself; any other fault may be a network drive that was away for a moment.
LASTING = NO_ROOM | {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR, errno.EEXIST}
LASTING |= {errno.ENAMETOOLONG, errno.ELOOP, errno.EINVAL}
WAITS = (0.2, 1.0)  # seconds before another try
ABANDONED = 600.0  # seconds after which a temporary file is no other process's work


def user_path(given: str | os.PathLike, what: str = "path") -> Path:
    """A path as somebody gave it: `~` is their home; relative ones begin in the current folder.

    Args:
        what: what the path is for, in words, for the message.

    Raises:
        CourseError: it is empty or impossible, or `~` names a home that there is not.
    """
    text = os.fspath(given)
    if not text.strip() or "\0" in text:
        raise CourseError(f"the {what} {text!r} names nothing: give a file or folder, `.` for this one")
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise CourseError(f"the {what} {text}: there is no such home, write the folder in full") from None


def write_atomically(path: str | os.PathLike, content: bytes) -> Path:
    """Write `content` so that `path` holds the old bytes or all of the new ones, never a part.

    The bytes go to a temporary name in the same folder, are flushed to the disk and renamed into place. A
    fault that may pass is waited for twice. A failed write leaves no temporary file behind; a killed one
    leaves a `.NAME.*.tmp`, which a write of the same name sweeps away ten minutes later.

    Raises:
        CourseError: the disk is full or the folder cannot be written to.
    """
    path = user_path(path)
    for wait in (*WAITS, None):
        try:
            _write(path, content)
            return path
        except OSError as error:
            if wait is None or error.errno in LASTING:
                raise CourseError(_explain(error, path, len(content))) from error
            time.sleep(wait)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    for left_over in path.parent.glob(f".{path.name}.*.tmp"):
        with contextlib.suppress(OSError):  # another process may sweep, too
            if time.time() - left_over.stat().st_mtime > ABANDONED:
                left_over.unlink()
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            _flush_to_disk(file.fileno())
        with contextlib.suppress(OSError):  # some file systems have no mode bits
            os.chmod(temporary, 0o644)  # mkstemp makes private files; a run is there to be shared
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def _flush_to_disk(handle: int) -> None:
    """A file system that cannot do this is none to give up a run for; one that is full or broken is."""
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EPERM, errno.EACCES):
            raise


def _explain(error: OSError, path: Path, size: int) -> str:
    if error.errno in NO_ROOM:
        return (
            f"no room for {size / 1e6:.1f} MB at {path}: free some disk space or choose another folder; "
            "what was there before is untouched"
        )
    return f"cannot write {path} ({error.strerror or error}): choose a folder you may write to"


def cache_dir() -> Path:
    """Where downloads are kept: `$GAN_COURSE_CACHE`, else the user's cache, where nobody has a home a temporary one."""
    if chosen := os.environ.get("GAN_COURSE_CACHE"):
        return user_path(chosen, "folder in GAN_COURSE_CACHE").absolute()
    try:
        caches = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    except RuntimeError:
        caches = tempfile.gettempdir()
    return user_path(caches, "folder in XDG_CACHE_HOME").absolute() / "gan-course"


def assets_dir() -> Path:
    """The folder of embedded images and published runs.

    It stands inside the package when the course was installed from a wheel, and beside the package in
    a checkout.

    Raises:
        CourseError: this installation has no such folder.
    """
    package = Path(__file__).resolve().parent
    for folder in (package / "assets", package.parent / "assets"):
        if folder.is_dir():
            return folder
    raise CourseError(f"the course's assets are missing beside {package}: install the course again")
