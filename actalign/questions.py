"""One question of a data set as the inputs a method sees, and the texts that all of them need."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

from numpy.typing import NDArray

from actalign.clip_similarity import ClipSimilarity
from actalign.errors import ActAlignError
from actalign.inputs import Candidate, QuestionInputs
from actalign.methods import Method, method_named
from actalign.options import Options
from actalign.records import Clip, Dataset, FrameEmbeddings, Question
from actalign.scripts import in_style, meant


def clip_of(dataset: Dataset, question: Question) -> Clip:
    """The clip a question is about. Raises ActAlignError if the data set lacks it."""
    if question.clip_id not in dataset.clips:
        raise ActAlignError(f"data set {dataset.name!r} asks about clip {question.clip_id!r}, which it does not have")
    return dataset.clips[question.clip_id]


def candidates_of(dataset: Dataset, question: Question, *, style: str) -> tuple[Candidate, ...]:
    """The question's candidates with their names, scripts in ``style`` (none if the class has none) and true steps.

    Raises:
        ActAlignError: the data set has no such style (``""`` asks for no scripts), or lacks the clip.
    """
    scripts = in_style(dataset, style) if style else {}
    clip = clip_of(dataset, question)
    return tuple(
        Candidate(
            name,
            names=tuple(dataset.class_names.get(name) or (name,)),
            sport=dataset.sport_of(name, clip_id=clip.id),
            script=scripts.get(name),
            step_ids=tuple(dataset.class_steps.get(name, ())),
        )
        for name in question.candidates
    )


def usable_candidates(
    dataset: Dataset, question: Question, *, method: Method, style: str, options: Options
) -> tuple[Candidate, ...]:
    """The candidates a method can score: all, but for those without a script if ``options`` say to skip them.

    Raises:
        ActAlignError: a class has no script in ``style`` and ``options.missing_script`` is ``"error"``.
    """
    candidates = candidates_of(dataset, question, style=style)
    if not method.needs_script:
        return candidates
    missing = [candidate.class_name for candidate in candidates if candidate.script is None]
    if missing and options.missing_script == "error":
        raise ActAlignError(
            f"clip {question.clip_id!r}: class {missing[0]!r} has no script of style {style!r}; "
            "write it, or leave such classes out as the preset reference does: options(missing_script='skip')"
            f"{meant(missing[0], dataset.questions, dataset.scripts.get(style, {}))}"
        )
    return tuple(candidate for candidate in candidates if candidate.script is not None)


def require_one_encoder(embeddings: Mapping[str, FrameEmbeddings], texts: Mapping[str, NDArray[Any]]) -> None:
    """Raise ActAlignError where ``embed_clips`` had another checkpoint than ``embed_texts``; a plain dict tells none.

    >>> from actalign.embeddings import TextIndex
    >>> require_one_encoder(TextIndex({}, encoder="a"), TextIndex({}, encoder="b"))
    Traceback (most recent call last):
    actalign.errors.ActAlignError: one checkpoint embedded the frames and another the texts; embed both with one
    """
    known = {made.encoder for made in (embeddings, texts) if hasattr(made, "encoder")}
    if len(known) > 1:
        raise ActAlignError("one checkpoint embedded the frames and another the texts; embed both with one")


def question_inputs(
    dataset: Dataset,
    question: Question,
    embeddings: Mapping[str, FrameEmbeddings],
    *,
    texts: Mapping[str, NDArray[Any]],
    method: str | Method,
    style: str = "",
    options: Options,
    scale: float | None = None,
    bias: float | None = None,
    seed: int = 0,
    source: str | None = None,
    products: dict[tuple[str, ...], ClipSimilarity] | None = None,
) -> QuestionInputs:
    """What ``method`` sees of one question; its ``.matrices`` hold one (K, T) matrix per candidate.

    Args:
        dataset, question, embeddings: the question, and frame embeddings by clip id.
        texts: text to (d,) embedding, for all of :func:`text_groups`.
        method: a method or its name; it may fix some of the options.
        style: the prompt style, for methods that read scripts.
        options: the paper's choices, or others.
        scale, bias: the checkpoint's, for Eq. 9; ``options.affinity_scale`` and ``affinity_bias`` override them.
        seed: of random trials and shuffles.
        source: the clip whose frames and frame labels are seen, if not the question's own.
        products: what the inputs of this ``source`` and these ``texts`` share; see ``QuestionInputs``.

    Raises:
        ActAlignError: an unknown method or style, a missing script, no embeddings of the clip, or texts of another
            checkpoint.
    """
    method = method_named(method)
    require_one_encoder(embeddings, texts)
    source = source or question.clip_id
    if source not in embeddings:
        raise ActAlignError(f"clip {source!r} has no frame embeddings; run embed_clips on this data set")
    scale, bias = options.calibration(scale, bias)
    return QuestionInputs(
        question.clip_id,
        frames_td=embeddings[source].embeddings,
        candidates=usable_candidates(dataset, question, method=method, style=style, options=options),
        texts=texts,
        options=method.settle(options),
        labels=tuple(dataset.frame_labels.get(source, ())),
        scale=scale,
        bias=bias,
        seed=seed,
        products=products,
    )


def text_groups(
    dataset: Dataset, *, methods: Sequence[str | Method], styles: Sequence[str], options: Options
) -> tuple[str | tuple[str, ...], ...]:
    """What ``methods`` look up for the questions of ``dataset``, for ``embed_texts``: class names, and whole scripts.

    That a script is a group matters only to ``text_padding="longest"``, where its texts are padded to its longest.

    Raises:
        ActAlignError: an unknown method or style, or a missing script.

    >>> from pathlib import Path
    >>> clip = Clip("a", Path("a.mp4"), sport="tennis")
    >>> dataset = Dataset("demo", Path("."), {"a": clip}, (Question("a", ("lob", "kick"), 0),))
    >>> text_groups(dataset, methods=["mean_pool_name_in_sport"], styles=[], options=Options())
    ('lob in tennis', 'kick in tennis')
    """
    known_width = replace(options, validated_width=options.validated_width or 1)  # no text depends on the width
    found: dict[str | tuple[str, ...], None] = {}
    for method in map(method_named, methods):
        settled = method.settle(known_width)
        for style in styles if method.needs_script else [""]:
            for question in dataset.questions:
                for candidate in usable_candidates(dataset, question, method=method, style=style, options=options):
                    wording = method.wording(candidate, settled)
                    found |= dict.fromkeys([wording] if method.needs_script else wording)
    return tuple(group for group in found if group)


def texts_needed(
    dataset: Dataset, *, methods: Sequence[str | Method], styles: Sequence[str], options: Options
) -> tuple[str, ...]:
    """Every distinct text of :func:`text_groups`, whose arguments these are.

    Raises:
        ActAlignError: an unknown method or style, or a missing script.

    >>> from pathlib import Path
    >>> clip = Clip("a", Path("a.mp4"), sport="tennis")
    >>> dataset = Dataset("demo", Path("."), {"a": clip}, (Question("a", ("lob", "kick"), 0),))
    >>> texts_needed(dataset, methods=["mean_pool_name"], styles=[], options=Options())
    ('lob', 'kick')
    """
    groups = text_groups(dataset, methods=methods, styles=styles, options=options)
    texts = chain.from_iterable([group] if isinstance(group, str) else group for group in groups)
    return tuple(dict.fromkeys(texts))
