"""Hair: strands over the whole sheet, the mass behind the head, and the cap in front of it."""

import torch

from gan_course.portraits.light import tinted, toward_light
from gan_course.portraits.shape import crown, outline
from gan_course.portraits.sheet import Sheet, smaller, square


def strands(s: Sheet) -> torch.Tensor:
    """The hair's texture, about -1 to 1, [B, H, W]: combed from the crown, or curly as t.curl says."""
    t = s.t

    def wave(phase, frequency):
        return (phase * frequency).sin_() * s.survives(frequency)

    comb = s.u * 1.9 / (s.v + 2.3) + t.part * 0.12 * s.v
    bend = (0.05 + 0.1 * t.curl) * (s.v * 4.5 + t.phase).sin_()
    combed = 0.6 * wave(comb + bend + t.phase, t.strand)
    combed += 0.5 * wave(comb + bend * 0.6 + t.phase2, t.strand * 0.43)
    u, v = s.u * (13 - 3 * t.curl), s.v * (13 - 3 * t.curl)
    across = (u + 1.6 * (v * 0.8 + t.phase).sin_()).sin_()
    curls = across.mul_((v + 1.6 * (u * 0.9 + t.phase2).sin_()).sin_())
    return combed.lerp_(curls, (0.75 * t.curl).expand_as(curls))


def shaded(s: Sheet, texture, depth: float) -> torch.Tensor:
    """The hair's colour [B, 3, H, W] on a rounded mass under the light, with a band of gloss.

    Args:
        texture: the strands, or a number for none.
        depth: how much darker than in front.
    """
    t = s.t
    right, below, _ = toward_light(t)
    shine = (0.4 * right) * s.u + (0.4 * below) * s.v + (0.26 * texture + (0.42 + 0.14 * below - depth))
    band = (s.v + 0.78 - 0.25 * square(s.u)) * 5
    gloss = (square(band) + square((s.u - t.light_x * 0.35) * 2.2)).neg_().exp_()
    colour = tinted(t, t.hair, shine.clamp_(0, 1))
    return colour.add_((gloss * (0.6 + 0.4 * texture) * (0.2 * t.hard * (1 - 0.5 * t.curl)))[:, None])


def cropped(s: Sheet, amount: float = 0.3) -> torch.Tensor:
    """How much closer short hair lies from the temples down: 1 where hair is long, more where it is cut."""
    return 1 + (s.v + 0.35).clamp_(0, 1.2) * (amount * (s.t.length < 0.3))


def behind(s: Sheet) -> None:
    """The mass behind the head: t.length is where it ends (1 at the chin), t.volume how far it stands out."""
    t, texture = s.t, s.strands
    wide = t.width + t.volume * (1 + 0.5 * t.curl) + 0.05 * (t.length > 0.3)
    down = s.v.clamp(min=0) / (t.length + 0.05).clamp(min=0.35)
    flare = wide * (1 + 0.16 * down * t.length)
    q = (
        square((s.u + 0.12 * t.turn) * cropped(s) / flare)
        + crown(s.v / (1 + t.volume))
        + square(square(down))
    )
    ragged = texture * (0.05 + 0.16 * t.curl)
    s.paint(shaded(s, texture, 0.3), s.inside((1 + ragged - q) * 0.4, 1.6) * ~t.bald[:, None, None])


def bun(s: Sheet) -> None:
    """A knot of radius t.bun on top of the head."""
    t = s.t
    u, v = -0.2 * t.turn, -1.0 - t.volume - t.bun * 0.45
    part = s.window(u, v, 0.4, 0.4)
    swirl = (14 * (square(part.u - u) + square(part.v - v)).sqrt() / t.bun * 0.7 + 3 * part.u).sin_()
    part.paint(shaded(part, 0.6 * swirl, 0.05), part.ellipse(u, v, t.bun, t.bun * 0.85))


def cap(s: Sheet) -> None:
    """The hair in front: inside the skull's contour, outside the opening that the face looks out of.

    t.hairline is the height of the opening, t.part its slope; the sides hang down to t.length. The hair
    throws a soft shadow on the face.
    """
    t, texture, hairy = s.t, s.strands, ~s.t.bald[:, None, None]
    q = square((s.u + 0.04 * t.turn) * cropped(s) / (t.width + t.volume * 0.8)) + crown(s.v / (1 + t.volume))
    outer = s.inside((1 + texture * (0.02 + 0.12 * t.curl) - q) * 0.45, 1.6) * hairy
    side = (0.9 - 0.1 * smaller(t.length, 1.0) + 0.06 * (t.length < 0.9)) * t.width
    u = s.u - 0.42 * t.turn
    v2 = square((s.v - 0.25 - t.part * u).clamp_(max=0) / (0.25 - t.hairline))
    q = square(u / side / cropped(s, 0.12)) + v2 * (0.65 + 0.35 * v2)
    q -= texture * (0.05 + 0.05 * t.bangs[:, None, None])
    ends = t.length + 0.05 * texture - s.v
    shadow = s.inside((q - 0.84 - 0.1 * t.light_x * u) * 0.35, 7) * s.inside(ends + 0.1, 4)
    s.darken(s.inside((1 - outline(s)) * 0.4) * shadow * ((0.2 + 0.2 * t.hard) * hairy))
    s.paint(shaded(s, texture, 0.0), outer * s.inside((q - 1) * 0.35, 1.5) * s.inside(ends, 2))


def rim(s: Sheet) -> None:
    """What a bald head keeps above the ears, as dense as t.rim."""
    t, texture = s.t, s.strands
    skull = square(s.u / (t.width + 0.015)) + crown(s.v)
    band = s.inside(s.v + 0.4 + 0.06 * texture, 5) * s.inside(0.18 + 0.05 * texture - s.v, 2)
    side = s.inside((s.u - 0.42 * t.turn).abs() - 0.9 * t.width + 0.03 * texture, 3)
    s.paint(shaded(s, texture, 0.0), s.inside((1 - skull) * 0.45) * band * side * t.rim)
