"""Every answer that was ever paid for: one file of JSON lines, only ever appended to.

A line is on disk (written in one piece, then fsync-ed) before anyone tries to read a script out of the answer::

    {"kind": "answer", "key": ..., "date": ..., "class": ..., "request": {...}, "response": {...}}

``request`` is what was asked (model, messages, temperature, seed, response_format, sha256 of the prompt style) and
``response`` the endpoint's own JSON, untouched: reply, finish reason, usage, model and system fingerprint are where
the API puts them. ``key`` is the sha256 of ``request``; the endpoint's address is no part of it, so a file answered
elsewhere serves as well. Other kinds of line: "no_schema" (this endpoint and model have no structured output) and
"unusable" (a reply that was no answer at all, kept to be looked at, never read again).

Several processes may append to one file. Half a line left by a kill is closed off by the next append and left out.
"""

import hashlib
import json
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from actalign.errors import ActAlignError
from actalign.llm.prompts import Message

OPENING = b'{"kind"'
"""How a file of answers begins, whatever was torn off it."""
MOST_TOKENS = 10**12
"""No answer has so many; a count that says so is none."""


@dataclass(frozen=True)
class Request:
    """What is asked, and all that an answer depends on. ``prompt`` is ``Prompt.sha256``.

    >>> one = Request("m", ({"role": "user", "content": "Hi"},), temperature=1.0, seed=0, prompt="ab")
    >>> one.key == replace(one, seed=1).key
    False
    """

    model: str
    messages: tuple[Message, ...]
    temperature: float
    seed: int | None
    prompt: str
    response_format: Mapping[str, Any] | None = None

    @property
    def content(self) -> dict[str, Any]:
        """The request as it is written down."""
        return {**vars(self), "messages": [dict(message) for message in self.messages]}

    @property
    def arguments(self) -> dict[str, Any]:
        """The request as the endpoint gets it: without the hash, and without what is None."""
        return {name: value for name, value in self.content.items() if name != "prompt" and value is not None}

    @property
    def key(self) -> str:
        return hashlib.sha256(json.dumps(self.content, sort_keys=True).encode()).hexdigest()

    @property
    def plain(self) -> "Request":
        """The same without structured output."""
        return replace(self, response_format=None)


@dataclass(frozen=True)
class Answer:
    """One answer of an endpoint; whatever shape it has, the properties find what there is of it.

    >>> Answer({"choices": [{"message": {"content": "1. toss"}, "finish_reason": "stop"}]}).text
    '1. toss'
    """

    response: Mapping[str, Any]

    @property
    def text(self) -> str:
        content = self._message.get("content")
        if isinstance(content, list):
            parts = [part.get("text") for part in content if isinstance(part, dict)]
            content = "".join(part for part in parts if isinstance(part, str))
        return content if isinstance(content, str) else ""

    @property
    def refusal(self) -> str | None:
        refusal = self._message.get("refusal")
        return refusal if isinstance(refusal, str) else None

    @property
    def finish_reason(self) -> str | None:
        reason = self._choice.get("finish_reason")
        return reason if isinstance(reason, str) else None

    @property
    def tokens(self) -> tuple[int, int] | None:
        """Input and output tokens; None where the endpoint does not say."""
        match self.response.get("usage"):
            case {"prompt_tokens": int(given), "completion_tokens": int(made)} if 0 <= given < MOST_TOKENS > made >= 0:
                return given, made
        return None

    @property
    def _choice(self) -> Mapping[str, Any]:
        choices = self.response.get("choices")
        return choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}

    @property
    def _message(self) -> Mapping[str, Any]:
        message = self._choice.get("message")
        return message if isinstance(message, dict) else {}


