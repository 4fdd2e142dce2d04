"""Clustered bootstrap and Wilson intervals against enumeration, SciPy and simulated coverage."""

from itertools import product
from typing import Any

import numpy as np
import pytest
import scipy.stats

from actalign.errors import ActAlignError
from actalign.intervals import cluster_interval, wilson


def test_cluster_interval_against_every_possible_resample() -> None:
    """Four families of unequal size: all 4^4 resamples, equally likely, enumerated."""
    groups = [[1.0, 1.0, 0.0], [0.0], [0.0, 1.0], [0.5, 0.5, 0.25, 0.0, 1.0]]
    means = [np.mean(np.concatenate([groups[g] for g in draw])) for draw in product(range(4), repeat=4)]
    values = np.concatenate(groups)[:, None]
    families = np.repeat(list("abcd"), [len(group) for group in groups]).tolist()
    low, high = cluster_interval(values, families, resamples=40_000)
    np.testing.assert_allclose([low.item(), high.item()], np.quantile(means, [0.025, 0.975]), atol=0.012)


def test_cluster_interval_matches_scipy_on_equal_families(rng: np.random.Generator) -> None:
    family_means = rng.random(40)
    values = np.repeat(family_means, 5)[:, None]
    families = np.repeat(np.arange(40), 5).astype(str).tolist()
    theirs = scipy.stats.bootstrap((family_means,), np.mean, method="percentile", rng=1).confidence_interval
    low, high = cluster_interval(values, families)
    np.testing.assert_allclose([low.item(), high.item()], [theirs.low, theirs.high], atol=0.005)


def test_families_widen_the_interval(rng: np.random.Generator) -> None:
    values = np.repeat(rng.random(40) < 0.5, 5).astype(float)[:, None]
    families = np.repeat(np.arange(40), 5).astype(str).tolist()
    clustered = np.subtract(*cluster_interval(values, families)[::-1]).item()
    alone = np.subtract(*cluster_interval(values, [str(i) for i in range(200)])[::-1]).item()
    assert clustered == pytest.approx(np.sqrt(5) * alone, rel=0.15)


def test_coverage_is_near_95_percent() -> None:
    """Family outcomes around 0.6, 300 data sets: the interval should hold 0.6 about 19 times in 20."""
    rng = np.random.default_rng(7)
    families = np.repeat(np.arange(50), 6).astype(str).tolist()
    hits = 0
    for turn in range(300):
        chance = np.repeat(rng.beta(3, 2, size=50), 6)
        outcome = (rng.random(300) < chance).astype(float)
        low, high = cluster_interval(outcome[:, None], families, seed=turn, resamples=400)
        hits += bool(low.item() <= 0.6 <= high.item())
    assert 0.90 <= hits / 300 <= 0.985


def test_same_seed_same_interval_whatever_the_chunks(rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    values, families = rng.random((30, 2)), (np.arange(30) % 6).astype(str).tolist()
    first = cluster_interval(values, families, seed=1)
    np.testing.assert_array_equal(first, cluster_interval(values, families, seed=1))
    assert not np.array_equal(first, cluster_interval(values, families, seed=2))
    monkeypatch.setattr("actalign.intervals.CELLS_PER_CHUNK", 700)
    np.testing.assert_array_equal(first, cluster_interval(values, families, seed=1))


def test_one_family_has_no_interval() -> None:
    low, high = cluster_interval(np.array([[1.0], [0.0]]), ["a", "a"])
    assert np.isnan(low).all() and np.isnan(high).all()
    with pytest.raises(ActAlignError, match="one cluster per row"):
        cluster_interval(np.ones((2, 1)), ["a"])


@pytest.mark.parametrize(("k", "n"), [(0, 10), (1, 10), (5, 10), (10, 10), (274, 898), (1, 1)])
def test_wilson_matches_scipy(k: int, n: int) -> None:
    theirs = scipy.stats.binomtest(k, n).proportion_ci(method="wilson")
    assert wilson(k, n) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


@pytest.mark.parametrize(("k", "n"), [(-1, 5), (6, 5), (0, 0)])
def test_wilson_refuses_impossible_counts(k: int, n: int) -> None:
    with pytest.raises(ActAlignError, match=f"{k} of {n}"):
        wilson(k, n)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"resamples": 0}, "resamples is 0; give a whole number of 1 or more"),
        ({"resamples": "many"}, "resamples is 'many'; give a whole number of 1 or more"),
        ({"seed": -1}, "seed is -1; give a whole number of 0 or more"),
        ({"seed": 1.5}, r"seed is 1\.5; give a whole number of 0 or more"),
        ({"seed": True}, "seed is True; give a whole number of 0 or more"),
    ],
)
def test_a_seed_or_resamples_that_are_no_counts_are_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ActAlignError, match=message):
        cluster_interval(np.zeros((2, 1)), ["a", "b"], **given)
