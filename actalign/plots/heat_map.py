"""Maps of sub-actions over time with the warping path on them (paper, Fig. 4)."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure, SubFigure
from matplotlib.transforms import ScaledTranslation
from numpy.typing import NDArray

from actalign.errors import ActAlignError
from actalign.plots.figure import INK, PAGE_HEIGHT_IN, panel_label
from actalign.plots.film_strip import check_frames, shown_frames
from actalign.plots.scales import COLORS, PATH, cell_edges, color_bar, color_scale
from actalign.plots.step_labels import WRAP, fit_step_labels, rows_height_in, set_step_labels
from actalign.records import Alignment
from actalign.report import score_text

_ROOM_FOR_AXIS_IN = 0.5
_ROOM_PER_MAP_IN = 0.2


@dataclass(frozen=True, eq=False)
class MapPanel:
    """One candidate's map: ``affinity_kt`` (K, T), its path (or None), its K steps and the panel's label.

    ``boundaries_s`` are the seconds at which a known sub-action ends and the next begins, where known.

    Raises:
        ActAlignError: shapes that do not fit each other.

    >>> MapPanel("(a) right", np.ones((2, 5)), None, steps=("toss", "hit")).affinity_kt.shape
    (2, 5)
    """

    label: str
    affinity_kt: NDArray[Any]
    alignment: Alignment | None
    steps: tuple[str, ...]
    boundaries_s: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        _check(self.affinity_kt, self.alignment, self.steps)


def heat_map(
    affinity_kt: NDArray[Any],
    alignment: Alignment | None,
    ax: Axes,
    *,
    steps: Sequence[str],
    times_s: NDArray[Any] | None = None,
    scale: Normalize | None = None,
    label: str = "",
    boundaries_s: Sequence[float] = (),
    wrap: int = WRAP,
    max_lines: int | None = None,
) -> Axes:
    """Draw a K x T map, first step on top, and the path of ``alignment`` over it; return ``ax``.

    Args:
        affinity_kt: (K, T) affinities (paper, Eq. 9) or cosines.
        alignment: path to draw and score to write beside ``label``; None draws the map alone.
        steps: the K texts, wrapped at ``wrap`` characters and cut to the lines their row has room for,
            or to ``max_lines`` (which saves a layout pass).
        times_s: (T,) seconds of the frames; without it the axis counts frames from 0.
        scale: colours; by default 0 to the map's own maximum. Maps to be compared share one, see ``color_scale``.
        boundaries_s: marked with triangles on the upper edge, in the units of the time axis.

    Raises:
        ActAlignError: shapes that do not fit each other.

    >>> ax = Figure().subplots()
    >>> heat_map(np.ones((2, 4)), None, ax, steps=["toss", "hit"]).get_xlabel()
    'Frame'
    """
    _draw_map(affinity_kt, alignment, ax, steps=steps, times_s=times_s, scale=scale, boundaries_s=boundaries_s)
    _write_label(ax, label, alignment)
    return _label_steps(ax, steps, wrap=wrap, max_lines=max_lines)


def heat_map_with_frames(
    affinity_kt: NDArray[Any],
    alignment: Alignment | None,
    ax: Axes,
    *,
    frames_thwc: NDArray[Any],
    steps: Sequence[str],
    times_s: NDArray[Any],
    thumbnails: int = 8,
    scale: Normalize | None = None,
    label: str = "",
    boundaries_s: Sequence[float] = (),
    wrap: int = WRAP,
    max_lines: int | None = None,
) -> Axes:
    """``heat_map`` under a strip of the clip's frames, each above the span of time it stands for; return ``ax``.

    Args:
        frames_thwc: (T, H, W, 3) uint8 frames, the ones that ``times_s`` dates.
        thumbnails: how many equal spans of time the strip shows, each by the frame nearest its middle.

    Raises:
        ActAlignError: shapes that do not fit each other.

    >>> ax, frames = Figure().subplots(), np.zeros((4, 8, 8, 3), np.uint8)
    >>> ax = heat_map_with_frames(np.ones((2, 4)), None, ax, frames_thwc=frames, steps=["toss", "hit"],
    ...                           times_s=np.arange(4) / 15, thumbnails=2)
    >>> len(ax.child_axes[0].images)
    2
    """
    _draw_map(affinity_kt, alignment, ax, steps=steps, times_s=times_s, scale=scale, boundaries_s=boundaries_s)
    strip = _draw_strip(frames_thwc, _times(times_s, len(frames_thwc)), ax, thumbnails=thumbnails)
    _write_label(strip, label, alignment)
    return _label_steps(ax, steps, wrap=wrap, max_lines=max_lines)


def candidates(
    panels: Sequence[MapPanel],
    figure: Figure | SubFigure,
    *,
    times_s: NDArray[Any],
    frames_thwc: NDArray[Any] | None = None,
    thumbnails: int = 8,
    gamma: float = 1.0,
    wrap: int = WRAP,
) -> list[Axes]:
    """Maps of several candidates for one clip, one below the other on one colour scale (paper, Fig. 4).

    The strip of frames, if given, stands above the first. ``candidates_height_in`` says how tall the figure
    should be for the steps to be readable in full; in a smaller one they are cut.

    Raises:
        ActAlignError: no panels, or shapes that do not fit each other.
    """
    if not panels:
        raise ActAlignError("there are no panels to draw; give at least one candidate's map")
    scale = color_scale((panel.affinity_kt for panel in panels), gamma=gamma)
    heights = [rows_height_in(panel.steps, wrap=wrap) for panel in panels]
    grid = figure.add_gridspec(len(panels), 1, height_ratios=heights)
    axes = [figure.add_subplot(grid[row]) for row in range(len(panels))]
    for index, (panel, ax) in enumerate(zip(panels, axes, strict=True)):
        shared: dict[str, Any] = {"steps": panel.steps, "times_s": times_s, "scale": scale, "label": panel.label,
                                  "boundaries_s": panel.boundaries_s, "wrap": wrap, "max_lines": 1}  # fmt: skip
        if index == 0 and frames_thwc is not None:
            shared |= {"frames_thwc": frames_thwc, "thumbnails": thumbnails}
            heat_map_with_frames(panel.affinity_kt, panel.alignment, ax, **shared)
        else:
            heat_map(panel.affinity_kt, panel.alignment, ax, **shared)
        if ax is not axes[-1]:
            ax.set_xlabel("")
            ax.tick_params(axis="x", labelbottom=False)
    color_bar(axes, scale=scale)
    for panel, ax in zip(panels, axes, strict=True):
        fit_step_labels(ax, panel.steps, wrap=wrap)
    return axes


def candidates_height_in(panels: Sequence[MapPanel], *, strip_in: float = 0.0, wrap: int = WRAP) -> float:
    """Height in inches for ``candidates`` to show every step in full; ``strip_in`` is that of the frames.

    It is at most a page's, so that of very long scripts the steps are cut.

    >>> panel = MapPanel("", np.ones((2, 5)), None, steps=("toss", "hit"))
    >>> candidates_height_in([panel, panel], strip_in=0.5) > candidates_height_in([panel])
    True
    """
    maps_in = sum(rows_height_in(panel.steps, wrap=wrap) + _ROOM_PER_MAP_IN for panel in panels)
    return min(maps_in + strip_in + _ROOM_FOR_AXIS_IN, PAGE_HEIGHT_IN)


def _draw_map(
    affinity_kt: NDArray[Any],
    alignment: Alignment | None,
    ax: Axes,
    *,
    steps: Sequence[str],
    times_s: NDArray[Any] | None,
    scale: Normalize | None,
    boundaries_s: Sequence[float],
) -> None:
    _check(affinity_kt, alignment, steps)
    x = np.arange(affinity_kt.shape[1], dtype=float) if times_s is None else _times(times_s, affinity_kt.shape[1])
    norm = scale if scale is not None else color_scale([affinity_kt])
    columns, rows = cell_edges(x), np.arange(len(steps) + 1) - 0.5
    ax.pcolormesh(columns, rows, affinity_kt, norm=norm, cmap=COLORS, rasterized=True)
    ax.set(xlim=(columns[0], columns[-1]), ylim=(rows[-1], rows[0]))
    ax.set_xlabel("Frame" if times_s is None else "Time (s)")
    for row in rows[1:-1]:
        ax.axhline(row, color="white", linewidth=0.4, alpha=0.5)
    _draw_path(alignment, ax, x=x)
    _draw_boundaries(boundaries_s, ax)


def _label_steps(ax: Axes, steps: Sequence[str], *, wrap: int, max_lines: int | None) -> Axes:
    if max_lines is None:
        return fit_step_labels(ax, steps, wrap=wrap)
    return set_step_labels(ax, steps, wrap=wrap, max_lines=max_lines)


def _draw_path(alignment: Alignment | None, ax: Axes, *, x: NDArray[Any]) -> None:
    if alignment is not None:
        ax.plot(x[alignment.path[:, 1]], alignment.path[:, 0], gid="path", **PATH)


def _draw_boundaries(boundaries_s: Sequence[float], ax: Axes) -> None:
    if len(boundaries_s):
        above = ScaledTranslation(0, 2.2 / 72, ax.figure.dpi_scale_trans)
        ax.plot(
            boundaries_s, np.ones(len(boundaries_s)), "v", color=INK, markersize=3.2, markeredgewidth=0,
            transform=ax.get_xaxis_transform() + above, clip_on=False, gid="boundaries",
        )  # fmt: skip


def _draw_strip(frames_thwc: NDArray[Any], times_s: NDArray[Any], ax: Axes, *, thumbnails: int) -> Axes:
    check_frames(frames_thwc, len(times_s))
    if thumbnails < 1:
        raise ActAlignError(f"thumbnails is {thumbnails}; show at least 1")
    edges = np.linspace(*ax.get_xlim(), thumbnails + 1)
    height, width = frames_thwc.shape[1:3]
    strip = ax.inset_axes((0, 1.0, 1, 2.0))
    shown = frames_thwc[shown_frames(times_s, edges)]
    for frame, (left, right) in zip(shown, pairwise(edges), strict=True):
        strip.imshow(frame, extent=(left, right, 0, 1), aspect="auto", interpolation="antialiased")
        strip.plot([right, right], [0, 1], color="white", linewidth=1.0, solid_capstyle="butt")
    strip.set(xlim=ax.get_xlim(), ylim=(-0.12, 1), aspect=(edges[1] - edges[0]) * height / width, anchor="S")
    strip.set_axis_off()
    return strip


def _write_label(ax: Axes, label: str, alignment: Alignment | None) -> None:
    score = "" if alignment is None else f"score {score_text(alignment.score)}"
    panel_label(ax, label or score, tail=f", {score}" if label and score else "")


def _times(times_s: NDArray[Any], frames: int) -> NDArray[np.float64]:
    times = np.asarray(times_s, dtype=np.float64)
    if times.shape != (frames,):
        raise ActAlignError(f"{frames} frames but times_s has shape {times.shape}; give one time per frame")
    if not (np.diff(times) > 0).all():
        raise ActAlignError("times_s must increase from frame to frame")
    return times


def _check(affinity_kt: NDArray[Any], alignment: Alignment | None, steps: Sequence[str]) -> None:
    shape = np.shape(affinity_kt)
    if len(shape) != 2 or 0 in shape:
        raise ActAlignError(f"a map must be a non-empty (K, T) matrix; got shape {shape}")
    if not np.isfinite(affinity_kt).all():
        raise ActAlignError(f"the ({shape[0]}, {shape[1]}) map holds NaN or inf; score the clip again")
    if len(steps) != shape[0]:
        raise ActAlignError(f"{len(steps)} steps but the map has {shape[0]} rows; give the script it was made with")
    if alignment is not None and tuple(alignment.path[-1] + 1) != shape:
        raise ActAlignError(
            f"{alignment} was made for another map than this one of {shape[0]} sub-actions x {shape[1]} frames"
        )
