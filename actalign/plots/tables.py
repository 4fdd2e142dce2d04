"""Checks of the result tables that figures are drawn from."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from actalign.errors import ActAlignError


def require(table: pd.DataFrame, columns: Sequence[str], *, percent: Sequence[str] = ()) -> None:
    """Make sure that ``table`` has rows and ``columns``, and that ``percent`` columns are in percent.

    Raises:
        ActAlignError: naming what is missing.

    >>> require(pd.DataFrame({"top1": [80.5]}), ["top1"], percent=["top1"])
    """
    missing = [column for column in columns if column not in table.columns]
    if missing:
        raise ActAlignError(f"the table lacks the columns {missing}; it has {list(table.columns)}")
    if table.empty:
        raise ActAlignError("the table has no rows; run the notebook that computes it")
    for column in percent:
        if 0 < table[column].max() <= 1 or table[column].max() > 100 or table[column].min() < 0:
            raise ActAlignError(
                f"column {column!r} runs from {table[column].min():g} to {table[column].max():g}; "
                "give percent, from 0 to 100"
            )


def names(table: pd.DataFrame) -> list[str]:
    """What to call each row: its ``label`` if there is such a column, else its ``method``; with its style if that
    alone tells two rows apart.

    >>> names(pd.DataFrame({"method": ["dtw"], "label": ["DTW"]}))
    ['DTW']
    """
    column = "label" if "label" in table.columns else "method"
    require(table, [column])
    if "style" in table.columns and table[column].duplicated().any():
        return [f"{name}, {style}" for name, style in zip(table[column], table["style"], strict=True)]
    return [str(name) for name in table[column]]


def number(row: "pd.Series[Any]", column: str) -> float:
    """The row's number, NaN where the column or the value is missing.

    >>> number(pd.Series({"top1": 30.5}), "top1_low")
    nan
    """
    value = row.get(column)
    return float("nan") if value is None or pd.isna(value) else float(value)
