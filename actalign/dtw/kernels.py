"""The compiled loops of scores: the reference's recurrence with one row of sums in memory.

The sum of a cell waits for its left neighbour's: for one comparison and one addition. So two rows are worked out at
once, the lower one a frame behind, and one goes on while the other waits. Sums are float64 whatever the matrix holds:
float32 sums tie where they should not.

All in one file: numba compiles again what has changed in a function's own file, and does not look into others.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from actalign.compiled import bring_closer, bring_line_closer, compiled, compiled_brief, memory_at
from actalign.dtw.checks import LARGEST

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
def _step(
    value: float, left: float, left_length: int, diagonal: float, diagonal_length: int, above: float, above_length: int
) -> tuple[float, int]:
    """The sum and the length of the best path to a cell, from its neighbours' (paper, Eq. 10-11).

    Of equal sums the diagonal's is taken first, then that of the previous frame.
    """
    by_diagonal = diagonal >= above
    other, other_length = diagonal if by_diagonal else above, diagonal_length if by_diagonal else above_length
    length = left_length if (left >= above) & (left > diagonal) else other_length
    return max(left, other) + value, length + 1


@compiled
def _one_row(values: NDArray[Any], limit: float, row_sums: NDArray[np.float64], row_lengths: NDArray[np.int64]) -> bool:
    """Write the sums and path lengths of a first row, where there is one path to a cell; was a value refused?"""
    refused = False
    best = 0.0
    for t in range(len(values)):
        value = np.float64(values[t])
        refused |= not (abs(value) <= limit)
        best += value
        row_sums[t], row_lengths[t] = best, t + 1
    return refused


@compiled
def _two_rows(
    upper_values: NDArray[Any],
    lower_values: NDArray[Any],
    limit: float,
    is_first: bool,
    row_sums: NDArray[np.float64],
    row_lengths: NDArray[np.int64],
) -> bool:
    """Put the sums and path lengths of the second of two rows in the place of those of the row above both.

    Of the first row of all, ``is_first``, what is above is -inf but for a 0 at the first frame. Was a value refused?
    """
    value = np.float64(upper_values[0])
    refused = not (abs(value) <= limit)
    diagonal, diagonal_length = row_sums[0], row_lengths[0]
    upper, upper_length = diagonal + value, diagonal_length + 1  # the first frame: one path
    before, before_length = -np.inf, 0  # the upper row, another frame ago
    lower, lower_length = -np.inf, 0
    if is_first:
        diagonal = -np.inf
    frames = len(upper_values)
    for t in range(1, frames):
        value = np.float64(lower_values[t - 1])
        refused |= not (abs(value) <= limit)
        lower, lower_length = _step(value, lower, lower_length, before, before_length, upper, upper_length)
        before, before_length = upper, upper_length
        value = np.float64(upper_values[t])
        refused |= not (abs(value) <= limit)
        above, above_length = row_sums[t], row_lengths[t]
        upper, upper_length = _step(value, upper, upper_length, diagonal, diagonal_length, above, above_length)
        diagonal, diagonal_length = above, above_length
        row_sums[t - 1], row_lengths[t - 1] = lower, lower_length
    value = np.float64(lower_values[frames - 1])
    refused |= not (abs(value) <= limit)
    row_sums[frames - 1], row_lengths[frames - 1] = _step(
        value, lower, lower_length, before, before_length, upper, upper_length
    )
    return refused


@compiled
def _bring_row_closer(
    places: NDArray[np.int64],
    rows: NDArray[np.int64],
    first_rows: NDArray[np.int64],
    matrix: int,
    step: int,
    value_bytes: int,
) -> None:
    """Bring a row into the cache; one behind the last of a matrix is one of the next."""
    if step >= places[1, matrix]:
        matrix, step = matrix + 1, step - places[1, matrix]
    if matrix < places.shape[1] and step < places[1, matrix]:
        row_bytes = places[2, matrix] * value_bytes
        bring_closer(places[0, matrix] + rows[first_rows[matrix] + step] * row_bytes, row_bytes)


@compiled
def best_paths(
    like: NDArray[Any],
    places: NDArray[np.int64],
    rows: NDArray[np.int64],
    first_rows: NDArray[np.int64],
    start: int,
    stop: int,
    sums: NDArray[np.float64],
    lengths: NDArray[np.int64],
) -> bool:
    """Write the sum and the number of pairs of the best path of matrices ``start`` to ``stop - 1`` (paper, Eq. 10-12).

    ``places[:3, i]`` are an address, K and T: matrix i has K rows of T values of the type of ``like``. Its row k is row
    ``rows[first_rows[i] + k]`` of the table at that address, so that matrices may share rows and none is copied. A
    length of 0 marks a matrix without rows, or that ``check_values`` refuses; whether there is one is returned. Nothing
    else is checked.

    >>> values = np.array([[3.0, 1, 0], [0, 2, 4]])
    >>> places = np.array([[values.ctypes.data], [2], [3]])
    >>> sums, lengths = np.empty(1), np.empty(1, dtype=np.int64)
    >>> best_paths(values, places, np.array([0, 1]), np.array([0]), 0, 1, sums, lengths)
    False
    >>> sums.tolist(), lengths.tolist()
    ([10.0], [4])
    """
    any_refused = False
    widest = 0
    for matrix in range(start, stop):
        widest = max(widest, places[2, matrix])
    row_sums, row_lengths = np.empty(widest), np.empty(widest, dtype=np.int64)
    for matrix in range(start, stop):
        table, steps, frames, first = places[0, matrix], places[1, matrix], places[2, matrix], first_rows[matrix]
        row_bytes = frames * like.itemsize
        limit = LARGEST / (steps + frames)
        refused = steps == 0
        step = steps % 2
        if step == 1:
            _bring_row_closer(places, rows, first_rows, matrix, AHEAD, like.itemsize)
            values = memory_at(table + rows[first] * row_bytes, frames, like)
            refused |= _one_row(values, limit, row_sums, row_lengths)
        else:
            for t in range(frames):
                row_sums[t] = -np.inf
            row_sums[0], row_lengths[0] = 0.0, 0  # what every path starts from
        while step < steps:
            for ahead in range(step + AHEAD, step + AHEAD + 2):
                _bring_row_closer(places, rows, first_rows, matrix, ahead, like.itemsize)
            upper = memory_at(table + rows[first + step] * row_bytes, frames, like)
            lower = memory_at(table + rows[first + step + 1] * row_bytes, frames, like)
            refused |= _two_rows(upper, lower, limit, step == 0, row_sums, row_lengths)
            step += 2
        sums[matrix] = row_sums[frames - 1]
        lengths[matrix] = 0 if refused else row_lengths[frames - 1]
        any_refused |= refused
    return any_refused


@compiled
def _type_of(structure: int, ids: NDArray[np.int64]) -> int:
    return memory_at(structure + ids[0] - 8, 1, ids)[0]


@compiled
def read_places(listed: int, ids: NDArray[np.int64], places: NDArray[np.int64]) -> tuple[int, int, int]:
    """Write the places of the N matrices of a list whose ``id`` this is; returns cells, empty and the dtype's ``id``.

    All -1 where they are not as ``ids`` tells (:func:`actalign.dtw.layout.known_ids`), or not all of one dtype.
    """
    header, array_type, single, double = ids
    objects = memory_at(memory_at(listed + header, 2, ids)[1], places.shape[1], ids)
    cells, empty, dtype = 0, -1, -1
    for place in range(len(objects)):
        if place + 2 * ARRAYS_AHEAD < len(objects):
            bring_line_closer(objects[place + 2 * ARRAYS_AHEAD] + header)
        if place + ARRAYS_AHEAD < len(objects) and _type_of(objects[place + ARRAYS_AHEAD], ids) == array_type:
            bring_line_closer(memory_at(objects[place + ARRAYS_AHEAD] + header, 3, ids)[2])
        if _type_of(objects[place], ids) != array_type:
            return -1, -1, -1
        fields = memory_at(objects[place] + header, ARRAY_FIELDS, ids)
        if place == 0 and (fields[5] == single or fields[5] == double):
            dtype = fields[5]
        if fields[5] != dtype or fields[1] & HALF != 2 or fields[6] & IN_PLACE != IN_PLACE:
            return -1, -1, -1
        shape = memory_at(fields[2], 2, ids)
        size = shape[0] * shape[1]
        places[0, place], places[1, place], places[2, place], places[3, place] = fields[0], shape[0], shape[1], size
        cells += size
        empty = place if size == 0 else empty
    return cells, empty, dtype


@compiled_brief
def score_list(listed: int, ids: NDArray[np.int64], most_cells: int, scores: NDArray[np.float64]) -> bool:
    """The scores of a list of at most so many cells, all in one call: with few, calls are what takes the time.

    For the same reason it counts and divides in loops of its own, which are shorter calls than NumPy's functions.

    False, and nothing is known of the scores, where the list holds more, or anything that is not as expected.
    """
    places = np.empty((4, len(scores)), dtype=np.int64)
    cells, empty, dtype = read_places(listed, ids, places)
    if not 0 < cells <= most_cells or empty >= 0:
        return False
    most = 0
    for place in range(len(scores)):
        most = max(most, places[1, place])
    lengths, first_rows = np.empty(len(scores), dtype=np.int64), np.zeros(len(scores), dtype=np.int64)
    rows = np.empty(most, dtype=np.int64)
    for row in range(most):
        rows[row] = row
    if dtype == ids[2]:  # else float64, as the scores are
        single = np.empty(0, dtype=np.float32)
        refused = best_paths(single, places, rows, first_rows, 0, len(scores), scores, lengths)
    else:
        refused = best_paths(scores, places, rows, first_rows, 0, len(scores), scores, lengths)
    if refused:
        return False
    for place in range(len(scores)):
        scores[place] /= lengths[place]
    return True
