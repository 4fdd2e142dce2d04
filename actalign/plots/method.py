"""The method in one picture, every part of it drawn from the arrays of one clip (paper, Fig. 3)."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from actalign.errors import ActAlignError
from actalign.plots.canvas import Box, Canvas, step_color, tint
from actalign.plots.figure import BLUE, GREY, INK, OKABE_ITO, PAGE_WIDTH_IN
from actalign.plots.film_strip import check_frames, film_strip
from actalign.plots.heat_map import MapPanel
from actalign.plots.lettering import fitted_lines, lines_height_in
from actalign.plots.method_parts import (
    draw_bars,
    draw_curve,
    draw_features,
    draw_map,
    shown_dimensions,
)
from actalign.plots.scales import cell_edges

DIMENSIONS = 24
_VISION, _LANGUAGE = OKABE_ITO[5], OKABE_ITO[4]
_LABEL_PT, _SMALL_PT, _STEP_PT = 7.0, 6.0, 6.0
_LEFT_IN, _TOP_IN = 0.04, 0.05
_SCRIPT_IN, _ENCODER_IN, _TEXT_IN, _MAP_IN, _SIGMOID_IN = 1.42, 0.3, 0.4, 1.4, 0.42
_GAP_IN, _STRIP_IN, _FEATURES_IN = 0.13, 0.54, 0.38
_ROW_IN, _LEAST_MAP_IN, _CAPTION_IN = 0.13, 1.28, 0.32


@dataclass(frozen=True, eq=False)
class MethodExample:
    """One clip through the whole method.

    ``panel`` is the candidate that is shown: its name, its affinities (K, T) (Eq. 9), their alignment and its K steps.
    ``frames_thwc`` (T, H, W, 3) uint8; ``times_s`` (T,); ``frame_embeddings_td`` (T, d) (Eq. 4) and
    ``step_embeddings_kd`` (K, d) (Eq. 5); ``cosine_kt`` (K, T) (Eq. 8); ``candidates`` (C,) with their
    ``scores`` (C,) (Eq. 13), of which ``answer`` is the right one, or None where it is not known.

    Raises:
        ActAlignError: shapes that do not fit each other, times that do not increase, or a panel without alignment.
    """

    panel: MapPanel
    frames_thwc: NDArray[Any]
    times_s: NDArray[Any]
    frame_embeddings_td: NDArray[Any]
    step_embeddings_kd: NDArray[Any]
    cosine_kt: NDArray[Any]
    candidates: tuple[str, ...]
    scores: NDArray[Any]
    answer: int | None = None

    def __post_init__(self) -> None:
        steps, frames = self.panel.affinity_kt.shape
        if self.panel.alignment is None:
            raise ActAlignError(f"panel {self.panel.label!r} has no alignment; give dtw.align of its map")
        check_frames(self.frames_thwc, frames)
        width = np.shape(self.frame_embeddings_td)[-1]
        wanted = {
            "times_s": (frames,), "frame_embeddings_td": (frames, width), "step_embeddings_kd": (steps, width),
            "cosine_kt": (steps, frames), "scores": (len(self.candidates),),
        }  # fmt: skip
        for name, shape in wanted.items():
            value = getattr(self, name)
            if np.shape(value) != shape or not np.isfinite(value).all():
                raise ActAlignError(
                    f"{name} must be finite and of shape {shape}, as the map of {steps} steps x {frames} frames and "
                    f"{len(self.candidates)} candidates ask; got {np.shape(value)}"
                )
        if not (np.diff(self.times_s) > 0).all():
            raise ActAlignError("times_s must increase from frame to frame")
        if self.answer is not None and not 0 <= self.answer < len(self.candidates):
            raise ActAlignError(f"answer {self.answer} is not one of the {len(self.candidates)} candidates (0-based)")


def method(example: MethodExample, figure: Figure, *, dimensions: int = DIMENSIONS) -> list[Axes]:
    """Fig. 3: from frames and script to the prediction, page-wide, every picture from the arrays of ``example``.

    The embeddings are shown by the ``dimensions`` that vary most over the frames. The step that is followed through
    cosine and affinity is the one with the most evidence along the path.

    Returns:
        The axes of frames, frame embeddings, step embeddings, cosine, affinity and curve, in this order.

    Raises:
        ActAlignError: ``dimensions`` is below 1, or the figure is narrower than a page or lower than
            :func:`method_height_in` says.
    """
    if dimensions < 1:
        raise ActAlignError(f"dimensions is {dimensions}; show at least 1 of the embeddings' dimensions")
    canvas = Canvas(figure, needs_in=(PAGE_WIDTH_IN, method_height_in(example)))
    places = _places(example)
    edges = cell_edges(example.times_s)
    shown = shown_dimensions(example.frame_embeddings_td, count=dimensions)
    step = followed_step(example)
    _draw_branches(canvas, places, example)
    frames = _draw_frames(canvas, places["strip"], example, edges=edges)
    over_time = draw_features(
        example.frame_embeddings_td[:, shown].T, canvas.axes(places["frame_embeddings"], label="frame embeddings"),
        columns=edges, rows=np.arange(len(shown) + 1.0),
    )  # fmt: skip
    over_steps = draw_features(
        example.step_embeddings_kd[:, shown], canvas.axes(places["step_embeddings"], label="step embeddings"),
        columns=np.arange(len(shown) + 1.0), rows=np.arange(len(example.panel.steps) + 1.0),
    )  # fmt: skip
    cosine = draw_map(example.cosine_kt, canvas.axes(places["cosine"], label="cosine"), edges_s=edges, outlined=step)
    affinity = draw_map(
        example.panel.affinity_kt, canvas.axes(places["affinity"], label="affinity"), edges_s=edges, outlined=step,
        alignment=example.panel.alignment,
    )  # fmt: skip
    curve = draw_curve(
        example.cosine_kt[step], example.panel.affinity_kt[step], canvas.axes(places["curve"], label="curve"),
        edges_s=edges, color=step_color(step),
    )  # fmt: skip
    _draw_key(canvas, places["curve"], step=step)
    _draw_decision(canvas, places, example)
    _draw_captions(canvas, places, example)
    return [frames, over_time, over_steps, cosine, affinity, curve]


def method_height_in(example: MethodExample) -> float:
    """Height in inches that ``method`` needs."""
    return _places(example)["script"].bottom + _CAPTION_IN


def followed_step(example: MethodExample) -> int:
    """The step whose evidence along the path is largest, the first of equals; 0-based."""
    assert example.panel.alignment is not None
    return int(np.argmax(example.panel.alignment.step_evidence))


def _places(example: MethodExample) -> dict[str, Box]:
    tall = max(_LEAST_MAP_IN, _ROW_IN * len(example.panel.steps))
    script_right = _LEFT_IN + _SCRIPT_IN
    encoder = script_right + 0.1
    texts = encoder + _ENCODER_IN + 0.1
    cosine = texts + _TEXT_IN + _GAP_IN
    affinity = cosine + _MAP_IN + _SIGMOID_IN
    bars = affinity + _MAP_IN + 0.2
    strip = _TOP_IN + 0.13
    image_encoder = strip + _STRIP_IN + _GAP_IN
    frames = image_encoder + 0.24 + _GAP_IN
    maps = frames + _FEATURES_IN + _GAP_IN + 0.02
    return {
        "class": Box(_LEFT_IN, frames - 0.06, width=_SCRIPT_IN, height=_FEATURES_IN + 0.06),
        "script": Box(_LEFT_IN, maps, width=_SCRIPT_IN, height=tall),
        "text_encoder": Box(encoder, maps, width=_ENCODER_IN, height=tall),
        "step_embeddings": Box(texts, maps, width=_TEXT_IN, height=tall),
        "strip": Box(_LEFT_IN, strip, width=cosine + _MAP_IN - _LEFT_IN, height=_STRIP_IN),
        "image_encoder": Box(cosine, image_encoder, width=_MAP_IN, height=0.24),
        "frame_embeddings": Box(cosine, frames, width=_MAP_IN, height=_FEATURES_IN),
        "cosine": Box(cosine, maps, width=_MAP_IN, height=tall),
        "affinity": Box(affinity, maps, width=_MAP_IN, height=tall),
        "curve": Box(affinity, strip + 0.02, width=_MAP_IN, height=frames + _FEATURES_IN - strip - 0.16),
        "bars": Box(bars, maps, width=PAGE_WIDTH_IN - 0.04 - bars, height=tall),
        "prediction": Box(bars, frames - 0.06, width=PAGE_WIDTH_IN - 0.04 - bars, height=_FEATURES_IN + 0.06),
    }


def _draw_branches(canvas: Canvas, places: dict[str, Box], example: MethodExample) -> None:
    """Class, script and the two encoders with the arrows between them."""
    name, script, words, texts = (places[key] for key in ("class", "script", "text_encoder", "step_embeddings"))
    canvas.box(name, face=tint(BLUE, share=0.12), edge=BLUE)
    lines = fitted_lines(example.panel.label, name.width - 0.1, size_pt=7, weight="bold", max_lines=3)
    canvas.text(*name.middle, "\n".join(lines), ha="center", va="center", fontsize=7, fontweight="bold")
    canvas.arrow((name.middle[0], name.bottom), (name.middle[0], script.top - 0.02))
    _draw_script(canvas, script, example.panel.steps)
    inset = words.height * 0.16
    canvas.shape(
        [(words.left, words.top), (words.right, words.top + inset), (words.right, words.bottom - inset),
         (words.left, words.bottom)], face=tint(_LANGUAGE, share=0.3), edge=_LANGUAGE,
    )  # fmt: skip
    canvas.text(
        *words.middle, "Text encoder ❄", ha="center", va="center", rotation=90, rotation_mode="anchor",
        fontsize=_LABEL_PT,
    )  # fmt: skip
    canvas.arrow((script.right, words.middle[1]), (words.left, words.middle[1]))
    canvas.arrow((words.right, words.middle[1]), (texts.left, words.middle[1]))
    canvas.arrow((texts.right, texts.middle[1]), (places["cosine"].left, texts.middle[1]))
    strip, image, frames = (places[key] for key in ("strip", "image_encoder", "frame_embeddings"))
    canvas.shape(
        [(image.left, image.top), (image.right, image.top), (image.right - 0.2, image.bottom),
         (image.left + 0.2, image.bottom)], face=tint(_VISION, share=0.3), edge=_VISION,
    )  # fmt: skip
    canvas.text(*image.middle, "Image encoder ❄", ha="center", va="center", fontsize=_LABEL_PT)
    for upper, lower in ((strip, image), (image, frames), (frames, places["cosine"])):
        canvas.arrow((image.middle[0], upper.bottom), (image.middle[0], lower.top))


def _draw_script(canvas: Canvas, box: Box, steps: tuple[str, ...]) -> None:
    """The steps, each beside its row of the maps, in as many lines as the row has room for."""
    row = box.height / len(steps)
    size = min(_STEP_PT, _STEP_PT * row / lines_height_in(1, size_pt=_STEP_PT))
    most = max(1, int(row / lines_height_in(1, size_pt=size) + 1e-6))
    canvas.box(box, face=tint(_LANGUAGE, share=0.1), edge=_LANGUAGE, rounding_in=0.03)
    for index, step in enumerate(steps):
        middle = box.top + (index + 0.5) * row
        canvas.disc(box.left + 0.09, middle, index + 1, color=step_color(index))
        lines = fitted_lines(step, box.width - 0.2, size_pt=size, max_lines=most)
        canvas.text(box.left + 0.18, middle, "\n".join(lines), va="center", fontsize=size)


def _draw_frames(canvas: Canvas, box: Box, example: MethodExample, *, edges: NDArray[Any]) -> Axes:
    """As many frames as fill the strip's width, on its right where the clip has fewer."""
    height, width = example.frames_thwc.shape[1:3]
    count = min(max(round(box.width / (box.height * width / height)), 3), len(example.times_s))
    tall = min(box.height, box.width / count * height / width)
    wide = tall * width / height * count
    place = Box(box.right - wide, box.bottom - tall, width=wide, height=tall)
    title = f"(b) {len(edges) - 1} frame{'s' * (len(edges) > 2)}"
    canvas.text(place.middle[0], _TOP_IN, title, ha="center", fontsize=_LABEL_PT, fontweight="bold")
    spans = np.linspace(edges[0], edges[-1], count + 1)
    return film_strip(example.frames_thwc, canvas.axes(place, label="frames"), times_s=example.times_s, edges_s=spans)


