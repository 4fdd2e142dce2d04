import json
import math
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from conftest import tiny_tokenizer
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from tolerance import assert_same_embeddings
from transformers import AutoModel, AutoProcessor, CLIPConfig, CLIPModel, Siglip2Config, Siglip2Model, SiglipModel
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.siglip2.image_processing_pil_siglip2 import Siglip2ImageProcessorPil
from transformers.utils import logging

from actalign import encoder as encoder_module
from actalign.checkpoints import hash_folder, require_all_weights, require_features
from actalign.encoder import Encoder, load_encoder, pooled
from actalign.errors import ActAlignError

TEXTS = ["swing the racket up", "step back", "stand still with both feet in judo"]
SAME_PICTURE = 0.9999
"""The least cosine of two embeddings of a picture that was resized by torch and by PIL."""
LONG = "swing the racket up and step back and fall down and stand still and swing again"


@pytest.fixture(scope="module")
def encoder(tiny_checkpoint: Path) -> Encoder:
    return load_encoder(tiny_checkpoint, device="cpu")


@pytest.fixture
def changed(tiny_checkpoint: Path, tmp_path: Path) -> Path:
    """A copy of the tiny checkpoint to change."""
    return Path(shutil.copytree(tiny_checkpoint, tmp_path / "changed"))


