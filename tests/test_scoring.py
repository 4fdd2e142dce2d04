"""Scoring a data set: what is looked up, what fails, what shifts, and the width chosen on validation."""

from collections.abc import Callable
from dataclasses import replace
from itertools import chain, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from actalign import scoring, similarity
from actalign.dtw import align
from actalign.embeddings import TextIndex
from actalign.errors import ActAlignError
from actalign.inputs import nothing, steps
from actalign.methods import METHODS
from actalign.metrics import topk_table
from actalign.options import Options, options
from actalign.questions import question_inputs, text_groups, texts_needed
from actalign.records import Clip, Dataset, FrameEmbeddings, Question, Script
from actalign.scoring import Setting, score_dataset, score_settings
from actalign.study import Without
from actalign.text import in_company
from actalign.tuning import best_width, choose_smoothing_width, smoothing_curve

WIDTH = 24
SCALE, BIAS = 30.0, -12.0
STEPS = {"a": ("s1", "s2", "s3"), "b": ("s3", "s2", "s1"), "c": ("s2", "s4"), "d": ("s4", "s1", "s2", "s3")}


def frames_of(rng: np.random.Generator, steps: tuple[str, ...], direction: dict[str, NDArray[Any]]) -> FrameEmbeddings:
    shown = np.repeat([direction[step] for step in steps], 4, axis=0)
    noisy = (shown + 0.1 * rng.normal(size=shown.shape)).astype(np.float32)
    return FrameEmbeddings(noisy, np.arange(len(shown)) / 15)


@pytest.fixture
def world(rng: np.random.Generator) -> tuple[Dataset, dict[str, FrameEmbeddings], dict[str, NDArray[Any]]]:
    """Two sports, four classes each, a clip of every class and split, and embeddings that show the steps."""
    direction = {f"s{i}": 3 * np.eye(WIDTH)[i] for i in range(1, 5)}
    clips, questions, embeddings, labels = {}, [], {}, {}
    scripts = {
        f"{sport}-{c}": Script(f"{sport}-{c}", sport, steps) for sport in ("judo", "golf") for c, steps in STEPS.items()
    }
    for split in ("test", "validation"):
        for turn, (name, script) in enumerate(scripts.items()):
            clip_id = f"{name}-{split}"
            clips[clip_id] = Clip(clip_id, Path("x"), sport=script.sport, family=f"{script.sport}-1", split=split)
            shown = np.roll([f"{script.sport}-{c}" for c in STEPS], turn).tolist()
            questions.append(Question(clip_id, tuple(shown), shown.index(name)))
            embeddings[clip_id] = frames_of(rng, script.steps, direction)
            labels[clip_id] = tuple(np.repeat(script.steps, 4).tolist())
    class_steps = {name: script.steps for name, script in scripts.items()}
    class_names = {name: (f"{name} x", f"{name} y") for name in scripts}
    dataset = Dataset("world", Path("."), clips, tuple(questions), {"plain": scripts}, class_names, labels, class_steps)
    needed = texts_needed(dataset, methods=list(METHODS), styles=["plain"], options=options())
    vectors = {sentence: direction.get(sentence[:2], rng.normal(size=WIDTH)) for sentence in needed}
    return dataset, embeddings, {s: v + 0.05 * rng.normal(size=WIDTH) for s, v in vectors.items()}


World = tuple[Dataset, dict[str, FrameEmbeddings], dict[str, NDArray[Any]]]
Scorer = Callable[..., pd.DataFrame]


@pytest.fixture
def score(world: World) -> Scorer:
    dataset, embeddings, texts = world

    def run(method: str, chosen: Options | None = None, **changes: Any) -> pd.DataFrame:
        data = changes.pop("dataset", dataset.split("test"))
        frames = changes.pop("embeddings", embeddings)
        given: dict[str, Any] = {"style": "plain", "scale": SCALE, "bias": BIAS} | changes
        return score_dataset(data, frames, **{"texts": texts, **given}, method=method, options=chosen or options())

    return run


def test_columns_and_rows(score: Scorer) -> None:
    table = score("dtw_context")
    assert list(table.columns) == [
        "clip_id", "family", "sport", "subset", "method", "label", "style",
        "draw", "candidate", "class", "score", "is_answer",
    ]  # fmt: skip
    assert len(table) == 8 * 4
    assert table.groupby("clip_id")["is_answer"].sum().eq(1).all()
    answers = table[table["is_answer"]]
    assert (answers["clip_id"] == answers["class"] + "-test").all()


