"""The notebooks of Tables 1 to 5: what they wrote is worked out again, from the scores and the script files."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from actalign import results
from actalign.methods import METHODS
from actalign.study import LADDER

STYLES = ["context_rich", "context_rich_2", "short_fixed"]
TABLES = {
    "table_1_script_statistics": 2,
    "table_2_main_results": 3,
    "table_3_ablation": 2,
    "table_4_prompt_styles": 2,
    "table_5_example_scripts": 1,
}
PUBLISHED = "Published (arXiv 2506.22967): ActionAtlas v1.0, another data set"
ADDED = ", with Wilson's 95% intervals added here"
PLAIN = {
    r"\textendash{}": "–", r"\textless{}": "<", "$-$": "−", r"$\pm$": "±", r"\%": "%", r"\_": "_", r"\&": "&",
}  # fmt: skip


@pytest.fixture(scope="module")
def figures(tree: Path, printed: str) -> Path:
    """Where a run of all notebooks wrote the tables."""
    return tree / "figures"


@pytest.fixture(scope="module")
def scores(tree: Path, printed: str) -> pd.DataFrame:
    return results.read_table("scores", folder=tree / "data" / "results")


def blocks(path: Path) -> dict[str, list[list[str]]]:
    """Heading -> rows, the names of the columns first, of a Markdown file."""
    found = {}
    for block in ("\n\n" + path.read_text(encoding="utf-8").strip()).split("\n\n**")[1:]:
        heading, table = block.split("**\n\n")
        rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
        found[heading] = [rows[0], *rows[2:]]
    return found


def credit(scores: pd.DataFrame, method: str, style: str) -> "pd.Series[float]":
    """Clip -> Top-1 of a method that has one draw: the answer's share of the places on top."""
    rows = scores[(scores["method"] == method) & (scores["style"] == style)]
    top = rows[rows["score"] == rows.groupby("clip_id")["score"].transform("max")]
    return top.groupby("clip_id")["is_answer"].mean()


def scripts(tree: Path, style: str) -> dict[str, Any]:
    content = json.loads((tree / "data" / "sample" / "scripts" / f"{style}.json").read_text(encoding="utf-8"))
    assert isinstance(content["scripts"], dict)
    return content["scripts"]


def plain(cell: str) -> str:
    for command, sign in PLAIN.items():
        cell = cell.replace(command, sign)
    return cell.strip()


@pytest.mark.parametrize("stem", TABLES)
def test_latex_holds_the_cells_of_the_markdown_and_is_well_formed(figures: Path, stem: str) -> None:
    written = blocks(figures / f"{stem}.md")
    assert len(written) == TABLES[stem]
    text = (figures / f"{stem}.tex").read_text(encoding="utf-8")
    assert text.count("{") == text.count("}") and text.count(r"\begin") == text.count(r"\end") == 2 * len(written)
    parts = text.split(r"\begin{table}")[1:]
    for part, (heading, (_, *rows)) in zip(parts, written.items(), strict=True):
        assert rf"\caption{{{heading}}}" == plain(part.split("\n")[3])
        lines = part.split("\\midrule\n")[1].split("\n\\bottomrule")[0].splitlines()
        assert all(line.endswith(r" \\") for line in lines)
        assert [[plain(cell) for cell in line.removesuffix(r" \\").split(" & ")] for line in lines] == rows


@pytest.mark.parametrize("stem", [*TABLES, "table_error_analysis"])
def test_a_caption_says_what_stands_behind_a_number(figures: Path, stem: str) -> None:
    """The table in a paper has its caption alone, not the notebook's words."""
    for heading, (_, *rows) in blocks(figures / f"{stem}.md").items():
        cells = " ".join(cell for row in rows for cell in row)
        assert ("mean ± standard deviation" in heading) == (" ± " in cells)
        assert ("95%" in heading and " intervals" in heading) == (re.search(r"\d \[[-+−\d]", cells) is not None)


@pytest.mark.parametrize(
    "stem", ["table_3_ablation", "table_4_prompt_styles", "fig_7_smoothing", "fig_error_analysis", "fig_order"]
)
def test_a_caption_says_what_the_bars_of_the_picture_are_and_of_how_many_clips(figures: Path, stem: str) -> None:
    section = (figures / "README.md").read_text(encoding="utf-8").split(f"({stem}.png)")[1].split("\n## ")[0]
    caption = section.strip().split("\n\n")[-2]
    assert "95% intervals" in caption and re.search(r"bootstrap|Wilson", caption)
    assert re.search(r"\d+ of \d+ (test )?clips", caption)


@pytest.mark.parametrize("stem", TABLES)
def test_a_published_row_stands_in_no_block_of_ours(figures: Path, stem: str) -> None:
    data = pd.read_csv(figures / f"{stem}.csv")
    written = blocks(figures / f"{stem}.md")
    published = [heading for heading in written if heading.startswith("Published (arXiv 2506.22967): ")]
    assert all("ActionAtlas v1.0, another data set" in heading for heading in published)
    assert len(published) == (0 if stem.startswith("table_5") else 1)
    names = {row[0] for heading in published for row in written[heading][1:]}
    ours = {row[0] for heading in set(written) - set(published) for row in written[heading][1:]}
    assert names.isdisjoint(ours)
    if published:
        assert (data["data"] == "ActionAtlas v1.0").sum() == len(names) and set(data["data"]) > {"sample"}


