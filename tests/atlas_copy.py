"""Writes small copies of the ActionAtlas table with the schema of its releases: parquet as on the hub, and JSONL."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

GOAL = {"description": "GOAL", "bounding_poly": {"vertices": [[4, 6], [40, 6], [40, 20], [4, 20]]}}
SCORE = {"description": "2:0", "bounding_poly": {"vertices": [[0, 40], [20, 40], [20, 50], [0, 50]]}}


def atlas_row(number: int, **changed: Any) -> dict[str, Any]:
    """A faultless row of the table: a clip of tennis or judo from 0.5 s to 1.5 s of the video ``video<number>``."""
    sport = ("tennis", "judo")[number % 2]
    choices = [f"{sport} move {letter}" for letter in "abcde"]
    answer = number % 5 + 1
    return {
        "id": f"{number:03d}",
        "youtube_id": f"video{number}",
        "action": choices[answer - 1],
        "domain": sport,
        "question": f"Which {sport} move is it?",
        "answer": answer,
        "choices_str": "\n".join(f"{place}. {choice}" for place, choice in enumerate(choices, start=1)),
        "choice_descriptions": [f"How {choice} looks." for choice in choices],
        "start_timestamp": 0.52,
        "end_timestamp": 1.48,
        "youtube_metadata": {"title": f"Video {number}", "duration": 3, "upload_date": None},
        "frames_to_obfuscate": {"1": [GOAL], "3": [GOAL, SCORE]} if number % 3 == 0 else None,
        **changed,
    }


def write_parquet(path: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    """The rows as the hub has them: every row has every frame that any row masks, null where it masks none."""
    import pyarrow
    import pyarrow.parquet

    pyarrow.parquet.write_table(pyarrow.Table.from_pylist([dict(row) for row in rows]), path)
    return path


def write_jsonl(path: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    """The rows as the JSONL release has them, where the masks have another name."""
    lines = []
    for row in rows:
        renamed = {"frames_to_blur" if name == "frames_to_obfuscate" else name: value for name, value in row.items()}
        lines.append(json.dumps(renamed) + "\n")
    path.write_text("".join(lines), encoding="utf-8")
    return path
