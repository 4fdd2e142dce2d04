"""The compiled loops: the reference's recurrence with one row of the matrix in memory at a time.

A cell's sum is the better of two candidates: the better of its diagonal and upper neighbours, known a row ago,
and its left neighbour, known just now. Only the second is waited for, so the loop runs at the speed of one
comparison and one addition. Sums are float64 whatever the matrix holds: float32 sums tie where they should not.

All in one file: numba compiles again what has changed in a function's own file, and does not look into others.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from actalign.compiled import bring_closer, bring_line_closer, compiled, memory_at
from actalign.dtw.checks import LARGEST

DIAGONAL, PREVIOUS_FRAME, PREVIOUS_SUB_ACTION = 0, 1, 2
AHEAD = 3
"""Rows from one that is worked on to the one that is brought into the cache meanwhile."""
ARRAYS_AHEAD = 16
"""The same for the structures of arrays."""
ARRAY_FIELDS = 7
"""Words of NumPy's structure of an array that are looked at, those after the header."""
IN_PLACE = 0x0001 | 0x0100
"""NumPy's flags of an array in C order whose values are aligned."""
HALF = 0xFFFFFFFF


@compiled
def best_paths(
    like: NDArray[Any],
    row_addresses: NDArray[np.int64],
    first_rows: NDArray[np.int64],
    frame_counts: NDArray[np.int64],
    sums: NDArray[np.float64],
    lengths: NDArray[np.int64],
) -> bool:
    """Write the sum and the number of pairs of the best path of each of N matrices (paper, Eq. 10-12).

    Matrix i has rows ``first_rows[i]`` to ``first_rows[i + 1] - 1``; row r is ``frame_counts[i]`` values of the type
    of ``like``, at ``row_addresses[r]`` in memory, so that matrices may share rows and none is copied. A length of 0
    marks a matrix that ``check_values`` refuses, and whether there is one is returned. Nothing else is checked.

    >>> values = np.array([[3.0, 1, 0], [0, 2, 4]])
    >>> rows = values.ctypes.data + np.array([0, 24])
    >>> sums, lengths = np.empty(1), np.empty(1, dtype=np.int64)
    >>> best_paths(values, rows, np.array([0, 2]), np.array([3]), sums, lengths)
    False
    >>> sums.tolist(), lengths.tolist()
    ([10.0], [4])
    """
    any_refused = False
    widest = frame_counts.max()
    row_sums, row_lengths = np.empty(widest), np.empty(widest, dtype=np.int64)
    for matrix in range(len(frame_counts)):
        frames, first, end = frame_counts[matrix], first_rows[matrix], first_rows[matrix + 1]
        limit = LARGEST / (frames + end - first)
        refused = False
        best, length = 0.0, 0
        values = memory_at(row_addresses[first], frames, like)
        for t in range(frames):  # the first sub-action: one path
            value = np.float64(values[t])
            refused |= not (abs(value) <= limit)
            best += value
            row_sums[t], row_lengths[t] = best, t + 1
        for row in range(first + 1, end):
            if row + AHEAD < len(row_addresses):
                bring_closer(row_addresses[row + AHEAD], frames * like.itemsize)
            values = memory_at(row_addresses[row], frames, like)
            value = np.float64(values[0])
            refused |= not (abs(value) <= limit)
            diagonal, diagonal_length = row_sums[0], row_lengths[0]
            best, length = diagonal + value, diagonal_length + 1  # the first frame: one path
            row_sums[0], row_lengths[0] = best, length
            for t in range(1, frames):
                value = np.float64(values[t])
                refused |= not (abs(value) <= limit)
                above, above_length = row_sums[t], row_lengths[t]
                by_diagonal = diagonal >= above
                other_length = diagonal_length if by_diagonal else above_length
                length = (length if (best >= above) & (best > diagonal) else other_length) + 1
                best = max(best, diagonal if by_diagonal else above) + value
                diagonal, diagonal_length = above, above_length
                row_sums[t], row_lengths[t] = best, length
        sums[matrix] = row_sums[frames - 1]
        lengths[matrix] = 0 if refused else row_lengths[frames - 1]
        any_refused |= refused
    return any_refused


