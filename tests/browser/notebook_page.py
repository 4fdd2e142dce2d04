"""One notebook open in the browser: run it, read what it shows, keep what went wrong."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Locator, Page, Request, Response, expect

from browser.lab_server import LabServer

OPEN_MS, RUN_MS, SETTLE_MS = 60_000, 180_000, 20_000
TRACEBACK = b"Traceback (most recent call last)"
# Read from the notebook's own model: on the page an error looks like any other line on stderr.
NUMBER = """() => Math.max(0, ...window.jupyterapp.shell.currentWidget.content.widgets.map(
  widget => widget.model.executionCount ?? 0))"""
# Something ran after number `before`, the kernel rests, and each code cell has its number or one has failed.
# Gives the errors.
RAN = """before => {
  const panel = window.jupyterapp.shell.currentWidget;
  const models = panel.content.widgets.map(widget => widget.model).filter(model => model.type === 'code');
  const errors = models.flatMap(model => model.outputs.toJSON()).filter(output => output.output_type === 'error');
  const numbers = models.map(model => model.executionCount);
  const ran = errors.length > 0 || numbers.every(number => number !== null);
  const rests = panel.sessionContext.session.kernel.status === 'idle';
  return ran && rests && Math.max(...numbers) > before ? errors.map(error => `${error.ename}: ${error.evalue}`) : null;
}"""


class Complaints:
    """What a page did that a reader would call broken, each as a line; none for a sound page.

    Errors on the console, exceptions, requests that failed or were refused, requests to another machine than
    ``origin`` (host and port), and exceptions in the server and its kernels, whose ``log`` that is.
    """

    def __init__(self, page: Page, *, origin: str, log: Path):
        self._origin, self._log, self._read = origin, log, log.stat().st_size
        self._found: list[str] = []
        page.on("console", self._console)
        page.on("pageerror", lambda error: self._found.append(f"exception: {error}"))
        page.on("request", self._request)
        page.on("requestfailed", self._failed)
        page.on("response", self._response)

    def heard(self) -> list[str]:
        """The complaints since the last call."""
        said = self._log.read_bytes()[self._read :]
        self._read += len(said)
        if TRACEBACK in said:
            self._found.append(f"in the server or a kernel: {said.decode(errors='replace')}")
        found, self._found = self._found, []
        return found

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self._found.append(f"console: {message.text}")

    def _request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in ("data", "blob") and parts.netloc != self._origin:
            self._found.append(f"left the machine: {request.url}")

    def _failed(self, request: Request) -> None:
        # The browser itself aborts what a closed or replaced page still asked for.
        if request.failure != "net::ERR_ABORTED":
            self._found.append(f"failed: {request.method} {request.url}: {request.failure}")

    def _response(self, response: Response) -> None:
        if response.status >= 400:
            self._found.append(f"refused: {response.request.method} {response.url}: {response.status}")


class NotebookPage:
    """A browser tab, ``page``, with JupyterLab; ``screenshots`` is the folder that pictures go to."""

    def __init__(self, page: Page, server: LabServer, screenshots: Path):
        self.page, self.server, self.screenshots = page, server, screenshots
        self.complaints = Complaints(page, origin=urlsplit(server.url).netloc, log=server.log)

    def open(self, name: str) -> None:
        """Opens a notebook of the server's folder and waits for its kernel."""
        self.page.goto(f"{self.server.url}lab/tree/{name}?reset&token={self.server.token}")
        # The notebook's own sign shows "idle" before there is a kernel; the line at the bottom names the kernel.
        expect(self.page.locator("#jp-bottom-panel")).to_contain_text(" | Idle", timeout=OPEN_MS)

    def run_all(self) -> None:
        """Runs every cell by the menu and waits; a cell that fails is an AssertionError with its words."""
        with self._run():
            self.page.get_by_role("menuitem", name="Run", exact=True).click()
            self.page.get_by_role("menuitem", name="Run All Cells", exact=True).click()

    def run_cell(self, cell: str) -> None:
        """Runs the code cell that has ``cell`` in its source, as one who clicks into it and presses Control+Enter."""
        with self._run():
            self._cell(cell).locator(".cm-content").click()
            self.page.keyboard.press("Control+Enter")

    @contextmanager
    def _run(self) -> Iterator[None]:
        before = self.page.evaluate(NUMBER)
        yield
        errors = self.page.wait_for_function(RAN, arg=before, polling=100, timeout=RUN_MS).json_value()
        assert not errors, errors

    def output(self, cell: str) -> Locator:
        """What the code cell that has ``cell`` in its source shows."""
        return self._cell(cell).locator(".jp-Cell-outputArea")

    def _cell(self, cell: str) -> Locator:
        return self.page.locator(".jp-CodeCell").filter(has=self.page.locator(".jp-InputArea", has_text=cell))

    def screenshot(self, name: str, of: Locator | None = None) -> Path:
        """A picture of the page, or of one part of it."""
        path = self.screenshots / f"{name}.png"
        self.screenshots.mkdir(parents=True, exist_ok=True)
        if of is None:
            self.page.screenshot(path=path)
        else:
            of.screenshot(path=path)
        return path


def table_rows(table: Locator) -> list[dict[str, str]]:
    """The rows of an HTML table, each as {column: text}."""
    header = [text.strip() for text in table.locator("thead th").all_inner_texts()]
    rows = table.locator("tbody tr").all()
    cells = [[text.strip() for text in row.locator("th, td").all_inner_texts()] for row in rows]
    return [dict(zip(header, texts, strict=True)) for texts in cells]


def settle(page: Page, read: Callable[[], Any], wanted: Any) -> None:
    """Waits until ``read()`` equals ``wanted``; if it never does, the assertion shows both."""
    deadline = time.monotonic() + SETTLE_MS / 1000
    while read() != wanted and time.monotonic() < deadline:
        page.wait_for_timeout(30)  # lets the browser's events come in meanwhile
    shown = read()
    assert shown == wanted, f"shown: {shown}\nwanted: {wanted}"
