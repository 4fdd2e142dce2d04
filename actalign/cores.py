"""How many cores there are to use, and work shared out over them."""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain, islice
from typing import TypeVar

from actalign.errors import ActAlignError

Piece = TypeVar("Piece")
Result = TypeVar("Result")
AHEAD = 2
"""How many pieces a thread has at hand: the one it works on, and one to go on with."""


def available() -> int:
    """The cores that this process may run on.

    >>> available() >= 1
    True
    """
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def threads_for(wanted: int | None) -> int:
    """``wanted`` threads, or one per available core.

    Raises:
        ActAlignError: ``wanted`` is not a whole number of at least 1.

    >>> threads_for(3)
    3
    """
    if wanted is None:
        return available()
    if isinstance(wanted, bool) or not isinstance(wanted, int) or wanted < 1:
        raise ActAlignError(f"threads is {wanted!r}; give a whole number, 1 or more, or None for every core")
    return wanted


def share_out(function: Callable[[Piece], Result], pieces: Iterable[Piece], *, threads: int) -> list[Result]:
    """``function`` of each piece, in order, on so many threads at once; the first error of any is raised.

    The calling thread draws the pieces, and works on one itself whenever the others have enough to do: so few
    pieces exist at a time, and making them, if that holds the interpreter lock, goes on beside the work.

    >>> share_out(len, ["one", "three"], threads=2)
    [3, 5]
    """
    drawn = iter(pieces)
    first = list(islice(drawn, 2))
    if threads == 1 or len(first) < 2:
        return [function(piece) for piece in chain(first, drawn)]
    results: list[Future[Result]] = []
    unfinished: list[Future[Result]] = []
    with ThreadPoolExecutor(threads - 1) as pool:
        for piece in chain(first, drawn):
            unfinished = [future for future in unfinished if not future.done()]
            if len(unfinished) < AHEAD * (threads - 1):
                results.append(pool.submit(function, piece))
                unfinished.append(results[-1])
            else:
                results.append(Future())
                results[-1].set_result(function(piece))
        return [future.result() for future in results]
