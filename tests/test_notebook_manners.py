"""Notebooks in any order: a contents list in each, what is missing is named, a misspelt parameter is refused."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import pytest
from project_tree import PROJECT

from actalign import paths
from actalign.errors import ActAlignError
from actalign.notebook import read_notebook, read_parameters, run_notebook

matplotlib.use("Agg")

NOTEBOOKS = sorted((PROJECT / "notebooks").glob("*.ipynb"))
STEMS = [path.stem for path in NOTEBOOKS]
DRAWING = [path for path in NOTEBOOKS if path.stem.startswith(("table_", "fig_"))]
READERS = {"read_table", "read_example"}
MISSING = re.compile(r"is not there; make it with: notebooks/(\w+)\.ipynb$")

every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=STEMS)
every_drawing = pytest.mark.parametrize("path", DRAWING, ids=[path.stem for path in DRAWING])


def code(path: Path) -> str:
    return "\n".join(cell.source for cell in read_notebook(path).cells if cell.cell_type == "code")


def contents(path: Path) -> list[tuple[int, str]]:
    """Level and text of every heading, as JupyterLab lists them."""
    markdown = "\n\n".join(cell.source for cell in read_notebook(path).cells if cell.cell_type == "markdown")
    outside = re.sub(r"^```.*?^```", "", markdown, flags=re.DOTALL | re.MULTILINE)
    return [(len(marks), text) for marks, text in re.findall(r"^(#+) +(.+)$", outside, flags=re.MULTILINE)]


def untidy(headings: list[tuple[int, str]]) -> list[str]:
    """What is wrong with a list of headings."""
    levels, texts = [level for level, _ in headings], [text for _, text in headings]
    faults = [] if levels[:1] == [1] and levels.count(1) == 1 else ["there must be one title, and it comes first"]
    faults += [f"{text!r} skips a level" for (above, _), (level, text) in pairwise(headings) if level > above + 1]
    faults += [f"{text!r} occurs twice" for text in sorted(set(texts)) if texts.count(text) > 1]
    return faults if len(headings) > 1 else [*faults, "there is nothing to list"]


@every_notebook
def test_the_headings_make_a_contents_list(path: Path) -> None:
    assert untidy(contents(path)) == []


@pytest.mark.parametrize(
    ("headings", "fault"),
    [
        ([(1, "a")], "nothing to list"),
        ([(2, "a"), (2, "b")], "one title"),
        ([(1, "a"), (1, "b")], "one title"),
        ([(1, "a"), (3, "b")], "skips a level"),
        ([(1, "a"), (2, "b"), (2, "b")], "'b' occurs twice"),
    ],
)
def test_an_untidy_list_is_seen(headings: list[tuple[int, str]], fault: str) -> None:
    assert any(fault in found for found in untidy(headings))


def named_texts(tree: ast.AST) -> dict[str, set[str]]:
    """The texts that each name stands for: assigned, or taken in turn from a literal list."""
    known: dict[str, set[str]] = defaultdict(set)

    def learn(target: ast.expr, value: ast.expr, *, each: bool = False) -> None:
        if each and isinstance(value, ast.Tuple | ast.List):
            for item in value.elts:
                learn(target, item)
        elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            for one, its in zip(target.elts, value.elts, strict=False):
                learn(one, its)
        elif isinstance(target, ast.Name) and isinstance(value, ast.Constant):
            known[target.id].add(str(value.value))

    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            learn(node.targets[0], node.value)
        elif isinstance(node, ast.comprehension | ast.For):
            learn(node.target, node.iter, each=True)
    return known


def reads(source: str) -> set[tuple[str, str]]:
    """(result, the notebook said to make it) of every call of a reader; "" where none is said."""
    tree = ast.parse(source)
    known = named_texts(tree)

    def texts(node: ast.expr | None) -> Iterator[str]:
        if isinstance(node, ast.Constant):
            yield str(node.value)
        elif isinstance(node, ast.Name) and known[node.id]:
            yield from known[node.id]
        else:
            yield ""

    found = set()
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
        if name in READERS:
            maker = next((word.value for word in call.keywords if word.arg == "made_by"), None)
            found |= {(stem, by) for stem in texts(call.args[0]) for by in texts(maker)}
    return found


@every_notebook
def test_what_a_notebook_reads_is_written_by_the_notebook_that_it_names(path: Path) -> None:
    """And a drawing names that notebook under **Needs** too."""
    read = reads(code(path))
    assert read or path not in DRAWING, "a drawing reads results"
    for stem, maker in read:
        made_by = PROJECT / maker
        assert maker and made_by in NOTEBOOKS and made_by not in DRAWING, f"{stem} is made by {maker!r}"
        assert re.search(rf"\b{stem}\b", code(made_by)), f"{maker} does not write {stem}"
        assert f"`{made_by.stem}`" in read_notebook(path).cells[0].source, f"Needs does not name {made_by.stem}"


def test_a_reader_that_does_not_say_who_makes_its_result_is_seen() -> None:
    by = "notebooks/20_scores.ipynb"
    assert reads('a = read_table("main")') == {("main", "")}
    assert reads(f'b = results.read_table("x", made_by="{by}")') == {("x", by)}
    source = f'STEM, BY = "s", "{by}"\na, b = (read_table(n, made_by=BY) for n in ("x", "y"))'
    assert reads(source) == {("x", by), ("y", by)}
    assert reads("read_table(computed())") == {("", "")}


@pytest.fixture
def nothing_yet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project in which no notebook has run."""
    for name in ("FIGURES", "DATA", "SAMPLE", "CHECKPOINT", "RESULTS", "CACHE"):
        monkeypatch.setattr(paths, name, tmp_path / getattr(paths, name).relative_to(paths.ROOT))
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    return tmp_path


@every_drawing
def test_before_anything_has_run_a_drawing_says_what_to_run(path: Path, nothing_yet: Path) -> None:
    with pytest.raises(ActAlignError) as caught:
        exec(compile(code(path), path.name, "exec"), {"__name__": "__main__"})
    plt.close("all")
    named = MISSING.search(str(caught.value))
    assert named and (PROJECT / "notebooks" / f"{named[1]}.ipynb") in NOTEBOOKS, str(caught.value)
    assert named[1] not in {drawing.stem for drawing in DRAWING}
    assert list(nothing_yet.rglob("*")) == [], "nothing is half written"


@every_notebook
def test_a_misspelt_parameter_is_refused_before_anything_runs(path: Path, nothing_yet: Path) -> None:
    name, value = next(iter(read_parameters(path).items()))
    with pytest.raises(ActAlignError, match=f"{path.name} has no parameter '{name}s'; did you mean '{name}'?"):
        run_notebook(path, {f"{name}s": value}, output=nothing_yet / "executed.ipynb")
    assert list(nothing_yet.iterdir()) == []