def change_weights(folder: Path, change: Callable[[dict[str, torch.Tensor]], object]) -> None:
    weights = load_file(folder / "model.safetensors")
    change(weights)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def directly(folder: Path, **inputs: Any) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Image and text embeddings by transformers alone, all in one batch."""
    model, processor = AutoModel.from_pretrained(folder), AutoProcessor.from_pretrained(folder)
    with torch.inference_mode():
        output = model.eval()(**processor(return_tensors="pt", **inputs))
    return output.vision_model_output.pooler_output.numpy(), output.text_model_output.pooler_output.numpy()


def cosine(ours: NDArray[np.float32], theirs: NDArray[np.float32]) -> float:
    """The least cosine of two rows in the same place."""
    lengths = np.linalg.norm(ours, axis=1) * np.linalg.norm(theirs, axis=1)
    return float(((ours * theirs).sum(1) / lengths).min())


def test_the_folder_loads_like_any_hub_model(tiny_checkpoint: Path) -> None:
    model, processor = AutoModel.from_pretrained(tiny_checkpoint), AutoProcessor.from_pretrained(tiny_checkpoint)
    assert type(model) is SiglipModel
    inputs = processor(text=["Step back"], padding="max_length", return_tensors="pt")
    assert list(inputs) == ["input_ids"]
    assert inputs["input_ids"].shape == (1, 16)
    assert processor.tokenizer.decode(inputs["input_ids"][0], skip_special_tokens=True) == "step back"
    assert "torchvision" not in sys.modules


def test_embeddings_are_those_of_the_model_itself(
    encoder: Encoder, tiny_checkpoint: Path, pictures: NDArray[np.uint8]
) -> None:
    fitting = np.ascontiguousarray(pictures[:, :32, :32])
    images, texts = directly(tiny_checkpoint, images=list(fitting), text=TEXTS, padding="max_length", truncation=True)
    frames = encoder.encode_frames(fitting)
    assert frames.dtype == np.float32 and frames.shape == (5, encoder.width)
    assert_same_embeddings(frames, images)
    embedded = encoder.encode_texts(TEXTS)
    assert embedded.texts == tuple(TEXTS)
    assert_same_embeddings(embedded.embeddings, texts)


def test_a_frame_has_the_same_embedding_in_any_batch(encoder: Encoder, pictures: NDArray[np.uint8]) -> None:
    whole = encoder.encode_frames(pictures)
    for batch_size in (1, 2, 4):
        assert_same_embeddings(encoder.encode_frames(pictures, batch_size=batch_size), whole)
    assert_same_embeddings(encoder.encode_frames(pictures[3:]), whole[3:])


def test_the_frames_are_not_modified(encoder: Encoder, pictures: NDArray[np.uint8]) -> None:
    before = pictures.copy()
    encoder.encode_frames(pictures)
    np.testing.assert_array_equal(pictures, before)


def test_scale_and_bias_are_the_checkpoints_own(encoder: Encoder) -> None:
    assert encoder.scale == pytest.approx(math.exp(2.3))
    assert encoder.bias == -7.5
    assert encoder.width == 32


def test_scale_and_bias_keep_their_precision_in_half(tiny_checkpoint: Path, encoder: Encoder) -> None:
    half = load_encoder(tiny_checkpoint, device="cpu", dtype="bfloat16")
    assert (half.scale, half.bias, half.fingerprint) == (encoder.scale, encoder.bias, encoder.fingerprint)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_gives_float32_rows_close_to_full(
    dtype: str, tiny_checkpoint: Path, encoder: Encoder, pictures: NDArray[np.uint8]
) -> None:
    half = load_encoder(tiny_checkpoint, device="cpu", dtype=dtype)
    rows = half.encode_frames(pictures)
    assert rows.dtype == np.float32
    assert_same_embeddings(rows, encoder.encode_frames(pictures), precision=dtype)
    assert not np.array_equal(rows, encoder.encode_frames(pictures))


def test_nothing_is_left_to_chance_in_a_model_that_was_trained_with_dropout(
    changed: Path, pictures: NDArray[np.uint8]
) -> None:
    path = changed / "config.json"
    path.write_text(path.read_text().replace('"attention_dropout": 0.0', '"attention_dropout": 0.5'))
    assert '"attention_dropout": 0.5' in path.read_text()
    loaded = load_encoder(changed, device="cpu")
    np.testing.assert_array_equal(loaded.encode_frames(pictures), loaded.encode_frames(pictures))


def test_attention_is_torchs_fused_one(
    encoder: Encoder, pictures: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    fused = torch.nn.functional.scaled_dot_product_attention
    called: list[torch.Size] = []

    def watched(query: torch.Tensor, *args: Any, **options: Any) -> torch.Tensor:
        called.append(query.shape)
        return fused(query, *args, **options)

    monkeypatch.setattr(torch.nn.functional, "scaled_dot_product_attention", watched)
    encoder.encode_frames(pictures)
    assert [tuple(shape) for shape in called if shape[-2] == 4] == [(5, 2, 4, 16)] * 2  # two layers of 2 x 2 patches


def test_a_stream_of_batches_of_any_sizes(encoder: Encoder, rng: np.random.Generator) -> None:
    sizes = [(48, 40), (48, 40), (32, 32), (20, 64), (48, 40)]
    frames = [rng.integers(0, 256, (*size, 3), dtype=np.uint8) for size in sizes]
    alone = np.concatenate([encoder.encode_frames(frame[None]) for frame in frames])
    parts = list(encoder.encode_stream(iter([frames[:1], frames[1:4], frames[4:]])))
    assert [part.shape for part in parts] == [(1, 32), (3, 32), (1, 32)]
    assert all(part.dtype == np.float32 for part in parts)
    assert_same_embeddings(np.concatenate(parts), alone)
    assert list(encoder.encode_stream([])) == []


def test_a_stream_refuses_what_is_not_a_frame(encoder: Encoder) -> None:
    with pytest.raises(ActAlignError, match="a batch holds no frames"):
        list(encoder.encode_stream([[]]))
    with pytest.raises(ActAlignError, match=r"must be \(height, width, 3\); got \(3, 8, 8\)"):
        list(encoder.encode_stream([[np.zeros((3, 8, 8), np.uint8)]]))


def test_views_and_read_only_frames_are_encoded_as_they_look(encoder: Encoder, pictures: NDArray[np.uint8]) -> None:
    turned = np.rot90(pictures, axes=(1, 2))
    expected = encoder.encode_frames(turned.copy())
    turned.setflags(write=False)
    np.testing.assert_array_equal(encoder.encode_frames(turned), expected)


def test_a_compiled_encoder_embeds_the_same_whatever_the_batch(
    tiny_checkpoint: Path, encoder: Encoder, pictures: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The compiler itself is left out: it takes longer than all the other tests."""
    lengths: list[int] = []

    def compiled(function: Callable[..., torch.Tensor], *, dynamic: bool) -> Callable[..., torch.Tensor]:
        def watched(inputs: dict[str, torch.Tensor]) -> torch.Tensor:
            lengths.append(len(inputs["pixel_values"]))
            return function(inputs)

        return watched

    monkeypatch.setattr(torch, "compile", compiled)
    fast = load_encoder(tiny_checkpoint, device="cpu", compiled=True)
    assert_same_embeddings(fast.encode_frames(pictures, batch_size=3), encoder.encode_frames(pictures))
    assert lengths == [3, 3]
    assert fast.fingerprint == encoder.fingerprint


