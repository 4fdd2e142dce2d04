from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from atlas_copy import GOAL, SCORE, atlas_row

from actalign.datasets.actionatlas.rows import parse_rows
from actalign.errors import ActAlignError
from actalign.masks import RULES, Masks, Region, mask_frame, rectangles, text_masks
from actalign.records import Clip
from actalign.video import iter_frames

BOX = ((2, 1), (9, 1), (9, 6), (2, 6))
GREYS = (np.arange(48).reshape(6, 8) * 37 % 251).astype(np.uint8)
# What OpenCV's GaussianBlur(GREYS, (k, k), 0) gives in rows 0 and 5.
OPENCV = {
    15: ([122, 123, 124, 126, 125, 124, 122, 121], [125, 125, 124, 124, 123, 123, 123, 123]),
    111: ([124] * 8, [124] * 8),
}


@pytest.mark.parametrize("kernel", [15, 111])
def test_the_blur_is_that_of_opencv_up_to_its_rounding(kernel: int) -> None:
    frame = np.repeat(GREYS[:, :, None], 3, axis=2)
    whole = [((0, 0), (8, 0), (8, 6), (0, 6))]
    masked = mask_frame(frame, whole, kernel=kernel)
    for row, expected in zip((0, 5), OPENCV[kernel], strict=True):
        np.testing.assert_allclose(masked[row].astype(int), np.array(expected)[:, None].repeat(3, 1), atol=1)


