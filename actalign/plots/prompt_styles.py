"""Top-1 by prompt style, each against the main one, and what context adds in it (paper, Table 4)."""

import textwrap
from collections.abc import Iterable
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from actalign.plots.ablation import differences
from actalign.plots.figure import BLUE, GREY, panel_label
from actalign.plots.forest import Row, forest, forest_height_in
from actalign.plots.main_results import PUBLISHED_LABEL
from actalign.plots.tables import number, require

LONGEST_NAME = 24
"""Characters of a style's name in a line."""
LABEL_IN = 0.2
"""Height in inches of a panel's label."""


def prompt_styles(
    table: pd.DataFrame,
    figure: Figure | SubFigure,
    *,
    chance: float | None = None,
    published: pd.DataFrame | None = None,
    stacked: bool = False,
) -> list[Axes]:
    """Panels with a row per style, and the published rows in a panel of their own; return the axes.

    The panels are Top-1, the paired difference to the main style (left out where there is no other style) and the
    paired difference that context makes. A filled dot of a difference has an interval that leaves zero out.

    Args:
        table: columns style, top1, difference (NaN for the main style) and context_gain, each with ``_low`` and
            ``_high``; percent and points.
        chance: Top-1 of guessing in percent, as a dashed line.
        published: columns method, top1, top1_low, top1_high: another data set.
        stacked: panels one below the other, for a figure of column width; else side by side, for a page.

    Raises:
        ActAlignError: missing columns, no rows, fractions for percent.

    >>> gain = {"context_gain": [1.0], "context_gain_low": [-1.0], "context_gain_high": [3.0]}
    >>> top1 = {"style": ["terse"], "top1": [70.0], "top1_low": [65.0], "top1_high": [75.0]}
    >>> rows = pd.DataFrame(top1 | gain).assign(difference=None, difference_low=None, difference_high=None)
    >>> len(prompt_styles(rows, Figure()))
    2
    """
    numbers = [f"{name}{end}" for name in ("top1", "difference", "context_gain") for end in ("", "_low", "_high")]
    require(table, ["style", *numbers], percent=["top1"])
    shown = table.assign(label=_wrapped(table["style"]))
    panels = {"top1": "Top-1, 95% interval", **_compared(table), "context_gain": "gain of context"}
    axes = _axes(figure, _rows(table, published), panels=list(panels), stacked=stacked)
    for letter, (name, title) in zip("abc", panels.items(), strict=False):
        if name == "top1":
            _accuracies(shown, axes[name], chance=chance, marker="o", color=BLUE)
        else:
            ends = {f"difference{end}": shown[f"{name}{end}"] for end in ("", "_low", "_high")}
            differences(shown.assign(**ends), axes[name])
            axes[name].tick_params(axis="y", labelleft=stacked)
        panel_label(axes[name], f"({letter}) {title}")
    if published is not None:
        named = published.assign(label=_wrapped(published["method"]))
        _accuracies(named, axes["published"], marker="s", color=GREY)
        panel_label(axes["published"], PUBLISHED_LABEL)
    return list(axes.values())


def prompt_styles_height_in(
    table: pd.DataFrame, published: pd.DataFrame | None = None, *, stacked: bool = False
) -> float:
    """Height in inches of a figure for ``prompt_styles``.

    >>> rows = pd.DataFrame({"style": ["a", "b"], "difference": [None, 1.0]})
    >>> prompt_styles_height_in(rows) < prompt_styles_height_in(rows, stacked=True)
    True
    """
    rows, others = _rows(table, published)
    own = (2 + len(_compared(table))) if stacked else 1
    return own * (forest_height_in(rows) + LABEL_IN) + (forest_height_in(others) + LABEL_IN if others else 0)


def _compared(table: pd.DataFrame) -> dict[str, str]:
    """The panel of differences to the main style, if another style is there."""
    return {} if table["difference"].isna().all() else {"difference": "against the main style"}


def _rows(table: pd.DataFrame, published: pd.DataFrame | None) -> tuple[int, int]:
    """How many lines of text the names take, here and in the published block."""
    return _lines(table["style"]), 0 if published is None else _lines(published["method"])


def _axes(figure: Figure | SubFigure, rows: tuple[int, int], *, panels: list[str], stacked: bool) -> dict[str, Axes]:
    own, others = rows
    grid: list[Any] = [[name] for name in panels] if stacked else [panels]
    heights = [own + 2] * len(grid)
    if others:
        grid.append(["published", *["."] * (len(grid[0]) - 1)])
        heights.append(others + 2)
    return dict(figure.subplot_mosaic(grid, height_ratios=heights))


def _accuracies(table: pd.DataFrame, ax: Axes, *, marker: str, color: str, chance: float | None = None) -> None:
    filled = marker == "o"
    rows = [
        Row(
            row["label"], number(row, "top1"), number(row, "top1_low"), number(row, "top1_high"),
            color=color, marker=marker, filled=filled,
        )
        for _, row in table.iterrows()
    ]  # fmt: skip
    forest(rows, ax)
    ax.set(xlim=(0, 100), xlabel="Top-1 (%)")
    if chance is not None:
        ax.axvline(chance, color=GREY, linestyle="--", linewidth=0.8, zorder=0)


def _lines(names: "pd.Series[str]") -> int:
    """Lines of text that the names take when each takes as many as the longest."""
    return len(names) * max(name.count("\n") + 1 for name in _wrapped(names))


def _wrapped(names: Iterable[str]) -> list[str]:
    return ["\n".join(textwrap.wrap(name, LONGEST_NAME)) or name for name in names]
