"""The CSV tables of a data folder: cells as text, and every complaint with its file and line."""

import csv
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from actalign.errors import ActAlignError


@dataclass(frozen=True)
class Row:
    """One line of a table: its cells as text, stripped, and where it stands."""

    where: str
    cells: dict[str, str]

    def text(self, column: str) -> str:
        if not self.cells[column]:
            raise ActAlignError(f"{self.where}: {column} is empty; fill it in")
        return self.cells[column]

    def seconds(self, column: str) -> float | None:
        cell = self.cells.get(column, "")
        if not cell:
            return None
        try:
            value = float(cell)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise ActAlignError(f"{self.where}: {column} is {cell!r}; write seconds such as 12.5, or leave it empty")
        return value


def cells_of(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The lines of a CSV file that are not blank, with their numbers; every cell stays text ("001" is "001")."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file, strict=True)
            for cells in reader:
                if any("\0" in cell for cell in cells):
                    raise ActAlignError(f"{path}, line {reader.line_num}: holds a NUL character; the file is damaged")
                if any(cell.strip() for cell in cells):
                    yield reader.line_num, [cell.strip() for cell in cells]
    except FileNotFoundError as error:
        raise ActAlignError(f"{path.parent} has no {path.name}; add it (see actalign.datasets.folder)") from error
    except OSError as error:
        raise ActAlignError(f"cannot read {path}: {error.strerror}; check the file") from error
    except UnicodeDecodeError as error:
        raise ActAlignError(f"{path} is not UTF-8 text; save it as 'CSV UTF-8'") from error
    except csv.Error as error:
        raise ActAlignError(f"{path}, line {reader.line_num}: not valid CSV ({error}); mend that line") from error


def read_table(path: Path, required: tuple[str, ...]) -> tuple[list[str], list[Row]]:
    """The header and rows of a CSV file whose header has at least the ``required`` columns."""
    lines = cells_of(path)
    _, header = next(lines, (0, []))
    if absent := [column for column in required if column not in header]:
        joined = any(mark in cell for cell in header for mark in ";\t")
        hint = "separate the columns by commas" if joined else "add them to the first line"
        raise ActAlignError(f"{path}: column(s) {', '.join(absent)} missing; it has {header}: {hint}")
    if repeated := sorted({column for column in header if column and header.count(column) > 1}):
        raise ActAlignError(f"{path}: column {repeated[0]!r} appears twice; rename one")
    rows = []
    for number, cells in lines:
        where = f"{path}, line {number}"
        if len(cells) != len(header):
            raise ActAlignError(f"{where}: {len(cells)} cells under {len(header)} columns; write empty cells too")
        rows.append(Row(where, dict(zip(header, cells, strict=True))))
    if not rows:
        raise ActAlignError(f"{path} has a header but no rows; add at least one")
    return header, rows
