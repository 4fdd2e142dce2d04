"""The published constants: what is said to be an exact count is one."""

import numpy as np
import pandas as pd
import pytest

from actalign import published
from actalign.errors import ActAlignError


def exact_values() -> list[tuple[float, float]]:
    tables = pd.concat([published.table2(), published.table3(), published.table4(), published.abstract()])
    rows = tables[tables["n"].notna()]
    pairs = [pair for k in (1, 2, 3) for pair in zip(rows[f"top{k}"], rows[f"top{k}_k"], strict=True)]
    return [pair for pair in pairs if not np.isnan(pair[0])]


def test_every_row_said_to_be_exact_is_a_count_of_898() -> None:
    values = exact_values()
    assert len(values) == 4 * 3 + 4 * 3 + 3 + 3
    for percent, k in values:
        assert f"{100 * k / 898:.2f}" == f"{percent:.2f}"


@pytest.mark.parametrize("percent", [22.71, 22.90, 30.24, 61.64])
def test_rows_of_other_clip_sets_are_no_count_of_898(percent: float) -> None:
    assert all(f"{100 * k / 898:.2f}" != f"{percent:.2f}" for k in range(899))
    assert published.exact_count(percent) is None
    row = published.table2().set_index("top1").loc[percent]
    assert np.isnan(row["n"]) and np.isnan(row["top1_k"]) and np.isnan(row["top1_low"])


@pytest.mark.parametrize(
    ("percent", "k"),
    [(22.94, 206), (23.27, 209), (25.72, 231), (27.06, 243), (30.07, 270), (30.29, 272), (30.40, 273), (30.51, 274),
     (16.26, 146)],
)  # fmt: skip
def test_known_counts(percent: float, k: int) -> None:
    assert published.exact_count(percent) == k


def test_only_context_is_a_large_step() -> None:
    assert published.table3()["top1_k"].diff().tolist()[1:] == [25, 39, 2]


def test_intervals_and_labels_stand_beside_every_row() -> None:
    table = published.table2().set_index("method")
    row = table.loc["SigLIP so400m, ActAlign"]
    assert (round(row["top1_low"], 1), round(row["top1_high"], 1)) == (27.6, 33.6)
    assert (row["n"], row["n_total"], row["data"]) == (898, 934, "ActionAtlas v1.0")
    assert set(table["source"]) == {"arXiv 2506.22967, Table 2"}
    assert np.isnan(table.loc["Human", "top2"])


# As printed in Table 1: steps, steps per domain and words per step, each as mean and sd.
TABLE_1 = """
Short-Fixed: 10.00 0.00 10.00 0.00 2.00 0.03
Context-Rich, T = 1.0: 4.94 0.86 5.01 0.62 13.68 2.78
Context-Rich, T = 0.2: 5.04 0.87 5.09 0.63 13.13 2.55
"""
# As printed in Table 2: Top-1, 2 and 3.
TABLE_2 = """
Random (10 trials): 20.81 42.04 62.50
Human: 61.64 nan nan
mPLUG-Owl-Video: 19.49 nan nan
VideoChat2: 21.27 nan nan
VideoLLaMA: 22.71 nan nan
LLaVA-Next-Video: 22.90 nan nan
Qwen2-VL: 30.24 nan nan
X-CLIP-L/14-16F: 16.26 33.74 49.89
SigLIP so400m, mean-pool: 22.94 42.20 63.70
SigLIP so400m, DTW: 23.27 45.66 67.37
SigLIP so400m, ActAlign: 30.51 54.34 71.05
"""


def printed(table: pd.DataFrame, name: str, columns: list[str]) -> str:
    rows = zip(table[name], table[columns].to_numpy(), strict=True)
    return "".join(f"{first}: {' '.join(f'{value:.2f}' for value in values)}\n" for first, values in rows)


def test_tables_1_and_2_are_as_printed() -> None:
    measures = [f"{name}_{kind}" for name in ("steps", "domain", "words") for kind in ("mean", "sd")]
    assert printed(published.table1(), "style", measures) == TABLE_1.lstrip()
    assert printed(published.table2(), "method", ["top1", "top2", "top3"]) == TABLE_2.lstrip()
    assert set(published.table1()["source"]) == {"arXiv 2506.22967, Table 1"}


def test_exact_count_refuses_what_is_no_percentage() -> None:
    for percent in (-0.1, 100.1):
        with pytest.raises(ActAlignError, match="give 0 to 100"):
            published.exact_count(percent)
    assert (published.exact_count(0.0), published.exact_count(100.0)) == (0, 898)
