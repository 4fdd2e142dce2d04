"""Runs every notebook in order and reuses what is current: ``python -m actalign.runner``.

Notebooks whose name starts with a digit, and ``OTHERS``, compute and write results; ``table_*`` and ``fig_*`` read
those and draw. Where one that others build on fails, those are not run, so that nothing is drawn from old results.
"""

import argparse
import ast
import os
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from actalign import paths
from actalign.errors import ActAlignError, LeftOutError
from actalign.gallery import write_gallery
from actalign.notebook import check_sources, read_parameters, run_notebook
from actalign.run_records import (
    Outcome,
    Record,
    forget,
    key_of,
    read_record,
    snapshot,
    surroundings,
    write_record,
    written_since,
)
from actalign.run_summary import main_table, summary

__all__ = ["check_sources", "main", "plan", "read_parameters", "run_notebook", "run_plan"]

KINDS = ("table_", "fig_")
OTHERS = ("actionatlas", "explorer", "own_videos")
"""Notebooks that compute for themselves; they run after those that others build on."""
OUT = "ACTALIGN_OUT"
INTERRUPTED = 130
TICK_S = 1.0


def plan(folder: Path) -> list[Path]:
    """The notebooks of a folder in the order they run: compute first, then tables, then figures.

    Raises ActAlignError for an empty folder or a name that tells no stage.
    """
    notebooks = sorted(folder.glob("*.ipynb"), key=lambda path: (_stage(path), path.stem))
    if not notebooks:
        raise ActAlignError(f"no notebooks in {folder}; run this from a full copy of the project")
    return notebooks


def _stage(path: Path) -> int:
    if path.stem[0].isdigit():
        return 0
    if path.stem in OTHERS:
        return 1
    for stage, prefix in enumerate(KINDS, start=2):
        if path.stem.startswith(prefix):
            return stage
    raise ActAlignError(f"{path.name}: a notebook's name starts with a digit (it computes) or {' or '.join(KINDS)}")


def _built_on(path: Path) -> bool:
    return _stage(path) == 0


def _draws(path: Path) -> bool:
    return _stage(path) > 1


def _run(notebook: Path, key: str, given: Mapping[str, Any]) -> Record:
    before = snapshot()
    start = time.monotonic()
    known = read_parameters(notebook)
    parameters = {name: value for name, value in given.items() if name in known}
    run_notebook(notebook, parameters, output=paths.RESULTS / "executed" / notebook.name)
    seconds = round(time.monotonic() - start, 1)
    outputs = written_since(before)
    if not outputs and _draws(notebook):
        raise ActAlignError(f"{notebook.name} wrote nothing under {paths.FIGURES} or {paths.RESULTS}; let it save")
    record = Record(key, outputs, seconds)
    write_record(notebook, record)
    return record


@contextmanager
def _clock(label: str) -> Iterator[None]:
    """On a terminal, counts the seconds behind ``label`` while the block runs; elsewhere nothing is printed."""
    done = threading.Event()

    def count() -> None:
        start = time.monotonic()
        while not done.wait(TICK_S):
            print(f"\r{label}{time.monotonic() - start:4.0f}   s", end="", flush=True)

    ticker = threading.Thread(target=count, daemon=True)
    if sys.stdout.isatty():
        ticker.start()
    try:
        yield
    finally:
        done.set()
        if ticker.is_alive():
            ticker.join()
            print(f"\r{label}", end="", flush=True)


def _selected(notebooks: Sequence[Path], only: Sequence[str], given: Mapping[str, Any]) -> list[Path]:
    """The stems in ``only``; without any, all, less those of ``OTHERS`` that know nothing of what is ``given``.

    A given data set comes with a checkpoint and styles of its own, which are nothing for a notebook of other videos.
    """
    known = [notebook.stem for notebook in notebooks]
    unknown = [stem for stem in only if stem not in known]
    if unknown:
        raise ActAlignError(f"no notebook named {', '.join(unknown)}; there are: {', '.join(known)}")
    if only:
        return [notebook for notebook in notebooks if notebook.stem in only]
    telling = {"dataset"} & given.keys() or given.keys()
    deaf = {path for path in notebooks if given and telling.isdisjoint(read_parameters(path))}
    return [path for path in notebooks if not (path.stem in OTHERS and path in deaf)]


def _check_given(given: Mapping[str, Any], notebooks: Iterable[Path]) -> None:
    known = sorted({name for notebook in notebooks for name in read_parameters(notebook)})
    if unknown := [name for name in given if name not in known]:
        raise ActAlignError(f"no notebook has a parameter {unknown[0]!r}; there are: {', '.join(known)}")


