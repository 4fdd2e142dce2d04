"""The stage on a CUDA device: against the time to read the embeddings once, the CPU, and a CUDA soft-DTW package.

``python -m benchmarks.gpu`` writes benchmarks/results/gpu.json; it needs a CUDA device. Scores are checked first. Times
on the device are between CUDA events with the embeddings already there; moving them there is timed apart. The floor is
the bytes of the embeddings, without padding, over the rate at which a large copy on the device reads and writes,
measured in every round. ``pysdtw`` (soft-DTW for numba-cuda) runs where it is installed.
"""

import importlib
import importlib.metadata
import importlib.util
import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from actalign import dtw, gpu, stage
from actalign.accelerator import first_line
from actalign.clip_similarity import Smoothing
from actalign.gpu import scan
from actalign.gpu.batch import Batch
from actalign.gpu.tables import Candidates, Values
from actalign.stage import ClipScripts
from benchmarks import gpu_busy, measure, workload

DEVICE = "cuda"
SCALE, BIAS = workload.SCALE, workload.BIAS
W30 = Smoothing(30)
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}
WIDEST_DIFFERENCE = 1e-3
"""Of a score, relative: what float32 products and a scale of 112.7 can make of rounding, with room."""
COPIED_BYTES = 2**32
LONGEST = (1, 8, 16, 32, 64)
"""Sub-actions of the longest script: the kernel is another program for each."""
SOFT_DTW = "pysdtw"
GAMMA = 0.01


def device_seconds(functions: Mapping[str, Callable[[], object]], *, repeats: int) -> dict[str, list[float]]:
    """Seconds on the device of each function in each round, as :func:`measure.interleaved`; they need not wait."""
    names = list(functions)
    for name in names * 3:
        functions[name]()
    events: dict[str, list[tuple[Any, Any]]] = {name: [] for name in names}
    for turn in range(repeats):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            torch.cuda.synchronize()
            start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
            start.record()
            functions[name]()
            end.record()
            events[name].append((start, end))
    torch.cuda.synchronize()
    return {name: [start.elapsed_time(end) / 1e3 for start, end in pairs] for name, pairs in events.items()}


def in_precision(clips: Sequence[ClipScripts], dtype: torch.dtype) -> list[ClipScripts]:
    """The clips rounded to ``dtype`` and back to float32, as the CPU takes them."""

    def rounded(rows: Any) -> Any:
        return torch.from_numpy(rows).to(dtype).float().numpy()

    return [replace(clip, frames_td=rounded(clip.frames_td), texts_nd=rounded(clip.texts_nd)) for clip in clips]


def as_tensors(clips: Sequence[ClipScripts], dtype: torch.dtype) -> list[ClipScripts]:
    """The clips with tensors of ``dtype`` in the memory of the CPU."""

    def tensor(rows: Any) -> Any:
        return torch.from_numpy(rows).to(dtype)

    return [replace(clip, frames_td=tensor(clip.frames_td), texts_nd=tensor(clip.texts_nd)) for clip in clips]


def planted(longest: int, *, count: int) -> list[NDArray[np.float64]]:
    """Matrices of up to ``longest`` sub-actions: random, saturated, and few distinct values, so that paths tie."""
    rng = np.random.default_rng(longest)
    made = []
    for number in range(count):
        steps, frames = int(rng.integers(1, longest, endpoint=True)), int(rng.integers(1, 60))
        drawn = rng.random((longest if number == 0 else steps, frames))
        kinds = (drawn, 1.0 / (1.0 + np.exp(-200 * (drawn - 0.5))), np.round(3 * drawn), np.zeros_like(drawn))
        made.append(kinds[number % len(kinds)])
    return made


def on_device(matrices: Sequence[NDArray[np.float64]]) -> tuple[Values, Candidates]:
    """Each matrix as the affinities of a clip of its own."""
    steps, frames = max(len(matrix) for matrix in matrices), max(matrix.shape[1] for matrix in matrices)
    values = np.zeros((len(matrices), steps, frames))
    for own, matrix in zip(values, matrices, strict=True):
        own[: len(matrix), : matrix.shape[1]] = matrix
    counts = torch.tensor([[place, *matrix.shape] for place, matrix in enumerate(matrices)], dtype=torch.int32)
    rows = torch.arange(steps, dtype=torch.int32).repeat(len(matrices), 1)
    tables = (table.to(DEVICE) for table in (rows, *counts.T.contiguous()))
    return Values(torch.from_numpy(values).to(DEVICE)), Candidates(*tables)


