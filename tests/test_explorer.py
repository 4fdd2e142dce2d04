"""The explorer: its numbers are the package's own, every control moves what it should, and nothing fails in silence."""

import base64
import io
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.text import Text
from numpy.typing import NDArray
from PIL import Image

from actalign import dtw, paths, plots
from actalign.datasets import load
from actalign.embeddings import EmbeddingIndex, embed_clips, embed_texts
from actalign.encoder import Encoder, load_encoder
from actalign.errors import ActAlignError
from actalign.explorer import VARIANTS, Explorer, Session, Settings, View, explore, static_picture, wording
from actalign.explorer.controls import NOTHING, WIDEST
from actalign.explorer.frames import SMALLEST_PX, small_frames
from actalign.explorer.live import OLD_CAPTIONS
from actalign.explorer.picture import Picture, png
from actalign.explorer.sheet import (
    BAR_SHARE,
    LARGEST_STRIP_IN,
    OTHER_COLOR,
    PAGE,
    SCREEN,
    STRIP_IN,
    TITLE_IN,
    Sheet,
)
from actalign.explorer.view import best_frames, best_steps, path_cells, ranked
from actalign.explorer.view_widget import ViewWidget
from actalign.methods import METHODS
from actalign.options import Options
from actalign.plots.figure import BLUE, GREY, VERMILLION
from actalign.plots.step_labels import LINE_PT, ROW_PAD_PT
from actalign.questions import question_inputs, texts_needed
from actalign.records import Clip, Dataset, FrameEmbeddings, Question
from actalign.scoring import score_dataset, score_question
from actalign.video import read_frames

Writer = Callable[..., Path]
FRAMES = {"a": 5, "b": 9, "c": 14}
CLIP = "tennis-01b-test"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(paths, "CACHE", tmp_path / "cache")
    return tmp_path / "cache"


@pytest.fixture
def data(tiny_dataset: Writer, write_video: Writer) -> Dataset:
    """Six test clips of two sports with three candidates each, as real videos."""
    root = tiny_dataset()
    for path in sorted((root / "clips").glob("*-test.mp4")):
        write_video(path, frames=FRAMES[path.stem[-6]], seed=len(path.stem))
    return load(root).split("test")


@pytest.fixture(scope="module")
def encoder(tiny_checkpoint: Path) -> Encoder:
    return load_encoder(tiny_checkpoint, device="cpu")


@pytest.fixture
def embeddings(data: Dataset, encoder: Encoder) -> EmbeddingIndex:
    return embed_clips(data, encoder)


@pytest.fixture
def session(data: Dataset, embeddings: EmbeddingIndex, encoder: Encoder) -> Session:
    return Session(data, embeddings, encoder)


@pytest.fixture
def explorer(session: Session) -> Iterator[Explorer]:
    made = Explorer(session, session.start(CLIP, "short_fixed"))
    yield made
    made.widget.close()


def pixels(content: bytes) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(image.convert("RGB"))


def printed(value: float, digits: str) -> str:
    return format(value, digits).replace("-", "\N{MINUS SIGN}")


# Numbers


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(("context", "width"), [(True, 1), (False, 2)])
def test_every_number_is_the_package_s_own(
    session: Session,
    data: Dataset,
    embeddings: EmbeddingIndex,
    encoder: Encoder,
    variant: str,
    context: bool,
    width: int,
) -> None:
    settings = replace(
        session.start(CLIP, "short_fixed"), variant=variant, context=context, width=width, scale=9.0, bias=-3.0
    )
    view = session.view(settings)
    method = METHODS[VARIANTS[variant].method]
    options = Options(
        similarity="cosine" if variant == "dtw_cosine" else "affinity",
        text_template="in_sport" if context else "step",
        smoothing_width=None if width == 1 else width,
    )
    texts = embed_texts(
        texts_needed(data, methods=["dtw", "dtw_context"], styles=["short_fixed"], options=options), encoder
    )
    (question,) = (one for one in data.questions if one.clip_id == CLIP)
    settled = replace(method, settle=lambda given: given)  # the method's own settle would switch smoothing off
    inputs = question_inputs(
        data,
        question,
        embeddings,
        texts=texts,
        method=settled,
        style=settings.style,
        options=options,
        scale=9.0,
        bias=-3.0,
    )
    expected = dict(zip(question.candidates, score_question(method, inputs), strict=True))
    assert dict(zip(view.ranking["class"], view.ranking["score"], strict=True)) == pytest.approx(expected, rel=1e-6)
    assert view.ranking["score"].is_monotonic_decreasing
    assert variant == "max_per_frame" or len({round(score, 12) for score in expected.values()}) > 1
    matrices = dict(zip(question.candidates, inputs.matrices, strict=True))
    for shown in view.shown:
        np.testing.assert_allclose(shown.matrix_kt, matrices[shown.class_name], rtol=1e-6, atol=1e-12)
        step, frame = shown.cells.T
        assert shown.matrix_kt[step, frame].mean() == pytest.approx(shown.score)
        assert shown.place == view.ranking.set_index("class")["place"][shown.class_name]
        if shown.ordered:
            np.testing.assert_allclose(shown.evidence, dtw.align(shown.matrix_kt).step_evidence)


def test_where_it_starts_is_the_main_table_s_row(
    session: Session, data: Dataset, embeddings: EmbeddingIndex, encoder: Encoder
) -> None:
    texts = embed_texts(texts_needed(data, methods=["dtw_context"], styles=["short_fixed"], options=Options()), encoder)
    table = score_dataset(data, embeddings, texts, method="dtw_context", style="short_fixed", options=Options(),
                          scale=encoder.scale, bias=encoder.bias)  # fmt: skip
    for clip_id in session.clip_ids:
        rows = table[table["clip_id"] == clip_id].set_index("class")["score"].to_dict()
        view = session.view(session.start(clip_id, "short_fixed"))
        assert view.ranking.set_index("class")["score"].to_dict() == pytest.approx(rows, rel=1e-6)
        assert view.shown[0].class_name == session.question(clip_id).truth
        assert [shown.is_answer for shown in view.shown] == [True, False]
        assert view.shown[1].class_name == view.ranking.loc[~view.ranking["is_answer"], "class"].iloc[0]


def test_the_counted_cells_of_a_map_written_by_hand() -> None:
    matrix = np.array([[0.9, 0.8, 0.1], [0.1, 0.2, 0.7]])
    assert path_cells(matrix).tolist() == [[0, 0], [0, 1], [1, 1], [1, 2]]
    assert best_frames(matrix).tolist() == [[0, 0], [1, 2]]
    assert best_steps(matrix).tolist() == [[0, 0], [0, 1], [1, 2]]


