"""What several test files share: small images, small recipes, a run's state laid open, processes."""

import os
import signal
import subprocess
import sys

import numpy as np
import pytest
import torch

from gan_course import data, recipes, training

# The tests' networks are tiny: a second thread gains nothing, and on a busy machine each waits for the other.
torch.set_num_threads(1)

# Started in the background, a shell lets its jobs ignore Ctrl-C; the tests of Ctrl-C mean a terminal's behaviour.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def own_machine(monkeypatch, tmp_path):
    """A machine with nothing but the course: profile ci, no data folder, an empty cache, no network."""
    monkeypatch.delenv("GAN_COURSE_DATA", raising=False)
    monkeypatch.delenv("GAN_COURSE_CELEBA", raising=False)
    monkeypatch.setenv("GAN_COURSE_PROFILE", "ci")
    monkeypatch.setenv("GAN_COURSE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("GAN_COURSE_OFFLINE", "1")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # for the processes that a test starts
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session")
def small():
    """small(key, **changes): a recipe at an eighth of its width with batches of 16."""

    def make(key: str, **changes) -> recipes.Recipe:
        return recipes.get(key).but(**{"width": 1 / 8, "batch": 16, **changes})

    return make


@pytest.fixture(scope="session")
def pictures():
    """pictures(recipe, n): n random uint8 images of the recipe's shape, the same at every call."""

    def make(recipe: recipes.Recipe, n: int) -> torch.Tensor:
        shape = (n, recipe.channels, recipe.size, recipe.size)
        return torch.randint(0, 256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(n))

    return make


@pytest.fixture(scope="session")
def noise_set(pictures):
    """noise_set(recipe, n=40): an image set of n random images of the recipe's shape."""

    def make(recipe: recipes.Recipe, n: int = 40, name: str = "mnist") -> data.ImageSet:
        return data.ImageSet(name, "train", pictures(recipe, n), torch.zeros(n, dtype=torch.int64), (), "noise")

    return make


@pytest.fixture(scope="session")
def go():
    """go(gan, images, until, **options): train a run to a step, and return it."""

    def train(gan, images: torch.Tensor, until: int, **options):
        for _ in training.train(gan, images, until, progress=False, **options):
            pass
        return gan

    return train


@pytest.fixture(scope="session")
def everything():
    """everything(gan): all that a run is, by name, listed here without the package's own list."""

    def lay_open(gan) -> dict[str, np.ndarray]:
        state = {"step": gan.step, "images": gan.images, "seed": gan.seed, "history": gan.history.rows}
        for name in ("G", "D", "average"):
            state.update({f"{name}.{key}": t for key, t in getattr(gan, name).state_dict().items()})
        for name in ("opt_g", "opt_d"):
            for i, moments in getattr(gan, name).state_dict()["state"].items():
                state.update({f"{name}.{i}.{key}": t for key, t in moments.items()})
        state.update(order=gan.order.get_state(), noise=gan.noise.get_state(), epoch=gan.epoch_order)
        state.update({f"global.{i}": s for i, s in enumerate(gan.global_rng)}, latents=gan.fixed_latents)
        return {name: np.asarray(value) for name, value in state.items()}

    return lay_open


@pytest.fixture(scope="session")
def assert_same(everything):
    """assert_same(a, b): two runs are the same to the bit; names what is not."""

    def compare(a, b) -> None:
        one, other = everything(a), everything(b)
        assert one.keys() == other.keys()
        differing = [
            name
            for name in one
            if one[name].shape != other[name].shape or one[name].tobytes() != other[name].tobytes()
        ]
        assert not differing

    return compare


@pytest.fixture
def process():
    """process(*arguments): a Python process, started; it ends with the test."""
    started = []

    def start(*arguments, **options) -> subprocess.Popen:
        env = {**os.environ, "OMP_NUM_THREADS": "1"}  # as here, so that its sums are taken in the same order
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "env": env, **options}
        started.append(subprocess.Popen([sys.executable, *map(str, arguments)], **options))
        return started[-1]

    yield start
    for one in started:
        if one.poll() is None:
            one.kill()
        one.wait()
        for pipe in filter(None, (one.stdin, one.stdout, one.stderr)):
            pipe.close()  # unread: a child of its own that was left behind may hold it open
