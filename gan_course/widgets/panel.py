"""What all widgets share: controls above one picture that is redrawn, words beneath it, and a message where
something cannot be shown.

Where no front end answers (GitHub, nbconvert, PDF) the same output is a still picture with alt text.
"""

import asyncio
import functools
import html
import time
from collections.abc import Callable, Sequence

import ipywidgets as widgets
from torch import Tensor

from gan_course import mosaic, show
from gan_course.errors import CourseError, whole

VIEW = "application/vnd.jupyter.widget-view+json"
LEAST_SECONDS = 0.08  # between two drawings; a press in between is drawn a little later


class Panel:
    """Rows of controls, one picture, one line of words. Subclasses say in `render` what the picture is now.

    Attributes:
        picture: the last `show.Picture`; its alternative text is also the line beneath it.
        box: the widget itself, to be put inside another.
    """

    def __init__(self, *rows: Sequence[widgets.Widget]):
        self._image, self._words = widgets.Image(), widgets.HTML()
        wrap = widgets.Layout(flex_flow="row wrap", align_items="center")
        self.box = widgets.VBox(
            [*(widgets.HBox(list(row), layout=wrap) for row in rows), self._image, self._words]
        )
        self._late = None
        self.draw()

    def render(self) -> show.Picture:
        """The picture as things stand."""
        raise NotImplementedError

    def still(self) -> show.Picture:
        """The picture for places where no front end answers."""
        return self.picture

    def live(self) -> dict | None:
        """What a page needs to show this widget without Python (`notebooks/tools/site/live.js`): its kind and its
        options, as JSON has them. None where it cannot."""
        return None

    def redraw_on(self, *controls: widgets.Widget) -> None:
        """Draw again whenever the value of one of these changes."""
        for control in controls:
            control.observe(lambda _: self.refresh(), names="value")

    def draw(self) -> None:
        """Draw now."""
        if self._late is not None:
            self._late.cancel()
            self._late = None
        try:
            self.picture, problem = self.render(), ""
        except CourseError as error:  # the picture before stays, where there is one
            problem = str(error)
            self.picture = getattr(self, "picture", None) or written(problem)
        if "width" in self.picture.shown:
            self._image.width = str(self.picture.shown["width"])
        self._image.format = self.picture.mime.removeprefix("image/")
        self._image.value = self.picture.still
        self.say(problem or self.picture.alt, alert=bool(problem))
        self._drawn = time.monotonic()

    def say(self, words: str, alert: bool = False) -> None:
        """Put words beneath the picture; a screen reader reads them out, an alert at once."""
        role, colour = ("alert", f' style="color: {show.RED}"') if alert else ("status", "")
        self._words.value = f'<div role="{role}"{colour}>{html.escape(words)}</div>'

    def refresh(self) -> None:
        """Draw now or shortly: a burst of events is drawn a few times, its last state always."""
        wait = self._drawn + LEAST_SECONDS - time.monotonic()
        try:
            loop = asyncio.get_running_loop()  # the kernel's own: no thread, nothing runs beside a cell
        except RuntimeError:
            loop = None
        if loop is None or wait <= 0:
            self.draw()
        elif self._late is None or self._loop is not loop:  # what a loop that has ended was to do never comes
            self._loop, self._late = loop, loop.call_later(wait, self.draw)

    def _repr_mimebundle_(self, include=None, exclude=None):
        # Not a Widget itself, so ipywidgets 7 (_ipython_display_) and 8 (_repr_mimebundle_) do not differ here.
        data, metadata = self.still()._repr_mimebundle_()
        data[VIEW] = {"version_major": 2, "version_minor": 0, "model_id": self.box.model_id}
        if live := self.live():
            metadata["gan_course"] = live
        return data, metadata


class Message(Panel):
    """What is left of a widget that could not be opened: why, in words (see `Panel.draw`)."""

    def __init__(self, why: str):
        self.why = why
        super().__init__()

    def render(self) -> show.Picture:
        raise CourseError(self.why)