def test_every_row_says_what_its_clip_is_of(score: Scorer, world: World) -> None:
    test = world[0].split("test")
    clips = {key: replace(clip, subset=f"{clip.sport} subset") for key, clip in test.clips.items()}
    table = score("dtw", dataset=replace(test, clips=clips))
    for column in ("family", "sport", "subset"):
        assert table[column].tolist() == [getattr(clips[key], column) for key in table["clip_id"]]


@pytest.mark.parametrize(
    "method", ["dtw", "dtw_context", "order_free_max_per_step", "mean_pool_name", "random", "oracle"]
)
def test_a_data_set_is_its_questions_one_by_one(score: Scorer, world: World, method: str) -> None:
    dataset, embeddings, texts = world
    table = score(method, seed=5)
    for question in dataset.split("test").questions:
        inputs = question_inputs(
            dataset, question, embeddings, texts=texts, method=method, style="plain", options=options(),
            scale=SCALE, bias=BIAS, seed=5,
        )  # fmt: skip
        rows = table[table["clip_id"] == question.clip_id]
        for draw, part in rows.groupby("draw"):
            np.testing.assert_array_equal(part["score"], scoring.score_question(method, inputs, draw=draw))
            assert tuple(part["class"]) == question.candidates
            assert part["candidate"].tolist() == [0, 1, 2, 3]
            assert part["is_answer"].to_numpy().nonzero()[0].tolist() == [question.answer]


def test_frames_and_texts_of_two_checkpoints_are_not_scored(world: World) -> None:
    dataset, embeddings, texts = world

    class Index(dict[str, FrameEmbeddings]):
        encoder = "so400m"

    frames = Index(embeddings)
    asked: dict[str, Any] = {"style": "plain", "options": options(), "scale": SCALE, "bias": BIAS}
    ours, theirs = (TextIndex(texts, encoder=name) for name in ("so400m", "base"))
    for index in (frames, Without(frames, [])):
        score_dataset(dataset, index, ours, method="dtw", **asked)
        with pytest.raises(ActAlignError, match="one checkpoint embedded the frames and another the texts"):
            score_dataset(dataset, index, theirs, method="dtw", **asked)
    question = dataset.questions[0]
    with pytest.raises(ActAlignError, match="one checkpoint embedded the frames and another the texts"):
        question_inputs(dataset, question, frames, texts=theirs, method="dtw", **asked)


