"""Fetch what is missing: resumes, tries again what may work now, and never fetches a good file twice."""

import os
import threading
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path

from tqdm import tqdm

from actalign.arrays import as_count
from actalign.datasets.actionatlas.manifest import Entry, Manifest
from actalign.errors import ActAlignError
from actalign.fetching.checking import ClipFacts, check_clip, sha256_of
from actalign.fetching.failures import KINDS, FetchError, is_due
from actalign.fetching.folder import AtlasFolder, Clock, now, opened, still_done, tell
from actalign.fetching.site import Site, download
from actalign.progress import is_watched

FIRST_PAUSE_S = 5.0
"""Seconds before the second attempt; each further pause is four times as long, up to the longest."""
LONGEST_PAUSE_S = 600.0
WALLED = 5
"""So many videos in a row that meet a wall end the run: asking on makes walls higher."""


def fetch(
    root: str | os.PathLike[str] | None = None,
    *,
    copy: str | os.PathLike[str] | None = None,
    revision: str | None = None,
    site: Site | None = None,
    only: Collection[str] | None = None,
    workers: int = 2,
    attempts: int = 4,
    progress: bool = True,
    sleep: Callable[[float], object] | None = None,
    clock: Clock = now,
) -> Manifest:
    """Fetch the videos of ActionAtlas that are not there yet, and say of every row what became of it.

    Each clip is recorded as soon as it is settled, so that a run that is stopped, at any moment, and started again
    goes on where it was, inside a video too. A video is fetched once for all its clips, and kept whole: a clip is a
    window of it, exact to the frame, and nothing is encoded anew. It counts only when every frame of the window was
    decoded. Failures that may pass are tried again after pauses, and in later runs.

    Args:
        root: the data set's folder; data/actionatlas by default.
        copy: a parquet or JSONL copy of the benchmark's table; the hub otherwise. Needed the first time only.
        revision: of the table on the hub, or what to record for the copy; see ``metadata``.
        site: where from, with what cookies, proxy, rate limit.
        only: ids of clips to fetch; all by default.
        workers: videos fetched at a time.
        attempts: at most so many for one video in this run.
        progress: a progress bar on stderr, where that is a terminal or a notebook that somebody watches.
        sleep, clock: how to pause for seconds, and the time to record.

    Returns:
        The manifest, which is also written into the folder.

    Raises:
        ActAlignError: no table, another run has the folder, an unknown id, the disk is full or cannot be written.
            Everything recorded before stays.
    """
    workers, attempts = as_count(workers, name="workers", least=1), as_count(attempts, name="attempts", least=1)
    site = site or Site()
    with opened(root, copy=copy, revision=revision, clock=clock) as folder:
        manifest = folder.manifest()
        if unknown := sorted(set(only or ()) - set(manifest.by_id())):
            raise ActAlignError(f"clip {unknown[0]!r} is not in the benchmark; give ids of the manifest")
        trusted = folder.trusted(manifest.entries)
        changed = {entry.file for entry in manifest.entries if entry.state == "done"} - set(trusted)
        jobs = _jobs(still_done(manifest, trusted), site, only)
        run = _Run(folder, site, set(trusted), changed, attempts=attempts, sleep=sleep)
        run.work_off(jobs, workers=workers, progress=progress)
        manifest = folder.manifest()
        tell(manifest, new=run.new)
        if run.halted:
            print(f"  stopped early: {run.halted}")
        if run.full:
            raise ActAlignError(f"{run.full}; free some space in {folder.root} or choose another folder, then go on")
        return manifest


def _jobs(manifest: Manifest, site: Site, only: Collection[str] | None) -> list[list[Entry]]:
    """The clips to fetch now, one list per video."""
    videos: dict[str, list[Entry]] = {}
    for entry in manifest.entries:
        due = entry.state == "pending" or (
            entry.state == "failed"
            and entry.kind != "row"
            and is_due(entry.kind, cookies=site.has_cookies, proxy=site.proxy is not None)
        )
        if due and (only is None or entry.id in only):
            videos.setdefault(entry.youtube_id, []).append(entry)
    return list(videos.values())


@dataclass
class _Outcome:
    """What became of one video: for each of its clips what was found or why not, and the file all share."""

    clips: list[tuple[Entry, ClipFacts | FetchError]]
    attempts: int
    file: str = ""
    sha256: str = ""
    size: int = 0


