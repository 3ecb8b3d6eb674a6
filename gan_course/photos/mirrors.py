"""Where CelebA can be fetched from: Kaggle, Hugging Face, and Google Drive as torchvision does.

Each function leaves one zip in the folder it is given and returns it. What can be missing (a package, a
permission, Google's daily quota) is said in one line, so that the next can be tried. Terms of use:
non-commercial research only.
"""

import contextlib
import csv
import io
import json
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from gan_course import download
from gan_course.download import NoDownload
from gan_course.errors import CourseError

KAGGLE = "https://www.kaggle.com/api/v1/datasets/download/jessicali9530/celeba-dataset"
HUGGING_FACE = "https://huggingface.co/api/datasets"
HUGGING_FACE_SETS = ("flwrlabs/celeba", "nielsr/CelebA-faces")  # the first has the attributes too
SPLITS = ("train", "valid", "validation", "test")  # in this order they are numbered as CelebA is
FILES = ("kaggle.zip", "hugging-face.zip", "img_align_celeba.zip")  # what the three leave in the cache


def kaggle(folder: Path) -> Path:
    """Kaggle's zip of pictures and lists, as it is; no account is needed.

    Raises:
        NoDownload: no answer, a refusal, or something other than a zip.
        CourseError: there is no room in the folder.
    """
    file = download.keep(KAGGLE, folder / FILES[0])
    if not zipfile.is_zipfile(file):
        file.unlink()
        raise NoDownload("what it sent is not a whole zip")
    return file


def hugging_face(folder: Path) -> Path:
    """The pictures of a Hugging Face set, repacked from its Parquet files into a zip.

    Raises:
        NoDownload: pyarrow is not installed; no answer, a refusal, or no pictures in the answer.
        CourseError: there is no room in the folder.
    """
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError:
        raise NoDownload("its files need pyarrow, which is not installed (pip install pyarrow)") from None
    failures = []
    for name in HUGGING_FACE_SETS:
        try:
            return _repacked(_parquet_files(name, folder), folder / FILES[1])
        except NoDownload as error:
            failures.append(f"{name}: {error}")
    raise NoDownload("; ".join(failures))


def google_drive(folder: Path) -> Path:
    """torchvision's way: CelebA's own Google Drive, which is over its quota on many days.

    Raises:
        NoDownload: gdown is not installed, or Google did not deliver the published file.
    """
    try:
        import gdown  # noqa: F401
    except ImportError:
        raise NoDownload("Google Drive needs gdown, which is not installed (pip install gdown)") from None
    from torchvision.datasets import CelebA, utils

    published = {name: (number, md5) for number, md5, name in CelebA.file_list}

    def get(name: str) -> None:
        number, md5 = published[name]
        utils.download_file_from_google_drive(number, str(folder), name, md5)

    try:
        folder.mkdir(parents=True, exist_ok=True)
        get(FILES[2])
    except Exception as error:  # gdown, requests and torchvision each have their own
        (folder / FILES[2]).unlink(missing_ok=True)
        raise NoDownload(f"Google Drive did not deliver ({' '.join(str(error).split())[:160]})") from error
    with contextlib.suppress(Exception):  # the pictures do without their attributes
        get("list_attr_celeba.txt")
    return folder / FILES[2]


MIRRORS = {"Kaggle": kaggle, "Hugging Face": hugging_face, "torchvision": google_drive}


def _parquet_files(name: str, folder: Path) -> list[Path]:
    """All Parquet files of a set, fetched, in the order of the splits."""
    listing = download.keep(f"{HUGGING_FACE}/{name}/parquet", folder / "listing.json")
    try:
        splits = next(iter(json.loads(listing.read_bytes()).values()))
        order = sorted(splits, key=lambda split: (SPLITS.index(split) if split in SPLITS else 9, split))
        urls = [url for split in order for url in splits[split]]
        if not all(isinstance(url, str) and url.startswith(("https://", "http://")) for url in urls):
            raise ValueError
    except (ValueError, AttributeError, TypeError, StopIteration):
        raise NoDownload("its list of files cannot be read") from None
    finally:
        listing.unlink(missing_ok=True)
    if not urls:
        raise NoDownload("it lists no files")
    label = name.replace("/", "-")
    files = []
    for i, url in enumerate(urls):
        file = folder / f"{label}-{i:03d}-of-{len(urls):03d}.parquet"
        files.append(file if file.exists() else download.keep(url, file))
    return files


def _repacked(parquets: list[Path], file: Path) -> Path:
    """One zip of all pictures, and of their attributes as in Kaggle's list; the Parquet files go."""
    unfinished, table = file.with_suffix(".tmp"), io.StringIO()
    try:
        with open(unfinished, "wb") as raw:
            with zipfile.ZipFile(raw, "w") as archive:  # stored: a JPEG does not shrink
                rows, written, writer = 0, set(), csv.writer(table)
                for name, content, facts in _rows(parquets):
                    rows += 1
                    name = PurePosixPath(name or "").name
                    if not name or name in written:
                        name = f"{rows:06d}.jpg"
                    written.add(name)
                    archive.writestr(f"img_align_celeba/{name}", content)
                    if facts and rows == 1:
                        writer.writerow(["image_id", *facts])
                    if facts:
                        writer.writerow([name, *(1 if fact else -1 for fact in facts.values())])
                if not rows:
                    raise NoDownload("there are no pictures in its files")
                if table.tell():
                    archive.writestr("list_attr_celeba.csv", table.getvalue(), zipfile.ZIP_DEFLATED)
            raw.flush()
            os.fsync(raw.fileno())
        os.replace(unfinished, file)
    except OSError as error:
        raise CourseError(
            f"cannot write {file} ({error.strerror}): the zip needs the room of its Parquet files once more; "
            "GAN_COURSE_CACHE can name a folder on another disk"
        ) from error
    finally:
        unfinished.unlink(missing_ok=True)
    for parquet in parquets:
        parquet.unlink()
    return file


def _rows(parquets: list[Path]) -> Iterator[tuple[str | None, bytes, dict[str, bool]]]:
    """(file name or None, picture, attributes) of every row."""
    import pyarrow
    import pyarrow.parquet

    for parquet in parquets:
        try:
            with pyarrow.parquet.ParquetFile(parquet) as file:
                fields = file.schema_arrow
                facts = [field.name for field in fields if pyarrow.types.is_boolean(field.type)]
                image = next(field.name for field in fields if pyarrow.types.is_struct(field.type))
                for batch in file.iter_batches(256, columns=[image, *facts]):
                    for row in batch.to_pylist():
                        picture = row[image]
                        if not picture or not picture["bytes"]:
                            continue
                        yield picture.get("path"), picture["bytes"], {fact: row[fact] for fact in facts}
        except (pyarrow.ArrowException, StopIteration, KeyError, AttributeError, OSError) as error:
            parquet.unlink(missing_ok=True)  # fetched anew the next time
            raise NoDownload(f"{parquet.name} is damaged or holds no pictures") from error
