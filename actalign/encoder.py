"""Frames or texts -> embeddings, by any SigLIP-like checkpoint. Beside the sample, all that imports transformers.

The checkpoint decides everything it can: its own image processor says how frames are prepared
(:mod:`actalign.preprocessing` does it), its own tokenizer prepares the texts. What it does not say is in the
tables below. Attention is torch's fused one (SDPA).

The same frame gives the same embedding whatever batch it is in, up to rounding: about 1e-6 of its length in
float32 on a CPU.
"""

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from huggingface_hub.errors import StrictDataclassError
from numpy.typing import NDArray
from safetensors import SafetensorError
from transformers import AutoImageProcessor, AutoModel, AutoTokenizer
from transformers.utils import logging
from transformers.utils.hub import cached_file

from actalign import accelerator
from actalign.accelerator import Compiled, Frame, Inputs, first_line
from actalign.arrays import as_count
from actalign.checkpoints import hash_folder, is_local, require_all_weights, require_features, require_picture_size
from actalign.errors import ActAlignError
from actalign.preprocessing import Pixels, pixels_like, require_rgb
from actalign.records import TextEmbeddings
from actalign.text import Padding, TextPolicy, prepare

LOWER_CASE = {"siglip": True, "siglip2": True}
"""Model types trained on lower-cased text. SigLIP's own tokenizer lower-cases, SigLIP 2's does not, and both are
stored as "siglip"; lower-casing twice changes nothing. Any other model type keeps the case it is given."""
WITHOUT_TEXT_MASK = frozenset({"siglip", "siglip2"})
"""Model types trained to see their padding: a mask from the tokenizer would change the embedding."""
DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}
TEXT_BATCH = 256

_UNREADABLE = (
    *(OSError, ValueError, RuntimeError, KeyError, TypeError, AttributeError, ArithmeticError),
    *(SafetensorError, StrictDataclassError),
)


