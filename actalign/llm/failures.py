"""What can go wrong between a class and its script, each by name and with the next step."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """The name of a failure, as the table of a generation shows it."""

    # what the model said
    REFUSAL = "refusal"
    TRUNCATION = "truncation"
    CONTENT_FILTER = "content_filter"
    INVALID_JSON = "invalid_json"
    MISSING_CLASS = "missing_class"
    RENAMED_CLASS = "renamed_class"
    DUPLICATE_CLASS = "duplicate_class"
    EMPTY_STEPS = "empty_steps"
    DUPLICATE_STEPS = "duplicate_steps"
    WRONG_COUNT = "wrong_count"
    # what the endpoint did
    UNAUTHORISED = "unauthorised"
    FORBIDDEN = "forbidden"
    QUOTA = "quota"
    NOT_FOUND = "not_found"
    BAD_REQUEST = "bad_request"
    WRONG_CONTENT = "wrong_content"
    BAD_RESPONSE = "bad_response"
    RATE_LIMITED = "rate_limited"
    SERVER_ERROR = "server_error"
    TIMEOUT = "timeout"
    CONNECTION_RESET = "connection_reset"
    UNREACHABLE = "unreachable"
    # what we did
    NOT_ASKED = "not_asked"


STOPPING = frozenset({Kind.UNAUTHORISED, Kind.QUOTA, Kind.NOT_FOUND})
"""Failures that every other class would meet too: nothing more is asked."""
RETRYABLE = frozenset(
    {
        *(Kind.BAD_RESPONSE, Kind.RATE_LIMITED, Kind.SERVER_ERROR),
        *(Kind.TIMEOUT, Kind.CONNECTION_RESET, Kind.UNREACHABLE),
    }
)
"""Failures that may pass: the same request is sent again after a while."""

_BY_HAND = "give another seed, another style, or write this script by hand"
NEXT_STEP = {
    Kind.REFUSAL: f"the model will not answer: choose another model, or {_BY_HAND}",
    Kind.TRUNCATION: "the endpoint cut the reply: raise its limit of output tokens, or choose another model",
    Kind.CONTENT_FILTER: f"the endpoint's filter held the reply back: {_BY_HAND}",
    **dict.fromkeys((Kind.INVALID_JSON, Kind.EMPTY_STEPS, Kind.DUPLICATE_STEPS, Kind.WRONG_COUNT), _BY_HAND),
    **dict.fromkeys((Kind.MISSING_CLASS, Kind.RENAMED_CLASS, Kind.DUPLICATE_CLASS), _BY_HAND),
    Kind.UNAUTHORISED: "put a valid key for this endpoint into the environment variable OPENAI_API_KEY",
    Kind.FORBIDDEN: f"if all classes are refused, check what the key may use; otherwise {_BY_HAND}",
    Kind.QUOTA: "top up the account, or use another key, and run again",
    Kind.NOT_FOUND: "check the model's name and the base URL (most end in /v1)",
    Kind.BAD_REQUEST: "choose a model that takes these settings (generate(..., seed=None) leaves the seed out)",
    Kind.WRONG_CONTENT: "check the base URL: it must be that of an API (most end in /v1), not of a web page",
    Kind.BAD_RESPONSE: "run again; if it stays, the endpoint is not OpenAI-compatible",
    Kind.RATE_LIMITED: "run again later, or lower concurrency",
    Kind.SERVER_ERROR: "run again later",
    Kind.TIMEOUT: "run again, or raise timeout_s of generate",
    Kind.CONNECTION_RESET: "run again",
    Kind.UNREACHABLE: "check the base URL, and that the server runs",
    Kind.NOT_ASKED: "run again once the endpoint answers",
}


@dataclass(frozen=True)
class Failure:
    """Why there is no script. ``retry_after_s``: the seconds the endpoint asked us to wait, where it did.

    >>> print(Failure(Kind.RATE_LIMITED, "the endpoint answered 429"))
    rate_limited: the endpoint answered 429; run again later, or lower concurrency
    """

    kind: Kind
    reason: str
    retry_after_s: float | None = None

    def __str__(self) -> str:
        return f"{self.kind}: {self.reason}; {NEXT_STEP[self.kind]}"
