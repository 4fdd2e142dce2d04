"""What a run of the notebooks says at its end: what became of each, and the main results."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePath

import pandas as pd

from actalign.errors import ActAlignError
from actalign.report import interval_text
from actalign.run_records import Outcome, Record


def summary(outcomes: Iterable[Outcome]) -> str:
    """A line for each notebook: what became of it, how long it took, and what it wrote.

    >>> print(summary([Outcome("fig_7", "ran", Record("", {"figures/a.pdf": "", "figures/a.png": ""}, 3.2)),
    ...                Outcome("fig_8", "failed", reason="no such table: mend it")]))
    notebook  status   time  wrote
    fig_7     ran     3.2 s  figures/a.{pdf,png}
    fig_8     failed         no such table: mend it
    """
    rows = [("notebook", "status", "time", "wrote"), *map(_row, outcomes)]
    stem, state, seconds, _ = (max(map(len, column)) for column in zip(*rows, strict=True))
    lines = (f"{row[0]:<{stem}}  {row[1]:<{state}}  {row[2]:>{seconds}}  {row[3]}".rstrip() for row in rows)
    return "\n".join(lines)


def _row(outcome: Outcome) -> tuple[str, str, str, str]:
    if outcome.record is None:
        return outcome.stem, outcome.state, "", (outcome.reason.splitlines() or [""])[0]
    return outcome.stem, outcome.state, f"{outcome.record.seconds:.1f} s", _files(outcome.record)


def _files(record: Record) -> str:
    """The files, those that differ by their ending alone as one; of many, how many there are and where."""
    endings: dict[str, list[str]] = {}
    for name in sorted(record.outputs):
        path = PurePath(name)
        endings.setdefault(path.with_suffix("").as_posix(), []).append(path.suffix[1:])
    if len(endings) > 3:
        folder = os.path.commonpath([PurePath(stem).parent for stem in endings]) or "."
        return f"{len(record.outputs)} files in {folder}"
    several = (
        f"{stem}.{{{','.join(known)}}}" if len(known) > 1 else f"{stem}.{known[0]}" for stem, known in endings.items()
    )
    return ", ".join(several) or "nothing"


def main_table(path: Path) -> str:
    """``data/results/main.csv`` for people: a line for each method, accuracies in percent with 95% intervals.

    Raises:
        ActAlignError: it is not there, or lacks a column.
    """
    if not path.is_file():
        raise ActAlignError(f"{path} is not there: no notebook wrote the main table")
    table = pd.read_csv(path)
    columns = ("label", "top1", "top1_low", "top1_high", "top2", "top3", "n", "n_total")
    missing = [name for name in columns if name not in table]
    if missing:
        raise ActAlignError(f"{path} has no column {', '.join(missing)}; it has {', '.join(table.columns)}")
    rows = [("Top-k in percent", "Top-1 [95% interval]", "Top-2", "Top-3", "N")]
    for row in table.itertuples():
        interval = interval_text(row.top1, row.top1_low, row.top1_high)
        rows.append((str(row.label), interval, f"{row.top2:.1f}", f"{row.top3:.1f}", f"{row.n} of {row.n_total}"))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(_table_line(row, widths) for row in rows)


def _table_line(row: Sequence[str], widths: Sequence[int]) -> str:
    numbers = (cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
    return "  ".join([row[0].ljust(widths[0]), *numbers])
