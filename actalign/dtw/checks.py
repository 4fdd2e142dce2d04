"""What an affinity matrix must be, the same for every implementation."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from actalign.arrays import as_array
from actalign.errors import ActAlignError

LARGEST = float(np.finfo(np.float64).max)


def check_affinity(affinity_kt: ArrayLike, *, name: str = "affinity") -> NDArray[Any]:
    """The matrix as a real (K, T) array, not copied if it was one; K may exceed T.

    Raises ActAlignError, naming the matrix by ``name``, when it is not a matrix, is empty, is not made of real
    numbers, holds NaN or inf, or holds numbers so large that a sum over a path could overflow.

    >>> check_affinity([[1, 2, 3]]).shape
    (1, 3)
    """
    matrix = check_shape(affinity_kt, name=name)
    check_values(matrix, name=name)
    return matrix


def check_shape(affinity_kt: ArrayLike, *, name: str) -> NDArray[Any]:
    """The part of :func:`check_affinity` that looks at no value.

    >>> check_shape([[float("nan")]], name="affinity").shape
    (1, 1)
    """
    matrix = as_array(affinity_kt, name=name)
    if matrix.ndim != 2:
        raise ActAlignError(f"{name} must be a matrix of sub-actions x frames (K, T); got shape {matrix.shape}")
    if matrix.size == 0:
        raise ActAlignError(f"{name} is empty, shape {matrix.shape}; it needs at least one sub-action and one frame")
    if matrix.dtype.kind not in "biuf":
        raise ActAlignError(f"{name} must hold real numbers; got dtype {matrix.dtype}")
    return matrix


def check_rows(script: Iterable[int], count: int, *, name: str) -> NDArray[np.intp]:
    """A script's row numbers as an array, not copied if it was one.

    Raises ActAlignError, naming the script by ``name``, when it is not one-dimensional, is empty, holds anything but
    whole numbers, or names a row that is not among ``count``.

    >>> check_rows([0, 2], 2, name="script 1")
    Traceback (most recent call last):
    actalign.errors.ActAlignError: script 1 names row 2, but there are 2 rows, numbered from 0
    """
    rows = np.asarray(script)
    if rows.size == 0:
        raise ActAlignError(f"{name} is empty; leave the candidate out or give it at least one step")
    if rows.ndim != 1 or rows.dtype.kind not in "iu":
        raise ActAlignError(f"{name} must be a list of row numbers; got dtype {rows.dtype}, shape {rows.shape}")
    if rows.min() < 0 or rows.max() >= count:
        wrong = rows[(rows < 0) | (rows >= count)][0]
        raise ActAlignError(f"{name} names row {wrong}, but there are {count} rows, numbered from 0")
    return rows


def check_values(matrix_kt: NDArray[Any], *, name: str) -> None:
    """The part of :func:`check_affinity` that looks at every value.

    >>> check_values(np.array([[1.0, float("inf")]]), name="affinity")
    Traceback (most recent call last):
    actalign.errors.ActAlignError: affinity[0, 1] is inf (sub-action 0, frame 1; 1 of 2 cells are NaN or inf, ...
    """
    largest = max(abs(float(matrix_kt.min())), abs(float(matrix_kt.max())))  # NaN, and inf, come through
    if not np.isfinite(largest):
        with np.errstate(over="ignore"):  # a wider float may hold what float64 cannot
            bad = ~np.isfinite(matrix_kt.astype(np.float64, copy=False))
        step, frame = (int(index) for index in np.argwhere(bad)[0])
        raise ActAlignError(
            f"{name}[{step}, {frame}] is {matrix_kt[step, frame]} (sub-action {step}, frame {frame}; {int(bad.sum())} "
            f"of {matrix_kt.size} cells are NaN or inf, shape {matrix_kt.shape}); mend the embeddings it was made from"
        )
    if largest > LARGEST / sum(matrix_kt.shape):
        raise ActAlignError(f"{name} holds {largest:g}, too large to add up over a path; scale it down")
