"""Top-k under ties, tables and paired tests, against brute force and hand-worked numbers."""

from itertools import permutations
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from actalign.errors import ActAlignError
from actalign.intervals import cluster_interval
from actalign.metrics import (
    McNemar,
    clip_outcomes,
    expected_topk,
    mcnemar_exact,
    paired_difference,
    topk_table,
    wilson,
)


def scored(values: Any, answers: Any = 0, *, method: str = "m", **columns: Any) -> pd.DataFrame:
    """Long scores of (n, C) values; clips are named c0, c1, ..."""
    matrix = np.asarray(values, dtype=np.float64)
    clips, candidates = matrix.shape
    right = np.broadcast_to(answers, clips)
    table = {
        "clip_id": np.repeat([f"c{i}" for i in range(clips)], candidates),
        "method": method,
        "candidate": np.tile(np.arange(candidates), clips),
        "score": matrix.ravel(),
        "is_answer": (np.arange(candidates) == right[:, None]).ravel(),
    }
    repeated = {name: np.repeat(np.broadcast_to(value, clips), candidates) for name, value in columns.items()}
    return pd.DataFrame(table | repeated)


def brute_force_topk(scores: NDArray[np.float64], answer: int, k: int) -> float:
    """The share of all tie-breaking orders that rank the answer among the first k."""
    found = 0
    orders = list(permutations(range(len(scores))))
    for order in orders:
        ranked = sorted(order, key=lambda place: -scores[place])  # stable: ties stay in this order
        found += answer in ranked[:k]
    return found / len(orders)


@pytest.mark.parametrize("k", [1, 2, 3, 5, 7])
def test_expected_topk_is_the_mean_over_all_tie_breaks(rng: np.random.Generator, k: int) -> None:
    for _ in range(25):
        scores = rng.integers(0, 3, size=5).astype(float)
        for answer in range(5):
            assert expected_topk(scores, answer, k) == pytest.approx(brute_force_topk(scores, answer, k))


def test_expected_topk_by_hand() -> None:
    assert expected_topk([3.0, 1.0, 2.0], 0, 1) == 1.0
    assert expected_topk([3.0, 1.0, 2.0], 1, 2) == 0.0
    assert expected_topk([1.0, 1.0, 1.0, 1.0], 2, 1) == 0.25
    assert expected_topk([2.0, 1.0, 1.0], 1, 2) == 0.5


def test_an_answer_without_a_score_is_never_found() -> None:
    assert expected_topk([1.0, -np.inf, -np.inf], 1, 3) == 0.0
    assert expected_topk([1.0, -np.inf, -np.inf], 0, 1) == 1.0
    table = topk_table(scored([[1.0, -np.inf, -np.inf]] * 2, 1), resamples=10)
    assert table[["top1", "top2", "top3", "tied"]].values.tolist() == [[0.0, 0.0, 0.0, 0]]


@pytest.mark.parametrize(
    ("scores", "answer", "k", "message"),
    [
        ([1.0, np.nan], 0, 1, "hold NaN"),
        ([1.0, 2.0], 2, 1, "answer 2"),
        ([1.0, 2.0], -1, 1, "answer -1"),
        ([1.0, 2.0], 0, 0, "k is 0"),
    ],
)
def test_expected_topk_refuses(scores: list[float], answer: int, k: int, message: str) -> None:
    with pytest.raises(ActAlignError, match=message):
        expected_topk(scores, answer, k)


def test_outcomes_agree_with_one_clip_at_a_time(rng: np.random.Generator) -> None:
    values = rng.integers(0, 4, size=(60, 5)).astype(float)
    answers = rng.integers(0, 5, size=60)
    table = scored(values, answers).sample(frac=1, random_state=0)  # the order of rows must not matter
    clips = clip_outcomes(table).set_index("clip_id")
    for i, (row, answer) in enumerate(zip(values, answers, strict=True)):
        clip = clips.loc[f"c{i}"]
        for k in (1, 2, 3):
            assert clip[f"top{k}"] == pytest.approx(expected_topk(row, answer, k))
        assert clip["tied"] == ((row == row[answer]).sum() > 1)
        assert clip["alone"] == bool((np.delete(row, answer) < row[answer]).all())
        assert clip["answer"] == answer


