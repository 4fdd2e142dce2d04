"""What became of each clip, one JSON line at a time: a run that is killed loses at most the line it was writing."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from actalign.errors import ActAlignError
from actalign.files import append_line

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
    path = root / LEDGER
    if not path.exists():
        return {}
    found: dict[str, dict[str, Any]] = {}
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise ActAlignError(f"cannot read {path}: {error.strerror}; check the file") from error
    for line in lines:
        if (entry := _parse(line)) is not None:
            found[entry["id"]] = entry
    return found


def _parse(line: bytes) -> dict[str, Any] | None:
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return None
    whole = isinstance(entry, dict) and {"id", "state"} <= set(entry) and isinstance(entry["id"], str)
    return entry if whole else None
