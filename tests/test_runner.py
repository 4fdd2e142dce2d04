"""The strict notebook runner: what it refuses, what it reuses, and how it ends."""

import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nbformat
import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from actalign import errors, paths, run_records, runner
from actalign import notebook as notebook_module
from actalign.errors import ActAlignError, LeftOutError
from actalign.files import write_whole
from actalign.notebook import check_sources, parse_parameters, read_parameters, run_notebook
from actalign.run_summary import summary

NO_PARAMETERS = ""
MAIN_CSV = "label,top1,top1_low,top1_high,top2,top3,n,n_total\\nDTW,70.04,65.0,75.0,85,95,440,448\\n"


def write_notebook(path: Path, *cells: str, parameters: str | None = NO_PARAMETERS) -> Path:
    """A notebook source whose first cell is the tagged one, unless ``parameters`` is None."""
    made = [new_code_cell(source) for source in cells]
    if parameters is not None:
        made.insert(0, new_code_cell(parameters, metadata={"tags": ["parameters"]}))
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(new_notebook(cells=made), path)
    return path


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project tree that the runner takes for its own."""
    root = tmp_path / "a project {with} braces"
    for name in ("NOTEBOOKS", "FIGURES", "DATA", "SAMPLE", "CHECKPOINT", "RESULTS", "CACHE"):
        relative = getattr(paths, name).relative_to(paths.ROOT)
        monkeypatch.setattr(paths, name, root / relative)
    monkeypatch.setattr(paths, "ROOT", root)
    root.mkdir()
    return root


# Parameters


def test_parameters_are_read_with_their_defaults() -> None:
    source = 'seed = 0  # of the bootstrap\n# the styles\nstyles: list[str] = ["a", "b"]\nwidth = -1.5  # frames\n'
    assert parse_parameters(source, "x") == {"seed": 0, "styles": ["a", "b"], "width": -1.5}


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("import os  # no", "line 1 of the parameters cell is not `name = literal`: `import os`"),
        ("a = 1  # one\nb = a + 1  # two", "line 2 of the parameters cell"),
        ("a = b = 1  # two at once", "not `name = literal`"),
        ("a[0] = 1  # an item", "not `name = literal`"),
        ("a: int  # no value", "not `name = literal`"),
        ('a: Literal["x"] = "x"  # kind', "Literal"),
        ("a = 1  # one\na = 2  # again", "sets 'a' twice"),
        ("a = 1", "'a' has no comment"),
        ("a = 1  # one\nb = 2", "'b' has no comment"),
        ("a = {[]: 1}  # a list as a key", "not `name = literal`"),
        ("a = (", "is not Python"),
        ("\n".join(f"p{i} = {i}  # number {i}" for i in range(9)), "9 parameters, at most 8"),
    ],
)
def test_a_parameters_cell_holds_a_few_commented_literals(source: str, complaint: str) -> None:
    with pytest.raises(ActAlignError) as caught:
        parse_parameters(source, "nb.ipynb")
    assert complaint in str(caught.value)
    assert "nb.ipynb" in str(caught.value)


def test_eight_parameters_are_allowed() -> None:
    assert len(parse_parameters("\n".join(f"p{i} = {i}  # number {i}" for i in range(8)), "x")) == 8


def test_a_missing_tagged_cell_is_refused(tmp_path: Path) -> None:
    path = write_notebook(tmp_path / "n.ipynb", "seed = 0  # of something", parameters=None)
    with pytest.raises(ActAlignError, match=r"n\.ipynb has 0 cells tagged 'parameters'"):
        run_notebook(path, {"seed": 1}, output=tmp_path / "out.ipynb")


def test_a_tagged_cell_of_text_is_refused(tmp_path: Path) -> None:
    cell = new_markdown_cell("seed = 0  # draws", metadata={"tags": ["parameters"]})
    nbformat.write(new_notebook(cells=[cell]), tmp_path / "n.ipynb")
    with pytest.raises(ActAlignError, match="needs exactly one, a code cell"):
        read_parameters(tmp_path / "n.ipynb")


def test_two_tagged_cells_are_refused(tmp_path: Path) -> None:
    path = write_notebook(tmp_path / "n.ipynb")
    made = nbformat.read(path, as_version=4)
    made.cells.append(new_code_cell("", metadata={"tags": ["parameters"]}))
    nbformat.write(made, path)
    with pytest.raises(ActAlignError, match="2 cells tagged"):
        read_parameters(path)


def test_an_unknown_parameter_is_refused_before_anything_runs(tmp_path: Path) -> None:
    path = write_notebook(tmp_path / "n.ipynb", parameters="seed = 0  # draws\nstyle = 'a'  # of script")
    with pytest.raises(ActAlignError, match=r"no parameter 'sede'; did you mean 'seed'\? It knows: seed, style"):
        run_notebook(path, {"sede": 1}, output=tmp_path / "out.ipynb")
    with pytest.raises(ActAlignError, match=r"no parameter 'q'\. It knows: seed, style"):
        run_notebook(path, {"q": 1}, output=tmp_path / "out.ipynb")
    assert not (tmp_path / "out.ipynb").exists()


@pytest.mark.parametrize("value", [Path("x"), {1: 2}, [object()], {"a": {3}}])
def test_a_value_that_is_no_literal_is_refused(tmp_path: Path, value: object) -> None:
    path = write_notebook(tmp_path / "n.ipynb", parameters="seed = 0  # draws")
    with pytest.raises(ActAlignError, match="parameter 'seed' got a"):
        run_notebook(path, {"seed": value}, output=tmp_path / "out.ipynb")


# Sources


def test_sources_with_outputs_are_refused_and_all_are_named(tmp_path: Path) -> None:
    clean = write_notebook(tmp_path / "clean.ipynb", "1 + 1")
    check_sources([clean])
    shown = write_notebook(tmp_path / "shown.ipynb", "1 + 1")
    made = nbformat.read(shown, as_version=4)
    made.cells[0].outputs = [new_output("stream", text="2")]
    made.cells[1].execution_count = 3
    nbformat.write(made, shown)
    untagged = write_notebook(tmp_path / "untagged.ipynb", parameters=None)
    with pytest.raises(ActAlignError) as caught:
        check_sources([clean, shown, untagged])
    message = str(caught.value)
    assert message.startswith("2 notebook(s) cannot be run:")
    assert "shown.ipynb carries outputs or execution counts (code cells 1, 2)" in message
    assert "untagged.ipynb has 0 cells tagged" in message


@pytest.mark.parametrize("content", ["", "not json", "{}", '{"nbformat": 4, "nbformat_minor": 5, "cells": 3}'])
def test_a_broken_notebook_file_is_one_clear_error(tmp_path: Path, content: str) -> None:
    path = tmp_path / "n.ipynb"
    path.write_text(content)
    with pytest.raises(ActAlignError, match=r"n\.ipynb is not a readable notebook"):
        read_parameters(path)


def test_a_missing_notebook_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ActAlignError, match="is not there"):
        read_parameters(tmp_path / "n.ipynb")


# One notebook


def test_parameters_arrive_and_the_kernel_is_this_interpreter_in_the_notebooks_folder(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(project / "mine"))
    path = write_notebook(
        paths.NOTEBOOKS / "n.ipynb",
        "import json, os, sys\nfrom pathlib import Path\nimport actalign\nfrom actalign import paths",
        "seen = [seed, style, sys.executable, os.getcwd(), str(paths.ROOT), actalign.__file__]\n"
        "around = [os.environ['PYTHONPATH'].split(os.pathsep), os.environ['PYTHONHASHSEED']]\n"
        "(paths.ROOT / 'seen.json').write_text(json.dumps([*seen, *around]));",
        parameters="seed = 0  # draws\nstyle = None  # of script",
    )
    output = run_notebook(path, {"style": "é {x}"}, output=project / "out" / "n.ipynb")
    seed, style, executable, folder, root, package, search_path, hash_seed = json.loads(
        (project / "seen.json").read_text()
    )
    assert (seed, style) == (0, "é {x}")
    assert executable == sys.executable
    assert Path(folder) == paths.NOTEBOOKS
    assert Path(root) == project
    assert Path(package).parent == Path(runner.__file__).parent
    assert search_path == [str(Path(package).parents[1]), str(project / "mine")] and hash_seed == "0"
    executed = nbformat.read(output, as_version=4)
    assert [cell.execution_count for cell in executed.cells] == [1, 2, 3, 4]
    assert read_parameters(path) == {"seed": 0, "style": None}


def test_a_failing_cell_names_notebook_cell_and_exception_and_keeps_the_copy(tmp_path: Path) -> None:
    path = write_notebook(tmp_path / "n.ipynb", "print('before')", "raise ValueError('no clips\\nat all')", "1")
    output = tmp_path / "executed" / "n.ipynb"
    with pytest.raises(ActAlignError) as caught:
        run_notebook(path, output=output)
    assert f"n.ipynb failed in cell [2]: ValueError: no clips\n  read the executed copy: {output}" == str(caught.value)
    assert "before" in output.read_text()


def test_a_result_that_the_data_do_not_give_is_told_apart_from_a_failure(tmp_path: Path) -> None:
    path = write_notebook(
        tmp_path / "n.ipynb", "from actalign.errors import LeftOutError", "raise LeftOutError('one style')"
    )
    with pytest.raises(LeftOutError, match=r"^one style$"):
        run_notebook(path, output=tmp_path / "out.ipynb")


def test_an_overlong_cell_is_stopped(tmp_path: Path) -> None:
    path = write_notebook(tmp_path / "n.ipynb", "import time; time.sleep(600)")
    with pytest.raises(ActAlignError, match=r"n\.ipynb: a cell took longer than 1 s"):
        run_notebook(path, output=tmp_path / "out.ipynb", timeout_s=1)


def test_a_dying_kernel_is_an_error_that_says_so(tmp_path: Path) -> None:
    path = write_notebook(tmp_path / "n.ipynb", "import os; os._exit(9)")
    with pytest.raises(ActAlignError, match=r"n\.ipynb: the kernel stopped"):
        run_notebook(path, output=tmp_path / "out.ipynb")


def test_a_kernel_that_cannot_start_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    interpreter = tmp_path / "python"
    interpreter.write_text("#!/bin/sh\necho 'starting' >&2\necho 'No module named ipykernel' >&2\nexit 1\n")
    interpreter.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(interpreter))
    path = write_notebook(tmp_path / "n.ipynb", "1")
    with pytest.raises(ActAlignError, match=r"the kernel stopped.*its last words: No module named ipykernel"):
        run_notebook(path, output=tmp_path / "out.ipynb")


# The plan


def test_the_plan_computes_first_then_draws_tables_then_figures(tmp_path: Path) -> None:
    for stem in ("fig_4_maps", "20_scores", "table_2_main", "00_quickstart", "fig_5_tsne"):
        write_notebook(tmp_path / f"{stem}.ipynb")
    stems = [path.stem for path in runner.plan(tmp_path)]
    assert stems == ["00_quickstart", "20_scores", "table_2_main", "fig_4_maps", "fig_5_tsne"]


def test_a_name_without_a_stage_and_an_empty_folder_are_errors(tmp_path: Path) -> None:
    with pytest.raises(ActAlignError, match="no notebooks in"):
        runner.plan(tmp_path)
    write_notebook(tmp_path / "scratch.ipynb")
    with pytest.raises(ActAlignError, match=r"scratch\.ipynb: a notebook's name starts with a digit"):
        runner.plan(tmp_path)


# Reuse. Starting kernels is slow, so here a notebook is "run" by executing its cells in this process.


@pytest.fixture
def fast(project: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Runs cells with ``exec``; returns the list of the stems that ran."""
    ran: list[str] = []

    def execute(path: Path, parameters: Any = None, *, output: Path) -> Path:
        ran.append(path.stem)
        assert set(parameters or {}) <= set(read_parameters(path))
        for folder in (paths.RESULTS, paths.FIGURES):
            folder.mkdir(parents=True, exist_ok=True)
        output.parent.mkdir(parents=True, exist_ok=True)
        made = notebook_module.read_notebook(path)
        nbformat.write(made, output)
        known = {"results": paths.RESULTS, "figures": paths.FIGURES}
        for cell in made.cells:
            exec(cell.source, known)
            known |= (parameters or {}) if "parameters" in cell.metadata.get("tags", []) else {}
        return output

    monkeypatch.setattr(runner, "run_notebook", execute)
    monkeypatch.setattr(run_records, "package_files", lambda: {"records.py": "as it was"})
    paths.SAMPLE.mkdir(parents=True)
    (paths.SAMPLE / "registry.sha256").write_text("the sample")
    write_notebook(paths.NOTEBOOKS / "10_scores.ipynb", f"(results / 'main.csv').write_text('{MAIN_CSV}')")
    write_notebook(paths.NOTEBOOKS / "20_widths.ipynb", "(results / 'widths.csv').write_text('w,top1')")
    write_notebook(
        paths.NOTEBOOKS / "fig_4_maps.ipynb",
        "(figures / 'fig_4_maps.svg').write_text((results / 'main.csv').read_text())",
    )
    return ran


