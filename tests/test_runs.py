"""Run folders: what training leaves, how it is read again, sampled and published, and what is refused."""

import io
import json
import shutil
import threading

import numpy as np
import pytest
import torch
from PIL import Image

from gan_course import checkpoint, data, files, keeping, mosaic, publishing, runs, sampling
from gan_course.errors import CourseError
from gan_course.gan import GAN
from gan_course.history import COLUMNS
from gan_course.training import Diverged

pytestmark = pytest.mark.usefixtures("own_machine")
CHECKPOINT = "checkpoint.safetensors"


@pytest.fixture(scope="session")
def train(small, pictures):
    """train(folder, steps, …): a small DCGAN on 40 random images; `options` go to `runs.train`.

    Its rate is high, so that a few steps give images with black and white in them.
    """

    def start(folder, steps: int = 10, recipe=None, **options) -> runs.Run:
        recipe = recipe or small("dcgan-fashion", draw_every=4, init="pytorch", lr_g=0.02)
        images = pictures(recipe, 40)
        image_set = data.ImageSet("fashion-mnist", "train", images, torch.zeros(40), (), "random pixels")
        options = {"images": recipe.batch * steps, "progress": False, **options}
        return runs.train(recipe, image_set, folder, **options)

    return start


@pytest.fixture(scope="session")
def trained(train, tmp_path_factory):
    """A run of 10 steps, to be read only."""
    return train(tmp_path_factory.mktemp("trained") / "run", 10)


@pytest.fixture(scope="session")
def published_once(trained, tmp_path_factory):
    return publishing.publish(trained, tmp_path_factory.mktemp("published") / "garments").folder


@pytest.fixture
def assets(monkeypatch, tmp_path, published_once):
    """Assets with one published run, `garments`, of which a test may spoil its own copy."""
    folder = tmp_path / "assets"
    shutil.copytree(published_once, folder / "runs" / "garments")
    monkeypatch.setattr(files, "assets_dir", lambda: folder)
    return folder


# --- training into a folder ------------------------------------------------------------------------


def test_what_a_run_leaves(trained):
    names = sorted(str(p.relative_to(trained.folder)) for p in trained.folder.rglob("*") if p.is_file())
    frames = [f"frames/step_{step:07d}.png" for step in (0, 4, 8, 10)]
    kept = [f"snapshots/step_{step:07d}.safetensors" for step in (0, 4, 8, 10)]  # where the loop handed back
    assert names == [CHECKPOINT, *frames, "run.json", *kept]

    card = json.loads((trained.folder / "run.json").read_text())
    assert card == trained.card
    assert {k: card[k] for k in ("seed", "goal", "step", "images")} == {
        "seed": 0,
        "goal": 10,
        "step": 10,
        "images": 160,
    }
    assert 0 < card["seconds"] < 100
    assert card["data"]["name"] == "fashion-mnist" and card["data"]["images"] == 40
    assert card["versions"]["torch"] == torch.__version__
    assert card["device"].startswith("CPU, ") or torch.cuda.is_available()
    assert trained.recipe.key == "dcgan-fashion" and trained.recipe.width == 1 / 8


def test_frames_are_the_fixed_latents_on_schedule(train, tmp_path, small):
    recipe = small("mlp-fashion", width=1 / 16, draw_every=30)  # which is no divisor of the reports' 50
    drawn = {}

    def look(gan):
        drawn[gan.step] = mosaic.tile(gan.draw())

    run = train(tmp_path / "run", 70, recipe, on_report=look)
    assert sorted(drawn) == [30, 50, 60, 70]
    assert [step for step, _ in run.frames] == [0, 30, 60, 70]
    for step, frame in run.frames[1:]:
        assert np.array_equal(frame, drawn[step]), step
    assert np.array_equal(run.frames[0][1], mosaic.tile(GAN(recipe).draw()))


