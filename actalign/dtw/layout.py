"""Where matrices lie in memory, all found in one compiled pass over a list of them.

NumPy's structure of an array holds, after the header that every object has, the pointer to its values, the number of
its axes and the pointer to its shape, later its dtype and flags; a list holds its length and the pointer to its
objects. To read that takes some 10 ns an array, to ask for it in Python two microseconds. A list that is known is
read first, once, so that an interpreter or a NumPy that lays them out otherwise only costs time.
"""

from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from actalign.compiled import bring_line_closer, compiled, memory_at

HEADER = object.__basicsize__
"""Bytes of what every object begins with; its type stands last in it."""
LIST_FIELDS = (list.__basicsize__ - HEADER) // 8
ARRAY_FIELDS = 7
"""Words of NumPy's structure that are looked at, those after the header."""
SINGLE, DOUBLE = np.dtype(np.float32), np.dtype(np.float64)
IN_PLACE = 0x0001 | 0x0100
"""NumPy's flags of an array in C order whose values are aligned."""
HALF = 0xFFFFFFFF
KNOWN = np.array([HEADER, id(np.ndarray), id(SINGLE), id(DOUBLE)], dtype=np.int64)
AHEAD = 16
"""Arrays from one that is read to the one whose structure is brought into the cache meanwhile."""


class Layout(NamedTuple):
    """Where N matrices lie: ``places`` (4, N) int64, the address, rows, columns and cells of each.

    ``cells`` is how many they have together, ``empty`` the place of one without any, else -1.
    """

    places: NDArray[np.int64]
    cells: int
    empty: int


def layout(matrices: list[Any]) -> Layout | None:
    """Where matrices lie in memory; keep list and matrices as they are while the addresses are used.

    None unless all are NumPy matrices of one precision, float32 or float64, in C order and aligned.

    >>> found = layout([np.zeros((2, 3)), np.zeros((1, 4))])
    >>> found.places[1:].tolist(), found.cells, found.empty
    ([[2, 1], [3, 4], [6, 4]], 10, -1)
    >>> layout([np.zeros((2, 3)), np.zeros((2, 3), np.float32)]) is None
    True
    """
    places = np.empty((4, len(matrices)), dtype=np.int64)
    if is_known():
        cells, empty = _read(id(matrices), KNOWN, places)
    else:
        cells, empty = _ask(matrices, places)
    return Layout(places, cells, empty) if cells >= 0 else None


@compiled
def _type_of(structure: int, known: NDArray[np.int64]) -> int:
    return memory_at(structure + known[0] - 8, 1, known)[0]


@compiled
def _read(listed: int, known: NDArray[np.int64], places: NDArray[np.int64]) -> tuple[int, int]:
    header, array_type, single, double = known
    objects = memory_at(memory_at(listed + header, 2, known)[1], places.shape[1], known)
    cells, empty, first_dtype = 0, -1, 0
    for place in range(len(objects)):
        if place + 2 * AHEAD < len(objects):
            bring_line_closer(objects[place + 2 * AHEAD] + header)
        if place + AHEAD < len(objects) and _type_of(objects[place + AHEAD], known) == array_type:
            bring_line_closer(memory_at(objects[place + AHEAD] + header, 3, known)[2])
        if _type_of(objects[place], known) != array_type:
            return -1, -1
        fields = memory_at(objects[place] + header, ARRAY_FIELDS, known)
        dtype = fields[5]
        first_dtype = dtype if place == 0 else first_dtype
        if dtype != first_dtype or (dtype != single and dtype != double):
            return -1, -1
        if fields[1] & HALF != 2 or fields[6] & IN_PLACE != IN_PLACE:
            return -1, -1
        shape = memory_at(fields[2], 2, known)
        size = shape[0] * shape[1]
        places[0, place], places[1, place], places[2, place], places[3, place] = fields[0], shape[0], shape[1], size
        cells += size
        empty = place if size == 0 else empty
    return cells, empty


def _ask(matrices: list[ArrayLike], places: NDArray[np.int64]) -> tuple[int, int]:
    """The same in Python."""
    cells, empty = 0, -1
    for place, matrix in enumerate(matrices):
        if type(matrix) is not np.ndarray or matrix.ndim != 2 or matrix.dtype not in (SINGLE, DOUBLE):
            return -1, -1
        if matrix.dtype != matrices[0].dtype or matrix.flags.num & IN_PLACE != IN_PLACE:  # type: ignore[union-attr]
            return -1, -1
        places[:, place] = matrix.ctypes.data, *matrix.shape, matrix.size
        cells += matrix.size
        empty = place if matrix.size == 0 else empty
    return cells, empty


@compiled
def _words_at(address: int, words: NDArray[np.int64]) -> None:
    words[:] = memory_at(address, len(words), words)


@cache
def is_known() -> bool:
    """Whether lists and arrays are laid out in memory as above."""
    return _is_known([np.ones((2, 3))])


def _is_known(probe: list[NDArray[Any]]) -> bool:
    (array,) = probe
    if LIST_FIELDS != 3:
        return False
    listed, kind, fields = (np.empty(count, dtype=np.int64) for count in (LIST_FIELDS, 1, ARRAY_FIELDS))
    _words_at(id(probe) + HEADER, listed)
    _words_at(id(array) + HEADER - 8, kind)
    _words_at(id(array) + HEADER, fields)
    if listed[0] != 1 or kind[0] != id(np.ndarray):
        return False
    known = (array.ctypes.data, array.ndim, id(array.dtype), array.flags.num & HALF)
    if known != (fields[0], fields[1] & HALF, fields[5], fields[6] & HALF):
        return False
    objects, shape = np.empty(1, dtype=np.int64), np.empty(2, dtype=np.int64)
    _words_at(int(listed[1]), objects)
    _words_at(int(fields[2]), shape)
    return objects[0] == id(array) and tuple(shape) == array.shape
