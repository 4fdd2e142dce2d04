"""Every class gets a script or a named failure; nothing is asked twice, dropped in silence, or tells the key."""

import asyncio
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import endpoint as served
import pytest
from endpoint import Act, FakeEndpoint, good_steps

from actalign.errors import ActAlignError
from actalign.llm import STYLES, Generation, Kind, generate, preview
from actalign.llm.asking import GIVE_UP_AFTER, GIVE_UP_UNANSWERED
from actalign.llm.cache import AnswerCache
from actalign.llm.chains import REPAIRS
from actalign.llm.claims import Claims
from actalign.llm.client import RETRIES
from actalign.records import Clip, Dataset, Question, Script
from actalign.scripts import read_scripts

KEY = "sk-do-not-show-7f3a9c"
SPORTS = {"lob": "tennis", "kick serve": "tennis", "seoi nage": "judo"}
MANY = {f"move {number}": "judo" for number in range(24)}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("ACTALIGN_LLM_MODEL", "small")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeEndpoint]:
    with FakeEndpoint() as running:
        monkeypatch.setenv("OPENAI_BASE_URL", running.url)
        yield running


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "answers.jsonl"


async def no_sleep(seconds: float) -> None:
    await asyncio.sleep(0)


def run(cache: Path, classes: dict[str, str] = SPORTS, style: str = "short_fixed", **options: Any) -> Generation:
    return generate(classes, style, cache=cache, sleep=no_sleep, **options)


def expected(classes: dict[str, str]) -> dict[str, Script]:
    return {name: Script(name, sport, tuple(good_steps(name))) for name, sport in classes.items()}


def row(generation: Generation, name: str) -> dict[str, Any]:
    return generation.table.set_index("class").loc[name].to_dict()


@pytest.mark.parametrize("style", sorted(STYLES))
def test_scripts_come_and_are_written(server: FakeEndpoint, cache: Path, tmp_path: Path, style: str) -> None:
    done = run(cache, style=style)
    assert (done.scripts, done.failures, done.style, done.model) == (expected(SPORTS), {}, style, "small")
    path = done.write(tmp_path / "scripts")
    assert path == tmp_path / "scripts" / f"{style}.json"
    assert read_scripts(path) == (style, expected(SPORTS))
    assert {body["temperature"] for body in server.bodies} == {STYLES[style].temperature}
    assert [body["seed"] for body in server.bodies] == [0, 0, 0]


def test_the_table_has_a_row_for_every_class_in_order(server: FakeEndpoint, cache: Path) -> None:
    server.told["lob"] = [served.status(500), served.reply("Hm.")]
    server.told["seoi nage"] = [served.reply("No.", finish_reason="content_filter")] * (REPAIRS + 1)
    done = run(cache)
    assert list(done.table["class"]) == list(SPORTS)
    assert row(done, "lob") == {
        "sport": "tennis",
        "state": "done",
        "failure": "",
        "reason": "",
        "attempts": 3,
        "answers": 2,
        "from_cache": 0,
        "input_tokens": 200,
        "output_tokens": 80,
    }
    assert row(done, "seoi nage")["state"] == "failed"
    assert row(done, "seoi nage")["failure"] == "content_filter"
    assert row(done, "seoi nage")["reason"] == done.failures["seoi nage"].reason
    assert "content filter" in row(done, "seoi nage")["reason"]
    again = run(cache)
    assert (row(again, "lob")["attempts"], row(again, "lob")["from_cache"]) == (0, 2)


