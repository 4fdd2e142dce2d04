"""kill -9 at random moments of ``actalign encode``: the next run goes on, and the end is that of an undisturbed run."""

import json
import os
import random
import shutil
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from nursery import Nursery

FRAMES = (21, 9, 30, 5, 17, 40, 12, 26, 33, 8, 19, 24, 6, 29)
KILLS = 12
AT_ONCE, ALL = "3", "1000"
"""Lines of the ledger that a run writes: one that is to be killed, and any other."""
CUT_OFF = 3
"""The exit code of a run in which a clip failed; one of these clips is cut off."""

# Arguments: the folder of data, the checkpoint, the store, and the lines of the ledger after which the run waits to be
# killed, so that a test kept from the processor for a while does not find it at its end.
ENCODE = {
    "imports": """
import time
from actalign import cli, embeddings, encoder
from actalign.store import EmbeddingStore

written, record = [], EmbeddingStore.record

def held(self, *clip, **line):
    if len(written) == most:
        time.sleep(600)
    written.append(clip)
    record(self, *clip, **line)

EmbeddingStore.record = held
""",
    "work": """
code = 1
try:
    sys.stdout = sys.stderr = open(os.devnull, "w")
    data, checkpoint, store, most = arguments
    most = int(most)
    cli.app(["encode", data, "--checkpoint", checkpoint, "--store", store, "--device", "cpu"])
except SystemExit as end:
    code = end.code or 0
finally:
    os._exit(code)
""",
}


@pytest.fixture
def data(tmp_path: Path, write_video: Callable[..., Path]) -> Path:
    """Fourteen clips of several lengths, one more that is the same as another, and one that is cut off."""
    folder = tmp_path / "data"
    folder.mkdir()
    for number, frames in enumerate(FRAMES):
        write_video(folder / f"{number}.mp4", frames=frames, seed=number, size=(160, 120))
    (folder / "again.mp4").write_bytes((folder / "2.mp4").read_bytes())
    (folder / "cut.mp4").write_bytes((folder / "5.mp4").read_bytes()[:3000])
    (folder / "classes.txt").write_text("lob\nsmash\n")
    return folder


def embeddings(store: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in store.glob("*.safetensors")}


def lines(store: Path) -> list[dict[str, object]]:
    """The ledger without what depends on the clock; a line torn by a kill may only be followed by a whole one."""
    found = []
    path = store / "ledger.jsonl"
    for line in path.read_text(encoding="utf-8").split("\n") if path.exists() else []:
        try:
            found.append({name: value for name, value in json.loads(line).items() if name != "seconds"})
        except ValueError:
            continue
    return found


def finished(store: Path) -> list[dict[str, object]]:
    return [line for line in lines(store) if line["state"] == "done"]


def index(store: Path) -> list[str]:
    """The rows of the table without their seconds."""
    rows = [line.split(",") for line in (store / "index.csv").read_text(encoding="utf-8").splitlines()]
    return [",".join(row[:3] + row[4:]) for row in rows]


def killed_after(nursery: Nursery, run: tuple[Path, Path, Path], *, settled: bool, seconds: float) -> bool:
    """Start a run and kill it so long after its start, or after it settled a clip; False if it ended before."""
    store = run[-1]
    known = len(lines(store))
    child = nursery.start(*run, AT_ONCE)
    give_up = time.monotonic() + 60
    while settled and len(lines(store)) == known and time.monotonic() < give_up:
        time.sleep(0.0005)
    time.sleep(seconds)
    with suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
    status = nursery.status()
    assert status in (CUT_OFF, -signal.SIGKILL)
    return status == -signal.SIGKILL


def test_runs_killed_at_random_moments_end_as_an_undisturbed_one(
    data: Path, tiny_checkpoint: Path, tmp_path: Path
) -> None:
    calm, torn = tmp_path / "calm", tmp_path / "torn"
    moments = random.Random(0)
    left: list[int] = []  # how many clips were there after each kill
    with Nursery(**ENCODE) as nursery:
        nursery.start(data, tiny_checkpoint, calm, ALL)
        assert nursery.status() == CUT_OFF
        whole = embeddings(calm)
        assert len(whole) == len(FRAMES)
        while len(left) < KILLS:
            settled = len(left) % 3 > 0  # two of three die soon after a clip is settled, the others anywhere before
            seconds = moments.uniform(0, 0.004) if settled else moments.uniform(0, 0.3)
            if killed_after(nursery, (data, tiny_checkpoint, torn), settled=settled, seconds=seconds):
                left.append(len(embeddings(torn)))
                assert embeddings(torn).items() <= whole.items(), "what is there is whole, and the same"
            else:  # it got through: begin again
                check_same(torn, calm)
                shutil.rmtree(torn)
        nursery.start(data, tiny_checkpoint, torn, ALL)
        assert nursery.status() == CUT_OFF
    assert len({count for count in left if 0 < count < len(FRAMES)}) >= 3, left
    check_same(torn, calm)


def check_same(torn: Path, calm: Path) -> None:
    assert embeddings(torn) == embeddings(calm)
    assert finished(torn) == finished(calm), "the same lines in the same order, each once"
    assert index(torn) == index(calm)
