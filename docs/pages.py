"""The pages that are written from something else: the list of notebooks, the package's rooms, the commands."""

import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from actalign.errors import ActAlignError
from actalign.notebook import read_notebook

KINDS = {"table_": "Tables", "fig_": "Figures"}
COMPUTE, OTHERS = "Compute", "Explore and apply"
TREE_LINE = re.compile(r"^  (?P<names>\S+(?: \S+)*)  +(?P<what>\S.*)$", flags=re.MULTILINE)


def kind_of(stem: str) -> str:
    """The heading that a notebook stands under.

    >>> [kind_of(stem) for stem in ("20_scores", "own_videos", "fig_4_heat_maps")]
    ['Compute', 'Explore and apply', 'Figures']
    """
    named = (heading for prefix, heading in KINDS.items() if stem.startswith(prefix))
    return next(named, COMPUTE if stem[0].isdigit() else OTHERS)


def notebook_list(notebooks: Sequence[Path]) -> str:
    """Markdown: the notebooks by kind in the order they run, each with its title and what it shows."""
    kinds = dict.fromkeys(kind_of(path.stem) for path in notebooks)
    parts = ["# Notebooks", "As `make figures` ran them. The sources in `notebooks/` carry no outputs."]
    for kind in kinds:
        chosen = [path for path in notebooks if kind_of(path.stem) == kind]
        lines = (f"- [{title}](notebooks/{path.name}): {shows}" for path in chosen for title, shows in [_first(path)])
        stems = "\n".join(f"notebooks/{path.stem}" for path in chosen)
        parts += [f"## {kind}", "\n".join(lines), f"```{{toctree}}\n:hidden:\n:caption: {kind}\n\n{stems}\n```"]
    return "\n\n".join(parts) + "\n"


def _first(path: Path) -> tuple[str, str]:
    source = read_notebook(path).cells[0].source
    title = source.splitlines()[0].removeprefix("# ")
    shows = re.search(r"\*\*Shows\*\*:\s*(.+?)(?=\n- |\n\n|\Z)", source, flags=re.DOTALL)
    return title, " ".join(shows[1].split()) if shows else ""


@dataclass(frozen=True)
class Room:
    """A line of the README's tree: modules or packages of ``actalign`` and what they are for."""

    names: tuple[str, ...]
    what: str

    @property
    def stem(self) -> str:
        """The name of its page."""
        return "_".join(self.names)


def rooms(readme: str) -> list[Room]:
    """The rooms that the README's tree lists below ``actalign/``, in its order.

    Raises ActAlignError when there is no such tree.

    >>> rooms("actalign/    the package\\n  errors.py paths.py    one exception; folders\\n  dtw/    alignment\\ndata/")
    [Room(names=('errors', 'paths'), what='one exception; folders'), Room(names=('dtw',), what='alignment')]
    """
    tree = re.search(r"^actalign/ .*\n((?:  .*\n)+)", readme, flags=re.MULTILINE)
    if tree is None:
        raise ActAlignError("the README has no tree of files with a line 'actalign/' and its modules below it")
    lines = TREE_LINE.finditer(tree[1])
    return [
        Room(tuple(name.removesuffix("/").removesuffix(".py") for name in line["names"].split()), line["what"])
        for line in lines
    ]


def room_pages(readme: str, package: Path) -> Iterator[tuple[str, str]]:
    """File name and reStructuredText of a page for each room, and of ``index.rst``, which lists them."""
    found = rooms(readme)
    lines = ["The package", "===========", "", "A room imports only from those above it in this list.", ""]
    for room in found:
        lines += [f":doc:`{', '.join(room.names)} <{room.stem}>`", f"   {room.what}", ""]
        yield f"{room.stem}.rst", _room_page(room, package)
    lines += [".. toctree::", "   :hidden:", "", *(f"   {room.stem}" for room in found)]
    yield "index.rst", "\n".join(lines) + "\n"


def _room_page(room: Room, package: Path) -> str:
    title = ", ".join(room.names)
    lines = [title, "=" * len(title), "", room.what, ""]
    for name in room.names:
        given = _given_by_the_package(package, name)
        lines += [*_module_part(name), ""]
        for module in _inner_modules(package, name):
            if module.split(".")[-1] not in given:  # a function of the same name hides that module
                lines += [*_module_part(module), f"   :exclude-members: {', '.join(given)}", ""]
    return "\n".join(lines)


def _module_part(module: str) -> list[str]:
    heading = f"actalign.{module}"
    return [heading, "-" * len(heading), "", f".. automodule:: {heading}"]


def _inner_modules(package: Path, name: str) -> Iterator[str]:
    """What is inside a package; the commands have a page of their own."""
    if name != "cli":
        for path in sorted((package / name).rglob("*.py")):
            inner = path.relative_to(package).with_suffix("")
            parts = inner.parts[:-1] if inner.name == "__init__" else inner.parts
            if len(parts) > 1 and not parts[-1].startswith("_"):
                yield ".".join(parts)


def _given_by_the_package(package: Path, name: str) -> tuple[str, ...]:
    """What a package takes in from its modules for others to use; it is shown there, once."""
    source = package / name / "__init__.py"
    text = source.read_text(encoding="utf-8") if source.is_file() else ""
    listed = re.search(r"^__all__ = \[(.*?)\]", text, flags=re.DOTALL | re.MULTILINE)
    return tuple(re.findall(r'"(\w+)"', listed[1])) if listed else ()


def commands() -> str:
    """Markdown: the command ``actalign`` with its help texts, as Typer writes them."""
    done = subprocess.run(
        [sys.executable, "-m", "typer", "actalign.cli", "utils", "docs", "--name", "actalign", "--title", "Commands"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise ActAlignError(f"the commands' help could not be written: {done.stderr.strip()}")
    return done.stdout
