"""A folder or zip of pictures -> one array: the tutorial's pixels, what is left out and why, interruption, change."""

import builtins
import errno
import io
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import threading
import time
import types
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import transforms

from gan_course import files
from gan_course.errors import CourseError
from gan_course.images import photographs
from gan_course.images.album import Skip, gather
from gan_course.images.decode import decode

CHECKOUT = Path(__file__).resolve().parent.parent
pytestmark = pytest.mark.usefixtures("own_machine")


def scene(seed: int, size=(178, 218)) -> Image.Image:
    """Soft noise with the spectrum of photographs, and a few hard edges."""
    rng, (width, height) = np.random.default_rng(seed), size
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None])
    frequency[0, 0] = 1
    waves = rng.normal(size=(3, 2, *frequency.shape)) / frequency**1.7
    noise = np.fft.irfft2(waves[:, 0] + 1j * waves[:, 1], s=(height, width))
    pixels = 128 + 45 * noise / noise.std((1, 2), keepdims=True)
    x, y = rng.integers(20, 120, 2)
    pixels[:, y : y + 60, x : x + 40] = rng.uniform(0, 255, (3, 1, 1))
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8).transpose(1, 2, 0))


def encoded(picture: Image.Image, form="JPEG", **options) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, form, **{"quality": 80, **options} if form == "JPEG" else options)
    return buffer.getvalue()


@pytest.fixture(scope="session")
def jpegs():
    """120 JPEGs of CelebA's size, by name: 30 scenes, each in four files."""
    scenes = [encoded(scene(i)) for i in range(30)]
    return {f"{i + 1:06d}.jpg": scenes[i % 30] for i in range(120)}


@pytest.fixture
def folder(tmp_path, jpegs):
    return laid_out(tmp_path / "img_align_celeba", dict(list(jpegs.items())[:20]))


def laid_out(folder: Path, contents: dict[str, bytes]) -> Path:
    for name, content in contents.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return folder


def packed(file: Path, contents: dict[str, bytes], **options) -> Path:
    with zipfile.ZipFile(file, "w", **options) as archive:
        for name, content in contents.items():
            member = zipfile.ZipInfo("x")
            member.filename, member.compress_type = name, archive.compression  # as it is, backslashes too
            archive.writestr(member, content)
    return file


def run(source, size=64):
    images, names, account = photographs.prepare(gather(source), size, progress=False)
    return types.SimpleNamespace(images=images, names=names, account=account)


def refusal(source, size=64) -> str:
    with pytest.raises(CourseError) as caught:
        run(source, size)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def tree(folder: Path) -> dict[str, bytes]:
    return {
        file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()
    }


def arrays() -> list[Path]:
    return sorted(files.cache_dir().rglob("*.pixels"))


@pytest.fixture
def decoded_now(monkeypatch):
    """Grows with every picture that is decoded."""
    calls = []
    monkeypatch.setattr(photographs, "decode", lambda *given: calls.append(1) or decode(*given))
    return calls


# ---------------------------------------------------------------- one picture


@pytest.mark.parametrize("size", [(178, 218), (218, 178), (101, 101), (64, 64), (40, 30), (1000, 131)])
@pytest.mark.parametrize("side", [64, 128])
def test_pixels_are_the_tutorials(size, side):
    """Without a reduced JPEG, resampling the square alone gives the same pixels, but for one rounding."""
    picture = scene(1, size)
    tutorial = transforms.Compose([transforms.Resize(side), transforms.CenterCrop(side)])
    wanted = np.asarray(tutorial(picture), int).transpose(2, 0, 1)
    found = decode(encoded(picture, "PNG"), side).astype(int)
    assert found.shape == (3, side, side)
    assert abs(found - wanted).max() <= 1 and (found != wanted).mean() < 0.05