def test_all_equal_scores_are_chance_and_all_tied() -> None:
    table = topk_table(scored(np.ones((8, 5)), np.arange(8) % 5), resamples=100)
    assert table[["top1", "top2", "top3"]].iloc[0].tolist() == pytest.approx([20.0, 40.0, 60.0])
    assert table["tied"].item() == 8


def test_only_the_answers_ties_count() -> None:
    tied, alone = scored([[1, 1, 0], [2, 1, 1], [0, 0, 0]]), scored([[1, 0, 0]], method="alone")
    assert topk_table(pd.concat([tied, alone]), resamples=10)["tied"].tolist() == [2, 0]


def test_draws_are_averaged_within_a_clip() -> None:
    draws = [scored([[1, 0], [1, 0]], draw=0), scored([[0, 1], [1, 0]], draw=1), scored([[0, 1], [1, 1]], draw=2)]
    clips = clip_outcomes(pd.concat(draws)).set_index("clip_id")
    assert clips["top1"].tolist() == pytest.approx([1 / 3, (1 + 1 + 0.5) / 3])
    assert clips["alone"].tolist() == [False, False]
    assert clips["draws"].tolist() == [3, 3]
    assert clips["tied"].tolist() == [False, True]
    assert topk_table(pd.concat(draws), resamples=10)["n"].item() == 2
    assert clip_outcomes(pd.concat(draws[:2]))["alone"].tolist() == [False, True]  # half of the draws is not most


def test_failed_clips_lower_n_but_not_n_total() -> None:
    row = topk_table(scored([[1, 0], [np.nan, np.nan], [0, 1]]), resamples=100).iloc[0]
    assert (row["n"], row["n_total"], row["top1"], row["families"]) == (2, 3, 50.0, 2)
    empty = topk_table(scored([[np.nan, np.nan]])).iloc[0]
    assert (empty["n"], empty["n_total"]) == (0, 1)
    assert np.isnan(empty["top1"]) and np.isnan(empty["top1_low"])
    fewer = pd.concat([scored([[1, 0, 0]]), scored([[np.nan, np.nan]]).assign(clip_id="of two candidates")])
    assert topk_table(fewer, resamples=10)[["n", "n_total"]].values.tolist() == [[1, 2]]


def test_table_columns_and_order() -> None:
    table = topk_table(pd.concat([scored([[1, 0]], method="z"), scored([[1, 0]], method="a")]))
    assert list(table.columns) == [
        "method", "label", "style", "top1", "top1_low", "top1_high", "top2", "top2_low", "top2_high",
        "top3", "top3_low", "top3_high", "n", "n_total", "tied", "families",
    ]  # fmt: skip
    assert table["method"].tolist() == ["z", "a"]


def test_the_table_takes_other_k_than_the_papers(rng: np.random.Generator) -> None:
    values, answers = rng.random((30, 8)), rng.integers(0, 8, 30)
    table = topk_table(scored(values, answers), top=(1, 5))
    assert [name for name in table.columns if name.startswith("top")] == [
        f"top{k}{end}" for k in (1, 5) for end in ("", "_low", "_high")
    ]
    expected = np.mean([(row >= row[answer]).sum() <= 5 for row, answer in zip(values, answers, strict=True)])
    assert table["top5"].item() == pytest.approx(100 * expected)


def test_breakdown_rows_add_up_to_the_whole(rng: np.random.Generator) -> None:
    sports = np.array(["golf", "judo", "judo"] * 10)
    scores = scored(rng.random((30, 5)), rng.integers(0, 5, 30), sport=sports, family=[f"f{i % 7}" for i in range(30)])
    whole, parts = topk_table(scores), topk_table(scores, by="sport")
    assert parts["sport"].tolist() == ["golf", "judo"]
    assert parts["n"].tolist() == [10, 20] and parts["families"].tolist() == [7, 7]
    assert (parts["top1"] * parts["n"]).sum() == pytest.approx((whole["top1"] * whole["n"]).item())
    with pytest.raises(ActAlignError, match="'colour'"):
        topk_table(scores, by="colour")


