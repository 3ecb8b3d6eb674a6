"""Skin: the neck, the ears, and the head modelled as a relief that is lit from one side."""

import torch

from gan_course.portraits.light import rgb, tinted, toward_light
from gan_course.portraits.shape import LEFT_RIGHT, ear, on_cloth, on_head, outline
from gan_course.portraits.sheet import Sheet, square


def neck(s: Sheet) -> None:
    """The neck (t.neck: half its width) under the chin's shadow, and the opening of the clothes.

    t.neckline is how deep the opening is, t.vee how pointed; most have a hem in the colour t.trim.
    """
    t = s.t
    part = s.window(0.0, 1.15, 1.0, 0.75)
    y = (part.y - t.y) / t.scale  # the body does not tilt with the head
    u = (part.x - t.x * 0.7) / t.scale - (t.turn * 0.08 - t.tilt.sin() * 0.5) * (1.3 - y)
    point = (0.2 + 0.9 * t.vee) * t.neckline * u.abs() + 0.8 * square(u)
    bottom = (t.shoulders - t.y) / t.scale + t.neckline * 0.6 - point
    right, _, _ = toward_light(t)

    hem = part.inside(t.neck + 0.05 - u.abs()) * part.inside(bottom + 0.07 - y) * (t.vee < 0.75)
    cloth = tinted(t, t.trim, (0.5 + 0.45 * t.light_x * u).clamp_(0, 1))
    part.paint(cloth, hem * part.inside(y - bottom + 0.3, 3) * on_cloth(part))

    across = u / t.neck
    shadow = (1.42 - y).mul_(2.2).clamp_(0, 1) * 0.75
    column = part.inside(t.neck * (1 + 0.5 * square((y - 1.0).clamp(min=0))) - u.abs())
    shine = 0.62 + 0.5 * right * across - 0.35 * square(across) - shadow
    part.paint(tinted(t, t.skin, shine.clamp_(0, 1)), column * part.inside(bottom - y))


def ears(s: Sheet) -> None:
    """Two ears at the height of eyes and nose, a little redder than the face."""
    t = s.t
    right, _, _ = toward_light(t)
    for side in LEFT_RIGHT:
        u, v = ear(t, side)
        part = s.window(u, v, 0.17, 0.3)
        shine = 0.5 + 0.35 * side * right - 0.45 * part.glow(u, v, 0.045, 0.09)
        part.paint(
            tinted(t, t.skin * rgb(1.0, 0.93, 0.92), shine.clamp_(0, 1)), part.ellipse(u, v, 0.13, 0.23)
        )


def head(s: Sheet) -> None:
    """The head: a relief of ellipsoid, nose, brows, sockets, cheeks, lips and chin under one light."""
    t = s.t
    part = s.window(0.08 * t.turn, 0.05, 0.9, 1.1)
    q = outline(part)
    cover = part.inside((1 - q) * 0.5 * t.width)
    relief = (1.12 - q).clamp_(min=0.02).sqrt_().mul_(0.62)
    blush, socket = torch.zeros_like(q), torch.zeros_like(q)

    def bump(height, u, v, across, down, out=0.0, also=None, amount=1.0):
        """Raise the relief by a Gaussian; and mark the same place on a second layer."""
        u, v, narrow = on_head(t, u, v, out)
        across = across * narrow.clamp(min=0.5)
        near = part.window(u, v, 3.2 * across, 3.2 * down)
        shape = near.glow(u, v, across, down)
        relief[:, near.place[0], near.place[1]].addcmul_(shape, torch.as_tensor(height))
        if also is not None:
            also[:, near.place[0], near.place[1]].add_(shape, alpha=amount)

    smile, old = t.smile.clamp(0, 1), (t.age - 0.4).clamp(min=0)
    bump(0.085 * t.nose_out, 0.0, 0.1, 0.075, 0.2, 0.06)
    bump(0.13 * t.nose_out, 0.0, t.nose - 0.04, 0.085 * t.nose_wide, 0.075, 0.16, blush, 0.7)
    bump(0.05, 0.0, 0.62, 0.26, 0.15)
    bump(-0.035, 0.0, 0.79, 0.16, 0.05)
    bump(0.07, 0.0, 0.92, 0.17, 0.11)
    for side in LEFT_RIGHT:
        bump(0.025, side * t.nose_wide * 0.12, t.nose, 0.05, 0.05, 0.05)
        bump(0.05 + 0.05 * smile, side * 0.42, 0.34 - 0.04 * smile, 0.18, 0.16, also=blush)
        bump(-0.07, side * t.eye_u, t.eye_v, 0.15, 0.09, also=socket)
        bump(0.035, side * 0.33, -0.2, 0.2, 0.07)
        bump(-0.03 - 0.05 * old, side * 0.36, 0.14, 0.11, 0.03)

    # The relief's slope, by central differences over pixels, gives the direction each point faces.
    steepness = 0.5 * part.sharp
    slope_x, slope_y = torch.zeros_like(relief), torch.zeros_like(relief)
    slope_x[:, :, 1:-1] = (relief[:, :, 2:] - relief[:, :, :-2]) * steepness
    slope_y[:, 1:-1] = (relief[:, 2:] - relief[:, :-2]) * steepness
    right, below, out = toward_light(t)
    facing = (square(slope_x) + square(slope_y) + 1).rsqrt_()
    toward = (out - slope_x * right - slope_y * below) * facing
    skin = tinted(t, t.skin, (0.18 + 0.92 * toward - 0.13 * socket).clamp_(0, 1))
    skin += ((toward - 0.86).clamp_(min=0) * (0.9 * t.hard))[:, None]
    blush *= 0.05 + 0.1 * (1 - t.tone)
    skin[:, 1] -= blush * 0.8
    skin[:, 2] -= blush * 0.7
    part.paint(skin, cover)