def test_a_jpeg_decoded_at_half_size_differs_by_less_than_a_grey_level(jpegs):
    tutorial, differences = transforms.Compose([transforms.Resize(64), transforms.CenterCrop(64)]), []
    for content in list(jpegs.values())[:30]:
        wanted = np.asarray(tutorial(Image.open(io.BytesIO(content))), int).transpose(2, 0, 1)
        differences.append(abs(decode(content, 64) - wanted).mean())
    assert np.mean(differences) < 0.8 and max(differences) < 2


SPRITE = np.zeros((40, 40, 4), np.uint8)
SPRITE[8:32, 8:32] = 200, 40, 40, 255
WHITE = (255, 255, 255)
MODES = {  # picture, format, colour in the middle, colour in the corner
    "greyscale": (Image.new("L", (40, 40), 90), "PNG", (90, 90, 90)),
    "greyscale JPEG": (Image.new("L", (178, 218), 90), "JPEG", (90, 90, 90)),
    "1 bit": (Image.new("1", (40, 40), 1), "PNG", WHITE),
    "16 bits": (Image.fromarray(np.full((40, 40), 0x8123, np.uint16)), "PNG", (0x81,) * 3),
    "32 bits that hold 8": (Image.fromarray(np.full((40, 40), 200, np.int32)), "TIFF", (200,) * 3),
    "transparent": (Image.new("RGBA", (40, 40), (255, 0, 0, 0)), "PNG", WHITE),
    "half transparent": (Image.new("RGBA", (40, 40), (200, 0, 0, 128)), "PNG", (227, 127, 127)),
    "grey and alpha": (Image.new("LA", (40, 40), (0, 128)), "PNG", (127, 127, 127)),
    "palette": (Image.new("RGB", (40, 40), (1, 200, 3)).quantize(4), "PNG", (1, 200, 3)),
    "palette GIF": (Image.new("RGB", (40, 40), (1, 200, 3)).quantize(4), "GIF", (1, 200, 3)),
    "CMYK": (Image.new("CMYK", (178, 218), (0, 255, 255, 0)), "JPEG", (254, 0, 0)),
    "CMYK TIFF": (Image.new("CMYK", (40, 40), (0, 255, 255, 0)), "TIFF", (255, 0, 0)),
    "WebP": (Image.new("RGB", (40, 40), (10, 20, 30)), "WEBP", (10, 20, 30)),
    "sprite": (Image.fromarray(SPRITE), "PNG", (200, 40, 40), WHITE),
    "sprite with a palette": (Image.fromarray(SPRITE).quantize(8), "PNG", (200, 40, 40), WHITE),
    "grey sprite": (Image.fromarray(SPRITE).convert("LA"), "PNG", (88, 88, 88), WHITE),
    "sprite WebP": (Image.fromarray(SPRITE), "WEBP", (200, 40, 40), WHITE),
    "sprite TIFF": (Image.fromarray(SPRITE), "TIFF", (200, 40, 40), WHITE),
    "sprite GIF": (Image.fromarray(SPRITE), "GIF", (200, 40, 40), WHITE),
}


@pytest.mark.parametrize("kind", MODES)
def test_every_mode_becomes_rgb_over_white(kind):
    picture, form, middle, *corner = MODES[kind]
    pixels = decode(encoded(picture, form, **({"lossless": True} if form == "WEBP" else {})), 32).astype(int)
    assert pixels.shape == (3, 32, 32)
    assert abs(pixels[:, 16, 16] - middle).max() <= 2
    assert abs(pixels[:, 0, 0] - (corner or [middle])[0]).max() <= 2


@pytest.mark.parametrize("mode, colour", [("P", 1), ("RGB", (200, 10, 10)), ("L", 7)])
def test_one_colour_may_be_declared_transparent(mode, colour):
    picture = Image.new(mode, (40, 40), colour)
    if mode == "P":
        picture.putpalette([0, 0, 0, 200, 10, 10])
    assert (decode(encoded(picture, "PNG", transparency=colour), 32) == 255).all()


