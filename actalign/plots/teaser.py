"""A clip's frames, and below them the time that the right and a wrong script's steps are given (paper, Fig. 1)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from actalign.captions import pair_spans
from actalign.errors import ActAlignError
from actalign.plots.canvas import DISC_IN, Box, Canvas, spread, step_color, tint
from actalign.plots.figure import BLUE, GREY, INK, VERMILLION
from actalign.plots.film_strip import check_frames, film_strip
from actalign.plots.heat_map import MapPanel
from actalign.plots.lettering import fitted_lines, lines_height_in, most_lines, text_width_in
from actalign.plots.scales import cell_edges
from actalign.records import Alignment
from actalign.report import score_text

_MARGIN_IN, _GUTTER_IN = 0.04, 0.36  # the gutter holds the scale of the lanes
_RULER_IN, _LANE_IN, _RAIL_IN, _GAP_IN = 0.27, 0.46, 0.24, 0.13
_NAME_PT, _STEP_PT, _SCORE_PT = 7.5, 6.0, 9.0
_NUMBER_IN = 0.2  # of the gutter, for a lane's highest affinity
_INDENT_IN, _COLUMN_GAP_IN, _NARROWEST_IN = DISC_IN + 0.05, 0.12, 1.0


def teaser(
    panels: Sequence[MapPanel],
    figure: Figure,
    *,
    frames_thwc: NDArray[Any],
    times_s: NDArray[Any],
    thumbnails: int = 8,
) -> list[Axes]:
    """Fig. 1: the frames in order, and per candidate which step the alignment gives each stretch of time.

    A lane's coloured height is the affinity along its path, frame by frame, on one scale for all lanes; a frame that
    several steps share is divided among them, so that the coloured part is nearly the score times the lane's length.

    Args:
        panels: the right candidate first, then wrong ones, each with its alignment; ``label`` is the class's name.
        frames_thwc: (T, H, W, 3) uint8 pictures of the frames.
        times_s: (T,) seconds.
        thumbnails: how many frames to show, fewer where the clip has fewer.

    Returns:
        The axes of the frames, then one per lane.

    Raises:
        ActAlignError: no panels, one without alignment, shapes that do not fit each other, or a figure lower than
            :func:`teaser_height_in` says.
    """
    times = np.asarray(times_s, dtype=np.float64)
    _check(panels, frames_thwc, times)
    wanted = teaser_height_in(panels, float(figure.get_figwidth()), frames_thwc=frames_thwc, thumbnails=thumbnails)
    canvas = Canvas(figure, needs_in=(2.0, wanted))
    edges = cell_edges(times)
    count, width = min(thumbnails, len(times)), _lane_width(canvas.width_in)
    strip = Box(_GUTTER_IN, _MARGIN_IN, width=width, height=_strip_height(width, frames_thwc, count))
    spans = np.linspace(edges[0], edges[-1], count + 1)
    axes = [film_strip(frames_thwc, canvas.axes(strip, label="frames"), times_s=times, edges_s=spans)]
    _draw_ruler(canvas, strip, times_s=times, edges=edges, boundaries_s=panels[0].boundaries_s)
    highest = max(0.0, *(float(panel.affinity_kt[tuple(_path(panel).T)].max()) for panel in panels)) or 1.0
    top = strip.bottom + _RULER_IN
    for index, panel in enumerate(panels):
        heading = Box(strip.left, top, width=strip.width, height=_heading_height(panel, strip.width))
        lane = Box(strip.left, heading.bottom, width=strip.width, height=_LANE_IN)
        _draw_heading(canvas, heading, panel, right=index == 0, best=_best(panels) == index)
        axes.append(
            _draw_lane(
                canvas.axes(lane, label=panel.label), panel, edges=edges, highest=highest, width_pt=72 * lane.width
            )
        )
        _draw_rail(canvas, lane, panel, edges=edges)
        top = _draw_steps(canvas, lane.left, lane.bottom + _RAIL_IN, steps=panel.steps, width=lane.width) + _GAP_IN
    return axes


def teaser_height_in(
    panels: Sequence[MapPanel], width_in: float, *, frames_thwc: NDArray[Any], thumbnails: int = 8
) -> float:
    """Height in inches that ``teaser`` needs at that width.

    >>> panel, frames = MapPanel("lob", np.ones((1, 4)), None, steps=("toss",)), np.zeros((4, 8, 8, 3), np.uint8)
    >>> teaser_height_in([panel], 6.9, frames_thwc=frames) < teaser_height_in([panel] * 2, 6.9, frames_thwc=frames)
    True
    """
    if thumbnails < 1:
        raise ActAlignError(f"thumbnails is {thumbnails}; show at least 1")
    width = _lane_width(width_in)
    strip = _strip_height(width, frames_thwc, min(thumbnails, len(frames_thwc)))
    lanes = sum(
        _heading_height(panel, width) + _LANE_IN + _RAIL_IN + sum(_rows(panel.steps, width)[1]) + _GAP_IN
        for panel in panels
    )
    return _MARGIN_IN + strip + _RULER_IN + lanes - _GAP_IN + _MARGIN_IN


def _draw_ruler(
    canvas: Canvas, strip: Box, *, times_s: NDArray[Any], edges: NDArray[Any], boundaries_s: Sequence[float]
) -> None:
    ax = canvas.axes(Box(strip.left, strip.bottom + 0.07, width=strip.width, height=0.01), label="time")
    ax.set(xlim=(edges[0], edges[-1]), ylim=(0, 1), yticks=[])
    ax.spines["left"].set_visible(False)
    ax.spines["bottom"].set_color(GREY)
    ax.tick_params(axis="x", color=GREY, labelsize=6, pad=1.5)
    ax.locator_params(axis="x", nbins=max(3, int(strip.width * 1.6)))
    low, high = edges[0], edges[-1]
    ticks = [float(tick) for tick in ax.get_xticks() if times_s[0] <= tick <= times_s[-1]] or [float(times_s[0])]
    ax.set_xticks(ticks, [f"{tick:g} s" if tick == ticks[-1] else f"{tick:g}" for tick in ticks])
    places = [strip.left + strip.width * (second - low) / (high - low) for second in boundaries_s]
    canvas.ax.plot(
        places, [strip.bottom + 0.035] * len(places), "v", color=INK, markersize=3.2, markeredgewidth=0,
        gid="boundaries",
    )  # fmt: skip


def _draw_heading(canvas: Canvas, box: Box, panel: MapPanel, *, right: bool, best: bool) -> None:
    color, mark, kind = (BLUE, "✓", "right") if right else (VERMILLION, "✗", "wrong")
    base = box.top + lines_height_in(1, size_pt=_SCORE_PT) * 0.85
    canvas.text(box.left, base, mark, va="baseline", fontsize=_SCORE_PT, color=color, fontweight="bold")
    lines = fitted_lines(f"{kind}: {panel.label}", _name_width(box.width), size_pt=_NAME_PT, weight="bold")
    for number, line in enumerate(lines):
        y = base + lines_height_in(number, size_pt=_NAME_PT)
        canvas.text(box.left + 0.14, y, line, va="baseline", fontsize=_NAME_PT, fontweight="bold")
    score = canvas.text(
        box.right, base, score_text(_alignment(panel).score), ha="right", va="baseline", fontsize=_SCORE_PT,
        fontweight="bold" if best else "normal",
    )  # fmt: skip
    canvas.ax.annotate(
        "score\N{NO-BREAK SPACE}", (0, 0), xycoords=score, ha="right", va="bottom", fontsize=_STEP_PT, color=GREY,
        annotation_clip=False,
    )  # fmt: skip


def _draw_lane(ax: Axes, panel: MapPanel, *, edges: NDArray[Any], highest: float, width_pt: float) -> Axes:
    path = _path(panel)
    lefts, rights = pair_spans(path, edges)
    heights = panel.affinity_kt[path[:, 0], path[:, 1]] / highest
    spans_pt = _step_spans(panel, edges) * width_pt
    for step in range(len(panel.steps)):
        own = path[:, 0] == step
        start, end, color = lefts[own].min(), rights[own].max(), step_color(step)
        ax.axvspan(start, end, facecolor=tint(color), edgecolor="none", zorder=1)
        outline = np.repeat(heights[own], 2), np.column_stack([lefts[own], rights[own]]).ravel()
        ax.fill_between(outline[1], 0, outline[0], facecolor=color, edgecolor="none", linewidth=0, zorder=2)
        if step:
            narrower_pt = float(np.diff(spans_pt[step - 1 : step + 1]).min())
            ax.axvline(start, color="white", linewidth=min(1.0, 0.25 * narrower_pt), zorder=3)
    for second in panel.boundaries_s:
        ax.axvline(second, color=INK, linewidth=0.7, linestyle=(0, (2, 2)), zorder=4, gid="boundary")
    ax.set(xlim=(edges[0], edges[-1]), ylim=(0, 1), xticks=[], yticks=[0, 1])
    number = f"{highest:.2g}"
    size_pt = _STEP_PT * min(1.0, _NUMBER_IN / text_width_in(number, size_pt=_STEP_PT))
    zero, one = ax.set_yticklabels(["0", number], fontsize=size_pt)
    zero.set_verticalalignment("bottom")
    one.set_verticalalignment("top")
    ax.tick_params(axis="y", length=1.5, pad=1)
    ax.set_ylabel("Affinity", fontsize=_STEP_PT)
    ax.yaxis.set_label_coords(-0.25 / (width_pt / 72), 0.5)
    return ax


def _draw_rail(canvas: Canvas, lane: Box, panel: MapPanel, *, edges: NDArray[Any]) -> None:
    """The steps' numbers, each below the middle of its stretch or as near as there is room."""
    middles = lane.left + lane.width * _step_spans(panel, edges).mean(axis=1)
    half = DISC_IN / 2
    centres = spread(middles, apart=DISC_IN + 0.02, low=lane.left + half, high=lane.right - half)
    y = lane.bottom + _RAIL_IN - 0.05 - half
    for step, (middle, centre) in enumerate(zip(middles, centres, strict=True)):
        color = step_color(step)
        canvas.line([middle, centre, centre], [lane.bottom + 0.01, y - half, y], color=color)
        canvas.disc(centre, y, step + 1, color=color)


