"""Captions to train on and scripts to test with, made from ``phrases``; the two share no phrase."""

from dataclasses import dataclass

import numpy as np

from actalign.sample import phrases
from actalign.sample.sports import SPORTS, call_of

STYLES = ("short_fixed", "context_rich", "context_rich_2")
SHORT_FIXED_STEPS = 10


@dataclass(frozen=True)
class Caption:
    """A training text and what it claims; ``None`` claims nothing about that part."""

    text: str
    legs: str | None = None
    arms: str | None = None
    call: str | None = None
    sport: str | None = None


def _pick(rng: np.random.Generator, options: tuple[str, ...]) -> str:
    return options[int(rng.integers(len(options)))]


def training_caption(sport: str, index: int, rng: np.random.Generator) -> Caption:
    """One caption of a sub-action: full, terse, or its coaching call; with its sport half of the time.

    >>> training_caption("tennis", 2, np.random.default_rng(0)).legs in ("lunge", None)
    True
    """
    legs, arms = SPORTS[sport].sub_actions[index]
    leg_words, arm_words = phrases.LEG_WORDS[legs], phrases.ARM_WORDS[arms]
    kind = rng.random()
    if kind < 0.55:
        joiner = _pick(rng, phrases.JOINERS)
        text = joiner.format(legs=_pick(rng, leg_words.train), arms=_pick(rng, arm_words.train))
        claim = Caption(text, legs=legs, arms=arms)
    elif kind < 0.70:
        claim = Caption(_pick(rng, leg_words.train_terse), legs=legs)
    elif kind < 0.85:
        claim = Caption(_pick(rng, arm_words.train_terse), arms=arms)
    else:
        call = call_of(sport, index)
        claim = Caption(_pick(rng, phrases.CALL_TRAIN).format(call=call), call=call)
    if rng.random() < 0.5:
        return claim
    text = _pick(rng, phrases.IN_SPORT).format(caption=claim.text, sport=sport)
    return Caption(text, claim.legs, claim.arms, claim.call, sport)


def rich_step(sport: str, index: int, rng: np.random.Generator, *, second_draw: bool = False) -> str:
    """A context-rich sub-action in held-out words.

    >>> len(rich_step("tennis", 2, np.random.default_rng(0)).split()) > 6
    True
    """
    legs, arms = SPORTS[sport].sub_actions[index]
    leg_words, arm_words = phrases.LEG_WORDS[legs], phrases.ARM_WORDS[arms]
    if second_draw:
        return phrases.JOINER_RICH_B.format(legs=_pick(rng, leg_words.rich_b), arms=_pick(rng, arm_words.rich_b))
    return phrases.JOINER_RICH_A.format(legs=_pick(rng, leg_words.rich_a), arms=_pick(rng, arm_words.rich_a))


def terse_steps(sport: str, index: int, count: int, rng: np.random.Generator) -> list[str]:
    """``count`` (1 to 3) phrases of two or three words for one sub-action: its call, its legs, its arms.

    >>> terse_steps("tennis", 2, 3, np.random.default_rng(0))[0]
    'forward lunge'
    """
    legs, arms = SPORTS[sport].sub_actions[index]
    call = _pick(rng, phrases.CALL_TERSE).format(call=call_of(sport, index))
    leg, arm = _pick(rng, phrases.LEG_WORDS[legs].terse), _pick(rng, phrases.ARM_WORDS[arms].terse)
    if count == 1:
        return [call if rng.random() < 0.5 else leg]
    if count == 2:
        return [leg if rng.random() < 0.5 else arm, call]
    return [leg, arm, call]


def script_steps(style: str, sport: str, steps: tuple[int, ...], rng: np.random.Generator) -> tuple[str, ...]:
    """The script of a class in one prompt style.

    >>> len(script_steps("short_fixed", "karate", (0, 3, 5, 7), np.random.default_rng(0)))
    10
    """
    if style == "short_fixed":
        counts = np.full(len(steps), SHORT_FIXED_STEPS // len(steps))
        counts[rng.permutation(len(steps))[: SHORT_FIXED_STEPS % len(steps)]] += 1
        return tuple(
            text
            for step, count in zip(steps, counts, strict=True)
            for text in terse_steps(sport, step, int(count), rng)
        )
    second = {"context_rich": False, "context_rich_2": True}[style]
    return tuple(rich_step(sport, step, rng, second_draw=second) for step in steps)
