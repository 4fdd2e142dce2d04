"""A sheet of paper measured in inches from its top left corner, and what the explorer puts on it.

Texts and lines belong to the figure itself and share one pair of axes, made for the images. A pair of axes for each
map, with its ticks, takes three times as long to make.
"""

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.image import PcolorImage
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.text import Text
from numpy.typing import ArrayLike, NDArray

from actalign.plots.figure import INK
from actalign.plots.scales import COLORS


class Paper:
    """An empty figure of ``width_in`` x ``height_in`` inches.

    >>> paper = Paper(2.0, 1.0)
    >>> paper.write(0.5, 0.25, "hello").get_text()
    'hello'
    """

    def __init__(self, width_in: float, height_in: float) -> None:
        self.width_in, self.height_in = width_in, height_in
        self.figure = Figure(figsize=(width_in, height_in))
        self.figure.set_layout_engine("none")
        self.axes = self.figure.add_axes((0, 0, 1, 1))
        self.axes.set_axis_off()
        self.axes.set(xlim=(0, width_in), ylim=(height_in, 0))

    def write(self, x: float, y: float, text: str, **look: Any) -> Text:
        """Text at a place, a dollar sign as it is; ``look`` is matplotlib's, such as ``ha`` and ``fontsize``."""
        return self.figure.text(x, y, text, transform=self.axes.transData, parse_math=False, **({"color": INK} | look))

    def line(self, x: ArrayLike, y: ArrayLike, **look: Any) -> Line2D:
        """A line, or markers, through places."""
        line = Line2D(np.asarray(x), np.asarray(y), transform=self.axes.transData, **look)
        self.figure.add_artist(line)
        return line

    def bar(self, x: float, y: float, *, width: float, height: float, color: str) -> Rectangle:
        """A bar from ``x`` on, ``y`` in the middle of its height; a negative width goes to the left."""
        bar = Rectangle((x, y - height / 2), width, height, facecolor=color, transform=self.axes.transData)
        self.figure.add_artist(bar)
        return bar

    def cells(self, edges_x: NDArray[np.float64], edges_y: NDArray[np.float64], values: NDArray[Any]) -> PcolorImage:
        """Coloured cells between edges: R x C values, R + 1 and C + 1 edges."""
        image = PcolorImage(self.axes, edges_x, edges_y, values, cmap=COLORS)
        self.axes.add_image(image)
        return image

    def picture(self, pixels_hwc: NDArray[np.uint8], *, left: float, right: float, top: float, bottom: float) -> None:
        """An RGB picture stretched over a place."""
        extent = (left, right, bottom, top)
        self.axes.imshow(pixels_hwc, extent=extent, aspect="auto", interpolation="antialiased")
