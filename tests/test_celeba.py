"""CelebA, or pictures of one's own: found, fetched, labelled, and the command line's `data`."""

import contextlib
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


@pytest.fixture(autouse=True)
def a_machine_of_its_own(own_machine, monkeypatch):
    """Nothing found, no kagglehub: a test switches on what it needs."""
    monkeypatch.delenv("GAN_COURSE_OFFLINE")
    monkeypatch.setenv("GAN_COURSE_PROFILE", "cpu")
    monkeypatch.setitem(sys.modules, "kagglehub", None)  # as if it were not installed, on any machine


@pytest.fixture(scope="session")
def jpegs():
    made = {}
    for i, name in enumerate(NAMES):
        buffer = io.BytesIO()
        slope = np.linspace(0, 255, 178)[None, :, None] * np.array([1, 0.5, i / 12]) + np.zeros((218, 1, 1))
        Image.fromarray(slope.astype(np.uint8)).save(buffer, "JPEG", quality=90)
        made[name] = buffer.getvalue()
    return made


@pytest.fixture(scope="session")
def facts():
    """bool [12, 40]"""
    return np.random.default_rng(1).random((len(NAMES), 40)) < 0.5


def as_txt(facts, names=NAMES) -> str:
    signs = [" ".join(" 1" if fact else "-1" for fact in row) for row in facts]
    rows = [f"{name} {row}" for name, row in zip(names, signs, strict=True)]
    return "\n".join([str(len(rows)), " ".join(TRAITS) + " ", *rows, ""])


def as_csv(facts, names=NAMES) -> str:
    signs = [",".join("1" if fact else "-1" for fact in row) for row in facts]
    rows = [
        f'"{name}",{row}' if "," in name else f"{name},{row}" for name, row in zip(names, signs, strict=True)
    ]
    return "\r\n".join(["\ufeffimage_id," + ",".join(TRAITS), *rows, ""])


def laid_out(folder: Path, contents: dict) -> Path:
    for name, content in contents.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return folder


def zipped(contents: dict) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def as_kaggle(jpegs, facts) -> dict:
    pictures = {f"img_align_celeba/img_align_celeba/{name}": content for name, content in jpegs.items()}
    return {"list_attr_celeba.csv": as_csv(facts).encode(), **pictures}


def load(**options):
    return data.load("celeba", 32, progress=False, **options)


