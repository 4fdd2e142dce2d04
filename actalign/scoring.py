"""From a data set and its embeddings to tables of scores: one row per clip, draw and candidate."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from actalign.clip_similarity import ClipSimilarity
from actalign.dtw import Evidence
from actalign.errors import ActAlignError
from actalign.inputs import QuestionInputs
from actalign.methods import Method, method_named
from actalign.options import PRESETS, Options
from actalign.questions import clip_of, question_inputs, require_one_encoder
from actalign.records import Dataset, FrameEmbeddings

QUESTIONS_PER_BATCH = 128  # of one setting: how many questions' evidence is in memory at once


@dataclass(frozen=True)
class Setting:
    """What one table of scores is of: a method or its name, the prompt style if it reads scripts, and the options."""

    method: str | Method
    style: str = ""
    options: Options = field(default_factory=Options)


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
    method = method_named(method)
    return method.summary([method.evidence(inputs, draw)])


def score_dataset(
    dataset: Dataset,
    embeddings: Mapping[str, FrameEmbeddings],
    texts: Mapping[str, NDArray[Any]],
    *,
    method: str | Method,
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
        texts: text to (d,) embedding, for all of ``questions.text_groups``.
        method: a method or its name in ``METHODS``.
        style: the prompt style, for methods that read scripts; others ignore it and leave the column empty.
        options: the paper's choices, or others.
        scale, bias: the checkpoint's, for Eq. 9; ``options.affinity_scale`` and ``affinity_bias`` override them.
        seed: of random trials and shuffles.

    Returns:
        Columns clip_id, family, sport, subset, method, label, style, draw, candidate (position, 0-based), class,
        score, is_answer (nowhere true for a question without a label).

    Raises:
        ActAlignError: an unknown method or style, a missing script, text or clip, or no clip with embeddings.

    >>> from pathlib import Path
    >>> from actalign.records import Clip, Question
    >>> data = Dataset("demo", Path("."), {"a": Clip("a", Path("a.mp4"), sport="tennis")},
    ...                (Question("a", ("lob", "kick"), answer=0),))
    >>> frames = {"a": FrameEmbeddings(np.array([[2.0, 0.0], [3.0, 0.0]]), np.array([0.0, 0.1]))}
    >>> texts = {"lob": np.array([1.0, 0.0]), "kick": np.array([0.0, 1.0])}
    >>> table = score_dataset(data, frames, texts, method="mean_pool_name", options=Options())
    >>> table[["class", "score"]].values.tolist()
    [['lob', 1.0], ['kick', 0.0]]
    """
    setting = Setting(method, style, options)
    return score_settings(dataset, embeddings, texts, settings=[setting], scale=scale, bias=bias, seed=seed)[0]


