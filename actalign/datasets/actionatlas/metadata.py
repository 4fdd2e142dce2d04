"""The released table of ActionAtlas: from the hub, or from a copy on disk; frozen in one JSONL file with its revision.

Once frozen it is never fetched again, so that a data set cannot change under a run.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from actalign import paths
from actalign.datasets.actionatlas.rows import MASK_COLUMNS, UNREADABLE, AtlasRow, parse_rows
from actalign.errors import ActAlignError
from actalign.files import write_whole

HUB_ID = "mrsalehi/ActionAtlas-v1.0"
SPLIT = "test"
COLUMNS = ("youtube_id", "answer", "choices_str", "start_timestamp", "end_timestamp")
"""What a table must have to be taken for the benchmark."""
FROZEN = "metadata.jsonl"


@dataclass(frozen=True)
class Metadata:
    """The rows as released, where they come from (a hub id or a file's name) and which revision.

    ``asked_for`` is the revision by the name it was asked for (a tag or branch), where it was.
    """

    source: str
    revision: str
    raw_rows: tuple[Mapping[str, Any], ...]
    asked_for: str = ""

    @property
    def rows(self) -> tuple[AtlasRow, ...]:
        return parse_rows(self.raw_rows)

    def __repr__(self) -> str:
        return f"Metadata({len(self.raw_rows)} rows of {self.source}, revision {self.revision})"


def root_or_default(root: str | os.PathLike[str] | None) -> Path:
    """The folder of the data set: data/actionatlas unless another is given.

    >>> root_or_default("elsewhere").name, root_or_default(None).name
    ('elsewhere', 'actionatlas')
    """
    return paths.DATA / "actionatlas" if root is None else Path(root)


def read_hub(*, revision: str = "main") -> Metadata:
    """Download the table from the hub; ``revision`` is a commit, tag or branch, and the commit is what is recorded.

    Raises:
        ActAlignError: the extra is not installed, the hub cannot be reached, or its table has other columns.
    """
    library = _library()
    with _reading(f"{HUB_ID} (revision {revision!r}) from the hub", library):
        builder = library.load_dataset_builder(HUB_ID, revision=revision)
        builder.download_and_prepare()
        table = builder.as_dataset(split=SPLIT)
    return replace(_checked(HUB_ID, str(builder.hash), list(table)), asked_for=revision)


def read_copy(path: str | os.PathLike[str], *, revision: str = "") -> Metadata:
    """Read a copy of the table: one parquet file, the JSONL release, or a folder of either, as the hub has it.

    Args:
        path: the copy.
        revision: what the copy is of; by default the sha256 of the file.

    Raises:
        ActAlignError: no such file, not one of these formats, or other columns. A line of JSONL that cannot be read
            is a row with a fault.

    >>> read_copy("nowhere.parquet")
    Traceback (most recent call last):
    actalign.errors.ActAlignError: nowhere.parquet does not exist; give a parquet or JSONL copy of the benchmark's table
    """
    path = Path(path)
    files = _files(path)
    raw: list[Mapping[str, Any]] = []
    digest = hashlib.sha256()
    for file in files:
        raw += _read_parquet(file) if file.suffix == ".parquet" else _read_jsonl(file)
        digest.update(file.read_bytes())
    return _checked(path.name, revision or f"sha256:{digest.hexdigest()}", raw)


def ensure(
    root: str | os.PathLike[str] | None = None,
    *,
    copy: str | os.PathLike[str] | None = None,
    revision: str | None = None,
) -> Metadata:
    """The table frozen in the data set's folder; where there is none yet, from a copy or the hub, frozen now.

    Raises:
        ActAlignError: as :func:`read_copy`, :func:`read_hub` and :func:`freeze`: another table or revision than the
            frozen one is asked for.
    """
    folder = root_or_default(root)
    if not (folder / FROZEN).exists():
        freeze(
            read_hub(revision=revision or "main") if copy is None else read_copy(copy, revision=revision or ""), folder
        )
        return read_frozen(folder)
    frozen = read_frozen(folder)
    if revision not in (None, frozen.revision, frozen.asked_for):
        raise ActAlignError(f"{folder} holds {frozen} already, not revision {revision!r}; choose another folder")
    if copy is not None:
        freeze(read_copy(copy), folder)
    return frozen


def freeze(metadata: Metadata, root: str | os.PathLike[str] | None = None) -> Path:
    """Write the table into the data set's folder, once.

    Raises:
        ActAlignError: the folder holds another table already, or cannot be written.
    """
    folder = root_or_default(root)
    if (folder / FROZEN).exists():
        frozen = read_frozen(folder)
        if frozen.rows != metadata.rows:
            raise ActAlignError(f"{folder} holds {frozen} already, not {metadata}; choose another folder")
        return folder / FROZEN
    head = {"source": metadata.source, "revision": metadata.revision, "rows": len(metadata.raw_rows)}
    head |= {"asked_for": metadata.asked_for} if metadata.asked_for else {}
    lines = [json.dumps(line, default=str) + "\n" for line in (head, *metadata.raw_rows)]
    write_whole(folder / FROZEN, "".join(lines))
    return folder / FROZEN


def read_frozen(root: str | os.PathLike[str] | None = None) -> Metadata:
    """The table that :func:`freeze` wrote.

    Raises:
        ActAlignError: there is none yet, or it is damaged.

    >>> read_frozen("nowhere")
    Traceback (most recent call last):
    actalign.errors.ActAlignError: nowhere has no metadata.jsonl yet; fetch ActionAtlas first, from the hub or a copy
    """
    path = root_or_default(root) / FROZEN
    if not path.is_file():
        raise ActAlignError(f"{path.parent} has no {FROZEN} yet; fetch ActionAtlas first, from the hub or a copy")
    try:
        head, *rows = map(json.loads, path.read_text(encoding="utf-8").splitlines())
        whole = len(rows) == head["rows"]
        metadata = Metadata(head["source"], head["revision"], tuple(rows), head.get("asked_for", ""))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ActAlignError(f"{path} is damaged ({error}); delete it and fetch the table again") from error
    if not whole:
        raise ActAlignError(f"{path} is damaged ({len(rows)} of {head['rows']} rows); delete it and fetch it again")
    return metadata


def _library() -> Any:
    try:
        import datasets
    except ImportError as error:
        raise ActAlignError("reading this table needs the extra: pip install 'actalign[actionatlas]'") from error
    return datasets


@contextmanager
def _reading(what: str, library: Any) -> Iterator[None]:
    shown = library.is_progress_bar_enabled()
    library.disable_progress_bars()
    try:
        yield
    except (OSError, ValueError, RuntimeError, library.exceptions.DatasetsError) as error:
        reason = " ".join(str(error).split())
        raise ActAlignError(
            f"cannot read {what}: {reason:.300}; check the network, or give a parquet or JSONL copy by its path"
        ) from error
    finally:
        if shown:
            library.enable_progress_bars()


def _files(path: Path) -> list[Path]:
    if not path.exists():
        raise ActAlignError(f"{path} does not exist; give a parquet or JSONL copy of the benchmark's table")
    files = [path]
    if path.is_dir():
        files = (
            sorted(path.rglob(f"{SPLIT}*.parquet")) or sorted(path.rglob("*.parquet")) or sorted(path.glob("*.jsonl"))
        )
    if not files or files[0].suffix not in (".parquet", ".jsonl", ".json"):
        raise ActAlignError(f"{path} is not a parquet or JSONL file, nor a folder of them; give a copy of the table")
    return files


def _read_parquet(path: Path) -> list[Mapping[str, Any]]:
    library = _library()
    with TemporaryDirectory() as scratch, _reading(str(path), library):
        table = library.load_dataset("parquet", data_files={SPLIT: str(path)}, split=SPLIT, cache_dir=scratch)
        return list(table)


def _read_jsonl(path: Path) -> list[Mapping[str, Any]]:
    """The rows of a file with one JSON object a line, or of one JSON list."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ActAlignError(f"cannot read {path} ({error}); give a JSONL copy of the table") from error
    if text.lstrip().startswith("["):
        try:
            return [_object(row, "an entry of the list") for row in json.loads(text)]
        except (ValueError, RecursionError) as error:
            raise ActAlignError(f"{path} is not valid JSON ({error}); copy it again") from error
    # Not str.splitlines: it would also cut at the odd separators that a JSON string may hold.
    return [_line(line, number) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]


def _line(line: str, number: int) -> Mapping[str, Any]:
    try:
        return _object(json.loads(line), f"line {number}")
    except (ValueError, RecursionError) as error:
        return {UNREADABLE: f"line {number} is not valid JSON ({error})"}


def _object(value: Any, where: str) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {UNREADABLE: f"{where} is {value!r:.80}, not an object"}


def _checked(source: str, revision: str, raw_rows: list[Mapping[str, Any]]) -> Metadata:
    known = {column for row in raw_rows for column in row}
    if absent := [column for column in COLUMNS if column not in known]:
        raise ActAlignError(f"{source} has no column {absent[0]!r}, only {sorted(known)}; is it ActionAtlas?")
    return Metadata(source, revision, tuple(map(_compact, raw_rows)))


def _compact(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    """A row without the null frames that a table must list for every frame any other row masks."""
    row = dict(raw)
    for name in MASK_COLUMNS:
        if isinstance(row.get(name), dict):
            row[name] = {number: texts for number, texts in row[name].items() if texts}
    return row
