"""Embeddings on disk: one safetensors file per clip, named by what determines its content::

    <folder>/<key>.safetensors          embeddings (T, d) float32, times_s (T,) float64, and metadata
    <folder>/texts/<group>/*.safetensors  rows of text embeddings, new ones in new files
    <folder>/ledger.jsonl               one line per clip that was finished or failed, only ever appended to
    <folder>/index.csv                  the latest line of the ledger for each clip and setting

The key is the sha256 of the video file's bytes, the window, its masks if any, the frame rate, the encoder's
fingerprint and dtype, and ``FORMAT``: anything else is a different file, so nothing is ever overwritten by something
else. Files appear whole (written beside, then renamed) and carry a digest of their own content. One folder serves any
number of encoders and data sets, and runs at the same time.
"""

import csv
import hashlib
import io
import json
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from actalign.errors import ActAlignError
from actalign.files import append_line, file_sha256, read_lines, write_whole
from actalign.records import Clip, FrameEmbeddings

FORMAT = "actalign-embeddings-1"
REMEDY = "free some space or choose another folder for the store. What was stored before is intact"
LEDGER_COLUMNS = ("clip_id", "state", "frames", "seconds", "reason", "key", "encoder", "dtype", "frame_rate")
STALE_S = 3600.0
"""Age in seconds at which a temporary file is taken to be left over from a killed run."""
TextRow = tuple[str, int]
"""A prepared text and the number of tokens it was padded to: what a text embedding depends on."""


