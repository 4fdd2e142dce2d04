"""From video files to frame embeddings: preprocessing, the model's forward, both together, and half precision.

``python -m benchmarks.encoding`` writes benchmarks/results/encoding_cpu.json, with ``--device cuda``
encoding_cuda.json. The large model is the so400m architecture with random weights: as fast as the real one. What half
precision changes is measured with the sample's checkpoint, which has learned something.
"""

import contextlib
import io
import tempfile
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoImageProcessor

from actalign import datasets, paths, similarity
from actalign.accelerator import first_line
from actalign.datasets.actionatlas.reading import restrict
from actalign.embeddings import embed_clips, embed_texts
from actalign.encoder import DTYPES, Encoder, load_encoder
from actalign.metrics import topk_table
from actalign.options import Options
from actalign.preprocessing import pixels_like
from actalign.questions import texts_needed
from actalign.records import Dataset
from actalign.scoring import score_dataset
from benchmarks import gpu_busy, measure, released, so400m, videos

FORWARDS = {
    "cpu": (("float32", "sdpa"), ("float32", "eager"), ("bfloat16", "sdpa")),
    "cuda": (
        *(("float32", "sdpa"), ("bfloat16", "sdpa"), ("bfloat16", "eager"), ("float16", "sdpa")),
        ("bfloat16", "sdpa, compiled"),
    ),
}
"""Precision and attention of the image tower, and whether torch compiles it."""
FORWARD_BATCH = {"cpu": 1, "cuda": 128}
PRODUCT_SIDE = {"cpu": 2048, "cuda": 8192}
"""Rows and columns of the matrices whose product is taken as the peak."""
TURN_S = {"cpu": measure.LEAST_S, "cuda": 1.0}
"""How long a turn of the forward or of the product lasts at least, in seconds, before the turn that counts: a GPU's
clocks rise and its power limit sets in meanwhile, for both alike."""
CLIPS = 64
SLOW_CLIPS = {"cpu": CLIPS, "cuda": 3}
"""How many of the clips the released recipe and float32 get; their frames per second stand for all."""
HD_FRAMES = 120
HALF_CLIPS = {"bfloat16": None, "float16": 64}
"""Clips of the sample that half precision is tried on, None for all; float16 is slow on most CPUs."""
METHOD, STYLE = "dtw_context", "context_rich"


def waited(function: Callable[[], object], device: str) -> Callable[[], object]:
    """The function, and then for a GPU to finish."""

    def run() -> None:
        function()
        if device == "cuda":
            torch.cuda.synchronize()

    return run


def preprocessing(device: str, *, frames: int, repeats: int) -> dict[str, Any]:
    """720p frames -> 384 pixels: the checkpoint's PIL processor against tensors, and how far apart they are."""
    processor = AutoImageProcessor.from_pretrained(paths.CHECKPOINT, backend="pil", size={"height": 384, "width": 384})
    pixels, strange = pixels_like(processor)
    if strange:
        raise SystemExit(f"the tensor path does not follow this processor: {strange}")
    pictures = list(videos.pictures(frames))

    def by_processor() -> torch.Tensor:
        made = processor(images=pictures, return_tensors="pt", input_data_format="channels_last")
        return made["pixel_values"].to(device)

    def by_tensors() -> torch.Tensor:
        return pixels(pictures, device)["pixel_values"]

    levels = ((by_tensors() - by_processor()) * 127.5).round().abs()
    runs = {"processor": waited(by_processor, device), "tensors": waited(by_tensors, device)}
    taken = measure.interleaved(runs, repeats=repeats)
    return {
        "frames": frames,
        "ms_per_frame": {name: measure.summary(measure.per(times, frames, unit=1e-3)) for name, times in taken.items()},
        "processor_over_tensors": measure.ratio(taken["processor"], taken["tensors"]),
        "largest_difference_in_levels": float(levels.max()),
        "share_of_values_that_differ": float((levels > 0).float().mean()),
    }


