"""When each sub-action takes place: from an alignment to a table of spans, WebVTT and CSV. Pure but for the files."""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from actalign.errors import ActAlignError
from actalign.files import write_whole
from actalign.records import Alignment

COLUMNS = ("start_s", "end_s", "sub_action", "text", "evidence")
LONE_FRAME_S = 0.04
"""How long a clip's frame lasts if it has no other to measure it by."""


def frame_edges_s(times_s: ArrayLike) -> NDArray[np.float64]:
    """Where each frame begins, and where the last one ends: (T + 1,) seconds.

    A frame lasts until the next one; the last lasts as long as the median frame.

    Raises:
        ActAlignError: there is no frame, or the times do not increase.

    >>> frame_edges_s([0.0, 0.1, 0.2, 0.5]).round(3).tolist()
    [0.0, 0.1, 0.2, 0.5, 0.6]
    """
    times = np.asarray(times_s, dtype=np.float64)
    if times.ndim != 1 or not times.size or not np.isfinite(times).all() or (np.diff(times) <= 0).any():
        raise ActAlignError(f"times_s of shape {times.shape} must be finite and increase; give those of the frames")
    lasts = float(np.median(np.diff(times))) if len(times) > 1 else LONE_FRAME_S
    return np.append(times, times[-1] + lasts)


def pair_spans(path: NDArray[np.intp], edges: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """From when to when each pair of a path (P, 2) counts, two times (P,): the pairs of a frame share it equally.

    ``edges`` (T + 1,) are where the frames begin, and where the last one ends.

    >>> pair_spans(np.array([[0, 0], [0, 1], [1, 1]]), np.array([0.0, 1.0, 3.0]))
    (array([0., 1., 2.]), array([1., 2., 3.]))
    """
    frame = path[:, 1]
    lasts = (np.diff(edges) / np.bincount(frame))[frame]
    begins = edges[frame] + lasts * (np.arange(len(frame)) - np.searchsorted(frame, frame))
    return begins, begins + lasts


def sub_action_spans(alignment: Alignment, *, times_s: ArrayLike, steps: Sequence[str]) -> pd.DataFrame:
    """When each sub-action takes place: one row per sub-action, in order, each beginning where the last one ended.

    A frame on which the path passes several sub-actions is shared out among them in equal parts, in their order, so
    that together they fill the clip and each takes some time.

    Args:
        alignment: of K sub-actions and T frames.
        times_s: (T,) seconds, when each frame begins.
        steps: the K sub-actions as text.

    Returns:
        Columns start_s, end_s, sub_action (counted from 1), text, evidence (mean affinity on its part of the path).

    Raises:
        ActAlignError: the alignment is of another number of frames or sub-actions.

    >>> alignment = Alignment(0.7, 2.8, np.array([[0, 0], [0, 1], [1, 1], [1, 2]]), np.array([0.85, 0.55]))
    >>> sub_action_spans(alignment, times_s=[0.0, 0.1, 0.2], steps=["toss", "hit"])[["start_s", "end_s"]].round(3)
       start_s  end_s
    0     0.00   0.15
    1     0.15   0.30
    """
    edges = frame_edges_s(times_s)
    step, frame = alignment.path.T
    if (step[-1] + 1, frame[-1] + 1) != (len(steps), len(edges) - 1):
        raise ActAlignError(f"{alignment!r} does not fit {len(steps)} steps and {len(edges) - 1} frame times")
    starts = pair_spans(alignment.path, edges)[0][np.searchsorted(step, np.arange(len(steps)))]
    spans = {
        "start_s": starts,
        "end_s": np.append(starts[1:], edges[-1]),
        "sub_action": np.arange(1, len(steps) + 1),
        "text": list(steps),
        "evidence": alignment.step_evidence,
    }
    return pd.DataFrame(spans, columns=list(COLUMNS))


def webvtt(spans: pd.DataFrame) -> str:
    """Spans as WebVTT captions, which browsers and players show over a video: one cue per sub-action.

    Raises:
        ActAlignError: a column is missing.

    >>> spans = pd.DataFrame({"start_s": [0.0], "end_s": [1.5], "sub_action": [1], "text": ["toss < hit"],
    ...                       "evidence": [0.8]})
    >>> print(webvtt(spans))
    WEBVTT
    <BLANKLINE>
    1
    00:00:00.000 --> 00:00:01.500
    toss &lt; hit
    <BLANKLINE>
    """
    cues = ["WEBVTT\n"]
    for start_s, end_s, number, text, _ in _rows(spans):
        first_ms = round(start_s * 1000)
        last_ms = max(round(end_s * 1000), first_ms + 1)  # a cue must last
        cues.append(f"{number}\n{_clock(first_ms)} --> {_clock(last_ms)}\n{_cue_text(text)}\n")
    return "\n".join(cues)


def timeline_csv(spans: pd.DataFrame) -> str:
    """Spans as CSV, times in seconds to the microsecond.

    Raises:
        ActAlignError: a column is missing.

    >>> spans = pd.DataFrame({"start_s": [0.0], "end_s": [1.5], "sub_action": [1], "text": ["toss, hit"],
    ...                       "evidence": [0.8]})
    >>> timeline_csv(spans)
    'start_s,end_s,sub_action,text,evidence\\n0.000000,1.500000,1,"toss, hit",0.8\\n'
    """
    rows = [(f"{start:.6f}", f"{end:.6f}", number, text, f"{value:.9g}") for start, end, number, text, value in
            _rows(spans)]  # fmt: skip
    return pd.DataFrame(rows, columns=list(COLUMNS)).to_csv(index=False, lineterminator="\n")


WRITERS: Mapping[str, Callable[[pd.DataFrame], str]] = {".vtt": webvtt, ".csv": timeline_csv}


def write_captions(spans: pd.DataFrame, path: str | os.PathLike[str]) -> Path:
    """Write spans as ``.vtt`` (captions) or ``.csv`` (a table), by the suffix of ``path``; return the path.

    Raises:
        ActAlignError: another suffix, a missing column, or a folder that cannot be written.

    >>> write_captions(pd.DataFrame(), "a.srt")
    Traceback (most recent call last):
    actalign.errors.ActAlignError: captions a.srt: '.srt' is not a known form; end the name in .vtt or .csv
    """
    path = Path(path)
    if path.suffix.lower() not in WRITERS:
        raise ActAlignError(f"captions {path}: {path.suffix!r} is not a known form; end the name in .vtt or .csv")
    write_whole(path, WRITERS[path.suffix.lower()](spans))
    return path


def _rows(spans: pd.DataFrame) -> list[tuple[float, float, int, str, float]]:
    if absent := [column for column in COLUMNS if column not in spans.columns]:
        raise ActAlignError(f"the spans lack the columns {absent}; make them with sub_action_spans")
    return list(spans[list(COLUMNS)].itertuples(index=False, name=None))


def _clock(ms: int) -> str:
    minutes, ms = divmod(ms, 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{ms // 1000:02d}.{ms % 1000:03d}"


def _cue_text(text: str) -> str:
    """One line, without what WebVTT would read as mark-up."""
    return " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
