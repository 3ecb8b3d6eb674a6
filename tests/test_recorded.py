"""Recorded steps: what a graph repeats is what the plain step does. The rest needs a CUDA GPU."""

import pytest
import torch

from gan_course import training
from gan_course.data import ImageSet
from gan_course.errors import CourseError
from gan_course.gan import GAN
from gan_course.recorded import WARM, Recorded
from gan_course.runs import train


def test_a_cpu_records_nothing(small):
    with pytest.raises(CourseError, match="on a CUDA GPU only: leave --graphs out"):
        Recorded(GAN(small("mlp-fashion")), training.train_step, training.NORMS_EVERY)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
@pytest.mark.parametrize("key", ["mlp-fashion", "dcgan-mnist"])
def test_recorded_steps_are_the_plain_ones(key, small, pictures):
    recipe = small(key)
    runs = []
    for recorded in (False, True):
        gan = GAN(recipe, seed=3, device="cuda")
        step = Recorded(gan, training.train_step, training.NORMS_EVERY) if recorded else None
        for _ in training.train(gan, pictures(recipe, 64), WARM + 6, progress=False, step=step):
            pass  # a few replays: cuDNN adds in no fixed order, and Adam makes the differences grow
        runs.append(gan)
    plain, repeated = runs
    assert len(step.graphs) == min(2, recipe.g_every)
    for one, other in zip(plain.G.parameters(), repeated.G.parameters(), strict=True):
        assert torch.allclose(one, other, rtol=1e-3, atol=1e-4)


def test_it_is_refused_before_anything_is_written(small, pictures, tmp_path):
    recipe = small("mlp-fashion")
    some = ImageSet("mnist", "train", pictures(recipe, 40), torch.zeros(40, dtype=torch.int64), (), "noise")
    with pytest.raises(CourseError, match="leave --graphs out"):
        train(recipe, some, tmp_path / "run", images=160, graphs=True, progress=False)
    assert not (tmp_path / "run").exists()
