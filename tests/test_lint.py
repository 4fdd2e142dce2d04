"""The linter for scripts: one good and one bad example per rule, and no false alarm on the sample."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from actalign.datasets import load
from actalign.errors import ActAlignError
from actalign.lint import FUNCTION_WORDS, GENERIC_WORDS, NEAR_IDENTICAL, RULES, lint, lint_dataset, script_similarity
from actalign.records import Dataset, Question, Script

SEEN = ("step back with the left foot", "swing the racket over the shoulder", "hit the ball high above the net")


def script(*steps: str, name: str = "lob", sport: str = "tennis") -> Script:
    return Script(name, sport=sport, steps=steps or SEEN)


def found(*scripts: Script, questions: tuple[Question, ...] = (), **known: Any) -> list[tuple[object, ...]]:
    """(class, step, rule) of every finding but notes."""
    table = lint({one.class_name: one for one in scripts}, questions=questions, **known)
    table = table[table["severity"] != "note"]
    return [
        (row["class"], None if pd.isna(row["step"]) else row["step"], row["rule"])
        for row in table.to_dict(orient="records")
    ]


def count_words(texts: Sequence[str]) -> list[int]:
    return [len(text.split()) for text in texts]


def test_a_good_script_has_no_findings() -> None:
    assert found(script()) == []
    whole = lint({"lob": script()}, questions=[], token_count=count_words, max_tokens=64)
    assert whole.empty
    assert list(whole.columns) == ["class", "step", "rule", "severity", "message", "text"]


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        (("squat", "hit the ball"), [(1, "vague")]),
        (("hit the ball", "..."), [(2, "vague")]),
        (("get ready", "hit the ball"), [(1, "vague")]),
        (("hit the ball", "Follow through."), [(2, "vague")]),
        (("hit the ball", "the final position"), [(2, "vague")]),
        (("begin the kick", "hit the ball"), [(1, "vague")]),
        (("with the", "hit the ball"), [(1, "vague")]),
        (("deep squat", "hit the ball"), []),
        (("begin with a high kick", "hit the ball"), []),
        (("follow the ball with both eyes", "hit the ball"), []),
        (("step back", "hit the ball"), []),
    ],
)
def test_a_step_says_what_can_be_seen(steps: tuple[str, ...], expected: list[tuple[int, str]]) -> None:
    assert [finding[1:] for finding in found(script(*steps))] == expected


def test_a_vague_step_names_the_words_that_cannot_be_seen() -> None:
    table = lint({"lob": script("now the load phase", "hit the ball")}, questions=[])
    row = table[table["rule"] == "vague"].iloc[0]
    assert row["message"].startswith("'now', 'phase' cannot be seen")
    assert (row["severity"], row["text"]) == ("warning", "now the load phase")
    assert FUNCTION_WORDS.isdisjoint(GENERIC_WORDS)


def test_repeated_steps_are_found_whatever_their_case_spaces_and_stops() -> None:
    assert found(script("Swing  up.", "hit the ball", "swing up")) == [("lob", 3, "duplicate")]
    (said,) = lint({"lob": script("hit it", "swing up", "hit the ball", "swing up")}, questions=[])[:1]["message"]
    assert said == "the same as step 2: say what differs, or drop one"
    assert found(script("swing up", "hit the ball", "swing up again")) == []
    one, other = script("swing up", "hit it"), script("swing up", "drop it", name="drop")
    assert found(one, other) == [], "the same step in two scripts is no repetition"


@pytest.mark.parametrize(
    ("steps", "numbers"),
    [
        (("finally swing up", "first step back", "hit the ball"), [1, 2]),
        (("then step back", "hit the ball"), [1]),
        (("Next, step back", "hit the ball"), [1]),
        (("step back", "initially swing up"), [2]),
        (("step back", "Finally, swing up", "hit the ball"), [2]),
        (("first step back", "then swing up", "finally hit the ball"), []),
        (("bend, then jump high", "hit the ball"), []),
        (("slide to first base", "hit the ball"), []),
        (("long last stride", "last stride is short", "jump up high"), []),
    ],
)
def test_order_words_stand_where_they_belong(steps: tuple[str, ...], numbers: list[int]) -> None:
    assert found(script(*steps)) == [("lob", number, "order_words") for number in numbers]


def test_short_fixed_has_ten_steps_of_two_or_three_words() -> None:
    ten = [f"raise arm {letter}" for letter in "bcdefghijk"]
    assert found(script(*ten), style="short_fixed") == []
    assert found(script(*ten[:9]), style="short_fixed") == [("lob", None, "step_count")]
    assert found(script(*ten, "raise both"), style="short_fixed") == [("lob", None, "step_count")]
    longer = ("raise the left arm", *ten[1:])
    assert found(script(*longer), style="short_fixed") == [("lob", 1, "word_count")]
    assert found(script(*longer), style="context_rich") == []
    assert found(script(*ten[:9]), style="released") == [("lob", None, "step_count")]
    assert found(script(*ten, *longer[:1]), style="released") == []
    message = lint({"lob": script(*ten[:9])}, style="short_fixed", questions=[]).iloc[0]["message"]
    assert message == "9 steps; style short_fixed has 10"


def test_a_script_of_one_step_has_no_order_to_align() -> None:
    assert found(script("hit the ball"), style="context_rich") == [("lob", None, "step_count")]


@pytest.mark.parametrize("sport", ["", " ", "Unknown", "n/a", "sport"])
def test_a_script_names_its_sport(sport: str) -> None:
    assert found(script(sport=sport)) == [("lob", None, "no_sport")]
    assert found(script(sport="judo")) == []


def test_candidates_have_scripts() -> None:
    question = Question("clip-1", ("lob", "smash"), 0)
    assert found(script(), questions=(question,)) == [("smash", None, "no_script")]
    assert "no_script" in lint({}, questions=[question])["rule"].tolist()


def test_a_script_that_a_renamed_class_left_behind_is_named() -> None:
    asked = [Question("clip-1", ("slam dunk", "smash"), 0)]
    left = {name: script(name=name) for name in ("lob", "smash")}
    (said,) = lint(left, questions=asked).query("rule == 'no_script'")["message"]
    assert said.endswith("write one; none of these questions asks for the script of 'lob': rename it if it is this one")
    several = {**left, "serve": script(name="serve")}
    assert "asks for" not in lint(several, questions=asked)["message"].str.cat(), "nobody can tell which"


def test_a_script_has_the_sport_of_its_class() -> None:
    assert found(script(sport="tennis"), sports={"lob": "tennis ", "smash": "padel"}) == []
    assert found(script(sport="tennis"), sports={"lob": "padel"}) == [("lob", None, "other_sport")]
    assert found(script(sport="table tennis"), sports={"lob": "tennis"}) == [("lob", None, "other_sport")]
    assert found(script(sport="Tennis"), sports={"lob": "tennis"}) == [], "as in_sport reads it"
    assert found(script(sport="tennis"), sports={"lob": ""}) == [], "it is not said elsewhere"
    assert found(script(sport=""), sports={"lob": "padel"}) == [("lob", None, "no_sport")], "there is none to keep"
    data = Dataset("mine", Path("."), {}, (), scripts={"typed": {"lob": script()}}, class_sports={"lob": "padel"})
    assert "its sport is 'tennis', that of its class 'padel'" in lint_dataset(data)["message"].str.cat()


def test_tokens_are_counted_with_the_sport_added() -> None:
    scripts = {
        "lob": script("hit the ball", "hit the ball in tennis"),
        "judo": script("grip both sleeves", sport=""),
        "sweep": script("sweep", "...", sport="judo"),
    }
    seen: list[str] = []

    def count(texts: Sequence[str]) -> list[int]:
        seen.extend(texts)
        return count_words(texts)

    table = lint(scripts, questions=[], token_count=count, max_tokens=4)
    assert seen == ["hit the ball in tennis", "hit the ball in tennis", "grip both sleeves", "sweep in judo"]
    rows = table[table["rule"] == "too_long"]
    assert rows[["class", "step", "severity", "text"]].values.tolist() == [
        ["lob", 1, "error", "hit the ball in tennis"],
        ["lob", 2, "error", "hit the ball in tennis"],
    ]
    assert rows.iloc[0]["message"] == "5 tokens; the encoder reads 4: shorten it"
    five = lint(scripts, questions=[], token_count=count_words, max_tokens=5)
    assert "too_long" not in set(five["rule"])


def test_what_was_not_checked_is_said() -> None:
    table = lint({"lob": script()})
    assert table[["class", "rule", "severity"]].values.tolist() == [
        ["", "too_long", "note"],
        ["", "near_identical", "note"],
    ]
    assert all(message.startswith("not checked: pass ") for message in table["message"])


def test_a_data_set_is_checked_by_its_styles_and_the_encoder() -> None:
    data = Dataset("mine", Path("."), {}, (), scripts={"short_fixed": {"lob": script()}, "typed": {"lob": script()}})
    table = lint_dataset(data, token_count=count_words, max_tokens=8)
    rules = table[table["severity"] == "error"].groupby("style")["rule"].agg(list).to_dict()
    assert rules == {"short_fixed": ["step_count", "too_long"], "typed": ["too_long"]}


def test_a_token_count_must_fit_and_come_with_its_limit() -> None:
    with pytest.raises(ActAlignError, match="give both or neither"):
        lint({"lob": script()}, token_count=count_words)
    with pytest.raises(ActAlignError, match="give both or neither"):
        lint({"lob": script()}, max_tokens=64)
    with pytest.raises(ActAlignError, match="gave 1 numbers for 3 texts"):
        lint({"lob": script()}, token_count=lambda texts: [1], max_tokens=64)


def test_nothing_to_check_is_an_error() -> None:
    with pytest.raises(ActAlignError, match="no scripts to check"):
        lint({})


def test_scripts_are_compared_in_order_and_by_words() -> None:
    assert script_similarity(script(), script()) == 1.0
    assert script_similarity(script("Swing up."), script("swing up")) == 1.0
    assert script_similarity(script("swing up", "step back"), script("step back", "swing up")) == 0.5
    assert script_similarity(script("swing up"), script("fall down")) == 0.0
    assert script_similarity(script(*SEEN), script("toss high", *SEEN)) == pytest.approx(6 / 7), "a step put in front"
    assert script_similarity(script("a b"), script("b c d")) == pytest.approx(1 / 4)


def test_scripts_that_share_nine_of_ten_steps_are_near_identical() -> None:
    scripts = {name: script(*"abcdefghi", name, name=name) for name in ("lob", "smash")}
    assert script_similarity(*scripts.values()) == NEAR_IDENTICAL
    table = lint(scripts, questions=[Question("a", ("lob", "smash"), 0)])
    assert "near_identical" in table.loc[table["severity"] == "warning", "rule"].tolist()


def test_near_identical_candidates_are_found_once_and_only_within_a_question() -> None:
    steps = (*SEEN, "land on both feet", "turn to the right", "raise both arms")
    same = [script(*steps, name="lob"), script(*steps[:5], "raise both long arms", name="smash")]
    assert script_similarity(*same) >= NEAR_IDENTICAL
    other = script("bow low", "grip both sleeves", name="serve")
    asked = (Question("clip-1", ("smash", "serve", "lob"), 0), Question("clip-2", ("lob", "smash"), 0))
    for questions in (asked, asked[:1]):
        assert found(*same, other, questions=questions) == [("lob", None, "near_identical")]
    for questions, clip_id in ((asked, "clip-1"), (asked[1:], "clip-2")):
        table = lint({one.class_name: one for one in same}, questions=questions)
        said = table.loc[table["rule"] == "near_identical", "message"].iloc[0]
        assert said.startswith(f"96% alike to 'smash', both candidates of clip {clip_id!r}")
    assert found(*same, other, questions=(Question("clip-1", ("smash", "serve"), 0),)) == []
    turned = script(*reversed(steps), name="smash")
    assert found(same[0], turned, questions=asked[1:]) == [], "another order is another script"


def test_findings_come_in_the_order_of_the_scripts() -> None:
    scripts = {"z": script("squat", "squat", name="z"), "a": script("jump", "hit the ball", name="a")}
    table = lint(scripts, questions=[])
    assert table["class"].tolist() == ["z", "z", "z", "a", ""]
    assert table["step"].tolist()[:4] == [1, 2, 2, 1]


def test_every_rule_has_a_name_and_says_what_it_wants() -> None:
    assert all(rule.says and rule.find.__name__ == name for name, rule in RULES.items())


def test_only_what_spoils_the_numbers_is_an_error() -> None:
    """An error is what the command's exit code tells of."""
    errors = {name for name, rule in RULES.items() if rule.severity == "error"}
    assert errors == {"no_script", "no_sport", "too_long", "step_count"}


def test_the_sample_has_no_errors_and_only_its_terse_calls_are_vague() -> None:
    table = lint_dataset(load("sample", verify=False))
    assert list(table.columns) == ["style", "class", "step", "rule", "severity", "message", "text"]
    assert "error" not in set(table["severity"])
    assert set(table.loc[table["severity"] == "warning", "style"]) == {"short_fixed"}
    terse = table.loc[table["rule"] == "vague", "text"]
    assert len(terse) > 1000 and terse.str.contains(r"\b(?:now|phase|move)\b").all()


def test_a_data_set_without_scripts_says_where_they_go() -> None:
    with pytest.raises(ActAlignError, match=r"'mine' has no scripts; add here/scripts/<style>\.json"):
        lint_dataset(Dataset("mine", Path("here"), {}, ()))
