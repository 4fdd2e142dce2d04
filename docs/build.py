"""Builds the site: ``python -m docs.build`` writes static pages into ``build/site``.

The notebooks' executed copies, the figures and the project's own Markdown are gathered in ``build/site-source``, each
where it is in the project, so that links between them hold. Sphinx runs no notebook, and its warnings are errors. Then
every link of every page is followed.
"""

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from actalign import paths
from actalign.errors import ActAlignError
from actalign.runner import plan
from docs.links import check_links
from docs.pages import commands, notebook_list, room_pages

PROJECT = Path(__file__).resolve().parent.parent
DOCS = PROJECT / "docs"
MAKE_THEM = "run `make figures` first"


def gather(source: Path) -> None:
    """Make the folder that Sphinx reads, anew.

    Raises ActAlignError when a notebook has no executed copy, or the figures no page.
    """
    shutil.rmtree(source, ignore_errors=True)
    for path in [*DOCS.glob("*.md"), PROJECT / "README.md", PROJECT / "CHANGELOG.md"]:
        _copy(path, source / path.name)
    for path in [PROJECT / "benchmarks" / "README.md", *(PROJECT / "benchmarks" / "results").glob("*.png")]:
        _copy(path, source / path.relative_to(PROJECT))
    if not (paths.FIGURES / "README.md").is_file():
        raise ActAlignError(f"{paths.FIGURES / 'README.md'}, the page of figures, is not there; {MAKE_THEM}")
    _gather_figures(source / "figures")
    _gather_notebooks(source)
    _write(source / "commands.md", commands())
    for name, page in room_pages((PROJECT / "README.md").read_text(encoding="utf-8"), PROJECT / "actalign"):
        _write(source / "api" / name, page)


def _gather_figures(source: Path) -> None:
    """The figures, their page, and each table's Markdown as a page that only that page leads to."""
    shutil.copytree(paths.FIGURES, source)
    for path in source.glob("*.md"):
        if path.name != "README.md":
            _write(path, f"---\norphan: true\n---\n\n# {path.stem}\n\n{path.read_text(encoding='utf-8')}")


def _gather_notebooks(source: Path) -> None:
    notebooks = plan(paths.NOTEBOOKS)
    copies = [paths.RESULTS / "executed" / notebook.name for notebook in notebooks]
    missing = [copy.stem for copy in copies if not copy.is_file()]
    if missing:
        raise ActAlignError(f"no executed copy in {copies[0].parent} of {', '.join(missing)}; {MAKE_THEM}")
    for copy in copies:
        _copy(copy, source / "notebooks" / copy.name)
    _write(source / "notebooks.md", notebook_list(notebooks))


def _copy(path: Path, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(path, to)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def build(out: Path) -> list[str]:
    """Build the site into ``out``, beside it ``<out>-source``; returns the addresses outside that its pages link to.

    Raises ActAlignError as :func:`gather` does, when Sphinx warns, for a broken link, and for a page that would fetch
    something from a network.
    """
    source = out.with_name(f"{out.name}-source")
    gather(source)
    write_pages(source, out)
    return check_links(out)


def write_pages(source: Path, out: Path) -> None:
    """Let Sphinx make HTML of a folder, anew. Raises ActAlignError with its warnings when it has any."""
    shutil.rmtree(out, ignore_errors=True)
    command = [sys.executable, "-m", "sphinx", "-b", "html", "-W", "--keep-going", "-q", "-E", "-j", "auto"]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "PYTHONPATH": str(PROJECT)}
    folders = ["-c", str(DOCS), "-d", f"{out}-doctrees", str(source), str(out)]
    done = subprocess.run([*command, *folders], env=environment, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise ActAlignError(f"Sphinx warns; mend the page or docstring that each line names:\n{done.stderr.strip()}")


def main(argv: Sequence[str] | None = None) -> int:
    """The command. Returns 0, or 1 after an error (one message on stderr)."""
    parser = argparse.ArgumentParser(prog="python -m docs.build", description="Build the site and follow its links.")
    parser.add_argument("--out", type=Path, default=PROJECT / "build" / "site", help="where the pages go")
    out = parser.parse_args(argv).out.resolve()
    try:
        outside = build(out)
    except (ActAlignError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"every link inside the site holds; links that lead out of it ({len(outside)}) were not followed:")
    print("\n".join(f"  {address}" for address in outside))
    print(f"open {out / 'index.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
