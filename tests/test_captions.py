"""When each sub-action takes place: spans by hand, spans of real alignments, WebVTT and CSV that others can read."""

import csv
import io
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from actalign.captions import LONE_FRAME_S, frame_edges_s, sub_action_spans, timeline_csv, webvtt, write_captions
from actalign.dtw import align
from actalign.errors import ActAlignError
from actalign.records import Alignment

CUE = re.compile(r"(\d+)\n(\d\d+):(\d\d):(\d\d)\.(\d{3}) --> (\d\d+):(\d\d):(\d\d)\.(\d{3})\n(.+)")


def spans(*rows: tuple[float, float, str]) -> pd.DataFrame:
    return pd.DataFrame(
        [(start, end, number, text, 0.5) for number, (start, end, text) in enumerate(rows, start=1)],
        columns=["start_s", "end_s", "sub_action", "text", "evidence"],
    )


def cues(text: str) -> list[tuple[float, float, str]]:
    """(start, end, text) of WebVTT, read by its grammar: blocks apart by blank lines, no other line among them."""
    head, *blocks = text.rstrip("\n").split("\n\n")
    assert head == "WEBVTT"
    found = []
    for block in blocks:
        match = CUE.fullmatch(block)
        assert match, block
        h, m, s, ms, h2, m2, s2, ms2 = map(int, match.groups()[1:9])
        found.append((h * 3600 + m * 60 + s + ms / 1000, h2 * 3600 + m2 * 60 + s2 + ms2 / 1000, match[10]))
    return found


def test_frames_that_several_sub_actions_share_are_shared_out() -> None:
    path = np.array([[0, 0], [0, 1], [1, 1], [2, 1], [2, 2]])
    alignment = Alignment(0.5, 2.5, path, np.array([0.1, 0.2, 0.3]))
    table = sub_action_spans(alignment, times_s=[10.0, 10.3, 10.6], steps=["a", "b", "c"])
    np.testing.assert_allclose(table["start_s"], [10.0, 10.4, 10.5])
    np.testing.assert_allclose(table["end_s"], [10.4, 10.5, 10.9])
    assert table["sub_action"].tolist() == [1, 2, 3]
    assert table["text"].tolist() == ["a", "b", "c"]
    assert table["evidence"].tolist() == [0.1, 0.2, 0.3]


def test_a_diagonal_path_changes_between_frames_and_uneven_frames_keep_their_times() -> None:
    alignment = Alignment(0.5, 1.5, np.array([[0, 0], [1, 1], [1, 2]]), np.array([0.1, 0.2]))
    table = sub_action_spans(alignment, times_s=[0.0, 0.5, 0.6], steps=["a", "b"])
    np.testing.assert_allclose(table[["start_s", "end_s"]], [[0.0, 0.5], [0.5, 0.9]])


@pytest.mark.parametrize(("steps", "frames"), [(1, 1), (1, 9), (5, 40), (7, 7), (12, 3), (6, 1)])
def test_spans_fill_the_clip_in_order_and_none_is_empty(steps: int, frames: int, rng: np.random.Generator) -> None:
    times_s = np.cumsum(rng.uniform(0.01, 0.2, frames))
    alignment = align(rng.random((steps, frames)))
    table = sub_action_spans(alignment, times_s=times_s, steps=["x"] * steps)
    starts, ends = table["start_s"].to_numpy(), table["end_s"].to_numpy()
    assert (ends > starts).all()
    np.testing.assert_array_equal(starts[1:], ends[:-1])
    assert (starts[0], ends[-1]) == (times_s[0], frame_edges_s(times_s)[-1])


def test_the_last_frame_lasts_as_long_as_the_median_one() -> None:
    assert frame_edges_s([1.0, 1.1, 1.2, 2.2])[-1] == pytest.approx(2.3)
    assert frame_edges_s([1.0]).tolist() == [1.0, 1.0 + LONE_FRAME_S]
    assert frame_edges_s([1.0, 1.5]).tolist() == [1.0, 1.5, 2.0], "two frames know how long one lasts"


