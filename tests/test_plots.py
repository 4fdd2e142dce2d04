"""Figures: real text that nowhere overlaps, the same bytes twice, inputs untouched, errors that say what to do."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import PowerNorm, to_rgba
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.markers import MarkerStyle
from matplotlib.patches import Rectangle
from matplotlib.text import Text
from numpy.typing import NDArray

from actalign import plots
from actalign.errors import ActAlignError
from actalign.plots.error_analysis import sport_confusion
from actalign.plots.figure import BLUE, GREY, INK, STYLE_FILE, VERMILLION
from actalign.plots.forest import Row, forest
from actalign.plots.main_results import PUBLISHED_LABEL
from actalign.plots.scales import COLORS
from actalign.plots.tsne import sport_keys
from actalign.records import Alignment
from actalign.report import score_text

matplotlib.use("Agg")

FRAMES = 60
TIMES_S = np.arange(FRAMES) / 15
LONG_STEPS = (
    "stand sideways with the racket held low behind the hip",
    "bend both knees deeply and coil the shoulders away from the net while the weight moves on to the back foot",
    "toss the ball high above the head with a straight arm",
    "reach up and snap the racket head over the ball at full stretch",
    "land on the front foot and let the racket swing across the body",
    "recover with two small steps towards the middle of the baseline",
)
SHORT_STEPS = tuple(f"{verb} {noun}" for verb in ("raise", "bend", "turn", "drop", "swing") for noun in ("arm", "knee"))
CANDIDATES = ("tennis-03a", "tennis-03b", "tennis-03c", "tennis-03d", "tennis-03e")
SPORTS = ("archery", "basketball", "diving", "fencing", "golf", "gymnastics", "tennis", "weightlifting")


@pytest.fixture(autouse=True)
def _close_figures() -> Iterator[None]:
    yield
    plt.close("all")


def _affinity(steps: int, *, seed: int = 0) -> NDArray[np.float64]:
    logits = np.random.default_rng(seed).normal(-4, 1.5, size=(steps, FRAMES))
    for frame in range(FRAMES):
        logits[frame * steps // FRAMES, frame] += 4
    return 1 / (1 + np.exp(-logits))


def _alignment(steps: int, *, score: float = 0.25) -> Alignment:
    """One sub-action after the other, each for an equal share of the frames."""
    path = np.array([(frame * steps // FRAMES, frame) for frame in range(FRAMES)], dtype=np.intp)
    return Alignment(score, score * FRAMES, path, np.full(steps, score))


def _panel(label: str, steps: tuple[str, ...], *, seed: int = 0) -> plots.MapPanel:
    count = len(steps)
    alignment = _alignment(count, score=0.25 + 0.01 * seed)
    return plots.MapPanel(label, _affinity(count, seed=seed), alignment, steps, boundaries_s=(1.0, 2.5))


def _frames() -> NDArray[np.uint8]:
    """Frame t is of one grey, 4 t."""
    return np.broadcast_to((4 * np.arange(FRAMES, dtype=np.uint8))[:, None, None, None], (FRAMES, 8, 8, 3)).copy()


def _curve() -> pd.DataFrame:
    rows = [(split, width, 80 - 0.1 * width, 76 - 0.1 * width, 84 - 0.1 * width)
            for split in ("validation", "test") for width in (0, 3, 5, 8, 12, 20, 30, 45)]  # fmt: skip
    return pd.DataFrame(rows, columns=["split", "width", "top1", "top1_low", "top1_high"])


def _results() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "method": ["random", "mean_pool_name", "dtw", "dtw_context", "dtw_context_smoothing"],
            "label": ["Random", "Mean pool, class name", "DTW", "DTW + context", "DTW + context + smoothing, w = 30"],
            "top1": [20.0, 22.3, 71.2, 84.5, 80.0],
            "top1_low": [20.0, 18.1, 66.9, 81.0, 76.0],
            "top1_high": [20.0, 26.4, 75.1, 87.9, 83.7],
            "n": 448,
            "n_total": 448,
        }
    )


def _published() -> pd.DataFrame:
    return pd.DataFrame({"method": ["Human", "ActAlign"], "top1": [61.64, 30.51], "top1_low": [np.nan, 27.6],
                         "top1_high": [np.nan, 33.6]})  # fmt: skip


def _rungs() -> pd.DataFrame:
    return _results().iloc[1:].assign(
        difference=[np.nan, 48.9, 13.3, -4.5], difference_low=[np.nan, 43.0, 9.4, -7.9],
        difference_high=[np.nan, 54.8, 17.2, 0.4],
    )  # fmt: skip


def _cloud() -> tuple[NDArray[np.float64], list[str]]:
    rng = np.random.default_rng(0)
    sports = [sport for sport in SPORTS for _ in range(6)]
    return np.repeat(rng.normal(size=(8, 2)), 6, axis=0) + 0.1 * rng.normal(size=(48, 2)), sports


def draw_candidates(width: float) -> Figure:
    panels = [_panel("(a) right, tennis-03b", LONG_STEPS), _panel("(b) wrong, tennis-03d", LONG_STEPS[:4], seed=1)]
    figure = plots.new_figure(width, plots.candidates_height_in(panels, strip_in=0.6))
    plots.candidates(panels, figure, times_s=TIMES_S, frames_thwc=_frames(), thumbnails=6, gamma=0.5)
    return figure


def draw_tsne(width: float) -> Figure:
    points, sports = _cloud()
    return _draw_tsne(width, points, sports)


def draw_tsne_of_many_sports(width: float) -> Figure:
    """56 sports, as many as ActionAtlas has, some with long names."""
    sports = [f"sport {turn % 56}{' of a rather long name' if turn % 3 else ''}" for turn in range(300)]
    return _draw_tsne(width, np.random.default_rng(0).normal(size=(300, 2)), sports)


def _draw_tsne(width: float, points: NDArray[np.float64], sports: list[str]) -> Figure:
    figure = plots.new_figure(width, plots.tsne_pair_height_in(width, sports=sports))
    plots.tsne_pair((points, 0.12), (2 * points, 0.41), figure, sports=sports)
    return figure


def draw_vague(width: float, *, candidates: tuple[str, ...] = CANDIDATES, label: str = "") -> Figure:
    scores = np.array([0.021, 0.019, 0.024, 0.017, 0.012])
    panels = [
        plots.ScriptPanel(_panel(f"(a) short-fixed{label}", SHORT_STEPS), candidates, scores, answer=1),
        plots.ScriptPanel(_panel("(b) context-rich", LONG_STEPS, seed=1), candidates, 2 * scores[::-1], answer=1),
    ]
    wrap = plots.letters_a_line(width)
    figure = plots.new_figure(width, plots.vague_script_height_in(panels, width_in=width, wrap=wrap))
    plots.vague_script(panels, figure, times_s=TIMES_S, gamma=0.5, wrap=wrap)
    return figure


def draw_vague_with_long_names(width: float) -> Figure:
    names = tuple(f"{name}: {LONG_STEPS[1]}" for name in CANDIDATES)
    return draw_vague(width, candidates=names, label=f" {LONG_STEPS[1]}")


def draw_vague_of_many_candidates(width: float) -> Figure:
    names = tuple(f"candidate {place}: {LONG_STEPS[1]}" for place in range(25))
    scores = np.linspace(0.1, 0.9, len(names))
    panels = [plots.ScriptPanel(_panel("", LONG_STEPS), names, scores, answer=3) for _ in range(2)]
    figure = plots.new_figure(width, plots.vague_script_height_in(panels, width_in=width, wrap=24))
    plots.vague_script(panels, figure, times_s=TIMES_S, wrap=24)
    return figure


def draw_smoothing_of_one_step(width: float) -> Figure:
    panels = [_panel("(a) no smoothing", ("toss $x$ up_",)), _panel("(b) w = 30", ("toss $x$ up_",), seed=1)]
    figure = plots.new_figure(width, plots.smoothing_height_in(panels, width_in=width))
    plots.smoothing(panels, _curve(), figure, times_s=TIMES_S, frame_rate=15)
    return figure


def draw_smoothing(width: float) -> Figure:
    panels = [_panel("(a) no smoothing", LONG_STEPS), _panel("(b) w = 30", LONG_STEPS, seed=1)]
    wrap = plots.letters_a_line(width)
    figure = plots.new_figure(width, plots.smoothing_height_in(panels, width_in=width, wrap=wrap))
    plots.smoothing(
        panels, _curve(), figure, times_s=TIMES_S, frame_rate=15, chosen_width=5, chance=20, gamma=0.5, wrap=wrap
    )
    return figure


def draw_main(width: float) -> Figure:
    figure = plots.new_figure(width, plots.main_results_height_in(_results(), _published()))
    plots.main_results(
        _results(), figure.subplots(), data_label="Embedded sample", chance=20, highlight=("dtw_context",),
        published=_published(), numbers=width > 5,
    )  # fmt: skip
    return figure


def draw_ablation(width: float) -> Figure:
    figure = plots.new_figure(width, plots.ablation_height_in(_rungs()))
    plots.ablation(_rungs(), figure, chance=20)
    return figure


DRAWERS: dict[str, tuple[Callable[[float], Figure], float]] = {
    "candidates": (draw_candidates, plots.PAGE_WIDTH_IN),
    "candidates_column": (draw_candidates, plots.COLUMN_WIDTH_IN),
    "tsne": (draw_tsne, plots.PAGE_WIDTH_IN),
    "tsne_column": (draw_tsne, plots.COLUMN_WIDTH_IN),
    "tsne_many": (draw_tsne_of_many_sports, plots.PAGE_WIDTH_IN),
    "tsne_many_column": (draw_tsne_of_many_sports, plots.COLUMN_WIDTH_IN),
    "vague": (draw_vague, plots.PAGE_WIDTH_IN),
    "vague_column": (draw_vague, plots.COLUMN_WIDTH_IN),
    "vague_long": (draw_vague_with_long_names, plots.PAGE_WIDTH_IN),
    "vague_long_column": (draw_vague_with_long_names, plots.COLUMN_WIDTH_IN),
    "vague_many": (draw_vague_of_many_candidates, plots.PAGE_WIDTH_IN),
    "vague_many_column": (draw_vague_of_many_candidates, plots.COLUMN_WIDTH_IN),
    "smoothing_one": (draw_smoothing_of_one_step, plots.PAGE_WIDTH_IN),
    "smoothing_one_column": (draw_smoothing_of_one_step, plots.COLUMN_WIDTH_IN),
    "smoothing": (draw_smoothing, plots.PAGE_WIDTH_IN),
    "smoothing_column": (draw_smoothing, plots.COLUMN_WIDTH_IN),
    "main": (draw_main, plots.PAGE_WIDTH_IN),
    "main_column": (draw_main, plots.COLUMN_WIDTH_IN),
    "ablation": (draw_ablation, plots.PAGE_WIDTH_IN),
}
every_figure = pytest.mark.parametrize("name", DRAWERS)


def _draw(name: str) -> Figure:
    drawer, width = DRAWERS[name]
    with plots.style():
        figure = drawer(width)
        figure.draw_without_rendering()
    return figure


def _texts(figure: Figure) -> list[Text]:
    """Every text on the page, tick labels that are off the axis left out."""
    off = set()
    every: list[Any] = figure.findobj(lambda artist: hasattr(artist, "xaxis"))  # a secondary axis is no Axes
    for ax in every:
        for axis in (ax.xaxis, ax.yaxis):
            low, high = sorted(axis.get_view_interval())
            drawn = axis.get_major_ticks()
            for tick in axis.majorTicks:  # some are left from another layout
                if tick not in drawn or not ax.axison or not low <= tick.get_loc() <= high:
                    off |= {tick.label1, tick.label2}
    found = [text for text in figure.findobj(Text) if isinstance(text, Text) and text.get_text().strip()]
    return [text for text in found if text.get_visible() and text not in off]


def _overlaps(texts: list[Text]) -> list[tuple[str, str]]:
    boxes = [text.get_window_extent().padded(-0.5) for text in texts]
    pairs = combinations(zip(texts, boxes, strict=True), 2)
    return [(a.get_text(), b.get_text()) for (a, box_a), (b, box_b) in pairs if box_a.overlaps(box_b)]


def _points(line: Line2D) -> list[list[float]]:
    points: list[list[float]] = np.asarray(line.get_xydata()).tolist()
    return points


@every_figure
def test_no_text_lies_over_another_or_off_the_page(name: str) -> None:
    figure = _draw(name)
    texts = _texts(figure)
    assert len(texts) > 5
    assert _overlaps(texts) == []
    page = figure.bbox.padded(1)
    outside = [text.get_text() for text in texts if not page.containsx(text.get_window_extent().x1)
               or not page.containsx(text.get_window_extent().x0) or not page.containsy(text.get_window_extent().y1)
               or not page.containsy(text.get_window_extent().y0)]  # fmt: skip
    assert outside == []


@pytest.mark.parametrize("name", [name for name in DRAWERS if "column" not in name])
def test_same_inputs_give_the_same_bytes(name: str, tmp_path: Path) -> None:
    for run in ("first", "second"):
        with plots.style():
            plots.save_figure(DRAWERS[name][0](DRAWERS[name][1]), "figure", folder=tmp_path / run)
    for suffix in ("pdf", "svg", "png"):
        first, second = (tmp_path / run / f"figure.{suffix}" for run in ("first", "second"))
        assert first.read_bytes() == second.read_bytes(), suffix


SAVE_ONE = """
import sys, matplotlib
matplotlib.use("Agg")
matplotlib.rcParams["font.size"] = float(sys.argv[2])
from pathlib import Path
import numpy as np
from actalign import plots
assert not {"torch", "transformers", "av", "openai"} & set(sys.modules), "the core stays light"
with plots.style():
    figure = plots.new_figure()
    plots.heat_map(np.eye(3, 9), None, figure.subplots(), steps=["toss", "hit", "land"], label="clean")
    plots.save_figure(figure, "one", folder=Path(sys.argv[1]))
