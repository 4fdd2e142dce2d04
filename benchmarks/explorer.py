"""One move of each control of the explorer: everything that the kernel does for it, the picture's PNG included.

``python -m benchmarks.explorer`` writes benchmarks/results/explorer.json. Clips of the sample are visited in turn, and
on each every control is moved a few times; nothing is shown anywhere, so what the browser does is not in it.
"""

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from actalign.datasets import load
from actalign.embeddings import embed_clips
from actalign.encoder import load_encoder
from actalign.explorer import VARIANTS, Explorer, explore
from benchmarks import measure

CLIPS = 24
TARGET_MS = 150.0
Move = Callable[[], object]


def moves(explorer: Explorer) -> Iterator[tuple[str, Move]]:
    """Each kind of move on the clip that is shown; every one changes what is there."""
    controls, start = explorer.controls, explorer.settings
    setting = partial(partial, setattr)
    for width in (3, 9, 15, 30):
        yield "width w", setting(controls.width, "value", width)
    for factor in (0.5, 2.0):
        yield "scale", setting(controls.scale, "value", start.scale * factor)
    for step in (-2.0, 3.0):
        yield "bias", setting(controls.bias, "value", start.bias + step)
    yield "reset", controls.reset.click
    for column in (5, 20):
        yield "click on a cell", setting(explorer.screen, "cell", [0, 1, column])
    for variant in [*list(VARIANTS)[1:], "dtw"]:
        yield "alignment", setting(controls.variant, "value", variant)
    for context in (False, True):
        yield "context", setting(controls.context, "value", context)
    for text in ("standing still like a post", "hanging from a bar by one hand"):
        yield "other words", setting(controls.text, "value", text)
    yield "words restored", controls.restore.click
    for _, name in controls.shown.options[1:3]:
        yield "class on map A", setting(controls.shown, "value", name)
    yield "no second map", setting(controls.against, "value", None)
    yield "a second map", setting(controls.against, "value", "")
    for style in [*controls.style.options[1:], controls.style.options[0]]:
        yield "script style", setting(controls.style, "value", style)


def one_move_ms(move: Move, explorer: Explorer) -> float:
    """Milliseconds of a move. Raises SystemExit if it failed: the time of an error says nothing."""
    begin = time.perf_counter()
    move()
    taken = (time.perf_counter() - begin) * 1e3
    if explorer.screen.problem:
        raise SystemExit(f"a move failed: {explorer.screen.problem}")
    return taken


def spread(taken_ms: list[float]) -> dict[str, float]:
    """Median, 95th percentile, largest and how many.

    >>> spread([1.0, 2.0, 3.0])["median"]
    2.0
    """
    median, high = np.percentile(taken_ms, [50, 95])
    return {"median": float(median), "p95": float(high), "max": max(taken_ms), "moves": len(taken_ms)}


def run(*, quick: bool) -> dict[str, Any]:
    data = load("sample").split("test")
    encoder = load_encoder(data.root / "checkpoint", device="cpu")
    chosen = list(data.clips.values())[:: len(data.clips) // (2 if quick else CLIPS)]
    embeddings = embed_clips(chosen, encoder, progress=False)
    explorer = explore(data, embeddings, encoder)
    for _, move in moves(explorer):
        move()  # what is compiled or loaded once
    taken: dict[str, list[float]] = {}
    for clip in chosen[1:]:
        sport = clip.sport != explorer.controls.sport.value
        control, value = (explorer.controls.sport, clip.sport) if sport else (explorer.controls.clip, clip.id)
        taken.setdefault("sport or clip", []).append(one_move_ms(partial(setattr, control, "value", value), explorer))
        for kind, move in moves(explorer):
            taken.setdefault(kind, []).append(one_move_ms(move, explorer))
    every = [one for several in taken.values() for one in several]
    return {
        "clips": len(chosen) - 1,
        "ms_per_move": {kind: spread(several) for kind, several in taken.items()},
        "all_moves": spread(every),
        "target_ms": TARGET_MS,
        "share_within_target": float(np.mean(np.array(every) < TARGET_MS)),
    }


if __name__ == "__main__":
    measure.main("explorer", run)
