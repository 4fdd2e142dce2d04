"""One question, one payer: runs that share a cache file do not ask the same thing at the same time.

A claim is a lock on one byte of ``.<cache>.lock``; which byte follows from the question. The system lets go of it
when the process ends, however it ends.
"""

import asyncio
import errno
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

POLL_S = 0.1
"""Seconds between two looks at a claim that another process holds."""


class Claims:
    """The claims of this process beside one cache file.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     Claims(Path(folder) / "answers.jsonl").path.name
    '.answers.jsonl.lock'
    """

    def __init__(self, cache: Path) -> None:
        self.path = cache.with_name(f".{cache.name}.lock")
        self._file: int | None = None

    @asynccontextmanager
    async def hold(self, key: str) -> AsyncIterator[None]:
        """Wait until no other process holds the claim on ``key`` (hexadecimal digits), and hold it."""
        byte = int(key[:14], 16)
        while not self._lock(byte):
            await asyncio.sleep(POLL_S)
        try:
            yield
        finally:
            if self._file is not None:
                with suppress(OSError):  # a file system without locks
                    fcntl.lockf(self._file, fcntl.LOCK_UN, 1, byte)

    def close(self) -> None:
        """Let go of everything."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _lock(self, byte: int) -> bool:
        """Whether we hold the claim now. Where locks or the file cannot be had, two runs at once may pay twice."""
        try:
            if self._file is None:
                self._file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError:
            return True
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, byte)
        except OSError as error:
            return error.errno not in (errno.EAGAIN, errno.EACCES)  # these two: another process holds it
        return True
