"""The fast alignment of one matrix: against the reference, two other libraries, and answers known beforehand."""

from typing import Any

import dtw as dtw_python
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from tslearn.metrics import dtw_path_from_metric

from actalign.dtw import align, alignment, scores
from actalign.dtw.path_kernels import best_moves
from actalign.dtw.reference import accumulate, backtrace, score
from actalign.errors import ActAlignError

SHAPES = [(1, 1), (1, 9), (9, 1), (2, 2), (5, 5), (7, 75), (30, 8), (12, 13)]
KINDS = ["uniform", "cosine", "saturated", "tied", "constant"]


def make(kind: str, shape: tuple[int, int], seed: int = 0) -> NDArray[np.float64]:
    rng = np.random.default_rng([seed, *shape])
    if kind == "uniform":
        return rng.random(shape)
    if kind == "cosine":
        return rng.uniform(-1, 1, shape)
    if kind == "saturated":  # a sigmoid whose tails reach 1e-40 and exactly 1: small terms vanish in large sums
        return np.asarray(1 / (1 + np.exp(-rng.normal(-20, 40, shape).clip(-90, 90))))
    if kind == "tied":
        return rng.integers(-1, 2, shape).astype(np.float64)
    return np.full(shape, 0.1)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", KINDS)
def test_equals_the_reference_bit_for_bit(kind: str, shape: tuple[int, int]) -> None:
    for seed in range(3):
        affinity = make(kind, shape, seed)
        alignment, accumulated = align(affinity), accumulate(affinity)
        assert alignment.total == accumulated[-1, -1]
        assert alignment.score == score(affinity)
        np.testing.assert_array_equal(alignment.path, backtrace(accumulated))
        assert alignment.path.dtype == np.intp
        assert isinstance(alignment.score, float) and isinstance(alignment.total, float)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", ["uniform", "cosine", "tied"])