@pytest.mark.parametrize("form", ["GIF", "PNG", "WEBP", "TIFF", "MPO"])
def test_of_several_frames_the_first_counts(form):
    frames = [Image.new("RGB", (40, 40), colour) for colour in ("red", "lime", "blue")]
    options = {"lossless": True} if form == "WEBP" else {}
    content = encoded(frames[0], form, save_all=True, append_images=frames[1:], **options)
    assert form == "MPO" or Image.open(io.BytesIO(content)).n_frames == 3
    assert abs(decode(content, 32)[:, 5, 5].astype(int) - [255, 0, 0]).max() <= 2


def test_exif_orientation_is_left_alone_as_in_the_tutorial():
    exif = Image.Exif()
    exif[0x0112] = 6
    assert np.array_equal(decode(encoded(scene(3), exif=exif), 64), decode(encoded(scene(3)), 64))


def bomb(width: int, height: int) -> bytes:
    """A PNG whose header promises width × height pixels."""

    def part(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    header = part(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + part(b"IDAT", zlib.compress(bytes(1000))) + part(b"IEND", b"")


BAD = {
    "annex.jpg": (b"/annex/objects/MD5E-s9000--ab.jpg\n", "it begins with '/annex/objects/"),
    "bomb.png": (bomb(50_000, 50_000), "million"),
    "empty.jpg": (b"", "is empty"),
    "float.tif": (encoded(Image.fromarray(np.zeros((40, 40), np.float32)), "TIFF"), "floating-point"),
    "half.gif": (encoded(scene(5).quantize(64), "GIF")[:3000], "is damaged ("),
    "half.jpg": (encoded(scene(5))[:3000], "is damaged (image file is truncated"),
    "half.png": (encoded(scene(5), "PNG")[:9000], "is damaged ("),
    "heic.jpg": (b"\0\0\0\x18ftypheic", "is not a picture that Pillow reads here (JPEG, PNG, "),
    "large.png": (bomb(8_000, 8_000), "has 8000 × 8000 pixels, more than 50 million"),
    "line.png": (encoded(Image.new("RGB", (1000, 20)), "PNG"), "has 1000 × 20 pixels: one side is more"),
    "page.jpg": (b"<!DOCTYPE html>\n<html>", "whatever its name says: it begins with '<!DOCTYPE html>"),
    "pixel.png": (encoded(Image.new("RGB", (1, 1)), "PNG"), "has 1 × 1 pixels, fewer than 16 a side"),
    "pointer.jpg": (
        b"version https://git-lfs.github.com/spec/v1\noid",
        "it begins with 'version https://git-lfs",
    ),
    "script.jpg": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 100\n", "is not a picture"),
    "zeros.png": (bytes(5000), "is not a picture"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_picture_is_skipped_with_its_reason(name):
    content, why = BAD[name]
    with pytest.raises(Skip) as caught:
        decode(content, 64)
    assert why in str(caught.value) and str(caught.value).isprintable() and len(str(caught.value)) < 130


# ---------------------------------------------------------------- a folder, a zip


def test_a_folder_becomes_one_array_in_the_order_of_its_names(folder, jpegs, decoded_now):
    before = tree(folder)
    found = run(folder, np.int64(64))
    assert found.names == tuple(sorted(before)) and found.account == f"20 pictures from {folder.resolve()}"
    assert found.images.dtype == torch.uint8 and found.images.shape == (20, 3, 64, 64)
    for name, image in zip(found.names, found.images, strict=True):
        assert np.array_equal(image.numpy(), decode(jpegs[name], 64))
    assert tree(folder) == before, "nothing is written beside the pictures"
    assert [array.stat().st_size for array in arrays()] == [20 * 3 * 64 * 64] and len(decoded_now) == 20
    first = found.images.clone()
    found.images.zero_()  # a private mapping: the array on the disk stays as it is
    assert torch.equal(run(folder).images, first) and len(decoded_now) == 20, "decoded once"
    assert run(folder, 32).images.shape[-1] == 32 and len(arrays()) == 2, "sizes stand side by side"


CHAFF = {
    "list_attr_celeba.txt": b"x",
    "__MACOSX/img_align_celeba/._000001.jpg": b"x",
    "a/.hidden.jpg": b"x",
    ".ipynb_checkpoints/000001-checkpoint.jpg": b"x",
    "Thumbs.db": b"x",
}


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
@pytest.mark.parametrize("separator", ["/", "\\"])
def test_a_zip_gives_the_same_as_its_folder(folder, tmp_path, method, separator):
    contents = {f"img_align_celeba/{name}": content for name, content in tree(folder).items()}
    members = {name.replace("/", separator): content for name, content in (contents | CHAFF).items()}
    archive = packed(tmp_path / "celeba.zip", members, compression=method)
    found = run(archive)
    assert found.names == tuple(sorted(contents)) and found.account == f"20 pictures from {archive.resolve()}"
    assert torch.equal(found.images, run(laid_out(folder, CHAFF)).images)
    assert {file.name for file in tmp_path.iterdir()} == {"cache", "celeba.zip", "img_align_celeba"}


def test_what_is_left_out_is_named_and_counted(folder, tmp_path):
    good = run(folder).images
    laid_out(folder, {f"bad/{name}": content for name, (content, _) in BAD.items()})
    laid_out(
        folder, {f"IMG_{i}.HEIC": b"x" for i in range(40)} | {".IMG_9.jpg.icloud": b"x", "film.mov": b"x"}
    )
    (folder / "nowhere.jpg").symlink_to(tmp_path / "nowhere.jpg")
    found = run(folder)
    assert torch.equal(found.images, good) and not any("bad" in name for name in found.names)
    line = found.account
    assert line.startswith("20 pictures from ") and line.isprintable()
    assert f", {len(BAD) + 1} skipped (nowhere.jpg is no file that you may read; bad/annex.jpg is not" in line
    assert line.endswith(f"; and {len(BAD) - 4} more), 42 other files (.heic, .icloud, .mov) left out")
    (folder / "nowhere.jpg").unlink()
    assert (
        run(packed(tmp_path / "bad.zip", tree(folder))).account.count(f", {len(BAD)} skipped (bad/annex.jpg")
        == 1
    )


def test_names_in_any_script(tmp_path, jpegs):
    names = ["ひと/顔.jpg", "лицо.JPG", "وجه.jpeg", "चेहरा.jpg", "é😀 ', \".jpg", "two\nlines.jpg"]
    contents = dict(zip(names, jpegs.values(), strict=False))
    if sys.platform == "linux":
        laid_out(tmp_path / "faces", {os.fsdecode(b"caf\xe9.jpg"): jpegs["000009.jpg"]})  # no UTF-8
    folder = laid_out(tmp_path / "faces", {**contents, "坏.jpg": b"?", "bad\n\x1b[2J.jpg": b"?"})
    found = run(folder)
    assert set(names) <= set(found.names) and len(found.images) == len(names) + (sys.platform == "linux")
    line = found.account
    assert "坏.jpg is not a picture" in line and "bad\\n\\x1b[2J.jpg" in line and line.isprintable()
    assert run(folder).names == found.names
    assert set(run(packed(tmp_path / "faces.zip", contents)).names) == set(names)


def test_damaged_and_encrypted_members_and_a_mended_zip(tmp_path, jpegs):
    names = ["000001.jpg", "000002.jpg", "000003.jpg"]
    archive = packed(tmp_path / "three.zip", {name: jpegs[name] for name in names})
    whole = archive.read_bytes()
    at = whole.index(jpegs["000002.jpg"]) + 3000
    spoilt = whole[:at] + bytes(6) + whole[at + 6 :]  # another checksum
    at = spoilt.index(b"PK\x01\x02") + 8  # the central directory says: the first is encrypted
    archive.write_bytes(spoilt[:at] + b"\x01\x00" + spoilt[at + 2 :])
    found = run(archive)
    assert found.names == ("000003.jpg",) and "000001.jpg cannot be unpacked (" in found.account
    assert "encrypted" in found.account and "000002.jpg cannot be unpacked (Bad CRC-32" in found.account
    archive.write_bytes(whole)
    os.utime(archive, (10**9, 10**9))
    assert run(archive).names == tuple(names)


def test_links_are_followed_and_not_in_a_circle(folder, tmp_path, jpegs):
    elsewhere = laid_out(tmp_path / "elsewhere", {"one.jpg": jpegs["000001.jpg"]})
    (folder / "again").symlink_to(folder, target_is_directory=True)
    (folder / "more").symlink_to(elsewhere, target_is_directory=True)
    found = run(folder)
    assert len(found.names) == 21 and "more/one.jpg" in found.names


def test_places_without_pictures_are_refused_and_leave_nothing(tmp_path, jpegs):
    laid_out(tmp_path / "texts", {"list_attr_celeba.txt": b"1", ".hidden.jpg": b"1"})
    laid_out(tmp_path / "films", {"a.mov": b"1"})
    whole = packed(tmp_path / "whole.zip", {"000001.jpg": jpegs["000001.jpg"]}).read_bytes()
    (tmp_path / "cut.zip").write_bytes(whole[:-60])
    (tmp_path / "page.zip").write_bytes(b"<!DOCTYPE html><title>Quota exceeded</title>")
    packed(tmp_path / "empty.zip", {})
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    os.mkfifo(tmp_path / "pipe")
    for name, why in {
        "texts": "holds nothing",
        "films": "holds 1 other file (.mov) and no picture",
        "cut.zip": "is no whole zip",
        "page.zip": "is no whole zip (File is not a zip file)",
        "empty.zip": "holds nothing",
        "nowhere": "does not exist",
        "page.zip/x": "does not exist",
        "circle": "cannot be read",
        "pipe": "is neither a folder nor a file",
    }.items():
        line = refusal(tmp_path / name)
        assert why in line and str(tmp_path / name) in line, line
    assert not files.cache_dir().exists()


def test_only_bad_pictures(tmp_path):
    line = refusal(laid_out(tmp_path / "bad", {name: content for name, (content, _) in BAD.items()}))
    assert line.startswith("no usable picture in ") and f"{len(BAD)} skipped (annex.jpg is not a" in line
    assert arrays() == []


def test_a_folder_or_picture_without_permission(folder, monkeypatch):
    """Also for root, who may read everything."""
    (folder / "locked").mkdir()
    honest, access = os.scandir, os.access

    def refuses(path):
        if str(path).endswith("locked"):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return honest(path)

    with monkeypatch.context() as patch:
        patch.setattr(os, "scandir", refuses)
        patch.setattr(os, "access", lambda path, mode: not str(path).endswith("7.jpg") and access(path, mode))
        line = run(folder).account
        assert line.startswith("18 pictures from ") and "000007.jpg is no file that you may read" in line
        assert "locked/ cannot be read (Permission denied)" in line
        assert "cannot be read (Permission denied)" in refusal(folder / "locked")
    assert run(folder).account.startswith("20 pictures from ")  # once it may be read, nothing is remembered


@pytest.mark.parametrize("size", [0, 8, 1000, 64.5, "64"])
def test_sizes_that_do_not_work(folder, size):
    assert "from 16 to 512 works" in refusal(folder, size)


# ---------------------------------------------------------------- a disk that stutters, memory that is short


def test_a_disk_that_stutters_loses_no_picture(folder, monkeypatch, decoded_now):
    monkeypatch.setattr(photographs, "CHUNK_BYTES", 4 * 3 * 64 * 64)
    honest, calls = builtins.open, []

    def stutters(path, *arguments, **options):
        if str(path).endswith("000007.jpg") and not calls:
            calls.append(path)
            raise OSError(errno.EIO, "Input/output error")
        return honest(path, *arguments, **options)

    monkeypatch.setattr(builtins, "open", stutters)
    line = refusal(folder)
    assert "000007.jpg" in line and "cannot be read just now (Input/output error)" in line
    decoded_now.clear()
    assert run(folder).account == f"20 pictures from {folder.resolve()}" and len(decoded_now) == 16


def test_a_folder_that_vanishes_is_not_a_folder_of_damaged_pictures(folder):
    found = gather(folder)
    shutil.rmtree(folder)
    with pytest.raises(CourseError, match="cannot be read just now"):
        photographs.prepare(found, 64, progress=False)


def test_too_little_memory_is_no_fault_of_the_picture(folder, monkeypatch):
    def greedy(content, size):
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(photographs, "decode", greedy)
        assert "not enough memory to decode " in refusal(folder)
    assert len(run(folder).names) == 20


# ---------------------------------------------------------------- change, interruption, a full disk


def add(folder):
    shutil.copy(folder / "000001.jpg", folder / "more.jpg")


def remove(folder):
    (folder / "000007.jpg").unlink()


def replace(folder):
    stat = (folder / "000007.jpg").stat()
    (folder / "000007.jpg").write_bytes((folder / "000008.jpg").read_bytes())
    os.utime(folder / "000007.jpg", ns=(stat.st_atime_ns, stat.st_mtime_ns + 1_000_000_000))


def rename(folder):
    (folder / "000007.jpg").rename(folder / "zzz.jpg")


@pytest.mark.parametrize("change", [add, remove, replace, rename])
def test_a_changed_folder_is_decoded_anew(folder, change):
    before = run(folder)
    held = before.images.clone()
    change(folder)
    after = run(folder)
    for name, image in zip(after.names, after.images, strict=True):
        assert np.array_equal(image.numpy(), decode((folder / name).read_bytes(), 64))
    assert len(arrays()) == 1, "the old array is removed"
    assert torch.equal(before.images, held), "and those who hold it keep it"


def test_the_old_array_stays_until_the_new_is_whole(folder, monkeypatch):
    run(folder)
    old = arrays()
    add(folder)
    monkeypatch.setattr(photographs, "decode", lambda content, size: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run(folder)
    assert set(old) <= set(arrays())


CHILD = """
import os, signal, sys, time
from gan_course.images import photographs
from gan_course.images.album import gather
photographs.CHUNK_BYTES = 40 * 3 * 64 * 64
moment, count = sys.argv[2], int(sys.argv[3])
def end_at(function, before):
    def counted(*arguments):
        global count
        count -= 1
        if count == 0 and before:
            os.kill(os.getpid(), signal.SIGKILL)
        result = function(*arguments)
        if count == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return result
    return counted
if moment == "together":
    sys.stdin.readline()
    quick = photographs.decode
    photographs.decode = lambda *given: time.sleep(0.005) or quick(*given)
elif moment == "decoding":
    photographs.decode = end_at(photographs.decode, True)
else:
    photographs.files.write_atomically = end_at(photographs.files.write_atomically, moment == "before the journal")
print(len(photographs.prepare(gather(sys.argv[1]), 64)[1]))
"""


@pytest.mark.parametrize(
    "moment, count, kept", [("decoding", 5, 0), ("before the journal", 2, 40), ("after the journal", 2, 80)]
)
def test_killed_work_goes_on_where_it_stopped(
    tmp_path, jpegs, monkeypatch, moment, count, kept, process, decoded_now
):
    folder = laid_out(
        tmp_path / "faces", {**jpegs, "000010.jpg": b"", "000100.jpg": jpegs["000100.jpg"][:999]}
    )
    child = process("-c", CHILD, folder, moment, count, cwd=CHECKOUT)
    assert child.wait() == -signal.SIGKILL, child.communicate()[1]
    resumed = run(folder)
    assert len(decoded_now) + kept == 120
    assert resumed.names == tuple(name for name in sorted(jpegs) if name not in ("000010.jpg", "000100.jpg"))
    assert "2 skipped (000010.jpg is empty; 000100.jpg is damaged" in resumed.account
    images = resumed.images.clone()
    monkeypatch.setenv("GAN_COURSE_CACHE", str(tmp_path / "another cache"))
    assert torch.equal(run(folder).images, images)


def test_ctrl_c_keeps_what_was_finished(tmp_path, jpegs, process, decoded_now):
    folder = laid_out(tmp_path / "faces", jpegs)
    code = CHILD.replace("SIGKILL", "SIGINT").replace("os.kill(os.getpid(), ", "signal.raise_signal(")
    child = process("-c", code, folder, "after the journal", 2, cwd=CHECKOUT)
    assert child.wait(timeout=60) != 0 and "KeyboardInterrupt" in child.communicate()[1]
    assert len(run(folder).names) == 120 and len(decoded_now) == 40


def test_ctrl_c_does_not_wait_for_the_pictures_in_line(folder, monkeypatch):
    seen = []

    def slow(content, size):
        seen.append(size)
        if len(seen) == 3:
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        time.sleep(0.1)
        return decode(content, size)

    monkeypatch.setattr(photographs, "decode", slow)
    monkeypatch.setattr(photographs, "_cores", lambda: 1)
    with pytest.raises(KeyboardInterrupt):
        run(folder)
    assert len(seen) < 20


def test_two_at_once_do_each_other_no_harm(tmp_path, jpegs, process):
    folder = laid_out(tmp_path / "faces", {**jpegs, "000010.jpg": b""})
    both = [process("-c", CHILD, folder, "together", 0, cwd=CHECKOUT, stdin=subprocess.PIPE) for _ in "12"]
    time.sleep(2)  # both have imported what they need
    for one in both:
        one.stdin.write("go\n")
        one.stdin.flush()
    said = [one.communicate(timeout=120) for one in both]
    assert [out for out, _ in said] == ["119\n", "119\n"], said
    assert any(re.search(r"decoding to 64 px: 100%.* 120/120 \[\d+:\d+<", error) for _, error in said)
    found = run(folder)
    for name, image in zip(found.names, found.images, strict=True):
        assert np.array_equal(image.numpy(), decode(jpegs[name], 64))


@pytest.mark.parametrize("spoil", ["journal", "pixels", "type"])
def test_a_spoilt_cache_is_made_anew(folder, spoil):
    wanted = run(folder).images.clone()
    (array,) = arrays()
    if spoil == "pixels":
        os.truncate(array, 1000)
    else:
        array.with_suffix(".json").write_text("{" if spoil == "journal" else "[1]")
    assert torch.equal(run(folder).images, wanted)


def test_too_little_room_is_said_before_the_work(folder, monkeypatch, decoded_now):
    monkeypatch.setattr(shutil, "disk_usage", lambda place: shutil._ntuple_diskusage(10**9, 10**9, 123_456))
    line = refusal(folder, 512)
    assert "no room: 16 MB more are needed, 0 MB are free" in line and "GAN_COURSE_CACHE" in line
    assert str(files.cache_dir()) in line and decoded_now == [] and arrays() == []


def test_a_disk_that_fills_up_keeps_what_was_finished(tmp_path, jpegs, decoded_now):
    pytest.importorskip("resource")
    folder = laid_out(tmp_path / "faces", jpegs)
    limit = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({50 * 3 * 64 * 64}, -1))\n"
    done = subprocess.run(
        [sys.executable, "-c", limit + CHILD, folder, "never", "0"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
    )
    line = done.stderr.splitlines()[-1]
    assert (
        "CourseError: cannot keep the decoded pictures in " in line
        and "no room: 1 MB more are needed" in line
    )
    assert "what was finished is kept" in line
    assert len(run(folder).images) == 120 and len(decoded_now) == 80


def test_a_cache_that_cannot_be_written(folder):
    files.cache_dir().write_text("a file where the folder should be")
    assert "GAN_COURSE_CACHE" in refusal(folder)
