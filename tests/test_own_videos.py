"""The notebook for videos of your own: as it stands, and over a folder of mixed videos without labels."""

import os
from collections.abc import Callable
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from project_tree import PROJECT, shown

from actalign.errors import ActAlignError
from actalign.files import distinct_name
from actalign.notebook import check_sources, run_notebook
from actalign.records import Clip, Script
from actalign.scripts import write_scripts
from actalign.video import read_frames

NOTEBOOK = PROJECT / "notebooks" / "own_videos.ipynb"
CLASSES = ("lob", "kick serve", "smash")


@pytest.fixture
def project(sample_project: Path) -> Path:
    return sample_project


def run(project: Path, **parameters: object) -> str:
    """All that the notebook showed."""
    executed = run_notebook(NOTEBOOK, parameters, output=project / "executed.ipynb")
    return shown(executed)


def best(project: Path, folder: str = "") -> dict[str, str]:
    table = pd.read_csv(project / "data" / "results" / "own_videos" / folder / "ranking.csv")
    return table.drop_duplicates("video").set_index("video")["class"].to_dict()


def test_the_source_can_be_run() -> None:
    check_sources([NOTEBOOK])


def test_as_it_stands_typed_scripts_find_the_right_class_of_all_three_clips(project: Path) -> None:
    shown = run(project)
    assert best(project) == {
        "test-00000.mp4": "leap and kick",
        "test-00001.mp4": "balance to lunge",
        "test-00002.mp4": "high kick to low squat",
    }
    results = project / "data" / "results" / "own_videos"
    written = {path.name.removeprefix("test-00000.") for path in results.iterdir()}
    assert written == {"ranking.csv", "vtt", "csv", "annotated.mp4", "pdf", "svg", "png"}
    frames, _ = read_frames(Clip("copy", results / "test-00000.annotated.mp4", sport=""))
    assert len(frames) == 77
    assert "image/png" in shown and "sub-action of leap and kick" in shown
    assert "Empty DataFrame" in shown, "the typed scripts pass the linter"


def test_a_folder_of_mixed_videos_one_of_them_broken(
    project: Path, write_video: Callable[..., Path], tiny_checkpoint: Path
) -> None:
    mine = project / "mine"
    (mine / "phone").mkdir(parents=True)
    write_video(mine / "a.mkv", times_s=[0.0, 0.1, 0.15, 0.5, 0.6, 1.0])
    write_video(mine / "phone" / "b.MOV", frames=8, size=(64, 96), rotation=90)
    (mine / "c.mp4").write_bytes(b"not a video")
    (mine / "classes.txt").write_text("".join(f"{name}, tennis\n" for name in CLASSES))
    steps = ("step back", "swing the racket up", "stand still with both feet")
    scripts = {name: Script(name, sport="tennis", steps=steps[number:]) for number, name in enumerate(CLASSES)}
    write_scripts(mine / "scripts" / "mine.json", "mine", scripts)
    (mine / "a.annotated.mp4").write_bytes((mine / "a.mkv").read_bytes())  # a result of another time
    shown = run(project, folder=str(mine), checkpoint=str(tiny_checkpoint), video="phone/b.MOV", frame_rate=10)
    assert set(best(project, distinct_name(mine))) == {"a.mkv", "phone/b.MOV"}
    assert "c.mp4: video" in shown and "cannot be opened" in shown
    assert "step_count" in shown, "the third script has one step"
    assert (project / "data" / "results" / "own_videos" / distinct_name(mine) / "phone_b.annotated.mp4").is_file()
    there = ["a.annotated.mp4", "a.mkv", "c.mp4", "classes.txt", "phone", "scripts"]
    assert sorted(os.listdir(mine)) == there, "nothing is written there"
    write_scripts(mine / "scripts" / "other.json", "other", scripts)
    with pytest.raises(ActAlignError, match=r"several styles; set style to one of \['mine', 'other'\]"):
        run(project, folder=str(mine), checkpoint=str(tiny_checkpoint))
    for name in ("mine", "other"):
        (mine / "scripts" / f"{name}.json").unlink()
    with pytest.raises(ActAlignError, match=r"no script is typed above for \['lob', 'kick serve', 'smash'\]"):
        run(project, folder=str(mine), checkpoint=str(tiny_checkpoint))


def test_names_and_steps_from_a_file_are_shown_and_never_run(
    project: Path, write_video: Callable[..., Path], tiny_checkpoint: Path
) -> None:
    mine = project / "mine"
    mine.mkdir()
    write_video(mine / "a.mp4", frames=8)
    names = ("<img src=x onerror=alert(1)>", "lob")
    (mine / "classes.txt").write_text("".join(f"{name}, tennis\n" for name in names))
    steps = ("<script>alert(2)</script> swing", "step back")
    write_scripts(mine / "scripts" / "m.json", "m", {n: Script(n, sport="tennis", steps=steps) for n in names})
    executed = run_notebook(
        NOTEBOOK, {"folder": str(mine), "checkpoint": str(tiny_checkpoint)}, output=project / "executed.ipynb"
    )
    cells = nbformat.read(executed, as_version=4).cells
    outputs = [output.get("data", {}) for cell in cells for output in cell.get("outputs", [])]
    pages = [data[kind] for data in outputs for kind in ("text/html", "text/markdown") if kind in data]
    assert sum("&lt;script&gt;" in page for page in pages) >= 2, "the scripts and the spans"
    assert not any("<script>alert" in page or "<img src=x" in page for page in pages)


def test_a_video_that_is_not_in_the_folder_is_named_with_those_that_are(project: Path) -> None:
    with pytest.raises(ActAlignError, match=r"has no video 'test-9\.mp4'; choose one of \['test-00000\.mp4', "):
        run(project, video="test-9.mp4")