@pytest.mark.parametrize(
    ("frames", "complaint"),
    [
        ([np.zeros((8, 8, 3), np.uint8)], r"frames are a list; stack them .* with np\.stack\(frames\)"),
        (np.zeros((0, 8, 8, 3), np.uint8), r"T of 1 or more; got \(0, 8, 8, 3\)"),
        (np.zeros((8, 8, 3), np.uint8), r"got \(8, 8, 3\)"),
        (np.zeros((1, 3, 8, 8), np.uint8), r"got \(1, 3, 8, 8\)"),
        (np.zeros((1, 8, 8, 3), np.float32), "must be uint8 RGB from 0 to 255; got float32"),
    ],
)
def test_frames_of_another_kind_are_refused(encoder: Encoder, frames: Any, complaint: str) -> None:
    with pytest.raises(ActAlignError, match=complaint):
        encoder.encode_frames(frames)


def test_a_batch_holds_at_least_one_frame(encoder: Encoder, pictures: NDArray[np.uint8]) -> None:
    with pytest.raises(ActAlignError, match="batch_size is 0"):
        encoder.encode_frames(pictures, batch_size=0)


# Texts: padding, case, mask, truncation.


def test_longest_pads_as_the_released_scripts_do(encoder: Encoder, tiny_checkpoint: Path) -> None:
    blank = [np.zeros((32, 32, 3), np.uint8)]
    _, expected = directly(tiny_checkpoint, images=blank, text=TEXTS, padding=True, truncation=True)
    longest = encoder.encode_texts(TEXTS, padding="longest").embeddings
    assert_same_embeddings(longest, expected)
    as_trained = encoder.encode_texts(TEXTS).embeddings
    assert np.linalg.norm(longest - as_trained, axis=1).min() > 0.01


def test_longest_means_of_all_the_texts_whatever_the_batches(encoder: Encoder, monkeypatch: pytest.MonkeyPatch) -> None:
    together = encoder.encode_texts(TEXTS, padding="longest").embeddings
    monkeypatch.setattr(encoder_module, "TEXT_BATCH", 1)
    assert_same_embeddings(encoder.encode_texts(TEXTS, padding="longest").embeddings, together)


def test_padded_length(encoder: Encoder) -> None:
    longest = encoder.padded_length(TEXTS, padding="longest")
    assert encoder.padded_length(TEXTS[1:2], padding="longest") < longest < 16
    assert encoder.padded_length(TEXTS) == encoder.padded_length([LONG], padding="longest") == 16
    given = encoder.encode_texts(TEXTS[1:2], length=longest).embeddings
    assert_same_embeddings(given, encoder.encode_texts(TEXTS, padding="longest").embeddings[1:2])


def test_an_unknown_padding_is_refused(encoder: Encoder) -> None:
    with pytest.raises(ActAlignError, match="text padding 'left' is unknown"):
        encoder.encode_texts(TEXTS, padding="left")  # type: ignore[arg-type]


@pytest.mark.parametrize("length", [-3, 0, 500])
def test_a_length_that_the_checkpoint_does_not_read_is_refused(length: int, encoder: Encoder) -> None:
    with pytest.raises(ActAlignError, match=rf"length is {length}; give 1 to \d+ tokens"):
        encoder.encode_texts(TEXTS, length=length)


def test_no_texts_are_refused(encoder: Encoder) -> None:
    with pytest.raises(ActAlignError, match="no texts to encode"):
        encoder.encode_texts([])


