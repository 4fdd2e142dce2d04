from collections.abc import Callable
from pathlib import Path

import pytest

from actalign import estimate
from actalign.estimate import Pace, Workload, bytes_needed, expected_frames, forecast, seconds_left, summary, workload
from actalign.records import Clip
from actalign.video import VideoFacts, probe

HALF_AN_HOUR = Workload(clips=100, frames=18_000, video_rate=30.0)
TEN_A_SECOND = Pace(frames=50, seconds=5.0, waited_s=0.1)


def facts(duration_s: float | None = 10.0, frame_rate: float | None = 30.0) -> VideoFacts:
    return VideoFacts(width=64, height=48, codec="h264", duration_s=duration_s, frame_rate=frame_rate)


def tell(work: Workload = HALF_AN_HOUR, pace: Pace = TEN_A_SECOND, **changes: object) -> str:
    options = {"done": 0, "width": 1152, "free_bytes": 1e12, "device": "cpu", "frame_rate": None, **changes}
    return forecast(work, pace, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("window", "header", "frame_rate", "expected"),
    [
        ((None, None), facts(), None, 300.0),
        ((None, None), facts(), 5.0, 50.0),
        ((None, None), facts(), 60.0, 300.0),  # never more than there are
        ((8.0, None), facts(), None, 60.0),
        ((2.0, 4.0), facts(), None, 60.0),
        ((2.0, 40.0), facts(), None, 240.0),  # the file ends first
        ((2.0, 4.0), facts(duration_s=None), None, 60.0),
        ((None, None), facts(duration_s=None), None, None),
        ((None, None), facts(frame_rate=None), None, None),
        ((None, None), facts(frame_rate=None), 5.0, 50.0),
        ((12.0, None), facts(), None, 1.0),
    ],
)
def test_frames_expected_of_a_header(
    window: tuple[float | None, float | None], header: VideoFacts, frame_rate: float | None, expected: float | None
) -> None:
    clip = Clip("a", Path("a.mp4"), sport="judo", start_s=window[0], end_s=window[1])
    assert expected_frames(clip, header, frame_rate=frame_rate) == expected


