"""Data folders and their registry: what loads, and one clear error for each thing that should not."""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from actalign import datasets, paths
from actalign.datasets import load
from actalign.datasets.folder import read_folder
from actalign.datasets.registry import REGISTRY, verify_registry, write_registry
from actalign.datasets.videos import find_clips
from actalign.errors import ActAlignError
from actalign.examples import margins
from actalign.llm.classes import classes_of
from actalign.metrics import topk_table
from actalign.options import options
from actalign.questions import candidates_of, texts_needed
from actalign.records import Clip, FrameEmbeddings, Question
from actalign.scoring import score_dataset

Make = Callable[..., Path]
CLIPS = "clip_id,split,path,sport,family,subset,start_s,end_s\n"
QUESTIONS = "clip_id,answer,candidate_1,candidate_2,candidate_3\n"


def _small(folder: Path, clips: str = "001,test,a.mp4,judo,,,,\n", questions: str = "001,1,a,b,\n") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "clips.csv").write_text(CLIPS + clips, encoding="utf-8")
    (folder / "questions.csv").write_text(QUESTIONS + questions, encoding="utf-8")
    return folder


# what loads


def test_the_whole_folder_is_read(tiny_dataset: Make) -> None:
    root = tiny_dataset()
    dataset = read_folder(root)
    assert repr(dataset) == "Dataset('tiny': 12 clips, 2 sports, 12 questions)"
    clip = dataset.clips["judo-01b-validation"]
    assert (clip.sport, clip.family, clip.subset, clip.split) == ("judo", "judo-01", "late", "validation")
    assert clip.path == root / "clips" / "judo-01b-validation.mp4"
    assert clip.path.is_file()
    assert (clip.start_s, clip.end_s) == (None, None)
    assert dataset.scripts["short_fixed"]["judo-01a"].steps == ("step back", "swing up")
    assert dataset.class_names["judo-01a"] == ("the judo-01a move", "judo-01a classic")
    assert dataset.class_steps["judo-01b"] == ("swing_up", "step_back", "fall_down")
    assert dataset.frame_labels["judo-01a-test"] == ("step_back",) * 2 + ("swing_up",) * 3


def test_every_answer_is_the_class_of_its_clip(tiny_dataset: Make) -> None:
    dataset = read_folder(tiny_dataset())
    assert [question.truth for question in dataset.questions] == [name.rsplit("-", 1)[0] for name in dataset.clips]
    assert {question.answer for question in dataset.questions} == {0, 1, 2}


def test_only_clips_and_questions_are_needed(tmp_path: Path) -> None:
    (tmp_path / "clips.csv").write_text("clip_id,path,sport\n001,a.mp4,judo\n")
    (tmp_path / "questions.csv").write_text("clip_id,answer,candidate_1,candidate_2\n001,2,a,b\n")
    dataset = read_folder(tmp_path, name="mine")
    assert dataset.name == "mine"
    assert dataset.clips["001"].split == "test"
    assert dataset.questions[0].answer == 1
    assert dataset.class_names == {"a": ("a",), "b": ("b",)}
    assert (dataset.scripts, dataset.frame_labels, dataset.class_steps) == ({}, {}, {})


def test_ids_that_look_like_numbers_stay_text(tmp_path: Path) -> None:
    root = _small(tmp_path, clips="001,test,a.mp4,judo,,,,\n1,,b.mp4,judo,7,,,\n", questions="001,1,10,1e1,\n")
    dataset = read_folder(root)
    assert list(dataset.clips) == ["001", "1"]
    assert dataset.clips["1"].family == "7"
    assert dataset.clips["1"].split == "test"
    assert dataset.questions[0].candidates == ("10", "1e1")


def test_windows_are_read_in_seconds(tmp_path: Path) -> None:
    clip = read_folder(_small(tmp_path, clips="001,test,a.mp4,judo,,,0.5,2\n")).clips["001"]
    assert (clip.start_s, clip.end_s) == (0.5, 2.0)


def test_files_saved_by_a_spreadsheet_are_read(tiny_dataset: Make) -> None:
    root = tiny_dataset()
    expected = read_folder(root)
    for path in root.glob("*.csv"):
        lines = [line + ",," for line in path.read_text(encoding="utf-8").splitlines()]
        blank = "," * lines[0].count(",")
        path.write_bytes(b"\xef\xbb\xbf" + "\r\n".join([*lines, blank, ""]).encode())
    assert read_folder(root) == expected


