"""From embeddings to the scores of all candidates: similarity, affinity and alignment of every clip.

``python -m benchmarks.stage`` writes benchmarks/results/stage.json. The floor is what nobody can leave out: one product
of texts and frames per clip and a sigmoid, in float32 NumPy. The released recipe runs on a part of the clips; its time
per clip stands for all of them.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actalign import dtw, stage
from actalign.clip_similarity import ClipSimilarity, Smoothing
from actalign.dtw import Evidence
from actalign.stage import ClipScripts
from benchmarks import measure, released, workload
from benchmarks.released import Rows

SCALE, BIAS = workload.SCALE, workload.BIAS
W30 = Smoothing(30)
RELEASED_CLIPS = 60
SWEEP_CLIPS = 200
WIDTHS = (None, 5, 15, 30, 60)
CALIBRATIONS = ((SCALE, BIAS), (SCALE, BIAS / 2), (SCALE / 2, BIAS), (10.0, 0.0))
SETTINGS = [
    (None if width is None else Smoothing(width), scale, bias) for width in WIDTHS for scale, bias in CALIBRATIONS
]


def products(clips: Sequence[ClipScripts]) -> None:
    """One product of texts and frames a clip, nothing else."""
    for clip in clips:
        clip.texts_nd @ clip.frames_td.T


def products_and_sigmoids(clips: Sequence[ClipScripts]) -> NDArray[np.float32]:
    """The product and 1 / (1 + exp(-(scale x + bias))) in place, all float32; returns the last clip's."""
    values = np.empty((0, 0), dtype=np.float32)
    for clip in clips:
        values = clip.texts_nd @ clip.frames_td.T
        values *= np.float32(-SCALE)
        values -= np.float32(BIAS)
        np.exp(values, out=values)
        values += np.float32(1.0)
        np.reciprocal(values, out=values)
    return values


def as_released(clip: ClipScripts) -> tuple[Rows, list[Rows]]:
    """The clip as the released recipe holds it: a list of rows, and a list of rows per candidate."""
    return list(clip.frames_td), [[clip.texts_nd[row] for row in script] for script in clip.scripts]


def score_as_released(clips: Sequence[tuple[Rows, list[Rows]]]) -> list[list[float]]:
    return [released.score_clip(frames, scripts, scale=SCALE, bias=BIAS) for frames, scripts in clips]


def in_one_thread(function: Callable[[], object]) -> None:
    """With one thread for BLAS, which suits the released recipe: its many small products take longer with more."""
    with measure.single_thread():
        function()


def check(clips: Sequence[ClipScripts]) -> float:
    """Raise SystemExit unless ours equals the released recipe's up to float32; returns the largest difference."""
    ours = stage.score_clips(clips, scale=SCALE, bias=BIAS)
    theirs = score_as_released([as_released(clip) for clip in clips])
    apart = np.abs(np.array(ours) / np.array(theirs) - 1).max()
    if not apart < 1e-3:
        raise SystemExit(f"ours and the released recipe differ by {apart:.2e} of a score")
    return float(apart)


def swept(clips: Sequence[ClipScripts]) -> list[list[Any]]:
    """Every setting, with what does not change kept: one product a clip, one cosine a smoothing."""
    found: list[list[Any]] = [[] for _ in SETTINGS]
    for clip in clips:
        similarity = ClipSimilarity(clip.frames_td, clip.texts_nd)
        for place, (smoothing, scale, bias) in enumerate(SETTINGS):
            values = similarity.affinity(scale=scale, bias=bias, smoothing=smoothing)
            found[place].append(dtw.script_scores([Evidence(values, clip.scripts)], threads=1))
    return found


def one_by_one(clips: Sequence[ClipScripts]) -> list[list[Any]]:
    """Every setting as a run of its own."""
    return [
        stage.score_clips(clips, scale=scale, bias=bias, smoothing=smoothing, threads=1)
        for smoothing, scale, bias in SETTINGS
    ]


