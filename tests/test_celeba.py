"""CelebA found, fetched and labelled: real files, real processes, a real local HTTP server."""

import contextlib
import http.server
import io
import json
import shutil
import socket
import sys
import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from gan_course import celeba, data, download, files
from gan_course.__main__ import main
from gan_course.errors import CourseError
from gan_course.photos import mirrors
from gan_course.photos.attributes import attributes
from gan_course.photos.decode import decode

NAMES = [f"{i + 1:06d}.jpg" for i in range(12)]
TRAITS = [f"Trait_{i}" for i in range(40)]
NOBODY = "http://127.0.0.1:9/"  # the discard port: nobody listens


@pytest.fixture(autouse=True)
def a_machine_of_its_own(own_machine, monkeypatch):
    """Nothing found, nothing fetched: a test switches on what it needs."""
    for variable in ("GAN_COURSE_CELEBA", "GAN_COURSE_OFFLINE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("GAN_COURSE_PROFILE", "cpu")
    monkeypatch.setattr(mirrors, "KAGGLE", NOBODY)
    monkeypatch.setattr(mirrors, "HUGGING_FACE", NOBODY)
    monkeypatch.setitem(sys.modules, "gdown", None)  # as if it were not installed, on any machine


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
    rows = [f"{name},{row}" for name, row in zip(names, signs, strict=True)]
    return "\n".join([",".join(["image_id", *TRAITS]), *rows, ""])


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


def kaggle_zip(jpegs, facts) -> bytes:
    pictures = {f"img_align_celeba/img_align_celeba/{name}": content for name, content in jpegs.items()}
    return zipped({"list_attr_celeba.csv": as_csv(facts), **pictures})


def load(**options):
    return celeba.load(32, progress=False, **options)


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


# ---------------------------------------------------------------- found


def test_any_folder_of_pictures_is_an_image_set(tmp_path, jpegs):
    folder = laid_out(tmp_path / "holidays", {**jpegs, "sub/broken.jpg": b"?"})
    found = load(path=folder)
    assert isinstance(found, data.ImageSet) and (found.name, found.split, len(found)) == ("celeba", "all", 12)
    assert found.images.shape == (12, 3, 32, 32) and found.images.dtype == torch.uint8
    assert found.labels.dtype == torch.int64 and found.labels.tolist() == [0] * 12
    assert_whole(found, jpegs)
    assert found.source == (
        f"12 pictures from {folder}, 1 skipped (sub/broken.jpg is not a picture, whatever its name says), "
        "without a list of attributes."
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
        monkeypatch.setenv(how, str(root))
    found = load(**{"path": root} if how == "path" else {})
    assert_whole(found, jpegs, facts)
    assert found.source.endswith("with 40 attributes.")


def test_zips(tmp_path, jpegs, facts, monkeypatch):
    (tmp_path / "archive.zip").write_bytes(kaggle_zip(jpegs, facts))
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
    assert f"{tmp_path / 'nowhere'} does not exist" in refusal()
    (tmp_path / "empty").mkdir()
    assert f"{tmp_path / 'empty'} holds nothing" in refusal(path=tmp_path / "empty")


def test_nothing_found_says_where_it_was_looked_for(tmp_path, monkeypatch):
    with pytest.raises(celeba.NotFound) as caught:
        load()
    line = str(caught.value)
    assert f"GAN_COURSE_DATA: not set; cache: nothing in {files.cache_dir() / 'celeba'}" in line
    assert "download: not asked for" in line and "data celeba --fetch" in line and "\n" not in line
    monkeypatch.setenv("GAN_COURSE_DATA", str(laid_out(tmp_path / "data", {"holiday.jpg": b"no CelebA"})))
    assert "there is no celeba/img_align_celeba nor celeba/img_align_celeba.zip in" in refusal()
    monkeypatch.setenv("GAN_COURSE_OFFLINE", "1")
    assert "switched off by GAN_COURSE_OFFLINE" in refusal(download=True)
    monkeypatch.setenv("GAN_COURSE_PROFILE", "ci")
    assert "not used at profile ci" in refusal(download=True)
    assert not files.cache_dir().exists()


def test_a_folder_without_celeba_does_not_hide_the_cache(tmp_path, jpegs, facts, monkeypatch):
    monkeypatch.setenv("GAN_COURSE_DATA", str(tmp_path))
    laid_out(files.cache_dir() / "celeba", {"kaggle.zip": kaggle_zip(jpegs, facts)})
    assert_whole(load(), jpegs, facts)
    assert dict(celeba.describe())["cache"].startswith("12 pictures in ")


# ---------------------------------------------------------------- fetched


class _Server(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"

    def do_GET(self):
        self.server.asked.append((self.path, self.headers.get("Range")))
        answer = self.server.answers.get(self.path)
        if answer is None:
            self.send_error(404)
            return
        begin = int((self.headers.get("Range") or "bytes=0-")[6:-1])
        page = answer.startswith(b"<html>")
        if begin >= len(answer) and not page:
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(answer)}")
            self.end_headers()
            return
        self.send_response(206 if begin and not page else 200)
        self.send_header("Content-Type", "text/html" if page else "application/octet-stream")
        if begin and not page:
            self.send_header("Content-Range", f"bytes {begin}-{len(answer) - 1}/{len(answer)}")
        begin = 0 if page else begin
        self.send_header("Content-Length", str(len(answer) - begin))
        self.end_headers()
        end = self.server.cuts.pop(0) if self.server.cuts else len(answer)
        self.wfile.write(answer[begin : max(begin, end)])

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server():
    """A server: answers is path -> bytes, asked the requests, cuts where to end the next answers."""
    made = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Server)
    made.answers, made.asked, made.cuts = {}, [], []
    made.url = f"http://127.0.0.1:{made.server_port}"
    thread = threading.Thread(target=made.serve_forever, args=(0.01,))
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


@pytest.fixture
def kaggle(server, monkeypatch, jpegs, facts):
    server.answers["/kaggle"] = kaggle_zip(jpegs, facts)
    monkeypatch.setattr(mirrors, "KAGGLE", f"{server.url}/kaggle")
    return server


def cached() -> set[str]:
    return {file.name for file in (files.cache_dir() / "celeba").glob("*")}


def test_kaggles_zip_is_fetched_once(kaggle, jpegs, facts):
    assert_whole(load(download=True), jpegs, facts)
    assert_whole(load(download=True), jpegs, facts)
    assert_whole(load(), jpegs, facts)
    assert kaggle.asked == [("/kaggle", None)] and cached() == {"kaggle.zip"}


def test_a_cut_transfer_is_continued(kaggle, jpegs, facts):
    kaggle.cuts = [5000, 9000]
    assert_whole(load(download=True), jpegs, facts)
    assert [asked for _, asked in kaggle.asked] == [None, "bytes=5000-", "bytes=9000-"]


def test_a_transfer_left_by_another_process_is_continued(kaggle, jpegs, facts):
    laid_out(files.cache_dir() / "celeba", {"kaggle.zip.part": kaggle.answers["/kaggle"][:7000]})
    assert_whole(load(download=True), jpegs, facts)
    assert kaggle.asked == [("/kaggle", "bytes=7000-")] and cached() == {"kaggle.zip"}


def test_a_part_that_is_too_long_is_begun_again(kaggle, jpegs, facts):
    laid_out(files.cache_dir() / "celeba", {"kaggle.zip.part": kaggle.answers["/kaggle"] + b"more"})
    assert_whole(load(download=True), jpegs, facts)


def test_a_part_that_is_whole_is_not_fetched_again(kaggle, jpegs, facts):
    laid_out(files.cache_dir() / "celeba", {"kaggle.zip.part": kaggle.answers["/kaggle"]})
    assert_whole(load(download=True), jpegs, facts)
    assert len(kaggle.asked) == 1


def test_a_web_page_in_between_costs_nothing_that_had_arrived(kaggle, jpegs, facts):
    content = kaggle.answers["/kaggle"]
    part = laid_out(files.cache_dir() / "celeba", {"kaggle.zip.part": content[:7000]}) / "kaggle.zip.part"
    kaggle.answers["/kaggle"] = b"<html>Please accept the terms of this network</html>"
    assert "it sent a web page instead of the file" in refusal(download=True)
    assert part.read_bytes() == content[:7000]
    kaggle.answers["/kaggle"] = content
    assert_whole(load(download=True), jpegs, facts)


def test_a_damaged_zip_in_the_cache_is_fetched_anew(kaggle, jpegs, facts):
    laid_out(files.cache_dir() / "celeba", {"kaggle.zip": b"PK and then nothing of the kind"})
    assert_whole(load(download=True), jpegs, facts)


def test_an_odd_listing_does_not_stop_the_next_mirror(server, monkeypatch):
    server.answers["/flwrlabs/celeba/parquet"] = b'{"default": {"train": "http://x"}}'
    monkeypatch.setattr(mirrors, "HUGGING_FACE", server.url)
    monkeypatch.setattr(mirrors, "KAGGLE", NOBODY)
    line = refusal(download=True)
    assert "flwrlabs/celeba: its list of files cannot be read" in line and "torchvision: " in line


def test_each_failure_gets_its_words_and_the_next_is_tried(server, monkeypatch):
    server.answers["/kaggle"] = b"<html>Please sign in</html>"
    monkeypatch.setattr(mirrors, "KAGGLE", f"{server.url}/kaggle")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    line = refusal(download=True)
    assert "Kaggle: " in line and "it sent a web page instead of the file" in line
    assert "Hugging Face: its files need pyarrow, which is not installed" in line
    assert "torchvision: Google Drive needs gdown, which is not installed (pip install gdown)" in line
    assert cached() == set(), "what is no zip is not kept"
    server.answers["/kaggle"] = b"neither a page nor a zip"
    assert "Kaggle: what it sent is not a whole zip" in refusal(download=True)
    assert cached() == set()
    monkeypatch.setattr(mirrors, "KAGGLE", f"{server.url}/nothing")
    assert "did not deliver (HTTP Error 404: Not Found)" in refusal(download=True)
    monkeypatch.setattr(mirrors, "KAGGLE", NOBODY)
    assert "127.0.0.1:9 did not deliver (Connection refused)" in refusal(download=True)
    assert cached() == set()


def test_a_silent_mirror_is_given_up(monkeypatch):
    monkeypatch.setattr(download, "PATIENCE", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setattr(mirrors, "KAGGLE", f"http://127.0.0.1:{silent.getsockname()[1]}/")
        assert "no answer within 0.3 s" in refusal(download=True)


def test_two_processes_do_not_fetch_into_one_file(kaggle):
    fcntl = pytest.importorskip("fcntl")
    part = files.cache_dir() / "celeba" / "kaggle.zip.part"
    part.parent.mkdir(parents=True)
    with open(part, "ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert "Kaggle: another process is fetching it" in refusal(download=True)


def test_too_little_room_for_the_download(kaggle, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda place: shutil._ntuple_diskusage(10**9, 10**9, 1000))
    line = refusal(download=True)
    assert "cannot keep kaggle.zip in" in line and "0 MB are free" in line and "GAN_COURSE_CACHE" in line


def parquet(jpegs, facts, names, with_facts=True, with_names=True) -> bytes:
    pyarrow = pytest.importorskip("pyarrow")
    writer = pytest.importorskip("pyarrow.parquet")
    images = [{"bytes": jpegs[name], "path": name if with_names else None} for name in names]
    columns = {"image": images, "celeb_id": [1] * len(names)}
    if with_facts:
        columns |= {t: [bool(facts[NAMES.index(n), i]) for n in names] for i, t in enumerate(TRAITS)}
    buffer = io.BytesIO()
    writer.write_table(pyarrow.table(columns), buffer)
    return buffer.getvalue()


@pytest.mark.parametrize("with_names", [True, False])
def test_hugging_face(server, monkeypatch, jpegs, facts, with_names):
    splits = {"test": NAMES[9:], "train": NAMES[:7], "valid": NAMES[7:9]}
    listing = {split: [f"{server.url}/{split}/0.parquet"] for split in splits}
    server.answers["/flwrlabs/celeba/parquet"] = json.dumps({"default": listing}).encode()
    for split, names in splits.items():
        server.answers[f"/{split}/0.parquet"] = parquet(jpegs, facts, names, with_names=with_names)
    monkeypatch.setattr(mirrors, "HUGGING_FACE", server.url)
    assert_whole(load(download=True), jpegs, facts)
    assert_whole(load(), jpegs, facts)
    assert cached() == {"hugging-face.zip"} and len(server.asked) == 4


def test_the_second_hugging_face_set_stands_in(server, monkeypatch, jpegs, facts):
    server.answers["/flwrlabs/celeba/parquet"] = b'{"error": "gated"}'
    listing = {"default": {"train": [f"{server.url}/0.parquet"]}}
    server.answers["/nielsr/CelebA-faces/parquet"] = json.dumps(listing).encode()
    server.answers["/0.parquet"] = b"PAR1 and then nothing of the kind"
    monkeypatch.setattr(mirrors, "HUGGING_FACE", server.url)
    good = parquet(jpegs, facts, NAMES, with_facts=False)
    line = refusal(download=True)
    assert "flwrlabs/celeba: its list of files cannot be read; nielsr/CelebA-faces: " in line
    assert "is damaged or holds no pictures" in line and cached() == set()
    server.answers["/0.parquet"] = good
    assert_whole(load(download=True), jpegs)


# ---------------------------------------------------------------- attributes


def test_rows_are_matched_by_name_whatever_their_order(tmp_path, facts):
    order = np.random.default_rng(2).permutation(12)
    shuffled = as_txt(facts[order], [NAMES[i] for i in order])
    laid_out(tmp_path, {"list_attr_celeba.txt": shuffled.encode()})
    names, values = attributes(tmp_path, ["x/000003.png", "000001.jpg"])
    assert names == tuple(TRAITS) and values.dtype == torch.bool
    assert torch.equal(values, torch.from_numpy(facts[[2, 0]]))


DAMAGE = {
    "cut": (lambda text: "\n".join(text.splitlines()[:8]), "promises 12 pictures and has 6"),
    "cut in a line": (lambda text: text[:-30], "line 14 has"),
    "another value": (lambda text: text.replace(" -1 ", " 7 ", 1), "line 3 holds '7'"),
    "empty": (lambda text: "", "neither a number of pictures nor a heading"),
    "a web page": (lambda text: "<html>\nno</html>", "neither a number of pictures nor a heading"),
    "too few": (
        lambda text: as_txt(np.zeros((3, 40)), NAMES[:3]),
        "lacks 9 of the 12 pictures, among them 000004",
    ),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_list_is_said_and_the_pictures_are_loaded(tmp_path, jpegs, facts, damage):
    spoil, why = DAMAGE[damage]
    listing = tmp_path / "faces" / "list_attr_celeba.txt"
    laid_out(tmp_path / "faces", {**jpegs, listing.name: spoil(as_txt(facts)).encode()})
    with pytest.raises(CourseError) as caught:
        attributes(tmp_path / "faces", NAMES)
    assert why in str(caught.value) and str(listing) in str(caught.value) and "\n" not in str(caught.value)
    found = load(path=tmp_path / "faces")
    assert_whole(found, jpegs)
    assert f"without attributes, because {listing}" in found.source


# ---------------------------------------------------------------- the command line


def command(capsys, *arguments) -> tuple[int, str, str]:
    status = 2
    with contextlib.suppress(SystemExit):
        status = main(["data", *map(str, arguments)])
    said = capsys.readouterr()
    return status, said.out, said.err


def test_the_command_prepares_and_reports(tmp_path, jpegs, facts, capsys):
    folder = laid_out(tmp_path / "faces", {**jpegs, "list_attr_celeba.txt": as_txt(facts).encode()})
    status, out, _ = command(capsys, "celeba", "--path", folder, "--size", 32)
    assert status == 0 and out.startswith(f"12 pictures from {folder}, with 40 attributes.\n")
    assert "non-commercial research only" in out
    (array,) = files.cache_dir().rglob("*.pixels")
    assert array.stat().st_size == 12 * 3 * 32 * 32


def test_the_command_fetches(kaggle, capsys, monkeypatch):
    monkeypatch.setenv("GAN_COURSE_PROFILE", "ci")
    status, out, _ = command(capsys, "celeba", "--fetch", "--size", 32)
    assert status == 0 and "12 pictures from " in out and "kaggle.zip, with 40 attributes." in out


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["celeba"], "CelebA was not found"),
        (["celeba", "--fetch"], "no mirror of CelebA delivered (Kaggle: 127.0.0.1:9"),
        (["celeba", "--path", "nowhere"], "nowhere does not exist"),
        (["celeba", "--path", ".", "--size", "9"], "16 to 512 work"),
        (["celeba", "--size", "big"], "invalid int value"),
    ],
)
def test_bad_input_gets_one_line_and_status_2(tmp_path, jpegs, capsys, arguments, said):
    laid_out(tmp_path, jpegs)
    status, out, err = command(capsys, *arguments)
    assert (status, out, err.count("\n")) == (2, "", 1) and said in err


def test_the_overview_names_celeba(capsys):
    status, out, _ = command(capsys)
    assert (
        status == 0
        and "CelebA: for non-commercial research only" in out
        and "download         not asked for" in out
    )
