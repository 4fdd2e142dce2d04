"""Text masks: which frames of a clip show words that give the answer away, where, and how they are blurred (pure).

ActionAtlas lists, per frame, the polygons around words. Its own script numbers frames from 1 at the start of the
segment and blurs each polygon's bounding rectangle, taken alone, with OpenCV's Gaussian of kernel 111; the paper's
released scripts count from 0 at the start of the whole video, and use kernel 15: see ``RULES``. The blur here is
OpenCV's (its sigma for a kernel size, mirrored at the rectangle's edges) up to its rounding, 2 grey levels of 255.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import correlate1d

from actalign.errors import ActAlignError

Frame = NDArray[np.uint8]
Polygon = tuple[tuple[int, int], ...]
"""Corners (x, y) in pixels from the top left."""


@dataclass(frozen=True)
class Region:
    """One text that was found in one frame, and the polygon around it."""

    text: str
    polygon: Polygon


@dataclass(frozen=True)
class MaskRule:
    """How listed masks are read: the number of the first frame, of the segment or of the whole video.

    ``kernel`` is the width of the blur in pixels (odd); ``letters_only`` leaves out texts without a letter.
    """

    first_number: int
    of_whole_video: bool
    kernel: int
    letters_only: bool


RULES = {
    "official": MaskRule(first_number=1, of_whole_video=False, kernel=111, letters_only=True),
    "released": MaskRule(first_number=0, of_whole_video=True, kernel=15, letters_only=False),
}


@dataclass(frozen=True)
class Masks:
    """What to blur in one clip: for each masked frame, its number in the clip's window (from 0) and polygons.

    >>> masks = Masks(frames=((3, (((0, 0), (4, 0), (4, 2), (0, 2)),)),))
    >>> len(masks), masks.digest[:8]
    (1, '31f4f4b5')
    """

    frames: tuple[tuple[int, tuple[Polygon, ...]], ...] = ()
    kernel: int = RULES["official"].kernel

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def digest(self) -> str:
        """The sha256 of everything that decides what a masked frame looks like; "" where nothing is masked."""
        if not self.frames:
            return ""
        return hashlib.sha256(json.dumps(["rectangle blur 1", self.kernel, self.frames]).encode()).hexdigest()

    @property
    def extent(self) -> tuple[int, int]:
        """(width, height) in pixels of the smallest picture that holds every polygon."""
        corners = [corner for _, polygons in self.frames for polygon in polygons for corner in polygon]
        return max((x for x, _ in corners), default=0), max((y for _, y in corners), default=0)

    def __repr__(self) -> str:
        return f"Masks({len(self)} frames, kernel {self.kernel})"


def text_masks(regions: Mapping[int, Sequence[Region]], *, rule: str = "official", first_frame: int = 0) -> Masks:
    """The masks of one clip from the texts listed for its frames.

    Args:
        regions: frame number, as the benchmark lists it, to the texts in that frame.
        rule: a name in ``RULES``.
        first_frame: how many frames of the video come before the clip's window; only rules that count from the
            start of the video use it. The released scripts take ``int(start_s * frame_rate)``.

    Raises:
        ActAlignError: an unknown rule.

    >>> square = ((0, 0), (9, 0), (9, 9), (0, 9))
    >>> text_masks({1: [Region("GOAL", square)], 2: [Region("2:0", square)]}).frames == ((0, (square,)),)
    True
    """
    if rule not in RULES:
        raise ActAlignError(f"mask rule {rule!r} is unknown; choose one of {sorted(RULES)}")
    chosen = RULES[rule]
    before = chosen.first_number + (first_frame if chosen.of_whole_video else 0)
    frames = []
    for number in sorted(regions):
        texts = [region for region in regions[number] if _counts(region, chosen)]
        if texts and number >= before:
            frames.append((number - before, tuple(region.polygon for region in texts)))
    return Masks(tuple(frames), chosen.kernel)


def _counts(region: Region, rule: MaskRule) -> bool:
    lettered = any(character.isalpha() for character in region.text)
    return bool(region.polygon) and (lettered or not rule.letters_only)


def mask_frame(frame_hwc: Frame, polygons: Sequence[Polygon], *, kernel: int = RULES["official"].kernel) -> Frame:
    """A copy of a uint8 frame (H, W, 3) with the bounding rectangle of each polygon blurred, one after the other.

    A rectangle ends before its right and bottom corner, as in the benchmark's script. What lies outside the
    picture is left out.

    Raises:
        ActAlignError: the kernel is not an odd number of pixels.

    >>> frame = np.zeros((4, 6, 3), dtype=np.uint8)
    >>> frame[1, 1] = 255
    >>> masked = mask_frame(frame, [((0, 0), (4, 0), (4, 4), (0, 4))])
    >>> bool((masked[:, :4] > 0).all()), bool((masked[:, 4:] == 0).all()), int(frame.max())
    (True, True, 255)
    """
    if kernel < 1 or kernel % 2 == 0:
        raise ActAlignError(f"blur kernel is {kernel}; give an odd number of pixels such as 111")
    masked = frame_hwc.copy()
    for left, top, right, bottom in rectangles(polygons, height=frame_hwc.shape[0], width=frame_hwc.shape[1]):
        masked[top:bottom, left:right] = _blurred(masked[top:bottom, left:right], kernel)
    return masked


def rectangles(polygons: Iterable[Polygon], *, height: int, width: int) -> list[tuple[int, int, int, int]]:
    """(left, top, right, bottom) in pixels of each polygon's part of a picture; polygons outside it have none.

    >>> rectangles([((-3, 2), (5, 1), (4, 9))], height=8, width=8)
    [(0, 1, 5, 8)]
    """
    found = []
    for polygon in polygons:
        xs, ys = zip(*polygon, strict=True)
        left, right = max(0, min(xs)), min(width, max(xs))
        top, bottom = max(0, min(ys)), min(height, max(ys))
        if left < right and top < bottom:
            found.append((left, top, right, bottom))
    return found


def _blurred(patch: Frame, kernel: int) -> Frame:
    sigma = 0.3 * ((kernel - 1) * 0.5 - 1) + 0.8
    distance = np.arange(kernel) - kernel // 2
    weights = np.exp(-0.5 * (distance / sigma) ** 2)
    smooth = patch.astype(np.float64)
    for axis in (0, 1):
        smooth = correlate1d(smooth, weights / weights.sum(), axis=axis, mode="mirror")
    return np.rint(smooth).astype(np.uint8)
