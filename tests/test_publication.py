"""Published files: all that belong together, the same bytes for the same inputs, nothing half-written."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from matplotlib import pyplot as plt

from actalign import plots
from actalign.errors import ActAlignError
from actalign.publication import publish
from actalign.results import read_table

NUMBERS = pd.DataFrame({"method": ["dtw"], "top1": [70.12]})
SHOWN = pd.DataFrame({"Method": ["DTW"], "Top-1 (%)": ["70.1"]})
FACTS = {"clips": "448 of 448", "data": {"name": "sample"}}


def _publish(folder: Path) -> dict[str, bytes]:
    with plots.style():
        figure = plots.new_figure(plots.width_in("column"), 1.0)
        figure.subplots().plot([0, 1], [1, 0])
    both: dict[str, Any] = {"figure": figure, "tables": {"Ours & yours": SHOWN, "Published": SHOWN}}
    written = publish("main", data=NUMBERS, provenance=FACTS, parameters={"width": "column"}, folder=folder, **both)
    plt.close(figure)
    assert all(path.parent == folder for path in written)
    return {path.name: path.read_bytes() for path in written}


def test_everything_of_a_figure_lies_together_and_is_the_same_each_time(tmp_path: Path) -> None:
    first, second = _publish(tmp_path / "one"), _publish(tmp_path / "two")
    assert list(first) == [f"main.{suffix}" for suffix in ("pdf", "svg", "png", "md", "tex", "csv", "json")]
    assert first == second
    assert sorted(path.name for path in (tmp_path / "one").iterdir()) == sorted(first)


def test_the_numbers_can_be_read_back_with_their_origin(tmp_path: Path) -> None:
    _publish(tmp_path)
    table = read_table("main", folder=tmp_path)
    assert table.equals(NUMBERS)
    assert table.attrs["provenance"] == {**FACTS, "drawn_with": {"width": "column"}}
    assert "matplotlib" in json.loads((tmp_path / "main.json").read_text())["versions"]


def test_every_table_stands_under_its_heading(tmp_path: Path) -> None:
    written = _publish(tmp_path)
    text, source = written["main.md"].decode(), written["main.tex"].decode()
    assert text.count("| DTW | 70.1 |") == 2
    assert "**Ours & yours**" in text
    assert source.count(r"\toprule") == source.count(r"\bottomrule") == 2
    assert r"Ours \& yours" in source


def test_nothing_to_publish_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(ActAlignError, match="nothing to publish as main"):
        publish("main", data=NUMBERS, provenance=FACTS, parameters={}, folder=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_width_has_a_name() -> None:
    assert plots.width_in("page") == 6.9
    with pytest.raises(ActAlignError, match=r"'poster' is unknown; choose one of \('column', 'page'\)"):
        plots.width_in("poster")
