"""The explorer in the browser, by mouse and by keyboard. What it shows is what the method gives, worked out by hand."""

import base64
import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import expect

from browser.by_hand import ByHand
from browser.conftest import VIEWPORT, NewPage, watched
from browser.explorer_page import MAKE, Explorer, faults, nearest_frame, number, tab_to
from browser.notebook_page import NotebookPage, settle

FIRST, KARATE = "test-00000", "test-00120"
NOTEBOOK = """() => {
  const notebook = window.jupyterapp.shell.currentWidget.content;
  return [notebook.widgets.length, notebook.activeCellIndex, notebook.mode];
}"""


@pytest.fixture(scope="module")
def opened(new_page: NewPage) -> Iterator[NotebookPage]:
    """The explorer's notebook, opened and run once. Its first clip and others are in the tree's sample."""
    with new_page() as notebook:
        notebook.open("explorer.ipynb")
        notebook.run_all()
        yield notebook


@pytest.fixture
def explorer(opened: NotebookPage, request: pytest.FixtureRequest) -> Iterator[Explorer]:
    """A new explorer: its cell is run again for each test."""
    with watched(opened, request.node):
        opened.run_cell(MAKE)
        made = Explorer(opened)
        expect(made.status).to_contain_text("Best of 5")
        made.root.scroll_into_view_if_needed()
        yield made


@pytest.fixture(scope="module")
def first(tree: Path) -> ByHand:
    return ByHand(tree / "data" / "sample", FIRST)


@pytest.fixture(scope="module")
def karate(tree: Path, first: ByHand) -> ByHand:
    return ByHand(tree / "data" / "sample", KARATE, encoder=first.encoder)


def test_it_starts_with_the_methods_own_ranking_and_leaves_a_picture_in_the_file(
    explorer: Explorer, first: ByHand
) -> None:
    explorer.shows(first.ranking())
    answer = explorer.root.locator(".actalign-ranking tr", has_text="answer").locator(".actalign-class")
    assert answer.all_inner_texts() == [first.answer]
    outputs = explorer.page.evaluate(
        "cell => window.jupyterapp.shell.currentWidget.content.widgets.find("
        "widget => widget.model.sharedModel.source.includes(cell)).model.outputs.toJSON()",
        MAKE,
    )
    shown = [output["data"] for output in outputs if "data" in output]
    assert len(shown) == 1 and "application/vnd.jupyter.widget-view+json" in shown[0]
    with Image.open(io.BytesIO(base64.b64decode(shown[0]["image/png"]))) as picture:
        assert picture.width > 1000 and len(picture.convert("L").getcolors() or [0] * 256) > 50
    explorer.notebook.screenshot("explorer_start")


def test_a_slider_moved_by_mouse_changes_the_ranking_and_reset_brings_it_back(
    explorer: Explorer, karate: ByHand
) -> None:
    explorer.choice("Sport").select_option("karate")
    before = karate.ranking()
    explorer.shows(before)
    track = explorer.slider("Width w").locator(".noUi-base").bounding_box()
    handle = explorer.handle("Width w").bounding_box()
    assert track and handle
    y = handle["y"] + handle["height"] / 2
    explorer.page.mouse.move(handle["x"] + handle["width"] / 2, y)
    explorer.page.mouse.down()
    explorer.page.mouse.move(track["x"] + 0.45 * track["width"], y, steps=20)
    explorer.page.mouse.up()
    width = int(explorer.readout("Width w"))
    after = karate.ranking(width=width)
    assert width > 20 and after[0][0] != before[0][0] == karate.answer
    explorer.shows(after)
    expect(explorer.status).to_contain_text(f"the answer, {karate.answer}, is in place 2")
    explorer.notebook.screenshot("explorer_slider")
    explorer.button("Reset sliders").click()
    explorer.shows(before)
    assert explorer.readout("Width w") == "1"


