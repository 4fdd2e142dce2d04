"""One matrix, with its path: the fast form of the reference, one anti-diagonal at a time."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from actalign.dtw.grid import check_affinity, diagonals, fill_framed
from actalign.dtw.reference import backtrace
from actalign.records import Alignment


def align(affinity_kt: ArrayLike) -> Alignment:
    """Align K sub-actions with T frames along the path with the largest sum of affinities (paper, Eq. 10-13).

    ``affinity_kt`` (K, T) holds real numbers, affinities (Eq. 9) or cosines; K may exceed T. The path runs forward
    in time from (0, 0) to (K-1, T-1); ties go to the diagonal, then the previous frame, then the previous
    sub-action. Sums are float64 and equal the reference's bit for bit. Takes one float64 copy of the matrix.

    Raises ActAlignError when the matrix is not two-dimensional, is empty, or holds NaN or inf.

    >>> alignment = align([[0.9, 0.8, 0.1], [0.1, 0.2, 0.9]])
    >>> alignment.path.tolist()
    [[0, 0], [0, 1], [1, 1], [1, 2]]
    >>> round(alignment.total, 2), round(alignment.score, 2), alignment.step_evidence.round(2).tolist()
    (2.8, 0.7, [0.85, 0.55])
    """
    matrix = check_affinity(affinity_kt)
    accumulated = _accumulate(matrix)
    path = backtrace(accumulated)
    total = float(accumulated[-1, -1])
    earned = matrix[path[:, 0], path[:, 1]].astype(np.float64)
    evidence = np.bincount(path[:, 0], weights=earned) / np.bincount(path[:, 0])
    return Alignment(score=total / len(path), total=total, path=path, step_evidence=evidence)


def _accumulate(matrix: NDArray[np.generic]) -> NDArray[np.float64]:
    steps, frames = matrix.shape
    grid = np.empty((steps + 1, frames + 1))
    fill_framed(grid, matrix)
    flat = grid.reshape(-1)
    for cells, diagonal, previous_frame, previous_sub_action in diagonals(steps, frames):
        best = np.maximum(flat[previous_frame], flat[previous_sub_action])
        flat[cells] += np.maximum(flat[diagonal], best, out=best)
    return grid[1:, 1:]
