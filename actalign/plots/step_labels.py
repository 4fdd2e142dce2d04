"""Wrapped sub-action texts as the tick labels of a map: never one over another."""

import textwrap
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from actalign.plots.figure import NARROW_IN

WRAP = 30
FONT_PT = 6.0
LINE_PT = FONT_PT * 1.25
ROW_PAD_PT = 3.0


def letters_a_line(width_in: float) -> int:
    """How many letters of a sub-action stand on one line, for maps in a figure of that width.

    >>> letters_a_line(6.9), letters_a_line(3.35)
    (40, 24)
    """
    return 40 if width_in >= NARROW_IN else 24


def wrapped(step: str, *, number: int, wrap: int = WRAP, max_lines: int | None = None) -> str:
    """A numbered step in lines of at most ``wrap`` characters, cut with an ellipsis after ``max_lines``.

    >>> wrapped("bend the knees and coil the hips", number=2, wrap=20)
    '2. bend the knees\\nand coil the hips'
    >>> wrapped("bend the knees and coil the hips", number=2, wrap=20, max_lines=1)
    '2. bend the knees …'
    """
    return "\n".join(textwrap.wrap(f"{number}. {step}", wrap, max_lines=max_lines, placeholder=" …"))


def rows_height_in(steps: Sequence[str], *, wrap: int = WRAP) -> float:
    """Height in inches at which the rows of a map hold all lines of the longest step.

    >>> round(rows_height_in(["toss", "swing up"]), 2)
    0.33
    """
    lines = max(len(wrapped(step, number=index, wrap=wrap).splitlines()) for index, step in enumerate(steps, 1))
    return max(len(steps) * (lines * LINE_PT + ROW_PAD_PT), 24.0) / 72


def fit_step_labels(ax: Axes, steps: Sequence[str], *, wrap: int = WRAP) -> Axes:
    """Label the rows of a map with as many lines of each step as the laid-out row has room for.

    Where there is no room for one line the letters shrink, so that labels never touch. Call it once more after
    adding things around ``ax`` that take room from it.
    """
    root = ax.get_figure(root=True)
    assert isinstance(root, Figure)
    engine = root.get_layout_engine()
    if engine is not None:
        engine.execute(root)
    row_pt = ax.get_window_extent().height / root.dpi * 72 / len(steps)
    set_step_labels(ax, steps, wrap=wrap, max_lines=max(1, int((row_pt - 1) / LINE_PT)))
    ax.tick_params(axis="y", labelsize=min(FONT_PT, FONT_PT * row_pt / LINE_PT))
    return ax


def set_step_labels(ax: Axes, steps: Sequence[str], *, wrap: int = WRAP, max_lines: int | None = None) -> Axes:
    """Label row k of a map with step k, in at most ``max_lines`` lines."""
    texts = [wrapped(step, number=index, wrap=wrap, max_lines=max_lines) for index, step in enumerate(steps, 1)]
    ax.set_yticks(range(len(steps)), texts, fontsize=FONT_PT, linespacing=1.1, parse_math=False)
    ax.tick_params(axis="y", length=0)
    return ax
