"""A page in inches, for figures whose parts are placed one by one."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Polygon
from matplotlib.text import Text

from actalign.errors import ActAlignError
from actalign.plots.figure import GREY, INK, OKABE_ITO
from actalign.plots.lettering import LEADING, text_width_in

Color = str | tuple[float, float, float]

DISC_IN = 0.125
_DISC_NUMBER_PT = 6.0


@dataclass(frozen=True)
class Box:
    """A rectangle in inches from the page's upper left corner.

    >>> Box(1.0, 2.0, width=0.5, height=0.25).bottom
    2.25
    """

    left: float
    top: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.left + self.width

    @property
    def bottom(self) -> float:
        return self.top + self.height

    @property
    def middle(self) -> tuple[float, float]:
        return self.left + self.width / 2, self.top + self.height / 2


class Canvas:
    """Draws on ``figure`` in inches, y downwards from the upper left corner; ``ax`` is the page.

    Raises:
        ActAlignError: the figure is less than ``needs_in`` (width, height) in size.

    >>> canvas = Canvas(Figure(figsize=(3, 2)), needs_in=(3, 1))
    >>> canvas.text(0.1, 0.2, "toss").get_position()
    (0.1, 0.2)
    """

    def __init__(self, figure: Figure, *, needs_in: tuple[float, float]) -> None:
        self.width_in, self.height_in = (float(side) for side in figure.get_size_inches())
        if self.width_in < needs_in[0] - 1e-6 or self.height_in < needs_in[1] - 1e-6:
            raise ActAlignError(
                f"the figure is {self.width_in:.2f} x {self.height_in:.2f} in, but its contents need "
                f"{needs_in[0]:.2f} x {needs_in[1]:.2f} in; make it as tall as its ..._height_in function says"
            )
        figure.set_layout_engine("none")
        self.figure = figure
        self.ax = figure.add_axes((0, 0, 1, 1), label="page")
        self.ax.set(xlim=(0, self.width_in), ylim=(self.height_in, 0))
        self.ax.set_axis_off()

    def axes(self, box: Box, *, label: str = "") -> Axes:
        """New axes that fill the box."""
        bottom = 1 - box.bottom / self.height_in
        return self.figure.add_axes(
            (box.left / self.width_in, bottom, box.width / self.width_in, box.height / self.height_in), label=label
        )

    def text(self, x: float, y: float, words: str, **settings: Any) -> Text:
        """``words`` as they are, their upper left corner (unless ``ha``, ``va`` say otherwise) at ``x``, ``y``."""
        given = {"ha": "left", "va": "top", "color": INK, "linespacing": LEADING * 0.88, **settings}
        return self.ax.text(x, y, words, parse_math=False, **given)

    def box(self, box: Box, *, face: Color = "white", edge: str = GREY, rounding_in: float = 0.05) -> None:
        """A rectangle with round corners."""
        style = f"round,pad=0,rounding_size={rounding_in}"
        self.ax.add_patch(
            FancyBboxPatch(
                (box.left, box.top), box.width, box.height, boxstyle=style, facecolor=face, edgecolor=edge,
                linewidth=0.7,
            )
        )  # fmt: skip

    def shape(self, corners: list[tuple[float, float]], *, face: Color, edge: str) -> None:
        """A polygon."""
        self.ax.add_patch(
            Polygon(corners, closed=True, facecolor=face, edgecolor=edge, linewidth=0.7, joinstyle="round")
        )

    def arrow(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """A straight arrow."""
        self.ax.add_patch(
            FancyArrowPatch(
                start, end, arrowstyle="-|>,head_length=3.4,head_width=1.7", mutation_scale=1.0, shrinkA=0, shrinkB=0,
                linewidth=0.8, color=INK, capstyle="butt", joinstyle="miter",
            )
        )  # fmt: skip

    def line(self, xs: list[float], ys: list[float], *, color: str = GREY, width_pt: float = 0.8) -> None:
        """A line through points."""
        self.ax.plot(xs, ys, color=color, linewidth=width_pt, solid_capstyle="butt", solid_joinstyle="round")

    def disc(self, x: float, y: float, number: int, *, color: str) -> None:
        """A step's number in a disc of its colour, centred at ``x``, ``y``."""
        words = str(number)
        self.ax.plot([x], [y], "o", markersize=DISC_IN * 72, color=color, markeredgewidth=0)
        width = text_width_in(words, size_pt=_DISC_NUMBER_PT, weight="bold")
        self.text(
            x, y, words, ha="center", va="center_baseline", fontsize=_DISC_NUMBER_PT * min(1.0, 0.9 * DISC_IN / width),
            fontweight="bold", color=on(color),
        )  # fmt: skip


def step_color(index: int) -> str:
    """The colour of the step with that 0-based index; after eight they come again, and the number tells them apart.

    >>> step_color(0) == step_color(8) != step_color(1)
    True
    """
    return OKABE_ITO[index % len(OKABE_ITO)]


def tint(color: str, *, share: float = 0.16) -> Color:
    """``color`` mixed with white, ``share`` of it left.

    >>> tint("#000000", share=0.25)
    (0.75, 0.75, 0.75)
    """
    red, green, blue = (1 - share * (1 - part) for part in to_rgb(color))
    return red, green, blue


def on(color: str) -> str:
    """White or ink, whichever is easier to read on ``color``.

    >>> on("#000000"), on("#F0E442")
    ('white', '#262626')
    """
    red, green, blue = to_rgb(color)
    return INK if 0.299 * red + 0.587 * green + 0.114 * blue > 0.6 else "white"


def spread(places: Any, *, apart: float, low: float, high: float) -> Any:
    """Increasing ``places`` (N,) moved as little as possible so that they lie ``apart``, between ``low`` and ``high``.

    Where there is no room for all of them they share what there is.

    >>> spread([1.0, 1.0, 5.0], apart=1.0, low=0.0, high=9.0).tolist()
    [0.5, 1.5, 5.0]
    """
    wanted = np.asarray(places, dtype=float)
    if len(wanted) > 1:
        apart = min(apart, (high - low) / (len(wanted) - 1))
    steps = apart * np.arange(len(wanted))
    blocks: list[list[float]] = []
    for value in wanted - steps:
        blocks.append([value, 1.0])
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            mean, count = blocks.pop()
            earlier, members = blocks[-1]
            blocks[-1] = [(earlier * members + mean * count) / (members + count), members + count]
    level = np.repeat([mean for mean, _ in blocks], [int(count) for _, count in blocks])
    return np.clip(level, low, high - steps[-1]) + steps
