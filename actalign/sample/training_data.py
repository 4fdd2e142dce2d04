"""What the checkpoint learns from: single frames that went through H.264, and captions of what they show.

Training clips act out random lists of sub-actions. No class, class name or class script is ever seen.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from actalign.sample.motion import SUBSETS, perform
from actalign.sample.poses import ARMS, LEGS
from actalign.sample.render import decode_mp4, encode_mp4
from actalign.sample.sports import CALLS, SPORTS, call_of, sub_action_id
from actalign.sample.wording import Caption, training_caption

Ints = NDArray[np.int64]
ANYTHING = -1  # a caption's column that claims nothing; a frame's column that shows nothing matches no claim


@dataclass(frozen=True)
class LabelledFrames:
    """``frames`` (N, 64, 64, 3) uint8 and ``shown`` (N, 4): sport, legs, arms, call (-2 where nothing is shown)."""

    frames: NDArray[np.uint8]
    shown: Ints
    sub_action: Ints  # index into the sport's list, -1 for idle and cutaways


@dataclass(frozen=True)
class Captions:
    """``texts`` and ``claims`` (N, 4): sport, legs, arms, call, -1 where the text claims nothing."""

    texts: list[str]
    claims: Ints


_SPORT_NAMES, _LEG_NAMES, _ARM_NAMES = list(SPORTS), list(LEGS), list(ARMS)


def _row(sport: str, index: int) -> list[int]:
    legs, arms = SPORTS[sport].sub_actions[index]
    call = CALLS.index(call_of(sport, index))
    return [_SPORT_NAMES.index(sport), _LEG_NAMES.index(legs), _ARM_NAMES.index(arms), call]


def labelled_frames(clips: int, *, seed: int, stride: int = 2, progress: bool = True) -> LabelledFrames:
    """Every ``stride``-th frame of ``clips`` random performances, after H.264."""
    rng = np.random.default_rng([seed, 3])
    frames, shown, indices = [], [], []
    for number in tqdm(range(clips), desc="training clips", disable=not progress):
        sport = _SPORT_NAMES[number % len(_SPORT_NAMES)]
        steps = tuple(int(step) for step in rng.permutation(12)[:6])
        take = perform(sport, steps, rng, subset=SUBSETS[int(rng.choice(4, p=[0.6, 0.1, 0.2, 0.1]))])
        known = {sub_action_id(sport, index): index for index in range(12)}
        decoded = decode_mp4(encode_mp4(take.frames))
        for at in range(int(rng.integers(stride)), len(decoded), stride):
            index = known.get(take.labels[at], -1)
            frames.append(decoded[at])
            indices.append(index)
            shown.append(_row(sport, index) if index >= 0 else [_SPORT_NAMES.index(sport), -2, -2, -2])
    return LabelledFrames(np.stack(frames), np.array(shown), np.array(indices))


def captions(per_sub_action: int, *, seed: int) -> Captions:
    """``per_sub_action`` training captions of each of the 96 sub-actions."""
    rng = np.random.default_rng([seed, 4])
    made: list[Caption] = [
        training_caption(sport, index, rng) for sport in SPORTS for index in range(12) for _ in range(per_sub_action)
    ]

    def place(names: list[str], value: str | None) -> int:
        return ANYTHING if value is None else names.index(value)

    claims = [
        [
            place(_SPORT_NAMES, caption.sport),
            place(_LEG_NAMES, caption.legs),
            place(_ARM_NAMES, caption.arms),
            place(list(CALLS), caption.call),
        ]
        for caption in made
    ]
    return Captions([caption.text for caption in made], np.array(claims))


def truth_table(shown: Ints, claims: Ints) -> NDArray[np.bool_]:
    """Which caption is true of which frame: ``(N, 4)`` against ``(M, 4)`` gives ``(N, M)``.

    >>> truth_table(np.array([[0, 1, 2, 3]]), np.array([[-1, 1, 2, -1], [1, 1, 2, -1]])).tolist()
    [[True, False]]
    """
    agrees = (claims[None] == ANYTHING) | (claims[None] == shown[:, None])
    return agrees.all(axis=2)
