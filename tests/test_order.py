"""Destroying a script's order: exactly so much, uniformly, and only the order."""

from collections import Counter
from collections.abc import Sequence
from itertools import combinations, permutations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.text import Text
from numpy.typing import NDArray
from scipy.stats import chisquare

from actalign import plots
from actalign.errors import ActAlignError
from actalign.methods import METHODS
from actalign.metrics import topk_table
from actalign.options import options
from actalign.order import (
    ALL,
    CONTROLS,
    SHARES,
    SHUFFLED,
    accuracy_by_subset,
    draw_order,
    order_gain,
    order_method,
    orders_with,
    score_orders,
    share_out_of_order,
)
from actalign.questions import question_inputs, texts_needed
from actalign.records import Clip, Dataset, FrameEmbeddings, Question, Script
from actalign.scoring import score_dataset
from actalign.study import paired_row

STEPS = ("coil", "jump", "turn", "land")
WIDTH = 16


def inversions(order: Sequence[int] | NDArray[np.intp]) -> int:
    """How many pairs of steps stand the wrong way round."""
    return sum(first > second for first, second in combinations(order, 2))


@pytest.mark.parametrize("steps", [1, 2, 4, 7])
def test_the_numbers_of_orders_are_those_counted_by_hand(steps: int) -> None:
    counted = Counter(inversions(order) for order in permutations(range(steps)))
    assert orders_with(steps) == tuple(counted[number] for number in range(len(counted)))


@pytest.mark.parametrize("inverted", range(7))
def test_an_order_is_drawn_uniformly_from_those_with_so_many_inversions(
    inverted: int, rng: np.random.Generator
) -> None:
    possible = [order for order in permutations(range(4)) if inversions(order) == inverted]
    drawn = Counter(tuple(draw_order(rng, 4, inverted=inverted).tolist()) for _ in range(120 * len(possible)))
    assert set(drawn) == set(possible)
    if len(possible) > 1:
        assert chisquare([drawn[order] for order in possible]).pvalue > 0.001
        lopsided = [drawn[order] + 120 * (place == 0) for place, order in enumerate(possible)]
        assert chisquare(lopsided).pvalue < 0.001  # a draw that favours one order would be found


@pytest.mark.parametrize("steps", [1, 2, 5, 10, 30])
def test_a_share_is_met_exactly_or_on_average(steps: int, rng: np.random.Generator) -> None:
    most = steps * (steps - 1) // 2
    assert share_out_of_order(rng, steps, share=0.0).tolist() == list(range(steps))
    assert share_out_of_order(rng, steps, share=1.0).tolist() == list(range(steps))[::-1]
    drawn = [inversions(share_out_of_order(rng, steps, share=0.3)) for _ in range(400)]
    assert set(drawn) <= {int(np.floor(0.3 * most + 1e-9)), int(np.ceil(0.3 * most - 1e-9))}
    assert np.mean(drawn) == pytest.approx(0.3 * most, abs=0.1)


def test_what_is_not_possible_is_refused(rng: np.random.Generator) -> None:
    with pytest.raises(ActAlignError, match="7 inversions of 4 steps are not possible; there are 0 to 6"):
        draw_order(rng, 4, inverted=7)
    with pytest.raises(ActAlignError, match="0 inversions of 0 steps are not possible"):
        draw_order(rng, 0, inverted=0)
    with pytest.raises(ActAlignError, match=r"share 1\.5 of the order"):
        order_method(1.5)
    with pytest.raises(ActAlignError, match=r"draws is 2\.5; give a whole number of 1 or more"):
        order_method(0.5, draws=2.5)  # type: ignore[arg-type]


