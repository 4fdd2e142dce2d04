"""Where tensors are computed: choosing a device, and keeping a GPU at work.

On a GPU three things go on at once: frames travel and are made ready on a stream of their own, the model runs on
the main stream, and rows travel back. Rows are handed out up to ``AHEAD`` batches late, so there is always a batch
waiting on the GPU while the CPU looks after the next.
"""

import textwrap
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from actalign.errors import ActAlignError

Frame = NDArray[np.uint8]
Inputs = dict[str, torch.Tensor]
Batch = TypeVar("Batch")

AHEAD = 2
"""Batches that wait on a GPU while another is computed: its memory holds the inputs of so many and one."""


def choose(wanted: str) -> str:
    """The device to use: "auto" is CUDA, else Apple's MPS, else the CPU, which has one name.

    Raises:
        ActAlignError: the device is not there.

    >>> choose("cpu:0")
    'cpu'
    """
    if wanted == "auto":
        if torch.cuda.is_available():
            return "cuda"
        return "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        torch.empty(0, device=wanted).cpu()  # from torch's "meta" nothing comes back
    except (RuntimeError, AssertionError) as error:
        raise ActAlignError(f"device {wanted!r} is not available here ({first_line(error)}); try 'auto'") from error
    return "cpu" if torch.device(wanted).type == "cpu" else wanted


def first_line(error: BaseException) -> str:
    """The beginning of a library's message, to quote it in ours: its first line, of 300 letters at most.

    >>> first_line(ValueError("no such thing. \\nAdvice that does not fit"))
    'no such thing'
    >>> len(first_line(ValueError("word " * 1000))) <= 300
    True
    """
    lines = str(error).strip().splitlines()
    return textwrap.shorten(lines[0].rstrip(". "), 300, placeholder=" ...") if lines else type(error).__name__


def on_cuda(device: str) -> bool:
    """Whether a device is an NVIDIA or AMD GPU, which has streams.

    >>> on_cuda("cuda:1"), on_cuda("mps")
    (True, False)
    """
    return torch.device(device).type == "cuda"


def upload(frames: Sequence[Frame], device: str) -> torch.Tensor:
    """Frames of one size, through page-locked memory, to a GPU: uint8 (N, H, W, 3), on its way when this returns."""
    staged = _page_locked((len(frames), *frames[0].shape), torch.uint8)
    np.stack(frames, out=staged.numpy())  # in this thread alone: the other cores are busy decoding
    return staged.to(device, non_blocking=True)  # torch keeps the staged memory until the copy has been made


def in_turn(
    batches: Iterable[Batch],
    *,
    prepare: Callable[[Batch], Inputs],
    forward: Callable[[Inputs], torch.Tensor],
    device: str,
) -> Iterator[NDArray[np.float32]]:
    """The rows of each batch, in order: ``forward(prepare(batch))``; on a GPU up to ``AHEAD`` batches late.

    Args:
        batches: taken one at a time, when there is room for the next.
        prepare: the model's inputs, on the device.
        forward: a float matrix (N, d) on the device.
        device: what :func:`choose` returned.

    Raises:
        ActAlignError: a GPU has too little memory for a batch.

    >>> double = in_turn([1, 2], prepare=lambda n: {"x": torch.ones(n, 1)}, forward=lambda x: 2 * x["x"], device="cpu")
    >>> [rows.tolist() for rows in double]
    [[[2.0]], [[2.0], [2.0]]]
    """
    run = _overlapped if on_cuda(device) else _one_by_one
    try:
        yield from run(batches, prepare, forward, device)
    except torch.OutOfMemoryError as error:
        reason = f"device {device!r} has too little memory free for a batch ({first_line(error)})"
        raise ActAlignError(f"{reason}; pass embed_clips a smaller batch_size, or choose device 'cpu'") from error


class Compiled:
    """A function of batches, compiled by torch; it sees one length only, so that it is compiled once.

    A batch that is shorter than the longest so far is padded with its last item and the result cut again; a longer one
    is compiled for anew, so begin with the longest. Where the compiled function fails, for want of a C compiler say,
    one line says so and the function runs as it is.
    """

    def __init__(self, function: Callable[[Inputs], torch.Tensor]):
        self._plain = function
        self._function = torch.compile(function, dynamic=False)
        self._length = 0

    def __call__(self, inputs: Inputs) -> torch.Tensor:
        length = max(len(value) for value in inputs.values())
        self._length = max(self._length, length)
        rows = torch.arange(self._length, device="cpu").clamp_(max=length - 1)
        whole = length == self._length
        padded = {name: value if whole else value[rows.to(value.device)] for name, value in inputs.items()}
        try:
            return self._function(padded)[:length]
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            if self._function is self._plain:
                raise
            print(f"torch.compile does not work here ({first_line(error)}): going on without it, more slowly")
            self._function = self._plain
        return self(inputs)


def _one_by_one(
    batches: Iterable[Batch], prepare: Callable[[Batch], Inputs], forward: Callable[[Inputs], torch.Tensor], device: str
) -> Iterator[NDArray[np.float32]]:
    for batch in batches:
        with _own_settings(device):  # not around the yield: they would hold for the caller too
            rows = forward(prepare(batch)).float().cpu().numpy()
        yield rows


def _overlapped(
    batches: Iterable[Batch], prepare: Callable[[Batch], Inputs], forward: Callable[[Inputs], torch.Tensor], device: str
) -> Iterator[NDArray[np.float32]]:
    main = torch.cuda.current_stream(device)
    side = _side_stream(main.device)
    waiting: deque[tuple[torch.Tensor, torch.cuda.Event]] = deque()
    for batch in batches:
        with _own_settings(device):
            with torch.cuda.stream(side):
                inputs = prepare(batch)
            main.wait_stream(side)
            for value in inputs.values():
                value.record_stream(main)  # so that the side stream does not reuse its memory too early
            rows = forward(inputs).float()
            waiting.append(_on_its_way_back(rows, main))
        if len(waiting) > AHEAD:
            yield _arrived(*waiting.popleft())
    while waiting:
        yield _arrived(*waiting.popleft())


@contextmanager
def _own_settings(device: str) -> Iterator[None]:
    """No gradients, and the model's own precision whatever the program around has chosen."""
    with torch.inference_mode(), torch.autocast(torch.device(device).type, enabled=False):
        yield


@cache
def _side_stream(device: torch.device) -> torch.cuda.Stream:
    """One for each GPU: torch keeps memory for every stream that has ever used some."""
    return torch.cuda.Stream(device)


def _on_its_way_back(rows: torch.Tensor, stream: torch.cuda.Stream) -> tuple[torch.Tensor, torch.cuda.Event]:
    home = _page_locked(tuple(rows.shape), torch.float32)
    home.copy_(rows, non_blocking=True)
    done = torch.cuda.Event(blocking=True)  # whoever waits for it leaves the core to decoding
    done.record(stream)
    return home, done


def _arrived(home: torch.Tensor, done: torch.cuda.Event) -> NDArray[np.float32]:
    done.synchronize()
    return home.numpy().copy()  # the page-locked memory is for the next batch


def _page_locked(shape: tuple[int, ...], dtype: torch.dtype) -> torch.Tensor:
    return torch.empty(shape, dtype=dtype, device="cpu", pin_memory=True)
