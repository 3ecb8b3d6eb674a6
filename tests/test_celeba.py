"""CelebA, or pictures of one's own: found, fetched, labelled, and the command line's `data`."""

import io
import sys
import types
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from gan_course import data, files
from gan_course.__main__ import main
from gan_course.errors import CourseError
from gan_course.images import celeba
from gan_course.images.decode import decode

NAMES = [f"{i + 1:06d}.jpg" for i in range(12)]
TRAITS = [f"Trait_{i}" for i in range(40)]
FACTS = np.random.default_rng(1).random((len(NAMES), 40)) < 0.5


def picture(i: int) -> bytes:
    buffer = io.BytesIO()
    slope = np.linspace(0, 255, 178)[None, :, None] * np.array([1, 0.5, i / 12]) + np.zeros((218, 1, 1))
    Image.fromarray(slope.astype(np.uint8)).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


JPEGS = {name: picture(i) for i, name in enumerate(NAMES)}


def as_txt(facts=FACTS, names=NAMES) -> str:
    signs = [" ".join(" 1" if fact else "-1" for fact in row) for row in facts]
    rows = [f"{name} {row}" for name, row in zip(names, signs, strict=True)]
    return "\n".join([str(len(rows)), " ".join(TRAITS) + " ", *rows, ""])


def as_csv(facts=FACTS, names=NAMES) -> str:
    signs = [",".join("1" if fact else "-1" for fact in row) for row in facts]
    rows = [f'"{name}",{row}' for name, row in zip(names, signs, strict=True)]
    return "\r\n".join(["\ufeffimage_id," + ",".join(TRAITS), *rows, ""])


def laid_out(folder: Path, contents: dict) -> Path:
    for name, content in contents.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def zipped(contents: dict) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def within(folder: str) -> dict:
    return {f"{folder}/{name}": content for name, content in JPEGS.items()}


KAGGLE = {"list_attr_celeba.csv": as_csv(), **within("img_align_celeba/img_align_celeba")}


def load(name="celeba", **options):
    return data.load(name, 32, progress=False, **options)


