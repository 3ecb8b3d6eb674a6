"""MNIST and FashionMNIST from the network: torchvision downloads and verifies, here is when it is given up.

torchvision waits as long as the system lets it, for each mirror and file anew. So the mirrors are asked first,
all at once; those that do not answer within SECONDS are left out.
"""

import contextlib
import io
import os
import socket
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from gan_course import files
from gan_course.errors import CourseError
from gan_course.images.idx import SPLITS, Published

SECONDS = 3.0  # for a mirror's first answer, the look-up of its name included
PATIENCE = 10.0  # for each further piece of a file


class NoDownload(CourseError):
    """No mirror delivered the set."""


def fetch(entry: Published, into: Path, progress: bool = True) -> Path:
    """Download a set into the folder `into`, in torchvision's layout, and return the folder of its files.

    They arrive in a temporary folder and are moved when all are whole, so that a reader or a second download
    at the same time never meets half a file.

    Args:
        progress: whether torchvision's bars are shown.

    Raises:
        NoDownload: no mirror answered in time, or none had the right bytes.
        CourseError: the disk is full or the folder cannot be written to.
    """
    raw = into / entry.folder / "raw"
    try:
        raw.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=into, prefix=".download-", ignore_cleanup_errors=True) as folder:
            arrived = _download(entry, folder, progress)
            for split in SPLITS:
                entry.read(arrived, split)
            for file in arrived.iterdir():
                if file.suffix != ".gz":
                    os.replace(file, raw / file.name)
    except OSError as error:
        raise CourseError(
            f"cannot keep the download in {into} ({error.strerror or error}): it needs 120 MB and a folder that you "
            "may write to; GAN_COURSE_CACHE chooses another, GAN_COURSE_OFFLINE=1 takes the embedded images"
        ) from error
    return raw


def _download(entry: Published, folder: str, progress: bool) -> Path:
    """The files as torchvision leaves them. A disk's fault stays an OSError, the network's is NoDownload."""
    from torchvision import datasets  # costs a second, and only a download needs it

    publisher = getattr(datasets, entry.folder)
    alive = type(entry.folder, (publisher,), {"mirrors": _answering(publisher)})
    before, quiet = socket.getdefaulttimeout(), contextlib.redirect_stderr(io.StringIO())
    socket.setdefaulttimeout(PATIENCE)
    try:
        with contextlib.nullcontext() if progress else quiet:
            alive(folder, download=True)
    except Exception as error:  # torchvision's RuntimeErrors, the socket's and the disk's own errors
        if isinstance(error, OSError) and error.errno in files.LASTING:
            raise
        raise NoDownload(" ".join(str(error).split())[:300] or type(error).__name__) from error
    finally:
        socket.setdefaulttimeout(before)
    return Path(folder, entry.folder, "raw")


def _answering(publisher: type) -> list[str]:
    """The mirrors that answer for the set's first file.

    Raises:
        NoDownload: none does; says why for each.
    """
    said = dict.fromkeys(publisher.mirrors, f"no answer within {SECONDS:g} s")

    def ask(mirror: str) -> None:
        request = urllib.request.Request(mirror + publisher.resources[0][0], method="HEAD")
        try:
            urllib.request.urlopen(request, timeout=SECONDS).close()
            said[mirror] = ""
        except urllib.error.HTTPError:
            said[mirror] = ""  # it answers; what is wrong, torchvision will say
        except Exception as error:
            reason = getattr(error, "reason", error)  # urllib wraps the socket's own errors
            if not isinstance(reason, TimeoutError):
                said[mirror] = " ".join(str(reason).split())

    # Threads, because a socket's own time-out does not cover the look-up of a name.
    asked = [threading.Thread(target=ask, args=(mirror,), daemon=True) for mirror in publisher.mirrors]
    end = time.monotonic() + SECONDS
    for thread in asked:
        thread.start()
    for thread in asked:
        thread.join(max(0.0, end - time.monotonic()))
    if alive := [mirror for mirror, why in said.items() if not why]:
        return alive
    hosts = {urllib.parse.urlsplit(mirror).netloc: why for mirror, why in said.items()}
    raise NoDownload("; ".join(f"{host} did not deliver ({why})" for host, why in hosts.items()))
