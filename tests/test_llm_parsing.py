"""Reading replies: the shapes that models really send, each failure by name, and any text at all."""

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actalign.llm.failures import NEXT_STEP, RETRYABLE, STOPPING, Failure, Kind
from actalign.llm.parsing import parse
from actalign.llm.prompts import STYLES, find_style
from actalign.llm.tolerant import Pairs, clean_step, json_values, plain
from actalign.records import Script

SERVE = {"Kick serve": "tennis"}
TWO = {"Kick serve": "tennis", "Slice serve": "tennis"}
STEPS = ("toss the ball", "bend the knees", "brush up the ball")


def the_steps(reply: str, **options: object) -> tuple[str, ...]:
    found = parse(reply, SERVE, **options)["Kick serve"]  # type: ignore[arg-type]
    assert isinstance(found, Script), found
    assert (found.class_name, found.sport) == ("Kick serve", "tennis")
    return found.steps


def the_kind(reply: str, **options: object) -> Kind:
    found = parse(reply, SERVE, **options)["Kick serve"]  # type: ignore[arg-type]
    assert isinstance(found, Failure), found
    return found.kind


@pytest.mark.parametrize(
    "reply",
    [
        '{"class": "Kick serve", "steps": ["toss the ball", "bend the knees", "brush up the ball"]}',
        '```json\n{"class": "Kick serve", "steps": ["toss the ball", "bend the knees", "brush up the ball"]}\n```',
        'Sure! Here it is: {"steps": ["toss the ball", "bend the knees", "brush up the ball"]} Enjoy [sic].',
        '{"class": "Kick serve", "steps": ["toss the ball", "bend the knees", "brush up the ball",],}',
        "{'class': 'Kick serve', 'steps': ['toss the ball', 'bend the knees', 'brush up the ball']}",
        "{class: “Kick serve”, steps: [“toss the ball”, “bend the knees”, “brush up the ball”]}",
        '{"class": "Kick serve"\n"steps": ["toss the ball"\n"bend the knees"\n "brush up the ball"]}',
        '{"class": "KICK-SERVE", // as asked\n"steps": ["toss the ball", "bend the knees", "brush up the ball"]}',
        '{"scripts": [{"class": "kick  serve.", "steps": ["toss the ball", "bend the knees", "brush up the ball"]}]}',
        '{"Kick serve": ["toss the ball", "bend the knees", "brush up the ball"]}',
        '{"Kick serve": {"sport": "tennis", "steps": ["toss the ball", "bend the knees", "brush up the ball"]}}',
        '{"script": {"class": "Kick serve", "steps": ["toss the ball", "bend the knees", "brush up the ball"]}}',
        '{"class": "Kick serve", "script": {"steps": ["toss the ball", "bend the knees", "brush up the ball"]}}',
        '{"first": {"class": "Kick serve", "steps": ["toss the ball", "bend the knees", "brush up the ball"]}}',
        '{"Kick serve": {"1": "toss the ball", "2": "bend the knees", "3": "brush up the ball"}}',
        '{"steps": {"first": "toss the ball", "second": "bend the knees", "third": "brush up the ball"}}',
        '{"Kick serve": "1. toss the ball\\n2. bend the knees\\n3. brush up the ball"}',
        '{"class": "Kick serve", "steps": [{"step": 1, "description": "toss the ball"}, '
        '{"step": 2, "description": "bend the knees"}, {"step": 3, "description": "brush up the ball"}]}',
        '{"steps": [{"step": "1", "description": "toss the ball"}, {"step": "2", "description": "bend the knees"}, '
        '{"step": "3", "description": "brush up the ball"}]}',
        '{"steps": "toss the ball\\nbend the knees\\nbrush up the ball"}',
        '{"class": "Ｋｉｃｋ serve", "steps": ["toss the ball", "bend the knees", "brush up the ball"]}',
        '{"1": "toss the ball", "2": "bend the knees", "3": "brush up the ball"}',
        '["Step 1: toss the ball", "Step 2: bend the knees", "Step 3: brush up the ball"]',
        '[{"step": "toss the ball"}, {"step": "bend the knees"}, {"step": "brush up the ball"}]',
        "1. toss the ball\n2. bend the knees\n3. brush up the ball",
        "Steps:\n1) Toss the ball\n2) Bend the knees\n3) Brush up the ball".lower(),
        "Kick serve:\n- toss the ball\n- bend the knees\n- brush up the ball",
        "**Kick Serve**\n\n* **toss the ball**.\n* bend the knees;\n* brush up the ball\n\nI hope this helps!",
        "Step 1: toss the ball\nStep 2: bend the knees\nStep 3: brush up the ball",
        "Sub-actions in order: 1. toss the ball 2. bend the knees 3. brush up the ball",
        '<think>{"steps": ["a guess"]}</think>{"steps": ["another"]}<thinking>No.</thinking>'
        '{"steps": ["toss the ball", "bend the knees", "brush up the ball"]}',
        "{”class”: ”Kick serve”, ”steps”: [”toss the ball”, ”bend the knees”, ”brush up the ball”]}",
        "<think>1. a guess 2. another</think>\n1. toss the ball\n2. bend the knees\n3. brush up the ball",
        "1. First phase:\n- toss the ball\n2. Second phase:\n- bend the knees\n- brush up the ball",
        "Phase one:\n- toss the ball\nPhase two:\n- bend the knees\n- brush up the ball",
        '"steps": ["toss the ball", "bend the knees", "brush up the ball"]',
        '{"kick serve": ["run"], "Kick serve": ["toss the ball", "bend the knees", "brush up the ball"]}',
        2 * '{"class": "Kick serve", "steps": ["toss the ball", "bend the knees", "brush up the ball"]}\n',
        '{"class": "Slice serve", "steps": ["carve"]}\n'
        '{"class": "Kick serve", "steps": ["toss the ball", "bend the knees", "brush up the ball"]}',
    ],
)
def test_the_usual_shapes_give_the_same_script(reply: str) -> None:
    assert the_steps(reply) == STEPS