def test_a_step_that_no_cell_counts_for_has_no_evidence(session: Session) -> None:
    shown = replace(session.view(session.start(CLIP)).shown[0], cells=np.array([[0, 0], [0, 1], [2, 3]]))
    expected = [shown.matrix_kt[0, :2].mean(), np.nan, shown.matrix_kt[2, 3]]
    np.testing.assert_allclose(shown.evidence[:3], expected, rtol=1e-12)


def test_an_alignment_is_called_by_what_it_does() -> None:
    assert {one.label: (one.similarity, one.cells) for one in VARIANTS.values()} == {
        "DTW on affinity (paper)": ("affinity", path_cells),
        "DTW on raw cosine": ("cosine", path_cells),
        "Order-free: best frame per step": ("affinity", best_frames),
        "Order-free: best step per frame": ("affinity", best_steps),
    }


def test_equal_scores_share_a_place_and_the_status_says_so(session: Session) -> None:
    table = ranked([("a", "a"), ("b", "bat"), ("c", "c")], np.array([0.5, 0.5, 0.75]), answer="b")
    assert table[["place", "class"]].values.tolist() == [["1", "c"], ["2=", "a"], ["2=", "b"]]
    view = replace(session.view(session.start(CLIP)), ranking=table)
    assert wording.status(view) == "Best of 3: c, score 0.7500; the answer, bat, is in place 2."
    tied = ranked([("a", "a"), ("b", "b")], np.array([0.5, 0.5]), answer="b")
    assert wording.status(replace(view, ranking=tied)).endswith(
        "2 classes tie at score 0.5000: a, b; the answer is among them."
    )


def test_the_words_for_those_who_do_not_see_the_picture_are_its_numbers(session: Session) -> None:
    view = session.view(session.start(CLIP, "short_fixed"))
    maps = " ".join(
        f"Map {one.letter}: {one.name}, {len(one.steps)} steps by 9 frames, "
        f"score {wording.ranked_score(one.score)}, place {one.place}."
        for one in view.shown
    )
    assert wording.picture(view) == f"Affinity of every step with every frame. {maps} Arrow keys move over the cells."
    won = ranked([("a", "a"), ("b", "b")], np.array([0.5, 0.75]), answer="b")
    assert wording.status(replace(view, ranking=won)) == "Best of 2: b, score 0.7500, which is the answer."
    free = session.view(replace(view.settings, variant="max_per_step"))
    best = int(free.shown[1].matrix_kt[1].argmax())
    said = [wording.cell(free, place=1, row=1, column=column).rpartition(", ")[2] for column in (best, best - 1)]
    assert said == ["counted.", "not counted."]
    raw = session.view(replace(view.settings, variant="dtw_cosine"))
    assert f". Cosine {printed(raw.shown[0].matrix_kt[0, 0], '.3g')}, " in wording.cell(raw, place=0, row=0, column=0)
    name = raw.shown[0].class_name
    edited = {("short_fixed", name): ("Clap the hands.", *raw.shown[0].steps[1:])}
    stopped = session.view(replace(raw.settings, edited=edited))
    assert ", step 1: Clap the hands. Cosine " in wording.cell(stopped, place=0, row=0, column=0)
    assert [wording.ranked_score(score) for score in (-0.0, 0.00012, -0.00099996)] == [
        "0.0000", "0.0001200", "−0.001000"
    ]  # fmt: skip


def test_other_words_for_a_step_move_that_class_alone(session: Session) -> None:
    start = session.start(CLIP, "short_fixed")
    before = session.view(start)
    name = before.shown[0].class_name
    edited = {("short_fixed", name): ("standing on the hands", *before.shown[0].steps[1:])}
    after = session.view(replace(start, edited=edited))
    old, new = (view.ranking.set_index("class")["score"] for view in (before, after))
    assert new[name] != pytest.approx(old[name], rel=1e-3)
    assert new.drop(name).to_dict() == pytest.approx(old.drop(name).to_dict())
    assert after.notes == (f"Edited: {session.name_of(name)}, step 1.",)
    other = session.view(replace(start, style="context_rich", edited=edited))
    assert not any("Edited" in note for note in other.notes)  # the words were typed for another style
    for other_count in (before.shown[0].steps[1:], (*before.shown[0].steps, "clap")):
        with pytest.raises(ActAlignError, match=r"\d edited steps stand in for the \d of 'tennis-01"):
            session.view(replace(start, edited={("short_fixed", name): other_count}))


def test_a_long_text_says_that_its_end_is_not_read(session: Session) -> None:
    start = session.start(CLIP, "short_fixed")
    shown = session.view(start).shown[0]
    long = "swing the racket up " * 20
    edited = {(start.style, shown.class_name): (long, *shown.steps[1:-1], long)}
    view = session.view(replace(start, edited=edited))
    assert view.notes == (
        f"Edited: {shown.name}, step 1, {len(shown.steps)}.",
        f"Longer than the checkpoint reads, so that the end has no effect: {shown.name}, step 1, {len(shown.steps)}.",
    )
    others = [name for name in view.ranking["class"] if name != shown.class_name]
    away = session.view(replace(view.settings, shown=others[0], against=others[1]))
    assert away.notes == view.notes[:1], "of classes on the maps alone"


# What data may lack


def test_without_labels_the_best_class_comes_first(data: Dataset, embeddings: EmbeddingIndex, encoder: Encoder) -> None:
    questions = tuple(Question(one.clip_id, one.candidates, None) for one in data.questions)
    clips = {name: replace(clip, subset="") for name, clip in data.clips.items()}
    explorer = explore(replace(data, questions=questions, clips=clips, frame_labels={}), embeddings, encoder)
    assert explorer.view.shown[0].class_name == explorer.view.ranking["class"].iloc[0]
    assert explorer.view.boundaries_s == () and "answer" not in explorer.screen.status
    assert explorer.controls.shown.options[0] == ("the best candidate", "")
    assert explorer.controls.clip.options[0] == ("tennis-01a-test", "tennis-01a-test")
    assert not explorer.view.ranking["is_answer"].any()


