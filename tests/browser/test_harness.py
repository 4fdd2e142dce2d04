"""The harness itself: it must notice what it is there to notice."""

import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from browser.chromium import HOW, find_chromium
from browser.lab_server import lab_environment, lab_server
from browser.notebook_page import Complaints, NotebookPage, settle


@pytest.mark.parametrize(("program", "message"), [(None, "is on the path"), ("/nowhere/chromium", "is not a file")])
def test_a_missing_browser_fails_and_says_how_to_install_one(
    program: str | None, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("ACTALIGN_BROWSER", raising=False)
    if program:
        monkeypatch.setenv("ACTALIGN_BROWSER", program)
    with pytest.raises(pytest.fail.Exception, match=message) as failure:
        find_chromium()
    assert HOW in str(failure.value)


def test_the_browser_asked_for_is_the_one_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = tmp_path / "mine"
    mine.touch()
    monkeypatch.setenv("ACTALIGN_BROWSER", str(mine))
    assert find_chromium() == str(mine)


@pytest.mark.parametrize(
    ("script", "complaint"),
    [
        ("console.error('the widget broke')", "console: the widget broke"),
        ("setTimeout(() => { throw new Error('no model') })", "exception: no model"),
        ("fetch('/missing')", "refused: GET http://127.0.0.1:9/missing: 404"),
        ("fetch('http://elsewhere.invalid/x').catch(() => 0)", "left the machine: http://elsewhere.invalid/x"),
        ("fetch('/dropped').catch(() => 0)", "failed: GET http://127.0.0.1:9/dropped: net::ERR_FAILED"),
    ],
)
def test_what_breaks_in_a_page_is_noticed(browser: Browser, tmp_path: Path, script: str, complaint: str) -> None:
    context = browser.new_context()
    tab = context.new_page()
    tab.route("http://127.0.0.1:9/", lambda route: route.fulfill(status=200, body=""))
    tab.route("http://127.0.0.1:9/missing", lambda route: route.fulfill(status=404))
    tab.route("http://127.0.0.1:9/dropped", lambda route: route.abort())
    tab.route("http://elsewhere.invalid/*", lambda route: route.fulfill(status=200, body=""))
    log = tmp_path / "log"
    log.write_text("Traceback (most recent call last) of another test")
    complaints = Complaints(tab, origin="127.0.0.1:9", log=log)
    tab.goto("http://127.0.0.1:9/")
    assert complaints.heard() == []
    tab.evaluate(f"{script}; 0")
    found: set[str] = set()

    def heard() -> bool:
        found.update(complaints.heard())
        return complaint in found

    settle(tab, heard, True)
    context.close()


def test_an_exception_in_a_kernel_is_noticed_once(browser: Browser, tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.touch()
    tab = browser.new_page()
    complaints = Complaints(tab, origin="127.0.0.1:9", log=log)
    with log.open("a") as file:
        file.write("[I] all is well\nTraceback (most recent call last):\nKeyError: 'widget'\n")
    (complaint,) = complaints.heard()
    assert "KeyError: 'widget'" in complaint
    assert complaints.heard() == []
    tab.close()


def test_a_cell_that_fails_is_an_error_with_its_words(page: NotebookPage, tree: Path) -> None:
    cell = '{"cell_type": "code", "execution_count": null, "id": "a", "metadata": {}, "outputs": [], "source": "1 / 0"}'
    kernel = '{"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}'
    text = f'{{"cells": [{cell}], "metadata": {kernel}, "nbformat": 4, "nbformat_minor": 5}}'
    (tree / "notebooks" / "breaks.ipynb").write_text(text)
    page.open("breaks.ipynb")
    with pytest.raises(AssertionError, match="ZeroDivisionError: division by zero"):
        page.run_all()


def kernels(pid: int) -> list[int]:
    """Kernels that a process started."""
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,args="], capture_output=True, text=True, check=True).stdout
    rows = [line.split(maxsplit=2) for line in listed.splitlines()]
    return [int(child) for child, parent, command in rows if int(parent) == pid and "ipykernel" in command]


def alive(pid: int) -> bool:
    return subprocess.run(["ps", "-p", str(pid)], capture_output=True, check=False).returncode == 0


def test_the_server_leaves_no_process(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    with lab_server(tmp_path / "jupyter", root=tmp_path / "root", variables={}) as server:
        server.ask("api/kernels", method="POST")
        (kernel,) = kernels(server.pid)
        assert alive(server.pid) and alive(kernel)
    assert not alive(server.pid) and not alive(kernel)


def test_a_server_that_does_not_start_is_an_error_with_its_own_words(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    broken = {"PYTHONHOME": "/nowhere"}
    starting = lab_server(tmp_path / "jupyter", root=tmp_path / "root", variables=broken)
    with pytest.raises(RuntimeError, match=r"ended with 1(.|\n)*/nowhere"), starting:
        raise AssertionError("it started")


def test_jupyters_own_variables_do_not_reach_the_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_PATH", "/home/someone")
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", "/home/someone/.jupyter")
    environment = lab_environment(tmp_path, {"MINE": "1"}, token="secret")
    assert environment["JUPYTER_CONFIG_DIR"] == str(tmp_path / "config") and environment["MINE"] == "1"
    assert "JUPYTER_PATH" not in environment and environment["PATH"]
