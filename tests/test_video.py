import contextlib
import re
import struct
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import count, islice
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import numpy as np
import pytest
from av.stream import Disposition
from numpy.typing import NDArray

from actalign import video
from actalign.errors import ActAlignError
from actalign.records import Clip
from actalign.video import iter_frames, probe, read_frames

Writer = Callable[..., Path]


def clip(path: Path, start_s: float | None = None, end_s: float | None = None) -> Clip:
    return Clip("the-clip", path, sport="tennis", start_s=start_s, end_s=end_s)


def plain_decode(path: Path) -> tuple[NDArray[np.uint8], list[float]]:
    with av.open(str(path)) as file:
        frames = list(file.decode(video=0))
    times = [float(Fraction(frame.pts or 0) * (frame.time_base or 0)) for frame in frames]
    return np.stack([frame.to_ndarray(format="rgb24") for frame in frames]), times


def packet_ends(path: Path) -> list[int]:
    with av.open(str(path)) as file:
        return sorted(packet.pos + packet.size for packet in file.demux(video=0) if packet.size and packet.pos)


def test_every_frame_comes_with_its_own_time(write_video: Writer, tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", frames=20)
    frames, times_s = read_frames(clip(path))
    expected, expected_times = plain_decode(path)
    assert frames.dtype == np.uint8 and times_s.dtype == np.float64
    np.testing.assert_array_equal(frames, expected)
    np.testing.assert_array_equal(times_s, expected_times)
    np.testing.assert_allclose(times_s, np.arange(20) / 15)


def test_a_variable_frame_rate_keeps_its_times(write_video: Writer, tmp_path: Path) -> None:
    times_s = [0.0, 0.1, 0.15, 0.5, 0.6, 0.61, 1.0, 1.5, 3.0]
    path = write_video(tmp_path / "a.mp4", times_s=times_s)
    np.testing.assert_allclose(read_frames(clip(path))[1], times_s)


@pytest.mark.parametrize("suffix", ["mkv", "mov", "avi", "ts"])
def test_other_containers_hold_the_same_frames(suffix: str, write_video: Writer, tmp_path: Path) -> None:
    expected, _ = plain_decode(write_video(tmp_path / "a.mp4", frames=20))
    frames, times_s = read_frames(clip(write_video(tmp_path / f"a.{suffix}", frames=20)))
    np.testing.assert_array_equal(frames, expected)
    assert times_s[0] == 0.0


def test_time_counts_from_the_first_frame(write_video: Writer, tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", times_s=[0.5, 0.6, 0.8])
    np.testing.assert_allclose(plain_decode(path)[1], [0.5, 0.6, 0.8])
    np.testing.assert_allclose(read_frames(clip(path))[1], [0.0, 0.1, 0.3])


def test_the_window_takes_its_start_and_leaves_its_end(write_video: Writer, tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", times_s=[0.0, 0.25, 0.5, 0.75, 1.0])
    np.testing.assert_allclose(read_frames(clip(path, 0.25, 0.75))[1], [0.25, 0.5])
    np.testing.assert_allclose(read_frames(clip(path, 0.3, 99.0))[1], [0.5, 0.75, 1.0])


@pytest.mark.parametrize("codec", [{"g": "25"}, {"g": "400"}, {"g": "25", "x264-params": "open-gop=1:bframes=4"}])
@pytest.mark.parametrize("start_s", [10.05, 12.5, 19.9])
def test_a_late_window_is_the_same_with_and_without_a_seek(
    codec: dict[str, str], start_s: float, write_video: Writer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_video(tmp_path / "a.mp4", frames=220, frame_rate=10, size=(32, 32), codec=codec)
    seeks: list[float] = []
    reached: list[float] = []
    decode = video._decode

    def recorded(path: Path, *, time_limit_s: float, seek_s: Fraction | None = None) -> Iterator[Any]:
        seeks.extend([] if seek_s is None else [float(seek_s)])
        for moment, frame in decode(path, time_limit_s=time_limit_s, seek_s=seek_s):
            reached.append(float(moment))
            yield moment, frame

    monkeypatch.setattr(video, "_decode", recorded)
    sought, sought_times = read_frames(clip(path, start_s, start_s + 1.0))
    assert seeks == [start_s]
    if codec == {"g": "25"}:
        assert len(reached) < 60, "the key frame before the window was found at once"
    monkeypatch.setattr(video, "SEEK_BEYOND_S", 1e9)
    plain, plain_times = read_frames(clip(path, start_s, start_s + 1.0))
    assert seeks == [start_s]
    np.testing.assert_array_equal(sought, plain)
    np.testing.assert_array_equal(sought_times, plain_times)


@pytest.mark.parametrize(
    ("codec", "suffix", "between_keys"),
    [
        ("mpeg4", "mp4", 30),
        ("mpeg4", "ts", 30),
        ("mpeg4", "mpg", 230),
        ("mpeg2video", "mpg", 30),
        ("libx264", "ts", 30),
    ],
)
def test_a_seek_into_the_middle_of_pictures_that_refer_to_others_gives_the_same_pictures(
    codec: str, suffix: str, between_keys: int, tmp_path: Path
) -> None:
    path, noise = tmp_path / f"a.{suffix}", np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    with av.open(str(path), "w") as file:
        stream: Any = file.add_stream(codec, rate=25, options={"threads": "1", "bf": "0"})
        stream.width = stream.height = 64
        stream.codec_context.gop_size = between_keys
        for number in range(625):
            file.mux(stream.encode(av.VideoFrame.from_ndarray(np.roll(noise, number, 0), format="rgb24")))
        file.mux(stream.encode())
    path.write_bytes(path.read_bytes().replace(b"stss", b"free"))  # an mp4's list of key frames: now each frame is one
    every, times_s = read_frames(clip(path))
    for start_s in (10.3, 13.96, 20.52):
        window, window_s = read_frames(clip(path, start_s, start_s + 0.5))
        chosen = (times_s >= start_s) & (times_s < start_s + 0.5)
        np.testing.assert_array_equal(window_s, times_s[chosen])
        np.testing.assert_array_equal(window, every[chosen])


@pytest.mark.parametrize("start_s", [12.0, 48.2, 51.3])
def test_a_window_is_never_that_of_another_recording_behind_a_clock_that_restarts(
    start_s: float, write_video: Writer, tmp_path: Path
) -> None:
    parts = [
        write_video(tmp_path / f"{seed}.ts", frames=frames, frame_rate=10, size=(32, 32), seed=seed, codec={"g": "20"})
        for seed, frames in ((0, 600), (1, 900))
    ]
    path = tmp_path / "both.ts"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    window, _ = read_frames(clip(path, start_s, start_s + 1.5))
    np.testing.assert_array_equal(window, read_frames(clip(parts[0], start_s, start_s + 1.5))[0])


@pytest.mark.parametrize(("suffix", "seeks"), [("mp4", True), ("mkv", True), ("ts", False)])
def test_a_seek_is_tried_only_where_the_container_has_an_index(
    suffix: str, seeks: bool, write_video: Writer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[bool] = []
    decode = video._decode

    def recorded(path: Path, *, time_limit_s: float, seek_s: Fraction | None = None) -> Iterator[Any]:
        tried.append(seek_s is not None)
        return decode(path, time_limit_s=time_limit_s, seek_s=seek_s)

    monkeypatch.setattr(video, "_decode", recorded)
    path = write_video(tmp_path / f"a.{suffix}", frames=260, frame_rate=25, size=(32, 32))
    assert len(read_frames(clip(path, 10.2))[1]) == 5
    assert any(tried) == seeks


@pytest.mark.parametrize("number", [np.int64, np.float32, int])
def test_a_late_window_may_begin_at_any_kind_of_number(number: Any, write_video: Writer, tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", frames=150, frame_rate=10, size=(32, 32), codec={"g": "20"})
    np.testing.assert_allclose(read_frames(clip(path, number(12), number(13)))[1], np.arange(120, 130) / 10)


def test_a_file_that_is_gone_at_its_end_is_one_error(write_video: Writer, tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", frames=20)
    frames = iter_frames(clip(path))
    next(frames)
    path.unlink()
    with pytest.raises(ActAlignError, match=r"a\.mp4 cannot be read any more \(No such file"):
        list(frames)


def test_a_file_that_is_closed_at_its_end_is_the_same_error(
    write_video: Writer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(path: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(video, "require_whole", closed)
    with pytest.raises(ActAlignError, match=r"a\.mp4 cannot be read any more \(Permission denied"):
        read_frames(clip(write_video(tmp_path / "a.mp4", frames=2)))


@pytest.mark.parametrize("start_s", [0.0, 11.0])
def test_frames_that_a_decoder_gives_out_of_order_are_put_in_order(
    start_s: float, write_video: Writer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_video(tmp_path / "a.mp4", frames=150, frame_rate=10, size=(32, 32), codec={"g": "20"})
    decode = video._decode

    def two_by_two(path: Path, **options: Any) -> Iterator[Any]:
        frames = decode(path, **options)
        while pair := list(islice(frames, 2)):
            yield from reversed(pair)

    expected = read_frames(clip(path, start_s))
    monkeypatch.setattr(video, "_decode", two_by_two)
    for found, right in zip(read_frames(clip(path, start_s)), expected, strict=True):
        np.testing.assert_array_equal(found, right)


def test_a_seek_that_lands_too_late_is_not_believed(
    write_video: Writer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_video(tmp_path / "a.mp4", frames=220, frame_rate=10, size=(32, 32), codec={"g": "20"})
    decode = video._decode

    def too_late(path: Path, *, time_limit_s: float, seek_s: Fraction | None = None) -> Iterator[Any]:
        return decode(path, time_limit_s=time_limit_s, seek_s=None if seek_s is None else seek_s + 5)

    monkeypatch.setattr(video, "_decode", too_late)
    np.testing.assert_allclose(read_frames(clip(path, 11.0, 11.35))[1], [11.0, 11.1, 11.2, 11.3])


def test_a_frame_rate_takes_the_nearest_frames(write_video: Writer, tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", frames=20)
    every, _ = read_frames(clip(path))
    frames, times_s = read_frames(clip(path), frame_rate=5)
    np.testing.assert_allclose(times_s, [0.0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.2])
    np.testing.assert_array_equal(frames, every[::3])
    assert len(read_frames(clip(path), frame_rate=120)[1]) == 20
    np.testing.assert_allclose(read_frames(clip(path, 0.5, 1.0), frame_rate=4)[1], [8 / 15, 11 / 15])
    np.testing.assert_allclose(read_frames(clip(path, 0.6, 1.05), frame_rate=4)[1], [9 / 15, 13 / 15])  # 0.6, 0.85


@pytest.mark.parametrize("frame_rate", [0, -1, float("nan"), float("inf")])
def test_a_senseless_frame_rate_is_refused(frame_rate: float, write_video: Writer, tmp_path: Path) -> None:
    with pytest.raises(ActAlignError, match="give frames per second above 0"):
        read_frames(clip(write_video(tmp_path / "a.mp4", frames=3)), frame_rate=frame_rate)


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_rotation_is_applied(turns: int, write_video: Writer, tmp_path: Path) -> None:
    upright, _ = read_frames(clip(write_video(tmp_path / "a.mp4", frames=3, size=(32, 64))))
    turned, _ = read_frames(clip(write_video(tmp_path / "b.mp4", frames=3, size=(32, 64), rotation=90 * turns)))
    np.testing.assert_array_equal(turned, np.rot90(upright, turns, axes=(1, 2)))


def lie_in_mp4(content: bytearray) -> None:
    """Movie, track and media headers claim a hundred times the duration."""
    for name, offset in ((b"mvhd", 20), (b"tkhd", 24), (b"mdhd", 20)):
        at = content.index(name) + offset
        content[at : at + 4] = (int.from_bytes(content[at : at + 4], "big") * 100).to_bytes(4, "big")


def lie_in_mkv(content: bytearray) -> None:
    """The segment claims to last 133 s."""
    at = content.index(b"\x44\x89\x88") + 3
    content[at : at + 8] = struct.pack(">d", 133_333.0)


@pytest.mark.parametrize(("suffix", "lie", "claimed_s"), [("mp4", lie_in_mp4, 1.3), ("mkv", lie_in_mkv, 133.3)])
def test_a_header_that_lies_about_the_duration_changes_nothing(
    suffix: str, lie: Callable[[bytearray], None], claimed_s: float, write_video: Writer, tmp_path: Path
) -> None:
    path = write_video(tmp_path / f"a.{suffix}", frames=20)
    expected, expected_times = read_frames(clip(path))
    content = bytearray(path.read_bytes())
    lie(content)
    assert content != path.read_bytes()
    path.write_bytes(content)
    assert probe(path).duration_s == pytest.approx(claimed_s, abs=0.05)  # FFmpeg sees through the mp4's lie itself
    frames, times_s = read_frames(clip(path))
    np.testing.assert_array_equal(frames, expected)
    np.testing.assert_array_equal(times_s, expected_times)
    with pytest.raises(ActAlignError, match=r"window, 5 s to 6 s; the nearest is at 1\.267 s"):
        read_frames(clip(path, 5.0, 6.0))


def test_a_header_that_lies_about_rate_and_count_changes_nothing(write_video: Writer, tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.avi", frames=20)
    assert probe(path).frame_rate == 600
    with av.open(str(path)) as file:
        assert file.streams.video[0].frames == 800
    assert len(read_frames(clip(path))[1]) == 20


def test_probe_reads_the_header(write_video: Writer, tmp_path: Path) -> None:
    facts = probe(write_video(tmp_path / "a.mp4", frames=30, size=(32, 64)))
    assert (facts.width, facts.height, facts.codec) == (64, 32, "h264")
    assert facts.duration_s == pytest.approx(2.0)
    assert facts.frame_rate == pytest.approx(15.0)
    assert probe(write_video(tmp_path / "a.h264", frames=30)).duration_s is None


def audio_only(path: Path, *, cover: bool = False) -> Path:
    with av.open(str(path), "w", format="mp4") as file:
        sound = file.add_stream("aac", rate=16000)
        if cover:
            picture = file.add_stream("mjpeg", rate=1)
            picture.width = picture.height = 32
            picture.pix_fmt = "yuvj420p"
            picture.disposition = Disposition.attached_pic
            file.mux(picture.encode(av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")))
            file.mux(picture.encode())
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 16000), np.float32), format="fltp", layout="mono")
        silence.rate = 16000
        file.mux(sound.encode(silence))
        file.mux(sound.encode())
    return path


def still_picture(path: Path) -> Path:
    with av.open(str(path), "w", format="image2") as file:
        stream = file.add_stream("png", rate=1)
        stream.width = stream.height = 32
        stream.pix_fmt = "rgb24"
        file.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")))
        file.mux(stream.encode())
    return path


def text_file(path: Path) -> Path:
    path.write_text("not a video\n" * 100)
    return path


def empty_file(path: Path) -> Path:
    path.touch()
    return path


def list_of_videos(path: Path) -> Path:
    """What the decoder reads as one video: its frames would not be those of the file that is hashed."""
    path.write_text(f"ffconcat version 1.0\nfile '{audio_only(path.with_name('real.m4a')).name}'\n")
    return path


def folder(path: Path) -> Path:
    path.mkdir()
    return path


@pytest.mark.parametrize(
    ("make", "name", "complaint"),
    [
        (lambda path: path, "a.mp4", "does not exist; check the path column"),
        (folder, "a.mp4", "is not a file"),
        (empty_file, "a.mp4", r"is empty \(0 bytes\); fetch it again"),
        (text_file, "a.mp4", "truncated or not a video"),
        (text_file, "a.txt", "is not a video but"),
        (list_of_videos, "a.mkv", "is not a video but 'Virtual concatenation script'"),
        (audio_only, "a.mp4", r"no video stream, only \['audio'\]"),
        (lambda path: audio_only(path, cover=True), "a.m4a", r"no video stream, only \['a cover picture', 'audio'\]"),
        (still_picture, "a.png", "is not a video but"),
    ],
)
def test_what_is_not_a_video_is_refused_by_name(
    make: Callable[[Path], Path], name: str, complaint: str, tmp_path: Path
) -> None:
    path = make(tmp_path / name)
    for read in (lambda: probe(path), lambda: read_frames(clip(path))):
        with pytest.raises(ActAlignError, match=complaint) as raised:
            read()
        assert str(path) in str(raised.value)


def cut(path: Path, length: int) -> Path:
    path.write_bytes(path.read_bytes()[:length])
    return path


def test_a_file_cut_before_its_index_is_refused(write_video: Writer, tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4")
    with pytest.raises(ActAlignError, match="truncated or not a video"):
        read_frames(clip(cut(path, path.stat().st_size // 2)))


FAST_START = {"movflags": "faststart"}


def test_a_file_cut_anywhere_is_refused_and_not_a_shorter_clip(write_video: Writer, tmp_path: Path) -> None:
    whole = write_video(tmp_path / "a.mp4", container=FAST_START).read_bytes()
    ends = packet_ends(tmp_path / "a.mp4")
    assert len(ends) == 40
    for length in (ends[0], ends[10], ends[10] + 7, ends[25] - 1, ends[38], len(whole) - 1):
        (tmp_path / "a.mp4").write_bytes(whole[:length])
        with pytest.raises(ActAlignError, match=r"a\.mp4 is (truncated|cut off)"):
            list(iter_frames(clip(tmp_path / "a.mp4")))


@pytest.mark.parametrize("suffix", ["mkv", "avi", "ts"])
def test_other_containers_cut_in_the_middle_are_refused(suffix: str, write_video: Writer, tmp_path: Path) -> None:
    path = write_video(tmp_path / f"a.{suffix}")
    with pytest.raises(ActAlignError, match=r"is (truncated|cut off)"):
        read_frames(clip(cut(path, path.stat().st_size // 376 * 188 + 50)))


def test_a_window_before_the_cut_is_read(write_video: Writer, tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", container=FAST_START)
    expected, _ = read_frames(clip(path, 0.0, 0.5))
    frames, _ = read_frames(clip(cut(path, packet_ends(path)[35]), 0.0, 0.5))
    np.testing.assert_array_equal(frames, expected)


def test_damaged_bytes_are_an_error_and_not_a_concealed_frame(write_video: Writer, tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", container=FAST_START, codec={"crf": "10"})
    whole, (frames, _) = path.read_bytes(), plain_decode(path)
    concealed = told = 0
    for start in packet_ends(path)[5:30]:
        damaged = bytearray(whole)
        damaged[start + 300 : start + 500] = bytes(byte ^ 0x5A for byte in whole[start + 300 : start + 500])
        path.write_bytes(damaged)
        seen, _ = plain_decode(path)
        concealed += len(seen) == len(frames) and not np.array_equal(seen, frames)
        try:
            first, _ = read_frames(clip(path))
        except ActAlignError as error:
            assert re.search(r"truncated or damaged after the frame at \d\.\d+ s", str(error))
            told += 1
        else:  # bytes that are wrong and can be decoded all the same
            np.testing.assert_array_equal(read_frames(clip(path))[0], first)
    assert concealed > 20 and told > 12  # 25 and 18 here; without "explode" none is told


def test_frames_without_timestamps_are_refused(write_video: Writer, tmp_path: Path) -> None:
    with pytest.raises(ActAlignError, match="frames without timestamps"):
        read_frames(clip(write_video(tmp_path / "a.h264")))


@pytest.mark.parametrize(
    ("start_s", "end_s", "complaint"),
    [
        (2.0, 3.0, r"its window, 2 s to 3 s; the nearest is at 0\.933 s"),
        (2.0, None, r"its window, 2 s to the end"),
        (30.0, 31.0, r"its window, 30 s to 31 s; the nearest is at 0\.933 s"),
        (0.01, 0.02, r"its window, 0\.01 s to 0\.02 s; the nearest is at 0\.067 s"),
    ],
)
def test_a_window_without_frames_is_an_error(
    start_s: float, end_s: float | None, complaint: str, write_video: Writer, tmp_path: Path
) -> None:
    path = write_video(tmp_path / "a.mp4", frames=15)
    with pytest.raises(ActAlignError, match=rf"clip 'the-clip': no frame of .*{complaint}"):
        read_frames(clip(path, start_s, end_s))


def test_a_picture_size_that_changes_is_left_to_iter_frames(
    write_video: Writer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = [np.zeros((2, 2, 3), np.uint8), np.zeros((4, 2, 3), np.uint8)]
    monkeypatch.setattr(video, "iter_frames", lambda *_, **__: iter([(0.0, small[0]), (1.0, small[1])]))
    with pytest.raises(ActAlignError, match="changes its picture size"):
        read_frames(clip(tmp_path / "a.mp4"))


class Turning:
    """A container whose decoder gives the same frame for ever, as a broken file can make one do."""

    def __init__(self, frame: Any, *, corrupt: bool = False) -> None:
        self.corrupt = corrupt
        self.format = SimpleNamespace(name="mov", long_name="movie")
        self.stream = SimpleNamespace(disposition=0, codec_context=SimpleNamespace(), type="video")
        self.streams = SimpleNamespace(video=[self.stream])
        self.frames = [] if frame is None else [frame]

    def __enter__(self) -> "Turning":
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def demux(self, _: object) -> Iterator[Any]:
        while True:
            yield SimpleNamespace(is_corrupt=self.corrupt, decode=lambda: self.frames)


@pytest.mark.parametrize("with_a_frame", [True, False])
def test_decoding_that_gets_nowhere_is_stopped(
    with_a_frame: bool, write_video: Writer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_video(tmp_path / "a.mp4", frames=1)
    with av.open(str(path)) as file:
        frame = next(file.decode(video=0))
    monkeypatch.setattr(av, "open", lambda *_, **__: Turning(frame if with_a_frame else None))
    with pytest.raises(ActAlignError, match=r"decoding ran 0\.05 s .* without reaching a later frame"):
        read_frames(clip(path), time_limit_s=0.05)


def test_a_long_video_takes_as_long_as_it_goes_on(
    write_video: Writer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, now = write_video(tmp_path / "a.mp4", frames=40), count(0.0, 0.25)
    monkeypatch.setattr(video, "time", SimpleNamespace(monotonic=lambda: next(now)))
    assert len(read_frames(clip(path), time_limit_s=5.0)[1]) == 40
    assert next(now) > 8 * 5.0


def test_the_time_that_a_frames_taker_needs_is_not_the_decoders(
    write_video: Writer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_video(tmp_path / "a.mp4", frames=1)
    with av.open(str(path)) as file:
        frame = next(file.decode(video=0))
    now = count(0.0, 0.25)
    monkeypatch.setattr(av, "open", lambda *_, **__: Turning(frame))
    monkeypatch.setattr(video, "time", SimpleNamespace(monotonic=lambda: next(now)))
    frames = video._decode(path, time_limit_s=4.0)
    for _ in range(3):
        assert next(frames)[1] is frame
        for _ in range(40):
            next(now)


def test_a_file_can_lead_the_decoder_to_other_files_at_most(
    write_video: Writer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_video(tmp_path / "a.mp4", frames=1)
    opened: list[dict[str, Any]] = []
    av_open = av.open

    def noted(*args: Any, **options: Any) -> Any:
        opened.append(options["container_options"])
        return av_open(*args, **options)

    monkeypatch.setattr(av, "open", noted)
    read_frames(clip(path))
    assert opened == [{"protocol_whitelist": "file"}] * len(opened) != []


@pytest.mark.parametrize("unknown", [None, Fraction(0)])  # the latter from PyAV 19 on
def test_frames_without_a_clock_are_refused(
    unknown: Fraction | None, write_video: Writer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_video(tmp_path / "a.mp4", frames=1)
    frame = SimpleNamespace(pts=1, time_base=unknown, key_frame=True)
    monkeypatch.setattr(av, "open", lambda *_, **__: Turning(frame))
    with pytest.raises(ActAlignError, match="frames without timestamps"):
        read_frames(clip(path))


def test_a_packet_known_to_be_cut_is_not_decoded(
    write_video: Writer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_video(tmp_path / "a.mp4", frames=1)
    monkeypatch.setattr(av, "open", lambda *_, **__: Turning(None, corrupt=True))
    with pytest.raises(ActAlignError, match="is cut off or damaged before its first frame"):
        list(iter_frames(clip(path), time_limit_s=0.05))


def test_a_stream_that_never_gives_a_frame_is_an_error(
    write_video: Writer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_video(tmp_path / "a.mp4", frames=3)
    monkeypatch.setattr(video, "_decode", lambda *_, **__: iter([]))
    with pytest.raises(ActAlignError, match="holds no frame that can be decoded"):
        read_frames(clip(path))


def test_a_codec_that_cannot_be_decoded_is_one_error(write_video: Writer, tmp_path: Path) -> None:
    """A damaged name of the codec: the file opens, and there is no decoder."""
    path = write_video(tmp_path / "a.mp4")
    path.write_bytes(path.read_bytes().replace(b"avc1", b"xxxx"))
    for read in (lambda: probe(path), lambda: list(iter_frames(clip(path)))):
        with pytest.raises(ActAlignError, match="of a codec that cannot be decoded here"):
            read()


def test_a_frame_that_cannot_be_converted_is_one_error(
    write_video: Writer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*given: Any, **named: Any) -> None:
        raise av.error.OSError(95, "Operation not supported")

    path = write_video(tmp_path / "a.mp4")
    monkeypatch.setattr(video, "VideoReformatter", lambda: SimpleNamespace(reformat=refuse))
    with pytest.raises(ActAlignError, match=r"the frame at 0\.000 s cannot be made RGB \(Operation not supported\)"):
        read_frames(clip(path))


@pytest.mark.parametrize("codec", ["libvpx", "libvpx-vp9"])
def test_a_webm_that_lost_packets_is_not_a_shorter_clip(codec: str, tmp_path: Path) -> None:
    """The demuxer goes on behind what it cannot read, so that only the container's order tells."""
    path = tmp_path / "a.webm"
    rng = np.random.default_rng(0)
    with av.open(str(path), "w", options={"cluster_time_limit": "300"}) as file:  # where the demuxer goes on
        stream: Any = file.add_stream(codec, rate=15, options={"deadline": "realtime"})
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        for _ in range(40):
            frame = av.VideoFrame.from_ndarray(rng.integers(0, 256, (64, 64, 3), dtype=np.uint8), format="rgb24")
            file.mux(stream.encode(frame))
        file.mux(stream.encode())
    assert len(read_frames(clip(path))[0]) == 40
    whole = path.read_bytes()
    lost = lost_early = 0
    for start in range(len(whole) // 8, len(whole) - 4096, len(whole) // 16):
        path.write_bytes(whole[:start] + bytes(4096) + whole[start + 4096 :])
        times = plain_decode(path)[1]
        lost += len(times) < 40
        lost_early += len([time for time in times if time < 2.0]) < 30 and times[-1] >= 2.0
        with contextlib.suppress(ActAlignError):
            assert len(read_frames(clip(path))[0]) == 40
        with contextlib.suppress(ActAlignError):
            assert len(read_frames(clip(path, end_s=2.0))[0]) == 30
    assert lost > 3 and lost_early > 2, "the damage must be of the kind that is looked for"


@pytest.mark.parametrize("name", ["a\0b.mp4", "a" * 300])
def test_a_path_that_no_file_can_have(name: str, tmp_path: Path) -> None:
    with pytest.raises(ActAlignError, match="does not exist"):
        probe(tmp_path / name)
