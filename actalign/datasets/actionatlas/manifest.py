"""The manifest: every row of the benchmark and what became of its clip, as a table that two groups can compare.

It is made from the frozen metadata and the ledger, which are the truth; ``manifest.parquet`` is their copy for
reading elsewhere, the same bytes for the same content.
"""

import io
import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pandas as pd

from actalign.datasets.actionatlas.ledger import latest
from actalign.datasets.actionatlas.metadata import read_frozen, root_or_default
from actalign.datasets.actionatlas.rows import AtlasRow
from actalign.errors import ActAlignError
from actalign.files import write_whole
from actalign.masks import text_masks

MANIFEST = "manifest.parquet"
STATES = ("pending", "done", "failed")


@dataclass(frozen=True)
class Entry:
    """One row: which clip, its state, and why it is missing or what was found in its file.

    ``kind`` is the reason in a word or two ("private", "bot wall", ..., "row" for a row that is faulty itself) and
    ``reason`` in full. ``retryable`` says whether trying again may help; ``attempts`` are those of the run that
    settled it. ``file`` is below videos/; ``start_s`` and ``end_s`` are the clip's window in that file. Width and
    height are in pixels; ``frames`` and ``frame_rate`` (frames per second) were counted in the window, ``duration_s``
    is what the whole file's header says.
    ``masked_frames`` frames are blurred where they show telling words; ``masks`` is the digest of where, and
    ``masks_fit`` says whether the picture is large enough to hold it.
    """

    row: int
    id: str
    youtube_id: str
    sport: str
    action: str
    revision: str
    state: str = "pending"
    kind: str = ""
    reason: str = ""
    retryable: bool | None = None
    attempts: int = 0
    date: str = ""
    file: str = ""
    sha256: str = ""
    bytes: int | None = None
    codec: str = ""
    width: int | None = None
    height: int | None = None
    frames: int | None = None
    frame_rate: float | None = None
    duration_s: float | None = None
    start_s: float | None = None
    end_s: float | None = None
    masked_frames: int = 0
    masks: str = ""
    masks_fit: bool | None = None


FOUND = (
    *("state", "kind", "reason", "retryable", "attempts", "date", "file", "sha256", "bytes"),
    *("codec", "width", "height", "frames", "frame_rate", "duration_s", "start_s", "end_s"),
)
"""What a line of the ledger says about a clip."""


@dataclass(frozen=True)
class Manifest:
    """Every row of the benchmark, in its order.

    >>> entry = Entry(0, "7", "abc", "tennis", "lob", "main", state="failed", kind="private")
    >>> Manifest((entry,))
    Manifest(0 of 1 done; failed: 1 private)
    """

    entries: tuple[Entry, ...]

    def __len__(self) -> int:
        return len(self.entries)

    @property
    def done(self) -> tuple[str, ...]:
        """The ids of the clips that are there."""
        return tuple(entry.id for entry in self.entries if entry.state == "done")

    @property
    def missing(self) -> dict[str, int]:
        """How many failed for each kind of reason, most frequent first."""
        return dict(Counter(entry.kind for entry in self.entries if entry.state == "failed").most_common())

    def by_id(self) -> dict[str, Entry]:
        """Id -> entry; of rows that share an id, the first."""
        return {entry.id: entry for entry in reversed(self.entries)}

    def table(self) -> pd.DataFrame:
        """The same as a table, one row per row of the benchmark."""
        return pd.DataFrame([asdict(entry) for entry in self.entries], columns=[field.name for field in fields(Entry)])

    def __repr__(self) -> str:
        pending = sum(entry.state == "pending" for entry in self.entries)
        parts = [f"{len(self.done)} of {len(self)} done"]
        if self.missing:
            parts.append("failed: " + ", ".join(f"{count} {kind}" for kind, count in self.missing.items()))
        return f"Manifest({'; '.join([*parts, f'{pending} pending'] if pending else parts)})"


@dataclass(frozen=True)
class Comparison:
    """Two manifests side by side: ids that are done in both, in one alone, and in both but from another file."""

    common: tuple[str, ...]
    only_a: tuple[str, ...]
    only_b: tuple[str, ...]
    other_content: tuple[str, ...]

    def __repr__(self) -> str:
        return (
            f"Comparison({len(self.common)} common, of which {len(self.other_content)} with other content; "
            f"{len(self.only_a)} only in a, {len(self.only_b)} only in b)"
        )


def read_manifest(root: str | os.PathLike[str] | None = None) -> Manifest:
    """The manifest of a data set folder, made afresh from its metadata and ledger.

    Raises:
        ActAlignError: nothing was fetched there yet, or a file of it is damaged.
    """
    folder = root_or_default(root)
    metadata = read_frozen(folder)
    return fold(metadata.rows, latest(folder), revision=metadata.revision)


