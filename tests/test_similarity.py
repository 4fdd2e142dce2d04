"""Smoothing, cosine and affinity against plain loops, hand-worked numbers and SciPy."""

from typing import Any

import numpy as np
import pytest
import scipy.spatial.distance
import torch
from numpy.typing import NDArray

from actalign.errors import ActAlignError
from actalign.similarity import WINDOWS, affinity, cosine, require_calibration, smooth, unit


def plain_average(frames: NDArray[np.float64], offsets: range, width: int) -> NDArray[np.float64]:
    """Eq. 7 word for word: a sum over offsets, frames outside the clip being zero."""
    result = np.zeros_like(frames)
    for t in range(len(frames)):
        for offset in offsets:
            if 0 <= t + offset < len(frames):
                result[t] += frames[t + offset]
    return result / width


@pytest.mark.parametrize("width", [1, 2, 3, 4, 7, 30, 31])
@pytest.mark.parametrize("count", [1, 2, 5, 40])
def test_printed_window_is_equation_7(rng: np.random.Generator, width: int, count: int) -> None:
    frames = rng.normal(size=(count, 3))
    expected = plain_average(frames, range(-(width // 2), width // 2 + 1), width)
    np.testing.assert_allclose(smooth(frames, width), expected, atol=1e-12)


@pytest.mark.parametrize("width", [2, 4, 30])
def test_exact_window_has_w_terms(rng: np.random.Generator, width: int) -> None:
    frames = rng.normal(size=(40, 3))
    expected = plain_average(frames, range(-(width // 2), width // 2), width)
    np.testing.assert_allclose(smooth(frames, width, window="exact"), expected, atol=1e-12)
    assert not np.allclose(smooth(frames, width), expected)


def test_windows_agree_for_odd_widths(rng: np.random.Generator) -> None:
    frames = rng.normal(size=(20, 4))
    np.testing.assert_array_equal(smooth(frames, 7, window="printed"), smooth(frames, 7, window="exact"))


@pytest.mark.parametrize("width", [1, 2, 3, 6, 30])
@pytest.mark.parametrize("window", WINDOWS)
def test_released_padding_is_a_pooling_layer(rng: np.random.Generator, width: int, window: str) -> None:
    frames = rng.normal(size=(40, 2))
    pad = (width - 1) // 2
    padded = np.pad(frames, ((pad, pad), (0, 0)))
    expected = np.stack([np.convolve(column, np.ones(width) / width, mode="valid") for column in padded.T], axis=1)
    result = smooth(frames, width, window=window, padding="released")  # type: ignore[arg-type]
    assert len(result) == 40 - (width % 2 == 0)
    np.testing.assert_allclose(result, expected, atol=1e-12)


def test_width_one_changes_nothing(rng: np.random.Generator) -> None:
    frames = rng.normal(size=(9, 3))
    np.testing.assert_allclose(smooth(frames, 1), frames, atol=1e-14)


def test_a_width_may_be_a_whole_number_of_numpys(rng: np.random.Generator) -> None:
    frames = rng.normal(size=(9, 3))
    np.testing.assert_array_equal(smooth(frames, np.arange(4)[3]), smooth(frames, 3))


def test_smooth_leaves_its_input_alone(rng: np.random.Generator) -> None:
    frames = rng.normal(size=(9, 3))
    before = frames.copy()
    smooth(frames, 4)
    np.testing.assert_array_equal(frames, before)


@pytest.mark.parametrize("width", [0, -3, 2.0, True, "3"])
def test_bad_width_names_it(width: int) -> None:
    with pytest.raises(ActAlignError, match=f"width {width!r}"):
        smooth(np.ones((4, 2)), width)


def test_unknown_choices_and_vanishing_clips_raise() -> None:
    with pytest.raises(ActAlignError, match="'same'"):
        smooth(np.ones((4, 2)), 2, padding="same")  # type: ignore[arg-type]
    with pytest.raises(ActAlignError, match="'wide'"):
        smooth(np.ones((4, 2)), 2, window="wide")  # type: ignore[arg-type]
    with pytest.raises(ActAlignError, match="leaves none of 1 frames"):
        smooth(np.ones((1, 2)), 2, padding="released")
    assert smooth(np.ones((2, 2)), 2, padding="released").shape == (1, 2)
    assert smooth(np.ones((1, 2)), 3, padding="released").shape == (1, 2)


@pytest.mark.parametrize("frames", [np.ones(3), np.ones((0, 3)), np.array([[1.0, np.nan]]), np.array([[np.inf]])])
def test_frames_that_are_no_matrix_raise(frames: NDArray[np.float64]) -> None:
    with pytest.raises(ActAlignError, match="frame embeddings"):
        smooth(frames, 3)


def test_rows_that_are_not_finite_are_counted() -> None:
    with pytest.raises(ActAlignError, match="frame embeddings hold NaN or inf in 2 rows"):
        smooth(np.array([[np.nan, np.nan, np.inf], [1.0, 1.0, 1.0], [1.0, 1.0, np.inf]]), 3)


def test_cosine_matches_scipy(rng: np.random.Generator) -> None:
    texts = rng.normal(size=(4, 8)).astype(np.float32)
    frames = 50 * rng.normal(size=(6, 8)).astype(np.float32)
    expected = 1 - scipy.spatial.distance.cdist(texts.astype(np.float64), frames.astype(np.float64), "cosine")
    result = cosine(texts, frames)
    assert result.dtype == np.float64
    np.testing.assert_allclose(result, expected, atol=1e-12)


def test_cosine_never_leaves_minus_one_to_one(rng: np.random.Generator) -> None:
    rows = rng.normal(size=(300, 7))
    result = cosine(rows, rows * rng.uniform(0.1, 1e6, size=(300, 1)))
    assert result.max() == 1.0
    assert cosine(rows, -rows).min() == -1.0


def test_cosine_of_different_widths_raises() -> None:
    with pytest.raises(ActAlignError, match="width 3 but frames have width 2"):
        cosine(np.ones((1, 3)), np.ones((1, 2)))


def test_a_row_whose_length_overflows_is_refused_and_does_not_become_zeros() -> None:
    with pytest.raises(ActAlignError, match="too large to be squared"):
        unit(np.array([[1e200, 1e200], [3.0, 4.0]]))


def test_a_zero_row_has_no_direction() -> None:
    with pytest.raises(ActAlignError, match=r"rows \[1\] of 2"):
        unit(np.array([[1.0, 0.0], [0.0, 0.0]]))


def test_affinity_by_hand_and_in_the_far_tails() -> None:
    cosines = np.array([[-1.0, 0.0, 0.1, 1.0]])
    result = affinity(cosines, scale=100.0, bias=-10.0)
    np.testing.assert_allclose(result[0, 1:], [1 / (1 + np.exp(10.0)), 0.5, 1.0], rtol=1e-12)
    np.testing.assert_allclose(result[0, 0], np.exp(-110.0), rtol=1e-12)
    assert affinity(cosines, scale=0.5, bias=0.0)[0, -1] == pytest.approx(1 / (1 + np.exp(-0.5)))
    far = affinity(cosines, scale=1e6, bias=0.0)
    np.testing.assert_array_equal(far, [[0.0, 0.5, 1.0, 1.0]])


@pytest.mark.parametrize(("scale", "bias"), [(0.0, 0.0), (-4.7, 0.0), (np.nan, 0.0), (np.inf, 0.0), (1.0, np.inf)])
def test_affinity_refuses_impossible_calibration(scale: float, bias: float) -> None:
    with pytest.raises(ActAlignError, match=r"affinity (scale|bias)"):
        affinity(np.zeros((1, 1)), scale=scale, bias=bias)


def test_affinity_refuses_cosines_that_are_none() -> None:
    for bad in (np.array([[np.nan]]), np.ones(3)):
        with pytest.raises(ActAlignError, match=r"^cosines "):
            affinity(bad, scale=1.0, bias=0.0)


ONE = torch.ones(1)


@pytest.mark.parametrize(
    ("scale", "bias"),
    [(ONE, 0.0), (ONE, ONE), (torch.nn.Parameter(ONE), ONE), (1.0, np.zeros(1)), (1j, 0.0), ("1", 0.0), (None, 0.0)],
)
def test_a_calibration_that_is_no_plain_number_is_refused(scale: Any, bias: Any) -> None:
    """A checkpoint holds its own as tensors of one number."""
    numpy_numbers: dict[str, Any] = {"scale": np.float32(1.0), "bias": np.int64(-1)}
    require_calibration(**numpy_numbers)
    with pytest.raises(ActAlignError, match=r"must be plain numbers.*; got .* and .*pass \.item\(\)"):
        require_calibration(scale=scale, bias=bias)