def run_plan(
    notebooks: Sequence[Path], *, only: Sequence[str] = (), force: bool = False, given: Mapping[str, Any] | None = None
) -> list[Outcome]:
    """Runs what is not current, one line of progress each; returns what became of each, in order.

    A compute notebook depends on what the compute notebooks before it wrote, one that draws on all of them.
    ``only`` names the stems to look at; ``force`` runs them even when they are current; ``given`` are parameters, set
    in every notebook that has them.

    Raises ActAlignError for an unknown stem or parameter, a source that is not as it must be, or two notebooks that
    write the same file. A notebook that fails is an outcome, not an error.
    """
    given = dict(given or {})
    check_sources(notebooks)
    _check_given(given, notebooks)
    chosen = _selected(notebooks, only, given)
    around = surroundings(given)
    upstream: dict[str, Record] = {}
    outcomes: list[Outcome] = []
    width = max(len(notebook.stem) for notebook in chosen)
    broken = ""
    for notebook in notebooks:
        record = read_record(notebook)
        if notebook in chosen:
            label = f"[{len(outcomes) + 1:>2}/{len(chosen)}] {notebook.stem:<{width}} "
            print(label, end="", flush=True)
            if broken and _stage(notebook) != 1:
                outcome = Outcome(notebook.stem, "not run", reason=f"{broken} failed")
                print("  not run")
            else:
                key = key_of(notebook, around=around, upstream=upstream)
                outcome = _one(notebook, key, label=label, given=given, old=None if force else record)
            outcomes.append(outcome)
            record = outcome.record
            if outcome.state == "failed" and _built_on(notebook):
                broken = notebook.stem
        if record is not None and _built_on(notebook) and record.is_whole():
            upstream[notebook.stem] = record
    _refuse_shared_outputs(outcomes)
    return outcomes


def _one(notebook: Path, key: str, *, label: str, given: Mapping[str, Any], old: Record | None) -> Outcome:
    if old is not None and old.is_current(key):
        print("  reused")
        return Outcome(notebook.stem, "reused", old)
    try:
        with _clock(label):
            record = _run(notebook, key, given)
    except LeftOutError as error:
        forget(notebook)  # what other data gave
        print("  left out")
        return Outcome(notebook.stem, "left out", reason=str(error))
    except (ActAlignError, OSError) as error:
        print("  FAILED")
        return Outcome(notebook.stem, "failed", reason=str(error))
    print(f"{record.seconds:6.1f} s")
    return Outcome(notebook.stem, "ran", record)


def _refuse_shared_outputs(outcomes: Iterable[Outcome]) -> None:
    """Two notebooks that write the same file would each undo the other's record for ever."""
    writer: dict[str, str] = {}
    for outcome in outcomes:
        for name in outcome.record.outputs if outcome.record else ():
            if name in writer:
                raise ActAlignError(f"{writer[name]} and {outcome.stem} both write {name}; give each a file of its own")
            writer[name] = outcome.stem


def _literal(text: str) -> tuple[str, Any]:
    """``name=value`` of the command line; a value that is no Python literal is text."""
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    try:
        return name, ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return name, value


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m actalign.runner", description="Run the notebooks that are not current."
    )
    parser.add_argument(
        "--only", nargs="+", action="extend", default=[], metavar="STEM", help="look at these notebooks only"
    )
    parser.add_argument("--force", action="store_true", help="run also what is current")
    parser.add_argument(
        "--set", nargs="+", action="extend", default=[], type=_literal, dest="given", metavar="NAME=VALUE",
        help=f"parameters for every notebook that has them; {OUT} in the environment says where the results go",
    )  # fmt: skip
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """The command. Returns 0, 1 after an error (said on stderr), or 130 after Ctrl-C."""
    arguments = _arguments(argv)
    given = dict(arguments.given)
    try:
        if given and not os.environ.get(OUT):
            raise ActAlignError(f"results of other parameters go to a folder of their own: set {OUT} to one")
        notebooks = plan(paths.NOTEBOOKS)
        outcomes = run_plan(notebooks, only=arguments.only, force=arguments.force, given=given)
        print("\n" + summary(outcomes))
        failed = [outcome for outcome in outcomes if outcome.state == "failed"]
        print(f"\nnotebooks as they ran: {paths.RESULTS / 'executed'}")
        drawn = [path for path in notebooks if _draws(path) and any(paths.FIGURES.glob(f"{path.stem}.*"))]
        if drawn:
            print(f"gallery: {write_gallery(drawn)}")
        if not arguments.only and not failed:
            print("\n" + main_table(paths.RESULTS / "main.csv"))
    except (ActAlignError, OSError) as error:
        print(f"\nerror: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        goes_on = "the same command goes on from here"
        if arguments.force:
            goes_on = "without --force the same command reuses them and all others that are current"
        print(f"\ninterrupted; finished notebooks are kept, {goes_on}", file=sys.stderr)
        return INTERRUPTED
    for outcome in failed:
        print(f"\nerror: {outcome.reason}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
