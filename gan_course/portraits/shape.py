"""Shapes that several parts share: the head's outline, places on a turned head, the shoulders."""

from types import SimpleNamespace

import torch

from gan_course.portraits.sheet import Sheet, square

LEFT_RIGHT = (-1, 1)


def outline(s: Sheet, longer=1.0) -> torch.Tensor:
    """0 at the middle of the head, 1 at its outline, [B, H, W]: an ellipse with a jaw, drawn `longer` below.

    t.taper narrows the jaw, t.square squares the chin, t.cheeks widens the face above it.
    """
    t = s.t
    down = s.v.clamp(min=0) / longer
    down2 = square(down)
    width = t.width * (1 + t.cheeks * down - t.taper * down2)
    across = (s.u - 0.3 * t.turn * down2) / width
    return square(across) + crown(s.v) + down2 * (1 + t.square * (down2 - 1))


def crown(v: torch.Tensor) -> torch.Tensor:
    """The part of an outline above the eyes, v < 0: a little squarer than an ellipse."""
    up2 = square(v.clamp(max=0))
    return up2 * (0.65 + 0.35 * up2)


def on_head(t: SimpleNamespace, u, v, out=0.0):
    """Where a point of the face (as seen from the front) lies once the head is turned and nods.

    The head is an ellipsoid, narrower towards the chin; `out` is how far the point stands out of it.

    Returns:
        u, v and how much narrower things look there: 1 seen straight on, 0.3 at the rim.
    """
    u, v = torch.as_tensor(u), torch.as_tensor(v)
    radius = t.width * (1 - 0.45 * square(v.clamp(min=0)))
    side = (u / radius).clamp(-0.95, 0.95)
    ahead = (1 - square(side)).sqrt()
    depth = (1 - square(v.clamp(-0.9, 0.9) * 0.9)).sqrt() * 0.8
    narrow = t.turn.cos() - side / ahead * t.turn.sin()
    turned = u * t.turn.cos() + (radius * ahead + out) * t.turn.sin()
    return turned, v * t.nod.cos() + (depth + out) * t.nod.sin(), narrow.clamp(0.3, 1.1)


def ear(t: SimpleNamespace, side: int):
    """The middle of an ear, u and v; the ear on the far side of a turned head slips behind it."""
    u = side * t.width * (1 - 0.3 * (side * t.turn).clamp(min=0)) - 0.1 * t.turn
    return u, 0.17 - 0.5 * t.nod


def on_cloth(s: Sheet) -> torch.Tensor:
    """Coverage of the clothes: below shoulders at t.shoulders (picture units) that fall off by t.slope."""
    x = s.x - s.t.x * 0.7
    top = s.t.shoulders - 0.02 + s.t.slope * square(x) * (0.6 + x.abs())
    return ((s.y - top) / s.pixel + 0.5).clamp_(0, 1)
