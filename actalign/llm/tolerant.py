"""Reads what models write when they are asked for JSON: JSON with flaws, or lists in plain text. Pure.

Whatever the text, these functions return; they never raise.
"""

import re
import unicodedata
from collections.abc import Collection, Iterator

MOST_STARTS = 50
"""How many opening brackets are tried before a text is taken to hold no JSON."""
DEEPEST = 20
"""Brackets inside brackets beyond which a text is no answer of a model to us."""

_CLOSING = {'"': '"', "'": "'", "“": "”", "‘": "’", "”": "”"}
_AFTER_STRING = re.compile(r"\s*(?:[,:\]}]|$)|[^\S\n]*\n\s*[\"'“{\[]")
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "b": " ", "f": " "}
_KEY = re.compile(r"[A-Za-z_]\w*(?=\s*:)")
_WORD = re.compile(r"true|false|null|none|-?\d[\d.eE+-]*", re.IGNORECASE)
_SPACE = re.compile(r"(?:\s|//[^\n]*\n)*")


class Pairs(list[tuple[str, object]]):
    """A JSON object as its (key, value) pairs, so that a repeated key is not lost."""


class _NotJsonError(Exception):
    """The bracket at hand opens no JSON."""


class _CutError(Exception):
    """The text ends before its brackets or quotes close."""


def json_values(text: str) -> tuple[list[object], bool]:
    """Every JSON object and array in a text, outermost first to last, and whether one was cut off by its end.

    Objects come as :class:`Pairs`. Forgiven: text around them, trailing or missing commas, single or curly quotes,
    quotes inside a text, bare keys, line comments.

    >>> json_values("Sure: {'steps': ['the player's swing', 'hit',],}")
    ([[('steps', ["the player's swing", 'hit'])]], False)
    >>> json_values('{"steps": ["toss", "swi')
    ([], True)
    """
    found: list[object] = []
    cut, end = False, 0
    starts = [match.start() for match in re.finditer(r"[\[{]", text)]
    for start in starts[:MOST_STARTS]:
        if start < end:
            continue
        reader = _Reader(text, start)
        try:
            found.append(reader.value(0))
        except _CutError:
            cut = True
        except _NotJsonError:
            continue
        else:
            end = reader.at
    return found, cut


class _Reader:
    def __init__(self, text: str, at: int) -> None:
        self.text, self.at = text, at

    def value(self, depth: int) -> object:
        mark = self._peek()
        if depth > DEEPEST:
            raise _NotJsonError
        if mark == "{":
            return Pairs(self._items("}", depth))
        if mark == "[":
            return [value for _, value in self._items("]", depth)]
        if mark in _CLOSING:
            return self._string(mark)
        if match := _WORD.match(self.text, self.at):
            self.at = match.end()
            return None  # numbers, true, false and null: no step and no name
        raise _NotJsonError

    def _items(self, close: str, depth: int) -> Iterator[tuple[str, object]]:
        """The pairs of an object, or the values of an array under empty keys."""
        self.at += 1
        while (mark := self._peek()) != close:
            if mark == ",":
                self.at += 1
                continue
            key = ""
            if close == "}":
                key = self._key(mark)
                if self._peek() != ":":
                    raise _NotJsonError
                self.at += 1
            yield key, self.value(depth + 1)
        self.at += 1

    def _key(self, mark: str) -> str:
        if mark in _CLOSING:
            return self._string(mark)
        if match := _KEY.match(self.text, self.at):
            self.at = match.end()
            return match.group()
        raise _NotJsonError

    def _string(self, quote: str) -> str:
        """A text in quotes. A quote closes it only before a comma, colon, bracket, a new line's value or the end."""
        start = at = self.at + 1
        close = _CLOSING[quote]
        while (at := self.text.find(close, at)) >= 0:
            if not self._escaped(at) and _AFTER_STRING.match(self.text, at + 1):
                self.at = at + 1
                return _ESCAPE.sub(_unescape, self.text[start:at])
            at += 1
        raise _CutError

    def _escaped(self, at: int) -> bool:
        slashes = 0
        while self.text[at - 1 - slashes] == "\\":
            slashes += 1
        return slashes % 2 == 1

    def _peek(self) -> str:
        match = _SPACE.match(self.text, self.at)
        self.at = match.end() if match else self.at
        if self.at >= len(self.text):
            raise _CutError
        return self.text[self.at]