def forward(device: str, *, vision: dict[str, Any], batch: int, repeats: int) -> dict[str, Any]:
    """The image tower in each precision and attention, beside the largest matrix product's rate in the same run."""
    variants = FORWARDS[device]
    side, product = vision["image_size"], PRODUCT_SIDE[device]
    runs: dict[str, Callable[[], object]] = {}
    for dtype, attention in variants:
        kind, _, compiled = attention.partition(", ")
        tower = so400m.image_tower(vision, attention=kind, device=device).to(DTYPES[dtype])
        inputs = torch.randn((batch, 3, side, side)).to(device, DTYPES[dtype])
        if compiled:
            tower = torch.compile(tower, dynamic=False)
            try:
                _look(tower, inputs)
            except RuntimeError as error:  # it compiles now, with a C compiler of the machine
                print(f"no compiled row: torch.compile does not work here ({first_line(error)})")
                continue
        runs[f"{dtype}, {attention}"] = waited(partial(_look, tower, inputs), device)
    for dtype in dict.fromkeys(dtype for dtype, _ in variants):
        square = torch.randn((product, product)).to(device, DTYPES[dtype])
        runs[dtype] = waited(partial(torch.matmul, square, square), device)
    taken = measure.interleaved(runs, repeats=repeats, least_s=TURN_S[device])
    flops = so400m.flops_per_frame(vision) * batch
    peak = {dtype: [2 * product**3 / seconds for seconds in taken[dtype]] for dtype, _ in variants}
    names = [name for name in runs if name not in peak]
    return {
        "batch": batch,
        "gflop_per_frame": flops / batch / 1e9,
        "s_per_frame": {name: measure.summary(measure.per(taken[name], batch, unit=1.0)) for name in names},
        "product_tflop_per_s": {dtype: measure.summary([rate / 1e12 for rate in peak[dtype]]) for dtype in peak},
        "share_of_product": {
            name: measure.ratio([flops / seconds for seconds in taken[name]], peak[name.split(",")[0]])
            for name in names
        },
        "eager_over_sdpa": {
            dtype: measure.ratio(taken[f"{dtype}, eager"], taken[f"{dtype}, sdpa"])
            for dtype, attention in variants
            if attention == "eager"
        },
    }


def _look(tower: Any, inputs: torch.Tensor) -> None:
    with torch.inference_mode():
        tower(pixel_values=inputs)


def embed(files: list[Path], encoder: Encoder, said: list[str] | None = None) -> dict[str, NDArray[np.float32]]:
    """Ours, from nothing: a store that was not there before. File stem -> (T, d); what it printed goes to ``said``."""
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()) as printed:
        index = embed_clips(videos.clips_of(files), encoder, store_folder=Path(folder), progress=False)
        if said is not None:
            said.append(printed.getvalue())
        return {name: index[name].embeddings for name in index}


def check_embeddings(
    ours: Mapping[str, NDArray[np.float32]], theirs: Mapping[str, NDArray[np.float32] | released.Rows]
) -> float:
    """The largest 1 - cosine of a frame's two embeddings; SystemExit where a clip or a frame is missing."""
    if {name: len(rows) for name, rows in ours.items()} != {name: len(rows) for name, rows in theirs.items()}:
        raise SystemExit("two ways to embed the same files disagree about the clips, or about their numbers of frames")
    return max(float(apart(rows, np.asarray(theirs[name])).max()) for name, rows in ours.items())


def apart(rows: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float64]:
    """1 - cosine of each row with the other of the same place.

    >>> apart(np.array([[1, 0], [0, 2]], np.float32), np.array([[3, 0], [1, 0]], np.float32)).tolist()
    [0.0, 1.0]
    """
    one, two = similarity.unit(rows), similarity.unit(others)
    return np.asarray(1.0 - (one * two).sum(axis=1))


def end_to_end(checkpoint: Path, device: str, files: list[Path], *, slow: int, repeats: int) -> dict[str, Any]:
    """Files -> stored embeddings against the released recipe, the same checkpoint on the same device.

    The released recipe and float32 get the first ``slow`` files.
    """
    exact, half = (load_encoder(checkpoint, device=device, dtype=dtype) for dtype in ("float32", "bfloat16"))
    recipe = released.Recipe(checkpoint, device=device)
    few = files[:slow]
    rows, half_rows = embed(few, exact), embed(files, half)
    to_released = check_embeddings(rows, recipe.embed(few))
    of_half = check_embeddings(rows, {name: half_rows[name] for name in rows})
    frames = {"ours, bfloat16": sum(map(len, half_rows.values()))}
    frames["ours, float32"] = frames["released"] = sum(len(pictures) for pictures in recipe.pictures.values())
    said: list[str] = []
    runs: dict[str, Callable[[], object]] = {
        "ours, float32": partial(embed, few, exact),
        "ours, bfloat16": partial(embed, files, half, said),
        "released": partial(recipe.embed, few),
    }
    taken = {
        name: measure.per(times, frames[name], unit=1.0)
        for name, times in measure.interleaved(runs, repeats=repeats).items()
    }
    found: dict[str, Any] = {
        "clips": {"ours, bfloat16": len(files), "ours, float32": len(few), "released": len(few)},
        "frames": frames,
        "largest_one_minus_cosine_to_released": to_released,
        "largest_one_minus_cosine_of_bfloat16": of_half,
        "frames_per_s": {name: measure.summary([1.0 / seconds for seconds in times]) for name, times in taken.items()},
        "released_over_ours": {
            name: measure.ratio(taken["released"], taken[name]) for name in ("ours, float32", "ours, bfloat16")
        },
        "said, bfloat16": said[-1].splitlines(),
    }
    if device == "cuda" and (busy := gpu_busy.share(runs["ours, bfloat16"])) is not None:
        found["gpu_busy_share"] = busy
    return found