def test_bad_scores_are_refused() -> None:
    good = scored([[1, 0], [0, 1]])
    with pytest.raises(ActAlignError, match=r"lack the columns \['is_answer'\]"):
        topk_table(good.drop(columns="is_answer"))
    with pytest.raises(ActAlignError, match="no rows"):
        topk_table(good.iloc[:0])
    with pytest.raises(ActAlignError, match=r"clip 'c0' twice; .*assign\(label="):
        topk_table(pd.concat([good, good]))
    with pytest.raises(ActAlignError, match="scores candidate 1 of clip 'c0' twice"):
        topk_table(pd.concat([good, good[~good["is_answer"]].assign(score=0.75)]))
    assert len(topk_table(pd.concat([good, good.assign(label="another checkpoint")]))) == 2
    with pytest.raises(ActAlignError, match="clip 'c1' has 2 answers"):
        topk_table(good.assign(is_answer=[True, False, True, True]))
    with pytest.raises(ActAlignError, match="clip 'c0' has 0 answers"):
        topk_table(good.assign(is_answer=[False, False, True, False]))
    with pytest.raises(ActAlignError, match="clip 'c1' has NaN for some candidates only"):
        topk_table(scored([[1, 0], [np.nan, 1]]))


def test_scores_are_not_modified() -> None:
    scores = scored([[1, 0], [0, 1]], family=["f", None])
    before = scores.copy()
    topk_table(scores, resamples=10)
    pd.testing.assert_frame_equal(scores, before)


def test_table_intervals_use_families_and_clips_without_one_stand_alone(rng: np.random.Generator) -> None:
    values, answers = rng.random((40, 5)), rng.integers(0, 5, 40)
    families = np.array([f"f{i % 8}" for i in range(40)])
    table = topk_table(scored(values, answers, family=families), seed=3, resamples=500)
    right = np.array(
        [[100 * expected_topk(row, a, k) for k in (1, 2, 3)] for row, a in zip(values, answers, strict=True)]
    )
    low, high = cluster_interval(right, families.tolist(), seed=3, resamples=500)
    assert table[["top1_low", "top2_low", "top3_low"]].iloc[0].tolist() == pytest.approx(low.tolist())
    assert table[["top1_high", "top2_high", "top3_high"]].iloc[0].tolist() == pytest.approx(high.tolist())
    assert table["families"].item() == 8
    assert topk_table(scored(values, answers))["families"].item() == 40
    assert topk_table(scored(values, answers, family=np.arange(40) % 8))["families"].item() == 8, "0 is a family too"
    some = pd.Series(families).where(np.arange(40) % 8 < 2)  # two families of five, and thirty clips without one
    assert topk_table(scored(values, answers, family=some))["families"].item() == 2 + 30
    unknown = scored(values, answers, family=np.nan, style=np.nan, label=np.nan)  # as empty cells of a CSV are read
    assert topk_table(unknown)[["label", "style", "families", "n"]].values.tolist() == [["m", "", 40, 40]]


def test_where_all_clips_agree_the_interval_is_wilsons() -> None:
    values = np.tile([1.0, 0.0, 0.5], (30, 1))  # the answer is first: Top-1 is 100%
    families = np.repeat(["f", "g", "h"], 10)
    row = topk_table(scored(values, family=families), resamples=50).iloc[0]
    assert (row["top1"], row["top1_high"], row["top1_low"]) == (100.0, 100.0, 100 * wilson(30, 30)[0])
    row = topk_table(scored(values, 1, family=families), resamples=50).iloc[0]  # it is last
    assert (row["top1"], row["top1_low"], row["top1_high"]) == (0.0, 0.0, 100 * wilson(0, 30)[1])
    assert (row["top2_high"], row["top3_low"]) == (100 * wilson(0, 30)[1], 100 * wilson(30, 30)[0])
    guesses = topk_table(scored(np.zeros((30, 2)), family=families), resamples=50).iloc[0]
    assert (guesses["top1_low"], guesses["top1_high"]) == (50, 50), "all clips agree on a half: Wilson's counts clips"
    one = topk_table(scored(values, family="f"), resamples=50).iloc[0]
    assert np.isnan([one["top1_low"], one["top1_high"]]).all(), "one family says nothing about the spread"


