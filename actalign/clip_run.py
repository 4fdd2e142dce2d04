"""One pass over clips: look each up, decode and encode what is missing, settle each as soon as it is complete."""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from actalign.errors import ActAlignError
from actalign.records import Clip, FrameEmbeddings
from actalign.store import EmbeddingStore, sha256_of
from actalign.video import Frame, iter_frames


class FrameEncoder(Protocol):
    """What :func:`embed_clips` needs of an encoder: :class:`actalign.encoder.Encoder` has it."""

    @property
    def fingerprint(self) -> str: ...
    @property
    def dtype(self) -> str: ...
    def encode_frames(self, frames_thwc: NDArray[np.uint8], *, batch_size: int = 64) -> NDArray[np.float32]: ...


@dataclass(eq=False)
class Job:
    """One content to encode, and the clips that share it."""

    key: str
    source_sha256: str
    clips: list[Clip]
    times_s: list[float] = field(default_factory=list)
    rows: list[NDArray[np.float32]] = field(default_factory=list)
    started: float = 0.0
    failure: str = ""


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
        self._batch: list[tuple[Job, Frame]] = []
        self._decoded: list[Job] = []

    def look_up(self, clips: Sequence[Clip]) -> list[Job]:
        """Settle the clips that the store has; the rest are the jobs."""
        known = self._store.latest()
        hashes: dict[Path, str] = {}
        jobs: dict[str, Job] = {}
        for clip in clips:
            try:
                if clip.path not in hashes:
                    hashes[clip.path] = sha256_of(clip.path)
            except ActAlignError as error:
                self._fail(clip, "", str(error))
                continue
            key = self._store.key(clip, source_sha256=hashes[clip.path])
            if key in jobs:
                jobs[key].clips.append(clip)
                continue
            stored = self._store.find(key)
            if stored is None:
                jobs[key] = Job(key, hashes[clip.path], [clip])
            else:
                entry = known.get(clip.id, {})
                if (entry.get("key"), entry.get("state")) != (key, "done"):
                    self._store.record(clip.id, key=key, state="done", frames=len(stored))
                self._done(clip, key)
        return list(jobs.values())

    def encode(self, jobs: Iterable[Job]) -> None:
        """Decode and encode each job; a batch is filled from as many jobs as it takes."""
        for job in jobs:
            job.started = time.monotonic()
            for time_s, frame in self._frames(job):
                job.times_s.append(time_s)
                if self._batch and self._batch[-1][1].shape != frame.shape:
                    self._flush()
                self._batch.append((job, frame))
                if len(self._batch) >= self._batch_size:
                    self._flush()
            if job.failure:
                self._batch = [(owner, frame) for owner, frame in self._batch if owner is not job]
                self._fail_all(job)
            else:
                self._decoded.append(job)
                self._settle()
        self._flush()

    def _frames(self, job: Job) -> Iterator[tuple[float, Frame]]:
        """The job's frames. What goes wrong in reading them is the job's failure; anything else is the run's."""
        try:
            yield from iter_frames(job.clips[0], frame_rate=self._store.frame_rate)
        except ActAlignError as error:
            job.failure = str(error)

    def _flush(self) -> None:
        if self._batch:
            frames = np.stack([frame for _, frame in self._batch])
            encoded = self._encoder.encode_frames(frames, batch_size=self._batch_size)
            for (job, _), row in zip(self._batch, encoded, strict=True):
                job.rows.append(row)
            self._batch = []
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

    def _done(self, clip: Clip, key: str) -> None:
        self.keys[clip.id] = key
        self._bar.update()

    def _fail_all(self, job: Job) -> None:
        for clip in job.clips:
            self._fail(clip, job.key, job.failure)

    def _fail(self, clip: Clip, key: str, reason: str) -> None:
        self._store.record(clip.id, key=key, state="failed", reason=reason)
        self.failed[clip.id] = reason
        self._bar.update()
