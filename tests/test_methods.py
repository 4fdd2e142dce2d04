"""Every method on one question, against plain restatements of what it is said to compute."""

import zlib
from dataclasses import replace
from itertools import permutations
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from actalign import inputs as inputs_module
from actalign import similarity, text
from actalign.dtw import align
from actalign.errors import ActAlignError
from actalign.inputs import Candidate, QuestionInputs
from actalign.methods import METHODS, RANDOM_TRIALS, SHUFFLES, Method, method_named
from actalign.options import options
from actalign.records import Script
from actalign.scoring import label_of, score_question

STEPS = {
    "lob": ("step back", "swing up", "recover"),
    "bol": ("recover", "swing up", "step back"),
    "kick": ("toss", "jump", "swing up", "land"),
}
SCALE, BIAS = 20.0, -5.0


def unit_row(vector: NDArray[Any]) -> NDArray[np.float64]:
    return np.asarray(vector, dtype=np.float64) / np.linalg.norm(np.asarray(vector, dtype=np.float64))


@pytest.fixture
def inputs(rng: np.random.Generator) -> QuestionInputs:
    candidates = tuple(
        Candidate(name, (f"{name} one", f"{name} two"), "tennis", Script(name, "tennis", steps), steps)
        for name, steps in STEPS.items()
    )
    plain = {step for steps in STEPS.values() for step in steps} | {n for c in candidates for n in c.names}
    sentences = sorted(plain) + [text.in_sport(sentence, "tennis") for sentence in sorted(plain)]
    texts = {sentence: rng.normal(size=6) for sentence in sentences}
    labels = tuple(np.repeat(STEPS["kick"], 5).tolist())
    frames = rng.normal(size=(20, 6))  # float64, so that a product is exact to about 1e-15
    return QuestionInputs("clip", frames, candidates, texts, options(), labels, SCALE, BIAS, seed=3)


def settled(inputs: QuestionInputs, name: str, **overrides: Any) -> QuestionInputs:
    return replace(inputs, options=METHODS[name].settle(options(validated_width=5, **overrides)))


def affinities(inputs: QuestionInputs, *, context: bool, width: int | None) -> list[NDArray[np.float64]]:
    """Eq. 7-9 step by step."""
    frames = inputs.frames_td if width is None else similarity.smooth(inputs.frames_td, width)
    matrices = []
    for steps in STEPS.values():
        worded = [text.in_sport(step, "tennis") if context else step for step in steps]
        texts = np.stack([inputs.texts[sentence] for sentence in worded])
        matrices.append(similarity.affinity(similarity.cosine(texts, frames), scale=SCALE, bias=BIAS))
    return matrices


@pytest.mark.parametrize(
    ("name", "context", "width"),
    [
        ("dtw", False, None),
        ("dtw_context", True, None),
        ("dtw_context_smoothing", True, 30),
        ("dtw_context_smoothing_validated", True, 5),
    ],
)
def test_dtw_rows_add_one_choice_at_a_time(inputs: QuestionInputs, name: str, context: bool, width: int | None) -> None:
    expected = [align(matrix).score for matrix in affinities(inputs, context=context, width=width)]
    result = score_question(name, settled(inputs, name))
    assert result.dtype == np.float64
    np.testing.assert_allclose(result, expected, rtol=1e-12)


def test_raw_cosine_leaves_out_equation_9(inputs: QuestionInputs) -> None:
    plain = replace(inputs, scale=None, bias=None)
    result = score_question("dtw_context_cosine", settled(plain, "dtw_context_cosine"))
    sentences = [[text.in_sport(step, "tennis") for step in steps] for steps in STEPS.values()]
    texts = [np.stack([inputs.texts[sentence] for sentence in worded]) for worded in sentences]
    expected = [align(similarity.cosine(rows, inputs.frames_td)).score for rows in texts]
    np.testing.assert_allclose(result, expected, rtol=1e-12)


def test_affinity_without_a_calibration_raises(inputs: QuestionInputs) -> None:
    with pytest.raises(ActAlignError, match=r"scale=encoder\.scale"):
        score_question("dtw", settled(replace(inputs, scale=None, bias=None), "dtw"))
    for one in (replace(inputs, scale=None), replace(inputs, bias=None)):
        with pytest.raises(ActAlignError, match=r"bias=encoder\.bias"):
            score_question("dtw", settled(one, "dtw"))


def test_randomness_is_the_same_in_every_process(inputs: QuestionInputs) -> None:
    expected = np.random.default_rng([inputs.seed, 2, zlib.crc32(b"kick")]).random(4)
    np.testing.assert_array_equal(inputs.generator(2, "kick").random(4), expected)


