import csv
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tolerance import assert_same_embeddings

from actalign import clip_run, embeddings, paths
from actalign.datasets.videos import find_clips
from actalign.decoding import DecodeAhead
from actalign.embeddings import EmbeddingIndex, embed_clips, embed_texts
from actalign.errors import ActAlignError
from actalign.estimate import Pace, Workload
from actalign.records import Clip, Dataset, TextEmbeddings
from actalign.store import EmbeddingStore, read_embeddings, sha256_of
from actalign.text import Padding, TextPolicy, in_company
from actalign.video import Frame, iter_frames, read_frames

Writer = Callable[..., Path]


class CountingEncoder:
    """Each frame's mean colour and corner colour; each text's length and padded length. Counts what it is given."""

    fingerprint = "counting"
    dtype = "float32"
    device = "cuda"
    text_policy = TextPolicy(padding="max_length", max_length=16, lower_case=True)

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.texts: list[str] = []
        self.stop_after: int | None = None

    def encode_stream(self, batches: Iterable[Sequence[Frame]]) -> Iterator[NDArray[np.float32]]:
        for batch in batches:
            yield self.encode(batch)

    def encode(self, frames: Sequence[Frame]) -> NDArray[np.float32]:
        if self.stop_after is not None and len(self.batches) >= self.stop_after:
            raise KeyboardInterrupt
        self.batches.append(len(frames))
        return np.array([[*frame.mean((0, 1)), *frame[0, 0]] for frame in frames], np.float32)

    def padded_length(self, texts: Sequence[str], *, padding: Padding | None = None) -> int:
        return max(len(text.split()) for text in texts) if padding == "longest" else 16

    def warn_truncated(self, texts: Sequence[str]) -> None:
        assert not isinstance(texts, str)

    def encode_texts(
        self, texts: Sequence[str], *, padding: Padding | None = None, length: int | None = None
    ) -> TextEmbeddings:
        assert length is not None
        self.texts.extend(texts)
        return TextEmbeddings(tuple(texts), np.array([[len(text), length] for text in texts], np.float32))


@pytest.fixture
def encoder() -> CountingEncoder:
    return CountingEncoder()


@pytest.fixture
def clips(write_video: Writer, tmp_path: Path) -> list[Clip]:
    """Six clips of 5, 6, 7, 8, 9 and 10 frames, all different."""
    paths = [write_video(tmp_path / f"{n}.mp4", frames=5 + n, size=(32, 32), seed=n) for n in range(6)]
    return [Clip(f"clip-{n}", path, sport="tennis") for n, path in enumerate(paths)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "store"


def expected_rows(clip: Clip) -> NDArray[np.float32]:
    return CountingEncoder().encode(list(read_frames(clip)[0]))


def stored(folder: Path) -> int:
    return len(list(folder.glob("*.safetensors")))


def decoders() -> list[str]:
    """The threads that decode and are still there."""
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("decode")]


@pytest.mark.parametrize("batch_size", [1, 4, 64])
def test_every_clip_gets_its_own_frames(
    batch_size: int, clips: list[Clip], encoder: CountingEncoder, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    index = embed_clips(clips, encoder, store_folder=folder, batch_size=batch_size)
    assert list(index) == [clip.id for clip in clips] and len(index) == 6
    assert (index.loaded, index.computed, index.failed) == (0, 6, {})
    for clip in clips:
        np.testing.assert_array_equal(index[clip.id].embeddings, expected_rows(clip))
        np.testing.assert_array_equal(index[clip.id].times_s, read_frames(clip)[1])
    speed, counts = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"frames: 45 in .*/s; the bottleneck was (de|en)coding: the encoder waited .*", speed)
    assert counts == "clips: loaded 0 from cache, computed 6, failed 0"


def test_batches_are_filled_across_clips_except_on_a_cpu(
    clips: list[Clip], encoder: CountingEncoder, folder: Path
) -> None:
    for device in ("cuda:1", "mps"):
        encoder.fingerprint = encoder.device = device
        encoder.batches.clear()
        embed_clips(clips, encoder, store_folder=folder, batch_size=16)
        assert encoder.batches == [16, 16, 13]
    encoder.fingerprint = encoder.device = "cpu"
    encoder.batches.clear()
    embed_clips(clips, encoder, store_folder=folder, batch_size=7)
    assert encoder.batches == [5, 6, 7, 7, 1, 7, 2, 7, 3]


def test_a_second_run_encodes_nothing(clips: list[Clip], encoder: CountingEncoder, folder: Path) -> None:
    first = embed_clips(clips, encoder, store_folder=folder)
    before = {path: path.read_bytes() for path in folder.iterdir()}
    encoder.batches.clear()
    index = embed_clips(clips, encoder, store_folder=folder)
    assert encoder.batches == []
    assert (index.loaded, index.computed) == (6, 0)
    np.testing.assert_array_equal(index["clip-3"].embeddings, first["clip-3"].embeddings)
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_a_data_set_will_do_and_the_default_folder_is_the_cache(
    clips: list[Clip], encoder: CountingEncoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "CACHE", tmp_path / "cache")
    dataset = Dataset("tiny", tmp_path, {clip.id: clip for clip in clips[:2]}, ())
    assert list(embed_clips(dataset, encoder)) == ["clip-0", "clip-1"]
    assert stored(tmp_path / "cache" / "embeddings") == 2


