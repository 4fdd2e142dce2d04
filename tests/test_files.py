"""A file is written whole or not at all."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from actalign.errors import ActAlignError
from actalign.files import append_line, check_writable, distinct_name, read_lines, write_whole


def test_text_is_utf_8_with_its_own_line_ends_and_folders_are_made(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.txt"
    write_whole(path, "é\r\n")
    assert path.read_bytes() == b"\xc3\xa9\r\n"
    write_whole(path, b"\x00")
    assert path.read_bytes() == b"\x00"


def test_an_interrupted_write_leaves_the_old_file_and_no_litter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.txt"
    write_whole(path, "old")

    def interrupted(source: Path, target: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("actalign.files.os.replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_whole(path, "new")
    assert path.read_text() == "old"
    assert [item.name for item in tmp_path.iterdir()] == ["a.txt"]


def test_a_full_disk_is_one_error_with_its_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, content: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(ActAlignError, match=r"cannot write .*a\.txt: No space left on device; choose another --out"):
        write_whole(tmp_path / "a.txt", "new", remedy="choose another --out")
    assert list(tmp_path.iterdir()) == []


def test_where_no_file_can_be_written_is_known_before(tmp_path: Path) -> None:
    write_whole(tmp_path / "a.txt", "old")
    check_writable(tmp_path / "a.txt")
    check_writable(tmp_path / "new" / "b.txt")
    assert (tmp_path / "a.txt").read_text() == "old" and list((tmp_path / "new").iterdir()) == []
    with pytest.raises(ActAlignError, match="it is a folder; name a file"):
        check_writable(tmp_path / "new")
    with pytest.raises(ActAlignError, match=r"cannot write .*; free some space or choose a folder you may write to"):
        check_writable(tmp_path / "a.txt" / "b.txt")


def test_a_full_disk_is_known_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("actalign.files.TemporaryFile", full)
    with pytest.raises(ActAlignError, match=r"cannot write .*a\.txt: No space left on device"):
        check_writable(tmp_path / "a.txt")


def test_lines_are_read_as_they_were_written_and_what_is_no_object_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    written = [{"reason": "é \udce9\u2028\n"}, {"reason": ""}]
    for entry in written:
        append_line(path, entry)
        with path.open("a") as file:
            file.write('7\nnull\n["a"]\n\n')
    assert read_lines(path) == written
    with pytest.raises(ActAlignError, match=r"cannot read .*: Is a directory; check the file"):
        read_lines(tmp_path)


def test_a_folder_has_one_name_however_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link").symlink_to("videos")
    assert distinct_name("videos") == distinct_name(tmp_path / "videos") == distinct_name("./link")


def test_a_folder_that_nobody_may_look_into_is_the_same_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.stat", closed)
    with pytest.raises(ActAlignError, match=r"cannot write .*Permission denied"):
        check_writable(tmp_path / "a.txt")


def test_half_a_character_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ActAlignError, match="is not a character"):
        write_whole(tmp_path / "a.txt", "swing \ud800")
    assert list(tmp_path.iterdir()) == []


def test_writers_of_one_file_do_not_get_into_each_others_way(tmp_path: Path) -> None:
    """Neither in one process nor in two that have the same number, as in two containers."""
    contents = [name * 200_000 for name in "abcd"]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda turn: write_whole(tmp_path / "a.txt", contents[turn % 4]), range(200)))
    assert (tmp_path / "a.txt").read_text() in contents
    assert [item.name for item in tmp_path.iterdir()] == ["a.txt"]


def test_a_folder_is_no_name_for_a_file() -> None:
    with pytest.raises(ActAlignError, match="it is a folder; name a file"):
        write_whole("", "text")
