"""The command ``actalign``: thin over the package's functions, which say what they do and what went wrong.

Exit codes: 0 all is well, 1 an error (one line on stderr), 2 the command line was wrong, 3 the command finished but
some clips, classes or checks failed (they are named), 130 interrupted: finished work is kept.
"""

from actalign.cli import preparing, results
from actalign.cli.app import INTERRUPTED, PARTLY, app

__all__ = ["INTERRUPTED", "PARTLY", "app", "main", "preparing", "results"]


def main() -> None:
    """What the command ``actalign`` runs."""
    app()
