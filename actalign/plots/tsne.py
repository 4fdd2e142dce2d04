"""Sub-action embeddings in the plane, coloured by sport (paper, Fig. 5)."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.legend import Legend
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from actalign.errors import ActAlignError
from actalign.plots.figure import INK, MARKERS, NARROW_IN, OKABE_ITO, panel_label
from actalign.report import true_minus

SHOWN_SPORTS = len(OKABE_ITO)
OTHERS = "#B3B3B3"
_LETTER_IN, _KEY_IN, _LINE_IN = 0.055, 0.3, 0.135  # of a legend in 6.5 pt: a letter, a marker with its gaps, a line


def tsne(
    points_n2: NDArray[Any],
    sports: Sequence[str],
    ax: Axes,
    *,
    label: str = "",
    silhouette: float | None = None,
    legend: bool = True,
) -> Axes:
    """Scatter ``points_n2`` (N, 2), a colour and a marker per sport (N,), legend to the right; return ``ax``.

    Of more than eight sports, the eight with most points have a colour and the others are grey dots: nobody tells
    more than eight colours apart. t-SNE axes carry no unit and no direction, so they have no ticks.

    Raises:
        ActAlignError: points and sports do not match.

    >>> ax = tsne(np.zeros((2, 2)), ["golf", "tennis"], Figure().subplots(), label="(a) steps", silhouette=0.25)
    >>> ax.texts[0].get_text()
    '(a) steps, silhouette 0.25'
    """
    points = np.asarray(points_n2, dtype=float)
    if points.shape != (len(sports), 2) or not len(sports):
        raise ActAlignError(f"points have shape {points.shape} for {len(sports)} sports; give (N, 2), a sport each")
    labels, keys = np.asarray(sports), sport_keys(sports)
    rest = points[~np.isin(labels, list(keys))]
    if len(rest):
        ax.scatter(rest[:, 0], rest[:, 1], s=4, c=OTHERS, marker=".", linewidths=0)
    for name, (color, marker) in keys.items():
        of_sport = points[labels == name]
        ax.scatter(
            of_sport[:, 0], of_sport[:, 1], s=9, c=color, marker=marker, edgecolors=INK, linewidths=0.2, alpha=0.85
        )
    middle, reach = (points.max(axis=0) + points.min(axis=0)) / 2, 0.54 * (np.ptp(points, axis=0).max() or 1.0)
    ax.set(xlim=(middle[0] - reach, middle[0] + reach), ylim=(middle[1] - reach, middle[1] + reach))
    ax.set(xticks=[], yticks=[], aspect="equal", anchor="N")
    ax.spines[["top", "right"]].set_visible(True)
    number = "" if silhouette is None else true_minus(f"silhouette {silhouette:.2f}")
    panel_label(ax, ("\n" if _narrow(ax.figure) else ", ").join(part for part in (label, number) if part))
    if legend:
        _as_written(
            ax.legend(handles=_handles(sports), loc="center left", bbox_to_anchor=(1.0, 0.5), borderaxespad=0.5)
        )
    return ax


def tsne_pair(
    without: tuple[NDArray[Any], float],
    with_context: tuple[NDArray[Any], float],
    figure: Figure | SubFigure,
    *,
    sports: Sequence[str],
) -> list[Axes]:
    """Both panels of Fig. 5: (points, silhouette) of the steps alone and "in {sport}", one legend below.

    >>> points = np.array([[0.0, 0.0], [1.0, 1.0]])
    >>> len(tsne_pair((points, 0.1), (points, 0.4), Figure(layout="constrained"), sports=["golf", "tennis"]))
    2
    """
    axes = list(figure.subplots(1, 2))
    for ax, (points, silhouette), label in zip(
        axes, (without, with_context), ("(a) steps alone", "(b) steps in their sport"), strict=True
    ):
        tsne(points, sports, ax, label=label, silhouette=silhouette, legend=False)
    columns = _legend_columns(sports, figure.bbox.width / figure.dpi)
    _as_written(
        figure.legend(
            handles=_handles(sports), loc="outside lower center", ncols=columns, columnspacing=1.2, handletextpad=0.2
        )
    )
    return axes


def _as_written(legend: Legend) -> None:
    """Keep the dollar signs of names."""
    for text in legend.get_texts():
        text.set_parse_math(False)


def tsne_pair_height_in(width_in: float, *, sports: Sequence[str]) -> float:
    """Height in inches that ``tsne_pair`` fills at that width: two squares, their labels and the legend.

    >>> round(tsne_pair_height_in(6.9, sports=["golf", "tennis"]), 2)
    3.79
    """
    lines = -(-len(_legend_names(sports)) // _legend_columns(sports, width_in))
    return width_in / 2 + (0.21 if width_in >= NARROW_IN else 0.32) + lines * _LINE_IN


def sport_keys(sports: Sequence[str]) -> dict[str, tuple[str, str]]:
    """(colour, marker) of each sport in alphabetical order; of more than eight, of the eight that occur most often.

    >>> sport_keys(["tennis", "golf"])
    {'golf': ('#0072B2', 'o'), 'tennis': ('#D55E00', 's')}
    """
    counts = Counter(sports)
    shown = sorted(sorted(counts, key=lambda name: (-counts[name], name))[:SHOWN_SPORTS])
    return dict(zip(shown, zip(OKABE_ITO, MARKERS, strict=True), strict=False))


def _legend_names(sports: Sequence[str]) -> list[str]:
    shown = list(sport_keys(sports))
    others = len(set(sports)) - len(shown)
    return [*shown, f"{others} other sport{'s' if others > 1 else ''}"] if others else shown


def _legend_columns(sports: Sequence[str], width_in: float) -> int:
    """How many columns of names fit side by side, filled from top to bottom as matplotlib does."""
    lengths = np.array([len(name) for name in _legend_names(sports)])
    for columns in range(len(lengths), 1, -1):
        needed = (part.max() * _LETTER_IN + _KEY_IN for part in np.array_split(lengths, columns))
        if sum(needed) <= width_in:
            return columns
    return 1


def _narrow(figure: Figure | SubFigure) -> bool:
    return bool(figure.bbox.width / figure.dpi < NARROW_IN)


def _handles(sports: Sequence[str]) -> list[Line2D]:
    keys = sport_keys(sports)
    shown = [
        Line2D([], [], linestyle="", color=color, marker=marker, markersize=4, markeredgecolor=INK,
               markeredgewidth=0.2, label=name)
        for name, (color, marker) in keys.items()
    ]  # fmt: skip
    others = [
        Line2D([], [], linestyle="", color=OTHERS, marker=".", markersize=4, markeredgewidth=0, label=name)
        for name in _legend_names(sports)[len(keys) :]
    ]
    return [*shown, *others]
