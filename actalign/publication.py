"""What a reader takes away: figures and tables as files fit for print, with their numbers and origin beside them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from actalign import paths
from actalign.errors import ActAlignError
from actalign.files import write_whole
from actalign.plots import save_figure
from actalign.report import latex, markdown
from actalign.results import write_table


def publish(
    stem: str,
    *,
    data: pd.DataFrame,
    provenance: Mapping[str, Any],
    parameters: Mapping[str, Any],
    figure: Figure | None = None,
    tables: Mapping[str, pd.DataFrame] | None = None,
    folder: Path | None = None,
) -> list[Path]:
    """Write everything that is published under ``stem``; return the paths. The same inputs give the same bytes.

    Args:
        stem: file name without its ending, that of the notebook.
        data: the numbers that are shown, as :func:`~actalign.results.write_table` takes them; ``<stem>.csv``.
        provenance: what the numbers were made from, as :func:`~actalign.results.read_table` gives it; goes into
            ``<stem>.json`` with ``parameters`` (those of the notebook that draws) and the library versions.
        figure: becomes ``.pdf``, ``.svg`` and ``.png`` (300 dpi).
        tables: texts by heading; becomes ``.md`` and ``.tex`` (booktabs), one table after the other.
        folder: ``paths.FIGURES`` if not given.

    Raises:
        ActAlignError: there is neither figure nor table, or the data or the folder cannot be written.

    >>> from tempfile import TemporaryDirectory
    >>> shown = pd.DataFrame({"Method": ["DTW"], "Top-1 (%)": ["70.0"]})
    >>> with TemporaryDirectory() as name:
    ...     written = publish("main", data=pd.DataFrame({"top1": [70.0]}), provenance={"clips": "9 of 9"},
    ...                       parameters={}, tables={"Ours": shown}, folder=Path(name))
    >>> [path.name for path in written]
    ['main.md', 'main.tex', 'main.csv', 'main.json']
    """
    if figure is None and not tables:
        raise ActAlignError(f"there is nothing to publish as {stem}; give a figure, tables or both")
    target = folder or paths.FIGURES
    written = [] if figure is None else save_figure(figure, stem, folder=target)
    if tables:
        blocks = [f"**{heading}**\n\n{markdown(table)}" for heading, table in tables.items()]
        written.append(_write(target / f"{stem}.md", "\n\n".join(blocks) + "\n"))
        blocks = [latex(table, heading=heading) for heading, table in tables.items()]
        written.append(_write(target / f"{stem}.tex", "\n".join(blocks)))
    numbers = write_table(data, stem, provenance={**provenance, "drawn_with": dict(parameters)}, folder=target)
    return [*written, numbers, numbers.with_suffix(".json")]


def _write(path: Path, text: str) -> Path:
    write_whole(path, text)
    return path
