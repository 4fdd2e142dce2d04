"""Which browser the tests drive, and how it is started."""

import os
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
HOW = (
    "install one (Debian: apt-get install chromium; macOS: brew install --cask chromium), "
    "or set ACTALIGN_BROWSER to the program of a Chromium or Chrome"
)
# The sandbox needs a user that is not root; the rest keeps the browser from doing anything by itself.
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def find_chromium() -> str:
    """The browser's program: ``ACTALIGN_BROWSER`` or the first Chromium on the path. Without one the test fails."""
    asked = os.environ.get("ACTALIGN_BROWSER")
    if asked:
        if not Path(asked).is_file():
            pytest.fail(f"ACTALIGN_BROWSER is {asked}, which is not a file; {HOW}", pytrace=False)
        return asked
    found = next((path for path in map(shutil.which, NAMES) if path), None)
    if found is None:
        pytest.fail(f"none of {', '.join(NAMES)} is on the path; {HOW}", pytrace=False)
    return found


def launch(playwright: Playwright) -> Browser:
    """A headless browser."""
    return playwright.chromium.launch(executable_path=find_chromium(), args=list(ARGUMENTS), headless=True)
