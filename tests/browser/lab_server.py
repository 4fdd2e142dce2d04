"""A JupyterLab server on loopback: started in a folder, asked for its kernels, ended with all its processes."""

import json
import os
import secrets
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

READY_S, END_S = 60, 15
NEWS = "@jupyterlab/apputils-extension/notification.jupyterlab-settings"
# Nothing of the user's: no configuration, no settings, no extension, no news from outside.
OPTIONS = (
    "--no-browser",
    "--allow-root",
    "--ip=127.0.0.1",
    "--ServerApp.port=0",
    "--ServerApp.port_retries=0",
    "--ServerApp.terminals_enabled=False",
    "--ServerApp.jpserver_extensions=jupyter_lsp=True",  # JupyterLab asks it, and no configuration switches it on
    # Where the tests themselves are killed: kernels that nobody uses end, and after them the server.
    "--MappingKernelManager.cull_idle_timeout=600",
    "--ServerApp.shutdown_no_activity_timeout=600",
    "--LabApp.expose_app_in_browser=True",  # so that a test can ask what ran
    "--LabApp.extension_manager=readonly",
    "--LabApp.news_url=None",
    "--LabApp.check_for_updates_class=jupyterlab.handlers.announcements.NeverCheckForUpdate",
)


@dataclass(frozen=True)
class LabServer:
    """A running server: where it answers, what lets one in, and where it writes what it says."""

    url: str
    token: str
    pid: int
    log: Path

    def ask(self, path: str, *, method: str = "GET") -> Any:
        """What the server's own interface answers, such as ``ask("api/kernels")``; None where the answer is empty."""
        headers = {"Authorization": f"token {self.token}"}
        request = urllib.request.Request(f"{self.url}{path}", method=method, headers=headers)
        with urllib.request.urlopen(request, timeout=END_S) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def end_kernels(self) -> None:
        """Ends every notebook's kernel, so that each test pays for its own only."""
        for session in self.ask("api/sessions"):
            self.ask(f"api/sessions/{session['id']}", method="DELETE")


def lab_environment(folder: Path, variables: Mapping[str, str], *, token: str) -> dict[str, str]:
    """This process's environment, with all that Jupyter and IPython keep moved into ``folder``."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "IPYTHON"))}
    places = {
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
        "IPYTHONDIR": "ipython",
    }
    moved = {name: str(folder / place) for name, place in places.items()}
    # The token goes through the environment: arguments are shown to every user of the machine.
    return {**kept, **moved, "JUPYTER_NO_CONFIG": "1", "JUPYTER_TOKEN": token, **variables}


@contextmanager
def lab_server(folder: Path, *, root: Path, variables: Mapping[str, str]) -> Iterator[LabServer]:
    """JupyterLab of this interpreter over the notebooks in ``root``, until the block ends.

    ``folder`` takes what the server keeps and its log, ``variables`` are added to its environment and so to every
    kernel's.
    """
    news = folder / "settings" / NEWS
    news.parent.mkdir(parents=True)
    news.write_text('{"fetchNews": "false"}', encoding="utf-8")  # else the first page asks, over the notebook
    token, log = secrets.token_hex(16), folder / "server.log"
    with log.open("w", encoding="utf-8") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *OPTIONS, f"--ServerApp.root_dir={root}"],
            cwd=root, env=lab_environment(folder, variables, token=token),
            stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    try:
        yield _answering(process, folder / "runtime" / f"jpserver-{process.pid}.json", token=token, log=log)
    finally:
        _end(process)


def _answering(process: subprocess.Popen[bytes], note: Path, *, token: str, log: Path) -> LabServer:
    """The server once it answers. The note says where; it may be there before the server listens."""
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(FileNotFoundError, json.JSONDecodeError, urllib.error.URLError):
            server = LabServer(json.loads(note.read_text(encoding="utf-8"))["url"], token, process.pid, log)
            server.ask("api/status")
            return server
        time.sleep(0.05)
    state = "still starting" if process.poll() is None else f"ended with {process.returncode}"
    raise RuntimeError(f"JupyterLab did not answer within {READY_S} s ({state}):\n{log.read_text(encoding='utf-8')}")


def _end(process: subprocess.Popen[bytes]) -> None:
    """Asks the server to end, upon which it ends its kernels; then ends what is left of its process group."""
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=END_S)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
