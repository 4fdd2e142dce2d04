"""Runs one notebook strictly: papermill, with its silences turned into errors.

papermill only warns about a parameter that the notebook does not know, and without a tagged cell it injects at
the top, where the notebook's own defaults win. Here both are errors, found before anything runs. The kernel is
the running interpreter, whatever kernels are registered on the machine.
"""

import ast
import asyncio
import difflib
import io
import os
import sys
import tempfile
import tokenize
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import nbformat
import papermill
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient.exceptions import CellTimeoutError
from papermill.exceptions import PapermillExecutionError

from actalign import paths
from actalign.errors import ActAlignError, LeftOutError

PARAMETERS_TAG = "parameters"
MAX_PARAMETERS = 8
START_TIMEOUT_S = 120
LOG = "kernel.log"
QUIET = {
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "OMP_WAIT_POLICY": "PASSIVE",  # spinning threads cost minutes when another process needs the cores
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    "PYTHONHASHSEED": "0",
    "TOKENIZERS_PARALLELISM": "false",
    "TQDM_DISABLE": "1",
    "TRANSFORMERS_NO_ADVISORY_WARNINGS": "1",
}


def read_notebook(path: Path) -> Any:
    """The notebook as nbformat 4. Raises ActAlignError when it is missing or not a notebook."""
    if not path.is_file():
        raise ActAlignError(f"notebook {path} is not there; check the name")
    try:
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
    except (ValueError, TypeError, KeyError, AttributeError, nbformat.ValidationError) as error:
        reason = str(error).strip().splitlines()[0]
        raise ActAlignError(f"{path.name} is not a readable notebook ({reason}); restore or re-save it") from error
    return notebook


def parse_parameters(source: str, name: str) -> dict[str, Any]:
    """The names and defaults in the source of a parameters cell.

    Only ``name = literal`` is allowed, at most 8 of them, each with a comment: a derived value would silently keep
    its default when another parameter is set, so it belongs in the next cell. ``name`` is used in errors.

    >>> parse_parameters("seed = 0  # of the bootstrap", "20_scores")
    {'seed': 0}
    """
    try:
        statements = ast.parse(source).body
        tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    except (SyntaxError, tokenize.TokenError) as error:
        raise ActAlignError(f"{name}: the parameters cell is not Python ({error}); mend it") from error
    # One on a line of its own is for the line below.
    comments = [token for token in tokens if token.type == tokenize.COMMENT]
    commented = {token.start[0] + token.line.lstrip().startswith("#") for token in comments}
    parameters: dict[str, Any] = {}
    for statement in statements:
        key, value = _assignment(statement, name)
        if key in parameters:
            raise ActAlignError(f"{name}: the parameters cell sets {key!r} twice; keep one")
        if commented.isdisjoint(range(statement.lineno, (statement.end_lineno or statement.lineno) + 1)):
            raise ActAlignError(f"{name}: parameter {key!r} has no comment; say on its line what it means")
        parameters[key] = value
    if len(parameters) > MAX_PARAMETERS:
        raise ActAlignError(
            f"{name}: {len(parameters)} parameters, at most {MAX_PARAMETERS} are allowed: {', '.join(parameters)}; "
            "make the rest plain variables in the next cell"
        )
    return parameters


def _assignment(statement: ast.stmt, name: str) -> tuple[str, Any]:
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target, value = statement.targets[0], statement.value
    elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
        target, value = statement.target, statement.value
        if "Literal" in ast.unparse(statement.annotation):
            raise ActAlignError(f"{name}: no Literal[...] in the parameters cell; papermill misreads it")
    else:
        raise _not_literal(statement, name)
    if not isinstance(target, ast.Name):
        raise _not_literal(statement, name)
    try:
        return target.id, ast.literal_eval(value)
    except (ValueError, TypeError) as error:
        raise _not_literal(statement, name) from error


def _not_literal(statement: ast.stmt, name: str) -> ActAlignError:
    return ActAlignError(
        f"{name}: line {statement.lineno} of the parameters cell is not `name = literal`: "
        f"`{ast.unparse(statement).splitlines()[0]}`; move what is derived or imported to the next cell"
    )


def read_parameters(path: Path) -> dict[str, Any]:
    """The parameters of a notebook and their defaults, from its one cell tagged ``parameters``."""
    tagged = [cell for cell in read_notebook(path).cells if PARAMETERS_TAG in cell.metadata.get("tags", [])]
    if len(tagged) != 1 or tagged[0].cell_type != "code":
        raise ActAlignError(
            f"{path.name} has {len(tagged)} cells tagged {PARAMETERS_TAG!r}; it needs exactly one, a code cell "
            "(an empty one will do when there is nothing to set)"
        )
    return parse_parameters(tagged[0].source, path.name)


