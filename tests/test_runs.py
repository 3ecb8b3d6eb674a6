"""Run folders: what training leaves, how it is read again, sampled and published, and what is refused."""

import copy
import io
import json
import re
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from gan_course import checkpoint, data, files, keeping, mosaic, publishing, runs, sampling, training
from gan_course.errors import CourseError
from gan_course.gan import GAN
from gan_course.history import COLUMNS

pytestmark = pytest.mark.usefixtures("own_machine")
CHECKPOINT = "checkpoint.safetensors"


@pytest.fixture(scope="session")
def train(small, noise_set):
    """train(folder, steps, …): a small DCGAN on 40 random images; `options` go to `runs.train`.

    Its rate is high, so that a few steps give images with black and white in them.
    """

    def start(folder, steps: int = 10, recipe=None, **options) -> runs.Run:
        recipe = recipe or small("dcgan-fashion", draw_every=4, init="pytorch", lr_g=0.02)
        options = {"images": recipe.batch * steps, "progress": False, **options}
        return runs.train(recipe, noise_set(recipe, name="fashion-mnist"), folder, **options)

    return start


@pytest.fixture(scope="session")
def trained(train, tmp_path_factory):
    """A run of 10 steps, to be read only."""
    return train(tmp_path_factory.mktemp("trained") / "run", 10)


@pytest.fixture(scope="session")
def published(trained, tmp_path_factory):
    """Its published copy, to be read only."""
    return publishing.publish(trained, tmp_path_factory.mktemp("published") / "garments")


# --- training into a folder ------------------------------------------------------------------------


def test_what_a_run_leaves(trained):
    names = sorted(str(p.relative_to(trained.folder)) for p in trained.folder.rglob("*") if p.is_file())
    frames = [f"frames/step_{step:07d}.png" for step in (0, 4, 8, 10)]
    kept = [f"snapshots/step_{step:07d}.safetensors" for step in (0, 4, 8, 10)]  # where the loop handed back
    assert names == [CHECKPOINT, *frames, "run.json", *kept]

    card = json.loads((trained.folder / "run.json").read_text())
    assert card == trained.card
    expected = {"seed": 0, "goal": 10, "step": 10, "images": 160, "ranks": 1}
    assert {name: card[name] for name in expected} == expected
    assert card["data"]["name"] == "fashion-mnist" and card["data"]["images"] == 40
    assert card["versions"]["torch"] == torch.__version__
    assert trained.recipe.key == "dcgan-fashion" and trained.recipe.width == 1 / 8
    assert trained.history["step"].tolist() == list(range(10))


def test_frames_are_the_fixed_latents_on_schedule(train, tmp_path, small):
    recipe = small("mlp-fashion", width=1 / 16, draw_every=30)  # which is no divisor of the reports' 50
    drawn = {0: mosaic.tile(GAN(recipe).draw())}
    run = train(tmp_path / "run", 70, recipe, on_report=lambda gan: drawn.update({gan.step: mosaic.tile(gan.draw())}))
    assert sorted(drawn) == [0, 30, 50, 60, 70]
    frames = run.folder / "frames"
    shutil.copy(frames / "step_0000030.png", frames / "step_0000072.png")  # killed before it was saved
    frames = runs.Run(run.folder).frames
    assert [step for step, _ in frames] == [0, 30, 60, 70]
    assert all(np.array_equal(frame, drawn[step]) for step, frame in frames)


