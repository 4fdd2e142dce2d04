"""The table from a stand-in for the hub on loopback, through the real library, each time in a process of its own."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from atlas_copy import atlas_row, write_parquet

from actalign.datasets.actionatlas.metadata import HUB_ID

COMMIT = "a" * 40
DATA = "data/test-00000-of-00001.parquet"
READ = """
from actalign.datasets.actionatlas.metadata import read_hub
from actalign.errors import ActAlignError

try:
    metadata = read_hub()
    print(metadata.revision, metadata.asked_for, len(metadata.rows), *(len(row.regions) for row in metadata.rows))
except ActAlignError as error:
    print(error)
"""


class _Hub(BaseHTTPRequestHandler):
    """As much of the hub's interface as reading one parquet file takes."""

    protocol_version = "HTTP/1.1"
    table = b""

    def log_message(self, format: str, *args: Any) -> None: ...

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = self.path.split("?")[0]
        api = f"/api/datasets/{HUB_ID}"
        if path in (api, f"{api}/revision/main", f"{api}/revision/{COMMIT}"):
            self._answer({"id": HUB_ID, "sha": COMMIT, "siblings": [{"rfilename": DATA}], "tags": []})
        elif path == f"{api}/tree/{COMMIT}":
            self._answer([{"type": "directory", "oid": "b" * 40, "size": 0, "path": "data"}])
        elif path == f"{api}/tree/{COMMIT}/data":
            self._answer([{"type": "file", "oid": "b" * 40, "size": len(self.table), "path": DATA}])
        elif path == f"/datasets/{HUB_ID}/resolve/{COMMIT}/{DATA}":
            self._send(200, self.table, {"ETag": f'"{"c" * 40}"', "X-Repo-Commit": COMMIT})
        else:
            self._send(404, b"", {"X-Error-Code": "EntryNotFound"})

    def _answer(self, value: object) -> None:
        self._send(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _send(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[str]:
    table = write_parquet(tmp_path / "table.parquet", [atlas_row(number) for number in range(4)])
    handler = type("Hub", (_Hub,), {"table": table.read_bytes()})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def read(endpoint: str, cache: Path, *, offline: bool = False) -> str:
    settings = {"HF_ENDPOINT": endpoint, "HF_HOME": str(cache), "HF_HUB_OFFLINE": str(int(offline))}
    done = subprocess.run(
        [sys.executable, "-c", READ],
        env={**os.environ, **settings, "HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_TELEMETRY": "1"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_table_is_read_from_the_hub_and_its_commit_recorded(hub: str, tmp_path: Path) -> None:
    assert read(hub, tmp_path / "cache") == f"{COMMIT} main 4 2 0 0 2\n"


def test_a_hub_out_of_reach_is_one_clear_error(tmp_path: Path) -> None:
    message = read("http://127.0.0.1:9", tmp_path / "cache", offline=True)  # online, the library itself waits longer
    assert message.startswith(f"cannot read {HUB_ID} (revision 'main') from the hub: Couldn't reach")
    assert message.endswith("check the network, or give a parquet or JSONL copy by its path\n")
