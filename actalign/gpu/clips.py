"""A clip's embeddings as the processor takes them, arrays, or as torch does; bad ones are refused alike by both."""

from dataclasses import replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from actalign.clip_similarity import real_matrix
from actalign.errors import ActAlignError
from actalign.stage import ClipScripts


def as_arrays(clip: ClipScripts) -> ClipScripts:
    """A clip whose tensors, if it has any, are arrays."""
    if not any(hasattr(rows, "detach") for rows in (clip.frames_td, clip.texts_nd)):
        return clip
    return replace(clip, frames_td=_array(clip.frames_td), texts_nd=_array(clip.texts_nd))


def as_torch_takes_it(clip: ClipScripts, *, place: int) -> ClipScripts:
    """A clip of tensors or of arrays that become some without loss; refused where the processor refuses it."""
    try:
        frames, texts = _real(clip.frames_td, "frames"), _real(clip.texts_nd, "texts")
    except ActAlignError as error:
        raise ActAlignError(f"clip {place}: {error}") from error
    same = frames is clip.frames_td and texts is clip.texts_nd
    return clip if same else replace(clip, frames_td=frames, texts_nd=texts)


def _array(rows: Any) -> NDArray[Any]:
    """What a tensor holds: bfloat16, which NumPy does not know, as float32."""
    if not hasattr(rows, "detach"):
        return cast(NDArray[Any], rows)
    rows = rows.detach().cpu()
    return cast(NDArray[Any], (rows.float() if str(rows.dtype) == "torch.bfloat16" else rows).numpy())


def _real(rows: Any, name: str) -> Any:
    if hasattr(rows, "detach") and not rows.is_complex():
        return rows
    array = real_matrix(_array(rows), name)
    known = array.dtype.isnative and array.dtype.itemsize <= 8  # torch knows no other order of bytes, nor long doubles
    return array if known else array.astype(np.float64)
