"""Tables as people read them."""

from pathlib import Path

import pandas as pd
import pytest

from actalign import published, report
from actalign.errors import ActAlignError


def test_numbers_carry_their_interval_and_a_true_minus() -> None:
    table = pd.DataFrame({"d": [1.25, -3.0, -0.04, None], "d_low": [0.5, -4.0, None, None], "d_high": [2, 1, None, 3]})
    assert report.with_interval(table, "d", signed=True) == ["+1.2 [+0.5, +2.0]", "−3.0 [−4.0, +1.0]", "+0.0", "–"]
    with pytest.raises(ActAlignError, match=r"no column 'top9'; it has \['d', 'd_low', 'd_high'\]"):
        report.with_interval(table, "top9")


def test_the_published_table_reads_as_printed() -> None:
    shown = report.topk_for_people(published.table2()).set_index("Method")
    assert shown.loc["SigLIP so400m, ActAlign"].tolist() == [
        "30.5 [27.6, 33.6]", "54.3 [51.1, 57.6]", "71.0 [68.0, 73.9]", "898 of 934",
    ]  # fmt: skip
    assert shown.loc["Human"].tolist() == ["61.6", "–", "–", "–"]


def test_markdown_has_a_row_a_line_and_harmless_cells() -> None:
    lines = report.markdown(pd.DataFrame({"a|b": ["x\ny"], "n": [3]})).splitlines()
    assert lines == ["| a\\|b | n |", "|---|---|", "| x y | 3 |"]


def test_markdown_is_written_block_by_block(tmp_path: Path) -> None:
    one = pd.DataFrame({"n": [1]})
    path = report.write_markdown({"Ours": one, "Theirs": one}, "both", folder=tmp_path)
    assert path == tmp_path / "both.md"
    assert path.read_text(encoding="utf-8").split("\n\n")[::2] == ["**Ours**", "**Theirs**"]
    with pytest.raises(ActAlignError, match="no table to write"):
        report.write_markdown({}, "none", folder=tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["both.md"]
