"""Scores of many ragged matrices: each must be the reference's, whatever else is in the batch."""

import copy
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from actalign.dtw import Evidence, align, batch, reference, scores, script_scores, totals
from actalign.errors import ActAlignError
from actalign.stage import ClipScripts


def ragged(count: int, *, seed: int = 0, largest: tuple[int, int] = (11, 60)) -> list[NDArray[np.float64]]:
    rng = np.random.default_rng(seed)
    shapes = rng.integers(1, np.array(largest) + 1, (count, 2))
    return [rng.random(shape) for shape in shapes]


def assert_reference(matrices: list[NDArray[np.float64]]) -> None:
    found = scores(matrices)
    assert found.dtype == np.float64 and found.shape == (len(matrices),)
    np.testing.assert_array_equal(found, [reference.score(matrix) for matrix in matrices], strict=True)


def test_random_ragged_matrices() -> None:
    assert_reference(ragged(150))


def test_negative_values_as_in_cosines() -> None:
    assert_reference([2 * matrix - 1 for matrix in ragged(100, seed=1)])


def test_ties() -> None:
    assert_reference([np.floor(3 * matrix) for matrix in ragged(100, seed=2)])
    assert_reference([np.floor(3 * matrix) / 10 - 0.1 for matrix in ragged(100, seed=3)])  # tied but for rounding
    assert_reference([np.full(matrix.shape, 0.1) for matrix in ragged(30, seed=4)])


def test_saturated_affinities() -> None:
    # down to 1e-40, up to exactly 1: small terms vanish in large sums, and ties appear that way
    assert_reference([1 / (1 + np.exp(180 * (0.6 - matrix).clip(-0.5, 0.5))) for matrix in ragged(150, seed=5)])


def test_more_sub_actions_than_frames_and_single_rows_and_columns(rng: np.random.Generator) -> None:
    assert_reference([rng.random(shape) for shape in [(40, 3), (1, 1), (1, 50), (50, 1), (2, 1), (1, 2), (40, 39)]])


