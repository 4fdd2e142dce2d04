"""Wrong predictions sorted into modes by measured criteria, beside how often these hold where all went well (pure).

Faults of the input are exact: they are there or not. The other criteria are numbers, and what is unusual is said by
the right predictions of the same method, style and data: beyond the 95th percentile of theirs, or below the 5th. So by
construction each holds for at most 5% of the right predictions; a criterion that holds for no more of the wrong ones
explains nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from actalign.error_analysis.breakdowns import exceeds, share
from actalign.errors import ActAlignError
from actalign.examples import Choice
from actalign.outcomes import clusters

TAIL = 0.05
FEWEST_RIGHT = 21
"""Right predictions that a 5% tail needs: of fewer, not one lies beyond the 95th percentile."""
NONE = "none"


@dataclass(frozen=True)
class Criterion:
    """A column of ``clip_factors``: what it is, and which values are unusual.

    ``side`` is ``"any"`` (a count that should be 0), ``"high"`` or ``"low"`` (a tail of the right predictions).
    """

    column: str
    label: str
    side: str


@dataclass(frozen=True)
class Mode:
    """A way to go wrong: it holds where any of its criteria does. ``of_paper``: one of the paper's two."""

    name: str
    label: str
    criteria: tuple[Criterion, ...]
    of_paper: bool = False


MODES = (
    Mode(
        "unreadable", "label unreadable or script missing",
        (Criterion("unreadable", "unreadable labels or missing scripts", "any"),),
    ),
    Mode("truncated", "text truncated", (Criterion("truncated", "texts whose end is not seen", "any"),)),
    Mode("tie", "tie", (Criterion("tied", "equal scores", "any"),)),
    Mode(
        "ambiguous", "ambiguous steps",
        (
            Criterion("text_similarity", "likeness of the texts that tell answer and rival apart", "high"),
            Criterion("step_contrast", "contrast of the answer's flattest step", "low"),
        ),
        of_paper=True,
    ),
    Mode(
        "shift", "temporal shift",
        (Criterion("onset", "share of the clip before the action", "high"),),
        of_paper=True,
    ),
    Mode(
        "single_frame", "step matched to one frame",
        (Criterion("single_frame_steps", "share of the predicted steps with one frame", "high"),),
    ),
)  # fmt: skip
"""In the order in which equals are taken. The paper's two are those of its section 4."""
LABELS = {mode.name: mode.label for mode in MODES} | {NONE: "none of these"}
CRITERIA = tuple(criterion for mode in MODES for criterion in mode.criteria)


def thresholds(factors: pd.DataFrame) -> dict[str, float]:
    """What each criterion must exceed (or stay below) to count: 0 for faults, else a tail of the right predictions.

    The 95th percentile, for ``"low"`` the 5th, is a value that occurs: of n right predictions at most 5% lie strictly
    beyond it. NaN, so that the criterion never holds, with fewer than 21 right predictions.

    >>> right = pd.DataFrame({"right": True, "onset": np.arange(40) / 40} | dict.fromkeys(
    ...     ("unreadable", "truncated", "tied", "text_similarity", "step_contrast", "single_frame_steps"), 0.0))
    >>> thresholds(right)["onset"], thresholds(right[:10])["onset"], thresholds(right)["tied"]
    (0.95, nan, 0.0)
    """
    found = {}
    for criterion in CRITERIA:
        known = factors.loc[factors["right"], criterion.column].dropna().to_numpy(dtype=np.float64)
        if criterion.side == "any":
            found[criterion.column] = 0.0
        elif len(known) < FEWEST_RIGHT:
            found[criterion.column] = float("nan")
        elif criterion.side == "high":
            found[criterion.column] = float(np.quantile(known, 1 - TAIL, method="higher"))
        else:
            found[criterion.column] = float(np.quantile(known, TAIL, method="lower"))
    return found