def whole_stage(clips: Sequence[ClipScripts], *, part: int, repeats: int) -> dict[str, Any]:
    """Milliseconds per clip of everything, one thread and all cores, and the ratios that matter."""
    rows = [as_released(clip) for clip in clips[:part]]
    score = partial(stage.score_clips, clips, scale=SCALE, bias=BIAS)
    one: dict[str, Callable[[], object]] = {
        "product": partial(products, clips),
        "product and sigmoid": partial(products_and_sigmoids, clips),
        "ours": partial(score, threads=1),
        "ours, w = 30": partial(score, threads=1, smoothing=W30),
        "released": partial(score_as_released, rows),
    }
    every: dict[str, Callable[[], object]] = {
        "product and sigmoid": one["product and sigmoid"],
        "ours": score,
        "ours, w = 30": partial(score, smoothing=W30),
        "ours, one thread": one["ours"],
        "released": partial(in_one_thread, one["released"]),
    }
    counts = dict.fromkeys({**one, **every}, len(clips)) | {"released": len(rows)}

    def per_clip(functions: dict[str, Callable[[], object]]) -> dict[str, list[float]]:
        taken = measure.interleaved(functions, repeats=repeats)
        return {name: measure.per(times, counts[name], unit=1e-3) for name, times in taken.items()}

    with measure.single_thread():
        alone = per_clip(one)
    together = per_clip(every)
    return {
        "ms_per_clip_one_thread": {name: measure.summary(times) for name, times in alone.items()},
        "ms_per_clip_all_cores": {name: measure.summary(times) for name, times in together.items()},
        "floor_over_ours_one_thread": measure.ratio(alone["product and sigmoid"], alone["ours"]),
        "floor_over_ours_all_cores": measure.ratio(together["product and sigmoid"], together["ours"]),
        "smoothed_over_plain": measure.ratio(alone["ours, w = 30"], alone["ours"]),
        "released_over_ours_one_thread": measure.ratio(alone["released"], alone["ours"]),
        "released_over_ours_all_cores": measure.ratio(together["released"], together["ours"]),
        "one_thread_over_all_cores": measure.ratio(together["ours, one thread"], together["ours"]),
    }


def sweep(clips: Sequence[ClipScripts], *, repeats: int) -> dict[str, Any]:
    """Twenty settings with reuse against twenty runs, one thread."""
    with measure.single_thread():
        for kept, alone in zip(swept(clips[:2]), one_by_one(clips[:2]), strict=True):
            if any(not np.array_equal(one, other) for one, other in zip(kept, alone, strict=True)):
                raise SystemExit("a sweep with reuse gives other scores than independent runs")
        runs = {"reuse": partial(swept, clips), "independent": partial(one_by_one, clips)}
        taken = measure.interleaved(runs, repeats=repeats)
    count = len(clips) * len(SETTINGS)
    return {
        "settings": len(SETTINGS),
        "clips": len(clips),
        "ms_per_clip_and_setting": {
            name: measure.summary(measure.per(times, count, unit=1e-3)) for name, times in taken.items()
        },
        "independent_over_reuse": measure.ratio(taken["independent"], taken["reuse"]),
    }


def run(*, quick: bool) -> dict[str, Any]:
    clips = workload.clip_scripts(12) if quick else workload.clip_scripts()
    part, repeats = (3, 2) if quick else (RELEASED_CLIPS, 11)
    return {
        "clips": len(clips),
        "clips_of_the_released_recipe": part,
        "width": clips[0].frames_td.shape[1],
        "largest_relative_difference_from_released": check(clips[:part]),
        "stage": whole_stage(clips, part=part, repeats=repeats),
        "sweep": sweep(clips[: 4 if quick else SWEEP_CLIPS], repeats=min(repeats, 5)),
    }


if __name__ == "__main__":
    measure.main("stage", run)
