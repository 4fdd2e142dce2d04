"""What the explorer shows: where its controls stand, and all that follows from them. Numbers only, no widgets."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from actalign import dtw
from actalign.errors import ActAlignError
from actalign.records import Clip

Steps = tuple[str, ...]
Cells = NDArray[np.intp]


def path_cells(matrix_kt: NDArray[np.float64]) -> Cells:
    """The cells of the warping path, forward in time: (P, 2) (paper, Eq. 10-12)."""
    return dtw.align(matrix_kt).path


def best_frames(matrix_kt: NDArray[np.float64]) -> Cells:
    """Each step's best frame, the first of equals: (K, 2).

    >>> best_frames(np.array([[0.1, 0.9], [0.5, 0.2]])).tolist()
    [[0, 1], [1, 0]]
    """
    return np.column_stack([np.arange(len(matrix_kt)), matrix_kt.argmax(axis=1)])


def best_steps(matrix_kt: NDArray[np.float64]) -> Cells:
    """Each frame's best step, the first of equals: (T, 2).

    >>> best_steps(np.array([[0.1, 0.9], [0.5, 0.2]])).tolist()
    [[1, 0], [0, 1]]
    """
    return np.column_stack([matrix_kt.argmax(axis=0), np.arange(matrix_kt.shape[1])])


@dataclass(frozen=True)
class Variant:
    """A way to get a score from a K x T map: the mean over the cells that ``cells`` picks.

    ``method`` is the row of ``methods.METHODS`` that scores so; ``ordered`` says that the cells are a path.
    """

    label: str
    method: str
    similarity: Literal["affinity", "cosine"]
    cells: Callable[[NDArray[np.float64]], Cells]

    @property
    def ordered(self) -> bool:
        return self.cells is path_cells


VARIANTS: Mapping[str, Variant] = MappingProxyType(
    {
        "dtw": Variant("DTW on affinity (paper)", "dtw_context", "affinity", path_cells),
        "dtw_cosine": Variant("DTW on raw cosine", "dtw_context_cosine", "cosine", path_cells),
        "max_per_step": Variant(
            "Order-free: best frame per step", "order_free_max_per_step", "affinity", best_frames
        ),
        "max_per_frame": Variant(
            "Order-free: best step per frame", "order_free_max_per_frame", "affinity", best_steps
        ),
    }
)  # fmt: skip


@dataclass(frozen=True)
class Settings:
    """Where the controls of the explorer stand.

    Attributes:
        clip_id, style: the clip, and the prompt style of the scripts.
        scale, bias: of Eq. 9.
        variant: a name in ``VARIANTS``.
        context: whether steps are worded "... in {sport}".
        width: w of Eq. 7 in frames; 1 is no smoothing.
        shown: the class on the first map; ``""`` is the answer, or the best class where that has no label or script.
        against: the class on the second map; ``""`` is the best other class, None is no second map.
        edited: (style, class) -> the steps that stand in for its script, as many.

    Raises:
        ActAlignError: an unknown variant, a scale that is not above 0, or a width below 1.

    >>> Settings("a", "rich", scale=10.0, bias=-1.0, variant="dwt")
    Traceback (most recent call last):
    actalign.errors.ActAlignError: alignment variant 'dwt' is unknown; choose one of ['dtw', ...
    """

    clip_id: str
    style: str
    scale: float
    bias: float
    variant: str = "dtw"
    context: bool = True
    width: int = 1
    shown: str = ""
    against: str | None = ""
    edited: Mapping[tuple[str, str], Steps] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.variant not in VARIANTS:
            raise ActAlignError(f"alignment variant {self.variant!r} is unknown; choose one of {list(VARIANTS)}")
        if not self.scale > 0:
            raise ActAlignError(f"scale {self.scale} must be above 0; the checkpoint's is encoder.scale")
        if self.width < 1:
            raise ActAlignError(f"smoothing width {self.width} must be 1 frame or more; 1 is no smoothing")


@dataclass(frozen=True, eq=False)
class ShownClass:
    """One class's map: ``matrix_kt`` (K, T), its K ``steps``, and the ``cells`` (P, 2) whose mean is ``score``.

    ``name`` is how people call the class, ``letter`` which map it is (A or B), ``place`` its rank.

    >>> shown = ShownClass("lob", "lob", "A", ("toss", "hit"), np.array([[0.9, 0.1], [0.2, 0.6]]),
    ...                    np.array([[0, 0], [1, 1]]), score=0.75, place="1", is_answer=True, ordered=True)
    >>> shown.evidence.tolist()
    [0.9, 0.6]
    """

    class_name: str
    name: str
    letter: str
    steps: Steps
    matrix_kt: NDArray[np.float64]
    cells: Cells
    score: float
    place: str
    is_answer: bool
    ordered: bool

    @property
    def evidence(self) -> NDArray[np.float64]:
        """The mean over each step's own counted cells: (K,), NaN for a step that has none."""
        step, frame = self.cells.T
        counts = np.bincount(step, minlength=len(self.steps))
        sums = np.bincount(step, weights=self.matrix_kt[step, frame], minlength=len(self.steps))
        return np.divide(sums, counts, out=np.full(len(counts), np.nan), where=counts > 0)

    def counts(self, row: int, column: int) -> bool:
        """Whether the score counts this cell."""
        return bool((self.cells == (row, column)).all(axis=1).any())


@dataclass(frozen=True, eq=False)
class View:
    """Everything on the screen for one position of the controls.

    ``ranking`` has columns place (rank from 1, "=" where tied), class, name, score, is_answer, letter (of the map that
    shows it, else empty), best first. ``frames_thwc`` are small RGB frames, None where they cannot be read.
    ``boundaries_s`` are the known ends of sub-actions, ``notes`` plain sentences on what is missing or changed.
    """

    settings: Settings
    clip: Clip
    ranking: pd.DataFrame
    shown: tuple[ShownClass, ...]
    times_s: NDArray[np.float64]
    frames_thwc: NDArray[np.uint8] | None
    boundaries_s: tuple[float, ...]
    notes: tuple[str, ...]

    @property
    def variant(self) -> Variant:
        return VARIANTS[self.settings.variant]

    @property
    def value_label(self) -> str:
        """What the maps hold."""
        return self.variant.similarity


def ranked(classes: list[tuple[str, str]], scores: NDArray[Any], *, answer: str | None) -> pd.DataFrame:
    """Classes (name in the data, name for people) by score, best first; ties share a place, marked "=".

    >>> ranked([("a", "a"), ("b", "b"), ("c", "c")], np.array([0.5, 0.75, 0.5]), answer="a")[["place", "class"]]
      place class
    0     1     b
    1    2=     a
    2    2=     c
    """
    values = np.asarray(scores, dtype=np.float64)
    places = [f"{(values > value).sum() + 1}{'=' if (values == value).sum() > 1 else ''}" for value in values]
    table = pd.DataFrame(classes, columns=["class", "name"])
    table.insert(0, "place", places)
    table["score"] = values
    table["is_answer"] = table["class"] == answer
    return table.iloc[np.argsort(-values, kind="stable")].reset_index(drop=True)
