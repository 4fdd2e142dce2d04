"""Settles classes at the same time, a few at once, until each has a script or a failure."""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Mapping
from contextlib import closing
from typing import Any

from tqdm import tqdm

from actalign.errors import ActAlignError
from actalign.llm.asking import Asker
from actalign.llm.cache import AnswerCache
from actalign.llm.chains import Asking, Chain
from actalign.llm.client import Endpoint
from actalign.llm.failures import STOPPING, Failure, Kind
from actalign.llm.usage import Price, Usage, cost_text, used
from actalign.progress import is_watched
from actalign.records import Script


class Run:
    """The classes (class -> sport) of one call of ``generate``, and what became of them.

    ``fresh`` counts the answers this run paid for by class, ``attempts`` the requests it sent, ``spent`` the tokens.

    >>> from actalign.llm.prompts import STYLES
    >>> run = Run({"lob": "tennis"}, Asking(STYLES["released"], "small", 0), AnswerCache("nowhere.jsonl"))
    >>> run.open_classes(), run.result("lob").kind
    (['lob'], <Kind.NOT_ASKED: 'not_asked'>)
    """

    def __init__(self, classes: Mapping[str, str], asking: Asking, cache: AnswerCache) -> None:
        self.classes, self.asking, self.cache = classes, asking, cache
        self.fresh: Counter[str] = Counter()
        self.attempts: Counter[str] = Counter()
        self.spent = Usage()
        self._failures: dict[str, Failure] = {}

    def follow(self, name: str) -> Chain:
        """What the cached answers come to for a class."""
        return self.asking.follow(name, sport=self.classes[name], cache=self.cache)

    def open_classes(self) -> list[str]:
        """The classes for which the cache does not settle the matter."""
        return [name for name in self.classes if self.follow(name).following is not None]

    def result(self, name: str) -> Script | Failure:
        """The script of a class, or why there is none."""
        chain = self.follow(name)
        if chain.following is not None or chain.result is None:
            return self._failures.get(name, Failure(Kind.NOT_ASKED, "this class was not asked for"))
        return chain.result

    async def ask(self, endpoint: Endpoint, *, concurrency: int, price: Price | None, progress: bool) -> None:
        """Ask for all that is open, ``concurrency`` classes at the same time.

        Raises:
            ActAlignError: the endpoint refuses every class, or the cache cannot be written.
        """
        names = self.open_classes()
        self.attempts = endpoint.requests
        done = len(self.classes) - len(names)
        shown = is_watched(progress)
        bar = tqdm(total=len(self.classes), initial=done, unit="class", disable=not shown)
        async with endpoint:
            with bar, closing(Asker(endpoint, self.cache)) as asker:

                async def settle(name: str) -> None:
                    await self._settle(name, asker)
                    bar.set_postfix_str(self._progress(endpoint, price), refresh=False)
                    bar.update()

                await _each(names, settle, at_once=concurrency)

    async def _settle(self, name: str, asker: Asker) -> None:
        while (request := self.follow(name).following) is not None:
            outcome = await asker.ask(request, class_name=name)
            if isinstance(outcome, Failure):
                if outcome.kind in STOPPING:
                    raise self._stopped(outcome)
                self._failures[name] = outcome
                return
            if outcome is not None:
                self.fresh[name] += 1
                self.spent += used(outcome.tokens)

    def _stopped(self, failure: Failure) -> ActAlignError:
        done = len(self.classes) - len(self.open_classes())
        return ActAlignError(
            f"{failure}. {done} of {len(self.classes)} classes are settled and kept in {self.cache.path}: "
            "run again and only the others are asked for"
        )

    def _progress(self, endpoint: Endpoint, price: Price | None) -> str:
        tokens = self.spent.input_tokens + self.spent.output_tokens
        retries = f", retries {endpoint.retries}" if endpoint.retries else ""
        failed = f", failed {len(self._failures)}" if self._failures else ""
        return f"{tokens:,} tokens, {cost_text(self.spent.cost(price))}{retries}{failed}"


async def _each(names: Iterable[str], work: Callable[[str], Coroutine[Any, Any, None]], *, at_once: int) -> None:
    """``work`` on every name, ``at_once`` at the same time; the first exception stops all of them."""
    remaining = iter(names)

    async def worker() -> None:
        for name in remaining:
            await work(name)

    tasks = [asyncio.create_task(worker()) for _ in range(at_once)]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
