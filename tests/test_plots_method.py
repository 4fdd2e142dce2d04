"""Fig. 3: each part holds its own array, and nothing runs over anything."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from drawn import LONG_NAME, panel_of, pictures, untidy
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from actalign import plots
from actalign.errors import ActAlignError
from actalign.plots.canvas import step_color
from actalign.plots.figure import BLUE, INK
from actalign.report import score_text

WIDTH = 40
CASES = {
    "five": ("lob", 5, 90, 5), "ten_long": (LONG_NAME, 10, 180, 5), "one": ("lob", 1, 30, 1),
    "three_frames": ("x" * 60, 5, 3, 2), "one_frame": ("lob", 2, 1, 2), "six_hundred": (LONG_NAME, 20, 600, 30),
}  # fmt: skip


def example_of(case: str = "five") -> plots.MethodExample:
    name, steps, frames, candidates = CASES[case]
    rng = np.random.default_rng(3)
    panel = panel_of(name, steps=steps, frames=frames)
    return plots.MethodExample(
        panel,
        pictures(frames),
        np.arange(frames) / 30,
        frame_embeddings_td=rng.normal(size=(frames, WIDTH)) * np.linspace(1, 3, WIDTH),
        step_embeddings_kd=rng.normal(size=(steps, WIDTH)),
        cosine_kt=np.log(panel.affinity_kt / (1 - panel.affinity_kt)) / 30,
        candidates=tuple(f"{name}{number}" for number in range(candidates)),
        scores=rng.uniform(0.1, 0.9, candidates),
        answer=0,
    )


def draw(example: plots.MethodExample, **settings: Any) -> tuple[Figure, list[NDArray[Any]]]:
    with plots.style():
        figure = plots.new_figure(plots.PAGE_WIDTH_IN, plots.method_height_in(example))
        axes = plots.method(example, figure, **settings)
    return figure, [np.asarray(ax.collections[0].get_array()).squeeze() for ax in axes[1:5]]


@pytest.mark.parametrize("case", CASES)
def test_texts_have_room_at_any_size(case: str) -> None:
    assert untidy(draw(example_of(case))[0]) == []
    plt.close("all")


def test_scores_of_any_sign_and_size_have_room() -> None:
    example = example_of()
    for scores in (np.zeros(5), np.full(5, 1.234e-6), np.array([-0.3, 0.2, -1.0, 0.0, 0.1]), np.full(5, -2.0)):
        assert untidy(draw(replace(example, scores=scores))[0]) == []
    plt.close("all")


def test_each_part_holds_its_own_array() -> None:
    example = example_of()
    figure, (over_time, over_steps, cosine, affinity) = draw(example, dimensions=4)
    kept = np.sort(np.argsort(-example.frame_embeddings_td.var(axis=0))[:4])
    np.testing.assert_array_equal(over_time, example.frame_embeddings_td[:, kept].T)
    np.testing.assert_array_equal(over_steps, example.step_embeddings_kd[:, kept])
    np.testing.assert_array_equal(cosine, example.cosine_kt)
    np.testing.assert_array_equal(affinity, example.panel.affinity_kt)
    (ax,) = (ax for ax in figure.axes if ax.get_label() == "affinity")
    (path,) = (line for line in ax.lines if line.get_gid() == "path")
    assert example.panel.alignment is not None
    np.testing.assert_array_equal(path.get_ydata(), example.panel.alignment.path[:, 0] + 0.5)
    (curve,) = (ax for ax in figure.axes if ax.get_label() == "curve")
    step = plots.followed_step(example)
    assert step == int(np.argmax(example.panel.alignment.step_evidence))
    np.testing.assert_array_equal(np.asarray(curve.lines[0].get_ydata())[::2], example.panel.affinity_kt[step])
    np.testing.assert_array_equal(np.asarray(curve.lines[1].get_ydata())[::2], example.cosine_kt[step])
    plt.close("all")


def axes_of(figure: Figure) -> dict[str, Axes]:
    return {str(ax.get_label()): ax for ax in figure.axes}


def test_captions_say_the_sizes_and_ranges_of_what_they_stand_below() -> None:
    example = replace(example_of(), cosine_kt=np.linspace(-0.02, 0.03, 5 * 90).reshape(5, 90))
    shown = [text.get_text() for text in axes_of(draw(example)[0])["page"].texts]
    affinity = example.panel.affinity_kt
    for title, note in (
        ("(a) Script", "5 steps in order, Eq. 3"), ("Step embeddings", "5 × 40, Eq. 5"),
        ("Frame\nembeddings", "90 × 40, Eq. 4"), ("(c) Cosine", "−0.020 to 0.030, Eq. 8"),
        ("(d) Affinity and path", f"{affinity.min():.2f} to {affinity.max():.2f}, Eq. 9–11"),
    ):  # fmt: skip
        assert shown[shown.index(title) + 1] == note
    assert "(b) 90 frames" in shown
    nearly_zero = replace(example, cosine_kt=np.linspace(-0.004, 0.3, 5 * 90).reshape(5, 90))
    assert "0.00 to 0.30, Eq. 8" in [text.get_text() for text in axes_of(draw(nearly_zero)[0])["page"].texts]
    plt.close("all")


def test_frames_stand_over_their_own_time_and_keep_their_shape_but_for_the_gaps() -> None:
    example = example_of()
    for image in axes_of(draw(example)[0])["frames"].images:
        left, right, *_ = image.get_extent()
        shown = int(np.asarray(image.get_array())[0, 0, 0])
        assert abs(example.times_s[shown] - (left + right) / 2) < 1 / 30
        box = image.get_window_extent()
        assert box.width / box.height == pytest.approx(32 / 18, rel=0.05)
    plt.close("all")


def test_maps_have_the_followed_step_outlined_their_own_range_and_the_path_at_its_frames() -> None:
    example = example_of()
    figure, _ = draw(example)
    step, parts = plots.followed_step(example), axes_of(figure)
    assert step > 0 and example.panel.alignment is not None
    for name, values in (("cosine", example.cosine_kt), ("affinity", example.panel.affinity_kt)):
        ax, mesh = parts[name], parts[name].collections[0]
        (outline,) = ax.patches
        assert isinstance(outline, Rectangle) and isinstance(mesh, QuadMesh)
        assert (outline.get_y(), outline.get_height()) == (step, 1)
        assert outline.get_edgecolor() == to_rgba(step_color(step))
        assert (mesh.norm.vmin, mesh.norm.vmax) == (values.min(), values.max())
        assert ax.get_xlim() == parts["frames"].get_xlim()
    (path,) = (line for line in parts["affinity"].lines if line.get_gid() == "path")
    times_s = example.times_s[example.panel.alignment.path[:, 1]]
    np.testing.assert_allclose(np.asarray(path.get_xdata()), times_s, atol=1e-9)
    plt.close("all")


def test_a_step_of_the_script_stands_beside_its_row_of_the_maps() -> None:
    example = example_of()
    parts = axes_of(draw(example)[0])
    numbers = [text for text in parts["page"].texts if text.get_text().isdigit()]
    assert [text.get_text() for text in numbers] == [*"12345", str(plots.followed_step(example) + 1)]
    discs = [line.get_color() for line in parts["page"].lines if line.get_marker() == "o"]
    assert discs == [step_color(step) for step in (*range(5), plots.followed_step(example))]
    for step, number in enumerate(numbers[:5]):
        height = parts["page"].transData.transform(number.get_position())[1]
        for ax in (parts["step embeddings"], parts["cosine"], parts["affinity"]):
            assert isinstance(ax.collections[0], QuadMesh)
            row = np.asarray(ax.collections[0].get_coordinates())[step : step + 2, 0]
            assert ax.transData.transform(row)[:, 1].mean() == pytest.approx(height)
    plt.close("all")


def test_the_curve_has_the_colour_of_its_step_and_a_key_and_axes_that_say_so() -> None:
    example = example_of()
    figure, _ = draw(example)
    step, page, curve = plots.followed_step(example), figure.axes[0], axes_of(figure)["curve"]
    looks = [step_color(step), INK]
    assert [line.get_color() for line in curve.lines] == looks
    for line in curve.lines:
        edges = np.asarray(line.get_xdata())
        np.testing.assert_allclose((edges[::2] + edges[1::2]) / 2, example.times_s, atol=1e-9)
    affinity = example.panel.affinity_kt[step]
    assert np.asarray(curve.collections[0].get_paths()[0].vertices)[:, 1].max() == affinity.max()
    assert [text.get_text() for text in curve.get_yticklabels()] == ["0", f"{affinity.max():.2g}"]
    assert [text.get_text() for text in curve.get_xticklabels()] == ["0", f"{example.times_s[-1]:.2g} s"]
    assert curve.get_ylim()[0] <= example.cosine_kt[step].min() < 0
    words = [next(text for text in page.texts if text.get_text() == word) for word in ("affinity", "cosine")]
    for word, color in zip(words, looks, strict=True):
        x, y = word.get_position()
        before = {x - np.asarray(line.get_xdata())[-1]: line for line in page.lines
                  if np.asarray(line.get_ydata()).tolist() == [y, y]}  # fmt: skip
        assert before[min(gap for gap in before if gap > 0)].get_color() == color
    plt.close("all")


@pytest.mark.parametrize("scores", [[0.2, 0.5, 0.3, 0.1, 0.05], [-0.3, 0.2, -1.0, 0.05, 0.1]])
def test_each_bar_is_as_long_as_the_number_of_its_candidate_and_the_best_is_blue(scores: list[float]) -> None:
    page = draw(replace(example_of(), scores=np.array(scores), answer=2))[0].axes[0]
    best = sorted(scores, reverse=True)
    bars = [patch for patch in page.patches if isinstance(patch, Rectangle)]
    lengths = np.array([bar.get_width() for bar in bars])
    np.testing.assert_allclose(lengths / lengths[0], np.abs(best) / best[0])
    zeros = [bar.get_x() + (value < 0) * bar.get_width() for bar, value in zip(bars, best, strict=True)]
    np.testing.assert_allclose(zeros, zeros[0])
    assert [bar.get_facecolor() == to_rgba(BLUE) for bar in bars] == [True, *[False] * 4]
    shown = [text.get_text() for text in page.texts]
    for value in scores:
        (name,) = {text for text in shown if text.split(" (")[0] == f"lob{scores.index(value)}"}
        assert shown[shown.index(name) + 1] == score_text(value)
    plt.close("all")


def test_the_best_candidate_is_predicted_and_the_right_one_is_named() -> None:
    example = replace(example_of(), scores=np.array([0.2, 0.5, 0.3, 0.1, 0.05]), answer=2)
    words = draw(example)[0].axes[0].texts
    bold = [text.get_text() for text in words if text.get_fontweight() == "bold"]
    assert bold.count("lob1") == 2, "in the box and on the best bar"
    shown = [text.get_text() for text in words]
    assert [name for name in shown if name.startswith("lob") and name != "lob"] == [
        "lob1", "lob2 (right)", "lob0", "lob3", "lob4", "lob1"
    ]  # fmt: skip
    assert not any("(right)" in text.get_text() for text in draw(replace(example, answer=None))[0].axes[0].texts)
    many = [text.get_text() for text in draw(example_of("six_hundred"))[0].axes[0].texts]
    assert "and 25 more" in many
    plt.close("all")


def test_same_inputs_give_the_same_bytes(tmp_path: Path) -> None:
    for run in ("first", "second"):
        with plots.style():
            plots.save_figure(draw(example_of())[0], "figure", folder=tmp_path / run)
    for suffix in ("pdf", "svg", "png"):
        first, second = (tmp_path / run / f"figure.{suffix}" for run in ("first", "second"))
        assert first.read_bytes() == second.read_bytes(), suffix
    plt.close("all")


BAD: dict[str, tuple[Callable[[], object], str]] = {
    "cosine": (lambda: replace(example_of(), cosine_kt=np.zeros((5, 89))), "cosine_kt must be finite"),
    "steps": (lambda: replace(example_of(), step_embeddings_kd=np.zeros((5, 39))), "of shape (5, 40)"),
    "frames": (lambda: replace(example_of(), frame_embeddings_td=np.zeros(90)), "frame_embeddings_td must be"),
    "nan": (lambda: replace(example_of(), scores=np.full(5, np.nan)), "scores must be finite"),
    "backwards": (lambda: replace(example_of(), times_s=example_of().times_s[::-1]), "times_s must increase"),
    "pictures": (lambda: replace(example_of(), frames_thwc=pictures(4)), "4 pictures for 90 frames"),
    "grey": (lambda: replace(example_of(), frames_thwc=np.zeros((90, 8, 8))), "(T, H, W, 3)"),
    "answer": (lambda: replace(example_of(), answer=5), "answer 5"),
    "path": (
        lambda: replace(example_of(), panel=replace(example_of().panel, alignment=None)), "'lob' has no alignment"
    ),
    "column": (lambda: plots.method(example_of(), Figure(figsize=(3.35, 9))), "the figure is 3.35 x 9.00 in"),
    "dimensions": (lambda: plots.method(example_of(), Figure(figsize=(6.9, 9)), dimensions=0), "dimensions is 0"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_clear_error(case: str) -> None:
    act, message = BAD[case]
    with pytest.raises(ActAlignError) as caught:
        act()
    assert message in str(caught.value)
