"""kill -9 at random moments of a fetch: the next run goes on, and the end is that of an undisturbed run."""

import math
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from atlas_copy import atlas_row, write_jsonl
from video_server import VideoServer, video_server

from actalign.datasets.actionatlas.ledger import LEDGER
from actalign.datasets.actionatlas.manifest import MANIFEST, import_manifest

KILLS = 12
CLIPS = 8
SCRIPT = """
import sys
from datetime import UTC, datetime
from actalign.fetching.run import fetch
from actalign.fetching.site import Site

root, table, url = sys.argv[1:]
fetch(root, copy=table, site=Site(url=url), clock=lambda: datetime(2026, 1, 2, tzinfo=UTC), sleep=lambda _: None)
"""


def start(root: Path, table: Path, server: VideoServer) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", SCRIPT, str(root), str(table), server.template]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(process: "subprocess.Popen[str]", server: VideoServer) -> None:
    server.until = math.inf
    out, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert "6 of 8 clips are there" in out


def kill_after(process: "subprocess.Popen[str]", server: VideoServer, *, pieces: int, seconds: float) -> bool:
    """Kill a run so many sent pieces, and then some milliseconds, from now; False if it ended before.

    No more pieces are sent, so that a test kept from the processor for a while finds the run where it stopped.
    """
    goal = server.until = server.pieces + pieces
    while server.pieces < goal and process.poll() is None:
        time.sleep(0.002)
    time.sleep(seconds)
    alive = process.poll() is None
    process.kill()
    process.communicate()
    return alive


def left(root: Path) -> dict[str, bytes]:
    """Every file but the ledger, whose lines come in the order in which clips were settled."""
    files = [path for path in sorted(root.rglob("*")) if path.is_file() and path.name != LEDGER]
    return {str(path.relative_to(root)): path.read_bytes() for path in files}


def test_a_run_killed_at_random_moments_ends_as_an_undisturbed_one(
    tmp_path: Path, write_video: Callable[..., Path], rng: np.random.Generator
) -> None:
    videos = [
        write_video(tmp_path / f"{n}.mp4", frames=30, seed=n, codec={"crf": "10"}).read_bytes() for n in range(CLIPS)
    ]
    table = write_jsonl(tmp_path / "table.jsonl", [atlas_row(number) for number in range(CLIPS)])
    with video_server() as server:
        for number, content in enumerate(videos):
            server.serve(f"video{number}", content, {2: 404, 5: "page as video"}.get(number, "slow"))
        finish(start(tmp_path / "undisturbed", table, server), server)
        root = tmp_path / "killed"
        killed = 0
        while killed < KILLS:
            process = start(root, table, server)
            pieces, seconds = int(rng.integers(1, 24)), float(rng.uniform(0, 0.05))
            if kill_after(process, server, pieces=pieces, seconds=seconds):
                killed += 1
                for path in (root / "videos").glob("*"):  # nothing partial is ever among the videos
                    assert path.read_bytes() == videos[int(path.stem.removeprefix("video"))]
            else:
                break  # it got through
        finish(start(root, table, server), server)
    assert killed >= 10
    tables = [import_manifest(tmp_path / name / MANIFEST).entries for name in ("killed", "undisturbed")]
    assert tables[0] == tables[1]
    assert left(root) == left(tmp_path / "undisturbed")
    assert MANIFEST in left(root) and len(left(root)) == CLIPS - 2 + 3
