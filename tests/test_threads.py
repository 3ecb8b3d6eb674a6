"""Threads are given up where they cost more than they bring, and taken back; on a clock that the test turns."""

import pytest
import torch

from gan_course.threads import Threads


class Machine:
    """Two cores. Quiet; or busy: another program holds one, and two waiting threads crawl; or sleepy: they sleep."""

    TIMES = {  # (state, threads): seconds a step, cores in use
        ("quiet", 1): (0.03, 1.0),
        ("quiet", 2): (0.02, 2.0),
        ("busy", 1): (0.04, 1.0),
        ("busy", 2): (1.0, 1.3),
        ("sleepy", 1): (0.03, 1.0),
        ("sleepy", 2): (0.02, 1.4),
    }

    def __init__(self):
        self.now = self.cpu = 0.0
        self.state = "quiet"

    def work(self, threads: Threads, seconds: float) -> float:
        """Steps of 32 images until that time has passed; images a second."""
        begin, images = self.now, 0
        while self.now < begin + seconds:
            took, cores = self.TIMES[self.state, torch.get_num_threads()]
            self.now += took
            self.cpu += took * cores
            threads.look(32)
            images += 32
        return images / (self.now - begin)


@pytest.fixture
def machine(monkeypatch):
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield Machine()
    torch.set_num_threads(before)


def watch(machine: Machine, device: str = "cpu") -> Threads:
    return Threads(torch.device(device), clock=lambda: machine.now, used=lambda: machine.cpu)


def test_a_quiet_machine_keeps_its_threads(machine):
    with watch(machine) as threads:
        assert machine.work(threads, 100) == pytest.approx(32 / 0.02)  # not one step in another number


def test_a_busy_machine_gives_threads_up_and_a_quiet_one_takes_them_back(machine):
    with watch(machine) as threads:
        machine.work(threads, 10)
        machine.state = "busy"
        assert machine.work(threads, 300) > 0.9 * 32 / 0.04
        assert torch.get_num_threads() == 1
        machine.state = "quiet"
        machine.work(threads, 61)
        assert torch.get_num_threads() == 2
        assert machine.work(threads, 100) == pytest.approx(32 / 0.02)
        machine.state = "busy"
        machine.work(threads, 2)
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 2  # as the caller had it


def test_what_happens_between_steps_does_not_count(machine):
    with watch(machine) as threads:
        for _ in range(50):
            machine.now += 10  # the caller draws a picture, on one core
            machine.cpu += 10
            threads.resume()
            machine.work(threads, 0.1)
            assert torch.get_num_threads() == 2


def test_threads_that_sleep_but_pay_are_kept(machine):
    machine.state = "sleepy"
    with watch(machine) as threads:
        assert machine.work(threads, 300) > 0.97 * 32 / 0.02


@pytest.mark.parametrize("how", ["deterministic", "waiting policy", "another device"])
def test_left_alone(machine, monkeypatch, how):
    if how == "deterministic":
        monkeypatch.setattr(torch, "are_deterministic_algorithms_enabled", lambda: True)
    if how == "waiting policy":
        monkeypatch.setenv("OMP_WAIT_POLICY", "PASSIVE")
    machine.state = "busy"
    with watch(machine, "meta" if how == "another device" else "cpu") as threads:
        machine.work(threads, 20)
        assert torch.get_num_threads() == 2
