"""Who sits for a portrait: the continuous traits of a face, and the attributes that follow from them."""

from types import SimpleNamespace

import numpy as np
import torch

from gan_course.portraits import palette

BLOCK = 64  # faces are drawn in blocks that begin at a multiple of this, so that a face never depends on n

# Each attribute and the traits it is read off. Names are CelebA's where CelebA has the attribute; the others
# are Long_Hair and Sunglasses. What a hat hides does not count: under it nobody is bald or has bangs.
RULES = {
    "Bald": lambda t: t.bald & ~t.hat,
    "Bangs": lambda t: t.bangs & ~t.hat,
    "Black_Hair": lambda t: (t.pigment > 0.74) & (t.grey < 0.35) & (t.red < 0.6) & ~t.bald,
    "Blond_Hair": lambda t: (t.pigment < 0.3) & (t.grey < 0.35) & (t.red < 0.6) & ~t.bald,
    "Eyeglasses": lambda t: t.glasses,
    "Gray_Hair": lambda t: (t.grey > 0.5) & ~t.bald,
    "Long_Hair": lambda t: t.length > 0.9,
    "Mouth_Slightly_Open": lambda t: t.open > 0,
    "Mustache": lambda t: t.moustache > 0,
    "No_Beard": lambda t: t.beard == 0,
    "Pale_Skin": lambda t: t.tone < 0.2,
    "Smiling": lambda t: t.smile > 0.3,
    "Sunglasses": lambda t: t.glasses & (t.shade > 0.6),
    "Wearing_Earrings": lambda t: t.earrings,
    "Wearing_Hat": lambda t: t.hat,
    "Wearing_Lipstick": lambda t: t.lipstick > 0,
    "Young": lambda t: t.age < 0.55,
}


def draw(seed: int, block: int) -> tuple[SimpleNamespace, np.ndarray]:
    """The traits of faces `block * BLOCK` to `block * BLOCK + BLOCK - 1`, and their attributes.

    Every trait is drawn on its own, save where one excludes another (a bald head has no bangs) or age turns
    hair grey.

    Returns:
        traits as tensors: float32 [BLOCK, 1, 1], bool [BLOCK], colours [BLOCK, 3, 1, 1];
        attributes, bool [BLOCK, len(RULES)].
    """
    dice, t = Dice(np.random.default_rng([seed, block])), SimpleNamespace()
    for choose in (pose, build, expression, hair, dress, surroundings):
        choose(t, dice)
    attributes = np.stack([rule(t) for rule in RULES.values()], axis=1)
    tensors = {name: torch.from_numpy(value) for name, value in vars(t).items()}
    return SimpleNamespace(**{name: _broadcast(value) for name, value in tensors.items()}), attributes


def _broadcast(x: torch.Tensor) -> torch.Tensor:
    if x.dtype == torch.bool:
        return x
    return x.float()[:, None, None] if x.ndim == 1 else x.float()[:, :, None, None]


class Dice:
    """Random numbers for one block, an array [BLOCK] at a time."""

    def __init__(self, rng: np.random.Generator):
        self.rng = rng

    def between(self, low, high) -> np.ndarray:
        return low + (high - low) * self.rng.random(BLOCK)

    def about(self, mean: float, spread: float) -> np.ndarray:
        """Normal, cut off at 2.2 standard deviations."""
        return mean + spread * np.clip(self.rng.standard_normal(BLOCK), -2.2, 2.2)

    def chance(self, p: float) -> np.ndarray:
        return self.rng.random(BLOCK) < p

    def perhaps(self, p: float, low: float, high: float) -> np.ndarray:
        """0, or with probability p something between low and high."""
        return np.where(self.chance(p), self.between(low, high), 0.0)

    def colour(self, saturation: tuple, value: tuple) -> np.ndarray:
        return palette.hsv(self.between(0, 1), self.between(*saturation), self.between(*value))


def pose(t, dice: Dice) -> None:
    """Where the head is (picture units), how it is turned (radians), and where the light comes from."""
    t.x, t.y = dice.about(0, 0.045), dice.about(0.05, 0.035)
    t.scale = dice.about(0.66, 0.03)  # picture units a head unit
    t.turn, t.nod, t.tilt = dice.about(0, 0.2), dice.about(0.02, 0.07), dice.about(0, 0.08)
    t.light_x, t.light_y = dice.between(-1, 1), dice.between(-0.95, -0.25)  # from the left (-1), from above
    t.hard, t.warm = dice.between(0.45, 1), dice.about(0, 0.5)  # depth of the shadows, warmth of the light


