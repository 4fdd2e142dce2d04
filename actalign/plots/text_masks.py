"""A frame with its text masks applied and outlined, to see by eye whether they lie on the text."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from actalign.errors import ActAlignError
from actalign.masks import RULES, Polygon, mask_frame, rectangles
from actalign.plots.figure import VERMILLION


def text_masks(
    frame_hwc: NDArray[np.uint8],
    polygons: Sequence[Polygon],
    ax: Axes,
    *,
    kernel: int = RULES["official"].kernel,
    blurred: bool = True,
) -> Axes:
    """Draw a uint8 frame (H, W, 3) and the outline of each masked rectangle; return ``ax``.

    Args:
        polygons: corners (x, y) in pixels, as ``Masks.frames`` has them for a frame.
        kernel: width of the blur in pixels.
        blurred: False shows what lies below the masks.

    Raises:
        ActAlignError: not a uint8 frame (H, W, 3), or an even kernel.

    >>> from matplotlib.figure import Figure
    >>> frame = np.zeros((9, 16, 3), dtype=np.uint8)
    >>> len(text_masks(frame, [((2, 2), (8, 2), (8, 6), (2, 6))], Figure().subplots()).patches)
    1
    """
    if frame_hwc.dtype != np.uint8 or frame_hwc.ndim != 3 or frame_hwc.shape[2] != 3:
        raise ActAlignError(f"a frame is uint8 (H, W, 3); got {frame_hwc.dtype} {frame_hwc.shape}")
    height, width = frame_hwc.shape[:2]
    ax.imshow(mask_frame(frame_hwc, polygons, kernel=kernel) if blurred else frame_hwc)
    for left, top, right, bottom in rectangles(polygons, height=height, width=width):
        outline = (left - 0.5, top - 0.5), right - left, bottom - top
        ax.add_patch(Rectangle(*outline, fill=False, edgecolor=VERMILLION, linewidth=1.0))
    ax.set_axis_off()
    return ax