def test_spaces_commas_and_accents_in_names(tmp_path: Path) -> None:
    folder = tmp_path / "données à moi"
    clips = 'é 1,test,"mes vidéos/saut, n° 1.mp4",日本 judo,,,,\n'
    dataset = load(_small(folder, clips=clips, questions='é 1,2,"a, b", c d ,\n'))
    assert dataset.name == "données à moi"
    assert dataset.clips["é 1"].path == folder / "mes vidéos" / "saut, n° 1.mp4"
    assert dataset.questions[0].candidates == ("a, b", "c d")


def test_clip_paths_may_point_elsewhere_and_need_not_exist(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere" / "b.mp4"
    clips = f"1,test,../a.mp4,judo,,,,\n2,test,{elsewhere},judo,,,,\n"
    dataset = read_folder(_small(tmp_path / "data", clips=clips, questions="1,1,a,b,\n"))
    assert dataset.clips["1"].path.resolve() == (tmp_path / "a.mp4").resolve()
    assert dataset.clips["2"].path == elsewhere


def test_a_candidate_without_a_script_does_not_stop_reading(tiny_dataset: Make) -> None:
    root = tiny_dataset()
    (root / "scripts" / "short_fixed.json").write_text(
        '{"style": "short_fixed", "scripts": {"judo-01a": {"sport": "judo", "steps": ["grip"]}}}'
    )
    assert list(read_folder(root).scripts["short_fixed"]) == ["judo-01a"]


def test_hidden_files_among_the_scripts_are_left_alone(tiny_dataset: Make) -> None:
    root = tiny_dataset()
    (root / "scripts" / "._short_fixed.json").write_bytes(b"\x00\x05\x16\x07")
    assert sorted(read_folder(root).scripts) == ["context_rich", "short_fixed"]


# what does not


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("clips.csv", "'tennis-01a-test' is not a video of tiny, which has no clips.csv; did you mean 'clips/tennis"),
        ("questions.csv", "tiny has no questions.csv; add it, or a classes.txt"),
    ],
)
def test_a_missing_table_is_named(tiny_dataset: Make, name: str, message: str) -> None:
    root = tiny_dataset()
    (root / name).unlink()
    with pytest.raises(ActAlignError, match=message):
        read_folder(root)


@pytest.mark.parametrize("name", ["clips.csv", "questions.csv", "frame_labels.csv"])
def test_an_empty_table_is_named(tiny_dataset: Make, name: str) -> None:
    root = tiny_dataset()
    header = (root / name).read_text().splitlines()[0]
    (root / name).write_text("")
    with pytest.raises(ActAlignError, match=rf"{name}: column\(s\) clip_id.* missing"):
        read_folder(root)
    (root / name).write_text(header + "\n")
    with pytest.raises(ActAlignError, match=f"{name} has a header but no rows"):
        read_folder(root)


