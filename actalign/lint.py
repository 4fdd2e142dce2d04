"""A linter for scripts: what is wrong with them that can be seen before any frame is encoded. Pure.

Each rule is one function and one line in ``RULES``; its word lists are English. An error spoils what is computed, a
warning is worth a look, a note says that a check was not made. Table 1 is :func:`actalign.scripts.statistics`.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from math import inf
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
import pandas as pd

from actalign.errors import ActAlignError
from actalign.records import Dataset, Question, Script
from actalign.scripts import meant, missing_scripts
from actalign.text import in_sport

Severity = Literal["error", "warning", "note"]
TokenCount = Callable[[Sequence[str]], list[int]]

NEAR_IDENTICAL = 0.9
"""In-order similarity (:func:`script_similarity`) from which two candidates' scripts count as near-identical."""

FUNCTION_WORDS = frozenset(
    "a an and are as at be both by for from his her in into is it its of off on onto or out over the their then this "
    "through to toward towards up down with while your you".split()
)
GENERIC_WORDS = frozenset(
    "action actions athlete begin beginning begins complete completes continue continues do does doing end ending ends "
    "execute executes final finish finishes follow follows get gets go goes initial initiate initiates motion move "
    "movement moves next now perform performer performing performs phase player prepare prepares position positioning "
    "ready sequence skill stage start starting starts technique trick way".split()
)
"""Words that name no body part, no object and no visible motion. Beside one of them a step needs two other words."""

OPENING_WORDS = frozenset("first firstly initially".split())
MIDDLE_WORDS = frozenset("afterwards next subsequently then".split())
CLOSING_WORDS = frozenset("finally lastly".split())
NO_SPORT = frozenset({"", "-", "?", "any", "general", "n/a", "na", "none", "other", "sport", "sports", "unknown"})
STEPS: Mapping[str, tuple[int, float]] = MappingProxyType({"short_fixed": (10, 10), "released": (10, inf)})
WORDS: Mapping[str, tuple[int, float]] = MappingProxyType({"short_fixed": (2, 3)})
"""How many steps a style's scripts and how many words their steps have, from and to (paper, section 3)."""


@dataclass(frozen=True)
class Finding:
    """One thing a rule found: the class, the step (counted from 1; None for the whole script) and what is wrong."""

    class_name: str
    step: int | None
    message: str
    text: str = ""
    severity: Severity | None = None


@dataclass(frozen=True)
class Checked:
    """The scripts and all that is known about how they will be used."""

    scripts: Mapping[str, Script]
    style: str = ""
    questions: tuple[Question, ...] | None = None
    token_count: TokenCount | None = None
    max_tokens: int | None = None
    sports: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Rule:
    """``says`` is what a script should be like; ``find`` yields where it is not."""

    severity: Severity
    says: str
    find: Callable[[Checked], Iterable[Finding]]


def words(text: str) -> list[str]:
    """The words of a text, lower-cased, without punctuation but for inner hyphens and apostrophes.

    >>> words("Toss the ball, wide-open.")
    ['toss', 'the', 'ball', 'wide-open']
    """
    return re.findall(r"\w+(?:[-'’]\w+)*", text.casefold())


def script_similarity(one: Script, other: Script) -> float:
    """How alike two scripts are, read in order: 1 for the same steps in the same order, 0 for no word in common.

    Two steps are as alike as their sets of words (shared words / all words). Steps are paired in order, each at most
    once, so that the pairs' likeness adds up to the most; twice that sum is divided by the number of steps of both.
    Scripts with the same steps in another order are not alike: alignment tells them apart.

    >>> lob = Script("lob", sport="tennis", steps=("step back", "swing up"))
    >>> script_similarity(lob, Script("smash", sport="tennis", steps=("step back", "swing down")))
    0.66...
    """
    ours, theirs = ([frozenset(words(step)) for step in script.steps] for script in (one, other))
    best = np.zeros((len(ours) + 1, len(theirs) + 1))
    for i, a in enumerate(ours):
        for j, b in enumerate(theirs):
            alike = len(a & b) / (len(a | b) or 1)
            best[i + 1, j + 1] = max(best[i, j + 1], best[i + 1, j], best[i, j] + alike)
    return float(2 * best[-1, -1] / (len(ours) + len(theirs)))


def _steps(checked: Checked) -> Iterator[tuple[str, int, str]]:
    for name, script in checked.scripts.items():
        for number, step in enumerate(script.steps, start=1):
            yield name, number, step


def _has_sport(script: Script) -> bool:
    return script.sport.strip().casefold() not in NO_SPORT


