import csv
import errno
import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from actalign import store as store_module
from actalign.errors import ActAlignError
from actalign.records import Clip, FrameEmbeddings
from actalign.store import EmbeddingStore, read_embeddings, sha256_of

CLIP = Clip("serve", Path("serve.mp4"), sport="tennis", start_s=1.0, end_s=2.5)
SOURCE = "ab" * 32


@pytest.fixture
def store(tmp_path: Path) -> EmbeddingStore:
    return EmbeddingStore(tmp_path / "store", encoder="one", dtype="float32", frame_rate=None)


@pytest.fixture
def frames(rng: np.random.Generator) -> FrameEmbeddings:
    return FrameEmbeddings(rng.normal(size=(6, 4)).astype(np.float32), np.arange(6) / 15)


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_what_is_saved_is_found_again(store: EmbeddingStore, frames: FrameEmbeddings) -> None:
    key = store.key(CLIP, source_sha256=SOURCE)
    assert store.find(key) is None
    path = store.save(CLIP, frames, source_sha256=SOURCE)
    assert path == store.path(key) and files(store.folder) == [f"{key}.safetensors"]
    for found in (store.find(key), store.load(key), read_embeddings(path), read_embeddings(path, encoder="one")):
        assert found is not None
        np.testing.assert_array_equal(found.embeddings, frames.embeddings)
        np.testing.assert_array_equal(found.times_s, frames.times_s)


def test_the_file_says_where_it_comes_from(store: EmbeddingStore, frames: FrameEmbeddings) -> None:
    path = store.save(CLIP, frames, source_sha256=SOURCE)
    _, metadata = store_module._read(path)
    expected = {"clip_id": "serve", "source_sha256": SOURCE, "start_s": "1.0", "end_s": "2.5", "frame_rate": ""}
    assert expected.items() <= metadata.items()
    assert (metadata["encoder"], metadata["dtype"], metadata["format"]) == ("one", "float32", store_module.FORMAT)
    assert set(load_file(path)) == {"embeddings", "times_s"}


def test_the_same_content_is_the_same_bytes_in_every_process(store: EmbeddingStore, frames: FrameEmbeddings) -> None:
    clip = replace(CLIP, id='Kür \n "1"')
    content = store.save(clip, frames, source_sha256=SOURCE).read_bytes()
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    assert list(header["__metadata__"]) == sorted(header["__metadata__"])
    assert header["__metadata__"]["clip_id"] == clip.id
    assert (len(content) - sum(array.nbytes for array in (frames.embeddings, frames.times_s))) % 8 == 0
    np.testing.assert_array_equal(store.load(store.key(clip, source_sha256=SOURCE)).embeddings, frames.embeddings)


