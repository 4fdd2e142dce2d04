"""The nouns refuse what would go wrong later, and say so in a line."""

from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from actalign.errors import ActAlignError
from actalign.records import Alignment, Clip, Dataset, FrameEmbeddings, Question, Script, TextEmbeddings


def _dataset() -> Dataset:
    clips = {
        name: Clip(name, Path(f"{name}.mp4"), sport=sport, split=split)
        for name, sport, split in (("1", "judo", "test"), ("2", "judo", "validation"), ("3", "tennis", "test"))
    }
    questions = tuple(Question(name, candidates=("a", "b"), answer=0) for name in clips)
    scripts = {"terse": {"a": Script("a", sport="judo", steps=("grip",))}}
    return Dataset("mine", Path("here"), clips, questions, scripts=scripts, class_names={"a": ("A",)})


def test_clip_duration() -> None:
    assert Clip("a", Path("a.mp4"), sport="judo", start_s=1.5, end_s=4.0).duration_s == 2.5
    assert Clip("a", Path("a.mp4"), sport="judo", end_s=4.0).duration_s == 4.0
    assert Clip("a", Path("a.mp4"), sport="judo", start_s=1.5).duration_s is None


@pytest.mark.parametrize(
    ("start_s", "end_s", "message"),
    [
        (-0.1, None, "start_s is -0.1"), (2.0, 2.0, "end_s 2.0 is not after"), (None, 0.0, "end_s 0.0 is not after"),
        ("1", None, "start_s is '1'; give seconds"), (None, float("nan"), "end_s is nan; give seconds"),
    ],
)  # fmt: skip
def test_clip_refuses_an_impossible_window(start_s: Any, end_s: float | None, message: str) -> None:
    with pytest.raises(ActAlignError, match=f"clip 'a': {message}"):
        Clip("a", Path("a.mp4"), sport="judo", start_s=start_s, end_s=end_s)


@pytest.mark.parametrize("clip_id", [7, None, "a\udce9"])
def test_clip_refuses_an_id_that_is_no_text(clip_id: Any) -> None:
    with pytest.raises(ActAlignError, match=r"clip id .* is no text"):
        Clip(clip_id, Path("a.mp4"), sport="judo")


def test_clip_takes_a_path_as_text() -> None:
    given: Any = "a.mp4"
    assert Clip("a", given, sport="judo") == Clip("a", Path("a.mp4"), sport="judo")


def test_question_truth() -> None:
    assert Question("a", candidates=("serve", "lob", "smash"), answer=2).truth == "smash"


@pytest.mark.parametrize("answer", [-1, 2])
def test_question_refuses_an_answer_out_of_range(answer: int) -> None:
    with pytest.raises(ActAlignError, match=f"'a': answer {answer} is not one of its 2 candidates"):
        Question("a", candidates=("serve", "lob"), answer=answer)


def test_question_refuses_a_repeated_candidate() -> None:
    with pytest.raises(ActAlignError, match="repeats a candidate"):
        Question("a", candidates=("serve", "serve"), answer=0)


def test_script_steps_are_one_line_each() -> None:
    script = Script("lob", sport="tennis", steps=("step  back\r", "swing\nup "))
    assert script.steps == ("step back", "swing up")


def test_script_counts_its_steps() -> None:
    assert len(Script("lob", sport="tennis", steps=("back", "swing", "watch"))) == 3


@pytest.mark.parametrize("steps", [(), ("swing", ""), (" ",), ("swing", None), (3,)])
def test_script_refuses_no_step_or_an_empty_one(steps: Any) -> None:
    with pytest.raises(ActAlignError, match="'lob' has no steps or an empty step"):
        Script("lob", sport="tennis", steps=steps)


def test_frame_embeddings_become_float32_that_cannot_be_written() -> None:
    frames = FrameEmbeddings(np.ones((3, 4)), np.array([0.0, 0.1, 0.2]))  # type: ignore[arg-type]
    assert frames.embeddings.dtype == np.float32
    assert frames.times_s.dtype == np.float64
    assert len(frames) == 3
    with pytest.raises(ValueError, match="read-only"):
        frames.embeddings[0, 0] = 2.0


def test_frame_embeddings_say_their_shape() -> None:
    frames = FrameEmbeddings(np.ones((3, 4), dtype=np.float32), np.array([0.0, 0.1, 0.25]))
    assert repr(frames) == "FrameEmbeddings(3 frames x 4, 0.00-0.25 s)"


