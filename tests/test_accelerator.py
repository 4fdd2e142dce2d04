"""The order of things on a GPU, told by stand-ins for its streams and events."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
import torch

from actalign import accelerator
from actalign.accelerator import AHEAD, Compiled, choose, first_line, in_turn, upload
from actalign.errors import ActAlignError


@pytest.mark.parametrize(
    ("cuda", "mps", "expected"), [(True, True, "cuda"), (False, True, "mps"), (False, False, "cpu")]
)
def test_auto_takes_the_best_device(cuda: bool, mps: bool, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert choose("auto") == expected


@pytest.mark.parametrize("device", ["abacus", "meta"])
def test_a_device_that_is_not_there_is_one_error(device: str) -> None:
    with pytest.raises(ActAlignError, match=rf"device '{device}' is not available here \(.*\); try 'auto'"):
        choose(device)


def test_the_cpu_has_one_name() -> None:
    """What holds on a CPU alone, such as batches of each clip's own, is asked by it."""
    assert choose("cpu:0") == "cpu"


def test_an_error_without_words_is_quoted_by_its_name() -> None:
    assert [first_line(error) for error in (RuntimeError(), RuntimeError(" \n"))] == ["RuntimeError"] * 2


def numbered(batches: int) -> Iterator[dict[str, torch.Tensor]]:
    for number in range(batches):
        yield {"x": torch.full((number + 1, 2), float(number))}


def doubled(inputs: dict[str, Any]) -> torch.Tensor:
    return 2 * inputs["x"]


def test_on_a_cpu_rows_come_batch_by_batch() -> None:
    taken: list[int] = []

    def batches() -> Iterator[dict[str, torch.Tensor]]:
        for number, batch in enumerate(numbered(3)):
            taken.append(number)
            yield batch

    for number, rows in enumerate(in_turn(batches(), prepare=lambda batch: batch, forward=doubled, device="cpu")):
        assert taken == list(range(number + 1))
        np.testing.assert_array_equal(rows, np.full((number + 1, 2), 2.0 * number, np.float32))
        assert rows.dtype == np.float32
        assert not torch.is_inference_mode_enabled()  # the caller's own affair


def test_half_precision_comes_back_as_float32() -> None:
    half = in_turn(numbered(1), prepare=lambda batch: {"x": batch["x"].bfloat16()}, forward=doubled, device="cpu")
    assert next(half).dtype == np.float32


def test_a_model_with_gradients_keeps_none() -> None:
    weight = torch.ones(2, requires_grad=True)

    def weighted(inputs: dict[str, Any]) -> torch.Tensor:
        rows: torch.Tensor = weight * inputs["x"]
        assert not rows.requires_grad
        return rows

    assert len(list(in_turn(numbered(2), prepare=lambda batch: batch, forward=weighted, device="cpu"))) == 2


def test_autocast_around_leaves_the_model_its_own_precision() -> None:
    def product(inputs: dict[str, Any]) -> torch.Tensor:
        made: torch.Tensor = inputs["x"] @ inputs["x"].T
        assert made.dtype == torch.float32
        return made

    with torch.autocast("cpu", torch.bfloat16):
        assert len(list(in_turn(numbered(2), prepare=lambda batch: batch, forward=product, device="cpu"))) == 2


