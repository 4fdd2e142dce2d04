"""The README's table of speed, from the JSON files: ``python -m benchmarks.table`` writes it between its markers."""

import argparse
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from actalign import paths
from actalign.files import write_whole
from benchmarks import measure
from benchmarks.chart import PEER_LABELS, plain

SUBJECTS = ("dtw", "stage", "encoding_cpu", "memory", "explorer", "encoding_cuda", "gpu")
ON_A_GPU = {"encoding_cuda": "python -m benchmarks.encoding --device cuda", "gpu": "python -m benchmarks.gpu"}
BEGIN, END = "<!-- benchmarks: made by python -m benchmarks.table -->", "<!-- end -->"
BLOCK = re.compile(r"<!-- benchmarks:.*?-->\n.*?<!-- end -->", flags=re.DOTALL)
TERMS = (
    "Chart: median of the rounds (mark and number), from the fastest to the slowest (line). Ratio: median of paired "
    "rounds (smallest–largest). Cell: one sub-action against one frame. As released: the released recipe, written "
    "again from its description. so400m: the architecture of the paper's SigLIP."
)
HEADER = ("What", "Ours", "Against", "Theirs", "Ratio")
Results = Mapping[str, Any]
Row = tuple[str, str, str, str, str]


def times(ratio: Mapping[str, float]) -> str:
    """The median of paired rounds, and the smallest and largest.

    >>> times({"median": 25.4, "min": 24.0, "max": 28.9})
    '25 × (24–29)'
    """
    return f"{plain(ratio['median'])} × ({plain(ratio['min'])}–{plain(ratio['max'])})"


def dtw_rows(results: Results) -> Iterator[Row]:
    peers, aligned = results["peers"], results["align"]
    cells, ratios = peers["ns_per_cell"], peers["times_ours"]
    alone = f"{plain(cells['ours']['median'])} ns/cell"
    what = f"{peers['alignments']:,} alignments, one thread"
    for name in ("librosa", "torch scan", "textbook loops"):
        theirs = f"{plain(cells[name]['median'])} ns/cell"
        yield what, alone, PEER_LABELS[name], theirs, times(ratios[name])
    alone_with, theirs = (f"{plain(cells[name]['median'])} ns/cell" for name in ("ours, with paths", "librosa"))
    yield f"{what}, with paths", alone_with, "librosa", theirs, times(peers["librosa_over_ours_with_paths"])
    what = f"{peers['alignments']:,} alignments, {results['machine']['cores']} cores"
    yield _cores_row(what, results["cores"], cores=results["machine"]["cores"])
    for name, row in results["long_clips"].items():
        yield from _long_rows(name, row)
    mine, theirs = (f"{plain(aligned['peak_mb'][one])} MB" for one in ("ours", "librosa"))
    steps, frames = aligned["shape"]
    what = f"one path, K = {steps}, T = {frames:,}: extra memory"
    ratio = f"{plain(aligned['peak_mb']['librosa'] / aligned['peak_mb']['ours'])} ×"
    yield what, mine, "librosa", theirs, ratio


def _cores_row(what: str, row: Results, *, cores: int) -> Row:
    together, alone = (f"{plain(row['ns_per_cell'][name]['median'])} ns/cell" for name in ("all cores", "one thread"))
    ratio = f"{times(row['one_thread_over_all_cores'])}; {cores} processes {times(row['one_thread_over_processes'])}"
    return what, together, "ours, one thread", alone, ratio


def _long_rows(name: str, row: Results) -> Iterator[Row]:
    steps, frames = re.findall(r"\d+", name)
    score, path, theirs = (
        f"{plain(row['ns_per_cell'][one]['median'])} ns/cell" for one in ("ours", "ours, with path", "tslearn")
    )
    what = f"one matrix, K = {steps}, T = {int(frames):,}, one thread"
    yield what, score, "tslearn", theirs, times(row["tslearn_over_ours"])
    yield f"{what}, with path", path, "tslearn", theirs, times(row["tslearn_over_ours_with_path"])


