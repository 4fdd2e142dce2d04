import json
from typing import Any

import pytest
from atlas_copy import GOAL, SCORE, atlas_row

from actalign.datasets.actionatlas.rows import UNREADABLE, AtlasRow, parse_choices, parse_rows
from actalign.errors import ActAlignError
from actalign.masks import Region


def parsed(**changed: Any) -> AtlasRow:
    (row,) = parse_rows([atlas_row(0, **changed)])
    return row


def test_a_row_is_a_question_a_window_and_masks() -> None:
    row = parsed()
    assert (row.number, row.id, row.youtube_id, row.sport, row.fault) == (0, "000", "video0", "tennis", "")
    assert row.question is not None and row.question.truth == "tennis move a" == row.action
    assert (row.start_s, row.end_s) == (0.5, 1.5)
    assert sorted(row.regions) == [1, 3]
    assert row.regions[3] == (
        Region("GOAL", ((4, 6), (40, 6), (40, 20), (4, 20))),
        Region("2:0", ((0, 40), (20, 40), (20, 50), (0, 50))),
    )


@pytest.mark.parametrize(
    ("text", "choices"),
    [
        ("1. a\n2. b", ("a", "b")),
        ("\n  1. a \r\n\r\n2.b\n\n", ("a", "b")),
        ("1 360 flip\n2 50-50 grind", ("360 flip", "50-50 grind")),
        ("1.360 flip\n2.half cab", ("360 flip", "half cab")),
        ("1 - 50-50 grind\n2 \u2013 half cab", ("50-50 grind", "half cab")),
        ("1. “Ollie”\u2028\n2. Nosegrind’s\x0btwin", ("“Ollie”", "Nosegrind’s\x0btwin")),
        ("1) 1.5 somersault\n2: 2. Axel\n3. 3 turns 4", ("1.5 somersault", "2. Axel", "3 turns 4")),
        ("\n".join(f"{n}. move {n}" for n in range(1, 12)), tuple(f"move {n}" for n in range(1, 12))),
    ],
)
def test_choices_are_read_as_they_are_numbered(text: str, choices: tuple[str, ...]) -> None:
    assert parse_choices(text) == choices


@pytest.mark.parametrize("text", ["", "1. a", "a\nb", "1. a\n3. b", "1. a\nb\n2. c", "2. a\n3. b", "1. a\n2."])
def test_choices_that_are_not_numbered_from_one_are_refused(text: str) -> None:
    with pytest.raises(ActAlignError, match="choices_str"):
        parse_choices(text)


def test_a_choice_without_text_is_named() -> None:
    with pytest.raises(ActAlignError, match="choice 2 has no text"):
        parse_choices("1. a\n2.\n3. c")


@pytest.mark.parametrize("domain", [None, " ", float("nan")])
def test_a_question_needs_its_sport_which_every_sub_action_is_given(domain: Any) -> None:
    assert parsed(domain=domain).question_fault == "domain is empty; it should name the sport"


@pytest.mark.parametrize(("answer", "index"), [(1, 0), (5, 4), ("3", 2), (2.0, 1), (" 4 ", 3)])
def test_the_answer_counts_from_one(answer: Any, index: int) -> None:
    question = parsed(answer=answer).question
    assert question is not None and question.answer == index


@pytest.mark.parametrize("answer", [0, 6, -1, None, "", "two", 2.5, float("nan"), True])
def test_an_answer_out_of_range_is_named_and_the_clip_stays(answer: Any) -> None:
    row = parsed(answer=answer)
    assert row.question is None and row.question_fault == f"answer is {answer!r}; it should count from 1 to 5"
    assert row.clip_fault == "" and row.start_s == 0.5