def test_siglip_texts_are_lower_cased_even_where_the_tokenizer_is_not(changed: Path) -> None:
    tiny_tokenizer(lower_case=False).save_pretrained(changed)
    cased = load_encoder(changed, device="cpu")
    ids = [cased._tokenizer([text])["input_ids"] for text in ("Tennis", "tennis")]
    assert ids[0] != ids[1]
    assert cased.text_policy.lower_case
    rows = cased.encode_texts(["Tennis", "tennis"]).embeddings
    assert_same_embeddings(rows[:1], rows[1:])


def test_siglip_sees_its_padding_even_where_the_tokenizer_gives_a_mask(changed: Path, encoder: Encoder) -> None:
    config = json.loads((changed / "tokenizer_config.json").read_text())
    config["model_input_names"] = ["input_ids", "attention_mask"]
    (changed / "tokenizer_config.json").write_text(json.dumps(config))
    masked = load_encoder(changed, device="cpu")
    assert "attention_mask" in masked._tokenizer(["step back"])
    assert_same_embeddings(masked.encode_texts(TEXTS).embeddings, encoder.encode_texts(TEXTS).embeddings)


def test_a_text_that_is_cut_off_is_told_and_warned_of_once(
    tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = load_encoder(tiny_checkpoint, device="cpu")
    library_said: list[object] = []
    monkeypatch.setattr("transformers.tokenization_utils_base.logger.warning", lambda *said: library_said.append(said))
    assert fresh.truncated([*TEXTS, LONG]) == [False, False, False, True]
    assert not library_said
    with pytest.warns(UserWarning, match=f"1 texts have more than the 16 tokens .* not seen: \\['{LONG}'\\]") as told:
        fresh.encode_texts([*TEXTS, LONG, f" {LONG}."])
    assert told[0].filename == __file__, "where the texts come from"
    fresh.encode_texts([LONG])  # a second warning would be an error here
    assert fresh.truncated([]) == []


def test_a_text_that_just_fits_is_not_called_truncated(encoder: Encoder) -> None:
    lengths = {n: encoder.padded_length([" ".join(["step"] * n)], padding="longest") for n in range(1, 16)}
    fits = max(n for n, length in lengths.items() if length < 16) + 1
    texts = [" ".join(["step"] * fits), " ".join(["step"] * (fits + 1))]
    counts = encoder.token_counts(texts)
    assert counts[0] == 16 and counts[1] > 16
    assert encoder.truncated(texts) == [False, True]


# Other families of checkpoints.

TOWER = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2}
SPECIALS = {"pad_token_id": 0, "bos_token_id": None, "eos_token_id": 1}


def save_family(model: Any, images: Any, folder: Path, *, lower_case: bool) -> Path:
    tokenizer = tiny_tokenizer(lower_case=lower_case)
    tokenizer.model_input_names = ["input_ids", "attention_mask"]
    for part in (model, images, tokenizer):
        part.save_pretrained(folder)
    return folder


@pytest.mark.parametrize("resample", [2, 3])
def test_resized_pictures_keep_their_embeddings(resample: int, changed: Path, rng: np.random.Generator) -> None:
    """SigLIP resizes with filter 3, SigLIP 2 with filter 2."""
    processor = json.loads((changed / "processor_config.json").read_text())
    processor["image_processor"]["resample"] = resample
    (changed / "processor_config.json").write_text(json.dumps(processor))
    ours = load_encoder(changed, device="cpu")
    for size in ((180, 320), (320, 180), (20, 25), (45, 33)):
        frames = rng.integers(0, 256, (3, *size, 3), dtype=np.uint8)
        theirs, _ = directly(changed, images=list(frames), text=TEXTS, padding="max_length", truncation=True)
        assert cosine(ours.encode_frames(frames), theirs) > SAME_PICTURE


