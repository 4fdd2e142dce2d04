"""What ``.ci/run`` does before the tests: it sees to a browser, or says why there is none."""

import shutil
import subprocess
from pathlib import Path

import pytest

import actalign

ROOT = Path(actalign.__file__).resolve().parents[1]
TOOLS = ("bash", "dirname", "env")
BOTH = ["make test", "make test-browser"]
INSTALL = ["apt-get -qq update", "apt-get -qq install -y --no-install-recommends chromium fonts-liberation"]


class Machine:
    """A folder with ``.ci/run`` and a path that holds only what a test puts there; programs write down their calls."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.bin, self.calls = folder, folder / "bin", folder / "calls"
        self.bin.mkdir()
        (folder / ".ci").mkdir()
        shutil.copy(ROOT / ".ci" / "run", folder / ".ci" / "run")
        for name in TOOLS:
            (self.bin / name).symlink_to(str(shutil.which(name)))
        self.has("make")
        self.has("id", "echo 0")

    def has(self, name: str, does: str = ":") -> None:
        program = self.bin / name
        program.unlink(missing_ok=True)
        program.write_text(f'#!{self.bin}/bash\ntest {name} = id || echo "{name} $*" >> "{self.calls}"\n{does}\n')
        program.chmod(0o755)

    def run(self, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.folder / ".ci" / "run")],
            env={"PATH": str(self.bin), **variables}, capture_output=True, text=True, check=False,
        )  # fmt: skip

    def called(self) -> list[str]:
        return self.calls.read_text().splitlines() if self.calls.exists() else []


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.mark.parametrize("browser", ["chromium", "chromium-browser", "google-chrome"])
def test_a_browser_that_is_there_is_taken_as_it_is(machine: Machine, browser: str) -> None:
    machine.has(browser)
    assert machine.run().returncode == 0
    assert machine.called() == BOTH


def test_a_browser_that_is_named_is_taken_as_it_is(machine: Machine) -> None:
    assert machine.run(ACTALIGN_BROWSER="/opt/chrome").returncode == 0
    assert machine.called() == BOTH


def test_a_missing_browser_is_installed_before_the_tests(machine: Machine) -> None:
    machine.has("apt-get")
    done = machine.run()
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert machine.called() == [*INSTALL, *BOTH]


def test_who_is_not_root_installs_it_with_sudo_and_is_not_asked_for_a_word(machine: Machine) -> None:
    machine.has("id", "echo 1000")
    machine.has("sudo", 'test "$1" = -n && shift && "$@"')
    machine.has("apt-get")
    assert machine.run().returncode == 0
    assert [call for call in machine.called() if not call.startswith("sudo")] == [*INSTALL, *BOTH]
    assert sum(call.startswith("sudo -n ") for call in machine.called()) == len(INSTALL)


@pytest.mark.parametrize(
    ("user", "program", "does"),
    [("0", "apt-get", "exit 100"), ("0", "brew", ":"), ("1000", "apt-get", ":"), ("1000", "sudo", "exit 1")],
)
def test_without_a_browser_nothing_runs_and_the_error_says_what_to_do(
    machine: Machine, user: str, program: str, does: str
) -> None:
    machine.has("id", f"echo {user}")
    machine.has(program, does)
    done = machine.run()
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("error: there is no browser") and "Install chromium" in done.stderr
    assert not set(machine.called()) & set(BOTH)


@pytest.mark.parametrize("verb", ["test", "test-browser"])
def test_a_verb_that_fails_ends_the_run_with_its_code(machine: Machine, verb: str) -> None:
    machine.has("chromium")
    machine.has("make", f'test "$1" != {verb} || exit 7')
    assert machine.run().returncode == 7
    assert machine.called() == BOTH[: BOTH.index(f"make {verb}") + 1]
