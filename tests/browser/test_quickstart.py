"""The first notebook of a reader, run in the browser: what it shows there is asserted."""

from pathlib import Path

from playwright.sync_api import expect

from actalign.datasets.folder import read_folder
from browser.notebook_page import NotebookPage, table_rows


def test_the_quickstart_shows_its_ranking_its_question_and_its_picture(page: NotebookPage, tree: Path) -> None:
    page.open("00_quickstart.ipynb")
    page.run_all()
    data = read_folder(tree / "data" / "sample", verify=False)
    question = data.questions[0]
    rows = table_rows(page.output("ranked.style").locator("table"))
    assert {row["class"] for row in rows} == set(question.candidates) and len(rows) == len(question.candidates)
    scores = [float(row["score"]) for row in rows]
    assert scores == sorted(scores, reverse=True) and 0 < scores[-1] < scores[0] < 1
    assert [row["class"] for row in rows if row["is_answer"] == "True"] == [question.truth]
    scripts = data.scripts["context_rich"]
    assert {row["class"]: int(row["sub-actions"]) for row in rows} == {
        name: len(scripts[name]) for name in question.candidates
    }
    shown = page.output("questions = {")
    expect(shown).to_contain_text(question.clip_id)
    picture = page.output("plots.candidates(").locator("img")
    expect(picture).to_have_count(1)
    assert picture.evaluate("image => image.complete && image.naturalWidth") > 500
    page.screenshot("quickstart")
    page.screenshot("quickstart_picture", of=picture)
