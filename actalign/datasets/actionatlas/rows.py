"""One row of ActionAtlas as released -> its question, its window of a video, its text masks, or what is wrong (pure).

A row is never dropped: what cannot be used says why in ``question_fault`` or ``clip_fault``.
"""

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from actalign.errors import ActAlignError
from actalign.files import printable
from actalign.masks import Region
from actalign.records import Question

MASK_COLUMNS = ("frames_to_obfuscate", "frames_to_blur")
"""What the two releases, on the hub and as JSONL, call the text masks."""
UNREADABLE = "unreadable"
"""The only key of a row that could not be read at all; its value says why."""
_NUMBERED = re.compile(r"(\d+)(?:[.):]\s*|\s+[-\u2013\u2014]\s+|\s+|$)(.*)")
_YOUTUBE_ID = re.compile(r"[\w-]{1,64}", re.ASCII)


@dataclass(frozen=True)
class AtlasRow:
    """A row of the benchmark: ``number`` counts from 0, seconds are of the whole video, rounded to 0.1.

    ``question`` is None where ``question_fault`` says why; ``clip_fault`` says why no video can be had for the row.
    ``regions`` maps a frame number, as listed, to the texts in that frame.
    """

    number: int
    id: str
    youtube_id: str = ""
    sport: str = ""
    action: str = ""
    question: Question | None = None
    start_s: float | None = None
    end_s: float | None = None
    regions: Mapping[int, tuple[Region, ...]] = field(default_factory=dict)
    question_fault: str = ""
    clip_fault: str = ""

    @property
    def fault(self) -> str:
        """Everything that is wrong with the row; "" if nothing is."""
        return "; ".join(filter(None, (self.question_fault, self.clip_fault)))


def parse_choices(text: str) -> tuple[str, ...]:
    """The candidates of a numbered list, one a line; blank lines and a missing dot do not matter.

    Raises:
        ActAlignError: a line does not begin with the next number, or fewer than two candidates.

    >>> parse_choices("1. 360 flip\\n\\n2 50-50 grind\\n3) 1.5 somersault")
    ('360 flip', '50-50 grind', '1.5 somersault')
    """
    found: list[str] = []
    for line in filter(None, map(str.strip, re.split(r"[\r\n]", text))):  # a name may hold odder separators
        match = _NUMBERED.fullmatch(line)
        if match is None or int(match[1]) != len(found) + 1:
            raise ActAlignError(f"choices_str: {line!r:.80} does not begin with '{len(found) + 1}.'; mend the list")
        if not match[2]:
            raise ActAlignError(f"choices_str: choice {match[1]} has no text; mend the list")
        found.append(match[2])
    if len(found) < 2:
        raise ActAlignError(f"choices_str is {text!r:.80}; a question needs at least 2 choices, numbered from 1")
    return tuple(found)


def parse_rows(raw_rows: Iterable[Mapping[str, Any]]) -> tuple[AtlasRow, ...]:
    """Every row of the released table, in its order; ids are unique among rows without fault.

    >>> (row,) = parse_rows([{"id": "7", "youtube_id": "abc", "action": "lob", "domain": "tennis", "answer": 2,
    ...                       "choices_str": "1. serve\\n2. lob", "start_timestamp": 3.04,
    ...                       "end_timestamp": 8.96, "frames_to_obfuscate": None}])
    >>> row.question.truth, row.start_s, row.end_s, row.fault
    ('lob', 3.0, 9.0, '')
    """
    rows: list[AtlasRow] = []
    seen: dict[str, int] = {}
    for number, raw in enumerate(raw_rows):
        row = _parse_row(number, raw)
        if row.id in seen:
            fault = f"id {row.id!r} is that of row {seen[row.id]} already"
            row = AtlasRow(number, row.id, row.youtube_id, row.sport, row.action, question_fault=fault)
        seen.setdefault(row.id, number)
        rows.append(row)
    return tuple(rows)


