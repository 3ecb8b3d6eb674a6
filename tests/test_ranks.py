"""Two processes train one run: as one would on the joined batch, resumed bit for bit, safe when one dies."""

import json
import os
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import safetensors.torch
import torch
from torch import nn

from gan_course import networks, ranks, recipes, runs, training
from gan_course.errors import CourseError
from gan_course.gan import GAN
from gan_course.ranks import Ranks, joined

CHECKOUT = Path(__file__).resolve().parent.parent
TOGETHER = """
    import json, os, signal, sys
    from pathlib import Path
    import torch
    from torch import nn
    from gan_course import data, networks, ranks, recipes, runs, training
    from gan_course.errors import CourseError
    from gan_course.gan import GAN

    torch.set_num_threads(1)
    folder = Path(sys.argv[1])
    images = torch.randint(0, 256, (64, 1, 28, 28), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    some = data.ImageSet("mnist", "train", images, torch.zeros(64, dtype=torch.int64), (), "random pixels")
    recipe = recipes.get("quick-digits").but(batch=4, width=1 / 16, draw_every=5)

    def train(name, until, **options):
        options = {"recipe": recipe, "images": 8 * until, "progress": False, "ranks": group, **options}
        return runs.train(image_set=some, folder=folder / name, **options)

    def die(gan):
        if gan.step == 10 and gan.ranks.rank == 1:
            os.kill(os.getpid(), signal.SIGKILL)

    with ranks.joined() as group:
        # Gradients: networks without BatchNorm, each rank with a batch of its own.
        G = networks.Generator(nn.Sequential(nn.Linear(100, 784), nn.Tanh(), nn.Unflatten(1, (1, 28, 28))), 100)
        D = networks.Discriminator(nn.Sequential(nn.Flatten(), nn.Linear(784, 1)))
        gan = GAN(recipe, networks=(G, D), ranks=group)
        real = data.to_signed(images[group.rank * 4 : group.rank * 4 + 4])
        state = gan.noise.get_state()
        z = gan.latents(4)
        gan.noise.set_state(state)
        training.train_step(gan, real)
        grads = [p.grad.clone() for net in (gan.G, gan.D) for p in net.parameters()]
        step = {"z": z, "real": real, "grads": grads, "first latents": gan.fixed_latents}

        # Each rank's part of the data order; telemetry, the mean over the ranks.
        order = training.index_batches(GAN(recipe, ranks=group), 64)
        step["order"] = torch.cat([next(order) for _ in range(8)])
        step["history"] = torch.from_numpy(train("whole", 20).history.rows)

        # Runs in two halves.
        train("halves", 10)
        train("halves", 20, resume=True)
        torch.save(step, folder / f"step-{group.rank}.pt")

        # Disagreement, turns, and the death of one.
        try:
            train("odd", 10, recipe=recipe.but(lr_g=1e-4 * (1 + group.rank)))
        except CourseError as error:
            (folder / f"error-{group.rank}.txt").write_text(str(error))
        mark = folder / "mark"
        found = group.in_turn(lambda: mark.exists() or bool(mark.write_text("")))
        (folder / f"turn-{group.rank}.txt").write_text(str(found))
        try:
            train("dead", 2_000, save_every=0, on_report=die)
        except CourseError as error:
            sys.exit(f"gan_course: {error}")
"""


@pytest.fixture(scope="module")
def together(tmp_path_factory):
    """Everything two processes are asked to do, in one start: (folder, how torchrun ended)."""
    folder = tmp_path_factory.mktemp("together")
    (folder / "script.py").write_text(textwrap.dedent(TOGETHER))
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(CHECKOUT)}
    command += [str(folder / "script.py"), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, env=environment)
    assert (folder / "turn-0.txt").exists() and (folder / "turn-1.txt").exists(), done.stderr[-3000:]
    return folder, done


@pytest.fixture(scope="module")
def parts(together):
    return [torch.load(together[0] / f"step-{i}.pt", weights_only=True) for i in (0, 1)]