"""


def test_bytes_do_not_depend_on_the_process_or_the_users_settings(tmp_path: Path) -> None:
    for run, size in (("1", "9"), ("2", "20")):
        environment = {**os.environ, "PYTHONHASHSEED": run, "SOURCE_DATE_EPOCH": run}
        command = [sys.executable, "-c", SAVE_ONE, str(tmp_path / run), size]
        subprocess.run(command, check=True, env=environment, cwd=Path(plots.__file__).parents[2])
    for suffix in ("pdf", "svg", "png"):
        assert (tmp_path / "1" / f"one.{suffix}").read_bytes() == (tmp_path / "2" / f"one.{suffix}").read_bytes(), (
            suffix
        )


def test_letters_are_those_of_matplotlibs_own_font_whatever_the_system_has(tmp_path: Path) -> None:
    own = Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")
    system = tmp_path / own.name
    system.write_bytes(own.read_bytes())
    program = f"""
from dataclasses import replace
from matplotlib.font_manager import findfont, fontManager
own = next(font for font in fontManager.ttflist if font.fname.endswith("/DejaVuSans.ttf"))
fontManager.ttflist.insert(0, replace(own, fname={str(system)!r}))
import actalign.plots
print(findfont("DejaVu Sans"))
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == str(own.resolve())


