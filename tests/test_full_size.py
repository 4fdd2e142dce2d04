"""The real so400m configuration at full size, built with random weights, saved and loaded like any checkpoint.

Takes 8 GB of memory, 4 GB of disk and some minutes: left out of ``make test``; ``pytest -m slow`` runs it.
"""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModel, SiglipConfig, SiglipModel
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

from actalign import paths
from actalign.encoder import load_encoder

TOWER = {"hidden_size": 1152, "intermediate_size": 4304, "num_hidden_layers": 27, "num_attention_heads": 16}
SIDE, TOKENS = 384, 64


@pytest.fixture(scope="module")
def so400m(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("so400m")
    sample = json.loads((paths.CHECKPOINT / "config.json").read_text(encoding="utf-8"))["text_config"]
    special = {name: sample[name] for name in ("pad_token_id", "eos_token_id")} | {"bos_token_id": None}
    text = {**TOWER, **special, "vocab_size": 32000, "max_position_embeddings": TOKENS, "projection_size": 1152}
    torch.manual_seed(0)
    model = SiglipModel(SiglipConfig(text_config=text, vision_config={**TOWER, "image_size": SIDE, "patch_size": 14}))
    model.save_pretrained(folder)
    SiglipImageProcessorPil(size={"height": SIDE, "width": SIDE}).save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(paths.CHECKPOINT / name, folder)
    return folder


@pytest.mark.slow
def test_the_full_size_checkpoint_encodes_as_the_library_does(so400m: Path, rng: np.random.Generator) -> None:
    encoder = load_encoder(so400m, device="cpu")
    assert encoder.width == 1152
    assert (encoder.text_policy.max_length, encoder.text_policy.lower_case) == (TOKENS, True)
    frame = rng.integers(0, 256, (1, 720, 1280, 3), dtype=np.uint8)
    ours = encoder.encode_frames(frame)[0]
    pixels = SiglipImageProcessorPil.from_pretrained(so400m)(images=list(frame), return_tensors="pt")
    with torch.inference_mode():
        model = AutoModel.from_pretrained(so400m).eval()
        theirs = model.get_image_features(**pixels).pooler_output[0].numpy()
    assert ours @ theirs / np.linalg.norm(ours) / np.linalg.norm(theirs) > 0.9999
    rows = encoder.encode_texts(["step back under the ball", "swing up"]).embeddings
    assert rows.shape == (2, 1152) and np.isfinite(rows).all()