def _unescape(match: re.Match[str]) -> str:
    code = match.group(1)
    return chr(int(code[1:], 16)) if len(code) == 5 else _ESCAPED.get(code, code)


_MARK = re.compile(
    r"^\s*(?:[-*+•‣▪●·–—>]+\s+|\(?\d{1,3}[.):]\s+|\(?\d{1,3}\)|(?:sub-?action|step)\s*\d{1,3}\s*[:.)–—-]\s*)",
    re.IGNORECASE,
)
_MARKUP = re.compile(r"\*\*|__|`")
_CLASS_LINE = re.compile(r"^\W*(?:class|action)(?:\s+name)?\s*[:=]\s*(.+)$", re.IGNORECASE)
_INLINE = re.compile(r"(?:^|\s)\(?\d{1,2}[.)]\s+")
_QUOTED = re.compile(r"""\"[^"]*"|'(?:[^']|(?<=\w)'(?=\w))*'|“[^“”]*”|‘(?:[^‘’]|(?<=\w)’(?=\w))*’""")
"""A text in one pair of quotes: none of the same kind inside, apostrophes aside."""


def clean_step(text: str) -> str:
    """A step without its number, bullet, quotes, mark-up, control characters and last full stop; "" if no word is left.

    >>> clean_step('Step 3: **"toss the ball."**')
    'toss the ball'
    """
    step = _MARKUP.sub("", text)
    step = "".join(" " if unicodedata.category(char) in ("Cc", "Zl", "Zp") else char for char in step if _sound(char))
    for _ in range(3):
        step = _MARK.sub("", step, count=1)
    step = step.strip().rstrip(",;")
    if _QUOTED.fullmatch(step):
        step = step[1:-1]
    step = " ".join(step.split()).rstrip(" .,;")
    return step if any(map(str.isalnum, step)) else ""


def _sound(char: str) -> bool:
    return unicodedata.category(char) != "Cs"


def listed(text: str) -> list[str]:
    """The items of the numbered or bulleted list in a text, in one line or several; [] where there is none.

    >>> listed("1. toss 2. bend 3. hit"), listed("It is quick.")
    (['toss', 'bend', 'hit'], [])
    """
    groups = text_groups(text, ())
    return [step for _, steps in groups for step in steps]


def text_groups(text: str, names: Collection[str]) -> list[tuple[str | None, list[str]]]:
    """The lists in a plain text, each with the class it stands under: (name or None, raw items).

    A line starts a class if it is one of ``names`` (case, spaces and punctuation aside) or says "Class: ...".

    >>> text_groups("Lob\\n- step back\\n- swing\\n\\nKick Serve:\\n1. toss", ["lob", "kick serve"])
    [('lob', ['- step back', '- swing']), ('kick serve', ['1. toss'])]
    """
    known = {plain(name): name for name in names}
    groups: list[tuple[str | None, list[str]]] = [(None, [])]
    for line in text.splitlines():
        bare = _MARK.sub("", _MARKUP.sub("", line), count=1).strip()
        said = _CLASS_LINE.match(line)
        item = _MARK.match(_MARKUP.sub("", line)) is not None and not bare.endswith(":")
        name = known.get(plain(bare)) or (clean_step(said.group(1)) if said else None)
        if name and not (item and len(known) < 2):  # a numbered line may head one class of several
            groups.append((name, []))
        elif item:
            groups[-1][1].append(line)
    if not any(items for _, items in groups):
        inline = [item for item in _INLINE.split(text)[1:] if item.strip()]
        groups = [(None, inline if len(inline) > 1 else [])]
    elif all(len(items) == 1 and len(_INLINE.split(items[0])) > 2 for _, items in groups if items):
        groups = [(name, [item for line in items for item in _INLINE.split(line)[1:]]) for name, items in groups]
    return [(name, items) for name, items in groups if items]


def plain(name: str) -> str:
    """A name without case, spaces and punctuation: what two spellings of one class share.

    >>> plain("Kick-Serve") == plain(" kick serve.")
    True
    """
    folded = unicodedata.normalize("NFKC", name).casefold()
    return "".join(filter(str.isalnum, folded)) or folded.strip()
