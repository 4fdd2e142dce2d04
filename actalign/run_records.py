"""What a notebook depended on and what it wrote, so that one that is current is not run again.

A record lies in ``data/results/runs/<stem>.json``: a key made of everything the notebook depends on, and the sha256
of every file it wrote.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from actalign import paths
from actalign.files import file_sha256, write_whole
from actalign.notebook import read_notebook
from actalign.results import LIBRARIES, versions

ATLAS, LEDGERS = paths.DATA / "actionatlas", ("metadata.jsonl", "ledger.jsonl")
"""What the notebook ``actionatlas`` reads, and what changes there when something is fetched."""
WATCHED = (*LIBRARIES, "anywidget", "ipywidgets")


@dataclass(frozen=True)
class Record:
    """What a notebook depended on (``key``), what it wrote ({path: sha256}) and how long it took.

    Paths are relative to the project where they lie in it.
    """

    key: str
    outputs: dict[str, str]
    seconds: float

    def is_current(self, key: str) -> bool:
        """Whether it was made from the same things and its files are still those."""
        return self.key == key and self.is_whole()

    def is_whole(self) -> bool:
        """Whether the files that it wrote are still those."""
        files = [(paths.ROOT / name, digest) for name, digest in self.outputs.items()]
        return all(path.is_file() and file_sha256(path) == digest for path, digest in files)


@dataclass(frozen=True)
class Outcome:
    """What became of a notebook: its record, or the reason where it failed, was not run or had nothing to show."""

    stem: str
    state: Literal["ran", "reused", "failed", "not run", "left out"]
    record: Record | None = None
    reason: str = ""


def package_files() -> dict[str, str]:
    """The sha256 of every file of the package."""
    package = Path(__file__).resolve().parent
    files = (path for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(package).as_posix(): file_sha256(path) for path in files}


def surroundings(given: Mapping[str, Any]) -> dict[str, Any]:
    """What every notebook depends on: the package, the libraries, the sample, and the parameters ``given``."""
    registry = paths.SAMPLE / "registry.sha256"
    return {
        "package": package_files(),
        "versions": versions(WATCHED),
        "sample": file_sha256(registry) if registry.is_file() else "",
        "given": dict(given),
    }


def key_of(notebook: Path, *, around: Mapping[str, Any], upstream: Mapping[str, Record]) -> str:
    """A text that differs when the notebook's cells, its surroundings or the results before it do."""
    cells = [(cell.cell_type, cell.metadata.get("tags", []), cell.source) for cell in read_notebook(notebook).cells]
    inputs: dict[str, Any] = {stem: record.outputs for stem, record in upstream.items()}
    if notebook.stem == "actionatlas":
        inputs["files"] = {name: file_sha256(ATLAS / name) for name in LEDGERS if (ATLAS / name).is_file()}
    return hashlib.sha256(json.dumps([cells, around, inputs], sort_keys=True).encode()).hexdigest()


def read_record(notebook: Path) -> Record | None:
    """The record of the last complete run; None when there is none or it cannot be read, so the notebook runs."""
    try:
        record = Record(**json.loads(_path(notebook).read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError, RecursionError):
        return None
    return record if isinstance(record.outputs, dict) and isinstance(record.seconds, int | float) else None


def write_record(notebook: Path, record: Record) -> None:
    write_whole(_path(notebook), json.dumps(asdict(record), indent=1, sort_keys=True) + "\n")


def forget(notebook: Path) -> None:
    """Delete what the last complete run wrote, unless it has changed since, and its record."""
    record = read_record(notebook)
    for name, digest in record.outputs.items() if record else ():
        path = paths.ROOT / name
        if path.is_file() and file_sha256(path) == digest:
            path.unlink()
    _path(notebook).unlink(missing_ok=True)


def _path(notebook: Path) -> Path:
    return paths.RESULTS / "runs" / f"{notebook.stem}.json"


def snapshot() -> dict[Path, tuple[int, int, int]]:
    """Identity of every result and figure; a file written anew differs even when its bytes are the same."""
    own = {paths.RESULTS / "runs", paths.RESULTS / "executed"}
    files = (path for folder in (paths.RESULTS, paths.FIGURES) for path in folder.rglob("*") if path.is_file())
    kept = (path for path in files if own.isdisjoint(path.parents) and not path.name.startswith("."))
    return {path: (stat.st_mtime_ns, stat.st_ino, stat.st_size) for path in kept for stat in [path.stat()]}


def written_since(before: Mapping[Path, tuple[int, int, int]]) -> dict[str, str]:
    """The sha256 of every file that :func:`snapshot` finds new or written anew, by its path."""
    written = sorted(path for path, identity in snapshot().items() if before.get(path) != identity)
    return {short_path(path): file_sha256(path) for path in written}


def short_path(path: Path) -> str:
    """The path from the project's root where it lies in it.

    >>> short_path(paths.ROOT / "figures" / "a.pdf")
    'figures/a.pdf'
    """
    return (path.relative_to(paths.ROOT) if path.is_relative_to(paths.ROOT) else path).as_posix()
