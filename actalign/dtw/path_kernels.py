"""The compiled loops of one path: as :mod:`actalign.dtw.kernels`, with where each cell's path comes from.

Two rows at once here too, and all in one file, for the reasons given there.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from actalign.compiled import compiled

DIAGONAL, PREVIOUS_FRAME, PREVIOUS_SUB_ACTION = 0, 1, 2


@compiled
def _step_and_move(value: float, left: float, diagonal: float, above: float) -> tuple[float, int]:
    """The sum of the best path to a cell, and where it comes from (paper, Eq. 10-11).

    Of equal sums the diagonal's is taken first, then that of the previous frame.
    """
    by_diagonal = diagonal >= above
    other = diagonal if by_diagonal else above
    by_frame = (left >= above) & (left > diagonal)
    move = PREVIOUS_FRAME if by_frame else (DIAGONAL if by_diagonal else PREVIOUS_SUB_ACTION)
    return max(left, other) + value, move


@compiled
def _moves_of_row(values: NDArray[Any], row_sums: NDArray[np.float64], moves: NDArray[np.uint8]) -> None:
    """Put the sums of a row in the place of those of the row above, and write its moves."""
    diagonal = row_sums[0]
    best = diagonal + np.float64(values[0])
    row_sums[0], moves[0] = best, PREVIOUS_SUB_ACTION
    for t in range(1, len(values)):
        above = row_sums[t]
        best, moves[t] = _step_and_move(np.float64(values[t]), best, diagonal, above)
        diagonal, row_sums[t] = above, best


@compiled
def _moves_of_two_rows(values_2t: NDArray[Any], row_sums: NDArray[np.float64], moves_2t: NDArray[np.uint8]) -> None:
    """The same for two rows at once, with the sums of the second."""
    upper_values, lower_values = values_2t[0], values_2t[1]
    upper_moves, lower_moves = moves_2t[0], moves_2t[1]
    diagonal = row_sums[0]
    upper = diagonal + np.float64(upper_values[0])
    upper_moves[0] = PREVIOUS_SUB_ACTION
    before = lower = -np.inf  # there is no frame before the first
    frames = len(upper_values)
    for t in range(1, frames):
        lower, lower_moves[t - 1] = _step_and_move(np.float64(lower_values[t - 1]), lower, before, upper)
        before, above = upper, row_sums[t]
        upper, upper_moves[t] = _step_and_move(np.float64(upper_values[t]), upper, diagonal, above)
        diagonal, row_sums[t - 1] = above, lower
    last = frames - 1
    row_sums[last], lower_moves[last] = _step_and_move(np.float64(lower_values[last]), lower, before, upper)


@compiled
def best_moves(matrix_kt: NDArray[Any], moves_kt: NDArray[np.uint8]) -> float:
    """Write, one byte a cell, where each cell's best path comes from; returns the sum of the whole best path.

    >>> moves = np.zeros((2, 3), dtype=np.uint8)
    >>> best_moves(np.array([[3.0, 1, 0], [0, 2, 4]]), moves)
    10.0
    >>> moves.tolist()
    [[0, 1, 1], [2, 2, 1]]
    """
    steps, frames = matrix_kt.shape
    row_sums = np.empty(frames)
    best = 0.0
    for t in range(frames):
        best += np.float64(matrix_kt[0, t])
        row_sums[t] = best
        moves_kt[0, t] = PREVIOUS_FRAME
    moves_kt[0, 0] = DIAGONAL
    if steps % 2 == 0:
        _moves_of_row(matrix_kt[1], row_sums, moves_kt[1])
    for k in range(2 - steps % 2, steps, 2):
        _moves_of_two_rows(matrix_kt[k : k + 2], row_sums, moves_kt[k : k + 2])
    return row_sums[frames - 1]


@compiled
def path_along(moves_kt: NDArray[np.uint8]) -> NDArray[np.intp]:
    """The path that :func:`best_moves` found, (P, 2) pairs (sub_action, frame), forward in time.

    >>> path_along(np.array([[0, 1, 1], [2, 2, 1]], dtype=np.uint8)).tolist()
    [[0, 0], [0, 1], [1, 1], [1, 2]]
    """
    k, t = moves_kt.shape[0] - 1, moves_kt.shape[1] - 1
    path = np.empty((k + t + 1, 2), dtype=np.intp)
    place = k + t
    path[place, 0], path[place, 1] = k, t
    while k > 0 or t > 0:
        move = moves_kt[k, t]
        k -= move != PREVIOUS_FRAME
        t -= move != PREVIOUS_SUB_ACTION
        place -= 1
        path[place, 0], path[place, 1] = k, t
    return path[place:]


@compiled
def evidence_along(matrix_kt: NDArray[Any], path: NDArray[np.intp]) -> NDArray[np.float64]:
    """The mean of each row's values on a path, (K,).

    >>> evidence_along(np.array([[3.0, 1, 0], [0, 2, 4]]), np.array([[0, 0], [0, 1], [1, 1], [1, 2]])).tolist()
    [2.0, 3.0]
    """
    sums, pairs = np.zeros(len(matrix_kt)), np.zeros(len(matrix_kt))
    for place in range(len(path)):
        k, t = path[place]
        sums[k] += np.float64(matrix_kt[k, t])
        pairs[k] += 1.0
    return sums / pairs
