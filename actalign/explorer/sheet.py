"""What the explorer draws, in inches: strip of frames, maps with their paths, evidence per step, ranking."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.text import Text
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from actalign import plots
from actalign.explorer import wording
from actalign.explorer.paper import Paper
from actalign.explorer.view import ShownClass, View
from actalign.plots.figure import BLUE, GREY, INK, VERMILLION
from actalign.plots.film_strip import shown_frames
from actalign.plots.scales import PATH, cell_edges
from actalign.plots.step_labels import FONT_PT, LINE_PT, ROW_PAD_PT, wrapped
from actalign.report import score_text, true_minus

TOP_IN, TITLE_IN, AXIS_IN, EDGE_IN, GAP_IN = 0.06, 0.24, 0.36, 0.04, 0.1
STRIP_IN, LARGEST_STRIP_IN, NO_STRIP_IN = 0.62, 0.8, 0.3
COLOR_BAR_IN = 0.07
BAR_SHARE = 0.48  # of its column for the longest bar; the rest is for its number
LEAST_LINES = 2
RANK_IN = 0.16
TITLE_PT, TICK_PT = 7.5, 6.5
LETTER_COLORS = {"A": BLUE, "B": VERMILLION}
OTHER_COLOR = "#BFBFBF"
DOTS: dict[str, Any] = {
    "color": "white", "linestyle": "", "marker": "o", "markersize": 2.6,
    "markeredgecolor": "black", "markeredgewidth": 0.5,
}  # fmt: skip
TRIANGLES: dict[str, Any] = {"linestyle": "", "marker": "v", "markersize": 3.2, "markeredgewidth": 0}


@dataclass(frozen=True)
class Columns:
    """Widths in inches: labels of steps, map, bars, and a white right edge.

    Labels are wrapped after ``wrap`` letters and cut after ``lines`` lines; with ``lines`` 0 their column stays white,
    for the browser to write them.
    """

    labels: float
    map: float
    bars: float
    right: float
    wrap: int
    lines: int

    @property
    def width(self) -> float:
        return self.bars_at + self.bars + self.right

    @property
    def bars_at(self) -> float:
        return self.labels + self.map + GAP_IN

    @property
    def title_letters(self) -> int:
        """How many letters of a map's title there is room for."""
        return int((self.map + GAP_IN + self.bars) * 72 / (TITLE_PT * 0.62))


PAGE = Columns(labels=2.0, map=3.85, bars=0.8, right=0.15, wrap=38, lines=4)
SCREEN = Columns(labels=1.68, map=3.0, bars=0.66, right=0.06, wrap=0, lines=0)


@dataclass(frozen=True)
class Place:
    """Where a map lies in the picture, as fractions of its width and height from the top left, and its rows."""

    left: float
    top: float
    width: float
    height: float
    rows: int


class Sheet:
    """The page for a view; ``update`` brings it to any other view of the same clip with as many steps."""

    def __init__(self, view: View, columns: Columns, *, ranking: bool = False) -> None:
        strip, count = _strip(view.frames_thwc, columns)
        row = _row_in(view, columns)
        heights = [TITLE_IN + len(shown.steps) * row for shown in view.shown]
        last = TOP_IN + strip + sum(heights)
        self.paper = Paper(columns.width, last + AXIS_IN + (_ranking_in(view) if ranking else 0.0))
        edges_s = cell_edges(view.times_s)
        self._time = _Time(columns, float(edges_s[0]), float(edges_s[-1]))
        if view.frames_thwc is not None:
            _draw_strip(view, self._time, self.paper, bottom=TOP_IN + strip - EDGE_IN, count=count)
        self._ends = _draw_color_bar(view, self.paper, columns, top=TOP_IN + strip - 0.16)
        tops = TOP_IN + strip + TITLE_IN + np.cumsum([0.0, *heights[:-1]])
        self._maps = [
            _Map(self.paper, view, shown, rows_in=top + np.arange(len(shown.steps) + 1) * row, time=self._time)
            for shown, top in zip(view.shown, tops, strict=True)
        ]
        _draw_axis(self._time, self.paper, top=last)
        if ranking:
            _draw_ranking(view, self.paper, columns, top=last + AXIS_IN + TITLE_IN)
        self.edges = tuple(np.round((edges_s - edges_s[0]) / (edges_s[-1] - edges_s[0]), 6).tolist())
        self.places = tuple(one.place for one in self._maps)

    @property
    def moving(self) -> list[Artist]:
        """What ``update`` changes."""
        return [artist for one in self._maps for artist in one.moving] + list(self._ends)

    def update(self, view: View) -> None:
        """Put in the numbers of a view."""
        scale = plots.color_scale([shown.matrix_kt for shown in view.shown], low=_lowest(view))
        reach = max(float(np.nanmax(shown.evidence)) for shown in view.shown)
        for one, shown in zip(self._maps, view.shown, strict=True):
            one.update(shown, scale=scale, reach=reach, times_s=view.times_s)
        for text, value in zip(self._ends, (scale.vmin, scale.vmax), strict=True):
            text.set_text(true_minus(f"{value:.2g}"))


