"""The sample checkpoint as a folder that ``AutoModel`` and ``AutoProcessor`` load like any hub model."""

import json
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast, SiglipModel, SiglipProcessor
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

from actalign.files import write_whole
from actalign.sample.figure import SIZE

END = "</s>"
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789,.:;-'"


def train_tokenizer(texts: list[str], *, max_length: int, vocabulary: int = 800) -> PreTrainedTokenizerFast:
    """A lower-casing BPE tokenizer that ends and pads with ``</s>``, as SigLIP's own does."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary, special_tokens=["<unk>", END], initial_alphabet=[*LETTERS], show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"$A {END}", pair=None, special_tokens=[(END, tokenizer.token_to_id(END))]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        unk_token="<unk>",
        eos_token=END,
        pad_token=END,
        model_max_length=max_length,
        model_input_names=["input_ids"],
        padding_side="right",
    )


def save_checkpoint(
    model: SiglipModel,
    tokenizer: PreTrainedTokenizerFast,
    folder: Path,
    *,
    recipe: dict[str, Any],
    accuracy: dict[str, Any],
) -> None:
    """Save weights, configuration, tokenizer, image processor and the training record."""
    images = SiglipImageProcessorPil(
        size={"height": SIZE, "width": SIZE}, image_mean=[0.5] * 3, image_std=[0.5] * 3, rescale_factor=1 / 255
    )
    model.save_pretrained(folder)
    SiglipProcessor(image_processor=images, tokenizer=tokenizer).save_pretrained(folder)
    record = {"recipe": recipe, "accuracy_on_fresh_clips": accuracy}
    write_whole(folder / "training.json", json.dumps(record, indent=2) + "\n")
