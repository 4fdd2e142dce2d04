"""Our reading of the released recipe: what it does and in which order, so that its cost can be measured.

Every clip is decoded to pictures before the first is encoded, and all pictures stay in memory. Eight at a time they
go through the checkpoint's own PIL processor and the model in float32, one step after the other. Each candidate
stacks and normalises the clip's frames and its texts again; the alignment fills a table cell by cell in Python.
No line is the release's own. It is a baseline: the package itself never runs it.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
import torch
from numpy.typing import NDArray
from PIL.Image import Image
from transformers import AutoImageProcessor, AutoModel
from transformers.utils import logging

from actalign.encoder import pooled

BATCH = 8
Rows = list[NDArray[np.float32]]


class Recipe:
    """A loaded checkpoint and the pictures of every clip seen so far."""

    def __init__(self, checkpoint: Path | str, *, device: str = "cpu"):
        self.pictures: dict[str, list[Image]] = {}
        self._device = device
        logging.set_verbosity_error()
        logging.disable_progress_bar()
        self._processor = AutoImageProcessor.from_pretrained(checkpoint, backend="pil")
        self._model = AutoModel.from_pretrained(checkpoint, dtype=torch.float32).to(device).eval()

    def embed(self, files: Iterable[Path]) -> dict[str, Rows]:
        """File stem -> one (d,) row per frame. Decodes all files, then encodes all pictures."""
        listed = list(files)
        for path in listed:
            self.decode(path)
        return {path.stem: self.encode(self.pictures[path.stem]) for path in listed}

    def decode(self, path: Path) -> None:
        with av.open(str(path)) as container:
            self.pictures[path.stem] = [frame.to_image() for frame in container.decode(video=0)]

    def encode(self, pictures: Sequence[Image]) -> Rows:
        rows: Rows = []
        for start in range(0, len(pictures), BATCH):
            pixels = self._processor(images=list(pictures[start : start + BATCH]), return_tensors="pt")
            with torch.no_grad():
                output = self._model.get_image_features(pixels["pixel_values"].to(self._device))
            rows.extend(pooled(output).cpu().numpy())
        return rows


def affinity(frames: Rows, texts: Rows, *, scale: float, bias: float) -> NDArray[np.float32]:
    """sigmoid(scale * cosine + bias) of one candidate, (K, T) float32, from rows that are stacked anew.

    >>> rows = [np.array([1, 0], dtype=np.float32), np.array([0, 2], dtype=np.float32)]
    >>> affinity(rows, rows[:1], scale=1.0, bias=0.0).round(3).tolist()
    [[0.7310000061988831, 0.5]]
    """
    frames_td = torch.stack([torch.from_numpy(row) for row in frames])
    texts_kd = torch.stack([torch.from_numpy(row) for row in texts])
    frames_td = frames_td / frames_td.norm(dim=-1, keepdim=True)
    texts_kd = texts_kd / texts_kd.norm(dim=-1, keepdim=True)
    values: NDArray[np.float32] = torch.sigmoid(scale * (texts_kd @ frames_td.T) + bias).numpy()
    return values


def align(affinity_kt: NDArray[Any]) -> tuple[float, list[tuple[int, int]]]:
    """The sum over the best path and the path, forward in time; two nested loops and a walk back.

    >>> align(np.array([[3.0, 1, 0], [0, 2, 4]]))
    (10.0, [(0, 0), (0, 1), (1, 1), (1, 2)])
    """
    steps, frames = affinity_kt.shape
    table = np.full((steps + 1, frames + 1), -np.inf)
    table[0, 0] = 0.0
    for k in range(1, steps + 1):
        for t in range(1, frames + 1):
            best = max(table[k - 1, t - 1], table[k, t - 1], table[k - 1, t])
            table[k, t] = affinity_kt[k - 1, t - 1] + best
    k, t = steps, frames
    path = [(k - 1, t - 1)]
    while (k, t) != (1, 1):
        before = [(k - 1, t - 1), (k, t - 1), (k - 1, t)]
        k, t = max(before, key=lambda cell: table[cell])  # the first of equals
        path.append((k - 1, t - 1))
    return float(table[-1, -1]), path[::-1]


def score(affinity_kt: NDArray[Any]) -> float:
    """The path's sum over its number of pairs."""
    total, path = align(affinity_kt)
    return total / len(path)


def score_clip(frames: Rows, scripts: Sequence[Rows], *, scale: float, bias: float) -> list[float]:
    """One score per candidate: the whole similarity and alignment again for each."""
    return [score(affinity(frames, texts, scale=scale, bias=bias)) for texts in scripts]
