"""A folder of nothing but videos, and the list of classes to ask about."""

import os
from collections.abc import Iterator
from pathlib import Path

from actalign.datasets.tables import cells_of
from actalign.errors import ActAlignError
from actalign.files import printable
from actalign.records import Clip

SUFFIXES = frozenset(
    ".3gp .asf .avi .f4v .flv .gif .m2ts .m4v .mkv .mov .mp4 .mpeg .mpg .mts .mxf .ogv .ts .vob .webm .wmv".split()
)

ANNOTATED = ".annotated.mp4"
"""How copies with the sub-actions written below the picture are to end, so that nobody takes them for videos."""

HEADERS = frozenset({"class", "classes", "class_name", "class name"})
"""First lines of a list of classes that are taken for the header that it should not have."""


def find_clips(root: str | os.PathLike[str], *, sports: set[str]) -> dict[str, Clip]:
    """Every video below ``root`` as a clip of its whole length, by its path from there, in the order of paths.

    A video is a file that ends in one of ``SUFFIXES``, in whatever case, and is not hidden; a link whose file is gone
    or a file closed to us is one too, so that it is reported. Linked folders are looked into, each folder once. Copies
    called ``*.annotated.mp4`` are results, not clips. The clips' sport is that of ``sports`` if there is just one, else
    empty.

    Raises:
        ActAlignError: there is no video.

    >>> from actalign.files import write_whole
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     write_whole(Path(folder) / "jumps" / "one.MOV", "")
    ...     list(find_clips(folder, sports={"judo"}))
    ['jumps/one.MOV']
    """
    root = Path(root)
    sport = next(iter(sports)) if len(sports) == 1 else ""
    found = {}
    for path in _files_below(root):
        if path.suffix.lower() not in SUFFIXES or path.name.lower().endswith(ANNOTATED):
            continue
        if os.path.isfile(path) or not os.path.exists(path):  # of one that is gone or closed neither is true
            found[printable(path.relative_to(root).as_posix())] = path
    if not found:
        raise ActAlignError(
            f"{root} has no clips.csv and no video; add one or the other (videos end in {', '.join(sorted(SUFFIXES))})"
        )
    return {clip_id: Clip(clip_id, found[clip_id], sport=sport) for clip_id in sorted(found)}


def _files_below(root: Path) -> Iterator[Path]:
    """What is neither hidden nor a folder; each folder once, by its own name if it has one here that is not hidden."""
    top, seen = root.resolve(), set()
    for name, below, files in os.walk(root, followlinks=True):
        folder = Path(name)
        if (real := folder.resolve()) in seen:
            below.clear()
            continue
        seen.add(real)
        below[:] = sorted(name for name in below if name[0] != "." and not _is_beside(folder / name, top))
        yield from (folder / name for name in files if name[0] != ".")


def _is_beside(path: Path, top: Path) -> bool:
    """Whether it is a link to a folder that is found by its own name."""
    real = path.resolve()
    found = real.is_relative_to(top) and not any(part[0] == "." for part in real.relative_to(top).parts)
    return path.is_symlink() and found


def read_classes(path: str | os.PathLike[str]) -> dict[str, str]:
    """{class: sport} from a text file of one class a line, or on every line ``class, sport``; no header.

    The sport is empty where none is given. A name that has a comma in it stands in double quotes.

    Raises:
        ActAlignError: the file cannot be read, has a header or a comment, names fewer than two classes or one of
            them twice, or gives a sport on some lines only.

    >>> from actalign.files import write_whole
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     write_whole(Path(folder) / "classes.txt", "kick serve, tennis\\nlob, tennis\\n")
    ...     read_classes(Path(folder) / "classes.txt")
    {'kick serve': 'tennis', 'lob': 'tennis'}
    """
    path = Path(path)
    classes: dict[str, str] = {}
    cells_per_line = 0
    for number, cells in cells_of(path):
        cells_per_line = cells_per_line or len(cells)
        if len(cells) != cells_per_line or len(cells) > 2 or "" in cells:
            raise ActAlignError(
                f"{path}, line {number}: {', '.join(cells)!r}; write a class on every line, or 'class, sport' on every "
                "line, with quotes around a name that has a comma in it"
            )
        if cells[0].startswith("#") or (not classes and cells[0].casefold() in HEADERS):
            raise ActAlignError(f"{path}, line {number}: {cells[0]!r} would be a class; leave out headers and comments")
        if cells[0] in classes:
            raise ActAlignError(f"{path}, line {number}: class {cells[0]!r} is listed twice; keep one")
        classes[cells[0]] = cells[1] if len(cells) == 2 else ""
    if len(classes) < 2:
        raise ActAlignError(f"{path} names {len(classes)} class(es); a question needs at least 2, one a line")
    return classes
