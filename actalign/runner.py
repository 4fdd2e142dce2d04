"""Runs every notebook in order and reuses what is current: ``python -m actalign.runner``.

Notebooks whose name starts with a digit, and ``OTHERS``, compute and write results; ``table_*`` and ``fig_*`` read
those and draw. Each run leaves a record in ``data/results/runs/``: a key made of everything the notebook depends on,
and the sha256 of every file it wrote. A notebook whose key and files are unchanged is not run again.
"""

import argparse
import hashlib
import importlib.metadata
import json
import platform
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from actalign import paths
from actalign.errors import ActAlignError
from actalign.files import write_whole
from actalign.notebook import check_sources, read_notebook, read_parameters, run_notebook

__all__ = ["check_sources", "main", "plan", "read_parameters", "run_notebook"]

KINDS = ("table_", "fig_")
OTHERS = ("actionatlas", "own_videos")
"""Notebooks that compute for themselves; they run after those that others build on."""
ATLAS, LEDGERS = paths.DATA / "actionatlas", ("metadata.jsonl", "ledger.jsonl")
"""What the notebook ``actionatlas`` reads, and what changes there when something is fetched."""
WATCHED = ("av", "matplotlib", "numpy", "pandas", "scikit-learn", "scipy", "seaborn", "torch", "transformers")
INTERRUPTED = 130
TICK_S = 1.0


@dataclass(frozen=True)
class Record:
    """What a notebook depended on (``key``), what it wrote ({path from the root: sha256}) and how long it took."""

    key: str
    outputs: dict[str, str]
    seconds: float


def plan(folder: Path) -> list[Path]:
    """The notebooks of a folder in the order they run: compute first, then tables, then figures.

    Raises ActAlignError for an empty folder or a name that tells no stage.
    """
    notebooks = sorted(folder.glob("*.ipynb"), key=lambda path: (_stage(path), path.stem))
    if not notebooks:
        raise ActAlignError(f"no notebooks in {folder}; run this from a full copy of the project")
    return notebooks


def _stage(path: Path) -> int:
    if path.stem[0].isdigit() or path.stem in OTHERS:
        return 0
    for stage, prefix in enumerate(KINDS, start=1):
        if path.stem.startswith(prefix):
            return stage
    raise ActAlignError(f"{path.name}: a notebook's name starts with a digit (it computes) or {' or '.join(KINDS)}")


def _computes(path: Path) -> bool:
    return _stage(path) == 0


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _package_files() -> dict[str, str]:
    package = Path(__file__).resolve().parent
    files = (path for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(package).as_posix(): _sha256(path.read_bytes()) for path in files}


def _versions() -> dict[str, str]:
    installed = {dist.name.lower(): dist.version for dist in importlib.metadata.distributions()}
    return {"python": platform.python_version(), **{name: installed.get(name, "") for name in WATCHED}}


def _surroundings() -> dict[str, Any]:
    """What every notebook depends on: the package, the libraries that shape numbers and pictures, the sample."""
    registry = paths.SAMPLE / "registry.sha256"
    return {
        "package": _package_files(),
        "versions": _versions(),
        "sample": _sha256(registry.read_bytes()) if registry.is_file() else "",
    }


def _key(notebook: Path, *, surroundings: Mapping[str, Any], upstream: Mapping[str, Record]) -> str:
    cells = [(cell.cell_type, cell.metadata.get("tags", []), cell.source) for cell in read_notebook(notebook).cells]
    inputs: dict[str, Any] = {stem: record.outputs for stem, record in upstream.items()}
    if notebook.stem == "actionatlas":
        inputs["files"] = {name: _sha256((ATLAS / name).read_bytes()) for name in LEDGERS if (ATLAS / name).is_file()}
    return _sha256(json.dumps([cells, surroundings, inputs], sort_keys=True).encode())


def _record_path(notebook: Path) -> Path:
    return paths.RESULTS / "runs" / f"{notebook.stem}.json"


