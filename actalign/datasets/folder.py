"""A data set kept in one folder of CSV and JSON files, the sample's own layout::

    clips.csv              clip_id,path,sport and, where known, split,family,subset,start_s,end_s
    questions.csv          clip_id,answer,candidate_1,...,candidate_N     (answer counts from 1; empty if not known)
    scripts/<style>.json   see actalign.scripts
    class_names.json       {"<class>": ["a name", "another draw", ...]}   (optional)
    class_steps.json       {"<class>": ["sub_action_id", ...]}            (optional)
    frame_labels.csv       clip_id,labels  as in "toss*12 swing*9"        (optional)
    registry.sha256        see actalign.datasets.registry                 (optional)

Videos of your own need less. Without ``clips.csv`` every video below the folder is a clip, its id its path from
there. In place of ``questions.csv`` a ``classes.txt`` asks about every clip with all its classes and no label: one
class a line, or on every line ``class, sport``.

A clip's path may be absolute; otherwise it starts from the folder. Whether the video is there is found out when
it is decoded, so that one lost file costs one clip and not the run. Everything else is checked here.
"""

import difflib
import os
import re
from pathlib import Path

from actalign.datasets.registry import REGISTRY, verify_registry
from actalign.datasets.tables import Row, read_table
from actalign.datasets.videos import find_clips, read_classes
from actalign.errors import ActAlignError
from actalign.records import Clip, Dataset, Question
from actalign.scripts import read_json, read_styles

_CLIP_COLUMNS = ("clip_id", "path", "sport")
_LIKE_ANSWER = ("answer", "label", "class", "class_name", "truth", "ground_truth", "target", "correct")
_OPTIONAL_CLIP_COLUMNS = ("split", "family", "subset", "start_s", "end_s")


def _read_clips(root: Path) -> dict[str, Clip]:
    path = root / "clips.csv"
    header, rows = read_table(path, _CLIP_COLUMNS)
    unused = [column for column in _OPTIONAL_CLIP_COLUMNS if column not in header]
    for column in header:
        if column not in _CLIP_COLUMNS and (meant := difflib.get_close_matches(column.lower(), unused, n=1)):
            raise ActAlignError(f"{path}: column {column!r} is unknown; did you mean {meant[0]!r}?")
    clips: dict[str, Clip] = {}
    for row in rows:
        clip_id = row.text("clip_id")
        if clip_id in clips:
            raise ActAlignError(f"{row.where}: clip {clip_id!r} is listed twice; give each clip its own id")
        file, sport = row.text("path"), row.text("sport")
        start_s, end_s = row.seconds("start_s"), row.seconds("end_s")
        try:
            clips[clip_id] = Clip(
                clip_id,
                root / file,
                sport=sport,
                start_s=start_s,
                end_s=end_s,
                family=row.cells.get("family", ""),
                subset=row.cells.get("subset", ""),
                split=row.cells.get("split", "") or "test",
            )
        except ActAlignError as error:
            raise ActAlignError(f"{row.where}: {error}") from error
    return clips


def _candidates(row: Row, columns: list[str]) -> tuple[str, ...]:
    shown = [row.cells[column] for column in columns]
    while shown and not shown[-1]:
        shown.pop()
    if "" in shown:
        raise ActAlignError(f"{row.where}: {columns[shown.index('')]} is empty but a later one is not; close the gap")
    if len(shown) < 2:
        raise ActAlignError(f"{row.where}: {len(shown)} candidate(s); a question needs at least 2")
    return tuple(shown)


def _answer(row: Row, candidates: tuple[str, ...]) -> int | None:
    """The 0-based answer of a row that counts from 1; None where there is none."""
    cell = row.cells.get("answer", "")
    if not cell:
        return None
    number = int(cell) if re.fullmatch("[0-9]{1,4}", cell) else 0
    if not 1 <= number <= len(candidates):
        wanted = f"a whole number from 1 to {len(candidates)}, or nothing if it is not known"
        raise ActAlignError(f"{row.where}: answer is {cell!r}; write {wanted}")
    return number - 1


def _is_like_answer(column: str) -> bool:
    near = difflib.get_close_matches
    return bool(near("answer", [column]) or near(column, _LIKE_ANSWER, cutoff=0.75))


def _read_questions(path: Path, clips: dict[str, Clip]) -> tuple[Question, ...]:
    header, rows = read_table(path, ("clip_id", "candidate_1", "candidate_2"))
    columns = [column for column in header if column.startswith("candidate_")]
    for column in header:
        if "answer" not in header and _is_like_answer(column.lower()):
            raise ActAlignError(f"{path}: column {column!r} is unknown; did you mean 'answer'?")
        if column not in columns and (number := re.fullmatch(r"candidates?\W*_*(\d+)", column.lower())):
            raise ActAlignError(f"{path}: column {column!r} is unknown; did you mean 'candidate_{number[1]}'?")
    if columns != [f"candidate_{number}" for number in range(1, len(columns) + 1)]:
        raise ActAlignError(f"{path}: candidate columns are {columns}; number them from candidate_1 on, in order")
    questions: dict[str, Question] = {}
    for row in rows:
        clip_id = _known_clip(row, clips, path.parent)
        if clip_id in questions:
            raise ActAlignError(f"{row.where}: clip {clip_id!r} has a question already; keep one per clip")
        candidates = _candidates(row, columns)
        answer = _answer(row, candidates)
        try:
            questions[clip_id] = Question(clip_id, candidates=candidates, answer=answer)
        except ActAlignError as error:
            raise ActAlignError(f"{row.where}: {error}") from error
    return tuple(questions.values())


