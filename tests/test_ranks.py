"""Two processes train one run: as one would on the joined batch, resumed bit for bit, safe when one dies."""

import json
import os
import socket
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
import safetensors.torch
import torch

from gan_course import runs, training
from gan_course.errors import CourseError
from gan_course.gan import GAN
from gan_course.ranks import Ranks, joined

CHECKOUT = Path(__file__).resolve().parent.parent
BEGIN = """
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
"""


def torchrun(script, folder, n=2):
    """Run a script in n processes on this machine, and return what came of it."""
    path = folder / "script.py"
    path.write_text(BEGIN + textwrap.dedent(script))
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={n}"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(CHECKOUT)}
    return subprocess.run(
        [*command, str(path), str(folder)], capture_output=True, text=True, timeout=120, env=environment
    )


@pytest.fixture(scope="module")
def together(tmp_path_factory):
    """Everything two healthy processes are asked to do, in one start."""
    folder = tmp_path_factory.mktemp("together")
    done = torchrun(
        """
        with ranks.joined() as group:
            # Gradients: networks without BatchNorm, each rank with a batch of its own.
            G = networks.Generator(nn.Sequential(nn.Linear(100, 784), nn.Tanh(), nn.Unflatten(1, (1, 28, 28))), 100)
            D = networks.Discriminator(nn.Sequential(nn.Flatten(), nn.Linear(784, 1)))
            gan = GAN(recipe, networks=(G, D), ranks=group)
            real = data.to_signed(images[group.rank * 4 : group.rank * 4 + 4])
            state = gan.noise.get_state()
            z = gan.latents(4)
            gan.noise.set_state(state)
            start = {k: v.clone() for k, v in gan.G.state_dict().items()}
            training.train_step(gan, real)
            grads = [p.grad.clone() for net in (gan.G, gan.D) for p in net.parameters()]
            torch.save(
                {"z": z, "real": real, "grads": grads, "first latents": gan.fixed_latents, "G": gan.G.state_dict()},
                folder / f"step-{group.rank}.pt",
            )

            # Runs: whole, and in two halves. Each rank's part of the data order.
            runs.train(recipe, some, folder / "whole", images=160, progress=False, ranks=group)
            runs.train(recipe, some, folder / "halves", images=80, progress=False, ranks=group)
            runs.train(recipe, some, folder / "halves", images=160, resume=True, progress=False, ranks=group)
            order = training.index_batches(GAN(recipe, ranks=group), 64)
            torch.save(torch.cat([next(order) for _ in range(8)]), folder / f"order-{group.rank}.pt")

            # Disagreement.
            try:
                runs.train(recipe.but(lr_g=1e-4 * (1 + group.rank)), some, folder / "odd", images=80, ranks=group)
            except CourseError as error:
                (folder / f"error-{group.rank}.txt").write_text(str(error))
            mark = folder / "mark"
            found = group.in_turn(lambda: mark.exists() or bool(mark.write_text("")))
            (folder / f"turn-{group.rank}.txt").write_text(str(found))
        """,
        folder,
    )
    assert done.returncode == 0, done.stderr[:3000]
    return folder


def test_gradients_are_those_of_the_joined_batch(together):
    from torch import nn

    from gan_course import networks, recipes

    parts = [torch.load(together / f"step-{i}.pt", weights_only=True) for i in (0, 1)]
    assert not torch.equal(parts[0]["z"], parts[1]["z"]), "each rank has latents of its own"
    assert torch.equal(parts[0]["first latents"], parts[1]["first latents"])
    layers = nn.Sequential(nn.Linear(100, 784), nn.Tanh(), nn.Unflatten(1, (1, 28, 28)))
    pair = (
        networks.Generator(layers, 100),
        networks.Discriminator(nn.Sequential(nn.Flatten(), nn.Linear(784, 1))),
    )
    alone = GAN(recipes.get("quick-digits").but(batch=8, width=1 / 16), networks=pair)
    alone.latents = lambda n: torch.cat([part["z"] for part in parts])
    training.train_step(alone, torch.cat([part["real"] for part in parts]))
    own = [p.grad for network in (alone.G, alone.D) for p in network.parameters()]
    for one, other, whole in zip(parts[0]["grads"], parts[1]["grads"], own, strict=True):
        assert torch.equal(one, other)
        assert torch.allclose(one, whole, rtol=1e-4, atol=1e-7)