@pytest.mark.parametrize(("kernel", "sigma"), [(15, 2.6), (111, 17.0)])
def test_an_edge_is_blurred_by_a_gaussian_of_opencvs_sigma(kernel: int, sigma: float) -> None:
    frame = np.zeros((140, 400, 3), dtype=np.uint8)
    frame[:, 200:] = 255
    masked = mask_frame(frame, [((0, 0), (400, 0), (400, 140), (0, 140))], kernel=kernel)
    weights = {d: np.exp(-(d**2) / (2 * sigma**2)) for d in range(-(kernel // 2), kernel // 2 + 1)}
    bright = [sum(weight for d, weight in weights.items() if x + d >= 200) for x in range(100, 300)]
    expected = np.rint(255 * np.array(bright) / sum(weights.values()))
    np.testing.assert_array_equal(masked[:, 100:300], np.tile(expected[:, None], (140, 1, 3)))


def test_only_the_rectangle_is_blurred_and_from_its_own_pixels_alone(rng: np.random.Generator) -> None:
    frame = rng.integers(0, 256, (12, 16, 3), dtype=np.uint8)
    before = frame.copy()
    masked = mask_frame(frame, [BOX])
    np.testing.assert_array_equal(frame, before)
    inside = np.zeros((12, 16), dtype=bool)
    inside[1:6, 2:9] = True
    np.testing.assert_array_equal(masked[~inside], frame[~inside])
    assert (masked[inside] != frame[inside]).mean() > 0.9
    elsewhere = frame.copy()
    elsewhere[~inside] = 0
    np.testing.assert_array_equal(mask_frame(elsewhere, [BOX])[inside], masked[inside])
    assert masked[inside].astype(float).std() < 0.2 * frame[inside].std()


def test_rectangles_that_overlap_are_blurred_one_after_the_other(rng: np.random.Generator) -> None:
    frame = rng.integers(0, 256, (12, 16, 3), dtype=np.uint8)
    other = ((5, 3), (14, 3), (14, 9), (5, 9))
    both = mask_frame(frame, [BOX, other], kernel=5)
    np.testing.assert_array_equal(both, mask_frame(mask_frame(frame, [BOX], kernel=5), [other], kernel=5))


def test_polygons_at_and_beyond_the_edge() -> None:
    assert rectangles([((-4, -4), (3, 2))], height=5, width=5) == [(0, 0, 3, 2)]
    assert rectangles([((3, 3), (99, 99))], height=5, width=5) == [(3, 3, 5, 5)]
    assert rectangles([((7, 7), (9, 9)), ((2, 2), (2, 4)), ((1, 3), (4, 3))], height=5, width=5) == []
    assert rectangles([((1, 3), (9, 9))], height=8, width=5) == [(1, 3, 5, 8)]
    one_pixel = mask_frame(np.full((5, 5, 3), 7, dtype=np.uint8), [((1, 1), (2, 2))])
    np.testing.assert_array_equal(one_pixel, 7)


@pytest.mark.parametrize("shape", [(40, 8, 3), (8, 40, 3)])
def test_a_mask_reaches_to_the_end_of_either_side(shape: tuple[int, ...], rng: np.random.Generator) -> None:
    frame = rng.integers(0, 256, shape, dtype=np.uint8)
    masked = mask_frame(frame, [((0, 0), (99, 99))], kernel=5)
    assert masked.std(axis=(0, 1)).max() < 0.5 * frame.std()
    assert (masked[-4:, -4:] != frame[-4:, -4:]).mean() > 0.9
    np.testing.assert_array_equal(mask_frame(frame, [((0, 0), (99, 99))], kernel=1), frame)


@pytest.mark.parametrize("kernel", [0, -1, 2, 110])
def test_a_kernel_must_be_odd(kernel: int) -> None:
    with pytest.raises(ActAlignError, match=f"blur kernel is {kernel}"):
        mask_frame(np.zeros((4, 4, 3), dtype=np.uint8), [BOX], kernel=kernel)


REGIONS = {1: (Region("GOAL", BOX),), 4: (Region("12:30", BOX), Region("É 2", BOX)), 6: (Region("7", BOX),)}


def test_official_masks_count_from_one_at_the_segment_and_need_a_letter() -> None:
    masks = text_masks(REGIONS)
    assert masks.frames == ((0, (BOX,)), (3, (BOX,)))
    assert masks.kernel == 111
    assert text_masks(REGIONS, first_frame=30) == masks


def test_released_masks_count_from_zero_at_the_whole_video_and_take_every_text() -> None:
    masks = text_masks(REGIONS, rule="released", first_frame=4)
    assert masks.frames == ((0, (BOX, BOX)), (2, (BOX,)))
    assert masks.kernel == 15


def test_an_unknown_rule_is_named() -> None:
    with pytest.raises(ActAlignError, match=r"'offical' is unknown; choose one of \['official', 'released'\]"):
        text_masks({}, rule="offical")


def test_texts_without_a_polygon_and_frames_without_texts_mask_nothing() -> None:
    assert not text_masks({1: (Region("GOAL", ()),), 2: ()})
    assert text_masks({1: (Region("GOAL", ()),)}).digest == ""


def test_the_digest_follows_everything_that_changes_a_picture() -> None:
    masks = text_masks(REGIONS)
    moved = Masks(((1, (BOX,)), (3, (BOX,))))
    assert len({masks.digest, moved.digest, Masks(masks.frames, 15).digest, text_masks({1: REGIONS[1]}).digest}) == 4
    assert masks.digest == text_masks(dict(reversed(REGIONS.items()))).digest


def test_the_extent_tells_the_picture_size_the_masks_need() -> None:
    assert text_masks(REGIONS).extent == (9, 6) and Masks().extent == (0, 0)


def test_masks_go_by_the_number_of_the_frame_in_the_segment(write_video: Callable[..., Path], tmp_path: Path) -> None:
    """The clip starts at 12 s, reached by a seek: its first frame is the 181st of the video."""
    path = write_video(tmp_path / "a.mp4", frames=200, codec={"g": "15"})
    (row,) = parse_rows([atlas_row(0, frames_to_obfuscate={"2": [GOAL], "5": [SCORE], "9": [GOAL]})])
    clip = Clip("a", path, sport="judo", start_s=12.0, end_s=13.0)
    plain = list(iter_frames(clip))
    masked = list(iter_frames(replace(clip, masks=text_masks(row.regions))))
    assert [time for time, _ in masked] == [time for time, _ in plain]
    changed = [n for n, (a, b) in enumerate(zip(plain, masked, strict=True)) if (a[1] != b[1]).any()]
    assert changed == [1, 8]
    narrow = list(iter_frames(replace(clip, masks=Masks(((1, (BOX,)),), kernel=3))))
    np.testing.assert_array_equal(narrow[1][1], mask_frame(plain[1][1], [BOX], kernel=3))
    assert (narrow[1][1] != masked[1][1]).any()
    whole_video = text_masks({181: [Region("x", BOX)]}, rule="released", first_frame=int(12.0 * 15))
    assert whole_video.frames == ((1, (BOX,)),)


def test_frames_are_thinned_out_after_masking(write_video: Callable[..., Path], tmp_path: Path) -> None:
    clip = Clip("a", write_video(tmp_path / "a.mp4"), sport="judo", start_s=0.5, end_s=1.5)
    masks = text_masks({3: [Region("GOAL", BOX)]})
    thinned = list(iter_frames(replace(clip, masks=masks), frame_rate=5.0))
    plain = list(iter_frames(clip, frame_rate=5.0))
    assert [time for time, _ in thinned] == [time for time, _ in plain]
    assert [n for n, (a, b) in enumerate(zip(plain, thinned, strict=True)) if (a[1] != b[1]).any()] == [1]


def test_both_rules_are_what_the_two_scripts_do() -> None:
    assert (RULES["official"].first_number, RULES["official"].of_whole_video) == (1, False)
    assert (RULES["released"].first_number, RULES["released"].of_whole_video) == (0, True)
