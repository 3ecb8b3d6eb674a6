"""The sheet that a block of portraits is painted on: coordinates, windows, soft shapes, paint.

Every shape is an implicit function that is positive inside and measures distance there, so that an edge is
one pixel wide at any size.
"""

from dataclasses import dataclass
from types import SimpleNamespace

import torch


@dataclass
class Sheet:
    """B pictures of one size, or a window of them, and where every pixel lies on the picture and the head.

    Attributes:
        t: the sitters' traits: tensors [B, 1, 1], bool [B], colours [B, 3, 1, 1].
        picture: float32 [B, 3, H, W], 0 to 1; a window's is a view of the whole.
        x, y: picture coordinates [1, 1, W] and [1, H, 1].
        u, v: head coordinates [B, H, W].
        pixel: a pixel's width in picture units.
        sharp: pixels a head unit, [B, 1, 1].
        place: a window's rows and columns in the sheet that it was cut from.
        strands: the hair's texture (`hair.strands`), on the whole sheet alone.
    """

    t: SimpleNamespace
    picture: torch.Tensor
    x: torch.Tensor
    y: torch.Tensor
    u: torch.Tensor
    v: torch.Tensor
    pixel: float
    sharp: torch.Tensor
    place: tuple = (slice(None), slice(None))
    strands: torch.Tensor | None = None

    @classmethod
    def blank(cls, size: int, t: SimpleNamespace) -> "Sheet":
        """An unpainted sheet of `size` pixels a side for these sitters."""
        pixel = 2 / size
        axis = (torch.arange(size) + 0.5) * pixel - 1
        x, y = axis[None, None, :], axis[None, :, None]
        right, down = (x - t.x) / t.scale, (y - t.y) / t.scale
        cos, sin = t.tilt.cos(), t.tilt.sin()
        picture = torch.empty(len(t.x), 3, size, size)
        u, v = right * cos + down * sin, down * cos - right * sin
        return cls(t, picture, x, y, u, v, pixel, t.scale / pixel)

    def window(self, u, v, across, down) -> "Sheet":
        """The smallest part of this sheet that holds, in every face, a rectangle of the head.

        Args:
            u, v: its centre, [B, 1, 1] or numbers.
            across, down: half its width and height.
        """
        t = self.t
        cos, sin = t.tilt.cos(), t.tilt.sin()
        x, wide = t.x + t.scale * (u * cos - v * sin), t.scale * (across * cos + down * sin.abs())
        y, high = t.y + t.scale * (u * sin + v * cos), t.scale * (down * cos + across * sin.abs())
        columns, rows = self._span(x, wide, self.x), self._span(y, high, self.y)
        return self._cut(rows, columns)

    def below(self, y: torch.Tensor) -> "Sheet":
        """The part of this sheet below the highest of some heights (picture units)."""
        return self._cut(self._span(y + 1, torch.ones_like(y), self.y), slice(0, self.x.numel()))

    def _cut(self, rows: slice, columns: slice) -> "Sheet":
        u, v = (a[:, rows, columns].contiguous() for a in (self.u, self.v))
        x, y, picture = self.x[..., columns], self.y[:, rows], self.picture[:, :, rows, columns]
        return Sheet(self.t, picture, x, y, u, v, self.pixel, self.sharp, (rows, columns))

    def _span(self, centre: torch.Tensor, reach: torch.Tensor, axis: torch.Tensor) -> slice:
        start, count = axis.flatten()[0].item() - self.pixel / 2, axis.numel()
        low = ((centre - reach).min().item() - start) / self.pixel
        high = ((centre + reach).max().item() - start) / self.pixel
        first = min(max(int(low) - 1, 0), count - 3)
        return slice(first, max(min(int(high) + 2, count), first + 3))

    def some(self, chosen: torch.Tensor, part) -> None:
        """Paint a part, a function of a sheet, on the chosen faces (bool [B]) alone."""
        if not chosen.any():
            return
        t = SimpleNamespace(**{name: value[chosen] for name, value in vars(self.t).items()})
        texture = None if self.strands is None else self.strands[chosen]
        u, v, sharp, picture = (a[chosen] for a in (self.u, self.v, self.sharp, self.picture))
        part(Sheet(t, picture, self.x, self.y, u, v, self.pixel, sharp, strands=texture))
        self.picture[chosen] = picture

    def inside(self, distance: torch.Tensor, blur: float = 1.0) -> torch.Tensor:
        """Coverage 0 to 1 from a distance in head units, positive inside; `blur` in pixels."""
        return (distance * (self.sharp / blur)).add_(0.5).clamp_(0, 1)

    def ellipse(self, u, v, across, down) -> torch.Tensor:
        """Coverage of an ellipse given by its centre and half-axes (head units)."""
        q = square((self.u - u) / across) + square((self.v - v) / down)
        return self.inside((1 - q) * (0.5 * smaller(across, down)))

    def glow(self, u, v, across, down) -> torch.Tensor:
        """A Gaussian of height 1, given by its centre and standard deviations (head units)."""
        x, y = (self.u - u).mul_(0.70711 / across), (self.v - v).mul_(0.70711 / down)
        return x.mul_(x).add_(y.mul_(y)).neg_().exp_()

    def survives(self, frequency) -> torch.Tensor:
        """How much of a pattern of so many radians a head unit is left at this size, 0 to 1, [B, 1, 1].

        Patterns finer than the pixels fade out: a small picture is the large one seen from afar.
        """
        return (-0.22 * square(frequency / self.sharp)).exp()

    def paint(self, colour: torch.Tensor, coverage: torch.Tensor) -> None:
        """Lay a colour [B, 3, 1, 1] or [B, 3, H, W] over the picture where `coverage` [B, H, W] says."""
        self.picture.lerp_(colour, coverage[:, None])

    def darken(self, amount: torch.Tensor, tint=(1.0, 1.15, 1.1)) -> None:
        """Take light away: 0 leaves, 1 blackens; `tint` says how much more in red, green and blue.

        Shadows on skin take more green and blue than red: light comes back through the blood.
        """
        for channel, more in enumerate(tint):
            self.picture[:, channel].addcmul_(self.picture[:, channel], amount, value=-more)


def square(x):
    return x * x


def smaller(a, b):
    """The smaller of two lengths, each a number or a tensor."""
    return torch.minimum(torch.as_tensor(a), torch.as_tensor(b))