KNOWS_DATA = "dataset = 'sample'  # a folder\ncheckpoint = ''  # another"
ALL = ["10_scores", "20_widths", "fig_4_maps"]


def test_a_second_run_reuses_everything(fast: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert runner.main([]) == 0
    first = capsys.readouterr().out
    assert fast == ALL
    assert [line.split()[::4] for line in first.splitlines() if " ran " in line] == [
        ["10_scores", "data/results/main.csv"],
        ["20_widths", "data/results/widths.csv"],
        ["fig_4_maps", "figures/fig_4_maps.svg"],
    ]
    assert runner.main([]) == 0
    second = capsys.readouterr().out
    assert fast == ALL
    assert second.count("reused") == 6  # a line of progress and one of the summary each
    for text in (first, second):
        assert text.endswith("DTW                  70.0 [65.0, 75.0]   85.0   95.0  440 of 448\n")


def test_records_hold_hashes_and_no_absolute_paths(
    fast: list[str], project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = count()
    monkeypatch.setattr(runner, "time", SimpleNamespace(monotonic=lambda: next(seconds)))
    runner.main([])
    records = sorted((paths.RESULTS / "runs").iterdir())
    assert [path.name for path in records] == [f"{stem}.json" for stem in ALL]
    content = json.loads(records[2].read_text())
    assert sorted(content) == ["key", "outputs", "seconds"] and content["seconds"] == 1
    assert list(content["outputs"]) == ["figures/fig_4_maps.svg"]
    assert not any(str(project) in path.read_text() for path in records)


def edit_source(stem: str, addition: str) -> None:
    path = paths.NOTEBOOKS / f"{stem}.ipynb"
    made = nbformat.read(path, as_version=4)
    made.cells.append(new_code_cell(addition))
    nbformat.write(made, path)


@pytest.mark.parametrize(
    ("change", "rerun"),
    [
        (lambda: edit_source("fig_4_maps", "1"), ["fig_4_maps"]),
        (lambda: edit_source("20_widths", "1"), ["20_widths"]),  # it writes the same bytes: what follows stands
        (lambda: edit_source("20_widths", "(results / 'widths.csv').write_text('')"), ["20_widths", "fig_4_maps"]),
        (lambda: (paths.FIGURES / "fig_4_maps.svg").unlink(), ["fig_4_maps"]),
        (lambda: (paths.FIGURES / "fig_4_maps.svg").write_text("scribble"), ["fig_4_maps"]),
        (lambda: (paths.RESULTS / "main.csv").write_text("scribble"), ["10_scores"]),
        (lambda: (paths.RESULTS / "runs" / "20_widths.json").write_text("{"), ["20_widths"]),
        (lambda: (paths.RESULTS / "runs" / "20_widths.json").write_text("{}"), ["20_widths"]),
        (lambda: (paths.RESULTS / "runs" / "20_widths.json").write_text("[" * 99_999), ["20_widths"]),
        (lambda: (paths.SAMPLE / "registry.sha256").write_text("another sample"), ALL),
    ],
)
def test_only_what_a_change_touches_runs_again(fast: list[str], change: Callable[[], object], rerun: list[str]) -> None:
    assert runner.main([]) == 0
    fast.clear()
    change()
    assert runner.main([]) == 0
    assert fast == rerun


def test_a_change_of_the_package_or_of_a_library_runs_everything(
    fast: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    runner.main([])
    fast.clear()
    monkeypatch.setattr(run_records, "package_files", lambda: {"records.py": "edited"})
    runner.main([])
    assert fast == ALL
    fast.clear()
    monkeypatch.setattr(run_records, "versions", lambda libraries: {"numpy": "0"})
    runner.main([])
    assert fast == ALL


def test_what_is_compiled_from_the_package_and_hidden_files_do_not_count(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_records, "__file__", str(project / "package" / "run_records.py"))
    for name in ("records.py", "__pycache__/records.nbi", "dtw/__pycache__/kernels.pyc"):
        write_whole(project / "package" / name, "content")
    assert list(run_records.package_files()) == ["records.py"]
    before = run_records.snapshot()
    for name in (".main.csv.0f.tmp", "main.csv", "runs/20_widths.json"):
        write_whole(paths.RESULTS / name, "content")
    assert list(run_records.written_since(before)) == ["data/results/main.csv"]


def test_the_key_covers_the_package_and_the_libraries() -> None:
    files = run_records.package_files()
    assert {"records.py", "dtw/__init__.py", "py.typed"} <= set(files)
    assert files["errors.py"] == hashlib.sha256(Path(errors.__file__).read_bytes()).hexdigest()
    assert not any(name.endswith(".pyc") for name in files)
    around = run_records.surroundings({})["versions"]
    assert around["numpy"] == np.__version__ and around["scikit-learn"] and around["ipywidgets"]


def test_what_an_editor_notes_beside_the_cells_does_not_count_as_a_change(fast: list[str]) -> None:
    runner.main([])
    fast.clear()
    path = paths.NOTEBOOKS / "10_scores.ipynb"
    made = nbformat.read(path, as_version=4)
    made.metadata["kernelspec"] = {"name": "another", "display_name": "Another"}
    nbformat.write(made, path)
    runner.main([])
    assert fast == []


@pytest.mark.parametrize("name", ["metadata.jsonl", "ledger.jsonl"])
def test_what_was_fetched_counts_as_a_change_of_the_notebook_that_shows_it(
    name: str, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_records, "ATLAS", project)
    keys = set()
    for stem in ("actionatlas", "10_scores"):
        notebook = paths.NOTEBOOKS / f"{stem}.ipynb"
        write_notebook(notebook, "1")
        for fetched in ("one", "two"):
            (project / name).write_text(fetched)
            keys.add((stem, run_records.key_of(notebook, around={}, upstream={})))
    assert [sum(stem == known for known, _ in keys) for stem in ("actionatlas", "10_scores")] == [2, 1]


def test_a_cell_that_is_tagged_or_turned_into_text_counts_as_a_change(tmp_path: Path) -> None:
    notebook, keys = tmp_path / "10_scores.ipynb", set()
    for cell in (new_code_cell("1"), new_markdown_cell("1"), new_code_cell("1", metadata={"tags": ["another"]})):
        nbformat.write(new_notebook(cells=[cell]), notebook)
        keys.add(run_records.key_of(notebook, around={}, upstream={}))
    assert len(keys) == 3


def test_a_notebook_that_lost_one_of_its_files_runs_again(fast: list[str]) -> None:
    edit_source("20_widths", "(results / 'more.csv').write_text('w')")
    runner.main([])
    fast.clear()
    (paths.RESULTS / "more.csv").unlink()
    runner.main([])
    assert fast == ["20_widths"]


def test_only_and_force_choose_what_runs(fast: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert runner.main(["--only", "20_widths"]) == 0, "it needs no main table"
    runner.main([])
    fast.clear()
    assert runner.main(["--only", "fig_4_maps", "10_scores"]) == 0
    assert fast == []
    assert runner.main(["--only", "fig_4_maps", "--force"]) == 0
    assert fast == ["fig_4_maps"]
    assert "[ 1/1] fig_4_maps" in capsys.readouterr().out
    assert runner.main([]) == 0
    assert fast == ["fig_4_maps"]
    assert runner.main(["--only", "fig_44"]) == 1
    assert "no notebook named fig_44; there are: 10_scores, 20_widths, fig_4_maps" in capsys.readouterr().err


def test_after_ctrl_c_nobody_is_told_to_force_again(
    fast: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*arguments: object, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(runner, "run_plan", interrupted)
    assert runner.main([]) == runner.main(["--force"]) == 130
    plain, forced = capsys.readouterr().err.strip().splitlines()[::2]
    assert plain.endswith("the same command goes on from here")
    assert forced.endswith("without --force the same command reuses them and all others that are current")


def test_a_failing_notebook_keeps_earlier_work_and_is_taken_up_again(
    fast: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    execute = runner.run_notebook

    def fail(path: Path, parameters: Any = None, *, output: Path) -> Path:
        if path.stem == "20_widths":
            raise ActAlignError("20_widths.ipynb failed in cell [2]: ValueError: no")
        return execute(path, parameters, output=output)

    monkeypatch.setattr(runner, "run_notebook", fail)
    assert runner.main([]) == 1
    printed = capsys.readouterr()
    assert printed.err == "\nerror: 20_widths.ipynb failed in cell [2]: ValueError: no\n"
    states = [line.split()[:3] for line in printed.out.split("wrote\n")[1].splitlines()[:3]]
    assert [state[1] for state in states] == ["ran", "failed", "not"]  # nothing is drawn from old results
    assert "DTW" not in printed.out, "nor is the main table shown"
    assert fast == ["10_scores"]
    monkeypatch.setattr(runner, "run_notebook", execute)
    assert runner.main([]) == 0
    assert fast == ["10_scores", "20_widths", "fig_4_maps"]


def test_what_was_drawn_from_files_that_a_failure_left_is_drawn_again(
    fast: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    scores = paths.NOTEBOOKS / "10_scores.ipynb"
    whole = scores.read_bytes()
    assert runner.main([]) == 0
    edit_source("10_scores", "(results / 'main.csv').write_text('half')")
    execute = runner.run_notebook

    def fail(path: Path, parameters: Any = None, *, output: Path) -> Path:
        execute(path, parameters, output=output)
        raise ActAlignError("10_scores.ipynb failed in cell [3]: ValueError: no")

    monkeypatch.setattr(runner, "run_notebook", fail)
    assert runner.main(["--only", "10_scores"]) == 1
    monkeypatch.setattr(runner, "run_notebook", execute)
    assert runner.main(["--only", "fig_4_maps", "--force"]) == 0
    assert (paths.FIGURES / "fig_4_maps.svg").read_text() == "half"
    scores.write_bytes(whole)
    assert runner.main([]) == 0
    assert (paths.FIGURES / "fig_4_maps.svg").read_text() == (paths.RESULTS / "main.csv").read_text() != "half"


def test_a_drawing_notebook_that_writes_nothing_is_an_error(
    fast: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    write_notebook(paths.NOTEBOOKS / "fig_9.ipynb", "1")
    assert runner.main([]) == 1
    assert "fig_9.ipynb wrote nothing under" in capsys.readouterr().err


def test_a_drawing_that_fails_stops_no_other(fast: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    write_notebook(paths.NOTEBOOKS / "fig_1_none.ipynb", "1")
    assert runner.main([]) == 1
    assert fast == ["10_scores", "20_widths", "fig_1_none", "fig_4_maps"]
    printed = capsys.readouterr()
    assert "fig_1_none  failed" in printed.out
    assert printed.err.count("error:") == 1


def test_notebooks_of_other_videos_hold_nobody_up_and_wait_for_nobody(fast: list[str]) -> None:
    explorer = write_notebook(paths.NOTEBOOKS / "explorer.ipynb", "1")
    assert runner.main([]) == 0, "one that writes nothing is no failure"
    assert fast == ["10_scores", "20_widths", "explorer", "fig_4_maps"]
    fast.clear()
    write_notebook(explorer, "(results / 'seen.csv').write_text('')")
    assert runner.main([]) == 0
    assert fast == ["explorer"], "nothing is drawn from what it writes"
    for source in (explorer, paths.NOTEBOOKS / "10_scores.ipynb"):
        write_notebook(source, "from actalign.errors import ActAlignError\nraise ActAlignError('no')")
    fast.clear()
    edit_source("fig_4_maps", "2")
    assert runner.main(["--only", "explorer", "fig_4_maps"]) == 1
    assert fast == ["explorer", "fig_4_maps"]
    fast.clear()
    assert runner.main([]) == 1
    assert fast == ["10_scores", "explorer"], "what a failed notebook is before is not run, computed or drawn"


def test_only_and_set_add_up_when_they_are_given_again(fast: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert runner.main(["--only", "10_scores", "--only", "20_widths"]) == 0
    assert fast == ["10_scores", "20_widths"]
    fast.clear()
    write_notebook(
        paths.NOTEBOOKS / "20_widths.ipynb",
        "(results / 'widths.csv').write_text(repr((style, seed)))",
        parameters="style = 'rich'  # of the scripts\nseed = 0  # of the bootstrap",
    )
    monkeypatch.setenv("ACTALIGN_OUT", "elsewhere")
    assert runner.main(["--set", "style=terse", "--set", "seed=3"]) == 0
    assert (paths.RESULTS / "widths.csv").read_text() == "('terse', 3)"


def test_parameters_are_set_where_they_are_known_and_need_a_folder_of_their_own(
    fast: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert runner.main(["--set", "style=terse"]) == 1
    monkeypatch.setenv("ACTALIGN_OUT", "")
    assert runner.main(["--set", "style=terse"]) == 1
    assert capsys.readouterr().err.count("set ACTALIGN_OUT to one") == 2
    monkeypatch.setenv("ACTALIGN_OUT", "elsewhere")
    assert runner.main(["--set", "style=terse"]) == 1
    assert "no notebook has a parameter 'style'; there are: " in capsys.readouterr().err
    write_notebook(
        paths.NOTEBOOKS / "20_widths.ipynb",
        "(results / 'widths.csv').write_text(repr((style, seed)))",
        parameters="style = 'rich'  # of the scripts\nseed = 0  # of the bootstrap",
    )
    assert runner.main(["--set", "style=terse", "seed=3"]) == 0
    assert (paths.RESULTS / "widths.csv").read_text() == "('terse', 3)"
    fast.clear()
    assert runner.main(["--set", "style=terse", "seed=3"]) == 0
    assert fast == []
    assert runner.main(["--set", "style=/a folder/of=mine", "seed=4"]) == 0
    assert fast == ALL and (paths.RESULTS / "widths.csv").read_text() == "('/a folder/of=mine', 4)"
    with pytest.raises(SystemExit):
        runner.main(["--set", "style"])
    assert "'style' is not NAME=VALUE" in capsys.readouterr().err


def test_the_gallery_shows_what_is_there_and_how_it_is_made(fast: list[str]) -> None:
    write_notebook(paths.NOTEBOOKS / "table_2.ipynb", "(figures / 'table_2.md').write_text('| a |\\n|---|\\n| 1 |')")
    assert runner.main([]) == 0
    page = (paths.FIGURES / "README.md").read_text(encoding="utf-8")
    assert "| a |\n|---|\n| 1 |" in page
    assert "--only table_2`" in page
    assert "[svg](fig_4_maps.svg)" in page and "Made by `make figures`" in page
    assert runner.main([]) == 0
    assert (paths.FIGURES / "README.md").read_text(encoding="utf-8") == page


def test_what_the_data_do_not_give_is_left_out_and_no_failure(
    fast: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    write_notebook(
        paths.NOTEBOOKS / "fig_6_vague.ipynb",
        "from actalign.results import leave_out, read_table\nleave_out('vague', 'there is one style')",
        "read_table('vague')",
    )
    assert runner.main([]) == 0
    printed = capsys.readouterr()
    assert "fig_6_vague  left out         there is no vague: there is one style\n" in printed.out
    assert printed.err == ""


def test_what_is_left_out_takes_with_it_what_other_data_gave(fast: list[str]) -> None:
    path = paths.NOTEBOOKS / "fig_6_vague.ipynb"
    write_notebook(path, "(figures / 'fig_6_vague.svg').write_text('a'); (figures / 'fig_6_vague.csv').write_text('b')")
    assert runner.main([]) == 0
    assert "fig_6_vague.svg" in (paths.FIGURES / "README.md").read_text(encoding="utf-8")
    (paths.FIGURES / "fig_6_vague.csv").write_text("changed by hand")
    write_notebook(path, "from actalign.errors import LeftOutError\nraise LeftOutError('one style')")
    assert runner.main([]) == 0
    assert [file.name for file in paths.FIGURES.glob("fig_6*")] == ["fig_6_vague.csv"]
    assert not (paths.RESULTS / "runs" / "fig_6_vague.json").exists()
    assert "fig_6_vague.svg" not in (paths.FIGURES / "README.md").read_text(encoding="utf-8")


def test_a_data_set_of_ones_own_is_nothing_for_notebooks_of_other_videos(
    fast: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_notebook(paths.NOTEBOOKS / "10_scores.ipynb", "(results / 'main.csv').write_text('')", parameters=KNOWS_DATA)
    write_notebook(paths.NOTEBOOKS / "explorer.ipynb", parameters=KNOWS_DATA)
    write_notebook(paths.NOTEBOOKS / "own_videos.ipynb", parameters="checkpoint = ''  # a folder")
    chosen = {
        given: [path.stem for path in runner._selected(runner.plan(paths.NOTEBOOKS), (), dict.fromkeys(given, "mine"))]
        for given in (("dataset",), ("dataset", "checkpoint"), ("checkpoint",))
    }
    for given in (("dataset",), ("dataset", "checkpoint")):
        assert "explorer" in chosen[given] and "own_videos" not in chosen[given]
    assert {"explorer", "own_videos"} <= set(chosen["checkpoint",])


def test_the_gallery_keeps_the_captions_of_what_was_not_run_here(fast: list[str]) -> None:
    assert runner.main([]) == 0
    page = (paths.FIGURES / "README.md").read_text(encoding="utf-8")
    for executed in (paths.RESULTS / "executed").glob("*.ipynb"):  # as in a fresh clone
        executed.unlink()
    (paths.FIGURES / "README.md").write_text(page + "as committed", encoding="utf-8")
    assert runner.main(["--only", "20_widths"]) == 0
    assert (paths.FIGURES / "README.md").read_text(encoding="utf-8") == page + "as committed"
    assert runner.main(["--force"]) == 0
    assert (paths.FIGURES / "README.md").read_text(encoding="utf-8") == page


def test_a_record_of_another_shape_is_as_good_as_none(fast: list[str]) -> None:
    assert runner.main([]) == 0
    record = paths.RESULTS / "runs" / "20_widths.json"
    oddities: list[dict[str, Any]] = [{"outputs": []}, {"seconds": None}]
    for odd in oddities:
        record.write_text(json.dumps({**json.loads(record.read_text()), **odd}))
        fast.clear()
        assert runner.main([]) == 0 and "20_widths" in fast


def test_the_gallery_of_another_folder_names_no_command_that_would_not_make_it(
    fast: list[str], project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "FIGURES", project / "elsewhere" / "figures")
    assert runner.main([]) == 0
    page = (paths.FIGURES / "README.md").read_text(encoding="utf-8")
    assert "[svg](fig_4_maps.svg)" in page and "--only" not in page and "make figures" not in page


def test_two_notebooks_that_write_one_file_are_an_error(fast: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    write_notebook(paths.NOTEBOOKS / "30_again.ipynb", "(results / 'widths.csv').write_text('w')")
    assert runner.main([]) == 1
    assert "20_widths and 30_again both write data/results/widths.csv" in capsys.readouterr().err


def test_outputs_in_a_source_stop_the_run_before_it_starts(fast: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    path = paths.NOTEBOOKS / "fig_4_maps.ipynb"
    made = nbformat.read(path, as_version=4)
    made.cells[1].execution_count = 1
    nbformat.write(made, path)
    assert runner.main([]) == 1
    assert "fig_4_maps.ipynb carries outputs" in capsys.readouterr().err
    assert fast == []


def test_a_missing_or_wrong_main_table_is_an_error(fast: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    (paths.NOTEBOOKS / "fig_4_maps.ipynb").unlink()
    write_notebook(paths.NOTEBOOKS / "10_scores.ipynb", "(results / 'other.csv').write_text('')")
    assert runner.main([]) == 1
    assert "main.csv is not there" in capsys.readouterr().err
    write_notebook(paths.NOTEBOOKS / "10_scores.ipynb", "(results / 'main.csv').write_text('label,top1')")
    assert runner.main([]) == 1
    assert "has no column top1_low, top1_high, top2, top3, n, n_total" in capsys.readouterr().err
    one_family = MAIN_CSV.replace("65.0,75.0", ",")
    write_notebook(paths.NOTEBOOKS / "10_scores.ipynb", f"(results / 'main.csv').write_text('{one_family}')")
    assert runner.main([]) == 0
    assert capsys.readouterr().out.splitlines()[-1].split() == ["DTW", "70.0", "85.0", "95.0", "440", "of", "448"]


def test_a_folder_that_cannot_be_written_is_one_line(fast: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    paths.RESULTS.write_text("a file where the folder should be")
    assert runner.main([]) == 1
    assert capsys.readouterr().err.startswith("\nerror: [Errno")


def test_the_seconds_are_counted_on_a_terminal_only(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(runner, "TICK_S", 0.01)
    seconds = count()
    monkeypatch.setattr(runner, "time", SimpleNamespace(monotonic=lambda: next(seconds)))
    with runner._clock("[ 1/1] x "):
        time.sleep(0.1)
    assert capsys.readouterr().out == ""
    ticked = threading.Event()

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

        def write(self, text: str) -> int:
            if text.endswith(" s"):
                ticked.set()
            return super().write(text)

    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    with runner._clock("[ 1/1] x "):
        assert ticked.wait(30)
    assert terminal.getvalue().startswith("\r[ 1/1] x    1   s")
    assert terminal.getvalue().endswith("\r[ 1/1] x ")


# The command, for real


def test_ctrl_c_ends_the_command_with_130_and_leaves_no_kernel(project: Path) -> None:
    started = project / "kernel.pid"
    write_notebook(
        paths.NOTEBOOKS / "10_slow.ipynb",
        f"import os, time, pathlib\npathlib.Path({str(started)!r}).write_text(str(os.getpid()))\ntime.sleep(600)",
    )
    environment = {**os.environ, "ACTALIGN_ROOT": str(project)}
    process = subprocess.Popen(
        [sys.executable, "-m", "actalign.runner"],
        env=environment,
        cwd=Path(runner.__file__).parents[1],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 120
    while not (started.is_file() and started.read_text()):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, complaint = process.communicate(timeout=60)
    assert process.returncode == 130
    assert complaint == "\ninterrupted; finished notebooks are kept, the same command goes on from here\n"
    assert not (paths.RESULTS / "runs").exists()
    assert ends(int(started.read_text()))


def ends(pid: int) -> bool:
    """Whether a process is gone, or killed and about to be."""
    give_up = time.monotonic() + 30
    while time.monotonic() < give_up:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


def test_ctrl_c_is_quiet_where_the_kernel_takes_its_time_to_end(tmp_path: Path) -> None:
    """nbclient looks once a second whether the kernel lives, also after the interrupt that ends it."""
    cell = "import os, signal, time\nos.kill(os.getppid(), signal.SIGINT)\ntime.sleep(600)"
    path = write_notebook(tmp_path / "n.ipynb", cell)
    code = (
        "import asyncio, pathlib\n"
        "from jupyter_client.manager import AsyncKernelManager as Manager\n"
        "from actalign.notebook import run_notebook\n"
        "clean = Manager._async_cleanup_resources\n"
        "async def late(*manager, **settings):\n"
        "    await asyncio.sleep(2)\n"
        "    await clean(*manager, **settings)\n"
        "Manager._async_cleanup_resources = late\n"
        "try:\n"
        f"    run_notebook(pathlib.Path({str(path)!r}), output=pathlib.Path('out.ipynb'))\n"
        "except KeyboardInterrupt:\n"
        "    print('interrupted')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "interrupted\n", "")


@pytest.mark.parametrize(
    ("other", "said"), [("data/results/d.csv", "5 files in data/results"), ("README.md", "5 files in .")]
)
def test_of_many_files_their_number_and_folder_are_named(other: str, said: str) -> None:
    files = ["data/results/a.csv", "data/results/a.json", "data/results/b.csv", "data/results/c.csv", other]
    record = run_records.Record("", dict.fromkeys(files, ""), 1.0)
    assert summary([run_records.Outcome("20_scores", "ran", record)]).endswith(f"1.0 s  {said}")
