"""Top-k with ties, tables with clustered intervals, and paired tests (pure)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from actalign.errors import ActAlignError
from actalign.intervals import cluster_interval, wilson
from actalign.outcomes import ROW, TOP, clip_outcomes, clusters, expected_topk
from actalign.records import Question

__all__ = [
    "McNemar", "PairedDifference", "chance_top1", "clip_outcomes", "expected_topk", "mcnemar_exact",
    "paired_difference", "topk_table", "wilson",
]  # fmt: skip


def chance_top1(questions: Iterable[Question]) -> float:
    """Top-1 of guessing, in percent: what ``random`` comes near in many trials.

    >>> two, four = ("lob", "smash"), ("lob", "smash", "drop", "serve")
    >>> chance_top1([Question("a", two, answer=0), Question("b", four, answer=1)])
    37.5
    """
    return float(np.mean([100 / len(question.candidates) for question in questions]))


def topk_table(
    scores: pd.DataFrame, *, by: str | None = None, top: Sequence[int] = TOP, seed: int = 0, resamples: int = 10_000
) -> pd.DataFrame:
    """Top-1, 2 and 3, or other k, in percent with 95% intervals, one row per method and style.

    A tie counts with the probability that a random order puts the answer in front. Intervals are a bootstrap
    clustered by family (a clip without a family is its own), too narrow where ``families`` is small and NaN where it is
    1. Where all clips agree, on 0 or 100%, it has nothing to vary: the interval is then Wilson's, which takes clips as
    independent.

    Args:
        scores: as ``scoring.score_dataset`` gives them, of any number of methods.
        by: a column such as ``"sport"`` or ``"subset"`` for one row per method, style and value of it.
        top: every k, such as ``(1, 5)``.
        seed, resamples: of the bootstrap.

    Returns:
        Columns method, label, style, (``by``), top1, top1_low, top1_high, top2, ..., top3_high, n (clips scored),
        n_total (clips asked), tied (clips whose answer ties), families; rows in the order they first appear.

    Raises:
        ActAlignError: see :func:`clip_outcomes`; or ``by`` is not one of family, sport, subset.

    >>> scores = pd.DataFrame({"method": "dtw", "clip_id": ["a", "a", "b", "b"], "candidate": [0, 1, 0, 1],
    ...                        "score": [0.9, 0.1, 0.2, 0.8], "is_answer": [True, False, True, False]})
    >>> topk_table(scores)[["top1", "top1_low", "top1_high", "n", "n_total"]].values.tolist()
    [[50.0, 0.0, 100.0, 2.0, 2.0]]
    """
    if by not in (None, "family", "sport", "subset"):
        raise ActAlignError(f"cannot break a table down by {by!r}; choose 'family', 'sport' or 'subset'")
    clips = clip_outcomes(scores, top=top)
    keys = ROW if by is None else [*ROW, by]
    rows: list[dict[str, Any]] = []
    for values, group in clips.groupby(keys, sort=False):
        done = group[group["scored"]]
        row: dict[str, Any] = dict(zip(keys, values, strict=True))
        rows.append(row | _topk_row(done, top, seed=seed, resamples=resamples))
        rows[-1] |= {"n": len(done), "n_total": len(group)}
        rows[-1] |= {"tied": int(done["tied"].sum()), "families": len(set(clusters(done)))}
    return pd.DataFrame(rows)


@dataclass(frozen=True)
class McNemar:
    """Clips that only a, only b got right, of n common ones, and the two-sided exact p."""

    only_a: int
    only_b: int
    n: int
    p: float


@dataclass(frozen=True)
class PairedDifference:
    """a minus b on their n common clips, in percentage points, with its 95% interval.

    ``test`` is the exact McNemar test, ``None`` where a or b runs several draws, so that a clip is not right or wrong.
    """

    label_a: str
    label_b: str
    k: int
    difference: float
    low: float
    high: float
    n: int
    test: McNemar | None


def paired_difference(
    a: pd.DataFrame, b: pd.DataFrame, *, k: int = 1, seed: int = 0, resamples: int = 10_000
) -> PairedDifference:
    """How much better a is than b at Top-k on the clips that both scored.

    The difference takes ties in expectation, as the tables do; its interval is a bootstrap clustered by family. It is
    NaN with one family, and has no width where every clip gains the same: [0, 0] of two methods that agree on all
    clips says nothing about other clips. ``test`` is :func:`mcnemar_exact` (Top-1 whatever k is).

    Args:
        a, b: the scores of one method and style each.
        k: of Top-k.

    Raises:
        ActAlignError: a or b holds several rows, they share no scored clip, their answers differ, or k is below 1.

    >>> a = pd.DataFrame({"method": "dtw", "clip_id": ["a", "a", "b", "b"], "candidate": [0, 1, 0, 1],
    ...                   "score": [0.9, 0.1, 0.2, 0.8], "is_answer": [True, False, True, False]})
    >>> paired_difference(a, a.assign(method="random", score=0.5)).difference
    0.0
    """
    common = _common_clips(a, b, top=(k,))
    gain = (common[f"top{k}_a"] - common[f"top{k}_b"]).to_numpy(dtype=np.float64)
    families = clusters(common.rename(columns={"family_a": "family"}))
    low, high = cluster_interval(gain[:, None], families, seed=seed, resamples=resamples)
    name_a, name_b = (str(common[f"label_{side}"].iloc[0]) for side in "ab")
    return PairedDifference(
        name_a, name_b, k=k,
        difference=100 * float(gain.mean()), low=100 * float(low[0]), high=100 * float(high[0]),
        n=len(common), test=_mcnemar(common) if _most_draws(common) == 1 else None,
    )  # fmt: skip


def mcnemar_exact(a: pd.DataFrame, b: pd.DataFrame) -> McNemar:
    """Exact two-sided McNemar test of Top-1 on the clips that both a and b scored.

    A clip counts as right only if the answer is alone on top: a tie is not right. The test takes clips as
    independent; where families of clips stand or fall together its p is too small, so read it beside the clustered
    interval.

    Args:
        a, b: the scores of one method and style each.

    Raises:
        ActAlignError: as :func:`paired_difference`; or a or b runs several draws.

    >>> a = pd.DataFrame({"method": "dtw", "clip_id": ["a", "a", "b", "b"], "candidate": [0, 1, 0, 1],
    ...                   "score": [0.9, 0.1, 0.8, 0.2], "is_answer": [True, False, True, False]})
    >>> mcnemar_exact(a, a.assign(score=0.5))
    McNemar(only_a=2, only_b=0, n=2, p=0.5)
    """
    common = _common_clips(a, b, top=())
    if (draws := _most_draws(common)) > 1:
        raise ActAlignError(
            f"McNemar's test asks of each clip whether it is right, and {draws} draws need not agree; use the interval "
            "of paired_difference"
        )
    return _mcnemar(common)


def _most_draws(common: pd.DataFrame) -> int:
    return int(common[["draws_a", "draws_b"]].to_numpy().max())


def _mcnemar(common: pd.DataFrame) -> McNemar:
    only_a = int((common["alone_a"] & ~common["alone_b"]).sum())
    only_b = int((common["alone_b"] & ~common["alone_a"]).sum())
    p = float(binomtest(only_a, only_a + only_b, 0.5).pvalue) if only_a + only_b else 1.0
    return McNemar(only_a, only_b, len(common), p)


def _topk_row(done: pd.DataFrame, top: Sequence[int], *, seed: int, resamples: int) -> dict[str, float]:
    columns = [f"top{k}" for k in top]
    values = 100 * done[columns].to_numpy(dtype=np.float64)
    low = high = mean = np.full(len(top), np.nan)
    if len(done):
        mean = values.mean(axis=0)
        low, high = cluster_interval(values, clusters(done), seed=seed, resamples=resamples)
        agree = (values == 0).all(axis=0) | (values == 100).all(axis=0)
        for k in np.flatnonzero(agree & ~np.isnan(low)):
            low[k], high[k] = (100 * end for end in wilson(len(done) if mean[k] else 0, len(done)))
    row: dict[str, float] = {}
    for place, column in enumerate(columns):
        row |= {column: float(mean[place]), f"{column}_low": float(low[place]), f"{column}_high": float(high[place])}
    return row


def _single(scores: pd.DataFrame, top: Sequence[int]) -> pd.DataFrame:
    """Outcomes of scores that hold exactly one method and style."""
    clips = clip_outcomes(scores, top=top)
    rows = clips[ROW].drop_duplicates()
    if len(rows) != 1:
        raise ActAlignError(
            f"a paired test takes one method and style at a time; got {rows.values.tolist()}: "
            "select with scores[scores['method'] == ...]"
        )
    return clips


def _common_clips(a: pd.DataFrame, b: pd.DataFrame, *, top: Sequence[int]) -> pd.DataFrame:
    left, right = (_single(side, top) for side in (a, b))
    both = left[left["scored"]].merge(right[right["scored"]], on="clip_id", suffixes=("_a", "_b"))
    if both.empty:
        raise ActAlignError(f"{left['label'][0]!r} and {right['label'][0]!r} have no scored clip in common")
    differ = both[both["answer_a"] != both["answer_b"]]
    if len(differ):
        raise ActAlignError(f"clip {differ['clip_id'].iloc[0]!r} has another answer in a than in b")
    return both
