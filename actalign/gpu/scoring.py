"""Scores of many clips on a CUDA device where there is one, else on the processor with one line that says why."""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from actalign import stage
from actalign.clip_similarity import Smoothing
from actalign.errors import ActAlignError
from actalign.gpu.clips import as_arrays, as_torch_takes_it
from actalign.similarity import require_calibration
from actalign.stage import ClipScripts

Accumulate = Literal["float64", "float32"]

BATCH_VALUES = 2**28
"""Embeddings and products on the device at a time, padding included: 1 GiB in float32, unless one clip has more."""
SMALL_BATCH_VALUES = 2**24
"""Up to here a batch may be mostly padding, which costs less than another batch."""


def score_clips(
    clips: Sequence[ClipScripts],
    *,
    scale: float,
    bias: float,
    smoothing: Smoothing | None = None,
    device: str = "auto",
    accumulate: Accumulate = "float64",
) -> list[NDArray[np.float64]]:
    """Smoothing, cosine, affinity and DTW (paper, Eq. 7-13): the scores of each clip's candidates.

    How far a score may be from that of :func:`actalign.stage.score_clips`: the products of texts and frames are made
    in the precision of the embeddings on either side, but added up in another order. With float32 embeddings cosines
    differ by up to about 1e-6, affinities and scores by that times the scale relative to their size: 1e-4 where the
    scale is 100. TF32 is never used. float16 and bfloat16 embeddings are multiplied exactly and added up in
    float32. Given equal affinities, float64 sums and path lengths equal the reference's bit for bit; where two paths
    tie but for rounding, either may be found, and the score is that of the path found. ``accumulate="float32"``
    makes affinities and sums in float32: faster, but many saturated affinities then tie that should not.

    Args:
        clips: frames and texts need not be normalised; they may also be torch tensors, bfloat16 too, on any device.
        scale, bias: exp(logit_scale) and logit_bias of the checkpoint (Eq. 9).
        smoothing: ``None`` is none.
        device: "auto" (the first CUDA device, else the processor), "cpu", or a CUDA device such as "cuda:1". What is
            not there yet travels there first, which may take longer than all the scoring: to sweep, pass tensors there.
        accumulate: the precision of affinities and sums on a CUDA device.

    Returns:
        One (C,) float64 array per clip, in the order given; higher is better.

    Raises:
        ActAlignError: a bad clip, named by its place, a bad smoothing or calibration, a device that is not there, or
            one that has too little memory for a single clip.

    >>> lob = ClipScripts(np.eye(2), np.eye(2), (np.array([0, 1]), np.array([1, 0])))
    >>> [scores.round(3).tolist() for scores in score_clips([lob], scale=2.0, bias=-2.0, device="cpu")]
    [[0.373, 0.246]]
    """
    require_calibration(scale=scale, bias=bias)
    if accumulate not in get_args(Accumulate):
        raise ActAlignError(f"accumulate is {accumulate!r}; choose one of {get_args(Accumulate)}")
    place = _place(device)
    if place == "cpu":
        return stage.score_clips(map(as_arrays, clips), scale=scale, bias=bias, smoothing=smoothing)
    from actalign.gpu.batch import score

    clips = [as_torch_takes_it(clip, place=index) for index, clip in enumerate(clips)]
    scores: list[NDArray[np.float64]] = [np.empty(0)] * len(clips)
    for places in batches(clips):
        batch = [clips[index] for index in places]
        found = score(batch, places, device=place, scale=scale, bias=bias, smoothing=smoothing, accumulate=accumulate)
        for index, own in zip(places, found, strict=True):
            scores[index] = own
    return scores


def batches(clips: Sequence[ClipScripts]) -> Iterator[list[int]]:
    """Places of clips to pad to one shape: alike in length, width and precision, so that little of it is padding.

    >>> eye = np.eye(2)
    >>> clips = [ClipScripts(eye, eye, (np.array([0]),)), ClipScripts(eye[:, :1], eye[:, :1], (np.array([0]),))] * 2
    >>> list(batches(clips))
    [[1, 3], [0, 2]]
    """

    def likeness(index: int) -> tuple[int, str, int]:
        frames, texts = clips[index].frames_td, clips[index].texts_nd
        return frames.shape[-1], f"{frames.dtype} {texts.dtype}", len(frames)

    batch: list[int] = []
    wanted = most_texts = 0
    for index in sorted(range(len(clips)), key=likeness):
        width, frames, texts = clips[index].frames_td.shape[-1], len(clips[index].frames_td), len(clips[index].texts_nd)
        own = _values(width, frames, texts)
        padded = (len(batch) + 1) * _values(width, frames, max(texts, most_texts))  # the clips come in order of length
        wasteful = padded > max(2 * (wanted + own), SMALL_BATCH_VALUES)
        if batch and (padded > BATCH_VALUES or wasteful or likeness(index)[:2] != likeness(batch[0])[:2]):
            yield batch
            batch, wanted, most_texts = [], 0, 0
        batch.append(index)
        wanted, most_texts = wanted + own, max(texts, most_texts)
    if batch:
        yield batch


def _values(width: int, frames: int, texts: int) -> int:
    """Of one clip: its embeddings, and the products of every text with every frame."""
    return width * (frames + texts) + frames * texts


def _place(wanted: str) -> str:
    """The CUDA device to use, or "cpu"."""
    if wanted == "cpu":
        return wanted
    reason = _why_not_cuda()
    if wanted == "auto":
        if reason is not None:
            _say(f"{reason}: scoring on the CPU")
        return "cuda" if reason is None else "cpu"
    name, _, number = wanted.partition(":")
    if name != "cuda" or not (number.isdecimal() or wanted == "cuda"):
        raise ActAlignError(f"device {wanted!r} is none of 'auto', 'cpu', 'cuda' and 'cuda:<number>'")
    if reason is None:
        import torch

        count = torch.cuda.device_count()
        if int(number or 0) >= count:
            reason = f"there are {count} CUDA devices, numbered from 0"
    if reason is not None:
        raise ActAlignError(f"device {wanted!r} is not available here ({reason}); try 'auto'")
    return wanted


def _why_not_cuda() -> str | None:
    try:
        import torch
    except ImportError:
        return "PyTorch is not installed"
    return None if torch.cuda.is_available() else "no CUDA device"


@cache
def _say(line: str) -> None:
    """Print a line once in a process, however many settings are swept."""
    print(line)
