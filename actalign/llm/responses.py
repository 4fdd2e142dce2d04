"""What an HTTP response of an endpoint means: an answer, or a failure with a name. Pure."""

import json
import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from math import isfinite
from typing import Any

from actalign.llm.failures import Failure, Kind

LONGEST_REASON = 200
"""Characters of an endpoint's own words that a reason quotes."""
_TAG = re.compile(r"<[^<>]{0,200}>")


def read_completion(status: int, headers: Mapping[str, str], body: str, *, now_s: float) -> dict[str, Any] | Failure:
    """The chat completion in a response, or the failure it stands for; as :func:`read_object` otherwise.

    >>> read_completion(200, {}, '{"choices": [{"message": {"content": "1. toss"}}]}', now_s=0.0)
    {'choices': [{'message': {'content': '1. toss'}}]}
    """
    content = read_object(status, headers, body, now_s=now_s)
    if isinstance(content, Failure):
        return content
    choices = content.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        return Failure(Kind.BAD_RESPONSE, f"the endpoint answered {status} without a choice: {_short(body)}")
    return content


def read_object(status: int, headers: Mapping[str, str], body: str, *, now_s: float) -> dict[str, Any] | Failure:
    """The JSON object in a response, or the failure it stands for.

    Args:
        headers: with lower-case names.
        now_s: the time in seconds since 1970, against which a Retry-After date is counted.

    >>> print(read_object(503, {"retry-after": "7"}, "busy", now_s=0.0))
    server_error: the endpoint answered 503: busy; run again later
    """
    content = _json(body)
    if status >= 300:
        return _of_status(status, headers, content, body, now_s)
    kind = headers.get("content-type", "no content type").split(";")[0]
    if body.lstrip().startswith("<"):
        return Failure(Kind.WRONG_CONTENT, f"the endpoint answered {status} with a page ({kind}): {_short(body)}")
    if not isinstance(content, dict):
        return Failure(
            Kind.BAD_RESPONSE, f"the endpoint answered {status} with no JSON object ({kind}): {_short(body)}"
        )
    if content.get("error"):
        code = str(_error(content).get("code"))
        inner = int(code) if len(code) == 3 and code.isdecimal() and code[0] in "45" else 500
        return _of_status(inner, headers, content, body, now_s)
    return content


def retry_after_s(headers: Mapping[str, str], *, now_s: float) -> float | None:
    """The wait that an endpoint asks for, in seconds or until a date; None where it asks for none that is to come.

    >>> retry_after_s({"retry-after": "Thu, 01 Jan 1970 00:00:30 GMT"}, now_s=10.0)
    20.0
    >>> retry_after_s({"retry-after": "soon"}, now_s=0.0) is None
    True
    """
    for name, scale in (("retry-after-ms", 1e-3), ("retry-after", 1.0)):
        wait = _wait(headers.get(name, ""), now_s) * scale
        if isfinite(wait) and wait > 0:
            return wait
    return None


def _wait(text: str, now_s: float) -> float:
    try:
        return float(text)
    except ValueError:
        pass
    try:
        return parsedate_to_datetime(text).timestamp() - now_s
    except (ValueError, OverflowError, OSError):
        return 0.0


def _of_status(status: int, headers: Mapping[str, str], content: object, body: str, now_s: float) -> Failure:
    error = _error(content)
    words = error.get("message") or error.get("detail") or body
    reason = f"the endpoint answered {status}: {_short(words if isinstance(words, str) else json.dumps(words))}"
    codes = {error.get(name) for name in ("code", "type") if isinstance(error.get(name), str)}
    return Failure(_kind(status, codes), reason.rstrip(": "), retry_after_s(headers, now_s=now_s))


def _kind(status: int, codes: set[Any]) -> Kind:
    if status in (400, 403) and {"content_filter", "content_policy_violation", "ResponsibleAIPolicyViolation"} & codes:
        return Kind.CONTENT_FILTER
    if status == 402 or (status == 429 and "insufficient_quota" in codes):
        return Kind.QUOTA
    named = {
        401: Kind.UNAUTHORISED,
        403: Kind.FORBIDDEN,  # us, or what was asked about one class
        **dict.fromkeys((404, 405, 410), Kind.NOT_FOUND),
        **dict.fromkeys((408, 504, 524), Kind.TIMEOUT),
        **dict.fromkeys((409, 425), Kind.SERVER_ERROR),
        429: Kind.RATE_LIMITED,
        501: Kind.BAD_REQUEST,
    }
    if status in named:
        return named[status]
    if status < 400:
        return Kind.WRONG_CONTENT
    return Kind.SERVER_ERROR if status >= 500 else Kind.BAD_REQUEST


def _error(content: object) -> Mapping[str, Any]:
    """The object that tells of an error: {"error": {...}}, {"error": "words"} or the whole of it."""
    if not isinstance(content, dict):
        return {}
    inner = content.get("error", content)
    if isinstance(inner, dict):
        return inner
    return {"message": inner} if isinstance(inner, str) else content


def _json(body: str) -> object:
    try:
        return json.loads(body.removeprefix("\ufeff"))
    except (ValueError, RecursionError):
        return None


def _short(text: str) -> str:
    line = " ".join(_TAG.sub(" ", text).split())
    return line if len(line) <= LONGEST_REASON else f"{line[: LONGEST_REASON - 3]}..."