def test_another_window_rate_or_encoder_is_computed_anew(
    clips: list[Clip], encoder: CountingEncoder, folder: Path
) -> None:
    clip = clips[5]
    window = Clip(clip.id, clip.path, sport="tennis", start_s=0.2, end_s=0.5)
    assert len(embed_clips([clip], encoder, store_folder=folder)[clip.id]) == 10
    assert len(embed_clips([clip], encoder, store_folder=folder, frame_rate=5)[clip.id]) == 4
    np.testing.assert_allclose(
        embed_clips([window], encoder, store_folder=folder)[clip.id].times_s, np.arange(3, 8) / 15, atol=1e-4
    )
    encoder.fingerprint = "another"
    index = embed_clips([clip], encoder, store_folder=folder)
    assert index.computed == 1 and stored(folder) == 4


def test_identical_files_are_encoded_once(clips: list[Clip], encoder: CountingEncoder, folder: Path) -> None:
    copy = clips[0].path.with_name("copy.mp4")
    copy.write_bytes(clips[0].path.read_bytes())
    twins = [clips[0], Clip("twin", copy, sport="judo"), clips[1]]
    index = embed_clips(twins, encoder, store_folder=folder)
    assert sum(encoder.batches) == 5 + 6
    assert (index.loaded, index.computed, stored(folder)) == (1, 2, 2)
    np.testing.assert_array_equal(index["twin"].embeddings, index["clip-0"].embeddings)
    ledger = EmbeddingStore(folder, encoder="counting", dtype="float32", frame_rate=None).latest()
    assert {name: line["state"] for name, line in ledger.items()} == dict.fromkeys(["clip-0", "clip-1", "twin"], "done")