def test_a_step_is_in_the_sport_of_its_script(inputs: QuestionInputs) -> None:
    candidate = replace(inputs.candidates[0], sport="padel")
    chosen = METHODS["dtw_context"].settle(options())
    worded = [inputs_module.steps(one, chosen) for one in (candidate, inputs.candidates[0])]
    assert worded[0] == worded[1]


def test_order_free_rows_by_plain_loops(inputs: QuestionInputs) -> None:
    matrices = affinities(inputs, context=True, width=None)
    per_step = [np.mean([max(row) for row in matrix]) for matrix in matrices]
    per_frame = [np.mean([max(column) for column in matrix.T]) for matrix in matrices]
    name = "order_free_max_per_step"
    np.testing.assert_allclose(score_question(name, settled(inputs, name)), per_step, rtol=1e-12)
    name = "order_free_max_per_frame"
    np.testing.assert_allclose(score_question(name, settled(inputs, name)), per_frame, rtol=1e-12)


@pytest.mark.parametrize("name", ["order_free_max_per_step", "order_free_max_per_frame", "mean_pool_steps"])
@pytest.mark.parametrize("seed", range(5))
def test_scripts_that_differ_by_order_alone_tie_exactly(inputs: QuestionInputs, name: str, seed: int) -> None:
    """Otherwise rounding decides, and argmax gives points for nothing."""
    generator = np.random.default_rng(seed)
    texts = {sentence: generator.normal(size=6).astype(np.float32) for sentence in inputs.texts}
    kick = inputs.candidates[2]
    orders = list(permutations(STEPS["kick"]))
    candidates = tuple(replace(kick, script=Script("kick", "tennis", steps)) for steps in orders)
    changed = replace(inputs, texts=texts, candidates=(inputs.candidates[0], *candidates))
    scores = score_question(name, settled(changed, name))
    assert len(set(scores[1:].tolist())) == 1
    assert scores[0] != scores[1]


def test_order_matters_to_dtw(inputs: QuestionInputs) -> None:
    scores = score_question("dtw", settled(inputs, "dtw"))
    assert scores[0] != scores[1]


@pytest.mark.parametrize("frames", ["normalised", "raw"])
@pytest.mark.parametrize("draw", [0, 1])
def test_mean_pool_against_the_class_name(inputs: QuestionInputs, frames: str, draw: int) -> None:
    rows = np.stack([unit_row(row) for row in inputs.frames_td]) if frames == "normalised" else inputs.frames_td
    pooled = unit_row(rows.astype(np.float64).mean(axis=0))
    for name, suffix in (("mean_pool_name", ""), ("mean_pool_name_in_sport", " in tennis")):
        expected = [pooled @ unit_row(inputs.texts[c.names[draw] + suffix]) for c in inputs.candidates]
        result = score_question(name, settled(inputs, name, mean_pool_frames=frames), draw=draw)
        np.testing.assert_allclose(result, expected, rtol=1e-6)


def test_a_class_with_fewer_names_repeats_them(inputs: QuestionInputs) -> None:
    single = replace(inputs.candidates[0], names=("lob one",))
    changed = settled(replace(inputs, candidates=(single, *inputs.candidates[1:])), "mean_pool_name")
    first, second = (score_question("mean_pool_name", changed, draw=draw) for draw in (0, 1))
    assert first[0] == second[0]
    assert first[1] != second[1]
    third = score_question("mean_pool_name", changed, draw=2)
    assert third.tolist() == first.tolist(), "in turn: of two names the third draw has the first"


def test_frobenius_keeps_unequal_row_lengths(inputs: QuestionInputs) -> None:
    inputs = replace(inputs, texts={sentence: row.astype(np.float32) for sentence, row in inputs.texts.items()})
    matrix = np.stack([inputs.texts[c.names[0]] for c in inputs.candidates]).astype(np.float64)
    pooled = unit_row(np.stack([unit_row(row) for row in inputs.frames_td]).mean(axis=0))
    expected = matrix @ pooled / np.sqrt((matrix**2).sum())
    changed = settled(inputs, "mean_pool_name", class_name_normalisation="frobenius")
    result = score_question("mean_pool_name", changed)
    np.testing.assert_allclose(result, expected, rtol=1e-12)
    assert not np.allclose(result, score_question("mean_pool_name", settled(inputs, "mean_pool_name")))


