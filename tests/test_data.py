"""Finding, verifying and fetching image sets: real files, real processes, a real local HTTP server."""

import contextlib
import dataclasses
import gzip
import hashlib
import http.server
import io
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from gan_course import data, download, embedded, files
from gan_course.errors import CourseError

CHECKOUT = Path(__file__).resolve().parent.parent
WHOLE = os.environ.get("GAN_COURSE_DATA")  # these two are read before a fixture changes them
SECONDS = download.SECONDS
COUNTS = {"train": 300, "test": 40}
TRAIN_IMAGES = "train-images-idx3-ubyte"


@pytest.fixture(autouse=True)
def a_machine_of_its_own(monkeypatch, tmp_path):
    """No data folder, an empty cache, no network: a test switches on what it needs."""
    for variable in ("GAN_COURSE_DATA", "GAN_COURSE_OFFLINE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("GAN_COURSE_PROFILE", "cpu")
    monkeypatch.setenv("GAN_COURSE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(download, "SECONDS", 20)  # a busy machine is no reason to fail
    monkeypatch.setattr(download, "given_up", {})


@pytest.fixture
def impatient(monkeypatch):
    """For tests of a server that goes silent."""
    monkeypatch.setattr(download, "SECONDS", 0.5)


@pytest.fixture(scope="session")
def raw_files():
    """The four files of a small set called mnist: 300 and 40 random images."""
    rng = np.random.default_rng(7)
    made = {}
    for split, stem in (("train", "train"), ("test", "t10k")):
        n = COUNTS[split]
        header = bytes([0, 0, 8, 3]) + b"".join(size.to_bytes(4, "big") for size in (n, 28, 28))
        made[f"{stem}-images-idx3-ubyte"] = header + rng.integers(0, 256, (n, 28, 28), np.uint8).tobytes()
        labels = rng.integers(0, 10, n, np.uint8).tobytes()
        made[f"{stem}-labels-idx1-ubyte"] = bytes([0, 0, 8, 1]) + n.to_bytes(4, "big") + labels
    return made


@pytest.fixture(autouse=True)
def small_set(monkeypatch, raw_files, request):
    """`mnist` is the small set, unless the test is marked to want the published one."""
    if "published" in request.fixturenames:
        return None
    packed = {f"{name}.gz": gzip.compress(raw, mtime=0) for name, raw in raw_files.items()}
    small = dataclasses.replace(
        data.SETS["mnist"],
        counts=COUNTS,
        sha256={name: hashlib.sha256(raw).hexdigest() for name, raw in raw_files.items()},
        urls=("http://127.0.0.1:9/",),  # the discard port: nobody listens
        md5={name: hashlib.md5(content).hexdigest() for name, content in packed.items()},
    )
    monkeypatch.setitem(data.SETS, "mnist", small)
    return packed


@pytest.fixture
def published():
    """Leaves the registry as it is published."""


@pytest.fixture
def folder(tmp_path, raw_files):
    """A folder in torchvision's layout that holds the small set."""
    raw = tmp_path / "data" / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for name, content in raw_files.items():
        (raw / name).write_bytes(content)
    return tmp_path / "data"


def pixels(raw_files, name=TRAIN_IMAGES):
    return np.frombuffer(raw_files[name], np.uint8, offset=16).reshape(-1, 1, 28, 28)


def refusal(*arguments, **options) -> str:
    """The one line with which `load` refuses."""
    with pytest.raises(CourseError) as caught:
        data.load(*arguments, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# ---------------------------------------------------------------- folders that were named


@pytest.mark.parametrize("below", [".", "MNIST", "MNIST/raw"])
def test_path_may_be_the_root_the_set_or_the_raw_folder(folder, raw_files, below):
    train = data.load("mnist", path=folder / below)
    assert train.images.dtype == torch.uint8 and train.images.shape == (300, 1, 28, 28)
    assert np.array_equal(train.images.numpy(), pixels(raw_files))
    assert train.labels.dtype == torch.int64
    assert bytes(train.labels.tolist()) == raw_files["train-labels-idx1-ubyte"][8:]
    assert (train.name, train.split, len(train), len(train.classes)) == ("mnist", "train", 300, 10)
    assert train.source == "All 300 training images of MNIST, from the folder given as path."
    assert len(data.load("mnist", "test", path=folder / below)) == 40


def test_compressed_files_do_as_well(folder, raw_files, monkeypatch):
    for file in list((folder / "MNIST" / "raw").iterdir()):
        file.with_name(file.name + ".gz").write_bytes(gzip.compress(file.read_bytes()))
        file.unlink()
    monkeypatch.setenv("GAN_COURSE_DATA", str(folder))
    train = data.load("mnist")
    assert np.array_equal(train.images.numpy(), pixels(raw_files))
    assert "GAN_COURSE_DATA" in train.source


def test_path_goes_before_the_variable_and_the_variable_before_the_cache(folder, tmp_path, monkeypatch):
    shutil.copytree(folder, tmp_path / "cache")
    assert "the cache" in data.load("mnist").source
    monkeypatch.setenv("GAN_COURSE_DATA", str(folder))
    assert "GAN_COURSE_DATA" in data.load("mnist").source
    assert "given as path" in data.load("mnist", path=folder).source


def test_a_home_folder_may_be_written_with_a_tilde(folder, monkeypatch):
    monkeypatch.setenv("HOME", str(folder.parent))
    assert len(data.load("mnist", path="~/data")) == 300


def cut(file):
    file.write_bytes(file.read_bytes()[:1000])


def flip(file):
    content = bytearray(file.read_bytes())
    content[5000] ^= 1
    file.write_bytes(content)


def lengthen(file):
    file.write_bytes(file.read_bytes() + b"x")


def compress(file):
    file.write_bytes(gzip.compress(file.read_bytes()))


def swap(file):
    file.write_bytes(file.with_name("t10k-images-idx3-ubyte").read_bytes())


def replace_by_folder(file):
    file.unlink()
    file.mkdir()


def cut_compressed(file):
    file.with_name(file.name + ".gz").write_bytes(gzip.compress(file.read_bytes())[:900])
    file.unlink()


def not_compressed(file):
    file.rename(file.with_name(file.name + ".gz"))


@pytest.mark.parametrize(
    "spoil, said",
    [
        (cut, "is truncated (1,000 of 235,216 bytes)"),
        (flip, "is damaged"),
        (lengthen, "is longer than 235,216 bytes"),
        (compress, "does not end in .gz"),
        (swap, "holds the t10k-images-idx3-ubyte of mnist"),
        (replace_by_folder, "cannot read"),
        (cut_compressed, "damaged .gz"),
        (not_compressed, "damaged .gz"),
        (Path.unlink, "there is no"),
    ],
)
def test_a_spoilt_file_is_named_and_nothing_else_is_taken(folder, tmp_path, monkeypatch, spoil, said):
    shutil.copytree(folder, tmp_path / "cache")  # a good copy that must not be used in its place
    spoil(folder / "MNIST" / "raw" / TRAIN_IMAGES)
    line = refusal("mnist", path=folder)
    assert said in line and f"raw/{TRAIN_IMAGES}" in line
    monkeypatch.setenv("GAN_COURSE_DATA", str(folder))
    assert said in refusal("mnist")
    assert len(data.load("mnist", "test")) == 40  # its files are whole


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_named(folder):
    (folder / "MNIST" / "raw" / TRAIN_IMAGES).chmod(0)
    assert "Permission denied" in refusal("mnist", path=folder)


def test_missing_empty_and_foreign_folders(tmp_path, monkeypatch):
    assert "does not exist" in refusal("mnist", path=tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    assert f"{tmp_path / 'empty'} is empty" in refusal("mnist", path=tmp_path / "empty")
    (tmp_path / "file").write_text("x")
    assert "Not a directory" in refusal("mnist", path=tmp_path / "file")
    (tmp_path / "photos" / "holiday.jpg").mkdir(parents=True)
    monkeypatch.setenv("GAN_COURSE_DATA", str(tmp_path / "photos"))
    line = refusal("mnist")
    assert "holds holiday.jpg" in line and "MNIST/raw/train-images-idx3-ubyte (or .gz)" in line
    assert "GAN_COURSE_DATA" in line


def test_a_folder_of_the_other_set_is_refused(folder):
    line = refusal("fashion-mnist", path=folder / "MNIST")  # the file names are the same
    assert "of mnist" in line and "fashion-mnist's own" in line


def test_unknown_names_are_answered_with_the_known_ones():
    assert refusal("cifar") == "unknown data set 'cifar': it is one of mnist, fashion-mnist"
    assert refusal("mnist", "validation") == "unknown split 'validation': it is one of train, test"


# ---------------------------------------------------------------- downloading


class Server(http.server.ThreadingHTTPServer):
    """Serves `content` by name; `mood` says how well, `asked` holds (name, Range header)."""

    daemon_threads = True

    def __init__(self, content):
        super().__init__(("127.0.0.1", 0), Handler)
        self.content, self.mood, self.asked, self.awake = content, "well", [], threading.Event()
        self.url = f"http://127.0.0.1:{self.server_port}/"


NEXT_MOOD = {"cuts once": "well", "stalls once": "well", "cuts, then is gone": "missing"}


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        server, name, mood = self.server, self.path[1:], self.server.mood
        server.mood = NEXT_MOOD.get(mood, mood)
        asked_range = self.headers.get("Range")
        server.asked.append((name, asked_range))
        if mood == "hangs":
            return server.awake.wait(5)
        if mood == "missing":
            return self.send_error(404)
        body = server.content[name]
        start = int(asked_range[6:-1]) if asked_range and mood != "no ranges" else 0
        if start >= len(body):
            return self.send_error(416)
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        rest = bytes(len(body) - start) if mood == "wrong bytes" else body[start:]
        half = (
            len(rest) // 2
            if mood in ("cuts once", "cuts, then is gone", "stalls once", "slow")
            else len(rest)
        )
        with contextlib.suppress(OSError):  # the client may have left
            self.wfile.write(rest[:half])
            if mood in ("stalls once", "slow"):
                server.awake.wait(5)
            if mood == "slow":
                self.wfile.write(rest[half:])

    def log_message(self, *arguments):
        pass


@pytest.fixture
def serve(monkeypatch, small_set):
    """`serve(mood)` starts a mirror of the small set; several calls give several mirrors, in order."""
    with contextlib.ExitStack() as stack:

        def start(mood="well"):
            server = Server(small_set)
            server.mood = mood
            threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
            stack.callback(server.server_close)
            stack.callback(server.shutdown)
            stack.callback(server.awake.set)
            known = data.SETS["mnist"]
            urls = (*(url for url in known.urls if not url.endswith(":9/")), server.url)
            monkeypatch.setitem(data.SETS, "mnist", dataclasses.replace(known, urls=urls))
            return server

        yield start


def parts(tmp_path):
    return sorted(file.name for file in (tmp_path / "cache").rglob("*") if ".part" in file.name)


def test_a_download_fills_the_cache_in_torchvisions_layout(serve, tmp_path, raw_files, capfd):
    server = serve()
    train = data.load("mnist")
    assert np.array_equal(train.images.numpy(), pixels(raw_files))
    assert train.source == "All 300 training images of MNIST, from the cache, freshly downloaded."
    raw = tmp_path / "cache" / "MNIST" / "raw"
    assert {file.name: file.read_bytes() for file in raw.iterdir()} == raw_files
    assert f"{TRAIN_IMAGES}.gz" in capfd.readouterr().err  # the progress bar names the file
    assert len(server.asked) == 4
    assert data.load("mnist", "test").source == "All 40 test images of MNIST, from the cache."
    assert len(server.asked) == 4


@pytest.mark.parametrize("mood", ["cuts once", "stalls once"])
def test_a_cut_connection_is_resumed_where_it_ended(serve, raw_files, small_set, mood, impatient):
    server = serve(mood)
    half = len(small_set[f"{TRAIN_IMAGES}.gz"]) // 2
    train = data.load("mnist")
    assert np.array_equal(train.images.numpy(), pixels(raw_files))
    assert server.asked[:2] == [(f"{TRAIN_IMAGES}.gz", None), (f"{TRAIN_IMAGES}.gz", f"bytes={half}-")]


def test_a_part_is_kept_for_the_next_process(serve, tmp_path, small_set, monkeypatch):
    server = serve("cuts, then is gone")
    assert "the subset that comes with the course" in data.load("mnist").source
    assert parts(tmp_path) == [f"{TRAIN_IMAGES}.gz.part"]
    monkeypatch.setattr(download, "given_up", {})
    server.mood = "well"
    assert len(data.load("mnist")) == 300
    half = len(small_set[f"{TRAIN_IMAGES}.gz"]) // 2
    assert server.asked[2] == (f"{TRAIN_IMAGES}.gz", f"bytes={half}-")
    assert parts(tmp_path) == []


def test_a_killed_download_is_resumed(serve, tmp_path, small_set):
    server = serve("slow")
    name = f"{TRAIN_IMAGES}.gz"
    part = tmp_path / "killed" / f"{name}.part"
    code = (
        "import sys; from pathlib import Path; from gan_course import download; download.SECONDS = 30; "
        "download.fetch([sys.argv[1]], Path(sys.argv[2]), 'md5')"
    )
    command = [sys.executable, "-c", code, server.url + name, str(part)]
    process = subprocess.Popen(command, cwd=CHECKOUT, stderr=subprocess.DEVNULL)
    half = len(small_set[name]) // 2
    until(lambda: part.exists() and part.stat().st_size == half)
    process.send_signal(signal.SIGKILL)
    process.wait()
    server.mood = "well"
    assert download.fetch([server.url + name], part, data.SETS["mnist"].md5[name]) == small_set[name]
    assert server.asked[-1] == (name, f"bytes={half}-")


def until(condition, seconds=10):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.01)


@pytest.mark.parametrize("left_over", ["rubbish", "too long", "complete"])
def test_whatever_an_earlier_download_left_the_file_comes_out_right(serve, tmp_path, small_set, left_over):
    server, name = serve(), f"{TRAIN_IMAGES}.gz"
    part = tmp_path / f"{name}.part"
    whole = small_set[name]
    part.write_bytes({"rubbish": b"x" * 99, "too long": whole + b"x", "complete": whole}[left_over])
    assert download.fetch([server.url + name], part, data.SETS["mnist"].md5[name]) == whole
    assert len(server.asked) == {"rubbish": 2, "too long": 2, "complete": 0}[left_over]
    assert not part.exists()


def test_a_server_without_ranges_sends_all_again(serve, tmp_path, small_set):
    server, name = serve("no ranges"), f"{TRAIN_IMAGES}.gz"
    part = tmp_path / f"{name}.part"
    part.write_bytes(small_set[name][:777])
    assert download.fetch([server.url + name], part, data.SETS["mnist"].md5[name]) == small_set[name]


@pytest.mark.parametrize("mood", ["missing", "wrong bytes", "hangs"])
def test_the_second_mirror_stands_in_for_a_bad_first(serve, raw_files, mood, impatient):
    first, second = serve(mood), serve()
    assert np.array_equal(data.load("mnist").images.numpy(), pixels(raw_files))
    assert len(first.asked) == 1 and len(second.asked) == 4  # the bad mirror is asked once, not per file


def test_the_second_mirror_continues_what_the_first_began(serve, small_set):
    first, second = serve("cuts, then is gone"), serve()
    half = len(small_set[f"{TRAIN_IMAGES}.gz"]) // 2
    assert len(data.load("mnist")) == 300
    assert len(first.asked) == 2 and second.asked[0] == (f"{TRAIN_IMAGES}.gz", f"bytes={half}-")


@pytest.mark.parametrize(
    "mood, said",
    [("missing", "404"), ("wrong bytes", "other bytes"), ("hangs", "no answer within 0.5 s")],
)
def test_no_good_mirror_falls_through_once_and_says_why(serve, tmp_path, mood, said, impatient):
    server = serve(mood)
    subset = data.load("mnist")
    assert len(subset) == 6000 and "the subset that comes with the course" in subset.source
    assert said in subset.source and "GAN_COURSE_DATA" in subset.source and "\n" not in subset.source
    assert parts(tmp_path) == []
    data.load("mnist", "test")
    assert len(server.asked) == 1, "a second call must not wait again"


def test_nobody_listens():
    began = time.monotonic()
    assert "the download did not work: 127.0.0.1:9 did not deliver" in data.load("mnist").source
    assert time.monotonic() - began < 3


def test_all_published_mirrors_together_wait_less_than_ten_seconds(published):
    hosts = {url for entry in data.SETS.values() for url in entry.mirrors()[0]}
    assert 0 < len(hosts) * SECONDS < 10
    for entry in data.SETS.values():  # every file has its published md5
        assert set(entry.mirrors()[1]) == {f"{name}.gz" for name in entry.sha256}


@pytest.mark.parametrize("how", ["argument", "variable", "profile"])
def test_downloading_can_be_switched_off(serve, monkeypatch, how):
    server = serve()
    if how == "variable":
        monkeypatch.setenv("GAN_COURSE_OFFLINE", "1")
    if how == "profile":
        monkeypatch.setenv("GAN_COURSE_PROFILE", "ci")
    subset = data.load("mnist", download=how != "argument")
    assert "the subset that comes with the course" in subset.source and server.asked == []


def test_profile_ci_reads_a_named_folder_but_not_the_cache(folder, tmp_path, monkeypatch):
    shutil.copytree(folder, tmp_path / "cache")
    monkeypatch.setenv("GAN_COURSE_PROFILE", "ci")
    assert "profile ci" in data.load("mnist").source
    assert len(data.load("mnist", path=folder)) == 300


def test_a_damaged_cache_is_mended_by_fetching_the_one_file(folder, tmp_path, serve, raw_files):
    shutil.copytree(folder, tmp_path / "cache")
    flip(tmp_path / "cache" / "MNIST" / "raw" / TRAIN_IMAGES)
    assert "incomplete or damaged" in data.load("mnist", download=False).source
    server = serve()
    assert np.array_equal(data.load("mnist").images.numpy(), pixels(raw_files))
    assert server.asked == [(f"{TRAIN_IMAGES}.gz", None)]


def test_two_at_once_both_get_the_right_file(serve, tmp_path, small_set):
    server, name, got = serve("slow"), f"{TRAIN_IMAGES}.gz", []
    arguments = [server.url + name], tmp_path / f"{name}.part", data.SETS["mnist"].md5[name]
    threads = [threading.Thread(target=lambda: got.append(download.fetch(*arguments))) for _ in range(2)]
    for thread in threads:
        thread.start()
    until(lambda: len(server.asked) == 2)
    server.awake.set()
    for thread in threads:
        thread.join()
    assert got == [small_set[name]] * 2 and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("limit, content", [(50_000, "random"), (200_000, "zeros")])
def test_a_full_disk_leaves_nothing_half_written(tmp_path, limit, content, serve, small_set):
    """The limit strikes while the .gz arrives (random) or while it is unpacked (zeros)."""
    pytest.importorskip("resource")
    raw = np.random.default_rng(1).bytes(235_216) if content == "random" else bytes(235_216)
    name = f"{TRAIN_IMAGES}.gz"
    small_set[name] = gzip.compress(raw)
    server = serve()
    code = f"""
import dataclasses, resource
from gan_course import data
published = dataclasses.replace(data.SETS["mnist"], urls=({server.url!r},),
    md5={{{name!r}: {hashlib.md5(small_set[name]).hexdigest()!r}}})
data.SETS["mnist"] = published
resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, resource.RLIM_INFINITY))
try:
    data.load("mnist")
except data.CourseError as error:
    print(error)
"""
    answer = subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT, capture_output=True, text=True)
    lines = answer.stdout.splitlines()
    assert len(lines) == 1, answer.stderr
    assert "disk space" in lines[0] and "GAN_COURSE_CACHE" in lines[0]
    assert [file for file in (tmp_path / "cache").rglob("*") if file.is_file()] == []


def test_a_cache_that_cannot_be_written_is_an_error_with_a_way_out(serve, tmp_path):
    serve()
    (tmp_path / "cache").write_text("a file where the folder should be")
    line = refusal("mnist")
    assert "cannot keep the download" in line and "GAN_COURSE_CACHE" in line and "GAN_COURSE_OFFLINE" in line


# ---------------------------------------------------------------- the embedded subset


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
@pytest.mark.parametrize("split, n", [("train", 6000), ("test", 1000)])
def test_the_embedded_subset_is_whole_and_balanced(published, monkeypatch, name, split, n):
    monkeypatch.setenv("GAN_COURSE_PROFILE", "ci")
    subset = data.load(name, split)
    assert subset.images.shape == (n, 1, 28, 28) and subset.images.dtype == torch.uint8
    assert subset.labels.bincount().tolist() == [n // 10] * 10 and subset.labels.dtype == torch.int64
    assert len(subset.images.flatten(1).unique(dim=0)) > 0.99 * n  # no image stands in for many
    noun = {"train": "training", "test": "test"}[split]
    assert subset.source.startswith(f"{n:,} of the {n * 10:,} {noun} images of ")
    if WHOLE:
        whole = data.load(name, split, path=WHOLE)
        chosen = embedded.choose(whole.labels.numpy(), n // 10)
        assert torch.equal(subset.images, whole.images[chosen])
        assert torch.equal(subset.labels, whole.labels[chosen])


def test_the_embedded_files_are_small_and_credited():
    folder = files.assets_dir() / "data"
    assert sum(file.stat().st_size for file in folder.glob("*.webp")) <= 4_000_000
    readme = (folder / "README.md").read_text(encoding="utf-8")
    for entry in data.SETS.values():
        assert entry.authors.split(",")[0].split()[-1] in readme
    for file in folder.glob("*.webp"):
        assert f"| `{file.name}` |" in readme and f"| {file.stat().st_size:,} |" in readme


def test_encoding_loses_nothing():
    images = np.zeros((200, 28, 28), np.uint8)  # mostly black: the encoder's search is slow
    images[0] = np.arange(784).reshape(28, 28) % 256  # every grey level
    images[101:103] = embedded.read("fashion-mnist", "test")[0][:2]
    picture = np.asarray(Image.open(io.BytesIO(embedded.encode(images))))
    assert picture.shape == (56, 2800, 3)
    assert np.array_equal(picture[28:56, 28:56, 0], images[101])  # second row, second column
    assert np.array_equal(embedded._tiles(picture[..., 0]), images)


@pytest.mark.parametrize("spoil", ["truncate", "other picture", "remove"])
def test_damaged_embedded_images_are_refused(tmp_path, monkeypatch, spoil):
    (tmp_path / "data").mkdir()
    file = tmp_path / "data" / "mnist-test.webp"
    good = (files.assets_dir() / "data" / "mnist-test.webp").read_bytes()
    if spoil == "truncate":
        file.write_bytes(good[: len(good) // 2])
    elif spoil == "other picture":
        file.write_bytes((files.assets_dir() / "data" / "fashion-mnist-test.webp").read_bytes())
    monkeypatch.setattr(files, "assets_dir", lambda: tmp_path)
    line = refusal("mnist", "test", download=False)
    assert str(file) in line and "install the course again" in line


def test_the_maker_refuses_a_folder_without_the_sets(tmp_path, monkeypatch, capsys):
    (tmp_path / "empty").mkdir()
    command = ["embedded", str(tmp_path / "empty"), "--into", str(tmp_path / "out")]
    monkeypatch.setattr(sys, "argv", command)
    assert embedded.main() == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "is empty" in said
    assert not (tmp_path / "out").exists()


def test_an_installed_wheel_finds_its_images(tmp_path):
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=CHECKOUT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    code = (
        "from gan_course import data, files; print(files.assets_dir()); "
        "print(len(data.load('fashion-mnist')), len(data.load('mnist', 'test')))"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "site"), "GAN_COURSE_PROFILE": "ci"}
    answer = subprocess.run(
        [sys.executable, "-c", code],
        cwd=elsewhere,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assets, counts = answer.stdout.splitlines()
    assert Path(assets) == (tmp_path / "site" / "gan_course" / "assets").resolve()
    assert counts == "6000 1000"


# ---------------------------------------------------------------- the whole sets, and the rest


@pytest.mark.skipif(not WHOLE, reason="GAN_COURSE_DATA names no folder with the whole sets")
@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
def test_the_whole_sets_are_the_published_ones(published, name):
    assert data.load(name, path=WHOLE).labels.bincount().sum() == 60_000
    assert data.load(name, "test", path=WHOLE).labels.bincount().tolist() == TEST_COUNTS[name]


TEST_COUNTS = {
    "mnist": [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009],
    "fashion-mnist": [1000] * 10,
}


def test_describe_tells_every_place_without_fetching(folder, tmp_path, monkeypatch, serve):
    server = serve()
    places = dict(data.describe("mnist"))
    assert list(places) == ["GAN_COURSE_DATA", "cache", "download", "embedded"]
    assert places["GAN_COURSE_DATA"] == "not set" and "nothing yet" in places["cache"]
    assert places["download"] == server.url and places["embedded"].startswith("6,000 training and 1,000 test")
    shutil.copytree(folder, tmp_path / "cache")
    flip(folder / "MNIST" / "raw" / TRAIN_IMAGES)
    monkeypatch.setenv("GAN_COURSE_DATA", str(folder))
    monkeypatch.setenv("GAN_COURSE_OFFLINE", "1")
    places = dict(data.describe("mnist", path=tmp_path / "nowhere"))
    assert "does not exist" in places["path"] and "is damaged" in places["GAN_COURSE_DATA"]
    assert places["cache"].startswith("all 300 training and 40 test images, verified")
    assert "switched off" in places["download"] and server.asked == []


def test_scaling_there_and_back_is_exact():
    grey = torch.arange(256, dtype=torch.uint8)
    signed = data.to_signed(grey)
    assert signed.dtype == torch.float32 and (signed.min(), signed.max()) == (-1, 1)
    assert torch.equal(data.to_uint8(signed), grey)
    assert data.to_uint8(signed.half()).dtype == torch.uint8
    beyond = torch.tensor([-3.0, 3.0, 0.0, 0.9999, float("inf"), -float("inf")])
    assert data.to_uint8(beyond).tolist() == [0, 255, 128, 255, 255, 0]


def test_scaling_twice_is_refused():
    with pytest.raises(CourseError, match="scaled already"):
        data.to_signed(torch.zeros(2))
    with pytest.raises(CourseError, match="floating-point"):
        data.to_uint8(torch.zeros(2, dtype=torch.uint8))
