"""One pass over clips: look each up, decode and encode what is missing, settle each as soon as it is complete.

The last digits of an embedding depend on how many frames were encoded together. On a CPU, where that costs little,
each clip therefore has batches of its own: its embeddings do not depend on which clips were done before.
"""

import shutil
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from actalign import estimate
from actalign.cores import available
from actalign.decoding import DecodeAhead
from actalign.errors import ActAlignError
from actalign.estimate import Pace, Workload
from actalign.files import printable
from actalign.records import Clip, FrameEmbeddings
from actalign.store import EmbeddingStore, sha256_of
from actalign.video import Frame

CPU_BATCHES = (16, 64)
"""On a CPU the most frames of a clip's first batch, so that a forecast comes soon, and of the others."""
CPU_BYTES = 2**27
"""On a CPU a batch also ends when its frames take as much, five or six at 4K; nor do more wait to be encoded."""
TIMED_S = 5.0
"""Seconds of encoding, after the first batch, that a forecast is made from."""
SLOW_S = 20.0
"""On a CPU a first batch that took as long is enough for a forecast: to warm up is little of it."""
WORTH_TELLING_S = 60.0
"""A forecast of less than this is not told."""
FileState = tuple[int, int]
"""A file's size in bytes and its time of change in nanoseconds."""


class FrameEncoder(Protocol):
    """What :func:`actalign.embeddings.embed_clips` needs of an encoder: :class:`actalign.encoder.Encoder` has it."""

    @property
    def fingerprint(self) -> str: ...
    @property
    def dtype(self) -> str: ...
    @property
    def device(self) -> str: ...
    def encode_stream(self, batches: Iterable[Sequence[Frame]]) -> Iterator[NDArray[np.float32]]: ...


@dataclass(eq=False)
class Job:
    """One content to encode, and the clips that share it; ``state`` is that of the file when it was hashed."""

    key: str
    source_sha256: str
    state: FileState | None
    clips: list[Clip]
    times_s: list[float] = field(default_factory=list)
    rows: list[NDArray[np.float32]] = field(default_factory=list)
    started: float = 0.0
    failure: str = ""

    def drop_frames(self) -> None:
        """The job is settled: keep nothing that grows with its frames."""
        self.times_s, self.rows = [], []


class ClipRun:
    """One pass over the clips: looks each up, encodes what is missing, settles each as soon as it is complete."""

    def __init__(self, store: EmbeddingStore, encoder: FrameEncoder, *, batch_size: int, bar: Any):
        self.keys: dict[str, str] = {}
        self.failed: dict[str, str] = {}
        self.computed = 0
        self._store = store
        self._encoder = encoder
        self._batch_size = batch_size
        self._bar = bar
        self._sent: deque[list[Job]] = deque()
        self._decoded: list[Job] = []

    def look_up(self, clips: Sequence[Clip]) -> list[Job]:
        """Settle the clips that the store has; the rest are the jobs."""
        known = self._store.latest()
        jobs: dict[str, Job] = {}
        with _hashing(dict.fromkeys(clip.path for clip in clips)) as hashes:
            for clip in clips:
                try:
                    source, state = hashes[clip.path].result()
                except ActAlignError as error:
                    self._fail(clip, "", str(error))
                    continue
                key = self._store.key(clip, source_sha256=source)
                if key in jobs:
                    jobs[key].clips.append(clip)
                    continue
                stored = self._store.find(key)
                if stored is None:
                    jobs[key] = Job(key, source, state, [clip])
                else:
                    entry = known.get(clip.id, {})
                    if (entry.get("key"), entry.get("state")) != (key, "done"):
                        self._note(clip, key=key, state="done", frames=len(stored))
                    self._done(clip, key)
        return list(jobs.values())

    def encode(self, jobs: Sequence[Job]) -> None:
        """Decode and encode each job; except on a CPU, a batch is filled from as many jobs as it takes."""
        if not jobs:
            return
        clips, frame_rate = [job.clips[0] for job in jobs], self._store.frame_rate
        work = estimate.workload(clips, frame_rate=frame_rate)
        watch = _Watch(work, self._store, device=self._encoder.device, tell=self._bar.write)
        ahead = CPU_BYTES if self._encoder.device == "cpu" else None  # a CPU is not kept waiting for frames
        with DecodeAhead(clips, frame_rate=frame_rate, ahead_bytes=ahead) as decoded:
            batches = self._batches(zip(jobs, decoded, strict=True))
            for rows in self._encoder.encode_stream(batches):
                self._collect(rows)
                watch.after_batch(rows, waited_s=decoded.waited_s)
            watch.at_the_end(waited_s=decoded.waited_s)

    def _batches(self, jobs: Iterable[tuple[Job, Iterator[tuple[float, Frame]]]]) -> Iterator[list[Frame]]:
        """The frames of all jobs in batches; whose they are is noted in ``_sent``."""
        batch: list[tuple[Job, Frame]] = []
        apart = self._encoder.device == "cpu"
        first, later = CPU_BATCHES if apart else (self._batch_size, self._batch_size)
        for job, arriving in jobs:
            job.started, size = time.monotonic(), min(first, self._batch_size)
            for time_s, frame in _until_damaged(job, arriving):
                job.times_s.append(time_s)
                batch.append((job, frame))
                if len(batch) >= size or (apart and len(batch) * frame.nbytes >= CPU_BYTES):
                    yield self._send(batch)
                    batch, size = [], min(later, self._batch_size)
            if not job.failure and _has_changed(job):
                job.failure = f"video {job.clips[0].path} changed while it was read; run again"
            if job.failure:
                batch = [(owner, frame) for owner, frame in batch if owner is not job]
                self._fail_all(job)
            else:
                if apart and batch:
                    yield self._send(batch)
                    batch = []
                self._decoded.append(job)
                self._settle()
        if batch:
            yield self._send(batch)

    def _send(self, batch: list[tuple[Job, Frame]]) -> list[Frame]:
        self._sent.append([job for job, _ in batch])
        return [frame for _, frame in batch]

    def _collect(self, rows: NDArray[np.float32]) -> None:
        """Give each row of the earliest batch on its way to the job it belongs to."""
        for job, row in zip(self._sent.popleft(), rows, strict=True):
            if not job.failure:
                job.rows.append(row)
        self._settle()

    def _settle(self) -> None:
        """Store every decoded job whose last frame has been encoded."""
        complete = [job for job in self._decoded if len(job.rows) == len(job.times_s)]
        self._decoded = [job for job in self._decoded if len(job.rows) < len(job.times_s)]
        for job in complete:
            try:
                frames = FrameEmbeddings(np.stack(job.rows), np.array(job.times_s))
            except ActAlignError as error:
                job.failure = str(error)
                self._fail_all(job)
                continue
            self._store.save(job.clips[0], frames, source_sha256=job.source_sha256)
            self.computed += 1
            seconds = time.monotonic() - job.started
            for clip in job.clips:
                self._store.record(clip.id, key=job.key, state="done", frames=len(frames), seconds=seconds)
                self._done(clip, job.key)
                seconds = 0.0  # the others cost nothing
            job.drop_frames()

    def _done(self, clip: Clip, key: str) -> None:
        self.keys[clip.id] = key
        self._bar.update()

    def _fail_all(self, job: Job) -> None:
        job.drop_frames()
        for clip in job.clips:
            self._fail(clip, job.key, job.failure)

    def _fail(self, clip: Clip, key: str, reason: str) -> None:
        reason = printable(reason)  # it may hold the name of a file
        self._note(clip, key=key, state="failed", reason=reason)
        self.failed[clip.id] = reason
        self._bar.update()

    def _note(self, clip: Clip, **line: Any) -> None:
        """A line of the ledger that no embedding hangs on: what is stored may lie where nobody can write."""
        with suppress(ActAlignError):
            self._store.record(clip.id, **line)