@pytest.mark.parametrize(
    ("act", "kind"),
    [
        (served.reply(None, refusal="I will not."), Kind.REFUSAL),
        (served.reply("I'm sorry, I can't."), Kind.REFUSAL),
        (served.reply('{"steps": ["toss", "b', finish_reason="length"), Kind.TRUNCATION),
        (served.reply("", finish_reason="content_filter"), Kind.CONTENT_FILTER),
        (served.reply("Let me think."), Kind.INVALID_JSON),
        (served.reply(None), Kind.INVALID_JSON),
        (served.reply('{"scripts": []}'), Kind.MISSING_CLASS),
        (served.reply('{"class": "chip", "steps": ["a", "b"]}'), Kind.RENAMED_CLASS),
        (served.reply('{"class": "lob", "steps": []}'), Kind.EMPTY_STEPS),
        (served.reply(json.dumps({"class": "lob", "steps": ["swing"] * 10})), Kind.DUPLICATE_STEPS),
        (served.reply('{"class": "lob", "steps": ["toss", "hit"]}'), Kind.WRONG_COUNT),
    ],
)
def test_a_reply_of_no_use_is_repaired_or_told(server: FakeEndpoint, cache: Path, act: Act, kind: Kind) -> None:
    server.told["lob"] = [act]
    assert run(cache).scripts == expected(SPORTS)
    assert Counter(server.asked) == {"lob": 2, "kick serve": 1, "seoi nage": 1}
    complaint = max((body["messages"] for body in server.bodies), key=len)[-1]
    assert complaint == {"role": "user", "content": STYLES["short_fixed"].complaint(kind)}

    server.told["lob"] = [act] * (REPAIRS + 1)
    failed = run(cache, seed=1)
    assert set(failed.scripts) == {"kick serve", "seoi nage"}
    assert failed.failures["lob"].kind == kind
    assert server.told["lob"] == []
    asked = len(server.bodies)
    assert run(cache, seed=1).failures == failed.failures
    assert len(server.bodies) == asked


def test_a_set_that_is_not_complete_is_not_written(server: FakeEndpoint, cache: Path, tmp_path: Path) -> None:
    server.told["lob"] = [served.reply("Hm.")] * (REPAIRS + 1)
    done = run(cache)
    with pytest.raises(ActAlignError, match=r"1 of 3 classes have no script: 'lob': invalid_json: .*Hm\..*by hand"):
        done.write(tmp_path / "scripts")
    assert not (tmp_path / "scripts").exists()


def test_of_many_classes_without_a_script_five_are_named(server: FakeEndpoint, cache: Path, tmp_path: Path) -> None:
    server.otherwise = served.status(400, "filtered", name="content_filter")
    done = run(cache, dict(list(MANY.items())[:7]))
    with pytest.raises(ActAlignError, match=r"^7 of 7 .*'move 4': .*; and 2 more, see \.table$") as caught:
        done.write(tmp_path)
    assert "'move 5'" not in str(caught.value)


