"""The file of answers: on disk before it is read, never asked twice, mended after a kill, shared by processes."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from endpoint import completion

from actalign.errors import ActAlignError
from actalign.llm.cache import Answer, AnswerCache, Request
from actalign.llm.chains import REPAIRS, Asking
from actalign.llm.failures import Failure, Kind
from actalign.llm.prompts import SCHEMA, STYLES
from actalign.llm.usage import Usage, check_price
from actalign.records import Script

REQUEST = Request(
    "small", ({"role": "user", "content": "Hi"},), temperature=1.0, seed=0, prompt="ab", response_format=SCHEMA
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "new" / "answers.jsonl"


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().split(b"\n") if line]


def test_a_line_holds_all_that_is_needed_to_understand_it(path: Path) -> None:
    AnswerCache(path).save(REQUEST, completion("Hello"), class_name="lob")
    (line,) = lines(path)
    assert set(line) == {"kind", "date", "key", "class", "request", "response"}
    assert (line["kind"], line["class"], line["key"]) == ("answer", "lob", REQUEST.key)
    assert line["request"] == {
        "model": "small",
        "messages": [{"role": "user", "content": "Hi"}],
        "temperature": 1.0,
        "seed": 0,
        "prompt": "ab",
        "response_format": SCHEMA,
    }
    assert line["response"] == completion("Hello")
    assert line["date"].endswith("+00:00")


@pytest.mark.parametrize(
    "change",
    [
        {"model": "large"},
        {"messages": ()},
        {"temperature": 0.2},
        {"seed": None},
        {"prompt": "cd"},
        {"response_format": None},
    ],
)
def test_the_key_follows_from_everything_that_is_asked(change: dict[str, Any]) -> None:
    assert replace(REQUEST, **change).key != REQUEST.key


def test_the_hash_of_the_prompt_is_written_down_but_not_sent() -> None:
    assert set(REQUEST.arguments) == {"model", "messages", "temperature", "seed", "response_format"}
    assert set(replace(REQUEST, seed=None).plain.arguments) == {"model", "messages", "temperature"}


def test_an_answer_without_structured_output_serves_as_well(path: Path) -> None:
    AnswerCache(path).save(REQUEST.plain, completion("plain"), class_name="lob")
    found = AnswerCache(path).find(REQUEST)
    assert found is not None
    assert found.text == "plain"


def test_the_first_of_two_answers_counts_for_all(path: Path) -> None:
    one, two = AnswerCache(path), AnswerCache(path)
    one.save(REQUEST, completion("first"), class_name="lob")
    assert two.save(REQUEST, completion("second"), class_name="lob").text == "first"
    assert two.find(REQUEST) == AnswerCache(path).find(REQUEST) == one.find(REQUEST)
    assert len(AnswerCache(path)) == 1


def test_what_another_process_writes_is_seen_at_once(path: Path) -> None:
    reader = AnswerCache(path)
    assert reader.find(REQUEST) is None
    AnswerCache(path).save(REQUEST, completion("new"), class_name="lob")
    assert reader.find(REQUEST) is not None


def test_a_line_that_is_seen_half_written_is_read_when_it_is_whole(path: Path) -> None:
    AnswerCache(path).save(REQUEST, completion("slow"), class_name="lob")
    content = path.read_bytes()
    for so_far in (40, len(content) - 1):
        path.write_bytes(content[:so_far])
        reader = AnswerCache(path)
        path.write_bytes(content)
        AnswerCache(path).save(replace(REQUEST, seed=so_far), completion("next"), class_name="lob")
        assert reader.find(REQUEST) == Answer(completion("slow"))
        assert (len(reader), reader.damaged) == (2, 0)


def test_the_models_whose_answers_are_at_hand_come_in_the_order_first_met(path: Path) -> None:
    for model in ("small", "large", "small", "medium"):
        AnswerCache(path).save(replace(REQUEST, model=model), completion("whole"), class_name="lob")
    assert AnswerCache(path).models == ("small", "large", "medium")


@pytest.mark.parametrize("keep", [1, 40, -2])
def test_half_a_line_is_left_out_and_closed_off(path: Path, keep: int) -> None:
    other = replace(REQUEST, seed=1)
    AnswerCache(path).save(REQUEST, completion("whole"), class_name="lob")
    size = path.stat().st_size
    AnswerCache(path).save(other, completion("torn"), class_name="lob")
    content = path.read_bytes()
    path.write_bytes(content[: size + keep] if keep > 0 else content[:keep])
    cache = AnswerCache(path)
    assert (cache.find(other), len(cache)) == (None, 1)
    cache.save(other, completion("again"), class_name="lob")
    mended = AnswerCache(path)
    assert [mended.find(each).text for each in (REQUEST, other)] == ["whole", "again"]  # type: ignore[union-attr]
    assert mended.damaged == 1


def test_a_line_that_lacks_its_end_alone_is_not_lost(path: Path) -> None:
    AnswerCache(path).save(REQUEST, completion("whole"), class_name="lob")
    path.write_bytes(path.read_bytes().rstrip(b"\n"))
    cache = AnswerCache(path)
    assert cache.find(REQUEST) is not None
    cache.save(replace(REQUEST, seed=1), completion("next"), class_name="lob")
    assert len(AnswerCache(path)) == 2
    assert AnswerCache(path).damaged == 0


@pytest.mark.parametrize("text", ["\u2028 \x85 \x0b \x1c", "half a pair \ud800", "ضربه 打つ", 'quote " \\ \r\n'])
def test_any_text_comes_back_as_it_was(path: Path, text: str) -> None:
    AnswerCache(path).save(REQUEST, completion(text), class_name=text)
    found = AnswerCache(path).find(REQUEST)
    assert found is not None
    assert found.text == text
    assert path.read_bytes().count(b"\n") == 1
    path.read_text(encoding="utf-8")


def test_damaged_lines_are_counted_and_do_no_harm(path: Path) -> None:
    AnswerCache(path).save(REQUEST, completion("whole"), class_name="lob")
    with path.open("ab") as file:
        file.write(b'{"kind": "answer"}\n[]\n\xff\xfe\n\n' + b"[" * 20_000 + b"\n")
    cache = AnswerCache(path)
    assert cache.find(REQUEST) is not None
    assert cache.damaged == 4


def test_structured_output_is_remembered_by_endpoint_and_model(path: Path) -> None:
    AnswerCache(path).note_no_schema("http://a/v1", "small")
    cache = AnswerCache(path)
    assert not cache.has_schema("http://a/v1", "small")
    assert cache.has_schema("http://b/v1", "small")
    assert cache.has_schema("http://a/v1", "large")


def test_replies_that_are_no_answers_are_kept_but_never_used(path: Path) -> None:
    body = '{"choices": [' + 1000 * " "
    AnswerCache(path).save_unusable(REQUEST, body, class_name="lob")
    (line,) = lines(path)
    assert (line["key"], line["class"], line["body"]) == (REQUEST.key, "lob", body)
    assert AnswerCache(path).find(REQUEST) is None
    assert AnswerCache(path).damaged == 0


def test_a_file_that_cannot_be_written_is_an_error_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    cache = AnswerCache(tmp_path / "folder.jsonl")
    (tmp_path / "folder.jsonl").mkdir()
    for call in (cache.check_writable, lambda: cache.save(REQUEST, {}, class_name="lob")):
        with pytest.raises(ActAlignError, match=r"cannot write .*folder\.jsonl: Is a directory; free some space"):
            call()
    with pytest.raises(ActAlignError, match=r"cannot read .*folder\.jsonl"):
        AnswerCache(tmp_path / "folder.jsonl")


def test_a_full_disk_leaves_what_was_there(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = AnswerCache(path)
    cache.save(REQUEST, completion("whole"), class_name="lob")
    write = os.write
    monkeypatch.setattr(os, "write", lambda file, content: write(file, content[:10]))
    with pytest.raises(ActAlignError, match="the disk is full"):
        cache.save(replace(REQUEST, seed=1), completion("lost"), class_name="lob")
    monkeypatch.undo()
    cache.save(replace(REQUEST, seed=2), completion("next"), class_name="lob")
    assert len(AnswerCache(path)) == 2


def test_the_answer_is_on_disk_before_anything_reads_it(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    write, fsync = os.write, os.fsync

    def told_write(file: int, content: bytes) -> int:
        calls.append("write")
        return write(file, content)

    def told_fsync(file: int) -> None:
        calls.append("fsync")
        fsync(file)

    monkeypatch.setattr(os, "write", told_write)
    monkeypatch.setattr(os, "fsync", told_fsync)
    AnswerCache(path).save(REQUEST, completion("whole"), class_name="lob")
    assert calls == ["write", "fsync"]


WRITER = """
import sys
from actalign.llm.cache import AnswerCache, Request
path, name = sys.argv[1:]
cache = AnswerCache(path)
for number in range(100):
    request = Request("small", ({"role": "user", "content": f"{name} {number}"},), 1.0, 0, "ab")
    cache.save(request, {"choices": [{"message": {"content": name * 3000}}]}, class_name=name)
