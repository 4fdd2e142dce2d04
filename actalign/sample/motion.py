"""A performance: a list of sub-actions acted out, frame by frame, with the label of each frame."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from actalign.sample.figure import Camera, draw, draw_cutaway, random_performer, steady_camera
from actalign.sample.poses import pose_vector
from actalign.sample.sports import SPORTS, sub_action_id

FRAME_RATE = 15
IDLE, CUTAWAY = "idle", "cutaway"
SUBSETS = ("clean", "late", "nuisance", "both")


@dataclass(frozen=True)
class Performance:
    """``frames`` (T, 64, 64, 3) uint8 and the sub-action id, ``idle`` or ``cutaway`` that each one shows."""

    frames: NDArray[np.uint8]
    labels: tuple[str, ...]


def _poses(keys: list[NDArray[np.float64]], lengths: list[int], rng: np.random.Generator) -> NDArray[np.float64]:
    """Poses ``(T, 10)``: each key held with a sway, four frames of movement around each change."""
    total = sum(lengths)
    spread = np.array([3.0, 0.02, *[5.0] * 4, *[6.0] * 4])
    keys = [key + rng.normal(0, 1, 10) * spread for key in keys]
    held = np.repeat(np.stack(keys), lengths, axis=0)
    moved = held.copy()
    for change in np.cumsum(lengths)[:-1]:
        before, after = held[change - 1], held[change]
        for offset in range(-2, 2):
            if 0 <= change + offset < total:
                weight = (offset + 2.5) / 4
                moved[change + offset] = (1 - weight) * before + weight * after
    phase = np.arange(total)[:, None] * rng.uniform(0.2, 0.5, 10) + rng.uniform(0, 6.28, 10)
    sway = np.sin(phase) * np.array([1.5, 0.0, *[2.0] * 4, *[3.0] * 4])
    return moved + sway


def perform(
    sport: str, steps: tuple[int, ...], rng: np.random.Generator, *, subset: str = "clean", noise: float = 4.0
) -> Performance:
    """Act out sub-actions ``steps`` (indices into the sport's list) once, in order.

    ``subset`` adds what the test is about: ``late`` an idle stretch before the action, ``nuisance`` cuts to
    the crowd and a replay of one step at the end, ``both`` both. ``noise`` is the sensor's, in grey levels.

    >>> take = perform("tennis", (0, 3), np.random.default_rng(0))
    >>> len(take.labels) == len(take.frames), take.labels[0]
    (True, 'tennis:stand+one_up')
    """
    late, nuisance = subset in ("late", "both"), subset in ("nuisance", "both")
    keys = [pose_vector(*SPORTS[sport].sub_actions[step]) for step in steps]
    names = [sub_action_id(sport, step) for step in steps]
    lengths = [int(rng.integers(8, 18)) for _ in steps]
    if late:
        keys, names = [pose_vector("stand", "down"), *keys], [IDLE, *names]
        lengths = [int(sum(lengths) * rng.uniform(0.35, 0.7)), *lengths]
    if nuisance:
        again = int(rng.integers(len(steps))) + late
        keys, names, lengths = [*keys, keys[again]], [*names, names[again]], [*lengths, int(rng.integers(7, 12))]
    poses = _poses(keys, lengths, rng)
    labels = [name for name, length in zip(names, lengths, strict=True) for _ in range(length)]
    frames = draw(SPORTS[sport], poses, random_performer(rng), steady_camera(rng, len(poses)))
    if nuisance:
        frames, labels = _replay_closer(sport, poses, frames, lengths[-1], rng), labels
        frames, labels = _cut_away(frames, labels, rng)
    grain = rng.normal(0, noise, frames.shape).astype(np.float32)
    return Performance(np.clip(frames + grain, 0, 255).astype(np.uint8), tuple(labels))


def _replay_closer(
    sport: str, poses: NDArray[np.float64], frames: NDArray[np.uint8], length: int, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Show the last ``length`` frames (the replay) from another camera."""
    camera = steady_camera(rng, length)
    closer = Camera(camera.centre, camera.zoom * 1.08, camera.mirror)
    replay = draw(SPORTS[sport], poses[-length:], random_performer(rng), closer)
    return np.concatenate([frames[:-length], replay])


def _cut_away(
    frames: NDArray[np.uint8], labels: list[str], rng: np.random.Generator
) -> tuple[NDArray[np.uint8], list[str]]:
    """Insert one or two cuts to the crowd between frames."""
    for _ in range(int(rng.integers(1, 3))):
        at, length = int(rng.integers(len(labels) // 4, len(labels))), int(rng.integers(6, 11))
        frames = np.concatenate([frames[:at], draw_cutaway(rng, length), frames[at:]])
        labels = [*labels[:at], *[CUTAWAY] * length, *labels[at:]]
    return frames, labels
