"""The stage from embeddings to scores, against the equations and the textbook alignment."""

from collections.abc import Iterator
from typing import Any
from weakref import WeakSet

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from actalign import similarity, stage
from actalign.clip_similarity import Smoothing
from actalign.dtw import reference
from actalign.errors import ActAlignError
from actalign.stage import ONE_THREAD_PER_PRODUCT, ClipScripts, score_clips

SCALE, BIAS = 100.0, -10.0


def clips(count: int, rng: np.random.Generator, *, dtype: Any = np.float64, width: int = 24) -> list[ClipScripts]:
    """Ragged clips whose candidates share texts, and use one twice."""
    made = []
    for _ in range(count):
        frames = rng.normal(size=(rng.integers(1, 40), width)).astype(dtype)
        texts = (rng.normal(size=(12, width)) + 3 * frames[rng.integers(len(frames), size=12)]).astype(dtype)
        scripts = tuple(rng.integers(0, 12, size) for size in rng.integers(1, 11, rng.integers(1, 6)))
        made.append(ClipScripts(frames, texts, scripts))
    return made


def by_equations(clip: ClipScripts, smoothing: Smoothing | None) -> list[float]:
    frames = clip.frames_td if smoothing is None else similarity.smooth(clip.frames_td, smoothing.width)
    values = similarity.affinity(similarity.cosine(clip.texts_nd, frames), scale=SCALE, bias=BIAS)
    return [reference.score(values[rows]) for rows in clip.scripts]


@pytest.mark.parametrize("smoothing", [None, Smoothing(6)])
@pytest.mark.parametrize(("dtype", "close"), [(np.float64, 1e-11), (np.float32, 1e-4)])
@pytest.mark.parametrize("threads", [1, 2, None])
def test_is_the_equations(
    smoothing: Smoothing | None, dtype: Any, close: float, threads: int | None, rng: np.random.Generator
) -> None:
    asked = clips(40, rng, dtype=dtype)
    found = score_clips(asked, scale=SCALE, bias=BIAS, smoothing=smoothing, threads=threads)
    assert [len(scores) for scores in found] == [len(clip.scripts) for clip in asked]
    for clip, scores in zip(asked, found, strict=True):
        assert scores.dtype == np.float64
        np.testing.assert_allclose(scores, by_equations(clip, smoothing), rtol=close)


def test_company_and_threads_change_no_bit(rng: np.random.Generator) -> None:
    asked = clips(50, rng, dtype=np.float32)
    alone = [score_clips([clip], scale=SCALE, bias=BIAS)[0].tolist() for clip in asked]
    for threads in (1, 3):
        assert [s.tolist() for s in score_clips(asked, scale=SCALE, bias=BIAS, threads=threads)] == alone
    assert score_clips([], scale=SCALE, bias=BIAS) == []


def test_clips_are_drawn_as_they_are_needed(rng: np.random.Generator) -> None:
    drawn = []

    def one_by_one() -> Iterator[ClipScripts]:
        for number, clip in enumerate(clips(5 * stage.CLIPS_PER_PIECE, rng)):
            drawn.append(number)
            yield clip
            if number == 2 * stage.CLIPS_PER_PIECE:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        score_clips(one_by_one(), scale=SCALE, bias=BIAS, threads=2)
    assert len(drawn) == 2 * stage.CLIPS_PER_PIECE + 1


@pytest.mark.parametrize("threads", [1, 2])
def test_clips_that_are_scored_are_not_kept(threads: int, rng: np.random.Generator) -> None:
    alive: WeakSet[ClipScripts] = WeakSet()
    most = 0

    def one_by_one() -> Iterator[ClipScripts]:
        nonlocal most
        for _ in range(8 * stage.CLIPS_PER_PIECE):
            (clip,) = clips(1, rng)
            alive.add(clip)
            most = max(most, len(alive))
            yield clip

    assert len(score_clips(one_by_one(), scale=SCALE, bias=BIAS, threads=threads)) == 8 * stage.CLIPS_PER_PIECE
    assert most <= (threads + 1) * stage.CLIPS_PER_PIECE


def test_calls_that_overlap_leave_the_threads_of_products_as_they_were(rng: np.random.Generator) -> None:
    """Neither lifts what the other still needs, nor keeps it for good."""

    def limits() -> set[int]:
        return {one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"}

    with threadpool_limits(2, user_api="blas"):
        for _ in range(2):
            ONE_THREAD_PER_PRODUCT.__enter__()
            assert limits() == {1}
        for left in ({1}, {2}):
            ONE_THREAD_PER_PRODUCT.__exit__()
            assert limits() == left


def test_bad_clips(rng: np.random.Generator) -> None:
    eye = np.eye(3)
    with pytest.raises(ActAlignError, match=r"^affinity scale 0\.0 must be positive"):
        score_clips([], scale=0.0, bias=0.0)
    for scripts, message in [
        ((), "at least one candidate"),
        ((np.array([0]), np.array([], dtype=int)), "script 1 is empty"),
        ((np.array([0, 3]),), r"script 0 names row 3, but there are 3 rows"),
        ((np.array([2, -1]),), r"names row -1"),
    ]:
        with pytest.raises(ActAlignError, match=message):
            ClipScripts(eye, eye, scripts)
    broken = ClipScripts(np.full((3, 3), np.nan), eye, (np.array([0]),))
    for threads in (1, 2):
        with pytest.raises(ActAlignError, match="frames hold NaN"):
            score_clips(
                [*clips(30, rng, width=3), broken, *clips(30, rng, width=3)], scale=1.0, bias=0.0, threads=threads
            )


def test_the_bad_clip_is_named_by_its_place() -> None:
    good = ClipScripts(np.eye(2), np.eye(2), (np.array([0, 1]),))
    bad = ClipScripts(np.zeros((2, 2)), np.eye(2), (np.array([0]),))
    with pytest.raises(ActAlignError, match="clip 20: frames: rows"):
        score_clips([good] * 20 + [bad], scale=1.0, bias=0.0)
