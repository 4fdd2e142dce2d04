"""The eight sports: how each looks and which twelve sub-actions belong to it.

``CALLS`` are coaching calls: the same twelve words are used in every sport and mean another sub-action in
each. As a text a call alone is ambiguous; but a frame shows its sport, so a checkpoint can learn to resolve the call
from the frame, and then context has little left to add.
"""

from dataclasses import dataclass

Colour = tuple[int, int, int]
SubAction = tuple[str, str]  # legs, arms


@dataclass(frozen=True)
class Sport:
    """A sport's colours, its equipment (a drawing rule in ``figure``) and its sub-actions."""

    name: str
    sky: Colour
    ground: Colour
    equipment: str
    sub_actions: tuple[SubAction, ...]


def _parse(lines: str) -> tuple[SubAction, ...]:
    pairs = [tuple(item.split("/")) for item in lines.split()]
    return tuple((legs, arms) for legs, arms in pairs)


SPORTS: dict[str, Sport] = {
    sport.name: sport
    for sport in (
        Sport(
            "figure skating",
            (196, 222, 240),
            (232, 244, 250),
            "skates",
            _parse(
                "arabesque/wide arabesque/overhead crouch/forward crouch/hips split_leap/wide split_leap/one_up "
                "knee_up/overhead knee_up/behind straddle/wide lunge/overhead stand/overhead kick/forward"
            ),
        ),
        Sport(
            "skateboarding",
            (176, 170, 160),
            (118, 116, 114),
            "board",
            _parse(
                "crouch/wide crouch/behind tuck/forward tuck/wide stand/wide lunge/behind kick/wide kick/one_up "
                "handstand/overhead straddle/forward knee_up/wide pike/forward"
            ),
        ),
        Sport(
            "balance beam",
            (236, 206, 190),
            (150, 96, 84),
            "beam",
            _parse(
                "handstand/overhead arabesque/forward arabesque/one_up split_leap/overhead split_leap/forward "
                "pike/behind kneel/wide kneel/overhead tuck/overhead stand/one_up kick/hips crouch/overhead"
            ),
        ),
        Sport(
            "platform diving",
            (150, 200, 236),
            (36, 96, 168),
            "platform",
            _parse(
                "stand/overhead stand/forward pike/forward pike/wide tuck/behind tuck/overhead handstand/overhead "
                "crouch/behind straddle/overhead knee_up/forward lunge/wide split_leap/wide"
            ),
        ),
        Sport(
            "tennis",
            (86, 132, 92),
            (190, 112, 70),
            "racket",
            _parse(
                "stand/one_up stand/behind lunge/forward lunge/one_up crouch/wide crouch/overhead straddle/one_up "
                "straddle/hips knee_up/one_up split_leap/one_up kneel/forward kick/behind"
            ),
        ),
        Sport(
            "fencing",
            (84, 84, 104),
            (170, 172, 184),
            "foil",
            _parse(
                "lunge/forward lunge/behind lunge/one_up stand/forward stand/hips straddle/forward straddle/behind "
                "kneel/one_up kneel/hips crouch/one_up knee_up/forward pike/one_up"
            ),
        ),
        Sport(
            "surfing",
            (250, 226, 160),
            (30, 150, 160),
            "surfboard",
            _parse(
                "crouch/wide crouch/one_up lunge/wide lunge/hips kneel/behind kneel/wide stand/behind stand/wide "
                "pike/wide handstand/overhead straddle/overhead tuck/one_up"
            ),
        ),
        Sport(
            "karate",
            (226, 226, 214),
            (206, 176, 96),
            "belt",
            _parse(
                "kick/wide kick/overhead kick/hips straddle/forward straddle/hips knee_up/hips knee_up/behind "
                "kneel/forward lunge/overhead stand/forward crouch/forward split_leap/behind"
            ),
        ),
    )
}

CALLS = ("load", "release", "gather", "float", "drive", "hook", "sweep", "lock", "snap", "carry", "brace", "settle")


def call_of(sport: str, index: int) -> str:
    """The coaching call that sub-action ``index`` of a sport answers to.

    >>> call_of("tennis", 0) != call_of("karate", 0)
    True
    """
    shift = list(SPORTS).index(sport)
    step = (1, 5, 7, 11)[shift % 4]  # steps coprime to 12, so every sport uses each call once
    return CALLS[(step * index + 3 * (shift // 4) + shift) % len(CALLS)]


def sub_action_id(sport: str, index: int) -> str:
    """Stable id of a sub-action, for example ``tennis:lunge+forward``.

    >>> sub_action_id("tennis", 2)
    'tennis:lunge+forward'
    """
    legs, arms = SPORTS[sport].sub_actions[index]
    return f"{sport.replace(' ', '_')}:{legs}+{arms}"
