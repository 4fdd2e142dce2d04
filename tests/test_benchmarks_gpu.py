"""The benchmarks that need a GPU, on a CPU that stands for one: they run, they check, and nothing is timed."""

import importlib.machinery
import importlib.metadata
import sys
import time
import types
from collections.abc import Callable
from typing import Any

import pytest
import torch

from actalign import dtw
from actalign.gpu import scan
from actalign.gpu.batch import Batch
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
def test_seconds_on_the_device_are_those_between_the_events_of_each_round(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, calls = [0.0], []

    def taking(name: str, seconds: float) -> Callable[[], None]:
        def run() -> None:
            calls.append(name)
            clock[0] += seconds

        return run

    monkeypatch.setattr("time.perf_counter", lambda: clock[0])
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: calls.append("wait"))
    taken = gpu.device_seconds({"a": taking("a", 2.0), "b": taking("b", 5.0)}, repeats=2)
    assert taken == {"a": [2.0, 2.0], "b": [5.0, 5.0]}
    assert " ".join(calls) == "a b a b a b wait a wait b wait b wait a wait"


@pytest.fixture
def timed(monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, float]], None]:
    """Takes the seconds of each function by name; every function is called once."""

    def take(seconds: dict[str, float]) -> None:
        def device_seconds(runs: dict[str, Callable[[], object]], *, repeats: int) -> dict[str, list[float]]:
            for run in runs.values():
                run()
            return {name: [seconds[name]] for name in runs}

        monkeypatch.setattr(gpu, "device_seconds", device_seconds)

    return take


@pytest.mark.usefixtures("gpu_on_cpu")
@pytest.mark.parametrize(("dtype", "size"), [(torch.float32, 4), (torch.bfloat16, 2)])
def test_the_floor_is_the_embeddings_at_the_rate_at_which_a_copy_reads_and_writes(
    timed: Any, monkeypatch: pytest.MonkeyPatch, dtype: torch.dtype, size: int
) -> None:
    choices: list[tuple[object, str]] = []
    on_device = Batch.on_device

    def told(self: Batch, **named: Any) -> Any:
        choices.append((named["smoothing"], named["accumulate"]))
        return on_device(self, **named)

    monkeypatch.setattr(Batch, "on_device", told)
    timed({"ours": 4e-3, "ours, float32 sums": 3e-3, "ours, w = 30": 8e-3, "copy": 0.5})
    clips = workload.clip_scripts(2, width=16)
    found = gpu.scoring(clips, dtype, repeats=1)
    assert choices[:3] == [(None, "float64"), (None, "float32"), (gpu.W30, "float64")]
    rows = sum(len(clip.frames_td) + len(clip.texts_nd) for clip in clips)
    rate = 2 * 2**24 / 0.5
    floor = rows * 16 * size / rate
    assert found["embeddings_mb"] == pytest.approx(rows * 16 * size / 1e6)
    assert found["copy_gb_per_s"] == pytest.approx(rate / 1e9)
    ms = {"ours": 4.0, "ours, float32 sums": 3.0, "ours, w = 30": 8.0, "floor": 1e3 * floor}
    assert {name: row["median"] for name, row in found["ms"].items()} == pytest.approx(ms)
    del ms["floor"]
    assert {name: row["median"] for name, row in found["over_floor"].items()} == pytest.approx(
        {name: 1e-3 * one / floor for name, one in ms.items()}
    )


@pytest.mark.usefixtures("gpu_on_cpu")
def test_alignments_are_compared_with_the_kernel_where_it_works(timed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu, "alignments", lambda: {"torch": scan.best_paths, "triton": scan.best_paths})
    monkeypatch.setattr(gpu, "soft_dtw", lambda *given: (lambda: None, "it runs"))
    names = [f"ours ({name}), {sums} sums" for name in ("torch", "triton") for sums in ("float64", "float32")]
    timed(dict(zip([*names, gpu.SOFT_DTW], (8.0, 6.0, 2.0, 1.0, 20.0), strict=True)))
    found = gpu.alignment(workload.clip_scripts(1, width=16), repeats=1)
    over = {name: row["median"] for name, row in found["over_ours"].items()}
    assert over == dict(zip([*names, gpu.SOFT_DTW], (4.0, 3.0, 1.0, 0.5, 10.0), strict=True))


@pytest.mark.usefixtures("gpu_on_cpu")
def test_smoothed_and_plain_scoring_are_each_compared_with_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = {"cpu": 8.0, "cpu, w = 30": 40.0, "transfer to the device": 1.0}
    monkeypatch.setattr(
        measure, "interleaved", lambda runs, *, repeats: {name: [seconds.get(name, 2.0)] for name in runs}
    )
    (clip,) = workload.clip_scripts(1)
    found = gpu.whole_calls([clip], repeats=1)
    moved = clip.frames_td.nbytes + clip.texts_nd.nbytes
    assert found["transfer_gb_per_s"] == pytest.approx(moved / 1e9), "in one second"
    assert {name: ratio["median"] for name, ratio in found["cpu_over"].items()} == {
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
