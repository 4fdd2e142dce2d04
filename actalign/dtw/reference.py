"""The alignment as the paper writes it, in plain loops: slow, readable, and what the tests trust.

Time and memory grow with K x T. Use ``actalign.dtw.align`` and ``actalign.dtw.scores`` for real work.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from actalign.dtw.checks import check_affinity


def accumulate(affinity_kt: ArrayLike) -> NDArray[np.float64]:
    """The best sum of affinities over any path from (0, 0) to each cell, (K, T) (paper, Eq. 10-11).

    D[k, t] = A[k, t] + max(D[k-1, t-1], D[k, t-1], D[k-1, t]), where a predecessor outside the matrix does not count.
    Raises ActAlignError on a bad matrix.

    >>> accumulate([[3, 1, 0], [0, 2, 4]])
    array([[ 3.,  4.,  4.],
           [ 3.,  6., 10.]])
    """
    affinity = check_affinity(affinity_kt).astype(np.float64)
    steps, frames = affinity.shape
    accumulated = np.empty((steps, frames))
    for k in range(steps):
        for t in range(frames):
            if k == 0 and t == 0:
                best = 0.0
            elif k == 0:
                best = accumulated[k, t - 1]
            elif t == 0:
                best = accumulated[k - 1, t]
            else:
                best = max(accumulated[k - 1, t - 1], accumulated[k, t - 1], accumulated[k - 1, t])
            accumulated[k, t] = affinity[k, t] + best
    return accumulated


def backtrace(accumulated_kt: NDArray[np.float64]) -> NDArray[np.intp]:
    """The path that earned D[K-1, T-1], (P, 2) pairs (sub_action, frame), forward in time (paper, Eq. 10-11).

    It is followed back from the end. Among equally good predecessors it takes the diagonal one, then the
    previous frame, then the previous sub-action.

    >>> backtrace(accumulate([[3, 1, 0], [0, 2, 4]])).tolist()
    [[0, 0], [0, 1], [1, 1], [1, 2]]
    """
    k, t = accumulated_kt.shape[0] - 1, accumulated_kt.shape[1] - 1
    path = [(k, t)]
    while (k, t) != (0, 0):
        if k == 0:
            t -= 1
        elif t == 0:
            k -= 1
        else:
            diagonal = accumulated_kt[k - 1, t - 1]
            previous_frame = accumulated_kt[k, t - 1]
            previous_sub_action = accumulated_kt[k - 1, t]
            if diagonal >= previous_frame and diagonal >= previous_sub_action:
                k, t = k - 1, t - 1
            elif previous_frame >= previous_sub_action:
                t -= 1
            else:
                k -= 1
        path.append((k, t))
    return np.array(path[::-1], dtype=np.intp)


def score(affinity_kt: ArrayLike) -> float:
    """The sum of affinities over the best path, divided by its number of pairs (paper, Eq. 12-13).

    The path maximises the sum; only then is the sum divided. Raises ActAlignError on a bad matrix.

    >>> score([[3, 1, 0], [0, 2, 4]])
    2.5
    """
    accumulated = accumulate(affinity_kt)
    return float(accumulated[-1, -1]) / len(backtrace(accumulated))
