"""What surrounds the face: backdrop, clothes, earrings, glasses, hat."""

import torch

from gan_course.portraits.light import rgb, tinted, toward_light
from gan_course.portraits.shape import LEFT_RIGHT, crown, ear, on_cloth, on_head, outline
from gan_course.portraits.sheet import Sheet, square


def backdrop(s: Sheet) -> None:
    """A gradient between t.back and t.back2 at t.back_angle, with a soft light behind the head."""
    t = s.t
    along = (0.5 + 0.36 * (s.x * t.back_angle.cos() + s.y * t.back_angle.sin())).clamp_(0, 1)[:, None]
    s.picture.copy_(t.back + (t.back2 - t.back) * along)
    halo = ((square(s.x - 0.4 * t.light_x) + square(s.y + 0.2)) * -1.6).exp_()
    s.paint(rgb(1.0, 0.98, 0.94), halo * (0.32 * t.back_glow))
    s.picture *= (1.0 - 0.16 * square(square(s.x) * 0.6 + square(s.y) * 0.6))[:, None]


def clothes(s: Sheet) -> None:
    """Shoulders (t.shoulders, t.slope) under cloth with soft folds, and stripes as strong as t.stripes."""
    t = s.t
    s = s.below(t.shoulders - 0.05)
    x = s.x - t.x * 0.7
    right, _, _ = toward_light(t)
    folds = (x * 7 + 3 * s.y + t.phase).sin_() * (x * 3 - 5 * s.y + t.phase2).sin_()
    shine = 0.55 + 0.45 * right * x - 0.45 * (s.y - t.shoulders) + 0.35 * square(x) + 0.12 * folds
    colour = tinted(t, t.cloth, shine.clamp_(0, 1))
    stripe = ((s.y * 38 + 4 * square(x)).sin_() * 2 + 0.5).clamp_(0, 1) * t.stripes
    colour += (t.trim - colour) * stripe[:, None]
    s.paint(colour, on_cloth(s))


def earrings(s: Sheet) -> None:
    """A small ball below each ear, with a glint."""
    t = s.t
    for side in LEFT_RIGHT:
        u, v = ear(t, side)
        u, v = u + 0.02 * side, v + 0.3
        part = s.window(u, v, 0.12, 0.16)
        part.paint(t.jewel * 0.8, part.ellipse(u, v, 0.05, 0.065))
        part.paint(rgb(1.0, 0.98, 0.9), part.glow(u - 0.01, v - 0.02, 0.018, 0.02))


def glasses(s: Sheet) -> None:
    """Two lenses (t.lens_wide by t.lens_high, round to square), bridge and temples; t.shade darkens them."""
    t = s.t
    u, v, _ = on_head(t, 0.0, t.eye_v + 0.02, 0.12)
    part = s.window(u, v, 0.95, 0.34)
    frames = part.inside(t.frame * 0.8 - (part.v - v + 0.05).abs()) * part.inside(0.1 - (part.u - u).abs())
    temple = part.inside(t.frame * 0.8 - (part.v - v + 0.04).abs())
    for side in LEFT_RIGHT:
        u, v, narrow = on_head(t, side * t.eye_u, t.eye_v + 0.02, 0.06)
        wide, size = t.lens_wide * narrow, t.lens_high * 0.5
        x, y = (part.u - u) / wide, (part.v - v) / t.lens_high
        x2, y2 = square(x), square(y)
        q = (x2 + y2).lerp_(square(x2) + square(y2), t.lens_square.expand_as(x2))
        lens = part.inside((1 - q) * size)
        part.paint(t.frame_colour * 0.35, lens * t.shade * (0.97 - 0.12 * y))
        glare = part.inside((0.12 - (x - 0.6 * y + 0.35 * t.light_x).abs()) * size, 2)
        part.paint(rgb(1.0, 1.0, 1.0), glare * lens * (0.1 + 0.14 * t.shade))
        ring = part.inside(t.frame - ((1 - q) * size).abs())
        outward, ear_at = side * part.u, t.width * 1.02 - 0.1 * side * t.turn
        arm = temple * part.inside(outward - side * u - wide) * part.inside(ear_at - outward)
        frames = torch.maximum(frames, torch.maximum(ring, arm))
    part.paint(t.frame_colour, frames * 0.95)


def hat(s: Sheet) -> None:
    """A hat down to t.hat_line: a knitted cap where t.brim is 0, else a hat with that brim and a ribbon."""
    t = s.t
    s = s.window(0.0, -0.8, t.width + 0.8, 0.95)
    u = s.u + 0.12 * t.turn
    knitted, wide = t.brim <= 0, t.width + 0.6 * t.volume.clamp(max=0.15) + 0.015
    v = s.v - t.hat_line - 0.1 * (1 - square(u / wide)) + 0.08  # 0 where the hat ends
    up = (-v).clamp(min=0) / (1.0 + t.hat_line + t.hat_high)
    q = square(u / (wide * (1 - 0.12 * up))) + torch.where(knitted, crown(-up), square(square(up)))
    body = s.inside((1 - q) * 0.4) * s.inside(0.02 - v)
    right, below, _ = toward_light(t)
    ribs = (u * 40 / (1 + 0.4 * up)).sin() * s.survives(30) * knitted
    shine = 0.5 + 0.45 * right * u - 0.3 * (up - 0.4) * below + 0.1 * ribs
    shadow = (square(u / wide) + square((v - 0.1) / 0.16)).neg_().exp_() * s.inside((1 - outline(s)) * 0.4)
    s.darken(shadow * (0.25 + 0.3 * t.brim) * s.inside(v, 2))
    s.paint(tinted(t, t.hat_colour, shine.clamp(0, 1)), body)
    band = s.inside(0.09 - (v + 0.08).abs()) * s.inside((1.03 - q) * 0.4)
    s.paint(tinted(t, t.trim, shine.clamp(0, 1)), band)
    brim = square(u / (wide + t.brim)) + square((v - 0.02) / (0.05 + 0.16 * t.brim))
    s.paint(tinted(t, t.hat_colour, (shine - 2.0 * v).clamp_(0, 1)), s.inside((1 - brim) * 0.06) * ~knitted)
