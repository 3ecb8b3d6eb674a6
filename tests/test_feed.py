"""Where a run's images lie, and that this changes nothing else."""

import torch

from gan_course import data, training
from gan_course.feed import Feed
from gan_course.gan import GAN

CPU = torch.device("cpu")


def test_images_that_fit_lie_on_the_device_and_others_stay(small, pictures):
    images = pictures(small("mlp-fashion"), 40)  # 31,360 bytes
    there, far = Feed(images, CPU, free=60_000), Feed(images, CPU, free=50_000)
    assert there.resident and there.about == "0.0 GB of images on cpu (0.0 GB free)"
    assert not far.resident and "gathered batch by batch ahead of training" in far.about
    assert Feed(images, CPU).resident


def test_batches_are_the_same_either_way(small, pictures):
    images = pictures(small("mlp-fashion"), 40)
    rows = torch.randperm(40).view(10, 4)
    wanted = [data.to_signed(images[row]) for row in rows]
    for free in (0, 10**9):
        found = list(Feed(images, CPU, free).batches(rows))
        assert len(found) == 10 and all(torch.equal(a, b) for a, b in zip(found, wanted, strict=True))


def test_the_next_batch_is_gathered_while_this_one_trains(small, pictures, monkeypatch):
    images, gathered = pictures(small("mlp-fashion"), 40), []
    honest = Feed._gather
    monkeypatch.setattr(Feed, "_gather", lambda self, i: (gathered.append(len(gathered)), honest(self, i))[1])
    batches = Feed(images, CPU, free=0).batches(torch.arange(40).view(10, 4))
    next(batches)
    batches.close()  # waits for what was begun
    assert gathered == [0, 1]


def test_a_memory_mapped_set_trains_to_the_same_bits(small, pictures, tmp_path, assert_same):
    recipe = small("dcgan-faces-64")
    images = pictures(recipe, 70)
    (tmp_path / "pixels").write_bytes(images.numpy().tobytes())
    mapped = torch.from_file(str(tmp_path / "pixels"), size=images.numel(), dtype=torch.uint8).view_as(images)
    runs = []
    for feed in (Feed(images, CPU, free=10**9), Feed(mapped, CPU, free=0)):
        gan = GAN(recipe, seed=2)
        for until in (3, 4, 10):  # stops in the middle of an epoch and at its end
            for _ in training.train(gan, feed, until, progress=False):
                pass
        runs.append(gan)
    assert_same(*runs)
