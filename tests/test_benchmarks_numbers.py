"""What the benchmark scripts make of the seconds, and who is given which work: the seconds here are made up."""

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Thread, current_thread, main_thread
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from actalign import dtw, stage
from actalign.clip_similarity import ClipSimilarity
from benchmarks import dtw as dtw_benchmark
from benchmarks import dtw_peers, encoding, explorer, measure, memory, peak, released, so400m, videos, workload
from benchmarks import stage as stage_benchmark

Runs = Mapping[str, Callable[[], object]]


@pytest.fixture
def timed(monkeypatch: pytest.MonkeyPatch) -> Callable[[Mapping[str, float]], dict[str, object]]:
    """Takes the seconds of each function by name; every function is called once, what it returns is in the result."""

    def take(seconds: Mapping[str, float]) -> dict[str, object]:
        returned: dict[str, object] = {}

        def interleaved(runs: Runs, **_: Any) -> dict[str, list[float]]:
            returned.update({name: run() for name, run in runs.items()})
            return {name: [seconds[name]] for name in runs}

        monkeypatch.setattr(measure, "interleaved", interleaved)
        return returned

    return take


def medians(found: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    return {name: row["median"] for name, row in found.items()}


# dtw


@pytest.fixture
def scored(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int | None]]:
    """How many matrices each call of ``dtw.scores`` got, and how many threads."""
    calls: list[tuple[int, int | None]] = []
    scores = dtw.scores

    def told(matrices: Any, *, threads: int | None = None) -> Any:
        calls.append((len(matrices), threads))
        return scores(matrices, threads=threads)

    monkeypatch.setattr(dtw, "scores", told)
    return calls


