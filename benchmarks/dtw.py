"""Alignment against its peers on the same matrices, and how the time per cell grows.

``python -m benchmarks.dtw`` writes benchmarks/results/dtw.json. Results are checked first: the peers' optimum must be
ours, and ours must be the reference's bit for bit, path lengths included, on ties and saturated values too.
"""

import multiprocessing
import tracemalloc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actalign import dtw
from actalign.cores import available
from actalign.dtw import reference
from benchmarks import dtw_peers, measure, released, workload
from benchmarks.dtw_peers import Found, listed, refuse_unless_equal

Matrices = Sequence[NDArray[Any]]
SLOW = 300
"""Alignments that the slow ones work on: a part, as time per cell does not depend on how many there are."""
GROWTH_CELLS = 2_000_000
ROUNDS, ROUNDS_OF_OURS = 11, 31
"""Rounds against peers, and where only ours is compared with itself: short rounds, and ratios nearer to 1."""


def cells(matrices: Matrices) -> int:
    return sum(matrix.size for matrix in matrices)


def by_reference(matrix_kt: NDArray[np.float64]) -> Found:
    table = reference.accumulate(matrix_kt)
    return float(table[-1, -1]), len(reference.backtrace(table))


def by_released(matrix_kt: NDArray[np.float64]) -> Found:
    total, path = released.align(matrix_kt)
    return total, len(path)


def planted(count: int) -> list[NDArray[np.float64]]:
    """Matrices on which paths tie: few distinct values, saturated ones, zeros, equal rows, one row, one column."""
    rng = np.random.default_rng(2)
    made: list[NDArray[np.float64]] = []
    for number in range(count):
        steps, frames = (int(size) for size in rng.integers(1, 30, 2))
        drawn = rng.random((steps, frames))
        saturated = 1.0 / (1.0 + np.exp(-200 * (drawn - 0.5)))
        kinds = (np.round(3 * drawn), saturated, np.zeros_like(drawn), np.repeat(drawn[:1], steps, axis=0), drawn)
        made.append(kinds[number % len(kinds)])
    return made


def check(matrices: Matrices, peers: dict[str, Callable[[NDArray[np.float64]], Found]]) -> None:
    """Raise SystemExit unless everything to be timed gives the right answer."""
    some = [*matrices[:50], *planted(100)]
    ours = listed(dtw.totals(some))
    if ours != [by_reference(matrix) for matrix in some] or ours != listed(dtw.totals(some, threads=1)):
        raise SystemExit("ours is not the reference, bit for bit")
    if dtw.scores(some).tolist() != [reference.score(matrix) for matrix in some]:
        raise SystemExit("our scores are not the reference's, bit for bit")
    if ours != listed(dtw_peers.by_torch(*dtw_peers.padded(some))):
        raise SystemExit("the scan in torch is not the reference")
    for name, peer in {"released": by_released, **peers}.items():  # on ties they may choose another path
        refuse_unless_equal([peer(matrix) for matrix in some], ours, name=name, lengths=name == "released")


def _work_when_told(told: Connection, matrices: Matrices) -> None:
    """What a process of :func:`in_processes` does: its share of the alignments, each time it is told to."""
    with measure.single_thread():
        dtw.scores(matrices, threads=1)
        told.send("ready")
        try:
            while told.recv():
                dtw.scores(matrices, threads=1)
                told.send("done")
        except EOFError:
            pass


@contextmanager
def in_processes(matrices: Matrices, count: int) -> Iterator[Callable[[], object]]:
    """A function that has the matrices aligned by so many processes at once, this one among them.

    They share nothing but the machine, so that no threads of one process can be expected to be faster.
    """
    with ExitStack() as stack:
        ends = []
        for place in range(1, count):
            here, there = multiprocessing.Pipe()
            work = (there, matrices[place::count])
            process = multiprocessing.get_context("spawn").Process(target=_work_when_told, args=work, daemon=True)
            process.start()
            there.close()
            ends.append(stack.enter_context(here))
        for end in ends:
            end.recv()

        def together() -> None:
            for end in ends:
                end.send("go")
            dtw.scores(matrices[::count], threads=1)
            for end in ends:
                end.recv()

        yield together