def test_files_hold_real_text_no_dates_and_300_dpi(tmp_path: Path) -> None:
    pdf, svg, png = plots.save_figure(_draw("candidates"), "fig_4", folder=tmp_path)
    text = svg.read_text(encoding="utf-8")
    for words in ("1. stand sideways with the", "racket held low behind the hip", "Affinity (Eq. 9)", "score 0.25"):
        assert words in text
    assert "<dc:date>" not in text
    assert b"/FontFile2" in pdf.read_bytes() and b"/Type3" not in pdf.read_bytes()
    assert b"CreationDate" not in pdf.read_bytes()
    assert plt.imread(png).shape[1] == round(300 * plots.PAGE_WIDTH_IN)


def test_an_unchanged_figure_is_saved_again_with_the_same_bytes_and_a_changed_one_with_others(tmp_path: Path) -> None:
    figure = _draw("ablation")
    old = {path: path.read_bytes() for path in plots.save_figure(figure, "same", folder=tmp_path)}
    for path in old:
        os.utime(path, (0, 0))
    plots.save_figure(figure, "same", folder=tmp_path)
    assert {path: path.read_bytes() for path in old} == old
    assert all(path.stat().st_mtime > 0 for path in old), "the runner must see that this run saved them"
    figure.axes[0].set_xlabel("Another label")
    plots.save_figure(figure, "same", folder=tmp_path)
    assert all(path.read_bytes() != content for path, content in old.items())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["same.pdf", "same.png", "same.svg"]