def test_a_click_on_a_map_names_that_cell_and_shows_that_frame(explorer: Explorer, first: ByHand) -> None:
    shown = [name for name, _ in first.ranking()[:2]]
    box = explorer.picture.bounding_box()
    assert box and first.answer == shown[0]
    seen = []
    for across, down in ((0.42, 0.3), (0.66, 0.8)):
        x, y = box["x"] + across * box["width"], box["y"] + down * box["height"]
        before = explorer.cell.inner_text()
        explorer.page.mouse.click(x, y)
        expect(explorer.cell).not_to_have_text(before)
        frame, frames, seconds, letter, step, words, value, verdict = explorer.cell_words()
        column, row, name = int(frame) - 1, int(step) - 1, shown["AB".index(letter)]
        assert int(frames) == len(first.times_s)
        assert float(seconds) == pytest.approx(first.times_s[column], abs=0.006)
        assert words == first.scripts[name].steps[row]
        affinity_kt = first.maps()[name]
        assert number(value) == pytest.approx(affinity_kt[row, column], rel=5e-3)
        assert verdict in ("on the path", "not on the path")
        cursor = explorer.root.locator(".actalign-cursor").bounding_box()
        assert cursor and cursor["x"] - 6 <= x <= cursor["x"] + cursor["width"] + 6
        assert cursor["y"] - 2 <= y <= cursor["y"] + cursor["height"] + 2
        settle(explorer.page, lambda: nearest_frame(explorer, first.frames_thwc), column)
        seen.append((letter, column))
    assert [letter for letter, _ in seen] == ["A", "B"] and seen[0][1] < seen[1][1]
    explorer.notebook.screenshot("explorer_cell")


def test_other_words_for_a_step_move_the_score_and_can_be_taken_back(explorer: Explorer, first: ByHand) -> None:
    before, words = first.ranking(), "falling on the ice"
    text = explorer.root.get_by_role("textbox", name="Text", exact=True)
    expect(text).to_have_value(first.scripts[first.answer].steps[0])
    text.fill(words)
    text.press("Enter")
    after = first.ranking(edited={(first.answer, 1): words})
    assert after[0][0] != before[0][0] == first.answer
    explorer.shows(after)
    explorer.notebook.screenshot("explorer_edited")
    explorer.button("Restore texts").click()
    explorer.shows(before)
    expect(text).to_have_value(first.scripts[first.answer].steps[0])


def test_words_typed_before_a_click_on_another_step_stay_with_theirs(explorer: Explorer, first: ByHand) -> None:
    words, box = "falling on the ice", explorer.picture.bounding_box()
    text = explorer.root.get_by_role("textbox", name="Text", exact=True)
    text.select_text()
    text.press_sequentially(words)
    assert box
    explorer.page.mouse.click(box["x"] + 0.5 * box["width"], box["y"] + 0.4 * box["height"])
    explorer.shows(first.ranking(edited={(first.answer, 1): words}))
    expect(explorer.map).to_be_focused()
    assert not explorer.map.evaluate("map => map.matches(':focus-visible')"), "an outline is for those who use keys"
    settle(explorer.page, lambda: int(explorer.cell_words()[4]) > 1, True)  # the click is heard after the words
    chosen = int(explorer.cell_words()[4])
    expect(text).to_have_value(first.scripts[first.answer].steps[chosen - 1])
    explorer.button("Restore texts").click()
    explorer.shows(first.ranking())


def test_two_candidates_are_compared_and_the_kernel_knows_what_is_shown(explorer: Explorer, first: ByHand) -> None:
    last = first.ranking()[-1][0]
    explorer.choice("Map B").select_option(last)
    expect(explorer.root.locator(".actalign-ranking tr", has=explorer.page.get_by_label("map B"))).to_contain_text(last)
    expect(explorer.map).to_have_accessible_name(re.compile(rf"Map A: {first.answer}, .*Map B: {last}, "))
    explorer.root.get_by_role("checkbox", name="Name the sport in every step").uncheck()
    explorer.shows(first.ranking(context=False))
    explorer.notebook.screenshot("explorer_compared")
    explorer.notebook.run_cell("explorer.view.ranking")
    expect(explorer.notebook.output("explorer.view.ranking")).to_contain_text(first.ranking(context=False)[0][0])
    explorer.choice("Map B").select_option("nothing")
    expect(explorer.map).to_have_accessible_name(re.compile(r"^(?!.*Map B)"))
    expect(explorer.choice("Map B").locator("option:checked")).to_have_text("nothing")


