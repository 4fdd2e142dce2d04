"""The tensors against the library's own image processors, which work with PIL."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil
from transformers.models.siglip2.image_processing_pil_siglip2 import Siglip2ImageProcessorPil

from actalign import preprocessing
from actalign.accelerator import Frame
from actalign.cores import share_out
from actalign.errors import ActAlignError
from actalign.preprocessing import LibraryPixels, TensorPixels, as_tensor, pixels_like, require_rgb

HALF: dict[str, Any] = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3}
SIZE = {"height": 96, "width": 96}
PROCESSORS: dict[str, Any] = {
    "siglip": SiglipImageProcessorPil(size=SIZE, **HALF),
    "siglip2": SiglipImageProcessorPil(size=SIZE, resample=2, **HALF),
    "clip": CLIPImageProcessorPil(size={"shortest_edge": 96}, crop_size={"height": 96, "width": 96}),
    "clip crop": CLIPImageProcessorPil(size={"shortest_edge": 100}, crop_size={"height": 84, "width": 91}),
}
# Enlarged and reduced, wide and tall, odd, one side as it is.
SIZES = [(180, 320), (320, 180), (97, 213), (213, 97), (31, 45), (45, 31), (96, 140), (140, 96), (50, 300), (200, 96)]

# How far a value may be from the library's, in levels of 255, and in how many values. Both round after each of two
# passes; torch weighs pixels by 16-bit integers on a CPU and by floats on a GPU, PIL by 32-bit integers.
LEVELS = 2.0
SHARE = {2: 0.06, 3: 0.03}  # by PIL's number of the filter
TWO_LEVELS = 0.001

Rng = np.random.Generator


def pictures(rng: Rng, size: tuple[int, int], *, count: int = 3) -> list[Frame]:
    """Noise, black and white noise (the worst case), and something smooth."""
    noise = rng.integers(0, 256, (count, *size, 3), dtype=np.uint8)
    noise[1] = np.where(noise[1] > 127, 255, 0)
    rows, columns = np.indices(size)
    noise[2] = (127 + 120 * np.sin(rows / 17 + columns / 23))[..., None].astype(np.uint8)
    return list(noise)


def by_library(processor: Any, frames: Sequence[Frame]) -> torch.Tensor:
    made = processor(images=list(frames), return_tensors="pt", input_data_format="channels_last")
    return made["pixel_values"]


@pytest.fixture(params=["cpu", "gpu"])
def route(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """What a CPU does, and what a GPU does, here on the CPU."""
    if request.param == "gpu":
        monkeypatch.setattr(preprocessing, "on_cuda", lambda device: True)
        monkeypatch.setattr(preprocessing, "upload", lambda frames, device: torch.stack(list(map(as_tensor, frames))))
    return str(request.param)


def tensors(processor: Any) -> TensorPixels:
    pixels, strange = pixels_like(processor)
    assert isinstance(pixels, TensorPixels) and strange == ""
    return pixels


@pytest.mark.parametrize(("size", "side"), [((720, 1280), 64), ((1280, 720), 64), ((384, 384), 224), ((240, 320), 224)])
def test_an_even_ramp_is_off_in_more_values_but_by_no_more(size: tuple[int, int], side: int, route: str) -> None:
    """Its means lie halfway between two levels, where the smallest difference of weights decides the rounding."""
    processor = SiglipImageProcessorPil(size={"height": side, "width": side}, **HALF)
    rows, columns = np.indices(size)
    frame: Frame = np.repeat(((rows + columns) % 256).astype(np.uint8)[..., None], 3, axis=2)
    levels = (tensors(processor)([frame], "cpu")["pixel_values"] - by_library(processor, [frame])).abs() * 127.5
    assert levels.max() < LEVELS + 0.01
    assert (levels > 0.5).float().mean() < 2 / 3 and (levels > 1.5).float().mean() < 0.02


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", PROCESSORS)
def test_pixels_are_within_two_levels_of_the_library(name: str, size: tuple[int, int], route: str, rng: Rng) -> None:
    frames = pictures(rng, size)
    pixels = tensors(PROCESSORS[name])
    made, expected = pixels(frames, "cpu")["pixel_values"], by_library(PROCESSORS[name], frames)
    assert made.dtype == torch.float32 and made.shape == expected.shape
    levels = (made - expected).abs() * torch.tensor(pixels.deviation).view(3, 1, 1) * pixels.divisor
    assert levels.max() < LEVELS + 0.01
    assert (levels > 0.5).float().mean() < SHARE[PROCESSORS[name].resample]
    assert (levels > 1.5).float().mean() < TWO_LEVELS


def test_a_film_at_720p(route: str, rng: Rng) -> None:
    processor = SiglipImageProcessorPil(size={"height": 384, "width": 384}, **HALF)
    frames = pictures(rng, (720, 1280))
    made, expected = tensors(processor)(frames, "cpu")["pixel_values"], by_library(processor, frames)
    levels = (made - expected).abs() * 127.5
    assert levels.max() < 1.01
    assert (levels > 0.5).float().mean() < 0.01


@pytest.mark.parametrize("name", ["siglip", "siglip2", "clip"])
def test_pixels_of_frames_that_fit_are_the_librarys_to_the_bit(name: str, route: str, rng: Rng) -> None:
    frames = pictures(rng, (96, 96))
    every_level = np.arange(256, dtype=np.uint8).repeat(108).reshape(96, 96, 3)
    made = tensors(PROCESSORS[name])([*frames, every_level], "cpu")["pixel_values"]
    assert torch.equal(made, by_library(PROCESSORS[name], [*frames, every_level]))


@pytest.mark.parametrize(
    "settings",
    [
        {"do_rescale": False},
        {"do_normalize": False},
        {"rescale_factor": 1 / 127.5},
        {"do_center_crop": False, "crop_size": {"height": 8, "width": 8}},
    ],
)
def test_settings_are_followed(settings: dict[str, Any], route: str, rng: Rng) -> None:
    processor = SiglipImageProcessorPil(size=SIZE, **{**HALF, **settings})
    frames = pictures(rng, (96, 96))
    made = tensors(processor)(frames, "cpu")["pixel_values"]
    torch.testing.assert_close(made, by_library(processor, frames).float(), rtol=1e-6, atol=1e-6)


def test_frames_of_several_sizes_share_a_batch(route: str, rng: Rng) -> None:
    pixels = tensors(PROCESSORS["clip"])
    frames = [pictures(rng, size)[0] for size in ((96, 96), (50, 70), (50, 70), (50, 90), (96, 96), (33, 120))]
    together = pixels(frames, "cpu")["pixel_values"]
    alone = torch.cat([pixels([frame], "cpu")["pixel_values"] for frame in frames])
    assert torch.equal(together, alone)


@pytest.mark.parametrize("threads", [1, 3])
def test_frames_made_by_several_threads_keep_their_places(
    threads: int, rng: Rng, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preprocessing, "threads_to_resize", lambda values: threads)
    frames = [frame for size in ((50, 70), (96, 96), (50, 70)) for frame in pictures(rng, size, count=8)]
    with torch.inference_mode():  # as the encoder: it holds for the calling thread alone
        made = tensors(PROCESSORS["clip"])(tuple(frames), "cpu")["pixel_values"]
    for frame, one in zip(frames, made, strict=True):
        assert torch.equal(one, tensors(PROCESSORS["clip"])([frame], "cpu")["pixel_values"][0])


@pytest.mark.parametrize(
    ("capability", "size", "expected"),
    [
        ("AVX2", (720, 1280), 5), ("AVX512", (720, 1280), 5), ("DEFAULT", (720, 1280), 1), ("SVE256", (720, 1280), 1),
        ("AVX2", (60, 80), 1), ("AVX2", (186, 186), 5),
    ],
)  # fmt: skip
def test_a_frame_per_core_where_it_is_worth_it(
    capability: str, size: tuple[int, int], expected: int, rng: Rng, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = []

    def watched(*args: Any, threads: int) -> Any:
        taken.append(threads)
        return share_out(*args, threads=threads)

    monkeypatch.setattr(preprocessing, "share_out", watched)
    monkeypatch.setattr(preprocessing, "available", lambda: 5)
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    small = pictures(rng, (60, 80))
    tensors(PROCESSORS["siglip"])([*small, *pictures(rng, size), *small], "cpu")
    assert taken == [expected], "it is the largest that counts"


def test_views_and_read_only_frames_are_taken_as_they_look(route: str, rng: Rng) -> None:
    pixels = tensors(PROCESSORS["siglip"])
    frame = pictures(rng, (60, 80))[0]
    locked = frame.copy()
    locked.setflags(write=False)
    channels_first = np.ascontiguousarray(frame.transpose(2, 0, 1)).transpose(1, 2, 0)
    views = [np.rot90(frame, 1), np.rot90(frame, 2), frame[::-1, ::-1], frame[:, :, ::-1], locked, channels_first]
    before = frame.copy()
    for view in views:
        assert not (view.flags.c_contiguous and view.flags.writeable)
        made = pixels([view], "cpu")["pixel_values"]
        assert torch.equal(made, pixels([view.copy(order="C")], "cpu")["pixel_values"])
    np.testing.assert_array_equal(frame, before)


def test_a_large_batch_on_a_gpu_is_resized_in_parts(rng: Rng, monkeypatch: pytest.MonkeyPatch) -> None:
    frames = torch.from_numpy(rng.integers(0, 256, (5, 20, 30, 3), dtype=np.uint8))
    whole = preprocessing.resize_in_float(frames, (16, 16), "bicubic")
    sizes: list[int] = []

    def watched(pictures: torch.Tensor, *args: Any, **options: Any) -> torch.Tensor:
        sizes.append(len(pictures))
        return torch.nn.functional.interpolate(pictures, *args, **options)

    monkeypatch.setattr(preprocessing, "interpolate", watched)
    monkeypatch.setattr(preprocessing, "PART_BYTES", 2 * 20 * 30 * 12)
    assert torch.equal(preprocessing.resize_in_float(frames, (16, 16), "bicubic"), whole)
    assert sizes == [2, 2, 2, 2, 1, 1]
    monkeypatch.setattr(preprocessing, "PART_BYTES", 1)
    assert torch.equal(preprocessing.resize_in_float(frames, (16, 16), "bicubic"), whole), "one frame at least"


# Processors that are not followed.


@pytest.mark.parametrize(
    ("processor", "reason"),
    [
        (Siglip2ImageProcessorPil(), "Siglip2ImageProcessorPil is not one of CLIPImageProcessor, SiglipImageProcessor"),
        (SiglipImageProcessorPil(resample=0), "resample"),
        (SiglipImageProcessorPil(resample=1), "resample"),
        (SiglipImageProcessorPil(do_resize=False), "do_resize is False"),
        (SiglipImageProcessorPil(size={"shortest_edge": 96}), "size is {'shortest_edge': 96}"),
        (SiglipImageProcessorPil(size={"longest_edge": 96, "shortest_edge": 50}), "size is"),
        (SiglipImageProcessorPil(do_pad=True), "do_pad is True"),
        (SiglipImageProcessorPil(image_mean=[0.5]), "not of three channels"),
        (SiglipImageProcessorPil(image_std=0.5), "not of three channels"),
        (CLIPImageProcessorPil(size={"shortest_edge": 64}, do_center_crop=False), "size is {'shortest_edge': 64}"),
        (CLIPImageProcessorPil(size={"height": 64, "width": 32}, crop_size={"height": 24, "width": 48}), "beyond"),
        (CLIPImageProcessorPil(size={"shortest_edge": 64}), "crop_size is {'height': 224, 'width': 224}, beyond"),
    ],
)
def test_a_processor_that_does_something_else_is_kept(processor: Any, reason: str) -> None:
    pixels, strange = pixels_like(processor)
    assert isinstance(pixels, LibraryPixels) and pixels.processor is processor
    assert reason in strange
    assert pixels.name == type(processor).__name__


def test_a_processor_of_ones_own_is_kept_even_where_it_has_the_settings_of_another() -> None:
    class Sharpening(SiglipImageProcessorPil):
        pass

    assert pixels_like(Sharpening())[1].startswith("Sharpening is not one of")


@pytest.mark.parametrize("name", ["SiglipImageProcessor", "SiglipImageProcessorFast", "SiglipImageProcessorPil"])
def test_a_processor_of_any_back_end_is_followed(name: str) -> None:
    of_back_end = type(name, (SiglipImageProcessorPil,), {})
    made = of_back_end(size=SIZE, **HALF, processor_class="SiglipProcessor", image_processor_type=name)
    assert tensors(made) == tensors(PROCESSORS["siglip"])


def test_a_frame_as_high_as_it_has_channels_is_taken_as_it_lies(rng: Rng) -> None:
    processor = SiglipImageProcessorPil(size=SIZE, resample=0, **HALF)
    frames = pictures(rng, (3, 5))
    made = pixels_like(processor)[0](frames, "cpu")["pixel_values"]
    assert torch.equal(made, by_library(processor, frames))


def test_a_kept_processor_gives_what_it_gives(pictures: NDArray[np.uint8]) -> None:
    processor = Siglip2ImageProcessorPil(patch_size=16, max_num_patches=16)
    made = pixels_like(processor)[0](list(pictures), "cpu")
    expected = processor(images=list(pictures), return_tensors="pt")
    assert set(made) == {"pixel_values", "pixel_attention_mask", "spatial_shapes"}
    assert all(torch.equal(made[name], expected[name]) for name in made)


@pytest.mark.parametrize(
    ("frames", "complaint"),
    [
        ([], "a batch holds no frames"),
        ([np.zeros((8, 8), np.uint8)], r"must be \(height, width, 3\); got \(8, 8\)"),
        ([np.zeros((8, 3), np.uint8)], r"got \(8, 3\)"),
        ([np.zeros((8, 8, 4), np.uint8)], r"got \(8, 8, 4\)"),
        ([np.zeros((8, 0, 3), np.uint8)], r"got \(8, 0, 3\)"),
        ([np.zeros((8, 8, 3), np.uint8), np.zeros((8, 8, 3), np.int16)], "uint8 RGB from 0 to 255; got int16"),
    ],
)
def test_what_is_not_rgb_is_refused(frames: list[Frame], complaint: str) -> None:
    with pytest.raises(ActAlignError, match=complaint):
        require_rgb(frames)


def test_a_tensor_is_a_view_of_the_frame_where_it_can_be(rng: np.random.Generator) -> None:
    frame = rng.integers(0, 256, (5, 6, 3), dtype=np.uint8)
    assert np.shares_memory(as_tensor(frame).numpy(), frame)