def test_methods_of_several_draws_have_an_interval_and_no_mcnemar() -> None:
    a = scored([[1.0, 0.0], [1.0, 0.0]], draw=0)
    draws = pd.concat([a.assign(draw=0), scored([[0.0, 1.0], [1.0, 0.0]], draw=1)])
    pair = paired_difference(a, draws.assign(method="random"), resamples=10)
    assert (pair.difference, pair.n, pair.test) == (25.0, 2, None)
    with pytest.raises(ActAlignError, match="2 draws need not agree"):
        mcnemar_exact(a, draws)


def test_mcnemar_by_hand() -> None:
    """9 clips that only a gets right, 2 that only b does: p = 2 * P(X <= 2 | 11, 1/2) = 134 / 2048."""
    right, wrong = [1.0, 0.0], [0.0, 1.0]
    a = scored([right] * 9 + [wrong] * 2 + [right] * 5 + [wrong] * 4)
    b = scored([wrong] * 9 + [right] * 2 + [right] * 5 + [wrong] * 4, method="b")
    first, second = mcnemar_exact(a, b), mcnemar_exact(b, a)
    assert (first.only_a, first.only_b, first.n) == (9, 2, 20)
    assert (second.only_a, second.only_b, second.n) == (2, 9, 20)
    assert first.p == pytest.approx(134 / 2048) == second.p
    assert mcnemar_exact(a, a).p == 1.0


def test_a_tie_is_not_right_in_mcnemar() -> None:
    a, b = scored([[1.0, 1.0]]), scored([[1.0, 0.0]], method="b")
    assert mcnemar_exact(a, b) == McNemar(only_a=0, only_b=1, n=1, p=1.0)


def test_paired_difference_uses_common_clips_and_clusters(rng: np.random.Generator) -> None:
    families = np.array([f"f{i % 10}" for i in range(50)])
    first, second = rng.random((50, 5)), rng.integers(0, 3, (50, 5)).astype(float)
    answers = rng.integers(0, 5, 50)
    first[:5], second[45:] = np.nan, np.nan
    a = scored(first, answers, method="a", family=families)
    b = scored(second, answers, method="b", family=families)
    for k in (1, 2, 3, 4):
        gain = np.array(
            [expected_topk(first[i], answers[i], k) - expected_topk(second[i], answers[i], k) for i in range(5, 45)]
        )
        low, high = cluster_interval(gain[:, None], families[5:45].tolist(), seed=2, resamples=300)
        result = paired_difference(a, b, k=k, seed=2, resamples=300)
        assert (result.label_a, result.label_b, result.k, result.n) == ("a", "b", k, 40)
        assert result.difference == pytest.approx(100 * gain.mean())
        assert (result.low, result.high) == pytest.approx((100 * low.item(), 100 * high.item()))
    test = mcnemar_exact(a, b)
    assert result.test == test


def test_paired_tests_refuse_what_cannot_be_paired() -> None:
    a = scored([[1.0, 0.0]])
    for column in ("method", "label", "style"):
        with pytest.raises(ActAlignError, match="one method and style at a time"):
            paired_difference(pd.concat([a, a.assign(**{column: "other"})]), a)
    with pytest.raises(ActAlignError, match="no scored clip in common"):
        paired_difference(a, a.assign(clip_id="elsewhere"))
    with pytest.raises(ActAlignError, match="clip 'c0' has another answer"):
        mcnemar_exact(a, scored([[1.0, 0.0]], 1))
    with pytest.raises(ActAlignError, match="k is 0"):
        paired_difference(a, a, k=0)