def test_the_steps_follow_from_the_images(train, tmp_path, small):
    assert train(tmp_path / "a", images=16 * 3 + 15).card["step"] == 3
    epochs = small("mlp-fashion", width=1 / 16, epochs=2)  # 2 epochs of 40 images are 5 batches of 16
    assert train(tmp_path / "b", recipe=epochs, images=None).card["step"] == 5
    card = train(tmp_path / "c", images=torch.tensor(32), seed=np.uint8(3)).card  # whose numbers JSON does not know
    assert (card["seed"], card["images"]) == (3, 32)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"batch": 64}, "40 images do not fill a batch of 64"),
        ({"images": 15}, "15 images to see are less than one batch of 16"),
        ({"images": 1e3}, "images to see 1000.0: a whole number"),
        ({"seed": -1}, "seed -1: a whole number from 0 to 4294967295"),
        ({"folder": ""}, "the run's folder '' names nothing"),
        ({"folder": "~nobody-of-that-name/run"}, "there is no such home"),
    ],
)
def test_what_cannot_be_trained_leaves_no_folder(options, said, tmp_path, small, train):
    options = {"folder": "run", "images": 6400, **options}
    recipe = small("mlp-fashion", batch=options.pop("batch", 16))
    with pytest.raises(CourseError, match=said) as caught:
        train(recipe=recipe, **options)
    assert "\n" not in str(caught.value) and list(tmp_path.iterdir()) == []


def test_going_on(train, trained, tmp_path):
    half = train(tmp_path / "run", 4, resume=True)  # nothing there yet: it starts
    with pytest.raises(CourseError, match="already holds a run: resume it, or choose another folder"):
        train(tmp_path / "run", 10)
    run = train(tmp_path / "run", 10, resume=True)
    assert run.card["seconds"] > half.card["seconds"] > 0
    assert (run.folder / CHECKPOINT).read_bytes() == (trained.folder / CHECKPOINT).read_bytes()
    assert [step for step, _ in run.frames] == [0, 4, 8, 10]
    for goal in (10, 6):  # what is done is left as it is
        stamps = {p: p.stat().st_mtime_ns for p in run.folder.rglob("*.*") if p.name != "run.json"}
        reports = []
        done = train(tmp_path / "run", goal, resume=True, on_report=reports.append)
        assert reports == [] and done.card["step"] == run.card["step"] == 10
        assert {p: p.stat().st_mtime_ns for p in stamps} == stamps


@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9 GiB.\nOf the"), "out of memory: less at"),
        (RuntimeError("[enforce fail at alloc_cpu.cpp:1] DefaultCPUAllocator: can't allocate memory"), "out of memory"),
        (RuntimeError("CUDA error: no kernel image is available for execution on the device"), "not built for this"),
        (RuntimeError("CUDA error: unspecified launch failure"), "no longer answers"),
    ],
)
def test_a_device_in_trouble_is_one_line(trouble, said, train, trained, tmp_path, monkeypatch):
    def fail(*arguments):
        raise trouble

    with monkeypatch.context() as patch:
        patch.setattr(training, "train_step", fail)
        with pytest.raises(CourseError, match=f"^training dcgan-fashion in batches of 16: .*{said}") as caught:
            train(tmp_path / "run", 4)
    assert "\n" not in str(caught.value)
    assert train(tmp_path / "run", 4, resume=True).card["step"] == 4  # the advice can be followed
    G = trained.generator()
    G.forward = fail
    with pytest.raises(CourseError, match=f"^sampling 1,000 images: .*{said}"):
        sampling.sample(G, 1000)


def test_outside_the_main_thread(train, tmp_path):
    """A notebook's button trains in a thread, where Python handles no signals."""
    done = []
    thread = threading.Thread(target=lambda: done.append(train(tmp_path / "run", 2)))
    thread.start()
    thread.join()
    assert done[0].card["step"] == 2


# --- reading a run ---------------------------------------------------------------------------------


def test_the_generator_is_the_average_in_evaluation_mode(trained):
    G, gan = trained.generator(), trained.restore()
    assert not G.training and not any(p.requires_grad for p in G.parameters())
    for (name, tensor), mean in zip(G.state_dict().items(), gan.average.state_dict().values(), strict=True):
        assert torch.equal(tensor, mean), name
    pairs = zip(G.parameters(), gan.G.parameters(), strict=True)
    assert any(not torch.equal(a, b) for a, b in pairs)  # not the weights of the last step
    images = data.to_uint8(G(trained.fixed_latents))
    assert np.array_equal(mosaic.tile(images), trained.frames[-1][1])