def stage_rows(results: Results) -> Iterator[Row]:
    found, sweep = results["stage"], results["sweep"]
    alone = found["ms_per_clip_one_thread"]
    mine, floor, theirs = (
        f"{plain(alone[name]['median'])} ms/clip" for name in ("ours", "product and sigmoid", "released")
    )
    what = "embeddings to scores, one thread"
    over = found["floor_over_ours_one_thread"]
    yield what, mine, "matrix product and sigmoid alone", floor, times(over)
    yield what, mine, "as released", theirs, times(found["released_over_ours_one_thread"])
    every = found["ms_per_clip_all_cores"]
    mine, theirs = (f"{plain(every[name]['median'])} ms/clip" for name in ("ours", "released"))
    cores = f"embeddings to scores, {results['machine']['cores']} cores"
    yield cores, mine, "as released", theirs, times(found["released_over_ours_all_cores"])
    each = sweep["ms_per_clip_and_setting"]
    mine, theirs = (f"{plain(each[name]['median'])} ms/clip" for name in ("reuse", "independent"))
    what = f"one of {sweep['settings']} settings in a sweep"
    yield what, mine, "runs of their own", theirs, times(sweep["independent_over_reuse"])


def encoding_rows(results: Results) -> Iterator[Row]:
    on_gpu = results["device"] == "cuda"
    place = results["machine"].get("gpu", "GPU") if on_gpu else "CPU"
    precision = "bfloat16" if on_gpu else "float32"
    pixels, whole, tower = results["preprocessing"], results["end_to_end"], results["forward"]
    mine, theirs = (f"{plain(pixels['ms_per_frame'][name]['median'])} ms/frame" for name in ("tensors", "processor"))
    what = f"720p to 384 pixels, {place}" if on_gpu else f"720p to 384 pixels, {results['machine']['cores']} cores"
    yield what, mine, "the PIL processor, one core", theirs, times(pixels["processor_over_tensors"])
    ours = f"ours, {precision}"
    mine, theirs = (f"{plain(whole['frames_per_s'][name]['median'])} frames/s" for name in (ours, "released"))
    what = f"files to embeddings, {precision}, {place}"
    yield what, mine, "as released, float32", theirs, times(whole["released_over_ours"][ours])
    if on_gpu and "gpu_busy_share" in whole:
        busy = f"{whole['gpu_busy_share']:.0%} of the time"
        yield f"the GPU computes meanwhile, {place}", busy, "our target", "90%", ""
    peak = f"{plain(tower['product_tflop_per_s']['bfloat16']['median'])} TFLOP/s"
    for way, named in (("bfloat16, sdpa", "bfloat16"), ("bfloat16, sdpa, compiled", "bfloat16, compiled")):
        if way in tower["s_per_frame"]:
            mine = f"{plain(1e3 * tower['s_per_frame'][way]['median'])} ms/frame"
            share = f"{tower['share_of_product'][way]['median']:.0%} of its rate"
            yield f"so400m forward, {named}, {place}", mine, "one large matrix product", peak, share


def memory_rows(results: Results) -> Iterator[Row]:
    tiny = results["tiny"]["ours"]["runs"]
    fewest, most = min(tiny, key=int), max(tiny, key=int)
    peaks = [f"{plain(tiny[count]['peak_mb'])} MB" for count in (most, fewest)]
    ratio = f"{tiny[most]['peak_mb'] / tiny[fewest]['peak_mb']:.2f} ×"
    yield f"peak memory, {int(most):,} clips", peaks[0], f"ours, {int(fewest):,} clips", peaks[1], ratio
    mine, theirs = (results["hd"][name]["runs"] for name in ("ours", "released"))
    most = max(theirs, key=int)
    peaks = [f"{plain(runs[most]['peak_mb'])} MB" for runs in (mine, theirs)]
    frames = results["hd"]["ours"]["frames_per_clip"]
    ratio = f"{theirs[most]['peak_mb'] / mine[most]['peak_mb']:.1f} × and growing"
    yield f"peak memory, {most} 720p clips of {frames} frames", peaks[0], "as released", peaks[1], ratio


def explorer_rows(results: Results) -> Iterator[Row]:
    moves = results["all_moves"]
    mine = f"{plain(moves['median'])} ms (95% below {plain(moves['p95'])}, slowest {plain(moves['max'])})"
    within = f"{results['share_within_target']:.1%} of {moves['moves']} moves within"
    yield "a move in the explorer, kernel side", mine, "our target", f"{plain(results['target_ms'])} ms", within


