"""Asks an OpenAI-compatible endpoint: the only module that imports ``openai``.

Where it is and what it is called come from the environment: ``OPENAI_BASE_URL`` (that of OpenAI if unset),
``ACTALIGN_LLM_MODEL`` and ``OPENAI_API_KEY``. The first two may be given as arguments; the key may not, so that it
stands in no notebook, history or process list. It is read when a client is opened, kept by the client alone, and
taken out of every text an endpoint sends back.
"""

import asyncio
import logging
import os
import re
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from itertools import count
from typing import Any
from urllib.parse import urlsplit

from actalign.errors import ActAlignError
from actalign.llm.cache import Answer, AnswerCache, Request
from actalign.llm.failures import RETRYABLE, Failure, Kind
from actalign.llm.loops import complete
from actalign.llm.responses import read_completion, read_object

OPENAI = "https://api.openai.com/v1"
RETRIES = 4
"""How many times a request that met a retryable failure is sent again."""
FIRST_WAIT_S = 1.0
"""The wait before the first of them; each further wait is twice as long."""
LONGEST_WAIT_S = 120.0
"""No wait is longer, whatever Retry-After says."""

log = logging.getLogger(__name__)
Sleep = Callable[[float], Awaitable[object]]


@dataclass(frozen=True)
class Settings:
    """Whom to ask. There is no key here."""

    base_url: str
    model: str


def read_settings(*, base_url: str | None = None, model: str | None = None, known: tuple[str, ...] = ()) -> Settings:
    """The arguments where they are given, else the environment; ``known`` models are named if there is none.

    Raises:
        ActAlignError: no model, or a base URL that is no web address or holds a password or a query.

    >>> read_settings(base_url="http://localhost:8000/v1/", model="small")
    Settings(base_url='http://localhost:8000/v1', model='small')
    """
    model = (model or os.environ.get("ACTALIGN_LLM_MODEL", "")).strip()
    if not model.isprintable():
        raise ActAlignError(f"model {model!r} holds a character no name has; write the name again")
    if not model:
        hint = f" (the cache holds answers of {', '.join(map(repr, known))})" if known else ""
        remedy = "pass model= (actalign scripts: --model), or set ACTALIGN_LLM_MODEL"
        raise ActAlignError(f"no model is named{hint}: {remedy}")
    return Settings(_base_url(base_url), model)


def _base_url(given: str | None) -> str:
    url = (given or os.environ.get("OPENAI_BASE_URL", "") or OPENAI).strip().rstrip("/")
    try:
        parts = urlsplit(url)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        sound = False
    if "@" in url or "?" in url or "#" in url:  # not shown: it may hold a password
        raise ActAlignError("the base URL holds '@', '?' or '#'; give the address alone, and the key as OPENAI_API_KEY")
    if not sound or not url.isascii() or not url.isprintable() or " " in url:
        raise ActAlignError(f"base URL {url!r} is no web address; give one such as http://localhost:8000/v1")
    return url


def _key() -> str:
    key = os.environ.get("OPENAI_API_KEY", "").strip()
    if not key:
        raise ActAlignError(
            "OPENAI_API_KEY is not set; put the endpoint's key there (a local server that needs none takes any word)"
        )
    if not key.isascii() or not key.isprintable() or " " in key:  # an HTTP header cannot carry it
        raise ActAlignError("OPENAI_API_KEY holds a space or a character no key has; copy the key again")
    return key