@dataclass(frozen=True, eq=False)
class Encoder:
    """A loaded checkpoint; make one with :func:`load_encoder`.

    ``scale`` and ``bias`` are the checkpoint's own exp(logit_scale) and logit_bias (paper, Eq. 9); a checkpoint
    without a bias (CLIP) has 0.0. ``width`` is the embedding width d. ``fingerprint`` names what determines the
    embeddings: weights, configuration, tokenizer and preprocessing, not the device nor ``dtype``.
    """

    checkpoint: str
    fingerprint: str
    device: str
    dtype: str
    scale: float
    bias: float
    width: int
    text_policy: TextPolicy
    _model: Any
    _tokenizer: Any
    _pixels: Pixels
    _image_rows: Callable[[Inputs], torch.Tensor]
    _warned: set[str] = field(default_factory=set)

    def __repr__(self) -> str:
        return f"Encoder({self.checkpoint!r}, width={self.width}, {self.device}, {self.dtype})"

    def encode_frames(self, frames_thwc: NDArray[np.uint8], *, batch_size: int = 64) -> NDArray[np.float32]:
        """Embed RGB frames (paper, Eq. 4): uint8 (T, H, W, 3) -> float32 (T, d), not normalised.

        Raises:
            ActAlignError: the frames are not uint8 (T, H, W, 3) with T of 1 or more; ``batch_size`` is below 1.
        """
        if not isinstance(frames_thwc, np.ndarray):
            kind = type(frames_thwc).__name__  # type: ignore[unreachable]  # callers without a type checker
            raise ActAlignError(f"frames are a {kind}; stack them into one uint8 array with np.stack(frames)")
        if frames_thwc.ndim != 4 or frames_thwc.shape[-1] != 3 or 0 in frames_thwc.shape:
            raise ActAlignError(f"frames must be (T, height, width, 3), T of 1 or more; got {frames_thwc.shape}")
        batch_size = as_count(batch_size, name="batch_size", least=1)
        starts = range(0, len(frames_thwc), batch_size)
        return np.concatenate(list(self.encode_stream(list(frames_thwc[n : n + batch_size]) for n in starts)))

    def encode_stream(self, batches: Iterable[Sequence[Frame]]) -> Iterator[NDArray[np.float32]]:
        """Embed batches of RGB frames (paper, Eq. 4) as they come: N frames -> float32 (N, d), not normalised.

        A frame is uint8 (H, W, 3); one batch may hold frames of several sizes. The embeddings come in the order of
        the batches, on a GPU up to two batches late: it works on one while the next is brought to it.

        Raises:
            ActAlignError: a batch is empty, or a frame is not uint8 (H, W, 3).
        """
        yield from accelerator.in_turn(batches, prepare=self._prepared, forward=self._image_rows, device=self.device)

    def encode_texts(
        self, texts: Sequence[str], *, padding: Padding | None = None, length: int | None = None
    ) -> TextEmbeddings:
        """Embed texts (paper, Eq. 5), not normalised; warns once about each text that is cut off.

        Args:
            texts: K texts; the checkpoint's case rule is applied (see :func:`actalign.text.prepare`).
            padding: "max_length" (default: as trained) or "longest" (of these texts; the released scripts').
            length: pad to this many tokens instead (see :meth:`padded_length`).

        Raises:
            ActAlignError: there are no texts, one is empty, ``padding`` is unknown, or ``length`` is beyond what the
                checkpoint reads.
        """
        if length is not None and not 1 <= length <= self.text_policy.max_length:
            raise ActAlignError(f"length is {length}; give 1 to {self.text_policy.max_length} tokens")
        prepared = prepare(texts, self.text_policy)
        if not prepared:
            raise ActAlignError("there are no texts to encode; pass at least one")
        self.warn_truncated(texts)
        tokens = partial(self._tokens, length=length or self.padded_length(texts, padding=padding))
        parts = (prepared[start : start + TEXT_BATCH] for start in range(0, len(prepared), TEXT_BATCH))
        rows = accelerator.in_turn(parts, prepare=tokens, forward=self._text_rows, device=self.device)
        return TextEmbeddings(tuple(texts), np.concatenate(list(rows)))

    def padded_length(self, texts: Sequence[str], *, padding: Padding | None = None) -> int:
        """The number of tokens that each of ``texts`` is padded or cut to when they are encoded together.

        Raises:
            ActAlignError: ``padding`` is unknown, or a text is empty.
        """
        policy = self.text_policy if padding is None else replace(self.text_policy, padding=padding)
        if policy.padding == "max_length":
            return policy.max_length
        return min(policy.max_length, max(self.token_counts(texts)))

    def truncated(self, texts: Sequence[str]) -> list[bool]:
        """Whether each text has more tokens than the checkpoint reads, so that its end goes unseen."""
        return [count > self.text_policy.max_length for count in self.token_counts(texts)]

    def warn_truncated(self, texts: Sequence[str]) -> None:
        """One warning that lists the texts cut off; each text is listed once in the life of this encoder."""
        prepared = prepare(texts, self.text_policy)
        cut = dict.fromkeys(text for text, long in zip(prepared, self.truncated(texts), strict=True) if long)
        new = [text for text in cut if text not in self._warned]
        self._warned.update(new)
        if new:
            warnings.warn(
                f"{len(new)} texts have more than the {self.text_policy.max_length} tokens that {self.checkpoint} "
                f"reads; their ends are not seen: {new}",
                stacklevel=3,
            )

    def token_counts(self, texts: Sequence[str]) -> list[int]:
        """The number of tokens of each text, none cut off or padded."""
        prepared = prepare(texts, self.text_policy)
        return [len(ids) for ids in self._tokenizer(prepared, verbose=False)["input_ids"]] if prepared else []

    def _tokens(self, texts: list[str], *, length: int) -> Inputs:
        tokens = self._tokenizer(texts, padding="max_length", max_length=length, truncation=True, return_tensors="pt")
        masked = self._model.config.model_type not in WITHOUT_TEXT_MASK
        return {name: value.to(self.device) for name, value in tokens.items() if masked or name != "attention_mask"}

    def _text_rows(self, tokens: Inputs) -> torch.Tensor:
        return pooled(self._model.get_text_features(**tokens))

    def _prepared(self, frames: Sequence[Frame]) -> Inputs:
        require_rgb(frames)
        inputs = self._pixels(frames, self.device)
        return {**inputs, "pixel_values": inputs["pixel_values"].to(DTYPES[self.dtype])}


def pooled(output: Any) -> torch.Tensor:
    """The embeddings (N, d) in what ``get_image_features`` or ``get_text_features`` returned.

    Raises:
        ActAlignError: there is no such matrix in it.

    >>> from types import SimpleNamespace
    >>> pooled(SimpleNamespace(pooler_output=torch.zeros(2, 3))).shape
    torch.Size([2, 3])
    """
    rows = getattr(output, "pooler_output", None)
    if not isinstance(rows, torch.Tensor) or rows.ndim != 2:
        raise ActAlignError(
            f"the checkpoint's features are a {type(output).__name__} without one embedding per item; "
            "use a SigLIP, SigLIP 2 or CLIP checkpoint"
        )
    return rows