def test_siglip2_with_its_patches_and_masks(
    tmp_path: Path, pictures: NDArray[np.uint8], capsys: pytest.CaptureFixture[str]
) -> None:
    texts = {**TOWER, **SPECIALS, "vocab_size": len(tiny_tokenizer()), "max_position_embeddings": 16}
    config = Siglip2Config(text_config=texts, vision_config={**TOWER, "patch_size": 16, "num_patches": 16})
    images = Siglip2ImageProcessorPil(patch_size=16, max_num_patches=16)
    model = Siglip2Model(config)
    folder = save_family(model, images, tmp_path / "siglip2", lower_case=False)
    loaded = load_encoder(folder, device="cpu")
    (said,) = capsys.readouterr().out.splitlines()
    assert "its own image processor prepares the frames" in said and "Siglip2ImageProcessorPil is not one of" in said
    assert loaded.fingerprint.endswith("+Siglip2ImageProcessorPil")
    inputs = images(images=list(pictures), return_tensors="pt")
    assert set(inputs) == {"pixel_values", "pixel_attention_mask", "spatial_shapes"}
    with torch.inference_mode():
        expected = model.eval().get_image_features(**inputs).pooler_output.numpy()
    assert_same_embeddings(loaded.encode_frames(pictures, batch_size=2), expected)
    assert loaded.text_policy.lower_case
    rows = loaded.encode_texts(["Tennis", "tennis"]).embeddings
    assert_same_embeddings(rows[:1], rows[1:])
    assert loaded.bias == pytest.approx(float(model.logit_bias.detach()))


def test_clip_has_no_bias_and_keeps_its_mask_and_case(tmp_path: Path, pictures: NDArray[np.uint8]) -> None:
    texts = {**TOWER, **SPECIALS, "vocab_size": len(tiny_tokenizer()), "max_position_embeddings": 16}
    config = CLIPConfig(
        text_config=texts, vision_config={**TOWER, "image_size": 32, "patch_size": 16}, projection_dim=24
    )
    images = CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    model = CLIPModel(config)
    folder = save_family(model, images, tmp_path / "clip", lower_case=False)
    loaded = load_encoder(folder, device="cpu")
    assert (loaded.bias, loaded.width) == (0.0, 24)
    assert loaded.scale == pytest.approx(math.exp(2.6592), rel=1e-4)
    with torch.inference_mode():
        expected = model.eval().get_image_features(**images(images=list(pictures), return_tensors="pt"))
    assert cosine(loaded.encode_frames(pictures), expected.pooler_output.numpy()) > SAME_PICTURE
    assert set(loaded._tokens(["tennis"], length=16)) == {"input_ids", "attention_mask"}
    rows = loaded.encode_texts(["Tennis", "tennis"]).embeddings
    assert np.linalg.norm(rows[0] - rows[1]) > 0.01


def test_features_are_in_an_object_that_holds_one_embedding_each() -> None:
    rows = torch.arange(6.0).reshape(2, 3)
    assert pooled(SimpleNamespace(pooler_output=rows)) is rows
    for wrong in (None, SimpleNamespace(pooler_output=None), (rows,), SimpleNamespace(pooler_output=rows[None])):
        with pytest.raises(ActAlignError, match="without one embedding per item"):
            pooled(wrong)


# Where the checkpoint comes from and what identifies it.


def test_the_fingerprint_follows_weights_and_preparation_and_nothing_else(encoder: Encoder, changed: Path) -> None:
    (changed / "README.md").write_text("a model card")
    (changed / "training_log.json").write_text("{}")
    (changed / "old.model").mkdir()
    (changed / "vocab.json").symlink_to("nowhere")
    assert load_encoder(changed, device="cpu").fingerprint == encoder.fingerprint

    change_weights(changed, lambda weights: weights.update(logit_bias=weights["logit_bias"] + 1))
    other_weights = load_encoder(changed, device="cpu").fingerprint
    processor = json.loads((changed / "processor_config.json").read_text())
    processor["image_processor"]["image_mean"] = [0.4, 0.4, 0.4]
    (changed / "processor_config.json").write_text(json.dumps(processor))
    other_images = load_encoder(changed, device="cpu").fingerprint
    tiny_tokenizer(lower_case=False).save_pretrained(changed)
    other_texts = load_encoder(changed, device="cpu").fingerprint
    assert len({encoder.fingerprint, other_weights, other_images, other_texts}) == 4


