"""What the moving average does to the map and to the accuracy (paper, Fig. 7 and Eq. 7)."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D
from matplotlib.transforms import ScaledTranslation
from numpy.typing import NDArray

from actalign.errors import ActAlignError
from actalign.plots.figure import GREEN, GREY, NARROW_IN, OKABE_ITO, PAGE_WIDTH_IN, panel_label
from actalign.plots.heat_map import MapPanel, candidates_height_in, heat_map
from actalign.plots.scales import color_bar, color_scale
from actalign.plots.step_labels import WRAP, fit_step_labels
from actalign.plots.tables import require

PAPER_WIDTH_FRAMES = 30
_LEGEND_IN = 0.4
_TALLEST_MAPS_IN = 4.2
_CURVE_IN = 2.4  # the least that the curve needs
_CURVE_TO_MAPS = 0.7  # of their heights, in a column
_SPLITS = (("validation", OKABE_ITO[1], "s", "--"), ("test", OKABE_ITO[0], "o", "-"))


def accuracy_over_width(
    table: pd.DataFrame,
    ax: Axes,
    *,
    frame_rate: float,
    chosen_width: int | None = None,
    chance: float | None = None,
    label: str = "",
) -> Axes:
    """Top-1 with 95% intervals over the width w, per split; w in frames below and in seconds above; return ``ax``.

    Args:
        table: columns split ("validation", "test"), width (frames, 1 = off), top1, top1_low, top1_high (percent).
        frame_rate: frames per second, for the upper axis.
        chosen_width: the w chosen on validation; marked, as the paper's 30 is.
        chance: Top-1 of guessing in percent, as a line.

    Raises:
        ActAlignError: missing columns, fractions for percent, an unknown split or a frame rate of 0 or less.

    >>> rows = pd.DataFrame({"split": "test", "width": [1, 15], "top1": [80, 78], "top1_low": [76, 74],
    ...                      "top1_high": [84, 82]})
    >>> accuracy_over_width(rows, Figure().subplots(), frame_rate=15).get_xlabel()
    'Smoothing width w (frames; 1 = off)'
    """
    require(table, ["split", "width", "top1", "top1_low", "top1_high"], percent=["top1"])
    unknown = sorted(set(table["split"]) - {name for name, *_ in _SPLITS})
    if unknown:
        raise ActAlignError(f"unknown split {unknown}; the curve knows {[name for name, *_ in _SPLITS]}")
    if not frame_rate > 0:
        raise ActAlignError(f"frame_rate is {frame_rate}; give the frames per second of the clips")
    present = [key for key in _SPLITS if key[0] in set(table["split"])]
    shift = 0.008 * (table["width"].max() - table["width"].min())
    curves = []
    for place, (split, color, marker, dashes) in enumerate(present):
        rows = table[table["split"] == split].sort_values("width")
        errors = np.array([rows["top1"] - rows["top1_low"], rows["top1_high"] - rows["top1"]], dtype=float)
        curve = ax.errorbar(
            rows["width"] + shift * (2 * place - len(present) + 1), rows["top1"], yerr=np.maximum(errors, 0),
            color=color, marker=marker, linestyle=dashes, elinewidth=0.7, label=split,
        )  # fmt: skip
        curves.append(curve)
    guessing = []
    if chance is not None:
        guessing = [ax.axhline(chance, color=GREY, linestyle="--", linewidth=0.8, label=f"chance, {chance:.3g}%")]
    marks = _mark_widths(ax, {"chosen on validation": chosen_width, "paper": PAPER_WIDTH_FRAMES})
    ax.set(xlabel="Smoothing width w (frames; 1 = off)", ylabel="Top-1 accuracy (%)")
    ax.grid(axis="y")
    to_seconds, to_frames = partial(np.multiply, 1 / frame_rate), partial(np.multiply, frame_rate)
    seconds = ax.secondary_xaxis("top", functions=(to_seconds, to_frames))
    seconds.set_xlabel("w (seconds)", loc="right")  # the panel's label stands on the left
    seconds.tick_params(length=2.5)
    below = ax.transAxes + ScaledTranslation(0, -24 / 72, ax.figure.dpi_scale_trans)
    ax.legend(
        handles=[*curves, *guessing, *marks], loc="upper center", bbox_to_anchor=(0.5, 0), bbox_transform=below,
        ncols=2, columnspacing=1.2,
    )  # fmt: skip
    return panel_label(ax, label, above_pt=15)


def smoothing(
    panels: Sequence[MapPanel],
    table: pd.DataFrame,
    figure: Figure | SubFigure,
    *,
    times_s: NDArray[Any],
    frame_rate: float,
    chosen_width: int | None = None,
    chance: float | None = None,
    gamma: float = 1.0,
    wrap: int = WRAP,
) -> list[Axes]:
    """Fig. 7: the maps before and after smoothing on one colour scale, and the accuracy over w beside them.

    Args:
        panels: two maps of one clip and one script, before and after; labelled by their own labels.
        table: see ``accuracy_over_width``.
        figure: its left part holds the maps, its right part the curve; in a column the curve stands below.

    Raises:
        ActAlignError: not two maps of one shape, or see ``heat_map`` and ``accuracy_over_width``.
    """
    if len(panels) != 2 or panels[0].affinity_kt.shape != panels[1].affinity_kt.shape:
        shapes = [panel.affinity_kt.shape for panel in panels]
        raise ActAlignError(f"give two maps of one shape, before and after smoothing; got {shapes}")
    scale = color_scale((panel.affinity_kt for panel in panels), gamma=gamma)
    maps, curve = _axes(figure, _heights_in(panels, wrap))
    for panel, ax in zip(panels, maps, strict=True):
        heat_map(
            panel.affinity_kt, panel.alignment, ax, steps=panel.steps, times_s=times_s, scale=scale,
            label=panel.label, boundaries_s=panel.boundaries_s, wrap=wrap, max_lines=1,
        )  # fmt: skip
    maps[0].set_xlabel("")
    maps[0].tick_params(axis="x", labelbottom=False)
    color_bar(maps, scale=scale)
    accuracy_over_width(
        table, curve, frame_rate=frame_rate, chosen_width=chosen_width, chance=chance, label="(c) accuracy"
    )
    for panel, ax in zip(panels, maps, strict=True):
        fit_step_labels(ax, panel.steps, wrap=wrap)
    return [*maps, curve]


def smoothing_height_in(panels: Sequence[MapPanel], *, width_in: float = PAGE_WIDTH_IN, wrap: int = WRAP) -> float:
    """Height in inches for ``smoothing`` at that width: for every step in full, but no more than a figure should take.

    It is never less than the curve needs. What does not fit of the steps is cut.
    """
    if width_in < NARROW_IN:
        return sum(_heights_in(panels, wrap))
    return min(max(candidates_height_in(panels, wrap=wrap) + _LEGEND_IN, _CURVE_IN), _TALLEST_MAPS_IN)


def _heights_in(panels: Sequence[MapPanel], wrap: int) -> tuple[float, float]:
    """Of the maps and of the curve below them, in a column."""
    maps_in = min(candidates_height_in(panels, wrap=wrap), _TALLEST_MAPS_IN)
    return maps_in, max(_CURVE_TO_MAPS * maps_in, _CURVE_IN)


def _axes(figure: Figure | SubFigure, heights_in: tuple[float, float]) -> tuple[list[Axes], Axes]:
    """Those of the two maps and that of the curve."""
    if figure.bbox.width / figure.dpi < NARROW_IN:
        parts = figure.subfigures(2, 1, squeeze=False, height_ratios=heights_in)  # each with its own margins
        return list(parts[0, 0].subplots(2, 1)), parts[1, 0].subplots()
    grid = figure.add_gridspec(2, 2, width_ratios=[1.25, 1])
    return [figure.add_subplot(grid[row, 0]) for row in range(2)], figure.add_subplot(grid[:, 1])


def _mark_widths(ax: Axes, widths: dict[str, int | None]) -> list[Line2D]:
    """A vertical line, named in the legend, for each width that is given; equal widths share the first one's."""
    looks = dict(zip(widths, ((GREEN, "-."), (GREY, ":")), strict=True))
    named: dict[int, list[str]] = {}
    for name, width in widths.items():
        if width is not None:
            named.setdefault(width, []).append(name)
    return [
        ax.axvline(
            width, color=looks[names[0]][0], linewidth=1.0, linestyle=looks[names[0]][1], zorder=0,
            label=f"{' = '.join(names)}, w = {width}",
        )
        for width, names in named.items()
    ]  # fmt: skip