class AnswerCache:
    """The answers in one file, by request. The file is made when there is something to write.

    >>> from tempfile import TemporaryDirectory
    >>> request = Request("m", ({"role": "user", "content": "Hi"},), temperature=1.0, seed=0, prompt="ab")
    >>> with TemporaryDirectory() as folder:
    ...     _ = AnswerCache(Path(folder) / "a.jsonl").save(request, {"choices": []}, class_name="lob")
    ...     AnswerCache(Path(folder) / "a.jsonl").find(request)
    Answer(response={'choices': []})
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.damaged = 0
        """Lines that could not be read: torn by a kill, or edited."""
        self._answers: dict[str, Answer] = {}
        self._models: dict[str, None] = {}
        self._without_schema: set[tuple[str, str]] = set()
        self._read_to = 0
        self._refresh()

    def __len__(self) -> int:
        return len(self._answers)

    @property
    def models(self) -> tuple[str, ...]:
        """The models whose answers are here, in the order first met."""
        return tuple(self._models)

    def find(self, request: Request) -> Answer | None:
        """The answer to a request, with structured output or without, from whichever process wrote it first.

        Raises:
            ActAlignError: the file cannot be read.
        """
        self._refresh()
        return self._answers.get(request.key) or self._answers.get(request.plain.key)

    def save(self, request: Request, response: Mapping[str, Any], *, class_name: str) -> Answer:
        """Append an answer; it is on disk when this returns. Where the key is taken, the older answer counts.

        Raises:
            ActAlignError: the file cannot be written.
        """
        line = {"key": request.key, "class": class_name, "request": request.content, "response": response}
        self._append("answer", line)
        self._refresh()
        return self._answers.setdefault(request.key, Answer(response))  # set by now, unless the file was taken away

    def save_unusable(self, request: Request, body: str, *, class_name: str) -> None:
        """Append a reply that is no answer (cut off, not JSON), in case it was paid for.

        Raises:
            ActAlignError: the file cannot be written.
        """
        self._append("unusable", {"key": request.key, "class": class_name, "body": body})

    def has_schema(self, endpoint: str, model: str) -> bool:
        """False where an endpoint was found to have no structured output for a model."""
        return (endpoint, model) not in self._without_schema

    def note_no_schema(self, endpoint: str, model: str) -> None:
        """Remember that an endpoint has no structured output for a model.

        Raises:
            ActAlignError: the file cannot be written.
        """
        self._append("no_schema", {"endpoint": endpoint, "model": model})
        self._without_schema.add((endpoint, model))

    def check_writable(self) -> None:
        """Make sure, before anything is paid for, that answers can be kept.

        Raises:
            ActAlignError: the file cannot be written, or is some other file than one of answers.
        """
        try:
            file = self._open()
            try:
                if not stat.S_ISREG(os.fstat(file).st_mode):  # such as /dev/null
                    raise OSError(None, "it is not a file that keeps what is written")
                head = os.read(file, len(OPENING))
            finally:
                os.close(file)
        except OSError as error:
            raise self._refused(error) from error
        if not (self._answers or self._without_schema) and not OPENING.startswith(head):
            raise ActAlignError(f"{self.path} is not a file of answers; name another, or one that is not there yet")

    def _open(self) -> int:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)

    def _append(self, kind: str, values: Mapping[str, Any]) -> None:
        date = datetime.now(UTC).isoformat(timespec="seconds")
        # A lone surrogate becomes a JSON escape: the bytes are UTF-8 and read back as they were.
        line = json.dumps({"kind": kind, "date": date, **values}, ensure_ascii=False).encode(errors="backslashreplace")
        try:
            file = self._open()
            try:
                size = os.fstat(file).st_size
                torn = size > 0 and os.pread(file, 1, size - 1) != b"\n"
                whole = (b"\n" if torn else b"") + line + b"\n"
                if os.write(file, whole) != len(whole):
                    raise OSError(None, "the disk is full")
                os.fsync(file)
            finally:
                os.close(file)
        except OSError as error:
            raise self._refused(error) from error

    def _refused(self, error: OSError) -> ActAlignError:
        return ActAlignError(
            f"cannot write {self.path}: {error.strerror or error}; free some space or choose another cache. "
            "What was answered before is kept"
        )

    def _refresh(self) -> None:
        """Take in the whole lines that were appended since the last look, by this process or another."""
        try:
            with self.path.open("rb") as file:
                file.seek(self._read_to)
                fresh = file.read()
        except FileNotFoundError:
            return
        except OSError as error:
            raise ActAlignError(f"cannot read {self.path}: {error.strerror or error}; check the path") from error
        whole = fresh[: fresh.rfind(b"\n") + 1]
        self._read_to += len(whole)
        for line in filter(bytes.strip, whole.split(b"\n")):
            self._take(_parsed(line))
        if last := _parsed(fresh[len(whole) :]):  # whole but for its line end; read again once that is there
            self._take(last)

    def _take(self, entry: object) -> None:
        match entry:
            case {"kind": "answer", "key": str(key), "request": {"model": str(model)}, "response": dict(response)}:
                self._answers.setdefault(key, Answer(response))
                self._models.setdefault(model)
            case {"kind": "no_schema", "endpoint": str(endpoint), "model": str(model)}:
                self._without_schema.add((endpoint, model))
            case {"kind": "unusable"}:
                pass
            case _:
                self.damaged += 1


def _parsed(line: bytes) -> object:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):  # torn, edited, not UTF-8
        return None