@pytest.mark.parametrize(
    "name",
    [
        *("model-00001-of-00002.safetensors", "config.json", "preprocessor_config.json", "processor_config.json"),
        *("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.json"),
        *("vocab.txt", "merges.txt", "spiece.model"),
    ],
)
def test_every_file_that_an_embedding_depends_on_counts_and_so_does_its_name(name: str, tmp_path: Path) -> None:
    hashes = {hash_folder(tmp_path)}
    for content in ("one", "two"):
        (tmp_path / name).write_text(content)
        hashes.add(hash_folder(tmp_path))
    (tmp_path / name).unlink()
    (tmp_path / ("merges.txt" if name == "vocab.txt" else "vocab.txt")).write_text("two")
    assert len(hashes | {hash_folder(tmp_path)}) == 4


def in_a_fresh_process(script: str, **environment: str) -> dict[str, Any]:
    """What the script prints last, as JSON, run where every attempt to use the network is an error."""
    guard = (
        "import socket\n"
        "def refuse(*a, **k): raise SystemExit('the network was used')\n"
        "socket.socket.connect = socket.getaddrinfo = socket.create_connection = refuse\n"
    )
    settings = {**os.environ, "OMP_NUM_THREADS": "1", **environment}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", guard + script], env=settings, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def test_a_local_folder_is_read_without_the_network_and_in_silence(tiny_checkpoint: Path, encoder: Encoder) -> None:
    answer = in_a_fresh_process(
        "import json, actalign, sys\n"
        "assert not {'torch', 'transformers', 'av'} & set(sys.modules)\n"
        "from actalign.encoder import load_encoder\n"
        f"encoder = load_encoder({str(tiny_checkpoint)!r}, device='cpu')\n"
        "print(json.dumps({'fingerprint': encoder.fingerprint}))",
        HF_HUB_OFFLINE="0",
    )
    assert answer["fingerprint"] == encoder.fingerprint


@pytest.mark.parametrize("bars", [True, False])
def test_loading_leaves_transformers_as_talkative_as_it_was(
    bars: bool, tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("transformers.utils.logging._tqdm_active", bars)
    before = logging.get_verbosity()
    logging.set_verbosity(10)  # debugging
    try:
        assert load_encoder(tiny_checkpoint, device="cpu:0").device == "cpu"
        assert (logging.get_verbosity(), logging.is_progress_bar_enabled()) == (10, bars)
    finally:
        logging.set_verbosity(before)


def test_a_hub_id_comes_from_the_cache_when_offline_and_is_known_by_its_commit(
    tiny_checkpoint: Path, tmp_path: Path
) -> None:
    commit = "0123456789abcdef0123456789abcdef01234567"
    repository = tmp_path / "hub" / "models--someone--tiny-siglip"
    shutil.copytree(tiny_checkpoint, repository / "snapshots" / commit)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(commit)
    answer = in_a_fresh_process(
        "import json\n"
        "from actalign.encoder import load_encoder\n"
        "encoder = load_encoder('someone/tiny-siglip', device='cpu')\n"
        "print(json.dumps({'fingerprint': encoder.fingerprint, 'checkpoint': encoder.checkpoint}))",
        HF_HUB_OFFLINE="1",
        HF_HUB_CACHE=str(tmp_path / "hub"),
    )
    assert answer == {
        "fingerprint": f"someone/tiny-siglip@{commit}+tensor-pixels-1",
        "checkpoint": "someone/tiny-siglip",
    }


def test_a_hub_id_that_is_not_in_the_cache_is_an_error_offline() -> None:
    with pytest.raises(ActAlignError, match=r"someone/nothing cannot be loaded: .*must already be in the .* cache"):
        load_encoder("someone/nothing")


# What can be wrong with a checkpoint.


@pytest.mark.parametrize("as_path", [True, False])
def test_a_missing_folder_is_an_error(as_path: bool, tmp_path: Path) -> None:
    missing = tmp_path / "checkpoint"
    with pytest.raises(ActAlignError, match=r"checkpoint folder .*checkpoint does not exist; give a folder"):
        load_encoder(missing if as_path else str(missing))


def test_a_missing_folder_in_a_folder_that_is_there_is_not_taken_for_a_hub_id(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "models").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ActAlignError, match="checkpoint folder models/mine does not exist"):
        load_encoder("models/mine")


