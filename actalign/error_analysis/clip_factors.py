"""A data set as a table of what may explain each clip's outcome: one row per clip."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from actalign import dtw
from actalign.error_analysis.criteria import (
    RELATIONS,
    Reading,
    contested_similarity,
    least_contrast,
    onset,
    readable,
    relation,
    single_frame_share,
    vertical_moves,
)
from actalign.errors import ActAlignError
from actalign.examples import best_wrong
from actalign.inputs import QuestionInputs, steps
from actalign.methods import Method, method_named
from actalign.options import Options
from actalign.questions import clip_of, question_inputs, require_one_encoder
from actalign.records import Dataset, FrameEmbeddings, Question
from actalign.scoring import label_of, score_question

SATURATED_HIGH, SATURATED_LOW = 0.99, 0.001
"""Affinities (Eq. 9) beyond these are called saturated: there the sigmoid is almost flat."""


def clip_factors(
    dataset: Dataset,
    embeddings: Mapping[str, FrameEmbeddings],
    texts: Mapping[str, NDArray[Any]],
    *,
    method: str,
    style: str,
    options: Options,
    scale: float | None = None,
    bias: float | None = None,
    truncated: Collection[str] = (),
) -> pd.DataFrame:
    """Outcome, sizes and criteria of every clip with a label, embeddings, two candidates or more and a script of one.

    A candidate without a script is never chosen and keeps its place; what cannot be measured without it is NaN.

    Args:
        dataset: usually one split, ``load("sample").split("test")``.
        embeddings: clip id to frame embeddings, loaded one clip at a time.
        texts: text to (d,) embedding, for all of ``questions.text_groups``.
        method: one that reads scripts and runs once. If it does not align, what is measured of paths is measured of
            those that DTW takes through the method's matrices, and cannot have led it astray.
        options: with ``missing_script="skip"`` where scripts are missing. Every clip keeps its own frames here, also
            under ``failed_clips="shift_rows"``: what a path shows of another clip's frames explains nothing.
        scale, bias: the checkpoint's, for Eq. 9.
        truncated: the texts whose ends the encoder does not see, from ``encoder.truncated``.

    Returns:
        Columns method, label, style, clip_id, family, sport, subset; answer, predicted (classes; the best wrong one
        if the answer is not alone on top), rival (the best wrong class), right, tied, score, rival_score, margin
        (score minus rival_score), lead (best minus second best score); steps, steps_predicted (K), frames (T),
        seconds, path, path_predicted (P), vertical_moves, vertical_moves_predicted, saturated_high, saturated_low,
        saturated (shares of affinities); the criteria unreadable, truncated (counts), text_similarity, onset
        (all four over answer and rival), step_contrast (answer), single_frame_steps (predicted); relation
        (of predicted to answer, "right" where they are one) and ``offered: <relation>``, wrong candidates of each
        that have a script.

    Raises:
        ActAlignError: a method that reads no scripts or runs several draws, or no clip to measure.
    """
    chosen = method_named(method)
    if not chosen.needs_script or chosen.draws != 1:
        raise ActAlignError(
            f"method {method!r} has no one path per candidate; choose one that reads scripts and runs once, "
            "such as 'dtw_context'"
        )
    require_one_encoder(embeddings, texts)
    names = {"method": method, "label": label_of(chosen, options), "style": style}
    rows = []
    for question in dataset.questions:
        if question.answer is None or question.clip_id not in embeddings or len(question.candidates) < 2:
            continue
        frames = embeddings[question.clip_id]
        inputs = question_inputs(
            dataset, question, {question.clip_id: frames}, texts=texts, method=chosen, style=style, options=options,
            scale=scale, bias=bias,
        )  # fmt: skip
        if inputs.candidates:
            clip = clip_of(dataset, question)
            kinds = {"clip_id": clip.id, "family": clip.family, "sport": clip.sport, "subset": clip.subset}
            rows.append(names | kinds | _row(dataset, question, inputs, method=chosen, truncated=truncated))
            rows[-1]["seconds"] = frames.seconds
    if not rows:
        raise ActAlignError(
            f"data set {dataset.name!r} has no clip with a label, embeddings, two candidates or more and a script of "
            f"style {style!r}, so that none is right or wrong; fill in the answers in questions.csv, or write scripts"
        )
    return pd.DataFrame(rows)


def readings(inputs: QuestionInputs) -> dict[str, Reading]:
    """Class name -> the candidate as it was read, for every candidate that has a script."""
    read = {}
    for candidate, matrix in zip(inputs.candidates, inputs.matrices, strict=True):
        wording = steps(candidate, inputs.options)
        read[candidate.class_name] = Reading(
            wording, inputs.vectors(inputs.script_texts(candidate)), matrix, dtw.align(matrix)
        )
    return read


def _row(
    dataset: Dataset, question: Question, inputs: QuestionInputs, *, method: Method, truncated: Collection[str]
) -> dict[str, Any]:
    assert question.answer is not None
    by_class = dict(zip((each.class_name for each in inputs.candidates), score_question(method, inputs), strict=True))
    scores = np.array([by_class.get(name, -np.inf) for name in question.candidates])
    rival = question.candidates[best_wrong(scores, question.answer)]
    score, rival_score = float(scores[question.answer]), float(by_class.get(rival, -np.inf))
    right = score > rival_score
    predicted = question.truth if right else rival
    second, best = np.sort(scores)[-2:]
    read = readings(inputs)
    return {
        "answer": question.truth, "predicted": predicted, "rival": rival, "right": right, "tied": score == rival_score,
        "score": _finite(score), "rival_score": _finite(rival_score), "margin": _finite(score) - _finite(rival_score),
        "lead": _finite(float(best)) - _finite(float(second)),
        **_sizes(read.get(question.truth), ""), **_sizes(read[predicted], "_predicted"),
        "frames": len(inputs.frames_td), **_saturation(inputs),
        "unreadable": sum(name not in read or not _readable(dataset, name) for name in (question.truth, rival)),
        "truncated": sum(text in truncated for name in (question.truth, rival) if name in read
                         for text in read[name].texts),
        **_criteria(read.get(question.truth), read.get(rival), read[predicted]),
        **_relations(dataset, question, inputs, predicted=predicted),
    }  # fmt: skip


def _criteria(answer: Reading | None, rival: Reading | None, predicted: Reading) -> dict[str, float]:
    return {
        "text_similarity": contested_similarity(answer, rival) if answer and rival else np.nan,
        "step_contrast": least_contrast(answer.affinity_kt) if answer else np.nan,
        "onset": onset(np.concatenate([answer.affinity_kt, rival.affinity_kt])) if answer and rival else np.nan,
        "single_frame_steps": single_frame_share(predicted.alignment),
    }


def _sizes(reading: Reading | None, ending: str) -> dict[str, float]:
    """K, P and vertical moves; NaN for a candidate without a script."""
    return {
        f"steps{ending}": len(reading.texts) if reading else np.nan,
        f"path{ending}": len(reading.alignment.path) if reading else np.nan,
        f"vertical_moves{ending}": vertical_moves(reading.alignment) if reading else np.nan,
    }


def _saturation(inputs: QuestionInputs) -> dict[str, float]:
    """Over every distinct step of the candidates and every frame; NaN for cosines, which no sigmoid bounds."""
    if inputs.options.similarity == "cosine":
        return dict.fromkeys(("saturated_high", "saturated_low", "saturated"), np.nan)
    values = inputs.evidence.values_nt
    high, low = float((values > SATURATED_HIGH).mean()), float((values < SATURATED_LOW).mean())
    return {"saturated_high": high, "saturated_low": low, "saturated": high + low}


def _relations(dataset: Dataset, question: Question, inputs: QuestionInputs, *, predicted: str) -> dict[str, Any]:
    """How the wrong candidates' steps differ from the answer's: by true steps where they are known, else by texts."""
    scripts = {each.class_name: each.script.steps for each in inputs.candidates if each.script is not None}
    true = all(name in dataset.class_steps for name in question.candidates)
    listed: Mapping[str, Sequence[str]] = dataset.class_steps if true else scripts
    answer = listed.get(question.truth, ())
    wrong = [name for name in scripts if name != question.truth]  # nothing can be taken for a class without a script
    found = {name: relation(answer, listed[name]) for name in wrong}
    offered = list(found.values())
    return {"relation": found.get(predicted, "right")} | {f"offered: {kind}": offered.count(kind) for kind in RELATIONS}


def _readable(dataset: Dataset, name: str) -> bool:
    return all(map(readable, (name, *dataset.class_names.get(name, ()))))


def _finite(score: float) -> float:
    return score if np.isfinite(score) else float("nan")
