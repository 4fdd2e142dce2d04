"""A data set kept in one folder of CSV and JSON files, the sample's own layout::

    clips.csv              clip_id,path,sport and, where known, split,family,subset,start_s,end_s
    questions.csv          clip_id,answer,candidate_1,...,candidate_N     (answer counts from 1)
    scripts/<style>.json   see actalign.scripts
    class_names.json       {"<class>": ["a name", "another draw", ...]}   (optional)
    class_steps.json       {"<class>": ["sub_action_id", ...]}            (optional)
    frame_labels.csv       clip_id,labels  as in "toss*12 swing*9"        (optional)
    registry.sha256        see actalign.datasets.registry                 (optional)

A clip's path may be absolute; otherwise it starts from the folder. Whether the video is there is found out when
it is decoded, so that one lost file costs one clip and not the run. Everything else is checked here.
"""

import csv
import difflib
import math
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from actalign.datasets.registry import REGISTRY, verify_registry
from actalign.errors import ActAlignError
from actalign.records import Clip, Dataset, Question, Script
from actalign.scripts import read_json, read_scripts

_CLIP_COLUMNS = ("clip_id", "path", "sport")
_OPTIONAL_CLIP_COLUMNS = ("split", "family", "subset", "start_s", "end_s")


@dataclass(frozen=True)
class _Row:
    """One line of a table: its cells as text, stripped, and where it stands."""

    where: str
    cells: dict[str, str]

    def text(self, column: str) -> str:
        if not self.cells[column]:
            raise ActAlignError(f"{self.where}: {column} is empty; fill it in")
        return self.cells[column]

    def seconds(self, column: str) -> float | None:
        cell = self.cells.get(column, "")
        if not cell:
            return None
        try:
            value = float(cell)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise ActAlignError(f"{self.where}: {column} is {cell!r}; write seconds such as 12.5, or leave it empty")
        return value