def test_the_clip_plays_with_its_steps_as_captions(explorer: Explorer, first: ByHand) -> None:
    explorer.button("Play with captions").click()
    video = explorer.root.locator("video")
    expect(video).to_be_visible(timeout=20_000)
    explorer.page.wait_for_function("video => video.currentTime > 0.2", arg=video.element_handle(), timeout=20_000)
    duration = video.evaluate("video => video.error === null ? video.duration : 0")
    assert duration == pytest.approx(len(first.times_s) / 15, abs=0.2)
    expect(explorer.root.locator(".actalign-video-text")).to_contain_text(first.answer)
    explorer.notebook.screenshot("explorer_playing")


def test_it_is_used_by_keyboard_alone(explorer: Explorer, first: ByHand) -> None:
    page, keys = explorer.page, explorer.page.keyboard
    explorer.choice("Sport").focus()
    tab_to(explorer.handle("Width w"), page)
    keys.press("PageUp")
    keys.press("ArrowRight")
    width = int(explorer.readout("Width w"))
    assert width > 1
    explorer.shows(first.ranking(width=width))
    tab_to(explorer.root.get_by_role("checkbox"), page)
    keys.press("Space")
    explorer.shows(first.ranking(width=width, context=False))
    tab_to(explorer.button("Reset sliders"), page)
    keys.press("Enter")
    explorer.shows(first.ranking())
    tab_to(explorer.map, page)
    explorer.notebook.screenshot("explorer_keyboard")
    for key, frame, step in (("Home", 1, 1), ("ArrowRight", 2, 1), ("Shift+ArrowRight", 12, 1), ("ArrowDown", 12, 2)):
        keys.press(key)
        settle(page, lambda: [explorer.cell_words()[at] for at in (0, 3, 4)], [str(frame), "A", str(step)])


def test_the_notebook_keeps_its_hands_off_the_keys(explorer: Explorer, karate: ByHand) -> None:
    """JupyterLab's own: x cuts the cell, a and b add one, m makes it text, arrows choose another."""
    notebook = explorer.page.evaluate(NOTEBOOK)
    explorer.choice("Sport").focus()
    explorer.page.keyboard.press("k")
    explorer.shows(karate.ranking())
    for target in (explorer.choice("Clip"), explorer.handle("Bias"), explorer.button("Reset sliders"), explorer.map):
        target.focus()
        for key in ("x", "a", "m", "ArrowDown", "ArrowUp"):
            explorer.page.keyboard.press(key)
            expect(target).to_be_focused()
    assert explorer.page.evaluate(NOTEBOOK) == notebook


def test_every_control_has_a_name_for_those_who_do_not_see_it(explorer: Explorer) -> None:
    controls = explorer.root.locator("select, input, button, [role=slider], [role=application]")
    assert controls.count() > 15
    for control in controls.all():
        expect(control).to_have_accessible_name(re.compile(r"\w"))
    expect(explorer.root.locator('[title="null"]')).to_have_count(0)


@pytest.mark.parametrize("width", [700, 800, 1000, 1400, 1800])
def test_nothing_is_cut_or_covered(explorer: Explorer, width: int) -> None:
    explorer.page.set_viewport_size({"width": width, "height": 1000})
    explorer.notebook.screenshot(f"explorer_{width}")
    found = faults(explorer)
    explorer.page.set_viewport_size(VIEWPORT)
    assert found == []


@pytest.mark.parametrize(
    ("style", "fault"),
    [
        (".actalign-explorer button { max-width: 40px; overflow: hidden }", "cut: Reset sliders"),
        (".actalign-explorer .actalign-ranking { margin-top: -260px }", "TABLE covers "),
        (".actalign-explorer .actalign-map { margin-right: -900px; min-width: 1800px }", "beyond the edge: DIV"),
    ],
    ids=["cut", "covered", "beyond"],
)
def test_what_is_cut_or_covered_is_noticed(explorer: Explorer, style: str, fault: str) -> None:
    added = explorer.page.add_style_tag(content=style)
    found = faults(explorer)
    added.evaluate("style => style.remove()")
    assert any(line.startswith(fault) for line in found)
