"""What the manifest says is there, as a ``Dataset``: ``load("actionatlas")``."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from actalign.datasets.actionatlas.ledger import latest
from actalign.datasets.actionatlas.manifest import Entry, Manifest, fold
from actalign.datasets.actionatlas.metadata import read_frozen, root_or_default
from actalign.datasets.actionatlas.rows import AtlasRow
from actalign.errors import ActAlignError
from actalign.masks import Masks, text_masks
from actalign.records import Clip, Dataset, Question
from actalign.scripts import read_styles

VIDEOS = "videos"
MISSING = "missing"
"""The folder, never made, in which a clip that is not done has its path: nothing can be read there by mistake."""


def read_actionatlas(root: str | os.PathLike[str] | None = None, *, verify: bool = True) -> Dataset:
    """The benchmark with every question, so that a score says "n of how many", and the clips that are there.

    A clip is a window of a whole video, with the official text masks (:func:`with_masks` gives it others). Clips that
    are not done keep their question; their path does not exist, so that embedding reports them as failed and scoring
    counts them in the total. A row whose question itself is faulty cannot be asked: the manifest names it. The family
    of a clip is its action. An action that occurs in several sports is the class "<action> (<sport>)" in each.

    Args:
        root: the data set's folder; data/actionatlas by default.
        verify: check that each done clip's file is there and has the size that was recorded.

    Raises:
        ActAlignError: nothing was fetched yet, no row has a question, files are missing or changed (with
            ``verify``), or a file of scripts is malformed.

    >>> read_actionatlas("nowhere")
    Traceback (most recent call last):
    actalign.errors.ActAlignError: nowhere has no metadata.jsonl yet; fetch ActionAtlas first, from the hub or a copy
    """
    folder = root_or_default(root)
    metadata = read_frozen(folder)
    rows = metadata.rows
    manifest = fold(rows, latest(folder), revision=metadata.revision)
    if verify:
        _verify(folder, manifest)
    asked = [
        (row, entry, row.question)
        for row, entry in zip(rows, manifest.entries, strict=True)
        if row.question is not None
    ]
    if not asked:
        raise ActAlignError(f"{folder}: no row of {metadata} has a question that can be asked; see its manifest")
    questions, classes = _told_apart([(row.sport, question) for row, _, question in asked])
    styles = read_styles(folder / "scripts")
    classes = {name: name for scripts in styles.values() for name in scripts} | classes
    return Dataset(
        "actionatlas",
        folder,
        {row.id: _clip(folder, row, entry) for row, entry, _ in asked},
        questions,
        scripts=styles,
        class_names={class_name: (name,) for class_name, name in classes.items()},
    )


def _told_apart(asked: Sequence[tuple[str, Question]]) -> tuple[tuple[Question, ...], dict[str, str]]:
    """The questions, and class -> what it is called. An action that two sports share is a class for each of them."""
    sports: dict[str, set[str]] = {}
    for sport, question in asked:
        for name in question.candidates:
            sports.setdefault(name, set()).add(sport)
    questions: list[Question] = []
    classes: dict[str, str] = {}
    for sport, question in asked:
        own = {f"{name} ({sport})" if len(sports[name]) > 1 else name: name for name in question.candidates}
        questions.append(replace(question, candidates=tuple(own)))
        classes |= own
    return tuple(questions), classes


def restrict(dataset: Dataset, clip_ids: Iterable[str]) -> Dataset:
    """The same data set with only these clips and their questions, as for the common subset of two manifests.

    Raises:
        ActAlignError: the data set lacks one of the clips, or there are none.

    >>> restrict(Dataset("demo", Path("."), {}, ()), ["7"])
    Traceback (most recent call last):
    actalign.errors.ActAlignError: data set 'demo' has no clip '7'; restrict to clips that it has
    """
    wanted = dict.fromkeys(clip_ids)
    if absent := [clip_id for clip_id in wanted if clip_id not in dataset.clips]:
        raise ActAlignError(f"data set {dataset.name!r} has no clip {absent[0]!r}; restrict to clips that it has")
    if not wanted:
        raise ActAlignError(f"no clips to restrict data set {dataset.name!r} to; the two runs have none in common")
    clips = {clip_id: clip for clip_id, clip in dataset.clips.items() if clip_id in wanted}
    questions = tuple(question for question in dataset.questions if question.clip_id in wanted)
    labels = {clip_id: labels for clip_id, labels in dataset.frame_labels.items() if clip_id in wanted}
    return replace(dataset, clips=clips, questions=questions, frame_labels=labels)


def read_masks(root: str | os.PathLike[str] | None = None, *, rule: str = "official") -> dict[str, Masks]:
    """The text masks of every clip that has some, by clip id; ``rule`` is a name in ``masks.RULES``.

    With ``"released"`` only clips whose file is there have masks, as that rule needs the video's frame rate.

    Raises:
        ActAlignError: nothing was fetched yet, or the rule is unknown.

    >>> read_masks("nowhere")
    Traceback (most recent call last):
    actalign.errors.ActAlignError: nowhere has no metadata.jsonl yet; fetch ActionAtlas first, from the hub or a copy
    """
    folder = root_or_default(root)
    metadata = read_frozen(folder)
    rows = metadata.rows
    entries = fold(rows, latest(folder), revision=metadata.revision).entries
    found = {}
    for row, entry in zip(rows, entries, strict=True):
        if rule == "released" and entry.frame_rate is None:
            continue
        before = int((row.start_s or 0.0) * (entry.frame_rate or 0.0))
        masks = text_masks(row.regions, rule=rule, first_frame=before)
        if masks and not row.fault:
            found[row.id] = masks
    return found


def with_masks(dataset: Dataset, masks: Mapping[str, Masks]) -> Dataset:
    """The same data set whose clips have these masks and no others; ``{}`` takes all masks off.

    >>> with_masks(Dataset("demo", Path("."), {}, ()), {}).clips
    {}
    """
    clips = {clip_id: replace(clip, masks=masks.get(clip_id)) for clip_id, clip in dataset.clips.items()}
    return replace(dataset, clips=clips)


def _clip(folder: Path, row: AtlasRow, entry: Entry) -> Clip:
    done = entry.state == "done"
    return Clip(
        row.id,
        folder / VIDEOS / entry.file if done else folder / MISSING / str(row.number),  # an id may be a path
        sport=row.sport,
        start_s=entry.start_s if done else row.start_s,
        end_s=entry.end_s if done else row.end_s,
        family=f"{row.sport}: {row.action}",
        masks=text_masks(row.regions) or None,
    )


def _verify(folder: Path, manifest: Manifest) -> None:
    """Raise ActAlignError if a done clip's file is gone or has another size than recorded."""
    odd = []
    for entry in manifest.entries:
        path = folder / VIDEOS / entry.file
        if entry.state == "done" and not (path.is_file() and path.stat().st_size == entry.bytes):
            odd.append(entry.file)
    if odd:
        names = list(dict.fromkeys(odd))
        raise ActAlignError(
            f"{folder / VIDEOS}: {len(names)} file(s) missing or changed since they were fetched, the first is "
            f"{names[0]!r}; fetch again, or pass verify=False to go without them"
        )
