"""Writing a file whole or not at all."""

import os
from pathlib import Path

from actalign.errors import ActAlignError

REMEDY = "free some space or choose a folder you may write to"


def printable(name: str | os.PathLike[str]) -> str:
    """A path or file name as text that any file can hold: bytes in it that are no UTF-8 stand as escapes.

    >>> printable(Path("lob.mp4")), printable(os.fsdecode(b"caf\\xe9.mp4")) == "caf" + chr(92) + "udce9.mp4"
    ('lob.mp4', True)
    """
    return os.fspath(name).encode(errors="backslashreplace").decode()


def write_whole(path: str | os.PathLike[str], content: str | bytes, *, remedy: str = REMEDY) -> None:
    """Write a file in one step: a reader, or a run that is killed, sees the old file or the new one.

    Text is written as UTF-8, its line ends as they are. Missing folders are made. ``remedy`` ends the error message.

    Raises:
        ActAlignError: the folder cannot be written or the disk is full (the old file, if any, is intact), or the
            text holds half a surrogate pair.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     write_whole(Path(folder) / "new" / "a.txt", "lob")
    ...     (Path(folder) / "new" / "a.txt").read_text()
    'lob'
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        whole = content.encode() if isinstance(content, str) else content
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            temporary.write_bytes(whole)
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise ActAlignError(f"cannot write {path}: {error.strerror or error}; {remedy}") from error
    except UnicodeEncodeError as error:
        odd = error.object[error.start : error.end]
        raise ActAlignError(f"cannot write {path}: {odd!r} is not a character; take it out") from error
