"""The frames of one clip, small enough to be kept while it is looked at."""

import numpy as np
from numpy.typing import NDArray

from actalign.errors import ActAlignError
from actalign.examples import thumbnails
from actalign.records import Clip
from actalign.video import iter_frames

LARGEST_PX, SMALLEST_PX = 256, 48
BYTES = 64e6  # of one clip's frames: those of a long clip are smaller


def small_frames(
    clip: Clip, count: int, *, frame_rate: float | None = None
) -> tuple[NDArray[np.uint8] | None, tuple[str, ...]]:
    """The clip's ``count`` frames, uint8 (T, H, W, 3); or None and, in a sentence, why they cannot be shown.

    >>> from pathlib import Path
    >>> small_frames(Clip("a", Path("nowhere.mp4"), sport="judo"), 10)[1]
    ('The frames cannot be shown: video nowhere.mp4 does not exist; check the path column of clips.csv.',)
    """
    pixels = max(SMALLEST_PX, min(LARGEST_PX, int(np.sqrt(BYTES / 3 / count))))
    try:
        frames = thumbnails((frame for _, frame in iter_frames(clip, frame_rate=frame_rate)), largest_px=pixels)
    except ActAlignError as error:
        return None, (f"The frames cannot be shown: {error}.",)
    if len(frames) != count:
        return None, (f"The frames are not shown: the file has {len(frames)}, the embeddings {count}.",)
    return frames, ()
