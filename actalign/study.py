"""What the compute notebooks share: which rows a data set allows, and tables over several of them (pure)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pandas as pd
from numpy.typing import NDArray

from actalign.errors import ActAlignError
from actalign.methods import METHODS, Method, method_named
from actalign.metrics import paired_difference
from actalign.options import Options
from actalign.records import Dataset, FrameEmbeddings
from actalign.scoring import Setting, score_settings
from actalign.scripts import statistics

LADDER = ("mean_pool_name", "dtw", "dtw_context", "dtw_context_smoothing")
"""The rungs of the paper's Table 3."""


class Without(Mapping[str, FrameEmbeddings]):
    """``embeddings`` as if some clips had failed; nothing is read until a clip is asked for.

    >>> frames = FrameEmbeddings([[1.0, 1.0]], [0.0])
    >>> list(Without({"a": frames, "b": frames}, ["a"]))
    ['b']
    """

    def __init__(self, embeddings: Mapping[str, FrameEmbeddings], clips: Iterable[str]):
        self._embeddings = embeddings
        if hasattr(embeddings, "encoder"):
            self.encoder = embeddings.encoder
        already = getattr(embeddings, "failed", {})
        self.failed = {**already, **dict.fromkeys(clips, "left out on purpose")}

    def __getitem__(self, clip_id: str) -> FrameEmbeddings:
        if clip_id in self.failed:
            raise KeyError(f"clip {clip_id!r} has no embeddings: {self.failed[clip_id]}")
        return self._embeddings[clip_id]

    def __contains__(self, clip_id: object) -> bool:
        return clip_id not in self.failed and clip_id in self._embeddings

    def __iter__(self) -> Iterator[str]:
        yield from (clip_id for clip_id in self._embeddings if clip_id not in self.failed)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def methods_for(dataset: Dataset, *, validated_width: int | None, every_frame: bool = True) -> tuple[str, ...]:
    """The methods, in the order of ``METHODS``, that this data set can be scored with.

    Args:
        dataset: without frame labels and true steps the oracle is left out.
        validated_width: ``None`` (no validation split) leaves validated smoothing out.
        every_frame: whether every frame was embedded, as the oracle's labels need.

    >>> from pathlib import Path
    >>> len(METHODS) - len(methods_for(Dataset("mine", Path("."), {}, ()), validated_width=None))
    2
    """
    left_out = set()
    if validated_width is None:
        left_out.add("dtw_context_smoothing_validated")
    if not (dataset.frame_labels and dataset.class_steps and every_frame):
        left_out.add("oracle")
    return tuple(name for name in METHODS if name not in left_out)


