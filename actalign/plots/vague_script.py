"""One clip, one class, two scripts: what a vague wording costs (paper, Fig. 6)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from numpy.typing import NDArray

from actalign.errors import ActAlignError
from actalign.plots.figure import BLUE, GREY, INK, NARROW_IN, PAGE_HEIGHT_IN, PAGE_WIDTH_IN
from actalign.plots.heat_map import MapPanel, heat_map
from actalign.plots.lettering import fitted_lines, text_width_in
from actalign.plots.scales import color_bar, color_scale
from actalign.plots.step_labels import WRAP, fit_step_labels, rows_height_in
from actalign.report import score_text

NAME_IN = 1.4
MOST_RANKED = 15
"""Candidates of a question that are drawn: the best, and the right one in place of the last if it is not among them."""
_NAME_PT = 6.5
_LINE_IN = 0.125  # a line of a candidate's name
_ROOM_PT = 72 / 1.5  # the size of letters that a row of one inch has room for
_AXIS_IN, _LABEL_IN = 0.42, 0.2


@dataclass(frozen=True, eq=False)
class ScriptPanel:
    """The map of the right class under one prompt style, and how that style ranked the candidates.

    ``candidates`` (C,) are names, ``scores`` (C,) their path-normalised scores (paper, Eq. 13) and
    ``answer`` the index of the right one.

    Raises:
        ActAlignError: a score per candidate is missing, or the answer is not one of them.

    >>> panel = MapPanel("(a) short-fixed", np.ones((2, 5)), None, steps=("toss", "hit"))
    >>> ScriptPanel(panel, ("serve", "lob"), np.array([0.1, 0.3]), answer=0).foremost().candidates
    ('lob', 'serve')
    """

    map: MapPanel
    candidates: tuple[str, ...]
    scores: NDArray[Any]
    answer: int

    def __post_init__(self) -> None:
        _check_ranking(self.candidates, self.scores, self.answer)

    def foremost(self) -> "ScriptPanel":
        """The same with no more than ``MOST_RANKED`` candidates."""
        best = np.argsort(-np.asarray(self.scores), kind="stable")[:MOST_RANKED]
        if self.answer not in best:
            best[-1] = self.answer
        names, answer = tuple(self.candidates[i] for i in best), best.tolist().index(self.answer)
        return replace(self, candidates=names, scores=np.asarray(self.scores)[best], answer=answer)


def ranking(
    candidates: Sequence[str],
    scores: NDArray[Any],
    ax: Axes,
    *,
    answer: int,
    label: str = "Score (Eq. 13)",
    row_in: float = 0.25,
) -> Axes:
    """Horizontal bars of the candidates' scores, best on top, the right one blue, bold and named so; return ``ax``.

    Names are wrapped at ``NAME_IN`` inches and cut to the lines that a row of ``row_in`` inches has room for; where it
    has not room for one, letters shrink.

    Raises:
        ActAlignError: a score per candidate is missing, or the answer is not one of them.

    >>> ax = ranking(["serve", "lob"], np.array([0.1, 0.3]), Figure().subplots(), answer=0)
    >>> [text.get_text() for text in ax.get_yticklabels()]
    ['lob', 'serve (right)']
    """
    _check_ranking(candidates, scores, answer)
    order = np.argsort(-np.asarray(scores), kind="stable")
    values = np.asarray(scores, dtype=float)[order]
    lines = max(1, int(row_in / _LINE_IN))
    names = ["\n".join(_fitted(candidates[i], is_answer=i == answer, max_lines=lines)) for i in order]
    ax.barh(
        range(len(order)), values, height=0.66, color=[BLUE if i == answer else "#BFBFBF" for i in order],
        edgecolor=INK, linewidth=0.4,
    )  # fmt: skip
    for place, value in enumerate(values):  # right of the bar or of zero: on the left stand the names
        ax.annotate(
            score_text(value), (max(value, 0.0), place), xytext=(2, 0), textcoords="offset points", va="center",
            fontsize=min(6, row_in * _ROOM_PT),
        )  # fmt: skip
    ax.set_yticks(range(len(order)), names, linespacing=1.1, parse_math=False)
    for i, text in zip(order, ax.get_yticklabels(), strict=True):
        text.set_fontweight("bold" if i == answer else "normal")
    ax.set(ylim=(len(order) - 0.4, -0.6), xlabel=label, xlim=_room_for_numbers(values))
    ax.tick_params(axis="y", length=0, labelsize=min(_NAME_PT, row_in * _ROOM_PT))
    if values.min() < 0:
        ax.axvline(0, color=GREY, linewidth=0.6)
    return ax


def vague_script(
    panels: Sequence[ScriptPanel],
    figure: Figure | SubFigure,
    *,
    times_s: NDArray[Any],
    gamma: float = 1.0,
    wrap: int = WRAP,
) -> list[Axes]:
    """Fig. 6: a row per prompt style, its map on the left (one colour scale) and its ranking on the right (one axis).

    In a column, the ranking stands below its map. Returns the axes, for each style the map, then the ranking.
    ``vague_script_height_in`` says how tall the figure should be.

    Raises:
        ActAlignError: no panels, or shapes that do not fit each other.
    """
    if not panels:
        raise ActAlignError("there are no panels to draw; give one per prompt style")
    asked = max(len(panel.candidates) for panel in panels)
    label = "Score (Eq. 13)" + (f", {MOST_RANKED} of {asked}" if asked > MOST_RANKED else "")
    panels = [panel.foremost() for panel in panels]
    scale = color_scale((panel.map.affinity_kt for panel in panels), gamma=gamma)
    narrow = figure.bbox.width / figure.dpi < NARROW_IN
    axes = _stacked(panels, figure, wrap) if narrow else _side_by_side(panels, figure, wrap)
    needed_in = _needed_in(panels, wrap, narrow=narrow)
    squeezed = min(1.0, figure.bbox.height / figure.dpi / needed_in)
    for panel, (left, right) in zip(panels, axes, strict=True):
        heat_map(
            panel.map.affinity_kt, panel.map.alignment, left, steps=panel.map.steps, times_s=times_s, scale=scale,
            label=panel.map.label, boundaries_s=panel.map.boundaries_s, wrap=wrap, max_lines=1,
        )  # fmt: skip
        row_in = squeezed * (_ranking_in(panel) if narrow else _map_in(panel, wrap)) / len(panel.candidates)
        ranking(panel.candidates, panel.scores, right, answer=panel.answer, label=label, row_in=row_in)
        if asked > MOST_RANKED:
            right.set_xlabel(label, loc="right")  # longer, it would leave the page
    _share_range([right for _, right in axes])
    for left, right in () if narrow else axes[:-1]:
        left.set_xlabel("")
        left.tick_params(axis="x", labelbottom=False)
        right.set_xlabel("")
        right.tick_params(axis="x", labelbottom=False)
    color_bar([left for left, _ in axes], scale=scale)
    for panel, (left, _) in zip(panels, axes, strict=True):
        fit_step_labels(left, panel.map.steps, wrap=wrap)
    return [ax for row in axes for ax in row]


def vague_script_height_in(
    panels: Sequence[ScriptPanel], *, width_in: float = PAGE_WIDTH_IN, wrap: int = WRAP
) -> float:
    """Height in inches for ``vague_script`` to show every step in full at that width, and at most a page's."""
    return min(_needed_in([panel.foremost() for panel in panels], wrap, narrow=width_in < NARROW_IN), PAGE_HEIGHT_IN)