def half_precision(device: str, *, clips: int | None) -> dict[str, Any]:
    """What bfloat16 and float16 change: cosines to float32, and Top-k, over clips of the sample."""
    found = {}
    for dtype, most in HALF_CLIPS.items():
        count = clips or (most if device == "cpu" else None)
        data = datasets.load("sample").split("test")
        data = restrict(data, list(data.clips)[:count])
        exact, half = (_embedded(data, device, one) for one in ("float32", dtype))
        off = np.concatenate([apart(rows, half[0][name]) for name, rows in exact[0].items()])
        found[dtype] = {
            "clips": len(data.clips),
            "one_minus_cosine": {"max": float(off.max()), "mean": float(off.mean())},
            "share_below_0.999": float((off > 1e-3).mean()),
            "top_k": {"float32": exact[1], dtype: half[1]},
        }
    return found


def _embedded(data: Dataset, device: str, dtype: str) -> tuple[dict[str, NDArray[np.float32]], list[float]]:
    """Each clip's frames in one precision, and Top-1, 2, 3 in percent from them and texts in the same precision."""
    encoder = load_encoder(paths.CHECKPOINT, device=device, dtype=dtype)
    options = Options()
    texts = texts_needed(data, methods=[METHOD], styles=[STYLE], options=options)
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        frames = embed_clips(data, encoder, store_folder=Path(folder), progress=False)
        vectors = embed_texts(texts, encoder, store_folder=Path(folder))
        scores = score_dataset(
            data, frames, vectors, options=options, scale=encoder.scale, bias=encoder.bias, method=METHOD, style=STYLE
        )
        row = topk_table(scores, resamples=10).iloc[0]
        return {name: frames[name].embeddings for name in frames}, [float(row[f"top{k}"]) for k in (1, 2, 3)]


@contextlib.contextmanager
def work(device: str, vision: dict[str, Any], *, clips: int, frames: int) -> Iterator[tuple[Path, list[Path]]]:
    """The checkpoint and the clips of the end to end run: the sample's on a CPU, so400m and 720p on a GPU."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if device == "cpu":
            yield paths.CHECKPOINT, videos.drawn(folder / "clips", clips)
        else:
            yield so400m.write_checkpoint(folder / "so400m", vision), videos.hd(folder / "clips", clips, frames=frames)


def run(*, quick: bool, device: str) -> dict[str, Any]:
    if device == "cuda" and not torch.cuda.is_available():
        raise SystemExit("there is no CUDA device here; leave out --device cuda")
    vision = so400m.SMALL if quick else so400m.VISION
    clips, frames = (3, 4) if quick else (CLIPS, HD_FRAMES)

    def pipeline() -> dict[str, Any]:
        repeats = 2 if quick or device == "cuda" else 3
        with work(device, vision, clips=clips, frames=frames) as (checkpoint, files):
            return end_to_end(checkpoint, device, files, slow=SLOW_CLIPS[device], repeats=repeats)

    batch = 1 if quick else FORWARD_BATCH[device]
    parts: dict[str, Callable[[], Any]] = {
        "end_to_end": pipeline,
        "preprocessing": partial(preprocessing, device, frames=2 if quick else 16, repeats=2 if quick else 21),
        "forward": partial(forward, device, vision=vision, batch=batch, repeats=1 if quick else 3),
        "half_precision": partial(half_precision, device, clips=4 if quick else None),
    }
    return {"device": device, **measure.in_parts(parts)}


if __name__ == "__main__":
    measure.main("encoding", run, devices=("cpu", "cuda"))
