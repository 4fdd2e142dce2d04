"""The project's own files agree with each other: pins, environments, versions, verbs."""

import importlib.metadata
import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version
from project_tree import FILES_OF_THE_TREE

import actalign

ROOT = Path(actalign.__file__).resolve().parents[1]
PIN = re.compile(r"(?P<name>[a-z0-9-]+)==(?P<version>[0-9][0-9a-z.]*)")
INSTALL = ["-c constraints.txt", "-e .[all]"]


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def project() -> dict[str, Any]:
    return tomllib.loads(read("pyproject.toml"))


def pins() -> dict[str, str]:
    """Canonical name to version, from constraints.txt."""
    lines = [line for line in read("constraints.txt").splitlines() if line and not line.startswith("#")]
    found = {}
    for line in lines:
        match = PIN.fullmatch(line)
        assert match, f"constraints.txt: {line!r} is not an exact pin without a local version"
        assert match["name"] not in found, f"constraints.txt pins {match['name']} twice"
        found[match["name"]] = match["version"]
    return found


def direct_requirements(*, without: tuple[str, ...] = ("all",)) -> list[Requirement]:
    """What pyproject.toml asks for: the core and every extra but those left out."""
    table = project()["project"]
    extras = [line for name, lines in table["optional-dependencies"].items() if name not in without for line in lines]
    return [Requirement(line) for line in [*table["dependencies"], *extras]]


def installed_closure() -> set[str]:
    """Canonical names of everything that the installed packages need, left out what their user pins exactly."""
    todo = [
        (canonicalize_name(need.name), frozenset(need.extras)) for need in direct_requirements(without=("all", "bench"))
    ]
    seen: set[tuple[str, frozenset[str]]] = set()
    while todo:
        name, extras = todo.pop()
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        for line in importlib.metadata.requires(name) or []:
            need = Requirement(line)
            if need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in ("", *extras)):
                todo.append((canonicalize_name(need.name), frozenset(need.extras)))
    return {name for name, _ in seen}


def test_everything_installed_is_pinned_exactly() -> None:
    missing = installed_closure() - set(pins())
    assert not missing, f"pin these in constraints.txt: {sorted(missing)}"


def test_pins_satisfy_the_loose_bounds_and_nothing_is_pinned_in_pyproject() -> None:
    pinned = pins()
    for need in direct_requirements():
        assert need.specifier.contains(pinned[canonicalize_name(need.name)]), str(need)
        assert [clause.operator for clause in need.specifier] == [">="], str(need)


def test_the_extra_all_holds_every_extra_but_the_benchmarks() -> None:
    extras = project()["project"]["optional-dependencies"]
    (line,) = extras["all"]
    assert Requirement(line).extras == set(extras) - {"all", "bench"}


def test_the_core_needs_no_video_model_notebook_or_language_model_library() -> None:
    core = {Requirement(line).name for line in project()["project"]["dependencies"]}
    drawing = {"matplotlib", "seaborn"}
    assert core == drawing | {"numba", "numpy", "pandas", "scikit-learn", "scipy", "threadpoolctl", "typer"}


def test_files_whose_tests_share_the_notebooks_run_are_known_to_the_scheduler(request: pytest.FixtureRequest) -> None:
    """Or each process of make test would run all notebooks once more."""
    asking = {item.path.name for item in request.session.items if "tree" in getattr(item, "fixturenames", ())}
    assert asking <= FILES_OF_THE_TREE


@pytest.mark.parametrize("name", ["pyproject.toml", "constraints.txt", "environment.yml", "Makefile"])
def test_torchvision_is_never_asked_for(name: str) -> None:
    assert "torchvision" not in read(name)


def test_conda_and_make_install_the_same_from_the_same_pins() -> None:
    environment = yaml.safe_load(read("environment.yml"))
    *from_conda, from_pip = environment["dependencies"]
    assert from_pip == {"pip": INSTALL}
    assert [need.partition("=")[0] for need in from_conda] == ["python", "pip"]
    lines = [line.replace('"', "") for line in read("Makefile").splitlines() if "-m pip install" in line]
    command, for_the_benchmarks = (line.partition("|")[0] for line in lines)
    assert all(part in command for part in INSTALL)
    assert for_the_benchmarks.endswith("-c constraints.txt -e .[all,bench]")
    assert (ROOT / "constraints.txt").is_file()


