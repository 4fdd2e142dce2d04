"""Result tables for people: numbers with their intervals as text, and such tables in Markdown and LaTeX (pure)."""

import re
import textwrap
import unicodedata
from math import sqrt
from typing import Any

import pandas as pd

from actalign.errors import ActAlignError

MINUS = "\N{MINUS SIGN}"
ABSENT = "\N{EN DASH}"
TEXT_WIDTH = 115
"""Characters that a table in LaTeX holds side by side at page width; beyond, long texts are broken into lines."""
GAP = 3
"""What the white between two columns takes, in characters."""
LONG_TEXT = 24
"""Characters beyond which a text may be broken into lines."""

_STATISTICS = {
    "steps": "Sub-actions per class",
    "domain": "Sub-actions per sport",
    "words": "Words per sub-action",
}
_NUMBER = re.compile(rf"([<>] )?[+{MINUS}-]?\d[\d.,]*(e[+-]?\d+)?( \[.*\]| ± [\d.]+| of \d+| / \d+)?|{ABSENT}|")
_REMEDY = r"% wants \usepackage{array, booktabs} and \usepackage[T1]{fontenc}; table* makes it as wide as two columns"
# What TeX takes for a command, and what pdfLaTeX does not know or sets as another character.
_LATEX = str.maketrans(
    {
        **{sign: f"\\{sign}" for sign in "{}$&#_%"},
        "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}",
        ">": r"\textgreater{}", "|": r"\textbar{}", '"': r"\textquotedbl{}", "`": r"\textasciigrave{}",
        MINUS: "$-$", "×": r"$\times$", "±": r"$\pm$", "≤": r"$\leq$", "≥": r"$\geq$", "≈": r"$\approx$",
        "→": r"$\rightarrow$", "–": r"\textendash{}", "—": r"\textemdash{}", "\N{NO-BREAK SPACE}": "~",
        "\N{THIN SPACE}": r"\,",
    }
)  # fmt: skip


def true_minus(text: str) -> str:
    """A number's text with the minus sign of print, also in an exponent, in place of the hyphen that Python writes.

    >>> true_minus(f"{-0.25:.3f}")
    '−0.250'
    """
    return text.replace("-", MINUS)


def score_text(score: float) -> str:
    """A score (Eq. 13) in three digits, a true minus sign before it where it is below zero.

    >>> score_text(0.5), score_text(-0.25)
    ('0.500', '−0.250')
    """
    return true_minus(f"{score:#.3g}")


def with_interval(table: pd.DataFrame, column: str, *, signed: bool = False) -> list[str]:
    """``column`` with its ``_low`` and ``_high`` as text, one a row; a dash where there is no number.

    Raises:
        ActAlignError: the table has no such column.

    >>> table = pd.DataFrame({"top1": [70.12, 20.0], "top1_low": [65.0, None], "top1_high": [75.5, None]})
    >>> with_interval(table, "top1")
    ['70.1 [65.0, 75.5]', '20.0']
    """
    ends = [table[name] if name in table else [None] * len(table) for name in (f"{column}_low", f"{column}_high")]
    return [interval_text(*values, signed=signed) for values in zip(_column(table, column), *ends, strict=True)]


def with_spread(table: pd.DataFrame, column: str) -> list[str]:
    """``column``'s ``_mean`` ± ``_sd`` as text, one a row.

    Raises:
        ActAlignError: the table has no such columns.

    >>> with_spread(pd.DataFrame({"words_mean": [13.684], "words_sd": [2.78]}), "words")
    ['13.68 ± 2.78']
    """
    pairs = zip(_column(table, f"{column}_mean"), _column(table, f"{column}_sd"), strict=True)
    return [f"{mean:.2f} ± {spread:.2f}" for mean, spread in pairs]


def p_values(table: pd.DataFrame) -> list[str]:
    """The column ``mcnemar_p`` as text, one a row; a dash where nothing was tested.

    Raises:
        ActAlignError: the table has no such column.

    >>> p_values(pd.DataFrame({"mcnemar_p": [0.0076, 2e-66, None]}))
    ['0.008', '< 0.001', '–']
    """
    return [ABSENT if pd.isna(p) else "< 0.001" if p < 0.001 else f"{p:.3f}" for p in _column(table, "mcnemar_p")]


def topk_for_people(table: pd.DataFrame) -> pd.DataFrame:
    """A table of ``metrics.topk_table`` or of ``published`` as text: Top-k with intervals, and N of how many.

    A k that no row has is left out. Where the table has ``top1_k``, a column says how many clips are right.

    >>> rows = pd.DataFrame({"label": ["DTW"], "top1": [70.0], "top2": [85.0], "top3": [90.0], "n": [2],
    ...                      "n_total": [3]})
    >>> topk_for_people(rows).values.tolist()
    [['DTW', '70.0', '85.0', '90.0', '2 of 3']]
    """
    shown = {"Method": list(table["label"] if "label" in table else table["method"])}
    for column in table:
        if re.fullmatch("top[0-9]+", str(column)) and table[column].notna().any():
            shown[f"Top-{column[3:]} (%)"] = with_interval(table, column)
    if "top1_k" in table:
        shown["Right (clips)"] = _counts(table, "top1_k")
    if "n" in table and "n_total" in table:
        pairs = zip(table["n"], table["n_total"], strict=True)
        shown["N"] = [ABSENT if pd.isna(n) else f"{n:.0f} of {total:.0f}" for n, total in pairs]
    return pd.DataFrame(shown)


