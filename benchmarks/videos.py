"""Video files to encode: drawn clips of the sample, 720p ones, and thousands of tiny ones that all differ."""

import struct
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from actalign.records import Clip
from actalign.sample.classes import families
from actalign.sample.render import draw_clip, encode_mp4, plan_clips

HD = (720, 1280)
KINDS = 8
"""Files that are really encoded; the others are these with a number in a box that players skip."""


def clips_of(files: Iterable[Path]) -> list[Clip]:
    return [Clip(path.stem, path, sport="none") for path in files]


def drawn(folder: Path, count: int) -> list[Path]:
    """Clips such as the sample's, of another seed: about 90 frames of 64 pixels."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for planned in plan_clips(families(1_000_000), count, split="test"):
        path = folder / f"{planned.id}.mp4"
        path.write_bytes(encode_mp4(draw_clip(planned, 1_000_000).frames))
        files.append(path)
    return files


def pictures(count: int, *, size: tuple[int, int] = HD, seed: int = 0) -> Iterator[NDArray[np.uint8]]:
    """RGB frames of smooth coloured waves that move, with a little noise: something for a resize to work on.

    >>> [picture.shape for picture in pictures(2, size=(4, 6))]
    [(4, 6, 3), (4, 6, 3)]
    """
    rng = np.random.default_rng([3, seed])
    rows, columns = np.ogrid[: size[0], : size[1]]
    noise = rng.integers(0, 24, (*size, 3), dtype=np.uint8)
    for number in range(count):
        moved = columns + 3 * number
        waves = [np.sin(rows / (9 + 5 * band) + seed) + np.cos(moved / (7 + 4 * band)) for band in (0, 1, 2)]
        yield (55 * (np.stack(waves, axis=-1) + 2)).astype(np.uint8) + noise


def write(path: Path, count: int, *, size: tuple[int, int] = HD, seed: int = 0, frame_rate: int = 30) -> Path:
    """So many :func:`pictures` as H.264 in mp4, coded quickly."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=frame_rate, options={"preset": "ultrafast", "crf": "23"})
        stream.pix_fmt = "yuv420p"
        stream.height, stream.width = size
        for frame in pictures(count, size=size, seed=seed):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    return path


def hd(folder: Path, count: int, *, frames: int) -> list[Path]:
    """720p files of ``frames`` frames, as :func:`distinct`."""
    return distinct(folder, count, name="hd", frames=frames, size=HD)


def tiny(folder: Path, count: int, *, frames: int = 4) -> list[Path]:
    """Files of ``frames`` frames of 64 pixels, as :func:`distinct`."""
    return distinct(folder, count, name="tiny", frames=frames, size=(64, 64))


def distinct(folder: Path, count: int, *, name: str, frames: int, size: tuple[int, int]) -> list[Path]:
    """Files of which no two have the same bytes: each is a content of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as elsewhere:
        kind = Path(elsewhere) / "kind.mp4"
        kinds = [write(kind, frames, size=size, seed=seed).read_bytes() for seed in range(min(KINDS, count))]
    files = []
    for number in range(count):
        path = folder / f"{name}-{number:05d}.mp4"
        path.write_bytes(kinds[number % len(kinds)] + free_box(number))
        files.append(path)
    return files


def free_box(number: int) -> bytes:
    """An empty box of an mp4 file that holds a number.

    >>> free_box(1)
    b'\\x00\\x00\\x00\\x10free\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x01'
    """
    return struct.pack(">I4sQ", 16, b"free", number)