def too_long(checked: Checked) -> Iterator[Finding]:
    """Steps that the encoder would cut, counted as it reads them: with "in {sport}" added."""
    if checked.token_count is None or checked.max_tokens is None:
        remedy = "pass token_count= and max_tokens= of the encoder (actalign lint: --checkpoint)"
        yield Finding("", None, f"not checked: {remedy}", severity="note")
        return
    rows, scripts = [row for row in _steps(checked) if words(row[2])], checked.scripts
    texts = [in_sport(step, scripts[name].sport) if _has_sport(scripts[name]) else step for name, _, step in rows]
    counts = checked.token_count(texts)
    if len(counts) != len(texts):
        raise ActAlignError(f"token_count gave {len(counts)} numbers for {len(texts)} texts; it must give one each")
    for (name, number, _), text, count in zip(rows, texts, counts, strict=True):
        if count > checked.max_tokens:
            yield Finding(name, number, f"{count} tokens; the encoder reads {checked.max_tokens}: shorten it", text)


def no_script(checked: Checked) -> Iterator[Finding]:
    """Candidates of a question that have no script."""
    for name in missing_scripts(asked := checked.questions or (), checked.scripts):
        yield Finding(name, None, f"a candidate without a script: write one{meant(name, asked, checked.scripts)}")


def no_sport(checked: Checked) -> Iterator[Finding]:
    """Scripts whose sport is empty or a stand-in, so that "in {sport}" cannot name it."""
    for name, script in checked.scripts.items():
        if not _has_sport(script):
            yield Finding(name, None, f"its sport is {script.sport!r}: name it, every step is given it as context")


def other_sport(checked: Checked) -> Iterator[Finding]:
    """Scripts whose sport is not their class's: its steps are given the one, its name the other."""
    for name, script in checked.scripts.items():
        own = checked.sports.get(name) or script.sport
        if _has_sport(script) and own.strip().casefold() != script.sport.strip().casefold():
            yield Finding(name, None, f"its sport is {script.sport!r}, that of its class {own!r}: keep one of them")


def step_count(checked: Checked) -> Iterator[Finding]:
    """Scripts with more or fewer steps than the style asks for."""
    limits = STEPS.get(checked.style, (2, inf))
    for name, script in checked.scripts.items():
        if not limits[0] <= len(script) <= limits[1]:
            yield Finding(name, None, f"{len(script)} steps; {_wanted(limits, checked.style)}")


def word_count(checked: Checked) -> Iterator[Finding]:
    """Steps with more or fewer words than the style asks for; a word is what white space sets apart, as in Table 1."""
    limits = WORDS.get(checked.style, (1, inf))
    for name, number, step in _steps(checked):
        if not limits[0] <= (count := len(step.split())) <= limits[1]:
            yield Finding(name, number, f"{count} words; {_wanted(limits, checked.style)}", step)


def _wanted(limits: tuple[int, float], style: str) -> str:
    if limits == (2, inf):
        return "write 2 or more, so that there is an order to align"
    low, high = limits
    return f"style {style} has {low}" + ("" if low == high else " or more" if high == inf else f" to {high}")


def vague(checked: Checked) -> Iterator[Finding]:
    """Steps of one word, of none but function and generic words, or of a generic word and one other."""
    for name, number, step in _steps(checked):
        said = [word for word in words(step) if word not in FUNCTION_WORDS]
        generic = [word for word in said if word in GENERIC_WORDS]
        if len(words(step)) < 2:
            yield Finding(name, number, "one word: say which part of the body or object does what", step)
        elif len(said) == len(generic) or (generic and len(said) == len(generic) + 1):
            reason = f"{', '.join(map(repr, generic))} cannot be seen" if generic else "no word in it can be seen"
            yield Finding(name, number, f"{reason}: say which part of the body or object does what", step)


def duplicate(checked: Checked) -> Iterator[Finding]:
    """Steps that repeat an earlier one of their script, word for word."""
    for name, script in checked.scripts.items():
        seen: dict[tuple[str, ...], int] = {}
        for number, step in enumerate(script.steps, start=1):
            first = seen.setdefault(tuple(words(step)), number)
            if first != number:
                yield Finding(name, number, f"the same as step {first}: say what differs, or drop one", step)


def near_identical(checked: Checked) -> Iterator[Finding]:
    """Two candidates of one question whose scripts are at least ``NEAR_IDENTICAL`` alike, in order."""
    if checked.questions is None:
        yield Finding("", None, "not checked: pass questions=, whose candidates are compared", severity="note")
        return
    asked: dict[tuple[str, str], str] = {}
    for question in checked.questions:
        known = sorted(name for name in question.candidates if name in checked.scripts)
        for pair in combinations(known, 2):
            asked.setdefault(pair, question.clip_id)
    for (one, other), clip_id in asked.items():
        if (alike := script_similarity(checked.scripts[one], checked.scripts[other])) >= NEAR_IDENTICAL:
            yield Finding(one, None, f"{alike:.0%} alike to {other!r}, both candidates of clip {clip_id!r}")


