"""A run that is killed over and over ends where an undisturbed one does, and asks no answered question again."""

import json
import os
import random
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import endpoint as served
import pytest
from endpoint import FakeEndpoint
from nursery import Nursery

from actalign.llm import generate

MOVES = {f"move {number}": "judo" for number in range(40)}
KILLS = 20

# Arguments: the cache and the folder of the scripts.
GENERATE = {
    "imports": """
import openai
from actalign.llm import generate

moves = {f"move {number}": "judo" for number in range(40)}
""",
    "work": """
try:
    cache, folder = arguments
    generate(moves, "short_fixed", cache=cache, concurrency=4).write(folder)
finally:
    os._exit(0 if sys.exc_info()[0] is None else 1)
""",
}


def fickle(handler: served.Handler, body: dict[str, Any]) -> None:
    """Every seventh class needs two complaints; what is said depends on the request alone."""
    name = served.class_in(body)
    if int(name.split()[1]) % 7 == 0 and len(body["messages"]) < 6:
        served.reply(f"Well, {len(body['messages'])}.")(handler, body)
    else:
        served.good(handler, body)


class Patient(FakeEndpoint):
    """Answers the requests before number ``until`` and lets the others wait, so that a run gets so far and no further.

    Requests count from 0. So a test that is kept from the processor for a while finds the run where it stopped.
    """

    until: float = float("inf")

    def answer(self, handler: served.Handler, body: dict[str, Any]) -> None:
        number = next(number for number, one in enumerate(self.bodies) if one is body)
        while number >= self.until and not self.closing.wait(0.001):
            pass
        fickle(handler, body)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Patient]:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-none-of-yours-1")
    monkeypatch.setenv("ACTALIGN_LLM_MODEL", "small")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with Patient(schema=False, delay_s=0.004) as running:
        running.otherwise = running.answer
        monkeypatch.setenv("OPENAI_BASE_URL", running.url)
        yield running


def answered(cache: Path) -> set[str]:
    """The conversations whose answer is in the file, a torn last line left out."""
    found = set()
    for line in cache.read_bytes().split(b"\n") if cache.exists() else []:
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if entry["kind"] == "answer":
            found.add(json.dumps(entry["request"]["messages"]))
    return found


def test_a_run_killed_again_and_again_ends_as_an_undisturbed_one(server: Patient, tmp_path: Path) -> None:
    undisturbed = generate(MOVES, "short_fixed", cache=tmp_path / "calm.jsonl").write(tmp_path / "calm").read_bytes()
    questions = answered(tmp_path / "calm.jsonl")
    moments = random.Random(0)
    cache, folder = tmp_path / "answers.jsonl", tmp_path / "scripts"
    killed = 0
    with Nursery(**GENERATE) as nursery:
        while True:
            known, start = answered(cache), len(server.bodies)
            more = moments.randrange(1, 6) if killed < KILLS else 10**6
            server.until = start + more
            child = nursery.start(cache, folder)
            while len(server.bodies) < start + more and not (folder / "short_fixed.json").exists():
                time.sleep(0.0005)
            time.sleep(moments.uniform(0, 0.008))
            if killed < KILLS:
                with suppress(ProcessLookupError):  # it may have ended by itself
                    os.kill(child, signal.SIGKILL)
            status = nursery.status()
            again = [body for body in server.bodies[start:] if json.dumps(body["messages"]) in known]
            assert again == []
            assert status in (0, -signal.SIGKILL)
            if status == 0:
                break
            killed += 1
    assert killed >= 10
    assert (folder / "short_fixed.json").read_bytes() == undisturbed
    assert answered(cache) == questions
    assert sorted(path.name for path in folder.iterdir()) == ["short_fixed.json"]


def test_a_run_killed_while_it_writes_a_line_loses_that_line_alone(server: Patient, tmp_path: Path) -> None:
    undisturbed = generate(MOVES, "short_fixed", cache=tmp_path / "calm.jsonl").write(tmp_path / "calm").read_bytes()
    content = (tmp_path / "calm.jsonl").read_bytes()
    places = random.Random(1)
    for number in range(10):
        torn = tmp_path / f"torn{number}.jsonl"
        torn.write_bytes(content[: places.randrange(1, len(content))])
        known, start = answered(torn), len(server.bodies)
        done = generate(MOVES, "short_fixed", cache=torn).write(tmp_path / f"torn{number}")
        assert done.read_bytes() == undisturbed
        asked = [json.dumps(body["messages"]) for body in server.bodies[start:] if "response_format" not in body]
        assert known.isdisjoint(asked)
        assert len(asked) == len(set(asked))
        assert answered(torn) == answered(tmp_path / "calm.jsonl")
