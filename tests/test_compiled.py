"""Compiled loops: kept on disk between processes, and usable where nothing can be kept."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numba
import numpy as np
import pytest

from actalign import paths
from actalign.compiled import compiled, compiled_brief, compiled_reordered

PROBE = """
import numpy as np
from actalign.dtw import kernels, scores
assert scores([np.array([[0.25, 0.75]])]).tolist() == [0.5]
stats = kernels.score_list.stats
print(sum(stats.cache_hits.values()), sum(stats.cache_misses.values()))
"""


def run(folder: Path) -> list[int]:
    """Cache hits and misses of a process of its own."""
    room = {**os.environ, "NUMBA_CACHE_DIR": str(folder)}
    done = subprocess.run(
        [sys.executable, "-c", PROBE], env=room, cwd=paths.ROOT, capture_output=True, text=True, check=True
    )
    return [int(number) for number in done.stdout.split()]


def test_the_second_process_does_not_compile_again(tmp_path: Path) -> None:
    assert run(tmp_path) == [0, 1]
    assert list(tmp_path.rglob("*.nbc"))
    assert run(tmp_path) == [1, 0]


def test_without_a_folder_to_write_to_it_still_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere_to_cache(*, cache: bool = False, **settings: Any) -> Any:
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return numba.njit(**settings)

    monkeypatch.setattr("actalign.compiled.numba", SimpleNamespace(njit=nowhere_to_cache))
    for decorate in (compiled, compiled_brief, compiled_reordered):

        @decorate
        def total(values: Any) -> float:
            result = 0.0
            for value in values:
                result += value
            return result

        assert total(np.array([0.5, 0.25])) == 0.75


def test_sums_are_added_in_the_order_written_unless_said_otherwise() -> None:
    """1e16 swallows a 1 that is added after it; only the written order gives exactly this sum."""
    values = np.array([1e16, *np.ones(1000), -1e16])

    def total(numbers: Any) -> float:
        result = 0.0
        for number in numbers:
            result += number
        return result

    assert compiled(total)(values) == total(values) == 0.0
    assert 0.0 <= compiled_reordered(total)(values) <= 1000.0


def test_long_loops_let_other_threads_run() -> None:
    for decorate in (compiled, compiled_reordered):
        loop: Any = decorate(lambda value: value)
        assert loop.targetoptions["nogil"]
