"""One matrix, with its path."""

import numpy as np
from numpy.typing import ArrayLike

from actalign.dtw.checks import check_affinity
from actalign.dtw.path_kernels import best_moves, evidence_along, path_along
from actalign.records import Alignment

FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


def align(affinity_kt: ArrayLike) -> Alignment:
    """Align K sub-actions with T frames along the path with the largest sum of affinities (paper, Eq. 10-13).

    ``affinity_kt`` (K, T) holds real numbers, affinities (Eq. 9) or cosines; K may exceed T. The path runs forward
    in time from (0, 0) to (K-1, T-1); ties go to the diagonal, then the previous frame, then the previous
    sub-action. Sums are float64 and equal the reference's bit for bit. Takes K x T bytes beside a float32 or
    float64 matrix in C order; others are first copied to float64.

    Raises ActAlignError when the matrix is not two-dimensional, is empty, or holds NaN, inf or numbers too large to add
    up.

    >>> alignment = align([[0.9, 0.8, 0.1], [0.1, 0.2, 0.9]])
    >>> alignment.path.tolist()
    [[0, 0], [0, 1], [1, 1], [1, 2]]
    >>> round(alignment.total, 2), round(alignment.score, 2), alignment.step_evidence.round(2).tolist()
    (2.8, 0.7, [0.85, 0.55])
    """
    matrix = check_affinity(affinity_kt)
    matrix = np.ascontiguousarray(matrix, dtype=matrix.dtype if matrix.dtype in FLOATS else np.float64)
    moves = np.empty(matrix.shape, dtype=np.uint8)
    total = float(best_moves(matrix, moves))
    path = path_along(moves)
    return Alignment(score=total / len(path), total=total, path=path, step_evidence=evidence_along(matrix, path))