def _draw_key(canvas: Canvas, box: Box, *, step: int) -> None:
    """What the two lines of the curve are, above it."""
    y = _TOP_IN + 0.05
    canvas.disc(box.left + 0.06, y, step + 1, color=step_color(step))
    canvas.line([box.left + 0.2, box.left + 0.36], [y, y], color=step_color(step), width_pt=1.1)
    canvas.text(box.left + 0.39, y, "affinity", va="center", fontsize=_SMALL_PT)
    canvas.ax.plot([box.left + 0.82, box.left + 0.98], [y, y], color=INK, linewidth=0.9, linestyle=(0, (3, 1.5)))
    canvas.text(box.left + 1.01, y, "cosine", va="center", fontsize=_SMALL_PT)


def _draw_decision(canvas: Canvas, places: dict[str, Box], example: MethodExample) -> None:
    cosine, affinity, bars, answer = (places[key] for key in ("cosine", "affinity", "bars", "prediction"))
    middle = cosine.middle[1]
    canvas.arrow((cosine.right + 0.04, middle), (affinity.left - 0.04, middle))
    between = (cosine.right + affinity.left) / 2
    canvas.text(between, middle - 0.04, "sigmoid", ha="center", va="bottom", fontsize=_SMALL_PT)
    canvas.text(between, middle + 0.04, "Eq. 9", ha="center", fontsize=_SMALL_PT, color=GREY)
    canvas.arrow((affinity.right + 0.03, middle), (bars.left - 0.03, middle))
    top = draw_bars(canvas, bars, names=example.candidates, scores=example.scores, answer=example.answer)
    canvas.arrow((answer.middle[0], top), (answer.middle[0], answer.bottom))
    canvas.box(answer, face=tint(BLUE, share=0.12), edge=BLUE)
    best = example.candidates[int(np.argmax(example.scores))]
    lines = fitted_lines(best, answer.width - 0.1, size_pt=7, weight="bold", max_lines=3)
    canvas.text(*answer.middle, "\n".join(lines), ha="center", va="center", fontsize=7, fontweight="bold")
    _caption(canvas, answer.middle[0], answer.top - 0.24, title="Prediction", note="best score, Eq. 14")


