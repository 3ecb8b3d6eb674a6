"""One file from the network: resumable, checksummed, and soon given up when nobody answers."""

import contextlib
import hashlib
import http.client
import os
import shutil
import tempfile
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from gan_course.errors import CourseError
from gan_course.terminal import bar

try:
    import fcntl
except ImportError:  # Windows: two processes at once then spoil each other's download, and md5 notices
    fcntl = None

SECONDS = 3.0  # to wait for an answer, and for each further piece: three mirrors stay below ten seconds
PATIENCE = 30.0  # the same, for a file that the reader asked for by name and expects to wait for
CHUNK = 1 << 16
CONNECTIONS = 40  # to one mirror for one file; after one that brought nothing it is not asked again

# Hosts that failed in this process, and how. They are not asked again, so that a lesson without a
# network waits once. A new process (a restarted kernel) tries afresh.
given_up: dict[str, str] = {}


class NoDownload(CourseError):
    """No mirror delivered the file. What had arrived is kept and resumed the next time."""


def fetch(urls: Sequence[str], part: Path, md5: str) -> bytes:
    """The bytes of a file with that md5 sum, from the first of `urls` that delivers it.

    Args:
        urls: the mirrors, in order of preference.
        part: where bytes are kept until all have arrived. A part left by an earlier call is
            continued with an HTTP Range request; it is removed on success.
        md5: hexadecimal md5 sum of the whole file.

    Raises:
        NoDownload: no mirror answered in time, or none had the right bytes.
        CourseError: the disk is full or the folder cannot be written to; the part is removed.
    """
    try:
        with _claim(part) as file:
            _deliver(urls, file, md5, part.name.removesuffix(".part"))
            file.seek(0)
            content = file.read()
    except _DiskError as error:
        _remove(part)
        raise CourseError(
            f"cannot keep the download in {part.parent} ({error}): it needs disk space and a folder that you "
            "may write to"
        ) from error
    except NoDownload:
        if part.stat().st_size == 0:
            _remove(part)
        raise
    _remove(part)
    return content


def keep(url: str, file: Path) -> Path:
    """Download a file of any size, without a checksum and without holding it in memory.

    A `.part` left by an earlier call is continued. Whoever reads the file must notice damage.

    Raises:
        NoDownload: no answer in time, a refusal, or another process is fetching the same file.
        CourseError: the disk is full or the folder cannot be written to.
    """
    part = file.with_name(file.name + ".part")
    try:
        with _claim(part) as claimed:
            if not os.path.samestat(os.fstat(claimed.fileno()), os.stat(part)):
                raise NoDownload("another process is fetching it")
            try:
                _persist(url, claimed, file.name)
            except NoDownload:
                if _size(claimed) == 0:
                    _remove(part)
                raise
            os.fsync(claimed.fileno())
            if fcntl is not None:  # before the lock is given up; Windows renames no open file
                os.replace(part, file)
        if fcntl is None:
            os.replace(part, file)
    except (_DiskError, OSError) as error:
        raise CourseError(
            f"cannot keep {file.name} in {part.parent} ({error}): it needs disk space and a folder that you "
            "may write to; GAN_COURSE_CACHE can name another"
        ) from error
    return file


def _persist(url: str, file: BinaryIO, title: str) -> None:
    """All of `url` in `file`, over several connections if need be."""
    for _ in range(CONNECTIONS):
        before = _size(file)
        try:
            return _transfer(url, file, title, PATIENCE)
        except _WrongRange:
            _empty(file)
            failure = "it cannot continue what had arrived"
        except (OSError, http.client.HTTPException) as error:
            failure = _in_short(error, PATIENCE)
            if _size(file) <= before:
                break
    raise NoDownload(f"{urllib.parse.urlsplit(url).netloc} did not deliver ({failure})")


def _deliver(urls: Sequence[str], file: BinaryIO, md5: str, title: str) -> None:
    if _md5(file) == md5:
        return  # all had arrived, and the process was stopped before it could say so
    stale = _size(file) > 0
    for url in urls:
        host = urllib.parse.urlsplit(url).netloc
        for _ in range(CONNECTIONS):
            if host in given_up:
                break
            before = _size(file)
            try:
                _transfer(url, file, title)
            except _WrongRange:
                pass
            except (OSError, http.client.HTTPException) as error:
                if _size(file) <= before:
                    given_up[host] = f"{host} did not deliver ({_in_short(error)})"
                continue
            if _md5(file) == md5:
                return
            # A part from an earlier call may be to blame: try once from the first byte.
            _empty(file)
            if not stale:
                given_up[host] = f"{host} sent other bytes than the published ones"
            stale = False
        given_up.setdefault(host, f"{host} cut the connection {CONNECTIONS} times")
    hosts = dict.fromkeys(urllib.parse.urlsplit(url).netloc for url in urls)
    raise NoDownload("; ".join(given_up[host] for host in hosts))


