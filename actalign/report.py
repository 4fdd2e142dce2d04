"""Result tables for people: numbers with their intervals as text, and Markdown (pure but for the file it writes)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from actalign import paths
from actalign.errors import ActAlignError
from actalign.files import write_whole

MINUS = "\N{MINUS SIGN}"
ABSENT = "\N{EN DASH}"


def with_interval(table: pd.DataFrame, column: str, *, signed: bool = False) -> list[str]:
    """``column`` with its ``_low`` and ``_high`` as text, one a row; a dash where there is no number.

    Raises:
        ActAlignError: the table has no such column.

    >>> table = pd.DataFrame({"top1": [70.12, 20.0], "top1_low": [65.0, None], "top1_high": [75.5, None]})
    >>> with_interval(table, "top1")
    ['70.1 [65.0, 75.5]', '20.0']
    """
    if column not in table:
        raise ActAlignError(f"the table has no column {column!r}; it has {list(table.columns)}")
    ends = [table[name] if name in table else [None] * len(table) for name in (f"{column}_low", f"{column}_high")]
    return [_interval(*values, signed=signed) for values in zip(table[column], *ends, strict=True)]


def topk_for_people(table: pd.DataFrame) -> pd.DataFrame:
    """A table of ``metrics.topk_table`` or of ``published`` as text: Top-k with intervals, and N of how many.

    >>> rows = pd.DataFrame({"label": ["DTW"], "top1": [70.0], "top2": [85.0], "top3": [90.0], "n": [2],
    ...                      "n_total": [3]})
    >>> topk_for_people(rows).values.tolist()
    [['DTW', '70.0', '85.0', '90.0', '2 of 3']]
    """
    shown = {"Method": list(table["label"] if "label" in table else table["method"])}
    for k in (1, 2, 3):
        shown[f"Top-{k} (%)"] = with_interval(table, f"top{k}")
    if "n" in table and "n_total" in table:
        pairs = zip(table["n"], table["n_total"], strict=True)
        shown["N"] = [ABSENT if pd.isna(n) else f"{n:.0f} of {total:.0f}" for n, total in pairs]
    return pd.DataFrame(shown)


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


def write_markdown(blocks: Mapping[str, pd.DataFrame], stem: str, *, folder: Path | None = None) -> Path:
    """Write each table under its heading into ``<stem>.md``, in ``paths.FIGURES`` if not told otherwise.

    Raises:
        ActAlignError: nothing to write, or the folder cannot be written.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = write_markdown({"Ours": pd.DataFrame({"n": [1]})}, "main", folder=Path(folder))
    ...     path.read_text().splitlines()[0]
    '**Ours**'
    """
    if not blocks:
        raise ActAlignError(f"there is no table to write into {stem}.md; give at least one")
    path = (folder or paths.FIGURES) / f"{stem}.md"
    write_whole(path, "\n\n".join(f"**{title}**\n\n{markdown(table)}" for title, table in blocks.items()) + "\n")
    return path


def _interval(value: Any, low: Any, high: Any, *, signed: bool) -> str:
    if pd.isna(value):
        return ABSENT
    sign = "+" if signed else ""
    known = [number for number in (value, low, high) if not pd.isna(number)]
    texts = [f"{round(number, 1) + 0.0:{sign}.1f}".replace("-", MINUS) for number in known]  # never -0.0
    return texts[0] if len(texts) < 3 else f"{texts[0]} [{texts[1]}, {texts[2]}]"


def _cell(value: Any) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ")
