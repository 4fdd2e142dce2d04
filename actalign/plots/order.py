"""Accuracy over how much of the scripts' order is destroyed, beside methods that ignore order."""

from itertools import cycle

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from actalign.errors import ActAlignError
from actalign.plots.figure import BLUE, GREY, OKABE_ITO, panel_label
from actalign.plots.lettering import cut_to_width, text_width_in
from actalign.plots.tables import require

PANEL_IN = 1.55
WIDE_IN = 5.0
MOST_PANELS = 6
_LABEL_PT, _AXIS_IN = 7.0, 0.35  # of a panel's label; what stands on the left of a panel
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_CONTROLS = ((OKABE_ITO[1], "--"), (OKABE_ITO[2], "-."), (OKABE_ITO[3], ":"), (OKABE_ITO[4], (0, (5, 1, 1, 1, 1, 1))))
_NUMBERS = ("top1", "top1_low", "top1_high")


def accuracy_over_order(
    curve: pd.DataFrame, controls: pd.DataFrame, ax: Axes, *, chance: float | None = None, label: str = ""
) -> Axes:
    """Top-1 over the share of step pairs out of order, with 95% bands; return ``ax``.

    Args:
        curve: columns share (0 to 1), top1, top1_low, top1_high (percent); a row per share.
        controls: columns label, top1, top1_low, top1_high; a horizontal line and band for each of at most 4.
        chance: Top-1 of guessing in percent.

    Raises:
        ActAlignError: missing columns, no rows, fractions for percent.

    >>> rows = pd.DataFrame({"share": [0, 1], "top1": [90, 5], "top1_low": [88, 4], "top1_high": [92, 7]})
    >>> control = pd.DataFrame({"label": ["bag of steps"], "top1": [40], "top1_low": [37], "top1_high": [44]})
    >>> accuracy_over_order(rows, control, Figure().subplots()).get_xlabel()
    'Step pairs out of order (%)'
    """
    require(curve, ["share", *_NUMBERS], percent=["top1"])
    require(controls, ["label", *_NUMBERS], percent=["top1"])
    rows = curve.sort_values("share")
    for (color, dashes), row in zip(cycle(_CONTROLS), controls.itertuples(), strict=False):
        ax.axhspan(row.top1_low, row.top1_high, color=color, alpha=0.12, linewidth=0)
        ax.axhline(row.top1, color=color, linestyle=dashes, linewidth=0.9, label=row.label)
    share = 100 * rows["share"].to_numpy(dtype=float)
    low, high = (rows[name].to_numpy(dtype=float) for name in _NUMBERS[1:])
    ax.fill_between(share, low, high, color=BLUE, alpha=0.2, linewidth=0)
    ax.plot(share, rows["top1"], color=BLUE, marker="o", markersize=2.5, clip_on=False, label="DTW + context")
    if chance is not None:
        ax.axhline(chance, color=GREY, linewidth=0.5, label=f"Chance ({chance:.3g}%)", zorder=0)
    ax.set(xlim=(0, 100), ylim=(0, 100), xticks=np.arange(0, 101, 25), yticks=np.arange(0, 101, 20))
    ax.set_xlabel("Step pairs out of order (%)")
    ax.set_ylabel("Top-1 (%)")
    return panel_label(ax, label)


def order_panels(
    curve: pd.DataFrame, controls: pd.DataFrame, figure: Figure, *, chance: float | None = None
) -> list[Axes]:
    """``accuracy_over_order`` for each subset, all clips first, with one legend; return the axes.

    Args:
        curve, controls: as there, with the column subset. Of more than ``MOST_PANELS`` subsets only the first, all
            clips, is drawn.
        figure: ``order_height_in`` says how tall.

    Raises:
        ActAlignError: as there, or a subset has no controls.
    """
    require(curve, ["subset", "n"])
    require(controls, ["subset"])
    subsets = _shown(curve)
    columns = _columns(figure.get_figwidth(), len(subsets))
    rows = -(-len(subsets) // columns)
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    axes = list(grid.flat)[: len(subsets)]
    for letter, subset, ax in zip(_LETTERS, subsets, axes, strict=False):
        own, beside = (table[table["subset"] == subset] for table in (curve, controls))
        if beside.empty:
            raise ActAlignError(f"subset {subset!r} has a curve but no controls; score both on the same clips")
        count = f", N = {int(own['n'].max())}"
        room_in = figure.get_figwidth() / columns - _AXIS_IN - text_width_in(count, size_pt=_LABEL_PT)
        name = cut_to_width(f"({letter}) {subset}", room_in, size_pt=_LABEL_PT) + count if len(subsets) > 1 else ""
        accuracy_over_order(own, beside, ax, chance=chance, label=name)
    for place, ax in enumerate(grid.flat):
        if place >= len(subsets):
            ax.set_axis_off()
        ax.set_ylabel(ax.get_ylabel() if place % columns == 0 else "")
        below = place + columns < len(subsets)
        ax.set_xlabel("" if below else ax.get_xlabel())
        ax.tick_params(labelbottom=not below)
    handles, names = axes[0].get_legend_handles_labels()
    order = [names.index("DTW + context"), *(at for at, name in enumerate(names) if name != "DTW + context")]
    shown = [handles[at] for at in order], [names[at] for at in order]
    if columns > 2 and len(subsets) < rows * columns:  # narrower panels have no room for it
        list(grid.flat)[-1].legend(*shown, loc="center")
    else:
        wide = columns > 1 and figure.get_figwidth() > WIDE_IN
        figure.legend(*shown, loc="outside lower center", ncols=2 if wide else 1)
    return axes


def order_height_in(curve: pd.DataFrame, *, width_in: float) -> float:
    """Height in inches of a figure for ``order_panels``.

    >>> one = pd.DataFrame({"subset": ["all"]})
    >>> order_height_in(one, width_in=3.35) > 2
    True
    """
    panels = len(_shown(curve))
    columns = _columns(width_in, panels)
    rows = -(-panels // columns)
    legend_in = 0.8 if columns == 2 else 0.0 if panels < rows * columns else 0.5
    return max(rows * PANEL_IN, 1.9) + 0.35 + legend_in


def _shown(curve: pd.DataFrame) -> list[str]:
    subsets = list(dict.fromkeys(curve["subset"]))
    return subsets if len(subsets) <= MOST_PANELS else subsets[:1]


def _columns(width_in: float, panels: int) -> int:
    return min(panels, 3 if width_in > WIDE_IN else 2)
