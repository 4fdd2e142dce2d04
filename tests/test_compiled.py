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

from actalign import compiled as compiled_module
from actalign import paths
from actalign.compiled import compiled, compiled_reordered, layouts

PROBE = """
import numpy as np
from actalign.dtw import kernels, scores
assert scores([np.array([[0.25, 0.75]])]).tolist() == [0.5]
print(sum(kernels.best_paths.stats.cache_hits.values()), sum(kernels.best_paths.stats.cache_misses.values()))
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
    for decorate in (compiled, compiled_reordered):

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


def test_layouts_are_those_numpy_gives(rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    class Wide(np.ndarray[Any, Any]):
        extra = 1

    whole = rng.random((5, 6))
    frozen = np.ones((2, 2))
    frozen.setflags(write=False)
    arrays = [
        whole, whole[2:, 3:], np.empty(0), np.float32(1) * whole.T, np.array(3), whole.view(Wide), frozen,
        np.zeros((2, 3, 4), dtype=np.int8), np.empty((0, 7)), np.asfortranarray(whole),
    ]  # fmt: skip
    expected = [
        (each.ctypes.data, *(each.shape if each.ndim == 2 else (-1, -1)), id(each.dtype), each.flags.num)
        for each in arrays
    ]
    assert np.stack(layouts(arrays), axis=1).tolist() == [list(row) for row in expected]
    assert [len(column) for column in layouts([])] == [0] * 5
    monkeypatch.setattr("actalign.compiled._are_laid_out_as_known", lambda: False)
    assert np.stack(layouts(arrays), axis=1).tolist() == [list(row) for row in expected]  # each array is asked


@pytest.mark.parametrize("wrong", range(7))
def test_another_layout_is_noticed_before_anything_is_followed(wrong: int, monkeypatch: pytest.MonkeyPatch) -> None:
    array = np.ones((2, 3))
    assert compiled_module._is_laid_out_as_known(array)
    read = compiled_module._fields_at

    def otherwise(place: int, fields: Any) -> None:
        read(place, fields)
        fields[wrong] ^= 1 << 20

    monkeypatch.setattr(compiled_module, "_fields_at", otherwise)
    followed = {0, 1, 5, 6}  # the pointers to shape, strides and base stand between these
    assert compiled_module._is_laid_out_as_known(array) == (wrong not in followed)