def _known_clip(row: Row, clips: dict[str, Clip], root: Path) -> str:
    clip_id = row.text("clip_id")
    if clip_id not in clips:
        near = difflib.get_close_matches(clip_id, clips, n=1)
        hint = f"did you mean {near[0]!r}?" if near else "add it there or drop this row"
        listed = "in clips.csv" if (root / "clips.csv").exists() else f"a video of {root.name}, which has no clips.csv"
        raise ActAlignError(f"{row.where}: clip {clip_id!r} is not {listed}; {hint}")
    return clip_id


def _asked(root: Path, clips: dict[str, Clip], classes: dict[str, str]) -> tuple[Question, ...]:
    """The questions of ``questions.csv``, or every clip with all of ``classes``."""
    path = root / "questions.csv"
    if not classes and not path.exists():
        raise ActAlignError(f"{root} has no questions.csv; add it, or a classes.txt with one class a line")
    if not classes:
        return _read_questions(path, clips)
    if path.exists():
        raise ActAlignError(f"{root} has both questions.csv and classes.txt; keep the one that says what is asked")
    return tuple(Question(clip_id, candidates=tuple(classes), answer=None) for clip_id in clips)


def _frame_labels(row: Row) -> tuple[str, ...]:
    """One label per frame from the run-length form "toss*12 swing*9"."""
    labels: list[str] = []
    for run in row.text("labels").split():
        match = re.fullmatch(r"(.+)\*([1-9][0-9]{0,6})", run)
        if match is None:
            raise ActAlignError(f"{row.where}: {run!r} is not a run such as toss*12 (a label and how many frames)")
        labels += [match[1]] * int(match[2])
    return tuple(labels)


def _read_frame_labels(path: Path, clips: dict[str, Clip]) -> dict[str, tuple[str, ...]]:
    _, rows = read_table(path, ("clip_id", "labels"))
    labels: dict[str, tuple[str, ...]] = {}
    for row in rows:
        clip_id = _known_clip(row, clips, path.parent)
        if clip_id in labels:
            raise ActAlignError(f"{row.where}: clip {clip_id!r} is labelled twice; keep one row")
        labels[clip_id] = _frame_labels(row)
    return labels


def _read_lists(path: Path) -> dict[str, tuple[str, ...]]:
    """{class: texts} from a JSON file in which every class has at least one text and none is empty."""
    lists: dict[str, tuple[str, ...]] = {}
    for name, entry in read_json(path).items():
        if not isinstance(entry, list) or not entry:
            raise ActAlignError(f"{path}, class {name!r}: {entry!r:.80}; write a list of at least one text")
        if not all(isinstance(text, str) and text.strip() for text in entry):
            raise ActAlignError(f"{path}, class {name!r}: {entry!r:.80} holds something that is not a text or is empty")
        lists[name] = tuple(entry)
    return lists


def _read_class_names(path: Path, classes: list[str]) -> dict[str, tuple[str, ...]]:
    """The names of every class; without a file, a class is called by its id."""
    if not path.exists():
        return {name: (name,) for name in classes}
    names = _read_lists(path)
    if unnamed := [name for name in classes if name not in names]:
        raise ActAlignError(f"{path}: {len(unnamed)} class(es) have no name, the first is {unnamed[0]!r}; add them")
    return names


def read_folder(root: str | os.PathLike[str], *, name: str | None = None, verify: bool = True) -> Dataset:
    """Read and check a data folder (its files are listed at the top of this module).

    A candidate without a script is no error here, as some methods need none: see
    :func:`actalign.scripts.check_scripts`. An empty split reads as "test".

    Args:
        root: the folder.
        name: what to call the data set; the folder's own name by default.
        verify: compare the files with ``registry.sha256`` first, if the folder has one.

    Raises:
        ActAlignError: no clips or nothing asked about them, a malformed file, a missing column, a clip listed
            twice, a question about an unknown clip, an answer out of range, or files that differ from the
            registry. The message names the file, the line and the value.

    >>> from actalign.files import write_whole
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     write_whole(Path(folder) / "clips.csv", "clip_id,path,sport\\n001,a b.mp4,tennis\\n")
    ...     write_whole(Path(folder) / "questions.csv", "clip_id,answer,candidate_1,candidate_2\\n001,2,serve,lob\\n")
    ...     read_folder(folder, name="mine").questions[0].truth
    'lob'
    """
    root = Path(root)
    if not root.is_dir():
        raise ActAlignError(f"{root.absolute()} is not a folder; give the folder that holds the videos or clips.csv")
    if verify and (root / REGISTRY).exists():
        verify_registry(root)
    classes = read_classes(root / "classes.txt") if (root / "classes.txt").exists() else {}
    clips = _read_clips(root) if (root / "clips.csv").exists() else find_clips(root, sports=set(classes.values()))
    questions = _asked(root, clips, classes)
    scripts = read_styles(root / "scripts")
    named = [name for question in questions for name in question.candidates]
    named = list(dict.fromkeys(named + [name for style in scripts.values() for name in style]))
    labels_path, steps_path = root / "frame_labels.csv", root / "class_steps.json"
    return Dataset(
        name or root.resolve().name,
        root,
        clips,
        questions,
        scripts=scripts,
        class_names=_read_class_names(root / "class_names.json", named),
        frame_labels=_read_frame_labels(labels_path, clips) if labels_path.exists() else {},
        class_steps=_read_lists(steps_path) if steps_path.exists() else {},
        class_sports={name: sport for name, sport in classes.items() if sport},
    )
