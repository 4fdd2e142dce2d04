from dataclasses import replace
from pathlib import Path

import datasets as library
import pytest
from atlas_copy import GOAL, atlas_row, write_jsonl, write_parquet

from actalign import paths
from actalign.datasets.actionatlas.metadata import FROZEN, ensure, freeze, read_copy, read_frozen, root_or_default
from actalign.errors import ActAlignError

ROWS = [atlas_row(number) for number in range(7)]


def test_parquet_with_null_masks_and_jsonl_give_the_same_rows(tmp_path: Path) -> None:
    table = read_copy(write_parquet(tmp_path / "test.parquet", ROWS))
    lines = read_copy(write_jsonl(tmp_path / "test.jsonl", ROWS))
    assert table.rows == lines.rows and len(table.rows) == 7
    assert [len(row.regions) for row in table.rows] == [2, 0, 0, 2, 0, 0, 2]
    assert {row.fault for row in table.rows} == {""}


def test_reading_leaves_the_progress_bars_of_the_library_as_they_were(tmp_path: Path) -> None:
    table = write_parquet(tmp_path / "a.parquet", ROWS)
    try:
        for switch in (library.disable_progress_bars, library.enable_progress_bars):
            switch()
            before = library.is_progress_bar_enabled()
            read_copy(table)
            assert library.is_progress_bar_enabled() is before
    finally:
        library.enable_progress_bars()


def test_a_table_without_any_mask_is_read(tmp_path: Path) -> None:
    rows = [atlas_row(1), atlas_row(2)]
    assert [row.regions for row in read_copy(write_parquet(tmp_path / "a.parquet", rows)).rows] == [{}, {}]