def test_the_key_follows_everything_that_determines_the_embeddings(
    store: EmbeddingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = store.key(CLIP, source_sha256=SOURCE)
    keys = {
        key,
        store.key(CLIP, source_sha256="cd" * 32),
        store.key(replace(CLIP, start_s=1.0000001), source_sha256=SOURCE),
        store.key(replace(CLIP, end_s=2.5000001), source_sha256=SOURCE),
        store.key(replace(CLIP, end_s=None), source_sha256=SOURCE),
        replace(store, encoder="two").key(CLIP, source_sha256=SOURCE),
        replace(store, dtype="float16").key(CLIP, source_sha256=SOURCE),
        replace(store, frame_rate=15.0).key(CLIP, source_sha256=SOURCE),
    }
    assert len(keys) == 8
    other = Clip("other", Path("elsewhere.mp4"), sport="judo", start_s=1, end_s=2.5, split="validation")
    assert store.key(other, source_sha256=SOURCE) == key
    start = replace(CLIP, start_s=None)
    assert store.key(start, source_sha256=SOURCE) == store.key(replace(CLIP, start_s=0.0), source_sha256=SOURCE)
    monkeypatch.setattr(store_module, "FORMAT", "next")
    assert store.key(CLIP, source_sha256=SOURCE) not in keys


def test_a_file_of_another_encoder_is_an_error_when_opened(store: EmbeddingStore, frames: FrameEmbeddings) -> None:
    path = store.save(CLIP, frames, source_sha256=SOURCE)
    with pytest.raises(ActAlignError, match="belongs to encoder 'one', not 'two'; run embed_clips with the encoder"):
        read_embeddings(path, encoder="two")


def test_a_file_under_another_key_is_an_error_when_opened(store: EmbeddingStore, frames: FrameEmbeddings) -> None:
    path = store.save(CLIP, frames, source_sha256=SOURCE)
    path.rename(store.path("0" * 64))
    with pytest.raises(ActAlignError, match=f"belongs to key '{path.stem}'"):
        store.load("0" * 64)


def test_a_file_of_another_version_is_an_error_when_opened(
    store: EmbeddingStore, frames: FrameEmbeddings, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = store.save(CLIP, frames, source_sha256=SOURCE)
    monkeypatch.setattr(store_module, "FORMAT", "actalign-embeddings-2")
    with pytest.raises(ActAlignError, match="has format 'actalign-embeddings-1', this version reads 'actalign-emb"):
        read_embeddings(path)


def test_a_foreign_safetensors_file_is_an_error_when_opened(tmp_path: Path) -> None:
    save_file({"embeddings": np.ones((2, 2), np.float32)}, tmp_path / "a.safetensors")
    with pytest.raises(ActAlignError, match="has format None"):
        read_embeddings(tmp_path / "a.safetensors")


def test_a_missing_file_is_an_error_when_opened(store: EmbeddingStore) -> None:
    with pytest.raises(ActAlignError, match="does not exist; run embed_clips again"):
        store.load("0" * 64)


def flip_last_byte(content: bytes) -> bytes:
    return content[:-1] + bytes([content[-1] ^ 1])


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:-7],
        lambda _: b"",
        lambda _: b"garbage" * 9,
        flip_last_byte,
        lambda content: content.replace(b"[6,4]", b"[4,6]"),
        lambda content: content.replace(b"F32", b"I32"),
    ],
)
def test_a_damaged_file_is_an_error_when_opened_and_computed_again_in_a_run(
    damage: Any, store: EmbeddingStore, frames: FrameEmbeddings, capsys: pytest.CaptureFixture[str]
) -> None:
    path = store.save(CLIP, frames, source_sha256=SOURCE)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ActAlignError, match=r"is damaged .*; delete it and run embed_clips again"):
        store.load(path.stem)
    assert store.find(path.stem) is None
    said = capsys.readouterr().out
    assert said.startswith(f"store file {path} is damaged") and said.endswith("): computed again\n"), "nothing to do"


def test_a_file_that_the_disk_does_not_give_back_is_computed_again(
    store: EmbeddingStore, frames: FrameEmbeddings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    path = store.save(CLIP, frames, source_sha256=SOURCE)
    monkeypatch.setattr(store_module, "safe_open", broken)
    assert store.find(path.stem) is None


# The ledger and the index.


def test_the_ledger_keeps_every_line_and_the_index_the_latest(store: EmbeddingStore) -> None:
    store.record("serve", key="", state="failed", reason='no "file", nowhere')
    store.write_index()
    store.record("lob", key="k1", state="done", frames=5, seconds=0.25)
    store.record("serve", key="k2", state="done", frames=7, seconds=0.1234)
    assert [(line["clip_id"], line["state"]) for line in store.ledger()] == [
        ("serve", "failed"),
        ("lob", "done"),
        ("serve", "done"),
    ]
    assert store.ledger()[0]["reason"] == 'no "file", nowhere'
    assert {name: line["key"] for name, line in store.latest().items()} == {"lob": "k1", "serve": "k2"}
    with store.write_index().open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["clip_id"], row["state"], row["frames"], row["seconds"]) for row in rows] == [
        ("lob", "done", "5", "0.25"),
        ("serve", "done", "7", "0.123"),
    ]
    assert b"\r" not in store.write_index().read_bytes()


@pytest.mark.parametrize("setting", [{"encoder": "two"}, {"dtype": "float64"}, {"frame_rate": 5.0}])
def test_settings_do_not_hide_each_other(setting: dict[str, Any], store: EmbeddingStore) -> None:
    other = replace(store, **setting)
    store.record("serve", key="k1", state="done")
    other.record("serve", key="k2", state="failed", reason="broken")
    assert store.latest()["serve"]["state"] == "done"
    assert other.latest()["serve"]["state"] == "failed"
    with store.write_index().open(newline="") as file:
        assert {row["key"]: row["state"] for row in csv.DictReader(file)} == {"k1": "done", "k2": "failed"}


def test_a_line_torn_by_a_kill_is_left_out_and_the_next_is_whole(store: EmbeddingStore) -> None:
    store.record("serve", key="k1", state="done")
    ledger = store.folder / "ledger.jsonl"
    ledger.write_bytes(ledger.read_bytes() + b'{"clip_id": "lob", "sta')
    assert [line["clip_id"] for line in store.ledger()] == ["serve"]
    store.record("smash", key="k3", state="done")
    assert [line["clip_id"] for line in store.ledger()] == ["serve", "smash"]
    assert len(ledger.read_text().splitlines()) == 3


