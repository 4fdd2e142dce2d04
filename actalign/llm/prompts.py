"""The prompt styles: what a model is asked, word for word.

The paper describes its three styles by their facts alone: Short-Fixed has exactly 10 phrases of 2-3 words at
temperature 1.0; Context-Rich has a variable number of longer steps with cues from the sport, at temperature 1.0
and at 0.2. Its released scripts ask for something else again, at least 10 phrases of a few words each. The texts
below are our own wording of these facts, not the paper's prompts.

Each call asks for one class. The paper asks for the candidates of a question together; but a class stands in many
questions, and a data set keeps one script per class, so asking per question would pay for the same class many times
and then have to choose. One class a call also fails, is repaired and is kept one at a time. What is lost is that
the model cannot set the candidates of a question against each other.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from actalign.errors import ActAlignError
from actalign.llm.failures import Kind

Message = Mapping[str, str]

SYSTEM = """\
You break an action from a sport down into its script: the sub-actions that a camera sees, in the order in which \
they happen. Describe only what is visible: bodies, equipment, surroundings.

Answer with one JSON object and nothing else:
{"class": "<the class, spelled exactly as given>", "steps": ["<first sub-action>", "<second sub-action>", ...]}"""

GIVEN = """\
Sport: {sport}
Class: {class_name}

"""
SHORT_FIXED = """\
Write exactly 10 sub-actions. Each is a phrase of 2 or 3 words for one movement. \
Do not number them and do not repeat any."""

CONTEXT_RICH = """\
Write as many sub-actions as the action needs; most need 4 to 6. Each is one phrase of about 13 words that tells which \
part of the body moves, how and where to, and names the equipment, surface or stance as people in this sport do. \
Choose what sets this class apart from similar ones. Do not number them and do not repeat any."""

RELEASED = """\
Write at least 10 sub-actions. Each is a phrase of a few words for one movement. \
Do not number them and do not repeat any."""

SCHEMA = {
    "type": "json_schema",
    "json_schema": {
        "name": "script",
        "strict": True,
        "schema": {
            "type": "object",
            "properties": {"class": {"type": "string"}, "steps": {"type": "array", "items": {"type": "string"}}},
            "required": ["class", "steps"],
            "additionalProperties": False,
        },
    },
}
"""The ``response_format`` sent to an endpoint that has structured output."""


@dataclass(frozen=True)
class Prompt:
    """One style: its texts, its temperature, and how many steps and words a step it asks for.

    ``steps`` is the least and the most allowed (None: no upper limit) and is checked when a reply is read;
    ``words`` and ``usual_steps`` are for estimates; the linter holds short_fixed alone to its number of words.

    >>> STYLES["short_fixed"].messages("kick serve", sport="tennis")[1]["content"].splitlines()[:2]
    ['Sport: tennis', 'Class: kick serve']
    """

    system: str
    user: str
    temperature: float
    steps: tuple[int, int | None]
    words: tuple[int, int]
    usual_steps: int

    @property
    def sha256(self) -> str:
        """Names the wording: it changes when a word of the templates does."""
        return hashlib.sha256(json.dumps([self.system, self.user]).encode()).hexdigest()

    def messages(self, class_name: str, *, sport: str) -> tuple[Message, ...]:
        """The system and the user message for one class."""
        user = self.user.format(class_name=class_name, sport=sport)
        return {"role": "system", "content": self.system}, {"role": "user", "content": user}

    def complaint(self, kind: Kind) -> str:
        """What to tell the model about a reply that could not be used. The words depend on nothing but the kind."""
        return f"{_COMPLAINTS[kind].format(count=self.count)} Answer again for this class, as one JSON object."

    @property
    def count(self) -> str:
        """The number of steps in words: "exactly 10", "at least 10" or "2 to 20"."""
        least, most = self.steps
        if most is None:
            return f"at least {least}"
        return f"exactly {least}" if least == most else f"{least} to {most}"


STYLES: dict[str, Prompt] = {
    "short_fixed": Prompt(SYSTEM, GIVEN + SHORT_FIXED, 1.0, steps=(10, 10), words=(2, 3), usual_steps=10),
    "context_rich": Prompt(SYSTEM, GIVEN + CONTEXT_RICH, 1.0, steps=(2, 20), words=(8, 20), usual_steps=5),
    "context_rich_t02": Prompt(SYSTEM, GIVEN + CONTEXT_RICH, 0.2, steps=(2, 20), words=(8, 20), usual_steps=5),
    "released": Prompt(SYSTEM, GIVEN + RELEASED, 1.0, steps=(10, None), words=(2, 6), usual_steps=10),
}
"""Style -> prompt. A new style is one line here."""

_COMPLAINTS = {
    Kind.REFUSAL: "This is a description of a sport for people who study video; nothing in it is harmful.",
    Kind.TRUNCATION: "That reply was cut off before its end; keep it shorter.",
    Kind.CONTENT_FILTER: "Nothing of that reply arrived; describe the movements in neutral words.",
    Kind.INVALID_JSON: "That reply holds no steps that can be read.",
    Kind.MISSING_CLASS: "That reply does not hold the class that was asked for.",
    Kind.RENAMED_CLASS: "That reply changes the name of the class; spell it exactly as given.",
    Kind.DUPLICATE_CLASS: "That reply gives more than one script for the class; give one.",
    Kind.EMPTY_STEPS: "That reply has no steps, or empty ones; write every step in words.",
    Kind.DUPLICATE_STEPS: "That reply repeats a step; every step must differ from the others.",
    Kind.WRONG_COUNT: "That reply has the wrong number of steps; give {count}.",
}


def find_style(style: str) -> Prompt:
    """The prompt of a style.

    Raises:
        ActAlignError: there is no such style.

    >>> find_style("short_fixed").temperature
    1.0
    """
    if style not in STYLES:
        raise ActAlignError(f"prompt style {style!r} is unknown; choose one of {sorted(STYLES)}")
    return STYLES[style]


def repair(messages: tuple[Message, ...], *, reply: str, complaint: str) -> tuple[Message, ...]:
    """The conversation so far, the reply that could not be used (where there was one) and the complaint.

    >>> [message["role"] for message in repair((), reply="Hm.", complaint="Again.")]
    ['assistant', 'user']
    """
    said: list[dict[str, Any]] = [{"role": "assistant", "content": reply}] if reply.strip() else []
    return *messages, *said, {"role": "user", "content": complaint}
