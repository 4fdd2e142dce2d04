"""Writes ``data/sample``: ``python -m actalign.sample.build`` (clips and texts), then ``--checkpoint FOLDER``.

The clips, questions and scripts are the same for the same seed. The registry of sha256 sums is written last.
"""

import argparse
import shutil
from pathlib import Path

from actalign import paths
from actalign.datasets.registry import write_registry
from actalign.sample.classes import families
from actalign.sample.render import plan_clips, write_folder

SEED = 20_260
CLIPS = {"test": 448, "validation": 128}


def main() -> None:
    """Build the embedded sample."""
    parser = argparse.ArgumentParser(prog="python -m actalign.sample.build", description=__doc__)
    parser.add_argument("--out", type=Path, default=paths.SAMPLE)
    parser.add_argument("--checkpoint", type=Path, help="trained checkpoint folder to take into the sample")
    arguments = parser.parse_args()
    made = families(SEED)
    planned = [clip for split, count in CLIPS.items() for clip in plan_clips(made, count, split=split)]
    write_folder(arguments.out, planned, seed=SEED)
    if arguments.checkpoint is not None:
        shutil.copytree(arguments.checkpoint, arguments.out / "checkpoint", dirs_exist_ok=True)
    write_registry(arguments.out)
    total = sum(file.stat().st_size for file in arguments.out.rglob("*") if file.is_file())
    print(f"{arguments.out}: {len(planned)} clips, {total / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