@pytest.mark.parametrize(
    ("clips", "message"),
    [
        ("clip_id,path\n1,a.mp4\n", r"column\(s\) sport missing; it has \['clip_id', 'path'\]"),
        ("clip_id;path;sport\n1;a.mp4;judo\n", "separate the columns by commas"),
        ("clip_id\tpath\tsport\n1\ta.mp4\tjudo\n", "separate the columns by commas"),
        ("clip_id,path,sport,sport\n1,a.mp4,judo,judo\n", "column 'sport' appears twice"),
        ("clip_id,path,sport,start\n1,a.mp4,judo,3\n", "'start' is unknown; did you mean 'start_s'"),
        ("clip_id,path,sport,Family\n1,a.mp4,judo,3\n", "'Family' is unknown; did you mean 'family'"),
        ("clip_id,path,sport,FAMILY\n1,a.mp4,judo,3\n", "'FAMILY' is unknown; did you mean 'family'"),
        ("clip_id,path,sport\n1,a.mp4,judo\n2,\0\0\0,judo\n", "line 3: holds a NUL"),
        ("clip_id,path,sport\n1,a.mp4,judo\n1,b.mp4,judo\n", "line 3: clip '1' is listed twice"),
        ("clip_id,path,sport\n1,a.mp4,judo\n,b.mp4,judo\n", "line 3: clip_id is empty"),
        ("clip_id,path,sport\n1, ,judo\n", "line 2: path is empty"),
        ("clip_id,path,sport\n1,a.mp4,\n", "line 2: sport is empty"),
        ("clip_id,path,sport\n1,a.mp4\n", "line 2: 2 cells under 3 columns"),
        ("clip_id,path,sport\n1,a, b.mp4,judo\n", "line 2: 4 cells under 3 columns"),
        ('clip_id,path,sport\n1,"a.mp4,judo\n', "line 2: not valid CSV"),
        ("clip_id,path,sport,start_s\n1,a.mp4,judo,soon\n", "line 2: start_s is 'soon'"),
        ("clip_id,path,sport,start_s\n1,a.mp4,judo,nan\n", "line 2: start_s is 'nan'"),
        ("clip_id,path,sport,end_s\n1,a.mp4,judo,inf\n", "line 2: end_s is 'inf'"),
        ('clip_id,path,sport,end_s\n1,a.mp4,judo,"1,5"\n', "line 2: end_s is '1,5'"),
        ("clip_id,path,sport,start_s\n1,a.mp4,judo,-1\n", "line 2: clip '1': start_s is -1.0"),
        ("clip_id,path,sport,start_s,end_s\n1,a.mp4,judo,3,2\n", "line 2: clip '1': end_s 2.0 is not after"),
    ],
)
def test_a_bad_clip_table_is_refused(tmp_path: Path, clips: str, message: str) -> None:
    root = _small(tmp_path)
    (root / "clips.csv").write_text(clips)
    with pytest.raises(ActAlignError, match=message) as caught:
        read_folder(root)
    assert "clips.csv" in str(caught.value)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("2,1,a,b,c\n", "line 2: clip '2' is not in clips.csv; add it there or drop this row"),
        ("0001,1,a,b,c\n", "line 2: clip '0001' is not in clips.csv; did you mean '001'"),
        ("001,1,a,b,c\n001,1,a,b,c\n", "line 3: clip '001' has a question already"),
        ("001,0,a,b,c\n", "line 2: answer is '0'; write a whole number from 1 to 3"),
        ("001,4,a,b,c\n", "line 2: answer is '4'; write a whole number from 1 to 3"),
        ("001,3,a,b,\n", "line 2: answer is '3'; write a whole number from 1 to 2"),
        ("001,-1,a,b,c\n", "from 1 to 3"),
        ("001,1.0,a,b,c\n", "answer is '1.0'"),
        ("001,a,a,b,c\n", "answer is 'a'"),
        ("001,²,a,b,c\n", "answer is '²'"),
        ("001,?,a,b,c\n", r"answer is '\?'; write a whole number from 1 to 3, or nothing if it is not known"),
        ("001,1,a,,c\n", "line 2: candidate_2 is empty but a later one is not"),
        ("001,1,a,,\n", r"line 2: 1 candidate\(s\)"),
        ("001,1,,,\n", r"line 2: 0 candidate\(s\)"),
        ("001,1,a,b,a\n", "line 2: .*repeats a candidate"),
    ],
)
def test_a_bad_question_is_refused(tmp_path: Path, row: str, message: str) -> None:
    with pytest.raises(ActAlignError, match=message) as caught:
        read_folder(_small(tmp_path, questions=row))
    assert "questions.csv" in str(caught.value)


@pytest.mark.parametrize("names", ["candidate_1,candidate_2,candidate_4", "candidate_2,candidate_1,candidate_3"])
def test_candidate_columns_are_numbered_in_order(tmp_path: Path, names: str) -> None:
    root = _small(tmp_path)
    (root / "questions.csv").write_text(f"clip_id,answer,{names}\n001,1,a,b,c\n")
    with pytest.raises(ActAlignError, match="number them from candidate_1 on"):
        read_folder(root)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("001,grip*2 throw\n", "line 2: 'throw' is not a run"),
        ("001,grip*0\n", r"'grip\*0' is not a run"),
        ("001,grip*-3\n", r"'grip\*-3' is not a run"),
        ("001,grip*1.5\n", "is not a run"),
        ("001,*4\n", "is not a run"),
        ("001,grip*99999999999999\n", "is not a run"),
        ("001,\n", "labels is empty"),
        ("2,grip*2\n", "clip '2' is not in clips.csv"),
        ("001,grip*2\n001,grip*2\n", "line 3: clip '001' is labelled twice"),
    ],
)
def test_bad_frame_labels_are_refused(tmp_path: Path, row: str, message: str) -> None:
    root = _small(tmp_path)
    (root / "frame_labels.csv").write_text("clip_id,labels\n" + row)
    with pytest.raises(ActAlignError, match=message) as caught:
        read_folder(root)
    assert "frame_labels.csv" in str(caught.value)