@pytest.mark.parametrize("shape", [(3,), (0, 4), (3, 0), (1, 3, 4)])
def test_frame_embeddings_refuse_what_is_not_a_matrix(shape: tuple[int, ...]) -> None:
    with pytest.raises(ActAlignError, match="non-empty matrix"):
        FrameEmbeddings(np.ones(shape, dtype=np.float32), np.arange(shape[0], dtype=np.float64))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_embeddings_refuse_values_that_are_not_finite(value: float) -> None:
    embeddings = np.ones((3, 4), dtype=np.float32)
    embeddings[1, 2] = value
    with pytest.raises(ActAlignError, match="frame embeddings: 1 of 3 rows hold NaN or inf"):
        FrameEmbeddings(embeddings, np.arange(3.0))
    with pytest.raises(ActAlignError, match="text embeddings: 1 of 3 rows hold NaN or inf"):
        TextEmbeddings(("a", "b", "c"), embeddings)


def test_embeddings_refuse_rows_of_zeros_which_have_no_direction() -> None:
    embeddings = np.eye(3, dtype=np.float32)[:, :2]
    with pytest.raises(ActAlignError, match="frame embeddings: 1 of 3 rows hold NaN or inf, or are all zeros"):
        FrameEmbeddings(embeddings, np.arange(3.0))


@pytest.mark.parametrize("times", [[0.0, 0.1], [0.0, 0.1, 0.2, 0.3]])
def test_frame_embeddings_refuse_another_number_of_times(times: list[float]) -> None:
    with pytest.raises(ActAlignError, match="3 frames but times_s has shape"):
        FrameEmbeddings(np.ones((3, 4), dtype=np.float32), np.array(times))


@pytest.mark.parametrize("times", [[0.0, 0.1, 0.1], [0.2, 0.1, 0.3], [0.0, np.nan, 0.2]])
def test_frame_embeddings_refuse_times_that_do_not_increase(times: list[float]) -> None:
    with pytest.raises(ActAlignError, match="must increase"):
        FrameEmbeddings(np.ones((3, 4), dtype=np.float32), np.array(times))


def test_text_embeddings_say_their_shape() -> None:
    texts = TextEmbeddings(("swing", "stop"), np.ones((2, 4), dtype=np.float32))
    assert len(texts) == 2
    assert repr(texts) == "TextEmbeddings(2 texts x 4, first 'swing')"


def test_text_embeddings_refuse_another_number_of_texts() -> None:
    with pytest.raises(ActAlignError, match="1 texts but 2 embeddings"):
        TextEmbeddings(("swing",), np.ones((2, 4), dtype=np.float32))


def test_alignment_says_its_shape() -> None:
    path = np.array([[0, 0], [0, 1], [1, 2]])
    alignment = Alignment(score=0.5, total=1.5, path=path, step_evidence=np.array([0.25, 1.0]))
    assert repr(alignment) == "Alignment(score=0.5000, 2 sub-actions x 3 frames, path of 3)"


def test_records_are_frozen() -> None:
    clip = Clip("a", Path("a.mp4"), sport="judo")
    with pytest.raises(FrozenInstanceError):
        clip.sport = "tennis"  # type: ignore[misc]


def test_a_split_keeps_its_clips_and_their_questions() -> None:
    test = _dataset().split("test")
    assert list(test.clips) == ["1", "3"]
    assert [question.clip_id for question in test.questions] == ["1", "3"]
    assert test.scripts == _dataset().scripts
    assert test.class_names == {"a": ("A",)}
    assert (test.name, test.root) == ("mine", Path("here"))


def test_a_split_leaves_the_whole_as_it_was() -> None:
    dataset = _dataset()
    dataset.split("validation")
    assert len(dataset.clips) == len(dataset.questions) == 3


def test_an_unknown_split_names_the_known_ones() -> None:
    with pytest.raises(ActAlignError, match=r"no split 'train'; it has \['test', 'validation'\]"):
        _dataset().split("train")


def test_a_dataset_says_its_size() -> None:
    assert repr(_dataset()) == "Dataset('mine': 3 clips, 2 sports, 3 questions)"


def test_the_callers_arrays_stay_their_own() -> None:
    embeddings, times_s = np.ones((2, 3), dtype=np.float32), np.array([0.0, 0.5])
    record = FrameEmbeddings(embeddings, times_s)
    embeddings[0], times_s[0] = 7.0, -1.0
    assert record.embeddings[0, 0] == 1.0 and record.times_s[0] == 0.0


@pytest.mark.parametrize("times_s", [[np.nan], [np.inf]])
def test_times_must_be_finite(times_s: list[float]) -> None:
    with pytest.raises(ActAlignError, match="finite"):
        FrameEmbeddings(np.ones((1, 2), dtype=np.float32), np.array(times_s))


@pytest.mark.parametrize(("start_s", "end_s"), [(np.nan, None), (None, np.inf), (0.0, np.nan)])
def test_a_window_must_be_finite(start_s: float | None, end_s: float | None) -> None:
    with pytest.raises(ActAlignError, match="seconds"):
        Clip("a", Path("a.mp4"), sport="tennis", start_s=start_s, end_s=end_s)


def test_a_plain_string_is_no_script() -> None:
    with pytest.raises(ActAlignError, match="one string"):
        Script("lob", sport="tennis", steps="swing")  # type: ignore[arg-type]