def written(words: str) -> show.Picture:
    """Words as a picture, for places that show pictures only."""
    fig, axis = show.new_figure(7, 1.6)
    axis.set_axis_off()
    axis.text(0, 0.5, words, wrap=True, va="center", color=show.RED, parse_math=False)
    return show.figure(fig, words)


def opener(kind: type[Panel]) -> Callable[..., Panel]:
    """A function that opens a widget, or leaves a message where that raises a CourseError: a lecture goes on."""

    @functools.wraps(kind, updated=())
    def opened(*arguments, **options) -> Panel:
        try:
            return kind(*arguments, **options)
        except CourseError as error:
            return Message(str(error))

    return opened


def button(label: str, press: Callable[[], None], width: str = "6em", style: str = "") -> widgets.Button:
    """A button that calls `press` without arguments."""
    made = widgets.Button(description=label, button_style=style, layout=widgets.Layout(width=width))
    made.on_click(lambda _: press())
    return made


def choice(label: str, options, value, width: str = "auto") -> widgets.ToggleButtons:
    """A row of buttons of which one is down; `options` are values or (name, value) pairs.

    Not a drop-down list: in JupyterLab it loses its up and down keys to the notebook, which goes on to the next cell.
    """
    made = _labelled(widgets.ToggleButtons, label, width, options=options, value=value)
    made.style.button_width = "auto"
    return made


def long_choice(label: str, options, value, width: str) -> tuple[widgets.Dropdown, widgets.Button, widgets.Button]:
    """A drop-down list of more options than buttons would fit, and two buttons that walk through it, for the keys."""
    made = _labelled(widgets.Dropdown, label, width, options=options, value=value)

    def walk(by: int) -> None:
        made.index = (made.index + by) % len(made.options)

    before, after = button("‹", lambda: walk(-1), "2.5em"), button("›", lambda: walk(1), "2.5em")
    before.tooltip, after.tooltip = f"{label}: the one before", f"{label}: the next one"
    return made, before, after


def slider(label: str, value: float, low: float, high: float, step: float, width: str = "24em"):
    """A slider that reports while it is dragged: of whole numbers where its step is one."""
    if isinstance(step, int):
        kind, value = widgets.IntSlider, whole(value, label, low, high)
    else:
        kind = widgets.FloatSlider
    return _labelled(kind, label, width, value=value, min=low, max=high, step=step)


def number(label: str, value: int, width: str = "11em") -> widgets.BoundedIntText:
    """A field for a whole number from 0 on."""
    most = 2**31 - 1
    value = whole(value, label, most=most)
    return _labelled(widgets.BoundedIntText, label, width, value=value, min=0, max=most)


def text(label: str, value: str, width: str = "24em") -> widgets.Text:
    """A field for one line of text, which reports every letter."""
    return _labelled(widgets.Text, label, width, value=value)


def _labelled(kind: type[widgets.Widget], label: str, width: str, **traits):
    style = {"description_width": "initial"}
    return kind(description=label, layout=widgets.Layout(width=width), style=style, **traits)


def player(target: widgets.IntSlider, interval: int = 400) -> tuple[widgets.Play, widgets.ToggleButtons]:
    """Play, pause and stop for a slider of whole numbers, and how fast."""
    play = widgets.Play(value=target.value, min=target.min, max=target.max, interval=interval)
    widgets.link((play, "value"), (target, "value"))  # not jslink, which Colab does not do
    speed = choice("speed", [("slow", 1000), ("normal", 400), ("fast", 150)], 400)
    speed.observe(lambda change: setattr(play, "interval", change["new"]), names="value")
    return play, speed


def encoded(images: Tensor, columns: int, side: int = 84) -> bytes:
    """Images as a grid in PNG, each enlarged by a whole number to about `side` pixels."""
    scale = max(1, round(side / images.shape[-1]))
    return mosaic.encode_png(mosaic.tile(images, columns, scale=scale), quick=True)
