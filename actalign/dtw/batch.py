"""Many matrices, no paths: every anti-diagonal of a chunk of matrices in a few NumPy calls."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from actalign.dtw.grid import check_affinity, diagonals, fill_framed

CHUNK_CELLS = 200_000  # cells of padded matrices worked on at once: about 2.4 MB, unless one matrix alone is larger
SMALL_CHUNK_CELLS = 20_000  # up to here a chunk may be mostly padding, which costs less than another chunk


def scores(affinities: Iterable[ArrayLike]) -> NDArray[np.float64]:
    """The path-normalised score of each of N ragged (K, T) matrices, (N,) in the order given (paper, Eq. 12-13).

    Each equals ``actalign.dtw.reference.score`` of that matrix bit for bit, whatever else is in the batch: the sum
    and the number of pairs of the best path are carried from cell to cell, with the same rule for ties. An empty
    batch gives an empty array. Memory beyond the input is bounded by the chunk size or the largest matrix.

    Raises ActAlignError, naming the matrix, when one is not two-dimensional, is empty, or holds NaN or inf.

    >>> scores([[[3, 1, 0], [0, 2, 4]], [[0.5, 0.25]]]).tolist()
    [2.5, 0.375]
    """
    matrices = [check_affinity(matrix, name=f"affinities[{index}]") for index, matrix in enumerate(affinities)]
    result = np.empty(len(matrices))
    for chunk in _chunks([matrix.shape for matrix in matrices]):
        result[chunk] = _chunk_scores([matrices[index] for index in chunk])
    return result


def _chunks(shapes: Sequence[tuple[int, ...]]) -> Iterator[list[int]]:
    """Positions of matrices to pad to one shape: alike in size, so that little of a chunk is padding."""
    chunk: list[int] = []
    widest_k = widest_t = wanted = 0
    alike = sorted(range(len(shapes)), key=lambda index: (shapes[index][0].bit_length(), shapes[index][1]))
    for index in alike:
        steps, frames = shapes[index]
        padded = (len(chunk) + 1) * max(widest_k, steps) * max(widest_t, frames)
        wasteful = padded > max(2 * (wanted + steps * frames), SMALL_CHUNK_CELLS)
        if chunk and (padded > CHUNK_CELLS or wasteful):
            yield chunk
            chunk, widest_k, widest_t, wanted = [], 0, 0, 0
        chunk.append(index)
        widest_k, widest_t, wanted = max(widest_k, steps), max(widest_t, frames), wanted + steps * frames
    if chunk:
        yield chunk


def _chunk_scores(matrices: list[NDArray[Any]]) -> NDArray[np.float64]:
    """Scores of matrices padded with zeros to one framed grid; no cell depends on a cell to its right or below."""
    steps, frames = np.array([matrix.shape for matrix in matrices]).T
    shape = (int(steps.max()) + 1, int(frames.max()) + 1, len(matrices))
    sums, lengths = np.zeros(shape), np.zeros(shape, dtype=np.int32)
    for column, matrix in enumerate(matrices):
        fill_framed(sums[:, :, column], matrix)
    _carry(sums, lengths)
    last = (steps, frames, np.arange(len(matrices)))
    return np.asarray(sums[last] / lengths[last], dtype=np.float64)


def _carry(sums: NDArray[np.float64], lengths: NDArray[np.int32]) -> None:
    """Turn affinities into best sums, and zeros into the best paths' lengths, in place; both (K+1, T+1, N)."""
    height, width, count = sums.shape
    sum_of, length_of = sums.reshape(-1, count), lengths.reshape(-1, count)
    for cells, diagonal, previous_frame, previous_sub_action in diagonals(height - 1, width - 1):
        by_diagonal, by_frame, by_sub_action = sum_of[diagonal], sum_of[previous_frame], sum_of[previous_sub_action]
        best = np.maximum(by_frame, by_sub_action)
        length = np.where(by_frame >= by_sub_action, length_of[previous_frame], length_of[previous_sub_action])
        np.copyto(length, length_of[diagonal], where=by_diagonal >= best)
        np.add(length, 1, out=length_of[cells])
        sum_of[cells] += np.maximum(by_diagonal, best, out=best)
