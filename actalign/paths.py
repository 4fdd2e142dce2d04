"""Anchored directories, nothing else.

Every path hangs off the project root, so notebooks, tests and commands agree wherever they are started from. Set
``ACTALIGN_ROOT`` to work in another tree (the tests do), and ``ACTALIGN_OUT`` to write results and figures elsewhere
than into the project's own (a run over another data set does).
"""

import os
from pathlib import Path

ROOT = Path(os.environ.get("ACTALIGN_ROOT", Path(__file__).resolve().parent.parent))
NOTEBOOKS = ROOT / "notebooks"
DATA = ROOT / "data"
SAMPLE = DATA / "sample"
CHECKPOINT = SAMPLE / "checkpoint"
CACHE = DATA / "cache"

_OUT = os.environ.get("ACTALIGN_OUT", "")
FIGURES = Path(_OUT).resolve() / "figures" if _OUT else ROOT / "figures"
RESULTS = Path(_OUT).resolve() / "results" if _OUT else DATA / "results"
