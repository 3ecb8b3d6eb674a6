"""The account of a step: bytes and operations by hand, and the limit that follows from them."""

import pytest
import torch

import account
import bench
from gan_course import recipes
from gan_course.gan import GAN

CPU = torch.device("cpu")
MLP = recipes.get("mlp-fashion").but(batch=4, width=1 / 16)
CLOTHES = torch.randint(0, 256, (64, 1, 28, 28), dtype=torch.uint8)


def watched(work):
    with account.Account() as found:
        work()
    return found.parts


def test_bytes_are_counted_by_hand():
    """100 numbers of four bytes are 400 bytes: each argument read, each result written; views move nothing."""
    a, b = torch.ones(100), torch.ones(100)
    for work, nbytes in (
        (lambda: a + b, 3 * 400),
        (lambda: a.add_(b), 3 * 400),
        (lambda: torch.add(a, b, out=b), 3 * 400),
        (lambda: a.relu(), 2 * 400),
        (lambda: a.view(10, 10).T, 0),
        (lambda: torch.empty(100), 0),
        (lambda: torch.cat([a, b]), 2 * 800),
        (lambda: a[torch.tensor([1, 5])], 2 * 8 + 16),  # two numbers of a hundred, and two indices
    ):
        parts = watched(work)
        assert sum(n for part in parts.values() for _, n in part.needs) == nbytes


def test_adam_reads_four_arrays_and_writes_three():
    weight = torch.nn.Parameter(torch.ones(1000))
    optimiser = torch.optim.Adam([weight], fused=True)
    weight.grad = torch.ones(1000)
    optimiser.step()
    adam = watched(optimiser.step)[account.ADAM]
    assert adam.count == 1
    assert adam.needs[0][1] == pytest.approx(7 * 4000, abs=100)  # and the steps' counter


def test_kinds_of_operations():
    net = torch.nn.Sequential(torch.nn.Linear(8, 4), torch.nn.ReLU(), torch.nn.Dropout())
    parts = watched(lambda: net(torch.ones(2, 8)))
    assert parts[account.PRODUCTS].needs[0][0] == 2 * 2 * 8 * 4
    assert parts[account.RANDOM].count == 1 and parts[account.PASSES].count >= 1


def test_a_whole_step_is_watched():
    """As many operations of arithmetic as the benchmark counts, data and average apart from the rest."""
    parts = account.watch(GAN(MLP), CLOTHES)
    flops = sum(flops for flops, _ in parts[account.PRODUCTS].needs)
    assert flops == bench.flops_per_image(MLP, CLOTHES, CPU) * MLP.batch * account.STEPS
    assert parts[account.ADAM].count == 1.5 * account.STEPS  # G moves every second time
    assert set(parts) == {account.PRODUCTS, account.PASSES, account.RANDOM, account.ADAM, account.AVERAGE, account.DATA}


def test_the_curve_of_passes_goes_through_what_was_measured():
    curve = ([100, 1000, 10_000], [1.0, 2.0, 20.0])
    found = [account.pass_over(n, curve) for n in (0, 10, 100, 1000, 10_000)]
    assert found == pytest.approx([0.0, 1.0, 1.0, 2.0, 20.0])
    assert 2 < account.pass_over(3000, curve) < 20
    assert account.pass_over(100_000, curve) == pytest.approx(200.0)  # as beyond the last two


def test_an_account_adds_up():
    found = account.measure(MLP, CLOTHES)
    parts = found["parts"].values()
    assert found["limit"] == pytest.approx(sum(part["limit"] for part in parts))
    assert all(part["ms"] >= 0 and part["limit"] >= 0 for part in parts)
    for words in ("mlp-fashion, batch 4, float32", "matrix products", "Adam", "a step"):
        assert words in account.table(found)


def test_bad_input_is_one_line_and_status_2(own_machine, capsys):
    assert account.main(["mlp"]) == 2
    assert "unknown recipe 'mlp'" in capsys.readouterr().err
