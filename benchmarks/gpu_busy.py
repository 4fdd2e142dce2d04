"""The part of a run in which a GPU computed, and how many kernels it launched, by the profiler."""

import time
from collections.abc import Callable, Iterable

import torch
from torch.profiler import ProfilerActivity, profile

NO_KERNELS = ("Memcpy", "Memset", "Sync", "Wait Event")
"""In the profiler's names of what is on a GPU and computes nothing: copies, and streams that wait."""
Span = tuple[float, float]


def share(function: Callable[[], object]) -> float | None:
    """Seconds with at least one kernel on the GPU, copies left out, over all seconds: one call after a warm-up.

    None, and a line, where the profiler sees no kernel: what was measured before must not be lost for that.
    """
    spans, passed = _kernels(function)
    return covered(spans) / 1e6 / passed if spans else None


def launches(function: Callable[[], object]) -> int | None:
    """Kernels on the GPU, copies left out, of one call after a warm-up; None and a line as :func:`share`."""
    return len(_kernels(function)[0]) or None


def _kernels(function: Callable[[], object]) -> tuple[list[Span], float]:
    """When each kernel of a call began and ended, in microseconds, and the seconds that the call took."""
    function()
    torch.cuda.synchronize()
    with profile(activities=[ProfilerActivity.CUDA]) as profiler:
        start = time.perf_counter()
        function()
        torch.cuda.synchronize()
        passed = time.perf_counter() - start
    spans = [
        (event.time_range.start, event.time_range.end)
        for event in profiler.events()
        if event.device_type.name == "CUDA" and not any(part in event.name for part in NO_KERNELS)
    ]
    if not spans:
        print("the profiler saw no kernel on the GPU: what it would have told is missing")
    return spans, passed


def covered(spans: Iterable[Span]) -> float:
    """The length of the union of spans.

    >>> covered([(0, 2), (1, 3), (5, 6)])
    4.0
    """
    total, end = 0.0, float("-inf")
    for first, last in sorted(spans):
        total += max(0.0, last - max(first, end))
        end = max(end, last)
    return total
