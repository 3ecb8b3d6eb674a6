"""Things to press and drag in a notebook, for ipywidgets 7.7 (Colab) and 8 alike.

Each is controls above ONE `widgets.Image` whose bytes change. The functions here open a widget, or leave a
message in its place where its run is missing or damaged.
"""

from gan_course.widgets.calculator import SizeCalculator, connections
from gan_course.widgets.explorer import Explorer
from gan_course.widgets.interpolator import Interpolator
from gan_course.widgets.mixer import Mixer
from gan_course.widgets.panel import LEAST_SECONDS, VIEW, Message, Panel, opener
from gan_course.widgets.picture_steps import PictureSteps
from gan_course.widgets.player import Player
from gan_course.widgets.scrubber import Scrubber
from gan_course.widgets.toy_steps import Plane, StepByStep, describe
from gan_course.widgets.ward import Ward
from gan_course.widgets.writer import Writer

latent_explorer = opener(Explorer)
interpolator = opener(Interpolator)
style_mixer = opener(Mixer)
time_scrubber = opener(Scrubber)
training_player = opener(Player)
train_by_hand = opener(PictureSteps)
ward_round = opener(Ward)
number_writer = opener(Writer)

__all__ = ["LEAST_SECONDS", "VIEW", "Message", "Panel", "Plane", "SizeCalculator", "StepByStep", "Ward"]
__all__ += ["connections", "describe", "interpolator", "latent_explorer", "time_scrubber", "train_by_hand"]
__all__ += ["number_writer", "style_mixer", "training_player", "ward_round"]
