"""Smoothing, cosine similarity and affinity of frames and texts (paper, Eq. 7-9).

Everything is NumPy in float64: ``(T, d)`` frames, ``(K, d)`` texts, ``(K, T)`` matrices, one row per sub-action.
"""

from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from actalign.errors import ActAlignError

Window = Literal["printed", "exact"]
Padding = Literal["zero", "released"]
WINDOWS: tuple[Window, ...] = get_args(Window)
PADDINGS: tuple[Padding, ...] = get_args(Padding)
LARGEST_WIDTH = 2**31
"""Far beyond any clip, and safe in every integer."""


def _finite_matrix(value: NDArray[Any], name: str) -> NDArray[np.float64]:
    array = np.asarray(value, dtype=np.float64)
    if array.ndim != 2 or 0 in array.shape:
        raise ActAlignError(f"{name} must be a non-empty matrix, one row per item; got shape {array.shape}")
    if not np.isfinite(array).all():
        raise ActAlignError(f"{name} hold NaN or inf in {int((~np.isfinite(array)).any(axis=1).sum())} rows")
    return array


def unit(rows_nd: NDArray[Any]) -> NDArray[np.float64]:
    """Rows scaled to length 1.

    Args:
        rows_nd: (n, d).

    Returns:
        (n, d) float64.

    Raises:
        ActAlignError: a row is all zeros and has no direction, or a value is NaN, inf or too large to be squared.

    >>> unit(np.array([[3.0, 4.0]]))
    array([[0.6, 0.8]])
    """
    rows = _finite_matrix(rows_nd, "embeddings")
    with np.errstate(over="ignore"):
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    if not np.isfinite(lengths).all():
        raise ActAlignError("embeddings hold values too large to be squared; scale them down")
    if not lengths.all():
        zero = np.flatnonzero(lengths[:, 0] == 0).tolist()
        raise ActAlignError(f"rows {zero[:5]} of {len(rows)} are all zeros and have no direction; encode them again")
    return np.asarray(rows / lengths, dtype=np.float64)


def smooth(
    frames_td: NDArray[Any], width: int, *, window: Window = "printed", padding: Padding = "zero"
) -> NDArray[np.float64]:
    """Moving average of frame embeddings over time (paper, Eq. 7), in O(T) by cumulative sums.

    Eq. 7 as printed sums frames t - floor(w/2) to t + floor(w/2) and divides by w: for an even w those are
    w + 1 terms. Frames outside the clip count as zeros. A constant divisor changes no cosine, so the printed
    and the exact window differ by the one extra frame, never by the division.

    Args:
        frames_td: (T, d).
        width: w, in frames; 1 changes nothing.
        window: ``"printed"`` is Eq. 7 to the letter; ``"exact"`` has w terms for every w (for an even w the
            frames t - w/2 to t + w/2 - 1). They are the same for odd w.
        padding: ``"zero"`` keeps T frames. ``"released"`` is the released scripts' layer: (w - 1)//2 zeros on
            each side and always w terms (``window`` is not read), so an even w returns T - 1 frames.

    Returns:
        (T, d) float64, or (T - 1, d) for ``padding="released"`` and an even width.

    Raises:
        ActAlignError: the width is not a whole number of at least 1, a choice is unknown, or no frame is left.

    >>> smooth(np.array([[3.0], [6.0], [9.0]]), 3).ravel()
    array([3., 6., 5.])
    >>> smooth(np.array([[2.0], [4.0], [6.0]]), 2, padding="released").ravel()
    array([3., 5.])
    """
    frames = _finite_matrix(frames_td, "frame embeddings")
    first, terms, length = averaged(len(frames), width, window=window, padding=padding)
    sums = np.concatenate([np.zeros((1, frames.shape[1])), np.cumsum(frames, axis=0)])
    starts = np.clip(np.arange(length) + first, 0, len(frames))
    ends = np.clip(np.arange(length) + first + terms, 0, len(frames))
    return np.asarray((sums[ends] - sums[starts]) / width, dtype=np.float64)