def order_words(checked: Checked) -> Iterator[Finding]:
    """Steps whose leading word contradicts their place."""
    for name, number, step in _steps(checked):
        lead, count = (words(step) or [""])[0], len(checked.scripts[name])
        if (
            (lead in OPENING_WORDS and number > 1)
            or (lead in MIDDLE_WORDS and number == 1 < count)
            or (lead in CLOSING_WORDS and number < count)
        ):
            yield Finding(name, number, f"opens with {lead!r} as step {number} of {count}: move or reword it", step)


RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "no_script": Rule("error", "every candidate has a script", no_script),
        "no_sport": Rule("error", "a script names its sport, which the context adds to every step", no_sport),
        "too_long": Rule("error", "a step with its context fits into the encoder's tokens", too_long),
        "step_count": Rule("error", "a script has as many steps as its style asks for", step_count),
        "word_count": Rule("warning", "a step has as many words as its style asks for", word_count),
        "other_sport": Rule("warning", "a script's sport is that of its class", other_sport),
        "near_identical": Rule("warning", "the candidates of a question have scripts that differ", near_identical),
        "duplicate": Rule("warning", "no step of a script repeats another", duplicate),
        "order_words": Rule("warning", "first, then and finally stand where they belong", order_words),
        "vague": Rule("warning", "a step says what can be seen", vague),
    }
)


def lint(
    scripts: Mapping[str, Script],
    *,
    style: str = "",
    questions: Iterable[Question] | None = None,
    token_count: TokenCount | None = None,
    max_tokens: int | None = None,
    sports: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """What the ``RULES`` find in the scripts of one prompt style.

    A check that needs what was not given leaves one row of severity "note" that says so.

    Args:
        scripts: {class: script}.
        style: the prompt style; some have counts of their own (``STEPS``, ``WORDS``).
        questions: whose candidates must all have scripts that differ.
        token_count: texts to their numbers of tokens, special tokens included, as the encoder counts them.
        max_tokens: how many tokens the encoder reads, ``encoder.text_policy.max_length``.
        sports: {class: its sport} where it is said elsewhere too, ``dataset.class_sports``.

    Returns:
        One row per finding: class, step (counted from 1, missing for a whole script), rule, severity ("error",
        "warning" or "note"), message, text (what was read); in the order of the scripts, notes last.

    Raises:
        ActAlignError: there is nothing to check, or only one of ``token_count`` and ``max_tokens`` is given.

    >>> lob = Script("lob", sport="tennis", steps=("then step back", "swing the racket up"))
    >>> lint({"lob": lob}, questions=[])[["class", "step", "rule", "severity"]].values.tolist()
    [['lob', 1, 'order_words', 'warning'], ['', <NA>, 'too_long', 'note']]
    """
    asked = None if questions is None else tuple(questions)
    if not (scripts or asked):
        raise ActAlignError("no scripts to check; read a script file first")
    if (token_count is None) != (max_tokens is None):
        raise ActAlignError("token_count and max_tokens belong to one encoder: give both or neither")
    checked = Checked(scripts, style, asked, token_count, max_tokens, sports or {})
    found = [(name, finding) for name, rule in RULES.items() for finding in rule.find(checked)]
    place = {name: number for number, name in enumerate(scripts)} | {"": len(scripts) + 1}
    found.sort(key=lambda row: (place.get(row[1].class_name, len(scripts)), row[1].step or 0))
    columns = ["class", "step", "rule", "severity", "message", "text"]
    rows = [(f.class_name, f.step, rule, f.severity or RULES[rule].severity, f.message, f.text) for rule, f in found]
    return pd.DataFrame(rows, columns=columns).astype({"step": "Int64"})


def lint_dataset(
    dataset: Dataset, *, token_count: TokenCount | None = None, max_tokens: int | None = None
) -> pd.DataFrame:
    """:func:`lint` over every prompt style of a data set and its questions: the same columns, ``style`` in front.

    Raises:
        ActAlignError: the data set has no scripts; or as :func:`lint`.

    >>> from pathlib import Path
    >>> scripts = {"mine": {"lob": Script("lob", sport="tennis", steps=("step back", "get ready"))}}
    >>> found = lint_dataset(Dataset("demo", Path("."), {}, (), scripts=scripts))
    >>> found.loc[found["severity"] != "note", ["style", "class", "step", "rule"]].values.tolist()
    [['mine', 'lob', 2, 'vague']]
    """
    if not dataset.scripts:
        raise ActAlignError(f"data set {dataset.name!r} has no scripts; add {dataset.root / 'scripts'}/<style>.json")
    known: dict[str, Any] = {
        "questions": dataset.questions, "sports": dataset.class_sports, "token_count": token_count,
        "max_tokens": max_tokens,
    }  # fmt: skip
    tables = {style: lint(scripts, style=style, **known) for style, scripts in dataset.scripts.items()}
    return pd.concat(tables, names=["style"]).reset_index("style").reset_index(drop=True)
