"""What a body can do: leg and arm positions as joint angles of a flat, articulated figure.

A sub-action is a pair (legs, arms). Angles are degrees; 0 hangs straight down, 90 points to the side the
figure faces, 180 points up. Arm angles are relative to the torso, so they follow it when it leans.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Angles = tuple[float, float, float, float]  # left upper, left lower, right upper, right lower


@dataclass(frozen=True)
class Legs:
    """Thigh and shin angles, the torso's lean (180 = upside down) and how far the feet leave the ground."""

    angles: Angles
    lean: float = 0.0
    lift: float = 0.0


LEGS: dict[str, Legs] = {
    "stand": Legs((-5, -5, 5, 5)),
    "crouch": Legs((-68, 18, 68, -18)),
    "lunge": Legs((-48, -62, 78, 4)),
    "arabesque": Legs((-98, -104, 0, 0), lean=34),
    "knee_up": Legs((-4, -4, 100, -8)),
    "straddle": Legs((-42, -42, 42, 42)),
    "tuck": Legs((112, -38, 124, -26), lean=12, lift=0.5),
    "split_leap": Legs((-86, -90, 86, 90), lift=0.5),
    "handstand": Legs((-8, -8, 8, 8), lean=180),
    "pike": Legs((-4, -4, 4, 4), lean=98),
    "kneel": Legs((4, -88, 86, 0)),
    "kick": Legs((-6, -6, 104, 108), lean=-14),
}

ARMS: dict[str, Angles] = {
    "down": (-8, -8, 8, 8),
    "overhead": (-164, -172, 164, 172),
    "wide": (-92, -92, 92, 92),
    "forward": (84, 92, 96, 88),
    "behind": (-64, -72, -50, -58),
    "one_up": (-12, -12, 168, 172),
    "hips": (-52, 48, 52, -48),
}


def pose_vector(legs: str, arms: str) -> NDArray[np.float64]:
    """The pose as the ten numbers that movement interpolates: lean, lift, four leg and four arm angles, ``(10,)``.

    >>> pose_vector("stand", "wide").shape
    (10,)
    """
    chosen = LEGS[legs]
    return np.array([chosen.lean, chosen.lift, *chosen.angles, *ARMS[arms]], dtype=np.float64)


def _direction(degrees: NDArray[np.float64]) -> NDArray[np.float64]:
    radians = np.deg2rad(degrees)
    return np.stack([np.sin(radians), -np.cos(radians)], axis=-1)


def joints(poses: NDArray[np.float64], proportions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Joint positions ``(T, 11, 2)`` (x to the side, y up, the lowest point at ``lift``) of poses ``(T, 10)``.

    ``proportions`` (5,) are the lengths of torso, head, upper and lower arm (one number), thigh and shin.
    """
    torso, head, arm, thigh, shin = proportions
    lean, lift = poses[:, 0], poses[:, 1]
    legs, arms = poses[:, 2:6], poses[:, 6:10]
    up = -_direction(-lean)  # leaning forward tips the neck towards the facing side
    pelvis = np.zeros((len(poses), 2))
    neck = pelvis + torso * up
    upside_down = np.clip((np.abs(lean) - 120) / 60, 0, 1)[:, None]  # legs follow the torso only when inverted
    legs = legs + 180 * upside_down
    arms = arms - lean[:, None]
    points = [pelvis, neck, neck + head * up]
    for side in (0, 2):
        elbow = neck + arm * _direction(arms[:, side])
        points += [elbow, elbow + arm * _direction(arms[:, side + 1])]
    for side in (0, 2):
        knee = pelvis + thigh * _direction(legs[:, side])
        points += [knee, knee + shin * _direction(legs[:, side + 1])]
    placed = np.stack(points, axis=1)
    floor = placed[:, :, 1].min(axis=1)
    placed[:, :, 1] += (lift - floor)[:, None]
    return placed
