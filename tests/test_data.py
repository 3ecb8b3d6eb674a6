"""The door to images: where a set is looked for, what is said about it, the download, the embedded subset."""

import dataclasses
import gzip
import hashlib
import http.server
import io
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import zipfile
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import datasets

from gan_course import data, files, portraits, recipes
from gan_course.errors import CourseError
from gan_course.images import embedded, torchvision_sets

CHECKOUT = Path(__file__).resolve().parent.parent
COUNTS = {"train": 300, "test": 40}
TRAIN_IMAGES = "train-images-idx3-ubyte"
TRAIN_LABELS = "train-labels-idx1-ubyte"

pytestmark = pytest.mark.usefixtures("own_machine")


@pytest.fixture(scope="session")
def raw_files():
    """The four files of a small set: 300 and 40 random images."""
    rng, made = np.random.default_rng(7), {}
    for split, stem in (("train", "train"), ("test", "t10k")):
        n = COUNTS[split]
        header = bytes([0, 0, 8, 3]) + b"".join(size.to_bytes(4, "big") for size in (n, 28, 28))
        made[f"{stem}-images-idx3-ubyte"] = header + rng.integers(0, 256, (n, 28, 28), np.uint8).tobytes()
        labels = rng.integers(0, 10, n, np.uint8).tobytes()
        made[f"{stem}-labels-idx1-ubyte"] = bytes([0, 0, 8, 1]) + n.to_bytes(4, "big") + labels
    return made


@pytest.fixture
def small_sets(monkeypatch):
    """Both sets are as small as `raw_files`, on a machine that may look into its cache and download."""
    for name, entry in data.SETS.items():
        monkeypatch.setitem(data.SETS, name, dataclasses.replace(entry, counts=COUNTS))
    monkeypatch.setenv("GAN_COURSE_PROFILE", "cpu")
    monkeypatch.delenv("GAN_COURSE_OFFLINE")
    nobody = ["http://127.0.0.1:9/"]  # the discard port: nobody listens
    monkeypatch.setattr(datasets.MNIST, "mirrors", nobody)


@pytest.fixture
def folder(tmp_path, raw_files, small_sets):
    """A folder in torchvision's layout that holds the small MNIST."""
    raw = tmp_path / "data" / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for name, content in raw_files.items():
        (raw / name).write_bytes(content)
    return tmp_path / "data"


def pixels(raw_files):
    return np.frombuffer(raw_files[TRAIN_IMAGES], np.uint8, offset=16).reshape(-1, 1, 28, 28)


