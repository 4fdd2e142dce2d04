"""The Triton kernel in Triton's interpreter, which needs no GPU: bit for bit the reference, and the whole device path.

The interpreter is chosen when Triton is first imported, so this runs in a process of its own.
"""

import os
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import numpy as np
import torch
from triton.errors import TritonError

from actalign import stage
from actalign.clip_similarity import Smoothing
from actalign.dtw import reference
from actalign.gpu import batch, kernels, scan
from test_gpu import BIAS, SCALE, SMOOTHINGS, as_tensors, assert_close, clips, matrices

rng = np.random.default_rng(0)
for steps, frames in [(1, 1), (1, 20), (8, 30), (9, 20), (16, 5), (17, 8), (33, 12), (64, 9), (64, 1)]:
    given = matrices(rng, steps=steps, frames=frames)
    grids = [reference.accumulate(matrix) for matrix in given]
    found = kernels.best_paths(*as_tensors(given, rng), accumulate=torch.float64)
    assert found.sums_n.tolist() == [grid[-1, -1] for grid in grids], (steps, frames)
    assert found.lengths_n.tolist() == [len(reference.backtrace(grid)) for grid in grids], (steps, frames)

assert kernels.trouble(torch.device("cpu")) == ""
used = []
batch._kernel_works = lambda device: used.append(device) or True
for smoothing in SMOOTHINGS:
    asked = clips(6, rng, longest=90 if smoothing is None else 11)
    found = batch.Batch(asked, device="cpu").scores(scale=SCALE, bias=BIAS, smoothing=smoothing)
    assert_close(found, stage.score_clips(asked, scale=SCALE, bias=BIAS, smoothing=smoothing), 1e-10)
found = batch.Batch(asked, device="cpu").scores(scale=5.0, bias=-2.0, accumulate="float32")
assert_close(found, stage.score_clips(asked, scale=5.0, bias=-2.0), 1e-5)
saturated = batch.Batch(asked, device="cpu").scores(scale=500.0, bias=0.0)
assert_close(saturated, stage.score_clips(asked, scale=500.0, bias=0.0), 1e-9)
assert len(used) == len(SMOOTHINGS) + 2


best_paths = kernels.best_paths
for error in (RuntimeError, TritonError):

    def broken(*given, **named):
        raise error("no C compiler\\nat all")

    kernels.best_paths = broken
    assert kernels.trouble(torch.device("cpu")) == "Triton does not work here (no C compiler)"
kernels.best_paths = lambda *given, **named: best_paths(*given, **named)._replace(lengths_n=torch.tensor([3]))
assert kernels.trouble(torch.device("cpu")) == "Triton gives wrong results here"
print("equal")
"""


def test_the_kernel_is_the_reference() -> None:
    folders = ["tests", *filter(None, [os.environ.get("PYTHONPATH")])]  # what a caller has put there stays importable
    environment = {**os.environ, "TRITON_INTERPRET": "1", "PYTHONPATH": os.pathsep.join(folders)}
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        cwd=Path(__file__).parents[1],
    )
    assert ran.stdout == "equal\n", ran.stderr
