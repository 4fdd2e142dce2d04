"""Every notebook as a source, and every notebook run over a few clips: what it wrote is asserted."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import pytest

import actalign
from actalign import examples, paths, results
from actalign.dtw import align
from actalign.methods import METHODS
from actalign.notebook import PARAMETERS_TAG, check_sources, read_notebook, read_parameters, run_notebook
from actalign.runner import plan
from actalign.sample.classes import families
from actalign.sample.render import plan_clips, write_folder
from actalign.study import LADDER
from actalign.tuning import WIDTHS

PROJECT = Path(actalign.__file__).resolve().parents[1]
NOTEBOOKS = plan(PROJECT / "notebooks")
STEMS = [path.stem for path in NOTEBOOKS]
DRAWING = [stem for stem in STEMS if stem.startswith(("table_", "fig_"))]
STYLES = ["context_rich", "context_rich_2", "short_fixed"]
TEST_CLIPS, VALIDATION_CLIPS = 16, 8
QUIET = {"OMP_NUM_THREADS": "1"}


# Sources


def test_the_notebooks_that_the_project_names_are_there() -> None:
    assert STEMS == [
        "00_quickstart",
        "10_embeddings",
        "20_scores",
        "30_smoothing",
        "40_examples",
        "actionatlas",
        "own_videos",
        "table_2_main_results",
        "table_3_ablation",
        "fig_4_heat_maps",
        "fig_5_tsne",
        "fig_6_vague_scripts",
        "fig_7_smoothing",
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


def command(root: Path, *arguments: str) -> str:
    """Runs ``python -m actalign.runner`` over a tree and returns what it printed."""
    environment = {**os.environ, **QUIET, "ACTALIGN_ROOT": str(root), "PYTHONPATH": str(PROJECT)}
    done = subprocess.run(
        [sys.executable, "-m", "actalign.runner", *arguments],
        cwd=root, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def digests(*folders: Path) -> dict[str, str]:
    files = [path for folder in folders for path in folder.iterdir() if path.is_file()]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory, tiny_checkpoint: Path) -> Path:
    """A project of 16 test and 8 validation clips of 8 families, with a checkpoint of random weights."""
    root = tmp_path_factory.mktemp("notebooks") / "project"
    made = families(3)[::8]
    planned = plan_clips(made, TEST_CLIPS, split="test") + plan_clips(made, VALIDATION_CLIPS, split="validation")
    write_folder(root / "data" / "sample", planned, seed=3, progress=False)
    shutil.copytree(tiny_checkpoint, root / "data" / "sample" / "checkpoint")
    shutil.copytree(PROJECT / "notebooks", root / "notebooks", ignore=shutil.ignore_patterns(".*"))
    return root


@pytest.fixture(scope="module")
def printed(tree: Path) -> str:
    """What the first run over the tree printed; nothing was there before."""
    return command(tree)


@pytest.fixture(scope="module")
def folder(tree: Path, printed: str) -> Path:
    """The result tables of that run."""
    return tree / "data" / "results"


def executed(tree: Path, stem: str) -> str:
    """All text that a notebook showed."""
    notebook = nbformat.read(tree / "data" / "results" / "executed" / f"{stem}.ipynb", as_version=4)
    shown = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return "\n".join(str(output.get("text", "")) + str(output.get("data", "")) for output in shown)


def test_one_command_runs_every_notebook_and_prints_the_main_table(printed: str) -> None:
    lines = printed.splitlines()
    assert [line.split()[2 if line[1] == " " else 1] for line in lines[: len(STEMS)]] == STEMS
    assert [line.split()[0] for line in lines[-len(METHODS) :]] == list(METHODS)


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
        assert row.difference_low <= row.difference <= row.difference_high and 0 < row.mcnemar_p <= 1


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
    assert [list(rows["width"]) for _, rows in curve.groupby("split")] == [list(WIDTHS)] * 2
    validation = curve[curve["split"] == "validation"]
    best = validation.loc[validation["top1"] == validation["top1"].max(), "width"].min()
    assert set(curve.loc[curve["chosen"], "width"]) == {best}
    main = results.read_table("main", folder=folder).set_index("method")
    tested = curve[curve["split"] == "test"].set_index("width")["top1"]
    assert tested[1] == main.loc["dtw_context", "top1"] and tested[30] == main.loc["dtw_context_smoothing", "top1"]
    assert main.loc["dtw_context_smoothing_validated", "label"].endswith(f"(w = {best})")
    assert curve.attrs["provenance"]["parameters"]["frames_per_second"] == pytest.approx(15, rel=1e-3)


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


def test_every_text_of_the_main_style_is_a_point_in_both_panels(folder: Path) -> None:
    points = results.read_table("tsne", folder=folder)
    scripts = json.loads((folder.parent / "sample" / "scripts" / "context_rich.json").read_text())["scripts"]
    wanted = {(script["sport"], step) for script in scripts.values() for step in script["steps"]}
    without, within = (points[points["context"] == name] for name in ("without", "with"))
    assert set(zip(without["sport"], without["text"], strict=True)) == wanted
    assert all(text.endswith(f" in {sport}") for sport, text in zip(within["sport"], within["text"], strict=True))
    assert len(within) == len(without) == len(wanted)
    assert points.groupby("context")["silhouette"].nunique().tolist() == [1, 1]


@pytest.mark.parametrize("stem", DRAWING)
def test_a_drawing_writes_its_figure_with_its_stem_and_a_caption(folder: Path, tree: Path, stem: str) -> None:
    own = {path.name for path in (tree / "figures").iterdir() if path.stem == stem}
    extra = {"table_2_main_results": {".csv", ".md"}, "table_3_ablation": {".csv", ".md"}, "fig_7_smoothing": {".csv"}}
    assert own == {f"{stem}{suffix}" for suffix in {".pdf", ".svg", ".png"} | extra.get(stem, set())}
    shown = executed(tree, stem)
    assert "image/png" in shown and "text/markdown" in shown


def test_the_published_rows_stand_apart_and_say_whose_they_are(folder: Path, tree: Path) -> None:
    table = pd.read_csv(tree / "figures" / "table_2_main_results.csv")
    assert table["data"].tolist() == ["sample"] * len(METHODS) + ["ActionAtlas v1.0"] * 11
    ours, theirs = (tree / "figures" / "table_2_main_results.md").read_text(encoding="utf-8").split("\n\n**", 1)
    assert "30.5 [27.6, 33.6]" in theirs and "30.5 [27.6, 33.6]" not in ours
    assert theirs.startswith("Published (arXiv 2506.22967): ActionAtlas v1.0, another data set**")
    ladder = pd.read_csv(tree / "figures" / "table_3_ablation.csv")
    assert ladder["method"].tolist() == list(LADDER)
    assert ladder["difference"].isna().tolist() == [True, False, False, False]


def test_a_second_run_reuses_everything_and_a_forced_one_gives_the_same_bytes(folder: Path, tree: Path) -> None:
    before = digests(folder, tree / "figures")
    again = command(tree)
    assert again.count("reused") == len(STEMS) and "nothing to write" in again
    command(tree, "--force", "--only", "40_examples", "fig_4_heat_maps", "fig_5_tsne")
    assert digests(folder, tree / "figures") == before


# Other data


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project for ``run_notebook``, so that results go there."""
    for name in ("FIGURES", "DATA", "SAMPLE", "CHECKPOINT", "RESULTS", "CACHE"):
        monkeypatch.setattr(paths, name, tmp_path / getattr(paths, name).relative_to(paths.ROOT))
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    for name, value in QUIET.items():
        monkeypatch.setenv(name, value)
    return tmp_path


def run(project: Path, stem: str, parameters: dict[str, Any]) -> None:
    run_notebook(PROJECT / "notebooks" / f"{stem}.ipynb", parameters, output=project / "executed" / f"{stem}.ipynb")


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
    left = {path.stem for path in paths.RESULTS.iterdir()}
    assert left.isdisjoint({"example_vague", "tsne"}), "what these data cannot give is not left from other data"
