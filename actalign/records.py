"""The frozen, shape-checked nouns that every step takes and returns.

Shapes are written ``(T, d)`` with T frames, K sub-actions, d the embedding width and P pairs on a path.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actalign import html
from actalign.errors import ActAlignError
from actalign.files import printable
from actalign.masks import Masks


@dataclass(frozen=True)
class Clip:
    """A window of a video file: what is looked at.

    ``start_s`` and ``end_s`` are seconds from the start of the video; ``None`` means the file's own start or end.
    ``family`` groups clips whose outcomes are correlated (the unit of the clustered bootstrap). ``masks`` are
    blurred in every frame that is read of the clip.

    >>> Clip("a", Path("a.mp4"), sport="tennis").duration_s is None
    True
    """

    id: str
    path: Path
    sport: str
    start_s: float | None = None
    end_s: float | None = None
    family: str = ""
    subset: str = ""
    split: str = "test"
    masks: Masks | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", Path(self.path))
        if not isinstance(self.id, str) or printable(self.id) != self.id:
            raise ActAlignError(f"clip id {self.id!r} is no text; name the clip with a string of whole characters")
        for name, value in (("start_s", self.start_s), ("end_s", self.end_s)):
            if value is None:
                continue
            if not (isinstance(value, int | float | np.number) and np.isfinite(value) and value >= 0):
                raise ActAlignError(f"clip {self.id!r}: {name} is {value!r}; give seconds, 0 or more, or leave it out")
            object.__setattr__(self, name, float(value))
        if self.end_s is not None and self.end_s <= (self.start_s or 0.0):
            raise ActAlignError(f"clip {self.id!r}: end_s {self.end_s} is not after start_s {self.start_s}")

    @property
    def duration_s(self) -> float | None:
        return None if self.end_s is None else self.end_s - (self.start_s or 0.0)

    def _repr_html_(self) -> str:
        whole = self.start_s is None and self.end_s is None
        ends = ("start", "end") if whole else (f"{self.start_s or 0:.2f} s", "end")
        window = f"{ends[0]} to {ends[1] if self.end_s is None else f'{self.end_s:.2f} s'}"
        named = [("sport", self.sport), ("file", self.path), ("window", window), ("family", self.family)]
        masked = f"text in {len(self.masks):,} of its frames is blurred" if self.masks else None
        return html.facts(
            f"Clip {self.id}", [*named, ("subset", self.subset), ("split", self.split), ("masks", masked)]
        )


@dataclass(frozen=True)
class Question:
    """The candidates for one clip, in the order shown, and the index of the right one (0-based), None if not known.

    >>> Question("a", candidates=("serve", "lob"), answer=1).truth
    'lob'
    """

    clip_id: str
    candidates: tuple[str, ...]
    answer: int | None

    def __post_init__(self) -> None:
        if len(set(self.candidates)) != len(self.candidates):
            raise ActAlignError(f"question of clip {self.clip_id!r} repeats a candidate: {self.candidates}")
        if self.answer is not None and not 0 <= self.answer < len(self.candidates):
            raise ActAlignError(
                f"question of clip {self.clip_id!r}: answer {self.answer} is not one of its "
                f"{len(self.candidates)} candidates (0-based); check the answer column"
            )

    @property
    def truth(self) -> str:
        """The right candidate. Raises ActAlignError if it is not known."""
        if self.answer is None:
            raise ActAlignError(f"the question of clip {self.clip_id!r} has no answer: it is not labelled")
        return self.candidates[self.answer]

    def _repr_html_(self) -> str:
        rows = [
            (place, name, "answer" if place - 1 == self.answer else "") for place, name in enumerate(self.candidates, 1)
        ]
        known = "" if self.answer is not None else ", no answer known"
        return html.table(rows, header=["", "candidate", ""], caption=f"Question about clip {self.clip_id}{known}")


@dataclass(frozen=True)
class Script:
    """The ordered sub-actions of one class (paper, Eq. 3); white space within a step becomes single spaces.

    >>> len(Script("lob", sport="tennis", steps=("step back", "swing up")))
    2
    """

    class_name: str
    sport: str
    steps: tuple[str, ...]

    def __post_init__(self) -> None:
        if isinstance(self.steps, str):  # type: ignore[unreachable]  # callers without a type checker
            raise ActAlignError(
                f"script of class {self.class_name!r} is one string, {self.steps!r}; pass a tuple of sub-actions"
            )
        if not self.steps or any(not isinstance(step, str) or not step.strip() for step in self.steps):
            raise ActAlignError(
                f"script of class {self.class_name!r} has no steps or an empty step: {self.steps!r}; "
                "write at least one sub-action in words"
            )
        object.__setattr__(self, "steps", tuple(" ".join(step.split()) for step in self.steps))

    def __len__(self) -> int:
        return len(self.steps)

    def _repr_html_(self) -> str:
        named = [("class", self.class_name), ("sport", self.sport)]
        return html.facts(f"Script of {len(self)} sub-actions", named) + html.steps(self.steps)


def _matrix(value: NDArray[Any], name: str) -> NDArray[np.float32]:
    array = np.array(value, dtype=np.float32)  # a copy: the caller keeps theirs writable
    if array.ndim != 2 or 0 in array.shape:
        raise ActAlignError(f"{name} must be a non-empty matrix, one row per item; got shape {array.shape}")
    usable = np.isfinite(array).all(axis=1) & array.any(axis=1)  # zeros have no direction, so no cosine
    if not usable.all():
        bad = int((~usable).sum())
        raise ActAlignError(f"{name}: {bad} of {len(array)} rows hold NaN or inf, or are all zeros; encode again")
    array.setflags(write=False)
    return array


@dataclass(frozen=True, eq=False)
class FrameEmbeddings:
    """Frame embeddings of one clip (paper, Eq. 4): ``embeddings`` (T, d), ``times_s`` (T,) increasing.

    >>> frames = FrameEmbeddings(np.ones((3, 2)), np.array([0.0, 0.5, 1.0]))
    >>> frames.frame_s, frames.seconds
    (0.5, 1.5)
    """

    embeddings: NDArray[np.float32]
    times_s: NDArray[np.float64]

    def __post_init__(self) -> None:
        object.__setattr__(self, "embeddings", _matrix(self.embeddings, "frame embeddings"))
        times = np.array(self.times_s, dtype=np.float64)
        if times.shape != (len(self.embeddings),):
            raise ActAlignError(f"{len(self.embeddings)} frames but times_s has shape {times.shape}")
        if not (np.isfinite(times).all() and (np.diff(times) > 0).all()):
            raise ActAlignError("times_s must increase from frame to frame and be finite")
        times.setflags(write=False)
        object.__setattr__(self, "times_s", times)

    def __len__(self) -> int:
        return len(self.embeddings)

    @property
    def frame_s(self) -> float:
        """The median time from a frame to the next; 0 for a single frame."""
        return float(np.median(np.diff(self.times_s))) if len(self) > 1 else 0.0

    @property
    def seconds(self) -> float:
        """The time the frames stand for, the last one for as long as the median frame; 0 for a single frame."""
        return float(self.times_s[-1] - self.times_s[0]) + self.frame_s

    def __repr__(self) -> str:
        frames, width = self.embeddings.shape
        return f"FrameEmbeddings({frames} frames x {width}, {self.times_s[0]:.2f}-{self.times_s[-1]:.2f} s)"

    def _repr_html_(self) -> str:
        frames, width = self.embeddings.shape
        lengths = np.linalg.norm(self.embeddings, axis=1)
        rate = f"{1 / self.frame_s:.4g} a second" if frames > 1 else None
        ends = f"{self.times_s[0]:.2f} s, {self.times_s[-1]:.2f} s"
        named = [("frames", f"{frames:,}"), ("width", width), ("first and last", ends),
                 ("rate", rate), ("length of a row", f"{lengths.min():.3g} to {lengths.max():.3g}")]  # fmt: skip
        return html.facts("Frame embeddings", named)


@dataclass(frozen=True, eq=False)
class TextEmbeddings:
    """Embeddings of K texts (paper, Eq. 5): ``texts`` (K,), ``embeddings`` (K, d)."""

    texts: tuple[str, ...]
    embeddings: NDArray[np.float32]

    def __post_init__(self) -> None:
        object.__setattr__(self, "embeddings", _matrix(self.embeddings, "text embeddings"))
        if len(self.texts) != len(self.embeddings):
            raise ActAlignError(f"{len(self.texts)} texts but {len(self.embeddings)} embeddings")

    def __len__(self) -> int:
        return len(self.texts)

    def __repr__(self) -> str:
        return f"TextEmbeddings({len(self)} texts x {self.embeddings.shape[1]}, first {self.texts[0]!r})"

    def _repr_html_(self) -> str:
        named = [("texts", f"{len(self):,}"), ("width", self.embeddings.shape[1])]
        return html.facts("Text embeddings", named) + html.table(list(enumerate(self.texts, 1)))


@dataclass(frozen=True, eq=False)
class Alignment:
    """A warping path and what it earned (paper, Eq. 10-13).

    ``path`` (P, 2) holds (sub_action, frame) pairs, forward in time, from (0, 0) to (K-1, T-1);
    ``total`` is the sum of affinities on it, ``score`` is ``total / P`` and ``step_evidence`` (K,) is the
    mean affinity that each sub-action earned on its own stretch of the path.
    """

    score: float
    total: float
    path: NDArray[np.intp]
    step_evidence: NDArray[np.float64]

    def __repr__(self) -> str:
        steps, frames = self.path[-1] + 1
        return f"Alignment(score={self.score:.4f}, {steps} sub-actions x {frames} frames, path of {len(self.path)})"

    def _repr_html_(self) -> str:
        named = [("score", f"{self.score:.4g}"), ("sum over the path", f"{self.total:.4g}"), ("pairs", len(self.path))]
        return html.facts("Alignment", named) + self.drawing()

    def drawing(self) -> str:
        """The path and the evidence of every sub-action as an inline SVG, with a text for those who do not see it."""
        evidence = ", ".join(f"{number}: {value:.3g}" for number, value in enumerate(self.step_evidence, 1))
        return html.path_drawing(self.path, self.step_evidence, text=f"{self!r}; evidence by sub-action: {evidence}")


@dataclass(frozen=True)
class Dataset:
    """Clips, their questions and the scripts of every candidate.

    ``scripts`` maps a prompt style to {class name: Script}; ``class_names`` maps a class to the names drawn
    for it (some data sets have one real name, the sample has several invented draws).
    ``frame_labels`` maps a clip to the sub-action id shown in each frame and ``class_steps`` a class to its
    ordered sub-action ids: only data sets with known labels have them, and only the oracle uses them.
    ``class_sports`` maps a class to its sport where the data set says it of the class; else the clip's counts.
    """

    name: str
    root: Path
    clips: Mapping[str, Clip]
    questions: tuple[Question, ...]
    scripts: Mapping[str, Mapping[str, Script]] = field(default_factory=dict)
    class_names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    frame_labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    class_steps: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    class_sports: Mapping[str, str] = field(default_factory=dict)

    def split(self, name: str) -> "Dataset":
        """The same data set with only the clips and questions of one split."""
        clips = {key: clip for key, clip in self.clips.items() if clip.split == name}
        if not clips:
            known = sorted({clip.split for clip in self.clips.values()})
            raise ActAlignError(f"data set {self.name!r} has no split {name!r}; it has {known}")
        questions = tuple(question for question in self.questions if question.clip_id in clips)
        return replace(self, clips=clips, questions=questions)

    def sport_of(self, class_name: str, *, clip_id: str) -> str:
        """The sport of a class that is asked about a clip: its own, or else the clip's."""
        return self.class_sports.get(class_name) or self.clips[clip_id].sport

    def __repr__(self) -> str:
        sports = len({clip.sport for clip in self.clips.values()})
        return f"Dataset({self.name!r}: {len(self.clips)} clips, {sports} sports, {len(self.questions)} questions)"

    def _repr_html_(self) -> str:
        labelled = sum(question.answer is not None for question in self.questions)
        asked = f"{len(self.questions):,}, of which {labelled:,} have an answer"
        splits = ", ".join(f"{name} {count:,}" for name, count in _counts(clip.split for clip in self.clips.values()))
        sports = ", ".join(f"{name} {count:,}" for name, count in _counts(clip.sport for clip in self.clips.values()))
        scripts = ", ".join(f"{style} ({len(of_class):,} classes)" for style, of_class in self.scripts.items())
        named = [("folder", self.root), ("clips", f"{len(self.clips):,}"), ("splits", splits), ("sports", sports),
                 ("questions", asked), ("scripts", scripts or "none")]  # fmt: skip
        return html.facts(f"Data set {self.name}", named)


def _counts(names: Iterable[str]) -> list[tuple[str, int]]:
    """The commonest 12 first, the others together."""
    ordered = sorted(Counter(names).items(), key=lambda one: (-one[1], one[0]))
    others = ordered[12:]
    return [*ordered[:12], *([(f"and {len(others)} more", sum(count for _, count in others))] if others else [])]
