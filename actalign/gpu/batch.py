"""Clips of one batch on a device, padded to one shape, and their scores for any smoothing and calibration."""

import contextlib
from collections.abc import Iterator, Sequence
from functools import cache, reduce
from threading import Lock
from typing import Any, NoReturn

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from actalign.accelerator import first_line
from actalign.clip_similarity import ClipSimilarity, Smoothing
from actalign.errors import ActAlignError
from actalign.gpu import scan
from actalign.gpu.clips import as_arrays
from actalign.gpu.tables import Calibration, Candidates, Totals, Values
from actalign.similarity import averaged
from actalign.stage import ClipScripts

LONGEST_IN_KERNEL = 64
"""Sub-actions that fit a program of :mod:`actalign.gpu.kernels`; longer scripts take :mod:`actalign.gpu.scan`."""
SMOOTHED_COLUMNS = 128
"""Columns of embeddings whose running sums, float64, are in memory at a time."""
KEPT = {torch.float16, torch.bfloat16, torch.float32}
"""Precisions whose products are added up in float32; every other embedding becomes float64."""
_PRECISION = Lock()  # torch's setting is one for all threads


class Batch:
    """B clips on one device; ``device="cpu"`` runs the same operations there, for tests.

    Args:
        clips: at least one; their embeddings have one width.
        names: what an error calls each clip; its place in ``clips`` if not given.
        device: a torch device.

    Raises:
        ActAlignError: frames and texts of a clip do not fit together.

    >>> lob = ClipScripts(np.eye(2), np.eye(2), (np.array([0, 1]), np.array([1, 0])))
    >>> [scores.round(3).tolist() for scores in Batch([lob], device="cpu").scores(scale=2.0, bias=-2.0)]
    [[0.373, 0.246]]
    """

    def __init__(self, clips: Sequence[ClipScripts], *, device: str | torch.device, names: Sequence[int] | None = None):
        self._clips, self._names = clips, range(len(clips)) if names is None else names
        self._device = torch.device(device)
        for place, clip in enumerate(clips):
            shapes = clip.frames_td.shape, clip.texts_nd.shape
            if any(len(shape) != 2 or 0 in shape for shape in shapes) or shapes[0][1] != shapes[1][1]:
                self._refuse(place, None)
        frames, texts = [_tensor(clip.frames_td) for clip in clips], [_tensor(clip.texts_nd) for clip in clips]
        dtype = _common_dtype([*frames, *texts])
        self.frames_btd = self._padded(frames, dtype)
        self.texts_bnd = self._padded(texts, dtype)
        self._frames_b, self._texts_b = self._counts(frames), self._counts(texts)
        self.candidates, self._order = self._place_scripts()

    def scores(
        self, *, scale: float, bias: float, smoothing: Smoothing | None = None, accumulate: str = "float64"
    ) -> list[NDArray[np.float64]]:
        """The scores of each clip's candidates, as :func:`actalign.gpu.score_clips`.

        Raises:
            ActAlignError: an embedding has no direction, or holds NaN or inf; a clip is too short for the smoothing.
        """
        scores_n, unusable_b = self.on_device(scale=scale, bias=bias, smoothing=smoothing, accumulate=accumulate)
        found = scores_n.cpu().numpy()
        for place in unusable_b.nonzero()[:1, 0].tolist():
            self._refuse(place, smoothing)
        scores = np.empty(len(found))
        scores[self._order] = found
        counts = [len(clip.scripts) for clip in self._clips]
        ends = np.cumsum(counts).tolist()
        return [scores[end - count : end] for end, count in zip(ends, counts, strict=True)]

    def on_device(
        self, *, scale: float, bias: float, smoothing: Smoothing | None, accumulate: str
    ) -> tuple[Tensor, Tensor]:
        """What :meth:`scores` waits for: scores, those of the longest scripts last, and which of the clips are bad."""
        scale_bias = torch.tensor([scale, bias], dtype=torch.float64).to(self._device)  # first: it waits for the device
        products = _products(self.texts_bnd, self.frames_btd)
        texts, frames = _lengths(self.texts_bnd), _lengths(self.frames_btd)
        unusable = _unusable(texts, self._texts_b) | _unusable(frames, self._frames_b)
        frame_counts = self._frames_b
        if smoothing is not None:
            products, frames, frame_counts = self._smoothed(products, frames, smoothing)
            unusable |= _unusable(frames, frame_counts)
        values = Values(products, Calibration(1.0 / frames, 1.0 / texts, scale_bias))
        totals = [self._best_paths(values, group, frame_counts, accumulate) for group in self.candidates]
        return torch.cat([total.sums_n.double() / total.lengths_n for total in totals]), unusable

    def _best_paths(self, values: Values, group: Candidates, frame_counts: Tensor, accumulate: str) -> Totals:
        candidates = group._replace(frames_n=frame_counts[group.clips_n.long()])
        precision: torch.dtype = getattr(torch, accumulate)
        if candidates.rows_nk.shape[1] <= LONGEST_IN_KERNEL and _kernel_works(self._device):
            from actalign.gpu import kernels

            return kernels.best_paths(values, candidates, accumulate=precision)
        return scan.best_paths(values, candidates, accumulate=precision)

    def _smoothed(self, products: Tensor, lengths: Tensor, smoothing: Smoothing) -> tuple[Tensor, Tensor, Tensor]:
        """Products and lengths of the averaged frames, times the width, and their number (paper, Eq. 7)."""
        counts = [len(clip.frames_td) for clip in self._clips]
        shortest, longest = int(np.argmin(counts)), max(counts)
        try:
            averaged(counts[shortest], smoothing.width, window=smoothing.window, padding=smoothing.padding)
        except ActAlignError:
            self._refuse(shortest, smoothing)
        first, terms, length = averaged(longest, smoothing.width, window=smoothing.window, padding=smoothing.padding)
        weights = torch.ones_like(lengths)
        if smoothing.stage == "after_norm":
            weights = torch.where(lengths > 0, 1.0 / lengths, 0.0)
        squares = torch.zeros(len(counts), length, dtype=torch.float64, device=self._device)
        for columns in self.frames_btd.split(SMOOTHED_COLUMNS, dim=2):
            squares += _window_sums(columns * weights[:, :, None], 1, (first, terms, length)).square_().sum(dim=2)
        smoothed = _window_sums(products * weights[:, None, :], 2, (first, terms, length))
        return smoothed, squares.sqrt_(), self._frames_b + (length - longest)

    def _place_scripts(self) -> tuple[list[Candidates], NDArray[np.intp]]:
        """Candidates that fit the kernel, then those that do not; and the place of each among all of the batch."""
        scripts = [np.asarray(rows) for clip in self._clips for rows in clip.scripts]
        clips = np.repeat(np.arange(len(self._clips)), [len(clip.scripts) for clip in self._clips])
        steps = np.array([len(rows) for rows in scripts])
        groups = [np.flatnonzero(chosen) for chosen in (steps <= LONGEST_IN_KERNEL, steps > LONGEST_IN_KERNEL)]
        placed = []
        for group in groups:
            if len(group) == 0:
                continue
            rows_nk = np.zeros((len(group), steps[group].max()), dtype=np.int32)
            for row, index in enumerate(group):
                rows_nk[row, : steps[index]] = scripts[index]
            rows, clips_n, steps_n = (
                torch.from_numpy(table.astype(np.int32)).to(self._device)
                for table in (rows_nk, clips[group], steps[group])
            )
            placed.append(Candidates(rows, clips_n, steps_n, steps_n))
        return placed, np.concatenate(groups)

    def _padded(self, tables: list[Tensor], dtype: torch.dtype) -> Tensor:
        """The tables one after the other, with rows of zeros up to the longest."""
        rows = max(map(len, tables))
        padded = torch.zeros(len(tables), rows, tables[0].shape[1], dtype=dtype, device=self._device)
        for place, table in zip(padded, tables, strict=True):
            place[: len(table)].copy_(table)
        return padded

    def _counts(self, tables: list[Tensor]) -> Tensor:
        return torch.tensor([len(table) for table in tables], dtype=torch.int32).to(self._device)

    def _refuse(self, place: int, smoothing: Smoothing | None) -> NoReturn:
        """Raise what the CPU says about a bad clip, with its name."""
        clip = as_arrays(self._clips[place])
        try:
            ClipSimilarity(clip.frames_td, clip.texts_nd).cosine(smoothing)
        except ActAlignError as error:
            raise ActAlignError(f"clip {self._names[place]}: {error}") from error
        raise ActAlignError(
            f"clip {self._names[place]} has embeddings too long or too short for the GPU's float32; "
            "normalise them, or score this clip with device='cpu'"
        )