def _transfer(url: str, file: BinaryIO, title: str, seconds: float | None = None) -> None:
    """Append to `file` what the server still has to send; `seconds` to wait, SECONDS by default."""
    offset = _size(file)
    try:
        answer = _answer(url, {"Range": f"bytes={offset}-"} if offset else {}, seconds or SECONDS)
    except urllib.error.HTTPError as error:
        if error.code == 416 and error.headers.get("Content-Range") == f"bytes */{offset}":
            return  # all of it had arrived
        raise (_WrongRange() if error.code == 416 else error) from None
    with answer as response:
        if response.headers.get_content_type() == "text/html":
            raise ConnectionError("it sent a web page instead of the file")
        if response.status != 206:
            _empty(file)  # no Range, or a server that does not know it: from the first byte
            offset = 0
        elif not response.headers.get("Content-Range", "").startswith(f"bytes {offset}-"):
            raise _WrongRange
        length = response.headers.get("Content-Length")
        whole = offset + int(length) if length and length.isdigit() else None
        _need_room(file, (whole or 0) - offset)
        with bar(desc=title, total=whole, initial=offset, unit="B", unit_scale=True, leave=False) as got:
            while chunk := response.read1(CHUNK):
                _append(file, chunk)
                got.update(len(chunk))
    if whole is not None and _size(file) < whole:
        raise ConnectionError("the connection was cut")


def _answer(url: str, headers: dict[str, str], seconds: float) -> http.client.HTTPResponse:
    """The opened response, or a TimeoutError after `seconds`.

    A socket's own time-out does not cover the look-up of the host's name, hence the thread.
    """
    answer: list = []

    def ask() -> None:
        try:
            answer.append(
                urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=seconds)
            )
        except Exception as error:
            answer.append(error)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(seconds)
    if not answer:
        raise TimeoutError
    if isinstance(answer[0], Exception):
        raise answer[0]
    return answer[0]


@contextlib.contextmanager
def _claim(part: Path) -> Iterator[BinaryIO]:
    """`part`, opened for appending by this process alone; a nameless file if another process is at it."""
    with contextlib.ExitStack() as stack:
        try:
            part.parent.mkdir(parents=True, exist_ok=True)
            file = stack.enter_context(open(part, "a+b"))
            if fcntl is not None:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    file = stack.enter_context(tempfile.TemporaryFile(dir=part.parent))
                except OSError:
                    pass  # a file system without locks
        except OSError as error:
            raise _DiskError(error.strerror) from error
        yield file


def _need_room(file: BinaryIO, needed: int) -> None:
    folder = os.path.dirname(file.name) if isinstance(file.name, str | os.PathLike) else tempfile.gettempdir()
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise _DiskError(f"{needed / 1e6:,.0f} MB are needed, {free / 1e6:,.0f} MB are free")


def _append(file: BinaryIO, chunk: bytes) -> None:
    try:
        file.write(chunk)
        file.flush()
    except OSError as error:
        with contextlib.suppress(OSError):
            file.close()  # drops what was buffered, else leaving the `with` would fail once more
        raise _DiskError(error.strerror) from error


def _empty(file: BinaryIO) -> None:
    file.seek(0)
    file.truncate()


def _remove(part: Path) -> None:
    with contextlib.suppress(OSError):
        part.unlink()


def _size(file: BinaryIO) -> int:
    return os.fstat(file.fileno()).st_size


def _md5(file: BinaryIO) -> str:
    file.seek(0)
    return hashlib.md5(file.read(), usedforsecurity=False).hexdigest()


def _in_short(error: Exception, seconds: float | None = None) -> str:
    cause = getattr(error, "reason", error)  # urllib wraps the look-up's and the socket's own errors
    if isinstance(cause, TimeoutError):
        return f"no answer within {seconds or SECONDS:g} s"
    text = str(error) if isinstance(error, urllib.error.HTTPError) else getattr(cause, "strerror", None)
    return " ".join((text or str(cause)).split()) or type(cause).__name__


class _WrongRange(Exception):
    """The server cannot continue where the part ends."""


class _DiskError(Exception):
    """Writing failed on this side: not the network's fault, so no other mirror is tried."""