def refusal(*arguments, **options) -> str:
    """The one line with which `load` refuses."""
    with pytest.raises(CourseError) as caught:
        data.load(*arguments, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def tree(folder):
    return {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}


# Folders.


@pytest.mark.parametrize("below", [".", "MNIST", "MNIST/raw"])
def test_path_may_be_the_root_the_set_or_the_raw_folder(folder, raw_files, below):
    train = data.load("mnist", path=folder / below)
    assert train.images.dtype == torch.uint8 and np.array_equal(train.images.numpy(), pixels(raw_files))
    assert train.labels.dtype == torch.int64
    assert bytes(train.labels.tolist()) == raw_files[TRAIN_LABELS][8:]
    assert (train.name, train.split, len(train), len(train.classes)) == ("mnist", "train", 300, 10)
    assert train.source == "All 300 training images of MNIST, from the folder given as path."
    assert len(data.load("mnist", np.int64(28), split="test", path=folder / below)) == 40
    for file in list((folder / "MNIST" / "raw").iterdir()):
        file.with_name(f"{file.name}.gz").write_bytes(gzip.compress(file.read_bytes()))
        file.unlink()
    assert torch.equal(data.load("mnist", path=folder / below).images, train.images), "compressed files do as well"


def test_path_goes_before_the_variable_and_the_variable_before_the_cache(folder, tmp_path, monkeypatch):
    shutil.copytree(folder, tmp_path / "cache")
    monkeypatch.setenv("GAN_COURSE_DATA", "")  # as if it were not set
    assert data.load("mnist").source.endswith("from the cache.")
    monkeypatch.setenv("HOME", str(folder.parent))
    monkeypatch.setenv("GAN_COURSE_DATA", "~/data")
    assert data.load("mnist").source.endswith("from the folder in GAN_COURSE_DATA.")
    assert data.load("mnist", path="~/data").source.endswith("from the folder given as path.")
    monkeypatch.delenv("GAN_COURSE_DATA")
    monkeypatch.setenv("GAN_COURSE_PROFILE", "ci")
    assert "profile ci" in data.load("mnist").source, "the cache is not read"
    assert len(data.load("mnist", path=folder)) == 300


def cut(file):
    file.write_bytes(file.read_bytes()[:1000])


def swap(file):
    file.write_bytes(file.with_name("t10k-images-idx3-ubyte").read_bytes())


def cut_compressed(file):
    file.with_name(f"{file.name}.gz").write_bytes(gzip.compress(file.read_bytes())[:900])
    file.unlink()


SPOILT = {
    cut: "is truncated (1,000 of 235,216 bytes)",
    swap: "does not begin as the published file of 300 does",
    cut_compressed: "cannot read",
    lambda file: file.rename(f"{file}.gz"): "cannot read",  # not compressed
    Path.unlink: "there is no",
}


@pytest.mark.parametrize("spoil", SPOILT)
def test_a_spoilt_file_is_named_and_nothing_else_is_taken(folder, tmp_path, monkeypatch, spoil):
    shutil.copytree(folder, tmp_path / "cache")  # a good copy that must not be used in its place
    spoil(folder / "MNIST" / "raw" / TRAIN_IMAGES)
    monkeypatch.setenv("GAN_COURSE_DATA", str(folder))
    line = refusal("mnist")
    assert SPOILT[spoil] in line and f"raw/{TRAIN_IMAGES}" in line
    assert len(data.load("mnist", split="test")) == 40  # its files are whole


def test_missing_and_foreign_folders_and_impossible_paths(tmp_path, folder, monkeypatch):
    assert "nowhere does not exist" in refusal("mnist", path=tmp_path / "nowhere")
    (tmp_path / "file").write_text("x")
    assert "file is no folder" in refusal("mnist", path=tmp_path / "file")
    (tmp_path / "photos").mkdir()
    monkeypatch.setenv("GAN_COURSE_DATA", str(tmp_path / "photos"))
    line = refusal("mnist")
    assert "in the folder in GAN_COURSE_DATA" in line and "photos does not hold it" in line
    assert "MNIST/raw/train-images-idx3-ubyte (or .gz)" in line
    for below in ("MNIST", "MNIST/raw"):  # the file names are the same
        assert "holds MNIST, not FashionMNIST" in refusal("fashion-mnist", path=folder / below)
    assert "names nothing" in refusal("mnist", path="") and "names nothing" in refusal("faces", path=" ")
    assert "no such home" in refusal("mnist", path="~nobody-has-this/x")


def test_unknown_names_splits_and_sizes():
    assert "'cats': there are mnist, fashion-mnist, stacked-mnist, faces, celeba, drawn-faces" in refusal("cats")
    assert "it is one of train, test" in refusal("mnist", split="valid")
    assert "have no test split" in refusal("drawn-faces", split="test")
    assert "28 works" in refusal("mnist", 32) and "32 to 128 works" in refusal("drawn-faces", 31)
    assert "leave the path out" in refusal("drawn-faces", path=".")


# The download.


class Mirror(http.server.SimpleHTTPRequestHandler):
    """Serves a folder; `server.asked` holds the names of files that were asked for, HEAD requests apart."""

    def do_GET(self):
        self.server.asked.append(self.path)
        super().do_GET()

    def log_message(self, *arguments):
        pass


@pytest.fixture
def mirror(monkeypatch, tmp_path, raw_files, small_sets):
    """A mirror of the small MNIST in the folder `files`, the only one that torchvision knows."""
    folder, resources = tmp_path / "mirror", []
    folder.mkdir()
    for name, content in raw_files.items():
        packed = gzip.compress(content, mtime=0)
        (folder / f"{name}.gz").write_bytes(packed)
        resources.append((f"{name}.gz", hashlib.md5(packed).hexdigest()))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Mirror, directory=folder))
    server.files, server.asked, server.url = folder, [], f"http://127.0.0.1:{server.server_port}/"
    monkeypatch.setattr(datasets.MNIST, "mirrors", [server.url])
    monkeypatch.setattr(datasets.MNIST, "resources", resources)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_download_fills_the_cache_in_torchvisions_layout(mirror, raw_files):
    train = data.load("mnist", progress=False)
    assert np.array_equal(train.images.numpy(), pixels(raw_files))
    assert train.source == "All 300 training images of MNIST, from the cache, freshly downloaded."
    assert tree(files.cache_dir()) == {f"MNIST/raw/{name}" for name in raw_files}
    asked = len(mirror.asked)
    assert data.load("mnist", split="test").source == "All 40 test images of MNIST, from the cache."
    assert data.fetch("mnist") == files.cache_dir() / "MNIST" / "raw" and len(mirror.asked) == asked
    assert socket.getdefaulttimeout() is None


