"""A calculator of layer sizes that shows what it computes: lines from every input to the outputs it reaches."""

from gan_course import show, sizes
from gan_course.errors import CourseError
from gan_course.widgets.panel import Panel, choice, slider


class SizeCalculator(Panel):
    """Input size, kernel, stride and padding in; output size, connections and overlaps out."""

    def __init__(
        self, n: int = 4, kernel: int = 4, stride: int = 2, padding: int = 1, transposed: bool = True
    ):
        kinds = [("convolution", False), ("transposed convolution", True)]
        self.kind = choice("layer", kinds, bool(transposed))
        self.n, self.kernel, self.stride, self.padding = numbers = (
            slider("input", n, 1, 28, 1, "17em"),
            slider("kernel", kernel, 1, 7, 1, "17em"),
            slider("stride", stride, 1, 4, 1, "17em"),
            slider("padding", padding, 0, 3, 1, "17em"),
        )
        self.redraw_on(self.kind, *numbers)
        super().__init__((self.kind,), numbers)

    def live(self) -> dict:
        names = ("n", "kernel", "stride", "padding")
        numbers = {name: getattr(self, name).value for name in names}
        return {"widget": "calculator", **numbers, "transposed": self.kind.value}

    def render(self) -> show.Picture:
        numbers = self.n.value, self.kernel.value, self.stride.value, self.padding.value
        return connections(*numbers, transposed=self.kind.value)


def connections(n: int, kernel: int, stride: int, padding: int, *, transposed: bool) -> show.Picture:
    """A layer along one axis: inputs above, outputs below, a line wherever one reaches the other.

    The number beneath an output says how many inputs reach it, zeros of the padding not counted.
    """
    k = f"k{kernel} s{stride} p{padding}"
    figure, axes = show.new_figure(9, 2.9)
    axes.axis("off")
    try:
        reached = sizes.reaches(n, kernel, stride, padding, transposed=transposed)
    except CourseError as error:
        axes.text(0.5, 0.5, str(error), ha="center", wrap=True, transform=axes.transAxes)
        return show.figure(figure, f"{n} inputs, {k}: {error}")
    counts = reached.sum(1).tolist()
    out = len(counts)
    x_in = [(i + 0.5) / n for i in range(n)]
    x_out = [(i + 0.5) / out for i in range(out)]
    for o, i in reached.nonzero().tolist():
        axes.plot([x_in[i], x_out[o]], [1, 0], color=show.GREY, lw=0.8, alpha=0.6, zorder=1)
    axes.scatter(x_in, [1] * n, marker="s", s=70, color=show.BLUE, zorder=2)
    fewest, most = min(counts), max(counts)
    shade = [0.25 + 0.75 * (c - fewest + 1) / (most - fewest + 1) for c in counts]
    axes.scatter(x_out, [0] * out, marker="s", s=70, color=show.RED, alpha=shade, zorder=2)
    for x, count in zip(x_out, counts, strict=True):
        axes.text(x, -0.12, str(count), ha="center", va="top", fontsize=13 if out < 30 else 7)
    axes.set(xlim=(0, 1), ylim=(-0.45, 1.15))
    name = "transposed convolution" if transposed else "convolution"
    axes.set_title(f"{name}, {k}: {n} → {out}")
    return show.figure(
        figure,
        f"A {name} with {k} makes {out} outputs of {n} inputs; "
        f"inputs that reach each output: {', '.join(map(str, counts))}.",
    )