def sort_into_modes(factors: pd.DataFrame) -> pd.DataFrame:
    """The clips with what holds for each, and for wrong ones the primary mode.

    Where several modes hold, the primary one is the one whose value is rarest among the right predictions: the
    smallest share of them is at least as extreme. Equals are taken in the order of :data:`MODES`.

    Args:
        factors: of one method and style, see ``clip_factors``.

    Returns:
        The columns of ``factors``; ``holds: <criterion>`` and ``rarity: <criterion>`` (that share, in percent; NaN
        without a value or a right prediction) per criterion, ``mode: <mode>`` per mode, and mode: a name in
        ``LABELS``, ``""`` for right predictions.

    Raises:
        ActAlignError: several methods or styles, or no clips.
    """
    _one_kind(factors)
    table, limits = factors.reset_index(drop=True).copy(), thresholds(factors)
    for criterion in CRITERIA:
        values = table[criterion.column].to_numpy(dtype=np.float64)
        beyond = values < limits[criterion.column] if criterion.side == "low" else values > limits[criterion.column]
        table[f"holds: {criterion.column}"] = beyond
        table[f"rarity: {criterion.column}"] = _rarity(values, right=table["right"].to_numpy(), side=criterion.side)
    for mode in MODES:
        table[f"mode: {mode.name}"] = np.logical_or.reduce([table[f"holds: {each.column}"] for each in mode.criteria])
    table["mode"] = [_primary(row) for _, row in table.iterrows()]
    return table


def mode_counts(table: pd.DataFrame, *, seed: int = 0, resamples: int = 10_000) -> pd.DataFrame:
    """How many wrong predictions each mode explains, and how often its criteria hold where the prediction is right.

    Args:
        table: of :func:`sort_into_modes`.

    Returns:
        One row per mode and one for the rest: mode, label, of_paper, judged (whether its threshold is known),
        primary (wrong clips sorted here, which add up to n_wrong), held and held_right (wrong and right clips for
        which it holds, alone or not), each of the three with ``_share``, ``_share_low``, ``_share_high`` in percent
        (see ``breakdowns.share``), n_wrong and n_right.
    """
    names = np.array(clusters(table))
    right, limits = table["right"].to_numpy(dtype=bool), thresholds(table)
    held = {mode.name: table[f"mode: {mode.name}"].to_numpy(dtype=bool) for mode in MODES}
    held[NONE] = ~np.logical_or.reduce(list(held.values()))
    judged = {mode.name: any(not np.isnan(limits[each.column]) for each in mode.criteria) for mode in MODES}
    rows = []
    for name, holds in held.items():
        of_paper = any(mode.name == name and mode.of_paper for mode in MODES)
        row: dict[str, Any] = {"mode": name, "label": LABELS[name], "of_paper": of_paper}
        row["judged"] = judged.get(name, all(judged.values()))
        primary = (table["mode"] == name).to_numpy()
        counted = {"primary": (primary, ~right), "held": (holds, ~right), "held_right": (holds, right)}
        for column, (hits, among) in counted.items():
            found = share(hits[among], names[among].tolist(), seed=seed, resamples=resamples)
            row |= {column: int(hits[among].sum())} | {f"{column}_share{end}": value for end, value in found.items()}
        rows.append(row | {"n_wrong": int((~right).sum()), "n_right": int(right.sum())})
    return pd.DataFrame(rows)


def criteria_table(table: pd.DataFrame) -> pd.DataFrame:
    """Each criterion's threshold and how well its value tells wrong predictions from right ones.

    Returns:
        Columns mode, criterion, label, side, threshold, median_right, median_wrong and auroc: the chance that a wrong
        prediction's value is the more unusual one (0.5 is guessing; NaN where all are right or all wrong).
    """
    limits = thresholds(table)
    rows = []
    for mode in MODES:
        for each in mode.criteria:
            values = table[each.column].astype(float)
            right, wrong = values[table["right"]], values[~table["right"]]
            auroc = exceeds(right, wrong) if each.side == "low" else exceeds(wrong, right)
            rows.append(
                {
                    "mode": mode.name, "criterion": each.column, "label": each.label, "side": each.side,
                    "threshold": limits[each.column], "median_right": float(right.median()),
                    "median_wrong": float(wrong.median()), "auroc": auroc,
                }
            )  # fmt: skip
    return pd.DataFrame(rows)