def test_a_clip_that_failed_is_done_once_another_run_has_stored_its_content(
    clips: list[Clip], encoder: CountingEncoder, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(encoder, "encode", lambda frames: np.zeros((len(frames), 6), np.float32))
        with pytest.raises(ActAlignError, match="no clip of 1 could be embedded"):
            embed_clips(clips[:1], encoder, store_folder=folder)
    embed_clips([replace(clips[0], id="under another name")], encoder, store_folder=folder)
    assert embed_clips(clips[:1], encoder, store_folder=folder).loaded == 1
    store = EmbeddingStore(folder, encoder="counting", dtype="float32", frame_rate=None)
    assert store.latest()["clip-0"]["state"] == "done"


def test_a_clip_whose_window_changed_is_listed_with_the_content_that_it_has_now(
    clips: list[Clip], encoder: CountingEncoder, folder: Path
) -> None:
    shorter = replace(clips[0], end_s=0.2)
    embed_clips([clips[0], replace(shorter, id="of another data set")], encoder, store_folder=folder)
    assert embed_clips([shorter], encoder, store_folder=folder).loaded == 1
    ledger = EmbeddingStore(folder, encoder="counting", dtype="float32", frame_rate=None).latest()
    assert ledger["clip-0"]["key"] == ledger["of another data set"]["key"] and ledger["clip-0"]["frames"] == 3


def test_a_file_with_many_windows_is_hashed_once(
    clips: list[Clip], encoder: CountingEncoder, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[Path] = []

    def noted(path: Path) -> str:
        hashed.append(path)
        return sha256_of(path)

    monkeypatch.setattr(clip_run, "sha256_of", noted)
    windows = [replace(clips[1], id=f"window-{n}", start_s=n / 15) for n in range(4)]
    embed_clips([*windows, clips[0]], encoder, store_folder=folder)
    assert sorted(hashed) == [clips[0].path, clips[1].path]


def test_clips_of_different_sizes_share_a_run(write_video: Writer, encoder: CountingEncoder, tmp_path: Path) -> None:
    sizes = [(32, 32), (64, 32), (32, 32)]
    files = [write_video(tmp_path / f"{n}.mp4", frames=5, size=size, seed=n) for n, size in enumerate(sizes)]
    mixed = [Clip(str(n), path, sport="judo") for n, path in enumerate(files)]
    index = embed_clips(mixed, encoder, store_folder=tmp_path / "store", batch_size=8)
    assert encoder.batches == [8, 7]
    for clip in mixed:
        np.testing.assert_array_equal(index[clip.id].embeddings, expected_rows(clip))


class LateEncoder(CountingEncoder):
    """Hands out embeddings two batches late, as a GPU does."""

    def encode_stream(self, batches: Iterable[Sequence[Frame]]) -> Iterator[NDArray[np.float32]]:
        waiting: list[NDArray[np.float32]] = []
        for batch in batches:
            waiting.append(self.encode(batch))
            if len(waiting) > 2:
                yield waiting.pop(0)
        yield from waiting


@pytest.mark.parametrize("batch_size", [1, 4, 64])
def test_embeddings_that_come_late_find_their_clips(batch_size: int, clips: list[Clip], folder: Path) -> None:
    spoil(clips[3])
    index = embed_clips(clips, LateEncoder(), store_folder=folder, batch_size=batch_size)
    assert set(index.failed) == {"clip-3"}
    for clip in clips:
        if clip.id != "clip-3":
            np.testing.assert_array_equal(index[clip.id].embeddings, expected_rows(clip))


def test_the_batches_of_a_cpu_are_small_and_the_same_whatever_was_done_before(
    clips: list[Clip], encoder: CountingEncoder, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder.device = "cpu"
    monkeypatch.setattr(clip_run, "CPU_BATCHES", (2, 4))
    embed_clips(clips[4:], encoder, store_folder=folder)
    assert encoder.batches == [2, 4, 3, 2, 4, 4]
    embed_clips(clips, encoder, store_folder=folder)
    assert encoder.batches[6:] == [2, 3, 2, 4, 2, 4, 1, 2, 4, 2]


def test_the_batches_of_a_cpu_are_small_in_bytes_too(
    clips: list[Clip], encoder: CountingEncoder, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder.device = "cpu"
    _, frame = next(iter_frames(clips[4]))
    monkeypatch.setattr(clip_run, "CPU_BYTES", 3 * frame.nbytes)
    index = embed_clips(clips[4:], encoder, store_folder=folder)
    assert encoder.batches == [3, 3, 3, 3, 3, 3, 1]
    for clip in clips[4:]:
        np.testing.assert_array_equal(index[clip.id].embeddings, expected_rows(clip))
    encoder.fingerprint = encoder.device = "cuda"
    embed_clips(clips[4:], encoder, store_folder=folder)
    assert encoder.batches[7:] == [9 + 10]


# Failures.


def spoil(clip: Clip) -> None:
    """Damage the file so that its first frames still decode."""
    content = bytearray(clip.path.read_bytes())
    start = content.index(b"mdat")
    size = int.from_bytes(content[start - 4 : start], "big")
    at, end = start + size * 3 // 4, start + size - 4
    content[at:end] = bytes(byte ^ 0x5A for byte in content[at:end])
    clip.path.write_bytes(content)


def test_a_clip_that_fails_costs_itself_alone_and_is_tried_again(
    clips: list[Clip], encoder: CountingEncoder, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = clips[4].path.read_bytes()
    spoil(clips[4])
    clips[1].path.unlink()
    index = embed_clips(clips, encoder, store_folder=folder, batch_size=4)
    assert capsys.readouterr().out.endswith("clips: loaded 0 from cache, computed 4, failed 2\n")
    assert list(index) == ["clip-0", "clip-2", "clip-3", "clip-5"]
    assert set(index.failed) == {"clip-1", "clip-4"}
    assert "cannot be read: No such file" in index.failed["clip-1"]
    assert "truncated or damaged after the frame at" in index.failed["clip-4"]
    assert "clip-4" not in index
    with pytest.raises(KeyError, match=r"clip 'clip-4' has no embeddings: video .* damaged"):
        index["clip-4"]
    for name in (0, 2, 3, 5):
        np.testing.assert_array_equal(index[f"clip-{name}"].embeddings, expected_rows(clips[name]))
    with (folder / "index.csv").open(newline="") as file:
        rows = {row["clip_id"]: row for row in csv.DictReader(file)}
    assert rows["clip-4"]["state"] == "failed" and rows["clip-4"]["reason"] == index.failed["clip-4"]
    assert rows["clip-5"]["state"] == "done" and rows["clip-5"]["frames"] == "10"

    clips[4].path.write_bytes(whole)
    encoder.batches.clear()
    again = embed_clips(clips, encoder, store_folder=folder)
    assert (again.loaded, again.computed, set(again.failed)) == (4, 1, {"clip-1"})
    assert sum(encoder.batches) == 9


def test_the_first_frames_of_a_clip_that_fails_are_dropped(
    clips: list[Clip], encoder: CountingEncoder, write_video: Writer, folder: Path
) -> None:
    long = Clip("long", write_video(clips[0].path.with_name("long.mp4"), frames=60, size=(32, 32)), sport="judo")
    spoil(long)
    assert next(iter_frames(long))[0] == 0.0
    index = embed_clips([clips[0], long, clips[1]], encoder, store_folder=folder)
    assert set(index.failed) == {"long"}
    assert encoder.batches == [5 + 6]
    np.testing.assert_array_equal(index["clip-1"].embeddings, expected_rows(clips[1]))


def test_when_every_clip_fails_the_run_fails(
    clips: list[Clip], encoder: CountingEncoder, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for clip in clips[:-1]:
        clip.path.unlink()
    clips[-1].path.write_bytes(b"no video")
    with pytest.raises(ActAlignError, match=r"no clip of 6 could be embedded; .* 'clip-0': .*0\.mp4 cannot be read"):
        embed_clips(clips, encoder, store_folder=folder)
    assert (folder / "index.csv").read_text().count("failed") == 6
    assert capsys.readouterr().out == "clips: loaded 0 from cache, computed 0, failed 6\n"


@pytest.mark.parametrize("value", [np.inf, 0.0])
def test_embeddings_without_a_direction_are_a_failure_of_their_clip(
    value: float, clips: list[Clip], encoder: CountingEncoder, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encode = encoder.encode

    def overflow(frames: Sequence[Frame]) -> NDArray[np.float32]:
        rows = encode(frames)
        rows[0] = value
        return rows

    monkeypatch.setattr(encoder, "encode", overflow)
    index = embed_clips([*clips, replace(clips[0], id="twin")], encoder, store_folder=folder)
    assert "hold NaN or inf, or are all zeros" in index.failed["clip-0"] == index.failed["twin"]
    assert stored(folder) == len(index) == 5


def test_an_error_of_the_encoder_stops_the_run(
    clips: list[Clip], encoder: CountingEncoder, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise ActAlignError("out of memory; give a smaller batch_size")

    monkeypatch.setattr(encoder, "encode", refuse)
    with pytest.raises(ActAlignError, match="out of memory"):
        embed_clips(clips, encoder, store_folder=folder)
    assert not decoders()


def test_an_error_that_is_no_clips_own_stops_the_run(
    clips: list[Clip], encoder: CountingEncoder, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def out_of_memory(*_: object, **__: object) -> None:
        raise MemoryError("no memory")

    monkeypatch.setattr("actalign.decoding.iter_frames", out_of_memory)
    with pytest.raises(MemoryError):
        embed_clips(clips, encoder, store_folder=folder)
    assert not decoders()


def test_frames_without_an_embedding_are_no_shorter_clip(
    clips: list[Clip], encoder: CountingEncoder, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encode = encoder.encode
    monkeypatch.setattr(encoder, "encode", lambda frames: encode(frames)[:-1])
    with pytest.raises(ValueError, match="shorter"):
        embed_clips(clips, encoder, store_folder=folder)


def test_a_batch_holds_at_least_one_frame(clips: list[Clip], encoder: CountingEncoder, folder: Path) -> None:
    with pytest.raises(ActAlignError, match="batch_size is 0; give a whole number of 1 or more"):
        embed_clips(clips, encoder, store_folder=folder, batch_size=0)


@pytest.mark.parametrize("frame_rate", [0.0, -3.0, float("nan"), float("inf"), True, "5", 1j])
def test_a_senseless_frame_rate_stops_the_run_before_it_begins(
    frame_rate: Any, clips: list[Clip], encoder: CountingEncoder, folder: Path
) -> None:
    with pytest.raises(ActAlignError, match="give frames per second above 0"):
        embed_clips(clips, encoder, store_folder=folder, frame_rate=frame_rate)
    assert not folder.exists(), "no clip is blamed in the ledger"


@pytest.mark.parametrize("frame_rate", [np.int64(5), np.float32(5), Fraction(5)])
def test_a_frame_rate_may_be_any_number(
    frame_rate: Any, clips: list[Clip], encoder: CountingEncoder, folder: Path
) -> None:
    index = embed_clips(clips[:2], encoder, store_folder=folder, frame_rate=frame_rate)
    assert (index.computed, len(index["clip-1"])) == (2, 2)
    assert embed_clips(clips[:2], encoder, store_folder=folder, frame_rate=5).loaded == 2
    assert (folder / "index.csv").read_text().count("clip-1") == 1


@pytest.mark.parametrize("device", ["cpu", "cuda"])
@pytest.mark.parametrize("removed", [True, False])
def test_a_file_that_changes_during_the_run_costs_itself_alone(
    removed: bool,
    device: str,
    clips: list[Clip],
    encoder: CountingEncoder,
    folder: Path,
    write_video: Writer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("actalign.cores.available", lambda: 2)  # many would have decoded the last clip before
    encoder.device = device
    victim, other = clips[-1].path, write_video(clips[0].path.with_name("other.mp4"), frames=9, size=(32, 32), seed=99)
    many = [replace(clips[0], id=f"window-{n}", start_s=n / 1000) for n in range(1, 60)]
    encode, original = encoder.encode, victim.read_bytes()

    def meanwhile(frames: Sequence[Frame]) -> NDArray[np.float32]:
        if removed:
            victim.unlink(missing_ok=True)
        elif other.exists():
            other.replace(victim)
        return encode(frames)

    encoder.encode = meanwhile  # type: ignore[method-assign]
    index = embed_clips([*many, clips[-1], *clips[1:3]], encoder, store_folder=folder, batch_size=4)
    assert set(index.failed) == {clips[-1].id} and len(index) == len(many) + 2
    reason = index.failed[clips[-1].id]
    assert "does not exist" in reason if removed else "changed while it was read; run again" in reason
    encoder.encode = encode  # type: ignore[method-assign]
    victim.write_bytes(original)
    again = embed_clips([clips[-1]], encoder, store_folder=folder)
    assert again.computed == 1
    np.testing.assert_array_equal(again[clips[-1].id].embeddings, expected_rows(clips[-1]))


def test_a_change_is_noticed_that_keeps_the_size_or_the_time_or_comes_while_the_file_is_hashed(
    clips: list[Clip], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = clips[0].path
    content = path.read_bytes()

    def changing(path: Path) -> str:
        digest = sha256_of(path)
        path.write_bytes(content[::-1])
        os.utime(path, ns=(1, 1))
        return digest

    def job() -> clip_run.Job:
        return clip_run.Job("key", *clip_run._identified(path), [clips[0]])

    whole = job()
    assert not clip_run._has_changed(whole)
    before = path.stat()
    path.write_bytes(content[:-1])
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert clip_run._has_changed(whole)
    path.write_bytes(content)
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(clip_run, "sha256_of", changing)
        late = job()
    assert late.source_sha256 == whole.source_sha256
    assert clip_run._has_changed(whole) and clip_run._has_changed(late)
    path.unlink()
    assert clip_run._has_changed(whole)


def test_a_file_whose_time_alone_changes_during_the_run_is_kept(
    clips: list[Clip], encoder: CountingEncoder, folder: Path
) -> None:
    encode = encoder.encode

    def touched(frames: Sequence[Frame]) -> NDArray[np.float32]:
        for clip in clips:
            os.utime(clip.path)
        return encode(frames)

    encoder.encode = touched  # type: ignore[method-assign]
    many = [replace(clips[0], id=f"window-{n}", start_s=n / 1000) for n in range(1, 60)]
    assert len(embed_clips([*many, *clips], encoder, store_folder=folder, batch_size=4)) == len(many) + len(clips)


def test_texts_that_are_none_are_named(encoder: CountingEncoder, folder: Path) -> None:
    given: list[tuple[Any, str]] = [
        ([["a", ["b"]]], r"\['b'\] is a list, not a text"),
        ([None], "None is a NoneType, not a text"),
        (["caf\udce9"], "holds half a character"),
    ]
    for texts, message in given:
        with pytest.raises(ActAlignError, match=message):
            embed_texts(texts, encoder, store_folder=folder)


def test_a_file_name_that_is_no_text_costs_nothing(
    clips: list[Clip], encoder: CountingEncoder, folder: Path, tmp_path: Path
) -> None:
    names = [os.fsdecode(b"caf\xe9.mp4"), os.fsdecode(b"broken\xe9.mp4")]
    for name in names:
        (tmp_path / "old" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "old" / name).write_bytes(clips[0].path.read_bytes() if name[0] == "c" else b"no video")
    found = find_clips(tmp_path / "old", sports=set())
    index = embed_clips(found.values(), encoder, store_folder=folder)
    assert (set(index), set(index.failed)) == ({r"caf\udce9.mp4"}, {r"broken\udce9.mp4"})
    assert r"broken\udce9.mp4 cannot be opened" in index.failed[r"broken\udce9.mp4"]
    assert embed_clips(found.values(), encoder, store_folder=folder).loaded == 1


def test_ids_must_differ(clips: list[Clip], encoder: CountingEncoder, folder: Path) -> None:
    with pytest.raises(ActAlignError, match="clip id 'clip-0' occurs twice"):
        embed_clips([clips[0], clips[1], clips[0]], encoder, store_folder=folder)


def test_a_damaged_store_file_is_computed_again_and_said_so(
    clips: list[Clip], encoder: CountingEncoder, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    embed_clips(clips, encoder, store_folder=folder)
    store = EmbeddingStore(folder, encoder="counting", dtype="float32", frame_rate=None)
    path = store.path(store.latest()["clip-2"]["key"])
    path.write_bytes(path.read_bytes()[:-5])
    encoder.batches.clear()
    index = embed_clips(clips, encoder, store_folder=folder)
    assert encoder.batches == [7] and index.computed == 1
    assert f"store file {path} is damaged" in capsys.readouterr().out
    np.testing.assert_array_equal(index["clip-2"].embeddings, expected_rows(clips[2]))


def test_a_store_without_its_ledger_is_still_used(clips: list[Clip], encoder: CountingEncoder, folder: Path) -> None:
    embed_clips(clips, encoder, store_folder=folder)
    (folder / "ledger.jsonl").unlink()
    index = embed_clips(clips, encoder, store_folder=folder)
    assert index.computed == 0
    with (folder / "index.csv").open(newline="") as file:
        rows = [(row["clip_id"], row["state"], row["frames"]) for row in csv.DictReader(file)]
    assert rows == [(clip.id, "done", str(number)) for number, clip in enumerate(clips, start=5)]


def test_a_store_that_cannot_be_written_stops_the_run_and_keeps_what_was_stored(
    clips: list[Clip], encoder: CountingEncoder, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Path.write_bytes
    written: list[Path] = []

    def until_full(path: Path, content: bytes) -> int:
        if len(written) == 3:
            raise OSError(28, "No space left on device")
        written.append(path)
        return write(path, content)

    monkeypatch.setattr(Path, "write_bytes", until_full)
    with pytest.raises(ActAlignError, match=r"cannot write .*No space left on device; free some space"):
        embed_clips(clips, encoder, store_folder=folder, batch_size=4)
    monkeypatch.undo()
    assert stored(folder) == 3 and not list(folder.glob(".*"))
    index = embed_clips(clips, encoder, store_folder=folder)
    assert (index.loaded, index.computed) == (3, 3)


# Interruption.


def test_ctrl_c_keeps_the_finished_clips(clips: list[Clip], encoder: CountingEncoder, folder: Path) -> None:
    encoder.stop_after = 2
    with pytest.raises(KeyboardInterrupt):
        embed_clips(clips, encoder, store_folder=folder, batch_size=10)
    assert encoder.batches == [10, 10]  # 5 + 6 + 7 frames are 3 clips, and 2 frames of the fourth
    assert stored(folder) == 3 and not list(folder.glob(".*"))
    assert not decoders()
    assert (folder / "index.csv").read_text().count("done") == 3

    fresh = CountingEncoder()
    index = embed_clips(clips, fresh, store_folder=folder, batch_size=10)
    assert (index.loaded, index.computed) == (3, 3)
    assert sum(fresh.batches) == 8 + 9 + 10


KILLED_RUN = """
import sys, time
from pathlib import Path
sys.path[:0] = [sys.argv[1]]
from test_embeddings import CountingEncoder
from actalign.embeddings import embed_clips
from actalign.records import Clip

class Hanging(CountingEncoder):
    def encode(self, frames):
        if sum(self.batches) >= 20:
            Path(sys.argv[3]).touch()
            time.sleep(60)
        return super().encode(frames)

files = [Path(sys.argv[2]) / f"{n}.mp4" for n in range(6)]
clips = [Clip(f"clip-{n}", path, sport="tennis") for n, path in enumerate(files)]
embed_clips(clips, Hanging(), store_folder=Path(sys.argv[4]), batch_size=5)
"""


def test_a_killed_run_loses_nothing_finished(
    clips: list[Clip], encoder: CountingEncoder, folder: Path, tmp_path: Path
) -> None:
    sign = tmp_path / "hanging"
    here = str(Path(__file__).parent)
    arguments = [sys.executable, "-c", KILLED_RUN, here, str(tmp_path), str(sign), str(folder)]
    process = subprocess.Popen(arguments)
    give_up = time.monotonic() + 60
    while not sign.exists() and time.monotonic() < give_up:
        assert process.poll() is None
        time.sleep(0.02)
    process.kill()
    process.wait()
    assert sign.exists()
    assert stored(folder) == 3  # 20 frames: 5 + 6 + 7, and 2 of the fourth clip
    (folder / ".half.safetensors.1.tmp").write_bytes(b"half")
    index = embed_clips(clips, encoder, store_folder=folder)
    assert (index.loaded, index.computed) == (3, 3)
    assert sum(encoder.batches) == 8 + 9 + 10
    for clip in clips:
        np.testing.assert_array_equal(index[clip.id].embeddings, expected_rows(clip))


# Progress.


@pytest.mark.parametrize(
    ("terminal", "progress", "shown"), [(True, True, True), (True, False, False), (False, True, False)]
)
def test_progress_is_shown_on_a_terminal_only(
    terminal: bool,
    progress: bool,
    shown: bool,
    clips: list[Clip],
    encoder: CountingEncoder,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    clips[0].path.unlink()
    for _ in range(2):  # one fails; the others are computed, then loaded
        embed_clips(clips, encoder, store_folder=folder, progress=progress)
        assert ("6/6" in capsys.readouterr().err) == shown


def test_the_index_is_short_to_look_at(clips: list[Clip], encoder: CountingEncoder, folder: Path) -> None:
    index = embed_clips(clips, encoder, store_folder=folder)
    assert repr(index) == "EmbeddingIndex(6 clips: 0 loaded, 6 computed; 0 failed)"
    assert isinstance(index, EmbeddingIndex)


def test_memory_does_not_hold_the_frames_of_all_clips(
    clips: list[Clip],
    folder: Path,
    write_video: Writer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write_video(clips[5].path, frames=60, size=(32, 32))
    spoil(clips[5])
    assert next(iter_frames(clips[5]))[0] == 0.0
    held: list[int] = []
    settle = clip_run.ClipRun._settle

    def watched(run: clip_run.ClipRun) -> None:
        settle(run)
        held.append(sum(len(job.times_s) for job in run._decoded))

    jobs: list[clip_run.Job] = []
    look_up = clip_run.ClipRun.look_up

    def noted(run: clip_run.ClipRun, clips: Sequence[Clip]) -> list[clip_run.Job]:
        jobs.extend(look_up(run, clips))
        return jobs

    monkeypatch.setattr(clip_run.ClipRun, "_settle", watched)
    monkeypatch.setattr(clip_run.ClipRun, "look_up", noted)
    embed_clips(clips, LateEncoder(), store_folder=folder, batch_size=4)
    assert 0 < max(held) < 5 + 6 + 7
    assert len(jobs) == 6 and not any(job.rows or job.times_s for job in jobs)


# The forecast.


class SlowEncoder(CountingEncoder):
    """Takes 10 s for a frame, by a clock that nothing else moves."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, seconds: float = 10.0) -> None:
        super().__init__()
        self.now = 0.0
        self.seconds = seconds
        monkeypatch.setattr(clip_run, "time", SimpleNamespace(monotonic=lambda: self.now))

    def encode(self, frames: Sequence[Frame]) -> NDArray[np.float32]:
        self.now += self.seconds * len(frames)
        return super().encode(frames)


def test_long_work_is_announced_once_and_summed_up(
    clips: list[Clip], folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    slow = SlowEncoder(monkeypatch)
    slow.device, slow.now = "cpu", 1000.0
    embed_clips(clips, slow, store_folder=folder, batch_size=4)
    forecast, speed, counts = capsys.readouterr().out.splitlines()
    assert forecast.startswith("forecast: 6 clips, about 45 frames at 0.1 frames/s: about 7 min and 13")
    assert forecast.endswith("shorter with a frame rate of 5 (1/3 of the frames), a smaller checkpoint, a GPU")
    assert speed.startswith("frames: 45 in 8 min, 0.1 frames/s; the bottleneck was encoding")
    assert counts.startswith("clips:")


@pytest.mark.parametrize(("device", "batch_size", "frames"), [("cpu", 4, 4), ("cpu", 1, 2), ("cuda", 4, 8)])
def test_a_slow_cpu_says_so_after_its_first_batch(
    device: str, batch_size: int, frames: int, clips: list[Clip], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Minutes pass until the second. Ten seconds may be spent on warming up, a GPU's first batch on compilation."""
    slow, told_at = SlowEncoder(monkeypatch), []
    slow.device = device

    def forecast(work: Workload, pace: Pace, **options: object) -> str:
        told_at.append(slow.now)
        assert pace.frames_per_s == pytest.approx(0.1)
        return ""

    monkeypatch.setattr("actalign.estimate.forecast", forecast)
    embed_clips(clips, slow, store_folder=folder, batch_size=batch_size)
    assert told_at == [10.0 * frames]


def test_a_forecast_is_made_of_some_seconds_after_the_first_batch_and_of_what_is_left(
    clips: list[Clip], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, told = SlowEncoder(monkeypatch, seconds=2.0), []

    def forecast(work: Workload, pace: Pace, *, done: int, width: int, **options: object) -> str:
        told.append((slow.now, pace.frames, pace.seconds, done, width))
        return ""

    monkeypatch.setattr("actalign.estimate.forecast", forecast)
    embed_clips(clips, slow, store_folder=folder, batch_size=1)
    assert told == [(8.0, 3, 6.0, 4, 6)]
    slow.fingerprint = "another"
    embed_clips([*clips[1:4], clips[5]], slow, store_folder=folder, batch_size=1)
    assert len(told) == 1, "62 s in all, but only 54 are left"


def test_the_ledger_says_how_long_each_clip_took_and_the_same_content_once(
    clips: list[Clip], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = SlowEncoder(monkeypatch)
    embed_clips([clips[0], replace(clips[0], id="twin"), clips[1]], slow, store_folder=folder, batch_size=1)
    ledger = EmbeddingStore(folder, encoder="counting", dtype="float32", frame_rate=None).latest()
    assert {name: line["seconds"] for name, line in ledger.items()} == {"clip-0": 50.0, "twin": 0.0, "clip-1": 60.0}


def test_a_forecast_is_of_the_rate_and_the_device_that_were_asked_for(
    clips: list[Clip], folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    embed_clips(clips, SlowEncoder(monkeypatch), store_folder=folder, batch_size=2, frame_rate=5)
    forecast = capsys.readouterr().out.splitlines()[0]
    assert forecast.startswith("forecast: 6 clips, about 15 frames at 0.1 frames/s")
    assert forecast.endswith("shorter with a lower frame rate, a smaller checkpoint")


@pytest.mark.parametrize(
    ("waited_s", "stage", "remedy"),
    [(3, "encoding", "a smaller checkpoint"), (6, "decoding", "more processor cores to decode with")],
)
def test_what_holds_a_run_up_is_told_by_how_long_it_waits_for_a_frame(
    waited_s: int,
    stage: str,
    remedy: str,
    clips: list[Clip],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    ticks = count(0, waited_s)
    monkeypatch.setattr("actalign.decoding.time", SimpleNamespace(monotonic=lambda: next(ticks)))
    embed_clips(clips, SlowEncoder(monkeypatch), store_folder=folder, batch_size=4)
    forecast, speed, _ = capsys.readouterr().out.splitlines()
    assert forecast.endswith(remedy) and f"the bottleneck was {stage}" in speed
    assert speed.endswith(f"waited for frames {round(100 * (45 + 6) * waited_s / 450)} % of the time")


@pytest.mark.parametrize(("device", "ahead_bytes"), [("cpu", clip_run.CPU_BYTES), ("cuda", None)])
def test_no_more_frames_wait_for_a_cpu_than_it_encodes_at_a_time(
    device: str,
    ahead_bytes: int | None,
    clips: list[Clip],
    encoder: CountingEncoder,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[int | None] = []

    def noted(clips: Iterable[Clip], **limits: Any) -> DecodeAhead:
        asked.append(limits["ahead_bytes"])
        return DecodeAhead(clips, **limits)

    monkeypatch.setattr(clip_run, "DecodeAhead", noted)
    encoder.device = device
    embed_clips(clips[:1], encoder, store_folder=folder)
    assert asked == [ahead_bytes]


def test_a_forecast_says_when_the_disk_is_too_small(
    clips: list[Clip], folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[Path] = []

    def nearly_full(place: Path) -> SimpleNamespace:
        asked.append(place)
        return SimpleNamespace(free=1000)

    monkeypatch.setattr("shutil.disk_usage", nearly_full)
    embed_clips(clips, SlowEncoder(monkeypatch), store_folder=folder / "deep", batch_size=4)
    said = capsys.readouterr().out
    assert "(1.0 kB free)" in said and "THE DISK IS TOO SMALL" in said
    assert asked == [folder / "deep"]


def test_short_work_and_work_that_is_done_are_not_announced(
    clips: list[Clip], folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    slow = SlowEncoder(monkeypatch)
    embed_clips(clips[:1], slow, store_folder=folder, batch_size=4)
    assert "forecast" not in capsys.readouterr().out
    embed_clips(clips[:1], slow, store_folder=folder)
    assert capsys.readouterr().out == "clips: loaded 1 from cache, computed 0, failed 0\n"


# Texts.


def test_where_all_is_stored_nothing_is_written(
    clips: list[Clip], encoder: CountingEncoder, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that a store may lie where this process cannot write."""
    embed_clips(clips, encoder, store_folder=folder)
    monkeypatch.setattr("actalign.files.os.replace", None)
    assert embed_clips(clips, encoder, store_folder=folder).loaded == 6


def test_where_all_is_stored_a_ledger_that_cannot_be_written_costs_nothing(
    clips: list[Clip], encoder: CountingEncoder, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a clip that another data set calls otherwise nor one that is broken needs a line in it."""
    embed_clips(clips, encoder, store_folder=folder)

    def read_only(*_: object, **__: object) -> None:
        raise ActAlignError("cannot write ledger.jsonl: Read-only file system")

    monkeypatch.setattr("actalign.store.append_line", read_only)
    renamed = [replace(clips[0], id="of another data set"), replace(clips[1], path=folder / "gone.mp4")]
    index = embed_clips(renamed, encoder, store_folder=folder)
    assert (index.loaded, list(index.failed)) == (1, ["clip-1"])


def test_texts_are_embedded_once(encoder: CountingEncoder, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = embed_texts(["Step back", "swing", "step back.", "swing"], encoder, store_folder=folder)
    assert list(first) == ["Step back", "swing", "step back."]
    assert encoder.texts == ["step back", "swing"]
    np.testing.assert_array_equal(first["Step back"], [9, 16])
    np.testing.assert_array_equal(first["Step back"], first["step back."])
    second = embed_texts(["swing", "fall down"], encoder, store_folder=folder)
    assert encoder.texts == ["step back", "swing", "fall down"]
    assert list(second) == ["swing", "fall down"]
    np.testing.assert_array_equal(second["swing"], first["swing"])
    assert second["swing"].dtype == np.float32
    assert capsys.readouterr().out.splitlines() == [
        "texts: loaded 0 from cache, computed 2",
        "texts: loaded 1 from cache, computed 1",
    ]


def test_groups_are_padded_each_on_its_own_and_texts_that_stand_alone_as_trained(
    encoder: CountingEncoder, folder: Path
) -> None:
    groups = ["swing", "lob"], ["swing", "step back now"], ["swing"]
    rows = embed_texts(["swing", *groups], encoder, store_folder=folder, group_padding="longest")
    assert {text: int(row[1]) for text, row in rows.items()} == {
        "swing": 16,
        **dict.fromkeys([in_company(text, groups[0]) for text in groups[0]], 1),
        **dict.fromkeys([in_company(text, groups[1]) for text in groups[1]], 3),
        in_company("swing", groups[2]): 1,
    }
    trained = embed_texts(["swing", *groups], encoder, store_folder=folder)
    assert {text: int(row[1]) for text, row in trained.items()} == dict.fromkeys(["swing", "lob", "step back now"], 16)


def test_many_texts_are_stored_in_parts(
    encoder: CountingEncoder, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embeddings, "TEXTS_PER_FILE", 2)
    texts = [f"step {n}" for n in range(5)]
    rows = embed_texts(texts, encoder, store_folder=folder)
    assert len(list(folder.glob("texts/*/*.safetensors"))) == 3
    np.testing.assert_array_equal(np.stack([rows[text] for text in texts]), [[6, 16]] * 5)
    embed_texts(texts, encoder, store_folder=folder)
    assert len(encoder.texts) == 5


def test_a_few_of_many_stored_texts_do_not_keep_the_others_in_memory(encoder: CountingEncoder, folder: Path) -> None:
    for _ in range(2):
        rows = embed_texts([f"step {n}" for n in range(9)], encoder, store_folder=folder)
        assert all(row.base is None for row in rows.values())


@pytest.mark.parametrize("texts", [[], "swing", [[]]])
def test_no_texts_are_refused(texts: list[str], encoder: CountingEncoder, folder: Path) -> None:
    with pytest.raises(ActAlignError, match="no texts to embed; pass a list"):
        embed_texts(texts, encoder, store_folder=folder)


def test_an_empty_text_is_refused(encoder: CountingEncoder, folder: Path) -> None:
    with pytest.raises(ActAlignError, match="is empty once cleaned"):
        embed_texts(["swing", " ."], encoder, store_folder=folder)


# The whole flow with a real checkpoint.


def test_a_real_checkpoint_embeds_clips_and_texts(clips: list[Clip], tiny_checkpoint: Path, folder: Path) -> None:
    from actalign.encoder import load_encoder  # here, so that the killed run above starts without torch

    real = load_encoder(tiny_checkpoint, device="cpu")
    index = embed_clips(clips, real, store_folder=folder, batch_size=16)
    for clip in clips:
        assert_same_embeddings(index[clip.id].embeddings, real.encode_frames(read_frames(clip)[0]))
    path = next(folder.glob("*.safetensors"))
    assert len(read_embeddings(path, encoder=real.fingerprint)) >= 5
    paddings: tuple[Padding, ...] = ("max_length", "longest")
    for padding in paddings:
        texts = ["Step back", "swing the racket up"]
        rows = embed_texts([texts], real, store_folder=folder, group_padding=padding)
        again = embed_texts([texts], real, store_folder=folder, group_padding=padding)
        for text, row in zip(texts, real.encode_texts(texts, padding=padding).embeddings, strict=True):
            name = in_company(text, texts) if padding == "longest" else text
            assert_same_embeddings(rows[name][None], row[None])
            np.testing.assert_array_equal(rows[name], again[name])


def test_a_text_that_is_cut_off_is_warned_of_even_when_cached(tiny_checkpoint: Path, folder: Path) -> None:
    from actalign.encoder import load_encoder

    long = " ".join(["swing the racket"] * 9)
    for _ in range(2):
        fresh = load_encoder(tiny_checkpoint, device="cpu")
        with pytest.warns(UserWarning, match="1 texts have more than the 16 tokens"):
            embed_texts([long], fresh, store_folder=folder)