def _draw_steps(canvas: Canvas, left: float, top: float, *, steps: Sequence[str], width: float) -> float:
    """The numbered texts in rows from left to right; returns where they end."""
    columns, heights = _rows(steps, width)
    column = _column_width(width, columns)
    for index, step in enumerate(steps):
        row, place = divmod(index, columns)
        x, y = left + place * (column + _COLUMN_GAP_IN), top + sum(heights[:row])
        canvas.disc(x + DISC_IN / 2, y + 0.075, index + 1, color=step_color(index))
        lines = fitted_lines(step, column - _INDENT_IN, size_pt=_STEP_PT)
        canvas.text(x + _INDENT_IN, y + 0.025, "\n".join(lines), fontsize=_STEP_PT)
    return top + sum(heights)


def _rows(steps: Sequence[str], width: float) -> tuple[int, list[float]]:
    """Columns in which the texts stand lowest, the more the better, and the heights of their rows in inches."""
    most = max(1, min(len(steps), int((width + _COLUMN_GAP_IN) / (_NARROWEST_IN + _COLUMN_GAP_IN))))
    options = []
    for columns in range(most, 0, -1):
        room = _column_width(width, columns) - _INDENT_IN
        rows = [steps[start : start + columns] for start in range(0, len(steps), columns)]
        heights = [
            max(lines_height_in(most_lines(row, room, size_pt=_STEP_PT), size_pt=_STEP_PT), DISC_IN) + 0.05
            for row in rows
        ]
        options.append((columns, heights))
    return min(options, key=lambda option: round(sum(option[1]), 6))


