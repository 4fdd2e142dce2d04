"""The flow from clips and texts to embeddings: everything finished is kept, everything kept is reused.

Frames are decoded ahead of the encoder, within a limit, encoded and dropped batch by batch, and finished clips are
read back from disk one at a time, so memory does not grow with the number of clips.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from actalign import paths
from actalign.arrays import as_count
from actalign.clip_run import ClipRun, FrameEncoder
from actalign.errors import ActAlignError
from actalign.progress import is_watched
from actalign.records import Clip, Dataset, FrameEmbeddings, TextEmbeddings
from actalign.store import EmbeddingStore, TextRow
from actalign.text import Padding, TextPolicy, in_company, prepare
from actalign.timeline import check_frame_rate

TEXTS_PER_FILE = 1024
"""How many texts are encoded before they are stored: what a killed run can lose."""


class TextEncoder(Protocol):
    """What :func:`embed_texts` needs of an encoder: :class:`actalign.encoder.Encoder` has it."""

    @property
    def fingerprint(self) -> str: ...
    @property
    def dtype(self) -> str: ...
    @property
    def text_policy(self) -> TextPolicy: ...
    def padded_length(self, texts: Sequence[str], *, padding: Padding | None = None) -> int: ...
    def warn_truncated(self, texts: Sequence[str]) -> None: ...
    def encode_texts(self, texts: Sequence[str], *, length: int | None = None) -> TextEmbeddings: ...


class EmbeddingIndex(Mapping[str, FrameEmbeddings]):
    """Clip id -> its frame embeddings, read from disk each time they are asked for.

    ``encoder`` is the fingerprint of the checkpoint that made them. ``failed`` maps each clip that has none to the
    reason. ``computed`` clips were encoded in this run, ``loaded`` ones were in the store or have the same content as
    one that was computed.
    """

    def __init__(self, store: EmbeddingStore, keys: Mapping[str, str], *, failed: Mapping[str, str], computed: int):
        self._store = store
        self._keys = dict(keys)
        self.encoder = store.encoder
        self.failed = dict(failed)
        self.computed = computed
        self.loaded = len(keys) - computed

    def __getitem__(self, clip_id: str) -> FrameEmbeddings:
        if clip_id in self.failed:
            raise KeyError(f"clip {clip_id!r} has no embeddings: {self.failed[clip_id]}")
        return self._store.load(self._keys[clip_id])

    def __contains__(self, clip_id: object) -> bool:
        return clip_id in self._keys

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)

    def __repr__(self) -> str:
        return (
            f"EmbeddingIndex({len(self)} clips: {self.loaded} loaded, {self.computed} computed; "
            f"{len(self.failed)} failed)"
        )


class TextIndex(dict[str, NDArray[np.float32]]):
    """Text -> its embedding; ``encoder`` is the fingerprint of the checkpoint that made them."""

    def __init__(self, rows: Mapping[str, NDArray[np.float32]], *, encoder: str):
        super().__init__(rows)
        self.encoder = encoder


def embed_clips(
    clips: Dataset | Iterable[Clip],
    encoder: FrameEncoder,
    *,
    store_folder: str | Path | None = None,
    frame_rate: float | None = None,
    batch_size: int = 64,
    progress: bool = True,
) -> EmbeddingIndex:
    """Embed the frames of every clip (paper, Eq. 4), or find them in the store; prints one line of counts.

    Threads decode ahead while the encoder works. Work of more than a minute is announced in one line: how long it
    will take, how much disk it needs, what would make it shorter. A run that computed something says how fast it
    went and whether decoding or encoding held it up.

    Each clip is stored as soon as it is done, so a run that is stopped, at any moment, and started again encodes
    only what was not finished. A clip that cannot be read costs itself alone: its reason goes to the ledger and
    to ``failed``, and the next run tries it again. Clips with the same content are encoded once. On a CPU every clip
    is encoded in batches of its own, so that a run that was stopped ends with the same bytes as one that was not; on
    a GPU batches are filled across clips, which moves the last digits.

    Args:
        clips: a data set, or clips with distinct ids.
        encoder: a loaded checkpoint.
        store_folder: where embeddings are kept; None is data/cache/embeddings.
        frame_rate: frames per second to look at; None is every frame, as in the paper.
        batch_size: frames encoded at a time, at most; on a CPU never more than ``clip_run.CPU_BATCHES``.
        progress: a progress bar on stderr, where that is a terminal or a notebook that somebody watches.

    Returns:
        Clip id -> ``FrameEmbeddings``: (T, d) float32, not normalised, and the T times in seconds; read from disk when
        asked for. Clips that failed are in its ``failed``.

    Raises:
        ActAlignError: there are no clips, two share an id, every clip failed, the store cannot be written,
            ``batch_size`` is below 1, or ``frame_rate`` is not above 0.

    >>> from actalign.records import Clip
    >>> clip = Clip("a", Path("a.mp4"), sport="judo")
    >>> embed_clips([clip, clip], encoder=None)
    Traceback (most recent call last):
    actalign.errors.ActAlignError: clip id 'a' occurs twice; give every clip its own id
    """
    batch_size = as_count(batch_size, name="batch_size", least=1)
    check_frame_rate(frame_rate)
    frame_rate = None if frame_rate is None else float(frame_rate)
    chosen = _distinct(clips)
    store = EmbeddingStore(
        Path(store_folder or paths.CACHE / "embeddings"),
        encoder=encoder.fingerprint,
        dtype=encoder.dtype,
        frame_rate=frame_rate,
    )
    store.clean()
    with tqdm(total=len(chosen), unit="clip", disable=not is_watched(progress)) as bar:
        run = ClipRun(store, encoder, batch_size=batch_size, bar=bar)
        try:
            run.encode(run.look_up(chosen))
        except KeyboardInterrupt:
            store.write_index()
            raise
    store.write_index()
    keys = {clip.id: run.keys[clip.id] for clip in chosen if clip.id in run.keys}
    index = EmbeddingIndex(store, keys, failed=run.failed, computed=run.computed)
    print(f"clips: loaded {index.loaded} from cache, computed {index.computed}, failed {len(index.failed)}")
    if not keys:
        first, reason = next(iter(run.failed.items()))
        raise ActAlignError(f"no clip of {len(chosen)} could be embedded; the first, {first!r}: {reason}")
    return index


def embed_texts(
    texts: Sequence[str | Sequence[str]],
    encoder: TextEncoder,
    *,
    store_folder: str | Path | None = None,
    group_padding: Padding = "max_length",
) -> TextIndex:
    """Embed texts (paper, Eq. 5), or find them in the store; prints one line of counts.

    A text is padded to the length the checkpoint was trained with, so that its embedding depends on it alone. The
    released scripts pad one script at a time: pass one sequence per script and ``group_padding="longest"``. A text
    has then one embedding per group, called ``text.in_company(text, group)``.

    Args:
        texts: texts, groups of texts, or both.
        encoder: a loaded checkpoint.
        store_folder: where embeddings are kept; None is data/cache/embeddings.
        group_padding: to which length the texts of a group are padded, "max_length" or that of their "longest".

    Returns:
        Each distinct text, as given or in its company, with its (d,) float32 embedding, not normalised.

    Raises:
        ActAlignError: there are no texts, one is empty, or the store cannot be written.

    >>> embed_texts([], encoder=None)
    Traceback (most recent call last):
    actalign.errors.ActAlignError: there are no texts to embed; pass a list of texts
    """
    wanted: dict[str, TextRow] = {}
    for group, padding in _groups(texts, group_padding):
        encoder.warn_truncated(group)
        length = encoder.padded_length(group, padding=padding)
        for text, prepared in zip(group, prepare(group, encoder.text_policy), strict=True):
            wanted[in_company(text, group) if padding == "longest" else text] = prepared, length
    folder = Path(store_folder or paths.CACHE / "embeddings")
    store = EmbeddingStore(folder, encoder=encoder.fingerprint, dtype=encoder.dtype, frame_rate=None)
    rows = store.find_texts()
    missing = [row for row in dict.fromkeys(wanted.values()) if row not in rows]
    for length in sorted({length for _, length in missing}):
        same_length = [row for row in missing if row[1] == length]
        for start in range(0, len(same_length), TEXTS_PER_FILE):
            part = same_length[start : start + TEXTS_PER_FILE]
            encoded = encoder.encode_texts([text for text, _ in part], length=length)
            store.save_texts(part, encoded.embeddings)
            rows.update(zip(part, encoded.embeddings, strict=True))
    print(f"texts: loaded {len(set(wanted.values())) - len(missing)} from cache, computed {len(missing)}")
    own = {text: rows[row].copy() for text, row in wanted.items()}  # a row alone would keep all of its file in memory
    return TextIndex(own, encoder=encoder.fingerprint)


def _distinct(clips: Dataset | Iterable[Clip]) -> list[Clip]:
    chosen = list(clips.clips.values() if isinstance(clips, Dataset) else clips)
    if not chosen:
        raise ActAlignError("there are no clips to embed; check the data set and its split")
    for clip_id, count in Counter(clip.id for clip in chosen).items():
        if count > 1:
            raise ActAlignError(f"clip id {clip_id!r} occurs twice; give every clip its own id")
    return chosen


def _groups(texts: Sequence[str | Sequence[str]], group_padding: Padding) -> list[tuple[list[str], Padding | None]]:
    """The texts that stand alone, then each group, and how they are padded: None is as the encoder was trained."""
    listed = [] if isinstance(texts, str) else list(texts)
    alone = [text for text in listed if isinstance(text, str)]
    groups = [list(group) if isinstance(group, Iterable) else [group] for group in listed if not isinstance(group, str)]
    for text in chain.from_iterable(groups):
        if not isinstance(text, str):
            raise ActAlignError(f"{text!r} is a {type(text).__name__}, not a text; pass strings, or groups of strings")
    found = [(group, padding) for group, padding in [(alone, None), *((one, group_padding) for one in groups)] if group]
    if not found:
        raise ActAlignError("there are no texts to embed; pass a list of texts")
    return found
