"""The device path on tensors of the CPU, against the stage and the reference; and what is said without a GPU."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from threading import Event, Thread, current_thread
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from actalign import gpu, stage
from actalign.clip_similarity import Smoothing
from actalign.dtw import reference
from actalign.errors import ActAlignError
from actalign.gpu import batch, scan, scoring
from actalign.gpu.batch import Batch
from actalign.gpu.tables import Candidates, Totals, Values
from actalign.stage import ClipScripts
from benchmarks import gpu as benchmark

SCALE, BIAS = 100.1, -10.1  # which float32 does not hold
SMOOTHINGS = [
    None,
    Smoothing(1),
    Smoothing(6),
    Smoothing(6, window="exact"),
    Smoothing(7, stage="after_norm"),
    Smoothing(4, stage="after_norm", padding="released"),
    Smoothing(300),
]


def clips(count: int, rng: np.random.Generator, *, dtype: type = np.float64, longest: int = 11) -> list[ClipScripts]:
    """Ragged clips whose candidates share texts, and use one twice."""
    made = []
    for _ in range(count):
        frames: NDArray[Any] = rng.normal(size=(rng.integers(2, 40), 24)).astype(dtype)
        texts = (rng.normal(size=(12, 24)) + 3 * frames[rng.integers(len(frames), size=12)]).astype(dtype)
        scripts = tuple(rng.integers(0, 12, size) for size in rng.integers(1, longest, rng.integers(1, 6)))
        made.append(ClipScripts(frames, texts[: max(map(max, scripts)) + 1], scripts))
    return made


def assert_close(found: list[NDArray[np.float64]], expected: list[NDArray[np.float64]], relative: float) -> None:
    assert [scores.shape for scores in found] == [scores.shape for scores in expected]
    for own, other in zip(found, expected, strict=True):
        assert own.dtype == np.float64
        np.testing.assert_allclose(own, other, rtol=relative)


def matrices(rng: np.random.Generator, *, steps: int, frames: int, count: int = 9) -> list[NDArray[np.float64]]:
    """Random, tied and saturated in turn, of any shape up to the one given, which is the last's."""
    made = []
    for number in range(count):
        shape = (int(rng.integers(1, steps, endpoint=True)), int(rng.integers(1, frames, endpoint=True)))
        shape = (steps, frames) if number == count - 1 else shape
        drawn = (rng.normal(size=shape), rng.integers(-1, 3, shape) * 1.0, 1 / (1 + np.exp(-rng.normal(0, 60, shape))))
        made.append(np.asarray(drawn[number % 3], dtype=np.float64))
    return made


def as_tensors(given: list[NDArray[np.float64]], rng: np.random.Generator) -> tuple[Values, Candidates]:
    """Each matrix a clip of its own, its rows out of order, and NaN in everything that is not to be read."""
    steps, frames = max(len(matrix) for matrix in given), max(matrix.shape[1] for matrix in given)
    values, rows = np.full((len(given), steps + 1, frames), np.nan), np.zeros((len(given), steps), dtype=np.int32)
    for number, matrix in enumerate(given):
        places = rng.permutation(steps + 1)[: len(matrix)]
        values[number, places, : matrix.shape[1]], rows[number, : len(matrix)] = matrix, places
    counts = torch.tensor([[number, *matrix.shape] for number, matrix in enumerate(given)], dtype=torch.int32)
    return Values(torch.from_numpy(values)), Candidates(torch.from_numpy(rows), *counts.T.contiguous())