def test_a_failed_save_keeps_the_earlier_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    figure = _draw("ablation")
    old = {path: path.read_bytes() for path in plots.save_figure(figure, "same", folder=tmp_path)}
    figure.axes[0].set_xlabel("Another label")

    def full_disk(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full_disk)
    with pytest.raises(ActAlignError, match="No space left"):
        plots.save_figure(figure, "same", folder=tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == old


def test_saving_into_a_file_or_with_a_path_as_stem_says_so(tmp_path: Path) -> None:
    figure = _draw("ablation")
    (tmp_path / "taken").write_text("")
    with pytest.raises(ActAlignError, match="another folder"):
        plots.save_figure(figure, "curve", folder=tmp_path / "taken")
    with pytest.raises(ActAlignError, match="plain file name"):
        plots.save_figure(figure, "../curve", folder=tmp_path)


def test_style_is_packaged_and_ends_with_its_block() -> None:
    assert STYLE_FILE.is_file()
    before = matplotlib.rcParams["font.size"]
    with plots.style():
        assert matplotlib.rcParams["font.size"] == 7
        assert matplotlib.rcParams["svg.fonttype"] == "none"
    assert matplotlib.rcParams["font.size"] == before


@pytest.mark.parametrize(("width_in", "height_in"), [(3.35, 1.2), (3.35, 2.4), (6.9, 3.0)])
@pytest.mark.parametrize("steps", [LONG_STEPS, SHORT_STEPS], ids=["long", "ten"])
def test_step_labels_fit_any_height(steps: tuple[str, ...], width_in: float, height_in: float) -> None:
    with plots.style():
        figure = plots.new_figure(width_in, height_in)
        ax = plots.heat_map(_affinity(len(steps)), _alignment(len(steps)), figure.subplots(), steps=steps)
        figure.draw_without_rendering()
    boxes = [label.get_window_extent() for label in ax.get_yticklabels()]
    assert len(boxes) == len(steps)
    assert all(upper.y0 > lower.y1 for upper, lower in pairwise(boxes))


def test_step_labels_are_whole_in_a_figure_of_the_height_asked_for() -> None:
    maps = _draw("candidates").axes[:2]
    shown = [" ".join(label.get_text().split()) for ax in maps for label in ax.get_yticklabels()]
    expected = [f"{i}. {step}" for steps in (LONG_STEPS, LONG_STEPS[:4]) for i, step in enumerate(steps, 1)]
    assert shown == expected


def test_heat_map_draws_the_matrix_and_the_path_forward_in_time() -> None:
    affinity, alignment = _affinity(3), _alignment(3)
    ax = Figure().subplots()
    assert plots.heat_map(affinity, alignment, ax, steps=["a", "b", "c"], times_s=TIMES_S, boundaries_s=[1.0]) is ax
    (mesh,) = ax.collections
    assert isinstance(mesh, QuadMesh)
    np.testing.assert_array_equal(np.asarray(mesh.get_array()).reshape(3, FRAMES), affinity)
    corners = np.asarray(mesh.get_coordinates())
    np.testing.assert_allclose((corners[0, 1:, 0] + corners[0, :-1, 0]) / 2, TIMES_S, atol=1e-9)
    np.testing.assert_array_equal(corners[:, 0, 1], [-0.5, 0.5, 1.5, 2.5])
    path = next(line for line in ax.lines if line.get_gid() == "path")
    np.testing.assert_array_equal(path.get_xdata(), TIMES_S)
    np.testing.assert_array_equal(path.get_ydata(), alignment.path[:, 0])
    assert len(path.get_path_effects()) == 2  # an outline, so that it shows on dark and on light
    assert ax.get_ylim()[0] > ax.get_ylim()[1]  # the first step is on top
    assert ax.get_xlabel() == "Time (s)"
    assert [text.get_text() for text in ax.texts] == ["score 0.250"]


def test_thumbnails_stand_over_their_own_time() -> None:
    ax = Figure().subplots()
    plots.heat_map_with_frames(
        _affinity(2), None, ax, frames_thwc=_frames(), steps=["a", "b"], times_s=TIMES_S, thumbnails=4
    )
    (strip,) = ax.child_axes
    assert strip.get_xlim() == ax.get_xlim()
    for image in strip.images:
        left, right, *_ = image.get_extent()
        frame = int(np.asarray(image.get_array())[0, 0, 0]) // 4
        assert abs(TIMES_S[frame] - (left + right) / 2) <= 0.5 / 15 + 1e-9


def test_compared_maps_share_one_color_scale() -> None:
    figure = _draw("candidates")
    first, second = (ax.collections[0].norm for ax in figure.axes[:2])
    assert first is second
    assert first.vmin == 0
    assert first.vmax == max(_affinity(6).max(), _affinity(4, seed=1).max())
    assert "Affinity (Eq. 9)" in [ax.get_ylabel() for ax in figure.axes]


def test_thumbnails_stand_upright_and_keep_their_shape() -> None:
    with plots.style():
        figure = plots.new_figure(plots.PAGE_WIDTH_IN, 3)
        ax = plots.heat_map_with_frames(
            _affinity(2), None, figure.subplots(), frames_thwc=np.zeros((FRAMES, 9, 16, 3), np.uint8),
            steps=["a", "b"], times_s=TIMES_S, thumbnails=12,
        )  # fmt: skip
        figure.draw_without_rendering()
    for image in ax.child_axes[0].images:
        *_, bottom, top = image.get_extent()
        box = image.get_window_extent()
        assert bottom < top and box.width / box.height == pytest.approx(16 / 9)


def test_above_the_maps_stand_as_many_frames_as_asked() -> None:
    assert len(_draw("candidates").axes[0].child_axes[0].images) == 6


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("candidates", ("(a) right, tennis-03b", "(b) wrong, tennis-03d")),
        ("smoothing", ("(a) no smoothing", "(b) w = 30")),
        ("vague", ("(a) short-fixed", "(b) context-rich")),
    ],
)
def test_every_map_stands_under_its_own_name_score_and_boundaries(name: str, labels: tuple[str, ...]) -> None:
    maps = [ax for ax in _draw(name).axes if any(line.get_gid() == "path" for line in ax.lines)]
    for seed, (ax, label) in enumerate(zip(maps, labels, strict=True)):
        (boundaries,) = (line for line in ax.lines if line.get_gid() == "boundaries")
        assert [second for second, _ in _points(boundaries)] == [1.0, 2.5]
        written = [text.get_text() for text in ax.findobj(Text) if isinstance(text, Text)]
        assert f"{label}, score 0.2{5 + seed}0" in written
        drawn = np.asarray(ax.collections[0].get_array())
        np.testing.assert_array_equal(drawn, _affinity(len(ax.get_yticks()), seed=seed))
    assert [ax.get_xlabel() for ax in maps] == ["", "Time (s)"]
    assert [ax.xaxis.get_tick_params().get("labelbottom", True) for ax in maps] == [False, True]


@pytest.mark.parametrize("name", ["candidates", "smoothing", "vague"])
def test_maps_and_colour_bar_share_one_scale_that_is_bent_as_asked(name: str) -> None:
    meshes = [mesh for mesh in _draw(name).findobj(QuadMesh) if isinstance(mesh, QuadMesh)]
    assert len(meshes) == 3, "two maps and the bar"
    assert all(mesh.norm is meshes[0].norm and mesh.get_cmap().name == COLORS for mesh in meshes)
    assert isinstance(meshes[0].norm, PowerNorm) and meshes[0].norm.gamma == 0.5


@pytest.mark.parametrize("gamma", [0, -1, float("nan")])
def test_colours_that_would_say_nothing_or_the_opposite_are_refused(gamma: float) -> None:
    with pytest.raises(ActAlignError, match=f"gamma is {gamma}; give a number above 0"):
        plots.color_scale([_affinity(2)], gamma=gamma)


def test_maps_of_one_frame_or_one_step() -> None:
    with plots.style():
        axes = plots.new_figure().subplots(1, 2)
        plots.heat_map(np.array([[0.2], [0.1]]), None, axes[0], steps=["a", "b"], times_s=np.array([0.5]))
        plots.heat_map(np.zeros((1, 5)), None, axes[1], steps=["a"])
    assert axes[0].get_xlim() == (0.0, 1.0)
    assert axes[1].get_ylim() == (0.5, -0.5)


def test_ranking_puts_the_best_on_top_and_marks_the_true_one() -> None:
    ax = plots.ranking(CANDIDATES, np.array([0.1, 0.3, 0.5, 0.3, 0.2]), Figure().subplots(), answer=1)
    names = [label.get_text() for label in ax.get_yticklabels()]
    assert names == ["tennis-03c", "tennis-03b (right)", "tennis-03d", "tennis-03e", "tennis-03a"]
    assert [label.get_fontweight() for label in ax.get_yticklabels()] == ["normal", "bold", *["normal"] * 3]
    colors = [bar.get_facecolor() for bar in ax.patches]
    assert len(set(colors)) == 2 and colors.count(colors[1]) == 1


