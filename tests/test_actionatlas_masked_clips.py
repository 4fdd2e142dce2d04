"""Masks are part of a clip: whoever reads its frames sees them blurred, and its embeddings have a key of their own."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from atlas_copy import atlas_row, write_jsonl

from actalign.datasets.actionatlas.reading import read_actionatlas, read_masks, with_masks
from actalign.fetching.local import import_videos
from actalign.masks import Masks, mask_frame
from actalign.records import Clip, Dataset
from actalign.store import EmbeddingStore
from actalign.video import iter_frames

BOX = ((4, 4), (40, 4), (40, 30), (4, 30))
MASKS = Masks(((2, (BOX,)), (5, (BOX,))))


@pytest.fixture
def clip(write_video: Callable[..., Path], tmp_path: Path) -> Clip:
    return Clip("a", write_video(tmp_path / "a.mp4"), sport="judo", start_s=0.5, end_s=1.5, masks=MASKS)


def test_frames_of_a_masked_clip_are_masked(clip: Clip) -> None:
    plain = iter_frames(replace(clip, masks=None))
    for number, ((time, frame), (plain_time, expected)) in enumerate(zip(iter_frames(clip), plain, strict=True)):
        if number in (2, 5):
            expected = mask_frame(expected, (BOX,), kernel=MASKS.kernel)
        assert time == plain_time
        np.testing.assert_array_equal(frame, expected)


def test_masks_stay_on_their_frames_at_any_rate(clip: Clip) -> None:
    every = dict(iter_frames(clip))
    some = list(iter_frames(clip, frame_rate=5.0))
    assert 0 < len(some) < len(every)
    for time, frame in some:
        np.testing.assert_array_equal(frame, every[time])
    plain = dict(iter_frames(replace(clip, masks=None)))
    assert sum((frame != plain[time]).any() for time, frame in some) == 2


def test_embeddings_of_a_masked_clip_have_their_own_key_and_others_keep_theirs(clip: Clip, tmp_path: Path) -> None:
    store = EmbeddingStore(tmp_path, encoder="one", dtype="float32", frame_rate=None)
    plain = replace(clip, masks=None)
    keys = [store.key(each, source_sha256="0f") for each in (plain, replace(clip, masks=Masks()), clip)]
    keys.append(store.key(replace(clip, masks=replace(MASKS, kernel=15)), source_sha256="0f"))
    assert keys[0] == keys[1] and len(set(keys)) == 3


@pytest.fixture
def dataset(tmp_path: Path, write_video: Callable[..., Path]) -> Dataset:
    (tmp_path / "mine").mkdir()
    for number in range(2):
        write_video(tmp_path / "mine" / f"video{number}.mp4", frames=45)
    table = write_jsonl(tmp_path / "table.jsonl", [atlas_row(number) for number in range(3)])
    import_videos(tmp_path / "mine", root=tmp_path / "atlas", copy=table)
    return read_actionatlas(tmp_path / "atlas")


def test_the_benchmark_is_masked_unless_told_otherwise(dataset: Dataset) -> None:
    official = read_masks(dataset.root)
    assert {clip_id: clip.masks for clip_id, clip in dataset.clips.items() if clip.masks} == official
    assert set(official) == {"000"}
    bare = with_masks(dataset, {})
    assert [clip.masks for clip in bare.clips.values()] == [None] * 3
    assert with_masks(bare, official) == dataset