def test_a_watched_run_shows_its_tokens_cost_retries_and_failures(
    server: FakeEndpoint, cache: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    run(cache, {"volley": "tennis"})
    monkeypatch.setattr("actalign.llm.run.is_watched", lambda progress: progress)
    run(cache, progress=False)
    assert capfd.readouterr().err == ""
    server.told |= {"lob": [served.status(500)], "kick serve": [served.status(403)]}
    run(cache, {"volley": "tennis", **SPORTS}, seed=1, price=(10.0, 100.0), concurrency=1)
    last = capfd.readouterr().err.splitlines()[-1]
    assert "4/4" in last and "420 tokens, cost about 0.015, retries 1, failed 1" in last


@pytest.mark.parametrize(
    "act",
    [
        served.status(429),
        served.status(503),
        served.hang_up,
        served.reset_in_body,
        served.end_in_body,
        served.raw('{"choices": ['),
    ],
)
def test_an_endpoint_that_fails_for_one_class_costs_that_class_alone(
    server: FakeEndpoint, cache: Path, act: Act
) -> None:
    server.told["lob"] = [act] * (RETRIES + 1)
    done = run(cache)
    assert set(done.failures) == {"lob"}
    assert row(done, "lob")["attempts"] == RETRIES + 1
    assert run(cache).scripts == expected(SPORTS)
    assert Counter(server.asked) == {"lob": RETRIES + 2, "kick serve": 1, "seoi nage": 1}


def test_a_full_cache_needs_neither_key_nor_network(
    server: FakeEndpoint, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = run(cache)
    cache.chmod(0o444)
    monkeypatch.delenv("OPENAI_API_KEY")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setitem(sys.modules, "openai", None)
    again = run(cache)
    assert again.scripts == first.scripts
    assert (again.usage, again.spent.answers) == (first.usage, 0)
    assert len(server.bodies) == 3


def test_only_what_is_new_is_asked(server: FakeEndpoint, cache: Path) -> None:
    run(cache, {"lob": "tennis"})
    run(cache)
    run(cache, style="context_rich")
    run(cache, model="large")
    assert Counter((body["model"], body["temperature"]) for body in server.bodies) == {
        ("small", 1.0): 6,
        ("large", 1.0): 3,
    }
    assert Counter(server.asked)["lob"] == 3
    run(cache, seed=None)
    assert "seed" not in server.bodies[-1]


def test_at_most_so_many_at_once(server: FakeEndpoint, cache: Path) -> None:

    in_vain: list[str] = []

    def together(handler: served.Handler, body: dict[str, Any]) -> None:
        """Hold on until 4 are here at once; the first comes alone."""
        deadline = time.monotonic() + 10
        while len(server.bodies) > 1 and server.most_at_once < 4:
            if time.monotonic() > deadline:
                in_vain.append(served.class_in(body))
                break
            time.sleep(0.002)
        served.good(handler, body)

    server.otherwise = together
    run(cache, MANY, concurrency=4)
    assert (server.most_at_once, in_vain) == (4, [])
    assert len(server.bodies) == len(MANY)


def test_an_endpoint_without_structured_output_is_asked_for_it_once(server: FakeEndpoint, cache: Path) -> None:
    server.schema = False
    assert run(cache, MANY).scripts == expected(MANY)
    assert sum("response_format" in body for body in server.bodies) == 1
    run(cache, MANY, seed=1)
    assert sum("response_format" in body for body in server.bodies) == 1
    assert len(server.bodies) == 2 * len(MANY) + 1
    server.schema = True
    run(cache, MANY, model="large")
    assert sum("response_format" in body for body in server.bodies) == 1 + len(MANY)


def test_a_bad_request_of_one_class_says_nothing_about_structured_output(server: FakeEndpoint, cache: Path) -> None:
    server.told["lob"] = [served.status(400, "odd")] * 2
    done = run(cache)
    assert done.failures["lob"].kind == Kind.BAD_REQUEST
    assert all("response_format" in body for body in server.bodies[2:])
    server.told["pivot"] = [served.status(400, "odd")]
    run(cache, {"volley": "tennis", "pivot": "judo"}, concurrency=1)
    assert server.asked[-2:] == ["volley", "pivot"], "it has answered with structured output: asked once"
    assert "no_schema" not in cache.read_text()


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (served.status(401, f"key {KEY} is wrong"), r"unauthorised: .*401: key \[key\] is wrong; put a valid key"),
        (served.status(404, "no model small"), "not_found: .*no model small; check the model's name and the base URL"),
        (served.status(429, "spent", name="insufficient_quota"), "quota: .*spent; top up"),
    ],
)
def test_an_endpoint_that_refuses_us_stops_everything_at_once(
    server: FakeEndpoint, cache: Path, act: Act, words: str
) -> None:
    run(cache, {"lob": "tennis"})
    server.otherwise = act
    with pytest.raises(ActAlignError, match=words) as caught:
        run(cache, {**SPORTS, **MANY}, concurrency=4)
    assert "1 of 27 classes are settled and kept" in str(caught.value)
    assert len(server.bodies) == 2
    server.otherwise = served.good
    assert not run(cache, {**SPORTS, **MANY}).failures
    assert Counter(server.asked)["lob"] == 1


def test_one_class_that_is_forbidden_costs_itself_alone(server: FakeEndpoint, cache: Path) -> None:
    server.told["lob"] = [served.status(403, "input was flagged by moderation")]
    done = run(cache, {**SPORTS, **MANY}, concurrency=1)
    assert {name: failure.kind for name, failure in done.failures.items()} == {"lob": Kind.FORBIDDEN}
    assert "flagged by moderation" in done.failures["lob"].reason