def test_a_run_of_another_kind_of_device_can_be_sampled_but_not_continued(trained, tmp_path):
    copied = shutil.copytree(trained.folder, tmp_path / "run")
    content = (copied / CHECKPOINT).read_bytes()
    cpu, xpu = b'\\"device\\": \\"cpu\\"', b'\\"device\\": \\"xpu\\"'
    assert content.count(cpu) == 1
    (copied / CHECKPOINT).write_bytes(content.replace(cpu, xpu))
    with pytest.raises(CourseError, match="was trained on xpu and goes on only there, not on cpu"):
        runs.Run(copied).restore()
    assert torch.equal(sampling.sample(runs.Run(copied).generator(), 4), sampling.sample(trained.generator(), 4))


def test_names_and_folders(trained, published, tmp_path, monkeypatch):
    """A folder that holds a run goes before a published run of that name; any other folder does not."""
    assets = tmp_path / "assets"
    monkeypatch.setattr(files, "assets_dir", lambda: assets)
    with pytest.raises(CourseError, match="or name a published one: none yet"):
        runs.find("nothing")
    shutil.copytree(published.folder, assets / "runs" / "garments")
    assert runs.published() == ["garments"]
    with pytest.raises(CourseError, match="nowhere holds no run .*`python -m gan_course train`.*garments"):
        runs.find("nowhere")
    (tmp_path / "garments").mkdir()
    assert runs.find("garments").folder == assets / "runs" / "garments"
    shutil.copytree(trained.folder, tmp_path / "garments", dirs_exist_ok=True)
    assert runs.find("garments").folder.resolve() == tmp_path / "garments"
    assert runs.find(trained.folder).folder == runs.find(trained).folder == trained.folder


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def changed(old: str, new: str):
    """A card with one thing in it changed."""

    def rewrite(path: Path) -> None:
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    return rewrite


def widened(path: Path) -> None:
    """Weights of a wider network under the old card."""
    recipe = runs.Run(path.parent).recipe.but(width=1 / 4)
    header = {"gan_course": json.dumps({"format": runs.PUBLISHED_FORMAT})}
    save_file({**recipe.build()[0].state_dict(), "fixed_latents": torch.zeros(64, 100)}, path, header)


CARD_DAMAGE = [
    (cut, ""),
    (changed('"seed"', '"sead"'), "it lacks seed"),
    (changed('"lr_g"', '"lr_h"'), "lr_h"),
    (changed('"network": "dcgan-fashion"', '"network": "dcgan-fashon"'), "unknown network"),
]
FRAME, PICKLE = "frames/step_0000004.png", b"\x80\x04K\x01."


@pytest.mark.parametrize(
    ("kind", "name", "spoil", "reads", "said"),
    [
        *(("trained", "run.json", spoil, ("card",), f"run.json is damaged .*{said}") for spoil, said in CARD_DAMAGE),
        ("trained", CHECKPOINT, cut, ("restore", "generator", "history", "fixed_latents"), "damaged or incomplete"),
        ("trained", CHECKPOINT, Path.unlink, ("generator",), "there is no .*: train a run first"),
        ("trained", FRAME, cut, ("frames",), "the frames of .* are damaged"),
        ("published", "run.json", Path.unlink, ("card",), "holds no run .no run.json"),
        ("published", "run.json", changed('"frames"', '"flames"'), ("card",), "run.json is damaged .it lacks frames"),
        ("published", "generator.safetensors", cut, ("generator", "fixed_latents"), "damaged or incomplete"),
        ("published", "generator.safetensors", widened, ("generator",), "weights of another network"),
        ("published", "frames.webp", cut, ("frames",), "the frames of .* are damaged"),
        ("published", "frames.webp", Path.unlink, ("frames",), "the frames of .* are damaged"),
        ("published", "history.npy", cut, ("history",), "the history of .* is damaged"),
        ("published", "history.npy", lambda path: path.write_bytes(PICKLE), ("history",), "the history .* is damaged"),
    ],
)
def test_a_damaged_file_is_named_in_one_line(kind, name, spoil, reads, said, request, tmp_path):
    folder = shutil.copytree(request.getfixturevalue(kind).folder, tmp_path / "run")
    spoil(folder / name)
    for read in reads:
        with pytest.raises(CourseError, match=said) as caught:
            method = getattr(runs.Run(folder), read)  # which reads at once where it is a property
            method()
        assert "\n" not in str(caught.value) and str(folder) in str(caught.value)


