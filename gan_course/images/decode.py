"""One picture's bytes -> its pixels: resized and cropped as in PyTorch's DCGAN tutorial.

The tutorial applies Resize(size) and CenterCrop(size) to a Pillow image: the shorter side becomes `size`,
bilinear with antialiasing, and the middle square is kept. Here the square alone is resampled, from where
it lies in the whole picture, which gives the same pixels. A JPEG of at least twice the wanted size is
decoded at a half, a quarter or an eighth of its size (libjpeg does that in its inverse cosine transform),
which saves a part of the time and moves a value by one or two grey levels on average, less in smooth
pictures. Like the tutorial, it does not turn pictures by their EXIF orientation.
"""

import io

import numpy as np
from PIL import Image, UnidentifiedImageError

from gan_course.images.album import Skip, shown

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "PPM")  # none that starts another program
LEAST_SIDE = 16  # pixels: below that a picture is an icon or a mistake
MOST_PIXELS = 50_000_000  # that Pillow holds, 200 MB; a JPEG counts as it is decoded, up to 64 times smaller


def decode(content: bytes, size: int) -> np.ndarray:
    """The file's (first) picture as uint8 [3, size, size], RGB.

    Greyscale becomes three equal channels, CMYK and palettes are converted, transparency is laid over
    white, 16 bits a channel become 8.

    Raises:
        Skip: it is no picture, damaged, truncated, tiny or too large.
    """
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as picture:
            width, height = picture.size
            shorter = min(width, height)
            if shorter < LEAST_SIDE:
                raise Skip(f"has {width} × {height} pixels, fewer than {LEAST_SIDE} a side")
            # torchvision rounds down, too.
            resized = int(size * width / shorter), int(size * height / shorter)
            picture.draft("RGB", resized)  # for a JPEG only: a reduced size that is still at least `resized`
            if picture.width * picture.height > MOST_PIXELS:
                raise Skip(f"has {width} × {height} pixels, more than {MOST_PIXELS / 1e6:.0f} million")
            square = _square(picture, size, resized)
    except (Skip, MemoryError):
        raise
    except UnidentifiedImageError:
        raise Skip(_no_picture(content)) from None
    except Exception as error:  # Pillow's decoders raise OSError, SyntaxError, ValueError, struct.error, …
        raise Skip(f"is damaged ({shown(str(error))[:80] or type(error).__name__})") from error
    return np.asarray(square).transpose(2, 0, 1)


def _no_picture(content: bytes) -> str:
    """What a file is that Pillow does not open: text in place of a picture (a pointer, a web page) says so itself."""
    begin = " ".join(content[:32].decode("latin-1").split())
    if begin.isascii() and begin.isprintable():
        return f"is not a picture, whatever its name says: it begins with {begin!r}" if begin else "is empty"
    return f"is not a picture that Pillow reads here ({', '.join(FORMATS)}), whatever its name says"


def _square(picture: Image.Image, size: int, resized: tuple[int, int]) -> Image.Image:
    left, top = (round((side - size) / 2) for side in resized)
    plain = _plain(picture)
    x, y = plain.width / resized[0], plain.height / resized[1]
    box = left * x, top * y, (left + size) * x, (top + size) * y
    square = plain.resize((size, size), Image.Resampling.BILINEAR, box)
    if square.mode in ("RGBA", "LA"):
        white = Image.new("RGBA", square.size, "white")
        square = Image.alpha_composite(white, square.convert("RGBA"))
    return square.convert("RGB")


def _plain(picture: Image.Image) -> Image.Image:
    """The picture in a mode whose values can be averaged."""
    if picture.mode.startswith("I"):  # 16 bits, or 32 that hold 16
        values = np.asarray(picture)
        shift = 8 if picture.mode != "I" or values.max() > 255 else 0
        return Image.fromarray((values >> shift).clip(0, 255).astype(np.uint8))
    if picture.mode == "F":
        raise Skip("has floating-point pixels, and nobody says which is white")
    if "transparency" in picture.info:
        return picture.convert("RGBA")
    if picture.mode in ("L", "LA", "RGB", "RGBA"):
        return picture
    if picture.mode == "1":
        return picture.convert("L")
    return picture.convert("RGBA" if picture.mode in ("PA", "La", "RGBa") else "RGB")
