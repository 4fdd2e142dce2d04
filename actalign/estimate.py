"""How long encoding will take, how much disk it needs, what would make it shorter, and what held it up."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from actalign.errors import ActAlignError
from actalign.records import Clip
from actalign.video import VideoFacts, probe

PROBED = 16
"""Clips whose headers are read, evenly spaced over all of them, to estimate the frames of the rest."""
SUGGESTED_RATE = 5.0
"""The frame rate, per second, that is suggested where every frame is encoded."""
CLIP_BYTES = 2048
"""What a clip takes in the store besides its rows: header, ledger, index."""
ENOUGH_WAITING = 0.5
"""From this share of the time spent waiting for frames, decoding is the bottleneck."""


@dataclass(frozen=True)
class Workload:
    """What is to be encoded, by the headers of some of the clips.

    ``frames`` is the number expected in all ``clips``; ``video_rate`` is the videos' own frames per second, None
    where no header says.
    """

    clips: int
    frames: float
    video_rate: float | None


@dataclass(frozen=True)
class Pace:
    """How encoding has gone so far: ``frames`` in ``seconds``, of which it waited ``waited_s`` for decoded frames."""

    frames: int
    seconds: float
    waited_s: float

    @property
    def frames_per_s(self) -> float:
        return self.frames / max(self.seconds, 1e-9)

    @property
    def waited_share(self) -> float:
        return min(1.0, self.waited_s / max(self.seconds, 1e-9))

    @property
    def decoding_bound(self) -> bool:
        return self.waited_share >= ENOUGH_WAITING


def expected_frames(clip: Clip, facts: VideoFacts, *, frame_rate: float | None) -> float | None:
    """The frames that a clip's window holds if its header tells the truth; None where the header does not say.

    >>> facts = VideoFacts(width=64, height=64, codec="h264", duration_s=10.0, frame_rate=30.0)
    >>> from pathlib import Path
    >>> expected_frames(Clip("a", Path("a.mp4"), sport="judo", start_s=8), facts, frame_rate=None)
    60.0
    >>> expected_frames(Clip("a", Path("a.mp4"), sport="judo"), facts, frame_rate=5.0)
    50.0
    """
    ends = [end for end in (clip.end_s, facts.duration_s) if end is not None]
    rates = [rate for rate in (frame_rate, facts.frame_rate) if rate is not None]
    if not ends or not rates:
        return None
    return max(1.0, (min(ends) - (clip.start_s or 0.0)) * min(rates))


def workload(clips: Sequence[Clip], *, frame_rate: float | None) -> Workload | None:
    """The work in ``clips``, by the headers of at most ``PROBED`` of them; None where none of those can tell.

    >>> workload([], frame_rate=None) is None
    True
    """
    places = sorted(set(np.linspace(0, len(clips) - 1, PROBED).round().astype(int))) if clips else []
    known = [(clips[place], facts) for place in places if (facts := _header(clips[place])) is not None]
    expected = [expected_frames(clip, facts, frame_rate=frame_rate) for clip, facts in known]
    counts = [count for count in expected if count is not None]
    rates = [facts.frame_rate for _, facts in known if facts.frame_rate is not None]
    if not counts:
        return None
    mean = sum(counts) / len(counts)
    return Workload(len(clips), len(clips) * mean, sum(rates) / len(rates) if rates else None)


def _header(clip: Clip) -> VideoFacts | None:
    """None where the file cannot be read, which is for the run to say."""
    try:
        return probe(clip.path)
    except ActAlignError:
        return None


def bytes_needed(frames: float, clips: int, *, width: int) -> float:
    """What embeddings of ``width`` values take on disk: float32 rows, float64 times.

    >>> round(bytes_needed(180, 1, width=1152) / 1e6, 2)
    0.83
    """
    return frames * (4 * width + 8) + clips * CLIP_BYTES


def forecast(
    work: Workload, pace: Pace, *, done: int, width: int, free_bytes: float, device: str, frame_rate: float | None
) -> str:
    """One line: how long the rest takes and what would make it shorter, and whether the disk has room for it.

    ``done`` of the frames of ``work`` are encoded; ``width`` is the embedding width.

    >>> forecast(Workload(898, 161640, 30.0), Pace(20, 100.0, 1.0), done=20, width=1152, free_bytes=5e9,
    ...     device="cpu", frame_rate=None)  # doctest: +NORMALIZE_WHITESPACE
    'forecast: 898 clips, about 162,000 frames at 0.2 frames/s: about 224 h and 748 MB on disk (5 GB free);
    shorter with a frame rate of 5 (1/6 of the frames), a smaller checkpoint, a GPU'
    """
    left = max(0.0, work.frames - done)
    needed = bytes_needed(left, work.clips, width=width)
    room = f"{_size(needed)} on disk ({_size(free_bytes)} free)"
    line = (
        f"forecast: {work.clips} clips, about {_about(work.frames)} frames at {_rate(pace.frames_per_s)} frames/s: "
        f"about {_duration(seconds_left(work, pace, done=done))} and {room}; "
        f"shorter with {', '.join(_shorter(work, pace, device=device, frame_rate=frame_rate))}"
    )
    if needed > free_bytes:
        line += ". THE DISK IS TOO SMALL for this: free some space or choose another folder for the store"
    return line


def seconds_left(work: Workload, pace: Pace, *, done: int) -> float:
    """How long the frames of ``work`` beyond the first ``done`` take at this pace.

    >>> seconds_left(Workload(2, 100, None), Pace(20, 10.0, 0.0), done=40)
    30.0
    """
    return max(0.0, work.frames - done) / pace.frames_per_s


def summary(pace: Pace) -> str:
    """One line about a finished run.

    >>> summary(Pace(4500, 60.0, 45.0))
    'frames: 4500 in 1 min, 75 frames/s; the bottleneck was decoding: the encoder waited for frames 75 % of the time'
    """
    stage = "decoding" if pace.decoding_bound else "encoding"
    return (
        f"frames: {pace.frames} in {_duration(pace.seconds)}, {_rate(pace.frames_per_s)} frames/s; the bottleneck was "
        f"{stage}: the encoder waited for frames {pace.waited_share:.0%} of the time".replace("%", " %")
    )


def _shorter(work: Workload, pace: Pace, *, device: str, frame_rate: float | None) -> list[str]:
    """What would make it shorter, the most useful first."""
    rate = min((one for one in (frame_rate, work.video_rate) if one), default=None)  # no clip gains frames
    if rate is None or rate >= 2 * SUGGESTED_RATE:
        share = "" if rate is None else f" (1/{rate / SUGGESTED_RATE:.0f} of the frames)"
        advice = [f"a frame rate of {SUGGESTED_RATE:g}{share}"]
    else:
        advice = ["a lower frame rate"]
    if pace.decoding_bound:
        return [*advice, "more processor cores to decode with"]
    return [*advice, "a smaller checkpoint", *(["a GPU"] if device == "cpu" else [])]


def _duration(seconds: float) -> str:
    if seconds < 59.5:
        return f"{seconds:.1f} s" if seconds < 9.95 else f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 99.5 * 3600 else f"{seconds / 3600:.0f} h"


def _rate(frames_per_s: float) -> str:
    return f"{frames_per_s:.2g}" if frames_per_s < 10 else f"{frames_per_s:.0f}"


def _size(count: float) -> str:
    for unit, name in ((1e9, "GB"), (1e6, "MB")):
        if count >= unit:
            return f"{count / unit:.2g} {name}" if count < 10 * unit else f"{count / unit:,.0f} {name}"
    return f"{count / 1e3:.1f} kB"


def _about(count: float) -> str:
    """Three digits of a number: it is an estimate."""
    return f"{float(f'{count:.3g}'):,.0f}"
