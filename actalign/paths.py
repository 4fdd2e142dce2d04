"""Anchored directories, nothing else.

Every path hangs off the project root, so notebooks, tests and commands agree wherever they are started from: the
clone, or where the package was installed without one, ``~/.local/share/actalign``. Set ``ACTALIGN_ROOT`` to work in
another tree (the tests do), and ``ACTALIGN_OUT`` to write results and figures elsewhere than into the project's own (a
run over another data set does).
"""

import os
from pathlib import Path

_AROUND = Path(__file__).resolve().parent.parent
IS_CLONE = (_AROUND / "pyproject.toml").is_file()
"""Whether the package lies in a copy of the project; an installed one has neither notebooks nor the sample."""
_HOME = Path(os.environ.get("XDG_DATA_HOME") or os.path.expanduser("~/.local/share")) / "actalign"

ROOT = Path(os.environ.get("ACTALIGN_ROOT") or (_AROUND if IS_CLONE else _HOME))
NOTEBOOKS = ROOT / "notebooks"
DATA = ROOT / "data"
SAMPLE = DATA / "sample"
CHECKPOINT = SAMPLE / "checkpoint"
CACHE = DATA / "cache"

_OUT = os.environ.get("ACTALIGN_OUT", "")
FIGURES = Path(_OUT).resolve() / "figures" if _OUT else ROOT / "figures"
RESULTS = Path(_OUT).resolve() / "results" if _OUT else DATA / "results"
