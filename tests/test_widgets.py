"""Widgets without a browser: presses, the picture that follows, and what is left where nothing can be pressed."""

import asyncio
import base64
import io
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from gan_course import losses, show, toy, widgets
from gan_course.errors import CourseError
from gan_course.widgets import panel as panels


@pytest.fixture
def by_hand():
    return widgets.StepByStep(toy.ToyGAN(toy.eight_gaussians(), seeds=[2], hidden=16, batch=32))


def state(panel):
    return [torch.nn.utils.parameters_to_vector(net.parameters()).detach() for net in (panel.gan.G, panel.gan.D)]


@pytest.mark.parametrize("who, words", [("d", "D 1, G 0"), ("g", "D 0, G 1")])
def test_a_step_trains_one_alone_and_redraws(by_hand, who, words):
    (g, d), before = state(by_hand), by_hand.picture.still
    with torch.no_grad():  # as in a notebook that only looks at pictures
        (by_hand.step_d if who == "d" else by_hand.step_g).click()
    assert torch.equal(g, state(by_hand)[0]) == (who == "d")
    assert torch.equal(d, state(by_hand)[1]) == (who == "g")
    assert by_hand.picture.still != before and words in by_hand.picture.alt
    assert f"{who.upper()}'s loss" in by_hand.picture.alt


def test_steps_a_press_rounds_and_ticks(by_hand):
    by_hand.presses.value = 50
    by_hand.step_d.click()
    assert (by_hand.gan.d_steps, by_hand.gan.g_steps) == (50, 0)
    by_hand.presses.value, by_hand.d_steps.value = 10, 5
    by_hand.both.click()
    assert (by_hand.gan.d_steps, by_hand.gan.g_steps) == (100, 10)
    by_hand.play.value = 1
    assert by_hand.gan.g_steps == 15
    by_hand.play.value = 0  # what the stop button does
    assert by_hand.gan.g_steps == 15


def test_reset_restores_the_start_and_takes_the_seed(by_hand):
    (g, d), before = state(by_hand), by_hand.picture.still
    by_hand.both.click()
    by_hand.reset.click()
    assert torch.equal(g, state(by_hand)[0]) and torch.equal(d, state(by_hand)[1])
    assert by_hand.picture.still == before
    by_hand.seed.value = 7
    by_hand.reset.click()
    assert by_hand.gan.seeds == (7,) and not torch.equal(g, state(by_hand)[0])


def test_the_objective_can_be_changed_and_ones_own_is_kept(by_hand):
    by_hand.objective.value = losses.g_saturating
    by_hand.step_g.click()
    assert by_hand.gan.losses()[0][1] < 0  # log(1 - D) is negative, -log D is not
    gan = toy.ToyGAN(toy.eight_gaussians(), losses.g_least_squares, hidden=8, batch=16)
    assert widgets.StepByStep(gan).objective.value is losses.g_least_squares


def test_a_stopped_press_counts_what_was_done(by_hand, monkeypatch):
    step = by_hand.one_d

    def interrupted():
        if by_hand.gan.d_steps == 3:
            raise KeyboardInterrupt
        step()

    monkeypatch.setattr(by_hand, "one_d", interrupted)
    with pytest.raises(KeyboardInterrupt):
        by_hand.train(d=50)
    assert "D 3, G 0" in by_hand.picture.alt


def test_the_plane_shows_what_d_believes():
    gan = toy.ToyGAN(toy.eight_gaussians(), hidden=8, batch=16)
    colours = {}
    for name, bias in (("real", 9.0), ("fake", -9.0)):
        with torch.no_grad():
            gan.D.weights[-1].zero_()
            gan.D.biases[-1].fill_(bias)
        frame = widgets.Plane(gan).frame()
        colours[name] = frame[frame.shape[0] // 2 - 60, frame.shape[1] // 3].tolist()
    assert colours["real"][2] > colours["real"][0] + 40, "believed points lie on blue"
    assert colours["fake"][0] > colours["fake"][2] + 40, "refused points lie on red"


def test_the_calculator_says_what_it_draws():
    panel = widgets.SizeCalculator(n=np.int64(4))
    assert "8 outputs of 4 inputs" in panel.picture.alt and "1, 2, 2, 2, 2, 2, 2, 1" in panel.picture.alt
    first = panel.picture.still
    panel.kernel.value = 3
    assert "7 outputs of 4 inputs" in panel.picture.alt and panel.picture.still != first
    panel.kind.value = False
    assert "convolution with k3 s2 p1 makes 2 outputs" in panel.picture.alt
    panel.kernel.value, panel.padding.value = 7, 0
    assert "does not fit" in panel.picture.alt  # said in the picture, not raised
    with pytest.raises(CourseError, match="input 29: a whole number from 1 to 28 works"):
        widgets.SizeCalculator(n=29)


def test_without_a_front_end_a_still_with_words_is_left(by_hand):
    (image,) = [part for part in by_hand.box.children if type(part).__name__ == "Image"]
    by_hand.both.click()
    data, metadata = by_hand._repr_mimebundle_()
    assert data[widgets.VIEW]["model_id"] == by_hand.box.model_id
    picture = Image.open(io.BytesIO(base64.b64decode(data["image/png"])))
    assert picture.format == "PNG" and min(picture.size) > 300 and image.value == by_hand.picture.still
    assert metadata["image/png"]["alt"] == data["text/plain"] == by_hand.picture.alt
    assert "modes covered" in data["text/plain"] and "Real points blue" in data["text/plain"]


class Counting(widgets.Panel):
    """A panel that counts its drawings and shows the last number it was given."""

    def __init__(self):
        self.drawings, self.number = 0, 0
        super().__init__()

    def render(self):
        self.drawings += 1
        figure, _ = show.new_figure(1, 1)
        return show.figure(figure, f"number {self.number} <&>", dpi=20)

    async def burst(self, numbers):
        before = self.drawings
        for self.number in numbers:
            self.refresh()
        while self.drawings == before:
            await asyncio.sleep(0.01)


def test_a_burst_of_events_is_drawn_once_and_its_end_always(monkeypatch):
    monkeypatch.setattr(panels, "time", SimpleNamespace(monotonic=lambda: 0.0))  # everything at one moment
    panel = Counting()
    asyncio.run(asyncio.wait_for(panel.burst(range(1, 41)), 60))
    assert panel.picture.alt == "number 40 <&>" and panel.drawings == 2


def test_without_a_loop_every_event_is_drawn():
    panel = Counting()
    for panel.number in range(1, 4):
        panel.refresh()
    assert panel.drawings == 4 and panel.picture.alt == "number 3 <&>"
    assert panel._words.value == '<div role="status">number 3 &lt;&amp;&gt;</div>'  # text, not markup
