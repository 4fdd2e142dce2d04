"""Asks an endpoint for what the cache does not hold: finds out what it can do, and when to leave it alone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from actalign.llm.cache import Answer, AnswerCache, Request
from actalign.llm.claims import Claims
from actalign.llm.client import Endpoint
from actalign.llm.failures import STOPPING, Failure, Kind

GIVE_UP_AFTER = 10
"""Classes in a row that the endpoint failed (each after its retries) before no more is asked."""
GIVE_UP_UNANSWERED = 3
"""The same for an endpoint that has not answered anything yet."""


class Asker:
    """One endpoint and one cache, shared by the classes that are asked for at the same time."""

    def __init__(self, endpoint: Endpoint, cache: AnswerCache) -> None:
        self.endpoint, self.cache = endpoint, cache
        self._claims = Claims(cache.path)
        self._first = asyncio.Lock()
        self._tried = self._schema_works = self._answered = False
        self._failed_in_a_row = 0
        self._stopped: Failure | None = None

    def close(self) -> None:
        """Let go of what other runs may wait for."""
        self._claims.close()

    async def ask(self, request: Request, *, class_name: str) -> Answer | Failure | None:
        """An answer, now in the cache, or why there is none. None: another run has paid for it in the meantime.

        The first request goes alone: it shows whether the endpoint has structured output, so that an endpoint
        without it is asked in vain once and not by every class at the same time.

        Raises:
            ActAlignError: the cache cannot be written.
        """
        async with self._claims.hold(request.plain.key), self._first_alone():
            if self.cache.find(request) is not None:
                return None
            if self._stopped:
                return self._stopped
            outcome = await self._with_or_without_schema(request, class_name)
            self._count(outcome)
        return outcome

    @asynccontextmanager
    async def _first_alone(self) -> AsyncIterator[None]:
        if not self._tried:
            async with self._first:
                if not self._tried:
                    yield
                    self._tried = True
                    return
        yield

    async def _with_or_without_schema(self, request: Request, class_name: str) -> Answer | Failure:
        endpoint = self.endpoint.settings
        if not self.cache.has_schema(endpoint.base_url, endpoint.model):
            return await self.endpoint.ask(request.plain, cache=self.cache, class_name=class_name)
        outcome = await self.endpoint.ask(request, cache=self.cache, class_name=class_name)
        if isinstance(outcome, Answer):
            self._schema_works = True
        elif outcome.kind == Kind.BAD_REQUEST and not self._schema_works:
            outcome = await self.endpoint.ask(request.plain, cache=self.cache, class_name=class_name)
            if isinstance(outcome, Answer):
                self.cache.note_no_schema(endpoint.base_url, endpoint.model)
        return outcome

    def _count(self, outcome: Answer | Failure) -> None:
        if isinstance(outcome, Answer):
            self._answered, self._failed_in_a_row = True, 0
        elif outcome.kind not in (Kind.CONTENT_FILTER, Kind.NOT_ASKED):  # these tell of the class, not the endpoint
            self._failed_in_a_row += 1
            limit = GIVE_UP_AFTER if self._answered else GIVE_UP_UNANSWERED
            if self._stopped is None and (self._failed_in_a_row >= limit or outcome.kind in STOPPING):
                times = f"{self._failed_in_a_row} classes in a row" if self._failed_in_a_row > 1 else "a class"
                self._stopped = Failure(
                    Kind.NOT_ASKED, f"the endpoint had failed {times}, the last time with: {outcome}"
                )
