"""The alignment of many candidates as one Triton kernel launch; the affinities are never written to memory.

A program aligns a few candidates side by side. Its lanes are sub-actions: at step s lane k works on frame s - k, so
the lanes walk down the anti-diagonals of the (K, T) matrix together, and what a cell needs of its neighbours was
computed one and two steps ago in the same lane and in the lane before.
"""

import subprocess

import torch
import triton
import triton.language as tl
from triton.errors import TritonError

from actalign.accelerator import first_line
from actalign.gpu.tables import Candidates, Totals, Values

WARP = 32
FAILURES = (RuntimeError, OSError, subprocess.SubprocessError, TritonError, AssertionError, ImportError)
"""How Triton says that there is no C compiler, that it cannot find or load the driver, or that this one is too old."""


@triton.jit(do_not_specialize=["candidates", "texts", "frames", "steps"])  # type: ignore[untyped-decorator]
def _best_paths(  # type: ignore[no-untyped-def]
    values_bnt,
    inverse_frames_bt,
    inverse_texts_bn,
    scale_bias,
    rows_nk,
    clips_n,
    steps_n,
    frames_n,
    sums_n,
    lengths_n,
    candidates,
    texts,
    frames,
    steps,
    CALIBRATE: tl.constexpr,
    GROUP: tl.constexpr,
    LANES: tl.constexpr,
):
    real = sums_n.dtype.element_ty
    candidate = tl.program_id(0) * GROUP + tl.arange(0, GROUP)[:, None]
    lane = tl.arange(0, LANES)[None, :]
    present = candidate < candidates
    clip = tl.load(clips_n + candidate, mask=present, other=0).to(tl.int64)
    own_steps = tl.load(steps_n + candidate, mask=present, other=0)
    own_frames = tl.load(frames_n + candidate, mask=present, other=0)
    used = present & (lane < own_steps)
    text = clip * texts + tl.load(rows_nk + candidate.to(tl.int64) * steps + lane, mask=used, other=0)
    value_at = values_bnt + text * frames
    if CALIBRATE:
        inverse_frame_at = inverse_frames_bt + clip * frames
        inverse_text = tl.load(inverse_texts_bn + text, mask=used, other=0.0).to(real)
        scale = tl.load(scale_bias).to(real)
        bias = tl.load(scale_bias + 1).to(real)

    before = tl.maximum(lane + tl.zeros([GROUP, LANES], tl.int32) - 1, 0)
    nothing = tl.full([GROUP, LANES], float("-inf"), real)
    total = nothing  # best sum of the last cell of each lane: the previous frame's
    length = tl.zeros([GROUP, LANES], tl.int32)
    diagonal = tl.where(lane == 0, 0.0, nothing)  # every path starts from 0 before the first cell
    diagonal_length = length
    step = 0
    diagonals = tl.max(own_steps + own_frames) - 1
    while step < diagonals:
        frame = step - lane
        live = used & (frame >= 0) & (frame < own_frames)
        value = tl.load(value_at + frame, mask=live, other=0.0).to(real)
        if CALIBRATE:
            inverse_frame = tl.load(inverse_frame_at + frame, mask=live, other=0.0).to(real)
            cosine = tl.minimum(tl.maximum(value * inverse_frame * inverse_text, -1.0), 1.0)
            value = 1.0 / (1.0 + tl.exp(-(scale * cosine + bias)))
        above = tl.where(lane == 0, nothing, tl.gather(total, before, 1))
        above_length = tl.gather(length, before, 1)
        by_diagonal = (diagonal >= total) & (diagonal >= above)
        by_frame = total >= above
        best = tl.where(by_diagonal, diagonal, tl.where(by_frame, total, above))
        best_length = tl.where(by_diagonal, diagonal_length, tl.where(by_frame, length, above_length))
        diagonal = above
        diagonal_length = above_length
        total = tl.where(live, best + value, total)  # a lane past its last frame keeps what it has
        length = tl.where(live, best_length + 1, length)
        step += 1
    last = used & (lane == own_steps - 1)
    tl.store(sums_n + candidate + tl.zeros([GROUP, LANES], tl.int32), total, mask=last)
    tl.store(lengths_n + candidate + tl.zeros([GROUP, LANES], tl.int32), length, mask=last)


def best_paths(values: Values, candidates: Candidates, *, accumulate: torch.dtype) -> Totals:
    """Sum and number of pairs of every candidate's best path; K at most 64, tensors contiguous."""
    texts, frames = values.values_bnt.shape[1:]
    count, steps = candidates.rows_nk.shape
    sums = torch.empty(count, dtype=accumulate, device=values.values_bnt.device)
    lengths = torch.empty(count, dtype=torch.int32, device=values.values_bnt.device)
    lanes = max(8, triton.next_power_of_2(steps))
    group = max(1, WARP // lanes)
    calibration = values.calibration or (sums, sums, sums)  # never read without calibration
    with torch.cuda.device_of(sums):
        _best_paths[(triton.cdiv(count, group),)](
            *(values.values_bnt, *calibration, *candidates, sums, lengths),
            *(count, texts, frames, steps),
            CALIBRATE=values.calibration is not None,
            GROUP=group,
            LANES=lanes,
            num_warps=1,
            enable_fp_fusion=False,  # round each operation, as the processor does
        )
    return Totals(sums, lengths)


def trouble(device: torch.device) -> str:
    """Why the kernel cannot be used on a device, or nothing: it is asked for an alignment that is known."""

    def integers(*values: int) -> torch.Tensor:
        return torch.tensor(values, dtype=torch.int32, device=device)

    values = Values(torch.tensor([[[3.0, 1.0, 0.0], [0.0, 2.0, 4.0]]], device=device))
    candidates = Candidates(integers(0, 1)[None], integers(0), integers(2), integers(3))
    try:
        found = best_paths(values, candidates, accumulate=torch.float64)
    except FAILURES as error:
        return f"Triton does not work here ({first_line(error)})"
    return "" if (found.sums_n.item(), found.lengths_n.item()) == (10.0, 4) else "Triton gives wrong results here"
