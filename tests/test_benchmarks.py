"""The benchmarks compare what gives right answers; tables and charts show what the JSON says. Nothing is timed."""

import doctest
import importlib.util
import json
import pkgutil
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.axes import Axes
from numpy.typing import NDArray
from threadpoolctl import threadpool_info, threadpool_limits

import benchmarks
from actalign import dtw, paths, stage
from actalign.clip_similarity import ClipSimilarity
from actalign.dtw import reference
from actalign.encoder import load_encoder
from actalign.plots.figure import BLUE
from actalign.video import iter_frames
from benchmarks import (
    chart,
    dtw_peers,
    encoding,
    measure,
    memory,
    peak,
    released,
    so400m,
    table,
    videos,
    workload,
)
from benchmarks import dtw as dtw_benchmark
from benchmarks import stage as stage_benchmark

Matrix = NDArray[np.float64]
MODULES = sorted(module.name for module in pkgutil.iter_modules(benchmarks.__path__, "benchmarks."))


@pytest.fixture(autouse=True)
def threads() -> Any:
    before = torch.get_num_threads()
    yield
    assert torch.get_num_threads() == before


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_in_the_docstrings_hold(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE).failed == 0


# measure


def test_rounds_rotate_and_each_function_warms_up_once() -> None:
    calls: list[str] = []
    taken = measure.interleaved({name: lambda name=name: calls.append(name) for name in "abc"}, repeats=3, least_s=0.0)  # type: ignore[misc]
    assert "".join(calls) == "abc" + "abc" + "bca" + "cab"
    assert {name: len(seconds) for name, seconds in taken.items()} == {"a": 3, "b": 3, "c": 3}


