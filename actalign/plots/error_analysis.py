"""Which criteria hold for wrong predictions and which for right ones, and what accuracy depends on."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import MaxNLocator

from actalign.error_analysis.breakdowns import FACTORS
from actalign.error_analysis.criteria import RELATIONS
from actalign.errors import ActAlignError
from actalign.plots.figure import GREY, INK, OKABE_ITO, panel_label
from actalign.plots.forest import ROW_IN
from actalign.plots.lettering import cut_to_width
from actalign.plots.tables import require

MOST_STYLES, MOST_SPORTS = 2, 12
_STYLES = ((OKABE_ITO[0], "o", "-"), (OKABE_ITO[1], "s", "--"))
_SHADES = ((OKABE_ITO[0], ""), (OKABE_ITO[4], "////"), (OKABE_ITO[2], "...."), (OKABE_ITO[3], "xxxx"), (GREY, "----"))
_WRONG, _RIGHT = (INK, "o"), (GREY, "s")
_FACTOR_IN, _MODE_ROW_IN, _MODE_NAME_IN = 1.35, 0.24, 2.4  # the last: room for the names of all styles


def mode_shares(table: pd.DataFrame, ax: Axes, *, names: bool = True, label: str = "") -> Axes:
    """How often each mode's criteria hold for wrong and for right predictions, with 95% intervals; return ``ax``.

    On the right stands how many wrong predictions have the mode as their primary one, of how many. A mode whose
    threshold is not known is written as not judged.

    Args:
        table: of ``modes.mode_counts``, of one style.
        names: write the modes on the left.

    Raises:
        ActAlignError: missing columns or no rows.

    >>> row = {"mode": "tie", "label": "tie", "judged": True, "primary": 1, "n_wrong": 4, "n_right": 9}
    >>> shares = {f"{kind}_share{end}": 50.0 for kind in ("held", "held_right") for end in ("", "_low", "_high")}
    >>> mode_shares(pd.DataFrame([row | shares]), Figure().subplots()).texts[0].get_text()
    '1 of 4'
    """
    kinds = {"held_share": ("wrong", _WRONG, "n_wrong"), "held_right_share": ("right", _RIGHT, "n_right")}
    ends = [f"{column}{end}" for column in kinds for end in ("", "_low", "_high")]
    require(table, ["label", "judged", "primary", "n_wrong", "n_right", *ends])
    places = np.arange(len(table))
    for shift, (column, (name, (color, marker), count)) in zip((-0.16, 0.16), kinds.items(), strict=True):
        shown = table[column].where(table["judged"])
        errors = np.array([shown - table[f"{column}_low"], table[f"{column}_high"] - shown], dtype=float)
        ax.errorbar(
            shown, places + shift, xerr=np.maximum(errors, 0), color=color, marker=marker, linestyle="none",
            markersize=3.5, markerfacecolor=color if name == "wrong" else "white", elinewidth=0.9, clip_on=False,
            label=f"{name} predictions ({table[count].iloc[0]})",
        )  # fmt: skip
    for place, (_, row) in enumerate(table.iterrows()):
        note = f"{row['primary']} of {row['n_wrong']}" if row["judged"] else "not judged"
        ax.annotate(
            note, (1, place), xycoords=("axes fraction", "data"), xytext=(6, 0), textcoords="offset points",
            va="center_baseline", fontsize=6.5, color=INK, annotation_clip=False,
        )  # fmt: skip
    ax.set_yticks(places, table["label"] if names else [""] * len(table))
    ax.set(xlim=(0, 100), ylim=(len(table) - 0.5, -0.5), xlabel="Criterion holds (%)")
    ax.annotate(
        "primary mode of", (1, 1), xycoords="axes fraction", xytext=(6, 5), textcoords="offset points", va="bottom",
        fontsize=6.5, color=GREY, annotation_clip=False,
    )  # fmt: skip
    ax.tick_params(axis="y", length=0, pad=5)
    ax.spines["left"].set_visible(False)
    ax.grid(axis="x")
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=2, handletextpad=0.3, columnspacing=0.9)
    return panel_label(ax, label)


def accuracy_over_factor(table: pd.DataFrame, ax: Axes, *, factor: str, label: str = "") -> Axes:
    """Top-1 over bins of a factor, with 95% intervals, a curve per style; return ``ax``.

    Args:
        table: of ``breakdowns.factor_bins`` with the column style in front.
        factor: one of ``breakdowns.FACTORS``.

    Raises:
        ActAlignError: missing columns, an unknown factor or too many styles.
    """
    rows = _of_factor(table, factor)
    for place, style in enumerate(_styles(rows)):
        _curve(rows[rows["style"] == style], ax, "accuracy", place=place, label=style)
    ax.set(ylim=(0, 104), ylabel="Top-1 (%)")
    return panel_label(_over_factor(ax, factor), label)


def scores_over_factor(table: pd.DataFrame, ax: Axes, *, factor: str, label: str = "") -> Axes:
    """Mean score of the answer (filled) and of its best rival (hollow) over bins of a factor; return ``ax``.

    Args and errors are those of :func:`accuracy_over_factor`.
    """
    rows = _of_factor(table, factor)
    for place, style in enumerate(_styles(rows)):
        for column in ("score", "rival_score"):
            _curve(rows[rows["style"] == style], ax, column, place=place, hollow=column == "rival_score")
    ax.set(ylabel="Mean score")
    return panel_label(_over_factor(ax, factor), label)


def margin_calibration(table: pd.DataFrame, ax: Axes, *, label: str = "") -> Axes:
    """Top-1 over bins of the lead of the best over the second best score, a curve per style; return ``ax``.

    The legend names each curve's style, and its AUROC where there are right and wrong predictions.

    Args:
        table: of ``breakdowns.calibration`` with the column style in front.

    Raises:
        ActAlignError: missing columns, no rows or too many styles.
    """
    require(table, ["style", "centre", "accuracy", "accuracy_low", "accuracy_high", "auroc"], percent=["accuracy"])
    for place, style in enumerate(_styles(table)):
        rows = table[table["style"] == style]
        auroc = rows["auroc"].iloc[0]
        named = style if np.isnan(auroc) else f"{style}, AUROC {auroc:.2f}"
        _curve(rows, ax, "accuracy", place=place, label=named)
    ax.set(ylim=(0, 104), ylabel="Top-1 (%)", xlabel="Lead: best minus second best score")
    ax.set_xlim(left=0)
    ax.grid(axis="y")
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.29), handletextpad=0.4)
    return panel_label(ax, label)


def sport_confusion(
    table: pd.DataFrame, ax: Axes, *, sports: Sequence[str] | None = None, names: bool = True, label: str = ""
) -> Axes:
    """Of each sport's clips, the share taken for a wrong class, by how its steps differ; return ``ax``.

    Args:
        table: of ``breakdowns.confusion``, of one style.
        sports: the rows, from :func:`sport_order` unless given; all other sports together are one row more.
        names: write the sports on the left.

    Raises:
        ActAlignError: missing columns, no rows or an unknown relation.

    >>> table = pd.DataFrame({"sport": "judo", "relation": ["right", "same steps"], "n": [3, 1]})
    >>> [bar.get_width() for bar in sport_confusion(table, Figure().subplots()).containers[0]]
    [np.float64(25.0)]
    """
    require(table, ["sport", "relation", "n"])
    unknown = sorted(set(table["relation"]) - {"right", *RELATIONS})
    if unknown:
        raise ActAlignError(f"unknown relations {unknown}; the panel knows {list(RELATIONS)}")
    counts = _few_sports(table, sport_order(table) if sports is None else sports)
    total = counts.sum(axis=1)
    left = np.zeros(len(counts))
    for kind, (color, hatch) in zip(RELATIONS, _SHADES, strict=True):
        if kind in counts and counts[kind].any():
            shares = (100 * counts[kind] / total).to_numpy()
            ax.barh(
                range(len(counts)), shares, left=left, height=0.7, color=color, hatch=hatch, edgecolor="white",
                linewidth=0.4, label=kind,
            )  # fmt: skip
            left += shares
    rows = [f"{name} ({total[name]})" if names else "" for name in counts.index]
    ax.set_yticks(range(len(counts)), rows, parse_math=False)
    ax.set(ylim=(len(counts) - 0.5, -0.5), xlim=(0, max(10.0, 1.05 * float(left.max()))), xlabel="Wrong (%)")
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x")
    return panel_label(ax, label)


def error_analysis(
    modes: pd.DataFrame, factors: pd.DataFrame, calibration: pd.DataFrame, *, confusion: pd.DataFrame, figure: Figure
) -> list[Axes]:
    """Modes, accuracy and score over each factor, calibration and confusion by sport; return the axes.

    Args:
        modes, factors, calibration, confusion: see the functions of this module; each with the column style.
        figure: page width, its height from :func:`error_analysis_height_in`.

    Raises:
        ActAlignError: see the functions of this module; no styles, or more than two.
    """
    styles = _styles(modes)
    heights = _heights_in(modes, confusion)
    bands: Any = figure.subfigures(3, 1, height_ratios=heights)
    top, middle, bottom = bands
    letters = iter("abcdefghijklmn")
    axes = list(np.atleast_1d(top.subplots(1, len(styles))))
    for ax, style, name in zip(axes, styles, _cut_apart(styles, _MODE_NAME_IN / len(styles)), strict=True):
        mode_shares(modes[modes["style"] == style], ax, names=ax is axes[0], label=f"({next(letters)}) {name}")
    shown = [factor for factor in FACTORS if factor in set(factors["factor"])]
    grid = middle.subplots(2, len(shown), squeeze=False, sharex="col", sharey="row")
    for place, (row, draw) in enumerate(zip(grid, (accuracy_over_factor, scores_over_factor), strict=True)):
        for ax, factor in zip(row, shown, strict=True):
            draw(factors, ax, factor=factor, label=f"({next(letters)})")
            if ax is not row[0]:
                ax.set_ylabel("")
            if not place:
                ax.set_xlabel("")
    _factor_legend(middle, grid[0][0])
    ends = list(np.atleast_1d(bottom.subplots(1, 1 + len(styles), width_ratios=[1.25] + [1] * len(styles))))
    margin_calibration(calibration, ends[0], label=f"({next(letters)}) accuracy over the lead")
    for ax, style, first in zip(ends[1:], styles, "ab", strict=False):
        label = f"({next(letters)}) sports, as ({first})"
        rows = confusion[confusion["style"] == style]
        sport_confusion(rows, ax, sports=sport_order(confusion), names=ax is ends[1], label=label)
    widest = max(ax.get_xlim()[1] for ax in ends[1:])
    for ax in ends[1:]:
        ax.set_xlim(0, widest)
    handles = {name: bar for ax in ends[1:] for bar, name in zip(*ax.get_legend_handles_labels(), strict=True)}
    if handles:
        kinds = [kind for kind in RELATIONS if kind in handles]
        places = {"loc": "outside lower center", "ncols": len(kinds), "title": "Taken for a class with"}
        bottom.legend([handles[kind] for kind in kinds], kinds, **places)
    return [*axes, *grid.ravel(), *ends]


def error_analysis_height_in(modes: pd.DataFrame, confusion: pd.DataFrame) -> float:
    """Height in inches of a figure for :func:`error_analysis`.

    >>> modes = pd.DataFrame({"style": "terse", "label": ["tie", "none of these"]})
    >>> 4 < error_analysis_height_in(modes, pd.DataFrame({"sport": ["judo"]})) < 7
    True
    """
    return sum(_heights_in(modes, confusion))


def _heights_in(modes: pd.DataFrame, confusion: pd.DataFrame) -> list[float]:
    rows = len(modes) // max(1, modes["style"].nunique())
    sports = min(confusion["sport"].nunique(), MOST_SPORTS + 1)
    return [rows * _MODE_ROW_IN + 0.75, 2 * _FACTOR_IN + 0.55, max(1.5, sports * ROW_IN + 0.4) + 0.55]


def _styles(table: pd.DataFrame) -> Sequence[str]:
    styles = list(dict.fromkeys(table["style"]))
    if not 0 < len(styles) <= MOST_STYLES:
        raise ActAlignError(f"the figure has room for one or two styles; got {styles}: select some")
    return styles


def _of_factor(table: pd.DataFrame, factor: str) -> pd.DataFrame:
    values = [f"{name}{end}" for name in ("accuracy", "score", "rival_score") for end in ("", "_low", "_high")]
    require(table, ["style", "factor", "centre", *values], percent=["accuracy"])
    if factor not in FACTORS or factor not in set(table["factor"]):
        raise ActAlignError(f"there is no factor {factor!r}; there are {sorted(set(table['factor']))}")
    return table[table["factor"] == factor]


def _curve(
    rows: pd.DataFrame, ax: Axes, column: str, *, place: int, hollow: bool = False, label: str | None = None
) -> None:
    color, marker, dashes = _STYLES[place]
    errors = np.array([rows[column] - rows[f"{column}_low"], rows[f"{column}_high"] - rows[column]], dtype=float)
    ax.errorbar(
        rows["centre"], rows[column], yerr=np.nan_to_num(np.maximum(errors, 0)), color=color, marker=marker,
        linestyle=":" if hollow else dashes, markersize=3.2, markerfacecolor="white" if hollow else color,
        elinewidth=0.7, linewidth=0.9, label=label, clip_on=False,
    )  # fmt: skip


def _over_factor(ax: Axes, factor: str) -> Axes:
    ax.set_xlabel(FACTORS[factor])
    ax.xaxis.set_major_locator(MaxNLocator(4, integer=factor in ("steps", "path"), min_n_ticks=1))
    ax.margins(x=0.12)
    ax.grid(axis="y")
    return ax


def _cut_apart(names: Sequence[str], width_in: float) -> list[str]:
    """Each name on a line, cut at its end, or at its beginning where only the ends tell the names apart."""
    cut = [cut_to_width(name, width_in, size_pt=7.0) for name in names]
    if len(set(cut)) == len(cut):
        return cut
    return [cut_to_width(name[::-1], width_in, size_pt=7.0)[::-1] for name in names]


def _factor_legend(figure: SubFigure, ax: Axes) -> None:
    handles, names = ax.get_legend_handles_labels()
    kinds = [
        ax.plot([], [], color=GREY, marker="o", markersize=3.2, markerfacecolor=face, linestyle=dashes)[0]
        for face, dashes in ((GREY, "-"), ("white", ":"))
    ]
    names = [*names, "score of the answer", "of its best rival"]
    figure.legend([*handles, *kinds], names, loc="outside lower center", ncols=len(names))


def sport_order(table: pd.DataFrame) -> list[str]:
    """The sports with the largest share of wrong predictions first, over all styles; 12 where there are more than 13.

    >>> sport_order(pd.DataFrame({"sport": ["judo", "golf"], "relation": ["right", "same steps"], "n": 1}))
    ['golf', 'judo']
    """
    total = table.groupby("sport")["n"].sum()
    right = table[table["relation"] == "right"].groupby("sport")["n"].sum().reindex(total.index, fill_value=0)
    ordered = sorted(total.index, key=lambda sport: (right[sport] / total[sport], sport))
    return ordered if len(ordered) <= MOST_SPORTS + 1 else ordered[:MOST_SPORTS]


def _few_sports(table: pd.DataFrame, sports: Sequence[str]) -> pd.DataFrame:
    """Clips by sport and relation, in the order of ``sports``, the other sports as one row."""
    counts = table.pivot_table("n", "sport", "relation", aggfunc="sum", fill_value=0)
    shown = counts.reindex(list(sports), fill_value=0)
    rest = counts.drop(index=list(sports), errors="ignore")
    if rest.empty:
        return shown
    return pd.concat([shown, rest.sum().to_frame(f"{len(rest)} other sports").T])
