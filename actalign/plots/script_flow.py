"""From a class to its ordered sub-actions, in one or several prompt styles (paper, Fig. 2)."""

from collections.abc import Mapping, Sequence
from itertools import groupby, pairwise
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from actalign.errors import ActAlignError
from actalign.plots.canvas import DISC_IN, Box, Canvas, step_color, tint
from actalign.plots.figure import BLUE, GREY, INK, VERMILLION
from actalign.plots.lettering import fitted_lines, lines_height_in, text_width_in

_MARGIN_IN, _PAD_IN, _COLUMN_GAP_IN, _STEP_GAP_IN, _ROW_GAP_IN = 0.05, 0.07, 0.16, 0.09, 0.24
_NARROWEST_IN, _INDENT_IN = 1.45, DISC_IN + 0.06
_STEP_ROOM_IN = 2 * _PAD_IN + _INDENT_IN - 0.02  # of a column, not for letters
_NAME_PT, _SPORT_PT, _STYLE_PT, _STEP_PT, _COUNT_PT = 8.0, 7.0, 7.0, 6.5, 6.0
_FORK_IN = 0.44


def script_flow(class_name: str, sport: str, styles: Mapping[str, Sequence[str]], figure: Figure) -> Axes:
    """Fig. 2: the class, and below it a column per prompt style with its sub-actions in order; return the page's axes.

    Where a text ends in "in ``sport``" (context augmentation), that end is set in the colour of the sport.

    Args:
        class_name, sport: what the language model is asked about.
        styles: prompt style -> the K texts as the text encoder reads them, in order.

    Raises:
        ActAlignError: no styles, a style without texts, or a figure lower than :func:`script_flow_height_in` says.

    >>> figure = Figure(figsize=(3.35, script_flow_height_in("lob", "tennis", {"short": ["toss", "hit"]}, 3.35)))
    >>> ax = script_flow("lob", "tennis", {"short": ["toss", "hit"]}, figure)
    >>> [text.get_text() for text in ax.texts][:2]
    ['lob', 'tennis']
    """
    height = script_flow_height_in(class_name, sport, styles, float(figure.get_figwidth()))
    canvas = Canvas(figure, needs_in=(_NARROWEST_IN, height))
    head = _draw_class(canvas, class_name, sport)
    rows = _rows(styles, canvas.width_in)
    top = head.bottom + _FORK_IN
    for number, row in enumerate(rows):
        columns = _columns(row, sport, canvas.width_in, top=top)
        if number == 0:
            _draw_fork(canvas, head, columns)
        for (name, texts), column in zip(row.items(), columns, strict=True):
            _draw_style(canvas, column, name=name, texts=texts, sport=sport)
        top = max(column.bottom for column in columns) + _ROW_GAP_IN
    return canvas.ax


def script_flow_height_in(class_name: str, sport: str, styles: Mapping[str, Sequence[str]], width_in: float) -> float:
    """Height in inches that ``script_flow`` needs at that width.

    >>> one, two = ({"short": ["toss", "hit"][:count]} for count in (1, 2))
    >>> script_flow_height_in("lob", "tennis", one, 3.35) < script_flow_height_in("lob", "tennis", two, 3.35)
    True
    """
    if not styles:
        raise ActAlignError(f"no prompt style to show of class {class_name!r}; show at least 1 (most_styles)")
    if not all(styles.values()):
        raise ActAlignError(f"class {class_name!r} lacks texts in {[*styles]}; give each prompt style its sub-actions")
    rows = _rows(styles, width_in)
    heights = [max(column.height for column in _columns(row, sport, width_in, top=0.0)) for row in rows]
    gaps = _FORK_IN + _ROW_GAP_IN * (len(rows) - 1) + _MARGIN_IN
    return _class_box(class_name, sport, width_in).bottom + sum(heights) + gaps


