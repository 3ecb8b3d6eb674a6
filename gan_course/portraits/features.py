"""The features: eyes, brows, nostrils, mouth, lines, freckles, beard and moustache."""

import torch

from gan_course.portraits.light import rgb, tinted
from gan_course.portraits.shape import LEFT_RIGHT, on_head, outline
from gan_course.portraits.sheet import Sheet, square


def eyes(s: Sheet) -> None:
    """Both eyes: white, iris (t.iris) with the gaze, pupil, glint, lashes and the folds of the lids.

    t.wide is how far they are open as a part of their half-width t.eye; a smile narrows them.
    """
    t = s.t
    smile = t.smile.clamp(0, 1)
    for side in LEFT_RIGHT:
        u, v, narrow = on_head(t, side * t.eye_u, t.eye_v)
        part = s.window(u, v, 0.24, 0.2)

        def inside(distance, blur=1.0, part=part):  # all lengths here are in half-widths of the eye
            return part.inside(distance * t.eye, blur)

        x = (part.u - u) / (t.eye * narrow)
        y = (part.v - v) / t.eye + x * side * t.slant
        arch = 1 - square(x)
        below_lid = y + t.wide * (1 - 0.15 * smile) * arch
        above_lid = t.wide * (0.62 - 0.2 * smile) * arch - y
        opening = inside(torch.minimum(below_lid, above_lid))
        shade = 0.97 - 0.3 * (1 - below_lid * 1.4).clamp_(0, 1) - 0.1 * t.hard
        part.paint(shade[:, None] * rgb(0.97, 0.94, 0.92), opening)

        x_iris, y_iris = x - t.gaze_u - 0.3 * t.turn, y - t.gaze_v + 0.06
        r2 = square(x_iris * narrow.clamp(min=0.6)) + square(y_iris)
        glow = 0.72 + 1.2 * r2 + 0.5 * y_iris.clamp(min=0)
        part.paint(t.iris * glow[:, None], inside((0.46**2 - r2) * 1.1) * opening)
        part.paint(rgb(0.05, 0.04, 0.05), inside((0.21**2 - r2) * 2.4) * opening)
        glint = square(x_iris + 0.16 - 0.3 * t.light_x) + square(y_iris + 0.2)
        part.paint(rgb(1.0, 1.0, 1.0), inside((0.14**2 - glint) * 3.5) * opening * 0.9)

        lashes = inside(0.13 - (below_lid - 0.03).abs() - 0.06 * square(x))
        part.paint(t.skin * 0.22, lashes * inside(1.12 - x.abs()) * 0.85)
        fold = inside(0.1 - (below_lid + 0.28 + 0.2 * t.lid).abs(), 1.5)
        part.darken(fold * inside(1.1 - x.abs(), 2) * 0.3)
        bag = inside(0.08 - (above_lid + 0.05).abs(), 1.5)
        part.darken(bag * inside(0.95 - x.abs(), 2) * (0.2 + 0.15 * t.age))


def brows(s: Sheet) -> None:
    """Both brows, a little darker than the hair: height t.brow, thickness, arch, slant (sad to stern)."""
    t = s.t
    for side in LEFT_RIGHT:
        u, v, narrow = on_head(t, side * t.eye_u * 1.03, t.eye_v - t.brow)
        part = s.window(u, v, 0.34, 0.2)
        x = (part.u - u) / (0.25 * narrow) * side  # -1 at the nose, 1 at the temple
        y = part.v - v + t.brow_arch * (0.8 - square(x - 0.1)) - t.brow_slant * x
        thick = t.brow_thick * (1 - 0.35 * x - 0.5 * square(x))
        cover = part.inside(thick - y.abs(), 1.3) * part.inside((1.05 - x.abs()) * 0.25, 2)
        part.paint(t.hair * 0.62, cover * (0.55 + 0.3 * t.pigment))


def nose(s: Sheet) -> None:
    """What the relief leaves out: nostrils, and the soft shadow that the tip casts away from the light."""
    t = s.t
    u, v, _ = on_head(t, 0.0, t.nose + 0.03, 0.1)
    part = s.window(u, v, 0.4, 0.25)
    cast = part.glow(u - 0.07 * t.light_x, v + 0.06, 0.1 * t.nose_wide, 0.045)
    part.darken(cast * (0.08 + 0.16 * t.hard))
    for side in LEFT_RIGHT:
        u, v, narrow = on_head(t, side * 0.075 * t.nose_wide, t.nose + 0.03, 0.1)
        part.darken(part.ellipse(u, v, 0.04 * t.nose_wide * narrow, 0.024) * 0.5)
        u, v, narrow = on_head(t, side * 0.15 * t.nose_wide, t.nose - 0.02, 0.03)
        part.darken(part.glow(u, v, 0.02, 0.05) * 0.18)