def test_a_short_function_is_repeated_and_its_time_is_that_of_one_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five calls that do not count, then five that take a second each; a long one counts at once."""
    calls: list[int] = []
    clock = iter([*range(6), *range(100, 106), *range(200, 300, 7)])
    monkeypatch.setattr("time.perf_counter", lambda: float(next(clock)))
    rests: list[float] = []
    monkeypatch.setattr("time.sleep", rests.append)
    taken = measure.interleaved({"a": lambda: calls.append(1)}, repeats=2, least_s=5.0)
    assert (len(calls), taken["a"]) == (1 + 5 + 5 + 1, [1.0, 7.0])
    assert rests == [measure.REST_S] * 2


def test_a_ratio_is_taken_within_each_round() -> None:
    assert measure.ratio([1.0, 10.0, 30.0], [1.0, 5.0, 3.0]) == {"median": 2.0, "min": 1.0, "max": 10.0, "rounds": 3}
    with pytest.raises(ValueError, match="shorter"):
        measure.ratio([1.0, 2.0], [1.0])
    assert measure.per([6e-9], 2) == pytest.approx([3.0]), "nanoseconds"


def test_results_are_written_with_the_machine_sorted_and_rounded(tmp_path: Path) -> None:
    path = measure.write("x", {"b": 1.23456, "a": {2: [0.000123456]}}, folder=tmp_path)
    text = path.read_text(encoding="utf-8")
    content = json.loads(text)
    assert (content["subject"], content["b"], content["a"]) == ("x", 1.235, {"2": [0.0001235]})
    assert {"cpu", "cores", "memory_gib", "system", "python", "versions", "date"} <= set(content["machine"])
    assert {"numpy", "numba", "torch", "transformers"} <= set(content["machine"]["versions"])
    assert text == json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    assert measure.read("x", folder=tmp_path) == content
    assert measure.read("y", folder=tmp_path) is None


def test_the_machine_is_told_with_its_day_and_the_gpu_that_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "available", lambda: 3)
    monkeypatch.setattr("os.sysconf", {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 2**21}.__getitem__)
    monkeypatch.setattr("platform.release", lambda: "6.1.0-13-cloud")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    told = measure.machine()
    assert (told["cores"], told["memory_gib"]) == (3, 8.0)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", told["date"]) and " 6.1.0 (" in told["system"] and "gpu" not in told
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "Fast One")
    assert measure.machine()["gpu"] == "Fast One"


def test_a_quick_run_is_printed_and_a_whole_one_written_for_its_device(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(measure, "RESULTS", tmp_path)
    said = []
    for arguments in (["--quick"], ["--device", "cuda"], []):
        monkeypatch.setattr("sys.argv", ["x", *arguments])
        measure.main("x", lambda **given: {"given": given, "ms": 1.23456}, devices=("cpu", "cuda"))
        said.append(capsys.readouterr().out)
    assert json.loads(said[0]) == {"given": {"quick": True, "device": "cpu"}, "ms": 1.235}
    assert said[1:] == [f"wrote {tmp_path / name}\n" for name in ("x_cuda.json", "x_cpu.json")]
    for device in ("cpu", "cuda"):
        written = measure.read(f"x_{device}")
        assert written is not None and written["given"] == {"quick": False, "device": device}


def test_a_script_whose_peers_are_not_installed_says_how_to_install_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["x", "--quick"])
    with pytest.raises(SystemExit, match=r"^error: no_such_peer is not installed; pip install .*\[all,bench\]"):
        measure.main("x", lambda **given: {"peer": importlib.import_module("no_such_peer")})


def test_what_was_measured_before_a_failure_is_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ZeroDivisionError):
        measure.in_parts({"first": lambda: {"ms": 1.23456}, "second": lambda: 1 / 0})
    assert capsys.readouterr().err == '{"first": {"ms": 1.235}}\n'


def test_one_thread_means_torch_too() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with threadpool_limits(2):
            with measure.single_thread():
                assert {pool["num_threads"] for pool in threadpool_info()} == {torch.get_num_threads()} == {1}
            assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


# dtw


def some_matrices() -> list[Matrix]:
    return [*workload.affinities(2), *dtw_benchmark.planted(60)]


def test_the_work_has_the_size_that_is_claimed() -> None:
    shapes = workload.shapes()
    assert len(shapes) == 4490
    assert {shape.steps for shape in shapes} == set(range(5, 11))
    assert {shape.frames for shape in shapes} == set(range(180, 211))
    few = workload.shapes(2)
    assert [matrix.shape for matrix in workload.affinities(2)] == [(shape.steps, shape.frames) for shape in few]


def test_the_scan_in_torch_is_the_reference_bit_for_bit() -> None:
    matrices = some_matrices()
    found = dtw_peers.listed(dtw_peers.by_torch(*dtw_peers.padded(matrices)))
    assert found == [dtw_benchmark.by_reference(matrix) for matrix in matrices]


def test_the_released_loops_are_the_reference_bit_for_bit() -> None:
    for matrix in some_matrices():
        total, path = released.align(matrix)
        table_kt = reference.accumulate(matrix)
        assert (total, path) == (table_kt[-1, -1], [tuple(pair) for pair in reference.backtrace(table_kt).tolist()])


@pytest.mark.parametrize("name", ["dtw-python", "tslearn"])  # librosa is not there when tests run
def test_a_peer_finds_the_same_optimum_and_where_nothing_ties_the_same_length(name: str) -> None:
    matrices = workload.affinities(1)
    found = [dtw_peers.PEERS[name](matrix) for matrix in matrices]
    dtw_peers.refuse_unless_equal(found, dtw_peers.listed(dtw.totals(matrices)), name=name, lengths=True)


def test_the_check_passes_ours_and_refuses_a_wrong_peer() -> None:
    matrices = workload.affinities(1)
    dtw_benchmark.check(matrices, {})
    with pytest.raises(SystemExit, match="liar finds another optimum"):
        dtw_benchmark.check(matrices, {"liar": lambda matrix: (float(matrix.sum()), 1)})
    with pytest.raises(SystemExit, match="other lengths"):
        dtw_peers.refuse_unless_equal([(1.0, 2)], [(1.0, 3)], name="x", lengths=True)


def test_planted_matrices_do_tie() -> None:
    matrices = dtw_benchmark.planted(20)
    other = [len(reference.backtrace(reference.accumulate(matrix))) for matrix in matrices]
    last = [len(dtw.align(matrix[::-1, ::-1]).path) for matrix in matrices]
    assert other != last  # the same optimum from the other end, by another path


# stage


def test_the_released_recipe_scores_as_ours_does() -> None:
    clips = workload.clip_scripts(2, width=24)
    assert stage_benchmark.check(clips) < 1e-4
    frames, scripts = stage_benchmark.as_released(clips[0])
    ours = stage.score_clips(clips[:1], scale=10.0, bias=-1.0)[0]
    theirs = released.score_clip(frames, scripts, scale=10.0, bias=-1.0)
    np.testing.assert_allclose(theirs, ours, rtol=1e-5)


def test_the_floor_does_the_work_it_claims() -> None:
    (clip,) = workload.clip_scripts(1)
    similarity = ClipSimilarity(clip.frames_td, clip.texts_nd)
    expected = similarity.affinity(scale=workload.SCALE, bias=workload.BIAS)
    np.testing.assert_allclose(stage_benchmark.products_and_sigmoids([clip]), expected, rtol=1e-3)


def test_a_sweep_with_reuse_gives_the_scores_of_independent_runs() -> None:
    clips = workload.clip_scripts(2, width=16)
    assert len(stage_benchmark.SETTINGS) == 20
    with measure.single_thread():
        for kept, alone in zip(stage_benchmark.swept(clips), stage_benchmark.one_by_one(clips), strict=True):
            assert [scores.tolist() for scores in kept] == [scores.tolist() for scores in alone]


# encoding and memory


def test_the_released_recipe_embeds_as_ours_does_and_keeps_every_picture(
    tmp_path: Path, write_video: Callable[..., Path], tiny_checkpoint: Path
) -> None:
    files = [write_video(tmp_path / f"{name}.mp4", frames=count, seed=count) for name, count in (("a", 9), ("b", 3))]
    recipe = released.Recipe(tiny_checkpoint)
    theirs = recipe.embed(files)
    ours = encoding.embed(files, load_encoder(tiny_checkpoint, device="cpu"))
    assert encoding.check_embeddings(ours, theirs) < 1e-3
    assert {name: len(pictures) for name, pictures in recipe.pictures.items()} == {"a": 9, "b": 3}
    theirs["b"].pop()
    with pytest.raises(SystemExit, match="numbers of frames"):
        encoding.check_embeddings(ours, theirs)


def test_the_large_model_has_the_operations_that_its_sizes_give() -> None:
    tokens, width, inner, layers = (
        27**2,
        so400m.WIDTH,
        so400m.VISION["intermediate_size"],
        so400m.VISION["num_hidden_layers"],
    )
    a_layer = tokens * (8 * width**2 + 4 * width * inner) + 4 * tokens**2 * width
    assert so400m.flops_per_frame() == pytest.approx(layers * a_layer, rel=0.02)


def test_a_checkpoint_of_that_architecture_loads_and_embeds(tmp_path: Path) -> None:
    encoder = load_encoder(so400m.write_checkpoint(tmp_path, so400m.SMALL), device="cpu")
    assert encoder.width == so400m.WIDTH
    frames = np.stack(list(videos.pictures(2, size=(60, 80))))
    assert np.isfinite(encoder.encode_frames(frames)).all()


def test_preprocessing_and_forward_run_small() -> None:
    assert encoding.preprocessing("cpu", frames=1, repeats=1)["largest_difference_in_levels"] <= 1
    found = encoding.forward("cpu", vision=so400m.SMALL, batch=1, repeats=1)
    assert set(found["s_per_frame"]) == {"float32, sdpa", "float32, eager", "bfloat16, sdpa"}
    assert found["gflop_per_frame"] == pytest.approx(so400m.flops_per_frame(so400m.SMALL) / 1e9)


def test_on_a_gpu_forward_and_product_are_warm_before_they_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """A forward of 0.2 s met a GPU that had rested, the product one that had worked."""
    asked: list[float] = []

    def interleaved(runs: dict[str, Any], *, repeats: int, least_s: float) -> dict[str, list[float]]:
        asked.append(least_s)
        return {name: [1.0] for name in runs}

    monkeypatch.setattr(measure, "interleaved", interleaved)
    monkeypatch.setitem(encoding.TURN_S, "cpu", encoding.TURN_S["cuda"])
    encoding.forward("cpu", vision=so400m.SMALL, batch=1, repeats=1)
    assert asked == [1.0]


def test_a_compiled_forward_is_a_row_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[Any] = []

    def compile_nothing(tower: Any, *, dynamic: bool) -> Any:
        compiled.append(tower)
        return tower

    monkeypatch.setattr(torch, "compile", compile_nothing)
    monkeypatch.setitem(encoding.FORWARDS, "cpu", (("bfloat16", "sdpa"), ("bfloat16", "sdpa, compiled")))
    found = encoding.forward("cpu", vision=so400m.SMALL, batch=1, repeats=1)
    assert set(found["share_of_product"]) == {"bfloat16, sdpa", "bfloat16, sdpa, compiled"}
    assert len(compiled) == 1


def test_where_nothing_can_be_compiled_that_row_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(inputs: Any) -> Any:
        raise RuntimeError("no C compiler.\nMore.")

    monkeypatch.setattr(torch, "compile", lambda tower, *, dynamic: lambda pixel_values: broken(pixel_values))
    monkeypatch.setitem(encoding.FORWARDS, "cpu", (("bfloat16", "sdpa"), ("bfloat16", "sdpa, compiled")))
    found = encoding.forward("cpu", vision=so400m.SMALL, batch=1, repeats=1)
    assert set(found["share_of_product"]) == set(found["s_per_frame"]) == {"bfloat16, sdpa"}
    assert capsys.readouterr().out == "no compiled row: torch.compile does not work here (no C compiler)\n"


@pytest.mark.parametrize("slow", [1, 2])
def test_slow_ways_get_a_part_of_the_files_and_count_its_frames(slow: int, tmp_path: Path) -> None:
    checkpoint = so400m.write_checkpoint(tmp_path / "checkpoint", so400m.SMALL)
    files = [videos.write(tmp_path / f"{count}.mp4", count, size=(64, 64)) for count in (4, 3)]
    found = encoding.end_to_end(checkpoint, "cpu", files, slow=slow, repeats=1)
    assert found["frames"] == {"ours, bfloat16": 7, "ours, float32": (4, 7)[slow - 1], "released": (4, 7)[slow - 1]}
    assert found["clips"] == {"ours, bfloat16": 2, "ours, float32": slow, "released": slow}
    assert set(found["frames_per_s"]) == set(found["frames"])
    assert "gpu_busy_share" not in found
    assert 0 < found["largest_one_minus_cosine_of_bfloat16"] < 1e-2
    assert any("the bottleneck was" in line for line in found["said, bfloat16"])


def test_tiny_clips_all_differ_and_all_decode(tmp_path: Path) -> None:
    files = videos.tiny(tmp_path / "tiny", 20, frames=3)
    assert sorted((tmp_path / "tiny").iterdir()) == files
    assert len({path.read_bytes() for path in files}) == 20
    for clip in videos.clips_of(files):
        assert [frame.shape for _, frame in iter_frames(clip)] == [(64, 64, 3)] * 3


def test_memory_is_measured_in_a_process_of_its_own() -> None:
    found = memory.over_clips("ours", (1, 2), frames=2, tiny=True)
    assert [run["clips"] for run in found["runs"].values()] == [1, 2]
    assert all(0 < run["loaded_mb"] <= run["peak_mb"] for run in found["runs"].values())
    with pytest.raises(KeyError):
        peak.RECIPES["nobody's"]


# chart and table


def spread(median: float) -> dict[str, float]:
    return {"median": median, "min": median / 2, "max": median * 2}


def given() -> dict[str, dict[str, Any]]:
    """JSON such as the scripts write, with numbers of our own."""
    machine = {
        "cpu": "Abacus",
        "cores": 2,
        "memory_gib": 8.0,
        "system": "Linux",
        "python": "3.11.7",
        "date": "2026-01-02",
    }
    machine["versions"] = {"numpy": "2.4.6", "numba": "0.68.1"}
    names = [*chart.PEER_LABELS, "ours, float32", "reading once"]
    long_clips = {
        f"K={k}, T={t}": {
            "ns_per_cell": {"ours": spread(1.5), "ours, with path": spread(2.0), "tslearn": spread(12)},
            "tslearn_over_ours": spread(8.0),
            "tslearn_over_ours_with_path": spread(6.0),
        }
        for k in (10, 50)
        for t in (2000, 20_000)
    }
    stage_names = {"product": 0.19, "product and sigmoid": 0.21, "ours": 0.3, "ours, w = 30": 0.35, "released": 12.0}
    encoded = {
        "preprocessing": {
            "ms_per_frame": {"tensors": spread(2.0), "processor": spread(16)},
            "processor_over_tensors": spread(8),
        },
        "end_to_end": {
            "frames_per_s": {
                name: spread(rate) for name, rate in (("ours, float32", 500), ("ours, bfloat16", 900), ("released", 60))
            },
            "released_over_ours": {"ours, float32": spread(8.5), "ours, bfloat16": spread(15)},
            "gpu_busy_share": 0.934,
        },
        "forward": {
            "s_per_frame": {"bfloat16, sdpa": spread(0.25), "bfloat16, sdpa, compiled": spread(0.2)},
            "product_tflop_per_s": {"bfloat16": spread(0.9)},
            "share_of_product": {"bfloat16, sdpa": spread(0.61), "bfloat16, sdpa, compiled": spread(0.72)},
        },
    }
    runs = {str(count): {"peak_mb": 450.0 + count / 1000} for count in (100, 1000, 10_000)}
    few = {
        recipe: {str(n): {"peak_mb": 600.0 + n * more} for n in (1, 2, 16)}
        for recipe, more in (("ours", 0), ("released", 110))
    }
    alone = {"ours (torch), float64 sums": 5.0, "ours (triton), float64 sums": 0.25, "pysdtw": 2.0}
    on_gpu = {
        "clips": 898,
        "candidates": 4490,
        "alignment": {"ms": {name: spread(ms) for name, ms in alone.items()}, "over_ours": {"pysdtw": spread(8.0)}},
        "float32": {"ms": {"ours": spread(4.0), "floor": spread(1.0)}, "over_floor": {"ours": spread(4.0)}},
        "whole_calls": {
            "ms": {"gpu, embeddings already there": spread(5.0), "cpu": spread(200.0)},
            "cpu_over": {"gpu, embeddings already there": spread(40.0)},
        },
    }
    return {
        "gpu": {"machine": {**machine, "gpu": "Fast One"}, **on_gpu},
        "dtw": {
            "machine": machine,
            "peers": {
                "alignments": 4490,
                "ns_per_cell": {name: spread(1.4 * 3**place) for place, name in enumerate(names)}
                | {"ours, with paths": spread(8.0)},
                "times_ours": {name: spread(3.0**place) for place, name in enumerate(names)},
                "librosa_over_ours_with_paths": spread(7.0),
            },
            "cores": {
                "ns_per_cell": {"one thread": spread(1.5), "all cores": spread(4.2)},
                "one_thread_over_all_cores": spread(1.8),
                "one_thread_over_processes": spread(1.9),
            },
            "growth": {
                "over_frames": {f"K={k}": {"200": 1.5, "2000": 1.5, "100000": 1.6} for k in (10, 50)},
                "over_steps": {"1": 1.6, "10": 1.5, "2": 1.55},
                "over_batch": {"1": 3.0, "4490": 1.5},
            },
            "long_clips": long_clips,
            "align": {"shape": [10, 20_000], "peak_mb": {"ours": 0.5, "librosa": 6.0}},
        },
        "stage": {
            "machine": machine,
            "stage": {
                "ms_per_clip_one_thread": {name: spread(value) for name, value in stage_names.items()},
                "floor_over_ours_one_thread": spread(0.7),
                "released_over_ours_one_thread": spread(40.0),
                "ms_per_clip_all_cores": {"ours": spread(0.2), "released": spread(stage_names["released"])},
                "released_over_ours_all_cores": spread(60.0),
            },
            "sweep": {
                "settings": 20,
                "ms_per_clip_and_setting": {"reuse": spread(0.06), "independent": spread(0.3)},
                "independent_over_reuse": spread(5.0),
            },
        },
        "encoding_cpu": {"machine": machine, "device": "cpu", **encoded},
        "encoding_cuda": {"machine": {**machine, "gpu": "Fast One"}, "device": "cuda", **encoded},
        "memory": {
            "machine": machine,
            "tiny": {"ours": {"runs": runs}},
            "hd": {
                recipe: {"runs": few[recipe], "frames_per_clip": 30, "mb_more_per_clip": more}
                for recipe, more in (("ours", -0.3), ("released", 110.4))
            },
        },
        "explorer": {
            "machine": machine,
            "all_moves": {"median": 40.2, "p95": 81.6, "max": 300.0, "moves": 672},
            "target_ms": 150.0,
            "share_within_target": 0.988,
        },
    }


def test_the_table_says_what_the_json_says() -> None:
    block = table.block(given())
    assert "| 4,490 alignments, one thread | 1.4 ns/cell | librosa | 38 ns/cell | 27 × (14–54) |" in block
    assert (
        "| 4,490 alignments, one thread, with paths |" in block and "| librosa | 38 ns/cell | 7.0 × (3.5–14) |" in block
    )
    assert "T = 20,000, one thread, with path | 2.0 ns/cell | tslearn | 12 ns/cell | 6.0 × (3.0–12) |" in block
    on_two = "| 4,490 alignments, 2 cores | 4.2 ns/cell | ours, one thread | 1.5 ns/cell |"
    assert f"{on_two} 1.8 × (0.90–3.6); 2 processes 1.9 × (" in block
    assert "| one path, K = 10, T = 20,000: extra memory | 0.50 MB | librosa | 6.0 MB | 12 × |" in block
    assert "| embeddings to scores, one thread | 0.30 ms/clip | as released | 12 ms/clip | 40 × (20–80) |" in block
    assert "| files to embeddings, float32, CPU | 500 frames/s | as released, float32 | 60 frames/s |" in block
    assert "| so400m forward, bfloat16, Fast One | 250 ms/frame | one large matrix product | 0.90 TFLOP/s |" in block
    assert "| 0.90 TFLOP/s | 61% of its rate |" in block
    assert "| so400m forward, bfloat16, compiled, Fast One | 200 ms/frame | one large matrix product |" in block
    assert "| 0.90 TFLOP/s | 72% of its rate |" in block
    assert "| the GPU computes meanwhile, Fast One | 93% of the time | our target | 90% |" in block
    assert "| peak memory, 10,000 clips | 460 MB | ours, 100 clips | 450 MB | 1.02 × |" in block
    assert "| embeddings to scores, 2 cores | 0.20 ms/clip | as released | 12 ms/clip | 60 × (30–120) |" in block
    assert "| 40 ms (95% below 82, slowest 300) | our target | 150 ms | 98.8% of 672 moves within |" in block
    assert "| peak memory, 16 720p clips of 30 frames |" in block and "× and growing |" in block
    assert "Abacus, 2 cores, 8 GiB, Linux, Python 3.11.7, numpy 2.4.6, numba 0.68.1; 2026-01-02." in block
    rows = [line for line in block.splitlines() if line.startswith("|")]
    assert {row.count("|") for row in rows} == {6}
    assert "898 clips, Fast One | 4.0 ms | reading the embeddings once | 1.0 ms | 0.25 × (0.12–0.50) |" in block
    assert "scores back in memory, Fast One | 5.0 ms | ours, every CPU core | 200 ms | 40 × (20–80) |" in block
    assert "4,490 of them, Fast One | 0.25 ms | pysdtw (CUDA soft-DTW) | 2.0 ms | 8.0 × (4.0–16) |" in block
    assert "missing" not in block


def test_a_share_that_the_profiler_could_not_tell_has_no_row() -> None:
    results = given()
    del results["encoding_cuda"]["end_to_end"]["gpu_busy_share"]
    block = table.block(results)
    assert "computes meanwhile" not in block and "files to embeddings, bfloat16, Fast One" in block


def test_rows_of_a_gpu_name_the_machine_that_it_is_in() -> None:
    results = given()
    results["gpu"]["machine"] = results["encoding_cuda"]["machine"] = {
        **results["gpu"]["machine"],
        "cpu": "Sextant",
        "cores": 16,
    }
    assert ". Abacus, 2 cores, " in table.block(results)
    assert table.block(results).count(" Rows of Fast One: Sextant, 16 cores, 8 GiB, Linux, ") == 1
    assert "Rows of Fast One: Sextant" in table.block({"gpu": results["gpu"]})


def test_rows_of_several_days_and_machines_name_them_all() -> None:
    results = given()
    results["stage"]["machine"] = {**results["stage"]["machine"], "date": "2025-12-31"}
    results["memory"]["machine"] = {**results["memory"]["machine"], "cpu": "Sextant", "date": "2026-03-04"}
    block = table.block(results)
    assert "Abacus, 2 cores, 8 GiB, Linux, Python 3.11.7, numpy 2.4.6, numba 0.68.1; 2025-12-31 to 2026-01-02." in block
    assert " Sextant, 2 cores, 8 GiB, Linux, Python 3.11.7, numpy 2.4.6, numba 0.68.1; 2026-03-04." in block


def test_subjects_that_have_not_been_run_are_left_out_of_the_table() -> None:
    some = {name: results for name, results in given().items() if name in ("stage", "memory")}
    block = table.block(some)
    assert "librosa" not in block and "dtw_peers.png" not in block and "as released" in block
    assert (
        "missing; where there is one: `python -m benchmarks.encoding --device cuda`, `python -m benchmarks.gpu`."
        in block
    )
    for module in re.findall(r"python -m (benchmarks\.\w+)", block):
        assert importlib.util.find_spec(module) is not None
    assert "make bench" in table.block({})


def test_the_block_replaces_the_one_in_the_readme_and_nothing_else() -> None:
    block = table.block(given())
    readme = f"# A\n\n<!-- main: -->\nx\n<!-- end -->\n\n{table.block({})}\n\nlast\n"
    assert table.put(readme, block) == f"# A\n\n<!-- main: -->\nx\n<!-- end -->\n\n{block}\n\nlast\n"
    assert table.put(table.put(readme, block), table.block({})) == readme
    with pytest.raises(SystemExit, match="0 blocks"):
        table.put("no markers", block)


def test_the_command_puts_the_table_of_a_folder_into_the_readme(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    readme, stage_results = tmp_path / "README.md", given()["stage"]
    (tmp_path / "stage.json").write_text(json.dumps(stage_results), encoding="utf-8")
    readme.write_text(f"# A\n\n{table.block({})}\n\nlast\n", encoding="utf-8")
    monkeypatch.setattr("sys.argv", ["table", "--folder", str(tmp_path), "--readme", str(readme)])
    table.main()
    assert readme.read_text(encoding="utf-8") == f"# A\n\n{table.block({'stage': stage_results})}\n\nlast\n"


def test_the_readme_has_the_table_of_the_committed_results() -> None:
    readme = (paths.ROOT / "README.md").read_text(encoding="utf-8")
    assert table.put(readme, table.block(table.found(measure.RESULTS))) == readme, "run python -m benchmarks.table"


def test_every_chart_is_drawn_from_its_json(tmp_path: Path) -> None:
    for subject, results in given().items():
        (tmp_path / f"{subject}.json").write_text(json.dumps(results), encoding="utf-8")
    drawn = {path.name for path in chart.draw(tmp_path)}
    assert drawn == {f"{name}.{suffix}" for name in chart.CHARTS for suffix in ("pdf", "svg", "png")}
    text = (tmp_path / "dtw_peers.svg").read_text(encoding="utf-8")
    assert all(f">{label}<" in text for name, label in chart.PEER_LABELS.items() if name != "ours, all cores")
    assert ">ours, 2 cores<" in text
    assert chart.draw(tmp_path / "empty") == []


def test_a_curve_runs_in_the_order_of_its_numbers() -> None:
    figure = chart.dtw_growth(given()["dtw"])
    over_steps = figure.axes[1].lines[0]
    assert list(np.asarray(over_steps.get_xdata())) == [1.0, 2.0, 10.0]
    plt.close(figure)


def test_the_fastest_is_on_top_and_every_row_has_its_own_numbers() -> None:
    results = given()
    peers = {**results["dtw"]["peers"]["ns_per_cell"], "ours, all cores": spread(4.2)}
    stages = results["stage"]["stage"]["ms_per_clip_one_thread"]
    names = {**chart.PEER_LABELS, "ours, all cores": "ours, 2 cores"}
    for figure, rows, labels in (
        (chart.dtw_peers(results["dtw"]), peers, names),
        (chart.stage(results["stage"]), stages, chart.STAGE_LABELS),
    ):
        (ax,) = figure.axes
        slowest_first = sorted(labels, key=lambda name: -rows[name]["median"])
        assert [label.get_text() for label in ax.get_yticklabels()] == [labels[name] for name in slowest_first]
        for place, name in enumerate(slowest_first):
            line, mark = ax.lines[2 * place : 2 * place + 2]
            assert np.array(line.get_data()).tolist() == [[rows[name]["min"], rows[name]["max"]], [place, place]]
            assert np.array(mark.get_data()).tolist() == [[rows[name]["median"]], [place]]
            assert (mark.get_color() == BLUE) == name.startswith("ours")
            assert ax.texts[place].get_text() == chart.plain(rows[name]["median"])
            assert ax.get_xlim()[0] < rows[name]["min"] and rows[name]["max"] < ax.get_xlim()[1]
        plt.close(figure)


def curves(ax: Axes) -> dict[str, dict[float, float]]:
    return {str(line.get_label()): dict(np.array(line.get_data()).T.tolist()) for line in ax.lines}


def test_a_curve_is_called_what_it_shows() -> None:
    results = given()
    for place, row in enumerate(results["dtw"]["long_clips"].values()):
        row["ns_per_cell"]["tslearn"] = spread(10.0 + place)
    growth, memory = chart.dtw_growth(results["dtw"]), chart.memory(results["memory"])
    ours = {200.0: 1.5, 2000.0: 1.5, 100_000.0: 1.6}
    theirs = {"tslearn, K = 10": {2000.0: 10.0, 20_000.0: 11.0}, "tslearn, K = 50": {2000.0: 12.0, 20_000.0: 13.0}}
    assert curves(growth.axes[0]) == {"ours, K = 10": ours, "ours, K = 50": ours, **theirs}
    assert [list(curve.values()) for curve in map(curves, growth.axes[1:])] == [
        [{1.0: 1.6, 2.0: 1.55, 10.0: 1.5}], [{1.0: 3.0, 4490.0: 1.5}]
    ]  # fmt: skip
    assert [ax.get_xlabel() for ax in growth.axes] == ["frames T", "sub-actions K", "matrices a call"]
    assert curves(memory.axes[0]) == {
        "ours, tiny clips": {100.0: 450.1, 1000.0: 451.0, 10_000.0: 460.0},
        "ours, 720p clips": {1.0: 600.0, 2.0: 600.0, 16.0: 600.0},
        "as released, 720p clips": {1.0: 710.0, 2.0: 820.0, 16.0: 2360.0},
    }
    plt.close(growth)
    plt.close(memory)
