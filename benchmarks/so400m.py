"""The architecture of google/siglip-so400m-patch14-384 with random weights: good for measuring speed, and only that."""

import json
import shutil
from pathlib import Path
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode
from transformers import SiglipConfig, SiglipModel, SiglipVisionConfig, SiglipVisionModel
from transformers.utils import logging

from actalign import paths

WIDTH = 1152
VISION: dict[str, Any] = {
    "hidden_size": WIDTH,
    "intermediate_size": 4304,
    "num_hidden_layers": 27,
    "num_attention_heads": 16,
    "image_size": 384,
    "patch_size": 14,
}
SMALL: dict[str, Any] = {**VISION, "intermediate_size": 64, "num_hidden_layers": 1, "image_size": 56}
"""The same width in one thin layer: for tests."""
TOKENIZER = ("tokenizer.json", "tokenizer_config.json")


def _random(model: Any) -> Any:
    with torch.no_grad():
        for weight in model.parameters():
            weight.normal_(0.0, 0.02)
    return model.eval()


def image_tower(vision: dict[str, Any] | None = None, *, attention: str = "sdpa", device: str = "cpu") -> Any:
    """The image tower alone, float32."""
    config = SiglipVisionConfig(**{**(vision or VISION), "attn_implementation": attention})
    with torch.device(device):
        model = SiglipVisionModel(config)
    return model.eval() if device == "meta" else _random(model)


def flops_per_frame(vision: dict[str, Any] | None = None) -> float:
    """Floating-point operations of one frame's forward, an addition and a multiplication counted as two.

    Counted on tensors without data, with the attention written out so that the counter sees its products.
    """
    chosen = vision or VISION
    tower = image_tower(chosen, attention="eager", device="meta")
    side = chosen["image_size"]
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        tower(pixel_values=torch.empty((1, 3, side, side), device="meta"))
    return float(counter.get_total_flops())


def write_checkpoint(folder: Path, vision: dict[str, Any] | None = None) -> Path:
    """A checkpoint that ``load_encoder`` reads: this image tower, the sample's tokenizer, a thin text tower."""
    chosen = vision or VISION
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    sample = json.loads((paths.CHECKPOINT / "config.json").read_text(encoding="utf-8"))
    kept = ("vocab_size", "max_position_embeddings", "pad_token_id", "eos_token_id")
    text = {name: sample["text_config"][name] for name in kept}
    thin = {"hidden_size": 64, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = SiglipConfig(
        text_config={**text, **thin, "bos_token_id": None, "projection_size": WIDTH}, vision_config=chosen
    )
    _random(SiglipModel(config)).save_pretrained(folder)
    for name in TOKENIZER:
        shutil.copy(paths.CHECKPOINT / name, folder)
    processor = json.loads((paths.CHECKPOINT / "processor_config.json").read_text(encoding="utf-8"))
    processor["image_processor"]["size"] = {"height": chosen["image_size"], "width": chosen["image_size"]}
    (folder / "processor_config.json").write_text(json.dumps(processor), encoding="utf-8")
    return folder
