"""What every composed figure must keep to, and clips of any size to draw them from."""

import re

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from numpy.typing import NDArray
from test_plots import _overlaps, _texts

from actalign import dtw, plots

LONG_NAME = "triple-salchow_with-a_very-long-name-in-figure-skating-60-let"
WORDS = (
    "the athlete lifts both arms high above the head and turns the left shoulder towards the net while bending one leg"
).split()
FRAME_SIZE = (18, 32)


def steps_of(count: int, *, words: int) -> tuple[str, ...]:
    """That many different texts of ``words`` words, 20 at most."""
    return tuple(" ".join([*WORDS[step:], *WORDS[:step]][:words]) for step in range(count))


def panel_of(name: str, *, steps: int, frames: int, words: int = 20, seed: int = 0) -> plots.MapPanel:
    """A candidate whose steps come one after the other, with some noise."""
    logits = np.random.default_rng(seed).normal(-4, 1.5, (steps, frames))
    logits[np.arange(frames) * steps // frames, np.arange(frames)] += 5
    affinity = 1 / (1 + np.exp(-logits))
    boundaries = (frames / 90, frames / 45)
    return plots.MapPanel(name, affinity, dtw.align(affinity), steps_of(steps, words=words), boundaries)


def pictures(frames: int) -> NDArray[np.uint8]:
    """Frame t is of one grey, t modulo 256."""
    greys = (np.arange(frames) % 256).astype(np.uint8)
    return np.broadcast_to(greys[:, None, None, None], (frames, *FRAME_SIZE, 3)).copy()


def smallest_letters_pt(figure: Figure) -> float:
    """Size of the smallest letters of a figure; the number of a tenth step is smaller, to stay in its disc."""
    return min(float(text.get_fontsize()) for text in _texts(figure) if not re.fullmatch("[0-9]{2,}", text.get_text()))


def untidy(figure: Figure) -> list[str]:
    """What is wrong with the texts of a figure: one over another, off the page, across the edge of a box, or with a
    plain space at an end, which a browser drops from an SVG."""
    figure.draw_without_rendering()
    texts = _texts(figure)
    assert len(texts) > 3
    faults = [f"{first!r} lies over {second!r}" for first, second in _overlaps(texts)]
    boxes = [patch.get_window_extent() for patch in figure.findobj(FancyBboxPatch)]
    for text in texts:
        extent = text.get_window_extent()
        corners = [(extent.x0, extent.y0), (extent.x1, extent.y1)]
        if not all(figure.bbox.padded(0.5).contains(*corner) for corner in corners):
            faults.append(f"{text.get_text()!r} leaves the page")
        if text.get_text() != text.get_text().strip(" "):
            faults.append(f"{text.get_text()!r} begins or ends with a space")
        middle = ((extent.x0 + extent.x1) / 2, (extent.y0 + extent.y1) / 2)
        for box in boxes:
            if box.contains(*middle) and not all(box.contains(*corner) for corner in corners):
                faults.append(f"{text.get_text()!r} leaves its box")
    return faults
