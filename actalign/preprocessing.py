"""RGB frames -> what the checkpoint's image tower reads, as tensor operations on the device.

The checkpoint's own image processor says what to do (size, filter, crop, mean, deviation); this does the same to a
whole batch at once, in whole levels of 0 to 255 like the processor itself: one pass over the rows, one over the
columns, each rounded.

- On a CPU by integer arithmetic, as PIL does it, a frame per core: on two cores some 10 times as fast as the processor.
- On an NVIDIA or AMD GPU in float32, with the same two roundings.

Frames that have the model's size already give the processor's numbers to the last bit. Of resized ones a few per cent
of the values are off by one level of 255 (mostly under 3 %, under 8 % with the bilinear filter; nearly all in patterns
as fine as a pixel) and 0.1 % by two, none by more. In an even ramp of brightness, drawn by a program, whose means lie
halfway between two levels, up to two thirds are off by one and 2 % by two. The embeddings keep a cosine above 0.9999
(``tests/test_preprocessing.py``, ``tests/test_encoder.py``).
A processor that asks for anything else runs as it is: :class:`LibraryPixels`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch.nn.functional import interpolate

from actalign.accelerator import Frame, Inputs, on_cuda, upload
from actalign.cores import available, share_out
from actalign.errors import ActAlignError

PROCESSORS = frozenset({"SiglipImageProcessor", "CLIPImageProcessor"})
"""Image processors (less the ending of their back end) that do resize, centre crop, rescale, normalise: no more."""
FILTERS = {2: "bilinear", 3: "bicubic"}
"""PIL's numbers of the filters that are the same in torch, where antialiased."""
WITHOUT_EFFECT = frozenset(
    {"do_convert_rgb", "default_to_square", "data_format", "input_data_format", "return_tensors"}
)
"""Settings that change nothing for a batch of RGB arrays."""
FOLLOWED = frozenset(
    "do_resize size resample do_center_crop crop_size do_rescale rescale_factor do_normalize image_mean "
    "image_std".split()
)
PART_BYTES = 2**28
"""Float pixels that one resize on a GPU may hold at a time."""
WORTH_A_THREAD = 2**17
"""Values of a frame, before and after, from which two threads were measured to be the faster ones on a CPU."""


@dataclass(frozen=True)
class TensorPixels:
    """Frames of any sizes -> ``pixel_values`` (N, 3, S, S) float32; make one with :func:`pixels_like`.

    A picture is resized to ``height`` and ``width``, or until its shorter side is ``shortest_edge``; ``crop`` is the
    (height, width) then cut out of its middle. A level v becomes (v / divisor - mean) / deviation.
    """

    name = "tensor-pixels-1"
    """Part of what identifies an embedding. Count it up when the numbers below change."""

    mode: str
    height: int = 0
    width: int = 0
    shortest_edge: int = 0
    crop: tuple[int, int] | None = None
    divisor: float = 1.0
    mean: tuple[float, ...] = (0.0, 0.0, 0.0)
    deviation: tuple[float, ...] = (1.0, 1.0, 1.0)

    def __call__(self, frames: Sequence[Frame], device: str) -> Inputs:
        """uint8 frames (H, W, 3), of one size or several -> their pixels, in the same order, on the device."""
        side = self.crop or (self.height, self.width)
        if on_cuda(device):
            place, groups, threads = device, _same_size(frames), 1
        else:
            values = max(frame.size for frame in frames) + 3 * side[0] * side[1]
            place, groups, threads = "cpu", _one_by_one(frames), threads_to_resize(values)
        pixels = torch.empty((len(frames), 3, *side), dtype=torch.float32, device=place)

        def make(group: slice) -> None:
            self.normalise(self.levels(frames[group], device), out=pixels[group])

        share_out(make, groups, threads=threads)
        return {"pixel_values": pixels.to(device)}

    def levels(self, frames: Sequence[Frame], device: str) -> torch.Tensor:
        """Frames of one size, resized and cropped: (N, 3, S, S) whole levels, uint8 on a CPU, float32 on a GPU."""
        size = self.resized(frames[0].shape[0], frames[0].shape[1])
        if on_cuda(device):
            return self._cropped(resize_in_float(upload(frames, device), size, self.mode))
        return self._cropped(resize_in_integers(frames, size, self.mode))

    def resized(self, height: int, width: int) -> tuple[int, int]:
        """(height, width) that a picture of this size is resized to, before the crop."""
        if not self.shortest_edge:
            return self.height, self.width
        longest = int(self.shortest_edge * max(height, width) / min(height, width))
        return (longest, self.shortest_edge) if width <= height else (self.shortest_edge, longest)

    def normalise(self, levels: torch.Tensor, *, out: torch.Tensor) -> None:
        """Levels -> what the model reads, float32: the processor's own three operations, so its own roundings."""
        mean, deviation = (_per_channel(values, str(out.device)) for values in (self.mean, self.deviation))
        if not on_cuda(str(out.device)):  # in this thread alone: to wake others for so little takes longer
            numbers = np.divide(levels.numpy(), np.float32(self.divisor), out=out.numpy())
            numbers -= mean.numpy()
            numbers /= deviation.numpy()
        else:
            # By a plain number a GPU would not truly divide, but multiply.
            divisor = _per_channel((self.divisor,) * 3, str(out.device))
            out.copy_(levels).div_(divisor).sub_(mean).div_(deviation)

    def _cropped(self, pictures: torch.Tensor) -> torch.Tensor:
        if self.crop is None:
            return pictures
        height, width = self.crop
        top, left = (pictures.shape[-2] - height) // 2, (pictures.shape[-1] - width) // 2
        return pictures[..., top : top + height, left : left + width]


