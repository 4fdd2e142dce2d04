"""Loops compiled to machine code by numba, kept on disk so that only the first run on a machine waits for it."""

from collections.abc import Callable
from typing import Any, TypeVar

import numba

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