def criteria_by_subset(
    table: pd.DataFrame, *, reference: str = "clean", seed: int = 0, resamples: int = 10_000
) -> pd.DataFrame:
    """How often each criterion holds in each subset, right or wrong: whether it sees what the subset is known for.

    Returns:
        Columns criterion, subset, n, wrong (clips), held, share, share_low, share_high (percent), median and auroc:
        the chance that the value is more unusual in this subset than in ``reference`` (NaN for the reference, or
        without one).
    """
    known = table[table["subset"] == reference]
    rows = []
    for each in CRITERIA:
        for subset, part in table.groupby("subset", sort=False):
            hits = part[f"holds: {each.column}"].to_numpy(dtype=bool)
            found = share(hits, clusters(part), seed=seed, resamples=resamples)
            mine, theirs = part[each.column].astype(float), known[each.column].astype(float)
            auroc = exceeds(theirs, mine) if each.side == "low" else exceeds(mine, theirs)
            row = {"criterion": each.column, "subset": subset, "n": len(part)}
            row |= {"wrong": int((~part["right"]).sum()), "held": int(hits.sum())}
            row |= {f"share{end}": value for end, value in found.items()} | {"median": float(mine.median())}
            rows.append(row | {"auroc": float("nan") if subset == reference else auroc})
    return pd.DataFrame(rows)


def choose_error(table: pd.DataFrame, mode: str) -> Choice:
    """The wrong clip of a primary mode with the median margin (the lower of two).

    Raises:
        ActAlignError: no wrong clip has that mode.

    >>> table = pd.DataFrame({"clip_id": ["a", "b", "c"], "mode": "tie", "margin": [-0.1, -0.3, -0.2]})
    >>> choose_error(table, "tie").clip_id
    'c'
    """
    of_mode = table[table["mode"] == mode].reset_index(drop=True).sort_values(["margin", "clip_id"])
    if of_mode.empty:
        raise ActAlignError(f"no wrong clip has the mode {mode!r}; there are {sorted(set(table['mode']) - {''})}")
    chosen = of_mode["clip_id"].iloc[(len(of_mode) - 1) // 2]
    return Choice(str(chosen), f"of the errors sorted as {LABELS[mode]}, the one with the median margin")


def what_holds(row: "pd.Series[Any]", limits: Mapping[str, float]) -> list[dict[str, Any]]:
    """The criteria that hold for one clip: label, side, value and threshold of each, as JSON holds them.

    Args:
        row: of :func:`sort_into_modes`.
        limits: of :func:`thresholds`, of the same clips.
    """
    return [
        {"label": c.label, "side": c.side, "value": float(row[c.column]), "threshold": limits[c.column]}
        for c in CRITERIA
        if row[f"holds: {c.column}"]
    ]


def _rarity(values: Any, *, right: Any, side: str) -> Any:
    """Percent of right predictions whose value is at least as extreme."""
    known = values[right & ~np.isnan(values)]
    if not len(known):
        return np.full(len(values), np.nan)
    ordered = np.sort(known)
    if side == "low":
        beyond = np.searchsorted(ordered, values, side="right")
    else:
        beyond = len(known) - np.searchsorted(ordered, values, side="left")
    return np.where(np.isnan(values), np.nan, 100 * beyond / len(known))


def _primary(row: "pd.Series[Any]") -> str:
    if row["right"]:
        return ""
    held = [mode for mode in MODES if row[f"mode: {mode.name}"]]
    rarest = {mode.name: _rarest(row, mode.criteria) for mode in held}
    return min(rarest, key=lambda name: rarest[name]) if rarest else NONE


def _rarest(row: "pd.Series[Any]", criteria: Sequence[Criterion]) -> float:
    found = [row[f"rarity: {each.column}"] for each in criteria if row[f"holds: {each.column}"]]
    return min((value for value in found if not np.isnan(value)), default=0.0)


def _one_kind(factors: pd.DataFrame) -> None:
    if factors.empty:
        raise ActAlignError("there are no clips to sort; measure them with clip_factors")
    kinds = factors[["method", "style"]].drop_duplicates()
    if len(kinds) > 1:
        raise ActAlignError(f"errors are of one method and style; got {kinds.values.tolist()}: select one")
