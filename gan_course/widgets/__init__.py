"""Things to press and drag in a notebook, for ipywidgets 7.7 (Colab) and 8 alike.

Each is controls above ONE `widgets.Image` whose bytes change. The functions here open a widget, or leave a
message in its place where its run is missing or damaged.
"""

from gan_course.widgets.explorer import Explorer
from gan_course.widgets.interpolator import Interpolator
from gan_course.widgets.panel import LEAST_SECONDS, VIEW, Message, Panel, opened
from gan_course.widgets.picture_steps import PictureSteps
from gan_course.widgets.player import Player
from gan_course.widgets.scrubber import Scrubber
from gan_course.widgets.toy_steps import Plane, StepByStep, describe

__all__ = [
    "LEAST_SECONDS",
    "VIEW",
    "Explorer",
    "Interpolator",
    "Message",
    "Panel",
    "PictureSteps",
    "Plane",
    "Player",
    "Scrubber",
    "StepByStep",
    "describe",
    "latent_explorer",
    "interpolator",
    "time_scrubber",
    "train_by_hand",
    "training_player",
]


def latent_explorer(run, directions=None, **options) -> Panel:
    """Sliders that move latents along dimensions and directions; see `Explorer`."""
    return opened(Explorer, run, directions, **options)


def interpolator(run, **options) -> Panel:
    """From one latent to another, or between four; see `Interpolator`."""
    return opened(Interpolator, run, **options)


def time_scrubber(run, **options) -> Panel:
    """A latent's picture through the training of a run; see `Scrubber`."""
    return opened(Scrubber, run, **options)


def training_player(run, **options) -> Panel:
    """A recorded run replayed at lecture speed; see `Player`."""
    return opened(Player, run, **options)


def train_by_hand(recipe, images, **options) -> Panel:
    """A small GAN trained on pictures by hand; see `PictureSteps`."""
    return opened(PictureSteps, recipe, images, **options)
