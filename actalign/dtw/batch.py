"""Many matrices, no paths: compiled loops over the matrices where they lie in memory, on every core."""

from collections.abc import Iterable, Sequence
from itertools import chain, pairwise
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from actalign.compiled import Layouts, are_alike, layouts
from actalign.cores import share_out, threads_for
from actalign.dtw.checks import check_shape, check_values
from actalign.dtw.kernels import best_paths, rows_of

FLOATS = {np.dtype(np.float32), np.dtype(np.float64)}
FLOAT_IDS = set(map(id, FLOATS))
SIGN = -(2**63)
IN_PLACE = 0x0001 | 0x0100
"""NumPy's flags of an array in C order whose values are aligned."""
PIECE_CELLS = 250_000
"""Cells that a thread works through at a time."""
SMALLEST_PIECE_CELLS = 50_000
"""Below this a thread of its own costs more than it saves."""


class Totals(NamedTuple):
    """What Eq. 13 divides: the sum over each best path, (N,) float64, and its number of pairs, (N,) int64."""

    sums: NDArray[np.float64]
    lengths: NDArray[np.int64]

    @property
    def scores(self) -> NDArray[np.float64]:
        return self.sums / self.lengths


class Evidence(NamedTuple):
    """The values of one clip's N distinct rows, (N, T), and which of them each candidate's script is, in order.

    A row may serve several candidates, and the same one twice.

    >>> Evidence(np.array([[1.0, 2.0], [3.0, 4.0]]), (np.array([1, 0]), np.array([0]))).matrices()[0].tolist()
    [[3.0, 4.0], [1.0, 2.0]]
    """

    values_nt: NDArray[Any]
    scripts: tuple[NDArray[np.intp], ...]

    def matrices(self) -> tuple[NDArray[Any], ...]:
        """One (K, T) matrix per candidate, copied."""
        return tuple(self.values_nt[rows] for rows in self.scripts)


def scores(affinities: Iterable[ArrayLike], *, threads: int | None = None) -> NDArray[np.float64]:
    """The path-normalised score of each of N ragged (K, T) matrices, (N,) in the order given (paper, Eq. 12-13).

    Each equals ``actalign.dtw.reference.score`` of that matrix bit for bit, whatever else is in the batch. An empty
    batch gives an empty array. Matrices of one precision, float32 or float64, in C order are read where they are;
    others are copied first. ``threads=None`` is one per core.

    Raises ActAlignError, naming the matrix, when one is not two-dimensional, is empty, or holds NaN or inf.

    >>> scores([[[3, 1, 0], [0, 2, 4]], [[0.5, 0.25]]]).tolist()
    [2.5, 0.375]
    """
    return totals(affinities, threads=threads).scores


def totals(affinities: Iterable[ArrayLike], *, threads: int | None = None) -> Totals:
    """As :func:`scores`, before the division: the best path's sum, and its number of pairs.

    >>> totals([[[3, 1, 0], [0, 2, 4]], [[0.5, 0.25]]])
    Totals(sums=array([10.  ,  0.75]), lengths=array([4, 2]))
    """
    matrices, lie = _readable(list(affinities))
    steps, frames, cells = lie.rows, lie.columns, lie.rows * lie.columns
    if not cells.all():
        check_shape(matrices[int(np.argmin(cells))], name=f"affinities[{np.argmin(cells)}]")
    found = Totals(np.empty(len(matrices)), np.empty(len(matrices), dtype=np.int64))
    if matrices:
        like = matrices[0][:0]
        row_addresses, first_rows = rows_of(lie.addresses, steps, frames * like.itemsize)

    def work(piece: slice) -> None:
        bounds = first_rows[piece.start : piece.stop + 1]
        best_paths(like, row_addresses, bounds, frames[piece], found.sums[piece], found.lengths[piece])

    workers = threads_for(threads)
    share_out(work, _pieces(cells, workers), threads=workers)
    if not found.lengths.all():
        index = int(np.argmin(found.lengths))
        check_values(matrices[index], name=f"affinities[{index}]")
    return found