@pytest.mark.parametrize("key", ["sub-actions", "Sub_Actions", "phrases", "script", "sequence", "sub-action sequence"])
def test_steps_go_by_several_names(key: str) -> None:
    assert the_steps(json.dumps({"class": "Kick serve", key: STEPS})) == STEPS


@pytest.mark.parametrize("key", ["class", "Class Name", "name", "action", "label"])
def test_the_class_goes_by_several_names(key: str) -> None:
    assert the_steps(json.dumps({key: "Kick serve", "steps": STEPS})) == STEPS
    assert the_kind(json.dumps({key: "Slice serve", "steps": STEPS})) == Kind.RENAMED_CLASS


@pytest.mark.parametrize("key", ["scripts", "classes", "results", "answer", "answers", "data", "response", "output"])
def test_scripts_may_stand_in_a_list_of_any_usual_name(key: str) -> None:
    assert the_steps(json.dumps({key: [{"class": "Kick serve", "steps": STEPS}]})) == STEPS


def test_several_classes_in_one_answer() -> None:
    as_json = json.dumps(
        {"scripts": [{"class": "slice serve", "steps": ["carve"]}, {"class": "Kick serve", "steps": ["toss"]}]}
    )
    as_text = "1. Kick serve\n- toss\n\n2. Slice-Serve:\n- carve"
    assert the_steps("1. Kick serve\n2. toss") == ("Kick serve", "toss"), "of one class it is a step"
    for reply in (as_json, as_text):
        assert parse(reply, TWO) == {
            "Kick serve": Script("Kick serve", "tennis", ("toss",)),
            "Slice serve": Script("Slice serve", "tennis", ("carve",)),
        }


def test_two_classes_of_like_names_each_get_their_own() -> None:
    classes = {"Lob": "tennis", "lob": "golf"}
    found = parse('{"lob": ["chip"], "Lob": ["lift"]}', classes)
    assert found == {"Lob": Script("Lob", "tennis", ("lift",)), "lob": Script("lob", "golf", ("chip",))}
    (alone, _) = parse('{"lob": ["chip"]}', classes).values()
    assert isinstance(alone, Failure) and alone.kind == Kind.MISSING_CLASS, "that script is the other's"


def test_names_without_a_letter_are_told_apart() -> None:
    (found,) = parse('{"class": "+++", "steps": ["toss", "hit"]}', {"***": "tennis"}).values()
    assert isinstance(found, Failure) and found.kind == Kind.RENAMED_CLASS


def test_a_script_without_a_name_is_nobodys_where_several_were_asked_for() -> None:
    found = parse('{"steps": ["toss", "hit"]}', TWO).values()
    assert [each.kind for each in found if isinstance(each, Failure)] == [Kind.MISSING_CLASS] * 2


