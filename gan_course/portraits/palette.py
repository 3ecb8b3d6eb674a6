"""The colours of skin, hair, eyes and cloth: red, green and blue from 0 to 1, [B, 3]."""

import numpy as np

# Colours from one end of a scale to the other, RRGGBB.
SKIN = "fcdec8 f0c8a8 e0ae86 c48c64 966242 704832 543629"
HAIR = "eed6a0 cea460 9e6838 684228 402a1e 281d19 1b1718"
IRIS = "608cb0 5c8c80 6c7a46 7e582e 54341c 301e14"
COPPER, SILVER = np.array([172, 76, 34]) / 255, np.array([206, 204, 202]) / 255


def skin(tone: np.ndarray, undertone: np.ndarray) -> np.ndarray:
    """Skin from pale (tone 0) to dark (1); a positive undertone is golden, a negative one rosy."""
    return ramp(SKIN, tone) * (1 + undertone[:, None] * np.array([0.0, 0.035, -0.07]))


def iris(depth: np.ndarray) -> np.ndarray:
    """Eyes from blue (0) over green and hazel to dark brown (1)."""
    return ramp(IRIS, depth)


def hair(pigment: np.ndarray, red: np.ndarray, grey: np.ndarray) -> np.ndarray:
    """Hair from blond (pigment 0) to black (1), drawn towards copper by `red` and to silver by `grey`."""
    pigment, red, grey = pigment[:, None], red[:, None], grey[:, None]
    colour = ramp(HAIR, pigment[:, 0])
    colour += (COPPER * (1.15 - 0.6 * pigment) - colour) * red * 0.8
    return colour + (SILVER * (1 - 0.35 * pigment) - colour) * grey * 0.9


def ramp(scale: str, position: np.ndarray) -> np.ndarray:
    """Colours at positions 0 to 1 along a scale."""
    stops = np.array([list(bytes.fromhex(stop)) for stop in scale.split()]) / 255
    return np.stack(
        [np.interp(position, np.linspace(0, 1, len(stops)), channel) for channel in stops.T], axis=1
    )


def hsv(hue: np.ndarray, saturation: np.ndarray, value: np.ndarray) -> np.ndarray:
    """Colours from hue (0 to 1, round the circle), saturation and value."""
    k = (np.array([5, 3, 1]) + hue[:, None] * 6) % 6
    return value[:, None] * (1 - saturation[:, None] * np.clip(np.minimum(k, 4 - k), 0, 1))
