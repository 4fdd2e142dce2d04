"""How well a checkpoint names the sub-action in a frame, in words and clips it has not seen."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import PreTrainedTokenizerFast, SiglipModel

from actalign.sample.sports import SPORTS
from actalign.sample.training_data import LabelledFrames
from actalign.sample.wording import rich_step, terse_steps
from actalign.text import in_sport

DRAWS = 4


@dataclass(frozen=True)
class FrameAccuracy:
    """Fractions of frames named right among a sport's own twelve sub-actions, and of sports among eight.

    ``rich`` and ``rich_2`` use one held-out text a sub-action in the two context-rich wordings, ``terse`` a
    held-out coaching call with its sport; each is a mean over four draws of the texts.
    """

    rich: float
    rich_2: float
    terse: float
    sport: float


def to_pixels(frames: NDArray[np.uint8]) -> torch.Tensor:
    """uint8 ``(N, H, W, 3)`` to the image processor's range, ``(N, 3, H, W)`` in [-1, 1]."""
    return torch.from_numpy(frames).permute(0, 3, 1, 2).float().div_(127.5).sub_(1.0)


def _unit(values: torch.Tensor) -> NDArray[np.float32]:
    return torch.nn.functional.normalize(values, dim=-1).numpy()


@torch.inference_mode()
def evaluate(model: SiglipModel, tokenizer: PreTrainedTokenizerFast, fresh: LabelledFrames) -> FrameAccuracy:
    """Measure on frames that show a sub-action; idle frames and cutaways are left out."""
    model.eval()
    length = int(tokenizer.model_max_length)
    kept = fresh.sub_action >= 0
    chunks = [
        model.vision_model(pixel_values=chunk).pooler_output for chunk in to_pixels(fresh.frames[kept]).split(512)
    ]
    frames = _unit(torch.cat(chunks))
    sport, index = fresh.shown[kept, 0], fresh.sub_action[kept]

    def embed(texts: list[str]) -> NDArray[np.float32]:
        tokens = tokenizer(texts, padding="max_length", truncation=True, max_length=length, return_tensors="pt")
        return _unit(model.text_model(input_ids=tokens["input_ids"]).pooler_output)

    rng = np.random.default_rng(0)
    scores: dict[str, list[float]] = {"rich": [], "rich_2": [], "terse": [], "sport": []}
    for _ in range(DRAWS):
        for kind in ("rich", "rich_2", "terse"):
            texts = [in_sport(_text(kind, name, step, rng), name) for name in SPORTS for step in range(12)]
            similarity = (frames @ embed(texts).T).reshape(len(frames), 8, 12)
            own = similarity[np.arange(len(frames)), sport]
            scores[kind].append(float((own.argmax(axis=1) == index).mean()))
            if kind == "rich":
                scores["sport"].append(float((similarity.max(axis=2).argmax(axis=1) == sport).mean()))
    model.train()
    return FrameAccuracy(**{kind: round(float(np.mean(values)), 4) for kind, values in scores.items()})


def _text(kind: str, sport: str, index: int, rng: np.random.Generator) -> str:
    if kind == "terse":
        return terse_steps(sport, index, 3, rng)[2]
    return rich_step(sport, index, rng, second_draw=kind == "rich_2")