def gpu_rows(results: Results) -> Iterator[Row]:
    place, found, calls = results["machine"].get("gpu", "GPU"), results["float32"], results["whole_calls"]
    mine, floor = (f"{plain(found['ms'][name]['median'])} ms" for name in ("ours", "floor"))
    over = found["over_floor"]["ours"]
    ratio = times({"median": 1 / over["median"], "min": 1 / over["max"], "max": 1 / over["min"]})
    yield (
        f"embeddings to scores, {results['clips']:,} clips, {place}",
        mine,
        "reading the embeddings once",
        floor,
        ratio,
    )
    there = "gpu, embeddings already there"
    mine, theirs = (f"{plain(calls['ms'][name]['median'])} ms" for name in (there, "cpu"))
    yield (
        f"the same, scores back in memory, {place}",
        mine,
        "ours, every CPU core",
        theirs,
        times(calls["cpu_over"][there]),
    )
    aligned = results["alignment"]
    if "pysdtw" in aligned["ms"]:
        name = next(name for name in reversed(aligned["ms"]) if name.endswith("float64 sums"))
        mine, theirs = (f"{plain(aligned['ms'][one]['median'])} ms" for one in (name, "pysdtw"))
        what = f"the alignment alone, {results['candidates']:,} of them, {place}"
        yield what, mine, "pysdtw (CUDA soft-DTW)", theirs, times(aligned["over_ours"]["pysdtw"])


ROWS = {
    "dtw": dtw_rows,
    "stage": stage_rows,
    "encoding_cpu": encoding_rows,
    "memory": memory_rows,
    "explorer": explorer_rows,
    "encoding_cuda": encoding_rows,
    "gpu": gpu_rows,
}


def caption(machine: Results) -> str:
    """What was measured on, without the day."""
    versions = machine["versions"]
    used = ", ".join(f"{name} {versions[name]}" for name in ("numpy", "numba", "torch") if name in versions)
    return (
        f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gib']:g} GiB, {machine['system']}, "
        f"Python {machine['python']}, {used}"
    )


def days(dates: Sequence[str]) -> str:
    """From the first to the last.

    >>> days(["2026-01-03", "2026-01-02"]), days(["2026-01-02"])
    ('2026-01-02 to 2026-01-03', '2026-01-02')
    """
    return " to ".join(sorted({min(dates), max(dates)}))


def block(results: Mapping[str, Results]) -> str:
    """What stands between the markers, from {subject: its JSON}; subjects that have not been run are left out."""
    if not results:
        return f"{BEGIN}\nNot measured yet: `make bench`.\n{END}"
    lines = [HEADER, tuple("---" for _ in HEADER)]
    lines += [row for subject in SUBJECTS if subject in results for row in ROWS[subject](results[subject])]
    table = [f"| {' | '.join(line)} |" for line in lines]
    dates: dict[str, list[str]] = {}  # by machine: a GPU may be in another
    for subject in filter(results.__contains__, SUBJECTS):
        machine = results[subject]["machine"]
        rows = f"Rows of {machine.get('gpu', 'a GPU')}: " if subject in ON_A_GPU else ""
        dates.setdefault(f"{rows}{caption(machine)}", []).append(machine["date"])
    notes = [" ".join([TERMS, *(f"{machine}; {days(each)}." for machine, each in dates.items())])]
    missing = [f"`{command}`" for subject, command in ON_A_GPU.items() if subject not in results]
    if missing:
        notes.append(f"Rows of a GPU are missing; where there is one: {', '.join(missing)}.")
    picture = ["![Time per cell of each](benchmarks/results/dtw_peers.png)", ""] if "dtw" in results else []
    return "\n".join([BEGIN, *picture, *table, "", *notes, END])


def found(folder: Path) -> dict[str, Results]:
    """{subject: its JSON} of those that have been run."""
    read = {subject: measure.read(subject, folder=folder) for subject in SUBJECTS}
    return {subject: results for subject, results in read.items() if results is not None}


def put(readme: str, made: str) -> str:
    """The README with its block replaced.

    Raises:
        SystemExit: there is not exactly one pair of markers.

    >>> put(f"a {BEGIN}\\nold\\n{END} b", "new")
    'a new b'
    """
    replaced, count = BLOCK.subn(lambda _: made, readme)
    if count != 1:
        raise SystemExit(f"the README has {count} blocks from '<!-- benchmarks: ... -->' to '{END}'; it needs one")
    return replaced


def main() -> None:
    """Write the table of the JSON files into the README."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.table", description=main.__doc__)
    parser.add_argument("--folder", type=Path, default=measure.RESULTS, help="of the JSON files, default %(default)s")
    parser.add_argument("--readme", type=Path, default=paths.ROOT / "README.md", help="default %(default)s")
    arguments = parser.parse_args()
    before = arguments.readme.read_text(encoding="utf-8")
    write_whole(arguments.readme, put(before, block(found(arguments.folder))))
    print(f"wrote the table of {arguments.readme}")


if __name__ == "__main__":
    main()
