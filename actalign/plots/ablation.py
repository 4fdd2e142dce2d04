"""The ladder from mean pooling to the full method, each rung with what it adds (paper, Table 3)."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from actalign.errors import ActAlignError
from actalign.plots.figure import BLUE, GREY, INK, VERMILLION, panel_label
from actalign.plots.forest import Row, forest, forest_height_in
from actalign.plots.tables import names, number, require


def ladder(table: pd.DataFrame, ax: Axes, *, chance: float | None = None, label: str = "") -> Axes:
    """Top-1 with its 95% interval per rung, joined from rung to rung; return ``ax``.

    Args:
        table: columns method (or label), top1, top1_low, top1_high in percent, in the order of the rungs.
        chance: Top-1 of guessing in percent, as a dashed line.

    Raises:
        ActAlignError: missing columns, no rows, fractions for percent.

    >>> rows = pd.DataFrame({"method": ["dtw"], "top1": [70.0], "top1_low": [65.0], "top1_high": [75.0]})
    >>> ladder(rows, Figure().subplots()).get_xlabel()
    'Top-1 accuracy (%)'
    """
    require(table, ["top1", "top1_low", "top1_high"], percent=["top1"])
    rows = [
        Row(name, number(row, "top1"), number(row, "top1_low"), number(row, "top1_high"), color=BLUE)
        for name, (_, row) in zip(names(table), table.iterrows(), strict=True)
    ]
    ax.plot(table["top1"], range(len(table)), color=BLUE, linewidth=0.6, linestyle=":", zorder=0)
    forest(rows, ax)
    ax.set(xlim=(0, 100), xlabel="Top-1 accuracy (%)")
    if chance is not None:
        ax.axvline(chance, color=GREY, linestyle="--", linewidth=0.8, zorder=0)
        ax.annotate(
            "chance", (chance, 0.0), xycoords=("data", "axes fraction"), xytext=(2, 2), textcoords="offset points",
            fontsize=6, color=GREY,
        )  # fmt: skip
    panel_label(ax, label)
    return ax


def differences(table: pd.DataFrame, ax: Axes, *, label: str = "") -> Axes:
    """Paired difference of each rung to the one above it, with its 95% interval around zero; return ``ax``.

    A filled dot has an interval that leaves zero out, a hollow one has not.

    Args:
        table: columns method (or label), difference, difference_low, difference_high in percentage points;
            NaN on the first rung.

    Raises:
        ActAlignError: missing columns, no rows, or no difference at all.

    >>> rows = pd.DataFrame({"method": ["dtw", "context"], "difference": [None, 9.0], "difference_low": [None, 5.0],
    ...                      "difference_high": [None, 13.0]})
    >>> differences(rows, Figure().subplots()).texts[1].get_text()
    '+9.0 [+5.0, +13.0]'
    """
    require(table, ["difference", "difference_low", "difference_high"])
    rows = [_difference_row(name, row) for name, (_, row) in zip(names(table), table.iterrows(), strict=True)]
    ends = [end for row in rows for end in (row.value, row.low, row.high) if not np.isnan(end)]
    if not ends:
        raise ActAlignError("no rung has a difference; give the paired difference to the rung above it")
    ax.axvline(0, color=INK, linewidth=0.7, zorder=0)
    forest(rows, ax)
    low, high = min(*ends, -1.0), max(*ends, 1.0)
    ax.set(xlim=(low - 0.1 * (high - low), high + 0.1 * (high - low)), xlabel="Paired difference (points)")
    panel_label(ax, label)
    return ax


def ablation(table: pd.DataFrame, figure: Figure | SubFigure, *, chance: float | None = None) -> list[Axes]:
    """The ladder on the left and its paired differences on the right, row by row; return both axes.

    Args:
        table: the columns of ``ladder`` and of ``differences``.
        figure: page width; ``ablation_height_in`` says how tall.
    """
    left, right = figure.subplots(1, 2, width_ratios=[1.3, 1])
    ladder(table, left, chance=chance, label="(a) Top-1, 95% interval")
    differences(table, right, label="(b) gain over the row above, 95% interval")
    right.tick_params(axis="y", labelleft=False)
    return [left, right]


def ablation_height_in(table: pd.DataFrame) -> float:
    """Height in inches of a figure for ``ablation``.

    >>> ablation_height_in(pd.DataFrame({"method": ["a", "b"]})) < 1.5
    True
    """
    return forest_height_in(len(table)) + 0.3


def _difference_row(name: str, row: "pd.Series[float]") -> Row:
    value, low, high = (number(row, f"difference{end}") for end in ("", "_low", "_high"))
    if np.isnan(value):
        return Row(name, note="\N{EN DASH}")
    return Row(name, value, low, high, color=VERMILLION if high < 0 else BLUE, filled=low > 0 or high < 0, signed=True)
