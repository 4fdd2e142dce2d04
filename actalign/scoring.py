"""From a data set and its embeddings to a table of scores: one row per clip, draw and candidate."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from actalign.errors import ActAlignError
from actalign.inputs import QuestionInputs
from actalign.methods import Method, method_named
from actalign.options import Options
from actalign.questions import clip_of, question_inputs
from actalign.records import Dataset, FrameEmbeddings, Question

QUESTIONS_PER_BATCH = 128  # how many questions' matrices are in memory at once


def score_question(method: str | Method, inputs: QuestionInputs, *, draw: int = 0) -> NDArray[np.float64]:
    """The scores of one question's candidates: (C,) float64, higher is better.

    Args:
        method: a method or its name in ``METHODS``.
        inputs: see ``questions.question_inputs``; their options are used as they are.
        draw: which name, shuffle or trial, for methods that run several.

    >>> from actalign.inputs import Candidate
    >>> candidates = (Candidate("lob", ("lob",), "tennis"), Candidate("kick", ("kick",), "tennis"))
    >>> texts = {"lob": np.array([1.0, 0.0]), "kick": np.array([0.0, 1.0])}
    >>> score_question("mean_pool_name", QuestionInputs("a", np.array([[2.0, 0.0]]), candidates, texts, Options()))
    array([1., 0.])
    """
    method = method_named(method) if isinstance(method, str) else method
    return method.summary(method.evidence(inputs, draw))


def score_dataset(
    dataset: Dataset,
    embeddings: Mapping[str, FrameEmbeddings],
    texts: Mapping[str, NDArray[Any]],
    *,
    method: str,
    style: str = "",
    options: Options,
    scale: float | None = None,
    bias: float | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Score every candidate of every question with one method.

    A clip without embeddings keeps its rows with the score NaN, so that a table can say "n of how many". What
    counts as failed: a clip in ``embeddings.failed``, or one that a plain mapping lacks. With
    ``options.failed_clips="shift_rows"`` the i-th question gets the i-th clip that did not fail, as in the
    released scripts (right only if nothing failed); the last questions, one per failed clip, get no score.

    With ``options.missing_script="skip"`` the scores of the candidates that have a script move up to the first
    places, as in the released scripts, and the last places, one per missing script, get -inf (never chosen). A
    question without any script gets no score.

    Args:
        dataset: usually one split, ``load("sample").split("test")``.
        embeddings: clip id to frame embeddings, loaded one clip at a time.
        texts: text to (d,) embedding, for all of ``questions.texts_needed``.
        method: a name in ``METHODS``.
        style: the prompt style, for methods that read scripts; others ignore it and leave the column empty.
        options: the paper's choices, or others.
        scale, bias: the checkpoint's, for Eq. 9; ``options.affinity_scale`` and ``affinity_bias`` override them.
        seed: of random trials and shuffles.

    Returns:
        Columns clip_id, family, sport, subset, method, label, style, draw, candidate (position, 0-based), class,
        score, is_answer.

    Raises:
        ActAlignError: an unknown method or style, a missing script, text or clip, or no clip with embeddings.
    """
    chosen = method_named(method)
    if chosen.needs_script and not style:
        raise ActAlignError(f"method {method!r} reads scripts: pass style=, one of {list(dataset.scripts)}")
    style = style if chosen.needs_script else ""
    label = label_of(chosen, options)
    settings = {"texts": texts, "style": style, "options": options, "scale": scale, "bias": bias, "seed": seed}
    pairs = list(zip(dataset.questions, _sources(dataset, embeddings, options), strict=True))
    scores: list[NDArray[np.float64]] = []
    for start in range(0, len(pairs), QUESTIONS_PER_BATCH):
        batch = pairs[start : start + QUESTIONS_PER_BATCH]
        scores.extend(_score_batch(dataset, embeddings, batch, method=chosen, settings=settings))
    table = _lay_out(dataset, scores)
    for place, (column, value) in enumerate({"method": method, "label": label, "style": style}.items(), start=4):
        table.insert(place, column, value)
    return table


