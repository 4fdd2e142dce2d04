"""One call for one video: the same scores as the long way, files to look at, and errors a new user can act on."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import actalign
from actalign import html, paths
from actalign.classification import Classification, Steps, classify
from actalign.datasets import load
from actalign.embeddings import embed_clips, embed_texts
from actalign.encoder import load_encoder
from actalign.errors import ActAlignError
from actalign.options import Options
from actalign.questions import text_groups
from actalign.records import Clip, Script
from actalign.scoring import score_dataset
from actalign.video import probe, read_frames

Writer = Callable[..., Path]
SCRIPTS = {"lob": ["step back", "swing up"], "judo throw": ["fall down", "stand still", "step back"]}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(paths, "CACHE", tmp_path / "cache")
    return tmp_path / "cache"


@pytest.fixture
def video(write_video: Writer, tmp_path: Path) -> Path:
    return write_video(tmp_path / "mine.mp4", frames=12)


@pytest.fixture
def result(video: Path, tiny_checkpoint: Path) -> Classification:
    return classify(video, list(SCRIPTS), scripts=SCRIPTS, sport="tennis", encoder=tiny_checkpoint)


def test_every_class_is_ranked_with_an_alignment_and_the_evidence_of_its_steps(result: Classification) -> None:
    assert {one.class_name for one in result.ranked} == set(SCRIPTS)
    assert [one.score for one in result.ranked] == sorted((one.score for one in result.ranked), reverse=True)
    for one in result.ranked:
        steps = SCRIPTS[one.class_name]
        assert one.script == Script(one.class_name, "tennis", tuple(steps))
        assert one.affinity_kt.shape == (len(steps), 12)
        assert one.spans["text"].tolist() == steps
        np.testing.assert_array_equal(one.spans["evidence"], one.alignment.step_evidence)
        assert (one.spans["start_s"].iloc[0], one.spans["end_s"].iloc[-1]) == pytest.approx((0.0, 0.8))
    assert result.of("lob").class_name == "lob" and result.best is result.ranked[0]
    with pytest.raises(ActAlignError, match="'smash' was not asked for; choose one of"):
        result.of("smash")


def test_the_best_class_is_first_in_whatever_order_they_are_asked_for(
    video: Path, tiny_checkpoint: Path, result: Classification
) -> None:
    turned = classify(video, list(SCRIPTS)[::-1], scripts=SCRIPTS, sport="tennis", encoder=tiny_checkpoint)
    assert result.ranked[0].score > result.ranked[1].score
    assert [one.class_name for one in turned.ranked] == [one.class_name for one in result.ranked]


def test_a_sport_that_is_named_comes_before_the_clips_own(video: Path, tiny_checkpoint: Path) -> None:
    clip = Clip("mine", video, sport="judo")
    for sport, expected in (("tennis", "tennis"), (None, "judo")):
        found = classify(clip, ["lob"], scripts=SCRIPTS, sport=sport, encoder=tiny_checkpoint)
        assert found.best.script.sport == expected


def test_the_table_has_a_row_per_class_best_first(result: Classification) -> None:
    table = result.table()
    assert list(table.columns) == ["rank", "class", "sport", "sub_actions", "score"]
    assert table["rank"].tolist() == [1, 2]
    assert table["class"].iloc[0] == result.best.class_name
    assert set(table["sport"]) == {"tennis"}
    assert table["sub_actions"].tolist() == [len(SCRIPTS[name]) for name in table["class"]]


@pytest.mark.parametrize(
    "options",
    [
        Options(smoothing_width=None),
        Options(smoothing_width=3),
        Options(similarity="cosine", text_padding="longest"),
        Options(smoothing_padding="released", smoothing_width=None),
        Options(smoothing_padding="released", smoothing_width=3),
        Options(smoothing_width=None, affinity_scale=20.0, affinity_bias=-4.0),
    ],
)
def test_scores_are_those_of_the_long_way(
    options: Options, tiny_dataset: Callable[..., Path], write_video: Writer, tiny_checkpoint: Path
) -> None:
    root = tiny_dataset()
    dataset = load(root)
    clip_id = "tennis-01a-test"
    write_video(dataset.clips[clip_id].path, frames=9)
    encoder = load_encoder(tiny_checkpoint)
    question = next(one for one in dataset.questions if one.clip_id == clip_id)
    frames = {clip_id: embed_clips([dataset.clips[clip_id]], encoder)[clip_id]}
    groups = text_groups(dataset, methods=["dtw_context_smoothing"], styles=["short_fixed"], options=options)
    texts = embed_texts(groups, encoder, group_padding=options.text_padding)
    scores = score_dataset(
        dataset, frames, texts, method="dtw_context_smoothing",
        style="short_fixed", options=options, scale=encoder.scale, bias=encoder.bias,
    )  # fmt: skip
    expected = scores[scores["clip_id"] == clip_id].set_index("class")["score"]
    result = classify(
        dataset.clips[clip_id], question.candidates, scripts=dataset.scripts["short_fixed"], encoder=encoder,
        options=options,
    )  # fmt: skip
    assert {one.class_name: one.score for one in result.ranked} == expected.to_dict()


def test_no_smoothing_unless_asked_for(video: Path, tiny_checkpoint: Path, result: Classification) -> None:
    assert result.options == Options(smoothing_width=None)
    smoothed = classify(
        video, list(SCRIPTS), scripts=SCRIPTS, sport="tennis", encoder=tiny_checkpoint, options=Options()
    )
    assert smoothed.of("lob").score != result.of("lob").score


def test_a_window_is_looked_at_on_its_own_and_keeps_the_times_of_the_video(
    video: Path, tiny_checkpoint: Path, tmp_path: Path
) -> None:
    window = Clip("part", video, sport="tennis", start_s=0.2, end_s=0.6)
    result = classify(window, ["lob"], scripts=SCRIPTS, encoder=tiny_checkpoint)
    np.testing.assert_allclose(result.times_s, np.arange(3, 9) / 15, atol=1e-9)
    assert result.best.spans["start_s"].iloc[0] == pytest.approx(0.2)
    frames, _ = read_frames(Clip("copy", result.write_annotated(tmp_path / "copy.mp4"), sport=""))
    assert len(frames) == 6


def test_fewer_frames_are_looked_at_on_request(video: Path, tiny_checkpoint: Path, tmp_path: Path) -> None:
    result = classify(video, ["lob"], scripts=SCRIPTS, sport="tennis", encoder=tiny_checkpoint, frame_rate=5)
    assert len(result.times_s) == 4
    frames, _ = read_frames(Clip("copy", result.write_annotated(tmp_path / "copy.mp4"), sport=""))
    assert len(frames) == 12, "the annotated copy shows every frame"


@pytest.mark.parametrize("frame_rate", [15.0, None])
def test_what_was_encoded_once_is_reused(
    frame_rate: float | None, video: Path, tiny_checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    encoder = load_encoder(tiny_checkpoint)
    for scripts in (SCRIPTS, {**SCRIPTS, "lob": ["swing the racket up"]}):
        classify(video, list(SCRIPTS), scripts=scripts, sport="judo", encoder=encoder, frame_rate=frame_rate)
    printed = capsys.readouterr().out
    assert "computed 1, failed 0" in printed and "clips: loaded 1 from cache, computed 0" in printed


def test_sports_come_from_the_class_then_the_script_then_the_call(video: Path, tiny_checkpoint: Path) -> None:
    scripts: dict[str, Steps] = {
        "a": Script("a name of its own", "judo", ("fall down",)),
        "b": Script("b", "judo", ("step back",)),
        "c": ["swing up"],
    }
    result = classify(video, {"a": "tennis", "b": "", "c": ""}, scripts=scripts, sport="golf", encoder=tiny_checkpoint)
    assert {one.class_name: one.script.sport for one in result.ranked} == {"a": "tennis", "b": "judo", "c": "golf"}


def test_without_context_no_sport_is_needed(video: Path, tiny_checkpoint: Path) -> None:
    plain = Options(smoothing_width=None, text_template="step")
    assert classify(video, ["lob"], scripts=SCRIPTS, encoder=tiny_checkpoint, options=plain).best.script.sport == ""


def test_captions_and_an_annotated_copy_are_written_for_the_best_or_a_named_class(
    result: Classification, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vtt = result.write_captions(tmp_path / "best.vtt")
    assert vtt.read_text().count(" --> ") == len(result.best.script)
    table = result.write_captions(tmp_path / "lob.csv", class_name="lob").read_text()
    assert "swing up" in table and "fall down" not in table
    copy = result.write_annotated(tmp_path / "lob.mp4", class_name="lob")
    assert probe(copy).codec == "h264"
    with pytest.raises(ActAlignError, match="was not asked for"):
        result.write_annotated(tmp_path / "x.mp4", class_name="x")
    given: list[tuple[object, str]] = []
    monkeypatch.setattr(
        "actalign.classification.write_annotated", lambda clip, spans, path, *, title: given.append((spans, title))
    )
    last = replace(result.ranked[-1], alignment=replace(result.ranked[-1].alignment, score=-0.25))
    replace(result, ranked=(*result.ranked[:-1], last)).write_annotated("x.mp4", class_name=last.class_name)
    ((shown, title),) = given
    assert shown is last.spans and title == f"{last.class_name}, 2 of 2, score −0.250"


def test_a_result_shows_itself_in_a_notebook_without_running_what_it_holds(video: Path, tiny_checkpoint: Path) -> None:
    scripts = {"<script>alert(1)</script>": ["step <b>back</b>", "swing & stop"]}
    result = classify(video, list(scripts), scripts=scripts, sport="tennis", encoder=tiny_checkpoint)
    shown = result._repr_html_()
    assert "<script>" not in shown and "<b>back" not in shown and "swing &amp; stop" in shown
    assert "1. step" in shown and "0.00\N{EN DASH}" in shown
    assert repr(result).startswith("Classification('mine.mp4', 12 frames: ")
    assert repr(result.best).endswith("2 sub-actions)")


def test_a_result_shows_the_ranking_and_the_alignment_of_the_best(result: Classification) -> None:
    shown = result._repr_html_()
    ranking = [(place, one.class_name, f"{one.score:.4g}") for place, one in ((1, result.best), (2, result.ranked[1]))]
    assert shown.startswith(html.table(ranking, header=["", "class", "score"], caption="mine.mp4, 12 frames"))
    assert shown.endswith(result.best.alignment.drawing())


def test_what_is_missing_is_named_before_any_work_is_done(
    video: Path, tiny_checkpoint: Path, tmp_path: Path, cache: Path
) -> None:
    def refused(message: str, *, of: Path = video, classes: object = ("lob",), **changes: object) -> None:
        given = {"scripts": SCRIPTS, "sport": "tennis", "encoder": tiny_checkpoint} | changes
        with pytest.raises(ActAlignError, match=message):
            classify(of, classes, **given)  # type: ignore[arg-type]

    refused(r"nowhere\.mp4 does not exist; check the path", of=tmp_path / "nowhere.mp4")
    refused("needs an encoder: pass encoder='google/siglip-so400m-patch14-384'", encoder=None)
    refused("checkpoint folder .*none does not exist", encoder=tmp_path / "none")
    refused("classes is one text, 'lob'; pass a list", classes="lob")
    refused("give at least one, each once", classes=[])
    refused("give at least one, each once", classes=["lob", "lob"])
    refused("class 'lobb' has no script; did you mean 'lob'", classes=["lobb"])
    refused("class 'x' has no script; write its sub-actions in order .there are scripts of", classes=["x"])
    refused("there are no scripts at all", scripts={})
    refused("script of class 'lob' is one string, 'step back'", scripts={"lob": "step back"})
    refused("script of class 'lob' has no steps", scripts={"lob": []})
    refused("class 'lob' has no sport, which every sub-action is given as context", sport=None)
    refused("an even smoothing_width, 30, leaves a frame less", options=Options(smoothing_padding="released"))
    assert not cache.exists()


def test_a_video_that_cannot_be_read_says_why(tmp_path: Path, tiny_checkpoint: Path) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"not a video")
    with pytest.raises(ActAlignError, match=r"broken\.mp4 cannot be opened"):
        classify(broken, ["lob"], scripts=SCRIPTS, sport="tennis", encoder=tiny_checkpoint)


def test_a_hub_id_is_announced_and_never_replaced_by_another(video: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ActAlignError, match="checkpoint nobody/nothing cannot be loaded"):
        classify(video, ["lob"], scripts=SCRIPTS, sport="tennis", encoder="nobody/nothing")
    assert "nobody/nothing: downloaded from the hub unless it is in the cache" in capsys.readouterr().out


def test_the_package_offers_it_without_importing_anything_before() -> None:
    code = (
        "import sys; before = set(sys.modules); import actalign; "
        "assert set(sys.modules) - before == {'actalign'}, set(sys.modules) - before; "
        "assert actalign.classify.__module__ == 'actalign.classification'; import actalign.classification; "
        "assert callable(actalign.classify)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(actalign.__file__).parents[1])
    with pytest.raises(AttributeError, match="has no attribute 'clasify'"):
        _ = actalign.clasify  # type: ignore[attr-defined]