def test_an_endpoint_that_forbids_everything_is_left_alone_after_a_few_classes(
    server: FakeEndpoint, cache: Path
) -> None:
    server.otherwise = served.status(403)
    done = run(cache, MANY, concurrency=1)
    assert len(server.bodies) == GIVE_UP_UNANSWERED and not done.scripts


def test_an_endpoint_that_has_answered_is_given_more_chances_and_each_answer_starts_the_count_anew(
    server: FakeEndpoint, cache: Path
) -> None:
    server.told |= {"move 0": [served.good], "move 9": [served.good]}
    server.otherwise = served.status(403)
    done = run(cache, MANY, concurrency=1)
    assert list(done.scripts) == ["move 0", "move 9"]
    assert server.asked == [f"move {number}" for number in range(10 + GIVE_UP_AFTER)]
    assert Counter(done.table["state"])["not asked"] == len(MANY) - 10 - GIVE_UP_AFTER > 0


def test_classes_that_a_filter_holds_back_tell_nothing_of_the_endpoint(server: FakeEndpoint, cache: Path) -> None:
    server.otherwise = served.status(400, "filtered", name="content_filter")
    done = run(cache, MANY, concurrency=1)
    assert {failure.kind for failure in done.failures.values()} == {Kind.CONTENT_FILTER}
    assert len(done.failures) == len(server.bodies) == len(MANY)


def test_a_dead_endpoint_is_left_alone_after_a_few_classes(server: FakeEndpoint, cache: Path) -> None:
    server.otherwise = served.hang_up
    done = run(cache, MANY, concurrency=1)
    assert len(server.bodies) == GIVE_UP_UNANSWERED * (RETRIES + 1)
    states = Counter(done.table["state"])
    assert states == {"failed": GIVE_UP_UNANSWERED, "not asked": len(MANY) - GIVE_UP_UNANSWERED}
    assert "failed 3 classes in a row" in done.failures["move 23"].reason
    server.otherwise = served.good
    assert run(cache, MANY).scripts == expected(MANY)


def test_costs_are_counted_or_said_to_be_unknown(server: FakeEndpoint, cache: Path) -> None:
    done = run(cache, {"lob": "tennis"}, price=(10.0, 100.0))
    assert (done.usage.input_tokens, done.usage.output_tokens) == (100, 40)
    assert done.cost == pytest.approx(0.005)
    more = run(cache, price=(10.0, 100.0))
    assert more.cost == pytest.approx(0.015)
    assert more.cost_now == pytest.approx(0.010)
    assert "cost about 0.01" in repr(more)
    assert run(cache).cost is None
    assert "cost unknown (no price was given)" in repr(run(cache))
    assert "<table" in run(cache)._repr_html_()


def test_an_endpoint_that_does_not_count_tokens_is_said_not_to(server: FakeEndpoint, cache: Path) -> None:
    server.told["lob"] = [served.reply(json.dumps({"steps": good_steps("lob")}), usage={"total": 3})]
    assert "(1 answer came without a count)" in repr(run(cache))


