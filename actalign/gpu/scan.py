"""The alignment of many candidates in plain PyTorch operations, one anti-diagonal of all of them at a time."""

import torch
from torch import Tensor

from actalign.gpu.tables import Candidates, Totals, Values

CHUNK_CELLS = 20_000_000
"""Cells of padded matrices worked on at once: about 0.6 GB, unless one matrix alone is larger."""


def best_paths(values: Values, candidates: Candidates, *, accumulate: torch.dtype) -> Totals:
    """Sum and number of pairs of every candidate's best path, for tensors on any device."""
    count, steps = candidates.rows_nk.shape
    frames = values.values_bnt.shape[2]
    size = max(1, CHUNK_CELLS // (steps * (steps + frames)))
    pieces = [Candidates(*(table[first : first + size] for table in candidates)) for first in range(0, count, size)]
    totals = [_carry(_affinities(values, piece, accumulate), piece) for piece in pieces]
    return Totals(*(torch.cat(parts) for parts in zip(*totals, strict=True)))


def _affinities(values: Values, candidates: Candidates, accumulate: torch.dtype) -> Tensor:
    """(N, K, T), with -inf wherever a candidate has no such sub-action or frame."""
    clips, rows = candidates.clips_n.long()[:, None], candidates.rows_nk.long()
    found = values.values_bnt[clips, rows].to(accumulate)
    if values.calibration is not None:
        inverse_frames, inverse_texts, (scale, bias) = (part.to(accumulate) for part in values.calibration)
        inverse = inverse_texts[clips, rows][:, :, None]
        cosines = found.mul_(inverse_frames[clips]).mul_(inverse).clamp_(-1.0, 1.0)
        found = cosines.mul_(scale).add_(bias).sigmoid_()
    k = torch.arange(found.shape[1], device=found.device)[:, None]
    t = torch.arange(found.shape[2], device=found.device)
    absent = (k >= candidates.steps_n[:, None, None]) | (t >= candidates.frames_n[:, None, None])
    return found.masked_fill_(absent, -torch.inf)


def _carry(affinities_nkt: Tensor, candidates: Candidates) -> Totals:
    sums = _diagonals(affinities_nkt)
    lengths = torch.zeros(sums.shape, dtype=torch.int32, device=sums.device)
    nothing = torch.full_like(sums[0], -torch.inf)
    total, above, diagonal = nothing, nothing.clone(), nothing.clone()
    diagonal[:, 0] = 0.0  # every path starts from 0 before the first cell
    length, above_length, diagonal_length = lengths[0], lengths[0].clone(), lengths[0].clone()
    for step in range(len(sums)):
        above[:, 1:], above_length[:, 1:] = total[:, :-1], length[:, :-1]
        by_frame = total >= above
        best, best_length = torch.where(by_frame, total, above), torch.where(by_frame, length, above_length)
        by_diagonal = diagonal >= best
        best, best_length = (
            torch.where(by_diagonal, diagonal, best),
            torch.where(by_diagonal, diagonal_length, best_length),
        )
        total, length = sums[step].add_(best), torch.add(best_length, 1, out=lengths[step])
        diagonal, diagonal_length, above, above_length = above, above_length, diagonal, diagonal_length
        diagonal[:, 0], above[:, 0] = -torch.inf, -torch.inf
    last_k = candidates.steps_n.long() - 1
    last = (last_k + candidates.frames_n.long() - 1, torch.arange(len(last_k), device=sums.device), last_k)
    return Totals(sums[last], lengths[last])


def _diagonals(affinities_nkt: Tensor) -> Tensor:
    """(K + T - 1, N, K): at [s, n, k] what ``affinities_nkt`` holds at [n, k, s - k], and -inf beside the matrix."""
    count, steps, frames = affinities_nkt.shape
    padded = torch.nn.functional.pad(affinities_nkt, (0, steps), value=-torch.inf).reshape(count, -1)
    skewed = padded[:, : steps * (steps + frames - 1)].reshape(count, steps, steps + frames - 1)
    return skewed.permute(2, 0, 1).contiguous()
