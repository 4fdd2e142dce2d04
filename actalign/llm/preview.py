"""A dry run: what would be asked, of how many classes, and about what it would cost. Needs no key and no network."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from actalign.llm.cache import AnswerCache
from actalign.llm.chains import Asking
from actalign.llm.classes import classes_of
from actalign.llm.client import read_settings
from actalign.llm.prompts import Message, Prompt, find_style
from actalign.llm.run import Run
from actalign.llm.usage import Price, Usage, check_price, cost_text
from actalign.records import Dataset

CHARACTERS_A_TOKEN = 4
TOKENS_A_WORD = 1.4
"""Rules of thumb for English; the real numbers are the tokenizer's and are counted by the endpoint."""


@dataclass(frozen=True)
class Preview:
    """``messages`` by class, of those not settled in the cache; ``estimate`` is what asking them would use, without
    repairs. Print it to read the prompts."""

    style: str
    model: str
    temperature: float
    classes: int
    messages: Mapping[str, tuple[Message, ...]]
    estimate: Usage
    price: Price | None = None

    @property
    def cost(self) -> float | None:
        """In the currency of ``price``; None where no price was given."""
        return self.estimate.cost(self.price)

    @property
    def summary(self) -> str:
        """What is to be asked, and what it would cost, in one line."""
        return (
            f"{self.style}: {len(self.messages)} of {self.classes} classes to ask of {self.model!r} at temperature "
            f"{self.temperature}: about {self.estimate.input_tokens:,} input and {self.estimate.output_tokens:,} "
            f"output tokens, {cost_text(self.cost)}"
        )

    def __str__(self) -> str:
        texts = [self.summary]
        for number, (system, user) in enumerate(self.messages.values()):
            texts += [f"--- system, the same for every class\n{system['content']}"] if number == 0 else []
            texts.append(f"--- user, {number + 1} of {len(self.messages)}\n{user['content']}")
        return "\n\n".join(texts)


def preview(
    classes: Mapping[str, str] | Dataset,
    style: str,
    *,
    cache: str | os.PathLike[str] | None = None,
    model: str | None = None,
    seed: int | None = 0,
    price: Price | None = None,
) -> Preview:
    """What ``generate`` with the same arguments would ask; ``cache=None`` takes nothing to be answered yet.

    Raises:
        ActAlignError: unknown style, no classes, no model, or a price that is none.

    >>> shown = preview({"lob": "tennis"}, "short_fixed", model="small", price=(2.5, 10.0))
    >>> print(shown.summary)
    short_fixed: 1 of 1 classes to ask of 'small' at temperature 1.0: about 124 input and 85 output tokens,
    cost about 0.00116
    """
    wanted, prompt = classes_of(classes), find_style(style)
    check_price(price)
    answers = AnswerCache(os.devnull if cache is None else cache)
    named = read_settings(model=model, known=answers.models).model
    run = Run(wanted, Asking(prompt, named, seed), answers)
    messages = {name: prompt.messages(name, sport=wanted[name]) for name in run.open_classes()}
    estimate = sum((_expected(asked, prompt) for asked in messages.values()), Usage())
    return Preview(style, named, prompt.temperature, len(wanted), messages, estimate, price)


def _expected(messages: tuple[Message, ...], prompt: Prompt) -> Usage:
    asked = sum(len(message["content"]) for message in messages) // CHARACTERS_A_TOKEN
    words = prompt.usual_steps * sum(prompt.words) / 2
    return Usage(answers=1, input_tokens=asked, output_tokens=round(words * TOKENS_A_WORD) + 5 * prompt.usual_steps)
