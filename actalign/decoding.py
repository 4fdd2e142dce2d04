"""Clips decoded in threads, ahead of whoever takes their frames, and handed out in the order of the clips.

A thread decodes a whole clip (:func:`actalign.video.iter_frames`, which leaves the interpreter to the others while
it decodes), so the frames are the same however many threads there are. Two limits keep memory constant in the
number of clips: the bytes of the frames that wait to be taken, and the number of clips begun. Where there is room
for a frame, the earliest clip that wants it gets it; the clip being taken may always hold one.
"""

import time
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import takewhile
from threading import Condition, Lock

from actalign.cores import threads_for
from actalign.records import Clip
from actalign.video import Frame, iter_frames

AHEAD_BYTES = 2**29
"""Bytes of decoded frames that may wait, for each thread: about a clip of 6 s at 720p."""
MOST_AHEAD_BYTES = 2**33
"""The same for all threads together."""
CLIPS_PER_THREAD = 4
"""Clips begun and not yet taken, for each thread: short clips must not pile up either."""


@dataclass(eq=False)
class _Lane:
    """One clip's frames, on their way from its thread to the taker."""

    room: Condition
    frames: deque[tuple[float, Frame]] = field(default_factory=deque)
    work: Future[None] = field(init=False)
    waiting: bool = False
    ended: bool = False


class DecodeAhead:
    """Iterate over it, as a context: for each clip, in order, an iterator of its frames.

    Each clip's frames must be taken to their end before the next clip's. They come as from ``iter_frames``; a clip
    that cannot be decoded raises its ActAlignError when the frames before the damage have been taken. Leaving the
    context stops the threads. ``waited_s`` is the time in seconds that the taker has waited for frames.

    >>> with DecodeAhead([], frame_rate=None) as decoded:
    ...     [len(list(frames)) for frames in decoded]
    []
    """

    def __init__(
        self,
        clips: Iterable[Clip],
        *,
        frame_rate: float | None,
        threads: int | None = None,
        ahead_bytes: int | None = None,
    ):
        threads = threads_for(threads)
        self.waited_s = 0.0
        self._clips = iter(clips)
        self._frame_rate = frame_rate
        self._begun_at_most = threads * CLIPS_PER_THREAD
        self._bytes_at_most = min(threads * AHEAD_BYTES, MOST_AHEAD_BYTES) if ahead_bytes is None else ahead_bytes
        self._bytes = 0
        self._stopped = False
        self._lock = Lock()
        self._news = Condition(self._lock)
        self._lanes: deque[_Lane] = deque()
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="decode")

    def __enter__(self) -> "DecodeAhead":
        return self

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._stopped = True
            for lane in self._lanes:
                lane.room.notify()
        self._threads.shutdown(cancel_futures=True)
        self._lanes.clear()

    def __iter__(self) -> Iterator[Iterator[tuple[float, Frame]]]:
        self._begin()
        while self._lanes:
            yield self._frames(self._lanes[0])
            with self._lock:
                self._lanes.popleft()
                self._wake_the_earliest()  # the next clip may hold a frame, however little room there is
            self._begin()

    def _begin(self) -> None:
        while len(self._lanes) < self._begun_at_most and (clip := next(self._clips, None)) is not None:
            lane = _Lane(Condition(self._lock))
            with self._lock:
                self._lanes.append(lane)
            lane.work = self._threads.submit(self._decode, lane, clip)

    def _decode(self, lane: _Lane, clip: Clip) -> None:
        """What a thread does with a clip. An error stays in the lane's future, for the taker."""
        try:
            for time_s, frame in iter_frames(clip, frame_rate=self._frame_rate):
                if not self._put(lane, time_s, frame):
                    return
        finally:
            with self._lock:
                lane.ended = True
                self._news.notify()

    def _put(self, lane: _Lane, time_s: float, frame: Frame) -> bool:
        """Wait for room and leave the frame there; False when nobody wants it any more."""
        with self._lock:
            while not self._stopped and not self._has_room(lane, frame.nbytes):
                lane.waiting = True
                lane.room.wait()
                lane.waiting = False
            if self._stopped:
                return False
            lane.frames.append((time_s, frame))
            self._bytes += frame.nbytes
            if self._bytes + frame.nbytes <= self._bytes_at_most:
                self._wake_the_earliest()
            self._news.notify()
            return True

    def _has_room(self, lane: _Lane, size: int) -> bool:
        if lane is self._lanes[0] and not lane.frames:
            return True
        if self._bytes + size > self._bytes_at_most:
            return False
        earlier = takewhile(lambda other: other is not lane, self._lanes)
        return not any(other.waiting for other in earlier)

    def _wake_the_earliest(self) -> None:
        for lane in self._lanes:
            if lane.waiting:
                lane.room.notify()
                return

    def _frames(self, lane: _Lane) -> Iterator[tuple[float, Frame]]:
        while (taken := self._take(lane)) is not None:
            yield taken
        lane.work.result()  # raises what decoding raised

    def _take(self, lane: _Lane) -> tuple[float, Frame] | None:
        """The clip's next frame, waited for; None after its last."""
        with self._lock:
            began = time.monotonic()
            while not lane.frames and not lane.ended:
                self._news.wait()
            self.waited_s += time.monotonic() - began
            if not lane.frames:
                return None
            taken = lane.frames.popleft()
            self._bytes -= taken[1].nbytes
            self._wake_the_earliest()
            return taken