def test_frames_after_the_checkpoint_are_not_shown(trained, tmp_path):
    shutil.copytree(trained.folder, tmp_path / "run")
    frames = tmp_path / "run" / "frames"
    shutil.copy(frames / "step_0000004.png", frames / "step_0000012.png")  # killed before it was saved
    assert [step for step, _ in runs.Run(tmp_path / "run").frames] == [0, 4, 8, 10]


def test_the_steps_follow_from_the_images(train, tmp_path, small):
    assert train(tmp_path / "a", images=16 * 3 + 15).card["step"] == 3
    epochs = small("mlp-fashion", width=1 / 16, epochs=2)  # 2 epochs of 40 images are 5 batches of 16
    assert train(tmp_path / "b", recipe=epochs, images=None).card["step"] == 5
    with pytest.raises(CourseError, match="15 images to see are less than one batch of 16: ask for more"):
        train(tmp_path / "c", images=15)
    assert not (tmp_path / "c").exists()


@pytest.mark.parametrize("changes", [{"size": 32}, {"channels": 3}, {"batch": 64}])
def test_images_that_do_not_fit_leave_no_folder(changes, tmp_path, small, pictures):
    images = pictures(small("mlp-fashion"), 40)
    image_set = data.ImageSet("mnist", "train", images, torch.zeros(40), (), "random")
    with pytest.raises(CourseError, match="these are uint8|do not fill a batch of 64"):
        runs.train(small("mlp-fashion", **changes), image_set, tmp_path / "run", images=6400, progress=False)
    assert not (tmp_path / "run").exists()


def test_a_folder_with_a_run_is_not_written_over(trained, train):
    before = (trained.folder / CHECKPOINT).read_bytes()
    with pytest.raises(CourseError, match="already holds a run: resume it, or choose another"):
        train(trained.folder, 20)
    assert (trained.folder / CHECKPOINT).read_bytes() == before


def test_resuming(train, tmp_path, trained):
    run = train(tmp_path / "run", 4, resume=True)  # nothing there yet: it starts
    seconds = run.card["seconds"]
    run = train(tmp_path / "run", 10, resume=True)
    assert (run.folder / CHECKPOINT).read_bytes() == (trained.folder / CHECKPOINT).read_bytes()
    assert [step for step, _ in run.frames] == [0, 4, 8, 10]
    assert run.card["seconds"] >= seconds and run.card["goal"] == 10


@pytest.mark.parametrize("goal", [10, 6])
def test_resuming_what_is_done_does_nothing(goal, train, trained, tmp_path):
    shutil.copytree(trained.folder, tmp_path / "run")
    stamps = {p: p.stat().st_mtime_ns for p in (tmp_path / "run").rglob("*.*") if p.name != "run.json"}
    assert len(stamps) == 9
    reports = []
    run = train(tmp_path / "run", goal, resume=True, on_report=reports.append)
    assert reports == []
    assert run.card == {**trained.card, "goal": goal, "seconds": run.card["seconds"]}
    assert run.card["seconds"] == pytest.approx(trained.card["seconds"], abs=0.2)
    assert {p: p.stat().st_mtime_ns for p in stamps} == stamps


def test_seconds_add_up_over_stops(train, tmp_path, monkeypatch):
    clock = [1000.0]
    monkeypatch.setattr(keeping.time, "monotonic", lambda: clock[0])

    def later(gan):
        clock[0] += 7

    assert train(tmp_path / "run", 4, on_report=later).card["seconds"] == 7
    clock[0] += 5_000  # a night in between
    assert train(tmp_path / "run", 12, resume=True, on_report=later).card["seconds"] == 7 + 2 * 7


def test_a_run_that_diverges_keeps_its_last_checkpoint(train, tmp_path, small):
    recipe = small("mlp-fashion", objective="least-squares", lr_g=1e18, lr_d=1e18)
    with pytest.raises(Diverged, match="the last checkpoint is untouched"):
        train(tmp_path / "run", 60, recipe)
    assert runs.Run(tmp_path / "run").restore().step == 0


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
    assert any(
        not torch.equal(a, b) for a, b in zip(G.parameters(), gan.G.parameters(), strict=True)
    )  # not the weights of the last step


