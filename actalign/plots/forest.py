"""Rows of a dot and its interval, with a name on the left and the numbers on the right."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes

from actalign.plots.figure import INK
from actalign.report import interval_text

ROW_IN = 0.155


@dataclass(frozen=True)
class Row:
    """A name, a value with its interval (NaN where unknown) and how to draw it; ``note`` stands after the numbers."""

    name: str
    value: float = np.nan
    low: float = np.nan
    high: float = np.nan
    color: str = INK
    marker: str = "o"
    filled: bool = True
    signed: bool = False
    note: str = ""
    heading: bool = False

    @property
    def numbers(self) -> str:
        """The value and its interval as text.

        >>> Row("dtw", 70.12, 65.0, 75.5).numbers
        '70.1 [65.0, 75.5]'
        >>> Row("step", -0.2, -2.0, 1.5, signed=True).numbers
        '−0.2 [−2.0, +1.5]'
        """
        if np.isnan(self.value):
            return self.note
        return interval_text(self.value, self.low, self.high, signed=self.signed) + self.note


def forest(rows: Sequence[Row], ax: Axes, *, numbers: bool = True) -> Axes:
    """Draw ``rows`` top to bottom at y = 0, 1, 2, ..., with their ``numbers`` as text or not; return ``ax``.

    >>> from matplotlib.figure import Figure
    >>> ax = forest([Row("dtw", 70.0, 65.0, 75.0)], Figure().subplots())
    >>> ax.texts[0].get_text()
    '70.0 [65.0, 75.0]'
    """
    for y, row in enumerate(rows):
        if not np.isnan(row.value):
            face = row.color if row.filled else "white"
            ax.plot([row.low, row.high], [y, y], color=row.color, linewidth=1.1, solid_capstyle="butt")
            ax.plot(row.value, y, row.marker, color=row.color, markerfacecolor=face, markersize=3.8, clip_on=False)
        if numbers:
            _write_numbers(row, ax, y=y)
    ax.set_yticks(range(len(rows)), [row.name for row in rows], parse_math=False)
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.grid(axis="x")
    for row, text in zip(rows, ax.get_yticklabels(), strict=True):
        if row.heading:
            text.set_fontweight("bold")
    return ax


def _write_numbers(row: Row, ax: Axes, *, y: int) -> None:
    ax.annotate(
        row.numbers, (1, y), xycoords=("axes fraction", "data"), xytext=(7, 0), textcoords="offset points",
        ha="left", va="center_baseline", fontsize=6.5, color=INK, annotation_clip=False,
    )  # fmt: skip


def forest_height_in(rows: int) -> float:
    """Height in inches of a figure that holds ``rows`` rows and an axis.

    >>> round(forest_height_in(10), 2)
    2.0
    """
    return rows * ROW_IN + 0.45
