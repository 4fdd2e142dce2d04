"""Tables as people read them."""

import pandas as pd
import pytest

from actalign import published, report
from actalign.errors import ActAlignError


def body(text: str) -> list[str]:
    """The rows between the rules of a table in LaTeX."""
    return text.split("\\midrule\n")[1].split("\n\\bottomrule")[0].splitlines()


def test_numbers_carry_their_interval_and_a_true_minus() -> None:
    table = pd.DataFrame({"d": [1.25, -3.0, -0.04, None], "d_low": [0.5, -4.0, None, None], "d_high": [2, 1, None, 3]})
    assert report.with_interval(table, "d", signed=True) == ["+1.2 [+0.5, +2.0]", "−3.0 [−4.0, +1.0]", "+0.0", "–"]
    with pytest.raises(ActAlignError, match=r"no column 'top9'; it has \['d', 'd_low', 'd_high'\]"):
        report.with_interval(table, "top9")


def test_the_published_table_reads_as_printed() -> None:
    shown = report.topk_for_people(published.table2()).set_index("Method")
    assert shown.loc["SigLIP so400m, ActAlign"].tolist() == [
        "30.5 [27.6, 33.6]", "54.3 [51.1, 57.6]", "71.0 [68.0, 73.9]", "274", "898 of 934",
    ]  # fmt: skip
    assert shown.loc["Human"].tolist() == ["61.6", "–", "–", "–", "–"]
    assert shown.loc["Qwen2-VL", "Right (clips)"] == "–", "30.24 is no count of 898"


def test_a_k_that_no_row_has_is_left_out() -> None:
    assert list(report.topk_for_people(published.table4())) == ["Method", "Top-1 (%)", "Right (clips)", "N"]


def test_a_table_of_other_k_shows_those() -> None:
    table = pd.DataFrame({"method": ["dtw"], "label": ["DTW"], "top1": [50.0], "top5": [75.0]})
    assert report.topk_for_people(table).to_dict("records") == [
        {"Method": "DTW", "Top-1 (%)": "50.0", "Top-5 (%)": "75.0"}
    ]


def test_small_probabilities_are_bounded_and_missing_ones_a_dash() -> None:
    table = pd.DataFrame({"mcnemar_p": [1.0, 0.0010, 0.00099, float("nan")]})
    assert report.p_values(table) == ["1.000", "0.001", "< 0.001", "–"]


def test_script_statistics_read_as_in_the_paper() -> None:
    shown = report.statistics_for_people(published.table1()).set_index("Style")
    assert list(shown.columns) == ["Sub-actions per class", "Sub-actions per sport", "Words per sub-action"]
    assert shown.loc["Context-Rich, T = 1.0"].tolist() == ["4.94 ± 0.86", "5.01 ± 0.62", "13.68 ± 2.78"]
    with pytest.raises(ActAlignError, match="no column 'steps_mean'"):
        report.statistics_for_people(pd.DataFrame({"style": ["terse"]}))


def test_markdown_has_a_row_a_line_and_harmless_cells() -> None:
    lines = report.markdown(pd.DataFrame({"a|b": ["x\r\ny"], "n": [3]})).splitlines()
    assert lines == ["| a\\|b | n |", "|---|---|", "| x  y | 3 |"]
    lines = report.markdown(pd.DataFrame({"p": ["<0.001"], "step": ["</td><script>x</script>"]})).splitlines()
    assert lines[-1] == "| <0.001 | &lt;/td>&lt;script>x&lt;/script> |"


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("50% & #1_a", r"50\% \& \#1\_a"),
        (r"{\y} $z ~^", r"\{\textbackslash{}y\} \$z \textasciitilde{}\textasciicircum{}"),
        ("−1 ± 2 × 3 –", r"$-$1 $\pm$ 2 $\times$ 3 \textendash{}"),
        ("a--b, ''", "a-{}-b, '{}'"),
        ('< > | " `', r"\textless{} \textgreater{} \textbar{} \textquotedbl{} \textasciigrave{}"),
        ("two\nlines\t.", "two lines ."),
        ("e\N{COMBINING ACUTE ACCENT}", "é"),
        ("[1] first", "{}[1] first"),
        ("*", "{}*"),
    ],
)
def test_latex_prints_each_character_as_it_is(text: str, printed: str) -> None:
    made = report.latex(pd.DataFrame({text: [text]}), heading=text)
    assert body(made) == [rf"{printed} \\"]
    assert rf"\caption{{{printed.removeprefix('{}')}}}" in made
    assert f"\\toprule\n{printed} \\\\\n\\midrule" in made


def test_latex_names_the_characters_that_need_another_engine() -> None:
    made = report.latex(pd.DataFrame({"Class": ["背負投 ħ é"]}), heading="Judo")
    assert made.splitlines()[1] == "% pdfLaTeX lacks ħ投背負: use LuaLaTeX or XeLaTeX"
    assert "lacks" not in report.latex(pd.DataFrame({"Class": ["é – ’ ± ≤"]}), heading="Judo")


def test_latex_sets_numbers_on_the_right_and_texts_on_the_left() -> None:
    columns = {
        "Class": ["360 flip", "lob"], "Top-1": ["70.1 [65.0, 75.5]", "–"], "Gain": ["−1.0", "+2.0 [+1.0, +3.0]"],
        "p": ["< 0.001", "0.263"], "N": ["2 of 3", "3 of 3"], "Ties": [0, 12], "Mean": ["5.26 ± 0.90", "10.00 ± 0.00"],
    }  # fmt: skip
    made = report.latex(pd.DataFrame(columns), heading="All kinds")
    assert r"\begin{tabular}{@{}lrrrrrr@{}}" in made
    assert [line.count(" & ") for line in body(made)] == [6, 6]


def test_latex_breaks_long_texts_and_names_only_where_they_do_not_fit() -> None:
    step = (
        "tip over one leg with the back leg lifted high, a single arm to the sky and the other low beside the hip " * 2
    )
    wide = report.latex(pd.DataFrame({"k": ["1"], "Sub-action": [step]}), heading="Long")
    assert r"\begin{tabular}{@{}r>{\raggedright\arraybackslash}p{0.94\linewidth}@{}}" in wide
    assert "p{" not in report.latex(pd.DataFrame({"k": ["1"], "Sub-action": [step[:60]]}), heading="Short")
    named = {f"Share of the wrong ones, {number}": ["7.7"] for number in range(5)}
    assert report.latex(pd.DataFrame(named), heading="Names").count(r"\shortstack[r]{Share of the \\ wrong ones,") == 5


def test_latex_wants_a_column_but_no_row() -> None:
    assert "Method \\\\\n\\midrule\n\\bottomrule" in report.latex(pd.DataFrame({"Method": []}), heading="Empty")
    with pytest.raises(ActAlignError, match="'None' has no columns"):
        report.latex(pd.DataFrame(), heading="None")


def test_a_caption_says_how_the_intervals_at_hand_were_made() -> None:
    clustered = pd.DataFrame({"n": [448, 448], "families": [64, 64]})
    assert report.bootstrap_text(clustered).startswith("bootstrap clustered by family;")
    assert report.bootstrap_text(clustered.assign(families=448)).startswith("bootstrap over clips;")
    for families in (2, [1, 64], [64, 448]):  # one method may have scored fewer clips than another
        assert report.bootstrap_text(clustered.assign(families=families)).startswith("bootstrap clustered by family;")
    assert report.bootstrap_text(clustered.assign(families=1)).startswith("none"), (
        "as the cells, which have no brackets"
    )
