"""A window of a video file -> RGB frames chosen by timestamp. The only module that decodes.

What a container says about its own length, frame count or frame rate is never used to choose frames: it is
often wrong. A frame's time is its own presentation timestamp, pts x time_base, counted from the earliest frame
of the file, so a file whose clock does not start at 0 (MPEG-TS) is read from its own beginning.

- Frames come in order of time. Disorder within 16 frames is sorted; a repeated timestamp keeps
  its first frame. Clocks that jump back further, or that mostly stand still, are an error.
- Damage that the container or the decoder can tell is an error and never a shorter clip: the decoder stops at the
  first broken packet instead of concealing it, a file that ends before its container says so is refused, and so is
  a Matroska or WebM file that lost packets within. Codecs have no checksums, though: bytes that are wrong but can be
  decoded may alter pictures unseen; MPEG-TS and AVI may lose packets unseen, and WMV, MXF, FLV and Ogg their end.
- Decoding runs in one thread, so that the same file gives the same frames, or the same error, every time.
- A rotation in the file (phones write one) is applied in steps of 90 degrees; pixel aspect ratio is not.
"""

import math
import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.container import InputContainer
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream
from numpy.typing import NDArray

from actalign.containers import require_order, require_whole
from actalign.errors import ActAlignError
from actalign.masks import Masks, mask_frame
from actalign.records import Clip
from actalign.timeline import check_frame_rate, in_order, on_grid

SEEK_BEYOND_S = 10.0
"""Windows that start later are reached by a seek, where there is an index, instead of decoding all before them."""
INDEXED = frozenset({"mov", "matroska", "avi"})
"""Formats with an index to seek by. In others, as MPEG-TS, a seek goes by clocks, which may restart, to any packet."""

NO_VIDEO = frozenset({"tty", "image2", "concat", "hls", "dash", "imf", "sdp"})
"""Formats, as the decoder calls them, of pictures and of lists that only point to videos elsewhere."""

Frame = NDArray[np.uint8]
_Timed = tuple[Fraction, VideoFrame]


@dataclass(frozen=True)
class VideoFacts:
    """What a file's header claims: good for a glance, never used to choose frames.

    ``width`` and ``height`` are in pixels before rotation; ``duration_s`` (seconds) and ``frame_rate`` (frames
    per second) are None where the header does not say.
    """

    width: int
    height: int
    codec: str
    duration_s: float | None
    frame_rate: float | None


def probe(path: Path) -> VideoFacts:
    """Read the header of a video file, decoding nothing.

    Raises:
        ActAlignError: the file is missing, empty, not a video, or has no video stream.

    >>> probe(Path("nowhere.mp4"))
    Traceback (most recent call last):
    actalign.errors.ActAlignError: video nowhere.mp4 does not exist; check the path column of clips.csv
    """
    with _opened(path) as (container, stream):
        return VideoFacts(
            width=stream.width,
            height=stream.height,
            codec=stream.codec_context.name,
            duration_s=None if container.duration is None else container.duration / av.time_base,
            frame_rate=None if not stream.average_rate else float(stream.average_rate),
        )


def iter_frames(
    clip: Clip, *, frame_rate: float | None = None, time_limit_s: float = 60.0
) -> Iterator[tuple[float, Frame]]:
    """Yield ``(time_s, frame)`` for the frames of a clip's window, one at a time, in order of time.

    The window is ``start_s <= time < end_s``; an ``end_s`` beyond the last frame means the last frame.
    ``frame_rate=None`` gives every frame, as the paper does (Eq. 4). A number asks for the frame nearest to each
    point of the grid ``start_s + n / frame_rate`` (ties: the earlier frame) up to the last frame; each frame
    comes at most once, with its own time, so a rate above the video's own gives every frame. The clip's masks are
    blurred, whatever the rate.

    Args:
        clip: the window to read.
        frame_rate: frames per second to keep, or None for all.
        time_limit_s: seconds of decoding that may pass without reaching a later frame; a broken file can make a
            decoder turn in circles.

    Yields:
        Time in seconds from the first frame of the file, and a uint8 RGB frame of shape (H, W, 3).

    Raises:
        ActAlignError: the file is missing, empty, truncated, damaged, not a video or has no video stream or no
            timestamps; the window holds no frame; the time limit passed; ``frame_rate`` is not above 0.

    >>> next(iter_frames(Clip("a", Path("a.mp4"), sport="judo"), frame_rate=0))
    Traceback (most recent call last):
    actalign.errors.ActAlignError: frame_rate is 0; give frames per second above 0, or None for every frame
    """
    check_frame_rate(frame_rate)
    window = enumerate(_window(clip, time_limit_s))
    every = ((time_s, (number, frame)) for number, (time_s, frame) in window)  # masks are listed by these numbers
    frames = every if frame_rate is None else on_grid(every, start_s=clip.start_s or 0.0, frame_rate=float(frame_rate))
    reformatter = VideoReformatter()
    masks = clip.masks or Masks()
    masked = dict(masks.frames)
    for time_s, (number, frame) in frames:
        try:
            rgb = reformatter.reformat(frame, format="rgb24", threads=1).to_ndarray()
        except av.FFmpegError as error:
            raise ActAlignError(
                f"video {clip.path}: the frame at {time_s:.3f} s cannot be made RGB ({error.strerror}); the file is "
                "damaged: fetch it again, or re-encode it if it plays"
            ) from error
        upright: Frame = np.ascontiguousarray(np.rot90(rgb, round(frame.rotation / 90)))
        yield time_s, mask_frame(upright, masked[number], kernel=masks.kernel) if number in masked else upright


