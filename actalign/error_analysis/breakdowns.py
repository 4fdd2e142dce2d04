"""Accuracy broken down: over bins of what may explain it, over the margin, and by what was taken for what (pure).

Every function takes the table of ``clip_factors.clip_factors`` of one method and style; :func:`each_style` does one
style after the other.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from actalign.error_analysis.criteria import NOT_COMPARABLE, RELATIONS
from actalign.errors import ActAlignError
from actalign.intervals import cluster_interval, wilson
from actalign.outcomes import clusters

FACTORS = {
    "steps": "Sub-actions of the answer, K",
    "seconds": "Clip length (s)",
    "path": "Path length of the answer, P",
    "saturated": "Saturated affinities (%)",
}
"""Column of ``clip_factors`` and what it is called."""
MOST_BINS = 5
CONFIDENCE_BINS = 8


def each_style(table: pd.DataFrame, function: Callable[..., pd.DataFrame], **settings: Any) -> pd.DataFrame:
    """``function`` of the rows of each style, one after the other, with the column style in front.

    >>> table = pd.DataFrame({"style": ["terse", "rich"], "right": [True, False]})
    >>> each_style(table, lambda rows: pd.DataFrame({"top1": [rows["right"].mean()]})).values.tolist()
    [['terse', 1.0], ['rich', 0.0]]
    """
    parts = []
    for style, rows in table.groupby("style", sort=False):
        part = function(rows.reset_index(drop=True), **settings)
        part.insert(0, "style", style)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def share(hits: Sequence[bool] | NDArray[Any], names: Sequence[str], *, seed: int, resamples: int) -> dict[str, float]:
    """The percentage of clips that ``hits`` holds for, with the wider of two 95% intervals on either side.

    One is Wilson's, which takes clips as independent and is right where nothing or everything hits; the other a
    bootstrap over ``names``, the clusters of clips that stand or fall together. All NaN without clips.

    >>> share([True, False], ["a", "b"], seed=0, resamples=100)
    {'': 50.0, '_low': 0.0, '_high': 100.0}
    """
    values = np.asarray(hits, dtype=np.float64)
    if not len(values):
        return {"": np.nan, "_low": np.nan, "_high": np.nan}
    low, high = wilson(int(values.sum()), len(values))
    drawn_low, drawn_high = cluster_interval(values[:, None], names, seed=seed, resamples=resamples)
    ends = np.fmin(low, drawn_low[0]), np.fmax(high, drawn_high[0])
    return {"": 100 * float(values.mean()), "_low": 100 * float(ends[0]), "_high": 100 * float(ends[1])}


def bins(values: Sequence[float] | NDArray[Any], most: int = MOST_BINS) -> NDArray[np.intp]:
    """The bin of each value, from 0: one per distinct value where there are few, else bins of about equal counts.

    Equal values share a bin, so that there may be fewer than ``most``. NaN is in bin -1, which is none.

    >>> bins([4, 5, 5, 7], most=3).tolist(), bins([1.0, 2.0, 3.0, 4.0, np.nan], most=2).tolist()
    ([0, 1, 1, 2], [0, 0, 1, 1, -1])
    """
    numbers = np.asarray(values, dtype=np.float64)
    known = numbers[~np.isnan(numbers)]
    edges = np.unique(known)
    if len(edges) > most:
        edges = np.quantile(known, np.arange(1, most) / most, method="higher")
    found = np.searchsorted(edges, numbers, side="right")
    occupied = np.unique(found[~np.isnan(numbers)])
    return np.where(np.isnan(numbers), -1, np.searchsorted(occupied, found))


def factor_bins(table: pd.DataFrame, *, most: int = MOST_BINS, seed: int = 0, resamples: int = 10_000) -> pd.DataFrame:
    """Accuracy and mean scores over bins of each of :data:`FACTORS`, with 95% intervals.

    Returns:
        Columns factor, low, high (the smallest and largest value in the bin), centre (the median), these three in
        the unit that :data:`FACTORS` names; n, accuracy, accuracy_low, accuracy_high (percent, see :func:`share`);
        score, score_low, score_high, rival_score, rival_score_low, rival_score_high (means, bootstrap by family).
        A factor without values is left out.

    Raises:
        ActAlignError: no factor has a value.
    """
    table = table.assign(saturated=100 * table["saturated"])  # a share there, percent in FACTORS
    rows = []
    for factor in FACTORS:
        found = bins(table[factor], most)
        for place in range(found.max() + 1):
            part = table[found == place]
            rows.append({"factor": factor} | _bin(part, factor, seed=seed, resamples=resamples))
            for column in ("score", "rival_score"):
                rows[-1] |= _mean(part, column, seed=seed, resamples=resamples)
    if not rows:
        raise ActAlignError(f"none of {list(FACTORS)} has a value; measure the clips with clip_factors")
    return pd.DataFrame(rows)


def calibration(
    table: pd.DataFrame, *, most: int = CONFIDENCE_BINS, seed: int = 0, resamples: int = 10_000
) -> pd.DataFrame:
    """Accuracy over bins of the lead, which is the best score minus the second best: a lead needs no label.

    Returns:
        Columns low, high, centre (of the lead), n, accuracy, accuracy_low, accuracy_high (percent, see
        :func:`share`) and auroc: the chance that a right prediction has a larger lead than a wrong one (NaN where
        all are right or all wrong), the same in every row.

    Raises:
        ActAlignError: no clip has a lead.
    """
    found = bins(table["lead"], most)
    auroc = exceeds(table.loc[table["right"], "lead"], table.loc[~table["right"], "lead"])
    parts = [table[found == place] for place in range(found.max() + 1)]
    rows = [_bin(part, "lead", seed=seed, resamples=resamples) | {"auroc": auroc} for part in parts]
    if not rows:
        raise ActAlignError("no clip has a lead, the best score minus the second best; two candidates need a script")
    return pd.DataFrame(rows)


def exceeds(first: ArrayLike, second: ArrayLike) -> float:
    """The chance that a value of ``first`` is larger than one of ``second``, half for equals (AUROC).

    NaN is left out; NaN where either has no values.

    >>> exceeds([2.0, 3.0], [1.0, 3.0])
    0.625
    """
    a, b = (np.asarray(values, dtype=np.float64) for values in (first, second))
    a, b = a[~np.isnan(a)], np.sort(b[~np.isnan(b)])
    if not len(a) or not len(b):
        return float("nan")
    below = (np.searchsorted(b, a, side="left") + np.searchsorted(b, a, side="right")) / 2
    return float(below.mean() / len(b))


def confusion(table: pd.DataFrame, *, seed: int = 0, resamples: int = 10_000) -> pd.DataFrame:
    """What each sport's clips were taken for: the answer, or a wrong class by how its steps differ from the answer's.

    A matrix of classes would have one row per class and mostly empty cells, since a class meets only the classes of
    its own questions. So wrong classes are pooled by ``criteria.relation``.

    Returns:
        Columns sport, relation ("right", then ``RELATIONS``; the last only where an answer has no script),
        n (clips), share, share_low, share_high (percent of the sport's clips, see :func:`share`), offered (how many
        candidates of that kind, with a script, the sport's questions have) and expected (wrong clips of that kind if
        each had chosen among these at random).
    """
    table = table.reset_index(drop=True)  # clips are told apart by place below, and tables put together repeat labels
    offered = pd.DataFrame({kind: table[f"offered: {kind}"] for kind in RELATIONS})
    at_random = offered.div(offered.sum(axis=1), axis=0)[~table["right"]]
    listed = [kind for kind in RELATIONS if kind != NOT_COMPARABLE or offered[kind].any()]
    rows = []
    for sport, part in table.groupby("sport", sort=True):
        for kind in ("right", *listed):
            hits = (part["relation"] == kind).to_numpy()
            found = share(hits, clusters(part), seed=seed, resamples=resamples)
            rows.append({"sport": sport, "relation": kind, "n": int(hits.sum())})
            rows[-1] |= {f"share{end}": value for end, value in found.items()}
            wrong = at_random.index.intersection(part.index)
            right = kind == "right"
            rows[-1]["offered"] = len(part) if right else int(offered.loc[part.index, kind].sum())
            rows[-1]["expected"] = float("nan") if right else float(at_random.loc[wrong, kind].sum())
    return pd.DataFrame(rows)


def _bin(part: pd.DataFrame, column: str, *, seed: int, resamples: int) -> dict[str, Any]:
    """Where the clips of a bin lie, how many they are, and how many of them are right."""
    values = part[column]
    hits = share(part["right"].to_numpy(), clusters(part), seed=seed, resamples=resamples)
    ends = {"low": float(values.min()), "high": float(values.max()), "centre": float(values.median()), "n": len(part)}
    return ends | {f"accuracy{end}": value for end, value in hits.items()}


def _mean(part: pd.DataFrame, column: str, *, seed: int, resamples: int) -> dict[str, float]:
    known = part[part[column].notna()]
    if known.empty:
        return {column: np.nan, f"{column}_low": np.nan, f"{column}_high": np.nan}
    values = known[column].to_numpy(dtype=np.float64)
    low, high = cluster_interval(values[:, None], clusters(known), seed=seed, resamples=resamples)
    return {column: float(values.mean()), f"{column}_low": float(low[0]), f"{column}_high": float(high[0])}
