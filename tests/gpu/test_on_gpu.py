"""Scoring and encoding on a CUDA device, against the processor. These need the device and fail without one."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from test_gpu import as_tensors, assert_close, clips, matrices

from actalign import gpu, stage
from actalign.clip_similarity import Smoothing
from actalign.dtw import reference
from actalign.encoder import load_encoder
from actalign.gpu.batch import _kernel_works


@pytest.fixture(autouse=True)
def device() -> torch.device:
    assert torch.cuda.is_available(), "no CUDA device: run these where there is one"
    return torch.device("cuda")


def test_the_kernel_is_used_and_is_the_reference(device: torch.device, rng: np.random.Generator) -> None:
    assert _kernel_works(device)
    from actalign.gpu import kernels

    for steps, frames in [(1, 1), (1, 200), (10, 210), (16, 50), (40, 300), (64, 64)]:
        given = matrices(rng, steps=steps, frames=frames, count=60)
        grids = [reference.accumulate(matrix) for matrix in given]
        values, candidates = as_tensors(given, rng)
        placed = type(candidates)(*(table.to(device) for table in candidates))
        found = kernels.best_paths(
            values._replace(values_bnt=values.values_bnt.to(device)), placed, accumulate=torch.float64
        )
        assert found.sums_n.tolist() == [grid[-1, -1] for grid in grids]
        assert found.lengths_n.tolist() == [len(reference.backtrace(grid)) for grid in grids]


@pytest.mark.parametrize("smoothing", [None, Smoothing(30), Smoothing(7, stage="after_norm")], ids=str)
@pytest.mark.parametrize(("dtype", "close"), [(np.float64, 1e-10), (np.float32, 1e-4)])
def test_scores_are_the_processors(
    smoothing: Smoothing | None, dtype: Any, close: float, rng: np.random.Generator
) -> None:
    asked = clips(200, rng, dtype=dtype, longest=90)
    found = gpu.score_clips(asked, scale=100.0, bias=-10.0, smoothing=smoothing, device="cuda")
    assert_close(found, stage.score_clips(asked, scale=100.0, bias=-10.0, smoothing=smoothing), close)


def cosines(a: NDArray[Any], b: NDArray[Any]) -> NDArray[np.float64]:
    a, b = a.astype(np.float64), b.astype(np.float64)
    return np.asarray((a * b).sum(axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1))


@pytest.mark.parametrize(("dtype", "least"), [("float32", 0.9999), ("bfloat16", 0.999), ("float16", 0.999)])
def test_embeddings_are_the_processors(
    dtype: str, least: float, tiny_checkpoint: Path, rng: np.random.Generator
) -> None:
    """Batches of several picture sizes, so that staging, resizing and the order of the results all count."""
    sizes = [(90, 160), (90, 160), (160, 90), (31, 47)] * 5
    batches = [[rng.integers(0, 256, (*size, 3), dtype=np.uint8) for size in sizes] for _ in range(6)]
    there = list(load_encoder(tiny_checkpoint, device="cuda", dtype=dtype).encode_stream(batches))
    here = list(load_encoder(tiny_checkpoint, device="cpu").encode_stream(batches))
    for found, expected in zip(there, here, strict=True):
        assert cosines(found, expected).min() > least