@dataclass(frozen=True)
class LibraryPixels:
    """Frames -> what an image processor makes of them, by itself: on the CPU, one after another."""

    processor: Any

    @property
    def name(self) -> str:
        return type(self.processor).__name__

    def __call__(self, frames: Sequence[Frame], device: str) -> Inputs:
        made = self.processor(images=list(frames), return_tensors="pt", input_data_format="channels_last")
        return {name: value.to(device) for name, value in made.items()}


Pixels = TensorPixels | LibraryPixels


def require_rgb(frames: Sequence[Frame]) -> None:
    """Raise ActAlignError unless there is a frame and every frame is uint8 (H, W, 3).

    >>> require_rgb([])
    Traceback (most recent call last):
    actalign.errors.ActAlignError: a batch holds no frames; give at least one
    """
    if not len(frames):
        raise ActAlignError("a batch holds no frames; give at least one")
    for frame in frames:
        if frame.ndim != 3 or frame.shape[-1] != 3 or 0 in frame.shape:
            raise ActAlignError(f"frames must be (height, width, 3); got {frame.shape}")
        if frame.dtype != np.uint8:
            raise ActAlignError(f"frames must be uint8 RGB from 0 to 255; got {frame.dtype}")


def pixels_like(processor: Any) -> tuple[Pixels, str]:
    """What does as an image processor says, and why that is the processor itself ("" where it is not).

    >>> class Nearest:
    ...     def to_dict(self):
    ...         return {"resample": 0}
    >>> pixels_like(Nearest())[1]
    'Nearest is not one of CLIPImageProcessor, SiglipImageProcessor'
    """
    settings = {name: value for name, value in processor.to_dict().items() if value is not None}
    strange = _strange(type(processor).__name__, settings)
    if strange:
        return LibraryPixels(processor), strange
    size = settings["size"]
    crop = settings["crop_size"] if settings.get("do_center_crop") else None
    normalise = settings.get("do_normalize", False)
    return TensorPixels(
        mode=FILTERS[settings["resample"]],
        height=size.get("height") or 0,
        width=size.get("width") or 0,
        shortest_edge=size.get("shortest_edge") or 0,
        crop=None if crop is None else (crop["height"], crop["width"]),
        divisor=1 / settings["rescale_factor"] if settings.get("do_rescale") else 1.0,
        mean=tuple(settings["image_mean"]) if normalise else (0.0, 0.0, 0.0),
        deviation=tuple(settings["image_std"]) if normalise else (1.0, 1.0, 1.0),
    ), ""


def _strange(name: str, settings: Mapping[str, Any]) -> str:
    """What in an image processor's settings the tensors cannot follow; "" where they can."""
    if name.removesuffix("Pil").removesuffix("Fast") not in PROCESSORS:
        return f"{name} is not one of {', '.join(sorted(PROCESSORS))}"
    for setting, value in settings.items():
        known = setting in FOLLOWED or setting in WITHOUT_EFFECT or setting.endswith(("_type", "_class"))
        if not known and value is not False:
            return f"{setting} is {value!r}"
    if not settings.get("do_resize") or settings.get("resample") not in FILTERS:
        return f"do_resize is {settings.get('do_resize')!r} and resample {settings.get('resample')!r}"
    size = {name: value for name, value in settings["size"].items() if value}
    crop = settings.get("crop_size") if settings.get("do_center_crop") else None
    if set(size) != {"height", "width"} and not (set(size) == {"shortest_edge"} and crop):
        return f"size is {size!r}"
    if any(np.size(settings.get(name, (0, 0, 0))) != 3 for name in ("image_mean", "image_std")):
        return "image_mean and image_std are not of three channels"
    if crop and max(crop["height"], crop["width"]) > min(size.values()):
        return f"crop_size is {dict(crop)!r}, beyond the picture"
    return ""