@dataclass(frozen=True)
class EmbeddingStore:
    """The files of one encoder at one frame rate in a store folder.

    ``encoder`` is ``Encoder.fingerprint``, ``dtype`` ``Encoder.dtype``; ``frame_rate`` is frames per second or
    None for every frame.

    >>> store = EmbeddingStore(Path("store"), encoder="abc", dtype="float32", frame_rate=None)
    >>> store.key(Clip("a", Path("a.mp4"), sport="judo"), source_sha256="0f")[:12]
    'aa28c7254500'
    """

    folder: Path
    encoder: str
    dtype: str
    frame_rate: float | None

    def key(self, clip: Clip, *, source_sha256: str) -> str:
        """The name of a clip's content: equal for two clips if and only if they have the same embeddings."""
        return _digest_of(self._determinants(clip, source_sha256))

    def path(self, key: str) -> Path:
        return self.folder / f"{key}.safetensors"

    def find(self, key: str) -> FrameEmbeddings | None:
        """What is stored under a key; None, with one printed line if the file is damaged, where nothing usable is."""
        if not self.path(key).exists():
            return None
        try:
            return self.load(key)
        except ActAlignError as error:
            print(f"{_without_remedy(error)}: computed again")
            return None

    def load(self, key: str) -> FrameEmbeddings:
        """What is stored under a key.

        Raises:
            ActAlignError: as :func:`read_embeddings`.
        """
        return read_embeddings(self.path(key), encoder=self.encoder, key=key)

    def save(self, clip: Clip, frames: FrameEmbeddings, *, source_sha256: str) -> Path:
        """Write one clip's embeddings; whole or not at all.

        Raises:
            ActAlignError: the file cannot be written (disk full, read-only folder).
        """
        determinants = self._determinants(clip, source_sha256)
        key = _digest_of(determinants)
        tensors: dict[str, NDArray[Any]] = {"embeddings": frames.embeddings, "times_s": frames.times_s}
        _write(self.path(key), tensors, {**determinants, "key": key, "clip_id": clip.id})
        return self.path(key)

    def record(
        self, clip_id: str, *, key: str, state: str, frames: int = 0, seconds: float = 0.0, reason: str = ""
    ) -> None:
        """Append one line to the ledger: ``state`` is "done" or "failed", ``seconds`` the time it took.

        Raises:
            ActAlignError: the ledger cannot be written.
        """
        values = (clip_id, state, frames, round(seconds, 3), reason, key, self.encoder, self.dtype, self.frame_rate)
        append_line(self.folder / "ledger.jsonl", dict(zip(LEDGER_COLUMNS, values, strict=True)), remedy=REMEDY)

    def ledger(self) -> list[dict[str, Any]]:
        """Every whole line of the ledger, of all encoders, oldest first; a line torn by a kill is left out."""
        lines = (line for line in read_lines(self.folder / "ledger.jsonl") if set(LEDGER_COLUMNS) <= line.keys())
        return [line for line in lines if isinstance(line["clip_id"], str)]

    def latest(self) -> dict[str, dict[str, Any]]:
        """Clip id -> the latest ledger line of this encoder, dtype and frame rate."""
        mine = (self.encoder, self.dtype, self.frame_rate)
        return {entry["clip_id"]: entry for entry in self.ledger() if _setting(entry) == mine}

    def write_index(self) -> Path:
        """Replace index.csv: the latest ledger line of each clip and setting, sorted.

        Raises:
            ActAlignError: the file cannot be written.
        """
        rows = {(entry["clip_id"], *map(str, _setting(entry))): entry for entry in self.ledger()}
        table = io.StringIO()
        writer = csv.DictWriter(table, LEDGER_COLUMNS, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows[name] for name in sorted(rows))
        path, content = self.folder / "index.csv", table.getvalue().encode()
        if not path.is_file() or path.read_bytes() != content:  # a store that holds all may lie where nobody can write
            write_whole(path, content, remedy=REMEDY)
        return path

    def clean(self) -> None:
        """Delete temporary files that a killed run left behind, and nothing else that may lie in the folder."""
        own = (".*.safetensors.*.tmp", ".index.csv.*.tmp", "texts/*/.*.safetensors.*.tmp")
        for path in chain.from_iterable(map(self.folder.glob, own)):
            with suppress(OSError):  # its run may just have renamed it, and a store may lie where nobody can write
                if time.time() - path.stat().st_mtime > STALE_S:
                    path.unlink()

    def find_texts(self) -> dict[TextRow, NDArray[np.float32]]:
        """Every stored text row of this encoder and dtype; a damaged file costs one printed line."""
        found: dict[TextRow, NDArray[np.float32]] = {}
        for path in sorted(self._text_folder().glob("*.safetensors")):
            try:
                tensors, metadata = _read(path)
                rows = _text_rows(path, metadata.get("rows", ""))
            except ActAlignError as error:
                what = _without_remedy(error)
                print(f"{what}: computed again; delete it if the next run says so, too")  # other rows, other file
                continue
            found.update(zip(rows, tensors["embeddings"], strict=True))
        return found

    def save_texts(self, rows: Sequence[TextRow], embeddings: NDArray[np.float32]) -> Path:
        """Write (N, d) embeddings of N text rows into one new file; whole or not at all.

        Raises:
            ActAlignError: the file cannot be written.
        """
        listed = json.dumps(list(rows), ensure_ascii=False)
        path = self._text_folder() / f"{_name_of_rows(listed)}.safetensors"
        _write(path, {"embeddings": embeddings}, {"rows": listed, "encoder": self.encoder, "dtype": self.dtype})
        return path

    def _text_folder(self) -> Path:
        return self.folder / "texts" / _digest_of({"encoder": self.encoder, "dtype": self.dtype, "format": FORMAT})

    def _determinants(self, clip: Clip, source_sha256: str) -> dict[str, str]:
        return {
            "source_sha256": source_sha256,
            "start_s": repr(float(clip.start_s or 0.0)),
            "end_s": "" if clip.end_s is None else repr(float(clip.end_s)),
            "frame_rate": "" if self.frame_rate is None else repr(float(self.frame_rate)),
            "encoder": self.encoder,
            "dtype": self.dtype,
            "format": FORMAT,
            **({"masks": clip.masks.digest} if clip.masks else {}),
        }


