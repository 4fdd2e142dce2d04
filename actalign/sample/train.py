"""Trains the sample's SigLIP checkpoint: ``python -m actalign.sample.train``.

Single frames, captions of the current sub-action, a sigmoid loss over the truth table of every frame against
every caption. Seeded; the default run takes about half an hour and 3 GB on one CPU thread, and an interrupted
run goes on where it stood. Never part of ``make figures``.
"""

import argparse
import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from transformers import PreTrainedTokenizerFast, SiglipConfig, SiglipModel

from actalign.sample.checkpoint import save_checkpoint, train_tokenizer
from actalign.sample.evaluate import FrameAccuracy, evaluate, to_pixels
from actalign.sample.training_data import Captions, LabelledFrames, captions, labelled_frames, truth_table
from actalign.sample.training_state import FILE as STATE_FILE
from actalign.sample.training_state import load_state, save_state

MAX_LENGTH = 32
SPORTS_PER_BATCH = 4


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the result, with the data and the seed."""

    steps: int = 7_500
    frames_per_step: int = 96
    captions_per_step: int = 64
    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    warm_up: int = 300
    auxiliary: bool = True
    auxiliary_until: float = 0.6  # fraction of the run over which the auxiliary heads fade to nothing
    clips: int = 3_000
    captions_per_sub_action: int = 600
    seed: int = 0
    width: int = 128
    vision_layers: int = 4
    text_layers: int = 2


def build_model(recipe: Recipe, tokenizer: PreTrainedTokenizerFast) -> SiglipModel:
    """A small ``SiglipModel`` with random weights."""
    shape = {"hidden_size": recipe.width, "intermediate_size": 4 * recipe.width, "num_attention_heads": 4}
    text = shape | {
        "num_hidden_layers": recipe.text_layers,
        "vocab_size": len(tokenizer),
        "max_position_embeddings": MAX_LENGTH,
        "projection_size": recipe.width,
        "bos_token_id": None,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }
    vision = shape | {"num_hidden_layers": recipe.vision_layers, "image_size": 64, "patch_size": 16}
    model = SiglipModel(SiglipConfig(text_config=text, vision_config=vision))
    with torch.no_grad():
        model.logit_scale.fill_(math.log(10.0))
        model.logit_bias.fill_(-6.0)
    return model


class AuxiliaryHeads(nn.Module):
    """Names the sport, legs and arms of a frame from its embedding; thrown away after training."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.heads = nn.ModuleList([nn.Linear(width, size) for size in (8, 12, 7)])

    def forward(self, embeddings: Tensor, shown: Tensor) -> Tensor:
        parts = [
            nn.functional.cross_entropy(head(embeddings), shown[:, column], ignore_index=-2)
            for column, head in enumerate(self.heads)
        ]
        return torch.stack(parts).sum()


def _augment(pixels: Tensor, rng: np.random.Generator) -> Tensor:
    """Shift by up to three pixels and change brightness and contrast a little."""
    dy, dx = (int(value) for value in rng.integers(-3, 4, 2))
    pixels = torch.roll(pixels, (dy, dx), dims=(2, 3))
    gain = torch.from_numpy(rng.uniform(0.85, 1.15, (len(pixels), 1, 1, 1)).astype(np.float32))
    offset = torch.from_numpy(rng.uniform(-0.1, 0.1, (len(pixels), 1, 1, 1)).astype(np.float32))
    return pixels * gain + offset