def test_mean_pool_against_the_mean_step(inputs: QuestionInputs) -> None:
    pooled = unit_row(np.stack([unit_row(row) for row in inputs.frames_td]).mean(axis=0))
    expected = []
    for steps in STEPS.values():
        rows = [unit_row(inputs.texts[text.in_sport(step, "tennis")]) for step in steps]
        expected.append(pooled @ unit_row(np.mean(rows, axis=0)))
    result = score_question("mean_pool_steps", settled(inputs, "mean_pool_steps"))
    np.testing.assert_allclose(result, expected, rtol=1e-12)


def test_shuffled_scripts_are_reproducible_permutations(inputs: QuestionInputs) -> None:
    changed = settled(inputs, "dtw_context_shuffled")
    evidence = METHODS["dtw_context_shuffled"].evidence
    orders = set()
    for draw in range(SHUFFLES):
        shuffled = evidence(changed, draw)
        again = evidence(changed, draw).scripts
        for rows, original, repeated in zip(shuffled.scripts, changed.evidence.scripts, again, strict=True):
            np.testing.assert_array_equal(rows, repeated)
            assert sorted(rows) == sorted(original)
        np.testing.assert_array_equal(shuffled.values_nt, changed.evidence.values_nt)
        orders.add(tuple(shuffled.scripts[2]))
    assert len(orders) > SHUFFLES // 2

    def order(draw: int, place: int) -> list[int]:
        rows = changed.evidence.scripts[place].tolist()
        return [rows.index(row) for row in evidence(changed, draw).scripts[place]]

    assert any(order(draw, 0) != order(draw, 1) for draw in range(SHUFFLES)), "each class has shuffles of its own"
    other = replace(changed, seed=4)
    pairs = [(evidence(other, draw), evidence(changed, draw)) for draw in range(2)]
    assert any(not np.array_equal(a, b) for one, two in pairs for a, b in zip(one.scripts, two.scripts, strict=True))


def test_random_depends_on_seed_draw_and_clip_alone(inputs: QuestionInputs) -> None:
    assert METHODS["random"].draws == RANDOM_TRIALS
    first = score_question("random", inputs)
    np.testing.assert_array_equal(first, score_question("random", replace(inputs, frames_td=-inputs.frames_td)))
    for other in (replace(inputs, seed=4), replace(inputs, clip_id="another")):
        assert not np.array_equal(first, score_question("random", other))
    assert not np.array_equal(first, score_question("random", inputs, draw=1))


def test_the_oracle_reads_labels_and_finds_the_class(inputs: QuestionInputs) -> None:
    scores = score_question("oracle", replace(inputs, frames_td=np.ones((20, 2))))
    assert scores.argmax() == 2
    assert scores[2] == 1.0


def test_the_oracle_says_what_it_lacks(inputs: QuestionInputs) -> None:
    with pytest.raises(ActAlignError, match="no frame labels"):
        score_question("oracle", replace(inputs, labels=()))
    with pytest.raises(ActAlignError, match=r"19 frame labels but 20 frame embeddings"):
        score_question("oracle", replace(inputs, labels=inputs.labels[:-1]))
    with pytest.raises(ActAlignError, match=r"21 frame labels but 20 frame embeddings"):
        score_question("oracle", replace(inputs, labels=(*inputs.labels, "land")))
    unknown = replace(inputs.candidates[0], step_ids=())
    with pytest.raises(ActAlignError, match=r"'lob' is not in class_steps\.json"):
        score_question("oracle", replace(inputs, candidates=(unknown, *inputs.candidates[1:])))


@pytest.mark.parametrize("stage", ["before_norm", "after_norm"])
@pytest.mark.parametrize("window", ["printed", "exact"])
def test_smoothing_stage_and_window_say_what_is_averaged(inputs: QuestionInputs, stage: str, window: Any) -> None:
    changed = settled(
        inputs, "dtw_context_smoothing", smoothing_stage=stage, smoothing_window=window, smoothing_width=6
    )
    rows = inputs.frames_td if stage == "before_norm" else np.stack([unit_row(row) for row in inputs.frames_td])
    smoothed = similarity.smooth(rows, 6, window=window)
    for matrix, steps in zip(changed.matrices, STEPS.values(), strict=True):
        texts = np.stack([inputs.texts[text.in_sport(step, "tennis")] for step in steps])
        expected = similarity.affinity(similarity.cosine(texts, smoothed), scale=SCALE, bias=BIAS)
        np.testing.assert_allclose(matrix, expected, rtol=1e-12)


