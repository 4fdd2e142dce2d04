"""An annotated copy of a clip: under each frame the current sub-action, and a bar of evidence per sub-action.

Every frame keeps its own time, so a variable frame rate stays one. Frames are read one at a time, turned upright and
written as H.264, without sound. The letters are those of DejaVu Sans: Latin, Greek, Cyrillic and many signs.
"""

import math
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
import matplotlib
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from tqdm import tqdm

from actalign.captions import COLUMNS
from actalign.errors import ActAlignError
from actalign.files import REMEDY, replacing
from actalign.progress import is_watched
from actalign.records import Clip
from actalign.report import score_text
from actalign.video import iter_frames

TIME_BASE = Fraction(1, 90_000)  # seconds; exact for 24, 25, 30, 50, 60 and 30000/1001 frames a second
NOMINAL_RATE = 30  # frames per second that the encoder is told; times are what counts
SMALLEST_PX = 480  # a picture whose longer side is below is magnified, and no canvas is narrower
MOST_LINES = 3  # of a caption; a longer one is cut
H264 = {"crf": "20", "preset": "veryfast", "bf": "0"}  # frames out of order would upset an uneven clock
BT709 = 1  # in the numbering that H.264 shares with other standards

BACKGROUND, DIM, BRIGHT, TEXT, SOFT_TEXT = "#161616", "#4B5A63", "#56B4E9", "#FFFFFF", "#B8B8B8"

Font = ImageFont.FreeTypeFont


def write_annotated(
    clip: Clip, spans: pd.DataFrame, path: str | os.PathLike[str], *, title: str = "", progress: bool = True
) -> Path:
    """Write the clip's window as an mp4 with its sub-actions below the picture; return the path.

    The file is written whole or not at all. A window that does not begin with its video begins at 0 s in the copy.

    Args:
        clip: the window to show.
        spans: as ``captions.sub_action_spans`` gives them, timed from the start of the video.
        path: ends in .mp4; must not be the clip's own video.
        title: stands in small letters above the caption, for example the class and its score.
        progress: a bar of frames, where somebody watches.

    Raises:
        ActAlignError: another suffix, the clip's own file, no spans, a video that cannot be read (see
            ``video.iter_frames``), or a folder that cannot be written.

    >>> write_annotated(Clip("a", Path("a.mp4"), sport="judo"), pd.DataFrame(), "a.gif")
    Traceback (most recent call last):
    actalign.errors.ActAlignError: annotated copy a.gif: end the name in .mp4
    """
    path = Path(path)
    if path.suffix.lower() != ".mp4":
        raise ActAlignError(f"annotated copy {path}: end the name in .mp4")
    if path.resolve() == clip.path.resolve():
        raise ActAlignError(f"annotated copy {path} would replace the video it is made from; choose another name")
    if spans.empty or any(column not in spans.columns for column in COLUMNS):
        raise ActAlignError(f"spans have no rows or lack some of the columns {COLUMNS}; use captions.sub_action_spans")
    frames = tqdm(iter_frames(clip), unit="frame", desc=path.name, disable=not is_watched(progress))
    pictures = annotated_frames(frames, spans, title=title)
    try:
        with replacing(path) as temporary:
            _encode(pictures, temporary, end_s=float(spans["end_s"].iloc[-1]))
    except av.FFmpegError as error:
        raise ActAlignError(f"cannot write {path}: {error.strerror or error}; {REMEDY}") from error
    return path


