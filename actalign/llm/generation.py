"""Scripts for a set of classes from one model, in one style: asked for, kept, read, and every class accounted for."""

import asyncio
import html
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from actalign.errors import ActAlignError
from actalign.llm.cache import AnswerCache
from actalign.llm.chains import Asking
from actalign.llm.classes import classes_of
from actalign.llm.client import Endpoint, Sleep, read_settings
from actalign.llm.failures import Failure, Kind
from actalign.llm.loops import complete
from actalign.llm.prompts import find_style
from actalign.llm.run import Run
from actalign.llm.usage import Price, Usage, check_price, cost_text
from actalign.records import Dataset, Script
from actalign.scripts import read_scripts, write_scripts

log = logging.getLogger(__name__)
COLUMNS = (
    *("class", "sport", "state", "failure", "reason", "attempts"),
    *("answers", "from_cache", "input_tokens", "output_tokens"),
)


@dataclass(frozen=True, eq=False)
class Generation:
    """What came of asking for the scripts of some classes.

    Attributes:
        scripts, failures: every class is in one of the two.
        usage: tokens of all answers the result rests on, whenever they were paid for.
        spent: tokens of the answers that this run paid for.
        table: a row per class: class, sport, state ("done", "failed", "not asked"), failure and reason ("" where
            done), attempts (requests sent in this run), answers (read in all), from_cache (of these), input_tokens,
            output_tokens.

    >>> scripts = {"lob": Script("lob", sport="tennis", steps=("step back", "swing up"))}
    >>> Generation("context_rich", "small", scripts, {}, Usage(2, 500, 90), Usage(), table=pd.DataFrame())
    Generation('context_rich' from 'small': 1 of 1 classes; this run: 0 answers, 0 input and 0 output tokens, cost
    unknown (no price was given))
    """

    style: str
    model: str
    scripts: Mapping[str, Script]
    failures: Mapping[str, Failure]
    usage: Usage
    spent: Usage
    table: pd.DataFrame = field(repr=False)
    price: Price | None = None

    @property
    def cost(self) -> float | None:
        """What all answers cost, in the currency of ``price``; None where no price was given."""
        return self.usage.cost(self.price)

    @property
    def cost_now(self) -> float | None:
        """What this run cost, in the currency of ``price``; None where no price was given."""
        return self.spent.cost(self.price)

    def write(self, folder: str | os.PathLike[str], *, replace: bool = False) -> Path:
        """Write ``<folder>/<style>.json``, which :func:`actalign.scripts.read_scripts` reads, and return its path.

        A file that holds these scripts already is left as it is; one that holds other scripts is replaced only if
        ``replace`` says so.

        Raises:
            ActAlignError: some classes have no script (they are named), or the file is there and holds other scripts:
                nothing is written; or the file cannot be written.
        """
        if self.failures or not self.scripts:
            named = "; ".join(f"{name!r}: {failure}" for name, failure in list(self.failures.items())[:5])
            more = f"; and {len(self.failures) - 5} more, see .table" if len(self.failures) > 5 else ""
            total = len(self.failures) + len(self.scripts)
            raise ActAlignError(f"{len(self.failures)} of {total} classes have no script: {named}{more}")
        path = Path(folder) / f"{self.style}.json"
        if path.exists():
            try:
                same = read_scripts(path) == (self.style, self.scripts)
            except ActAlignError:
                if not replace:
                    raise
                same = False
            if same:
                return path
            if not replace:
                raise ActAlignError(
                    f"{path} holds other scripts; move it away, or replace it (replace=True, --replace)"
                )
        write_scripts(path, self.style, self.scripts)
        return path

    def __repr__(self) -> str:
        total = len(self.scripts) + len(self.failures)
        return (
            f"Generation({self.style!r} from {self.model!r}: {len(self.scripts)} of {total} classes; "
            f"this run: {self.spent}, {cost_text(self.cost_now)})"
        )

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(repr(self))}</p>{self.table.to_html(index=False)}"