def read_frames(
    clip: Clip, *, frame_rate: float | None = None, time_limit_s: float = 60.0
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """All frames of a clip at once: see :func:`iter_frames`. A 6 s clip of 720p takes about 0.5 GB.

    Returns:
        ``frames`` uint8 (T, H, W, 3) and ``times_s`` float64 (T,), increasing.

    Raises:
        ActAlignError: as :func:`iter_frames`, and when the picture size changes within the clip.

    >>> read_frames(Clip("a", Path("nowhere.mp4"), sport="judo"))
    Traceback (most recent call last):
    actalign.errors.ActAlignError: video nowhere.mp4 does not exist; check the path column of clips.csv
    """
    times, frames = zip(*iter_frames(clip, frame_rate=frame_rate, time_limit_s=time_limit_s), strict=True)
    sizes = sorted({frame.shape for frame in frames})
    if len(sizes) > 1:
        raise ActAlignError(f"video {clip.path} changes its picture size ({sizes}); read it with iter_frames")
    return np.stack(frames), np.array(times, dtype=np.float64)


@contextmanager
def _opened(path: Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    if not os.path.exists(path):  # False, too, for a name that no file can have
        raise ActAlignError(f"video {path} does not exist; check the path column of clips.csv")
    if not path.is_file():
        raise ActAlignError(f"video {path} is not a file; check the path column of clips.csv")
    if path.stat().st_size == 0:
        raise ActAlignError(f"video {path} is empty (0 bytes); fetch it again")
    try:
        # Only local files: a playlist must not make the decoder open a network address.
        options = {"protocol_whitelist": "file"}
        container = av.open(f"file:{path}", container_options=options, **_lenient(av.__version__))
    except av.FFmpegError as error:
        raise ActAlignError(
            f"video {path} cannot be opened ({error.strerror}): it is truncated or not a video; fetch it again"
        ) from error
    with container:
        yield container, _video_stream(container, path)


def _lenient(version: str) -> dict[str, Any]:
    """What makes this PyAV open a file whose title or other tags are not UTF-8; from 19 on it always does.

    >>> _lenient("18.1.0"), _lenient("19.0.2")
    ({'metadata_errors': 'replace'}, {})
    """
    return {"metadata_errors": "replace"} if int(version.partition(".")[0]) < 19 else {}


def _video_stream(container: InputContainer, path: Path) -> VideoStream:
    name = container.format.name
    if name in NO_VIDEO or name.endswith("_pipe"):
        raise ActAlignError(f"video {path} is not a video but {container.format.long_name!r}; give a video file")
    for stream in container.streams.video:
        if not stream.disposition & Disposition.attached_pic:
            if stream.codec_context is None:
                raise ActAlignError(f"video {path} is damaged, or of a codec that cannot be decoded here; re-encode it")
            return stream
    kinds = sorted({"a cover picture" if stream.type == "video" else stream.type for stream in container.streams})
    raise ActAlignError(f"video {path} has no video stream, only {kinds}; give a file with moving pictures")


def _decode(path: Path, *, time_limit_s: float, seek_s: Fraction | None = None) -> Iterator[_Timed]:
    """(pts x time_base, frame) as the decoder gives them; from a key frame near ``seek_s`` on, mostly one before."""
    with _opened(path) as (container, stream):
        stream.codec_context.thread_count = 1
        stream.codec_context.options = {"err_detect": "explode"}
        latest: Fraction | None = None
        begun = seek_s is None  # after a seek, what comes before a key frame refers to pictures that were not read
        deadline = time.monotonic() + time_limit_s
        try:
            if seek_s is not None and stream.time_base:
                container.seek(math.floor(seek_s / stream.time_base), stream=stream, backward=True)
            for packet in container.demux(stream):
                if packet.is_corrupt:
                    raise ActAlignError(f"video {path} is cut off or damaged {_after(latest)}; fetch it again")
                for frame in packet.decode():
                    begun = begun or bool(frame.key_frame)
                    if not begun:
                        continue
                    moment = _moment(frame, path)
                    paused = time.monotonic()
                    yield moment, frame
                    deadline += time.monotonic() - paused  # the time that the frame's taker took is not ours
                    if latest is None or moment > latest:
                        latest = moment
                        deadline = time.monotonic() + time_limit_s
                if time.monotonic() > deadline:
                    raise ActAlignError(
                        f"video {path}: decoding ran {time_limit_s:g} s {_after(latest)} without reaching a later "
                        "frame; the file is broken, or too slow for the time_limit_s of read_frames"
                    )
        except av.FFmpegError as error:
            raise ActAlignError(
                f"video {path} is truncated or damaged {_after(latest)} ({error.strerror}); fetch it again, or "
                "re-encode it if it plays"
            ) from error


def _after(latest: Fraction | None) -> str:
    return "before its first frame" if latest is None else f"after the frame at {float(latest):.3f} s"


def _moment(frame: VideoFrame, path: Path) -> Fraction:
    if frame.pts is None or not frame.time_base:  # None, from PyAV 19 on 0/1
        raise ActAlignError(f"video {path} has frames without timestamps; put it in an mp4 with ffmpeg first")
    return frame.pts * frame.time_base


def _window(clip: Clip, time_limit_s: float) -> Iterator[tuple[float, VideoFrame]]:
    """(seconds from the first frame of the file, frame) for start_s <= time < end_s."""
    start_s = clip.start_s or 0.0
    nearest_s: float | None = None
    found = False
    for time_s, frame in _from(clip.path, start_s, time_limit_s):
        nearest_s = time_s
        if clip.end_s is not None and time_s >= clip.end_s:
            _checked(require_order, clip.path)
            break
        if time_s >= start_s:
            found = True
            yield time_s, frame
    else:
        _checked(require_whole, clip.path)
    if nearest_s is None:
        raise ActAlignError(f"video {clip.path} holds no frame that can be decoded; fetch it again")
    if not found:
        window = f"{start_s:g} s to {'the end' if clip.end_s is None else format(clip.end_s, 'g') + ' s'}"
        raise ActAlignError(
            f"clip {clip.id!r}: no frame of {clip.path} lies in its window, {window}; the nearest is at "
            f"{nearest_s:.3f} s: check start_s and end_s"
        )


def _checked(check: Callable[[Path], None], path: Path) -> None:
    """A check of the file; what the system says when the file cannot be opened any more is an error of the video."""
    try:
        check(path)
    except OSError as error:
        raise ActAlignError(
            f"video {path} cannot be read any more ({error.strerror}); run again once it can"
        ) from error


def _from(path: Path, start_s: float, time_limit_s: float) -> Iterator[tuple[float, VideoFrame]]:
    """Frames timed from the first frame of the file; those before ``start_s`` may be missing."""
    if start_s > SEEK_BEYOND_S:
        sought = _sought(path, start_s, time_limit_s)
        if sought is not None:
            yield from sought
            return
    yield from _since(None, in_order(_decode(path, time_limit_s=time_limit_s), path))


def _sought(path: Path, start_s: float, time_limit_s: float) -> Iterator[tuple[float, VideoFrame]] | None:
    """Frames from ``start_s`` on, reached by a seek; None where only decoding from the beginning is sure to work."""
    with _opened(path) as (container, _):
        if INDEXED.isdisjoint(container.format.name.split(",")):
            return None
    with closing(in_order(_decode(path, time_limit_s=time_limit_s), path)) as beginning:
        first = next(beginning, None)
    if first is None:
        return None
    seek_s = first[0] + Fraction(start_s)
    frames = _since(first[0], in_order(_decode(path, time_limit_s=time_limit_s, seek_s=seek_s), path))
    passed = False
    with suppress(ActAlignError):  # within a group of pictures; the slow way says whether the file is bad
        for time_s, frame in frames:
            if time_s >= start_s:
                whole = passed or time_s == start_s  # otherwise the seek may have landed too late
                return chain([(time_s, frame)], frames) if whole else None
            passed = True
    return None


def _since(origin: Fraction | None, frames: Iterator[_Timed]) -> Iterator[tuple[float, VideoFrame]]:
    for moment, frame in frames:
        origin = moment if origin is None else origin
        yield float(moment - origin), frame
