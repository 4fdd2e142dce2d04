"""The fast similarity of one clip, against the equations in their readable form."""

from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from actalign import similarity
from actalign.clip_similarity import ClipSimilarity, Smoothing, Stage
from actalign.errors import ActAlignError
from actalign.similarity import PADDINGS, WINDOWS

SCALE, BIAS = 110.0, -12.0
STAGES: tuple[Stage, ...] = ("before_norm", "after_norm")


def by_equations(frames: NDArray[Any], texts: NDArray[Any], smoothing: Smoothing | None) -> NDArray[np.float64]:
    """Eq. 7 and 8 one after the other."""
    if smoothing is not None:
        frames = similarity.unit(frames) if smoothing.stage == "after_norm" else frames
        frames = similarity.smooth(frames, smoothing.width, window=smoothing.window, padding=smoothing.padding)
    return similarity.cosine(texts, frames)


SMOOTHINGS = [None, *(Smoothing(*each) for each in product((1, 2, 3, 6, 9, 50, 2**31), STAGES, WINDOWS, PADDINGS))]


@pytest.mark.parametrize("smoothing", SMOOTHINGS, ids=str)
@pytest.mark.parametrize(("frames", "dtype"), [(20, np.float64), (7, np.float64), (20, np.float32)])
def test_is_the_equations(frames: int, dtype: Any, smoothing: Smoothing | None, rng: np.random.Generator) -> None:
    frames_td = (5 * rng.normal(size=(frames, 16))).astype(dtype)
    texts_nd = (0.1 * rng.normal(size=(9, 16))).astype(dtype)
    clip = ClipSimilarity(frames_td, texts_nd)
    expected = by_equations(frames_td, texts_nd, smoothing)
    close = 1e-13 if dtype is np.float64 else 1e-6
    np.testing.assert_allclose(clip.cosine(smoothing), expected, rtol=0, atol=close)
    affinity = clip.affinity(scale=SCALE, bias=BIAS, smoothing=smoothing)
    np.testing.assert_allclose(affinity, similarity.affinity(expected, scale=SCALE, bias=BIAS), rtol=SCALE * close)
    assert affinity.dtype == np.float64


def test_float32_at_the_size_of_real_embeddings_is_as_close_as_said(rng: np.random.Generator) -> None:
    frames = rng.normal(size=(300, 1152)).astype(np.float32)
    texts = np.concatenate([rng.normal(size=(20, 1152)), frames[:20] + rng.normal(size=(20, 1152)) / 3])
    clip = ClipSimilarity(frames, texts.astype(np.float32))
    for smoothing in (None, Smoothing(30)):
        expected = by_equations(frames, texts.astype(np.float32), smoothing)
        assert np.abs(clip.cosine(smoothing) - expected).max() < 1e-6
        exact = similarity.affinity(expected, scale=SCALE, bias=BIAS)
        relative = np.abs(clip.affinity(scale=SCALE, bias=BIAS, smoothing=smoothing) / exact - 1)
        assert relative.max() < SCALE * 1e-6


def test_tails_reach_as_far_as_float64(rng: np.random.Generator) -> None:
    frames = rng.normal(size=(5, 4))
    clip = ClipSimilarity(frames, np.concatenate([frames, -frames]))
    for scale in (600.0, 2000.0):
        expected = similarity.affinity(
            similarity.cosine(np.concatenate([frames, -frames]), frames), scale=scale, bias=0
        )
        found = clip.affinity(scale=scale, bias=0.0)
        np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-300)
        assert found.max() == 1.0
        assert found.min() < 1e-200


def test_the_product_is_made_once_and_the_smoothed_cosines_once_a_width(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = ClipSimilarity(rng.normal(size=(30, 8)), rng.normal(size=(4, 8)))
    made: list[Smoothing | None] = []
    make = clip._cosine

    def counting(smoothing: Smoothing | None) -> NDArray[np.float64]:
        made.append(smoothing)
        return make(smoothing)

    monkeypatch.setattr(clip, "_cosine", counting)
    for scale, smoothing in product((5.0, 50.0), (None, Smoothing(3), Smoothing(4))):
        clip.affinity(scale=scale, bias=0.0, smoothing=smoothing)
    assert made == [None, Smoothing(3), Smoothing(4)]
    with pytest.raises(ValueError, match="read-only"):
        clip.cosine()[0, 0] = 0.0


def test_smoothing_is_the_same_to_the_last_bit_wherever_arrays_lie(rng: np.random.Generator) -> None:
    for _ in range(15):  # in half of them nothing lay where it mattered
        frames, texts = rng.normal(size=(200, 1152)).astype(np.float32), rng.normal(size=(1, 1152)).astype(np.float32)
        found, between = set(), []
        for _ in range(300):
            between.append(np.empty(rng.integers(1, 5000)))  # what is allocated next lies elsewhere
            found.add(ClipSimilarity(frames.copy(), texts).cosine(Smoothing(31)).tobytes())
        assert len(found) == 1


def test_any_layout_and_nothing_is_modified(rng: np.random.Generator) -> None:
    frames, texts = rng.normal(size=(8, 30)).T[::-1], np.asfortranarray(rng.normal(size=(3, 8)).astype(np.float16))
    for array in (frames, texts):
        array.flags.writeable = False
    before = frames.copy(), texts.copy()
    found = ClipSimilarity(frames, texts).cosine(Smoothing(5))
    np.testing.assert_allclose(found, by_equations(*before, Smoothing(5)), atol=1e-13)
    np.testing.assert_array_equal(frames, before[0])
    np.testing.assert_array_equal(texts, before[1])


@pytest.mark.parametrize("name", ["frames", "texts"])
def test_bad_rows_are_named(name: str, rng: np.random.Generator) -> None:
    rows = {"frames": rng.normal(size=(6, 4)), "texts": rng.normal(size=(3, 4))}
    good = rows[name]
    for value, message in [
        (np.nan, rf"{name} hold NaN or inf \(or too large values\) in 1 of . rows, row 2"),
        (-np.inf, f"{name} hold NaN or inf"),
        (0.0, rf"{name}: rows \[2\] of . are all zeros"),
    ]:
        rows[name] = good.copy()
        rows[name][2] = value
        with pytest.raises(ActAlignError, match=message):
            ClipSimilarity(rows["frames"], rows["texts"])
    with pytest.raises(ActAlignError, match="width 4 but frames have width 5"):
        ClipSimilarity(np.ones((2, 5)), np.ones((2, 4)))
    unreadable: list[tuple[Any, str]] = [
        ([[1.0, 2.0], [3.0]], "frames is not a matrix: .* equal lengths"),
        (torch.ones(3, 4, dtype=torch.bfloat16), "frames cannot be read as an array"),
        (torch.ones(3, 4, requires_grad=True), "frames cannot be read as an array"),
        (np.ma.masked_less(np.eye(4), 0.5), "frames has masked cells"),
    ]
    for frames, message in unreadable:
        with pytest.raises(ActAlignError, match=message):
            ClipSimilarity(frames, np.ones((2, 4)))
    for shape in ((3,), (0, 4), (4, 0)):
        with pytest.raises(ActAlignError, match="non-empty matrix"):
            ClipSimilarity(np.ones(shape), np.ones((2, 4)))


def test_frames_that_cancel_out_have_no_direction() -> None:
    frames = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0]])
    with pytest.raises(ActAlignError, match="width 2: the average around frame 1 is all zeros"):
        ClipSimilarity(frames, np.ones((1, 2))).cosine(Smoothing(2, window="exact"))


