"""How many cores there are to use, and work shared out over them."""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import cache
from itertools import chain, islice
from threading import Event, Lock
from typing import TypeVar, cast

import numpy as np

from actalign.errors import ActAlignError

Piece = TypeVar("Piece")
Result = TypeVar("Result")


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
    if isinstance(wanted, bool) or not isinstance(wanted, int | np.integer) or wanted < 1:
        raise ActAlignError(f"threads is {wanted!r}; give a whole number, 1 or more, or None for every core")
    return int(wanted)


@cache
def _helpers(count: int) -> ThreadPoolExecutor:
    """So many threads, started once and kept: to start one can take as long as a small share of the work."""
    return ThreadPoolExecutor(count, thread_name_prefix="actalign")


if hasattr(os, "register_at_fork"):  # a forked process has none of its parent's threads
    os.register_at_fork(after_in_child=_helpers.cache_clear)


def share_out(function: Callable[[Piece], Result], pieces: Iterable[Piece], *, threads: int) -> list[Result]:
    """``function`` of each piece, in order, on so many threads at once, the calling one among them.

    Each thread draws its next piece when it is done with the one before, so that all finish together and no more
    pieces exist than threads. After an error no piece is drawn any more, and the error is raised. No call waits for
    threads that others keep busy: the calling one does what they do not come to.

    >>> share_out(len, ["one", "three"], threads=2)
    [3, 5]
    """
    if threads == 1:
        return [function(piece) for piece in pieces]
    drawn = iter(pieces)
    first = list(islice(drawn, 2))
    if len(first) < 2:
        return [function(piece) for piece in first]
    waiting = enumerate(chain(first, drawn))
    results: dict[int, Result] = {}
    lock, over = Lock(), Event()

    def work() -> None:
        try:
            while not over.is_set():
                with lock:
                    place, piece = next(waiting, (-1, None))
                if place < 0:
                    return
                results[place] = function(cast(Piece, piece))
        except BaseException:
            over.set()
            raise

    others: list[Future[None]] = []
    try:
        others.extend(_helpers(threads - 1).submit(work) for _ in range(threads - 1))
        work()
    finally:
        over.set()
        begun = [other for other in others if not other.cancel()]
        wait(begun)
    for other in begun:
        other.result()
    return [results[place] for place in range(len(results))]
