"""The view as a picture, drawn anew only where it changed.

One drawing serves twice. On the screen everything but maps, paths and bars is drawn once and kept as a background, so
that a move of a slider costs milliseconds. ``static_picture`` is the same with the ranking below, to print or to show
where widgets cannot run.
"""

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox
from numpy.typing import NDArray
from PIL import Image

from actalign import plots
from actalign.explorer.sheet import PAGE, SCREEN, Place, Sheet
from actalign.explorer.view import View

DPI = 170  # on the screen: sharp where the picture is some 900 pixels wide
PNG_EFFORT = 1  # of 9: a third larger than the default, five times as fast


@dataclass(frozen=True)
class Drawn:
    """A picture: ``png`` bytes, where its maps are, and the T + 1 ``edges`` of the frames as fractions of a map."""

    png: bytes
    places: tuple[Place, ...]
    edges: tuple[float, ...]


class Picture:
    """Draws views one after the other, each as PNG; keeps what two views in a row share."""

    def __init__(self) -> None:
        self._canvas: _Canvas | None = None

    def draw(self, view: View) -> Drawn:
        """The picture of a view, without the texts of the steps: the browser writes them, sharper and sooner."""
        if self._canvas is None or not self._canvas.fits(view):
            self._canvas = _Canvas(view)
        return self._canvas.draw(view)


def static_picture(view: View) -> Figure:
    """The view with the ranking of all candidates below, at page width, for ``plots.save_figure`` or a notebook."""
    with plots.style():
        sheet = Sheet(view, PAGE, ranking=True)
        sheet.update(view)
    return sheet.paper.figure


def png(figure: Figure) -> bytes:
    """The figure as PNG bytes; the same figure gives the same bytes."""
    buffer = io.BytesIO()
    with plots.style():
        figure.savefig(buffer, format="png", dpi=DPI, metadata={"Software": None})
    return buffer.getvalue()


def pixels_png(pixels_hwc: NDArray[np.uint8]) -> bytes:
    """RGB pixels (H, W, 3) as PNG bytes, made in little time.

    >>> pixels_png(np.zeros((2, 3, 3), np.uint8))[1:4]
    b'PNG'
    """
    buffer = io.BytesIO()
    Image.fromarray(pixels_hwc).save(buffer, "PNG", compress_level=PNG_EFFORT)
    return buffer.getvalue()


class _Canvas:
    """A sheet on the screen's canvas, with its still parts kept as pixels."""

    def __init__(self, view: View) -> None:
        self._of = _still(view)
        with plots.style():
            self._sheet = Sheet(view, SCREEN)
            self._sheet.paper.figure.set_dpi(DPI)
            self._agg = FigureCanvasAgg(self._sheet.paper.figure)
            for artist in self._sheet.moving:
                artist.set_animated(True)
            self._agg.draw()
        whole = Bbox.from_bounds(0, 0, *self._agg.get_width_height())  # the figure's own may lack part of a pixel
        self._background = self._agg.copy_from_bbox(whole)

    def fits(self, view: View) -> bool:
        """Whether only moving parts differ."""
        ours, theirs = self._of, _still(view)
        return ours[0] is theirs[0] and ours[1:] == theirs[1:]

    def draw(self, view: View) -> Drawn:
        sheet = self._sheet
        self._agg.restore_region(self._background)
        sheet.update(view)
        for artist in sheet.moving:
            sheet.paper.figure.draw_artist(artist)
        pixels = np.ascontiguousarray(np.asarray(self._agg.buffer_rgba())[..., :3])
        return Drawn(pixels_png(pixels), sheet.places, sheet.edges)


def _still(view: View) -> tuple[Any, ...]:
    """What the still parts of the picture depend on."""
    maps = tuple((shown.letter, len(shown.steps), shown.ordered) for shown in view.shown)
    return view.times_s, view.clip.id, maps, view.value_label
