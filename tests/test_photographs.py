"""A folder or zip of pictures -> one array: the tutorial's pixels, bad input, interruption, change, speed."""

import builtins
import errno
import hashlib
import io
import os
import re
import shutil
import signal
import statistics
import struct
import subprocess
import sys
import threading
import time
import tracemalloc
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import datasets, transforms

from gan_course import files
from gan_course.errors import CourseError
from gan_course.photos import album, journal, prepare
from gan_course.photos.album import Skip, gather
from gan_course.photos.decode import decode

CHECKOUT = Path(__file__).resolve().parent.parent
TUTORIAL = [transforms.Resize(64), transforms.CenterCrop(64)]

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
    """300 JPEGs of CelebA's size, by name: 75 scenes, each in four files."""
    scenes = [encoded(scene(i)) for i in range(75)]
    return {f"{i + 1:06d}.jpg": scenes[i % 75] for i in range(300)}


@pytest.fixture
def folder(tmp_path, jpegs):
    """60 of them in a folder."""
    return laid_out(tmp_path / "img_align_celeba", dict(list(jpegs.items())[:60]))


def laid_out(folder: Path, contents: dict[str, bytes]) -> Path:
    for name, content in contents.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return folder


def packed(file: Path, contents: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return file


def run(source, size=64):
    return prepare.prepare(source, size, progress=False)


def refusal(function, *arguments) -> str:
    with pytest.raises(CourseError) as caught:
        function(*arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def tree(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def arrays() -> list[Path]:
    return sorted(files.cache_dir().rglob("*.pixels"))


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
    tutorial, differences = transforms.Compose(TUTORIAL), []
    for content in list(jpegs.values())[:75]:
        wanted = np.asarray(tutorial(Image.open(io.BytesIO(content))), int).transpose(2, 0, 1)
        differences.append(abs(decode(content, 64) - wanted).mean())
    assert np.mean(differences) < 0.8 and max(differences) < 2
    wanted = np.asarray(Image.open(io.BytesIO(content)).resize((128, 156), Image.Resampling.BILINEAR), int)
    exact = decode(content, 128).transpose(1, 2, 0)  # 178 is less than twice 128: nothing is reduced
    assert abs(exact - wanted[14:142]).max() <= 1


MODES = {
    "greyscale": (Image.new("L", (40, 40), 90), "PNG", (90, 90, 90)),
    "greyscale JPEG": (Image.new("L", (178, 218), 90), "JPEG", (90, 90, 90)),
    "1 bit": (Image.new("1", (40, 40), 1), "PNG", (255, 255, 255)),
    "16 bits": (Image.fromarray(np.full((40, 40), 0x8123, np.uint16)), "PNG", (0x81,) * 3),
    "transparent": (Image.new("RGBA", (40, 40), (255, 0, 0, 0)), "PNG", (255, 255, 255)),
    "half transparent": (Image.new("RGBA", (40, 40), (200, 0, 0, 128)), "PNG", (227, 127, 127)),
    "grey and alpha": (Image.new("LA", (40, 40), (0, 128)), "PNG", (127, 127, 127)),
    "palette": (Image.new("RGB", (40, 40), (1, 200, 3)).quantize(4), "PNG", (1, 200, 3)),
    "palette GIF": (Image.new("RGB", (40, 40), (1, 200, 3)).quantize(4), "GIF", (1, 200, 3)),
    "CMYK": (Image.new("CMYK", (178, 218), (0, 255, 255, 0)), "JPEG", (254, 0, 0)),
    "CMYK TIFF": (Image.new("CMYK", (40, 40), (0, 255, 255, 0)), "TIFF", (255, 0, 0)),
    "WebP": (Image.new("RGB", (40, 40), (10, 20, 30)), "WEBP", (10, 20, 30)),
}


@pytest.mark.parametrize("kind", MODES)
def test_every_mode_becomes_rgb(kind):
    picture, form, colour = MODES[kind]
    options = {"lossless": True} if form == "WEBP" else {}
    pixels = decode(encoded(picture, form, **options), 32)
    assert pixels.shape == (3, 32, 32) and pixels.dtype == np.uint8
    assert abs(pixels.astype(int) - np.reshape(colour, (3, 1, 1))).max() <= 2


def test_a_transparent_palette_lies_over_white():
    picture = Image.new("P", (40, 40), 1)
    picture.putpalette([0, 0, 0, 200, 10, 10])
    assert (decode(encoded(picture, "PNG", transparency=1), 32) == 255).all()


@pytest.mark.parametrize("form", ["GIF", "PNG", "WEBP", "TIFF"])
def test_of_an_animation_the_first_frame_counts(form):
    frames = [Image.new("RGB", (40, 40), colour) for colour in ("red", "lime", "blue")]
    options = {"lossless": True} if form == "WEBP" else {}
    content = encoded(frames[0], form, save_all=True, append_images=frames[1:], **options)
    assert Image.open(io.BytesIO(content)).n_frames == 3
    assert decode(content, 32)[:, 5, 5].tolist() == [255, 0, 0]


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


def swollen(width: int, height: int) -> bytes:
    """A JPEG whose header promises width × height pixels."""
    content = bytearray(encoded(scene(4)))
    at = content.index(b"\xff\xc0") + 5
    content[at : at + 4] = struct.pack(">HH", height, width)
    return bytes(content)


BAD = {
    "empty.jpg": (b"", "is empty"),
    "text.jpg": (b"Not a picture at all.", "is not a picture"),
    "zeros.png": (bytes(5000), "is not a picture"),
    "pixel.png": (encoded(Image.new("RGB", (1, 1)), "PNG"), "has 1 × 1 pixels, fewer than 16 a side"),
    "line.png": (encoded(Image.new("RGB", (1000, 20)), "PNG"), "has 1000 × 20 pixels: one side is more"),
    "half.jpg": (encoded(scene(5))[:3000], "is damaged (image file is truncated"),
    "half.png": (encoded(scene(5), "PNG")[:9000], "is damaged ("),
    "half.gif": (encoded(scene(5).quantize(64), "GIF")[:3000], "is damaged ("),
    "bomb.png": (bomb(50_000, 50_000), "million"),
    "bomb.jpg": (swollen(50_000, 50_000), "million"),
    "large.png": (bomb(6_000, 6_000), "has 6000 × 6000 pixels, more than 25 million"),
    "script.jpg": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 100\n", "is not a picture"),
    "float.tif": (encoded(Image.fromarray(np.zeros((40, 40), np.float32)), "TIFF"), "floating-point"),
}


@pytest.mark.parametrize("name", [name for name in BAD if name != "empty.jpg"])
def test_a_bad_picture_is_skipped_with_its_reason(name):
    content, why = BAD[name]
    with pytest.raises(Skip) as caught:
        decode(content, 64)
    assert why in str(caught.value) and "\n" not in str(caught.value) and len(str(caught.value)) < 130


# ---------------------------------------------------------------- a folder, a zip


def test_a_folder_becomes_one_array_in_the_order_of_its_names(folder, jpegs):
    before = tree(folder)
    decoded = run(folder)
    assert decoded.names == tuple(sorted(before)) and decoded.skipped == ()
    assert decoded.images.dtype == torch.uint8 and decoded.images.shape == (60, 3, 64, 64)
    for name, image in zip(decoded.names, decoded.images, strict=True):
        assert np.array_equal(image.numpy(), decode(jpegs[name], 64))
    assert decoded.account() == f"60 pictures from {folder.resolve()}"
    assert tree(folder) == before, "nothing is written beside the pictures"
    (array,) = arrays()
    assert array.stat().st_size == 60 * 3 * 64 * 64


def test_the_second_call_decodes_nothing(folder, monkeypatch):
    first = run(folder).images.clone()
    monkeypatch.setattr(journal, "decode", None)
    again = run(folder)
    assert torch.equal(again.images, first) and len(again.names) == 60
    again.images.zero_()  # a private mapping: the array on the disk stays as it is
    assert torch.equal(run(folder).images, first)


def test_a_zip_gives_the_same_as_its_folder(folder, tmp_path):
    contents = {f"img_align_celeba/{name}": content for name, content in tree(folder).items()}
    others = {
        "list_attr_celeba.txt": b"x",
        "__MACOSX/img_align_celeba/._000001.jpg": b"x",
        "a/.hidden.jpg": b"x",
    }
    archive = packed(tmp_path / "celeba.zip", contents | others)
    before = tree(tmp_path)
    decoded = run(archive)
    assert decoded.names == tuple(sorted(contents)) and decoded.skipped == ()
    assert torch.equal(decoded.images, run(folder).images)
    after = tree(tmp_path)
    assert {name for name in after if name not in before and not name.startswith("cache/")} == set()


def test_bad_pictures_are_skipped_counted_and_named(folder, tmp_path, jpegs):
    good = run(folder).images
    laid_out(folder, {f"bad/{name}": content for name, (content, _) in BAD.items()})
    decoded = run(folder)
    assert torch.equal(decoded.images, good) and not any("bad" in name for name in decoded.names)
    assert [name for name, _ in decoded.skipped] == sorted(f"bad/{name}" for name in BAD)
    for name, why in decoded.skipped:
        assert BAD[name.removeprefix("bad/")][1] in why
    line = decoded.account()
    assert (
        line.startswith("60 pictures from ") and f", {len(BAD)} skipped (bad/bomb.jpg is larger than" in line
    )
    assert line.endswith(f"; and {len(BAD) - 5} more)") and "\n" not in line
    archive = packed(tmp_path / "bad.zip", {**tree(folder)})
    assert run(archive).skipped == decoded.skipped


def test_names_in_any_script(tmp_path, jpegs):
    names = ["ひと/顔.jpg", "лицо.JPG", "وجه.jpeg", "चेहरा.jpg", "é😀 ', \".jpg", "two\nlines.jpg"]
    contents = dict(zip(names, jpegs.values(), strict=False))
    if os.name == "posix":
        raw = os.fsdecode(b"caf\xe9.jpg")  # no UTF-8
        laid_out(tmp_path / "faces", {raw: jpegs["000009.jpg"]})
    folder = laid_out(tmp_path / "faces", {**contents, "坏.jpg": b"?", "bad\n\x1b[2J.jpg": b"?"})
    decoded = run(folder)
    assert set(names) <= set(decoded.names) and len(decoded.images) == len(names) + (os.name == "posix")
    line = decoded.account()
    assert "坏.jpg is not a picture" in line and "bad\\n\\x1b[2J.jpg" in line and line.isprintable()
    assert run(folder).names == decoded.names
    assert set(run(packed(tmp_path / "faces.zip", contents)).names) == set(names)


def test_a_zip_whose_names_lead_out_of_it(tmp_path, jpegs):
    inside = tmp_path / "inside"
    inside.mkdir()
    picture = jpegs["000001.jpg"]
    bad = ["../out.jpg", "a/../../out.jpg", "/tmp/out.jpg", "..\\out.jpg", "C:\\out.jpg"]
    archive = packed(inside / "evil.zip", {name: picture for name in [*bad, "good.jpg", "a/b..jpg"]})
    before = tree(tmp_path)
    decoded = run(archive)
    assert decoded.names == ("a/b..jpg", "good.jpg")
    assert {name for name, _ in decoded.skipped} == set(bad)
    assert {why for _, why in decoded.skipped} == {"has a name that leads out of the zip"}
    assert {name for name in tree(tmp_path) if name not in before and not name.startswith("cache/")} == set()
    line = refusal(run, packed(inside / "all.zip", {name: picture for name in bad}))
    assert "no usable picture" in line and "leads out of the zip" in line


def spoilt(archive: Path, marker: bytes, offset: int, value: bytes) -> Path:
    content = bytearray(archive.read_bytes())
    at = content.index(marker) + offset
    content[at : at + len(value)] = value
    archive.write_bytes(content)
    return archive


def test_damaged_and_encrypted_members(tmp_path, jpegs):
    names = ["000001.jpg", "000002.jpg", "000003.jpg"]
    archive = packed(tmp_path / "three.zip", {name: jpegs[name] for name in names})
    spoilt(archive, jpegs["000002.jpg"][3000:3100], 50, b"\0\0\0\0\0\0")  # another checksum
    spoilt(archive, b"PK\x01\x02", 8, b"\x01\x00")  # the central directory says: the first is encrypted
    decoded = run(archive)
    assert decoded.names == ("000003.jpg",)
    reasons = dict(decoded.skipped)
    assert reasons["000001.jpg"] == "is encrypted" and "damaged in the zip" in reasons["000002.jpg"]


def test_a_member_that_unpacks_to_far_too_much_is_not_unpacked(tmp_path, jpegs, monkeypatch):
    monkeypatch.setattr(album, "MOST_BYTES", 100_000)
    archive = tmp_path / "bomb.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("bomb.jpg", bytes(50_000_000))
        made.writestr("good.jpg", jpegs["000001.jpg"])
    laid_out(tmp_path / "folder", {"long.jpg": bytes(100_001), "good.jpg": jpegs["000001.jpg"]})
    assert dict(run(archive).skipped) == {"bomb.jpg": "is larger than 0 MB"}
    assert dict(run(tmp_path / "folder").skipped) == {"long.jpg": "is larger than 0 MB"}


def test_a_member_that_lies_about_its_size_is_not_unpacked_further(tmp_path, jpegs):
    archive = tmp_path / "liar.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("bomb.jpg", bytes(80_000_000))
        made.writestr("good.jpg", jpegs["000001.jpg"])
    for header, at in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):  # both places that tell the size
        spoilt(archive, header, at, struct.pack("<I", 1000))
    tracemalloc.start()
    decoded = run(archive)
    assert tracemalloc.get_traced_memory()[1] < 40_000_000
    tracemalloc.stop()
    assert decoded.names == ("good.jpg",) and "bomb.jpg" in dict(decoded.skipped)


def test_a_compression_that_cannot_be_bounded_is_refused(tmp_path, jpegs):
    archive = tmp_path / "bz2.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_BZIP2) as made:
        made.writestr("one.jpg", jpegs["000001.jpg"])
        made.writestr("two.jpg", jpegs["000002.jpg"], zipfile.ZIP_STORED)
    assert dict(run(archive).skipped) == {"one.jpg": "is compressed in a way that is not read here"}


def test_a_mended_zip_is_noticed(tmp_path, jpegs):
    names = ["000001.jpg", "000002.jpg"]
    archive = packed(tmp_path / "two.zip", {name: jpegs[name] for name in names})
    whole = archive.read_bytes()
    spoilt(archive, jpegs["000002.jpg"][3000:3100], 50, b"\0\0\0\0\0\0")
    assert run(archive).names == ("000001.jpg",)
    archive.write_bytes(whole)
    os.utime(archive, (10**9, 10**9))
    assert run(archive).names == ("000001.jpg", "000002.jpg")


def test_a_disk_that_stutters_loses_no_picture(folder, monkeypatch):
    honest, calls = builtins.open, []

    def stutters(path, *arguments, **options):
        if str(path).endswith("000007.jpg") and not calls:
            calls.append(path)
            raise OSError(errno.EIO, "Input/output error")
        return honest(path, *arguments, **options)

    monkeypatch.setattr(builtins, "open", stutters)
    line = refusal(run, folder)
    assert "000007.jpg" in line and "cannot be read just now (Input/output error)" in line
    decoded = run(folder)
    assert len(decoded.names) == 60 and decoded.skipped == ()


def test_too_little_memory_is_no_fault_of_the_picture(folder, monkeypatch):
    def greedy(content, size):
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(journal, "decode", greedy)
        assert "not enough memory to decode " in refusal(run, folder)
    assert len(run(folder).names) == 60


def test_links_that_lead_in_a_circle_are_not_followed(folder):
    (folder / "again").symlink_to(folder, target_is_directory=True)
    assert len(run(folder).names) == 60


def test_ctrl_c_does_not_wait_for_the_pictures_in_line(folder, monkeypatch):
    seen = []

    def slow(content, size):
        seen.append(size)
        if len(seen) == 5:
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        time.sleep(0.05)
        return decode(content, size)

    monkeypatch.setattr(journal, "decode", slow)
    begin = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run(folder)
    assert time.monotonic() - begin < 1.5 and len(seen) < 40


def test_a_home_that_nobody_has():
    assert "~nobody-has-this/x cannot be read" in refusal(run, "~nobody-has-this/x")


def test_32_bits_that_hold_8_are_not_black():
    values = np.full((40, 40), 200, np.int32)
    content = encoded(Image.fromarray(values, mode="I"), "TIFF")
    assert decode(content, 32).min() == 200


def places_without_pictures(tmp_path, jpegs):
    laid_out(tmp_path / "texts", {"list_attr_celeba.txt": b"1", ".hidden.jpg": b"1"})
    (tmp_path / "nothing").mkdir()
    whole = packed(tmp_path / "whole.zip", {"000001.jpg": jpegs["000001.jpg"]}).read_bytes()
    (tmp_path / "cut.zip").write_bytes(whole[:-60])
    (tmp_path / "page.zip").write_bytes(b"<!DOCTYPE html><title>Google Drive - Quota exceeded</title>")
    packed(tmp_path / "texts.zip", {"readme.txt": b"1"})
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    return {
        "texts": "holds 1 other files and no picture",
        "nothing": "holds nothing",
        "cut.zip": "is not a whole zip",
        "page.zip": "is not a whole zip (File is not a zip file)",
        "texts.zip": "holds 1 other files and no picture",
        "nowhere": "does not exist",
        "circle": "cannot be read",
    }


def test_places_without_pictures_are_refused_and_leave_nothing(tmp_path, jpegs):
    for name, why in places_without_pictures(tmp_path, jpegs).items():
        line = refusal(run, tmp_path / name)
        assert why in line and str(tmp_path / name) in line, line
    assert not files.cache_dir().exists()


def test_only_bad_pictures(tmp_path):
    folder = laid_out(tmp_path / "bad", {name: content for name, (content, _) in BAD.items()})
    line = refusal(run, folder)
    assert (
        line.startswith("no usable picture in ")
        and f"{len(BAD)} skipped" in line
        and "bomb.jpg is larger" in line
    )
    assert arrays() == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_is_not_waited_on(folder):
    os.mkfifo(folder / "pipe.jpg")
    assert len(run(folder).names) == 60


@pytest.mark.parametrize("size", [0, -64, 8, 1000, 64.5, "64"])
def test_sizes_that_do_not_work(folder, size):
    assert "16 to 512 work" in refusal(run, folder, size)


# ---------------------------------------------------------------- change, interruption, a full disk


def add(folder):
    shutil.copy(folder / "000001.jpg", folder / "more.jpg")


def remove(folder):
    (folder / "000007.jpg").unlink()


def replace(folder):
    content = (folder / "000008.jpg").read_bytes()
    stat = (folder / "000007.jpg").stat()
    (folder / "000007.jpg").write_bytes(content)
    os.utime(folder / "000007.jpg", ns=(stat.st_atime_ns, stat.st_mtime_ns + 1_000_000_000))


def rename(folder):
    (folder / "000007.jpg").rename(folder / "zzz.jpg")


@pytest.mark.parametrize("change", [add, remove, replace, rename])
def test_a_changed_folder_is_noticed(folder, change):
    before = run(folder)
    held = before.images.clone()
    change(folder)
    after = run(folder)
    assert (after.names, after.images.shape) != (before.names, held.shape) or not torch.equal(
        after.images, held
    )
    for name, image in zip(after.names, after.images, strict=True):
        assert np.array_equal(image.numpy(), decode((folder / name).read_bytes(), 64))
    assert len(arrays()) == 1, "the old array is removed"
    assert torch.equal(before.images, held), "and those who hold it keep it"


def test_the_old_array_stays_until_the_new_is_whole(folder, monkeypatch):
    run(folder)
    old = arrays()
    add(folder)
    monkeypatch.setattr(journal, "decode", lambda content, size: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run(folder)
    assert set(old) <= set(arrays())


def test_sizes_stand_side_by_side(folder):
    assert run(folder, 64).images.shape[-1] == 64 and run(folder, 32).images.shape[-1] == 32
    assert len(arrays()) == 2


CHILD = """
import os, signal, sys
from gan_course import files
from gan_course.photos import album, journal
journal.CHUNK_BYTES = 40 * 3 * 64 * 64
source, folder, moment, count = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
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
if moment == "decoding":
    journal.decode = end_at(journal.decode, True)
else:
    files.write_atomically = end_at(files.write_atomically, moment == "before the journal")
journal.complete(album.gather(source), 64, journal.Path(folder), False)
"""


def work_folder(folder: Path) -> Path:
    """Where `prepare` decodes a folder to 64 px. A child without torch starts sooner."""
    key = hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:16]
    return files.cache_dir() / "decoded" / f"{key}-64"


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL here")
@pytest.mark.parametrize(
    "moment, count, kept",
    [("decoding", 5, 0), ("before the journal", 3, 80), ("after the journal", 3, 120)],
)
def test_killed_work_goes_on_where_it_stopped(tmp_path, jpegs, monkeypatch, moment, count, kept, process):
    folder = laid_out(
        tmp_path / "faces", {**jpegs, "000010.jpg": b"", "000100.jpg": jpegs["000100.jpg"][:999]}
    )
    child = process("-c", CHILD, folder, work_folder(folder), moment, count, cwd=CHECKOUT)
    assert child.wait() == -signal.SIGKILL, child.communicate()[1]
    decoded_now = []
    counted = decode
    monkeypatch.setattr(journal, "decode", lambda *given: decoded_now.append(1) or counted(*given))
    resumed = run(folder)
    assert len(decoded_now) + kept + (kept == 0) == 300  # the empty file is never decoded: it cannot be
    assert resumed.names == tuple(name for name in sorted(jpegs) if name not in ("000010.jpg", "000100.jpg"))
    (array,) = arrays()
    resumed_bytes = array.read_bytes()
    monkeypatch.setenv("GAN_COURSE_CACHE", str(tmp_path / "another cache"))
    whole = run(folder)
    (array,) = arrays()
    assert array.read_bytes() == resumed_bytes and whole.skipped == tuple(map(tuple, resumed.skipped))


def test_ctrl_c_keeps_what_was_finished(tmp_path, jpegs, process, monkeypatch):
    folder = laid_out(tmp_path / "faces", jpegs)
    code = CHILD.replace("SIGKILL", "SIGINT").replace("os.kill(os.getpid(), ", "signal.raise_signal(")
    child = process("-c", code, folder, work_folder(folder), "after the journal", 2, cwd=CHECKOUT)
    assert child.wait(timeout=60) != 0 and "KeyboardInterrupt" in child.communicate()[1]
    counted, calls = decode, []
    monkeypatch.setattr(journal, "decode", lambda *given: calls.append(1) or counted(*given))
    assert len(run(folder).names) == 300 and len(calls) == 220


@pytest.mark.parametrize("spoil", ["journal", "pixels", "type"])
def test_a_spoilt_cache_is_made_anew(folder, spoil):
    wanted = run(folder).images.clone()
    (array,) = arrays()
    if spoil == "pixels":
        os.truncate(array, 1000)
    else:
        array.with_suffix(".json").write_text("{" if spoil == "journal" else "[1]")
    assert torch.equal(run(folder).images, wanted)


def test_two_at_once_do_the_work_once(folder, process):
    code = """
import sys
from gan_course.photos import album, journal
work = journal.complete(album.gather(sys.argv[1]), 64, journal.Path(sys.argv[2]), True)
print(work.rows)
"""
    both = [process("-c", code, folder, work_folder(folder), cwd=CHECKOUT) for _ in range(2)]
    said = [one.communicate() for one in both]
    assert [out for out, _ in said] == ["60\n", "60\n"], said
    assert sum("decoding to 64 px" in err for _, err in said) == 1
    assert len(arrays()) == 1


def test_the_bar_shows_the_time_left(folder, capfd):
    prepare.prepare(folder, 64)
    assert re.search(
        r"decoding to 64 px: 100%.* 60/60 \[\d+:\d+<\d+:\d+, .*pictures/s", capfd.readouterr().err
    )


def test_too_little_room_is_said_before_the_work(folder, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda place: shutil._ntuple_diskusage(10**9, 10**9, 1_234_567))
    monkeypatch.setattr(journal, "decode", None)
    line = refusal(run, folder)
    assert "9 MB are needed in " in line and "1 MB are free" in line and "GAN_COURSE_CACHE" in line
    assert str(files.cache_dir()) in line and arrays() == []


def test_a_disk_that_fills_up_keeps_what_was_finished(tmp_path, jpegs, monkeypatch):
    pytest.importorskip("resource")
    folder = laid_out(tmp_path / "faces", jpegs)
    code = f"""
import resource
from gan_course.photos import album, journal
journal.CHUNK_BYTES = 40 * 3 * 64 * 64
folder = journal.Path({str(work_folder(folder))!r})
resource.setrlimit(resource.RLIMIT_FSIZE, ({100 * 3 * 64 * 64}, resource.RLIM_INFINITY))
try:
    journal.complete(album.gather({str(folder)!r}), 64, folder, False)
except journal.CourseError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT, capture_output=True, text=True)
    (line,) = done.stdout.splitlines()
    assert "no room" in line and "3 MB are needed" in line and "kept" in line and done.stderr == ""
    calls = []
    monkeypatch.setattr(journal, "decode", lambda *given: calls.append(1) or decode(*given))
    assert len(run(folder).images) == 300 and len(calls) == 220


def test_a_cache_that_cannot_be_written(folder, tmp_path):
    files.cache_dir().write_text("a file where the folder should be")
    assert "GAN_COURSE_CACHE" in refusal(run, folder)


def test_a_folder_that_vanishes_is_not_a_folder_of_damaged_pictures(folder):
    found = gather(folder)
    shutil.rmtree(folder)
    assert "has gone from" in refusal(run, found)


# ---------------------------------------------------------------- speed


def test_faster_than_image_folder(tmp_path, jpegs):
    """In one process, turn by turn; the promise of twice as many is measured on a quiet machine."""
    laid_out(tmp_path / "root" / "img_align_celeba", jpegs)
    as_tensor = [transforms.ToTensor(), transforms.Normalize([0.5] * 3, [0.5] * 3)]
    tutorial = datasets.ImageFolder(tmp_path / "root", transforms.Compose(TUTORIAL + as_tensor))
    ratios = []
    for _ in range(3):
        began = time.perf_counter()
        for i in range(len(tutorial)):
            tutorial[i]
        between = time.perf_counter()
        shutil.rmtree(files.cache_dir(), ignore_errors=True)
        run(tmp_path / "root")
        ratios.append((between - began) / (time.perf_counter() - between))
    assert statistics.median(ratios) > 1.3, ratios
