"""Runs that can be killed: a process that imports once and forks a child for each, so that a start costs nothing."""

import os
import subprocess
import sys
from pathlib import Path

# What the child does stands in for ``work`` and ends the process.
FORKS = """
import os, sys
{imports}
for line in sys.stdin:
    arguments = line.split()
    child = os.fork()
    if child == 0:
        {work}
    print(child, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


class Nursery:
    """Starts runs one after the other; use with ``with``.

    ``imports`` are lines of Python, ``work`` is an indented block that reads ``arguments``, texts without blanks, and
    ends the process.
    """

    def __init__(self, *, imports: str, work: str) -> None:
        source = FORKS.format(imports=imports.strip(), work=work.strip().replace("\n", "\n        "))
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", source],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )

    def start(self, *arguments: str | Path) -> int:
        """The id of the child that now works."""
        assert self.process.stdin is not None
        print(*arguments, file=self.process.stdin, flush=True)
        return self._number()

    def status(self) -> int:
        """Wait for the run that was started; 0 or more: its exit code, below: the signal that ended it."""
        return self._number()

    def _number(self) -> int:
        assert self.process.stdout is not None
        return int(self.process.stdout.readline())

    def __enter__(self) -> "Nursery":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.communicate()