def test_bars_of_a_ranking_are_as_long_as_the_numbers_beside_them_and_begin_at_zero() -> None:
    ax = plots.ranking(CANDIDATES, np.array([0.1, 0.3, 0.5, -0.2, 0.2]), Figure().subplots(), answer=1)
    best = [0.5, 0.3, 0.2, 0.1, -0.2]
    assert [bar.get_width() for bar in ax.patches if isinstance(bar, Rectangle)] == best
    assert [text.get_text() for text in ax.texts] == [score_text(value) for value in best]
    assert [getattr(text, "xy", None) for text in ax.texts] == [(max(value, 0), y) for y, value in enumerate(best)]
    assert ax.get_ylim()[0] > ax.get_ylim()[1], "the best is on top"
    assert [x for x, _ in _points(ax.lines[0])] == [0, 0]
    assert plots.ranking(["a"], np.array([0.9]), Figure().subplots(), answer=0).get_xlim()[0] == 0


def test_each_style_ranks_by_its_own_scores_on_the_axis_of_both() -> None:
    first, second = (ax for ax in _draw("vague").axes if len(ax.patches) == len(CANDIDATES))
    for ax, place, highest in ((first, 2, 0.024), (second, 3, 0.048)):
        assert [text.get_text() for text in ax.get_yticklabels()][place] == "tennis-03b (right)"
        assert ax.texts[0].get_text() == score_text(highest)
    assert first.get_xlim() == second.get_xlim()


@pytest.mark.parametrize(
    ("scores", "lowest"),
    [
        (np.linspace(-0.7, 0.1, 5), "0.700"),
        (np.linspace(-0.001, 0.5, 5), "0.00100"),
        (np.full(5, -1e-6), "1.00e\N{MINUS SIGN}06"),
    ],
)
def test_numbers_below_zero_stand_clear_of_the_names_and_have_a_minus_sign(
    scores: NDArray[np.float64], lowest: str
) -> None:
    panels = [plots.ScriptPanel(_panel("", LONG_STEPS), CANDIDATES, scores, answer=1)]
    with plots.style():
        figure = plots.new_figure(plots.PAGE_WIDTH_IN, plots.vague_script_height_in(panels))
        _, bars = plots.vague_script(panels, figure, times_s=TIMES_S)
        figure.draw_without_rendering()
    assert bars.texts[-1].get_text() == "\N{MINUS SIGN}" + lowest
    extents = [text.get_window_extent() for text in bars.texts]
    assert min(extent.x0 for extent in extents) > bars.get_window_extent().x0
    assert max(extent.x1 for extent in extents) <= figure.bbox.x1


def test_tsne_gives_every_sport_a_colour_and_marker_of_its_own() -> None:
    points, sports = _cloud()
    ax = plots.tsne(points, sports, Figure().subplots(), label="(a)", silhouette=0.123)
    assert [text.get_text() for text in ax.texts] == ["(a), silhouette 0.12"]
    legend = ax.get_legend()
    assert legend is not None and [text.get_text() for text in legend.get_texts()] == list(SPORTS)
    assert sum(len(np.asarray(group.get_offsets())) for group in ax.collections) == len(points)
    keys = list(sport_keys(SPORTS).values())
    assert len({color for color, _ in keys}) == len({marker for _, marker in keys}) == 8


def test_both_panels_hold_their_own_points_in_the_colours_of_the_legend() -> None:
    points, sports = _cloud()
    figure = Figure()
    axes = plots.tsne_pair((points, 0.12), (2 * points, 0.41), figure, sports=sports)
    labels = ["(a) steps alone, silhouette 0.12", "(b) steps in their sport, silhouette 0.41"]
    assert [ax.texts[0].get_text() for ax in axes] == labels
    keys = zip(figure.legends[0].get_texts(), figure.legends[0].get_lines(), strict=True)
    named = {text.get_text(): (line.get_color(), line.get_marker()) for text, line in keys}
    assert named == sport_keys(sports)
    for ax, drawn in zip(axes, (points, 2 * points), strict=True):
        for group, sport in zip(ax.collections, SPORTS, strict=True):
            np.testing.assert_array_equal(np.asarray(group.get_offsets()), drawn[np.array(sports) == sport])
            color, marker = named[sport]
            assert tuple(np.asarray(group.get_facecolor())[0][:3]) == to_rgba(color)[:3]
            shape = MarkerStyle(str(marker)).get_path().transformed(MarkerStyle(str(marker)).get_transform())
            np.testing.assert_array_equal(np.asarray(group.get_paths()[0].vertices), np.asarray(shape.vertices))
        assert ax.get_aspect() == 1, "distances mean the same across and up"
        for limits, values in ((ax.get_xlim(), drawn[:, 0]), (ax.get_ylim(), drawn[:, 1])):
            assert limits[0] < values.min() and values.max() < limits[1]


def test_of_more_than_eight_sports_the_commonest_have_a_colour_and_the_rest_is_grey() -> None:
    sports = [f"sport {place:02d}" for place in range(12) for _ in range(1 + (place >= 4))]
    ax = plots.tsne(np.random.default_rng(0).normal(size=(len(sports), 2)), sports, Figure().subplots())
    assert list(sport_keys(sports)) == [f"sport {place:02d}" for place in range(4, 12)]
    legend = ax.get_legend()
    assert legend is not None
    names = [text.get_text() for text in legend.get_texts()]
    assert names == [*sport_keys(sports), "4 other sports"]
    assert to_rgba(legend.get_lines()[-1].get_color()) == tuple(np.asarray(ax.collections[0].get_facecolor())[0])
    sizes = [len(np.asarray(group.get_offsets())) for group in ax.collections]
    assert sizes == [4, *[2] * 8], "the grey dots come first, below the others"
    assert list(sport_keys([*SPORTS, "zumba"])) == list(SPORTS), "ties go by name"


def test_a_panel_name_too_long_for_the_figure_is_cut_before_its_score() -> None:
    with plots.style():
        figure = plots.new_figure(plots.COLUMN_WIDTH_IN, 1.5)
        ax = figure.subplots()
        plots.heat_map(_affinity(2), _alignment(2), ax, steps=["a", "b"], label=f"(a) right: {LONG_STEPS[1]}")
        for _ in range(2):  # drawing again cuts the whole name, not the cut one
            figure.draw_without_rendering()
            (label,) = (text for text in ax.texts if text.get_text().endswith("…, score 0.250"))
            assert label.get_text().startswith("(a) right: bend both knees")
            assert label.get_window_extent().x1 <= figure.bbox.x1 + 1
        figure.set_size_inches(9, 1.5)
        figure.draw_without_rendering()
    assert label.get_text() == f"(a) right: {LONG_STEPS[1]}, score 0.250"


