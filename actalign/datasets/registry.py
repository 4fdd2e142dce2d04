"""The list of a data folder's files and their sha256: ``registry.sha256``, as ``sha256sum`` writes and checks it.

``sha256sum --check registry.sha256`` inside the folder is the same check as :func:`verify_registry`.
"""

import os
import re
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from actalign.errors import ActAlignError
from actalign.files import file_sha256, write_whole

REGISTRY = "registry.sha256"
_LINE = re.compile(r"([0-9a-fA-F]{64}) [ *]([^\0]+)")
_SHOWN = 10


def _listed(root: Path) -> list[str]:
    """Every file below ``root`` but hidden ones, caches and the registry itself."""
    found = []
    for path in root.rglob("*"):
        parts = path.relative_to(root).parts
        if path.is_file() and not any(part.startswith(".") or part == "__pycache__" for part in parts):
            found.append("/".join(parts))
    return [name for name in found if name != REGISTRY]


def _inside(name: str) -> bool:
    return not PurePosixPath(name).is_absolute() and ".." not in PurePosixPath(name).parts


def write_registry(root: str | os.PathLike[str], files: Iterable[str | os.PathLike[str]] | None = None) -> Path:
    """Hash ``files`` (paths relative to ``root``; all files below it by default) and write the registry.

    Hidden files, ``__pycache__`` and the registry itself are left out of the default. Lines are sorted by path,
    so the same folder gives the same bytes.

    Returns:
        The path of the registry.

    Raises:
        ActAlignError: no such folder, no file to list, a file that cannot be read or lies outside ``root``, or a
            name with a line break or backslash in it.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     _ = (Path(folder) / "a.txt").write_bytes(b"lob")
    ...     write_registry(folder).read_text().split()[1]
    'a.txt'
    """
    root = Path(root)
    if not root.is_dir():
        raise ActAlignError(f"{root} is not a folder; give the data folder whose files to list")
    names = sorted({Path(name).as_posix() for name in files} if files is not None else _listed(root))
    if not names:
        raise ActAlignError(f"{root} has no files to list; write the data first")
    if odd := [name for name in names if "\\" in name or not name.isprintable()]:
        raise ActAlignError(f"{odd[0]!r} has a backslash or an unprintable character in its name; rename the file")
    if outside := [name for name in names if not _inside(name)]:
        raise ActAlignError(f"{outside[0]!r} is not a path inside {root}; give paths relative to that folder")
    try:
        lines = [f"{file_sha256(root / name)}  {name}\n" for name in names]
    except OSError as error:
        raise ActAlignError(f"cannot read {error.filename}: {error.strerror}; nothing was written") from error
    write_whole(root / REGISTRY, "".join(lines))
    return root / REGISTRY


def _read_registry(path: Path) -> dict[str, str]:
    """{relative path: sha256} of a registry file."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ActAlignError(f"cannot read {path}: {error.strerror}; write_registry makes one") from error
    except UnicodeDecodeError as error:
        raise ActAlignError(f"{path} is not UTF-8 text; fetch it again or make it with write_registry") from error
    listed: dict[str, str] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        match = _LINE.fullmatch(line)
        if match is None or not _inside(match[2]):
            raise ActAlignError(f"{path}, line {number}: {line!r:.80} is not '<sha256>  <path inside the folder>'")
        listed[match[2]] = match[1].lower()
    if not listed:
        raise ActAlignError(f"{path} lists no files; make it with write_registry")
    return listed


def _named(kind: str, names: list[str]) -> str:
    return f"{len(names)} {kind}: " + ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")


def verify_registry(root: str | os.PathLike[str]) -> int:
    """Check every file that the registry of ``root`` lists; files that it does not list are ignored.

    Returns:
        How many files were checked.

    Raises:
        ActAlignError: naming the files that are missing, changed or unreadable; or the registry itself is
            missing, empty or malformed.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     _ = (Path(folder) / "a.txt").write_bytes(b"lob")
    ...     _ = write_registry(folder)
    ...     verify_registry(folder)
    1
    """
    root = Path(root)
    listed = _read_registry(root / REGISTRY)
    faults: dict[str, list[str]] = {"missing": [], "changed": [], "unreadable": []}
    for name, expected in sorted(listed.items()):
        try:
            if file_sha256(root / name) != expected:
                faults["changed"].append(name)
        except (FileNotFoundError, NotADirectoryError):
            faults["missing"].append(name)
        except OSError:
            faults["unreadable"].append(name)
    if any(faults.values()):
        found = "; ".join(_named(kind, names) for kind, names in faults.items() if names)
        raise ActAlignError(
            f"{root} differs from its {REGISTRY}: {found}. Fetch these files again, or, if you meant to change "
            "them, list them anew with actalign.datasets.registry.write_registry"
        )
    return len(listed)