def refusal(**options) -> str:
    with pytest.raises(CourseError) as caught:
        load(**options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def assert_whole(found, jpegs, facts=None):
    assert [Path(name).name for name in found.names] == NAMES
    for name, image in zip(NAMES, found.images, strict=True):
        assert np.array_equal(image.numpy(), decode(jpegs[name], 32))
    if facts is None:
        assert found.attributes is None and found.attribute_names == ()
    else:
        assert found.attribute_names == tuple(TRAITS)
        assert torch.equal(found.attributes, torch.from_numpy(facts))
        assert torch.equal(found.having("Trait_3"), torch.from_numpy(facts[:, 3]))


# ---------------------------------------------------------------- found


def test_any_folder_of_pictures_is_an_image_set(tmp_path, jpegs):
    folder = laid_out(tmp_path / "holi days", {**jpegs, "sub/broken.jpg": b"?", "IMG_1.HEIC": b"x"})
    for name, path in (("celeba", folder), ("faces", "holi days")):
        found = data.load(name, 32, path=path, progress=False)
        assert (found.name, found.split, len(found), found.classes) == ("celeba", "all", 12, ("face",))
        assert found.images.shape == (12, 3, 32, 32) and found.images.dtype == torch.uint8
        assert found.labels.dtype == torch.int64 and found.labels.tolist() == [0] * 12
        assert_whole(found, jpegs)
        assert found.source == (
            f"12 pictures from {folder}, 1 skipped (sub/broken.jpg is not a picture, whatever its name says: it "
            "begins with '?'), 1 other file (.heic) left out, without a list of attributes."
        )


LAYOUTS = [
    ("celeba/img_align_celeba/{}", "celeba/list_attr_celeba.txt"),  # torchvision
    ("celeba/img_align_celeba/{}", "celeba/img_align_celeba/list_attr_celeba.txt"),
    ("img_align_celeba/img_align_celeba/{}", "list_attr_celeba.csv"),  # Kaggle's zip, unpacked
]


@pytest.mark.parametrize("pictures, listing", LAYOUTS)
@pytest.mark.parametrize("how", ["path", "GAN_COURSE_CELEBA", "GAN_COURSE_DATA"])
@pytest.mark.parametrize("profile", ["cpu", "ci"])
def test_usual_layouts(tmp_path, jpegs, facts, monkeypatch, pictures, listing, how, profile):
    monkeypatch.setenv("GAN_COURSE_PROFILE", profile)
    text = as_csv(facts) if listing.endswith("csv") else as_txt(facts)
    root = laid_out(tmp_path / "data", {pictures.format(name): content for name, content in jpegs.items()})
    laid_out(root, {listing: text.encode(), "MNIST/raw/picture.png": b"none of CelebA's"})
    if how != "path":
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv(how, "~/data")
    found = load(**{"path": root} if how == "path" else {})
    assert_whole(found, jpegs, facts)
    assert found.source.endswith("with 40 attributes.")
    assert data.load("faces", 32, **{"path": root} if how == "path" else {}).name == "celeba"


def test_zips(tmp_path, jpegs, facts, monkeypatch):
    (tmp_path / "archive.zip").write_bytes(zipped(as_kaggle(jpegs, facts)))
    assert_whole(load(path=tmp_path / "archive.zip"), jpegs, facts)
    plain = zipped({f"img_align_celeba/{name}": content for name, content in jpegs.items()})
    root = laid_out(tmp_path / "data", {"celeba/img_align_celeba.zip": plain})
    laid_out(root, {"celeba/list_attr_celeba.txt": as_txt(facts).encode()})
    (root / "celeba" / "img_align_celeba").mkdir()  # an unpacking that was given up
    monkeypatch.setenv("GAN_COURSE_DATA", str(root))
    assert_whole(load(), jpegs, facts)


def test_what_is_named_is_never_replaced(tmp_path, jpegs, monkeypatch):
    monkeypatch.setenv("GAN_COURSE_DATA", str(laid_out(tmp_path / "data", {"celeba.zip": zipped(jpegs)})))
    assert len(load()) == 12
    monkeypatch.setenv("GAN_COURSE_CELEBA", str(tmp_path / "nowhere"))
    for name in ("celeba", "faces"):
        with pytest.raises(CourseError, match="nowhere does not exist"):
            data.load(name)
    (tmp_path / "empty").mkdir()
    assert f"{tmp_path / 'empty'} holds nothing" in refusal(path=tmp_path / "empty")
    with pytest.raises(CourseError, match="names nothing"):
        data.load("faces", path="")


def test_nothing_found_says_where_it_was_looked_for(tmp_path, monkeypatch):
    line = refusal()
    assert f"GAN_COURSE_DATA: not set; cache: nothing yet in {files.cache_dir()}; download: only when" in line
    assert 'gan_course.data.fetch("celeba")' in line
    monkeypatch.setenv("GAN_COURSE_DATA", str(laid_out(tmp_path / "data", {"holiday.jpg": b"no CelebA"})))
    assert "there is no celeba/img_align_celeba nor celeba/img_align_celeba.zip in" in refusal()
    monkeypatch.setenv("GAN_COURSE_PROFILE", "ci")
    assert "not used at profile ci" in refusal()
    assert not files.cache_dir().exists()


# ---------------------------------------------------------------- fetched


@pytest.fixture
def kagglehub(monkeypatch, tmp_path, jpegs, facts):
    """A kagglehub whose `answer` is a folder, or what it raises; `asked` is what it was asked for."""
    module = types.ModuleType("kagglehub")
    module.answer, module.asked = laid_out(tmp_path / "versions" / "2", as_kaggle(jpegs, facts)), []

    def dataset_download(handle):
        module.asked.append(handle)
        if isinstance(module.answer, Exception):
            raise module.answer
        return str(module.answer)

    module.dataset_download = dataset_download
    monkeypatch.setitem(sys.modules, "kagglehub", module)
    return module


def test_what_was_fetched_is_found_again(kagglehub, jpegs, facts, monkeypatch):
    assert data.load("faces", 32, count=1).name == "drawn-faces" and kagglehub.asked == []
    assert data.fetch("celeba") == kagglehub.answer
    monkeypatch.setitem(sys.modules, "kagglehub", None)
    assert_whole(load(), jpegs, facts)
    assert data.load("faces", 32).name == "celeba"
    assert dict(data.describe("celeba"))["cache"].startswith("12 pictures in ")
    assert kagglehub.asked == ["jessicali9530/celeba-dataset"]
    kagglehub.answer.rename(kagglehub.answer.with_name("gone"))
    assert "cache: nothing yet in" in refusal()


REFUSALS = [
    ConnectionError("Max retries\nexceeded"),
    ValueError("403"),
    OSError(28, "No space left on device"),
]


@pytest.mark.parametrize("answer", REFUSALS)
def test_what_kaggle_refuses_is_one_line_with_a_way_out(kagglehub, answer):
    kagglehub.answer = answer
    with pytest.raises(CourseError) as caught:
        data.fetch("celeba")
    line = str(caught.value)
    assert f"Kaggle did not deliver CelebA ({' '.join(str(answer).split())})" in line
    assert "GAN_COURSE_CELEBA" in line and "\n" not in line


def test_a_delivery_without_pictures(kagglehub, tmp_path):
    kagglehub.answer = tmp_path
    with pytest.raises(CourseError, match="is not laid out as CelebA: download kaggle.com/datasets/jessica"):
        data.fetch("celeba")


def test_without_kagglehub():
    with pytest.raises(CourseError, match="`pip install kagglehub`, or download kaggle.com"):
        data.fetch("celeba")


# ---------------------------------------------------------------- attributes


def test_rows_are_matched_by_name_whatever_their_order_and_ending(tmp_path, facts):
    order = np.random.default_rng(2).permutation(12)
    shuffled = as_txt(facts[order], [NAMES[i] for i in order])
    laid_out(tmp_path, {"list_attr_celeba.txt": shuffled.encode()})
    names, values = celeba.attributes(tmp_path, ["x/000003.png", "000001.jpg"])
    assert names == tuple(TRAITS) and values.dtype == torch.bool
    assert torch.equal(values, torch.from_numpy(facts[[2, 0]]))


@pytest.mark.parametrize("form", [as_txt, as_csv])
def test_odd_file_names(tmp_path, facts, form):
    names = ["face 1.jpg", "人 脸.jpg", "a.b.jpg", *(["one, two.jpg"] if form is as_csv else [])]
    laid_out(tmp_path, {f"list_attr_celeba.{form.__name__[3:]}": form(facts[: len(names)], names).encode()})
    assert torch.equal(celeba.attributes(tmp_path, names)[1], torch.from_numpy(facts[: len(names)]))


def test_a_list_of_other_pictures_nearby_is_no_list_of_these(tmp_path, jpegs, facts):
    laid_out(
        tmp_path / "data", {"list_attr_celeba.txt": as_txt(facts).encode(), "mine/IMG_1.jpg": jpegs[NAMES[0]]}
    )
    assert load(path=tmp_path / "data" / "mine").source.endswith("without a list of attributes.")


def test_several_pictures_of_one_name(tmp_path, jpegs, facts):
    content = {"a/000001.jpg": jpegs[NAMES[0]], "b/000001.jpg": jpegs[NAMES[1]]}
    found = load(path=laid_out(tmp_path, {**content, "list_attr_celeba.csv": as_csv(facts).encode()}))
    assert len(found) == 2 and found.attributes is None
    assert "goes by file names, and several pictures here have the same one" in found.source


def test_a_part_of_the_pictures_has_its_attributes(tmp_path, jpegs, facts):
    folder = laid_out(tmp_path, {NAMES[4]: jpegs[NAMES[4]], "list_attr_celeba.txt": as_txt(facts).encode()})
    assert torch.equal(load(path=folder).attributes, torch.from_numpy(facts[4:5]))


DAMAGE = {
    "cut": (
        lambda text: "\n".join(text.splitlines()[:8]),
        "lacks 6 of the 12 pictures, among them 000007.jpg",
    ),
    "cut in a line": (lambda text: text[:-30], "line 14 has"),
    "another value": (lambda text: text.replace(" -1 ", " 7 ", 1), "line 3 holds '7'"),
    "empty": (lambda text: "", "neither a number of pictures nor a heading"),
    "a web page": (lambda text: "<html>\nno</html>", "neither a number of pictures nor a heading"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_list_is_said_and_the_pictures_are_loaded(tmp_path, jpegs, facts, damage):
    spoil, why = DAMAGE[damage]
    listing = tmp_path / "faces" / "list_attr_celeba.txt"
    found = load(path=laid_out(tmp_path / "faces", {**jpegs, listing.name: spoil(as_txt(facts)).encode()}))
    assert_whole(found, jpegs)
    assert f"without attributes, because {listing}" in found.source and why in found.source


# ---------------------------------------------------------------- the command line


def command(capsys, *arguments) -> tuple[int, str, str]:
    status = 2
    with contextlib.suppress(SystemExit):
        status = main(["data", *map(str, arguments)])
    said = capsys.readouterr()
    return status, said.out, said.err


def test_the_command_prepares_and_reports(tmp_path, jpegs, facts, capsys):
    folder = laid_out(tmp_path / "人 脸", {**jpegs, "list_attr_celeba.txt": as_txt(facts).encode()})
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 9000\n"
    laid_out(folder, {"000013.jpg": pointer, "000014.jpg": pointer})
    status, out, _ = command(capsys, "celeba", "--path", folder, "--size", 32)
    assert status == 0 and out.startswith(
        f"12 pictures from {folder}, 2 skipped (000013.jpg is not a picture"
    )
    assert (
        out.endswith(f"with 40 attributes.\n{data.TERMS}\n") and "non-commercial research only" in data.TERMS
    )
    (array,) = files.cache_dir().rglob("*.pixels")
    assert array.stat().st_size == 12 * 3 * 32 * 32


def test_the_command_fetches(kagglehub, capsys):
    status, out, _ = command(capsys, "celeba", "--fetch", "--size", 32)
    assert status == 0 and f"celeba: whole in {kagglehub.answer}\n12 pictures from " in out


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["celeba"], "CelebA was not found"),
        (["celeba", "--fetch"], "pip install kagglehub"),
        (["celeba", "--fetch", "--path", "."], "give one of them"),
        (["celeba", "--path", "nowhere"], "nowhere does not exist"),
        (["celeba", "--path", ""], "names nothing"),
        (["celeba", "--path", ".", "--size", "9"], "from 16 to 512 works"),
        (["celeba", "--size", "big"], "invalid int value"),
        (["cifar"], "unknown image set 'cifar'"),
    ],
)
def test_bad_input_gets_one_line_and_status_2(tmp_path, jpegs, capsys, arguments, said):
    laid_out(tmp_path, jpegs)
    status, out, err = command(capsys, *arguments)
    assert (status, out, err.count("\n")) == (2, "", 1) and said in err


def test_the_overview_names_every_set(capsys):
    status, out, _ = command(capsys)
    assert (
        status == 0
        and "mnist: MNIST, CC BY-SA 3.0" in out
        and "CelebA: for non-commercial research only" in out
    )
    status, out, _ = command(capsys, "faces")
    assert status == 0 and "drawn             20,000 faces by default" in out
