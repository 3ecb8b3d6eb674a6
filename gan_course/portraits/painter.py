"""The recipe of a portrait: what is painted over what."""

from types import SimpleNamespace

import torch

from gan_course.portraits import dress, features, hair, skin
from gan_course.portraits.sheet import Sheet


def paint(size: int, t: SimpleNamespace) -> torch.Tensor:
    """The portraits of some sitters, uint8 [B, 3, size, size].

    Args:
        t: their traits, as `traits.draw` gives them. Change one and paint again to see what it does.
    """
    s = Sheet.blank(size, t)
    s.strands = hair.strands(s)
    dress.backdrop(s)
    dress.clothes(s)
    hair.behind(s)
    s.some(t.bun.flatten() > 0, hair.bun)
    skin.neck(s)
    skin.ears(s)
    skin.head(s)
    features.eyes(s)
    features.nose(s)
    features.mouth(s)
    features.lines(s)
    s.some(t.freckles.flatten() > 0, features.freckles)
    features.brows(s)
    s.some(t.bearded, features.beard)
    hair.cap(s)
    s.some(t.bald, hair.rim)
    s.some(t.earrings, dress.earrings)
    s.some(t.glasses, dress.glasses)
    s.some(t.hat, dress.hat)
    return s.picture.mul_(255).round_().clamp_(0, 255).to(torch.uint8)
