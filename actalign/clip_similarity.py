"""One clip's frames against many texts, for any smoothing, scale and bias: fast, and nothing computed twice.

The same numbers as :mod:`actalign.similarity`, which is the readable form, by another way. Smoothing is linear, so
the product of texts and frames is made once and averaged along time afterwards; only the lengths of the averaged
frames need the frames themselves. The product is made in the precision of the embeddings, float32 as they are
stored; everything after it is float64. With float32 embeddings a cosine is off by at most about 1e-6, where
averages do not cancel out, and an affinity by that times the scale, relative to its size: 1e-4 where the scale is 100.
"""

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from actalign.arrays import as_array
from actalign.compiled import compiled, compiled_reordered
from actalign.errors import ActAlignError
from actalign.similarity import Padding, Window, averaged, require_calibration

Stage = Literal["before_norm", "after_norm"]

SAFE = (1e-20, 1e30)
"""Products of two lengths between which products of float32 vectors neither vanish nor overflow."""


@dataclass(frozen=True)
class Smoothing:
    """A moving average over time (paper, Eq. 7): see :func:`actalign.similarity.smooth` and ``Options``.

    ``stage`` averages the raw embeddings (``"before_norm"``) or those of length 1 (``"after_norm"``).

    Raises:
        ActAlignError: the stage is none of the two.
    """

    width: int
    stage: Stage = "before_norm"
    window: Window = "printed"
    padding: Padding = "zero"

    def __post_init__(self) -> None:
        if self.stage not in get_args(Stage):
            raise ActAlignError(f"smoothing stage {self.stage!r} is unknown; choose one of {get_args(Stage)}")


class ClipSimilarity:
    """Texts (N, d) against the frames (T, d) of one clip; neither needs to be normalised.

    Raises:
        ActAlignError: the widths differ, a row is all zeros, or a value is NaN or inf.

    >>> clip = ClipSimilarity(np.array([[2.0, 0.0], [0.0, 5.0]]), np.array([[1.0, 0.0]]))
    >>> clip.cosine()
    array([[1., 0.]])
    >>> clip.affinity(scale=2.0, bias=-2.0).round(3)
    array([[0.5  , 0.119]])
    """

    def __init__(self, frames_td: NDArray[Any], texts_nd: NDArray[Any]):
        self._frames, texts = _floats(frames_td, "frames"), _floats(texts_nd, "texts")
        if texts.shape[1] != self._frames.shape[1]:
            raise ActAlignError(
                f"texts have width {texts.shape[1]} but frames have width {self._frames.shape[1]}; "
                "embed both with the same checkpoint"
            )
        self._frame_lengths = _usable_lengths(self._frames, "frames")
        self._text_lengths = _usable_lengths(texts, "texts")
        self._products = self._multiplied(texts)
        self._cosines: dict[Smoothing | None, NDArray[np.float64]] = {}

    def cosine(self, smoothing: Smoothing | None = None) -> NDArray[np.float64]:
        """Cosine of every text with every frame, (N, T) float64 in [-1, 1], read-only (paper, Eq. 7-8).

        (N, T - 1) where ``padding="released"`` meets an even width.

        Raises:
            ActAlignError: the smoothing is not possible, or its average of some frames has no direction.
        """
        if smoothing not in self._cosines:
            cosines = self._cosine(smoothing)
            cosines.flags.writeable = False
            self._cosines[smoothing] = cosines
        return self._cosines[smoothing]

    def affinity(self, *, scale: float, bias: float, smoothing: Smoothing | None = None) -> NDArray[np.float64]:
        """sigmoid(scale * cosine + bias), (N, T) float64 in [0, 1] (paper, Eq. 7-9).

        Raises:
            ActAlignError: as :meth:`cosine`; scale is not positive or bias is not finite.
        """
        require_calibration(scale=scale, bias=bias)
        values = self.cosine(smoothing) * -scale
        values -= bias
        with np.errstate(over="ignore"):  # exp may reach inf, and its reciprocal is then the right 0
            np.exp(values, out=values)
        values += 1.0
        return np.reciprocal(values, out=values)

    def _multiplied(self, texts_nd: NDArray[Any]) -> NDArray[Any]:
        """Products of every text with every frame, in float64 where float32 could overflow or vanish."""
        if texts_nd.dtype == np.float32:
            smallest, largest = (end(self._text_lengths) * end(self._frame_lengths) for end in (np.min, np.max))
            if not SAFE[0] < smallest <= largest < SAFE[1]:
                texts_nd = texts_nd.astype(np.float64)
        return np.asarray(texts_nd @ self._frames.T)

    def _cosine(self, smoothing: Smoothing | None) -> NDArray[np.float64]:
        if smoothing is None:
            cosines = np.empty(self._products.shape)
            _divide(self._products, self._text_lengths, self._frame_lengths, cosines)
            return cosines
        first, terms, length = averaged(
            len(self._frames), smoothing.width, window=smoothing.window, padding=smoothing.padding
        )
        weights = np.ones(len(self._frames))
        if smoothing.stage == "after_norm":
            weights = 1.0 / self._frame_lengths
        lengths = np.empty(length)
        _averaged_lengths(self._frames, weights, first, terms, lengths)
        if not lengths.all():
            raise ActAlignError(
                f"smoothing with width {smoothing.width}: the average around frame {int(np.argmin(lengths))} is all "
                "zeros and has no direction; choose another width"
            )
        cosines = np.empty((len(self._products), length))
        _divide_averaged(self._products, self._text_lengths, weights, lengths, first, terms, cosines)
        return cosines


