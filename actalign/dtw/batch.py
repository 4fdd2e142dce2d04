"""Many matrices, no paths: compiled loops over a flat copy of the batch, on every core."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, pairwise
from operator import attrgetter
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from actalign.cores import share_out, threads_for
from actalign.dtw.checks import check_shape, check_values
from actalign.dtw.kernels import best_paths, laid_end_to_end

Task = tuple[NDArray[Any], ...]
FLOATS = {np.dtype(np.float32), np.dtype(np.float64)}
PIECE_CELLS = 250_000
"""Cells laid out flat and worked through at a time: about 2 MB, unless one matrix alone is larger."""
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
    batch gives an empty array. Memory beyond the input is a few megabytes a thread, or one copy of the largest
    matrix. ``threads=None`` is one per core.

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
    matrices = _floats(list(affinities))
    cells = np.fromiter(map(attrgetter("size"), matrices), dtype=np.int64, count=len(matrices))
    found = Totals(np.empty(len(matrices)), np.empty(len(matrices), dtype=np.int64))

    def laid_out() -> Iterator[Task]:
        for piece in _pieces(cells, workers):
            some = matrices[piece]
            steps = np.fromiter(map(len, some), dtype=np.int64, count=len(some))
            row_starts, first_rows, frames = laid_end_to_end(steps, cells[piece])
            yield memory.flat(some), row_starts, first_rows, frames, found.sums[piece], found.lengths[piece]

    workers, memory = threads_for(threads), _Memory()
    share_out(memory.run, laid_out(), threads=workers)
    for index in np.flatnonzero(found.lengths == 0).tolist():
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
    first = _offsets(counts)
    found = Totals(np.empty(first[-1]), np.empty(first[-1], dtype=np.int64))
    cells = np.array([sum(map(len, clip.scripts)) * clip.values_nt.shape[1] for clip in evidence], dtype=np.int64)

    def laid_out() -> Iterator[Task]:
        for piece in _pieces(cells, workers):
            clips = evidence[piece]
            scripts = list(chain.from_iterable(clip.scripts for clip in clips))
            if not scripts:
                continue
            steps = np.array([len(rows) for rows in scripts], dtype=np.int64)
            frames = np.repeat([clip.values_nt.shape[1] for clip in clips], counts[piece])
            bases = np.repeat(_offsets(np.array([clip.values_nt.size for clip in clips]))[:-1], counts[piece])
            row_starts = np.repeat(bases, steps) + np.concatenate(scripts) * np.repeat(frames, steps)
            values = memory.flat([clip.values_nt for clip in clips])
            whole = slice(first[piece.start], first[piece.stop])
            yield values, row_starts, _offsets(steps), frames, found.sums[whole], found.lengths[whole]

    workers, memory = threads_for(threads), _Memory()
    share_out(memory.run, laid_out(), threads=workers)
    for index in np.flatnonzero(found.lengths == 0):
        clip = int(np.searchsorted(first, index, side="right")) - 1
        matrix = evidence[clip].matrices()[index - first[clip]]
        check_values(matrix, name=f"candidate {index - first[clip]} of clip {clip}")
    return found.scores


def _floats(affinities: list[ArrayLike]) -> list[NDArray[Any]]:
    """The matrices in float32 or float64, copied only where they are neither; their values are not looked at."""
    ready = set(map(type, affinities)) <= {np.ndarray} and set(map(attrgetter("ndim"), affinities)) <= {2}
    if ready and set(map(attrgetter("dtype"), affinities)) <= FLOATS and all(map(attrgetter("size"), affinities)):
        return cast("list[NDArray[Any]]", affinities)
    matrices = []
    for index, affinity_kt in enumerate(affinities):
        matrix = check_shape(affinity_kt, name=f"affinities[{index}]")
        with np.errstate(over="ignore"):  # a wider float may hold what float64 cannot: found to be inf later
            matrices.append(matrix if matrix.dtype in FLOATS else matrix.astype(np.float64))
    return matrices


class _Memory:
    """Where pieces are laid out. It is used again as soon as a piece is done: memory is slow when first touched."""

    def __init__(self) -> None:
        self._free: list[NDArray[Any]] = []
        self._lent: dict[int, NDArray[Any]] = {}

    def flat(self, matrices: Sequence[NDArray[Any]]) -> NDArray[Any]:
        """All values one after the other; not copied where one matrix in C order is all there is."""
        if len(matrices) == 1:
            return matrices[0].reshape(-1)
        rows = [matrix.ravel() for matrix in matrices]
        size, dtype = sum(map(len, rows)), np.result_type(*{row.dtype for row in rows})
        block = self._free.pop() if self._free else np.empty(0, dtype)
        if block.dtype != dtype or len(block) < size:
            block = np.empty(size + size // 8, dtype)  # the next piece may be a little larger
        values = np.concatenate(rows, out=block[:size])
        self._lent[id(values)] = block
        return values

    def run(self, task: Task) -> None:
        """Work through a piece, then take back the memory that was lent to it."""
        best_paths(*task)
        block = self._lent.pop(id(task[0]), None)
        if block is not None:
            self._free.append(block)


def _offsets(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """0 and the running sums of ``counts``: where each begins, and the end."""
    return np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(counts, dtype=np.int64)))


def _pieces(cells: NDArray[np.int64], threads: int) -> list[slice]:
    """Runs of neighbours with about equal numbers of cells, enough of them for every thread."""
    if len(cells) == 0:
        return []
    ends = np.cumsum(cells)
    wanted = min(PIECE_CELLS, max(SMALLEST_PIECE_CELLS, -(-int(ends[-1]) // threads)))
    if ends[-1] <= wanted:
        return [slice(0, len(cells))]
    cuts = np.searchsorted(ends, np.arange(wanted, int(ends[-1]), wanted), side="left") + 1
    borders = sorted({0, len(cells), *cuts.tolist()})
    return [slice(start, stop) for start, stop in pairwise(borders)]