def against_peers(matrices: Matrices, *, repeats: int, slow: int) -> dict[str, Any]:
    """Nanoseconds per cell of each, one thread, and how many times ours each is."""
    peers = dtw_peers.PEERS
    check(matrices, peers)
    batch, sizes = dtw_peers.padded(matrices)
    small = [matrix.astype(np.float32) for matrix in matrices]
    part = matrices[:slow]

    def each(one: Callable[[NDArray[np.float64]], Found], some: Matrices) -> Callable[[], object]:
        return lambda: [one(matrix) for matrix in some]

    whole: dict[str, Callable[[], object]] = {
        "ours": lambda: dtw.scores(matrices, threads=1),
        "ours, with paths": lambda: [dtw.align(matrix) for matrix in matrices],
        "ours, float32": lambda: dtw.scores(small, threads=1),
        "torch scan": lambda: dtw_peers.by_torch(batch, sizes),
        "reading once": lambda: [matrix.max() for matrix in matrices],
        **{name: each(peer, matrices) for name, peer in peers.items()},
    }
    loops = {"textbook loops": each(by_reference, part), "released loops": each(by_released, part)}
    taken = measure.interleaved({**whole, **loops}, repeats=repeats)
    per_cell = {name: measure.per(taken[name], cells(part if name in loops else matrices)) for name in taken}
    return {
        "alignments": len(matrices),
        "alignments_of_the_loops": len(part),
        "cells": cells(matrices),
        "ns_per_cell": {name: measure.summary(times) for name, times in per_cell.items()},
        "times_ours": {name: measure.ratio(times, per_cell["ours"]) for name, times in per_cell.items()},
        "librosa_over_ours_with_paths": measure.ratio(per_cell["librosa"], per_cell["ours, with paths"]),
    }


def over_cores(matrices: Matrices, *, repeats: int) -> dict[str, Any]:
    """Nanoseconds per cell of one thread, of a thread a core and of a process a core, and what the cores gain."""
    with in_processes(matrices, available()) as together:
        runs: dict[str, Callable[[], object]] = {
            "one thread": lambda: dtw.scores(matrices, threads=1),
            "all cores": lambda: dtw.scores(matrices),
            "a process a core": together,
        }
        taken = measure.interleaved(runs, repeats=repeats)
    per_cell = {name: measure.per(times, cells(matrices)) for name, times in taken.items()}
    return {
        "ns_per_cell": {name: measure.summary(times) for name, times in per_cell.items()},
        "one_thread_over_all_cores": measure.ratio(per_cell["one thread"], per_cell["all cores"]),
        "one_thread_over_processes": measure.ratio(per_cell["one thread"], per_cell["a process a core"]),
    }


def growth_of(batches: Mapping[str, Matrices], *, repeats: int) -> dict[str, float]:
    """Nanoseconds per cell of each batch, one thread, in one interleaved run."""
    runs = {name: partial(dtw.scores, batch, threads=1) for name, batch in batches.items()}
    taken = measure.interleaved(runs, repeats=repeats)
    return typical({name: measure.per(times, cells(batches[name])) for name, times in taken.items()})