@pytest.mark.parametrize("name", ["class_names.json", "class_steps.json"])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"a": "serve"}', "class 'a': 'serve'; write a list"),
        ('{"a": []}', "write a list of at least one text"),
        ('{"a": ["x", " "]}', "not a text or is empty"),
        ('{"a": [1]}', "not a text or is empty"),
        ('{"a": ["x"], "a": ["y"]}', "'a' appears twice"),
        ('{"a": ["x"]\n"b"}', "line 2"),
    ],
)
def test_bad_class_lists_are_refused(tmp_path: Path, name: str, content: str, message: str) -> None:
    root = _small(tmp_path)
    (root / name).write_text(content)
    with pytest.raises(ActAlignError, match=message) as caught:
        read_folder(root)
    assert name in str(caught.value)


def test_a_class_left_without_a_name_is_named(tmp_path: Path) -> None:
    root = _small(tmp_path)
    (root / "class_names.json").write_text('{"a": ["serve"]}')
    with pytest.raises(ActAlignError, match=r"1 class\(es\) have no name, the first is 'b'"):
        read_folder(root)
    (root / "scripts").mkdir()
    script = '{"style": "mine", "scripts": {"c": {"sport": "judo", "steps": ["grip"]}}}'
    (root / "scripts" / "mine.json").write_text(script)
    with pytest.raises(ActAlignError, match=r"2 class\(es\) have no name"):
        read_folder(root)


def test_a_script_file_is_named_after_its_style(tiny_dataset: Make) -> None:
    root = tiny_dataset()
    shutil.copy(root / "scripts" / "short_fixed.json", root / "scripts" / "mine.json")
    with pytest.raises(ActAlignError, match=r"mine\.json says its style is 'short_fixed'"):
        read_folder(root)


def test_a_table_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    root = _small(tmp_path)
    (root / "clips.csv").write_bytes("clip_id,path,sport\n1,é.mp4,judo\n".encode("latin-1"))
    with pytest.raises(ActAlignError, match=r"clips\.csv is not UTF-8"):
        read_folder(root)


def test_a_folder_where_a_table_belongs_is_named(tmp_path: Path) -> None:
    root = _small(tmp_path)
    (root / "clips.csv").unlink()
    (root / "clips.csv").mkdir()
    with pytest.raises(ActAlignError, match=r"cannot read .*clips\.csv"):
        read_folder(root)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ActAlignError, match="nowhere is not a folder"):
        read_folder(tmp_path / "nowhere")


# load


def test_sample_is_the_embedded_folder(tiny_dataset: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "SAMPLE", tiny_dataset("embedded"))
    dataset = load("sample")
    assert (dataset.name, dataset.root) == ("sample", paths.SAMPLE)
    write_registry(paths.SAMPLE)
    (paths.SAMPLE / "clips" / "judo-01a-test.mp4").write_bytes(b"changed")
    with pytest.raises(ActAlignError, match="1 changed"):
        load("sample")
    assert load("sample", verify=False) == dataset


def test_a_folder_called_sample_is_reached_by_its_path(tiny_dataset: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "SAMPLE", tiny_dataset("embedded"))
    mine = tiny_dataset("sample")
    monkeypatch.chdir(mine.parent)
    assert load(Path("sample")).root.resolve() == mine.resolve()
    assert load("./sample").root.resolve() == mine.resolve()
    monkeypatch.chdir(mine)
    assert load(".").name == "sample"


