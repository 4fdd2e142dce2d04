"""The error analysis as texts for people: modes, criteria, subsets, confusion and examples (pure)."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from actalign.error_analysis.criteria import NOT_COMPARABLE, RELATIONS
from actalign.error_analysis.modes import FEWEST_RIGHT, LABELS
from actalign.report import ABSENT, true_minus, with_interval

TELLS, TELLS_LITTLE = 0.9, 0.6
"""AUROC from which a criterion tells a subset from the reference, and below which it does not."""
_HELD = {"any": "{value:g}", "high": "{value:.3g} > {threshold:.3g}", "low": "{value:.3g} < {threshold:.3g}"}


def modes_for_people(table: pd.DataFrame) -> pd.DataFrame:
    """A table of ``modes.mode_counts`` of one style as text; what could not be judged is a dash.

    >>> row = {"label": "tie", "of_paper": False, "judged": True, "primary": 2}
    >>> shares = {f"{kind}_share{end}": 25.0 for kind in ("primary", "held", "held_right")
    ...           for end in ("", "_low", "_high")}
    >>> modes_for_people(pd.DataFrame([row | shares])).values.tolist()[0][:3]
    ['tie', '', '2']
    """
    judged = list(table["judged"])
    columns = {
        "Primary mode (clips)": [str(count) for count in table["primary"]],
        "Primary (% of wrong)": with_interval(table, "primary_share"),
        "Holds (% of wrong)": with_interval(table, "held_share"),
        "Holds (% of right)": with_interval(table, "held_right_share"),
    }
    shown = {
        name: [text if known else ABSENT for text, known in zip(texts, judged, strict=True)]
        for name, texts in columns.items()
    }
    of_paper = ["yes" if known else "" for known in table["of_paper"]]
    return pd.DataFrame({"Mode": list(table["label"]), "Of the paper": of_paper, **shown})


def criteria_for_people(table: pd.DataFrame) -> pd.DataFrame:
    """A table of ``modes.criteria_table`` of one style as text."""
    signs = {"any": "above 0", "high": "above {:.3g}", "low": "below {:.3g}"}
    limits = [
        ABSENT if pd.isna(row.threshold) else true_minus(signs[row.side].format(row.threshold))
        for row in table.itertuples()
    ]
    numbers = {
        "Median, right": table["median_right"], "Median, wrong": table["median_wrong"], "AUROC": table["auroc"]
    }  # fmt: skip
    texts = {name: list(map(_two_digits, values)) for name, values in numbers.items()}
    modes = [LABELS[mode] for mode in table["mode"]]
    return pd.DataFrame({"Criterion": list(table["label"]), "Mode": modes, "Holds": limits, **texts})


def subsets_for_people(table: pd.DataFrame, *, criterion: str) -> pd.DataFrame:
    """Rows of ``modes.criteria_by_subset`` of one criterion as text, of any number of styles."""
    rows = table[table["criterion"] == criterion]
    return pd.DataFrame(
        {
            "Style": list(rows["style"]),
            "Subset": [subset or ABSENT for subset in rows["subset"]],
            "Clips": [str(n) for n in rows["n"]],
            "Wrong": [str(n) for n in rows["wrong"]],
            "Holds (%)": with_interval(rows, "share"),
            "Median": list(map(_two_digits, rows["median"])),
            "AUROC against the reference": list(map(_two_digits, rows["auroc"])),
        }
    )


def subset_verdicts(table: pd.DataFrame, *, criterion: str, reference: str) -> list[str]:
    """In plain words, whether a criterion tells each subset from the reference: a sentence for each style and subset.

    By the AUROC of its value: from 0.9 it does, below 0.6 it does not, between them in part.

    >>> rows = {"style": "terse", "criterion": "onset", "subset": ["clean", "late"], "n": [50, 40], "held": [0, 9],
    ...         "auroc": [float("nan"), 0.55]}
    >>> subset_verdicts(pd.DataFrame(rows), criterion="onset", reference="clean")
    ['terse: late is not told from clean (AUROC 0.55); it holds for 9 of 40 clips against 0 of 50.']
    """
    sentences = []
    for style, rows in table[table["criterion"] == criterion].groupby("style", sort=False):
        base = rows[rows["subset"] == reference]
        for row in rows[rows["subset"] != reference].itertuples():
            if base.empty or pd.isna(row.auroc):
                continue
            told = "is" if row.auroc >= TELLS else "is in part" if row.auroc >= TELLS_LITTLE else "is not"
            subset = row.subset or "what has no subset"
            sentences.append(
                f"{style}: {subset} {told} told from {reference} (AUROC {row.auroc:.2f}); it holds for {row.held} "
                f"of {row.n} clips against {base['held'].iloc[0]} of {base['n'].iloc[0]}."
            )
    return sentences or [f"There is no subset {reference!r} with others beside it, so that this is not known."]


def confusion_for_people(table: pd.DataFrame) -> pd.DataFrame:
    """A table of ``breakdowns.confusion`` of one style as text: a row per sport and one for all."""
    counts = table.pivot_table("n", "sport", "relation", aggfunc="sum", fill_value=0)
    listed = [kind for kind in RELATIONS if kind != NOT_COMPARABLE or kind in counts]
    counts = counts.reindex(columns=["right", *listed], fill_value=0)
    counts = pd.concat([counts, counts.sum().to_frame("all").T])  # a sport may have that name too
    expected = table.groupby("relation")["expected"].sum()
    shown = pd.DataFrame({"Sport": list(counts.index), **{name: counts[name].astype(str).tolist() for name in counts}})
    guess = ["expected if wrong at random", ABSENT, *(f"{expected.get(name, 0.0):.1f}" for name in listed)]
    shown.loc[len(shown)] = guess
    return shown.rename(columns={name: f"Taken for: {name}" for name in listed} | {"right": "Right"})


def pairs_for_people(errors: pd.DataFrame, *, most: int = 10) -> pd.DataFrame:
    """The classes that were most often taken for one another, either way round: those of two errors or more.

    >>> errors = pd.DataFrame({"style": "terse", "sport": "judo", "answer": ["a", "b"], "predicted": ["b", "a"]})
    >>> pairs_for_people(errors).values.tolist()
    [['terse', 'judo', 'a, b', '2']]
    """
    pairs = [", ".join(sorted(pair)) for pair in zip(errors["answer"], errors["predicted"], strict=True)]
    counted = errors.assign(pair=pairs).groupby(["style", "sport", "pair"]).size().reset_index(name="n")
    often = counted[counted["n"] > 1].sort_values(["n", "style", "pair"], ascending=[False, True, True]).head(most)
    return pd.DataFrame(
        {
            "Style": list(often["style"]), "Sport": list(often["sport"]), "Classes": list(often["pair"]),
            "Errors": [str(n) for n in often["n"]],
        }
    )  # fmt: skip


def examples_for_people(examples: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """The example clip of each style and mode, with what holds for it."""
    rows = []
    for each in examples:
        held = [f"{one['label']}: {true_minus(_HELD[one['side']].format(**one))}" for one in each["held"]]
        margin = ABSENT if each["margin"] is None else true_minus(f"{each['margin']:.3f}")
        rows.append(
            {
                "Style": each["style"], "Primary mode": LABELS[each["mode"]], "Clip": each["clip_id"],
                "Answer": each["answer"], "Taken for": each["predicted"], "Margin": margin,
                "What holds": "; ".join(held) or ABSENT,
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def _two_digits(value: float) -> str:
    return ABSENT if pd.isna(value) else true_minus(f"{value:.2f}")


def not_judged(table: pd.DataFrame) -> str:
    """A sentence for each style with too few right predictions to say what is unusual; empty where there is none.

    >>> rows = pd.DataFrame({"style": ["terse"], "mode": ["shift"], "judged": [False], "n_right": [4]})
    >>> not_judged(rows)
    'terse: 4 right predictions are too few to say what is unusual (21 are needed); only faults are judged.'
    """
    short = table[~table["judged"]].drop_duplicates("style")
    return " ".join(
        f"{row.style}: {row.n_right} right predictions are too few to say what is unusual ({FEWEST_RIGHT} are needed); "
        "only faults are judged."
        for row in short.itertuples()
    )


def drawn_values(
    modes: pd.DataFrame, factors: pd.DataFrame, calibration: pd.DataFrame, *, confusion: pd.DataFrame
) -> pd.DataFrame:
    """What the figure shows as one table, a row per point or bar: for the file beside the figure.

    Returns:
        Columns panel, style, item (a mode, sport or relation; ``""`` for points of a curve), x (of a curve, else NaN),
        value, low, high and n (clips it is of).
    """
    kinds = {"held_share": "n_wrong", "held_right_share": "n_right"}
    parts = [_points(modes, f"modes: {column}", column, item=modes["label"], n=modes[n]) for column, n in kinds.items()]
    curves = {"accuracy": "accuracy", "score": "score of the answer", "rival_score": "score of its best rival"}
    for column, name in curves.items():
        panels = [f"{factor}: {name}" for factor in factors["factor"]]
        parts.append(_points(factors, panels, column, x=factors["centre"], n=factors["n"]))
    parts.append(_points(calibration, "lead: accuracy", "accuracy", x=calibration["centre"], n=calibration["n"]))
    taken = confusion[confusion["relation"] != "right"]
    items = [f"{sport}: {kind}" for sport, kind in zip(taken["sport"], taken["relation"], strict=True)]
    clips = confusion.groupby(["style", "sport"])["n"].sum()
    total = [int(clips[pair]) for pair in zip(taken["style"], taken["sport"], strict=True)]
    parts.append(_points(taken, "confusion", "share", item=items, n=total))
    return pd.concat(parts, ignore_index=True)


def _points(
    table: pd.DataFrame, panel: Any, column: str, *, n: Any, item: Any = "", x: Any = float("nan")
) -> pd.DataFrame:
    values = {"value": table[column], "low": table[f"{column}_low"], "high": table[f"{column}_high"]}
    shown = pd.DataFrame({"style": table["style"], **values}).astype(dict.fromkeys(values, float))
    shown.insert(0, "panel", panel)
    shown.insert(2, "item", item)
    shown.insert(3, "x", x)
    return shown.assign(n=n)
