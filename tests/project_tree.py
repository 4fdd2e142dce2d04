"""A small project of its own for the notebooks: drawn clips, a checkpoint of random weights, the notebooks."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat

import actalign
from actalign.sample.classes import families
from actalign.sample.render import plan_clips, write_folder

PROJECT = Path(actalign.__file__).resolve().parents[1]
FILES_OF_THE_TREE = {"test_error_notebooks.py", "test_notebooks.py", "test_site.py", "test_table_notebooks.py"}
"""Whose tests ask for the fixture ``tree``, over which every notebook is run once."""
TEST_CLIPS, VALIDATION_CLIPS = 16, 8
QUIET = {"OMP_NUM_THREADS": "1"}


def write_tree(root: Path, checkpoint: Path) -> Path:
    """Write a project of 16 test and 8 validation clips of 8 families, and return its folder."""
    made = families(3)[::8]
    planned = plan_clips(made, TEST_CLIPS, split="test") + plan_clips(made, VALIDATION_CLIPS, split="validation")
    write_folder(root / "data" / "sample", planned, seed=3, progress=False)
    shutil.copytree(checkpoint, root / "data" / "sample" / "checkpoint")
    shutil.copytree(PROJECT / "notebooks", root / "notebooks", ignore=shutil.ignore_patterns(".*"))
    return root


def shown(executed: Path) -> str:
    """All text that an executed notebook shows."""
    cells = nbformat.read(executed, as_version=4).cells
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    return "\n".join(str(output.get("text", "")) + str(output.get("data", "")) for output in outputs)


def run_module(root: Path, module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs ``python -m module`` of this project over the tree in ``root``."""
    environment = {**os.environ, **QUIET, "ACTALIGN_ROOT": str(root), "PYTHONPATH": str(PROJECT)}
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=root, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


def command(root: Path, *arguments: str) -> str:
    """Runs the runner over a tree and returns what it printed."""
    done = run_module(root, "actalign.runner", *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout
