"""Settings, what responses mean, and the real client against an endpoint that fails in every way."""

import asyncio
import json
import socket
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path
from typing import Any

import endpoint as served
import pytest
from endpoint import Act, FakeEndpoint, completion

from actalign.errors import ActAlignError
from actalign.llm.cache import Answer, AnswerCache, Request
from actalign.llm.chains import Asking
from actalign.llm.client import LONGEST_WAIT_S, RETRIES, Endpoint, Settings, list_models, read_settings
from actalign.llm.failures import Failure, Kind
from actalign.llm.prompts import STYLES
from actalign.llm.responses import read_completion, retry_after_s

KEY = "sk-do-not-show-7f3a9c"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_BASE_URL", "ACTALIGN_LLM_MODEL", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


@pytest.fixture
def server() -> Iterator[FakeEndpoint]:
    with FakeEndpoint() as running:
        yield running


class Slept:
    """Stands in for sleeping and remembers for how long."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.waits.append(seconds)


def lob() -> Request:
    request = Asking(STYLES["context_rich"], "small", 0).follow("lob", sport="tennis", cache=AnswerCache("/dev/null"))
    assert request.following is not None
    return request.following


def ask(server: FakeEndpoint, cache: Path, *acts: Act, timeout_s: float = 5.0) -> tuple[Answer | Failure, list[float]]:
    """One question, to which the endpoint does ``acts`` in turn and then answers well; and the waits in between."""
    slept = Slept()
    server.told["lob"] = list(acts)

    async def once() -> Answer | Failure:
        async with Endpoint(Settings(server.url, "small"), timeout_s=timeout_s, sleep=slept) as endpoint:
            return await endpoint.ask(lob(), cache=AnswerCache(cache), class_name="lob")

    return asyncio.run(once()), slept.waits


def test_the_client_sends_what_is_written_down(server: FakeEndpoint, tmp_path: Path) -> None:
    answer, waits = ask(server, tmp_path / "a.jsonl")
    assert isinstance(answer, Answer)
    assert waits == []
    (body,) = server.bodies
    assert body == lob().arguments
    assert (body["model"], body["temperature"], body["seed"]) == ("small", 1.0, 0)
    assert body["response_format"]["json_schema"]["strict"] is True
    assert AnswerCache(tmp_path / "a.jsonl").find(lob()) == answer


@pytest.mark.parametrize(
    ("act", "kind", "words"),
    [
        (served.status(429, "slow down"), Kind.RATE_LIMITED, "429: slow down"),
        (served.status(500, "oops"), Kind.SERVER_ERROR, "500: oops"),
        (
            served.raw("<html><b>Bad</b> gateway</html>", code=502, kind="text/html"),
            Kind.SERVER_ERROR,
            "502: Bad gateway",
        ),
        (served.status(503), Kind.SERVER_ERROR, "503"),
        (served.status(529), Kind.SERVER_ERROR, "529"),
        (served.status(408), Kind.TIMEOUT, "408"),
        (served.stall, Kind.TIMEOUT, "no whole answer within 0.5 s"),
        (served.trickle, Kind.TIMEOUT, "no whole answer within 0.5 s"),
        (served.reset_in_body, Kind.CONNECTION_RESET, "the connection broke"),
        (served.end_in_body, Kind.CONNECTION_RESET, "the connection broke"),
        (served.hang_up, Kind.CONNECTION_RESET, "the connection broke"),
        (served.raw('{"choices": [{"mess'), Kind.BAD_RESPONSE, "no JSON object"),
        (served.raw(b"\xff\xfe\x00"), Kind.BAD_RESPONSE, "no JSON object"),
        (served.raw(""), Kind.BAD_RESPONSE, "no JSON object"),
        (served.raw("[]"), Kind.BAD_RESPONSE, "no JSON object"),
        (served.raw('{"choices": []}'), Kind.BAD_RESPONSE, "without a choice"),
        (served.raw('{"error": {"message": "upstream", "code": 502}}'), Kind.SERVER_ERROR, "502: upstream"),
        (served.raw('{"error": "overloaded"}'), Kind.SERVER_ERROR, "overloaded"),
    ],
)
def test_what_may_pass_is_tried_again_and_then_told(
    server: FakeEndpoint, tmp_path: Path, act: Act, kind: Kind, words: str
) -> None:
    timeout_s = 0.5 if "no whole answer" in words else 5.0
    answer, waits = ask(server, tmp_path / "a.jsonl", act, timeout_s=4 * timeout_s)  # the good answer must come within
    assert isinstance(answer, Answer)
    assert waits == [1.0]
    failure, waits = ask(server, tmp_path / "b.jsonl", *[act] * (RETRIES + 1), timeout_s=timeout_s)
    assert isinstance(failure, Failure)
    assert failure.kind == kind
    assert words in failure.reason
    assert f"({RETRIES + 1} attempts)" in failure.reason
    assert waits == [1.0, 2.0, 4.0, 8.0]
    assert len(server.bodies) == 2 + RETRIES + 1


@pytest.mark.parametrize(
    ("act", "kind"),
    [
        (served.status(400, "temperature is not supported"), Kind.BAD_REQUEST),
        (served.status(422), Kind.BAD_REQUEST),
        (served.status(501), Kind.BAD_REQUEST),
        (served.status(400, "filtered", name="content_filter"), Kind.CONTENT_FILTER),
        (served.status(401, "who are you"), Kind.UNAUTHORISED),
        (served.status(403), Kind.FORBIDDEN),
        (served.status(404, "no such model"), Kind.NOT_FOUND),
        (served.status(402), Kind.QUOTA),
        (served.status(429, "no credit", name="insufficient_quota"), Kind.QUOTA),
        (served.raw("<!DOCTYPE html><title>Welcome</title>", kind="text/html"), Kind.WRONG_CONTENT),
        (served.raw('{"error": {"message": "bad key", "code": 401}}'), Kind.UNAUTHORISED),
    ],
)
def test_what_does_not_pass_is_told_at_once(server: FakeEndpoint, tmp_path: Path, act: Act, kind: Kind) -> None:
    failure, waits = ask(server, tmp_path / "a.jsonl", act)
    assert isinstance(failure, Failure)
    assert (failure.kind, waits, len(server.bodies)) == (kind, [], 1)
    assert len(AnswerCache(tmp_path / "a.jsonl")) == 0


def test_nothing_listens(tmp_path: Path) -> None:
    async def once() -> Answer | Failure:
        async with Endpoint(Settings(url, "small"), sleep=Slept()) as endpoint:
            return await endpoint.ask(lob(), cache=AnswerCache(tmp_path / "a.jsonl"), class_name="lob")

    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))  # and kept, or another process might listen there meanwhile
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/v1"
        failure = asyncio.run(once())
    assert isinstance(failure, Failure)
    assert failure.kind == Kind.UNREACHABLE
    assert url in failure.reason


def test_a_broken_reply_is_kept_in_case_it_was_paid_for(server: FakeEndpoint, tmp_path: Path) -> None:
    ask(server, tmp_path / "a.jsonl", served.raw('{"choices": [{"mess'))
    kinds = [json.loads(line)["kind"] for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    assert kinds == ["unusable", "answer"]


@pytest.mark.parametrize(
    ("header", "wait_s"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "0.5"}, 0.5),
        ({"retry-after-ms": "250", "Retry-After": "9"}, 0.25),
        ({"Retry-After": "86400"}, LONGEST_WAIT_S),
        ({"Retry-After": formatdate(4e9, usegmt=True)}, LONGEST_WAIT_S),
        ({"Retry-After": "Thu, 01 Jan 1970 00:00:00 GMT"}, 1.0),
        ({"Retry-After": "0"}, 1.0),
        ({"Retry-After": "-5"}, 1.0),
        ({"Retry-After": "nan"}, 1.0),
        ({"Retry-After": "inf"}, 1.0),
        ({"Retry-After": "in a while"}, 1.0),
        ({}, 1.0),
    ],
)
@pytest.mark.parametrize("code", [429, 503])
def test_retry_after_is_honoured_up_to_a_cap(
    server: FakeEndpoint, tmp_path: Path, code: int, header: dict[str, str], wait_s: float
) -> None:
    answer, waits = ask(server, tmp_path / "a.jsonl", served.status(code, headers=header))
    assert isinstance(answer, Answer)
    assert waits == [wait_s]


def test_a_retry_date_is_counted_from_now() -> None:
    assert retry_after_s({"retry-after": formatdate(1000.0, usegmt=True)}, now_s=940.0) == 60.0
    assert retry_after_s({"retry-after": "Fri, 99 Foo 2026"}, now_s=0.0) is None


@pytest.mark.parametrize(
    "body", ["null", "3", '{"error": [1]}', '{"error": {"code": {"a": 1}, "message": 4}}', "[" * 9999]
)
@pytest.mark.parametrize("status", [200, 204, 302, 400, 429, 500])
def test_any_response_means_something(status: int, body: str) -> None:
    result = read_completion(status, {}, body, now_s=0.0)
    assert isinstance(result, Failure)
    assert str(result)


@pytest.mark.parametrize(
    ("kind", "statuses"),
    [
        (Kind.WRONG_CONTENT, (302, 307)),
        (Kind.BAD_REQUEST, (400, 413, 418, 501)),
        (Kind.NOT_FOUND, (404, 405, 410)),
        (Kind.TIMEOUT, (408, 504, 524)),
        (Kind.SERVER_ERROR, (409, 425, 500, 529)),
        (Kind.RATE_LIMITED, (429,)),
    ],
)
def test_a_status_has_its_kind_whatever_stands_in_the_body(kind: Kind, statuses: tuple[int, ...]) -> None:
    for status in statuses:
        result = read_completion(status, {"retry-after": "3"}, '{"choices": [{}]}', now_s=0.0)
        assert isinstance(result, Failure) and (result.kind, result.retry_after_s) == (kind, 3.0)
        assert f"the endpoint answered {status}" in result.reason


@pytest.mark.parametrize("name", ["content_filter", "content_policy_violation", "ResponsibleAIPolicyViolation"])
@pytest.mark.parametrize("place", ["code", "type"])
@pytest.mark.parametrize("status", [400, 403])
def test_a_filter_goes_by_several_names(status: int, place: str, name: str) -> None:
    result = read_completion(status, {}, json.dumps({"error": {place: name}}), now_s=0.0)
    assert isinstance(result, Failure) and result.kind == Kind.CONTENT_FILTER


@pytest.mark.parametrize(
    ("body", "kind", "said"),
    [
        ({"detail": "too hot"}, Kind.BAD_REQUEST, "422: too hot"),
        ({"detail": [{"loc": "seed"}]}, Kind.BAD_REQUEST, '422: [{"loc": "seed"}]'),
        ({"message": "too cold"}, Kind.BAD_REQUEST, "422: too cold"),
        ({"error": 7, "message": "odd"}, Kind.BAD_REQUEST, "422: odd"),
        ({"error": {"message": "a " * 200}}, Kind.BAD_REQUEST, f"422: {('a ' * 200)[:197]}..."),
    ],
)
def test_a_reason_quotes_the_endpoints_own_words(body: dict[str, Any], kind: Kind, said: str) -> None:
    result = read_completion(422, {}, json.dumps(body), now_s=0.0)
    assert isinstance(result, Failure) and result.kind == kind and result.reason == f"the endpoint answered {said}"


def test_an_error_beside_a_good_status_counts_unless_it_is_empty() -> None:
    for code, kind in ((401, Kind.UNAUTHORISED), (200, Kind.SERVER_ERROR), ("upstream", Kind.SERVER_ERROR)):
        result = read_completion(200, {}, json.dumps({"error": {"code": code}, "choices": [{}]}), now_s=0.0)
        assert isinstance(result, Failure) and result.kind == kind
    assert isinstance(read_completion(200, {}, '{"error": null, "choices": [{}]}', now_s=0.0), dict)


def test_a_mark_before_the_json_does_no_harm() -> None:
    assert read_completion(200, {}, '\ufeff{"choices": [{}]}', now_s=0.0) == {"choices": [{}]}


def test_an_endpoint_that_redirects_in_circles_is_told_at_once(server: FakeEndpoint, tmp_path: Path) -> None:
    def turn(handler: served.Handler, body: dict[str, Any]) -> None:
        handler.send(307, "", headers={"Location": handler.path})

    server.otherwise = turn
    outcome, waits = ask(server, tmp_path / "a.jsonl")
    assert isinstance(outcome, Failure) and outcome.kind == Kind.WRONG_CONTENT
    assert "in circles" in str(outcome) and "check the base URL" in str(outcome) and waits == []


def test_settings_come_from_arguments_then_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACTALIGN_LLM_MODEL", "medium")
    assert read_settings() == Settings("https://api.openai.com/v1", "medium")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://here/v1/")
    assert read_settings(model="large") == Settings("http://here/v1", "large")
    assert read_settings(base_url="https://there/api") == Settings("https://there/api", "medium")


def test_a_missing_model_is_named_with_those_at_hand() -> None:
    with pytest.raises(ActAlignError, match=r"no model is named \(the cache holds answers of 'a', 'b'\): pass model="):
        read_settings(known=("a", "b"))


@pytest.mark.parametrize(
    "url", ["localhost:8000/v1", "ftp://a/v1", "http://", "http://a b/v1", "http://a:x/v1", "http://é/"]
)
def test_a_base_url_that_is_none_is_shown(url: str) -> None:
    with pytest.raises(ActAlignError, match="is no web address"):
        read_settings(base_url=url, model="small")


@pytest.mark.parametrize("url", [f"http://me:{KEY}@a/v1", f"http://a/v1?key={KEY}", f"http://a/v1#{KEY}"])
def test_a_base_url_with_a_secret_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(ActAlignError) as caught:
        read_settings(base_url=url, model="small")
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("key", ["", "  ", f"{KEY} {KEY}", f"{KEY}\n{KEY}", f"{KEY}é", f"{KEY}\x7f"])
def test_a_key_that_cannot_be_sent_is_refused_without_showing_it(
    server: FakeEndpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", key)
    with pytest.raises(ActAlignError, match="OPENAI_API_KEY") as caught:
        ask(server, tmp_path / "a.jsonl")
    assert KEY not in str(caught.value)
    assert server.bodies == []


def test_outer_space_around_a_key_does_no_harm(
    server: FakeEndpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", f" {KEY}\n")
    assert isinstance(ask(server, tmp_path / "a.jsonl")[0], Answer)


@pytest.mark.parametrize(("key", "kept"), [("ollama", True), ("1234", True), (KEY, False), ("x" * 40, False)])
def test_only_real_keys_are_taken_out_of_replies(
    server: FakeEndpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str, kept: bool
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", key)
    escaped = json.dumps(completion(f"say {key}")).replace(key, f"\\u{ord(key[0]):04x}{key[1:]}")
    answer, _ = ask(server, tmp_path / "a.jsonl", served.raw(escaped))
    assert isinstance(answer, Answer)
    assert answer.text == (f"say {key}" if kept else "say [key]")


@pytest.mark.parametrize(
    "spelling", [r"sk-SEC\/RET-7f3a9c", r"sk-SEC\u002FRET-7f3a9c", r"\u0073k-SEC/RET-7f3a9c", r"sk-SEC\\\/RET-7f3a9c"]
)
def test_a_key_is_found_in_every_spelling(
    server: FakeEndpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spelling: str
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-SEC/RET-7f3a9c")
    body = f'{{"choices": [], "k": "{spelling}"}}'
    failure, _ = ask(server, tmp_path / "a.jsonl", *[served.raw(body)] * (RETRIES + 1))
    kept = (tmp_path / "a.jsonl").read_text()
    assert isinstance(failure, Failure) and "7f3a9c" not in failure.reason + kept and "[key]" in failure.reason
    server.models = body.replace("choices", "data").replace("[]", f'[{{"id": "{spelling}"}}]')
    assert list_models(server.url) == ("[key]",)


def test_what_stands_before_a_key_is_kept(
    server: FakeEndpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = "sk-SEC/RET-7f3a9c"
    monkeypatch.setenv("OPENAI_API_KEY", key)
    said = 'a quote " and two \\\\'
    answer, waits = ask(server, tmp_path / "a.jsonl", served.raw(json.dumps(completion(said + key))))
    assert isinstance(answer, Answer) and (answer.text, waits) == (said + "[key]", [])


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("ALL_PROXY", "foo://me:hunter2@127.0.0.1:1", "client cannot be opened .*check .*ALL_PROXY"),
        ("HTTPS_PROXY", "http://me:hunter2/x@127.0.0.1:1", "client cannot be opened .*check .*HTTPS_PROXY"),
        ("SSL_CERT_FILE", "/nowhere.pem", "client cannot be opened .*check .*SSL_CERT_FILE"),
        ("OPENAI_ORG_ID", "ö", "a character it cannot carry; check OPENAI_ORG_ID"),
    ],
)
def test_an_environment_that_the_client_cannot_use_is_told(
    server: FakeEndpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ActAlignError, match=words) as caught:
        ask(server, tmp_path / "a.jsonl")
    assert "hunter2" not in str(caught.value)


def test_a_model_name_that_cannot_be_sent_is_shown() -> None:
    with pytest.raises(ActAlignError, match="holds a character no name has"):
        read_settings(base_url="http://a/v1", model="m\udcff")


def test_the_models_of_an_endpoint_show_that_it_is_there(server: FakeEndpoint) -> None:
    assert list_models(server.url) == ("small",)
    assert server.bodies == []


@pytest.mark.parametrize(("listing", "models"), [("null", ()), ('[3, {"name": "a"}, {"id": "b"}]', ("b",))])
def test_a_list_of_models_of_any_shape_is_read_as_far_as_it_goes(
    server: FakeEndpoint, listing: str, models: tuple[str, ...]
) -> None:
    server.models = f'{{"data": {listing}}}'
    assert list_models(server.url) == models


def test_without_the_client_the_next_step_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "openai", None)

    async def once() -> Any:
        async with Endpoint(Settings("http://127.0.0.1:9/v1", "small")) as endpoint:
            return endpoint

    with pytest.raises(ActAlignError, match=r"pip install 'actalign\[llm\]'"):
        asyncio.run(once())
