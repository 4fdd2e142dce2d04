"""Ours, the baselines and the controls behind one interface: embeddings in, a score per candidate out.

A method is two functions: ``evidence`` turns one question into rows of values and says which rows, in which order,
are each candidate's; ``summary`` turns the evidence of many questions into scores. ``settle`` says which options the
method fixes; the rest come from the caller's :class:`~actalign.options.Options`. A new method is one function and one
line in ``METHODS``, or a :class:`Method` of one's own, passed wherever a method's name is asked for when scoring.

Some methods run several draws: the class-name rows one per drawn name (invented names sit off chance by luck),
the shuffled script one per shuffle, ``random`` one per trial. Scores are kept per draw; the metrics take the
probability that a clip's answer is among the first k in each draw and then the mean over draws.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from actalign import similarity
from actalign.dtw import Evidence, script_scores
from actalign.errors import ActAlignError
from actalign.inputs import Candidate, QuestionInputs, names, names_in_sport, nothing, steps
from actalign.options import Options

RANDOM_TRIALS = 10  # the paper's Table 2
SHUFFLES = 10


def _one_each(values_c: NDArray[np.float64]) -> Evidence:
    """One value per candidate."""
    return Evidence(values_c[:, None], tuple(np.arange(len(values_c))[:, None]))


def _against_pooled(inputs: QuestionInputs, rows_cd: NDArray[np.float64]) -> Evidence:
    """The pooled frame times each row, row by row, so that equal rows tie exactly."""
    return _one_each(np.array([float((row * inputs.pooled_d).sum()) for row in rows_cd]))


def chance(inputs: QuestionInputs, draw: int) -> Evidence:
    """A random number per candidate."""
    return _one_each(inputs.generator(draw, inputs.clip_id).random(len(inputs.candidates)))


def pooled_names(inputs: QuestionInputs, draw: int, *, wording: Callable[..., tuple[str, ...]]) -> Evidence:
    """The mean frame against the class name (the paper's baseline); a class with fewer names repeats them."""
    wordings = [wording(candidate, inputs.options) for candidate in inputs.candidates]
    rows = inputs.vectors(drawn[draw % len(drawn)] for drawn in wordings).astype(np.float64)
    frobenius = inputs.options.class_name_normalisation == "frobenius"
    return _against_pooled(inputs, rows / np.linalg.norm(rows) if frobenius else similarity.unit(rows))


def pooled_steps(inputs: QuestionInputs, draw: int) -> Evidence:
    """The mean frame against the mean of the script's L2-normalised steps, as a cosine.

    Steps are summed in sorted order, so that two scripts that differ by order alone tie exactly.
    """
    wordings = [sorted(inputs.script_texts(candidate)) for candidate in inputs.candidates]
    means = [similarity.unit(inputs.vectors(wording)).mean(axis=0) for wording in wordings]
    return _against_pooled(inputs, similarity.unit(np.stack(means)))


def script_against_frames(inputs: QuestionInputs, draw: int) -> Evidence:
    """Every step of the script against every frame (paper, Eq. 9)."""
    return inputs.evidence


def shuffled_script(inputs: QuestionInputs, draw: int) -> Evidence:
    """The same with each class's steps in a random order, drawn from all orders, its own included."""
    return reordered(inputs, lambda name, steps: inputs.generator(draw, name).permutation(steps))


def reordered(inputs: QuestionInputs, order_of: Callable[[str, int], NDArray[np.intp]]) -> Evidence:
    """The same with each class's steps in the order that ``order_of`` gives for its name and number of steps."""
    values, scripts = inputs.evidence
    names = [candidate.class_name for candidate in inputs.candidates]
    return Evidence(values, tuple(rows[order_of(name, len(rows))] for name, rows in zip(names, scripts, strict=True)))


def true_labels(inputs: QuestionInputs, draw: int) -> Evidence:
    """1 where the frame's true label is the step's id, else 0."""
    if not inputs.labels:
        raise ActAlignError(f"clip {inputs.clip_id!r} has no frame labels; leave the oracle out for this data set")
    if len(inputs.labels) != len(inputs.frames_td):
        raise ActAlignError(
            f"clip {inputs.clip_id!r} has {len(inputs.labels)} frame labels but {len(inputs.frames_td)} frame "
            "embeddings; embed every frame (frame_rate=None) or correct frame_labels.csv"
        )
    for candidate in inputs.candidates:
        if not candidate.step_ids:
            raise ActAlignError(f"class {candidate.class_name!r} is not in class_steps.json; the oracle needs it")
    wanted = [step for candidate in inputs.candidates for step in candidate.step_ids]
    steps, places = np.unique(wanted, return_inverse=True)
    ends = np.cumsum([len(candidate.step_ids) for candidate in inputs.candidates])
    values = (steps[:, None] == np.array(inputs.labels)).astype(np.float64)
    return Evidence(values, tuple(np.split(places, ends[:-1])))


def only_value(evidence: Sequence[Evidence]) -> NDArray[np.float64]:
    """The value of each candidate that has just one."""
    return np.array([clip.values_nt[rows].item() for clip in evidence for rows in clip.scripts], dtype=np.float64)


def max_per_step(evidence: Sequence[Evidence]) -> NDArray[np.float64]:
    """Each step's best frame, averaged over steps (summed in sorted order, so that equal scripts tie exactly)."""
    best = [(clip.values_nt.max(axis=1), clip.scripts) for clip in evidence]
    return np.array([np.sort(values[rows]).mean() for values, scripts in best for rows in scripts], dtype=np.float64)


def max_per_frame(evidence: Sequence[Evidence]) -> NDArray[np.float64]:
    """Each frame's best step, averaged over frames."""
    matrices = (matrix for clip in evidence for matrix in clip.matrices())
    return np.array([matrix.max(axis=0).mean() for matrix in matrices], dtype=np.float64)


def unsmoothed(options: Options) -> Options:
    """No smoothing, whatever the width."""
    return replace(options, smoothing_width=None)


def as_given(options: Options) -> Options:
    """No option fixed: the full method."""
    return options


def validated(options: Options) -> Options:
    """The width chosen on the validation split."""
    if options.validated_width is None:
        raise ActAlignError(
            "dtw_context_smoothing_validated needs options(validated_width=...): "
            "take it from tuning.choose_smoothing_width on the validation split"
        )
    return replace(options, smoothing_width=options.validated_width)


@dataclass(frozen=True)
class Method:
    """One row of the results table.

    ``reads`` says in words what a method is told about a class. ``draws`` is how often it runs, ``None`` for once
    per name. ``wording`` gives the texts of a candidate that it looks up. ``settle`` fixes its options:
    unless given, it takes the smoothing away. ``smooths`` says that its label should show the width.

    >>> METHODS["dtw"].settle(Options()).smoothing_width is None
    True
    """

    name: str
    label: str
    reads: Literal["nothing", "class name", "script", "true labels"]
    evidence: Callable[[QuestionInputs, int], Evidence]
    summary: Callable[[Sequence[Evidence]], NDArray[np.float64]]
    wording: Callable[[Candidate, Options], tuple[str, ...]] = nothing
    settle: Callable[[Options], Options] = unsmoothed
    draws: int | None = 1
    smooths: bool = False

    @property
    def needs_script(self) -> bool:
        return self.reads == "script"


def method_named(name: str | Method) -> Method:
    """The method of that name, or a method of one's own as it is. Raises ActAlignError listing the known names.

    >>> method_named("dtw").label
    'DTW'
    """
    if isinstance(name, Method):
        return name
    if name not in METHODS:
        raise ActAlignError(f"method {name!r} is unknown; choose one of {list(METHODS)}")
    return METHODS[name]


def _scripted(name: str, label: str, **settings: Any) -> Method:
    """DTW over the script's K x T matrix unless ``settings`` say otherwise."""
    defaults: dict[str, Any] = {"evidence": script_against_frames, "summary": script_scores}
    return Method(name, label, reads="script", wording=steps, **(defaults | settings))


def _pooled_name(name: str, label: str, wording: Callable[..., tuple[str, ...]]) -> Method:
    evidence = partial(pooled_names, wording=wording)
    return Method(name, label, "class name", evidence, only_value, wording=wording, draws=None)


plain = partial(replace, smoothing_width=None, text_template="step")
cosine_only = partial(replace, smoothing_width=None, similarity="cosine")

METHODS: Mapping[str, Method] = MappingProxyType(
    {
        method.name: method
        for method in (
            Method("random", "Random", "nothing", chance, only_value, draws=RANDOM_TRIALS),
            _pooled_name("mean_pool_name", "Mean-pool, class name", names),
            _pooled_name("mean_pool_name_in_sport", "Mean-pool, class name in sport", names_in_sport),
            _scripted("mean_pool_steps", "Mean-pool, sub-actions", evidence=pooled_steps, summary=only_value),
            _scripted("order_free_max_per_step", "Order-free, best frame per step", summary=max_per_step),
            _scripted("order_free_max_per_frame", "Order-free, best step per frame", summary=max_per_frame),
            _scripted("dtw", "DTW", settle=plain),
            _scripted("dtw_context", "DTW + context"),
            _scripted("dtw_context_smoothing", "DTW + context + smoothing", settle=as_given, smooths=True),
            _scripted(
                "dtw_context_smoothing_validated", "DTW + context + validated smoothing", settle=validated, smooths=True
            ),
            _scripted("dtw_context_cosine", "DTW + context, raw cosine", settle=cosine_only),
            _scripted(
                "dtw_context_shuffled", "DTW + context, shuffled script", evidence=shuffled_script, draws=SHUFFLES
            ),
            Method("oracle", "DTW on true frame labels", "true labels", true_labels, script_scores),
        )
    }
)