class Endpoint:
    """An open connection to an endpoint; use it with ``async with``.

    ``requests`` counts what was sent for each class, ``retries`` how often a failure was waited out. ``sleep`` waits
    a number of seconds; tests pass their own.

    >>> Endpoint(Settings("http://localhost:8000/v1", "small"))
    Endpoint('http://localhost:8000/v1', model='small')
    """

    def __init__(self, settings: Settings, *, timeout_s: float = 120.0, sleep: Sleep = asyncio.sleep) -> None:
        self.settings, self.timeout_s = settings, timeout_s
        self.requests: Counter[str] = Counter()
        self.retries = 0
        self._sleep = sleep
        self._client: Any = None
        self._key: re.Pattern[str] | None = None

    def __repr__(self) -> str:
        return f"Endpoint({self.settings.base_url!r}, model={self.settings.model!r})"

    async def __aenter__(self) -> "Endpoint":
        try:
            import openai
        except ModuleNotFoundError as error:
            raise ActAlignError("asking a model needs the openai client: pip install 'actalign[llm]'") from error
        key = _key()
        try:
            self._client = openai.AsyncOpenAI(
                api_key=key, base_url=self.settings.base_url, max_retries=0, timeout=self.timeout_s
            )
        except Exception as error:  # noqa: BLE001  # of any kind; not shown: a proxy's address may hold a password
            raise ActAlignError(
                f"the endpoint's client cannot be opened ({type(error).__name__}); check what the environment says of "
                "proxies (HTTP_PROXY, HTTPS_PROXY, ALL_PROXY) and certificates (SSL_CERT_FILE, SSLKEYLOGFILE)"
            ) from None
        self._key = _any_spelling(key)
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._client.close()

    async def ask(self, request: Request, *, cache: AnswerCache, class_name: str) -> Answer | Failure:
        """The endpoint's answer, kept in ``cache`` before it is read; retryable failures are met with patience.

        Raises:
            ActAlignError: the cache cannot be written.
        """
        for attempt in count(1):
            self.requests[class_name] += 1
            outcome, body = await self._send(request)
            if not isinstance(outcome, Failure):
                return cache.save(request, outcome, class_name=class_name)
            if outcome.kind == Kind.BAD_RESPONSE:
                cache.save_unusable(request, body, class_name=class_name)
            if outcome.kind not in RETRYABLE or attempt > RETRIES:
                return replace(outcome, reason=outcome.reason + (f" ({attempt} attempts)" if attempt > 1 else ""))
            self.retries += 1
            wait_s = min(outcome.retry_after_s or FIRST_WAIT_S * 2 ** (attempt - 1), LONGEST_WAIT_S)
            log.info("%r: %s; attempt %d of %d in %.1f s", class_name, outcome, attempt + 1, RETRIES + 1, wait_s)
            await self._sleep(wait_s)
        raise AssertionError("count() does not end")

    async def models(self) -> tuple[str, ...] | Failure:
        """The names of the models the endpoint lists: asks for no answer and costs nothing."""
        reply = await self._exchange(lambda: self._client.models.with_raw_response.list())
        content = reply if isinstance(reply, Failure) else read_object(*reply, now_s=time.time())
        if isinstance(content, Failure):
            return content
        listed = content.get("data")
        models = listed if isinstance(listed, list) else []
        return tuple(str(model["id"]) for model in models if isinstance(model, dict) and "id" in model)

    async def _send(self, request: Request) -> tuple[dict[str, Any] | Failure, str]:
        """One request: the completion or a failure, and the body it was read from."""
        completions = self._client.chat.completions.with_raw_response
        reply = await self._exchange(lambda: completions.create(**request.arguments))
        if isinstance(reply, Failure):
            return reply, ""
        completion = read_completion(*reply, now_s=time.time())
        return completion, reply[2]

    async def _exchange(self, send: Callable[[], Awaitable[Any]]) -> tuple[int, dict[str, str], str] | Failure:
        """Status, headers and body of a response, the key taken out; a failure where none arrived whole."""
        import openai

        try:
            async with asyncio.timeout(self.timeout_s):  # of the whole: a body that trickles in is stopped as well
                response = (await send()).http_response
        except (TimeoutError, openai.APITimeoutError):
            return Failure(Kind.TIMEOUT, f"no whole answer within {self.timeout_s:g} s")
        except openai.APIStatusError as error:
            response = error.response
        except openai.APIConnectionError as error:
            cause = self._without_key(f"{type(error.__cause__).__name__}: {error.__cause__}".rstrip(": "))
            if "TooManyRedirects" in cause:
                return Failure(Kind.WRONG_CONTENT, f"{self.settings.base_url} sends us round in circles ({cause})")
            if "ConnectError" in cause:
                return Failure(Kind.UNREACHABLE, f"nothing answers at {self.settings.base_url} ({cause})")
            return Failure(Kind.CONNECTION_RESET, f"the connection broke ({cause})")
        except UnicodeError:
            raise ActAlignError(
                "a header holds a character it cannot carry; check OPENAI_ORG_ID, OPENAI_PROJECT_ID and "
                "OPENAI_CUSTOM_HEADERS in the environment"
            ) from None
        except openai.OpenAIError as error:
            return Failure(Kind.BAD_RESPONSE, self._without_key(f"{type(error).__name__}: {error}"))
        headers = {name.lower(): self._without_key(value) for name, value in response.headers.items()}
        return response.status_code, headers, self._without_key(response.content.decode(errors="replace"))

    def _without_key(self, text: str) -> str:
        return text if self._key is None else self._key.sub("[key]", text)


def _any_spelling(key: str) -> re.Pattern[str] | None:
    r"""Finds a key in a text, also where JSON escapes some of its characters; None for a placeholder.

    >>> _any_spelling("sk-1/23456").sub("[key]", r"a sk-1\/23456 b \u0073k-1/23456 c")
    'a [key] b [key] c'
    """
    if len(key) < 6 or (key.isalpha() and len(key) < 16):  # "none", "ollama": no secret, maybe a word
        return None
    escaped = (rf"\\{{0,8}}{re.escape(char)}" if char in '/"\\' else re.escape(char) for char in key)
    coded = (rf"\\{{1,8}}u00(?i:{ord(char):02x})" for char in key)  # of JSON within JSON, too
    return re.compile("".join(f"(?:{plain}|{code})" for plain, code in zip(escaped, coded, strict=True)))


def list_models(base_url: str | None = None, *, timeout_s: float = 10.0) -> tuple[str, ...] | Failure:
    """The models an endpoint lists, or why it cannot be used: shows whether it is there, and costs nothing.

    Raises:
        ActAlignError: no key in the environment, a wrong base URL, or the client is not installed.

    >>> from unittest.mock import patch
    >>> with patch.dict(os.environ, {"OPENAI_API_KEY": "none", "NO_PROXY": "127.0.0.1"}):
    ...     list_models("http://127.0.0.1:9/v1").kind
    <Kind.UNREACHABLE: 'unreachable'>
    """

    async def models() -> tuple[str, ...] | Failure:
        async with Endpoint(Settings(_base_url(base_url), ""), timeout_s=timeout_s) as endpoint:
            return await endpoint.models()

    return complete(models())
