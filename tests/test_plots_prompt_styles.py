"""The figure of prompt styles: which panels it has, and that nothing in it overlaps."""

import pandas as pd
import pytest
from matplotlib.axes import Axes
from test_plots import _intervals, _looks, _overlaps, _points, _texts

from actalign import plots, published
from actalign.errors import ActAlignError
from actalign.plots.figure import BLUE, GREY, VERMILLION
from actalign.plots.main_results import PUBLISHED_LABEL

NAMES = ["context_rich", "rich in the cues of its own sport, at temperature 0.2", "short_fixed_without_any_white_space"]


def rows(names: list[str]) -> pd.DataFrame:
    table = pd.DataFrame({"style": names, "top1": 90.0, "top1_low": 80.0, "top1_high": 100.0})
    ends = {"": -9.0, "_low": -12.0, "_high": -6.0}
    for end, value in ends.items():
        table[f"difference{end}"] = [float("nan"), *[value] * (len(names) - 1)]
        table[f"context_gain{end}"] = value + 9
    return table


def draw(table: pd.DataFrame, *, width: str, others: pd.DataFrame | None = None) -> list[Axes]:
    stacked = width == "column"
    with plots.style():
        height_in = plots.prompt_styles_height_in(table, others, stacked=stacked)
        figure = plots.new_figure(plots.width_in(width), height_in)
        axes = plots.prompt_styles(table, figure, chance=20, published=others, stacked=stacked)
        figure.draw_without_rendering()
    return axes


@pytest.mark.parametrize("width", ["page", "column"])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_no_text_lies_over_another_or_off_the_page(width: str, count: int) -> None:
    figure = draw(rows(NAMES[:count]), width=width, others=published.table4())[0].get_figure(root=True)
    assert figure is not None
    texts = _texts(figure)
    assert len(texts) > 10 and _overlaps(texts) == []
    page = figure.bbox.padded(1)
    boxes = {text.get_text(): text.get_window_extent() for text in texts}
    assert [name for name, box in boxes.items() if not (page.contains(*box.min) and page.contains(*box.max))] == []


def test_published_rows_have_a_panel_of_their_own_that_says_so() -> None:
    first, *_, last = draw(rows(NAMES), width="page", others=published.table4())
    assert [text.get_text() for text in last.get_yticklabels()] == published.table4()["method"].tolist()
    assert PUBLISHED_LABEL in [artist.get_text() for artist in last.texts]
    assert len(first.get_yticklabels()) == 3


def test_each_panel_says_what_it_shows_and_the_first_has_intervals_and_chance() -> None:
    *axes, last = draw(rows(NAMES), width="page", others=published.table4())
    written = [text.get_text() for ax in axes for text in ax.texts if text.get_text().startswith("(")]
    assert written == ["(a) Top-1, 95% interval", "(b) against the main style", "(c) gain of context"]
    assert _intervals(axes[0]) == [[80, 100]] * 3
    (chance,) = (line for line in axes[0].lines if line.get_linestyle() == "--")
    assert [x for x, _ in _points(chance)] == [20, 20] and axes[0].get_xlim() == (0, 100)
    assert set(_looks(axes[0])) == {("o", BLUE, BLUE)} and set(_looks(last)) == {("s", GREY, "white")}
    assert _looks(axes[1])[0][1] == VERMILLION, "all of the interval lies below zero"


def test_one_style_is_compared_with_no_other() -> None:
    assert len(draw(rows(NAMES[:1]), width="page")) == 2
    assert len(draw(rows(NAMES[:2]), width="page")) == 3


def test_differences_are_those_of_the_table() -> None:
    _, difference, gain = draw(rows(NAMES), width="page")
    assert [text.get_text() for text in difference.texts][:3] == ["–", "−9.0 [−12.0, −6.0]", "−9.0 [−12.0, −6.0]"]
    assert [text.get_text() for text in gain.texts][:3] == ["+0.0 [−3.0, +3.0]"] * 3


def test_bad_tables_are_one_clear_error() -> None:
    for column in ("context_gain", "context_gain_low"):
        with pytest.raises(ActAlignError, match=f"lacks the columns .'{column}'"):
            draw(rows(NAMES).drop(columns=column), width="page")
    with pytest.raises(ActAlignError, match="give percent"):
        draw(rows(NAMES).assign(top1=0.9), width="page")
