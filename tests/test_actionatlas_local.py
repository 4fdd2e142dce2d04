import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from atlas_copy import atlas_row, write_jsonl

from actalign.datasets.actionatlas.manifest import Manifest
from actalign.errors import ActAlignError
from actalign.fetching.checking import check_clip
from actalign.fetching.local import import_videos


class Importer:
    def __init__(self, folder: Path):
        self.mine = folder / "mine"
        self.mine.mkdir()
        self.root = folder / "atlas"
        rows = [atlas_row(0), atlas_row(1, start_timestamp=1.0, end_timestamp=2.0), atlas_row(2, youtube_id="video0")]
        self.table = write_jsonl(folder / "table.jsonl", rows)

    def run(self) -> Manifest:
        return import_videos(self.mine, root=self.root, copy=self.table)

    def files(self) -> list[str]:
        videos = self.root / "videos"
        return sorted(str(path.relative_to(videos)) for path in videos.rglob("*") if path.is_file())


@pytest.fixture
def importer(tmp_path: Path) -> Importer:
    return Importer(tmp_path)


def test_a_whole_video_serves_all_its_clips(importer: Importer, write_video: Callable[..., Path]) -> None:
    (importer.mine / "deep").mkdir()
    path = write_video(importer.mine / "deep" / "video0.mkv", frames=45)
    manifest = importer.run()
    assert manifest.done == ("000", "002") and importer.files() == ["video0.mkv"]
    assert (importer.root / "videos" / "video0.mkv").stat().st_ino == path.stat().st_ino
    first = manifest.entries[0]
    assert (first.start_s, first.end_s, first.frames, first.attempts) == (0.5, 1.5, 15, 0)
    assert not (importer.root / "parts").exists()


def test_what_a_killed_import_left_is_in_nobodys_way(importer: Importer, write_video: Callable[..., Path]) -> None:
    path = write_video(importer.mine / "video0.mp4", frames=45)
    (importer.root / "parts" / "video0").mkdir(parents=True)
    os.link(path, importer.root / "parts" / "video0" / "import.mp4")
    assert importer.run().done == ("000", "002")
    assert not (importer.root / "parts").exists()