def check_sources(notebooks: Iterable[Path]) -> None:
    """Raises one ActAlignError that lists every notebook whose source is not as it must be.

    A source has one tagged cell of literal parameters, no outputs and no execution counts.
    """
    problems = []
    for path in notebooks:
        try:
            read_parameters(path)
        except ActAlignError as error:
            problems.append(str(error))
            continue
        code = [cell for cell in read_notebook(path).cells if cell.cell_type == "code"]
        used = [number for number, cell in enumerate(code, start=1) if cell.outputs or cell.execution_count]
        if used:
            problems.append(
                f"{path.name} carries outputs or execution counts (code cells {', '.join(map(str, used))}); "
                f"clear them: {sys.executable} -m nbconvert --clear-output --inplace {path}"
            )
    if problems:
        raise ActAlignError("\n  ".join([f"{len(problems)} notebook(s) cannot be run:", *problems]))


def run_notebook(
    path: Path, parameters: Mapping[str, Any] | None = None, *, output: Path, timeout_s: float = 3600.0
) -> Path:
    """Runs a notebook with parameters and returns ``output``, the executed copy (kept also when a cell fails).

    ``timeout_s`` bounds each cell, in seconds. The kernel works in the notebook's own folder.

    Raises ActAlignError for a missing or malformed parameters cell, an unknown parameter, a value that cannot be
    written as a literal, a failing or overlong cell, and a kernel that dies.
    """
    given = dict(parameters or {})
    _check_given(given, known=read_parameters(path), name=path.name)
    path, output = path.resolve(), output.resolve()
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="actalign-kernel-") as scratch:
        try:
            papermill.execute_notebook(
                _verbatim(path),
                _verbatim(output),
                parameters=given,
                kernel_name="python3",
                language="python",
                progress_bar=False,
                start_timeout=START_TIMEOUT_S,
                execution_timeout=timeout_s,
                cwd=path.parent,
                kernel_manager_class=_this_interpreter(Path(scratch)),
            )
        except PapermillExecutionError as error:
            if error.ename == LeftOutError.__name__:
                raise LeftOutError(error.evalue) from error
            what = f"{error.ename}: {error.evalue}".strip().splitlines()[0]
            raise ActAlignError(
                f"{path.name} failed in cell [{error.exec_count}]: {what}\n  read the executed copy: {output}"
            ) from error
        except CellTimeoutError as error:
            raise ActAlignError(
                f"{path.name}: a cell took longer than {timeout_s:g} s\n  read the executed copy: {output}"
            ) from error
        except RuntimeError as error:
            raise ActAlignError(
                f"{path.name}: the kernel stopped, perhaps for want of memory ({error}); its last words: "
                f"{_last_words(Path(scratch))}\n  read the executed copy: {output}"
            ) from error
    return output


def _last_words(scratch: Path) -> str:
    log = scratch / LOG
    lines = log.read_text(encoding="utf-8", errors="replace").split("\n") if log.is_file() else []
    return next((line for line in reversed(lines) if line.strip()), "none")


def _check_given(given: Mapping[str, Any], *, known: Mapping[str, Any], name: str) -> None:
    for key, value in given.items():
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else "."
            raise ActAlignError(f"{name} has no parameter {key!r}{hint} It knows: {', '.join(known) or 'none'}")
        if not _is_literal(value):
            raise ActAlignError(
                f"{name}: parameter {key!r} got a {type(value).__name__}, {value!r}; pass text, numbers, "
                "booleans, None, or lists and dicts of these"
            )


def _is_literal(value: object) -> bool:
    if isinstance(value, list | tuple):
        return all(map(_is_literal, value))
    if isinstance(value, dict):
        return all(isinstance(key, str) for key in value) and all(map(_is_literal, value.values()))
    return value is None or isinstance(value, str | bool | int | float)


def _verbatim(path: Path) -> str:
    """papermill formats the paths it gets; braces in a folder's name are just braces."""
    return str(path).replace("{", "{{").replace("}", "}}")


def _this_interpreter(scratch: Path) -> type[AsyncKernelManager]:
    """A kernel manager that starts the running interpreter and keeps the kernel's own files in ``scratch``."""
    package_root = str(Path(__file__).resolve().parents[1])
    search_path = os.pathsep.join(filter(None, [package_root, os.environ.get("PYTHONPATH")]))
    environment = {
        **QUIET,
        "ACTALIGN_ROOT": str(paths.ROOT.resolve()),
        "IPYTHONDIR": str(scratch / "ipython"),
        "PYTHONPATH": search_path,
    }
    command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]

    class ThisInterpreter(AsyncKernelManager):
        def __init__(self, **settings: Any) -> None:
            super().__init__(**settings)
            self.connection_file = str(scratch / "connection.json")

        @property
        def kernel_spec(self) -> KernelSpec:
            return KernelSpec(argv=command, display_name="Python 3", language="python", env=environment)

        async def start_kernel(self, **settings: Any) -> None:  # type: ignore[override]
            self._before = asyncio.all_tasks()
            with (scratch / LOG).open("wb") as log:
                await super().start_kernel(**settings, stdout=log, stderr=log)

        async def shutdown_kernel(self, *how: Any, **settings: Any) -> None:  # type: ignore[override]
            """Ctrl-C leaves the tasks of its cell behind, which would complain that the kernel dies."""
            left = asyncio.all_tasks() - self._before - {asyncio.current_task()}
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)
            await super().shutdown_kernel(*how, **settings)

    return ThisInterpreter
