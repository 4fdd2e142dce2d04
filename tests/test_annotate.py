"""The annotated copy: every frame at its own time, in every shape and codec, whole or not there at all."""

import os
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import matplotlib
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from PIL import ImageDraw, ImageFont

from actalign import annotate
from actalign.annotate import SMALLEST_PX, SOFT_TEXT, TEXT, annotated_frames, layout_of, wrapped, write_annotated
from actalign.captions import COLUMNS
from actalign.errors import ActAlignError
from actalign.records import Clip
from actalign.video import probe, read_frames

Writer = Callable[..., Path]
UNEVEN_S = [0.0, 0.1, 0.15, 0.5, 0.6, 0.61, 1.0, 1.5, 3.0, 3.02]
BLUE = (0x56, 0xB4, 0xE9)


def spans(*ends_s: float, texts: tuple[str, ...] = (), evidence: tuple[float, ...] = ()) -> pd.DataFrame:
    edges = [0.0, *ends_s]
    count = len(ends_s)
    words = texts or tuple(f"sub-action {n}" for n in range(count))
    values = evidence or (0.5,) * count
    rows = zip(edges[:-1], edges[1:], range(1, count + 1), words, values, strict=True)
    return pd.DataFrame(list(rows), columns=list(COLUMNS))


def clip(path: Path, **window: float) -> Clip:
    return Clip("the-clip", path, sport="tennis", **window)  # type: ignore[arg-type]