def load_encoder(
    checkpoint: str | Path,
    *,
    device: str = "auto",
    dtype: str = "float32",
    revision: str | None = None,
    compiled: bool = False,
) -> Encoder:
    """Load a checkpoint from a local folder or by its hub id.

    A folder is read without any network access; a hub id is downloaded by transformers unless it is in its cache
    (``HF_HUB_OFFLINE=1`` is respected). Only safetensors weights are read, and no code from the checkpoint is run.

    Args:
        checkpoint: a folder written by ``save_pretrained``, or an id such as "google/siglip-so400m-patch14-384".
        device: "auto" (CUDA, else Apple's MPS, else CPU) or a torch device such as "cuda:1".
        dtype: "float32", "bfloat16" or "float16" (the last is slow on a CPU). On a GPU even "float32" is a little less:
            cuDNN may round the pixels that it folds into patches to TF32.
        revision: branch, tag or commit of a hub id.
        compiled: let torch compile the image tower: a minute once, then faster; worth it for long work on a GPU.
            A batch that is longer than any before costs the minute again.

    Returns:
        ``encode_frames`` and ``encode_texts`` give rows of ``width`` values, not normalised; ``scale`` and ``bias`` are
        those of Eq. 9.

    Raises:
        ActAlignError: the checkpoint is missing, cannot be read, lacks weights or has some that do not belong, or
            has no image and text features; the device or dtype is not available.

    >>> load_encoder(Path("nowhere"))
    Traceback (most recent call last):
    actalign.errors.ActAlignError: checkpoint folder nowhere does not exist; give a folder ...
    """
    if dtype not in DTYPES:
        raise ActAlignError(f"dtype {dtype!r} is unknown; choose one of {list(DTYPES)}")
    place = accelerator.choose(device)
    name = str(checkpoint)
    local = is_local(checkpoint)
    if local and revision is not None:
        raise ActAlignError(f"revision {revision!r} belongs to a hub id, but {name} is a folder; leave it out")
    with _readable(name), _quiet():
        config_file = Path(cached_file(name, "config.json", revision=revision, local_files_only=local) or "")
        where = {"local_files_only": local, "revision": None if local else config_file.parent.name}
        model, report = AutoModel.from_pretrained(
            name,
            dtype=torch.float32,
            use_safetensors=True,
            attn_implementation="sdpa",
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # so that the report below can name them
            **where,
        )
        tokenizer = AutoTokenizer.from_pretrained(name, **where)
        image_processor = AutoImageProcessor.from_pretrained(name, backend="pil", **where)
        require_all_weights(name, report)
        require_features(name, model)
        pixels, strange = pixels_like(image_processor)
        require_picture_size(name, model, pixels)
    if strange:
        print(f"checkpoint {name}: its own image processor prepares the frames, one at a time on the CPU: {strange}")
    source = hash_folder(Path(name)) if local else f"{name}@{config_file.parent.name}"
    scale, bias = _affinity_constants(model)

    def image_rows(inputs: Inputs) -> torch.Tensor:
        return pooled(model.get_image_features(**inputs))

    return Encoder(
        checkpoint=name,
        fingerprint=f"{source}+{pixels.name}",
        device=place,
        dtype=dtype,
        scale=scale,
        bias=bias,
        width=_width(model),
        text_policy=TextPolicy(
            padding="max_length",
            max_length=model.config.text_config.max_position_embeddings,
            lower_case=LOWER_CASE.get(model.config.model_type, False),
        ),
        _model=model.to(place, DTYPES[dtype]).eval(),
        _tokenizer=tokenizer,
        _pixels=pixels,
        _image_rows=Compiled(image_rows) if compiled else image_rows,
    )


@contextmanager
def _readable(name: str) -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        raise ActAlignError(f"checkpoint {name} needs a package: {first_line(error)}; install it") from error
    except _UNREADABLE as error:
        raise ActAlignError(
            f"checkpoint {name} cannot be loaded: {first_line(error)}; check the folder, or for a hub id the "
            "network (offline, it must already be in the Hugging Face cache)"
        ) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """No progress bars and reports from transformers: what matters in them is raised here."""
    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()


def _affinity_constants(model: Any) -> tuple[float, float]:
    """(alpha, beta) of the paper's Eq. 9: exp(logit_scale) and logit_bias, 0.0 where there is none."""
    bias = getattr(model, "logit_bias", None)
    return float(model.logit_scale.detach().exp()), 0.0 if bias is None else float(bias.detach())


def _width(model: Any) -> int:
    with torch.inference_mode():
        return pooled(model.get_text_features(input_ids=torch.zeros((1, 1), dtype=torch.long))).shape[1]
