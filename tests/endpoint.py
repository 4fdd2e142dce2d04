"""A chat-completions endpoint on loopback that does as it is told: the good, the bad and the broken."""

import json
import socket
import struct
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

WORDS = "crouch lean twist lift swing reach strike follow land recover".split()


def good_steps(name: str) -> list[str]:
    """Ten steps that every style takes and that follow from the class."""
    return [f"{word} near {name}" for word in WORDS]


def completion(
    content: object, *, finish_reason: str = "stop", refusal: str | None = None, usage: object = None
) -> dict[str, Any]:
    message = {"role": "assistant", "content": content, "refusal": refusal}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "small-2024",
        "system_fingerprint": "fp_1",
        "choices": [{"index": 0, "message": message, "finish_reason": finish_reason}],
        "usage": usage or {"prompt_tokens": 100, "completion_tokens": 40, "total_tokens": 140},
    }


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "_Server"

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        self.send(200, self.server.endpoint.models)

    def do_POST(self) -> None:
        endpoint = self.server.endpoint
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with endpoint.working(body) as number:
            if body.get("response_format") and not endpoint.schema:
                self.send(400, json.dumps({"error": {"message": "response_format is not supported", "code": None}}))
                return
            name = class_in(body)
            turns = endpoint.told[name]
            act = turns.pop(0) if turns else endpoint.otherwise
            time.sleep(endpoint.delay_s)
            act(self, body)
            endpoint.answered[number] = True

    def send(
        self,
        status: int,
        content: str | bytes,
        *,
        kind: str = "application/json",
        headers: Mapping[str, str] | None = None,
        length: int | None = None,
    ) -> None:
        whole = content.encode() if isinstance(content, str) else content
        self.send_response(status)
        for key, value in {"Content-Type": kind, **(headers or {})}.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(whole) if length is None else length))
        self.end_headers()
        self.wfile.write(whole)

    def reset(self) -> None:
        """Close so that the other side gets a reset."""
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()


Act = Callable[[Handler, dict[str, Any]], None]


def class_in(body: Mapping[str, Any]) -> str:
    lines = body["messages"][1]["content"].splitlines()
    return next(line.removeprefix("Class: ") for line in lines if line.startswith("Class: "))


def reply(content: object, **options: Any) -> Act:
    return lambda handler, body: handler.send(200, json.dumps(completion(content, **options)))


def status(code: int, message: str = "no", *, headers: Mapping[str, str] | None = None, name: str | None = None) -> Act:
    text = json.dumps({"error": {"message": message, "type": name, "code": name}})
    return lambda handler, body: handler.send(code, text, headers=headers)


def raw(content: str | bytes, *, code: int = 200, kind: str = "application/json") -> Act:
    return lambda handler, body: handler.send(code, content, kind=kind)


def good(handler: Handler, body: dict[str, Any]) -> None:
    name = class_in(body)
    handler.send(200, json.dumps(completion(json.dumps({"class": name, "steps": good_steps(name)}))))


def stall(handler: Handler, body: dict[str, Any]) -> None:
    handler.server.endpoint.closing.wait()
    handler.close_connection = True


def trickle(handler: Handler, body: dict[str, Any]) -> None:
    """A body that never stops coming, a byte at a time."""
    handler.send(200, "{", length=10**6)
    try:
        while not handler.server.endpoint.closing.wait(0.02):
            handler.wfile.write(b" ")
            handler.wfile.flush()
    except OSError:
        handler.close_connection = True


def reset_in_body(handler: Handler, body: dict[str, Any]) -> None:
    handler.send(200, '{"choices": [', length=5000)
    handler.reset()


def hang_up(handler: Handler, body: dict[str, Any]) -> None:
    handler.reset()


def end_in_body(handler: Handler, body: dict[str, Any]) -> None:
    handler.send(200, '{"choices": [', length=5000)
    handler.close_connection = True


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    endpoint: "FakeEndpoint"

    def handle_error(self, request: object, client_address: object) -> None:
        pass  # the client went away, as some tests want it to


class FakeEndpoint:
    """Use with ``with``. ``told[class]`` are the acts for that class in turn; then ``otherwise``."""

    def __init__(self, *, schema: bool = True, delay_s: float = 0.0) -> None:
        self.schema, self.delay_s = schema, delay_s
        self.told: defaultdict[str, list[Act]] = defaultdict(list)
        self.otherwise: Act = good
        self.models = json.dumps({"object": "list", "data": [{"id": "small", "object": "model"}]})
        self.bodies: list[dict[str, Any]] = []
        self.answered: dict[int, bool] = {}
        self.most_at_once = 0
        self.closing = threading.Event()
        self._at_once = 0
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), Handler)
        self._server.endpoint = self
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    @property
    def asked(self) -> list[str]:
        """The class of each request, in order of arrival."""
        return [class_in(body) for body in self.bodies]

    def working(self, body: dict[str, Any]) -> "_Working":
        return _Working(self, body)

    def enter(self, body: dict[str, Any]) -> int:
        with self._lock:
            self.bodies.append(body)
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
            return len(self.bodies) - 1

    def leave(self) -> None:
        with self._lock:
            self._at_once -= 1

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Working:
    def __init__(self, endpoint: FakeEndpoint, body: dict[str, Any]) -> None:
        self.endpoint, self.body = endpoint, body

    def __enter__(self) -> int:
        return self.endpoint.enter(self.body)

    def __exit__(self, *_: object) -> None:
        self.endpoint.leave()
