"""Commands that end in numbers: scores, and all notebooks."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from actalign.cli.app import (
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
    require_checkpoint,
    styles_of,
)
from actalign.errors import ActAlignError


@command
def score(
    data: Data,
    style: Style = None,
    method: Annotated[
        list[str] | None, typer.Option(help="dtw_context unless given; an unknown name lists all. Repeatable.")
    ] = None,
    preset: Annotated[str, typer.Option(help="paper or reference (the released scripts).")] = "paper",
    smoothing_width: Annotated[int | None, typer.Option(help="w of Eq. 7, for methods that smooth.")] = None,
    checkpoint: Checkpoint = "",
    device: Device = "auto",
    dtype: Dtype = "float32",
    frame_rate: FrameRate = None,
    store: Store = None,
    out: Annotated[Path | None, place("Write the scores of every candidate to this CSV file.")] = None,
) -> None:
    """Score every question, of the test split where there are splits.

    Prints Top-1, 2 and 3 with 95% intervals, or each clip's best class where not every question has an answer.

    \b
    Example: actalign score sample --style context_rich --method dtw --method dtw_context
    """
    from actalign.embeddings import embed_clips, embed_texts
    from actalign.files import check_writable, write_whole
    from actalign.methods import method_named
    from actalign.options import options
    from actalign.questions import text_groups
    from actalign.study import score_methods

    dataset = dataset_of(data)
    if any(clip.split == "test" for clip in dataset.clips.values()):
        dataset = dataset.split("test")
    changes = {} if smoothing_width is None else {"smoothing_width": smoothing_width}
    methods, chosen = list(dict.fromkeys(method or ["dtw_context"])), options(preset, **changes)
    if "dtw_context_smoothing_validated" in methods:
        raise ActAlignError(
            "dtw_context_smoothing_validated needs a width chosen on validation clips, as the notebook 20_scores does; "
            "here take dtw_context_smoothing and --smoothing-width"
        )
    if smoothing_width is not None and not any(method_named(name).smooths for name in methods):
        raise ActAlignError(f"--smoothing-width is for dtw_context_smoothing; {', '.join(methods)} would not read it")
    if out is not None:
        check_writable(out)
    reads_scripts = any(method_named(name).needs_script for name in methods)
    styles = styles_of(dataset, style) if reads_scripts or style else []
    groups = text_groups(dataset, methods=methods, styles=styles, options=chosen)
    encoder = encoder_of(data, checkpoint, device=device, dtype=dtype)
    embeddings = embed_clips(dataset, encoder, store_folder=store, frame_rate=frame_rate)
    texts = embed_texts(groups, encoder, store_folder=store, group_padding=chosen.text_padding) if groups else {}
    scores = score_methods(
        dataset, embeddings, texts,
        methods=methods, styles=styles, options=chosen, scale=encoder.scale, bias=encoder.bias,
    )  # fmt: skip
    if out is not None:
        write_whole(out, scores.to_csv(index=False, lineterminator="\n"))
        typer.echo(f"wrote {out}")
    unlabelled = [question.clip_id for question in dataset.questions if question.answer is None]
    if 0 < len(unlabelled) < len(dataset.questions):
        asked = f"{len(unlabelled)} of {len(dataset.questions)} questions, {unlabelled[0]!r} first"
        typer.echo(f"no accuracy: {asked}, have no answer; add it to questions.csv or drop them", err=True)
    for line in _best_classes(scores) if unlabelled else _accuracies(scores):
        typer.echo(line)
    end_partly(embeddings.failed)


def _accuracies(scores: Any) -> Iterator[str]:
    """A line for each method and style: its Top-k."""
    from actalign.metrics import topk_table
    from actalign.report import interval_text

    for row in topk_table(scores).itertuples():
        style_of = f" [{row.style}]" if row.style else ""
        yield (
            f"{row.label}{style_of}: Top-1 {interval_text(row.top1, row.top1_low, row.top1_high)}, "
            f"Top-2 {row.top2:.1f}, Top-3 {row.top3:.1f} on {row.n} of {row.n_total}"
        )


def _best_classes(scores: Any) -> Iterator[str]:
    """A line for each clip, method and style: the best class, and the next best."""
    known = scores.dropna(subset="score").groupby(["clip_id", "label", "style", "class"], sort=False)["score"]
    ranked = known.mean().reset_index().sort_values("score", ascending=False, kind="stable")  # of several draws
    for (clip_id, label, style), rows in ranked.groupby(["clip_id", "label", "style"]):
        first, *others = (f"{row['class']} {row['score']:#.3g}" for row in rows[:2].to_dict("records"))
        then = f", then {others[0]}" if others else ""
        yield f"{clip_id}: {first}{then} ({label}{f' [{style}]' if style else ''})"


@command
def reproduce(
    only: Annotated[list[str] | None, typer.Option(help="Look at this notebook only. Repeatable.")] = None,
    force: Annotated[bool, typer.Option(help="Run also what is current.")] = False,
    dataset: Annotated[str, typer.Option(help="A known data set or a data folder; the sample if not given.")] = "",
    checkpoint: Checkpoint = "",
    style: Annotated[str, typer.Option(help="Prompt style of the main results; the only one if there is one.")] = "",
    preset: Annotated[str, typer.Option(help="paper or reference (the released scripts).")] = "",
    frame_rate: FrameRate = None,
    out: Annotated[Path | None, place("Folder of results and figures; else one under data/runs.")] = None,
) -> None:
    """Run the notebooks that are not current, and say what became of each.

    Without a data set, checkpoint, style, preset or frame rate, results go to data/results and figures; with one, to a
    folder of their own, so that nothing is mixed.

    \b
    Example: actalign reproduce --preset reference --only 20_scores --only table_2_main_results
    """
    from actalign import paths, runner
    from actalign.options import options
    from actalign.timeline import check_frame_rate

    looked_at = [path for path in runner.plan(paths.NOTEBOOKS) if not only or path.stem in only]
    reads_style = any({"style", "analysed_styles"} & runner.read_parameters(path).keys() for path in looked_at)
    if (dataset or style) and reads_style:
        style = _main_style(dataset or "sample", style)
    named = {"dataset": _anchored(dataset), "checkpoint": _anchored(checkpoint), "style": style, "preset": preset}
    given = {name: value for name, value in {**named, "frame_rate": frame_rate}.items() if value not in ("", None)}
    check_frame_rate(frame_rate)  # what is wrong is said before anything runs
    if preset:
        options(preset)
    if dataset and not only:
        require_checkpoint(dataset, checkpoint)
        _require_answers(dataset)
    arguments = [*(["--only", *only] if only else []), *(["--force"] if force else [])]
    if not given and out is None:
        code = runner.main(arguments)
    else:
        folder = out or paths.DATA / "runs" / _run_name(given)
        analysed = {"analysed_styles": [style]} if style else {}  # errors are sorted of the style of the main results
        settings = [f"{name}={value!r}" for name, value in {**given, **analysed}.items()]
        # In a process of its own: where files go is settled when the package is imported.
        code = _run_to_its_end(
            [sys.executable, "-m", "actalign.runner", *arguments, *(["--set", *settings] if settings else [])],
            env={**os.environ, runner.OUT: str(folder.resolve())},
        )
    if code:
        raise typer.Exit(code)


def _main_style(data: str, style: str) -> str:
    """The style that was asked for; "", the notebooks' own, where the data has it; or else the only one it has."""
    from actalign import paths, runner

    known = styles_of(dataset_of(data), [style] if style else None)
    if style or runner.read_parameters(paths.NOTEBOOKS / "20_scores.ipynb")["style"] in known:
        return style
    if len(known) > 1:
        raise ActAlignError(f"{data} has the styles {known}; say with --style which is that of the main results")
    return known[0]