@pytest.fixture
def world(rng: np.random.Generator) -> tuple[Dataset, dict[str, FrameEmbeddings], dict[str, NDArray[Any]]]:
    """Every class is another order of the same four steps, and every clip shows its class in order."""
    direction = {step: 3 * np.eye(WIDTH)[place] for place, step in enumerate(STEPS)}
    chosen = [order for order in permutations(STEPS) if order[0] != "land"][::3]
    scripts = {f"class {place}": Script(f"class {place}", "judo", order) for place, order in enumerate(chosen)}
    names = tuple(scripts)
    clips, questions, embeddings = {}, [], {}
    for place, (name, script) in enumerate(scripts.items()):
        for subset in ("clean", "late"):
            clip_id = f"{name} {subset}"
            clips[clip_id] = Clip(clip_id, Path("x"), sport="judo", family=name, subset=subset)
            questions.append(Question(clip_id, names[place:] + names[:place], 0))
            shown = np.repeat([direction[step] for step in script.steps], 6, axis=0)
            shown = (shown + 0.1 * rng.normal(size=shown.shape)).astype(np.float32)
            embeddings[clip_id] = FrameEmbeddings(shown, np.arange(len(shown)) / 15)
    dataset = Dataset("world", Path("."), clips, tuple(questions), {"plain": scripts})
    needed = texts_needed(dataset, methods=["dtw_context"], styles=["plain"], options=options())
    return dataset, embeddings, {text: direction[text.split()[0]] for text in needed}


@pytest.fixture
def tables(world: Any) -> dict[float | str, pd.DataFrame]:
    dataset, embeddings, texts = world
    return score_orders(
        dataset, embeddings, texts, style="plain", options=options(), scale=30.0, bias=-12.0, draws=20, seed=1
    )


def test_nothing_destroyed_is_the_method_itself_and_everything_its_script_backwards(
    world: Any, tables: dict[float | str, pd.DataFrame]
) -> None:
    dataset, embeddings, texts = world
    settings: dict[str, Any] = {"style": "plain", "options": options(), "scale": 30.0, "bias": -12.0}
    plain = score_dataset(dataset, embeddings, texts, method="dtw_context", **settings)
    np.testing.assert_array_equal(tables[0.0]["score"], plain["score"])
    backwards = {name: Script(name, each.sport, each.steps[::-1]) for name, each in dataset.scripts["plain"].items()}
    turned = Dataset("turned", dataset.root, dataset.clips, dataset.questions, {"plain": backwards})
    reversed_scores = score_dataset(turned, embeddings, texts, method="dtw_context", **settings)
    np.testing.assert_array_equal(tables[1.0]["score"], reversed_scores["score"])
    assert not np.array_equal(tables[0.5]["score"].to_numpy()[: len(plain)], plain["score"])


def test_order_tells_these_classes_apart_and_without_it_they_are_guessed(
    tables: dict[float | str, pd.DataFrame],
) -> None:
    top1 = {key: float(topk_table(table, resamples=10)["top1"].iloc[0]) for key, table in tables.items()}
    chance = 100 / tables[0.0]["candidate"].nunique()
    assert top1[0.0] == 100
    assert all(top1[name] == pytest.approx(chance) for name in CONTROLS)  # the same steps: all candidates tie
    assert abs(top1[SHUFFLED] - chance) < 10
    assert top1[0.0] > top1[0.2] > top1[0.5] > top1[1.0]


def test_a_class_has_one_order_in_all_questions_of_a_draw(tables: dict[float | str, pd.DataFrame]) -> None:
    rows = tables[0.5].assign(clip=tables[0.5]["clip_id"].str.rsplit(" ", n=1).str[0])
    assert rows["draw"].nunique() == 20
    # The two clips of a class show the same frames but for noise, so the same order earns nearly the same score.
    spread = rows.groupby(["clip", "draw", "class"])["score"].agg(np.ptp)
    assert spread.max() < 0.05 < np.ptp(rows["score"])


def test_classes_of_as_many_steps_have_orders_of_their_own(world: Any) -> None:
    dataset, embeddings, texts = world
    method = order_method(0.5)
    inputs = question_inputs(
        dataset, dataset.questions[0], embeddings,
        texts=texts, method=method, style="plain", options=options(), scale=30.0, bias=-12.0,
    )  # fmt: skip
    drawn = zip(inputs.evidence.scripts, method.evidence(inputs, 0).scripts, strict=True)
    assert len({tuple(script.tolist().index(row) for row in rows) for script, rows in drawn}) > 1


