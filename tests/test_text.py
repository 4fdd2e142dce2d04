"""Text preparation: what exactly the encoder is given."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actalign.errors import ActAlignError
from actalign.text import TextPolicy, canonicalise, in_sport, prepare, released_template

SIGLIP = TextPolicy(padding="max_length", max_length=64, lower_case=False)
SIGLIP2 = TextPolicy(padding="max_length", max_length=64, lower_case=True)
WORDY = st.text().filter(lambda text: text.strip(" .") and " ".join(text.split()).strip(" ."))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("swing up", "swing up"),
        ("  swing\t\n up ", "swing up"),
        ("swing up.", "swing up"),
        ("swing up ...", "swing up"),
        ("swing up\u00a0again", "swing up again"),
        ("turn 1.5 times. Then stop", "turn 1.5 times. Then stop"),
        (".5 turns", ".5 turns"),
        ("Swing UP", "Swing UP"),
        ("élan vital!", "élan vital!"),
    ],
)
def test_canonicalise(text: str, expected: str) -> None:
    assert canonicalise(text) == expected


@given(WORDY)
def test_canonicalise_twice_changes_nothing(text: str) -> None:
    once = canonicalise(text)
    assert canonicalise(once) == once


@pytest.mark.parametrize("text", ["", "   ", "\n\t", ".", " . . "])
def test_an_empty_text_is_refused(text: str) -> None:
    with pytest.raises(ActAlignError, match="is empty once cleaned"):
        canonicalise(text)


def test_half_a_character_is_refused() -> None:
    with pytest.raises(ActAlignError, match="holds half a character"):
        canonicalise("swing \ud83c")


@pytest.mark.parametrize("value", [None, 3, float("nan"), b"swing", ["swing"]])
def test_a_value_that_is_no_text_is_refused(value: Any) -> None:
    with pytest.raises(ActAlignError, match="not a text"):
        canonicalise(value)


def test_in_sport_adds_the_sport() -> None:
    assert in_sport("toss the ball.", " table  tennis ") == "toss the ball in table tennis"


@pytest.mark.parametrize(
    "step", ["toss the ball in tennis", "toss the ball in Tennis.", "Toss the ball IN TENNIS", "in tennis"]
)
def test_in_sport_does_not_double_the_sport(step: str) -> None:
    assert in_sport(step, "tennis") == step.rstrip(".")


@pytest.mark.parametrize(
    ("step", "sport"),
    [("toss the ball in table tennis", "tennis"), ("begin tennis", "tennis"), ("in tennis shoes", "tennis")],
)
def test_in_sport_is_added_where_the_step_only_resembles_it(step: str, sport: str) -> None:
    assert in_sport(step, sport) == f"{step} in {sport}"


@given(WORDY, WORDY)
def test_in_sport_twice_changes_nothing(step: str, sport: str) -> None:
    once = in_sport(step, sport)
    assert in_sport(once, sport) == once


@pytest.mark.parametrize(("step", "sport"), [("", "tennis"), ("toss", " ")])
def test_in_sport_refuses_empty_parts(step: str, sport: str) -> None:
    with pytest.raises(ActAlignError, match="is empty"):
        in_sport(step, sport)


def test_released_template_is_the_released_sentence() -> None:
    sentence = released_template("step back.", "uchi mata", "judo")
    assert sentence == "This is a video of doing uchi mata in judo with step back"


@pytest.mark.parametrize("parts", [("", "uchi mata", "judo"), ("step", "", "judo"), ("step", "uchi mata", "")])
def test_released_template_refuses_empty_parts(parts: tuple[str, str, str]) -> None:
    with pytest.raises(ActAlignError, match="is empty"):
        released_template(*parts)


def test_prepare_keeps_order_and_case_for_siglip() -> None:
    assert prepare(["Toss the Ball. ", "Swing"], SIGLIP) == ["Toss the Ball", "Swing"]


def test_prepare_lowers_case_for_siglip_2() -> None:
    assert prepare(["Toss the Ball. ", "Straße"], SIGLIP2) == ["toss the ball", "straße"]


def test_prepare_leaves_its_input_alone() -> None:
    texts = ["Toss the Ball. "]
    prepare(texts, SIGLIP2)
    assert texts == ["Toss the Ball. "]


def test_prepare_names_the_empty_text() -> None:
    with pytest.raises(ActAlignError, match="'  '"):
        prepare(["swing", "  "], SIGLIP)


def test_prepare_refuses_a_lone_string() -> None:
    with pytest.raises(ActAlignError, match="wrap it in a list"):
        prepare("swing", SIGLIP)


def test_policy_refuses_an_unknown_padding() -> None:
    with pytest.raises(ActAlignError, match=r"'batch'.*max_length.*longest"):
        TextPolicy(padding="batch", max_length=64, lower_case=False)  # type: ignore[arg-type]


def test_policy_refuses_a_length_of_nothing() -> None:
    with pytest.raises(ActAlignError, match="max_length is 0"):
        TextPolicy(padding="longest", max_length=0, lower_case=False)