@compiled
def best_paths_in_place(
    like: NDArray[Any],
    places: NDArray[np.int64],
    start: int,
    stop: int,
    sums: NDArray[np.float64],
    lengths: NDArray[np.int64],
) -> bool:
    """:func:`best_paths` of matrices ``start`` to ``stop - 1`` in C order.

    ``places`` holds the address, the rows and the columns of each (:class:`actalign.dtw.layout.Layout`).
    """
    steps, frames = places[1, start:stop], places[2, start:stop]
    row_addresses = np.empty(steps.sum(), dtype=np.int64)
    first_rows = np.zeros(len(steps) + 1, dtype=np.int64)
    row = 0
    for matrix in range(len(steps)):
        for step in range(steps[matrix]):
            row_addresses[row] = places[0, start + matrix] + step * frames[matrix] * like.itemsize
            row += 1
        first_rows[matrix + 1] = row
    return best_paths(like, row_addresses, first_rows, frames, sums[start:stop], lengths[start:stop])


@compiled
def _type_of(structure: int, ids: NDArray[np.int64]) -> int:
    return memory_at(structure + ids[0] - 8, 1, ids)[0]


@compiled
def read_places(listed: int, ids: NDArray[np.int64], places: NDArray[np.int64]) -> tuple[int, int]:
    """Write the places of the N matrices of a list whose ``id`` this is; returns cells and empty, or -1 and -1."""
    header, array_type, dtype = ids
    objects = memory_at(memory_at(listed + header, 2, ids)[1], places.shape[1], ids)
    cells, empty = 0, -1
    for place in range(len(objects)):
        if place + 2 * ARRAYS_AHEAD < len(objects):
            bring_line_closer(objects[place + 2 * ARRAYS_AHEAD] + header)
        if place + ARRAYS_AHEAD < len(objects) and _type_of(objects[place + ARRAYS_AHEAD], ids) == array_type:
            bring_line_closer(memory_at(objects[place + ARRAYS_AHEAD] + header, 3, ids)[2])
        if _type_of(objects[place], ids) != array_type:
            return -1, -1
        fields = memory_at(objects[place] + header, ARRAY_FIELDS, ids)
        if fields[5] != dtype or fields[1] & HALF != 2 or fields[6] & IN_PLACE != IN_PLACE:
            return -1, -1
        shape = memory_at(fields[2], 2, ids)
        size = shape[0] * shape[1]
        places[0, place], places[1, place], places[2, place], places[3, place] = fields[0], shape[0], shape[1], size
        cells += size
        empty = place if size == 0 else empty
    return cells, empty


@compiled
def score_list(
    listed: int, ids: NDArray[np.int64], like: NDArray[Any], most_cells: int, scores: NDArray[np.float64]
) -> bool:
    """The scores of a list of at most so many cells, all in one call: with few, calls are what takes the time.

    False, and nothing is known of the scores, where the list holds more, or anything that is not as expected
    (:class:`actalign.dtw.layout.Expected`).
    """
    places = np.empty((4, len(scores)), dtype=np.int64)
    cells, empty = read_places(listed, ids, places)
    if not 0 < cells <= most_cells or empty >= 0:
        return False
    lengths = np.empty(len(scores), dtype=np.int64)
    if best_paths_in_place(like, places, 0, len(scores), scores, lengths):
        return False
    scores /= lengths
    return True


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
    for k in range(1, steps):
        diagonal = row_sums[0]
        best = diagonal + np.float64(matrix_kt[k, 0])
        row_sums[0] = best
        moves_kt[k, 0] = PREVIOUS_SUB_ACTION
        for t in range(1, frames):
            above = row_sums[t]
            by_diagonal = diagonal >= above
            by_frame = (best >= above) & (best > diagonal)
            moves_kt[k, t] = PREVIOUS_FRAME if by_frame else (DIAGONAL if by_diagonal else PREVIOUS_SUB_ACTION)
            best = max(best, diagonal if by_diagonal else above) + np.float64(matrix_kt[k, t])
            diagonal = above
            row_sums[t] = best
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