def test_every_file_names_the_same_python() -> None:
    table = project()
    (specifier,) = Requirement("x" + table["project"]["requires-python"]).specifier
    oldest = Version(specifier.version)
    major, minor = oldest.release
    assert table["tool"]["ruff"]["target-version"] == f"py{major}{minor}"
    assert table["tool"]["mypy"]["python_version"] == f"{major}.{minor}"
    assert f"sys.version_info < ({major}, {minor})" in read("Makefile")
    conda = next(need for need in yaml.safe_load(read("environment.yml"))["dependencies"] if "python=" in need)
    assert Version(conda.partition("=")[2]) >= oldest
    assert f"Programming Language :: Python :: {conda.partition('=')[2]}" in table["project"]["classifiers"]


def test_every_file_names_the_same_version() -> None:
    table = project()
    assert table["project"]["dynamic"] == ["version"]
    assert table["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "actalign.__version__"}
    citation = yaml.safe_load(read("CITATION.cff"))
    assert citation["version"] == actalign.__version__
    releases = re.findall(r"^## \[(\d[^\]]*)\]", read("CHANGELOG.md"), flags=re.MULTILINE)
    assert releases[0] == actalign.__version__


def test_the_licence_is_apache_everywhere() -> None:
    text = read("LICENSE")
    assert "Apache License" in text and "END OF TERMS AND CONDITIONS" in text
    assert project()["project"]["license"] == "Apache-2.0"
    assert yaml.safe_load(read("CITATION.cff"))["license"] == "Apache-2.0"


def test_the_citation_names_the_paper_as_the_source_of_the_method() -> None:
    (paper,) = yaml.safe_load(read("CITATION.cff"))["references"]
    assert paper["url"].endswith("2506.22967")
    assert [author["family-names"] for author in paper["authors"]] == ["Aghdam", "Hu", "Ommer"]


def make(*arguments: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Runs make as a person would, not as a child of the make that runs the tests."""
    environment = {
        name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")
    }
    return subprocess.run(
        ["make", *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_make_help_lists_every_verb_and_is_the_default() -> None:
    verbs = re.findall(r"^\.PHONY: (.*)$", read("Makefile"), flags=re.MULTILINE)[0].split()
    shown = make("help").stdout
    assert [line.split()[1] for line in shown.splitlines()] == verbs
    assert all(len(line.split()) > 2 for line in shown.splitlines())
    assert make().stdout == shown


def test_ci_runs_both_verbs_of_tests_and_stops_at_an_error() -> None:
    commands = read(".ci/run").splitlines()
    assert commands[0].endswith("bash")
    assert "set -euo pipefail" in commands
    assert commands[-2:] == ["make test", "make test-browser"]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The files that make needs, in a folder with a space in its name."""
    folder = tmp_path / "a copy"
    folder.mkdir()
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, folder)
    return folder


def fake_python(folder: Path, *, pip: str) -> Path:
    """A stand-in interpreter that makes a .venv holding itself; ``pip`` is what its install does (shell)."""
    python = folder / "fake python"
    python.write_text(
        "#!/bin/sh\n"
        'case "$*" in\n'
        '  *"-m venv"*) rm -rf .venv && mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;\n'
        f'  *"pip install"*) echo "$*" >> installs; {pip} ;;\n'
        '  *"pip --version"*) test "$0" = .venv/bin/python ;;\n'
        '  *actalign.runner*) echo "the notebooks ran" ;;\n'
        '  *"-m benchmarks."*) echo "measured ${2#benchmarks.}"; test "$2" != "benchmarks.$BREAKS" ;;\n'
        '  --version) echo "Python 3.99.0" ;;\n'
        "esac\n"
    )
    python.chmod(0o755)
    return python


def test_make_installs_once_and_again_when_the_pins_change(copy: Path) -> None:
    python = fake_python(copy, pip="true")
    for _ in range(2):
        done = make("-j4", "figures", f"PYTHON={python}", folder=copy)
        assert done.returncode == 0, done.stderr
        assert done.stdout.endswith("the notebooks ran\n")
    (install,) = (copy / "installs").read_text().splitlines()
    assert install.endswith(" ".join(INSTALL))
    stamp = copy / ".venv" / ".installed"
    later = stamp.stat().st_mtime + 10
    os.utime(copy / "constraints.txt", (later, later))
    assert make("figures", f"PYTHON={python}", folder=copy).returncode == 0
    assert len((copy / "installs").read_text().splitlines()) == 2


def test_make_builds_anew_what_was_moved_or_copied(copy: Path) -> None:
    python = fake_python(copy, pip="true")
    assert make("figures", f"PYTHON={python}", folder=copy).returncode == 0
    moved = copy.with_name("moved 'there")
    copy.rename(moved)
    (moved / ".venv" / "bin" / "old command").touch()
    assert make("figures", "PYTHON=no-such-python", folder=moved).returncode != 0, "and it is not forgotten"
    for _ in range(2):
        done = make("figures", f"PYTHON={moved / python.name}", folder=moved)
        assert done.returncode == 0, done.stderr
    assert len((moved / "installs").read_text().splitlines()) == 2
    assert done.stdout == "the notebooks ran\n", "once is enough"
    assert not (moved / ".venv" / "bin" / "old command").exists()


def test_make_bench_adds_the_peers_once_measures_then_draws(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python = fake_python(copy, pip="true")
    for _ in range(2):
        done = make("bench", f"PYTHON={python}", folder=copy)
        assert done.returncode == 0, done.stderr
    steps = [line.removeprefix("measured ") for line in done.stdout.splitlines() if line.startswith("measured ")]
    assert steps == ["dtw", "stage", "encoding", "memory", "explorer", "chart", "table"]
    assert all((ROOT / "benchmarks" / f"{step}.py").is_file() for step in steps)
    _, peers = (copy / "installs").read_text().splitlines()
    assert peers.endswith("-c constraints.txt -e .[all,bench]")
    monkeypatch.setenv("BREAKS", "stage")
    broken = make("bench", f"PYTHON={python}", folder=copy)
    assert broken.returncode != 0
    assert "measured stage" in broken.stdout and "measured encoding" not in broken.stdout


def test_an_install_that_fails_leaves_no_stamp_and_is_done_again(copy: Path) -> None:
    python = fake_python(copy, pip='echo "no route to the index" >&2; exit 7')
    failed = make("figures", f"PYTHON={python}", folder=copy)
    assert failed.returncode != 0
    assert "no route to the index" in failed.stderr
    assert not (copy / ".venv" / ".installed").exists()
    fake_python(copy, pip="true").replace(copy / ".venv" / "bin" / "python")
    assert make("figures", f"PYTHON={python}", folder=copy).returncode == 0


def test_a_missing_or_old_python_is_one_clear_error(copy: Path) -> None:
    old = copy / "old"
    old.write_text('#!/bin/sh\ntest "$1" = --version && echo Python 3.9.6\n')
    old.chmod(0o755)
    for python, what in ((old, "Python 3.9.6"), (copy / "none", "not to be found")):
        done = make("test", f"PYTHON={python}", folder=copy)
        assert done.returncode != 0
        message = f"error: {python} is {what}; ActAlign needs Python 3.11 or newer. Name one: make test PYTHON="
        assert message in done.stderr
        assert not (copy / ".venv").exists()


def test_clean_removes_caches_and_never_results(copy: Path) -> None:
    kept = [copy / name for name in ("data/results/main.csv", "data/cache/a.safetensors", ".venv/x", "figures/f.svg")]
    gone = [copy / name for name in (".mypy_cache/x", "actalign/dtw/__pycache__/x.pyc", ".hypothesis/x")]
    for path in [*kept, *gone]:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    assert make("clean", folder=copy).returncode == 0
    assert all(path.exists() for path in kept)
    assert not any(path.exists() for path in gone)
