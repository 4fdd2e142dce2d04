"""What became of each clip, one JSON line at a time: a run that is killed loses at most the line it was writing."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from actalign.files import append_line, read_lines

LEDGER = "ledger.jsonl"
REMEDY = "free some space or choose another folder. What was recorded before is intact"


def append(root: Path, line: Mapping[str, Any]) -> None:
    """Add one line to the ledger of a data set folder.

    Raises:
        ActAlignError: the ledger cannot be written.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     append(Path(folder), {"id": "a", "state": "done"})
    ...     latest(Path(folder))["a"]["state"]
    'done'
    """
    append_line(root / LEDGER, line, remedy=REMEDY)


def latest(root: Path) -> dict[str, dict[str, Any]]:
    """Clip id -> its latest line; a line torn by a kill is left out.

    Raises:
        ActAlignError: the ledger cannot be read.

    >>> latest(Path("nowhere"))
    {}
    """
    lines = (line for line in read_lines(root / LEDGER) if {"id", "state"} <= line.keys())
    return {line["id"]: line for line in lines if isinstance(line["id"], str)}