def test_a_new_source_is_one_line(tiny_dataset: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tiny_dataset()
    monkeypatch.setitem(datasets.SOURCES, "mine", lambda verify: read_folder(root, name="mine", verify=verify))
    assert load("mine").name == "mine"


def test_no_name_is_not_the_folder_one_happens_to_be_in() -> None:
    with pytest.raises(ActAlignError, match="'' is neither a folder nor"):
        load("")


def test_neither_a_source_nor_a_folder(tmp_path: Path) -> None:
    with pytest.raises(ActAlignError, match=r"neither a folder nor one of the known data sets .*'sample'"):
        load(tmp_path / "smaple")


# the registry


def test_an_untouched_folder_verifies(tiny_dataset: Make) -> None:
    root = tiny_dataset()
    files = [path for path in root.rglob("*") if path.is_file()]
    assert write_registry(root) == root / REGISTRY
    assert verify_registry(root) == len(files) == 19


def test_the_registry_has_the_format_of_sha256sum(tiny_dataset: Make) -> None:
    root = tiny_dataset("with space é")
    (root / "clips" / "un été.mp4").write_bytes(b"x")
    lines = write_registry(root).read_text(encoding="utf-8").splitlines()
    assert f"{hashlib.sha256(b'x').hexdigest()}  clips/un été.mp4" in lines
    names = [line[66:] for line in lines]
    assert names == sorted(names)


def test_sha256sum_accepts_the_registry(tiny_dataset: Make) -> None:
    root = tiny_dataset()
    write_registry(root)
    tool = next(name for name in ("sha256sum", "shasum") if shutil.which(name))
    command = [tool, "-c", REGISTRY] if tool == "sha256sum" else [tool, "-a", "256", "-c", REGISTRY]
    assert subprocess.run(command, cwd=root, capture_output=True, check=False).returncode == 0
    (root / "clips.csv").write_text("changed")
    assert subprocess.run(command, cwd=root, capture_output=True, check=False).returncode != 0


def test_writing_twice_gives_the_same_bytes(tiny_dataset: Make) -> None:
    root = tiny_dataset()
    first = write_registry(root).read_bytes()
    (root / ".DS_Store").write_bytes(b"x")
    (root / "__pycache__").mkdir()
    (root / "__pycache__" / "x.pyc").write_bytes(b"x")
    assert write_registry(root).read_bytes() == first


def test_only_the_given_files_are_listed(tiny_dataset: Make) -> None:
    root = tiny_dataset()
    write_registry(root, ["clips.csv", Path("scripts") / "short_fixed.json"])
    assert verify_registry(root) == 2


def test_missing_and_changed_files_are_named_and_extra_ones_ignored(tiny_dataset: Make) -> None:
    root = tiny_dataset()
    write_registry(root)
    (root / "extra.txt").write_text("new")
    assert verify_registry(root) == 19
    (root / "clips" / "judo-01a-test.mp4").unlink()
    with (root / "questions.csv").open("a") as file:
        file.write(" ")
    with pytest.raises(
        ActAlignError, match=r"1 missing: clips/judo-01a-test\.mp4; 1 changed: questions\.csv\."
    ) as caught:
        verify_registry(root)
    assert "extra" not in str(caught.value)


def test_many_faults_make_a_short_message(tiny_dataset: Make) -> None:
    root = tiny_dataset()
    write_registry(root)
    shutil.rmtree(root / "clips")
    (root / "clips").write_text("a file in the folder's place")
    with pytest.raises(ActAlignError, match=r"12 missing: .*, \.\.\.") as caught:
        verify_registry(root)
    assert str(caught.value).count(".mp4") == 10


def test_a_folder_in_the_place_of_a_file_is_named(tiny_dataset: Make) -> None:
    root = tiny_dataset()
    write_registry(root)
    (root / "clips.csv").unlink()
    (root / "clips.csv").mkdir()
    with pytest.raises(ActAlignError, match=r"1 unreadable: clips\.csv"):
        verify_registry(root)


def test_reading_verifies_unless_told_not_to(tiny_dataset: Make) -> None:
    root = tiny_dataset()
    write_registry(root)
    (root / "clips" / "judo-01a-test.mp4").write_bytes(b"changed")
    with pytest.raises(ActAlignError, match=r"1 changed: clips/judo-01a-test\.mp4"):
        load(root)
    assert len(load(root, verify=False).clips) == 12


def test_a_registry_from_another_system_is_read(tiny_dataset: Make) -> None:
    root = tiny_dataset()
    digest = hashlib.sha256((root / "clips.csv").read_bytes()).hexdigest()
    (root / REGISTRY).write_bytes(f"{digest.upper()} *./clips.csv\r\n\r\n".encode())
    assert verify_registry(root) == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "lists no files"),
        (b"abc  clips.csv\n", "line 1: 'abc  clips.csv'"),
        (b"0" * 64 + b"  ../clips.csv\n", "line 1"),
        (b"0" * 64 + b"  /etc/hosts\n", "line 1"),
        (b"0" * 64 + b"  \xff\n", "not UTF-8"),
        (b"0" * 64 + b"  clips\0.csv\n", "line 1"),
    ],
)
def test_a_bad_registry_is_refused(tiny_dataset: Make, content: bytes, message: str) -> None:
    root = tiny_dataset()
    (root / REGISTRY).write_bytes(content)
    with pytest.raises(ActAlignError, match=message):
        read_folder(root)


def test_a_missing_registry_is_refused_only_when_asked_for(tiny_dataset: Make) -> None:
    root = tiny_dataset()
    with pytest.raises(ActAlignError, match="write_registry makes one"):
        verify_registry(root)
    assert len(read_folder(root).clips) == 12


