"""The paper's numbers (arXiv 2506.22967), to show beside ours and never to be mixed with them.

They were measured on ActionAtlas v1.0. Rows with ``n`` come from the 898 of 934 clips the authors could fetch,
and their percentages are exact counts of those (``top1_k`` and so on); intervals are Wilson's, computed here from
the counts. Rows without ``n`` come from clip sets the paper does not give: 22.71, 22.90, 30.24 and 61.64 are no count
of 898, so that the lead over Qwen2-VL is not a paired comparison.
"""

from typing import Any

import pandas as pd

from actalign.errors import ActAlignError
from actalign.intervals import wilson

DATA = "ActionAtlas v1.0"
N = 898
N_TOTAL = 934
SOURCE = "arXiv 2506.22967"

_MEAN_POOL = ("SigLIP so400m, mean-pool", "0.9B", (22.94, 42.20, 63.70), True)
_TABLE2: list[tuple[str, str, tuple[float, ...], bool]] = [
    ("Random (10 trials)", "", (20.81, 42.04, 62.50), False),
    ("Human", "", (61.64,), False),
    ("mPLUG-Owl-Video", "7B", (19.49,), False),
    ("VideoChat2", "7B", (21.27,), False),
    ("VideoLLaMA", "8B", (22.71,), False),
    ("LLaVA-Next-Video", "7B", (22.90,), False),
    ("Qwen2-VL", "7B", (30.24,), False),
    ("X-CLIP-L/14-16F", "0.6B", (16.26, 33.74, 49.89), True),
    _MEAN_POOL,
    ("SigLIP so400m, DTW", "0.9B", (23.27, 45.66, 67.37), True),
    ("SigLIP so400m, ActAlign", "0.9B", (30.51, 54.34, 71.05), True),
]
_TABLE3: list[tuple[str, str, tuple[float, ...], bool]] = [
    _MEAN_POOL,
    ("+ DTW", "0.9B", (25.72, 45.99, 66.26), True),
    ("+ context", "0.9B", (30.07, 52.67, 70.49), True),
    ("+ smoothing (w = 30)", "0.9B", (30.29, 53.01, 70.27), True),
]
_TABLE4: list[tuple[str, str, tuple[float, ...], bool]] = [
    ("Short-Fixed", "0.9B", (27.06,), True),
    ("Context-Rich, T = 1.0", "0.9B", (30.29,), True),
    ("Context-Rich, T = 0.2", "0.9B", (30.51,), True),
]
_ABSTRACT: list[tuple[str, str, tuple[float, ...], bool]] = [
    ("ActAlign, abstract of v3", "0.9B", (30.40, 53.01, 70.27), True),
]


def exact_count(percent: float) -> int | None:
    """The k with ``percent`` equal to k / 898 to two decimals, or ``None`` if there is none.

    Raises:
        ActAlignError: not 0 to 100.

    >>> exact_count(30.51), exact_count(30.24)
    (274, None)
    """
    if not 0 <= percent <= 100:
        raise ActAlignError(f"{percent} percent of {N} clips: give 0 to 100")
    k = round(percent * N / 100)
    return k if f"{100 * k / N:.2f}" == f"{percent:.2f}" else None


def table1() -> pd.DataFrame:
    """Table 1: statistics of the scripts, mean and sd. Columns style, ``steps_...``, ``domain_...``, ``words_...``

    >>> table1()["steps_mean"].tolist()
    [10.0, 4.94, 5.04]
    """
    columns = ["style", "steps_mean", "steps_sd", "domain_mean", "domain_sd", "words_mean", "words_sd"]
    rows = [
        ["Short-Fixed", 10.00, 0.00, 10.00, 0.00, 2.0, 0.03],
        ["Context-Rich, T = 1.0", 4.94, 0.86, 5.01, 0.62, 13.68, 2.78],
        ["Context-Rich, T = 0.2", 5.04, 0.87, 5.09, 0.63, 13.13, 2.55],
    ]
    return pd.DataFrame(rows, columns=columns).assign(source=f"{SOURCE}, Table 1", data=DATA)


def table2() -> pd.DataFrame:
    """Table 2: main results, context-rich scripts at T = 0.2.

    Columns of every results table here: method, size, top1, top1_low, top1_high, top1_k, top2, ..., top3_k
    (percent; NaN where the paper gives none or the clip set is unknown), n, n_total, source, data.

    >>> table2().set_index("method").loc["SigLIP so400m, ActAlign", ["top1", "top1_k", "n"]].astype(float).tolist()
    [30.51, 274.0, 898.0]
    """
    return _results(_TABLE2, "Table 2")


def table3() -> pd.DataFrame:
    """Table 3: ablation, context-rich scripts at T = 1.0.

    >>> table3()["top1_k"].diff().tolist()[1:]
    [25.0, 39.0, 2.0]
    """
    return _results(_TABLE3, "Table 3")


def table4() -> pd.DataFrame:
    """Table 4: prompt styles, Top-1.

    >>> table4()["top1"].tolist()
    [27.06, 30.29, 30.51]
    """
    return _results(_TABLE4, "Table 4")


def abstract() -> pd.DataFrame:
    """The numbers of the third version's abstract, which are not those of its tables.

    >>> abstract()["top1_k"].tolist()
    [273.0]
    """
    return _results(_ABSTRACT, "abstract of v3")


def _results(rows: list[tuple[str, str, tuple[float, ...], bool]], where: str) -> pd.DataFrame:
    table = pd.DataFrame([_row(*row) for row in rows])
    return table.assign(source=f"{SOURCE}, {where}", data=DATA)


def _row(method: str, size: str, percents: tuple[float, ...], on_898: bool) -> dict[str, Any]:
    row: dict[str, Any] = {"method": method, "size": size}
    for place in range(3):
        percent = percents[place] if place < len(percents) else float("nan")
        name, count = f"top{place + 1}", float("nan")
        low = high = float("nan")
        if on_898 and place < len(percents):
            k = exact_count(percent)
            if k is None:
                raise ActAlignError(f"{percent} of {method!r} is no count of {N}; the constants are mistyped")
            count, (low, high) = float(k), (100 * bound for bound in wilson(k, N))
        row |= {name: percent, f"{name}_low": low, f"{name}_high": high, f"{name}_k": count}
    return row | {"n": float(N) if on_898 else float("nan"), "n_total": N_TOTAL}