def test_peers_are_compared_a_cell_on_the_matrices_that_each_was_given(
    timed: Any, scored: list[tuple[int, int | None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    matrices = workload.affinities(1)
    whole, part = (dtw_benchmark.cells(some) for some in (matrices, matrices[:2]))
    monkeypatch.setattr(dtw_peers, "PEERS", {"librosa": dtw_benchmark.by_reference})
    names = ("ours", "ours, with paths", "ours, float32", "torch scan", "reading once", "librosa")
    seconds = {name: place * whole * 1e-9 for place, name in enumerate(names, start=1)}
    seconds |= {"textbook loops": 100 * part * 1e-9, "released loops": 300 * part * 1e-9}
    monkeypatch.setattr(dtw_benchmark, "check", lambda checked, peers: scored.append((len(checked), len(peers))))
    returned = timed(seconds)
    found = dtw_benchmark.against_peers(matrices, repeats=1, slow=2)
    expected = {name: float(place) for place, name in enumerate(names, start=1)}
    expected |= {"textbook loops": 100.0, "released loops": 300.0}
    assert medians(found["ns_per_cell"]) == pytest.approx(expected)
    assert medians(found["times_ours"]) == pytest.approx(expected), "ours takes one"
    assert found["librosa_over_ours_with_paths"]["median"] == pytest.approx(3.0)
    assert (found["cells"], found["alignments"], found["alignments_of_the_loops"]) == (whole, 5, 2)
    assert scored == [(5, 1), (5, 1), (5, 1)], "the check, then ours in float64 and float32, one thread"
    assert [len(returned[name]) for name in ("librosa", "textbook loops")] == [5, 2]


def test_all_cores_and_processes_are_compared_with_one_thread(
    timed: Any, scored: list[tuple[int, int | None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextlib.contextmanager
    def in_processes(matrices: object, count: int) -> Iterator[Callable[[], object]]:
        yield lambda: "together"

    monkeypatch.setattr(dtw_benchmark, "in_processes", in_processes)
    returned = timed({"one thread": 12.0, "all cores": 4.0, "a process a core": 3.0})
    found = dtw_benchmark.over_cores(workload.affinities(1), repeats=1)
    assert found["one_thread_over_all_cores"]["median"] == pytest.approx(3.0)
    assert found["one_thread_over_processes"]["median"] == pytest.approx(4.0)
    assert scored == [(5, 1), (5, None)] and returned["a process a core"] == "together"


def test_processes_share_the_matrices_and_are_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    aligned: list[int] = []

    def scores(matrices: Any, *, threads: int) -> None:
        time.sleep(0.0 if current_thread() is main_thread() else 0.05)
        aligned.extend(map(id, matrices))

    class Process(Thread):
        def __init__(self, *, target: Any, args: tuple[Connection, Any], daemon: bool) -> None:
            end = Connection(os.dup(args[0].fileno()))
            super().__init__(target=target, args=(end, args[1]), daemon=daemon)

    monkeypatch.setattr(dtw, "scores", scores)
    monkeypatch.setattr(measure, "single_thread", contextlib.nullcontext)
    monkeypatch.setattr("multiprocessing.get_context", lambda method: SimpleNamespace(Process=Process))
    matrices = workload.affinities(2)
    with dtw_benchmark.in_processes(matrices, 3) as together:
        aligned.clear()
        for _ in range(2):
            together()
    assert sorted(aligned) == sorted([*map(id, matrices)] * 2)


def test_growth_is_counted_in_cells_and_every_batch_has_its_shape(timed: Any) -> None:
    batches = {"few": [np.ones((2, 3))], "many": [np.ones((2, 3)), np.ones((4, 5))]}
    timed({"few": 6e-9, "many": 52e-9})
    assert dtw_benchmark.growth_of(batches, repeats=1) == pytest.approx({"few": 1.0, "many": 2.0})
    assert [matrix.shape for matrix in dtw_benchmark.batch_of(2, 5, total=31)] == [(2, 5)] * 3
    assert len(dtw_benchmark.batch_of(2, 5, total=3)) == 1


def test_growth_is_measured_over_frames_sub_actions_and_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    def shapes(batches: Mapping[str, Any], *, repeats: int) -> dict[str, Any]:
        return {name: (len(batch), batch[0].shape) for name, batch in batches.items()}

    monkeypatch.setattr(dtw_benchmark, "growth_of", shapes)
    matrices = workload.affinities(20)
    found = dtw_benchmark.growth(matrices, repeats=1, quick=True)
    assert found["over_frames"]["K=50"] == {"200": (2, (50, 200)), "2000": (1, (50, 2000))}
    assert {name: shape for name, (_, shape) in found["over_steps"].items()} == {
        str(steps): (steps, 200) for steps in (1, 2, 5, 10, 20, 50)
    }
    assert {name: count for name, (count, _) in found["over_batch"].items()} == {"1": 1, "10": 10, "100": 100}


def test_one_long_matrix_is_compared_with_a_path_and_without(
    timed: Any, scored: list[tuple[int, int | None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dtw_peers, "by_tslearn", dtw_benchmark.by_reference)
    timed({"ours": 1.0, "ours, with path": 2.0, "tslearn": 12.0})
    for row in dtw_benchmark.long_clips(repeats=1, quick=True).values():
        assert row["tslearn_over_ours"]["median"] == pytest.approx(12.0)
        assert row["tslearn_over_ours_with_path"]["median"] == pytest.approx(6.0)
    assert scored == [(1, 1), (1, 1)]


def test_a_path_is_compared_with_librosas_if_the_optimum_is_the_same(
    timed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dtw_peers, "by_librosa", dtw_benchmark.by_reference)
    timed({"ours": 5e-6, "librosa": 40e-6})
    found = dtw_benchmark.with_path(repeats=1, quick=True)
    assert found["librosa_over_ours"]["median"] == pytest.approx(8.0)
    assert medians(found["ns_per_cell"]) == pytest.approx({"ours": 1.0, "librosa": 8.0})
    assert (found["shape"], found["matrix_mb"]) == ([10, 500], 0.04)
    monkeypatch.setattr(dtw_peers, "by_librosa", lambda matrix: (0.0, 1))
    with pytest.raises(SystemExit, match="another optimum"):
        dtw_benchmark.with_path(repeats=1, quick=True)


def test_the_memory_of_a_call_is_its_peak_without_what_is_made_once() -> None:
    kept: list[Any] = []

    def work() -> None:
        kept.extend([] if kept else [np.zeros(3_000_000)])
        np.zeros(1_000_000)

    assert dtw_benchmark.peak_mb(work) == pytest.approx(8.0, rel=0.01)


def test_the_check_refuses_what_is_not_the_reference_even_where_only_ties_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    matrices = workload.affinities(1)
    totals, by_torch, align = dtw.totals, dtw_peers.by_torch, released.align

    def longer(*given: Any, **named: Any) -> Any:
        found = totals(*given, **named)
        return found._replace(lengths=found.lengths + 1)

    wrong: tuple[tuple[Any, str, Any, str], ...] = (
        (dtw, "totals", longer, "ours is not the reference"),
        (dtw, "scores", lambda some: np.zeros(len(some)), "our scores are not the reference's"),
        (dtw_peers, "by_torch", lambda *padded: (by_torch(*padded)[0] + 1, by_torch(*padded)[1]), "the scan in torch"),
        (released, "align", lambda matrix: align(matrix[::-1, ::-1]), "released finds paths of other lengths"),
    )
    for module, name, replaced, said in wrong:
        with monkeypatch.context() as patch, pytest.raises(SystemExit, match=said):
            patch.setattr(module, name, replaced)
            dtw_benchmark.check(matrices, {})


# stage


def test_the_stage_is_compared_in_one_thread_and_on_all_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    alone = {"product": 4.0, "product and sigmoid": 8.0, "ours": 16.0, "ours, w = 30": 24.0, "released": 100.0}
    together = {"product and sigmoid": 4.0, "ours": 8.0, "ours, w = 30": 12.0, "ours, one thread": 40.0}
    together["released"] = 300.0
    single: list[bool] = []
    calls: list[tuple[object, ...]] = []

    @contextlib.contextmanager
    def single_thread() -> Iterator[None]:
        single.append(True)
        yield
        single.pop()

    def interleaved(runs: Runs, *, repeats: int) -> dict[str, list[float]]:
        seconds = alone if single else together
        for run in runs.values():
            run()
        return {name: [seconds[name]] for name in runs}

    def score_clips(clips: Any, *, scale: float, bias: float, smoothing: Any = None, threads: Any = None) -> None:
        calls.append(("ours", bool(single), threads, smoothing, len(clips)))

    monkeypatch.setattr(measure, "single_thread", single_thread)
    monkeypatch.setattr(measure, "interleaved", interleaved)
    monkeypatch.setattr(stage, "score_clips", score_clips)
    monkeypatch.setattr(released, "score_clip", lambda *clip, **named: calls.append(("released", bool(single))))
    found = stage_benchmark.whole_stage(workload.clip_scripts(4), part=1, repeats=1)
    assert calls == [
        ("ours", True, 1, None, 4),
        ("ours", True, 1, stage_benchmark.W30, 4),
        ("released", True),
        ("ours", False, None, None, 4),
        ("ours", False, None, stage_benchmark.W30, 4),
        ("ours", False, 1, None, 4),
        ("released", True),
    ]
    assert medians(found["ms_per_clip_one_thread"]) == pytest.approx(
        {"product": 1e3, "product and sigmoid": 2e3, "ours": 4e3, "ours, w = 30": 6e3, "released": 1e5}
    )
    assert medians(found["ms_per_clip_all_cores"])["released"] == pytest.approx(3e5)
    assert {name: row["median"] for name, row in found.items() if "rounds" in row} == pytest.approx(
        {
            "floor_over_ours_one_thread": 0.5,
            "floor_over_ours_all_cores": 0.5,
            "smoothed_over_plain": 1.5,
            "released_over_ours_one_thread": 25.0,
            "released_over_ours_all_cores": 150.0,
            "one_thread_over_all_cores": 5.0,
        }
    )


def test_a_sweep_is_timed_if_its_scores_are_right_and_counted_by_clip_and_setting(
    timed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    clips = workload.clip_scripts(2, width=8)
    timed({"reuse": 1.0, "independent": 5.0})
    products: list[object] = []

    def similarity(*given: Any) -> ClipSimilarity:
        products.append(given)
        return ClipSimilarity(*given)

    monkeypatch.setattr(stage_benchmark, "ClipSimilarity", similarity)
    found = stage_benchmark.sweep(clips, repeats=1)
    assert len(products) == 4, "one a clip, in the check and in the run: what is kept is not made again"
    assert medians(found["ms_per_clip_and_setting"]) == pytest.approx({"reuse": 25.0, "independent": 125.0})
    assert found["independent_over_reuse"]["median"] == pytest.approx(5.0)
    swept = stage_benchmark.swept
    monkeypatch.setattr(stage_benchmark, "swept", lambda some: swept(some)[::-1])
    with pytest.raises(SystemExit, match="other scores than independent runs"):
        stage_benchmark.sweep(clips, repeats=1)


def test_scores_that_are_not_the_released_recipes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    score_clip = released.score_clip
    monkeypatch.setattr(
        released, "score_clip", lambda *clip, **named: [1.01 * score for score in score_clip(*clip, **named)]
    )
    with pytest.raises(SystemExit, match="ours and the released recipe differ by"):
        stage_benchmark.check(workload.clip_scripts(1, width=8))


# encoding


def test_a_gpu_is_waited_for_and_a_cpu_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: calls.append("wait"))
    for device in ("cuda", "cpu"):
        encoding.waited(lambda device=device: calls.append(device), device)()  # type: ignore[misc]
    assert calls == ["cuda", "wait", "cpu"]


def test_pictures_are_compared_a_frame(timed: Any) -> None:
    timed({"processor": 8.0, "tensors": 1.0})
    found = encoding.preprocessing("cpu", frames=2, repeats=1)
    assert medians(found["ms_per_frame"]) == pytest.approx({"processor": 4000.0, "tensors": 500.0})
    assert found["processor_over_tensors"]["median"] == pytest.approx(8.0)


def test_a_forward_is_compared_with_the_product_of_its_precision(timed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[tuple[object, ...]] = []

    def look(tower: Any, inputs: torch.Tensor) -> None:
        looks.append((tower.dtype, tower.config._attn_implementation, inputs.dtype, len(inputs)))

    monkeypatch.setattr(encoding, "_look", look)
    monkeypatch.setitem(encoding.PRODUCT_SIDE, "cpu", 8)
    seconds = {"float32, sdpa": 2.0, "float32, eager": 6.0, "bfloat16, sdpa": 1.0, "float32": 4.0, "bfloat16": 0.5}
    timed(seconds)
    found = encoding.forward("cpu", vision=so400m.SMALL, batch=2, repeats=1)
    exact, half = torch.float32, torch.bfloat16
    assert looks == [(exact, "sdpa", exact, 2), (exact, "eager", exact, 2), (half, "sdpa", half, 2)]
    flops = so400m.flops_per_frame(so400m.SMALL)
    assert found["gflop_per_frame"] == pytest.approx(flops / 1e9)
    assert medians(found["s_per_frame"]) == {"float32, sdpa": 1.0, "float32, eager": 3.0, "bfloat16, sdpa": 0.5}
    rates = {"float32": 2 * 8**3 / 4.0, "bfloat16": 2 * 8**3 / 0.5}
    assert medians(found["product_tflop_per_s"]) == pytest.approx({name: rate / 1e12 for name, rate in rates.items()})
    assert medians(found["share_of_product"]) == pytest.approx(
        {name: 2 * flops / seconds[name] / rates[name.partition(",")[0]] for name in found["s_per_frame"]}
    )
    assert medians(found["eager_over_sdpa"]) == {"float32": 3.0}


def test_a_forward_keeps_nothing_for_a_gradient() -> None:
    kept: list[bool] = []
    encoding._look(lambda pixel_values: kept.append(torch.is_grad_enabled()), torch.zeros(1))
    assert kept == [False]


def test_files_are_compared_a_frame_of_those_that_each_was_given(
    timed: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint = so400m.write_checkpoint(tmp_path / "checkpoint", so400m.SMALL)
    files = [videos.write(tmp_path / f"{count}.mp4", count, size=(64, 64)) for count in (4, 3)]
    embed, recipe_embed = encoding.embed, released.Recipe.embed
    given: list[tuple[str, int]] = []

    def told(some: list[Path], encoder: Any, *said: Any) -> Any:
        given.append((encoder.dtype, len(some)))
        return embed(some, encoder, *said)

    def recipe_told(self: released.Recipe, some: list[Path]) -> Any:
        given.append(("released", len(some)))
        return recipe_embed(self, some)

    monkeypatch.setattr(encoding, "embed", told)
    monkeypatch.setattr(released.Recipe, "embed", recipe_told)
    timed({"ours, float32": 4.0, "ours, bfloat16": 3.5, "released": 40.0})
    found = encoding.end_to_end(checkpoint, "cpu", files, slow=1, repeats=1)
    assert given[3:] == [("float32", 1), ("bfloat16", 2), ("released", 1)]
    assert medians(found["frames_per_s"]) == pytest.approx(
        {"ours, float32": 1.0, "ours, bfloat16": 2.0, "released": 0.1}
    )
    assert medians(found["released_over_ours"]) == pytest.approx({"ours, float32": 10.0, "ours, bfloat16": 20.0})


def test_the_worst_frame_of_the_worst_clip_tells_how_far_two_ways_are_apart() -> None:
    same, turned = np.eye(2, dtype=np.float32), np.array([[1, 0], [0.6, 0.8]], dtype=np.float32)
    assert encoding.check_embeddings({"a": same, "b": same}, {"a": turned, "b": same}) == pytest.approx(0.2)


def test_half_precision_is_told_by_its_cosines_and_its_top_k(monkeypatch: pytest.MonkeyPatch) -> None:
    exact, half = np.eye(2, dtype=np.float32), np.array([[1, 0], [1e-2, 1]], dtype=np.float32)

    def embedded(data: Any, device: str, dtype: str) -> tuple[dict[str, Any], list[float]]:
        return ({"a": exact}, [90.0]) if dtype == "float32" else ({"a": half}, [80.0])

    monkeypatch.setattr(encoding, "_embedded", embedded)
    found = encoding.half_precision("cpu", clips=2)["bfloat16"]
    assert (found["clips"], found["share_below_0.999"]) == (2, 0.0)
    assert found["one_minus_cosine"] == pytest.approx({"max": 5e-5, "mean": 2.5e-5}, rel=0.01)
    assert found["top_k"] == {"float32": [90.0], "bfloat16": [80.0]}


# memory


def test_memory_grows_by_what_the_last_clips_add(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    peaks = iter([100.0, 110.0, 150.0] * 2)

    def make(name: str) -> Callable[..., list[Path]]:
        def made(folder: Path, count: int, *, frames: int) -> list[Path]:
            calls.append(f"{count} {name}")
            return [folder / "x.mp4"] * count

        return made

    def measured(recipe: str, folder: Path) -> dict[str, float]:
        calls.append(recipe)
        return {"peak_mb": next(peaks)}

    monkeypatch.setattr(videos, "hd", make("hd"))
    monkeypatch.setattr(videos, "tiny", make("tiny"))
    monkeypatch.setattr(peak, "measured", measured)
    found = memory.over_clips("released", (1, 2, 4), frames=2, tiny=False)
    assert (found["mb_more_per_clip"], found["largest_over_smallest"]) == (20.0, 1.5)
    memory.over_clips("ours", (1, 2, 4), frames=2, tiny=True)
    assert calls[::2] == ["1 hd", "2 hd", "4 hd", "1 tiny", "2 tiny", "4 tiny"]
    assert calls[1::2] == ["released"] * 3 + ["ours"] * 3


def test_the_peak_stays_when_memory_is_given_back() -> None:
    held = np.ones(12_500_000)
    most = peak.peak_mb()
    del held
    assert peak.peak_mb() > most - 50 > 50


def test_the_released_recipe_is_measured_over_all_files(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[list[Path]] = []
    monkeypatch.setattr(released, "Recipe", lambda checkpoint: SimpleNamespace(embed=given.append))
    peak.RECIPES["released"]([Path("a"), Path("b")])()
    assert given == [[Path("a"), Path("b")]]


# explorer


def test_moves_count_after_one_of_each_on_all_clips_but_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    taken = iter([100.0, 200.0, 140.0])

    def one_move_ms(move: Callable[[], object], explorer: Any) -> float:
        done.append("timed")
        move()
        return next(taken)

    monkeypatch.setattr(explorer, "moves", lambda shown: [(name, lambda name=name: done.append(name)) for name in "ab"])
    monkeypatch.setattr(explorer, "one_move_ms", one_move_ms)
    found = explorer.run(quick=True)
    assert done == ["a", "b", "timed", "timed", "a", "timed", "b"]
    assert medians(found["ms_per_move"]) == {"sport or clip": 100.0, "a": 200.0, "b": 140.0}
    assert (found["clips"], found["all_moves"]["moves"], found["all_moves"]["median"]) == (1, 3, 140.0)
    assert found["share_within_target"] == pytest.approx(2 / 3)


def test_a_move_is_told_in_milliseconds_unless_it_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([1.0, 1.25, 2.0, 3.0])
    monkeypatch.setattr("time.perf_counter", lambda: next(clock))
    shown: Any = SimpleNamespace(screen=SimpleNamespace(problem=""))
    assert explorer.one_move_ms(lambda: None, shown) == 250.0
    shown.screen.problem = "broken"
    with pytest.raises(SystemExit, match="a move failed: broken"):
        explorer.one_move_ms(lambda: None, shown)
    assert explorer.spread([float(ms) for ms in range(101)]) == {
        "median": 50.0,
        "p95": 95.0,
        "max": 100.0,
        "moves": 101,
    }