def test_fixed_latents_give_the_last_frame(trained):
    assert trained.fixed_latents.shape == (64, 100)
    with torch.no_grad():
        images = data.to_uint8(trained.generator()(trained.fixed_latents))
    assert np.array_equal(mosaic.tile(images), trained.frames[-1][1])


def test_the_history_is_the_telemetry_of_every_step(trained):
    assert trained.history["step"].tolist() == list(range(10))
    assert trained.history.rows.tobytes() == trained.restore().history.rows.tobytes()


def test_a_run_of_another_kind_of_device_can_be_sampled_but_not_continued(trained, tmp_path):
    shutil.copytree(trained.folder, tmp_path / "run")
    content = (trained.folder / CHECKPOINT).read_bytes()
    cpu, xpu = b'\\"device\\": \\"cpu\\"', b'\\"device\\": \\"xpu\\"'
    assert content.count(cpu) == 1
    (tmp_path / "run" / CHECKPOINT).write_bytes(content.replace(cpu, xpu))
    run = runs.Run(tmp_path / "run")
    with pytest.raises(CourseError, match="was trained on xpu and goes on only there, not on cpu"):
        run.restore()
    assert torch.equal(sampling.sample(run.generator(), 4), sampling.sample(trained.generator(), 4))
    assert len(run.history) == 10 and run.fixed_latents.shape == (64, 100)


def test_a_damaged_checkpoint_is_said_to_be_damaged(trained, tmp_path):
    shutil.copytree(trained.folder, tmp_path / "run")
    (tmp_path / "run" / CHECKPOINT).write_bytes((trained.folder / CHECKPOINT).read_bytes()[:5_000])
    run = runs.Run(tmp_path / "run")
    for read in (run.load, run.generator, lambda: run.history, lambda: run.fixed_latents):
        with pytest.raises(CourseError, match="is damaged or incomplete"):
            read()
    (tmp_path / "run" / CHECKPOINT).unlink()
    with pytest.raises(CourseError, match="there is no .*checkpoint.safetensors: train a run first"):
        run.generator()


def test_a_damaged_frame(trained, tmp_path):
    shutil.copytree(trained.folder, tmp_path / "run")
    frame = tmp_path / "run" / "frames" / "step_0000004.png"
    for content in (b"", frame.read_bytes()[:200], b"no picture"):
        frame.write_bytes(content)
        with pytest.raises(CourseError, match="the frames of .* are damaged"):
            _ = runs.Run(tmp_path / "run").frames


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda card: card[: len(card) // 2], "run.json is damaged"),
        (lambda card: "", "run.json is damaged"),
        (lambda card: "[]", "run.json is damaged"),
        (lambda card: "\0" * 100, "run.json is damaged"),
        (lambda card: card.replace('"seed"', '"sead"'), "run.json is damaged .it lacks seed"),
        (lambda card: card.replace('"step"', '"stop"'), "run.json is damaged .it lacks step"),
        (
            lambda card: card.replace('"data": {', '"date": "", "dato": {'),
            "run.json is damaged .it lacks data",
        ),
        (lambda card: card.replace('"lr_g"', '"lr_h"'), "run.json is damaged .*lr_h"),
        (
            lambda card: card.replace('"dcgan-fashion"', '"dcgan-fashon"'),
            "run.json is damaged .*unknown network",
        ),
    ],
)
def test_a_damaged_card(spoil, said, trained, tmp_path):
    card = (trained.folder / "run.json").read_text()
    (tmp_path / "run.json").write_text(spoil(card))
    assert spoil(card) != card
    with pytest.raises(CourseError, match=said) as caught:
        runs.Run(tmp_path)
    assert "\n" not in str(caught.value)


def test_what_is_no_run(assets, tmp_path):
    (tmp_path / "file").write_text("")
    for place in ("nowhere", "assets", "file"):
        with pytest.raises(
            CourseError, match=rf"{place} holds no run .*`python -m gan_course train`.*garments"
        ):
            runs.find(place)


