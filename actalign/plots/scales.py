"""Colours, cells and paths of maps: one scale for all maps that are compared."""

from collections.abc import Iterable, Sequence
from typing import Any

import matplotlib.patheffects as effects
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colorbar import Colorbar
from matplotlib.colors import Normalize, PowerNorm
from numpy.typing import NDArray

from actalign.errors import ActAlignError

AFFINITY_LABEL = "Affinity (Eq. 9)"
COLORS = "cividis"
PATH: dict[str, Any] = {
    "color": "white", "linewidth": 1.2, "solid_joinstyle": "round",
    "path_effects": [effects.Stroke(linewidth=2.6, foreground="black"), effects.Normal()],
}  # fmt: skip
"""How a warping path lies on a map: white, with a dark edge, so that it shows on every colour."""
_BAR_IN = 0.1


def color_scale(maps_kt: Iterable[NDArray[Any]], *, low: float = 0.0, gamma: float = 1.0) -> Normalize:
    """One scale for several maps, from ``low`` to their common maximum; ``gamma`` below 1 opens the dark end.

    Raises:
        ActAlignError: ``gamma`` is not above 0.

    >>> color_scale([np.zeros((2, 3)), np.full((1, 3), 0.5)]).vmax
    0.5
    """
    if not gamma > 0:
        raise ActAlignError(f"gamma is {gamma}; give a number above 0, 1 for a linear scale")
    high = max((float(np.max(map_kt)) for map_kt in maps_kt), default=low)
    high = high if high > low else low + 1.0
    return Normalize(low, high) if gamma == 1.0 else PowerNorm(gamma, low, high)


def color_bar(axes: Axes | Sequence[Axes], *, scale: Normalize, label: str = AFFINITY_LABEL) -> Colorbar:
    """A slim colour bar for maps that share ``scale``, to the right of ``axes``."""
    several = [axes] if isinstance(axes, Axes) else list(axes)
    figure = several[0].figure
    aspect = figure.bbox.height / figure.dpi / _BAR_IN  # as high as the maps, and as slim at any size
    bar = figure.colorbar(
        ScalarMappable(norm=scale, cmap=COLORS), ax=several, label=label, fraction=0.1, pad=0.02, aspect=aspect
    )
    bar.outline.set_linewidth(0.4)
    return bar


def cell_edges(centres: NDArray[Any]) -> NDArray[np.float64]:
    """Edges (N + 1,) of cells around increasing ``centres`` (N,), halfway between neighbours.

    >>> cell_edges(np.array([0.0, 1.0, 3.0]))
    array([-0.5,  0.5,  2. ,  4. ])
    """
    centres = np.asarray(centres, dtype=float)
    if len(centres) == 1:
        return np.array([centres[0] - 0.5, centres[0] + 0.5])
    middles = (centres[1:] + centres[:-1]) / 2
    return np.concatenate(([2 * centres[0] - middles[0]], middles, [2 * centres[-1] - middles[-1]]))
