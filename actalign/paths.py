"""Anchored directories, nothing else.

Every path hangs off the project root, so notebooks, tests and commands agree wherever they are started
from. Set ``ACTALIGN_ROOT`` to work in another tree (the tests do).
"""

import os
from pathlib import Path

ROOT = Path(os.environ.get("ACTALIGN_ROOT", Path(__file__).resolve().parent.parent))
NOTEBOOKS = ROOT / "notebooks"
FIGURES = ROOT / "figures"
DATA = ROOT / "data"
SAMPLE = DATA / "sample"
CHECKPOINT = SAMPLE / "checkpoint"
RESULTS = DATA / "results"
CACHE = DATA / "cache"