@pytest.mark.parametrize("name", ["../clips.csv", "/etc/hosts"])
def test_files_outside_the_folder_are_not_listed(tiny_dataset: Make, name: str) -> None:
    with pytest.raises(ActAlignError, match="is not a path inside"):
        write_registry(tiny_dataset(), [name])


@pytest.mark.parametrize("name", ["two\nlines", "back\\slash", "bell\a"])
def test_names_that_the_format_cannot_hold_are_refused(tiny_dataset: Make, name: str) -> None:
    root = tiny_dataset()
    (root / name).write_text("x")
    with pytest.raises(ActAlignError, match="rename the file"):
        write_registry(root)


def test_a_file_that_is_not_there_cannot_be_listed(tiny_dataset: Make) -> None:
    root = tiny_dataset()
    with pytest.raises(ActAlignError, match=r"cannot read .*absent\.csv.*nothing was written"):
        write_registry(root, ["clips.csv", "absent.csv"])
    assert not (root / REGISTRY).exists()


def test_nothing_to_list_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ActAlignError, match="has no files to list"):
        write_registry(tmp_path)
    with pytest.raises(ActAlignError, match="is not a folder"):
        write_registry(tmp_path / "nowhere")


def test_a_registry_that_cannot_be_written_leaves_the_old_one(
    tiny_dataset: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tiny_dataset()
    before = write_registry(root).read_bytes()

    def read_only(source: Path, target: Path) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(os, "replace", read_only)
    with pytest.raises(ActAlignError, match="Read-only file system"):
        write_registry(root, ["clips.csv"])
    assert (root / REGISTRY).read_bytes() == before


def test_a_sample_that_is_not_there_says_where_it_comes_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actalign.paths.SAMPLE", tmp_path / "none")
    with pytest.raises(ActAlignError, match="comes with the repository"):
        load("sample")


# videos of your own


def _videos(folder: Path, *names: str, **texts: str) -> Path:
    """A folder of files that look like videos by their names, and text files such as classes_txt="a\\nb\\n"."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"not a video")
    for name, text in texts.items():
        (folder / name.replace("_", ".")).write_text(text, encoding="utf-8")
    return folder


def test_videos_and_a_list_of_classes_are_a_data_set_without_labels(tmp_path: Path) -> None:
    root = _videos(tmp_path / "mine", "b.mp4", "more/a.MOV", classes_txt="kick serve\n\n lob \nslice\n")
    dataset = load(root)
    assert repr(dataset) == "Dataset('mine': 2 clips, 1 sports, 2 questions)"
    assert list(dataset.clips) == ["b.mp4", "more/a.MOV"]
    assert dataset.clips["more/a.MOV"] == Clip("more/a.MOV", root / "more" / "a.MOV", sport="")
    assert dataset.questions == tuple(
        Question(name, ("kick serve", "lob", "slice"), answer=None) for name in ("b.mp4", "more/a.MOV")
    )
    assert dataset.class_names["lob"] == ("lob",)
    with pytest.raises(ActAlignError, match=r"clip 'b\.mp4' has no answer: it is not labelled"):
        _ = dataset.questions[0].truth


def test_what_is_no_video_or_hidden_is_no_clip(tmp_path: Path) -> None:
    names = ["a.mp4", "._a.mp4", ".trash/b.mp4", "notes.txt", "a.mp4.part", "c.webm", "c.Annotated.MP4"]
    root = _videos(tmp_path, *names, classes_txt="a\nb\n")
    (root / "folder.mp4").mkdir()
    assert list(load(root).clips) == ["a.mp4", "c.webm"]


def test_a_link_whose_file_is_gone_is_a_clip_that_will_fail_and_not_one_less(tmp_path: Path) -> None:
    root = _videos(tmp_path, "a.mp4", classes_txt="a\nb\n")
    (root / "gone.mkv").symlink_to(tmp_path / "unmounted" / "gone.mkv")
    (root / "notes.txt").symlink_to(tmp_path / "unmounted" / "notes.txt")
    assert list(load(root).clips) == ["a.mp4", "gone.mkv"]


def test_a_linked_folder_is_looked_into_once(tmp_path: Path) -> None:
    elsewhere = _videos(tmp_path / "disk", "b.mp4", "more/c.mkv", classes_txt="a\nb\n")
    root = _videos(tmp_path / "mine", "a.mp4", classes_txt="a\nb\n")
    (root / "linked").symlink_to(elsewhere)
    (root / "linked too").symlink_to(elsewhere)
    (elsewhere / "back").symlink_to(root)
    (root / "again").symlink_to(root / "deep")
    _videos(root, "deep/d.mp4")
    os.mkfifo(root / "pipe.mp4")
    (root / "shown").symlink_to(_videos(root / ".hidden", "e.mp4"))
    assert list(load(root).clips) == ["a.mp4", "deep/d.mp4", "linked/b.mp4", "linked/more/c.mkv", "shown/e.mp4"]


def test_a_file_that_may_not_be_looked_at_is_a_clip_that_will_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, stat = _videos(tmp_path, "a.mp4", "b.mp4"), os.stat

    def closed(path: Any, **given: Any) -> os.stat_result:
        if str(path).endswith("a.mp4"):
            raise PermissionError(13, "Permission denied")
        return stat(path, **given)

    monkeypatch.setattr("os.stat", closed)
    assert list(find_clips(root, sports=set())) == ["a.mp4", "b.mp4"]


def test_classes_of_several_sports_keep_theirs(tmp_path: Path) -> None:
    dataset = load(_videos(tmp_path, "a.mp4", classes_txt="lob, tennis\nthrow, judo\n"))
    assert classes_of(dataset) == {"lob": "tennis", "throw": "judo"}
    candidates = candidates_of(dataset, dataset.questions[0], style="")
    assert [candidate.sport for candidate in candidates] == ["tennis", "judo"]
    assert dataset.sport_of("throw", clip_id="a.mp4") == "judo"


@pytest.mark.parametrize(
    ("classes", "sport", "names"),
    [
        ("lob, tennis\nkick serve,tennis\n", "tennis", ("lob", "kick serve")),
        ("lob, tennis\nthrow, judo\n", "", ("lob", "throw")),
        ('"pass, chest", basketball\nlay-up, basketball\n', "basketball", ("pass, chest", "lay-up")),
        ("\ufefflob\r\nKürübergang\r\n", "", ("lob", "Kürübergang")),
        ("lob\nclass\n", "", ("lob", "class")),
    ],
)
def test_classes_may_name_their_sport(tmp_path: Path, classes: str, sport: str, names: tuple[str, ...]) -> None:
    dataset = load(_videos(tmp_path, "a.mp4", classes_txt=classes))
    assert dataset.clips["a.mp4"].sport == sport
    assert dataset.questions[0].candidates == names


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        ("", "names 0 class"),
        ("lob\n", "names 1 class.*at least 2"),
        ("lob\nserve\nlob\n", "line 3: class 'lob' is listed twice"),
        ("lob, tennis\nserve\n", "line 2: 'serve'; write a class on every line, or 'class, sport' on every line"),
        ("lob\npass, chest\n", "line 2: 'pass, chest'; .*quotes around a name"),
        ("pass, chest, basketball\nlay-up, basketball\n", "line 1"),
        ("lob,\nserve,\n", "line 1"),
        ("class, sport\nlob, tennis\nserve, tennis\n", "line 1: 'class' would be a class; leave out headers"),
        ("Class_Name\nlob\nserve\n", "line 1: 'Class_Name' would be a class"),
        ("lob\n# the hard ones\nserve\n", "line 2: '# the hard ones' would be a class"),
    ],
)
def test_a_bad_list_of_classes_is_refused(tmp_path: Path, classes: str, message: str) -> None:
    with pytest.raises(ActAlignError, match=message) as caught:
        load(_videos(tmp_path, "a.mp4", classes_txt=classes))
    assert "classes.txt" in str(caught.value)


def test_videos_and_a_table_of_questions_need_no_table_of_clips(tmp_path: Path) -> None:
    questions = "clip_id,answer,candidate_1,candidate_2\nb.mp4,2,lob,serve\na.mp4,,serve,lob\n"
    dataset = load(_videos(tmp_path, "a.mp4", "b.mp4", "c.mp4", questions_csv=questions))
    assert [(question.clip_id, question.answer) for question in dataset.questions] == [("b.mp4", 1), ("a.mp4", None)]
    assert len(dataset.clips) == 3


def test_labels_may_be_left_out_altogether(tmp_path: Path) -> None:
    questions = "clip_id,candidate_1,candidate_2\na.mp4,lob,serve\n"
    assert load(_videos(tmp_path, "a.mp4", questions_csv=questions)).questions[0].answer is None
    with pytest.raises(ActAlignError, match="column 'Answers' is unknown; did you mean 'answer'"):
        load(_videos(tmp_path, questions_csv=questions.replace("id,", "id,Answers,").replace("mp4,", "mp4,2,")))
    with pytest.raises(ActAlignError, match="column 'Label' is unknown; did you mean 'answer'"):
        load(_videos(tmp_path, questions_csv=questions.replace("id,", "id,Label,").replace("mp4,", "mp4,serve,")))
    for like in ("correct_answer", "answer_index", "ans", "labels"):
        with pytest.raises(ActAlignError, match=f"column '{like}' is unknown; did you mean 'answer'"):
            load(_videos(tmp_path, questions_csv=questions.replace("id,", f"id,{like},").replace("mp4,", "mp4,2,")))
    noted = questions.replace("id,", "id,comment,").replace("mp4,", "mp4,blurred,")
    assert load(_videos(tmp_path, questions_csv=noted)).questions[0].answer is None


@pytest.mark.parametrize("name", ["Candidate_3", "candidate 3", "candidate3", "candidates_3", "CANDIDATE-3"])
def test_a_candidate_whose_column_is_misspelt_is_not_lost(name: str, tmp_path: Path) -> None:
    questions = f"clip_id,candidate_1,candidate_2,{name}\na.mp4,lob,serve,smash\n"
    with pytest.raises(ActAlignError, match=f"column '{name}' is unknown; did you mean 'candidate_3'"):
        load(_videos(tmp_path, "a.mp4", questions_csv=questions))


def test_a_question_about_a_video_that_is_not_there_names_one_that_is(tmp_path: Path) -> None:
    questions = "clip_id,candidate_1,candidate_2\na-1,lob,serve\n"
    with pytest.raises(ActAlignError, match=r"'a-1' is not a video of .* has no clips\.csv; did you mean 'a-1\.mp4'"):
        load(_videos(tmp_path, "a-1.mp4", questions_csv=questions))


def test_windows_from_a_table_and_classes_from_a_list_go_together(tmp_path: Path) -> None:
    clips = "clip_id,path,sport,start_s,end_s\n1,a.mp4,judo,0,2\n2,a.mp4,judo,2,4\n"
    dataset = load(_videos(tmp_path, "a.mp4", clips_csv=clips, classes_txt="throw\npin\n"))
    assert [(clip.id, clip.start_s) for clip in dataset.clips.values()] == [("1", 0.0), ("2", 2.0)]
    assert [question.candidates for question in dataset.questions] == [("throw", "pin")] * 2
    assert dataset.sport_of("throw", clip_id="1") == "judo"


def test_what_is_missing_or_asked_twice_is_named(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(ActAlignError, match=r"empty has no clips\.csv and no video; .*\.mp4"):
        load(empty)
    root = _videos(tmp_path / "mine", "a.mp4")
    with pytest.raises(ActAlignError, match=r"mine has no questions\.csv; add it, or a classes\.txt"):
        load(root)
    _videos(root, classes_txt="a\nb\n", questions_csv="clip_id,candidate_1,candidate_2\na.mp4,lob,serve\n")
    with pytest.raises(ActAlignError, match=r"both questions\.csv and classes\.txt"):
        load(root)


def test_without_labels_there_are_scores_but_no_accuracy(tmp_path: Path) -> None:
    dataset = load(_videos(tmp_path, "a.mp4", "b.mp4", classes_txt="lob, tennis\nserve, tennis\n"))
    frames = {name: FrameEmbeddings(np.eye(2, dtype=np.float32), np.arange(2.0)) for name in dataset.clips}
    texts = {"lob in tennis": np.array([1.0, 0.0]), "serve in tennis": np.array([0.0, 1.0])}
    scores = score_dataset(dataset, frames, texts, method="mean_pool_name_in_sport", options=options())
    assert len(scores) == 4 and scores["score"].notna().all() and not scores["is_answer"].any()
    with pytest.raises(ActAlignError, match=r"'a\.mp4' has 0 answers: 2 of 2 clips.*in place of classes"):
        topk_table(scores)
    with pytest.raises(ActAlignError, match="no clip is labelled"):
        margins(scores)


def test_context_without_a_sport_says_so(tmp_path: Path) -> None:
    dataset = load(_videos(tmp_path, "a.mp4", classes_txt="lob\nserve\n"))
    with pytest.raises(ActAlignError, match="class 'lob' has no sport to add as context"):
        texts_needed(dataset, methods=["mean_pool_name_in_sport"], styles=[], options=options())
    assert texts_needed(dataset, methods=["mean_pool_name"], styles=[], options=options()) == ("lob", "serve")
