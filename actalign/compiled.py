"""Loops compiled to machine code by numba, kept on disk so that only the first run on a machine waits for it."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple, TypeVar

import numba
import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import carray, types  # type: ignore[attr-defined]
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

CACHE_LINE = 64
Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """Compile when first called, free of the interpreter lock; sums keep the order in which they are written.

    The code is stored beside the source, else in the user's cache folder (numba's ``NUMBA_CACHE_DIR`` names
    another); where neither can be written it is compiled again in every process.

    >>> @compiled
    ... def double(value):
    ...     return 2 * value
    >>> double(4.5)
    9.0
    """
    return _compiled(function, {"nogil": True})


def compiled_reordered(function: Function) -> Function:
    """The same, but sums may be added up in any order: several times faster, equal up to rounding."""
    return _compiled(function, {"nogil": True, "fastmath": {"reassoc", "contract"}})


def _compiled(function: Function, settings: dict[str, Any]) -> Function:
    try:
        return numba.njit(cache=True, **settings)(function)
    except RuntimeError:  # numba found no folder that it may write to
        return numba.njit(**settings)(function)


@intrinsic
def _pointer(typing_context: Any, address: Any) -> Any:
    """An address as a pointer, for compiled code."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], context.get_value_type(types.voidptr))

    return types.voidptr(types.int64), generate


@intrinsic
def _prefetch(typing_context: Any, address: Any) -> Any:
    """Ask the processor to bring the line of memory at an address into its cache."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = context.get_value_type(types.voidptr)
        number = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [pointer, number, number, number])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        read, keep, data = (ir.Constant(number, value) for value in (0, 3, 1))
        builder.call(function, [builder.inttoptr(arguments[0], pointer), read, keep, data])
        return context.get_dummy_value()

    return types.void(types.int64), generate


@compiled
def bring_closer(address: int, size: int) -> None:
    """For compiled code alone: have the ``size`` bytes from an address on in the cache by the time they are read."""
    for line in range(0, size, CACHE_LINE):
        _prefetch(address + line)  # type: ignore[call-arg]


@compiled
def memory_at(address: int, count: int, like: NDArray[Any]) -> NDArray[Any]:
    """For compiled code alone: the ``count`` values of the type of ``like`` that begin at an address."""
    return carray(_pointer(address), count, like.dtype)  # type: ignore[call-arg]


FIELDS = 7
"""Words of NumPy's structure of an array that are looked at, those after the header that every object has."""
_HALF = 0xFFFFFFFF


class Layouts(NamedTuple):
    """How N arrays lie in memory, each (N,) int64; ``rows`` and ``columns`` are -1 but for matrices."""

    addresses: NDArray[np.int64]
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    dtypes: NDArray[np.int64]
    flags: NDArray[np.int64]


@compiled
def _read_structures(
    structures: NDArray[np.int64],
    addresses: NDArray[np.int64],
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    dtypes: NDArray[np.int64],
    flags: NDArray[np.int64],
) -> None:
    for place in range(len(structures)):
        fields = memory_at(structures[place], FIELDS, structures)
        addresses[place], dtypes[place], flags[place] = fields[0], fields[5], fields[6] & _HALF
        rows[place] = columns[place] = -1
        if fields[1] & _HALF == 2:
            shape = memory_at(fields[2], 2, structures)
            rows[place], columns[place] = shape[0], shape[1]


@compiled
def _fields_at(structure: int, fields: NDArray[np.int64]) -> None:
    fields[:] = memory_at(structure, len(fields), fields)


def layouts(arrays: Sequence[NDArray[Any]]) -> Layouts:
    """How arrays lie in memory; keep them alive while their addresses are used.

    NumPy's structure of an array holds, after the header that every object has, the pointer to its values, the number
    of its axes and the pointer to its shape, later its dtype and flags. To read that takes some 40 ns an array, to ask
    for it in Python two microseconds. One array is asked first, once, so that an interpreter or a NumPy that lays them
    out otherwise only costs time.

    >>> found = layouts([np.zeros((2, 3)), np.zeros(4)])
    >>> found.rows.tolist(), found.columns.tolist()
    ([2, -1], [3, -1])
    """
    found = Layouts(*np.empty((len(Layouts._fields), len(arrays)), dtype=np.int64))
    if _are_laid_out_as_known():
        structures = np.fromiter(map(id, arrays), dtype=np.int64, count=len(arrays))
        structures += object.__basicsize__
        _read_structures(structures, *found)
        return found
    for place, array in enumerate(arrays):
        shape = array.shape if array.ndim == 2 else (-1, -1)
        values = (array.ctypes.data, *shape, id(array.dtype), array.flags.num & _HALF)
        for column, value in zip(found, values, strict=True):
            column[place] = value
    return found


@cache
def _are_laid_out_as_known() -> bool:
    return _is_laid_out_as_known(np.ones((2, 3)))


def _is_laid_out_as_known(array: NDArray[Any]) -> bool:
    fields = np.empty(FIELDS, dtype=np.int64)
    _fields_at(id(array) + object.__basicsize__, fields)
    known = (array.ctypes.data, array.ndim, id(array.dtype), array.flags.num & _HALF)
    return known == (fields[0], fields[1] & _HALF, fields[5], fields[6] & _HALF)


@compiled
def are_alike(numbers: NDArray[np.int64], bits: int) -> bool:
    """Whether all numbers have the same of these bits as the first.

    >>> are_alike(np.array([5, 7]), 1), are_alike(np.array([5, 7]), 2)
    (True, False)
    """
    differing = 0
    for number in numbers:
        differing |= number ^ numbers[0]
    return differing & bits == 0