def test_a_folder_as_the_hub_has_it_is_read_in_the_order_of_its_files(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    write_parquet(tmp_path / "data" / "test-00000-of-00002.parquet", ROWS[:3])
    write_parquet(tmp_path / "data" / "test-00001-of-00002.parquet", ROWS[3:])
    write_parquet(tmp_path / "data" / "train-00000-of-00001.parquet", ROWS)
    assert [row.id for row in read_copy(tmp_path).rows] == [f"{number:03d}" for number in range(7)]
    (tmp_path / "lines").mkdir()
    write_jsonl(tmp_path / "lines" / "test.jsonl", ROWS)
    assert read_copy(tmp_path / "lines").rows == read_copy(tmp_path).rows


def test_a_json_list_and_a_torn_line_are_read(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "a.jsonl", ROWS[:2])
    text = path.read_text()
    path.write_text("\ufeff" + text + "\n" + text.splitlines()[0][:40] + "\n[1, 2]\n")
    with path.open("a") as file:
        file.write('{"id": ' + "1" * 5000 + "}\n" + "[" * 99_999 + "\n")
    rows = read_copy(path).rows
    assert [row.fault[:6] for row in rows] == ["", "", "line 4", "line 5", "line 6", "line 7"]
    path.write_text("{\n" + text)
    assert [row.fault[:6] for row in read_copy(path).rows] == ["line 1", "", ""]
    path.write_text("[" + ",".join(text.splitlines()) + "]")
    assert [row.id for row in read_copy(path).rows] == ["000", "001"]


def test_odd_line_separators_inside_a_text_do_not_cut_a_line(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    write_jsonl(path, [atlas_row(0, question="a\u2028b\x85c")])
    path.write_text(path.read_text().replace("\\u2028", "\u2028").replace("\\u0085", "\x85"), encoding="utf-8")
    metadata = read_copy(path)
    assert [row.fault for row in metadata.rows] == [""]
    freeze(metadata, tmp_path / "atlas")
    assert read_frozen(tmp_path / "atlas") == metadata


def test_what_was_frozen_is_read_back_and_says_where_it_is_from(tmp_path: Path) -> None:
    rows = [*ROWS, atlas_row(7, frames_to_obfuscate={"5": [GOAL]})]
    copy = write_parquet(tmp_path / "test.parquet", rows)
    metadata = ensure(tmp_path / "atlas", copy=copy, revision="abc123")
    assert (metadata.source, metadata.revision) == ("test.parquet", "abc123")
    copy.unlink()
    assert ensure(tmp_path / "atlas").rows == metadata.rows
    assert read_frozen(tmp_path / "atlas").revision == "abc123"
    assert '"5": null' not in (tmp_path / "atlas" / FROZEN).read_text(), "frames that only another row masks"


def test_a_tag_asked_for_again_is_the_commit_it_stood_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = replace(read_copy(write_jsonl(tmp_path / "a.jsonl", ROWS), revision="abc123"), asked_for="v1.0")
    monkeypatch.setattr("actalign.datasets.actionatlas.metadata.read_hub", lambda revision: table)
    root = tmp_path / "atlas"
    assert ensure(root, revision="v1.0").revision == "abc123"
    assert ensure(root, revision="v1.0") == ensure(root, revision="abc123") == ensure(root)
    with pytest.raises(ActAlignError, match=r"not revision 'v1\.1'"):
        ensure(root, revision="v1.1")


def test_a_copy_is_known_by_its_content_if_no_revision_is_given(tmp_path: Path) -> None:
    first = read_copy(write_jsonl(tmp_path / "a.jsonl", ROWS))
    assert first.revision.startswith("sha256:") and len(first.revision) == 71
    assert read_copy(write_jsonl(tmp_path / "b.jsonl", ROWS)).revision == first.revision
    assert read_copy(write_jsonl(tmp_path / "c.jsonl", ROWS[1:])).revision != first.revision


def test_another_table_does_not_replace_a_frozen_one(tmp_path: Path) -> None:
    root = tmp_path / "atlas"
    ensure(root, copy=write_jsonl(tmp_path / "a.jsonl", ROWS))
    before = (root / FROZEN).read_bytes()
    assert ensure(root, copy=write_parquet(tmp_path / "a.parquet", ROWS)).source == "a.jsonl"  # the same rows
    for other in (ROWS[1:], [*ROWS[1:], ROWS[0]]):
        with pytest.raises(ActAlignError, match="already"):
            ensure(root, copy=write_jsonl(tmp_path / "b.jsonl", other))
    with pytest.raises(ActAlignError, match="not revision 'main'"):
        ensure(root, revision="main")
    assert (root / FROZEN).read_bytes() == before


def test_bad_copies_are_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "a.parquet").write_bytes(b"not parquet")
    (tmp_path / "a.csv").write_text("id\n")
    (tmp_path / "a.jsonl").write_text('{"id": 1}\n')
    (tmp_path / "b.json").write_text("[1,")
    (tmp_path / "c.jsonl").write_bytes(b"\xff\xfe")
    for name, message in {
        "none.jsonl": "does not exist",
        "empty": "not a parquet or JSONL file",
        "a.csv": "not a parquet or JSONL file",
        "a.parquet": "cannot read",
        "a.jsonl": "no column 'youtube_id'",
        "b.json": "not valid JSON",
        "c.jsonl": "cannot read",
    }.items():
        with pytest.raises(ActAlignError, match=message):
            read_copy(tmp_path / name)


def test_a_damaged_frozen_table_says_so(tmp_path: Path) -> None:
    ensure(tmp_path, copy=write_jsonl(tmp_path / "a.jsonl", ROWS))
    path = tmp_path / FROZEN
    text = path.read_text()
    for damaged in (text[:-200], "\n".join(text.splitlines()[:-1]), "", "[]\n"):
        path.write_text(damaged)
        with pytest.raises(ActAlignError, match="is damaged"):
            read_frozen(tmp_path)


def test_the_default_folder_hangs_off_the_project() -> None:
    assert root_or_default(None) == paths.DATA / "actionatlas"
