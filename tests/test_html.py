"""What notebooks show: whatever a name holds it is text, drawings speak, and no colour is fixed."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from actalign import dtw, html
from actalign.captions import sub_action_spans
from actalign.classification import Classification, RankedClass
from actalign.masks import Masks
from actalign.options import options
from actalign.records import Alignment, Clip, Dataset, FrameEmbeddings, Question, Script, TextEmbeddings

EVIL = "<script>alert('x')</script> & \"so on\""
AFFINITY = np.array([[0.9, 0.8, 0.1, 0.1], [0.1, 0.2, 0.7, 0.6]])
TIMES_S = np.arange(4) / 10
VOID = {"br", "img", "hr", "polyline", "rect"}


class Reader(HTMLParser):
    """Tags and texts; complains of a tag that is closed before it is opened or never."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(source)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def _ranked(name: str) -> RankedClass:
    script = Script(name, sport=EVIL, steps=(EVIL, "swing & hit"))
    alignment = dtw.align(AFFINITY)
    spans = sub_action_spans(alignment, times_s=TIMES_S, steps=script.steps)
    return RankedClass(name, script, AFFINITY, alignment, spans)


CLIP = Clip(EVIL, Path(f"{EVIL}.mp4"), sport=EVIL, start_s=1.0, end_s=2.5, family=EVIL, subset=EVIL)
SCRIPT = Script(EVIL, sport=EVIL, steps=(EVIL, "hit"))
SHOWN: dict[str, Any] = {
    "clip": CLIP,
    "question": Question(EVIL, (EVIL, "lob"), 0),
    "script": SCRIPT,
    "frames": FrameEmbeddings(np.ones((4, 2), dtype=np.float32), TIMES_S),
    "texts": TextEmbeddings((EVIL, "hit"), np.ones((2, 3), dtype=np.float32)),
    "alignment": dtw.align(AFFINITY),
    "dataset": Dataset(
        EVIL, Path(EVIL), {EVIL: CLIP}, (Question(EVIL, (EVIL, "lob"), 0),), scripts={EVIL: {EVIL: SCRIPT}}
    ),
    "ranked": _ranked(EVIL),
    "classification": Classification(CLIP, (_ranked(EVIL), _ranked("lob")), TIMES_S, "", options()),
}


@pytest.mark.parametrize("name", SHOWN)
def test_every_noun_is_well_formed_escaped_and_of_the_pages_colours(name: str) -> None:
    source = SHOWN[name]._repr_html_()
    read = Reader(source)
    assert "script" not in read.tags and "<script" not in source
    assert {"table", "svg"} & set(read.tags)
    assert not re.search(r"background|#[0-9a-fA-F]{3,6}\b|\b(white|black)\b(?!-)|class=|onclick|href|src=", source)
    if name not in ("frames", "alignment"):
        assert EVIL in "".join(read.texts), "it is shown as text"


def test_a_source_that_is_not_escaped_would_be_seen() -> None:
    assert "script" in Reader(f"<td>{EVIL}</td>").tags
    with pytest.raises(AssertionError, match="never closed"):
        Reader("<table><tr>")


def test_a_clip_says_its_window_and_leaves_out_what_it_has_not() -> None:
    whole = Reader(Clip("a", Path("a.mp4"), sport="judo")._repr_html_()).texts
    assert whole == ["Clip a", "sport", "judo", "file", "a.mp4", "window", "start to end", "split", "test"]
    part = Reader(replace(CLIP, end_s=None)._repr_html_()).texts
    assert "1.00 s to end" in part
    assert "0.00 s to 2.50 s" in Reader(replace(CLIP, start_s=None)._repr_html_()).texts
    masked = replace(CLIP, masks=Masks(frames=((3, (((0, 0), (4, 0), (4, 2)),)),)))
    assert "text in 1 of its frames is blurred" in Reader(masked._repr_html_()).texts
    assert "masks" not in Reader(replace(CLIP, masks=Masks())._repr_html_()).texts


def test_a_question_marks_its_answer_or_says_that_it_has_none() -> None:
    texts = Reader(Question("a", ("serve", "lob"), 1)._repr_html_()).texts
    assert texts == ["Question about clip a", "candidate", "1", "serve", "2", "lob", "answer"]
    unlabelled = Reader(Question("a", ("serve", "lob"), None)._repr_html_()).texts
    assert "Question about clip a, no answer known" in unlabelled and "answer" not in unlabelled


