"""From a position of the controls to all that is shown: scores, maps, paths, frames. No widgets.

Products of texts and frames are kept for the clip at hand, so that moving a slider costs only what it changes.
"""

import contextlib
import io
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from actalign import dtw
from actalign.annotate import write_annotated
from actalign.captions import sub_action_spans
from actalign.clip_similarity import ClipSimilarity
from actalign.embeddings import TextEncoder, embed_texts
from actalign.errors import ActAlignError
from actalign.examples import boundaries_s
from actalign.explorer import notes
from actalign.explorer.frames import small_frames
from actalign.explorer.view import VARIANTS, Settings, ShownClass, View, ranked
from actalign.inputs import Candidate, QuestionInputs, steps
from actalign.methods import METHODS
from actalign.options import Options
from actalign.questions import candidates_of
from actalign.records import Clip, Dataset, FrameEmbeddings, Question, Script
from actalign.report import score_text
from actalign.scoring import score_question

PRODUCTS_KEPT = 64


class Checkpoint(TextEncoder, Protocol):
    """What the explorer needs of an encoder: :class:`actalign.encoder.Encoder` has it."""

    @property
    def scale(self) -> float: ...
    @property
    def bias(self) -> float: ...
    def truncated(self, texts: Sequence[str]) -> list[bool]: ...


@dataclass(eq=False)
class _Loaded:
    """One clip with what is kept while it is looked at."""

    clip: Clip
    question: Question
    embeddings: FrameEmbeddings
    frames_thwc: NDArray[np.uint8] | None
    boundaries_s: tuple[float, ...]
    notes: tuple[str, ...]
    products: dict[tuple[str, ...], ClipSimilarity] = field(default_factory=dict)


