"""Peak memory over the number of clips, each run in a process of its own.

``python -m benchmarks.memory`` writes benchmarks/results/memory.json: ours over up to 10,000 tiny clips, no two
alike, then ours and the released recipe over a few 720p clips: the released recipe keeps every picture it has decoded.
"""

import tempfile
from pathlib import Path
from typing import Any

from benchmarks import measure, peak, videos

TINY = (100, 1000, 10_000)
TINY_FRAMES = 3
HD = {"ours": (1, 2, 4, 8, 16, 64), "released": (1, 2, 4, 8, 16)}
HD_FRAMES = 30
QUICK = (2, 4)


def over_clips(recipe: str, counts: tuple[int, ...], *, frames: int, tiny: bool) -> dict[str, Any]:
    """Megabytes and seconds for each number of clips."""
    make = videos.tiny if tiny else videos.hd
    found: dict[str, Any] = {}
    for count in counts:
        with tempfile.TemporaryDirectory() as folder:
            files = make(Path(folder) / "clips", count, frames=frames)
            found[str(count)] = peak.measured(recipe, files[0].parent)
    peaks = [found[str(count)]["peak_mb"] for count in counts]
    return {
        "runs": found,
        "frames_per_clip": frames,
        "mb_more_per_clip": (peaks[-1] - peaks[-2]) / (counts[-1] - counts[-2]),  # once all buffers are full
        "largest_over_smallest": peaks[-1] / peaks[0],
    }


def run(*, quick: bool) -> dict[str, Any]:
    many, frames = (QUICK, 4) if quick else (TINY, HD_FRAMES)
    return {
        "tiny": {"ours": over_clips("ours", many, frames=TINY_FRAMES, tiny=True)},
        "hd": {
            recipe: over_clips(recipe, QUICK if quick else HD[recipe], frames=frames, tiny=False)
            for recipe in peak.RECIPES
        },
        "hd_picture_mb": videos.HD[0] * videos.HD[1] * 3 / 1e6,
    }


if __name__ == "__main__":
    measure.main("memory", run)