def paired_for_people(table: pd.DataFrame) -> pd.DataFrame:
    """A table of ``study.paired_table`` as text: what the first method gains over each row, and the test of it.

    >>> rows = pd.DataFrame({"against_label": ["DTW"], "difference": [1.34], "difference_low": [-0.7],
    ...                      "difference_high": [3.6], "only_first": [13], "only_second": [7], "mcnemar_p": [0.263],
    ...                      "n_common": [448]})
    >>> paired_for_people(rows).loc[0].tolist()
    ['DTW', '+1.3 [−0.7, +3.6]', '13', '7', '0.263', '448']
    """
    shown = {
        "Against": list(_column(table, "against_label")),
        "Difference (points)": with_interval(table, "difference", signed=True),
    }
    counts = {"Gained (clips)": "only_first", "Lost (clips)": "only_second"}
    shown |= {name: _counts(table, column) for name, column in counts.items()}
    return pd.DataFrame({**shown, "McNemar p": p_values(table), "N": _counts(table, "n_common")})


def bootstrap_text(table: pd.DataFrame) -> str:
    """How the intervals of a table of ``metrics.topk_table``, and of differences beside them, were made: for a caption.

    >>> bootstrap_text(pd.DataFrame({"n": [40], "families": [40]}))
    "bootstrap over clips; of Top-k, Wilson's where all clips are right or all wrong"
    """
    families = _column(table, "families")
    if (families < 2).all():
        return "none: all clips are of one family"
    over = "clustered by family" if (families < _column(table, "n")).any() else "over clips"
    return f"bootstrap {over}; of Top-k, Wilson's where all clips are right or all wrong"


def statistics_for_people(table: pd.DataFrame) -> pd.DataFrame:
    """A table of ``study.script_statistics`` or ``published.table1`` as text, a row per prompt style (Table 1).

    >>> rows = pd.DataFrame({"style": ["terse"], "steps_mean": [10], "steps_sd": [0], "domain_mean": [10],
    ...                      "domain_sd": [0], "words_mean": [2], "words_sd": [0.03]})
    >>> statistics_for_people(rows).values.tolist()
    [['terse', '10.00 ± 0.00', '10.00 ± 0.00', '2.00 ± 0.03']]
    """
    shown = {name: with_spread(table, column) for column, name in _STATISTICS.items()}
    return pd.DataFrame({"Style": list(table["style"]), **shown})


def markdown(table: pd.DataFrame) -> str:
    """The table in Markdown, numbers as they print.

    >>> print(markdown(pd.DataFrame({"Method": ["DTW"], "Top-1": ["70.0"]})))
    | Method | Top-1 |
    |---|---|
    | DTW | 70.0 |
    """
    rows = [list(table.columns), ["---"] * len(table.columns), *table.values.tolist()]
    lines = ["|" + "|".join(f" {_cell(cell)} " for cell in row) + "|" for row in rows]
    lines[1] = lines[1].replace(" ", "")
    return "\n".join(lines)


def latex(table: pd.DataFrame, *, heading: str) -> str:
    """The table as a ``table`` environment of LaTeX with booktabs rules, numbers as they print, on the right.

    It compiles with pdfLaTeX; a comment names the characters, if any, that need LuaLaTeX or XeLaTeX.
    Texts too long for a line at page width are broken into lines.

    Args:
        heading: becomes the caption. There is no label.

    Raises:
        ActAlignError: the table has no columns.

    >>> print(latex(pd.DataFrame({"Method": ["A & B"], "Top-1 (%)": ["−7.0"]}), heading="50% of it"))
    % wants \\usepackage{array, booktabs} and \\usepackage[T1]{fontenc}; table* makes it as wide as two columns
    \\begin{table}[htbp]
    \\centering
    \\footnotesize
    \\caption{50\\% of it}
    \\begin{tabular}{@{}lr@{}}
    \\toprule
    Method & Top-1 (\\%) \\\\
    \\midrule
    A \\& B & $-$7.0 \\\\
    \\bottomrule
    \\end{tabular}
    \\end{table}
    <BLANKLINE>
    """
    if not len(table.columns):
        raise ActAlignError(f"the table {heading!r} has no columns; give at least one")
    header, *rows = [[_one_line(cell) for cell in row] for row in (table.columns, *table.values.tolist())]
    columns: list[tuple[str, ...]] = list(zip(*rows, strict=True)) if rows else [()] * len(header)
    sides = ["r" if cells and all(map(_NUMBER.fullmatch, cells)) else "l" for cells in columns]
    heads = _broken_heads(header, columns)
    shares = _shares([max(map(len, (*head, *cells))) for head, cells in zip(heads, columns, strict=True)], sides)
    letters = [
        rf">{{\raggedright\arraybackslash}}p{{{share:.2f}\linewidth}}" if share else side
        for share, side in zip(shares, sides, strict=True)
    ]
    lines = [
        *_remarks("".join([heading, *header, *(cell for row in rows for cell in row)])),
        *(r"\begin{table}[htbp]", r"\centering", r"\footnotesize", rf"\caption{{{_escaped(heading)}}}"),
        rf"\begin{{tabular}}{{@{{}}{''.join(letters)}@{{}}}}",
        *(r"\toprule", _row(list(map(_head, heads, sides))), r"\midrule"),
        *(_row(list(map(_escaped, row))) for row in rows),
        *(r"\bottomrule", r"\end{tabular}", r"\end{table}"),
    ]
    return "\n".join(lines) + "\n"