def score(
    clips: Sequence[ClipScripts], names: Sequence[int], *, device: str, **choices: Any
) -> list[NDArray[np.float64]]:
    """:meth:`Batch.scores`; of its halves, one after the other, where the device has too little memory for it.

    Raises:
        ActAlignError: as :class:`Batch` and its scores, or the memory is too little for a single clip.
    """
    try:
        return Batch(clips, names=names, device=device).scores(**choices)
    except torch.OutOfMemoryError as error:
        if len(clips) == 1:
            reason = f"device {device!r} has too little memory free ({first_line(error)})"
            raise ActAlignError(f"clip {names[0]}: {reason}; score this clip with device='cpu'") from error
    half = len(clips) // 2
    parts = (slice(half), slice(half, None))
    return [scores for part in parts for scores in score(clips[part], names[part], device=device, **choices)]


def _tensor(rows: Any) -> Tensor:
    return rows.detach() if isinstance(rows, Tensor) else torch.from_numpy(np.require(rows, requirements=("C", "W")))


def _common_dtype(tables: Sequence[Tensor]) -> torch.dtype:
    dtypes = {table.dtype for table in tables}
    return reduce(torch.promote_types, dtypes) if dtypes <= KEPT else torch.float64


def _products(texts_bnd: Tensor, frames_btd: Tensor) -> Tensor:
    """Dot products (B, n, T): float32 sums of exact products from half precision, never TF32."""
    frames_bdt = frames_btd.mT
    with _full_precision(texts_bnd.device):
        if texts_bnd.dtype not in (torch.float16, torch.bfloat16):
            return torch.bmm(texts_bnd, frames_bdt)
        if texts_bnd.is_cuda:
            return torch.bmm(texts_bnd, frames_bdt, out_dtype=torch.float32)
        return torch.bmm(texts_bnd.float(), frames_bdt.float())