def test_two_halves_are_the_whole_bit_for_bit(together):
    whole, halves = (
        safetensors.torch.load_file(together / name / "checkpoint.safetensors")
        for name in ("whole", "halves")
    )
    assert whole.keys() == halves.keys() and len(whole["random.noise"]) == 2
    for name in whole:
        assert torch.equal(whole[name].nan_to_num(), halves[name].nan_to_num()), name
    card = json.loads((together / "whole" / "run.json").read_text())
    assert (card["step"], card["images"], card["ranks"]) == (20, 160, 2)
    assert runs.Run(together / "whole").generator()(torch.zeros(1, 100)).shape == (1, 1, 28, 28)


def test_each_image_is_seen_once_an_epoch(together):
    seen = torch.cat([torch.load(together / f"order-{i}.pt", weights_only=True) for i in (0, 1)])
    assert sorted(seen.tolist()) == list(range(64))


def test_ranks_that_mean_different_things_say_so(together):
    lines = {(together / f"error-{i}.txt").read_text() for i in (0, 1)}
    assert len(lines) == 1
    assert "started with different settings" in lines.pop()
    assert not (together / "odd").exists()


def test_fewer_images_than_all_ranks_together_take(small, pictures):
    recipe = small("mlp-fashion")
    gan = GAN(recipe, ranks=Ranks(0, 3))
    with pytest.raises(
        CourseError, match="40 images do not fill a batch of 16 in each of 3 processes: give more"
    ):
        next(training.train(gan, pictures(recipe, 40), until=2, progress=False))


def test_the_first_rank_goes_first(together):
    assert [(together / f"turn-{i}.txt").read_text() for i in (0, 1)] == ["False", "True"]


def test_a_rank_that_dies_ends_all_and_leaves_a_checkpoint(tmp_path):
    begin = time.monotonic()
    done = torchrun(
        """
        def on_report(gan):
            if gan.step == 10 and gan.ranks.rank == 1:
                os.kill(os.getpid(), signal.SIGKILL)

        try:
            with ranks.joined() as group:
                runs.train(
                    recipe, some, folder / "run", images=16_000, progress=False, ranks=group, save_every=0,
                    on_report=on_report,
                )
        except CourseError as error:
            sys.exit(f"gan_course: {error}")
        """,
        tmp_path,
    )
    assert done.returncode != 0 and time.monotonic() - begin < 60
    # torchrun may stop the other rank before it can speak; then torchrun's own report names the dead one.
    assert "another rank has gone" in done.stderr or "Signal 9 (SIGKILL)" in done.stderr
    run = runs.Run(tmp_path / "run")
    assert run.card["step"] >= 5
    assert run.generator()(torch.zeros(1, 100)).isfinite().all()


def test_a_rank_that_never_comes_is_missed(tmp_path):
    script = tmp_path / "alone.py"
    script.write_text(
        "from gan_course import ranks\n"
        "from gan_course.errors import CourseError\n"
        "ranks.SECONDS = 3\n"
        "try:\n"
        "    with ranks.joined():\n"
        "        pass\n"
        "except CourseError as error:\n"
        "    print(error)\n"
    )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    place = {
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": port,
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(CHECKOUT),
    }
    who = {"WORLD_SIZE": "2", "RANK": "0", "LOCAL_RANK": "0", "LOCAL_WORLD_SIZE": "1"}
    done = subprocess.run(
        [sys.executable, str(script)],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **place, **who},
    )
    assert done.stdout.startswith("rank 0 of 2 met no others within 3 s ("), done.stderr[-2000:]
    assert "every machine runs the same torchrun command" in done.stdout


def test_more_ranks_than_gpus(monkeypatch):
    for name, value in {"WORLD_SIZE": "4", "LOCAL_RANK": "0", "LOCAL_WORLD_SIZE": "4", "RANK": "0"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(CourseError, match="4 processes and 2 GPUs: start at most 2 on this machine"), joined():
        pass
