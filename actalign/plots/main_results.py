"""Top-1 of every method with its interval, beside the published numbers (paper, Table 2)."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from actalign.errors import ActAlignError
from actalign.plots.figure import BLUE, GREY, INK
from actalign.plots.forest import Row, forest, forest_height_in
from actalign.plots.tables import names, number, require

PUBLISHED_LABEL = "Published, ActionAtlas, another data set"


def main_results(
    table: pd.DataFrame,
    ax: Axes,
    *,
    data_label: str,
    chance: float | None = None,
    highlight: tuple[str, ...] = (),
    published: pd.DataFrame | None = None,
    numbers: bool = True,
) -> Axes:
    """Forest plot: a dot and its 95% interval per method, in the table's order, top to bottom; return ``ax``.

    Args:
        table: columns method, top1, top1_low, top1_high (percent), n (clips scored); where there are such columns,
            also n_total (clips asked) and label (the names shown), as ``metrics.topk_table`` gives them.
        data_label: the data set, written above the rows with N (or with each row, where N differs).
        chance: Top-1 of guessing in percent, as a dashed line through these rows only.
        highlight: methods drawn in colour and filled; the others are hollow.
        published: the paper's rows, columns method (or label), top1 and, where known, top1_low, top1_high;
            drawn as grey squares in a block of their own that says they are from another data set.
        numbers: write the values on the right; leave them out at column width.

    Raises:
        ActAlignError: missing columns, no rows, fractions for percent, or a highlighted method that is not there.

    >>> from matplotlib.figure import Figure
    >>> rows = pd.DataFrame({"method": ["dtw"], "top1": [70.0], "top1_low": [65.0], "top1_high": [75.0], "n": [448]})
    >>> ax = main_results(rows, Figure().subplots(), data_label="Sample")
    >>> [text.get_text() for text in ax.get_yticklabels()]
    ['Sample (N = 448)', 'dtw']
    """
    own = _own_rows(table, data_label, highlight)
    rows = own if published is None else [*own, *_published_rows(published)]
    forest(rows, ax, numbers=numbers)
    ax.set_xlim(0, 100)
    ax.set_xlabel("Top-1 (%), 95% interval", loc="center" if numbers else "right")  # never beyond a narrow panel
    if published is not None:
        ax.axhline(len(own) - 0.5, color=GREY, linewidth=0.5)
    if chance is not None:
        _draw_chance(ax, chance, last_row=len(own) - 1)
    return ax


def main_results_height_in(table: pd.DataFrame, published: pd.DataFrame | None = None) -> float:
    """Height in inches of a figure for ``main_results``.

    >>> main_results_height_in(pd.DataFrame({"method": ["a", "b"]})) < 1.5
    True
    """
    return forest_height_in(len(table) + 1 + (0 if published is None else len(published) + 1))


def _own_rows(table: pd.DataFrame, data_label: str, highlight: tuple[str, ...]) -> list[Row]:
    require(table, ["method", "top1", "top1_low", "top1_high", "n"], percent=["top1"])
    absent = sorted(set(highlight) - set(table["method"]))
    if absent:
        raise ActAlignError(f"cannot highlight {absent}; the methods are {list(table['method'])}")
    counts = [_count(row) for _, row in table.iterrows()]
    same = len(set(counts)) == 1
    return [Row(f"{data_label} ({counts[0]})" if same else data_label, heading=True)] + [
        Row(
            name, row.top1, row.top1_low, row.top1_high,
            color=BLUE if row.method in highlight else INK,
            filled=row.method in highlight,
            note="" if same else f"  {count}",
        )
        for name, row, count in zip(names(table), table.itertuples(), counts, strict=True)
    ]  # fmt: skip


def _count(row: "pd.Series[Any]") -> str:
    return f"N = {row['n']:.0f}" + (f" of {row['n_total']:.0f}" if "n_total" in row else "")


def _published_rows(published: pd.DataFrame) -> list[Row]:
    require(published, ["top1"], percent=["top1"])
    return [Row(PUBLISHED_LABEL, heading=True)] + [
        Row(
            name, number(row, "top1"), number(row, "top1_low"), number(row, "top1_high"),
            color=GREY, marker="s", filled=False,
        )
        for name, (_, row) in zip(names(published), published.iterrows(), strict=True)
    ]  # fmt: skip


def _draw_chance(ax: Axes, chance: float, *, last_row: int) -> None:
    if not 0 <= chance <= 100:
        raise ActAlignError(f"chance is {chance}; give percent, from 0 to 100")
    ax.plot([chance, chance], [0.4, last_row + 0.5], color=GREY, linestyle="--", linewidth=0.8, zorder=0)
    ax.annotate(
        f"chance {chance:.3g}", (chance, 0), xytext=(-3, 0), textcoords="offset points", va="center_baseline",
        fontsize=6, color=GREY, annotation_clip=False,
    )  # fmt: skip
