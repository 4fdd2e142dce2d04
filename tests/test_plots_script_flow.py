"""Fig. 2: every text in its box, whatever its length, and the sport set apart."""

from collections import Counter
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from drawn import LONG_NAME, smallest_letters_pt, steps_of, untidy
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.text import Text

from actalign import plots
from actalign.errors import ActAlignError
from actalign.plots.figure import VERMILLION

SPORT = "figure skating"
CASES: dict[str, tuple[str, str, dict[str, tuple[str, ...]]]] = {
    "three_styles": (
        "lob", SPORT,
        {name: tuple(f"{step} in {SPORT}" for step in steps_of(count, words=words))
         for name, count, words in (("context_rich", 4, 14), ("context_rich_2", 5, 19), ("short_fixed", 10, 3))},
    ),
    "ten_long": (LONG_NAME, SPORT, {"context_rich": steps_of(10, words=20)}),
    "one_step": ("lob", "tennis", {"short": ("toss in tennis",)}),
    "no_sport": ("lob", "", {"short": ("toss", "hit")}),
    "five_styles": ("x" * 60, "judo " * 12, {f"{LONG_NAME}_{number}": steps_of(2, words=20) for number in range(5)}),
    "one_long_word": ("lob", "tennis", {"short": ("x" * 90 + " in tennis",)}),
}  # fmt: skip


def draw(case: str, width: str = "page") -> Figure:
    page_in = plots.width_in(width)
    with plots.style():
        figure = plots.new_figure(page_in, plots.script_flow_height_in(*CASES[case], page_in))
        plots.script_flow(*CASES[case], figure)
    return figure


def words_of(figure: Figure) -> list[Text]:
    return [text for text in figure.axes[0].texts if text.get_text().strip()]


@pytest.mark.parametrize("width", ["page", "column"])
@pytest.mark.parametrize("case", CASES)
def test_texts_stay_in_their_boxes_at_any_length(case: str, width: str) -> None:
    figure = draw(case, width)
    assert untidy(figure) == [] and smallest_letters_pt(figure) >= 6
    plt.close("all")


@pytest.mark.parametrize("case", CASES)
def test_every_letter_of_every_step_is_there_in_order_after_its_number_and_below_its_style(case: str) -> None:
    name, _, styles = CASES[case]
    figure = draw(case)
    drawn = "".join("".join(text.get_text().split()) for text in words_of(figure))
    place = drawn.index("".join(name.split()))
    for style, texts in styles.items():
        place = drawn.index(style.replace("_", "-"), place)
        for number, text in enumerate(texts, 1):
            wanted = f"{number}{''.join(text.split())}"
            place = drawn.index(wanted, place) + len(wanted)
    steps = sum(map(len, styles.values()))
    assert len(figure.findobj(FancyBboxPatch)) == 1 + steps
    first_row = min(len(styles), 4)
    arrows = len(figure.findobj(FancyArrowPatch)) - (steps - len(styles))
    assert 1 <= arrows <= first_row, "an arrow to each style of the first row, and one between two steps"
    plt.close("all")


def test_arrows_run_down_each_column_from_the_class_to_the_last_step() -> None:
    starts = [np.asarray(arrow.get_path().vertices) for arrow in draw("three_styles").findobj(FancyArrowPatch)
              if isinstance(arrow, FancyArrowPatch)]  # fmt: skip
    assert all(corners[0, 1] == corners[:, 1].min() for corners in starts)
    assert sorted(Counter(round(corners[0, 0], 3) for corners in starts).values()) == [4, 5, 10]
    plt.close("all")


def test_words_are_counted_without_the_sport() -> None:
    figure = plots.new_figure(3.35, 3)
    plots.script_flow("lob", "tennis", {"short": ("toss in tennis", "hit in tennis")}, figure)
    assert "2 sub-actions of 1 word" in [text.get_text() for text in words_of(figure)]
    plt.close("all")


def test_the_sport_is_set_apart_only_where_it_ends_a_step() -> None:
    styles = {"short": ("toss in tennis", "hit", "in tennis shoes", "in tennis")}
    with plots.style():
        figure = plots.new_figure(3.35, plots.script_flow_height_in("lob", "tennis", styles, 3.35))
        plots.script_flow("lob", "tennis", styles, figure)
    slanted = [text.get_text().strip() for text in words_of(figure) if text.get_color() == VERMILLION]
    assert slanted == ["tennis", "in tennis"]
    assert "4 sub-actions of 2 words" in [text.get_text() for text in words_of(figure)]
    plt.close("all")


def test_same_inputs_give_the_same_bytes(tmp_path: Path) -> None:
    for run in ("first", "second"):
        with plots.style():
            plots.save_figure(draw("three_styles"), "figure", folder=tmp_path / run)
    for suffix in ("pdf", "svg", "png"):
        first, second = (tmp_path / run / f"figure.{suffix}" for run in ("first", "second"))
        assert first.read_bytes() == second.read_bytes(), suffix
    plt.close("all")


def test_no_styles_no_steps_or_too_low_a_figure_is_one_clear_error() -> None:
    with pytest.raises(ActAlignError, match="no prompt style to show of class 'lob'; show at least 1"):
        plots.script_flow_height_in("lob", "tennis", {}, 3.35)
    with pytest.raises(ActAlignError, match=r"lacks texts in \['short'\]"):
        plots.script_flow("lob", "tennis", {"short": ()}, Figure(figsize=(3.35, 4)))
    with pytest.raises(ActAlignError, match=r"the figure is 3.35 x 0.50 in"):
        plots.script_flow("lob", "tennis", {"short": ("toss",)}, Figure(figsize=(3.35, 0.5)))