def _require_answers(data: str) -> None:
    """Tables and figures are of how often the answer is found; on validation clips a width is chosen by that."""
    dataset = dataset_of(data)
    questions = dataset.split("test").questions
    if any(clip.split == "validation" for clip in dataset.clips.values()):
        questions += dataset.split("validation").questions
    if unknown := [question.clip_id for question in questions if question.answer is None]:
        raise ActAlignError(
            f"{len(unknown)} of {len(questions)} questions of {data}, {unknown[0]!r} first, have no answer, and tables "
            "and figures count right answers: give them in a questions.csv (in place of a classes.txt). Without any, "
            "actalign score ranks the classes of each clip, and notebooks/own_videos.ipynb also draws one"
        )


def _run_to_its_end(command: Sequence[str], *, env: Mapping[str, str]) -> int:
    """The exit code of a process, which hears Ctrl-C as we do and then has the time to clear up."""
    with subprocess.Popen(command, env=env) as process:
        try:
            return process.wait()
        except KeyboardInterrupt:
            return process.wait()


def _run_name(given: Mapping[str, Any]) -> str:
    """A folder's name that people can read and that no other parameters have."""
    digest = hashlib.sha256(json.dumps(given, sort_keys=True).encode()).hexdigest()
    return "-".join([*(Path(str(value)).name for value in given.values()), digest[:6]])


def _anchored(name: str) -> str:
    """A folder's full path, since notebooks run elsewhere; another name as it is."""
    from actalign.datasets import SOURCES

    return str(Path(name).resolve()) if name and name not in SOURCES and Path(name).is_dir() else name
