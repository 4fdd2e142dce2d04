"""Fig. 1: every stretch of time in its step's lane, whatever the script, and nothing over anything."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from drawn import LONG_NAME, panel_of, pictures, smallest_letters_pt, untidy
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from actalign import plots
from actalign.dtw import align
from actalign.errors import ActAlignError
from actalign.plots.canvas import Box, Canvas, spread, step_color, tint
from actalign.plots.figure import BLUE, VERMILLION
from actalign.plots.film_strip import film_strip
from actalign.plots.lettering import fitted_lines, text_width_in
from actalign.records import Alignment

CASES = {
    "four": ("lob", 4, 60, 13), "ten_long": (LONG_NAME, 10, 180, 20), "one": ("lob", 1, 30, 3),
    "three_frames": ("x" * 60, 5, 3, 20), "six_hundred": (LONG_NAME, 7, 600, 20), "sixty_steps": ("lob", 60, 90, 2),
}  # fmt: skip


def draw(case: str, width: str = "page", *, thumbnails: int = 8) -> tuple[Figure, list[plots.MapPanel]]:
    name, steps, frames, words = CASES[case]
    panels = [panel_of(name, steps=steps, frames=frames, words=words, seed=seed) for seed in (0, 1)]
    page_in, shown = plots.width_in(width), pictures(frames)
    with plots.style():
        height_in = plots.teaser_height_in(panels, page_in, frames_thwc=shown, thumbnails=thumbnails)
        figure = plots.new_figure(page_in, height_in)
        plots.teaser(panels, figure, frames_thwc=shown, times_s=np.arange(frames) / 30, thumbnails=thumbnails)
    return figure, panels


@pytest.mark.parametrize("width", ["page", "column"])
@pytest.mark.parametrize("case", CASES)
def test_texts_have_room_at_any_size(case: str, width: str) -> None:
    figure, _ = draw(case, width)
    if case == "sixty_steps":  # more numbers than a row has room for: they share it
        assert all("leaves" not in fault for fault in untidy(figure))
    else:
        assert untidy(figure) == []
    assert smallest_letters_pt(figure) >= 6
    plt.close("all")


@pytest.mark.parametrize("scale", [1e-3, 3.3e-7, 0.0])
def test_small_affinities_have_room_and_fill_the_lane(scale: float) -> None:
    given = panel_of("lob", steps=3, frames=30)
    affinity = scale * given.affinity_kt
    panel = plots.MapPanel("lob", affinity, align(affinity), given.steps)
    with plots.style():
        figure = plots.new_figure(3.35, plots.teaser_height_in([panel], 3.35, frames_thwc=pictures(30)))
        _, lane = plots.teaser([panel], figure, frames_thwc=pictures(30), times_s=np.arange(30) / 30)
    assert untidy(figure) == []
    tops = [np.asarray(area.get_paths()[0].vertices)[:, 1].max() for area in lane.collections]
    assert max(tops) == pytest.approx(1 if scale else 0)
    plt.close("all")


def test_an_untidy_figure_is_seen() -> None:
    figure = Figure(figsize=(3, 3))
    canvas = Canvas(figure, needs_in=(1, 1))
    canvas.box(Box(1, 1, width=0.5, height=0.5))
    canvas.text(0.1, 0.1, "first")
    canvas.text(0.15, 0.1, "second")
    canvas.text(2.8, 2, "off the page")
    canvas.text(0.9, 1.2, "crossing")
    assert untidy(figure) == [
        "'first' lies over 'second'", "'off the page' leaves the page", "'crossing' leaves its box"
    ]  # fmt: skip


def test_a_lane_holds_the_affinities_of_the_path_and_its_area_is_the_score() -> None:
    figure, panels = draw("four")
    frames, right, wrong = (ax for ax in figure.axes if ax.get_label() in ("frames", "lob"))
    assert len(frames.images) == 8 and frames.get_xlim() == right.get_xlim() == wrong.get_xlim()
    for ax, panel in ((right, panels[0]), (wrong, panels[1])):
        assert panel.alignment is not None
        colours = [tuple(np.asarray(area.get_facecolor())[0]) for area in ax.collections]
        assert colours == [to_rgba(step_color(step)) for step in range(4)]
        highest = float(ax.get_yticklabels()[1].get_text())
        low, high = ax.get_xlim()
        filled = sum(_area(np.asarray(area.get_paths()[0].vertices)) for area in ax.collections) / (high - low)
        assert filled * highest == pytest.approx(panel.alignment.score, abs=0.03)
        assert sum(line.get_gid() == "boundary" for line in ax.lines) == 2
    plt.close("all")


def test_a_lane_is_as_high_as_its_affinity_on_the_scale_of_all_lanes_and_its_steps_follow_on_one_another() -> None:
    figure, panels = draw("four")
    lanes = [ax for ax in figure.axes if ax.get_label() == "lob"]
    paths = [panel.alignment.path for panel in panels if panel.alignment is not None]
    on_path = [panel.affinity_kt[path[:, 0], path[:, 1]] for panel, path in zip(panels, paths, strict=True)]
    highest = max(values.max() for values in on_path)
    for ax, path, values in zip(lanes, paths, on_path, strict=True):
        assert ax.get_yticklabels()[1].get_text() == f"{highest:.2g}" and ax.get_ylabel() == "Affinity"
        for step, area in enumerate(ax.collections):
            heights = np.unique(np.asarray(area.get_paths()[0].vertices)[:, 1])
            np.testing.assert_allclose(heights, np.unique([0, *values[path[:, 0] == step] / highest]))
        stretches = [patch for patch in ax.patches if isinstance(patch, Rectangle)]
        assert [patch.get_facecolor() for patch in stretches] == [to_rgba(tint(step_color(step))) for step in range(4)]
        starts = np.array([patch.get_x() for patch in stretches])
        ends = starts + [patch.get_width() for patch in stretches]
        np.testing.assert_allclose([*starts, ends[-1]], [ax.get_xlim()[0], *ends[:-1], ax.get_xlim()[1]])
        between = [np.asarray(line.get_xdata())[0] for line in ax.lines if line.get_color() == "white"]
        np.testing.assert_allclose(between, starts[1:])
    plt.close("all")


def test_lanes_whose_values_all_lie_below_zero_are_empty() -> None:
    below = np.array([[-0.1, -0.2, -0.3], [-0.4, -0.05, -0.1]])
    panel = plots.MapPanel("lob", below, align(below), ("swing up", "step back"))
    lane = plots.teaser([panel], plots.new_figure(7, 3), frames_thwc=pictures(3), times_s=np.arange(3.0))[1]
    assert lane.get_yticklabels()[1].get_text() == "1"
    assert max(np.asarray(area.get_paths()[0].vertices)[:, 1].max() for area in lane.collections) == 0
    plt.close("all")


def test_frames_boundaries_seconds_and_numbers_stand_where_they_belong() -> None:
    figure, (panel, _) = draw("four")
    page, time = (next(ax for ax in figure.axes if ax.get_label() == name) for name in ("page", "time"))
    lane, other = (ax for ax in figure.axes if ax.get_label() == "lob")

    def seconds_of(x: float) -> float:
        return float(lane.transData.inverted().transform(page.transData.transform((x, 0)))[0])

    for image in figure.axes[1].images:
        left, right, *_ = image.get_extent()
        assert abs(float(np.asarray(image.get_array())[0, 0, 0]) / 30 - (left + right) / 2) < 1 / 30
    (triangles,) = (line for line in page.lines if line.get_gid() == "boundaries")
    dashed = [np.asarray(line.get_xdata())[0] for line in lane.lines if line.get_gid() == "boundary"]
    assert [seconds_of(x) for x in np.asarray(triangles.get_xdata())] == pytest.approx(panel.boundaries_s)
    assert dashed == list(panel.boundaries_s)
    *first, last = [text.get_text() for text in time.get_xticklabels()]
    assert [*map(float, first), float(last.removesuffix(" s"))] == pytest.approx(time.get_xticks()) and " s" in last
    numbers = [text for text in page.texts if text.get_text().isdigit()]
    assert [text.get_text() for text in numbers] == list("1234") * 4, "below each lane, and before each step"
    discs = [line.get_color() for line in page.lines if line.get_marker() == "o"]
    assert discs == [step_color(step) for step in range(4)] * 4
    for number, area in zip(numbers[:4] + numbers[8:12], [*lane.collections, *other.collections], strict=True):
        covered = np.asarray(area.get_paths()[0].vertices)[:, 0]
        assert seconds_of(number.get_position()[0]) == pytest.approx((covered.min() + covered.max()) / 2)
    plt.close("all")


def test_below_each_lane_stand_the_steps_of_its_own_candidate() -> None:
    panels = [panel_of(name, steps=steps, frames=30, words=3) for name, steps in (("lob", 2), ("smash", 3))]
    figure = Figure(figsize=(6.9, 4))
    plots.teaser(panels, figure, frames_thwc=pictures(30), times_s=np.arange(30) / 30)
    shown = [text.get_text() for text in figure.axes[0].texts]
    second = shown.index("wrong: smash")
    for panel, below in zip(panels, (shown[:second], shown[second:]), strict=True):
        assert [text for text in below if text in panels[1].steps] == list(panel.steps)


def test_each_picture_stands_upright_over_its_own_time() -> None:
    times = np.arange(60.0)
    ax = film_strip(pictures(60), Figure().subplots(), times_s=times, edges_s=np.linspace(-0.5, 59.5, 9))
    assert len(ax.images) == 8
    for image in ax.images:
        left, right, bottom, top = image.get_extent()
        assert bottom < top
        assert abs(float(np.asarray(image.get_array())[0, 0, 0]) - (left + right) / 2) <= 0.5


def _area(corners_n2: NDArray[Any]) -> float:
    x, y = corners_n2.T
    return abs(float(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1)))) / 2


def test_the_better_score_is_bold_even_if_it_is_the_wrong_one() -> None:
    frames = pictures(30)
    panels = [panel_of(name, steps=2, frames=30, seed=seed) for seed, name in enumerate(("lob", "smash"))]
    for first, second in (panels, panels[::-1]):
        figure = Figure(figsize=(6.9, 4))
        plots.teaser([first, second], figure, frames_thwc=frames, times_s=np.arange(30) / 30)
        bold = [text.get_text() for text in figure.axes[0].texts if text.get_fontweight() == "bold"]
        scores = [panel.alignment.score for panel in (first, second) if panel.alignment is not None]
        assert f"{max(scores):#.3g}" in bold and f"{min(scores):#.3g}" not in bold
        assert "right: " + first.label in bold and "wrong: " + second.label in bold
        marks = [(text.get_text(), text.get_color()) for text in figure.axes[0].texts if text.get_text() in "✓✗"]
        assert marks == [("✓", BLUE), ("✗", VERMILLION)]


def test_same_inputs_give_the_same_bytes(tmp_path: Path) -> None:
    for run in ("first", "second"):
        with plots.style():
            plots.save_figure(draw("four", "column")[0], "figure", folder=tmp_path / run)
    for suffix in ("pdf", "svg", "png"):
        first, second = (tmp_path / run / f"figure.{suffix}" for run in ("first", "second"))
        assert first.read_bytes() == second.read_bytes(), suffix
    plt.close("all")


def _teaser(
    *panels: plots.MapPanel, frames: int = 6, times: int = 6, height_in: float = 9.0, back: bool = False
) -> None:
    times_s = np.arange(times, dtype=float)[:: -1 if back else 1]
    plots.teaser(panels, Figure(figsize=(6.9, height_in)), frames_thwc=pictures(frames), times_s=times_s)


GOOD = panel_of("lob", steps=2, frames=6)
BAD: dict[str, tuple[Callable[[], object], str]] = {
    "no_panels": (lambda: _teaser(), "no panels"),
    "no_alignment": (lambda: _teaser(plots.MapPanel("lob", np.ones((1, 6)), None, ("a",))), "'lob' has no alignment"),
    "other_frames": (lambda: _teaser(GOOD, times=5), "has 6 frames, but times_s has shape (5,)"),
    "few_pictures": (lambda: _teaser(GOOD, frames=5), "5 pictures for 6 frames"),
    "times_back": (lambda: _teaser(GOOD, back=True), "increase"),
    "too_low": (lambda: _teaser(GOOD, height_in=0.5), "the figure is 6.90 x 0.50 in"),
    "no_thumbnails": (
        lambda: plots.teaser_height_in([GOOD], 6.9, frames_thwc=pictures(6), thumbnails=0), "thumbnails is 0"
    ),
    "narrow": (lambda: fitted_lines("lob", 0.01, size_pt=6), "too narrow"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_clear_error(case: str) -> None:
    act, message = BAD[case]
    with pytest.raises(ActAlignError) as caught:
        act()
    assert message in str(caught.value)


def test_inputs_may_be_read_only() -> None:
    panel, frames = panel_of("lob", steps=3, frames=6), pictures(6)
    for array in (panel.affinity_kt, frames):
        array.setflags(write=False)
    times = np.arange(6.0)
    times.setflags(write=False)
    assert isinstance(panel.alignment, Alignment)
    plots.teaser([panel], Figure(figsize=(6.9, 3)), frames_thwc=frames, times_s=times)


@pytest.mark.parametrize("text", ["swing the racket up", LONG_NAME, "x" * 200, "a - b", "toss  the\nball"])
@pytest.mark.parametrize("width_in", [0.3, 0.8, 4.0])
def test_lines_fit_and_lose_no_letter(text: str, width_in: float) -> None:
    lines = fitted_lines(text, width_in, size_pt=6)
    assert all(text_width_in(line, size_pt=6) <= width_in for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())
    cut = fitted_lines(text, width_in, size_pt=6, max_lines=1)
    assert cut == lines if len(lines) == 1 else cut[0].endswith("…") and text_width_in(cut[0], size_pt=6) <= width_in


def test_the_line_that_is_cut_is_the_last_that_is_shown() -> None:
    text = "swing the racket up and over the left shoulder"
    lines = fitted_lines(text, 0.8, size_pt=6)
    first, second = fitted_lines(text, 0.8, size_pt=6, max_lines=2)
    assert first == lines[0] and lines[1].startswith(second.removesuffix(" …")) and second.endswith("…")


def test_two_words_joined_by_a_no_break_space_stay_together() -> None:
    assert fitted_lines("swing up in tennis", 0.7, size_pt=6) == ["swing up in", "tennis"]
    assert fitted_lines("swing up in\u00a0tennis", 0.7, size_pt=6) == ["swing up", "in\u00a0tennis"]


def test_spread_moves_only_what_is_too_close() -> None:
    given = np.sort(np.random.default_rng(0).uniform(0, 10, 8))
    moved = spread(given, apart=1.2, low=0, high=10)
    assert (np.diff(moved) >= 1.2 - 1e-9).all() and moved[0] >= 0 and moved[-1] <= 10
    np.testing.assert_allclose(spread([1, 3, 5], apart=1.5, low=0, high=10), [1, 3, 5])
    np.testing.assert_allclose(spread([4, 4, 4], apart=5, low=0, high=4), [0, 2, 4])