def test_released_padding_loses_a_frame(inputs: QuestionInputs) -> None:
    changed = settled(inputs, "dtw_context_smoothing", smoothing_padding="released", smoothing_width=6)
    assert {matrix.shape[1] for matrix in changed.matrices} == {19}


def test_released_wording_names_the_class(inputs: QuestionInputs) -> None:
    lob = inputs.candidates[0]
    worded = METHODS["dtw_context"].wording(lob, options("reference"))
    assert worded[0] == "This is a video of doing lob one in tennis with step back"
    assert METHODS["dtw"].wording(lob, METHODS["dtw"].settle(options("reference"))) == STEPS["lob"]


def test_inputs_are_not_modified(inputs: QuestionInputs) -> None:
    frames = inputs.frames_td.copy()
    texts = {sentence: vector.copy() for sentence, vector in inputs.texts.items()}
    for name, method in METHODS.items():
        score_question(method, settled(inputs, name))
    np.testing.assert_array_equal(inputs.frames_td, frames)
    for sentence, vector in inputs.texts.items():
        np.testing.assert_array_equal(vector, texts[sentence])


def test_a_text_without_embedding_is_named(inputs: QuestionInputs) -> None:
    texts = {sentence: vector for sentence, vector in inputs.texts.items() if sentence != "swing up"}
    with pytest.raises(ActAlignError, match=r"'clip': no embedding of the text 'swing up'"):
        score_question("dtw", settled(replace(inputs, texts=texts), "dtw"))


def test_validated_smoothing_needs_a_width() -> None:
    with pytest.raises(ActAlignError, match="choose_smoothing_width"):
        METHODS["dtw_context_smoothing_validated"].settle(options())


def test_unknown_method_lists_the_known() -> None:
    with pytest.raises(ActAlignError, match=r"'dwt' is unknown.*'dtw_context'"):
        method_named("dwt")


def test_the_names_are_those_promised() -> None:
    assert list(METHODS) == [
        "random", "mean_pool_name", "mean_pool_name_in_sport", "mean_pool_steps", "order_free_max_per_step",
        "order_free_max_per_frame", "dtw", "dtw_context", "dtw_context_smoothing", "dtw_context_smoothing_validated",
        "dtw_context_cosine", "dtw_context_shuffled", "oracle",
    ]  # fmt: skip
    assert len({method.label for method in METHODS.values()}) == len(METHODS)


def test_a_method_of_ones_own_smooths_only_where_it_says_so() -> None:
    full = METHODS["dtw_context_smoothing"]
    own = Method("mine", "Mine", "script", full.evidence, full.summary, wording=full.wording)
    assert own.settle(options()).smoothing_width is None and full.settle(options()).smoothing_width == 30


def test_labels_own_up_to_changed_options() -> None:
    smoothing = METHODS["dtw_context_smoothing"]
    assert label_of(smoothing, options(smoothing_width=5)) == "DTW + context + smoothing (w = 5)"
    assert label_of(smoothing, options("reference")) == "DTW + context + smoothing (off) [reference]"
    assert label_of(METHODS["dtw"], options(affinity_scale=5.0, affinity_bias=-1.25)) == (
        "DTW [affinity_scale=5, affinity_bias=-1.25]"
    )
    worded = options(text_template="released")
    assert label_of(METHODS["dtw_context"], worded) == "DTW + context [text_template=released]"
    assert label_of(METHODS["dtw"], worded) == "DTW", "which leaves the context out"
    assert label_of(METHODS["dtw"], options(text_template="step")) == "DTW", "as it does without being asked"
    assert label_of(METHODS["dtw"], options("reference", text_template="step")) == "DTW [reference]"
    assert label_of(METHODS["dtw_context"], options("reference", text_template="in_sport")) == (
        "DTW + context [reference, text_template=in_sport]"
    ), "the paper's wording is a change there"
    assert label_of(smoothing, options(smoothing_stage="after_norm")) == (
        "DTW + context + smoothing (w = 30) [smoothing_stage=after_norm]"
    )
    assert label_of(METHODS["dtw_context_cosine"], options(similarity="cosine")) == "DTW + context, raw cosine"
    validated = METHODS["dtw_context_smoothing_validated"]
    assert label_of(validated, options(validated_width=3)) == "DTW + context + validated smoothing (w = 3)"


def test_a_seed_that_is_no_count_is_refused(inputs: QuestionInputs) -> None:
    with pytest.raises(ActAlignError, match="seed is -1; give a whole number of 0 or more"):
        replace(inputs, seed=-1).generator(0, "random")