@pytest.mark.parametrize("times_s", [[], [0.0, 0.0], [1.0, 0.5], [0.0, np.nan], [[0.0, 1.0]]])
def test_times_must_increase(times_s: object) -> None:
    with pytest.raises(ActAlignError, match="must be finite and increase"):
        frame_edges_s(times_s)  # type: ignore[arg-type]


@pytest.mark.parametrize(("frames", "steps"), [(3, ["a"]), (2, ["a", "b"]), (4, ["a", "b"])])
def test_an_alignment_of_something_else_is_refused(frames: int, steps: list[str]) -> None:
    alignment = align([[0.9, 0.8, 0.1], [0.1, 0.2, 0.9]])
    with pytest.raises(ActAlignError, match=r"2 sub-actions x 3 frames.* does not fit"):
        sub_action_spans(alignment, times_s=np.arange(float(frames)), steps=steps)


def test_captions_are_valid_webvtt_whatever_the_texts_hold() -> None:
    texts = ["swing <b>up</b> & turn --> stop", "two\n\nlines\r\nof text", "NOTE 1 < 2", "Kürübergang 跳"]
    table = spans(*((n / 2, (n + 1) / 2, text) for n, text in enumerate(texts)))
    read = cues(webvtt(table))
    assert [cue[:2] for cue in read] == [(0.0, 0.5), (0.5, 1.0), (1.0, 1.5), (1.5, 2.0)]
    assert [cue[2] for cue in read] == [
        "swing &lt;b&gt;up&lt;/b&gt; &amp; turn --&gt; stop",
        "two lines of text",
        "NOTE 1 &lt; 2",
        "Kürübergang 跳",
    ]


def test_cues_of_hours_and_of_less_than_a_millisecond() -> None:
    read = cues(webvtt(spans((3599.9996, 3600.0001, "a"), (360_000.0, 360_000.0004, "b"))))
    assert read[0][:2] == (3600.0, 3600.001), "rounded, and still not empty"
    assert read[1][:2] == (360_000.0, 360_000.001)


def test_the_table_comes_back_from_csv() -> None:
    table = spans((0.0, 1 / 3, 'toss, "high"'), (1 / 3, 12345.678901, "two\nlines"))
    table["evidence"] = [0.123456789, -0.5]
    rows = list(csv.DictReader(io.StringIO(timeline_csv(table))))
    assert [row["text"] for row in rows] == ['toss, "high"', "two\nlines"]
    assert (rows[1]["start_s"], rows[1]["end_s"]) == ("0.333333", "12345.678901")
    assert [row["evidence"] for row in rows] == ["0.123456789", "-0.5"]
    assert list(rows[0]) == ["start_s", "end_s", "sub_action", "text", "evidence"]


def test_spans_are_read_by_the_names_of_their_columns() -> None:
    table = spans((0.0, 1.5, "toss"), (1.5, 2.0, "hit"))
    turned = table[table.columns[::-1]].assign(score=0.25)
    assert webvtt(turned) == webvtt(table) and timeline_csv(turned) == timeline_csv(table)


def test_files_are_named_by_their_form(tmp_path: Path) -> None:
    table = spans((0.0, 1.0, "a"))
    assert write_captions(table, tmp_path / "new" / "a.vtt").read_text() == webvtt(table)
    assert write_captions(table, str(tmp_path / "a.CSV")).read_text() == timeline_csv(table)
    with pytest.raises(ActAlignError, match=r"a\.txt: '\.txt' is not a known form; end the name in \.vtt or \.csv"):
        write_captions(table, tmp_path / "a.txt")
    with pytest.raises(ActAlignError, match=r"lack the columns \['evidence'\]"):
        write_captions(table.drop(columns="evidence"), tmp_path / "b.vtt")
    assert not (tmp_path / "b.vtt").exists()
