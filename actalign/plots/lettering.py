"""Text measured before it is drawn, so that it is wrapped by what it really takes and never leaves its place."""

import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import matplotlib
from matplotlib.font_manager import FontProperties, fontManager
from matplotlib.textpath import text_to_path

from actalign.errors import ActAlignError

FAMILY = "DejaVu Sans"  # the style's
LEADING = 1.25  # of a line to the next, in font sizes
_HINTING = 1.06  # a screen's hinted letters are up to this much wider than print's

# Of two copies of a font, matplotlib's own: the system's is often another version, and figures would differ by machine.
fontManager.ttflist.sort(key=lambda font: not Path(font.fname).is_relative_to(matplotlib.get_data_path()))


@lru_cache(maxsize=2**14)
def text_width_in(text: str, *, size_pt: float, weight: str = "normal") -> float:
    """Width in inches that one line of text takes at most, on paper or on a screen.

    >>> text_width_in("lob", size_pt=12) == 2 * text_width_in("lob", size_pt=6)
    True
    """
    font = FontProperties(family=FAMILY, size=size_pt, weight=weight)
    return text_to_path.get_text_width_height_descent(text, font, False)[0] * _HINTING / 72


def lines_height_in(lines: int, *, size_pt: float) -> float:
    """Height in inches of that many lines.

    >>> round(lines_height_in(2, size_pt=7.2), 3)
    0.25
    """
    return lines * size_pt * LEADING / 72


def fitted_lines(
    text: str, width_in: float, *, size_pt: float, weight: str = "normal", max_lines: int | None = None
) -> list[str]:
    """``text`` in lines that are at most ``width_in`` wide, cut with an ellipsis after ``max_lines``.

    A word that is wider than the line is broken, after a hyphen or an underscore if there is one. A no-break space
    keeps two words on one line where they fit on one.

    Raises:
        ActAlignError: not even one letter fits.

    >>> fitted_lines("swing the racket up", 0.6, size_pt=6)
    ['swing the', 'racket up']
    >>> fitted_lines("swing the racket up", 0.6, size_pt=6, max_lines=1)
    ['swing the …']
    """
    lines: list[str] = []
    for word in re.split(r"[ \t\n]+", text.strip(" \t\n")):
        for piece, joint in _pieces(word, width_in, size_pt=size_pt, weight=weight):
            longer = f"{lines[-1]}{joint}{piece}" if lines else piece
            if lines and text_width_in(longer, size_pt=size_pt, weight=weight) <= width_in:
                lines[-1] = longer
            else:
                lines.append(piece)
    if max_lines is None or len(lines) <= max_lines:
        return lines
    return [*lines[: max_lines - 1], _cut(lines[max_lines - 1], width_in, size_pt=size_pt, weight=weight)]


def cut_to_width(text: str, width_in: float, *, size_pt: float, weight: str = "normal") -> str:
    """``text`` on one line of at most ``width_in``, what does not fit replaced by an ellipsis.

    >>> cut_to_width("triple-salchow", 0.5, size_pt=6)
    'triple-sal…'
    """
    if text_width_in(text, size_pt=size_pt, weight=weight) <= width_in:
        return text
    return _cut(text, width_in, size_pt=size_pt, weight=weight)


def most_lines(texts: Sequence[str], width_in: float, *, size_pt: float) -> int:
    """Lines of the text that takes most of them.

    >>> most_lines(["toss", "swing the racket up"], 0.6, size_pt=6)
    2
    """
    return max(len(fitted_lines(text, width_in, size_pt=size_pt)) for text in texts)


def _pieces(word: str, width_in: float, *, size_pt: float, weight: str) -> list[tuple[str, str]]:
    """The word in pieces that fit a line, each with what joins it to the one before."""
    if text_width_in(word, size_pt=size_pt, weight=weight) <= width_in:
        return [(word, " ")]
    pieces: list[str] = []
    for part in re.findall(r"[^-_/\u00a0]*[-_/\u00a0]|[^-_/\u00a0]+", word):
        pieces += _broken(part, width_in, size_pt=size_pt, weight=weight)
    return [(piece, "" if index else " ") for index, piece in enumerate(pieces)]


def _broken(part: str, width_in: float, *, size_pt: float, weight: str) -> list[str]:
    pieces = [""]
    for letter in part:
        if text_width_in(letter, size_pt=size_pt, weight=weight) > width_in:
            raise ActAlignError(f"{width_in:.2f} in is too narrow for a letter of {size_pt:g} pt; give a wider figure")
        if text_width_in(pieces[-1] + letter, size_pt=size_pt, weight=weight) > width_in:
            pieces.append("")
        pieces[-1] += letter
    return pieces


def _cut(line: str, width_in: float, *, size_pt: float, weight: str) -> str:
    """As many words of the line as fit before an ellipsis, or letters where not even one word does."""
    for shorter in (line.rsplit(" ", count)[0] for count in range(line.count(" ") + 1)):
        if text_width_in(f"{shorter} …", size_pt=size_pt, weight=weight) <= width_in:
            return f"{shorter} …"
    while line and text_width_in(f"{line}…", size_pt=size_pt, weight=weight) > width_in:
        line = line[:-1]
    return f"{line}…"