@dataclass
class _Run:
    """One pass over the videos; workers fetch and check, the caller's thread alone records."""

    folder: AtlasFolder
    site: Site
    trusted: set[str]
    changed: set[str]
    attempts: int
    sleep: Callable[[float], object] | None
    new: int = 0
    halted: str = ""
    full: str = ""
    _walled: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)
    _halt: threading.Event = field(default_factory=threading.Event)

    def work_off(self, jobs: Sequence[list[Entry]], *, workers: int, progress: bool) -> None:
        threads = ThreadPoolExecutor(workers, thread_name_prefix="fetch")
        try:
            futures = [threads.submit(self._fetch, job) for job in jobs]
            shown = is_watched(progress)
            for future in tqdm(as_completed(futures), total=len(jobs), unit="video", disable=not shown):
                if (outcome := future.result()) is not None:
                    self._record(outcome)
        finally:
            self._stop.set()
            self._halt.set()
            threads.shutdown(cancel_futures=True)

    def _record(self, outcome: _Outcome) -> None:
        kinds = set()
        for entry, found in outcome.clips:
            if isinstance(found, FetchError):
                kinds.add(found.kind)
                self.folder.record_failed(entry, found, attempts=outcome.attempts)
                if found.kind == "disk":
                    self.full = found.reason
                    self._halt.set()
            else:
                self.new += 1
                self.folder.record_done(
                    entry, found, file=outcome.file, sha256=outcome.sha256, size=outcome.size, attempts=outcome.attempts
                )
        self._walled = self._walled + 1 if any(KINDS[kind].walled for kind in kinds) else 0
        if self._walled >= WALLED and not self._halt.is_set():
            self.halted = f"{WALLED} videos in a row met a wall ({', '.join(sorted(kinds))}); the rest stay pending"
            self._halt.set()

    def _fetch(self, entries: list[Entry]) -> _Outcome | None:
        """What a worker does with a video; None when the run ends before it is its turn."""
        if self._halt.is_set():
            return None
        youtube_id = entries[0].youtube_id
        present = self.folder.whole_video(youtube_id)
        if present is not None and present.name not in self.changed:
            outcome = self._check(entries, present, attempts=1)
            if present.name in self.trusted or _any_found(outcome):
                return outcome
        for attempt in range(1, self.attempts + 1):
            try:
                path = download(youtube_id, self.folder.parts(youtube_id), site=self.site, stop=self._stop)
                return self._settle(entries, path, attempts=attempt)
            except FetchError as failure:
                last = attempt == self.attempts or KINDS[failure.kind].again != "now"
                if last or not self._pause(failure.wait_s or FIRST_PAUSE_S * 4 ** (attempt - 1)):
                    if not KINDS[failure.kind].retryable:
                        self.folder.forget_parts(youtube_id)
                    return _Outcome([(entry, failure) for entry in entries], attempts=attempt)
        raise AssertionError("every attempt returns or goes on to the next")

    def _pause(self, seconds: float) -> bool:
        """Sleep until then, or until the run ends; whether it goes on."""
        if not self._halt.is_set():
            (self.sleep or self._halt.wait)(min(seconds, LONGEST_PAUSE_S))
        return not self._halt.is_set()

    def _settle(self, entries: list[Entry], path: Path, *, attempts: int) -> _Outcome:
        """Check a downloaded file and put it where it belongs; a file without one good clip is deleted."""
        youtube_id = entries[0].youtube_id
        outcome = self._check(entries, path, attempts=attempts)
        if _any_found(outcome):
            outcome.file = self.folder.place(path, youtube_id + path.suffix).name
            self.folder.forget_others(youtube_id, outcome.file)
        self.folder.forget_parts(youtube_id)
        return outcome

    def _check(self, entries: list[Entry], path: Path, *, attempts: int) -> _Outcome:
        clips: list[tuple[Entry, ClipFacts | FetchError]] = []
        for entry in entries:
            assert entry.start_s is not None and entry.end_s is not None  # or the row would be faulty
            try:
                clips.append((entry, check_clip(path, start_s=entry.start_s, end_s=entry.end_s)))
            except FetchError as failure:
                clips.append((entry, failure))
        return _Outcome(clips, attempts, file=path.name, sha256=sha256_of(path) or "", size=path.stat().st_size)


def _any_found(outcome: _Outcome) -> bool:
    return any(not isinstance(found, FetchError) for _, found in outcome.clips)