def _draw_class(canvas: Canvas, class_name: str, sport: str) -> Box:
    box = _class_box(class_name, sport, canvas.width_in)
    canvas.box(box, face=tint(BLUE, share=0.12), edge=BLUE)
    y = box.top + _PAD_IN
    for line in _name_lines(class_name, canvas.width_in):
        canvas.text(box.middle[0], y, line, ha="center", fontsize=_NAME_PT, fontweight="bold")
        y += lines_height_in(1, size_pt=_NAME_PT)
    for line in _sport_lines(sport, canvas.width_in):
        canvas.text(
            box.middle[0], y + 0.01, line, ha="center", fontsize=_SPORT_PT, color=VERMILLION, fontstyle="italic"
        )
        y += lines_height_in(1, size_pt=_SPORT_PT)
    return box


def _draw_fork(canvas: Canvas, head: Box, columns: Sequence[Box]) -> None:
    """From the class to each column of the first row."""
    bend = head.bottom + _FORK_IN * 0.42
    centres = [column.middle[0] for column in columns]
    canvas.line([head.middle[0]] * 2, [head.bottom, bend], color=INK)
    canvas.line([min(*centres, head.middle[0]), max(*centres, head.middle[0])], [bend, bend], color=INK)
    for centre in centres:
        canvas.arrow((centre, bend), (centre, columns[0].top - 0.02))
    canvas.text(head.middle[0] + 0.05, (head.bottom + bend) / 2, "script (Eq. 3)", va="center", fontsize=6, color=GREY)


def _draw_style(canvas: Canvas, column: Box, *, name: str, texts: Sequence[str], sport: str) -> None:
    y = column.top
    for line in _style_lines(name, column.width):
        canvas.text(column.middle[0], y, line, ha="center", fontsize=_STYLE_PT, fontweight="bold")
        y += lines_height_in(1, size_pt=_STYLE_PT)
    canvas.text(column.middle[0], y, _count(texts, sport), ha="center", fontsize=_COUNT_PT, color=GREY)
    y += lines_height_in(1, size_pt=_COUNT_PT) + 0.06
    tops = []
    for index, text in enumerate(texts):
        lines = _step_lines(text, sport, column.width)
        box = Box(column.left, y, width=column.width, height=_step_height(lines))
        color = step_color(index)
        canvas.box(box, face="#F7F7F7", edge="#B3B3B3", rounding_in=0.04)
        canvas.disc(box.left + _PAD_IN + DISC_IN / 2 - 0.02, box.top + 0.045 + DISC_IN / 2, index + 1, color=color)
        _write(canvas, box.left + _PAD_IN + _INDENT_IN - 0.02, box.top + 0.05, lines=lines, sport=sport)
        tops.append(box)
        y = box.bottom + _STEP_GAP_IN
    for upper, lower in pairwise(tops):
        canvas.arrow((column.middle[0], upper.bottom), (column.middle[0], lower.top))


def _write(canvas: Canvas, x: float, y: float, *, lines: Sequence[str], sport: str) -> None:
    """The lines, with an "in sport" at their end in the sport's colour."""
    words = [(word, number) for number, line in enumerate(lines) for word in line.split()]
    plain = len(words) - _context_words(" ".join(lines), sport)
    marked = [(word, number, place >= plain) for place, (word, number) in enumerate(words)]
    for number, on_line in groupby(marked, key=lambda item: item[1]):
        before = None
        for in_context, run in groupby(on_line, key=lambda item: item[2]):
            look: dict[str, Any] = {"color": VERMILLION, "fontstyle": "italic"} if in_context else {"color": INK}
            said = " ".join(word for word, _, _ in run)
            base = y + lines_height_in(number + 0.78, size_pt=_STEP_PT)
            if before is None:
                before = canvas.text(x, base, said, va="baseline", fontsize=_STEP_PT, **look)
            else:
                # Placed after what was really drawn: a screen's letters are wider than print's. A browser drops the
                # plain space that an SVG's text begins with.
                coordinates = (before, canvas.ax.transData)
                canvas.ax.annotate(
                    f"\N{NO-BREAK SPACE}{said}", (1, base), xycoords=coordinates, va="baseline", fontsize=_STEP_PT,
                    parse_math=False, **look,
                )  # fmt: skip


def _context_words(text: str, sport: str) -> int:
    """How many words at the text's end are "in sport"; 0 where it ends otherwise."""
    context, words = f"in {sport}".casefold().split(), text.casefold().split()
    return len(context) if sport and len(words) > len(context) and words[-len(context) :] == context else 0