NAME = "vision_model.embeddings.patch_embedding.weight"


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda weights: weights.pop(NAME), rf"weights 1 missing: \['{NAME}'\]"),
        (lambda weights: weights.update(extra=torch.zeros(2)), r"weights 1 unexpected: \['extra'\]"),
        (lambda weights: weights.update({NAME: torch.zeros(2, 3)}), rf"1 of the wrong shape: \['{NAME}'\]"),
        (lambda weights: weights.clear(), r"missing: .*5 at most are named"),
    ],
)
def test_weights_that_do_not_match_are_named(
    changed: Path, change: Callable[[dict[str, torch.Tensor]], object], complaint: str
) -> None:
    change_weights(changed, change)
    with pytest.raises(ActAlignError, match=rf"changed does not match its config\.json.*{complaint}"):
        load_encoder(changed, device="cpu")


def test_a_constant_that_old_files_carry_is_no_unexpected_weight(changed: Path, encoder: Encoder) -> None:
    change_weights(changed, lambda weights: weights.update({"text_model.embeddings.position_ids": torch.arange(16)}))
    assert load_encoder(changed, device="cpu").width == encoder.width
    of_old_files = {"missing_keys": (), "mismatched_keys": (), "unexpected_keys": {"text_model.position_ids"}}
    require_all_weights("old", of_old_files)  # whether or not the library has left it out itself


def test_five_weights_at_most_are_named() -> None:
    report = {"missing_keys": {f"w{number}" for number in range(9)}, "mismatched_keys": (), "unexpected_keys": ()}
    with pytest.raises(ActAlignError, match=re.escape("9 missing: ['w0', 'w1', 'w2', 'w3', 'w4'] (5 at most")):
        require_all_weights("tiny", report)


def test_what_a_model_lacks_is_named() -> None:
    parts = {"get_image_features": None, "get_text_features": None, "logit_scale": None}
    require_features("tiny", SimpleNamespace(**parts))
    for part in parts:
        without = SimpleNamespace(**{name: None for name in parts if name != part})
        with pytest.raises(ActAlignError, match=f"holds a SimpleNamespace without {part}; use a SigLIP"):
            require_features("tiny", without)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def misspell(path: Path) -> None:
    path.write_text(path.read_text().replace('"hidden_size": 32', '"hidden_size": "wide"'))


def without_size(path: Path) -> None:
    path.write_text(re.sub(r'"size": {[^}]*}', '"size": null', path.read_text()))


def rescaled_by_nothing(path: Path) -> None:
    path.write_text(re.sub(r'("rescale_factor"): [\d.]+', r"\1: 0", path.read_text()))


@pytest.mark.parametrize(
    ("file", "spoil"),
    [
        ("model.safetensors", Path.unlink),
        ("model.safetensors", truncate),
        ("config.json", Path.unlink),
        ("config.json", truncate),
        ("config.json", misspell),
        ("tokenizer.json", Path.unlink),
        ("tokenizer_config.json", lambda path: path.write_text("[]")),
        ("processor_config.json", Path.unlink),
        ("processor_config.json", without_size),
        ("processor_config.json", rescaled_by_nothing),
    ],
)
def test_a_spoilt_checkpoint_is_one_clear_error(changed: Path, file: str, spoil: Callable[[Path], None]) -> None:
    spoil(changed / file)
    with pytest.raises(ActAlignError, match=r"^checkpoint .*changed cannot be loaded: .*; check the folder"):
        load_encoder(changed, device="cpu")


def test_pictures_of_another_size_than_the_model_reads_are_found_when_it_is_loaded(changed: Path) -> None:
    path = changed / "processor_config.json"
    path.write_text(path.read_text().replace('"height": 32', '"height": 64'))
    with pytest.raises(ActAlignError, match=r"changed reads pictures of 32 x 32 pixels, .* makes them 64 x 32; give"):
        load_encoder(changed, device="cpu")


def test_a_processor_that_resizes_nothing_is_for_pictures_of_the_models_size(changed: Path) -> None:
    path = changed / "processor_config.json"
    path.write_text(path.read_text().replace('"do_resize": true', '"do_resize": false'))
    encoder = load_encoder(changed, device="cpu")
    assert encoder.encode_frames(np.zeros((1, 32, 32, 3), np.uint8)).shape == (1, encoder.width)