def test_another_seed_draws_other_orders(world: Any, tables: dict[float | str, pd.DataFrame]) -> None:
    settings: dict[str, Any] = {"style": "plain", "options": options(), "scale": 30.0, "bias": -12.0, "draws": 20}
    again, other = (score_orders(*world, shares=[0.5], seed=seed, **settings)[0.5]["score"] for seed in (1, 2))
    np.testing.assert_array_equal(again, tables[0.5]["score"])
    assert not np.array_equal(again, other)
    method, given = order_method(0.5, draws=20), {name: settings[name] for name in settings if name != "draws"}
    again, other = (score_dataset(*world, method=method, seed=seed, **given)["score"] for seed in (1, 2))
    assert not np.array_equal(again, other), "a method that was used before draws by the seed of the day"


def test_the_curve_has_a_row_for_all_and_for_each_subset(tables: dict[float | str, pd.DataFrame]) -> None:
    curve = accuracy_by_subset(tables[0.3], seed=3, resamples=100)
    for subset, row in curve.set_index("subset").iterrows():
        chosen = tables[0.3] if subset == ALL else tables[0.3].query("subset == @subset")
        assert row.to_dict() == topk_table(chosen, seed=3, resamples=100).iloc[0].to_dict()
    assert curve["subset"].tolist() == [ALL, "clean", "late"]
    assert curve["n"].iloc[0] == 2 * curve["n"].iloc[1] == 2 * curve["n"].iloc[2]
    assert curve["top1"].iloc[0] == pytest.approx(curve["top1"].iloc[1:].mean())


def test_the_gain_is_the_paired_difference(tables: dict[float | str, pd.DataFrame]) -> None:
    gain = order_gain(tables[0.0], tables[SHUFFLED], seed=3, resamples=200).set_index("subset")
    shuffled = topk_table(tables[SHUFFLED], resamples=10)["top1"].iloc[0]
    assert list(gain.index) == [ALL, "clean", "late"]
    assert gain.loc[ALL, "difference"] == pytest.approx(100 - shuffled)
    assert gain.loc[ALL, "difference_low"] <= gain.loc[ALL, "difference"] <= gain.loc[ALL, "difference_high"]
    for subset in ("clean", "late"):
        pair = [table[table["subset"] == subset] for table in (tables[0.0], tables[SHUFFLED])]
        expected = pd.Series(paired_row(pair[0], pair[1], seed=3, resamples=200))
        pd.testing.assert_series_equal(gain.loc[subset], expected, check_names=False)
    assert gain.loc["clean", "difference"] != gain.loc["late", "difference"]


def test_a_subset_that_failed_has_no_gain(tables: dict[float | str, pd.DataFrame]) -> None:
    failed = [
        table.assign(score=table["score"].where(table["subset"] != "late")) for table in (tables[0.0], tables[0.5])
    ]
    for ordered, shuffled in ((failed[0], failed[1]), (failed[0], tables[0.5]), (tables[0.0], failed[1])):
        assert order_gain(ordered, shuffled, resamples=50)["subset"].tolist() == [ALL, "clean"]


def test_a_subset_of_which_no_clip_was_scored_by_both_has_no_gain(tables: dict[float | str, pd.DataFrame]) -> None:
    ordered, shuffled = tables[0.0], tables[0.5]
    late = ordered["clip_id"][ordered["subset"] == "late"].unique()
    lost = ordered["clip_id"].isin(late[1:])
    ordered = ordered.assign(score=ordered["score"].mask(lost))
    shuffled = shuffled.assign(score=shuffled["score"].mask(shuffled["clip_id"] == late[0]))
    assert order_gain(ordered, shuffled, resamples=50)["subset"].tolist() == [ALL, "clean"]


def test_a_subset_that_has_the_name_of_all_clips_is_refused(tables: dict[float | str, pd.DataFrame]) -> None:
    named = [table.replace({"subset": {"late": ALL}}) for table in (tables[0.0], tables[0.5])]
    for function in (lambda: accuracy_by_subset(named[0], resamples=50), lambda: order_gain(*named, resamples=50)):
        with pytest.raises(ActAlignError, match="called 'all', which here stands for all clips; rename it"):
            function()


