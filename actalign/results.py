"""Result tables on disk: a CSV, and beside it a JSON that says what the numbers were made from.

Neither holds a time or an absolute path, so the same inputs on the same machine give the same bytes.
"""

import hashlib
import json
import math
import platform
from collections.abc import Iterable, Mapping
from dataclasses import asdict, is_dataclass
from importlib import metadata
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from actalign import __version__, paths
from actalign.datasets.registry import REGISTRY
from actalign.errors import ActAlignError, LeftOutError
from actalign.files import file_sha256, write_whole
from actalign.records import Dataset

LIBRARIES = (
    *("av", "llvmlite", "matplotlib", "numba", "numpy", "pandas", "pillow", "scikit-learn", "scipy", "tokenizers"),
    *("torch", "transformers"),
)
"""What shapes numbers and pictures."""
FLOATS = "%.10g"
_KINDS = {"bool": bool, "int": np.int64, "float": np.float64, "text": str}


def provenance(
    dataset: Dataset, *, checkpoint: str, parameters: Mapping[str, Any], n: int, n_total: int
) -> dict[str, Any]:
    """What a table was made from, for :func:`write_table`.

    Args:
        dataset: its name and the hash of its file registry are kept.
        checkpoint: the encoder's fingerprint, ``""`` if none was used.
        parameters: the notebook's parameters, options and seed: plain values or dataclasses.
        n, n_total: clips scored and clips asked.

    Raises:
        ActAlignError: n is not 0 to n_total.

    >>> dataset = Dataset("demo", Path("nowhere"), {}, ())
    >>> provenance(dataset, checkpoint="c0ffee", parameters={"seed": 0}, n=2, n_total=3)["clips"]
    '2 of 3'
    """
    if not 0 <= n <= n_total:
        raise ActAlignError(f"{n} of {n_total} clips is not possible; n counts the scored clips among n_total")
    facts = {"name": dataset.name, "registry_sha256": data_hash(dataset)}
    return {
        "checkpoint": checkpoint,
        "clips": f"{n} of {n_total}",
        "data": facts,
        "n": int(n),
        "n_total": int(n_total),
        "parameters": _plain(parameters, "parameters"),
    }


def data_hash(dataset: Dataset) -> str | None:
    """SHA-256 of the data folder's registry, which lists the hash of every file; ``None`` without a registry."""
    registry = dataset.root / REGISTRY
    return file_sha256(registry) if registry.is_file() else None


def versions(libraries: Iterable[str] = LIBRARIES) -> dict[str, str]:
    """Versions of this package, Python and those of the libraries that are installed.

    >>> versions()["numpy"] == np.__version__
    True
    """
    found = {"actalign": __version__, "python": platform.python_version()}
    for name in libraries:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue  # an optional library that is not installed made none of the numbers
    return found


def write_table(table: pd.DataFrame, stem: str, *, provenance: Mapping[str, Any], folder: Path | None = None) -> Path:
    """Write ``<stem>.csv`` and, last, ``<stem>.json``; each appears whole or not at all. Return the CSV's path.

    Args:
        table: columns of truth values, whole numbers, floats (10 digits are kept) or texts without gaps.
        stem: the file name without its ending.
        provenance: plain values, see :func:`provenance`; the library versions are added.
        folder: ``paths.RESULTS`` if not given; made if it is not there.

    Raises:
        ActAlignError: no rows, a text column with missing values, values JSON cannot hold, or the folder cannot
            be written.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = write_table(pd.DataFrame({"top1": [50.0]}), "main", provenance={"n": 2}, folder=Path(folder))
    ...     path.read_text().split()
    ['top1', '50']
    """
    columns = _kinds(table, stem)
    buffer = StringIO()
    table.to_csv(buffer, index=False, float_format=FLOATS, na_rep="nan", lineterminator="\n")
    text = buffer.getvalue()
    sidecar = {
        "columns": columns,
        "provenance": _plain(provenance, "provenance"),
        "rows": len(table),
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
        "versions": versions(),
    }
    target = (folder or paths.RESULTS) / f"{stem}.csv"
    write_whole(target, text)
    write_whole(target.with_suffix(".json"), json.dumps(sidecar, indent=2, ensure_ascii=False) + "\n")
    return target