def _step_spans(panel: MapPanel, edges: NDArray[Any]) -> NDArray[np.float64]:
    """Where each step's stretch begins and ends (K, 2), as shares of the clip."""
    path = _path(panel)
    lefts, rights = pair_spans(path, edges)
    steps = range(len(panel.steps))
    spans = np.array([(lefts[path[:, 0] == step].min(), rights[path[:, 0] == step].max()) for step in steps])
    return (spans - edges[0]) / (edges[-1] - edges[0])


def _column_width(width: float, columns: int) -> float:
    return (width - _COLUMN_GAP_IN * (columns - 1)) / columns


def _lane_width(width_in: float) -> float:
    return width_in - _GUTTER_IN - _MARGIN_IN


def _strip_height(width: float, frames_thwc: NDArray[Any], count: int) -> float:
    height, across = frames_thwc.shape[1:3]
    return width / max(count, 1) * height / across


def _name_width(width: float) -> float:
    return (
        width
        - 0.14
        - text_width_in("0.0000", size_pt=_SCORE_PT, weight="bold")
        - text_width_in("score  ", size_pt=_STEP_PT)
    )


def _heading_height(panel: MapPanel, width: float) -> float:
    lines = fitted_lines(f"wrong: {panel.label}", _name_width(width), size_pt=_NAME_PT, weight="bold")
    return lines_height_in(1, size_pt=_SCORE_PT) + lines_height_in(len(lines) - 1, size_pt=_NAME_PT) + 0.04


def _best(panels: Sequence[MapPanel]) -> int:
    return int(np.argmax([_alignment(panel).score for panel in panels]))


def _alignment(panel: MapPanel) -> Alignment:
    if panel.alignment is None:
        raise ActAlignError(f"panel {panel.label!r} has no alignment; give dtw.align of its map")
    return panel.alignment


def _path(panel: MapPanel) -> NDArray[np.intp]:
    return _alignment(panel).path


def _check(panels: Sequence[MapPanel], frames_thwc: NDArray[Any], times_s: NDArray[Any]) -> None:
    if not panels:
        raise ActAlignError("there are no panels to draw; give the right candidate and a wrong one")
    for panel in panels:
        if panel.affinity_kt.shape[1:] != times_s.shape:
            raise ActAlignError(
                f"panel {panel.label!r} has {panel.affinity_kt.shape[1]} frames, but times_s has shape "
                f"{times_s.shape}; give one time per frame"
            )
    if not (np.diff(times_s) > 0).all():
        raise ActAlignError("times_s must increase from frame to frame")
    check_frames(frames_thwc, len(times_s))