def averaged(frames: int, width: int, *, window: Window = "printed", padding: Padding = "zero") -> tuple[int, int, int]:
    """Which of T frames :func:`smooth` adds up: (first, terms, length).

    Smoothed frame t, of ``length``, is the sum of ``terms`` frames from t + ``first`` on, over ``width``.

    Raises:
        ActAlignError: as :func:`smooth`.

    >>> averaged(100, 30), averaged(100, 30, padding="released")
    ((-15, 31, 100), (-14, 30, 99))
    """
    if isinstance(width, bool) or not isinstance(width, int | np.integer) or not 1 <= width <= LARGEST_WIDTH:
        raise ActAlignError(f"smoothing width {width!r} must be a whole number of frames, 1 to {LARGEST_WIDTH}")
    if window not in WINDOWS:
        raise ActAlignError(f"smoothing window {window!r} is unknown; choose one of {WINDOWS}")
    if padding not in PADDINGS:
        raise ActAlignError(f"smoothing padding {padding!r} is unknown; choose one of {PADDINGS}")
    even = width % 2 == 0
    if padding == "released":
        if frames - even < 1:
            raise ActAlignError(f"smoothing with width {width} and padding 'released' leaves none of {frames} frames")
        return -((width - 1) // 2), int(width), frames - even
    return -(width // 2), width + (even and window == "printed"), frames


def cosine(texts_kd: NDArray[Any], frames_td: NDArray[Any]) -> NDArray[np.float64]:
    """Cosine of every text with every frame (paper, Eq. 8).

    Args:
        texts_kd: (K, d) text embeddings, normalised or not.
        frames_td: (T, d) frame embeddings, normalised or not.

    Returns:
        (K, T) float64 in [-1, 1].

    Raises:
        ActAlignError: the widths differ, a row is all zeros, or a value is NaN or inf.

    >>> cosine(np.array([[1.0, 0.0]]), np.array([[2.0, 0.0], [0.0, 5.0], [-1.0, 0.0]]))
    array([[ 1.,  0., -1.]])
    """
    texts, frames = unit(texts_kd), unit(frames_td)
    if texts.shape[1] != frames.shape[1]:
        raise ActAlignError(
            f"texts have width {texts.shape[1]} but frames have width {frames.shape[1]}; "
            "embed both with the same checkpoint"
        )
    return np.clip(texts @ frames.T, -1.0, 1.0)


def affinity(cosine_kt: NDArray[Any], *, scale: float, bias: float) -> NDArray[np.float64]:
    """sigmoid(scale * cosine + bias), SigLIP's own calibration of a pair (paper, Eq. 9).

    Most pairs lie deep in the left tail, so a few frames can dominate. The values are not class probabilities
    and no threshold on them carries from one checkpoint to another.

    Args:
        cosine_kt: (K, T) cosines.
        scale: exp(logit_scale) of the checkpoint (not its logarithm).
        bias: logit_bias of the checkpoint.

    Returns:
        (K, T) float64 in [0, 1].

    Raises:
        ActAlignError: scale is not positive or bias is not finite.

    >>> affinity(np.array([[0.0, 1.0]]), scale=2.0, bias=-2.0).round(3)
    array([[0.119, 0.5  ]])
    """
    require_calibration(scale=scale, bias=bias)
    cosines = _finite_matrix(cosine_kt, "cosines")
    return np.asarray(expit(scale * cosines + bias), dtype=np.float64)


def require_calibration(*, scale: float, bias: float) -> None:
    """Raise ActAlignError unless both are plain numbers, scale positive and bias finite.

    >>> require_calibration(scale=100.0, bias=-12.0)
    """
    if not all(isinstance(value, int | float | np.integer | np.floating) for value in (scale, bias)):
        raise ActAlignError(
            f"affinity scale and bias must be plain numbers, the checkpoint's own; got {type(scale).__name__} and "
            f"{type(bias).__name__}; of an array or tensor pass .item()"
        )
    if not 0 < scale < np.inf:
        raise ActAlignError(f"affinity scale {scale!r} must be positive: exp(logit_scale), not logit_scale itself")
    if not abs(bias) < np.inf:
        raise ActAlignError(f"affinity bias {bias!r} must be finite: the checkpoint's logit_bias")