@pytest.mark.parametrize("piece_cells", [1, 100, 2_000, 10_000_000])
@pytest.mark.parametrize("threads", [1, 2, 5])
def test_pieces_and_threads_change_nothing(piece_cells: int, threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    matrices = ragged(60, seed=7)
    expected = [reference.score(matrix) for matrix in matrices]
    monkeypatch.setattr(batch, "PIECE_CELLS", piece_cells)
    monkeypatch.setattr(batch, "SMALLEST_PIECE_CELLS", 1)
    np.testing.assert_array_equal(scores(matrices, threads=threads), expected)


@pytest.mark.parametrize("threads", [1, 3])
def test_as_many_threads_work_as_are_asked_for(threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    shares: list[int] = []

    def noted(work: Any, pieces: Any, *, threads: int) -> list[bool]:
        asked.append(threads)
        shares.append(len(pieces))
        return [work(piece) for piece in pieces]

    monkeypatch.setattr(batch, "share_out", noted)
    monkeypatch.setattr(batch, "SMALLEST_PIECE_CELLS", 1)
    matrices = ragged(30)
    expected = [reference.score(matrix) for matrix in matrices]
    assert scores(matrices, threads=threads).tolist() == expected
    assert totals(matrices, threads=threads).scores.tolist() == expected
    assert script_scores([Evidence(matrices[0], (np.arange(len(matrices[0])),))], threads=threads) == expected[0]
    assert asked == [threads] * 3 and shares[:2] == [threads] * 2


def test_matrices_are_read_wherever_and_however_they_lie(rng: np.random.Generator) -> None:
    """Copied or not, in both precisions, aligned or not, in either byte order: the same scores, nothing changed."""
    plain = ragged(60, seed=8)
    misaligned = np.frombuffer(b"x" + plain[0].tobytes(), dtype=np.uint8)[1:].view(np.float64).reshape(plain[0].shape)
    assert not misaligned.flags.aligned
    for batch_of in (
        plain,
        [matrix.astype(np.float32) for matrix in plain],
        [matrix.astype(np.float32) if place % 3 else matrix for place, matrix in enumerate(plain)],
        [np.asfortranarray(matrix) if place % 2 else matrix[::-1, ::-1] for place, matrix in enumerate(plain)],
        [matrix.astype(matrix.dtype.newbyteorder()) for matrix in plain],
        [misaligned, *plain[1:]],
        [matrix.astype(copy.deepcopy(matrix.dtype)) for matrix in plain],  # equal, but not NumPy's own, as unpickled
        [matrix.astype(copy.deepcopy(np.dtype(np.float32))) for matrix in plain],
        [np.asfortranarray(matrix.astype(copy.deepcopy(matrix.dtype))) for matrix in plain],
        list(rng.random((7, 4, 9))),
        list(rng.random((7, 8, 9))[:, ::2]),
    ):
        before = [matrix.copy() for matrix in batch_of]
        expected = [reference.score(matrix) for matrix in before]
        for threads in (1, 3):
            assert scores(batch_of, threads=threads).tolist() == expected
        for matrix, kept in zip(batch_of, before, strict=True):
            np.testing.assert_array_equal(matrix, kept)


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_pieces_cover_the_batch_once_and_stay_small(threads: int, rng: np.random.Generator) -> None:
    cells = np.concatenate([rng.integers(1, 900_000, 300), np.full(2000, 525), [3 * batch.PIECE_CELLS]])
    pieces = batch._pieces(cells, threads)
    assert [index for piece in pieces for index in range(*piece)] == list(range(len(cells)))
    for start, stop in pieces:
        assert cells[start : stop - 1].sum() < batch.PIECE_CELLS
    for count in (90, 500):
        assert len(batch._pieces(np.full(count, 525), 2)) == 1  # a question or two is not worth a thread each


def test_sums_and_lengths_are_the_references_too() -> None:
    for kind in (lambda m: m, lambda m: np.floor(3 * m), lambda m: 1 / (1 + np.exp(180 * (0.6 - m).clip(-0.5, 0.5)))):
        matrices = [np.asarray(kind(matrix)) for matrix in ragged(100, seed=13)]
        accumulated = [reference.accumulate(matrix) for matrix in matrices]
        found = totals(matrices)
        assert found.sums.tolist() == [grid[-1, -1] for grid in accumulated]
        assert found.lengths.tolist() == [len(reference.backtrace(grid)) for grid in accumulated]
        assert found.lengths.dtype == np.int64


def test_shared_rows_score_as_the_matrices_they_make(rng: np.random.Generator) -> None:
    clips = []
    for frames in (1, 30, 75):
        values = np.floor(4 * rng.random((9, frames))).astype(np.float32)
        values.flags.writeable = False
        scripts = tuple(rng.integers(0, 9, count) for count in (1, 4, 12))
        clips.append(Evidence(values, scripts))
    expected = [reference.score(matrix) for clip in clips for matrix in clip.matrices()]
    for threads in (1, 2):
        assert script_scores(clips, threads=threads).tolist() == expected
    assert script_scores([]).shape == (0,)
    assert script_scores([Evidence(np.ones((2, 3)), ())]).shape == (0,)
    assert script_scores([Evidence(np.ones((2, 3)), ()), *clips]).tolist() == expected


def test_the_bad_candidate_is_named() -> None:
    empty = [Evidence(np.ones((1, 2)), (np.array([0]),)), Evidence(np.ones((2, 0)), (np.array([0]),))]
    with pytest.raises(ActAlignError, match=r"values of clip 1 is empty, shape \(2, 0\)"):
        script_scores(empty)
    with pytest.raises(ActAlignError, match=r"values of clip 0 is empty, shape \(2, 0\)"):
        script_scores(empty[::-1])
    for dtype in (np.float64, np.float32):  # in place beside the others, and not
        with pytest.raises(ActAlignError, match=r"values of clip 1 is empty, shape \(2, 0\)"):
            script_scores([empty[0], Evidence(np.ones((2, 0), dtype), ())])
    values = np.array([[1.0, 2.0], [3.0, np.nan]])
    clips = [Evidence(values[:1], (np.array([0]),)), Evidence(values, (np.array([0, 0]), np.array([0, 1])))]
    with pytest.raises(ActAlignError, match=r"candidate 1 of clip 1\[1, 1\] is nan"):
        script_scores(clips)
    clips[1] = Evidence(values, (np.array([1]), np.array([0])))
    with pytest.raises(ActAlignError, match=r"candidate 0 of clip 1\[0, 1\] is nan"):
        script_scores(clips)
    nothing = np.array([], dtype=np.intp)
    for scripts, place in [((np.array([0]), nothing), 1), ((nothing,), 0)]:
        with pytest.raises(ActAlignError, match=rf"candidate {place} of clip 0 is empty"):
            script_scores([Evidence(values, scripts)])


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (np.array([1, 3]), "names row 3, but there are 3 rows"),
        (np.array([-1]), "names row -1"),
        (np.array([10**12]), "names row 1000000000000"),
        (np.array([[0, 1]]), r"must be a list of row numbers; got dtype int64, shape \(1, 2\)"),
        (np.array([True, False, True]), "must be a list of row numbers; got dtype bool"),
        (np.array([0.0, 1.0]), "must be a list of row numbers; got dtype float64"),
        ([], "is empty"),
    ],
)
def test_a_script_is_a_list_of_rows_that_are_there(script: Any, said: str) -> None:
    """No memory beside the values is ever read."""
    good = Evidence(np.ones((5, 2)), (np.array([4]),))
    with pytest.raises(ActAlignError, match=f"candidate 1 of clip 1 {said}"):
        script_scores([good, Evidence(np.ones((3, 2)), (np.array([0]), script))])
    with pytest.raises(ActAlignError, match=f"script 1 {said}"):
        ClipScripts(np.ones((2, 4)), np.ones((3, 4)), (np.array([0]), script))
    assert script_scores([good, Evidence(np.ones((3, 2)), ([2, 0],))]).tolist() == [1.0, 1.0]  # type: ignore[arg-type]