def mouth(s: Sheet) -> None:
    """The mouth from frown to smile (t.smile -1 to 1.4), open by t.open, with teeth when it smiles.

    t.lipstick reddens the lips.
    """
    t = s.t
    u, v, narrow = on_head(t, 0.0, t.mouth, 0.04)
    part = s.window(u, v, 0.42, 0.26)
    smile = t.smile.clamp(-1, 1.4)
    half = t.mouth_wide * (1 + 0.16 * smile) * narrow
    x = (part.u - u) / half
    x *= 1 + 0.55 * t.turn * x.sign()  # the far half is seen more from the side
    x2 = square(x)
    y = part.v - v + 0.075 * smile * (x2 - 0.35)  # 0 on the line between the lips
    arch = (1 - x2).clamp_(min=0)
    gap = t.open * arch
    corners = part.inside((1.02 - x.abs()) * half)

    upper = t.lips * arch * (1 - 0.35 * (1 - x.abs() * 4).clamp_(min=0))  # with the bow in its middle
    lower = 1.35 * t.lips * arch * arch.sqrt()
    natural = t.skin * 0.45 + rgb(0.4, 0.18, 0.18) * (1 - 0.55 * t.tone)[:, None]
    red = rgb(0.74, 0.13, 0.2) * (1 - 0.25 * t.tone)[:, None]
    gloss = part.glow(u - 0.05 * t.light_x, v + 0.06 + gap * 0.6, 0.1, 0.025)
    shine = 0.62 + 4.0 * y.clamp(max=0) + 0.3 * gloss
    colour = tinted(t, natural + (red - natural) * 0.85 * t.lipstick[:, None], shine.clamp_(0, 1))
    part.paint(colour, part.inside(torch.minimum(y + gap * 0.35 + upper, gap * 0.65 + lower - y)) * corners)

    below_lip = y + gap * 0.35
    opening = part.inside(torch.minimum(below_lip, gap * 0.65 - y)) * corners * (t.open > 0)
    part.paint(rgb(0.25, 0.06, 0.07), opening)
    teeth = part.inside(0.035 + 0.35 * t.open - below_lip) * part.inside((0.86 - x.abs()) * half, 2)
    ivory = rgb(0.95, 0.93, 0.88) * (0.94 - 0.25 * x2)[:, None]
    part.paint(ivory, teeth * opening * (0.2 + 1.4 * smile).clamp(0.1, 1))
    part.darken(part.inside(0.012 - y.abs(), 1.2) * corners * 0.55 * (t.open == 0))
    for side in LEFT_RIGHT:
        dimple = part.glow(u + side * half * 1.04, v - 0.05 * smile, 0.03, 0.03)
        part.darken(dimple * (0.18 + 0.12 * smile.abs()))


def lines(s: Sheet) -> None:
    """What laughter and age (t.age above a half) draw: folds from nose to mouth, lines on the forehead."""
    t = s.t
    part = s.window(0.1 * t.turn, 0.45, 0.75, 0.35)
    depth = 0.1 + 0.22 * (t.age - 0.35).clamp(min=0) + 0.14 * t.smile.clamp(0, 1)
    for side in LEFT_RIGHT:
        u, v, narrow = on_head(t, side * 0.27, 0.47)
        x, y = (part.u - u) * side / narrow, part.v - v
        fold = (square((x - 0.35 * y + 0.8 * square(y)) * 28) + square(y * 7.5)).neg_().exp_()
        part.darken(fold * depth)
    u, v, _ = on_head(t, 0.0, -0.42)
    part = s.window(u, v, 0.6, 0.25)
    y = part.v - v + 0.15 * square(part.u - u)
    furrows = (y * 42 + t.phase).sin_().clamp_(min=0) * (
        square((part.u - u) * 3) + square(y * 8)
    ).neg_().exp_()
    part.darken(furrows * ((t.age - 0.5).clamp(min=0) * 0.45 * s.survives(30)))


def freckles(s: Sheet) -> None:
    """Small spots over nose and cheeks, as strong as t.freckles, fainter on dark skin."""
    t = s.t
    u, v, _ = on_head(t, 0.0, 0.22)
    part = s.window(u, v, 0.7, 0.3)
    across = (part.u * 71 + 3 * (part.v * 37 + t.phase).sin_()).sin_()
    down = (part.v * 67 + 3 * (part.u * 41).sin_()).sin_()
    where = (square((part.u - u) * 2.2) + square((part.v - v) * 6)).neg_().exp_()
    strength = t.freckles * (1 - t.tone) * s.survives(50)
    part.darken((across * down - 0.35).clamp_(min=0) * where * (0.75 * strength), (0.7, 1.1, 1.3))


def beard(s: Sheet) -> None:
    """Beard and moustache in the hair's colour.

    t.beard and t.moustache are how dense they are, 0 for none; t.beard_wide runs from a goatee to a full
    beard, and t.beard_long is how far that grows beyond the chin.
    """
    t = s.t
    u, v, narrow = on_head(t, 0.0, t.mouth, 0.04)
    part = s.window(0.0, 0.75, 0.95, 0.6)
    texture = s.strands[:, part.place[0], part.place[1]]
    x, y = (part.u - u) / narrow, part.v - v
    jaw = 1.015 - outline(part, longer=1 + t.beard_long)
    rim = 0.02 + (0.26 + 0.55 * t.beard_wide) * t.width - x.abs() + 0.03 * texture
    line = y + 0.04 + 2.7 * square((x.abs() - 0.26).clamp_(min=0)) * t.beard_wide + 0.03 * texture
    cover = part.inside(jaw * 0.4 * t.width + 0.02 * texture, 2) * part.inside(rim, 5) * part.inside(line, 4)
    lip = 1 - square(x / (t.mouth_wide * 1.12)) - square((y - 0.02 - t.open * 0.3) / (0.1 + t.open * 0.8))
    cover *= 1 - part.inside(lip * 0.06, 1.5)
    shade = tinted(t, t.hair * 0.9, (0.5 + 0.3 * texture + 0.3 * t.light_x * x - 0.25 * y).clamp_(0, 1))
    part.paint(shade, cover * (0.92 * t.beard))
    lobes = y + 0.1 + t.lips * 0.5 - 0.5 * square(x)
    hair = part.inside(0.05 * (1 - 0.6 * square(x / 0.3)) - lobes.abs(), 1.3) * part.inside(0.3 - x.abs(), 2)
    part.paint(shade * 0.95, hair * t.moustache * 0.92)