def test_an_empty_store_has_an_empty_ledger_and_index(store: EmbeddingStore) -> None:
    assert store.ledger() == []
    assert store.latest() == {}
    assert len(store.write_index().read_text().splitlines()) == 1


def test_a_clip_id_may_hold_anything(store: EmbeddingStore) -> None:
    name = 'sérve, "é"\nline two'
    store.record(name, key="k", state="done")
    assert [line["clip_id"] for line in store.ledger()] == [name]
    with store.write_index().open(newline="", encoding="utf-8") as file:
        assert [row["clip_id"] for row in csv.DictReader(file)] == [name]


# Text rows.


def test_text_rows_are_found_by_text_and_length(
    store: EmbeddingStore,
    rng: np.random.Generator,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    first, second = rng.normal(size=(2, 2, 4)).astype(np.float32)
    assert store.find_texts() == {}
    store.save_texts([("step back", 16), ("swing", 16)], first)
    store.save_texts([("step back", 9), ("läuft", 16)], second)
    found = store.find_texts()
    assert set(found) == {("step back", 16), ("swing", 16), ("step back", 9), ("läuft", 16)}
    np.testing.assert_array_equal(found["step back", 16], first[0])
    np.testing.assert_array_equal(found["step back", 9], second[0])
    for other in (replace(store, encoder="two"), replace(store, dtype="float16")):
        assert other.find_texts() == {}
    assert len(replace(store, frame_rate=5.0).find_texts()) == 4
    monkeypatch.setattr(store_module, "FORMAT", "next")
    assert store.find_texts() == {} and capsys.readouterr().out == ""


def test_a_damaged_text_file_costs_its_own_rows(store: EmbeddingStore, capsys: pytest.CaptureFixture[str]) -> None:
    store.save_texts([("step back", 16)], np.ones((1, 4), np.float32))
    path = store.save_texts([("swing", 16)], np.ones((1, 4), np.float32))
    path.write_bytes(path.read_bytes()[:-3])
    assert set(store.find_texts()) == {("step back", 16)}
    said = capsys.readouterr().out
    assert said.startswith(f"store file {path} is damaged") and "embed_clips" not in said
    assert said.endswith("): computed again; delete it if the next run says so, too\n")


# Failing to write.


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_a_write_that_fails_is_one_error_and_leaves_no_trace(
    number: int, store: EmbeddingStore, frames: FrameEmbeddings, monkeypatch: pytest.MonkeyPatch
) -> None:
    earlier = store.save(CLIP, frames, source_sha256=SOURCE)
    before = files(store.folder)

    def half_written(path: Path, content: bytes) -> int:
        with path.open("wb") as file:
            file.write(content[: len(content) // 2])
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "write_bytes", half_written)
    with pytest.raises(ActAlignError, match=rf"cannot write .*: {os.strerror(number)}; free some space or choose"):
        store.save(replace(CLIP, end_s=9.0), frames, source_sha256=SOURCE)
    assert files(store.folder) == before
    assert len(read_embeddings(earlier)) == 6


def test_a_folder_that_cannot_be_made_is_one_error(tmp_path: Path, frames: FrameEmbeddings) -> None:
    (tmp_path / "file").touch()
    store = EmbeddingStore(tmp_path / "file" / "store", encoder="one", dtype="float32", frame_rate=None)
    with pytest.raises(ActAlignError, match=r"cannot write .*: Not a directory"):
        store.save(CLIP, frames, source_sha256=SOURCE)
    with pytest.raises(ActAlignError, match=r"cannot write .*ledger\.jsonl.* stored before is intact"):
        store.record("serve", key="", state="failed")
    with pytest.raises(ActAlignError, match=r"cannot write .*index\.csv"):
        store.write_index()


def test_a_disk_that_really_is_full_leaves_whole_files_only(tmp_path: Path) -> None:
    """The operating system refuses to let a file grow beyond 20 kB, in the middle of a write."""
    script = (
        "import resource, signal, sys\n"
        "from pathlib import Path\n"
        "import numpy as np\n"
        "from actalign.errors import ActAlignError\n"
        "from actalign.records import Clip, FrameEmbeddings\n"
        "from actalign.store import EmbeddingStore\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))\n"
        "store = EmbeddingStore(Path(sys.argv[1]), encoder='one', dtype='float32', frame_rate=None)\n"
        "for name, count in (('small', 10), ('large', 1000)):\n"
        "    frames = FrameEmbeddings(np.ones((count, 16), np.float32), np.arange(count) / 15)\n"
        "    try:\n"
        "        store.save(Clip(name, Path('a.mp4'), sport='judo', end_s=count), frames, source_sha256='0')\n"
        "    except ActAlignError as error:\n"
        "        print(error)\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "cannot write" in done.stdout and "File too large" in done.stdout
    (kept,) = files(tmp_path)
    assert len(read_embeddings(tmp_path / kept)) == 10


def test_only_old_temporary_files_are_cleaned(store: EmbeddingStore, frames: FrameEmbeddings) -> None:
    kept = store.save(CLIP, frames, source_sha256=SOURCE)
    old, index = store.folder / ".a.safetensors.1.tmp", store.folder / ".index.csv.3.tmp"
    new = store.folder / "texts" / "g" / ".b.safetensors.2.tmp"
    new.parent.mkdir(parents=True)
    for path in (old, index, new):
        path.touch()
    for path in (old, index):
        os.utime(path, (time.time() - 2 * store_module.STALE_S,) * 2)
    store.clean()
    assert not old.exists() and not index.exists() and new.exists() and kept.exists()
    os.utime(new, (time.time() - 2 * store_module.STALE_S,) * 2)
    store.clean()
    assert not new.exists()


def test_what_cannot_be_cleaned_is_left_where_it_is(store: EmbeddingStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that holds all may lie where nobody can write."""
    left = store.folder / ".a.safetensors.1.tmp"
    left.parent.mkdir()
    left.touch()
    os.utime(left, (0, 0))

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    with monkeypatch.context() as read_only:
        read_only.setattr(Path, "unlink", refuse)
        store.clean()
    assert left.exists()


def test_what_others_left_in_the_folder_is_not_cleaned(store: EmbeddingStore, frames: FrameEmbeddings) -> None:
    store.save(CLIP, frames, source_sha256=SOURCE)
    mine = [store.folder / name for name in (".notes.tmp", "sub/.notes.tmp", "sub/.a.safetensors.1.tmp", "b.tmp")]
    for path in mine:
        path.parent.mkdir(exist_ok=True)
        path.touch()
        os.utime(path, (time.time() - 2 * store_module.STALE_S,) * 2)
    store.clean()
    assert all(path.exists() for path in mine)


def test_a_ledger_line_torn_within_a_character_is_left_out(store: EmbeddingStore) -> None:
    store.record("whole", key="k", state="done")
    with (store.folder / "ledger.jsonl").open("ab") as file:
        file.write('{"clip_id": "ü'.encode()[:-1])
    store.record("next", key="k", state="done")
    assert [entry["clip_id"] for entry in store.ledger()] == ["whole", "next"]
    store.write_index()


@pytest.mark.parametrize(
    "odd",
    [{"gpu": "H200"}, {"clip_id": None}, {"clip_id": ["a"]}, {"clip_id": 7}],
)
def test_a_ledger_line_of_another_shape_harms_no_later_run(store: EmbeddingStore, odd: dict[str, Any]) -> None:
    store.record("lob", key="0f", state="done", frames=3)
    (entry,) = store.ledger()
    ledger = store.folder / "ledger.jsonl"
    ledger.write_text(json.dumps({**entry, "clip_id": "b", **odd}) + "\n" + "[" * 100_000 + "\n" + ledger.read_text())
    assert store.latest()["lob"] == entry and len(store.latest()) == 1 + ("gpu" in odd)
    assert store.write_index().read_text().count("lob") == 1


def test_texts_whose_list_is_damaged_are_computed_again(
    store: EmbeddingStore, capsys: pytest.CaptureFixture[str]
) -> None:
    path = store.save_texts([("swing", 16)], np.ones((1, 4), np.float32))
    assert list(store.find_texts()) == [("swing", 16)]
    content = path.read_bytes()
    for old, new in ((b"swing", b"swang"), (b'"rows"', b'"raws"'), (b"__metadata__", b"__metedata__")):
        path.write_bytes(content.replace(old, new))
        assert store.find_texts() == {}
        assert "damaged" in capsys.readouterr().out
    path.write_bytes(content)
    assert list(store.find_texts()) == [("swing", 16)]


def test_the_hash_is_of_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert sha256_of(tmp_path / "a") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    os.mkfifo(tmp_path / "pipe")  # to open it would wait for ever
    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(ActAlignError, match="cannot be read: it is not a file"):
            sha256_of(path)
    with pytest.raises(ActAlignError, match="holds a NUL"):
        sha256_of(tmp_path / "a\0b")


def test_the_ledger_is_json_lines(store: EmbeddingStore) -> None:
    store.record("serve", key="k", state="done", frames=3)
    (line,) = (store.folder / "ledger.jsonl").read_text().splitlines()
    assert list(json.loads(line)) == list(store_module.LEDGER_COLUMNS)