def test_clips_without_a_subset_make_none(tables: dict[float | str, pd.DataFrame]) -> None:
    gaps = [
        table.assign(subset=table["subset"].where(table["subset"] == "late")) for table in (tables[0.0], tables[0.5])
    ]
    assert accuracy_by_subset(gaps[0], resamples=50)["subset"].tolist() == [ALL]
    assert order_gain(gaps[0], gaps[1], resamples=50)["subset"].tolist() == [ALL]
    assert accuracy_by_subset(gaps[0].replace({"subset": {"late": ALL}}), resamples=50)["subset"].tolist() == [ALL]
    last = tables[0.0]["clip_id"].iloc[-1]
    some = [table.assign(subset=table["subset"].mask(table["clip_id"] == last, "")) for table in
            (tables[0.0], tables[0.5])]  # fmt: skip
    assert accuracy_by_subset(some[0], resamples=50)["subset"].tolist() == [ALL, "clean", "late"]
    assert order_gain(some[0], some[1], resamples=50)["subset"].tolist() == [ALL, "clean", "late"]


def test_a_script_of_one_step_has_one_order() -> None:
    assert order_method(0.5).needs_script and METHODS["dtw_context"].draws == 1
    for share in SHARES:
        assert share_out_of_order(np.random.default_rng(0), 1, share=share).tolist() == [0]


def _curve() -> tuple[pd.DataFrame, pd.DataFrame]:
    rows = [(subset, share, 90 - 80 * share) for subset in (ALL, "clean", "late") for share in SHARES]
    curve = pd.DataFrame(rows, columns=["subset", "share", "top1"])
    curve = curve.assign(top1_low=curve["top1"] - 3, top1_high=curve["top1"] + 3, n=9)
    names = [(subset, METHODS[name].label, 40.0) for subset in (ALL, "clean", "late") for name in CONTROLS]
    controls = pd.DataFrame(names, columns=["subset", "label", "top1"])
    return curve, controls.assign(top1_low=35.0, top1_high=45.0)


def test_curve_controls_and_chance_lie_where_their_numbers_say() -> None:
    curve = pd.DataFrame({"share": [1.0, 0.0, 0.5], "top1": [20, 90, 50], "top1_low": [17, 86, 40],
                          "top1_high": [26, 92, 55]})  # fmt: skip
    controls = pd.DataFrame({"label": ["bag", "mean"], "top1": [40, 30], "top1_low": [37, 22], "top1_high": [46, 33]})
    ax = plots.accuracy_over_order(curve, controls, Figure().subplots(), chance=15)
    lines = {line.get_label(): line for line in ax.lines}
    points = {name: np.asarray(line.get_xydata()).tolist() for name, line in lines.items()}
    assert points == {
        "bag": [[0, 40], [1, 40]], "mean": [[0, 30], [1, 30]], "DTW + context": [[0, 90], [50, 50], [100, 20]],
        "Chance (15%)": [[0, 15], [1, 15]],
    }  # fmt: skip
    corners = {(x, y) for x, y in np.asarray(ax.collections[0].get_paths()[0].vertices)}
    assert corners == {(0, 86), (0, 92), (50, 40), (50, 55), (100, 17), (100, 26)}
    for name, low, high, band in zip(("bag", "mean"), (37, 22), (46, 33), ax.patches, strict=True):
        assert isinstance(band, Rectangle) and (band.get_y(), band.get_height()) == (low, high - low)
        assert to_rgb(band.get_facecolor()) == to_rgb(lines[name].get_color())
    assert ax.get_xlim() == ax.get_ylim() == (0, 100)


