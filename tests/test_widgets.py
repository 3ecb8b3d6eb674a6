"""Widgets without a browser: presses, the picture that follows, and what is left where nothing can be pressed."""

import asyncio
import base64
import io
import time

import pytest
import torch
from PIL import Image

from gan_course import losses, show, toy, widgets


@pytest.fixture
def by_hand():
    return widgets.StepByStep(toy.ToyGAN(toy.eight_gaussians(), seeds=[2], hidden=16, batch=32))


def state(panel):
    networks = panel.gan.G, panel.gan.D
    return [torch.nn.utils.parameters_to_vector(network.parameters()).detach() for network in networks]


def shown(panel):
    return panel._image.value


def test_step_d_trains_d_alone_and_redraws(by_hand):
    (g, d), before = state(by_hand), shown(by_hand)
    by_hand.step_d.click()
    after = state(by_hand)
    assert torch.equal(g, after[0]) and not torch.equal(d, after[1])
    assert shown(by_hand) != before
    assert "D 1, G 0" in by_hand.picture.alt and "D's loss" in by_hand.picture.alt


def test_step_g_trains_g_alone_and_redraws(by_hand):
    (g, d), before = state(by_hand), shown(by_hand)
    by_hand.step_g.click()
    after = state(by_hand)
    assert not torch.equal(g, after[0]) and torch.equal(d, after[1])
    assert shown(by_hand) != before and "D 0, G 1" in by_hand.picture.alt


def test_both_makes_rounds(by_hand):
    by_hand.presses.value, by_hand.d_steps.value = 10, 5
    by_hand.both.click()
    assert (by_hand.gan.d_steps, by_hand.gan.g_steps) == (50, 10)


def test_steps_a_press(by_hand):
    by_hand.presses.value = 50
    by_hand.step_d.click()
    assert (by_hand.gan.d_steps, by_hand.gan.g_steps) == (50, 0)


def test_play_trains_with_every_tick_and_its_stop_does_not(by_hand):
    before = shown(by_hand)
    by_hand.play.value = 1
    by_hand.play.value = 2
    trained = by_hand.gan.g_steps
    assert trained >= 2 and shown(by_hand) != before
    by_hand.play.value = 0  # what the stop button does
    assert by_hand.gan.g_steps == trained


def test_reset_restores_the_start_and_takes_the_seed(by_hand):
    (g, d), before = state(by_hand), shown(by_hand)
    by_hand.both.click()
    by_hand.reset.click()
    assert torch.equal(g, state(by_hand)[0]) and torch.equal(d, state(by_hand)[1])
    assert shown(by_hand) == before
    by_hand.seed.value = 7
    by_hand.reset.click()
    assert by_hand.gan.seeds == (7,) and not torch.equal(g, state(by_hand)[0])


def test_the_objective_can_be_changed(by_hand):
    by_hand.objective.value = losses.g_saturating
    by_hand.step_g.click()
    assert by_hand.gan.losses()[0][1] < 0  # log(1 - D) is negative, -log D is not


def test_an_objective_of_ones_own_is_kept():
    gan = toy.ToyGAN(toy.eight_gaussians(), losses.g_least_squares, hidden=8, batch=16)
    assert widgets.StepByStep(gan).objective.value is losses.g_least_squares


def test_without_a_front_end_a_still_with_words_is_left(by_hand):
    by_hand.both.click()
    data, metadata = by_hand._repr_mimebundle_()
    assert data[widgets.VIEW]["model_id"] == by_hand.box.model_id
    picture = Image.open(io.BytesIO(base64.b64decode(data["image/png"])))
    assert picture.format == "PNG" and min(picture.size) > 300
    assert metadata["image/png"]["alt"] == data["text/plain"] == by_hand.picture.alt
    assert "modes covered" in data["text/plain"] and "Real points blue" in data["text/plain"]


def test_it_is_one_image_whose_bytes_change(by_hand):
    images = [w for w in by_hand.box.children if type(w).__name__ == "Image"]
    assert len(images) == 1 and images[0] is by_hand._image
    model = by_hand.box.model_id
    by_hand.both.click()
    assert by_hand.box.model_id == model and images[0].value == by_hand.picture.still


class Counting(widgets.Panel):
    """A panel that counts its drawings and shows the last number it was given."""

    def __init__(self):
        self.drawings, self.number = 0, 0
        super().__init__()

    def render(self):
        self.drawings += 1
        figure, _ = show.new_figure(1, 1)
        return show.figure(figure, f"number {self.number} <&>", dpi=20)


def test_a_burst_of_events_is_drawn_a_few_times_and_its_end_always():
    panel = Counting()

    async def burst():
        for panel.number in range(1, 41):
            panel.refresh()
            await asyncio.sleep(0.002)
        await asyncio.sleep(3 * widgets.LEAST_SECONDS)

    asyncio.run(burst())
    assert panel.picture.alt == "number 40 <&>"
    assert 2 <= panel.drawings <= 20


def test_a_loop_that_ended_leaves_no_panel_behind():
    """What was put off is drawn at the next event, with a loop or without one."""
    panel = Counting()

    async def one_event(number):
        panel.number = number
        panel.refresh()

    asyncio.run(one_event(1))  # put off, and the loop ends before its time
    panel.number = 2
    panel.refresh()
    assert panel.picture.alt == "number 2 <&>"
    asyncio.run(one_event(3))

    async def another():
        panel.number = 4
        panel.refresh()
        await asyncio.sleep(3 * widgets.LEAST_SECONDS)

    asyncio.run(another())
    assert panel.picture.alt == "number 4 <&>"


def test_without_a_loop_every_event_is_drawn():
    panel = Counting()
    for panel.number in range(1, 4):
        panel.refresh()
    assert panel.drawings == 4 and panel.picture.alt == "number 3 <&>"


def test_words_are_text_and_not_markup():
    assert Counting()._words.value == '<div role="status">number 0 &lt;&amp;&gt;</div>'


def test_a_panel_must_say_what_it_shows():
    with pytest.raises(NotImplementedError):
        widgets.Panel()


def test_a_frame_is_quick(by_hand):
    def once():
        start = time.perf_counter()
        by_hand.draw()
        return time.perf_counter() - start

    assert min(once() for _ in range(5)) < 0.25  # 0.06 s where it was measured; room for slow machines


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