def _read_record(notebook: Path) -> Record | None:
    """The record of the last complete run; None when there is none or it cannot be read, so the notebook runs."""
    try:
        return Record(**json.loads(_record_path(notebook).read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def _write_record(notebook: Path, record: Record) -> None:
    write_whole(_record_path(notebook), json.dumps(asdict(record), indent=1, sort_keys=True) + "\n")


def _is_current(record: Record, key: str) -> bool:
    files = ((paths.ROOT / name, digest) for name, digest in record.outputs.items())
    return record.key == key and all(path.is_file() and _sha256(path.read_bytes()) == digest for path, digest in files)


def _snapshot() -> dict[Path, tuple[int, int, int]]:
    """Identity of every result and figure; a file written anew differs even when its bytes are the same."""
    own = {paths.RESULTS / "runs", paths.RESULTS / "executed"}
    files = (path for folder in (paths.RESULTS, paths.FIGURES) for path in folder.rglob("*") if path.is_file())
    kept = (path for path in files if own.isdisjoint(path.parents) and not path.name.startswith("."))
    return {path: (stat.st_mtime_ns, stat.st_ino, stat.st_size) for path in kept for stat in [path.stat()]}


def _run(notebook: Path, key: str) -> Record:
    before = _snapshot()
    start = time.monotonic()
    run_notebook(notebook, output=paths.RESULTS / "executed" / notebook.name)
    seconds = round(time.monotonic() - start, 1)
    written = sorted(path for path, identity in _snapshot().items() if before.get(path) != identity)
    if not written and not _computes(notebook):
        raise ActAlignError(f"{notebook.name} wrote nothing under {paths.FIGURES} or {paths.RESULTS}; let it save")
    outputs = {path.relative_to(paths.ROOT).as_posix(): _sha256(path.read_bytes()) for path in written}
    record = Record(key, outputs, seconds)
    _write_record(notebook, record)
    return record


@contextmanager
def _clock(label: str) -> Iterator[None]:
    """On a terminal, counts the seconds behind ``label`` while the block runs; elsewhere nothing is printed."""
    done = threading.Event()

    def count() -> None:
        start = time.monotonic()
        while not done.wait(TICK_S):
            print(f"\r{label}{time.monotonic() - start:4.0f}   s", end="", flush=True)

    ticker = threading.Thread(target=count, daemon=True)
    if sys.stdout.isatty():
        ticker.start()
    try:
        yield
    finally:
        done.set()
        if ticker.is_alive():
            ticker.join()
            print(f"\r{label}", end="", flush=True)


def _selected(notebooks: Sequence[Path], only: Sequence[str]) -> list[Path]:
    known = [notebook.stem for notebook in notebooks]
    unknown = [stem for stem in only if stem not in known]
    if unknown:
        raise ActAlignError(f"no notebook named {', '.join(unknown)}; there are: {', '.join(known)}")
    return [notebook for notebook in notebooks if not only or notebook.stem in only]


def run_plan(notebooks: Sequence[Path], *, only: Sequence[str] = (), force: bool = False) -> dict[str, Record]:
    """Runs what is not current, one line of progress each; returns the records of the notebooks that ran.

    A compute notebook depends on what the compute notebooks before it wrote, one that draws on all of them.
    ``only`` names the stems to look at; ``force`` runs them even when they are current.
    """
    chosen = _selected(notebooks, only)
    check_sources(chosen)
    surroundings = _surroundings()
    upstream: dict[str, Record] = {}
    looked_at: dict[str, Record] = {}
    ran: dict[str, Record] = {}
    width = max(len(notebook.stem) for notebook in chosen)
    for notebook in notebooks:
        record = _read_record(notebook)
        if notebook in chosen:
            label = f"[{len(looked_at) + 1:>2}/{len(chosen)}] {notebook.stem:<{width}} "
            print(label, end="", flush=True)
            key = _key(notebook, surroundings=surroundings, upstream=upstream)
            if record is not None and not force and _is_current(record, key):
                print("  reused")
            else:
                with _clock(label):
                    record = ran[notebook.stem] = _run(notebook, key)
                print(f"{record.seconds:6.1f} s")
            looked_at[notebook.stem] = record
        if record is not None and _computes(notebook) and notebook.stem not in OTHERS:
            upstream[notebook.stem] = record
    _refuse_shared_outputs(looked_at)
    return ran


def _refuse_shared_outputs(records: Mapping[str, Record]) -> None:
    """Two notebooks that write the same file would each undo the other's record for ever."""
    writer: dict[str, str] = {}
    for stem, record in records.items():
        for name in record.outputs:
            if name in writer:
                raise ActAlignError(f"{writer[name]} and {stem} both write {name}; give each a file of its own")
            writer[name] = stem


def main_table(path: Path) -> str:
    """``data/results/main.csv`` for people: a line for each method, accuracies in percent with 95% intervals."""
    if not path.is_file():
        raise ActAlignError(f"{path} is not there: no notebook wrote the main table")
    table = pd.read_csv(path)
    missing = [name for name in ("method", "top1", "top1_low", "top1_high", "top2", "top3", "n") if name not in table]
    if missing:
        raise ActAlignError(f"{path} has no column {', '.join(missing)}; it has {', '.join(table.columns)}")
    rows = [("method", "Top-1 [95% interval]", "Top-2", "Top-3", "n")]
    for row in table.itertuples():
        interval = f"{row.top1:.1f} [{row.top1_low:5.1f}, {row.top1_high:5.1f}]"
        rows.append((str(row.method), interval, f"{row.top2:.1f}", f"{row.top3:.1f}", f"{row.n}"))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(_table_line(row, widths) for row in rows)


def _table_line(row: Sequence[str], widths: Sequence[int]) -> str:
    numbers = (cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
    return "  ".join([row[0].ljust(widths[0]), *numbers])


def _report(ran: Mapping[str, Record]) -> None:
    written = sorted(name for record in ran.values() for name in record.outputs)
    print(f"\nwrote {len(written)} files:" if written else "\nnothing to write: all results and figures are current")
    for name in written:
        print(f"  {name}")


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m actalign.runner", description="Run the notebooks that are not current."
    )
    parser.add_argument("--only", nargs="+", default=[], metavar="STEM", help="look at these notebooks only")
    parser.add_argument("--force", action="store_true", help="run also what is current")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """The command. Returns 0, 1 after an error (one line on stderr), or 130 after Ctrl-C."""
    arguments = _arguments(argv)
    try:
        ran = run_plan(plan(paths.NOTEBOOKS), only=arguments.only, force=arguments.force)
        _report(ran)
        if not arguments.only:
            print("\n" + main_table(paths.RESULTS / "main.csv"))
    except (ActAlignError, OSError) as error:
        print(f"\nerror: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ninterrupted; finished notebooks are kept, the same command goes on from here", file=sys.stderr)
        return INTERRUPTED
    return 0


if __name__ == "__main__":
    sys.exit(main())
