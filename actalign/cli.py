"""The command ``actalign``: thin over the package's functions, which say what they do and what went wrong.

Exit codes: 0 all is well, 1 an error (one line on stderr), 2 the command line was wrong, 3 the command finished but
some clips, classes or checks failed (they are named), 130 interrupted: finished work is kept.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
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

Data = Annotated[str, typer.Argument(help="A known data set (sample, actionatlas) or a data folder.")]
Checkpoint = Annotated[str, typer.Option(help="Folder or hub id; the data folder's own checkpoint if not given.")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps.")]
Dtype = Annotated[str, typer.Option(help="float32, bfloat16 or float16.")]
FrameRate = Annotated[float | None, typer.Option(help="Frames per second to look at; every frame if not given.")]
Style = Annotated[list[str] | None, typer.Option(help="Prompt style; all of the data set's if not given. Repeatable.")]


@contextmanager
def _one_line_errors() -> Iterator[None]:
    try:
        yield
    except (ActAlignError, OSError) as error:
        typer.echo(f"error: {error}", err=True)
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


@command
def doctor(
    checkpoint: Annotated[str, typer.Option(help="Also load this checkpoint, a folder or hub id.")] = "",
    endpoint: Annotated[bool, typer.Option(help="Also ask the LLM endpoint for its models.")] = False,
) -> None:
    """Say what is installed, what works, and what to do next.

    Example: actalign doctor --checkpoint data/sample/checkpoint
    """
    from actalign.diagnosis import diagnose

    findings = list(diagnose(checkpoint=checkpoint, endpoint=endpoint))
    width = max(len(finding.subject) for finding in findings)
    for finding in findings:
        typer.echo(f"{'ok  ' if finding.fine else 'FAIL'}  {finding.subject:<{width}}  {finding.text}")
        if finding.next_step:
            typer.echo(f"{'':<{width + 8}}-> {finding.next_step}")
    if not all(finding.fine for finding in findings):
        raise typer.Exit(PARTLY)


@command
def encode(
    data: Data,
    checkpoint: Checkpoint = "",
    device: Device = "auto",
    dtype: Dtype = "float32",
    frame_rate: FrameRate = None,
    store: Annotated[Path | None, typer.Option(help="Where embeddings are kept; data/cache/embeddings.")] = None,
) -> None:
    """Embed every clip.

    What is in the store is reused; an interrupted run goes on where it stopped.

    Example: actalign encode my_clips --checkpoint google/siglip-so400m-patch14-384 --dtype bfloat16
    """
    from actalign.embeddings import embed_clips

    dataset, encoder = _dataset(data), _encoder(data, checkpoint, device=device, dtype=dtype)
    embeddings = embed_clips(dataset, encoder, store_folder=store, frame_rate=frame_rate)
    for clip_id, reason in embeddings.failed.items():
        typer.echo(f"failed: {clip_id}: {reason}", err=True)
    if embeddings.failed:
        raise typer.Exit(PARTLY)


@command
def fetch(
    root: Annotated[Path | None, typer.Option(help="Where the data set is kept; data/actionatlas.")] = None,
    copy: Annotated[Path | None, typer.Option(help="A local parquet or JSONL copy of the benchmark's table.")] = None,
    revision: Annotated[str | None, typer.Option(help="Commit of the table on the hub.")] = None,
    videos: Annotated[Path | None, typer.Option(help="Take videos from this folder instead of the network.")] = None,
    cookies_file: Annotated[Path | None, typer.Option(help="Netscape cookies, for age and bot walls.")] = None,
    cookies_from_browser: Annotated[str | None, typer.Option(help="Take them from this browser instead.")] = None,
    proxy: Annotated[str | None, typer.Option(help="A proxy's URL.")] = None,
    rate_limit: Annotated[float | None, typer.Option(help="Bytes per second for each download.")] = None,
    workers: Annotated[int, typer.Option(help="Downloads at the same time.")] = 2,
) -> None:
    """Fetch ActionAtlas.

    Every row of the benchmark is in the manifest, with the reason where its clip is missing. A later run tries again
    what may come back, and never fetches a good file twice.

    Example: actalign fetch --cookies-from-browser firefox --workers 2
    """
    from actalign.fetching.local import import_videos
    from actalign.fetching.run import fetch as fetch_videos
    from actalign.fetching.site import Site

    if videos is not None:
        manifest = import_videos(videos, root=root, copy=copy, revision=revision)
    else:
        site = Site(
            cookies_file=cookies_file, cookies_from_browser=cookies_from_browser, proxy=proxy, rate_limit=rate_limit
        )
        manifest = fetch_videos(root, copy=copy, revision=revision, site=site, workers=workers)
    if len(manifest.done) < len(manifest):
        raise typer.Exit(PARTLY)


@command
def scripts(
    data: Data,
    style: Annotated[str, typer.Option(help="short_fixed, context_rich, context_rich_t02 or released.")],
    cache: Annotated[Path, typer.Option(help="The file of answers (JSON lines); made where missing.")],
    model: Annotated[str | None, typer.Option(help="Otherwise ACTALIGN_LLM_MODEL of the environment.")] = None,
    seed: Annotated[int, typer.Option(help="Sent along, and part of what an answer is kept under.")] = 0,
    concurrency: Annotated[int, typer.Option(help="Requests at the same time.")] = 8,
    price: Annotated[
        tuple[float, float] | None, typer.Option(help="Cost of a million input and a million output tokens.")
    ] = None,
    dry_run: Annotated[bool, typer.Option(help="Print the prompts and what they would cost; ask nothing.")] = False,
) -> None:
    """Ask a language model for the scripts of a data set.

    Endpoint and key are OPENAI_BASE_URL and OPENAI_API_KEY of the environment. Every answer is kept in the cache before
    it is read, and never asked for twice; a full cache needs no key and no network.

    Example: actalign scripts my_clips --style context_rich --cache answers.jsonl --dry-run
    """
    from actalign.llm import generate, preview

    dataset = _dataset(data)
    if dry_run:
        typer.echo(str(preview(dataset, style, cache=cache, model=model, seed=seed, price=price)))
        return
    done = generate(dataset, style, cache=cache, model=model, seed=seed, concurrency=concurrency, price=price)
    typer.echo(repr(done))
    for name, failure in done.failures.items():
        typer.echo(f"failed: {name}: {failure}", err=True)
    if done.failures:
        raise typer.Exit(PARTLY)
    typer.echo(f"wrote {done.write(dataset.root / 'scripts')}")


@command
def lint(
    data: Data,
    style: Style = None,
    checkpoint: Annotated[str, typer.Option(help="Count tokens with this checkpoint's tokenizer.")] = "",
) -> None:
    """Look for faults in scripts.

    Needs no checkpoint and no videos. Exit code 3 if there are errors among the findings.

    Example: actalign lint my_clips --style context_rich --checkpoint google/siglip-so400m-patch14-384
    """
    from dataclasses import replace

    import pandas as pd

    from actalign.lint import lint_dataset

    dataset = _dataset(data)
    dataset = replace(dataset, scripts={name: dataset.scripts[name] for name in _styles(dataset, style)})
    limits: dict[str, Any] = {}
    if checkpoint:
        encoder = _encoder(data, checkpoint, device="cpu", dtype="float32")
        limits = {"token_count": encoder.token_counts, "max_tokens": encoder.text_policy.max_length}
    findings = lint_dataset(dataset, **limits)
    for row in findings.to_dict("records"):
        step = "" if pd.isna(row["step"]) else f", step {row['step']}"
        place = f" {row['class']}{step}:" if row["class"] else ""
        typer.echo(f"{row['severity']}: {row['style']}:{place} {row['message']} [{row['rule']}]")
    errors = int((findings["severity"] == "error").sum())
    typer.echo(f"{errors} errors, {int((findings['severity'] == 'warning').sum())} warnings")
    if errors:
        raise typer.Exit(PARTLY)


@command
def score(
    data: Data,
    style: Style = None,
    method: Annotated[list[str] | None, typer.Option(help="A name in METHODS; dtw_context. Repeatable.")] = None,
    preset: Annotated[str, typer.Option(help="paper or reference (the released scripts).")] = "paper",
    smoothing_width: Annotated[int | None, typer.Option(help="w of Eq. 7, for methods that smooth.")] = None,
    checkpoint: Checkpoint = "",
    device: Device = "auto",
    dtype: Dtype = "float32",
    frame_rate: FrameRate = None,
    out: Annotated[Path | None, typer.Option(help="Write the scores of every candidate to this CSV file.")] = None,
) -> None:
    """Score every question.

    Prints Top-1, 2 and 3 with 95% intervals, or each clip's best class where there are no labels.

    Example: actalign score sample --style context_rich --method dtw --method dtw_context
    """
    from actalign.embeddings import embed_clips, embed_texts
    from actalign.files import write_whole
    from actalign.metrics import topk_table
    from actalign.options import options
    from actalign.questions import text_groups
    from actalign.study import score_methods

    dataset = _dataset(data)
    if any(clip.split == "test" for clip in dataset.clips.values()):
        dataset = dataset.split("test")
    changes = {} if smoothing_width is None else {"smoothing_width": smoothing_width}
    methods, styles, chosen = method or ["dtw_context"], _styles(dataset, style), options(preset, **changes)
    groups = text_groups(dataset, methods=methods, styles=styles, options=chosen)
    encoder = _encoder(data, checkpoint, device=device, dtype=dtype)
    embeddings = embed_clips(dataset, encoder, frame_rate=frame_rate)
    texts = embed_texts(groups, encoder, padding=chosen.text_padding)
    scores = score_methods(
        dataset, embeddings, texts,
        methods=methods, styles=styles, options=chosen, scale=encoder.scale, bias=encoder.bias,
    )  # fmt: skip
    if out is not None:
        write_whole(out, scores.to_csv(index=False, lineterminator="\n"))
        typer.echo(f"wrote {out}")
    if all(question.answer is not None for question in dataset.questions):
        for row in topk_table(scores).itertuples():
            style_of = f" [{row.style}]" if row.style else ""
            typer.echo(
                f"{row.label}{style_of}: Top-1 {row.top1:.1f} [{row.top1_low:.1f}, {row.top1_high:.1f}], "
                f"Top-2 {row.top2:.1f}, Top-3 {row.top3:.1f} on {row.n} of {row.n_total}"
            )
    else:
        best = scores.dropna(subset="score").sort_values("score", ascending=False, kind="stable")
        best = best.drop_duplicates(["clip_id", "method", "style"]).sort_values("clip_id", kind="stable")
        for row in best.to_dict("records"):
            typer.echo(f"{row['clip_id']}: {row['class']} ({row['score']:.4f}, {row['label']})")
    if embeddings.failed:
        raise typer.Exit(PARTLY)


@command
def reproduce(
    only: Annotated[list[str] | None, typer.Option(help="Look at this notebook only. Repeatable.")] = None,
    force: Annotated[bool, typer.Option(help="Run also what is current.")] = False,
) -> None:
    """Run the notebooks that are not current.

    Example: actalign reproduce --only fig_7_smoothing
    """
    from actalign import runner

    arguments = [*(["--only", *only] if only else []), *(["--force"] if force else [])]
    if code := runner.main(arguments):
        raise typer.Exit(code)


def _dataset(data: str) -> Any:
    from actalign.datasets import load

    return load(data)


def _styles(dataset: Any, style: Sequence[str] | None) -> list[str]:
    unknown = [name for name in style or () if name not in dataset.scripts]
    if unknown:
        raise ActAlignError(f"no scripts of style {unknown[0]!r}; {dataset.name} has {list(dataset.scripts)}")
    if not dataset.scripts:
        raise ActAlignError(f"{dataset.name} has no scripts; add scripts/<style>.json, or run actalign scripts")
    return list(style or dataset.scripts)


def _encoder(data: str, checkpoint: str, *, device: str, dtype: str) -> Any:
    from actalign.encoder import load_encoder

    own = _dataset(data).root / "checkpoint"
    if not checkpoint and not own.is_dir():
        raise ActAlignError(f"{data} has no checkpoint of its own; pass --checkpoint, a folder or a hub id")
    return load_encoder(checkpoint or own, device=device, dtype=dtype)


def main() -> None:
    """What the command ``actalign`` runs."""
    app()


if __name__ == "__main__":
    sys.exit(app())