def test_a_panel_has_the_controls_and_the_n_of_its_own_subset() -> None:
    curve, controls = (table.assign(place=table["subset"].map({ALL: 0, "clean": 1, "late": 2})) for table in _curve())
    with plots.style():
        figure = plots.new_figure(plots.PAGE_WIDTH_IN, plots.order_height_in(curve, width_in=plots.PAGE_WIDTH_IN))
        axes = plots.order_panels(
            curve.assign(n=9 - curve["place"]), controls.assign(top1=40 + controls["place"]), figure
        )
    for place, ax in enumerate(axes):
        assert np.asarray(ax.lines[0].get_ydata()).tolist() == [40 + place] * 2
        assert any(text.get_text().endswith(f", N = {9 - place}") for text in ax.texts)


@pytest.mark.parametrize("width", ["column", "page"])
@pytest.mark.parametrize("panels", range(1, 7))
def test_the_legend_is_whole_and_beside_the_panels(width: str, panels: int) -> None:
    curve, controls = (
        pd.concat([table[table["subset"] == ALL].assign(subset=f"subset {place}") for place in range(panels)])
        for table in _curve()
    )
    size = plots.width_in(width)
    with plots.style():
        figure = plots.new_figure(size, plots.order_height_in(curve, width_in=size))
        plots.order_panels(curve, controls, figure, chance=20.0)
        figure.draw_without_rendering()
    (legend,) = figure.legends + [legend for ax in figure.axes if (legend := ax.get_legend())]
    box = legend.get_window_extent()
    assert box.x0 >= 0 and box.x1 <= figure.bbox.width and box.y0 >= 0
    drawn = [panel for ax in figure.axes if ax.axison and (panel := ax.get_tightbbox())]
    assert len(drawn) == panels and not any(box.overlaps(panel) for panel in drawn)


@pytest.mark.parametrize("width", ["column", "page"])
def test_long_names_of_subsets_do_not_lie_over_one_another(width: str) -> None:
    curve, controls = (
        pd.concat([table[table["subset"] == ALL].assign(subset=f"{place} filmed from below, rain") for place in "xyz"])
        for table in _curve()
    )
    size = plots.width_in(width)
    with plots.style():
        figure = plots.new_figure(size, plots.order_height_in(curve, width_in=size))
        axes = plots.order_panels(curve, controls, figure)
        figure.draw_without_rendering()
    names = [text for ax in axes for text in ax.findobj(Text) if text.get_text().startswith("(")]
    assert all(name.get_text().endswith(", N = 9") for name in names)
    boxes = [name.get_window_extent() for name in names]
    assert len(boxes) == 3 and not any(first.overlaps(second) for first, second in combinations(boxes, 2))


@pytest.mark.parametrize("width", ["column", "page"])
def test_the_figure_has_a_panel_for_each_subset_and_one_legend(width: str) -> None:
    curve, controls = _curve()
    size = plots.width_in(width)
    with plots.style():
        figure = plots.new_figure(size, plots.order_height_in(curve, width_in=size))
        axes = plots.order_panels(curve, controls, figure, chance=20.0)
        figure.draw_without_rendering()
    written = [text.get_text() for ax in axes for text in ax.findobj(Text) if text.get_text().startswith("(")]
    assert written == ["(a) all, N = 9", "(b) clean, N = 9", "(c) late, N = 9"]
    line = next(line for line in axes[1].lines if line.get_label() == "DTW + context")
    assert np.asarray(line.get_ydata())[:2].tolist() == [90, 82]
    legends = figure.legends + [legend for ax in figure.axes if (legend := ax.get_legend())]
    assert [text.get_text() for text in legends[0].get_texts()][-1] == "Chance (20%)"
    assert len(legends) == 1
    keys = zip(legends[0].get_texts(), legends[0].get_lines(), strict=True)
    drawn = {line.get_label(): line.get_color() for line in axes[0].lines}
    assert {text.get_text(): line.get_color() for text, line in keys} == drawn
    assert [bool(ax.get_xlabel()) for ax in axes] == [width == "page", True, True], "below the lowest of each column"
    with pytest.raises(ActAlignError, match="lacks the columns \\['subset'\\]"):
        plots.order_panels(curve, controls.drop(columns="subset"), plots.new_figure())
    with pytest.raises(ActAlignError, match="'late' has a curve but no controls"):
        plots.order_panels(curve, controls[controls["subset"] != "late"], plots.new_figure(), chance=None)
