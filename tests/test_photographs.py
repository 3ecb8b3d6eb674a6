"""A folder or zip of pictures -> one array: the tutorial's pixels, what is left out and why, interruption, change."""

import builtins
import errno
import io
import os
import shutil
import signal
import threading
import time
import types
import zipfile
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
    """Soft colours, and a patch with hard edges."""
    rng = np.random.default_rng(seed)
    picture = Image.fromarray(rng.integers(0, 256, (14, 11, 3), np.uint8)).resize(size, Image.Resampling.BICUBIC)
    picture.paste(tuple(rng.integers(0, 256, 3).tolist()), (10, 12, 31, 30))
    return picture


def encoded(picture: Image.Image, form="JPEG", **options) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()


def laid_out(folder: Path, contents: dict[str, bytes]) -> Path:
    for name, content in contents.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return folder


def packed(file: Path, contents: dict[str, bytes], **options) -> Path:
    with zipfile.ZipFile(file, "w", **options) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return file


def tree(folder: Path) -> dict[str, bytes]:
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def arrays() -> list[Path]:
    return sorted(files.cache_dir().rglob("*.pixels"))


def run(source, size=64):
    images, names, account = photographs.prepare(gather(source), size, progress=False)
    return types.SimpleNamespace(images=images, names=names, account=account)


def refusal(source, size=64) -> str:
    with pytest.raises(CourseError) as caught:
        run(source, size)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def assert_pixels(found, contents) -> None:
    for name, image in zip(found.names, found.images, strict=True):
        assert np.array_equal(image.numpy(), decode(contents[name], 64))


@pytest.fixture(scope="session")
def jpegs():
    """120 JPEGs of CelebA's size, by name: 30 scenes, each in four files."""
    scenes = [encoded(scene(i), quality=80) for i in range(30)]
    return {f"{i + 1:06d}.jpg": scenes[i % 30] for i in range(120)}


@pytest.fixture
def folder(tmp_path, jpegs):
    return laid_out(tmp_path / "img_align_celeba", dict(list(jpegs.items())[:20]))


@pytest.fixture
def decoded_now(monkeypatch):
    """Grows with every picture that is decoded."""
    calls = []
    monkeypatch.setattr(photographs, "decode", lambda *given: calls.append(1) or decode(*given))
    return calls


# One picture.


def tutorial(picture, side: int) -> np.ndarray:
    pixels = transforms.Compose([transforms.Resize(side), transforms.CenterCrop(side)])(picture)
    return np.asarray(pixels, int).transpose(2, 0, 1)


@pytest.mark.parametrize("size", [(178, 218), (101, 101), (64, 64), (40, 30), (1000, 131)])
def test_pixels_are_the_tutorials(size):
    """Without a reduced JPEG, resampling the square alone gives the same pixels, but for one rounding."""
    wanted = tutorial(scene(1, size), 64)
    found = decode(encoded(scene(1, size), "PNG"), 64).astype(int)
    assert found.shape == (3, 64, 64)
    assert abs(found - wanted).max() <= 1 and (found != wanted).mean() < 0.05


def test_a_jpeg_decoded_at_half_size_differs_by_less_than_a_grey_level(jpegs):
    some = list(jpegs.values())[:30]
    differences = [abs(decode(each, 64) - tutorial(Image.open(io.BytesIO(each)), 64)).mean() for each in some]
    assert np.mean(differences) < 0.8 and max(differences) < 2


def plain(mode: str, colour) -> Image.Image:
    return Image.new(mode, (40, 40), colour)


SPRITE = np.zeros((40, 40, 4), np.uint8)
SPRITE[8:32, 8:32] = 200, 40, 40, 255
WHITE = (255, 255, 255)
MODES = {  # picture, format, colour in the middle, colour in the corner
    "greyscale": (plain("L", 90), "JPEG", (90, 90, 90)),
    "1 bit": (plain("1", 1), "PNG", WHITE),
    "16 bits": (Image.fromarray(np.full((40, 40), 0x8123, np.uint16)), "PNG", (0x81,) * 3),
    "32 bits that hold 8": (Image.fromarray(np.full((40, 40), 200, np.int32)), "TIFF", (200,) * 3),
    "half transparent": (plain("RGBA", (200, 0, 0, 128)), "PNG", (227, 127, 127)),
    "grey and alpha": (plain("LA", (0, 128)), "PNG", (127, 127, 127)),
    "palette": (plain("RGB", (1, 200, 3)).quantize(4), "PNG", (1, 200, 3)),
    "CMYK": (plain("CMYK", (0, 255, 255, 0)), "JPEG", (254, 0, 0)),
    "sprite": (Image.fromarray(SPRITE), "WEBP", (200, 40, 40), WHITE),
    "sprite with a palette": (Image.fromarray(SPRITE).quantize(8), "PNG", (200, 40, 40), WHITE),
    "sprite GIF": (Image.fromarray(SPRITE), "GIF", (200, 40, 40), WHITE),
}