def test_a_dry_run_shows_the_prompts_and_asks_nothing(
    server: FakeEndpoint, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(cache, {"lob": "tennis"})
    monkeypatch.delenv("OPENAI_API_KEY")
    shown = preview(SPORTS, "short_fixed", cache=cache, price=(1.0, 1.0))
    text = str(shown)
    assert text.startswith("short_fixed: 2 of 3 classes to ask of 'small' at temperature 1.0: about ")
    assert "exactly 10" in text
    assert "Class: kick serve" in text
    assert "Class: lob" not in text
    assert shown.cost == pytest.approx((shown.estimate.input_tokens + shown.estimate.output_tokens) / 1e6)
    assert list(shown.messages) == ["kick serve", "seoi nage"]
    assert len(server.bodies) == 1
    assert "cost unknown" in str(preview(SPORTS, "released"))
    assert not cache.with_name(".none").exists()


def test_a_data_set_gives_its_candidates_and_their_sports(server: FakeEndpoint, cache: Path) -> None:
    clips = {"a": Clip("a", Path("a.mp4"), sport="tennis"), "b": Clip("b", Path("b.mp4"), sport="judo")}
    questions = (Question("a", ("lob", "kick serve"), 0), Question("b", ("seoi nage",), 0), Question("a", ("lob",), 0))
    dataset = Dataset("mine", Path("."), clips, questions)
    assert generate(dataset, "short_fixed", cache=cache).scripts == expected(SPORTS)
    clash = Dataset("mine", Path("."), clips, (*questions, Question("b", ("lob",), 0)))
    with pytest.raises(ActAlignError, match="class 'lob' is asked for in 'tennis' and in 'judo'"):
        generate(clash, "short_fixed", cache=cache)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"classes": {}}, "no class"),
        ({"classes": {"lob": " "}}, "class 'lob' of sport ' '"),
        ({"classes": {"": "tennis"}}, "must be texts"),
        ({"classes": {"lob\ud800": "tennis"}}, "must be texts"),
        ({"style": "terse"}, r"'terse' is unknown; choose one of \['context_rich'"),
        ({"concurrency": 0}, "concurrency is 0"),
        ({"timeout_s": 0}, "timeout_s 0"),
        ({"price": (1,)}, "price is"),
        ({"base_url": "nowhere"}, "no web address"),
    ],
)
def test_wrong_arguments_are_told_before_anything_is_asked(
    server: FakeEndpoint, cache: Path, change: dict[str, Any], words: str
) -> None:
    with pytest.raises(ActAlignError, match=words):
        run(cache, **change)
    assert server.bodies == []
    assert not cache.exists()


def test_a_cache_that_cannot_be_written_is_told_before_anything_is_paid_for(
    server: FakeEndpoint, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ActAlignError, match=r"cannot (read|write)"):
        run(tmp_path / "file" / "answers.jsonl")
    assert server.bodies == []


def test_a_cache_that_keeps_nothing_is_told_before_anything_is_paid_for(server: FakeEndpoint) -> None:
    with pytest.raises(ActAlignError, match="cannot write /dev/null: it is not a file that keeps what is written"):
        run(Path("/dev/null"))
    assert server.bodies == []


def test_other_scripts_are_replaced_only_on_request(server: FakeEndpoint, cache: Path, tmp_path: Path) -> None:
    done = run(cache)
    path = done.write(tmp_path)
    noted = {**json.loads(path.read_text()), "note": "kept"}
    path.write_text(json.dumps(noted))
    assert done.write(tmp_path) == path and json.loads(path.read_text()) == noted, "the same scripts: left alone"
    noted["scripts"]["lob"]["steps"][0] = "a step of my own"
    path.write_text(json.dumps(noted))
    with pytest.raises(ActAlignError, match=r"short_fixed\.json holds other scripts; move it away, or replace it"):
        done.write(tmp_path)
    assert json.loads(path.read_text()) == noted
    done.write(tmp_path, replace=True)
    assert read_scripts(path)[1] == done.scripts
    path.write_text(json.dumps({**json.loads(path.read_text()), "note": "kept"}))
    done.write(tmp_path, replace=True)
    assert "note" in json.loads(path.read_text()), "there is nothing to replace"
    path.write_text("{")
    done.write(tmp_path, replace=True)
    assert read_scripts(path)[1] == done.scripts


