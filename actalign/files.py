"""Writing a file whole or not at all, logs line by line, and what identifies a file."""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryFile
from typing import Any

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
    try:
        whole = content.encode() if isinstance(content, str) else content
    except UnicodeEncodeError as error:
        odd = error.object[error.start : error.end]
        raise ActAlignError(f"cannot write {path}: {odd!r} is not a character; take it out") from error
    with replacing(path, remedy=remedy) as temporary:
        temporary.write_bytes(whole)


@contextmanager
def replacing(path: str | os.PathLike[str], *, remedy: str = REMEDY) -> Iterator[Path]:
    """A temporary file that takes the place of ``path`` when the block ends well, and goes away when it does not.

    Raises:
        ActAlignError: as :func:`write_whole`.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     with replacing(Path(folder) / "a.txt") as temporary:
    ...         _ = temporary.write_text("lob")
    ...     [path.name for path in Path(folder).iterdir()]
    ['a.txt']
    """
    path = _no_folder(path)
    temporary = path.with_name(f".{path.name}.{token_hex(4)}.tmp")  # process numbers are shared between containers
    with writing(path, remedy=remedy):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield temporary
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)


def check_writable(path: str | os.PathLike[str]) -> None:
    """Make sure, before long work, that :func:`write_whole` can write the file; what it holds stays.

    Missing folders are made.

    Raises:
        ActAlignError: no file can be written there, or the path is a folder.

    >>> check_writable("/dev/null/scores.csv")
    Traceback (most recent call last):
    actalign.errors.ActAlignError: cannot write /dev/null/scores.csv: ...; free some space or choose ...
    """
    path = _no_folder(path)
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        TemporaryFile(dir=path.parent).close()


def _no_folder(path: str | os.PathLike[str]) -> Path:
    if os.path.isdir(Path(path)):  # False, too, where nobody may look
        raise ActAlignError(f"cannot write {path}: it is a folder; name a file")
    return Path(path)


@contextmanager
def writing(path: str | os.PathLike[str], *, remedy: str = REMEDY) -> Iterator[None]:
    """Turns a failure to write ``path`` into one clear error, which ends with ``remedy``.

    >>> with writing("a.txt"):
    ...     raise OSError("disk full")
    Traceback (most recent call last):
    actalign.errors.ActAlignError: cannot write a.txt: disk full; free some space or choose a folder you may write to
    """
    try:
        yield
    except OSError as error:
        raise ActAlignError(f"cannot write {path}: {error.strerror or error}; {remedy}") from error


def append_line(path: str | os.PathLike[str], entry: Mapping[str, Any], *, remedy: str = REMEDY) -> None:
    """Add ``entry`` to a file of one JSON object a line; half a line that a killed run left stays a line of its own.

    Raises:
        ActAlignError: the file cannot be written.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     for clip_id in ("a", "b"):
    ...         append_line(Path(folder) / "ledger.jsonl", {"id": clip_id})
    ...     (Path(folder) / "ledger.jsonl").read_text().split()
    ['{"id":', '"a"}', '{"id":', '"b"}']
    """
    path = Path(path)
    line = (json.dumps(dict(entry)) + "\n").encode()
    with writing(path, remedy=remedy):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab+") as file:
            if file.tell() > 0:
                file.seek(-1, os.SEEK_END)
                if file.read(1) != b"\n":
                    line = b"\n" + line
            file.write(line)


def read_lines(path: str | os.PathLike[str]) -> list[dict[str, Any]]:
    """What :func:`append_line` wrote, oldest first; a line torn by a kill is left out, and no file has no lines.

    Raises:
        ActAlignError: the file cannot be read.

    >>> read_lines("nowhere.jsonl")
    []
    """
    try:
        entries = map(_parsed, Path(path).read_bytes().split(b"\n"))
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise ActAlignError(f"cannot read {path}: {error.strerror}; check the file") from error
    return [entry for entry in entries if isinstance(entry, dict)]


def _parsed(line: bytes) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):  # no JSON, or cut off within a character
        return None


def distinct_name(folder: str | os.PathLike[str]) -> str:
    """A folder's name with six letters of its full path's hash, which no folder of that name elsewhere has.

    >>> distinct_name("/home/me/videos") == distinct_name("/home/you/videos")
    False
    >>> distinct_name("/home/me/videos")
    'videos-...'
    """
    full = Path(folder).resolve()
    return f"{full.name}-{hashlib.sha256(os.fsencode(full)).hexdigest()[:6]}"


def file_sha256(path: Path) -> str:
    """The sha256 of a file's bytes, read piece by piece. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
