"""From the text of a reply to scripts, or to a failure with a name. Pure: any text gives one or the other."""

import re
from collections.abc import Mapping

from actalign.llm.failures import Failure, Kind
from actalign.llm.tolerant import Pairs, clean_step, json_values, listed, plain, text_groups
from actalign.records import Script

Group = tuple[str | None, list[str]]
"""The name a reply gives a class (None: it gives none) and its steps, cleaned; "" where nothing was left."""

_NAME_KEYS = frozenset({"class", "classname", "name", "action", "label"})
_STEP_KEYS = frozenset({"steps", "subactions", "phrases", "script", "sequence", "subactionsequence"})
_WRAPPER_KEYS = frozenset({"scripts", "classes", "results", "answer", "answers", "data", "response", "output"})
_NUMBER_KEY = re.compile(r"^(?:sub-?action|step|phrase)?[\s_-]*\d+$", re.IGNORECASE)
_THOUGHT = re.compile(r"^.*</think(?:ing)?>", re.DOTALL | re.IGNORECASE)
_REFUSAL = re.compile(
    r"^\W*(?:(?:i'?m |i am )?(?:very |so )?sorry[,.!]?\W*)?(?:but )?(?:unfortunately,? )?(?:as an ai\b.{0,80}?)?"
    r"i(?:'m| am)? ?(?:can'?t|cannot|can not|won'?t|will not|unable to|not able to|must decline)",
    re.IGNORECASE | re.DOTALL,
)


def parse(
    reply: str,
    classes: Mapping[str, str],
    *,
    steps: tuple[int, int | None] = (1, None),
    finish_reason: str | None = "stop",
    refusal: str | None = None,
) -> dict[str, Script | Failure]:
    """A script or a failure for every class of ``classes`` (class -> sport), in their order.

    Read without complaint: JSON in a fence or in prose, trailing commas, single quotes, numbered and bulleted lists,
    "Step 1:", several classes in one reply, a class spelled with other case, spaces or punctuation, and a reply that
    names no class where only one was asked for. Steps lose their numbers, quotes and last full stop.

    Args:
        steps: the least and the most steps a script may have (None: no upper limit).
        finish_reason, refusal: what the endpoint says beside the text: a reply cut short is never taken for whole.

    >>> parse("Here you are:\\n1. toss the ball\\n2. swing up.", {"serve": "tennis"})["serve"]
    Script(class_name='serve', sport='tennis', steps=('toss the ball', 'swing up'))
    >>> print(parse('{"class": "lob", "steps": []}', {"lob": "tennis"}, finish_reason="length")["lob"].kind)
    truncation
    """
    said = _said_by_endpoint(reply, finish_reason, refusal)
    if said is not None:
        return dict.fromkeys(classes, said)
    groups, cut = _groups(reply, classes)
    if groups is None:
        return dict.fromkeys(classes, _unreadable(reply, cut))
    found: dict[str, Script | Failure] = {}
    for name, sport in classes.items():
        chosen = _choose(name, groups, classes, cut=cut)
        found[name] = chosen if isinstance(chosen, Failure) else _script(name, sport, chosen, steps)
    return found


def _said_by_endpoint(reply: str, finish_reason: str | None, refusal: str | None) -> Failure | None:
    if finish_reason == "content_filter":
        return Failure(Kind.CONTENT_FILTER, "the endpoint's content filter stopped the reply")
    if refusal:
        return Failure(Kind.REFUSAL, f"the model refused: {_shown(refusal)}")
    if finish_reason == "length":
        return Failure(Kind.TRUNCATION, f"the reply was cut off at the token limit: {_shown(reply[-60:])}")
    return None


def _unreadable(reply: str, cut: bool) -> Failure:
    if not reply.strip():
        return Failure(Kind.INVALID_JSON, "the reply is empty")
    if cut:
        return Failure(Kind.TRUNCATION, f"the reply ends in the middle of its JSON: {_shown(reply[-60:])}")
    if _refuses(reply):
        return Failure(Kind.REFUSAL, f"the model refused: {_shown(reply)}")
    return Failure(Kind.INVALID_JSON, f"no JSON and no list of steps in the reply: {_shown(reply)}")


def _refuses(text: str) -> bool:
    return _REFUSAL.match(text.replace("’", "'")) is not None


def _groups(reply: str, classes: Mapping[str, str]) -> tuple[list[Group] | None, bool]:
    """Everything in the reply that looks like a script (None: nothing readable), and whether JSON was cut off."""
    text = _THOUGHT.sub("", reply)
    values, cut = json_values(text)
    groups = [group for value in values for group in _of_value(value)]
    if groups or any(isinstance(value, Pairs) for value in values):
        return groups, cut
    if cut or _refuses(text):
        return None, cut
    lists: list[Group] = [(name, [clean_step(item) for item in items]) for name, items in text_groups(text, classes)]
    return lists or None, False