class Gpu:
    """Stands for torch.cuda: notes what is asked of streams and events. A copy home arrives when it is waited for."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.log: list[str] = []
        self.events = 0
        self.stream_now = "main"
        gpu = self

        class Stream:
            def __init__(self, device: str, name: str = "side") -> None:
                self.name, self.device = name, device

            def wait_stream(self, other: "Stream") -> None:
                gpu.log.append(f"{self.name} waits for {other.name}")

        class Event:
            def __init__(self, *, blocking: bool) -> None:
                assert blocking
                self.number = gpu.events
                gpu.events += 1

            def record(self, stream: Stream) -> None:
                gpu.log.append(f"copy {self.number} on {stream.name}")

            def synchronize(self) -> None:
                gpu.log.append(f"arrived {self.number}")

        def keep(value: torch.Tensor, stream: Stream) -> None:
            gpu.log.append(f"keep for {stream.name}")

        @contextmanager
        def on(stream: Stream) -> Iterator[None]:
            gpu.stream_now = stream.name
            yield
            gpu.stream_now = "main"

        monkeypatch.setattr(accelerator, "_side_stream", Stream)
        monkeypatch.setattr(torch.cuda, "Event", Event)
        monkeypatch.setattr(torch.cuda, "stream", on)
        monkeypatch.setattr(torch.cuda, "current_stream", lambda device: Stream(device, "main"))
        monkeypatch.setattr(torch.Tensor, "record_stream", keep)
        monkeypatch.setattr(accelerator, "_page_locked", lambda shape, dtype: torch.zeros(shape, dtype=dtype))

    def prepare(self, batch: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        self.log.append(f"prepare on {self.stream_now}")
        return batch

    def forward(self, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
        self.log.append(f"forward on {self.stream_now}")
        return doubled(inputs)


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> Gpu:
    return Gpu(monkeypatch)


@pytest.mark.parametrize("batches", [0, 1, 2, 3, 7])
def test_on_a_gpu_the_rows_are_the_same_in_the_same_order(batches: int, gpu: Gpu) -> None:
    rows = list(in_turn(numbered(batches), prepare=gpu.prepare, forward=gpu.forward, device="cuda:0"))
    assert len(rows) == batches
    for number, part in enumerate(rows):
        np.testing.assert_array_equal(part, np.full((number + 1, 2), 2.0 * number, np.float32))
        assert part.base is None, "whoever keeps rows keeps no page-locked memory"


def test_on_a_gpu_a_batch_is_prepared_beside_and_waited_for_before_the_model_runs(gpu: Gpu) -> None:
    next(in_turn(numbered(1), prepare=gpu.prepare, forward=gpu.forward, device="cuda"))
    assert gpu.log == [
        "prepare on side",
        "main waits for side",
        "keep for main",
        "forward on main",
        "copy 0 on main",
        "arrived 0",
    ]


def test_on_a_gpu_rows_are_waited_for_two_batches_late(gpu: Gpu) -> None:
    rows = in_turn(numbered(5), prepare=gpu.prepare, forward=gpu.forward, device="cuda")
    next(rows)
    assert [line for line in gpu.log if line.startswith(("copy", "arrived"))] == [
        *(f"copy {number} on main" for number in range(AHEAD + 1)),
        "arrived 0",
    ]
    assert not torch.is_inference_mode_enabled()
    assert len(list(rows)) == 4
    assert gpu.log[-1] == "arrived 4"


def test_frames_travel_through_page_locked_memory(monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator) -> None:
    asked: list[tuple[int, ...]] = []

    def noted(shape: tuple[int, ...], dtype: torch.dtype) -> torch.Tensor:
        asked.append(shape)
        return torch.empty(shape, dtype=dtype)

    monkeypatch.setattr(accelerator, "_page_locked", noted)
    frames = rng.integers(0, 256, (4, 5, 6, 3), dtype=np.uint8)
    sent = upload([np.rot90(frame, 2) for frame in frames], "cpu")
    assert asked == [(4, 5, 6, 3)]
    np.testing.assert_array_equal(sent.numpy(), np.rot90(frames, 2, axes=(1, 2)))


def test_a_compiled_function_sees_one_length(monkeypatch: pytest.MonkeyPatch) -> None:
    lengths: list[int] = []

    def compiled(function: Callable[..., torch.Tensor], *, dynamic: bool) -> Callable[..., torch.Tensor]:
        assert not dynamic

        def watched(inputs: dict[str, torch.Tensor]) -> torch.Tensor:
            lengths.append(len(inputs["x"]))
            return function(inputs)

        return watched

    monkeypatch.setattr(torch, "compile", compiled)
    run = Compiled(doubled)
    for length in (4, 4, 1, 3, 4, 6, 2):
        x = torch.arange(2.0 * length).reshape(length, 2)
        assert torch.equal(run({"x": x}), 2 * x)
    assert lengths == [4] * 5 + [6] * 2, "or a longer one, from when it comes"


def test_what_cannot_be_compiled_runs_as_it_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line, once, and the rows of short batches too; what fails either way is an error."""

    def broken(inputs: dict[str, torch.Tensor]) -> torch.Tensor:
        raise RuntimeError("no C compiler.\nMore.")

    monkeypatch.setattr(torch, "compile", lambda function, *, dynamic: broken)
    run = Compiled(doubled)
    for length in (4, 1, 4):
        x = torch.arange(2.0 * length).reshape(length, 2)
        assert torch.equal(run({"x": x}), 2 * x)
    line = "torch.compile does not work here (no C compiler): going on without it, more slowly\n"
    assert capsys.readouterr().out == line
    with pytest.raises(RuntimeError, match="no C compiler"):
        Compiled(lambda inputs: broken(inputs))({"x": x})
    assert capsys.readouterr().out == line


def test_frames_are_staged_by_this_thread_alone(monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator) -> None:
    """torch would wake its threads for every frame, and wait for them while decoding keeps the cores busy."""
    monkeypatch.setattr(accelerator, "_page_locked", lambda shape, dtype: torch.zeros(shape, dtype=dtype))
    monkeypatch.setattr(torch.Tensor, "copy_", None)
    frames = list(rng.integers(0, 256, (3, 8, 6, 3), dtype=np.uint8))
    np.testing.assert_array_equal(upload(frames, "cpu").numpy(), frames)


def test_one_stream_is_made_for_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """torch keeps memory apart for every stream that ever used some."""
    made: list[torch.device] = []
    monkeypatch.setattr(torch.cuda, "Stream", made.append)
    accelerator._side_stream.cache_clear()
    for number in (0, 1, 0):
        accelerator._side_stream(torch.device("cuda", number))
    accelerator._side_stream.cache_clear()  # of stand-ins
    assert made == [torch.device("cuda", 0), torch.device("cuda", 1)]


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_a_batch_too_large_for_the_memory_says_so(
    device: str, gpu: Gpu, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def forward(inputs: dict[str, torch.Tensor]) -> torch.Tensor:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB.\nMore.")

    monkeypatch.setattr(torch, "compile", lambda function, *, dynamic: lambda inputs: function(inputs))
    rows = in_turn(numbered(2), prepare=gpu.prepare, forward=Compiled(forward), device=device)
    with pytest.raises(ActAlignError, match=r"for a batch \(CUDA out of memory.*embed_clips a smaller batch_size"):
        list(rows)
    assert capsys.readouterr().out == "", "and compiling is not blamed"