@pytest.mark.parametrize("kind", MODES)
def test_every_mode_becomes_rgb_over_white(kind):
    picture, form, middle, *corner = MODES[kind]
    pixels = decode(encoded(picture, form, **({"lossless": True} if form == "WEBP" else {})), 32).astype(int)
    assert pixels.shape == (3, 32, 32)
    assert abs(pixels[:, 16, 16] - middle).max() <= 2
    assert abs(pixels[:, 0, 0] - (corner or [middle])[0]).max() <= 2


def test_transparent_colours_frames_and_orientation():
    declared = encoded(plain("RGB", (200, 10, 10)), "PNG", transparency=(200, 10, 10))
    assert (decode(declared, 32) == 255).all(), "one colour may be declared transparent"
    frames = [plain("RGB", colour) for colour in ("red", "lime", "blue")]
    moving = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert decode(moving, 32)[:, 5, 5].tolist() == [255, 0, 0], "of several frames the first counts"
    exif = Image.Exif()
    exif[0x0112] = 6
    turned, upright = encoded(scene(3), exif=exif), encoded(scene(3))
    assert np.array_equal(decode(turned, 64), decode(upright, 64)), "left alone, as in the tutorial"


BAD = {
    "empty.jpg": (b"", "is empty"),
    "float.tif": (encoded(Image.fromarray(np.zeros((40, 40), np.float32)), "TIFF"), "floating-point"),
    "half.jpg": (encoded(scene(5))[:1500], "is damaged (image file is truncated"),
    "half.png": (encoded(scene(5), "PNG")[:9000], "is damaged ("),
    "heic.jpg": (b"\0\0\0\x18ftypheic", "is not a picture that Pillow reads here (JPEG, PNG, "),
    "large.png": (encoded(Image.new("1", (8_000, 8_000)), "PNG"), "has 8000 × 8000 pixels, more than 50 million"),
    "page.jpg": (b"<!DOCTYPE html>\n<html>", "whatever its name says: it begins with '<!DOCTYPE html>"),
    "pixel.png": (encoded(Image.new("RGB", (1, 1)), "PNG"), "has 1 × 1 pixels, fewer than 16 a side"),
    "script.jpg": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 100\n", "is not a picture"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_picture_is_skipped_with_its_reason(name):
    content, why = BAD[name]
    with pytest.raises(Skip) as caught:
        decode(content, 64)
    assert why in str(caught.value) and str(caught.value).isprintable() and len(str(caught.value)) < 130


# A folder, a zip.


def test_a_folder_becomes_one_array_in_the_order_of_its_names(folder, jpegs, decoded_now):
    before = tree(folder)
    found = run(folder, np.int64(64))
    assert found.names == tuple(sorted(before)) and found.account == f"20 pictures from {folder.resolve()}"
    assert found.images.dtype == torch.uint8 and found.images.shape == (20, 3, 64, 64)
    assert_pixels(found, jpegs)
    assert tree(folder) == before, "nothing is written beside the pictures"
    assert [array.stat().st_size for array in arrays()] == [20 * 3 * 64 * 64] and len(decoded_now) == 20
    first = found.images.clone()
    found.images.zero_()  # a private mapping: the array on the disk stays as it is
    assert torch.equal(run(folder).images, first) and len(decoded_now) == 20, "decoded once"
    assert run(folder, 32).images.shape[-1] == 32 and len(arrays()) == 2, "sizes stand side by side"
    assert "from 16 to 512 works" in refusal(folder, 8)


def test_a_zip_gives_the_same_as_its_folder_without_what_lies_beside(folder, tmp_path):
    contents = {f"img_align_celeba/{name}": content for name, content in tree(folder).items()}
    beside = ("list_attr_celeba.txt", "__MACOSX/img/._000001.jpg", "a/.hidden.jpg", ".ipynb_checkpoints/1.jpg")
    chaff = dict.fromkeys(beside, b"x")
    archive = packed(tmp_path / "celeba.zip", contents | chaff, compression=zipfile.ZIP_DEFLATED)
    found = run(archive)
    assert found.names == tuple(sorted(contents)) and found.account == f"20 pictures from {archive.resolve()}"
    assert torch.equal(found.images, run(laid_out(folder, chaff)).images)
    assert {file.name for file in tmp_path.iterdir()} == {"cache", "celeba.zip", "img_align_celeba"}


def test_what_is_left_out_is_named_and_counted(folder, tmp_path):
    good = run(folder).images
    bad = {f"bad/{name}": content for name, (content, _) in BAD.items()}
    foreign = {f"IMG_{i}.HEIC": b"x" for i in range(40)} | {".IMG_9.jpg.icloud": b"x", "film.mov": b"x"}
    laid_out(folder, bad | foreign)
    (folder / "nowhere.jpg").symlink_to(tmp_path / "nowhere.jpg")
    found = run(folder)
    assert torch.equal(found.images, good) and not any("bad" in name for name in found.names)
    line = found.account
    assert line.startswith("20 pictures from ") and line.isprintable()
    assert f", {len(BAD) + 1} skipped (nowhere.jpg is no file that you may read; bad/empty.jpg is" in line
    assert line.endswith(f"; and {len(BAD) - 4} more), 42 other files (.heic, .icloud, .mov) left out")
    line = refusal(folder / "bad")
    assert line.startswith("no usable picture in ") and f"{len(BAD)} skipped (empty.jpg is " in line
    assert len(arrays()) == 1


def test_names_in_any_script(tmp_path, jpegs):
    contents = dict(zip(["ひと/顔.jpg", "лицо.JPG", "é😀 ', \".jpg", "two\nlines.jpg"], jpegs.values(), strict=False))
    folder = laid_out(tmp_path / "faces", {**contents, "坏.jpg": b"?", "bad\n\x1b[2J.jpg": b"?"})
    found = run(folder)
    assert set(found.names) == set(contents) == set(run(packed(tmp_path / "faces.zip", contents)).names)
    line = found.account
    assert "坏.jpg is not a picture" in line and "bad\\n\\x1b[2J.jpg" in line and line.isprintable()


def test_a_damaged_member_and_a_mended_zip(tmp_path, jpegs):
    archive = packed(tmp_path / "two.zip", {name: jpegs[name] for name in ("000001.jpg", "000002.jpg")})
    whole = archive.read_bytes()
    at = whole.index(jpegs["000002.jpg"]) + 1000
    archive.write_bytes(whole[:at] + bytes(6) + whole[at + 6 :])
    found = run(archive)
    assert found.names == ("000001.jpg",) and "000002.jpg cannot be unpacked (Bad CRC-32" in found.account
    archive.write_bytes(whole)
    os.utime(archive, (10**9, 10**9))
    assert len(run(archive).names) == 2


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
    for name, why in {
        "texts": "holds nothing",
        "films": "holds 1 other file (.mov) and no picture",
        "cut.zip": "is no whole zip",
        "page.zip": "is no whole zip (File is not a zip file)",
        "empty.zip": "holds nothing",
        "nowhere": "does not exist",
    }.items():
        line = refusal(tmp_path / name)
        assert why in line and str(tmp_path / name) in line, line
    assert not files.cache_dir().exists()


# A disk that stutters, a folder that changes, work that is cut off, a full disk.


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


def test_a_changed_folder_is_decoded_anew(folder):
    before = run(folder)
    held, stat = before.images.clone(), (folder / "000007.jpg").stat()
    shutil.copy(folder / "000001.jpg", folder / "more.jpg")
    assert_pixels(run(folder), tree(folder))
    (folder / "000002.jpg").unlink()
    assert_pixels(run(folder), tree(folder))
    (folder / "000007.jpg").write_bytes((folder / "000008.jpg").read_bytes())
    os.utime(folder / "000007.jpg", ns=(stat.st_atime_ns, stat.st_mtime_ns + 1_000_000_000))
    assert_pixels(run(folder), tree(folder))
    assert len(arrays()) == 1, "the old array is removed"
    assert torch.equal(before.images, held), "and those who hold it keep it"


CHILD = """
import os, signal, sys
from gan_course.images import photographs
from gan_course.images.album import gather
photographs.CHUNK_BYTES = 40 * 3 * 64 * 64
name, count = sys.argv[2], int(sys.argv[3])
owner = photographs.files if name == "write_atomically" else photographs
honest = getattr(owner, name)
def counted(*arguments):
    global count
    count -= 1
    if count == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return honest(*arguments)
setattr(owner, name, counted)
print(len(photographs.prepare(gather(sys.argv[1]), 64)[1]))
"""


@pytest.mark.parametrize("moment, count", [("decode", 50), ("write_atomically", 2)])
def test_killed_work_goes_on_where_it_stopped(tmp_path, jpegs, process, decoded_now, moment, count):
    """In the middle of the second chunk, and when its pixels are written but not yet in the journal."""
    spoilt = {"000010.jpg": b"", "000100.jpg": jpegs["000100.jpg"][:999]}
    folder = laid_out(tmp_path / "faces", jpegs | spoilt)
    child = process("-c", CHILD, folder, moment, count, cwd=CHECKOUT)
    assert child.wait() == -signal.SIGKILL, child.communicate()[1]
    resumed = run(folder)
    assert len(decoded_now) == 80
    assert resumed.names == tuple(name for name in sorted(jpegs) if name not in spoilt)
    assert "2 skipped (000010.jpg is empty; 000100.jpg is damaged" in resumed.account
    assert_pixels(resumed, jpegs)


def test_ctrl_c_keeps_what_was_finished_and_does_not_wait_for_the_rest(folder, monkeypatch):
    seen = []

    def slow(content, size):
        seen.append(size)
        if len(seen) == 7:
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        time.sleep(0.1)
        return decode(content, size)

    monkeypatch.setattr(photographs, "CHUNK_BYTES", 5 * 3 * 64 * 64)
    monkeypatch.setattr(photographs, "decode", slow)
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    with pytest.raises(KeyboardInterrupt):
        run(folder)
    assert (begun := len(seen)) < 10
    assert len(run(folder).names) == 20 and len(seen) - begun == 15


def test_two_at_once_do_each_other_no_harm(tmp_path, jpegs, process):
    folder = laid_out(tmp_path / "faces", jpegs | {"000010.jpg": b""})
    both = [process("-c", CHILD, folder, "decode", 0, cwd=CHECKOUT) for _ in "12"]
    said = [one.communicate(timeout=900) for one in both]
    assert [out for out, _ in said] == ["119\n", "119\n"], said
    assert_pixels(run(folder), jpegs)


def test_a_spoilt_cache_is_made_anew(folder, jpegs):
    run(folder)
    (array,) = arrays()
    os.truncate(array, 1000)
    assert_pixels(run(folder), jpegs)
    array.with_suffix(".json").write_text("{")
    assert_pixels(run(folder), jpegs)


def test_too_little_room_is_said_before_the_work(folder, monkeypatch, decoded_now):
    monkeypatch.setattr(shutil, "disk_usage", lambda place: shutil._ntuple_diskusage(10**9, 10**9, 123_456))
    line = refusal(folder, 512)
    assert "no room: 16 MB more are needed, 0 MB are free" in line and "GAN_COURSE_CACHE" in line
    assert decoded_now == [] and arrays() == []


def test_a_disk_that_fills_up_keeps_what_was_finished(tmp_path, jpegs, monkeypatch, decoded_now):
    resource = pytest.importorskip("resource")
    folder = laid_out(tmp_path / "faces", jpegs)
    monkeypatch.setattr(photographs, "CHUNK_BYTES", 40 * 3 * 64 * 64)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50 * 3 * 64 * 64, limits[1]))
    try:
        line = refusal(folder)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert "no room: 1 MB more are needed" in line and "what was finished is kept" in line
    decoded_now.clear()
    assert len(run(folder).images) == 120 and len(decoded_now) == 80


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


def test_a_cache_that_cannot_be_written(folder):
    files.cache_dir().write_text("a file where the folder should be")
    assert "GAN_COURSE_CACHE" in refusal(folder)