@pytest.mark.parametrize(
    ("kind", "reply", "options"),
    [
        (Kind.REFUSAL, "I'm sorry, but I can't help with that.", {}),
        (Kind.REFUSAL, "I’m sorry, I cannot help. Instead:\n- ask a coach\n- read a book", {}),
        (Kind.REFUSAL, "As an AI model I am unable to describe this.", {}),
        (Kind.REFUSAL, '{"class": "Kick serve", "steps": ["I cannot describe this"]}', {}),
        (Kind.REFUSAL, "", {"refusal": "No."}),
        (Kind.REFUSAL, "1. toss\n2. hit", {"refusal": "No."}),
        (Kind.TRUNCATION, "1. toss the ball\n2. bend the", {"finish_reason": "length"}),
        (Kind.TRUNCATION, '{"class": "Kick serve", "steps": ["toss the ball", "ben', {}),
        (Kind.TRUNCATION, '{"class": "Kick serve", "steps": ["toss the ball"', {}),
        (Kind.TRUNCATION, '[{"class": "Slice serve", "steps": ["a", "b"]}, {"class": "Kick', {}),
        (Kind.CONTENT_FILTER, "", {"finish_reason": "content_filter"}),
        (Kind.INVALID_JSON, "", {}),
        (Kind.INVALID_JSON, "A kick serve is a lovely thing.", {}),
        (Kind.INVALID_JSON, "See chapter 1. It is a lovely thing.", {}),
        (Kind.INVALID_JSON, "[1, 2, 3]", {}),
        (Kind.MISSING_CLASS, '{"scripts": []}', {}),
        (Kind.MISSING_CLASS, "{}", {}),
        (Kind.RENAMED_CLASS, '{"class": "Topspin serve", "steps": ["toss", "hit"]}', {}),
        (Kind.RENAMED_CLASS, "Class: Topspin serve\n1. toss\n2. hit", {}),
        (Kind.DUPLICATE_CLASS, '{"kick serve": ["hit"], "kick-serve": ["run"]}', {}),
        (Kind.DUPLICATE_CLASS, '{"Kick serve": ["toss"], "Kick serve": ["hit"]}', {}),
        (Kind.EMPTY_STEPS, '{"class": "Kick serve", "steps": []}', {}),
        (Kind.EMPTY_STEPS, '{"class": "Kick serve", "steps": ["toss", " ... "]}', {}),
        (Kind.EMPTY_STEPS, '{"class": "Kick serve", "steps": ["toss", null, 3]}', {}),
        (Kind.DUPLICATE_STEPS, '{"class": "Kick serve", "steps": ["toss", "hit", "Toss."]}', {}),
        (Kind.WRONG_COUNT, '{"class": "Kick serve", "steps": ["toss", "hit"]}', {"steps": (10, 10)}),
        (Kind.WRONG_COUNT, '{"class": "Kick serve", "steps": ["a", "b", "c"]}', {"steps": (1, 2)}),
    ],
)
def test_every_failure_has_its_name(kind: Kind, reply: str, options: dict[str, object]) -> None:
    assert the_kind(reply, **options) == kind


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        ('{"class": "Chip", "steps": ["a"]} {"class": "Flop", "steps": ["b"]}', "has 'Chip' where 'Kick serve' was"),
        ('{"steps": ["toss", "", "..."]}', "2 of its 3 steps are empty"),
        ('{"steps": []}', "it has no steps"),
        ('{"steps": ["toss", "hit", "run"]}', "it has 3 steps; 2 are asked for"),
        ('{"steps": ["toss", "Hit", "hit"]}', "the step 'hit' comes twice"),
        ('{"kick serve": ["a"], "kick-serve": ["b"], "KICK SERVE": ["c"]}', "'Kick serve' 3 different scripts"),
        ('{"class": "Kick serve", "steps": ["toss", "' + 100 * "up " + "and o", "JSON: 'up up up .*and o'"),
    ],
)
def test_a_reason_says_what_was_found(reply: str, said: str) -> None:
    found = parse(reply, SERVE, steps=(2, 2))["Kick serve"]
    assert isinstance(found, Failure) and re.search(said, found.reason)


def test_a_reason_shows_where_a_reply_was_cut_off() -> None:
    found = parse("1. toss\n" + 40 * "2. run\n" + "3. hi", SERVE, finish_reason="length")["Kick serve"]
    assert isinstance(found, Failure) and found.reason.endswith("2. run 3. hi'") and "toss" not in found.reason


def test_sorry_before_an_answer_is_no_refusal() -> None:
    assert the_steps('{"steps": ["I cannot be seen", "I jump up"]}') == ("I cannot be seen", "I jump up")
    assert the_steps("Sorry for the delay!\n1. toss\n2. hit") == ("toss", "hit")


