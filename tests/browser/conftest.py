"""Fixtures: one server and one browser for all tests, a fresh tab for each, and no tolerance for what breaks in it."""

import os
import re
import shutil
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pandas as pd
import pytest
from playwright.sync_api import Browser, ViewportSize, sync_playwright

import actalign
from browser.chromium import launch
from browser.lab_server import LabServer, lab_server
from browser.notebook_page import NotebookPage

PROJECT = Path(actalign.__file__).resolve().parents[1]
VIEWPORT: ViewportSize = {"width": 1400, "height": 1000}
WAIT_MS = 10_000
EVERY = 40  # question of the sample
QUIET = {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}
FAILED = pytest.StashKey[bool]()
NewPage = Callable[[], AbstractContextManager[NotebookPage]]


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project as after a fresh clone, nothing computed; of the sample only some clips, so that all is quick."""
    root = tmp_path_factory.mktemp("browser") / "project"
    shutil.copytree(PROJECT / "notebooks", root / "notebooks", ignore=shutil.ignore_patterns(".*"))
    sample, whole = root / "data" / "sample", PROJECT / "data" / "sample"
    sample.mkdir(parents=True)
    for path in whole.iterdir():
        if path.suffix not in (".csv", ".sha256"):
            (sample / path.name).symlink_to(path)
    kept = pd.read_csv(whole / "questions.csv")["clip_id"][::EVERY]
    for name in ("clips", "questions", "frame_labels"):
        table = pd.read_csv(whole / f"{name}.csv", dtype=str)
        table[table["clip_id"].isin(kept)].to_csv(sample / f"{name}.csv", index=False)
    return root


@pytest.fixture(scope="session")
def server(tree: Path) -> Iterator[LabServer]:
    """JupyterLab over the tree's notebooks."""
    variables = {**QUIET, "ACTALIGN_ROOT": str(tree), "PYTHONPATH": str(PROJECT)}
    with lab_server(tree.parent / "jupyter", root=tree / "notebooks", variables=variables) as running:
        yield running


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = launch(playwright)
        yield started
        started.close()


@pytest.fixture(scope="session")
def screenshots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pictures go: ``ACTALIGN_SCREENSHOTS`` or a temporary folder."""
    asked = os.environ.get("ACTALIGN_SCREENSHOTS")
    return Path(asked).resolve() if asked else tmp_path_factory.mktemp("screenshots")


@pytest.fixture(scope="session")
def new_page(server: LabServer, browser: Browser, screenshots: Path) -> NewPage:
    """Opens a fresh tab; at the end of the block it is closed and its kernel ended."""

    @contextmanager
    def opened() -> Iterator[NotebookPage]:
        context = browser.new_context(viewport=VIEWPORT, locale="en-GB", reduced_motion="reduce")
        context.set_default_timeout(WAIT_MS)
        shown = NotebookPage(context.new_page(), server, screenshots)
        yield shown
        context.close()
        server.end_kernels()

    return opened


@pytest.fixture
def page(new_page: NewPage, request: pytest.FixtureRequest) -> Iterator[NotebookPage]:
    """A fresh tab for one test."""
    with new_page() as shown, watched(shown, request.node):
        yield shown


@contextmanager
def watched(page: NotebookPage, test: pytest.Item) -> Iterator[None]:
    """Whatever breaks in the page, or in a kernel behind it, fails the test; a picture of a failure is kept."""
    page.complaints.heard()
    yield
    if test.stash.get(FAILED, False):
        name = re.sub(r"\W+", "_", f"failed_{test.name}")
        print(f"the page when the test failed: {page.screenshot(name)}")
    assert page.complaints.heard() == []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.when == "call":
        item.stash[FAILED] = report.failed
    return report
