"""The README names only what exists, and its numbers are those of the figures."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from test_layers import ROOMS

from actalign import paths
from actalign.sample.classes import families
from actalign.sample.render import plan_clips, write_folder

README = (paths.ROOT / "README.md").read_text(encoding="utf-8")
HUB_ID = "google/siglip-so400m-patch14-384"
MADE_BY_A_RUN = ("build/", "data/results/", "data/cache/", ".venv/")


def named_paths(text: str) -> set[str]:
    """Paths in link targets and in code spans that hold a slash or end like a file."""
    targets = set(re.findall(r"\]\(([^)#]+)\)", text)) | set(re.findall(r"`([\w./-]+/[\w./-]*|[\w-]+\.\w+)`", text))
    return {target for target in targets if "://" not in target and not target.startswith(("http", "google/"))}


def missing(text: str) -> list[str]:
    exists = [paths.ROOT, paths.RESULTS]
    return sorted(
        name
        for name in named_paths(text)
        if not name.startswith(MADE_BY_A_RUN) and not any((root / name).exists() for root in exists)
    )


RESULT_FILES = {"classes.txt", "styles.csv", "reference.csv", "clips.csv", "questions.csv"}


def test_every_path_named_exists() -> None:
    assert set(missing(README)) <= RESULT_FILES
    assert missing("see `figures/never_drawn.pdf` and [x](docs/none.md)") == ["docs/none.md", "figures/never_drawn.pdf"]


def test_result_files_named_are_written_by_a_notebook() -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in paths.NOTEBOOKS.glob("*.ipynb"))
    for name in ("styles", "reference"):
        assert f"{name}.csv" in README and f'\\"{name}\\"' in sources


def test_every_drawing_notebook_is_in_the_table_with_its_output() -> None:
    for notebook in paths.NOTEBOOKS.glob("*.ipynb"):
        if notebook.stem.startswith(("table_", "fig_")):
            assert f"`notebooks/{notebook.name}`" in README and f"`figures/{notebook.stem}." in README


def test_the_tree_names_every_module_once_in_the_order_of_the_layers() -> None:
    tree = README.split("## Where things are")[1]
    lines = re.findall(r"^  ([\w./ ]+?)  ", tree, flags=re.MULTILINE)
    named = [name.removesuffix(".py").removesuffix("/") for line in lines for name in line.split()]
    package = paths.ROOT / "actalign"
    there = {path.stem for path in package.glob("[a-z]*.py")} | {
        path.parent.name for path in package.glob("*/__init__.py")
    }
    assert sorted(named) == sorted(there)
    order = [room for room in (*ROOMS, "sample") if room in there]
    assert named == order


def test_every_make_verb_and_module_command_named_exists() -> None:
    verbs = subprocess.run(["make", "help"], cwd=paths.ROOT, capture_output=True, text=True, check=True).stdout
    assert all(f"make {verb} " in verbs for verb in re.findall(r"`?make ([\w-]+)", README))
    for module in set(re.findall(r"python -m (actalign[\w.]*)", README)):
        subprocess.run([sys.executable, "-m", module, "--help"], check=True, capture_output=True)


def test_the_main_table_is_the_figures_own() -> None:
    block = re.search(r"<!-- main results.*?-->\n(.*?)<!-- end -->", README, flags=re.DOTALL)
    drawn = (paths.FIGURES / "table_2_main_results.md").read_text(encoding="utf-8")
    assert block is not None and block[1].strip()
    assert [line for line in block[1].splitlines() if line.startswith("|")] == [
        line for line in drawn.split("\n\n**")[0].splitlines() if line.startswith("|")
    ]


@pytest.mark.parametrize("card", ["data/sample/README.md", "data/sample/checkpoint/README.md"])
def test_the_cards_exist(card: str) -> None:
    assert len((paths.ROOT / Path(card)).read_text(encoding="utf-8")) > 500


def test_the_example_runs_on_a_folder_of_clips(tmp_path: Path) -> None:
    example = re.search(r"```python\n(.*?)```", README, flags=re.DOTALL)
    assert example is not None
    folder = tmp_path / "my_clips"
    write_folder(folder, plan_clips(families(4), 4, split="test"), seed=4, progress=False)
    code = example[1].replace("path/to/my_clips", str(folder)).replace(HUB_ID, str(paths.CHECKPOINT))
    room = {**os.environ, "ACTALIGN_ROOT": str(tmp_path), "COLUMNS": "80"}  # on fewer, pandas leaves some out
    done = subprocess.run([sys.executable, "-c", code], env=room, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "computed 4" in done.stdout and "top1_high" in done.stdout and "DTW + context " in done.stdout
