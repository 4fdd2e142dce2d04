"""The explorer as the tests see it: its parts by their labels, what it shows, what is wrong with its layout."""

import base64
import io
import re

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from browser.notebook_page import NotebookPage, settle

MAKE = "explore(data"
CELL = re.compile(
    r"Frame (\d+) of (\d+), ([\d.]+) s\. ([AB]), step (\d+): (.*)\. Affinity ([\d.e\N{MINUS SIGN}]+), (.*)\.", re.S
)
PIXELS = """image => {
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
  canvas.getContext('2d').drawImage(image, 0, 0);
  return canvas.toDataURL().split(',')[1];
}"""


class Explorer:
    """The explorer on a page; its parts are found as a reader or a screen reader finds them, by their labels."""

    def __init__(self, notebook: NotebookPage):
        self.notebook, self.page = notebook, notebook.page
        self.root = notebook.output(MAKE).locator(".actalign-explorer")
        self.map, self.picture = self.root.locator(".actalign-map"), self.root.locator(".actalign-picture")
        self.status, self.cell = self.root.locator(".actalign-status"), self.root.locator(".actalign-cell")

    def choice(self, label: str) -> Locator:
        return self.root.get_by_label(label, exact=True)

    def slider(self, label: str) -> Locator:
        return self.root.locator(".widget-slider", has_text=label)

    def handle(self, label: str) -> Locator:
        return self.slider(label).get_by_role("slider")

    def readout(self, label: str) -> str:
        return self.slider(label).locator(".widget-readout").inner_text()

    def button(self, label: str) -> Locator:
        return self.root.get_by_role("button", name=label, exact=True)

    def ranking(self) -> list[tuple[str, float]]:
        """Names with scores from the top down, all read at once."""
        rows = self.root.locator(".actalign-ranking tbody tr").evaluate_all(
            "rows => rows.map(row => ['class', 'score'].map(part => row.querySelector('.actalign-' + part).innerText))"
        )
        return [(name, number(score)) for name, score in rows]

    def shows(self, ranking: list[tuple[str, float]]) -> None:
        """Waits for this ranking, in the table and in the line above it."""
        settle(self.page, self.ranking, [(name, pytest.approx(score, rel=2e-3)) for name, score in ranking])
        expect(self.status).to_contain_text(f"{ranking[0][0]}, score {self.ranking()[0][1]:.4f}")

    def cell_words(self) -> tuple[str, ...]:
        """What is said of the cell under the cursor: frame, frames, seconds, map, step, its words, value, verdict."""
        found = CELL.fullmatch(self.cell.inner_text())
        assert found, self.cell.inner_text()
        return found.groups()


def number(text: str) -> float:
    """What a printed number says: it has a minus sign, no hyphen."""
    assert "-" not in text
    return float(text.replace("\N{MINUS SIGN}", "-"))


def nearest_frame(explorer: Explorer, frames_thwc: NDArray[np.uint8]) -> int:
    """Which frame of the clip the frame on the screen is."""
    encoded = explorer.root.locator("img.actalign-frame").evaluate(PIXELS)
    with Image.open(io.BytesIO(base64.b64decode(encoded))) as image:
        height, width = frames_thwc.shape[1:3]
        shown = np.asarray(image.convert("RGB").resize((width, height)), dtype=np.float64)
    return int(np.abs(frames_thwc - shown).mean(axis=(1, 2, 3)).argmin())


def tab_to(target: Locator, page: Page) -> None:
    """Presses Tab until the target has the focus."""
    for _ in range(20):
        if target.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"20 tabs did not reach {target}")


def faults(explorer: Explorer) -> list[str]:
    """Texts that do not fit their box, parts that lie over each other, parts that reach out of the explorer."""
    cut = explorer.root.locator("label, button, .actalign-status, .actalign-class, .actalign-cell").evaluate_all(
        "all => all.filter(one => one.scrollWidth > one.clientWidth + 1).map(one => `cut: ${one.textContent}`)"
    )
    parts = explorer.root.locator(
        "select, input, button, .slider, .actalign-map, .actalign-ranking, img.actalign-frame"
    )
    boxes = parts.evaluate_all(
        "all => all.map(one => [one.tagName, one.getBoundingClientRect()]).filter(([name, box]) => box.width > 0)"
        ".map(([name, box]) => [name, box.left, box.top, box.right, box.bottom])"
    )
    root = explorer.root.bounding_box()
    assert root and len(boxes) > 15
    covers = [
        f"{other[0]} covers {one[0]}"
        for place, one in enumerate(boxes)
        for other in boxes[place + 1 :]
        if min(one[3], other[3]) - max(one[1], other[1]) > 1 and min(one[4], other[4]) - max(one[2], other[2]) > 1
    ]
    beyond = [f"beyond the edge: {box[0]}" for box in boxes if box[3] > root["x"] + root["width"] + 1]
    return [*cut, *covers, *beyond]