def test_a_damaged_cache_is_fetched_once_more_or_not_used(folder, tmp_path, mirror, raw_files):
    shutil.copytree(folder, tmp_path / "cache")
    cut(tmp_path / "cache" / "MNIST" / "raw" / TRAIN_IMAGES)
    assert "the copy in the cache is incomplete or damaged" in data.load("mnist", download=False).source
    assert np.array_equal(data.load("mnist").images.numpy(), pixels(raw_files))


@pytest.mark.parametrize("answer, said", [(None, "404"), (b"<html>Sign in</html>", "corrupted")])
def test_a_mirror_without_the_files_is_said_and_the_subset_taken(mirror, answer, said):
    for file in mirror.files.iterdir():
        file.unlink() if answer is None else file.write_bytes(answer)
    subset = data.load("mnist", progress=False)
    assert len(subset) == 6000 and "the subset that comes with the course" in subset.source
    assert said in subset.source and "GAN_COURSE_DATA" in subset.source and "\n" not in subset.source
    assert tree(files.cache_dir()) == set()
    with pytest.raises(CourseError, match=said):
        data.fetch("mnist", progress=False)


def test_a_mirror_that_never_answers_is_left_out(mirror, raw_files, monkeypatch):
    monkeypatch.setattr(torchvision_sets, "SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        monkeypatch.setattr(datasets.MNIST, "mirrors", [url, mirror.url])
        assert len(data.load("mnist", progress=False)) == 300
        shutil.rmtree(files.cache_dir())
        monkeypatch.setattr(datasets.MNIST, "mirrors", [url])
        assert "no answer within 0.5 s" in data.load("mnist").source
    source = data.load("mnist").source  # now nobody listens there
    assert "the download did not work: 127.0.0.1:" in source and "refused" in source


def test_a_mirror_that_falls_silent_is_given_up(mirror, monkeypatch):
    monkeypatch.setattr(torchvision_sets, "PATIENCE", 0.5)
    monkeypatch.setattr(Mirror, "do_GET", lambda self: time.sleep(3))
    assert "the download did not work: " in data.load("mnist", progress=False).source


@pytest.mark.parametrize("how", ["argument", "variable", "profile"])
def test_downloading_can_be_switched_off(mirror, monkeypatch, how):
    if how == "variable":
        monkeypatch.setenv("GAN_COURSE_OFFLINE", "1")
        with pytest.raises(CourseError, match="GAN_COURSE_OFFLINE"):
            data.fetch("mnist")
        with pytest.raises(CourseError, match="'faces' cannot be downloaded"):
            data.fetch("faces")
    if how == "profile":
        monkeypatch.setenv("GAN_COURSE_PROFILE", "ci")
    subset = data.load("mnist", download=how != "argument")
    assert "the subset that comes with the course" in subset.source and mirror.asked == []


def test_a_cache_that_cannot_be_written_or_is_full(mirror, monkeypatch):
    files.cache_dir().write_text("a file where the folder should be")
    line = refusal("mnist")
    assert "cannot keep the download" in line and "GAN_COURSE_CACHE" in line and "GAN_COURSE_OFFLINE" in line
    files.cache_dir().unlink()
    resource = pytest.importorskip("resource")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, limits[1]))
    try:
        line = refusal("mnist", progress=False)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert "cannot keep the download" in line and tree(files.cache_dir()) == set()


# The embedded subset.


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
@pytest.mark.parametrize("split, n", [("train", 6000), ("test", 1000)])
def test_the_embedded_subset_is_whole_and_balanced(name, split, n):
    subset = data.load(name, split=split)
    assert subset.images.shape == (n, 1, 28, 28) and subset.images.dtype == torch.uint8
    assert subset.labels.bincount().tolist() == [n // 10] * 10 and subset.labels.dtype == torch.int64
    assert len(subset.images.flatten(1).unique(dim=0)) > 0.99 * n  # no image stands in for many
    noun = {"train": "training", "test": "test"}[split]
    assert subset.source.startswith(f"{n:,} of the {n * 10:,} {noun} images of ")


def test_the_embedded_files_are_credited():
    folder = files.assets_dir() / "data"
    readme = (folder / "README.md").read_text(encoding="utf-8")
    for entry in data.SETS.values():
        assert entry.authors.split(",")[0].split()[-1] in readme
    for file in folder.glob("*.webp"):
        assert f"| `{file.name}` |" in readme and f"| {file.stat().st_size:,} |" in readme


def test_what_the_maker_writes_reads_back():
    import embed

    images = np.zeros((200, 28, 28), np.uint8)  # mostly black: the encoder's search is slow
    images[0] = np.arange(784).reshape(28, 28) % 256  # every grey level
    images[101:103] = embedded.read("fashion-mnist", "test")[0][:2]
    picture = np.asarray(Image.open(io.BytesIO(embed.encode(images))))
    assert np.array_equal(embedded.tiles(picture[..., 0]), images)
    labels = np.array([0, 1] * 3 + list(range(2, 10)) * 2)
    assert embed.choose(labels, 2).tolist() == [0, 1, *range(6, 14), 2, 3, *range(14, 22)]


@pytest.mark.parametrize("content", ["mnist-test.webp", "fashion-mnist-test.webp"])
def test_damaged_embedded_images_are_refused(tmp_path, monkeypatch, content):
    """Cut off, or whole and another set's."""
    published = (files.assets_dir() / "data" / content).read_bytes()
    file = tmp_path / "data" / "mnist-test.webp"
    file.parent.mkdir()
    file.write_bytes(published[:50_000] if content == file.name else published)
    monkeypatch.setattr(files, "assets_dir", lambda: tmp_path)
    line = refusal("mnist", split="test")
    assert str(file) in line and "install the course again" in line


def test_an_installed_wheel_finds_its_images(tmp_path):
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=CHECKOUT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    code = "from gan_course import data, files; print(files.assets_dir(), len(data.load('fashion-mnist')))"
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}
    answer = subprocess.check_output([sys.executable, "-c", code], cwd=tmp_path, env=environment, text=True)
    assets = (tmp_path / "site" / "gan_course" / "assets").resolve()
    assert answer == f"{assets} 6000\n"


