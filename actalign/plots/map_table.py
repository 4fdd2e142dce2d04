"""The numbers behind maps, as one table: what is published beside the figure."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from actalign.errors import ActAlignError
from actalign.plots.heat_map import MapPanel


def map_table(panels: Sequence[MapPanel], *, times_s: NDArray[Any]) -> pd.DataFrame:
    """One row per cell of every map: panel, step_number (from 1), step, time_s, affinity, on_path.

    Args:
        panels: maps of one clip, each (K, T) with a K of its own.
        times_s: (T,) seconds of the frames.

    Raises:
        ActAlignError: no panels, or another number of frames than of times.

    >>> panel = MapPanel("(a) right", np.array([[0.5, 0.1]]), None, steps=("toss",))
    >>> map_table([panel], times_s=np.array([0.0, 0.2])).values.tolist()
    [['(a) right', 1, 'toss', 0.0, 0.5, False], ['(a) right', 1, 'toss', 0.2, 0.1, False]]
    """
    if not panels:
        raise ActAlignError("there are no maps to list; give at least one panel")
    times = np.asarray(times_s, dtype=np.float64)
    return pd.concat([_cells(panel, times) for panel in panels], ignore_index=True)


def _cells(panel: MapPanel, times_s: NDArray[np.float64]) -> pd.DataFrame:
    steps, frames = panel.affinity_kt.shape
    if times_s.shape != (frames,):
        raise ActAlignError(f"{frames} frames but times_s has shape {times_s.shape}; give one time per frame")
    on_path = np.zeros((steps, frames), dtype=bool)
    if panel.alignment is not None:
        on_path[tuple(panel.alignment.path.T)] = True
    return pd.DataFrame(
        {
            "panel": panel.label,
            "step_number": np.repeat(np.arange(1, steps + 1), frames),
            "step": np.repeat(np.array(panel.steps, dtype=object), frames),
            "time_s": np.tile(times_s, steps),
            "affinity": np.asarray(panel.affinity_kt, dtype=np.float64).ravel(),
            "on_path": on_path.ravel(),
        }
    )