def test_values_that_are_no_matrix_are_named_by_their_clip() -> None:
    good = Evidence(np.ones((2, 2)), (np.array([0]),))
    for values, said in ((np.ones(3), "must be a matrix"), (np.ones((2, 2), complex), "must hold real numbers")):
        with pytest.raises(ActAlignError, match=f"values of clip 1 {said}"):
            script_scores([good, good._replace(values_nt=values)])


@pytest.mark.parametrize("threads", [0, -1, 1.5, True])
def test_a_bad_number_of_threads_is_refused(threads: Any) -> None:
    with pytest.raises(ActAlignError, match="threads is"):
        scores([np.ones((2, 2))], threads=threads)


def test_agrees_with_align() -> None:
    matrices = ragged(40, seed=9)
    assert scores(matrices).tolist() == [align(matrix).score for matrix in matrices]


def test_an_empty_matrix_is_named_wherever_it_stands() -> None:
    for place in range(3):
        matrices = [np.ones((2, 3))] * 3
        matrices[place] = np.ones((2, 0))
        with pytest.raises(ActAlignError, match=rf"affinities\[{place}\] is empty, shape \(2, 0\)"):
            scores(matrices)


def test_empty_batch() -> None:
    assert scores([]).shape == (0,)
    assert scores([]).dtype == np.float64


def test_any_iterable_of_matrices(rng: np.random.Generator) -> None:
    stack = rng.random((4, 3, 9))
    expected = scores(list(stack))
    np.testing.assert_array_equal(scores(stack), expected)
    np.testing.assert_array_equal(scores(matrix for matrix in stack), expected)
    np.testing.assert_array_equal(scores(stack.tolist()), expected)


def test_float32_is_added_up_in_float64() -> None:
    single = [matrix.astype(np.float32) for matrix in ragged(30, seed=11)]
    np.testing.assert_array_equal(scores(single), scores([matrix.astype(np.float64) for matrix in single]))
    mixed = [np.ones((2, 3), dtype) for dtype in (np.float16, np.int8, np.uint64, np.bool_, np.longdouble)]
    assert scores(mixed).tolist() == [1.0] * 5


def test_read_only_non_contiguous_and_unmodified(rng: np.random.Generator) -> None:
    views = [rng.random((40, 12)).T[::-1, ::3], np.asfortranarray(rng.random((5, 20))), rng.random((6, 6))]
    for view in views:
        view.flags.writeable = False
    before = [view.copy() for view in views]
    found = scores(views)
    assert found.tolist() == scores(before).tolist()
    writable = [matrix.copy() for matrix in before]
    scores(writable)
    for view, written, kept in zip(views, writable, before, strict=True):
        np.testing.assert_array_equal(view, kept)
        np.testing.assert_array_equal(written, kept)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (np.zeros(3), r"affinities\[2\] must be a matrix.*shape \(3,\)"),
        (np.zeros((0, 3)), r"affinities\[2\] is empty, shape \(0, 3\)"),
        (np.array([[0.0, np.nan]]), r"affinities\[2\]\[0, 1\] is nan"),
        (np.array([[0.0], [-np.inf]]), r"affinities\[2\]\[1, 0\] is -inf"),
        (np.array([["x"]]), r"affinities\[2\] must hold real numbers"),
        (np.array([[0, np.finfo(np.longdouble).max]], np.longdouble), r"affinities\[2\](\[0, 1\]|.*too large)"),
    ],
)
def test_the_bad_matrix_of_a_batch_is_named(bad: NDArray[np.float64], message: str) -> None:
    with pytest.raises(ActAlignError, match=message):
        scores([np.ones((2, 2)), np.ones((3, 4)), bad, np.ones((2, 2))])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e308])
def test_a_value_is_refused_wherever_it_stands(bad: float) -> None:
    for shape in [(1, 1), (1, 3), (2, 1), (2, 3), (3, 1), (3, 3), (4, 2), (5, 3)]:
        for cell in range(np.prod(shape)):
            matrix = np.zeros(shape)
            matrix.flat[cell] = bad
            with pytest.raises(ActAlignError, match=r"affinities\[1\]"):
                totals([np.ones((2, 2)), matrix, np.ones((3, 3))])


@pytest.mark.parametrize("shape", [(1, 1), (1, 3), (2, 1), (2, 3), (3, 2)])
def test_the_largest_values_that_can_be_added_up_are_scored_and_the_next_larger_ones_refused(
    shape: tuple[int, int],
) -> None:
    """The loops and what words the refusal draw the line at the same value: else a refused one is divided by 0."""
    most = np.finfo(np.float64).max / sum(shape)
    for sign in (1.0, -1.0):
        largest = np.full(shape, sign * most)
        assert_reference([largest])
        assert totals([largest]).scores.tolist() == [align(largest).score]
        for refuse in (align, reference.score, lambda matrix: scores([matrix])):
            with pytest.raises(ActAlignError, match="too large to add up"):
                refuse(np.nextafter(largest, sign * np.inf))


def test_a_single_matrix_in_place_of_a_batch_is_refused() -> None:
    with pytest.raises(ActAlignError, match=r"affinities\[0\] must be a matrix.*shape \(75,\)"):
        scores(np.ones((7, 75)))
