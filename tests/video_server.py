"""A video site on loopback that misbehaves as real ones do: each video's address has a list of behaviours."""

import math
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

WHOLE = "whole"


class VideoServer(ThreadingHTTPServer):
    """``serve(id, content, *behaviours)``: the n-th GET behaves as the n-th behaviour, further ones as the last.

    Behaviours: "whole"; "half" (the connection ends in the middle of what was announced); "unsaid half" (half, and no
    length announced); "stall" (half, then silence); "reset"; a status such as 404; "retry" (429, Retry-After: 7);
    "retry at" (429, Retry-After: a date in 30 s); "redirect"; "circle" (redirects to itself); "page" (HTML that says
    so); "page as video" (HTML that says video/mp4); "slow"; "no rest" (416 to whoever asks for a part of it);
    "odd length" (the length announced is no number).
    """

    daemon_threads = True
    address_family = socket.AF_INET

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.videos: dict[str, bytes] = {}
        self.plans: dict[str, list[Any]] = {}
        self.requests: list[tuple[str, str]] = []  # id and the Range header of every GET
        self.cookies: list[str] = []
        self.pieces = 0  # of "slow" videos, as many as were sent
        self.until = math.inf  # and as many as may be sent for now
        self.lock = threading.Lock()
        self.closing = threading.Event()

    @property
    def template(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/{{youtube_id}}"

    def serve(self, youtube_id: str, content: bytes, *behaviours: Any) -> None:
        self.videos[youtube_id] = content
        self.plans[youtube_id] = list(behaviours or [WHOLE])

    def asked(self, youtube_id: str) -> list[str]:
        return [span for name, span in self.requests if name == youtube_id]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is part of the game."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: VideoServer
    PAGE: ClassVar[bytes] = b"<!DOCTYPE html><html><head><title>Sign on</title></head><body>wifi</body></html>"

    def log_message(self, format: str, *args: Any) -> None: ...

    def do_GET(self) -> None:
        name = self.path.strip("/").removeprefix("moved-")
        span = self.headers.get("Range") or ""
        with self.server.lock:
            self.server.requests.append((name, span))
            self.server.cookies += [self.headers["Cookie"]] if "Cookie" in self.headers else []
            plan = self.server.plans.get(name, [404])
            behaviour = plan.pop(0) if len(plan) > 1 else plan[0]
        content = self.server.videos.get(name, b"")
        if behaviour == "redirect" and "moved-" not in self.path:
            self._head(302, {"Location": f"/moved-{name}", "Content-Length": "0"})
        elif behaviour == "circle":
            self._head(302, {"Location": self.path, "Content-Length": "0"})
        elif behaviour in ("retry", "retry at"):
            when = "7" if behaviour == "retry" else formatdate(time.time() + 30, usegmt=True)
            self._head(429, {"Content-Length": "0", "Retry-After": when})
        elif isinstance(behaviour, int) or (behaviour == "no rest" and span):
            self._head(416 if behaviour == "no rest" else behaviour, {"Content-Length": "0"})
        elif behaviour == "odd length":
            self._head(200, {"Content-Type": "video/mp4", "Content-Length": "much"})
            self.close_connection = True
        elif behaviour == "reset":
            self._reset()
        elif behaviour in ("page", "page as video"):
            kind = "text/html" if behaviour == "page" else "video/mp4"
            self._head(200, {"Content-Type": kind, "Content-Length": str(len(self.PAGE))})
            self.wfile.write(self.PAGE)
        else:
            self._send(content, span, str(behaviour))

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.end_headers()

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def _send(self, content: bytes, span: str, behaviour: str) -> None:
        start = int(span.removeprefix("bytes=").split("-")[0]) if span else 0
        if span and start >= len(content):
            self._head(416, {"Content-Length": "0", "Content-Range": f"bytes */{len(content)}"})
            return
        headers = {"Content-Type": "video/mp4", "Accept-Ranges": "bytes"}
        if behaviour != "unsaid half":
            headers["Content-Length"] = str(len(content) - start)
        if span:
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        self._head(206 if span else 200, headers)
        whole = behaviour in (WHOLE, "redirect", "slow", "no rest")
        end = len(content) if whole else start + (len(content) - start) // 2
        step = max(1, len(content) // 20) if behaviour == "slow" else len(content)
        for place in range(start, end, step):
            while behaviour == "slow" and self.server.pieces >= self.server.until:
                if self.server.closing.wait(0.002):
                    return
            self.wfile.write(content[place : min(end, place + step)])
            if behaviour == "slow":
                time.sleep(0.01)
                with self.server.lock:
                    self.server.pieces += 1
        self.wfile.flush()
        if behaviour == "stall":
            self.server.closing.wait(5)
        if end < len(content):
            self.close_connection = True


@contextmanager
def video_server() -> Iterator[VideoServer]:
    """A server that runs until the block ends."""
    server = VideoServer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.closing.set()
        server.shutdown()
        thread.join()
        server.server_close()