@contextlib.contextmanager
def _full_precision(device: torch.device) -> Iterator[None]:
    """Float32 products in float32, whatever the program around has chosen; in one thread at a time."""
    settings = torch.backends.cuda.matmul
    with _PRECISION, torch.autocast(device.type, enabled=False):
        before = settings.fp32_precision
        if before == "tf32":
            settings.fp32_precision = "ieee"
        try:
            yield
        finally:
            if before == "tf32":
                settings.fp32_precision = before


def _lengths(rows: Tensor) -> Tensor:
    """(B, rows) float64; those of half precision and float32 are added up in float32."""
    wide = torch.float64 if rows.dtype == torch.float64 else torch.float32
    return torch.linalg.vector_norm(rows, dim=2, dtype=wide).double()


def _unusable(lengths: Tensor, counts_b: Tensor) -> Tensor:
    """(B,) bool: an embedding of the clip is all zeros, or holds NaN or inf."""
    present = torch.arange(lengths.shape[1], device=lengths.device) < counts_b[:, None]
    return (present & ~(lengths.isfinite() & (lengths > 0))).any(dim=1)


def _window_sums(values: Tensor, dim: int, window: tuple[int, int, int]) -> Tensor:
    """At t along ``dim``, of ``length`` places: the float64 sum of ``terms`` values from t + ``first`` on."""
    first, terms, length = window
    count = values.shape[dim]
    sums = torch.zeros(
        *values.shape[:dim], count + 1, *values.shape[dim + 1 :], dtype=torch.float64, device=values.device
    )
    torch.cumsum(values, dim, dtype=torch.float64, out=sums.narrow(dim, 1, count))
    starts = torch.arange(first, first + length, device=values.device)
    ends = (starts + terms).clamp_(0, count)
    return sums.index_select(dim, ends) - sums.index_select(dim, starts.clamp_(0, count))


@cache
def _kernel_works(device: torch.device) -> bool:
    """Whether this is a GPU, with Triton installed and right about one small matrix; a line says so if it is not."""
    if device.type != "cuda":
        return False
    try:
        from actalign.gpu import kernels

        reason = kernels.trouble(device)
    except ImportError as error:
        reason = f"Triton cannot be imported ({first_line(error)})"
    if reason:
        print(f"{reason}: aligning on {device} without it, more slowly")
    return not reason
