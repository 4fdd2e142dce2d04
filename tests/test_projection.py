"""The map of the texts: seeded, held against others, and a measure of separation that does not depend on it."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from sklearn.metrics import silhouette_score

from actalign import projection
from actalign.errors import ActAlignError

SPORTS = [sport for sport in ("fencing", "golf", "tennis") for _ in range(10)]


def _clusters(rng: np.random.Generator, *, spread: float = 0.05) -> NDArray[np.float64]:
    return np.repeat(np.eye(3, 16), 10, axis=0) + spread * rng.normal(size=(30, 16))


def test_the_map_is_seeded_and_keeps_clusters_apart(rng: np.random.Generator) -> None:
    embeddings = _clusters(rng)
    first, second = (projection.project_tsne(embeddings, seed=3, perplexity=5) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    centres = np.array([first[i * 10 : i * 10 + 10].mean(axis=0) for i in range(3)])
    spread = max(first[i * 10 : i * 10 + 10].std(axis=0).max() for i in range(3))
    assert min(np.linalg.norm(a - b) for a, b in combinations(centres, 2)) > 2 * spread


def test_a_random_start_is_another_map_and_a_seed_of_the_pca_start_is_not(rng: np.random.Generator) -> None:
    embeddings = rng.normal(size=(30, 16))
    maps = {
        (start, seed): projection.project_tsne(embeddings, seed=seed, perplexity=5, start=start)
        for start in ("pca", "random")
        for seed in (0, 1)
    }
    np.testing.assert_allclose(maps["pca", 0], maps["pca", 1], atol=1e-3)
    assert projection.neighbours_kept(maps["random", 0], maps["random", 1], neighbours=5) < 0.95


@pytest.mark.parametrize("rows", [np.ones((10, 4)), np.arange(1.0, 11)[:, None] * np.full((1, 4), 0.3)])
def test_embeddings_of_one_direction_have_no_map(rows: NDArray[np.float64]) -> None:
    with pytest.raises(ActAlignError, match="the 10 embeddings all point one way"):
        projection.project_tsne(rows, seed=0, perplexity=3)


@pytest.mark.parametrize("row", [[3.0, 4.0], [0.0, 1.0]])
def test_equal_embeddings_have_no_map_and_those_with_an_equal_column_have_one(row: list[float]) -> None:
    with pytest.raises(ActAlignError, match="all point one way"):
        projection.project_tsne(np.tile(row, (6, 1)), seed=0, perplexity=2)
    assert projection.project_tsne(np.eye(6, 7), seed=0, perplexity=2).shape == (6, 2)


def test_neighbours_kept_is_one_for_the_same_order_and_chance_for_unrelated_maps(rng: np.random.Generator) -> None:
    points = rng.normal(size=(400, 2))
    turned = 7 * points @ np.array([[0.0, 1.0], [-1.0, 0.0]]) + 3
    assert projection.neighbours_kept(points, turned) == 1
    unrelated = projection.neighbours_kept(points, rng.normal(size=(400, 2)), neighbours=10)
    assert unrelated == pytest.approx(10 / 399, abs=0.02)
    line = np.array([[0.0], [1.0], [3.0], [7.0]])
    assert projection.neighbours_kept(line, line[[0, 1, 3, 2]], neighbours=1) == 0.5, "the last two have others"
    assert projection.neighbours_kept(points[:3], points[[1, 0, 2]], neighbours=10) == 1, "all others are neighbours"


def test_stability_finds_the_same_neighbours_again_where_there_are_clear_ones(rng: np.random.Generator) -> None:
    embeddings = _clusters(rng, spread=0.01)
    shown = projection.project_tsne(embeddings, seed=0, perplexity=5)
    table = projection.stability(embeddings, shown, SPORTS, seed=4, perplexity=5, restarts=3, neighbours=9)
    assert table["start"].tolist() == ["pca", *["random"] * 3]
    assert table["seed"].tolist() == [4, 4, 5, 6]
    assert table["kept_of_map"].isna().tolist() == [True, False, False, False]
    assert (table["kept_of_map"].iloc[1:] > 0.85).all() and (table["kept_of_space"] > 0.85).all()
    maps = [shown, *(projection.project_tsne(embeddings, seed=n, perplexity=5, start="random") for n in (4, 5, 6))]
    np.testing.assert_allclose(table["plane_silhouette"], [silhouette_score(points, SPORTS) for points in maps])
    lengths = rng.uniform(0.2, 5, size=(30, 1))
    longer = projection.stability(lengths * embeddings, shown, SPORTS, seed=4, perplexity=5, restarts=0, neighbours=9)
    assert longer["kept_of_space"].item() == table["kept_of_space"].iloc[0], "neighbours are those by direction"
    wrong = projection.stability(embeddings, rng.normal(size=(30, 2)), SPORTS, seed=4, perplexity=5, restarts=1)
    assert wrong["kept_of_map"].iloc[1] < 0.6 and wrong["kept_of_space"].iloc[0] < 0.6


def test_equal_texts_are_one_place_when_neighbours_are_counted() -> None:
    """Ten copies of every text would otherwise fill every neighbourhood, and any map would look stable."""
    rng = np.random.default_rng(1)
    few = rng.normal(size=(12, 8))
    copies = np.repeat(few, 10, axis=0)
    table = projection.stability(
        copies, rng.normal(size=(120, 2)), ["a", "b"] * 60, seed=0, perplexity=5, restarts=0, neighbours=3
    )
    assert table["kept_of_space"].item() < 0.7
    assert table["kept_by_chance"].item() == 3 / 11, "of the other texts, not of their copies"
    table = projection.stability(
        copies, rng.normal(size=(120, 2)), ["a", "b"] * 60, seed=0, perplexity=5, restarts=0, neighbours=20
    )
    assert table[["kept_of_space", "kept_by_chance"]].values.tolist() == [[1, 1]], "all others are neighbours"
    beside = np.repeat(rng.normal(size=(12, 2)), 4, axis=0) + 1e-6 * rng.normal(size=(48, 2))
    table = projection.stability(
        np.repeat(few, 4, axis=0), beside, ["a", "b"] * 24, seed=0, perplexity=5, restarts=1, neighbours=3
    )
    assert table["kept_of_map"].iloc[1] < 0.7 and table["kept_of_space"].iloc[0] < 0.7


def test_the_silhouette_tells_sports_from_shuffled_labels(rng: np.random.Generator) -> None:
    embeddings = _clusters(rng)
    assert projection.sport_silhouette(embeddings, SPORTS) > 0.8
    assert projection.sport_silhouette(5 * embeddings, SPORTS) == pytest.approx(
        projection.sport_silhouette(embeddings, SPORTS)
    ), "by cosine, so that length does not count"
    assert projection.sport_silhouette(embeddings, [SPORTS[i * 7 % 30] for i in range(30)]) < 0.1


def _separation(rng: np.random.Generator, clusters: list[str]) -> pd.DataFrame:
    spaces = [rng.normal(size=(30, 16)), _clusters(rng, spread=0.3)]
    return projection.silhouette_intervals(spaces, SPORTS, clusters=clusters).set_index("context")


def test_the_gain_is_the_difference_of_both_silhouettes_with_an_interval_around_it(rng: np.random.Generator) -> None:
    without, within = rng.normal(size=(30, 16)), _clusters(rng, spread=0.3)
    clusters = [f"text {row}" for row in range(30)]
    table = projection.silhouette_intervals([without, within], SPORTS, clusters=clusters).set_index("context")
    assert table.loc["without", "silhouette"] == pytest.approx(projection.sport_silhouette(without, SPORTS))
    assert table.loc["with", "silhouette"] == pytest.approx(projection.sport_silhouette(within, SPORTS))
    difference = table.loc["with", "silhouette"] - table.loc["without", "silhouette"]
    assert table.loc["difference", "silhouette"] == pytest.approx(difference)
    assert (table["low"] < table["silhouette"]).all() and (table["silhouette"] < table["high"]).all()
    assert table.loc["difference", "low"] > 0
    assert set(table["clusters"]) == set(table["texts"]) == {30}
    none = projection.silhouette_intervals([within, within], SPORTS, clusters=clusters).set_index("context")
    assert none.loc["difference", ["silhouette", "low", "high"]].tolist() == [0, 0, 0]


def test_the_interval_is_the_jackknifes_word_for_word(rng: np.random.Generator) -> None:
    spaces, clusters = [_clusters(rng, spread=0.5), _clusters(rng, spread=0.3)], np.arange(30) // 2
    table = projection.silhouette_intervals(spaces, SPORTS, clusters=[str(each) for each in clusters])
    for space, row in zip(spaces, table.itertuples(), strict=False):
        left = [projection.sport_silhouette(space[clusters != n], np.array(SPORTS)[clusters != n]) for n in range(15)]
        error = np.sqrt(14 / 15 * ((np.array(left) - np.mean(left)) ** 2).sum())
        half = 2.1447866879169273 * error  # the 97.5% point of Student's t with 14 degrees of freedom
        assert (row.low, row.high) == pytest.approx((row.silhouette - half, row.silhouette + half))


def test_texts_that_fall_together_widen_the_interval() -> None:
    wide, narrow = (
        _separation(np.random.default_rng(2), clusters)
        for clusters in ([f"{row // 3}" for row in range(30)], [f"{row}" for row in range(30)])
    )
    assert (wide["silhouette"] == narrow["silhouette"]).all() and set(wide["clusters"]) == {10}
    assert set(wide["texts"]) == {30}
    pairs = [(wide.loc[name], narrow.loc[name]) for name in ("without", "with")]
    assert any(one["high"] - one["low"] > 1.05 * two["high"] - 1.05 * two["low"] for one, two in pairs)


def test_the_interval_covers_as_often_as_it_says() -> None:
    """Over draws of 40 texts from one world, whose true silhouette is that of a very large draw."""
    rng = np.random.default_rng(5)
    centres = np.eye(2, 6)

    def draw(each: int) -> tuple[NDArray[np.float64], list[str]]:
        return np.repeat(centres, each, axis=0) + 0.5 * rng.normal(size=(2 * each, 6)), ["a"] * each + ["b"] * each

    large, sports = draw(1500)
    truth = projection.sport_silhouette(large, sports)
    covered = 0
    for _ in range(60):
        space, sports = draw(20)
        row = projection.silhouette_intervals([space, space], sports, clusters=[str(n) for n in range(40)]).iloc[0]
        covered += int(row["low"] <= truth <= row["high"])
    assert 51 <= covered <= 60, "95% of 60 is 57"


def test_many_clusters_are_left_out_in_groups_and_one_has_no_interval(rng: np.random.Generator) -> None:
    space = rng.normal(size=(500, 4))
    sports, clusters = ["a", "b"] * 250, [str(row) for row in range(500)]
    table = projection.silhouette_intervals([space, space], sports, clusters=clusters)
    assert set(table["clusters"]) == {500} and np.isfinite(table[["low", "high"]]).all(axis=None)
    groups, _ = projection._groups(clusters, 0)
    assert np.bincount(np.bincount(groups)).tolist() == [0, 0, 100, 100], "200 groups of two or three"
    assert not np.array_equal(groups, projection._groups(clusters, 1)[0])
    one = projection.silhouette_intervals([space[:9], space[:9]], sports[:9], clusters=["same"] * 9)
    few = projection.silhouette_intervals([space[:3], space[:3]], sports[:3], clusters=clusters[:3])
    assert one[["low", "high"]].isna().all(axis=None) and few[["low", "high"]].isna().all(axis=None)


def test_an_interval_is_of_as_many_values_as_there_are_groups(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(projection, "JACKKNIFE_GROUPS", 2)
    space, clusters = _clusters(rng, spread=0.5), [str(row) for row in range(30)]
    groups, _ = projection._groups(clusters, 0)
    first, second = (projection.sport_silhouette(space[groups == n], np.array(SPORTS)[groups == n]) for n in (0, 1))
    row = projection.silhouette_intervals([space, space], SPORTS, clusters=clusters).iloc[0]
    half = 12.706204736432095 * abs(first - second) / 2  # the 97.5% point of Student's t with 1 degree of freedom
    assert row["high"] - row["silhouette"] == pytest.approx(half)


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: projection.project_tsne(np.eye(5), seed=0), "perplexity 30.0"),
        (
            lambda: projection.project_tsne(np.eye(5), seed=0, perplexity=5),
            "perplexity 5 must be above 0 and below the 5",
        ),
        (lambda: projection.project_tsne(np.ones((5, 1)), seed=0, perplexity=2), r"\(5, 1\) are points on a line"),
        (lambda: projection.project_tsne(np.zeros((5, 2)), seed=0, perplexity=2), "all zeros"),
        (lambda: projection.project_tsne(np.full((5, 2), np.nan), seed=0, perplexity=2), "NaN or inf in 5 rows"),
        (lambda: projection.project_tsne(np.eye(5), seed=-1, perplexity=2), "seed is -1"),
        (
            lambda: projection.silhouette_intervals(
                [np.eye(4)] * 2, ["a", "a", "b", "b"], clusters=["p", "q", "r", "s"], seed=-1
            ),
            "seed is -1",
        ),
        (lambda: projection.sport_silhouette(np.eye(3), ["golf"] * 3), "1 sports"),
        (lambda: projection.sport_silhouette(np.eye(3), ["golf", "judo", "golf", "judo"]), "4 labels"),
        (lambda: projection.neighbours_kept(np.eye(3), np.eye(4)), "3 and 4 rows"),
        (lambda: projection.neighbours_kept(np.eye(3), np.eye(3), neighbours=0), "0 neighbours"),
        (lambda: projection.silhouette_intervals([np.eye(3)], ["a", "a", "b"], clusters=["p"] * 3), "two spaces"),
        (
            lambda: projection.silhouette_intervals([np.eye(3)] * 2, ["a", "a", "b"], clusters=["p"] * 4),
            r"\[3, 3\] rows for 4 clusters",
        ),
        (
            lambda: projection.silhouette_intervals([np.eye(3), np.eye(4)], ["a", "a", "b"], clusters=["p"] * 3),
            r"\[3, 4\] rows for 3 clusters",
        ),
        (lambda: projection.silhouette_intervals([np.eye(3)] * 2, ["a"] * 3, clusters=["p"] * 3), "1 sports"),
        (lambda: projection.neighbours_kept(np.eye(1), np.eye(1)), "1 and 1 rows"),
    ],
)
def test_bad_input_is_one_clear_error(act: object, message: str) -> None:
    assert callable(act)
    with pytest.raises(ActAlignError, match=message):
        act()