def score_methods(
    dataset: Dataset,
    embeddings: Mapping[str, FrameEmbeddings],
    texts: Mapping[str, NDArray[Any]],
    *,
    methods: Sequence[str | Method],
    styles: Sequence[str],
    options: Options,
    scale: float | None = None,
    bias: float | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """:func:`~actalign.scoring.score_dataset` for each method, and each style where the method reads scripts.

    Raises:
        ActAlignError: see ``scoring.score_dataset``; or there are no methods.
    """
    if not methods:
        raise ActAlignError("there are no methods to score; choose some of METHODS")
    settings = [
        Setting(name, style, options)
        for name in methods
        for style in (styles if method_named(name).needs_script else [""])
    ]
    tables = score_settings(dataset, embeddings, texts, settings=settings, scale=scale, bias=bias, seed=seed)
    return pd.concat(tables, ignore_index=True)


def rows_of(scores: pd.DataFrame, method: str, *, style: str) -> pd.DataFrame:
    """The scores of one method, in ``style`` if it reads scripts.

    Raises:
        ActAlignError: there are none.

    >>> scores = pd.DataFrame({"method": ["random", "dtw", "dtw"], "style": ["", "terse", "rich"]})
    >>> len(rows_of(scores, "dtw", style="rich")), len(rows_of(scores, "random", style="rich"))
    (1, 1)
    """
    styles = scores["style"].fillna("")  # as pandas reads an empty cell: the method reads no scripts
    chosen = scores[(scores["method"] == method) & styles.isin(["", style])]
    if chosen.empty:
        known = list(dict.fromkeys(zip(scores["method"], styles, strict=True)))
        raise ActAlignError(f"no scores of method {method!r} in style {style!r}; score it, or take one of {known}")
    return chosen


def paired_row(a: pd.DataFrame, b: pd.DataFrame, *, seed: int = 0, resamples: int = 10_000) -> dict[str, Any]:
    """:func:`~actalign.metrics.paired_difference` at Top-1, a minus b in points, under the names tables use.

    Returns:
        difference, difference_low, difference_high, only_first and only_second (clips that one alone got right),
        mcnemar_p, n_common. The test's three are NaN where a or b runs several draws.
    """
    pair = paired_difference(a, b, seed=seed, resamples=resamples)
    nothing = float("nan")
    return {
        "difference": pair.difference,
        "difference_low": pair.low,
        "difference_high": pair.high,
        "only_first": pair.test.only_a if pair.test else nothing,
        "only_second": pair.test.only_b if pair.test else nothing,
        "mcnemar_p": pair.test.p if pair.test else nothing,
        "n_common": pair.n,
    }


def paired_table(
    scores: pd.DataFrame, pairs: Sequence[tuple[str, str]], *, style: str, seed: int = 0, resamples: int = 10_000
) -> pd.DataFrame:
    """Top-1 of the first method of each pair minus that of the second, on the clips both scored.

    Args:
        scores: of all the methods named, at least in ``style``.
        pairs: (first, second) method names.

    Returns:
        Columns method, label, against, against_label, style and those of :func:`paired_row`.

    Raises:
        ActAlignError: there are no pairs, or a method was not scored.
    """
    if not pairs:
        raise ActAlignError("there are no pairs of methods to compare; give at least one")
    rows = []
    for first, second in pairs:
        a, b = rows_of(scores, first, style=style), rows_of(scores, second, style=style)
        names = {"method": first, "label": a["label"].iloc[0], "against": second, "against_label": b["label"].iloc[0]}
        rows.append({**names, "style": style, **paired_row(a, b, seed=seed, resamples=resamples)})
    return pd.DataFrame(rows)


def script_statistics(dataset: Dataset) -> pd.DataFrame:
    """Table 1 for every style of the data set: columns style, then mean and sd of steps, domain and words.

    Raises:
        ActAlignError: the data set has no scripts.
    """
    if not dataset.scripts:
        raise ActAlignError(f"data set {dataset.name!r} has no scripts to describe; add a file under scripts/")
    kinds = {"steps": "sub_actions_per_class", "domain": "sub_actions_per_domain", "words": "words_per_sub_action"}
    rows = []
    for style, scripts in dataset.scripts.items():
        table = statistics(scripts)
        row: dict[str, Any] = {"style": style}
        for short, kind in kinds.items():
            row |= {f"{short}_mean": table.loc[kind, "mean"], f"{short}_sd": table.loc[kind, "sd"]}
        rows.append(row)
    return pd.DataFrame(rows)


def clip_table(dataset: Dataset, embeddings: Mapping[str, FrameEmbeddings]) -> pd.DataFrame:
    """What became of each clip: columns clip_id, split, frames, seconds, frames_per_second, state, reason.

    ``seconds`` is the time the embedded frames stand for, see ``FrameEmbeddings``; ``frames_per_second`` is one over
    the median frame's. Both are 0 where there are fewer than two frames.

    >>> from pathlib import Path
    >>> from actalign.records import Clip
    >>> dataset = Dataset("demo", Path("."), {"a": Clip("a", Path("a.mp4"), sport="judo")}, ())
    >>> frames = FrameEmbeddings([[1.0, 1.0]] * 3, [0.0, 0.5, 1.0])
    >>> clip_table(dataset, {"a": frames})[["state", "seconds"]].to_records(index=False).tolist()
    [('done', 1.5)]
    """
    failed = getattr(embeddings, "failed", {})
    rows = []
    for clip in dataset.clips.values():
        frames = embeddings.get(clip.id)
        rows.append(
            {
                "clip_id": clip.id, "split": clip.split, "frames": len(frames) if frames else 0,
                "seconds": round(frames.seconds, 6) if frames else 0.0,
                "frames_per_second": round(1 / frames.frame_s, 6) if frames and frames.frame_s else 0.0,
                "state": "done" if frames else "failed",
                "reason": "" if frames else failed.get(clip.id, "not embedded"),
            }
        )  # fmt: skip
    return pd.DataFrame(rows)
