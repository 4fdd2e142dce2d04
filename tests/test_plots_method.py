"""Fig. 3: each part holds its own array, and nothing runs over anything."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from drawn import LONG_NAME, panel_of, pictures, untidy
from matplotlib.figure import Figure
from numpy.typing import NDArray

from actalign import plots
from actalign.errors import ActAlignError

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
