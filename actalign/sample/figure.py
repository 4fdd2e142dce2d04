"""Draws a posed figure, its equipment and the scene, anti-aliased, for many frames at once."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from actalign.sample.poses import joints
from actalign.sample.sports import Sport

SIZE = 64  # pixels a side
GROUND_Y = -0.06  # the ground line, in body units, below the feet
Float = NDArray[np.float64]


@dataclass(frozen=True)
class Performer:
    """A body (lengths in body units) and its colours, 0-255."""

    proportions: Float
    thickness: float
    skin: Float
    top: Float
    trousers: Float


@dataclass(frozen=True)
class Camera:
    """Where each frame looks: ``centre`` (T, 2) in body units, ``zoom`` (T,) pixels a unit, ``mirror`` once."""

    centre: Float
    zoom: Float
    mirror: bool


def random_performer(rng: np.random.Generator) -> Performer:
    """A body and colours drawn at random, distinct enough to tell arms from legs."""
    skin = np.array([(240, 205, 170), (200, 150, 110), (140, 92, 62), (92, 60, 44)], dtype=float)[rng.integers(4)]
    top = np.array([(210, 40, 50), (30, 60, 190), (250, 250, 250), (240, 160, 20), (130, 30, 150)], dtype=float)
    legs = np.array([(20, 20, 24), (30, 40, 80), (90, 20, 30), (20, 74, 50)], dtype=float)
    lengths = np.array([0.62, 0.2, 0.36, 0.46, 0.46]) * rng.uniform(0.92, 1.08, 5)
    return Performer(
        lengths,
        float(rng.uniform(0.062, 0.078)),
        skin,
        top[rng.integers(len(top))] + rng.uniform(-12, 12, 3),
        legs[rng.integers(len(legs))] + rng.uniform(0, 24, 3),
    )


def steady_camera(rng: np.random.Generator, frames: int) -> Camera:
    """A hand-held camera: slow drift, slight zoom, small shake, mirrored half of the time."""
    phase = np.linspace(0, rng.uniform(1, 3), frames) + rng.uniform(0, 6)
    drift = np.stack([0.07 * np.sin(phase), 1.02 + 0.03 * np.sin(1.7 * phase)], axis=1)
    zoom = rng.uniform(22, 25) * (1 + 0.04 * np.sin(0.9 * phase + 1))
    return Camera(drift + rng.normal(0, 0.012, (frames, 2)), zoom, bool(rng.integers(2)))


class _Canvas:
    """RGB frames ``(T, S, S, 3)`` and the body coordinates of every pixel."""

    def __init__(self, camera: Camera) -> None:
        frames = len(camera.zoom)
        axis = np.arange(SIZE) + 0.5 - SIZE / 2
        side = -axis if camera.mirror else axis
        self.zoom = camera.zoom[:, None, None].astype(np.float32)
        self.x = (side[None, None, :] / self.zoom + camera.centre[:, 0, None, None]).astype(np.float32)
        self.y = (-axis[None, :, None] / self.zoom + camera.centre[:, 1, None, None]).astype(np.float32)
        self.x = np.broadcast_to(self.x, (frames, SIZE, SIZE))
        self.y = np.broadcast_to(self.y, (frames, SIZE, SIZE))
        self.pixels = np.zeros((frames, SIZE, SIZE, 3), dtype=np.float32)

    def paint(self, distance: NDArray[np.float32], colour: Float) -> None:
        """Blend ``colour`` where the signed distance (body units) is below 0, half a pixel soft."""
        cover = np.clip(0.5 - distance * self.zoom, 0, 1)[..., None]
        self.pixels += cover * (np.asarray(colour, dtype=np.float32) - self.pixels)

    def capsule(self, start: Float, end: Float, radius: float) -> NDArray[np.float32]:
        """Signed distance to limbs from ``start`` to ``end``, both (T, 2)."""
        a, b = start.astype(np.float32), end.astype(np.float32)
        run = (b - a)[:, :, None, None]
        px, py = self.x - a[:, 0, None, None], self.y - a[:, 1, None, None]
        length = np.maximum((run**2).sum(axis=1), 1e-8)
        along = np.clip((px * run[:, 0] + py * run[:, 1]) / length, 0, 1)
        return np.sqrt((px - along * run[:, 0]) ** 2 + (py - along * run[:, 1]) ** 2) - np.float32(radius)


def _scene(canvas: _Canvas, sport: Sport) -> None:
    canvas.pixels[:] = np.array(sport.sky, dtype=np.float32)
    canvas.paint(canvas.y - GROUND_Y, np.array(sport.ground, dtype=float))
    if sport.equipment == "racket":  # a net behind the player
        canvas.paint(np.maximum(np.abs(canvas.y - 0.38) - 0.03, GROUND_Y - canvas.y), np.array([245.0, 245, 245]))
    elif sport.equipment == "surfboard":  # a breaking wave
        canvas.paint(canvas.y - (0.35 + 0.3 * np.sin(1.3 * canvas.x + 0.6)), np.array([60.0, 190, 190]))
    elif sport.equipment == "foil":  # the strip's edge
        canvas.paint(np.abs(canvas.y - GROUND_Y + 0.1) - 0.02, np.array([220.0, 60, 60]))


def _equipment(canvas: _Canvas, kind: str, points: Float) -> None:
    """Draw what the sport adds: at the feet, in the right hand, or under the figure."""
    foot_l, foot_r, elbow, hand = points[:, 8], points[:, 10], points[:, 5], points[:, 6]
    if kind in ("board", "surfboard"):
        middle, half = (foot_l + foot_r) / 2, 0.42 if kind == "board" else 0.72
        middle = np.stack([middle[:, 0], np.minimum(foot_l[:, 1], foot_r[:, 1]) - 0.07], axis=1)
        side = np.array([half, 0.0])
        colour = np.array([70.0, 40, 20] if kind == "board" else [250.0, 250, 240])
        canvas.paint(canvas.capsule(middle - side, middle + side, 0.05), colour)
    elif kind == "skates":
        for foot in (foot_l, foot_r):
            down = np.array([0.0, -0.05])
            canvas.paint(
                canvas.capsule(foot + down - [0.1, 0], foot + down + [0.1, 0], 0.03), np.array([90.0, 90, 110])
            )
    elif kind in ("racket", "foil"):
        reach = hand - elbow
        reach = reach / np.maximum(np.linalg.norm(reach, axis=1, keepdims=True), 1e-6)
        if kind == "racket":
            canvas.paint(canvas.capsule(hand, hand + 0.16 * reach, 0.025), np.array([30.0, 30, 30]))
            canvas.paint(canvas.capsule(hand + 0.26 * reach, hand + 0.32 * reach, 0.11), np.array([236.0, 220, 40]))
        else:
            canvas.paint(canvas.capsule(hand, hand + 0.5 * reach, 0.02), np.array([250.0, 250, 255]))
    elif kind in ("beam", "platform"):
        x = points[:, 0, 0] if kind == "beam" else points[:, 0, 0] - 0.3
        left, right = np.stack([x - 1.4, np.full_like(x, -0.1)], 1), np.stack([x + 1.4, np.full_like(x, -0.1)], 1)
        colour = np.array([222.0, 184, 135] if kind == "beam" else [228.0, 228, 228])
        canvas.paint(canvas.capsule(left, right, 0.06), colour)
    elif kind == "belt":
        pelvis, side = points[:, 0], np.array([0.09, 0.0])
        canvas.paint(canvas.capsule(pelvis - side, pelvis + side, 0.05), np.array([20.0, 20, 20]))


def draw(sport: Sport, poses: Float, performer: Performer, camera: Camera) -> NDArray[np.uint8]:
    """Frames ``(T, 64, 64, 3)`` of a performer going through poses ``(T, 10)``."""
    canvas = _Canvas(camera)
    points = joints(poses, performer.proportions)
    _scene(canvas, sport)
    if sport.equipment in ("beam", "platform"):
        _equipment(canvas, sport.equipment, points)
    pelvis, neck, head = points[:, 0], points[:, 1], points[:, 2]
    thick = performer.thickness
    for knee, foot in ((7, 8), (9, 10)):
        canvas.paint(canvas.capsule(pelvis, points[:, knee], thick * 1.15), performer.trousers)
        canvas.paint(canvas.capsule(points[:, knee], points[:, foot], thick), performer.trousers * 0.8)
    canvas.paint(canvas.capsule(pelvis, neck, thick * 1.5), performer.top)
    for elbow, hand in ((3, 4), (5, 6)):
        canvas.paint(canvas.capsule(neck, points[:, elbow], thick * 0.9), performer.top * 0.85)
        canvas.paint(canvas.capsule(points[:, elbow], points[:, hand], thick * 0.85), performer.skin)
    canvas.paint(canvas.capsule(head, head, thick * 1.9), performer.skin)
    if sport.equipment not in ("beam", "platform"):
        _equipment(canvas, sport.equipment, points)
    return np.clip(np.rint(canvas.pixels), 0, 255).astype(np.uint8)


def draw_cutaway(rng: np.random.Generator, frames: int) -> NDArray[np.uint8]:
    """A cut to the crowd: blurred heads, ``(frames, 64, 64, 3)``; shows no sub-action."""
    camera = Camera(np.tile([0.0, 0.9], (frames, 1)), np.full(frames, 25.0), False)
    canvas = _Canvas(camera)
    canvas.pixels[:] = rng.uniform(20, 90, 3).astype(np.float32)
    for row in range(4):
        for column in range(7):
            place = np.array([-1.3 + 0.42 * column + 0.2 * (row % 2), 0.1 + 0.5 * row]) + rng.normal(0, 0.04, 2)
            sway = 0.03 * np.sin(np.arange(frames) * rng.uniform(0.3, 0.8) + rng.uniform(0, 6))
            spot = place + np.stack([np.zeros(frames), sway], axis=1)
            canvas.paint(canvas.capsule(spot - [0, 0.25], spot - [0, 0.12], 0.17), rng.uniform(30, 230, 3))
            canvas.paint(canvas.capsule(spot, spot, 0.11), rng.uniform(70, 230, 3))
    return np.clip(np.rint(canvas.pixels), 0, 255).astype(np.uint8)