def fold(rows: tuple[AtlasRow, ...], lines: Mapping[str, Mapping[str, Any]], *, revision: str) -> Manifest:
    """The manifest of some rows and of the latest line of the ledger for each id.

    >>> fold((AtlasRow(0, "7", clip_fault="no window"),), {}, revision="main").entries[0].state
    'failed'
    """
    return Manifest(tuple(_entry(row, lines.get(row.id, {}), revision) for row in rows))


def _entry(row: AtlasRow, line: Mapping[str, Any], revision: str) -> Entry:
    masks = text_masks(row.regions)
    entry = Entry(
        row.number, row.id, row.youtube_id, row.sport, row.action, revision,
        start_s=row.start_s, end_s=row.end_s, masked_frames=len(masks), masks=masks.digest,
    )  # fmt: skip
    if row.fault:
        return replace(entry, state="failed", kind="row", reason=row.fault, retryable=False)
    entry = replace(entry, **{name: line[name] for name in FOUND if name in line})
    if masks and entry.width is not None and entry.height is not None:
        width, height = masks.extent
        entry = replace(entry, masks_fit=width <= entry.width and height <= entry.height)
    return entry


def export_manifest(path: str | os.PathLike[str], *, root: str | os.PathLike[str] | None = None) -> Path:
    """Write the manifest of a data set folder as one parquet file, for another group. It names no local folder.

    Raises:
        ActAlignError: as :func:`read_manifest`; or the file cannot be written, or the extra is not installed.
    """
    arrow = _arrow()
    rows = [asdict(entry) for entry in read_manifest(root).entries]
    content = io.BytesIO()
    arrow.parquet.write_table(arrow.Table.from_pylist(rows, schema=_schema(arrow)), content)
    write_whole(path, content.getvalue())
    return Path(path)


def write_manifest(root: str | os.PathLike[str] | None = None) -> Path:
    """Write ``manifest.parquet`` into the data set's own folder; see :func:`export_manifest`."""
    folder = root_or_default(root)
    return export_manifest(folder / MANIFEST, root=folder)


def import_manifest(path: str | os.PathLike[str]) -> Manifest:
    """A manifest from the parquet file that :func:`export_manifest` wrote, here or elsewhere.

    Raises:
        ActAlignError: the file is missing, not a manifest, or of another make.

    >>> import_manifest("nowhere.parquet")
    Traceback (most recent call last):
    actalign.errors.ActAlignError: nowhere.parquet does not exist; give the manifest.parquet of a data set folder
    """
    path = Path(path)
    if not path.is_file():
        raise ActAlignError(f"{path} does not exist; give the manifest.parquet of a data set folder")
    arrow = _arrow()
    schema = _schema(arrow)
    try:
        table = arrow.parquet.read_table(path)
        if absent := [name for name in schema.names if name not in table.column_names]:
            raise ActAlignError(f"{path} is no manifest: it has no column {absent[0]!r}; export it again")
        rows = table.select(schema.names).cast(schema).to_pylist()
    except (OSError, arrow.ArrowException) as error:
        raise ActAlignError(f"{path} cannot be read as a manifest ({error}); export it again") from error
    if odd := [row["state"] for row in rows if row["state"] not in STATES]:
        raise ActAlignError(f"{path}: state {odd[0]!r} is unknown, not one of {STATES}; export it again")
    return Manifest(tuple(Entry(**row) for row in rows))


def compare(a: Manifest, b: Manifest) -> Comparison:
    """What two manifests have in common; restrict both runs to ``common`` before comparing their numbers.

    ``other_content`` are common clips whose files or windows differ: another download of the same video.

    Raises:
        ActAlignError: they are of different revisions of the benchmark.

    >>> entry = Entry(0, "7", "abc", "tennis", "lob", "main", state="done")
    >>> compare(Manifest((entry,)), Manifest((entry,))).common
    ('7',)
    """
    revisions = [{entry.revision for entry in manifest.entries} for manifest in (a, b)]
    if revisions[0] != revisions[1]:
        raise ActAlignError(f"the manifests are of different revisions, {revisions[0]} and {revisions[1]}")
    in_a, in_b = ({each.id: each for each in manifest.entries if each.state == "done"} for manifest in (a, b))
    common = tuple(clip_id for clip_id in in_a if clip_id in in_b)
    return Comparison(
        common,
        only_a=tuple(clip_id for clip_id in in_a if clip_id not in in_b),
        only_b=tuple(clip_id for clip_id in in_b if clip_id not in in_a),
        other_content=tuple(clip_id for clip_id in common if _content(in_a[clip_id]) != _content(in_b[clip_id])),
    )


def _content(entry: Entry) -> tuple[object, ...]:
    return entry.sha256, entry.start_s, entry.end_s, entry.masks


def _arrow() -> Any:
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise ActAlignError("a manifest file needs the extra: pip install 'actalign[actionatlas]'") from error
    return pyarrow


def _schema(arrow: Any) -> Any:
    types = {str: arrow.string(), int: arrow.int64(), bool: arrow.bool_(), float: arrow.float64()}
    hints = get_type_hints(Entry)
    return arrow.schema([(name, types[(get_args(hint) or (hint,))[0]]) for name, hint in hints.items()])
