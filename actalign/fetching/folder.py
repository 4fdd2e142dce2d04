"""The folder of the data set while it is being filled: which clips are wanted, which files can be trusted."""

import fcntl
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from actalign.datasets.actionatlas.ledger import append
from actalign.datasets.actionatlas.manifest import Entry, Manifest, read_manifest, write_manifest
from actalign.datasets.actionatlas.metadata import ensure, root_or_default
from actalign.datasets.actionatlas.reading import VIDEOS
from actalign.errors import ActAlignError
from actalign.fetching.checking import ClipFacts, sha256_of
from actalign.fetching.failures import KINDS, FetchError

PARTS = "parts"
Clock = Callable[[], datetime]


def now() -> datetime:
    """The present time, in UTC.

    >>> now().tzinfo is UTC
    True
    """
    return datetime.now(UTC)


@dataclass(frozen=True)
class AtlasFolder:
    """A data set folder that one run has to itself; see :func:`opened`."""

    root: Path
    clock: Clock

    def manifest(self) -> Manifest:
        return read_manifest(self.root)

    def video(self, name: str) -> Path:
        return self.root / VIDEOS / name

    def parts(self, youtube_id: str) -> Path:
        return self.root / PARTS / youtube_id

    def whole_video(self, youtube_id: str) -> Path | None:
        """The video that lies in ``videos/`` under this id, whoever put it there."""
        return next(iter(sorted((self.root / VIDEOS).glob(f"{youtube_id}.*"))), None)

    def record_done(self, entry: Entry, facts: ClipFacts, *, file: str, sha256: str, size: int, attempts: int) -> None:
        """Write into the ledger that a clip is there."""
        found = {"file": file, "sha256": sha256, "bytes": size, **asdict(facts)}
        self._record(entry, state="done", attempts=attempts, **found)

    def record_failed(self, entry: Entry, failure: FetchError, *, attempts: int) -> None:
        """Write into the ledger why a clip is not there."""
        retryable = KINDS[failure.kind].retryable
        self._record(
            entry, state="failed", attempts=attempts, kind=failure.kind, reason=failure.reason, retryable=retryable
        )

    def _record(self, entry: Entry, **found: Any) -> None:
        append(self.root, {"id": entry.id, **found, "date": self.clock().isoformat(timespec="seconds")})

    def place(self, path: Path, name: str) -> Path:
        """Move a checked file into ``videos/`` in one step.

        Raises:
            FetchError: of kind "disk".
        """
        target = self.video(name)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(path, target)
        except OSError as error:
            raise FetchError("disk", f"cannot write {name}: {error.strerror or error}") from error
        return target

    def forget_parts(self, youtube_id: str) -> None:
        """Delete what was downloaded of a video and is of no more use."""
        shutil.rmtree(self.parts(youtube_id), ignore_errors=True)

    def forget_others(self, youtube_id: str, name: str) -> None:
        """Delete the files that a fetched video replaces, those of its id that are not ``name``."""
        for path in (self.root / VIDEOS).glob(f"{youtube_id}.*"):
            if path.name != name:
                path.unlink(missing_ok=True)

    def trusted(self, entries: Iterable[Entry]) -> dict[str, str]:
        """File name -> sha256 of every file that still is what the ledger says of some done clip."""
        recorded = {(entry.file, entry.sha256) for entry in entries if entry.state == "done"}
        found = {name: sha256_of(self.video(name)) for name in dict(recorded)}
        return {name: sha256 for name, sha256 in recorded if found[name] == sha256}


def still_done(manifest: Manifest, trusted: Mapping[str, str]) -> Manifest:
    """The manifest in which done clips whose file is gone or changed are pending again.

    >>> entry = Entry(0, "7", "abc", "tennis", "lob", "main", state="done", file="abc.mp4", sha256="0f")
    >>> still_done(Manifest((entry,)), {})
    Manifest(0 of 1 done; 1 pending)
    """
    return Manifest(
        tuple(
            replace(entry, state="pending")
            if entry.state == "done" and trusted.get(entry.file) != entry.sha256
            else entry
            for entry in manifest.entries
        )
    )


@contextmanager
def opened(
    root: str | os.PathLike[str] | None,
    *,
    copy: str | os.PathLike[str] | None,
    revision: str | None,
    clock: Clock,
) -> Iterator[AtlasFolder]:
    """A data set folder with its metadata, locked; its manifest is written anew when the run ends, however it ends.

    Raises:
        ActAlignError: another run has the folder, it cannot be written, or as ``metadata.ensure``.
    """
    path = root_or_default(root)
    try:
        path.mkdir(parents=True, exist_ok=True)
        lock = (path / ".lock").open("w")
    except OSError as error:
        raise ActAlignError(f"cannot write {path}: {error.strerror}; choose a folder you may write to") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError) as error:
            raise ActAlignError(f"another run is filling {path}; wait for it, or choose another folder") from error
        except OSError as error:  # some network disks
            print(f"{path} cannot be locked ({error.strerror}): let no other run fill it at the same time")
        for left in path.glob(".*.tmp"):  # by a run that was killed: this one has the lock
            left.unlink()
        ensure(path, copy=copy, revision=revision)
        try:
            yield AtlasFolder(path, clock)
        finally:
            write_manifest(path)
            if (path / PARTS).is_dir() and not any((path / PARTS).iterdir()):
                (path / PARTS).rmdir()


def tell(manifest: Manifest, *, new: int) -> None:
    """Print what is there, what is missing and what may help."""
    print(f"actionatlas: {len(manifest.done)} of {len(manifest)} clips are there, {new} of them new")
    for kind, count in manifest.missing.items():
        advice = KINDS[kind].advice if kind in KINDS else "see the reason in the manifest"
        print(f"  {count} missing: {kind}" + (f"; {advice}" if advice else ""))
    if small := [entry.id for entry in manifest.entries if entry.state == "done" and entry.masks_fit is False]:
        print(
            f"  {len(small)} with text masks that reach outside the picture, the first is {small[0]!r}: fetched at "
            "another size than the masks were made for",
            file=sys.stderr,
        )
