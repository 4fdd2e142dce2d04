"""Tokens and what they cost."""

from dataclasses import dataclass

from actalign.errors import ActAlignError

Price = tuple[float, float]
"""What a million input tokens and a million output tokens cost, in any currency."""


@dataclass(frozen=True)
class Usage:
    """Tokens of a number of answers. ``unreported`` answers came without a count, so the tokens are a lower bound.

    >>> print(Usage(answers=2, input_tokens=1000, output_tokens=500) + Usage(answers=1, unreported=1))
    3 answers, 1,000 input and 500 output tokens (1 answer came without a count)
    >>> Usage(input_tokens=1_000_000, output_tokens=500_000).cost((2.5, 10.0))
    7.5
    """

    answers: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    unreported: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.answers + other.answers,
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.unreported + other.unreported,
        )

    def __str__(self) -> str:
        text = f"{_count(self.answers)}, {self.input_tokens:,} input and {self.output_tokens:,} output tokens"
        return text + (f" ({_count(self.unreported)} came without a count)" if self.unreported else "")

    def cost(self, price: Price | None) -> float | None:
        """In the currency of ``price``; None where no price is known."""
        if price is None:
            return None
        return (self.input_tokens * price[0] + self.output_tokens * price[1]) / 1e6


def used(tokens: tuple[int, int] | None) -> Usage:
    """The usage of one answer, from its (input, output) tokens; None: the endpoint did not say.

    >>> used((3, 4)).output_tokens
    4
    """
    if tokens is None:
        return Usage(answers=1, unreported=1)
    return Usage(1, *tokens)


def check_price(price: Price | None) -> None:
    """Make sure that a price is one.

    Raises:
        ActAlignError: not two finite numbers, 0 or more.

    >>> check_price((2.5, 10.0))
    """
    if price is None:
        return
    good = isinstance(price, tuple | list) and len(price) == 2 and all(isinstance(each, int | float) for each in price)
    if not good or not all(0 <= each < float("inf") for each in price):
        raise ActAlignError(
            f"price is {price!r}; give (per million input tokens, per million output tokens), such as (2.5, 10.0)"
        )


def cost_text(cost: float | None) -> str:
    """A cost in words.

    >>> cost_text(0.1234), cost_text(12345.678), cost_text(None)
    ('cost about 0.1234', 'cost about 12,345.68', 'cost unknown (no price was given)')
    """
    if cost is None:
        return "cost unknown (no price was given)"
    return f"cost about {cost:,.2f}" if cost >= 100 else f"cost about {cost:.4g}"


def _count(answers: int) -> str:
    return f"{answers:,} answer{'' if answers == 1 else 's'}"