def check_alignment(*, count: int) -> int:
    """Raise SystemExit unless kernel and scan give the CPU's sums and lengths, bit for bit; returns for how many."""
    for longest in LONGEST:
        matrices = planted(longest, count=count)
        expected = dtw.totals(matrices)
        for name, best_paths in alignments().items():
            found = best_paths(*on_device(matrices), accumulate=torch.float64)
            same_sums = np.array_equal(found.sums_n.cpu().numpy(), expected.sums)
            if not (same_sums and np.array_equal(found.lengths_n.cpu().numpy(), expected.lengths)):
                raise SystemExit(f"alignment by {name}, K up to {longest}, is not the CPU's, bit for bit")
    return count * len(LONGEST)


@cache
def alignments() -> dict[str, Callable[..., Any]]:
    """By name, those that work here; a line says why the kernel does not."""
    found: dict[str, Callable[..., Any]] = {"torch": scan.best_paths}
    try:
        from actalign.gpu import kernels

        reason = kernels.trouble(torch.device(DEVICE))
    except ImportError as error:
        reason = f"Triton cannot be imported ({first_line(error)})"
    if reason:
        print(f"{reason}: its rows are missing")
    else:
        found["triton"] = kernels.best_paths
    return found


def check_scores(clips: Sequence[ClipScripts]) -> dict[str, float]:
    """Largest relative difference of a score from the CPU path; SystemExit where it is more than rounding."""
    apart = {}
    for name, dtype in DTYPES.items():
        for smoothing in (None, W30):
            ours = Batch(as_tensors(clips, dtype), device=DEVICE).scores(scale=SCALE, bias=BIAS, smoothing=smoothing)
            theirs = stage.score_clips(in_precision(clips, dtype), scale=SCALE, bias=BIAS, smoothing=smoothing)
            widest = float(np.abs(np.concatenate(ours) / np.concatenate(theirs) - 1).max())
            key = name if smoothing is None else f"{name}, w = {smoothing.width}"
            if not widest < WIDEST_DIFFERENCE:
                raise SystemExit(f"scores on the device ({key}) differ from the CPU's by {widest:.2e} of a score")
            apart[key] = widest
    return apart


def scoring(clips: Sequence[ClipScripts], dtype: torch.dtype, *, repeats: int) -> dict[str, Any]:
    """Milliseconds on the device for all clips, the kernels that takes, and what part of the time the floor is."""
    batch = Batch(as_tensors(clips, dtype), device=DEVICE)
    large = torch.empty(COPIED_BYTES if DEVICE == "cuda" else 2**24, dtype=torch.uint8, device=DEVICE)
    other = torch.empty_like(large)
    score = partial(batch.on_device, scale=SCALE, bias=BIAS, smoothing=None, accumulate="float64")
    taken = device_seconds(
        {
            "ours": score,
            "ours, float32 sums": partial(score, accumulate="float32"),
            "ours, w = 30": partial(score, smoothing=W30),
            "copy": lambda: other.copy_(large),
        },
        repeats=repeats,
    )
    embedding_bytes = sum(clip.frames_td.size + clip.texts_nd.size for clip in clips) * dtype.itemsize
    part = embedding_bytes / (2 * large.nbytes)  # a copy moves every byte twice
    taken["floor"] = [seconds * part for seconds in taken.pop("copy")]
    floor = taken["floor"]
    return {
        "embeddings_mb": embedding_bytes / 1e6,
        "kernels": gpu_busy.launches(score),
        "copy_gb_per_s": embedding_bytes / statistics.median(floor) / 1e9,
        "ms": {name: measure.summary(measure.per(times, 1, unit=1e-3)) for name, times in taken.items()},
        "over_floor": {name: measure.ratio(times, floor) for name, times in taken.items() if name != "floor"},
    }


def alignment(clips: Sequence[ClipScripts], *, repeats: int) -> dict[str, Any]:
    """The alignment alone, affinities ready and padded on the device: ours and soft-DTW."""
    batch = Batch(clips, device=DEVICE)
    (candidates,) = batch.candidates
    affinities = torch.sigmoid(SCALE * torch.bmm(batch.texts_bnd, batch.frames_btd.mT) + BIAS)
    frames = torch.tensor([len(clip.frames_td) for clip in clips], dtype=torch.int32).to(DEVICE)
    candidates = candidates._replace(frames_n=frames[candidates.clips_n.long()])
    runs: dict[str, Callable[[], object]] = {
        f"ours ({name}), {str(precision).removeprefix('torch.')} sums": partial(
            best_paths, Values(affinities), candidates, accumulate=precision
        )
        for name, best_paths in alignments().items()
        for precision in (torch.float64, torch.float32)
    }
    peer, said = soft_dtw(affinities, candidates)
    if peer is not None:
        runs[SOFT_DTW] = peer
    taken = device_seconds(runs, repeats=repeats)
    ours = next(taken[name] for name in reversed(taken) if name.endswith("float64 sums"))
    return {
        "ms": {name: measure.summary(measure.per(times, 1, unit=1e-3)) for name, times in taken.items()},
        "over_ours": {name: measure.ratio(times, ours) for name, times in taken.items()},
        "soft_dtw": said,
    }