class _Watch:
    """Times a run: tells once how long it will take, if that is long, and at the end what held it up."""

    def __init__(self, work: Workload | None, store: EmbeddingStore, *, device: str, tell: Callable[[str], object]):
        self._work = work
        self._store = store
        self._device = device
        self._tell = tell
        self._began = time.monotonic()
        self._first: tuple[int, float, float] | None = None
        self._frames = 0

    def after_batch(self, rows: NDArray[np.float32], *, waited_s: float) -> None:
        self._frames += len(rows)
        if self._work is None:
            return
        now = time.monotonic()
        if self._first is None:
            if self._device == "cpu" and now - self._began >= SLOW_S:
                self._first = 0, self._began, 0.0
            else:  # it warms up
                self._first = self._frames, now, waited_s
                return
        frames, then, waited = self._first
        if now - then < TIMED_S:
            return
        pace = Pace(self._frames - frames, now - then, waited_s - waited)
        if estimate.seconds_left(self._work, pace, done=self._frames) >= WORTH_TELLING_S:
            free = shutil.disk_usage(_nearest(self._store.folder)).free
            line = estimate.forecast(
                self._work,
                pace,
                done=self._frames,
                width=rows.shape[1],
                free_bytes=free,
                device=self._device,
                frame_rate=self._store.frame_rate,
            )
            self._tell(line)
        self._work = None

    def at_the_end(self, *, waited_s: float) -> None:
        if self._frames:
            self._tell(estimate.summary(Pace(self._frames, time.monotonic() - self._began, waited_s)))


def _until_damaged(job: Job, arriving: Iterator[tuple[float, Frame]]) -> Iterator[tuple[float, Frame]]:
    """The job's frames. What goes wrong in reading them is the job's failure; anything else is the run's."""
    try:
        yield from arriving
    except ActAlignError as error:
        job.failure = str(error)


def _state_of(path: Path) -> FileState | None:
    """None if the file is not there. Hours may lie between its hash and its frames."""
    with suppress(OSError, ValueError):
        status = path.stat()
        return status.st_size, status.st_mtime_ns
    return None


def _has_changed(job: Job) -> bool:
    """Whether the file that was decoded is another than the one that was hashed; a new time alone does not count."""
    path = job.clips[0].path
    if _state_of(path) == job.state:
        return False
    with suppress(ActAlignError):
        return sha256_of(path) != job.source_sha256
    return True


def _identified(path: Path) -> tuple[str, FileState | None]:
    state = _state_of(path)  # first: what changes while it is hashed has changed
    return sha256_of(path), state


@contextmanager
def _hashing(paths: Iterable[Path]) -> Iterator[Mapping[Path, Future[tuple[str, FileState | None]]]]:
    """The sha256 of each file, read in threads, and the state it was in."""
    threads = ThreadPoolExecutor(available())
    try:
        yield {path: threads.submit(_identified, path) for path in paths}
    finally:
        threads.shutdown(cancel_futures=True)


def _nearest(folder: Path) -> Path:
    """The folder, or the closest one above it that is there."""
    return next(place for place in (folder.absolute(), *folder.absolute().parents) if place.exists())
