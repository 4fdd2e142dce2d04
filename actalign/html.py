"""HTML for notebooks: small tables and drawings of plain text and numbers, with no script, style sheet or fixed colour.

Everything is escaped, so that a file name or a script from elsewhere is shown and never run. Colours are the
page's own (``currentColor``), so that dark themes stay readable.
"""

from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST_ROWS = 20
_CELL = "text-align:left;vertical-align:top;padding:0.1em 0.6em"
_TITLE = "text-align:left;white-space:nowrap"
_LEFT, _TOP, _WIDTH, _ROW, _GAP, _BARS, _NUMBERS = 24, 14, 360, 18, 12, 80, 60  # px


def table(rows: Sequence[Sequence[object]], *, header: Sequence[object] = (), caption: str = "") -> str:
    """Cells as text in an HTML table; after 20 rows only the number of the others is said.

    >>> table([["lob", "<b>"]], header=["class", "note"]).count("<b>")
    0
    """
    lines = [f"<caption style='{_TITLE}'>{escape(caption)}</caption>"] if caption else []
    if header:
        lines.append(_row(header, "th"))
    lines += [_row(row, "td") for row in rows[:MOST_ROWS]]
    if len(rows) > MOST_ROWS:
        width = max(len(row) for row in rows)
        lines.append(f"<tr><td colspan='{width}' style='{_CELL}'>… and {len(rows) - MOST_ROWS:,} more</td></tr>")
    return f"<table>{''.join(lines)}</table>"


def facts(title: str, named: Sequence[tuple[str, object]]) -> str:
    """Names and values below each other; a value that is ``""`` or None is left out.

    >>> "sport" in facts("Clip", [("sport", "judo")]), "split" in facts("Clip", [("split", "")])
    (True, False)
    """
    shown = [(name, value) for name, value in named if value is not None and value != ""]
    lines = [f"<tr><th style='{_CELL}'>{escape(name)}</th>{_cell(value, 'td')}</tr>" for name, value in shown]
    return f"<table><caption style='{_TITLE}'><b>{escape(title)}</b></caption>{''.join(lines)}</table>"


def steps(texts: Sequence[str]) -> str:
    """Texts as a numbered list.

    >>> steps(["toss", "hit"]).count("<li>")
    2
    """
    return f"<ol style='margin:0.2em 0'>{''.join(f'<li>{escape(text)}</li>' for text in texts)}</ol>"


def path_drawing(path: NDArray[Any], step_evidence: NDArray[Any], *, text: str) -> str:
    """An inline SVG of a warping path (P, 2), rows of sub-actions over frames, and the evidence (K,) as bars beside it.

    ``text`` is what a screen reader says, and the tool tip.

    >>> path_drawing(np.array([[0, 0], [1, 1]]), np.array([0.5, 0.25]), text="two steps")[:21]
    '<svg role="img" aria-'
    """
    count, frames = (int(value) + 1 for value in path[-1])
    bottom, bars = _TOP + count * _ROW, _LEFT + _WIDTH + _GAP
    width, height = bars + _BARS + _NUMBERS, bottom + 18
    x = _LEFT + (path[:, 1] + 0.5) / frames * _WIDTH
    y = _TOP + (path[:, 0] + 0.5) * _ROW
    line = " ".join(f"{left:.1f},{top:.1f}" for left, top in zip(x, y, strict=True))
    finite = np.nan_to_num(np.asarray(step_evidence, dtype=np.float64))
    largest = float(np.abs(finite).max()) or 1.0
    parts = [
        f'<rect x="{_LEFT}" y="{_TOP}" width="{_WIDTH}" height="{count * _ROW}" fill="none" stroke-opacity="0.4"/>',
        f'<polyline points="{line}" fill="none" stroke-width="2" stroke-linejoin="round"/>',
        _label(bars, _TOP - 4, "evidence"),
        _label(_LEFT, bottom + 13, "frame 0"),
        _label(_LEFT + _WIDTH, bottom + 13, str(frames - 1), anchor="end"),
    ]
    for row, value in enumerate(finite):
        top = _TOP + row * _ROW
        long = max(0.0, float(value)) / largest * _BARS
        parts += [
            _label(_LEFT - 6, top + 13, str(row + 1), anchor="end"),
            f'<rect x="{bars}" y="{top + 4}" width="{long:.1f}" height="{_ROW - 8}" fill="currentColor" '
            'fill-opacity="0.6" stroke="none"/>',
            _label(bars + long + 4, top + 13, f"{value:.3g}"),
        ]
    return (
        f'<svg role="img" aria-label="{escape(text)}" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" stroke="currentColor" fill="currentColor" font-size="11" '
        f'font-family="sans-serif"><title>{escape(text)}</title>{"".join(parts)}</svg>'
    )


def _label(x: float, y: float, text: str, *, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y}" text-anchor="{anchor}" stroke="none">{escape(text)}</text>'


def _row(cells: Sequence[object], tag: str) -> str:
    return f"<tr>{''.join(_cell(cell, tag) for cell in cells)}</tr>"


def _cell(value: object, tag: str) -> str:
    return f"<{tag} style='{_CELL}'>{escape(str(value))}</{tag}>"
