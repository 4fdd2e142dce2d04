"""A page that shows every table and figure with the command that makes it: ``figures/README.md``."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from actalign import paths
from actalign.files import write_whole
from actalign.notebook import read_notebook

COMMAND = " Alone: `.venv/bin/python -m actalign.runner --only {stem}`"
HEADING = """# Tables and figures

{made}Each has its numbers (`.csv`) and what they were made from (`.json`) beside it.
"""
MADE = "Made by `make figures`; this page too. "


def write_gallery(notebooks: Sequence[Path]) -> Path:
    """Write ``README.md`` into ``paths.FIGURES`` with a section for each notebook that has files there.

    A page that is there stays as it is while some of them were not run here, since their captions are not known.

    A section shows the notebook's title, the picture or table, the caption that the notebook wrote when it was run,
    the files and, for the project's own, the command.
    """
    path = paths.FIGURES / "README.md"
    if path.is_file() and not all(
        _executed(notebook.stem).is_file() for notebook in notebooks if _files(notebook.stem)
    ):
        return path
    sections = [section for notebook in notebooks if (section := _section(notebook))]
    write_whole(path, "\n".join([HEADING.format(made=MADE if _is_own() else ""), *sections]))
    return path


def _is_own() -> bool:
    """Whether the figures are the project's own, not those of a run into another folder."""
    return paths.FIGURES.parent == paths.ROOT


def _section(notebook: Path) -> str:
    stem = notebook.stem
    files = _files(stem)
    if not files:
        return ""
    title = _title(read_notebook(notebook).cells[0].source) or stem
    parts = [f"## {title}"]
    if f"{stem}.png" in files:
        parts.append(f"![{title}]({stem}.png)")
    tables = (paths.FIGURES / f"{stem}.md").read_text(encoding="utf-8").strip() if f"{stem}.md" in files else ""
    if tables:
        parts.append(tables)
    if caption := _caption(stem, tables=tables):
        parts.append(caption)
    links = ", ".join(f"[{Path(name).suffix[1:]}]({name})" for name in files)
    source = f"[{notebook.name}](../notebooks/{notebook.name})" if _is_own() else notebook.name
    parts.append(f"Files: {links}. Notebook: {source}.{COMMAND.format(stem=stem) if _is_own() else ''}")
    return "\n\n".join(parts) + "\n"


def _files(stem: str) -> list[str]:
    return sorted(path.name for path in paths.FIGURES.glob(f"{stem}.*"))


def _executed(stem: str) -> Path:
    """The notebook as it ran."""
    return paths.RESULTS / "executed" / f"{stem}.ipynb"


def _title(source: str) -> str:
    return re.sub(r"^#+\s*", "", source.split("\n", 1)[0]).strip()


def _caption(stem: str, *, tables: str) -> str:
    """The last Markdown that the executed copy shows and that is no table; one with a bold title goes before."""
    if not _executed(stem).is_file():
        return ""
    shown = [_markdown(output) for cell in read_notebook(_executed(stem)).cells for output in cell.get("outputs", [])]
    captions = [text for text in shown if text and "|---" not in text and text not in tables]
    return max(captions, key=lambda text: (text.startswith("**"), captions.index(text)), default="")


def _markdown(output: Any) -> str:
    text = output.get("data", {}).get("text/markdown", "")
    return (text if isinstance(text, str) else "".join(text)).strip()
