from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from actalign.errors import ActAlignError
from actalign.timeline import REORDER_FRAMES, check_frame_rate, in_order, on_grid

FILE = Path("odd.mp4")


def order(times: list[int]) -> list[int]:
    return [frame for _, frame in in_order(((Fraction(time, 10), n) for n, time in enumerate(times)), FILE)]


def test_frames_a_little_out_of_order_are_sorted() -> None:
    assert order([0, 3, 1, 2, 4]) == [0, 2, 3, 1, 4]


def test_a_frame_may_be_late_by_the_reordering_depth_and_no_more() -> None:
    late = list(range(1, REORDER_FRAMES + 1))
    assert order([*late, 0, 50]) == [REORDER_FRAMES, *range(REORDER_FRAMES), REORDER_FRAMES + 1]
    with pytest.raises(ActAlignError, match=r"odd\.mp4: its clock jumps back from 0\.100 s to 0\.000 s"):
        order([*late, REORDER_FRAMES + 1, 0])


def test_of_frames_that_share_a_time_the_first_is_kept() -> None:
    assert order([0, 1, 1, 2, 2, 3]) == [0, 1, 3, 5]


def test_a_clock_that_mostly_stands_still_is_an_error() -> None:
    assert order([0, 0, 1, 1]) == [0, 2]
    with pytest.raises(ActAlignError, match="2 of its frames repeat a timestamp"):
        order([0, 0, 0])


def test_no_frames_stay_no_frames() -> None:
    assert order([]) == []
    assert list(on_grid(iter([]), start_s=0.0, frame_rate=5.0)) == []


@pytest.mark.parametrize("frame_rate", [0.3, 1.0, 3.7, 8.0, 60.0])
def test_each_grid_point_gets_its_nearest_frame(frame_rate: float, rng: np.random.Generator) -> None:
    for _ in range(50):
        start_s = rng.uniform(0, 3)
        times_s = np.sort(start_s + rng.uniform(0, 4, rng.integers(1, 30)))
        points = start_s + np.arange(1000) / frame_rate
        points = points[points <= times_s[-1]]
        nearest = sorted({int(np.argmin(abs(times_s - point))) for point in points})
        served = on_grid(zip(times_s, range(len(times_s)), strict=True), start_s=start_s, frame_rate=frame_rate)
        assert [(times_s[n], n) for n in nearest] == list(served)


def test_ties_go_to_the_earlier_frame_and_the_last_frame_is_on_the_grid() -> None:
    thirds = [(n / 30, n) for n in range(100)]  # so many that rounding falls on either side of a tie
    assert [n for _, n in on_grid(iter(thirds), start_s=0.0, frame_rate=20.0)] == [n for n in range(100) if n % 3 != 2]
    assert [n for _, n in on_grid(iter(thirds), start_s=0.0, frame_rate=10.0)] == list(range(0, 100, 3))
    later = [(1 + time_s, n) for time_s, n in thirds]
    for last in range(0, 100, 3):
        assert list(on_grid(iter(later[: last + 1]), start_s=1.0, frame_rate=10.0))[-1] == later[last]


@pytest.mark.parametrize("frame_rate", [0, -1.0, float("nan"), 2e6, True, "12"])
def test_a_frame_rate_is_a_number_above_0(frame_rate: Any) -> None:
    with pytest.raises(ActAlignError, match=r"frame_rate is .* give frames per second above 0"):
        check_frame_rate(frame_rate)


@pytest.mark.parametrize("frame_rate", [None, 0.05, 1, 1e6, Fraction(30000, 1001), np.float32(0.5)])
def test_less_than_one_frame_a_second_is_a_frame_rate_too(frame_rate: Any) -> None:
    check_frame_rate(frame_rate)


def test_a_gap_or_a_far_jump_costs_no_time() -> None:
    frames = [(0.0, 0), (1e9, 1), (1e9 + 1, 2)]
    assert [n for _, n in on_grid(iter(frames), start_s=0.0, frame_rate=1000.0)] == [0, 1, 2]