def test_a_repeated_choice_is_named() -> None:
    assert "repeats a candidate" in parsed(choices_str="1. a\n2. a", answer=1).question_fault


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"start_timestamp": None}, "start_timestamp is None"),
        ({"end_timestamp": float("nan")}, "end_timestamp is nan"),
        ({"start_timestamp": -1.0}, "start_timestamp is -1.0"),
        ({"end_timestamp": "soon"}, "end_timestamp is 'soon'"),
        ({"start_timestamp": 1.46}, "ends at 1.5 s, not after its start at 1.5 s"),
        ({"youtube_id": None}, "youtube_id is ''"),
        ({"youtube_id": float("nan")}, "youtube_id is ''"),
        ({"youtube_id": "../../etc"}, "youtube_id is '../../etc'"),
        ({"youtube_id": "video0/../../etc"}, "youtube_id is 'video0/../../etc'"),
        ({"youtube_id": ".."}, "youtube_id is '..'"),
        ({"frames_to_obfuscate": "{"}, "not valid JSON"),
        ({"frames_to_obfuscate": [1]}, "text masks are [1]"),
        ({"frames_to_obfuscate": {"one": [GOAL]}}, "frame 'one'"),
        ({"frames_to_obfuscate": {"1": ["GOAL"]}}, "frame '1'"),
        ({"frames_to_obfuscate": {"1": [{"bounding_poly": {"vertices": [[1]]}}]}}, "frame '1'"),
    ],
)
def test_a_clip_fault_is_named_and_the_question_stays(changed: dict[str, Any], fault: str) -> None:
    row = parsed(**changed)
    assert fault in row.clip_fault and row.fault == row.clip_fault
    assert row.question is not None


@pytest.mark.parametrize("listed", [None, {}, "", "null", float("nan"), {"1": None, "2": []}])
def test_null_masks_are_no_masks(listed: Any) -> None:
    row = parsed(frames_to_obfuscate=listed)
    assert row.regions == {} and row.fault == ""


def test_masks_are_read_in_every_shape_they_were_released_in() -> None:
    plain = parsed(frames_to_obfuscate={"6": None, "7": [GOAL], "8": None}).regions
    assert list(plain) == [7]
    assert parsed(frames_to_obfuscate=None, frames_to_blur={"7": [GOAL]}).regions == plain
    assert parsed(frames_to_obfuscate=json.dumps({"7": [GOAL]})).regions == plain
    corners = [{"x": 4, "y": 6}, {"x": 40, "y": 6}, {"x": 40, "y": 20}, {"x": 4, "y": 20}]
    assert parsed(frames_to_obfuscate={"7": [{**GOAL, "bounding_poly": {"vertices": corners}}]}).regions == plain
    at_edge = {**GOAL, "bounding_poly": {"vertices": [{"y": 3}, {"x": 5}]}}
    assert parsed(frames_to_obfuscate={"7": [at_edge]}).regions[7][0].polygon == ((0, 3), (5, 0))
    assert parsed(frames_to_obfuscate={"7": [{**SCORE, "bounding_poly": None}]}).regions[7][0].polygon == ()


def test_timestamps_are_rounded_as_the_official_cutter_does() -> None:
    row = parsed(start_timestamp="12.25", end_timestamp=13.249)
    assert (row.start_s, row.end_s) == (12.2, 13.2)


def test_a_segment_may_begin_with_its_video() -> None:
    row = parsed(start_timestamp=0)
    assert (row.start_s, row.fault) == (0.0, "")


def test_every_row_is_kept_in_order_whatever_is_wrong_with_it() -> None:
    rows = parse_rows(
        [{UNREADABLE: "line 1 is torn"}, atlas_row(1), atlas_row(2, id="001"), {}, atlas_row(4, id="001")]
    )
    assert [row.number for row in rows] == [0, 1, 2, 3, 4]
    assert rows[0].fault == "line 1 is torn"
    assert rows[1].fault == ""
    assert rows[2].fault == "id '001' is that of row 1 already" and rows[2].question is None
    assert "choices_str" in rows[3].fault and "youtube_id" in rows[3].fault
    assert rows[4].fault == rows[2].fault


def test_two_rows_may_share_a_video() -> None:
    rows = parse_rows([atlas_row(0), atlas_row(1, youtube_id="video0", start_timestamp=1.0, end_timestamp=2.0)])
    assert [row.fault for row in rows] == ["", ""]


def test_half_a_character_in_an_id_can_be_written_down() -> None:
    (row,) = parse_rows([atlas_row(0, id="lob\ud800")])
    assert row.id.encode() == rb"lob\ud800"


def test_a_row_without_an_id_is_called_as_its_segment() -> None:
    assert parsed(id=None).id == parsed(id=float("nan")).id == "video0_0.5_1.5"
    assert parsed(id=17).id == "17"
    assert parsed(id=None, start_timestamp=None).id == "row-0"