# --- publishing ------------------------------------------------------------------------------------


def test_a_published_run_is_small_and_draws_the_same_images(published, trained):
    names = ["frames.webp", "generator.safetensors", "history.npy", "run.json"]
    assert sorted(p.name for p in published.folder.iterdir()) == names
    assert published.is_published and published.card == {**trained.card, "frames": [0, 4, 8, 10]}
    size = (published.folder / "generator.safetensors").stat().st_size
    floats = sum(t.numel() for t in trained.generator().state_dict().values() if t.is_floating_point())
    assert size < 1.1 * floats + 4 * 64 * 100 + 10_000  # eight bits, a scale a row, the latents and a header

    one, other = (sampling.sample(r.generator(), 64, seed=3).int() for r in (published, trained))
    assert (one - other).abs().max() <= 3 and one.float().std() > 20
    assert torch.equal(published.fixed_latents, trained.fixed_latents)
    for (step, one), (same_step, other) in zip(published.frames, trained.frames, strict=True):
        assert step == same_step and np.abs(one.astype(int) - other).mean() < 20  # lossy, but this picture
    np.testing.assert_allclose(published.history.rows, trained.history.rows, rtol=1e-6)
    with pytest.raises(CourseError, match="is a published run: it can be sampled, not trained on"):
        published.restore()


def handmade(folder, trained, frames: list[tuple[int, int]], rows: int = 0) -> runs.Run:
    """The trained run with other frames, (step, grey), and a history of `rows` steps."""
    shutil.copytree(trained.folder, folder, ignore=shutil.ignore_patterns("frames"))
    (folder / "frames").mkdir()
    for step, grey in frames:
        Image.new("RGB", (80, 80), (grey,) * 3).save(folder / "frames" / f"step_{step:07d}.png")
    gan = trained.restore()
    gan.history.rows = np.arange(rows * len(COLUMNS), dtype=float).reshape(rows, len(COLUMNS))
    checkpoint.save(gan, folder / CHECKPOINT)
    keeping.write_card(folder, {**trained.card, "step": 10**6})
    return runs.Run(folder)


