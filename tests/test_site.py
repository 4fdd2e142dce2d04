"""The site, built from executed notebooks: what is on its pages, and that a broken link or reference is an error."""

import doctest
import html
import re
import subprocess
from pathlib import Path

import pytest
from project_tree import PROJECT, run_module
from test_layers import imports, package_sources

from actalign import paths
from actalign.errors import ActAlignError
from actalign.runner import plan
from docs import build, links, pages

README = (PROJECT / "README.md").read_text(encoding="utf-8")
STEMS = [path.stem for path in plan(PROJECT / "notebooks")]
ROOMS = pages.rooms(README)


@pytest.fixture(scope="module")
def site(tree: Path, printed: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of the tree whose notebooks all tests share."""
    out = tmp_path_factory.mktemp("site") / "site"
    done = run_module(tree, "docs.build", "--out", str(out))
    assert done.returncode == 0, done.stderr
    assert "https://arxiv.org/abs/2506.22967" in done.stdout, "links that lead out are listed"
    return out


def read(site: Path, page: str) -> str:
    return (site / page).read_text(encoding="utf-8")


def words(text: str) -> str:
    """What a page shows, without its markup."""
    return html.unescape(re.sub(r"<[^>]+>", "", text))


# The pages


def test_the_first_page_is_the_head_of_the_readme_and_leads_everywhere(site: Path) -> None:
    page = read(site, "index.html")
    assert "make figures" in words(page) and "_images/fig_" in page
    assert "What comes out" not in words(page)
    for name in ("notebooks", "figures/README", "commands", "api/index", "speed", "changelog"):
        assert f'href="{name}.html"' in page


def test_every_notebook_is_a_page_with_what_it_showed(site: Path) -> None:
    listed = read(site, "notebooks.html")
    for stem in STEMS:
        assert f'href="notebooks/{stem}.html"' in listed
        assert "cell_output" in read(site, f"notebooks/{stem}.html"), f"{stem} shows no outputs"
    assert "test-00000" in words(read(site, "notebooks/00_quickstart.html"))
    for heading in {pages.kind_of(stem) for stem in STEMS}:
        assert f"<h2>{heading}<" in listed


def test_the_page_of_figures_shows_what_the_drawing_notebooks_wrote(site: Path, tree: Path) -> None:
    page = read(site, "figures/README.html")
    drawn = [path.stem for path in (tree / "figures").glob("*.png")]
    assert len(drawn) >= 6
    for stem in drawn:
        assert re.search(rf'<img[^>]*src="\.\./_images/{stem}\.png"', page), f"{stem} is not on the page"
    assert re.search(r'href="\.\./_downloads/\w+/fig_7_smoothing\.pdf"', page)


def test_every_room_of_the_readme_has_its_page_with_signatures_and_examples(site: Path) -> None:
    index = words(read(site, "api/index.html"))
    for room in ROOMS:
        page = read(site, f"api/{room.stem}.html")
        assert room.what in index
        for name in room.names:
            assert f'id="module-actalign.{name}"' in page
    align = words(read(site, "api/dtw.html"))
    assert "actalign.dtw.align(affinity_kt: ArrayLike) → Alignment" in align
    assert ">>> alignment.path.tolist()" in align
    assert "actalign.dtw.reference" in align


def test_commands_speed_and_changes_have_their_pages(site: Path) -> None:
    commands = words(read(site, "commands.html"))
    assert "actalign doctor --checkpoint" in commands and "actalign reproduce" in commands
    speed = read(site, "speed.html")
    assert "4,490 alignments, one thread" in words(speed) and "_images/dtw_peers.png" in speed
    assert "made by python" not in words(speed)
    assert "Unreleased" in words(read(site, "changelog.html"))


def test_the_packages_pages_name_nothing_of_this_machine(site: Path) -> None:
    for path in (site / "api").glob("*.html"):
        assert str(PROJECT) not in path.read_text(encoding="utf-8"), path.name


# What is refused


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    return folder


def test_a_reference_that_leads_nowhere_is_an_error_and_one_to_another_package_is_not(
    sources: Path, tmp_path: Path
) -> None:
    sound = "A\n=\n\n.. automodule:: actalign.errors\n\n:class:`numpy.ndarray` :class:`actalign.errors.ActAlignError`\n"
    (sources / "index.rst").write_text(sound)
    build.write_pages(sources, tmp_path / "out")
    assert links.check_links(tmp_path / "out")
    (sources / "index.rst").write_text(f"{sound}:class:`numpy.ndaray` :func:`actalign.dtw.alignn`\n")
    with pytest.raises(ActAlignError, match=r"(?s)numpy\.ndaray.*actalign\.dtw\.alignn"):
        build.write_pages(sources, tmp_path / "out")


def test_a_missing_executed_copy_or_page_of_figures_is_named(
    sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "FIGURES", tmp_path / "figures")
    monkeypatch.setattr(paths, "RESULTS", tmp_path / "results")
    with pytest.raises(ActAlignError, match=r"figures/README\.md.*make figures"):
        build.gather(sources)
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "README.md").write_text("# Figures\n")
    with pytest.raises(ActAlignError, match=r"no executed copy .* 00_quickstart, .*make figures"):
        build.gather(sources)
    assert build.main(["--out", str(tmp_path / "out")]) == 1


PAGES = {
    "index.html": '<link rel="stylesheet" href="look.css"><a href="b/two.html#here">on</a><a href="https://a.org">',
    "b/two.html": '<p id="here"></p><a href="../index.html">up</a><a href="#here"></a><img src="data:image/png,AA">',
    "look.css": "p { background: url(b/two.html) }",
}


def planted(root: Path, page: str, more: str) -> Path:
    for name, text in PAGES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text + (more if name == page else ""))
    return root


def test_sound_links_hold_and_those_that_lead_out_are_returned(tmp_path: Path) -> None:
    assert links.check_links(planted(tmp_path / "site", "index.html", "")) == ["https://a.org"]


@pytest.mark.parametrize(
    ("page", "more", "complaint"),
    [
        ("index.html", '<a href="gone.html">', "index.html: gone.html leads to no file"),
        ("index.html", '<a href="b">', "index.html: b leads to no file"),
        ("b/two.html", '<img src="gone.png">', "two.html: gone.png leads to no file"),
        ("b/two.html", '<a href="../index.html#gone">', "index.html#gone leads to no such place"),
        ("b/two.html", '<a href="#gone">', "#gone leads to no such place"),
        ("b/two.html", '<a href="../../other.html">', "leads out of the site"),
        ("index.html", '<a href="/b/two.html">', "starts at the root"),
        ("index.html", '<a href="file:///b/two.html">', "names a file of this machine"),
        ("index.html", '<script src="https://cdn.org/x.js"></script>', "x.js would be fetched from a network"),
        ("index.html", '<img srcset="//cdn.org/x.png 2x">', "x.png would be fetched from a network"),
        ("index.html", '<link rel="preconnect stylesheet" href="//cdn.org/x.css">', "x.css would be fetched"),
        ("look.css", "@import 'https://fonts.org/x.css';", "look.css: https://fonts.org/x.css would be fetched"),
        ("look.css", "p { background: url('gone.png') }", "look.css: gone.png leads to no file"),
        ("index.html", '<p style="background: url(//cdn.org/x.png)">', "x.png would be fetched from a network"),
    ],
)
def test_a_planted_fault_is_seen(tmp_path: Path, page: str, more: str, complaint: str) -> None:
    with pytest.raises(ActAlignError, match="1 link") as caught:
        links.check_links(planted(tmp_path / "site", page, more))
    assert complaint in str(caught.value)


def test_a_folder_without_pages_is_no_site(tmp_path: Path) -> None:
    with pytest.raises(ActAlignError, match=r"no index\.html .*make site"):
        links.check_links(tmp_path)


# The rest


def test_the_readmes_tree_is_what_the_rooms_come_from() -> None:
    assert {"dtw", "records", "sample"} <= {name for room in ROOMS for name in room.names}
    with pytest.raises(ActAlignError, match="no tree of files"):
        pages.rooms("# A readme without one\n")


@pytest.mark.parametrize("module", [links, pages], ids=["links", "pages"])
def test_the_examples_in_docs_hold(module: object) -> None:
    result = doctest.testmod(module)  # type: ignore[arg-type]
    assert result.failed == 0 and result.attempted > 0


def test_make_site_runs_the_notebooks_before_it_builds() -> None:
    shown = subprocess.run(
        ["make", "-n", "-o", ".venv/.installed", "site"], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert [line.split(" -m ")[1] for line in shown.stdout.splitlines() if " -m " in line] == [
        "actalign.runner",
        "docs.build",
    ]


def test_the_package_itself_does_without_sphinx() -> None:
    used = {name.split(".")[0] for source in package_sources().values() for name in imports(source)}
    assert "numpy" in used and not used & {"docs", "docutils", "furo", "myst_nb", "sphinx"}
