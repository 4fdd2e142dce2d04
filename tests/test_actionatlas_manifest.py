from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from atlas_copy import GOAL, SCORE, atlas_row, write_jsonl

from actalign.datasets.actionatlas.ledger import LEDGER, append, latest
from actalign.datasets.actionatlas.manifest import (
    Entry,
    Manifest,
    compare,
    export_manifest,
    import_manifest,
    read_manifest,
    write_manifest,
)
from actalign.datasets.actionatlas.metadata import ensure
from actalign.errors import ActAlignError

DONE: dict[str, Any] = {
    "state": "done",
    "attempts": 1,
    "date": "2026-01-02T00:00:00+00:00",
    "file": "video0.mp4",
    "sha256": "0f",
    "bytes": 10,
    "codec": "h264",
    "width": 64,
    "height": 48,
    "frames": 15,
    "frame_rate": 15.0,
    "duration_s": 3.0,
}
FAILED: dict[str, Any] = {"state": "failed", "kind": "private", "reason": "Private video", "retryable": False}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with five rows: done, failed, faulty, and two of which nothing is known."""
    rows = [atlas_row(0), atlas_row(1), atlas_row(2, answer=0), atlas_row(3), atlas_row(4)]
    rows[3]["frames_to_obfuscate"] = {"1": [GOAL], "2": [SCORE]}  # a number is no telling word
    ensure(tmp_path / "atlas", copy=write_jsonl(tmp_path / "table.jsonl", rows), revision="abc123")
    append(tmp_path / "atlas", {"id": "000", **DONE})
    append(tmp_path / "atlas", {"id": "001", **FAILED})
    return tmp_path / "atlas"


def test_every_row_of_the_table_is_in_the_manifest(root: Path) -> None:
    manifest = read_manifest(root)
    assert [entry.state for entry in manifest.entries] == ["done", "failed", "failed", "pending", "pending"]
    assert [entry.kind for entry in manifest.entries] == ["", "private", "row", "", ""]
    assert repr(manifest) == "Manifest(1 of 5 done; failed: 1 private, 1 row; 2 pending)"
    assert manifest.done == ("000",) and len(manifest) == 5
    assert {entry.revision for entry in manifest.entries} == {"abc123"}
    assert [entry.masked_frames for entry in manifest.entries] == [2, 0, 0, 1, 0]
    assert [bool(entry.masks) for entry in manifest.entries] == [True, False, False, True, False]


def test_the_file_holds_what_the_manifest_holds_in_real_types(root: Path) -> None:
    path = write_manifest(root)
    assert path == root / "manifest.parquet"
    assert import_manifest(path) == read_manifest(root)
    schema = pyarrow.parquet.read_schema(path)
    assert str(schema.field("bytes").type) == "int64" and str(schema.field("retryable").type) == "bool"
    table = read_manifest(root).table()
    assert table.shape == (5, len(schema.names)) and list(table.columns) == schema.names


def test_the_same_content_gives_the_same_bytes(root: Path, tmp_path: Path) -> None:
    first = write_manifest(root).read_bytes()
    append(root, {"id": "001", **FAILED})
    assert export_manifest(tmp_path / "b.parquet", root=root).read_bytes() == first


def test_the_export_names_no_local_folder(root: Path, tmp_path: Path) -> None:
    assert str(tmp_path).encode() not in export_manifest(tmp_path / "b.parquet", root=root).read_bytes()


def test_the_latest_line_of_the_ledger_counts(root: Path) -> None:
    append(root, {"id": "001", **DONE, "file": "video1.mp4"})
    append(root, {"id": "gone from the table", **DONE})
    assert read_manifest(root).done == ("000", "001")
    entry = read_manifest(root).by_id()["001"]
    assert (entry.kind, entry.reason, entry.retryable) == ("", "", None)


def test_torn_and_foreign_lines_are_left_out_and_the_next_line_is_whole(root: Path) -> None:
    with (root / LEDGER).open("ab") as ledger:
        ledger.write(
            b'[1]\n{"id": "002"}\n{"id": ["000"], "state": "done"}\n'
            + b"[" * 99_999
            + b'\n\xff\n{"id": "003", "state": "do'
        )
    append(root, {"id": "004", **DONE})
    assert sorted(latest(root)) == ["000", "001", "004"]


def test_masks_that_reach_outside_the_picture_are_marked(root: Path) -> None:
    append(root, {"id": "001", **DONE})
    for width, height, fits in ((40, 20, True), (39, 20, False), (40, 19, False)):
        append(root, {"id": "000", **DONE, "width": width, "height": height})
        assert [entry.masks_fit for entry in read_manifest(root).entries[:2]] == [fits, None]


def entry(clip_id: str, **changed: Any) -> Entry:
    return Entry(0, clip_id, "v", "judo", "throw", "abc123", **changed)


def test_reasons_are_counted_most_frequent_first_and_of_equal_ids_the_first_counts() -> None:
    kinds = ("geo", "private", "private")
    manifest = Manifest(tuple(entry("1", state="failed", kind=kind) for kind in kinds))
    assert list(manifest.missing.items()) == [("private", 2), ("geo", 1)]
    assert manifest.by_id()["1"].kind == "geo"


def test_two_manifests_are_compared_by_what_both_have() -> None:
    done = {"state": "done", "sha256": "0f", "start_s": 0.5, "end_s": 1.5}
    others: list[dict[str, Any]] = [{"sha256": "aa"}, {"start_s": 0.4}, {"end_s": 1.6}, {"masks": "aa"}]
    a = Manifest((entry("1", **done), entry("2", **done), entry("3"), *(entry(n, **done) for n in "4567")))
    b = Manifest(
        (
            *(entry("1", **done), entry("2"), entry("3", **done)),
            *(entry(n, **{**done, **other}) for n, other in zip("4567", others, strict=True)),
        )
    )
    found = compare(a, b)
    assert found.common == ("1", "4", "5", "6", "7")
    assert (found.only_a, found.only_b, found.other_content) == (("2",), ("3",), ("4", "5", "6", "7"))
    assert repr(found) == "Comparison(5 common, of which 4 with other content; 1 only in a, 1 only in b)"
    assert compare(b, a).common == found.common


def test_other_revisions_are_not_compared() -> None:
    a = Manifest((entry("1"),))
    with pytest.raises(ActAlignError, match="different revisions"):
        compare(a, Manifest((replace(a.entries[0], revision="def"),)))


def test_files_that_are_no_manifests_are_refused(root: Path, tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1 no more")
    pyarrow.parquet.write_table(pyarrow.table({"id": ["1"]}), tmp_path / "b.parquet")
    table = pyarrow.parquet.read_table(write_manifest(root))
    odd = table.set_column(table.column_names.index("state"), "state", pyarrow.array(["gone"] * 5))
    pyarrow.parquet.write_table(odd, tmp_path / "c.parquet")
    for name, message in {"a": "cannot be read", "b": "no column 'row'", "c": "state 'gone' is unknown"}.items():
        with pytest.raises(ActAlignError, match=message):
            import_manifest(tmp_path / f"{name}.parquet")


def test_a_later_version_may_add_columns(root: Path, tmp_path: Path) -> None:
    table = pyarrow.parquet.read_table(write_manifest(root))
    pyarrow.parquet.write_table(table.append_column("new", pyarrow.array([1] * 5)), tmp_path / "b.parquet")
    assert import_manifest(tmp_path / "b.parquet") == read_manifest(root)