def test_names_and_folders(assets, trained, tmp_path):
    """A folder that holds a run goes before a published run of that name; any other folder does not."""
    assert runs.published() == ["garments"]
    published = assets / "runs" / "garments"
    assert runs.find("garments").folder == published
    (tmp_path / "garments").mkdir()
    (tmp_path / "garments" / "notes.txt").write_text("the working folder may hold one")
    assert runs.find("garments").folder == published
    shutil.copytree(trained.folder, tmp_path / "garments", dirs_exist_ok=True)
    assert runs.find("garments").folder.resolve() == tmp_path / "garments"
    assert runs.find(trained.folder).folder == trained.folder
    shutil.rmtree(assets / "runs")
    assert runs.published() == []
    with pytest.raises(CourseError, match="or name a published one: none yet"):
        runs.find("nothing")


# --- publishing ------------------------------------------------------------------------------------


def test_a_published_run_is_small_and_says_what_it_is(published_once, trained):
    assert sorted(p.name for p in published_once.iterdir()) == [
        "frames.webp",
        "generator.safetensors",
        "history.npy",
        "run.json",
    ]
    run = runs.Run(published_once)
    assert run.is_published and run.card == {**trained.card, "frames": [0, 4, 8, 10]}
    size = (published_once / "generator.safetensors").stat().st_size
    floats = sum(t.numel() for t in trained.generator().state_dict().values() if t.is_floating_point())
    assert size < 1.1 * floats + 4 * 64 * 100 + 10_000  # eight bits, a scale a row, the latents and a header
    with pytest.raises(CourseError, match="is a published run: it can be sampled, not trained on"):
        run.restore()


def test_a_published_run_draws_the_same_images(published_once, trained):
    run = runs.Run(published_once)
    one, other = (sampling.sample(r.generator(), 64, seed=3).int() for r in (run, trained))
    assert (one - other).abs().max() <= 3
    assert one.float().std() > 20
    assert torch.equal(run.fixed_latents, trained.fixed_latents)
    with torch.no_grad():
        again = mosaic.tile(data.to_uint8(run.generator()(run.fixed_latents))).astype(int)
    assert np.abs(again - trained.frames[-1][1]).max() <= 3  # its own last frame, before WebP


def test_published_frames_and_history(published_once, trained):
    run = runs.Run(published_once)
    assert [step for step, _ in run.frames] == [0, 4, 8, 10]
    for (_, one), (_, other) in zip(run.frames, trained.frames, strict=True):
        assert one.shape == other.shape and one.dtype == np.uint8
        assert np.abs(one.astype(int) - other).mean() < 20  # lossy, but this picture
    np.testing.assert_allclose(run.history.rows, trained.history.rows, rtol=1e-6)
    assert np.isnan(run.history["loss_g"]).sum() == 5


def handmade(folder, trained, frames: list[tuple[int, int]], rows: int = 0) -> runs.Run:
    """The trained run with other frames, (step, grey), and a history of `rows` steps."""
    shutil.copytree(trained.folder, folder, ignore=shutil.ignore_patterns("frames"))
    (folder / "frames").mkdir()
    for step, grey in frames:
        Image.new("RGB", (80, 80), (grey,) * 3).save(folder / "frames" / f"step_{step:07d}.png")
    gan = trained.restore()
    gan.history.rows = np.arange(rows * len(COLUMNS), dtype=float).reshape(rows, len(COLUMNS))
    checkpoint.save(gan, folder / CHECKPOINT)
    card = json.loads((folder / "run.json").read_text())
    card["step"] = 10**6
    (folder / "run.json").write_text(json.dumps(card))
    return runs.Run(folder)