def bright(picture: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Where the bar of the current sub-action is drawn."""
    return np.asarray(np.abs(picture.astype(int) - BLUE).max(axis=2) <= 2)


def test_every_frame_keeps_its_time_and_its_picture(write_video: Writer, tmp_path: Path) -> None:
    source = write_video(tmp_path / "a.mp4", times_s=UNEVEN_S, size=(480, 640))
    out = write_annotated(clip(source), spans(1.0, 3.04), tmp_path / "new" / "b.mp4", title="lob")
    before, times_s = read_frames(clip(source))
    after, kept_s = read_frames(clip(out))
    np.testing.assert_allclose(kept_s, times_s, atol=1e-5)
    assert after.shape[2] == 640 and after.shape[1] > 480
    assert np.abs(after[:, :480].astype(int) - before).mean() < 6
    assert probe(out).codec == "h264"


def test_the_copy_lasts_as_long_as_the_clip(write_video: Writer, tmp_path: Path) -> None:
    source = write_video(tmp_path / "a.mp4", times_s=UNEVEN_S)
    out = write_annotated(clip(source), spans(1.0, 3.5), tmp_path / "b.mp4")
    assert probe(out).duration_s == pytest.approx(3.5, abs=0.02)


@pytest.mark.parametrize("size", [(16, 16), (120, 90), (90, 122), (360, 640), (640, 360), (60, 1000)])
def test_pictures_of_every_shape(size: tuple[int, int], write_video: Writer, tmp_path: Path) -> None:
    source = write_video(tmp_path / "a.mp4", frames=4, size=size)
    frames, _ = read_frames(clip(write_annotated(clip(source), spans(0.1, 0.3), tmp_path / "b.mp4")))
    _, height, width, _ = frames.shape
    assert width >= SMALLEST_PX and width % 2 == 0 and height % 2 == 0
    assert len(frames) == 4


def write_as(path: Path, codec: str, *, size: tuple[int, int], pix_fmt: str = "yuv420p") -> Path:
    """Six frames of growing brightness, 10 a second, by any of PyAV's encoders; ``size`` is (height, width)."""
    options = {"x265-params": "log-level=none"} if codec == "libx265" else {}
    with av.open(str(path), "w") as file:
        stream = file.add_stream(codec, rate=10, options=options)
        assert isinstance(stream, av.VideoStream)
        stream.height, stream.width = size
        stream.pix_fmt = pix_fmt
        for number in range(6):
            picture = np.full((*size, 3), 30 * number, np.uint8)
            file.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        file.mux(stream.encode())
    return path


def test_odd_sides_are_made_even(tmp_path: Path) -> None:
    source = write_as(tmp_path / "odd.mkv", "ffv1", size=(301, 501), pix_fmt="bgr0")
    frames, _ = read_frames(clip(write_annotated(clip(source), spans(0.3), tmp_path / "b.mp4")))
    assert frames.shape[2] == 502
    assert [int(frame[150, 250].mean()) for frame in frames] == pytest.approx([30 * n for n in range(6)], abs=4)


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_a_rotated_video_stands_upright(rotation: int, write_video: Writer, tmp_path: Path) -> None:
    source = write_video(tmp_path / "a.mp4", frames=3, size=(480, 640), rotation=rotation)
    upright, _ = read_frames(clip(source))
    frames, _ = read_frames(clip(write_annotated(clip(source), spans(0.2), tmp_path / "b.mp4")))
    height, width = upright.shape[1:3]
    assert frames.shape[2] == width
    assert np.abs(frames[:, :height].astype(int) - upright).mean() < 6


@pytest.mark.parametrize(
    ("codec", "suffix"), [("mpeg4", "avi"), ("libvpx-vp9", "webm"), ("mpeg4", "mov"), ("libx265", "mkv")]
)
def test_other_codecs_are_annotated_as_h264(codec: str, suffix: str, tmp_path: Path) -> None:
    source = write_as(tmp_path / f"a.{suffix}", codec, size=(120, 160))
    out = write_annotated(clip(source), spans(0.3, 0.6), tmp_path / "b.mp4")
    _, times_s = read_frames(clip(source))
    np.testing.assert_allclose(read_frames(clip(out))[1], times_s, atol=1e-5)
    assert probe(out).codec == "h264"


def test_a_window_begins_at_0_and_shows_its_own_sub_actions(write_video: Writer, tmp_path: Path) -> None:
    source = write_video(tmp_path / "a.mp4", frames=45)
    table = spans(0.5, 1.0).assign(start_s=[1.0, 1.5], end_s=[1.5, 2.0])
    window = clip(source, start_s=1.0, end_s=2.0)
    out = write_annotated(window, table, tmp_path / "b.mp4")
    frames, times_s = read_frames(clip(out))
    assert len(frames) == 15 and times_s[0] == 0.0
    assert probe(out).duration_s == pytest.approx(1.0, abs=0.02)
    np.testing.assert_allclose(times_s, np.arange(15) / 15, atol=1e-5)


def test_the_current_bar_is_bright_and_the_line_moves_on() -> None:
    table = spans(1.0, 3.0, 4.0, evidence=(0.1, 0.4, 0.2))
    black = np.zeros((480, 480, 3), np.uint8)
    times_s = [0.0, 0.99, 1.0, 2.9, 3.0, 9.0]
    shown = [picture for _, picture in annotated_frames(((time_s, black) for time_s in times_s), table)]
    columns = [np.flatnonzero(bright(picture).any(axis=0)) for picture in shown]
    left, right = 11, 469
    expected = [(0, 1), (0, 1), (1, 3), (1, 3), (3, 4), (3, 4)]
    for seen, (start_s, end_s) in zip(columns, expected, strict=True):
        assert seen[0] == pytest.approx(left + (right - left) * start_s / 4, abs=3)
        assert seen[-1] == pytest.approx(left + (right - left) * end_s / 4, abs=4)
    heights = [int(bright(picture).any(axis=1).sum()) for picture in (shown[0], shown[2], shown[4])]
    assert heights[0] < heights[2] < heights[1]
    assert heights[1] == pytest.approx(4 * heights[0], abs=4)
    layout = layout_of(480, 300, spans=table)
    _, top, _, bottom = layout.bars
    for time_s in (1.0, 2.9):
        picture = layout.compose(np.zeros((300, 480, 3), np.uint8), layout.panel(1), time_s=time_s)
        white = (picture[300 + round(top) - 4 : 300 + round(bottom), :] == 255).all(axis=2)
        (columns_of_it,) = np.nonzero(white.all(axis=0))
        assert columns_of_it.mean() == pytest.approx(layout.x_of(time_s), abs=1.5)


def test_cosines_below_zero_and_scripts_without_evidence_can_be_drawn() -> None:
    black = np.zeros((480, 480, 3), np.uint8)
    for evidence in ((-0.2, 0.1), (-0.2, -0.1), (0.0, 0.0)):
        ((_, picture),) = annotated_frames([(0.0, black)], spans(1.0, 2.0, evidence=evidence))
        assert bright(picture).any()


def test_bars_stand_on_the_lowest_evidence_where_it_is_below_zero() -> None:
    black, ends_s = np.zeros((480, 480, 3), np.uint8), (1.0, 2.0, 3.0)
    for evidence in ((-0.2, 0.0, 0.2), (-0.3, -0.2, -0.1)):
        table = spans(*ends_s, evidence=evidence)
        _, top, _, bottom = layout_of(480, 480, spans=table).bars
        shown = annotated_frames(((end_s - 0.5, black) for end_s in ends_s), table)
        heights = [int(bright(picture).any(axis=1).sum()) for _, picture in shown]
        assert heights == pytest.approx([2, (bottom - top) / 2, bottom - top], abs=3)


def test_the_axis_is_that_of_the_window_and_what_comes_before_shows_its_first_sub_action() -> None:
    table = spans(0.5, 1.0).assign(start_s=[1.0, 1.5], end_s=[1.5, 2.0])
    layout = layout_of(480, 360, spans=table)
    left, _, right, _ = layout.bars
    assert [layout.x_of(time_s) for time_s in (1.0, 1.5, 2.0)] == pytest.approx([left, (left + right) / 2, right])
    ((_, picture),) = annotated_frames([(0.5, np.zeros((360, 480, 3), np.uint8))], table)
    assert bright(picture)[:, : int(left + right) // 2].any() and not bright(picture)[:, int(left + right) // 2 :].any()


def test_the_panel_names_class_step_and_numbers_with_a_true_minus(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    numbers: dict[str, tuple[float, str]] = {}

    def noted(self: Any, place: tuple[float, float], text: str, color: str, *look: Any, **more: Any) -> None:
        written.append(text)
        numbers[text] = place[0], color

    monkeypatch.setattr(ImageDraw.ImageDraw, "text", noted)
    table = spans(1.0, 2.0, texts=("toss", "hit"), evidence=(-0.25, 0.125))
    layout = layout_of(480, 360, spans=table, title="lob-1")
    layout.panel(0)
    assert written == ["evidence −0.250 (tallest bar: 0.125)", "lob-1", "1. toss", "1", "2"]
    for number, middle_s, color in (("1", 0.5, TEXT), ("2", 1.5, SOFT_TEXT)):
        x, drawn_in = numbers[number]
        assert x == pytest.approx(layout.x_of(middle_s), abs=2) and drawn_in == color
    written.clear()
    layout = layout_of(480, 360, spans=table, title="lob " * 40)
    layout.panel(1)
    assert written[0] == "evidence 0.125 (tallest bar: 0.125)" and written[1].endswith("…")
    assert sum(map(layout.small.getlength, written[:2])) < 480, "one lies over the other"
    written.clear()
    layout_of(480, 360, spans=spans(*np.linspace(0.1, 4.0, 40))).panel(7)
    assert not any(text.isdigit() for text in written), "bars too narrow for their numbers have none"


def test_a_picture_that_changes_its_size_takes_that_of_the_first() -> None:
    sizes = [(480, 640), (240, 320), (720, 960)]
    frames = [(float(n), np.full((*size, 3), 90, np.uint8)) for n, size in enumerate(sizes)]
    shapes = {picture.shape for _, picture in annotated_frames(frames, spans(3.0))}
    assert len(shapes) == 1


def test_long_captions_are_wrapped_and_cut_to_their_room() -> None:
    table = spans(1.0, 2.0, texts=("swing up", "far " * 60 + "end"))
    layout = layout_of(480, 360, spans=table)
    assert layout.captions[0] == ("1. swing up",)
    lines = layout.captions[1]
    assert len(lines) == 3 and lines[-1].endswith("…") and "end" not in lines[-1]
    assert all(layout.font.getlength(line) <= layout.width for line in lines)
    font = ImageFont.truetype(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf", 16)
    (word,) = wrapped("x" * 500, font, 200, most=2)
    assert font.getlength(word) <= 200 and word.endswith("…")
    assert wrapped("", font, 200, most=1) == ("",)


def test_forty_sub_actions_fit() -> None:
    table = spans(*np.linspace(0.1, 4.0, 40))
    ((_, picture),) = annotated_frames([(2.0, np.zeros((64, 64, 3), np.uint8))], table)
    assert bright(picture).any()


def test_nothing_is_left_where_the_video_turns_out_to_be_damaged(write_video: Writer, tmp_path: Path) -> None:
    source = write_video(tmp_path / "a.mp4", frames=60, container={"movflags": "+faststart"})
    source.write_bytes(source.read_bytes()[: source.stat().st_size // 2])
    (tmp_path / "out").mkdir()
    old = tmp_path / "out" / "b.mp4"
    old.write_bytes(b"the old file")
    with pytest.raises(ActAlignError, match="fetch it again"):
        write_annotated(clip(source), spans(4.0), old)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["b.mp4"]
    assert old.read_bytes() == b"the old file"


def test_a_full_disk_is_named_and_leaves_nothing(
    write_video: Writer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write_video(tmp_path / "a.mp4", frames=3)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(ActAlignError, match=r"cannot write .*b\.mp4: No space left on device; free some space"):
        write_annotated(clip(source), spans(1.0), tmp_path / "b.mp4")
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


def test_what_cannot_be_meant_is_refused(write_video: Writer, tmp_path: Path) -> None:
    source = write_video(tmp_path / "a.mp4", frames=3)
    with pytest.raises(ActAlignError, match="would replace the video it is made from"):
        write_annotated(clip(source), spans(1.0), tmp_path / "new" / ".." / "a.mp4")
    with pytest.raises(ActAlignError, match=r"end the name in \.mp4"):
        write_annotated(clip(source), spans(1.0), tmp_path / "b.webm")
    with pytest.raises(ActAlignError, match="no rows or lack some of the columns"):
        write_annotated(clip(source), spans(), tmp_path / "b.mp4")
    with pytest.raises(ActAlignError, match="no rows or lack some of the columns"):
        write_annotated(clip(source), spans(1.0).drop(columns="text"), tmp_path / "b.mp4")
    with pytest.raises(ActAlignError, match="does not exist"):
        write_annotated(clip(tmp_path / "nowhere.mp4"), spans(1.0), tmp_path / "b.mp4")
    assert not (tmp_path / "b.mp4").exists()


def test_colours_are_kept(tmp_path: Path) -> None:
    picture = np.full((64, 64, 3), (200, 40, 30), np.uint8)
    annotate._encode(iter([(0.0, picture)]), tmp_path / "red.mp4", end_s=0.1)
    frames, _ = read_frames(clip(tmp_path / "red.mp4"))
    assert np.abs(frames[0].astype(int) - picture).max() < 6


def test_times_are_exact_at_the_usual_frame_rates() -> None:
    for rate in (Fraction(24), Fraction(25), Fraction(30), Fraction(50), Fraction(60), Fraction(30000, 1001)):
        assert (1 / rate / annotate.TIME_BASE).denominator == 1
