"""The view in the browser: picture, frame, ranking and status line in one widget, so that all change at once.

It works by mouse and by keyboard, and says in words what the picture shows. What it does there is in
``view_widget.js``, how it looks in ``view_widget.css``.
"""

from pathlib import Path
from typing import Any

import anywidget
import traitlets

_HERE = Path(__file__).parent


class ViewWidget(anywidget.AnyWidget):
    """Shows what Python sets; tells Python the ``cell`` that the user chose: [map, row, column], each from 0.

    Attributes:
        png: the picture.
        places: per map its left, top, width, height (fractions of the picture from its top left) and rows.
        steps: per map the texts of its steps, which are written beside its rows.
        edges: T + 1 fractions of a map's width between which its T frames lie.
        times_s: T seconds.
        alt: the picture in words.
        status: one sentence on the ranking, read out when it changes.
        notes: plain sentences on what is missing or changed.
        problem: what went wrong, in plain words; empty when nothing did. What is on the screen is then dimmed.
        ranking: per candidate place, name, score, share (of the longest bar, -1 to 1), letter, is_answer.
        cell, cell_text: the cell under the cursor, and what is there in words.
        frame: that frame as PNG; empty where frames cannot be shown.
        video, video_text: an annotated copy of the clip as mp4, empty for none, and what it shows.

    >>> ViewWidget().cell
    [0, 0, 0]
    """

    _esm = _HERE / "view_widget.js"
    _css = _HERE / "view_widget.css"

    png: Any = traitlets.Bytes().tag(sync=True)
    places: Any = traitlets.List().tag(sync=True)
    steps: Any = traitlets.List().tag(sync=True)
    edges: Any = traitlets.List().tag(sync=True)
    times_s: Any = traitlets.List().tag(sync=True)
    alt: Any = traitlets.Unicode().tag(sync=True)
    status: Any = traitlets.Unicode().tag(sync=True)
    notes: Any = traitlets.Unicode().tag(sync=True)
    problem: Any = traitlets.Unicode().tag(sync=True)
    ranking: Any = traitlets.List().tag(sync=True)
    cell: Any = traitlets.List([0, 0, 0]).tag(sync=True)
    cell_text: Any = traitlets.Unicode().tag(sync=True)
    frame: Any = traitlets.Bytes().tag(sync=True)
    video: Any = traitlets.Bytes().tag(sync=True)
    video_text: Any = traitlets.Unicode().tag(sync=True)