def test_what_was_imported_is_not_imported_again(
    importer: Importer, write_video: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    write_video(importer.mine / "video0.mp4", frames=45)
    first = importer.run()
    assert "2 of 3 clips are there, 2 of them new" in capsys.readouterr().out
    ledger = (importer.root / "ledger.jsonl").read_bytes()
    assert importer.run() == first and (importer.root / "ledger.jsonl").read_bytes() == ledger
    assert "2 of 3 clips are there, 0 of them new" in capsys.readouterr().out


def test_a_file_that_is_too_short_is_no_segment(
    importer: Importer, write_video: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    importer.table = write_jsonl(importer.table, [atlas_row(1, start_timestamp=1.0, end_timestamp=9.0)])
    write_video(importer.mine / "001.mp4", frames=75)  # 5 s
    assert importer.run().done == () and "001.mp4 is of no use: it lasts 5.0 s: neither 8 s" in capsys.readouterr().out


def test_a_good_file_is_found_beside_others_of_its_name(importer: Importer, write_video: Callable[..., Path]) -> None:
    (importer.mine / "a").mkdir()
    write_video(importer.mine / "a" / "video0.mp4", frames=45)
    (importer.mine / "b").mkdir()
    (importer.mine / "b" / "video0.mp4").write_bytes(b"not a video")
    (importer.mine / "video0.mkv").mkdir()
    assert importer.run().done == ("000", "002") and importer.files() == ["video0.mp4"]


def test_the_longest_of_several_files_of_a_name_serves_all_clips(
    importer: Importer, write_video: Callable[..., Path]
) -> None:
    importer.table = write_jsonl(
        importer.table, [atlas_row(0), atlas_row(1, youtube_id="video0", start_timestamp=3.0, end_timestamp=4.0)]
    )
    for folder, frames in (("a", 30), ("b", 75)):
        (importer.mine / folder).mkdir()
        write_video(importer.mine / folder / "video0.mp4", frames=frames)
    assert importer.run().done == ("000", "001")


@pytest.mark.parametrize("name", ["001.mp4", "video1_11.0_12.0.mp4"])
def test_a_cut_segment_is_read_from_its_start(importer: Importer, write_video: Callable[..., Path], name: str) -> None:
    importer.table = write_jsonl(importer.table, [atlas_row(1, start_timestamp=11.0, end_timestamp=12.0)])
    write_video(importer.mine / name, frames=15)
    entry = importer.run().by_id()["001"]
    assert (entry.state, entry.file, entry.start_s, entry.end_s, entry.frames) == (
        *("done", f"segments/{name}", 0.0, 1.0, 15),
    )


def test_a_whole_video_named_by_the_clip_is_read_from_the_clips_start(
    importer: Importer, write_video: Callable[..., Path]
) -> None:
    write_video(importer.mine / "001.mp4", frames=38)  # 2.5 s: it ends soon after the clip
    entry = importer.run().by_id()["001"]
    assert (entry.state, entry.start_s, entry.end_s) == ("done", 1.0, 2.0)


def test_a_file_that_cannot_be_decoded_is_named_and_changes_nothing(
    importer: Importer, write_video: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    content = write_video(importer.mine / "video0.mp4", frames=45).read_bytes()
    (importer.mine / "video0.mp4").write_bytes(content[: len(content) // 2])
    (importer.mine / "001.mp4").write_text("not a video")
    manifest = importer.run()
    assert repr(manifest) == "Manifest(0 of 3 done; 3 pending)"
    out = capsys.readouterr().out
    assert "clip 000: video0.mp4 is of no use" in out and "clip 001: 001.mp4 is of no use" in out
    assert str(importer.mine) not in out


def test_a_video_that_is_cut_off_after_the_clip_is_of_no_use(
    importer: Importer, write_video: Callable[..., Path]
) -> None:
    path = write_video(importer.mine / "video0.mp4", frames=90, container={"movflags": "+faststart"})
    path.write_bytes(path.read_bytes()[:-200])
    assert importer.run().done == ()


def test_a_clip_of_one_frame_has_its_size_and_the_rate_of_its_file(
    tmp_path: Path, write_video: Callable[..., Path]
) -> None:
    facts = check_clip(write_video(tmp_path / "a.mp4", frames=15, size=(48, 64)), start_s=0.0, end_s=0.05)
    assert (facts.frames, facts.frame_rate, facts.width, facts.height) == (1, 15.0, 64, 48)


def test_a_good_segment_is_found_beside_a_bad_whole_video(importer: Importer, write_video: Callable[..., Path]) -> None:
    (importer.mine / "video1.mp4").write_bytes(b"not a video")
    write_video(importer.mine / "001.mp4", frames=15)
    assert importer.run().done == ("001",) and importer.files() == ["segments/001.mp4"]


def test_nothing_is_taken_for_a_faulty_row(importer: Importer, write_video: Callable[..., Path]) -> None:
    importer.table = write_jsonl(importer.table, [atlas_row(0, answer=9), atlas_row(1, end_timestamp=None)])
    for number in range(2):
        write_video(importer.mine / f"video{number}.mp4", frames=45)
    assert repr(importer.run()) == "Manifest(0 of 2 done; failed: 2 row)"
    assert importer.files() == [] and not (importer.root / "ledger.jsonl").exists()


def test_the_suffix_of_a_camera_is_written_small(importer: Importer, write_video: Callable[..., Path]) -> None:
    write_video(importer.mine / "a.mp4", frames=45).rename(importer.mine / "video0.MP4")
    assert importer.run().done == ("000", "002") and importer.files() == ["video0.mp4"]


def test_a_full_disk_ends_the_import_with_one_clear_error(
    importer: Importer, write_video: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    write_video(importer.mine / "video0.mp4", frames=45)
    monkeypatch.setattr(os, "link", full)
    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(ActAlignError, match=r"cannot write .*: No space left on device; free some space"):
        importer.run()


def test_where_links_are_not_possible_files_are_copied(
    importer: Importer, write_video: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refused)
    path = write_video(importer.mine / "video0.mp4", frames=45)
    assert importer.run().done == ("000", "002")
    copied = importer.root / "videos" / "video0.mp4"
    assert copied.read_bytes() == path.read_bytes() and copied.stat().st_ino != path.stat().st_ino


def test_a_changed_file_is_replaced_by_a_good_one(importer: Importer, write_video: Callable[..., Path]) -> None:
    path = write_video(importer.mine / "video0.mp4", frames=45)
    importer.run()
    target = importer.root / "videos" / "video0.mp4"
    target.unlink()
    target.write_bytes(b"broken")
    assert importer.run().done == ("000", "002")
    assert target.read_bytes() == path.read_bytes()


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ActAlignError, match="is not a folder"):
        import_videos(tmp_path / "nowhere")