def _needed_in(panels: Sequence[ScriptPanel], wrap: int, *, narrow: bool) -> float:
    if narrow:
        return sum(_map_in(panel, wrap) + _ranking_in(panel) + 2 * _AXIS_IN + _LABEL_IN for panel in panels)
    return sum(_map_in(panel, wrap) + _LABEL_IN for panel in panels) + _AXIS_IN


def _side_by_side(panels: Sequence[ScriptPanel], figure: Figure | SubFigure, wrap: int) -> list[tuple[Axes, Axes]]:
    heights = [_map_in(panel, wrap) for panel in panels]
    grid = figure.add_gridspec(len(panels), 2, width_ratios=[2.2, 1], height_ratios=heights)
    return [(figure.add_subplot(grid[row, 0]), figure.add_subplot(grid[row, 1])) for row in range(len(panels))]


def _stacked(panels: Sequence[ScriptPanel], figure: Figure | SubFigure, wrap: int) -> list[tuple[Axes, Axes]]:
    heights = [height for panel in panels for height in (_map_in(panel, wrap), _ranking_in(panel))]
    grid = figure.add_gridspec(len(heights), 1, height_ratios=heights)
    axes = [figure.add_subplot(grid[row]) for row in range(len(heights))]
    return list(zip(axes[::2], axes[1::2], strict=True))


def _map_in(panel: ScriptPanel, wrap: int) -> float:
    return max(rows_height_in(panel.map.steps, wrap=wrap), len(panel.candidates) * _LINE_IN)


def _ranking_in(panel: ScriptPanel) -> float:
    """A line for each name, two where one is long."""
    lines = min(2, max(len(_fitted(name, is_answer=True)) for name in panel.candidates))
    return len(panel.candidates) * (lines * _LINE_IN + 0.04)


def _fitted(candidate: str, *, is_answer: bool, max_lines: int | None = None) -> list[str]:
    """The name in lines of ``NAME_IN`` inches, with "(right)" at the end of the last where it is the answer."""
    weight = "bold" if is_answer else "normal"
    whole = fitted_lines(f"{candidate} (right)" if is_answer else candidate, NAME_IN, size_pt=_NAME_PT, weight=weight)
    if max_lines is None or len(whole) <= max_lines:
        return whole
    if not is_answer:
        return fitted_lines(candidate, NAME_IN, size_pt=_NAME_PT, max_lines=max_lines)
    room_in = NAME_IN - text_width_in(" (right)", size_pt=_NAME_PT, weight=weight)
    *first, last = fitted_lines(candidate, room_in, size_pt=_NAME_PT, weight=weight, max_lines=max_lines)
    return [*first, f"{last} (right)"]


def _share_range(axes: Sequence[Axes]) -> None:
    """One range for all, so that equal scores are equally long bars."""
    lows, highs = zip(*(ax.get_xlim() for ax in axes), strict=True)
    for ax in axes:
        ax.set_xlim(min(lows), max(highs))


def _room_for_numbers(values: NDArray[Any]) -> tuple[float, float]:
    low, high = min(0.0, float(values.min())), max(0.0, float(values.max()))
    span = (high - low) or 1.0
    return low, high + 0.3 * span


def _check_ranking(candidates: Sequence[str], scores: NDArray[Any], answer: int) -> None:
    if np.shape(scores) != (len(candidates),) or not np.isfinite(scores).all():
        raise ActAlignError(f"{len(candidates)} candidates but scores {scores!r}; give one finite score each")
    if not 0 <= answer < len(candidates):
        raise ActAlignError(f"answer {answer} is not one of the {len(candidates)} candidates (0-based)")
