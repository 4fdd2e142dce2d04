"""Whether anybody watches: bars on a terminal and in a notebook, none where a run writes to a file or runs headless."""

import os
import sys


def is_watched(wanted: bool = True) -> bool:
    """True where a progress bar is ``wanted`` and can be seen: on a terminal, or in a notebook with a person before it.

    ``TQDM_DISABLE``, which the runner sets for its notebooks, turns every bar off, so that what a headless run prints
    is the same each time.

    >>> is_watched(False)
    False
    """
    if not wanted or os.environ.get("TQDM_DISABLE", "").lower() not in ("", "0", "false"):
        return False
    in_notebook = type(sys.stderr).__module__.partition(".")[0] == "ipykernel"  # its isatty says no
    return in_notebook or sys.stderr.isatty()