class _Batches:
    """Draws frames and captions of four sports at a time, so that a sport alone answers little."""

    def __init__(self, data: LabelledFrames, texts: Captions, tokens: Tensor, recipe: Recipe) -> None:
        self.data, self.texts, self.tokens, self.recipe = data, texts, tokens, recipe
        self.rng = np.random.default_rng([recipe.seed, 5])
        self.frames_of = [np.flatnonzero(data.shown[:, 0] == sport) for sport in range(8)]
        per_sport = len(texts.texts) // 8
        self.captions_of = [np.arange(sport * per_sport, (sport + 1) * per_sport) for sport in range(8)]

    def draw(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Pixels, what the frames show, caption tokens, truth table."""
        sports = self.rng.choice(8, SPORTS_PER_BATCH, replace=False)
        frame_share = self.recipe.frames_per_step // SPORTS_PER_BATCH
        caption_share = self.recipe.captions_per_step // SPORTS_PER_BATCH
        rows = np.concatenate([self.rng.choice(self.frames_of[sport], frame_share) for sport in sports])
        picks = np.concatenate([self.rng.choice(self.captions_of[sport], caption_share) for sport in sports])
        truth = truth_table(self.data.shown[rows], self.texts.claims[picks])
        pixels = _augment(to_pixels(self.data.frames[rows]), self.rng)
        return pixels, torch.from_numpy(self.data.shown[rows]), self.tokens[picks], torch.from_numpy(truth)


def sigmoid_loss(logits: Tensor, truth: Tensor) -> Tensor:
    """The sigmoid loss with any number of true captions a frame: summed over captions, averaged over frames."""
    signs = truth.to(logits.dtype) * 2 - 1
    return -nn.functional.logsigmoid(signs * logits).sum(dim=1).mean()


def _rate(step: int, recipe: Recipe) -> float:
    if step < recipe.warm_up:
        return (step + 1) / recipe.warm_up
    done = (step - recipe.warm_up) / max(1, recipe.steps - recipe.warm_up)
    return 0.5 * (1 + math.cos(math.pi * done)) * 0.98 + 0.02


def fit(
    recipe: Recipe, data: LabelledFrames, fresh: LabelledFrames, *, folder: Path, every: int = 750
) -> tuple[SiglipModel, PreTrainedTokenizerFast, FrameAccuracy]:
    """Train by ``recipe``; every ``every`` steps log accuracy on fresh clips and save the state into ``folder``.

    A state of the same recipe in ``folder`` is taken up, and the result is the same as without the break.
    """
    torch.manual_seed(recipe.seed)
    texts = captions(recipe.captions_per_sub_action, seed=recipe.seed)
    tokenizer = train_tokenizer(texts.texts, max_length=MAX_LENGTH)
    encoded = tokenizer(texts.texts, padding="max_length", truncation=True, max_length=MAX_LENGTH)
    batches = _Batches(data, texts, torch.tensor(encoded["input_ids"]), recipe)
    model, heads = build_model(recipe, tokenizer), AuxiliaryHeads(recipe.width)
    parameters = [*model.parameters(), *(heads.parameters() if recipe.auxiliary else [])]
    optimiser = torch.optim.AdamW(parameters, betas=(0.9, 0.98), weight_decay=recipe.weight_decay)
    here: dict[str, Any] = {"parameters": parameters, "optimiser": optimiser, "generator": batches.rng}
    key = json.dumps(asdict(recipe))
    done = load_state(folder, recipe=key, **here)
    for step in range(done + 1, recipe.steps + 1):
        for group in optimiser.param_groups:
            group["lr"] = recipe.learning_rate * _rate(step - 1, recipe)
        pixels, shown, tokens, truth = batches.draw()
        output = model(input_ids=tokens, pixel_values=pixels)
        loss = sigmoid_loss(output.logits_per_image, truth)
        fade = max(0.0, 1 - step / (recipe.auxiliary_until * recipe.steps)) if recipe.auxiliary else 0.0
        if fade > 0:
            loss = loss + fade * heads(output.vision_model_output.pooler_output, shown)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
        if step % every == 0 or step == recipe.steps:
            _log(folder, step=step, loss=loss.item(), accuracy=evaluate(model, tokenizer, fresh))
            save_state(folder, step=step, recipe=key, **here)
    return model, tokenizer, evaluate(model, tokenizer, fresh)


def _log(folder: Path, *, step: int, loss: float, accuracy: FrameAccuracy) -> None:
    line = json.dumps({"step": step, "loss": round(loss, 4)} | asdict(accuracy))
    with (folder / "training_log.jsonl").open("a", encoding="utf-8") as file:
        file.write(line + "\n")
    print(line, flush=True)


def main() -> None:
    """Train, measure and save; see ``--help``."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("data/cache/checkpoint"), help="folder to save into")
    parser.add_argument("--steps", type=int, default=Recipe.steps)
    parser.add_argument("--clips", type=int, default=Recipe.clips, help="training clips to draw")
    parser.add_argument("--seed", type=int, default=Recipe.seed)
    parser.add_argument("--plain", action="store_true", help="sigmoid loss alone, without the auxiliary heads")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    recipe = Recipe(steps=arguments.steps, clips=arguments.clips, seed=arguments.seed, auxiliary=not arguments.plain)
    data = labelled_frames(recipe.clips, seed=recipe.seed)
    fresh = labelled_frames(96, seed=recipe.seed + 1_000, stride=3)
    arguments.out.mkdir(parents=True, exist_ok=True)
    model, tokenizer, accuracy = fit(recipe, data, fresh, folder=arguments.out)
    save_checkpoint(model, tokenizer, arguments.out, recipe=asdict(recipe), accuracy=asdict(accuracy))
    (arguments.out / STATE_FILE).unlink()
    print(f"saved {arguments.out}; take it into the sample with python -m actalign.sample.build --checkpoint DIR")


if __name__ == "__main__":
    main()
