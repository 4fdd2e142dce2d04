"""One clip, one class, two scripts: what a vague wording costs (paper, Fig. 6)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from numpy.typing import NDArray

from actalign.errors import ActAlignError
from actalign.plots.figure import BLUE, GREY, INK
from actalign.plots.heat_map import MapPanel, candidates_height_in, heat_map
from actalign.plots.scales import AFFINITY_LABEL, color_bar, color_scale
from actalign.plots.step_labels import WRAP, fit_step_labels, rows_height_in


@dataclass(frozen=True, eq=False)
class ScriptPanel:
    """The map of the right class under one prompt style, and how that style ranked the candidates.

    ``candidates`` (C,) are names, ``scores`` (C,) their path-normalised scores (paper, Eq. 13) and
    ``answer`` the index of the right one.

    Raises:
        ActAlignError: a score per candidate is missing, or the answer is not one of them.

    >>> panel = MapPanel("(a) short-fixed", np.ones((2, 5)), None, steps=("toss", "hit"))
    >>> ScriptPanel(panel, ("serve", "lob"), np.array([0.1, 0.3]), answer=0).rank
    2
    """

    map: MapPanel
    candidates: tuple[str, ...]
    scores: NDArray[Any]
    answer: int

    def __post_init__(self) -> None:
        _check_ranking(self.candidates, self.scores, self.answer)

    @property
    def rank(self) -> int:
        """Place of the right candidate, 1 for the best; ties count against it."""
        return int(np.sum(np.asarray(self.scores) >= self.scores[self.answer]))


def ranking(
    candidates: Sequence[str], scores: NDArray[Any], ax: Axes, *, answer: int, label: str = "Score (Eq. 13)"
) -> Axes:
    """Horizontal bars of the candidates' scores, best on top, the true one blue, bold and named so; return ``ax``.

    Raises:
        ActAlignError: a score per candidate is missing, or the answer is not one of them.

    >>> ax = ranking(["serve", "lob"], np.array([0.1, 0.3]), Figure().subplots(), answer=0)
    >>> [text.get_text() for text in ax.get_yticklabels()]
    ['lob', 'serve (true)']
    """
    _check_ranking(candidates, scores, answer)
    order = np.argsort(-np.asarray(scores), kind="stable")
    values = np.asarray(scores, dtype=float)[order]
    names = [f"{candidates[i]} (true)" if i == answer else candidates[i] for i in order]
    bars = ax.barh(
        range(len(order)), values, height=0.66, color=[BLUE if i == answer else "#BFBFBF" for i in order],
        edgecolor=INK, linewidth=0.4,
    )  # fmt: skip
    ax.bar_label(bars, labels=[f"{value:.3g}" for value in values], padding=2, fontsize=6)
    ax.set_yticks(range(len(order)), names)
    for i, text in zip(order, ax.get_yticklabels(), strict=True):
        text.set_fontweight("bold" if i == answer else "normal")
    ax.set(ylim=(len(order) - 0.4, -0.6), xlabel=label, xlim=_room_for_numbers(values))
    ax.tick_params(axis="y", length=0)
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
    value_label: str = AFFINITY_LABEL,
) -> list[Axes]:
    """Fig. 6: a row per prompt style, its map on the left (one colour scale) and its ranking on the right.

    Returns the axes row by row, map then ranking. ``vague_script_height_in`` says how tall the figure should be.

    Raises:
        ActAlignError: no panels, or shapes that do not fit each other.
    """
    if not panels:
        raise ActAlignError("there are no panels to draw; give one per prompt style")
    scale = color_scale((panel.map.affinity_kt for panel in panels), gamma=gamma)
    heights = [rows_height_in(panel.map.steps, wrap=wrap) for panel in panels]
    grid = figure.add_gridspec(len(panels), 2, width_ratios=[2.2, 1], height_ratios=heights)
    axes = [(figure.add_subplot(grid[row, 0]), figure.add_subplot(grid[row, 1])) for row in range(len(panels))]
    for panel, (left, right) in zip(panels, axes, strict=True):
        heat_map(
            panel.map.affinity_kt, panel.map.alignment, left, steps=panel.map.steps, times_s=times_s, scale=scale,
            label=panel.map.label, boundaries_s=panel.map.boundaries_s, wrap=wrap, max_lines=1,
        )  # fmt: skip
        ranking(panel.candidates, panel.scores, right, answer=panel.answer)
    for left, right in axes[:-1]:
        left.set_xlabel("")
        left.tick_params(axis="x", labelbottom=False)
        right.set_xlabel("")
    color_bar([left for left, _ in axes], scale=scale, label=value_label)
    for panel, (left, _) in zip(panels, axes, strict=True):
        fit_step_labels(left, panel.map.steps, wrap=wrap)
    return [ax for row in axes for ax in row]


def vague_script_height_in(panels: Sequence[ScriptPanel], *, wrap: int = WRAP) -> float:
    """Height in inches for ``vague_script`` to show every step in full."""
    return candidates_height_in([panel.map for panel in panels], wrap=wrap)


def _room_for_numbers(values: NDArray[Any]) -> tuple[float, float]:
    low, high = min(0.0, float(values.min())), max(0.0, float(values.max()))
    span = (high - low) or 1.0
    return (low - 0.3 * span if low < 0 else 0.0), high + 0.3 * span


def _check_ranking(candidates: Sequence[str], scores: NDArray[Any], answer: int) -> None:
    if np.shape(scores) != (len(candidates),) or not np.isfinite(scores).all():
        raise ActAlignError(f"{len(candidates)} candidates but scores {scores!r}; give one finite score each")
    if not 0 <= answer < len(candidates):
        raise ActAlignError(f"answer {answer} is not one of the {len(candidates)} candidates (0-based)")
