"""Frames in order of time: small disorder sorted, repeats dropped, a grid of times served. No decoder needed.

A frame here is anything that comes with a time.
"""

import heapq
import math
from collections.abc import Generator, Iterator
from fractions import Fraction
from numbers import Real
from pathlib import Path
from typing import Any, TypeVar

from actalign.errors import ActAlignError

Frame = TypeVar("Frame")

REORDER_FRAMES = 16
"""How many frames late a timestamp may come: the deepest reordering H.264 allows."""
ROUNDING = 1e-6
"""Part of a grid step that floating point may be off by."""
MOST_FRAMES_PER_S = 1e6
"""Far beyond any camera's, and a time in seconds multiplied by it is still exact."""


def in_order(frames: Iterator[tuple[Fraction, Frame]], path: Path) -> Generator[tuple[Fraction, Frame]]:
    """The same frames in strictly increasing time (seconds); of those that share a time, the first.

    Args:
        frames: (time, frame), at most ``REORDER_FRAMES`` frames out of order.
        path: the file to name in an error.

    Raises:
        ActAlignError: the time jumps back further, or there are more repeated times than others.

    >>> late = [(Fraction(0), "a"), (Fraction(2), "c"), (Fraction(1), "b"), (Fraction(2), "again")]
    >>> [name for _, name in in_order(iter(late), Path("a.mp4"))]
    ['a', 'b', 'c']
    """
    last: Fraction | None = None
    kept = repeated = 0
    for moment, frame in _through_heap(frames):
        if last is not None and moment < last:
            raise ActAlignError(
                f"video {path}: its clock jumps back from {float(last):.3f} s to {float(moment):.3f} s; "
                "re-encode it so that time runs forward"
            )
        if moment == last:
            repeated += 1
        else:
            kept += 1
            last = moment
            yield moment, frame
    if repeated > kept:
        raise ActAlignError(f"video {path}: {repeated} of its frames repeat a timestamp; re-encode it")


def _through_heap(frames: Iterator[tuple[Fraction, Frame]]) -> Iterator[tuple[Fraction, Frame]]:
    waiting: list[tuple[Fraction, int, Frame]] = []
    for number, (moment, frame) in enumerate(frames):
        heapq.heappush(waiting, (moment, number, frame))
        if len(waiting) > REORDER_FRAMES:
            earliest, _, first = heapq.heappop(waiting)
            yield earliest, first
    while waiting:
        earliest, _, first = heapq.heappop(waiting)
        yield earliest, first


def check_frame_rate(frame_rate: float | None) -> None:
    """Make sure that frames can be chosen at this rate, in frames per second; None is every frame.

    Raises:
        ActAlignError: not a number above 0, or beyond any camera's.

    >>> check_frame_rate(12.5)
    """
    rate: Any = 1.0 if frame_rate is None else frame_rate
    if isinstance(rate, bool) or not isinstance(rate, Real) or not 0 < float(rate) <= MOST_FRAMES_PER_S:
        raise ActAlignError(f"frame_rate is {frame_rate!r}; give frames per second above 0, or None for every frame")


def on_grid(
    frames: Iterator[tuple[float, Frame]], *, start_s: float, frame_rate: float
) -> Iterator[tuple[float, Frame]]:
    """The frame nearest to each grid point ``start_s + n / frame_rate``, each frame at most once.

    Ties go to the earlier frame; the grid ends at the last frame. ``frames`` is (time in seconds, frame), in
    order, from ``start_s`` on.

    >>> every_tenth = ((n / 10, n) for n in range(10))
    >>> [frame for _, frame in on_grid(every_tenth, start_s=0.0, frame_rate=4.0)]
    [0, 2, 5, 7]
    """
    point = 0  # the first grid point not served yet
    previous: tuple[float, Frame] | None = None
    for time_s, frame in frames:
        if previous is not None:
            middle_s = (previous[0] + time_s) / 2
            beyond = math.floor((middle_s - start_s) * frame_rate + ROUNDING) + 1
            if beyond > point:
                yield previous
                point = beyond
        previous = (time_s, frame)
    if previous is not None and (previous[0] - start_s) * frame_rate >= point - ROUNDING:
        yield previous