def _column(table: pd.DataFrame, column: str) -> "pd.Series[Any]":
    if column not in table:
        raise ActAlignError(f"the table has no column {column!r}; it has {list(table.columns)}")
    return table[column]


def _counts(table: pd.DataFrame, column: str) -> list[str]:
    return [ABSENT if pd.isna(count) else f"{count:.0f}" for count in _column(table, column)]


def interval_text(value: Any, low: Any, high: Any, *, signed: bool = False, digits: int = 1) -> str:
    """A number with its interval, ``digits`` after the point each; a dash where there is no number.

    >>> interval_text(-0.04, -2.0, 1.5, signed=True), interval_text(20.0, None, None)
    ('+0.0 [−2.0, +1.5]', '20.0')
    """
    if pd.isna(value):
        return ABSENT
    sign = "+" if signed else ""
    known = [number for number in (value, low, high) if not pd.isna(number)]
    texts = [true_minus(f"{round(number, digits) + 0.0:{sign}.{digits}f}") for number in known]  # never -0.0
    return texts[0] if len(texts) < 3 else f"{texts[0]} [{texts[1]}, {texts[2]}]"


def _cell(value: Any) -> str:
    text = str(value).replace("|", "\\|").replace("\r", " ").replace("\n", " ")
    return re.sub(r"<(?=[A-Za-z/!?])", "&lt;", text)  # shown, and never run as HTML


def _one_line(value: Any) -> str:
    """Composed characters, so that an accent is no character of its own, and no line ends or other controls."""
    text = unicodedata.normalize("NFC", str(value))
    return "".join(" " if unicodedata.category(sign) in ("Cc", "Zl", "Zp") else sign for sign in text)


def _escaped(text: str) -> str:
    """``text`` as pdfLaTeX prints it, character by character: two hyphens stay two and make no dash."""
    return re.sub(r"([-,'])(?=\1)", r"\1{}", _one_line(text).translate(_LATEX))


def _row(cells: list[str]) -> str:
    guard = "{}" if cells[0].startswith(("[", "*")) else ""  # or the row end before it would take them for its own
    return guard + " & ".join(cells) + r" \\"


def _head(lines: list[str], side: str) -> str:
    text = r" \\ ".join(map(_escaped, lines))
    return text if len(lines) == 1 else rf"\shortstack[{side}]{{{text}}}"


def _broken_heads(header: list[str], columns: list[tuple[str, ...]]) -> list[list[str]]:
    """The lines of each column's name: as wide as its cells allow, where the table is too wide otherwise."""
    cells = [max(map(len, texts), default=0) for texts in columns]
    if sum(max(len(name), width) + GAP for name, width in zip(header, cells, strict=True)) <= TEXT_WIDTH:
        return [[name] for name in header]
    return [
        textwrap.wrap(name, max(width, 12), break_long_words=False) or [""]
        for name, width in zip(header, cells, strict=True)
    ]


def _shares(widths: list[int], sides: list[str]) -> list[float]:
    """For each column of texts that does not fit, its share of the line; 0 for the others."""
    broken = [place for place, width in enumerate(widths) if width > LONG_TEXT and sides[place] == "l"]
    room = TEXT_WIDTH - sum(width + GAP for place, width in enumerate(widths) if place not in broken)
    if not broken or sum(widths[place] + GAP for place in broken) <= room:
        return [0.0] * len(widths)
    wanted = sum(sqrt(widths[place]) for place in broken)  # the longest text leaves the others some room
    scale = max(room - GAP * len(broken), TEXT_WIDTH // 5) / TEXT_WIDTH / wanted
    return [scale * sqrt(width) if place in broken else 0.0 for place, width in enumerate(widths)]


def _remarks(text: str) -> list[str]:
    unknown = sorted({sign for sign in _one_line(text) if ord(sign) not in _LATEX and not _in_pdflatex(sign)})
    return [_REMEDY, *([f"% pdfLaTeX lacks {''.join(unknown)}: use LuaLaTeX or XeLaTeX"] if unknown else [])]


def _in_pdflatex(sign: str) -> bool:
    """Whether pdfLaTeX's own UTF-8 tables have the character, with T1 fonts: Latin letters and printers' marks."""
    return (sign < "\u017f" and sign not in "ĦħĸĿŀŉŦŧ") or sign in "‘’‚“”„†‡•…‰‹›€™"
