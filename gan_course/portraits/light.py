"""Light and colour: where the light comes from and what it does to a colour."""

import torch

from gan_course.portraits.sheet import square


def rgb(red: float, green: float, blue: float) -> torch.Tensor:
    """One colour for all faces, 0 to 1, [1, 3, 1, 1]."""
    return torch.tensor([red, green, blue])[None, :, None, None]


SHADOW = rgb(0.52, 0.62, 0.62)  # what the shadow takes of a colour; it leaves more of the red
WARMTH = rgb(1.0, 0.0, -1.0)


def toward_light(t) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The unit vector towards the light, [B, 1, 1] each: rightwards, downwards, out of the picture."""
    length = (square(t.light_x) + square(t.light_y) + 1.0).sqrt()
    return t.light_x / length, t.light_y / length, 1.0 / length


def tinted(t, colour: torch.Tensor, shine: torch.Tensor) -> torch.Tensor:
    """A colour [B, 3, 1, 1] under the light, [B, 3, H, W].

    Args:
        shine: [B, H, W], 0 in the shadow to 1 in full light. t.hard is the contrast between the two; a warm
            light (t.warm > 0) yellows what it falls on and leaves the shadows cool.
    """
    warm = t.warm[:, None] * WARMTH
    dark = colour * (1 - t.hard[:, None] * SHADOW) * (1 - 0.03 * warm)
    lit = colour * (1.04 + 0.09 * t.hard[:, None]) * (1 + 0.06 * warm)
    return ((lit - dark) * shine[:, None]).add_(dark)
