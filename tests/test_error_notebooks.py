"""The error analysis as notebooks: over a few clips of the sample, and over a folder with gaps of every kind."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from project_tree import PROJECT, TEST_CLIPS, shown

from actalign import examples, paths, results
from actalign.dtw import align
from actalign.error_analysis.modes import LABELS, choose_error
from actalign.errors import ActAlignError, LeftOutError
from actalign.notebook import run_notebook
from actalign.sample.classes import families
from actalign.sample.render import plan_clips, write_folder

DRAWINGS = ("table_error_analysis", "fig_error_analysis")


def test_every_wrong_prediction_of_the_tree_has_one_mode(tree: Path, printed: str) -> None:
    assert "50_errors" in printed
    folder = tree / "data" / "results"
    factors = results.read_table("clip_factors", folder=folder)
    scores = results.read_table("scores", folder=folder).query("method == 'dtw_context'")
    assert list(dict.fromkeys(factors["style"])) == ["context_rich", "short_fixed"]
    for style, rows in factors.groupby("style"):
        margins = examples.margins(scores[scores["style"] == style])
        assert len(rows) == TEST_CLIPS
        assert rows.set_index("clip_id")["margin"].to_dict() == pytest.approx(margins.to_dict(), rel=1e-6)
    errors = results.read_table("errors", folder=folder)
    assert len(errors) == (~factors["right"]).sum() and set(errors["mode"]) <= set(LABELS)
    modes = results.read_table("error_modes", folder=folder)
    for style, rows in modes.groupby("style"):
        assert rows["primary"].sum() == (errors["style"] == style).sum() == rows["n_wrong"].iloc[0]
    confusion = results.read_table("confusion", folder=folder)
    assert confusion.groupby("style")["n"].sum().eq(TEST_CLIPS).all()


def test_examples_of_the_tree_follow_their_rule(tree: Path, printed: str) -> None:
    assert "50_errors" in printed
    folder = tree / "data" / "results"
    errors = results.read_table("errors", folder=folder)
    factors = results.read_table("clip_factors", folder=folder).set_index(["style", "clip_id"])
    example = examples.read_example("example_errors", folder=folder)
    found = {(each["style"], each["mode"]): each for each in example.facts["examples"]}
    assert set(found) == set(zip(errors["style"], errors["mode"], strict=True))
    for (style, mode), each in found.items():
        choice = choose_error(errors[errors["style"] == style], mode)
        assert (each["clip_id"], each["rule"]) == (choice.clip_id, choice.rule)
        row = factors.loc[(style, choice.clip_id)]
        for kind, score in (("answer", row["score"]), ("predicted", row["rival_score"])):
            matrix = example.arrays[f"{style}/{mode}/{kind}"]
            assert align(matrix).score == pytest.approx(score, rel=1e-6)
            assert matrix.shape == (len(each[f"{kind}_steps"]), len(example.arrays[f"{style}/{mode}/times_s"]))


# Other data


@pytest.fixture
def project(empty_project: Path) -> Path:
    return empty_project


def run(project: Path, stem: str, **parameters: Any) -> str:
    """Run a notebook; return all that it showed."""
    output = project / "executed" / f"{stem}.ipynb"
    run_notebook(PROJECT / "notebooks" / f"{stem}.ipynb", parameters, output=output)
    return shown(output)


def write_gaps(mine: Path) -> None:
    """8 clips without subsets or true steps: one unreadable, one not labelled, one whose answer has no script."""
    made = [family for family in families(3) if family.sport in ("tennis", "surfing")][:4]
    write_folder(mine, plan_clips(made, 8, split="test"), seed=5, progress=False)
    for name in ("frame_labels.csv", "class_steps.json", "class_names.json", "scripts/context_rich_2.json"):
        (mine / name).unlink()
    (mine / "scripts" / "short_fixed.json").unlink()
    clips = pd.read_csv(mine / "clips.csv")
    clips[["clip_id", "path", "sport"]].to_csv(mine / "clips.csv", index=False)
    (mine / clips.loc[2, "path"]).write_bytes(b"not a video")
    questions = pd.read_csv(mine / "questions.csv").astype({"answer": "Int64"})
    questions.loc[3, "answer"] = pd.NA
    questions.to_csv(mine / "questions.csv", index=False)
    file = mine / "scripts" / "context_rich.json"
    scripts = json.loads(file.read_text(encoding="utf-8"))
    del scripts["scripts"][questions.loc[0, f"candidate_{questions.loc[0, 'answer']}"]]
    file.write_text(json.dumps(scripts), encoding="utf-8")


def test_a_folder_with_gaps_is_analysed_and_one_without_errors_too(project: Path, tiny_checkpoint: Path) -> None:
    mine = project / "mine"
    write_gaps(mine)
    given = {"dataset": str(mine), "checkpoint": str(tiny_checkpoint), "resamples": 100}
    shown = run(project, "50_errors", **given)
    assert "6 of 8 clips; 1 have no label, 1 no embeddings" in shown and "every class has a script: False" in shown
    factors = results.read_table("clip_factors").set_index("clip_id")
    lost = factors.loc["test-00000"]
    assert not lost["right"] and np.isnan(lost["steps"]) and np.isnan(lost["score"]) and lost["unreadable"] == 1
    assert set(factors["style"]) == {"context_rich"} and set(factors["subset"]) == {""}
    errors = results.read_table("errors").set_index("clip_id")
    assert errors.loc["test-00000", "mode"] == "unreadable"
    with pytest.raises(
        ActAlignError, match=r"\['nope'\] are not among the styles analysed; choose one or two of \['con"
    ):
        run(project, "fig_error_analysis", styles=["context_rich", "nope"])
    table, figure = (run(project, stem) for stem in DRAWINGS)
    assert "right predictions are too few to say what is unusual" in table and "There is no subset" in table
    assert "image/png" in figure and {path.suffix for path in paths.FIGURES.glob("fig_error*")} >= {".pdf", ".csv"}
    questions = pd.read_csv(mine / "questions.csv").set_index("clip_id")
    for clip_id, row in factors.iterrows():  # now the answer is what was predicted
        candidates = questions.loc[clip_id].drop("answer").tolist()
        questions.loc[clip_id, "answer"] = candidates.index(row["predicted"]) + 1
    questions.reset_index().astype({"answer": "Int64"}).to_csv(mine / "questions.csv", index=False)
    assert "no prediction is wrong" in run(project, "50_errors", **given, method="dtw_context")
    with pytest.raises(LeftOutError, match="there is no errors: no prediction is wrong"):
        results.read_table("errors")
    with pytest.raises(LeftOutError, match="there is no example_errors: no prediction is wrong"):
        examples.read_example("example_errors")
    table, figure = (run(project, stem) for stem in DRAWINGS)
    assert "No prediction is wrong." in table and "image/png" in figure


def test_a_method_that_has_no_path_is_refused_by_name(project: Path, tiny_checkpoint: Path) -> None:
    mine = project / "mine"
    write_gaps(mine)
    with pytest.raises(Exception, match="choose one that reads scripts and runs once"):
        run(project, "50_errors", dataset=str(mine), checkpoint=str(tiny_checkpoint), method="mean_pool_name")