def _parse_row(number: int, raw: Mapping[str, Any]) -> AtlasRow:
    if UNREADABLE in raw:
        return AtlasRow(number, f"row-{number}", question_fault=str(raw[UNREADABLE]))
    sport, action, youtube_id = (_text(raw.get(name)) for name in ("domain", "action", "youtube_id"))
    window: tuple[float | None, float | None] = (None, None)
    regions: dict[int, tuple[Region, ...]] = {}
    question, question_fault, clip_fault = None, "", ""
    row_id = _row_id(raw, number)
    try:
        question = _question(row_id, raw)
    except ActAlignError as error:
        question_fault = str(error)
    try:
        if not _YOUTUBE_ID.fullmatch(youtube_id):
            raise ActAlignError(f"youtube_id is {youtube_id!r:.80}; it should be letters, digits, - and _")
        window = _window(raw)
        regions = _regions(raw)
    except ActAlignError as error:
        clip_fault = str(error)
    return AtlasRow(
        number, row_id, youtube_id, sport, action, question, *window, regions, question_fault, clip_fault
    )  # fmt: skip


def _text(value: object) -> str:
    return "" if _absent(value) else printable(str(value).strip())


def _absent(value: object) -> bool:
    """Whether a cell is empty: null, or the NaN that a table program writes in its place."""
    return value is None or (isinstance(value, float) and math.isnan(value))


def _row_id(raw: Mapping[str, Any], number: int) -> str:
    """The row's id; where a release has none, the name its own cutter gives the segment."""
    if given := _text(raw.get("id")):
        return given
    try:
        start_s, end_s = _window(raw)
    except ActAlignError:
        return f"row-{number}"
    return f"{_text(raw.get('youtube_id'))}_{start_s}_{end_s}"


def _question(row_id: str, raw: Mapping[str, Any]) -> Question:
    candidates = parse_choices(_text(raw.get("choices_str")))
    answer = raw.get("answer")
    match = re.fullmatch(r"([0-9]{1,3})(\.0)?", _text(answer))
    number = int(match[1]) if match else 0
    if not 1 <= number <= len(candidates):
        raise ActAlignError(f"answer is {answer!r}; it should count from 1 to {len(candidates)}")
    if not _text(raw.get("domain")):
        raise ActAlignError("domain is empty; it should name the sport")
    return Question(row_id, candidates=candidates, answer=number - 1)


def _seconds(raw: Mapping[str, Any], column: str) -> float:
    try:
        value = float(raw[column])
    except (KeyError, TypeError, ValueError, OverflowError):
        value = math.nan
    if not (math.isfinite(value) and value >= 0):
        raise ActAlignError(f"{column} is {raw.get(column)!r:.80}; it should be seconds, 0 or more")
    return round(value, 1)


def _window(raw: Mapping[str, Any]) -> tuple[float, float]:
    start_s, end_s = _seconds(raw, "start_timestamp"), _seconds(raw, "end_timestamp")
    if end_s <= start_s:
        raise ActAlignError(f"the segment ends at {end_s} s, not after its start at {start_s} s (rounded to 0.1 s)")
    return start_s, end_s


def _regions(raw: Mapping[str, Any]) -> dict[int, tuple[Region, ...]]:
    """Frame number -> texts in it. Frames that are listed as null, as a table must list them, have none."""
    listed = next((raw[name] for name in MASK_COLUMNS if raw.get(name) and not _absent(raw[name])), None)
    if isinstance(listed, str):
        try:
            listed = json.loads(listed)
        except json.JSONDecodeError as error:
            raise ActAlignError(f"text masks are not valid JSON ({error})") from error
    if listed is None:
        return {}
    if not isinstance(listed, Mapping):
        raise ActAlignError(f"text masks are {listed!r:.80}; they should map frame numbers to lists of texts")
    found = {}
    for number, texts in listed.items():
        if not texts:
            continue
        try:
            found[int(number)] = tuple(_region(text) for text in texts)
        except (AttributeError, IndexError, KeyError, OverflowError, TypeError, ValueError) as error:
            raise ActAlignError(f"text masks of frame {number!r}: {texts!r:.80} cannot be read ({error!r})") from error
    return found


def _region(text: Mapping[str, Any]) -> Region:
    vertices = (text.get("bounding_poly") or {}).get("vertices") or ()
    return Region(_text(text.get("description")), tuple(map(_corner, vertices)))


def _corner(vertex: Any) -> tuple[int, int]:
    """[x, y], or {"x": ..., "y": ...} in which a coordinate of 0 may be left out."""
    x, y = (vertex.get("x"), vertex.get("y")) if isinstance(vertex, Mapping) else vertex
    return int(x or 0), int(y or 0)
