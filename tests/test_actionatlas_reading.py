from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from atlas_copy import GOAL, atlas_row, write_jsonl

from actalign import datasets, paths
from actalign.datasets.actionatlas.manifest import read_manifest
from actalign.datasets.actionatlas.reading import read_actionatlas, read_masks, restrict
from actalign.errors import ActAlignError
from actalign.fetching.local import import_videos
from actalign.files import write_whole
from actalign.llm.classes import classes_of
from actalign.video import iter_frames


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write_video: Callable[..., Path]) -> Path:
    """data/actionatlas with six rows: 0 and 3 there, 1 missing, 2 of the same video as 0, 4 and 5 faulty."""
    monkeypatch.setattr(paths, "DATA", tmp_path / "data")
    rows = [
        atlas_row(0),
        atlas_row(1, frames_to_obfuscate={"1": [GOAL]}),
        atlas_row(2, youtube_id="video0", start_timestamp=2.0, end_timestamp=9.0),
        atlas_row(3, frames_to_obfuscate={"1": [GOAL], "7": [GOAL]}),
        atlas_row(4, answer=None, frames_to_obfuscate={"1": [GOAL]}),
        atlas_row(5, end_timestamp=None),
    ]
    (tmp_path / "mine").mkdir()
    for number in (0, 3):
        write_video(tmp_path / "mine" / f"video{number}.mp4", frames=45, seed=number)
    import_videos(tmp_path / "mine", copy=write_jsonl(tmp_path / "table.jsonl", rows), revision="abc123")
    return tmp_path / "data" / "actionatlas"


def test_load_gives_every_question_and_the_clips_that_are_there(data: Path) -> None:
    dataset = datasets.load("actionatlas")
    assert (dataset.name, dataset.root) == ("actionatlas", data)
    assert [question.clip_id for question in dataset.questions] == ["000", "001", "002", "003", "005"]
    assert list(dataset.clips) == [question.clip_id for question in dataset.questions]
    assert [clip.path.exists() for clip in dataset.clips.values()] == [True, False, True, True, False]
    clip = dataset.clips["002"]
    assert (clip.path, clip.start_s, clip.end_s) == (data / "videos" / "video0.mp4", 2.0, 3.0)
    assert (clip.sport, clip.family, clip.split) == ("tennis", "tennis: tennis move c", "test")
    assert len(list(iter_frames(clip))) == 15
    assert dataset.questions[0].truth == "tennis move a"
    assert dataset.class_names["judo move b"] == ("judo move b",)


def test_an_action_of_two_sports_is_a_class_in_each(tmp_path: Path, write_video: Callable[..., Path]) -> None:
    """Scripts go by class: a throw in judo is not a throw in tennis."""
    rows = [atlas_row(number) for number in range(2)]
    for row in rows:
        row["choices_str"] = row["choices_str"].replace(f"{row['domain']} move d", "throw")
        row["choices_str"] = row["choices_str"].replace(f"{row['domain']} move e", f"{row['domain']} throw")
    (tmp_path / "mine").mkdir()
    write_video(tmp_path / "mine" / "video0.mp4", frames=45)
    import_videos(tmp_path / "mine", root=tmp_path / "atlas", copy=write_jsonl(tmp_path / "table.jsonl", rows))
    script = '{"style": "short_fixed", "scripts": {"throw (judo)": {"sport": "judo", "steps": ["grip", "turn"]}}}'
    write_whole(tmp_path / "atlas" / "scripts" / "short_fixed.json", script)
    dataset = read_actionatlas(tmp_path / "atlas")
    tennis, judo = dataset.questions
    assert tennis.candidates[3:] == ("throw (tennis)", "tennis throw") and tennis.truth == "tennis move a"
    assert judo.candidates[3:] == ("throw (judo)", "judo throw")
    assert dataset.class_names["throw (judo)"] == ("throw",)
    assert classes_of(dataset)["throw (tennis)"] == "tennis"