class Session:
    """A data set with its embeddings, ready to be looked at clip by clip.

    Args:
        dataset: usually one split.
        embeddings: clip id to frame embeddings, as ``embeddings.embed_clips`` gives them.
        encoder: the loaded checkpoint that made them; it embeds the texts.
        frame_rate: the one given to ``embed_clips``.

    Raises:
        ActAlignError: the data set has no scripts, or no clip with both a question and embeddings.

    >>> Session(Dataset("mine", Path("."), {}, ()), {}, None)
    Traceback (most recent call last):
    actalign.errors.ActAlignError: data set 'mine' has no scripts to explore; add scripts/<style>.json
    """

    def __init__(
        self,
        dataset: Dataset,
        embeddings: Mapping[str, FrameEmbeddings],
        encoder: Checkpoint,
        *,
        frame_rate: float | None = None,
    ):
        if not dataset.scripts:
            raise ActAlignError(f"data set {dataset.name!r} has no scripts to explore; add scripts/<style>.json")
        self.dataset, self.encoder = dataset, encoder
        self._embeddings, self._frame_rate = embeddings, frame_rate
        self._questions: dict[str, Question] = {}
        for question in dataset.questions:
            self._questions.setdefault(question.clip_id, question)
        self.clip_ids = tuple(name for name in self._questions if name in dataset.clips and name in embeddings)
        if not self.clip_ids:
            raise ActAlignError(
                f"none of the {len(dataset.clips)} clips of {dataset.name!r} has a question and embeddings; "
                "run embed_clips on this data set"
            )
        self._texts: dict[str, NDArray[Any]] = {}
        self._cut: dict[str, bool] = {}
        self._loaded: _Loaded | None = None

    @property
    def left_out(self) -> str:
        """In a sentence which clips cannot be shown, and why the first cannot; empty if none."""
        absent = [name for name in self._questions if name not in self.clip_ids]
        if not absent:
            return ""
        reason = getattr(self._embeddings, "failed", {}).get(absent[0], "it has no embeddings")
        return f"{len(absent)} of {len(self._questions)} clips are left out; the first, {absent[0]}: {reason}."

    @property
    def sports(self) -> tuple[str, ...]:
        """The sports of the clips, each once, in the order first met."""
        return tuple(dict.fromkeys(self.dataset.clips[name].sport for name in self.clip_ids))

    def clips_of(self, sport: str) -> tuple[Clip, ...]:
        """The clips of one sport."""
        clips = (self.dataset.clips[name] for name in self.clip_ids)
        return tuple(clip for clip in clips if clip.sport == sport)

    def question(self, clip_id: str) -> Question:
        """The question of a clip. Raises ActAlignError, with the reason, for a clip that cannot be shown."""
        if clip_id in self.clip_ids:
            return self._questions[clip_id]
        reason = getattr(self._embeddings, "failed", {}).get(clip_id)
        if reason:
            raise ActAlignError(f"clip {clip_id!r} has no embeddings: {reason}")
        raise ActAlignError(f"clip {clip_id!r} cannot be shown; choose one of the {len(self.clip_ids)} clips such as "
                            f"{self.clip_ids[0]!r}")  # fmt: skip

    def name_of(self, class_name: str) -> str:
        """What people call a class: its first name."""
        return (self.dataset.class_names.get(class_name) or (class_name,))[0]

    def start(self, clip_id: str = "", style: str = "") -> Settings:
        """The paper's settings without smoothing, for a clip (the first) and a style (the first).

        Raises:
            ActAlignError: an unknown clip or style.
        """
        clip_id, style = clip_id or self.clip_ids[0], style or next(iter(self.dataset.scripts))
        question = self.question(clip_id)
        known = [one.script for one in candidates_of(self.dataset, question, style=style) if one.script is not None]
        context = all(script.sport.strip() for script in known)
        return Settings(clip_id, style, scale=self.encoder.scale, bias=self.encoder.bias, context=context)

    def view(self, settings: Settings) -> View:
        """All that is shown for these settings (paper, Eq. 7-13).

        Raises:
            ActAlignError: an unknown clip, style or class; no candidate has a script in this style; texts that cannot
                be worded, or are not as many as the script's steps.
        """
        loaded = self._load(settings.clip_id)
        written, candidates = self._candidates(loaded.question, settings)
        inputs = self._inputs(loaded, settings, candidates)
        scores = score_question(METHODS[VARIANTS[settings.variant].method], inputs)
        truth = None if loaded.question.answer is None else loaded.question.truth
        names = [candidate.class_name for candidate in candidates]
        ranking = ranked([(name, self.name_of(name)) for name in names], scores, answer=truth)
        letters = dict(zip(_shown(settings, ranking), "AB", strict=False))
        ranking["letter"] = [letters.get(name, "") for name in ranking["class"]]
        places = ranking.set_index("class")
        shown, matrices = [], inputs.matrices
        for name, letter in letters.items():
            index = names.index(name)
            matrix, variant = matrices[index], VARIANTS[settings.variant]
            shown.append(
                ShownClass(
                    name, self.name_of(name), letter, _script(candidates[index]).steps, matrix, variant.cells(matrix),
                    score=float(scores[index]), place=places["place"][name], is_answer=name == truth,
                    ordered=variant.ordered,
                )
            )  # fmt: skip
        said = [
            *loaded.notes,
            *notes.without_script(written, style=settings.style, answer=truth),
            *notes.smoothed(settings.width, frame_s=loaded.embeddings.frame_s),
            *notes.edited(written, candidates),
        ]
        for one in candidates:
            if one.class_name in letters:
                said += notes.cut_off(self.name_of(one.class_name), self._cut_off(one, inputs.options))
        return View(
            settings, loaded.clip, ranking, tuple(shown), loaded.embeddings.times_s, loaded.frames_thwc,
            loaded.boundaries_s, tuple(said),
        )  # fmt: skip

    def annotated(self, view: View, folder: Path) -> tuple[bytes, str]:
        """An mp4 of the clip with the steps of map A as captions, and a sentence on what it shows.

        An order-free score has no timeline; the captions are then those of DTW over the same map.

        Raises:
            ActAlignError: the video cannot be read, or the folder cannot be written.
        """
        first = view.shown[0]
        spans = sub_action_spans(dtw.align(first.matrix_kt), times_s=view.times_s, steps=first.steps)
        title = f"{first.name}, score {score_text(first.score)}"
        path = write_annotated(view.clip, spans, folder / "annotated.mp4", title=title, progress=False)
        by = "" if first.ordered else ", timed by DTW over the same map"
        return path.read_bytes(), f"{view.clip.id} with the steps of {first.name}{by}."

    def _load(self, clip_id: str) -> _Loaded:
        if self._loaded is None or self._loaded.clip.id != clip_id:
            question = self.question(clip_id)
            clip, embeddings = self.dataset.clips[clip_id], self._embeddings[clip_id]
            frames, note = small_frames(clip, len(embeddings), frame_rate=self._frame_rate)
            labels = self.dataset.frame_labels.get(clip_id, ())
            known = boundaries_s(labels, embeddings.times_s) if len(labels) == len(embeddings) else ()
            self._loaded = _Loaded(clip, question, embeddings, frames, known, note)
        return self._loaded

    def _candidates(self, question: Question, settings: Settings) -> tuple[tuple[Candidate, ...], list[Candidate]]:
        """All candidates as the data set has them, and those with a script, edited texts in place."""
        written = candidates_of(self.dataset, question, style=settings.style)
        usable = []
        for candidate in written:
            if candidate.script is not None:
                texts = settings.edited.get((settings.style, candidate.class_name), candidate.script.steps)
                if len(texts) != len(candidate.script.steps):
                    raise ActAlignError(
                        f"{len(texts)} edited steps stand in for the {len(candidate.script.steps)} of "
                        f"{candidate.class_name!r} in style {settings.style!r}; give as many as the script has"
                    )
                usable.append(replace(candidate, script=replace(candidate.script, steps=texts)))
        if not usable:
            raise ActAlignError(
                f"no candidate of clip {question.clip_id!r} has a script of style {settings.style!r}; choose another "
                "style, or write the scripts"
            )
        self._embed([one for one in written if one.script is not None], usable, _options(settings))
        return written, usable

    def _inputs(self, loaded: _Loaded, settings: Settings, candidates: Sequence[Candidate]) -> QuestionInputs:
        if len(loaded.products) > PRODUCTS_KEPT:
            loaded.products.clear()
        return QuestionInputs(
            loaded.clip.id, loaded.embeddings.embeddings, tuple(candidates), self._texts, _options(settings),
            scale=settings.scale, bias=settings.bias, products=loaded.products,
        )  # fmt: skip

    def _embed(self, written: Sequence[Candidate], edited: Sequence[Candidate], options: Options) -> None:
        """Make sure every text has an embedding: scripts from the store, typed ones in memory alone."""
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # that a text is cut off is among the notes
            if new := self._unknown(written, options):
                self._texts |= embed_texts(new, self.encoder)
            if typed := self._unknown(edited, options):
                self._texts |= dict(zip(typed, self.encoder.encode_texts(typed).embeddings, strict=True))

    def _unknown(self, candidates: Sequence[Candidate], options: Options) -> list[str]:
        """The texts of candidates that have no embedding yet, each once."""
        texts = (text for candidate in candidates for text in steps(candidate, options))
        return [text for text in dict.fromkeys(texts) if text not in self._texts]

    def _cut_off(self, candidate: Candidate, options: Options) -> list[bool]:
        """Which steps the checkpoint does not read to the end."""
        wording = steps(candidate, options)
        if new := [text for text in wording if text not in self._cut]:
            self._cut |= dict(zip(new, self.encoder.truncated(new), strict=True))
        return [self._cut[text] for text in wording]


def _options(settings: Settings) -> Options:
    return Options(
        smoothing_width=None if settings.width == 1 else settings.width,
        similarity=VARIANTS[settings.variant].similarity,
        text_template="in_sport" if settings.context else "step",
    )


def _script(candidate: Candidate) -> Script:
    assert candidate.script is not None
    return candidate.script


def _shown(settings: Settings, ranking: Any) -> list[str]:
    """The classes on the maps, in order."""
    names = ranking["class"].tolist()
    answer = ranking.loc[ranking["is_answer"], "class"].tolist()
    for wanted in (settings.shown, settings.against):
        if wanted and wanted not in names:
            raise ActAlignError(
                f"class {wanted!r} is no candidate of clip {settings.clip_id!r} with a script; choose one of {names}"
            )
    first = settings.shown or (answer or names)[0]
    others = [name for name in names if name != first]
    if settings.against is None or not others:
        return [first]
    return [first, settings.against if settings.against in others else others[0]]
