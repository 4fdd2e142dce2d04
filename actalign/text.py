"""From words to the exact strings an encoder reads: templates and text preparation, all pure.

Nothing here knows a tokenizer. ``TextPolicy`` carries what the encoder wants (padding, length, case) and
``prepare`` applies the part of it that is about the string itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, get_args

from actalign.errors import ActAlignError
from actalign.files import printable

Padding = Literal["max_length", "longest"]


@dataclass(frozen=True)
class TextPolicy:
    """How a checkpoint wants its texts.

    SigLIP was trained with texts padded to ``max_length`` tokens and pools the last position, so any other
    padding changes the embedding without a warning; ``"longest"`` (the released scripts' choice) pads to the
    longest text of the batch. SigLIP 2 expects lower-cased text.

    Raises:
        ActAlignError: an unknown padding, or a ``max_length`` below 1.

    >>> TextPolicy(padding="max_length", max_length=64, lower_case=False).max_length
    64
    """

    padding: Padding
    max_length: int
    lower_case: bool

    def __post_init__(self) -> None:
        if self.padding not in get_args(Padding):
            raise ActAlignError(f"text padding {self.padding!r} is unknown; choose one of {list(get_args(Padding))}")
        if self.max_length < 1:
            raise ActAlignError(f"max_length is {self.max_length}; it counts tokens and must be 1 or more")


def in_company(text: str, group: Sequence[str]) -> str:
    """What the embedding of a text is called where it was padded to the longest of its group.

    The same text has another embedding in another group. No text is called so: a line break ends each part.

    >>> in_company("swing", ["step back", "swing"])
    'swing\\nstep back\\nswing'
    """
    return "\n".join((text, *group))


def canonicalise(text: str) -> str:
    """The text without outer space, inner runs of white space or trailing full stops; case is kept.

    Applying it twice changes nothing. Full stops inside the text stay.

    Raises:
        ActAlignError: nothing is left, or ``text`` is no string of whole characters.

    >>> canonicalise("  swing the\\n racket up. ")
    'swing the racket up'
    """
    if not isinstance(text, str):
        raise ActAlignError(f"{text!r} is a {type(text).__name__}, not a text; pass a string")
    return _canonical(text)


@lru_cache(maxsize=2**16)
def _canonical(text: str) -> str:
    if printable(text) != text:
        raise ActAlignError(f"text {text!r} holds half a character; read it as UTF-8")
    cleaned = " ".join(text.split()).rstrip(" .")
    if not cleaned:
        raise ActAlignError(f"text {text!r} is empty once cleaned; write what it should describe")
    return cleaned


def in_sport(step: str, sport: str) -> str:
    """Context augmentation (paper, section 3): ``"{step} in {sport}"``.

    A step that already ends in "in {sport}", in whatever case, is returned as it is rather than doubled:
    context-rich scripts sometimes name the sport themselves, and the paper does not say what then.

    Raises:
        ActAlignError: ``step`` or ``sport`` is empty.

    >>> in_sport("toss the ball", "tennis")
    'toss the ball in tennis'
    >>> in_sport("toss the ball in Tennis.", "tennis")
    'toss the ball in Tennis'
    """
    return _in_sport(canonicalise(step), canonicalise(sport))


@lru_cache(maxsize=2**16)
def _in_sport(step: str, sport: str) -> str:
    if f" {step}".casefold().endswith(f" in {sport}".casefold()):
        return step
    return f"{step} in {sport}"


def released_template(step: str, class_name: str, sport: str) -> str:
    """The sentence the paper's released scripts use in place of :func:`in_sport`.

    It names the class, so a sub-action's embedding carries the class name too.

    Raises:
        ActAlignError: any of the three is empty.

    >>> released_template("toss the ball", "kick serve", "tennis")
    'This is a video of doing kick serve in tennis with toss the ball'
    """
    step, class_name, sport = canonicalise(step), canonicalise(class_name), canonicalise(sport)
    return f"This is a video of doing {class_name} in {sport} with {step}"


def prepare(texts: Sequence[str], policy: TextPolicy) -> list[str]:
    """The strings to hand to the tokenizer, one per text, in order: canonical, and lower-cased if asked.

    Padding and truncation count tokens, so they are left to the tokenizer, which gets them from ``policy``.

    Raises:
        ActAlignError: an empty text, or one string where a sequence of strings belongs.

    >>> prepare(["Toss the ball."], TextPolicy(padding="max_length", max_length=64, lower_case=True))
    ['toss the ball']
    """
    if isinstance(texts, str):
        raise ActAlignError(f"prepare takes a list of texts; got the single text {texts!r}: wrap it in a list")
    cleaned = [canonicalise(text) for text in texts]
    return [text.lower() for text in cleaned] if policy.lower_case else cleaned
