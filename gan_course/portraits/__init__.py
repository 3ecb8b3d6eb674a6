"""Drawn faces: portraits that anyone may copy, for where CelebA cannot be had. `draw` makes a set of them.

Part by part: `traits` says who sits, `painter` in what order the parts are painted, `drawing` makes the set.

Coordinates. The picture reaches from -1 to 1 in x (rightwards) and y (downwards). The head has its own
frame, which moves, tilts and grows with it: v is -1 at the crown, 0 at the height of the eyes and 1 at the
chin, u goes rightwards in the same unit. All lengths below are in head units unless they say otherwise.
"""

from gan_course.portraits.drawing import ATTRIBUTES, DRAWN, NAME, draw

__all__ = ["ATTRIBUTES", "DRAWN", "NAME", "draw"]