def soft_dtw(affinities_bnt: Tensor, candidates: Candidates) -> tuple[Callable[[], object] | None, str]:
    """The package's forward pass on the cost -A of every candidate, its rows gathered beforehand; and its state."""
    if importlib.util.find_spec(SOFT_DTW) is None:
        return None, f"{SOFT_DTW} is not installed"
    costs = -affinities_bnt[candidates.clips_n.long()[:, None], candidates.rows_nk.long()]
    sizes = torch.stack([candidates.steps_n, candidates.frames_n], dim=1).long()
    try:
        align = partial(importlib.import_module(SOFT_DTW).SoftDTWcuda.apply, costs, sizes, GAMMA, 0.0)
        found = -align()
    except Exception as error:  # noqa: BLE001 - it compiles now, by numba, which has errors of many kinds
        return None, f"{SOFT_DTW} does not run here: {first_line(error)}"
    best = scan.best_paths(Values(affinities_bnt), candidates, accumulate=torch.float64).sums_n
    if not soft_of(found.double(), best, sizes):
        return None, f"{SOFT_DTW} finds other sums here"
    return align, f"{SOFT_DTW} {importlib.metadata.version(SOFT_DTW)}, gamma {GAMMA}"


def soft_of(soft_n: Tensor, best_n: Tensor, sizes_n2: Tensor) -> bool:
    """Whether soft sums go with the best ones: at least them, and more by at most gamma times log(number of paths).

    A path has at most K + T - 1 pairs and three ways on from each, so there are fewer than 3 ** (K + T) paths.

    >>> sizes, best = torch.tensor([[1, 2]]), torch.tensor([5.0])
    >>> soft_of(torch.tensor([5.01]), best, sizes), soft_of(torch.tensor([5.2]), best, sizes)
    (True, False)
    """
    over = soft_n - best_n
    rounding = 1e-4 * best_n.abs()
    return bool(((over >= -rounding) & (over <= GAMMA * math.log(3) * sizes_n2.sum(dim=1) + rounding)).all())


def whole_calls(clips: Sequence[ClipScripts], *, repeats: int) -> dict[str, Any]:
    """From arrays in the memory of the CPU to scores there: the CPU on all cores, and the device with its transfers."""

    def place() -> None:
        Batch(clips, device=DEVICE)
        torch.cuda.synchronize()

    resident = Batch(clips, device=DEVICE)
    taken = measure.interleaved(
        {
            "cpu": partial(stage.score_clips, clips, scale=SCALE, bias=BIAS),
            "cpu, w = 30": partial(stage.score_clips, clips, scale=SCALE, bias=BIAS, smoothing=W30),
            "gpu, transfers included": partial(gpu.score_clips, clips, scale=SCALE, bias=BIAS, device=DEVICE),
            "gpu, embeddings already there": partial(resident.scores, scale=SCALE, bias=BIAS),
            "gpu, embeddings already there, w = 30": partial(resident.scores, scale=SCALE, bias=BIAS, smoothing=W30),
            "transfer to the device": place,
        },
        repeats=repeats,
    )
    cpu_over = {
        name: measure.ratio(taken["cpu, w = 30" if name.endswith("w = 30") else "cpu"], times)
        for name, times in taken.items()
        if name.startswith("gpu")
    }
    moved = sum(clip.frames_td.nbytes + clip.texts_nd.nbytes for clip in clips)
    return {
        "ms": {name: measure.summary(measure.per(times, 1, unit=1e-3)) for name, times in taken.items()},
        "cpu_over": cpu_over,
        "transfer_gb_per_s": moved / statistics.median(taken["transfer to the device"]) / 1e9,
    }


def run(*, quick: bool) -> dict[str, Any]:
    if not torch.cuda.is_available():
        raise SystemExit("benchmarks.gpu needs a CUDA device, and PyTorch sees none")
    clips = workload.clip_scripts(12) if quick else workload.clip_scripts()
    repeats = 3 if quick else 21
    parts: dict[str, Callable[[], Any]] = {
        "alignments_equal_bit_for_bit": partial(check_alignment, count=20 if quick else 500),
        "largest_relative_difference_from_cpu": partial(check_scores, clips),
        **{name: partial(scoring, clips, dtype, repeats=repeats) for name, dtype in DTYPES.items()},
        "alignment": partial(alignment, clips, repeats=repeats),
        "whole_calls": partial(whole_calls, clips, repeats=3 if quick else 7),
    }
    return {
        "clips": len(clips),
        "candidates": sum(len(clip.scripts) for clip in clips),
        "width": clips[0].frames_td.shape[1],
        **measure.in_parts(parts),
    }


if __name__ == "__main__":
    measure.main("gpu", run)