def test_long_runs_are_thinned_from_the_first_to_the_last(trained, tmp_path):
    long = handmade(tmp_path / "run", trained, [(100 * i, 2 * i) for i in range(101)], rows=4321)
    copy = publishing.publish(long, tmp_path / "copy")
    steps = [step for step, _ in copy.frames]
    assert len(steps) == publishing.FRAMES and (steps[0], steps[-1]) == (0, 10_000)
    assert {b - a for a, b in zip(steps, steps[1:], strict=False)} == {400, 500}  # evenly spread
    assert np.array_equal(copy.card["frames"], steps)
    for step, picture in copy.frames:
        assert abs(int(picture.mean()) - 2 * step // 100) <= 12
    assert len(copy.history) == publishing.ROWS == 1000
    rows = long.history.rows
    assert np.array_equal(copy.history.rows[[0, -1]], rows[[0, -1]])


@pytest.mark.parametrize(
    "greys", [[0, 0, 200, 200, 200, 50], [7, 7, 7], [7], [9, 90, 90], [0, 1, 2, 3, 200, 201]]
)
def test_frames_that_look_alike_all_come_back(greys, trained, tmp_path):
    """The WebP encoder joins them; D's average stands still for a few steps at the beginning of every run."""
    run = handmade(tmp_path / "run", trained, [(10 * i, grey) for i, grey in enumerate(greys)])
    copy = publishing.publish(run, tmp_path / "copy")
    assert [step for step, _ in copy.frames] == [10 * i for i in range(len(greys))]
    for (_, picture), grey in zip(copy.frames, greys, strict=True):
        assert abs(int(picture.mean()) - grey) <= 12


def test_a_run_without_frames_is_not_published(trained, tmp_path):
    run = handmade(tmp_path / "run", trained, [])
    with pytest.raises(CourseError, match="has no frames to replay"):
        publishing.publish(run, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def cut(path):
    path.write_bytes(path.read_bytes()[:-100])


def other_weights(folder, small):
    """Weights of a wider network under the old card."""
    G, _ = small("dcgan-fashion", width=1 / 4).build()
    content = {name: t.half() if t.is_floating_point() else t for name, t in G.state_dict().items()}
    content["fixed_latents"] = torch.zeros(64, 100)
    header = {"gan_course": json.dumps({"format": runs.PUBLISHED_FORMAT})}
    from safetensors.torch import save_file

    save_file(content, folder / "generator.safetensors", header)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda f, s: cut(f / "generator.safetensors"), "generator.safetensors is damaged or incomplete"),
        (lambda f, s: (f / "generator.safetensors").write_bytes(b""), "is damaged or incomplete"),
        (lambda f, s: (f / "generator.safetensors").unlink(), "there is no .*checkpoint.safetensors"),
        (other_weights, "weights of another network than its card says: take another copy"),
        (lambda f, s: (f / "run.json").unlink(), "holds no run .no run.json"),
        (lambda f, s: cut(f / "run.json"), "run.json is damaged"),
    ],
)
def test_a_damaged_published_run(spoil, said, assets, small):
    folder = assets / "runs" / "garments"
    spoil(folder, small)
    with pytest.raises(CourseError, match=said) as caught:
        runs.find(folder).generator()
    assert "\n" not in str(caught.value)


def test_damaged_parts_of_a_published_run(assets):
    folder = assets / "runs" / "garments"
    run = runs.find("garments")
    cut(folder / "frames.webp")
    with pytest.raises(CourseError, match="the frames of .* are damaged"):
        _ = run.frames
    (folder / "frames.webp").unlink()
    with pytest.raises(CourseError, match="the frames of .* are damaged"):
        _ = run.frames
    for content in (b"", (folder / "history.npy").read_bytes()[:-7], b"\x80\x04K\x01."):  # a pickle last
        (folder / "history.npy").write_bytes(content)
        with pytest.raises(CourseError, match="the history of .* is damaged"):
            _ = run.history
    card = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps({k: v for k, v in card.items() if k != "frames"}))
    with pytest.raises(CourseError, match="run.json is damaged .it lacks frames"):
        runs.find("garments")


# --- sampling --------------------------------------------------------------------------------------


def test_samples_follow_their_seed_and_nothing_else(trained):
    G = trained.generator()
    torch.manual_seed(1)
    one = sampling.sample(G, 10, seed=4)
    torch.manual_seed(2)
    before = torch.get_rng_state()
    assert torch.equal(one, sampling.sample(G, 10, seed=4))
    assert torch.equal(torch.get_rng_state(), before)
    assert not torch.equal(one, sampling.sample(G, 10, seed=5))
    assert one.shape == (10, 1, 28, 28) and one.dtype == torch.uint8
    z = torch.randn(10, 100, generator=torch.Generator().manual_seed(4))
    with torch.no_grad():
        assert torch.equal(one, data.to_uint8(G(z)))