def _of_value(value: object) -> list[Group]:
    """The scripts in one JSON value, in whichever of the usual shapes."""
    if isinstance(value, Pairs):
        return _of_object(value)
    if not isinstance(value, list):
        return []
    inner = [group for item in value if isinstance(item, list) for group in _of_value(item)]
    if inner or not value:
        return inner
    return [(None, _steps(value))] if any(isinstance(item, str) or _longest(item) for item in value) else []


def _of_object(pairs: Pairs) -> list[Group]:
    keyed = [(plain(key), value) for key, value in pairs]
    for key, value in keyed:
        if key in _STEP_KEYS and isinstance(value, list | str):
            names = [text.strip() for key, text in keyed if key in _NAME_KEYS and isinstance(text, str)]
            outer = names[0] if names else None
            if isinstance(value, Pairs) and any(plain(key) in _STEP_KEYS for key, _ in value):
                return [(name or outer, steps) for name, steps in _of_object(value)]
            return [(outer, _steps(value))]
    for key, value in keyed:
        if key in _WRAPPER_KEYS and isinstance(value, list):
            return _of_value(value)
    if _numbered(pairs):
        return [(None, _steps(pairs))]
    groups: list[Group] = []
    for key, value in pairs:
        if isinstance(value, Pairs):
            groups += [(name or key.strip(), steps) for name, steps in _of_object(value)]
        elif isinstance(value, list) or (isinstance(value, str) and len(listed(value)) > 1):
            groups.append((key.strip(), _steps(value)))
    return groups


def _numbered(value: object) -> bool:
    return isinstance(value, Pairs) and bool(value) and all(_NUMBER_KEY.match(key.strip()) for key, _ in value)


def _steps(value: object) -> list[str]:
    if isinstance(value, Pairs):
        value = [item for _, item in value]
    if isinstance(value, str):
        value = listed(value) or value.splitlines() or [""]
    if not isinstance(value, list):
        return []
    return [clean_step(item if isinstance(item, str) else _longest(item)) for item in value]


def _longest(item: object) -> str:
    """The longest text of a step that is an object, such as {"step": "1", "description": "toss the ball"}."""
    texts = [text for _, text in item if isinstance(text, str)] if isinstance(item, Pairs) else []
    return max(texts, key=len, default="")


def _choose(name: str, groups: list[Group], classes: Mapping[str, str], *, cut: bool) -> list[str] | Failure:
    """The steps that the reply gives a class."""
    exact = [steps for given, steps in groups if given == name]
    alike = [steps for given, steps in groups if given not in classes and plain(given or "") == plain(name)]
    unnamed = [steps for given, steps in groups if not given] if len(classes) == 1 else []
    for candidates in (exact, alike, unnamed):
        if candidates and any(steps != candidates[0] for steps in candidates):
            return Failure(Kind.DUPLICATE_CLASS, f"the reply gives {name!r} {len(candidates)} different scripts")
        if candidates:
            return candidates[0]
    if cut:
        return Failure(Kind.TRUNCATION, f"the reply ends before {name!r}")
    asked = {plain(wanted) for wanted in classes}
    others = [given for given, _ in groups if given and plain(given) not in asked]
    if others:
        return Failure(Kind.RENAMED_CLASS, f"the reply has {_shown(others[0])} where {name!r} was asked for")
    return Failure(Kind.MISSING_CLASS, f"the reply has no script for {name!r}")


def _script(name: str, sport: str, steps: list[str], allowed: tuple[int, int | None]) -> Script | Failure:
    empty = sum(not step for step in steps)
    if not steps or empty:
        reason = f"{empty} of its {len(steps)} steps are empty" if steps else "it has no steps"
        return Failure(Kind.EMPTY_STEPS, reason)
    if len(steps) == 1 and _refuses(steps[0]):
        return Failure(Kind.REFUSAL, f"the model refused: {_shown(steps[0])}")
    seen: set[str] = set()
    for step in steps:
        if plain(step) in seen:
            return Failure(Kind.DUPLICATE_STEPS, f"the step {_shown(step)} comes twice")
        seen.add(plain(step))
    least, most = allowed
    if len(steps) < least or (most is not None and len(steps) > most):
        wanted = f"at least {least}" if most is None else f"{least}" if least == most else f"{least} to {most}"
        return Failure(Kind.WRONG_COUNT, f"it has {len(steps)} steps; {wanted} are asked for")
    return Script(name, sport=sport, steps=tuple(steps))


def _shown(text: str) -> str:
    """A text of a stranger in one short line."""
    line = " ".join(text.split())
    return repr(line if len(line) <= 80 else f"{line[:77]}...")