def test_a_cut_segment_is_read_whole(data: Path, tmp_path: Path, write_video: Callable[..., Path]) -> None:
    write_video(tmp_path / "mine" / "001.mp4", frames=15)
    import_videos(tmp_path / "mine")
    clip = datasets.load("actionatlas").clips["001"]
    assert (clip.path.name, clip.start_s, clip.end_s) == ("001.mp4", 0.0, 1.0)


def test_a_clip_that_is_not_done_is_not_read_from_a_file_that_lies_there(data: Path) -> None:
    write_whole(data / "videos" / "video1.mp4", b"half a video")
    clip = datasets.load("actionatlas").clips["001"]
    with pytest.raises(ActAlignError, match="does not exist"):
        next(iter_frames(clip))


def test_an_id_that_is_a_path_leads_to_no_file(tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    table = write_jsonl(tmp_path / "table.jsonl", [atlas_row(0, id=str(tmp_path / "table.jsonl"))])
    import_videos(tmp_path / "none", root=tmp_path / "atlas", copy=table)
    (clip,) = read_actionatlas(tmp_path / "atlas").clips.values()
    assert clip.path.is_relative_to(tmp_path / "atlas") and not clip.path.exists()


def test_scripts_in_the_folder_are_read(data: Path) -> None:
    script = '{"style": "short_fixed", "scripts": {"judo move a": {"sport": "judo", "steps": ["grip", "turn"]}}}'
    write_whole(data / "scripts" / "short_fixed.json", script)
    assert datasets.load("actionatlas").scripts["short_fixed"]["judo move a"].steps == ("grip", "turn")


def test_a_file_that_is_gone_or_changed_is_named(data: Path) -> None:
    whole = (data / "videos" / "video3.mp4").read_bytes()
    for content in (whole[:-1], whole + b"?"):
        (data / "videos" / "video3.mp4").write_bytes(content)
        with pytest.raises(
            ActAlignError, match=r"1 file\(s\) missing or changed .* first is 'video3.mp4'; fetch again"
        ):
            datasets.load("actionatlas")
    (data / "videos" / "video0.mp4").unlink()
    with pytest.raises(ActAlignError, match=r"2 file\(s\)"):
        datasets.load("actionatlas")
    assert len(datasets.load("actionatlas", verify=False).questions) == 5


def test_a_data_set_is_restricted_to_the_common_clips(data: Path) -> None:
    dataset = restrict(read_actionatlas(), ["003", "000"])
    assert [question.clip_id for question in dataset.questions] == ["000", "003"]
    assert list(dataset.clips) == ["000", "003"]
    assert restrict(read_actionatlas(), read_manifest().done).clips.keys() == {"000", "002", "003"}
    labelled = replace(dataset, frame_labels={"000": ("grip",), "003": ("turn",)})
    assert restrict(labelled, ["003"]).frame_labels == {"003": ("turn",)}
    with pytest.raises(ActAlignError, match="no clip '004'"):
        restrict(dataset, ["004"])
    with pytest.raises(ActAlignError, match="none in common"):
        restrict(dataset, [])


def test_masks_of_all_clips_by_either_rule(data: Path) -> None:
    official = read_masks()
    assert sorted(official) == ["000", "001", "003"]
    assert [number for number, _ in official["000"].frames] == [0, 2]
    # The clips begin at frame int(0.5 * 15) = 7 of their videos, and the released rule lists frames of the video.
    released = read_masks(rule="released")
    assert {name: [number for number, _ in masks.frames] for name, masks in released.items()} == {"003": [0]}


def test_a_table_in_which_no_question_can_be_asked_is_refused(tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    table = write_jsonl(tmp_path / "table.jsonl", [atlas_row(0, answer=None)])
    import_videos(tmp_path / "none", root=tmp_path / "atlas", copy=table)
    with pytest.raises(ActAlignError, match=r"no row of Metadata.* has a question"):
        read_actionatlas(tmp_path / "atlas")


def test_loading_before_anything_was_fetched_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "DATA", tmp_path)
    with pytest.raises(ActAlignError, match="fetch ActionAtlas first"):
        datasets.load("actionatlas")