def test_batches_change_nothing(score: Scorer, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    both = world[0]  # 16 questions, and a batch has 8 at least
    whole = score("dtw_context_shuffled", dataset=both)
    monkeypatch.setattr(scoring, "QUESTIONS_PER_BATCH", 3)
    pd.testing.assert_frame_equal(score("dtw_context_shuffled", dataset=both), whole)


def test_many_settings_at_once_are_the_same_tables(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is shared between settings, and however often a clip is read without."""
    dataset, embeddings, texts = world
    reads: list[str] = []

    class Counting(dict[str, FrameEmbeddings]):
        def __getitem__(self, clip_id: str) -> FrameEmbeddings:
            reads.append(clip_id)
            return super().__getitem__(clip_id)

    chosen = [
        options(validated_width=3), options(smoothing_width=4),
        options(smoothing_width=4, smoothing_stage="after_norm"),
        options(similarity="cosine"), options(text_template="step"), options(affinity_scale=9.0, affinity_bias=1.0),
        options(smoothing_padding="released", smoothing_width=4),
    ]  # fmt: skip
    settings = [Setting(name, "plain", chosen[0]) for name in METHODS]
    settings += [Setting("dtw_context_smoothing", "plain", each) for each in chosen]
    given: dict[str, Any] = {"scale": SCALE, "bias": BIAS, "seed": 2}
    tables = score_settings(dataset.split("test"), Counting(embeddings), texts, settings=settings, **given)
    assert len(reads) == len(set(reads)) == 8
    for setting, table in zip(settings, tables, strict=True):
        alone = score_dataset(
            dataset.split("test"), embeddings, texts,
            method=setting.method, style=setting.style, options=setting.options, **given,
        )  # fmt: skip
        pd.testing.assert_frame_equal(table, alone)
    with pytest.raises(ActAlignError, match="no settings"):
        score_settings(dataset, embeddings, texts, settings=[])


def test_clear_frames_are_recognised_and_order_is_what_tells(score: Scorer) -> None:
    top1 = {name: topk_table(score(name), resamples=1)["top1"].item() for name in ("dtw", "dtw_context", "oracle")}
    assert top1 == {"dtw": 100.0, "dtw_context": 100.0, "oracle": 100.0}
    order_free = topk_table(score("order_free_max_per_step"), resamples=1)
    assert order_free["top1"].item() < 100
    assert order_free["tied"].item() >= 4


@pytest.mark.parametrize("method", list(METHODS))
def test_every_method_scores_every_clip_and_repeats_itself(score: Scorer, method: str) -> None:
    table = score(method, options(validated_width=3))
    assert np.isfinite(table["score"]).all()
    assert table["style"].eq("plain" if METHODS[method].needs_script else "").all()
    pd.testing.assert_frame_equal(table, score(method, options(validated_width=3)))


def test_a_question_without_a_label_has_no_answer(score: Scorer, world: World) -> None:
    first, *others = world[0].split("test").questions
    table = score("dtw", dataset=replace(world[0].split("test"), questions=(replace(first, answer=None), *others)))
    assert not table.loc[table["clip_id"] == first.clip_id, "is_answer"].any() and table["is_answer"].sum() == 7


def test_names_are_drawn_as_often_as_the_class_with_most_has_them(score: Scorer, world: World) -> None:
    fewer = {**world[0].class_names, "judo-b": ("judo-b x",)}
    table = score("mean_pool_name", dataset=replace(world[0].split("test"), class_names=fewer))
    assert table["draw"].nunique() == 2 and len(table) == 2 * 8 * 4
    spread = table[table["class"] == "judo-b"].groupby("clip_id")["score"].agg(np.ptp)
    assert (spread == 0).all(), "it repeats its only name"
    single = {name: names[:1] if "judo" in name else names for name, names in fewer.items()}
    table = score("mean_pool_name", dataset=replace(world[0].split("test"), class_names=single))
    assert table.groupby("sport")["draw"].nunique().to_dict() == {"golf": 2, "judo": 1}, "of the question's own"


def test_draws_are_kept_apart(score: Scorer) -> None:
    assert score("mean_pool_name")["draw"].nunique() == 2
    assert score("random")["draw"].nunique() == METHODS["random"].draws
    assert score("dtw")["draw"].nunique() == 1


def test_seeds_change_only_what_is_random(score: Scorer) -> None:
    assert not score("random", seed=1)["score"].equals(score("random", seed=2)["score"])
    assert not score("dtw_context_shuffled", seed=1)["score"].equals(score("dtw_context_shuffled", seed=2)["score"])
    assert score("dtw", seed=1)["score"].equals(score("dtw", seed=2)["score"])


def test_overridden_calibration_replaces_the_checkpoints(score: Scorer) -> None:
    mine = score("dtw", options(affinity_scale=9.0, affinity_bias=-2.0))
    np.testing.assert_array_equal(mine["score"], score("dtw", scale=9.0, bias=-2.0)["score"])
    assert not mine["score"].equals(score("dtw")["score"])


def test_failed_clips_are_excluded_and_counted(score: Scorer, world: World) -> None:
    kept = {key: value for key, value in world[1].items() if key != "judo-b-test"}
    table = score("dtw", embeddings=kept)
    assert table.loc[table["clip_id"] == "judo-b-test", "score"].isna().all()
    row = topk_table(table, resamples=1).iloc[0]
    assert (row["n"], row["n_total"]) == (7, 8)
    others = table["clip_id"] != "judo-b-test"
    np.testing.assert_array_equal(table.loc[others, "score"], score("dtw").loc[others, "score"])


def test_shift_rows_pairs_questions_with_later_clips(score: Scorer, world: World) -> None:
    dataset, embeddings, _ = world
    order = [question.clip_id for question in dataset.split("test").questions]
    kept = {key: value for key, value in embeddings.items() if key != order[1]}
    shifted = score("dtw", options(failed_clips="shift_rows"), embeddings=kept)
    moved = dict(pairwise(order[1:])) | {order[0]: order[0]}
    expected = score("dtw", embeddings={clip: embeddings[source] for clip, source in moved.items()})
    np.testing.assert_array_equal(shifted["score"], expected["score"])
    assert shifted.loc[shifted["clip_id"] == order[7], "score"].isna().all()
    assert score("oracle", options(failed_clips="shift_rows"), embeddings=kept)["score"].notna().sum() == 7 * 4


def test_settings_that_pair_a_question_with_different_clips_share_nothing(score: Scorer, world: World) -> None:
    dataset, embeddings, texts = world
    kept = {key: value for key, value in embeddings.items() if key != "judo-b-test"}
    chosen = [options(failed_clips=each) for each in ("exclude", "shift_rows")]
    tables = score_settings(
        dataset.split("test"), kept, texts, settings=[Setting("dtw", "plain", each) for each in chosen],
        scale=SCALE, bias=BIAS,
    )  # fmt: skip
    for each, table in zip(chosen, tables, strict=True):
        pd.testing.assert_frame_equal(table, score("dtw", each, embeddings=kept))


def test_shift_rows_without_a_failure_is_exclude(score: Scorer) -> None:
    np.testing.assert_array_equal(score("dtw", options(failed_clips="shift_rows"))["score"], score("dtw")["score"])


class Index(dict[str, FrameEmbeddings]):
    failed: dict[str, str]


def test_a_clip_neither_embedded_nor_failed_is_a_mistake(score: Scorer, world: World) -> None:
    index = Index({key: value for key, value in world[1].items() if key != "judo-b-test"})
    index.failed = {}
    with pytest.raises(ActAlignError, match=r"1 clips, 'judo-b-test' first"):
        score("dtw", embeddings=index)
    index.failed = {"judo-b-test": "truncated"}
    assert score("dtw", embeddings=index)["score"].isna().sum() == 4


@pytest.mark.parametrize("similarity", ["affinity", "cosine"])
def test_a_clip_that_smoothing_leaves_without_frames_is_named(similarity: Any, score: Scorer, world: World) -> None:
    short = FrameEmbeddings(world[1]["judo-b-test"].embeddings[:1], np.zeros(1))
    chosen = options(smoothing_padding="released", smoothing_width=4, similarity=similarity)
    with pytest.raises(ActAlignError, match=r"clip 'judo-b-test': smoothing with width 4 .* leaves none of 1 frames"):
        score("dtw_context_smoothing", chosen, embeddings=world[1] | {"judo-b-test": short})


def test_no_embeddings_or_questions_at_all(score: Scorer, world: World) -> None:
    with pytest.raises(ActAlignError, match="none of the 8 clips"):
        score("dtw", embeddings={})
    with pytest.raises(ActAlignError, match="no questions"):
        score("dtw", dataset=replace(world[0], questions=()))


def without_script(dataset: Dataset, *names: str) -> Dataset:
    kept = {name: script for name, script in dataset.scripts["plain"].items() if name not in names}
    return replace(dataset.split("test"), scripts={"plain": kept})


def test_a_missing_script_is_an_error_that_names_class_and_style(score: Scorer, world: World) -> None:
    broken = without_script(world[0], "judo-c")
    with pytest.raises(ActAlignError, match=r"class 'judo-c' has no script of style 'plain'"):
        score("dtw", dataset=broken)
    assert score("mean_pool_name", dataset=broken)["score"].notna().all()


def test_skip_moves_later_scores_up_one_place(score: Scorer, world: World) -> None:
    whole = score("dtw")
    skipped = score("dtw", options(missing_script="skip"), dataset=without_script(world[0], "judo-c"))
    for question in world[0].split("test").questions:
        before = whole.loc[whole["clip_id"] == question.clip_id, "score"].tolist()
        after = skipped.loc[skipped["clip_id"] == question.clip_id, "score"].tolist()
        if "judo-c" in question.candidates:
            before.pop(question.candidates.index("judo-c"))
            before.append(-np.inf)
        assert after == before


def test_skip_with_no_script_at_all_gives_no_score(score: Scorer, world: World) -> None:
    broken = without_script(world[0], *(f"judo-{c}" for c in STEPS))
    table = score("dtw", options(missing_script="skip"), dataset=broken)
    assert table["score"].isna().sum() == 4 * 4
    row = topk_table(table, resamples=1).iloc[0]
    assert (row["n"], row["n_total"]) == (4, 8)


def test_the_reference_preset_runs_end_to_end(score: Scorer, world: World, rng: np.random.Generator) -> None:
    dataset, embeddings, _ = world
    reference = options("reference", affinity_scale=20.0, affinity_bias=-4.0)
    groups = text_groups(dataset, methods=["dtw_context_smoothing"], styles=["plain"], options=reference)
    assert "This is a video of doing judo-a x in judo with s1" in chain(*groups)
    texts = {in_company(sentence, group): rng.normal(size=WIDTH) for group in groups for sentence in group}
    test = dataset.split("test")
    table = score_dataset(test, embeddings, texts, method="dtw_context_smoothing", style="plain", options=reference)
    question = test.questions[0]
    inputs = question_inputs(
        test, question, embeddings, texts=texts, method="dtw_context_smoothing", style="plain", options=reference
    )
    assert inputs.matrices[0].shape[1] == len(embeddings[question.clip_id])
    assert (inputs.scale, inputs.bias) == (20.0, -4.0)
    assert table["score"].iloc[0] == align(inputs.matrices[0]).score
    assert table["label"].iloc[0] == (
        "DTW + context + smoothing (off) [reference, affinity_scale=20, affinity_bias=-4]"
    )


def test_a_style_is_needed_and_must_exist(score: Scorer, world: World) -> None:
    with pytest.raises(ActAlignError, match=r"'dtw' reads scripts: pass style=, one of \['plain'\]"):
        score("dtw", style="")
    with pytest.raises(ActAlignError, match=r"no scripts of style 'rich'; choose one of \['plain'\]"):
        score("dtw", style="rich")
    with pytest.raises(ActAlignError, match="has no script of style ''"):
        text_groups(world[0], methods=["dtw"], styles=[""], options=options())


def test_texts_needed_are_exactly_the_texts_used(world: World) -> None:
    dataset, embeddings, texts = world
    for method in METHODS:
        chosen = options(validated_width=2)
        needed = texts_needed(dataset, methods=[method], styles=["plain"], options=options())
        assert len(set(needed)) == len(needed)
        given = {sentence: texts[sentence] for sentence in needed}
        arguments: dict[str, Any] = {"method": method, "style": "plain", "options": chosen, "scale": 5.0, "bias": 0.0}
        score_dataset(dataset, embeddings, given, **arguments)
        if needed:
            given.pop(needed[-1])
            with pytest.raises(ActAlignError, match="no embedding of the text"):
                score_dataset(dataset, embeddings, given, **arguments)


def test_text_groups_keep_each_script_together(world: World) -> None:
    groups = text_groups(world[0], methods=["dtw_context", "oracle"], styles=["plain"], options=options())
    assert ("s4 in golf", "s1 in golf", "s2 in golf", "s3 in golf") in groups
    assert len(groups) == 8
    flat = texts_needed(world[0], methods=["dtw_context", "oracle"], styles=["plain"], options=options())
    assert sorted(flat) == sorted({sentence for group in groups for sentence in group})
    own = replace(METHODS["dtw"], name="mine", wording=nothing)
    assert text_groups(world[0], methods=[own], styles=["plain"], options=options()) == ()


def test_class_names_are_no_group(world: World) -> None:
    """In which they would be padded to their longest: the released scripts pad sub-actions alone that way."""
    groups = text_groups(world[0], methods=["mean_pool_name", "dtw"], styles=["plain"], options=options("reference"))
    assert [group for group in groups if isinstance(group, str)][:2] == ["judo-a x", "judo-a y"]
    assert [len(group) for group in groups if not isinstance(group, str)] == [3, 3, 2, 4]


@pytest.mark.parametrize("method", ["dtw", "mean_pool_steps"])
def test_a_text_that_scripts_share_has_in_each_the_padding_of_that_script(
    method: str, world: World, score: Scorer, rng: np.random.Generator
) -> None:
    dataset, embeddings, texts = world
    padded, plain = options(text_padding="longest"), options()
    groups = text_groups(dataset, methods=[method], styles=["plain"], options=plain)
    scripts = [group for group in groups if not isinstance(group, str)]
    own = {in_company(text, group): rng.normal(size=WIDTH) for group in scripts for text in group}
    question = dataset.split("test").questions[0]
    inputs = question_inputs(
        dataset, question, embeddings,
        texts=texts | own, method=method, style="plain", options=padded, scale=5.0, bias=0.0,
    )  # fmt: skip
    for candidate, matrix in zip(inputs.candidates, inputs.matrices, strict=True):
        wording = steps(candidate, inputs.options)
        assert set(wording) & set(chain(*(group for group in scripts if group != wording))), "texts are shared"
        rows = np.stack([own[in_company(text, wording)] for text in wording])
        cosines = similarity.cosine(rows, embeddings[question.clip_id].embeddings)
        np.testing.assert_allclose(matrix, similarity.affinity(cosines, scale=5.0, bias=0.0), rtol=1e-4)
    scored = score(method, padded, texts=texts | own)["score"]
    assert (scored != score(method, plain)["score"]).all()
    assert score(method, plain, texts=texts | own)["score"].equals(score(method, plain)["score"])


def test_texts_that_were_not_padded_as_the_options_say_are_refused(score: Scorer) -> None:
    with pytest.raises(ActAlignError, match=r"no embedding of the text .*text_groups.*group_padding"):
        score("dtw", options(text_padding="longest"))


def test_the_width_is_chosen_on_validation(world: World) -> None:
    dataset, embeddings, texts = world
    settings: dict[str, Any] = {"style": "plain", "options": options(), "scale": SCALE, "bias": BIAS}
    validation = dataset.split("validation")
    curve = smoothing_curve(validation, embeddings, texts, widths=(0, 1, 3, 60), resamples=10, **settings)
    assert curve["width"].tolist() == [0, 1, 3, 60]
    assert curve["split"].eq("validation").all()
    assert curve["top1"].iloc[0] == curve["top1"].iloc[1] > curve["top1"].iloc[3]
    chosen = choose_smoothing_width(validation, embeddings, texts, widths=(60, 3, 1), **settings)
    assert choose_smoothing_width(validation, embeddings, texts, widths=(60, 3), **settings) == 3
    assert chosen == 1  # equals 3 in accuracy, and the smaller of equals is taken
    with pytest.raises(ActAlignError, match="affinity needs the checkpoint's"):
        choose_smoothing_width(validation, embeddings, texts, **(settings | {"scale": None}))
    assert curve["top1"].iloc[1] == curve["top1"].iloc[2]


def test_the_curve_is_the_table_of_each_width_with_this_seed(world: World, score: Scorer) -> None:
    dataset, embeddings, texts = world
    curve = smoothing_curve(
        dataset.split("test"), embeddings, texts, style="plain",
        options=options(similarity="cosine"), widths=(60,), seed=5, resamples=3,
    )  # fmt: skip
    scores = score("dtw_context_smoothing", options(similarity="cosine", smoothing_width=60))
    pd.testing.assert_frame_equal(curve.drop(columns=["split", "width"]), topk_table(scores, seed=5, resamples=3))


def test_the_width_is_never_chosen_on_test(world: World) -> None:
    dataset, embeddings, texts = world
    settings: dict[str, Any] = {"style": "plain", "options": options(), "scale": SCALE, "bias": BIAS}
    for data in (dataset, dataset.split("test")):
        with pytest.raises(ActAlignError, match="test clips"):
            choose_smoothing_width(data, embeddings, texts, **settings)
    with pytest.raises(ActAlignError, match="1 frame or more"):
        choose_smoothing_width(dataset.split("validation"), embeddings, texts, widths=(0, 2), **settings)
    with pytest.raises(ActAlignError, match="one split"):
        smoothing_curve(dataset, embeddings, texts, **settings)
    with pytest.raises(ActAlignError, match="no smoothing widths"):
        smoothing_curve(dataset.split("test"), embeddings, texts, widths=(), **settings)


def test_the_best_width_does_not_depend_on_the_labels_of_the_rows() -> None:
    put_together = pd.concat([pd.DataFrame({"width": [width], "top1": [top1]}) for width, top1 in ((5, 50), (1, 60))])
    assert best_width(put_together) == 1
    assert best_width(put_together.assign(top1_low=np.nan)) == 1, "one family has no interval"


def test_no_width_is_the_best_where_no_clip_was_scored() -> None:
    with pytest.raises(ActAlignError, match="no width has a Top-1"):
        best_width(pd.DataFrame({"width": [1, 5], "top1": [np.nan, np.nan]}))
    assert best_width(pd.DataFrame({"width": [1, 5], "top1": [np.nan, 0.0]})) == 5
