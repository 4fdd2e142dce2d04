"""Where clips, questions and scripts come from: ``load("sample")``, ``load("actionatlas")`` or ``load("a/folder")``.

A new source is a function that takes ``verify`` and returns a ``Dataset``, and one line in ``SOURCES``.
"""

import os
from collections.abc import Callable
from pathlib import Path

from actalign import paths
from actalign.datasets.actionatlas.reading import read_actionatlas
from actalign.datasets.folder import read_folder
from actalign.errors import ActAlignError
from actalign.records import Dataset


def _sample(verify: bool) -> Dataset:
    if not paths.SAMPLE.is_dir():
        raise ActAlignError(
            f"the embedded sample is not at {paths.SAMPLE}: it comes with the repository, not with the package; "
            "work in a clone, or set ACTALIGN_ROOT to one"
        )
    return read_folder(paths.SAMPLE, name="sample", verify=verify)


def _actionatlas(verify: bool) -> Dataset:
    return read_actionatlas(verify=verify)


SOURCES: dict[str, Callable[[bool], Dataset]] = {"sample": _sample, "actionatlas": _actionatlas}


def load(name_or_path: str | os.PathLike[str], *, verify: bool = True) -> Dataset:
    """A data set by the name of its source (see ``SOURCES``) or by its folder.

    Only the exact name counts: ``"sample"`` is the embedded sample, ``"./sample"`` is a folder of yours.

    Args:
        name_or_path: a name in ``SOURCES``, or a folder as ``datasets.folder`` describes it.
        verify: compare the files with ``registry.sha256`` first, where there is one.

    Returns:
        Clips, questions, scripts by prompt style, and what else is known; ``.split("test")`` is a part of it.

    Raises:
        ActAlignError: neither a known name nor a folder, or a folder that :func:`~.folder.read_folder` refuses.

    >>> load("smaple")
    Traceback (most recent call last):
    actalign.errors.ActAlignError: 'smaple' is neither a folder nor one of the known data sets ['actionatlas', ...
    """
    if isinstance(name_or_path, str) and name_or_path in SOURCES:
        return SOURCES[name_or_path](verify)
    if not os.fspath(name_or_path) or not Path(name_or_path).is_dir():
        raise ActAlignError(
            f"{str(name_or_path)!r} is neither a folder nor one of the known data sets {sorted(SOURCES)}; "
            "check the spelling or the path"
        )
    return read_folder(name_or_path, verify=verify)