def test_one_candidate_has_one_map(data: Dataset, embeddings: EmbeddingIndex, encoder: Encoder) -> None:
    questions = tuple(Question(one.clip_id, (one.truth,), 0) for one in data.questions)
    explorer = explore(replace(data, questions=questions), embeddings, encoder)
    assert [shown.letter for shown in explorer.view.shown] == ["A"]
    assert len(explorer.screen.places) == 1 and len(explorer.screen.ranking) == 1
    assert explorer.figure().get_size_inches()[0] == pytest.approx(PAGE.width)


def test_a_clip_of_one_frame_is_shown(data: Dataset, embeddings: EmbeddingIndex, encoder: Encoder) -> None:
    one = FrameEmbeddings(embeddings[CLIP].embeddings[:1], embeddings[CLIP].times_s[:1])
    explorer = explore(data, {CLIP: one}, encoder, style="short_fixed")
    explorer.controls.width.value = 3
    assert explorer.screen.problem == "" and len(explorer.screen.edges) == 2
    assert explorer.screen.notes == (
        "The frames are not shown: the file has 9, the embeddings 1. Smoothed over 3 frames. "
        "5 of 6 clips are left out; the first, tennis-01a-test: it has no embeddings."
    )
    assert re.search(r"Map A: [^.]* steps by 1 frame, score ", explorer.screen.alt)
    figure = explorer.figure()
    assert pixels(png(figure)).std() > 10
    assert not any(text.get_text().startswith(("-", "−")) for text in figure.texts), "no time before 0"


def test_clips_that_failed_are_left_out_and_named(data: Dataset, encoder: Encoder) -> None:
    first, second = (one.clip_id for one in data.questions[:2])
    data.clips[first].path.write_bytes(b"not a video")
    data.clips[second].path.unlink()
    explorer = explore(data, embed_clips(data, encoder), encoder)
    assert first not in [clip_id for _, clip_id in explorer.controls.clip.options]
    assert f"2 of 6 clips are left out; the first, {first}: " in explorer.screen.notes
    assert "cannot be opened" in explorer.screen.notes and "does not exist" not in explorer.screen.notes
    with pytest.raises(ActAlignError, match=rf"clip '{first}' has no embeddings: .*cannot be opened"):
        explore(data, embed_clips(data, encoder), encoder, clip=first)
    with pytest.raises(ActAlignError, match="clip 'nobody' cannot be shown; choose one of the 4 clips"):
        explore(data, embed_clips(data, encoder), encoder, clip="nobody")
    with pytest.raises(ActAlignError, match=r"none of the 6 clips of .* has a question and embeddings"):
        explore(data, {}, encoder)


def test_embeddings_whose_video_is_gone_are_shown_without_frames(
    data: Dataset, embeddings: EmbeddingIndex, encoder: Encoder
) -> None:
    known = {name: embeddings[name] for name in embeddings}
    content = data.clips[CLIP].path.read_bytes()
    data.clips[CLIP].path.unlink()
    explorer = explore(data, known, encoder, clip=CLIP)
    assert explorer.view.frames_thwc is None and explorer.screen.frame == b""
    assert "The frames cannot be shown: " in explorer.screen.notes and explorer.screen.png
    explorer.controls.play.click()
    assert "This cannot be shown: " in explorer.screen.problem and explorer.screen.video == b""
    assert not explorer.controls.play.disabled, "to be tried again"
    data.clips[CLIP].path.write_bytes(content)
    explorer.controls.play.click()
    assert explorer.screen.problem == "" and explorer.screen.video


def test_a_class_without_a_script_is_named_and_a_style_without_any_is_refused(
    data: Dataset, embeddings: EmbeddingIndex, encoder: Encoder
) -> None:
    scripts = {style: dict(found) for style, found in data.scripts.items()}
    del scripts["context_rich"]["tennis-01a"]
    poor = replace(data, scripts={**scripts, "bare": {"judo-01a": data.scripts["context_rich"]["judo-01a"]}})
    explorer = explore(poor, embeddings, encoder, clip=CLIP, style="context_rich")
    assert "Not ranked, for want of a script of style context_rich: tennis-01a." in explorer.screen.notes
    explorer.controls.clip.value = "tennis-01a-test"
    assert ": tennis-01a (the answer)." in explorer.screen.notes, "for the best class stands in for it on map A"
    explorer.controls.clip.value = CLIP
    before = explorer.screen.status
    explorer.controls.style.value = "bare"
    assert "no candidate of clip 'tennis-01b-test' has a script of style 'bare'" in explorer.screen.problem
    assert explorer.screen.status == before
    explorer.controls.play.click()
    assert explorer.screen.video and "has a script of style 'bare'" in explorer.screen.problem, "still of another style"
    explorer.controls.style.value = "short_fixed"
    assert explorer.screen.problem == "" and len(explorer.screen.ranking) == 3


def test_without_a_sport_the_context_is_off_and_switching_it_on_says_why_not(
    data: Dataset, embeddings: EmbeddingIndex, encoder: Encoder
) -> None:
    nameless = {
        style: {name: replace(script, sport=" ") if name == "tennis-01a" else script for name, script in found.items()}
        for style, found in data.scripts.items()
    }
    explorer = explore(replace(data, scripts=nameless), embeddings, encoder, clip=CLIP)
    assert explorer.settings.context is False
    explorer.controls.context.value = True
    assert "has no sport to add as context" in explorer.screen.problem
    explorer.controls.reset.click()
    assert explorer.settings.context is False and explorer.screen.problem == ""


def test_other_frames_than_the_embeddings_are_not_shown(
    data: Dataset, embeddings: EmbeddingIndex, encoder: Encoder
) -> None:
    view = explore(data, embeddings, encoder, clip=CLIP, frame_rate=5.0).view
    assert view.frames_thwc is None
    assert view.notes[0] == "The frames are not shown: the file has 3, the embeddings 9."


