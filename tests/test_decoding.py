import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from actalign import decoding
from actalign.decoding import CLIPS_PER_THREAD, DecodeAhead
from actalign.errors import ActAlignError
from actalign.records import Clip
from actalign.video import Frame, iter_frames

FRAME_BYTES = 8 * 8 * 3


def decoders() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("decode")]


def clips_of(count: int) -> list[Clip]:
    return [Clip(str(n), Path(f"{n}.mp4"), sport="judo") for n in range(count)]


class Made:
    """Stands for ``iter_frames``: ten frames a clip, each filled with the clip's number; counts what was made.

    ``larger`` names clips whose frames are so many times as large.
    """

    def __init__(self, frames: int = 10) -> None:
        self.frames = frames
        self.larger: dict[str, int] = {}
        self.counts: dict[str, int] = {}

    def __call__(self, clip: Clip, *, frame_rate: float | None) -> Iterator[tuple[float, Frame]]:
        for n in range(self.frames):
            self.counts[clip.id] = n + 1
            yield float(n), np.full((8 * self.larger.get(clip.id, 1), 8, 3), int(clip.id), np.uint8)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Made:
    stand_in = Made()
    monkeypatch.setattr(decoding, "iter_frames", stand_in)
    return stand_in


def until(true: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 20
    while not true():
        assert time.monotonic() < give_up, "the threads did not come to rest"
        time.sleep(0.001)


def at_rest(decoded: DecodeAhead) -> bool:
    """Every thread waits for room or has nothing left to do."""
    with decoded._lock:
        begun = list(decoded._lanes)
        busy = [lane for lane in begun if not lane.ended][: decoded._threads._max_workers]
        return all(lane.waiting and not decoded._has_room(lane, FRAME_BYTES) for lane in busy)


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("ahead_bytes", [1, 20_000, None])
def test_the_frames_are_those_of_each_clip_in_order(
    threads: int, ahead_bytes: int | None, write_video: Callable[..., Path], tmp_path: Path
) -> None:
    files = [write_video(tmp_path / f"{n}.mp4", frames=4 + n, size=(32, 32), seed=n) for n in range(6)]
    clips = [Clip(str(n), path, sport="judo") for n, path in enumerate(files)]
    seen = 0
    with DecodeAhead(clips, frame_rate=5.0, threads=threads, ahead_bytes=ahead_bytes) as decoded:
        for clip, frames in zip(clips, decoded, strict=True):
            expected = list(iter_frames(clip, frame_rate=5.0))
            taken = list(frames)
            assert [time_s for time_s, _ in taken] == [time_s for time_s, _ in expected]
            for (_, frame), (_, same) in zip(taken, expected, strict=True):
                np.testing.assert_array_equal(frame, same)
            seen += 1
    assert seen == 6 and not decoders()


def test_threads_decode_ahead_within_the_bytes(made: Made) -> None:
    with DecodeAhead(clips_of(6), frame_rate=None, threads=2, ahead_bytes=15 * FRAME_BYTES) as decoded:
        taken = 0
        for number, frames in enumerate(decoded):
            for _, frame in frames:
                assert frame[0, 0, 0] == number
                taken += 1
                until(lambda: at_rest(decoded))
                ahead = sum(made.counts.values()) - taken
                assert decoded._bytes <= 15 * FRAME_BYTES
                assert ahead >= min(15, 60 - taken)
                assert ahead <= 15 + 2  # each thread holds one in its hand
        assert taken == 60


@pytest.mark.parametrize(("threads", "frames"), [(1, 5), (2, 10), (3, 12), (4, 12)])
def test_each_thread_has_room_of_its_own_up_to_a_limit_for_all(
    threads: int, frames: int, made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoding, "AHEAD_BYTES", 5 * FRAME_BYTES)
    monkeypatch.setattr(decoding, "MOST_AHEAD_BYTES", 12 * FRAME_BYTES)
    made.frames = 100
    with DecodeAhead(clips_of(9), frame_rate=None, threads=threads) as decoded:
        next(iter(decoded))
        until(lambda: at_rest(decoded))
        assert frames <= decoded._bytes / FRAME_BYTES <= frames + 1  # one more: the clip being taken may hold one


def begun_late(made: Made, monkeypatch: pytest.MonkeyPatch, clips: set[str], true: Callable[[], bool]) -> None:
    """These clips' threads make nothing until it is true."""

    def late(clip: Clip, *, frame_rate: float | None) -> Iterator[tuple[float, Frame]]:
        until(lambda: clip.id not in clips or true())
        yield from made(clip, frame_rate=frame_rate)

    monkeypatch.setattr(decoding, "iter_frames", late)


def test_a_large_frame_that_is_taken_makes_room_for_several_clips(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    made.frames, made.larger = 2, {"0": 10}
    begun_late(made, monkeypatch, {"1", "2"}, lambda: decoded._lanes[0].ended)
    with DecodeAhead(clips_of(3), frame_rate=None, threads=3, ahead_bytes=20 * FRAME_BYTES) as decoded:
        frames = next(iter(decoded))
        until(lambda: decoded._lanes[1].waiting and decoded._lanes[2].waiting)
        next(frames)
        until(lambda: all(lane.ended for lane in decoded._lanes))


def test_a_small_frame_does_not_take_the_room_that_an_earlier_clip_waits_for(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    made.frames, made.larger = 2, {"1": 3}
    taken = threading.Event()
    begun_late(made, monkeypatch, {"2"}, taken.is_set)
    with DecodeAhead(clips_of(3), frame_rate=None, threads=3, ahead_bytes=5 * FRAME_BYTES) as decoded:
        frames = next(iter(decoded))
        until(lambda: decoded._lanes[1].waiting)
        assert next(frames) and next(frames)
        taken.set()
        until(lambda: decoded._lanes[2].waiting or bool(decoded._lanes[2].frames))
        assert not decoded._lanes[2].frames


def test_the_earliest_clip_gets_the_room(made: Made) -> None:
    with DecodeAhead(clips_of(3), frame_rate=None, threads=3, ahead_bytes=4 * FRAME_BYTES) as decoded:
        clips = iter(decoded)
        first = next(clips)
        until(lambda: at_rest(decoded))
        assert decoded._bytes <= (4 + 1) * FRAME_BYTES
        others = {clip: count for clip, count in made.counts.items() if clip != "0"}
        while made.counts["0"] < made.frames:
            next(first)
            until(lambda: at_rest(decoded))
            assert {clip: count for clip, count in made.counts.items() if clip != "0"} == others


def test_a_clip_larger_than_the_limit_still_comes_through(made: Made) -> None:
    with DecodeAhead(clips_of(3), frame_rate=None, threads=2, ahead_bytes=1) as decoded:
        assert [len(list(frames)) for frames in decoded] == [10, 10, 10]


def test_short_clips_do_not_pile_up(made: Made) -> None:
    made.frames = 1
    with DecodeAhead(clips_of(50), frame_rate=None, threads=2) as decoded:
        for number, frames in enumerate(decoded, start=1):
            assert len(list(frames)) == 1
            assert len(made.counts) <= number + 2 * CLIPS_PER_THREAD


def test_clips_are_asked_for_as_they_are_needed(made: Made) -> None:
    asked: list[str] = []

    def clips() -> Iterator[Clip]:
        for clip in clips_of(50):
            asked.append(clip.id)
            yield clip

    with DecodeAhead(clips(), frame_rate=None, threads=1) as decoded:
        next(iter(decoded))
        assert len(asked) == CLIPS_PER_THREAD


def test_a_broken_clip_fails_after_its_good_frames_and_alone(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    def damaged(clip: Clip, *, frame_rate: float | None) -> Iterator[tuple[float, Frame]]:
        for time_s, frame in made(clip, frame_rate=frame_rate):
            if clip.id == "1" and time_s == 3:
                raise ActAlignError("clip 1 is damaged")
            yield time_s, frame

    monkeypatch.setattr(decoding, "iter_frames", damaged)
    taken: dict[int, int] = {}
    failed: dict[int, str] = {}
    with DecodeAhead(clips_of(3), frame_rate=None, threads=2) as decoded:
        for number, frames in enumerate(decoded):
            try:
                for _ in frames:
                    taken[number] = taken.get(number, 0) + 1
            except ActAlignError as error:
                failed[number] = str(error)
    assert taken == {0: 10, 1: 3, 2: 10}
    assert failed == {1: "clip 1 is damaged"}


def test_any_other_error_in_a_thread_reaches_the_taker(monkeypatch: pytest.MonkeyPatch) -> None:
    def out_of_memory(clip: Clip, *, frame_rate: float | None) -> Iterator[tuple[float, Frame]]:
        raise MemoryError("no memory")

    monkeypatch.setattr(decoding, "iter_frames", out_of_memory)
    with pytest.raises(MemoryError, match="no memory"), DecodeAhead(clips_of(2), frame_rate=None) as decoded:
        for frames in decoded:
            list(frames)
    assert not decoders()


@pytest.mark.parametrize("kind", [KeyboardInterrupt, RuntimeError])
def test_leaving_early_stops_the_threads(kind: type[BaseException], made: Made) -> None:
    made.frames = 10**9
    with pytest.raises(kind), DecodeAhead(clips_of(9), frame_rate=None, threads=3, ahead_bytes=10_000) as decoded:
        for frames in decoded:
            next(frames)
            assert len(decoders()) == 3
            raise kind
    assert not decoders()
    assert not decoded._lanes


def test_waiting_is_counted(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter(range(10**6))
    monkeypatch.setattr(decoding.time, "monotonic", lambda: float(next(ticks)))  # type: ignore[attr-defined]
    with DecodeAhead(clips_of(2), frame_rate=None, threads=1) as decoded:
        for frames in decoded:
            list(frames)
        assert decoded.waited_s == 2 * (10 + 1)  # a tick for each frame and each end
