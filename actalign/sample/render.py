"""Draws clips as H.264 files. ``python -m actalign.sample.render --clips N --out DIR`` makes a data folder.

The folder has the layout of ``data/sample`` (without a checkpoint), so ``actalign.datasets.load(DIR)`` reads it.
"""

import argparse
import csv
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from actalign.errors import ActAlignError
from actalign.files import write_whole
from actalign.progress import is_watched
from actalign.sample.classes import Family, families, invented_names
from actalign.sample.motion import FRAME_RATE, SUBSETS, Performance, perform
from actalign.sample.sports import sub_action_id
from actalign.sample.wording import STYLES, script_steps

CRF = 25  # H.264 quality: about 10 kB a clip


@dataclass(frozen=True)
class PlannedClip:
    """One clip to draw: which class of which family, under which conditions."""

    id: str
    split: str
    family: Family
    class_id: str
    subset: str

    @property
    def path(self) -> str:
        return f"clips/{self.split}/{self.id}.mp4"


def encode_mp4(frames: NDArray[np.uint8]) -> bytes:
    """Frames ``(T, H, W, 3)`` as H.264 in mp4, 15 frames a second, the same bytes for the same frames.

    x264's assembly gives other bytes from run to run on pictures this small, so it is switched off.
    """
    options = {"crf": str(CRF), "preset": "medium", "threads": "1", "x264-params": "asm=0"}
    content = io.BytesIO()
    with av.open(content, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=FRAME_RATE, options=options)
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "yuv420p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")))
        container.mux(stream.encode())
    return content.getvalue()


def decode_mp4(content: bytes) -> NDArray[np.uint8]:
    """All frames ``(T, H, W, 3)`` of what ``encode_mp4`` made."""
    with av.open(io.BytesIO(content), "r") as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    return np.asarray(frames, dtype=np.uint8)


def plan_clips(made: Sequence[Family], count: int, *, split: str) -> list[PlannedClip]:
    """``count`` clips spread evenly over families, subsets and the five classes of each family."""
    planned = []
    for number in range(count):
        turn, place = divmod(number, len(made))
        family = made[place]
        class_id = sorted(family.classes)[(turn + place + (2 if split == "validation" else 0)) % 5]
        subset = SUBSETS[(turn + place // 5) % len(SUBSETS)]
        planned.append(PlannedClip(f"{split}-{number:05d}", split, family, class_id, subset))
    return planned


def draw_clip(clip: PlannedClip, seed: int) -> Performance:
    """Act out one planned clip; each clip has its own random stream, so any of them can be drawn alone."""
    rng = np.random.default_rng([seed, 6, *clip.id.encode()])
    return perform(clip.family.sport, clip.family.classes[clip.class_id], rng, subset=clip.subset)


def _run_lengths(labels: Iterable[str]) -> str:
    return " ".join(f"{label}*{len(list(run))}" for label, run in groupby(labels))


def _write_json(path: Path, value: object) -> None:
    write_whole(path, json.dumps(value, indent=1, ensure_ascii=False) + "\n")


def _write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    write_whole(path, text.getvalue())


def _candidates(clip: PlannedClip, seed: int) -> tuple[int, list[str]]:
    """The five classes of the family in shuffled order, and the 1-based place of the right one."""
    rng = np.random.default_rng([seed, 7, *clip.id.encode()])
    order = [str(name) for name in rng.permutation(sorted(clip.family.classes))]
    return order.index(clip.class_id) + 1, order


def write_texts(out: Path, made: Sequence[Family], *, seed: int) -> None:
    """Write scripts in the three prompt styles, class names and class steps."""
    for number, style in enumerate(STYLES):
        scripts = {}
        for family in made:
            for class_id, steps in family.classes.items():
                rng = np.random.default_rng([seed, 8, number, *class_id.encode()])
                scripts[class_id] = {
                    "sport": family.sport,
                    "steps": list(script_steps(style, family.sport, steps, rng)),
                }
        _write_json(out / "scripts" / f"{style}.json", {"style": style, "scripts": scripts})
    class_ids = [class_id for family in made for class_id in family.classes]
    _write_json(out / "class_names.json", invented_names(class_ids, seed))
    class_steps = {
        class_id: [sub_action_id(family.sport, step) for step in steps]
        for family in made
        for class_id, steps in family.classes.items()
    }
    _write_json(out / "class_steps.json", class_steps)


def write_folder(out: Path, planned: Sequence[PlannedClip], *, seed: int, progress: bool = True) -> None:
    """Draw every planned clip into ``out`` with its tables; files of clips already there are kept.

    A run that was cut off draws every clip again, for its labels, and encodes only those that are missing. Raises
    ActAlignError when ``out`` cannot be written.
    """
    made = list({clip.family.id: clip.family for clip in planned}.values())
    labels = []
    for clip in tqdm(planned, desc="drawing clips", disable=not is_watched(progress)):
        take = draw_clip(clip, seed)
        labels.append((clip.id, _run_lengths(take.labels)))
        target = out / clip.path
        if not target.exists():
            write_whole(target, encode_mp4(take.frames), remedy="free some space or choose another --out")
    rows = [(c.id, c.split, c.path, c.family.sport, c.family.id, c.subset, "", "") for c in planned]
    header = ("clip_id", "split", "path", "sport", "family", "subset", "start_s", "end_s")
    _write_csv(out / "clips.csv", header, rows)
    shuffled = [(clip.id, *_candidates(clip, seed)) for clip in planned]
    _write_csv(
        out / "questions.csv",
        ("clip_id", "answer", *(f"candidate_{n + 1}" for n in range(5))),
        [(clip_id, answer, *order) for clip_id, answer, order in shuffled],
    )
    _write_csv(out / "frame_labels.csv", ("clip_id", "labels"), labels)
    write_texts(out, made, seed=seed)


def main() -> None:
    """Draw clips into a data folder of the sample's layout, as many as asked for, to try things on."""
    parser = argparse.ArgumentParser(prog="python -m actalign.sample.render", description=main.__doc__)
    parser.add_argument("--clips", type=int, required=True, help="how many clips to draw")
    parser.add_argument("--out", type=Path, required=True, help="folder to write into")
    parser.add_argument(
        "--seed", type=int, default=1_000_000, help="another seed draws other clips (default %(default)s)"
    )
    arguments = parser.parse_args()
    if arguments.clips < 1:
        parser.error(f"--clips is {arguments.clips}; draw at least one")
    planned = plan_clips(families(arguments.seed), arguments.clips, split="test")
    try:
        write_folder(arguments.out, planned, seed=arguments.seed)
    except (ActAlignError, OSError) as error:
        raise SystemExit(f"error: {error}") from error
    print(
        f"wrote {len(planned)} clips to {arguments.out}; read them with actalign.datasets.load({str(arguments.out)!r})"
    )


if __name__ == "__main__":
    main()