def test_a_dollar_sign_in_a_name_is_a_dollar_sign() -> None:
    figure = _draw("smoothing_one")
    (first, *_) = [text for ax in figure.axes for text in ax.get_yticklabels() if "toss" in text.get_text()]
    assert first.get_text() == "1. toss $x$ up_" and not first.get_parse_math()


def test_the_axis_of_a_narrow_panel_is_named_inside_the_figure() -> None:
    table = _results().assign(label="DTW + context + validated smoothing (w = 5) [reference]")
    with plots.style():
        figure = plots.new_figure(plots.COLUMN_WIDTH_IN, plots.main_results_height_in(table))
        ax = plots.main_results(table, figure.subplots(), data_label="Sample", numbers=False)
        figure.draw_without_rendering()
        box = ax.xaxis.label.get_window_extent()
    assert box.x0 >= 0 and box.x1 <= figure.bbox.x1


def test_names_are_never_read_as_mathematics_which_a_reader_may_still_write() -> None:
    name = r"from $100 to $200, $\foo{$ or $^$"
    with plots.style():
        figure = plots.new_figure(plots.PAGE_WIDTH_IN, 4.0)
        plots.main_results(_results().assign(method=name), figure.subplots(), data_label=name)
        flow = plots.new_figure(plots.PAGE_WIDTH_IN, 4.0)
        plots.script_flow(name, "$b$", {name: (f"{name} in $b$", "$a$ in $b$")}, flow)
        sports = plots.new_figure(plots.PAGE_WIDTH_IN, 4.0)
        left, right = sports.subplots(1, 2)
        plots.tsne(np.zeros((2, 2)), [name, "$b$"], left)
        sport_confusion(pd.DataFrame({"sport": name, "relation": ["right", "same steps"], "n": [3, 1]}), right)
        for drawn in (figure, flow, sports):
            drawn.draw_without_rendering()
            named = [text for text in drawn.findobj(Text) if "$" in text.get_text()]
            assert len(named) > 1 and not any(text.get_parse_math() for text in named)
        assert flow.text(0, 0, "$w$").get_parse_math()


def test_the_curve_keeps_its_height_beside_maps_of_one_step() -> None:
    for name in ("smoothing_one", "smoothing_one_column"):
        figure = _draw(name)
        (curve,) = (ax for ax in figure.axes if ax.get_ylabel() == "Top-1 accuracy (%)")
        assert curve.get_window_extent().height / figure.dpi > 1


def test_in_a_column_panels_stand_one_below_the_other() -> None:
    for name in ("vague", "smoothing"):
        wide, narrow = (
            [ax.get_window_extent() for ax in _draw(which).axes if ax.get_label() != "<colorbar>"]
            for which in (name, f"{name}_column")
        )
        assert len({round(box.x0) for box in wide}) == 2, "side by side on a page"
        assert all(upper.y0 > lower.y1 for upper, lower in pairwise(narrow))


def test_the_table_of_maps_holds_every_cell_once_and_the_path() -> None:
    panels = [_panel("(a)", LONG_STEPS), _panel("(b)", SHORT_STEPS, seed=1)]
    table = plots.map_table(panels, times_s=TIMES_S)
    assert len(table) == (len(LONG_STEPS) + len(SHORT_STEPS)) * FRAMES
    assert not table.duplicated(["panel", "step_number", "time_s"]).any()
    for panel in panels:
        rows = table[table["panel"] == panel.label]
        grid = rows.pivot(index="step_number", columns="time_s", values="affinity")
        np.testing.assert_array_equal(grid.to_numpy(), panel.affinity_kt)
        assert panel.alignment is not None
        on_path = rows[rows["on_path"]]
        assert set(zip(on_path["step_number"] - 1, on_path["time_s"], strict=True)) == {
            (int(step), float(TIMES_S[frame])) for step, frame in panel.alignment.path
        }
        assert rows.groupby("step_number")["step"].unique().explode().tolist() == list(panel.steps)


def test_smoothing_curve_marks_both_widths_and_reads_in_seconds() -> None:
    figure = Figure()
    ax = plots.accuracy_over_width(_curve(), figure.subplots(), frame_rate=15, chosen_width=5)
    legend = ax.get_legend()
    assert legend is not None
    names = [text.get_text() for text in legend.get_texts()]
    assert names == ["validation", "test", "chosen on validation, w = 5", "paper, w = 30"]
    (seconds,) = ax.child_axes
    figure.draw_without_rendering()
    assert seconds.get_xlim() == pytest.approx(np.array(ax.get_xlim()) / 15)
    assert seconds.get_xlabel() == "w (seconds)"
    marks = {line.get_label(): np.unique(np.asarray(line.get_xdata())).tolist() for line in ax.lines[-2:]}
    assert marks == {names[2]: [5], names[3]: [30]}
    same = plots.accuracy_over_width(_curve(), Figure().subplots(), frame_rate=15, chosen_width=30).get_legend()
    assert same is not None
    assert [text.get_text() for text in same.get_texts()][2:] == ["chosen on validation = paper, w = 30"]
    guessed = plots.accuracy_over_width(_curve(), Figure().subplots(), frame_rate=15, chance=100 / 3)
    (line,) = [line for line in guessed.lines if line.get_label() == "chance, 33.3%"]
    assert np.unique(np.asarray(line.get_ydata())) == pytest.approx([100 / 3]) and guessed.get_ylim()[0] < 100 / 3


def test_each_split_has_its_own_points_and_intervals_at_their_widths() -> None:
    table = _curve().assign(top1_low=lambda rows: rows["top1"] - 9)
    table.loc[table["split"] == "test", ["top1", "top1_low", "top1_high"]] += 5
    ax = plots.accuracy_over_width(table.iloc[::-1], Figure().subplots(), frame_rate=15)
    for drawn, split in zip(ax.containers, ("validation", "test"), strict=True):
        rows, (points, _, (bars,)) = table[table["split"] == split], drawn
        assert drawn.get_label() == split
        np.testing.assert_array_equal(points.get_ydata(), rows["top1"])
        assert np.abs(points.get_xdata() - rows["width"]).max() < 0.5, "side by side, but nearest to their own width"
        ends = np.array(bars.get_segments())[:, :, 1]
        np.testing.assert_allclose(ends, rows[["top1_low", "top1_high"]])


def test_beside_the_smoothed_maps_the_curve_names_the_chosen_width_and_chance() -> None:
    (legend,) = (legend for ax in _draw("smoothing").axes if (legend := ax.get_legend()))
    names = [text.get_text() for text in legend.get_texts()]
    assert names == ["validation", "test", "chance, 20%", "chosen on validation, w = 5", "paper, w = 30"]


