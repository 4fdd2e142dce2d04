"""One call for one video: ranked classes, each with its alignment and the evidence of every sub-action.

``actalign.classify`` is :func:`classify`.
"""

import difflib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from actalign import dtw, html
from actalign.annotate import write_annotated
from actalign.captions import sub_action_spans, write_captions
from actalign.checkpoints import is_local
from actalign.embeddings import embed_clips, embed_texts
from actalign.encoder import Encoder, load_encoder
from actalign.errors import ActAlignError
from actalign.files import printable
from actalign.inputs import Candidate, QuestionInputs, steps
from actalign.options import Options
from actalign.records import Alignment, Clip, Script
from actalign.report import score_text

Steps = Script | Sequence[str]


@dataclass(frozen=True, eq=False)
class RankedClass:
    """One class: its script, the (K, T) map of sub-actions against frames, and the alignment through it.

    ``spans`` says when each sub-action takes place (see ``captions.sub_action_spans``).
    """

    class_name: str
    script: Script
    affinity_kt: NDArray[np.float64]
    alignment: Alignment
    spans: pd.DataFrame

    @property
    def score(self) -> float:
        """The mean over the path (paper, Eq. 13)."""
        return self.alignment.score

    def __repr__(self) -> str:
        return f"RankedClass({self.class_name!r}, score={self.score:.4g}, {len(self.script)} sub-actions)"

    def _repr_html_(self) -> str:
        return html.facts(self.class_name, [("score", f"{self.score:.4g}")]) + (
            html.steps(self.script.steps) + self.alignment.drawing()
        )


@dataclass(frozen=True, eq=False)
class Classification:
    """What :func:`classify` found: the classes, best first, for the frames at ``times_s`` (T,) seconds of ``clip``.

    Scores rank the classes of one clip. They are no probabilities: the best of several wrong classes is still first.
    """

    clip: Clip
    ranked: tuple[RankedClass, ...]
    times_s: NDArray[np.float64]
    checkpoint: str
    options: Options

    @property
    def best(self) -> RankedClass:
        """The class whose script aligns best."""
        return self.ranked[0]

    def of(self, class_name: str) -> RankedClass:
        """The result for one class. Raises ActAlignError listing the classes."""
        for one in self.ranked:
            if one.class_name == class_name:
                return one
        known = [one.class_name for one in self.ranked]
        raise ActAlignError(f"class {class_name!r} was not asked for; choose one of {known}")

    def table(self) -> pd.DataFrame:
        """A row per class, best first: rank, class, sport, sub_actions (how many), score."""
        rows = [(n, c.class_name, c.script.sport, len(c.script), c.score) for n, c in enumerate(self.ranked, start=1)]
        return pd.DataFrame(rows, columns=["rank", "class", "sport", "sub_actions", "score"])

    def write_captions(self, path: str | os.PathLike[str], *, class_name: str | None = None) -> Path:
        """When each sub-action takes place, as captions (.vtt) or a table (.csv); of the best class unless named.

        Raises:
            ActAlignError: an unknown class or suffix, or a folder that cannot be written.
        """
        return write_captions(self._chosen(class_name).spans, path)

    def write_annotated(self, path: str | os.PathLike[str], *, class_name: str | None = None) -> Path:
        """A copy of the clip (.mp4) with its sub-actions and their evidence; of the best class unless named.

        Raises:
            ActAlignError: an unknown class, or as ``annotate.write_annotated``.
        """
        chosen = self._chosen(class_name)
        place = f"{self.ranked.index(chosen) + 1} of {len(self.ranked)}"
        title = f"{chosen.class_name}, {place}, score {score_text(chosen.score)}"
        return write_annotated(self.clip, chosen.spans, path, title=title)

    def _chosen(self, class_name: str | None) -> RankedClass:
        return self.best if class_name is None else self.of(class_name)

    def __repr__(self) -> str:
        ranking = ", ".join(f"{c.class_name!r} {c.score:.4g}" for c in self.ranked)
        return f"Classification({self.clip.id!r}, {len(self.times_s)} frames: {ranking})"

    def _repr_html_(self) -> str:
        classes = [(place, one.class_name, f"{one.score:.4g}") for place, one in enumerate(self.ranked, 1)]
        spans = [
            (f"{start:.2f}\N{EN DASH}{end:.2f}\N{NO-BREAK SPACE}s", f"{number}. {text}", f"{evidence:.4g}")
            for start, end, number, text, evidence in self.best.spans.itertuples(index=False, name=None)
        ]
        return (
            html.table(classes, header=["", "class", "score"], caption=f"{self.clip.id}, {len(self.times_s)} frames")
            + html.table(spans, header=["time", f"sub-action of {self.best.class_name}", "evidence"])
            + self.best.alignment.drawing()
        )


