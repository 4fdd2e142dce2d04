"""Take over videos that are on disk already, so that only what is missing has to be fetched."""

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tqdm import tqdm

from actalign.datasets.actionatlas.manifest import Entry, Manifest
from actalign.datasets.videos import SUFFIXES
from actalign.errors import ActAlignError
from actalign.fetching.checking import check_clip, sha256_of
from actalign.fetching.failures import FetchError
from actalign.fetching.folder import AtlasFolder, Clock, now, opened, still_done, tell
from actalign.progress import is_watched
from actalign.video import probe

SEGMENTS = "segments"
"""The folder below videos/ for clips that came as cut segments."""
WITHIN_S = 1.0
"""A file whose length is that of its clip within so many seconds is taken for the cut segment alone."""


def import_videos(
    videos: str | os.PathLike[str],
    *,
    root: str | os.PathLike[str] | None = None,
    copy: str | os.PathLike[str] | None = None,
    revision: str | None = None,
    progress: bool = True,
    clock: Clock = now,
) -> Manifest:
    """Take clips that are not there yet from a folder of videos, and its subfolders.

    ``<youtube_id>.<ext>`` is a whole video. ``<id>.<ext>``, and ``<youtube_id>_<start>_<end>.<ext>`` as the benchmark's
    own cutter names it, is a whole video or, if it is about as long as the clip, the cut segment. Every frame of a
    clip is decoded before it counts; a file that fails costs one printed line and leaves its row as it was. The data
    set gets a hard link, or a copy where that cannot be.

    Args:
        videos: the folder of videos.
        root, copy, revision: as in :func:`actalign.fetching.run.fetch`.
        progress: a progress bar on stderr, where that is a terminal or a notebook that somebody watches.
        clock: the time to record.

    Raises:
        ActAlignError: no such folder, no table of the benchmark yet, the disk is full or cannot be written.

    >>> import_videos("nowhere")
    Traceback (most recent call last):
    actalign.errors.ActAlignError: nowhere is not a folder; give the folder that holds the videos
    """
    source = Path(videos)
    if not source.is_dir():
        raise ActAlignError(f"{source} is not a folder; give the folder that holds the videos")
    with opened(root, copy=copy, revision=revision, clock=clock) as folder:
        manifest = folder.manifest()
        trusted = folder.trusted(manifest.entries)
        manifest = still_done(manifest, trusted)
        found: dict[str, list[Path]] = {}
        for path in sorted(source.rglob("*")):
            if path.suffix.lower() in SUFFIXES and path.is_file():
                found.setdefault(path.stem, []).append(path)
        for alike in found.values():  # the largest first: it holds the most clips
            alike.sort(key=lambda path: path.stat().st_size, reverse=True)
        wanted = [entry for entry in manifest.entries if entry.state != "done" and entry.kind != "row"]
        new = 0
        for entry in tqdm(wanted, unit="clip", disable=not is_watched(progress)):
            new += _take(folder, entry, found, trusted)
        manifest = folder.manifest()
        tell(manifest, new=new)
        return manifest


def _take(folder: AtlasFolder, entry: Entry, found: Mapping[str, Sequence[Path]], trusted: dict[str, str]) -> bool:
    """Take over one clip's file if there is a good one, and trust it from now on."""
    for path, whole in _candidates(folder, entry, found, trusted):
        try:
            start_s, end_s = _window(entry, path, whole=whole)
            facts = check_clip(path, start_s=start_s, end_s=end_s)
            name = (entry.youtube_id if whole else f"{SEGMENTS}/{path.stem}") + path.suffix.lower()
            if name not in trusted or path != folder.video(name):
                _link(folder, entry, path, name)
                trusted[name] = sha256_of(folder.video(name)) or ""
            size = folder.video(name).stat().st_size
        except FetchError as failure:
            if failure.kind == "disk":
                raise
            print(f"clip {entry.id}: {path.name} is of no use: {failure.reason}")
            continue
        folder.record_done(entry, facts, file=name, sha256=trusted[name], size=size, attempts=0)
        return True
    return False


def _candidates(
    folder: AtlasFolder, entry: Entry, found: Mapping[str, Sequence[Path]], trusted: Mapping[str, str]
) -> Iterator[tuple[Path, bool]]:
    """The files that may hold a clip, and whether each is named as a whole video."""
    present = folder.whole_video(entry.youtube_id)
    if present is not None and present.name in trusted:  # another clip of the same video has it already
        yield present, True
    else:
        yield from ((path, True) for path in found.get(entry.youtube_id, ()))
    for stem in (entry.id, f"{entry.youtube_id}_{entry.start_s}_{entry.end_s}"):
        yield from ((path, False) for path in found.get(stem, ()))


def _window(entry: Entry, path: Path, *, whole: bool) -> tuple[float, float]:
    """The clip's window in a file that is the whole video or the segment alone."""
    assert entry.start_s is not None and entry.end_s is not None  # or the row would be faulty
    if whole:
        return entry.start_s, entry.end_s
    try:
        duration_s = probe(path).duration_s
    except ActAlignError as error:
        raise FetchError("decode", str(error).replace(str(path), path.name)) from error
    length_s = round(entry.end_s - entry.start_s, 1)
    if duration_s is not None and abs(duration_s - length_s) <= WITHIN_S:
        return 0.0, length_s
    if duration_s is not None and duration_s < entry.end_s - WITHIN_S:
        reason = (
            f"it lasts {duration_s:.1f} s: neither {length_s:g} s as the clip, nor until its end at {entry.end_s:g} s"
        )
        raise FetchError("window", reason)
    return entry.start_s, entry.end_s


def _link(folder: AtlasFolder, entry: Entry, path: Path, name: str) -> None:
    """Put a checked file of the user's among the data set's own."""
    beside = folder.parts(entry.youtube_id) / f"import{path.suffix}"
    try:
        beside.parent.mkdir(parents=True, exist_ok=True)
        beside.unlink(missing_ok=True)
        try:
            os.link(path.resolve(), beside)
        except OSError:  # another disk, or one without links
            shutil.copyfile(path, beside)
    except OSError as error:
        raise FetchError("disk", f"cannot write {beside}: {error.strerror}; free some space") from error
    folder.place(beside, name)
    if name.startswith(f"{entry.youtube_id}."):
        folder.forget_others(entry.youtube_id, name)
    folder.forget_parts(entry.youtube_id)