def test_more_than_a_chunk(trained, monkeypatch):
    """600 images come in three passes; the first ones are those of a shorter list."""
    G = trained.generator()
    many = sampling.sample(G, 600, seed=1)
    assert many.shape == (600, 1, 28, 28)
    assert torch.equal(many[:256], sampling.sample(G, 256, seed=1))
    assert torch.equal(many[:512], sampling.sample(G, 512, seed=1))
    assert len(many.flatten(1).unique(dim=0)) == 600
    # In other chunks the same latents come: the same images, but for sums taken in another order.
    monkeypatch.setattr(sampling, "CHUNK", 64)
    assert (sampling.sample(G, 512, seed=1).int() - many[:512].int()).abs().max() <= 1


@pytest.mark.parametrize("n", [0, -5])
def test_no_samples(n, trained):
    with pytest.raises(CourseError, match=f"number of images {n}: a whole number from 1 works"):
        sampling.sample(trained.generator(), n)


def test_more_samples_than_memory(trained, monkeypatch):
    G = trained.generator()
    with pytest.raises(CourseError, match="out of memory: less at a time works"):
        sampling.sample(G, 10**10)


def test_an_archive_of_samples(trained, tmp_path):
    images = sampling.sample(trained.generator(), 5)
    path = sampling.write_npz(tmp_path / "deep" / "samples.npz", images)
    with np.load(path, allow_pickle=False) as archive:
        assert archive.files == ["images"]
        assert archive["images"].dtype == np.uint8 and archive["images"].shape == (5, 1, 28, 28)
        assert np.array_equal(archive["images"], images.numpy())


# --- grids -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n", "channels", "size", "options", "shape"),
    [
        (64, 1, 28, {}, (2 * (8 * 30 + 2), 2 * (8 * 30 + 2))),  # twice as large, 2 px between
        (10, 1, 28, {}, (2 * (3 * 30 + 2), 2 * (4 * 30 + 2))),  # four columns, the last row not full
        (10, 3, 64, {"columns": 5}, (2 * 66 + 2, 5 * 66 + 2)),
        (4, 1, 28, {"padding": 0, "scale": 3}, (3 * 56, 3 * 56)),
    ],
)
def test_a_grid(n, channels, size, options, shape):
    images = torch.randint(0, 256, (n, channels, size, size), dtype=torch.uint8)
    grid = mosaic.tile(images, **options)
    assert grid.shape == (*shape, 3) and grid.dtype == np.uint8
    scale, pad = options.get("scale") or (2 if size == 28 else 1), options.get("padding", 2)
    corner = grid[scale * pad :: scale, scale * pad :: scale][:size, :size]
    assert np.array_equal(corner, images[0].permute(1, 2, 0).expand(-1, -1, 3).numpy())
    with Image.open(io.BytesIO(mosaic.encode_png(grid))) as picture:
        assert picture.mode == ("L" if channels == 1 else "RGB")
        assert np.array_equal(np.asarray(picture.convert("RGB")), grid)


def test_a_grid_takes_images_from_minus_one_to_one():
    floats = torch.tensor([-1.0, 0.0, 1.0, 3.0])[:, None, None, None].expand(-1, 1, 28, 28)
    assert mosaic.tile(floats, padding=0, scale=1, columns=4)[0, ::28, 0].tolist() == [0, 128, 255, 255]


@pytest.mark.parametrize("shape", [(0, 1, 28, 28), (4, 28, 28), (4, 2, 28, 28), (4, 784)])
def test_what_is_no_grid(shape):
    with pytest.raises(CourseError, match=r"a grid takes images \[N, 1 or 3, H, W\]; these have shape \["):
        mosaic.tile(torch.zeros(shape))