def test_frames_say_their_shape_and_rate_and_one_frame_has_no_rate() -> None:
    texts = Reader(SHOWN["frames"]._repr_html_()).texts
    assert texts[1:] == [
        *("frames", "4", "width", "2", "first and last", "0.00 s, 0.30 s"),
        *("rate", "10 a second", "length of a row", "1.41 to 1.41"),
    ]
    one = FrameEmbeddings(np.ones((1, 2), dtype=np.float32), np.zeros(1))
    assert "rate" not in Reader(one._repr_html_()).texts


def test_a_data_set_counts_clips_answers_and_sports_and_names_only_the_commonest() -> None:
    clips = {f"{n}": Clip(f"{n}", Path("a.mp4"), sport=f"sport {min(n, 14):02d}") for n in range(20)}
    questions = tuple(Question(name, ("a", "b"), 0 if int(name) < 5 else None) for name in clips)
    texts = Reader(Dataset("mine", Path("here"), clips, questions)._repr_html_()).texts
    facts = dict(zip(texts[1::2], texts[2::2], strict=True))
    assert facts["clips"] == "20" and facts["questions"] == "20, of which 5 have an answer"
    assert facts["sports"].startswith("sport 14 6, sport 00 1, ") and facts["sports"].endswith("and 3 more 3")
    assert facts["scripts"] == "none"
    thirteen = {name: clip for name, clip in clips.items() if int(name) < 13}
    texts = Reader(Dataset("mine", Path("here"), thirteen, ())._repr_html_()).texts
    assert texts[texts.index("sports") + 1].endswith(", sport 11 1, and 1 more 1")


def test_long_tables_end_with_how_many_more() -> None:
    texts = Reader(html.table([[n] for n in range(1050)])).texts
    assert texts[:2] == ["0", "1"] and texts[-1] == "… and 1,030 more" and len(texts) == 21
    assert len(Reader(html.table([[n] for n in range(20)])).texts) == 20


def _svg(source: str) -> ElementTree.Element:
    return ElementTree.fromstring(source[source.index("<svg") : source.index("</svg>") + 6])


def test_the_drawing_of_an_alignment_has_a_text_and_holds_path_and_evidence() -> None:
    alignment = SHOWN["alignment"]
    svg = _svg(alignment._repr_html_())
    assert svg.get("role") == "img"
    said = svg.get("aria-label")
    assert said is not None and said.startswith(repr(alignment)) and said.endswith("1: 0.85, 2: 0.5")
    assert svg.findtext("title") == said
    (line,) = svg.iter("polyline")
    points = [tuple(map(float, point.split(","))) for point in line.get("points", "").split()]
    assert len(points) == len(alignment.path)
    (frame, *bars) = svg.iter("rect")
    left, top, width, height = (float(frame.get(name, "")) for name in ("x", "y", "width", "height"))
    assert all(left < x < left + width and top < y < top + height for x, y in points)
    assert points[0][0] < points[-1][0] and points[0][1] < points[-1][1], "forward in time, first step on top"
    long = [float(bar.get("width", "")) for bar in bars]
    assert long[1] / long[0] == pytest.approx(alignment.step_evidence[1] / alignment.step_evidence[0], rel=0.01)
    box = [float(side) for side in svg.get("viewBox", "").split()]
    assert all(float(text.get("x", "")) < box[2] and float(text.get("y", "")) < box[3] for text in svg.iter("text"))


def test_evidence_below_zero_or_none_at_all_has_a_bar_of_no_length() -> None:
    path = np.array([[0, 0], [1, 1]])
    for evidence in (np.array([0.0, 0.0]), np.array([-0.5, np.nan])):
        drawing = html.path_drawing(path, evidence, text="none")
        assert [bar.get("width") for bar in list(_svg(drawing).iter("rect"))[1:]] == ["0.0", "0.0"]


def test_a_classification_shows_ranking_times_and_path() -> None:
    shown = SHOWN["classification"]
    texts = Reader(shown._repr_html_()).texts
    assert texts.index(EVIL, 4) < texts.index("lob"), "best first"
    spans = shown.best.spans
    assert isinstance(spans, pd.DataFrame)
    assert f"{spans['start_s'].iloc[1]:.2f}\N{EN DASH}{spans['end_s'].iloc[1]:.2f}\N{NO-BREAK SPACE}s" in texts
    assert "2. swing & hit" in texts


def test_a_long_script_and_a_single_step_are_drawn_alike() -> None:
    for steps, frames in ((1, 1), (40, 3000)):
        path = np.array([(0, 0), *((row, frames - 1) for row in range(steps))])
        alignment = Alignment(0.5, 0.5 * len(path), path, np.full(steps, 0.5))
        svg = _svg(alignment._repr_html_())
        assert len(list(svg.iter("rect"))) == steps + 1