def test_words_inside_steps_stay_as_they_are() -> None:
    steps = ["the player's foot slides", "a 1.5 turn", "two-handed grip, then hit", "می‌پرد بالا", 'say "go" and run']
    reply = json.dumps({"class": "Kick serve", "steps": steps}, ensure_ascii=False)
    assert the_steps(reply) == tuple(steps)
    assert the_steps(reply.replace('\\"', '"'))[:4] == tuple(steps[:4])
    assert json_values(json.dumps(["a slash \\", "hit"])) == ([["a slash \\", "hit"]], False)
    assert json_values("['the player's foot slides', 'hit']") == ([["the player's foot slides", "hit"]], False)


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("- 2. **Toss** the ball.", "Toss the ball"),
        ('"toss\nthe   ball",', "toss the ball"),
        ("toss \ud800the\x00ball", "toss the ball"),
        ("***", ""),
        ('"toss the ball,"', "toss the ball"),
        ("'the player's swing'", "the player's swing"),
        ("“the players' feet slide”", "the players' feet slide"),
        ('"ready" stance, then "set"', '"ready" stance, then "set"'),
        ("'go' is called, then 'now'", "'go' is called, then 'now'"),
        ("180 degree turn", "180 degree turn"),
    ],
)
def test_steps_are_cleaned(text: str, cleaned: str) -> None:
    assert clean_step(text) == cleaned


def test_reasons_show_what_was_wrong_in_one_short_line() -> None:
    found = parse("word\n" * 500, SERVE)["Kick serve"]
    assert isinstance(found, Failure)
    assert "\n" not in found.reason
    assert len(found.reason) < 160
    assert "word word" in found.reason


def test_every_kind_has_a_next_step_and_a_complaint_where_it_can_be_repaired() -> None:
    assert set(NEXT_STEP) == set(Kind)
    of_replies = [kind for kind in Kind if kind not in RETRYABLE | STOPPING][:10]
    assert of_replies[-1] == Kind.WRONG_COUNT
    for prompt in STYLES.values():
        for kind in of_replies:
            assert prompt.complaint(kind).endswith("as one JSON object.")
    assert "exactly 10" in find_style("short_fixed").complaint(Kind.WRONG_COUNT)
    assert "at least 10" in find_style("released").complaint(Kind.WRONG_COUNT)
    assert "2 to 20" in find_style("context_rich").complaint(Kind.WRONG_COUNT)


def test_the_styles_are_those_of_the_paper() -> None:
    facts = {name: (prompt.temperature, prompt.steps) for name, prompt in STYLES.items()}
    assert facts == {
        "short_fixed": (1.0, (10, 10)),
        "context_rich": (1.0, (2, 20)),
        "context_rich_t02": (0.2, (2, 20)),
        "released": (1.0, (10, None)),
    }
    assert STYLES["context_rich"].sha256 == STYLES["context_rich_t02"].sha256 != STYLES["released"].sha256


def test_braces_in_a_class_name_are_text() -> None:
    assert "Class: a {sport} {0}" in STYLES["released"].messages("a {sport} {0}", sport="x")[1]["content"]


BITS = st.sampled_from(
    [
        *"{}[]\":,\\\n'“”‘’-*. 1",
        "steps",
        "class",
        "Kick serve",
        '{"steps": [',
        "```",
        "</think>",
        "Step 2:",
        "\ud800",
        "null",
    ]
)
TEXTS = (
    st.text() | st.lists(BITS).map("".join) | st.lists(BITS, max_size=40).map(lambda bits: '{"steps":' + "".join(bits))
)


@settings(max_examples=400)
@given(TEXTS, st.sampled_from([SERVE, TWO]))
def test_any_text_gives_a_script_or_a_failure_for_every_class(text: str, classes: dict[str, str]) -> None:
    found = parse(text, classes)
    assert list(found) == list(classes)
    for name, result in found.items():
        assert isinstance(result, Script | Failure)
        if isinstance(result, Script):
            assert result.class_name == name
            assert all(step == clean_step(step) or step for step in result.steps)
            assert "\ud800" not in "".join(result.steps)
            assert len(set(map(plain, result.steps))) == len(result.steps)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["steps", "class", "1", "x"]), inner),
    max_leaves=12,
)


@settings(max_examples=200)
@given(VALUES)
def test_any_json_gives_a_script_or_a_failure(value: object) -> None:
    (result,) = parse(json.dumps(value), SERVE).values()
    assert isinstance(result, Script | Failure)


@settings(max_examples=100)
@given(st.lists(st.text("abc xyz'\",:", min_size=1).filter(lambda text: any(map(str.isalpha, text))), min_size=1))
def test_sound_json_is_read_as_it_is(steps: list[str]) -> None:
    assert json_values(json.dumps({"steps": steps})) == ([Pairs([("steps", steps)])], False)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"a":' * 50_000,
        '"a"' * 50_000,
        "['" + "a'b" * 50_000,
        "1. " * 50_000,
        '{"steps": ["a"' + "\n" * 50_000 + "x",
    ],
)
def test_long_nonsense_ends(text: str) -> None:
    assert isinstance(parse(text, SERVE)["Kick serve"], Failure | Script)