def read_embeddings(path: Path, *, encoder: str | None = None, key: str | None = None) -> FrameEmbeddings:
    """Open one file of a store by its path; ``encoder`` and ``key`` say what it must hold (None: anything).

    Raises:
        ActAlignError: the file is missing or damaged, or another format version or encoder wrote it, or it holds
            the embeddings of another key.

    >>> read_embeddings(Path("nowhere.safetensors"))
    Traceback (most recent call last):
    actalign.errors.ActAlignError: store file nowhere.safetensors does not exist; run embed_clips again
    """
    tensors, metadata = _read(path)
    for name, wanted in (("encoder", encoder), ("key", key)):
        if wanted is not None and metadata.get(name) != wanted:
            raise ActAlignError(
                f"store file {path} belongs to {name} {metadata.get(name)!r}, not {wanted!r}; "
                "run embed_clips with the encoder you want"
            )
    return FrameEmbeddings(tensors["embeddings"], tensors["times_s"])


def sha256_of(path: Path) -> str:
    """The sha256 of a file's bytes.

    Raises:
        ActAlignError: the file cannot be read.

    >>> sha256_of(Path("nowhere.mp4"))
    Traceback (most recent call last):
    actalign.errors.ActAlignError: nowhere.mp4 cannot be read: No such file or directory; check the path
    """
    if "\0" in str(path):
        raise ActAlignError(f"{str(path)!r} cannot be read: no file's name holds a NUL; check the path")
    try:
        if path.exists() and not path.is_file():  # to open a pipe would wait for somebody to write into it
            raise ActAlignError(f"{path} cannot be read: it is not a file; check the path")
        return file_sha256(path)
    except OSError as error:
        raise ActAlignError(f"{path} cannot be read: {error.strerror}; check the path") from error


def _without_remedy(error: ActAlignError) -> str:
    """What is wrong, without what to do about it: that is being done."""
    return str(error).rsplit("; ", 1)[0]


def _write(path: Path, tensors: Mapping[str, NDArray[Any]], metadata: Mapping[str, str]) -> None:
    arrays = {name: np.ascontiguousarray(array) for name, array in tensors.items()}
    content = save(arrays, {**metadata, "format": FORMAT, "digest": _digest(arrays)})
    write_whole(path, _sorted_header(content), remedy=REMEDY)


def _sorted_header(content: bytes) -> bytes:
    """The same safetensors file with its metadata in order of their names: the library puts them in any."""
    end = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:end])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)  # where the numbers begin
    return len(text).to_bytes(8, "little") + text + content[end:]


def _read(path: Path) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    if not path.is_file():
        raise ActAlignError(f"store file {path} does not exist; run embed_clips again")
    try:
        with safe_open(path, framework="np") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise ActAlignError(f"store file {path} is damaged ({error}); delete it and run embed_clips again") from error
    if metadata.get("format") != FORMAT:
        raise ActAlignError(
            f"store file {path} has format {metadata.get('format')!r}, this version reads {FORMAT!r}; "
            "choose another folder for the store"
        )
    if metadata.get("digest") != _digest(tensors):
        raise ActAlignError(f"store file {path} is damaged (its content changed); delete it and run embed_clips again")
    return tensors, metadata


def _name_of_rows(listed: str) -> str:
    return hashlib.sha256(listed.encode()).hexdigest()


def _text_rows(path: Path, listed: str) -> list[TextRow]:
    """The rows of a file of texts, which its name is made from."""
    if _name_of_rows(listed) != path.stem:
        raise ActAlignError(f"store file {path} is damaged (its list of texts changed); delete it")
    return [(text, length) for text, length in json.loads(listed)]


def _digest(arrays: Mapping[str, NDArray[Any]]) -> str:
    digest = hashlib.sha256()
    for name in sorted(arrays):
        digest.update(f"{name} {arrays[name].dtype} {arrays[name].shape} ".encode())
        digest.update(np.ascontiguousarray(arrays[name]).data)
    return digest.hexdigest()


def _digest_of(values: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def _setting(entry: Mapping[str, Any]) -> tuple[Any, Any, Any]:
    return entry["encoder"], entry["dtype"], entry["frame_rate"]