def _rows(styles: Mapping[str, Sequence[str]], width_in: float) -> list[dict[str, Sequence[str]]]:
    """The styles in rows of as many columns as are wide enough."""
    room = width_in - 2 * _MARGIN_IN + _COLUMN_GAP_IN
    most = max(1, int(room / (_NARROWEST_IN + _COLUMN_GAP_IN)))
    count = -(-len(styles) // most)
    most = -(-len(styles) // count)
    items = list(styles.items())
    return [dict(items[start : start + most]) for start in range(0, len(items), most)]


def _columns(row: Mapping[str, Sequence[str]], sport: str, width_in: float, *, top: float) -> list[Box]:
    """Columns of one width: what is there, or less where the longest text needs less."""
    whole = width_in - 2 * _MARGIN_IN
    longest = max(text_width_in(text, size_pt=_STEP_PT) for texts in row.values() for text in texts)
    width = min((whole - _COLUMN_GAP_IN * (len(row) - 1)) / len(row), max(longest + _STEP_ROOM_IN, _NARROWEST_IN), 3.2)
    left = _MARGIN_IN + (whole - width * len(row) - _COLUMN_GAP_IN * (len(row) - 1)) / 2
    return [
        Box(
            left + place * (width + _COLUMN_GAP_IN),
            top,
            width=width,
            height=_style_height(name, texts, sport, width=width),
        )
        for place, (name, texts) in enumerate(row.items())
    ]


def _style_height(name: str, texts: Sequence[str], sport: str, *, width: float) -> float:
    lines = len(_style_lines(name, width))
    head = lines_height_in(lines, size_pt=_STYLE_PT) + lines_height_in(1, size_pt=_COUNT_PT) + 0.06
    steps = sum(_step_height(_step_lines(text, sport, width)) for text in texts)
    return head + steps + _STEP_GAP_IN * (len(texts) - 1)


def _step_height(lines: Sequence[str]) -> float:
    return max(lines_height_in(len(lines), size_pt=_STEP_PT), DISC_IN) + 0.09


def _step_lines(text: str, sport: str, width: float) -> list[str]:
    words = text.split()
    plain = len(words) - _context_words(text, sport)
    together = " ".join([*words[:plain], *filter(None, ["\u00a0".join(words[plain:])])])
    return fitted_lines(together, width - _STEP_ROOM_IN, size_pt=_STEP_PT)


def _style_lines(name: str, width: float) -> list[str]:
    return fitted_lines(name.replace("_", "-"), width, size_pt=_STYLE_PT, weight="bold")


def _name_lines(class_name: str, width_in: float) -> list[str]:
    return fitted_lines(class_name, min(width_in, 4.5) - 2 * (_MARGIN_IN + _PAD_IN), size_pt=_NAME_PT, weight="bold")


def _sport_lines(sport: str, width_in: float) -> list[str]:
    return fitted_lines(sport, min(width_in, 4.5) - 2 * (_MARGIN_IN + _PAD_IN), size_pt=_SPORT_PT) if sport else []


def _class_box(class_name: str, sport: str, width_in: float) -> Box:
    names, sports = _name_lines(class_name, width_in), _sport_lines(sport, width_in)
    wide = max(
        *(text_width_in(line, size_pt=_NAME_PT, weight="bold") for line in names),
        *(text_width_in(line, size_pt=_SPORT_PT) for line in sports), 0.8,
    ) + 2 * _PAD_IN  # fmt: skip
    tall = lines_height_in(len(names), size_pt=_NAME_PT) + lines_height_in(len(sports), size_pt=_SPORT_PT)
    return Box((width_in - wide) / 2, _MARGIN_IN, width=wide, height=tall + 2 * _PAD_IN)


def _count(texts: Sequence[str], sport: str) -> str:
    words = round(sum(len(text.split()) - _context_words(text, sport) for text in texts) / len(texts))
    return f"{len(texts)} sub-action{'s' * (len(texts) > 1)} of {words} word{'s' * (words != 1)}"
