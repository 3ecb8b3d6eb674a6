"""Files that are either whole or absent, and the folder where downloads are kept."""

import errno
import os
import tempfile
from pathlib import Path

from gan_course.errors import CourseError


def write_atomically(path: str | Path, content: bytes) -> Path:
    """Write `content` so that `path` holds the old bytes or all of the new ones, never a part.

    The bytes go to a temporary name in the same folder, are flushed to the disk and renamed into
    place. A failed write leaves no temporary file behind; a killed one leaves a `.NAME.*.tmp`, which
    the next write of the same name sweeps away.

    Raises:
        CourseError: the disk is full or the folder cannot be written to.
    """
    path = Path(path)
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for left_over in path.parent.glob(f".{path.name}.*.tmp"):
            left_over.unlink(missing_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)  # mkstemp makes private files; a run is there to be shared
        os.replace(temporary, path)
    except BaseException as error:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise CourseError(_explain(error, path, len(content))) from error
        raise
    return path


def _explain(error: OSError, path: Path, size: int) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return (
            f"no room for {size / 1e6:.1f} MB at {path}: free some disk space or choose another folder; "
            "what was there before is untouched"
        )
    return f"cannot write {path} ({error.strerror}): choose a folder you may write to"


def cache_dir() -> Path:
    """Where downloaded data sets are kept: `$GAN_COURSE_CACHE`, else `~/.cache/gan-course`."""
    chosen = os.environ.get("GAN_COURSE_CACHE")
    if chosen:
        return Path(chosen).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "gan-course"


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
