"""Every notebook as a source, and every notebook run over a few clips: what it wrote is asserted."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from project_tree import PROJECT, TEST_CLIPS, VALIDATION_CLIPS, command, shown

from actalign import examples, paths, results
from actalign.dtw import align
from actalign.errors import ActAlignError, LeftOutError
from actalign.methods import METHODS
from actalign.notebook import PARAMETERS_TAG, check_sources, read_notebook, read_parameters, run_notebook
from actalign.order import CONTROLS
from actalign.projection import RESTARTS
from actalign.runner import plan
from actalign.sample.classes import families
from actalign.sample.render import plan_clips, write_folder
from actalign.study import LADDER
from actalign.tuning import WIDTHS

NOTEBOOKS = plan(PROJECT / "notebooks")
STEMS = [path.stem for path in NOTEBOOKS]
DRAWING = [stem for stem in STEMS if stem.startswith(("table_", "fig_"))]
OVERVIEW = ("fig_1_teaser", "fig_2_script", "fig_3_method")
STYLES = ["context_rich", "context_rich_2", "short_fixed"]


# Sources


def test_the_notebooks_that_the_project_names_are_there() -> None:
    assert STEMS == [
        "00_quickstart",
        "10_embeddings",
        "20_scores",
        "30_smoothing",
        "40_examples",
        "50_errors",
        "60_order",
        "actionatlas",
        "explorer",
        "own_videos",
        "table_1_script_statistics",
        "table_2_main_results",
        "table_3_ablation",
        "table_4_prompt_styles",
        "table_5_example_scripts",
        "table_error_analysis",
        "fig_1_teaser",
        "fig_2_script",
        "fig_3_method",
        "fig_4_heat_maps",
        "fig_5_tsne",
        "fig_6_vague_scripts",
        "fig_7_smoothing",
        "fig_error_analysis",
        "fig_order",
    ]


def test_every_source_can_be_run_and_carries_no_outputs() -> None:
    check_sources(NOTEBOOKS)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=STEMS)
def test_a_source_says_what_it_does_before_it_does_it(path: Path) -> None:
    notebook = read_notebook(path)
    first, second, *rest = notebook.cells
    assert first.cell_type == "markdown" and first.source.startswith("# ")
    for word in ("**Shows**", "**Needs**", "**Time**", "**Writes**"):
        assert word in first.source, f"the first cell of {path.name} does not say {word}"
    assert second.metadata.get("tags") == [PARAMETERS_TAG]
    assert read_parameters(path), f"{path.name} has nothing to set"
    assert any(cell.cell_type == "markdown" and cell.source.startswith("## ") for cell in rest)
    assert notebook.metadata.kernelspec == {"display_name": "Python 3", "language": "python", "name": "python3"}
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    ids = [cell.id for cell in notebook.cells]
    assert ids == [f"{path.stem.replace('_', '-')}-{number:02d}" for number in range(1, len(ids) + 1)]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=STEMS)
def test_reusable_logic_lives_in_the_package(path: Path) -> None:
    code = [cell.source for cell in read_notebook(path).cells if cell.cell_type == "code"]
    assert all(len(source.splitlines()) <= 50 for source in code)
    assert not any(line.startswith(("def ", "class ")) for source in code for line in source.splitlines())
    draws = path.stem in DRAWING
    for module in ("encoder", "embeddings", "video", "datasets"):
        assert not (draws and any(f"from actalign.{module} " in source for source in code)), "a drawing only reads"


# Runs


def digests(*folders: Path) -> dict[str, str]:
    files = [path for folder in folders for path in folder.iterdir() if path.is_file()]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def folder(tree: Path, printed: str) -> Path:
    """The result tables of that run."""
    return tree / "data" / "results"


def executed(tree: Path, stem: str) -> str:
    """All text that a notebook showed."""
    return shown(tree / "data" / "results" / "executed" / f"{stem}.ipynb")


def test_one_command_runs_every_notebook_and_prints_the_main_table(printed: str, folder: Path) -> None:
    lines = printed.splitlines()
    assert [line.split()[2 if line[1] == " " else 1] for line in lines[: len(STEMS)]] == STEMS
    labels = results.read_table("main", folder=folder)["label"].tolist()
    assert [line.split("  ")[0] for line in lines[-len(METHODS) :]] == labels


def test_the_quickstart_ranks_the_candidates_of_one_clip_and_draws_its_best(folder: Path, tree: Path) -> None:
    shown = executed(tree, "00_quickstart")
    assert "Question(clip_id='test-00000'" in shown
    assert shown.count("Alignment(score=") == 5
    assert "image/png" in shown
    assert json.loads((folder / "runs" / "00_quickstart.json").read_text())["outputs"] == {}


def test_every_clip_is_accounted_for(folder: Path, tree: Path) -> None:
    table = results.read_table("embeddings", folder=folder)
    assert table["split"].value_counts().to_dict() == {"test": TEST_CLIPS, "validation": VALIDATION_CLIPS}
    assert set(table["state"]) == {"done"}
    assert table["frames_per_second"].tolist() == pytest.approx([15] * len(table), rel=1e-3)
    assert table["seconds"].tolist() == pytest.approx((table["frames"] / 15).tolist(), rel=1e-2)
    assert f"clips: loaded 0 from cache, computed {len(table)}, failed 0" in executed(tree, "10_embeddings")
    for stem in ("20_scores", "30_smoothing"):
        assert f"clips: loaded {len(table)} from cache, computed 0, failed 0" in executed(tree, stem)


def test_scores_hold_every_method_in_every_style_it_reads(folder: Path) -> None:
    scores = results.read_table("scores", folder=folder)
    for name, method in METHODS.items():
        rows = scores[scores["method"] == name]
        assert sorted(set(rows["style"])) == (STYLES if method.needs_script else [""])
        assert rows.groupby(["style", "clip_id", "draw"]).size().eq(5).all()
        assert set(rows["clip_id"]) == {f"test-{number:05d}" for number in range(TEST_CLIPS)}


def test_the_main_table_has_a_row_per_method_in_order_and_the_oracle_on_top(folder: Path) -> None:
    main = results.read_table("main", folder=folder)
    assert main["method"].tolist() == list(METHODS)
    assert set(main["style"]) == {"", "context_rich"}
    columns = {"label", *(f"top{k}{end}" for k in (1, 2, 3) for end in ("", "_low", "_high")), "n", "n_total", "tied"}
    assert columns | {"families"} <= set(main.columns)
    assert (main["n"] == TEST_CLIPS).all() and (main["n_total"] == TEST_CLIPS).all()
    assert main.set_index("method").loc["oracle", "top1"] >= 97
    facts = main.attrs["provenance"]
    assert facts["clips"] == f"{TEST_CLIPS} of {TEST_CLIPS}" and facts["parameters"]["chance_top1"] == 20


@pytest.mark.parametrize("by", ["subset", "sport"])
def test_parts_of_the_main_table_average_to_it(folder: Path, by: str) -> None:
    main = results.read_table("main", folder=folder).set_index("method")
    parts = results.read_table(f"by_{by}", folder=folder)
    assert set(parts[by]) == set(pd.read_csv(folder.parent / "sample" / "clips.csv").query("split == 'test'")[by])
    assert parts[by].nunique() > 1
    for name, rows in parts.groupby("method"):
        assert rows["n"].sum() == TEST_CLIPS
        assert (rows["top1"] * rows["n"]).sum() / TEST_CLIPS == pytest.approx(main.loc[name, "top1"], abs=1e-6)


def test_paired_differences_are_those_of_the_main_table(folder: Path) -> None:
    top1 = results.read_table("main", folder=folder).set_index("method")["top1"]
    paired = results.read_table("paired", folder=folder)
    against = paired[paired["comparison"] == "DTW + context against"]
    assert set(against["method"]) == {"dtw_context"}
    assert against["against"].tolist() == [name for name in METHODS if name != "dtw_context"]
    rungs = paired[paired["comparison"] == "ladder"]
    assert list(zip(rungs["against"], rungs["method"], strict=True)) == list(pairwise(LADDER))
    for row in paired.itertuples():
        assert row.difference == pytest.approx(top1[row.method] - top1[row.against], abs=1e-6)
        assert row.difference_low <= row.difference <= row.difference_high
        once = METHODS[row.method].draws == METHODS[row.against].draws == 1
        assert 0 < row.mcnemar_p <= 1 if once else np.isnan([row.mcnemar_p, row.only_first, row.only_second]).all()


def test_every_style_has_its_accuracy_and_its_statistics(folder: Path) -> None:
    styles = results.read_table("styles", folder=folder)
    assert styles["style"].tolist() == ["context_rich", *STYLES[1:]]
    main = results.read_table("main", folder=folder).set_index("method")
    assert styles.loc[0, "top1"] == main.loc["dtw_context", "top1"]
    gains = styles["top1"] - styles.loc[0, "top1"]
    assert styles["difference"].tolist()[1:] == pytest.approx(gains.tolist()[1:], abs=1e-6)
    ladder = results.read_table("paired", folder=folder).query("comparison == 'ladder' and against == 'dtw'")
    assert styles.loc[0, "context_gain"] == ladder["difference"].item()
    table = results.read_table("script_statistics", folder=folder).set_index("style")
    assert table.loc["short_fixed", ["steps_mean", "steps_sd"]].tolist() == [10, 0]


def test_each_item_of_the_reference_is_compared_with_the_paper(folder: Path) -> None:
    table = results.read_table("reference", folder=folder)
    main = results.read_table("main", folder=folder).set_index("method")
    for name, without in (("dtw_context_smoothing", ()), ("dtw_context", ("1",))):
        rows = table[table["method"] == name].set_index("item")
        numbers = [item.split(",")[0] for item in rows.index]
        known = ["paper", "1", "1", "2", "4", "all that apply", "6", "6", "7", "7"]
        assert numbers == [number for number in known if number not in without]
        assert rows.loc["paper", "top1"] == main.loc[name, "top1"]
        own = {"paper", "6, scripts missing, each in its place", "7, clips failed, excluded"}
        assert rows["difference"].isna().to_dict() == {item: item in own for item in rows.index}
        assert rows.loc["7, clips failed, excluded", "n"] == TEST_CLIPS - 1
        assert rows.loc["4, sentence that names the class", "cut_texts"] > 0, "these are longer than 16 tokens"
        paired = rows.loc["2, texts padded to the longest of a script"]
        assert paired["difference"] == pytest.approx(paired["top1"] - rows.loc["paper", "top1"], abs=1e-6)
    full = table[table["method"] == "dtw_context_smoothing"].set_index("item")
    assert full.loc["1, smoothing called off", "top1"] == main.loc["dtw_context", "top1"]
    baseline = table[table["method"] == "mean_pool_name"]
    assert baseline["top1"].iloc[0] == main.loc["mean_pool_name", "top1"]
    assert baseline["difference"].isna().tolist() == [True, False]


def test_the_smoothing_curve_covers_both_splits_and_marks_what_validation_chose(folder: Path) -> None:
    curve = results.read_table("smoothing_curve", folder=folder)
    assert curve.attrs["provenance"]["parameters"]["options"]["preset"] == "paper"
    assert [list(rows["width"]) for _, rows in curve.groupby("split")] == [list(WIDTHS)] * 2
    validation = curve[curve["split"] == "validation"]
    best = validation.loc[validation["top1"] == validation["top1"].max(), "width"].min()
    assert set(curve.loc[curve["chosen"], "width"]) == {best}
    main = results.read_table("main", folder=folder).set_index("method")
    tested = curve[curve["split"] == "test"].set_index("width")["top1"]
    assert tested[1] == main.loc["dtw_context", "top1"] and tested[30] == main.loc["dtw_context_smoothing", "top1"]
    assert main.loc["dtw_context_smoothing_validated", "label"].endswith(f"(w = {best})")
    assert curve.attrs["provenance"]["parameters"]["frames_per_second"] == pytest.approx(15, rel=1e-3)


def test_the_order_curve_starts_at_the_main_row_and_covers_every_subset(folder: Path) -> None:
    curve = results.read_table("order_curve", folder=folder).set_index(["subset", "share"])
    main = results.read_table("main", folder=folder).set_index("method")
    by_subset = results.read_table("by_subset", folder=folder).set_index(["method", "subset"])
    assert curve.loc[("all", 0.0), "top1"] == main.loc["dtw_context", "top1"]
    subsets = set(curve.index.get_level_values("subset")) - {"all"}
    assert subsets == set(by_subset.index.get_level_values("subset"))
    for subset in subsets:
        assert curve.loc[(subset, 0.0), "top1"] == by_subset.loc[("dtw_context", subset), "top1"]
    controls = results.read_table("order_controls", folder=folder).set_index(["method", "subset"])
    for name in CONTROLS:
        assert controls.loc[(name, "all"), "top1"] == main.loc[name, "top1"]
    gain = results.read_table("order_gain", folder=folder).set_index("subset")
    shuffled = main.loc["dtw_context_shuffled", "top1"]
    assert gain.loc["all", "difference"] == pytest.approx(main.loc["dtw_context", "top1"] - shuffled)


def test_examples_follow_their_rule_and_hold_the_scored_maps(folder: Path) -> None:
    scores = results.read_table("scores", folder=folder)
    clips = pd.read_csv(folder.parent / "sample" / "clips.csv").set_index("clip_id")
    one = {
        style: scores[(scores["method"] == "dtw_context") & (scores["style"] == style)].assign(
            subset=lambda rows: rows["clip_id"].map(clips["subset"])
        )
        for style in ("context_rich", "short_fixed")
    }
    right = examples.read_example("example_right", folder=folder)
    assert (right.facts["clip_id"], right.facts["rule"]) == (
        (choice := examples.choose_right(one["context_rich"])).clip_id,
        choice.rule,
    )
    rows = one["context_rich"].set_index(["clip_id", "class"])["score"].loc[right.facts["clip_id"]]
    for kind in ("right", "wrong"):
        assert align(right.arrays[kind]).score == pytest.approx(rows[right.facts[kind]], rel=1e-9)
    assert rows[right.facts["wrong"]] == rows.drop(right.facts["right"]).max()
    assert right.arrays["right_smoothed"].shape == right.arrays["right"].shape
    assert right.arrays["frames"].shape == (right.arrays["right"].shape[1], 64, 64, 3)
    vague = examples.read_example("example_vague", folder=folder)
    assert vague.facts["clip_id"] == examples.choose_vague(one["short_fixed"], one["context_rich"]).clip_id
    truth = vague.facts["answer"]
    for kind in ("vague", "rich"):
        assert align(vague.arrays[kind]).score == vague.arrays[f"{kind}_scores"][truth]
        assert vague.arrays[kind].shape == (len(vague.facts[f"{kind}_steps"]), len(vague.arrays["times_s"]))


def test_the_overview_figures_show_what_was_scored(folder: Path, tree: Path) -> None:
    example, right = (examples.read_example(f"example_{kind}", folder=folder) for kind in ("method", "right"))
    scores = results.read_table("scores", folder=folder)
    rows = scores[
        (scores["method"] == "dtw_context")
        & (scores["style"] == "context_rich")
        & (scores["clip_id"] == example.facts["clip_id"])
    ].set_index("class")["score"]
    facts, arrays = example.facts, example.arrays
    assert facts["clip_id"] == right.facts["clip_id"] and facts["candidates"][facts["answer"]] == facts["right"]
    assert arrays["scores"].tolist() == pytest.approx(rows[facts["candidates"]].tolist(), rel=1e-9)
    assert align(arrays["affinity"]).score == pytest.approx(rows[facts["right"]], rel=1e-9)
    products = arrays["step_embeddings"].astype(float) @ arrays["frame_embeddings"].astype(float).T
    assert abs(products - arrays["cosine"]).max() < 1e-5
    assert list(facts["styles"]) == STYLES
    assert all(text.endswith(f" in {facts['sport']}") for texts in facts["styles"].values() for text in texts)

    teaser, script, method = (pd.read_csv(tree / "figures" / f"{stem}.csv") for stem in OVERVIEW)
    means = teaser.groupby("candidate")["affinity"].mean()
    assert means.to_dict() == pytest.approx({kind: rows[right.facts[kind]] for kind in ("right", "wrong")}, rel=1e-6)
    assert script.groupby("style", sort=False)["text"].agg(list).to_dict() == facts["styles"]
    parts = {part: table.set_index(["step", "frame"])["value"] for part, table in method.groupby("part")}
    on_path = parts["on path"].index[parts["on path"] == 1]
    assert parts["affinity"][on_path].mean() == pytest.approx(rows[facts["right"]], rel=1e-6)
    assert len(parts["cosine"]) == arrays["cosine"].size and len(parts["score"]) == len(facts["candidates"])


def test_the_numbers_beside_the_maps_give_the_scores_again(folder: Path, tree: Path) -> None:
    for stem, example, kinds in (
        ("fig_4_heat_maps", "example_right", ("right", "wrong")),
        ("fig_6_vague_scripts", "example_vague", ("vague", "rich")),
        ("fig_7_smoothing", "example_right", ("right", "right_smoothed")),
    ):
        arrays = examples.read_example(example, folder=folder).arrays
        cells = results.read_table(stem, folder=tree / "figures")
        on_path = cells[cells["on_path"]].groupby("panel", sort=False)["affinity"].mean()
        assert on_path.tolist() == pytest.approx([align(arrays[kind]).score for kind in kinds], rel=1e-6)
    curve = results.read_table("smoothing_curve", folder=folder)
    drawn = cells[cells["panel"] == "(c) accuracy"]
    assert drawn["top1"].tolist() == curve["top1"].tolist()
    assert drawn["width_s"].tolist() == pytest.approx((curve["width"] / 15).tolist(), rel=1e-3)
    assert cells.attrs["provenance"]["drawn_with"] == {"gamma": 0.5, "width": "page"}


def test_every_text_of_the_main_style_is_a_point_in_both_panels(folder: Path) -> None:
    points = results.read_table("tsne", folder=folder)
    scripts = json.loads((folder.parent / "sample" / "scripts" / "context_rich.json").read_text())["scripts"]
    wanted = {(script["sport"], step) for script in scripts.values() for step in script["steps"]}
    without, within = (points[points["context"] == name] for name in ("without", "with"))
    assert set(zip(without["sport"], without["text"], strict=True)) == wanted
    assert all(text.endswith(f" in {sport}") for sport, text in zip(within["sport"], within["text"], strict=True))
    assert len(within) == len(without) == len(wanted)
    assert points.groupby("context")["silhouette"].nunique().tolist() == [1, 1]
    separation = results.read_table("tsne_silhouette", folder=folder).set_index("context")
    for name, panel in points.groupby("context"):
        assert separation.loc[name, "silhouette"] == panel["silhouette"].iloc[0]
    gain = separation.loc["difference"]
    apart = separation["silhouette"]
    assert gain["silhouette"] == pytest.approx(apart["with"] - apart["without"])
    assert gain["low"] <= gain["silhouette"] <= gain["high"]
    stability = results.read_table("tsne_stability", folder=folder)
    assert stability.groupby(["context", "start"]).size().to_dict() == {
        (name, start): count for name in ("with", "without") for start, count in (("pca", 1), ("random", RESTARTS))
    }
    assert stability.loc[stability["start"] == "random", "kept_of_map"].between(0, 1).all()
    assert stability["kept_of_map"].isna().equals(stability["start"] == "pca")


@pytest.mark.parametrize("stem", DRAWING)
def test_a_drawing_writes_its_files_with_its_stem_and_a_caption(folder: Path, tree: Path, stem: str) -> None:
    own = {path.suffix for path in (tree / "figures").iterdir() if path.stem == stem}
    drawn, told = {".pdf", ".svg", ".png"}, {".md", ".tex"}
    without = ("table_1_script_statistics", "table_5_example_scripts", "table_error_analysis")
    wanted = told if stem in without else drawn | told if stem.startswith("table_") else drawn
    assert own == wanted | {".csv", ".json"}
    shown = executed(tree, stem)
    assert ("image/png" in shown) == (drawn <= wanted) and "text/markdown" in shown


def test_a_second_run_reuses_everything_and_a_forced_one_gives_the_same_bytes(folder: Path, tree: Path) -> None:
    before = digests(folder, tree / "figures")
    again = command(tree)
    assert again.count("reused") == 2 * len(STEMS)  # a line of progress and one of the summary each
    command(tree, "--force", "--only", "40_examples", "fig_4_heat_maps", "fig_5_tsne")
    assert digests(folder, tree / "figures") == before


# Other data


@pytest.fixture
def project(empty_project: Path) -> Path:
    return empty_project


def run(project: Path, stem: str, parameters: dict[str, Any]) -> None:
    run_notebook(PROJECT / "notebooks" / f"{stem}.ipynb", parameters, output=project / "executed" / f"{stem}.ipynb")


def test_the_quickstart_says_which_clip_is_not_there_and_which_classes_have_no_script(
    project: Path, tiny_dataset: Callable[..., Path]
) -> None:
    mine = tiny_dataset()
    with pytest.raises(ActAlignError, match=r"no clip 'nope' has classes with scripts; choose one of \['tennis-01"):
        run(project, "00_quickstart", {"dataset": str(mine), "clip": "nope"})
    path = mine / "scripts" / "context_rich.json"
    written = json.loads(path.read_text())
    kept = {name: script for name, script in written["scripts"].items() if not name.endswith("a")}
    path.write_text(json.dumps(written | {"scripts": kept}))
    with pytest.raises(ActAlignError, match=r"2 candidate\(s\) have no script: '[a-z]+-01a', '[a-z]+-01a'; add them"):
        run(project, "00_quickstart", {"dataset": str(mine)})


def test_a_folder_without_labels_names_subsets_or_validation_is_scored_all_the_same(
    project: Path, tree: Path, tiny_checkpoint: Path
) -> None:
    """And with one unreadable clip, one style of scripts, one sport and a checkpoint from elsewhere."""
    made = [family for family in families(3) if family.sport == "tennis"][:3]
    mine = project / "mine"
    planned = [replace(clip, subset="clean") for clip in plan_clips(made, 6, split="test")]
    write_folder(mine, planned, seed=5, progress=False)
    for name in ("frame_labels.csv", "class_steps.json", "class_names.json"):
        (mine / name).unlink()
    for style in STYLES[1:]:
        (mine / "scripts" / f"{style}.json").unlink()
    clips = pd.read_csv(mine / "clips.csv")
    clips[["clip_id", "path", "sport"]].to_csv(mine / "clips.csv", index=False)
    (mine / clips.loc[2, "path"]).write_bytes(b"not a video")
    examples.write_example(examples.Example({}, {"map": pd.DataFrame([[1.0]]).to_numpy()}), "example_vague")
    given = {"dataset": str(mine), "checkpoint": str(tiny_checkpoint)}
    run(project, "20_scores", {**given, "resamples": 200})
    run(project, "30_smoothing", {**given, "resamples": 200})
    run(project, "40_examples", given)
    main = results.read_table("main")
    assert main["method"].tolist() == [
        name for name in METHODS if name not in ("oracle", "dtw_context_smoothing_validated")
    ]
    assert (main["n"] == 5).all() and (main["n_total"] == 6).all()
    assert set(results.read_table("by_subset")["subset"]) == {""}
    assert results.read_table("styles")["style"].tolist() == ["context_rich"]
    curve = results.read_table("smoothing_curve")
    assert set(curve["split"]) == {"test"} and not curve["chosen"].any()
    example = examples.read_example("example_right")
    assert example.facts["boundaries_s"] == [] and example.facts["clip_id"] != clips.loc[2, "clip_id"]
    for stem in ("table_2_main_results", "table_4_prompt_styles", "table_5_example_scripts"):
        run(project, stem, {})
    by_style = pd.read_csv(paths.FIGURES / "table_4_prompt_styles.csv").query("data == 'mine'")
    assert by_style["style"].tolist() == ["context_rich"] and by_style["difference"].isna().all()
    assert set(pd.read_csv(paths.FIGURES / "table_5_example_scripts.csv")["style"]) == {"context_rich"}
    with pytest.raises(LeftOutError, match="there is no example_vague: mine has the styles"):
        examples.read_example("example_vague")
    for stem in ("tsne", "tsne_silhouette", "tsne_stability"):
        with pytest.raises(LeftOutError, match="texts of two sports or more"):
            results.read_table(stem)
    for stem in ("fig_5_tsne", "fig_6_vague_scripts"):
        with pytest.raises(LeftOutError, match="there is no "):
            run(project, stem, {})


def test_the_reference_preset_runs_where_scripts_are_missing(project: Path, tiny_checkpoint: Path) -> None:
    """And what is drawn of a method that does not smooth still shows what smoothing does."""
    made = [family for family in families(3) if family.sport == "tennis"][:3]
    mine = project / "mine"
    write_folder(
        mine, [replace(clip, subset="clean") for clip in plan_clips(made, 4, split="test")], seed=5, progress=False
    )
    first, second = pd.read_csv(mine / "questions.csv")["candidate_2"][:2]
    for style in STYLES:
        path = mine / "scripts" / f"{style}.json"
        content = json.loads(path.read_text(encoding="utf-8"))
        del content["scripts"][first], content["scripts"][second]
        path.write_text(json.dumps(content), encoding="utf-8")
    given = {"dataset": str(mine), "checkpoint": str(tiny_checkpoint), "preset": "reference"}
    run(project, "10_embeddings", given)
    run(project, "20_scores", {**given, "resamples": 200})
    run(project, "30_smoothing", {**given, "resamples": 200})
    run(project, "40_examples", given)
    parameters = results.read_table("smoothing_curve").attrs["provenance"]["parameters"]
    assert parameters["options"]["preset"] == "reference"
    example = examples.read_example("example_right")
    assert example.facts["smoothing_width"] == 30 and example.facts["provenance"]["n_total"] == 4
    assert first not in (example.facts["right"], example.facts["wrong"])
    assert example.arrays["right"].shape == example.arrays["right_smoothed"].shape
    assert (example.arrays["right"] != example.arrays["right_smoothed"]).any()
    for stem in ("fig_2_script", "fig_3_method", "fig_7_smoothing"):
        run(project, stem, {})
