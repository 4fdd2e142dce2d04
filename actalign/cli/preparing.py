"""Commands before any score: what works here, videos, embeddings, scripts."""

from pathlib import Path
from typing import Annotated, Any

import typer

from actalign.cli.app import (
    PARTLY,
    Checkpoint,
    Data,
    Device,
    Dtype,
    FrameRate,
    Store,
    Style,
    command,
    dataset_of,
    encoder_of,
    end_partly,
    place,
    styles_of,
)
from actalign.errors import ActAlignError

FIRST_WARNINGS = 3
"""How many warnings of one kind ``lint`` prints unless it is asked for all."""


@command
def doctor(
    checkpoint: Annotated[str, typer.Option(help="Also load this checkpoint, a folder or hub id.")] = "",
    endpoint: Annotated[bool, typer.Option(help="Also ask the LLM endpoint for its models.")] = False,
) -> None:
    """Say what is installed, what works, and what to do next.

    \b
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
def fetch(
    root: Annotated[Path | None, place("Where the data set is kept; data/actionatlas.")] = None,
    copy: Annotated[Path | None, place("A local parquet or JSONL copy of the benchmark's table.")] = None,
    revision: Annotated[str | None, typer.Option(help="Commit of the table on the hub.")] = None,
    videos: Annotated[Path | None, place("Take videos from this folder instead of the network.")] = None,
    cookies_file: Annotated[Path | None, place("Netscape cookies, for age and bot walls.")] = None,
    cookies_from_browser: Annotated[str | None, typer.Option(help="Take them from this browser instead.")] = None,
    proxy: Annotated[str | None, typer.Option(help="A proxy's URL.")] = None,
    url: Annotated[str, typer.Option(help="Where videos are, with {youtube_id} in it; YouTube.")] = "",
    rate_limit: Annotated[float | None, typer.Option(help="Bytes per second for each download.")] = None,
    workers: Annotated[int, typer.Option(help="Downloads at the same time.")] = 2,
) -> None:
    """Fetch ActionAtlas.

    Every row of the benchmark is in the manifest, with the reason where its clip is missing. A later run tries again
    what may come back, and never fetches a good file twice.

    \b
    Example: actalign fetch --cookies-from-browser firefox --workers 2
    """
    from actalign.fetching.local import import_videos
    from actalign.fetching.run import fetch as fetch_videos
    from actalign.fetching.site import YOUTUBE, Site

    if videos is not None:
        manifest = import_videos(videos, root=root, copy=copy, revision=revision)
    else:
        site = Site(
            url=url or YOUTUBE,
            cookies_file=cookies_file,
            cookies_from_browser=cookies_from_browser,
            proxy=proxy,
            rate_limit=rate_limit,
        )
        manifest = fetch_videos(root, copy=copy, revision=revision, site=site, workers=workers)
    if len(manifest.done) < len(manifest):
        raise typer.Exit(PARTLY)


@command
def encode(
    data: Data,
    checkpoint: Checkpoint = "",
    device: Device = "auto",
    dtype: Dtype = "float32",
    frame_rate: FrameRate = None,
    store: Store = None,
) -> None:
    """Embed every clip.

    What is in the store is reused; an interrupted run goes on where it stopped.

    \b
    Example: actalign encode my_clips --checkpoint google/siglip-so400m-patch14-384 --dtype bfloat16
    """
    from actalign.embeddings import embed_clips

    dataset, encoder = dataset_of(data), encoder_of(data, checkpoint, device=device, dtype=dtype)
    embeddings = embed_clips(dataset, encoder, store_folder=store, frame_rate=frame_rate)
    end_partly(embeddings.failed)


@command
def scripts(
    data: Data,
    style: Annotated[str, typer.Option(help="short_fixed, context_rich, context_rich_t02 or released.")],
    cache: Annotated[Path, place("The file of answers (JSON lines); made where missing.")],
    model: Annotated[str | None, typer.Option(help="Otherwise ACTALIGN_LLM_MODEL of the environment.")] = None,
    seed: Annotated[int, typer.Option(help="Sent along, and part of what an answer is kept under.")] = 0,
    concurrency: Annotated[int, typer.Option(help="Requests at the same time.")] = 8,
    price: Annotated[
        tuple[float, float] | None, typer.Option(help="Cost of a million input and a million output tokens.")
    ] = None,
    dry_run: Annotated[bool, typer.Option(help="Print the prompts and what they would cost; ask nothing.")] = False,
    replace: Annotated[bool, typer.Option("--replace", help="Put these scripts in the place of other ones.")] = False,
) -> None:
    """Ask a language model for the scripts of a data set.

    Endpoint and key are OPENAI_BASE_URL and OPENAI_API_KEY of the environment. Every answer is kept in the cache before
    it is read, and never asked for twice; a full cache needs no key and no network.

    \b
    Example: actalign scripts my_clips --style context_rich --cache answers.jsonl --dry-run
    """
    from actalign.llm import generate, preview

    dataset = dataset_of(data)
    found = preview(dataset, style, cache=cache, model=model, seed=seed, price=price)
    if dry_run:
        typer.echo(f"{found}\n\n{found.summary}")  # once more: hundreds of prompts may stand between
        return
    if found.messages and style in dataset.scripts and not replace:  # before anything is paid for
        raise ActAlignError(
            f"{dataset.root / 'scripts' / f'{style}.json'} is there already; move it away, or pass --replace"
        )
    done = generate(dataset, style, cache=cache, model=model, seed=seed, concurrency=concurrency, price=price)
    typer.echo(repr(done))
    end_partly(done.failures)
    typer.echo(f"wrote {done.write(dataset.root / 'scripts', replace=replace)}")


@command
def lint(
    data: Data,
    style: Style = None,
    checkpoint: Annotated[str, typer.Option(help="Count tokens with this checkpoint's tokenizer.")] = "",
    every: Annotated[bool, typer.Option("--all", help="Print all warnings, not the first of each kind.")] = False,
) -> None:
    """Look for faults in scripts.

    Needs no checkpoint and no videos. Exit code 3 if there are errors among the findings. Every error is printed; of
    the warnings of one kind the first three, and how many more there are.

    \b
    Example: actalign lint my_clips --style context_rich --checkpoint google/siglip-so400m-patch14-384
    """
    from dataclasses import replace

    from actalign.lint import lint_dataset

    dataset = dataset_of(data)
    dataset = replace(dataset, scripts={name: dataset.scripts[name] for name in styles_of(dataset, style)})
    limits: dict[str, Any] = {}
    if checkpoint:
        encoder = encoder_of(data, checkpoint, device="cpu", dtype="float32")
        limits = {"token_count": encoder.token_counts, "max_tokens": encoder.text_policy.max_length}
    findings = lint_dataset(dataset, **limits)
    for (in_style, rule), kind in findings.groupby(["style", "rule"], sort=False):
        shown = kind.head(FIRST_WARNINGS) if kind["severity"].iloc[0] == "warning" and not every else kind
        for row in shown.to_dict("records"):
            typer.echo(_finding_line(row))
        if len(shown) < len(kind):
            typer.echo(f"warning: {in_style}: {len(kind) - len(shown)} more like these: --all prints them [{rule}]")
    errors = int((findings["severity"] == "error").sum())
    typer.echo(f"errors: {errors}, warnings: {int((findings['severity'] == 'warning').sum())}")
    if errors:
        raise typer.Exit(PARTLY)


def _finding_line(row: dict[str, Any]) -> str:
    """One finding in a line: how bad it is, where it is, what was read, what is wrong, and the rule that says so."""
    import pandas as pd

    text = f" {row['text']!r}" if row["text"] else ""
    step = "" if pd.isna(row["step"]) else f", step {row['step']}{text}"
    place = f" {row['class']}{step}:" if row["class"] else ""
    return f"{row['severity']}: {row['style']}:{place} {row['message']} [{row['rule']}]"
