"""What the implementations share: the check of an affinity matrix, and a walk over its anti-diagonals.

A framed grid is a (K+1, T+1) array whose cell [k+1, t+1] belongs to sub-action k and frame t. Row 0 and column
0 hold ``-inf``, so no path comes from there, except the corner [0, 0], which holds 0 and starts every path.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from actalign.errors import ActAlignError


class Diagonal(NamedTuple):
    """Slices into a flattened framed grid: cells that do not depend on each other, and their predecessors."""

    cells: slice
    diagonal: slice
    previous_frame: slice
    previous_sub_action: slice


def check_affinity(affinity_kt: ArrayLike, *, name: str = "affinity") -> NDArray[Any]:
    """The matrix as a real (K, T) array, not copied if it was one; K may exceed T.

    Raises ActAlignError, naming the matrix by ``name``, when it is not a matrix, is empty, is not made of real
    numbers, holds NaN or inf, or holds numbers so large that a sum over a path could overflow.

    >>> check_affinity([[1, 2, 3]]).shape
    (1, 3)
    """
    try:
        matrix = np.asarray(affinity_kt)
    except ValueError as error:
        raise ActAlignError(f"{name} is not a matrix: {error}; its rows must have equal lengths") from error
    if matrix.ndim != 2:
        raise ActAlignError(f"{name} must be a matrix of sub-actions x frames (K, T); got shape {matrix.shape}")
    if matrix.size == 0:
        raise ActAlignError(f"{name} is empty, shape {matrix.shape}; it needs at least one sub-action and one frame")
    if matrix.dtype.kind not in "biuf":
        raise ActAlignError(f"{name} must hold real numbers; got dtype {matrix.dtype}")
    largest = max(abs(float(matrix.min())), abs(float(matrix.max())))  # NaN, and inf, come through
    if not np.isfinite(largest):
        with np.errstate(over="ignore"):  # a wider float may hold what float64 cannot
            bad = ~np.isfinite(matrix.astype(np.float64, copy=False))
        step, frame = (int(index) for index in np.argwhere(bad)[0])
        raise ActAlignError(
            f"{name}[{step}, {frame}] is {matrix[step, frame]} (sub-action {step}, frame {frame}; {int(bad.sum())} of "
            f"{matrix.size} cells are NaN or inf, shape {matrix.shape}); mend the embeddings it was made from"
        )
    if largest > np.finfo(np.float64).max / sum(matrix.shape):
        raise ActAlignError(f"{name} holds {largest:g}, too large to add up over a path; scale it down")
    return matrix


def fill_framed(grid: NDArray[np.float64], affinity_kt: NDArray[Any]) -> None:
    """Write the frame and one (K, T) matrix into ``grid``, at least (K+1, T+1); other cells are left as they are.

    As paths start from 0.0, no sum is ever -0.0: equal sums have equal bits, and their maximum is unambiguous.

    >>> grid = np.zeros((2, 3))
    >>> fill_framed(grid, np.array([[5, 7]]))
    >>> grid.tolist()
    [[0.0, -inf, -inf], [-inf, 5.0, 7.0]]
    """
    steps, frames = affinity_kt.shape
    grid[0, 1:] = grid[1:, 0] = -np.inf
    grid[0, 0] = 0.0
    grid[1 : steps + 1, 1 : frames + 1] = affinity_kt


def diagonals(steps: int, frames: int) -> Iterator[Diagonal]:
    """The K + T - 1 anti-diagonals of a framed grid in order: the predecessors of each lie on the two before.

    The slices index a (K+1, T+1) grid flattened to (K+1) * (T+1), along its first axis.

    >>> grid = np.arange(6).reshape(2, 3)
    >>> [grid.ravel()[each.cells].tolist() for each in diagonals(1, 2)]
    [[4], [5]]
    """
    width = frames + 1
    for index in range(2, steps + frames + 1):  # row + column of the framed grid
        first_row, last_row = max(1, index - frames), min(steps, index - 1)
        start, stop = first_row * frames + index, last_row * frames + index + 1  # row * width + (index - row)
        cells, *predecessors = (slice(start - back, stop - back, frames) for back in (0, width + 1, 1, width))
        yield Diagonal(cells, *predecessors)
