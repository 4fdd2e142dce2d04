"""How much the order of a script is worth: the same steps with a measured share of that order destroyed.

The share is that of the pairs of steps that stand the wrong way round (Kendall's distance over its largest value): 0 is
the script, 1 the script backwards, and a random order has 0.5 on average. What is compared is never the steps
themselves, so that methods which ignore order score the same at every share.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from actalign.arrays import as_count
from actalign.dtw import Evidence
from actalign.errors import ActAlignError
from actalign.inputs import QuestionInputs
from actalign.methods import METHODS, Method, reordered
from actalign.metrics import topk_table
from actalign.options import Options
from actalign.records import Dataset, FrameEmbeddings
from actalign.scoring import Setting, score_settings
from actalign.study import paired_row

SHARES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
CONTROLS = ("mean_pool_steps", "order_free_max_per_step", "order_free_max_per_frame")
"""Methods that read the same scripts and ignore their order."""
SHUFFLED = "dtw_context_shuffled"
ALL = "all"


@cache
def orders_with(steps: int) -> tuple[int, ...]:
    """How many orders of so many steps have 0, 1, 2, ... pairs the wrong way round (the Mahonian numbers).

    >>> orders_with(3)
    (1, 2, 2, 1)
    """
    counts = [1]
    for added in range(2, steps + 1):
        longer = [0] * (len(counts) + added - 1)
        for place, count in enumerate(counts):
            for more in range(added):
                longer[place + more] += count
        counts = longer
    return tuple(counts)


def draw_order(generator: np.random.Generator, steps: int, *, inverted: int) -> NDArray[np.intp]:
    """An order of 0 to ``steps`` - 1, drawn uniformly from all that have exactly ``inverted`` inversions.

    Steps are placed from first to last: the one before which j of the earlier ones must move adds j inversions, and
    each j is as likely as the number of ways in which the rest can still reach the sum.

    Raises:
        ActAlignError: ``steps`` is below 1, or so many inversions are not possible.

    >>> draw_order(np.random.default_rng(0), 4, inverted=6).tolist()
    [3, 2, 1, 0]
    """
    most = steps * (steps - 1) // 2
    if steps < 1 or not 0 <= inverted <= most:
        raise ActAlignError(f"{inverted} inversions of {steps} steps are not possible; there are 0 to {most}")
    order: list[int] = []
    jumps = []
    for placed in range(steps, 0, -1):  # the last step first: it can jump over all others
        before = orders_with(placed - 1)
        ways = np.array(
            [before[inverted - jump] if 0 <= inverted - jump < len(before) else 0 for jump in range(placed)],
            dtype=float,
        )
        jump = int(np.searchsorted(np.cumsum(ways) / ways.sum(), generator.random(), side="right"))
        jumps.append(jump)
        inverted -= jump
    for step, jump in enumerate(reversed(jumps)):
        order.insert(len(order) - jump, step)
    return np.array(order, dtype=np.intp)


def share_out_of_order(generator: np.random.Generator, steps: int, *, share: float) -> NDArray[np.intp]:
    """An order with that share of its pairs inverted; where the share is no whole number of pairs, on average.

    >>> share_out_of_order(np.random.default_rng(0), 5, share=0.0).tolist()
    [0, 1, 2, 3, 4]
    """
    pairs = share * (steps * (steps - 1) // 2)
    whole = int(np.floor(pairs + 1e-9))
    return draw_order(generator, steps, inverted=whole + int(generator.random() < pairs - whole - 1e-9))


class _Reordered:
    """Every script with its steps in another order; a class has the same order in every question of a draw."""

    def __init__(self, share: float) -> None:
        self._share = share
        self._orders: dict[tuple[int, int, str, int], NDArray[np.intp]] = {}

    def __call__(self, inputs: QuestionInputs, draw: int) -> Evidence:
        def order(name: str, steps: int) -> NDArray[np.intp]:
            key = (inputs.seed, draw, name, steps)
            if key not in self._orders:
                self._orders[key] = share_out_of_order(inputs.generator(draw, name), steps, share=self._share)
            return self._orders[key]

        return reordered(inputs, order)


def order_method(share: float, *, draws: int = 10) -> Method:
    """DTW + context over scripts with a share of their order destroyed; one draw where there is only one order.

    Raises:
        ActAlignError: the share is not from 0 to 1, or there are no draws.

    >>> order_method(0.5, draws=3).label
    'DTW + context, 50% of the order destroyed'
    """
    draws = as_count(draws, name="draws", least=1)
    if not 0 <= share <= 1:
        raise ActAlignError(f"share {share} of the order cannot be destroyed; give 0 to 1")
    base = METHODS["dtw_context"]
    return Method(
        f"order_{share:g}", f"{base.label}, {share:.0%} of the order destroyed", base.reads,
        evidence=_Reordered(share), summary=base.summary, wording=base.wording, settle=base.settle,
        draws=1 if share in (0, 1) else draws,
    )  # fmt: skip


def score_orders(
    dataset: Dataset,
    embeddings: Mapping[str, FrameEmbeddings],
    texts: Mapping[str, NDArray[Any]],
    *,
    style: str,
    options: Options,
    scale: float | None = None,
    bias: float | None = None,
    shares: Sequence[float] = SHARES,
    draws: int = 10,
    seed: int = 0,
) -> dict[float | str, pd.DataFrame]:
    """Scores at each share, and of the controls by name; every candidate's script is reordered, each on its own.

    Returns:
        Tables as of ``scoring.score_dataset``, by share and by the names in ``CONTROLS`` and ``SHUFFLED``.

    Raises:
        ActAlignError: see :func:`order_method` and ``scoring.score_dataset``.
    """
    keys: list[float | str] = [*shares, *CONTROLS, SHUFFLED]
    methods = [key if isinstance(key, str) else order_method(key, draws=draws) for key in keys]
    settings = [Setting(method, style, options) for method in methods]
    tables = score_settings(dataset, embeddings, texts, settings=settings, scale=scale, bias=bias, seed=seed)
    return dict(zip(keys, tables, strict=True))


def accuracy_by_subset(scores: pd.DataFrame, *, seed: int = 0, resamples: int = 10_000) -> pd.DataFrame:
    """``metrics.topk_table`` of all clips, then of each subset where there are several, with the column subset.

    Raises:
        ActAlignError: one of several subsets is called "all"; or as ``metrics.topk_table``.

    >>> scores = pd.DataFrame({"method": "dtw", "clip_id": ["a", "a"], "candidate": [0, 1], "score": [0.9, 0.1],
    ...                        "is_answer": [True, False], "subset": "late"})
    >>> accuracy_by_subset(scores)["subset"].tolist()
    ['all']
    """
    tables = [topk_table(scores, seed=seed, resamples=resamples).assign(subset=ALL)]
    if subsets := _several(scores):
        named = scores[scores["subset"].isin(subsets)]
        tables.append(topk_table(named, by="subset", seed=seed, resamples=resamples))
    return pd.concat(tables, ignore_index=True)


def order_gain(
    ordered: pd.DataFrame, shuffled: pd.DataFrame, *, seed: int = 0, resamples: int = 10_000
) -> pd.DataFrame:
    """Top-1 of the scripts minus that of the same steps in random order, paired by clip, for all and each subset.

    A subset without a clip that both scored has no row.

    Returns:
        Columns subset and those of ``study.paired_row``.

    Raises:
        ActAlignError: one of several subsets is called "all"; or as ``metrics.paired_difference``.
    """
    one, other = (set(scores["clip_id"][scores["score"].notna()]) for scores in (ordered, shuffled))
    scored = set(ordered["subset"][ordered["clip_id"].isin(one & other)])
    rows = []
    for subset in [ALL, *(name for name in _several(ordered) if name in scored)]:
        pair = [scores if subset == ALL else scores[scores["subset"] == subset] for scores in (ordered, shuffled)]
        rows.append({"subset": subset, **paired_row(pair[0], pair[1], seed=seed, resamples=resamples)})
    return pd.DataFrame(rows)


def _several(scores: pd.DataFrame) -> list[str]:
    """The subsets in the order they first appear, none where there is only one; clips without one are in none."""
    subsets = [name for name in scores["subset"].dropna().unique() if name]
    if len(subsets) > 1 and ALL in subsets:
        raise ActAlignError(f"a subset is called {ALL!r}, which here stands for all clips; rename it in clips.csv")
    return subsets if len(subsets) > 1 else []