@dataclass(frozen=True)
class _Time:
    """The time axis that all maps share."""

    columns: Columns
    first_s: float
    last_s: float

    def places_in(self, times_s: Any) -> NDArray[np.float64]:
        """Seconds -> inches from the left."""
        share = (np.asarray(times_s, dtype=np.float64) - self.first_s) / (self.last_s - self.first_s)
        return self.columns.labels + self.columns.map * share


class _Map:
    """One class's map with its path, its labels and its bars; ``rows_in`` are the K + 1 edges of its rows."""

    def __init__(
        self, paper: Paper, view: View, shown: ShownClass, *, rows_in: NDArray[np.float64], time: _Time
    ) -> None:
        columns, top = time.columns, float(rows_in[0])
        self._columns, self._time, self._rows_in = columns, time, rows_in
        self._edges_in, self._middles_in = time.places_in(cell_edges(view.times_s)), (rows_in[1:] + rows_in[:-1]) / 2
        self._image = paper.cells(self._edges_in, rows_in, np.zeros(shown.matrix_kt.shape))
        self._path = paper.line([], [], **(PATH if shown.ordered else DOTS))
        if columns.lines:
            self._write_labels(paper, shown)
        known = time.places_in(view.boundaries_s)
        paper.line(known, np.full(len(known), top - 0.025), color=INK, **TRIANGLES)
        color = LETTER_COLORS[shown.letter]
        self._title = paper.write(columns.labels, top - 0.07, "", fontsize=TITLE_PT)
        badge = {"boxstyle": "round,pad=0.22", "facecolor": color, "edgecolor": "none"}
        paper.write(columns.labels - 0.06, top - 0.07, shown.letter, ha="right", color="white", fontsize=TITLE_PT,
                    fontweight="bold", bbox=badge)  # fmt: skip
        thick = 0.6 * (rows_in[1] - rows_in[0])
        self._bars = [paper.bar(columns.bars_at, y, width=0, height=thick, color=color) for y in self._middles_in]
        self._values = [paper.write(columns.bars_at, y, "", va="center", fontsize=FONT_PT) for y in self._middles_in]
        self.place = Place(
            columns.labels / paper.width_in, top / paper.height_in, columns.map / paper.width_in,
            float(rows_in[-1] - top) / paper.height_in, len(shown.steps),
        )  # fmt: skip

    def _write_labels(self, paper: Paper, shown: ShownClass) -> None:
        columns = self._columns
        for number, (step, middle) in enumerate(zip(shown.steps, self._middles_in, strict=True), start=1):
            label = wrapped(step, number=number, wrap=columns.wrap, max_lines=columns.lines)
            look = {"ha": "right", "va": "center", "fontsize": FONT_PT, "linespacing": 1.1}
            paper.write(columns.labels - 0.04, middle, label, **look)

    @property
    def moving(self) -> list[Artist]:
        return [self._image, self._path, self._title, *self._bars, *self._values]

    def update(self, shown: ShownClass, *, scale: Any, reach: float, times_s: NDArray[np.float64]) -> None:
        self._image.set_data(self._edges_in, self._rows_in, shown.matrix_kt)
        self._image.set_norm(scale)
        step, frame = shown.cells.T
        self._path.set_data(self._time.places_in(times_s[frame]), self._middles_in[step])
        tail = f"{' (the answer)' if shown.is_answer else ''}, score {score_text(shown.score)}, place {shown.place}"
        self._title.set_text(_shortened(shown.name, room=self._columns.title_letters - len(tail)) + tail)
        for bar, text, value in zip(self._bars, self._values, shown.evidence, strict=True):
            length = 0.0 if np.isnan(value) or reach <= 0 else max(0.0, value / reach) * BAR_SHARE * self._columns.bars
            bar.set_width(length)
            text.set_x(self._columns.bars_at + length + 0.04)
            text.set_text(wording.evidence(value))