def test_frames_are_as_large_as_a_clip_s_share_of_memory(
    write_video: Writer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = Clip("a", write_video(tmp_path / "a.mp4", frames=4, size=(480, 480)), sport="judo")
    for given, side in ((64e6, 240), (4 * 120 * 120 * 3, 120), (1, SMALLEST_PX)):
        monkeypatch.setattr("actalign.explorer.frames.BYTES", given)
        frames, _ = small_frames(clip, 4)
        assert frames is not None and frames.shape == (4, side, side, 3)


# Controls


def test_a_slider_moves_the_ranking_the_picture_and_the_status(explorer: Explorer) -> None:
    screen, seen = explorer.screen, []
    before = (screen.png, screen.status, screen.ranking)
    for name, value in (("width", 5), ("scale", 4.0), ("bias", -2.0)):
        getattr(explorer.controls, name).value = value
        after = (screen.png, screen.status, screen.ranking)
        assert all(new != old for new, old in zip(after, before, strict=True)), name
        assert screen.alt == wording.picture(explorer.view) and screen.video_text == ""
        assert screen.cell_text == wording.cell(explorer.view, place=0, row=0, column=0)
        seen.append([row["score"] for row in screen.ranking])
        before = after
    assert (explorer.settings.width, explorer.settings.scale, explorer.settings.bias) == (5, 4.0, -2.0)
    assert screen.notes == "Smoothed over 5 frames, 0.33 s."
    explorer.controls.context.value = False
    explorer.controls.reset.click()
    start = explorer._session.view(explorer._session.start(CLIP, "short_fixed"))
    assert [row["score"] for row in screen.ranking] == [wording.ranked_score(score) for score in start.ranking["score"]]
    assert seen[0] != seen[1] != seen[2]


@pytest.mark.parametrize(
    ("name", "value"),
    [("variant", "dtw_cosine"), ("variant", "max_per_frame"), ("context", False), ("style", "context_rich")],
)
def test_every_other_choice_moves_the_scores(explorer: Explorer, name: str, value: Any) -> None:
    before = [row["score"] for row in explorer.screen.ranking]
    getattr(explorer.controls, name).value = value
    assert [row["score"] for row in explorer.screen.ranking] != before
    assert explorer.screen.problem == ""


@pytest.mark.parametrize("variant", ["dtw", "dtw_cosine"])
def test_what_the_browser_draws_is_the_view(explorer: Explorer, data: Dataset, variant: str) -> None:
    explorer.controls.variant.value = variant
    explorer.controls.clip.value = "tennis-01c-test"  # of other places, edges and times
    view, screen = explorer.view, explorer.screen
    drawn = Picture().draw(view)
    assert screen.places == [asdict(place) for place in drawn.places] and screen.edges == list(drawn.edges)
    scores = view.ranking["score"].to_numpy()
    assert [row["share"] for row in screen.ranking] == pytest.approx(scores / np.abs(scores).max())
    for name in ("place", "name", "letter", "is_answer"):
        assert [row[name] for row in screen.ranking] == view.ranking[name].tolist()
    assert screen.steps == [list(shown.steps) for shown in view.shown] and len(screen.places) == len(view.shown)
    assert screen.times_s == pytest.approx(view.times_s.tolist(), abs=1e-6)


def test_the_controls_start_where_the_settings_say(session: Session) -> None:
    edited = {("context_rich", "tennis-01c"): ("clap",) * 4}
    start = replace(
        session.start(CLIP, "context_rich"), variant="max_per_frame", width=WIDEST + 30, context=False,
        shown="tennis-01c", against="tennis-01a", edited=edited,
    )  # fmt: skip
    controls = Explorer(session, start).controls
    assert controls.settings == start and not controls.restore.disabled
    controls.reset.click()
    assert controls.settings == replace(start, width=1)


def test_a_class_that_stands_alone_does_so_on_the_next_clip(session: Session) -> None:
    explorer = Explorer(session, replace(session.start(CLIP), against=None))
    for clip in (CLIP, "tennis-01a-test"):
        explorer.controls.clip.value = clip
        assert len(explorer.view.shown) == 1 and explorer.controls.against.label == "nothing"


def test_a_move_reaches_the_browser_in_one_message(explorer: Explorer, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[set[str]] = []
    monkeypatch.setattr(ViewWidget, "send_state", lambda self, key=None: sent.append(set(key)))
    explorer.controls.width.value = 5
    assert len(sent) == 1 and {"png", "alt", "status", "ranking", "cell_text"} <= sent[0]


def test_the_known_ends_of_sub_actions_are_where_the_labels_change(session: Session, data: Dataset) -> None:
    times_s = session.view(session.start(CLIP)).times_s
    labels = ("swing up",) * 4 + ("step back",) * (len(times_s) - 4)
    for given, known in ((labels, ((times_s[3] + times_s[4]) / 2,)), (labels[1:], ())):
        session = Session(replace(data, frame_labels={CLIP: given}), session._embeddings, session.encoder)
        assert session.view(session.start(CLIP)).boundaries_s == pytest.approx(known, abs=1e-6)


def test_another_sport_brings_its_clips_in_one_move(explorer: Explorer, monkeypatch: pytest.MonkeyPatch) -> None:
    moves: list[str] = []
    real = Session.view

    def noted(self: Session, settings: Settings) -> View:
        moves.append(settings.clip_id)
        return real(self, settings)

    monkeypatch.setattr(Session, "view", noted)
    explorer.controls.sport.value = "judo"
    assert moves == ["judo-01a-test"]
    assert [clip_id for _, clip_id in explorer.controls.clip.options] == [f"judo-01{letter}-test" for letter in "abc"]
    assert explorer.controls.clip.options[0][0] == "judo-01a-test (clean)"
    assert explorer.view.clip.id == "judo-01a-test"
    classes = [(f"the judo-01{letter} move", f"judo-01{letter}") for letter in "bca"]
    assert list(explorer.controls.shown.options) == [("the answer", ""), *classes]
    others = [("the best other candidate", ""), *classes, ("nothing", NOTHING)]
    assert list(explorer.controls.against.options) == others
    explorer.controls.width.value, explorer.controls.bias.value = 3, -2.0
    moves.clear()
    explorer.controls.reset.click()
    assert len(moves) == 1


def test_two_candidates_are_compared_and_a_class_may_stand_alone(explorer: Explorer) -> None:
    explorer.controls.shown.value = "tennis-01c"
    explorer.controls.against.value = "tennis-01a"
    assert [shown.class_name for shown in explorer.view.shown] == ["tennis-01c", "tennis-01a"]
    assert {row["name"]: row["letter"] for row in explorer.screen.ranking if row["letter"]} == {
        "the tennis-01c move": "A",
        "the tennis-01a move": "B",
    }
    explorer.controls.against.value = "tennis-01c"  # the same as A: then the best other one
    assert explorer.view.shown[1].class_name != "tennis-01c"
    settings = explorer.settings
    for other in (replace(settings, shown="judo-01a"), replace(settings, against="judo-01a")):
        with pytest.raises(ActAlignError, match="class 'judo-01a' is no candidate of clip 'tennis-01b-test' with a "):
            explorer._session.view(other)
    explorer.controls.against.index = len(explorer.controls.against.options) - 1
    assert len(explorer.view.shown) == len(explorer.screen.places) == 1
    assert explorer.controls.against.label == "nothing" and explorer.settings.against is None


def test_typing_other_words_moves_the_score_and_can_be_undone(explorer: Explorer) -> None:
    controls, screen = explorer.controls, explorer.screen
    before, own_words = screen.ranking, explorer.view.shown[0].steps[1]
    assert controls.text.value == explorer.view.shown[0].steps[0] and controls.restore.disabled
    controls.step.value = 1
    assert controls.text.value == explorer.view.shown[0].steps[1] and screen.ranking == before
    controls.text.value = "standing on the hands"
    assert screen.ranking != before and explorer.view.shown[0].steps[1] == "standing on the hands"
    settings = explorer.view.settings
    assert controls.step.options[1][0] == "2 of 3 (edited)" and controls.step.value == 1
    assert "Edited: the tennis-01b move, step 2." in screen.notes and not controls.restore.disabled
    controls.text.value = own_words.replace(" ", "  ")
    assert screen.ranking == before and controls.restore.disabled, "white space alone is no edit"
    controls.text.value = "standing on the hands"
    controls.text.value = ""
    assert screen.ranking == before and controls.text.value == explorer.view.shown[0].steps[1]
    assert controls.restore.disabled and settings.edited, "what was shown before is as it was"
    controls.text.value = "standing on the hands"
    controls.restore.click()
    assert screen.ranking == before and screen.notes == "" and controls.restore.disabled
    for typed in ("", f" {explorer.view.shown[0].steps[1]} "):
        controls.text.value = typed
        assert controls.text.value == explorer.view.shown[0].steps[1], "what counts, though nothing has changed"
    controls.text.value = "standing on the hands"
    controls.shown.value = "tennis-01c"
    assert not controls.restore.disabled and controls.step.value == 0
    controls.restore.click()
    assert controls.restore.disabled, "though map A shows another class"


def test_words_typed_after_a_style_that_failed_belong_to_the_style_still_shown(
    data: Dataset, embeddings: EmbeddingIndex, encoder: Encoder
) -> None:
    longer = {
        name: replace(script, sport=" ", steps=(*script.steps, "rest"))
        for name, script in data.scripts["context_rich"].items()
    }
    nameless = replace(data, scripts={**data.scripts, "nameless": longer})
    explorer = explore(nameless, embeddings, encoder, clip=CLIP, style="short_fixed")
    explorer.controls.style.value = "nameless"
    assert "has no sport to add as context" in explorer.screen.problem
    explorer.controls.text.value = "standing on the hands"
    explorer.controls.context.value = False
    first = explorer.view.shown[0]
    assert explorer.screen.problem == "" and first.steps == longer[first.class_name].steps
    explorer.controls.step.value = len(first.steps) - 1
    explorer.controls.style.value = "short_fixed"
    assert explorer.view.shown[0].steps[0] == "standing on the hands"
    assert explorer.controls.step.value == 0, "for there are fewer steps"


def test_typed_words_are_not_stored(explorer: Explorer, cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def stored() -> dict[Path, int]:
        return {path: path.stat().st_size for path in cache.rglob("*")}

    before = stored()
    explorer.controls.text.value = "standing on the hands"
    assert explorer.screen.problem == "" and stored() == before
    explorer.controls.style.value = "context_rich"
    assert stored() != before and capsys.readouterr().out == ""


def test_words_that_cannot_be_shown_stay_in_the_box_and_can_be_undone(explorer: Explorer) -> None:
    controls, screen = explorer.controls, explorer.screen
    before, steps = screen.ranking, explorer.view.shown[0].steps
    controls.text.value = "..."
    assert "text '...' is empty once cleaned" in screen.problem
    controls.step.value = 1
    controls.step.value = 0
    assert controls.text.value == "...", "what every score still waits for"
    assert not controls.restore.disabled
    controls.restore.click()
    assert (screen.problem, screen.ranking, controls.text.value) == ("", before, steps[0])
    controls.text.value = "..."
    controls.step.value = 1
    controls.text.value = "standing on the hands"
    controls.step.value = 0
    controls.text.value = "clap"
    assert screen.problem == "" and explorer.view.shown[0].steps == ("clap", "standing on the hands", *steps[2:])


def test_a_chosen_cell_shows_its_frame_and_offers_its_step(explorer: Explorer, data: Dataset) -> None:
    screen = explorer.screen
    screen.cell = [0, 2, 6]
    frames, _ = read_frames(data.clips[CLIP])
    np.testing.assert_array_equal(pixels(screen.frame), frames[6])
    assert (frames[6] != frames[5]).any()
    value = explorer.view.shown[0].matrix_kt[2, 6]
    assert screen.cell_text.startswith(f"Frame 7 of 9, 0.40 s. A, step 3: {explorer.view.shown[0].steps[2]}.")
    assert f"Affinity {printed(value, '.3g')}, " in screen.cell_text
    assert explorer.controls.step.value == 2 and explorer.controls.text.value == explorer.view.shown[0].steps[2]
    on_path = {tuple(cell) for cell in explorer.view.shown[0].cells.tolist()}
    screen.cell = [1, 0, 6]
    assert explorer.controls.step.value == 2, "only the steps of map A are edited"
    screen.cell = [0, 2, 6]
    assert screen.cell_text.endswith("not on the path." if (2, 6) not in on_path else ", on the path.")
    screen.cell = [7, 99, 99]  # what a browser may ask for while the maps change
    assert screen.cell == [1, len(explorer.view.shown[1].steps) - 1, 8]
    screen.cell = [-1, -1, -1]
    assert screen.cell == [0, 0, 0]


def test_the_clip_plays_with_captions_until_another_is_chosen(
    explorer: Explorer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from actalign.annotate import write_annotated
    from actalign.video import probe

    screen, titles, captions = explorer.screen, [], []

    def noted(clip: Any, spans: Any, *given: Any, title: str, **more: Any) -> Path:
        assert explorer.controls.play.disabled, "until it is done"
        titles.append(title)
        captions.append(spans)
        return write_annotated(clip, spans, *given, title=title, **more)

    monkeypatch.setattr("actalign.explorer.session.write_annotated", noted)
    explorer.controls.play.click()
    assert titles == [f"the tennis-01b move, score {printed(explorer.view.shown[0].score, '#.3g')}"]
    assert captions[0]["text"].tolist() == list(explorer.view.shown[0].steps)
    assert captions[0]["start_s"][0] == explorer.view.times_s[0]
    assert captions[0]["evidence"].to_numpy() == pytest.approx(explorer.view.shown[0].evidence)
    copy = tmp_path / "copy.mp4"
    copy.write_bytes(screen.video)
    assert probe(copy).codec == "h264" and not explorer.controls.play.disabled
    said = f"{CLIP} with the steps of the tennis-01b move."
    assert screen.video_text == said
    explorer.controls.against.value = "tennis-01c"
    assert screen.video_text == said, "map B has no captions"
    explorer.controls.width.value = 3
    assert screen.video and screen.video_text == OLD_CAPTIONS
    explorer.controls.width.value = 1
    assert screen.video_text == said, "of these settings again"
    explorer.controls.variant.value = "max_per_step"
    explorer.controls.play.click()
    assert screen.video_text.endswith("timed by DTW over the same map.")
    explorer.controls.clip.value = "tennis-01a-test"
    assert (screen.video, screen.video_text) == (b"", "")


def test_typed_words_stand_in_the_box_whenever_their_class_is_on_map_a(explorer: Explorer) -> None:
    controls = explorer.controls
    controls.text.value = "standing on the hands"
    controls.shown.value = "tennis-01c"
    assert controls.text.value == explorer.view.shown[0].steps[0] != "standing on the hands"
    controls.shown.value = ""
    assert controls.text.value == explorer.view.shown[0].steps[0] == "standing on the hands"


def test_what_nobody_foresaw_is_told_and_raised(explorer: Explorer, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: Session, settings: Any) -> View:
        raise ZeroDivisionError("nothing to divide by")

    monkeypatch.setattr(Session, "view", broken)
    with pytest.raises(ZeroDivisionError):
        explorer.controls.width.value = 4
    assert explorer.screen.problem == "Something went wrong: ZeroDivisionError: nothing to divide by."


def test_sliders_reach_the_paper_s_width_and_start_at_the_checkpoint_s_values(
    explorer: Explorer, encoder: Encoder
) -> None:
    assert explorer.controls.width.max == WIDEST >= 30
    assert (explorer.settings.scale, explorer.settings.bias) == (encoder.scale, encoder.bias)
    assert explorer.controls.scale.min < np.log10(encoder.scale) < explorer.controls.scale.max
    assert explorer.controls.bias.min < encoder.bias < explorer.controls.bias.max
    with pytest.raises(ActAlignError, match=r"scale 0.0 must be above 0"):
        replace(explorer.settings, scale=0.0)
    with pytest.raises(ActAlignError, match="smoothing width 0 must be 1 frame or more"):
        replace(explorer.settings, width=0)


# Pictures


def test_a_move_drawn_over_a_kept_background_is_the_picture_drawn_anew(session: Session) -> None:
    start = session.start(CLIP)
    first, second = session.view(start), session.view(replace(start, width=5, bias=-1.0))
    kept = Picture()
    kept.draw(first)
    assert kept.draw(second) == Picture().draw(second) != Picture().draw(first)
    for change in ({"variant": "dtw_cosine"}, {"variant": "max_per_step"}, {"shown": "tennis-01c"}, {"against": None}):
        kept.draw(first)
        other = session.view(replace(start, **change))
        assert kept.draw(other) == Picture().draw(other), change
    other = session.view(session.start("judo-01c-test"))
    assert kept.draw(other) == Picture().draw(other)


def test_places_and_edges_say_where_the_cells_are(session: Session) -> None:
    view = session.view(session.start(CLIP))
    drawn = Picture().draw(view)
    image = pixels(drawn.png)
    height, width = image.shape[:2]
    highest = max(shown.matrix_kt.max() for shown in view.shown)
    assert len(drawn.edges) == len(view.times_s) + 1 and (drawn.edges[0], drawn.edges[-1]) == (0.0, 1.0)
    checked = 0
    for place, shown in zip(drawn.places, view.shown, strict=True):
        for row, column in np.ndindex(shown.matrix_kt.shape):
            x = place.left + place.width * (drawn.edges[column] + drawn.edges[column + 1]) / 2
            y = place.top + place.height * (row + 0.15) / place.rows  # above the path
            near = np.abs(shown.cells[:, 1] - column) <= 1
            if near.any() and (np.abs(shown.cells[near, 0] - row) <= 1).any():
                continue
            color = 255 * np.array(matplotlib.colormaps["cividis"](shown.matrix_kt[row, column] / highest)[:3])
            np.testing.assert_allclose(image[int(y * height), int(x * width)], color, atol=2)
            checked += 1
    assert checked > 5


@pytest.mark.parametrize("variant", ["dtw", "dtw_cosine", "max_per_frame"])
def test_path_bars_and_ticks_stand_where_the_numbers_say(session: Session, variant: str) -> None:
    view = replace(session.view(replace(session.start(CLIP), variant=variant)), boundaries_s=(0.1, 0.25))
    if variant == "dtw_cosine":  # of either sign
        middle = float(np.median(view.shown[0].evidence))
        lowered = tuple(
            replace(one, matrix_kt=one.matrix_kt - middle - 0.1 * number) for number, one in enumerate(view.shown)
        )
        table = view.ranking.assign(score=view.ranking["score"] - view.ranking["score"].mean())
        view = replace(view, shown=lowered, ranking=table)
        assert view.shown[0].evidence.min() < 0 and table["score"].min() < 0
    sheet = Sheet(view, PAGE, ranking=True)
    sheet.update(view)
    half = (view.times_s[1] - view.times_s[0]) / 2  # frames are as long as they are apart
    first, last = view.times_s[0] - half, view.times_s[-1] + half

    def across(times_s: Any) -> NDArray[np.float64]:
        return PAGE.labels + PAGE.map * (np.asarray(times_s) - first) / (last - first)

    longest = max(np.nanmax(shown.evidence) for shown in view.shown)
    for one, place, shown in zip(sheet._maps, sheet.places, view.shown, strict=True):
        rows = (place.top + place.height * (np.arange(place.rows) + 0.5) / place.rows) * sheet.paper.height_in
        x, y = (np.asarray(part, dtype=np.float64) for part in one._path.get_data())
        np.testing.assert_allclose(x, across(view.times_s[shown.cells[:, 1]]))
        np.testing.assert_allclose(y, rows[shown.cells[:, 0]])
        assert one._path.get_linestyle() == ("-" if shown.ordered else "None")
        assert one._path.get_marker() == ("None" if shown.ordered else "o")
        lengths = np.array([bar.get_width() for bar in one._bars]) / (BAR_SHARE * PAGE.bars)
        np.testing.assert_allclose(lengths, np.maximum(np.nan_to_num(shown.evidence), 0) / longest)
        np.testing.assert_allclose([bar.get_y() + bar.get_height() / 2 for bar in one._bars], rows)
        ends = [bar.get_x() + bar.get_width() + 0.04 for bar in one._bars]
        assert [text.get_position()[0] for text in one._values] == pytest.approx(ends)
        assert [text.get_text() for text in one._values] == [
            "–" if np.isnan(value) else printed(value, ".2g") for value in shown.evidence
        ]
        assert one._title.get_text().endswith(f", score {printed(shown.score, '#.3g')}, place {shown.place}")
        assert (" (the answer), " in one._title.get_text()) == shown.is_answer
    figure = sheet.paper.figure
    lowest, highest = (end([end(shown.matrix_kt) for shown in view.shown]) for end in (np.min, np.max))
    wanted = (lowest if variant == "dtw_cosine" else 0.0, highest)
    assert [text.get_text() for text in sheet._ends] == [printed(value, ".2g") for value in wanted]
    numbers = [text.get_text().split()[0] for text in figure.texts if text.get_position()[0] == PAGE.labels - 0.04]
    assert numbers == [f"{number}." for shown in view.shown for number in range(1, len(shown.steps) + 1)]
    marks = [line for line in figure.artists if isinstance(line, Line2D) and line.get_marker() == "v"]
    assert len(marks) == 2 and all(np.allclose(mark.get_xdata(), across(view.boundaries_s)) for mark in marks)
    ticks = [
        text
        for text in figure.texts
        if text.get_text().replace(".", "").isdigit() and text.get_verticalalignment() == "top"
    ]
    ticks = [tick for tick in ticks if tick not in sheet._ends]
    assert len(ticks) > 2
    np.testing.assert_allclose([tick.get_position()[0] for tick in ticks], across([float(t.get_text()) for t in ticks]))
    scores = view.ranking["score"].to_numpy()
    bars = [bar for bar in figure.artists if isinstance(bar, Rectangle)][-len(scores) :]
    widest = max(scores.max(), 0.0) - min(scores.min(), 0.0)
    np.testing.assert_allclose([bar.get_width() for bar in bars], 0.85 * PAGE.map * scores / widest)
    zero = PAGE.labels - 0.85 * PAGE.map * min(scores.min(), 0.0) / widest
    assert [bar.get_x() for bar in bars] == pytest.approx([zero] * len(scores))
    written = figure.texts[-len(scores) * 2 - 1 : -1]  # a name and a number for each
    colors = {"A": BLUE, "B": VERMILLION, "": OTHER_COLOR}
    for row, bar, name, number in zip(view.ranking.itertuples(), bars, written[::2], written[1::2], strict=True):
        remarks = ", ".join(filter(None, [row.letter, "the answer" if row.is_answer else ""]))
        assert name.get_text() == f"{row.place}. {row.name}" and (name.get_fontweight() == "bold") == row.is_answer
        assert number.get_text() == printed(row.score, "#.3g") + (f" ({remarks})" if remarks else "")
        assert to_hex(bar.get_facecolor()) == to_hex(colors[row.letter])
        middle = bar.get_y() + bar.get_height() / 2
        assert name.get_position()[1] == number.get_position()[1] == pytest.approx(middle)
        assert number.get_position()[0] == pytest.approx(max(zero, zero + bar.get_width()) + 0.04)
    (line,) = (one for one in figure.artists if isinstance(one, Line2D) and to_hex(one.get_color()) == to_hex(GREY))
    assert line.get_xdata() == pytest.approx([zero, zero])
    badges = [text for text in figure.texts if text.get_text() in ("A", "B")]
    assert [badge.get_text() for badge in badges] == [shown.letter for shown in view.shown]
    for one, badge, shown in zip(sheet._maps, badges, view.shown, strict=True):
        assert {to_hex(bar.get_facecolor()) for bar in one._bars} == {to_hex(colors[shown.letter])}
        box = badge.get_bbox_patch()
        assert box is not None and to_hex(box.get_facecolor()) == to_hex(colors[shown.letter])
        assert to_hex(badge.get_color()) == to_hex("white")


def test_the_picture_on_the_screen_is_the_whole_sheet(session: Session) -> None:
    view = session.view(session.start(CLIP))
    with plots.style():
        sheet = Sheet(view, SCREEN)
        sheet.update(view)
    whole, drawn = pixels(png(sheet.paper.figure)), pixels(Picture().draw(view).png)
    assert (drawn != whole).any(axis=2).mean() < 1e-4, "but for where two artists touch"


def test_the_picture_says_what_its_colours_bars_and_times_are(session: Session) -> None:
    view = session.view(replace(session.start(CLIP), variant="dtw_cosine"))
    sheet = Sheet(view, PAGE, ranking=True)
    texts = {text.get_text() for text in sheet.paper.figure.texts}
    assert {"Cosine", "Evidence", "Time (s)", "Score of each candidate"} <= texts
    images = [np.asarray(image.get_array()) for image in sheet.paper.axes.get_images()]
    (bar,) = (image for image in images if image.shape == (1, 100))
    assert (np.diff(bar[0]) > 0).all(), "the largest value is on the right"


def test_maps_of_different_heights_stand_one_below_the_other(session: Session) -> None:
    view = session.view(replace(session.start(CLIP), shown="tennis-01c", against="tennis-01a"))
    sheet = Sheet(view, PAGE)
    first, second = sheet.places
    assert (first.rows, second.rows) == (4, 2)
    between = (second.top - first.top - first.height) * sheet.paper.height_in
    assert between == pytest.approx(TITLE_IN)


def test_rows_have_room_for_the_longest_step_of_either_map(session: Session) -> None:
    start = replace(session.start(CLIP), against="tennis-01c")
    steps = session.view(start).shown[1].steps
    edited = {(start.style, "tennis-01c"): (*steps[:-1], "swing the racket up " * 20)}
    sheet = Sheet(session.view(replace(start, edited=edited)), PAGE)
    rows = [place.height * sheet.paper.height_in / place.rows for place in sheet.places]
    assert rows == pytest.approx([(PAGE.lines * LINE_PT + ROW_PAD_PT) / 72] * 2)


def test_scores_that_are_all_zero_are_shown_without_bars(session: Session) -> None:
    explorer = Explorer(session, replace(session.start(CLIP), bias=-1e4))
    assert [(row["score"], row["share"]) for row in explorer.screen.ranking] == [("0.0000", 0.0)] * 3
    assert pixels(png(explorer.figure())).std() > 10


def test_evidence_that_is_all_below_zero_has_no_bars(session: Session) -> None:
    view = session.view(session.start(CLIP))
    view = replace(view, shown=tuple(replace(one, matrix_kt=one.matrix_kt - 2) for one in view.shown))
    sheet = Sheet(view, PAGE)
    sheet.update(view)
    assert {bar.get_width() for one in sheet._maps for bar in one._bars} == {0.0}


def test_a_name_too_long_for_its_place_ends_in_an_ellipsis(session: Session) -> None:
    view = session.view(session.start(CLIP))
    table = view.ranking.assign(place=["1", "2", "3"], name=["n" * 28, "n" * 29, "lob"])
    texts = {text.get_text() for text in static_picture(replace(view, ranking=table)).texts}
    assert {f"1. {'n' * 28}", f"2. {'n' * 27}…", "3. lob"} <= texts


def test_times_late_in_a_long_video_are_told_apart(session: Session) -> None:
    view = session.view(session.start(CLIP))
    texts = [text.get_text() for text in static_picture(replace(view, times_s=view.times_s + 100_000)).texts]
    ticks = [text for text in texts if text.startswith("100000")]
    assert len(ticks) == len(set(ticks)) > 2


def test_the_strip_keeps_the_shape_of_its_frames(session: Session) -> None:
    view = session.view(session.start(CLIP))
    assert view.frames_thwc is not None
    for frames, shape in ((view.frames_thwc[:, ::2], 2.0), (view.frames_thwc[:, :, ::2], 0.5)):
        sheet = Sheet(replace(view, frames_thwc=frames), PAGE)
        (strip,) = (one for one in sheet.paper.axes.get_images() if np.asarray(one.get_array()).ndim == 3)
        left, right, bottom, top = strip.get_extent()
        width = frames.shape[2] + max(1, frames.shape[2] // 40)
        count = np.asarray(strip.get_array()).shape[1] // width
        assert (right - left) / count / (bottom - top) == pytest.approx(shape)
        assert STRIP_IN * 0.7 < bottom - top <= LARGEST_STRIP_IN


def test_the_strip_shows_the_frames_in_the_middle_of_equal_spans(session: Session) -> None:
    view = session.view(session.start("judo-01c-test"))
    assert view.frames_thwc is not None
    sheet = Sheet(view, PAGE)
    pictures = [np.asarray(image.get_array()) for image in sheet.paper.axes.get_images()]
    strip = next(picture for picture in pictures if picture.ndim == 3)
    width = view.frames_thwc.shape[2]
    pitch = width + max(1, width // 40)
    count = strip.shape[1] // pitch
    half = (view.times_s[1] - view.times_s[0]) / 2
    spans = np.linspace(view.times_s[0] - half, view.times_s[-1] + half, count + 1)
    assert 1 < count < len(view.times_s) and strip.shape[1] == count * pitch
    for place, middle in enumerate((spans[1:] + spans[:-1]) / 2):
        nearest = int(np.argmin(np.abs(view.times_s - middle)))
        np.testing.assert_array_equal(strip[:, place * pitch : place * pitch + width], view.frames_thwc[nearest])


def test_the_static_picture_is_the_same_each_time_and_no_text_touches_another(
    data: Dataset, embeddings: EmbeddingIndex, encoder: Encoder
) -> None:
    long = {
        name: (f"{name} with a name that goes on and on, as names of real actions sometimes do",)
        for name in data.class_names
    }
    wordy = {
        "wordy": {
            name: replace(script, steps=tuple(f"{step} {'and keep the back straight ' * 5}" for step in script.steps))
            for name, script in data.scripts["context_rich"].items()
        }
    }
    session = Session(replace(data, class_names=long, scripts=wordy), embeddings, encoder)
    view = session.view(session.start(CLIP))
    figure = static_picture(view)
    assert png(figure) == png(static_picture(view))
    assert any(text.get_text().endswith(f", place {view.shown[0].place}") for text in figure.texts)
    boxes = [text.get_window_extent() for text in figure.findobj(Text) if text.get_text()]
    page = figure.bbox
    assert all(page.x0 <= box.x0 and box.x1 <= page.x1 and page.y0 <= box.y0 and box.y1 <= page.y1 for box in boxes)
    touching = [
        (one, other) for number, one in enumerate(boxes) for other in boxes[:number] if one.overlaps(other)
    ]  # fmt: skip
    assert len(boxes) > 20 and touching == []


def test_a_dollar_sign_in_a_name_is_a_dollar_sign(data: Dataset, embeddings: EmbeddingIndex, encoder: Encoder) -> None:
    named = {name: (rf"{name} for $\foo{{$",) for name in data.class_names}
    session = Session(replace(data, class_names=named), embeddings, encoder)
    view = session.view(session.start(CLIP))
    assert pixels(Picture().draw(view).png).std() > 10
    assert png(static_picture(view))


def test_a_cell_shows_the_widgets_and_a_picture_where_they_cannot_run(explorer: Explorer) -> None:
    data, _ = explorer._repr_mimebundle_()
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == explorer.widget.model_id
    assert pixels(base64.b64decode(data["image/png"])).std() > 10
    assert data["text/plain"] == f"Explorer('{CLIP}': {explorer.screen.status})"
    before = data["image/png"]
    explorer.controls.width.value = 7
    assert explorer._repr_mimebundle_()[0]["image/png"] != before


def test_all_that_the_browser_needs_is_in_the_widget(explorer: Explorer) -> None:
    state = explorer.screen.get_state()
    assert "export default { render }" in state["_esm"] and ".actalign-map" in state["_css"]
    traits = set(ViewWidget.class_trait_names(sync=True))
    shown = {
        "png",
        "places",
        "edges",
        "alt",
        "status",
        "notes",
        "problem",
        "ranking",
        "cell",
        "cell_text",
        "frame",
        "video",
    }
    assert shown <= traits and all(f'"{name}"' in state["_esm"] or f" {name}:" in state["_esm"] for name in shown)
    json.dumps({name: state[name] for name in shown if not isinstance(state[name], bytes)})  # plain values only
    assert "actalign-explorer" in explorer.widget._dom_classes


def test_the_rest_of_the_package_needs_no_widgets() -> None:
    code = (
        "import sys; import actalign.scoring, actalign.plots, actalign.classification; "
        "assert not {'ipywidgets', 'anywidget'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[1])
