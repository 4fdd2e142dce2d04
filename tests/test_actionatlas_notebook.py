"""The notebook for the state of ActionAtlas: without the benchmark, and over a copy that has nothing to draw."""

import hashlib
import re
from base64 import b64decode
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from atlas_copy import atlas_row, write_jsonl
from PIL import Image
from project_tree import PROJECT, shown

from actalign.datasets.actionatlas.manifest import import_manifest
from actalign.datasets.actionatlas.metadata import freeze, read_copy
from actalign.notebook import check_sources, run_notebook

NOTEBOOK = PROJECT / "notebooks" / "actionatlas.ipynb"
PICTURE = {"text_masks.pdf", "text_masks.svg", "text_masks.png"}


@pytest.fixture
def project(sample_project: Path) -> Path:
    return sample_project


def run(project: Path, **parameters: object) -> str:
    """All that the notebook showed."""
    executed = run_notebook(NOTEBOOK, parameters, output=project / "executed.ipynb")
    return shown(executed)


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def test_the_source_can_be_run() -> None:
    check_sources([NOTEBOOK])


def test_without_the_benchmark_it_says_what_to_run_and_shows_a_demonstration_the_same_each_time(project: Path) -> None:
    shown = run(project)
    assert "run `actalign fetch`" in shown
    assert "Manifest(3 of 6 done; failed: 1 private, 1 age wall, 1 row)" in shown
    assert "Comparison(2 common, of which 1 with other content; 1 only in a, 1 only in b)" in shown
    assert "pass the cookies of a browser" in shown and "answer is 7; it should count from 1 to 3" in shown
    assert "16 frames are masked by the benchmark's rule" in shown
    assert "16 by the released scripts', 10 by both. One frame of each kind: [13, 21, 29]" in shown
    assert shown.count("image/png") == 1
    results = project / "data" / "results" / "actionatlas"
    assert {path.name for path in results.iterdir()} == {"manifest.csv", "manifest.parquet", *PICTURE}
    table = pd.read_csv(results / "manifest.csv", dtype={"id": str}).set_index("id")
    assert table["state"].tolist() == ["done"] * 3 + ["failed"] * 3
    assert table["kind"].dropna().to_dict() == {"004": "private", "005": "age wall", "006": "row"}
    assert table.loc["001", ["width", "height", "frames", "masked_frames"]].tolist() == [448, 256, 45, 16]
    assert table.loc["001", "masks_fit"]
    assert import_manifest(results / "manifest.parquet").done == ("001", "002", "003")
    assert not (project / "data" / "actionatlas").exists()
    before = digests(results)
    run(project)
    assert digests(results) == before


def test_in_the_picture_each_rule_blurs_the_frames_and_the_texts_it_counts(project: Path) -> None:
    """A text is legible where black meets white; columns are as fetched, benchmark's, released scripts'."""
    run(project)
    svg = (project / "data" / "results" / "actionatlas" / "text_masks.svg").read_text(encoding="utf-8")
    images = [b64decode(content) for content in re.findall(r"data:image/png;base64,([^\"]+)", svg)]
    legible = []
    for image in images:
        grey = np.asarray(Image.open(BytesIO(image)).convert("L").resize((448, 256)))[::-1]  # svg has them upside down
        contrast = {"banner": np.ptp(grey[212:232, 40:216]), "score": np.ptp(grey[24:40, 372:416])}
        legible.append({text for text, value in contrast.items() if value > 190})
    both = {"banner", "score"}
    assert legible == [set(), set(), set(), both, {"score"}, set(), both, {"score"}, both]


def test_a_copy_of_which_nothing_was_fetched_has_a_manifest_and_no_picture(project: Path) -> None:
    results = project / "data" / "results" / "actionatlas"
    results.mkdir(parents=True)
    (results / "text_masks.png").write_bytes(b"of other data")
    copy = write_jsonl(project / "copy.jsonl", [atlas_row(number) for number in range(5)])
    freeze(read_copy(copy), project / "data" / "actionatlas")
    shown = run(project)
    assert "Manifest(0 of 5 done; 5 pending)" in shown and "demonstration" not in shown
    assert "nothing to draw" in shown and "set `other`" in shown
    assert {path.name for path in results.iterdir()} == {"manifest.csv", "manifest.parquet"}
    assert not (project / "data" / "cache").exists()
    shown = run(project, other=str(results / "manifest.parquet"))
    assert "Comparison(0 common" in shown