def real_matrix(rows: NDArray[Any], name: str) -> NDArray[Any]:
    """The embeddings as an array, not copied if they were one.

    Raises ActAlignError, naming them by ``name``, where they are no matrix, empty, masked or no real numbers.

    >>> real_matrix(np.array([[1j]]), "frames")
    Traceback (most recent call last):
    actalign.errors.ActAlignError: frames must hold real numbers; got dtype complex128
    """
    array = as_array(rows, name=name)
    if array.ndim != 2 or 0 in array.shape:
        raise ActAlignError(f"{name} must be a non-empty matrix, one row per item; got shape {array.shape}")
    if array.dtype.kind in "cSUOMm":
        raise ActAlignError(f"{name} must hold real numbers; got dtype {array.dtype}")
    return array


def _floats(rows: NDArray[Any], name: str) -> NDArray[Any]:
    array = real_matrix(rows, name)
    return np.ascontiguousarray(array, dtype=np.float32 if array.dtype == np.float32 else np.float64)


def _usable_lengths(rows_nd: NDArray[Any], name: str) -> NDArray[np.float64]:
    lengths = np.empty(len(rows_nd))
    _lengths(rows_nd, lengths)
    if not np.isfinite(lengths).all():
        bad = np.flatnonzero(~np.isfinite(lengths)).tolist()
        raise ActAlignError(
            f"{name} hold NaN or inf (or too large values) in {len(bad)} of {len(rows_nd)} rows, row {bad[0]} first"
        )
    if not lengths.all():
        zero = np.flatnonzero(lengths == 0).tolist()
        raise ActAlignError(
            f"{name}: rows {zero[:5]} of {len(rows_nd)} are all zeros (or too small) and have no direction; "
            "encode them again"
        )
    return lengths


@compiled_reordered
def _lengths(rows_nd: NDArray[Any], lengths: NDArray[np.float64]) -> None:
    for row in range(rows_nd.shape[0]):
        total = 0.0
        for column in range(rows_nd.shape[1]):
            value = np.float64(rows_nd[row, column])
            total += value * value
        lengths[row] = np.sqrt(total)


@compiled_reordered
def _length(values: NDArray[np.float64]) -> float:
    """Apart from the loops that write: where a loop writes, where its arrays lie decides the order of a sum."""
    total = 0.0
    for column in range(len(values)):
        total += values[column] * values[column]
    return float(np.sqrt(total))


@compiled
def _averaged_lengths(
    frames_td: NDArray[Any], weights: NDArray[np.float64], first: int, terms: int, lengths: NDArray[np.float64]
) -> None:
    """The length of each sum of ``terms`` weighted frames from t + ``first`` on, by a running sum."""
    frames, width = frames_td.shape
    running = np.zeros(width)
    for t in range(max(0, first), min(frames, first + terms - 1)):
        for column in range(width):
            running[column] += weights[t] * np.float64(frames_td[t, column])
    for t in range(len(lengths)):
        enters, leaves = t + first + terms - 1, t + first - 1
        if leaves >= 0 and enters < frames:
            entering, leaving = weights[enters], weights[leaves]
            for column in range(width):
                running[column] += entering * np.float64(frames_td[enters, column]) - leaving * np.float64(
                    frames_td[leaves, column]
                )
        else:
            if enters < frames:  # never below 0: a window ends at its own frame or later
                for column in range(width):
                    running[column] += weights[enters] * np.float64(frames_td[enters, column])
            if leaves >= 0:
                for column in range(width):
                    running[column] -= weights[leaves] * np.float64(frames_td[leaves, column])
        lengths[t] = _length(running)


@compiled
def _divide(
    products_nt: NDArray[Any],
    text_lengths: NDArray[np.float64],
    frame_lengths: NDArray[np.float64],
    cosines: NDArray[np.float64],
) -> None:
    """Products over both lengths, within [-1, 1]."""
    inverse = 1.0 / frame_lengths
    for row in range(products_nt.shape[0]):
        by_text = 1.0 / text_lengths[row]
        for t in range(products_nt.shape[1]):
            cosines[row, t] = min(1.0, max(-1.0, np.float64(products_nt[row, t]) * inverse[t] * by_text))


@compiled
def _divide_averaged(
    products_nt: NDArray[Any],
    text_lengths: NDArray[np.float64],
    weights: NDArray[np.float64],
    lengths: NDArray[np.float64],
    first: int,
    terms: int,
    cosines: NDArray[np.float64],
) -> None:
    """Sums of ``terms`` weighted products from t + ``first`` on over both lengths, within [-1, 1]."""
    frames = products_nt.shape[1]
    inverse = 1.0 / lengths
    for row in range(products_nt.shape[0]):
        by_text = 1.0 / text_lengths[row]
        running = 0.0
        for t in range(max(0, first), min(frames, first + terms - 1)):
            running += weights[t] * np.float64(products_nt[row, t])
        for t in range(len(lengths)):
            enters, leaves = t + first + terms - 1, t + first - 1
            if enters < frames:
                running += weights[enters] * np.float64(products_nt[row, enters])
            if leaves >= 0:
                running -= weights[leaves] * np.float64(products_nt[row, leaves])
            cosines[row, t] = min(1.0, max(-1.0, running * inverse[t] * by_text))
