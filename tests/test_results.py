"""Tables on disk: the same bytes for the same inputs, the same types back, and clear errors."""

import errno
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from actalign import __version__, paths, results
from actalign.errors import ActAlignError
from actalign.options import options
from actalign.records import Dataset
from actalign.results import provenance, read_table, write_table


@pytest.fixture
def table() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "method": ["dtw", "oracle", "random"],
            "style": ["short_fixed", "", "nan"],
            "top1": [100 / 3, np.nan, -np.inf],
            "tiny": [1.5e-13, 0.1 + 0.2, 1e6],
            "n": [448, 447, 0],
            "tied": [True, False, True],
        }
    )


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    root = tmp_path / "data"
    root.mkdir()
    (root / "registry.sha256").write_text("abc  clips.csv\n")
    return Dataset("demo", root, {}, ())


def test_a_table_comes_back_with_its_types(table: pd.DataFrame, tmp_path: Path) -> None:
    write_table(table, "main", provenance={"n": 3}, folder=tmp_path)
    back = read_table("main", folder=tmp_path)
    pd.testing.assert_frame_equal(back, table, rtol=1e-9, check_dtype=False)
    assert [dtype.kind for dtype in (back["top1"].dtype, back["n"].dtype, back["tied"].dtype)] == ["f", "i", "b"]
    assert back.attrs["provenance"] == {"n": 3}


def test_texts_may_hold_any_line_end(tmp_path: Path) -> None:
    odd = pd.DataFrame({"text": ["step back\r", "swing\r\nup", "a\nb", ' "q", '], "k": [1, 2, 3, 4]})
    write_table(odd, "odd", provenance={}, folder=tmp_path)
    pd.testing.assert_frame_equal(read_table("odd", folder=tmp_path), odd, check_dtype=False)


def test_the_same_inputs_give_the_same_bytes(table: pd.DataFrame, tmp_path: Path) -> None:
    facts = {"b": 1, "a": {"y": [1, 2], "x": None}}
    paths_of = [write_table(table.copy(), "main", provenance=facts, folder=tmp_path / name) for name in ("one", "two")]
    reordered = write_table(table, "main", provenance=dict(reversed(facts.items())), folder=tmp_path / "three")
    for path in [*paths_of, reordered]:
        assert path.read_bytes() == paths_of[0].read_bytes()
        assert path.with_suffix(".json").read_bytes() == paths_of[0].with_suffix(".json").read_bytes()


def test_the_csv_is_plain(table: pd.DataFrame, tmp_path: Path) -> None:
    data = write_table(table, "main", provenance={}, folder=tmp_path).read_bytes()
    assert data.splitlines()[:2] == [b"method,style,top1,tiny,n,tied", b"dtw,short_fixed,33.33333333,1.5e-13,448,True"]
    assert b"\r" not in data


def test_the_sidecar_says_what_made_the_table(table: pd.DataFrame, dataset: Dataset, tmp_path: Path) -> None:
    facts = provenance(
        dataset, checkpoint="c0ffee", parameters={"seed": np.int64(3), "options": options()}, n=447, n_total=448
    )
    path = write_table(table, "main", provenance=facts, folder=tmp_path)
    sidecar = json.loads(path.with_suffix(".json").read_text())
    assert sidecar["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert sidecar["rows"] == 3
    assert (sidecar["versions"]["actalign"], sidecar["versions"]["numpy"]) == (__version__, np.__version__)
    told = sidecar["provenance"]
    assert told["data"] == {"name": "demo", "registry_sha256": hashlib.sha256(b"abc  clips.csv\n").hexdigest()}
    assert (told["checkpoint"], told["clips"], told["n"], told["n_total"]) == ("c0ffee", "447 of 448", 447, 448)
    assert told["parameters"]["seed"] == 3
    assert told["parameters"]["options"]["smoothing_width"] == 30
    assert str(tmp_path) not in path.with_suffix(".json").read_text()


def test_a_folder_without_a_registry_has_no_hash(tmp_path: Path) -> None:
    facts = provenance(Dataset("mine", tmp_path, {}, ()), checkpoint="", parameters={}, n=0, n_total=0)
    assert facts["data"] == {"name": "mine", "registry_sha256": None}


def test_impossible_counts_are_refused(dataset: Dataset) -> None:
    with pytest.raises(ActAlignError, match="5 of 4 clips"):
        provenance(dataset, checkpoint="", parameters={}, n=5, n_total=4)


@dataclass
class Opaque:
    value: Any


@pytest.mark.parametrize("value", [Path("/somewhere"), {1, 2}, float("nan"), np.float64("inf"), Opaque(object())])
def test_provenance_that_json_cannot_hold_is_named(table: pd.DataFrame, tmp_path: Path, value: Any) -> None:
    with pytest.raises(ActAlignError, match=r"provenance\.thing"):
        write_table(table, "main", provenance={"thing": value}, folder=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_results_is_the_default_folder(table: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "RESULTS", tmp_path / "results")
    assert write_table(table, "main", provenance={}) == tmp_path / "results" / "main.csv"
    assert len(read_table("main")) == 3


def test_a_missing_table_names_what_makes_it(tmp_path: Path) -> None:
    with pytest.raises(ActAlignError, match=r"main\.csv is not there; make it with: make figures"):
        read_table("main", folder=tmp_path)
    with pytest.raises(ActAlignError, match="make it with: notebooks/10_scores"):
        read_table("main", folder=tmp_path, made_by="notebooks/10_scores.ipynb")


def test_a_table_without_or_with_another_sidecar_is_refused(table: pd.DataFrame, tmp_path: Path) -> None:
    path = write_table(table, "main", provenance={}, folder=tmp_path)
    path.write_text(path.read_text().replace("448", "449"))
    with pytest.raises(ActAlignError, match="not the table its JSON describes"):
        read_table("main", folder=tmp_path)
    sidecar = path.with_suffix(".json")
    for damage in ("{", "[]", "{}", '{"columns": {"a": "colour"}}'):
        sidecar.write_text(damage)
        with pytest.raises(ActAlignError, match=r"main\.json is damaged"):
            read_table("main", folder=tmp_path)
    sidecar.unlink()
    with pytest.raises(ActAlignError, match=r"main\.json is not there"):
        read_table("main", folder=tmp_path)


def test_empty_tables_and_gaps_are_refused(table: pd.DataFrame, tmp_path: Path) -> None:
    with pytest.raises(ActAlignError, match="'main' has no rows"):
        write_table(table.iloc[:0], "main", provenance={}, folder=tmp_path)
    with pytest.raises(ActAlignError, match="column 'style' of table 'main' has missing values"):
        write_table(table.assign(style=["a", None, "b"]), "main", provenance={}, folder=tmp_path)


def test_a_full_disk_leaves_the_old_table(table: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_table(table, "main", provenance={}, folder=tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def full(self: Path, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(ActAlignError, match=r"main\.csv: No space left on device"):
        write_table(table.head(1), "main", provenance={}, folder=tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_folder_that_cannot_be_made(table: pd.DataFrame, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ActAlignError, match="cannot write"):
        write_table(table, "main", provenance={}, folder=tmp_path / "file" / "results")


def test_libraries_that_are_not_installed_are_left_out() -> None:
    assert set(results.versions(["numpy", "no-such-library"])) == {"actalign", "python", "numpy"}