def test_a_smoothing_curve_of_ties_is_drawn_although_its_interval_is_off_by_a_rounding() -> None:
    third = 100 / 3  # of three candidates that tie in every clip
    tied = _curve().assign(top1=third, top1_low=np.nextafter(third, 100), top1_high=np.nextafter(third, 0))
    plots.accuracy_over_width(tied, Figure().subplots(), frame_rate=15)


def test_main_results_keep_the_published_rows_apart() -> None:
    ax = plots.main_results(
        _results(), Figure().subplots(), data_label="Sample", chance=20, highlight=("dtw",), published=_published()
    )
    names = [label.get_text() for label in ax.get_yticklabels()]
    assert names == ["Sample (N = 448 of 448)", *_results()["label"], PUBLISHED_LABEL, "Human", "ActAlign"]
    chance = next(line for line in ax.lines if line.get_linestyle() == "--")
    assert np.max(np.asarray(chance.get_ydata())) < names.index(PUBLISHED_LABEL)
    numbers = [text.get_text() for text in ax.texts]
    assert "71.2 [66.9, 75.1]" in numbers and "61.6" in numbers and "chance 20" in numbers


def _intervals(ax: Axes) -> list[list[float]]:
    """From where to where each row's interval reaches."""
    return [[x for x, _ in _points(line)] for line in ax.lines if line.get_solid_capstyle() == "butt"]


def _looks(ax: Axes) -> list[tuple[object, ...]]:
    """Marker, colour and filling of each row's dot."""
    return [(line.get_marker(), line.get_color(), line.get_markerfacecolor()) for line in ax.lines
            if line.get_marker() in ("o", "s")]  # fmt: skip


def test_a_row_has_its_dot_its_interval_and_its_numbers_at_one_height_the_first_on_top() -> None:
    rows = [Row("a", 20, 10, 35, color=BLUE), Row("b", 60, 55, 62, color=GREY, filled=False), Row("c", 80, 71, 95)]
    ax = forest(rows, Figure().subplots())
    assert ax.get_ylim()[0] > ax.get_ylim()[1]
    for y, (row, bar, dot) in enumerate(zip(rows, ax.lines[::2], ax.lines[1::2], strict=True)):
        assert _points(bar) == [[row.low, y], [row.high, y]] and bar.get_color() == row.color
        assert _points(dot) == [[row.value, y]] and dot.get_color() == row.color
        assert ax.texts[y].get_text() == row.numbers and getattr(ax.texts[y], "xy", None) == (1, y)


def test_in_the_main_results_what_is_highlighted_stands_out_and_chance_is_where_it_says() -> None:
    ax = plots.main_results(
        _results(), Figure().subplots(), data_label="Sample", chance=20, highlight=("dtw",), published=_published()
    )
    hollow, filled = ("o", INK, "white"), ("o", BLUE, BLUE)
    assert _looks(ax) == [hollow, hollow, filled, hollow, hollow, *[("s", GREY, "white")] * 2]
    assert _intervals(ax)[2] == [66.9, 75.1] and _intervals(ax)[-1] == [27.6, 33.6]
    (divider,) = (_points(line) for line in ax.lines if [x for x, _ in _points(line)] == [0, 1])
    assert 5 < divider[0][1] < 6, "between the last own row and the published ones' heading"
    (chance,) = (line for line in ax.lines if line.get_linestyle() == "--")
    (said,) = (text for text in ax.texts if text.get_text() == "chance 20")
    assert [x for x, _ in _points(chance)] == [20, 20] and getattr(said, "xy", None) == (20, 0)
    assert ax.get_xlabel() == "Top-1 (%), 95% interval"


def test_main_results_say_each_n_where_it_differs_and_each_style_where_names_repeat() -> None:
    table = _results().assign(n=[448, 448, 440, 448, 448], label="DTW", style=list("abcde"))
    ax = plots.main_results(table, Figure().subplots(), data_label="Sample")
    assert [label.get_text() for label in ax.get_yticklabels()][:3] == ["Sample", "DTW, a", "DTW, b"]
    assert any(text.get_text().endswith("N = 440 of 448") for text in ax.texts)


def test_ablation_fills_only_the_differences_that_leave_zero_out() -> None:
    ax = plots.differences(_rungs(), Figure().subplots())
    dots = [line for line in ax.lines if line.get_marker() == "o"]
    assert [dot.get_markerfacecolor() != "white" for dot in dots] == [True, True, False]
    assert [text.get_text() for text in ax.texts] == [
        "–", "+48.9 [+43.0, +54.8]", "+13.3 [+9.4, +17.2]", "−4.5 [−7.9, +0.4]"
    ]  # fmt: skip
    low, high = ax.get_xlim()
    assert low < -7.9 and high > 54.8
    assert [x for x, _ in _points(ax.lines[0])] == [0, 0] and ax.get_xlabel() == "Paired difference (points)"


def test_a_difference_is_red_only_where_its_interval_is_below_zero() -> None:
    table = _rungs().assign(difference_high=[np.nan, 54.8, 17.2, -0.4])
    assert _looks(plots.differences(table, Figure().subplots()))[-1] == ("o", VERMILLION, VERMILLION)
    assert _looks(plots.differences(_rungs(), Figure().subplots()))[-1] == ("o", BLUE, "white")


def test_the_ladder_joins_its_rungs_and_has_their_intervals_and_the_line_of_chance() -> None:
    rungs = _rungs()
    ax, beside = plots.ablation(rungs, Figure(), chance=20)
    assert beside.texts[-1].get_text() == "(b) gain over the row above, 95% interval"
    (joined,) = (line for line in ax.lines if line.get_linestyle() == ":")
    assert _points(joined) == [[top1, rung] for rung, top1 in enumerate(rungs["top1"])]
    assert _intervals(ax) == rungs[["top1_low", "top1_high"]].to_numpy().tolist()
    (chance,) = (line for line in ax.lines if line.get_linestyle() == "--")
    (said,) = (text for text in ax.texts if text.get_text() == "chance")
    assert [x for x, _ in _points(chance)] == [20, 20] and getattr(said, "xy", None) == (20, 0)


