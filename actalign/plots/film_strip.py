"""A clip's frames in a row, each over the span of time it stands for."""

from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from actalign.errors import ActAlignError

GAP = 0.03
"""Between two frames, as a share of a span."""


def check_frames(frames_thwc: NDArray[Any], frames: int) -> None:
    """Make sure that ``frames_thwc`` is (T, H, W, 3) with T equal to ``frames``.

    Raises:
        ActAlignError: it is not.

    >>> check_frames(np.zeros((2, 8, 8, 3), np.uint8), 2)
    """
    if frames_thwc.ndim != 4 or frames_thwc.shape[3] != 3 or 0 in frames_thwc.shape:
        raise ActAlignError(f"frames must be (T, H, W, 3); got shape {frames_thwc.shape}")
    if len(frames_thwc) != frames:
        raise ActAlignError(f"{len(frames_thwc)} pictures for {frames} frames; give one picture per frame")


def shown_frames(times_s: NDArray[Any], edges_s: NDArray[Any]) -> NDArray[np.intp]:
    """Which of T frames stands for each of N spans of time between N + 1 edges: the one nearest its middle, (N,).

    >>> shown_frames(np.arange(4.0), np.array([0.0, 2.0, 4.0])).tolist()
    [1, 3]
    """
    middles = (edges_s[:-1] + edges_s[1:]) / 2
    return np.abs(times_s - middles[:, None]).argmin(axis=1)


def film_strip(frames_thwc: NDArray[Any], ax: Axes, *, times_s: NDArray[Any], edges_s: NDArray[Any]) -> Axes:
    """Fill ``ax`` with one frame per span of time, the one nearest the span's middle; return ``ax``.

    Args:
        frames_thwc: (T, H, W, 3) uint8.
        times_s: (T,) seconds of the frames.
        edges_s: (N + 1,) seconds where the spans of N thumbnails meet.

    Raises:
        ActAlignError: frames of another shape than ``times_s``.

    >>> from matplotlib.figure import Figure
    >>> ax, frames = Figure().subplots(), np.zeros((4, 8, 8, 3), np.uint8)
    >>> len(film_strip(frames, ax, times_s=np.arange(4.0), edges_s=np.array([0.0, 2.0, 4.0])).images)
    2
    """
    check_frames(frames_thwc, len(times_s))
    shown = frames_thwc[shown_frames(times_s, edges_s)]
    for frame, (left, right) in zip(shown, pairwise(edges_s), strict=True):
        before, after = (0.0 if end in (edges_s[0], edges_s[-1]) else (right - left) * GAP / 2 for end in (left, right))
        ax.imshow(frame, extent=(left + before, right - after, 0, 1), aspect="auto", interpolation="antialiased")
    ax.set(xlim=(edges_s[0], edges_s[-1]), ylim=(0, 1))
    ax.set_axis_off()
    return ax
