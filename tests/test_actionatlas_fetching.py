"""The whole way from the table to checked files, through yt-dlp, from a server on loopback that misbehaves."""

import errno
import fcntl
import gc
import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from atlas_copy import atlas_row, write_jsonl
from video_server import VideoServer, video_server

from actalign.datasets.actionatlas.manifest import MANIFEST, Entry, Manifest, import_manifest, read_manifest
from actalign.errors import ActAlignError
from actalign.fetching import run as run_module
from actalign.fetching.failures import KINDS, FetchError
from actalign.fetching.run import FIRST_PAUSE_S, WALLED, fetch
from actalign.fetching.site import Site, download


@pytest.fixture(scope="module")
def server() -> Iterator[VideoServer]:
    with video_server() as running:
        yield running


@pytest.fixture(scope="module")
def video(write_video: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Three seconds at 15 frames a second."""
    path = write_video(tmp_path_factory.mktemp("video") / "a.mp4", frames=45, codec={"crf": "10"})
    return path.read_bytes()


class Fetcher:
    """Fetches a table of rows from the server into one folder, with pauses noted instead of slept."""

    def __init__(self, folder: Path, server: VideoServer):
        self.root = folder / "atlas"
        self.table = folder / "table.jsonl"
        self.server = server
        self.pauses: list[float] = []

    def rows(self, *rows: dict[str, Any]) -> "Fetcher":
        write_jsonl(self.table, rows)
        return self

    def fetch(self, **changed: Any) -> Manifest:
        site = Site(**{"url": self.server.template, **changed.pop("site", {})})
        clock = partial(datetime, 2026, 1, 2, tzinfo=UTC)
        return fetch(self.root, copy=self.table, site=site, clock=clock, **{"sleep": self.pauses.append, **changed})

    def one(self, **changed: Any) -> Entry:
        (entry,) = self.fetch(**changed).entries
        return entry

    def left_part(self, content: bytes) -> None:
        """Put there what a run killed within the first video leaves."""
        folder = self.root / "parts" / "video0"
        folder.mkdir(parents=True)
        (folder / "video.mp4.mp4.part").write_bytes(content)


@pytest.fixture
def fetcher(tmp_path: Path, server: VideoServer) -> Fetcher:
    server.videos.clear()
    server.plans.clear()
    server.requests.clear()
    server.cookies.clear()
    return Fetcher(tmp_path, server).rows(atlas_row(0))


def test_a_fetched_clip_is_recorded_with_all_its_facts(
    fetcher: Fetcher, video: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    fetcher.server.serve("video0", video)
    entry = fetcher.one(revision="abc123")
    assert (fetcher.root / "videos" / "video0.mp4").read_bytes() == video
    assert (entry.state, entry.kind, entry.reason, entry.attempts) == ("done", "", "", 1)
    assert (entry.file, entry.bytes, entry.date) == ("video0.mp4", len(video), "2026-01-02T00:00:00+00:00")
    assert (entry.codec, entry.width, entry.height) == ("h264", 64, 64)
    assert (entry.frames, entry.frame_rate, entry.duration_s) == (15, 15.0, 3.0)
    assert (entry.start_s, entry.end_s, entry.revision) == (0.5, 1.5, "abc123")
    assert (entry.masked_frames, entry.masks_fit) == (2, True)
    assert import_manifest(fetcher.root / MANIFEST).entries == (entry,)
    assert capsys.readouterr().out == "actionatlas: 1 of 1 clips are there, 1 of them new\n"
    assert sorted(path.name for path in fetcher.root.iterdir()) == [
        *(".lock", "ledger.jsonl", "manifest.parquet", "metadata.jsonl", "videos")
    ]


def test_a_good_file_is_never_fetched_again(fetcher: Fetcher, video: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    fetcher.server.serve("video0", video)
    first = fetcher.one()
    asked = list(fetcher.server.requests)
    assert fetcher.one() == first and fetcher.server.requests == asked
    assert capsys.readouterr().out.endswith("1 of 1 clips are there, 0 of them new\n")


def test_a_good_file_is_not_fetched_again_for_a_window_beyond_its_end(fetcher: Fetcher, video: bytes) -> None:
    fetcher.rows(atlas_row(0), atlas_row(1, youtube_id="video0", start_timestamp=5.0, end_timestamp=9.0))
    fetcher.server.serve("video0", video)
    fetcher.fetch(only=["000"])
    fetcher.server.requests.clear()
    assert [entry.kind for entry in fetcher.fetch().entries] == ["", "window"] and fetcher.server.requests == []


def test_a_file_that_changed_since_is_fetched_again(fetcher: Fetcher, video: bytes) -> None:
    fetcher.server.serve("video0", video)
    first = fetcher.one()
    path = fetcher.root / "videos" / "video0.mp4"
    for content in (video[:-1] + b"?", video[:2000], None):
        path.unlink() if content is None else path.write_bytes(content)
        entry = fetcher.one()
        assert path.read_bytes() == video and entry.sha256 == first.sha256
    assert len(fetcher.server.asked("video0")) == 8


def test_a_file_that_one_clip_vouches_for_is_not_fetched_again_for_another(fetcher: Fetcher, video: bytes) -> None:
    """As after a run that was asked for one clip, or killed between the two, of a video whose file had changed."""
    fetcher.rows(atlas_row(0), atlas_row(1, youtube_id="video0"))
    fetcher.server.serve("video0", video)
    fetcher.fetch()
    (fetcher.root / "videos" / "video0.mp4").unlink()
    fetcher.server.serve("video0", video + b"\0\0\0\x08free")
    fetcher.fetch(only=["000"])
    fetcher.server.requests.clear()
    first, second = fetcher.fetch().entries
    assert first.sha256 == second.sha256 and fetcher.server.requests == []


def test_clips_of_one_video_share_one_download(
    fetcher: Fetcher, video: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    fetcher.rows(atlas_row(0), atlas_row(1, youtube_id="video0", start_timestamp=2.0, end_timestamp=9.0))
    fetcher.server.serve("video0", video)
    entries = fetcher.fetch().entries
    assert [entry.state for entry in entries] == ["done", "done"]
    assert [(entry.start_s, entry.end_s, entry.frames) for entry in entries] == [(0.5, 1.5, 15), (2.0, 3.0, 15)]
    assert len(fetcher.server.asked("video0")) == 2  # one look at the headers, one download
    assert "2 of them new" in capsys.readouterr().out


def test_a_window_beyond_the_end_costs_its_own_clip(fetcher: Fetcher, video: bytes) -> None:
    fetcher.rows(atlas_row(0), atlas_row(1, youtube_id="video0", start_timestamp=5.0, end_timestamp=9.0))
    fetcher.server.serve("video0", video)
    good, bad = fetcher.fetch().entries
    assert (good.state, bad.state, bad.kind, bad.retryable) == ("done", "failed", "window", False)
    assert bad.reason == "the video ends at 3 s, before 5 s"


@pytest.mark.parametrize(
    ("behaviour", "kind", "attempts"),
    [
        ("half", "network", 3),
        ("unsaid half", "decode", 1),
        ("stall", "network", 3),
        ("reset", "network", 3),
        (403, "refused", 3),
        (404, "removed", 1),
        (410, "removed", 1),
        (429, "rate limited", 3),
        (451, "geo", 1),
        (500, "network", 3),
        (503, "network", 3),
        ("circle", "network", 3),
        ("odd length", "unknown", 1),
        ("page", "not a video", 1),
        ("page as video", "decode", 1),
    ],
)
def test_a_failure_is_named_and_leaves_no_file(
    fetcher: Fetcher, video: bytes, behaviour: Any, kind: str, attempts: int
) -> None:
    fetcher.server.serve("video0", video, behaviour)
    # Each attempt of "half" and "stall" gets half of what is left, so it never ends.
    entry = fetcher.one(attempts=3, site={"timeout_s": 0.2} if behaviour == "stall" else {})
    assert (entry.state, entry.kind, entry.attempts) == ("failed", kind, attempts)
    assert entry.retryable is KINDS[kind].retryable
    assert entry.reason and entry.file == "" and "\n" not in entry.reason
    assert str(fetcher.root) not in entry.reason
    assert not (fetcher.root / "videos").exists()
    assert entry.retryable or not (fetcher.root / "parts").exists()
    assert len(fetcher.pauses) == attempts - 1


@pytest.mark.parametrize("behaviour", ["half", "stall", "reset", 403, 429, 500])
def test_what_passes_is_tried_again_after_growing_pauses(fetcher: Fetcher, video: bytes, behaviour: Any) -> None:
    heads = ["whole"] if behaviour in ("half", "stall") else []  # the look at the headers goes well
    fetcher.server.serve("video0", video, *heads, behaviour, *heads, behaviour, "whole")
    entry = fetcher.one(site={"timeout_s": 2.0} if behaviour == "stall" else {})  # an answer must not take as long
    assert (entry.state, entry.attempts) == ("done", 3)
    assert fetcher.pauses == [FIRST_PAUSE_S, 4 * FIRST_PAUSE_S]
    assert (fetcher.root / "videos" / "video0.mp4").read_bytes() == video
    spans = [span for span in fetcher.server.asked("video0") if span]
    assert len(spans) == (2 if heads else 0)  # a broken download goes on where it broke


def test_the_pause_the_server_asks_for_is_kept(fetcher: Fetcher, video: bytes) -> None:
    fetcher.server.serve("video0", video, "retry", "whole")
    assert fetcher.one().state == "done" and fetcher.pauses == [7.0]


def test_the_moment_the_server_asks_for_is_waited_for(fetcher: Fetcher, video: bytes) -> None:
    fetcher.server.serve("video0", video, "retry at", "whole")
    assert fetcher.one().state == "done"
    (pause,) = fetcher.pauses
    assert 20 < pause <= 30


def test_an_answer_that_yt_dlp_does_not_foresee_costs_its_own_video(fetcher: Fetcher, video: bytes) -> None:
    fetcher.rows(atlas_row(0), atlas_row(1))
    fetcher.server.serve("video0", video, "odd length")
    fetcher.server.serve("video1", video)
    bad, good = fetcher.fetch().entries
    assert (bad.kind, bad.retryable, good.state) == ("unknown", True, "done")
    assert "ValueError" in bad.reason and "'much'" in bad.reason


def half_closed() -> list[socket.socket]:
    """The sockets that are closed by name alone, as something still reads from them."""
    sockets = [each for each in gc.get_objects() if issubclass(type(each), socket.socket)]
    return [each for each in sockets if "[closed]" in repr(each) and each.fileno() >= 0]


def test_an_answer_that_yt_dlp_does_not_foresee_is_closed(fetcher: Fetcher, video: bytes) -> None:
    fetcher.server.serve("video0", video, "odd length")
    gc.collect()
    gc.disable()  # which would close it some time
    try:
        assert fetcher.one().kind == "unknown"
        give_up = time.monotonic() + 20
        while (left := half_closed()) and time.monotonic() < give_up:  # the server may be closing its own just now
            time.sleep(0.001)
        assert left == []
    finally:
        gc.enable()


def test_a_redirect_is_followed(fetcher: Fetcher, video: bytes) -> None:
    fetcher.server.serve("video0", video, "redirect")
    assert fetcher.one().state == "done"


def test_a_later_run_tries_only_what_may_work_now(fetcher: Fetcher, video: bytes) -> None:
    plans: dict[str, Any] = {"video0": 404, "video1": 503, "video2": "page as video", "video3": "whole", "video4": 451}
    fetcher.rows(*(atlas_row(number) for number in range(5)))
    for name, plan in plans.items():
        fetcher.server.serve(name, video, plan)
    manifest = fetcher.fetch(attempts=1)
    assert repr(manifest) == "Manifest(1 of 5 done; failed: 1 removed, 1 network, 1 decode, 1 geo)"
    for name in plans:
        fetcher.server.serve(name, video)
    fetcher.server.requests.clear()
    manifest = fetcher.fetch(attempts=1)
    assert manifest.done == ("001", "002", "003")
    assert {name for name, _ in fetcher.server.requests} == {"video1", "video2"}
    assert [entry.attempts for entry in manifest.entries] == [1] * 5


def test_cookies_and_a_proxy_are_tried_where_they_may_help(
    fetcher: Fetcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[str] = []

    def refused(youtube_id: str, *_: Any, **__: Any) -> Path:
        tried.append(youtube_id)
        raise FetchError({"video0": "age wall", "video1": "geo"}[youtube_id], "not shown")

    monkeypatch.setattr(run_module, "download", refused)
    fetcher.rows(atlas_row(0), atlas_row(1))
    (tmp_path / "cookies.txt").write_text("# Netscape HTTP Cookie File\n")
    sites: list[dict[str, Any]] = [{}, {}, {"cookies_file": tmp_path / "cookies.txt"}, {"proxy": "http://127.0.0.1:9"}]
    for site, expected in zip(sites, (["video0", "video1"], [], ["video0"], ["video1"]), strict=True):
        tried.clear()
        fetcher.fetch(site=site)
        assert sorted(tried) == expected


def test_an_interrupted_download_goes_on_in_the_next_run(fetcher: Fetcher, video: bytes) -> None:
    fetcher.server.serve("video0", video, "whole", "half", "whole")
    assert fetcher.one(attempts=1).kind == "network"
    (part,) = (fetcher.root / "parts" / "video0").iterdir()
    size = part.stat().st_size
    assert part.name.endswith(".part") and 0 < size < len(video)
    assert fetcher.one().state == "done"
    assert fetcher.server.asked("video0")[-1] == f"bytes={size}-"
    assert (fetcher.root / "videos" / "video0.mp4").read_bytes() == video


def test_a_part_of_something_else_is_not_taken_for_the_video(fetcher: Fetcher, video: bytes) -> None:
    fetcher.left_part(b"?" * (len(video) // 2))
    fetcher.server.serve("video0", video)
    assert fetcher.one().kind == "decode"
    assert fetcher.one().state == "done"
    assert (fetcher.root / "videos" / "video0.mp4").read_bytes() == video


@pytest.mark.parametrize("share", [0.5, 1.0])
def test_a_part_whose_rest_is_refused_is_fetched_anew(fetcher: Fetcher, video: bytes, share: float) -> None:
    """By a server that does not tell the video's length when it refuses."""
    fetcher.left_part(video[: int(len(video) * share)])
    fetcher.server.serve("video0", video, "no rest")
    entry = fetcher.one()
    assert (entry.state, entry.attempts) == ("done", 2)
    assert (fetcher.root / "videos" / "video0.mp4").read_bytes() == video


def test_a_part_that_is_whole_is_kept(fetcher: Fetcher, video: bytes) -> None:
    """As a run leaves it that was killed between the last byte and the renaming."""
    fetcher.left_part(video)
    fetcher.server.serve("video0", video)
    entry = fetcher.one()
    assert (entry.state, entry.attempts) == ("done", 1)
    assert (fetcher.root / "videos" / "video0.mp4").read_bytes() == video
    assert set(fetcher.server.asked("video0")) == {"", f"bytes={len(video)}-"}  # the first is for what the video is


def test_a_part_longer_than_the_video_is_fetched_anew(fetcher: Fetcher, video: bytes) -> None:
    fetcher.left_part(video + b"?")
    fetcher.server.serve("video0", video)
    entry = fetcher.one()
    assert (entry.state, entry.attempts) == ("done", 2)
    assert (fetcher.root / "videos" / "video0.mp4").read_bytes() == video


def test_a_whole_file_that_was_not_recorded_is_checked_and_kept(fetcher: Fetcher, video: bytes) -> None:
    (fetcher.root / "videos").mkdir(parents=True)
    (fetcher.root / "videos" / "video0.mp4").write_bytes(video)
    (fetcher.root / ".manifest.parquet.0f.tmp").write_bytes(b"of a run that was killed")
    entry = fetcher.one()
    assert not list(fetcher.root.glob("*.tmp"))
    assert (entry.state, entry.attempts, fetcher.server.requests) == ("done", 1, [])


def test_half_a_file_that_was_not_recorded_is_replaced(fetcher: Fetcher, video: bytes) -> None:
    (fetcher.root / "videos").mkdir(parents=True)
    (fetcher.root / "videos" / "video0.webm").write_bytes(video[:3000])
    fetcher.server.serve("video0", video)
    assert fetcher.one().state == "done"
    assert [path.name for path in (fetcher.root / "videos").iterdir()] == ["video0.mp4"]


def test_faulty_rows_are_kept_with_their_reason_and_not_asked_for(
    fetcher: Fetcher, video: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    fetcher.rows(atlas_row(0, answer=9), atlas_row(1, end_timestamp=0.1), atlas_row(2), atlas_row(3, id="002"))
    fetcher.server.serve("video2", video)
    entries = fetcher.fetch().entries
    assert [(entry.row, entry.id, entry.state, entry.kind) for entry in entries] == [
        (0, "000", "failed", "row"),
        (1, "001", "failed", "row"),
        (2, "002", "done", ""),
        (3, "002", "failed", "row"),
    ]
    assert "\n  3 missing: row; see the reason in the manifest\n" in capsys.readouterr().out
    assert entries[0].reason == "answer is 9; it should count from 1 to 5" and entries[0].retryable is False
    assert {name for name, _ in fetcher.server.requests} == {"video2"}


def outcomes(monkeypatch: pytest.MonkeyPatch) -> threading.Semaphore:
    """Released once for each outcome, as soon as the run has recorded it."""
    recorded, record = threading.Semaphore(0), run_module._Run._record

    def noted(*outcome: Any) -> None:
        record(*outcome)
        recorded.release()

    monkeypatch.setattr(run_module._Run, "_record", noted)
    return recorded


def test_a_wall_ends_the_run_and_the_rest_stays_pending(
    fetcher: Fetcher, video: bytes, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker goes on until the run is told to end, so here it waits for each outcome to be recorded."""
    recorded = outcomes(monkeypatch)
    recorded.release()  # nothing is before the first

    def in_step(*video: Any, **options: Any) -> Path:
        assert recorded.acquire(timeout=30)
        return download(*video, **options)

    monkeypatch.setattr(run_module, "download", in_step)
    fetcher.rows(*(atlas_row(number) for number in range(WALLED + 4)))
    for number in range(WALLED + 4):
        fetcher.server.serve(f"video{number}", video, 429)
    manifest = fetcher.fetch(workers=1, attempts=1)
    assert 3 <= sum(entry.state == "pending" for entry in manifest.entries) <= 4
    assert manifest.missing["rate limited"] >= WALLED
    assert f"stopped early: {WALLED} videos in a row met a wall (rate limited)" in capsys.readouterr().out


def test_walls_with_a_good_video_between_them_do_not_end_the_run(fetcher: Fetcher, video: bytes) -> None:
    fetcher.rows(*(atlas_row(number) for number in range(2 * WALLED + 2)))
    for number in range(2 * WALLED + 2):
        fetcher.server.serve(f"video{number}", video, "whole" if number % 2 else 429)
    manifest = fetcher.fetch(workers=1, attempts=1)
    assert len(manifest.done) == manifest.missing["rate limited"] == WALLED + 1


def test_masks_that_do_not_fit_the_video_are_told(
    fetcher: Fetcher, write_video: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fetcher.rows(atlas_row(0), atlas_row(1))
    small = write_video(tmp_path / "small.mp4", frames=45, size=(16, 16)).read_bytes()
    for number in range(2):
        fetcher.server.serve(f"video{number}", small)
    fetcher.fetch()
    assert "  1 with text masks that reach outside the picture, the first is '000'" in capsys.readouterr().err


def test_only_some_clips_are_fetched_if_asked(fetcher: Fetcher, video: bytes) -> None:
    fetcher.rows(atlas_row(0), atlas_row(1))
    fetcher.server.serve("video1", video)
    assert repr(fetcher.fetch(only=[])) == "Manifest(0 of 2 done; 2 pending)"
    assert [entry.state for entry in fetcher.fetch(only=["001"]).entries] == ["pending", "done"]
    with pytest.raises(ActAlignError, match="clip 'x' is not in the benchmark"):
        fetcher.fetch(only=["x"])


def test_many_workers_give_the_same_manifest_as_one(tmp_path: Path, server: VideoServer, video: bytes) -> None:
    manifests = []
    for workers in (1, 4):
        fetcher = Fetcher(tmp_path / str(workers), server)
        fetcher.table.parent.mkdir()
        fetcher.rows(*(atlas_row(number) for number in range(8)))
        for number in range(8):
            server.serve(f"video{number}", video, 404 if number % 3 == 2 else "whole")
        fetcher.fetch(workers=workers)
        manifests.append((fetcher.root / MANIFEST).read_bytes())
    assert manifests[0] == manifests[1]


def test_an_interrupt_stops_soon_and_keeps_what_is_settled(
    fetcher: Fetcher, video: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetcher.rows(atlas_row(0), atlas_row(1))
    fetcher.server.serve("video0", video)
    fetcher.server.serve("video1", video, 503)

    recorded = outcomes(monkeypatch)

    def interrupt(_: float) -> None:
        assert recorded.acquire(timeout=30)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetcher.fetch(workers=1, sleep=interrupt)
    assert [entry.state for entry in import_manifest(fetcher.root / MANIFEST).entries] == ["done", "pending"]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("fetch")]


def test_a_full_disk_ends_the_run_with_one_clear_error(
    fetcher: Fetcher, video: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetcher.rows(atlas_row(0), atlas_row(1))
    for number in range(2):
        fetcher.server.serve(f"video{number}", video)

    replace = os.replace

    def full(source: Any, target: Any) -> None:
        if Path(target).parent.name == "videos":
            raise OSError(28, "No space left on device")
        replace(source, target)

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(ActAlignError, match=r"cannot write video..mp4: No space left on device; free some space"):
        fetcher.fetch(workers=1)
    monkeypatch.undo()
    entries = read_manifest(fetcher.root).entries
    assert (entries[0].kind, entries[0].retryable) == ("disk", True)
    assert fetcher.fetch().done == ("000", "001")


def test_a_run_that_ends_early_sits_out_no_pause_and_asks_no_more(
    fetcher: Fetcher, video: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = threading.Event()

    def one_refused_one_full(youtube_id: str, *_: Any, **__: Any) -> Path:
        if youtube_id == "video0":
            asked.set()
            raise FetchError("network", "HTTP Error 503", wait_s=5.0)
        assert asked.wait(30)
        raise FetchError("disk", "no space")

    monkeypatch.setattr(run_module, "download", one_refused_one_full)
    fetcher.rows(atlas_row(0), atlas_row(1))
    with pytest.raises(ActAlignError, match="no space"):
        fetcher.fetch(sleep=None)
    entry, _ = read_manifest(fetcher.root).entries
    assert (entry.kind, entry.attempts) == ("network", 1)


def test_two_runs_do_not_share_a_folder(fetcher: Fetcher) -> None:
    fetcher.root.mkdir()
    with (fetcher.root / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        with pytest.raises(ActAlignError, match="another run is filling"):
            fetcher.fetch()


def test_a_disk_without_locks_is_filled_all_the_same(
    fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def unknown(*_: object) -> None:
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", unknown)
    assert len(fetcher.fetch()) > 0
    assert "cannot be locked (Function not implemented)" in capsys.readouterr().out


def test_a_torn_line_of_the_ledger_costs_that_clip_alone(fetcher: Fetcher, video: bytes) -> None:
    fetcher.rows(atlas_row(0), atlas_row(1))
    for number in range(2):
        fetcher.server.serve(f"video{number}", video)
    whole = fetcher.fetch()
    ledger = fetcher.root / "ledger.jsonl"
    ledger.write_bytes(ledger.read_bytes()[:-40])
    assert len(read_manifest(fetcher.root).done) == 1
    fetcher.server.requests.clear()
    again = fetcher.fetch()
    assert again.done == whole.done and fetcher.server.requests == []  # the file was there and is checked
    assert [json.loads(line)["state"] for line in ledger.read_text().splitlines() if line.endswith("}")] == ["done"] * 2


def test_secrets_are_in_no_file_and_no_output(
    fetcher: Fetcher, video: bytes, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    cookies = tmp_path / "cookies.txt"
    cookies.write_text("# Netscape HTTP Cookie File\n127.0.0.1\tFALSE\t/\tFALSE\t0\tsession\tc00kie-s3cret\n")
    before = cookies.read_bytes()
    fetcher.server.serve("video0", video, 503)
    proxy = "http://me:pr0xy-s3cret@127.0.0.1:9"
    site: dict[str, Any] = {"cookies_file": cookies, "proxy": proxy}
    assert fetcher.one(site=site, attempts=2).kind == "network"
    fetcher.one(site={"cookies_file": cookies}, attempts=2)
    assert cookies.read_bytes() == before
    shown = "".join(capfd.readouterr()) + repr(Site(**site))
    for root, _, names in os.walk(fetcher.root):
        shown += "".join((Path(root) / name).read_bytes().decode("latin-1") for name in names)
    assert "s3cret" not in shown


def test_cookies_are_sent(fetcher: Fetcher, video: bytes, tmp_path: Path) -> None:
    cookies = tmp_path / "cookies.txt"
    cookies.write_text("# Netscape HTTP Cookie File\n127.0.0.1\tFALSE\t/\tFALSE\t0\tsession\tabc\n")
    fetcher.server.serve("video0", video)
    fetcher.one(site={"cookies_file": cookies})
    assert fetcher.server.cookies == ["session=abc"] * 2


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"workers": 0}, "workers is 0"),
        ({"attempts": 0}, "attempts is 0"),
        ({"site": {"rate_limit": 0}}, "rate_limit is 0"),
        ({"site": {"cookies_file": "nowhere.txt"}}, "'nowhere.txt' does not exist"),
        ({"site": {"cookies_from_browser": "netscape"}}, 'unsupported browser: "netscape".*; check the browser'),
    ],
)
def test_bad_settings_are_one_clear_error(fetcher: Fetcher, bad: dict[str, Any], message: str) -> None:
    with pytest.raises(ActAlignError, match=message):
        fetcher.fetch(**bad)
    assert not (fetcher.root / "ledger.jsonl").exists(), "no video is blamed"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"# Netscape HTTP Cookie File\n127.0.0.1 FALSE / FALSE 0 session c00kie-s3cret\n", "line 2: no cookie"),
        (b"# Netscape HTTP Cookie File\na\tb\tc\td\tsoon\tsession\tc00kie-s3cret\n", "line 2: no cookie"),
        (b'[{"name": "session", "value": "c00kie-s3cret"}]', "line 1: no cookie"),
        (b"\x00\xff c00kie-s3cret", "cannot be read as text"),
        (b"a\tb\tc\td\t0\tsession\tc00kie-s3cret\n", "does not begin with '# Netscape HTTP Cookie File'"),
    ],
)
def test_a_bad_file_of_cookies_is_refused_and_nothing_of_it_shown(
    content: bytes, message: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "cookies.txt").write_bytes(content)
    with pytest.raises(ActAlignError, match=message) as raised:
        Site(cookies_file=tmp_path / "cookies.txt")
    assert "s3cret" not in str(raised.value) + "".join(capfd.readouterr())
    assert raised.value.__suppress_context__ or raised.value.__context__ is None


def test_an_address_without_a_place_for_the_id_is_refused() -> None:
    with pytest.raises(ActAlignError, match="youtube_id"):
        Site(url="https://example.org/")


def test_pauses_do_not_grow_for_ever(fetcher: Fetcher, video: bytes) -> None:
    fetcher.server.serve("video0", video, 503)
    fetcher.one(attempts=8)
    assert max(fetcher.pauses) == run_module.LONGEST_PAUSE_S and len(fetcher.pauses) == 7