def test_script_statistics_are_those_of_the_files(figures: Path, tree: Path) -> None:
    ours, _ = blocks(figures / "table_1_script_statistics.md").values()
    assert [row[0] for row in ours[1:]] == STYLES
    for style, per_class, _, per_step in ours[1:]:
        steps = [script["steps"] for script in scripts(tree, style).values()]
        lengths, words = [len(each) for each in steps], [len(step.split()) for each in steps for step in each]
        assert per_class == f"{np.mean(lengths):.2f} ± {np.std(lengths):.2f}"
        assert per_step == f"{np.mean(words):.2f} ± {np.std(words):.2f}"


def test_main_results_and_paired_tests_are_those_of_the_scores(figures: Path, scores: pd.DataFrame) -> None:
    ours, paired, theirs = blocks(figures / "table_2_main_results.md").items()
    full = credit(scores, "dtw_context", "context_rich")
    top1 = {row[0]: row[1] for row in ours[1][1:]}
    assert len(top1) == len(METHODS) and top1["DTW + context"].startswith(f"{100 * full.mean():.1f} [")
    assert paired[0].startswith("Computed here: sample, Top-1 of DTW + context minus that of each row, with 95%")
    assert paired[1][0] == ["Against", "Difference (points)", "Gained (clips)", "Lost (clips)", "McNemar p", "N"]
    assert {row[0]: row for row in paired[1][1:]}["Random"][2:5] == ["–", "–", "–"], "ten draws: no test"
    row = {row[0]: row for row in paired[1][1:]}["DTW"]
    other = credit(scores, "dtw", "context_rich")
    gained, lost = int(((full == 1) & (other < 1)).sum()), int(((full < 1) & (other == 1)).sum())
    difference = f"{100 * (full - other).mean() + 0.0:+.1f}".replace("-", "−")
    assert row[1].startswith(f"{difference} [") and row[2:4] == [str(gained), str(lost)]
    p = binomtest(gained, gained + lost).pvalue if gained + lost else 1.0
    assert row[4:] == [f"{p:.3f}", str(len(full))]
    assert theirs[0] == f"{PUBLISHED}, scripts at temperature 0.2{ADDED}"
    known = {row[0]: row for row in theirs[1][1:]}
    assert known["SigLIP so400m, ActAlign"][1:] == [
        "30.5 [27.6, 33.6]", "54.3 [51.1, 57.6]", "71.0 [68.0, 73.9]", "274", "898 of 934",
    ]  # fmt: skip
    assert known["Qwen2-VL"][1:] == ["30.2", "–", "–", "–", "–"]


def test_the_ladder_has_its_rungs_in_order_and_says_what_the_published_steps_are(figures: Path) -> None:
    data = pd.read_csv(figures / "table_3_ablation.csv")
    ours = data[data["data"] == "sample"]
    assert ours["method"].tolist() == list(LADDER)
    assert ours["difference"].isna().tolist() == [True, False, False, False]
    assert ours["difference"].tolist()[1:] == pytest.approx(ours["top1"].diff().tolist()[1:], abs=1e-6)
    published = blocks(figures / "table_3_ablation.md")[f"{PUBLISHED}, scripts at temperature 1.0{ADDED}"]
    assert [row[published[0].index("Gain (clips)")] for row in published[1:]] == ["–", "+25", "+39", "+2"]


def test_prompt_styles_are_those_of_the_scores(figures: Path, scores: pd.DataFrame) -> None:
    data = pd.read_csv(figures / "table_4_prompt_styles.csv").query("data == 'sample'").set_index("style")
    assert list(data.index) == STYLES
    main = credit(scores, "dtw_context", "context_rich")
    for style in STYLES:
        top1 = credit(scores, "dtw_context", style)
        assert data.loc[style, "top1"] == pytest.approx(100 * top1.mean(), abs=1e-6)
        gain = 100 * (top1 - credit(scores, "dtw", style)).mean()
        assert data.loc[style, "context_gain"] == pytest.approx(gain, abs=1e-6)
        if style != "context_rich":
            assert data.loc[style, "difference"] == pytest.approx(100 * (top1 - main).mean(), abs=1e-6)
    assert np.isnan(data.loc["context_rich", "difference"])
    published = blocks(figures / "table_4_prompt_styles.md")[f"{PUBLISHED}{ADDED}"]
    assert [row[2] for row in published[1:]] == ["243", "272", "274"]


def test_example_scripts_are_one_class_of_the_files_in_full(figures: Path, tree: Path) -> None:
    data = pd.read_csv(figures / "table_5_example_scripts.csv")
    (name,) = set(data["class"])
    files = {style: scripts(tree, style) for style in STYLES}
    assert {style: rows["step"].tolist() for style, rows in data.groupby("style")} == {
        style: files[style][name]["steps"] for style in STYLES
    }
    words = {
        each: sum(len(" ".join(by_class[each]["steps"]).split()) for by_class in files.values())
        for each in files["context_rich"]
    }
    below = [count for count in words.values() if count < words[name]]
    above = [count for count in words.values() if count > words[name]]
    assert max(len(below), len(above)) <= len(words) / 2
    facts = json.loads((figures / "table_5_example_scripts.json").read_text(encoding="utf-8"))["provenance"]
    assert facts["rule"].endswith("the one with the median number of words")
    assert next(iter(blocks(figures / "table_5_example_scripts.md"))).startswith(f"Scripts of {name} (")
