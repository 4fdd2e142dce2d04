"""Many matrices, no paths: compiled loops over the matrices where they lie in memory, on every core."""

from collections.abc import Callable, Iterable, Sequence
from itertools import chain, pairwise
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from actalign.cores import share_out, threads_for
from actalign.dtw.checks import check_affinity, check_rows, check_shape, check_values
from actalign.dtw.kernels import best_paths, score_list
from actalign.dtw.layout import DOUBLE, SINGLE, Layout, known_ids, layout

PIECE_CELLS = 250_000
"""Cells that a thread works through at a time."""
SMALLEST_PIECE_CELLS = 150_000
"""With less for each, to wake a second thread costs more than it saves."""


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

    Raises ActAlignError, naming the matrix, when one is not two-dimensional, is empty, or holds NaN, inf or numbers
    too large to add up.

    >>> scores([[[3, 1, 0], [0, 2, 4]], [[0.5, 0.25]]]).tolist()
    [2.5, 0.375]
    """
    matrices = list(affinities)
    if threads is not None and (type(threads) is not int or threads < 1):
        threads_for(threads)  # refuses what is not a number of threads
    ids, found = known_ids(), np.empty(len(matrices))
    if ids is not None and score_list(id(matrices), ids, SMALLEST_PIECE_CELLS, found):
        return found
    return totals(matrices, threads=threads).scores


def totals(affinities: Iterable[ArrayLike], *, threads: int | None = None) -> Totals:
    """As :func:`scores`, before the division: the best path's sum, and its number of pairs.

    >>> totals([[[3, 1, 0], [0, 2, 4]], [[0.5, 0.25]]])
    Totals(sums=array([10.  ,  0.75]), lengths=array([4, 2]))
    """
    matrices, lie = _readable(list(affinities))
    if lie.empty >= 0:
        check_shape(matrices[lie.empty], name=f"affinities[{lie.empty}]")
    found = Totals(np.empty(len(matrices)), np.empty(len(matrices), dtype=np.int64))
    rows, first_rows = np.arange(lie.places[1].max(initial=0)), np.zeros(len(matrices), dtype=np.int64)

    def work(start: int, stop: int) -> bool:
        like = np.empty(0, matrices[0].dtype)  # and the matrices live as long as any thread reads them
        return best_paths(like, lie.places, rows, first_rows, start, stop, *found)

    if _any_refused(work, lie.places[3], threads=threads):
        index = int(np.argmin(found.lengths))
        check_values(matrices[index], name=f"affinities[{index}]")
    return found


def script_scores(evidence: Sequence[Evidence], *, threads: int | None = None) -> NDArray[np.float64]:
    """The scores of every candidate of every clip, one after the other: :func:`scores` of all their matrices.

    No matrix is laid out: the candidates of a clip are read from its distinct rows.

    Raises ActAlignError, naming clip and candidate by their places, on NaN or inf, or a script without a row or with
    one that is not there.

    >>> script_scores([Evidence(np.array([[3.0, 1, 0], [0, 2, 4]]), (np.array([0, 1]), np.array([1])))]).tolist()
    [2.5, 2.0]
    """
    counts = np.array([len(clip.scripts) for clip in evidence], dtype=np.int64)
    values, lie = _readable([clip.values_nt for clip in evidence], name="values of clip {}")
    if lie.empty >= 0:
        check_shape(values[lie.empty], name=f"values of clip {lie.empty}")
    scripts = list(chain.from_iterable(clip.scripts for clip in evidence))
    found = Totals(np.empty(len(scripts)), np.empty(len(scripts), dtype=np.int64))
    if not scripts:
        return found.scores
    steps = np.fromiter(map(len, scripts), dtype=np.int64, count=len(scripts))
    places = np.repeat(lie.places, counts, axis=1)
    rows = _rows(scripts, steps, places[1], evidence=evidence)
    places[1], first_rows = steps, _offsets(steps)

    def work(start: int, stop: int) -> bool:
        like = np.empty(0, values[0].dtype)
        return best_paths(like, places, rows, first_rows, start, stop, *found)

    if _any_refused(work, steps * places[2], threads=threads):
        index = int(np.argmin(found.lengths))
        clip = int(np.searchsorted(first := _offsets(counts), index, side="right")) - 1
        matrix = evidence[clip].matrices()[index - first[clip]]
        check_affinity(matrix, name=f"candidate {index - first[clip]} of clip {clip}")
    return found.scores


def _rows(
    scripts: list[NDArray[np.intp]],
    steps: NDArray[np.int64],
    available: NDArray[np.int64],
    *,
    evidence: Sequence[Evidence],
) -> NDArray[np.int64]:
    """The row numbers of all scripts, one after the other; each script must be what ``check_rows`` asks."""
    if all(type(rows) is np.ndarray and rows.ndim == 1 and rows.dtype.kind in "iu" for rows in scripts):
        rows = np.concatenate(scripts, dtype=np.int64, casting="unsafe")
        if steps.all() and not ((rows < 0) | (rows >= np.repeat(available, steps))).any():
            return rows
    names = (
        f"candidate {place} of clip {clip}" for clip, own in enumerate(evidence) for place in range(len(own.scripts))
    )
    checked = [check_rows(*script, name=name) for *script, name in zip(scripts, available.tolist(), names, strict=True)]
    return np.concatenate(checked, dtype=np.int64, casting="unsafe")


def _readable(affinities: list[ArrayLike], *, name: str = "affinities[{}]") -> tuple[list[NDArray[Any]], Layout]:
    """The matrices in one precision and C order, copied only where they are not, and where they lie.

    Their values are not looked at.
    """
    lie = layout(affinities)
    if lie is not None:
        return cast("list[NDArray[Any]]", affinities), lie
    matrices = [check_shape(each, name=name.format(index)) for index, each in enumerate(affinities)]
    dtype = SINGLE if {matrix.dtype for matrix in matrices} == {SINGLE} else DOUBLE
    with np.errstate(over="ignore"):  # a wider float may hold what float64 cannot: found to be inf later
        matrices = [np.require(matrix, dtype, ["C", "ALIGNED"]).view(dtype) for matrix in matrices]  # NumPy's own dtype
    return matrices, cast(Layout, layout(matrices))


def _offsets(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """0 and the running sums of ``counts``: where each begins, and the end."""
    return np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(counts, dtype=np.int64)))


def _any_refused(work: Callable[[int, int], bool], cells: NDArray[np.int64], *, threads: int | None) -> bool:
    """Have every matrix worked on, the first and the one behind the last of a piece at a time, on so many threads."""
    workers = threads_for(threads)
    return any(share_out(lambda piece: work(*piece), _pieces(cells, workers), threads=workers))


def _pieces(cells: NDArray[np.int64], threads: int) -> list[tuple[int, int]]:
    """Runs of neighbours with about equal numbers of cells, enough of them for every thread."""
    total = int(cells.sum())
    wanted = min(PIECE_CELLS, max(SMALLEST_PIECE_CELLS, -(-total // threads)))
    if total < 2 * SMALLEST_PIECE_CELLS:
        return [(0, len(cells))] if len(cells) else []
    cuts = np.searchsorted(np.cumsum(cells), np.arange(wanted, total, wanted), side="left") + 1
    return list(pairwise(sorted({0, len(cells), *cuts.tolist()})))
