"""Which clips figures show, and the files they are drawn from."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from actalign import examples
from actalign.errors import ActAlignError, LeftOutError
from actalign.examples import Example
from actalign.results import leave_out


def score_table(
    margins: dict[str, float], *, style: str = "rich", subsets: dict[str, str] | None = None
) -> pd.DataFrame:
    """Three candidates a clip; the answer, in the middle, beats the better of the others by the margin."""
    rows: list[dict[str, Any]] = []
    for clip, margin in margins.items():
        for candidate, score in enumerate((0.25, 0.5 + margin, 0.5)):
            rows.append({"clip_id": clip, "candidate": candidate, "score": score, "is_answer": candidate == 1})
            rows[-1] |= {"method": "dtw", "style": style, "draw": 0, "subset": (subsets or {}).get(clip, "clean")}
    return pd.DataFrame(rows)


def test_margins_are_the_answer_minus_the_best_wrong_one() -> None:
    scores = score_table({"a": 0.25, "b": -0.125, "lost": np.nan})
    scores.loc[scores["clip_id"] == "lost", "score"] = np.nan
    assert examples.margins(scores).to_dict() == {"a": 0.25, "b": -0.125}
    with pytest.raises(ActAlignError, match="one method, style and draw"):
        examples.margins(pd.concat([scores, scores.assign(draw=1)]))
    with pytest.raises(ActAlignError, match="no clip has scores"):
        examples.margins(scores.assign(score=np.nan))


def test_the_right_clip_has_the_median_margin_of_its_subset() -> None:
    margins = {"a": 0.5, "b": 0.125, "c": 0.25, "d": -0.5, "e": 0.375, "late": 0.3}
    scores = score_table(margins, subsets={"late": "late"})
    choice = examples.choose_right(scores)
    assert choice.clip_id == "c", "the lower of the two in the middle of b, c, e, a"
    assert "subset clean" in choice.rule
    assert examples.choose_right(scores, subset="late").clip_id == "late"
    shuffled = scores.sample(frac=1, random_state=0).reset_index(drop=True)
    assert examples.choose_right(shuffled) == choice, "the order of the table plays no part"


def test_without_a_right_clip_in_the_subset_the_rule_says_so() -> None:
    scores = score_table({"a": 0.5, "b": -0.125})
    assert examples.choose_right(scores, subset="both") == examples.Choice(
        "a", "the clip that is answered right with the median margin"
    )
    wrong = examples.choose_right(score_table({"a": -0.5, "b": -0.125}))
    assert wrong.clip_id == "b" and wrong.rule.startswith("no clip is answered right")


def test_the_vague_clip_is_wrong_with_one_style_and_right_with_the_other() -> None:
    rich = score_table({"a": 0.5, "b": 0.125, "c": 0.25, "d": -0.1, "e": 0.3})
    vague = score_table({"a": -0.3, "b": -0.1, "c": -0.5, "d": -0.2, "e": 0.1}, style="terse")
    choice = examples.choose_vague(vague, rich)  # the median of the rich margins: by the vague ones it would be a
    assert choice.clip_id == "c"
    assert choice.rule == "the clip that the terse script gets wrong and the rich one right with the median margin"
    none = examples.choose_vague(score_table({"a": 0.1, "b": 0.4}, style="terse"), score_table({"a": 0.5, "b": 0.5}))
    assert none.clip_id == "a" and none.rule.startswith("no clip is wrong with the terse script")
    with pytest.raises(ActAlignError, match=r"no clip was scored in both styles \['terse', 'rich'\]"):
        examples.choose_vague(score_table({"x": 0.1}, style="terse"), rich)


def test_a_tie_is_not_right() -> None:
    assert examples.choose_right(score_table({"a": 0.0, "b": 0.25})).clip_id == "b"


def test_a_tie_is_not_wrong() -> None:
    vague, rich = score_table({"a": 0.0, "b": -0.1}, style="terse"), score_table({"a": 0.125, "b": 0.25})
    assert examples.choose_vague(vague, rich).clip_id == "b"


def test_a_clip_whose_answer_no_style_has_a_script_for_is_not_the_one_that_gains() -> None:
    vague = score_table({"a": -np.inf, "b": 0.25}, style="terse")
    assert examples.choose_vague(vague, score_table({"a": -np.inf, "b": 0.125})).clip_id == "b"


def test_the_best_wrong_candidate_is_never_the_answer() -> None:
    scores = np.array([0.5, 0.9, 0.5, -1.0])
    assert examples.best_wrong(scores, answer=1) == 0
    assert examples.best_wrong(scores, answer=0) == 1
    assert examples.best_wrong(np.array([0.5, -np.inf, -np.inf]), answer=0) == 1, "also where no other can win"
    assert scores.tolist() == [0.5, 0.9, 0.5, -1.0]


def test_boundaries_lie_halfway_between_frames_of_two_labels() -> None:
    times = np.array([0.0, 0.1, 0.2, 0.6])
    assert examples.boundaries_s(["a", "b", "b", "a"], times) == (0.05, 0.4)
    assert examples.boundaries_s(["a"] * 4, times) == ()
    with pytest.raises(ActAlignError, match="3 labels for 4 frames"):
        examples.boundaries_s(["a", "b", "c"], times)


def test_thumbnails_average_blocks_and_leave_small_frames_alone(rng: np.random.Generator) -> None:
    small = rng.integers(0, 256, (5, 64, 48, 3), dtype=np.uint8)
    np.testing.assert_array_equal(examples.thumbnails(small), small)
    large = np.zeros((2, 721, 1280, 3), dtype=np.uint8)
    large[:, :, 640:] = 200
    made = examples.thumbnails(iter(large))
    assert made.shape == (2, 72, 128, 3)
    assert made[:, :, :64].max() == 0 and made[:, :, 64:].min() == 200
    with pytest.raises(ActAlignError, match="no frames to show"):
        examples.thumbnails([])


@pytest.fixture
def example() -> Example:
    return Example(
        {"clip_id": "ä", "steps": ["a", "b"]}, {"map": np.eye(2), "frames": np.zeros((1, 2, 2, 3), np.uint8)}
    )


def test_an_example_is_read_as_it_was_written_and_always_the_same_bytes(example: Example, tmp_path: Path) -> None:
    files = []
    for folder in (tmp_path / "first", tmp_path / "second"):
        examples.write_example(example, "demo", folder=folder)
        files.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert files[0] == files[1] and set(files[0]) == {"demo.json", "demo.safetensors"}
    read = examples.read_example("demo", folder=tmp_path / "first")
    assert read.facts == example.facts
    assert {name: array.dtype for name, array in read.arrays.items()} == {"map": np.float64, "frames": np.uint8}
    np.testing.assert_array_equal(read.arrays["map"], np.eye(2))


def test_a_transposed_array_keeps_its_values(tmp_path: Path) -> None:
    examples.write_example(Example({}, {"map": np.arange(6.0).reshape(2, 3).T}), "demo", folder=tmp_path)
    read = examples.read_example("demo", folder=tmp_path)
    np.testing.assert_array_equal(read.arrays["map"], [[0, 3], [1, 4], [2, 5]])


def test_files_that_are_missing_damaged_or_of_two_runs_are_refused(example: Example, tmp_path: Path) -> None:
    with pytest.raises(ActAlignError, match=r"demo\.safetensors is not there; make it with: make figures"):
        examples.read_example("demo", folder=tmp_path)
    path = examples.write_example(example, "demo", folder=tmp_path)
    whole = path.with_suffix(".safetensors").read_bytes()
    path.with_suffix(".safetensors").write_bytes(whole[:20])
    with pytest.raises(ActAlignError, match="is damaged"):
        examples.read_example("demo", folder=tmp_path)
    other = examples.write_example(Example({}, {"map": np.zeros((2, 2))}), "other", folder=tmp_path)
    other.with_suffix(".safetensors").replace(path.with_suffix(".safetensors"))
    with pytest.raises(ActAlignError, match="are not of one run"):
        examples.read_example("demo", folder=tmp_path)
    path.write_text("{")
    with pytest.raises(ActAlignError, match="is damaged"):
        examples.read_example("demo", folder=tmp_path)


def test_what_cannot_be_written_leaves_the_old_example(example: Example, tmp_path: Path) -> None:
    examples.write_example(example, "demo", folder=tmp_path)
    with pytest.raises(ActAlignError, match="not plain JSON"):
        examples.write_example(Example({"score": float("nan")}, {"map": np.ones((1, 1))}), "demo", folder=tmp_path)
    assert examples.read_example("demo", folder=tmp_path).facts == example.facts
    (tmp_path / "file").write_text("")
    with pytest.raises(ActAlignError, match="cannot write"):
        examples.write_example(example, "demo", folder=tmp_path / "file")


def test_what_is_left_out_says_why_and_takes_the_place_of_other_data(example: Example, tmp_path: Path) -> None:
    for stem in ("demo", "other"):
        examples.write_example(example, stem, folder=tmp_path)
    (tmp_path / "demo.csv").write_text("")
    leave_out("demo", "there is one style", folder=tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["demo.json", "other.json", "other.safetensors"]
    with pytest.raises(LeftOutError, match="there is no demo: there is one style"):
        examples.read_example("demo", folder=tmp_path)
    examples.write_example(example, "demo", folder=tmp_path)
    assert examples.read_example("demo", folder=tmp_path).facts == example.facts
