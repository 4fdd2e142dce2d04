"""The whole stage between embeddings and scores, for many clips: one product a clip, then no loop over candidates.

Use it on arrays of your own; ``scoring.score_dataset`` takes a data set and runs the same code.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from itertools import chain, islice
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from actalign.clip_similarity import ClipSimilarity, Smoothing
from actalign.cores import share_out, threads_for
from actalign.dtw import Evidence, script_scores
from actalign.dtw.checks import check_rows
from actalign.errors import ActAlignError
from actalign.similarity import require_calibration

CLIPS_PER_PIECE = 16


@dataclass(frozen=True, eq=False)
class ClipScripts:
    """One clip's frames (T, d), the N distinct texts (N, d) of all its candidates, and each candidate's script.

    ``scripts`` holds one array of row numbers of ``texts_nd`` per candidate, in script order; a row may serve
    several candidates, and the same one twice. A text that stands in two rows may be off by rounding in one of them.

    Raises:
        ActAlignError: there are no candidates, or a script is empty, no list of whole numbers, or names a row that is
            not there.

    >>> ClipScripts(np.eye(2), np.eye(2), (np.array([0, 1]), np.array([2])))
    Traceback (most recent call last):
    actalign.errors.ActAlignError: script 1 names row 2, but there are 2 rows, numbered from 0
    """

    frames_td: NDArray[Any]
    texts_nd: NDArray[Any]
    scripts: tuple[NDArray[np.intp], ...]

    def __post_init__(self) -> None:
        if not self.scripts:
            raise ActAlignError("a clip needs the script of at least one candidate; got none")
        count = len(self.texts_nd)
        checked = (check_rows(rows, count, name=f"script {place}") for place, rows in enumerate(self.scripts))
        object.__setattr__(self, "scripts", tuple(checked))


def score_clips(
    clips: Iterable[ClipScripts],
    *,
    scale: float,
    bias: float,
    smoothing: Smoothing | None = None,
    threads: int | None = None,
) -> list[NDArray[np.float64]]:
    """Smoothing, cosine, affinity and DTW (paper, Eq. 7-13): the scores of each clip's candidates.

    Clips are drawn as they are needed, so that a generator may read them from disk. The product of texts and
    frames is made in the precision of the embeddings and the rest in float64 (see ``clip_similarity``).

    Args:
        clips: frames and texts need not be normalised.
        scale, bias: exp(logit_scale) and logit_bias of the checkpoint (Eq. 9).
        smoothing: ``None`` is none.
        threads: ``None`` is one per core.

    Returns:
        One (C,) float64 array per clip, in the order given; higher is better.

    Raises:
        ActAlignError: a bad clip, named by its place, or a bad smoothing or calibration; see ``ClipSimilarity``.

    >>> lob = ClipScripts(np.eye(2), np.eye(2), (np.array([0, 1]), np.array([1, 0])))
    >>> [scores.round(3).tolist() for scores in score_clips([lob], scale=2.0, bias=-2.0)]
    [[0.373, 0.246]]
    """

    def score(piece: list[tuple[int, ClipScripts]]) -> list[NDArray[np.float64]]:
        evidence = []
        for place, clip in piece:
            try:
                similarity = ClipSimilarity(clip.frames_td, clip.texts_nd)
                affinity = similarity.affinity(scale=scale, bias=bias, smoothing=smoothing)
            except ActAlignError as error:
                raise ActAlignError(f"clip {place}: {error}") from error
            evidence.append(Evidence(affinity, clip.scripts))
        ends = np.cumsum([len(clip.scripts) for _, clip in piece])
        return np.split(script_scores(evidence, threads=1), ends[:-1])

    require_calibration(scale=scale, bias=bias)
    remaining = enumerate(clips)
    pieces = iter(lambda: list(islice(remaining, CLIPS_PER_PIECE)), [])
    with ONE_THREAD_PER_PRODUCT:
        return list(chain.from_iterable(share_out(score, pieces, threads=threads_for(threads))))


class _OneThreadPerProduct:
    """While any call lasts each product of matrices runs in one thread: the threads work on clips of their own.

    The setting is the process's, so that of several calls at once the first sets it and the last takes it back.
    """

    def __init__(self) -> None:
        self._lock, self._calls = Lock(), 0
        self._limit: Any = None

    def __enter__(self) -> None:
        with self._lock:
            self._calls += 1
            if self._calls == 1:
                self._limit = _libraries().limit(limits=1, user_api="blas")

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._calls -= 1
            if self._calls == 0:
                self._limit.restore_original_limits()


ONE_THREAD_PER_PRODUCT = _OneThreadPerProduct()


@cache
def _libraries() -> ThreadpoolController:
    return ThreadpoolController()