def test_pickled_weights_are_not_read(changed: Path) -> None:
    torch.save(load_file(changed / "model.safetensors"), changed / "pytorch_model.bin")
    (changed / "model.safetensors").unlink()
    with pytest.raises(ActAlignError, match="cannot be loaded"):
        load_encoder(changed, device="cpu")


def test_a_package_that_is_missing_is_named(changed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise ImportError("\nSiglipTokenizer requires the SentencePiece library\nmore")

    monkeypatch.setattr("actalign.encoder.AutoTokenizer.from_pretrained", refuse)
    with pytest.raises(ActAlignError, match="needs a package: SiglipTokenizer requires the SentencePiece library;"):
        load_encoder(changed, device="cpu")


def test_a_model_without_both_towers_is_refused(tmp_path: Path, tiny_checkpoint: Path) -> None:
    folder = tmp_path / "vision"
    AutoModel.from_pretrained(tiny_checkpoint).vision_model.save_pretrained(folder)
    for part in ("tokenizer.json", "tokenizer_config.json", "processor_config.json"):
        shutil.copy(tiny_checkpoint / part, folder)
    with pytest.raises(ActAlignError, match=r"holds a SiglipVisionModel without .*get_text_features.*use a SigLIP"):
        load_encoder(folder, device="cpu")


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"dtype": "float8"}, r"dtype 'float8' is unknown; choose one of \['float32'"),
        ({"device": "abacus"}, "device 'abacus' is not available here"),
        ({"device": "cpu", "revision": "main"}, "revision 'main' belongs to a hub id"),
    ],
)
def test_options_that_cannot_be_met_are_refused(tiny_checkpoint: Path, options: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ActAlignError, match=complaint):
        load_encoder(tiny_checkpoint, **options)


def test_the_repr_is_short(encoder: Encoder) -> None:
    assert repr(encoder).endswith("tiny', width=32, cpu, float32)")


@pytest.fixture(scope="module")
def hub_layout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files and shapes of google/siglip-so400m-patch14-384, with one layer a tower and random weights."""
    import sentencepiece
    from transformers import SiglipConfig, SiglipModel
    from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

    folder = tmp_path_factory.mktemp("hub") / "so400m"
    tower = {"hidden_size": 1152, "intermediate_size": 4304, "num_hidden_layers": 1, "num_attention_heads": 16}
    text = {**tower, "vocab_size": 64, "max_position_embeddings": 64, "pad_token_id": 1, "bos_token_id": None}
    vision = {**tower, "image_size": 384, "patch_size": 14}
    SiglipModel(SiglipConfig(text_config={**text, "eos_token_id": 1}, vision_config=vision)).save_pretrained(folder)
    size = {"height": 384, "width": 384}
    SiglipImageProcessorPil(size=size, image_mean=[0.5] * 3, image_std=[0.5] * 3).save_pretrained(folder)
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["swing the racket up", "step back and fall down, stand still"] * 20),
        model_prefix=str(folder / "spiece"),
        vocab_size=40,
        hard_vocab_limit=False,
        pad_id=-1, bos_id=-1, eos_id=1, unk_id=2, unk_piece="<unk>", eos_piece="</s>", control_symbols="<pad>",
        minloglevel=2,
    )  # fmt: skip
    (folder / "tokenizer_config.json").write_text(
        json.dumps(
            {"tokenizer_class": "SiglipTokenizer", "model_max_length": 64, "pad_token": "</s>", "eos_token": "</s>"}
        )
    )
    return folder


def test_the_layout_of_the_real_checkpoint_loads_and_pads_to_64(hub_layout: Path, rng: np.random.Generator) -> None:
    encoder = load_encoder(hub_layout, device="cpu")
    assert encoder.width == 1152 and encoder.padded_length(["swing"]) == 64
    frames = rng.integers(0, 256, (1, 90, 160, 3), dtype=np.uint8)
    assert encoder.encode_frames(frames).shape == (1, 1152)
    upper, lower = (encoder.encode_texts([text]).embeddings for text in ("SWING the racket", "swing the racket"))
    np.testing.assert_array_equal(upper, lower)
    short = encoder.encode_texts(["swing the racket"], padding="longest").embeddings
    assert not np.allclose(short, lower, atol=1e-3)