def generate(
    classes: Mapping[str, str] | Dataset,
    style: str,
    *,
    cache: str | os.PathLike[str],
    model: str | None = None,
    base_url: str | None = None,
    seed: int | None = 0,
    concurrency: int = 8,
    timeout_s: float = 120.0,
    price: Price | None = None,
    progress: bool = True,
    sleep: Sleep = asyncio.sleep,
) -> Generation:
    """Ask a model for the script of every class (paper, Eq. 3), one class a call; see :mod:`actalign.llm.prompts`.

    An answer in ``cache`` is not asked for again: interrupt this at any point and call it again, or call it with a
    full cache and neither key nor network. Works in a notebook, where an event loop is already running.

    Args:
        classes: class -> sport, or a data set, which gives the candidates of all its questions.
        style: one of ``prompts.STYLES``.
        cache: the file of answers (JSON lines); made where missing. Publish it with your results.
        model, base_url: otherwise from ACTALIGN_LLM_MODEL and OPENAI_BASE_URL; the key is always OPENAI_API_KEY.
        seed: sent along, and part of what an answer is kept under; None sends none.
        concurrency: requests at the same time.
        timeout_s: seconds for one whole answer.
        price: cost of a million input and a million output tokens, for the estimates.
        sleep: waits between retries; for tests.

    Raises:
        ActAlignError: unknown style, no classes, no model, a wrong setting, no key where something must be asked,
            a cache that cannot be written; or the endpoint refuses us altogether (401, 404, no credit). What
            fails for a class alone is in ``failures``.

    >>> from tempfile import TemporaryDirectory
    >>> from actalign.llm.prompts import STYLES
    >>> reply = {"choices": [{"message": {"content": '{"steps": ["stand ready", "swing from low to high"]}'}}]}
    >>> with TemporaryDirectory() as folder:  # an answer from an earlier day
    ...     cache = AnswerCache(Path(folder) / "answers.jsonl")
    ...     asking = Asking(STYLES["context_rich"], model="small", seed=0)
    ...     _ = cache.save(asking.follow("lob", sport="tennis", cache=cache).following, reply, class_name="lob")
    ...     generate({"lob": "tennis"}, "context_rich", cache=cache.path, model="small").scripts["lob"].steps
    ('stand ready', 'swing from low to high')
    """
    wanted, prompt, answers = classes_of(classes), find_style(style), AnswerCache(cache)
    check_price(price)
    if not isinstance(concurrency, int) or concurrency < 1 or not timeout_s > 0:
        raise ActAlignError(f"concurrency is {concurrency!r}, timeout_s {timeout_s!r}; give 1 or more, and above 0")
    settings = read_settings(base_url=base_url, model=model, known=answers.models)
    if answers.damaged:
        log.info("%s: %d damaged line(s) are left out and count as not answered", answers.path, answers.damaged)
    run = Run(wanted, Asking(prompt, settings.model, seed), answers)
    if run.open_classes():
        answers.check_writable()
        endpoint = Endpoint(settings, timeout_s=timeout_s, sleep=sleep)
        complete(run.ask(endpoint, concurrency=concurrency, price=price, progress=progress))
    return _generation(run, style, price)


def _generation(run: Run, style: str, price: Price | None) -> Generation:
    scripts: dict[str, Script] = {}
    failures: dict[str, Failure] = {}
    usage, rows = Usage(), []
    for name, sport in run.classes.items():
        chain = run.follow(name)
        result = run.result(name)
        if isinstance(result, Script):
            scripts[name] = result
        else:
            failures[name] = result
        usage += chain.usage
        rows.append((name, sport, *_told(result), run.attempts[name], *_counts(chain.usage, run.fresh[name])))
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    return Generation(style, run.asking.model, scripts, failures, usage, run.spent, table, price)


def _told(result: Script | Failure) -> tuple[str, str, str]:
    if isinstance(result, Script):
        return "done", "", ""
    return "not asked" if result.kind == Kind.NOT_ASKED else "failed", str(result.kind), result.reason


def _counts(usage: Usage, fresh: int) -> tuple[int, int, int, int]:
    return usage.answers, usage.answers - fresh, usage.input_tokens, usage.output_tokens