def test_total_agrees_with_dtw_python(kind: str, shape: tuple[int, int]) -> None:
    affinity = make(kind, shape)
    other = dtw_python.dtw(-affinity, step_pattern=dtw_python.symmetric1)  # it minimises a sum of costs
    assert align(affinity).total == pytest.approx(-other.distance, rel=1e-12, abs=1e-12)
    assert affinity[other.index1, other.index2].sum() == pytest.approx(align(affinity).total, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", ["uniform", "cosine", "tied"])
def test_total_agrees_with_tslearn(kind: str, shape: tuple[int, int]) -> None:
    affinity = make(kind, shape)
    path, cost = dtw_path_from_metric(-affinity, metric="precomputed")
    assert align(affinity).total == pytest.approx(-cost, rel=1e-12, abs=1e-12)
    if kind != "tied":  # with distinct sums there is one best path
        assert align(affinity).path.tolist() == [list(pair) for pair in path]


def test_planted_stretches_are_found_exactly_in_noise(rng: np.random.Generator) -> None:
    for _ in range(20):
        steps, frames = 6, 80
        starts = [0, *sorted(rng.choice(np.arange(1, frames), steps - 1, replace=False)), frames]
        affinity = rng.uniform(-0.3, 0.0, (steps, frames))
        owner = np.repeat(np.arange(steps), np.diff(starts))
        affinity[owner, np.arange(frames)] = rng.uniform(0.05, 0.3, frames)
        assert align(affinity).path.tolist() == [[int(step), frame] for frame, step in enumerate(owner)]


def test_step_evidence_is_the_mean_over_each_sub_actions_stretch() -> None:
    alignment = align([[3, 1, 0, 2], [0, 2, 4, 1], [1, 0, 2, 3]])
    assert alignment.path.tolist() == [[0, 0], [0, 1], [1, 1], [1, 2], [2, 2], [2, 3]]
    assert alignment.step_evidence.tolist() == [(3 + 1) / 2, (2 + 4) / 2, (2 + 3) / 2]
    assert (alignment.total, alignment.score) == (15.0, 2.5)


def test_evidence_names_the_sub_action_that_did_not_happen() -> None:
    affinity = np.full((3, 30), 0.02)
    affinity[0, :15] = affinity[2, 15:] = 0.9
    assert int(align(affinity).step_evidence.argmin()) == 1


def test_one_sub_action_takes_every_frame_and_one_frame_takes_every_sub_action() -> None:
    one_step, one_frame = align([[0.5, 0.25, 1.0]]), align([[0.5], [0.25], [1.0]])
    assert one_step.path.tolist() == [[0, 0], [0, 1], [0, 2]]
    assert one_frame.path.tolist() == [[0, 0], [1, 0], [2, 0]]
    assert one_step.step_evidence.tolist() == [1.75 / 3]
    assert one_frame.step_evidence.tolist() == [0.5, 0.25, 1.0]


def test_a_long_clip_with_a_long_script() -> None:
    affinity = np.full((50, 4000), -1.0)
    affinity[np.arange(4000) // 80, np.arange(4000)] = 1.0
    alignment = align(affinity)
    assert (alignment.total, alignment.score, len(alignment.path)) == (4000.0, 1.0, 4000)


@pytest.mark.parametrize("dtype", ["float16", "float32", "longdouble", "int8", "uint8", "int64", "uint64", "bool"])
def test_any_real_dtype_is_added_up_in_float64(dtype: str, rng: np.random.Generator) -> None:
    affinity = (rng.random((5, 400)) * (1 if "float" in dtype else 2)).astype(dtype)
    assert align(affinity).total == align(affinity.astype(np.float64)).total


def test_read_only_non_contiguous_and_unmodified(rng: np.random.Generator) -> None:
    base = rng.random((40, 12))
    view = base.T[::-1, ::3]
    view.flags.writeable = False
    before = view.copy()
    alignment = align(view)
    np.testing.assert_array_equal(view, before)
    assert alignment.total == align(before).total
    contiguous = before.copy()
    align(contiguous)
    np.testing.assert_array_equal(contiguous, before)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_matrix_that_can_be_read_where_it_lies_is_not_copied(dtype: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    read = []

    def noted(matrix: Any, moves: Any) -> float:
        read.append(matrix)
        return best_moves(matrix, moves)

    monkeypatch.setattr(alignment, "best_moves", noted)
    matrix = np.ones((2, 3), dtype)
    align(matrix)
    assert np.shares_memory(read[0], matrix)


def test_negative_zero_is_zero() -> None:
    matrix = np.full((2, 3), -0.0)
    assert str(align(matrix).total) == str(scores([matrix])[0]) == str(accumulate(matrix)[-1, -1]) == "0.0"


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (1.0, r"shape \(\)"),
        (np.zeros(4), r"matrix of sub-actions x frames.*shape \(4,\)"),
        (np.zeros((2, 3, 4)), r"shape \(2, 3, 4\)"),
        (np.zeros((0, 4)), r"empty, shape \(0, 4\)"),
        (np.zeros((4, 0)), r"empty, shape \(4, 0\)"),
        ([[1.0, 2.0], [3.0]], r"equal lengths"),
        (np.ma.masked_array([[1.0, 9.0]], mask=[[False, True]]), r"has masked cells"),
        (torch.ones(2, 3, dtype=torch.bfloat16), r"cannot be read as an array: .*BFloat16.*; pass numbers NumPy knows"),
        (torch.ones(2, 3, requires_grad=True), r"cannot be read as an array"),
        ([["a", "b"]], r"real numbers; got dtype <U1"),
        (np.zeros((2, 2), complex), r"real numbers; got dtype complex128"),
        (np.full((2, 2), None), r"real numbers; got dtype object"),
        ([[0.0, 1.0, 2.0], [3.0, np.nan, np.nan]], r"affinity\[1, 1\] is nan.*2 of 6 cells"),
        ([[0.0, 1.0], [np.inf, 0.0]], r"affinity\[1, 0\] is inf"),
        ([[0.0, -np.inf], [np.nan, 0.0]], r"affinity\[0, 1\] is -inf.*2 of 4"),
        (np.full((2, 2), np.nan, np.float32), r"affinity\[0, 0\] is nan"),
        (np.full((3, 3), 1e308), r"holds 1e\+308, too large"),
        (np.array([[0, np.finfo(np.longdouble).max]], np.longdouble), r"affinity\[0, 1\]|too large"),
    ],
)
def test_bad_input_is_named(bad: Any, message: str) -> None:
    with pytest.raises(ActAlignError, match=message):
        align(bad)
