"""Where a checkpoint is, whether it is complete and what identifies it. Nothing here loads a model."""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from actalign.errors import ActAlignError
from actalign.files import file_sha256

FINGERPRINTED = (
    "model*.safetensors",
    "config.json",
    "*processor_config.json",
    "tokenizer*.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.*",
    "merges.txt",
    "*.model",
)
"""The files of a checkpoint folder that determine its embeddings: weights, configuration, tokenizer, preprocessing."""


def is_local(checkpoint: str | Path) -> bool:
    """True for a folder, False for what can only be a hub id.

    Raises:
        ActAlignError: it is neither: a folder that is missing.

    >>> is_local("google/siglip-so400m-patch14-384"), is_local(Path("."))
    (False, True)
    """
    path = Path(checkpoint)
    if path.is_dir():
        return True
    like_hub_id = re.fullmatch(r"[\w.-]+/[\w.-]+", str(checkpoint)) and not path.parent.is_dir()
    if isinstance(checkpoint, str) and like_hub_id:
        return False
    raise ActAlignError(
        f"checkpoint folder {checkpoint} does not exist; give a folder that holds config.json and "
        "model.safetensors, or a hub id such as 'google/siglip-so400m-patch14-384'"
    )


def require_all_weights(name: str, report: Mapping[str, Any]) -> None:
    """Raise ActAlignError, naming them, if weights are missing, misshapen or not the model's.

    ``report`` is what ``from_pretrained(output_loading_info=True)`` returns beside the model ``name``.

    >>> report = {"missing_keys": {"logit_bias"}, "unexpected_keys": set(), "mismatched_keys": set()}
    >>> require_all_weights("tiny", report)
    Traceback (most recent call last):
    actalign.errors.ActAlignError: checkpoint tiny does not match its config.json, ... 1 missing: ['logit_bias'] ...
    """
    mismatched = {key[0] if isinstance(key, tuple) else key for key in report["mismatched_keys"]}
    # Old CLIP files carry this constant buffer as if it were a weight.
    unexpected = {key for key in report["unexpected_keys"] if not key.endswith(".position_ids")}
    wrong = {"missing": report["missing_keys"], "of the wrong shape": mismatched, "unexpected": unexpected}
    found = [f"{len(keys)} {kind}: {sorted(keys)[:5]}" for kind, keys in wrong.items() if keys]
    if found:
        raise ActAlignError(
            f"checkpoint {name} does not match its config.json, so some weights would be random; "
            f"weights {'; '.join(found)} (5 at most are named): save it again with save_pretrained"
        )


def hash_folder(folder: Path) -> str:
    """sha256 of the files that determine the embeddings; a model card or a training log changes nothing.

    >>> len(hash_folder(Path(".")))
    64
    """
    files = sorted({file for pattern in FINGERPRINTED for file in folder.glob(pattern) if file.is_file()})
    digests = {file.name: file_sha256(file) for file in files}
    return hashlib.sha256(json.dumps(digests, sort_keys=True).encode()).hexdigest()


def require_features(name: str, model: object) -> None:
    """Raise ActAlignError unless ``model`` has image features, text features and a logit scale.

    >>> require_features("tiny", object())
    Traceback (most recent call last):
    actalign.errors.ActAlignError: checkpoint tiny holds a object without get_image_features, ...
    """
    wanted = ("get_image_features", "get_text_features", "logit_scale")
    lacking = [feature for feature in wanted if not hasattr(model, feature)]
    if lacking:
        raise ActAlignError(
            f"checkpoint {name} holds a {type(model).__name__} without {', '.join(lacking)}; "
            "use a SigLIP, SigLIP 2 or CLIP checkpoint"
        )


def require_picture_size(name: str, model: Any, pixels: Callable[..., Mapping[str, Any]]) -> None:
    """Raise ActAlignError where ``pixels`` makes pictures of another size than the one ``model`` reads, if any.

    >>> from types import SimpleNamespace
    >>> model = SimpleNamespace(config=SimpleNamespace(vision_config=SimpleNamespace(image_size=64)))
    >>> require_picture_size("tiny", model, lambda frames, device: {"pixel_values": np.ones((1, 3, 32, 32))})
    Traceback (most recent call last):
    actalign.errors.ActAlignError: checkpoint tiny reads pictures of 64 x 64 pixels, ...
    """
    size = getattr(getattr(model.config, "vision_config", None), "image_size", None)
    if not isinstance(size, int):
        return
    shape = pixels([np.zeros((size, size, 3), np.uint8)], "cpu")["pixel_values"].shape
    if len(shape) == 4 and tuple(shape[2:]) != (size, size):
        raise ActAlignError(
            f"checkpoint {name} reads pictures of {size} x {size} pixels, and its own image processor makes them "
            f"{shape[2]} x {shape[3]}; give it the processor_config.json it was trained with"
        )
