"""What a method may look at for one question: frames, candidates and the words that describe them."""

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actalign import similarity, text
from actalign.arrays import as_count
from actalign.clip_similarity import ClipSimilarity, Smoothing
from actalign.dtw import Evidence
from actalign.errors import ActAlignError
from actalign.options import Options
from actalign.records import Script


@dataclass(frozen=True)
class Candidate:
    """One answer to a question: what it is called, its script and, where they are known, its true steps.

    >>> Candidate("lob", names=("lob",), sport="tennis").script is None
    True
    """

    class_name: str
    names: tuple[str, ...]
    sport: str
    script: Script | None = None
    step_ids: tuple[str, ...] = ()


def names(candidate: Candidate, options: Options) -> tuple[str, ...]:
    """The class's names, one per draw."""
    return tuple(text.canonicalise(name) for name in candidate.names)


def names_in_sport(candidate: Candidate, options: Options) -> tuple[str, ...]:
    """The class's names with the sport, one per draw."""
    return tuple(text.in_sport(name, _sport(candidate.sport, candidate)) for name in candidate.names)


def steps(candidate: Candidate, options: Options) -> tuple[str, ...]:
    """The script's sub-actions in order, worded by ``options.text_template``."""
    if candidate.script is None:
        raise ActAlignError(f"class {candidate.class_name!r} has no script; write one or leave the class out")
    if options.text_template == "step":
        return tuple(text.canonicalise(step) for step in candidate.script.steps)
    sport = _sport(candidate.script.sport, candidate)
    if options.text_template == "released":
        return tuple(text.released_template(step, candidate.names[0], sport) for step in candidate.script.steps)
    return tuple(text.in_sport(step, sport) for step in candidate.script.steps)


def _sport(sport: str, candidate: Candidate) -> str:
    if not sport.strip():
        raise ActAlignError(
            f"class {candidate.class_name!r} has no sport to add as context: name one, or leave the context out "
            "(method 'dtw', or options(text_template='step'))"
        )
    return sport


def nothing(candidate: Candidate, options: Options) -> tuple[str, ...]:
    """No text at all."""
    return ()


@dataclass(frozen=True, eq=False)
class QuestionInputs:
    """Everything a method may look at for one clip and its candidates.

    ``frames_td`` (T, d); ``candidates`` in the order shown; ``texts`` is what ``embeddings.embed_texts`` gives;
    ``labels`` (T,) the sub-action id shown in each frame, for the oracle only; ``scale`` and ``bias`` are those
    of Eq. 9. ``products`` keeps what inputs of the same frames and texts can share when only their options
    differ; leave it out otherwise. ``questions.question_inputs`` builds one from a data set.

    >>> frames = np.array([[1.0, 0.0], [0.0, 1.0]])
    >>> lob = Candidate("lob", ("lob",), "tennis", Script("lob", "tennis", ("step back", "swing")))
    >>> texts = {"step back": np.array([1.0, 0.0]), "swing": np.array([0.0, 1.0])}
    >>> options = Options(similarity="cosine", text_template="step", smoothing_width=None)
    >>> QuestionInputs("clip", frames, (lob,), texts, options).matrices[0]
    array([[1., 0.],
           [0., 1.]])
    """

    clip_id: str
    frames_td: NDArray[Any]
    candidates: tuple[Candidate, ...]
    texts: Mapping[str, NDArray[Any]]
    options: Options
    labels: tuple[str, ...] = ()
    scale: float | None = None
    bias: float | None = None
    seed: int = 0
    products: dict[tuple[str, ...], ClipSimilarity] | None = None

    def vectors(self, wanted: Iterable[str]) -> NDArray[Any]:
        """The (n, d) embeddings of n texts. Raises ActAlignError, naming the first text that has none."""
        rows = []
        for sentence in wanted:
            if sentence not in self.texts:
                raise ActAlignError(
                    f"clip {self.clip_id!r}: no embedding of the text {sentence!r}; embed what questions.text_groups "
                    "lists, with group_padding=options.text_padding"
                )
            rows.append(self.texts[sentence])
        return np.stack(rows)

    def script_texts(self, candidate: Candidate) -> tuple[str, ...]:
        """What the embeddings of the script's sub-actions are called in ``texts``, in order, for :meth:`vectors`.

        Their words, but for ``text_padding="longest"``, where a text that two scripts share has an embedding in each.
        """
        wording = steps(candidate, self.options)
        if self.options.text_padding == "longest":
            return tuple(text.in_company(sentence, wording) for sentence in wording)
        return wording

    @cached_property
    def evidence(self) -> Evidence:
        """Every distinct step of the candidates against every frame, and whose steps they are (paper, Eq. 7-9)."""
        wordings = [self.script_texts(candidate) for candidate in self.candidates]
        row_of = {sentence: row for row, sentence in enumerate(dict.fromkeys(chain(*wordings)))}
        scripts = tuple(np.array([row_of[sentence] for sentence in wording]) for wording in wordings)
        against = self._against(tuple(row_of))
        try:
            cosines = against.cosine(self._smoothing)  # kept there, for the affinity below
        except ActAlignError as error:
            raise ActAlignError(f"clip {self.clip_id!r}: {error}") from error
        if self.options.similarity == "cosine":
            return Evidence(cosines, scripts)
        if self.scale is None or self.bias is None:
            raise ActAlignError("affinity needs the checkpoint's: pass scale=encoder.scale and bias=encoder.bias")
        return Evidence(against.affinity(scale=self.scale, bias=self.bias, smoothing=self._smoothing), scripts)

    @property
    def matrices(self) -> tuple[NDArray[np.float64], ...]:
        """One (K, T) matrix per candidate (paper, Eq. 8-9)."""
        return self.evidence.matrices()

    def _against(self, sentences: tuple[str, ...]) -> ClipSimilarity:
        if self.products is None:
            return ClipSimilarity(self.frames_td, self.vectors(sentences))
        if sentences not in self.products:
            self.products[sentences] = ClipSimilarity(self.frames_td, self.vectors(sentences))
        return self.products[sentences]

    @property
    def _smoothing(self) -> Smoothing | None:
        """What the options say of Eq. 7."""
        options = self.options
        if options.smoothing_width is None:
            return None
        return Smoothing(
            options.smoothing_width, options.smoothing_stage, options.smoothing_window, options.smoothing_padding
        )

    @cached_property
    def pooled_d(self) -> NDArray[np.float64]:
        """The mean frame at length 1: (d,)."""
        frames = np.asarray(self.frames_td, dtype=np.float64)
        if self.options.mean_pool_frames == "normalised":
            frames = similarity.unit(frames)
        return np.asarray(similarity.unit(frames.mean(axis=0, keepdims=True))[0], dtype=np.float64)

    def generator(self, draw: int, name: str) -> np.random.Generator:
        """Randomness that depends on the seed, the draw and a name, never on what else is scored."""
        return np.random.default_rng([as_count(self.seed, name="seed", least=0), draw, zlib.crc32(name.encode())])
