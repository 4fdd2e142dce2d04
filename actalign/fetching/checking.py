"""Whether a file holds a clip: every frame of its window is decoded and counted."""

from dataclasses import dataclass
from pathlib import Path

from actalign.containers import require_whole
from actalign.errors import ActAlignError
from actalign.fetching.failures import FetchError
from actalign.files import file_sha256
from actalign.records import Clip
from actalign.video import iter_frames, probe


@dataclass(frozen=True)
class ClipFacts:
    """What decoding a window found: codec, picture size in pixels, frames and frames per second in the window.

    ``duration_s`` is the whole file's, as its header says; ``end_s`` is the window's end, at most that.
    """

    codec: str
    width: int
    height: int
    frames: int
    frame_rate: float | None
    duration_s: float | None
    start_s: float
    end_s: float


def check_clip(path: Path, *, start_s: float, end_s: float) -> ClipFacts:
    """Decode a window of a file, start_s <= time < end_s, to its last frame.

    The end is clipped to the file's duration, as the benchmark's own cutter does.

    Raises:
        FetchError: of kind "decode" if the file is damaged, cut off or no video, "window" if it ends before the
            window begins.

    >>> check_clip(Path("nowhere.mp4"), start_s=0.0, end_s=1.0)
    Traceback (most recent call last):
    actalign.fetching.failures.FetchError: video nowhere.mp4 does not exist; check the path column of clips.csv
    """
    try:
        facts = probe(path)
        require_whole(path)
        if facts.duration_s is not None:
            if start_s >= facts.duration_s:
                raise FetchError("window", f"the video ends at {facts.duration_s:g} s, before {start_s:g} s")
            end_s = min(end_s, facts.duration_s)
        clip = Clip("clip", path, sport="", start_s=start_s, end_s=end_s)
        times, sizes = [], set()
        for time_s, frame in iter_frames(clip):
            times.append(time_s)
            sizes.add(frame.shape[:2])
    except FetchError:
        raise
    except (ActAlignError, OSError) as error:
        reason = str(error).replace(str(path), path.name)
        raise FetchError("decode", reason) from error
    height, width = max(sizes)
    rate = (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 else facts.frame_rate
    return ClipFacts(
        facts.codec,
        width=width,
        height=height,
        frames=len(times),
        frame_rate=None if rate is None else round(rate, 3),
        duration_s=facts.duration_s,
        start_s=start_s,
        end_s=end_s,
    )


def sha256_of(path: Path) -> str | None:
    """The sha256 of a file's bytes; None where there is no such file, or it cannot be read.

    >>> sha256_of(Path("nowhere.mp4")) is None
    True
    """
    try:
        return file_sha256(path)
    except OSError:
        return None
