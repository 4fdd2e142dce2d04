"""The benchmarks that need a GPU, on a CPU that stands for one: they run, they check, and nothing is timed."""

import importlib.machinery
import importlib.metadata
import sys
import time
import types
from typing import Any

import pytest
import torch

from actalign import dtw
from actalign.gpu import scan
from benchmarks import gpu, gpu_busy, measure, table, workload


class Event:
    """Stands for torch.cuda.Event: the time on the CPU."""

    def __init__(self, *, enable_timing: bool) -> None:
        assert enable_timing

    def record(self) -> None:
        self.at = time.perf_counter()

    def elapsed_time(self, other: "Event") -> float:
        return 1e3 * (other.at - self.at)


@pytest.fixture
def gpu_on_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu, "DEVICE", "cpu")
    monkeypatch.setattr(gpu, "alignments", lambda: {"torch": scan.best_paths})  # Triton needs the GPU itself
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: None)
    monkeypatch.setattr(torch.cuda, "Event", Event)
    monkeypatch.setattr(gpu_busy, "launches", lambda function: function() and 30)


@pytest.mark.usefixtures("gpu_on_cpu")
def test_the_script_for_a_gpu_runs_and_its_row_is_written() -> None:
    found = gpu.run(quick=True)
    assert found["alignments_equal_bit_for_bit"] == 100
    assert max(found["largest_relative_difference_from_cpu"].values()) < 1e-4
    assert found["float32"]["kernels"] == found["bfloat16"]["kernels"] == 30
    assert {name for name in found["alignment"]["ms"] if name != gpu.SOFT_DTW} == {
        "ours (torch), float64 sums",
        "ours (torch), float32 sums",
    }
    rows = list(table.gpu_rows({"machine": {"gpu": "Fast One"}, **found}))
    assert len(rows) == 2 and all("Fast One" in row[0] for row in rows)


@pytest.mark.usefixtures("gpu_on_cpu")
def test_smoothed_and_plain_scoring_are_each_compared_with_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = {"cpu": 8.0, "cpu, w = 30": 40.0, "transfer to the device": 1.0}
    monkeypatch.setattr(
        measure, "interleaved", lambda runs, *, repeats: {name: [seconds.get(name, 2.0)] for name in runs}
    )
    found = gpu.whole_calls(workload.clip_scripts(1), repeats=1)["cpu_over"]
    assert {name: ratio["median"] for name, ratio in found.items()} == {
        "gpu, transfers included": 4.0,
        "gpu, embeddings already there": 4.0,
        "gpu, embeddings already there, w = 30": 20.0,
    }


@pytest.mark.usefixtures("gpu_on_cpu")
def test_the_script_for_a_gpu_refuses_wrong_sums_and_wrong_scores(monkeypatch: pytest.MonkeyPatch) -> None:
    best_paths = scan.best_paths

    def too_long(*given: Any, **named: Any) -> Any:
        found = best_paths(*given, **named)
        return found._replace(lengths_n=found.lengths_n + 1)

    monkeypatch.setattr(scan, "best_paths", too_long)
    with pytest.raises(SystemExit, match="alignment by torch, K up to 1, is not the CPU's"):
        gpu.check_alignment(count=3)
    with pytest.raises(SystemExit, match=r"scores on the device \(float32\) differ"):
        gpu.check_scores(workload.clip_scripts(2))


def test_without_a_gpu_its_script_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(SystemExit, match="needs a CUDA device"):
        gpu.run(quick=True)


@pytest.mark.usefixtures("gpu_on_cpu")
@pytest.mark.parametrize(
    ("more", "said"),
    [(0.01, "pysdtw 0.0.5, gamma 0.01"), (50.0, "pysdtw finds other sums here"), (None, "pysdtw does not run here: x")],
)
def test_a_soft_alignment_is_timed_if_its_sums_are_right(
    more: float | None, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A package whose sums are the best ones and ``more``, or that cannot run."""

    def apply(costs: torch.Tensor, sizes: torch.Tensor, gamma: float, bandwidth: float) -> torch.Tensor:
        if more is None:
            raise ValueError("x")
        matrices = [-cost[:steps, :frames].numpy() for cost, (steps, frames) in zip(costs, sizes.tolist(), strict=True)]
        return -torch.from_numpy(dtw.totals(matrices).sums + more)

    package = types.ModuleType("pysdtw")
    package.__spec__ = importlib.machinery.ModuleSpec("pysdtw", None)
    package.SoftDTWcuda = types.SimpleNamespace(apply=apply)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pysdtw", package)
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "0.0.5")
    found = gpu.alignment(workload.clip_scripts(2), repeats=1)
    assert found["soft_dtw"] == said
    assert ("pysdtw" in found["over_ours"]) == (more == 0.01)


def test_only_kernels_count_as_computing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def event(name: str, start: float, end: float, device: str = "CUDA") -> Any:
        span = types.SimpleNamespace(start=start, end=end)
        return types.SimpleNamespace(name=name, time_range=span, device_type=types.SimpleNamespace(name=device))

    class Profiler:
        def __init__(self, *, activities: Any) -> None: ...
        def __enter__(self) -> "Profiler":
            return self

        def __exit__(self, *error: object) -> None: ...
        def events(self) -> list[Any]:
            return [
                event("gemm", 0.0, 2e5),
                event("softmax", 1e5, 3e5),
                event("Memcpy HtoD", 3e5, 9e5),
                event("Memset", 8e5, 9e5),
                event("Stream Wait Event", 3e5, 9e5),
                event("Context Sync", 3e5, 9e5),
                event("aten::mm", 0.0, 9e5, "CPU"),
            ]

    clock = iter([10.0, 11.0, 12.0, 13.0, 14.0, 15.0, 16.0, 17.0])
    monkeypatch.setattr(gpu_busy, "profile", Profiler)
    monkeypatch.setattr(gpu_busy, "time", types.SimpleNamespace(perf_counter=lambda: next(clock)))
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: None)
    calls: list[int] = []
    assert gpu_busy.share(lambda: calls.append(1)) == pytest.approx(0.3)
    assert len(calls) == 2
    assert gpu_busy.launches(lambda: None) == 2
    monkeypatch.setattr(Profiler, "events", lambda self: [event("Memcpy HtoD", 3e5, 9e5)])
    assert gpu_busy.share(lambda: None) is gpu_busy.launches(lambda: None) is None
    assert capsys.readouterr().out.startswith("the profiler saw no kernel on the GPU")
