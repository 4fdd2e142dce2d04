"""Clips to show: chosen by a stated rule, never by eye, and kept as small files that figures are drawn from.

An example is ``<stem>.json`` (plain facts) beside ``<stem>.safetensors`` (its arrays), the same bytes for the same
content.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from actalign import paths
from actalign.errors import ActAlignError
from actalign.files import write_whole
from actalign.results import require_made

THUMBNAIL_PX = 128


@dataclass(frozen=True)
class Choice:
    """A clip and, in words, the rule that chose it."""

    clip_id: str
    rule: str


@dataclass(frozen=True, eq=False)
class Example:
    """What a figure is drawn from: ``facts`` as JSON holds them and named ``arrays``."""

    facts: Mapping[str, Any]
    arrays: Mapping[str, NDArray[Any]]


def margins(scores: pd.DataFrame) -> "pd.Series[float]":
    """Clip id -> the right answer's score minus the best wrong one's; above 0 where the clip is answered right.

    Args:
        scores: of one method and style with one draw, as ``scoring.score_dataset`` gives them. Clips without
            scores are left out.

    Raises:
        ActAlignError: several methods, styles or draws, or no clip has scores or a label.

    >>> scores = pd.DataFrame({"method": "dtw", "style": "", "draw": 0, "clip_id": "a", "candidate": [0, 1, 2],
    ...                        "score": [0.5, 0.25, 0.125], "is_answer": [False, True, False]})
    >>> margins(scores).to_dict()
    {'a': -0.25}
    """
    kinds = scores[["method", "style", "draw"]].drop_duplicates()
    if len(kinds) > 1:
        raise ActAlignError(f"margins are of one method, style and draw; got {kinds.values.tolist()}: select one")
    known = scores[scores["score"].notna()]
    if known.empty:
        raise ActAlignError("no clip has scores to choose an example from; score the data set first")
    right = known[known["is_answer"]].set_index("clip_id")["score"]
    if right.empty:
        raise ActAlignError("no clip is labelled, so that none is right or wrong; fill in the answers in questions.csv")
    wrong = known[~known["is_answer"]].groupby("clip_id", sort=False)["score"].max()
    return (right - wrong).dropna().rename("margin")


def choose_right(scores: pd.DataFrame, *, subset: str = "clean") -> Choice:
    """The clip of ``subset`` that is answered right with the median margin (the lower of two).

    Where no clip of the subset is right, the same among all clips; where none is right, the least wrong one.

    Raises:
        ActAlignError: as :func:`margins`.
    """
    margin = margins(scores)
    subsets = scores.drop_duplicates("clip_id").set_index("clip_id")["subset"].reindex(margin.index)
    right = margin[margin > 0]
    of_subset = right[subsets[right.index] == subset]
    if len(of_subset):
        return Choice(_median(of_subset), f"the clip of subset {subset} that is answered right with the median margin")
    if len(right):
        return Choice(_median(right), "the clip that is answered right with the median margin")
    return Choice(_best(margin), "no clip is answered right; this one comes closest")


def choose_vague(vague: pd.DataFrame, rich: pd.DataFrame) -> Choice:
    """The clip that ``vague`` gets wrong and ``rich`` right with the median margin (the lower of two).

    Where there is none, the clip whose margin grows most from vague to rich.

    Args:
        vague, rich: scores of one method in two styles.

    Raises:
        ActAlignError: as :func:`margins`, or they share no clip.
    """
    styles = [str(scores["style"].iloc[0]) for scores in (vague, rich)]
    both = pd.concat([margins(vague).rename("vague"), margins(rich).rename("rich")], axis=1, join="inner")
    if both.empty:
        raise ActAlignError(f"no clip was scored in both styles {styles}; score the same clips")
    mended = both[(both["vague"] < 0) & (both["rich"] > 0)]["rich"]
    if len(mended):
        return Choice(
            _median(mended),
            f"the clip that the {styles[0]} script gets wrong and the {styles[1]} one right with the median margin",
        )
    return Choice(
        _best((both["rich"] - both["vague"]).fillna(-np.inf)),  # not one whose answer has no script in either
        f"no clip is wrong with the {styles[0]} script and right with the {styles[1]} one; this one gains most",
    )


def best_wrong(scores: NDArray[Any], answer: int) -> int:
    """The place of the best wrong candidate, of two or more in all; the first of equals.

    >>> best_wrong(np.array([0.3, 0.9, 0.5]), answer=1)
    2
    """
    places = np.delete(np.arange(len(scores)), answer)  # the others may all be at -inf, as without a script
    return int(places[np.argmax(np.asarray(scores)[places])])


def boundaries_s(labels: Sequence[str], times_s: NDArray[Any]) -> tuple[float, ...]:
    """Seconds at which the label changes, halfway between the two frames.

    Raises:
        ActAlignError: there is not one label per frame.

    >>> boundaries_s(["toss", "toss", "hit"], np.array([0.0, 1.0, 2.0]))
    (1.5,)
    """
    if len(labels) != len(times_s):
        raise ActAlignError(f"{len(labels)} labels for {len(times_s)} frames; give one label per frame")
    starts = np.cumsum([len(list(run)) for _, run in groupby(labels)])[:-1]
    return tuple(round(float(times_s[start - 1] + times_s[start]) / 2, 6) for start in starts)


def thumbnails(frames: Iterable[NDArray[np.uint8]], *, largest_px: int = THUMBNAIL_PX) -> NDArray[np.uint8]:
    """Frames (T, H, W, 3) made small by whole-number averaging, so that neither side exceeds ``largest_px`` by much.

    Raises:
        ActAlignError: there are no frames.

    >>> thumbnails([np.zeros((256, 128, 3), np.uint8)]).shape
    (1, 128, 64, 3)
    """
    small = [_shrunk(frame, max(1, round(max(frame.shape[:2]) / largest_px))) for frame in frames]
    if not small:
        raise ActAlignError("there are no frames to show; check the clip")
    return np.stack(small)


def write_example(example: Example, stem: str, *, folder: Path | None = None) -> Path:
    """Write both files, the JSON last, each whole or not at all; return the JSON's path.

    Args:
        folder: ``paths.RESULTS`` if not given.

    Raises:
        ActAlignError: the facts are not plain JSON, or the folder cannot be written.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = write_example(Example({"k": 1}, {"a": np.ones(2)}), "demo", folder=Path(folder))
    ...     read_example("demo", folder=Path(folder)).arrays["a"]
    array([1., 1.])
    """
    target = (folder or paths.RESULTS) / f"{stem}.json"
    content = save({name: np.ascontiguousarray(array) for name, array in example.arrays.items()})
    facts = {**example.facts, "arrays_sha256": hashlib.sha256(content).hexdigest()}
    try:
        text = json.dumps(facts, indent=1, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ActAlignError(
            f"the facts of example {stem!r} are not plain JSON ({error}); give text or numbers"
        ) from error
    write_whole(target.with_suffix(".safetensors"), content)
    write_whole(target, text + "\n")
    return target


def read_example(stem: str, *, folder: Path | None = None, made_by: str = "make figures") -> Example:
    """What :func:`write_example` wrote.

    Raises:
        ActAlignError: a file is missing or damaged, or the two do not belong together.
        LeftOutError: the data do not give this example.

    >>> read_example("demo", folder=Path("nowhere"))
    Traceback (most recent call last):
    actalign.errors.ActAlignError: nowhere/demo.safetensors is not there; make it with: make figures
    """
    path = (folder or paths.RESULTS) / f"{stem}.json"
    require_made(path.with_suffix(".safetensors"), made_by=made_by)
    try:
        content = path.with_suffix(".safetensors").read_bytes()
        facts, arrays = json.loads(path.read_text(encoding="utf-8")), load(content)
        intact = facts.pop("arrays_sha256") == hashlib.sha256(content).hexdigest()
    except (ValueError, KeyError, AttributeError, SafetensorError) as error:
        raise ActAlignError(f"example {path} is damaged ({error}); make it again with: {made_by}") from error
    if not intact:
        raise ActAlignError(f"{path} and its arrays are not of one run; make both again with: {made_by}")
    return Example(facts, arrays)


def _median(margin: "pd.Series[float]") -> str:
    ordered = sorted((value, str(clip_id)) for clip_id, value in margin.items())
    return ordered[(len(ordered) - 1) // 2][1]


def _best(margin: "pd.Series[float]") -> str:
    return min((-value, str(clip_id)) for clip_id, value in margin.items())[1]


def _shrunk(frame: NDArray[np.uint8], factor: int) -> NDArray[np.uint8]:
    height, width = (side // factor * factor for side in frame.shape[:2])
    blocks = frame[:height, :width].reshape(height // factor, factor, width // factor, factor, 3)
    return blocks.mean(axis=(1, 3)).round().astype(np.uint8)