"""


def test_processes_that_append_at_the_same_time_do_not_mix_their_lines(path: Path) -> None:
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(path), name]) for name in ("a", "b")]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    cache = AnswerCache(path)
    assert (len(cache), cache.damaged) == (200, 0)


@pytest.mark.parametrize(
    "response",
    [
        {},
        {"choices": None},
        {"choices": [None]},
        {"choices": [{"message": "text"}]},
        {"choices": [{"message": {"content": None, "refusal": 3}, "finish_reason": 7}], "usage": "many"},
        {"choices": [{"message": {"content": [{"type": "image"}, "x"]}}], "usage": {"prompt_tokens": -1}},
        {"usage": {"prompt_tokens": 1.5, "completion_tokens": None}},
        {"usage": {"prompt_tokens": 10**400, "completion_tokens": 1}},
        {"usage": {"prompt_tokens": 1, "completion_tokens": 10**400}},
    ],
)
def test_an_answer_of_any_shape_has_some_text(response: dict[str, Any]) -> None:
    answer = Answer(response)
    assert (answer.text, answer.refusal, answer.finish_reason, answer.tokens) == ("", None, None, None)


def test_an_answer_in_parts_is_put_together() -> None:
    parts = [{"type": "text", "text": "1. toss "}, {"type": "text", "text": "2. hit"}]
    answer = Answer(completion(parts, refusal="no", usage={"prompt_tokens": 3, "completion_tokens": 4}))
    assert (answer.text, answer.refusal, answer.tokens) == ("1. toss 2. hit", "no", (3, 4))


def test_the_first_of_several_choices_counts() -> None:
    choices = [{"message": {"content": text}, "finish_reason": reason} for text, reason in (("a", "stop"), ("b", "x"))]
    assert (Answer({"choices": choices}).text, Answer({"choices": choices}).finish_reason) == ("a", "stop")


def test_a_chain_of_complaints_is_replayed_from_the_file(path: Path) -> None:
    cache, asking = AnswerCache(path), Asking(STYLES["context_rich"], "small", 0)
    for number, reply in enumerate(["Hm.", '{"class": "lob", "steps": []}', "1. step back\n2. swing up"]):
        chain = asking.follow("lob", sport="tennis", cache=cache)
        assert chain.following is not None
        assert len(chain.following.messages) == 2 + 2 * number
        cache.save(chain.following, completion(reply), class_name="lob")
    chain = asking.follow("lob", sport="tennis", cache=AnswerCache(path))
    assert chain.result == Script("lob", "tennis", ("step back", "swing up"))
    assert (chain.following, chain.usage) == (None, Usage(3, 300, 120))


def test_complaints_come_to_an_end(path: Path) -> None:
    cache, asking = AnswerCache(path), Asking(STYLES["context_rich"], "small", 0)
    count = 0
    while (request := asking.follow("lob", sport="tennis", cache=cache).following) is not None:
        cache.save(request, completion(f"Hm. {count} \ud800"), class_name="lob")
        json.dumps(request.arguments, ensure_ascii=False).encode()  # can be sent
        count += 1
    result = asking.follow("lob", sport="tennis", cache=cache).result
    assert isinstance(result, Failure)
    assert (result.kind, count) == (Kind.INVALID_JSON, 1 + REPAIRS)


@pytest.mark.parametrize(
    "price", [(1.0,), (-1.0, 2.0), (float("nan"), 1.0), (float("inf"), 1.0), "12", (1.0, None), 3.0]
)
def test_a_price_that_is_none_is_refused(price: Any) -> None:
    with pytest.raises(ActAlignError, match="per million input tokens"):
        check_price(price)


def test_a_model_may_cost_nothing() -> None:
    check_price((0, 0.0))


@pytest.mark.parametrize("content", [b"\0\0\0 ftypisom", b"class,steps\nlob,3\n", b'{"style": "short_fixed"}'])
def test_answers_are_never_appended_to_some_other_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "serve.mp4"
    path.write_bytes(content)
    with pytest.raises(ActAlignError, match=r"serve\.mp4 is not a file of answers"):
        AnswerCache(path).check_writable()
    assert path.read_bytes() == content


@pytest.mark.parametrize("content", [b"", b'{"ki', b'{"kind": "ans', b'{"kind": "unusable"}\n'])
def test_a_file_of_answers_that_holds_none_yet_will_do(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "answers.jsonl"
    path.write_bytes(content)
    AnswerCache(path).check_writable()
    path.write_bytes(b"torn\n")
    AnswerCache(path).save(REQUEST, {"choices": []}, class_name="lob")
    AnswerCache(path).check_writable()