def typical(times: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """The median of each row's times relative to the mean of their round, times the median of these means.

    Rounds may be slow as a whole, and which of them hold the median is chance.

    >>> typical({"a": [1.0, 1.0, 2.0, 2.0], "b": [3.0, 3.0, 6.0, 9.0]})
    {'a': 1.5, 'b': 4.5}
    """
    rounds = np.array(list(times.values()))
    means = rounds.mean(axis=0)
    found = np.median(rounds / means, axis=1) * np.median(means)
    return dict(zip(times, found.tolist(), strict=True))


def batch_of(steps: int, frames: int, *, total: int) -> list[NDArray[np.float64]]:
    """As many equal-sized matrices as make about ``total`` cells, at least one."""
    return [workload.matrix(steps, frames, seed=number) for number in range(max(1, total // (steps * frames)))]


def growth(matrices: Matrices, *, repeats: int, quick: bool) -> dict[str, Any]:
    """Time per cell over T, over K and over the size of the batch."""
    total = GROWTH_CELLS // 100 if quick else GROWTH_CELLS
    lengths = (200, 2000) if quick else (200, 2000, 20_000, 100_000)
    counts = (1, 10, 100) if quick else (1, 10, 100, 1000, len(matrices))
    over_t = {f"K={k}": {str(t): batch_of(k, t, total=total) for t in lengths} for k in (10, 50)}
    over_k = {str(k): batch_of(k, 200, total=total) for k in (1, 2, 5, 10, 20, 50)}
    over_batch = {str(count): matrices[:count] for count in counts}
    return {
        "over_frames": {name: growth_of(batches, repeats=repeats) for name, batches in over_t.items()},
        "over_steps": growth_of(over_k, repeats=repeats),
        "over_batch": growth_of(over_batch, repeats=repeats),
    }


def long_clips(*, repeats: int, quick: bool) -> dict[str, Any]:
    """Ours against tslearn, one thread, on one long matrix at a time; tslearn's call returns the path too."""
    found = {}
    for steps in (10, 50):
        for frames in (200,) if quick else (2000, 20_000):
            matrix = workload.matrix(steps, frames)
            runs: dict[str, Callable[[], object]] = {
                "ours": partial(dtw.scores, [matrix], threads=1),
                "ours, with path": partial(dtw.align, matrix),
                "tslearn": partial(dtw_peers.by_tslearn, matrix),
            }
            taken = measure.interleaved(runs, repeats=repeats)
            per_cell = {name: measure.per(times, matrix.size) for name, times in taken.items()}
            found[f"K={steps}, T={frames}"] = {
                "ns_per_cell": {name: measure.summary(times) for name, times in per_cell.items()},
                "tslearn_over_ours": measure.ratio(per_cell["tslearn"], per_cell["ours"]),
                "tslearn_over_ours_with_path": measure.ratio(per_cell["tslearn"], per_cell["ours, with path"]),
            }
    return found


def peak_mb(function: Callable[[], object]) -> float:
    """Most megabytes held at once beyond what was there, as NumPy and Python asked for it."""
    function()
    tracemalloc.start()
    try:
        function()
        return tracemalloc.get_traced_memory()[1] / 1e6
    finally:
        tracemalloc.stop()


def with_path(*, repeats: int, quick: bool) -> dict[str, Any]:
    """``align`` against librosa: one long matrix, its path, the time and the memory beside the matrix itself."""
    matrix = workload.matrix(10, 500 if quick else 20_000)
    runs: dict[str, Callable[[], object]] = {
        "ours": lambda: dtw.align(matrix),
        "librosa": lambda: dtw_peers.by_librosa(matrix),
    }
    if not np.isclose(dtw.align(matrix).total, dtw_peers.by_librosa(matrix)[0], rtol=1e-9):
        raise SystemExit("align and librosa find another optimum")
    taken = measure.interleaved(runs, repeats=repeats)
    mine, theirs = (measure.per(taken[name], matrix.size) for name in runs)
    return {
        "shape": list(matrix.shape),
        "matrix_mb": matrix.nbytes / 1e6,
        "ns_per_cell": {"ours": measure.summary(mine), "librosa": measure.summary(theirs)},
        "librosa_over_ours": measure.ratio(theirs, mine),
        "peak_mb": {name: peak_mb(run) for name, run in runs.items()},
    }


def run(*, quick: bool) -> dict[str, Any]:
    matrices = workload.affinities(20 if quick else workload.CLIPS)
    repeats, more = (2, 2) if quick else (ROUNDS, ROUNDS_OF_OURS)
    with measure.single_thread():
        return {
            "peers": against_peers(matrices, repeats=repeats, slow=min(SLOW, len(matrices))),
            "cores": over_cores(matrices, repeats=more),
            "growth": growth(matrices, repeats=more, quick=quick),
            "long_clips": long_clips(repeats=repeats, quick=quick),
            "align": with_path(repeats=repeats, quick=quick),
        }


if __name__ == "__main__":
    measure.main("dtw", run)
