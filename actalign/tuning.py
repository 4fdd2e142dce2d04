"""The smoothing width, chosen on a validation split and never on the clips that are reported."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd
from numpy.typing import NDArray

from actalign.errors import ActAlignError
from actalign.metrics import topk_table
from actalign.options import Options
from actalign.records import Dataset, FrameEmbeddings
from actalign.scoring import Setting, score_settings

WIDTHS = (1, 2, 3, 5, 8, 12, 20, 30)


def smoothing_curve(
    dataset: Dataset,
    embeddings: Mapping[str, FrameEmbeddings],
    texts: Mapping[str, NDArray[Any]],
    *,
    style: str,
    options: Options,
    widths: Sequence[int] = WIDTHS,
    scale: float | None = None,
    bias: float | None = None,
    seed: int = 0,
    resamples: int = 10_000,
) -> pd.DataFrame:
    """Accuracy of DTW + context over the smoothing width (in frames; 1 changes nothing, 0 is off).

    Returns:
        One row per width: split, width and the columns of ``metrics.topk_table``.

    Raises:
        ActAlignError: no widths, or the clips are of several splits; see also ``scoring.score_dataset``.
    """
    splits = sorted({clip.split for clip in dataset.clips.values()})
    if len(splits) != 1:
        raise ActAlignError(f"a curve is of one split; got {splits}: pass dataset.split('validation')")
    if not widths:
        raise ActAlignError("no smoothing widths to try; pass widths=(1, 5, 30) or the like")
    settings = [
        Setting("dtw_context_smoothing", style, replace(options, smoothing_width=width or None)) for width in widths
    ]
    tables = score_settings(dataset, embeddings, texts, settings=settings, scale=scale, bias=bias, seed=seed)
    rows = [
        topk_table(scores, seed=seed, resamples=resamples).assign(split=splits[0], width=int(width))
        for width, scores in zip(widths, tables, strict=True)
    ]
    table = pd.concat(rows, ignore_index=True)
    return table[["split", "width", *[name for name in table.columns if name not in ("split", "width")]]]


def best_width(curve: pd.DataFrame) -> int:
    """The width with the best Top-1 of a table of :func:`smoothing_curve`, the smallest of equals.

    Raises:
        ActAlignError: no width has a Top-1.

    >>> best_width(pd.DataFrame({"width": [5, 1, 3], "top1": [60.0, 50.0, 60.0]}))
    3
    """
    known = curve.dropna(subset="top1").sort_values(["top1", "width"], ascending=[False, True])
    if known.empty:
        raise ActAlignError("no width has a Top-1, so that none is the best; score some clips")
    return int(known["width"].iloc[0])


def choose_smoothing_width(
    dataset: Dataset,
    embeddings: Mapping[str, FrameEmbeddings],
    texts: Mapping[str, NDArray[Any]],
    *,
    style: str,
    options: Options,
    widths: Sequence[int] = WIDTHS,
    scale: float | None = None,
    bias: float | None = None,
) -> int:
    """The width with the best Top-1 on a validation split, the smallest of equals.

    Hand it on with ``options(validated_width=...)`` to the method ``dtw_context_smoothing_validated``.

    Raises:
        ActAlignError: the clips include some of the split ``"test"``, or a width is below 1.
    """
    if any(clip.split == "test" for clip in dataset.clips.values()):
        raise ActAlignError("the width must not be chosen on test clips; pass dataset.split('validation')")
    if any(width < 1 for width in widths):
        raise ActAlignError(f"widths {tuple(widths)} must be 1 frame or more; 1 is no smoothing")
    curve = smoothing_curve(
        dataset, embeddings, texts, style=style, options=options, widths=widths,
        scale=scale, bias=bias, resamples=1,
    )  # fmt: skip
    return best_width(curve)