def script_scores(evidence: Sequence[Evidence], *, threads: int | None = None) -> NDArray[np.float64]:
    """The scores of every candidate of every clip, one after the other: :func:`scores` of all their matrices.

    No matrix is laid out: the candidates of a clip are read from its distinct rows.

    Raises ActAlignError, naming clip and candidate by their places, on NaN or inf.

    >>> script_scores([Evidence(np.array([[3.0, 1, 0], [0, 2, 4]]), (np.array([0, 1]), np.array([1])))]).tolist()
    [2.5, 2.0]
    """
    counts = np.array([len(clip.scripts) for clip in evidence], dtype=np.int64)
    values, lie = _readable([clip.values_nt for clip in evidence])
    scripts = list(chain.from_iterable(clip.scripts for clip in evidence))
    found = Totals(np.empty(len(scripts)), np.empty(len(scripts), dtype=np.int64))
    first = _offsets(counts)
    if not scripts:
        return found.scores
    for place, clip_values in enumerate(values):
        if clip_values.size == 0 and counts[place]:
            check_shape(clip_values, name=f"the values of clip {place}")
    like = values[0][:0]
    steps = np.fromiter(map(len, scripts), dtype=np.int64, count=len(scripts))
    frames, addresses = np.repeat(lie.columns, counts), np.repeat(lie.addresses, counts)
    row_addresses = np.repeat(addresses, steps) + np.concatenate(scripts) * np.repeat(frames * like.itemsize, steps)
    first_rows = _offsets(steps)

    def work(piece: slice) -> None:
        bounds = first_rows[piece.start : piece.stop + 1]
        best_paths(like, row_addresses, bounds, frames[piece], found.sums[piece], found.lengths[piece])

    workers = threads_for(threads)
    share_out(work, _pieces(steps * frames, workers), threads=workers)
    if not found.lengths.all():
        index = int(np.argmin(found.lengths))
        clip = int(np.searchsorted(first, index, side="right")) - 1
        matrix = evidence[clip].matrices()[index - first[clip]]
        check_values(matrix, name=f"candidate {index - first[clip]} of clip {clip}")
    return found.scores


def _readable(affinities: list[ArrayLike]) -> tuple[list[NDArray[Any]], Layouts]:
    """The matrices in one precision and C order, copied only where they are not, and where they lie.

    Their values are not looked at.
    """
    if set(map(type, affinities)) == {np.ndarray}:
        arrays = cast("list[NDArray[Any]]", affinities)
        lie = layouts(arrays)
        first = int(lie.dtypes[0]) in FLOAT_IDS and lie.rows[0] >= 0 and lie.flags[0] & IN_PLACE == IN_PLACE
        alike = are_alike(lie.dtypes, -1) and are_alike(lie.rows, SIGN) and are_alike(lie.flags, IN_PLACE)
        if first and alike:
            return arrays, lie
    matrices = [check_shape(each, name=f"affinities[{index}]") for index, each in enumerate(affinities)]
    dtypes = {matrix.dtype for matrix in matrices}
    dtype = dtypes.pop() if len(dtypes) == 1 and dtypes <= FLOATS else np.dtype(np.float64)
    with np.errstate(over="ignore"):  # a wider float may hold what float64 cannot: found to be inf later
        matrices = [np.require(matrix, dtype, ["C", "ALIGNED"]) for matrix in matrices]
    return matrices, layouts(matrices)


def _offsets(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """0 and the running sums of ``counts``: where each begins, and the end."""
    return np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(counts, dtype=np.int64)))


def _pieces(cells: NDArray[np.int64], threads: int) -> list[slice]:
    """Runs of neighbours with about equal numbers of cells, enough of them for every thread."""
    if len(cells) == 0:
        return []
    total = int(cells.sum())
    wanted = min(PIECE_CELLS, max(SMALLEST_PIECE_CELLS, -(-total // threads)))
    if total <= wanted:
        return [slice(0, len(cells))]
    cuts = np.searchsorted(np.cumsum(cells), np.arange(wanted, total, wanted), side="left") + 1
    borders = sorted({0, len(cells), *cuts.tolist()})
    return [slice(start, stop) for start, stop in pairwise(borders)]
