"""The seeded work that is timed: the size of ActionAtlas, none of its content.

898 clips of 180 to 210 frames with five candidates of 5 to 10 sub-actions each: 4,490 alignments. Embeddings have
the width of SigLIP so400m and its kind of cosines: small, positive, and close together.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from actalign.stage import ClipScripts

CLIPS = 898
CANDIDATES = 5
FRAMES = (180, 210)
STEPS = (5, 10)
WIDTH = 1152
SCALE, BIAS = 112.7, -16.6
"""About those of SigLIP so400m."""


@dataclass(frozen=True)
class Shape:
    """Sub-actions and frames of one alignment."""

    steps: int
    frames: int

    @property
    def cells(self) -> int:
        return self.steps * self.frames


def shapes(clips: int = CLIPS) -> list[Shape]:
    """Five candidates a clip, all with the clip's frames.

    >>> len(shapes(2)), shapes(2) == shapes(2)
    (10, True)
    """
    rng = np.random.default_rng(0)
    frames = rng.integers(FRAMES[0], FRAMES[1], clips, endpoint=True)
    steps = rng.integers(STEPS[0], STEPS[1], (clips, CANDIDATES), endpoint=True)
    return [Shape(int(k), int(t)) for t, row in zip(frames, steps, strict=True) for k in row]


def matrix(steps: int, frames: int, *, seed: int = 0) -> NDArray[np.float64]:
    """(K, T) values such as a sigmoid gives, most of them small.

    >>> bool((0 < matrix(2, 3)).all() and (matrix(2, 3) < 1).all())
    True
    """
    rng = np.random.default_rng([seed, steps, frames])
    return np.asarray(expit(2.0 * rng.standard_normal((steps, frames)) - 2.0), dtype=np.float64)


def affinities(clips: int = CLIPS) -> list[NDArray[np.float64]]:
    """One matrix per candidate per clip, each an array of its own."""
    return [matrix(shape.steps, shape.frames, seed=number) for number, shape in enumerate(shapes(clips))]


def clip_scripts(clips: int = CLIPS, *, width: int = WIDTH) -> list[ClipScripts]:
    """Frames (T, d) and distinct texts (n, d) of each clip, L2-normalised float32, with five scripts of its texts.

    All rows share one direction, so that cosines lie around 0.1. No text serves two candidates: n is about 37.

    >>> clip = clip_scripts(1, width=8)[0]
    >>> len(clip.texts_nd) == sum(len(script) for script in clip.scripts)
    True
    """
    rng = np.random.default_rng(1)
    shared = rng.standard_normal(width, dtype=np.float32)
    found = []
    listed = shapes(clips)
    for first in range(0, len(listed), CANDIDATES):
        own = listed[first : first + CANDIDATES]
        counts = [shape.steps for shape in own]
        ends = np.cumsum(counts)
        scripts = tuple(np.arange(end - count, end) for count, end in zip(counts, ends, strict=True))
        found.append(
            ClipScripts(
                frames_td=_directions(rng, own[0].frames, shared),
                texts_nd=_directions(rng, int(ends[-1]), shared),
                scripts=scripts,
            )
        )
    return found


def _directions(rng: np.random.Generator, rows: int, shared: NDArray[np.float32]) -> NDArray[np.float32]:
    drawn = rng.standard_normal((rows, len(shared)), dtype=np.float32) + np.float32(0.33) * shared
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