def columns_first(before: tuple[int, int], after: tuple[int, int]) -> bool:
    """Whether Pillow 13 resizes the columns of a (height, width) picture before its rows.

    Each of the two passes rounds, so the order shows.

    >>> columns_first((720, 1280), (384, 384)), columns_first((1280, 720), (384, 384))
    (False, True)
    """
    lost_height, lost_width = before[0] - after[0], before[1] - after[1]
    return lost_height > 0 and lost_height > 2 * lost_width


def resize_in_integers(frames: Sequence[Frame], size: tuple[int, int], mode: str) -> torch.Tensor:
    """uint8 frames of one size -> uint8 ``(N, 3, *size)``, without a copy of them all at full size."""
    before = (frames[0].shape[0], frames[0].shape[1])
    steps = _passes(before, size) if columns_first(before, size) else [size]  # one call takes the rows first
    pictures = []
    for frame in frames:
        picture = as_tensor(frame).permute(2, 0, 1)[None]
        for step in steps:
            picture = interpolate(picture, step, mode=mode, antialias=True)
        pictures.append(picture)
    return torch.cat(pictures)


def as_tensor(frame: Frame) -> torch.Tensor:
    """A frame as a tensor, a view of it where it can be: torch wants it contiguous and writable.

    >>> as_tensor(np.zeros((4, 6, 3), np.uint8)[::-1]).shape
    torch.Size([4, 6, 3])
    """
    return torch.from_numpy(np.require(frame, requirements=["C", "W"]))


def resize_in_float(frames_nhwc: torch.Tensor, size: tuple[int, int], mode: str) -> torch.Tensor:
    """uint8 (N, H, W, 3) -> float32 ``(N, 3, *size)`` of whole levels, in parts that keep its memory small."""
    _, height, width, _ = frames_nhwc.shape
    parts = []
    for part in frames_nhwc.split(max(1, PART_BYTES // (12 * height * width))):
        pictures = part.permute(0, 3, 1, 2).to(torch.float32, memory_format=torch.contiguous_format)
        for step in _passes((height, width), size):
            pictures = interpolate(pictures, step, mode=mode, antialias=True).add_(0.5).floor_().clamp_(0, 255)
        parts.append(pictures)
    return torch.cat(parts)


def _passes(before: tuple[int, int], after: tuple[int, int]) -> list[tuple[int, int]]:
    """The (height, width) after each pass that changes it."""
    between = (after[0], before[1]) if columns_first(before, after) else (before[0], after[1])
    return [size for size, earlier in ((between, before), (after, between)) if size != earlier]


def threads_to_resize(values: int) -> int:
    """How many frames, each of so many values before and after together, to resize at a time on this CPU.

    One per core; one alone where a frame is so small that Python, which does one thing at a time, takes longer than the
    arithmetic, or where torch spreads each frame over the cores itself.

    >>> threads_to_resize(2 * 64 * 64 * 3)
    1
    """
    on_one_core = torch.backends.cpu.get_cpu_capability().startswith("AVX")
    return available() if on_one_core and values >= WORTH_A_THREAD else 1


def _one_by_one(frames: Sequence[Frame]) -> list[slice]:
    """Every frame for itself, so that it fits into the cache."""
    return [slice(place, place + 1) for place in range(len(frames))]


def _same_size(frames: Sequence[Frame]) -> list[slice]:
    """Runs of frames of one size."""
    edges = [place for place in range(1, len(frames)) if frames[place].shape != frames[place - 1].shape]
    return [slice(start, stop) for start, stop in pairwise([0, *edges, len(frames)])]


@lru_cache
def _per_channel(values: tuple[float, ...], device: str) -> torch.Tensor:
    """Once for each device: to make it there waits for the GPU."""
    return torch.tensor(values, dtype=torch.float32, device=device).view(3, 1, 1)
