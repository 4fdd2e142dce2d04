"""The pictures that the method figure is put together from."""

from collections.abc import Sequence
from typing import Any

import matplotlib.patheffects as effects
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from actalign.plots.canvas import Box, Canvas, step_color, tint
from actalign.plots.figure import BLUE, GREY, INK
from actalign.plots.lettering import cut_to_width, text_width_in
from actalign.plots.scales import COLORS, PATH
from actalign.records import Alignment
from actalign.report import score_text

SHOWN_CANDIDATES = 5
_SMALL_PT = 6.0
_PITCH_IN = 0.28


def shown_dimensions(frames_td: NDArray[Any], *, count: int) -> NDArray[np.intp]:
    """Which ``count`` of the d dimensions of ``frames_td`` (T, d) vary most over the frames, in ascending order.

    >>> shown_dimensions(np.array([[0.0, 1.0, 3.0], [0.0, 2.0, 9.0]]), count=2).tolist()
    [1, 2]
    """
    spread = np.asarray(frames_td, dtype=np.float64).var(axis=0)
    return np.sort(np.argsort(-spread, kind="stable")[:count])


def draw_features(features: NDArray[Any], ax: Axes, *, columns: NDArray[Any], rows: NDArray[Any]) -> Axes:
    """Embeddings as a grey strip between the edges ``columns`` and ``rows``, first row on top; return ``ax``.

    >>> from matplotlib.figure import Figure
    >>> ax = Figure().subplots()
    >>> len(draw_features(np.eye(2), ax, columns=np.arange(3.0), rows=np.arange(3.0)).collections)
    1
    """
    ax.pcolormesh(columns, rows, features, cmap="Greys", rasterized=True)
    return _framed(ax, columns=columns, rows=rows)


def draw_map(
    map_kt: NDArray[Any], ax: Axes, *, edges_s: NDArray[Any], alignment: Alignment | None = None, outlined: int = 0
) -> Axes:
    """A (K, T) map from its own lowest to its highest value, with a path, and one row outlined; return ``ax``.

    >>> from matplotlib.figure import Figure
    >>> len(draw_map(np.eye(2), Figure().subplots(), edges_s=np.arange(3.0), outlined=1).collections)
    1
    """
    rows = np.arange(len(map_kt) + 1, dtype=float)
    scale = Normalize(float(map_kt.min()), max(float(map_kt.max()), float(map_kt.min()) + 1e-12))
    ax.pcolormesh(edges_s, rows, map_kt, cmap=COLORS, norm=scale, rasterized=True)
    _framed(ax, columns=edges_s, rows=rows)
    for row in rows[1:-1]:
        ax.axhline(row, color="white", linewidth=0.4, alpha=0.5)
    ax.add_patch(
        Rectangle(
            (edges_s[0], outlined), edges_s[-1] - edges_s[0], 1, fill=False, edgecolor=step_color(outlined),
            linewidth=1.6, clip_on=False, zorder=3,
            path_effects=[effects.withStroke(linewidth=2.6, foreground="white")],
        )
    )  # fmt: skip
    if alignment is not None:
        middles = (edges_s[1:] + edges_s[:-1]) / 2
        ax.plot(middles[alignment.path[:, 1]], alignment.path[:, 0] + 0.5, zorder=4, gid="path", **PATH)
    return ax


def draw_curve(
    cosine_t: NDArray[Any], affinity_t: NDArray[Any], ax: Axes, *, edges_s: NDArray[Any], color: str
) -> Axes:
    """One step's cosine (dashed) and affinity (filled) over time; return ``ax``.

    >>> from matplotlib.figure import Figure
    >>> len(draw_curve(np.zeros(2), np.ones(2), Figure().subplots(), edges_s=np.arange(3.0), color="k").lines)
    2
    """
    seconds = np.repeat(edges_s, 2)[1:-1]
    affinity, cosine = np.repeat(affinity_t, 2), np.repeat(cosine_t, 2)
    low, high = min(0.0, float(cosine.min())), max(float(affinity.max()), float(cosine.max())) or 1.0
    ax.fill_between(seconds, 0, affinity, facecolor=tint(color, share=0.3), edgecolor="none", linewidth=0)
    ax.plot(seconds, affinity, color=color, linewidth=1.1)
    ax.plot(seconds, cosine, color=INK, linewidth=0.9, linestyle=(0, (3, 1.5)))
    ax.set(xlim=(edges_s[0], edges_s[-1]), ylim=(low, high))
    middles = (edges_s[1:] + edges_s[:-1]) / 2
    ax.set_yticks([0.0, high], ["0", f"{high:.2g}"], fontsize=_SMALL_PT)
    ax.tick_params(length=1.5, pad=1)
    if len(middles) == 1:
        ax.set_xticks([middles[0]], [f"{middles[0]:.2g} s"], fontsize=_SMALL_PT)
        return ax
    ax.set_xticks([middles[0], middles[-1]], [f"{middles[0]:.2g}", f"{middles[-1]:.2g} s"], fontsize=_SMALL_PT)
    first, last = ax.get_xticklabels()
    first.set_horizontalalignment("left")
    last.set_horizontalalignment("right")
    return ax


def draw_bars(canvas: Canvas, box: Box, *, names: Sequence[str], scores: NDArray[Any], answer: int | None) -> float:
    """The best candidates' names and scores as bars, best on top; returns the height at which the best bar lies."""
    order = np.argsort(-np.asarray(scores), kind="stable")
    shown = order[:SHOWN_CANDIDATES]
    more = len(order) - len(shown)
    pitch = min(box.height / (len(shown) + (0.6 if more else 0)), _PITCH_IN)
    values = np.asarray(scores, dtype=float)
    numbers = [score_text(value) for value in values]
    number_in = max(text_width_in(number, size_pt=_SMALL_PT, weight="bold") for number in [*numbers, "0.00000"])
    low, span = min(0.0, float(values.min())), max(float(values.max()), 0.0) - min(0.0, float(values.min()))
    scale = (box.width - number_in - 0.04) / (span or 1.0)
    for place, candidate in enumerate(shown):
        top, best = box.top + place * pitch, place == 0
        marks = " (right)" if candidate == answer else ""
        look = {"fontweight": "bold"} if best else {}
        room = box.width - text_width_in(marks, size_pt=6)
        name = cut_to_width(names[candidate], room, size_pt=6, weight="bold")
        base = top + min(pitch * 0.48, 0.11)
        canvas.text(box.left, base, f"{name}{marks}", va="baseline", fontsize=6, **look)
        left, width = box.left + (min(0.0, values[candidate]) - low) * scale, abs(values[candidate]) * scale
        bar = Box(left, base + 0.025, width=width, height=min(0.08, pitch * 0.36))
        face, edge = (BLUE, BLUE) if best else ("#BFBFBF", GREY)
        canvas.ax.add_patch(
            Rectangle((bar.left, bar.top), bar.width, bar.height, facecolor=face, edgecolor=edge, linewidth=0.4)
        )
        canvas.text(bar.right + 0.03, bar.middle[1], numbers[candidate], va="center", fontsize=_SMALL_PT, **look)
    if more:
        canvas.text(box.left, box.top + pitch * len(shown), f"and {more} more", fontsize=_SMALL_PT, color=GREY)
    return box.top


def _framed(ax: Axes, *, columns: NDArray[Any], rows: NDArray[Any]) -> Axes:
    ax.set(xlim=(columns[0], columns[-1]), ylim=(rows[-1], rows[0]), xticks=[], yticks=[])
    for spine in ax.spines.values():
        spine.set(visible=True, linewidth=0.5, color=GREY)
    return ax