def test_bad_settings() -> None:
    clip = ClipSimilarity(np.ones((3, 2)), np.ones((1, 2)))
    for smoothing, message in [
        (Smoothing(0), "width 0"),
        (Smoothing(10**19), "1 to 2147483648"),
        (Smoothing(3, window="wide"), "'wide' is unknown"),  # type: ignore[arg-type]
    ]:
        with pytest.raises(ActAlignError, match=message):
            clip.cosine(smoothing)
    with pytest.raises(ActAlignError, match="stage 'before' is unknown"):
        Smoothing(3, stage="before")  # type: ignore[arg-type]
    for scale, bias in ((0.0, 1.0), (np.nan, 1.0), (1.0, np.inf), ("a", 1.0), (1.0, None)):
        with pytest.raises(ActAlignError, match="affinity"):
            clip.affinity(scale=scale, bias=bias)  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [1e20, 1e-23])
def test_float32_embeddings_of_any_length_have_the_same_cosines(size: float, rng: np.random.Generator) -> None:
    """Where products of float32 would overflow or vanish they are made in float64."""
    frames, texts = (rng.normal(size=shape).astype(np.float32) for shape in ((6, 40), (3, 40)))
    expected = ClipSimilarity(frames, texts).cosine()
    stretched = ClipSimilarity(frames * np.float32(size), texts * np.float32(size))
    np.testing.assert_allclose(stretched.cosine(), expected, atol=1e-6)
    one_of_many = np.array([size, 1, 1, 1, 1, 1], dtype=np.float32)[:, None]
    beside = ClipSimilarity(frames * one_of_many, texts * one_of_many[:3])
    np.testing.assert_allclose(beside.cosine(), expected, atol=1e-6)
    for smoothing in (Smoothing(3), Smoothing(3, stage="after_norm")):
        np.testing.assert_allclose(
            stretched.cosine(smoothing), ClipSimilarity(frames, texts).cosine(smoothing), atol=1e-6
        )


def test_long_frames_beside_longer_texts_have_the_same_cosines(rng: np.random.Generator) -> None:
    """Neither alone is too long for products in float32."""
    frames, texts = (rng.normal(size=shape).astype(np.float32) for shape in ((6, 40), (3, 40)))
    expected = ClipSimilarity(frames, texts).cosine()
    for size in (1e12, 1e28):
        long = ClipSimilarity(frames * np.float32(size), texts * np.float32(1e40 / size))
        np.testing.assert_allclose(long.cosine(), expected, atol=1e-6)


def test_half_precision_is_multiplied_in_float64(rng: np.random.Generator) -> None:
    frames, texts = (rng.normal(size=shape).astype(np.float16) for shape in ((6, 40), (3, 40)))
    np.testing.assert_allclose(ClipSimilarity(frames, texts).cosine(), similarity.cosine(texts, frames), atol=1e-13)


@pytest.mark.parametrize("smoothing", [None, Smoothing(1), Smoothing(1, stage="after_norm")])
def test_cosines_never_leave_minus_one_to_one(smoothing: Smoothing | None, rng: np.random.Generator) -> None:
    rows = rng.normal(size=(300, 7)).astype(np.float32)
    found = ClipSimilarity(rows, np.concatenate([rows, -rows])).cosine(smoothing)
    assert (found.min(), found.max()) == (-1.0, 1.0)


def test_embeddings_are_real_numbers() -> None:
    for frames in (np.ones((2, 3), complex), np.full((2, 3), "1")):
        with pytest.raises(ActAlignError, match="frames must hold real numbers"):
            ClipSimilarity(frames, np.ones((1, 3)))
