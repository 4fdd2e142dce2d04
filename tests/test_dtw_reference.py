"""The plain loops against arithmetic done by hand and against every path there is."""

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray

from actalign.dtw.reference import accumulate, backtrace, score
from actalign.errors import ActAlignError

Path = list[tuple[int, int]]
MOVES = ((1, 1), (0, 1), (1, 0))  # diagonal, previous frame, previous sub-action: the order that ties follow

HAND = [
    [3, 1, 0, 2],
    [0, 2, 4, 1],
    [1, 0, 2, 3],
]
# Row 0 and column 0 are running sums. D[1,1] = 2 + max(3, 3, 4), D[1,2] = 4 + max(4, 6, 4), D[1,3] = 1 + max(4, 10, 6),
# D[2,1] = 0 + max(3, 4, 6), D[2,2] = 2 + max(6, 6, 10), D[2,3] = 3 + max(10, 12, 11).
HAND_ACCUMULATED = [
    [3, 4, 4, 6],
    [3, 6, 10, 11],
    [4, 6, 12, 15],
]
HAND_PATH = [[0, 0], [0, 1], [1, 1], [1, 2], [2, 2], [2, 3]]


def every_path(k: int, t: int) -> list[tuple[tuple[int, ...], Path]]:
    """All paths from (0, 0) to (k, t), each with its moves read back from the end."""
    if (k, t) == (0, 0):
        return [((), [(0, 0)])]
    found = []
    for rank, (down, right) in enumerate(MOVES):
        if k >= down and t >= right:
            found += [((rank, *moves), [*path, (k, t)]) for moves, path in every_path(k - down, t - right)]
    return found


def best_by_brute_force(affinity: NDArray[np.float64]) -> tuple[float, Path]:
    """The largest sum, and of the paths that earn it the first by the tie rule."""
    sums = [
        (sum(float(affinity[pair]) for pair in path), moves, path)
        for moves, path in every_path(affinity.shape[0] - 1, affinity.shape[1] - 1)
    ]
    largest = max(total for total, _, _ in sums)
    return largest, min((moves, path) for total, moves, path in sums if total == largest)[1]


def test_brute_force_visits_every_path() -> None:
    # central Delannoy numbers: the count of such paths over an n x n grid
    assert [len(every_path(n, n)) for n in range(5)] == [1, 3, 13, 63, 321]


def test_accumulated_matrix_worked_by_hand() -> None:
    accumulated = accumulate(HAND)
    np.testing.assert_array_equal(accumulated, HAND_ACCUMULATED)
    np.testing.assert_array_equal(backtrace(accumulated), HAND_PATH)
    assert score(HAND) == 15 / 6


@pytest.mark.parametrize(("steps", "frames"), list(itertools.product(range(1, 5), range(1, 6))))
@pytest.mark.parametrize(("low", "high"), [(0, 2), (-2, 3), (0, 9)])
def test_total_path_and_score_match_brute_force_with_ties(steps: int, frames: int, low: int, high: int) -> None:
    rng = np.random.default_rng([steps, frames, high])
    for _ in range(5):
        affinity = rng.integers(low, high, (steps, frames)) / 8  # sums of eighths are exact, so ties are real
        total, path = best_by_brute_force(affinity)
        accumulated = accumulate(affinity)
        assert accumulated[-1, -1] == total
        assert backtrace(accumulated).tolist() == [list(pair) for pair in path]
        assert score(affinity) == total / len(path)


@pytest.mark.parametrize("shape", [(3, 5), (5, 3), (4, 4), (2, 6)])
def test_every_cell_is_the_best_sum_to_that_cell(shape: tuple[int, int], rng: np.random.Generator) -> None:
    affinity = rng.integers(-4, 5, shape) / 8
    accumulated = accumulate(affinity)
    for k, t in np.ndindex(shape):
        assert accumulated[k, t] == best_by_brute_force(affinity[: k + 1, : t + 1])[0]


@pytest.mark.parametrize(
    ("affinity", "path"),
    [
        (np.zeros((3, 3)), [[0, 0], [1, 1], [2, 2]]),  # all equal: diagonal
        (np.zeros((2, 4)), [[0, 0], [0, 1], [0, 2], [1, 3]]),  # read from the end: diagonal, then frames
        (np.zeros((4, 2)), [[0, 0], [1, 0], [2, 0], [3, 1]]),
        ([[0, 1], [1, 0]], [[0, 0], [1, 0], [1, 1]]),  # previous frame and previous sub-action tie, both beat it
    ],
)
def test_ties(affinity: NDArray[np.float64], path: list[list[int]]) -> None:
    assert backtrace(accumulate(affinity)).tolist() == path


def test_path_maximises_the_sum_and_not_the_mean() -> None:
    affinity = np.array([[1.0, 0.1], [0.1, 1.0]])
    assert score(affinity) == (1.0 + 0.1 + 1.0) / 3  # the diagonal has the better mean, 1.0


def test_affinities_well_above_zero_never_earn_a_diagonal_move(rng: np.random.Generator) -> None:
    affinity = rng.uniform(0.01, 1.0, (6, 30))
    assert len(backtrace(accumulate(affinity))) == 6 + 30 - 1


def test_one_sub_action_and_one_frame() -> None:
    values = [0.5, 0.25, -1.0]
    assert score([values]) == score([[value] for value in values]) == -0.25 / 3
    assert score([[0.75]]) == 0.75


def test_reference_refuses_what_the_others_refuse() -> None:
    for bad in (np.zeros(2), np.array([[np.nan]]), np.zeros((1, 0))):
        with pytest.raises(ActAlignError, match="affinity"):
            score(bad)