def classify(
    video: str | os.PathLike[str] | Clip,
    classes: Sequence[str] | Mapping[str, str],
    *,
    scripts: Mapping[str, Steps],
    sport: str | None = None,
    encoder: Encoder | str | Path | None = None,
    frame_rate: float | None = None,
    options: Options | None = None,
) -> Classification:
    """Rank classes by how well their scripts align with one video (paper, section 3).

    Embeddings are kept in data/cache/embeddings, so that other scripts for the same video take a moment.

    Args:
        video: a video file, or a ``records.Clip`` for a window of one.
        classes: names, or {name: sport}.
        scripts: {class: its sub-actions in order}; other classes in it are left alone. Typed by hand, read by
            ``scripts.read_scripts`` or written by an LLM.
        sport: the classes' sport, added to every sub-action as context. That of ``classes`` comes first, then that
            of a ``Script``, then this, then the clip's.
        encoder: a loaded checkpoint, its folder or its hub id (downloaded unless it is in the cache).
        frame_rate: frames per second to look at; None is every frame, as in the paper.
        options: if not given the paper's without smoothing, ``Options(smoothing_width=None)``.

    Returns:
        The classes best first (``.ranked``, ``.best``, ``.of(name)``), each with its score, (K, T) affinities,
        alignment and ``.spans``, in seconds; ``.table()`` of all; ``write_captions`` and ``write_annotated``.

    Raises:
        ActAlignError: no encoder, class, script or sport; a video or checkpoint that cannot be read; smoothing that
            loses a frame (``smoothing_padding="released"`` and an even width).

    >>> classify("serve.mp4", ["lob"], scripts={"lob": ["step back", "swing"]}, sport="tennis")
    Traceback (most recent call last):
    actalign.errors.ActAlignError: video serve.mp4 does not exist; check the path
    """
    clip = video if isinstance(video, Clip) else Clip(printable(Path(video).name), Path(video), sport=sport or "")
    if not os.path.exists(clip.path):  # False too for a name that no file can have
        raise ActAlignError(f"video {clip.path} does not exist; check the path")
    choices = Options(smoothing_width=None) if options is None else options
    width = choices.smoothing_width
    if choices.smoothing_padding == "released" and width and width % 2 == 0:
        raise ActAlignError(
            f"smoothing_padding='released' with an even smoothing_width, {width}, leaves a frame less than there are "
            "times; choose an odd width, or smoothing_padding='zero'"
        )
    wanted = _scripts(classes, scripts, sport=sport or clip.sport, context=choices.text_template != "step")
    loaded = _loaded(encoder)
    candidates = tuple(Candidate(name, (name,), script.sport, script) for name, script in wanted.items())
    frames = embed_clips([clip], loaded, frame_rate=frame_rate)[clip.id]
    texts = embed_texts([steps(one, choices) for one in candidates], loaded, group_padding=choices.text_padding)
    scale, bias = choices.calibration(loaded.scale, loaded.bias)
    inputs = QuestionInputs(
        clip.id,
        frames_td=frames.embeddings,
        candidates=candidates,
        texts=texts,
        options=choices,
        scale=scale,
        bias=bias,
    )
    found = [
        _ranked(script, matrix, times_s=frames.times_s)
        for script, matrix in zip(wanted.values(), inputs.matrices, strict=True)
    ]
    found.sort(key=lambda one: -one.score)
    return Classification(clip, tuple(found), frames.times_s, loaded.checkpoint, choices)


def _ranked(script: Script, matrix: NDArray[np.float64], *, times_s: NDArray[np.float64]) -> RankedClass:
    alignment = dtw.align(matrix)
    spans = sub_action_spans(alignment, times_s=times_s, steps=script.steps)
    return RankedClass(script.class_name, script, matrix, alignment, spans)


def _scripts(
    classes: Sequence[str] | Mapping[str, str], scripts: Mapping[str, Steps], *, sport: str, context: bool
) -> dict[str, Script]:
    """The script of every class, each with its sport."""
    if isinstance(classes, str):
        raise ActAlignError(f"classes is one text, {classes!r}; pass a list of class names")
    names = list(classes)
    if not names or len(set(names)) < len(names):
        raise ActAlignError(f"classes are {names}; give at least one, each once")
    sports = classes if isinstance(classes, Mapping) else {}
    wanted = {}
    for name in names:
        given = _steps_of(name, scripts)
        if not isinstance(given, Script):
            texts: Any = given if isinstance(given, str) else tuple(given)  # one text is refused, with the class's name
            given = Script(name, sport="", steps=texts)
        chosen = sports.get(name) or given.sport.strip() or sport
        wanted[name] = replace(given, class_name=name, sport=chosen)
        if context and not chosen.strip():
            raise ActAlignError(
                f"class {name!r} has no sport, which every sub-action is given as context: pass sport='tennis' or "
                "whatever it is, or leave the context out with options=Options(text_template='step', "
                "smoothing_width=None)"
            )
    return wanted


def _steps_of(name: str, scripts: Mapping[str, Steps]) -> Steps:
    if name in scripts:
        return scripts[name]
    near = difflib.get_close_matches(name, scripts, n=1)
    written = f"there are scripts of {list(scripts)[:10]}" if scripts else "there are no scripts at all"
    hint = f"did you mean {near[0]!r}?" if near else f"write its sub-actions in order ({written})"
    raise ActAlignError(f"class {name!r} has no script; {hint}")


def _loaded(encoder: Encoder | str | Path | None) -> Encoder:
    if encoder is None:
        raise ActAlignError(
            "classify needs an encoder: pass encoder='google/siglip-so400m-patch14-384' (downloaded once, 3.5 GB), the "
            "folder of a checkpoint, or what load_encoder returned"
        )
    if isinstance(encoder, Encoder):
        return encoder
    if not is_local(encoder):
        print(f"checkpoint {encoder}: downloaded from the hub unless it is in the cache")
    return load_encoder(encoder)