def build(t, dice: Dice) -> None:
    """Age, skin, and the shape of head and features (head units)."""
    t.age, t.tone = dice.between(0, 1), dice.between(0, 1)
    t.skin = palette.skin(t.tone, undertone=dice.about(0, 0.4))
    t.freckles = dice.perhaps(0.15, 0.4, 1)
    t.width, t.neck = dice.about(0.735, 0.03), dice.about(0.4, 0.03)  # half of each
    t.taper, t.square, t.cheeks = dice.between(0.1, 0.34), dice.between(0, 0.55), dice.between(0, 0.12)
    t.eye_u, t.eye_v, t.eye = dice.about(0.325, 0.014), dice.about(0.02, 0.025), dice.about(0.185, 0.012)
    t.slant, t.lid, t.iris = dice.about(0, 0.08), dice.between(0, 1), palette.iris(dice.between(0, 1))
    t.brow, t.brow_thick, t.brow_arch = (
        dice.about(0.23, 0.025),
        dice.between(0.028, 0.06),
        dice.between(0, 0.07),
    )
    t.nose, t.nose_wide, t.nose_out = dice.about(0.38, 0.03), dice.between(0.8, 1.3), dice.between(0.75, 1.3)
    t.mouth, t.mouth_wide, t.lips = dice.about(0.62, 0.02), dice.about(0.28, 0.02), dice.between(0.035, 0.075)


def expression(t, dice: Dice) -> None:
    """Smile (negative for a frown), mouth, eyes and brows; and lipstick."""
    t.smile = dice.about(0.32, 0.5)
    t.open = dice.perhaps(0.38, 0.04, 0.13)
    t.wide = dice.between(0.38, 0.66)  # how far the eyes are open, in half-widths of the eye
    t.gaze_u, t.gaze_v = dice.about(0, 0.13), dice.about(0, 0.07)
    t.brow_slant = dice.about(-0.012, 0.032)
    t.lipstick = dice.perhaps(0.25, 0.5, 1)


def hair(t, dice: Dice) -> None:
    """Pigment from blond (0) to black (1), copper, grey; where hair grows, its length and curl; beard."""
    t.pigment, t.red = np.clip(dice.about(0.55, 0.36), 0, 1), dice.perhaps(0.14, 0.4, 1)
    t.grey = np.clip((t.age - dice.between(0.5, 1.1)) * 4, 0, 1)
    t.hair = palette.hair(t.pigment, t.red, t.grey)
    t.bald, t.rim = dice.chance(0.1), dice.perhaps(0.6, 0.5, 1)
    t.bangs = dice.chance(0.24) & ~t.bald
    cropped, bob, long = dice.between(-0.1, 0.16), dice.between(0.4, 0.75), dice.between(0.92, 1.9)
    short = np.where(dice.chance(0.7), cropped, bob)
    t.length = np.where(t.bald, 0, np.where(dice.chance(0.42), long, short))  # where it ends: 1 at the chin
    t.curl = np.where(dice.chance(0.35), dice.between(0.4, 1), dice.between(0, 0.15))
    t.volume = dice.between(0.02, 0.15) + 0.14 * t.curl * dice.between(0, 1)
    t.hairline = np.where(t.bangs, dice.between(-0.36, -0.2), dice.between(-0.76, -0.52))
    t.part = np.where(t.bangs, 0.33, 1) * dice.about(0, 0.3)
    t.bun = dice.perhaps(0.12, 0.22, 0.36) * ~t.bald
    t.strand, t.phase, t.phase2 = dice.between(26, 44), dice.between(0, 6.28), dice.between(0, 6.28)
    t.beard = dice.perhaps(0.3, 0.45, 1)
    t.beard_long, t.beard_wide = dice.between(0, 0.22), dice.between(0, 1)
    t.moustache = dice.between(0.5, 1) * (dice.chance(0.14) | ((t.beard > 0) & dice.chance(0.6)))
    t.bearded = (t.beard > 0) | (t.moustache > 0)


def dress(t, dice: Dice) -> None:
    """Glasses (shade is their darkness), hat, earrings, clothes."""
    t.glasses, t.hat, t.earrings = dice.chance(0.3), dice.chance(0.17), dice.chance(0.22)
    t.bun = t.bun * ~t.hat
    t.shade = np.where(dice.chance(0.4), dice.between(0.8, 1), dice.between(0.02, 0.15))
    t.lens_wide, t.lens_high = dice.between(0.24, 0.28), dice.between(0.17, 0.25)
    t.lens_square, t.frame = dice.between(0, 1), dice.between(0.018, 0.04)
    t.hat_line, t.hat_high = dice.between(-0.52, -0.38), t.volume + dice.between(0.08, 0.28)
    t.brim = dice.perhaps(0.55, 0.25, 0.55)
    t.shoulders, t.slope = dice.between(0.76, 0.86), dice.between(0.3, 0.5)  # picture units
    t.neckline, t.vee = dice.between(0.1, 0.5), dice.between(0, 1)
    t.stripes = dice.perhaps(0.3, 0.15, 0.6)
    t.cloth, t.trim = dice.colour((0.05, 0.75), (0.12, 0.9)), dice.colour((0.05, 0.6), (0.2, 0.95))
    t.hat_colour = dice.colour((0.05, 0.75), (0.12, 0.85))
    t.frame_colour = dice.colour((0, 0.7), (0.03, 0.45))
    t.jewel = palette.hsv(dice.between(0.08, 0.16), dice.between(0, 0.6), dice.between(0.75, 1))


def surroundings(t, dice: Dice) -> None:
    """The two colours of the backdrop, the direction of their gradient, the light behind the head."""
    t.back, t.back2 = dice.colour((0.05, 0.6), (0.15, 0.95)), dice.colour((0.05, 0.6), (0.15, 0.95))
    t.back_angle, t.back_glow = dice.between(0, 6.28), dice.between(0, 1)