def refusal(**options) -> str:
    with pytest.raises(CourseError) as caught:
        load(**options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def assert_whole(found, facts=FACTS):
    assert found.name == "celeba" and [Path(name).name for name in found.names] == NAMES
    for name, image in zip(NAMES, found.images, strict=True):
        assert np.array_equal(image.numpy(), decode(JPEGS[name], 32))
    if facts is None:
        assert found.attributes is None and found.attribute_names == ()
    else:
        assert found.attribute_names == tuple(TRAITS) and found.source.endswith("with 40 attributes.")
        assert torch.equal(found.attributes, torch.from_numpy(facts))


@pytest.fixture(autouse=True)
def a_machine_of_its_own(own_machine, monkeypatch):
    """Nothing found, no kagglehub: a test switches on what it needs."""
    monkeypatch.delenv("GAN_COURSE_OFFLINE")
    monkeypatch.setenv("GAN_COURSE_PROFILE", "cpu")
    monkeypatch.setitem(sys.modules, "kagglehub", None)  # as if it were not installed, on any machine


# Found.


def test_any_folder_of_pictures_is_an_image_set(tmp_path):
    folder = laid_out(tmp_path / "holi days", {**JPEGS, "sub/broken.jpg": b"?", "IMG_1.HEIC": b"x"})
    found = load("faces", path="holi days")
    assert (found.split, len(found), found.classes) == ("all", 12, ("face",))
    assert found.labels.dtype == torch.int64 and found.labels.tolist() == [0] * 12
    assert_whole(found, None)
    assert found.source.startswith(f"12 pictures from {folder}, 1 skipped (sub/broken.jpg is not a picture")
    assert found.source.endswith("1 other file (.heic) left out, without a list of attributes.")


LAYOUTS = [
    {**within("celeba/img_align_celeba"), "celeba/list_attr_celeba.txt": as_txt()},  # torchvision
    {**within("celeba/img_align_celeba"), "celeba/img_align_celeba/list_attr_celeba.txt": as_txt()},
    {"celeba/img_align_celeba.zip": zipped(within("img_align_celeba")), "celeba/list_attr_celeba.txt": as_txt()},
    {"celeba/archive.zip": zipped(KAGGLE)},
    KAGGLE,
]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("how", ["path", "GAN_COURSE_CELEBA", "GAN_COURSE_DATA"])
def test_usual_layouts(tmp_path, monkeypatch, layout, how):
    root = laid_out(tmp_path / "data", {**layout, "MNIST/raw/picture.png": b"none of CelebA's"})
    (root / "celeba" / "img_align_celeba").mkdir(parents=True, exist_ok=True)  # an unpacking that was given up
    monkeypatch.setenv("HOME", str(tmp_path))
    if how != "path":
        monkeypatch.setenv(how, "~/data")
    for name in ("celeba", "faces"):
        assert_whole(load(name, **{"path": "~/data"} if how == "path" else {}))


def test_a_zip_holds_its_own_list(tmp_path):
    (tmp_path / "mine.zip").write_bytes(zipped(KAGGLE))
    assert_whole(load(path="mine.zip"))


def test_what_is_named_is_never_replaced(tmp_path, monkeypatch):
    monkeypatch.setenv("GAN_COURSE_DATA", str(laid_out(tmp_path / "data", {"celeba.zip": zipped(JPEGS)})))
    assert len(load()) == 12
    monkeypatch.setenv("GAN_COURSE_CELEBA", str(tmp_path / "nowhere"))
    for name in ("celeba", "faces"):
        with pytest.raises(CourseError, match="nowhere does not exist"):
            load(name)
    assert "names nothing" in refusal(name="faces", path="")


def test_nothing_found_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("GAN_COURSE_DATA", str(laid_out(tmp_path / "data", {"holiday.jpg": b"no CelebA"})))
    line = refusal()
    assert "GAN_COURSE_CELEBA" in line and "celeba/img_align_celeba" in line and 'fetch("celeba")' in line
    assert not files.cache_dir().exists()


# Fetched.


@pytest.fixture
def kagglehub(monkeypatch, tmp_path):
    """A kagglehub whose `answer` is a folder, or what it raises; `asked` is what it was asked for."""
    module = types.ModuleType("kagglehub")
    module.answer, module.asked = laid_out(tmp_path / "versions" / "2", KAGGLE), []

    def dataset_download(handle):
        module.asked.append(handle)
        if isinstance(module.answer, Exception):
            raise module.answer
        return str(module.answer)

    module.dataset_download = dataset_download
    monkeypatch.setitem(sys.modules, "kagglehub", module)
    return module


def test_what_was_fetched_is_found_again(kagglehub, monkeypatch):
    assert load("faces", count=1).name == "drawn-faces" and kagglehub.asked == []
    assert data.fetch("celeba") == kagglehub.answer
    monkeypatch.setitem(sys.modules, "kagglehub", None)
    assert_whole(load("faces"))
    assert dict(data.describe("celeba"))["cache"].startswith("12 pictures in ")
    assert kagglehub.asked == ["jessicali9530/celeba-dataset"]
    kagglehub.answer.rename(kagglehub.answer.with_name("gone"))
    assert "CelebA was not found" in refusal()


def test_what_kaggle_does_not_deliver_is_one_line_with_a_way_out(kagglehub, tmp_path, monkeypatch):
    for answer, why in (
        (ConnectionError("Max retries\nexceeded"), "Kaggle did not deliver CelebA (Max retries exceeded)"),
        (tmp_path, "is not laid out as CelebA"),
        (None, "`pip install kagglehub`"),
    ):
        kagglehub.answer = answer
        if answer is None:
            monkeypatch.setitem(sys.modules, "kagglehub", None)
        with pytest.raises(CourseError) as caught:
            data.fetch("celeba")
        line = str(caught.value)
        assert why in line and "GAN_COURSE_CELEBA" in line and "\n" not in line


# Attributes.


@pytest.mark.parametrize("form", [as_txt, as_csv])
def test_rows_are_matched_by_name_whatever_their_order_and_ending(tmp_path, form):
    names = ["face 1.jpg", "人 脸.jpg", *NAMES[2:]]
    order = np.random.default_rng(2).permutation(12)
    shuffled = form(FACTS[order], [names[i] for i in order])
    laid_out(tmp_path, {f"list_attr_celeba.{form.__name__[3:]}": shuffled})
    found, values = celeba.attributes(tmp_path, ["x/000003.png", "人 脸.jpg", "face 1.jpg"])
    assert found == tuple(TRAITS) and values.dtype == torch.bool
    assert torch.equal(values, torch.from_numpy(FACTS[[2, 1, 0]]))


def test_a_list_of_other_pictures_or_of_two_with_one_name_is_none_of_these(tmp_path):
    laid_out(tmp_path, {"list_attr_celeba.txt": as_txt(), "mine/IMG_1.jpg": JPEGS[NAMES[0]]})
    assert load(path=tmp_path / "mine").source.endswith("without a list of attributes.")
    laid_out(tmp_path, {"mine/000001.jpg": JPEGS[NAMES[0]], "mine/b/000001.jpg": JPEGS[NAMES[1]]})
    found = load(path=tmp_path / "mine")
    assert found.attributes is None and "several pictures here have the same one" in found.source


DAMAGE = {
    "cut": (lambda text: "\n".join(text.splitlines()[:8]), "lacks 6 of the 12 pictures, among them 000007.jpg"),
    "cut in a line": (lambda text: text[:-30], "line 14 is"),
    "another value": (lambda text: text.replace(" -1 ", " 7 ", 1), "line 3 is"),
    "a web page": (lambda text: "<html>\nno</html>", "neither a number of pictures nor a heading"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_list_is_said_and_the_pictures_are_loaded(tmp_path, damage):
    spoil, why = DAMAGE[damage]
    listing = tmp_path / "faces" / "list_attr_celeba.txt"
    found = load(path=laid_out(tmp_path / "faces", {**JPEGS, listing.name: spoil(as_txt())}))
    assert_whole(found, None)
    assert f"without attributes, because {listing}" in found.source and why in found.source


# The command line.


def command(capsys, *arguments) -> tuple[int, str, str]:
    status = main(["data", *map(str, arguments)])
    said = capsys.readouterr()
    return status, said.out, said.err


def test_the_command_prepares_fetches_and_reports(tmp_path, capsys, kagglehub):
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 9000\n"
    contents = {**JPEGS, "list_attr_celeba.txt": as_txt(), "000013.jpg": pointer}
    folder = laid_out(tmp_path / "人 脸", contents)
    status, out, _ = command(capsys, "celeba", "--path", folder, "--size", 32)
    assert status == 0 and out.startswith(f"12 pictures from {folder}, 1 skipped (000013.jpg is not a picture")
    assert out.endswith(f"with 40 attributes.\n{data.TERMS}\n") and "non-commercial research" in data.TERMS
    (array,) = files.cache_dir().rglob("*.pixels")
    assert array.stat().st_size == 12 * 3 * 32 * 32
    status, out, _ = command(capsys, "celeba", "--fetch", "--size", 32)
    assert status == 0 and f"celeba: whole in {kagglehub.answer}\n12 pictures from " in out
    assert "mnist: MNIST, CC BY-SA 3.0" in command(capsys)[1]
    assert "12 pictures in " in command(capsys, "faces")[1]
    for arguments, said in (
        (["--fetch", "--path", "."], "give one of them"),
        (["--path", "nowhere"], "nowhere does not exist"),
        (["--path", folder, "--size", "9"], "from 16 to 512 works"),
    ):
        status, out, err = command(capsys, "celeba", *arguments)
        assert (status, out, err.count("\n")) == (2, "", 1) and said in err
