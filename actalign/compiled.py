"""Loops compiled to machine code by numba, kept on disk so that only the first run on a machine waits for it."""

from collections.abc import Callable
from typing import Any, TypeVar

import numba
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


def compiled_brief(function: Function) -> Function:
    """As :func:`compiled` for what takes microseconds: to let go of the interpreter lock would take a tenth of one."""
    return _compiled(function, {})


def compiled_reordered(function: Function) -> Function:
    """As :func:`compiled`, but sums may be added up in any order: several times faster, equal up to rounding."""
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
def bring_line_closer(address: int) -> None:
    """For compiled code alone: have the line of memory at an address in the cache by the time it is read."""
    _prefetch(address)  # type: ignore[call-arg]


@compiled
def bring_closer(address: int, size: int) -> None:
    """For compiled code alone: have the ``size`` bytes from an address on in the cache by the time they are read."""
    for line in range(0, size, CACHE_LINE):
        bring_line_closer(address + line)


@compiled
def memory_at(address: int, count: int, like: NDArray[Any]) -> NDArray[Any]:
    """For compiled code alone: the ``count`` values of the type of ``like`` that begin at an address."""
    return carray(_pointer(address), count, like.dtype)  # type: ignore[call-arg]