def test_gradients_are_those_of_the_joined_batch(parts):
    assert not torch.equal(parts[0]["z"], parts[1]["z"]), "each rank has latents of its own"
    assert torch.equal(parts[0]["first latents"], parts[1]["first latents"])
    layers = nn.Sequential(nn.Linear(100, 784), nn.Tanh(), nn.Unflatten(1, (1, 28, 28)))
    pair = (networks.Generator(layers, 100), networks.Discriminator(nn.Sequential(nn.Flatten(), nn.Linear(784, 1))))
    alone = GAN(recipes.get("quick-digits").but(batch=8, width=1 / 16), networks=pair)
    alone.latents = lambda n: torch.cat([part["z"] for part in parts])
    training.train_step(alone, torch.cat([part["real"] for part in parts]))
    own = [p.grad for network in (alone.G, alone.D) for p in network.parameters()]
    for one, other, whole in zip(parts[0]["grads"], parts[1]["grads"], own, strict=True):
        assert torch.equal(one, other)
        assert torch.allclose(one, whole, rtol=1e-4, atol=1e-7)


def test_two_halves_are_the_whole_bit_for_bit(together, parts):
    folder, _ = together
    paths = (folder / name / "checkpoint.safetensors" for name in ("whole", "halves"))
    whole, halves = map(safetensors.torch.load_file, paths)
    assert whole.keys() == halves.keys() and len(whole["random.noise"]) == 2
    for name in whole:
        assert torch.equal(whole[name].nan_to_num(), halves[name].nan_to_num()), name
    card = json.loads((folder / "whole" / "run.json").read_text())
    assert (card["step"], card["images"], card["ranks"]) == (20, 160, 2)
    for part in parts:  # one telemetry on both
        assert torch.equal(part["history"].nan_to_num(), whole["history"].nan_to_num())
    with pytest.raises(CourseError, match="was trained by 2 ranks and goes on only so, not with 1"):
        runs.Run(folder / "whole").restore()
    assert runs.Run(folder / "whole").generator()(torch.zeros(1, 100)).shape == (1, 1, 28, 28)


def test_each_image_is_seen_once_an_epoch_and_the_first_rank_goes_first(together, parts):
    assert sorted(torch.cat([part["order"] for part in parts]).tolist()) == list(range(64))
    assert [(together[0] / f"turn-{i}.txt").read_text() for i in (0, 1)] == ["False", "True"]


def test_ranks_that_mean_different_things_say_so(together):
    said = {(together[0] / f"error-{i}.txt").read_text() for i in (0, 1)}
    assert said == {"the processes were started with different settings, versions or data: start all alike"}
    assert not (together[0] / "odd").exists()


def test_a_rank_that_dies_ends_all_and_leaves_a_checkpoint(together):
    folder, done = together
    assert done.returncode != 0
    # torchrun may stop the other rank before it can speak; then torchrun's own report names the dead one.
    assert "another rank has gone" in done.stderr or "Signal 9 (SIGKILL)" in done.stderr
    run = runs.Run(folder / "dead")
    assert 5 <= run.card["step"] < 2_000
    assert run.generator()(torch.zeros(1, 100)).isfinite().all()


def test_fewer_images_than_all_ranks_together_take(small, pictures):
    recipe = small("mlp-fashion")
    with pytest.raises(CourseError, match="40 images do not fill a batch of 16 in each of 3 processes: give more"):
        next(training.train(GAN(recipe, ranks=Ranks(0, 3)), pictures(recipe, 40), until=2, progress=False))


@pytest.fixture
def torchruns(monkeypatch):
    """The environment torchrun gives rank 0 of two, and nobody else there."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("MASTER_PORT", str(free.getsockname()[1]))
    monkeypatch.setenv("MASTER_ADDR", "127.0.0.1")
    for name, number in (("WORLD_SIZE", 2), ("RANK", 0), ("LOCAL_RANK", 0), ("LOCAL_WORLD_SIZE", 2)):
        monkeypatch.setenv(name, str(number))


def test_a_rank_that_never_comes_is_missed(torchruns, monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    monkeypatch.setattr(ranks, "SECONDS", 1.0)
    said = "rank 0 of 2 met no others within 1 s .*: every machine runs the same torchrun command with a node rank"
    with pytest.raises(CourseError, match=said), joined():
        pass


def test_more_ranks_than_gpus(torchruns, monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(CourseError, match="2 processes and 1 GPUs: start at most 1 on this machine"), joined():
        pass
