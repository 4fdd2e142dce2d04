"""One run in a process of its own, and the most memory it ever held: ``python -m benchmarks.peak``.

Prints JSON: megabytes when the checkpoint was loaded, the peak, and the seconds in between.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any


def peak_mb() -> float:
    """The most memory that this process has held, in megabytes.

    Linux's own figure of the process: ``ru_maxrss`` would start from the size of the process that started it.

    >>> peak_mb() > 1
    True
    """
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = [line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM")]
        return int(line.split()[1]) * 1024 / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def measured(recipe: str, folder: Path) -> dict[str, float]:
    """Run ``recipe`` over the mp4 files of ``folder`` in a new process.

    Raises:
        subprocess.CalledProcessError: the run failed.
    """
    command = [sys.executable, "-m", "benchmarks.peak", recipe, str(folder)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _ours(files: list[Path]) -> Any:
    from actalign import paths
    from actalign.embeddings import embed_clips
    from actalign.encoder import load_encoder
    from benchmarks.videos import clips_of

    encoder = load_encoder(paths.CHECKPOINT, device="cpu")

    def run() -> None:
        with tempfile.TemporaryDirectory() as store:
            embed_clips(clips_of(files), encoder, store_folder=Path(store), progress=False)

    return run


def _released(files: list[Path]) -> Any:
    from actalign import paths
    from benchmarks.released import Recipe

    recipe = Recipe(paths.CHECKPOINT)
    return lambda: recipe.embed(files)


RECIPES = {"ours": _ours, "released": _released}


def main() -> None:
    """Run one recipe over a folder of mp4 files."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peak", description=main.__doc__)
    parser.add_argument("recipe", choices=RECIPES)
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    files = sorted(arguments.folder.glob("*.mp4"))
    run = RECIPES[arguments.recipe](files)
    loaded, start = peak_mb(), time.perf_counter()
    run()
    found = {"loaded_mb": loaded, "peak_mb": peak_mb(), "seconds": time.perf_counter() - start, "clips": len(files)}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