# Faces, and the rest.


def test_every_recipe_names_a_set_that_exists():
    assert {recipe.data for recipe in recipes.RECIPES.values()} <= set(data.NAMES)


def test_faces_are_drawn_where_there_are_no_photographs(tmp_path, monkeypatch):
    monkeypatch.setenv("GAN_COURSE_DATA", str(tmp_path))  # a folder of other sets is no reason to stop
    found = data.load("faces", np.int64(32), count=70, seed=np.int64(2))
    assert found.name == "drawn-faces" and torch.equal(found.images, portraits.draw(70, 32, 2).images)
    assert torch.equal(found.having("Smiling"), found.attributes[:, found.attribute_names.index("Smiling")])
    with pytest.raises(CourseError, match="drawn-faces knows no attribute 'smiling': it is one of .*Smiling"):
        found.having("smiling")
    monkeypatch.delenv("GAN_COURSE_DATA")
    with pytest.raises(CourseError, match="mnist knows no attribute 'Smiling': it has none"):
        data.load("mnist", split="test").having("Smiling")


def test_describe_tells_every_place_without_fetching(folder, tmp_path, monkeypatch, mirror):
    assert [place for place, _ in data.describe("mnist")] == ["embedded"]
    shutil.copytree(folder, tmp_path / "cache")
    cut(folder / "MNIST" / "raw" / TRAIN_IMAGES)
    monkeypatch.setenv("GAN_COURSE_DATA", str(folder))
    places = dict(data.describe("mnist", path=tmp_path / "nowhere"))
    assert list(places) == ["path", "GAN_COURSE_DATA", "cache", "embedded"]
    assert "does not exist" in places["path"] and "is truncated" in places["GAN_COURSE_DATA"]
    assert "All 300 training images" in places["cache"] and "All 40 test images" in places["cache"]
    assert [place for place, _ in data.describe("faces")] == ["drawn"] and mirror.asked == []


def test_scaling_there_and_back_is_exact_and_not_done_twice():
    grey = torch.arange(256, dtype=torch.uint8)
    signed = data.to_signed(grey)
    assert signed.dtype == torch.float32 and (signed.min(), signed.max()) == (-1, 1)
    assert torch.equal(data.to_uint8(signed), grey)
    beyond = torch.tensor([-3.0, 3.0, 0.0, 0.9999, float("inf"), -float("inf")])
    assert data.to_uint8(beyond).tolist() == [0, 255, 128, 255, 255, 0]
    with pytest.raises(CourseError, match="scaled already"):
        data.to_signed(signed)
    with pytest.raises(CourseError, match="floating-point"):
        data.to_uint8(grey)


def test_stacked_digits_spell_their_class_red_first():
    digits, stacks = data.load("mnist", split="test"), data.load("stacked-mnist", split="test")
    assert stacks.images.shape == (len(digits), 3, 28, 28) and len(stacks.classes) == 1000
    assert torch.equal(stacks.images, data.load("stacked-mnist", split="test").images)
    pairs = zip(digits.images, digits.labels, strict=True)
    by_picture = {image.numpy().tobytes(): int(label) for image, label in pairs}
    for image, label in list(zip(stacks.images, stacks.labels, strict=True))[:50]:
        spelled = "".join(str(by_picture[channel.contiguous().numpy().tobytes()]) for channel in image)
        assert stacks.classes[label] == spelled
