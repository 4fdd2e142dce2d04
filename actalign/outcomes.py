"""What happened to each clip: the rank of its right answer, ties by expectation (pure)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from actalign.arrays import as_count
from actalign.errors import ActAlignError

TOP = (1, 2, 3)  # the k of the paper's tables
ROW = ["method", "label", "style"]  # what makes one row of a table
_OPTIONAL = {"style": "", "draw": 0, "family": "", "sport": "", "subset": ""}
_REQUIRED = ["method", "clip_id", "candidate", "score", "is_answer"]


def expected_topk(scores: ArrayLike, answer: int, k: int) -> float:
    """Probability that the answer is among the k best when ties are broken at random.

    Args:
        scores: (C,) higher is better; a candidate at -inf is never chosen, so an answer at -inf is never found.
        answer: index of the right candidate, 0-based.
        k: how many guesses.

    Raises:
        ActAlignError: a score is NaN, or the answer or k is out of range.

    >>> expected_topk([0.5, 0.9, 0.5, 0.5], 0, 2)
    0.3333333333333333
    """
    values = np.asarray(scores, dtype=np.float64)
    if values.ndim != 1 or not 0 <= answer < len(values):
        raise ActAlignError(f"answer {answer} is not one of the candidates; scores have shape {values.shape}")
    if np.isnan(values).any():
        raise ActAlignError(f"scores {values.tolist()} hold NaN; a clip is scored for all candidates or for none")
    k = as_count(k, name="k", least=1)
    if values[answer] == -np.inf:
        return 0.0
    better = int((values > values[answer]).sum())
    tied = int((values == values[answer]).sum())
    return float(np.clip((k - better) / tied, 0.0, 1.0))


def clusters(clips: pd.DataFrame) -> list[str]:
    """The bootstrap's cluster of each clip: its family, or itself where it has none.

    >>> clusters(pd.DataFrame({"clip_id": ["a", "b"], "family": ["serve", ""]}))
    ['family serve', 'clip b']
    """
    return [f"clip {c}" if f == "" else f"family {f}" for f, c in zip(clips["family"], clips["clip_id"], strict=True)]


def clip_outcomes(scores: pd.DataFrame, *, top: Sequence[int] = TOP) -> pd.DataFrame:
    """What happened to each clip: one row per method, label, style and clip.

    Args:
        scores: as ``scoring.score_dataset`` gives them, of any number of methods. Required columns: method,
            clip_id, candidate, score, is_answer. Clips whose scores are all NaN have failed.
        top: every k that is asked for.

    Returns:
        Columns method, label, style, clip_id, family, sport, subset, answer (its place), top1, top2, ... of ``top``
        (probabilities, ties at random, mean over draws), tied (in any draw), alone (the answer is alone on top
        in every draw), draws (how many), scored.

    Raises:
        ActAlignError: a column is missing, a candidate is repeated, a question has no label or several answers, only
            some of a clip's scores are NaN, or a k is below 1.

    >>> scores = pd.DataFrame({"method": "dtw", "clip_id": "a", "candidate": [0, 1, 2], "score": [0.9, 0.9, 0.1],
    ...                        "is_answer": [True, False, False]})
    >>> clip_outcomes(scores)[["top1", "top2", "tied", "alone"]].values.tolist()
    [[0.5, 1.0, True, False]]
    """
    table = _checked(scores)
    keys = [*ROW, "clip_id", "draw"]
    if table.duplicated([*keys, "candidate"]).any():
        row = table[table.duplicated([*keys, "candidate"])].iloc[0]
        raise ActAlignError(
            f"method {row['label']!r} scores candidate {row['candidate']} of clip {row['clip_id']!r} twice; "
            "concatenate each method and style once, or tell runs apart with scores.assign(label=...)"
        )
    group = table.groupby(keys, sort=False).ngroup().to_numpy()
    first = table.loc[~table.duplicated(keys)].reset_index(drop=True)
    value, is_answer = table["score"].to_numpy(dtype=np.float64), table["is_answer"].to_numpy(dtype=bool)
    _check_answers(first, answers=np.bincount(group, weights=is_answer))
    answer_at = np.flatnonzero(is_answer)[np.argsort(group[is_answer], kind="stable")]
    missing, size = np.bincount(group, weights=np.isnan(value)), np.bincount(group)
    partly = (missing > 0) & (missing < size)
    if partly.any():
        raise ActAlignError(
            f"clip {first['clip_id'][int(partly.argmax())]!r} has NaN for some candidates only; "
            "a clip is scored for all candidates or for none"
        )
    truth = value[answer_at]
    better = np.bincount(group, weights=value > truth[group])
    tied = np.bincount(group, weights=(value == truth[group]) & (value > -np.inf))
    first["scored"] = missing == 0
    for k in (as_count(k, name="k", least=1) for k in top):
        share = np.where(tied > 0, np.clip((k - better) / np.maximum(tied, 1), 0.0, 1.0), 0.0)
        first[f"top{k}"] = np.where(first["scored"], share, np.nan)
    first["tied"], first["alone"] = tied > 1, (better == 0) & (tied == 1)
    first["draws"] = 1
    first["answer"] = table["candidate"].to_numpy()[answer_at]
    kinds = {"family": "first", "sport": "first", "subset": "first", "answer": "first"}
    kinds |= {f"top{k}": "mean" for k in top} | {"tied": "any", "alone": "all", "draws": "sum", "scored": "all"}
    return first.groupby([*ROW, "clip_id"], sort=False, as_index=False).agg(kinds)


def _checked(scores: pd.DataFrame) -> pd.DataFrame:
    """A copy with every column that the metrics use, texts without missing values."""
    absent = [column for column in _REQUIRED if column not in scores.columns]
    if absent or scores.empty:
        raise ActAlignError(f"scores lack the columns {absent}" if absent else "scores have no rows; score a data set")
    table = scores.reset_index(drop=True)
    for column, default in (_OPTIONAL | {"label": table["method"]}).items():
        empty = column not in table.columns or table[column].isna().all()  # then pandas reads it as numbers
        table[column] = default if empty else table[column].fillna(default)
    return table


def _check_answers(first: pd.DataFrame, *, answers: NDArray[Any]) -> None:
    unknown = first.loc[answers == 0, "clip_id"].unique()
    if len(unknown):
        clips = first["clip_id"].nunique()
        raise ActAlignError(
            f"clip {unknown[0]!r} has 0 answers: {len(unknown)} of {clips} clips are not labelled, and without labels "
            "there is no accuracy; use the scores alone, or give answers in a questions.csv (in place of classes.txt)"
        )
    wrong = np.flatnonzero(answers != 1)
    if len(wrong):
        raise ActAlignError(
            f"clip {first['clip_id'][int(wrong[0])]!r} has {int(answers[wrong[0]])} answers; a question has one"
        )
