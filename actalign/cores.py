"""How many cores there are to use, and work shared out over them."""

import math
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from functools import cache
from itertools import islice
from pathlib import Path
from threading import Event, Lock
from typing import Any, Generic, TypeVar, cast
from weakref import ref

from actalign.arrays import as_count

Piece = TypeVar("Piece")
Result = TypeVar("Result")
NO_MORE = object()


def available() -> int:
    """The cores that this process may run on, no more than a container's quota is worth.

    >>> available() >= 1
    True
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return int(min(cores, _quota()))


@cache
def _quota(folder: Path = Path("/sys/fs/cgroup")) -> float:
    """The cores that this process's control group may use at a time, rounded up; infinity where nothing limits it."""
    for names in (("cpu.max",), ("cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us")):  # versions 2 and 1
        with suppress(OSError, ValueError):  # not that version, or "max"
            quota, period = (int(word) for name in names for word in (folder / name).read_text().split())
            return max(1, -(-quota // period)) if quota > 0 < period else math.inf
    return math.inf


def threads_for(wanted: int | None) -> int:
    """``wanted`` threads, or one per available core.

    Raises:
        ActAlignError: ``wanted`` is not a whole number of at least 1.

    >>> threads_for(3)
    3
    """
    return available() if wanted is None else as_count(wanted, name="threads", least=1)


@cache
def _helpers(count: int) -> ThreadPoolExecutor:
    """So many threads, started once and kept: to start one can take as long as a small share of the work."""
    return ThreadPoolExecutor(count, thread_name_prefix="actalign")


if hasattr(os, "register_at_fork"):  # a forked process has none of its parent's threads
    os.register_at_fork(after_in_child=_helpers.cache_clear)


class _Shared(Generic[Piece, Result]):
    """Pieces that every thread that works draws from, until there are no more or one has failed."""

    def __init__(self, function: Callable[[Piece], Result], pieces: Iterator[Piece]):
        self._function, self._waiting, self._drawn = function, pieces, 0
        self._lock, self.over = Lock(), Event()
        self.results: dict[int, Result] = {}

    def work(self) -> None:
        try:
            while not self.over.is_set():
                with self._lock:
                    piece = next(self._waiting, NO_MORE)
                    place, self._drawn = self._drawn, self._drawn + 1
                if piece is NO_MORE:
                    return
                self.results[place] = self._function(cast(Piece, piece))
                del piece  # before another is drawn
        except BaseException:
            self.over.set()
            raise


def _given_away(first: list[Piece], others: Iterator[Piece]) -> Iterator[Piece]:
    """The first pieces and then the others, as ``chain``, which would keep the first until the end."""
    while first:
        yield first.pop(0)
    yield from others


def _help(shared: Callable[[], _Shared[Any, Any] | None]) -> None:
    """Work on what is shared out, if its call still runs: what waits in a queue must not keep the pieces alive."""
    known = shared()
    if known is not None:
        known.work()


def share_out(function: Callable[[Piece], Result], pieces: Iterable[Piece], *, threads: int) -> list[Result]:
    """``function`` of each piece, in order, on so many threads at once, the calling one among them.

    Each thread draws its next piece when it is done with the one before, so that all finish together and no more
    pieces exist than threads. After an error no piece is drawn any more, and the error is raised. No call waits for
    threads that others keep busy: the calling one does what they do not come to, and where none can be started, all.

    >>> share_out(len, ["one", "three"], threads=2)
    [3, 5]
    """
    if threads == 1:
        return list(map(function, pieces))  # which keeps no piece while the next is drawn
    drawn = iter(pieces)
    first = list(islice(drawn, 2))
    if len(first) < 2:
        return [function(piece) for piece in first]
    shared = _Shared(function, _given_away(first, drawn))
    others: list[Future[None]] = []
    try:
        with suppress(RuntimeError):  # the interpreter is ending, or the system has no more threads
            for _ in range(threads - 1):
                others.append(_helpers(threads - 1).submit(_help, ref(shared)))
        shared.work()
    finally:
        shared.over.set()
        begun = [other for other in others if not other.cancel()]
        wait(begun)
    for other in begun:
        other.result()
    return [shared.results[place] for place in range(len(shared.results))]