@pytest.mark.parametrize("given", ["matrix", "frames", "points", "scores", "tables"])
def test_inputs_are_not_modified_and_may_be_read_only(given: str) -> None:
    affinity, frames, scores = _affinity(3), _frames(), np.array([0.3, 0.1])
    points, sports = _cloud()
    tables = (_results(), _curve(), _rungs())
    copies = tuple(table.copy() for table in tables)
    for array in (affinity, frames, scores, points):
        array.setflags(write=False)
    ax = Figure().subplots()
    if given == "matrix":
        plots.heat_map(affinity, _alignment(3), ax, steps=["a", "b", "c"], times_s=TIMES_S)
    elif given == "frames":
        steps = ["a", "b", "c"]
        plots.heat_map_with_frames(affinity, None, ax, frames_thwc=frames, steps=steps, times_s=TIMES_S)
    elif given == "points":
        plots.tsne(points, sports, ax)
    elif given == "scores":
        plots.ranking(["a", "b"], scores, ax, answer=0)
    else:
        plots.main_results(tables[0], ax, data_label="Sample")
        plots.accuracy_over_width(tables[1], Figure().subplots(), frame_rate=15)
        plots.ladder(tables[2], Figure().subplots())
        for table, copy in zip(tables, copies, strict=True):
            pd.testing.assert_frame_equal(table, copy)


def _heat(affinity: Any, **changes: Any) -> None:
    settings: dict[str, Any] = {"steps": ["a", "b", "c"], **changes}
    plots.heat_map(affinity, settings.pop("alignment", None), Figure().subplots(), **settings)


BAD: dict[str, tuple[Callable[[], object], str]] = {
    "vector": (lambda: _heat(np.zeros(5)), "non-empty"),
    "empty": (lambda: _heat(np.zeros((3, 0))), "non-empty"),
    "nan": (lambda: _heat(np.full((3, 4), np.nan)), "NaN"),
    "steps": (lambda: _heat(np.zeros((2, 4))), "3 steps but the map has 2 rows"),
    "times": (lambda: _heat(np.zeros((3, 4)), times_s=np.arange(5)), "4 frames"),
    "times_back": (lambda: _heat(np.zeros((3, 2)), times_s=np.array([1.0, 0.0])), "increase"),
    "path": (lambda: _heat(np.zeros((3, 4)), alignment=_alignment(3)), "another map"),
    "panel": (lambda: plots.MapPanel("", np.zeros((3, 4)), None, ("a",)), "1 steps but the map has 3 rows"),
    "no_panels": (lambda: plots.candidates([], Figure(), times_s=TIMES_S), "no panels"),
    "grey_frames": (
        lambda: plots.heat_map_with_frames(
            _affinity(1), None, Figure().subplots(), frames_thwc=np.zeros((FRAMES, 8, 8)), steps=["a"], times_s=TIMES_S
        ),
        "(T, H, W, 3)",
    ),
    "few_frames": (
        lambda: plots.heat_map_with_frames(
            _affinity(1), None, Figure().subplots(), frames_thwc=_frames()[:5], steps=["a"], times_s=TIMES_S
        ),
        "5 frames but times_s has shape (60,)",
    ),
    "scores": (lambda: plots.ranking(["a"], np.zeros(2), Figure().subplots(), answer=0), "1 candidates"),
    "answer": (lambda: plots.ranking(["a"], np.zeros(1), Figure().subplots(), answer=1), "answer 1"),
    "points": (lambda: plots.tsne(np.zeros((3, 2)), ["golf"], Figure().subplots()), "shape (3, 2) for 1 sports"),
    "no_maps": (lambda: plots.map_table([], times_s=TIMES_S), "no maps"),
    "map_times": (lambda: plots.map_table([_panel("", LONG_STEPS)], times_s=TIMES_S[:5]), "60 frames but times_s"),
    "column": (
        lambda: plots.main_results(_results().drop(columns="n"), Figure().subplots(), data_label=""), "lacks the col"
    ),
    "fraction": (
        lambda: plots.main_results(_results().assign(top1=0.5), Figure().subplots(), data_label=""), "give percent"
    ),
    "no_rows": (lambda: plots.ladder(_rungs()[:0], Figure().subplots()), "no rows"),
    "highlight": (
        lambda: plots.main_results(_results(), Figure().subplots(), data_label="", highlight=("dwt",)), "dwt"
    ),
    "no_difference": (lambda: plots.differences(_rungs()[:1], Figure().subplots()), "no rung"),
    "split": (
        lambda: plots.accuracy_over_width(_curve().assign(split="train"), Figure().subplots(), frame_rate=15), "train"
    ),
    "rate": (lambda: plots.accuracy_over_width(_curve(), Figure().subplots(), frame_rate=0), "frame_rate is 0"),
    "two_shapes": (
        lambda: plots.smoothing(
            [_panel("", LONG_STEPS), _panel("", SHORT_STEPS)], _curve(), Figure(), times_s=TIMES_S, frame_rate=15
        ),
        "one shape",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_clear_error(case: str) -> None:
    act, message = BAD[case]
    with pytest.raises(ActAlignError) as caught:
        act()
    assert message in str(caught.value)


@pytest.mark.parametrize("width", [plots.COLUMN_WIDTH_IN, plots.PAGE_WIDTH_IN])
def test_of_sixty_candidates_the_best_and_the_right_one_are_drawn_in_letters_that_can_be_read(width: float) -> None:
    names, scores = tuple(f"candidate {place}" for place in range(60)), np.linspace(0.1, 0.9, 60)
    panels = [plots.ScriptPanel(_panel("", LONG_STEPS), names, scores, answer=3) for _ in range(2)]
    with plots.style():
        figure = plots.new_figure(width, plots.vague_script_height_in(panels, width_in=width))
        *_, bars = plots.vague_script(panels, figure, times_s=TIMES_S)
        figure.draw_without_rendering()
    shown = bars.get_yticklabels()
    assert [text.get_text() for text in shown][-2:] == ["candidate 46", "candidate 3 (right)"]
    assert min(float(text.get_fontsize()) for text in [*shown, *bars.texts]) >= 5
    assert bars.get_xlabel() == "Score (Eq. 13), 15 of 60"


@pytest.mark.parametrize("width", [plots.COLUMN_WIDTH_IN, plots.PAGE_WIDTH_IN])
def test_beside_long_names_the_axis_of_the_ranking_says_in_full_how_many_of_how_many(width: float) -> None:
    names, scores = tuple(f"a name of some letters {place}" for place in range(60)), np.linspace(0.1, 0.9, 60)
    panels = [plots.ScriptPanel(_panel("", LONG_STEPS), names, scores, answer=3)]
    with plots.style():
        figure = plots.new_figure(width, plots.vague_script_height_in(panels, width_in=width))
        _, bars = plots.vague_script(panels, figure, times_s=TIMES_S)
        figure.draw_without_rendering()
    assert bars.xaxis.label.get_window_extent().x1 <= figure.bbox.x1