def label_of(method: Method, options: Options) -> str:
    """The method's label with what its options change, so that no row claims to be what it is not.

    >>> label_of(method_named("dtw_context_smoothing"), Options())
    'DTW + context + smoothing (w = 30)'
    >>> label_of(method_named("dtw_context"), Options(text_template="step"))
    'DTW + context [text_template=step]'
    """
    label = method.label
    if method.smooths:
        width = method.settle(options).smoothing_width
        label += " (off)" if width is None else f" (w = {width})"
    changes = {name: value for name, value in options.changes().items() if not name.endswith("_width")}
    notes: list[str] = [options.preset] if options.preset != "paper" else []
    notes += [f"{name}={value:g}" if isinstance(value, float) else f"{name}={value}" for name, value in changes.items()]
    return f"{label} [{', '.join(notes)}]" if notes else label


def _sources(dataset: Dataset, embeddings: Mapping[str, FrameEmbeddings], options: Options) -> list[str | None]:
    """For each question the clip whose frames it gets, ``None`` for no frames."""
    if not dataset.questions:
        raise ActAlignError(f"data set {dataset.name!r} has no questions to score")
    asked = [question.clip_id for question in dataset.questions]
    kept = [clip for clip in asked if clip in embeddings]
    if hasattr(embeddings, "failed"):
        strangers = [clip for clip in asked if clip not in embeddings and clip not in embeddings.failed]
        if strangers:
            raise ActAlignError(
                f"{len(strangers)} clips, {strangers[0]!r} first, were neither embedded nor failed; "
                "run embed_clips on this data set"
            )
    if not kept:
        raise ActAlignError(f"none of the {len(asked)} clips of {dataset.name!r} has embeddings; run embed_clips first")
    if options.failed_clips == "shift_rows":
        return [*kept, *[None] * (len(asked) - len(kept))]
    return [clip if clip in embeddings else None for clip in asked]


def _score_batch(
    dataset: Dataset,
    embeddings: Mapping[str, FrameEmbeddings],
    batch: Sequence[tuple[Question, str | None]],
    *,
    method: Method,
    settings: Mapping[str, Any],
) -> list[NDArray[np.float64]]:
    """One (draws, candidates) array per question: gather the matrices of all, summarise them in one call."""
    matrices: list[NDArray[Any]] = []
    counts: list[tuple[int, int]] = []  # draws and scored candidates of each question
    for question, source in batch:
        draws = method.draws or max(len(dataset.class_names.get(name, ())) or 1 for name in question.candidates)
        scored = 0
        if source is not None:
            inputs = question_inputs(dataset, question, embeddings, method=method, source=source, **settings)
            scored = len(inputs.candidates)
            matrices += [matrix for draw in range(draws if scored else 0) for matrix in method.evidence(inputs, draw)]
        counts.append((draws, scored))
    scores, first = method.summary(matrices), 0
    result = []
    for (question, _), (draws, scored) in zip(batch, counts, strict=True):
        placed = np.full((draws, len(question.candidates)), -np.inf if scored else np.nan)
        placed[:, :scored] = scores[first : first + draws * scored].reshape(draws, scored)
        first += draws * scored
        result.append(placed)
    return result


def _lay_out(dataset: Dataset, scores: Sequence[NDArray[np.float64]]) -> pd.DataFrame:
    """One row per question, draw and candidate."""
    sizes = [array.size for array in scores]
    clips = [clip_of(dataset, question) for question in dataset.questions]
    by_question = {
        "clip_id": [clip.id for clip in clips],
        "family": [clip.family for clip in clips],
        "sport": [clip.sport for clip in clips],
        "subset": [clip.subset for clip in clips],
    }
    table = pd.DataFrame(by_question).loc[np.repeat(np.arange(len(clips)), sizes)].reset_index(drop=True)
    shapes = list(zip(dataset.questions, (array.shape for array in scores), strict=True))
    table["draw"] = np.concatenate([np.repeat(np.arange(draws), count) for _, (draws, count) in shapes])
    table["candidate"] = np.concatenate([np.tile(np.arange(count), draws) for _, (draws, count) in shapes])
    table["class"] = [name for question, (draws, _) in shapes for name in question.candidates * draws]
    table["score"] = np.concatenate([array.ravel() for array in scores])
    answers = np.repeat([question.answer for question in dataset.questions], sizes)
    table["is_answer"] = table["candidate"].to_numpy() == answers
    return table