def _cells(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The lines of a CSV file that are not blank, with their numbers; every cell stays text ("001" is "001")."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file, strict=True)
            for cells in reader:
                if any("\0" in cell for cell in cells):
                    raise ActAlignError(f"{path}, line {reader.line_num}: holds a NUL character; the file is damaged")
                if any(cell.strip() for cell in cells):
                    yield reader.line_num, [cell.strip() for cell in cells]
    except FileNotFoundError as error:
        raise ActAlignError(f"{path.parent} has no {path.name}; add it (see actalign.datasets.folder)") from error
    except OSError as error:
        raise ActAlignError(f"cannot read {path}: {error.strerror}; check the file") from error
    except UnicodeDecodeError as error:
        raise ActAlignError(f"{path} is not UTF-8 text; save it as 'CSV UTF-8'") from error
    except csv.Error as error:
        raise ActAlignError(f"{path}, line {reader.line_num}: not valid CSV ({error}); mend that line") from error


def _read_table(path: Path, required: tuple[str, ...]) -> tuple[list[str], list[_Row]]:
    """The header and rows of a CSV file whose header has at least the ``required`` columns."""
    lines = _cells(path)
    _, header = next(lines, (0, []))
    if absent := [column for column in required if column not in header]:
        joined = any(mark in cell for cell in header for mark in ";\t")
        hint = "separate the columns by commas" if joined else "add them to the first line"
        raise ActAlignError(f"{path}: column(s) {', '.join(absent)} missing; it has {header}: {hint}")
    if repeated := sorted({column for column in header if column and header.count(column) > 1}):
        raise ActAlignError(f"{path}: column {repeated[0]!r} appears twice; rename one")
    rows = []
    for number, cells in lines:
        where = f"{path}, line {number}"
        if len(cells) != len(header):
            raise ActAlignError(f"{where}: {len(cells)} cells under {len(header)} columns; write empty cells too")
        rows.append(_Row(where, dict(zip(header, cells, strict=True))))
    if not rows:
        raise ActAlignError(f"{path} has a header but no rows; add at least one")
    return header, rows


def _read_clips(root: Path) -> dict[str, Clip]:
    path = root / "clips.csv"
    header, rows = _read_table(path, _CLIP_COLUMNS)
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


def _candidates(row: _Row, columns: list[str]) -> tuple[str, ...]:
    shown = [row.cells[column] for column in columns]
    while shown and not shown[-1]:
        shown.pop()
    if "" in shown:
        raise ActAlignError(f"{row.where}: {columns[shown.index('')]} is empty but a later one is not; close the gap")
    if len(shown) < 2:
        raise ActAlignError(f"{row.where}: {len(shown)} candidate(s); a question needs at least 2")
    return tuple(shown)


def _answer(row: _Row, candidates: tuple[str, ...]) -> int:
    """The 0-based answer of a row that counts from 1."""
    cell = row.text("answer")
    number = int(cell) if re.fullmatch("[0-9]{1,4}", cell) else 0
    if not 1 <= number <= len(candidates):
        raise ActAlignError(f"{row.where}: answer is {cell!r}; write a whole number from 1 to {len(candidates)}")
    return number - 1


def _read_questions(path: Path, clips: dict[str, Clip]) -> tuple[Question, ...]:
    header, rows = _read_table(path, ("clip_id", "answer", "candidate_1", "candidate_2"))
    columns = [column for column in header if column.startswith("candidate_")]
    if columns != [f"candidate_{number}" for number in range(1, len(columns) + 1)]:
        raise ActAlignError(f"{path}: candidate columns are {columns}; number them from candidate_1 on, in order")
    questions: dict[str, Question] = {}
    for row in rows:
        clip_id = _known_clip(row, clips)
        if clip_id in questions:
            raise ActAlignError(f"{row.where}: clip {clip_id!r} has a question already; keep one per clip")
        candidates = _candidates(row, columns)
        answer = _answer(row, candidates)
        try:
            questions[clip_id] = Question(clip_id, candidates=candidates, answer=answer)
        except ActAlignError as error:
            raise ActAlignError(f"{row.where}: {error}") from error
    return tuple(questions.values())


def _known_clip(row: _Row, clips: dict[str, Clip]) -> str:
    clip_id = row.text("clip_id")
    if clip_id not in clips:
        raise ActAlignError(f"{row.where}: clip {clip_id!r} is not in clips.csv; add it there or drop this row")
    return clip_id


def _frame_labels(row: _Row) -> tuple[str, ...]:
    """One label per frame from the run-length form "toss*12 swing*9"."""
    labels: list[str] = []
    for run in row.text("labels").split():
        match = re.fullmatch(r"(.+)\*([1-9][0-9]{0,6})", run)
        if match is None:
            raise ActAlignError(f"{row.where}: {run!r} is not a run such as toss*12 (a label and how many frames)")
        labels += [match[1]] * int(match[2])
    return tuple(labels)


def _read_frame_labels(path: Path, clips: dict[str, Clip]) -> dict[str, tuple[str, ...]]:
    _, rows = _read_table(path, ("clip_id", "labels"))
    labels: dict[str, tuple[str, ...]] = {}
    for row in rows:
        clip_id = _known_clip(row, clips)
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


def _read_styles(folder: Path) -> dict[str, dict[str, Script]]:
    """{style: {class: script}}; a folder that has no scripts yet gives none."""
    styles: dict[str, dict[str, Script]] = {}
    for path in sorted(folder.glob("[!.]*.json")):
        style, scripts = read_scripts(path)
        if style != path.stem:
            raise ActAlignError(f"{path} says its style is {style!r}; give the file and its style the same name")
        styles[style] = scripts
    return styles


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
        ActAlignError: a missing or malformed file, a missing column, a clip listed twice, a question about an
            unknown clip, an answer out of range, or files that differ from the registry. The message names the
            file, the line and the value.

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
        raise ActAlignError(f"{root.absolute()} is not a folder; give the folder that holds clips.csv")
    if verify and (root / REGISTRY).exists():
        verify_registry(root)
    clips = _read_clips(root)
    questions = _read_questions(root / "questions.csv", clips)
    scripts = _read_styles(root / "scripts")
    classes = [name for question in questions for name in question.candidates]
    classes = list(dict.fromkeys(classes + [name for style in scripts.values() for name in style]))
    labels_path, steps_path = root / "frame_labels.csv", root / "class_steps.json"
    return Dataset(
        name or root.resolve().name,
        root,
        clips,
        questions,
        scripts=scripts,
        class_names=_read_class_names(root / "class_names.json", classes),
        frame_labels=_read_frame_labels(labels_path, clips) if labels_path.exists() else {},
        class_steps=_read_lists(steps_path) if steps_path.exists() else {},
    )
