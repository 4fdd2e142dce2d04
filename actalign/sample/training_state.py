"""Where a training run stands, on disk, so that an interrupted run goes on as if it had not been."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save
from torch import Tensor, nn

from actalign.files import write_whole

FILE = "training_state.safetensors"


def _moments(optimiser: torch.optim.Optimizer, parameters: Sequence[nn.Parameter]) -> dict[str, Tensor]:
    return {
        f"{number}.{name}": value
        for number, parameter in enumerate(parameters)
        for name, value in optimiser.state[parameter].items()
    }


def save_state(
    folder: Path,
    *,
    step: int,
    recipe: str,
    parameters: Sequence[nn.Parameter],
    optimiser: torch.optim.Optimizer,
    generator: np.random.Generator,
) -> None:
    """Write parameters, optimiser moments and the random generator after ``step`` steps, whole or not at all."""
    tensors = {f"{number}.value": parameter.detach() for number, parameter in enumerate(parameters)}
    tensors |= _moments(optimiser, parameters)
    facts = {"step": str(step), "recipe": recipe, "generator": json.dumps(generator.bit_generator.state)}
    write_whole(folder / FILE, save({name: value.contiguous() for name, value in tensors.items()}, metadata=facts))


def load_state(
    folder: Path,
    *,
    recipe: str,
    parameters: Sequence[nn.Parameter],
    optimiser: torch.optim.Optimizer,
    generator: np.random.Generator,
) -> int:
    """Put a saved state back and return its step; 0 if there is none or it is of another recipe."""
    path = folder / FILE
    if not path.exists():
        return 0
    with safe_open(path, framework="pt") as file:
        facts = file.metadata()
    if facts["recipe"] != recipe:
        return 0
    tensors = load_file(path)
    with torch.no_grad():
        for number, parameter in enumerate(parameters):
            parameter.copy_(tensors.pop(f"{number}.value"))
    for name, value in tensors.items():
        index, moment = name.split(".")
        optimiser.state[parameters[int(index)]][moment] = value
    generator.bit_generator.state = json.loads(facts["generator"])
    return int(facts["step"])