def annotated_frames(
    frames: Iterable[tuple[float, NDArray[np.uint8]]], spans: pd.DataFrame, *, title: str = ""
) -> Iterator[tuple[float, NDArray[np.uint8]]]:
    """Each (time_s, RGB frame) with the panel below it: uint8 of one even-sided shape (H, W, 3).

    The sub-action shown is the one that has begun at the time of the frame; all frames take the size of the first.

    >>> spans = pd.DataFrame([[0.0, 1.0, 1, "toss", 0.5]], columns=list(COLUMNS))
    >>> time_s, picture = next(annotated_frames([(0.0, np.zeros((270, 481, 3), np.uint8))], spans))
    >>> picture.shape[1], picture.shape[0] > 270
    (482, True)
    """
    starts = spans["start_s"].to_numpy(dtype=np.float64)
    layout: Layout | None = None
    panels: dict[int, Image.Image] = {}
    for time_s, frame in frames:
        if layout is None:
            layout = layout_of(frame.shape[1], frame.shape[0], spans=spans, title=title)
        current = max(0, int(np.searchsorted(starts, time_s, side="right")) - 1)
        if current not in panels:
            panels[current] = layout.panel(current)
        yield time_s, layout.compose(frame, panels[current], time_s=time_s)


@dataclass(frozen=True, eq=False)
class Layout:
    """Where everything goes, in pixels: the picture (width, height) centred above a panel on a canvas so wide."""

    picture: tuple[int, int]
    width: int
    panel_height: int
    spans: pd.DataFrame
    title: str
    captions: tuple[tuple[str, ...], ...]
    font: Font
    small: Font

    @property
    def bars(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of the bars in the panel; their numbers stand below."""
        pad, bottom = round(self.font.size * 0.7), self.panel_height - round(self.small.size * 1.9)
        return pad, bottom - self.font.size * 3, self.width - pad, bottom

    def x_of(self, time_s: float) -> float:
        """The place of a time on the axis of the bars."""
        left, _, right, _ = self.bars
        first_s, last_s = self.spans["start_s"].iloc[0], self.spans["end_s"].iloc[-1]
        return left + (right - left) * min(1.0, max(0.0, (time_s - first_s) / (last_s - first_s)))

    def panel(self, current: int) -> Image.Image:
        """Title, caption and bars while the sub-action in row ``current`` takes place."""
        image = Image.new("RGB", (self.width, self.panel_height), BACKGROUND)
        draw = ImageDraw.Draw(image)
        pad, line = round(self.font.size * 0.7), self.font.size * 1.25
        values = self.spans["evidence"]
        evidence = f"evidence {score_text(values.iloc[current])} (tallest bar: {score_text(values.max())})"
        right = self.width - pad
        draw.text((right, pad), evidence, SOFT_TEXT, self.small, anchor="ra")
        room = right - pad - self.small.getlength(evidence) - self.font.size
        draw.text((pad, pad), wrapped(self.title, self.small, room, most=1)[0], SOFT_TEXT, self.small, anchor="la")
        for number, text in enumerate(self.captions[current]):
            draw.text((pad, pad + self.small.size * 1.5 + number * line), text, TEXT, self.font, anchor="la")
        self._draw_bars(draw, current)
        return image

    def _draw_bars(self, draw: ImageDraw.ImageDraw, current: int) -> None:
        _, top, _, bottom = self.bars
        evidence = self.spans["evidence"].to_numpy(dtype=np.float64)
        low = min(0.0, float(evidence.min()))
        reach = float(evidence.max()) - low or 1.0
        for row, (start_s, end_s) in enumerate(zip(self.spans["start_s"], self.spans["end_s"], strict=True)):
            left, right = self.x_of(start_s), self.x_of(end_s)
            height = max(2.0, (bottom - top) * (evidence[row] - low) / reach)
            color = BRIGHT if row == current else DIM
            draw.rectangle((left, bottom - height, max(left, right - 2), bottom), fill=color)
            label = str(self.spans["sub_action"].iloc[row])
            if self.small.getlength(label) < right - left - 4:
                middle = (left + right) / 2 - 1
                color = TEXT if row == current else SOFT_TEXT
                draw.text((middle, bottom + self.small.size * 0.3), label, color, self.small, anchor="ma")

    def compose(self, frame: NDArray[np.uint8], panel: Image.Image, *, time_s: float) -> NDArray[np.uint8]:
        """The whole picture: the frame, the panel and a line at the current time."""
        canvas = Image.new("RGB", (self.width, self.picture[1] + self.panel_height), BACKGROUND)
        picture = Image.fromarray(frame)
        if picture.size != self.picture:
            picture = picture.resize(self.picture, Image.Resampling.BICUBIC)
        canvas.paste(picture, ((self.width - self.picture[0]) // 2, 0))
        canvas.paste(panel, (0, self.picture[1]))
        _, top, _, bottom = self.bars
        x, y = self.x_of(time_s), self.picture[1]
        ImageDraw.Draw(canvas).line((x, y + top - 4, x, y + bottom), TEXT, width=max(2, round(self.font.size / 10)))
        return np.asarray(canvas)


def layout_of(width: int, height: int, *, spans: pd.DataFrame, title: str = "") -> Layout:
    """The layout for frames of ``width`` x ``height`` pixels: small ones magnified, sides even as H.264 wants them.

    >>> layout_of(64, 48, spans=pd.DataFrame([[0.0, 1.0, 1, "toss", 0.5]], columns=list(COLUMNS))).picture
    (512, 384)
    """
    zoom = max(1, math.ceil(SMALLEST_PX / max(width, height)))
    picture = width * zoom, height * zoom
    canvas = max(SMALLEST_PX, picture[0])
    canvas += canvas % 2
    size = max(16, round(canvas / 40))
    fonts = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    font = ImageFont.truetype(fonts / "DejaVuSans.ttf", size)
    small = ImageFont.truetype(fonts / "DejaVuSans.ttf", max(12, round(size * 0.75)))
    room = canvas - 2 * round(size * 0.7)
    captions = tuple(
        wrapped(f"{number}. {text}", font, room, most=MOST_LINES)
        for number, text in zip(spans["sub_action"], spans["text"], strict=True)
    )
    lines = max(len(caption) for caption in captions)
    panel = round(size * (0.7 + 1.25 * lines + 0.6 + 3) + small.size * (1.5 + 1.9))
    panel += (panel + picture[1]) % 2
    return Layout(picture, canvas, panel, spans, title, captions, font, small)


def wrapped(text: str, font: Font, room: float, *, most: int) -> tuple[str, ...]:
    """The text in at most ``most`` lines no wider than ``room`` pixels, cut with an ellipsis where it is longer."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if not lines[-1] or font.getlength(longer) <= room:
            lines[-1] = longer
        else:
            lines.append(word)
    if len(lines) > most:
        lines[most - 1 :] = [lines[most - 1] + " …"]
    return tuple(_cut(line, font, room) for line in lines)


def _cut(line: str, font: Font, room: float) -> str:
    while font.getlength(line) > room and len(line) > 1:
        line = line.rstrip(" …")[:-1] + "…"
    return line


def _encode(frames: Iterator[tuple[float, NDArray[np.uint8]]], path: Path, *, end_s: float) -> None:
    """RGB frames of one size, each with its time in seconds, as H.264 in mp4; the first comes at 0."""
    origin_s, first = next(frames)
    ticks = 0
    with av.open(str(path), "w", format="mp4", container_options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=NOMINAL_RATE, options=H264)
        stream.height, stream.width = first.shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = TIME_BASE
        for name in ("colorspace", "color_primaries", "color_trc", "color_range"):
            setattr(stream.codec_context, name, BT709)  # 1 is also the limited range
        for time_s, picture in chain([(origin_s, first)], frames):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            frame = frame.reformat(format="yuv420p", dst_colorspace="ITU709")
            ticks = round((time_s - origin_s) / TIME_BASE)
            frame.pts, frame.time_base = ticks, TIME_BASE
            container.mux(stream.encode(frame))
        for packet in stream.encode():
            if packet.pts == ticks:  # the last: nothing after it says how long it is shown
                packet.duration = max(1, round((end_s - origin_s) / TIME_BASE) - ticks)
            container.mux(packet)