def score_settings(
    dataset: Dataset,
    embeddings: Mapping[str, FrameEmbeddings],
    texts: Mapping[str, NDArray[Any]],
    *,
    settings: Sequence[Setting],
    scale: float | None = None,
    bias: float | None = None,
    seed: int = 0,
) -> list[pd.DataFrame]:
    """:func:`score_dataset` for many settings at once: the same tables, one per setting, sooner.

    Each clip is read once; what only the calibration, the similarity or the order of steps changes reuses its
    smoothed cosines, and what only the smoothing changes its product of texts and frames.

    Raises:
        ActAlignError: as :func:`score_dataset`; or there are no settings.
    """
    if not settings:
        raise ActAlignError("there are no settings to score; give at least one")
    require_one_encoder(embeddings, texts)
    runs = [_Run(dataset, embeddings, setting) for setting in settings]
    constants = {"texts": texts, "scale": scale, "bias": bias, "seed": seed}
    batch = max(8, QUESTIONS_PER_BATCH // len(runs))
    for start in range(0, len(dataset.questions), batch):
        for place in range(start, min(start + batch, len(dataset.questions))):
            clips: dict[str, FrameEmbeddings] = {}
            products: dict[str, dict[tuple[str, ...], ClipSimilarity]] = {}
            for run in runs:
                source = run.sources[place]
                if source is not None and source not in clips:
                    clips[source] = embeddings[source]
                run.collect(place, clips, products.setdefault(source or "", {}), constants)
        for run in runs:
            run.summarise()
    return [run.table() for run in runs]


class _Run:
    """One setting on its way through the questions: evidence is collected for a batch, then summarised in one call."""

    def __init__(self, dataset: Dataset, embeddings: Mapping[str, FrameEmbeddings], setting: Setting):
        self.method = method_named(setting.method)
        if self.method.needs_script and not setting.style:
            known = list(dataset.scripts)
            raise ActAlignError(f"method {self.method.name!r} reads scripts: pass style=, one of {known}")
        self.style = setting.style if self.method.needs_script else ""
        self.options = setting.options
        self.label = label_of(self.method, setting.options)
        self.sources = _sources(dataset, embeddings, setting.options)
        self._dataset = dataset
        self._evidence: list[Evidence] = []
        self._shapes: list[tuple[int, int, int]] = []  # draws, candidates and scored ones of each question
        self._scores: list[NDArray[np.float64]] = []

    def collect(
        self,
        place: int,
        clips: Mapping[str, FrameEmbeddings],
        products: dict[tuple[str, ...], ClipSimilarity],
        constants: Mapping[str, Any],
    ) -> None:
        question, source = self._dataset.questions[place], self.sources[place]
        names = self._dataset.class_names
        draws = self.method.draws or max(len(names.get(name, ())) or 1 for name in question.candidates)
        scored = 0
        if source is not None:
            inputs = question_inputs(
                self._dataset, question, clips, method=self.method, style=self.style, options=self.options,
                source=source, products=products, **constants,
            )  # fmt: skip
            scored = len(inputs.candidates)
            self._evidence += [self.method.evidence(inputs, draw) for draw in range(draws if scored else 0)]
        self._shapes.append((draws, len(question.candidates), scored))

    def summarise(self) -> None:
        """Turn what was collected into one (draws, candidates) array per question."""
        scores, first = self.method.summary(self._evidence), 0
        for draws, candidates, scored in self._shapes:
            placed = np.full((draws, candidates), -np.inf if scored else np.nan)
            placed[:, :scored] = scores[first : first + draws * scored].reshape(draws, scored)
            first += draws * scored
            self._scores.append(placed)
        self._evidence, self._shapes = [], []

    def table(self) -> pd.DataFrame:
        table = _lay_out(self._dataset, self._scores)
        names = {"method": self.method.name, "label": self.label, "style": self.style}
        for place, (column, value) in enumerate(names.items(), start=4):
            table.insert(place, column, value)
        return table


def label_of(method: Method, options: Options) -> str:
    """The method's label with what its options change, so that no row claims to be what it is not.

    An option that the method fixes is left out: "dtw" never has context, whatever ``text_template`` says.

    >>> label_of(method_named("dtw_context_smoothing"), Options())
    'DTW + context + smoothing (w = 30)'
    >>> label_of(method_named("dtw_context"), Options(text_template="step"))
    'DTW + context [text_template=step]'
    """
    label, settled = method.label, method.settle(options)
    if method.smooths:
        label += " (off)" if settled.smoothing_width is None else f" (w = {settled.smoothing_width})"
    usual = method.settle(replace(PRESETS[options.preset], validated_width=options.validated_width))
    kept = {name: value for name, value in settled.changes().items() if value != getattr(usual, name)}
    changes = {name: value for name, value in kept.items() if not name.endswith("_width")}
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
    known = [-1 if question.answer is None else question.answer for question in dataset.questions]
    answers = np.repeat(known, sizes)
    table["is_answer"] = table["candidate"].to_numpy() == answers
    return table