def _draw_captions(canvas: Canvas, places: dict[str, Box], example: MethodExample) -> None:
    (steps, frames), width = example.panel.affinity_kt.shape, example.step_embeddings_kd.shape[1]
    below = places["script"].bottom + 0.05
    cosine, affinity = example.cosine_kt, example.panel.affinity_kt
    texts = (places["text_encoder"].left + places["step_embeddings"].right) / 2
    for x, title, note in (
        (places["script"].middle[0], "(a) Script", f"{steps} step{'s' * (steps > 1)} in order, Eq. 3"),
        (texts, "Step embeddings", f"{steps} × {width}, Eq. 5"),
        (places["cosine"].middle[0], "(c) Cosine", f"{_range(cosine)}, Eq. 8"),
        (places["affinity"].middle[0], "(d) Affinity and path", f"{_range(affinity)}, Eq. 9–11"),
        (places["bars"].middle[0], "(e) Scores", "Eq. 12–13"),
    ):  # fmt: skip
        _caption(canvas, x, below, title=title, note=note)
    features = places["frame_embeddings"]
    x, y = places["class"].middle[0], places["class"].top - 0.02
    canvas.text(x, y, "Class", ha="center", va="bottom", fontsize=_LABEL_PT, fontweight="bold")
    x, y = features.left - 0.06, features.middle[1]
    canvas.text(x, y, "Frame\nembeddings", ha="right", va="bottom", fontsize=_LABEL_PT, fontweight="bold")
    canvas.text(x, y + 0.02, f"{frames} × {width}, Eq. 4", ha="right", fontsize=_SMALL_PT, color=GREY)


def _caption(canvas: Canvas, x: float, y: float, *, title: str, note: str) -> None:
    canvas.text(x, y, title, ha="center", fontsize=_LABEL_PT, fontweight="bold")
    canvas.text(x, y + lines_height_in(1, size_pt=_LABEL_PT), note, ha="center", fontsize=_SMALL_PT, color=GREY)


def _range(values: NDArray[Any]) -> str:
    low, high = float(values.min()), float(values.max())
    digits = max(2, 1 - math.floor(math.log10(high - low))) if high > low else 2
    return f"{low:z.{digits}f} to {high:z.{digits}f}".replace("-", "−")