@pytest.mark.parametrize("grey", [lambda i: 2 * i, lambda i: 50 * (i // 25), lambda i: 7])
def test_long_runs_are_thinned_from_the_first_to_the_last(grey, trained, tmp_path):
    """Also where the WebP encoder joins frames that look alike, as they do at the beginning of every run."""
    long = handmade(tmp_path / "run", trained, [(100 * i, grey(i)) for i in range(101)], rows=4321)
    short = publishing.publish(long, tmp_path / "copy")
    steps = [step for step, _ in short.frames]
    assert len(steps) == publishing.FRAMES and (steps[0], steps[-1]) == (0, 10_000)
    assert {b - a for a, b in zip(steps, steps[1:], strict=False)} == {400, 500}  # evenly spread
    assert all(abs(int(picture.mean()) - grey(step // 100)) <= 12 for step, picture in short.frames)
    assert len(short.history) == publishing.ROWS == 1000
    assert np.array_equal(short.history.rows[[0, -1]], long.history.rows[[0, -1]])


def test_what_is_not_published(trained, tmp_path):
    run = handmade(tmp_path / "run", trained, [])
    with pytest.raises(CourseError, match="has no frames to replay"):
        publishing.publish(run, tmp_path / "copy")
    keeping.write_card(run.folder, {**trained.card, "step": 8})
    with pytest.raises(CourseError, match="stands at step 8 of 10: resume it to its end first"):
        publishing.publish(runs.Run(run.folder), tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


# --- sampling --------------------------------------------------------------------------------------


def test_samples_follow_their_seed_and_nothing_else(trained):
    G = trained.generator()
    one = sampling.sample(G, 600, seed=4)
    torch.rand(1)
    before = torch.get_rng_state()
    assert torch.equal(one[:512], sampling.sample(G, 512, seed=4))  # in three passes, of which these are two
    assert not torch.equal(one, sampling.sample(G, 600, seed=5))
    assert torch.equal(torch.get_rng_state(), before)
    assert one.shape == (600, 1, 28, 28) and one.dtype == torch.uint8
    assert len(one.flatten(1).unique(dim=0)) == 600
    z = torch.randn(256, 100, generator=torch.Generator().manual_seed(4))
    assert torch.equal(one[:256], data.to_uint8(G(z)))
    for n, seed in ((0, 0), (2.0, 0), (4, -1)):
        with pytest.raises(CourseError, match="(number of images|seed) .*: a whole number from [01]"):
            sampling.sample(G, n, seed)


def test_sampling_a_network_in_training_changes_nothing_in_it(trained):
    """Neither weights nor statistics nor modes, in one pass or two, of which the last has one image."""
    G = trained.generator().train().requires_grad_(True)
    G.layers[1].eval()  # somebody froze this block's statistics
    twin, modes = copy.deepcopy(G), [layer.training for layer in G.modules()]
    images = sampling.sample(G, 257, seed=2)
    assert torch.equal(images, sampling.sample(trained.generator(), 257, seed=2))
    assert modes == [layer.training for layer in G.modules()] and len(set(modes)) == 2
    for one, other in zip(G.state_dict().values(), twin.state_dict().values(), strict=True):
        assert torch.equal(one, other)
    assert all(p.requires_grad and p.grad is None for p in G.parameters())


# --- grids -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("channels", "size", "scale"), [(1, 28, 2), (3, 64, 1)])
def test_a_grid(channels, size, scale):
    """Ten images make four columns, 2 px apart; small ones are shown twice as large."""
    images = torch.randint(0, 256, (10, channels, size, size), dtype=torch.uint8)
    grid = mosaic.tile(images)
    assert grid.shape == (scale * (3 * (size + 2) + 2), scale * (4 * (size + 2) + 2), 3) and grid.dtype == np.uint8
    corner = grid[scale * 2 :: scale, scale * 2 :: scale][:size, :size]
    assert np.array_equal(corner, images[0].permute(1, 2, 0).expand(-1, -1, 3).numpy())
    with Image.open(io.BytesIO(mosaic.encode_png(grid))) as picture:
        assert np.array_equal(np.asarray(picture.convert("RGB")), grid)


def test_a_grid_takes_images_from_minus_one_to_one_and_nothing_else():
    floats = torch.tensor([-1.0, 0.0, 1.0, 3.0])[:, None, None, None].expand(-1, 1, 28, 28)
    assert mosaic.tile(floats, padding=0, scale=1, columns=4)[0, ::28, 0].tolist() == [0, 128, 255, 255]
    for shape in [(0, 1, 28, 28), (4, 2, 28, 28), (4, 784)]:
        said = re.escape(f"a grid takes images [N, 1 or 3, H, W]; these have shape {list(shape)}")
        with pytest.raises(CourseError, match=said):
            mosaic.tile(torch.zeros(shape))
