"""Other people's alignments of the same matrices, each called the fastest way that gives what ours gives.

All minimise a cost, so they get -A (1 - A would be another objective: longer paths would pay for their length).
Each function returns (sum, number of pairs) of the best path; the peers are imported when first called.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import pad

Found = tuple[float, int]
Peer = Callable[[NDArray[np.float64]], Found]


def by_librosa(matrix_kt: NDArray[np.float64]) -> Found:
    """``librosa.sequence.dtw`` on the cost, with its path."""
    from librosa.sequence import dtw

    costs, path = dtw(C=-matrix_kt, backtrack=True)
    return -float(costs[-1, -1]), len(path)


def by_dtw_python(matrix_kt: NDArray[np.float64]) -> Found:
    """``dtw.dtw`` of dtw-python on the cost, with the step pattern that weighs every move once."""
    from dtw import dtw

    found = dtw(-matrix_kt, step_pattern="symmetric1")
    return -float(found.distance), len(found.index1)


def by_tslearn(matrix_kt: NDArray[np.float64]) -> Found:
    """``tslearn.metrics.dtw_path_from_metric`` on the precomputed cost: its only public way in for a matrix."""
    from tslearn.metrics import dtw_path_from_metric

    path, cost = dtw_path_from_metric(-matrix_kt, metric="precomputed")
    return -float(cost), len(path)


PEERS: dict[str, Peer] = {"librosa": by_librosa, "dtw-python": by_dtw_python, "tslearn": by_tslearn}


def padded(matrices: Sequence[NDArray[np.float64]]) -> tuple[torch.Tensor, torch.Tensor]:
    """The batch as one tensor (N, K, T) filled up with -inf, and the (N, 2) sizes."""
    sizes = torch.tensor([matrix.shape for matrix in matrices])
    steps, frames = (int(size) for size in sizes.amax(dim=0))
    batch = torch.full((len(matrices), steps, frames), -torch.inf, dtype=torch.float64)
    for row, matrix in zip(batch, matrices, strict=True):
        row[: matrix.shape[0], : matrix.shape[1]] = torch.from_numpy(matrix)
    return batch, sizes


def by_torch(batch_nkt: torch.Tensor, sizes: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Sums and path lengths of a padded batch: all cells of an anti-diagonal of all matrices in one operation.

    Row k is shifted right by k, so that an anti-diagonal becomes a column; what is shifted in is the padding.
    """
    count, steps, frames = batch_nkt.shape
    width = frames + steps - 1
    filled = pad(batch_nkt, (0, steps), value=-torch.inf).reshape(count, -1)
    columns = filled[:, : steps * width].reshape(count, steps, width).permute(2, 0, 1).contiguous()
    last = sizes.sum(dim=1) - 2  # the anti-diagonal on which each matrix ends
    sums, lengths = batch_nkt.new_empty(count), torch.empty(count, dtype=torch.int64, device=batch_nkt.device)
    before = two_before = torch.full_like(columns[0], -torch.inf)
    length = length_before = torch.zeros_like(columns[0], dtype=torch.int64)
    for place in range(width):
        diagonal = pad(two_before, (1, -1), value=-torch.inf if place else 0.0)
        above = pad(before, (1, -1), value=-torch.inf)
        best = torch.maximum(before, above)
        pairs = torch.where(before >= above, length, pad(length, (1, -1)))
        pairs = torch.where(diagonal >= best, pad(length_before, (1, -1)), pairs) + 1
        two_before, before = before, torch.maximum(diagonal, best) + columns[place]
        length_before, length = length, pairs
        ended = (last == place).nonzero()[:, 0]
        row = sizes[ended, 0] - 1
        sums[ended], lengths[ended] = before[ended, row], length[ended, row]
    return sums, lengths


def refuse_unless_equal(found: Sequence[Found], expected: Sequence[Found], *, name: str, lengths: bool) -> None:
    """Raise SystemExit unless sums agree to rounding (1e-9) and, where asked, path lengths exactly."""
    sums, wanted = np.array([one for one, _ in found]), np.array([one for one, _ in expected])
    apart = np.abs(sums - wanted) / np.maximum(np.abs(wanted), 1e-300)
    if not (apart <= 1e-9).all():
        raise SystemExit(f"{name} finds another optimum in {int((apart > 1e-9).sum())} of {len(sums)} matrices")
    if lengths and [pairs for _, pairs in found] != [pairs for _, pairs in expected]:
        raise SystemExit(f"{name} finds paths of other lengths")


def listed(totals: Iterable[Iterable[Any]]) -> list[Found]:
    """(sum, number of pairs) of each matrix, from all sums and all path lengths.

    >>> listed((np.array([2.5]), np.array([4])))
    [(2.5, 4)]
    """
    sums, lengths = totals
    return [(float(total), int(length)) for total, length in zip(sums, lengths, strict=True)]
