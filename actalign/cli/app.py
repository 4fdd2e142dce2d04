"""What the commands share: the application, options, exit codes, and errors of one line each."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import typer

from actalign import __version__
from actalign.errors import ActAlignError

ERROR, PARTLY, INTERRUPTED = 1, 3, 130

app = typer.Typer(
    name="actalign",
    help="Zero-shot recognition of fine-grained actions by aligning frames with a script of sub-actions.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _not_empty(text: str) -> Path:
    if not text:  # a variable of the shell that is not set; as a path it would be the current folder
        raise typer.BadParameter("it is empty; name a file or folder, '.' for this one")
    return Path(text)


def place(help: str) -> Any:
    """An option that names a file or folder."""
    return typer.Option(parser=_not_empty, metavar="<path>", help=help)


Data = Annotated[str, typer.Argument(help="A known data set (sample, actionatlas) or a data folder.")]
Checkpoint = Annotated[str, typer.Option(help="Folder or hub id; the data folder's own checkpoint if not given.")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps.")]
Dtype = Annotated[str, typer.Option(help="float32, bfloat16 or float16.")]
FrameRate = Annotated[float | None, typer.Option(help="Frames per second to look at; every frame if not given.")]
Store = Annotated[Path | None, place("Where embeddings are kept; data/cache/embeddings.")]
Style = Annotated[list[str] | None, typer.Option(help="Prompt style; all of the data set's if not given. Repeatable.")]


@contextmanager
def _one_line_errors() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:  # whoever read our output has seen enough; typer ends quietly
        raise
    except (ActAlignError, OSError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(ERROR) from error
    except ModuleNotFoundError as error:
        from actalign.diagnosis import install

        typer.echo(f"error: {error.name} is not installed; {install(error.name or '')}", err=True)
        raise typer.Exit(ERROR) from error
    except KeyboardInterrupt as error:
        typer.echo("interrupted; finished work is kept, the same command goes on from here", err=True)
        raise typer.Exit(INTERRUPTED) from error


def command(function: Callable[..., None]) -> Callable[..., None]:
    """A subcommand whose errors are one line each and whose docstring, with its example, is the help."""

    @wraps(function)
    def run(*arguments: Any, **options: Any) -> None:
        with _one_line_errors():
            function(*arguments, **options)

    app.command()(run)
    return run


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"actalign {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None: ...


def dataset_of(data: str) -> Any:
    from actalign.datasets import load

    return load(data)


def styles_of(dataset: Any, style: Sequence[str] | None) -> list[str]:
    unknown = [name for name in style or () if name not in dataset.scripts]
    if unknown:
        raise ActAlignError(f"no scripts of style {unknown[0]!r}; {dataset.name} has {list(dataset.scripts)}")
    if not dataset.scripts:
        raise ActAlignError(f"{dataset.name} has no scripts; add scripts/<style>.json, or run actalign scripts")
    return list(dict.fromkeys(style or dataset.scripts))


def end_partly(failed: Mapping[str, object]) -> None:
    """Where anything failed (name -> reason), name it and end the command."""
    for name, reason in failed.items():
        typer.echo(f"failed: {name}: {reason}", err=True)
    if failed:
        raise typer.Exit(PARTLY)


def require_checkpoint(data: str, checkpoint: str) -> str | Path:
    """The checkpoint that was given, or the data folder's own."""
    own: Path = dataset_of(data).root / "checkpoint"
    if not checkpoint and not own.is_dir():
        raise ActAlignError(f"{data} has no checkpoint of its own; pass --checkpoint, a folder or a hub id")
    return checkpoint or own


def encoder_of(data: str, checkpoint: str, *, device: str, dtype: str) -> Any:
    from actalign.encoder import load_encoder

    return load_encoder(require_checkpoint(data, checkpoint), device=device, dtype=dtype)