def _draw_strip(view: View, time: _Time, paper: Paper, *, bottom: float, count: int) -> None:
    """Equal spans of time, each by the frame nearest its middle."""
    assert view.frames_thwc is not None
    edges = np.linspace(time.first_s, time.last_s, count + 1)
    frames = view.frames_thwc[shown_frames(view.times_s, edges)]
    white = np.full((frames.shape[1], max(1, frames.shape[2] // 40), 3), 255, np.uint8)
    joined = np.concatenate([part for frame in frames for part in (frame, white)], axis=1)
    left = time.columns.labels
    paper.picture(joined, left=left, right=left + time.columns.map, top=TOP_IN, bottom=bottom)


def _draw_color_bar(view: View, paper: Paper, columns: Columns, *, top: float) -> tuple[Text, Text]:
    """What the colours mean, above the bars of evidence; returns the numbers at its ends, which move."""
    left, right = columns.bars_at, columns.bars_at + columns.bars
    paper.cells(np.linspace(left, right, 101), np.array([top, top + COLOR_BAR_IN]), np.linspace(0, 1, 100)[None])
    paper.write((left + right) / 2, top - 0.03, view.value_label.capitalize(), ha="center", fontsize=FONT_PT)
    below = top + COLOR_BAR_IN + 0.02
    return (
        paper.write(left, below, "", ha="left", va="top", fontsize=FONT_PT - 0.5),
        paper.write(right, below, "", ha="right", va="top", fontsize=FONT_PT - 0.5),
    )


def _draw_axis(time: _Time, paper: Paper, *, top: float) -> None:
    """Ticks and seconds below the last map, and what the bars are."""
    ticks = MaxNLocator(6, steps=[1, 2, 5, 10]).tick_values(time.first_s, time.last_s)
    inside = [tick for tick in ticks if max(0.0, time.first_s) <= tick <= time.last_s]  # one frame reaches below 0
    for tick, x in zip(inside, time.places_in(inside), strict=True):
        paper.line([x, x], [top, top + 0.035], color=INK, linewidth=0.6)
        paper.write(x, top + 0.05, f"{tick:.10g}", ha="center", va="top", fontsize=TICK_PT)
    columns = time.columns
    paper.write(columns.labels + columns.map / 2, top + 0.19, "Time (s)", ha="center", va="top", fontsize=TICK_PT)
    paper.write(columns.bars_at, top + 0.05, "Evidence", va="top", fontsize=TICK_PT)


def _draw_ranking(view: View, paper: Paper, columns: Columns, *, top: float) -> None:
    """All candidates, best first; the answer is written out, and the classes on the maps have their colours."""
    scores = view.ranking["score"].to_numpy(dtype=np.float64)
    low, high = min(0.0, float(scores.min())), max(0.0, float(scores.max()))
    inches = 0.85 * columns.map / ((high - low) or 1.0)
    zero = columns.labels - low * inches
    for number, row in enumerate(view.ranking.itertuples(index=False)):
        middle = top + (number + 0.5) * RANK_IN
        name = f"{row.place}. {_shortened(row.name, room=28)}"
        paper.write(columns.labels - 0.06, middle, name, ha="right", va="center", fontsize=FONT_PT,
                    fontweight="bold" if row.is_answer else "normal")  # fmt: skip
        length, color = row.score * inches, LETTER_COLORS.get(row.letter, OTHER_COLOR)
        paper.bar(zero, middle, width=length, height=0.66 * RANK_IN, color=color)
        remarks = ", ".join(filter(None, [row.letter, "the answer" if row.is_answer else ""]))
        text = f"{score_text(row.score)} ({remarks})" if remarks else score_text(row.score)
        paper.write(zero + max(0.0, length) + 0.04, middle, text, va="center", fontsize=FONT_PT)
    paper.line([zero, zero], [top, top + len(scores) * RANK_IN], color=GREY, linewidth=0.6)
    paper.write(columns.labels, top - 0.05, "Score of each candidate", fontsize=TITLE_PT)


def _ranking_in(view: View) -> float:
    return TITLE_IN + len(view.ranking) * RANK_IN + 0.08


def _row_in(view: View, columns: Columns) -> float:
    """Height of every row: as many lines as the longest step takes, within what the columns allow."""
    steps = [step for shown in view.shown for step in shown.steps] if columns.lines else []
    taken = [len(wrapped(step, number=10, wrap=columns.wrap).splitlines()) for step in steps]
    return (max(LEAST_LINES, min(max(taken, default=0), columns.lines)) * LINE_PT + ROW_PAD_PT) / 72


def _lowest(view: View) -> float:
    """Affinities begin at 0, cosines at the lowest one shown."""
    return 0.0 if view.value_label == "affinity" else min(float(shown.matrix_kt.min()) for shown in view.shown)


def _shortened(name: str, *, room: int) -> str:
    return name if len(name) <= room else name[: max(1, room - 1)].rstrip() + "…"


def _strip(frames_thwc: NDArray[np.uint8] | None, columns: Columns) -> tuple[float, int]:
    """Height of the strip in inches, and how many frames fill it; where there are none, room for the colour bar."""
    if frames_thwc is None:
        return NO_STRIP_IN, 0
    height, width = frames_thwc.shape[1:3]
    count = max(1, round(columns.map / (STRIP_IN * width / height)))
    return min(LARGEST_STRIP_IN, columns.map / count * height / width) + EDGE_IN, count