def read_table(stem: str, *, folder: Path | None = None, made_by: str = "make figures") -> pd.DataFrame:
    """The table as it was written, with the same types; ``.attrs["provenance"]`` says what it was made from.

    Args:
        stem: the file name without its ending.
        folder: ``paths.RESULTS`` if not given.
        made_by: the notebook or command that makes it, for the error.

    Raises:
        ActAlignError: the CSV or its JSON is missing, or the CSV has changed since it was written.
        LeftOutError: the data do not give this table.

    >>> from tempfile import TemporaryDirectory
    >>> styles = pd.DataFrame({"style": ["", "short"]})
    >>> with TemporaryDirectory() as folder:
    ...     path = write_table(styles, "main", provenance={"n": 2}, folder=Path(folder))
    ...     read_table("main", folder=Path(folder))["style"].tolist()
    ['', 'short']
    """
    path = (folder or paths.RESULTS) / f"{stem}.csv"
    require_made(path, made_by=made_by)
    data = path.read_bytes()
    try:
        sidecar = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        kinds = {name: _KINDS[kind] for name, kind in sidecar["columns"].items()}
        facts = sidecar["provenance"]
        intact = hashlib.sha256(data).hexdigest() == sidecar["sha256"]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ActAlignError(
            f"{path.with_suffix('.json')} is damaged ({error}); make it again with: {made_by}"
        ) from error
    if not intact:
        raise ActAlignError(f"{path} is not the table its JSON describes; make both again with: {made_by}")
    texts = pd.read_csv(StringIO(data.decode()), dtype=str, keep_default_na=False, lineterminator="\n")
    table = pd.DataFrame({name: _typed(texts[name], kind) for name, kind in kinds.items()})
    table.attrs["provenance"] = facts
    return table


def leave_out(stem: str, reason: str, *, folder: Path | None = None) -> None:
    """Say why the data at hand do not give a result, in the place of what other data gave.

    Raises:
        ActAlignError: the folder cannot be written.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     leave_out("tsne", "all texts are of one sport", folder=Path(folder))
    ...     read_table("tsne", folder=Path(folder))
    Traceback (most recent call last):
    actalign.errors.LeftOutError: there is no tsne: all texts are of one sport
    """
    target = (folder or paths.RESULTS) / f"{stem}.json"
    write_whole(target, json.dumps({"left_out": reason}, indent=2, ensure_ascii=False) + "\n")
    for suffix in (".csv", ".safetensors"):
        target.with_suffix(suffix).unlink(missing_ok=True)


def require_made(path: Path, *, made_by: str) -> None:
    """Make sure that a result and its JSON are there.

    Raises:
        LeftOutError: the JSON says why they are not.
        ActAlignError: one of them is not there; ``made_by`` is the notebook or command that makes it.

    >>> require_made(Path("nowhere.csv"), made_by="make figures")
    Traceback (most recent call last):
    actalign.errors.ActAlignError: nowhere.csv is not there; make it with: make figures
    """
    beside = path.with_suffix(".json")
    for needed in (path, beside):
        if not needed.is_file():
            if reason := _left_out(beside):
                raise LeftOutError(f"there is no {path.stem}: {reason}")
            raise ActAlignError(f"{needed} is not there; make it with: {made_by}")


def _left_out(path: Path) -> str:
    try:
        return str(json.loads(path.read_text(encoding="utf-8"))["left_out"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _typed(texts: pd.Series, kind: type) -> pd.Series:
    return texts == "True" if kind is bool else texts.astype(kind)


def _kinds(table: pd.DataFrame, stem: str) -> dict[str, str]:
    """Each column's kind by name."""
    if table.empty:
        raise ActAlignError(f"table {stem!r} has no rows; nothing was written")
    kinds = {}
    for name, column in table.items():
        types = pd.api.types
        numeric = {"bool": types.is_bool_dtype, "int": types.is_integer_dtype, "float": types.is_float_dtype}
        kinds[str(name)] = next((kind for kind, is_kind in numeric.items() if is_kind(column)), "text")
        if kinds[str(name)] != "float" and column.isna().any():
            raise ActAlignError(f"column {name!r} of table {stem!r} has missing values; fill them, a text with ''")
    return kinds


def _plain(value: Any, where: str) -> Any:
    """``value`` as JSON holds it, dictionaries sorted by key."""
    if is_dataclass(value) and not isinstance(value, type):
        return _plain(asdict(value), where)
    if isinstance(value, Mapping):
        return {str(key): _plain(value[key], f"{where}.{key}") for key in sorted(value, key=str)}
    if isinstance(value, list | tuple):
        return [_plain(item, where) for item in value]
    if isinstance(value, np.generic):
        return _plain(value.item(), where)
    if value is None or isinstance(value, str | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    raise ActAlignError(f"{where} is {value!r}, which a JSON file cannot hold; give text, numbers or lists of them")
