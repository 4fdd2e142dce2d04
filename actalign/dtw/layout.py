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

from actalign.compiled import compiled, memory_at
from actalign.dtw.kernels import ARRAY_FIELDS, HALF, IN_PLACE, read_places

HEADER = object.__basicsize__
"""Bytes of what every object begins with; its type stands last in it."""
LIST_FIELDS = (list.__basicsize__ - HEADER) // 8
SINGLE, DOUBLE = np.dtype(np.float32), np.dtype(np.float64)


class Layout(NamedTuple):
    """Where N matrices lie: ``places`` (4, N) int64, the address, rows, columns and cells of each.

    ``empty`` is the place of one without cells, else -1.
    """

    places: NDArray[np.int64]
    empty: int


def layout(matrices: list[Any]) -> Layout | None:
    """Where matrices lie in memory; keep list and matrices as they are while the addresses are used.

    None unless all are NumPy matrices of one precision, float32 or float64, in C order and aligned.

    >>> found = layout([np.zeros((2, 3)), np.zeros((1, 4))])
    >>> found.places[1:].tolist(), found.empty
    ([[2, 1], [3, 4], [6, 4]], -1)
    >>> layout([np.zeros((2, 3)), np.zeros((2, 3), np.float32)]) is None
    True
    """
    places = np.empty((4, len(matrices)), dtype=np.int64)
    ids = known_ids()
    if ids is None:
        cells, empty = _ask(matrices, places)
    else:
        cells, empty, _ = read_places(id(matrices), ids, places)
        if cells < 0 and (others := _ids_of(matrices[0], ids)) is not None:
            cells, empty, _ = read_places(id(matrices), others, places)
    return Layout(places, empty) if cells >= 0 else None


def _ids_of(matrix: Any, ids: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """``ids`` with the dtype of an array that equals NumPy's own and is another: what another process sent has such."""
    if type(matrix) is not np.ndarray or matrix.dtype not in (SINGLE, DOUBLE):
        return None
    others = ids.copy()
    others[2 if matrix.dtype == SINGLE else 3] = id(matrix.dtype)
    return others


def _ask(matrices: list[ArrayLike], places: NDArray[np.int64]) -> tuple[int, int]:
    """As :func:`actalign.dtw.kernels.read_places`, in Python."""
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
def known_ids() -> NDArray[np.int64] | None:
    """What compiled code must be told of this interpreter; None where lists and arrays are laid out otherwise.

    The bytes of the header, and the ``id`` of the type of arrays, of float32 and of float64.
    """
    ids = np.array([HEADER, id(np.ndarray), id(SINGLE), id(DOUBLE)], dtype=np.int64)
    return ids if _is_known([np.ones((2, 3))]) else None


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