def test_the_work_is_estimated_from_some_headers(
    write_video: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_video(tmp_path / "a.mp4", frames=30, frame_rate=15)
    clips = [Clip(str(n), path, sport="judo") for n in range(40)]
    read: list[Path] = []

    def noted(file: Path) -> VideoFacts:
        read.append(file)
        return probe(file)

    monkeypatch.setattr(estimate, "probe", noted)
    work = workload(clips, frame_rate=None)
    assert work is not None and work.clips == 40
    assert work.frames == pytest.approx(1200, rel=0.05)
    assert work.video_rate == pytest.approx(15.0)
    assert len(read) == estimate.PROBED
    slower = workload(clips[:2], frame_rate=5.0)
    assert slower is not None and slower.frames == pytest.approx(20, rel=0.05)


def test_files_that_cannot_be_read_tell_nothing(write_video: Callable[..., Path], tmp_path: Path) -> None:
    broken = Clip("broken", tmp_path / "nowhere.mp4", sport="judo")
    good = Clip("good", write_video(tmp_path / "a.mp4", frames=30, frame_rate=15), sport="judo")
    assert workload([broken, broken], frame_rate=None) is None
    work = workload([broken, good], frame_rate=None)
    assert work is not None and work.frames == pytest.approx(60, rel=0.05)


def test_the_headers_that_are_read_are_spread_over_all_clips(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def noted(path: Path) -> VideoFacts:
        read.append(path.stem)
        return facts(duration_s=float(path.stem))

    monkeypatch.setattr(estimate, "probe", noted)
    work = workload([Clip(str(n), Path(f"{n}.mp4"), sport="judo") for n in range(1, 102)], frame_rate=None)
    assert work is not None and work.frames == pytest.approx(101 * 51 * 30, rel=0.02)
    assert (len(read), read[0], read[-1]) == (estimate.PROBED, "1", "101")


def test_a_header_that_does_not_say_how_long_leaves_the_mean_to_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    headers = {"a.mp4": facts(frame_rate=30.0), "b.mp4": facts(duration_s=None, frame_rate=10.0)}
    monkeypatch.setattr(estimate, "probe", lambda path: headers[path.name])
    work = workload([Clip(name, Path(name), sport="judo") for name in headers], frame_rate=None)
    assert work == Workload(clips=2, frames=600.0, video_rate=20.0)


def test_a_forecast_says_time_and_disk() -> None:
    line = tell()
    assert line.startswith("forecast: 100 clips, about 18,000 frames at 10 frames/s: about 30 min and ")
    assert f"and {bytes_needed(18_000, 100, width=1152) / 1e6:.0f} MB on disk (1,000 GB free)" in line
    assert "TOO SMALL" not in line
    assert "about 18,000 frames at 10 frames/s: about 15 min and 42 MB" in tell(done=9_000)
    assert "about 0.0 s and 204.8 kB" in tell(done=20_000), "more frames than the headers said"
    assert seconds_left(HALF_AN_HOUR, TEN_A_SECOND, done=9_000) == 900.0
    assert seconds_left(HALF_AN_HOUR, TEN_A_SECOND, done=20_000) == 0.0


@pytest.mark.parametrize(
    ("free", "said"),
    [(9.9e3, "9.9 kB"), (1.44e6, "1.4 MB"), (99e6, "99 MB"), (1.44e9, "1.4 GB"), (14.4e9, "14 GB"), (2e12, "2,000 GB")],
)
def test_a_size_keeps_two_digits(free: float, said: str) -> None:
    assert f" on disk ({said} free)" in tell(free_bytes=free)


@pytest.mark.parametrize(("free", "enough"), [(84e6, True), (82e6, False)])
def test_a_forecast_says_where_the_disk_is_too_small(free: float, enough: bool) -> None:
    assert bytes_needed(18_000, 100, width=1152) == pytest.approx(83.3e6, rel=0.001)
    assert ("THE DISK IS TOO SMALL" in tell(free_bytes=free)) != enough


@pytest.mark.parametrize(
    ("changes", "advice"),
    [
        ({}, "a frame rate of 5 (1/6 of the frames), a smaller checkpoint, a GPU"),
        ({"device": "cuda"}, "a frame rate of 5 (1/6 of the frames), a smaller checkpoint"),
        ({"frame_rate": 60.0}, "a frame rate of 5 (1/6 of the frames), a smaller checkpoint, a GPU"),
        ({"frame_rate": 15.0}, "a frame rate of 5 (1/3 of the frames), a smaller checkpoint, a GPU"),
        ({"frame_rate": 10.0}, "a frame rate of 5 (1/2 of the frames), a smaller checkpoint, a GPU"),
        ({"frame_rate": 9.9}, "a lower frame rate, a smaller checkpoint, a GPU"),
        ({"frame_rate": 5.0}, "a lower frame rate, a smaller checkpoint, a GPU"),
        ({"work": Workload(100, 18_000, None)}, "a frame rate of 5, a smaller checkpoint, a GPU"),
        ({"pace": Pace(50, 5.0, 4.0)}, "a frame rate of 5 (1/6 of the frames), more processor cores to decode with"),
    ],
)
def test_the_advice_fits_what_is_slow(changes: dict[str, object], advice: str) -> None:
    assert tell(**changes).endswith(f"; shorter with {advice}")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("pace", "line"),
    [
        (Pace(45, 3.0, 0.3), "frames: 45 in 3.0 s, 15 frames/s; the bottleneck was encoding: the encoder waited for "),
        (Pace(45, 3.0, 1.5), "frames: 45 in 3.0 s, 15 frames/s; the bottleneck was decoding: the encoder waited for "),
        (Pace(45, 30.0, 0.0), "frames: 45 in 30 s, 1.5 frames/s; the bottleneck was encoding"),
        (Pace(9000, 10_800.0, 0.0), "frames: 9000 in 3.0 h, 0.83 frames/s"),
    ],
)
def test_the_summary_names_the_bottleneck(pace: Pace, line: str) -> None:
    assert summary(pace).startswith(line)
    assert summary(pace).endswith(f"frames {pace.waited_share:.0%} of the time".replace("%", " %"))


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (9.94, "9.9 s"), (9.96, "10 s"), (59.4, "59 s"), (59.6, "1 min"), (80 * 60, "80 min"), (91 * 60, "1.5 h"),
        (99.4 * 3600, "99.4 h"), (99.6 * 3600, "100 h"),
    ],
)  # fmt: skip
def test_a_time_has_the_unit_and_the_digits_that_one_would_say(seconds: float, said: str) -> None:
    assert summary(Pace(45, seconds, 0.0)).startswith(f"frames: 45 in {said}, ")


def test_a_run_waits_no_longer_than_it_takes() -> None:
    assert summary(Pace(45, 3.0, 3.1)).endswith("decoding: the encoder waited for frames 100 % of the time")


def test_a_run_too_short_to_time_divides_by_nothing() -> None:
    assert "frames: 1 in 0.0 s" in summary(Pace(1, 0.0, 0.0))
