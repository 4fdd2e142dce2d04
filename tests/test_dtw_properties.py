"""What must hold for any matrix, searched for counterexamples."""

from random import Random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray

from actalign.dtw import align, reference, scores

Matrix = NDArray[np.float64]

quick = settings(max_examples=60)
shapes = array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=9)
reals = arrays(np.float64, shapes, elements=st.floats(-1, 1))
affinities = arrays(np.float64, shapes, elements=st.floats(2**-20, 1))  # none so small that a sum swallows it
integers = arrays(np.int64, shapes, elements=st.integers(-2, 2))
matrices = st.one_of(reals, affinities, integers)


@quick
@given(matrices)
def test_path_is_monotone_connected_and_spans_the_matrix(affinity: Matrix) -> None:
    path = align(affinity).path
    steps, frames = affinity.shape
    assert path[0].tolist() == [0, 0] and path[-1].tolist() == [steps - 1, frames - 1]
    assert {tuple(move) for move in np.diff(path, axis=0).tolist()} <= {(0, 1), (1, 0), (1, 1)}
    assert max(steps, frames) <= len(path) <= steps + frames - 1


@quick
@given(matrices)
def test_score_lies_between_the_smallest_and_largest_cell(affinity: Matrix) -> None:
    slack = 1e-12
    assert affinity.min() - slack <= align(affinity).score <= affinity.max() + slack


@quick
@given(matrices)
def test_the_parts_agree(affinity: Matrix) -> None:
    alignment = align(affinity)
    cells = affinity[alignment.path[:, 0], alignment.path[:, 1]].astype(np.float64)
    assert alignment.total == np.cumsum(cells)[-1]  # added up in order, as the recursion does
    assert alignment.score == alignment.total / len(alignment.path)
    pairs_per_step = np.bincount(alignment.path[:, 0])
    assert np.isclose(alignment.step_evidence @ pairs_per_step, alignment.total, rtol=1e-12, atol=1e-12)


@quick
@given(st.lists(matrices, max_size=8))
def test_batch_is_the_reference_bit_for_bit(batch: list[Matrix]) -> None:
    assert scores(batch).tolist() == [reference.score(matrix) for matrix in batch]
    assert [align(matrix).score for matrix in batch] == [reference.score(matrix) for matrix in batch]


@quick
@given(st.lists(matrices, min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_order_and_company_in_the_batch_change_nothing(batch: list[Matrix], shuffler: Random) -> None:
    order = list(range(len(batch)))
    shuffler.shuffle(order)
    found = scores(batch)
    assert scores([batch[index] for index in order]).tolist() == found[order].tolist()
    assert scores(batch[:1]).tolist() == found[:1].tolist()


@quick
@given(reals)
def test_no_path_beats_the_total(affinity: Matrix) -> None:
    steps, frames = affinity.shape
    down_then_right = affinity[:, 0].sum() + affinity[-1, 1:].sum()
    right_then_down = affinity[0].sum() + affinity[1:, -1].sum()
    spread = np.linspace(0, 1, max(steps, frames))
    straight = affinity[np.rint(spread * (steps - 1)).astype(int), np.rint(spread * (frames - 1)).astype(int)].sum()
    assert align(affinity).total >= max(down_then_right, right_then_down, straight) - 1e-12


@quick
@given(integers, st.integers(0, 3), st.data())
def test_raising_a_cell_never_lowers_the_total(affinity: NDArray[np.int64], more: int, data: st.DataObject) -> None:
    raised = affinity.copy()
    raised[data.draw(st.tuples(*(st.integers(0, side - 1) for side in affinity.shape)))] += more
    assert align(affinity).total <= align(raised).total <= align(affinity).total + more


@quick
@given(integers, st.integers(0, 3))
def test_adding_a_constant_raises_the_total_by_it_for_every_pair_of_some_path(
    affinity: NDArray[np.int64], constant: int
) -> None:
    before, after = align(affinity), align(affinity + constant)
    # the old path is still a path, and the new one was one before: the change lies between the two
    assert constant * len(before.path) <= after.total - before.total <= constant * len(after.path)


@quick
@given(affinities)
def test_positive_affinities_give_the_longest_path(affinity: Matrix) -> None:
    # a diagonal move skips a cell that would have added to the sum, so every path has K + T - 1 pairs
    assert len(align(affinity).path) == sum(affinity.shape) - 1


@quick
@given(integers)
def test_totals_are_the_same_backwards_and_transposed(affinity: NDArray[np.int64]) -> None:
    total = align(affinity).total
    assert align(affinity[::-1, ::-1]).total == total
    assert align(affinity.T).total == total


@quick
@given(matrices)
def test_scaling_by_a_power_of_two_scales_the_score_exactly(affinity: Matrix) -> None:
    before, after = align(affinity), align(affinity * 4.0)
    assert after.score == 4.0 * before.score
    np.testing.assert_array_equal(after.path, before.path)