def test_no_key_is_told_with_the_next_step(server: FakeEndpoint, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(ActAlignError, match="OPENAI_API_KEY is not set; put the endpoint's key there"):
        run(cache)


def test_it_works_where_an_event_loop_is_running(server: FakeEndpoint, cache: Path) -> None:
    async def cell() -> Generation:
        return run(cache)

    assert asyncio.run(cell()).scripts == expected(SPORTS)


@pytest.mark.parametrize("in_notebook", [False, True])
def test_an_interrupt_keeps_what_was_answered(server: FakeEndpoint, cache: Path, in_notebook: bool) -> None:
    server.told["move 5"] = [served.stall]

    def interrupt() -> None:
        while sum(server.answered.values()) < len(MANY) - 1 and not server.closing.wait(0.005):
            pass
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)

    async def cell() -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)  # as a notebook's kernel has it
        run(cache, MANY, concurrency=2)

    thread.start()
    with pytest.raises(KeyboardInterrupt):
        asyncio.run(cell()) if in_notebook else run(cache, MANY, concurrency=2)
    thread.join()
    kept = len(AnswerCache(cache))
    assert kept >= len(MANY) - 2
    asked = len(server.bodies)
    assert run(cache, MANY).scripts == expected(MANY)
    assert len(server.bodies) == asked + len(MANY) - kept


RUN = """
import sys
from actalign.llm import generate
cache, folder = sys.argv[1:]
generate({f"move {number}": "judo" for number in range(24)}, "short_fixed", cache=cache, concurrency=3).write(folder)
"""


def test_two_runs_at_once_pay_once(server: FakeEndpoint, cache: Path, tmp_path: Path) -> None:
    server.delay_s = 0.02
    folders = [tmp_path / name for name in ("one", "two")]
    runs = [subprocess.Popen([sys.executable, "-c", RUN, str(cache), str(folder)]) for folder in folders]
    assert [each.wait(60) for each in runs] == [0, 0]
    assert Counter(server.asked) == dict.fromkeys(MANY, 1)
    one, two = ((folder / "short_fixed.json").read_bytes() for folder in folders)
    assert one == two


def test_where_claims_cannot_be_kept_the_run_goes_on(tmp_path: Path) -> None:
    async def held() -> bool:
        async with Claims(tmp_path / "missing" / "answers.jsonl").hold("ab" * 32):
            return True

    assert asyncio.run(held())


def test_the_key_is_nowhere_to_be_found(
    server: FakeEndpoint,
    cache: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    told = f"you sent Bearer {KEY}"
    caplog.set_level(logging.DEBUG)
    for name in ("openai", "httpx", "httpx2", "httpcore", "httpcore2", "asyncio", "actalign"):
        caplog.set_level(logging.DEBUG, logger=name)
    acts: list[Act] = [
        served.status(429, told, headers={"Retry-After": "1"}),
        served.status(500, told),
        served.raw(told),
        served.raw(json.dumps({"choices": [], "note": told})),
        served.reset_in_body,
        *(served.reply(f"{told}{number}") for number in range(REPAIRS)),
    ]
    server.told["lob"] = [*acts[:4], *acts[5:], served.reply(told)]
    server.told["kick serve"] = [served.reply(told, refusal=told)]
    server.told["seoi nage"] = [served.raw(f"<p>{told}</p>")]
    texts = []
    done = run(cache)
    texts += [repr(done), done._repr_html_(), done.table.to_csv(), repr(done.failures), repr(vars(done))]
    texts += [str(preview(SPORTS, "short_fixed", cache=cache))]
    server.otherwise = served.status(401, told)
    try:
        run(cache, MANY, progress=True)
    except ActAlignError as error:
        assert error.__traceback__ is not None
        error.__traceback__ = error.__traceback__.tb_next  # without this function, whose locals hold the key
        texts += traceback.TracebackException.from_exception(error, capture_locals=True).format()
        texts += [repr(error), repr(error.__cause__), repr(error.__context__)]
    texts += [record.getMessage() + repr(record.__dict__) for record in caplog.records]
    texts += [caplog.text, *capfd.readouterr()]
    assert len(caplog.records) > 20
    assert "[key]" in "".join(texts)
    assert [text for text in texts if KEY in text] == []
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert cache in files
    assert b"[key]" in cache.read_bytes()
    assert [path for path in files if KEY.encode() in path.read_bytes()] == []