@pytest.mark.parametrize(("steps", "frames"), [(1, 1), (1, 20), (20, 1), (12, 30), (30, 12), (70, 9)])
def test_sums_and_lengths_are_the_references(
    steps: int, frames: int, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = matrices(rng, steps=steps, frames=frames)
    values, candidates = as_tensors(given, rng)
    expected = [(reference.accumulate(m)[-1, -1], len(reference.backtrace(reference.accumulate(m)))) for m in given]
    for cells in (scan.CHUNK_CELLS, 2 * steps * (steps + frames)):
        monkeypatch.setattr(scan, "CHUNK_CELLS", cells)
        found = scan.best_paths(values, candidates, accumulate=torch.float64)
        assert list(zip(found.sums_n.tolist(), found.lengths_n.tolist(), strict=True)) == expected


@pytest.mark.parametrize("smoothing", SMOOTHINGS)
@pytest.mark.parametrize(("dtype", "relative"), [(np.float64, 1e-10), (np.float32, 1e-4)])
def test_scores_are_the_stages(
    smoothing: Smoothing | None, dtype: type, relative: float, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "SMOOTHED_COLUMNS", 7)  # of 24
    asked = clips(20, rng, dtype=dtype)
    found = Batch(asked, device="cpu").scores(scale=SCALE, bias=BIAS, smoothing=smoothing)
    assert_close(found, stage.score_clips(asked, scale=SCALE, bias=BIAS, smoothing=smoothing), relative)


def test_scripts_of_any_length_keep_their_places(rng: np.random.Generator) -> None:
    asked = clips(12, rng, longest=120)
    found = Batch(asked, device="cpu").scores(scale=SCALE, bias=BIAS)
    assert {len(script) > 64 for clip in asked for script in clip.scripts} == {True, False}
    assert_close(found, stage.score_clips(asked, scale=SCALE, bias=BIAS), 1e-10)


def test_rounding_takes_no_cosine_beyond_minus_one_to_one(rng: np.random.Generator) -> None:
    """A scale at which the last digit of a float32 cosine would show: no score passes the middle of the sigmoid."""
    rows = rng.normal(size=(200, 7)).astype(np.float32)
    for sign in (1, -1):
        asked = [ClipScripts(row[None], sign * row[None], (np.array([0]),)) for row in rows]
        found = np.concatenate(Batch(asked, device="cpu").scores(scale=1e7, bias=-sign * 1e7))
        assert (sign * found).max() == sign * 0.5 and len(set(found.tolist())) > 1


def test_saturated_affinities_tie_as_on_the_processor(rng: np.random.Generator) -> None:
    asked = clips(20, rng)
    found = Batch(asked, device="cpu").scores(scale=1e6, bias=0.0)
    assert_close(found, stage.score_clips(asked, scale=1e6, bias=0.0), 1e-9)


def test_float32_sums_are_near(rng: np.random.Generator) -> None:
    asked = clips(20, rng)
    found = Batch(asked, device="cpu").scores(scale=5.0, bias=-2.0, accumulate="float32")
    assert_close(found, stage.score_clips(asked, scale=5.0, bias=-2.0), 1e-5)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_tensors_are_taken_in_their_precision(dtype: torch.dtype, rng: np.random.Generator) -> None:
    asked = clips(5, rng, dtype=np.float32)
    tensors: list[Any] = [(torch.tensor(c.frames_td).to(dtype), torch.tensor(c.texts_nd).to(dtype)) for c in asked]
    rounded = [
        ClipScripts(frames.double().numpy(), texts.double().numpy(), clip.scripts)
        for clip, (frames, texts) in zip(asked, tensors, strict=True)
    ]
    given = [ClipScripts(frames, texts, clip.scripts) for clip, (frames, texts) in zip(asked, tensors, strict=True)]
    placed = Batch(given, device="cpu")
    assert placed.frames_btd.dtype == placed.texts_bnd.dtype == dtype
    expected = stage.score_clips(rounded, scale=SCALE, bias=BIAS, smoothing=Smoothing(3))
    assert_close(placed.scores(scale=SCALE, bias=BIAS, smoothing=Smoothing(3)), expected, 1e-4)


def test_a_batch_is_not_changed_and_read_only_input_is_welcome(rng: np.random.Generator) -> None:
    asked = clips(3, rng, dtype=np.float32)
    for clip in asked:
        clip.frames_td.flags.writeable = clip.texts_nd.flags.writeable = False
    placed = Batch(asked, device="cpu")
    first, smoothed, again = (placed.scores(scale=SCALE, bias=BIAS, smoothing=s) for s in (None, Smoothing(5), None))
    assert [s.tolist() for s in first] == [s.tolist() for s in again] != [s.tolist() for s in smoothed]


@pytest.fixture
def _tf32() -> Iterator[None]:
    """The program around has chosen TF32."""
    before = torch.backends.cuda.matmul.fp32_precision
    torch.backends.cuda.matmul.fp32_precision = "tf32"
    yield
    torch.backends.cuda.matmul.fp32_precision = before


@pytest.mark.usefixtures("_tf32")
def test_precision_of_products_is_put_back(rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    multiply = torch.bmm

    def watched(*tensors: torch.Tensor) -> torch.Tensor:
        seen.append(torch.backends.cuda.matmul.fp32_precision)
        return multiply(*tensors)

    monkeypatch.setattr(torch, "bmm", watched)
    Batch(clips(1, rng, dtype=np.float32), device="cpu").scores(scale=SCALE, bias=BIAS)
    assert (seen, torch.backends.cuda.matmul.fp32_precision) == (["ieee"], "tf32")


@pytest.mark.usefixtures("_tf32")
def test_two_threads_each_make_their_products_in_full(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = clips(1, rng, dtype=np.float32)
    multiply, seen, inside = torch.bmm, [], [Event(), Event()]

    def score() -> None:
        Batch(asked, device="cpu").scores(scale=SCALE, bias=BIAS)

    first, second = Thread(target=score), Thread(target=score)

    def slow(*tensors: torch.Tensor) -> torch.Tensor:
        if current_thread() is first:
            inside[0].set()
            inside[1].wait(0.3)  # a lock keeps the second out
        else:
            inside[1].set()
            first.join()  # which puts back the setting that it found
        seen.append(torch.backends.cuda.matmul.fp32_precision)
        return multiply(*tensors)

    monkeypatch.setattr(torch, "bmm", slow)
    first.start()
    inside[0].wait()
    second.start()
    first.join()
    second.join()
    assert (seen, torch.backends.cuda.matmul.fp32_precision) == (["ieee", "ieee"], "tf32")


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_autocast_around_changes_nothing(dtype: torch.dtype, rng: np.random.Generator) -> None:
    placed = Batch(clips(4, rng, dtype=np.float32), device="cpu")
    expected = [scores.tolist() for scores in placed.scores(scale=SCALE, bias=BIAS)]
    with torch.autocast("cpu", dtype):
        assert [scores.tolist() for scores in placed.scores(scale=SCALE, bias=BIAS)] == expected


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
@pytest.mark.parametrize("device", ["cpu", "cpu:0"])
def test_tensors_with_gradients_and_of_any_precision_are_scored_on_either_side(
    dtype: torch.dtype, device: str, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scoring, "_place", lambda wanted: wanted)  # "cpu:0" is the device path
    asked = clips(3, rng, dtype=np.float32)
    for part in ("frames_td", "texts_nd"):
        tensors: list[Any] = [torch.tensor(getattr(clip, part)).to(dtype).requires_grad_() for clip in asked]
        given: list[Any] = [{part: tensor} for tensor in tensors]
        rounded: list[Any] = [{part: tensor.detach().double().numpy()} for tensor in tensors]
        found = gpu.score_clips(
            [replace(clip, **change) for clip, change in zip(asked, given, strict=True)],
            scale=SCALE, bias=BIAS, device=device,
        )  # fmt: skip
        changed = [replace(clip, **change) for clip, change in zip(asked, rounded, strict=True)]
        assert_close(found, stage.score_clips(changed, scale=SCALE, bias=BIAS), 1e-4)


def test_a_batch_too_large_for_the_memory_is_halved(rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scoring, "_place", lambda device: "cpu:0")
    asked = clips(7, rng)
    sizes, room, make = [], 2, Batch.on_device

    def on_device(self: Batch, **choices: Any) -> tuple[torch.Tensor, torch.Tensor]:
        sizes.append(len(self.frames_btd))
        if sizes[-1] > room:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB")
        return make(self, **choices)

    monkeypatch.setattr(Batch, "on_device", on_device)
    expected = stage.score_clips(asked, scale=SCALE, bias=BIAS)
    assert_close(gpu.score_clips(asked, scale=SCALE, bias=BIAS), expected, 1e-9)
    assert sizes == [7, 3, 1, 2, 4, 2, 2]
    room = 0
    shortest = int(np.argmin([len(clip.frames_td) for clip in asked]))  # batches go by length
    assert shortest > 0
    message = rf"clip {shortest}: device 'cpu:0' has too little memory free \(CUDA out of memory"
    with pytest.raises(ActAlignError, match=message):
        gpu.score_clips(asked, scale=SCALE, bias=BIAS)


@pytest.mark.parametrize(
    ("part", "value", "message"),
    [
        ("frames_td", np.nan, "clip 12: frames hold NaN or inf"),
        ("texts_nd", np.inf, "clip 12: texts hold NaN or inf"),
        ("frames_td", 0.0, r"clip 12: frames: rows \[1\] of"),
        ("texts_nd", 0.0, r"clip 12: texts: rows \[1\] of"),
    ],
)
@pytest.mark.parametrize("smoothing", [None, Smoothing(3), Smoothing(3, stage="after_norm")])
def test_a_bad_clip_is_named(
    part: str, value: float, message: str, smoothing: Smoothing | None, rng: np.random.Generator
) -> None:
    asked = clips(4, rng, dtype=np.float32)
    asked[2] = replace(asked[2], scripts=(np.array([0, 1]),))
    rows = np.array(getattr(asked[2], part))
    rows[1] = value
    changed: Any = {part: rows}
    asked[2] = replace(asked[2], **changed)
    placed = Batch(asked, device="cpu", names=[10, 11, 12, 13])
    with pytest.raises(ActAlignError, match=message):
        placed.scores(scale=SCALE, bias=BIAS, smoothing=smoothing)


def test_an_embedding_beyond_float32_is_named() -> None:
    long = ClipScripts(np.full((2, 3), 1e30, dtype=np.float32), np.eye(3, dtype=np.float32), (np.array([0]),))
    with pytest.raises(ActAlignError, match="clip 0 has embeddings too long or too short for the GPU's float32"):
        Batch([long], device="cpu").scores(scale=SCALE, bias=BIAS)


def test_a_smoothing_that_leaves_nothing(rng: np.random.Generator) -> None:
    frames = rng.normal(size=(2, 4))
    asked = [ClipScripts(rows, frames, (np.array([0]),)) for rows in (frames, frames[:1])]
    with pytest.raises(ActAlignError, match="clip 1: smoothing with width 2 and padding 'released' leaves none of 1"):
        Batch(asked, device="cpu").scores(scale=SCALE, bias=BIAS, smoothing=Smoothing(2, padding="released"))
    opposite = ClipScripts(np.stack([frames[0], -frames[0]]), frames, (np.array([0]),))
    with pytest.raises(ActAlignError, match="clip 0: smoothing with width 2: the average around frame 1 is all zeros"):
        Batch([opposite], device="cpu").scores(scale=SCALE, bias=BIAS, smoothing=Smoothing(2, window="exact"))


@pytest.mark.parametrize(
    ("frames", "texts", "message"),
    [
        (np.ones((3, 4)), np.ones((3, 5)), "clip 0: texts have width 5 but frames have width 4"),
        (np.ones(4), np.ones((3, 4)), "clip 0: frames must be a non-empty matrix"),
        (np.ones((0, 4)), np.ones((3, 4)), "clip 0: frames must be a non-empty matrix"),
    ],
)
def test_a_clip_of_the_wrong_shape(frames: NDArray[Any], texts: NDArray[Any], message: str) -> None:
    with pytest.raises(ActAlignError, match=message):
        Batch([ClipScripts(frames, texts, (np.array([0]),))], device="cpu")


def test_batches_are_alike_and_small(rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = [*clips(30, rng), *clips(10, rng, dtype=np.float32)]
    texts = [np.resize(clip.texts_nd, (rng.integers(12, 60), 24)) for clip in asked]
    asked = [replace(clip, texts_nd=texts_nd) for clip, texts_nd in zip(asked, texts, strict=True)]
    monkeypatch.setattr(scoring, "BATCH_VALUES", 24 * 400)
    monkeypatch.setattr(scoring, "SMALL_BATCH_VALUES", 24 * 100)
    found = list(scoring.batches(asked))
    assert sorted(index for alike in found for index in alike) == list(range(40))
    for alike in found:
        shapes = [(len(asked[index].frames_td), len(asked[index].texts_nd)) for index in alike]
        wanted = sum(24 * (frames + texts) + frames * texts for frames, texts in shapes)
        frames, texts = (max(counts) for counts in zip(*shapes, strict=True))
        padded = len(alike) * (24 * (frames + texts) + frames * texts)
        assert len(alike) == 1 or padded <= min(24 * 400, max(24 * 100, 2 * wanted))
        assert len({asked[index].frames_td.dtype for index in alike}) == 1
    assert len(found) < 20


def test_without_a_gpu_one_line_says_so(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    scoring._say.cache_clear()
    asked = clips(3, rng)
    expected = [scores.tolist() for scores in stage.score_clips(asked, scale=SCALE, bias=BIAS)]
    for _ in range(2):
        assert [scores.tolist() for scores in gpu.score_clips(asked, scale=SCALE, bias=BIAS)] == expected
    assert capsys.readouterr().out == "no CUDA device: scoring on the CPU\n"
    assert [scores.tolist() for scores in gpu.score_clips(asked, scale=SCALE, bias=BIAS, device="cpu")] == expected
    assert capsys.readouterr().out == ""


def test_without_triton_one_line_says_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delitem(sys.modules, "actalign.gpu.kernels", raising=False)
    monkeypatch.delattr(gpu, "kernels", raising=False)
    monkeypatch.setitem(sys.modules, "triton", None)  # as if it were not installed
    batch._kernel_works.cache_clear()
    assert not any(batch._kernel_works(torch.device(name)) for name in ("cuda", "cuda", "cpu"))
    batch._kernel_works.cache_clear()
    said = capsys.readouterr().out
    assert said.startswith("Triton cannot be imported (import of triton") and said.count("\n") == 1
    assert said.endswith("): aligning on cuda without it, more slowly\n")


@pytest.mark.parametrize(
    ("device", "count", "message"),
    [
        ("cuda", 0, r"device 'cuda' is not available here \(no CUDA device\); try 'auto'"),
        ("cuda:1", 0, "device 'cuda:1' is not available here"),
        ("cuda:2", 2, "there are 2 CUDA devices, numbered from 0"),
        ("mps", 0, "device 'mps' is none of 'auto', 'cpu'"),
        ("cuda:", 0, "device 'cuda:' is none of"),
    ],
)
def test_a_device_that_is_not_there(
    device: str, count: int, message: str, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
    with pytest.raises(ActAlignError, match=message):
        gpu.score_clips(clips(1, rng), scale=SCALE, bias=BIAS, device=device)


def test_a_device_that_is_there_is_used(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    wanted = ("auto", "cuda", "cuda:0", "cuda:1", "cpu")
    assert [scoring._place(device) for device in wanted] == ["cuda", "cuda", "cuda:0", "cuda:1", "cpu"]
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("place", ["cpu", "cpu:0"])  # the processor, and the device path
def test_every_choice_reaches_the_scores(place: str, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scoring, "_place", lambda device: place)
    asked = clips(5, rng)
    choices: list[dict[str, Any]] = [{}, {"smoothing": Smoothing(6)}, {"scale": 5.0}, {"bias": -2.0}]
    seen = []
    for choice in choices:
        given = {"scale": SCALE, "bias": BIAS, **choice}
        found = gpu.score_clips(asked, **given)
        assert_close(found, stage.score_clips(asked, **given), 1e-9)
        seen.append(np.concatenate(found).tolist())
    assert len(set(map(tuple, seen))) == len(choices)
    single = np.concatenate(gpu.score_clips(asked, scale=SCALE, bias=BIAS, accumulate="float32"))
    assert (single.tolist() == seen[0]) == (place == "cpu"), "only a device adds up in float32"


def test_on_a_gpu_every_clip_gets_its_own_scores(rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scoring, "_place", lambda device: "cpu:0")  # not "cpu": the device path
    monkeypatch.setattr(scoring, "BATCH_VALUES", 24 * 200)
    monkeypatch.setattr(scoring, "SMALL_BATCH_VALUES", 24 * 50)
    asked = [*clips(20, rng), *clips(5, rng, dtype=np.float32)]
    assert_close(gpu.score_clips(asked, scale=SCALE, bias=BIAS), stage.score_clips(asked, scale=SCALE, bias=BIAS), 1e-4)
    asked[7].frames_td[0] = np.nan
    with pytest.raises(ActAlignError, match="clip 7: frames hold NaN"):
        gpu.score_clips(asked, scale=SCALE, bias=BIAS)
    assert gpu.score_clips([], scale=SCALE, bias=BIAS) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: rows + 1j, "clip 1: frames must hold real numbers; got dtype complex128"),
        (lambda rows: torch.tensor(rows) + 1j, "clip 1: frames must hold real numbers; got dtype complex128"),
        (lambda rows: np.ma.masked_array(rows, rows > 0), "clip 1: frames has masked cells"),
        (lambda rows: rows.astype(object), "clip 1: frames must hold real numbers; got dtype object"),
        (lambda rows: rows[0], "clip 1: frames must be a non-empty matrix"),
    ],
)
def test_what_the_processor_refuses_is_refused(
    change: Any, message: str, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scoring, "_place", lambda wanted: wanted)
    asked = clips(2, rng)
    changed: list[tuple[str, Any]] = [
        ("frames", {"frames_td": change(asked[1].frames_td)}),
        ("texts", {"texts_nd": change(asked[1].texts_nd)}),
    ]
    for name, rows in changed:
        for device in ("cpu", "cpu:0"):  # "cpu:0" is the device path
            with pytest.raises(ActAlignError, match=message.replace("frames", name)):
                gpu.score_clips([asked[0], replace(asked[1], **rows)], scale=SCALE, bias=BIAS, device=device)


@pytest.mark.parametrize("kind", [">f4", ">f8", "longdouble", "list"])
def test_rows_that_torch_does_not_know_are_taken(
    kind: str, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scoring, "_place", lambda wanted: "cpu:0")
    rows = clips(1, rng)[0]
    frames: Any = rows.frames_td.tolist() if kind == "list" else rows.frames_td.astype(kind)
    asked = [replace(rows, frames_td=frames)]
    assert_close(gpu.score_clips(asked, scale=SCALE, bias=BIAS), stage.score_clips(asked, scale=SCALE, bias=BIAS), 1e-9)


@pytest.mark.parametrize("texts", [np.int64, np.uint16])
@pytest.mark.parametrize("frames", [np.uint8, np.uint32, np.float16, np.float32])
def test_whole_numbers_are_multiplied_as_the_processor_does(
    frames: type, texts: type, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In float64: half precision holds none beyond 2048 exactly."""
    monkeypatch.setattr(scoring, "_place", lambda wanted: "cpu:0")
    frames_td: NDArray[Any] = rng.integers(1, 200, (9, 6)).astype(frames)
    texts_nd: NDArray[Any] = rng.integers(10_000, 60_000, (5, 6)).astype(texts)
    asked = [ClipScripts(frames_td, texts_nd, (np.array([0, 2, 4]), np.array([3])))]
    found = gpu.score_clips(asked, scale=5.0, bias=-5.0)
    assert_close(found, stage.score_clips(asked, scale=5.0, bias=-5.0), 1e-9)


@pytest.mark.parametrize(
    ("choices", "message"),
    [({"scale": -1.0}, "must be positive"), ({"bias": np.nan}, "finite"), ({"accumulate": "float16"}, "choose one of")],
)
def test_bad_choices(choices: dict[str, Any], message: str, rng: np.random.Generator) -> None:
    with pytest.raises(ActAlignError, match=message):
        gpu.score_clips(clips(1, rng), **{"scale": SCALE, "bias": BIAS, **choices})


def test_the_benchmark_says_that_it_needs_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(SystemExit, match="needs a CUDA device"):
        benchmark.run(quick=True)


def test_the_benchmark_checks_what_it_times(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benchmark, "DEVICE", "cpu")
    monkeypatch.setattr(benchmark, "alignments", lambda: {"scan": scan.best_paths})
    assert benchmark.check_alignment(count=8) == 40
    monkeypatch.setattr(scan, "_carry", lambda *given: Totals(torch.zeros(8), torch.ones(8)))
    with pytest.raises(SystemExit, match="alignment by scan, K up to 1, is not the CPU's"):
        benchmark.check_alignment(count=8)
